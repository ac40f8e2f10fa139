//! Every command on every family, typed as users type them.

use crate::drives::{ALL, BTC, MT1939, MT1959, SD616, TSST, another_wh16ns60, bu40n, essence};
use crate::folder::Folder;
use mtkflash::protocol::Protocol;

#[test]
fn every_drive_is_checked_without_a_command_that_could_change_it() {
    for drive in ALL {
        let folder = drive.folder();
        let before = folder.flash();
        let run = folder.done("3 c");
        assert!(run.stdout.contains(&drive.protocol.to_string()), "{run}");
        let packets = folder.counters().packets;
        let changing = packets.of(0x3B) + packets.of(0xFF);
        assert_eq!(changing, 0, "{run}");
        assert!(folder.flash() == before);
        if drive.protocol == Protocol::Mt1959 {
            // Which is asked for much more that changes nothing.
            continue;
        }
        let read = u64::from(drive.is_readable);
        assert_eq!((packets.of(0x12), packets.of(0x3C)), (2, read), "{run}");
        assert_eq!(packets.total(), 2 + read, "{run}");
    }
}

#[test]
fn every_drive_takes_its_image_and_is_the_new_one_afterwards() {
    for drive in ALL {
        let folder = drive.folder();
        let before = folder.flash();
        let run = folder.done(drive.line());
        assert_eq!(folder.counters().violations, [""; 0], "{run}");
        assert!(drive.holds(&folder.flash(), drive.image()), "{run}");
        let after = folder.flash();
        let changed = drive.owned.iter().flat_map(|owned| {
            let bytes = owned.of(&before).iter().zip(owned.of(&after));
            bytes.filter(|(before, after)| before != after)
        });
        // New firmware of a Blu-ray drive counts something in each of its ranges.
        let expected = if drive.protocol == Protocol::Mt1959 {
            4
        } else {
            0
        };
        assert_eq!(changed.count(), expected, "{run}");
        if drive.is_readable {
            assert!(folder.read("old.bin") == drive.as_read(before));
        }
        let run = folder.done("l");
        let revision = ["0059", "TS05", "F310", "TS02", "1.02"];
        assert!(revision.iter().any(|new| run.stdout.contains(new)), "{run}");
    }
}

#[test]
fn a_btc_drive_takes_the_hex_file_of_its_maker() {
    let folder = BTC.folder();
    let mut hex = Vec::new();
    let encoding = mtkflash::image::Encoding::Hex;
    mtkflash::image::write(BTC.image(), encoding, &mut hex).unwrap();
    folder.write("new.hex", hex);
    let run = folder.done("3 w /m new.hex --yes --no-backup");
    assert!(folder.flash() == BTC.image());
    insta::assert_snapshot!(essence(&run));
}

#[test]
fn a_write_that_reads_back_tells_what_the_drive_keeps() {
    let run = MT1939.folder().done(MT1939.line());
    insta::assert_snapshot!("mt1939", essence(&run));
    let run = MT1959.folder().done(MT1959.line());
    insta::assert_snapshot!("mt1959", essence(&run));
}

#[test]
fn a_drive_that_nobody_can_read_is_left_alone_on_wish_where_it_has_the_revision() {
    for drive in [&BTC, &TSST, &SD616] {
        let folder = drive.folder();
        let line = format!("{} --skip-if-same", drive.line());
        // The first time it has another one.
        folder.done(&line);
        let written = folder.counters().packets.total();
        assert!(drive.holds(&folder.flash(), drive.image()));
        let run = folder.done(&line);
        assert!(run.stdout.contains("has this revision already"), "{run}");
        assert!(run.stdout.contains("was not read"), "{run}");
        assert!(folder.counters().packets.total() < written, "{run}");
        // Without the wish it is written again.
        let run = folder.done(drive.line());
        assert!(!run.stdout.contains("Nothing to do"), "{run}");
    }
}

#[test]
fn a_dry_run_changes_nothing_and_sends_no_block() {
    for drive in ALL {
        let folder = drive.folder();
        let before = folder.flash();
        folder.done(&format!("{} --dry-run", drive.line()));
        let packets = folder.counters().packets;
        assert_eq!((packets.of(0x3B), packets.of(0xFF)), (0, 0));
        assert!(packets.of(0x12) > 0, "the drive was asked");
        assert!(folder.flash() == before);
        assert_eq!(folder.files(), ["new.bin"]);
    }
}

#[test]
fn what_can_be_read_is_read_and_compared() {
    for drive in [&MT1939, &MT1959] {
        let folder = drive.folder();
        folder.done("3 r /m /b dump.bin");
        assert!(folder.read("dump.bin") == drive.as_read(folder.flash()));
        folder.done("3 r /m dump.hex");
        let run = folder.done("3 v /m dump.bin");
        assert!(
            run.stdout.contains("Equal as far as it was compared"),
            "{run}"
        );
        folder.fails("3 v /m new.bin", 8);
        folder.done(drive.line());
        folder.done("3 v /m new.bin");
        let run = folder.done("3 w /m new.bin --yes");
        assert!(run.stdout.contains("Nothing to do"), "{run}");
        assert_eq!(folder.counters().packets.of(0x3B), 0);
        assert_eq!(folder.counters().packets.of(0xFF), 0);
    }
}

#[test]
fn what_cannot_be_read_is_refused_with_the_reason() {
    for drive in [&BTC, &TSST, &SD616] {
        let folder = drive.folder();
        for line in [
            "3 r /m /b dump.bin",
            "3 v /m new.bin",
            "3 w /m new.bin --yes",
        ] {
            let run = folder.fails(line, 4);
            assert!(run.stderr.contains("is not documented"), "{run}");
            assert!(run.stderr.contains("Nothing was changed"), "{run}");
        }
        assert_eq!(folder.files(), ["new.bin"]);
        assert_eq!(folder.counters().packets.total(), 2);
    }
    insta::assert_snapshot!(TSST.folder().fails("3 w /m new.bin --yes", 4).message());
}

#[test]
fn an_image_says_what_drive_it_is_for() {
    for drive in ALL {
        drive.folder().done("i new.bin");
    }
    let run = MT1959.folder().done("i new.bin");
    insta::assert_snapshot!(run.stdout);
}

#[test]
fn an_mt1939_drive_is_erased_to_its_boot_loader_and_written_again() {
    let folder = MT1939.folder();
    let before = folder.flash();
    let run = folder.done("3 e --yes --backup old.bin");
    insta::assert_snapshot!("erased", essence(&run));
    let flash = folder.flash();
    assert!(flash[0x1_0000..].iter().all(|byte| *byte == 0xFF));
    assert!(flash[..0x1_0000] == before[..0x1_0000]);
    let run = folder.fails("3 w /m old.bin --yes", 4);
    insta::assert_snapshot!("no_way_back", run.message());
    folder.done("3 w /m old.bin --yes --no-backup");
    assert!(folder.flash() == before);
}

#[test]
fn no_other_drive_is_erased() {
    for drive in [&BTC, &TSST, &SD616, &MT1959] {
        let folder = drive.folder();
        let run = folder.fails("3 e --yes --no-backup", 4);
        assert!(run.stderr.contains("erased is not documented"), "{run}");
        let packets = folder.counters().packets;
        assert_eq!((packets.of(0x3B), packets.of(0xFF)), (0, 0));
    }
}

#[test]
fn the_calibration_of_another_drive_stays_out() {
    let folder = MT1959.folder();
    let own = folder.flash()[0x1F_0000..].to_vec();
    folder.write("another.bin", another_wh16ns60());
    let run = folder.done("3 w /m another.bin --yes --no-backup");
    insta::assert_snapshot!("kept", essence(&run));
    assert_eq!(folder.counters().violations, [""; 0]);
    assert!(folder.flash()[0x1F_0040..] == own[0x40..]);
}

#[test]
fn a_backup_of_another_drive_is_pointed_out() {
    let folder = MT1959.folder();
    folder.done("3 r /m /b dump.bin");
    let bench = folder.text("bench.toml");
    folder.write("bench.toml", bench.replace("SIM00000038", "SIM00000039"));
    let run = folder.done("3 w /m dump.bin --dry-run --yes");
    let warning = "Warning   This image is a backup of another drive";
    assert!(run.stdout.contains(warning), "{run}");
}

#[test]
fn of_two_drives_the_named_one_is_written() {
    let folder = MT1959.folder();
    let other = folder.flash_of(3);
    folder.write("bu40n.bin", bu40n());
    folder.done("1 w /m bu40n.bin --yes --backup old.bin");
    assert!(MT1959.holds(&folder.flash_of(1), &bu40n()));
    assert!(folder.flash_of(3) == other);
}

/// The drive of which two ranges cannot be read.
fn with_gaps() -> Folder {
    let folder = Folder::with_bench("mt1939-gaps.toml");
    folder.write("new.bin", MT1939.image());
    folder
}

#[test]
fn a_range_that_is_refused_is_named_and_filled_up_in_the_open() {
    let folder = with_gaps();
    let flash = folder.flash();
    let run = folder.done("3 r /m /b dump.bin");
    insta::assert_snapshot!(essence(&run));
    let dump = folder.read("dump.bin");
    for gap in [0x8000..0xC000, 0x1F_0000..0x1F_8000] {
        assert!(dump[gap].iter().all(|byte| *byte == 0xFF));
    }
    assert!(dump[0x1_0000..0x1F_0000] == flash[0x1_0000..0x1F_0000]);
}

#[test]
fn a_dump_with_gaps_is_no_image_and_no_way_back_unless_forced_by_name() {
    let folder = with_gaps();
    let before = folder.flash();
    folder.done("3 r /m /b dump.bin");
    let run = folder.fails("3 w /m dump.bin --yes --no-backup", 4);
    insta::assert_snapshot!("as_image", run.message());
    let run = folder.fails("3 w /m new.bin --yes", 4);
    insta::assert_snapshot!("as_backup", run.message());
    assert!(folder.flash() == before);
    let run = folder.done("3 w /m new.bin --yes --backup old.bin --force=gaps");
    insta::assert_snapshot!("forced", essence(&run));
    assert_eq!(folder.counters().violations, [""; 0]);
    assert!(MT1939.holds(&folder.flash(), MT1939.image()));
}
