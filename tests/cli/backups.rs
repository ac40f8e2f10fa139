//! The way back: backups, their records, and dumps that are none.

use mtkflash::job::record::Record;

use crate::folder::{Folder, new_image, old_image, patched_image};

const BENCH: &str = "sst39sf020.toml";

fn ready() -> Folder {
    let folder = Folder::with_bench(BENCH);
    folder.write("new.bin", patched_image());
    folder
}

#[test]
fn a_backup_comes_with_a_record_of_drive_chip_sums_and_date() {
    let folder = ready();
    folder.done("3 w /m new.bin --yes");
    let backup = folder.backup();
    let record = Record::beside(&folder.path(&backup)).unwrap();
    let drive = record.drive.unwrap();
    assert_eq!(
        (
            drive.vendor.as_str(),
            drive.product.as_str(),
            drive.revision.as_str()
        ),
        ("LITE-ON", "DVD-ROM SIM-256P", "SIM1")
    );
    assert_eq!(drive.serial.as_deref(), Some("SIM00000001"));
    assert_eq!(record.size, 0x4_0000);
    assert_eq!(record.sum, mtkflash::image::Checksum::of(&old_image()));
    assert_eq!(record.crc32, mtkflash::image::Crc32::of(&old_image()));
    assert_eq!(record.bank_sums.len(), 4);
    assert!(record.chip.contains("BF"), "{}", record.chip);
    assert!(
        record.protocol.contains("vendor mode"),
        "{}",
        record.protocol
    );
    assert!(record.tool.starts_with("mtkflash "), "{}", record.tool);
    let date = record.date.to_string();
    assert!(date.ends_with(" UTC"), "{date}");
}

#[test]
fn the_record_reads_as_it_should() {
    let folder = ready();
    folder.done("3 w /m new.bin --yes --backup before.bin");
    insta::assert_snapshot!(crate::folder::masked(&folder.text("before.bin.txt")));
}

#[test]
fn a_backup_goes_where_it_is_told_to() {
    let folder = ready();
    folder.done("3 w /m new.bin --yes --backup before.bin");
    assert_eq!(folder.read("before.bin"), old_image());
    assert_eq!(folder.files(), ["before.bin", "before.bin.txt", "new.bin"]);
}

#[test]
fn no_backup_makes_none_and_says_that_there_is_no_way_back() {
    let folder = ready();
    let run = folder.done("3 w /m new.bin --yes --no-backup");
    assert!(run.stdout.contains("there is no way back"), "{run}");
    assert_eq!(folder.files(), ["new.bin"]);
    assert_eq!(folder.flash(), patched_image());
}

#[test]
fn an_existing_backup_is_not_overwritten_unless_forced() {
    let folder = ready();
    folder.write("before.bin", "precious");
    let run = folder.fails("3 w /m new.bin --yes --backup before.bin", 4);
    insta::assert_snapshot!(run.message());
    assert_eq!(folder.text("before.bin"), "precious");
    assert_eq!(folder.flash(), old_image());
    folder.done("3 w /m new.bin --yes --backup before.bin --force=overwrite");
    assert_eq!(folder.read("before.bin"), old_image());
    assert_eq!(folder.flash(), patched_image());
}

/// The image, or what belongs to it, by this name for the backup.
fn image_as_backup(image: &str, backup: &str, prepare: impl Fn(&Folder)) -> String {
    let folder = Folder::with_bench(BENCH);
    folder.write(image, patched_image());
    prepare(&folder);
    let files = folder.files();
    let line = format!("3 w /m {image} --yes --force=overwrite --backup {backup}");
    let run = folder.fails(&line, 4);
    assert_eq!(folder.files(), files, "{run}");
    assert_eq!(folder.read(image), patched_image());
    assert!(!folder.holds("bench.state/position-3.drive.toml"), "{run}");
    run.message()
}

#[test]
fn a_backup_never_replaces_the_image_by_whatever_name_or_link() {
    let link = |to: &'static str, name: &'static str| {
        move |folder: &Folder| std::os::unix::fs::symlink(to, folder.path(name)).unwrap()
    };
    let nothing = |_: &Folder| {};
    insta::assert_snapshot!(image_as_backup("new.bin", "new.bin", nothing));
    insta::assert_snapshot!(image_as_backup("new.bin", "./new.bin", nothing));
    for (image, backup, from, to) in [
        ("new.bin", "link.bin", "link.bin", "new.bin"),
        ("new.bin", "again.bin", "again.bin", "./new.bin"),
    ] {
        let message = image_as_backup(image, backup, link(to, from));
        assert!(message.contains("go into the image itself"), "{message}");
    }
    let hard = image_as_backup("new.bin", "hard.bin", |folder| {
        std::fs::hard_link(folder.path("new.bin"), folder.path("hard.bin")).unwrap();
    });
    assert!(hard.contains("go into the image itself"), "{hard}");
}

#[test]
fn a_record_never_replaces_an_image_and_a_backup_no_record_or_bank_of_one() {
    insta::assert_snapshot!(image_as_backup("x.bin.txt", "x.bin", |_| {}));
    let message = image_as_backup("new.bin", "new.bin.txt", |folder| {
        folder.write("new.bin.txt", "its record");
    });
    assert!(message.contains("go into the image itself"), "{message}");
    let folder = Folder::with_bench(BENCH);
    for (bank, content) in patched_image().chunks(0x1_0000).enumerate() {
        folder.write(&format!("new.0{bank}.bin"), content);
    }
    let line = "3 w /b new.bin --yes --force=overwrite --backup ./new.02.bin";
    let run = folder.fails(line, 4);
    assert!(run.message().contains("go into the image itself"), "{run}");
}

#[test]
fn an_existing_dump_is_not_overwritten_unless_forced() {
    let folder = Folder::with_bench(BENCH);
    folder.write("x.bin", "precious");
    let run = folder.fails("3 r /m /b x.bin", 4);
    insta::assert_snapshot!(run.message());
    assert_eq!(folder.text("x.bin"), "precious");
    folder.done("3 r /m /b x.bin --force=overwrite");
    assert_eq!(folder.read("x.bin"), old_image());
}

#[test]
fn an_existing_record_is_not_overwritten_either() {
    let folder = Folder::with_bench(BENCH);
    folder.write("x.bin.txt", "precious");
    folder.fails("3 r /m /b x.bin", 4);
    assert_eq!(folder.files(), ["x.bin.txt"]);
    assert_eq!(folder.text("x.bin.txt"), "precious");
}

#[test]
fn an_existing_file_of_a_later_bank_is_not_overwritten_either() {
    let folder = Folder::with_bench(BENCH);
    folder.write("x.02.bin", "precious");
    folder.fails("3 r /b x.bin", 4);
    assert_eq!(folder.files(), ["x.02.bin"], "all files appear or none");
    assert_eq!(folder.text("x.02.bin"), "precious");
}

#[test]
fn a_backup_of_another_serial_number_is_pointed_out() {
    let other = Folder::with_bench_and(BENCH, "");
    let bench = other
        .text("bench.toml")
        .replace("SIM00000001", "SIM00000099");
    other.write("bench.toml", bench);
    other.done("3 r /m /b other.bin");
    let folder = ready();
    folder.done("3 w /m new.bin --yes --no-backup");
    folder.write("other.bin", other.read("other.bin"));
    folder.write("other.bin.txt", other.read("other.bin.txt"));
    let run = folder.done("3 w /m other.bin --yes --no-backup");
    let warning = run.stdout.lines().find(|line| line.starts_with("Warning"));
    insta::assert_snapshot!(warning.unwrap_or_default());
    assert_eq!(folder.flash(), old_image());
}

#[test]
fn the_backup_of_the_drive_itself_is_not_pointed_out() {
    let folder = ready();
    folder.done("3 w /m new.bin --yes --backup before.bin");
    let run = folder.done("3 w /m before.bin --yes --no-backup");
    assert!(!run.stdout.contains("another drive"), "{run}");
    assert_eq!(folder.flash(), old_image());
}

#[test]
fn a_blank_flash_is_no_backup_unless_forced() {
    let folder = ready();
    folder.done("3 e --yes --no-backup");
    let run = folder.fails("3 r /m /b blank.bin", 4);
    insta::assert_snapshot!(run.message());
    folder.fails("3 w /m new.bin --yes", 4);
    assert_eq!(folder.flash(), vec![0xFF; 0x4_0000]);
    assert_eq!(folder.files(), ["new.bin"]);
    folder.done("3 r /m /b blank.bin --force=blank");
    assert_eq!(folder.read("blank.bin"), vec![0xFF; 0x4_0000]);
}

#[test]
fn a_flash_that_the_drive_does_not_show_is_not_called_blank() {
    let folder = Folder::with_bench_and(
        "mt1939.toml",
        "unreadable = [{ start = 0, end = 0x20_0000 }]",
    );
    for line in ["3 r /m /b dump.bin", "3 r /m /b dump.bin --force=blank"] {
        let run = folder.fails(line, 4);
        assert!(
            run.stderr.contains("refuses to have any of this read"),
            "{run}"
        );
        assert!(!run.stderr.contains("sum"), "{run}");
        assert!(folder.files().is_empty(), "{run}");
    }
}

#[test]
fn a_flash_of_equal_banks_is_no_backup() {
    let folder = Folder::with_bench(BENCH);
    folder.done("3 c");
    let bank = old_image()[..0x1_0000].to_vec();
    folder.write("bench.state/position-3.flash", bank.repeat(4));
    let run = folder.fails("3 r /m /b x.bin", 4);
    insta::assert_snapshot!(run.message());
    assert_eq!(folder.files(), [""; 0]);
}

#[test]
fn the_backup_brings_the_drive_back() {
    let folder = Folder::with_bench(BENCH);
    folder.write("new.bin", new_image());
    folder.done("3 w /m new.bin --yes --backup before.bin");
    assert_eq!(folder.flash(), new_image());
    folder.done("3 w /m before.bin --yes");
    assert_eq!(folder.flash(), old_image());
}

#[test]
fn a_link_in_the_place_of_a_record_is_never_replaced_nor_what_it_leads_to() {
    let folder = ready();
    folder.write("other.conf", "mine");
    std::os::unix::fs::symlink("other.conf", folder.path("kept.bin.txt")).unwrap();
    for line in [
        "3 r /m /b kept.bin --force=overwrite",
        "3 w /m new.bin --backup kept.bin --force=overwrite --yes",
    ] {
        let run = folder.fails(line, 4);
        assert!(run.stderr.contains("link to ./other.conf"), "{run}");
        assert!(run.stderr.contains("kept-2.bin"), "{run}");
        assert!(!run.stderr.contains("--force"), "{run}");
    }
    assert_eq!(folder.text("other.conf"), "mine");
    assert_eq!(folder.flash(), old_image());
    assert!(!folder.holds("kept.bin"));
}

#[test]
fn the_record_of_a_dump_through_a_link_lies_beside_what_that_leads_to() {
    let folder = ready();
    std::fs::create_dir(folder.path("nas")).unwrap();
    std::os::unix::fs::symlink("nas/dump.bin", folder.path("dump.bin")).unwrap();
    folder.done("3 r /m /b dump.bin");
    assert_eq!(folder.read("nas/dump.bin"), old_image());
    assert!(folder.holds("nas/dump.bin.txt"));
    assert!(!folder.holds("dump.bin.txt"));
    for name in ["dump.bin", "nas/dump.bin"] {
        assert!(Record::beside(&folder.path(name)).is_some(), "{name}");
    }
}

#[test]
fn a_record_of_another_file_is_told_and_not_heeded() {
    let folder = ready();
    folder.done("3 r /m /b dump.bin");
    folder.write("dump.bin", patched_image());
    for line in ["i dump.bin", "3 w /m dump.bin --yes"] {
        let run = folder.done(line);
        let told = "dump.bin.txt is the record of another file";
        assert!(run.stderr.contains(told), "{run}");
    }
    folder.done("3 r /m /b whole.bin");
    let run = folder.done("i whole.bin");
    assert!(!run.stderr.contains("another file"), "{run}");
}
