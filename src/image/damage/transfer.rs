//! What a transfer as text leaves of an image.

use super::{Certainty, Damage, Finding, all, range};
use crate::flash::BANK_SIZE;
use crate::image::{is_flash_size, text};

/// How line ends were translated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineEnds {
    /// There is 0D before every 0A.
    Doubled,
    /// Every 0D before a 0A is gone.
    Lost,
    /// Every 0D has become 0A, or is gone.
    NoReturns,
    /// Every 0A has become 0D, or is gone.
    NoFeeds,
}

/// From so many bytes on, chance leaves no mark.
const SMALLEST: usize = 0x1000;

/// A byte that occurs so often, or its neighbours that do, is missing by no chance.
const OFTEN: u32 = 64;

/// More line ends than that do not get lost from an image.
const MOST_LOST: usize = 0x2000;

pub(super) fn findings(bytes: &[u8]) -> Option<Finding> {
    if bytes.len() < SMALLEST || text::is_text(bytes) {
        return None;
    }
    of_all(bytes).or_else(|| of_beginning(bytes))
}

/// The banks from the first on that have lost their highest bits, where others have
/// not: the line was changed on the way, or two files were put together.
fn of_beginning(bytes: &[u8]) -> Option<Finding> {
    let is_stripped = |bank: &&[u8]| Counts::of(bank).has_seven_bits();
    let stripped = bytes
        .chunks_exact(BANK_SIZE as usize)
        .take_while(is_stripped);
    let length = stripped.count() * BANK_SIZE as usize;
    (length > 0).then(|| Finding::probable(range(0, length), Damage::SevenBits))
}

fn of_all(bytes: &[u8]) -> Option<Finding> {
    let counts = Counts::of(bytes);
    if counts.has_seven_bits() {
        return Some(Finding::certain(all(bytes), Damage::SevenBits));
    }
    if counts.high() >= OFTEN && std::str::from_utf8(bytes).is_ok() {
        return Some(Finding::certain(all(bytes), Damage::Utf8));
    }
    let (ends, certainty) = counts.line_ends(bytes.len())?;
    let first = match ends {
        LineEnds::Doubled => bytes.windows(2).position(|pair| pair == b"\r\n"),
        _ => None,
    };
    let range = first.map_or(all(bytes), |at| range(at, 2));
    Some(Finding::new(range, certainty, Damage::LineEnds(ends)))
}

/// How often each byte occurs, and 0D with 0A behind it.
struct Counts {
    bytes: [u32; 0x100],
    pairs: u32,
}

impl Counts {
    fn of(bytes: &[u8]) -> Counts {
        let mut counts = [0; 0x100];
        let mut pairs = 0;
        let mut before = 0;
        for byte in bytes {
            counts[usize::from(*byte)] += 1;
            pairs += u32::from(before == b'\r' && *byte == b'\n');
            before = *byte;
        }
        Counts {
            bytes: counts,
            pairs,
        }
    }

    fn high(&self) -> u32 {
        self.bytes[0x80..].iter().sum()
    }

    /// Many values, and none of the higher half.
    fn has_seven_bits(&self) -> bool {
        let values = self.bytes.iter().filter(|count| **count > 0).count();
        self.high() == 0 && values >= 0x40
    }

    fn line_ends(&self, size: usize) -> Option<(LineEnds, Certainty)> {
        let [returns, feeds] = [b'\r', b'\n'].map(|byte| self.bytes[usize::from(byte)]);
        let around = |from: usize| {
            let mut neighbours = self.bytes[from - 2..from].iter();
            neighbours.all(|count| *count >= OFTEN / 2)
        };
        if feeds >= OFTEN && self.pairs == feeds {
            return Some((LineEnds::Doubled, Certainty::Certain));
        }
        let certainty = Certainty::Probable;
        if returns == 0 && feeds >= OFTEN && around(0x0a) && around(0x10) {
            return Some((LineEnds::NoReturns, certainty));
        }
        if feeds == 0 && returns >= OFTEN && around(0x0a) && around(0x10) {
            return Some((LineEnds::NoFeeds, certainty));
        }
        // So many pairs there would be by chance, and so many bytes are missing.
        let expected = returns as usize * feeds as usize / size;
        let missing = (0..=MOST_LOST).find(|missing| is_flash_size(size + missing))?;
        let is_lost = expected >= 4
            && (expected / 4..=expected * 4).contains(&missing)
            && self.pairs as usize <= expected / 4;
        is_lost.then_some((LineEnds::Lost, certainty))
    }
}
