//! Blu-ray drives of LG, ASUS and HP: WRITE BUFFER `3B 06 67` or `3B 01`
//! prepares, mode 6 brings 16 KiB each with absolute offsets, and the drive
//! programs when the last block is in, if it likes the image.
//!
//! Sources: redumper and the crate mediatek-optical, as far as they tell what a
//! drive does. Made up from there: the drive looks at the boot string and the
//! tags of the image and says nothing about either; it keeps its own four ranges
//! through every update, and new firmware writes into them when it starts; its firmware
//! runs on the board that it was made for.

use serde::Deserialize;

use super::protocol::{
    INVALID_FIELD, Program, Protocol, SEQUENCE_ERROR, Step, is_block, three_bytes,
};
use super::read_buffer;
use crate::flash::FlashRange;
use crate::image::mt19xx::{
    self, BANNER, BOOT_CODE, CALIBRATION, DRIVE_WRITTEN, Facts, SIZE, Tag, WINDOWS,
};
use crate::scsi::Identity;
use crate::sim::blu_ray;
use crate::sim::reply::READ_BUFFER;
use crate::sim::target::TargetData;

const BLOCK: usize = 0x4000;

/// What a drive lets be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::sim) enum Reads {
    #[default]
    Everything,
    /// The windows and the boot code.
    BootCode,
    /// The windows that every tool reads.
    Windows,
    Nothing,
}

/// The board of a drive, and what the firmware on it wants, as a bench says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::sim) struct Setup {
    /// 16 characters at 3000; those of a BU40N without.
    banner: Option<String>,
    /// Such as `JB9`; by the banner without. Firmware for another does not run.
    platform: Option<String>,
    /// Such as `NS60`; blank without.
    pub svc: String,
    /// Of the firmware, 14 digits; before 2020 without, but for one that wants AES.
    pub date: Option<String>,
    /// The boot string with which the firmware takes an image, where that is
    /// not the banner.
    pub wants: Option<String>,
    /// The firmware decrypts what it is sent.
    pub aes: bool,
    /// The boot code does.
    pub boot_aes: bool,
    /// Prepared by `3B 06 67`, unless this says otherwise.
    newer_entry: Option<bool>,
    /// Prepared by `3B 01`, unless this says otherwise.
    older_entry: Option<bool>,
    /// What the firmware lets be read.
    reads: Reads,
    /// What the boot code does.
    boot_reads: Reads,
    /// Takes an image, goes through the motions and keeps what it has.
    keeps_old: bool,
}

impl Setup {
    pub fn banner(&self) -> &str {
        self.banner.as_deref().unwrap_or("MT1959 Boot BU5 ")
    }

    /// As boards with this boot code are called.
    pub fn platform(&self) -> &str {
        let of_banner = match self.banner().get(12..14) {
            Some("JB") => "JB8",
            Some("Co") => "JB7",
            _ => "BU3",
        };
        self.platform.as_deref().unwrap_or(of_banner)
    }
}

/// Prepared for an image from there on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    Start,
    BehindBootCode,
}

pub(in crate::sim) struct BluRay {
    setup: Setup,
    gaps: Vec<FlashRange>,
    prepared: Option<From>,
    image: Vec<u8>,
    is_boot_code: bool,
}

impl BluRay {
    pub fn new(setup: Setup, gaps: Vec<FlashRange>) -> BluRay {
        BluRay {
            setup,
            gaps,
            prepared: None,
            image: Vec::new(),
            is_boot_code: false,
        }
    }

    fn read(&self, flash: &[u8], cdb: &[u8], data: &TargetData<'_>) -> Step {
        let step = read_buffer::read(flash, cdb, data, &self.gaps);
        let Step::Read(range) = step else {
            return step;
        };
        let reads = match self.is_boot_code {
            true => self.setup.boot_reads,
            false => self.setup.reads,
        };
        let is_in =
            |window: FlashRange| window.start() <= range.start() && range.end() <= window.end();
        let is_given = match reads {
            Reads::Everything => true,
            Reads::BootCode => is_in(BOOT_CODE) || WINDOWS.into_iter().any(is_in),
            Reads::Windows => WINDOWS.into_iter().any(is_in),
            Reads::Nothing => false,
        };
        if !is_given {
            return Step::Declined(INVALID_FIELD);
        }
        if !range.overlaps(blu_ray::BOOT_PAGE) {
            return Step::Read(range);
        }
        let mut shown = flash
            .get(..BOOT_CODE.end() as usize)
            .unwrap_or_default()
            .to_vec();
        for (to, from) in shown.iter_mut().zip(blu_ray::MIRRORED_PAGE.of(flash)) {
            *to = *from;
        }
        Step::Answer(range.of(&shown).to_vec())
    }

    /// The date of the firmware, in answer to GET CONFIGURATION of it alone.
    fn feature(&self, flash: &[u8], cdb: &[u8]) -> Step {
        let is_date = matches!(cdb, [0x46, 0x02, 0x01, 0x0C, ..]);
        match blu_ray::date(flash).filter(|_| is_date && !self.is_boot_code) {
            Some(date) => {
                let mut answer = vec![0, 0, 0, 24, 0, 0, 0, 0x43, 0x01, 0x0C, 3, 16];
                answer.extend(date);
                Step::Answer(answer)
            }
            None => Step::Declined(INVALID_FIELD),
        }
    }

    fn prepare(&mut self, is_known: bool, flags: u8) -> Step {
        if !is_known {
            return Step::Declined(INVALID_FIELD);
        }
        self.reset();
        self.prepared = Some(match flags & 1 {
            0 => From::BehindBootCode,
            _ => From::Start,
        });
        Step::Taken
    }

    fn block(&mut self, flash: &[u8], at: usize, bytes: &[u8]) -> Step {
        let Some(from) = self.prepared else {
            return Step::refused(SEQUENCE_ERROR, "a block before the drive was prepared");
        };
        if at != self.image.len() || at >= SIZE as usize {
            return Step::refused(SEQUENCE_ERROR, "a block that is not the next one");
        }
        if bytes.len() != BLOCK {
            return Step::refused(INVALID_FIELD, "a block of another length than 16 KiB");
        }
        self.image.extend_from_slice(bytes);
        if self.image.len() < SIZE as usize {
            return Step::Block { mode: 0x06 };
        }
        let sent = std::mem::take(&mut self.image);
        self.prepared = None;
        let image = match blu_ray::decrypts(flash, self.is_boot_code) {
            true => blu_ray::deciphered(sent),
            false => sent,
        };
        match self.likes(flash, &image, from) {
            true => Step::Program(self.program(flash, image, from)),
            false => Step::Block { mode: 0x06 },
        }
    }

    /// Whether the image has the boot string that is wanted, and holds what its
    /// tags say. Nothing is said about an image that does not.
    fn likes(&self, flash: &[u8], image: &[u8], from: From) -> bool {
        let wanted = match self.is_boot_code {
            true => BANNER.of(flash).get(..16).unwrap_or_default(),
            false => blu_ray::wanted_string(flash),
        };
        let Some(facts) = Facts::of(image) else {
            return false;
        };
        let counts = |range: FlashRange| from == From::Start || !range.overlaps(BOOT_CODE);
        BANNER.of(image).starts_with(wanted)
            && facts
                .protected
                .iter()
                .all(|protected| !counts(protected.range) || protected.state == Tag::Holds)
    }

    fn program(&self, flash: &[u8], mut image: Vec<u8>, from: From) -> Program {
        let mut violations = Vec::new();
        let is_blank = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0xFF);
        let start = match from {
            From::Start => 0,
            From::BehindBootCode => {
                let (before, rest) = image.split_at(BANNER.start() as usize + 16);
                let rest = rest.get(..BOOT_CODE.end() as usize - before.len());
                let before = before.get(..BANNER.start() as usize);
                if !(before.is_some_and(is_blank) && rest.is_some_and(is_blank)) {
                    violations.push("an image whose first 64 KiB are not blanked".to_owned());
                }
                BOOT_CODE.end()
            }
        };
        let sent = CALIBRATION.of(&image);
        if !is_blank(sent) && sent != CALIBRATION.of(flash) {
            violations.push("an image with the calibration of another drive".to_owned());
        }
        for written in DRIVE_WRITTEN {
            let own = written.range.of(flash).to_vec();
            written.range.of_mut(&mut image).copy_from_slice(&own);
        }
        if self.setup.keeps_old {
            image = flash.to_vec();
        }
        let bytes = image.split_off((start as usize).min(image.len()));
        Program {
            violations,
            ..Program::last(Some(0x06), start, bytes)
        }
    }
}

impl Protocol for BluRay {
    fn step(&mut self, flash: &[u8], cdb: &[u8], data: &TargetData<'_>) -> Step {
        const END: [u8; 12] = [0x3B, 0x07, 0, 0, 0, 0, 0, 0, 0, 0, 0x1B, 0x12];
        let sent = data.sent();
        match *cdb {
            [READ_BUFFER, ..] => self.read(flash, cdb, data),
            [0x46, ..] => self.feature(flash, cdb),
            [0x3B, 0x06, 0x67, _, _, _, _, _, _, flags, ..]
                if is_block(cdb, &[0x3B, 0x06, 0x67, 0, 0, 0, 0, 0, 0, flags])
                    && sent.is_empty() =>
            {
                self.prepare(self.setup.newer_entry != Some(false), flags)
            }
            [0x3B, 0x01, _, _, _, _, _, _, _, flags, ..]
                if is_block(cdb, &[0x3B, 0x01, 0, 0, 0, 0, 0, 0, 0, flags]) && sent.is_empty() =>
            {
                self.prepare(self.setup.older_entry != Some(false), flags)
            }
            [0x3B, 0x06, 0, high, middle, low, ..]
                if is_block(cdb, &[0x3B, 0x06, 0, high, middle, low, 0, 0x40, 0]) =>
            {
                self.block(flash, three_bytes(cdb, 3) as usize, sent)
            }
            // With which a vendor's updater ends; it programs nothing.
            [0x3B, 0x07, ..] if *cdb == END && sent.is_empty() => Step::Taken,
            [0x3B, ..] => Step::refused(
                INVALID_FIELD,
                "WRITE BUFFER in a form that is not documented",
            ),
            _ => Step::Undocumented,
        }
    }

    fn reset(&mut self) {
        self.prepared = None;
        self.image.clear();
    }

    /// The firmware runs where it is for the board and for its boot code: a
    /// BU40N image left a WH16NS60 dead (RibShark/OmniDrive, issue 24).
    fn identity(&self, flash: &[u8]) -> Option<Identity> {
        let board = mt19xx::hardware(flash)?;
        let descriptor = mt19xx::descriptor(flash)?;
        (board.platform == self.setup.platform()).then_some(descriptor.identity)
    }

    fn started(&mut self, is_boot_code: bool) {
        self.is_boot_code = is_boot_code;
    }

    fn writes(&self, flash: &[u8]) -> Vec<(u32, Vec<u8>)> {
        let written = DRIVE_WRITTEN.into_iter().map(|written| {
            let at = written.range.start() + 0x20;
            let count = flash.get(at as usize).copied().unwrap_or_default();
            (at, vec![count.wrapping_add(1)])
        });
        written.collect()
    }

    fn vendor_specific(&self, flash: &[u8]) -> String {
        mt19xx::descriptor(flash).map_or_else(String::new, |found| found.vendor_specific)
    }

    fn parts(&self) -> Option<u8> {
        Some(32)
    }
}
