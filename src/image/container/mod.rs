//! What firmware comes packed in: archives and vendors' flashers.
//!
//! Each format is read by a file of its own, from bytes to members, and nothing
//! is ever written: a member's name is a text to show and no path. Sizes, counts
//! and depth are bounded by a [`Budget`], since a small archive can hold a large
//! nothing. [`search`] goes through containers in containers and gathers images.
//!
//! None of the readers has seen a file of a vendor here: they follow the
//! descriptions that each names.

mod banks;
mod cabinet;
mod gzip;
mod nrv;
mod pe;
mod search;
mod seven_zip;
mod upx;
mod wrapped;
mod xflash;
mod zip;

use std::io::Read;

pub use search::{Contents, Found, Member, Step, Trouble, search};
pub use xflash::Guess;

/// Why an archive, or a member of one, did not come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Problem {
    /// Its structure or a CRC-32 does not fit.
    Damaged,
    /// It wants a password.
    Encrypted,
    /// Packed by a method that is not read here.
    Method,
    /// More than the budget.
    TooLarge,
    /// Several of its files have one name: which of them is meant nobody can tell.
    SameNames,
}

/// One member of an archive that is a file.
struct File {
    name: String,
    content: Result<Vec<u8>, Problem>,
}

/// What a container is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Zip,
    /// A ZIP whose byte pairs are swapped, as LG, ASUS and HP keep it.
    SwappedZip,
    SevenZip,
    Rar,
    /// One file, packed by gzip.
    Gzip,
    Cabinet,
    Bzip2,
    Xz,
    Zstd,
    Tar,
    Lha,
    Ace,
    /// A Windows program; what is in it is a resource or behind its end.
    Program,
    /// A flasher of Lite-On's and its customers.
    XFlash,
    /// A program that UPX has packed.
    Upx,
    /// A length, the payload, and a signature.
    Signed,
}

impl Kind {
    /// What these bytes are, if they are no image by themselves.
    pub fn of(bytes: &[u8]) -> Option<Kind> {
        const STARTS: [(&[u8], Kind); 11] = [
            (b"PK\x03\x04", Kind::Zip),
            (b"PK\x05\x06", Kind::Zip),
            (b"PK\x07\x08PK", Kind::Zip),
            (b"KP\x04\x03", Kind::SwappedZip),
            (b"7z\xbc\xaf\x27\x1c", Kind::SevenZip),
            (b"Rar!\x1a\x07", Kind::Rar),
            (b"MSCF\0\0\0\0", Kind::Cabinet),
            (b"MZ", Kind::Program),
            (b"\x1f\x8b\x08", Kind::Gzip),
            (b"\xfd7zXZ\0", Kind::Xz),
            (b"\x28\xb5\x2f\xfd", Kind::Zstd),
        ];
        let has = |at: usize, mark: &[u8]| bytes.get(at..at + mark.len()) == Some(mark);
        STARTS
            .into_iter()
            .find_map(|(start, kind)| bytes.starts_with(start).then_some(kind))
            .or_else(|| {
                let is_bzip2 = has(0, b"BZh") && has(4, b"1AY&SY");
                let is_lha = has(2, b"-lh") && has(6, b"-");
                has(257, b"ustar")
                    .then_some(Kind::Tar)
                    .or(is_bzip2.then_some(Kind::Bzip2))
                    .or(is_lha.then_some(Kind::Lha))
                    .or(has(7, b"**ACE**").then_some(Kind::Ace))
            })
            .or_else(|| wrapped::signed(bytes).map(|_| Kind::Signed))
    }
}

/// What unpacking may still take, over all of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Bytes that may still come out.
    pub bytes: usize,
    /// Bytes that may still be searched for what is in them.
    pub searched: usize,
    /// Bytes of images that may still be kept.
    pub kept: usize,
    /// Members that may still be looked at.
    pub members: usize,
    /// Entries of directories that may still be read, each as often as it is.
    pub entries: usize,
    /// Containers that may still be inside each other.
    pub depth: usize,
}

impl Budget {
    /// No more than this comes out of one member: the largest known flasher is
    /// smaller by far.
    pub const MEMBER: usize = 32 << 20;

    /// Images that are kept; no archive of firmware has had as many.
    pub const IMAGES: usize = 256;

    /// All that is unpacked of a member. One that fails may have taken any time.
    fn unpack(&mut self, member: impl Read) -> Result<Vec<u8>, Problem> {
        let limit = self.bytes.min(Budget::MEMBER);
        let mut content = Vec::new();
        let read = member.take(limit as u64 + 1).read_to_end(&mut content);
        let content = match read {
            Ok(size) if size > limit => Err(Problem::TooLarge),
            Ok(_) => Ok(content),
            Err(_) => Err(Problem::Damaged),
        };
        let taken = content.as_ref().map_or(Budget::MEMBER, Vec::len);
        self.bytes = self.bytes.saturating_sub(taken);
        content
    }
}

impl Default for Budget {
    fn default() -> Budget {
        Budget {
            bytes: 256 << 20,
            searched: 256 << 20,
            kept: 64 << 20,
            members: 4096,
            entries: 1 << 20,
            depth: 5,
        }
    }
}

/// A member's name as it can be shown: on one line, without control characters,
/// of bounded length.
fn shown(name: &str) -> String {
    const LONGEST: usize = 120;
    name.chars()
        .map(|letter| {
            if letter.is_control() {
                '\u{fffd}'
            } else {
                letter
            }
        })
        .take(LONGEST)
        .collect()
}

/// Bytes that are read one after the other.
struct Fields<'a> {
    rest: &'a [u8],
    /// No list in them is believed to have more entries.
    most: usize,
}

impl<'a> Fields<'a> {
    fn new(rest: &'a [u8], most: usize) -> Fields<'a> {
        Fields { rest, most }
    }

    fn bytes(&mut self, length: usize) -> Result<&'a [u8], Problem> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(Problem::Damaged)?;
        self.rest = rest;
        Ok(bytes)
    }

    fn byte(&mut self) -> Result<u8, Problem> {
        Ok(self.bytes(1)?[0])
    }
}

/// The 16 bits at a place, little end first.
fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes_at(bytes, at).map(u16::from_le_bytes)
}

/// As [`u16_at`], 32 bits.
fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes_at(bytes, at).map(u32::from_le_bytes)
}

/// As [`u16_at`], 64 bits.
fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes_at(bytes, at).map(u64::from_le_bytes)
}

fn bytes_at<const LENGTH: usize>(bytes: &[u8], at: usize) -> Option<[u8; LENGTH]> {
    bytes.get(at..)?.first_chunk().copied()
}

#[cfg(test)]
mod tests;
