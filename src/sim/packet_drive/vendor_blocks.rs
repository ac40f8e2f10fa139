//! Drives that take blocks by `FF 00 01 00 00 mode`: MT1339 (TSST DVD-ROM),
//! Samsung SD-616 and MT1939 (Samsung SE-506CB).
//!
//! Sources: redumper for the first two, coastermelt for the MT1939, all proven.
//! How these drives say no is inferred.

use super::protocol::{
    INVALID_FIELD, INVALID_PARAMETER, Pace, Program, Protocol, SEQUENCE_ERROR, Step, is_block,
};
use super::read_buffer;
use crate::flash::FlashRange;
use crate::image::identity::identity_at;
use crate::scsi::Identity;
use crate::sim::fields::padded;
use crate::sim::firmware::{
    IDENTITY_AT, INQUIRY_HEADER, MT1939_SUM_AT, MT1939_TRAILER_AT, mt1939_sum,
};
use crate::sim::reply::READ_BUFFER;
use crate::sim::target::TargetData;

const FIRST: u8 = 0x00;
const NEXT: u8 = 0xFF;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Mt1339,
    Sd616,
    Mt1939,
}

/// Write-protected in an MT1939: the boot loader.
const PROTECTED: usize = 0x1_0000;

/// The MT1939 programs what it has after so many blocks.
const STALLS_AFTER: usize = 17;

pub(in crate::sim) struct VendorBlocks {
    kind: Kind,
    /// Bytes that come over the bus.
    transfer: usize,
    /// Bytes of each block but the last.
    block: usize,
    last_mode: u8,
    /// Ranges that an MT1939 does not let be read.
    gaps: Vec<FlashRange>,
    received: Vec<u8>,
}

impl VendorBlocks {
    pub fn mt1339() -> VendorBlocks {
        VendorBlocks::new(Kind::Mt1339, 0x4_0000, 0xFC00, 0x04)
    }

    pub fn sd616() -> VendorBlocks {
        VendorBlocks::new(Kind::Sd616, 0x3_0000, 0x1_0000, 0x02)
    }

    pub fn mt1939(gaps: Vec<FlashRange>) -> VendorBlocks {
        VendorBlocks {
            gaps,
            ..VendorBlocks::new(Kind::Mt1939, 0x20_0000, 0xF800, 0x02)
        }
    }

    fn new(kind: Kind, transfer: usize, block: usize, last_mode: u8) -> VendorBlocks {
        VendorBlocks {
            kind,
            transfer,
            block,
            last_mode,
            gaps: Vec::new(),
            received: Vec::new(),
        }
    }

    fn block(&mut self, mode: u8, bytes: &[u8]) -> Step {
        if mode == FIRST {
            self.reset();
        }
        let left = self.transfer - self.received.len();
        let expected = if self.received.is_empty() {
            FIRST
        } else if left <= self.block {
            self.last_mode
        } else {
            NEXT
        };
        if mode != expected {
            let why = format!("a block with mode {mode:02x} instead of {expected:02x}");
            return Step::refused(SEQUENCE_ERROR, why);
        }
        let length = left.min(self.block);
        if bytes.len() != length {
            let why = format!("a block of {:#x} bytes instead of {length:#x}", bytes.len());
            return Step::refused(INVALID_FIELD, why);
        }
        self.received.extend_from_slice(bytes);
        match self.kind {
            _ if mode == self.last_mode => self.last(mode),
            Kind::Mt1939 if self.received.len() == STALLS_AFTER * self.block => {
                let bytes = self.received.get(PROTECTED..).unwrap_or_default();
                Step::Program(Program {
                    pace: Pace::InPart,
                    ..Program::last(Some(mode), PROTECTED as u32, bytes.to_vec())
                })
            }
            _ => Step::Block { mode },
        }
    }

    fn last(&mut self, mode: u8) -> Step {
        let received = std::mem::take(&mut self.received);
        Step::Program(match self.kind {
            Kind::Mt1339 => Program::last(Some(mode), 0, received),
            Kind::Sd616 => match gathered(&received) {
                Some(image) => Program::last(Some(mode), 0, image),
                None => {
                    let why = "an image that is not spread as documented";
                    return Step::refused(INVALID_PARAMETER, why);
                }
            },
            Kind::Mt1939 => {
                let start = STALLS_AFTER * self.block;
                let rest = received.get(start..).unwrap_or_default().to_vec();
                Program {
                    pace: Pace::WithinCommand,
                    // coastermelt saw a residue of the whole block after success.
                    residue: self.transfer % self.block,
                    ..Program::last(Some(mode), start as u32, rest)
                }
            }
        })
    }
}

/// The 128 KiB image of an SD-616, gathered from the 192 KiB over which
/// redumper spreads it. `None` if the two copies that this has of some parts
/// differ, or the rest is not 00.
fn gathered(spread: &[u8]) -> Option<Vec<u8>> {
    let image = [
        spread.get(..0x1_0000)?,
        spread.get(0x1_0400..0x1_FC00)?,
        spread.get(0x2_0000..0x2_0800)?,
    ]
    .concat();
    let copies_agree = spread.get(0x2_0800..0x2_FC00)? == image.get(0x1_0400..0x1_F800)?;
    let mut rest = [0x1_0000..0x1_0400, 0x1_FC00..0x2_0000, 0x2_FC00..0x3_0000]
        .into_iter()
        .filter_map(|range| spread.get(range))
        .flatten();
    (copies_agree && rest.all(|byte| *byte == 0)).then_some(image)
}

impl Protocol for VendorBlocks {
    fn step(&mut self, flash: &[u8], cdb: &[u8], data: &TargetData<'_>) -> Step {
        let mt1939 = self.kind == Kind::Mt1939;
        match (cdb, data) {
            ([READ_BUFFER, ..], _) if mt1939 => read_buffer::read(flash, cdb, data, &self.gaps),
            ([0xFF, 0, 1, 0, 0, mode, ..], TargetData::Out(bytes))
                if cdb.len() >= 12 && is_block(cdb, &[0xFF, 0, 1, 0, 0, *mode]) =>
            {
                self.block(*mode, bytes)
            }
            (_, TargetData::In(8))
                if mt1939 && is_block(cdb, &[0xFF, 0, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0xAA]) =>
            {
                // What the eight bytes mean is not known.
                let identity = self.identity(flash);
                let revision = identity.map_or("BOOT".to_owned(), |identity| identity.revision);
                Step::Answer(padded::<8>(&revision).to_vec())
            }
            ([0xFF, ..], _) => Step::refused(INVALID_FIELD, "FF in a form that is not documented"),
            _ => Step::Undocumented,
        }
    }

    fn reset(&mut self) {
        self.received.clear();
    }

    fn identity(&self, flash: &[u8]) -> Option<Identity> {
        match self.kind {
            // Where these drives keep their names is not known: the firmware of
            // this simulation has them where Lite-On's does.
            Kind::Mt1339 | Kind::Sd616 => flash
                .get(IDENTITY_AT..)?
                .starts_with(&INQUIRY_HEADER)
                .then(|| identity_at(flash, IDENTITY_AT + INQUIRY_HEADER.len()))?,
            Kind::Mt1939 => {
                let stored = flash.get(MT1939_SUM_AT..)?.first_chunk()?;
                let whole = u16::from_be_bytes(*stored) == mt1939_sum(flash);
                identity_at(flash, MT1939_TRAILER_AT).filter(|_| whole)
            }
        }
    }
}
