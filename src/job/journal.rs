//! The journal of a machine: one small file for every change of a drive's flash
//! that was begun and is not known to be finished.
//!
//! An entry says who the drive is, where the backup is that holds what was in
//! its flash before, and what the flash held and is to hold, sector by sector; a
//! file beside it holds all of what it is to hold. Both are on the disk before the
//! first change, in one fixed place, so that they are found from any folder.
//!
//! Where a drive has no serial number, its place may have another one by the time
//! that a change seems to be over there. Its entry is then kept as [settled]: it
//! says nothing more of the drive at that place, and is still known where a flash
//! shows that this change has left it.
//!
//! [settled]: Entry::settled
//!
//! A later run goes by an entry when it decides what to put into a drive. So an
//! entry counts only where nobody can have written it who may not flash that
//! drive: in a folder in which no one but its owner can make or change files.

mod entry;
mod shelf;
pub(super) mod stopped;
pub(super) mod trace;

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::record;
use crate::files::{self, FileError, Links, Pending, folder_of};
use crate::flash::chip::ChipId;
use crate::flash::ranges::joined;
use crate::flash::{FlashRange, Offset, table};
use crate::image::Crc32;
use crate::scsi::Identity;

pub use entry::Entry;
pub(super) use entry::{Begun, Piece};
pub use shelf::{JournalError, Shelf, ShelfProblem};

/// Entries that are settled. The oldest one is given up for another.
const MOST_SETTLED: usize = 16;
/// How the names of entries end.
const ENTRY: &str = "toml";

/// The journal of a machine as a run sees it that works on one drive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Journal {
    /// Where entries are made and read; none on a machine without.
    pub own: Option<Shelf>,
    /// Where entries of other users are only read.
    pub others: Vec<Shelf>,
    /// The drive's place in the machine, in terms that survive a restart.
    pub place: Option<String>,
    pub asked: Asked,
}

/// What asks for a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Absolute paths in them; none where that is not known.
    pub words: Vec<OsString>,
    /// CRC-32 of the image that is written.
    pub image: Option<Crc32>,
}

/// An entry where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub entry: Entry,
    file: PathBuf,
    crc32: Crc32,
}

/// An entry that was made just now.
#[derive(Debug)]
pub(super) struct Entered {
    pub entry: Found,
    before: Option<Found>,
}

impl Journal {
    /// The journal of this user alone, in one folder.
    pub fn in_folder(folder: &Path) -> Journal {
        Journal {
            own: Some(Shelf {
                folder: folder.to_owned(),
                owner: nix::unistd::geteuid().as_raw(),
            }),
            ..Journal::default()
        }
    }

    /// Makes sure that entries can be made, before minutes of reading.
    ///
    /// # Errors
    /// [`JournalError`] says what to mend.
    pub(super) fn must_take_entries(&self) -> Result<(), JournalError> {
        let Some(shelf) = &self.own else {
            return Ok(());
        };
        shelf.make()?;
        tempfile::tempfile_in(&shelf.folder)
            .map(drop)
            .map_err(|error| shelf.error(ShelfProblem::Io(error.kind())))
    }

    /// Makes an entry, on the disk when this returns, and returns the one that had its
    /// place. `None` on a machine without a journal.
    ///
    /// # Errors
    /// [`JournalError`]; nothing may be changed then.
    pub(super) fn enter(&self, begun: &Begun) -> Result<Option<Entered>, JournalError> {
        let Some(shelf) = &self.own else {
            return Ok(None);
        };
        shelf.make()?;
        let io = |kind| shelf.error(ShelfProblem::Io(kind));
        let entry = Entry::of(begun, self).map_err(|error| io(error.kind()))?;
        let text = entry.text();
        let file = free_name(shelf, &entry, begun.continued);
        let target = target_of(&file);
        let mut before = self.entries().into_iter();
        let before = before.find(|found| found.file == file);
        write(&[(&target, begun.target), (&file, text.as_bytes())]).map_err(io)?;
        let entry = Found {
            crc32: Crc32::of(text.as_bytes()),
            entry,
            file,
        };
        Ok(Some(Entered { entry, before }))
    }

    /// Takes back what [`Journal::enter`] has done. The same change may have been begun
    /// by an earlier run, of which the entry that was there tells.
    pub(super) fn take_back(&self, entered: &Entered) {
        match &entered.before {
            // Where that cannot be written the new one stays, which tells of it too.
            Some(before) => {
                let _ = write(&[(&before.file, before.entry.text().as_bytes())]);
            }
            None => self.close(&entered.entry),
        }
    }

    /// Notes the byte that the chip did not take, for the next run of this change. An
    /// entry that cannot be written stays as it is: that run says less then.
    pub(super) fn failed_at(&self, found: &Found, at: Offset) {
        let mut failed = found.entry.clone();
        failed.failed_at = Some(at.0);
        let _ = write(&[(&found.file, failed.text().as_bytes())]);
    }

    /// Notes what another change has written, see [`Entry::written_since`].
    /// An entry that cannot be written stays as it is: a run may ask less then.
    pub(super) fn written_since(&self, found: &Found, ranges: &[FlashRange]) {
        if !found.file.exists() {
            return;
        }
        let mut written = found.entry.clone();
        written.written_since.extend(ranges);
        written.written_since = joined(written.written_since);
        let _ = write(&[(&found.file, written.text().as_bytes())]);
    }

    /// Notes that a change seems to be over, see [`Entry::settled`].
    pub(super) fn settle(&self, found: &Found, displaced: bool) {
        if !found.file.exists() {
            return;
        }
        let mut settled = found.entry.clone();
        settled.settled = true;
        settled.displaced |= displaced;
        // One that cannot be written makes a later run more careful than it need be.
        if write(&[(&found.file, settled.text().as_bytes())]).is_err() {
            return;
        }
        let mut all = self.entries();
        all.retain(|found| found.entry.settled);
        let too_many = all.len().saturating_sub(MOST_SETTLED);
        all.iter()
            .take(too_many)
            .for_each(|found| self.close(found));
    }

    /// Takes an entry back. One in a folder of another user, that this one
    /// cannot remove, is said to be closed in a file of this user's.
    pub(super) fn close(&self, found: &Found) {
        if fs::remove_file(&found.file).is_ok() {
            let _ = fs::remove_file(target_of(&found.file));
            // One that comes back with a power cut makes a later run more
            // careful than it need be.
            let _ = files::sync_folder(folder_of(&found.file));
        } else if let (Some(shelf), true) = (&self.own, found.file.exists()) {
            let file = shelf.folder.join(closed_name(&found.file));
            let _ = shelf
                .make()
                .map(|()| write(&[(&file, found.crc32.to_string().as_bytes())]));
        }
    }

    fn shelves(&self) -> impl Iterator<Item = &Shelf> {
        let shelves = self.own.iter().chain(&self.others);
        shelves.filter(|shelf| shelf.check().is_ok())
    }

    /// The changes that are entered here and not closed, the oldest first.
    pub fn entries(&self) -> Vec<Found> {
        self.read().0
    }

    /// The same, and what may be entries and cannot be read, or not be believed: files,
    /// folders that this user may not look into, and their own where others may write
    /// into it.
    pub(super) fn read(&self) -> (Vec<Found>, Vec<PathBuf>) {
        let mut found = Vec::new();
        let mut unread = Vec::new();
        for (file, text) in self.shelves().flat_map(|shelf| shelf.files(ENTRY)) {
            match text.and_then(|text| Found::parse(&file, &text)) {
                Some(entry) => found.push(entry),
                None => unread.push(file),
            }
        }
        let own = self.own.iter().filter(|shelf| {
            let is_doubtful = || shelf.check().is_err() && !shelf.files(ENTRY).is_empty();
            shelf.is_closed() || is_doubtful()
        });
        let others = self.others.iter().filter(|shelf| shelf.is_closed());
        unread.extend(own.chain(others).map(|shelf| shelf.folder.clone()));
        let closed: Vec<(OsString, String)> = self
            .shelves()
            .flat_map(|shelf| shelf.files("closed"))
            .filter_map(|(file, text)| Some((file.file_name()?.to_owned(), text?)))
            .collect();
        found.retain(|found| {
            let name = closed_name(&found.file);
            let crc32 = found.crc32.to_string();
            !closed
                .iter()
                .any(|(of, text)| *of == name && text.trim() == crc32)
        });
        found.sort_by_key(|one| one.entry.date);
        (found, unread)
    }
}

/// The places of drives that may have been left between the command to program a byte
/// and the byte, and who they said that they were.
pub fn left_programming(journal: &Journal) -> Vec<(String, Option<Identity>)> {
    let entries = journal.entries().into_iter().map(|found| found.entry);
    entries
        .filter(|entry| ChipId::parse(&entry.chip).is_some_and(table::takes_byte_programs))
        .filter_map(|entry| Some((entry.place?, entry.drive)))
        .collect()
}

/// Where an entry goes: in the place of one that is `continued`, and of nothing else. One
/// for the same change may be about a twin.
fn free_name(shelf: &Shelf, entry: &Entry, continued: &[Found]) -> PathBuf {
    let name = entry.name();
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let mut files = std::iter::once(name.clone())
        .chain(numbered)
        .map(|name| shelf.folder.join(name).with_extension(ENTRY));
    let is_continued = |file: &Path| continued.iter().any(|found| found.file == file);
    let is_free = |path: &Path| fs::symlink_metadata(path).is_err();
    let is_file = |path: &Path| fs::symlink_metadata(path).is_ok_and(|found| found.is_file());
    let file = files.find(|file| {
        let target = target_of(file);
        (is_free(file) || is_continued(file)) && (is_free(&target) || is_file(&target))
    });
    file.unwrap_or_default()
}

/// `a.toml` → `a.closed`.
fn closed_name(entry: &Path) -> OsString {
    let closed = entry.with_extension("closed");
    closed.file_name().unwrap_or_default().to_owned()
}

/// The file with what the flash is to hold.
fn target_of(entry: &Path) -> PathBuf {
    entry.with_extension("target")
}

/// All of these files or none.
fn write(files: &[(&Path, &[u8])]) -> Result<(), io::ErrorKind> {
    let mut pending = Pending::new(true).readable_by_all();
    files
        .iter()
        .try_for_each(|(file, content)| pending.add(file, |out| out.write_all(content)))
        .and_then(|()| pending.commit())
        .map_err(|error| match error {
            FileError::Io { source, .. } | FileError::Folder { source, .. } => source.kind(),
            FileError::NoRoom { .. } => io::ErrorKind::StorageFull,
            _ => io::ErrorKind::AlreadyExists,
        })
}

impl Found {
    fn parse(file: &Path, text: &str) -> Option<Found> {
        Some(Found {
            entry: Entry::parse(text)?,
            crc32: Crc32::of(text.as_bytes()),
            file: file.to_owned(),
        })
    }

    /// What the whole flash is to hold, FF outside of the ranges; `None` where that
    /// file is gone or another one.
    pub(super) fn target(&self) -> Option<Vec<u8>> {
        let limit = u64::from(record::LARGEST_FLASH);
        let target = files::read(&target_of(&self.file), limit, Links::Own).ok()?;
        let is_it =
            target.len() == self.entry.size as usize && Crc32::of(&target) == self.entry.target;
        is_it.then_some(target)
    }
}

#[cfg(test)]
mod tests;
