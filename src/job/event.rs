//! What a job tells while it runs. The command line turns events into bars or
//! lines; a job itself shows nothing.

use std::time::Duration;

use crate::flash::{Bank, FlashRange, Offset};
use crate::image::Checksum;
use crate::protocol::download::{LastAnswer, Progress};

/// A stretch of a job that has a progress of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Every byte twice, in two passes over a bank.
    Read,
    /// Bytes into the flash.
    Program,
    /// Reading back and comparing.
    Verify,
    /// Reading back and looking for FF.
    BlankCheck,
}

/// What happens, in the order in which it happens. After a job has returned an
/// error nothing follows.
#[derive(Debug, Clone)]
pub enum Event {
    /// A phase begins that will move this many bytes in all.
    Started { phase: Phase, bytes: u64 },
    /// Work on a bank begins or is taken up again.
    Bank { phase: Phase, bank: Bank },
    /// This many more bytes of the phase are done.
    Progress { phase: Phase, bytes: u64 },
    /// A bank is done with in this phase, with its sum where it was read.
    BankDone {
        phase: Phase,
        bank: Bank,
        sum: Option<Checksum>,
    },
    /// A bank is written but for its first page, which comes at the end of the
    /// phase.
    FirstPageLeft { bank: Bank },
    /// The phase is over.
    Finished { phase: Phase },
    /// Two reads of a byte differed, and the drive is asked again.
    Disagreement { at: Offset, first: u8, second: u8 },
    /// The drive refuses to have a range read; reading goes on behind it.
    Gap { range: FlashRange, reason: String },
    /// The drive has taken everything and programs it by itself; it is asked
    /// again until it answers.
    AwaitingDrive {
        /// How long it will still be asked.
        remaining: Duration,
        last: LastAnswer,
        /// How far it is, where it tells.
        progress: Option<Progress>,
    },
    /// A stop was asked for when the flash was already being changed: the job
    /// goes on to its end.
    StopPostponed,
}

/// Where a job sends its events.
pub type Sink<'a> = &'a mut dyn FnMut(Event);
