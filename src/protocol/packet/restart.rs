//! Waiting for a drive that programs itself and starts anew.
//! **Never tried on hardware by this project.**
//!
//! TEST UNIT READY once a second, 180 s at most, never a fixed sleep; then INQUIRY. A
//! Blu-ray drive is awaited by rules of its own: see [`blu_ray`](super::blu_ray).
//!
//! | answer | meaning | sure |
//! |---|---|---|
//! | good, or *no medium* (2/3A) | it works; twice in succession it is back, and ten times where it was never seen to be away | btcflash and redumper for the answers, redumper for the two; the ten are this project's |
//! | UNIT ATTENTION, becoming ready, long write in progress, none at all | not yet | btcflash, redumper |
//! | gone from the system | it starts, and may come back as another device node | coastermelt |

use std::time::Duration;

use super::{PROGRAM_TIMEOUT, PacketError, command};
use crate::protocol::download::Progress;
use crate::scsi::{Sense, SenseKey, cdb};
use crate::transport::{Data, PacketTransport};

pub(super) const PACE: Duration = Duration::from_secs(1);

/// btcflash sleeps 50 s before it looks at all; a firmware of 2 MiB may take
/// longer.
pub(super) const PATIENCE: Duration = Duration::from_secs(180);

/// Good answers in succession that count as back, as redumper wants them …
const GOOD_ANSWERS: u32 = 2;

/// … and where the drive was never seen to be away, since it may not have begun
/// to restart.
const GOOD_ANSWERS_WITHOUT_RESTART: u32 = 10;

/// What a drive said so far.
#[derive(Debug, Default)]
pub(super) struct Watch {
    good: u32,
    was_away: bool,
}

impl Watch {
    /// Of a drive that tells by itself that it does not restart.
    pub fn of_restarted() -> Watch {
        Watch {
            good: 0,
            was_away: true,
        }
    }

    pub fn note(&mut self, is_back: bool) {
        if is_back {
            self.good += 1;
        } else {
            self.good = 0;
            self.was_away = true;
        }
    }

    pub fn is_over(&self) -> bool {
        let needed = if self.was_away {
            GOOD_ANSWERS
        } else {
            GOOD_ANSWERS_WITHOUT_RESTART
        };
        self.good >= needed
    }
}

/// What a drive says while it is awaited.
#[derive(Debug)]
pub(crate) enum Seen {
    /// It works, with or without a disc.
    Ready,
    /// It programs or starts, and tells how far it is or not.
    Busy(Option<Progress>, PacketError),
    /// Its flash did not take what was sent.
    Fault(Sense),
    /// No answer, or one that says nothing.
    Silent(PacketError),
}

/// Asks once. An answer that shows a working drive is good, be it that there is
/// no disc in it; an error says why the drive is not back.
///
/// The drive is given minutes to answer: a time-out would have the kernel reset
/// it while it may be programming.
pub(super) fn look(transport: &mut dyn PacketTransport) -> Seen {
    let asked = cdb::test_unit_ready();
    match command(transport, &asked, Data::None, PROGRAM_TIMEOUT) {
        Ok(_) => Seen::Ready,
        Err(PacketError::Sense(sense)) if shows_a_working_drive(sense) => Seen::Ready,
        Err(error) => Seen::Silent(error),
    }
}

fn shows_a_working_drive(sense: Sense) -> bool {
    /// A disc that it cannot use.
    const INCOMPATIBLE_MEDIUM: u8 = 0x30;
    match sense.key {
        SenseKey::NOT_READY => sense.is_no_medium() || sense.asc == INCOMPATIBLE_MEDIUM,
        SenseKey::NO_SENSE
        | SenseKey::RECOVERED_ERROR
        | SenseKey::MEDIUM_ERROR
        | SenseKey::ILLEGAL_REQUEST => true,
        _ => false,
    }
}
