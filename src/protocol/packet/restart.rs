//! Waiting for a drive that programs itself and starts anew.
//!
//! TEST UNIT READY at a steady pace until the drive is ready or says *no
//! medium* (btcflash, redumper), never a fixed sleep. Meanwhile it may say UNIT
//! ATTENTION, becoming ready or long write in progress, not answer at all, or be
//! gone from the system and come back as another device node.

use std::time::Duration;

use super::{PROGRAM_TIMEOUT, PacketError, command};
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

/// Asks once. An answer that shows a working drive is good, be it that there is
/// no disc in it; an error says why the drive is not back.
///
/// The drive is given minutes to answer: a time-out would have the kernel reset
/// it while it may be programming.
pub(super) fn ask(transport: &mut dyn PacketTransport) -> Result<(), PacketError> {
    match command(
        transport,
        &cdb::test_unit_ready(),
        Data::None,
        PROGRAM_TIMEOUT,
    ) {
        Ok(_) => Ok(()),
        Err(PacketError::Sense(sense)) if shows_a_working_drive(sense) => Ok(()),
        Err(error) => Err(error),
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
