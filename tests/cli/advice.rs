//! The commands that failures end in, typed as they are printed: they must do
//! what they say, and never cost what they are to save.

use crate::folder::{Folder, Run, patched_image};

const BANK: usize = 0x1_0000;

/// A serial chip, which is erased as a whole: what a write of a part leaves out
/// is gone until it is programmed again.
fn serial() -> (Folder, Vec<u8>, Vec<u8>) {
    let folder = Folder::with_bench("serial-72.toml");
    let old = folder.flash();
    let mut image = old.clone();
    for bank in image.chunks_mut(BANK) {
        bank[0x8000..0x8100].fill(0x77);
    }
    folder.write("new.bin", &image);
    (folder, old, image)
}

/// Runs a write and cuts the power well after the chip erase.
fn cut(folder: &Folder, line: &str) -> Run {
    folder.done(&format!("{} --dry-run", line.replace(" --yes", "")));
    let operation = folder.counters().operations + 2000;
    let bench = folder.text("bench.toml");
    folder.write(
        "bench.toml",
        format!("{bench}\n[[drive.fault]]\nkind = \"power-cut\"\noperation = {operation}\n"),
    );
    let run = folder.fails(line, 7);
    folder.write("bench.toml", bench);
    run
}

/// The first printed command that begins so, without the program's name.
fn printed(run: &Run, start: &str) -> String {
    let line = run
        .stdout
        .lines()
        .chain(run.stderr.lines())
        .map(|line| line.trim_start_matches("Next").trim())
        .find(|line| line.starts_with(&format!("mtkflash {start}")))
        .unwrap_or_else(|| panic!("no such command in {run}"));
    line.trim_start_matches("mtkflash ").to_owned()
}

#[test]
fn going_back_after_a_write_of_one_bank_puts_every_bank_back() {
    let (folder, old, _) = serial();
    let run = cut(&folder, "3 w /m new.bin --banks 0 --yes");
    assert!(folder.flash() != old);
    folder.done(&format!("{} --yes", printed(&run, "3 w /m /b backup-")));
    assert!(folder.flash() == old);
}

#[test]
fn after_an_erase_the_drive_takes_firmware_or_its_backup_by_the_lines_that_are_shown() {
    for erase in ["3 e", "3 e --banks 1"] {
        let folder = Folder::with_bench("sst39sf020.toml");
        let old = folder.flash();
        folder.write("new.bin", patched_image());
        let run = folder.done(&format!("{erase} --yes"));
        assert!(folder.flash() != old);
        let restore = printed(&run, "3 w /m /b backup-");
        let write = printed(&run, "3 w /m FILE").replace("FILE", "new.bin");
        // A drive that was blank when it was switched on says nothing of itself:
        // who it is, only its user can say.
        let carry_out = |line: &str| match erase {
            "3 e" => {
                let refused = folder.fails(&format!("{line} --yes"), 4);
                let names_it = refused.stderr.contains("the name of the check: model.");
                assert!(names_it, "{refused}");
                folder.done(&format!("{line} --yes --force=model"));
            }
            _ => drop(folder.done(&format!("{line} --yes"))),
        };
        carry_out(&restore);
        assert!(folder.flash() == old);
        folder.done(&format!("{erase} --yes --backup again.bin"));
        carry_out(&write);
        assert!(folder.flash() == patched_image());
    }
}

#[test]
fn going_back_after_a_write_within_a_sector_puts_the_sector_back() {
    let folder = Folder::with_bench("sst39sf020.toml");
    let old = folder.flash();
    let mut image = old.clone();
    image[0x2100..0x2200].fill(0x77);
    folder.write("new.bin", &image);
    let line = "3 w /m new.bin --range 0x2100-0x21ff --yes";
    folder.done(&format!("{} --dry-run", line.replace(" --yes", "")));
    let operation = folder.counters().operations + 300;
    let bench = folder.text("bench.toml");
    let fault = "[[drive.fault]]\nkind = \"power-cut\"";
    folder.write(
        "bench.toml",
        format!("{bench}\n{fault}\noperation = {operation}\n"),
    );
    let run = folder.fails(line, 7);
    folder.write("bench.toml", bench);
    assert!(folder.flash() != old);
    folder.done(&format!("{} --yes", printed(&run, "3 w /m /b backup-")));
    assert!(folder.flash() == old);
}

#[test]
fn another_image_after_an_interrupted_write_does_not_lose_what_was_kept() {
    let (folder, old, image) = serial();
    cut(&folder, "3 w /m new.bin --keep 0x20000-0x20fff --yes");
    let mut other = image.clone();
    other[0x3_9000] ^= 0x10;
    folder.write("other.bin", &other);
    let line = "3 w /m other.bin --keep 0x20000-0x20fff --yes";
    let run = folder.fails(line, 4);
    let here = folder.path("").display().to_string();
    insta::assert_snapshot!(run.message().replace(&here, "/here/"));
    folder.done(&format!("{} --yes", printed(&run, "3 w /m /b backup-")));
    assert!(folder.flash() == old);
    folder.done(line);
    other[0x2_0000..0x2_1000].copy_from_slice(&old[0x2_0000..0x2_1000]);
    assert!(folder.flash() == other);
}

#[test]
fn an_interrupted_write_is_pointed_out_until_it_has_been_gone_on_with() {
    let (folder, old, image) = serial();
    std::fs::create_dir(folder.path("kept")).unwrap();
    cut(&folder, "3 w /m new.bin --yes --backup kept/before.bin");
    let warning = "A write of a flash like this was begun and not finished.";
    let run = folder.done("3 c");
    assert!(
        run.stdout.contains(warning),
        "begun in another folder: {run}"
    );
    let run = folder.done("3 r /m /b kept/mixture.bin");
    assert!(run.warning().contains(warning), "{run}");
    for name in ["before.bin", "before.bin.txt"] {
        std::fs::rename(folder.path("kept").join(name), folder.path(name)).unwrap();
    }
    let run = folder.done("3 c");
    assert!(run.warning().contains(warning), "{run}");
    assert!(run.warning().contains("before.bin"), "{run}");
    let run = folder.done("3 w /m new.bin --yes");
    let first = run.stdout.lines().find(|line| line.starts_with("Resumed"));
    insta::assert_snapshot!(first.unwrap_or_default());
    assert!(folder.flash() == image);
    assert!(folder.read("before.bin") == old);
    let run = folder.done("3 c");
    assert!(!run.stdout.contains(warning), "{run}");
}

#[test]
fn no_backup_after_an_interrupted_write_does_not_lose_what_was_kept() {
    let (folder, old, mut image) = serial();
    cut(&folder, "3 w /m new.bin --keep 0x20000-0x20fff --yes");
    folder.done("3 w /m new.bin --keep 0x20000-0x20fff --yes --no-backup");
    image[0x2_0000..0x2_1000].copy_from_slice(&old[0x2_0000..0x2_1000]);
    assert!(folder.flash() == image);
}

#[test]
fn the_backup_of_an_interrupted_write_is_never_written_over() {
    let (folder, old, image) = serial();
    cut(&folder, "3 w /m new.bin --backup before.bin --yes");
    let mut other = image;
    other[0x3_9000] ^= 0x10;
    folder.write("other.bin", &other);
    for more in ["", " --force=overwrite"] {
        folder.fails(
            &format!("3 w /m other.bin --backup before.bin --yes{more}"),
            4,
        );
        assert!(folder.read("before.bin") == old);
    }
    folder.fails("3 r /m /b before.bin --force=overwrite", 4);
    assert!(folder.read("before.bin") == old);
}

#[test]
fn a_finished_write_leaves_no_backup_that_a_later_one_takes_for_its_own() {
    let (folder, old, _) = serial();
    folder.write("old.bin", &old);
    let keep = "--keep 0x20000-0x20fff --yes";
    folder.done(&format!("3 w /m new.bin {keep} --backup first.bin"));
    folder.done(&format!("3 w /m old.bin {keep} --backup second.bin"));
    // The drive has calibrated itself anew.
    let mut now = folder.flash();
    now[0x2_0800..0x2_0900].fill(0x5A);
    std::fs::write(folder.flash_file(), &now).unwrap();
    cut(
        &folder,
        &format!("3 w /m new.bin {keep} --backup third.bin"),
    );
    folder.done(&format!("3 w /m new.bin {keep} --backup fourth.bin"));
    assert!(folder.flash()[0x2_0000..0x2_1000] == now[0x2_0000..0x2_1000]);
}

#[test]
fn a_range_to_keep_that_the_flash_does_not_have_is_refused() {
    let (folder, old, _) = serial();
    folder.fails("3 w /m new.bin --keep 0x1f0000-0x1fffff --yes", 2);
    assert!(folder.flash() == old);
}

#[test]
fn a_download_that_broke_off_is_refused_although_it_has_the_right_size() {
    let (folder, old, image) = serial();
    let mut broken = image.clone();
    broken[BANK..].fill(0x00);
    folder.write("broken.bin", &broken);
    let run = folder.fails("3 w /m broken.bin --yes", 4);
    insta::assert_snapshot!(run.message());
    let mut repeated = image;
    repeated.copy_within(0..2 * BANK, 2 * BANK);
    folder.write("repeated.bin", &repeated);
    folder.fails("3 w /m repeated.bin --yes", 4);
    assert!(folder.flash() == old);
}

#[test]
fn a_dump_of_one_bank_does_not_go_into_another() {
    let folder = Folder::with_bench("sst39sf020.toml");
    let old = folder.flash();
    folder.done("3 r /m /b part.bin --banks 1");
    folder.fails("3 w /m part.bin --banks 3 --yes --force=model", 5);
    assert!(folder.flash() == old);
}

#[test]
fn the_commands_after_a_taken_name_leave_the_file_alone() {
    let (folder, _, image) = serial();
    folder.write("before.bin", "precious");
    let run = folder.fails("3 w /m new.bin --yes --backup before.bin", 4);
    folder.done(&format!("{} --yes", printed(&run, "3 w")));
    assert_eq!(folder.text("before.bin"), "precious");
    assert!(folder.flash() == image);
}
