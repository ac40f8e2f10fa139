//! Every kind of drive: the parallel and serial ones, the reluctant, the dead.

use mtkflash::sim::Firmware;

use crate::folder::{Folder, KIB, bys1, new_image, old_image, patched_image};

/// Reads, changes two bytes and reads back, all by the binary.
fn can_be_read_and_written(folder: &Folder, drive: &str, more: &str, old: &[u8]) {
    folder.done(&format!("{drive} r /m /b old.bin {more}"));
    assert_eq!(folder.read("old.bin"), old);
    let mut new = old.to_vec();
    let end = new.len() - 1;
    new[0x1_0001] ^= 0x10;
    new[end] = 0x5A;
    folder.write("new.bin", &new);
    folder.done(&format!("{drive} w /m new.bin --yes --backup b.bin {more}"));
    folder.done(&format!("{drive} r /m /b again.bin {more}"));
    assert_eq!(folder.read("again.bin"), new);
    assert_eq!(folder.read("b.bin"), old);
}

#[test]
fn a_dw_d22a_with_16_banks_is_read_and_written() {
    let folder = Folder::with_bench("dw-d22a.toml");
    can_be_read_and_written(&folder, "3", "", &bys1());
    assert_eq!(folder.flash(), folder.read("new.bin"));
    assert_eq!(folder.counters().violations, [""; 0]);
}

#[test]
fn a_serial_drive_of_mode_status_72_is_read_and_written() {
    let folder = Folder::with_bench("serial-72.toml");
    let old = Firmware::new(256 * KIB, 72)
        .identified("LITE-ON", "DVD-ROM SIM-256S", "SIM1")
        .bytes();
    can_be_read_and_written(&folder, "3", "", &old);
    assert_eq!(folder.flash(), folder.read("new.bin"));
    assert_eq!(folder.counters().violations, [""; 0]);
}

#[test]
fn a_serial_drive_of_mode_status_73_is_read_and_written() {
    let folder = Folder::with_bench("serial-73.toml");
    let old = Firmware::new(1024 * KIB, 73)
        .identified("LITE-ON", "DVDRW SIM-1024S", "SIM1")
        .bytes();
    can_be_read_and_written(&folder, "3", "", &old);
    assert_eq!(folder.flash(), folder.read("new.bin"));
    assert_eq!(folder.counters().violations, [""; 0]);
}

#[test]
fn a_drive_behind_usb_is_read_and_written_by_its_path() {
    let folder = Folder::with_bench("usb.toml");
    let old = Firmware::new(256 * KIB, 21)
        .identified("SONY", "DVD RW DW-D22A", "BYS1")
        .bytes();
    can_be_read_and_written(&folder, "/dev/sg4", "", &old);
    assert_eq!(folder.flash_at("/dev/sg4"), folder.read("new.bin"));
}

#[test]
fn a_drive_that_refuses_the_mode_is_told_with_its_status_and_ends_with_6() {
    let folder = Folder::with_bench("refused.toml");
    let before = folder.flash();
    let run = folder.fails("3 c", 6);
    insta::assert_snapshot!(run.message());
    assert_eq!(folder.flash(), before);
}

#[test]
fn a_drive_with_an_unknown_chip_is_checked_with_both_bytes_of_its_id() {
    let folder = Folder::with_bench("unknown-chip.toml");
    let run = folder.done("3 c");
    assert!(run.stdout.contains("ManuID: DA  DevID: 99"), "{run}");
}

#[test]
fn an_unknown_chip_is_read_only_with_an_explicit_size() {
    let folder = Folder::with_bench("unknown-chip.toml");
    let run = folder.fails("3 r /m /b u.bin", 4);
    insta::assert_snapshot!(run.message());
    assert_eq!(folder.files(), [""; 0]);
    folder.done("3 r /m /b u.bin --size 256K");
    assert_eq!(folder.read("u.bin"), folder.flash());
}

#[test]
fn an_unknown_chip_is_never_written() {
    let folder = Folder::with_bench("unknown-chip.toml");
    let before = folder.flash();
    folder.write("new.bin", patched_image());
    let run = folder.fails("3 w /m new.bin --yes --no-backup", 4);
    insta::assert_snapshot!(run.message());
    folder.fails("3 e --yes --no-backup", 4);
    assert_eq!(folder.flash(), before);
}

#[test]
fn a_drive_that_wants_to_be_switched_off_and_on_is_waited_for() {
    let folder = Folder::with_bench("power-cycle.toml");
    let run = folder.fails("3 c", 6);
    insta::assert_snapshot!(run.message());
    let run = folder.done("3 c --wait 200");
    insta::assert_snapshot!(run.stderr);
}

#[test]
fn a_drive_that_refuses_again_and_again_is_told_another_way_each_time() {
    let folder = Folder::with_bench("refused.toml");
    let told: Vec<String> = (1..=6)
        .map(|_| folder.fails("3 c --wait 200", 6).message())
        .collect();
    for (number, pair) in (2..).zip(told.windows(2)) {
        assert_ne!(
            pair[0], pair[1],
            "the refusal {number} reads as the one before"
        );
    }
    for way in [
        "1  Switch",
        "2  Set a jumper",
        "3  Set its channel",
        "4  Put a good",
    ] {
        let first = told.iter().position(|told| told.contains(way));
        assert_eq!(
            first,
            way[..1].parse().ok().map(|at: usize| at - 1),
            "{way}"
        );
    }
    assert!(told[4].contains("--via port"), "{}", told[4]);
}

#[test]
fn a_drive_that_lets_itself_be_entered_begins_anew() {
    let folder = Folder::with_bench("power-cycle.toml");
    folder.fails("3 c", 6);
    let second = folder.fails("3 c", 6).message();
    assert!(second.contains("2  Set a jumper"), "{second}");
    folder.done("3 c --wait 200");
    let first = folder.fails("3 c", 6).message();
    assert!(!first.contains("2  Set a jumper"), "{first}");
}

/// A dead drive with a smaller flash than that of its bench: it is about how
/// the drive is reached.
fn dead() -> Folder {
    let folder = Folder::with_bench("dead.toml");
    let bench = folder
        .text("bench.toml")
        .replace("SST39VF080", "SST39SF020");
    folder.write("bench.toml", bench);
    folder
}

#[test]
fn a_dead_drive_is_found_over_the_ports_alone() {
    let folder = dead();
    let run = folder.fails("3 c", 3);
    insta::assert_snapshot!(run.message());
    folder.done("3 r /m /b dead.bin --via port");
    assert_eq!(folder.read("dead.bin"), folder.flash());
}

#[test]
fn a_dead_drive_with_wrecked_flash_is_written_when_the_model_check_is_overridden_by_name() {
    let folder = dead();
    let wrecked = folder.flash();
    let mut image = old_image();
    // Most of it is in the flash already, so that little has to be written.
    image[0x8000..].copy_from_slice(&wrecked[0x8000..]);
    for bank in image.chunks_mut(0x1_0000) {
        bank[0] = 0x02;
    }
    folder.write("rescue.bin", &image);
    let run = folder.fails("3 w /m rescue.bin --yes --via port", 4);
    insta::assert_snapshot!(run.message());
    assert_eq!(folder.flash(), wrecked);
    folder.done("3 w /m rescue.bin --yes --via port --force=model");
    assert_eq!(folder.flash(), image);
    assert_eq!(folder.read(&folder.backup()), wrecked);
}

#[test]
fn a_dead_drive_with_wrecked_flash_is_told_who_each_image_is_for() {
    let folder = dead();
    let refused = |name: &str, product: &str, revision: &str| {
        let image = Firmware::new(256 * KIB, 9)
            .identified("SONY", product, revision)
            .bytes();
        folder.write(name, image);
        folder.fails(&format!("3 w /m {name} --yes --via port"), 4)
    };
    let run = refused("right.bin", "DVD RW DW-D22A", "BYS1");
    assert!(
        run.stderr.contains("is for SONY DVD RW DW-D22A BYS1."),
        "{run}"
    );
    let run = refused("wrong.bin", "DVD RW DW-Q30A", "YYS1");
    assert!(
        run.stderr.contains("is for SONY DVD RW DW-Q30A YYS1."),
        "{run}"
    );
}

#[test]
fn of_four_drives_the_named_one_is_written_and_no_other() {
    let folder = Folder::with_bench("four-drives.toml");
    let before: Vec<Vec<u8>> = (1..=4).map(|drive| folder.flash_of(drive)).collect();
    for drive in [1, 4] {
        let mut image = folder.flash_of(drive);
        image[0x2_0002] ^= 1;
        folder.write("new.bin", &image);
        folder.done(&format!("{drive} w /m new.bin --yes --no-backup"));
        assert_eq!(folder.flash_of(drive), image);
    }
    assert_eq!(folder.flash_of(3), before[2]);
    assert_ne!(folder.flash_of(1), before[0]);
}

#[test]
fn the_ports_reach_the_same_flash_as_the_packets() {
    let folder = Folder::with_bench("sst39sf020.toml");
    folder.done("3 r /m /b port.bin --via port");
    assert_eq!(folder.read("port.bin"), old_image());
    folder.write("new.bin", patched_image());
    folder.done("3 w /m new.bin --yes --no-backup --via port");
    folder.done("3 v /m new.bin --via ata");
}

#[test]
fn the_list_shows_what_a_drive_was_made_and_nothing_of_one_that_is_blank() {
    let folder = Folder::with_bench("sst39sf020.toml");
    folder.write("new.bin", new_image());
    assert!(folder.done("l").stdout.contains(" SIM1"));
    folder.done("3 w /m new.bin --yes");
    assert!(folder.done("l").stdout.contains(" SIM2"));
    folder.done("3 e --yes");
    let listed = folder.done("l").stdout;
    assert!(listed.contains("does not say what it is"), "{listed}");
}

#[test]
fn a_drive_that_another_run_has_is_listed_as_in_use() {
    let folder = Folder::with_bench("sst39sf020.toml");
    folder.done("3 c");
    assert!(!folder.done("l").stdout.contains("in use"));
    let flash = std::fs::File::open(folder.flash_file()).unwrap();
    let _held = nix::fcntl::Flock::lock(flash, nix::fcntl::FlockArg::LockExclusive).unwrap();
    insta::assert_snapshot!(folder.done("l").stdout);
    assert!(folder.done("l --json").stdout.contains("\"in_use\": true"));
}

#[test]
fn a_drive_that_may_be_read_in_vendor_mode_is_led_there_by_its_refused_read_as_by_its_check() {
    let folder = Folder::with_bench("sd616.toml");
    let line = "r /m /b backup.bin --protocol vendor";
    let checked = folder.done("3 c");
    assert!(checked.stdout.contains(line), "{checked}");
    let run = folder.fails("3 r /m /b d.bin", 4);
    assert!(run.stderr.contains(line), "{run}");
    assert!(run.stderr.contains("answers MTKFLASH"), "{run}");
}

#[test]
fn a_comparison_with_a_drive_that_says_nothing_tells_where_a_write_would_stop() {
    let folder = dead();
    folder.write("new.bin", old_image());
    let run = folder.fails("3 v /m new.bin --via port", 8);
    assert!(run.stderr.contains("3 w /m new.bin"), "{run}");
    assert!(run.stderr.contains("check called model"), "{run}");
}

#[test]
fn a_number_that_two_drives_may_say_is_no_name_while_one_is_in_use() {
    let folder = Folder::new();
    let drive = |position: u8, serial: &str| {
        format!(
            "[[drive]]\nposition = {position}\nvendor = \"LITE-ON\"\nproduct = \"DVD-ROM SIM-256P\"\n\
             revision = \"SIM1\"\nchip = \"SST39SF020\"\nserial = \"{serial}\"\n\
             contents = {{ recipe = \"firmware\", seed = 20 }}\n"
        )
    };
    folder.write(
        "bench.toml",
        drive(1, "SAME01") + &drive(3, "SAME01") + &drive(4, "OTHER1"),
    );
    folder.done("1 c");
    folder.done("3 c");
    let flash = std::fs::File::open(folder.path("bench.state/position-1.flash")).unwrap();
    let _held = nix::fcntl::Flock::lock(flash, nix::fcntl::FlockArg::LockExclusiveNonblock);
    for line in [
        "SAME01 e --yes",
        "SAME01 r /m /b x.bin",
        "OTHER1 e --dry-run",
    ] {
        let run = folder.fails(line, 3);
        assert!(run.stderr.contains("Drive 1 is in use"), "{run}");
    }
    let run = folder.fails("SAME01 r /m /b x.bin", 3);
    assert!(run.stderr.contains("3 r /m /b x.bin"), "{run}");
    folder.done("OTHER1 c");
    let run = folder.fails("OTHER9 c", 3);
    assert!(
        run.stderr.contains("one that is in use was not asked"),
        "{run}"
    );
}
