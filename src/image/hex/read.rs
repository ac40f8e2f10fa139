//! Reads Intel HEX, whichever way its banks are told.

use super::{BANK, HexError, HexFile, HexNotes, Layout, MAX_BANKS, Start, Wrong, holes};
use crate::flash::Offset;
use crate::image::text::is_text;

/// Characters of a record without data, the colon aside: length, address, type, sum.
const EMPTY_RECORD_DIGITS: usize = 10;

/// Bytes of a record without data: length, address, type, sum.
const EMPTY_RECORD: usize = EMPTY_RECORD_DIGITS / 2;

/// From this many bytes on, a record of nothing but FF was written on purpose.
const BLANK_RECORD: usize = 8;

/// The mark with which some programs begin a text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Whether this is meant to be a HEX file, however damaged: its first line is a
/// record, or it is text with a record somewhere.
pub fn looks_like_hex(content: &[u8]) -> bool {
    let content = without_mark(content);
    let starts_record = |line: &[u8]| {
        matches!(line.split_first(), Some((b':', digits))
            if digits.len() >= 8 && digits[..8].iter().all(u8::is_ascii_hexdigit))
    };
    starts_record(content.trim_ascii_start())
        || is_text(without_padding(content)) && lines(content).any(|(_, line)| starts_record(line))
}

/// Reads a HEX file into whole banks.
///
/// Lines may end in LF, CRLF or CR, and in blanks; blank lines are no lines. At
/// the end of the file may be what DOS and CP/M fill up with, 1A and NUL, and at
/// its start the mark of UTF-8.
///
/// # Errors
/// The first thing wrong, with its line.
pub fn read(content: &[u8]) -> Result<HexFile, HexError> {
    let mut reader = Reader::default();
    for (line, text) in lines(without_padding(without_mark(content))) {
        let mut buffer = [0; EMPTY_RECORD + 0xff];
        Record::parse(text, &mut buffer)
            .and_then(|record| reader.take(line, &record))
            .map_err(|wrong| HexError { line, wrong })?;
    }
    reader.finish()
}

fn without_mark(content: &[u8]) -> &[u8] {
    content.strip_prefix(BYTE_ORDER_MARK).unwrap_or(content)
}

fn without_padding(content: &[u8]) -> &[u8] {
    let is_padding = |byte: &u8| matches!(byte, 0x00 | 0x1a) || byte.is_ascii_whitespace();
    let end = content.iter().rposition(|byte| !is_padding(byte));
    &content[..end.map_or(0, |last| last + 1)]
}

/// Every line that is not blank, without the blanks around it, and its number.
fn lines(content: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut rest = content;
    let mut number = 0;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            number += 1;
            let length = rest
                .iter()
                .position(|byte| matches!(byte, b'\n' | b'\r'))
                .unwrap_or(rest.len());
            let (line, end) = rest.split_at(length);
            rest = match end {
                [b'\r', b'\n', after @ ..] | [_, after @ ..] => after,
                [] => end,
            };
            let line = line.trim_ascii();
            if !line.is_empty() {
                return Some((number, line));
            }
        }
        None
    })
}

/// The banks read so far.
#[derive(Default)]
struct Reader {
    bytes: Vec<u8>,
    /// The line that filled each byte, 0 for none.
    filled_by: Vec<u32>,
    /// How banks are told, once something has told one.
    layout: Option<Layout>,
    /// What the addresses of records are counted from.
    base: u64,
    /// The address of the first byte, where that is past any flash: as compilers
    /// write it, the place of the flash in the memory of its processor.
    origin: u64,
    /// Told by type 04, of which the addresses go on from one 64 KiB to the next.
    is_linear: bool,
    writes_blanks: bool,
    start: Option<Start>,
    ended: bool,
    last: usize,
}

impl Reader {
    fn take(&mut self, line: usize, record: &Record) -> Result<(), Wrong> {
        if self.ended {
            return Err(Wrong::AfterEnd);
        }
        self.last = line;
        match (record.kind, record.data) {
            (0x00, []) => return Err(Wrong::NoData),
            (0x00, data) => return self.fill(line, record.address, data),
            (0x01, []) => {
                self.ended = true;
                if record.address != 0 {
                    self.start.get_or_insert(Start::End(record.address));
                }
            }
            (0x02, [high, low]) => {
                return self.count_from(u64::from(u16::from_be_bytes([*high, *low])) << 4);
            }
            (0x04, [high, low]) => {
                let base = u64::from(u16::from_be_bytes([*high, *low])) << 16;
                self.is_linear = true;
                if self.bytes.is_empty() && base >= (MAX_BANKS * BANK) as u64 {
                    self.origin = base;
                }
                return self.count_from(base);
            }
            (0x03, [a, b, c, d]) => {
                self.start.get_or_insert(Start::Segment {
                    segment: u16::from_be_bytes([*a, *b]),
                    offset: u16::from_be_bytes([*c, *d]),
                });
            }
            (0x05, [a, b, c, d]) => {
                self.start
                    .get_or_insert(Start::Linear(u32::from_be_bytes([*a, *b, *c, *d])));
            }
            (0x55, []) if record.address == 1 => return self.start_next_bank(),
            (kind @ 0x01..=0x05, data) => {
                return Err(Wrong::BadLength {
                    kind,
                    expected: match kind {
                        0x01 => 0,
                        0x02 | 0x04 => 2,
                        _ => 4,
                    },
                    found: data.len() as u8,
                });
            }
            (found, _) => return Err(Wrong::OtherRecord { found }),
        }
        Ok(())
    }

    /// A record that says what the addresses after it are counted from. At the
    /// start of a file many programs write one of 0, which says nothing.
    fn count_from(&mut self, base: u64) -> Result<(), Wrong> {
        if base != 0 || self.layout.is_some() {
            self.tell_banks_by(Layout::Addressed)?;
        }
        let address = base;
        self.base = base
            .checked_sub(self.origin)
            .ok_or(Wrong::TooFar { address })?;
        Ok(())
    }

    fn start_next_bank(&mut self) -> Result<(), Wrong> {
        self.tell_banks_by(Layout::Marked)?;
        let base = self.base as usize + BANK;
        if base >= MAX_BANKS * BANK {
            return Err(Wrong::TooManyBanks);
        }
        self.base = base as u64;
        self.reach(base + BANK);
        Ok(())
    }

    fn tell_banks_by(&mut self, layout: Layout) -> Result<(), Wrong> {
        match *self.layout.get_or_insert(layout) {
            known if known == layout => Ok(()),
            _ => Err(Wrong::MixedLayouts { layout }),
        }
    }

    fn fill(&mut self, line: usize, address: u16, data: &[u8]) -> Result<(), Wrong> {
        if usize::from(address) + data.len() > BANK && !self.is_linear {
            return Err(Wrong::PastBank {
                address,
                length: data.len() as u8,
            });
        }
        let start = self.base + u64::from(address);
        let end = start + data.len() as u64;
        if end > (MAX_BANKS * BANK) as u64 {
            let address = self.origin + start.max((MAX_BANKS * BANK) as u64);
            return Err(Wrong::TooFar { address });
        }
        let (start, end) = (start as usize, end as usize);
        self.reach(end);
        let filled_by = &mut self.filled_by[start..end];
        if let Some(at) = filled_by.iter().position(|earlier| *earlier != 0) {
            return Err(Wrong::Overlap {
                at: Offset((start + at) as u32),
                earlier: filled_by[at] as usize,
            });
        }
        filled_by.fill(line as u32);
        self.bytes[start..end].copy_from_slice(data);
        self.writes_blanks |= data.len() >= BLANK_RECORD && data.iter().all(|byte| *byte == 0xff);
        Ok(())
    }

    /// Makes room for so many bytes, in whole banks.
    fn reach(&mut self, end: usize) {
        let size = end.next_multiple_of(BANK);
        if self.bytes.len() < size {
            self.bytes.resize(size, 0xff);
            self.filled_by.resize(size, 0);
        }
    }

    fn finish(mut self) -> Result<HexFile, HexError> {
        if !self.ended {
            let wrong = Wrong::MissingEnd;
            return Err(HexError {
                line: self.last,
                wrong,
            });
        }
        self.reach(BANK);
        let notes = HexNotes {
            layout: self.layout.unwrap_or(Layout::Marked),
            holes: holes::find(&self.bytes, &self.filled_by, self.writes_blanks),
            start: self.start,
            origin: self.origin,
        };
        let bytes = self.bytes;
        Ok(HexFile { bytes, notes })
    }
}

/// A record whose length and sum are right.
struct Record<'a> {
    address: u16,
    kind: u8,
    data: &'a [u8],
}

impl<'a> Record<'a> {
    fn parse(text: &[u8], buffer: &'a mut [u8; EMPTY_RECORD + 0xff]) -> Result<Record<'a>, Wrong> {
        let digits = text.strip_prefix(b":").ok_or(Wrong::NoColon)?;
        let bytes = decode(digits, buffer).ok_or_else(|| bad_digits(digits))?;
        let length = usize::from(bytes.first().copied().unwrap_or(0));
        let expected = EMPTY_RECORD_DIGITS + 2 * length;
        let [_, high, low, kind, data @ .., found] = bytes else {
            return Err(bad_length(expected, digits.len()));
        };
        if data.len() != length {
            return Err(bad_length(expected, digits.len()));
        }
        let sum = bytes
            .iter()
            .fold(0, |sum: u8, byte| sum.wrapping_add(*byte));
        if sum != 0 {
            return Err(Wrong::BadSum {
                expected: found.wrapping_sub(sum),
                found: *found,
            });
        }
        Ok(Record {
            address: u16::from_be_bytes([*high, *low]),
            kind: *kind,
            data,
        })
    }
}

/// The bytes that digits stand for; `None` where they do not.
fn decode<'a>(digits: &[u8], buffer: &'a mut [u8; EMPTY_RECORD + 0xff]) -> Option<&'a [u8]> {
    let bytes = buffer.get_mut(..digits.len() / 2)?;
    let mut seen = 0;
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let (high, low) = (VALUES[usize::from(pair[0])], VALUES[usize::from(pair[1])]);
        seen |= high | low;
        *byte = high << 4 | low & 0x0f;
    }
    (seen <= 0x0f && digits.len() % 2 == 0).then_some(bytes)
}

/// The values of characters as hex digits; FF for those that are none.
const VALUES: [u8; 256] = {
    let mut values = [0xff; 256];
    let mut digit = 0;
    while digit < 10 {
        values[b'0' as usize + digit] = digit as u8;
        digit += 1;
    }
    while digit < 16 {
        values[b'A' as usize + digit - 10] = digit as u8;
        values[b'a' as usize + digit - 10] = digit as u8;
        digit += 1;
    }
    values
};

/// Why [`decode`] takes these not.
fn bad_digits(digits: &[u8]) -> Wrong {
    if let Some(at) = digits.iter().position(|digit| !digit.is_ascii_hexdigit()) {
        return Wrong::NotADigit {
            column: at + 2,
            found: shown(&digits[at..]),
        };
    }
    if digits.len() % 2 != 0 {
        let digits = digits.len();
        return Wrong::OddDigits { digits };
    }
    let length = digits[..2].iter().fold(0, |value, digit| {
        value << 4 | usize::from(VALUES[usize::from(*digit)])
    });
    bad_length(EMPTY_RECORD_DIGITS + 2 * length, digits.len())
}

fn bad_length(expected: usize, found: usize) -> Wrong {
    match found < expected {
        true => Wrong::ShortLine { expected, found },
        false => Wrong::LongLine { expected, found },
    }
}

/// The character that `bytes` start with, to show in a message.
fn shown(bytes: &[u8]) -> char {
    match bytes.first() {
        Some(byte) if byte.is_ascii_graphic() || *byte == b' ' => char::from(*byte),
        _ => char::REPLACEMENT_CHARACTER,
    }
}
