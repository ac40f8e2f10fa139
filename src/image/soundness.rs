//! Whether bytes can be firmware at all: asked of an image before it is
//! written, and of a dump before it is called a backup.

use super::identity::{self, ImageIdentity};
use super::sums::Checksum;
use super::{is_flash_size, size_of};
use crate::flash::BANK_SIZE;

/// Why bytes are not whole firmware, or not for a flash of that size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("it is empty")]
    Empty,
    #[error("it is blank: all {size} bytes are {value:02X}, there is no firmware in it")]
    Blank { value: u8, size: u32 },
    #[error("it is text, not firmware")]
    Text,
    #[error(
        "all {banks} banks are equal: that is one bank read {banks} times over, not a whole firmware"
    )]
    EqualBanks { banks: u32 },
    #[error(
        "its size of {size} bytes is no multiple of a 64 KiB bank ({over} bytes over {whole} whole \
         banks): it is cut short, or no raw image{}",
        packed.map(|what| format!("; it looks like {what}, unpack it first")).unwrap_or_default()
    )]
    NotWholeBanks {
        size: u32,
        whole: u32,
        over: u32,
        /// What the bytes look like instead: an archive or program that may
        /// have the image inside.
        packed: Option<&'static str>,
    },
    #[error(
        "its size of {} KiB is no flash size: those are 128, 256, 512, 1024 and 2048 KiB",
        size / 1024
    )]
    NotAFlashSize { size: u32 },
    #[error(
        "the sum in its MT1939 trailer is {stored}, but its content sums up to {computed}: it is damaged"
    )]
    TrailerSum {
        stored: Checksum,
        computed: Checksum,
    },
    #[error(
        "the image has {} KiB, the flash {} KiB: it is {} for this drive",
        image / 1024,
        flash / 1024,
        if image < flash { "too small" } else { "too large" }
    )]
    OtherSize { image: u32, flash: u32 },
}

/// Everything wrong with a whole image; nothing for one that looks sound. The
/// gravest is first.
pub fn problems(bytes: &[u8]) -> Vec<Problem> {
    content(bytes)
        .into_iter()
        .chain(size(bytes))
        .chain(trailer(bytes))
        .collect()
}

/// What makes a dump of any size no backup: blank, text, or the same bank over
/// and over, as from a drive that does not switch banks.
pub fn content(bytes: &[u8]) -> Option<Problem> {
    let Some(first) = bytes.first() else {
        return Some(Problem::Empty);
    };
    if matches!(first, 0x00 | 0xff) && bytes.iter().all(|byte| byte == first) {
        return Some(Problem::Blank {
            value: *first,
            size: size_of(bytes),
        });
    }
    if is_text(bytes) {
        return Some(Problem::Text);
    }
    let mut banks = bytes.chunks(BANK_SIZE as usize);
    let first = banks.next()?;
    let others = banks.len();
    (others > 0 && banks.all(|bank| bank == first)).then(|| Problem::EqualBanks {
        banks: size_of(bytes).div_ceil(BANK_SIZE),
    })
}

/// What is wrong with the size of a whole image.
pub fn size(bytes: &[u8]) -> Option<Problem> {
    let size = size_of(bytes);
    if bytes.is_empty() || is_flash_size(bytes.len()) {
        None
    } else if !size.is_multiple_of(BANK_SIZE) {
        Some(Problem::NotWholeBanks {
            size,
            whole: size / BANK_SIZE,
            over: size % BANK_SIZE,
            packed: packed(bytes),
        })
    } else {
        Some(Problem::NotAFlashSize { size })
    }
}

/// Whether an image has the size of the flash it shall go into, in bytes.
pub fn size_for_flash(bytes: &[u8], flash: u32) -> Option<Problem> {
    let image = size_of(bytes);
    (image != flash).then_some(Problem::OtherSize { image, flash })
}

fn trailer(bytes: &[u8]) -> Option<Problem> {
    identity::find(bytes)
        .into_iter()
        .find_map(|found| match found {
            ImageIdentity::Mt1939 {
                stored, computed, ..
            } if stored != computed => Some(Problem::TrailerSum { stored, computed }),
            _ => None,
        })
}

/// No control characters but those of text, and nearly all of it ASCII. A page
/// of an error message saved under the name of a firmware is text; a blank
/// flash is not.
pub fn is_text(bytes: &[u8]) -> bool {
    let mut ascii = 0;
    for byte in bytes {
        match byte {
            b'\t' | b'\n' | b'\r' | 0x0c | 0x1a | b' '..=b'~' => ascii += 1,
            0x80.. => {}
            _ => return false,
        }
    }
    !bytes.is_empty() && ascii >= bytes.len() / 8 * 7
}

/// Firmware was handed around inside these.
fn packed(bytes: &[u8]) -> Option<&'static str> {
    [
        (&b"PK\x03\x04"[..], "a ZIP archive"),
        (b"Rar!", "a RAR archive"),
        (b"7z\xbc\xaf", "a 7z archive"),
        (b"MZ", "a DOS or Windows program"),
    ]
    .into_iter()
    .find_map(|(start, what)| bytes.starts_with(start).then_some(what))
}
