//! Every command, in the forms that users of the DOS tool type.

use crate::folder::{BANK, Folder, new_image, old_image, patched_image, sum};

const BENCH: &str = "sst39sf020.toml";

#[test]
fn r_m_b_reads_the_flash_into_one_binary_file() {
    let folder = Folder::with_bench(BENCH);
    let run = folder.done("3 r /m /b backup.bin");
    assert_eq!(folder.read("backup.bin"), old_image());
    assert_eq!(folder.flash(), old_image());
    assert_eq!(folder.files(), ["backup.bin", "backup.bin.txt"]);
    assert!(run.stdout.contains(&sum(&old_image())), "{run}");
}

#[test]
fn case_order_and_kind_of_switches_make_no_difference() {
    for line in [
        "3 R /M /B x.bin",
        "/b 3 /M r x.bin",
        "x.bin r 3 -m -B",
        "3 read --merge --binary x.bin",
    ] {
        let folder = Folder::with_bench(BENCH);
        folder.done(line);
        assert_eq!(folder.read("x.bin"), old_image(), "{line}");
    }
}

#[test]
fn r_m_reads_the_flash_into_a_hex_file_that_reads_as_the_flash() {
    let folder = Folder::with_bench(BENCH);
    folder.done("3 r /m backup.hex");
    let hex = folder.text("backup.hex");
    assert_eq!(hex.matches(":00000155AA").count(), 3, "marks between banks");
    assert!(hex.trim_end().ends_with(":00000001FF"));
    assert_eq!(
        mtkflash::image::hex::read(hex.as_bytes()).unwrap().bytes,
        old_image()
    );
}

#[test]
fn r_b_reads_the_flash_into_a_file_for_each_bank() {
    let folder = Folder::with_bench(BENCH);
    folder.done("3 r /b banks.bin");
    let banks: Vec<u8> = (0..4)
        .flat_map(|bank| folder.read(&format!("banks.0{bank}.bin")))
        .collect();
    assert_eq!(banks, old_image());
    assert_eq!(folder.read("banks.00.bin").len(), BANK);
    assert_eq!(
        folder.files(),
        [
            "banks.00.bin",
            "banks.01.bin",
            "banks.02.bin",
            "banks.03.bin",
            "banks.bin.txt"
        ]
    );
}

#[test]
fn r_alone_reads_the_flash_into_a_hex_file_for_each_bank() {
    let folder = Folder::with_bench(BENCH);
    folder.done("3 r banks.hex");
    let banks: Vec<u8> = (0..4)
        .flat_map(|bank| {
            let file = folder.read(&format!("banks.0{bank}.hex"));
            mtkflash::image::hex::read(&file).unwrap().bytes
        })
        .collect();
    assert_eq!(banks, old_image());
}

#[test]
fn w_m_writes_a_binary_file() {
    let folder = Folder::with_bench(BENCH);
    folder.write("new.bin", new_image());
    let run = folder.done("3 w /m new.bin --yes");
    assert_eq!(folder.flash(), new_image());
    assert_eq!(folder.read(&folder.backup()), old_image());
    assert!(run.stdout.contains(&sum(&new_image())), "{run}");
    assert_eq!(folder.counters().violations, [""; 0]);
}

#[test]
fn every_form_of_the_write_writes_the_same() {
    for line in [
        "3 w /b /m NEW.BIN --yes",
        "3 W /B NEW.BIN /Y",
        "3 w NEW.BIN -y",
        "--yes 3 WRITE --merge NEW.BIN",
    ] {
        let folder = Folder::with_bench(BENCH);
        folder.write("NEW.BIN", patched_image());
        folder.done(line);
        assert_eq!(folder.flash(), patched_image(), "{line}");
    }
}

#[test]
fn what_was_read_as_hex_or_bank_by_bank_can_be_written_back() {
    for (read, write) in [
        ("3 r /m old.hex", "3 w /m old.hex --yes"),
        ("3 r /b old.bin", "3 w /b old.bin --yes"),
        ("3 r old.hex", "3 w old.hex --yes"),
    ] {
        let folder = Folder::with_bench(BENCH);
        folder.done(read);
        folder.write("new.bin", patched_image());
        folder.done("3 w /m new.bin --yes --backup before.bin");
        assert_eq!(folder.flash(), patched_image());
        folder.done(write);
        assert_eq!(folder.flash(), old_image(), "{write}");
    }
}

#[test]
fn a_switch_that_contradicts_the_content_is_pointed_out_and_the_content_decides() {
    let folder = Folder::with_bench(BENCH);
    folder.done("3 r /m old.hex");
    let run = folder.done("3 v /m /b old.hex");
    insta::assert_snapshot!(run.stderr.lines().next().unwrap_or_default());
    folder.done("3 r /b banks.bin");
    let run = folder.done("3 v /m /b banks.bin");
    insta::assert_snapshot!(run.stderr.lines().next().unwrap_or_default());
}

#[test]
fn v_says_that_flash_and_file_are_equal() {
    let folder = Folder::with_bench(BENCH);
    folder.write("old.bin", old_image());
    let run = folder.done("3 v /m /b old.bin");
    assert!(run.stdout.contains("Equal"), "{run}");
}

#[test]
fn v_says_where_flash_and_file_differ_and_ends_with_8() {
    let folder = Folder::with_bench(BENCH);
    folder.write("patched.bin", patched_image());
    let run = folder.fails("3 v /m /b patched.bin", 8);
    assert!(run.stderr.contains("2 bytes differ in banks 0, 2"), "{run}");
    assert!(run.stderr.contains("0x01234"), "{run}");
    assert_eq!(folder.flash(), old_image(), "verifying changes nothing");
}

#[test]
fn e_erases_the_flash_after_a_backup() {
    let folder = Folder::with_bench(BENCH);
    folder.done("3 e --yes");
    assert_eq!(folder.flash(), vec![0xFF; 4 * BANK]);
    assert_eq!(folder.read(&folder.backup()), old_image());
}

#[test]
fn an_erased_flash_is_not_erased_again() {
    let folder = Folder::with_bench(BENCH);
    folder.done("3 e --yes --no-backup");
    let run = folder.done("3 e --yes");
    assert!(run.stdout.contains("blank already"), "{run}");
    let counters = folder.counters();
    assert_eq!(
        (
            counters.sector_erases,
            counters.chip_erases,
            counters.programs
        ),
        (0, 0, 0)
    );
    assert_eq!(folder.files(), [""; 0]);
}

#[test]
fn c_names_drive_mode_and_chip_and_changes_nothing() {
    let folder = Folder::with_bench(BENCH);
    let run = folder.done("3 c");
    for part in [
        "LITE-ON DVD-ROM SIM-256P SIM1",
        "SIM00000001",
        "70",
        "SST39SF020",
    ] {
        assert!(run.stdout.contains(part), "{part}: {run}");
    }
    assert_eq!(folder.flash(), old_image());
    assert_eq!(folder.files(), [""; 0]);
}

#[test]
fn i_shows_an_image_without_any_drive() {
    let folder = Folder::new();
    folder.write("new.bin", new_image());
    let run = folder.done("i new.bin");
    for part in [
        "256 KiB",
        "4 banks",
        "SIM-256P SIM2",
        &sum(&new_image()),
        &sum(&new_image()[..BANK]),
    ] {
        assert!(run.stdout.contains(part), "{part}: {run}");
    }
}

#[test]
fn l_lists_the_drives_of_a_bench() {
    let folder = Folder::with_bench("four-drives.toml");
    let run = folder.done("l");
    for position in 1..=4 {
        let name = format!("POS{position}");
        let name = if position == 3 { "BYS1" } else { &name };
        assert!(
            run.stdout
                .lines()
                .any(|line| line.starts_with(&position.to_string()) && line.contains(name)),
            "{run}"
        );
    }
}

#[test]
fn the_help_comes_on_standard_output_for_every_way_to_ask_for_it() {
    let folder = Folder::new();
    let help = folder.done("/?").stdout;
    assert!(help.contains("mtkflash DRIVE w /m FILE"), "{help}");
    for line in ["", "-?", "--help", "-h", "/h", "help"] {
        let run = folder.done(line);
        assert_eq!(run.stdout, help, "{line}");
        assert_eq!(run.stderr, "", "{line}");
    }
    let of_write = folder.done("help w").stdout;
    assert!(of_write.contains("--dry-run"), "{of_write}");
    for line in ["w /?", "3 w /?", "help WRITE", "/? w"] {
        assert_eq!(folder.done(line).stdout, of_write, "{line}");
    }
}

#[test]
fn the_version_is_the_one_of_the_package() {
    let run = Folder::new().done("--version");
    assert_eq!(
        run.stdout,
        format!("mtkflash {}\n", env!("CARGO_PKG_VERSION"))
    );
}
