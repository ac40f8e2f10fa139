//! From a drive's name to a firmware device: simulated drives and real ones.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::args::{DriveName, Request, Via};
use super::exit::Exit;
use super::failure::{Failure, sentence};
use super::output::Output;
use super::progress::Progress;
use super::prompt;
use super::typed::Typed;
use crate::drive::inquire::{Answer, inquire};
use crate::job::{JobError, StopFlag};
use crate::protocol::vendor_mode::{VendorMode, VendorModeDrive};
use crate::protocol::{DeviceError, FirmwareDevice};
use crate::scsi::DeviceType;
use crate::sim::Bench;
use crate::transport::clock::SystemClock;
use crate::transport::sg_io::SgOpenError;
use crate::transport::{
    AtaPassthrough, Clock, PacketTransport, PortTaskFile, RegisterAccess, SgDevice, TaskFile, Unit,
};

/// A drive that is ready for a job.
pub struct Opened {
    /// What the user calls it.
    pub name: String,
    pub device: Box<dyn FirmwareDevice>,
}

/// The ways to one drive, simulated or real.
struct Reach {
    name: String,
    /// SG_IO, where the kernel knows the drive.
    packets: Option<Box<dyn PacketTransport + Send>>,
    /// The registers of its channel, where it is on a legacy port.
    registers: Option<Box<dyn RegisterAccess + Send>>,
    unit: Unit,
    clock: Arc<dyn Clock>,
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
    let mut reach = match &request.options.sim {
        Some(bench) => simulated(bench, drive)?,
        None => real(drive)?,
    };
    let answer = match &mut reach.packets {
        Some(packets) => inquire(packets.as_mut()).map_err(|error| {
            Failure::new(
                Exit::NoDrive,
                format!("{} does not take commands: {error}.", reach.name),
            )
        })?,
        None => None,
    };
    if let Some(Answer { device_type, .. }) = &answer
        && *device_type != DeviceType::OPTICAL
    {
        return Err(Failure::new(
            Exit::NoDrive,
            format!("{} is no optical drive but a {device_type}.", reach.name),
        )
        .next("mtkflash l   lists the drives"));
    }
    let name = reach.name.clone();
    let clock = Arc::clone(&reach.clock);
    let task_file = task_file(reach, request.options.via, typed)?;
    let patience = request.options.wait.unwrap_or_else(|| {
        if prompt::somebody_is_there() {
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
    let identity = answer.map(|answer| answer.identity);
    let device = entered
        .and_then(|mode| VendorModeDrive::identify(mode, identity, request.options.size))
        .map_err(|error| not_entered(error, typed))?;
    Ok(Opened {
        name,
        device: Box::new(device),
    })
}

fn not_entered(error: DeviceError, typed: &Typed) -> Failure {
    let error = match error {
        DeviceError::Stopped => JobError::Stopped,
        source => JobError::Device {
            source,
            flash: crate::job::FlashState::Unchanged,
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
                format!(
                    "{} is not on a legacy port: those are the positions 1-4.",
                    reach.name
                ),
            )
        })?;
        let mut ports = PortTaskFile::new(registers, reach.unit, reach.clock);
        ports.quiet_interrupts().map_err(|error| {
            Failure::new(
                Exit::NoDrive,
                format!("The ports cannot be reached: {error}."),
            )
        })?;
        return Ok(Box::new(ports));
    }
    let packets = reach.packets.ok_or_else(|| {
        Failure::new(
            Exit::NoDrive,
            format!(
                "The kernel does not know a drive at {}: it is dead, or there is none.",
                reach.name
            ),
        )
        .next("A dead drive on an IDE port is reached without the kernel:")
        .next(typed.with("--via port"))
    })?;
    Ok(Box::new(AtaPassthrough::new(packets, COMMAND_TIMEOUT)))
}

fn simulated(bench: &Path, drive: &DriveName) -> Result<Reach, Failure> {
    let bench = Bench::open(bench)
        .map_err(|error| Failure::new(Exit::Usage, sentence(&error.to_string())))?;
    let found = match drive {
        DriveName::Index(index) => bench.drive(*index),
        DriveName::Path(path) => bench.drive_at(path),
    };
    let Some(found) = found else {
        let there: Vec<String> = bench
            .drives()
            .iter()
            .map(|drive| match (drive.position(), drive.path()) {
                (Some(position), _) => position.to_string(),
                (None, Some(path)) => path.display().to_string(),
                (None, None) => drive.name(),
            })
            .collect();
        return Err(Failure::new(
            Exit::NoDrive,
            format!(
                "There is no drive {drive} on this bench; it has {}.",
                there.join(", ")
            ),
        ));
    };
    Ok(Reach {
        name: format!("simulated drive {drive}"),
        packets: found.packets(),
        registers: found.registers(),
        unit: found.unit(),
        clock: found.clock(),
    })
}

fn real(drive: &DriveName) -> Result<Reach, Failure> {
    let DriveName::Path(path) = drive else {
        return Err(Failure::new(
            Exit::NoDrive,
            format!("Drive {drive} cannot be looked up by its index yet: name it by its path."),
        ));
    };
    let packets = SgDevice::open(path, true).map_err(|error| not_opened(&error))?;
    Ok(Reach {
        name: path.display().to_string(),
        packets: Some(Box::new(packets)),
        registers: None,
        unit: Unit::Master,
        clock: Arc::new(SystemClock::default()),
    })
}

fn not_opened(error: &SgOpenError) -> Failure {
    Failure::new(Exit::NoDrive, sentence(&error.to_string())).next("mtkflash l   lists the drives")
}

/// What drives there are.
///
/// # Errors
/// A bench that cannot be read.
pub fn list(request: &Request, output: &mut Output) -> Result<(), Failure> {
    let Some(bench) = &request.options.sim else {
        return Err(Failure::new(
            Exit::NoDrive,
            "Real drives cannot be listed yet.",
        ));
    };
    let bench = Bench::open(bench)
        .map_err(|error| Failure::new(Exit::Usage, sentence(&error.to_string())))?;
    for drive in bench.drives() {
        let place = match (drive.position(), drive.path()) {
            (Some(position), _) => position.to_string(),
            (None, Some(path)) => path.display().to_string(),
            (None, None) => drive.name(),
        };
        output.text(&format!(
            "{place}  {}\n",
            super::report::identity(&drive.identity())
        ));
    }
    Ok(())
}
