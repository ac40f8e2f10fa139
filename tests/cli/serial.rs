//! Serial flash that is erased by sectors, or that no command unprotects.

use crate::folder::Folder;

/// A drive with 256 KiB of serial flash that knows sectors, with these keys more.
fn drive(mode_status: &str, more: &str) -> Folder {
    let folder = Folder::new();
    folder.write(
        "bench.toml",
        format!(
            "[[drive]]\nposition = 3\nvendor = \"LITE-ON\"\nproduct = \"DVD-ROM SIM-256S\"\n\
             revision = \"SIM1\"\nserial = \"SIM00000003\"\nchip = \"MX25L2005\"\n\
             mode_status = {mode_status}\ncontents = {{ recipe = \"firmware\", seed = 72 }}\n{more}"
        ),
    );
    let mut image = folder.flash();
    image[0x2_1234] ^= 0xFF;
    folder.write("new.bin", image);
    folder
}

#[test]
fn a_changed_byte_empties_its_sector_and_no_other() {
    let folder = drive("0x72", "");
    let run = folder.done("3 w /m new.bin --yes");
    assert!(run.stdout.contains("erase 1 sector (4 KiB)"), "{run}");
    let counters = folder.counters();
    let erases = (counters.sector_erases, counters.chip_erases);
    assert_eq!(erases, (1, 0), "{run}");
    assert!(folder.flash() == folder.read("new.bin"));
    // By the other mailbox nobody erased a sector.
    let folder = drive("0x73", "");
    folder.done("3 w /m new.bin --yes");
    assert_eq!(folder.counters().chip_erases, 1);
}

#[test]
fn a_chip_that_is_write_protected_in_hardware_is_said_to_be_and_not_worn() {
    let folder = drive("0x72", "wp_held = true");
    let before = folder.flash();
    let run = folder.fails("3 w /m new.bin --yes", 6);
    assert!(folder.flash() == before);
    insta::assert_snapshot!(run.message());
}
