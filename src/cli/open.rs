//! From a drive to a firmware device: brings it to where its firmware can be
//! reached, and back.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use super::args::{DriveName, Request, Via};
use super::exit::Exit;
use super::failure::{Failure, sentence};
use super::own_word;
use super::progress::Progress;
use super::prompt;
use super::reach::{self, Reach};
use super::report;
use super::typed::Typed;
use crate::drive::ask::{self, AskError};
use crate::drive::legacy::Detached;
use crate::job::{Check, FlashState, JobError, Refusal, StopFlag};
use crate::protocol::detect::UnknownProtocol;
use crate::protocol::packet::{Family, PacketDrive};
use crate::protocol::vendor_mode::{VendorMode, VendorModeDrive};
use crate::protocol::{DeviceError, FirmwareDevice, Protocol, detect};
use crate::scsi::{DeviceType, Identity};
use crate::transport::{
    AtaPassthrough, Clock, PortTaskFile, TaskFile, TaskFileError, TransportError,
};

/// A drive that is ready for a job.
pub struct Opened {
    /// What the user calls it.
    pub name: String,
    pub device: Box<dyn FirmwareDevice>,
    pub is_real: bool,
    /// Which of the positions 1-4 it has on the legacy ports, where they lead to it.
    pub at_ports: Option<u8>,
    clock: Arc<dyn Clock>,
    // After the device, whose end gives the channel's interrupts back.
    detached: Option<Detached>,
}

impl Opened {
    /// Leaves the drive and gives everything back that was taken for it.
    /// Returns what went wrong with that, in words for the user, who reads
    /// beside it what to do with the drive where that is `advised` already.
    pub fn close(self, advised: bool) -> Vec<String> {
        let Opened {
            mut device,
            clock,
            detached,
            ..
        } = self;
        let mut problems = Vec::new();
        if let Err(error) = device.leave() {
            problems.push(not_left(&error, advised));
        }
        drop(device);
        if let Some(detached) = detached
            && let Err(error) = reach::bring_back(detached, clock.as_ref())
        {
            problems.push(reach::not_brought_back(&error));
        }
        problems
    }
}

/// A drive that was not left as it was found. One without whole firmware is not
/// to be switched off on that account: other advice says what comes first.
fn not_left(error: &DeviceError, advised: bool) -> String {
    match error {
        DeviceError::TaskFile {
            source: TaskFileError::Transport(TransportError::Vanished),
            ..
        } => "The drive has vanished from the system. Check its power and cable.".to_owned(),
        error if advised => format!("The drive may still be in vendor mode ({error})."),
        error => format!("The drive may still be in vendor mode ({error}). Switch it off and on."),
    }
}

/// One vendor-mode command takes microseconds to milliseconds. A drive that
/// raises no interrupt makes the kernel wait this long for each.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a person gets to switch a drive off and on.
const PATIENCE_AT_A_TERMINAL: Duration = Duration::from_secs(200);

/// Opens a drive and brings it to where its firmware can be reached.
///
/// # Errors
/// A [`Failure`] with what to do about it.
pub fn open(
    request: &Request,
    drive: &DriveName,
    progress: &mut Progress,
    stop: &StopFlag,
    typed: &Typed,
) -> Result<Opened, Failure> {
    let named = named_protocol(request, typed)?;
    let mut reach = reach::reach(request, drive, stop, typed)?;
    let name = reach.name.clone();
    let is_real = reach.is_real;
    let at_ports = reach.at_ports;
    let clock = Arc::clone(&reach.clock);
    let detached = reach.detached.take();
    match device(request, named, reach, progress, stop, typed) {
        Ok(device) => Ok(Opened {
            name,
            device,
            is_real,
            at_ports,
            clock,
            detached,
        }),
        Err(failure) => {
            if let Some(detached) = detached
                && let Err(error) = reach::bring_back(detached, clock.as_ref())
            {
                let warning = format!("Warning: {}", reach::not_brought_back(&error));
                progress.line(&typed.to_paste(&warning));
            }
            Err(failure)
        }
    }
}

/// The firmware device behind the ways to a drive.
fn device(
    request: &Request,
    named: Option<Protocol>,
    mut reach: Reach,
    progress: &mut Progress,
    stop: &StopFlag,
    typed: &Typed,
) -> Result<Box<dyn FirmwareDevice>, Failure> {
    let identity = identity(&mut reach, typed)?;
    let family = match (request.options.via, &mut reach.packets) {
        (Some(Via::Ata | Via::Port), _) | (_, None) => None,
        (Some(Via::Sg) | None, Some(packets)) => {
            let detected = detect(packets.as_mut(), identity.as_ref(), named)
                .map_err(|error| not_entered(error, typed))?;
            progress.line(&detected.reason);
            Family::of(detected.protocol)
        }
    };
    if let Some(family) = family {
        refuse_unlisted(request, family, identity.as_ref(), typed)?;
    }
    match family {
        Some(family) => packet_drive(family, identity, reach, typed),
        None if request.options.via == Some(Via::Sg) => Err(Failure::new(
            Exit::Usage,
            "--via sg is for drives with a packet protocol, and this one has none that is \
             documented.",
        )
        .next("Vendor mode, over the same node:")
        .next(typed.by("ata"))),
        None => {
            let name = reach.name.clone();
            let filter = reach.filter.take();
            let clock = Arc::clone(&reach.clock);
            let mut task_file = task_file(reach, request.options.via, typed)?;
            let answer = task_file.identify();
            let asked = match request.options.via {
                Some(Via::Port) => own_word::by_ports(answer, identity).map_err(|error| {
                    Failure::new(Exit::NoDrive, sentence(&error.to_string())).next(typed.list())
                })?,
                Some(Via::Sg | Via::Ata) | None => own_word::by_kernel(answer, identity),
            };
            for line in &asked.lines {
                progress.line(line);
            }
            let identity = asked.identity;
            let who = identity.clone();
            let family = identity.as_ref().and_then(Family::by_identity);
            if let Some(family) = family {
                progress.line(&format!(
                    "Note: this drive is on the list of {} drives, which are flashed by packets.",
                    family.name
                ));
            }
            enter(request, identity, task_file, clock, progress, stop)
                .map(|drive| Box::new(drive) as Box<dyn FirmwareDevice>)
                .map_err(|error| match filter {
                    Some(filter) if is_forbidden(&error) => reach::in_the_way(&filter, typed),
                    _ => {
                        let is_refused = matches!(error, DeviceError::EntryRefused { .. });
                        let mut failure = not_entered(error, typed);
                        if let Some(family) = family.filter(|_| is_refused) {
                            failure.next = Vec::new();
                            failure = failure
                                .next(format!(
                                    "It is a {} drive, which is flashed by packets, not in vendor \
                                     mode:",
                                    family.name
                                ))
                                .next(typed.by_its_name());
                        }
                        if let Some(who) = who
                            && failure.exit == Exit::FailedUnchanged
                        {
                            // Who meant another drive must see it here.
                            failure.what +=
                                &format!(" This is {name}: {}.", report::identity(&who));
                        }
                        failure
                    }
                })
        }
    }
}

fn is_forbidden(error: &DeviceError) -> bool {
    matches!(
        error,
        DeviceError::TaskFile {
            source: TaskFileError::Transport(TransportError::NotPermitted),
            ..
        }
    )
}

/// The protocol that the user names, if it can be had by the way he names.
fn named_protocol(request: &Request, typed: &Typed) -> Result<Option<Protocol>, Failure> {
    let Some(word) = &request.options.protocol else {
        return Ok(None);
    };
    let protocol: Protocol = word.parse().map_err(|error: UnknownProtocol| {
        Failure::new(Exit::Usage, sentence(&error.to_string()))
            .next("To go by the drive's name:")
            .next(typed.without_protocol())
    })?;
    let is_packet = protocol != Protocol::VendorMode;
    match request.options.via {
        Some(Via::Ata | Via::Port) if is_packet => Err(Failure::new(
            Exit::Usage,
            format!("The {protocol} goes over SG_IO only: --via sg."),
        )
        .next(typed.by("sg"))),
        _ => Ok(Some(protocol)),
    }
}

/// A family's commands, those for reading among them, are sent to its listed
/// drives only: a strange one may hang at them.
fn refuse_unlisted(
    request: &Request,
    family: &Family,
    identity: Option<&Identity>,
    typed: &Typed,
) -> Result<(), Failure> {
    match family.unlisted(identity) {
        Some(message) if !request.options.force.contains(&Check::Family) => {
            let check = Check::Family;
            let refusal = Refusal::Check { check, message };
            Err(Failure::job(&refusal.into(), typed))
        }
        _ => Ok(()),
    }
}

fn packet_drive(
    family: &'static Family,
    identity: Option<Identity>,
    reach: Reach,
    typed: &Typed,
) -> Result<Box<dyn FirmwareDevice>, Failure> {
    match (reach.packets, reach.reopen) {
        (Some(packets), Some(reopen)) => Ok(Box::new(PacketDrive::new(
            family,
            identity,
            packets,
            reopen,
            reach.clock,
        ))),
        _ => Err(Failure::new(
            Exit::NoDrive,
            sentence(&format!("{} takes no SCSI commands", reach.name)),
        )
        .next("A drive on an IDE port is reached without them:")
        .next(typed.by("port"))),
    }
}

/// Brings a drive into vendor mode and identifies its flash.
fn enter(
    request: &Request,
    identity: Option<Identity>,
    task_file: Box<dyn TaskFile + Send>,
    clock: Arc<dyn Clock>,
    progress: &mut Progress,
    stop: &StopFlag,
) -> Result<VendorModeDrive, DeviceError> {
    let is_listed = identity.as_ref().and_then(Family::by_identity).is_some();
    let patience = request.options.wait.unwrap_or_else(|| {
        if prompt::somebody_is_there() && !is_listed {
            PATIENCE_AT_A_TERMINAL
        } else {
            Duration::ZERO
        }
    });
    let mut on_wait = |waiting| {
        progress.show_waiting(waiting);
        if stop.is_requested() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let entered = VendorMode::enter(task_file, clock, patience, &mut on_wait);
    progress.end_waiting();
    VendorModeDrive::identify(entered?, identity, request.options.size)
}

/// Who the drive is by INQUIRY, or by the kernel's memory of it where it cannot
/// be asked. A dead drive says nothing, which is no reason to stop. One
/// that is silent is asked once more: vendor mode is nothing for a drive of
/// which an answer was lost.
fn identity(reach: &mut Reach, typed: &Typed) -> Result<Option<Identity>, Failure> {
    let Some(packets) = &mut reach.packets else {
        return Ok(reach.known_as.clone());
    };
    let answer = match ask::inquiry(packets.as_mut()) {
        Err(error) if !is_out_of_reach(&error) => ask::inquiry(packets.as_mut()),
        answer => answer,
    };
    match answer {
        Ok(answer) if answer.device_type == DeviceType::OPTICAL => Ok(Some(answer.identity)),
        Ok(answer) => Err(Failure::new(
            Exit::NoDrive,
            sentence(&format!(
                "{} is not an optical drive but a {}",
                reach.name, answer.device_type
            )),
        )
        .next("To see which drives there are:")
        .next(typed.list())),
        Err(error) if is_out_of_reach(&error) => Err(match (error, &reach.filter) {
            (AskError::Transport(TransportError::NotPermitted), Some(filter)) => {
                reach::in_the_way(filter, typed)
            }
            (error, _) => Failure::new(
                Exit::NoDrive,
                sentence(&format!("{} does not take commands: {error}", reach.name)),
            )
            .next("Check its power and cable, and look whether it is there:")
            .next(typed.list()),
        }),
        Err(_) => Ok(None),
    }
}

/// Whether no command at all gets to the drive.
fn is_out_of_reach(error: &AskError) -> bool {
    matches!(
        error,
        AskError::Transport(TransportError::NotPermitted | TransportError::Vanished)
    )
}

fn not_entered(error: DeviceError, typed: &Typed) -> Failure {
    let error = match error {
        DeviceError::Stopped => JobError::Stopped,
        source => JobError::Device {
            source,
            flash: FlashState::Unchanged,
        },
    };
    Failure::job(&error, typed)
}

fn task_file(
    reach: Reach,
    via: Option<Via>,
    typed: &Typed,
) -> Result<Box<dyn TaskFile + Send>, Failure> {
    if via == Some(Via::Port) {
        let registers = reach.registers.ok_or_else(|| {
            Failure::new(
                Exit::NoDrive,
                sentence(&format!(
                    "{} is not on a legacy port: those are the positions 1-4",
                    reach.name
                )),
            )
            .next("By SCSI commands:")
            .next(typed.by("ata"))
        })?;
        let mut ports = PortTaskFile::new(registers, reach.unit, reach.clock);
        ports.quiet_interrupts().map_err(|error| {
            Failure::new(
                Exit::NoDrive,
                format!("The ports cannot be reached: {error}."),
            )
            .next("To try once more:")
            .next(typed.same())
        })?;
        return Ok(Box::new(ports));
    }
    let packets = reach.packets.ok_or_else(|| {
        Failure::new(
            Exit::NoDrive,
            format!(
                "The kernel does not know {}: the drive is dead, or there is none.",
                reach.name
            ),
        )
        .next("A dead drive on an IDE port is reached without the kernel:")
        .next(typed.by("port"))
    })?;
    Ok(Box::new(AtaPassthrough::new(packets, COMMAND_TIMEOUT)))
}

#[cfg(test)]
mod tests;
