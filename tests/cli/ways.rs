//! The way to a drive, where the one that is named leads nowhere or takes hours.

use std::os::unix::process::CommandExt;

use crate::folder::{Folder, Run, patched_image};

const BENCH: &str = "sst39sf020.toml";

#[test]
fn a_drive_without_a_packet_protocol_is_not_reached_by_sg() {
    let run = Folder::with_bench(BENCH).fails("3 c --via sg", 2);
    insta::assert_snapshot!(run.message());
}

#[test]
fn a_packet_protocol_does_not_go_by_registers() {
    let run = Folder::with_bench(BENCH).fails("3 c --via ata --protocol btc", 2);
    insta::assert_snapshot!(run.message());
}

#[test]
fn a_protocol_that_does_not_exist_is_answered_with_those_that_do() {
    let run = Folder::with_bench(BENCH).fails("3 c --protocol mtk", 2);
    insta::assert_snapshot!(run.message());
}

#[test]
fn a_read_that_would_take_hours_is_not_begun() {
    let folder = Folder::with_bench("native.toml");
    let run = folder.fails("3 r /m /b my_backup.bin", 4);
    insta::assert_snapshot!(run.message());
    assert_eq!(folder.files(), [""; 0]);
}

#[test]
fn a_write_that_would_take_hours_changes_nothing() {
    let folder = Folder::with_bench("native.toml");
    let before = folder.flash();
    folder.write("new.bin", patched_image());
    let run = folder.fails("3 w /m new.bin --yes", 4);
    insta::assert_snapshot!(run.message());
    assert_eq!(folder.flash(), before);
}

#[test]
fn checking_every_drive_is_asked_for() {
    let run = Folder::with_bench("four-drives.toml").fails("c", 4);
    insta::assert_snapshot!(run.message());
}

#[test]
fn commands_to_type_have_the_path_by_which_the_program_was_called() {
    let folder = Folder::with_bench("refused.toml");
    let called = |line: &str| {
        let mut command = folder.command(line);
        let output = command.arg0("./flash tools/mtkflash").output().unwrap();
        Run::of(line, output).stderr
    };
    for line in ["3 c", "3 r", "9 c"] {
        let told = called(line);
        let command = format!("'./flash tools/mtkflash' {}", &line[..1].replace('9', "l"));
        assert!(told.contains(&command), "{told}");
        assert!(!told.contains(" mtkflash 3"), "{told}");
    }
}

#[test]
fn a_drive_that_is_flashed_by_packets_is_not_asked_to_be_switched_off_for_vendor_mode() {
    for line in [
        "3 c --via ata",
        "3 c --via port --wait 8",
        "3 c --protocol vendor",
    ] {
        let folder = Folder::with_bench_and("tsst.toml", "");
        let run = folder.fails(line, 6);
        assert!(
            run.stderr.contains("by packets, not in vendor mode:\n"),
            "{run}"
        );
        let mut told = run.stderr.lines().rev().map(str::trim);
        let last = told.find(|line| !line.starts_with("Log "));
        assert_eq!(last, Some("mtkflash 3 c --sim bench.toml"));
    }
}

#[test]
fn a_protocol_that_is_not_the_drives_is_left_out_of_a_check() {
    let run = Folder::with_bench(BENCH).fails("3 c --protocol btc", 4);
    insta::assert_snapshot!(run.message());
}

#[test]
fn checking_every_drive_is_not_asked_for_where_none_goes_into_vendor_mode() {
    let folder = Folder::with_bench("tsst.toml");
    folder.done("c");
    folder.fails("c --via ata", 4);
    folder.fails("c --protocol vendor", 4);
}

#[test]
fn a_drive_that_cannot_be_read_is_written_without_a_backup() {
    let folder = Folder::with_bench("tsst.toml");
    insta::assert_snapshot!(folder.done("3 c").stdout);
    insta::assert_snapshot!(folder.fails("3 r /m /b dump.bin", 4).message());
}

#[test]
fn a_check_leads_to_the_way_of_reading_that_takes_minutes() {
    let folder = Folder::with_bench("native.toml");
    let run = folder.done("3 c");
    let read = run.stdout.lines().last().unwrap().trim();
    assert!(read.contains("--via port"), "{run}");
    folder.done(read.trim_start_matches("mtkflash "));
}
