//! Images as users hand them over, and what is said about them.

use super::structure::Structure;
use super::*;
use crate::cli::words::InWords;
use crate::sim::random::Random;

/// Bytes that look random and differ from bank to bank; nobody's firmware.
pub(super) fn noise(size: usize) -> Vec<u8> {
    Random::new(1).bytes(size)
}

/// A sound image of a Lite-On drive.
pub(super) fn lite_on(size: usize, vendor: &str, product: &str, revision: &str) -> Vec<u8> {
    let mut bytes = noise(size);
    for bank in bytes.chunks_mut(BANK_SIZE as usize) {
        bank[0] = 0x02;
    }
    let block = [0x05, 0x80, 0x00, 0x32, 0x5b, 0, 0, 0];
    let text = format!("{vendor:8}{product:16}{revision:4}2004/11/08 12:00");
    put(&mut bytes, 0x1_2345, &block);
    put(&mut bytes, 0x1_234d, text.as_bytes());
    bytes
}

pub(super) fn put(bytes: &mut [u8], at: usize, what: &[u8]) {
    bytes[at..at + what.len()].copy_from_slice(what);
}

fn as_hex(bytes: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    write(bytes, Encoding::Hex, &mut file).unwrap();
    file
}

#[test]
fn the_content_decides_the_format() {
    let bytes = noise(0x4_0000);
    let mut binary = Vec::new();
    write(&bytes, Encoding::Binary, &mut binary).unwrap();
    for (content, name) in [(binary, "raw binary"), (as_hex(&bytes), "bank-marked HEX")] {
        let image = Image::parse(content).unwrap();
        assert_eq!(image.bytes(), bytes);
        assert_eq!(image.format().to_string(), name);
        assert_eq!(image.size(), 0x4_0000);
        assert_eq!(image.banks().count(), 4);
    }
}

#[test]
fn what_is_no_image_is_refused_with_the_reason() {
    let line_lost = {
        let mut file = as_hex(&noise(0x2_0000));
        file.truncate(file.len() - b":00000001FF\n".len());
        file
    };
    let mut wrong_byte = as_hex(&noise(0x2_0000));
    wrong_byte[30] = 0xe9;
    let utf16 = |text: &[u8]| -> Vec<u8> {
        let bytes = String::from_utf8_lossy(text).into_owned();
        let units = bytes.encode_utf16();
        units.flat_map(u16::to_le_bytes).collect()
    };
    let rows: [(Vec<u8>, &str); 9] = [
        (
            utf16(&as_hex(&noise(0x2_0000))),
            "this is text in UTF-16, two bytes for each character, as some editors and \
             PowerShell save it; a HEX file is in it",
        ),
        (Vec::new(), "the file is empty"),
        (
            b"\r\n<html><head>\r\n<title>404".repeat(9000),
            "this is a file of another kind, not firmware: WebPage",
        ),
        (
            b"Name: SONY DW-D22A firmware, please rename before use".to_vec(),
            "this is a text file, not firmware: it begins with \
             \"Name: SONY DW-D22A firmware, please rena\" \
             (a HEX file has a colon and hex digits on every line)",
        ),
        (
            b"Here it is:\n:0100000002FD\n:00000001FF\n".to_vec(),
            "damaged HEX file: line 1 does not start with a colon",
        ),
        (
            line_lost,
            "damaged HEX file: the end record :00000001FF is missing after line 8193: \
             the file is cut short",
        ),
        (
            wrong_byte,
            "damaged HEX file: line 1, column 31: '\u{fffd}' is not a hex digit",
        ),
        (
            as_hex(&noise(0x11_0000)),
            "the HEX file has 17 banks; a drive's flash has 2, 4, 8, 16 or 32",
        ),
        (
            as_hex(&noise(0x3_0000)),
            "the HEX file has 3 banks; a drive's flash has 2, 4, 8, 16 or 32",
        ),
    ];
    for (content, message) in rows {
        assert_eq!(Image::parse(content).unwrap_err().in_words(), message);
    }
}

#[test]
fn a_binary_of_an_odd_size_is_taken_so_that_it_can_be_reported_on() {
    let image = Image::parse(noise(0x2_0001)).unwrap();
    assert_eq!(
        image
            .banks()
            .last()
            .map(|(bank, bytes)| (bank, bytes.len())),
        Some((Bank(2), 1))
    );
    assert!(!Report::of(&image).problems.is_empty());
}

#[test]
fn the_report_of_a_sound_image_has_everything_that_users_compare() {
    let bytes = lite_on(0x10_0000, "SONY", "DVD RW DW-D22A", "BYS1");
    let report = Report::of(&Image::from_bytes(bytes.clone()));
    assert_eq!(report.size, 0x10_0000);
    assert_eq!(report.banks.len(), 16);
    let of_banks = report
        .banks
        .iter()
        .fold(0, |sum: u16, (_, of_bank)| sum.wrapping_add(of_bank.0));
    assert_eq!(report.total, Checksum(of_banks));
    assert_eq!(report.banks[3].1, Checksum::of(&bytes[0x3_0000..0x4_0000]));
    assert_eq!(report.crc32, Crc32::of(&bytes));
    assert_eq!(report.structure.jumps, 16);
    assert_eq!(report.structure.jumps, report.structure.banks);
    assert_eq!(report.identities.len(), 1);
    assert_eq!(
        report
            .families
            .iter()
            .map(Family::to_string)
            .collect::<Vec<_>>(),
        ["SOHW-1633S (DVD writer family B)"]
    );
    assert_eq!(report.problems, []);
}

#[test]
fn the_marks_of_a_rebanked_image_are_seen_and_all_of_them_are_needed() {
    let mut bytes = noise(0x8_0000);
    for bank in bytes.chunks_mut(BANK_SIZE as usize) {
        bank[0] = 0x80;
    }
    put(&mut bytes, 0, &[0x02]);
    put(&mut bytes, 0x4000, &[0x02]);
    put(&mut bytes, 0xfff8, b"LITEONIT");
    let structure = Structure::of(&bytes);
    assert!(structure.rebanked);
    assert_eq!(
        (structure.banks, structure.jumps, structure.eighties),
        (8, 1, 7)
    );
    for mark in [0, 0x4000, 0xffff] {
        let mut damaged = bytes.clone();
        damaged[mark] ^= 0x55;
        assert!(
            !Structure::of(&damaged).rebanked,
            "without the mark at {mark:x}"
        );
    }
}

#[test]
fn no_length_of_image_upsets_the_report() {
    for size in [
        0, 1, 15, 0x3005, 0x40c0, 0xfff9, 0x1_0000, 0x1_0001, 0x1f_ffff, 0x20_0001,
    ] {
        for fill in [0x00, 0x02, 0x20, 0xff] {
            let report = Report::of(&Image::from_bytes(vec![fill; size]));
            assert!(!report.problems.is_empty(), "{size} bytes of {fill:02x}");
        }
    }
}
