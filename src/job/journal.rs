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

pub(super) mod stopped;
pub(super) mod trace;

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File, Metadata};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::record::{self, Date};
use crate::files::{self, FileError, Kind, Links, Pending, folder_of};
use crate::flash::{FlashRange, Offset, chip};
use crate::image::Crc32;
use crate::scsi::Identity;

/// The only version there is.
const VERSION: u32 = 1;
/// Bytes. An entry about 16 MiB in sectors of 4 KiB has 200 KiB.
const LARGEST: u64 = 0x4_0000;
/// Of a flash of 16 MiB.
const MOST_PIECES: usize = 4096;
/// Files in a folder that are looked at.
const MOST_ENTRIES: usize = 4096;
/// The longest path that Linux takes, in bytes.
const LONGEST_PATH: usize = 4096;
/// Entries that are settled. The oldest one is given up for another.
const MOST_SETTLED: usize = 16;
const LONGEST_TEXT: usize = 256;
/// How the names of entries end.
const ENTRY: &str = "toml";
const MOST_WORDS: usize = 64;
const OTHERS_MAY_WRITE: u32 = 0o022;

/// The journal of a machine as a run sees it that works on one drive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Journal {
    /// Where entries are made and read; none on a machine without.
    pub own: Option<Shelf>,
    /// Where entries of other users are only read.
    pub others: Vec<Shelf>,
    /// The drive's place in the machine, in terms that survive a restart.
    pub place: Option<String>,
    /// The words that ask for this run, absolute paths in them.
    pub words: Vec<OsString>,
}

/// A folder with entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelf {
    pub folder: PathBuf,
    /// The user whose entries count here, beside those of root.
    pub owner: u32,
}

/// A folder in which an entry cannot be made. No change is begun then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{self:?}")]
pub struct JournalError {
    pub folder: PathBuf,
    pub problem: ShelfProblem,
}

/// What is wrong with a folder for entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{self:?}")]
pub enum ShelfProblem {
    NoFolder,
    Link,
    OfAnother { owner: u32, wanted: u32 },
    OthersMayWrite { mode: u32 },
    Io(io::ErrorKind),
}

/// A change that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    version: u32,
    /// UTC, to be read by people; compares as it passes.
    pub date: Date,
    /// Name and version of the program.
    pub tool: String,
    /// The number of the user whose run it was.
    pub owner: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    pub chip: String,
    /// Bytes in the whole flash.
    pub size: u32,
    /// What the backup holds; none for the whole flash.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<FlashRange>,
    /// CRC-32 of what the flash is to hold, FF outside of the ranges.
    pub target: Crc32,
    /// The plan: sectors to erase, and bytes to program.
    pub sectors_to_erase: u32,
    pub bytes_to_program: u32,
    /// The words that asked for the change, see [`word`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    words: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drive: Option<Identity>,
    /// The flash was left in the middle of another change when this one began.
    #[serde(default, skip_serializing_if = "is_not")]
    pub mixed: bool,
    /// It seems to be over; nobody can tell whether it was that drive.
    #[serde(default, skip_serializing_if = "is_not")]
    pub settled: bool,
    /// It was settled by a drive at its place whose flash this change cannot have left:
    /// the one that it was about may be anywhere.
    #[serde(default, skip_serializing_if = "is_not")]
    pub displaced: bool,
    /// The byte that the chip did not take when the change was last carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<u32>,
    /// None where the user wanted none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    backup: Option<NamedBackup>,
    /// Of each piece of the flash that can change: first and last byte, CRC-32
    /// before and after.
    pieces: Vec<[u32; 4]>,
}

fn is_not(marked: &bool) -> bool {
    !marked
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NamedBackup {
    /// See [`word`].
    path: String,
    crc32: Crc32,
}

/// What a flash held and is to hold in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub range: FlashRange,
    pub before: Crc32,
    /// Not known from a record alone, which has the sum of the whole.
    pub after: Option<Crc32>,
}

/// An entry where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub entry: Entry,
    file: PathBuf,
    crc32: Crc32,
}

/// What an entry says of a change, but for who made it.
pub(super) struct Begun<'a> {
    pub date: Date,
    pub tool: &'a str,
    pub drive: Option<&'a Identity>,
    pub chip: &'a str,
    pub size: u32,
    pub ranges: Vec<FlashRange>,
    /// What the whole flash is to hold, FF outside of the ranges.
    pub target: &'a [u8],
    pub sectors_to_erase: usize,
    pub bytes_to_program: u32,
    pub mixed: bool,
    /// Its path and CRC-32.
    pub backup: Option<(&'a Path, Crc32)>,
    pub pieces: &'a [Piece],
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

    /// Makes an entry, on the disk when this returns. `None` on a machine without
    /// a journal.
    ///
    /// # Errors
    /// [`JournalError`]; nothing may be changed then.
    pub(super) fn enter(&self, begun: &Begun) -> Result<Option<Found>, JournalError> {
        let Some(shelf) = &self.own else {
            return Ok(None);
        };
        shelf.make()?;
        let io = |kind| shelf.error(ShelfProblem::Io(kind));
        let backup = begun.backup.map(|(path, crc32)| {
            let path = path.canonicalize()?;
            Ok(NamedBackup {
                path: word(path.as_os_str()),
                crc32,
            })
        });
        let backup = backup
            .transpose()
            .map_err(|error: io::Error| io(error.kind()))?;
        let entry = Entry {
            version: VERSION,
            date: begun.date,
            tool: begun.tool.to_owned(),
            owner: nix::unistd::geteuid().as_raw(),
            place: self.place.clone(),
            chip: begun.chip.to_owned(),
            size: begun.size,
            ranges: begun.ranges.clone(),
            target: Crc32::of(begun.target),
            sectors_to_erase: u32::try_from(begun.sectors_to_erase).unwrap_or(u32::MAX),
            bytes_to_program: begun.bytes_to_program,
            words: self.words.iter().map(|text| word(text)).collect(),
            drive: begun.drive.cloned(),
            mixed: begun.mixed,
            settled: false,
            displaced: false,
            failed_at: None,
            backup,
            pieces: begun.pieces.iter().map(Piece::numbers).collect(),
        };
        // What cannot be read again is no entry.
        let entry = entry
            .checked()
            .map_err(|_| io(io::ErrorKind::InvalidData))?;
        let text = entry.text();
        let file = self.free_name(shelf, &entry);
        let target = target_of(&file);
        write(&[(&target, begun.target), (&file, text.as_bytes())]).map_err(io)?;
        Ok(Some(Found {
            crc32: Crc32::of(text.as_bytes()),
            entry,
            file,
        }))
    }

    /// Where an entry goes: in the place of one for the same change, but not of a
    /// settled one, which may be about a twin, and of nothing that is no file.
    fn free_name(&self, shelf: &Shelf, entry: &Entry) -> PathBuf {
        let settled = self.entries().into_iter();
        let settled = settled.filter(|found| found.entry.settled);
        let settled: Vec<PathBuf> = settled.map(|found| found.file).collect();
        let name = entry.name();
        let numbered = (2..).map(|number| format!("{name}-{number}"));
        let mut files = std::iter::once(name.clone())
            .chain(numbered)
            .map(|name| shelf.folder.join(name).with_extension(ENTRY));
        let is_free = |path: &Path| {
            let found = fs::symlink_metadata(path);
            found.is_ok_and(|found| found.is_file()) || !path.is_symlink() && !path.exists()
        };
        let file = files
            .find(|file| !settled.contains(file) && is_free(file) && is_free(&target_of(file)));
        file.unwrap_or_default()
    }

    /// Notes the byte that the chip did not take, for the next run of this change. An
    /// entry that cannot be written stays as it is: that run says less then.
    pub(super) fn failed_at(&self, found: &Found, at: Offset) {
        let failed = Entry {
            failed_at: Some(at.0),
            ..found.entry.clone()
        };
        let _ = write(&[(&found.file, failed.text().as_bytes())]);
    }

    /// Notes that a change seems to be over, see [`Entry::settled`].
    pub(super) fn settle(&self, found: &Found, displaced: bool) {
        if !found.file.exists() {
            return;
        }
        let settled = Entry {
            settled: true,
            displaced: displaced || found.entry.displaced,
            ..found.entry.clone()
        };
        if write(&[(&found.file, settled.text().as_bytes())]).is_err() {
            return self.close(found);
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
            let _ = sync(folder_of(&found.file));
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
        let files = self.shelves().flat_map(|shelf| shelf.files(ENTRY));
        let mut found: Vec<Found> = files
            .filter_map(|(file, text)| Found::parse(file, &text?))
            .collect();
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
        found
    }

    /// What may be entries and cannot be read, or not be believed: files, and this
    /// user's folder where others may write into it.
    pub fn unread(&self) -> Vec<PathBuf> {
        let is_no_entry = |(file, text): (PathBuf, Option<String>)| {
            let found = text.and_then(|text| Found::parse(file.clone(), &text));
            found.is_none().then_some(file)
        };
        let files = self.shelves().flat_map(|shelf| shelf.files(ENTRY));
        let own = self.own.iter().filter(|shelf| shelf.check().is_err());
        let own = own.filter(|shelf| !shelf.files(ENTRY).is_empty());
        files
            .filter_map(is_no_entry)
            .chain(own.map(|shelf| shelf.folder.clone()))
            .collect()
    }
}

/// The places of drives that may have been left between the command to program a byte
/// and the byte, and who they said that they were.
pub fn left_programming(journal: &Journal) -> Vec<(String, Option<Identity>)> {
    let entries = journal.entries().into_iter().map(|found| found.entry);
    entries
        .filter(|entry| chip::takes_byte_programs(&entry.chip))
        .filter_map(|entry| Some((entry.place?, entry.drive)))
        .collect()
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

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

impl Shelf {
    fn error(&self, problem: ShelfProblem) -> JournalError {
        JournalError {
            folder: self.folder.clone(),
            problem,
        }
    }

    /// Makes the folder where it is not there.
    fn make(&self) -> Result<(), JournalError> {
        let io = |error: io::Error| self.error(ShelfProblem::Io(error.kind()));
        if fs::symlink_metadata(&self.folder).is_err() {
            let above = folder_of(&self.folder);
            // As the XDG base directory specification wants its folders.
            let mut builder = DirBuilder::new();
            builder.recursive(true).mode(0o700);
            builder.create(above).map_err(io)?;
            // Root's is read by every user who has a drive.
            let mode = if self.owner == 0 { 0o755 } else { 0o700 };
            match DirBuilder::new().mode(mode).create(&self.folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => made.map_err(io)?,
            }
            sync(above).map_err(io)?;
        }
        self.check()
    }

    /// Whether entries here can be believed.
    fn check(&self) -> Result<(), JournalError> {
        let found = fs::symlink_metadata(&self.folder)
            .map_err(|error| self.error(ShelfProblem::Io(error.kind())))?;
        let (owner, mode) = (found.uid(), found.mode() & 0o7777);
        let problem = if found.is_symlink() {
            ShelfProblem::Link
        } else if !found.is_dir() {
            ShelfProblem::NoFolder
        } else if owner != self.owner && owner != 0 {
            ShelfProblem::OfAnother {
                owner,
                wanted: self.owner,
            }
        } else if mode & OTHERS_MAY_WRITE != 0 {
            ShelfProblem::OthersMayWrite { mode }
        } else {
            return Ok(());
        };
        Err(self.error(problem))
    }

    /// The files of a kind that lie here, in the order of their names: the texts of
    /// those that count and can be read.
    fn files(&self, extension: &str) -> Vec<(PathBuf, Option<String>)> {
        let names = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = names
            .take(MOST_ENTRIES)
            .map(|entry| entry.path())
            .filter(|path| path.extension() == Some(OsStr::new(extension)))
            .collect();
        paths.sort();
        let text_of = |path: &Path| {
            let found = fs::symlink_metadata(path).ok()?;
            let counts = self.counts(&found);
            counts.then(|| files::read_text(path, LARGEST, Links::Own).ok())?
        };
        let texts = paths.into_iter().map(|path| (text_of(&path), path));
        // One that is gone by now was taken back.
        let texts =
            texts.filter(|(text, path)| text.is_some() || fs::symlink_metadata(path).is_ok());
        texts.map(|(text, path)| (path, text)).collect()
    }

    fn counts(&self, file: &Metadata) -> bool {
        Kind::of(file).is_none()
            && !file.is_symlink()
            && [0, self.owner].contains(&file.uid())
            && file.mode() & OTHERS_MAY_WRITE == 0
    }
}

/// Why a text is no entry: the key that says what cannot be.
struct Impossible;

impl Entry {
    /// An entry may be from anybody: what it says of a flash must be possible.
    fn checked(self) -> Result<Entry, Impossible> {
        match self.is_possible() {
            true => Ok(self),
            false => Err(Impossible),
        }
    }

    fn is_possible(&self) -> bool {
        let texts = [&self.tool, &self.chip];
        let names = self.drive.iter().flat_map(|drive| {
            let serial = drive.serial.as_ref();
            [&drive.vendor, &drive.product, &drive.revision]
                .into_iter()
                .chain(serial)
        });
        let is_short = |text: &String| text.len() <= LONGEST_TEXT;
        let is_path = |path: &String| {
            let length = 1..=3 * LONGEST_PATH;
            length.contains(&path.len()) && Path::new(&unword(path)).is_absolute()
        };
        let backup = self.backup.as_ref();
        let range = |&[first, last, ..]: &[u32; 4]| FlashRange::try_from([first, last]);
        let pieces: Result<Vec<FlashRange>, _> = self.pieces.iter().map(range).collect();
        self.version == VERSION
            && (1..=record::LARGEST_FLASH).contains(&self.size)
            && texts.into_iter().chain(names).all(is_short)
            && self.place.iter().all(|place| place.len() <= LONGEST_PATH)
            && self.words.len() <= MOST_WORDS
            && self.words.iter().all(|word| word.len() <= 3 * LONGEST_PATH)
            && self.failed_at.is_none_or(|at| at < self.size)
            && backup.is_none_or(|backup| is_path(&backup.path))
            && record::are_within(&self.ranges, self.size)
            && self.pieces.len() <= MOST_PIECES
            && pieces.is_ok_and(|pieces| record::are_within(&pieces, self.size))
    }

    fn text(&self) -> String {
        let text = toml::to_string(self).unwrap_or_default();
        format!(
            "# A change of a drive's flash that mtkflash has begun. While this file is here, what was\n\
             # in the flash before is in the backup that it names. Do not edit it.\n{text}"
        )
    }

    /// The same for the same change of the same drive; without an ending.
    fn name(&self) -> String {
        let serial = self.drive.as_ref().and_then(|drive| drive.serial.as_ref());
        let who = format!(
            "{}\n{}\n{}",
            serial.map_or("", String::as_str),
            self.place.as_deref().unwrap_or_default(),
            self.chip
        );
        let backup = self.backup.as_ref().map_or("", |backup| &backup.path);
        let what = format!("{backup}\n{}", self.target);
        let sum = |text: &str| Crc32::of(text.as_bytes());
        format!("{}-{}", sum(&who), sum(&what))
    }

    /// Where the backup was, and its CRC-32.
    pub fn backup(&self) -> Option<(PathBuf, Crc32)> {
        let backup = self.backup.as_ref()?;
        Some((unword(&backup.path).into(), backup.crc32))
    }

    /// The words that asked for the change.
    pub fn words(&self) -> Vec<OsString> {
        self.words.iter().map(|word| unword(word)).collect()
    }

    pub(super) fn pieces(&self) -> Vec<Piece> {
        let piece = |&[first, last, before, after]: &[u32; 4]| Piece {
            range: FlashRange::new(first, last.saturating_add(1)),
            before: Crc32(before),
            after: Some(Crc32(after)),
        };
        self.pieces.iter().map(piece).collect()
    }
}

impl Found {
    fn parse(file: PathBuf, text: &str) -> Option<Found> {
        let entry: Entry = toml::from_str(text).ok()?;
        Some(Found {
            entry: entry.checked().ok()?,
            crc32: Crc32::of(text.as_bytes()),
            file,
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

impl Piece {
    fn numbers(&self) -> [u32; 4] {
        let after = self.after.unwrap_or(self.before);
        let last = self.range.end().saturating_sub(1);
        [self.range.start(), last, self.before.0, after.0]
    }
}

/// A path or word as a text: what is no UTF-8, control characters and `%` by
/// their numbers.
fn word(text: &OsStr) -> String {
    let mut word = String::new();
    for chunk in text.as_bytes().utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '%' => word.push_str("%25"),
                letter if letter.is_ascii_control() => {
                    word.push_str(&format!("%{:02X}", u32::from(letter)));
                }
                letter => word.push(letter),
            }
        }
        for byte in chunk.invalid() {
            word.push_str(&format!("%{byte:02X}"));
        }
    }
    word
}

fn unword(word: &str) -> OsString {
    let mut bytes = Vec::new();
    let mut rest = word.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let number = after
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (first, number) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    OsString::from_vec(bytes)
}

#[cfg(test)]
mod tests;
