use super::super::tests::noise;
use super::*;
use crate::cli::words::InWords;
use crate::flash::FlashRange;
use proptest::prelude::*;

fn written(bytes: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    write(bytes, &mut file).unwrap();
    file
}

/// The banks of a HEX file.
fn read(content: &[u8]) -> Result<Vec<u8>, HexError> {
    super::read(content).map(|file| file.bytes)
}

/// A record of any type, as Intel's specification describes it.
fn record(kind: u8, address: u16, data: &[u8]) -> String {
    let [high, low] = address.to_be_bytes();
    let mut bytes = vec![data.len() as u8, high, low, kind];
    bytes.extend(data);
    let sum = bytes
        .iter()
        .fold(0, |sum: u8, byte| sum.wrapping_add(*byte));
    bytes.push(sum.wrapping_neg());
    let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    format!(":{digits}\n")
}

/// These banks as addresses tell them: by type 02 or 04, whatever is not blank.
fn addressed(bytes: &[u8], kind: u8) -> String {
    let mut file = String::new();
    for (bank, content) in bytes.chunks(BANK).enumerate() {
        let base = match kind {
            0x02 => (bank as u16) << 12,
            _ => bank as u16,
        };
        file += &record(kind, 0, &base.to_be_bytes());
        for (address, data) in (0..=u16::MAX).step_by(32).zip(content.chunks(32)) {
            if data.iter().any(|byte| *byte != 0xff) {
                file += &record(0, address, data);
            }
        }
    }
    file + ":00000001FF\n"
}

#[test]
fn what_no_record_fills_is_ff() {
    let bytes = read(b":0200100012AB31\n:00000155AA\n:01FFFF000001\n:00000001FF\n").unwrap();
    let mut expected = vec![0xff; 2 * BANK];
    expected[0x10..0x12].copy_from_slice(&[0x12, 0xab]);
    expected[2 * BANK - 1] = 0;
    assert!(bytes == expected);
}

#[test]
fn records_may_come_in_any_order_and_a_bank_may_have_none() {
    let bytes = read(b":01000500AA50\n:0100040055A6\n:00000155AA\n:00000001FF\n").unwrap();
    assert_eq!(bytes[4..6], [0x55, 0xaa]);
    assert_eq!(bytes.len(), 2 * BANK);
}

#[test]
fn line_ends_blank_lines_lower_case_and_a_dos_end_mark_do_not_matter() {
    let plain = read(b":0200100012AB31\n:00000155AA\n:00000001FF\n").unwrap();
    for file in [
        &b":0200100012AB31\r\n:00000155AA\r\n:00000001FF\r\n"[..],
        b":0200100012AB31\n:00000155AA\n:00000001FF",
        b"\n:0200100012AB31\n\n:00000155AA\n:00000001FF\n\n \r\n\x1a",
        b":0200100012ab31\n:00000155aa\n:00000001ff\x1a",
    ] {
        assert!(read(file).unwrap() == plain);
    }
}

#[test]
fn a_damaged_file_is_refused_with_line_and_reason() {
    let rows: [(&str, &str); 21] = [
        ("X0100000002FD", "line 2 does not start with a colon"),
        (":01000g0002FD", "line 2, column 7: 'g' is not a hex digit"),
        (
            ":0100000002F",
            "line 2 has 11 hex digits, an odd number: one is missing or too many",
        ),
        (
            ":01000000",
            "line 2 is too short: 12 hex digits expected, 8 found",
        ),
        (":", "line 2 is too short: 10 hex digits expected, 0 found"),
        (
            ":0400000001020304",
            "line 2 is too short: 18 hex digits expected, 16 found",
        ),
        (
            ":0100000002FD00",
            "line 2 is too long: 12 hex digits expected, 14 found",
        ),
        (
            ":0100000002FE",
            "line 2: the sum at its end is FE, FD expected",
        ),
        (":0000000000", "line 2 is a data record without data"),
        (
            ":0100000401FA",
            "line 2: a record of type 04 has 2 bytes, this one has 1",
        ),
        (
            ":0100000102FC",
            "line 2: a record of type 01 has 0 bytes, this one has 1",
        ),
        (
            ":020000040020DA
:01000000FF00",
            "line 3 is for address 00200000, but no flash reaches past 001FFFFF",
        ),
        (
            ":020000040001F9
:00000155AA",
            "line 3 counts banks by bank marks, the lines before it by addresses",
        ),
        (
            ":00000155AA
:020000040000FA",
            "line 3 counts banks by addresses, the lines before it by bank marks",
        ),
        (
            ":00000255A9",
            "line 2 is a record of type 55; firmware files have types 00 to 05 and \
             bank marks only",
        ),
        (
            ":02FFFF000102FD",
            "line 2: 2 bytes at FFFF reach past the end of a 64 KiB bank",
        ),
        (
            ":01000A0002F3",
            "line 2 fills address 000A of bank 0, which line 1 filled already",
        ),
        (
            ":00000155AA\n:0200000001 02FB",
            "line 3, column 12: ' ' is not a hex digit",
        ),
        (
            ":00000155AA\n:02000000FFFF00\n:01000100FFFF",
            "line 4 fills address 0001 of bank 1, which line 3 filled already",
        ),
        (
            ":00000001FF\n:0100000002FD",
            "line 3 comes after the end record",
        ),
        (
            ":00000001FF\n:00000001FF",
            "line 3 comes after the end record",
        ),
    ];
    for (lines, message) in rows {
        let file = format!(":01000A0001F4\n{lines}\n:00000001FF\n");
        assert_eq!(
            read(file.as_bytes()).unwrap_err().in_words(),
            message,
            "{lines}"
        );
    }
}

#[test]
fn addresses_of_either_type_put_each_bank_where_it_belongs() {
    let mut bytes = noise(4 * BANK);
    bytes[BANK + 0x8000..2 * BANK].fill(0xff);
    for (kind, name) in [(0x02, "02"), (0x04, "04")] {
        let file = super::read(addressed(&bytes, kind).as_bytes()).unwrap();
        assert!(file.bytes == bytes, "type {name}");
        assert_eq!(file.notes.layout, Layout::Addressed);
    }
    // A first address of 0 says nothing about how the banks are told.
    let marked = written(&bytes);
    let with_zero = [record(0x04, 0, &[0, 0]).as_bytes(), &marked].concat();
    let file = super::read(&with_zero).unwrap();
    assert!(file.bytes == bytes);
    assert_eq!(file.notes.layout, Layout::Marked);
}

#[test]
fn a_segment_may_begin_inside_a_bank() {
    let file = record(0x02, 0, &[0x10, 0x01]) + &record(0, 0xfff0, &[7]) + ":00000001FF\n";
    assert_eq!(read(file.as_bytes()).unwrap()[0x2_0000], 7);
}

#[test]
fn where_a_program_starts_is_noted() {
    let start = |lines: String| super::read(lines.as_bytes()).unwrap().notes.start;
    let end = ":00000001FF\n";
    assert_eq!(start(end.to_owned()), None);
    assert_eq!(
        start(record(0x03, 0, &[0x12, 0x34, 0, 1]) + end),
        Some(Start::Segment {
            segment: 0x1234,
            offset: 1
        })
    );
    assert_eq!(
        start(record(0x05, 0, &[0, 1, 2, 3]) + end),
        Some(Start::Linear(0x1_0203))
    );
    assert_eq!(start(record(0x01, 0x100, &[])), Some(Start::End(0x100)));
}

#[test]
fn bytes_that_no_record_fills_are_told_with_what_is_around_them() {
    let bytes = noise(2 * BANK);
    let whole = String::from_utf8(written(&bytes)).unwrap();
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    let without = |from: usize, count: usize| {
        let left = [&lines[..from], &lines[from + count..]].concat().concat();
        super::read(left.as_bytes()).unwrap().notes.holes
    };
    let hole = |start, end, kind| {
        vec![Hole {
            range: FlashRange::new(start, end),
            kind,
        }]
    };
    assert_eq!(without(0, 0), []);
    assert_eq!(without(5, 1), hole(0x50, 0x60, HoleKind::InData));
    assert_eq!(without(0, 64), hole(0, 0x400, HoleKind::InData));
    // Line 4096 is the mark.
    assert_eq!(
        without(4097, 4096),
        hole(0x1_0000, 0x2_0000, HoleKind::Bank)
    );
    // The end of a bank may have been left blank.
    assert_eq!(without(4095, 1), hole(0xfff0, 0x1_0000, HoleKind::Blank));
}

#[test]
fn blank_bytes_may_be_left_out_by_a_file_that_never_writes_them() {
    let mut bytes = noise(BANK);
    bytes[0x1008..0x2000].fill(0xff);
    let sparse = super::read(addressed(&bytes, 0x04).as_bytes()).unwrap();
    assert_eq!(
        sparse.notes.holes,
        [Hole {
            range: FlashRange::new(0x1020, 0x2000),
            kind: HoleKind::Blank
        }]
    );
    // The other lines show that this one does write them.
    let whole = String::from_utf8(written(&bytes)).unwrap();
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    let left = [&lines[..0x103], &lines[0x104..]].concat().concat();
    let holes = super::read(left.as_bytes()).unwrap().notes.holes;
    assert_eq!(holes[0].kind, HoleKind::InData);
}

#[test]
fn what_editors_and_old_systems_add_around_a_text_does_not_matter() {
    let plain = written(&noise(BANK));
    let expected = read(&plain).unwrap();
    let text = String::from_utf8(plain.clone()).unwrap();
    let padded = |byte: u8, to: usize| {
        let mut file = plain.clone();
        file.resize(plain.len().next_multiple_of(to), byte);
        file
    };
    for (file, what) in [
        (padded(0x1a, 128), "1A up to a record of CP/M"),
        (padded(0x00, 512), "NUL up to a sector"),
        ([b"\xef\xbb\xbf", &plain[..]].concat(), "the mark of UTF-8"),
        (text.replace('\n', "\r").into_bytes(), "CR alone"),
        (
            text.replace('\n', " \t\r\n").into_bytes(),
            "blanks and CRLF",
        ),
    ] {
        assert!(looks_like_hex(&file), "{what}");
        assert!(read(&file).unwrap() == expected, "{what}");
    }
    assert_eq!(
        read(&text.replace('\n', "\r").into_bytes()[..100]).unwrap_err(),
        HexError {
            line: 3,
            wrong: Wrong::OddDigits { digits: 11 }
        }
    );
}

#[test]
fn a_file_without_its_end_is_cut_short_even_at_a_line_or_bank() {
    for file in [":0100000002FD\n", ":0100000002FD\n:00000155AA\n", "\n\n"] {
        let error = read(file.as_bytes()).unwrap_err();
        assert!(
            matches!(error.wrong, Wrong::MissingEnd),
            "{file:?}: {error}"
        );
    }
}

#[test]
fn the_thirty_third_bank_is_refused_where_it_starts() {
    let marks = |count| format!("{}:00000001FF\n", ":00000155AA\n".repeat(count));
    assert_eq!(read(marks(31).as_bytes()).unwrap().len(), MAX_BANKS * BANK);
    assert_eq!(
        read(marks(32).as_bytes()).unwrap_err().in_words(),
        "line 32 starts bank 33, but no flash has more than 32 banks"
    );
}

/// btcflash compares marks in upper case, counts 15 of them and stops at
/// the end record; it reads lines into a buffer of limited length.
#[test]
fn the_writer_writes_what_btcflash_reads() {
    let file = written(&noise(16 * BANK));
    let lines: Vec<&[u8]> = file.split(|byte| *byte == b'\n').collect();
    assert_eq!(lines[0][..9], *b":10000000");
    assert_eq!(lines.iter().filter(|line| **line == NEXT_BANK).count(), 15);
    assert_eq!(lines[0x1000], NEXT_BANK);
    assert_eq!(lines[lines.len() - 2..], [END, b""]);
    assert!(lines.iter().all(|line| line.len() <= 43));
}

#[test]
fn a_record_is_written_as_intel_defines_it() {
    assert_eq!(written(&[0x12, 0xab]), b":0200000012AB41\n:00000001FF\n");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whole_banks_come_back_as_they_were(banks in 1_usize..4, blank in any::<prop::sample::Index>()) {
        let mut bytes = noise(banks * BANK);
        bytes[blank.index(banks * BANK)..].fill(0xff);
        prop_assert!(read(&written(&bytes)).unwrap() == bytes);
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(content in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = looks_like_hex(&content);
        let _ = read(&content);
    }

    #[test]
    fn no_lines_of_digits_make_the_reader_panic(content in "(:[0-9a-fA-F]{0,24}\r?\n){0,20}") {
        let _ = looks_like_hex(content.as_bytes());
        let _ = read(content.as_bytes());
    }

    /// The sum of a record, its length and the end record together see
    /// every change of one character.
    #[test]
    fn one_changed_character_is_noticed_or_changes_nothing(
        length in 1_usize..100,
        at in any::<prop::sample::Index>(),
        to in prop_oneof![any::<u8>(), prop::sample::select(b"0123456789ABCDEFabcdef:\r\n \x1a".to_vec())],
    ) {
        let records = written(&noise(length));
        let (first_bank, _) = records.split_at(records.len() - END.len() - 1);
        let original = [first_bank, NEXT_BANK, b"\n", &records].concat();
        let mut changed = original.clone();
        changed[at.index(original.len())] = to;
        if let Ok(bytes) = read(&changed) {
            prop_assert!(bytes == read(&original).unwrap());
        }
    }

    #[test]
    fn a_file_cut_anywhere_is_refused(at in any::<prop::sample::Index>()) {
        let file = written(&noise(100));
        let end = at.index(file.len() - 1);
        prop_assert!(read(&file[..end]).is_err());
    }
}

#[test]
fn the_size_of_a_file_is_told_before_it_is_written() {
    for bytes in [
        0, 1, 15, 16, 17, 0xffff, 0x1_0000, 0x1_0001, 0x2_0000, 0x4_0005,
    ] {
        let mut written = Vec::new();
        write(&vec![0x5a; bytes as usize], &mut written).unwrap();
        assert_eq!(written_size(bytes), written.len() as u64, "{bytes:#x}");
    }
}
