//! The unfinished changes of a flash, wherever something tells of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::{Lost, Notice, Unfinished, Who, is_within};
use crate::files::{self, Links, Locked, folder_of};
use crate::flash::FlashRange;
use crate::flash::ranges::overlap;
use crate::image::{Crc32, container};
use crate::job::backup;
use crate::job::journal::{self, Entry, Journal};
use crate::job::read::{Dump, lay_out};
use crate::job::record::{self, Date, Record};
use crate::job::{BackupProblem, Refusal};
use crate::protocol::DeviceInfo;
use crate::scsi::Identity;

/// All that is found of changes on a flash like this.
#[derive(Debug, Default)]
pub(in crate::job) struct Open {
    /// The nearest first, and the oldest of those.
    pub intact: Vec<Unfinished>,
    pub lost: Vec<Lost>,
    /// What may tell of more of them and cannot be read.
    pub unread: Vec<PathBuf>,
}

/// The unfinished changes of a flash like this, by the machine's journal and by
/// the records beside `backup` and in the current folder: same chip and size, a
/// drive that does not call itself another one. Changes that another run is at
/// work on are not among them.
///
/// A backup that was moved is found beside the files of `near`, in the current folder, and
/// as one of those files itself.
pub(in crate::job) fn find(
    near: &[&Path],
    device: &DeviceInfo,
    size: usize,
    journal: &Journal,
) -> Open {
    let search = Search {
        near,
        device,
        place: journal.place.as_deref(),
        size,
        dumps: dumps_of_such(near, device, size),
    };
    let mut open = Open::default();
    let mut entered = BTreeSet::new();
    let (entries, unread) = journal.read();
    let whose = entries.iter().map(|found| {
        let is_shared = entries.iter().any(|other| shares_number(found, other));
        search.who(&found.entry, is_shared)
    });
    let whose: Vec<Option<Who>> = whose.collect();
    for (found, who) in entries.into_iter().zip(whose) {
        let Some(who) = who else {
            continue;
        };
        match search.entered(found, who) {
            Ok(one) => {
                entered.extend(one.path.canonicalize());
                open.intact.push(one);
            }
            Err(lost) => {
                let was = lost.as_ref().and_then(|lost| lost.path.as_ref());
                entered.extend(was.and_then(|was| was.canonicalize().ok()));
                open.lost.extend(lost.map(|lost| *lost));
            }
        }
    }
    for (path, record) in search.recorded_alone(&entered, &open) {
        match search.recorded(path, record) {
            Ok(one) => open.intact.push(one),
            Err(lost) => open.lost.extend(lost.map(|lost| *lost)),
        }
    }
    open.unread = unread;
    open.intact.sort_by_key(|one| (one.who, one.record.date));
    open.lost.sort_by_key(|one| (one.who, one.date));
    open
}

impl Open {
    /// What was in this drive's flash before a change that was begun and not
    /// finished, where its backup has all of that.
    pub fn before(&self) -> Option<&[u8]> {
        let is_whole = |one: &&Unfinished| {
            one.who.is_this() && one.record.gaps.is_empty() && one.covers_all_of(one.flash.len())
        };
        let one = self.intact.iter().find(is_whole)?;
        Some(&one.flash)
    }

    /// Whether more of the flash has to be seen to tell what it shows of changes that
    /// overlap with this one.
    pub fn needs_more_than(&self, dump: &Dump) -> bool {
        let intact = self.intact.iter().map(|one| &one.covered);
        let mut parts = intact.chain(self.lost.iter().map(|one| &one.covered));
        parts.any(|part| !is_within(part, dump) && overlap(part, &dump.ranges))
    }

    /// Whether this file is the backup of one of them, or is in the place of one.
    pub fn is_backup(&self, path: &Path) -> bool {
        let in_place = |lost: &Lost| {
            let real = |path: &Path| {
                path.canonicalize()
                    .or_else(|_| std::path::absolute(path))
                    .ok()
            };
            lost.path
                .as_deref()
                .is_some_and(|lost| real(lost) == real(path))
        };
        self.intact.iter().any(|one| one.path == path) || self.lost.iter().any(in_place)
    }

    /// What a file is that is named where the backup of a change of this drive is wanted.
    ///
    /// # Errors
    /// [`Refusal::OtherBackup`] where it is not that backup.
    pub fn refuse_other_backup(&self, file: &Path) -> Result<(), Refusal> {
        let mut lost = self.lost.iter().filter(|one| one.who.is_this());
        let wanted = lost.find_map(|one| Some((one.path.clone()?, one.crc32?, one.date)));
        let (Some((backup, crc32, date)), Ok(content)) = (wanted, backup::content(file)) else {
            return Ok(());
        };
        Err(Refusal::OtherBackup {
            file: file.to_owned(),
            found: Crc32::of(&content),
            packed: container::Kind::of(&content),
            backup,
            crc32,
            date,
        })
    }

    /// The entries that a change of a drive whose flash cannot be read goes on with.
    pub fn under_way_unread(&self) -> Vec<journal::Found> {
        let lost = self.lost.iter().filter(|one| one.who.is_this());
        lost.filter_map(|one| one.entry.clone()).collect()
    }

    /// What the user should know of changes of such a drive.
    pub fn notices_unread(&self) -> Vec<Notice> {
        let lost = self.lost.iter().filter(|one| one.who.is_this());
        lost.map(Lost::notice).collect()
    }
}

/// The newest intact backup of all of a flash like this one, in the current folder and in
/// that of `near`: of something else than `now`, and of a drive that may be this one.
pub(in crate::job) fn newest_backup(
    near: &Path,
    device: &DeviceInfo,
    now: &Record,
) -> Option<(PathBuf, Date)> {
    let all = dumps_of_such(&[near], device, now.size as usize).into_iter();
    let mut backups: Vec<(PathBuf, Record)> = all
        .filter(|(path, record)| {
            let is_whole = record.ranges.is_empty() && record.gaps.is_empty();
            let is_there = match (&record.place, &now.place) {
                (Some(then), Some(now)) => then == now,
                _ => true,
            };
            is_whole
                && is_there
                && !record.half_written
                && record.crc32 != now.crc32
                && is_same_drive(record.drive.as_ref(), device.identity.as_ref())
                && backup::is_intact(path, record)
        })
        .collect();
    backups.sort_by_key(|(_, record)| record.date);
    backups.pop().map(|(path, record)| (path, record.date))
}

/// The dumps with a record of a flash like this one.
fn dumps_of_such(near: &[&Path], device: &DeviceInfo, size: usize) -> Vec<(PathBuf, Record)> {
    folders(near)
        .iter()
        .flat_map(|folder| backup::recorded_in(folder))
        .filter(|(_, record)| is_chip(&record.chip, device) && record.size as usize == size)
        .collect()
}

/// Whether a drive may have this chip: one that is read in a way that was never confirmed
/// does not say which it has.
fn is_chip(chip: &str, device: &DeviceInfo) -> bool {
    chip == device.chip || device.is_unconfirmed()
}

fn folders(near: &[&Path]) -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from(".")];
    for folder in near.iter().map(|file| folder_of(file)) {
        let real = folder.canonicalize().ok();
        if folders
            .iter()
            .all(|known| known.canonicalize().ok() != real)
        {
            folders.push(folder.to_owned());
        }
    }
    folders
}

/// What is looked for, and what lies where it is looked for.
struct Search<'a> {
    /// Where the backup of this change is to go, and the image.
    near: &'a [&'a Path],
    device: &'a DeviceInfo,
    place: Option<&'a str>,
    size: usize,
    dumps: Vec<(PathBuf, Record)>,
}

impl Search<'_> {
    fn identity(&self) -> Option<&Identity> {
        self.device.identity.as_ref()
    }

    /// How it is known that an entry is this drive's; `None` where it cannot be. A serial
    /// number that is shared says no more than none.
    fn who(&self, entry: &Entry, is_shared: bool) -> Option<Who> {
        let is_like = is_chip(&entry.chip, self.device) && entry.size as usize == self.size;
        if !is_like || !is_same_drive(entry.drive.as_ref(), self.identity()) {
            return None;
        }
        if entry.settled {
            return Some(Who::Elsewhere);
        }
        let has_serial = self.identity().is_some_and(|drive| drive.serial.is_some());
        // They agree, or it were another drive.
        let is_known = entry.serial().is_some() && has_serial && !is_shared;
        Some(match (entry.place.as_deref(), self.place) {
            (Some(then), Some(now)) if is_known && then != now => Who::Moved,
            _ if is_known => Who::Serial,
            (Some(then), Some(now)) if then == now => Who::Place,
            (Some(_), Some(_)) => Who::Elsewhere,
            _ => Who::Unknown,
        })
    }

    /// A change that is in the journal.
    ///
    /// # Errors
    /// What is known of it where its backup cannot be used; `None` where another run
    /// is at work with that.
    fn entered(&self, found: journal::Found, who: Who) -> Result<Unfinished, Option<Box<Lost>>> {
        let entry = &found.entry;
        let Some((was, crc32)) = entry.backup() else {
            let lost = Lost::of_entry(found, who, BackupProblem::None);
            return Err(Some(lost.into()));
        };
        let covered = record::covered(&entry.ranges, entry.size);
        let mut problem = BackupProblem::Unreadable;
        let beside = Record::beside(&was).filter(|record| record.crc32 == crc32);
        // Where the backup is another file by now, its record is left there.
        let left = |path: &Path| {
            let is_another = path.canonicalize().ok().as_ref() != Some(&was);
            (is_another && beside.is_some()).then(|| was.clone())
        };
        for path in self.places_of(was.clone(), crc32) {
            match intact(&path, crc32, &covered, self.size) {
                Ok(flash) => {
                    return Ok(Unfinished {
                        record: self.record_of(&path, entry, crc32, &flash),
                        target: found.target(),
                        covered,
                        flash,
                        who,
                        was_here: entry.place.is_some() && entry.place.as_deref() == self.place,
                        left: left(&path),
                        path,
                        entry: Some(found),
                    });
                }
                // Another file is no copy of it.
                Err(BackupProblem::Changed) if path != was => {}
                Err(BackupProblem::Unreadable) => {}
                Err(other) => problem = other,
            }
        }
        Err(match problem {
            BackupProblem::InUse => None,
            problem => Some(Lost::of_entry(found, who, problem).into()),
        })
    }

    /// Where the backup may be that was at `was`.
    fn places_of(&self, was: PathBuf, crc32: Crc32) -> Vec<PathBuf> {
        // Under the name that its user knows it by, where it lies in this folder.
        let near = self.dumps.iter().map(|(near, _)| near);
        let short = near.filter(|near| near.canonicalize().ok().as_ref() == Some(&was));
        let moved = self
            .dumps
            .iter()
            .filter(|(_, record)| record.crc32 == crc32);
        let moved = moved.map(|(path, _)| path.clone());
        short
            .cloned()
            .chain([was.clone()])
            .chain(self.near.iter().map(|file| (*file).to_owned()))
            .chain(moved)
            .collect()
    }

    /// The record beside a backup, or one in its place.
    fn record_of(&self, path: &Path, entry: &Entry, crc32: Crc32, flash: &[u8]) -> Record {
        Record::beside(path)
            .filter(|record| record.crc32 == crc32 && record.ranges == entry.ranges)
            .unwrap_or_else(|| of_entry(entry, flash, self.device))
    }

    /// The changes that only a record tells of: its backup is none of `entered`.
    fn recorded_alone(&self, entered: &BTreeSet<PathBuf>, open: &Open) -> Vec<(PathBuf, Record)> {
        // A backup that is gone is known by its sum.
        let is_entered = |crc32: Crc32| {
            let intact = open.intact.iter().map(|one| one.record.crc32);
            let lost = open.lost.iter().filter_map(|one| one.crc32);
            intact.chain(lost).any(|known| known == crc32)
        };
        let is_alone = |path: &Path, record: &Record| match path.canonicalize() {
            Ok(real) => !entered.contains(&real),
            Err(_) => !is_entered(record.crc32),
        };
        let dumps = self.dumps.iter().filter(|(path, record)| {
            record.before_writing.is_some()
                && is_same_drive(record.drive.as_ref(), self.identity())
                && is_alone(path, record)
        });
        dumps.cloned().collect()
    }

    /// A change that a record tells of.
    ///
    /// # Errors
    /// As [`Search::entered`].
    fn recorded(&self, path: PathBuf, record: Record) -> Result<Unfinished, Option<Box<Lost>>> {
        let covered = record.covered();
        let of_record = record.drive.as_ref();
        let of_record = of_record.is_some_and(|drive| drive.serial.is_some());
        let of_drive = self.identity().is_some_and(|drive| drive.serial.is_some());
        let who = match of_record && of_drive {
            true => Who::Serial,
            false => Who::Unknown,
        };
        let is_here = record.place.is_some() && record.place.as_deref() == self.place;
        let place = |path: PathBuf| {
            intact(&path, record.crc32, &covered, self.size).map(|flash| (path, flash))
        };
        let mut places = self.places_of(path.clone(), record.crc32).into_iter();
        let found = match place(path.clone()) {
            Err(BackupProblem::Unreadable) => places
                .find_map(|moved| place(moved).ok())
                .ok_or(BackupProblem::Unreadable),
            found => found,
        };
        match found {
            Ok((there, flash)) => Ok(Unfinished {
                left: (there != path).then_some(path),
                path: there,
                record,
                flash,
                target: None,
                covered,
                who,
                was_here: false,
                entry: None,
            }),
            Err(BackupProblem::InUse) => Err(None),
            Err(problem) => Err(Some(Box::new(Lost {
                path: Some(path),
                crc32: Some(record.crc32),
                date: record.date,
                problem,
                covered,
                // What its flash was like nothing tells but the backup.
                who: match who {
                    Who::Unknown if is_here || self.identity().is_none() => Who::Place,
                    who => who,
                },
                wanted: record.before_writing,
                entry: None,
            }))),
        }
    }
}

impl Lost {
    fn of_entry(found: journal::Found, who: Who, problem: BackupProblem) -> Lost {
        let backup = found.entry.backup();
        Lost {
            crc32: backup.as_ref().map(|(_, crc32)| *crc32),
            path: backup.map(|(path, _)| path),
            date: found.entry.date,
            problem,
            covered: record::covered(&found.entry.ranges, found.entry.size),
            who,
            wanted: Some(found.entry.target),
            entry: Some(found),
        }
    }
}

/// What a backup holds, laid out over a whole flash.
fn intact(
    path: &Path,
    crc32: Crc32,
    covered: &[FlashRange],
    size: usize,
) -> Result<Vec<u8>, BackupProblem> {
    let file = files::open(path, Links::Followed).map_err(|_| BackupProblem::Unreadable)?;
    if let Err(Errno::EWOULDBLOCK) = Locked::shared(file) {
        return Err(BackupProblem::InUse);
    }
    let content = backup::content(path).map_err(|_| BackupProblem::Unreadable)?;
    if Crc32::of(&content) != crc32 {
        return Err(BackupProblem::Changed);
    }
    lay_out(&content, size, covered).ok_or(BackupProblem::Changed)
}

/// A record for a backup that has lost its own.
fn of_entry(entry: &Entry, flash: &[u8], device: &DeviceInfo) -> Record {
    let dump = Dump {
        bytes: flash.to_vec(),
        ranges: record::covered(&entry.ranges, entry.size),
        gaps: Vec::new(),
        disagreements: 0,
    };
    let mut record = Record::of_dump(&dump, device, entry.date, &entry.tool);
    record.drive.clone_from(&entry.drive);
    record.half_written = entry.has_half_written();
    record
}

/// Whether two drives say one and the same serial number, as cheap ones do: changes of it
/// were begun at two places, on flashes that held different things there, and none is
/// over.
fn shares_number(one: &journal::Found, other: &journal::Found) -> bool {
    let (one, other) = (&one.entry, &other.entry);
    let is_same = one.serial().is_some() && one.serial() == other.serial();
    is_same && one.place != other.place && other.is_open() && one.found_else_than(other)
}

fn is_same_drive(recorded: Option<&Identity>, drive: Option<&Identity>) -> bool {
    let (Some(recorded), Some(drive)) = (recorded, drive) else {
        return true;
    };
    recorded.may_be(drive)
}
