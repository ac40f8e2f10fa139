//! Changes that were begun and not finished.
//!
//! From the first change until the flash has been read back, two places say what
//! the flash was about to hold: an entry in the machine's [journal],
//! and the record beside the backup, for people and for machines without that
//! journal. A run that finds one of its drive goes on from that backup, because
//! what was to stay as it is may have been erased with its sector and be there
//! alone.
//!
//! Whose change it was is asked twice: who the drive is, by its serial number or,
//! without one, by its place in the machine; and whether its flash can be what
//! that change has left behind.

mod closing;
mod find;
mod recognise;
mod start;
mod under_way;

use std::path::{Path, PathBuf};

use super::journal::trace::{State, Trace, shares_content};
use super::journal::{self, Asked, Entry, Journal};
use super::read::Dump;
use super::record::{Date, Record};
use super::{BackupProblem, Refusal};
use crate::flash::ranges::{bytes_of, overlap, without};
use crate::flash::{FlashRange, Offset};
use crate::image::{Crc32, identity};
use crate::protocol::{DeviceInfo, FirmwareDevice, Writing};
use crate::scsi::Identity;

pub(super) use closing::Closing;
pub(super) use find::{Open, find, newest_backup};
pub(super) use start::{Change, Start};
pub(super) use under_way::{Beginning, UnderWay, begin, finish, withdraw};

/// The backup of a change that was begun on a flash like this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    pub path: PathBuf,
    /// Where its record alone has been left, beside no backup.
    left: Option<PathBuf>,
    pub record: Record,
    /// What the flash held before, FF where nothing was read.
    pub flash: Vec<u8>,
    /// What the change was to make of the flash, FF where nothing was read; `None`
    /// where only a record tells of it.
    target: Option<Vec<u8>>,
    covered: Vec<FlashRange>,
    pub(super) who: Who,
    /// It was begun on a drive at this place, whichever that was.
    was_here: bool,
    pub(super) entry: Option<journal::Found>,
}

/// A change that was begun on a flash like this one, of which the backup cannot
/// be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// None where the user wanted none.
    pub path: Option<PathBuf>,
    /// CRC-32 of the backup.
    pub crc32: Option<Crc32>,
    pub date: Date,
    pub problem: BackupProblem,
    /// What it was about.
    covered: Vec<FlashRange>,
    who: Who,
    /// What it was to make of the flash: CRC-32 of that, FF where it was about nothing.
    wanted: Option<Crc32>,
    entry: Option<journal::Found>,
}

/// How it is known that a change was this drive's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// By its serial number.
    Serial,
    /// By its serial number; it was at another place then. Of some models all say the
    /// same number.
    Moved,
    /// By its place in the machine; one of the two has no serial number.
    Place,
    /// Neither is known.
    Unknown,
    /// A drive like this one was changed at another place, or at this one, and the
    /// change seems to be over there.
    Elsewhere,
}

impl Who {
    fn is_this(self) -> bool {
        self <= Who::Place
    }

    fn is_by_serial(self) -> bool {
        matches!(self, Who::Serial | Who::Moved)
    }
}

/// What the user should know of changes that this run does not go on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The flash may be a mixture; what was in it before is in this backup.
    Unfinished {
        backup: PathBuf,
        who: Who,
        asked: Asked,
    },
    /// The same, and its backup is not what it should be.
    Lost {
        backup: Option<PathBuf>,
        crc32: Option<Crc32>,
        date: Date,
    },
    /// A record alone says so; whether it came to its end the flash would show.
    Recorded { backup: PathBuf },
    /// A note, or a folder of them, that cannot be read: it may be of this drive.
    Unread { place: PathBuf },
}

/// What the user should know who does not change the flash, of the unfinished
/// changes that are entered in the journal, and recorded in the current folder and
/// beside `file`.
pub fn notices(
    file: Option<&Path>,
    device: &DeviceInfo,
    size: u32,
    journal: &Journal,
) -> Vec<Notice> {
    let open = find(file.as_slice(), device, size as usize, journal);
    let is_nameless = device.identity.is_none();
    let is_near = |who: Who, entry: &Option<journal::Found>| {
        let is_settled = entry.as_ref().is_some_and(|found| found.entry.settled);
        who != Who::Elsewhere || is_nameless && !is_settled
    };
    let intact = open.intact.iter();
    let intact = intact.filter(|one| is_near(one.who, &one.entry));
    let intact = intact.map(|one| match one.entry {
        Some(_) => one.notice(),
        None => Notice::Recorded {
            backup: one.path.clone(),
        },
    });
    let lost = open.lost.iter();
    let lost = lost.filter(|one| is_near(one.who, &one.entry));
    notices_of(intact, lost, &open.unread)
}

fn notices_of<'a>(
    intact: impl Iterator<Item = Notice>,
    lost: impl Iterator<Item = &'a Lost>,
    unread: &[PathBuf],
) -> Vec<Notice> {
    let unread = unread.iter().cloned();
    let unread = unread.map(|place| Notice::Unread { place });
    let mut notices: Vec<Notice> = intact.chain(lost.map(Lost::notice)).chain(unread).collect();
    // Two changes, one after the other, can have one backup.
    notices.dedup();
    notices
}

/// Whether a flash that was read may be what an unfinished change has left.
pub fn is_mixed(
    file: Option<&Path>,
    device: &dyn FirmwareDevice,
    dump: &Dump,
    journal: &Journal,
) -> bool {
    let layout = match &device.capabilities().writing {
        Writing::InPlace(layout) => Some(layout),
        Writing::Download(_) | Writing::Impossible(_) => None,
    };
    let open = find(file.as_slice(), device.info(), dump.bytes.len(), journal);
    open.recognised(dump, layout, |_| None).is_mixed(dump)
}

/// Notes that the changes are over which were to make of this drive's flash what it
/// holds: all of it was read and compared. Returns whether there were any.
pub fn end_those_that_hold(held: &[u8], device: &DeviceInfo, journal: &Journal) -> bool {
    let open = find(&[], device, held.len(), journal);
    let is_held = |target: &[u8], covered: &[FlashRange]| {
        let mut covered = covered.iter();
        covered.all(|range| range.of(target) == range.of(held))
    };
    let finished = Trace {
        state: State::Finished,
        is_kin: true,
    };
    let intact = open.intact.iter().filter(|one| {
        let target = one.target.as_deref();
        one.who.is_this() && target.is_some_and(|target| is_held(target, &one.covered))
    });
    let lost = open.lost.iter().filter(|one| {
        let target = one.entry.as_ref().and_then(journal::Found::target);
        one.who.is_this() && target.is_some_and(|target| is_held(&target, &one.covered))
    });
    let closings = intact.map(|one| Closing::of(one, finished));
    let closings: Vec<Closing> = closings.chain(lost.map(Closing::of_lost)).collect();
    closings.iter().for_each(|one| one.close(journal));
    !closings.is_empty()
}

/// A change that a drive was left with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    pub asked: Asked,
    pub backup: PathBuf,
    /// The backup is what it was.
    pub is_intact: bool,
}

/// The change that this drive was left with, by its note.
pub fn left(device: &DeviceInfo, size: u32, journal: &Journal) -> Option<Left> {
    let open = find(&[], device, size as usize, journal);
    let intact = open.intact.into_iter().find(|one| one.who.is_this());
    let intact = intact.and_then(|one| Some((one.entry?, one.path, true)));
    let gone = || {
        let one = open.lost.into_iter().find(|one| one.who.is_this())?;
        Some((one.entry?, one.path?, false))
    };
    let (found, backup, is_intact) = intact.or_else(gone)?;
    Some(Left {
        asked: found.entry.asked(),
        backup,
        is_intact,
    })
}

/// Whether there is note of a change that this drive, by its serial number or its
/// place, was left with.
pub fn is_noted(device: &DeviceInfo, size: u32, journal: &Journal) -> bool {
    let open = find(&[], device, size as usize, journal);
    let mut who = open.intact.iter().map(|one| one.who);
    who.any(Who::is_this) || open.lost.iter().any(|one| one.who.is_this())
}

/// Why it is not gone on with a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// What is to stay may be lost in the flash, and is in that backup.
    Lost,
    /// Whether it is that drive cannot be told.
    Drive,
    /// There are several, and they do not hold the same.
    Several,
    /// The drive does not say what it is, and its flash is blank.
    Blank,
}

impl Unfinished {
    /// Who the drive was: as it said then, or else as its flash said.
    pub fn identity(&self) -> Option<Identity> {
        let said = self.record.drive.clone();
        said.or_else(|| {
            let found = identity::find(&self.flash);
            found.first().map(|found| found.identity().clone())
        })
    }

    /// What the change was to make of the flash: CRC-32.
    fn before_writing(&self) -> Option<Crc32> {
        let entered = self.entry.as_ref().map(|found| found.entry.target);
        entered.or(self.record.before_writing)
    }

    /// What asked for the change; nothing where only a record tells of it.
    fn asked(&self) -> Asked {
        let entry = self.entry.as_ref().map(|found| &found.entry);
        entry.map(Entry::asked).unwrap_or_default()
    }

    /// Whether it is in this file, and has been from the beginning.
    pub(super) fn is_where_it_was(&self, path: &Path) -> bool {
        let was = self.entry.as_ref().and_then(|found| found.entry.backup());
        let was = was.map_or_else(|| self.path.clone(), |(was, _)| was);
        let real = |path: &Path| path.canonicalize().ok();
        real(path).is_some_and(|path| real(&was) == Some(path))
    }

    /// Whether it was this drive's by its serial number and its place.
    pub(super) fn is_by_number(&self) -> bool {
        self.who == Who::Serial
    }

    /// Whether all that it covers was read.
    fn is_within(&self, dump: &Dump) -> bool {
        is_within(&self.covered, dump)
    }

    fn overlaps(&self, ranges: &[FlashRange]) -> bool {
        overlap(&self.covered, ranges)
    }

    /// Whether it holds what was in the flash in all of `ranges`.
    pub(super) fn covers_exactly(&self, ranges: &[FlashRange]) -> bool {
        self.covered == ranges
    }

    /// Whether it holds what was in a flash of `size` bytes.
    fn covers_all_of(&self, size: usize) -> bool {
        bytes_of(&self.covered) == size as u64
    }

    /// `dump` with what this backup holds of it.
    pub(super) fn before(&self, dump: &Dump) -> Dump {
        let mut before = dump.clone();
        for covered in &self.covered {
            for range in &dump.ranges {
                let both = range.common(*covered);
                if !both.is_empty() {
                    both.of_mut(&mut before.bytes)
                        .copy_from_slice(both.of(&self.flash));
                }
            }
        }
        before
    }

    /// Whether the flash was a mixture when the change was begun.
    pub(super) fn began_mixed(&self) -> bool {
        self.entry.as_ref().is_some_and(|found| found.entry.mixed)
    }

    /// Whether it is the same change as another one, by the same backup.
    fn is_same(&self, other: &Unfinished) -> bool {
        self.record.crc32 == other.record.crc32
            && self.covered == other.covered
            && self.before_writing() == other.before_writing()
    }

    /// Whether it is over when `begun` is gone on with to its end: that is about all of
    /// what this one was about, from the same content.
    fn ends_with(&self, begun: &Unfinished, change: &Change) -> bool {
        without(&self.covered, &change.dump.ranges).is_empty()
            && without(&self.covered, &begun.covered).is_empty()
            && !self.differs_from(&begun.flash, &self.covered)
    }

    fn notice(&self) -> Notice {
        Notice::Unfinished {
            backup: self.path.clone(),
            who: self.who,
            asked: self.asked(),
        }
    }

    /// Where other changes of its drive have written since, and come to their end.
    fn written_since(&self) -> &[FlashRange] {
        let entry = self.entry.as_ref();
        entry.map_or(&[], |found| &found.entry.written_since)
    }

    /// Whether this change, which is the one that is wanted, goes on in this flash.
    fn goes_on(&self, trace: Trace, now: &[u8], change: &Change) -> bool {
        match (trace.state, self.who) {
            // What lies elsewhere may be a twin that has more of it erased: that is for
            // its user to say.
            (_, Who::Elsewhere) => false,
            // It has its own backup, but where its user names this one.
            (State::Untouched, who) => {
                let is_named = |path: &Path| self.is_where_it_was(path);
                who == Who::Serial && change.backup.is_some_and(is_named)
            }
            // Whatever else it shows: nothing but this change has been at what is to
            // stay.
            (State::Other, Who::Serial | Who::Moved) => !self.is_overwritten(now, change.retained),
            (State::Other, _) => false,
            (State::Partial | State::Finished, _) => true,
        }
    }

    /// Whether something is in `ranges` that neither was there nor is left of it by an
    /// erase.
    fn is_overwritten(&self, now: &[u8], ranges: &[FlashRange]) -> bool {
        ranges.iter().any(|range| {
            let mut both = range.of(now).iter().zip(range.of(&self.flash));
            both.any(|(now, before)| before & !now != 0)
        })
    }

    /// Whether the flash holds what this backup does, so far as it was not erased: a
    /// drive that does not say who it is is known by that.
    pub(super) fn is_of_flash(&self, now: &[u8]) -> bool {
        shares_content(now, &self.flash, &[])
    }

    /// Whether the drive is known to be this one by its serial number.
    fn is_by_serial(&self, drive: Option<&Identity>) -> bool {
        let of_drive = drive.and_then(|drive| drive.serial.as_deref());
        self.serial().is_some() && self.serial() == of_drive
    }

    fn serial(&self) -> Option<&str> {
        let recorded = self.record.drive.as_ref();
        recorded.and_then(|drive| drive.serial.as_deref())
    }

    /// Whether the flash holds something else than this backup in `ranges`.
    fn differs_from(&self, now: &[u8], ranges: &[FlashRange]) -> bool {
        ranges.iter().any(|range| {
            let both = range.of(now).iter().zip(range.of(&self.flash));
            (range.start()..)
                .zip(both)
                .filter(|(at, _)| self.covered.iter().any(|part| part.contains(Offset(*at))))
                .any(|(_, (now, before))| now != before)
        })
    }

    fn refusal(&self, doubt: Doubt) -> Refusal {
        self.refused(doubt, self.asked())
    }

    fn refused(&self, doubt: Doubt, asked: Asked) -> Refusal {
        Refusal::Unfinished {
            backup: self.path.clone(),
            date: self.record.date,
            asked,
            doubt,
            half_written: self.record.half_written,
        }
    }

    /// Where going on with it would lead back to the change that it stands in the way of.
    fn put_back_first(&self) -> Refusal {
        self.refused(Doubt::Lost, Asked::default())
    }
}

impl Lost {
    /// Who the drive is whose flash shows this, as its entry says.
    fn identity(&self, trace: Trace) -> Option<Identity> {
        let is_this = match self.who {
            Who::Serial => true,
            Who::Moved | Who::Place => trace.state == State::Partial,
            Who::Unknown | Who::Elsewhere => false,
        };
        let drive = self.entry.as_ref()?.entry.drive.as_ref();
        drive.filter(|_| is_this).cloned()
    }

    fn notice(&self) -> Notice {
        Notice::Lost {
            backup: self.path.clone(),
            crc32: self.crc32,
            date: self.date,
        }
    }

    fn refusal(&self) -> Refusal {
        Refusal::BackupGone {
            path: self.path.clone(),
            crc32: self.crc32,
            date: self.date,
            problem: self.problem,
        }
    }
}

fn is_within(covered: &[FlashRange], dump: &Dump) -> bool {
    covered.iter().all(|part| is_read(*part, dump))
}

/// Of what was not read nothing shows.
fn is_read(range: FlashRange, dump: &Dump) -> bool {
    without(&[range], &dump.ranges).is_empty()
}

#[cfg(test)]
mod tests;
