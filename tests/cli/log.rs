//! The log of every run.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use crate::folder::{Folder, new_image, old_image, patched_image};
use crate::interruptions::{Stream, held};

const LOG: &str = "bench.state/log/mtkflash.log";

#[test]
fn a_run_leaves_what_was_typed_what_was_sent_and_how_it_ended() {
    let folder = Folder::with_bench("sst39sf020.toml");
    folder.write("image.bin", patched_image());
    folder.done("3 w /m image.bin --yes --via port");
    let log = folder.text(LOG);
    for part in [
        concat!("mtkflash ", env!("CARGO_PKG_VERSION"), ", Linux "),
        ": mtkflash 3 w /m image.bin",
        " 3  command 80 lba-low 2a: status 70",
        " more like it: ",
        "SST39SF020",
        "Plan      erase 2 sectors",
        "\"event\":\"bank-done\"",
        "exit 0: done",
    ] {
        assert!(log.contains(part), "{part}\n{log}");
    }
    assert_eq!(
        fs::metadata(folder.path(LOG)).unwrap().mode() & 0o777,
        0o600
    );
}

#[test]
fn every_byte_that_is_read_is_in_the_log_as_a_count_and_none_as_a_byte() {
    let folder = Folder::with_bench("dw-d22a.toml");
    folder.done("3 r /m /b dump.bin --via port");
    let log = folder.text(LOG);
    assert!(log.len() < 100_000, "{} bytes", log.len());
    let dump = folder.read("dump.bin");
    assert!(!log.contains(&hex(&dump[0x100..0x108])));
    let counted: u64 = log
        .lines()
        .filter(|line| line.contains(" more like it: the last command 00 "))
        .filter_map(|line| line.split_once(" more like it")?.0.split(' ').next_back())
        .map(|count| count.parse::<u64>().unwrap())
        .sum();
    let bytes = dump.len() as u64;
    assert!(counted >= 2 * bytes, "{counted} reads of {bytes} bytes");
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    digits.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_log_that_was_named_tells_also_of_a_run_that_failed_before_its_drive_was_looked_for() {
    for line in [
        "3 w /m text.bin",
        "3 w /m image.bin",
        "3 r /m /b nodir/x",
        "3 c --via sg --protocol nonsense",
    ] {
        let folder = Folder::with_bench("sst39sf020.toml");
        folder.write("image.bin", patched_image());
        folder.write("text.bin", "hello");
        let run = folder.run(&format!("{line} --log L"));
        assert_ne!(run.code, Some(0), "{run}");
        assert!(run.stderr.contains("Log       L"), "{run}");
        let log = folder.text("L");
        assert!(log.contains(line) && log.contains("mtkflash: "), "{log}");
        assert!(log.contains("exit "), "{log}");
    }
}

#[test]
fn a_failure_ends_in_where_its_log_is_and_the_log_in_the_failure() {
    let folder = Folder::with_bench("sst39sf020.toml");
    folder.write("image.bin", new_image());
    let run = folder.fails("3 w /m image.bin", 4);
    assert!(!run.stderr.contains("Log "), "nothing was sent yet: {run}");
    let run = folder.fails("3 v /m image.bin --via port", 8);
    let last = run.stderr.lines().last().unwrap();
    assert_eq!(last, format!("Log       {LOG}"));
    let log = folder.text(LOG);
    assert!(log.contains("The flash differs from the file"), "{log}");
    assert!(
        log.trim_end()
            .ends_with("exit 8: verify found a difference")
    );
}

#[test]
fn what_a_drive_complained_of_is_there_in_words_and_in_bytes() {
    let folder = Folder::with_bench("refused.toml");
    folder.fails("3 c --via port", 6);
    let log = folder.text(LOG);
    assert!(log.contains("command 80 lba-low 2a: status "), "{log}");
    let folder = Folder::with_bench("mt1939-gaps.toml");
    folder.run("3 r /m /b dump.bin");
    let log = folder.text(LOG);
    assert!(log.contains("(READ BUFFER), in "), "{log}");
    assert!(log.contains("illegal request: "), "{log}");
    assert!(log.contains(", sense 7"), "{log}");
}

#[test]
fn every_run_adds_to_the_same_file_and_another_can_be_named_or_none() {
    let folder = Folder::with_bench("sst39sf020.toml");
    folder.done("3 c");
    folder.done("3 c");
    let runs = |name: &str| folder.text(name).matches("exit 0: done").count();
    assert_eq!(runs(LOG), 2);
    folder.done("3 c --log mine.log");
    assert_eq!((runs("mine.log"), runs(LOG)), (1, 2));
    folder.done("3 c --log mine.log");
    assert_eq!(runs("mine.log"), 2);
    folder.done("3 c --no-log");
    assert_eq!(runs(LOG), 2);
    let run = folder.fails("3 v /m old.bin --log mine.log --no-log", 2);
    assert!(
        run.stderr
            .contains("--log and --no-log contradict each other"),
        "{run}"
    );
}

#[test]
fn a_log_that_cannot_be_written_is_a_warning_and_no_failure() {
    let folder = Folder::with_bench("sst39sf020.toml");
    folder.write("backup.bin", old_image());
    fs::create_dir(folder.path("folder")).unwrap();
    for name in [
        "backup.bin",
        "folder",
        "nowhere/",
        "/dev/stdout",
        "/proc/x.log",
    ] {
        let run = folder.done(&format!("3 c --log {name}"));
        let warning = run.stderr.lines().find(|line| line.contains("no log"));
        assert!(
            warning.is_some_and(|line| line.contains(name)),
            "{name}: {run}"
        );
    }
    assert_eq!(folder.read("backup.bin"), old_image());
}

#[test]
fn a_log_where_others_make_names_is_not_written_through_a_link() {
    let folder = Folder::with_bench("sst39sf020.toml");
    folder.write("kept", "");
    fs::create_dir(folder.path("shared")).unwrap();
    fs::set_permissions(folder.path("shared"), fs::Permissions::from_mode(0o777)).unwrap();
    symlink("../kept", folder.path("shared/x.log")).unwrap();
    let run = folder.done("3 c --log shared/x.log");
    assert!(run.stderr.contains("no log"), "{run}");
    assert_eq!(folder.text("kept"), "");
}

#[test]
fn a_run_that_is_killed_has_left_what_it_did() {
    let folder = Folder::with_bench("sst39sf020.toml");
    let run = held(&folder, "3 r /m /b dump.bin --via port", Stream::Stderr, 1);
    run.until(|| folder.holds(LOG) && folder.text(LOG).contains("IDENTIFY PACKET DEVICE"));
    run.kill();
    let log = folder.text(LOG);
    assert!(log.contains(": mtkflash 3 r /m /b dump.bin"), "{log}");
    assert!(!log.contains("exit "), "{log}");
}

#[test]
fn a_look_at_a_file_leaves_a_log_where_one_is_asked_for() {
    let folder = Folder::new();
    folder.write("new.bin", new_image());
    folder.done("i new.bin");
    folder.done("i new.bin --log here.log");
    assert!(folder.text("here.log").contains("i new.bin --log here.log"));
    assert!(folder.text("here.log").contains("exit 0"));
}
