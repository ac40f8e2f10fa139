//! The commands that failures end in, typed as they are printed: they must do
//! what they say, and never cost what they are to save.

use crate::folder::{Folder, Run, bys1, image_of, new_image, old_image, patched_image};

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
    assert!(printed(&run, "3 w").contains("/new.bin"), "{run}");
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
    folder.fails("3 r /m /b before.bin.txt --force=overwrite", 4);
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

#[test]
fn a_blank_drive_is_led_to_its_firmware_and_not_in_a_circle() {
    for bench in ["sst39sf020.toml", "serial-72.toml"] {
        let folder = Folder::with_bench(bench);
        let old = folder.flash();
        folder.done("3 e --yes --backup before.bin");
        let read = printed(&folder.done("3 c"), "3 r");
        let run = folder.fails(&read, 4);
        assert!(!run.stderr.contains("mtkflash 3 c"), "{run}");
        let write = printed(&run, "3 w /m FILE --no-backup").replace("FILE", "before.bin");
        folder.done(&format!("{write} --yes --force=model"));
        assert!(folder.flash() == old);
    }
}

#[test]
fn a_part_with_nothing_in_it_does_not_make_a_flash_blank() {
    let folder = Folder::with_bench("sst39sf020.toml");
    folder.done("3 e --yes --banks 1 --backup before.bin");
    let run = folder.fails("3 r /m /b part.bin --banks 1", 4);
    insta::assert_snapshot!(run.message());
    folder.done(&printed(&run, "3 r /m /b backup.bin"));
}

#[test]
fn an_erased_drive_with_a_boot_loader_goes_back_by_the_line_that_is_shown() {
    let folder = Folder::with_bench("mt1939.toml");
    let old = folder.flash();
    let run = folder.done("3 e --yes --backup before.bin");
    let (_, next) = run.stdout.split_once("Next ").unwrap();
    insta::assert_snapshot!(next);
    let checked = folder.done("3 c");
    assert!(
        !printed(&checked, "3 w").contains("backup.bin"),
        "{checked}"
    );
    folder.done(&format!("{} --yes", printed(&run, "3 w /m /b before.bin")));
    assert!(folder.flash() == old);
    folder.done("3 e --yes --backup again.bin");
    // As somebody types it who has lost that line.
    let refused = folder.fails("3 w /m /b before.bin --yes", 4);
    insta::assert_snapshot!(refused.message());
    folder.done(&format!("{} --yes", printed(&refused, "3 w")));
    assert!(folder.flash() == old);
}

#[test]
fn the_way_back_of_a_dead_drive_says_which_check_stops_it() {
    let folder = Folder::with_bench("dead.toml");
    let dead = folder.flash();
    folder.write("bys1.bin", bys1());
    folder.done("3 r /m /b dead.bin --via port");
    let run = folder.done("3 w /m bys1.bin --via port --force=model --yes --backup dead.bin");
    let (_, next) = run.stdout.split_once("Next ").unwrap();
    insta::assert_snapshot!(next);
    let back = printed(&run, "3 w /m /b dead.bin");
    let refused = folder.fails(&format!("{back} --yes"), 4);
    assert!(
        refused.stderr.contains("the name of the check: model"),
        "{refused}"
    );
    folder.done(&format!("{back} --yes --force=model"));
    assert!(folder.flash() == dead);
}

#[test]
fn a_backup_that_names_its_drive_is_no_case_for_a_check() {
    let folder = Folder::with_bench("sst39sf020.toml");
    folder.write("new.bin", patched_image());
    let run = folder.done("3 w /m new.bin --yes");
    assert!(!run.stdout.contains("the check called model"), "{run}");
}

#[test]
fn a_new_revision_is_announced_where_it_was_written() {
    for (part, is_new) in [
        ("", true),
        (" --keep 0x4000-0x5fff", false),
        (" --banks 1", false),
        (" --banks 0", true),
        (" --range 0x1000-0x1fff", false),
    ] {
        let folder = Folder::with_bench("sst39sf020.toml");
        folder.write("new.bin", new_image());
        let run = folder.done(&format!("3 w /m new.bin --yes{part}"));
        let is_said = run.stdout.contains("lists it with its new revision:");
        assert_eq!(is_said, is_new, "{run}");
        let list = folder.done("l");
        assert_eq!(list.stdout.contains("SIM2"), is_new, "{list}");
    }
}

#[test]
fn a_comparison_leads_to_no_write_that_would_be_refused() {
    let folder = Folder::with_bench("sst39sf020.toml");
    folder.write("other.bin", image_of("SONY", "DVD RW DW-D22A", "BYS2"));
    folder.write("new.bin", new_image());
    let run = folder.fails("3 v /m other.bin", 8);
    assert!(!run.stderr.contains("mtkflash 3 w"), "{run}");
    insta::assert_snapshot!(run.message());
    let run = folder.fails("3 v /m new.bin", 8);
    folder.done(&format!("{} --yes", printed(&run, "3 w /m new.bin")));

    let folder = Folder::with_bench("unknown-chip.toml");
    folder.write("new.bin", new_image());
    let run = folder.fails("3 v /m new.bin --size 256K", 8);
    assert!(!run.stderr.contains("mtkflash 3 w"), "{run}");
    insta::assert_snapshot!(run.message());
}

#[test]
fn a_part_of_a_flash_is_called_a_part() {
    let folder = Folder::with_bench("sst39sf020.toml");
    let run = folder.done("3 r /m /b part.bin --banks 0-1");
    assert!(run.stdout.contains("in that part of the flash"), "{run}");
    let run = folder.done("3 v /m part.bin --banks 0-1");
    assert!(
        run.stdout.contains("Equal: that part of the flash"),
        "{run}"
    );
    let run = folder.done("3 w /m part.bin --banks 0-1 --yes");
    assert!(
        run.stdout.contains("that part of the flash already"),
        "{run}"
    );
    let run = folder.fails("3 w /m part.bin --yes", 5);
    assert!(run.stderr.contains("only: 0x00000-0x1ffff."), "{run}");
    let run = folder.done("3 r /b parts --banks 1,3");
    assert!(run.stdout.contains("parts.01 and parts.03,"), "{run}");
    folder.write("old.bin", old_image());
    let run = folder.done("3 v /m old.bin");
    assert!(
        run.stdout.contains("Equal: the flash holds this image."),
        "{run}"
    );
}

#[test]
fn what_needs_no_read_is_refused_alike_with_and_without_yes() {
    let folder = Folder::with_bench("sst39sf020.toml");
    folder.write("sony.bin", bys1());
    for yes in ["", " --yes"] {
        let run = folder.fails(&format!("3 w /m sony.bin{yes}"), 4);
        assert!(run.stderr.contains("leaves the drive dead"), "{run}");
        assert!(!run.stderr.contains("Reading takes"), "{run}");
        let run = folder.fails(&format!("4 w /m sony.bin{yes}"), 3);
        assert!(!run.stderr.contains("--dry-run"), "{run}");
    }
}

#[test]
fn half_an_image_is_led_to_the_whole_file() {
    let folder = Folder::with_bench("sst39sf020.toml");
    folder.write("half.bin", &new_image()[..2 * BANK]);
    let run = folder.fails("3 w /m half.bin --yes", 5);
    insta::assert_snapshot!(run.message());
    folder.write("twice.bin", new_image().repeat(2));
    let run = folder.fails("3 w /m twice.bin --yes", 4);
    assert!(run.stderr.contains("half of this file"), "{run}");
}

#[test]
fn the_time_of_reading_is_that_until_the_question() {
    let folder = Folder::with_bench("sst39sf020.toml");
    folder.write("new.bin", new_image());
    let remark = |run: &Run| {
        let found = run
            .stderr
            .lines()
            .find(|line| line.starts_with("Reading takes"));
        found.unwrap_or_else(|| panic!("{run}")).to_owned()
    };
    let read = remark(&folder.done("3 r /m /b before.bin"));
    let write = folder.done("3 w /m new.bin --dry-run");
    assert_eq!(remark(&write), read);
    assert!(!write.stdout.contains("nearly all"), "{write}");
}

#[test]
fn a_part_that_is_blank_is_no_reason_to_do_without_a_backup() {
    let folder = Folder::with_bench("sst39sf020.toml");
    let mut old = old_image();
    old[0x3_f000..].fill(0xFF);
    folder.done("3 c");
    std::fs::write(folder.flash_file(), &old).unwrap();
    folder.write("new.bin", new_image());
    let line = "3 w /m new.bin --range 0x3f000-0x3ffff --yes";
    let run = folder.fails(line, 4);
    assert!(!run.stderr.contains("--no-backup"), "{run}");
    folder.done(printed(&run, "3 r /m /b backup.bin").as_str());
    folder.done(&format!("{line} --force=blank"));
}

#[test]
fn what_is_to_stay_of_an_erased_flash_is_written_back_first_from_the_backup_that_is_named() {
    let folder = Folder::with_bench("sst39sf020.toml");
    let old = folder.flash();
    folder.write("new.bin", patched_image());
    let line = "3 w /m new.bin --keep 0x20e6-0x20e6 --yes --force=model";
    folder.done("3 e --yes --backup before.bin");
    let run = folder.fails(line, 4);
    insta::assert_snapshot!(run.message());
    let restore = printed(&run, "3 w /m /b before.bin");
    folder.done(&format!("{restore} --yes --force=model"));
    assert!(folder.flash() == old);
    folder.done(line);
    assert_eq!(folder.flash()[0x20e6], old[0x20e6]);

    let without = Folder::with_bench("sst39sf020.toml");
    without.write("new.bin", patched_image());
    without.done("3 e --yes --no-backup");
    let run = without.fails(line, 4);
    assert!(!run.stderr.contains("has been erased"), "{run}");
}

#[test]
fn a_shown_line_takes_yes_behind_it_whatever_its_file_is_called() {
    for name in ["3", "w", "-x.bin", "--yes"] {
        let folder = Folder::with_bench("sst39sf020.toml");
        let old = folder.flash();
        folder.write("new.bin", patched_image());
        let run = folder.done(&format!("3 w /m new.bin --yes --backup={name}"));
        assert!(folder.flash() != old, "{run}");
        let restore = printed(&run, "3 w /m /b ./");
        assert!(restore.contains(name), "{run}");
        folder.done(&format!("{restore} --yes"));
        assert!(folder.flash() == old, "{run}");
    }
}

#[test]
fn an_erase_that_is_never_made_is_refused_before_yes_is_spoken_of() {
    for bench in ["btc.toml", "tsst.toml"] {
        let folder = Folder::with_bench(bench);
        let run = folder.fails("3 e", 4);
        assert!(run.stderr.contains("not documented"), "{run}");
        assert!(!run.stderr.contains("--yes"), "{run}");
    }
}

#[test]
fn a_comparison_with_a_blank_flash_leads_to_a_write_that_needs_no_backup() {
    let folder = Folder::with_bench("sst39sf020.toml");
    folder.write("new.bin", new_image());
    folder.done("3 e --yes --no-backup");
    let run = folder.fails("3 v /m new.bin", 8);
    let line = printed(&run, "3 w /m new.bin --no-backup");
    folder.done(&format!("{line} --yes --force=model"));
    assert!(folder.flash() == new_image());
}
