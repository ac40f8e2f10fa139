//! What stands between a user and a changed flash, and what is not written.

use mtkflash::sim::Firmware;

use crate::folder::{Folder, KIB, bys1, new_image, old_image, patched_image};

const BENCH: &str = "sst39sf020.toml";

fn sony(revision: &str) -> Vec<u8> {
    let mut image = bys1();
    let block = Firmware::new(1024 * KIB, 22)
        .identified("SONY", "DVD RW DW-D22A", revision)
        .bytes();
    image[..0x1_0000].copy_from_slice(&block[..0x1_0000]);
    image
}

/// The DW-D22A's own image with another name in it.
fn renamed(vendor: &str, product: &str, revision: &str) -> Vec<u8> {
    Firmware::new(1024 * KIB, 22)
        .identified(vendor, product, revision)
        .bytes()
}

#[test]
fn an_equal_image_writes_nothing_and_says_so() {
    let folder = Folder::with_bench(BENCH);
    folder.write("old.bin", old_image());
    let run = folder.done("3 w /m old.bin --yes");
    assert!(run.stdout.contains("Nothing was written"), "{run}");
    let counters = folder.counters();
    assert_eq!(
        (
            counters.programs,
            counters.sector_erases,
            counters.chip_erases
        ),
        (0, 0, 0)
    );
    assert_eq!(folder.files(), ["old.bin"], "no backup is needed");
}

#[test]
fn one_different_byte_costs_one_sector_at_most() {
    let folder = Folder::with_bench(BENCH);
    let mut image = old_image();
    image[0x2_0005] = !image[0x2_0005];
    folder.write("new.bin", &image);
    folder.done("3 w /m new.bin --yes");
    let counters = folder.counters();
    assert_eq!((counters.sector_erases, counters.chip_erases), (1, 0));
    assert!(counters.programs <= 0x1000, "{}", counters.programs);
    assert_eq!(folder.flash(), image);
}

#[test]
fn bits_that_only_need_clearing_are_programmed_without_an_erase() {
    let folder = Folder::with_bench(BENCH);
    let mut image = old_image();
    image[0x1_0005] = 0;
    folder.write("new.bin", &image);
    folder.done("3 w /m new.bin --yes");
    let counters = folder.counters();
    assert_eq!((counters.sector_erases, counters.programs), (0, 1));
    assert_eq!(folder.flash(), image);
}

#[test]
fn a_dry_run_shows_the_plan_and_changes_nothing() {
    let folder = Folder::with_bench(BENCH);
    folder.write("new.bin", patched_image());
    let run = folder.done("3 w /m new.bin --dry-run");
    assert!(
        run.stdout.contains("Dry run: nothing was changed."),
        "{run}"
    );
    assert!(run.stdout.contains("erase 2 sectors"), "{run}");
    assert_eq!(folder.flash(), old_image());
    assert_eq!(folder.files(), ["new.bin"]);
    folder.done("3 e --dry-run");
    assert_eq!(folder.flash(), old_image());
}

#[test]
fn without_a_terminal_an_image_for_other_hardware_is_said_to_be_that() {
    let folder = Folder::with_bench("dw-d22a.toml");
    folder.write("es0p.bin", renamed("LITE-ON", "DVD+RW LDW-401S", "ES0P"));
    let run = folder.run("3 w /m es0p.bin");
    assert_ne!(run.code, Some(0), "{run}");
    assert!(run.stderr.contains("other hardware"), "{run}");
    assert!(!run.stderr.contains("no terminal"), "{run}");
    assert!(!folder.holds("bench.state/log"), "{run}");
}

#[test]
fn without_a_terminal_and_without_yes_the_drive_is_not_touched() {
    let folder = Folder::with_bench(BENCH);
    folder.write("new.bin", patched_image());
    let run = folder.fails("3 w /m new.bin", 4);
    insta::assert_snapshot!(run.message());
    assert!(
        !folder.holds("bench.state/log"),
        "it was asked no more than who it is"
    );
    folder.fails("3 e", 4);
    assert_eq!(folder.flash(), old_image());
}

#[test]
fn an_image_of_the_same_model_with_another_revision_fits() {
    let folder = Folder::with_bench("dw-d22a.toml");
    folder.write("bys2.bin", sony("BYS2"));
    folder.done("3 w /m bys2.bin --yes");
    assert_eq!(folder.flash(), sony("BYS2"));
}

#[test]
fn an_image_for_another_model_of_the_family_needs_force_model() {
    let folder = Folder::with_bench("dw-d22a.toml");
    let image = renamed("LITE-ON", "DVDRW SOHW-1633S", "BS41");
    folder.write("bs41.bin", &image);
    let run = folder.fails("3 w /m bs41.bin --yes", 4);
    insta::assert_snapshot!(run.message());
    folder.fails("3 w /m bs41.bin --yes --force=family,blank,overwrite", 4);
    assert_eq!(folder.flash(), bys1());
    let run = folder.done("3 w /m bs41.bin --yes --force=model");
    assert!(run.stdout.contains("--force=model"), "{run}");
    assert_eq!(folder.flash(), image);
}

#[test]
fn an_image_of_another_family_needs_force_family() {
    let folder = Folder::with_bench("dw-d22a.toml");
    let image = renamed("LITE-ON", "DVD+RW LDW-401S", "ES0P");
    folder.write("es0p.bin", &image);
    let run = folder.fails("3 w /m es0p.bin --yes", 4);
    insta::assert_snapshot!(run.message());
    folder.fails("3 w /m es0p.bin --yes --force=model,blank,overwrite", 4);
    assert_eq!(folder.flash(), bys1());
    folder.done("3 w /m es0p.bin --yes --force=family");
    assert_eq!(folder.flash(), image);
}

#[test]
fn an_image_that_names_no_drive_needs_force_model() {
    let folder = Folder::with_bench(BENCH);
    let image = Firmware::new(256 * KIB, 20).bytes();
    folder.write("anonymous.bin", &image);
    let run = folder.fails("3 w /m anonymous.bin --yes", 4);
    insta::assert_snapshot!(run.message());
    assert_eq!(folder.flash(), old_image());
    folder.done("3 w /m anonymous.bin --yes --force=model");
    assert_eq!(folder.flash(), image);
}

#[test]
fn the_drive_is_out_of_vendor_mode_after_every_end() {
    let folder = Folder::with_bench(BENCH);
    folder.write("new.bin", new_image());
    folder.write("other.bin", Firmware::new(256 * KIB, 5).bytes());
    for (line, code) in [
        ("3 c", 0),
        ("3 r /m /b x.bin", 0),
        ("3 v /m new.bin", 8),
        ("3 w /m other.bin --yes", 4),
        ("3 r /m y.bin --banks 9", 2),
    ] {
        folder.fails(line, code);
        let bench = mtkflash::sim::Bench::open(&folder.path("bench.toml")).unwrap();
        assert!(!bench.drive(3).unwrap().in_vendor_mode(), "{line}");
    }
}

#[test]
fn an_image_for_another_model_is_refused_before_a_drive_that_refuses_is_prepared() {
    let folder = Folder::with_bench("refused.toml");
    folder.write("new.bin", bys1());
    let run = folder.fails("3 w /m new.bin --yes", 4);
    assert!(run.stderr.contains("the drive is LITE-ON"), "{run}");
    assert!(!run.stderr.contains("eject button"), "{run}");
    folder.write("own.bin", new_image());
    let run = folder.fails("3 w /m own.bin --yes", 6);
    assert!(run.stderr.contains("eject button"), "{run}");
}

#[test]
fn banks_that_an_erase_has_sent_are_called_erased() {
    let folder = Folder::with_bench("mt1939.toml");
    let run = folder.done("3 e --yes");
    assert!(run.stderr.contains("erased and read back"), "{run}");
    assert!(!run.stderr.contains("written and read back"), "{run}");
    assert!(
        run.stdout.contains("but for what is left out above"),
        "{run}"
    );
}
