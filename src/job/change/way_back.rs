//! The way back: an earlier backup, or one that is made now.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::Request;
use crate::files::{self, FileError, Links};
use crate::flash::FlashRange;
use crate::flash::ranges::bytes_of;
use crate::image::soundness;
use crate::image::{Arrangement, Crc32, Encoding, Format};
use crate::job::backup;
use crate::job::interrupted::{self, Start, Unfinished};
use crate::job::journal::Journal;
use crate::job::read::Dump;
use crate::job::record::Record;
use crate::job::{Check, Forced, JobError, Objection, Refusal};
use crate::plan::ERASED;
use crate::protocol::DeviceInfo;

/// Backups are what `/m /b` reads.
const BACKUP_FORMAT: Format = Format {
    encoding: Encoding::Binary,
    arrangement: Arrangement::Merged,
};

/// How the way back is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackupWish {
    /// A backup in this file, in raw binary.
    File(PathBuf),
    /// The same, in a file that the user has not named and nobody has; the other
    /// name is for a flash that an unfinished change has left as a mixture.
    Fresh {
        backup: PathBuf,
        half_written: PathBuf,
    },
    /// None: the user said so.
    None,
}

/// The way back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backup {
    /// Made just now, verified and on the disk.
    Made { path: PathBuf, crc32: Crc32 },
    /// An earlier run was interrupted; its backup is intact.
    Earlier(Box<Unfinished>),
    /// Another change was begun on this drive and not finished: its backup, which
    /// is intact, holds what was in the flash before.
    Before(Box<Unfinished>),
    /// What was read just now is on the disk, and may be what an unfinished change
    /// has left: no way back.
    Mixture { path: PathBuf, crc32: Crc32 },
    /// Would be made in this file.
    Planned(PathBuf),
    /// The user wants none.
    None,
    /// The drive gives nothing of what is in its flash, and never will before it
    /// is written.
    Impossible,
    /// Nothing is going to be changed.
    NotNeeded,
}

impl Backup {
    /// The file that holds what was in the flash before, where it is on the disk.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Backup::Made { path, .. } => Some(path),
            Backup::Earlier(earlier) | Backup::Before(earlier) => {
                (!earlier.record.half_written).then_some(&earlier.path)
            }
            Backup::Mixture { .. }
            | Backup::Planned(_)
            | Backup::None
            | Backup::Impossible
            | Backup::NotNeeded => None,
        }
    }

    /// The file, where it was made just now.
    pub(in crate::job) fn made(&self) -> Option<&Path> {
        match self {
            Backup::Made { path, .. } | Backup::Mixture { path, .. } => Some(path),
            _ => None,
        }
    }

    /// Says of an error that what was read is on the disk.
    pub(in crate::job) fn kept_with(&self, error: JobError) -> JobError {
        match self.made() {
            Some(file) => JobError::Kept {
                file: file.to_owned(),
                source: error.into(),
            },
            None => error,
        }
    }
}

/// The way back, and what is to be noted of it.
pub(in crate::job) struct Made {
    pub backup: Backup,
    pub noted: Option<(PathBuf, Record)>,
    /// Where that is not what was read just now.
    pub before: Option<Vec<u8>>,
    pub covered: Option<Vec<FlashRange>>,
    /// The flash is in the middle of another change.
    pub mixed: bool,
}

impl Made {
    pub fn nothing(backup: Backup) -> Made {
        Made {
            backup,
            noted: None,
            before: None,
            covered: None,
            mixed: false,
        }
    }

    /// Where the flash holds all of it already. A run that ended before it could say so
    /// has left its backup; by its place alone a drive that holds the image is not known to
    /// be the one that was written there.
    pub fn nothing_to_do(start: Start) -> Made {
        Made::nothing(match start {
            Start::Resumed(earlier) if earlier.is_by_number() => Backup::Earlier(earlier),
            _ => Backup::NotNeeded,
        })
    }

    pub fn earlier(earlier: Box<Unfinished>, as_backup: fn(Box<Unfinished>) -> Backup) -> Made {
        Made {
            noted: Some((earlier.path.clone(), earlier.record.clone())),
            before: Some(earlier.flash.clone()),
            covered: Some(earlier.record.covered()),
            mixed: earlier.began_mixed(),
            backup: as_backup(earlier),
        }
    }
}

/// Finds the way back, or makes it.
pub(in crate::job) fn way_back(
    start: Start,
    dump: &Dump,
    request: &Request,
    device: &DeviceInfo,
    known: impl FnOnce(Record) -> Record,
) -> Result<Made, JobError> {
    let read = dump;
    let (dump, is_mixed): (Cow<Dump>, bool) = match start {
        Start::Resumed(earlier) => {
            let mixed = earlier.began_mixed() || earlier.flash != dump.bytes;
            return Ok(Made {
                mixed,
                ..Made::earlier(earlier, Backup::Earlier)
            });
        }
        Start::After(earlier) if earlier.covers_exactly(&dump.ranges) => {
            let mixed = earlier.flash != dump.bytes;
            return Ok(Made {
                mixed,
                ..Made::earlier(earlier, Backup::Before)
            });
        }
        // What was in the flash before any change, from both.
        Start::After(earlier) => (Cow::Owned(earlier.before(dump)), false),
        Start::Here => (Cow::Borrowed(dump), false),
        Start::Mixed => (Cow::Borrowed(dump), true),
    };
    let path = match &request.backup {
        BackupWish::None => {
            return Ok(Made {
                mixed: is_mixed,
                ..Made::nothing(Backup::None)
            });
        }
        BackupWish::Fresh { half_written, .. } if is_mixed => half_written,
        BackupWish::Fresh { backup: path, .. } | BackupWish::File(path) => path,
    };
    if request.dry_run {
        return Ok(Made::nothing(Backup::Planned(path.clone())));
    }
    let record = Record {
        half_written: is_mixed,
        ..known(Record::of(&dump, device, &request.circumstances))
    };
    refuse_erased(&dump, &record, device, path, request)?;
    let (path, crc32) = make_backup(&dump, &record, path, request)?;
    Ok(Made {
        noted: Some((path.clone(), record)),
        backup: match is_mixed {
            true => Backup::Mixture { path, crc32 },
            false => Backup::Made { path, crc32 },
        },
        mixed: dump.bytes != read.bytes,
        covered: Some(dump.ranges.clone()),
        before: match dump {
            Cow::Owned(dump) => Some(dump.bytes),
            Cow::Borrowed(_) => None,
        },
    })
}

/// The only way back is not given a second purpose by its name.
pub(in crate::job) fn refuse_unfinished(start: &Start, request: &Request) -> Result<(), FileError> {
    match (start, &request.backup) {
        (Start::After(earlier), BackupWish::File(path)) if earlier.is_where_it_was(path) => {
            backup::must_not_be_unfinished(path)
        }
        _ => Ok(()),
    }
}

impl BackupWish {
    /// The file that the user has named.
    pub(in crate::job) fn named(&self) -> Option<&Path> {
        match self {
            BackupWish::File(path) => Some(path),
            BackupWish::Fresh { .. } | BackupWish::None => None,
        }
    }
}

pub(in crate::job) fn backup_path(wish: &BackupWish) -> Option<&Path> {
    match wish {
        BackupWish::File(path) | BackupWish::Fresh { backup: path, .. } => Some(path),
        BackupWish::None => None,
    }
}

/// What needs no read is found out before minutes of reading: a change that cannot
/// be noted, a name that is taken, a full disk. A write that is gone on with has its
/// backup already.
pub(in crate::job) fn early_checks(
    request: &Request,
    device: &DeviceInfo,
    size: u32,
    ranges: &[FlashRange],
) -> Result<(), JobError> {
    let journal = &request.circumstances.journal;
    if !request.dry_run {
        journal.must_take_entries().map_err(Refusal::Journal)?;
    }
    let Some(path) = backup_path(&request.backup) else {
        return Ok(());
    };
    let open = interrupted::find(&request.near(), device, size as usize, journal);
    // Of this very flash, as far as that can be known without reading it.
    let may_be_there = backup::may_be_of(path, device, journal.place.as_deref(), size, ranges)
        || open.is_backup(path);
    let overwrite = may_be_there || request.forced.contains(&Check::Overwrite);
    let keeps = !request.selection.is_everything() || !request.keep.is_empty();
    // Who does without that backup names a file for another one.
    let wants_it = keeps && !overwrite && !request.forced.contains(&Check::Interrupted);
    if let (BackupWish::File(file), true) = (&request.backup, wants_it) {
        open.refuse_other_backup(file)?;
    }
    let names = [path.to_owned(), backup::record_path(path)];
    // Of a change that is gone on with nothing has to be made.
    let is_there = open.intact.iter().any(|one| one.path == path);
    if !request.dry_run && !is_there {
        files::must_be_makeable(&names, overwrite)?;
    }
    if may_be_there || !open.intact.is_empty() {
        return Ok(());
    }
    Ok(backup::must_have_room(path, BACKUP_FORMAT, ranges)?)
}

/// Puts a dump on the disk, or finds it there: another one at every "no" would be
/// of no use. Returns where it is, and its CRC-32.
fn make_backup(
    dump: &Dump,
    record: &Record,
    path: &Path,
    request: &Request,
) -> Result<(PathBuf, Crc32), JobError> {
    refuse_blank(dump, &request.forced)?;
    let crc32 = record.crc32;
    if backup::is_of(path, record) {
        return Ok((path.to_owned(), crc32));
    }
    if let (BackupWish::Fresh { .. }, Some(equal)) =
        (&request.backup, backup::equal_beside(path, record))
    {
        return Ok((equal, crc32));
    }
    let overwrite = request.forced.contains(&Check::Overwrite);
    let saved = backup::save(dump, record, path, BACKUP_FORMAT, overwrite);
    match saved {
        Ok(()) => Ok((path.to_owned(), crc32)),
        // Somebody else has that name by now, and half an hour may have been read.
        Err(taken @ (FileError::Exists { .. } | FileError::Unfinished { .. })) => {
            let other = backup::free_name(path);
            if backup::save(dump, record, &other, BACKUP_FORMAT, false).is_err() {
                return Err(taken.into());
            }
            match request.backup {
                // Nobody has asked for that name.
                BackupWish::Fresh { .. } => Ok((other, crc32)),
                // It was named for what it is, where another change is not known to be over.
                BackupWish::File(_) if is_noted(path, &request.circumstances.journal) => {
                    Ok((other, crc32))
                }
                BackupWish::File(_) | BackupWish::None => Err(JobError::Kept {
                    file: other,
                    source: Box::new(taken.into()),
                }),
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether a file is the backup of a change that is noted.
fn is_noted(path: &Path, journal: &Journal) -> bool {
    let crc32 = files::open(path, Links::Followed).ok();
    let crc32 = crc32.and_then(|file| backup::crc32(&file).ok());
    let noted = journal.entries().into_iter();
    let mut noted = noted.filter_map(|found| Some(found.entry.backup()?.1));
    noted.any(|noted| Some(noted) == crc32)
}

/// Where all of a flash is blank of which something is to stay, that is lost; what a
/// backup that lies near holds of it is written back first.
///
/// # Errors
/// [`Check::Blank`], where there is such a backup.
fn refuse_erased(
    dump: &Dump,
    record: &Record,
    device: &DeviceInfo,
    path: &Path,
    request: &Request,
) -> Result<(), Refusal> {
    let keeps = !request.selection.is_everything() || !request.keep.is_empty();
    let is_blank = dump.is_whole() && dump.bytes.iter().all(|byte| *byte == ERASED);
    if !keeps || !is_blank || request.forced.contains(&Check::Blank) {
        return Ok(());
    }
    match interrupted::newest_backup(path, device, record) {
        Some((backup, date)) => Err(Objection::Erased { backup, date }.into()),
        None => Ok(()),
    }
}

/// A dump that is blank or repeats itself is no backup, and one of which the
/// drive gave nothing is not even blank.
///
/// # Errors
/// A [`Refusal`]; that of a blank dump names the check to force.
pub fn refuse_blank(dump: &Dump, forced: &Forced) -> Result<(), Refusal> {
    if !dump.gaps.is_empty() && bytes_of(&dump.gaps) == bytes_of(&dump.ranges) {
        return Err(Refusal::NothingRead);
    }
    if forced.contains(&Check::Blank) {
        return Ok(());
    }
    match soundness::content(&dump.selected()) {
        Some(problem) => Err(Objection::NoBackup(problem).into()),
        None => Ok(()),
    }
}
