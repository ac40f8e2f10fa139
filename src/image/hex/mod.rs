//! Intel HEX, the text format in which MTKFLASH keeps images and other
//! programs make them.
//!
//! Data records (type 00) have 16-bit addresses. What they are counted from is
//! told in one of two ways, and a file uses one of them:
//!
//! - **Marked banks**, as MTKFLASH has it: the line `:00000155AA`, a record of
//!   type 55 that is not Intel's, ends a bank of 64 KiB and starts the next.
//! - **Addresses**, as Intel has it: records of type 02 (segment, a paragraph
//!   number) and 04 (upper half of a linear address), which `objcopy`, `srec_cat`
//!   and programmers write.
//!
//! `:00000001FF` ends the file; its address may be where a program starts, as may
//! be records of type 03 and 05: noted, and without meaning for firmware. What no
//! record fills is FF, and is told as a [`Hole`].
//!
//! Sources: behaviour of btcflash 2004/04/29 (David Huang), which flashed real
//! drives from marked banks and takes exactly 16 of them; Intel's "Hexadecimal
//! Object File Format Specification", revision A of 1988, for the rest. btcflash
//! skips lines that do not start with a colon. This reader refuses them: a
//! flasher should not guess what a damaged line was.

mod holes;
mod read;
mod write;

use crate::flash::{BANK_SIZE, FlashRange, Offset};

pub use holes::{Hole, HoleKind};
pub use read::{looks_like_hex, read};
pub use write::{write, written_size};

/// Banks in the largest flash, 2 MiB.
pub const MAX_BANKS: usize = 32;

const BANK: usize = BANK_SIZE as usize;
const NEXT_BANK: &[u8] = b":00000155AA";
const END: &[u8] = b":00000001FF";

/// What a HEX file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HexFile {
    /// Whole banks, at least one and at most [`MAX_BANKS`].
    pub bytes: Vec<u8>,
    pub notes: HexNotes,
}

/// What a HEX file says besides the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HexNotes {
    pub layout: Layout,
    /// Where no record is, ascending; FF stands there.
    pub holes: Vec<Hole>,
    /// The first such note in the file.
    pub start: Option<Start>,
    /// The address from which its bytes are counted; 0 but for files of compilers.
    pub origin: u64,
}

impl HexNotes {
    /// Whether its addresses are places in a flash.
    pub(super) fn says_where(&self) -> bool {
        self.layout == Layout::Addressed && self.origin == 0
    }

    /// What records fill of so many bytes, ascending.
    pub(super) fn filled(&self, size: u32) -> Vec<FlashRange> {
        let starts = [0]
            .into_iter()
            .chain(self.holes.iter().map(|hole| hole.range.end()));
        let ends = self
            .holes
            .iter()
            .map(|hole| hole.range.start())
            .chain([size]);
        let between = starts
            .zip(ends)
            .map(|(start, end)| FlashRange::new(start, end));
        between.filter(|range| !range.is_empty()).collect()
    }
}

/// How a HEX file says to which bank its records belong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// By `:00000155AA` between banks, or there is one bank only.
    Marked,
    /// By records of type 02 or 04.
    Addressed,
}

/// Where a program starts, says a HEX file. Nothing depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Start {
    /// Record type 03: CS and IP of a processor with segments.
    Segment { segment: u16, offset: u16 },
    /// Record type 05.
    Linear(u32),
    /// The address of the end record, as very old programs wrote it.
    End(u16),
}

/// A HEX file that is damaged or no firmware.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{self:?}")]
pub struct HexError {
    /// From 1 on; the last one, where the end is missing.
    pub line: usize,
    pub wrong: Wrong,
}

/// What is wrong with a line of a HEX file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    NoColon,
    NotADigit {
        column: usize,
        found: char,
    },
    OddDigits {
        digits: usize,
    },
    ShortLine {
        expected: usize,
        found: usize,
    },
    LongLine {
        expected: usize,
        found: usize,
    },
    BadSum {
        expected: u8,
        found: u8,
    },
    NoData,
    BadLength {
        kind: u8,
        expected: u8,
        found: u8,
    },
    OtherRecord {
        found: u8,
    },
    PastBank {
        address: u16,
        length: u8,
    },
    TooFar {
        address: u64,
    },
    /// With a byte of the line `earlier`.
    Overlap {
        at: Offset,
        earlier: usize,
    },
    TooManyBanks,
    MixedLayouts {
        layout: Layout,
    },
    MissingEnd,
    AfterEnd,
}

#[cfg(test)]
mod tests;
