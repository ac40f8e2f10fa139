//! An entry: what is noted of a change that was begun.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Asked, Found, Journal};
use crate::flash::FlashRange;
use crate::flash::ranges::are_within;
use crate::image::Crc32;
use crate::job::record::{self, Date};
use crate::scsi::Identity;

/// The only version there is.
const VERSION: u32 = 1;
/// Of a flash of 16 MiB.
const MOST_PIECES: usize = 4096;
/// The longest path that Linux takes, in bytes.
const LONGEST_PATH: usize = 4096;
const LONGEST_TEXT: usize = 256;
const MOST_WORDS: usize = 64;

/// A change that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    version: u32,
    /// UTC, to be read by people; compares as it passes.
    pub date: Date,
    /// Name and version of the program.
    pub tool: String,
    /// The number of the user whose run it was.
    pub owner: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    pub chip: String,
    /// Bytes in the whole flash.
    pub size: u32,
    /// What the backup holds; none for the whole flash.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<FlashRange>,
    /// CRC-32 of what the flash is to hold, FF outside of the ranges.
    pub target: Crc32,
    /// The plan: sectors to erase, and bytes to program.
    pub sectors_to_erase: u32,
    pub bytes_to_program: u32,
    /// The words that asked for the change, see [`word`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    words: Vec<String>,
    /// CRC-32 of the image in them; none for an erase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image: Option<Crc32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drive: Option<Identity>,
    /// The flash was left in the middle of another change when this one began.
    #[serde(default, skip_serializing_if = "is_not")]
    pub mixed: bool,
    /// It seems to be over; nobody can tell whether it was that drive.
    #[serde(default, skip_serializing_if = "is_not")]
    pub settled: bool,
    /// It was settled by a drive at its place whose flash this change cannot have left:
    /// the one that it was about may be anywhere.
    #[serde(default, skip_serializing_if = "is_not")]
    pub displaced: bool,
    /// What other changes have written since, as far as can be told into this drive.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub written_since: Vec<FlashRange>,
    /// The byte that the chip did not take when the change was last carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<u32>,
    /// None where the user wanted none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    backup: Option<NamedBackup>,
    /// Of each piece of the flash that can change: first and last byte, CRC-32
    /// before and after.
    pieces: Vec<[u32; 4]>,
}

fn is_not(marked: &bool) -> bool {
    !marked
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NamedBackup {
    /// See [`word`].
    path: String,
    crc32: Crc32,
    /// It was read in the middle of another change, and is no way back.
    #[serde(default, skip_serializing_if = "is_not")]
    half_written: bool,
}

/// What a flash held and is to hold in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::job) struct Piece {
    pub range: FlashRange,
    pub before: Crc32,
    /// Not known from a record alone, which has the sum of the whole.
    pub after: Option<Crc32>,
}

/// What an entry says of a change, but for who made it.
pub(in crate::job) struct Begun<'a> {
    pub date: Date,
    pub tool: &'a str,
    pub drive: Option<&'a Identity>,
    pub chip: &'a str,
    pub size: u32,
    pub ranges: Vec<FlashRange>,
    /// What the whole flash is to hold, FF outside of the ranges.
    pub target: &'a [u8],
    pub sectors_to_erase: usize,
    pub bytes_to_program: u32,
    pub mixed: bool,
    /// Its path, its CRC-32, and whether it may be a mixture.
    pub backup: Option<(&'a Path, Crc32, bool)>,
    pub pieces: &'a [Piece],
    /// The entries of earlier runs that this one goes on with: it takes their place.
    pub continued: &'a [Found],
}

impl Entry {
    /// That of a change which this user begins now.
    ///
    /// # Errors
    /// A backup that has gone; what could not be read again.
    pub(super) fn of(begun: &Begun, journal: &Journal) -> io::Result<Entry> {
        let named = |(path, crc32, half_written): (&Path, _, _)| -> io::Result<NamedBackup> {
            Ok(NamedBackup {
                path: word(path.canonicalize()?.as_os_str()),
                crc32,
                half_written,
            })
        };
        let entry = Entry {
            version: VERSION,
            date: begun.date,
            tool: begun.tool.to_owned(),
            owner: nix::unistd::geteuid().as_raw(),
            place: journal.place.clone(),
            chip: begun.chip.to_owned(),
            size: begun.size,
            ranges: begun.ranges.clone(),
            target: Crc32::of(begun.target),
            sectors_to_erase: u32::try_from(begun.sectors_to_erase).unwrap_or(u32::MAX),
            bytes_to_program: begun.bytes_to_program,
            words: journal.asked.words.iter().map(|text| word(text)).collect(),
            image: journal.asked.image,
            drive: begun.drive.cloned(),
            mixed: begun.mixed,
            settled: false,
            displaced: false,
            written_since: Vec::new(),
            failed_at: None,
            backup: begun.backup.map(named).transpose()?,
            pieces: begun.pieces.iter().map(Piece::numbers).collect(),
        };
        match entry.is_possible() {
            true => Ok(entry),
            false => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// `None` for what is none; it may be from anybody.
    pub(super) fn parse(text: &str) -> Option<Entry> {
        toml::from_str(text).ok().filter(Entry::is_possible)
    }

    /// Whether what it says of a flash can be.
    fn is_possible(&self) -> bool {
        let texts = [&self.tool, &self.chip];
        let names = self.drive.iter().flat_map(|drive| {
            let serial = drive.serial.as_ref();
            [&drive.vendor, &drive.product, &drive.revision]
                .into_iter()
                .chain(serial)
        });
        let is_short = |text: &String| text.len() <= LONGEST_TEXT;
        let is_path = |path: &String| {
            let length = 1..=3 * LONGEST_PATH;
            length.contains(&path.len()) && Path::new(&unword(path)).is_absolute()
        };
        let backup = self.backup.as_ref();
        let range = |&[first, last, ..]: &[u32; 4]| FlashRange::try_from([first, last]);
        let pieces: Result<Vec<FlashRange>, _> = self.pieces.iter().map(range).collect();
        self.version == VERSION
            && (1..=record::LARGEST_FLASH).contains(&self.size)
            && texts.into_iter().chain(names).all(is_short)
            && self.place.iter().all(|place| place.len() <= LONGEST_PATH)
            && self.words.len() <= MOST_WORDS
            && self.words.iter().all(|word| word.len() <= 3 * LONGEST_PATH)
            && self.failed_at.is_none_or(|at| at < self.size)
            && backup.is_none_or(|backup| is_path(&backup.path))
            && are_within(&self.ranges, self.size)
            && are_within(&self.written_since, self.size)
            && self.pieces.len() <= MOST_PIECES
            && pieces.is_ok_and(|pieces| are_within(&pieces, self.size))
    }

    pub(super) fn text(&self) -> String {
        let text = toml::to_string(self).unwrap_or_default();
        format!(
            "# A change of a drive's flash that mtkflash has begun. While this file is here, what was\n\
             # in the flash before is in the backup that it names. Do not edit it.\n{text}"
        )
    }

    /// The same for the same change of the same drive; without an ending.
    pub(super) fn name(&self) -> String {
        let who = format!(
            "{}\n{}\n{}",
            self.serial().unwrap_or_default(),
            self.place.as_deref().unwrap_or_default(),
            self.chip
        );
        let backup = self.backup.as_ref().map_or("", |backup| &backup.path);
        let what = format!("{backup}\n{}", self.target);
        let sum = |text: &str| Crc32::of(text.as_bytes());
        format!("{}-{}", sum(&who), sum(&what))
    }

    /// Where the backup was, and its CRC-32.
    pub fn backup(&self) -> Option<(PathBuf, Crc32)> {
        let backup = self.backup.as_ref()?;
        Some((unword(&backup.path).into(), backup.crc32))
    }

    /// Whether what was read before it may have been a mixture already.
    pub(in crate::job) fn has_half_written(&self) -> bool {
        self.backup
            .as_ref()
            .is_some_and(|backup| backup.half_written)
    }

    /// What asked for the change.
    pub fn asked(&self) -> Asked {
        Asked {
            words: self.words.iter().map(|word| unword(word)).collect(),
            image: self.image,
        }
    }

    pub(in crate::job) fn pieces(&self) -> Vec<Piece> {
        self.pieces.iter().map(Piece::of_numbers).collect()
    }

    /// Whether this change and another one were begun on flashes that held different
    /// things.
    pub(in crate::job) fn found_else_than(&self, other: &Entry) -> bool {
        let before = other.pieces().into_iter();
        let before: BTreeMap<FlashRange, Crc32> =
            before.map(|piece| (piece.range, piece.before)).collect();
        self.pieces().iter().any(|piece| {
            let there = before.get(&piece.range);
            there.is_some_and(|there| *there != piece.before)
        })
    }

    /// Whether it is not known to be over: one that was settled by the drive that it was
    /// about is, as far as can be told.
    pub(in crate::job) fn is_open(&self) -> bool {
        !self.settled || self.displaced
    }

    /// The drive's serial number, as it said then.
    pub fn serial(&self) -> Option<&str> {
        let drive = self.drive.as_ref();
        drive.and_then(|drive| drive.serial.as_deref())
    }
}

impl Piece {
    fn of_numbers(&[first, last, before, after]: &[u32; 4]) -> Piece {
        Piece {
            range: FlashRange::new(first, last.saturating_add(1)),
            before: Crc32(before),
            after: Some(Crc32(after)),
        }
    }

    fn numbers(&self) -> [u32; 4] {
        let after = self.after.unwrap_or(self.before);
        let last = self.range.end().saturating_sub(1);
        [self.range.start(), last, self.before.0, after.0]
    }
}

/// A path or word as a text: what is no UTF-8, control characters and `%` by
/// their numbers.
fn word(text: &OsStr) -> String {
    let mut word = String::new();
    for chunk in text.as_bytes().utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '%' => word.push_str("%25"),
                letter if letter.is_ascii_control() => {
                    word.push_str(&format!("%{:02X}", u32::from(letter)));
                }
                letter => word.push(letter),
            }
        }
        for byte in chunk.invalid() {
            word.push_str(&format!("%{byte:02X}"));
        }
    }
    word
}

fn unword(word: &str) -> OsString {
    let mut bytes = Vec::new();
    let mut rest = word.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let number = after
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (first, number) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    OsString::from_vec(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_word_is_the_same_when_it_is_read_again(bytes: Vec<u8>) {
            let text = OsString::from_vec(bytes);
            prop_assert_eq!(unword(&word(&text)), text);
        }
    }
}
