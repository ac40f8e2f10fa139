//! Lite-On drives whose program memory is read by packets: only where that is
//! named, only from drives that may be asked, and no further than it looks right.

use mtkflash::sim::Firmware;

use crate::folder::Folder;

const BY_PACKETS: &str = "--protocol liteon-read";

const READ_MEMORY: u8 = 0xDF;

fn lite_on() -> Folder {
    Folder::with_bench("liteon.toml")
}

/// How often the drive was asked for its program memory.
fn asked(folder: &Folder) -> u64 {
    let there = folder.holds("bench.state/position-3.counters.toml");
    match there {
        true => folder.counters().packets.of(READ_MEMORY),
        false => 0,
    }
}

fn entered(folder: &Folder) -> bool {
    folder.counters().ata.of(0x80) > 0
}

#[test]
fn its_flash_is_read_by_packets_alone_and_the_report_says_how_sure_that_is() {
    let folder = lite_on();
    let run = folder.done(&format!("3 r /m /b dump.bin {BY_PACKETS}"));
    let counters = folder.counters();
    assert!(folder.read("dump.bin") == folder.flash(), "{run}");
    assert!(run.stdout.contains("was never confirmed"), "{run}");
    // Two looks at the start and one behind it, the code of bank 0, and all twice.
    let looks = 3 + 0xC000 / 128;
    assert_eq!(
        counters.packets.of(READ_MEMORY),
        looks + 2 * 0x10_0000 / 128
    );
    assert_eq!(counters.violations, [""; 0], "{run}");
    assert_eq!(counters.ata.of(0x80), 0, "{run}");
    let unsure = "Nobody is known to have seen that it is what is in its flash";
    assert!(run.stdout.contains(unsure), "{run}");
    let run = folder.done(&format!("3 v /m dump.bin {BY_PACKETS}"));
    assert!(!entered(&folder), "{run}");
    let unsure = "Nobody is known to have seen that it is what is in its flash";
    assert!(run.stdout.contains(unsure), "{run}");
    let mut other = folder.flash();
    other[0x4_2000] ^= 1;
    folder.write("other.bin", other);
    let run = folder.fails(&format!("3 v /m other.bin {BY_PACKETS}"), 8);
    assert!(
        run.stderr.contains("What the drive gives this way"),
        "{run}"
    );
    assert!(run.stderr.contains("--protocol vendor"), "{run}");
}

#[test]
fn its_size_is_what_its_user_says_or_its_code() {
    let folder = lite_on();
    let run = folder.done(&format!("3 r /m /b part.bin {BY_PACKETS} --size 512K"));
    assert!(
        folder.read("part.bin") == folder.flash()[..0x8_0000],
        "{run}"
    );
    let folder = lite_on();
    let mut flash = folder_flash(&folder);
    let call = flash
        .windows(3)
        .position(|code| code == [0xE5, 0x90, 0x54])
        .unwrap();
    flash[call + 3] = 0x1F;
    set_flash(&folder, &flash);
    let run = folder.fails(&format!("3 r /m /b dump.bin {BY_PACKETS}"), 6);
    assert!(run.stderr.contains("re-banked"), "{run}");
    assert!(run.stderr.contains("--size"), "{run}");
}

/// The flash of a drive that nobody has used.
fn folder_flash(folder: &Folder) -> Vec<u8> {
    folder.done("l");
    folder.flash()
}

fn set_flash(folder: &Folder, flash: &[u8]) {
    folder.write("bench.state/position-3.flash", flash);
}

#[test]
fn a_write_keeps_what_packets_gave_and_goes_on_in_vendor_mode() {
    let folder = lite_on();
    let before = folder_flash(&folder);
    let mut image = before.clone();
    image[0x4_2000..0x4_2100].fill(0x42);
    folder.write("new.bin", &image);
    let line = format!("3 w /m new.bin --yes --backup old.bin {BY_PACKETS}");
    let run = folder.done(&line);
    let counters = folder.counters();
    assert!(folder.flash() == image, "{run}");
    assert!(folder.read("old.bin") == before, "{run}");
    assert!(run.stdout.contains("was never confirmed"), "{run}");
    assert!(
        folder
            .text("old.bin.txt")
            .contains("read by Lite-On packet protocol"),
        "{run}"
    );
    assert!(counters.packets.of(READ_MEMORY) >= 2 * 0x10_0000 / 128);
    assert_eq!(counters.violations, [""; 0], "{run}");
    // To make sure, and not for the backup.
    assert!((0x10_0000..0x11_0000).contains(&counters.byte_reads));
}

#[test]
fn nothing_of_it_is_sent_but_by_name_and_to_drives_that_may_be_asked() {
    let folder = lite_on();
    for line in ["l", "3 c", "3 r /m /b dump.bin"] {
        folder.done(line);
        assert_eq!(asked(&folder), 0, "{line}");
    }
    for more in ["", " --force=family"] {
        let folder = lite_on();
        let bench = folder.text("bench.toml");
        folder.write("bench.toml", bench.replace("LITE-ON", "PIONEER"));
        let run = folder.fails(&format!("3 r /m /b dump.bin {BY_PACKETS}{more}"), 4);
        assert_eq!(asked(&folder), 0, "{run}");
        assert!(run.stderr.contains("No switch lets it be tried."), "{run}");
    }
}

#[test]
fn answers_that_are_no_firmware_are_looked_at_before_more_is_asked_for() {
    let blank = |flash: &mut [u8]| flash[..128].fill(0xFF);
    let repeated = |flash: &mut [u8]| flash.copy_within(..128, 128);
    for (damage, says, most) in [
        (&blank as &dyn Fn(&mut [u8]), "the first byte is ffh", 2),
        (&repeated, "the same 128 bytes come from", 3),
    ] {
        let folder = lite_on();
        let mut flash = folder_flash(&folder);
        damage(&mut flash);
        set_flash(&folder, &flash);
        let run = folder.fails(&format!("3 r /m /b dump.bin {BY_PACKETS}"), 6);
        assert!(run.stderr.contains(says), "{run}");
        assert!(run.stderr.contains("--protocol vendor"), "{run}");
        assert_eq!(asked(&folder), most, "{run}");
        assert!(!folder.holds("dump.bin"), "{run}");
    }
}

#[test]
fn what_packets_gave_and_the_flash_does_not_hold_is_no_backup() {
    let folder = lite_on();
    folder_flash(&folder);
    let bench = folder.text("bench.toml");
    folder.write(
        "bench.toml",
        bench.replace(
            "liteon_read = true",
            "liteon_read = true\nliteon_differs = true",
        ),
    );
    let image = Firmware::new(0x10_0000, 45)
        .identified("LITE-ON", "DVDRW SHW-1635S", "YS0S")
        .bytes();
    folder.write("new.bin", image);
    let before = folder.flash();
    let line = format!("3 w /m new.bin --yes --backup old.bin {BY_PACKETS}");
    let run = folder.fails(&line, 6);
    assert!(
        run.stderr.contains("other bytes than its flash holds"),
        "{run}"
    );
    assert!(folder.flash() == before, "{run}");
    assert!(!folder.holds("old.bin"), "{run}");
}

#[test]
fn what_packets_gave_is_no_file_that_a_comparison_leads_to_write() {
    let folder = lite_on();
    folder_flash(&folder);
    let bench = folder.text("bench.toml");
    let differs = "liteon_read = true\nliteon_differs = true";
    folder.write("bench.toml", bench.replace("liteon_read = true", differs));
    let part = "--banks 14-15";
    folder.done(&format!("3 r /m /b part.bin {part} {BY_PACKETS}"));
    let run = folder.fails(&format!("3 v /m part.bin {part} --protocol vendor"), 8);
    assert!(
        run.stderr
            .contains("By its record this file was read in a way"),
        "{run}"
    );
    assert!(!run.stderr.contains("3 w "), "{run}");
    let run = folder.done(&format!(
        "3 w /m part.bin {part} --protocol vendor --dry-run"
    ));
    assert!(
        run.stdout
            .contains("By its record this file was read in a way"),
        "{run}"
    );
}
