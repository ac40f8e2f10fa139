use super::*;
use crate::drive::tests::fake::Machine;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;

const POLL: &str = "sys/devices/pci0000:00/0000:00:01.1/ata1/host0/target0:0:0/0:0:0:0/block/sr0/events_poll_msecs";

fn undo(machine: &Machine) -> Undo {
    Undo {
        file: machine.path(POLL),
        text: "-1".into(),
    }
}

fn noted(machine: &Machine) -> Note {
    let mut note = Note::open(&machine.system, "polling-sr0").unwrap();
    note.promise(undo(machine), &[]).unwrap();
    note
}

fn notes(machine: &Machine) -> Vec<String> {
    names(&machine.path("run/mtkflash"))
}

/// The machine after a run that was killed with its note in place.
fn crashed() -> Machine {
    let machine = Machine::four_drives();
    let note = noted(&machine);
    let text = machine.read("run/mtkflash/polling-sr0");
    drop(note);
    machine.state().writes.clear();
    machine.file("run/mtkflash/polling-sr0", &text);
    machine.file(POLL, "0");
    machine
}

#[test]
fn a_change_is_taken_back_once_on_the_way_out_and_its_note_is_gone() {
    let machine = Machine::four_drives();
    let note = noted(&machine);
    assert_eq!(notes(&machine), ["polling-sr0"]);
    assert_eq!(machine.state().writes, []);
    drop(note);
    assert_eq!(
        machine.state().writes,
        [(machine.path(POLL), "-1".to_owned())]
    );
    assert!(notes(&machine).is_empty());
}

#[test]
fn a_lock_without_a_change_writes_nothing() {
    let machine = Machine::four_drives();
    drop(Note::open(&machine.system, "channel-primary").unwrap());
    assert_eq!(machine.state().writes, []);
    assert!(notes(&machine).is_empty());
}

#[test]
fn two_runs_cannot_have_one_subject() {
    let machine = Machine::four_drives();
    let note = noted(&machine);
    assert!(matches!(
        Note::open(&machine.system, "polling-sr0"),
        Err(NoteError::Held)
    ));
    Note::open(&machine.system, "polling-sr1").unwrap();
    drop(note);
    Note::open(&machine.system, "polling-sr0").unwrap();
}

#[test]
fn what_a_living_run_has_changed_is_left_alone() {
    let machine = Machine::four_drives();
    let _note = noted(&machine);
    assert!(settle(&machine.system, None).is_empty());
    assert_eq!(machine.state().writes, []);
    assert_eq!(notes(&machine), ["polling-sr0"]);
}

#[test]
fn what_a_crashed_run_has_changed_is_taken_back_by_the_next() {
    let machine = crashed();
    let settled = settle(&machine.system, None);
    assert_eq!(settled.len(), 1);
    assert_eq!(settled[0].undo, undo(&machine));
    assert!(settled[0].outcome.is_ok());
    assert_eq!(machine.read(POLL), "-1");
    assert!(notes(&machine).is_empty());
    assert!(settle(&machine.system, None).is_empty());
}

#[test]
fn a_run_on_the_same_subject_takes_it_back_first() {
    let machine = crashed();
    let _note = Note::open(&machine.system, "polling-sr0").unwrap();
    assert_eq!(machine.read(POLL), "-1");
}

#[test]
fn what_cannot_be_taken_back_keeps_its_note_and_says_how() {
    let machine = crashed();
    machine.state().read_only.push(machine.path(POLL));
    let settled = settle(&machine.system, None);
    assert_eq!(
        settled[0].outcome.as_ref().unwrap_err().kind(),
        ErrorKind::PermissionDenied
    );
    assert_eq!(
        settled[0].undo,
        Undo {
            file: machine.path(POLL),
            text: "-1".to_owned()
        }
    );
    assert_eq!(notes(&machine), ["polling-sr0"]);
    let error = Note::open(&machine.system, "polling-sr0").err().unwrap();
    assert!(matches!(error, NoteError::NotSettled { .. }), "{error}");
    machine.state().read_only.clear();
    settle(&machine.system, None);
    assert_eq!(machine.read(POLL), "-1");
}

#[test]
fn a_change_that_went_with_its_drive_needs_nothing() {
    let machine = crashed();
    machine.unplug(0, "0:0:0:0");
    assert!(settle(&machine.system, None)[0].outcome.is_ok());
    assert!(notes(&machine).is_empty());
}

#[test]
fn a_note_cannot_make_this_program_write_anything_else() {
    let machine = Machine::four_drives();
    let device = machine.path(POLL);
    let delete = device.parent().unwrap().join("../../delete");
    for (file, text) in [
        (delete.clone(), "1"),
        (delete.canonicalize().unwrap(), "1"),
        (machine.path("dev/sr0"), "-1"),
        (machine.path(POLL), "rm -rf"),
        (delete.with_file_name("scan"), "- - -"),
        (PathBuf::from("/etc/scan"), "- - -"),
        (PathBuf::from("/etc/bind"), "0000:00:01.1"),
        (machine.path("sys/bus/pci/drivers/ata_piix/bind"), "- - -"),
        (
            machine.path("sys/bus/pci/drivers/ata_piix/unbind"),
            "0000:00:01.1",
        ),
        (machine.path("sys/bus/pci/drivers/../bind"), "0000:00:01.1"),
        (machine.path("sys/bus/pci/drivers/a/b/bind"), "0000:00:01.1"),
    ] {
        machine.note("run/mtkflash/polling-sr0", file, text);
        assert!(settle(&machine.system, None).is_empty(), "{text}");
        assert_eq!(machine.state().writes, []);
    }
}

#[test]
fn a_driver_that_a_crashed_run_has_unbound_is_bound_again() {
    let machine = Machine::four_drives();
    let bind = machine.path("sys/bus/pci/drivers/ata_piix/bind");
    let note = "run/mtkflash/channel-0000:00:01.1-1";
    machine.note(note, bind.clone(), "0000:00:01.1");
    let settled = settle(&machine.system, None);
    assert!(settled[0].undo.is_scan() && settled[0].outcome.is_ok());
    assert_eq!(machine.state().writes, [(bind, "0000:00:01.1".to_owned())]);
}

#[test]
fn a_run_that_goes_on_finds_what_was_noted_and_leaves_it_where_it_fails() {
    let machine = crashed();
    let subject = notes(&machine)[0].clone();
    assert!(settle(&machine.system, Some(&subject)).is_empty());
    let found = left(&machine.system, &subject).unwrap();
    let (note, again) = Note::take_over(&machine.system, &subject).unwrap();
    assert_eq!(again.as_ref(), Some(&found));
    // Locked, it is nobody else's.
    assert_eq!(left(&machine.system, &subject), None);
    note.leave_as_found();
    assert_eq!(all_left(&machine.system), [(subject, found)]);
    assert_eq!(machine.state().writes, []);
}

#[test]
fn no_note_makes_the_reader_fail() {
    let machine = Machine::four_drives();
    machine.note("elsewhere", machine.path(POLL), "-1");
    let whole = machine.read("elsewhere");
    let any_bytes = proptest::collection::vec(any::<u8>(), 0..60);
    let changed = (0..whole.len(), any::<u8>());
    let outcome = TestRunner::default().run(&(any_bytes, changed), |(bytes, (at, byte))| {
        let mut note = whole.clone().into_bytes();
        note[at] = byte;
        for note in [&bytes, &note, &note[..at].to_vec()] {
            fs::create_dir_all(machine.path("run/mtkflash")).unwrap();
            fs::write(machine.path("run/mtkflash/polling-sr0"), note).unwrap();
            settle(&machine.system, None);
        }
        Ok(())
    });
    outcome.unwrap();
    let is_poll = |file: &Path| file.ends_with("events_poll_msecs");
    assert!(machine.state().writes.iter().all(|(file, _)| is_poll(file)));
}

#[test]
fn a_change_of_ones_own_that_cannot_be_taken_back_is_not_blamed_on_an_earlier_run() {
    let machine = Machine::four_drives();
    let note = noted(&machine);
    machine.state().read_only.push(machine.path(POLL));
    let error = note.settle().unwrap_err();
    assert!(matches!(error, NoteError::NotTakenBack { .. }), "{error}");
    assert_eq!(error.undo(), Some(&undo(&machine)));
    assert_eq!(notes(&machine), ["polling-sr0"]);
}

fn mode(machine: &Machine, path: &str) -> u32 {
    let found = fs::symlink_metadata(machine.path(path)).unwrap();
    found.permissions().mode() & 0o7777
}

#[test]
fn notes_are_for_their_owner_alone_even_where_an_older_run_left_them_open() {
    let machine = Machine::four_drives();
    let note = noted(&machine);
    assert_eq!(mode(&machine, "run/mtkflash"), 0o700);
    assert_eq!(mode(&machine, "run/mtkflash/polling-sr0"), 0o600);
    drop(note);
    machine.file("run/mtkflash/polling-sr0", "");
    for (path, open) in [("run/mtkflash", 0o777), ("run/mtkflash/polling-sr0", 0o666)] {
        fs::set_permissions(machine.path(path), fs::Permissions::from_mode(open)).unwrap();
    }
    let _note = noted(&machine);
    assert_eq!(mode(&machine, "run/mtkflash"), 0o700);
    assert_eq!(mode(&machine, "run/mtkflash/polling-sr0"), 0o600);
}

#[test]
fn a_link_in_the_place_of_a_note_is_neither_followed_nor_emptied() {
    let machine = Machine::four_drives();
    machine.file("precious", "kept");
    fs::create_dir(machine.path("run/mtkflash")).unwrap();
    machine.link("run/mtkflash/polling-sr0", &machine.path("precious"));
    assert!(settle(&machine.system, None).is_empty());
    let error = Note::open(&machine.system, "polling-sr0").err().unwrap();
    assert!(matches!(error, NoteError::NotOurs { .. }), "{error}");
    assert_eq!(machine.read("precious"), "kept");
}

#[test]
fn a_link_in_the_place_of_the_folder_is_not_followed() {
    let machine = Machine::four_drives();
    machine.note("elsewhere/polling-sr0", machine.path(POLL), "-1");
    let crashed = machine.read("elsewhere/polling-sr0");
    symlink(machine.path("elsewhere"), machine.path("run/mtkflash")).unwrap();
    assert!(settle(&machine.system, None).is_empty());
    let error = Note::open(&machine.system, "polling-sr1").err().unwrap();
    assert!(matches!(error, NoteError::NotOurs { .. }), "{error}");
    assert_eq!(machine.state().writes, []);
    assert_eq!(machine.read("elsewhere/polling-sr0"), crashed);
}

#[test]
fn what_is_no_note_is_neither_waited_for_nor_read_to_its_end() {
    let machine = Machine::four_drives();
    machine.file("run/mtkflash/film", "");
    let film = File::options()
        .write(true)
        .open(machine.path("run/mtkflash/film"));
    film.and_then(|file| file.set_len(3 << 30)).unwrap();
    let pipe = machine.path("run/mtkflash/polling-sr0");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    fs::create_dir(machine.path("run/mtkflash/polling-sr1")).unwrap();
    assert!(settle(&machine.system, None).is_empty());
    for subject in ["polling-sr0", "polling-sr1"] {
        let error = Note::open(&machine.system, subject).err().unwrap();
        assert!(matches!(error, NoteError::NotOurs { .. }), "{error}");
    }
}

/// Only root can give a folder away.
#[test]
fn a_folder_of_another_user_is_refused() {
    let machine = crashed();
    let nobody = nix::unistd::Uid::from_raw(65_534);
    let folder = machine.path("run/mtkflash");
    if nix::unistd::chown(&folder, Some(nobody), None).is_err() {
        return;
    }
    assert!(settle(&machine.system, None).is_empty());
    let error = Note::open(&machine.system, "polling-sr0").err().unwrap();
    assert!(matches!(error, NoteError::NotOurs { .. }), "{error}");
    assert_eq!(machine.state().writes, []);
}
