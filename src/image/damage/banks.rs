//! Banks that are missing, blank, copied, or do not start as they should.

use super::{Certainty, Damage, Finding, all, range};
use crate::flash::{BANK_SIZE, Bank};
use crate::image::banks_of;
use crate::image::hex::MAX_BANKS;
use crate::image::identity::{self, Kind};
use crate::image::structure::{BANK_CALL_SEARCHED, Structure};

const BANK: usize = BANK_SIZE as usize;

/// Of a bank that was copied by a mistake, so many bytes are its own. Banks that
/// hold nothing but what all of them hold are alike by right.
const OWN: usize = 0x1000;

/// Blocks in which files are stored and fetched.
const BLOCK: usize = 0x1000;

/// So many bytes of one value fill something up.
const FILLED: usize = 0x100;

pub(super) fn findings(bytes: &[u8], structure: &Structure) -> Vec<Finding> {
    let banks: Vec<&[u8]> = banks_of(bytes).map(|(_, bank)| bank).collect();
    let identities = identity::find(bytes);
    let names = |kind: Kind| identities.iter().any(|found| found.kind == kind);
    let filled_up = filled_up(bytes, &banks, structure).filter(|_| names(Kind::LiteOn));
    let is_filled_up = filled_up.is_some();
    let mut findings: Vec<Finding> = filled_up.into_iter().collect();
    if !is_filled_up {
        findings.extend(mostly_blank(bytes, &banks));
    }
    if names(Kind::Btc) {
        findings.extend(odd_starts(&banks, structure));
    }
    if names(Kind::LiteOn) && !is_filled_up {
        findings.extend(starts(&banks, structure));
        findings.extend(bank_call(bytes, structure));
    }
    findings.extend(repetition(bytes, &banks));
    findings.extend(zeros(bytes));
    findings
}

/// The one value of a blank bank.
fn blank(bank: &[u8]) -> Option<u8> {
    let first = *bank.first()?;
    (matches!(first, 0x00 | 0xff) && bank.iter().all(|byte| *byte == first)).then_some(first)
}

fn of_bank(number: usize, certainty: Certainty, damage: Damage) -> Finding {
    Finding::new(range(number * BANK, BANK), certainty, damage)
}

/// A download that broke off can have the right size and a good first bank.
fn mostly_blank(bytes: &[u8], banks: &[&[u8]]) -> Vec<Finding> {
    let is_blank = banks.iter().filter(|bank| blank(bank).is_some());
    let (blank, banks) = (is_blank.count() as u32, banks.len() as u32);
    let finding = Finding::probable(all(bytes), Damage::MostlyBlank { blank, banks });
    (2 * blank > banks && blank < banks)
        .then_some(finding)
        .into_iter()
        .collect()
}

/// What a programmer reads of a chip that is larger than the flash it stands for: whole
/// firmware whose banks all start with a jump, and FF up to the end.
fn filled_up(bytes: &[u8], banks: &[&[u8]], structure: &Structure) -> Option<Finding> {
    let is_blank = |bank: &&&[u8]| blank(bank) == Some(0xff);
    let behind = banks.iter().rev().take_while(is_blank).count();
    let of = banks.len() - behind;
    let size = of * BANK;
    let is_jump = |bank: &&[u8]| matches!(bank.first(), Some(0x02 | 0x80));
    // Code that switches between more banks has lost some.
    let calls_more = structure
        .bank_mask
        .is_some_and(|mask| usize::from(mask) >= of);
    let is_whole = of > 1 && of.is_power_of_two() && banks[..of].iter().all(is_jump);
    (behind > 0 && is_whole && !calls_more).then(|| {
        let damage = Damage::FilledUp { size: size as u32 };
        Finding::probable(range(size, bytes.len() - size), damage)
    })
}

/// Every bank of Lite-On firmware starts with 02 or 80, but for re-banked images,
/// whose banks are not laid out by 64 KiB (OmniPatcher's `fw_mtk_rebank`).
fn starts(banks: &[&[u8]], structure: &Structure) -> Vec<Finding> {
    if !structure.is_by_banks() {
        return Vec::new();
    }
    let damage = |bank: &[u8]| match (bank.first()?, blank(bank)) {
        (0x02 | 0x80, _) => None,
        (_, Some(value)) => Some(Damage::BlankBank { value }),
        (found, None) => Some(Damage::NoJump { found: *found }),
    };
    let banks = banks.iter().enumerate();
    banks
        .filter_map(|(number, bank)| Some(of_bank(number, Certainty::Probable, damage(bank)?)))
        .collect()
}

/// BTC's firmware is for the same core, and nobody says how its banks start: one that
/// starts unlike nearly all others is told.
fn odd_starts(banks: &[&[u8]], structure: &Structure) -> Vec<Finding> {
    if 4 * structure.jumps < 3 * structure.banks {
        return Vec::new();
    }
    let starts = banks
        .iter()
        .enumerate()
        .filter_map(|(number, bank)| Some((number, *bank.first()?)));
    starts
        .filter(|(_, found)| *found != Structure::LJMP)
        .map(|(number, found)| of_bank(number, Certainty::Possible, Damage::OddStart { found }))
        .collect()
}

/// Lite-On firmware switches banks by one known piece of code. OmniPatcher warns
/// of an image without it.
fn bank_call(bytes: &[u8], structure: &Structure) -> Option<Finding> {
    match (bytes.len(), structure.bank_mask) {
        (0x8_0000, Some(0x0f | 0x1f)) => {
            let missing = range(bytes.len(), bytes.len());
            Some(Finding::probable(missing, Damage::Half))
        }
        (0x8_0000 | 0x10_0000, None) => {
            Some(Finding::possible(BANK_CALL_SEARCHED, Damage::NoBankCall))
        }
        _ => None,
    }
}

/// An image that is a shorter one several times, or has one bank twice. That all
/// banks are equal is a problem already.
fn repetition(bytes: &[u8], banks: &[&[u8]]) -> Vec<Finding> {
    let is_period = |period: &usize| {
        banks.len() % period == 0
            && bytes.len() % BANK == 0
            && bytes[*period * BANK..] == bytes[..bytes.len() - *period * BANK]
    };
    match (1..=banks.len() / 2).find(is_period) {
        Some(1) => return Vec::new(),
        Some(period) => {
            let start = period * BANK;
            let period = start as u32;
            let repeated = range(start, bytes.len() - start);
            return vec![Finding::probable(repeated, Damage::Repeats { period })];
        }
        None => {}
    }
    // What no flash can hold is told by its size.
    let looked_at = &banks[..banks.len().min(MAX_BANKS)];
    let copied = looked_at.iter().enumerate().filter_map(|(number, bank)| {
        let of = banks[..number].iter().position(|earlier| earlier == bank)?;
        (own_bytes(looked_at, number, of) >= OWN).then(|| {
            let of = Bank(of as u32);
            of_bank(number, Certainty::Probable, Damage::CopiedBank { of })
        })
    });
    copied.collect()
}

/// Bytes of a bank that no other bank but its copy has at that place, FF and 00
/// aside.
fn own_bytes(banks: &[&[u8]], number: usize, copy: usize) -> usize {
    let is_own = |(at, byte): &(usize, &u8)| {
        let others = banks.iter().enumerate();
        let mut others = others.filter(|(other, _)| ![number, copy].contains(other));
        !matches!(byte, 0x00 | 0xff) && others.all(|(_, other)| other.get(*at) != Some(*byte))
    };
    banks[number].iter().enumerate().filter(is_own).count()
}

/// 00 where a file was never filled: up to its end, or in whole blocks inside.
/// Firmware is filled up with FF; where it is not, nothing is said.
fn zeros(bytes: &[u8]) -> Vec<Finding> {
    let runs = runs(bytes);
    let is_filled_up = runs
        .iter()
        .any(|run| run.value == 0xff && run.length >= FILLED);
    if !is_filled_up {
        return Vec::new();
    }
    let possible = |run: &Run, damage| Finding::possible(range(run.at, run.length), damage);
    let zeros = runs.iter().filter(|run| run.value == 0x00 && run.at > 0);
    zeros
        .filter_map(|run| match run.at + run.length == bytes.len() {
            true => (run.length >= BLOCK).then(|| possible(run, Damage::ZeroTail)),
            false => (run.at % BLOCK == 0 && run.length % BLOCK == 0)
                .then(|| possible(run, Damage::ZeroBlock)),
        })
        .collect()
}

/// Equal bytes side by side.
struct Run {
    at: usize,
    length: usize,
    value: u8,
}

/// The runs of at least [`FILLED`] bytes.
fn runs(bytes: &[u8]) -> Vec<Run> {
    let mut at = 0;
    let mut runs = Vec::new();
    for run in bytes.chunk_by(|one, next| one == next) {
        if run.len() >= FILLED {
            runs.push(Run {
                at,
                length: run.len(),
                value: run[0],
            });
        }
        at += run.len();
    }
    runs
}
