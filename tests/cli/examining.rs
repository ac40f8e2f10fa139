//! `i` as an examiner: one verdict for each file, the differences of two, and an
//! image written down another way.

use mtkflash::image::{Checksum, Crc32};
use mtkflash::sim::Firmware;

use crate::folder::{BANK, Folder, bys1, image_of, old_image, sum};

fn with(name: &str, content: impl AsRef<[u8]>) -> Folder {
    let folder = Folder::new();
    folder.write(name, content);
    folder
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    mtkflash::image::hex::write(bytes, &mut out).unwrap();
    out
}

/// The verdict on a file, and the exit code.
fn verdict(content: &[u8]) -> (String, i32) {
    let folder = with("x.bin", content);
    let run = folder.run("i x.bin");
    let line = run.stdout.lines().rfind(|line| line.starts_with("Verdict"));
    let words = line
        .unwrap_or_default()
        .trim_start_matches("Verdict")
        .trim();
    (words.to_owned(), run.code.unwrap())
}

/// 8 KiB that all banks have in common.
fn with_common_code() -> Vec<u8> {
    let mut bytes = bys1();
    let common = bytes[0x100..0x2100].to_vec();
    for bank in bytes.chunks_mut(BANK) {
        bank[0x100..0x2100].copy_from_slice(&common);
    }
    bytes
}

#[test]
fn a_whole_image_is_told_with_the_drives_that_it_fits() {
    insta::assert_snapshot!(with("bys1.bin", bys1()).done("i bys1.bin").stdout);
}

#[test]
fn every_file_gets_one_verdict_and_what_no_drive_should_get_ends_with_5() {
    let whole = bys1();
    let changed = |at: usize, byte: u8| {
        let mut bytes = whole.clone();
        bytes[at] = byte;
        bytes
    };
    let seven: Vec<u8> = whole.iter().map(|byte| byte & 0x7F).collect();
    let swapped: Vec<u8> = (0..whole.len()).map(|at| whole[at ^ 1]).collect();
    let mut odd = with_common_code();
    odd[0x9_1000] ^= 0x20;
    let rows: [(&[u8], &str, i32); 16] = [
        (
            &whole,
            "looks whole, for SONY DVD RW DW-D22A and its sisters",
            0,
        ),
        (
            &with_common_code(),
            "looks whole, for SONY DVD RW DW-D22A and its sisters",
            0,
        ),
        (
            &odd,
            "looks whole but for the warning above, for SONY DVD RW DW-D22A and its sisters",
            0,
        ),
        (
            &Firmware::new(0x4_0000, 3).bytes(),
            "not recognised: it has the size of a flash, and nothing in it names a drive",
            0,
        ),
        (&changed(0x7_0000, 0x33), "probably damaged at 0x70000", 5),
        (&whole[..0xF_1234], "damaged at 0xf1234", 5),
        (&whole[..0x8_0000], "probably damaged at 0x80000", 5),
        (
            &whole[0x3_0000..0x4_0000],
            "a part of a flash: one bank of 64 KiB, and nothing tells which",
            0,
        ),
        (
            &vec![0x00; 0x110_0000],
            "not firmware: blank, 00 throughout",
            5,
        ),
        (&seven, "damaged, see above", 5),
        (&swapped, "damaged, see above", 5),
        (&[0xFF; 0x10_0000], "not firmware: blank, FF throughout", 5),
        (
            b"<html><head><title>404 Not Found</title></head></html>",
            "not firmware: a web page",
            5,
        ),
        (
            b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n",
            "not firmware: a PDF document",
            5,
        ),
        (
            b"Dear user, this is the read-me.",
            "not firmware: a text",
            5,
        ),
        (b"", "not firmware: empty", 5),
    ];
    for (content, expected, code) in rows {
        assert_eq!(verdict(content), (expected.to_owned(), code));
    }
    let mut broken = hex(&old_image());
    broken[30] ^= 1;
    assert_eq!(verdict(&broken), ("damaged at line 1".to_owned(), 5));
}

#[test]
fn a_byte_that_the_integrity_table_does_not_vouch_for_is_given_its_range() {
    let folder = Folder::with_bench("mt1959.toml");
    let mut bytes = folder.flash();
    bytes[0x12_3456] ^= 1;
    folder.write("x.bin", bytes);
    let run = folder.fails("i x.bin", 5);
    let said = "Verdict   damaged at 0x10600\n";
    assert!(run.stdout.contains(said), "{run}");
}

#[test]
fn a_file_that_is_something_else_is_called_what_it_is_and_not_to_be_fetched_again() {
    let folder = Folder::new();
    for (name, content) in [
        (
            "page.bin",
            &b"<!doctype html><html><body>404</body></html>"[..],
        ),
        ("read.me", b"Dear user"),
        ("image.s19", b"S00600004844521B\nS9030000FC\n"),
    ] {
        folder.write(name, content);
        let message = folder.fails(&format!("i {name}"), 5).message();
        assert!(!message.contains("Get the file again"), "{message}");
        insta::assert_snapshot!(name, message);
    }
}

#[test]
fn several_files_are_examined_in_one_run() {
    let folder = Folder::new();
    folder.write("good.bin", bys1());
    folder.write("half.bin", &bys1()[..0x8_0000]);
    folder.write("page.bin", "<html></html>");
    let run = folder.fails("i good.bin half.bin missing.bin page.bin", 5);
    insta::assert_snapshot!(run);
}

#[test]
fn of_two_files_the_differences_are_told_by_bank_and_range() {
    let folder = Folder::new();
    let mut other = bys1();
    other[0x1_2345] ^= 0xFF;
    other[0x9_0100..0x9_0120].fill(0x22);
    folder.write("one.bin", bys1());
    folder.write("other.bin", &other);
    folder.write("same.hex", hex(&bys1()));
    insta::assert_snapshot!(folder.done("i one.bin other.bin").stdout);
    let equal = folder.done("i one.bin same.hex").stdout;
    assert!(equal.contains("Differ    nowhere"), "{equal}");
}

#[test]
fn an_image_is_converted_and_read_back() {
    let folder = with("x.hex", hex(&bys1()));
    insta::assert_snapshot!(folder.done("i x.hex --to bin --out x.bin").stdout);
    assert!(folder.read("x.bin") == bys1());
    folder.done("i x.bin --to hex --out again.hex");
    assert!(folder.read("again.hex") == folder.read("x.hex"));
    folder.done("i x.hex --to banks --out parts.bin");
    for bank in 0..16 {
        let part = folder.read(&format!("parts.{bank:02}.bin"));
        assert!(part == bys1()[bank * BANK..(bank + 1) * BANK]);
    }
    let together = folder.done("i parts.bin x.bin").stdout;
    assert!(together.contains("Differ    nowhere"), "{together}");
}

#[test]
fn nothing_is_replaced_and_nothing_damaged_is_converted() {
    let folder = with("x.bin", bys1());
    folder.write("there.hex", "mine");
    insta::assert_snapshot!(
        folder
            .fails("i x.bin --to hex --out there.hex", 4)
            .message()
    );
    assert_eq!(folder.text("there.hex"), "mine");
    insta::assert_snapshot!(folder.fails("i x.bin --to bin --out x.bin", 4).message());
    assert!(folder.read("x.bin") == bys1());
    let lines = hex(&bys1());
    let lines = String::from_utf8(lines).unwrap();
    let lost: String = lines
        .split_inclusive('\n')
        .enumerate()
        .filter(|(number, _)| *number != 9000)
        .map(|(_, line)| line)
        .collect();
    folder.write("lost.hex", lost);
    folder.fails("i lost.hex --to bin --out made.bin", 5);
    assert_eq!(folder.files(), ["lost.hex", "there.hex", "x.bin"]);
}

#[test]
fn an_image_with_another_sum_than_it_should_have_is_not_written() {
    let folder = Folder::with_bench("dw-d22a.toml");
    let mut image = bys1();
    image[0x2_2222] ^= 0x01;
    folder.write("x.bin", &image);
    let (right, wrong) = (sum(&image), sum(&bys1()));
    let crc32 = Crc32::of(&image);
    for line in [
        format!("3 w /m x.bin --yes --sum {wrong}"),
        format!("3 v /m x.bin --sum {wrong}"),
        format!("i x.bin --sum {wrong}"),
        format!("3 w /m x.bin --yes --crc32 {}", Crc32::of(&bys1())),
        format!("3 w /m x.bin --yes --sum {right} --crc32 00000000"),
    ] {
        folder.fails(&line, 5);
    }
    assert!(!folder.holds("bench.state"), "the drive was touched");
    insta::assert_snapshot!(
        folder
            .fails(&format!("3 w /m x.bin --yes --sum {wrong}"), 5)
            .message()
    );
    let upper = format!("{:04X}", Checksum::of(&image).0);
    folder.done(&format!("i x.bin --sum 0x{upper} --crc32 {crc32}"));
    folder.done(&format!("3 w /m x.bin --yes --sum {right} --crc32 {crc32}"));
}

#[test]
fn an_image_that_is_nearly_what_the_drive_holds_is_called_probably_damaged() {
    let folder = Folder::with_bench("dw-d22a.toml");
    let mut image = bys1();
    for at in [0x1_2345, 0x2_2222, 0x2_2223] {
        image[at] ^= 0x01;
    }
    folder.write("x.bin", &image);
    insta::assert_snapshot!(folder.done("3 w /m x.bin --dry-run").warning());
    // Another revision differs as it should.
    let update = Firmware::new(0x10_0000, 22).identified("SONY", "DVD RW DW-D22A", "BYS2");
    folder.write("update.bin", update.bytes());
    let quiet = folder.done("3 w /m update.bin --dry-run");
    assert_eq!(quiet.warning(), "");
}

#[test]
fn an_image_whose_other_banks_and_the_flash_say_that_it_is_wrong_is_refused() {
    let folder = Folder::with_bench("dw-d22a.toml");
    folder.write("good.bin", with_common_code());
    folder.done("3 w /m good.bin --yes --no-backup");
    let mut odd = with_common_code();
    odd[0x9_1000] ^= 0x20;
    folder.write("odd.bin", odd);
    insta::assert_snapshot!(
        folder
            .fails("3 w /m odd.bin --yes --no-backup", 4)
            .message()
    );
    folder.done("3 w /m odd.bin --yes --no-backup --force=structure");
}

#[test]
fn a_file_of_another_size_than_the_part_is_told_both_sizes() {
    let folder = Folder::with_bench("sst39sf020.toml");
    folder.write("part.bin", &old_image()[..0x1000]);
    let line = "3 w /m part.bin --range 0x0-0x1fff --yes";
    insta::assert_snapshot!(folder.fails(line, 5).message());
    insta::assert_snapshot!(folder.fails("3 v /m part.bin --banks 1,2", 5).message());
}

#[test]
fn half_an_image_is_no_whole_one_of_whatever_family() {
    let blu_ray = Folder::with_bench("mt1959.toml").flash();
    let shd162c = Firmware::new(0x4_0000, 5).identified("TSSTcorp", "DVD-ROM SH-D162C", "TS05");
    let shd162c = shd162c.bytes();
    for (half, expected) in [
        (&blu_ray[..0x10_0000], "damaged at 0x100000"),
        (&blu_ray[..0x8_0000], "damaged at 0x80000"),
        (&shd162c[..0x2_0000], "probably damaged at 0x20000"),
    ] {
        assert_eq!(verdict(half), (expected.to_owned(), 5));
    }
}

#[test]
fn text_at_the_place_of_a_name_is_no_drive() {
    let mut noise = mtkflash::sim::Firmware::new(0x10_0000, 9).bytes();
    for bank in noise.chunks_mut(BANK) {
        bank[0] = 0x77;
    }
    noise[0x40BC..0x40BC + 28].copy_from_slice(b"Copyright 2003 by the author");
    let (words, code) = verdict(&noise);
    assert!(words.starts_with("not recognised"), "{words}");
    assert_eq!(code, 0);
}

#[test]
fn a_btc_image_that_lost_its_first_byte_is_damaged() {
    let mut image = mtkflash::sim::Firmware::new(0x10_0000, 9).bytes();
    image[0x40BC..0x40BC + 28].copy_from_slice(b"BTC     DRW1008         0051");
    assert_eq!(
        verdict(&image),
        ("looks whole, for BTC DRW1008".to_owned(), 0)
    );
    image.remove(0);
    image.push(0xFF);
    assert_eq!(
        verdict(&image),
        ("probably damaged, see above".to_owned(), 5)
    );
}

#[test]
fn a_hex_file_in_utf16_is_told_how_to_make_it_plain_text() {
    let text = String::from_utf8(hex(&old_image())).unwrap();
    let mut wide = vec![0xFF, 0xFE];
    wide.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    let run = with("x.hex", wide).fails("i x.hex", 5);
    insta::assert_snapshot!(run.message());
}

#[test]
fn a_signal_ends_an_examination_at_once() {
    use std::os::unix::process::ExitStatusExt;

    let folder = with("x.bin", &bys1()[..0x2_0000]);
    let line = format!("i {}", "x.bin ".repeat(400));
    let mut command = folder.command(line.trim_end());
    command.stdout(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It has begun, and will wait for room in the pipe before it ends.
    let mut first = [0];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut first).unwrap();
    let id = nix::unistd::Pid::from_raw(child.id().try_into().unwrap());
    nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGINT).unwrap();
    drop(child.stdout.take());
    let status = child.wait().unwrap();
    assert_eq!(status.signal(), Some(2), "{status}");
}

#[test]
fn an_image_with_another_sum_is_shown_before_it_is_refused() {
    let folder = with("x.bin", bys1());
    let run = folder.fails("i x.bin --sum 0000", 5);
    assert!(run.stdout.contains("Verdict   looks whole"), "{run}");
    assert!(!run.message().contains("To see what is in it"), "{run}");
}

#[test]
fn a_file_that_is_not_there_is_not_called_one_for_no_drive() {
    let run = with("x.bin", bys1()).fails("i x.bin missing.bin", 5);
    let said = "1 of 2 files could not be read.";
    assert!(run.message().contains(said), "{run}");
}

#[test]
fn what_a_server_says_is_no_text_with_a_line_that_is_no_hex() {
    let mut latin = b"<html><body>Zur\xfcck</body></html>".to_vec();
    latin.extend([b'x'; 200]);
    let rows: [(&[u8], &str); 5] = [
        (b"<body>Error 403", "not firmware: a web page"),
        (b"\xef\xbb\xbf<html></html>", "not firmware: a web page"),
        (&latin, "not firmware: a web page"),
        (
            b"{\"error\": 404}",
            "not firmware: what a server says (XML or JSON)",
        ),
        (&[b' '; 0x1000], "not firmware: blanks and nothing else"),
    ];
    for (content, expected) in rows {
        assert_eq!(verdict(content), (expected.to_owned(), 5));
    }
}

#[test]
fn a_hex_file_of_a_compiler_is_read_from_where_its_flash_begins() {
    let mut records = vec![":020000040800F2".to_owned()];
    let image = old_image();
    for (number, data) in image.chunks(0xF0).enumerate() {
        let at = number * 0xF0;
        if number > 0 && at / BANK != (at - 0xF0) / BANK {
            records.push(record(4, 0, &[0x08, (at / BANK) as u8]));
        }
        // Some of these cross a line of 64 KiB.
        records.push(record(0, (at % BANK) as u16, data));
    }
    records.push(":00000001FF".to_owned());
    let folder = with("x.hex", records.join("\n"));
    let run = folder.done("i x.hex --to bin --out x.bin");
    let said = "Intel HEX with addresses from 08000000 on";
    assert!(run.stdout.contains(said), "{run}");
    assert!(folder.read("x.bin") == image);
}

fn record(kind: u8, address: u16, data: &[u8]) -> String {
    let [high, low] = address.to_be_bytes();
    let mut bytes = vec![data.len() as u8, high, low, kind];
    bytes.extend(data);
    let sum = bytes
        .iter()
        .fold(0, |sum: u8, byte| sum.wrapping_sub(*byte));
    bytes.push(sum);
    let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    format!(":{digits}")
}

#[test]
fn an_encrypted_image_with_a_damaged_banner_and_descriptor_is_still_known() {
    use mtkflash::image::mt19xx;

    let mut image = mt19xx::enciphered(Folder::with_bench("mt1959.toml").flash());
    for at in [0x3000, 0x1E_C030] {
        image[at] ^= 1;
    }
    let (words, code) = verdict(&image);
    assert!(words.starts_with("damaged at"), "{words}");
    assert_eq!(code, 5);
}

#[test]
fn the_last_part_of_an_archive_in_several_files_is_called_that() {
    let mut part = vec![0x55; 0x1000];
    part.extend(b"PK\x05\x06\x01\0\0\0");
    part.extend([0; 14]);
    insta::assert_snapshot!(with("x.zip", part).fails("i x.zip", 5).message());
}

#[test]
fn a_drive_read_is_said_to_be_for_that_very_drive() {
    let folder = Folder::with_bench("mt1959.toml");
    folder.done("1 r /m /b read.bin");
    let run = folder.done("i read.bin");
    let said = "looks whole, read from a";
    assert!(run.stdout.contains(said), "{run}");
    let json = folder.done("i read.bin --json").stdout;
    let object: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(object["image"]["drive_read"], true);
}

#[test]
fn the_image_of_a_smaller_flash_is_taken_out_by_the_line_that_is_shown() {
    let folder = Folder::new();
    let image = image_of("SONY", "DVD RW DW-D22A", "BYS1");
    let mut filled_up = image.clone();
    filled_up.resize(image.len() * 2, 0xFF);
    folder.write("long.bin", filled_up);
    folder.write("twice.bin", image.repeat(2));
    for name in ["long", "twice"] {
        let run = folder.fails(&format!("i {name}.bin"), 5);
        assert_eq!(run.stdout.matches("Doubt").count(), 1, "{run}");
        let mut lines = run.stderr.lines().map(str::trim);
        let cut = lines.find(|line| line.starts_with("head -c")).unwrap();
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", cut]).current_dir(folder.path("."));
        assert!(shell.status().unwrap().success(), "{cut}");
        let look = lines.next().unwrap();
        folder.done(look.strip_prefix("mtkflash ").unwrap());
        assert_eq!(folder.read(&format!("{name}.beginning.bin")), image);
        let refused = folder.run(&format!(
            "3 w {name}.bin --yes --sim {}",
            concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/benches/dw-d22a.toml")
        ));
        assert!(refused.stderr.contains(cut), "{refused}");
    }
}
