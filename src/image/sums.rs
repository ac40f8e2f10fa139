//! The two numbers by which an image is known.

use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;

use crc::{CRC_32_ISO_HDLC, Crc, Table};

/// The 16-bit sum of all bytes: what MTKFLASH and btcflash print and users
/// compare. It misses bytes in the wrong order, so it is shown and never relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Checksum(pub u16);

impl Checksum {
    pub fn of(bytes: &[u8]) -> Checksum {
        Checksum(
            bytes
                .iter()
                .fold(0, |sum: u16, byte| sum.wrapping_add(u16::from(*byte))),
        )
    }

    /// The sum over both parts.
    pub fn and(self, other: Checksum) -> Checksum {
        Checksum(self.0.wrapping_add(other.0))
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}", self.0)
    }
}

/// CRC-32 as zip, gzip and `crc32` compute it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Crc32(pub u32);

static CRC: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC);

impl Crc32 {
    pub fn of(bytes: &[u8]) -> Crc32 {
        Crc32(CRC.checksum(bytes))
    }

    /// Of all that is still to be read, in pieces.
    ///
    /// # Errors
    /// As the reader gives.
    pub fn of_reader(mut reader: impl Read) -> io::Result<Crc32> {
        let mut digest = CRC.digest();
        let mut piece = [0; 0x4000];
        loop {
            match reader.read(&mut piece) {
                Ok(0) => return Ok(Crc32(digest.finalize())),
                Ok(length) => digest.update(piece.get(..length).unwrap_or(&piece)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl fmt::Display for Crc32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// A text that is not just as many hexadecimal digits as it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{self:?}")]
pub struct NoSum {
    pub digits: usize,
}

fn digits(text: &str, digits: usize) -> Result<u32, NoSum> {
    let is_number = text.len() == digits && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    let number = is_number.then(|| u32::from_str_radix(text, 16).ok());
    number.flatten().ok_or(NoSum { digits })
}

impl FromStr for Crc32 {
    type Err = NoSum;

    fn from_str(text: &str) -> Result<Crc32, NoSum> {
        digits(text, 8).map(Crc32)
    }
}

impl FromStr for Checksum {
    type Err = NoSum;

    fn from_str(text: &str) -> Result<Checksum, NoSum> {
        digits(text, 4).map(|sum| Checksum(sum as u16))
    }
}

/// In files such a value is its text, read as [`FromStr`] reads it.
macro_rules! as_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text: String = serde::Deserialize::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use as_text;

as_text!(Checksum);
as_text!(Crc32);

/// SHA-256 as `sha256sum` prints it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sha256(pub [u8; 32]);

impl Sha256 {
    pub fn of(bytes: &[u8]) -> Sha256 {
        use sha2::Digest;
        Sha256(sha2::Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_sum_of_all_bytes_without_the_carry() {
        assert_eq!(Checksum::of(&[]), Checksum(0));
        assert_eq!(Checksum::of(&[1, 2, 0xff]), Checksum(0x102));
        assert_eq!(Checksum::of(&[0xff; 0x1_0000]), Checksum(0));
        assert_eq!(Checksum::of(&[0xff; 0x101]), Checksum(0xffff));
    }

    #[test]
    fn the_crc_is_the_one_of_zip() {
        assert_eq!(Crc32::of(b"123456789"), Crc32(0xcbf4_3926));
    }

    #[test]
    fn the_sha_256_is_the_one_of_the_standard() {
        assert_eq!(
            Sha256::of(b"abc").to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn both_are_read_with_all_their_digits_and_no_others() {
        assert_eq!("000A".parse(), Ok(Checksum(10)));
        assert_eq!("0000beef".parse(), Ok(Crc32(0xbeef)));
        for text in ["", "beef", "+000beef", "00000beef", "0000bee ", "0x00beef"] {
            assert_eq!(text.parse::<Crc32>(), Err(NoSum { digits: 8 }), "{text}");
        }
    }

    #[test]
    fn both_are_shown_with_all_their_digits() {
        assert_eq!(Checksum(0x0a).to_string(), "000a");
        assert_eq!(Crc32(0xbeef).to_string(), "0000beef");
    }
}
