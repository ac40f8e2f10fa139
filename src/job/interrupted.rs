//! Changes that were begun and not finished.
//!
//! The record beside a backup is the journal: from the first change until the
//! flash has been read back it says what the flash was about to hold. A run
//! that finds such a record for its flash goes on from that backup, because
//! what was to stay as it is may have been erased with its sector and be there
//! alone.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use super::backup::{self, Record, RecordedDrive};
use super::journal::Journal;
use super::read::{Dump, lay_out};
use super::{Check, Forced, Refusal};
use crate::files::{self, FileError, Links, folder_of};
use crate::flash::{FlashRange, Offset, PAGE_SIZE};
use crate::image::{Crc32, identity};
use crate::plan::ERASED;
use crate::protocol::DeviceInfo;
use crate::scsi::Identity;

/// The backup of a change that was begun on a flash like this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    pub path: PathBuf,
    pub record: Record,
    /// What the flash held before, FF where nothing was read.
    pub flash: Vec<u8>,
    covered: Vec<FlashRange>,
}

/// What is about to be done to a flash, as far as an earlier change matters.
pub(super) struct Change<'a> {
    pub dump: &'a Dump,
    /// What this change makes of a flash.
    pub target: &'a dyn Fn(&[u8]) -> Vec<u8>,
    /// The bytes that this change leaves as it finds them.
    pub retained: &'a [FlashRange],
}

/// A change that is under way. Others leave its backup alone until this is
/// dropped, or the process has ended in whatever way: two drives of one kind can
/// be at work in one folder.
#[derive(Debug)]
pub(super) struct UnderWay {
    _locked: Flock<File>,
}

/// Notes in a backup's record that the flash is being changed from now on.
///
/// # Errors
/// Where the backup is gone or its record cannot be written; nothing may be
/// changed then.
pub(super) fn begin(
    backup: &Path,
    target: &[u8],
    journal: &Journal,
) -> Result<UnderWay, FileError> {
    let error = |source| FileError::Io {
        path: backup.to_owned(),
        source,
    };
    let file = files::open(backup, Links::Followed).map_err(|problem| error(problem.into()))?;
    let locked = Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, refused)| {
        error(match refused {
            Errno::EWOULDBLOCK => io::Error::other("another run is at work with this backup"),
            refused => refused.into(),
        })
    })?;
    let Some(record) = Record::beside(backup) else {
        return Err(error(io::ErrorKind::NotFound.into()));
    };
    // Time has passed since it was made: somebody was asked.
    let crc32 = backup::crc32(&locked).map_err(error)?;
    if crc32.to_string() != record.crc32 {
        return Err(error(io::Error::other(
            "this backup is no longer what it was when it was made",
        )));
    }
    note(backup, Some(Crc32::of(target)))?;
    journal.enter(backup);
    Ok(UnderWay { _locked: locked })
}

/// Notes that the change has come to its end. A record that cannot be written
/// stays as it is: a later run is then more careful than it need be.
pub(super) fn finish(backup: &Path, journal: &Journal) {
    journal.withdraw(backup);
    let _ = note(backup, None);
}

fn note(backup: &Path, before_writing: Option<Crc32>) -> Result<(), FileError> {
    match Record::beside(backup) {
        Some(record) => backup::save_record(
            &Record {
                before_writing: before_writing.map(|crc| crc.to_string()),
                ..record
            },
            backup,
        ),
        None => Ok(()),
    }
}

/// The unfinished changes of a flash like this, by the machine's journal and by
/// the records beside `backup` and in the current folder: same chip and size, a drive that does not call
/// itself another one, the backup intact by its CRC-32. Changes that another run
/// is at work on are not among them.
///
/// Backups that are damaged come as their paths alone.
pub(super) fn find(
    backup: Option<&Path>,
    device: &DeviceInfo,
    size: usize,
    journal: &Journal,
) -> (Vec<Unfinished>, Vec<PathBuf>) {
    let mut folders = vec![PathBuf::from(".")];
    let beside = backup.map(folder_of).map(Path::to_owned);
    let is_elsewhere =
        |folder: &PathBuf| folder.canonicalize().ok() != Path::new(".").canonicalize().ok();
    folders.extend(beside.filter(is_elsewhere));
    let mut intact = Vec::new();
    let mut damaged = Vec::new();
    let of_this_drive = |record: &Record| {
        record.before_writing.is_some()
            && record.chip == device.chip
            && record.size as usize == size
            && is_same_drive(record.drive.as_ref(), device.identity.as_ref())
    };
    let mut recorded: Vec<(PathBuf, Record)> = folders
        .iter()
        .flat_map(|folder| backup::recorded_in(folder))
        .collect();
    let here: Vec<PathBuf> = recorded
        .iter()
        .filter_map(|(path, _)| path.canonicalize().ok())
        .collect();
    let elsewhere = journal.recorded().into_iter();
    recorded.extend(elsewhere.filter(|(path, _)| !here.contains(path)));
    for (path, record) in recorded
        .into_iter()
        .filter(|(_, record)| of_this_drive(record))
    {
        let covered = record.covered();
        let shared = files::open(&path, Links::Followed)
            .map(|file| Flock::lock(file, FlockArg::LockSharedNonblock));
        if matches!(shared, Ok(Err((_, Errno::EWOULDBLOCK)))) {
            continue;
        }
        let content = backup::content(&path)
            .ok()
            .filter(|content| Crc32::of(content).to_string() == record.crc32);
        match content.and_then(|content| lay_out(&content, size, &covered)) {
            Some(flash) => intact.push(Unfinished {
                path,
                record,
                flash,
                covered,
            }),
            None => damaged.push(path),
        }
    }
    (intact, damaged)
}

/// What a user should know who does not change the flash: in whole sentences, of
/// the unfinished changes that are recorded in the current folder and beside
/// `file`.
pub fn notices(
    file: Option<&Path>,
    device: &DeviceInfo,
    size: u32,
    journal: &Journal,
) -> Vec<String> {
    let (unfinished, damaged) = find(file, device, size as usize, journal);
    let paths: Vec<PathBuf> = unfinished.into_iter().map(|one| one.path).collect();
    warnings(&paths, &damaged)
}

/// What the user should know of unfinished changes that this run does not go on
/// with: the flash may hold a mixture.
pub(super) fn warnings(others: &[PathBuf], damaged: &[PathBuf]) -> Vec<String> {
    let of_others = others.iter().map(|path| {
        format!(
            "A write of a flash like this was begun and not finished. What was in the flash before \
             it is in {}; the flash may be a mixture now.",
            path.display()
        )
    });
    let of_damaged = damaged.iter().map(|path| {
        format!(
            "A write of a flash like this was begun and not finished, and its backup, {}, is \
             damaged or gone.",
            path.display()
        )
    });
    of_others.chain(of_damaged).collect()
}

/// Which of the unfinished changes this one goes on with, if any.
///
/// # Errors
/// [`Check::Interrupted`] where it is another change that would leave as it
/// finds them bytes that the unfinished one may have destroyed, and where it
/// cannot be told that this is the same flash.
pub(super) fn resume(
    found: Vec<Unfinished>,
    change: &Change,
    identity: Option<&Identity>,
    forced: &Forced,
) -> Result<Option<Unfinished>, Refusal> {
    let now = &change.dump.bytes;
    let is_forced = forced.contains(&Check::Interrupted);
    let (mut same, others): (Vec<_>, Vec<_>) = found.into_iter().partition(|one| {
        let target = (change.target)(&one.flash);
        one.covered == change.dump.ranges
            && (one.is_by_serial(identity) || !one.is_untouched(now))
            && one.record.before_writing == Some(Crc32::of(&target).to_string())
            && lies_between(now, &one.flash, &target)
    });
    let is_lost = |one: &&Unfinished| one.differs_from(now, change.retained);
    let Some(last) = same.pop() else {
        return match others.iter().find(is_lost) {
            Some(one) if !is_forced => Err(one.refusal(
                "What is to stay as it is may be lost in the flash, and is in that backup.",
            )),
            _ => Ok(None),
        };
    };
    let is_whole = change.retained.is_empty();
    if same.iter().any(|one| one.flash != last.flash) && !is_whole && !is_forced {
        return Err(last.refusal("It is not the only one, and the others hold something else."));
    }
    let is_known = identity.is_some() || last.record.drive.is_some();
    let is_sure = is_known || shares_content(now, &last.flash, &(change.target)(&last.flash));
    if !is_sure && is_lost(&&last) && !is_forced {
        return Err(last.refusal(
            "The drive does not say what it is and its flash is blank: whether it is that drive \
             cannot be told.",
        ));
    }
    Ok(Some(last))
}

impl Unfinished {
    /// Who the drive was: as it said then, or else as its flash said.
    pub fn identity(&self) -> Option<Identity> {
        let said = self.record.drive.as_ref().map(Identity::from);
        said.or_else(|| {
            let found = identity::find(&self.flash);
            found.first().map(|found| found.identity().clone())
        })
    }

    /// Whether the flash is as it was before: it shows no trace of the change,
    /// which can have been another drive's.
    fn is_untouched(&self, now: &[u8]) -> bool {
        !self.differs_from(now, &self.covered)
    }

    /// Whether the drive is known to be this one by its serial number.
    pub(super) fn is_by_serial(&self, drive: Option<&Identity>) -> bool {
        let recorded = self.record.drive.as_ref();
        let recorded = recorded.and_then(|drive| drive.serial.as_ref());
        recorded.is_some() && recorded == drive.and_then(|drive| drive.serial.as_ref())
    }

    /// Whether the flash holds something else than this backup in `ranges`.
    fn differs_from(&self, now: &[u8], ranges: &[FlashRange]) -> bool {
        ranges.iter().any(|range| {
            let both = range.of(now).iter().zip(range.of(&self.flash));
            (range.start..)
                .zip(both)
                .filter(|(at, _)| self.covered.iter().any(|part| part.contains(Offset(*at))))
                .any(|(_, (now, before))| now != before)
        })
    }

    fn refusal(&self, why: &str) -> Refusal {
        Refusal::Unfinished {
            backup: self.path.clone(),
            message: format!(
                "A write of a flash like this was begun and not finished; its backup is {} of {}. \
                 {why}",
                self.path.display(),
                self.record.date
            ),
        }
    }
}

/// Whether the flash holds what this backup does, so far as it was not erased:
/// enough to know a drive by that does not say what it is.
pub(super) fn is_flash_of(backup: &Unfinished, now: &[u8]) -> bool {
    shares_content(now, &backup.flash, &[])
}

fn shares_content(now: &[u8], before: &[u8], after: &[u8]) -> bool {
    let after = after.iter().map(Some).chain(std::iter::repeat(None));
    now.iter()
        .zip(before)
        .zip(after)
        .filter(|((now, before), after)| **now != ERASED && (now == before || Some(*now) == *after))
        .nth(PAGE_SIZE as usize)
        .is_some()
}

fn is_same_drive(recorded: Option<&RecordedDrive>, drive: Option<&Identity>) -> bool {
    let (Some(recorded), Some(drive)) = (recorded, drive) else {
        return true;
    };
    let serials_agree = match (&recorded.serial, &drive.serial) {
        (Some(recorded), Some(drive)) => recorded == drive,
        _ => true,
    };
    names_agree(
        [&recorded.vendor, &recorded.product],
        [&drive.vendor, &drive.product],
    ) && serials_agree
}

/// Whether these are one drive's vendor and product, by INQUIRY and by the
/// drive's ATA model: that does not divide them, may have other blanks and may
/// leave the vendor out. Too seldom would be worse than too often, since the
/// content of the flash is looked at as well.
fn names_agree(one: [&str; 2], other: [&str; 2]) -> bool {
    let [one, other] = [one, other].map(|names| {
        let letters = names.into_iter().flat_map(str::split_whitespace);
        letters.collect::<String>()
    });
    one.ends_with(&other) || other.ends_with(&one)
}

/// Whether a change from `before` to `after`, or several attempts at it, can
/// have left this. Erasing sets bits and programming clears those that are to
/// be clear, wherever it is cut off: a bit that is clear now was clear before
/// or is to be.
fn lies_between(now: &[u8], before: &[u8], after: &[u8]) -> bool {
    let both = before.iter().zip(after);
    now.iter()
        .zip(both)
        .all(|(now, (before, after))| before & after & !now == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{Arrangement, Encoding, Format};
    use crate::job::backup::Circumstances;
    use std::fs;
    use tempfile::TempDir;

    const SIZE: usize = 0x2_0000;

    /// A backup of a flash of 5A, with its record.
    fn backed_up(folder: &TempDir) -> PathBuf {
        let dump = Dump {
            bytes: vec![0x5A; SIZE],
            ranges: vec![FlashRange {
                start: 0,
                end: SIZE as u32,
            }],
            gaps: Vec::new(),
            disagreements: 0,
        };
        let circumstances = Circumstances {
            date: "now".to_owned(),
            tool: "test".to_owned(),
            journal: Journal::default(),
        };
        let record = Record::of(&dump, &DeviceInfo::default(), &circumstances);
        let format = Format {
            encoding: Encoding::Binary,
            arrangement: Arrangement::Merged,
        };
        let backup = folder.path().join("backup.bin");
        backup::save(&dump, &record, &backup, format, false).unwrap();
        backup
    }

    fn found(backup: &Path) -> usize {
        find(
            Some(backup),
            &DeviceInfo::default(),
            SIZE,
            &Journal::default(),
        )
        .0
        .len()
    }

    #[test]
    fn a_change_is_unfinished_from_when_its_run_dies_until_another_ends_it() {
        let folder = tempfile::tempdir().unwrap();
        let backup = backed_up(&folder);
        assert_eq!(found(&backup), 0, "only backed up");
        let under_way = begin(&backup, &[0x77; SIZE], &Journal::default()).unwrap();
        assert_eq!(found(&backup), 0, "another run is at work on it");
        drop(under_way);
        assert_eq!(found(&backup), 1);
        finish(&backup, &Journal::default());
        assert_eq!(found(&backup), 0);
    }

    fn named(vendor: &str, product: &str) -> Identity {
        Identity {
            vendor: vendor.to_owned(),
            product: product.to_owned(),
            ..Identity::default()
        }
    }

    #[test]
    fn a_drive_is_the_same_by_inquiry_and_by_its_ata_model() {
        let is_same = |one: &Identity, other: &Identity| {
            let both = [(one, other), (other, one)];
            let [there, back] = both.map(|(recorded, drive)| {
                is_same_drive(Some(&RecordedDrive::from(recorded)), Some(drive))
            });
            assert_eq!(there, back);
            there
        };
        let recorded = named("TEAC", "DVD  W524E");
        for same in [
            named("TEAC", "DVD W524E"),
            named("TEACDVD", "W524E"),
            named("DVD", "W524E"),
        ] {
            assert!(is_same(&recorded, &same), "{same:?}");
        }
        for other in [
            named("TEAC", "DVD W524EX"),
            named("TEAC", "DVD W52"),
            named("SONY", "DVD W524E"),
        ] {
            assert!(!is_same(&recorded, &other), "{other:?}");
        }
    }

    #[test]
    fn what_an_erase_or_a_program_passes_through_lies_between() {
        for passed in [0x5A, 0x7A, 0xFF, 0xFC, 0x3C, 0x5E] {
            assert!(lies_between(&[passed], &[0x5A], &[0x3C]), "{passed:02x}");
        }
        // 18 is set in both, and is never cleared on the way.
        for never in [0x00, 0x42, 0x24] {
            assert!(!lies_between(&[never], &[0x5A], &[0x3C]), "{never:02x}");
        }
    }

    #[test]
    fn nothing_is_changed_with_a_backup_that_was_changed_or_that_another_run_holds() {
        let folder = tempfile::tempdir().unwrap();
        let backup = backed_up(&folder);
        let held = begin(&backup, &[0x77; SIZE], &Journal::default()).unwrap();
        assert!(begin(&backup, &[0x77; SIZE], &Journal::default()).is_err());
        drop(held);
        fs::write(&backup, [0x5A; SIZE - 1]).unwrap();
        assert!(begin(&backup, &[0x77; SIZE], &Journal::default()).is_err());
    }

    #[test]
    fn nothing_is_changed_without_the_backup_and_its_record() {
        let folder = tempfile::tempdir().unwrap();
        let backup = folder.path().join("backup.bin");
        assert!(begin(&backup, &[], &Journal::default()).is_err());
        fs::write(&backup, "no record beside it").unwrap();
        assert!(begin(&backup, &[], &Journal::default()).is_err());
    }

    #[test]
    fn an_unfinished_change_is_found_from_any_folder_of_its_machine() {
        let folder = tempfile::tempdir().unwrap();
        let machine = tempfile::tempdir().unwrap();
        let journal = Journal {
            folder: Some(machine.path().join("journal")),
            others: Vec::new(),
        };
        let backup = backed_up(&folder);
        let found = || find(None, &DeviceInfo::default(), SIZE, &journal).0.len();
        drop(begin(&backup, &[0x77; SIZE], &journal).unwrap());
        assert_eq!(found(), 1);
        finish(&backup, &journal);
        assert_eq!(found(), 0);
    }
}
