//! Changes that are begun, found again and ended.

use std::fs;

use tempfile::TempDir;

use super::under_way::UnderWay;
use super::*;
use crate::image::{Arrangement, Encoding, Format};
use crate::job::JobError;
use crate::job::journal::trace;
use crate::job::{backup, record};
use crate::plan::Summary;

const SIZE: usize = 0x2_0000;

fn whole() -> Vec<FlashRange> {
    record::covered(&[], SIZE as u32)
}

/// A backup of a flash of 5A, with its record.
fn backed_up(folder: &TempDir) -> PathBuf {
    let dump = Dump {
        bytes: vec![0x5A; SIZE],
        ranges: whole(),
        gaps: Vec::new(),
        disagreements: 0,
    };
    let record = Record::of_dump(
        &dump,
        &DeviceInfo::default(),
        "2004-05-21 10:00:00 UTC".parse().unwrap(),
        "test",
    );
    let format = Format {
        encoding: Encoding::Binary,
        arrangement: Arrangement::Merged,
    };
    let backup = folder.path().join("backup.bin");
    backup::save(&dump, &record, &backup, format, false).unwrap();
    backup
}

fn begun(backup: &Path, journal: &Journal) -> Result<UnderWay, JobError> {
    begun_with(backup, &Record::beside(backup).unwrap(), journal)
}

fn begun_with(backup: &Path, record: &Record, journal: &Journal) -> Result<UnderWay, JobError> {
    begin(
        &Beginning {
            backup: Some((backup, record)),
            device: &DeviceInfo::default(),
            date: "2004-05-21 10:00:00 UTC".parse().unwrap(),
            tool: "test",
            pieces: &trace::pieces(&[0x5A; SIZE], Some(&[0x77; SIZE]), &whole()),
            covered: &whole(),
            target: &[0x77; SIZE],
            plan: Summary::default(),
            mixed: false,
            continued: &journal.entries(),
        },
        journal,
    )
}

fn found(backup: Option<&Path>, journal: &Journal) -> usize {
    let device = DeviceInfo::default();
    find(backup.as_slice(), &device, SIZE, journal).intact.len()
}

#[test]
fn a_change_is_unfinished_from_when_its_run_dies_until_another_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let backup = backed_up(&folder);
    let journal = Journal::default();
    let found = || found(Some(&backup), &journal);
    assert_eq!(found(), 0, "only backed up");
    let under_way = begun(&backup, &journal).unwrap();
    assert_eq!(found(), 0, "another run is at work on it");
    drop(under_way);
    assert_eq!(found(), 1);
    finish(Some(&backup), None, &journal);
    assert_eq!(found(), 0);
}

#[test]
fn nothing_is_changed_with_a_backup_that_is_not_what_it_was() {
    let journal = Journal::default();
    type Spoil = fn(&Path);
    let spoilt: [(&str, Spoil); 4] = [
        ("cut", |backup| fs::write(backup, [0x5A; SIZE - 1]).unwrap()),
        ("replaced", |backup| {
            fs::write(backup, [0x5B; SIZE]).unwrap()
        }),
        ("removed", |backup| fs::remove_file(backup).unwrap()),
        ("linked away", |backup| {
            fs::remove_file(backup).unwrap();
            std::os::unix::fs::symlink("/dev/zero", backup).unwrap();
        }),
    ];
    for (how, spoil) in spoilt {
        let folder = tempfile::tempdir().unwrap();
        let backup = backed_up(&folder);
        spoil(&backup);
        let error = begun(&backup, &journal).unwrap_err();
        assert!(
            matches!(error, JobError::Refused(Refusal::Backup { .. })),
            "{how}: {error}"
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let backup = backed_up(&folder);
    let held = begun(&backup, &journal).unwrap();
    assert!(begun(&backup, &journal).is_err(), "another run holds it");
    drop(held);
    assert!(begun(&backup, &journal).is_ok());
}

#[test]
fn the_note_of_a_change_stays_where_going_on_with_it_comes_to_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::in_folder(&folder.path().join("journal"));
    let backup = backed_up(&folder);
    let record = Record::beside(&backup).unwrap();
    drop(begun(&backup, &journal).unwrap());
    let noted = journal.entries();
    assert_eq!(noted.len(), 1);

    // It went on, and was stopped before it changed anything.
    let again = begun(&backup, &journal).unwrap();
    withdraw(&again, None, &journal);
    drop(again);
    assert_eq!(journal.entries(), noted);

    // The record cannot be written.
    let beside = backup::record_path(&backup);
    fs::remove_file(&beside).unwrap();
    fs::create_dir(&beside).unwrap();
    begun_with(&backup, &record, &journal).unwrap_err();
    assert_eq!(journal.entries(), noted);
}

#[test]
fn a_change_that_is_noted_already_needs_no_room_for_its_record() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::in_folder(&folder.path().join("journal"));
    let backup = backed_up(&folder);
    let record = Record::beside(&backup).unwrap();
    drop(begun(&backup, &journal).unwrap());
    let file = || fs::metadata(backup::record_path(&backup)).unwrap();
    let written = std::os::unix::fs::MetadataExt::ino(&file());
    drop(begun_with(&backup, &record, &journal).unwrap());
    assert_eq!(std::os::unix::fs::MetadataExt::ino(&file()), written);
}

#[test]
fn a_flash_that_holds_what_a_record_alone_speaks_of_is_no_mixture() {
    let folder = tempfile::tempdir().unwrap();
    let backup = backed_up(&folder);
    let of_another_machine = Journal::in_folder(&folder.path().join("elsewhere"));
    drop(begun(&backup, &of_another_machine).unwrap());
    let journal = Journal::in_folder(&folder.path().join("journal"));
    let may_be_mixed = |byte| {
        let seen = Dump {
            bytes: vec![byte; SIZE],
            ranges: whole(),
            gaps: Vec::new(),
            disagreements: 0,
        };
        let open = find(&[&backup], &DeviceInfo::default(), SIZE, &journal);
        assert_eq!(open.intact.len(), 1);
        open.recognised(&seen, None, |_| None).is_mixed(&seen)
    };
    assert!(!may_be_mixed(0x5A), "as it was before");
    assert!(!may_be_mixed(0x77), "as it was to be");
    assert!(may_be_mixed(0x52), "neither");
}

#[test]
fn an_unfinished_change_is_found_from_any_folder_of_its_machine() {
    let folder = tempfile::tempdir().unwrap();
    let machine = tempfile::tempdir().unwrap();
    let journal = Journal::in_folder(&machine.path().join("journal"));
    let backup = backed_up(&folder);
    let entry = begun(&backup, &journal).unwrap().entry().cloned();
    assert_eq!(found(None, &journal), 1);
    finish(Some(&backup), entry.as_ref(), &journal);
    assert_eq!(found(None, &journal), 0);
}

#[test]
fn a_backup_that_was_moved_is_found_beside_the_new_one_or_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let machine = tempfile::tempdir().unwrap();
    let journal = Journal::in_folder(machine.path());
    let backup = backed_up(&folder);
    drop(begun(&backup, &journal).unwrap());
    fs::remove_file(backup::record_path(&backup)).unwrap();
    let moved = folder.path().join("moved");
    fs::rename(&backup, &moved).unwrap();
    let open = find(&[], &DeviceInfo::default(), SIZE, &journal);
    assert_eq!((open.intact.len(), open.lost.len()), (0, 1));
    assert_eq!(open.lost[0].path.as_deref(), Some(backup.as_path()));
    let open = find(&[&moved], &DeviceInfo::default(), SIZE, &journal);
    assert_eq!((open.intact.len(), open.lost.len()), (1, 0));
    assert!(open.intact[0].flash == [0x5A; SIZE]);
}

#[test]
fn two_changes_with_one_backup_are_told_once() {
    let one = || Notice::Unfinished {
        backup: "before.bin".into(),
        who: Who::Place,
        asked: Asked::default(),
    };
    let other = Notice::Recorded {
        backup: "other.bin".into(),
    };
    let told = notices_of(
        [one(), one(), other.clone()].into_iter(),
        std::iter::empty(),
        &[],
    );
    assert_eq!(told, [one(), other]);
}
