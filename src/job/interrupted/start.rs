//! What a change starts from: the flash as it is, or an earlier change.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Closing, Doubt, Lost, Notice, Unfinished, Who, concerns, is_within, overlap};
use crate::flash::{EraseLayout, FlashRange};
use crate::image::Crc32;
use crate::job::journal::trace::{State, Trace, shares_content};
use crate::job::read::{Dump, without};
use crate::job::{Check, Forced, Refusal};
use crate::scsi::Identity;

/// All that is found of changes on a flash like this.
#[derive(Debug, Default)]
pub(in crate::job) struct Open {
    /// The oldest first.
    pub intact: Vec<Unfinished>,
    pub lost: Vec<Lost>,
    /// What may tell of more of them and cannot be read.
    pub unread: Vec<PathBuf>,
}

/// What is about to be done to a flash, as far as an earlier change matters.
pub(in crate::job) struct Change<'a> {
    pub dump: &'a Dump,
    /// At least that, and all that earlier changes were about.
    pub seen: &'a Dump,
    /// What this change makes of a flash.
    pub target: &'a dyn Fn(&[u8]) -> Arc<Vec<u8>>,
    /// The bytes that this change leaves as it finds them.
    pub retained: &'a [FlashRange],
    /// None for a drive that programs by itself.
    pub layout: Option<&'a EraseLayout>,
    /// The backup that its user names.
    pub backup: Option<&'a Path>,
}

/// What a change starts from.
#[derive(Debug)]
pub(in crate::job) enum Start {
    /// From what was read.
    Here,
    /// The same change was begun: it goes on from its backup.
    Resumed(Box<Unfinished>),
    /// Another change was begun on this drive, and what was in it before is in
    /// that backup.
    After(Box<Unfinished>),
    /// A change was begun that may have been this drive's: what was read is
    /// perhaps a mixture, and no way back.
    Mixed,
}

impl Change<'_> {
    /// Whether nothing of what is read is to stay.
    fn is_whole(&self) -> bool {
        self.retained.is_empty()
    }

    /// What this change makes of what was in the flash before another one, where the
    /// two are the same.
    fn target_of(&self, begun: &Unfinished) -> Option<Arc<Vec<u8>>> {
        if !begun.covers_exactly(&self.dump.ranges) {
            return None;
        }
        let target = (self.target)(&begun.flash);
        let is_same = begun.before_writing() == Some(Crc32::of(&target));
        is_same.then_some(target)
    }
}

/// Whether a change was this drive's, and is not over.
fn is_certain(one: &Unfinished, trace: Trace) -> bool {
    match one.who {
        Who::Serial => true,
        Who::Moved | Who::Place => trace.state == State::Partial,
        Who::Unknown | Who::Elsewhere => false,
    }
}

/// Whether a change at another place was of another drive than the one that `known` says
/// this is, by all that it could have left in it.
fn is_of_another(
    known: Option<&Unfinished>,
    who: Who,
    serial: Option<&str>,
    covered: &[FlashRange],
) -> bool {
    let Some(known) = known else {
        return false;
    };
    let is_another = serial.is_some() && serial != known.serial();
    who == Who::Elsewhere && is_another && without(covered, &known.covered).is_empty()
}

/// The only one, or the oldest where all of them are of one drive by its serial number
/// or hold the same. Two of one place may be of two drives.
fn first_of<'a>(all: &[&'a Unfinished]) -> Option<&'a Unfinished> {
    let first = *all.first()?;
    let mut others = all.iter().filter(|one| one.who == first.who);
    let is_one = first.who.is_by_serial() || others.all(|one| one.flash == first.flash);
    is_one.then_some(first)
}

/// # Errors
/// [`Check::Interrupted`] where bytes are to stay of which one of `concerned` has a
/// copy that differs.
fn refuse_loss(
    concerned: &[(&Unfinished, Trace)],
    gone: &[&Lost],
    change: &Change,
) -> Result<(), Refusal> {
    let now = &change.dump.bytes;
    let target = (change.target)(&change.seen.bytes);
    let is_part = !(change.is_whole() && change.dump.is_whole());
    let changes = change
        .dump
        .ranges
        .iter()
        .any(|range| range.of(&target) != range.of(now));
    let is_lost = |one: &Unfinished| {
        one.differs_from(now, change.retained)
            // Its backup would no longer be what was there before.
            || is_part && changes && one.differs_from(&target, &change.dump.ranges)
    };
    let lost = concerned.iter().filter(|(one, _)| is_lost(one));
    match lost.min_by_key(|(one, _)| one.record.half_written) {
        None => Ok(()),
        Some((one, trace)) => Err(match gone.first() {
            // What was there before that one is in another backup, if in any.
            Some(gone) if one.record.half_written => gone.refusal(),
            _ if is_certain(one, *trace) => one.refusal(Doubt::Lost),
            _ => one.refusal(Doubt::Drive),
        }),
    }
}

impl Open {
    /// The same, now that the flash has been read. A serial number proves less than it
    /// should, as there are models of which all drives say the same one: a flash that a
    /// change cannot have left is held for that of a twin, and so is one that shows a
    /// change of its own place.
    pub fn recognised(mut self, seen: &Dump, layout: Option<&EraseLayout>) -> Open {
        self.recognise(seen, layout);
        self
    }

    /// As [`Open::recognised`].
    pub fn recognise(&mut self, seen: &Dump, layout: Option<&EraseLayout>) {
        let targets = self.targets();
        let state = |one: &Unfinished| {
            let target = one.target.as_deref();
            one.trace(seen, target, &targets, layout).state
        };
        let states: Vec<State> = self.intact.iter().map(state).collect();
        let is_here = |who: Who, state: State| {
            matches!(who, Who::Serial | Who::Place) && state == State::Partial
        };
        let lost: Vec<&Lost> = self
            .lost
            .iter()
            .filter(|one| is_here(one.who, one.trace(seen, layout).state))
            .collect();
        let mut intact = self.intact.iter().zip(&states);
        let has_own = intact.any(|(one, state)| is_here(one.who, *state)) || !lost.is_empty();
        // One that was begun later at the same place, without going on with this one's
        // backup, was of a drive that had come there since.
        let is_displaced = |one: &Unfinished| {
            lost.iter().any(|lost| {
                lost.who == Who::Place && lost.path.is_none() && lost.date >= one.record.date
            })
        };
        let has_failed = |one: &Unfinished| {
            layout.is_some_and(|layout| one.may_have_left(seen, &targets, layout))
        };
        let who = self.intact.iter().zip(&states).map(|(one, state)| {
            let is_explained = *state != State::Other || !one.is_within(seen);
            match one.who {
                Who::Place if is_displaced(one) => Who::Elsewhere,
                Who::Serial if !is_explained && !has_failed(one) => Who::Place,
                // What several attempts have left fits many a flash.
                Who::Moved if !is_explained || one.began_mixed() => Who::Unknown,
                Who::Moved if has_own || *state == State::Untouched => Who::Elsewhere,
                who => who,
            }
        });
        let who: Vec<Who> = who.collect();
        for (one, who) in self.intact.iter_mut().zip(who) {
            one.who = who;
        }
        self.sort();
    }

    /// The nearest first, and the oldest of those.
    pub(super) fn sort(&mut self) {
        self.intact.sort_by_key(|one| (one.who, one.record.date));
        self.lost.sort_by_key(|one| (one.who, one.date));
    }

    /// What was in this drive's flash before a change that was begun and not
    /// finished, where its backup has all of that.
    pub fn before(&self) -> Option<&[u8]> {
        let is_whole = |one: &&Unfinished| {
            one.who.is_this() && one.record.gaps.is_empty() && one.covers_all_of(one.flash.len())
        };
        let one = self.intact.iter().find(is_whole)?;
        Some(&one.flash)
    }

    /// What this change starts from.
    ///
    /// # Errors
    /// [`Check::Interrupted`] where it would leave as it finds them bytes that an
    /// unfinished change may have destroyed, and where it cannot be told that this
    /// is the same drive; the same where the backup of that change is gone, which
    /// is asked for.
    pub fn start(
        &self,
        change: &Change,
        identity: Option<&Identity>,
        forced: &Forced,
    ) -> Result<Start, Refusal> {
        let is_forced = forced.contains(&Check::Interrupted);
        if let Some(first) = self.same(change, identity, is_forced)? {
            if !is_forced {
                self.refuse_another(first, change)?;
            }
            return Ok(Start::Resumed(Box::new(first.clone())));
        }
        if let (false, false, Some(place)) = (is_forced, change.is_whole(), self.unread.first()) {
            return Err(Refusal::Note {
                place: place.clone(),
            });
        }
        let concerned = self.concerned(change);
        let gone = self.gone(change);
        let gone_of_this = gone.iter().find(|one| one.who.is_this());
        if !is_forced {
            let is_known = concerned.iter().any(|(one, _)| one.who.is_this());
            if let (false, false, Some(one)) = (is_known, change.is_whole(), gone_of_this) {
                return Err(one.refusal());
            }
            refuse_loss(&concerned, &gone, change)?;
            if let (false, Some(one)) = (change.is_whole(), gone.first()) {
                return Err(one.refusal());
            }
        }
        let certain = concerned
            .iter()
            .filter(|(one, trace)| is_certain(one, *trace));
        // Two of one place that do not hold the same may be of two drives, also where one
        // of them is no way back.
        let certain: Vec<&Unfinished> = certain
            .map(|(one, _)| *one)
            .filter(|one| !one.who.is_by_serial() || !one.record.half_written)
            .collect();
        // What a change outside of it has left is in no backup of its own.
        let is_left_out = |one: &Unfinished, covered: &[FlashRange]| {
            overlap(&without(covered, &one.covered), &change.dump.ranges)
        };
        let holds_all = |one: &Unfinished| {
            let mut others = concerned.iter().map(|(other, _)| &other.covered);
            let mut lost = gone.iter().map(|other| &other.covered);
            !others.any(|covered| is_left_out(one, covered))
                && !lost.any(|covered| is_left_out(one, covered))
        };
        let before = first_of(&certain).and_then(|_| {
            let mut certain = certain.iter();
            certain.find(|one| !one.record.half_written && holds_all(one))
        });
        Ok(match before {
            Some(one) => Start::After(Box::new((*one).clone())),
            None if concerned.is_empty() && gone.is_empty() && self.unread.is_empty() => {
                Start::Here
            }
            None => Start::Mixed,
        })
    }

    /// # Errors
    /// Where a part is gone on with in the middle of another change of this drive, whose
    /// backup would no longer be what was there before.
    fn refuse_another(&self, first: &Unfinished, change: &Change) -> Result<(), Refusal> {
        if change.is_whole() && change.dump.is_whole() {
            return Ok(());
        }
        let target = (change.target)(&first.flash);
        let is_put_back = |one: &Unfinished| !one.differs_from(&target, &change.dump.ranges);
        let others = self.concerned(change).into_iter();
        let mut others = others.filter(|(one, _)| {
            one.who.is_this()
                && !one.is_same(first)
                && !one.ends_with(first, change)
                && !is_put_back(one)
        });
        match others.find(|(one, _)| one.overlaps(&change.dump.ranges)) {
            Some((one, _)) => Err(one.put_back_first()),
            None => Ok(()),
        }
    }

    /// The change that is wanted, where it was begun and goes on in this flash.
    ///
    /// # Errors
    /// Where it cannot be told that it was begun on this drive.
    fn same(
        &self,
        change: &Change,
        identity: Option<&Identity>,
        is_forced: bool,
    ) -> Result<Option<&Unfinished>, Refusal> {
        let now = &change.dump.bytes;
        let targets = self.targets();
        let begun = self.intact.iter().filter_map(|one| {
            let target = change.target_of(one)?;
            let trace = one.trace(change.seen, Some(&target), &targets, change.layout);
            Some((one, trace))
        });
        let same: Vec<&Unfinished> = begun
            .filter(|(one, trace)| one.goes_on(*trace, now, change))
            .map(|(one, _)| one)
            .collect();
        let Some(oldest) = same.first() else {
            return Ok(None);
        };
        let first = match first_of(&same) {
            None if is_forced => oldest,
            None if change.is_whole() => return Ok(None),
            None => return Err(oldest.refusal(Doubt::Several)),
            Some(first) => first,
        };
        let is_known = first.who.is_this() || identity.is_some() || first.record.drive.is_some();
        let target = (change.target)(&first.flash);
        let is_known = is_known || shares_content(now, &first.flash, &target);
        if !is_known && first.differs_from(now, change.retained) && !is_forced {
            return Err(first.refusal(Doubt::Blank));
        }
        Ok(Some(first))
    }

    fn targets(&self) -> Vec<&[u8]> {
        let targets = self.intact.iter().filter_map(|one| one.target.as_deref());
        targets.collect()
    }

    /// The changes that may have left this flash, and what it shows of them.
    fn concerned(&self, change: &Change) -> Vec<(&Unfinished, Trace)> {
        let known = self.known_by_content(change);
        let traced = self.intact.iter().map(|one| (one, self.trace(one, change)));
        traced
            .filter(|(one, trace)| concerns(*trace, one.who, one.entry.as_ref()))
            .filter(|(one, _)| !is_of_another(known, one.who, one.serial(), &one.covered))
            .collect()
    }

    fn trace(&self, one: &Unfinished, change: &Change) -> Trace {
        let target = change.target_of(one);
        one.trace(
            change.seen,
            target.as_deref().map(Vec::as_slice),
            &self.targets(),
            change.layout,
        )
    }

    /// The same, of those whose backups cannot be used.
    fn gone(&self, change: &Change) -> Vec<&Lost> {
        let known = self.known_by_content(change);
        let lost = self.lost.iter();
        lost.filter(|one| one.is_concerned(change.seen, change.layout))
            .filter(|one| !is_of_another(known, one.who, one.serial(), &one.covered))
            .collect()
    }

    /// The change that says who a drive without a name is: it was to be made at this
    /// place, of a drive with a serial number, and the flash is as it was then.
    fn known_by_content(&self, change: &Change) -> Option<&Unfinished> {
        let mut here = self.intact.iter();
        here.find(|one| {
            one.who == Who::Place
                && one.serial().is_some()
                && one.is_within(change.seen)
                && self.trace(one, change).state == State::Untouched
        })
    }

    /// Who the drive is by the changes that are under way in it and have no backup that
    /// can be used; `None` where they are not of one mind.
    pub fn identity_of_lost(&self, seen: &Dump, layout: &EraseLayout) -> Option<Identity> {
        let lost = self.lost.iter();
        let mut drives = lost.filter_map(|one| one.identity(seen, layout));
        let first = drives.next()?;
        let is_same = |other: Identity| first.may_be(&other);
        drives.all(is_same).then_some(first)
    }

    /// Whether more of the flash has to be seen to tell what it shows of changes that
    /// overlap with this one.
    pub fn needs_more_than(&self, dump: &Dump) -> bool {
        let intact = self.intact.iter().map(|one| &one.covered);
        let mut parts = intact.chain(self.lost.iter().map(|one| &one.covered));
        parts.any(|part| !is_within(part, dump) && overlap(part, &dump.ranges))
    }

    /// What a change of a blank flash starts from, where [`Open::start`] has found no
    /// more than that it may be a mixture: nothing in it says whose it is, and nothing
    /// in it is worth a backup. At the place of a drive whose change was begun that
    /// one's backup is the way back, where its user says that it is this drive: by
    /// putting that very backup back, or by name.
    ///
    /// # Errors
    /// [`Check::Interrupted`] where nothing has been said.
    pub fn of_blank(
        &self,
        start: Start,
        change: &Change,
        forced: &Forced,
    ) -> Result<Start, Refusal> {
        let mut there = self.intact.iter();
        let there = there.find(|one| one.who.is_this() && !one.record.half_written);
        let is_forced = forced.contains(&Check::Interrupted);
        let (Start::Mixed, true) = (&start, change.dump.is_blank()) else {
            return Ok(start);
        };
        let Some(one) = there else {
            let mut lost = self.lost.iter();
            let lost = lost.find(|one| one.who.is_this() && one.path.is_some());
            return match lost {
                Some(lost) if !is_forced => Err(lost.refusal()),
                _ => Ok(start),
            };
        };
        let target = (change.target)(&change.dump.bytes);
        let is_put_back = one.covers_exactly(&change.dump.ranges)
            && !one.differs_from(&target, &change.dump.ranges);
        match is_put_back || is_forced {
            true => Ok(Start::After(Box::new(one.clone()))),
            false => Err(one.refusal(Doubt::Blank)),
        }
    }

    /// Whether a flash that was read may be a mixture.
    pub fn is_mixed(&self, dump: &Dump, layout: Option<&EraseLayout>) -> bool {
        // Of a part that was not read nothing shows.
        let concerns = |one: &Unfinished| match one.is_within(dump) {
            true => self.is_concerned(one, dump, layout),
            false => {
                one.who.is_this()
                    && one
                        .covered
                        .iter()
                        .any(|part| dump.ranges.iter().any(|read| read.overlaps(*part)))
            }
        };
        self.intact.iter().any(concerns)
            || self.lost.iter().any(|one| one.is_concerned(dump, layout))
            || !self.unread.is_empty()
    }

    /// What the user should know where this run goes on with none of them.
    pub fn notices(&self, dump: &Dump, layout: Option<&EraseLayout>) -> Vec<Notice> {
        let intact = self.intact.iter();
        let intact = intact.filter(|one| self.is_concerned(one, dump, layout));
        let lost = self.lost.iter();
        let lost = lost.filter(|one| one.is_concerned(dump, layout));
        intact
            .map(Unfinished::notice)
            .chain(lost.map(Lost::notice))
            .chain(self.unread())
            .collect()
    }

    /// What the user should know of notes that cannot be read.
    pub fn unread(&self) -> impl Iterator<Item = Notice> {
        let places = self.unread.iter().cloned();
        places.map(|place| Notice::Unread { place })
    }

    fn is_concerned(&self, one: &Unfinished, dump: &Dump, layout: Option<&EraseLayout>) -> bool {
        let trace = one.trace(dump, None, &self.targets(), layout);
        concerns(trace, one.who, one.entry.as_ref())
    }

    /// Whether this file is the backup of one of them.
    pub fn is_backup(&self, path: &Path) -> bool {
        self.intact.iter().any(|one| one.path == path)
    }

    /// All that is over when this change, which has been gone on with, is.
    pub fn same_as(&self, begun: &Unfinished, change: &Change) -> Vec<Closing> {
        let is_over = |one: &Unfinished| one.is_same(begun) || one.ends_with(begun, change);
        let same = self
            .intact
            .iter()
            .filter(|one| *one == begun || one.who.is_this() && is_over(one));
        let closing = |one: &Unfinished| {
            let closing = self.closing(one, change);
            match one == begun {
                true => closing.of_begun(),
                false => closing,
            }
        };
        same.map(closing).collect()
    }

    fn closing(&self, one: &Unfinished, change: &Change) -> Closing {
        one.closing(one.trace(change.seen, None, &self.targets(), change.layout))
    }

    /// The changes that are over when this drive holds `target` again, which is what
    /// was in it before.
    pub fn put_back(
        &self,
        target: &[u8],
        change: &Change,
        identity: Option<&Identity>,
    ) -> Vec<Closing> {
        let is_settled = |one: &Unfinished| one.who == Who::Elsewhere && one.is_by_serial(identity);
        let is_its_own = |one: &&Unfinished| one.who.is_this() || is_settled(one);
        let is_back = |one: &&Unfinished| {
            one.is_within(change.dump) && !one.differs_from(target, &one.covered)
        };
        let unknown = |one: &&Unfinished| one.who == Who::Unknown;
        self.intact
            .iter()
            .filter(|one| (is_its_own(one) || unknown(one)) && is_back(one))
            .map(|one| self.closing(one, change))
            .collect()
    }

    /// The changes that have never come to anything, and whose backups are not what was
    /// there before when this drive is changed.
    pub fn superseded(&self, change: &Change) -> Vec<Closing> {
        let is_untouched = |one: &&Unfinished| {
            let seen = change.seen;
            one.is_within(seen) && !one.differs_from(&seen.bytes, &one.covered)
        };
        self.intact
            .iter()
            .filter(|one| one.who.is_this() && one.overlaps(&change.dump.ranges))
            .filter(is_untouched)
            .map(|one| self.closing(one, change))
            .collect()
    }

    /// What is over when this drive, whose flash cannot be read, has taken a whole image.
    pub fn of_unread_drive(&self) -> Vec<Closing> {
        let lost = self.lost.iter().filter(|one| one.who.is_this());
        lost.map(Lost::closing).collect()
    }

    /// What the user should know of changes of such a drive.
    pub fn notices_unread(&self) -> Vec<Notice> {
        let lost = self.lost.iter().filter(|one| one.who.is_this());
        lost.map(Lost::notice).collect()
    }

    /// What is over when this drive has been given a whole image.
    pub fn of_this_drive(&self, change: &Change) -> Vec<Closing> {
        let intact = self.intact.iter().filter(|one| one.who.is_this());
        let lost = self.lost.iter().filter(|one| one.who.is_this());
        intact
            .map(|one| self.closing(one, change))
            .chain(lost.map(Lost::closing))
            .collect()
    }
}
