//! Images for MediaTek's MT1959 and MT1939 Blu-ray drives of LG, ASUS and HP:
//! what they are for, and whether they are whole.
//!
//! Such an image is flat, 2 MiB, and carries a table of AES-CMAC tags under
//! which every byte of its active ranges stands. The crate `mediatek-optical`
//! was made for these chips and checked by its author against 124 to 207 vendor
//! images; it computes the tags, names the chip, finds the record of the board
//! and knows the layout. This file puts its answers into our types and judges
//! what the crate only reports. **Never tried on hardware by this project.**
//!
//! The Samsung SE-506CB has an MT1939 as well and images of another kind, with
//! a trailer and a sum: those are none of these.

use std::fmt;

use mediatek_optical::image::cmac;
use mediatek_optical::{enc, layout};

pub use mediatek_optical::Chip;
// The board that an image or a read of a whole drive is for; and whether bytes are from a
// drive: those show the page at 10000 in place of the first one, which no maker's file does.
pub use mediatek_optical::image::{Hardware, hardware, is_drive_read};

use super::identity;
use crate::flash::{FlashRange, Offset};
use crate::scsi::Identity;

/// Bytes in an image.
pub const SIZE: u32 = 0x20_0000;

/// Characters in a boot string, trailing blanks included.
pub const BOOT_STRING_LENGTH: usize = 16;

/// Where a drive shows another page than the flash has there, to whoever reads it
/// (redumper, mediatek-optical).
pub const SHOWN_REMAPPED: FlashRange = FlashRange::new(0, 0x1000);

/// The boot loader, which no update has to bring.
pub const BOOT_CODE: FlashRange = FlashRange::new(0, 0x1_0000);

/// Where the boot string is, and 16 bytes more.
pub const BANNER: FlashRange = range(layout::BANNER);

/// The tags under which an image stands.
pub const TABLE: FlashRange = FlashRange::new(
    cmac::TABLE_OFFSET as u32,
    (cmac::TABLE_OFFSET + cmac::ENTRY_COUNT * cmac::ENTRY_SIZE) as u32,
);

/// Vendor, model, revision and codes of the firmware.
pub const DESCRIPTOR: FlashRange = range(layout::DESCRIPTOR);

/// What one drive was calibrated to.
pub const CALIBRATION: FlashRange = range(layout::CALIBRATION);

/// The windows that every tool reads, also where a drive gives nothing else.
pub const WINDOWS: [FlashRange; 3] = [BANNER, DESCRIPTOR, CALIBRATION];

/// What the drive rewrites while it runs, and updates leave alone.
pub const DRIVE_WRITTEN: [DriveWritten; 4] = [
    DriveWritten {
        range: range(layout::UHD_REVOCATION),
        what: Written::UhdRevocations,
    },
    DriveWritten {
        range: range(layout::BD_REVOCATION),
        what: Written::BluRayRevocations,
    },
    DriveWritten {
        range: range(layout::SETTINGS),
        what: Written::Settings,
    },
    DriveWritten {
        range: CALIBRATION,
        what: Written::Calibration,
    },
];

/// A range that the drive rewrites by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DriveWritten {
    pub range: FlashRange,
    /// What is there, in a few words.
    pub what: Written,
}

/// What a drive writes into its flash by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    UhdRevocations,
    BluRayRevocations,
    Settings,
    /// Of this very drive.
    Calibration,
}

const fn range(of: layout::Range) -> FlashRange {
    FlashRange::new(of.start as u32, of.end() as u32)
}

/// How the bytes of a file are put down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Wrapping {
    /// As they are in the flash.
    #[default]
    Plain,
    /// AES-128-ECB over the whole, as newer drives want to be sent it.
    Aes,
}

/// Bytes that are encrypted together.
const AES_BLOCK: usize = 16;

/// The image in a file that is encrypted as a whole, and any other content as
/// it is, also where its end is missing. A boot banner after decryption, or else the mark of the descriptor,
/// tells: the integrity table then says whether it is whole.
pub fn unwrapped(content: Vec<u8>) -> (Vec<u8>, Wrapping) {
    let is_of_size = content.len() > BANNER.end() as usize
        && content.len() <= SIZE as usize
        && content.len() % AES_BLOCK == 0;
    if !is_of_size || chip_at_banner(&content).is_some() || has_tag(&content) {
        return (content, Wrapping::Plain);
    }
    let deciphered = |range: FlashRange| {
        let mut bytes = range.of(&content).to_vec();
        enc::decrypt(&mut bytes).is_ok().then_some(bytes)
    };
    let names_chip = deciphered(BANNER).is_some_and(|banner| Chip::from_banner(&banner).is_some());
    let is_tagged = || deciphered(DESCRIPTOR).is_some_and(|found| Chip::from_tag(&found).is_some());
    let has_table = || {
        let mut start = content[..TABLE.end() as usize].to_vec();
        enc::decrypt(&mut start).is_ok() && is_table(&start)
    };
    let is_encrypted = names_chip || is_tagged() || content.len() == SIZE as usize && has_table();
    if !is_encrypted {
        return (content, Wrapping::Plain);
    }
    let mut plain = content;
    match enc::decrypt(&mut plain) {
        Ok(()) => (plain, Wrapping::Aes),
        // Not whole blocks, which these are.
        Err(_) => (plain, Wrapping::Plain),
    }
}

/// As newer drives want to be sent it. The length is one of whole blocks.
pub fn enciphered(mut image: Vec<u8>) -> Vec<u8> {
    // Only a length of no whole blocks fails, and leaves the bytes as they are.
    let _ = enc::encrypt(&mut image);
    image
}

/// The text with which the boot code introduces itself: `MT1959 Boot JB8 `.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BootString([u8; BOOT_STRING_LENGTH]);

impl BootString {
    /// `None` for bytes that are not all printable, and for another text than
    /// `MT19xx Boot `.
    pub fn parse(bytes: &[u8]) -> Option<BootString> {
        let text: [u8; BOOT_STRING_LENGTH] = bytes.get(..BOOT_STRING_LENGTH)?.try_into().ok()?;
        let is_banner = Chip::from_banner(&text).is_some() && text.get(6..12)? == b" Boot ";
        (is_banner && text.iter().all(|byte| matches!(byte, b' '..=b'~')))
            .then_some(BootString(text))
    }

    /// The chip that it names, which is the chip.
    pub fn chip(&self) -> Option<Chip> {
        Chip::from_banner(&self.0)
    }

    /// The four characters that name the boot code: `JB8 `, `Code`.
    pub fn code(&self) -> [u8; 4] {
        let [.., a, b, c, d] = self.0;
        [a, b, c, d]
    }

    pub fn bytes(&self) -> &[u8; BOOT_STRING_LENGTH] {
        &self.0
    }
}

impl fmt::Display for BootString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = self.0.iter().map(|byte| char::from(*byte)).collect();
        f.write_str(text.trim_end())
    }
}

/// What the descriptor at [`DESCRIPTOR`] says of the firmware.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// Vendor, model and revision, as the drive will answer to INQUIRY.
    pub identity: Identity,
    /// `N003600`: a code of the maker's for variant and region.
    pub vendor_specific: String,
    /// `MTEKMT1939`: often not the chip. Compared, and never relied on.
    pub tag: String,
    /// `JB8`: the board.
    pub platform: String,
    /// `NS50`; empty on firmware for other makers.
    pub svc: String,
    /// Marked as one that older firmware may replace.
    pub may_be_downgraded: bool,
}

impl Descriptor {
    /// Reads [`DESCRIPTOR`]; `None` where it has no tag or its names are no text.
    pub fn parse(bytes: &[u8]) -> Option<Descriptor> {
        const DOWNGRADE: u8 = 0xDE;
        let text = |at: usize, length: usize| {
            let field = bytes.get(at..at + length)?;
            let end = field.iter().rposition(|byte| !matches!(byte, b' ' | 0));
            let field = &field[..end.map_or(0, |last| last + 1)];
            let is_text = field.iter().all(|byte| matches!(byte, b' '..=b'~'));
            is_text.then(|| String::from_utf8_lossy(field).into_owned())
        };
        Chip::from_tag(bytes)?;
        Some(Descriptor {
            identity: Identity::named(text(0x00, 8)?, text(0x08, 16)?, text(0x18, 4)?),
            vendor_specific: text(0x1C, 8).unwrap_or_default(),
            tag: text(0x34, 10)?,
            platform: text(0x46, 6).unwrap_or_default(),
            svc: text(0x4C, 4).unwrap_or_default(),
            may_be_downgraded: bytes.get(0x56) == Some(&DOWNGRADE),
        })
    }
}

/// A range of the integrity table and how it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protected {
    pub range: FlashRange,
    pub state: Tag,
}

/// How a tag of the table compares with the bytes under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    Holds,
    Broken,
    /// The bytes are from a drive, which shows another page in place of the
    /// first one and keeps its own boot code through every update.
    NotInADriveRead,
}

/// What is wrong with an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{self:?}")]
pub enum Finding {
    NoChip,
    NoDescriptor,
    NothingProtected,
    OddEntry { entry: u32, found: u32 },
    NoRange { entry: u32, first: u32, last: u32 },
    Broken { range: FlashRange },
}

impl Finding {
    /// The bytes that it is about.
    pub fn range(&self) -> FlashRange {
        const ENTRY: u32 = cmac::ENTRY_SIZE as u32;
        match *self {
            Finding::NoChip => BANNER,
            Finding::NoDescriptor => DESCRIPTOR,
            Finding::NothingProtected => TABLE,
            Finding::OddEntry { entry, .. } | Finding::NoRange { entry, .. } => {
                Offset(TABLE.start() + entry * ENTRY).range(ENTRY)
            }
            Finding::Broken { range } => range,
        }
    }
}

/// All that an image says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    pub boot_string: Option<BootString>,
    pub descriptor: Option<Descriptor>,
    /// The board it is for; `None` where that cannot be established.
    pub hardware: Option<Hardware>,
    /// Read from a drive, and no file of a maker's.
    pub is_drive_read: bool,
    /// The ranges under the integrity table.
    pub protected: Vec<Protected>,
    /// None for a whole image.
    pub findings: Vec<Finding>,
}

impl Facts {
    /// Of an image in plain bytes; `None` for anything that is no such image.
    pub fn of(bytes: &[u8]) -> Option<Facts> {
        is_one(bytes).then(|| {
            let is_drive_read = is_drive_read(bytes);
            let (protected, findings) = integrity(bytes, is_drive_read);
            let boot_string = boot_string(bytes);
            let descriptor = descriptor(bytes);
            let missing = [
                boot_string.is_none().then_some(Finding::NoChip),
                descriptor.is_none().then_some(Finding::NoDescriptor),
            ];
            Facts {
                boot_string,
                descriptor,
                hardware: hardware(bytes),
                is_drive_read,
                protected,
                findings: missing.into_iter().flatten().chain(findings).collect(),
            }
        })
    }

    /// How many of the protected ranges hold, of those that can be judged.
    pub fn whole(&self) -> (usize, usize) {
        let judged = |protected: &&Protected| protected.state != Tag::NotInADriveRead;
        let holds = |protected: &&Protected| protected.state == Tag::Holds;
        let protected = self.protected.iter();
        (
            protected.clone().filter(holds).count(),
            protected.filter(judged).count(),
        )
    }
}

/// What is wrong with an image of this kind; nothing for any other.
pub fn findings(bytes: &[u8]) -> Vec<Finding> {
    Facts::of(bytes).map_or_else(Vec::new, |facts| facts.findings)
}

/// Whether these are 2 MiB that a chip's banner, the mark of a descriptor or a
/// tag that holds shows to be such an image, whole or damaged.
fn is_one(bytes: &[u8]) -> bool {
    let has_tag_that_holds = || {
        let active = cmac::parse_table(bytes).unwrap_or_default();
        active
            .iter()
            .any(|entry| entry.is_active() && holds(bytes, entry) == Some(true))
    };
    bytes.len() == SIZE as usize
        && identity::mt1939(bytes).is_none()
        && (chip_at_banner(bytes).is_some() || has_tag(bytes) || has_tag_that_holds())
}

/// Whether there is an integrity table with entries that could not be there by chance.
fn is_table(bytes: &[u8]) -> bool {
    let entries = cmac::parse_table(bytes).unwrap_or_default();
    let is_sound = |entry: &&cmac::CmacEntry| {
        entry.is_active() && entry.start <= entry.end && entry.end < SIZE
    };
    entries.iter().filter(is_sound).count() >= 2
}

/// Of the beginning of such an image: what is missing. By the boot banner, which no
/// other firmware is known to have at that place.
pub fn missing(bytes: &[u8]) -> Option<FlashRange> {
    let length = u32::try_from(bytes.len()).ok()?;
    (length < SIZE && chip_at_banner(bytes).is_some()).then_some(FlashRange::new(length, SIZE))
}

fn chip_at_banner(bytes: &[u8]) -> Option<Chip> {
    boot_string(bytes).and_then(|banner| banner.chip())
}

fn has_tag(bytes: &[u8]) -> bool {
    Chip::from_tag(DESCRIPTOR.of(bytes)).is_some()
}

/// The boot string of an image of this kind.
fn boot_string(bytes: &[u8]) -> Option<BootString> {
    BootString::parse(BANNER.of(bytes))
}

/// The descriptor of an image of this kind.
pub fn descriptor(bytes: &[u8]) -> Option<Descriptor> {
    Descriptor::parse(DESCRIPTOR.of(bytes))
}

/// What a free entry of the integrity table begins with.
const FREE: u32 = 0xFFFF_FFFF;

/// Every active entry of the integrity table, and what is wrong with any entry.
fn integrity(bytes: &[u8], is_drive_read: bool) -> (Vec<Protected>, Vec<Finding>) {
    let (mut protected, mut findings) = (Vec::new(), Vec::new());
    for (number, entry) in (0..).zip(cmac::parse_table(bytes).unwrap_or_default()) {
        if !entry.is_active() {
            if entry.enabled != FREE {
                findings.push(Finding::OddEntry {
                    entry: number,
                    found: entry.enabled,
                });
            }
            continue;
        }
        let Some(holds) = holds(bytes, &entry) else {
            findings.push(Finding::NoRange {
                entry: number,
                first: entry.start,
                last: entry.end,
            });
            continue;
        };
        let range = FlashRange::new(entry.start, entry.end.saturating_add(1));
        let state = match holds {
            true => Tag::Holds,
            false if is_drive_read && range.overlaps(BOOT_CODE) => Tag::NotInADriveRead,
            false => Tag::Broken,
        };
        if state == Tag::Broken {
            findings.push(Finding::Broken { range });
        }
        protected.push(Protected { range, state });
    }
    if protected.is_empty() && findings.is_empty() {
        findings.push(Finding::NothingProtected);
    }
    (protected, findings)
}

/// The first byte of a free entry of the integrity table that is not as free as the
/// rest of it, and its place. Nobody says that makers leave all of it FF.
pub fn odd_free_byte(bytes: &[u8]) -> Option<(Offset, u8)> {
    if !is_one(bytes) {
        return None;
    }
    let entries = cmac::parse_table(bytes).unwrap_or_default().into_iter();
    let mut free = entries.filter(|entry| entry.enabled == FREE);
    free.find_map(|entry| {
        let at = entry.entry_off;
        let bytes = bytes.get(at..at + cmac::ENTRY_SIZE)?;
        let odd = bytes.iter().position(|byte| *byte != 0xff)?;
        Some((Offset::of(at + odd), bytes[odd]))
    })
}

/// The ranges under the integrity table, ascending and without overlaps; none
/// where the bytes have no such table.
pub fn protected_ranges(bytes: &[u8]) -> Vec<FlashRange> {
    let entries = cmac::parse_table(bytes).unwrap_or_default();
    let mut ranges: Vec<FlashRange> = entries
        .iter()
        .filter(|entry| entry.is_active() && entry.start <= entry.end)
        .map(|entry| FlashRange::new(entry.start, entry.end.saturating_add(1).min(SIZE)))
        .collect();
    ranges.sort_unstable();
    ranges
}

/// Whether an entry's tag is that of its bytes; `None` where its range is none.
fn holds(bytes: &[u8], entry: &cmac::CmacEntry) -> Option<bool> {
    let computed = cmac::compute_stored_digest(bytes, entry.start, entry.end).ok()?;
    Some(computed == entry.stored)
}

#[cfg(test)]
mod tests;
