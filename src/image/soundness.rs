//! Whether bytes can be firmware at all: asked of an image before it is
//! written, and of a dump before it is called a backup. Marks of damage in what
//! could be firmware are [`damage`](super::damage)'s.

use super::identity::{self, Kind};
use super::mt19xx;
use super::sums::Checksum;
use super::{is_flash_size, size_of, text};
use crate::flash::{BANK_SIZE, FlashRange};

/// Why bytes are not whole firmware, or not for a flash of that size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{self:?}")]
pub enum Problem {
    Empty,
    Blank {
        value: u8,
        size: u32,
    },
    Text,
    EqualBanks {
        banks: u32,
    },
    NotWholeBanks {
        size: u32,
    },
    NotAFlashSize {
        size: u32,
    },
    OneBank,
    TrailerSum {
        stored: Checksum,
        computed: Checksum,
    },
    OtherSize {
        image: u32,
        flash: u32,
    },
    OtherPart {
        image: u32,
        part: u32,
        flash: u32,
    },
    BluRay(#[from] mt19xx::Finding),
}

impl Problem {
    /// The bytes that it is about, also where those are missing; `None` where it is
    /// about all of them.
    pub fn range(&self) -> Option<FlashRange> {
        match self {
            Problem::NotWholeBanks { size } => {
                Some(FlashRange::new(*size, size.next_multiple_of(BANK_SIZE)))
            }
            Problem::TrailerSum { .. } => Some(identity::MT1939_SUMMED),
            Problem::BluRay(finding) => Some(finding.range()),
            _ => None,
        }
    }

    /// Whether a file with this size may be a part of a flash: one bank or a few, or
    /// less than a bank.
    pub fn may_be_part(&self) -> bool {
        match self {
            Problem::NotWholeBanks { size } => *size < BANK_SIZE,
            Problem::OneBank => true,
            _ => false,
        }
    }
}

/// Everything wrong with a whole image; nothing for one that looks sound. The
/// gravest is first.
pub fn problems(bytes: &[u8]) -> Vec<Problem> {
    content(bytes)
        .into_iter()
        .chain(size(bytes))
        .chain(trailer(bytes))
        .chain(mt19xx::findings(bytes).into_iter().map(Problem::from))
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
    if text::is_text(bytes) {
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
    } else if size % BANK_SIZE != 0 {
        Some(Problem::NotWholeBanks { size })
    } else if size == BANK_SIZE {
        Some(Problem::OneBank)
    } else {
        Some(Problem::NotAFlashSize { size })
    }
}

fn trailer(bytes: &[u8]) -> Option<Problem> {
    identity::find(bytes)
        .into_iter()
        .find_map(|found| match found.kind {
            Kind::Mt1939 { stored, computed } if stored != computed => {
                Some(Problem::TrailerSum { stored, computed })
            }
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{noise, put};
    use super::*;
    use crate::cli::words::InWords;

    #[test]
    fn whole_firmware_of_every_flash_size_has_no_problem() {
        for size in super::super::FLASH_SIZES {
            assert_eq!(problems(&noise(size as usize)), []);
        }
    }

    #[test]
    fn what_is_no_firmware_is_named_in_words() {
        let rows = [
            (vec![], "it is empty"),
            (
                vec![0xff; 0x4_0000],
                "it is blank: all 262144 bytes are FF, there is no firmware in it",
            ),
            (
                vec![0x00; 0x4_0000],
                "it is blank: all 262144 bytes are 00, there is no firmware in it",
            ),
            (
                b"All work and no play makes".repeat(0x2_0000 / 26),
                "it is text, not firmware",
            ),
            (
                noise(0x1_0000).repeat(4),
                "all 4 banks are equal: that is one bank read 4 times over, not a whole firmware",
            ),
            (
                noise(0x4_0000 - 1),
                "its size of 262143 bytes is no multiple of a 64 KiB bank (65535 bytes over 3 \
                 whole banks): it is cut short, or no raw image",
            ),
            (
                noise(0x1_0000),
                "it has 64 KiB, one bank, and a flash has 2, 4, 8, 16 or 32: it is a part of a \
                 flash, and its content does not say which",
            ),
            (
                noise(0x3_0000),
                "its size of 192 KiB is no flash size: those are 128, 256, 512, 1024 and 2048 KiB",
            ),
        ];
        for (bytes, message) in rows {
            let found = problems(&bytes);
            assert_eq!(
                found.first().map(InWords::in_words).as_deref(),
                Some(message)
            );
        }
    }

    #[test]
    fn one_byte_makes_the_difference() {
        for fill in [0x00, 0xff] {
            for at in [0, 0x2_1234, 0x3_ffff] {
                let mut bytes = vec![fill; 0x4_0000];
                bytes[at] = 0x42;
                assert_eq!(problems(&bytes), [], "{fill:02x} but for {at:x}");
            }
        }
        let mut bytes = noise(0x1_0000).repeat(4);
        bytes[0x3_ffff] ^= 1;
        assert_eq!(problems(&bytes), []);
    }

    #[test]
    fn a_dump_of_one_bank_is_judged_by_its_content_alone() {
        assert_eq!(content(&noise(0x1_0000)), None);
        assert!(matches!(
            content(&[0xff; 0x1_0000]),
            Some(Problem::Blank { .. })
        ));
    }

    #[test]
    fn an_image_of_another_size_than_the_flash_is_told_which_way() {
        for (flash, message) in [
            (
                0x10_0000,
                "the image has 512 KiB, the flash 1024 KiB: it is too small for this drive",
            ),
            (
                0x4_0000,
                "the image has 512 KiB, the flash 256 KiB: it is too large for this drive",
            ),
        ] {
            let image = 0x8_0000;
            assert_eq!(Problem::OtherSize { image, flash }.in_words(), message);
        }
    }

    #[test]
    fn an_mt1939_image_with_a_wrong_sum_is_damaged() {
        let mut bytes = noise(0x20_0000);
        put(&mut bytes, 0x1f_ffd0, b"TSSTcorpBDDVDW SE-506CB TS01");
        let sum = Checksum::of(&bytes[0x1_0000..0x1e_2000]).0;
        put(&mut bytes, 0x1f_fffe, &sum.to_be_bytes());
        assert_eq!(problems(&bytes), []);
        bytes[0x2_0000] ^= 1;
        assert!(matches!(problems(&bytes)[..], [Problem::TrailerSum { .. }]));
    }
}
