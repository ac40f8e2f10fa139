//! What helps where a drive does not go along.

use super::Failure;
use crate::cli::args::{Command, Request};
use crate::cli::words;
use crate::cli::words::session::LOAD_SG;
use crate::flash::Offset;
use crate::job::FlashState;
use crate::protocol::DeviceError;
use crate::protocol::packet::PacketError;
use crate::protocol::packet::liteon::Implausible;
use crate::scsi::SenseKey;
use crate::transport::{TaskFileError, TransportError};

/// Why a command did not reach the drive, where that is the reason.
fn lost_on_the_way(error: &DeviceError) -> Option<&TransportError> {
    match error {
        DeviceError::TaskFile {
            source: TaskFileError::Transport(source),
            ..
        }
        | DeviceError::Packet {
            source: PacketError::Transport(source),
            ..
        } => Some(source),
        _ => None,
    }
}

pub fn has_vanished(error: &DeviceError) -> bool {
    matches!(lost_on_the_way(error), Some(TransportError::Vanished))
}

/// Whether a drive by packets says that it does not know a command, before it has
/// taken any of them that goes on at some place.
fn is_unknown_command(error: &DeviceError) -> bool {
    matches!(
        error,
        DeviceError::Packet {
            at: None | Some(Offset(0)),
            source: PacketError::Sense(sense),
            ..
        } if sense.is_refusal()
    )
}

/// Whether a drive that takes whole images answered the first of it with an
/// internal target failure (4/44).
pub fn takes_nothing(error: &DeviceError, state: &FlashState) -> bool {
    const INTERNAL_TARGET_FAILURE: u8 = 0x44;
    let has_taken_nothing = match state {
        FlashState::InDoubt { taken, .. } => *taken == 0,
        FlashState::Unchanged => matches!(
            error,
            DeviceError::Packet {
                at: Some(Offset(0)),
                ..
            }
        ),
        FlashState::Partly { .. } | FlashState::Written => false,
    };
    has_taken_nothing
        && matches!(
            error,
            DeviceError::Packet {
                source: PacketError::Sense(sense),
                ..
            } if sense.key == SenseKey::HARDWARE_ERROR && sense.asc == INTERNAL_TARGET_FAILURE
        )
}

/// What helps against a drive that does not go along.
pub fn advice(source: &DeviceError, failure: Failure, request: &Request) -> Failure {
    let failure = match source {
        DeviceError::Rejected => return words::blu_ray::rejected(failure),
        DeviceError::OtherBanner { .. } => {
            return failure
                .next(
                    "Which of the two protocols is its own cannot be told, and a strange command \
                     can hang a drive. If you know it, name it with --protocol. To see how the \
                     drives are listed:",
                )
                .next(request.list());
        }
        DeviceError::Implausible(why) => {
            let failure = failure.next(
                "This way of reading was never confirmed, and this drive does not answer as its \
                 one source says. In vendor mode it is not needed:",
            );
            let failure = failure.next(request.read_in_vendor_mode());
            return match why {
                // A write goes by the chip's own size.
                Implausible::NoBankCall | Implausible::Rebanked { .. } if !request.changes() => failure
                    .next("To read it so all the same, if you know how many bytes it has:")
                    .next(request.with_a_size()),
                _ => failure,
            };
        }
        DeviceError::WriteProtected { .. } => failure.next(
            "No command takes that off: the board in the drive holds the pin low, and only somebody \
             who changes that on the board can write this chip. After that, type the same again:",
        ),
        DeviceError::TaskFile {
            source: TaskFileError::NotPassedOn(_),
            ..
        } => failure.next(
            "Put the drive behind another adapter or on a port of the computer, then type the \
             same again:",
        ),
        source if is_unknown_command(source) && request.reads_as_liteon() => {
            return failure
                .next("It does not know this way of being read. In vendor mode it is not needed:")
                .next(request.read_in_vendor_mode());
        }
        source if is_unknown_command(source) => {
            return failure
                .next(
                    "It refuses the command itself, and would refuse it again: either it is no drive \
                     of this protocol, or its firmware does not go along. To see what it is:",
                )
                .next(request.by_its_name().check());
        }
        source if has_vanished(source) => {
            failure.next("Check its power and cable; when it is back, type the same again:")
        }
        source if matches!(lost_on_the_way(source), Some(TransportError::NotPermitted)) => failure
            .next("/dev/srN takes vendor commands from root only, /dev/sgN from who may open it:")
            .next(LOAD_SG),
        source => {
            let failure = failure.after("Switch the drive off and on", request);
            return match place_of(source) {
                Some(at) => failure.next(at_the_same_place(at, request)),
                None => failure,
            };
        }
    };
    failure.next(request.same())
}

/// Where in the flash a command that reached the drive did not come to its end.
pub fn place_of(error: &DeviceError) -> Option<Offset> {
    match error {
        DeviceError::TaskFile { at, .. } | DeviceError::Packet { at, .. } => {
            at.filter(|_| lost_on_the_way(error).is_none())
        }
        _ => None,
    }
}

/// Nothing is noted of what changes nothing: what helps where it ends at the same place a
/// second time is told the first time.
fn at_the_same_place(at: Offset, request: &Request) -> String {
    let others = match request.command {
        Command::Read { .. } if request.options.range.is_none() => {
            " --banks reads the other banks alone."
        }
        _ => "",
    };
    format!("If it ends at {at} again, try another cable, port or adapter.{others}")
}
