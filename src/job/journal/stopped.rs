//! Whether a plan that stopped somewhere can have left a flash as it is now.
//!
//! A run carries its plan out step by step. Of a run that ended too early some first
//! steps are done, the next one may be done in part, and none of the others is begun:
//! a flash that no such point explains was left by something else, and is perhaps
//! another drive's.

use super::trace::is_half_erased;
use crate::flash::{EraseLayout, FlashRange, PAGE_SIZE};
use crate::plan::{self, ERASED, Step};

/// Bytes that an erase may have left as they were, or not quite: more are no weak
/// cells.
const WEAK: usize = 4;

/// Whether one run from `before` to `after` can have left this in `sectors`.
pub(in crate::job) fn can_leave(
    now: &[u8],
    before: &[u8],
    after: &[u8],
    layout: &EraseLayout,
    sectors: &[FlashRange],
) -> bool {
    let Ok(plan) = plan::plan(before, after, layout) else {
        return false;
    };
    let mut run = Run {
        now,
        before,
        after,
        is_erased: vec![false; layout.sectors.len()],
        layout,
        state: before.to_vec(),
    };
    let seen = |range: FlashRange| sectors.iter().map(move |sector| range.common(*sector));
    let differs = |run: &Run, range: FlashRange| {
        let parts = seen(range).filter(|part| !part.is_empty());
        parts.map(|part| run.differs(part)).sum()
    };
    let whole = FlashRange::new(0, layout.size());
    let mut all: Differs = differs(&run, whole);
    for step in &plan.steps {
        let here = differs(&run, step.range());
        let elsewhere = all - here;
        let is_begun = |part: FlashRange| part.is_empty() || run.is_begun(*step, part);
        if elsewhere.is_explained() && seen(step.range()).all(is_begun) {
            return true;
        }
        run.carry_out(*step);
        all = elsewhere + differs(&run, step.range());
    }
    all.is_explained()
}

/// A run as far as it has come.
struct Run<'a> {
    now: &'a [u8],
    before: &'a [u8],
    after: &'a [u8],
    layout: &'a EraseLayout,
    /// By the number of the sector.
    is_erased: Vec<bool>,
    /// What the flash holds then.
    state: Vec<u8>,
}

impl Run<'_> {
    fn carry_out(&mut self, step: Step) {
        match step {
            Step::Erase(sector) => {
                sector.of_mut(&mut self.state).fill(ERASED);
                let number = self.sector_at(sector.start());
                if let Some(is_erased) = self.is_erased.get_mut(number) {
                    *is_erased = true;
                }
            }
            Step::Program(range) => range
                .of_mut(&mut self.state)
                .copy_from_slice(range.of(self.after)),
        }
    }

    fn is_erased_at(&self, at: u32) -> bool {
        self.is_erased
            .get(self.sector_at(at))
            .copied()
            .unwrap_or_default()
    }

    fn sector_at(&self, at: u32) -> usize {
        let sectors = &self.layout.sectors;
        sectors.partition_point(|sector| sector.end() <= at)
    }

    fn differs(&self, range: FlashRange) -> Differs {
        let mut differs = Differs::default();
        let both = range.of(self.now).iter().zip(range.of(&self.state));
        for (at, (now, state)) in (range.start()..).zip(both) {
            if now == state {
                continue;
            }
            // A bit that did not rise was clear before; programming clears more.
            let held = self.before.get(at as usize).copied().unwrap_or(ERASED);
            let is_weak = self.is_erased_at(at) && state & !now & held == 0 && now & !state == 0;
            match is_weak {
                true => differs.weak += 1,
                false => differs.otherwise += 1,
            }
        }
        differs
    }

    /// Whether this step, cut off anywhere, can have left `part` of it as it is.
    fn is_begun(&self, step: Step, part: FlashRange) -> bool {
        let (now, state) = (part.of(self.now), part.of(&self.state));
        match step {
            Step::Erase(_) => now.iter().all(|byte| *byte == ERASED) || is_half_erased(now, state),
            Step::Program(_) => {
                let after = part.of(self.after);
                let held = part.of(self.before);
                let weak = |((now, after), held): ((&u8, &u8), &u8)| after & !now & !held;
                let all = || now.iter().zip(after).zip(held);
                // As if those bits had risen that an erase may have left clear.
                let risen: Vec<u8> = match self.is_erased_at(part.start()) {
                    true => now
                        .iter()
                        .zip(all().map(weak))
                        .map(|(now, weak)| now | weak)
                        .collect(),
                    false => now.to_vec(),
                };
                let is_weak = |(now, risen): &(&u8, &u8)| now != risen;
                now.iter().zip(&risen).filter(is_weak).count() <= WEAK
                    && is_half_programmed(&risen, state, after)
            }
        }
    }
}

/// Whether programming that was cut off can have left this: pages that are done, and
/// one in which any of the bits may be clear that are to be.
fn is_half_programmed(now: &[u8], before: &[u8], after: &[u8]) -> bool {
    let bytes = || now.iter().zip(before).zip(after);
    let is_odd = |((now, before), after): ((&u8, &u8), &u8)| now != before && now != after;
    let mut odd = bytes().enumerate().filter(|(_, byte)| is_odd(*byte));
    let first = odd.next().map(|(at, _)| at);
    let last = odd.next_back().map(|(at, _)| at).or(first);
    let is_one_page = last.unwrap_or_default() - first.unwrap_or_default() < PAGE_SIZE as usize;
    is_one_page
        && bytes().all(|((now, before), after)| now & !before == 0 && before & after & !now == 0)
}

/// Bytes that are not as a run has them that has come so far.
#[derive(Debug, Clone, Copy, Default)]
struct Differs {
    weak: usize,
    otherwise: usize,
}

impl Differs {
    fn is_explained(self) -> bool {
        self.otherwise == 0 && self.weak <= WEAK
    }
}

impl std::ops::Add for Differs {
    type Output = Differs;

    fn add(self, other: Differs) -> Differs {
        Differs {
            weak: self.weak + other.weak,
            otherwise: self.otherwise + other.otherwise,
        }
    }
}

impl std::ops::Sub for Differs {
    type Output = Differs;

    fn sub(self, other: Differs) -> Differs {
        Differs {
            weak: self.weak - other.weak,
            otherwise: self.otherwise - other.otherwise,
        }
    }
}

impl std::iter::Sum for Differs {
    fn sum<I: Iterator<Item = Differs>>(all: I) -> Differs {
        all.fold(Differs::default(), |all, one| all + one)
    }
}
