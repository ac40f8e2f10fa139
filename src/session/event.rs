//! What happens on the way to a drive and back.

use super::machine::Guess;
use super::name::DriveName;
use crate::drive::channel::{ChannelError, ChannelState};
use crate::drive::note::{NoteError, Settled};
use crate::protocol::detect::Detected;
use crate::protocol::packet::Family;
use crate::protocol::vendor_mode::Waiting;
use crate::scsi::{Identity, PacketDevice};
use crate::transport::IdentifyError;

/// What happens, each at most once where nothing else is said, in this order:
///
/// 1. [`Settled`](Event::Settled), for each change of a crashed run;
/// 2. through the kernel: [`Guessed`](Event::Guessed),
///    [`PollingLeftOn`](Event::PollingLeftOn), [`Detected`](Event::Detected);
/// 3. in vendor mode: [`GivenUp`](Event::GivenUp),
///    [`TakenOver`](Event::TakenOver), [`Said`](Event::Said),
///    [`OnAList`](Event::OnAList), then [`Waiting`](Event::Waiting) as often as
///    the drive is asked again, and [`WaitingEnded`](Event::WaitingEnded) once if
///    it was;
/// 4. [`NotGivenBack`](Event::NotGivenBack), only where opening has failed.
#[derive(Debug)]
pub enum Event {
    /// What became of a change that a crashed run has left.
    Settled(Settled),
    /// The position that was named is a guess.
    Guessed { called: DriveName, guess: Guess },
    /// The kernel goes on looking for discs in the drive.
    PollingLeftOn(NoteError),
    /// Which protocol it is, and why.
    Detected(Detected),
    /// The kernel gives these devices up: that was agreed to beforehand.
    GivenUp(ChannelState),
    /// A run that was ended in the middle had the channel, and this one goes on
    /// with it.
    TakenOver,
    /// What the drive answers to IDENTIFY PACKET DEVICE.
    Said(Said),
    /// A drive that is flashed by packets is asked for vendor mode.
    OnAList(&'static Family),
    /// The drive is not in vendor mode yet and is asked again.
    Waiting(Waiting),
    /// It is asked no more.
    WaitingEnded,
    /// What the kernel has given up is not as it was.
    NotGivenBack(ChannelError),
}

/// Who a drive says it is, and what that counts for beside what is known.
#[derive(Debug)]
pub enum Said {
    Device {
        device: PacketDevice,
        by: By,
        /// The kernel remembers this other model there.
        other: Option<Identity>,
    },
    /// Nothing. What the kernel remembers there counts where the drive could
    /// not be asked: where it does not answer, it may have been another one.
    Nothing {
        error: IdentifyError,
        remembered: Option<Identity>,
    },
}

/// The way by which a drive was asked who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Ports,
    AtaPassthrough,
}
