//! Where two images differ.

use super::size_of;
use crate::flash::{Bank, FlashRange, Offset};

/// Bytes that are equal in between do not end a stretch of differences.
const TOGETHER: u32 = 16;

/// The differences of two images of whatever sizes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Differences {
    /// Ascending, within a bank each, with a few equal bytes in between.
    pub stretches: Vec<Stretch>,
    /// What only the longer one has.
    pub rest: Option<FlashRange>,
}

/// Bytes that differ, close to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    pub range: FlashRange,
    /// How many of them differ.
    pub count: u32,
    /// The first byte of the range in the first and in the second image.
    pub first: (u8, u8),
}

impl Differences {
    pub fn between(one: &[u8], other: &[u8]) -> Differences {
        let mut stretches: Vec<Stretch> = Vec::new();
        let differ = one.iter().zip(other).zip(0_u32..);
        for ((one, other), at) in differ.filter(|((one, other), _)| one != other) {
            match stretches.last_mut() {
                Some(last) if goes_on(last.range, at) => {
                    last.range = FlashRange::new(last.range.start(), at + 1);
                    last.count += 1;
                }
                _ => stretches.push(Stretch {
                    range: FlashRange::new(at, at + 1),
                    count: 1,
                    first: (*one, *other),
                }),
            }
        }
        let sizes = [size_of(one), size_of(other)];
        let rest = FlashRange::new(sizes[0].min(sizes[1]), sizes[0].max(sizes[1]));
        Differences {
            stretches,
            rest: Some(rest).filter(|rest| !rest.is_empty()),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.stretches.is_empty() && self.rest.is_none()
    }

    /// Bytes that differ, those that only one has aside.
    pub fn count(&self) -> u32 {
        self.stretches.iter().map(|stretch| stretch.count).sum()
    }

    /// The stretches of each bank that has any.
    pub fn by_bank(&self) -> impl Iterator<Item = (Bank, &[Stretch])> {
        let bank = |stretch: &Stretch| stretch.range.banks().next().unwrap_or_default();
        let banks = self
            .stretches
            .chunk_by(move |one, next| bank(one) == bank(next));
        banks.filter_map(move |stretches| Some((bank(stretches.first()?), stretches)))
    }
}

fn goes_on(range: FlashRange, at: u32) -> bool {
    at - range.end() <= TOGETHER && range.banks().next_back() == Some(Offset(at).bank())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differences(changes: &[u32]) -> Vec<(u32, u32, u32)> {
        let one = vec![0x22; 0x4_0000];
        let mut other = one.clone();
        for at in changes {
            other[*at as usize] = 0x23;
        }
        let found = Differences::between(&one, &other);
        assert_eq!(found.rest, None);
        assert_eq!(found.count() as usize, changes.len());
        let stretches = found.stretches.iter();
        stretches
            .map(|one| (one.range.start(), one.range.end(), one.count))
            .collect()
    }

    #[test]
    fn equal_images_have_no_difference() {
        assert_eq!(differences(&[]), []);
        assert!(Differences::between(&[], &[]).is_empty());
    }

    #[test]
    fn bytes_that_are_close_to_each_other_are_one_stretch_within_a_bank() {
        assert_eq!(differences(&[5]), [(5, 6, 1)]);
        assert_eq!(differences(&[0, 1, 9]), [(0, 10, 3)]);
        assert_eq!(differences(&[0, 17, 40]), [(0, 18, 2), (40, 41, 1)]);
        assert_eq!(
            differences(&[0xffff, 0x1_0000]),
            [(0xffff, 0x1_0000, 1), (0x1_0000, 0x1_0001, 1)]
        );
    }

    #[test]
    fn what_only_one_has_is_the_rest() {
        for (one, other) in [(0x1_0000, 0x3_0000), (0x3_0000, 0x1_0000)] {
            let found = Differences::between(&vec![1; one], &vec![1; other]);
            assert!(!found.is_empty());
            let rest = FlashRange::new(0x1_0000, 0x3_0000);
            assert_eq!(found.rest, Some(rest));
        }
    }

    #[test]
    fn differences_are_told_by_bank() {
        let one = vec![0x22; 0x4_0000];
        let mut other = one.clone();
        for at in [3, 100, 0x3_0000] {
            other[at] = 0;
        }
        let found = Differences::between(&one, &other);
        let banks: Vec<(u32, usize)> = found
            .by_bank()
            .map(|(bank, all)| (bank.0, all.len()))
            .collect();
        assert_eq!(banks, [(0, 2), (3, 1)]);
        assert_eq!(found.stretches[2].first, (0x22, 0x00));
    }
}
