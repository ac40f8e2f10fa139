//! What must not get into a drive does not, and the message says why.

use mtkflash::protocol::Protocol;

use crate::drives::{ALL, BTC, Drive, MT1939, MT1959, TSST, bu40n};
use crate::folder::{Folder, Run, bys1};

/// Runs a line that has to be refused, and makes sure that nothing was sent.
fn refused(folder: &Folder, line: &str, code: i32) -> Run {
    let before = folder.flash();
    let run = folder.fails(line, code);
    // Before the bench is opened again to look at the flash, which counts anew.
    if folder.holds("bench.state/position-3.counters.toml") {
        let counters = folder.counters();
        let packets = &counters.packets;
        assert_eq!((packets.of(0x3B), packets.of(0xFF)), (0, 0), "{run}");
        assert_eq!(counters.violations, [""; 0], "{run}");
    }
    assert!(folder.flash() == before, "{run}");
    assert!(run.stderr.contains("Nothing was changed."), "{run}");
    run
}

fn refused_image(drive: &Drive, image: &[u8], code: i32) -> Run {
    let folder = drive.folder();
    folder.write("bad.bin", image);
    refused(&folder, "3 w /m bad.bin --yes --no-backup", code)
}

#[test]
fn an_image_of_another_family_fits_no_drive() {
    for drive in ALL {
        for other in ALL {
            if drive.protocol == other.protocol {
                continue;
            }
            let folder = drive.folder();
            folder.write("other.bin", other.image());
            let run = folder.run("3 w /m other.bin --yes --no-backup");
            // The wrong size, or the wrong names.
            assert!(matches!(run.code, Some(4 | 5)), "{run}");
            assert!(run.stderr.contains("Nothing was changed."), "{run}");
            let packets = folder.counters().packets;
            assert_eq!((packets.of(0x3B), packets.of(0xFF)), (0, 0), "{run}");
        }
    }
}

#[test]
fn an_image_of_another_make_and_the_right_size_is_told_from_what_it_names() {
    insta::assert_snapshot!(refused_image(&BTC, &bys1(), 4).message());
}

#[test]
fn an_image_of_another_model_is_refused_by_its_banner() {
    insta::assert_snapshot!(refused_image(&MT1959, &bu40n(), 4).message());
}

#[test]
fn an_image_whose_names_are_at_home_in_another_family_is_refused() {
    insta::assert_snapshot!(
        "mt1959",
        refused_image(&MT1959, MT1939.image(), 5).message()
    );
    insta::assert_snapshot!(
        "mt1939",
        refused_image(&MT1939, MT1959.image(), 4).message()
    );
}

#[test]
fn a_damaged_mt1939_image_is_no_image() {
    let mut image = MT1939.image().to_vec();
    image[0x8_0000] ^= 1;
    insta::assert_snapshot!(refused_image(&MT1939, &image, 5).message());
}

#[test]
fn what_is_blank_text_or_of_another_size_is_no_image() {
    for drive in ALL {
        let size = drive.image().len();
        for bad in [
            vec![0xFF; size],
            vec![0x00; size],
            b"no firmware ".repeat(size.div_ceil(12))[..size].to_vec(),
            drive.image()[..size / 2].to_vec(),
            drive.image()[..size - 1].to_vec(),
        ] {
            refused_image(drive, &bad, 5);
        }
    }
    insta::assert_snapshot!(refused_image(&TSST, &TSST.image()[..0x2_0000], 5).message());
}

#[test]
fn a_part_of_such_a_flash_is_not_written() {
    for drive in ALL {
        let folder = drive.folder();
        for part in ["--banks 0", "--range 0x0-0xffff", "--keep 0x0-0xff"] {
            refused(&folder, &format!("{} {part}", drive.line()), 4);
        }
    }
    let run = refused(
        &TSST.folder(),
        "3 w /m new.bin --yes --no-backup --banks 0",
        4,
    );
    insta::assert_snapshot!(run.message());
}

#[test]
fn the_protocol_that_is_named_must_be_the_drives() {
    for drive in ALL {
        let folder = drive.folder();
        let name = drive.protocol.name();
        folder.done(&format!("3 c --protocol {name}"));
        if drive.protocol != Protocol::Mt1959 {
            let asked = folder.counters().packets.of(0x3C);
            assert_eq!(asked, 0, "it was not asked for");
        }
        for other in ALL {
            if other.protocol != drive.protocol {
                let name = other.protocol.name();
                for line in ["3 c", "3 r /m /b dump.bin", drive.line()] {
                    refused(&folder, &format!("{line} --protocol {name}"), 4);
                }
            }
        }
    }
    let line = "3 r /m /b dump.bin --protocol mt1959";
    insta::assert_snapshot!(refused(&BTC.folder(), line, 4).message());
}

#[test]
fn a_protocol_that_does_not_exist_is_a_slip_of_the_pen() {
    let run = refused(&BTC.folder(), "3 c --protocol mt1949", 2);
    assert!(run.stderr.contains("mt1949"), "{run}");
}

#[test]
fn nobody_at_a_terminal_and_no_yes_is_no_consent() {
    for drive in ALL {
        let line = drive.line().replace(" --yes", "");
        refused(&drive.folder(), &line, 4);
    }
}

#[test]
fn an_image_that_is_listed_for_drives_of_another_way_is_no_question_of_the_model() {
    for (drive, other) in [
        (&BTC, &*bys1()),
        (&MT1939, MT1959.image()),
        (&MT1959, MT1939.image()),
    ] {
        let folder = drive.folder();
        folder.write("other.bin", other);
        let code = if drive.protocol == Protocol::Mt1959 {
            5
        } else {
            4
        };
        let line = "3 w /m other.bin --yes --no-backup --force=model";
        let run = refused(&folder, line, code);
        let may_be_forced = run.stderr.contains("the name of the check: family");
        let is_never = run.stderr.contains("no firmware for a Blu-ray drive");
        assert!(may_be_forced || is_never, "{run}");
        assert!(!run.stderr.contains("name of the check: model"), "{run}");
    }
}

#[test]
fn what_no_switch_lets_through_is_said_before_any_check_is_named() {
    let folder = MT1959.folder();
    folder.write("slim.bin", bu40n());
    for line in [
        "3 w /m slim.bin --yes",
        "3 w /m slim.bin --yes --force=model",
    ] {
        let run = refused(&folder, line, 4);
        assert!(run.stderr.contains("no switch lets it through"), "{run}");
        assert!(!run.stderr.contains("name of the check"), "{run}");
        assert!(!run.stdout.contains("Reading bank"), "{run}");
    }
}
