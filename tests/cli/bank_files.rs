//! A dump in a file per bank, by whatever name and in whatever part it is used.

use crate::containers::made::{gzip, zip};
use crate::folder::{Folder, old_image, patched_image};
use mtkflash::image::Crc32;

const BENCH: &str = "sst39sf020.toml";
const GAPS: &str = "mt1939-gaps.toml";
const BANK: usize = 0x1_0000;

fn dumped() -> Folder {
    let folder = Folder::with_bench(BENCH);
    folder.write("patched.bin", patched_image());
    folder.done("3 r /b x.bin");
    folder
}

/// The files of banks of an image, without a record.
fn with_banks_of(folder: &Folder, name: &str, image: &[u8]) {
    for (number, bank) in image.chunks(BANK).enumerate() {
        folder.write(&format!("{name}.{number:02}.bin"), bank);
    }
}

#[test]
fn the_first_of_several_files_stands_for_the_record_of_all_of_them() {
    let folder = Folder::with_bench(GAPS);
    folder.done("3 r /b x.bin");
    for name in ["x.bin", "x.00.bin"] {
        let refused = folder.fails(&format!("3 w {name} --no-backup --yes"), 4);
        assert!(refused.stderr.contains("check: gaps"), "{refused}");
        let seen = folder.fails(&format!("i {name}"), 5);
        assert!(seen.stdout.contains("no whole firmware"), "{seen}");
    }
}

#[test]
fn files_that_are_not_what_their_record_says_are_refused_by_every_name() {
    let folder = dumped();
    let mut bank = old_image()[2 * BANK..3 * BANK].to_vec();
    bank[0x7000] ^= 1;
    folder.write("x.02.bin", &bank);
    for line in [
        "3 w x.bin --yes",
        "3 w x.00.bin --yes",
        "3 w x.bin --banks 0 --yes",
    ] {
        let refused = folder.fails(line, 5);
        assert!(
            refused.stderr.contains("may be of another dump"),
            "{refused}"
        );
    }
    assert!(folder.flash() == old_image());
    let seen = folder.fails("i x.00.bin", 5);
    assert!(seen.stdout.contains("perhaps a mixture"), "{seen}");
    let compared = folder.fails("3 v x.bin", 8);
    assert!(
        compared.stderr.contains("no file to write into this drive"),
        "{compared}"
    );
}

#[test]
fn a_backup_is_no_file_of_the_image_and_has_not_its_name() {
    let folder = dumped();
    for line in [
        "3 w x.00.bin --backup x.01.bin --force=overwrite --yes",
        "3 w x.bin --backup x.bin --yes",
        "3 w x.00.bin --backup x.bin --yes",
    ] {
        let refused = folder.fails(line, 4);
        assert!(refused.stderr.contains("Nothing was changed"), "{refused}");
    }
    assert!(folder.read("x.01.bin") == old_image()[BANK..2 * BANK]);
}

#[test]
fn a_bank_goes_into_its_own_place_whichever_file_is_named() {
    let folder = dumped();
    folder.write("new.bin", patched_image());
    folder.done("3 w /m new.bin --no-backup --yes");
    folder.done("3 w x.00.bin --banks 1 --no-backup --yes");
    let mut expected = patched_image();
    expected[BANK..2 * BANK].copy_from_slice(&old_image()[BANK..2 * BANK]);
    assert!(folder.flash() == expected);
    for verb in ["w", "v"] {
        let refused = folder.fails(&format!("3 {verb} x.02.bin --banks 1"), 5);
        assert!(refused.stderr.contains("bank 2 by its name"), "{refused}");
        assert!(refused.stderr.contains("x.02.bin --banks 2"), "{refused}");
    }
    folder.done("3 w x.02.bin --banks 2 --no-backup --force=model --yes");
}

#[test]
fn some_banks_of_an_own_dump_are_taken_and_are_no_mixture() {
    let folder = dumped();
    for line in ["3 v x.bin --banks 0-1", "3 w x.bin --banks 1 --dry-run"] {
        let run = folder.done(line);
        assert!(!run.stdout.contains("record of another file"), "{run}");
    }
    folder.done("3 r /b part.bin --banks 2-3");
    let run = folder.done("3 v part.bin --banks 2-3");
    assert!(!run.stdout.contains("record of another file"), "{run}");
}

#[test]
fn what_a_read_of_some_banks_names_next_is_taken() {
    let folder = Folder::with_bench(BENCH);
    let run = folder.done("3 r /b part.bin --banks 1-2");
    assert!(run.stdout.contains("3 v part.bin --banks 1-2"), "{run}");
    folder.done("3 v part.bin --banks 1-2");
}

#[test]
fn of_some_banks_of_an_image_all_of_it_is_looked_at() {
    let folder = Folder::with_bench(BENCH);
    // Four times the size of the flash.
    with_banks_of(&folder, "large", &old_image().repeat(4));
    let refused = folder.run("3 w large.bin --banks 0-1 --force=structure --yes");
    assert_eq!(refused.code, Some(5), "{refused}");
    assert!(folder.flash() == old_image(), "{refused}");
    let mut copied = old_image();
    copied.copy_within(0..BANK, 2 * BANK);
    with_banks_of(&folder, "copied", &copied);
    let refused = folder.fails("3 w copied.bin --banks 0-1 --yes", 4);
    assert!(refused.stderr.contains("check: structure"), "{refused}");
    // What says which drive it is for is in another bank than this one.
    with_banks_of(&folder, "new", &patched_image());
    folder.done("3 w new.bin --banks 3 --dry-run");
}

#[test]
fn whole_dumps_that_are_numbered_are_no_banks() {
    let folder = Folder::with_bench(BENCH);
    folder.done("3 r /m /b d.00.bin");
    folder.done("3 r /m /b d.01.bin");
    for line in [
        "i d.00.bin",
        "i d.01.bin",
        "3 v /m d.00.bin",
        "3 v d.00.bin",
        "3 v d.00.bin --banks 1",
        "3 w d.01.bin --banks 3 --dry-run",
    ] {
        folder.done(line);
    }
}

#[test]
fn a_record_is_found_in_the_archive_and_beside_a_copy() {
    let folder = Folder::with_bench(GAPS);
    folder.done("3 r /m /b x.bin");
    let (dump, record) = (folder.read("x.bin"), folder.read("x.bin.txt"));
    folder.write("x.zip", zip(&[("x.bin", &dump), ("x.bin.txt", &record)]));
    folder.write("copy.bin", folder.read("x.bin"));
    for name in ["x.bin", "copy.bin", "x.zip"] {
        let refused = folder.fails(&format!("3 w {name} --no-backup --yes"), 4);
        assert!(refused.stderr.contains("check: gaps"), "{refused}");
        let seen = folder.fails(&format!("i {name}"), 5);
        assert!(seen.stdout.contains("no whole firmware"), "{seen}");
    }
}

#[test]
fn what_a_killed_read_has_left_without_its_name_is_told_until_it_has_it() {
    let folder = dumped();
    let bank = folder.read("x.02.bin");
    let content = format!("{} {:08x}", bank.len(), Crc32::of(&bank).0);
    folder.write(".mtkflash-killed.part", &bank);
    folder.write(
        ".mtkflash-killed.group",
        format!(".mtkflash-killed.part\0x.02.bin\0{content}\0-\0\0"),
    );
    folder.write("x.02.bin", vec![0x5A; BANK]);
    for line in ["i x.bin", "3 v x.bin", "3 w x.00.bin --dry-run"] {
        let seen = folder.run(line);
        let told = "to give x.02.bin its bytes was killed. They are in .mtkflash-killed.part";
        assert!(seen.stderr.contains(told), "{seen}");
        assert_ne!(seen.code, Some(0), "{seen}");
    }
    std::fs::rename(folder.path("x.02.bin"), folder.path("other")).unwrap();
    let seen = folder.done("i x.bin");
    assert!(!seen.stderr.contains("was killed"), "{seen}");
    assert!(folder.read("x.02.bin") == bank);
    assert!(!folder.holds(".mtkflash-killed.group"));
}

#[test]
fn the_bank_files_of_a_dump_in_an_archive_are_one_image() {
    let folder = dumped();
    let names = ["x.00.bin", "x.01.bin", "x.02.bin", "x.03.bin", "x.bin.txt"];
    let contents = names.map(|name| folder.read(name));
    let members: Vec<(String, &[u8])> = names
        .iter()
        .map(|name| format!("dumps/{name}"))
        .zip(contents.iter().map(Vec::as_slice))
        .collect();
    let members: Vec<(&str, &[u8])> = members
        .iter()
        .map(|(name, content)| (name.as_str(), *content))
        .collect();
    folder.write("x.zip", zip(&members));
    let seen = folder.done("i x.zip");
    assert!(seen.stdout.contains("dumps/x.bin in this file"), "{seen}");
    folder.done("3 w /m patched.bin --yes");
    folder.done("3 w x.zip --banks 1 --yes");
    folder.done("3 w x.zip --yes");
    assert!(folder.flash() == old_image());

    // Without one of them each is for itself.
    // One of them is of another dump than the record beside them.
    let mut mixed = contents[2].clone();
    mixed[0x7000] ^= 1;
    let mut members_of_two = members.clone();
    members_of_two[2].1 = &mixed;
    folder.write("two.zip", zip(&members_of_two));
    for line in ["i two.zip", "3 w two.zip --yes"] {
        let refused = folder.fails(line, 5);
        assert!(
            refused.stderr.contains("what the record beside them in it"),
            "{refused}"
        );
    }
    folder.write("three.zip", zip(&members[1..]));
    let refused = folder.fails("3 w three.zip --yes", 5);
    assert!(refused.stderr.contains("--entry"), "{refused}");
}

#[test]
fn a_bank_goes_into_its_own_place_also_out_of_an_archive() {
    let folder = dumped();
    let bank = folder.read("x.01.bin");
    folder.write("one.zip", zip(&[("x.01.bin", &bank)]));
    folder.write("one.gz", gzip("x.01.bin", &bank));
    for file in ["one.zip", "one.gz"] {
        let refused = folder.fails(&format!("3 w {file} --banks 3 --yes"), 5);
        assert!(refused.stderr.contains("bank 1 by its name"), "{refused}");
        folder.done(&format!("3 v {file} --banks 1"));
    }
    assert!(folder.flash() == old_image());
}

#[test]
fn content_that_the_flash_has_in_another_bank_is_refused() {
    let folder = dumped();
    let image = old_image();
    let reversed: Vec<u8> = image.chunks(BANK).rev().flatten().copied().collect();
    folder.write("reversed.bin", &reversed);
    folder.write("first", &image[..BANK]);
    for line in ["3 w /m reversed.bin --yes", "3 w /m first --banks 1 --yes"] {
        let refused = folder.fails(line, 4);
        let told = "and the flash has them at 0x04120, in bank 0";
        assert!(refused.stderr.contains(told), "{refused}");
        assert!(refused.stderr.contains("check: structure"), "{refused}");
    }
    assert!(folder.flash() == image);
    for line in ["3 v /m reversed.bin", "3 v /m first --banks 1"] {
        let different = folder.fails(line, 8);
        let told = "It is no file to write into this drive. The image has the drive's names";
        assert!(different.stderr.contains(told), "{different}");
        assert!(!different.stderr.contains("3 w"), "{different}");
    }
    folder.done("3 w /m first --banks 0 --yes");
    // What is not written is in no wrong place.
    folder.done("3 w /m reversed.bin --range 0x11000-0x11fff --yes");
}

/// A HEX file of these bytes at their own addresses, as `objcopy` makes one.
fn addressed(image: &[u8], places: std::ops::Range<usize>) -> String {
    let record = |kind: u8, at: u16, data: &[u8]| {
        let mut bytes = vec![data.len() as u8];
        bytes.extend(at.to_be_bytes());
        bytes.push(kind);
        bytes.extend(data);
        let sum = bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_sub(*byte));
        bytes.push(sum);
        let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        format!(":{digits}\n")
    };
    let lines = places.step_by(16).map(|at| {
        let bank = record(4, 0, &((at / BANK) as u16).to_be_bytes());
        bank + &record(0, (at % BANK) as u16, &image[at..at + 16])
    });
    lines.collect::<String>() + ":00000001FF\n"
}

#[test]
fn a_part_in_a_hex_file_goes_where_its_addresses_say() {
    let folder = dumped();
    let image = patched_image();
    for (places, switch, other) in [
        (2 * BANK..4 * BANK, "--banks 2-3", "--banks 0-1"),
        (BANK..2 * BANK, "--banks 1", "--banks 0"),
        (
            2 * BANK + 0x2100..2 * BANK + 0x3000,
            "--range 0x22100-0x22fff",
            "--range 0x2100-0x2fff",
        ),
    ] {
        folder.write("part.hex", addressed(&image, places.clone()));
        let refused = folder.fails(&format!("3 w part.hex {other} --yes"), 5);
        assert!(
            refused.stderr.contains("by the addresses in it"),
            "{refused}"
        );
        let mut expected = folder.flash();
        expected[places.clone()].copy_from_slice(&image[places.clone()]);
        folder.done(&format!("3 w part.hex {switch} --force=model --yes"));
        assert!(folder.flash() == expected, "{places:?}");
        folder.done(&format!("3 v part.hex {switch}"));
    }
    // Addresses from 0 on say nothing: many programs write them whatever it is. The names in
    // it do.
    folder.write("part.hex", addressed(&image, 0..BANK));
    let refused = folder.fails("3 w part.hex --banks 3 --yes", 4);
    assert!(refused.stderr.contains("in bank 0"), "{refused}");
    // A line that is missing inside of the part is missed.
    let text = addressed(&image, BANK..2 * BANK);
    let lines: Vec<&str> = text.lines().collect();
    folder.write(
        "part.hex",
        [&lines[..600], &lines[602..]].concat().join("\n"),
    );
    let refused = folder.fails("3 w part.hex --banks 1 --yes", 4);
    assert!(refused.stderr.contains("structure"), "{refused}");
}

#[test]
fn a_dump_of_one_bank_as_hex_is_looked_at_as_a_part() {
    let folder = dumped();
    folder.done("3 r /m p.hex --banks 3");
    let seen = folder.done("i p.hex");
    assert!(seen.stdout.contains("a part of a flash"), "{seen}");
    folder.done("3 v p.hex --banks 3");
}
