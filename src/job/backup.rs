//! Backups: a dump in a file, and beside it a small text file that says of
//! which drive it is.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::files::{self, FileError, Pending};
use super::read::Dump;
use crate::flash::{Bank, FlashRange, PAGE_SIZE};
use crate::image::{self, Arrangement, Checksum, Crc32, Encoding, Format};
use crate::plan::ERASED;
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
    /// CRC-32 of the dumped bytes, 8 hex digits.
    pub crc32: String,
    /// 16-bit sum of the dumped bytes, 4 hex digits.
    pub sum: String,
    /// The same of each bank.
    pub bank_sums: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drive: Option<RecordedDrive>,
    /// CRC-32 of what the flash was about to hold when this backup was made, FF
    /// where nothing was read, so that an interrupted write can be recognised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_writing: Option<String>,
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
}

impl Record {
    pub fn of(
        dump: &Dump,
        device: &DeviceInfo,
        circumstances: &Circumstances,
        before_writing: Option<Crc32>,
    ) -> Record {
        let selected = dump.selected();
        Record {
            date: circumstances.date.clone(),
            tool: circumstances.tool.clone(),
            protocol: device.protocol.clone(),
            flash: device.flash.clone(),
            chip: device.chip.clone(),
            size: u32::try_from(dump.bytes.len()).unwrap_or(u32::MAX),
            ranges: Record::ranges_of(dump),
            gaps: dump.gaps.iter().map(first_and_last).collect(),
            crc32: Crc32::of(&selected).to_string(),
            sum: Checksum::of(&selected).to_string(),
            bank_sums: dump
                .ranges
                .iter()
                .map(|range| Checksum::of(range.of(&dump.bytes)).to_string())
                .collect(),
            drive: device.identity.as_ref().map(RecordedDrive::from),
            before_writing: before_writing.map(|crc| crc.to_string()),
        }
    }

    fn ranges_of(dump: &Dump) -> Vec<[u32; 2]> {
        if dump.is_whole() {
            return Vec::new();
        }
        dump.ranges.iter().map(first_and_last).collect()
    }

    /// The record beside a dump, where there is one that can be read.
    pub fn beside(dump: &Path) -> Option<Record> {
        let text = fs::read_to_string(record_path(dump)).ok()?;
        toml::from_str(&text).ok()
    }
}

fn first_and_last(range: &FlashRange) -> [u32; 2] {
    [range.start, range.end.saturating_sub(1)]
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

/// Writes a dump and its record. All files appear whole or none does.
///
/// # Errors
/// An existing file that must not be overwritten, or a file that cannot be
/// written.
pub fn save(
    dump: &Dump,
    record: &Record,
    path: &Path,
    format: Format,
    overwrite: bool,
) -> Result<(), FileError> {
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
    let text = toml::to_string(record).unwrap_or_default();
    pending.add(&record_path(path), |out| {
        writeln!(
            out,
            "# What mtkflash read, and from which drive. Keep it beside the dump."
        )?;
        out.write_all(text.as_bytes())
    })?;
    pending.commit()
}

fn bank_of(range: &FlashRange) -> Bank {
    crate::flash::Offset(range.start).bank()
}

/// A backup that an earlier, interrupted run made before it began to change
/// this flash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    pub path: PathBuf,
    pub record: Record,
    /// What the flash held before that run, FF where nothing was read.
    pub flash: Vec<u8>,
}

/// Looks beside `path` for the backup of the same change that was begun on this
/// flash and interrupted. `target` works out what that change makes of a flash.
///
/// It counts only where nothing contradicts it: same chip and size, the same
/// ranges read, the same content about to be written, the backup intact by its
/// CRC-32, a drive that does not call itself another one, and a flash that
/// holds nothing but what lies between that backup and the target.
///
/// What was to stay as it is may have been erased with its sector when the run
/// was interrupted: it is in that backup and no longer in the flash.
pub(super) fn find_interrupted(
    path: &Path,
    device: &DeviceInfo,
    dump: &Dump,
    target: impl Fn(&[u8]) -> Vec<u8>,
) -> Option<Earlier> {
    let mut candidates: Vec<PathBuf> = fs::read_dir(files::folder_of(path))
        .ok()?
        .filter_map(|entry| Some(PathBuf::from(entry.ok()?.file_name())))
        .filter(|name| name.extension().is_some_and(|extension| extension == "txt"))
        .map(|record| path.with_file_name(record).with_extension(""))
        .collect();
    candidates.sort();
    candidates.into_iter().find_map(|path| {
        let record = Record::beside(&path)?;
        let fits = record.chip == device.chip
            && record.size as usize == dump.bytes.len()
            && record.ranges == Record::ranges_of(dump)
            && is_same_drive(record.drive.as_ref(), device.identity.as_ref());
        let before_writing = record.before_writing.clone().filter(|_| fits)?;
        let backup = fs::read(&path).ok()?;
        if Crc32::of(&backup).to_string() != record.crc32 {
            return None;
        }
        let flash = dump.with_content(&backup)?;
        let target = target(&flash);
        let is_same_change = Crc32::of(&target).to_string() == before_writing;
        (is_same_change && lies_between(&dump.bytes, &flash, &target)).then_some(Earlier {
            path,
            record,
            flash,
        })
    })
}

fn is_same_drive(recorded: Option<&RecordedDrive>, drive: Option<&Identity>) -> bool {
    let (Some(recorded), Some(drive)) = (recorded, drive) else {
        return true;
    };
    let serials_agree = match (&recorded.serial, &drive.serial) {
        (Some(recorded), Some(drive)) => recorded == drive,
        _ => true,
    };
    recorded.vendor == drive.vendor && recorded.product == drive.product && serials_agree
}

/// Whether an interrupted change from `before` to `after` can have left this:
/// bytes of the one or the other, erased ones, and in one page, which was in
/// work, bytes with some bits of the way.
fn lies_between(now: &[u8], before: &[u8], after: &[u8]) -> bool {
    let mut page_in_work = None;
    now.iter()
        .zip(before)
        .zip(after)
        .enumerate()
        .filter(|&(_, ((&now, &before), &after))| now != before && now != after && now != ERASED)
        .all(|(index, ((&now, &before), &after))| {
            let page = index / PAGE_SIZE as usize;
            let is_on_the_way = now & after == after || now & before == before;
            is_on_the_way && *page_in_work.get_or_insert(page) == page
        })
}
