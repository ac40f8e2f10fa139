//! Drives and cables that fail: every exit code with a true word about the
//! flash.

use std::sync::OnceLock;

use mtkflash::job::record::Record;

use crate::folder::{Folder, bys1, masked, new_image, old_image, patched_image};

const BENCH: &str = "sst39sf020.toml";

fn with_fault(fault: &str) -> Folder {
    let folder = Folder::with_bench_and(BENCH, &format!("\n[[drive.fault]]\n{fault}"));
    folder.write("new.bin", new_image());
    folder.write("patched.bin", patched_image());
    folder
}

/// A folder where this happens some commands after the write has begun.
fn in_the_write(name: &str, fault: &str, after: u64) -> Folder {
    let folder = Folder::with_bench(name);
    folder.write("new.bin", new_image());
    folder.done("3 w /m new.bin --dry-run");
    let operation = folder.counters().operations + after;
    let bench = folder.text("bench.toml");
    folder.write(
        "bench.toml",
        format!("{bench}\n[[drive.fault]]\n{fault}\noperation = {operation}\n"),
    );
    folder
}

#[test]
fn a_bit_that_flips_once_is_read_again_and_told() {
    let folder = with_fault("kind = \"flip\"\nat = 0x12345");
    let run = folder.done("3 r /m /b x.bin");
    assert_eq!(folder.read("x.bin"), old_image());
    insta::assert_snapshot!(run);
}

#[test]
fn a_flash_that_never_reads_the_same_twice_ends_with_6_and_leaves_no_file() {
    let folder = with_fault("kind = \"flip-rate\"\nrate = 0.1\nseed = 1");
    let run = folder.fails("3 r /m /b x.bin", 6);
    insta::assert_snapshot!(run);
    assert_eq!(folder.files(), ["new.bin", "patched.bin"]);
}

/// A drive of 1 MiB on a cable that flips a bit in every thousandth byte.
fn on_a_bad_cable() -> Folder {
    let fault = "\n[[drive.fault]]\nkind = \"flip-rate\"\nrate = 0.001\nseed = 2";
    Folder::with_bench_and("dw-d22a.toml", fault)
}

#[test]
fn a_dump_over_a_bad_cable_is_kept_and_said_to_be_no_backup() {
    let folder = on_a_bad_cable();
    let run = folder.done("3 r /m /b x.bin");
    assert!(folder.read("x.bin") != bys1(), "two reads were wrong alike");
    insta::assert_snapshot!(run.warning());
    let record = Record::beside(&folder.path("x.bin")).unwrap();
    assert!(record.disagreements > 1000, "{record:?}");
}

#[test]
fn a_write_over_a_bad_cable_changes_nothing_unless_forced() {
    let folder = on_a_bad_cable();
    let mut image = bys1();
    image[0x2_2345] ^= 0x10;
    folder.write("new.bin", &image);
    let run = folder.fails("3 w /m new.bin --yes", 4);
    insta::assert_snapshot!(run.message());
    folder.fails("3 w /m new.bin --yes --no-backup", 4);
    folder.fails("3 w /m new.bin --dry-run", 4);
    folder.fails("3 e --yes", 4);
    assert_eq!(folder.flash(), bys1());
    assert_eq!(folder.files(), ["new.bin"], "not even a backup");
    let run = folder.done("3 w /m new.bin --dry-run --force=unstable");
    insta::assert_snapshot!(run.warning());
}

#[test]
fn a_comparison_over_a_bad_cable_is_said_to_be_none_to_rely_on() {
    let folder = on_a_bad_cable();
    folder.write("same.bin", bys1());
    insta::assert_snapshot!(folder.run("3 v /m same.bin").warning());
    let mut other = bys1();
    other[0x2_2345] ^= 0x10;
    folder.write("other.bin", &other);
    let run = folder.fails("3 v /m other.bin", 8);
    insta::assert_snapshot!(run.message());
}

#[test]
fn a_bit_that_flips_once_is_told_before_a_write_and_kept_in_the_record() {
    let folder = with_fault("kind = \"flip\"\nat = 0x12345");
    let run = folder.done("3 w /m patched.bin --yes");
    insta::assert_snapshot!(run.warning());
    let record = Record::beside(&folder.path(&folder.backup())).unwrap();
    assert_eq!(record.disagreements, 1);
    assert_eq!(folder.flash(), patched_image());
}

#[test]
fn a_dump_that_was_read_over_a_bad_cable_is_written_with_a_warning() {
    let folder = Folder::with_bench(BENCH);
    folder.done("3 r /m /b x.bin");
    let mut dump = folder.read("x.bin");
    dump[0x1_2345] ^= 1;
    let sum = |bytes: &[u8]| mtkflash::image::Crc32::of(bytes).to_string();
    let record = folder.text("x.bin.txt");
    let record = record.replace(&sum(&folder.read("x.bin")), &sum(&dump));
    let record = record.replace("crc32 =", "disagreements = 4711\ncrc32 =");
    folder.write("x.bin.txt", record);
    folder.write("x.bin", dump);
    let run = folder.done("3 w /m x.bin --dry-run");
    insta::assert_snapshot!(run.warning());
}

#[test]
fn a_cable_that_is_pulled_while_reading_ends_with_6() {
    let folder = with_fault("kind = \"unplug\"\noperation = 200000");
    let run = folder.fails("3 r /m /b x.bin", 6);
    insta::assert_snapshot!(run.message());
    assert_eq!(folder.files(), ["new.bin", "patched.bin"]);
    folder.done("3 r /m /b x.bin");
    assert_eq!(folder.read("x.bin"), old_image());
}

#[test]
fn a_command_that_never_ends_is_called_a_time_out() {
    let folder = with_fault("kind = \"time-out\"\noperation = 5000");
    let run = folder.fails("3 r /m /b x.bin", 6);
    insta::assert_snapshot!(run.message());
}

#[test]
fn a_status_that_is_not_the_mode_status_is_told_with_its_value() {
    let folder = with_fault("kind = \"wrong-status\"\nstatus = 0x51\noperation = 5000");
    let run = folder.fails("3 r /m /b x.bin", 6);
    insta::assert_snapshot!(run.message());
}

#[test]
fn a_bridge_that_reports_an_error_is_no_success() {
    let folder = with_fault("kind = \"transport-error\"\noperation = 5000");
    let run = folder.fails("3 r /m /b x.bin", 6);
    insta::assert_snapshot!(run.message());
}

#[test]
fn a_drive_that_stays_busy_ends_the_job() {
    let folder = with_fault("kind = \"stuck-busy\"\noperation = 5000");
    let run = folder.fails("3 r /m /b x.bin", 6);
    insta::assert_snapshot!(run.message());
}

#[test]
fn a_cell_that_takes_no_program_ends_with_7_and_names_the_banks() {
    let folder = with_fault("kind = \"stuck\"\nat = 0x22345");
    let run = folder.fails("3 w /m patched.bin --yes", 7);
    insta::assert_snapshot!(run.message());
    let flash = folder.flash();
    assert_eq!(flash[..0x2_0000], old_image()[..0x2_0000]);
    assert_eq!(folder.read(&folder.backup()), old_image());
}

#[test]
fn a_cell_that_takes_the_program_at_the_second_time_is_written() {
    let folder = with_fault("kind = \"partial-program\"\nat = 0x22345");
    folder.done("3 w /m patched.bin --yes");
    assert_eq!(folder.flash(), patched_image());
}

#[test]
fn a_cell_that_does_not_erase_is_found_when_the_flash_is_read_back_and_ends_with_8() {
    // Nothing is programmed where FF is wanted, so only reading back can tell.
    let mut image = patched_image();
    image[0x2_2346] = 0xFF;
    let folder = with_fault("kind = \"weak-erase\"\nat = 0x22346");
    folder.write("patched.bin", &image);
    let run = folder.fails("3 w /m patched.bin --yes", 8);
    insta::assert_snapshot!(run.message());
    image[0x2_2346] = 0xFE;
    assert_eq!(folder.flash(), image);
}

#[test]
fn a_power_cut_in_the_write_ends_with_7_and_the_same_line_goes_on() {
    let folder = in_the_write(BENCH, "kind = \"power-cut\"", 200_000);
    let run = folder.fails("3 w /m new.bin --yes", 7);
    insta::assert_snapshot!(run.message());
    let flash = folder.flash();
    assert_ne!(flash, old_image());
    assert_ne!(flash, new_image());
    let run = folder.done("3 w /m new.bin --yes");
    assert!(
        run.stdout.contains("made before this write was begun"),
        "{run}"
    );
    assert_eq!(folder.flash(), new_image());
    assert_eq!(folder.read(&folder.backup()), old_image());
}

#[test]
fn a_drive_that_hangs_in_the_write_gets_one_advice() {
    let folder = in_the_write(BENCH, "kind = \"stuck-busy\"", 200_000);
    let run = folder.fails("3 w /m new.bin --yes", 7);
    let end = run.stderr.find("Warning").unwrap_or_default();
    insta::assert_snapshot!(masked(&run.stderr[end..]));
}

/// A serial drive, what it holds, and an image that needs a chip erase.
fn serial() -> (Folder, Vec<u8>, Vec<u8>) {
    let folder = Folder::with_bench("serial-72.toml");
    let old = folder.flash();
    let mut image = old.clone();
    image[0x1_8000..0x1_9000].fill(0x77);
    folder.write("new.bin", &image);
    (folder, old, image)
}

/// The power goes when the chip is blank and not one page is programmed yet.
fn erased_and_cut() -> (Folder, Vec<u8>, Vec<u8>) {
    static OPERATION: OnceLock<u64> = OnceLock::new();
    let cut_at = |folder: &Folder, operation: u64| {
        let bench = folder.text("bench.toml");
        let fault = "[[drive.fault]]\nkind = \"power-cut\"";
        folder.write(
            "bench.toml",
            format!("{bench}\n{fault}\noperation = {operation}\n"),
        );
        folder.run("3 w /m new.bin --yes");
        folder.flash().iter().all(|byte| *byte == 0xFF)
    };
    let operation = OPERATION.get_or_init(|| {
        let (folder, _, _) = serial();
        folder.done("3 w /m new.bin --dry-run");
        let before = folder.counters().operations;
        let blank = (before..before + 100).find(|operation| {
            let (folder, _, _) = serial();
            cut_at(&folder, *operation)
        });
        blank.unwrap()
    });
    let (folder, old, image) = serial();
    assert!(cut_at(&folder, *operation), "the flash is not blank");
    (folder, old, image)
}

#[test]
fn a_write_that_left_the_flash_blank_goes_on_with_the_same_line() {
    let (folder, old, image) = erased_and_cut();
    folder.done("3 w /m new.bin --yes");
    assert_eq!(folder.flash(), image);
    assert_eq!(folder.read(&folder.backup()), old);
}

#[test]
fn a_write_goes_on_with_the_same_line_when_the_drive_no_longer_says_who_it_is() {
    let (folder, old, image) = erased_and_cut();
    let bench = folder.text("bench.toml");
    folder.write(
        "bench.toml",
        bench.replace("position = 3", "position = 3\ninquiry_fails = true"),
    );
    let run = folder.done("3 w /m new.bin --yes");
    insta::assert_snapshot!(masked(&run.stdout));
    assert_eq!(folder.flash(), image);
    assert_eq!(folder.read(&folder.backup()), old);
}

#[test]
fn a_blank_flash_without_an_earlier_backup_is_not_taken_for_an_interrupted_write() {
    let (folder, _, _) = erased_and_cut();
    std::fs::remove_file(folder.path(&folder.backup())).unwrap();
    folder.fails("3 w /m new.bin --yes", 4);
}

#[test]
fn an_earlier_backup_that_was_changed_since_is_not_relied_on() {
    let (folder, _, _) = erased_and_cut();
    let name = folder.backup();
    let mut backup = folder.read(&name);
    backup[77] ^= 1;
    folder.write(&name, backup);
    folder.fails("3 w /m new.bin --yes", 4);
}

#[test]
fn a_busy_chip_that_reads_as_ff_is_not_called_blank() {
    let fault = "\n[[drive.fault]]\nkind = \"chip-busy\"\noperation = 20";
    let folder = Folder::with_bench_and("serial-72.toml", fault);
    let before = folder.flash();
    folder.fails("3 e --yes", 6);
    let run = folder.fails("3 r /m /b x.bin", 6);
    insta::assert_snapshot!(run.message());
    assert_eq!(folder.flash(), before);
    assert!(folder.files().is_empty(), "no dump and no backup");
}

#[test]
fn a_busy_chip_of_which_two_reads_agree_gives_no_backup() {
    let folder = Folder::with_bench_and(
        BENCH,
        "\n[[drive.fault]]\nkind = \"chip-busy\"\noperation = 8194",
    );
    folder.write("new.bin", new_image());
    let run = folder.fails("3 w /m new.bin --range 0x4000-0x4ff7 --yes", 6);
    insta::assert_snapshot!(run.message());
    assert_eq!(folder.files(), ["new.bin"], "not even a backup");
}
