//! The drive that has one try left, and comes back.

use crate::drives::{ALL, BTC, Drive, MT1939, MT1959, SD616, TSST, bu40n, essence};
use crate::folder::Folder;

/// A folder where this happens at the n-th command of the download, counted
/// from 1.
fn in_the_download(drive: &Drive, fault: &str, command: u64) -> Folder {
    let folder = drive.folder();
    folder.done(&format!("{} --dry-run", drive.line()));
    // The pending UNIT ATTENTIONs are asked for first.
    let operation = folder.counters().operations + 1 + command;
    let bench = folder.text("bench.toml");
    let fault = format!("\n[[drive.fault]]\n{fault}\noperation = {operation}\n");
    folder.write("bench.toml", bench + &fault);
    folder
}

#[test]
fn a_boot_loader_takes_firmware_once_the_missing_way_back_is_accepted() {
    let folder = Folder::with_bench("mt1939-boot.toml");
    folder.write("new.bin", MT1939.image());
    let run = folder.fails("3 w /m new.bin --yes", 4);
    assert!(run.stderr.contains("--no-backup"), "{run}");
    let run = folder.done("3 w /m new.bin --yes --no-backup");
    insta::assert_snapshot!(essence(&run));
    assert!(MT1939.holds(&folder.flash(), MT1939.image()));
}

#[test]
fn a_boot_loader_in_front_of_what_looks_like_the_image_is_written_all_the_same() {
    // Reading may give memory, where the image of a failed write still is.
    let folder = MT1939.folder();
    folder.done("3 w /m new.bin --yes --no-backup");
    let state = "bench.state/position-3.drive.toml";
    let remembered = folder.text(state);
    let half_written = remembered.replace("half_written = false", "half_written = true");
    assert_ne!(half_written, remembered);
    folder.write(state, half_written);
    assert!(folder.done("3 c").stdout.contains("BOOT"));
    let run = folder.done("3 w /m new.bin --yes --backup old.bin");
    assert!(!run.stdout.contains("Nothing to do"), "{run}");
    assert!(
        run.stdout.contains("SE-506CB TS02, serial SIM00000034 now"),
        "{run}"
    );
}

#[test]
fn a_power_cut_in_the_download_is_told_and_the_same_line_ends_with_the_image() {
    for drive in [&MT1939, &MT1959] {
        let before = drive.folder().flash();
        for command in [drive.download - 1, drive.download] {
            let folder = in_the_download(drive, "kind = \"power-cut\"", command);
            let run = folder.run(drive.line());
            match run.code {
                Some(6) => assert!(folder.flash() == before, "{run}"),
                Some(7) => {}
                _ => panic!("{run}"),
            }
            let run = folder.done(drive.line());
            assert_eq!(folder.counters().violations, [""; 0], "{run}");
            assert!(drive.holds(&folder.flash(), drive.image()), "{run}");
            let old = drive.as_read(before.clone());
            assert!(folder.read("old.bin") == old, "{run}");
        }
    }
}

#[test]
fn an_mt1939_drive_that_is_half_written_is_recovered_with_its_first_backup() {
    let folder = in_the_download(&MT1939, "kind = \"power-cut\"", 20);
    let before = folder.flash();
    let run = folder.fails(MT1939.line(), 7);
    insta::assert_snapshot!("cut", run.message());
    assert!(folder.flash() != before);
    assert!(folder.done("3 c").stdout.contains("BOOT"));
    let run = folder.done(MT1939.line());
    insta::assert_snapshot!("again", essence(&run));
    assert!(MT1939.holds(&folder.flash(), MT1939.image()));
    assert!(folder.read("old.bin") == before);
}

#[test]
fn after_firmware_for_another_board_the_way_back_comes_first_and_is_one() {
    let folder = MT1959.folder();
    let other_board = "banner = \"MT1959 Boot BU5 \", platform = \"BU4\"";
    let bench = folder.text("bench.toml");
    folder.write(
        "bench.toml",
        bench.replace("banner = \"MT1959 Boot BU5 \"", other_board),
    );
    folder.write("bu40n.bin", bu40n());
    let run = folder.fails("1 w /m bu40n.bin --yes --force=family --backup old.bin", 7);
    insta::assert_snapshot!("another_board", run.message());
    // In the boot code nothing tells the board any more but the backup.
    let run = folder.fails("1 w /m bu40n.bin --yes", 4);
    assert!(run.stderr.contains("for another board"), "{run}");
    let run = folder.done("1 w /m /b old.bin --yes");
    assert!(run.stdout.contains("BD-RE BU40N 1.00"), "{run}");
}

#[test]
fn a_drive_that_has_the_images_revision_is_not_programmed_without_a_word() {
    let folder = BTC.folder();
    folder.done(BTC.line());
    let run = folder.done(BTC.line());
    assert!(run.stdout.contains("has this revision already"), "{run}");
    let run = folder.done(&format!("{} --skip-if-same", BTC.line()));
    assert!(
        !run.stdout.contains("all of it would be programmed"),
        "{run}"
    );
}

#[test]
fn a_revision_proves_nothing_after_a_download_that_ended_in_doubt() {
    for drive in [&BTC, &TSST] {
        let line = format!("{} --skip-if-same", drive.line());
        let fault = "kind = \"unplug\"";
        let folder = in_the_download(drive, fault, drive.download);
        let notes = || {
            let journal = std::fs::read_dir(folder.path("bench.state/journal")).unwrap();
            let names = journal.map(|entry| entry.unwrap().path());
            let is_note =
                |path: &std::path::PathBuf| path.extension().is_some_and(|end| end == "toml");
            names.filter(is_note).count()
        };
        folder.fails(&line, 7);
        assert_eq!(notes(), 1);
        // A drive that says the new revision all the same.
        folder.write("bench.toml", drive.folder().text("bench.toml"));
        let before = folder.done("3 c");
        assert!(before.stdout.contains("without a backup"), "{before}");
        let run = folder.done(&line);
        assert!(!run.stdout.contains("Nothing to do"), "{run}");
        assert_eq!(notes(), 0, "{run}");
        let run = folder.done(&line);
        assert!(run.stdout.contains("Nothing to do"), "{run}");
    }
}

#[test]
fn a_block_that_is_refused_before_anything_is_programmed_leaves_the_flash_as_it_was() {
    let refusal = "kind = \"check-condition\"\nkey = 5\nasc = 0x24";
    let folder = in_the_download(&BTC, refusal, 100);
    let before = folder.flash();
    let run = folder.fails(BTC.line(), 6);
    insta::assert_snapshot!(run.message());
    let blocks = folder.counters().packets.of(0x3B);
    assert_eq!(blocks, 100, "nothing is repeated");
    assert!(folder.flash() == before);
}

#[test]
fn a_last_block_that_times_out_leaves_the_flash_in_doubt() {
    let folder = in_the_download(&TSST, "kind = \"time-out\"", 5);
    let run = folder.fails(TSST.line(), 7);
    insta::assert_snapshot!(run.message());
    assert_eq!(folder.counters().packets.of(0xFF), 5, "nothing is repeated");
}

#[test]
fn a_drive_that_comes_back_as_another_one_has_not_taken_the_image() {
    for drive in ALL {
        let folder = drive.on("\n[[drive.fault]]\nkind = \"other-identity\"");
        let run = folder.fails(drive.line(), 7);
        assert!(
            run.stderr.contains("came back as OTHER OTHER OTHE"),
            "{run}"
        );
        let bench = folder.text("bench.toml");
        let (sound, _) = bench.split_once("\n[[drive.fault]]").unwrap();
        folder.write("bench.toml", sound);
        let run = folder.done(drive.line());
        assert!(drive.holds(&folder.flash(), drive.image()), "{run}");
    }
    let folder = MT1939.on("\n[[drive.fault]]\nkind = \"other-identity\"");
    insta::assert_snapshot!(folder.fails(MT1939.line(), 7).message());
}

#[test]
fn one_lost_answer_to_inquiry_does_not_make_a_vendor_mode_drive() {
    for drive in ALL {
        for operation in [1, 2] {
            let fault = "kind = \"transport-error\"";
            let fault = format!("\n[[drive.fault]]\n{fault}\noperation = {operation}");
            let folder = drive.on(&fault);
            let run = folder.done("3 c");
            assert!(run.stdout.contains(&drive.protocol.to_string()), "{run}");
            assert_eq!(folder.counters().ata.total(), 0, "{run}");
        }
    }
}

/// What its sources tell of such a drive ends there.
#[test]
fn a_drive_that_takes_nothing_any_more_is_not_led_in_a_circle() {
    for drive in [&TSST, &SD616, &BTC] {
        let folder = in_the_download(drive, "kind = \"power-cut\"", drive.download);
        let run = folder.fails(drive.line(), 7);
        assert!(run.stderr.contains("ype the same again"), "{run}");
        let run = folder.run(drive.line());
        assert!(run.stderr.contains("4/44/00"), "{run}");
        assert!(!run.stderr.contains(" w /m"), "{run}");
        assert!(run.stderr.contains("external programmer"), "{run}");
        let run = folder.done("3 c");
        assert!(run.stdout.contains(&drive.protocol.to_string()), "{run}");
        assert!(run.stdout.contains("does not say by INQUIRY"), "{run}");
        assert!(run.stdout.contains("external programmer"), "{run}");
        assert!(!run.stdout.contains(" w /m"), "{run}");
        let run = folder.done("l");
        assert!(run.stdout.contains("its firmware does not run"), "{run}");
    }
}

/// Two drives of a model without serial numbers; the one at the other place was erased.
#[test]
fn an_erased_drive_is_not_taken_for_another_one_that_was_cut_at_its_place() {
    let drive = |position, seed| {
        format!(
            "[[drive]]\nposition = {position}\nmodel = \"mt1939\"\nvendor = \"TSSTcorp\"\n\
             product = \"BDDVDW SE-506CB\"\nrevision = \"TS01\"\n\
             contents = {{ recipe = \"firmware\", seed = {seed} }}\n"
        )
    };
    let (erased, cut) = (drive(1, 21), drive(3, 23));
    let folder = Folder::new();
    folder.write("bench.toml", format!("{erased}{cut}"));
    folder.write("new.bin", MT1939.image());
    folder.done("1 e --yes --backup of-1.bin");
    let before = folder.flash_of(3);
    let fault = "[[drive.fault]]\nkind = \"other-identity\"\n";
    folder.write("bench.toml", format!("{erased}{cut}{fault}"));
    folder.fails("3 w /m new.bin --yes --backup of-3.bin", 7);
    folder.write("bench.toml", format!("{erased}{cut}"));
    swap(&folder, 1, 3);

    let run = folder.fails("3 w /m new.bin --yes", 4);
    let message = run.message();
    assert!(
        message.contains("whether it is that drive cannot be told"),
        "{run}"
    );
    assert!(message.contains("If it is that drive"), "{run}");
    assert!(message.contains("3 w /m /b of-3.bin"), "{run}");
    // It is another one: its own backup goes back, and the note stays.
    folder.done("3 w /m of-1.bin --yes --no-backup");
    swap(&folder, 1, 3);
    assert!(folder.done("3 c").stdout.contains("of-3.bin"));
    assert!(folder.read("of-3.bin") == before);
}

/// As if the cables of two drives had been changed.
fn swap(folder: &Folder, one: u8, other: u8) {
    for kind in ["flash", "drive.toml", "counters.toml"] {
        let of = |position| folder.path(&format!("bench.state/position-{position}.{kind}"));
        let aside = folder.path("aside");
        std::fs::rename(of(one), &aside).unwrap();
        std::fs::rename(of(other), of(one)).unwrap();
        std::fs::rename(aside, of(other)).unwrap();
    }
}
