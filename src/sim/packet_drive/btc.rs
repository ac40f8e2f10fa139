//! BTC DRW1004, DRW1008 and DRW1108: an image of 1 MiB in blocks of 4 KiB by
//! WRITE BUFFER mode 6, then its sum, then the order to program. Source:
//! btcflash 2004/04/29, proven; that the drive checks the sum when it is told to
//! program, and how it says no, is inferred.

use super::protocol::{
    INVALID_FIELD, INVALID_PARAMETER, Program, Protocol, SEQUENCE_ERROR, Step, is_block,
};
use crate::image::Checksum;
use crate::image::identity::identity_at;
use crate::scsi::Identity;
use crate::sim::firmware::BTC_IDENTITY_AT;
use crate::sim::target::TargetData;

pub(in crate::sim) const SIZE: u32 = 0x10_0000;

const BLOCK: usize = 0x1000;

#[derive(Default)]
pub(in crate::sim) struct Btc {
    image: Vec<u8>,
    /// As the host has sent it.
    sum: Option<u16>,
}

impl Btc {
    fn block(&mut self, at: usize, bytes: &[u8]) -> Step {
        if bytes.len() != BLOCK {
            return Step::refused(INVALID_FIELD, "a block of another length than 4096");
        }
        if at == 0 {
            self.reset();
        }
        if at != self.image.len() || self.sum.is_some() {
            return Step::refused(SEQUENCE_ERROR, "a block that is not the next one");
        }
        self.image.extend_from_slice(bytes);
        Step::Block { mode: 0x06 }
    }

    fn sum(&mut self, bytes: &[u8]) -> Step {
        let sent = match bytes.split_last_chunk::<2>() {
            Some((rest, sent)) if rest == [0; 30] => sent,
            _ => {
                let why = "a sum that is not 30 bytes of 00 and two more";
                return Step::refused(INVALID_FIELD, why);
            }
        };
        if self.image.len() != SIZE as usize || self.sum.is_some() {
            return Step::refused(SEQUENCE_ERROR, "a sum before the image is whole");
        }
        self.sum = Some(u16::from_be_bytes(*sent));
        Step::Taken
    }

    fn program(&mut self) -> Step {
        let Some(sent) = self.sum else {
            return Step::refused(SEQUENCE_ERROR, "told to program before there was a sum");
        };
        if sent != Checksum::of(&self.image).0 {
            return Step::refused(INVALID_PARAMETER, "a sum that is not that of the image");
        }
        self.sum = None;
        let image = std::mem::take(&mut self.image);
        Step::Program(Program::last(None, 0, image))
    }
}

impl Protocol for Btc {
    fn step(&mut self, _: &[u8], cdb: &[u8], data: &TargetData<'_>) -> Step {
        let sent = data.sent();
        if is_block(cdb, &[0x3B, 0x06, 0, 0, 0, 0, 0, 0, 0x20, 0]) {
            return self.sum(sent);
        }
        if is_block(cdb, &[0x3B, 0x07]) && sent.is_empty() {
            return self.program();
        }
        match *cdb {
            [0x3B, 0x06, 0, high, middle, 0x20, ..]
                if is_block(cdb, &[0x3B, 0x06, 0, high, middle, 0x20, 0, 0x10, 0]) =>
            {
                self.block(usize::from(high) << 16 | usize::from(middle) << 8, sent)
            }
            [0x3B, ..] => Step::refused(
                INVALID_FIELD,
                "WRITE BUFFER in a form that is not documented",
            ),
            _ => Step::Undocumented,
        }
    }

    fn reset(&mut self) {
        *self = Btc::default();
    }

    fn identity(&self, flash: &[u8]) -> Option<Identity> {
        identity_at(flash, BTC_IDENTITY_AT)
    }
}
