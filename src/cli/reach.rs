//! From a drive's name to the ways that lead there: simulated drives and real
//! ones. Nothing is sent to a drive here but INQUIRY and TEST UNIT READY.

use std::path::Path;
use std::sync::Arc;

use super::args::{DriveName, Request, Via};
use super::exit::Exit;
use super::failure::{Failure, sentence};
use super::progress::eprintln_quietly;
use super::prompt::{self, Consent};
use super::typed::Typed;
use crate::drive::legacy::{self, ChannelState, Detached, LegacyError};
use crate::drive::{
    Hold, HoldError, Located, MediumRule, Obstacle, Position, System, locate_path, locate_position,
    note,
};
use crate::job::{Check, JobError, StopFlag};
use crate::protocol::packet::Reopen;
use crate::scsi::Identity;
use crate::sim::{Bench, SimDriveHandle};
use crate::transport::clock::SystemClock;
use crate::transport::{Clock, DevPort, PacketTransport, RegisterAccess, TransportError, Unit};

mod failures;

pub use failures::{for_the_ports, in_the_way, not_brought_back};
use failures::{guessed, not_detached, not_held, not_located, polled};

/// The ways to one drive.
pub struct Reach {
    /// What the user calls it.
    pub name: String,
    /// SG_IO, where the kernel knows the drive.
    pub packets: Option<Box<dyn PacketTransport + Send>>,
    /// What stands behind a command that the kernel does not let through there.
    pub filter: Option<Obstacle>,
    /// The registers of its channel, where it is on a legacy port and was asked
    /// for that way.
    pub registers: Option<Box<dyn RegisterAccess + Send>>,
    pub unit: Unit,
    pub clock: Arc<dyn Clock>,
    /// Who the kernel remembers the drive to be.
    pub known_as: Option<Identity>,
    /// How the drive is found again after it has restarted.
    pub reopen: Option<Box<dyn Reopen>>,
    /// A channel that the kernel has given up and gets back in the end.
    pub detached: Option<Detached>,
    pub is_real: bool,
    /// Which of the positions 1-4 it has on the legacy ports, where they lead to it.
    pub at_ports: Option<u8>,
}

/// Finds a simulated drive again.
struct OnBench(SimDriveHandle);

impl Reopen for OnBench {
    fn reopen(&mut self) -> Result<Box<dyn PacketTransport + Send>, TransportError> {
        self.0.packets().ok_or(TransportError::Vanished)
    }
}

/// Finds a drive again by its place in the system, under whatever names.
struct InPlace {
    system: System,
    before: Located,
    clock: Arc<dyn Clock>,
}

impl Reopen for InPlace {
    fn reopen(&mut self) -> Result<Box<dyn PacketTransport + Send>, TransportError> {
        // The desktop looks at a new drive as well: one that is busy now will
        // be free in a moment.
        match Hold::again(&self.system, &self.before, Arc::clone(&self.clock)) {
            Ok(Some(hold)) => Ok(Box::new(hold)),
            Ok(None) | Err(_) => Err(TransportError::Vanished),
        }
    }
}

/// Finds a drive and gets hold of it.
///
/// # Errors
/// A [`Failure`] with exit 3, or 4 where a check stands in the way.
pub fn reach(
    request: &Request,
    drive: &DriveName,
    stop: &StopFlag,
    typed: &Typed,
) -> Result<Reach, Failure> {
    match &request.options.sim {
        Some(bench) => simulated(bench, drive, request.options.via, typed),
        None => {
            let system = System::host();
            settle(&system);
            match request.options.via {
                Some(Via::Port) => by_ports(&system, request, drive, stop, typed),
                Some(Via::Sg | Via::Ata) | None => by_kernel(&system, request, drive, typed),
            }
        }
    }
}

/// Takes back what a crashed run has left changed.
pub fn settle(system: &System) {
    for settled in note::settle(system) {
        if settled.outcome.is_ok() && settled.undo.is_scan() {
            legacy::await_scan(system, &SystemClock::default());
        }
        eprintln_quietly(&failures::settled(&settled));
    }
}

/// Opens a bench of simulated drives.
///
/// # Errors
/// [`Exit::Usage`] for a file that is no bench.
pub fn bench(path: &Path) -> Result<Bench, Failure> {
    Bench::open(path).map_err(|error| Failure::new(Exit::Usage, sentence(&error.to_string())))
}

/// What the user calls a simulated drive.
pub fn place(drive: &SimDriveHandle) -> String {
    match (drive.position(), drive.path()) {
        (Some(position), _) => position.to_string(),
        (None, Some(path)) => path.display().to_string(),
        (None, None) => drive.name(),
    }
}

/// What sysfs keeps of a drive's INQUIRY.
fn remembered(identity: Identity) -> Identity {
    Identity {
        serial: None,
        ..identity
    }
}

fn simulated(
    path: &Path,
    drive: &DriveName,
    via: Option<Via>,
    typed: &Typed,
) -> Result<Reach, Failure> {
    let bench = bench(path)?;
    let found = match drive {
        DriveName::Index(index) => bench.drive(*index),
        DriveName::Path(path) => bench.drive_at(path),
    };
    let Some(found) = found else {
        let there: Vec<String> = bench.drives().iter().map(place).collect();
        return Err(Failure::new(
            Exit::NoDrive,
            format!(
                "There is no drive {drive} on this bench; it has {}.",
                there.join(", ")
            ),
        )
        .next("To see who they are:")
        .next(typed.list()));
    };
    let packets = found.packets();
    // As for a real drive: the kernel, which remembers who it is, has given it up.
    let (packets, known_as) = match via {
        Some(Via::Port) => (None, packets.map(|_| remembered(found.identity()))),
        Some(Via::Sg | Via::Ata) | None => (packets, None),
    };
    Ok(Reach {
        name: format!("simulated drive {drive}"),
        packets,
        filter: None,
        registers: found.registers(),
        unit: found.unit(),
        clock: found.clock(),
        known_as,
        reopen: Some(Box::new(OnBench(found.clone()))),
        detached: None,
        is_real: false,
        at_ports: found.position(),
    })
}

fn position_at(index: u8) -> Result<Position, Failure> {
    Position::new(index)
        .ok_or_else(|| Failure::new(Exit::Usage, format!("There is no drive {index}.")))
}

/// The kernel's drive of this name.
///
/// # Errors
/// [`Exit::NoDrive`].
pub fn locate(system: &System, drive: &DriveName, typed: &Typed) -> Result<Located, Failure> {
    let found = match drive {
        DriveName::Index(index) => locate_position(system, position_at(*index)?),
        DriveName::Path(path) => locate_path(system, path),
    };
    found.map_err(|error| not_located(system, &error, typed))
}

fn by_kernel(
    system: &System,
    request: &Request,
    drive: &DriveName,
    typed: &Typed,
) -> Result<Reach, Failure> {
    let located = locate(system, drive, typed)?;
    if let Some(note) = guessed(drive, &located) {
        eprintln_quietly(&note);
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let hold = Hold::take(system, &located, medium_rule(request), Arc::clone(&clock))
        .map_err(|error| not_held(&error, typed))?;
    if let Some(note) = polled(hold.polling()) {
        eprintln_quietly(&note);
    }
    Ok(Reach {
        name: named(drive, &located),
        known_as: Some(located.known_as.clone()),
        unit: located.position.map_or(Unit::Master, Position::unit),
        filter: Some(hold.why_not_permitted(system)),
        packets: Some(Box::new(hold)),
        registers: None,
        reopen: Some(Box::new(InPlace {
            system: system.clone(),
            before: located.clone(),
            clock: Arc::clone(&clock),
        })),
        clock,
        detached: None,
        is_real: true,
        at_ports: legacy::position_of(system, &located).map(Position::number),
    })
}

/// `drive 3 (/dev/sr0)`.
fn named(drive: &DriveName, located: &Located) -> String {
    let node = located.node().map_or_else(
        || located.address.to_string(),
        |node| node.display().to_string(),
    );
    match drive {
        DriveName::Index(index) => format!("drive {index} ({node})"),
        DriveName::Path(path) if path.as_os_str() == node.as_str() => node,
        DriveName::Path(path) => format!("{} ({node})", path.display()),
    }
}

fn by_ports(
    system: &System,
    request: &Request,
    drive: &DriveName,
    stop: &StopFlag,
    typed: &Typed,
) -> Result<Reach, Failure> {
    let position = match drive {
        DriveName::Index(index) => position_at(*index)?,
        DriveName::Path(_) => {
            let located = locate(system, drive, typed)?;
            return Err(failures::named_by_path(
                drive,
                legacy::position_of(system, &located),
                typed,
            ));
        }
    };
    let channel = position.channel();
    let state = legacy::inspect(system, channel).map_err(|error| not_detached(&error, typed))?;
    state.check().map_err(|error| not_detached(&error, typed))?;
    let controller = system.sys(format!("bus/pci/devices/{}", state.controller));
    let ports = DevPort::open(channel, &controller)
        .map_err(|error| in_the_way(&Obstacle::to_ports(system, error), typed))?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let known = state
        .devices
        .iter()
        .find(|device| device.position == Some(position))
        .map(|device| &device.located);
    if let Some(drive) = known {
        refuse_medium(system, request, drive, &clock, typed)?;
    }
    agree_to_detach(&state, request, stop, typed)?;
    let known_as = known.map(|drive| drive.known_as.clone());
    let detached = legacy::detach(system, channel).map_err(|error| not_detached(&error, typed))?;
    Ok(Reach {
        name: format!("drive {} ({position})", position.number()),
        packets: None,
        filter: None,
        registers: Some(Box::new(ports)),
        unit: position.unit(),
        clock,
        known_as,
        reopen: None,
        detached: Some(detached),
        is_real: true,
        at_ports: Some(position.number()),
    })
}

/// A medium in the drive, which the kernel can still tell. A drive that does not
/// answer it is no reason to stop: the ports may be the only way to it.
fn refuse_medium(
    system: &System,
    request: &Request,
    drive: &Located,
    clock: &Arc<dyn Clock>,
    typed: &Typed,
) -> Result<(), Failure> {
    match Hold::take(system, drive, medium_rule(request), Arc::clone(clock)) {
        Err(error @ (HoldError::Medium { .. } | HoldError::Starting { .. })) => {
            Err(not_held(&error, typed))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

fn medium_rule(request: &Request) -> MediumRule {
    if request.options.force.contains(&Check::Medium) {
        MediumRule::Allow
    } else {
        MediumRule::Refuse
    }
}

/// Shows what the kernel has on a channel and asks whether it may be taken off.
fn agree_to_detach(
    state: &ChannelState,
    request: &Request,
    stop: &StopFlag,
    typed: &Typed,
) -> Result<(), Failure> {
    if state.devices.is_empty() {
        return Ok(());
    }
    let question = typed.to_paste(&failures::question(state));
    match prompt::ask(&question, request.options.yes, stop) {
        Consent::Given => {
            if request.options.yes {
                eprintln_quietly(&question);
            }
            Ok(())
        }
        Consent::Stopped => Err(Failure::job(&JobError::Stopped, typed)),
        Consent::Denied => Err(Failure::denied(typed)),
        Consent::NobodyToAsk => Err(Failure::nobody_to_ask(&question, typed)),
    }
}

/// Gives a channel back to the kernel.
///
/// # Errors
/// Where a drive that was there is not back.
pub fn bring_back(detached: Detached, clock: &dyn Clock) -> Result<(), LegacyError> {
    detached.bring_back(clock).map(drop)
}

#[cfg(test)]
mod tests;
