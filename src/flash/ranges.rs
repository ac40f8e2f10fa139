//! Several ranges of a flash at once.

use super::FlashRange;

/// Bytes in ranges that are apart from each other.
pub fn bytes_of(ranges: &[FlashRange]) -> u64 {
    ranges.iter().map(|range| u64::from(range.len())).sum()
}

/// What is left of ranges without others.
pub fn without(ranges: &[FlashRange], others: &[FlashRange]) -> Vec<FlashRange> {
    let mut left = ranges.to_vec();
    for taken in others {
        left = left
            .into_iter()
            .flat_map(|range| {
                let before = FlashRange::new(range.start(), range.end().min(taken.start()));
                let after = FlashRange::new(range.start().max(taken.end()), range.end());
                [before, after]
            })
            .filter(|range| !range.is_empty())
            .collect();
    }
    left
}

/// Ascending, and as one range what follows each other.
pub fn joined(mut ranges: Vec<FlashRange>) -> Vec<FlashRange> {
    ranges.sort_unstable();
    let mut joined: Vec<FlashRange> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if last.end() >= range.start() => {
                *last = FlashRange::new(last.start(), last.end().max(range.end()));
            }
            _ => joined.push(range),
        }
    }
    joined
}

/// Whether any byte is in both.
pub fn overlap(some: &[FlashRange], others: &[FlashRange]) -> bool {
    let is_in_some = |range: &FlashRange| some.iter().any(|part| part.overlaps(*range));
    others.iter().any(is_in_some)
}

/// Whether these are parts of a flash of `size` bytes, ascending and apart.
pub fn are_within(ranges: &[FlashRange], size: u32) -> bool {
    let mut next = 0;
    ranges.iter().all(|range| {
        let follows = next <= range.start() && !range.is_empty() && range.end() <= size;
        next = range.end();
        follows
    })
}
