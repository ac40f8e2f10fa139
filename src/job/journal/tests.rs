use super::*;
use crate::flash::FlashRange;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use proptest::prelude::*;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use tempfile::TempDir;

fn folder() -> (TempDir, Journal) {
    // In memory where that is possible: every entry waits for the disk.
    let folder = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new());
    let folder = folder.unwrap();
    let journal = Journal::in_folder(&folder.path().join("journal"));
    (folder, journal)
}

fn shelf(journal: &Journal) -> &Path {
    &journal.own.as_ref().unwrap().folder
}

fn backup_in(folder: &TempDir, name: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, "a backup").unwrap();
    path
}

static TARGET: [u8; 0x4_0000] = [0x77; 0x4_0000];

fn begun<'a>(backup: Option<&'a Path>, pieces: &'a [Piece]) -> Begun<'a> {
    Begun {
        date: "2004-05-21 10:00:00 UTC".parse().unwrap(),
        tool: "mtkflash 0",
        drive: None,
        chip: "bf b6",
        size: 0x4_0000,
        ranges: vec![FlashRange::new(0x1000, 0x2000)],
        target: &TARGET,
        sectors_to_erase: 1,
        bytes_to_program: 4000,
        mixed: false,
        backup: backup.map(|path| (path, Crc32(0x0123_abcd), false)),
        pieces,
        continued: &[],
    }
}

#[test]
fn what_was_entered_is_found_with_all_that_was_said() {
    let (folder, mut journal) = folder();
    journal.place = Some("position-3".to_owned());
    journal.asked.words = vec![
        "3".into(),
        "w".into(),
        OsString::from_vec(vec![b'%', 0xFF, b'\n']),
    ];
    let backup = backup_in(&folder, "my backup.bin");
    let piece = Piece {
        range: FlashRange::new(0x1000, 0x2000),
        before: Crc32(1),
        after: Some(Crc32(u32::MAX)),
    };
    let entered = journal
        .enter(&begun(Some(&backup), &[piece]))
        .unwrap()
        .map(|one| one.entry);
    let found = journal.entries();
    assert_eq!(found, [entered.unwrap()]);
    let entry = &found[0].entry;
    assert_eq!(
        entry.backup(),
        Some((backup.canonicalize().unwrap(), Crc32(0x0123_abcd)))
    );
    assert_eq!(entry.asked(), journal.asked);
    assert_eq!(entry.place, journal.place);
    assert_eq!(entry.pieces(), [piece]);
    assert_eq!(entry.owner, nix::unistd::geteuid().as_raw());
    assert_eq!(found[0].target().unwrap(), TARGET);
    journal.close(&found[0]);
    assert!(journal.entries().is_empty());
    assert_eq!(fs::read_dir(shelf(&journal)).unwrap().count(), 0);
}

#[test]
fn an_entry_takes_the_place_of_one_that_it_goes_on_with_and_of_none_that_may_be_a_twin_s() {
    let (folder, journal) = folder();
    let backup = backup_in(&folder, "backup.bin");
    let enter_after = |continued: &[Found]| {
        let begun = Begun {
            continued,
            ..begun(Some(&backup), &[])
        };
        journal.enter(&begun).unwrap().unwrap().entry
    };
    let open = || {
        let mut open = journal.entries();
        open.retain(|found| !found.entry.settled);
        open
    };
    let enter = || enter_after(&open());
    let first = enter();
    assert_eq!(enter().file, first.file);
    let of_another = enter_after(&[]);
    assert_ne!(of_another.file, first.file);
    journal.close(&of_another);
    journal.settle(&first, true);
    let second = enter();
    assert_ne!(second.file, first.file);
    assert_eq!(enter().file, second.file);
    assert_eq!(journal.entries().len(), 2);
    journal.close(&second);
    // Nor of what is no file at all.
    mkfifo(&second.file, Mode::S_IRWXU).unwrap();
    assert_ne!(enter().file, second.file);
    assert_eq!(journal.read().1, [second.file]);
}

#[test]
fn a_target_that_is_gone_or_another_one_is_none() {
    let (folder, journal) = folder();
    let backup = backup_in(&folder, "backup.bin");
    let found = journal
        .enter(&begun(Some(&backup), &[]))
        .unwrap()
        .unwrap()
        .entry;
    let target = target_of(&found.file);
    fs::write(&target, &TARGET[1..]).unwrap();
    assert_eq!(found.target(), None);
    fs::write(&target, [0x78; 0x4_0000]).unwrap();
    assert_eq!(found.target(), None);
    fs::remove_file(&target).unwrap();
    assert_eq!(found.target(), None);
}

#[test]
fn what_is_settled_is_known_until_there_is_too_much_of_it() {
    let (folder, journal) = folder();
    for number in 0..MOST_SETTLED + 3 {
        let backup = backup_in(&folder, &format!("{number}.bin"));
        let found = journal
            .enter(&begun(Some(&backup), &[]))
            .unwrap()
            .unwrap()
            .entry;
        journal.settle(&found, false);
        let all = journal.entries();
        assert!(all.iter().all(|found| found.entry.settled));
        assert_eq!(all.len(), MOST_SETTLED.min(number + 1));
    }
    let begun = journal.enter(&begun(None, &[])).unwrap().unwrap().entry;
    journal.close(&begun);
    journal.settle(&begun, false);
    assert_eq!(
        journal.entries().len(),
        MOST_SETTLED,
        "what is over is over"
    );
}

#[test]
fn a_change_that_is_gone_on_with_is_entered_once() {
    let (folder, journal) = folder();
    let [one, other] = ["one", "other"].map(|name| backup_in(&folder, name));
    for (backup, there) in [
        (Some(&one), 1),
        (Some(&other), 2),
        (Some(&one), 2),
        (None, 3),
    ] {
        let begun = Begun {
            continued: &journal.entries(),
            ..begun(backup.map(PathBuf::as_path), &[])
        };
        journal.enter(&begun).unwrap();
        assert_eq!(journal.entries().len(), there);
    }
}

#[test]
fn a_folder_that_others_may_write_to_takes_no_entry_and_gives_none() {
    let (folder, journal) = folder();
    let backup = backup_in(&folder, "b");
    journal.enter(&begun(Some(&backup), &[])).unwrap();
    let permit = |mode| {
        fs::set_permissions(shelf(&journal), fs::Permissions::from_mode(mode)).unwrap();
    };
    for mode in [0o777, 0o775, 0o1777, 0o757] {
        permit(mode);
        let error = journal.enter(&begun(Some(&backup), &[])).unwrap_err();
        assert_eq!(error.problem, ShelfProblem::OthersMayWrite { mode });
        assert!(journal.must_take_entries().is_err());
        assert!(journal.entries().is_empty());
    }
    permit(0o755);
    assert_eq!(journal.entries().len(), 1);
}

#[test]
fn an_entry_that_others_may_write_to_counts_for_nothing() {
    let (folder, journal) = folder();
    let backup = backup_in(&folder, "b");
    journal.enter(&begun(Some(&backup), &[])).unwrap();
    let file = journal.entries().remove(0).file;
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o644);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    assert!(journal.entries().is_empty());
}

#[test]
fn a_link_or_a_file_is_no_folder_for_entries() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::in_folder(&folder.path().join("journal"));
    symlink("/tmp", shelf(&journal)).unwrap();
    let problem = || journal.must_take_entries().unwrap_err().problem;
    assert_eq!(problem(), ShelfProblem::Link);
    fs::remove_file(shelf(&journal)).unwrap();
    fs::write(shelf(&journal), "").unwrap();
    assert_eq!(problem(), ShelfProblem::NoFolder);
}

#[test]
fn entries_of_others_are_read_where_they_are_theirs_and_closed_beside() {
    let (folder, journal) = folder();
    let backup = backup_in(&folder, "b");
    journal.enter(&begun(Some(&backup), &[])).unwrap();
    let mine = tempfile::tempdir().unwrap();
    let of_another = |owner| Journal {
        others: vec![Shelf {
            folder: shelf(&journal).to_owned(),
            owner,
        }],
        ..Journal::in_folder(&mine.path().join("journal"))
    };
    let me = nix::unistd::geteuid().as_raw();
    assert_eq!(of_another(me).entries().len(), 1);
    if me != 0 {
        assert!(of_another(me + 1).entries().is_empty());
    }
    // As of a user who finishes what root has begun and cannot remove its entry.
    let other = of_another(me);
    let found = other.entries().remove(0);
    let note = shelf(&other).join(closed_name(&found.file));
    fs::create_dir_all(shelf(&other)).unwrap();
    fs::set_permissions(shelf(&other), fs::Permissions::from_mode(0o700)).unwrap();
    write(&[(&note, found.crc32.to_string().as_bytes())]).unwrap();
    assert!(other.entries().is_empty());
    assert_eq!(journal.entries().len(), 1);
}

#[test]
fn what_is_no_entry_is_passed_over() {
    let (folder, journal) = folder();
    let backup = backup_in(&folder, "b");
    journal.enter(&begun(Some(&backup), &[])).unwrap();
    let good = fs::read_to_string(&journal.entries()[0].file).unwrap();
    let put = |name: &str, content: &[u8]| fs::write(shelf(&journal).join(name), content).unwrap();
    put("empty.toml", b"");
    put("long.toml", &vec![b'#'; shelf::LARGEST as usize + 1]);
    put("binary.toml", &[0xFF; 100]);
    let target = format!("target = \"{}\"", Crc32::of(&TARGET));
    for (number, (from, to)) in [
        ("version = 1", "version = 2"),
        ("size = 262144", "size = 0"),
        ("size = 262144", "size = 4294967295"),
        ("ranges = [[4096, 8191]]", "ranges = [[8191, 4096]]"),
        ("ranges = [[4096, 8191]]", "ranges = [[4096, 262144]]"),
        (target.as_str(), "target = \"seven\""),
        ("path = \"/", "path = \""),
        ("chip =", "another = 1\nchip ="),
    ]
    .into_iter()
    .enumerate()
    {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        put(&format!("{number}.toml"), bad.as_bytes());
    }
    fs::create_dir(shelf(&journal).join("folder.toml")).unwrap();
    mkfifo(&shelf(&journal).join("pipe.toml"), Mode::S_IRWXU).unwrap();
    symlink("/dev/zero", shelf(&journal).join("zero.toml")).unwrap();
    assert_eq!(journal.entries().len(), 1);
}

proptest! {
    #[test]
    fn no_text_makes_an_entry_that_cannot_be(text in ".{0,400}", at in 0_usize..900, byte: u8) {
        let (folder, journal) = folder();
        let backup = backup_in(&folder, "b");
        journal.enter(&begun(Some(&backup), &[])).unwrap();
        let file = journal.entries().remove(0).file;
        let mut content = fs::read(&file).unwrap();
        if let Some(place) = content.get_mut(at) {
            *place = byte;
        }
        fs::write(&file, content).unwrap();
        fs::write(shelf(&journal).join("text.toml"), text).unwrap();
        for found in journal.entries() {
            prop_assert!(found.entry.size <= record::LARGEST_FLASH);
            for piece in found.entry.pieces() {
                prop_assert!(piece.range.end() <= found.entry.size);
            }
        }
    }
}
