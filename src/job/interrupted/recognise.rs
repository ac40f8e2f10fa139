//! What a flash that was read shows of the changes that may have been made to it, and
//! whose they were by that.

use std::path::PathBuf;
use std::sync::Arc;

use super::find::Open;
use super::{
    Change, Closing, Lost, Notice, Start, Unfinished, Who, is_read, is_within, notices_of,
};
use crate::flash::ranges::{overlap, without};
use crate::flash::{EraseLayout, FlashRange, PAGE_SIZE};
use crate::image::{Crc32, identity};
use crate::job::journal::trace::{self, State, Trace};
use crate::job::journal::{self, Piece, stopped};
use crate::job::read::Dump;
use crate::plan::ERASED;

/// All that is found of changes on a flash like the one that was read, each with what
/// that flash shows of it.
#[derive(Debug)]
pub(in crate::job) struct Recognised {
    /// The nearest first, and the oldest of those.
    pub intact: Vec<(Unfinished, Trace)>,
    pub lost: Vec<(Lost, Trace)>,
    /// What may tell of more of them and cannot be read.
    pub unread: Vec<PathBuf>,
}

impl Open {
    /// The same, now that the flash has been read: at least what is about to change,
    /// and all that these changes were about. `same` is what the change that is about
    /// to be made makes of the flash from before one of these, where the two are the
    /// same; `layout` is that of a drive which is changed in place.
    ///
    /// A serial number proves less than it should, as there are models of which all
    /// drives say the same one: a flash that a change cannot have left is held for that
    /// of a twin, and so is one that shows a change of its own place.
    pub fn recognised(
        self,
        seen: &Dump,
        layout: Option<&EraseLayout>,
        same: impl Fn(&Unfinished) -> Option<Arc<Vec<u8>>>,
    ) -> Recognised {
        let targets: Vec<&[u8]> = self.targets().collect();
        let traces = self.intact.iter().map(|one| {
            let asked = same(one);
            one.trace(seen, asked.as_deref().map(Vec::as_slice), &targets, layout)
        });
        let traces: Vec<Trace> = traces.collect();
        let lost = self.lost.iter().map(|one| one.trace(seen, layout));
        let lost_traces: Vec<Trace> = lost.collect();
        let who = self.who(seen, layout, &traces, &lost_traces);
        let intact = self.intact.into_iter().zip(who);
        let intact = intact.map(|(one, who)| Unfinished { who, ..one });
        let mut recognised = Recognised {
            intact: intact.zip(traces).collect(),
            lost: self.lost.into_iter().zip(lost_traces).collect(),
            unread: self.unread,
        };
        let by_nearness = |(one, _): &(Unfinished, Trace)| (one.who, one.record.date);
        recognised.intact.sort_by_key(by_nearness);
        recognised.leave_out_others(seen);
        recognised
    }

    /// Whose each of the intact ones is, by what the flash shows of all of them.
    fn who(
        &self,
        seen: &Dump,
        layout: Option<&EraseLayout>,
        traces: &[Trace],
        lost_traces: &[Trace],
    ) -> Vec<Who> {
        let is_here = |who: Who, trace: Trace| {
            matches!(who, Who::Serial | Who::Place) && trace.state == State::Partial
        };
        let lost = self.lost.iter().zip(lost_traces);
        let lost: Vec<&Lost> = lost
            .filter(|(one, trace)| is_here(one.who, **trace))
            .map(|(one, _)| one)
            .collect();
        // One at this place that is settled may be this drive's all the same: a twin that
        // says the same number and holds what was to be there settles it.
        let is_own = |one: &Unfinished, trace: Trace| {
            is_here(one.who, trace) || one.was_here && trace.state == State::Partial
        };
        let mut intact = self.intact.iter().zip(traces);
        let has_own = intact.any(|(one, trace)| is_own(one, *trace)) || !lost.is_empty();
        // One that was begun later at the same place, without going on with this one's
        // backup, was of a drive that had come there since.
        let is_displaced = |one: &Unfinished| {
            lost.iter().any(|lost| {
                lost.who == Who::Place
                    && lost.crc32 != Some(one.record.crc32)
                    && lost.date >= one.record.date
            })
        };
        let targets: Vec<&[u8]> = self.targets().collect();
        let has_failed = |one: &Unfinished| {
            layout.is_some_and(|layout| one.may_have_left(seen, &targets, layout))
        };
        let intact = self.intact.iter().zip(traces);
        let who = intact.map(|(one, trace)| {
            let is_explained = trace.state != State::Other || !one.is_within(seen);
            match one.who {
                Who::Place if is_displaced(one) => Who::Elsewhere,
                Who::Serial if !is_explained && !has_failed(one) => Who::Place,
                Who::Moved if !is_explained => Who::Unknown,
                // What several attempts have left fits many a flash.
                Who::Moved if one.began_mixed() => Who::Elsewhere,
                Who::Moved if has_own || trace.state == State::Untouched => Who::Elsewhere,
                who => who,
            }
        });
        who.collect()
    }

    fn targets(&self) -> impl Iterator<Item = &[u8]> {
        self.intact.iter().filter_map(|one| one.target.as_deref())
    }
}

/// Whether a flash that shows this may have been left by a change of a drive that is
/// known so.
pub(super) fn concerns(trace: Trace, who: Who, entry: Option<&journal::Found>) -> bool {
    let is_open = entry.is_none_or(|found| found.entry.is_open());
    match (trace.state, who) {
        (State::Untouched, _) => false,
        // What is there was to be there, and no entry says that it was never looked at:
        // of that run the record alone could not be written again.
        (State::Finished, _) if entry.is_none() => false,
        (State::Partial, _) => true,
        (_, Who::Serial | Who::Moved | Who::Place) => true,
        (State::Finished, Who::Unknown | Who::Elsewhere) => is_open,
        (State::Other, Who::Unknown) => trace.is_kin,
        (State::Other, Who::Elsewhere) => false,
    }
}

impl Recognised {
    /// Leaves out what was to be made of drives that are elsewhere, where the flash holds
    /// all that the like could have left, as a change found it that was to be made of this
    /// one and has come to nothing: that knew of the others, or came before them.
    fn leave_out_others(&mut self, seen: &Dump) {
        let as_found = self.intact.iter().filter(|(one, trace)| {
            one.who.is_this()
                && trace.state == State::Untouched
                && one.is_within(seen)
                && !one.began_mixed()
                && !one.record.half_written
        });
        let as_found = as_found.map(|(one, _)| one.covered.clone());
        // The note of one whose backup is gone shows as much.
        let lost = self.lost.iter().filter(|(one, trace)| {
            let entry = one.entry.as_ref().map(|found| &found.entry);
            one.who.is_this()
                && trace.state == State::Untouched
                && is_within(&one.covered, seen)
                && entry.is_some_and(|entry| !entry.mixed && !entry.has_half_written())
        });
        let lost = lost.map(|(one, _)| one.covered.clone());
        let as_found: Vec<Vec<FlashRange>> = as_found.chain(lost).collect();
        let is_another = |who: Who, covered: &[FlashRange]| {
            let mut as_found = as_found.iter();
            who == Who::Elsewhere && as_found.any(|known| without(covered, known).is_empty())
        };
        self.intact
            .retain(|(one, _)| !is_another(one.who, &one.covered));
        self.lost
            .retain(|(one, _)| !is_another(one.who, &one.covered));
    }

    /// Those that may have left this flash.
    pub(super) fn concerned(&self) -> impl Iterator<Item = &(Unfinished, Trace)> {
        let intact = self.intact.iter();
        intact.filter(|(one, trace)| concerns(*trace, one.who, one.entry.as_ref()))
    }

    /// The same, of those whose backups cannot be used.
    pub(super) fn gone(&self) -> impl Iterator<Item = &Lost> {
        let lost = self.lost.iter();
        let lost = lost.filter(|(one, trace)| concerns(*trace, one.who, one.entry.as_ref()));
        lost.map(|(one, _)| one)
    }

    /// Whether the flash may be a mixture.
    pub fn is_mixed(&self, seen: &Dump) -> bool {
        // Of a part that was not read nothing shows.
        let may_concern = |(one, trace): &(Unfinished, Trace)| match one.is_within(seen) {
            true => concerns(*trace, one.who, one.entry.as_ref()),
            false => one.who.is_this() && overlap(&one.covered, &seen.ranges),
        };
        self.intact.iter().any(may_concern)
            || self.gone().next().is_some()
            || !self.unread.is_empty()
    }

    /// The entries of what is under way in this flash, or is gone on with: what is noted
    /// next takes their place.
    pub fn under_way(&self, start: &Start) -> Vec<journal::Found> {
        let is_under_way = |who: Who, trace: &Trace| {
            who.is_this() && matches!(trace.state, State::Partial | State::Finished)
        };
        let begun = match start {
            Start::Resumed(begun) => begun.entry.as_ref(),
            Start::Here | Start::After(_) | Start::Mixed => None,
        };
        let intact = self.intact.iter();
        let intact = intact.filter(|(one, trace)| is_under_way(one.who, trace));
        let lost = self.lost.iter();
        let lost = lost.filter(|(one, trace)| is_under_way(one.who, trace));
        let entries = intact.map(|(one, _)| one.entry.as_ref());
        let entries = entries.chain(lost.map(|(one, _)| one.entry.as_ref()));
        entries.flatten().chain(begun).cloned().collect()
    }

    /// The entries of what stays open and is written over by this change, which does not
    /// go on with it.
    pub fn written_over(&self, change: &Change, over: &[Closing]) -> Vec<journal::Found> {
        let is_begun = |trace: &Trace| matches!(trace.state, State::Partial | State::Finished);
        let begun = self.intact.iter().filter(|(one, trace)| {
            let may_be_this = one.who.is_this() || trace.state == State::Partial;
            may_be_this && is_begun(trace) && one.overlaps(&change.dump.ranges)
        });
        let is_over = |entry: &journal::Found| over.iter().any(|one| one.is_of(entry));
        let begun = begun.filter_map(|(one, _)| one.entry.as_ref());
        begun.filter(|entry| !is_over(entry)).cloned().collect()
    }

    /// What the user should know where this run goes on with none of them.
    pub fn notices(&self) -> Vec<Notice> {
        let intact = self.concerned().map(|(one, _)| one.notice());
        notices_of(intact, self.gone(), &self.unread)
    }
}

impl Unfinished {
    /// What the flash shows of this change; `asked` is what it was to make of the flash
    /// where it is the one that is wanted now, `others` are the targets of other changes
    /// of such a flash.
    fn trace(
        &self,
        seen: &Dump,
        asked: Option<&[u8]>,
        others: &[&[u8]],
        layout: Option<&EraseLayout>,
    ) -> Trace {
        let trace = self.trace_in(seen, asked, others, layout);
        let since = self.written_since();
        // By itself it cannot have left that. With what was written since it may have, and
        // its drive be at this place by now.
        match (trace.state, self.who) {
            (State::Other, Who::Elsewhere) if !since.is_empty() => {
                let rest = Dump {
                    ranges: without(&seen.ranges, since),
                    ..seen.clone()
                };
                self.trace_in(&rest, asked, others, layout)
            }
            _ => trace,
        }
    }

    fn trace_in(
        &self,
        seen: &Dump,
        asked: Option<&[u8]>,
        others: &[&[u8]],
        layout: Option<&EraseLayout>,
    ) -> Trace {
        let now = &seen.bytes;
        let target = self.target.as_deref().or(asked);
        let mut pieces = match &self.entry {
            Some(found) => found.entry.pieces(),
            None => trace::pieces(&self.flash, target, &self.covered),
        };
        pieces.retain(|piece| is_read(piece.range, seen));
        // One change in the middle of another keeps no order.
        let in_order = layout.filter(|_| !self.began_mixed());
        let mut trace = trace::of(&pieces, now, in_order);
        if self.entry.is_none() && self.is_what_was_wanted(seen) {
            trace.state = State::Finished;
        }
        let (State::Partial, Some(target)) = (trace.state, target) else {
            return trace;
        };
        let is_possible = match layout {
            Some(layout) => {
                let sectors = self.sectors(seen, layout);
                match self.began_mixed() {
                    false => {
                        let can_leave = |now: &[u8]| {
                            stopped::can_leave(now, &self.flash, target, layout, &sectors)
                        };
                        let has_taken_all = |now: &[u8]| {
                            let as_taken = self.as_taken(now, target);
                            as_taken.is_some_and(|now| can_leave(&now))
                        };
                        can_leave(now) || has_taken_all(now)
                    }
                    true => {
                        let targets: Vec<&[u8]> = [target].iter().chain(others).copied().collect();
                        trace::is_among(now, &self.flash, &targets, &sectors)
                    }
                }
            }
            // What such a drive writes into by itself is known where it is asked.
            None => {
                let target = asked.unwrap_or(target);
                self.began_mixed() || trace::is_between(now, &self.flash, target)
            }
        };
        match is_possible {
            true => trace,
            false => Trace {
                state: State::Other,
                ..trace
            },
        }
    }

    /// Whether the flash holds what this change was to make of it, by the sum in its
    /// record.
    fn is_what_was_wanted(&self, seen: &Dump) -> bool {
        holds(self.record.before_writing, &self.covered, seen)
    }

    /// What the flash would hold, had the chip of this drive taken the byte that it did
    /// not take when this change was made, and the others of its page: what comes after
    /// that may have been done all the same.
    fn as_taken(&self, now: &[u8], target: &[u8]) -> Option<Vec<u8>> {
        let entry = self.entry.as_ref().map(|found| &found.entry)?;
        // That fits many a flash, and there are drives that all say the same number.
        let is_here = matches!(self.who, Who::Serial | Who::Place);
        let at = entry.failed_at.filter(|_| is_here)?;
        let start = at - at % PAGE_SIZE;
        let page = FlashRange::new(start, start.saturating_add(PAGE_SIZE).min(entry.size));
        let [held, before, after] = [now, &self.flash, target].map(|flash| page.of(flash));
        let mut taken = now.to_vec();
        trace::is_between(held, before, after).then(|| {
            page.of_mut(&mut taken).copy_from_slice(after);
            taken
        })
    }

    /// The sectors of this change that were read.
    fn sectors(&self, seen: &Dump, layout: &EraseLayout) -> Vec<FlashRange> {
        let is_here = |sector: &&FlashRange| {
            without(&[**sector], &self.covered).is_empty() && is_read(**sector, seen)
        };
        layout.sectors.iter().filter(is_here).copied().collect()
    }

    /// Whether this change, in a chip that does not do all that it is told, and others
    /// to `targets` can have left this flash.
    fn may_have_left(&self, seen: &Dump, targets: &[&[u8]], layout: &EraseLayout) -> bool {
        let sectors = self.sectors(seen, layout);
        targets.is_empty() || trace::is_residue(&seen.bytes, &self.flash, targets, &sectors)
    }
}

impl Lost {
    fn trace(&self, seen: &Dump, layout: Option<&EraseLayout>) -> Trace {
        let Some(found) = &self.entry else {
            // A record says nothing of what was in the flash.
            return Trace {
                state: match holds(self.wanted, &self.covered, seen) {
                    true => State::Finished,
                    false => State::Other,
                },
                is_kin: false,
            };
        };
        let layout = layout.filter(|_| !found.entry.mixed);
        let mut pieces = found.entry.pieces();
        pieces.retain(|piece| is_read(piece.range, seen));
        let trace = trace::of(&pieces, &seen.bytes, layout);
        // What that change has found was on its way already.
        let began_mixed = found.entry.mixed && found.entry.backup().is_none();
        match trace.state {
            State::Partial if !found.entry.mixed && is_other_firmware(&pieces, seen) => Trace {
                state: State::Other,
                ..trace
            },
            State::Untouched if began_mixed => Trace {
                state: State::Partial,
                ..trace
            },
            _ => trace,
        }
    }
}

/// Whether the flash holds in `covered` what has the sum `wanted`, FF around it.
fn holds(wanted: Option<Crc32>, covered: &[FlashRange], seen: &Dump) -> bool {
    let mut flash = vec![ERASED; seen.bytes.len()];
    for range in covered {
        let read = range.of(&seen.bytes);
        range.of_mut(&mut flash).copy_from_slice(read);
    }
    is_within(covered, seen) && wanted == Some(Crc32::of(&flash))
}

/// Whether what a change can have left neither as it was nor as it is to be is another
/// firmware: it says who the drive is. An erase that was cut off says nothing, and
/// programming that was is in one piece, or two where a byte did not take it.
fn is_other_firmware(pieces: &[Piece], seen: &Dump) -> bool {
    const UNDER_WAY: usize = 2;
    let odd: Vec<&[u8]> = pieces
        .iter()
        .filter(|piece| piece.is_odd(&seen.bytes))
        .map(|piece| piece.range.of(&seen.bytes))
        .collect();
    odd.len() > UNDER_WAY && !identity::find(&odd.concat()).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: u32 = 0x1_0000;

    /// A flash of one byte throughout, and the name of a drive in it.
    fn flash(filler: u8, product: &str) -> Vec<u8> {
        let mut bytes = vec![filler; SIZE as usize];
        let mark = [0x05, 0x80, 0x00, 0x32, 0x5b, 0, 0, 0];
        let text = format!("LITE-ON {product:16}BYS12004/11/08 12:00");
        let name = [&mark[..], text.as_bytes()].concat();
        bytes[0x2345..0x2345 + name.len()].copy_from_slice(&name);
        bytes
    }

    #[test]
    fn what_says_who_it_is_and_no_write_has_left_is_another_firmware() {
        let before = flash(0x11, "DVD-ROM ONE");
        let target = flash(0x22, "DVD-ROM ONE");
        let covered = [FlashRange::new(0, SIZE)];
        let pieces = journal::trace::pieces(&before, Some(&target), &covered);
        let is_other = |bytes: Vec<u8>| {
            let seen = Dump {
                bytes,
                ranges: covered.to_vec(),
                gaps: Vec::new(),
                disagreements: 0,
            };
            is_other_firmware(&pieces, &seen)
        };
        assert!(is_other(flash(0x33, "DVD-ROM TWO")));
        assert!(is_other(flash(0x33, "DVD-ROM ONE")), "of the same model");

        assert!(!is_other(before.clone()));
        assert!(!is_other(target.clone()));
        assert!(!is_other(vec![0x33; SIZE as usize]), "it has no name");
        let mut programmed_in_part = before.clone();
        programmed_in_part[..0x3000].copy_from_slice(&target[..0x3000]);
        assert!(!is_other(programmed_in_part.clone()));
        programmed_in_part[0x3000..0x3080].fill(0x22);
        assert!(!is_other(programmed_in_part), "cut off within a piece");
        let mut erased_in_part = before;
        erased_in_part[..0x1800].fill(0);
        assert!(!is_other(erased_in_part), "cleared before it was erased");
    }
}
