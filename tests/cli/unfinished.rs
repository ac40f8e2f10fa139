//! Writes that were cut off, gone on with from anywhere, and what is said of them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use crate::containers::made::gzip;
use crate::folder::{Folder, Run, image_of, left_out, new_image, old_image};

const KEPT: std::ops::Range<usize> = 0x4100..0x4200;
static BLANK: [u8; 0x4_0000] = [0xFF; 0x4_0000];

/// A drive that has no serial number of its own, or two.
fn drive(position: u8, more: &str) -> String {
    format!(
        "[[drive]]\nposition = {position}\nvendor = \"LITE-ON\"\nproduct = \"DVD-ROM SIM-256P\"\n\
         revision = \"SIM1\"\nchip = \"SST39SF020\"\ncontents = {{ recipe = \"firmware\", seed = 20 }}\n\
         {more}\n"
    )
}

fn bench(folder: &Folder, text: impl AsRef<str>) {
    folder.write("bench.toml", text.as_ref());
}

fn with(drives: &[String]) -> Folder {
    let folder = Folder::new();
    bench(&folder, drives.concat());
    folder.write("new.bin", new_image());
    for sub in ["a", "b"] {
        fs::create_dir(folder.path(sub)).unwrap();
    }
    folder
}

/// The binary in a folder within this one.
fn run_in(folder: &Folder, sub: &str, line: &str) -> Run {
    let mut words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    words.extend([
        "--sim".to_owned(),
        folder.path("bench.toml").display().to_string(),
    ]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_mtkflash"));
    command.current_dir(folder.path(sub)).args(&words);
    let output = command.stdin(Stdio::null()).output();
    Run::of(line, output.unwrap())
}

fn write_line(folder: &Folder, position: u8, switches: &str) -> String {
    let image = folder.path("new.bin");
    format!("{position} w /m {} {switches} --yes", image.display())
}

/// Cuts the power so many operations after the last one before the first change.
fn cut_in(folder: &Folder, sub: &str, line: &str, position: u8, after: u64) -> Run {
    run_in(folder, sub, &line.replace("--yes", "--dry-run"));
    let operation = operations(folder, position) + after;
    let text = folder.text("bench.toml");
    let place = format!("position = {position}\n");
    let at = text.find(&place).unwrap();
    let end = text[at..].find("\n\n").map_or(text.len(), |end| at + end);
    let mut cut = text.clone();
    cut.insert_str(
        end,
        &format!("\n[[drive.fault]]\nkind = \"power-cut\"\noperation = {operation}\n"),
    );
    bench(folder, cut);
    let run = run_in(folder, sub, line);
    assert_eq!(run.code, Some(7), "{run}");
    bench(folder, text);
    run
}

fn expected(switch: &str) -> Vec<u8> {
    let (mut image, old) = match switch {
        "--keep" => (new_image(), old_image()),
        _ => (old_image(), new_image()),
    };
    image[KEPT].copy_from_slice(&old[KEPT]);
    image
}

#[test]
fn a_write_is_gone_on_with_from_another_folder_and_loses_nothing() {
    for (switch, after) in [("--keep", 1_000_000), ("--range", 3000)] {
        let folder = with(&[drive(3, "serial = \"S1\"")]);
        let line = write_line(&folder, 3, &format!("{switch} 0x4100-0x41ff"));
        cut_in(&folder, "a", &line, 3, after);
        let run = run_in(&folder, "b", &line);
        assert_eq!(run.code, Some(0), "{run}");
        assert!(run.stdout.contains("goes on with the write"), "{run}");
        assert!(folder.flash() == expected(switch), "{run}");
        assert!(!run_in(&folder, "b", "3 c").stdout.contains("not finished"));
    }
}

#[test]
fn what_is_refused_before_its_drive_is_opened_says_what_was_begun_at_its_place() {
    let folder = with(&[drive(1, ""), drive(3, "")]);
    let line = |position| write_line(&folder, position, "--keep 0x4100-0x41ff");
    cut_in(&folder, "a", &line(3), 3, 1_000_000);
    fs::rename(folder.path("new.bin"), folder.path("moved.bin")).unwrap();
    let run = run_in(&folder, "a", &line(3));
    assert_eq!(run.code, Some(5), "{run}");
    for said in [
        "drive that was at this place has not been finished",
        "leave it on",
        "put back what was in it before",
    ] {
        assert!(run.stderr.contains(said), "{said}: {run}");
    }
    let moved = write_line(&folder, 3, "").replace("new.bin", "gone.bin");
    let other = run_in(&folder, "b", &moved);
    assert!(
        other.stderr.contains("new.bin, is not there any more"),
        "{other}"
    );
    let elsewhere = run_in(&folder, "b", &line(1));
    assert!(
        !elsewhere.stderr.contains("not been finished"),
        "{elsewhere}"
    );
}

#[test]
fn a_write_whose_image_has_gone_is_gone_on_with_by_its_name_now() {
    let folder = with(&[drive(3, "serial = \"S1\"")]);
    let line = write_line(&folder, 3, "--keep 0x4100-0x41ff");
    cut_in(&folder, "a", &line, 3, 1_000_000);
    let told = || run_in(&folder, "b", "3 c").stdout;
    assert!(told().contains("3 w /m "), "{}", told());
    assert!(
        told().contains("To go on where that run ended"),
        "{}",
        told()
    );
    fs::rename(folder.path("new.bin"), folder.path("moved.bin")).unwrap();
    assert!(
        told().contains("new.bin, is not there any more"),
        "{}",
        told()
    );
    assert!(
        told().contains("3 w /m FILE --keep 0x4100-0x41ff"),
        "{}",
        told()
    );
    // Another one by its name is not it.
    folder.write("new.bin", old_image());
    let crc32 = mtkflash::image::Crc32::of(&new_image());
    let other = format!("new.bin, holds something else now: find the one with the CRC-32 {crc32}");
    assert!(told().contains(&other), "{}", told());
    let moved = line.replace("new.bin", "moved.bin");
    assert_eq!(run_in(&folder, "b", &moved).code, Some(0));
    assert!(folder.flash() == expected("--keep"));
}

#[test]
fn a_whole_image_over_a_write_that_was_to_keep_something_says_that_it_does_not() {
    let folder = with(&[drive(3, "serial = \"S1\"")]);
    let line = write_line(&folder, 3, "--keep 0x4100-0x41ff");
    cut_in(&folder, "a", &line, 3, 1_000_000);
    let whole = write_line(&folder, 3, "").replace("--yes", "--dry-run");
    let told = |line: &str| run_in(&folder, "b", line).stdout.contains("was to keep");
    assert!(told(&whole));
    assert!(!told(&format!("{whole} --keep 0x4100-0x41ff")));
}

#[test]
fn a_backup_that_another_write_works_with_is_said_to_be_in_use() {
    let folder = with(&[drive(3, "")]);
    let line = write_line(&folder, 3, "--backup before.bin --keep 0x4100-0x41ff");
    cut_in(&folder, "a", &line, 3, 1_000_000);
    let backup = fs::File::open(folder.path("a/before.bin")).unwrap();
    let read = |file: &str| {
        let run = run_in(&folder, "a", &format!("3 r /m /b {file} --force=overwrite"));
        assert_eq!(run.code, Some(4), "{run}");
        run.stderr
    };
    let held = nix::fcntl::Flock::lock(backup, nix::fcntl::FlockArg::LockExclusiveNonblock);
    let held = held.unwrap();
    assert!(read("before.bin").contains("this backup is in use"));
    drop(held);
    assert!(read("before.bin").contains("the backup of a write that was not finished"));
    let of_record = read("before.bin.txt");
    assert!(
        of_record.contains("the record of the backup of a write"),
        "{of_record}"
    );
    assert!(of_record.contains("3 r /m /b before-2.bin"), "{of_record}");
}

/// A cell of the sector that says who the drive is does not rise.
const WEAK: &str = "\n[[drive.fault]]\nkind = \"weak-erase\"\nat = 14776\nkeeps = 33\n";

#[test]
fn a_whole_image_is_gone_on_with_without_a_backup_where_the_drive_has_lost_its_name() {
    for serial in ["serial = \"S1\"", ""] {
        let folder = with(&[drive(3, serial)]);
        let good = folder.text("bench.toml");
        let line = write_line(&folder, 3, "--no-backup");
        // The second run begins in the middle of the first.
        for _ in 0..2 {
            bench(&folder, format!("{good}{WEAK}"));
            let run = run_in(&folder, "a", &line);
            assert_eq!(run.code, Some(7), "{run}");
        }
        bench(&folder, &good);
        let run = run_in(&folder, "b", &line);
        assert_eq!(run.code, Some(0), "{run}");
        assert!(
            run.stdout.contains("the note of the write that was"),
            "{run}"
        );
        assert!(folder.flash() == new_image(), "{run}");
    }
}

#[test]
fn who_a_silent_drive_is_is_not_taken_from_the_note_of_another_place_or_flash() {
    let folder = with(&[drive(1, ""), drive(3, "")]);
    let good = folder.text("bench.toml");
    bench(&folder, format!("{good}{WEAK}"));
    run_in(&folder, "a", &write_line(&folder, 3, "--no-backup"));
    bench(&folder, &good);
    run_in(&folder, "a", "1 e --no-backup --yes");
    let run = run_in(&folder, "a", &write_line(&folder, 1, "--no-backup"));
    assert_eq!(run.code, Some(4), "{run}");
    assert!(run.stderr.contains("model"), "{run}");
}

#[test]
fn twins_without_a_serial_number_are_not_taken_for_each_other() {
    for (switch, after) in [("--keep", 1_000_000), ("--range", 3000)] {
        let folder = with(&[drive(1, ""), drive(3, "")]);
        let line = |position| write_line(&folder, position, &format!("{switch} 0x4100-0x41ff"));
        cut_in(&folder, "a", &line(1), 1, after);
        let run = run_in(&folder, "a", &line(3));
        assert_eq!(run.code, Some(0), "{run}");
        assert!(!run.stdout.contains("Resumed"), "{run}");
        assert!(run.stdout.contains("read twice and on the disk"), "{run}");
        let run = run_in(&folder, "a", &line(1));
        assert_eq!(run.code, Some(0), "{run}");
        assert!(run.stdout.contains("Resumed"), "{run}");
        for position in [1, 3] {
            assert!(
                folder.flash_of(position) == expected(switch),
                "{position}: {run}"
            );
        }
    }
}

#[test]
fn twins_that_say_the_same_serial_number_are_not_taken_for_each_other() {
    for serial in ["serial = \"DUP1\"\n", "serial = \"0000\"\n"] {
        let other = drive(3, serial).replace("seed = 20", "seed = 77");
        let folder = with(&[drive(1, serial), other]);
        run_in(&folder, "a", "3 c");
        let held = folder.flash_of(3);
        let line = |position| write_line(&folder, position, "--keep 0x4100-0x41ff");
        cut_in(&folder, "a", &line(1), 1, 1_000_000);
        // A whole image into the other one: it has its own backup, and the note stays.
        let run = run_in(&folder, "b", &write_line(&folder, 3, "--backup of-3.bin"));
        assert_eq!(run.code, Some(0), "{run}");
        assert!(
            fs::read(folder.path("b/of-3.bin")).unwrap() == held,
            "{run}"
        );
        let run = run_in(&folder, "a", &line(1));
        assert_eq!(run.code, Some(0), "{run}");
        assert!(run.stdout.contains("Resumed"), "{run}");
        assert!(folder.flash_of(1) == expected("--keep"), "{run}");
    }
}

#[test]
fn another_firmware_is_not_taken_for_what_an_erase_has_left() {
    let whole = |position| {
        drive(position, "mode_status = 0x72\n")
            .replace("SST39SF020", "W25P20")
            .replace("SIM-256P", "SIM-256S")
    };
    let other = whole(1).replace("seed = 20", "seed = 61");
    let folder = with(&[other, whole(3)]);
    run_in(&folder, "a", "1 c");
    let held = folder.flash_of(1);
    let line = |position: u8, switch: &str| {
        write_line(&folder, position, &format!("{switch} --force=model"))
    };
    cut_in(
        &folder,
        "a",
        &line(3, "--range 0x35000-0x3ffff"),
        3,
        300_000,
    );
    let run = run_in(
        &folder,
        "a",
        &line(1, "--keep 0x34000-0x34fff --backup of-1.bin"),
    );
    assert_eq!(run.code, Some(0), "{run}");
    assert!(
        fs::read(folder.path("a/of-1.bin")).unwrap() == held,
        "{run}"
    );
    assert!(!run.stdout.contains("half-written"), "{run}");
}

#[test]
fn a_note_that_cannot_be_read_is_named_and_not_passed_over() {
    const MODE: u32 = 0o777;
    type Spoil = fn(&std::path::Path);
    let spoils: [(&str, Spoil); 3] = [
        ("of another version", |note| {
            let text = fs::read_to_string(note).unwrap();
            fs::write(note, text.replace("version = 1", "version = 2")).unwrap();
        }),
        ("empty", |note| fs::write(note, "").unwrap()),
        ("where others may write", |note| {
            let folder = note.parent().unwrap();
            fs::set_permissions(folder, fs::Permissions::from_mode(MODE)).unwrap();
        }),
    ];
    for (what, spoil) in spoils {
        let folder = with(&[drive(3, "")]);
        let line = write_line(&folder, 3, "--range 0x4100-0x41ff");
        cut_in(&folder, "a", &line, 3, 3000);
        let held = folder.flash();
        let notes = fs::read_dir(folder.path("bench.state/journal")).unwrap();
        let mut notes = notes.map(|entry| entry.unwrap().path());
        let note = notes.find(|path| path.extension().is_some_and(|name| name == "toml"));
        let note = note.unwrap();
        spoil(&note);
        let run = run_in(&folder, "b", &line);
        assert_eq!(run.code, Some(4), "{what}: {run}");
        assert!(run.stderr.contains("bench.state/journal"), "{what}: {run}");
        assert!(folder.flash() == held, "{what}: {run}");
        let run = run_in(&folder, "b", "3 c");
        assert!(run.stdout.contains("may be a mixture"), "{what}: {run}");
        let run = run_in(&folder, "b", "3 r /m /b dump.bin");
        assert!(run.stdout.contains("no backup"), "{what}: {run}");
        // A whole image asks for no note, as long as one can be made.
        if what != "where others may write" {
            let run = run_in(&folder, "b", &write_line(&folder, 3, ""));
            assert_eq!(run.code, Some(0), "{what}: {run}");
            assert!(
                run.stdout.contains("it may be half-written"),
                "{what}: {run}"
            );
        }
    }
}

/// What the drive at a position has been asked for in its last run.
fn operations(folder: &Folder, position: u8) -> u64 {
    let counters = folder.text(&format!("bench.state/position-{position}.counters.toml"));
    let operations = counters
        .lines()
        .find_map(|line| line.strip_prefix("operations = "));
    operations.unwrap().parse().unwrap()
}

#[test]
fn a_drive_cut_off_in_the_read_back_is_asked_about_where_another_was_in_its_place_since() {
    const IN_THE_READ_BACK: u64 = 3000;
    let probe = with(&[drive(3, "")]);
    let line =
        |folder: &Folder| write_line(folder, 3, "--range 0x4000-0x7fff --keep 0x4100-0x41ff");
    run_in(&probe, "a", &line(&probe).replace("--yes", "--dry-run"));
    let before = operations(&probe, 3);
    run_in(&probe, "a", &line(&probe));
    let took = operations(&probe, 3) - before;

    let folder = with(&[drive(3, "")]);
    cut_in(&folder, "a", &line(&folder), 3, took - IN_THE_READ_BACK);
    let (flash, put_away) = (
        folder.path("bench.state/position-3.flash"),
        folder.path("first"),
    );
    fs::rename(&flash, &put_away).unwrap();
    bench(&folder, drive(3, "").replace("seed = 20", "seed = 77"));
    let run = run_in(&folder, "a", &write_line(&folder, 3, ""));
    assert_eq!(run.code, Some(0), "{run}");

    fs::copy(&put_away, &flash).unwrap();
    bench(&folder, drive(3, ""));
    let part = write_line(&folder, 3, "--range 0x4000-0x4fff --keep 0x4100-0x42ff");
    let run = run_in(&folder, "a", &part);
    assert_eq!(run.code, Some(4), "{run}");
    assert!(run.stderr.contains("cannot be told"), "{run}");
    assert!(folder.flash() == fs::read(&put_away).unwrap(), "{run}");
}

#[test]
fn a_backup_that_was_moved_is_asked_for_by_name_and_taken_under_its_new_one() {
    let folder = with(&[drive(3, "serial = \"S1\"")]);
    let line = write_line(&folder, 3, "--keep 0x4100-0x41ff");
    cut_in(
        &folder,
        "a",
        &format!("{line} --backup before.bin"),
        3,
        1_000_000,
    );
    fs::create_dir(folder.path("c")).unwrap();
    fs::rename(folder.path("a/before.bin"), folder.path("c/kept")).unwrap();
    let run = run_in(&folder, "b", &line);
    assert_eq!(run.code, Some(4), "{run}");
    let before = folder.path("a/before.bin").display().to_string();
    assert!(run.stderr.contains(&before), "{run}");
    assert!(run.stderr.contains("--backup FILE"), "{run}");
    assert!(run.stderr.contains("CRC-32"), "{run}");
    let run = run_in(&folder, "b", &format!("{line} --backup ../c/kept"));
    assert_eq!(run.code, Some(0), "{run}");
    assert!(folder.flash() == expected("--keep"), "{run}");
}

#[test]
fn what_is_read_from_an_unfinished_write_is_no_way_back() {
    let folder = with(&[drive(3, "serial = \"S1\"")]);
    let line = write_line(&folder, 3, "");
    cut_in(
        &folder,
        "a",
        &format!("{line} --backup before.bin"),
        3,
        1_000_000,
    );
    let before = folder.path("a/before.bin").display().to_string();

    let run = run_in(&folder, "b", "3 r /m /b dump.bin");
    assert_eq!(run.code, Some(0), "{run}");
    assert!(
        folder
            .text("b/dump.bin.txt")
            .contains("half_written = true"),
        "{run}"
    );

    let run = run_in(&folder, "b", "3 c");
    assert!(
        run.stdout.contains("To go on where that run ended:"),
        "{run}"
    );
    let image = folder.path("new.bin").display().to_string();
    assert!(run.stdout.contains(&format!("3 w /m {image}")), "{run}");
    assert!(run.stdout.contains(&before), "{run}");

    let run = run_in(&folder, "b", "3 e --yes");
    assert_eq!(run.code, Some(0), "{run}");
    assert!(run.stdout.contains(&format!("3 w /m /b {before}")), "{run}");
    let names: Vec<_> = fs::read_dir(folder.path("b")).unwrap().collect();
    assert_eq!(names.len(), 2, "the dump and its record alone: {names:?}");
}

#[test]
fn a_half_written_dump_is_called_so_and_leads_to_the_backup_from_before() {
    let folder = with(&[drive(3, "serial = \"S1\"")]);
    let line = write_line(&folder, 3, "");
    let first = format!("{line} --backup before.bin");
    cut_in(&folder, "a", &first, 3, 1_000_000);
    run_in(&folder, "b", "3 r /m /b dump.bin");
    let before = folder.path("a/before.bin").display().to_string();
    let told = |line: &str, code: i32| {
        let run = run_in(&folder, "b", line);
        assert_eq!(run.code, Some(code), "{run}");
        let what = "dump.bin was read from a flash whose write had not been finished";
        assert!(run.stderr.contains(what), "{run}");
        assert!(!run.stderr.contains("Get the file again"), "{run}");
        run
    };
    // Erased, as a write that is cut at first leaves it.
    let record = folder.text("b/dump.bin.txt");
    let old = crc32_in(&record);
    let new = mtkflash::image::Crc32::of(&BLANK).to_string();
    folder.write("b/dump.bin", BLANK);
    folder.write("b/dump.bin.txt", record.replace(&old, &new));
    let run = told("3 w /m /b dump.bin", 5);
    assert!(run.stderr.contains(&format!("3 w /m /b {before}")), "{run}");
    let run = told("i dump.bin", 5);
    assert!(run.stderr.contains(&format!("i {before}")), "{run}");
    // Gone with its note and its record.
    fs::remove_file(folder.path("a/before.bin")).unwrap();
    let run = told("3 w /m /b dump.bin", 5);
    assert!(!run.stderr.contains("before.bin"), "{run}");
}

/// As a record spells it.
fn crc32_in(record: &str) -> String {
    let line = record.lines().find(|line| line.starts_with("crc32"));
    line.unwrap().split('"').nth(1).unwrap().to_owned()
}

/// A blank drive says no name: that it is the one of the note is not known, and it
/// is not guessed.
#[test]
fn a_blank_drive_without_a_name_is_led_to_the_backup_that_was_noted_at_its_place() {
    let folder = with(&[drive(3, "serial = \"S1\"")]);
    let line = write_line(&folder, 3, "");
    let first = format!("{line} --backup before.bin");
    cut_in(&folder, "a", &first, 3, 1_000_000);
    let backup = folder.path("a/before.bin").display().to_string();
    fs::write(folder.flash_file(), BLANK).unwrap();
    let mut other = new_image();
    other[0x3_9000] ^= 0x10;
    folder.write("other.bin", &other);
    let other = line.replace("new.bin", "other.bin");

    let refused = |line: &str| {
        let run = run_in(&folder, "b", line);
        assert_eq!(run.code, Some(4), "{run}");
        assert!(folder.flash() == BLANK, "untouched: {run}");
        assert_eq!(fs::read_dir(folder.path("b")).unwrap().count(), 0, "{run}");
        assert!(run.stderr.contains(&backup), "{run}");
        assert!(run.stderr.contains(&format!("3 w /m /b {backup}")), "{run}");
        assert!(!run.stderr.contains("--no-backup"), "{run}");
        run
    };
    let goes_on = format!("3 w /m {}", folder.path("new.bin").display());
    let run = refused(&other);
    assert!(run.stderr.contains(&goes_on), "{run}");
    let run = refused(&line);
    assert!(!run.stderr.contains(&goes_on), "what was typed: {run}");

    let restore = format!("3 w /m /b {backup} --yes");
    let run = run_in(&folder, "b", &restore);
    assert_eq!(run.code, Some(0), "{run}");
    assert!(folder.flash() == old_image(), "{run}");
    let run = run_in(&folder, "b", &line);
    assert_eq!(run.code, Some(0), "{run}");
    assert!(folder.flash() == new_image(), "{run}");
    assert!(!run_in(&folder, "b", "3 c").stdout.contains("not finished"));
}

#[test]
fn a_blank_drive_that_its_user_knows_by_name_gets_its_image_with_the_backup_from_before() {
    let folder = with(&[drive(3, "serial = \"S1\"")]);
    let line = write_line(&folder, 3, "");
    let first = format!("{line} --backup before.bin");
    cut_in(&folder, "a", &first, 3, 1_000_000);
    fs::write(folder.flash_file(), BLANK).unwrap();
    let run = run_in(&folder, "b", &format!("{line} --force=interrupted"));
    assert_eq!(run.code, Some(0), "{run}");
    let before = folder.path("a/before.bin").display().to_string();
    assert!(run.stdout.contains(&before), "{run}");
    assert!(folder.flash() == new_image(), "{run}");
}

#[test]
fn a_flash_that_was_compared_and_holds_the_image_ends_the_write_of_it() {
    for serial in ["serial = \"S1\"", ""] {
        let folder = with(&[drive(3, serial)]);
        let line = write_line(&folder, 3, "");
        run_in(&folder, "a", &line.replace("--yes", "--dry-run"));
        let before = operations(&folder, 3);
        run_in(&folder, "a", &line);
        let took = operations(&folder, 3) - before;
        let folder = with(&[drive(3, serial)]);
        let line = write_line(&folder, 3, "");
        cut_in(&folder, "a", &line, 3, took - 3000);
        assert!(folder.flash() == new_image());
        let image = folder.path("new.bin");
        let verify = format!("3 v /m {}", image.display());
        let run = run_in(&folder, "b", &verify);
        assert!(run.stdout.contains("may be a mixture"), "{run}");
        assert!(run.stdout.contains("is finished, then"), "{run}");
        let run = run_in(&folder, "b", "3 c");
        assert!(!run.stdout.contains("not finished"), "{run}");
        let run = run_in(&folder, "b", "3 r /m /b dump.bin");
        assert!(!run.stdout.contains("no backup"), "{run}");
    }
}

#[test]
fn no_change_is_begun_that_cannot_be_noted() {
    let folder = with(&[drive(3, "serial = \"S1\"")]);
    let line = write_line(&folder, 3, "");
    run_in(&folder, "a", "3 c");
    let journal = folder.path("bench.state/journal");
    fs::create_dir_all(&journal).unwrap();
    let permit = |mode| fs::set_permissions(&journal, fs::Permissions::from_mode(mode)).unwrap();
    permit(0o777);
    let run = run_in(&folder, "a", &line);
    assert_eq!(run.code, Some(4), "{run}");
    assert!(run.stderr.contains("chmod go-w"), "{run}");
    assert!(folder.flash() == old_image());
    fs::remove_dir(&journal).unwrap();
    fs::write(&journal, "in the way").unwrap();
    let run = run_in(&folder, "a", &line);
    assert_eq!(run.code, Some(4), "{run}");
    assert!(folder.flash() == old_image());
    fs::remove_file(&journal).unwrap();
    assert_eq!(run_in(&folder, "a", &line).code, Some(0));
}

#[test]
fn an_answer_of_no_leaves_one_backup_however_often_it_is_given() {
    let folder = with(&[drive(3, "serial = \"S1\"")]);
    for answer in ["no\n", "\n", "NO\n"] {
        let (shown, code) = folder.at_terminal("3 w /m new.bin", answer);
        assert_eq!(code, Some(130), "{shown}");
        assert!(shown.contains("Type YES to go on"), "{shown}");
        assert!(folder.flash() == old_image(), "{shown}");
    }
    let backup = folder.backup();
    assert_eq!(folder.read(&backup), old_image());
    assert!(folder.holds(&format!("{backup}.txt")));
}

#[test]
fn the_same_part_written_again_into_the_same_flash_has_one_backup() {
    let folder = with(&[drive(3, "serial = \"S1\"")]);
    let line = write_line(&folder, 3, "--range 0x4100-0x41ff");
    for _ in 0..3 {
        let run = run_in(&folder, "a", &line);
        assert_eq!(run.code, Some(0), "{run}");
        fs::write(folder.flash_file(), old_image()).unwrap();
    }
    let names = fs::read_dir(folder.path("a")).unwrap().count();
    assert_eq!(names, 2, "one backup and its record");
}

#[test]
fn a_byte_that_the_chip_refuses_twice_is_worn_and_the_same_is_not_advised_again() {
    let folder = with(&[drive(3, "serial = \"S1\"")]);
    let sound = folder.text("bench.toml");
    let fault = "[[drive.fault]]\nkind = \"stuck\"\nat = 0x22345\n";
    bench(&folder, format!("{sound}{fault}"));
    let line = write_line(&folder, 3, "--backup before.bin");
    let again = "goes on where this run ended";
    let run = run_in(&folder, "a", &line);
    assert_eq!(run.code, Some(7), "{run}");
    assert!(run.stderr.contains(again), "{run}");
    let run = run_in(&folder, "a", &line);
    assert_eq!(run.code, Some(7), "{run}");
    // What the first run has begun is not as before, though this one did not reach it.
    let banks = "banks 2-3 are perhaps half-written; banks 0-1 are as before";
    assert!(run.stderr.contains(banks), "{run}");
    assert!(
        run.stderr.contains("worn out there, or write-protected"),
        "{run}"
    );
    assert!(!run.stderr.contains(again), "{run}");
    // The backup wants a byte of the chip there, too.
    assert!(!run.stderr.contains("3 w /m /b before.bin"), "{run}");
    bench(&folder, sound);
    let run = run_in(&folder, "a", &line);
    assert_eq!(run.code, Some(0), "{run}");
    assert!(folder.flash() == new_image(), "{run}");
}

#[test]
fn a_byte_that_a_serial_chip_did_not_take_is_gone_on_with_also_without_a_serial_number() {
    let folder = with(&[drive(3, "").replace("SST39SF020", "W25P20")]);
    let sound = folder.text("bench.toml");
    let original = {
        run_in(&folder, "a", "3 r /m /b original.bin");
        fs::read(folder.path("a/original.bin")).unwrap()
    };
    let fault = "[[drive.fault]]\nkind = \"stuck\"\nat = 0x22345\n";
    bench(&folder, format!("{sound}{fault}"));
    let line = write_line(&folder, 3, "--keep 0x4100-0x41ff");
    let run = run_in(&folder, "a", &line);
    assert_eq!(run.code, Some(8), "{run}");
    assert!(run.stderr.contains("goes on where this run ended"), "{run}");
    bench(&folder, sound);
    let run = run_in(&folder, "b", &line);
    assert_eq!(run.code, Some(0), "{run}");
    assert!(folder.flash()[KEPT] == original[KEPT], "{run}");
    let mut expected = new_image();
    expected[KEPT].copy_from_slice(&original[KEPT]);
    assert!(folder.flash() == expected, "{run}");
}

#[test]
fn a_twin_with_blank_bytes_of_its_own_is_not_what_a_chip_has_left_that_did_not_take_a_byte() {
    let folder = with(&[drive(3, "").replace("SST39SF020", "W25P20")]);
    let sound = folder.text("bench.toml");
    run_in(&folder, "a", "3 c");
    let mut twin = folder.flash();
    let fault = "[[drive.fault]]\nkind = \"stuck\"\nat = 0x22345\n";
    bench(&folder, format!("{sound}{fault}"));
    let line = write_line(&folder, 3, "--keep 0x38100-0x381ff");
    let run = run_in(&folder, "a", &line);
    assert_eq!(run.code, Some(8), "{run}");
    bench(&folder, sound);
    twin[0x3_8100..0x3_8180].fill(0xFF);
    fs::write(folder.flash_file(), &twin).unwrap();
    let run = run_in(&folder, "a", &line);
    assert_eq!(run.code, Some(4), "{run}");
    assert!(folder.flash() == twin, "{run}");
}

#[test]
fn a_run_that_finds_all_of_it_done_ends_the_write_and_names_the_backup_of_before() {
    let folder = with(&[drive(3, "serial = \"S1\"")]);
    let line = write_line(&folder, 3, "--backup before.bin");
    let operations = {
        let trial = with(&[drive(3, "serial = \"S1\"")]);
        run_in(
            &trial,
            "a",
            &line.replace(
                folder.path("").to_str().unwrap(),
                trial.path("").to_str().unwrap(),
            ),
        );
        self::operations(&trial, 3)
    };
    let sound = folder.text("bench.toml");
    bench(
        &folder,
        format!(
            "{sound}[[drive.fault]]\nkind = \"power-cut\"\noperation = {}\n",
            operations - 20_000
        ),
    );
    let run = run_in(&folder, "a", &line);
    assert_eq!(run.code, Some(7), "{run}");
    assert!(folder.flash() == new_image(), "cut in the read-back: {run}");
    bench(&folder, sound);
    let run = run_in(&folder, "a", &line);
    assert_eq!(run.code, Some(0), "{run}");
    assert!(
        run.stdout.contains("made before this write was begun"),
        "{run}"
    );
    assert!(
        run.stdout
            .contains("To go back to what was in the flash before"),
        "{run}"
    );
    let run = run_in(&folder, "a", "3 c");
    assert!(!run.stderr.contains("not finished"), "{run}");
}

#[test]
fn a_way_back_that_failed_at_the_worn_byte_is_not_offered_again() {
    let folder = with(&[drive(3, "serial = \"S1\"")]);
    let sound = folder.text("bench.toml");
    let fault = "[[drive.fault]]\nkind = \"stuck\"\nat = 0x22345\n";
    bench(&folder, format!("{sound}{fault}"));
    run_in(&folder, "a", &write_line(&folder, 3, "--backup before.bin"));
    // By its name here, and by another one.
    for back in ["before.bin", "./before.bin"] {
        let run = run_in(&folder, "a", &format!("3 w /m /b {back} --yes"));
        assert_eq!(run.code, Some(7), "{run}");
        assert!(run.stderr.contains("only another chip helps"), "{run}");
        assert!(!run.stderr.contains("w /m /b"), "{run}");
    }
}

#[test]
fn a_run_that_ends_before_the_half_written_flash_of_another_says_to_leave_the_drive_on() {
    let still = "What an earlier run has begun is still unfinished";
    for backup in ["", "--no-backup"] {
        let folder = with(&[drive(3, "serial = \"S1\"")]);
        let sound = folder.text("bench.toml");
        folder.write("other.bin", image_of("SONY", "DVD RW DW-D22A", "BYS1"));
        let line = format!("3 w /m new.bin {backup}");
        let (screen, _) = folder.at_terminal(&line, "no\n");
        assert!(!screen.contains(still), "{screen}");
        let fault = "[[drive.fault]]\nkind = \"stuck\"\nat = 0x22345\n";
        bench(&folder, format!("{sound}{fault}"));
        folder.fails(&format!("{line} --yes"), 7);
        let (screen, code) = folder.at_terminal(&line, "no\n");
        assert_eq!(code, Some(130), "{screen}");
        assert!(screen.contains(still), "{screen}");
        let refused = folder.fails("3 w /m other.bin --yes --quiet --json", 4);
        let object: serde_json::Value = serde_json::from_str(&refused.stdout).unwrap();
        let flash = &object["drives"][0]["flash"];
        assert_eq!(flash["state"], "unchanged", "{refused}");
        assert!(flash["text"].as_str().unwrap().contains(still), "{refused}");
        bench(&folder, &sound);
        folder.done(&format!("{line} --yes"));
        let refused = folder.fails("3 w /m other.bin --yes", 4);
        assert!(!refused.stderr.contains(still), "{refused}");
    }
}

#[test]
fn what_stands_in_the_place_of_a_note_is_named_and_stays() {
    let folder = with(&[drive(3, "serial = \"S1\"")]);
    let line = write_line(&folder, 3, "--no-backup");
    cut_in(&folder, "a", &line, 3, 1_000_000);
    let journal = folder.path("bench.state/journal");
    let mut notes = fs::read_dir(&journal).unwrap().flatten();
    let note = notes.find(|entry| entry.path().extension().is_some_and(|of| of == "toml"));
    let note = note.unwrap().path();
    fs::remove_file(&note).unwrap();
    fs::write(folder.flash_file(), old_image()).unwrap();
    nix::unistd::mkfifo(&note, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let run = run_in(&folder, "b", &line);
    assert_eq!(run.code, Some(0), "{run}");
    assert!(run.stdout.contains(&note.display().to_string()), "{run}");
    assert!(fs::symlink_metadata(&note).is_ok(), "{run}");
    assert!(folder.flash() == new_image(), "{run}");
}

#[test]
fn twins_of_one_serial_number_that_were_both_cut_off_find_their_own_notes() {
    let serial = "serial = \"DUP1\"\n";
    let other = drive(3, serial).replace("seed = 20", "seed = 77");
    let folder = with(&[drive(1, serial), other]);
    let line = |position| write_line(&folder, position, "--keep 0x4100-0x41ff");
    run_in(&folder, "a", "1 c");
    run_in(&folder, "a", "3 c");
    let held = [folder.flash_of(1), folder.flash_of(3)];
    let cut = || {
        for position in [1, 3] {
            cut_in(&folder, "a", &line(position), position, 1_000_000);
        }
    };
    cut();
    for (position, held) in [1, 3].into_iter().zip(&held) {
        let run = run_in(&folder, "b", &line(position));
        assert_eq!(run.code, Some(0), "{run}");
        assert!(run.stdout.contains("Resumed"), "{run}");
        let flash = folder.flash_of(position);
        assert!(flash[KEPT] == held[KEPT], "{run}");
        assert!(flash[KEPT.end..] == new_image()[KEPT.end..], "{run}");
    }
}

#[test]
fn what_a_record_alone_speaks_of_is_not_called_a_mixture_before_the_flash_is_read() {
    let folder = with(&[drive(3, "serial = \"S1\"")]);
    let line = write_line(&folder, 3, "");
    cut_in(&folder, "a", &line, 3, 1_000_000);
    assert!(run_in(&folder, "a", "3 c").stdout.contains("a mixture now"));
    fs::remove_dir_all(folder.path("bench.state/journal")).unwrap();
    let run = run_in(&folder, "a", "3 c");
    assert!(
        run.stdout.contains("this machine has no note of it"),
        "{run}"
    );
    assert!(!run.stdout.contains("a mixture now"), "{run}");
}

#[test]
fn a_file_that_is_not_the_backup_that_is_asked_for_is_called_what_it_is() {
    let folder = with(&[drive(3, "serial = \"S1\"")]);
    let line = write_line(&folder, 3, "--keep 0x4100-0x41ff");
    let first = format!("{line} --backup before.bin");
    cut_in(&folder, "a", &first, 3, 1_000_000);
    let backup = folder.read("a/before.bin");
    folder.write("b/before.gz", gzip("before.bin", &backup));
    fs::rename(folder.path("a/before.bin"), folder.path("put-away")).unwrap();
    folder.write(
        "b/other.bin",
        image_of("LITE-ON", "DVD-ROM SIM-300X", "XX01"),
    );
    for (file, what) in [
        ("before.gz", "it is a file packed by gzip"),
        ("other.bin", "its CRC-32 is"),
    ] {
        let run = run_in(&folder, "b", &format!("{line} --backup {file}"));
        assert_eq!(run.code, Some(4), "{run}");
        let told = format!("{file} is not that backup: {what}");
        assert!(run.stderr.contains(&told), "{run}");
        assert!(run.stderr.contains("--backup FILE"), "{run}");
    }
    // Who does without that backup is not asked for it once more.
    let forced = format!("{line} --backup other.bin --force=interrupted");
    let run = run_in(&folder, "b", &forced);
    assert_eq!(run.code, Some(4), "{run}");
    assert!(run.stderr.contains("exists already"), "{run}");
    let run = run_in(&folder, "b", &format!("{line} --backup ../put-away"));
    assert_eq!(run.code, Some(0), "{run}");
    assert!(folder.flash() == expected("--keep"), "{run}");
}

#[test]
fn a_record_without_its_backup_asks_for_that_where_there_is_no_note() {
    for serial in ["serial = \"S1\"", ""] {
        let folder = with(&[drive(3, serial)]);
        let line = write_line(&folder, 3, "--keep 0x4100-0x41ff");
        let first = format!("{line} --backup before.bin");
        cut_in(&folder, "a", &first, 3, 1_000_000);
        fs::remove_dir_all(folder.path("bench.state/journal")).unwrap();
        fs::rename(folder.path("a/before.bin"), folder.path("put-away")).unwrap();
        let run = run_in(&folder, "a", &line);
        assert_eq!(run.code, Some(4), "{run}");
        assert!(run.stderr.contains("before.bin"), "{run}");
        assert!(run.stderr.contains("--backup FILE"), "{run}");
        let run = run_in(&folder, "a", &format!("{line} --backup ../put-away"));
        assert_eq!(run.code, Some(0), "{run}");
        assert!(folder.flash() == expected("--keep"), "{run}");
    }
}

#[test]
fn what_was_read_of_a_damaged_flash_is_called_so_and_is_no_way_back() {
    let folder = with(&[drive(3, "serial = \"S1\"")]);
    let mut damaged = old_image();
    damaged[..0x100].fill(0xFF);
    folder.write("damaged.bin", &damaged);
    folder.done("3 w /m damaged.bin --no-backup --force=structure --yes");
    let run = folder.done("3 r /m /b dump.bin");
    assert!(run.stdout.contains("in the flash looks damaged"), "{run}");
    let run = folder.fails("i dump.bin", 5);
    assert!(run.stderr.contains("so the flash was"), "{run}");
    assert!(!run.stderr.contains("Get the file again"), "{run}");
    folder.done("3 w /m new.bin --no-backup --yes");
    let run = folder.fails("3 v /m dump.bin", 8);
    assert!(run.stderr.contains("no file to write into"), "{run}");
    folder.done("3 w /m damaged.bin --no-backup --force=structure --yes");
    let run = folder.done("3 w /m new.bin --keep 0x4100-0x41ff --yes");
    assert!(run.stdout.contains("may be so, too"), "{run}");
    assert!(run.stdout.contains("and is no way back"), "{run}");
    assert!(!run.stdout.contains("To go back"), "{run}");
}

#[test]
fn a_dump_of_the_drive_under_its_old_name_is_said_to_be_that() {
    let folder = with(&[drive(3, "serial = \"S1\"")]);
    let other = image_of("LITE-ON", "DVD-ROM SIM-300X", "XX01");
    folder.write("other.bin", &other);
    let run = folder.done("3 w /m other.bin --force=model --backup own.bin --yes");
    assert!(run.stdout.contains("calls itself otherwise"), "{run}");
    let renamed = folder.text("bench.toml").replace("SIM-256P", "SIM-300X");
    bench(&folder, renamed);
    let run = folder.fails("3 w /m /b own.bin --no-backup --yes", 4);
    let told = "from a drive that called itself LITE-ON DVD-ROM SIM-256P, serial S1.";
    assert!(run.stderr.contains(told), "{run}");
    assert!(run.stderr.contains("name of the check: model"), "{run}");
    folder.done("3 w /m /b own.bin --no-backup --force=model --yes");
    assert!(folder.flash() == old_image());
}

#[test]
fn who_has_put_the_backup_back_has_nothing_left_to_go_back_to() {
    let folder = with(&[drive(3, "serial = \"S1\"")]);
    let line = write_line(&folder, 3, "--backup before.bin");
    cut_in(&folder, "a", &line, 3, 1_000_000);
    let run = run_in(&folder, "a", "3 w /m /b before.bin --yes");
    assert_eq!(run.code, Some(0), "{run}");
    assert!(folder.flash() == old_image(), "{run}");
    assert!(run.stdout.contains("nothing left to go back to"), "{run}");
    assert!(!run.stdout.contains("w /m /b before.bin"), "{run}");
}

/// A write with `--keep` that was cut off, whose backup was moved.
fn with_moved_backup() -> (Folder, String) {
    let folder = with(&[drive(3, "serial = \"S1\"")]);
    let line = write_line(&folder, 3, "--keep 0x4100-0x41ff");
    let with_backup = format!("{line} --backup before.bin");
    cut_in(&folder, "a", &with_backup, 3, 1_000_000);
    fs::rename(folder.path("a/before.bin"), folder.path("b/moved.bin")).unwrap();
    (folder, line)
}

#[test]
fn a_drive_whose_backup_was_moved_is_told_the_line_that_names_it() {
    let (folder, line) = with_moved_backup();
    for look in ["3 c", "3 r /m /b dump.bin"] {
        let run = run_in(&folder, "a", look);
        let told = "--backup FILE --keep 0x4100-0x41ff";
        assert!(run.stdout.contains(told), "{run}");
    }
    fs::remove_file(folder.path("a/dump.bin")).unwrap();
    fs::remove_file(folder.path("a/dump.bin.txt")).unwrap();
    let run = run_in(&folder, "a", &format!("{line} --backup ../b/moved.bin"));
    assert_eq!(run.code, Some(0), "{run}");
    assert!(folder.flash() == expected("--keep"));
    // The record that lies where the backup was says nothing more either.
    for sub in ["a", "b"] {
        let run = run_in(&folder, sub, "3 c");
        assert!(!run.stdout.contains("not finished"), "{run}");
    }
}

#[test]
fn a_moved_backup_that_is_the_image_is_found_by_that() {
    let (folder, _) = with_moved_backup();
    let back = "3 w /m ../b/moved.bin --yes";
    let run = run_in(&folder, "a", &format!("{back} --keep 0x4000-0x5fff"));
    assert_eq!(run.code, Some(4), "{run}");
    assert!(!run.stderr.contains("--backup FILE"), "{run}");
    assert_eq!(run_in(&folder, "a", back).code, Some(0));
    assert!(folder.flash() == old_image());
}

#[test]
fn who_can_do_without_a_lost_backup_is_not_asked_for_it_again() {
    let (folder, line) = with_moved_backup();
    fs::remove_file(folder.path("b/moved.bin")).unwrap();
    assert_eq!(run_in(&folder, "a", &line).code, Some(4));
    let run = run_in(&folder, "a", &format!("{line} --force=interrupted"));
    assert_eq!(run.code, Some(0), "{run}");
    for again in ["3 c", line.as_str()] {
        let run = run_in(&folder, "a", again);
        assert_eq!(run.code, Some(0), "{run}");
        assert!(!run.stdout.contains("not finished"), "{run}");
    }
}

#[test]
fn a_backup_on_a_disk_that_takes_no_files_is_gone_on_with() {
    let folder = with(&[drive(3, "serial = \"S1\"")]);
    let line = write_line(&folder, 3, "--keep 0x4100-0x41ff --backup ../b/before.bin");
    cut_in(&folder, "a", &line, 3, 1_000_000);
    // Root may write into any folder of a disk that may be written.
    let read_only = |then: &str| {
        let script = format!("mount --bind ../b ../b && mount -o remount,bind,ro ../b && {then}");
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script]);
        command.arg(env!("CARGO_BIN_EXE_mtkflash"));
        command.args(line.split_whitespace()).arg("--sim");
        command.arg(folder.path("bench.toml"));
        command.current_dir(folder.path("a")).stdin(Stdio::null());
        command.output()
    };
    if !read_only("! touch ../b/x").is_ok_and(|output| output.status.success()) {
        return left_out("unshare", "no user namespace with a disk of its own here");
    }
    let run = Run::of(&line, read_only("exec \"$0\" \"$@\"").unwrap());
    assert_eq!(run.code, Some(0), "{run}");
    assert!(folder.flash() == expected("--keep"));
}

#[test]
fn a_backup_that_wants_another_byte_where_the_chip_is_worn_is_no_way_back() {
    let folder = with(&[drive(3, "serial = \"S1\"")]);
    let sound = folder.text("bench.toml");
    // What is kept there the chip does not take again once it was erased.
    let fault = "[[drive.fault]]\nkind = \"stuck\"\nat = 0x4150\n";
    bench(&folder, format!("{sound}{fault}"));
    let line = write_line(&folder, 3, "--keep 0x4100-0x41ff --backup before.bin");
    for _ in 0..2 {
        assert_eq!(run_in(&folder, "a", &line).code, Some(7));
    }
    let run = run_in(&folder, "a", &line);
    assert!(run.stderr.contains("ends there, too"), "{run}");
    assert!(!run.stderr.contains("3 w /m /b before.bin"), "{run}");
}

#[test]
fn a_change_of_a_part_that_is_found_done_is_over_also_without_its_backup() {
    let folder = with(&[drive(3, "serial = \"S1\"")]);
    let line = write_line(&folder, 3, "--range 0x4000-0x5fff");
    let operations = {
        cut_in(
            &folder,
            "a",
            &format!("{line} --backup before.bin"),
            3,
            3000,
        );
        fs::write(folder.flash_file(), {
            let mut flash = old_image();
            flash[0x4000..0x6000].copy_from_slice(&new_image()[0x4000..0x6000]);
            flash
        })
    };
    operations.unwrap();
    fs::rename(folder.path("a/before.bin"), folder.path("b/moved.bin")).unwrap();
    fs::remove_file(folder.path("a/before.bin.txt")).unwrap();
    let named = run_in(
        &folder,
        "a",
        &format!("{line} --dry-run --backup ../b/moved.bin"),
    );
    let back = "3 w /m /b ../b/moved.bin --range 0x4000-0x5fff";
    assert!(named.stdout.contains(back), "{named}");
    let run = run_in(&folder, "a", &line);
    assert!(run.stdout.contains("Nothing to do"), "{run}");
    assert!(!run_in(&folder, "a", "3 c").stdout.contains("not finished"));
}

#[test]
fn a_dump_that_is_perhaps_a_mixture_is_no_file_that_a_comparison_leads_to_write() {
    let folder = with(&[drive(3, "serial = \"S1\"")]);
    let line = write_line(&folder, 3, "--backup before.bin");
    cut_in(&folder, "a", &line, 3, 1_000_000);
    run_in(&folder, "a", "3 r /m /b dump.bin");
    assert_eq!(
        run_in(&folder, "a", "3 w /m before.bin --yes").code,
        Some(0)
    );
    let run = run_in(&folder, "a", "3 v /m dump.bin");
    assert_eq!(run.code, Some(8), "{run}");
    assert!(run.stderr.contains("It is no file to write"), "{run}");
    assert!(!run.stderr.contains("3 w /m dump.bin"), "{run}");
}

#[test]
fn a_moved_backup_guards_what_was_to_be_kept_as_one_in_its_place_does() {
    let (folder, _) = with_moved_backup();
    let part = write_line(&folder, 3, "--banks 0");
    let held = folder.flash();
    for more in ["", " --no-backup"] {
        let run = run_in(&folder, "a", &format!("{part}{more}"));
        assert_eq!(run.code, Some(4), "{run}");
        assert!(run.stderr.contains("--backup FILE"), "{run}");
    }
    assert!(folder.flash() == held);
}
