//! Which part of a flash a job is about.

use crate::flash::{Bank, FlashRange};

/// The part of a flash that a job is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Selection {
    #[default]
    Everything,
    /// These banks, in any order.
    Banks(Vec<Bank>),
    /// These bytes.
    Range(FlashRange),
}

/// A part that this flash does not have, or nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{self:?}")]
pub enum SelectionError {
    NoSuchBank {
        bank: Bank,
        last: u32,
    },
    PastTheEnd {
        range: FlashRange,
        size: u32,
    },
    /// All of it is to be kept.
    NothingLeft {
        range: FlashRange,
    },
}

impl Selection {
    pub fn is_everything(&self) -> bool {
        *self == Selection::Everything
    }

    /// The selected ranges of a flash of `size` bytes: ascending, disjoint,
    /// each within one bank.
    ///
    /// # Errors
    /// Where the flash has no such bank or byte.
    pub fn ranges(&self, size: u32) -> Result<Vec<FlashRange>, SelectionError> {
        let cut = |bank: Bank| bank.range().common(FlashRange::new(0, size));
        match self {
            Selection::Everything => Ok(Bank::all(size).map(cut).collect()),
            Selection::Banks(banks) => {
                let mut banks = banks.clone();
                banks.sort_unstable();
                banks.dedup();
                if let Some(&bank) = banks.iter().find(|bank| bank.range().start() >= size) {
                    let last = size.div_ceil(crate::flash::BANK_SIZE).saturating_sub(1);
                    return Err(SelectionError::NoSuchBank { bank, last });
                }
                Ok(banks.into_iter().map(cut).collect())
            }
            Selection::Range(range) => {
                if range.end() > size {
                    return Err(SelectionError::PastTheEnd {
                        range: *range,
                        size,
                    });
                }
                Ok(by_bank(*range))
            }
        }
    }
}

/// Cuts a range where banks begin.
pub(super) fn by_bank(range: FlashRange) -> Vec<FlashRange> {
    range
        .banks()
        .map(|bank| bank.range().common(range))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: u32 = 0x4_0000;

    fn range(start: u32, end: u32) -> FlashRange {
        FlashRange::new(start, end)
    }

    #[test]
    fn everything_is_every_bank() {
        let ranges = Selection::Everything.ranges(SIZE).unwrap();
        assert_eq!(ranges.len(), 4);
        assert_eq!(ranges[3], range(0x3_0000, 0x4_0000));
    }

    #[test]
    fn banks_named_twice_or_backwards_are_worked_once_and_in_order() {
        let selection = Selection::Banks(vec![Bank(3), Bank(0), Bank(3)]);
        assert_eq!(
            selection.ranges(SIZE).unwrap(),
            [range(0, 0x1_0000), range(0x3_0000, 0x4_0000)]
        );
    }

    #[test]
    fn a_bank_that_the_flash_does_not_have_is_named_with_the_last_one() {
        let error = Selection::Banks(vec![Bank(4)]).ranges(SIZE).unwrap_err();
        assert_eq!(
            error,
            SelectionError::NoSuchBank {
                bank: Bank(4),
                last: 3
            }
        );
    }

    #[test]
    fn a_range_is_cut_where_banks_begin() {
        assert_eq!(
            Selection::Range(range(0xFF00, 0x1_0100))
                .ranges(SIZE)
                .unwrap(),
            [range(0xFF00, 0x1_0000), range(0x1_0000, 0x1_0100)]
        );
    }

    #[test]
    fn a_range_past_the_end_is_refused() {
        assert!(Selection::Range(range(0, SIZE + 1)).ranges(SIZE).is_err());
    }
}
