//! What a change starts from: the flash as it is, or an earlier change.

use std::path::Path;
use std::sync::Arc;

use super::recognise::Recognised;
use super::{Doubt, Lost, Unfinished, Who};
use crate::flash::FlashRange;
use crate::flash::ranges::{overlap, without};
use crate::image::Crc32;
use crate::job::journal::trace::{State, Trace, shares_content};
use crate::job::read::Dump;
use crate::job::{Check, Forced, Refusal};
use crate::plan::ERASED;
use crate::scsi::Identity;

/// What is about to be done to a flash, as far as an earlier change matters.
pub(in crate::job) struct Change<'a> {
    pub dump: &'a Dump,
    /// At least that, and all that earlier changes were about.
    pub seen: &'a Dump,
    /// What this change makes of a flash.
    pub target: &'a dyn Fn(&[u8]) -> Arc<Vec<u8>>,
    /// The bytes that this change leaves as it finds them.
    pub retained: &'a [FlashRange],
    /// What no command of the drive changes, and no backup has to bring back.
    pub out_of_reach: &'a [FlashRange],
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

impl Start {
    /// Whether it is an earlier change of a drive that is not known by its number.
    pub fn is_of_unnumbered(&self) -> bool {
        match self {
            Start::Resumed(one) | Start::After(one) => !one.who.is_by_serial(),
            Start::Here | Start::Mixed => false,
        }
    }
}

impl Change<'_> {
    /// Whether nothing of what is read is to stay.
    fn is_whole(&self) -> bool {
        self.retained.is_empty()
    }

    /// Whether it leaves something of the flash as it is.
    fn is_part(&self) -> bool {
        !(self.is_whole() && self.dump.is_whole())
    }

    /// Whether it makes anything of the flash that is not there.
    fn changes(&self) -> bool {
        let target = (self.target)(&self.seen.bytes);
        let mut ranges = self.dump.ranges.iter();
        ranges.any(|range| range.of(&target) != range.of(&self.dump.bytes))
    }

    /// Whether what another change was to keep may be lost with this one: that has a backup,
    /// which is not there.
    fn may_lose(&self, one: &Lost, changes: bool) -> bool {
        let is_over_it = || overlap(&one.covered, &self.dump.ranges);
        !self.is_whole() || self.is_part() && changes && one.path.is_some() && is_over_it()
    }

    /// Whether nothing in the flash says whose it is.
    pub fn is_of_blank(&self) -> bool {
        let within_reach = without(&self.dump.ranges, self.out_of_reach);
        let mut bytes = within_reach
            .iter()
            .flat_map(|range| range.of(&self.dump.bytes));
        self.dump.gaps.is_empty() && bytes.all(|byte| *byte == ERASED)
    }

    /// What this change makes of what was in the flash before another one, where the
    /// two are the same.
    pub fn target_of(&self, begun: &Unfinished) -> Option<Arc<Vec<u8>>> {
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
    concerned: &[&(Unfinished, Trace)],
    gone: &[&Lost],
    change: &Change,
) -> Result<(), Refusal> {
    let now = &change.dump.bytes;
    let target = (change.target)(&change.seen.bytes);
    let is_part = change.is_part();
    let changes = change.changes();
    let is_lost = |one: &Unfinished| {
        one.differs_from(now, change.retained)
            // What was read before it may have lost that already.
            || one.record.half_written && one.who.is_this() && one.overlaps(change.retained)
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

impl Recognised {
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
        let concerned: Vec<&(Unfinished, Trace)> = self.concerned().collect();
        let gone: Vec<&Lost> = self.gone().collect();
        if !is_forced {
            let changes = change.changes();
            let mut at_risk = gone.iter().filter(|one| change.may_lose(one, changes));
            let is_known = concerned.iter().any(|(one, _)| one.who.is_this());
            let of_this = at_risk.clone().find(|one| one.who.is_this());
            if let (false, Some(one)) = (is_known, of_this) {
                return Err(one.refusal());
            }
            refuse_loss(&concerned, &gone, change)?;
            if let Some(one) = at_risk.next() {
                return Err(one.refusal());
            }
        }
        let certain = concerned
            .iter()
            .filter(|(one, trace)| is_certain(one, *trace));
        // Two of one place that do not hold the same may be of two drives, also where one
        // of them is no way back.
        let certain: Vec<&Unfinished> = certain
            .map(|(one, _)| one)
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
        let mut others = self.concerned().map(|(one, _)| one).filter(|one| {
            one.who.is_this()
                && !one.is_same(first)
                && !one.ends_with(first, change)
                && !is_put_back(one)
        });
        match others.find(|one| one.overlaps(&change.dump.ranges)) {
            Some(one) => Err(one.put_back_first()),
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
        let same = self.intact.iter().filter(|(one, trace)| {
            change.target_of(one).is_some() && one.goes_on(*trace, now, change)
        });
        let same: Vec<&Unfinished> = same.map(|(one, _)| one).collect();
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

    /// Who the drive is by the changes that are under way in it and have no backup that
    /// can be used; `None` where they are not of one mind.
    pub fn identity_of_lost(&self) -> Option<Identity> {
        let mut drives = self
            .lost
            .iter()
            .filter_map(|(one, trace)| one.identity(*trace));
        let first = drives.next()?;
        let is_same = |other: Identity| first.may_be(&other);
        drives.all(is_same).then_some(first)
    }

    /// What a change of a blank flash starts from, where [`Recognised::start`] has found no
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
        let mut there = self.intact.iter().map(|(one, _)| one);
        let there = there.find(|one| one.who.is_this() && !one.record.half_written);
        let is_forced = forced.contains(&Check::Interrupted);
        let (Start::Mixed, true) = (&start, change.is_of_blank()) else {
            return Ok(start);
        };
        let Some(one) = there else {
            let mut lost = self.lost.iter().map(|(one, _)| one);
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
}
