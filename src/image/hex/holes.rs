//! The parts of a HEX file's banks that no record fills.
//!
//! They become FF. Many programs leave blank bytes out on purpose; a line that
//! was lost on the way leaves the same trace, so it is asked what is around it.

use super::BANK;
use crate::flash::{BANK_SIZE, Bank, FlashRange};

/// Bytes that no record fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hole {
    pub range: FlashRange,
    pub kind: HoleKind,
}

/// What a hole looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HoleKind {
    /// As from a program that leaves blank bytes out: at the end of a bank or
    /// beside bytes that are FF.
    Blank,
    /// As from a line that was lost: between data, at the start of a bank, or in
    /// a file that elsewhere writes blank bytes down.
    InData,
    /// A bank without any record.
    Bank,
}

impl Hole {
    /// Whether a byte is probably lost here.
    pub fn is_suspect(&self) -> bool {
        self.kind != HoleKind::Blank
    }
}

/// The holes of whole banks; `filled_by` is 0 where no record is.
/// `writes_blanks` says that the file has records of nothing but FF.
pub(super) fn find(bytes: &[u8], filled_by: &[u32], writes_blanks: bool) -> Vec<Hole> {
    (0..)
        .map(Bank)
        .zip(bytes.chunks(BANK).zip(filled_by.chunks(BANK)))
        .flat_map(|(bank, (bytes, filled_by))| of_bank(bank, bytes, filled_by, writes_blanks))
        .collect()
}

fn of_bank(bank: Bank, bytes: &[u8], filled_by: &[u32], writes_blanks: bool) -> Vec<Hole> {
    let mut holes = Vec::new();
    let mut at = 0;
    // Equal lines are runs: a hole is a run of 0.
    for run in filled_by.chunk_by(|one, next| (*one == 0) == (*next == 0)) {
        let (start, end) = (at, at + run.len());
        at = end;
        if run.first() != Some(&0) {
            continue;
        }
        let before = start.checked_sub(1).and_then(|at| bytes.get(at));
        let kind = match (before, bytes.get(end)) {
            (None, None) => HoleKind::Bank,
            (None, Some(_)) => HoleKind::InData,
            _ if writes_blanks => HoleKind::InData,
            (Some(_), None) | (Some(0xff), _) | (_, Some(0xff)) => HoleKind::Blank,
            (Some(_), Some(_)) => HoleKind::InData,
        };
        let base = bank.0 * BANK_SIZE;
        holes.push(Hole {
            range: FlashRange::new(base + start as u32, base + end as u32),
            kind,
        });
    }
    holes
}
