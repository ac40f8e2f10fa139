//! The main texts, whole, as they come through pipes.

use crate::folder::{Folder, masked, new_image, old_image, patched_image};

const BENCH: &str = "sst39sf020.toml";

fn ready() -> Folder {
    let folder = Folder::with_bench(BENCH);
    folder.write("new.bin", new_image());
    folder.write("patched.bin", patched_image());
    folder.write("old.bin", old_image());
    folder
}

#[test]
fn reading() {
    insta::assert_snapshot!(ready().done("3 r /m /b backup.bin"));
}

#[test]
fn reading_bank_by_bank() {
    insta::assert_snapshot!(ready().done("3 r banks.hex --banks 0,3"));
}

#[test]
fn writing() {
    insta::assert_snapshot!(ready().done("3 w /m new.bin --yes"));
}

#[test]
fn writing_a_whole_serial_chip() {
    let folder = Folder::with_bench("serial-72.toml");
    let mut image = folder.flash();
    image[0x1_8000..0x1_9000].fill(0x77);
    folder.write("new.bin", image);
    insta::assert_snapshot!(folder.done("3 w /m new.bin --yes"));
}

#[test]
fn writing_what_is_there_already() {
    insta::assert_snapshot!(ready().done("3 w /m old.bin --yes"));
}

#[test]
fn a_dry_run() {
    insta::assert_snapshot!(ready().done("3 w /m patched.bin --dry-run"));
}

#[test]
fn erasing() {
    insta::assert_snapshot!(ready().done("3 e --yes"));
}

#[test]
fn erasing_again() {
    let folder = ready();
    folder.done("3 e --yes --no-backup");
    insta::assert_snapshot!(folder.done("3 e --yes").stdout);
}

#[test]
fn erasing_a_part() {
    let run = ready().done("3 e --yes --banks 1");
    insta::assert_snapshot!(masked(&run.stdout));
}

#[test]
fn verifying() {
    insta::assert_snapshot!(ready().done("3 v /m old.bin"));
}

#[test]
fn verifying_something_else() {
    insta::assert_snapshot!(ready().fails("3 v /m patched.bin", 8));
}

#[test]
fn checking() {
    insta::assert_snapshot!(ready().done("3 c"));
}

#[test]
fn checking_a_dead_drive() {
    insta::assert_snapshot!(Folder::with_bench("dead.toml").done("3 c --via port"));
}

#[test]
fn checking_an_unknown_chip() {
    insta::assert_snapshot!(Folder::with_bench("unknown-chip.toml").done("3 c"));
}

#[test]
fn inspecting() {
    insta::assert_snapshot!(ready().done("i new.bin"));
}

#[test]
fn listing() {
    insta::assert_snapshot!(Folder::with_bench("four-drives.toml").done("l"));
}
