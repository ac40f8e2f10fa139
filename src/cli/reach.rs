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
use crate::drive::hold::Polling;
use crate::drive::legacy::{self, ChannelState, Detached, LegacyError};
use crate::drive::{
    Hold, HoldError, LocateError, Located, MediumRule, Obstacle, Position, Remedy, System,
    locate_path, locate_position, note,
};
use crate::job::{Check, JobError, StopFlag};
use crate::protocol::packet::Reopen;
use crate::scsi::Identity;
use crate::sim::{Bench, SimDriveHandle};
use crate::transport::clock::SystemClock;
use crate::transport::{Clock, DevPort, PacketTransport, RegisterAccess, TransportError, Unit};

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
    /// Who the kernel remembers the drive to be, where it cannot be asked.
    pub known_as: Option<Identity>,
    /// How the drive is found again after it has restarted.
    pub reopen: Option<Box<dyn Reopen>>,
    /// A channel that the kernel has given up and gets back in the end.
    pub detached: Option<Detached>,
    pub is_real: bool,
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
        Some(bench) => simulated(bench, drive, typed),
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
        match settled.outcome {
            Ok(()) => {
                if settled.undo.is_scan() {
                    legacy::await_scan(system, &SystemClock::default());
                }
                eprintln_quietly(
                    "Note: an earlier run was ended in the middle; what it had changed in the \
                     system is restored.",
                );
            }
            Err(error) => eprintln_quietly(&format!(
                "Warning: an earlier run was ended in the middle and what it had changed cannot \
                 be restored: {error}. By hand: {}",
                settled.undo.command()
            )),
        }
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

fn simulated(path: &Path, drive: &DriveName, typed: &Typed) -> Result<Reach, Failure> {
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
    Ok(Reach {
        name: format!("simulated drive {drive}"),
        packets: found.packets(),
        filter: None,
        registers: found.registers(),
        unit: found.unit(),
        clock: found.clock(),
        known_as: None,
        reopen: Some(Box::new(OnBench(found.clone()))),
        detached: None,
        is_real: false,
    })
}

/// The kernel's drive of this name.
///
/// # Errors
/// [`Exit::NoDrive`].
pub fn locate(system: &System, drive: &DriveName, typed: &Typed) -> Result<Located, Failure> {
    let found = match drive {
        DriveName::Index(index) => match Position::new(*index) {
            Some(position) => locate_position(system, position),
            None => {
                return Err(Failure::new(
                    Exit::Usage,
                    format!("There is no drive {index}."),
                ));
            }
        },
        DriveName::Path(path) => locate_path(system, path),
    };
    found.map_err(|error| not_located(&error, typed))
}

fn by_kernel(
    system: &System,
    request: &Request,
    drive: &DriveName,
    typed: &Typed,
) -> Result<Reach, Failure> {
    let located = locate(system, drive, typed)?;
    if located.is_guess {
        eprintln_quietly(&format!(
            "Note: a SATA port has no master and no slave. That drive {drive} is the one at port \
             {} is a guess; look at its name.",
            located.place.port_no.unwrap_or_default()
        ));
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let hold = Hold::take(system, &located, medium_rule(request), Arc::clone(&clock))
        .map_err(|error| not_held(&error, typed))?;
    if let Polling::LeftOn { why } = hold.polling() {
        eprintln_quietly(&format!(
            "Note: the kernel goes on looking for discs in the drive, which does no harm while it \
             is held: {why}."
        ));
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
        DriveName::Index(index) => Position::new(*index),
        DriveName::Path(_) => locate(system, drive, typed)?.position,
    };
    let Some(position) = position else {
        return Err(Failure::new(
            Exit::NoDrive,
            format!("Drive {drive} is not on a legacy port: those are the positions 1-4."),
        ));
    };
    let channel = position.channel();
    let state = legacy::inspect(system, channel).map_err(|error| not_detached(&error, typed))?;
    state.check().map_err(|error| not_detached(&error, typed))?;
    let ports = DevPort::open(channel)
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
    let mut question =
        "The registers of a channel are shared, so the kernel must give up what it has there:\n"
            .to_owned();
    for device in &state.devices {
        question.push_str(&format!("  {}\n", device.name()));
    }
    question.push_str("It comes back under the same names afterwards.");
    if let Some(command) = state.rescan_command() {
        question.push_str(" Should this program be killed, bring it back by:\n  ");
        question.push_str(&command);
    }
    match prompt::ask(&question, request.options.yes, stop) {
        Consent::Given => {
            if request.options.yes {
                eprintln_quietly(&question);
            }
            Ok(())
        }
        Consent::Stopped => Err(Failure::job(&JobError::Stopped, typed)),
        Consent::Denied => Err(
            Failure::new(Exit::Refused, "The answer was not YES, in capitals.").next(typed.same()),
        ),
        Consent::NobodyToAsk => Err(Failure::new(
            Exit::Refused,
            format!("{question}\nThere is no terminal to ask for YES at."),
        )
        .next("In a script, say yes in advance:")
        .next(typed.with("--yes"))),
    }
}

/// Gives a channel back to the kernel.
///
/// # Errors
/// Where a drive that was there is not back.
pub fn bring_back(detached: Detached, clock: &dyn Clock) -> Result<(), LegacyError> {
    detached.bring_back(clock).map(drop)
}

fn not_located(error: &LocateError, typed: &Typed) -> Failure {
    match error {
        LocateError::InTheWay(obstacle) => in_the_way(obstacle, typed),
        LocateError::NoDrive {
            position, legacy, ..
        } if *legacy != Some(false) => Failure::new(Exit::NoDrive, sentence(&error.to_string()))
            .next("To see which drives there are:")
            .next("mtkflash l")
            .next("A dead drive, which the kernel does not list, by the legacy ports:")
            .next(format!("mtkflash {} c --via port", position.number())),
        _ => Failure::new(Exit::NoDrive, sentence(&error.to_string()))
            .next("To see which drives there are:")
            .next("mtkflash l"),
    }
}

fn not_held(error: &HoldError, typed: &Typed) -> Failure {
    match error {
        HoldError::InTheWay(obstacle) => in_the_way(obstacle, typed),
        HoldError::Medium { node } | HoldError::Starting { node } => {
            Failure::new(Exit::Refused, sentence(&error.to_string()))
                .next(format!("eject {}", node.display()))
                .next("Or go on with the disc in it:")
                .next(typed.with("--force=medium"))
        }
        _ => Failure::new(Exit::NoDrive, sentence(&error.to_string())).next(typed.same()),
    }
}

fn not_detached(error: &LegacyError, typed: &Typed) -> Failure {
    match error {
        LegacyError::InTheWay(obstacle) => in_the_way(obstacle, typed),
        LegacyError::Hidden => Failure::new(Exit::NoDrive, sentence(&error.to_string()))
            .next(format!("sudo {}", typed.same())),
        _ => Failure::new(Exit::NoDrive, sentence(&error.to_string()))
            .next("To see which drives there are and how they can be reached:")
            .next(typed.list()),
    }
}

/// An obstacle and the one command that helps.
pub fn in_the_way(obstacle: &Obstacle, typed: &Typed) -> Failure {
    let failure = Failure::new(Exit::NoDrive, sentence(&obstacle.to_string()));
    match obstacle.remedy() {
        Some(Remedy::SameAsRoot) => failure.next(format!("sudo {}", typed.same())),
        Some(Remedy::Command(command)) => failure.next(command).next(typed.same()),
        None => failure,
    }
}
