//! Backups: a dump in a file, and beside it a small text file that says of
//! which drive it is.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::journal::Journal;
use super::read::Dump;
use super::record::{Date, LARGEST_FLASH, Record};
use crate::files::{self, FileError, Links, Locked, Pending, ReadError};
use crate::flash::{Bank, FlashRange};
use crate::image::{self, Arrangement, Crc32, Encoding, Format};
use crate::protocol::DeviceInfo;

/// The circumstances of a dump that the device does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circumstances {
    pub date: Date,
    /// Name and version.
    pub tool: String,
    /// Where changes are noted that were begun on this machine.
    pub journal: Journal,
}

impl Record {
    /// That of a dump.
    pub fn of(dump: &Dump, device: &DeviceInfo, circumstances: &Circumstances) -> Record {
        let record = Record::of_dump(dump, device, circumstances.date, &circumstances.tool);
        let place = circumstances.journal.place.clone();
        Record {
            place: place.filter(|_| record.serial().is_none()),
            ..record
        }
    }

    /// The record beside a dump, where there is one that makes sense. What lies there
    /// may be anything; a link is read only where nobody but this user can have put
    /// it there.
    pub fn beside(dump: &Path) -> Option<Record> {
        let text = files::read_text(&record_path(dump), LARGEST_RECORD, Links::Own).ok()?;
        // Of a folder full of other texts not all are to be parsed.
        let has_a_sum = text.contains("crc32");
        has_a_sum.then(|| Record::parse(&text).ok())?
    }
}

/// Bytes. A record of 32 banks and as many gaps has 3 KiB.
const LARGEST_RECORD: u64 = 0x1_0000;

/// The backup of the same flash from before the change that a half-written dump was
/// read in the middle of, where the journal or a record beside that dump knows one that
/// is intact.
pub fn from_before(dump: &Path, mixture: &Record, journal: &Journal) -> Option<PathBuf> {
    let entries = journal.entries();
    let noted = entries.iter().filter_map(|found| {
        let (path, _) = found.entry.backup()?;
        let is_there = found.entry.place.is_some() && found.entry.place == mixture.place;
        Some((is_there, Record::beside(&path)?, path))
    });
    let beside = recorded_in(files::folder_of(dump)).into_iter();
    let beside = beside.map(|(path, record)| (false, record, path));
    let mut found: Vec<(bool, Record, PathBuf)> = noted
        .chain(beside)
        .filter(|(is_there, record, path)| {
            let is_same_drive = *is_there
                || record.serial() == mixture.serial()
                    && !record.may_be_of_a_twin(mixture.place.as_deref());
            let is_whole =
                !record.half_written && record.ranges.is_empty() && record.gaps.is_empty();
            is_same_drive
                && is_whole
                && (&record.chip, record.size) == (&mixture.chip, mixture.size)
                && record.date <= mixture.date
                && is_intact(path, record)
        })
        .collect();
    // That of an open change says so; else the newest.
    found.sort_by_key(|(_, record, _)| (record.before_writing.is_some(), record.date));
    found.pop().map(|(_, _, path)| path)
}

/// Whether neither a dump nor the record beside it says which drive it is of; `false`
/// also where it cannot be read.
pub fn names_nobody(dump: &Path) -> bool {
    let recorded = Record::beside(dump).and_then(|record| record.drive);
    recorded.is_none() && content(dump).is_ok_and(|bytes| image::identity::find(&bytes).is_empty())
}

/// Whether two files hold the same, byte by byte, as far as they are no larger than any
/// flash.
pub fn holds_the_same(one: &Path, other: &Path) -> bool {
    let sum = |path: &Path| crc32(&files::open(path, Links::Followed).ok()?).ok();
    sum(one).is_some_and(|found| sum(other) == Some(found))
}

/// Whether a backup of a whole flash shows that the flash was damaged already: it would
/// not be written back without a word.
pub fn looks_damaged(dump: &Path) -> bool {
    let is_whole = |bytes: &Vec<u8>| {
        image::FLASH_SIZES
            .iter()
            .any(|size| *size as usize == bytes.len())
    };
    let is_part = Record::beside(dump).is_some_and(|record| !record.ranges.is_empty());
    let bytes = content(dump)
        .ok()
        .filter(|bytes| !is_part && is_whole(bytes));
    bytes.is_some_and(|bytes| image::damage::of_flash(&bytes).is_some())
}

/// The dumps in a folder that have a record beside them, by their names.
pub fn recorded_in(folder: &Path) -> Vec<(PathBuf, Record)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let here = folder.canonicalize().ok();
    let dump = |path: PathBuf| match path.extension() {
        Some(extension) if extension == "txt" => Some(path.with_extension("")),
        // The record of this one lies elsewhere.
        _ => {
            let target = files::behind_links(&path);
            (target != path && here != target.parent().map(Path::to_owned)).then_some(path)
        }
    };
    let mut dumps: Vec<PathBuf> = entries
        .filter_map(|entry| dump(entry.path()))
        .map(|path| path.strip_prefix(".").map(Path::to_owned).unwrap_or(path))
        .collect();
    dumps.sort();
    dumps
        .into_iter()
        .filter_map(|dump| Record::beside(&dump).map(|record| (dump, record)))
        .collect()
}

/// The bytes of a backup, which lies where anything may lie.
///
/// # Errors
/// As [`files::read`].
pub fn content(path: &Path) -> Result<Vec<u8>, ReadError> {
    files::read(path, u64::from(LARGEST_FLASH), Links::Followed)
}

/// Of a backup as it lies on the disk, without taking it all into memory.
///
/// # Errors
/// As the disk gives.
pub(super) fn crc32(backup: &File) -> io::Result<Crc32> {
    Crc32::of_reader(backup.take(u64::from(LARGEST_FLASH) + 1))
}

/// `backup.bin` → `backup.bin.txt`, beside the dump itself where that is a link.
pub fn record_path(dump: &Path) -> PathBuf {
    let dump = files::behind_links(dump);
    let mut name = dump.file_name().unwrap_or_default().to_owned();
    name.push(".txt");
    dump.with_file_name(name)
}

/// Whether the record beside a dump would be a file of its own.
///
/// # Errors
/// [`FileError::Companion`].
pub fn must_have_its_own_record(dump: &Path) -> Result<(), FileError> {
    files::must_be_no_link(&record_path(dump))
}

/// Every file that a dump of these ranges will consist of, the record included.
pub fn paths(path: &Path, format: Format, ranges: &[FlashRange]) -> Vec<PathBuf> {
    let mut paths = match format.arrangement {
        Arrangement::Merged => vec![path.to_owned()],
        Arrangement::PerBank => ranges
            .iter()
            .map(|range| image::bank_path(path, bank_of(range)))
            .collect(),
    };
    paths.push(record_path(path));
    paths
}

/// Whether a backup and its record would take the place of the image that is to be
/// written, its record, or one of its files of banks. A write that is cut then would
/// have lost the firmware as well.
///
/// # Errors
/// [`FileError::Input`], and [`FileError::OtherForm`] where files of banks have the name of
/// the backup: which of them was meant, a later run could not tell.
pub fn must_not_replace_image(backup: &Path, image: &Path) -> Result<(), FileError> {
    let banks = Bank::all(LARGEST_FLASH).map(|bank| image::bank_path(image, bank));
    let inputs: Vec<PathBuf> = [image.to_owned(), record_path(image)]
        .into_iter()
        .chain(banks)
        .collect();
    files::must_not_replace(&[backup.to_owned(), record_path(backup)], &inputs)?;
    image::must_be_its_only_form(backup, Arrangement::Merged)
}

/// Whether a dump of these ranges has room where it is to go.
///
/// # Errors
/// [`FileError::NoRoom`].
pub fn must_have_room(path: &Path, format: Format, ranges: &[FlashRange]) -> Result<(), FileError> {
    /// A record is smaller, and takes as much of a disk.
    const RECORD: u64 = 4096;
    let on_disk = |bytes: u32| match format.encoding {
        Encoding::Binary => u64::from(bytes),
        Encoding::Hex => image::hex::written_size(bytes),
    };
    let lengths = ranges.iter().map(|range| range.len());
    let dump: u64 = match format.arrangement {
        Arrangement::Merged => on_disk(lengths.sum()),
        Arrangement::PerBank => lengths.map(on_disk).sum(),
    };
    files::must_have_room(path, dump + RECORD)
}

/// Whether a file still holds what was written into it.
pub fn is_intact(path: &Path, record: &Record) -> bool {
    files::open(path, Links::Followed)
        .is_ok_and(|file| crc32(&file).is_ok_and(|found| found == record.crc32))
}

/// Whether the file is this very backup already, made by an earlier run that
/// came no further. An equal one of another drive is not: of two drives of a model
/// that hold the same, each has its own.
pub(super) fn is_of(path: &Path, record: &Record) -> bool {
    let same_flash = Record::beside(path).is_some_and(|there| {
        there.before_writing.is_none()
            && !there.may_be_of_a_twin(record.place.as_deref())
            && (
                &there.chip,
                there.size,
                &there.ranges,
                &there.crc32,
                &there.drive,
                there.half_written,
            ) == (
                &record.chip,
                record.size,
                &record.ranges,
                &record.crc32,
                &record.drive,
                record.half_written,
            )
    });
    same_flash && is_intact(path, record)
}

/// Whether the file is a dump of these ranges of a flash like this, intact. Whether
/// that flash is this one shows when it has been read.
pub(super) fn may_be_of(
    path: &Path,
    device: &DeviceInfo,
    place: Option<&str>,
    size: u32,
    ranges: &[FlashRange],
) -> bool {
    let Some(record) = Record::beside(path) else {
        return false;
    };
    let identity = device.identity.as_ref();
    let of_drive = identity.and_then(|drive| drive.serial.as_deref());
    let is_by_number =
        matches!((record.serial(), of_drive), (Some(one), Some(other)) if one != other);
    // Of a change that was begun, whose drive it is is asked elsewhere.
    let is_another =
        is_by_number || record.before_writing.is_none() && record.may_be_of_a_twin(place);
    let is_like = record.before_writing.is_some()
        || record.chip == device.chip && record.size == size && record.covered() == ranges;
    is_like && !is_another && is_intact(path, &record)
}

/// A name beside that of a dump that nothing has yet.
pub fn free_name(taken: &Path) -> PathBuf {
    let stem = taken.file_stem().unwrap_or_default();
    let named = |number: u32| {
        let mut name = stem.to_owned();
        name.push(format!("-{number}"));
        if let Some(extension) = taken.extension() {
            name.push(".");
            name.push(extension);
        }
        taken.with_file_name(name)
    };
    let is_free = |path: &PathBuf| std::fs::symlink_metadata(path).is_err();
    (2..)
        .map(named)
        .find(|path| is_free(path) && is_free(&record_path(path)))
        .unwrap_or_default()
}

/// A backup of this very flash in the folder of `path`, made by an earlier run that
/// came no further.
pub(super) fn equal_beside(path: &Path, record: &Record) -> Option<PathBuf> {
    let mut dumps = recorded_in(files::folder_of(path)).into_iter();
    dumps
        .find(|(dump, there)| there.crc32 == record.crc32 && is_of(dump, record))
        .map(|(dump, _)| dump)
}

/// Writes a dump and its record. All files appear whole or none does.
///
/// # Errors
/// An existing file that must not be overwritten, the backup of a change that
/// was not finished, or a file that cannot be written.
pub fn save(
    dump: &Dump,
    record: &Record,
    path: &Path,
    format: Format,
    overwrite: bool,
) -> Result<(), FileError> {
    must_not_be_unfinished(path)?;
    files::must_be_makeable(&paths(path, format, &dump.ranges), overwrite)?;
    let files: Vec<(PathBuf, Cow<[u8]>)> = match format.arrangement {
        Arrangement::Merged => vec![(path.to_owned(), dump.selected())],
        Arrangement::PerBank => {
            let of_bank = |range: &FlashRange| {
                let file = image::bank_path(path, bank_of(range));
                (file, range.of(&dump.bytes).into())
            };
            dump.ranges.iter().map(of_bank).collect()
        }
    };
    let mut pending = Pending::new(overwrite).together();
    // First: where a run is killed between two names, it tells of the files that have
    // theirs already that they are not what was read.
    add_record(&mut pending, record, path)?;
    for (path, bytes) in files {
        pending.add(&path, |mut out| {
            image::write(&bytes, format.encoding, &mut out)
        })?;
    }
    pending.commit()
}

/// # Errors
/// [`FileError::Unfinished`] for the only way back to what was in a drive, and for its
/// record.
pub fn must_not_be_unfinished(path: &Path) -> Result<(), FileError> {
    let is_begun =
        |dump: &Path| Record::beside(dump).is_some_and(|record| record.before_writing.is_some());
    let is_record = path.extension().is_some_and(|extension| extension == "txt");
    let of_record = is_record.then(|| path.with_extension(""));
    let mut dumps = std::iter::once(path.to_owned()).chain(of_record);
    match dumps.find(|dump| is_begun(dump)) {
        Some(backup) => Err(FileError::Unfinished {
            path: path.to_owned(),
            in_use: is_in_use(&backup),
        }),
        None => Ok(()),
    }
}

/// Whether a change that is under way has this backup.
fn is_in_use(backup: &Path) -> bool {
    let file = files::open(backup, Links::Followed);
    file.is_ok_and(|file| matches!(Locked::shared(file), Err(Errno::EWOULDBLOCK)))
}

/// Replaces the record beside a dump.
///
/// # Errors
/// A file that cannot be written; the old record is still there then.
pub(super) fn save_record(record: &Record, path: &Path) -> Result<(), FileError> {
    let mut pending = Pending::new(true);
    add_record(&mut pending, record, path)?;
    pending.commit()
}

fn add_record(pending: &mut Pending, record: &Record, path: &Path) -> Result<(), FileError> {
    must_have_its_own_record(path)?;
    let text = record.print();
    pending.add(&record_path(path), |out| out.write_all(text.as_bytes()))
}

fn bank_of(range: &FlashRange) -> Bank {
    crate::flash::Offset(range.start()).bank()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bytes_that_are_no_text_are_no_record(
            noise in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let dump = folder.path().join("dump.bin");
            std::fs::write(record_path(&dump), noise).unwrap();
            prop_assert_eq!(Record::beside(&dump), None);
        }
    }
}
