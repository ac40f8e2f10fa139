//! Files that are no firmware for this drive: refused with the reason, before
//! the drive is touched.

use mtkflash::image::{Arrangement, Encoding, Format};

use crate::folder::{BANK, Folder, Run, bys1, new_image, old_image};

/// Tries to write this file, and makes sure that the drive was left in peace.
fn refused(name: &str, content: impl AsRef<[u8]>) -> Run {
    let folder = Folder::with_bench("sst39sf020.toml");
    folder.write(name, content);
    refused_in(&folder, name)
}

fn refused_in(folder: &Folder, name: &str) -> Run {
    let run = folder.fails(&format!("3 w /m {name} --yes"), 5);
    assert!(!folder.holds("bench.state"), "the drive was touched: {run}");
    assert_eq!(folder.flash(), old_image());
    run
}

fn hex(bytes: &[u8]) -> String {
    let mut out = Vec::new();
    mtkflash::image::hex::write(bytes, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_missing_file_is_named() {
    let folder = Folder::with_bench("sst39sf020.toml");
    insta::assert_snapshot!(refused_in(&folder, "nowhere.bin").message());
}

#[test]
fn a_link_that_leads_nowhere_is_named_with_what_it_leads_to() {
    let folder = Folder::with_bench("dw-d22a.toml");
    std::os::unix::fs::symlink("stick/A.bin", folder.path("A.bin")).unwrap();
    let run = folder.fails("3 w A.bin --yes", 5);
    assert!(run.stderr.contains("A.bin is a link to "), "{run}");
    assert!(run.stderr.contains("which is not there"), "{run}");
    assert!(!run.stderr.contains("small letters"), "{run}");
}

#[test]
fn a_directory_is_no_image() {
    let folder = Folder::with_bench("sst39sf020.toml");
    std::fs::create_dir(folder.path("images")).unwrap();
    insta::assert_snapshot!(refused_in(&folder, "images").message());
}

#[test]
fn a_name_that_leads_through_a_file_cannot_be_read() {
    let folder = Folder::with_bench("sst39sf020.toml");
    folder.write("file", "");
    insta::assert_snapshot!(refused_in(&folder, "file/x.bin").message());
}

#[test]
fn a_device_is_no_image() {
    let folder = Folder::with_bench("sst39sf020.toml");
    insta::assert_snapshot!(refused_in(&folder, "/dev/null").message());
}

#[test]
fn an_empty_file_is_no_image() {
    insta::assert_snapshot!(refused("x.bin", "").message());
}

#[test]
fn a_text_is_no_image() {
    let text = "<html><body>404 Not Found</body></html>\n".repeat(100);
    insta::assert_snapshot!(refused("x.bin", text).message());
}

#[test]
fn an_archive_is_no_image() {
    let mut archive = b"PK\x03\x04".to_vec();
    archive.extend(&old_image()[..100_000]);
    insta::assert_snapshot!(refused("x.zip", archive).message());
}

#[test]
fn a_file_that_is_far_too_large_is_no_image() {
    let folder = Folder::with_bench("sst39sf020.toml");
    let file = std::fs::File::create(folder.path("x.iso")).unwrap();
    file.set_len(700 << 20).unwrap();
    insta::assert_snapshot!(refused_in(&folder, "x.iso").message());
}

#[test]
fn a_size_that_is_no_multiple_of_a_bank_is_no_image() {
    insta::assert_snapshot!(refused("x.bin", &old_image()[..250_000]).message());
}

#[test]
fn three_banks_are_no_image() {
    insta::assert_snapshot!(refused("x.bin", &old_image()[..3 * BANK]).message());
}

#[test]
fn an_image_of_ff_is_blank() {
    insta::assert_snapshot!(refused("x.bin", vec![0xFF; 4 * BANK]).message());
}

#[test]
fn an_image_of_00_is_blank() {
    insta::assert_snapshot!(refused("x.bin", vec![0; 4 * BANK]).message());
}

#[test]
fn equal_banks_are_no_image() {
    let banks = old_image()[..BANK].repeat(4);
    insta::assert_snapshot!(refused("x.bin", banks).message());
}

/// The size of the flash is known only when the chip has been identified.
fn of_another_size(content: &[u8]) -> Run {
    let folder = Folder::with_bench("sst39sf020.toml");
    folder.write("x.bin", content);
    let run = folder.fails("3 w /m x.bin --yes", 5);
    let counters = folder.counters();
    assert_eq!((counters.programs, counters.sector_erases), (0, 0));
    assert_eq!(folder.flash(), old_image());
    assert_eq!(folder.files(), ["x.bin"]);
    run
}

#[test]
fn an_image_that_is_too_small_for_the_flash_is_refused() {
    insta::assert_snapshot!(of_another_size(&old_image()[..2 * BANK]).message());
}

#[test]
fn an_image_that_is_too_large_for_the_flash_is_refused() {
    let image = mtkflash::sim::Firmware::new(0x10_0000, 22);
    let image = image.identified("LITE-ON", "DVD-ROM SIM-256P", "SIM2");
    insta::assert_snapshot!(of_another_size(&image.bytes()).message());
}

#[test]
fn a_hex_line_with_a_bad_sum_is_named() {
    let text = hex(&old_image());
    let end = text.find('\n').unwrap();
    let mut text = text.into_bytes();
    text[end - 1] = if text[end - 1] == b'0' { b'1' } else { b'0' };
    let message = refused("x.hex", text).message();
    // The sums are those of random code.
    assert!(
        message.contains("line 1: the sum at its end is"),
        "{message}"
    );
    insta::assert_snapshot!(message);
}

#[test]
fn a_short_hex_line_is_named() {
    let text = hex(&old_image());
    let mut lines: Vec<&str> = text.lines().collect();
    lines[1] = &lines[1][..21];
    insta::assert_snapshot!(refused("x.hex", lines.join("\n")).message());
}

#[test]
fn a_hex_file_without_its_end_is_cut_short() {
    let text = hex(&old_image()).replace(":00000001FF", "");
    insta::assert_snapshot!(refused("x.hex", text).message());
}

#[test]
fn seventeen_banks_are_no_image() {
    let banks: Vec<u8> = [bys1(), old_image()[..BANK].to_vec()].concat();
    insta::assert_snapshot!(refused("x.hex", hex(&banks)).message());
}

#[test]
fn overlapping_hex_records_are_named_with_both_lines() {
    let text = ":020000000102FB\n:02000100030498\n:00000001FF\n";
    // The second record's own sum: 02 + 00 + 01 + 00 + 03 + 04 = 0A, so F6.
    let text = text.replace("030498", "0304F6");
    insta::assert_snapshot!(refused("x.hex", text).message());
}

#[test]
fn a_missing_file_of_a_bank_is_named() {
    let folder = Folder::with_bench("sst39sf020.toml");
    for bank in [0, 1, 3] {
        let content = &old_image()[bank * BANK..(bank + 1) * BANK];
        folder.write(&format!("x.0{bank}.bin"), content);
    }
    let run = folder.fails("3 w /b x.bin --yes", 5);
    insta::assert_snapshot!(run.message());
    assert!(!folder.holds("bench.state"));
}

#[test]
fn i_shows_what_is_wrong_with_an_image_and_ends_with_5() {
    let folder = Folder::new();
    folder.write("x.bin", &old_image()[..250_000]);
    insta::assert_snapshot!(folder.fails("i x.bin", 5));
}

#[test]
fn the_writer_and_the_reader_of_hex_agree_in_the_binary() {
    let folder = Folder::new();
    folder.write("x.hex", hex(&old_image()));
    let format = Format {
        encoding: Encoding::Hex,
        arrangement: Arrangement::Merged,
    };
    let run = folder.done("i x.hex");
    assert!(run.stdout.contains(&format.to_string()), "{run}");
}

#[test]
fn a_name_in_other_letters_is_answered_with_the_file_that_is_there() {
    let folder = Folder::with_bench("sst39sf020.toml");
    folder.write("bys1.bin", old_image());
    folder.write("banks.00.bin", [0; 0x1_0000]);
    let run = folder.fails("3 W /M BYS1.BIN", 5);
    insta::assert_snapshot!(run.message());
    insta::assert_snapshot!(folder.fails("i Banks.BIN", 5).message());
}

/// The HEX file of a BTC's update without these lines of data, and of all others.
fn btc_hex_without(lines: std::ops::Range<usize>) -> Folder {
    let folder = Folder::with_bench("btc.toml");
    let image = mtkflash::sim::Firmware::new(0x10_0000, 72)
        .with(mtkflash::sim::Names::Btc)
        .identified("BTC", "DRW1008", "0059");
    let whole = hex(&image.bytes());
    let left = whole
        .split_inclusive('\n')
        .enumerate()
        .filter(|(number, _)| !lines.contains(number))
        .map(|(_, line)| line);
    folder.write("x.hex", left.collect::<String>());
    folder
}

const WRITE_BTC: &str = "3 w x.hex --yes --no-backup";

#[test]
fn a_hex_file_that_has_lost_a_line_is_written_when_the_check_is_named_only() {
    let folder = btc_hex_without(9000..9001);
    let refused = folder.fails(WRITE_BTC, 4);
    insta::assert_snapshot!(refused.message());
    folder.done(&format!("{WRITE_BTC} --force=structure"));
}

#[test]
fn a_hex_file_that_has_lost_many_lines_or_all_of_a_bank_is_refused() {
    insta::assert_snapshot!(btc_hex_without(9000..9064).fails(WRITE_BTC, 4).message());
    // 4096 lines and a mark for each bank.
    let bank_3 = 4097 * 3..4097 * 4 - 1;
    insta::assert_snapshot!(btc_hex_without(bank_3).fails(WRITE_BTC, 4).message());
}

#[test]
fn a_part_is_refused_for_a_lost_line_as_well() {
    let folder = Folder::with_bench("dw-d22a.toml");
    let left: String = hex(&old_image()[..BANK])
        .split_inclusive('\n')
        .filter(|line| !line.starts_with(":10400000"))
        .collect();
    folder.write("bank.hex", left);
    let refused = folder.fails("3 w bank.hex --banks 3 --yes", 4);
    assert!(refused.message().contains("structure"), "{refused}");
}

#[test]
fn i_and_v_name_the_bytes_that_no_record_fills() {
    let folder = btc_hex_without(9000..9001);
    insta::assert_snapshot!(folder.run("i x.hex").stdout);
    let folder = Folder::with_bench("sst39sf020.toml");
    let left: String = hex(&old_image())
        .split_inclusive('\n')
        .filter(|line| !line.starts_with(":10400000"))
        .collect();
    folder.write("x.hex", left);
    insta::assert_snapshot!(folder.fails("3 v x.hex", 8).stdout);
}

#[test]
fn a_file_that_is_there_under_the_name_that_was_meant_is_named() {
    for (typed, meant) in [
        ("/mNEW.BIN", "/m NEW.BIN"),
        ("/m:new.bin", "/m NEW.BIN"),
        ("/m:new", "/m NEW.BIN"),
        ("/m C:\\FIRM\\NEW.BIN", "/m NEW.BIN"),
        ("/m FIRM\\OLD.BIN", "/m FIRM/OLD.BIN"),
        ("/m NEW", "/m NEW.BIN"),
        ("/m new", "/m NEW.BIN"),
    ] {
        let folder = Folder::with_bench("sst39sf020.toml");
        folder.write("NEW.BIN", new_image());
        std::fs::create_dir(folder.path("FIRM")).unwrap();
        folder.write("FIRM/OLD.BIN", new_image());
        let run = folder.fails(&format!("3 w {typed} --yes"), 5);
        let line = format!("mtkflash 3 w {meant} --sim bench.toml");
        let mut lines = run.stderr.lines().map(str::trim);
        assert!(lines.any(|shown| shown == line), "{typed}: {run}");
    }
}
