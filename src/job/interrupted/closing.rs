//! What becomes of changes that are over.

use std::path::PathBuf;

use super::recognise::Recognised;
use super::{Change, Lost, Open, Unfinished, Who, finish, is_within};
use crate::flash::FlashRange;
use crate::flash::ranges::overlap;
use crate::job::journal::trace::{State, Trace};
use crate::job::journal::{self, Journal};
use crate::scsi::Identity;

/// An unfinished change that is over when another one succeeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::job) struct Closing {
    pub backup: Option<PathBuf>,
    pub entry: Option<journal::Found>,
    /// Where a record of it lies beside no backup.
    left: Option<PathBuf>,
    end: End,
    /// The flash shows that the change was under way in it.
    is_under_way: bool,
}

/// What becomes of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It was this drive's, as far as can be known.
    Closed,
    /// Whether it was this drive's cannot be told.
    Settled,
    /// It seems to have been another one's.
    Displaced,
}

impl Closing {
    /// That of a change of a flash that shows this. By its place alone a drive is not
    /// known: a twin may have been there when this change was begun.
    pub(super) fn of(one: &Unfinished, trace: Trace) -> Closing {
        Closing {
            backup: Some(one.path.clone()),
            entry: one.entry.clone(),
            left: one.left.clone(),
            end: match (one.who, trace.state) {
                (Who::Serial, State::Partial | State::Finished | State::Other) => End::Closed,
                (Who::Place, State::Other) => End::Displaced,
                _ => End::Settled,
            },
            is_under_way: trace.state == State::Partial,
        }
    }

    /// Without its backup nobody can tell whether it was under way in this drive.
    pub(super) fn of_lost(one: &Lost) -> Closing {
        Closing {
            backup: one.path.clone(),
            entry: one.entry.clone(),
            left: None,
            end: match one.who {
                Who::Serial => End::Closed,
                _ => End::Settled,
            },
            is_under_way: false,
        }
    }

    /// That of the change which this one has gone on with. A drive that says its number
    /// at another place may be one of two that hold the same where they are not blank, and
    /// a flash that is blank throughout does not show whose it is.
    fn of_begun(one: &Unfinished, trace: Trace) -> Closing {
        let closing = Closing::of(one, trace);
        let is_known = match one.who {
            Who::Serial => true,
            Who::Place => trace.is_kin,
            Who::Moved | Who::Unknown | Who::Elsewhere => false,
        };
        Closing {
            end: match closing.is_under_way && is_known {
                true => End::Closed,
                false => closing.end,
            },
            ..closing
        }
    }

    pub fn is_of(&self, entry: &journal::Found) -> bool {
        self.entry.as_ref() == Some(entry)
    }

    pub fn close(&self, journal: &Journal) {
        let entry = self.entry.as_ref();
        let closed = match (self.end, entry) {
            (End::Settled | End::Displaced, Some(entry)) => {
                journal.settle(entry, self.end == End::Displaced);
                None
            }
            _ => entry,
        };
        finish(self.backup.as_deref(), closed, journal);
        finish(self.left.as_deref(), None, journal);
    }
}

impl Open {
    /// What is over when this drive, whose flash cannot be read, has taken a whole image.
    pub fn of_unread_drive(&self) -> Vec<Closing> {
        let lost = self.lost.iter().filter(|one| one.who.is_this());
        lost.map(Closing::of_lost).collect()
    }
}

impl Recognised {
    /// All that is over when this change, which has been gone on with, is.
    pub fn same_as(&self, begun: &Unfinished, change: &Change) -> Vec<Closing> {
        let is_over = |one: &Unfinished| one.is_same(begun) || one.ends_with(begun, change);
        let all = self.intact.iter();
        let same = all.filter_map(|(one, trace)| match one == begun {
            true => Some(Closing::of_begun(one, *trace)),
            false => (one.who.is_this() && is_over(one)).then(|| Closing::of(one, *trace)),
        });
        same.collect()
    }

    /// The changes that are over when this drive holds `target` again, which is what
    /// was in it before.
    pub fn put_back(
        &self,
        target: &[u8],
        change: &Change,
        identity: Option<&Identity>,
    ) -> Vec<Closing> {
        let is_its_own = |one: &Unfinished| match one.who {
            Who::Serial | Who::Moved | Who::Place | Who::Unknown => true,
            Who::Elsewhere => one.is_by_serial(identity),
        };
        let is_back = |one: &Unfinished| {
            one.is_within(change.dump) && !one.differs_from(target, &one.covered)
        };
        self.closings(|one| is_its_own(one) && is_back(one))
    }

    /// The changes that have never come to anything, and whose backups are not what was
    /// there before when this drive is changed.
    pub fn superseded(&self, change: &Change) -> Vec<Closing> {
        let seen = change.seen;
        let is_of_this = |who: Who, covered: &[FlashRange]| {
            who.is_this() && is_within(covered, seen) && overlap(covered, &change.dump.ranges)
        };
        let lost = self.lost.iter().filter(|(one, trace)| {
            trace.state == State::Untouched && is_of_this(one.who, &one.covered)
        });
        let mut all = self.closings(|one| {
            is_of_this(one.who, &one.covered) && !one.differs_from(&seen.bytes, &one.covered)
        });
        all.extend(lost.map(|(one, _)| Closing::of_lost(one)));
        all
    }

    /// What is over when this drive has been given a whole image.
    pub fn of_this_drive(&self) -> Vec<Closing> {
        let lost = self.lost.iter().map(|(one, _)| one);
        let lost = lost.filter(|one| one.who.is_this()).map(Closing::of_lost);
        let mut all = self.closings(|one| one.who.is_this());
        all.extend(lost);
        all
    }

    /// What is over although its backup is gone, where this change is about all of it:
    /// `is_done` where the flash holds what it was to hold, or where its user has said that
    /// he can do without what was to stay, and it is this flash that shows the change.
    pub fn done_without(&self, change: &Change, is_done: impl Fn(Trace) -> bool) -> Vec<Closing> {
        let done = self.lost.iter().filter(|(one, trace)| {
            one.who.is_this() && is_done(*trace) && is_within(&one.covered, change.dump)
        });
        let closings = done.map(|(one, trace)| match trace.state {
            State::Partial => Closing {
                end: End::Closed,
                ..Closing::of_lost(one)
            },
            _ => Closing::of_lost(one),
        });
        closings.collect()
    }

    fn closings(&self, is_over: impl Fn(&Unfinished) -> bool) -> Vec<Closing> {
        let over = self.intact.iter().filter(|(one, _)| is_over(one));
        over.map(|(one, trace)| Closing::of(one, *trace)).collect()
    }
}
