//! Reading a flash so that the bytes can be relied on: every byte twice, in
//! two passes over a bank, and again where the two differ.

use std::borrow::Cow;

use super::event::{Event, Phase};
use super::{Job, JobError, Refusal, Selection};
use crate::flash::ranges::{bytes_of, joined, without};
use crate::flash::{FlashRange, Offset};
use crate::image::Checksum;
use crate::protocol::vendor_mode::reported;
use crate::protocol::{DeviceError, Reading, Tried};

/// JungleFlasher gives up on a byte after this many disagreements.
pub(super) const ATTEMPTS: u32 = 16;

/// What was read, and how well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dump {
    /// A whole flash; FF where nothing was read.
    pub bytes: Vec<u8>,
    /// What was read, ascending.
    pub ranges: Vec<FlashRange>,
    /// What the drive refused to have read, ascending; FF stands in its place.
    pub gaps: Vec<FlashRange>,
    /// How often two reads of a block differed.
    pub disagreements: u32,
}

impl Dump {
    /// The bytes that were read, without what lies between them.
    pub fn selected(&self) -> Cow<'_, [u8]> {
        if self.is_whole() {
            return Cow::Borrowed(&self.bytes);
        }
        let parts: Vec<&[u8]> = self
            .ranges
            .iter()
            .map(|range| range.of(&self.bytes))
            .collect();
        parts.concat().into()
    }

    /// Whether the whole flash was read.
    pub fn is_whole(&self) -> bool {
        bytes_of(&self.ranges) == self.bytes.len() as u64
    }
}

/// Lays `content` out over a flash of `size` bytes, FF outside the ranges.
pub(super) fn lay_out(content: &[u8], size: usize, ranges: &[FlashRange]) -> Option<Vec<u8>> {
    let mut flash = vec![0xFF; size];
    let mut rest = content;
    for range in ranges {
        let (part, after) = rest.split_at_checked(range.len() as usize)?;
        range.of_mut(&mut flash).copy_from_slice(part);
        rest = after;
    }
    rest.is_empty().then_some(flash)
}

/// Reads the selected part of a flash, every byte at least twice.
///
/// # Errors
/// [`JobError::Unstable`] where a byte keeps reading differently;
/// [`Refusal::Unreadable`] where this device cannot be read.
pub fn read(job: &mut Job, selection: &Selection) -> Result<Dump, JobError> {
    let ranges = job.ranges(selection)?;
    read_ranges(job, ranges)
}

/// As [`read`]; `ranges` are ascending, disjoint and each within a bank.
pub(super) fn read_ranges(job: &mut Job, ranges: Vec<FlashRange>) -> Result<Dump, JobError> {
    let block = block_size(job)?;
    let size = job.device.capabilities().size as usize;
    let phase = Phase::Read;
    job.send(Event::Started {
        phase,
        bytes: 2 * bytes_of(&ranges),
    });
    let mut dump = Dump {
        bytes: vec![0xFF; size],
        ranges,
        gaps: Vec::new(),
        disagreements: 0,
    };
    // Two reads that agree prove no more than that the answers repeat: a bank
    // counts as read when the chip was idle before and after it.
    job.prove_idle()?;
    for range in dump.ranges.clone() {
        let bank = Offset(range.start()).bank();
        job.send(Event::Bank { phase, bank });
        let mut first = vec![0; range.len() as usize];
        one_pass(job, range, block, &mut first, &mut dump.gaps)?;
        let second = range.of_mut(&mut dump.bytes);
        one_pass(job, range, block, second, &mut dump.gaps)?;
        let starts = (range.start()..).step_by(block as usize);
        let blocks = first
            .chunks_mut(block as usize)
            .zip(second.chunks_mut(block as usize));
        for (start, (first, second)) in starts.zip(blocks) {
            if dump.gaps.iter().any(|gap| gap.contains(Offset(start))) {
                second.fill(0xFF);
                continue;
            }
            dump.disagreements += settle(job, Offset(start), first, second)?;
        }
        job.prove_idle()?;
        dump.gaps = joined(dump.gaps);
        read_windows(job, range, block, &mut dump)?;
        // The sum of what stands for a bank that nobody has seen says nothing.
        if !dump
            .gaps
            .iter()
            .any(|gap| gap.start() <= range.start() && range.end() <= gap.end())
        {
            let sum = Some(Checksum::of(range.of(&dump.bytes)));
            job.send(Event::BankDone { phase, bank, sum });
        }
    }
    job.send(Event::Finished { phase });
    Ok(dump)
}

/// Reads the windows of a refused range that the drive may still give: see
/// [`Capabilities::windows`](crate::protocol::Capabilities).
fn read_windows(
    job: &mut Job,
    range: FlashRange,
    block: u32,
    dump: &mut Dump,
) -> Result<(), JobError> {
    let windows = job.device.capabilities().windows;
    let is_missing = |window: &&FlashRange| {
        let is_in =
            |outer: &FlashRange| outer.start() <= window.start() && window.end() <= outer.end();
        is_in(&range) && dump.gaps.iter().any(is_in)
    };
    let missing: Vec<FlashRange> = windows.iter().filter(is_missing).copied().collect();
    for window in missing {
        let starts = (window.start()..window.end()).step_by(block as usize);
        for start in starts {
            let piece = FlashRange::new(start, start.saturating_add(block).min(window.end()));
            let mut first = vec![0; piece.len() as usize];
            let mut second = first.clone();
            let at = Offset(start);
            if read_unless_refused(job, at, &mut first)?.is_some()
                || read_unless_refused(job, at, &mut second)?.is_some()
            {
                break;
            }
            dump.disagreements += settle(job, at, &mut first, &mut second)?;
            piece.of_mut(&mut dump.bytes).copy_from_slice(&second);
            dump.gaps = without(&dump.gaps, &[piece]);
        }
    }
    Ok(())
}

/// The whole flash, of which `dump` holds a part: the rest is read once, enough to
/// look for names in and nothing else.
pub(super) fn with_the_rest(job: &mut Job, dump: &Dump) -> Result<Vec<u8>, JobError> {
    let block = block_size(job)?;
    let phase = Phase::Read;
    let mut bytes = dump.bytes.clone();
    let all = job.ranges(&Selection::Everything)?;
    let rest = without(&all, &dump.ranges);
    job.send(Event::Started {
        phase,
        bytes: bytes_of(&rest),
    });
    for range in rest {
        let bank = Offset(range.start()).bank();
        job.send(Event::Bank { phase, bank });
        one_pass(job, range, block, range.of_mut(&mut bytes), &mut Vec::new())?;
    }
    job.prove_idle()?;
    job.send(Event::Finished { phase });
    Ok(bytes)
}

/// As a dump of the whole flash, the rest read as [`read`] does.
pub(super) fn whole(job: &mut Job, dump: &Dump) -> Result<Dump, JobError> {
    let all = job.ranges(&Selection::Everything)?;
    let mut whole = read_ranges(job, without(&all, &dump.ranges))?;
    for range in &dump.ranges {
        let read = range.of(&dump.bytes);
        range.of_mut(&mut whole.bytes).copy_from_slice(read);
    }
    whole.ranges = all;
    whole.gaps.extend(&dump.gaps);
    whole.gaps.sort_by_key(|gap| gap.start());
    whole.disagreements += dump.disagreements;
    Ok(whole)
}

/// How many bytes a read takes at once.
///
/// # Errors
/// A [`Refusal`] for a drive that cannot be read.
pub fn block_size(job: &Job) -> Result<u32, JobError> {
    match &job.device.capabilities().reading {
        Reading::Blocks(block) => Ok(*block),
        Reading::Impossible(why) => {
            let why = *why;
            Err(match answers_vendor_mode(job) {
                Some(model) => Refusal::UnreadableByPackets { why, model }.into(),
                None => Refusal::Unreadable(why).into(),
            })
        }
    }
}

/// The model of a drive that is reported to answer vendor mode.
pub(super) fn answers_vendor_mode(job: &Job) -> Option<&'static str> {
    let info = job.device.info();
    let reported = reported::of(info.identity.as_ref()?)?;
    let is_packets = matches!(info.tried, Some(Tried::Packets(_)));
    (is_packets && reported.answers).then_some(reported.model)
}

fn one_pass(
    job: &mut Job,
    range: FlashRange,
    block: u32,
    into: &mut [u8],
    gaps: &mut Vec<FlashRange>,
) -> Result<(), JobError> {
    let starts = (range.start()..).step_by(block as usize);
    for (start, block) in starts.zip(into.chunks_mut(block as usize)) {
        if gaps.iter().all(|gap| !gap.contains(Offset(start))) {
            gaps.extend(read_unless_refused(job, Offset(start), block)?);
        }
        job.send(Event::Progress {
            phase: Phase::Read,
            bytes: block.len() as u64,
        });
    }
    Ok(())
}

pub(super) fn read_block(job: &mut Job, at: Offset, into: &mut [u8]) -> Result<(), JobError> {
    job.check_stop()?;
    job.device.read(at, into).map_err(JobError::before_change)
}

/// As [`read_block`], but returns the range that the drive refuses to have read.
/// It is asked twice: a refusal by mistake would be a hole in a backup.
pub(super) fn read_unless_refused(
    job: &mut Job,
    at: Offset,
    into: &mut [u8],
) -> Result<Option<FlashRange>, JobError> {
    let is_refused = |answer: &Result<(), JobError>| {
        let refused = |source: &DeviceError| matches!(source, DeviceError::Refused { .. });
        matches!(answer, Err(JobError::Device { source, .. }) if refused(source))
    };
    let mut answer = read_block(job, at, into);
    if is_refused(&answer) {
        answer = read_block(job, at, into);
    }
    match answer {
        Ok(()) => Ok(None),
        Err(JobError::Device {
            source: DeviceError::Refused { range, sense },
            ..
        }) => {
            job.send(Event::Gap {
                range,
                reason: sense.to_string(),
            });
            Ok(Some(range))
        }
        Err(error) => Err(error),
    }
}

/// Reads a block again until two reads after each other agree; `latest` then
/// holds what they agree on. Returns how often they did not.
pub(super) fn settle(
    job: &mut Job,
    at: Offset,
    previous: &mut [u8],
    latest: &mut [u8],
) -> Result<u32, JobError> {
    let mut disagreements = 0;
    while let Some((index, (first, second))) = first_difference(previous, latest) {
        let place = Offset(at.0.saturating_add(index));
        disagreements += 1;
        job.send(Event::Disagreement {
            at: place,
            first,
            second,
        });
        if disagreements == ATTEMPTS {
            job.prove_idle()?;
            return Err(JobError::Unstable {
                at: place,
                first,
                second,
                attempts: ATTEMPTS,
                flash: super::FlashState::Unchanged,
            });
        }
        previous.copy_from_slice(latest);
        read_block(job, at, latest)?;
    }
    Ok(disagreements)
}

/// The first place where two blocks differ, and what they hold there.
pub(super) fn first_difference(left: &[u8], right: &[u8]) -> Option<(u32, (u8, u8))> {
    // Blocks are mostly equal, and comparing them whole is much faster.
    if left == right {
        return None;
    }
    (0..)
        .zip(left.iter().copied().zip(right.iter().copied()))
        .find(|(_, (left, right))| left != right)
}
