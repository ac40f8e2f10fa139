//! Where a byte of firmware is: offsets, ranges and the 64 KiB banks in which
//! MediaTek firmware is counted.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Bytes in a bank: the 8051 core of the drives sees 64 KiB at a time.
pub const BANK_SIZE: u32 = 0x1_0000;

/// Bytes in a page: the unit of serial reads and programs, and the part of a
/// bank that is written last.
pub const PAGE_SIZE: u32 = 0x100;

/// A byte's place in the flash, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Offset(pub u32);

impl Offset {
    /// The last one that has a number stands for all behind it.
    pub fn of(at: usize) -> Offset {
        Offset(u32::try_from(at).unwrap_or(u32::MAX))
    }

    /// The bank that holds this byte.
    pub fn bank(self) -> Bank {
        Bank(self.0 / BANK_SIZE)
    }

    /// How many bytes of its bank come before this one.
    pub fn in_bank(self) -> u32 {
        self.0 % BANK_SIZE
    }

    /// The `length` bytes from here, up to the last one that has a number.
    pub const fn range(self, length: u32) -> FlashRange {
        FlashRange::new(self.0, self.0.saturating_add(length))
    }

    /// As many bytes from here as these are.
    pub fn range_of(self, bytes: &[u8]) -> FlashRange {
        self.range(Offset::of(bytes.len()).0)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#07x}", self.0)
    }
}

/// A 64 KiB bank, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bank(pub u32);

impl Bank {
    /// The bytes of this bank. A bank past the 4 GiB that an offset can reach
    /// saturates to an empty range at the end.
    pub fn range(self) -> FlashRange {
        Offset(self.0.saturating_mul(BANK_SIZE)).range(BANK_SIZE)
    }

    /// The banks that `size` bytes fill, the last one perhaps in part.
    pub fn all(size: u32) -> impl DoubleEndedIterator<Item = Bank> + Clone {
        (0..size.div_ceil(BANK_SIZE)).map(Bank)
    }
}

impl fmt::Display for Bank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The bytes from `start` up to but not including `end`. In files it is first and last
/// byte, as the tool prints it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(try_from = "[u32; 2]", into = "[u32; 2]")]
pub struct FlashRange {
    start: u32,
    end: u32,
}

impl FlashRange {
    /// Empty where `end` is not after `start`.
    pub const fn new(start: u32, end: u32) -> FlashRange {
        let end = if end < start { start } else { end };
        FlashRange { start, end }
    }

    /// The first byte.
    pub const fn start(self) -> u32 {
        self.start
    }

    /// The first byte after the range.
    pub const fn end(self) -> u32 {
        self.end
    }

    /// Bytes in the range.
    pub const fn len(self) -> u32 {
        self.end - self.start
    }

    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }

    pub fn contains(self, at: Offset) -> bool {
        (self.start..self.end).contains(&at.0)
    }

    pub fn overlaps(self, other: FlashRange) -> bool {
        !self.common(other).is_empty()
    }

    /// The bytes that are in both.
    pub fn common(self, other: FlashRange) -> FlashRange {
        FlashRange::new(self.start.max(other.start), self.end.min(other.end))
    }

    /// Whether it begins where one bank does and ends where one does.
    pub fn is_whole_banks(self) -> bool {
        !self.is_empty() && self.start % BANK_SIZE == 0 && self.end % BANK_SIZE == 0
    }

    /// The banks that hold any byte of the range, ascending.
    pub fn banks(self) -> impl DoubleEndedIterator<Item = Bank> + Clone {
        let end = if self.is_empty() {
            self.start / BANK_SIZE
        } else {
            self.end.div_ceil(BANK_SIZE)
        };
        (self.start / BANK_SIZE..end).map(Bank)
    }

    /// The part of `bytes`, a whole flash, that this range names; cut at its end.
    pub fn of(self, bytes: &[u8]) -> &[u8] {
        let end = (self.end as usize).min(bytes.len());
        let start = (self.start as usize).min(end);
        &bytes[start..end]
    }

    /// As [`FlashRange::of`], to write into.
    pub fn of_mut(self, bytes: &mut [u8]) -> &mut [u8] {
        let end = (self.end as usize).min(bytes.len());
        let start = (self.start as usize).min(end);
        &mut bytes[start..end]
    }
}

/// No range of bytes: the last one before the first one, or past all that has a
/// number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{self:?}")]
pub struct NoRange {
    pub first: u32,
    pub last: u32,
}

impl TryFrom<[u32; 2]> for FlashRange {
    type Error = NoRange;

    fn try_from([first, last]: [u32; 2]) -> Result<FlashRange, NoRange> {
        let end = last.checked_add(1).filter(|end| first < *end);
        end.map(|end| FlashRange::new(first, end))
            .ok_or(NoRange { first, last })
    }
}

impl From<FlashRange> for [u32; 2] {
    fn from(range: FlashRange) -> [u32; 2] {
        [range.start, range.end.saturating_sub(1)]
    }
}

impl fmt::Display for FlashRange {
    /// First and last byte, both included, as the tool takes and prints ranges.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return write!(f, "empty");
        }
        write!(f, "{:#07x}-{:#07x}", self.start, self.end - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn banks(start: u32, end: u32) -> Vec<u32> {
        let range = FlashRange::new(start, end);
        range.banks().map(|bank| bank.0).collect()
    }

    #[test]
    fn a_range_lies_in_every_bank_of_which_it_holds_a_byte() {
        assert_eq!(banks(0, 1), [0]);
        assert_eq!(banks(0, 0x10000), [0]);
        assert_eq!(banks(0xFFFF, 0x10001), [0, 1]);
        assert_eq!(banks(0x10000, 0x40000), [1, 2, 3]);
    }

    #[test]
    fn an_empty_range_lies_in_no_bank() {
        assert_eq!(banks(0x18000, 0x18000), [0; 0]);
        assert_eq!(banks(0x18000, 0x100), [0; 0]);
    }
}
