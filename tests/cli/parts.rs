//! Parts of a flash: `--banks`, `--range` and `--keep`.

use crate::containers::made::zip;
use crate::folder::{BANK, Folder, new_image, old_image, patched_image};

const BENCH: &str = "sst39sf020.toml";

#[test]
fn banks_of_a_flash_are_read_alone() {
    let folder = Folder::with_bench(BENCH);
    folder.done("3 r /m /b part.bin --banks 1,3");
    let old = old_image();
    let expected = [&old[BANK..2 * BANK], &old[3 * BANK..]].concat();
    assert_eq!(folder.read("part.bin"), expected);
}

#[test]
fn banks_of_a_flash_are_read_into_files_of_their_own_numbers() {
    let folder = Folder::with_bench(BENCH);
    folder.done("3 r /b part.bin --banks 2-3");
    assert_eq!(
        folder.files(),
        ["part.02.bin", "part.03.bin", "part.bin.txt"]
    );
    assert_eq!(folder.read("part.03.bin"), old_image()[3 * BANK..]);
}

#[test]
fn a_range_of_a_flash_is_read_alone() {
    let folder = Folder::with_bench(BENCH);
    folder.done(
        "3 r /m /b part.bin --range 0x1200-0x2_0fff"
            .replace('_', "")
            .as_str(),
    );
    assert_eq!(folder.read("part.bin"), old_image()[0x1200..0x2_1000]);
}

#[test]
fn a_write_of_banks_leaves_the_others_as_they_are() {
    let folder = Folder::with_bench(BENCH);
    folder.write("new.bin", patched_image());
    folder.done("3 w /m new.bin --yes --banks 2");
    let mut expected = old_image();
    expected[2 * BANK..3 * BANK].copy_from_slice(&patched_image()[2 * BANK..3 * BANK]);
    assert_eq!(folder.flash(), expected);
    assert_ne!(expected, patched_image());
}

#[test]
fn the_dump_of_a_bank_is_written_back_to_that_bank() {
    let folder = Folder::with_bench(BENCH);
    folder.done("3 r /m /b bank2.bin --banks 2");
    folder.write("new.bin", patched_image());
    folder.done("3 w /m new.bin --yes --no-backup");
    folder.done("3 w /m bank2.bin --yes --banks 2 --no-backup --force=model");
    let mut expected = patched_image();
    expected[2 * BANK..3 * BANK].copy_from_slice(&old_image()[2 * BANK..3 * BANK]);
    assert_eq!(folder.flash(), expected);
}

#[test]
fn a_kept_range_survives_a_write_and_an_erase() {
    let folder = Folder::with_bench(BENCH);
    let old = old_image();
    let mut image = old.clone();
    image[0x4800..0x7000].fill(0x42);
    folder.write("new.bin", &image);
    folder.done("3 w /m new.bin --yes --keep 0x5010-0x501f");
    let mut expected = image;
    expected[0x5010..0x5020].copy_from_slice(&old[0x5010..0x5020]);
    assert_eq!(folder.flash(), expected);
    folder.done("3 e --yes --keep 0x5010-0x501f --keep 3fff0h-3ffffh");
    let mut expected = vec![0xFF; 4 * BANK];
    expected[0x5010..0x5020].copy_from_slice(&old[0x5010..0x5020]);
    expected[0x3_fff0..].copy_from_slice(&old[0x3_fff0..]);
    assert_eq!(folder.flash(), expected);
}

#[test]
fn files_of_banks_that_are_of_two_dumps_are_refused() {
    let folder = Folder::with_bench(BENCH);
    folder.done("3 r /b x.bin");
    folder.done("i x.bin");
    // As a run leaves them that was to replace them and was killed in between.
    let mut bank = old_image()[2 * BANK..3 * BANK].to_vec();
    bank[0x7000] ^= 1;
    folder.write("x.02.bin", &bank);
    for line in ["i x.bin", "3 w x.bin --yes"] {
        let run = folder.run(line);
        assert_eq!(run.code, Some(5), "{run}");
        assert!(run.stderr.contains("some may be of another dump"), "{run}");
    }
    folder.done("3 w x.bin --dry-run --force=structure");
}

#[test]
fn a_dump_of_fewer_banks_than_lie_there_gets_another_name() {
    let folder = Folder::with_bench(BENCH);
    folder.done("3 r /b x.bin");
    folder.done("3 r /b two.bin --banks 0-1");
    let refused = folder.fails("3 r /b x.bin --banks 0-1 --force=overwrite", 4);
    assert!(
        refused.stderr.contains("mtkflash 3 r /b x-2.bin"),
        "{refused}"
    );
    assert!(folder.done("i x.bin").stdout.contains("256 KiB"));
    // Where nothing else has one of the names.
    for number in ["00", "01"] {
        std::fs::remove_file(folder.path(&format!("x.{number}.bin"))).unwrap();
    }
    std::fs::remove_file(folder.path("x.bin.txt")).unwrap();
    let refused = folder.fails("3 r /b x.bin --banks 0-1", 4);
    assert!(
        refused
            .stderr
            .contains("x.02.bin: this file is there already"),
        "{refused}"
    );
    folder.fails("i two.bin --to banks --out x.bin", 4);
    assert!(!folder.path("x.00.bin").exists());
}

#[test]
fn one_name_has_one_form() {
    let folder = Folder::with_bench(BENCH);
    folder.done("3 r /m /b merged.bin");
    folder.done("3 r /b banks.bin");
    for line in [
        "3 r /b merged.bin",
        "3 r /b merged.bin --force=overwrite",
        "3 r /m /b banks.bin --force=overwrite",
        "i merged.bin --to banks --out merged.bin",
    ] {
        let refused = folder.fails(line, 4);
        assert!(refused.stderr.contains("would have one name"), "{refused}");
        assert!(refused.stderr.contains("-2.bin"), "{refused}");
    }
    folder.write("banks.bin", folder.read("merged.bin"));
    let refused = folder.fails("i banks.bin", 5);
    assert!(
        refused.stderr.contains("mtkflash i /m banks.bin"),
        "{refused}"
    );
    folder.done("i /m banks.bin");
}

#[test]
fn where_all_of_it_is_to_be_kept_nothing_is_said_of_the_flash() {
    let folder = Folder::with_bench(BENCH);
    folder.write("new.bin", new_image());
    for line in [
        "3 e --yes --keep 0-0x3ffff",
        "3 e --yes --banks 1 --keep 0x10000-0x1ffff",
        "3 w /m new.bin --yes --keep 0-0x2ffff --keep 0x20000-0x3ffff",
    ] {
        let run = folder.run(line);
        assert_eq!(run.code, Some(2), "{run}");
        assert!(run.stderr.contains("leaves nothing of"), "{run}");
        assert!(!run.stderr.contains("Reading:"), "{run}");
    }
}

#[test]
fn an_erase_of_banks_leaves_the_others_as_they_are() {
    let folder = Folder::with_bench(BENCH);
    folder.done("3 e --yes --banks 1 --backup bank1.bin");
    let mut expected = old_image();
    expected[BANK..2 * BANK].fill(0xFF);
    assert_eq!(folder.flash(), expected);
    assert_eq!(folder.read("bank1.bin"), old_image()[BANK..2 * BANK]);
}

#[test]
fn a_verify_of_banks_looks_at_these_alone() {
    let folder = Folder::with_bench(BENCH);
    folder.write("patched.bin", patched_image());
    folder.done("3 v /m patched.bin --banks 1,3");
    folder.fails("3 v /m patched.bin --banks 1-2", 8);
}

#[test]
fn a_bank_that_the_flash_does_not_have_is_refused_with_those_it_has() {
    let folder = Folder::with_bench(BENCH);
    let run = folder.fails("3 r /m /b x.bin --banks 3-4", 2);
    insta::assert_snapshot!(run.message());
}

#[test]
fn a_range_past_the_end_of_the_flash_is_refused() {
    let folder = Folder::with_bench(BENCH);
    let run = folder.fails("3 e --yes --range 0x30000-0x40000", 2);
    insta::assert_snapshot!(run.message());
    assert_eq!(folder.flash(), old_image());
}

#[test]
fn a_dump_of_a_part_is_no_whole_image_and_the_message_names_the_part() {
    let folder = Folder::with_bench("sst39sf020.toml");
    folder.done("3 r /m /b part.bin --banks 1,2");
    let run = folder.fails("3 w /m part.bin --yes", 5);
    insta::assert_snapshot!(run.message());
    folder.done("3 v /m part.bin --banks 1,2");
}

#[test]
fn what_is_read_of_some_banks_can_be_verified_in_every_format() {
    let folder = Folder::with_bench("sst39sf020.toml");
    for (name, switches) in [
        ("a.bin", "/m /b"),
        ("b.hex", "/m"),
        ("c.bin", "/b"),
        ("d.hex", ""),
    ] {
        folder.done(&format!("3 r {switches} {name} --banks 1,3"));
        let merged = if switches.contains("/m") { "/m" } else { "" };
        folder.done(&format!("3 v {merged} {name} --banks 1,3"));
    }
}

#[test]
fn bytes_that_stay_but_are_erased_on_the_way_are_not_risked_without_a_copy() {
    let folder = Folder::with_bench(BENCH);
    let old = old_image();
    let mut image = old.clone();
    image[0x4800..0x7000].fill(0x42);
    folder.write("new.bin", &image);
    let run = folder.run("3 w /m new.bin --yes --no-backup --keep 0x5010-0x501f");
    assert_eq!(run.code, Some(4), "{}", run.message());
    assert!(
        run.stderr.contains("nothing would keep it"),
        "{}",
        run.stderr
    );
    assert_eq!(folder.flash(), old);
}

#[test]
fn a_part_of_a_bank_is_read_into_raw_binary_alone() {
    let folder = Folder::with_bench(BENCH);
    for line in ["3 r /m part.hex", "3 r /b part", "3 r part"] {
        let part = "--range 0x4000-0x5fff";
        let run = folder.fails(&format!("{line} {part}"), 2);
        let name = line.split(' ').next_back().unwrap();
        let raw = format!("3 r /m /b {name} {part}");
        assert!(run.stderr.contains(&raw), "{run}");
        folder.done(&raw);
        folder.done(&format!("3 v {name} {part}"));
        let seen = folder.done(&format!("i {name}"));
        assert!(
            seen.stdout
                .contains("a part of a flash by its record: 0x04000-0x05fff"),
            "{seen}"
        );
        std::fs::remove_file(folder.path(name)).unwrap();
        std::fs::remove_file(folder.path(&format!("{name}.txt"))).unwrap();
    }
}

#[test]
fn a_dump_of_whole_banks_is_used_as_it_was_read_whatever_names_them() {
    let folder = Folder::with_bench(BENCH);
    let old = folder.done("3 c").code.map(|_| folder.flash()).unwrap();
    for form in ["/m x.hex", "/b x", "x"] {
        for part in [
            "--range 0x10000-0x1ffff",
            "--range 0x0-0x2ffff",
            "--banks 0,3",
        ] {
            let name = form.split(' ').next_back().unwrap();
            folder.done(&format!("3 r {form} {part}"));
            folder.done(&format!("3 v {name} {part}"));
            folder.done(&format!("3 w {name} {part} --yes"));
            let seen = folder.done(&format!("i {name}"));
            assert!(
                seen.stdout.contains("a part of a flash by its record"),
                "{seen}"
            );
            // Without its place it is led to that.
            let run = folder.fails(&format!("3 v {name}"), 5);
            assert!(run.stderr.contains("holds a part of a flash only"), "{run}");
            let run = folder.fails(&format!("i {name} --to bin --out y"), 4);
            assert!(run.stderr.contains("its record says so"), "{run}");
            for file in folder.files() {
                std::fs::remove_file(folder.path(&file)).unwrap();
            }
        }
    }
    assert!(folder.flash() == old);
}

#[test]
fn what_no_flash_has_the_size_of_is_not_made_into_files_of_banks() {
    let folder = Folder::with_bench(BENCH);
    folder.write("bank.bin", &old_image()[..BANK]);
    let run = folder.fails("i bank.bin --to banks --out z", 4);
    assert!(
        run.stderr.contains("--banks and the number of its bank"),
        "{run}"
    );
    assert_eq!(folder.files(), ["bank.bin"]);
}

#[test]
fn what_was_kept_is_left_out_of_a_comparison_and_of_the_write_that_it_leads_to() {
    let folder = Folder::with_bench(BENCH);
    folder.write("new.bin", new_image());
    let keep = "--keep 0x4100-0x41ff";
    folder.done(&format!("3 w /m new.bin {keep} --yes"));
    let held = folder.flash();
    let run = folder.done(&format!("3 v /m new.bin {keep}"));
    assert!(run.stdout.contains("to be kept, as you asked"), "{run}");
    folder.write("old.bin", old_image());
    let run = folder.fails(&format!("3 v /m old.bin {keep}"), 8);
    assert!(
        run.stderr.contains(&format!("3 w /m old.bin {keep}")),
        "{run}"
    );
    assert!(folder.flash() == held);
}

#[test]
fn the_lower_half_of_a_flash_is_no_damaged_image_of_another_one() {
    let folder = Folder::with_bench("dw-d22a.toml");
    folder.done("3 r /m /b old.bin");
    let mut new = folder.read("old.bin");
    new[0x7_8000..0x7_9000].reverse();
    folder.write("new.bin", &new);
    let run = folder.done("3 w /m new.bin --banks 0-7 --yes --backup half.bin");
    assert!(!run.stdout.contains("looks damaged"), "{run}");
    folder.done("3 w /m /b half.bin --banks 0-7 --yes");
    assert!(folder.flash() == folder.read("old.bin"));
}

#[test]
fn a_copy_of_a_part_is_the_part_by_the_record_that_came_with_it() {
    let folder = Folder::with_bench(BENCH);
    folder.done("3 r /m /b x.bin --banks 0,3");
    let (dump, record) = (folder.read("x.bin"), folder.read("x.bin.txt"));
    folder.write("x.zip", zip(&[("x.bin", &dump), ("x.bin.txt", &record)]));
    folder.write("copy.bin", &dump);
    for name in ["x.zip", "copy.bin"] {
        let seen = folder.done(&format!("i {name}"));
        assert!(
            seen.stdout.contains("a part of a flash by its record"),
            "{seen}"
        );
        for line in [
            format!("3 v {name} --banks 0-1"),
            format!("3 w {name} --banks 0-1 --yes"),
        ] {
            let run = folder.fails(&line, 5);
            assert!(run.stderr.contains("--banks 0,3"), "{run}");
        }
    }
}

#[test]
fn a_range_in_files_of_banks_is_led_to_the_banks() {
    let folder = Folder::with_bench(BENCH);
    folder.done("3 r h.hex --banks 1-2");
    let run = folder.fails("3 v h.hex --range 0x10000-0x100ff", 5);
    assert!(run.stderr.contains("3 v h.hex --banks 1"), "{run}");
}
