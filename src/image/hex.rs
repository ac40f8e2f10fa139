//! Bank-marked Intel HEX, the text format in which MTKFLASH keeps images.
//!
//! Data records (type 00) have 16-bit addresses within a bank of 64 KiB. The
//! line `:00000155AA`, a record of type 55 that is not Intel's, ends a bank and
//! starts the next. `:00000001FF` ends the file. What no record fills is FF. There
//! are no other records.
//!
//! Source: behaviour of btcflash 2004/04/29 (David Huang), which flashed real
//! drives from such files; it takes exactly 16 banks. It also skips lines that
//! do not start with a colon. This reader refuses them: a flasher should not
//! guess what a damaged line was.

use std::io;

use crate::flash::BANK_SIZE;

/// Banks in the largest flash, 2 MiB.
pub const MAX_BANKS: usize = 32;

const BANK: usize = BANK_SIZE as usize;
const NEXT_BANK: &[u8] = b":00000155AA";
const END: &[u8] = b":00000001FF";

/// Data bytes that the writer puts in a record.
const RECORD_LENGTH: usize = 16;

/// Characters of a record without data, the colon aside: length, address, type, sum.
const EMPTY_RECORD_DIGITS: usize = 10;

/// What is wrong with a HEX file. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HexError {
    #[error("line {line} does not start with a colon")]
    NoColon { line: usize },
    #[error("line {line}, column {column}: '{found}' is not a hex digit")]
    NotADigit {
        line: usize,
        column: usize,
        found: char,
    },
    #[error("line {line} has {digits} hex digits, an odd number: one is missing or too many")]
    OddDigits { line: usize, digits: usize },
    #[error("line {line} is too short: {expected} hex digits expected, {found} found")]
    ShortLine {
        line: usize,
        expected: usize,
        found: usize,
    },
    #[error("line {line} is too long: {expected} hex digits expected, {found} found")]
    LongLine {
        line: usize,
        expected: usize,
        found: usize,
    },
    #[error("line {line}: the sum at its end is {found:02X}, {expected:02X} expected")]
    BadSum {
        line: usize,
        expected: u8,
        found: u8,
    },
    #[error("line {line} is a data record without data")]
    NoData { line: usize },
    #[error(
        "line {line} is a record of type {found:02X}; firmware files have data records (00), \
         bank marks and one end record only"
    )]
    OtherRecord { line: usize, found: u8 },
    #[error("line {line}: {length} bytes at {address:04X} reach past the end of a 64 KiB bank")]
    PastBank {
        line: usize,
        address: u16,
        length: u8,
    },
    #[error(
        "line {line} fills address {address:04X} of bank {bank}, which line {earlier} filled already"
    )]
    Overlap {
        line: usize,
        bank: usize,
        address: u16,
        earlier: usize,
    },
    #[error("line {line} starts bank {}, but no flash has more than {MAX_BANKS} banks", MAX_BANKS + 1)]
    TooManyBanks { line: usize },
    #[error("the end record :00000001FF is missing after line {lines}: the file is cut short")]
    MissingEnd { lines: usize },
    #[error("line {line} comes after the end record")]
    AfterEnd { line: usize },
}

/// Whether this is meant to be a HEX file, however damaged: its first line is a
/// record, or it is text with a record somewhere.
pub fn looks_like_hex(content: &[u8]) -> bool {
    let starts_record = |line: &[u8]| {
        matches!(line.split_first(), Some((b':', digits))
            if digits.len() >= 8 && digits[..8].iter().all(u8::is_ascii_hexdigit))
    };
    starts_record(content.trim_ascii_start())
        || super::soundness::is_text(content)
            && content
                .split(|byte| *byte == b'\n')
                .any(|line| starts_record(line.trim_ascii()))
}

/// Reads a HEX file into whole banks, at least one and at most [`MAX_BANKS`].
///
/// Lines may end in LF or CRLF; blank lines, and the 1A with which DOS ends a
/// text, are no lines.
///
/// # Errors
/// The first thing wrong, with its line.
pub fn read(content: &[u8]) -> Result<Vec<u8>, HexError> {
    let mut banks = Banks::new();
    let mut ended = false;
    let mut last = 0;
    for (line, text) in (1..).zip(content.split(|byte| *byte == b'\n')) {
        let text = text.trim_ascii();
        let text = text.strip_suffix(b"\x1a").unwrap_or(text);
        if text.is_empty() {
            continue;
        }
        if ended {
            return Err(HexError::AfterEnd { line });
        }
        last = line;
        if text.eq_ignore_ascii_case(NEXT_BANK) {
            banks.start_next(line)?;
        } else if text.eq_ignore_ascii_case(END) {
            ended = true;
        } else {
            let record = Record::parse(line, text)?;
            banks.fill(line, record.address, record.data())?;
        }
    }
    if ended {
        Ok(banks.bytes)
    } else {
        Err(HexError::MissingEnd { lines: last })
    }
}

/// The banks read so far; the last one is being filled.
struct Banks {
    bytes: Vec<u8>,
    /// The line that filled each byte of the last bank, 0 for none.
    filled_by: Vec<usize>,
}

impl Banks {
    fn new() -> Banks {
        Banks {
            bytes: vec![0xff; BANK],
            filled_by: vec![0; BANK],
        }
    }

    fn start_next(&mut self, line: usize) -> Result<(), HexError> {
        if self.bytes.len() >= MAX_BANKS * BANK {
            return Err(HexError::TooManyBanks { line });
        }
        self.bytes.resize(self.bytes.len() + BANK, 0xff);
        self.filled_by.fill(0);
        Ok(())
    }

    fn fill(&mut self, line: usize, address: u16, data: &[u8]) -> Result<(), HexError> {
        let bank = self.bytes.len() / BANK - 1;
        let places = self.bytes[bank * BANK..]
            .iter_mut()
            .zip(&mut self.filled_by)
            .skip(usize::from(address));
        if places.len() < data.len() {
            return Err(HexError::PastBank {
                line,
                address,
                length: data.len() as u8,
            });
        }
        for (at, ((place, filled_by), byte)) in (address..=u16::MAX).zip(places.zip(data)) {
            if *filled_by != 0 {
                return Err(HexError::Overlap {
                    line,
                    bank,
                    address: at,
                    earlier: *filled_by,
                });
            }
            *place = *byte;
            *filled_by = line;
        }
        Ok(())
    }
}

/// A data record whose length and sum are right.
struct Record {
    address: u16,
    length: usize,
    data: [u8; 0xff],
}

impl Record {
    fn data(&self) -> &[u8] {
        &self.data[..self.length]
    }

    fn parse(line: usize, text: &[u8]) -> Result<Record, HexError> {
        let digits = text.strip_prefix(b":").ok_or(HexError::NoColon { line })?;
        if let Some(at) = digits.iter().position(|digit| !digit.is_ascii_hexdigit()) {
            return Err(HexError::NotADigit {
                line,
                column: at + 2,
                found: shown(&digits[at..]),
            });
        }
        if digits.len() % 2 != 0 {
            return Err(HexError::OddDigits {
                line,
                digits: digits.len(),
            });
        }
        let mut bytes = digits.chunks_exact(2).map(byte);
        let mut next = || {
            bytes.next().ok_or(HexError::ShortLine {
                line,
                expected: EMPTY_RECORD_DIGITS,
                found: digits.len(),
            })
        };
        let (length, high, low, kind) = (next()?, next()?, next()?, next()?);
        if kind != 0 {
            return Err(HexError::OtherRecord { line, found: kind });
        }
        let (expected, found) = (EMPTY_RECORD_DIGITS + 2 * usize::from(length), digits.len());
        if found < expected {
            return Err(HexError::ShortLine {
                line,
                expected,
                found,
            });
        }
        if found > expected {
            return Err(HexError::LongLine {
                line,
                expected,
                found,
            });
        }
        let mut record = Record {
            address: u16::from_be_bytes([high, low]),
            length: usize::from(length),
            data: [0; 0xff],
        };
        let mut sum = length.wrapping_add(high).wrapping_add(low);
        for place in &mut record.data[..record.length] {
            *place = next()?;
            sum = sum.wrapping_add(*place);
        }
        let found = next()?;
        let expected = sum.wrapping_neg();
        if found != expected {
            return Err(HexError::BadSum {
                line,
                expected,
                found,
            });
        }
        if length == 0 {
            return Err(HexError::NoData { line });
        }
        Ok(record)
    }
}

/// The value of two characters that are known to be hex digits.
fn byte(digits: &[u8]) -> u8 {
    digits.iter().fold(0, |value, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            letter => (letter.to_ascii_uppercase().wrapping_sub(b'A')).wrapping_add(10),
        };
        value << 4 | digit & 0x0f
    })
}

/// The character that `bytes` start with, to show in a message.
fn shown(bytes: &[u8]) -> char {
    match bytes.first() {
        Some(byte) if byte.is_ascii_graphic() || *byte == b' ' => char::from(*byte),
        _ => char::REPLACEMENT_CHARACTER,
    }
}

/// How many bytes [`write`] makes of so many.
pub fn written_size(bytes: u32) -> u64 {
    let mut counted = Counted(0);
    // Counting cannot fail.
    let _ = write(&vec![0xff; bytes as usize], &mut counted);
    counted.0
}

struct Counted(u64);

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes whole banks as a HEX file that [`read`] takes back and, with 16
/// banks, btcflash too. A short last bank reads back filled up with FF.
///
/// Every byte gets a record, FF as well: the file shows the whole flash.
///
/// # Errors
/// As `out` answers.
pub fn write(bytes: &[u8], out: &mut impl io::Write) -> io::Result<()> {
    let mut line = Vec::with_capacity(1 + EMPTY_RECORD_DIGITS + 2 * RECORD_LENGTH + 1);
    for (number, bank) in bytes.chunks(BANK).enumerate() {
        if number > 0 {
            write_line(NEXT_BANK, out)?;
        }
        for (address, data) in (0..=u16::MAX)
            .step_by(RECORD_LENGTH)
            .zip(bank.chunks(RECORD_LENGTH))
        {
            let [high, low] = address.to_be_bytes();
            let mut sum: u8 = 0;
            line.clear();
            line.push(b':');
            for byte in [data.len() as u8, high, low, 0].iter().chain(data) {
                sum = sum.wrapping_add(*byte);
                push_digits(&mut line, *byte);
            }
            push_digits(&mut line, sum.wrapping_neg());
            write_line(&line, out)?;
        }
    }
    write_line(END, out)
}

fn write_line(line: &[u8], out: &mut impl io::Write) -> io::Result<()> {
    out.write_all(line)?;
    out.write_all(b"\n")
}

fn push_digits(line: &mut Vec<u8>, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    line.push(DIGITS[usize::from(byte >> 4)]);
    line.push(DIGITS[usize::from(byte & 0x0f)]);
}

#[cfg(test)]
mod tests {
    use super::super::tests::noise;
    use super::*;
    use proptest::prelude::*;

    fn written(bytes: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        write(bytes, &mut file).unwrap();
        file
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
        let rows: [(&str, &str); 17] = [
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
                ":020000040001F9",
                "line 2 is a record of type 04; firmware files have data records (00), \
                 bank marks and one end record only",
            ),
            (
                ":00000255A9",
                "line 2 is a record of type 55; firmware files have data records (00), \
                 bank marks and one end record only",
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
                read(file.as_bytes()).unwrap_err().to_string(),
                message,
                "{lines}"
            );
        }
    }

    #[test]
    fn a_file_without_its_end_is_cut_short_even_at_a_line_or_bank() {
        for file in [":0100000002FD\n", ":0100000002FD\n:00000155AA\n", "\n\n"] {
            let error = read(file.as_bytes()).unwrap_err();
            assert!(
                matches!(error, HexError::MissingEnd { .. }),
                "{file:?}: {error}"
            );
        }
    }

    #[test]
    fn the_thirty_third_bank_is_refused_where_it_starts() {
        let marks = |count| format!("{}:00000001FF\n", ":00000155AA\n".repeat(count));
        assert_eq!(read(marks(31).as_bytes()).unwrap().len(), MAX_BANKS * BANK);
        assert_eq!(
            read(marks(32).as_bytes()).unwrap_err().to_string(),
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
}
