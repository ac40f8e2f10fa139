//! Firmware files: what is in them, whether they are whole, and for which drive.
//!
//! Pure code on bytes; `file` alone touches the file system, and only to
//! read. Nothing here knows a drive beyond the identity strings it answers.
//!
//! ```text
//! file::load(path) ─→ Image ─→ Report     what `mtkflash i` shows
//!                       ├────→ soundness  is it firmware at all
//!                       ├────→ damage     is it whole
//!                       └────→ families   does it belong into that drive
//! write(bytes, encoding, out)             a dump becomes a file
//! ```

mod bank_names;
pub(crate) mod compare;
pub(crate) mod container;
pub(crate) mod damage;
pub(crate) mod entry;
pub(crate) mod families;
pub(crate) mod file;
pub(crate) mod foreign;
pub mod hex;
pub(crate) mod identity;
pub mod mt19xx;
mod placed;
pub(crate) mod report;
pub(crate) mod soundness;
pub(crate) mod structure;
pub(crate) mod sums;
pub(crate) mod text;
pub(crate) mod verdict;

use std::fmt;
use std::io;
use std::sync::Arc;

use crate::flash::{BANK_SIZE, Bank, FlashRange, Offset};

pub use bank_names::{bank_of_name, bank_path, numbered};
pub use compare::Differences;
pub use damage::{Certainty, Finding};
pub use entry::Origin;
pub use families::{Family, Fit, Model, fit};
pub use file::{
    LoadError, NotLoaded, base_of_banks, load, load_banks, load_merged, load_part,
    load_these_banks, must_be_found_by, must_be_its_only_form,
};
pub use foreign::Foreign;
pub use hex::{HexError, HexNotes, Hole};
pub use identity::ImageIdentity;
pub use mt19xx::Wrapping;
pub use placed::LARGEST_HEX;
pub use report::Report;
pub use soundness::Problem;
pub use sums::{Checksum, Crc32};
pub use verdict::Verdict;

/// The flash sizes of MediaTek drives, in bytes: 2 to 32 banks.
pub const FLASH_SIZES: [u32; 5] = [0x2_0000, 0x4_0000, 0x8_0000, 0x10_0000, 0x20_0000];

/// How bytes are written down in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// The bytes themselves: the switch `/b`.
    Binary,
    /// Bank-marked Intel HEX, see [`hex`].
    Hex,
}

/// How banks are spread over files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Arrangement {
    /// All banks in one file: the switch `/m`.
    Merged,
    /// A file for each bank, see [`bank_path`].
    PerBank,
}

/// What kind of file, or files, an image came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Format {
    pub encoding: Encoding,
    pub arrangement: Arrangement,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.encoding, self.arrangement) {
            (Encoding::Binary, Arrangement::Merged) => "raw binary",
            (Encoding::Hex, Arrangement::Merged) => "bank-marked HEX",
            (Encoding::Binary, Arrangement::PerBank) => "raw binary, one file per bank",
            (Encoding::Hex, Arrangement::PerBank) => "HEX, one file per bank",
        })
    }
}

/// The bytes of a firmware image and the format they came in.
///
/// That a value of this type exists says that its file could be read, not that
/// it is sound: `soundness::problems` says that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Shared with what a flash is to hold, where that is the same.
    bytes: Arc<Vec<u8>>,
    format: Format,
    hex: Option<HexNotes>,
    origin: Option<Origin>,
    wrapping: Wrapping,
}

/// Why the bytes of a file are no firmware image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{self:?}")]
pub enum ParseError {
    Empty,
    Text {
        /// What the first line starts with, cut to a length that can be shown.
        beginning: String,
    },
    Utf16 {
        /// It is a HEX file when it is made plain text.
        is_hex: bool,
    },
    Foreign(Foreign),
    Hex(#[from] HexError),
    BankCount {
        found: usize,
    },
}

impl Image {
    /// Takes the content of one file that holds all banks; the content says
    /// whether it is raw binary or HEX, not the file's name.
    ///
    /// Raw binary of any length is taken, so that a report on it can be shown.
    ///
    /// # Errors
    /// Empty, text, or HEX that is damaged or has a bank count that no flash has; one bank
    /// is a part of a flash.
    pub fn parse(content: Vec<u8>) -> Result<Image, ParseError> {
        let image = Image::parse_part(content)?;
        let is_bank = image.bytes.len() == BANK_SIZE as usize;
        if image.format.encoding == Encoding::Hex && !is_bank && !is_flash_size(image.bytes.len()) {
            return Err(ParseError::BankCount {
                found: image.bytes.len() / BANK_SIZE as usize,
            });
        }
        Ok(image)
    }

    /// As [`Image::parse`], for content that may be a part of a flash: of any size.
    ///
    /// # Errors
    /// Empty, text, or damaged HEX.
    pub fn parse_part(content: Vec<u8>) -> Result<Image, ParseError> {
        if content.is_empty() {
            return Err(ParseError::Empty);
        }
        if text::is_utf16(&content) {
            return Err(ParseError::Utf16 {
                is_hex: hex::looks_like_hex(&text::start_of_utf16(&content)),
            });
        }
        if hex::looks_like_hex(&content) {
            let file = hex::read(&content)?;
            return Ok(Image {
                hex: Some(file.notes),
                ..Image::of(file.bytes, Encoding::Hex)
            }
            .unwrapped());
        }
        if let Some(kind) = foreign::of(&content) {
            return Err(ParseError::Foreign(kind));
        }
        if text::is_text(&content) {
            return Err(ParseError::Text {
                beginning: text::beginning(&content),
            });
        }
        Ok(Image::from_bytes(content).unwrapped())
    }

    /// The image in plain bytes, where its maker encrypted it as a whole.
    fn unwrapped(self) -> Image {
        let (bytes, wrapping) = mt19xx::unwrapped(Arc::unwrap_or_clone(self.bytes));
        Image {
            bytes: Arc::new(bytes),
            wrapping,
            ..self
        }
    }

    /// An image that was not read from a file: a dump of a drive, or a test's.
    pub fn from_bytes(bytes: Vec<u8>) -> Image {
        Image::of(bytes, Encoding::Binary)
    }

    fn of(bytes: Vec<u8>, encoding: Encoding) -> Image {
        Image {
            bytes: Arc::new(bytes),
            format: Format {
                encoding,
                arrangement: Arrangement::Merged,
            },
            hex: None,
            origin: None,
            wrapping: Wrapping::Plain,
        }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes, to be kept without a copy.
    pub fn shared(&self) -> Arc<Vec<u8>> {
        Arc::clone(&self.bytes)
    }

    /// Puts another file's bytes, and what is known of them, behind its own.
    fn append(&mut self, other: Image) {
        let at = self.size();
        if let Some(mut notes) = other.hex {
            for hole in &mut notes.holes {
                hole.range = FlashRange::new(hole.range.start() + at, hole.range.end() + at);
            }
            match &mut self.hex {
                Some(known) => known.holes.extend(notes.holes),
                None => self.hex = Some(notes),
            }
        }
        Arc::make_mut(&mut self.bytes).extend_from_slice(&other.bytes);
    }

    pub fn format(&self) -> Format {
        self.format
    }

    /// What its HEX file or files say besides the bytes.
    pub fn hex(&self) -> Option<&HexNotes> {
        self.hex.as_ref()
    }

    /// How its file has the bytes, which are plain here.
    pub fn wrapping(&self) -> Wrapping {
        self.wrapping
    }

    /// The container that it came out of.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// Where no record of its HEX file is.
    pub fn holes(&self) -> &[Hole] {
        self.hex.as_ref().map_or(&[], |notes| &notes.holes)
    }

    /// Bytes in the image; [`file::load`] takes no file above 16 MiB.
    pub fn size(&self) -> u32 {
        size_of(&self.bytes)
    }

    /// Every bank with its bytes, from the first; the last one may be short.
    pub fn banks(&self) -> impl DoubleEndedIterator<Item = (Bank, &[u8])> {
        banks_of(&self.bytes)
    }
}

/// Writes `bytes` as one file: a whole image or, for a file per bank, one bank.
///
/// # Errors
/// As `out` answers.
pub fn write(bytes: &[u8], encoding: Encoding, out: &mut impl io::Write) -> io::Result<()> {
    match encoding {
        Encoding::Binary => out.write_all(bytes),
        Encoding::Hex => hex::write(bytes, out),
    }
}

fn is_flash_size(size: usize) -> bool {
    FLASH_SIZES.iter().any(|known| *known as usize == size)
}

fn size_of(bytes: &[u8]) -> u32 {
    Offset::of(bytes.len()).0
}

fn banks_of(bytes: &[u8]) -> impl DoubleEndedIterator<Item = (Bank, &[u8])> {
    Bank::all(size_of(bytes)).map(|bank| (bank, bank.range().of(bytes)))
}

#[cfg(test)]
mod tests;
