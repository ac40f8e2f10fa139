//! The values of options: numbers, ranges and lists, with nothing guessed.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::Duration;

use super::switches::Switch;
use super::{Form, UsageError, Via};
use crate::flash::{BANK_SIZE, Bank, FlashRange};
use crate::job::{Check, Forced};

/// Bytes that the 24 address bits of serial flash reach, the most of any flash
/// that a drive of this kind can carry.
const REACH: u32 = 1 << 24;

/// `0-3,7`: bank numbers, decimal, ascending and each once in the result.
pub fn banks(switch: &'static Switch, word: &OsStr) -> Result<Vec<Bank>, UsageError> {
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

/// `0x4000-0x5fff`: first and last byte, both included.
///
/// A number must say that it is hex (`0x4000`, `4000h`): users of the DOS tool
/// write offsets in hex without a mark, Linux users mean decimal by the same
/// digits, and the range that is kept by mistake is not the one that is lost.
pub fn range(switch: &'static Switch, word: &OsStr) -> Result<FlashRange, UsageError> {
    let expected = "a range is its first and its last byte, both in hex";
    let (first, last) = text(switch, word)?
        .split_once('-')
        .ok_or_else(|| bad(switch, word, expected))?;
    let number = |text: &str| -> Result<u32, UsageError> {
        if let Some(number) = marked_hex(text) {
            return Ok(number);
        }
        let hex = hex(text).ok_or_else(|| bad(switch, word, expected))?;
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
            None => Err(bad(
                switch,
                word,
                &format!("a hex number says so: {hex:#x} or {hex:X}h"),
            )),
        }
    };
    let (first, last) = (number(first)?, number(last)?);
    if last < first {
        return Err(bad(switch, word, "the range ends before it starts"));
    }
    if last >= REACH {
        return Err(bad(switch, word, "no flash of a drive reaches that far"));
    }
    Ok(FlashRange::new(first, last + 1))
}

/// `262144`, `256K`, `1M` or `0x40000`: whole banks, in bytes.
pub fn size(switch: &'static Switch, word: &OsStr) -> Result<u32, UsageError> {
    let text = text(switch, word)?;
    let scaled = |digits: &str, unit: u32| decimal(digits).and_then(|n| n.checked_mul(unit));
    let size = if let Some(digits) = text.strip_suffix(['K', 'k']) {
        scaled(digits, 1 << 10)
    } else if let Some(digits) = text.strip_suffix(['M', 'm']) {
        scaled(digits, 1 << 20)
    } else {
        marked_hex(text).or_else(|| decimal(text))
    };
    size.filter(|size| *size > 0 && *size <= REACH && *size % BANK_SIZE == 0)
        .ok_or_else(|| {
            bad(
                switch,
                word,
                "a flash has whole banks of 64K, at least one and at most 16M in all",
            )
        })
}

/// Whole seconds.
pub fn seconds(switch: &'static Switch, word: &OsStr) -> Result<Duration, UsageError> {
    decimal(text(switch, word)?)
        .map(|seconds| Duration::from_secs(seconds.into()))
        .ok_or_else(|| bad(switch, word, "whole seconds"))
}

/// `sg`, `ata` or `port`.
pub fn via(switch: &'static Switch, word: &OsStr) -> Result<Via, UsageError> {
    let name = text(switch, word)?;
    Via::ALL
        .into_iter()
        .find(|via| name.eq_ignore_ascii_case(via.name()))
        .ok_or_else(|| bad(switch, word, "the ways are sg, ata and port"))
}

/// Hex digits, at most so many, as checksums are given: `4a1f`, `0x4A1F`, `4A1Fh`.
pub fn hex_of(switch: &'static Switch, word: &OsStr, digits: usize) -> Result<u32, UsageError> {
    let text = text(switch, word)?;
    let number = marked_hex(text).or_else(|| hex(text).filter(|_| text.len() <= digits));
    number
        .filter(|number| digits >= 8 || *number < 1 << (4 * digits))
        .ok_or_else(|| bad(switch, word, &format!("up to {digits} hex digits")))
}

/// `bin`, `hex` or `banks`.
pub fn form(switch: &'static Switch, word: &OsStr) -> Result<Form, UsageError> {
    let name = text(switch, word)?;
    Form::ALL
        .into_iter()
        .find(|form| name.eq_ignore_ascii_case(form.name()))
        .ok_or_else(|| bad(switch, word, "an image becomes bin, hex or banks"))
}

/// `model` or `model,medium`.
pub fn checks(switch: &'static Switch, word: &OsStr) -> Result<Forced, UsageError> {
    text(switch, word)?
        .split(',')
        .map(|name| {
            Check::ALL
                .into_iter()
                .find(|check| name.eq_ignore_ascii_case(check.name()))
                .ok_or_else(|| match name.to_ascii_lowercase().as_str() {
                    "all" | "*" => UsageError::NoCheckNamed,
                    _ => UsageError::UnknownCheck { word: name.into() },
                })
        })
        .collect()
}

pub fn print_path(path: Option<&Path>) -> Vec<OsString> {
    path.into_iter().map(OsString::from).collect()
}

pub fn print_name(name: Option<&str>) -> Vec<OsString> {
    name.into_iter().map(OsString::from).collect()
}

/// As it is shown elsewhere.
pub fn print_shown(value: Option<impl ToString>) -> Vec<OsString> {
    let print = |value| ToString::to_string(&value).into();
    value.into_iter().map(print).collect()
}

/// `0-3,7`.
pub fn print_banks(banks: Option<&[Bank]>) -> Vec<OsString> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for bank in banks.unwrap_or_default() {
        match runs.last_mut() {
            Some((_, last)) if bank.0 == *last + 1 => *last = bank.0,
            _ => runs.push((bank.0, bank.0)),
        }
    }
    let runs = runs.iter().map(|(first, last)| match last - first {
        0 => first.to_string(),
        _ => format!("{first}-{last}"),
    });
    let list: Vec<String> = runs.collect();
    banks.iter().map(|_| list.join(",").into()).collect()
}

/// `0x4000-0x5fff`, one each.
pub fn print_ranges(ranges: &[FlashRange]) -> Vec<OsString> {
    let print = |range: &FlashRange| {
        let last = range.end().saturating_sub(1);
        format!("{:#x}-{last:#x}", range.start()).into()
    };
    ranges.iter().map(print).collect()
}

/// `256K`.
pub fn print_size(size: Option<u32>) -> Vec<OsString> {
    let print = |size| format!("{}K", size / 1024).into();
    size.into_iter().map(print).collect()
}

pub fn print_seconds(wait: Option<Duration>) -> Vec<OsString> {
    let print = |wait: Duration| wait.as_secs().to_string().into();
    wait.into_iter().map(print).collect()
}

/// `medium,model`.
pub fn print_checks(checks: &Forced) -> Vec<OsString> {
    let names: Vec<&str> = checks.iter().map(|check| check.name()).collect();
    match names.is_empty() {
        true => Vec::new(),
        false => vec![names.join(",").into()],
    }
}

/// A value that must be text.
pub fn text<'a>(switch: &'static Switch, word: &'a OsStr) -> Result<&'a str, UsageError> {
    word.to_str()
        .filter(|text| !text.is_empty())
        .ok_or_else(|| bad(switch, word, "this is no text"))
}

pub fn bad(switch: &'static Switch, word: &OsStr, expected: &str) -> UsageError {
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
