//! Why a drive cannot be had, as its user reads it, and what is told beside the
//! way to it.

use super::super::args::DriveName;
use super::super::exit::Exit;
use super::super::failure::{Failure, sentence};
use super::super::program::as_root;
use super::super::typed::Typed;
use crate::drive::hold::Polling;
use crate::drive::legacy::{ChannelState, LegacyError};
use crate::drive::note::{NoteError, Settled};
use crate::drive::permission::release;
use crate::drive::{HoldError, Holder, LocateError, Located, Obstacle, Position, Remedy, System};
use crate::transport::TransportError;
use crate::transport::port::PortOpenError;
use crate::transport::sg_io::SgOpenError;

const WHICH_DRIVES: &str = "To see which drives there are:";
const WHEN_BACK: &str = "Check its power and cable; when it is back, type the same again:";
const OFF_AND_ON: &str = "Switch the drive off and on, then type the same again:";
const WHEN_FREE: &str = "When it is free, type the same again:";

pub fn not_located(system: &System, error: &LocateError, typed: &Typed) -> Failure {
    let failure = Failure::new(Exit::NoDrive, message(error));
    match error {
        LocateError::InTheWay(obstacle) => in_the_way(obstacle, typed),
        LocateError::NoDrive {
            position, legacy, ..
        } if *legacy != Some(false) => {
            let by_port = format!("mtkflash {} c --via port", position.number());
            failure
                .next(WHICH_DRIVES)
                .next(typed.list())
                .next(
                    "A dead drive, which the kernel does not list, may answer at the legacy ports:",
                )
                .next(for_the_ports(system, &by_port))
        }
        LocateError::NoDrive { .. }
        | LocateError::Ambiguous { .. }
        | LocateError::NotOptical { .. }
        | LocateError::NotADrive { .. }
        | LocateError::NoDevice { .. }
        | LocateError::Io { .. } => failure.next(WHICH_DRIVES).next(typed.list()),
    }
}

/// A drive named by its path, for the ports. The kernel gives the path up with
/// its drives, and where a dead one does not come back, another drive may get it:
/// the same command typed again would then be about that one.
pub fn named_by_path(drive: &DriveName, position: Option<Position>, typed: &Typed) -> Failure {
    match position {
        Some(position) => Failure::new(
            Exit::Usage,
            format!(
                "By --via port the kernel gives up the name {drive}, and another drive may get \
                 it. On the ports this drive is {} ({position}).",
                position.number()
            ),
        )
        .next("By its position:")
        .next(typed.at(position.number()).same()),
        None => Failure::new(
            Exit::NoDrive,
            format!("Drive {drive} is not on a legacy port: those are the positions 1-4."),
        )
        .next("By the kernel, which has it:")
        .next(typed.by("ata")),
    }
}

/// A command that uses the I/O ports, which takes root.
pub fn for_the_ports(system: &System, command: &str) -> String {
    if system.is_superuser() {
        command.to_owned()
    } else {
        as_root(command)
    }
}

/// A message that ends in a list of drives takes no full stop.
fn message(error: &LocateError) -> String {
    let text = error.to_string();
    let whole = sentence(&text);
    match text.contains('\n') {
        true => whole.trim_end_matches('.').to_owned(),
        false => whole,
    }
}

pub fn not_held(error: &HoldError, typed: &Typed) -> Failure {
    let failure = |exit| Failure::new(exit, sentence(&error.to_string()));
    match error {
        HoldError::InTheWay(obstacle) => in_the_way(obstacle, typed),
        HoldError::Medium { node } | HoldError::Starting { node } => failure(Exit::Refused)
            .next(format!("eject {}", node.display()))
            .next(typed.same())
            .next("Or go on with the disc in it:")
            .next(typed.with("--force=medium")),
        HoldError::Changed { .. } => failure(Exit::NoDrive)
            .next("To see where it is now, before anything is typed again:")
            .next(typed.list()),
        HoldError::Transport { source, .. } => {
            let failure = failure(Exit::NoDrive);
            match source {
                TransportError::Vanished => failure.next(WHEN_BACK).next(typed.same()),
                TransportError::NotPermitted => failure.next(as_root(&typed.same())),
                TransportError::Io(_) => failure.next(OFF_AND_ON).next(typed.same()),
            }
        }
    }
}

pub fn not_detached(error: &LegacyError, typed: &Typed) -> Failure {
    let failure = Failure::new(Exit::NoDrive, sentence(&error.to_string()));
    match error {
        LegacyError::InTheWay(obstacle) => in_the_way(obstacle, typed),
        LegacyError::Note(error) => not_noted(error, failure, typed),
        LegacyError::Hidden => failure.next(as_root(&typed.same())),
        LegacyError::InUse { device, .. } => {
            let node = device.located.node().unwrap_or(&device.located.sysfs);
            let remedy = release(node, &device.holders);
            released(&device.holders, remedy, failure).next(typed.same())
        }
        LegacyError::NotOptical { .. } => failure
            .next("Put the drive on the other channel, or start the computer from another disk.")
            .next("To see which drives there are and how they can be reached:")
            .next(typed.list()),
        LegacyError::NoDriver { controller, .. } => failure
            .next("To load its driver, and then the same again:")
            .next(format!(
                "sudo modprobe \"$(cat /sys/bus/pci/devices/{controller}/modalias)\""
            ))
            .next(typed.same()),
        LegacyError::NoChannel { .. } => failure
            .next("So --via port leads to no drive. IDE mode in the computer's setup may bring it there.")
            .next("To see which drives there are and how they can be reached:")
            .next(typed.list()),
        LegacyError::OtherDriver { .. } => failure
            .next("To see which drives there are and how they can be reached:")
            .next(typed.list()),
        LegacyError::NotDetached { .. } => failure
            .next("The kernel has its drives still. To try once more:")
            .next(typed.same()),
        LegacyError::NotBack { command, .. } => failure
            .next("Switch the drive off and on, then:")
            .next(command),
    }
}

fn not_noted(error: &NoteError, failure: Failure, typed: &Typed) -> Failure {
    match error {
        NoteError::Held => failure.next("When that run has ended, type the same again:"),
        NoteError::Io { .. } => failure.next("When it can be written, type the same again:"),
        NoteError::NotSettled { undo, .. } | NoteError::NotTakenBack { undo, .. } => failure
            .next("To restore it by hand, and then the same again:")
            .next(undo.command()),
    }
    .next(typed.same())
}

/// An obstacle and the one command that helps.
pub fn in_the_way(obstacle: &Obstacle, typed: &Typed) -> Failure {
    let failure = Failure::new(Exit::NoDrive, sentence(&obstacle.to_string()));
    let remedy = obstacle.remedy();
    let command = match &remedy {
        Some(Remedy::SameAsRoot) => as_root(&typed.same()),
        Some(Remedy::Command(command)) => command.clone(),
        None => typed.same(),
    };
    match obstacle {
        Obstacle::NeedsRoot { .. }
        | Obstacle::PortsNeedRoot
        | Obstacle::Filtered { has_sg: true, .. } => failure.next(command),
        Obstacle::NodeNotMade { .. }
        | Obstacle::NoSgModule
        | Obstacle::NoNode { .. }
        | Obstacle::Filtered { has_sg: false, .. }
        | Obstacle::PortOpen(PortOpenError::NotADevice) => failure.next(command).next(typed.same()),
        Obstacle::NotInGroup { .. } => failure
            .next(command)
            .next("Then log out and in, and type the same again:")
            .next(typed.same())
            .next("Or at once, as root:")
            .next(as_root(&typed.same())),
        Obstacle::Container { .. } | Obstacle::PortsInContainer => failure
            .next("Start the container so, and type the same again there:")
            .next(command)
            .next(typed.same()),
        Obstacle::Refused { .. }
        | Obstacle::PortOpen(PortOpenError::NotPermitted | PortOpenError::KernelRefuses) => failure
            .next("A sandbox or a security module may stand behind it. What the kernel says:")
            .next(command)
            .next("Outside of it, type the same again:")
            .next(typed.same()),
        Obstacle::Busy { holders, .. } => released(holders, remedy, failure).next(typed.same()),
        Obstacle::LockedDown { .. } => failure
            .next("This restarts the computer into that setup, the same again is for afterwards:")
            .next(command)
            .next(typed.same()),
        Obstacle::NoPorts => failure
            .next("Live systems of the large distributions give it: type the same again in one of them:")
            .next(command),
        Obstacle::NodeMissing { .. }
        | Obstacle::Open(
            SgOpenError::Missing { .. }
            | SgOpenError::NoDevice { .. }
            | SgOpenError::NotScsi { .. },
        ) => failure.next(WHICH_DRIVES).next(typed.list()),
        Obstacle::Open(SgOpenError::Io { .. }) => failure.next(OFF_AND_ON).next(command),
        Obstacle::Open(SgOpenError::NotPermitted { .. } | SgOpenError::Busy { .. })
        | Obstacle::PortOpen(PortOpenError::Missing | PortOpenError::Io(_)) => failure.next(command),
    }
}

/// How a drive gets free, without the command that is to follow.
fn released(holders: &[Holder], remedy: Option<Remedy>, failure: Failure) -> Failure {
    let is_ours =
        |holder: &Holder| matches!(holder, Holder::Process { name, .. } if name == "mtkflash");
    match remedy {
        Some(Remedy::Command(command)) if holders.is_empty() => failure
            .next("To see who has it:")
            .next(command)
            .next(WHEN_FREE),
        Some(Remedy::Command(command)) => failure.next(command),
        _ if holders.iter().any(is_ours) => {
            failure.next("When that run has ended, type the same again:")
        }
        _ => failure.next("End what uses it, then type the same again:"),
    }
}

/// What was on a channel and is not as it was.
pub fn not_brought_back(error: &LegacyError) -> String {
    let (how, command) = match error {
        LegacyError::NotBack { command, .. } => {
            ("Switch the drive off and on, then:", command.clone())
        }
        LegacyError::Note(error) => match error.undo() {
            Some(undo) => ("By hand:", undo.command()),
            None => (WHICH_DRIVES, "mtkflash l".to_owned()),
        },
        _ => (WHICH_DRIVES, "mtkflash l".to_owned()),
    };
    let what = sentence(&error.to_string());
    format!("{what} {how}\n{}", indented(&command))
}

/// What became of a change that a crashed run has left.
pub fn settled(settled: &Settled) -> String {
    let Settled { undo, outcome } = settled;
    match outcome {
        Ok(()) => format!(
            "Note: an earlier run was ended in the middle; {} is restored.",
            undo.what()
        ),
        Err(error) => format!(
            "Warning: an earlier run was ended in the middle, and {} cannot be restored: {error}. \
             By hand:\n{}",
            undo.what(),
            indented(&undo.command())
        ),
    }
}

/// A position that is a guess.
pub fn guessed(drive: &DriveName, located: &Located) -> Option<String> {
    let port = located.place.port_no.unwrap_or_default();
    let path = located.node().map_or_else(String::new, |node| {
        format!(" To be sure, name it by its path: {}", node.display())
    });
    located.is_guess.then(|| {
        format!(
            "Note: a SATA port has no master and no slave. That drive {drive} is the one at port \
             {port} is a guess; look at its name.{path}"
        )
    })
}

/// Media polling that goes on.
pub fn polled(polling: &Polling) -> Option<String> {
    match polling {
        // Told already, with the command, by whoever looked for crashed runs.
        Polling::LeftOn {
            why: NoteError::NotSettled { .. } | NoteError::NotTakenBack { .. },
        }
        | Polling::Off
        | Polling::None => None,
        Polling::LeftOn { why } => Some(format!(
            "Note: the kernel goes on looking for discs in the drive, which does no harm while it \
             is held: {why}."
        )),
    }
}

/// A command beneath a note, where those beneath a failure are.
fn indented(command: &str) -> String {
    format!("{:10}{command}", "")
}

/// What the kernel is to give up for the ports.
pub fn question(state: &ChannelState) -> String {
    let mut question =
        "The registers of a channel are shared, so the kernel must give up what it has there:\n"
            .to_owned();
    for device in &state.devices {
        question.push_str(&format!("  {}\n", device.name()));
    }
    question.push_str("It comes back under the same names afterwards.");
    question.push_str(" Should this program be killed, bring it back by:\n  ");
    question.push_str(&state.rescan_command());
    question
}
