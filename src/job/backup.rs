//! Backups: a dump in a file, and beside it a small text file that says of
//! which drive it is.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::journal::Journal;
use super::read::Dump;
use crate::files::{self, FileError, Links, Pending, ReadError};
use crate::flash::{Bank, FlashRange};
use crate::image::{self, Arrangement, Checksum, Crc32, Encoding, Format};
use crate::protocol::DeviceInfo;
use crate::scsi::Identity;

/// What is known of a dump: the text file beside it, as TOML.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// When the dump was made, in UTC.
    pub date: String,
    /// Which program made it.
    pub tool: String,
    pub protocol: String,
    pub flash: String,
    pub chip: String,
    /// Bytes in the whole flash.
    pub size: u32,
    /// The ranges that were read, first and last byte; none for the whole flash.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<[u32; 2]>,
    /// What the drive refused to have read, first and last byte: FF stands there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<[u32; 2]>,
    /// How often two reads of a block differed; left out where they never did.
    #[serde(default, skip_serializing_if = "is_none")]
    pub disagreements: u32,
    /// Read while a change of the flash was begun and not finished: a mixture,
    /// and no way back.
    #[serde(default, skip_serializing_if = "is_not")]
    pub half_written: bool,
    /// CRC-32 of the dumped bytes, 8 hex digits.
    pub crc32: String,
    /// 16-bit sum of the dumped bytes, 4 hex digits.
    pub sum: String,
    /// The same of each bank.
    pub bank_sums: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drive: Option<RecordedDrive>,
    /// Only while a change is under way, see [`super::interrupted`]: CRC-32 of
    /// what the flash is about to hold, FF where nothing was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_writing: Option<String>,
}

fn is_none(count: &u32) -> bool {
    *count == 0
}

fn is_not(marked: &bool) -> bool {
    !marked
}

/// Who the drive said it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedDrive {
    pub vendor: String,
    pub product: String,
    pub revision: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
}

impl From<&Identity> for RecordedDrive {
    fn from(identity: &Identity) -> Self {
        RecordedDrive {
            vendor: identity.vendor.clone(),
            product: identity.product.clone(),
            revision: identity.revision.clone(),
            serial: identity.serial.clone(),
        }
    }
}

impl From<&RecordedDrive> for Identity {
    fn from(drive: &RecordedDrive) -> Self {
        Identity {
            vendor: drive.vendor.clone(),
            product: drive.product.clone(),
            revision: drive.revision.clone(),
            serial: drive.serial.clone(),
        }
    }
}

/// The circumstances of a dump that the device does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circumstances {
    /// UTC, to be read by people.
    pub date: String,
    /// Name and version.
    pub tool: String,
    /// Where changes are noted that were begun on this machine.
    pub journal: Journal,
}

impl Record {
    pub fn of(dump: &Dump, device: &DeviceInfo, circumstances: &Circumstances) -> Record {
        Record::of_dump(dump, device, &circumstances.date, &circumstances.tool)
    }

    pub(super) fn of_dump(dump: &Dump, device: &DeviceInfo, date: &str, tool: &str) -> Record {
        let selected = dump.selected();
        Record {
            date: date.to_owned(),
            tool: tool.to_owned(),
            protocol: device.protocol.clone(),
            flash: device.flash.clone(),
            chip: device.chip.clone(),
            size: u32::try_from(dump.bytes.len()).unwrap_or(u32::MAX),
            ranges: Record::ranges_of(dump),
            gaps: dump.gaps.iter().map(first_and_last).collect(),
            disagreements: dump.disagreements,
            half_written: false,
            crc32: Crc32::of(&selected).to_string(),
            sum: Checksum::of(&selected).to_string(),
            bank_sums: dump
                .ranges
                .iter()
                .map(|range| Checksum::of(range.of(&dump.bytes)).to_string())
                .collect(),
            drive: device.identity.as_ref().map(RecordedDrive::from),
            before_writing: None,
        }
    }

    /// The ranges that the dump holds, ascending and each within a bank.
    pub(super) fn covered(&self) -> Vec<FlashRange> {
        covered(&self.ranges, self.size)
    }

    fn ranges_of(dump: &Dump) -> Vec<[u32; 2]> {
        if dump.is_whole() {
            return Vec::new();
        }
        dump.ranges.iter().map(first_and_last).collect()
    }

    /// The record beside a dump, where there is one that can be read.
    pub fn beside(dump: &Path) -> Option<Record> {
        Record::read(dump).ok()
    }

    /// # Errors
    /// Why there is no record beside a dump, or none that makes sense. What lies
    /// there may be anything; a link is read only where nobody but this user can
    /// have put it there.
    pub fn read(dump: &Path) -> Result<Record, RecordError> {
        let text = files::read_text(&record_path(dump), LARGEST_RECORD, Links::Own)?;
        let record: Record =
            toml::from_str(&text).map_err(|error| RecordError::Text(error.message().to_owned()))?;
        record.checked()
    }

    /// A record is a text that anybody may have edited: what it says of a flash
    /// must be possible.
    fn checked(self) -> Result<Record, RecordError> {
        if self.size == 0 || self.size > LARGEST_FLASH {
            return Err(RecordError::Value("size"));
        }
        if !are_within(&self.ranges, self.size) {
            return Err(RecordError::Value("ranges"));
        }
        if !are_within(&self.gaps, self.size) {
            return Err(RecordError::Value("gaps"));
        }
        let sums = self.bank_sums.iter().map(|sum| (sum, 4, "bank_sums"));
        let before = self.before_writing.iter();
        let numbers = [(&self.crc32, 8, "crc32"), (&self.sum, 4, "sum")]
            .into_iter()
            .chain(sums)
            .chain(before.map(|crc32| (crc32, 8, "before_writing")));
        for (text, digits, key) in numbers {
            if text.len() != digits || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return Err(RecordError::Value(key));
            }
        }
        Ok(self)
    }
}

/// The parts of a flash that a record or an entry of the journal names: all banks
/// where it names none.
pub(super) fn covered(ranges: &[[u32; 2]], size: u32) -> Vec<FlashRange> {
    if ranges.is_empty() {
        return Bank::all(size)
            .map(|bank| FlashRange {
                start: bank.range().start,
                end: bank.range().end.min(size),
            })
            .collect();
    }
    let range = |&[start, last]: &[u32; 2]| FlashRange {
        start,
        end: last.saturating_add(1),
    };
    ranges.iter().map(range).collect()
}

/// Bytes. A record of 32 banks and as many gaps has 3 KiB.
const LARGEST_RECORD: u64 = 0x1_0000;

/// Bytes: far more than any drive's flash has.
pub(super) const LARGEST_FLASH: u32 = 16 * 1024 * 1024;

/// Why the text beside a dump is no record of it.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error(transparent)]
    Unreadable(#[from] ReadError),
    #[error("{0}")]
    Text(String),
    /// By its key.
    #[error("{0} is not possible")]
    Value(&'static str),
}

/// Whether these are parts of a flash, first and last byte, ascending and apart.
pub(super) fn are_within(ranges: &[[u32; 2]], size: u32) -> bool {
    let mut next = 0;
    ranges.iter().all(|&[first, last]| {
        let follows = next <= first && first <= last && last < size;
        next = last.saturating_add(1);
        follows
    })
}

/// The dumps in a folder that have a record beside them, by their names.
pub fn recorded_in(folder: &Path) -> Vec<(PathBuf, Record)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut dumps: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .map(|path| {
            let path = path.with_extension("");
            path.strip_prefix(".").map(Path::to_owned).unwrap_or(path)
        })
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

pub(super) fn first_and_last(range: &FlashRange) -> [u32; 2] {
    [range.start, range.end.saturating_sub(1)]
}

/// Of a backup as it lies on the disk, without taking it all into memory.
///
/// # Errors
/// As the disk gives.
pub(super) fn crc32(backup: &File) -> io::Result<Crc32> {
    Crc32::of_reader(backup.take(u64::from(LARGEST_FLASH) + 1))
}

/// `backup.bin` → `backup.bin.txt`.
pub fn record_path(dump: &Path) -> PathBuf {
    let mut name = dump.file_name().unwrap_or_default().to_owned();
    name.push(".txt");
    dump.with_file_name(name)
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

/// Whether the file is this very backup already, made by an earlier run that
/// came no further.
pub(super) fn is_of(path: &Path, record: &Record) -> bool {
    let same_flash = Record::beside(path).is_some_and(|there| {
        there.before_writing.is_none()
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
    same_flash
        && files::open(path, Links::Followed)
            .is_ok_and(|file| crc32(&file).is_ok_and(|found| found.to_string() == record.crc32))
}

/// Whether the file is a dump of these ranges of a flash like this, intact. Whether
/// that flash is this one shows when it has been read.
pub(super) fn may_be_of(
    path: &Path,
    device: &DeviceInfo,
    size: u32,
    ranges: &[FlashRange],
) -> bool {
    let Some(record) = Record::beside(path) else {
        return false;
    };
    let serials = [
        record
            .drive
            .as_ref()
            .and_then(|drive| drive.serial.as_ref()),
        device
            .identity
            .as_ref()
            .and_then(|drive| drive.serial.as_ref()),
    ];
    let is_another = matches!(serials, [Some(of_dump), Some(of_drive)] if of_dump != of_drive);
    let is_like = record.before_writing.is_some()
        || record.chip == device.chip && record.size == size && record.covered() == ranges;
    is_like
        && !is_another
        && files::open(path, Links::Followed)
            .is_ok_and(|file| crc32(&file).is_ok_and(|found| found.to_string() == record.crc32))
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
    let mut pending = Pending::new(overwrite);
    let mut add = |path: &Path, bytes: &[u8]| {
        pending.add(path, |mut out| match format.encoding {
            Encoding::Binary => out.write_all(bytes),
            Encoding::Hex => image::hex::write(bytes, &mut out),
        })
    };
    match format.arrangement {
        Arrangement::Merged => add(path, &dump.selected())?,
        Arrangement::PerBank => {
            for range in &dump.ranges {
                add(
                    &image::bank_path(path, bank_of(range)),
                    range.of(&dump.bytes),
                )?;
            }
        }
    }
    add_record(&mut pending, record, path)?;
    pending.commit()
}

/// # Errors
/// [`FileError::Unfinished`] for the only way back to what was in a drive.
pub fn must_not_be_unfinished(path: &Path) -> Result<(), FileError> {
    match Record::beside(path).is_some_and(|record| record.before_writing.is_some()) {
        true => Err(FileError::Unfinished {
            path: path.to_owned(),
        }),
        false => Ok(()),
    }
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
    let text = toml::to_string(record).unwrap_or_default();
    pending.add(&record_path(path), |out| {
        writeln!(
            out,
            "# What mtkflash read, and from which drive. Keep it beside the dump."
        )?;
        out.write_all(text.as_bytes())
    })
}

fn bank_of(range: &FlashRange) -> Bank {
    crate::flash::Offset(range.start).bank()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RECORD: &str = r#"date = "now"
tool = "test"
protocol = "vendor mode"
flash = "a chip"
chip = "SST39SF020"
size = 262144
ranges = [[0, 65535], [131072, 196607]]
gaps = [[1, 2]]
disagreements = 1
crc32 = "0123abcd"
sum = "0123"
bank_sums = ["0123", "4567"]
before_writing = "0123abcd"

[drive]
vendor = "V"
product = "P"
revision = "R"
serial = "S"
"#;

    /// What is made of a record that says this, if anything.
    fn read(text: &[u8]) -> Option<Record> {
        let folder = tempfile::tempdir().unwrap();
        let dump = folder.path().join("dump.bin");
        std::fs::write(record_path(&dump), text).unwrap();
        Record::beside(&dump)
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        assert_eq!(read(RECORD.as_bytes()).unwrap().covered().len(), 2);
    }

    proptest! {
        #[test]
        fn whatever_a_record_says_lies_within_its_flash(
            from in 0..RECORD.len(),
            length in 0..40_usize,
            put in prop_oneof![
                "[0-9a-fx,\\[\\] \"\n=_-]{0,40}",
                "\\PC{0,40}",
                any::<u64>().prop_map(|number| number.to_string()),
            ],
            noise in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let to = (from + length).min(RECORD.len());
            let mangled = [&RECORD[..from], &put, &RECORD[to..]].concat();
            for text in [mangled.as_bytes(), &noise, &[&RECORD.as_bytes()[..from], &noise].concat()] {
                if let Some(record) = read(text) {
                    prop_assert!(record.size <= LARGEST_FLASH);
                    let flash = vec![0; record.size as usize];
                    for range in record.covered() {
                        prop_assert!(range.start < range.end);
                        prop_assert_eq!(range.of(&flash).len() as u32, range.len());
                    }
                }
            }
        }
    }
}
