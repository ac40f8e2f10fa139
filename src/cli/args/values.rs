//! The values of options: numbers, ranges and lists, with nothing guessed.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use super::switches::Switch;
use super::{Form, UsageError, Via};
use crate::cli::words::terms;
use crate::flash::{BANK_SIZE, Bank, FlashRange};
use crate::image::{Checksum, Crc32};
use crate::job::{Check, Forced};

/// Bytes that the 24 address bits of serial flash reach, the most of any flash
/// that a drive of this kind can carry.
const REACH: u32 = 1 << 24;

/// What a request holds of a switch with a value.
pub trait Setting {
    /// Takes a value as it was typed.
    fn take(&mut self, switch: &'static Switch, word: &OsStr) -> Result<(), UsageError>;

    /// The values to type for what it holds.
    fn print(&self) -> Vec<OsString>;

    /// Whether it may be given again, each time adding to what it names.
    fn is_list(&self) -> bool;
}

impl<T: Value> Setting for Option<T> {
    fn take(&mut self, switch: &'static Switch, word: &OsStr) -> Result<(), UsageError> {
        *self = Some(T::parse(switch, word)?);
        Ok(())
    }

    fn print(&self) -> Vec<OsString> {
        self.iter().map(T::print).collect()
    }

    fn is_list(&self) -> bool {
        false
    }
}

impl<T: Value> Setting for Vec<T> {
    fn take(&mut self, switch: &'static Switch, word: &OsStr) -> Result<(), UsageError> {
        self.push(T::parse(switch, word)?);
        Ok(())
    }

    fn print(&self) -> Vec<OsString> {
        self.iter().map(T::print).collect()
    }

    fn is_list(&self) -> bool {
        true
    }
}

/// `model` or `model,medium`.
impl Setting for Forced {
    fn take(&mut self, switch: &'static Switch, word: &OsStr) -> Result<(), UsageError> {
        for name in text(switch, word)?.split(',') {
            let check = named(name, &Check::ALL, Check::name);
            let unknown = || match name.to_ascii_lowercase().as_str() {
                "all" | "*" => UsageError::NoCheckNamed,
                _ => UsageError::UnknownCheck { word: name.into() },
            };
            self.insert(check.ok_or_else(unknown)?);
        }
        Ok(())
    }

    fn print(&self) -> Vec<OsString> {
        let names: Vec<&str> = self.iter().map(|check| check.name()).collect();
        match names.is_empty() {
            true => Vec::new(),
            false => vec![names.join(",").into()],
        }
    }

    fn is_list(&self) -> bool {
        true
    }
}

/// One value of a switch.
pub trait Value: Sized {
    fn parse(switch: &'static Switch, word: &OsStr) -> Result<Self, UsageError>;

    /// As it is typed.
    fn print(&self) -> OsString;
}

impl Value for PathBuf {
    fn parse(_: &'static Switch, word: &OsStr) -> Result<PathBuf, UsageError> {
        Ok(word.into())
    }

    fn print(&self) -> OsString {
        self.into()
    }
}

impl Value for String {
    fn parse(switch: &'static Switch, word: &OsStr) -> Result<String, UsageError> {
        text(switch, word).map(str::to_owned)
    }

    fn print(&self) -> OsString {
        self.into()
    }
}

/// `0-3,7`: bank numbers, decimal, ascending and each once in the result.
impl Value for Vec<Bank> {
    fn parse(switch: &'static Switch, word: &OsStr) -> Result<Vec<Bank>, UsageError> {
        let bad = |expected: &str| bad(switch, word, expected);
        let last = Bank((REACH / BANK_SIZE) - 1);
        let number = |text: &str| -> Result<u32, UsageError> {
            decimal(text)
                .filter(|number| *number <= last.0)
                .ok_or_else(|| bad(&format!("banks are decimal numbers from 0 to {last}")))
        };
        let mut banks = Vec::new();
        for part in text(switch, word)?.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return Err(bad("the first bank of a range comes first"));
            }
            banks.extend((first..=last).map(Bank));
        }
        banks.sort_unstable();
        banks.dedup();
        Ok(banks)
    }

    fn print(&self) -> OsString {
        terms::runs(self, ",").into()
    }
}

/// `0x4000-0x5fff`: first and last byte, both included.
///
/// A number must say that it is hex (`0x4000`, `4000h`): users of the DOS tool
/// write offsets in hex without a mark, Linux users mean decimal by the same
/// digits, and the range that is kept by mistake is not the one that is lost.
impl Value for FlashRange {
    fn parse(switch: &'static Switch, word: &OsStr) -> Result<FlashRange, UsageError> {
        let bad = |expected: &str| bad(switch, word, expected);
        let expected = "a range is its first and its last byte, both in hex";
        let (first, last) = text(switch, word)?
            .split_once('-')
            .ok_or_else(|| bad(expected))?;
        let number = |text: &str| -> Result<u32, UsageError> {
            if let Some(number) = marked_hex(text) {
                return Ok(number);
            }
            let hex = hex(text).ok_or_else(|| bad(expected))?;
            match decimal(text) {
                // A single digit means the same either way.
                Some(decimal) if decimal == hex && text.len() == 1 => Ok(decimal),
                Some(decimal) => Err(UsageError::AmbiguousNumber {
                    option: switch.long,
                    word: word.to_owned(),
                    number: text.to_owned(),
                    decimal,
                    hex,
                }),
                None => Err(bad(&format!("a hex number says so: {hex:#x} or {hex:X}h"))),
            }
        };
        let (first, last) = (number(first)?, number(last)?);
        if last < first {
            return Err(bad("the range ends before it starts"));
        }
        if last >= REACH {
            return Err(bad("no flash of a drive reaches that far"));
        }
        Ok(FlashRange::new(first, last + 1))
    }

    fn print(&self) -> OsString {
        let last = self.end().saturating_sub(1);
        format!("{:#x}-{last:#x}", self.start()).into()
    }
}

/// `262144`, `256K`, `1M` or `0x40000`: whole banks, in bytes.
impl Value for u32 {
    fn parse(switch: &'static Switch, word: &OsStr) -> Result<u32, UsageError> {
        let text = text(switch, word)?;
        let scaled = |digits: &str, unit: u32| decimal(digits).and_then(|n| n.checked_mul(unit));
        let size = if let Some(digits) = text.strip_suffix(['K', 'k']) {
            scaled(digits, 1 << 10)
        } else if let Some(digits) = text.strip_suffix(['M', 'm']) {
            scaled(digits, 1 << 20)
        } else {
            marked_hex(text).or_else(|| decimal(text))
        };
        let expected = "a flash has whole banks of 64K, at least one and at most 16M in all";
        size.filter(|size| *size > 0 && *size <= REACH && *size % BANK_SIZE == 0)
            .ok_or_else(|| bad(switch, word, expected))
    }

    fn print(&self) -> OsString {
        format!("{}K", self / 1024).into()
    }
}

/// Whole seconds.
impl Value for Duration {
    fn parse(switch: &'static Switch, word: &OsStr) -> Result<Duration, UsageError> {
        decimal(text(switch, word)?)
            .map(|seconds| Duration::from_secs(seconds.into()))
            .ok_or_else(|| bad(switch, word, "whole seconds"))
    }

    fn print(&self) -> OsString {
        self.as_secs().to_string().into()
    }
}

impl Value for Via {
    fn parse(switch: &'static Switch, word: &OsStr) -> Result<Via, UsageError> {
        named(text(switch, word)?, &Via::ALL, Via::name)
            .ok_or_else(|| bad(switch, word, "the ways are sg, ata and port"))
    }

    fn print(&self) -> OsString {
        self.name().into()
    }
}

impl Value for Form {
    fn parse(switch: &'static Switch, word: &OsStr) -> Result<Form, UsageError> {
        named(text(switch, word)?, &Form::ALL, Form::name)
            .ok_or_else(|| bad(switch, word, "an image becomes bin, hex or banks"))
    }

    fn print(&self) -> OsString {
        self.name().into()
    }
}

impl Value for Checksum {
    fn parse(switch: &'static Switch, word: &OsStr) -> Result<Checksum, UsageError> {
        let sum = hex_of(switch, word, 4)?;
        Ok(Checksum(sum as u16))
    }

    fn print(&self) -> OsString {
        self.to_string().into()
    }
}

impl Value for Crc32 {
    fn parse(switch: &'static Switch, word: &OsStr) -> Result<Crc32, UsageError> {
        hex_of(switch, word, 8).map(Crc32)
    }

    fn print(&self) -> OsString {
        self.to_string().into()
    }
}

/// Hex digits, at most so many, as checksums are given: `4a1f`, `0x4A1F`, `4A1Fh`.
fn hex_of(switch: &'static Switch, word: &OsStr, digits: usize) -> Result<u32, UsageError> {
    let text = text(switch, word)?;
    let number = marked_hex(text).or_else(|| hex(text).filter(|_| text.len() <= digits));
    number
        .filter(|number| digits >= 8 || *number < 1 << (4 * digits))
        .ok_or_else(|| bad(switch, word, &format!("up to {digits} hex digits")))
}

/// The one of these that has this name, in any case.
pub fn named<T: Copy>(name: &str, all: &[T], name_of: fn(T) -> &'static str) -> Option<T> {
    let is_named = |one: &&T| name.eq_ignore_ascii_case(name_of(**one));
    all.iter().find(is_named).copied()
}

/// A value that must be text.
fn text<'a>(switch: &'static Switch, word: &'a OsStr) -> Result<&'a str, UsageError> {
    word.to_str()
        .filter(|text| !text.is_empty())
        .ok_or_else(|| bad(switch, word, "this is no text"))
}

fn bad(switch: &'static Switch, word: &OsStr, expected: &str) -> UsageError {
    UsageError::BadValue {
        option: switch.long,
        word: word.to_owned(),
        expected: expected.to_owned(),
        example: switch.example,
    }
}

/// `0x4000`, `0X4000`, `4000h` or `4000H`.
fn marked_hex(text: &str) -> Option<u32> {
    let digits = text
        .strip_prefix("0x")
        .or_else(|| text.strip_prefix("0X"))
        .or_else(|| text.strip_suffix(['h', 'H']))?;
    hex(digits)
}

/// Hex digits alone: `from_str_radix` would take a sign.
pub fn hex(digits: &str) -> Option<u32> {
    let all = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    all.then(|| u32::from_str_radix(digits, 16).ok())?
}

/// Decimal digits alone.
fn decimal(digits: &str) -> Option<u32> {
    let all = digits.bytes().all(|digit| digit.is_ascii_digit());
    all.then(|| digits.parse().ok())?
}
