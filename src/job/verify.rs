//! Comparing a flash with what it should hold.

use super::event::{Event, Phase};
use super::read::{Dump, block_size, first_difference, read_block, read_unless_refused, settle};
use super::{Job, JobError, Objection, Refusal, Selection, fit};
use crate::flash::ranges::{bytes_of, joined, without};
use crate::flash::{Bank, FlashRange, Offset};
use crate::image::{Checksum, Image, mt19xx};
use crate::plan::ERASED;
use crate::protocol::Writing;
use crate::protocol::download::{DownloadRules, Kept, Owned, Proof};

/// Where a flash and an image differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub first: Offset,
    pub expected: u8,
    pub found: u8,
    /// Bytes that differ.
    pub count: u64,
    /// Banks that hold such bytes, ascending.
    pub banks: Vec<Bank>,
}

/// What the flash holds, as read from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The sum of each part that was read; the part lies within the bank.
    pub sums: Vec<(Bank, Checksum)>,
    /// The sum over all of them.
    pub total: Checksum,
    pub difference: Option<Difference>,
    /// All of it was FF.
    pub is_blank: bool,
    /// How often two reads of a block differed.
    pub disagreements: u32,
    /// What the drive refused to have read, ascending; not compared and in no sum.
    pub gaps: Vec<FlashRange>,
    /// What the drive keeps for itself, whatever is sent; not compared.
    pub owned: Vec<Owned>,
}

/// Compares the selected part of the flash, but for `keep`, with an image. Returns as well
/// what stands against the places of the image's banks in a flash that is changed bank by
/// bank.
///
/// # Errors
/// An image that does not fit the flash or the selection, and what reading can
/// meet. A difference is not an error here.
pub fn verify(
    job: &mut Job,
    image: &Image,
    selection: &Selection,
    keep: &[FlashRange],
) -> Result<(Compared, Option<Objection>), JobError> {
    let ranges = job.ranges(selection)?;
    for range in keep {
        job.ranges(&Selection::Range(*range))?;
    }
    let size = job.device.capabilities().size;
    let expected = fit::spread(image, size, selection, &ranges)?;
    let mut held = Vec::new();
    let (scope, mut owned) = match &job.device.capabilities().writing {
        Writing::Download(rules) => provable(rules, &expected, &ranges),
        Writing::InPlace(_) | Writing::Impossible(_) => {
            held.resize(size as usize, ERASED);
            (ranges, Vec::new())
        }
    };
    let kept = joined(without(&scope, &without(&scope, keep)));
    let scope = without(&scope, keep);
    owned.extend(kept.into_iter().map(|range| Owned {
        range,
        kept: Kept::Wanted,
    }));
    let compared = compare(job, Phase::Verify, &expected, &scope, &mut held)?;
    if compared.sums.is_empty() {
        return Err(Refusal::NothingCompared.into());
    }
    let misplaced = match held.is_empty() || compared.difference.is_none() {
        true => None,
        false => {
            let dump = Dump {
                bytes: held,
                ranges: scope,
                gaps: compared.gaps.clone(),
                disagreements: compared.disagreements,
            };
            fit::misplaced(job, &expected, &dump)?
        }
    };
    Ok((Compared { owned, ..compared }, misplaced))
}

/// What of `ranges` a drive gives back as it was sent it, and what it does not.
/// `content` is a whole flash.
pub(super) fn provable(
    rules: &DownloadRules,
    content: &[u8],
    ranges: &[FlashRange],
) -> (Vec<FlashRange>, Vec<Owned>) {
    let mut owned = rules.owned.to_vec();
    let scope = without(ranges, &owned_ranges(&owned));
    if rules.proof == Proof::Everything {
        return (scope, owned);
    }
    let untagged = without(&scope, &mt19xx::protected_ranges(content));
    owned.extend(untagged.iter().map(|range| Owned {
        range: *range,
        kept: Kept::Untagged,
    }));
    (without(&scope, &untagged), owned)
}

pub(super) fn owned_ranges(owned: &[Owned]) -> Vec<FlashRange> {
    owned.iter().map(|owned| owned.range).collect()
}

/// Reads `ranges` once and compares them with those of `expected`, a whole
/// flash. A block that differs is read until two reads agree, so that a bad
/// read is not taken for bad flash. What was read of a bank counts when the chip
/// was idle before and after it. What was read stays in `held`, which is a whole flash,
/// or nothing.
pub(super) fn compare(
    job: &mut Job,
    phase: Phase,
    expected: &[u8],
    ranges: &[FlashRange],
    held: &mut [u8],
) -> Result<Compared, JobError> {
    let block = block_size(job)?;
    job.send(Event::Started {
        phase,
        bytes: bytes_of(ranges),
    });
    let mut compared = Compared {
        sums: Vec::new(),
        total: Checksum::default(),
        difference: None,
        is_blank: true,
        disagreements: 0,
        gaps: Vec::new(),
        owned: Vec::new(),
    };
    let mut found = vec![0; block as usize];
    let mut previous = found.clone();
    job.prove_idle()?;
    for range in ranges {
        let bank = Offset(range.start()).bank();
        job.send(Event::Bank { phase, bank });
        let mut sum = Checksum::default();
        let mut is_read = false;
        let starts = (range.start()..).step_by(block as usize);
        for (start, expected) in starts.zip(range.of(expected).chunks(block as usize)) {
            let at = Offset(start);
            let found = &mut found[..expected.len()];
            if let Some(gap) = read_unless_refused(job, at, found)? {
                compared.gaps.push(gap);
                continue;
            }
            is_read = true;
            if found != expected {
                let previous = &mut previous[..expected.len()];
                previous.copy_from_slice(found);
                read_block(job, at, found)?;
                compared.disagreements += settle(job, at, previous, found)?;
                note_difference(&mut compared.difference, at, expected, found);
            }
            if !held.is_empty() {
                at.range_of(found).of_mut(held).copy_from_slice(found);
            }
            compared.is_blank &= found.iter().all(|byte| *byte == ERASED);
            sum = sum.and(Checksum::of(found));
            job.send(Event::Progress {
                phase,
                bytes: expected.len() as u64,
            });
        }
        job.prove_idle()?;
        if is_read {
            match compared.sums.last_mut() {
                Some((last, of_bank)) if *last == bank => *of_bank = of_bank.and(sum),
                _ => compared.sums.push((bank, sum)),
            }
            compared.total = compared.total.and(sum);
        }
        let sum = is_read.then_some(sum);
        job.send(Event::BankDone { phase, bank, sum });
    }
    compared.gaps = joined(compared.gaps);
    job.send(Event::Finished { phase });
    Ok(compared)
}

fn note_difference(difference: &mut Option<Difference>, at: Offset, expected: &[u8], found: &[u8]) {
    let Some((index, (expected_byte, found_byte))) = first_difference(expected, found) else {
        return;
    };
    let count = expected.iter().zip(found).filter(|(e, f)| e != f).count() as u64;
    let difference = difference.get_or_insert(Difference {
        first: Offset(at.0 + index),
        expected: expected_byte,
        found: found_byte,
        count: 0,
        banks: Vec::new(),
    });
    difference.count += count;
    if difference.banks.last() != Some(&at.bank()) {
        difference.banks.push(at.bank());
    }
}
