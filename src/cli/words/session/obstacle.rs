//! What stands between the user and a drive: it is not found, not to be opened or
//! in use.

use std::path::Path;

use super::{OFF_AND_ON, WHEN_BACK, WHEN_FREE, WHICH_DRIVES};
use crate::cli::advice::{By, Command, Line, Shell};
use crate::cli::args::Request;
use crate::cli::exit::Exit;
use crate::cli::failure::{Failure, named};
use crate::cli::words::terms;
use crate::cli::words::{InWords, sentence};
use crate::drive::{HoldError, Holder, LocateError, Located, Obstacle};
use crate::job::Check;
use crate::transport::TransportError;
use crate::transport::port::PortOpenError;
use crate::transport::sg_io::NotOpened;

const CAUSE_GONE: &str = "When the cause of that is gone, type the same again:";

pub(super) fn not_located(error: &LocateError, typed: &Request) -> Failure {
    let mut failure = Exit::NoDrive.because(sentence(&error.in_words()));
    if let LocateError::NoDrive { others: drives, .. }
    | LocateError::Ambiguous {
        candidates: drives, ..
    } = error
    {
        failure.details.rows("Drives", drives.iter().map(by_path));
    }
    match error {
        LocateError::InTheWay(obstacle) => in_the_way(obstacle, typed),
        LocateError::NoDrive {
            position, legacy, ..
        } if *legacy != Some(false) => failure
            .next(WHICH_DRIVES)
            .next(typed.list())
            .next("A dead drive, which the kernel does not list, may answer at the legacy ports:")
            .next(typed.check_at_ports(position.number()).as_root()),
        LocateError::NothingAtPort { .. } => failure
            .next("A dead drive, which the kernel does not list, may answer at the port itself:")
            .next(typed.check_by_ports().as_root())
            .next(WHICH_DRIVES)
            .next(typed.list()),
        LocateError::NoDrive { .. }
        | LocateError::Ambiguous { .. }
        | LocateError::NotOptical { .. }
        | LocateError::NotADrive { .. }
        | LocateError::NoDevice { .. }
        | LocateError::Io { .. } => failure.next(WHICH_DRIVES).next(typed.list()),
    }
}

/// A drive by what a user can type.
fn by_path(drive: &Located) -> String {
    let node = match drive.node() {
        Some(node) => node.display().to_string(),
        None => format!("(no node) {}", drive.address),
    };
    format!("{node}  {}", terms::identity(&drive.known_as))
}

pub(super) fn not_held(error: &HoldError, typed: &Request) -> Failure {
    let failure = |exit: Exit| exit.because(sentence(&error.in_words()));
    match error {
        HoldError::InTheWay(obstacle) => in_the_way(obstacle, typed),
        HoldError::Medium { node } | HoldError::Starting { node } => failure(Exit::Refused)
            .next(Shell::On(By::User, "eject", node.clone()))
            .next(typed.same())
            .next(named("To go on with the disc in it", Check::Medium)),
        HoldError::Changed { .. } => failure(Exit::NoDrive)
            .next("To see where it is now, before anything is typed again:")
            .next(typed.list()),
        HoldError::Transport { source, .. } => {
            let failure = failure(Exit::NoDrive);
            match source {
                TransportError::Vanished => failure.next(WHEN_BACK).next(typed.same()),
                TransportError::NotPermitted => failure.next(typed.as_root()),
                TransportError::Io(_) | TransportError::Storm { .. } => {
                    failure.next(OFF_AND_ON).next(typed.same())
                }
            }
        }
    }
}

/// An obstacle and the one command that helps.
pub(super) fn in_the_way(obstacle: &Obstacle, typed: &Request) -> Failure {
    let failure = Exit::NoDrive.because(sentence(&obstacle.in_words()));
    let command: Line = match remedy(obstacle, typed) {
        Some(command) => command.into(),
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
            .next(typed.as_root()),
        Obstacle::Container { .. } | Obstacle::PortsInContainer => failure
            .next("Start the container so, and type the same again there:")
            .next(command)
            .next(typed.same()),
        Obstacle::Refused { .. }
        | Obstacle::PortOpen(
            PortOpenError::NotPermitted { .. } | PortOpenError::KernelRefuses,
        ) => failure
            .next("A sandbox or a security module may stand behind it. What the kernel says:")
            .next(command)
            .next("Outside of it, type the same again:")
            .next(typed.same()),
        Obstacle::Busy { node, holders } => released(node, holders, failure).next(typed.same()),
        Obstacle::LockedDown { .. } => failure
            .next("This restarts the computer into that setup, the same again is for afterwards:")
            .next(command)
            .next(typed.same()),
        Obstacle::NoPorts => failure
            .next("Live systems of the large distributions give it: type the same again in one of them:")
            .next(command),
        Obstacle::NodeMissing { .. } => failure.next(WHICH_DRIVES).next(typed.list()),
        Obstacle::Open(error) => match error.why {
            NotOpened::Missing | NotOpened::NoDevice | NotOpened::NotScsi => {
                failure.next(WHICH_DRIVES).next(typed.list())
            }
            NotOpened::Io(_) => failure.next(OFF_AND_ON).next(command),
            NotOpened::NotPermitted | NotOpened::Busy => failure.next(CAUSE_GONE).next(command),
        },
        Obstacle::PortOpen(
            PortOpenError::Missing
            | PortOpenError::NoResource { .. }
            | PortOpenError::Io { .. },
        ) => failure.next(CAUSE_GONE).next(command),
    }
}

/// The command that helps, or shows what would: another one, or what was `typed` as root.
/// `None` where it takes another machine or kernel.
pub fn remedy(obstacle: &Obstacle, typed: &Request) -> Option<Command> {
    let shell = match obstacle {
        Obstacle::NeedsRoot { .. }
        | Obstacle::PortsNeedRoot
        | Obstacle::Filtered { has_sg: true, .. } => return Some(typed.as_root()),
        Obstacle::NotInGroup { group, .. } => Shell::JoinGroup(group.clone()),
        Obstacle::Container { nodes, .. } => Shell::StartContainerWith(nodes.clone()),
        Obstacle::PortsInContainer => Shell::Line(By::User, "docker run --privileged ..."),
        Obstacle::NodeNotMade { .. } => Shell::Line(By::Root, "udevadm trigger"),
        Obstacle::NoSgModule | Obstacle::Filtered { has_sg: false, .. } => LOAD_SG,
        // With the sg driver there, it is about to take the drive.
        Obstacle::NoNode { .. } => Shell::Line(By::Root, "udevadm settle"),
        Obstacle::Busy { node, holders } => release(node, holders)?,
        Obstacle::LockedDown { .. } => Shell::Line(By::User, "systemctl reboot --firmware-setup"),
        Obstacle::Refused { .. }
        | Obstacle::PortOpen(PortOpenError::NotPermitted { .. } | PortOpenError::KernelRefuses) => {
            Shell::Line(By::Root, "dmesg | tail")
        }
        Obstacle::PortOpen(PortOpenError::NotADevice) => Shell::MakePortNode,
        Obstacle::NodeMissing { .. }
        | Obstacle::NoPorts
        | Obstacle::Open(_)
        | Obstacle::PortOpen(
            PortOpenError::Missing | PortOpenError::NoResource { .. } | PortOpenError::Io { .. },
        ) => return None,
    };
    Some(Command::Shell(shell))
}

pub const LOAD_SG: Shell = Shell::Line(By::Root, "modprobe sg");

/// What frees a node from its users, or shows them where this program cannot see them.
/// A program is for its own user to end.
fn release(node: &Path, holders: &[Holder]) -> Option<Shell> {
    if holders.is_empty() {
        return Some(Shell::On(By::Root, "fuser -v", node.to_owned()));
    }
    holders.iter().find_map(|holder| match holder {
        Holder::Mount { at } => Some(Shell::On(By::Root, "umount", at.clone())),
        Holder::Device { .. } | Holder::Process { .. } => None,
    })
}

/// How a drive gets free, without the command that is to follow.
pub(super) fn released(node: &Path, holders: &[Holder], failure: Failure) -> Failure {
    let is_ours =
        |holder: &Holder| matches!(holder, Holder::Process { name, .. } if name == "mtkflash");
    match release(node, holders) {
        Some(remedy) if holders.is_empty() => failure
            .next("To see who has it:")
            .next(remedy)
            .next(WHEN_FREE),
        Some(remedy) => failure.next(remedy),
        _ if holders.iter().any(is_ours) => {
            failure.next("When that run has ended, type the same again:")
        }
        _ => failure.next("End what uses it, then type the same again:"),
    }
}
