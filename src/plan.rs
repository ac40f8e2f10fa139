//! What has to be done to a flash so that it holds what it should: which
//! sectors are erased, which bytes are programmed, and in what order.
//!
//! Pure: from the flash's content and the wanted content to a list of steps.
//!
//! - Only what differs is touched. A sector whose differing bytes need no more
//!   than bits cleared is not erased; FF is not programmed after an erase.
//! - Banks come from the last to the first, and the first page of every bank
//!   at the very end, also from the last to the first: an interrupted write
//!   leaves no bank that starts to look valid (JungleFlasher 0.1.96 behaviour).
//! - A chip with sectors is erased sector by sector even where all of them have
//!   to go. One command for the whole chip would save seconds, but a chip that
//!   fails to erase, or a run that is interrupted, would then leave nothing of
//!   the old content instead of the banks that were not reached yet.
//! - Carried out in part, a plan leaves a content from which a new plan to the
//!   same target goes on.

use std::collections::BTreeSet;
use std::fmt;

use crate::flash::{Bank, EraseLayout, FlashRange, Offset, PAGE_SIZE};

/// What an erased byte reads as.
pub const ERASED: u8 = 0xFF;

/// One thing to do. The bytes to program are those of the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// One whole sector.
    Erase(FlashRange),
    /// Bytes within one bank, either all in its first page or none. Aligned to
    /// the program unit; several units may follow each other.
    Program(FlashRange),
}

impl Step {
    /// The bytes that change in this step.
    pub fn range(self) -> FlashRange {
        match self {
            Step::Erase(range) | Step::Program(range) => range,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Erase(range) => write!(f, "erase {range}"),
            Step::Program(range) => write!(f, "program {range}"),
        }
    }
}

/// Steps in the order in which they have to be carried out; none where the
/// flash already holds the target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    pub steps: Vec<Step>,
}

/// A plan in figures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    pub sectors_to_erase: usize,
    pub bytes_to_erase: u32,
    /// With pages, every byte of a page counts.
    pub bytes_to_program: u32,
    /// The banks of which anything is erased or programmed.
    pub banks: BTreeSet<Bank>,
}

impl Plan {
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The sectors that are erased. Content in them that is to stay is lost
    /// while the plan runs and comes back when it is carried out to the end.
    pub fn erases(&self) -> impl Iterator<Item = FlashRange> + '_ {
        self.steps.iter().filter_map(|step| match step {
            Step::Erase(range) => Some(*range),
            Step::Program(_) => None,
        })
    }

    pub fn summary(&self) -> Summary {
        let mut summary = Summary {
            banks: banks(&self.steps),
            ..Summary::default()
        };
        for step in &self.steps {
            match step {
                Step::Erase(range) => {
                    summary.sectors_to_erase += 1;
                    summary.bytes_to_erase += range.len();
                }
                Step::Program(range) => summary.bytes_to_program += range.len(),
            }
        }
        summary
    }
}

/// The banks that these steps change. Of the steps that were carried out: the
/// banks that were begun. Of the steps that were not: the banks that are not
/// finished.
pub fn banks(steps: &[Step]) -> BTreeSet<Bank> {
    steps.iter().flat_map(|step| step.range().banks()).collect()
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{self:?}")]
pub enum PlanError {
    Sizes {
        flash: u32,
        current: usize,
        target: usize,
    },
    Layout,
}

/// The steps that turn `current`, the whole content of a flash, into `target`.
///
/// # Errors
/// Where the two and the layout are not of one size, or the layout's sectors
/// do not follow each other from 0 up. Nothing is ever planned in part.
pub fn plan(current: &[u8], target: &[u8], layout: &EraseLayout) -> Result<Plan, PlanError> {
    let flash = layout.size();
    if current.len() != flash as usize || target.len() != flash as usize {
        return Err(PlanError::Sizes {
            flash,
            current: current.len(),
            target: target.len(),
        });
    }
    if !layout.is_gapless() {
        return Err(PlanError::Layout);
    }

    let erased: Vec<FlashRange> = layout
        .sectors
        .iter()
        .copied()
        .filter(|sector| needs_erase(sector.of(current), sector.of(target)))
        .collect();
    let differs = |unit: FlashRange| is_to_be_programmed(unit, current, target, &erased);
    let mut steps = Vec::new();
    let program = |region| runs(differs, region, layout.program_unit).map(Step::Program);
    for bank in Bank::all(flash).rev() {
        let ends_here = |sector: &&FlashRange| sector.banks().next_back() == Some(bank);
        steps.extend(erased.iter().filter(ends_here).copied().map(Step::Erase));
        let (_, rest) = split(bank, flash);
        steps.extend(program(rest));
    }
    for bank in Bank::all(flash).rev() {
        let (first_page, _) = split(bank, flash);
        steps.extend(program(first_page));
    }
    Ok(Plan { steps })
}

/// The content that results when the bytes of `wanted`, but for those of
/// `keep`, are taken from `image` and all others stay as they are in `current`.
/// Bytes that the image does not reach stay as well.
pub fn merge(current: &[u8], image: &[u8], wanted: &[FlashRange], keep: &[FlashRange]) -> Vec<u8> {
    let mut target = current.to_vec();
    let mut copy = |range: &FlashRange, from: &[u8]| {
        for (to, from) in range.of_mut(&mut target).iter_mut().zip(range.of(from)) {
            *to = *from;
        }
    };
    for range in wanted {
        copy(range, image);
    }
    for range in keep {
        copy(range, current);
    }
    target
}

/// As [`merge`], with nothing but erased bytes in the place of an image: the
/// target of an erase.
pub fn blank(current: &[u8], wanted: &[FlashRange], keep: &[FlashRange]) -> Vec<u8> {
    merge(current, &vec![ERASED; current.len()], wanted, keep)
}

/// Whether a unit does not hold the target once these sectors, ascending, are
/// erased. Without a copy of the flash, which can be 2 MiB.
fn is_to_be_programmed(
    unit: FlashRange,
    current: &[u8],
    target: &[u8],
    erased: &[FlashRange],
) -> bool {
    let first = erased.partition_point(|sector| sector.end() <= unit.start());
    let sectors = &erased[first..];
    match sectors.first() {
        Some(sector) if sector.overlaps(unit) => (unit.start()..)
            .zip(unit.of(current).iter().zip(unit.of(target)))
            .any(|(at, (current, target))| {
                let is_erased = sectors
                    .iter()
                    .take_while(|sector| sector.start() <= at)
                    .any(|sector| sector.contains(Offset(at)));
                target != if is_erased { &ERASED } else { current }
            }),
        _ => unit.of(current) != unit.of(target),
    }
}

/// Programming only clears bits: one that has to be set needs an erase.
fn needs_erase(current: &[u8], target: &[u8]) -> bool {
    current
        .iter()
        .zip(target)
        .any(|(current, target)| current & target != *target)
}

/// A bank's first page and the rest of it, as far as the flash reaches.
fn split(bank: Bank, flash: u32) -> (FlashRange, FlashRange) {
    let start = bank.range().start();
    let end = bank.range().end().min(flash);
    let middle = start.saturating_add(PAGE_SIZE).min(end);
    (FlashRange::new(start, middle), FlashRange::new(middle, end))
}

/// The runs of program units in `region` in which the two contents differ.
/// Units larger than a page are taken as pages, which end where regions end.
fn runs(
    differs: impl Fn(FlashRange) -> bool,
    region: FlashRange,
    unit: u32,
) -> impl Iterator<Item = FlashRange> {
    let unit = unit.clamp(1, PAGE_SIZE);
    let unit_at =
        move |start: u32| FlashRange::new(start, start.saturating_add(unit).min(region.end()));
    let mut next = region.start();
    std::iter::from_fn(move || {
        let mut run: Option<FlashRange> = None;
        while next < region.end() {
            let here = unit_at(next);
            next = here.end();
            match (&mut run, differs(here)) {
                (Some(run), true) => *run = FlashRange::new(run.start(), here.end()),
                (None, true) => run = Some(here),
                (Some(_), false) => break,
                (None, false) => {}
            }
        }
        run
    })
}

#[cfg(test)]
mod tests;
