//! Files that are no firmware, or none for a flash.

use std::path::Path;

use crate::cli::words::InWords;
use crate::cli::words::terms::counted;
use crate::flash::{BANK_SIZE, Offset};
use crate::image::hex::{HexError, Layout, MAX_BANKS, Wrong};
use crate::image::mt19xx::{Finding, SIZE};
use crate::image::soundness::Problem;
use crate::image::{Encoding, LoadError, NotLoaded, ParseError};

impl InWords for LoadError {
    fn in_words(&self) -> String {
        let path = self.path.display();
        match &self.why {
            NotLoaded::Missing { first_bank } => format!(
                "{path}: there is no such file{}",
                hint(first_bank.as_deref())
            ),
            NotLoaded::Directory => format!("{path}: this is a directory, not a firmware file"),
            NotLoaded::NotAFile => {
                format!("{path}: this is a device or pipe, not a firmware file")
            }
            NotLoaded::Unreadable(source) => {
                format!("{path}: cannot be read: {}", source.in_words())
            }
            NotLoaded::TooLarge { size } => format!(
                "{path}: {size} bytes are far too many for firmware; the largest flash has 2 MiB"
            ),
            NotLoaded::Container(_) => format!("{path}: no image of it was chosen"),
            NotLoaded::NoContainer => {
                format!("{path}: this is an image, no archive or flasher with entries")
            }
            NotLoaded::Content(source) => format!("{path}: {}", source.in_words()),
            NotLoaded::Ambiguous { first_bank } => format!(
                "both {path} and {} are there, one file with all banks and a file per bank: \
         name the one, with /m, or move it away",
                first_bank.display()
            ),
            NotLoaded::MissingBank { missing, later } => format!(
                "{path}: the file of bank {missing} is missing, but that of bank {later} is there"
            ),
            NotLoaded::BankSize { found } => format!(
                "{path}: the file of a bank has 64 KiB (65536 bytes), this one has {found} bytes"
            ),
            NotLoaded::MixedEncodings { expected, found } => format!(
                "{path}: this bank is {}, while the first bank is {}",
                name(*found),
                name(*expected)
            ),
            NotLoaded::BankCount { found } => format!(
                "{path}: the files make {}; a drive's flash has 2, 4, 8, 16 or 32",
                counted(*found as u64, "bank")
            ),
        }
    }
}

impl InWords for HexError {
    fn in_words(&self) -> String {
        let line = self.line;
        match &self.wrong {
            Wrong::NoColon => format!("line {line} does not start with a colon"),
            Wrong::NotADigit { column, found } => {
                format!("line {line}, column {column}: '{found}' is not a hex digit")
            }
            Wrong::OddDigits { digits } => format!(
                "line {line} has {digits} hex digits, an odd number: one is missing or too many"
            ),
            Wrong::ShortLine { expected, found } => {
                format!("line {line} is too short: {expected} hex digits expected, {found} found")
            }
            Wrong::LongLine { expected, found } => {
                format!("line {line} is too long: {expected} hex digits expected, {found} found")
            }
            Wrong::BadSum { expected, found } => {
                format!("line {line}: the sum at its end is {found:02X}, {expected:02X} expected")
            }
            Wrong::NoData => format!("line {line} is a data record without data"),
            Wrong::BadLength {
                kind,
                expected,
                found,
            } => format!(
                "line {line}: a record of type {kind:02X} has {expected} bytes, this one has {found}"
            ),
            Wrong::OtherRecord { found } => format!(
                "line {line} is a record of type {found:02X}; firmware files have types 00 to 05 and \
         bank marks only"
            ),
            Wrong::PastBank { address, length } => format!(
                "line {line}: {length} bytes at {address:04X} reach past the end of a 64 KiB bank"
            ),
            Wrong::TooFar { address } => format!(
                "line {line} is for address {address:08X}, but no flash reaches past {:08X}",
                MAX_BANKS * BANK_SIZE as usize - 1
            ),
            Wrong::Overlap { at, earlier } => format!(
                "line {line} fills address {:04X} of bank {}, which line {earlier} filled already",
                at.0 % BANK_SIZE,
                at.bank()
            ),
            Wrong::TooManyBanks => format!(
                "line {line} starts bank {}, but no flash has more than {MAX_BANKS} banks",
                MAX_BANKS + 1
            ),
            Wrong::MixedLayouts { layout } => format!(
                "line {line} counts banks by {}, the lines before it by {}",
                told_by(*layout),
                told_by(other(*layout))
            ),
            Wrong::MissingEnd => format!(
                "the end record :00000001FF is missing after line {line}: the file is cut short"
            ),
            Wrong::AfterEnd => format!("line {line} comes after the end record"),
        }
    }
}

impl InWords for Problem {
    fn in_words(&self) -> String {
        match self {
            Problem::Empty => "it is empty".to_owned(),
            Problem::Blank { value, size } => {
                format!("it is blank: all {size} bytes are {value:02X}, there is no firmware in it")
            }
            Problem::Text => "it is text, not firmware".to_owned(),
            Problem::EqualBanks { banks } => format!(
                "all {banks} banks are equal: that is one bank read {banks} times over, not a whole firmware"
            ),
            Problem::NotWholeBanks { size } => format!(
                "its size of {size} bytes is no multiple of a 64 KiB bank ({} bytes over {} whole \
         banks): it is cut short, or no raw image",
                size % BANK_SIZE,
                size / BANK_SIZE
            ),
            Problem::NotAFlashSize { size } => format!(
                "its size of {} KiB is no flash size: those are 128, 256, 512, 1024 and 2048 KiB",
                size / 1024
            ),
            Problem::OneBank => {
                "it has 64 KiB, one bank, and a flash has 2, 4, 8, 16 or 32: it is a \
                                 part of a flash, and its content does not say which"
                    .to_owned()
            }
            Problem::TrailerSum { stored, computed } => format!(
                "the sum in its MT1939 trailer is {stored}, but its content sums up to {computed}: it is damaged"
            ),
            Problem::OtherSize { image, flash } => format!(
                "the image has {} KiB, the flash {} KiB: it is {} for this drive",
                image / 1024,
                flash / 1024,
                if image < flash {
                    "too small"
                } else {
                    "too large"
                }
            ),
            Problem::OtherPart { image, part, flash } => format!(
                "the file has {image} bytes, the part of the flash that you named {part}, and the whole flash \
         {flash}: it must have the size of that part or of the flash"
            ),
            Problem::BluRay(found) => found.in_words(),
        }
    }
}

impl InWords for ParseError {
    fn in_words(&self) -> String {
        match self {
            ParseError::Empty => "the file is empty".to_owned(),
            ParseError::Text { beginning } => format!(
                "this is a text file, not firmware: it begins with \"{beginning}\" \
         (a HEX file has a colon and hex digits on every line)"
            ),
            ParseError::Utf16 { is_hex } => format!(
                "this is text in UTF-16, two bytes for each character, as some editors and \
                 PowerShell save it; {}",
                if *is_hex {
                    "a HEX file is in it"
                } else {
                    "no firmware file is kept in it"
                }
            ),
            ParseError::Foreign(found) => {
                format!("this is a file of another kind, not firmware: {found:?}")
            }
            ParseError::Hex(found) => format!("damaged HEX file: {}", found.in_words()),
            ParseError::BankCount { found } => format!(
                "the HEX file has {}; a drive's flash has 2, 4, 8, 16 or 32",
                counted(*found as u64, "bank")
            ),
        }
    }
}

impl InWords for Finding {
    fn in_words(&self) -> String {
        let at = Offset(self.range().start());
        match self {
            Finding::NoChip => format!(
                "its boot banner at {at} names neither an MT1959 nor an MT1939: it is damaged"
            ),
            Finding::NoDescriptor => format!(
                "the descriptor at {at}, which says what drive it is for, cannot be read: it is damaged"
            ),
            Finding::NothingProtected => format!(
                "its integrity table at {at} protects nothing: it is damaged, or something else"
            ),
            Finding::OddEntry { entry, found } => format!(
                "entry {entry} of its integrity table, at {at}, is neither in use nor free ({found:08x}): \
         it is damaged"
            ),
            Finding::NoRange { entry, first, last } => format!(
                "entry {entry} of its integrity table, at {at}, protects {first:#x} to {last:#x}, which is \
         no range of {SIZE:#x} bytes: it is damaged"
            ),
            Finding::Broken { range } => format!(
                "its bytes at {range} do not match their tag in the integrity table: it is damaged"
            ),
        }
    }
}

fn hint(first_bank: Option<&Path>) -> String {
    first_bank
        .map(|path| format!(", nor a file per bank ({})", path.display()))
        .unwrap_or_default()
}

fn name(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Binary => "raw binary",
        Encoding::Hex => "HEX",
    }
}

fn told_by(layout: Layout) -> &'static str {
    match layout {
        Layout::Marked => "bank marks",
        Layout::Addressed => "addresses",
    }
}

fn other(layout: Layout) -> Layout {
    match layout {
        Layout::Marked => Layout::Addressed,
        Layout::Addressed => Layout::Marked,
    }
}
