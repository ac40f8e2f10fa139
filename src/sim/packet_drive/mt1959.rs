//! LG and ASUS Blu-ray drives with an MT1959: WRITE BUFFER mode 1 prepares,
//! mode 6 brings 16 KiB each with absolute offsets.
//!
//! Sources: redumper, proven: the drive programs when the last block is in.
//! freemkv-flash prepares with 0B in byte 9 and ends with `3B 07` and `1B 12` in
//! bytes 10 and 11: a drive that was prepared so waits for that end here, which
//! is inferred. That the drive keeps its first 64 KiB is inferred from what
//! redumper blanks, that it may keep its calibration from freemkv-flash.

use super::protocol::{
    INVALID_FIELD, INVALID_PARAMETER, Pace, Program, Protocol, SEQUENCE_ERROR, Step, is_block,
    three_bytes,
};
use super::{READ_BUFFER, read_buffer};
use crate::flash::FlashRange;
use crate::scsi::Identity;
use crate::sim::firmware::{
    MT1959_CALIBRATION, MT1959_MODEL_PAGE_AT, MT1959_RECORD, MT1959_SIZE, identity_at,
};
use crate::sim::target::TargetData;

const BLOCK: usize = 0x4000;
const BOOT_PAGE: usize = 0x1_0000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prepared {
    No,
    /// As redumper does it: the last block ends the image.
    UntilLastBlock,
    /// As freemkv-flash does it: a command ends the image.
    UntilEnd,
}

pub(in crate::sim) struct Mt1959 {
    gaps: Vec<FlashRange>,
    /// The drive does not let its calibration be overwritten.
    keeps_calibration: bool,
    prepared: Prepared,
    image: Vec<u8>,
}

impl Mt1959 {
    pub fn new(gaps: Vec<FlashRange>, keeps_calibration: bool) -> Mt1959 {
        Mt1959 {
            gaps,
            keeps_calibration,
            prepared: Prepared::No,
            image: Vec::new(),
        }
    }

    fn prepare(&mut self, how: Prepared) -> Step {
        self.reset();
        self.prepared = how;
        Step::Taken
    }

    fn block(&mut self, flash: &[u8], at: usize, bytes: &[u8]) -> Step {
        if self.prepared == Prepared::No {
            return Step::refused(SEQUENCE_ERROR, "a block before the drive was prepared");
        }
        if at != self.image.len() || at >= MT1959_SIZE as usize {
            return Step::refused(SEQUENCE_ERROR, "a block that is not the next one");
        }
        if bytes.len() != BLOCK {
            return Step::refused(INVALID_FIELD, "a block of another length than 16 KiB");
        }
        self.image.extend_from_slice(bytes);
        if self.image.len() == MT1959_SIZE as usize && self.prepared == Prepared::UntilLastBlock {
            return self.program(flash, Some(0x06));
        }
        Step::Block { mode: 0x06 }
    }

    fn end(&mut self, flash: &[u8]) -> Step {
        if self.prepared != Prepared::UntilEnd || self.image.len() != MT1959_SIZE as usize {
            return Step::refused(SEQUENCE_ERROR, "the end before the image is whole");
        }
        self.program(flash, None)
    }

    fn program(&mut self, flash: &[u8], mode: Option<u8>) -> Step {
        let image = std::mem::take(&mut self.image);
        self.prepared = Prepared::No;
        if MT1959_RECORD.of(&image) != MT1959_RECORD.of(flash) {
            let why = "an image without the drive's own 32 bytes at 3000";
            return Step::refused(INVALID_PARAMETER, why);
        }
        let mut violations = Vec::new();
        let blank = |range: std::ops::Range<usize>| {
            let bytes = image.get(range).unwrap_or_default();
            bytes.iter().all(|byte| *byte == 0xFF)
        };
        let record = MT1959_RECORD.start as usize..MT1959_RECORD.end as usize;
        if !(blank(0..record.start) && blank(record.end..BOOT_PAGE)) {
            violations.push("an image whose first 64 KiB are not blanked".to_owned());
        }
        let end = if self.keeps_calibration {
            let (sent, own) = (MT1959_CALIBRATION.of(&image), MT1959_CALIBRATION.of(flash));
            if sent != own && sent.iter().any(|byte| *byte != 0xFF) {
                violations.push("an image with the calibration of another drive".to_owned());
            }
            MT1959_CALIBRATION.start
        } else {
            MT1959_SIZE
        };
        Step::Program(Program {
            mode,
            start: BOOT_PAGE as u32,
            bytes: image
                .get(BOOT_PAGE..end as usize)
                .unwrap_or_default()
                .to_vec(),
            pace: Pace::Afterwards,
            more_to_come: false,
            residue: 0,
            violations,
        })
    }
}

impl Protocol for Mt1959 {
    fn step(&mut self, flash: &[u8], cdb: &[u8], data: &TargetData<'_>) -> Step {
        const END: [u8; 12] = [0x3B, 0x07, 0, 0, 0, 0, 0, 0, 0, 0, 0x1B, 0x12];
        let sent: &[u8] = match data {
            TargetData::Out(sent) => sent,
            TargetData::None | TargetData::In(_) => &[],
        };
        match *cdb {
            [READ_BUFFER, ..] => read_buffer::read(flash, cdb, data, &self.gaps),
            [0x3B, 0x01, ..] if is_block(cdb, &[0x3B, 0x01]) && sent.is_empty() => {
                self.prepare(Prepared::UntilLastBlock)
            }
            [0x3B, 0x01, ..]
                if is_block(cdb, &[0x3B, 0x01, 0, 0, 0, 0, 0, 0, 0, 0x0B]) && sent.is_empty() =>
            {
                self.prepare(Prepared::UntilEnd)
            }
            [0x3B, 0x06, 0, high, middle, low, ..]
                if is_block(cdb, &[0x3B, 0x06, 0, high, middle, low, 0, 0x40, 0]) =>
            {
                self.block(flash, three_bytes(cdb, 3) as usize, sent)
            }
            [0x3B, 0x07, ..] if *cdb == END && sent.is_empty() => self.end(flash),
            [0x3B, ..] => Step::refused(
                INVALID_FIELD,
                "WRITE BUFFER in a form that is not documented",
            ),
            _ => Step::Undocumented,
        }
    }

    fn reset(&mut self) {
        self.prepared = Prepared::No;
        self.image.clear();
    }

    /// The firmware runs on drives with its own boot banner only: a BU40N image
    /// left a WH16NS60 dead (RibShark/OmniDrive, issue 24). The model page is at
    /// the place from which freemkv-flash reads one; what is in it is made up.
    fn identity(&self, flash: &[u8]) -> Option<Identity> {
        const NAMES: usize = 28;
        const BANNER: usize = 16;
        let page = flash.get(MT1959_MODEL_PAGE_AT..)?;
        let banner = flash.get(MT1959_RECORD.start as usize..)?.get(..BANNER)?;
        let fits = page.get(NAMES..NAMES + BANNER)? == banner;
        identity_at(flash, MT1959_MODEL_PAGE_AT).filter(|_| fits)
    }
}
