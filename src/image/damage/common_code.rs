//! Code that all banks have in common, and a bank in which it differs.
//!
//! The 8051 core sees one bank at a time, so that what is always needed is
//! copied to the same place of each. A byte of such code that differs in one bank
//! alone, far inside a stretch that is equal in all of them, may have been
//! flipped on the way. That is *inferred*, and a vendor's own patch of one bank
//! looks the same: it is told and no more.

use super::{Damage, Finding, range};
use crate::flash::BANK_SIZE;
use crate::image::hex::MAX_BANKS;
use crate::image::structure::Structure;

const BANK: usize = BANK_SIZE as usize;

/// Fewer banks do not outvote one, and no flash has more.
const BANKS: std::ops::RangeInclusive<usize> = 4..=MAX_BANKS;

/// Bytes around a difference that are equal in all banks: on each side, and on
/// both sides together.
const ON_EACH_SIDE: usize = 64;
const AROUND: usize = 512;

/// Different values that code has among that many bytes; what fills up has one.
const VALUES: usize = 8;

/// The bytes of a sector of a disk; more are no flipped bits.
const LONGEST: usize = 512;

/// In more places, a bank has another version of the code.
const MOST: usize = 8;

/// How the banks compare at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Equal,
    /// All but the bank of this index are equal.
    Odd(usize),
    Mixed,
}

pub(super) fn findings(bytes: &[u8], structure: &Structure) -> Vec<Finding> {
    let banks: Vec<&[u8]> = bytes.chunks_exact(BANK).collect();
    if !BANKS.contains(&banks.len()) || !structure.is_by_banks() {
        return Vec::new();
    }
    let places: Vec<Place> = (0..BANK).map(|at| place(&banks, at)).collect();
    let findings: Vec<Finding> = odd_stretches(&places)
        .filter_map(|(bank, at, length)| finding(&banks, &places, bank, at, length))
        .collect();
    match findings.len() {
        0..=MOST => findings,
        _ => Vec::new(),
    }
}

fn place(banks: &[&[u8]], at: usize) -> Place {
    let [one, two, three] = [0, 1, 2].map(|bank: usize| banks[bank][at]);
    let common = if one == two || one == three { one } else { two };
    let odd = banks.iter().enumerate();
    let mut odd = odd.filter(|(_, bank)| bank[at] != common);
    match (odd.next(), odd.next()) {
        (None, _) => Place::Equal,
        (Some((bank, _)), None) => Place::Odd(bank),
        (Some(_), Some(_)) => Place::Mixed,
    }
}

/// Bank, place and length of what differs in one bank alone, short stretches that
/// are equal by chance included.
fn odd_stretches(places: &[Place]) -> impl Iterator<Item = (usize, usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(found) = places.get(at) {
            let start = at;
            at += 1;
            let Place::Odd(bank) = *found else {
                continue;
            };
            let mut end = at;
            while let Some(next) = places.get(at) {
                match next {
                    Place::Odd(other) if *other == bank => end = at + 1,
                    Place::Equal if at - end < ON_EACH_SIDE => {}
                    _ => break,
                }
                at += 1;
            }
            at = end;
            return Some((bank, start, end - start));
        }
        None
    })
}

fn finding(
    banks: &[&[u8]],
    places: &[Place],
    bank: usize,
    at: usize,
    length: usize,
) -> Option<Finding> {
    let is_equal = |place: &&Place| **place == Place::Equal;
    let before = places[..at].iter().rev().take_while(is_equal).count();
    let behind = places[at + length..].iter().take_while(is_equal).count();
    let another = banks[usize::from(bank == 0)];
    let is_code = |part: &[u8]| {
        let mut seen = [false; 0x100];
        part.iter().for_each(|byte| seen[usize::from(*byte)] = true);
        seen.iter().filter(|seen| **seen).count() >= VALUES
    };
    let is_suspect = length <= LONGEST
        && before.min(behind) >= ON_EACH_SIDE
        && before + behind >= AROUND
        && is_code(&another[at - ON_EACH_SIDE..at])
        && is_code(&another[at + length..at + length + ON_EACH_SIDE]);
    let count = places[at..at + length]
        .iter()
        .filter(|place| !is_equal(place));
    is_suspect.then(|| {
        let damage = Damage::OddBytes {
            found: banks[bank][at],
            expected: another[at],
            count: count.count() as u32,
        };
        Finding::possible(range(bank * BANK + at, length), damage)
    })
}
