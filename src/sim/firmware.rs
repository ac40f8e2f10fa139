//! Images with the structure of drive firmware and nobody's code in them.
//!
//! Deterministic: the same [`Firmware`] gives the same bytes everywhere. The
//! structure is that of Lite-On images as OmniPatcher knows them: an LJMP (02)
//! at the start of every 64 KiB bank, 8051 instructions, FF up to the end of
//! the bank, and one identity block with what the drive answers to INQUIRY.
//! Other families have theirs where public sources say, see [`Names`].

use super::blu_ray::{self, Board};
use super::fields::{padded, put};
use super::random::Random;
use crate::flash::BANK_SIZE;
use crate::image::Checksum;
use crate::image::identity::MT1939_SUMMED;
use crate::image::mt19xx::BOOT_CODE;
use crate::scsi::Identity;

/// Where the identity block is: behind the code of the first bank's start.
pub(super) const IDENTITY_AT: usize = 0x4120;

/// Behind that, in the part of bank 0 where OmniPatcher looks for it.
const BANK_CALL_AT: usize = 0x4200;

/// Where btcflash looks for vendor, product and revision.
pub(super) const BTC_IDENTITY_AT: usize = 0x40BC;

/// Vendor, product and revision of an MT1939 image, and its sum (coastermelt).
pub(super) const MT1939_TRAILER_AT: usize = 0x1F_FFD0;
pub(super) const MT1939_SUM_AT: usize = 0x1F_FFFE;

const BOOT_SEED: u64 = 0xB007;
const MT1939_BANNER: &str = "MT1939 Boot SIM ";

/// Peripheral type, removable, version, response format, additional length.
pub(super) const INQUIRY_HEADER: [u8; 8] = [0x05, 0x80, 0x00, 0x32, 0x5B, 0x00, 0x00, 0x00];

/// Where an image has the drive's names, and what goes with them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Names {
    /// In an identity block as Lite-On's, also where the true place is not known.
    #[default]
    LiteOn,
    /// At 40BC, as btcflash reads them.
    Btc,
    /// In a trailer with a sum, and boot code in the first 64 KiB.
    Mt1939,
    /// As images for LG's Blu-ray drives have it, with valid tags.
    BluRay(Board),
}

/// What an image is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firmware {
    /// Bytes.
    pub size: u32,
    /// Another seed, another image.
    pub seed: u64,
    /// Vendor, product and revision in the identity block; no block without.
    pub identity: Option<Identity>,
    /// Up to 16 characters, as in the identity block.
    pub time_stamp: String,
    pub names: Names,
}

impl Firmware {
    pub fn new(size: u32, seed: u64) -> Firmware {
        Firmware {
            size,
            seed,
            identity: None,
            time_stamp: "2004/05/21 12:00".to_owned(),
            names: Names::LiteOn,
        }
    }

    /// An image of the same size with its names where `names` says.
    pub fn with(mut self, names: Names) -> Firmware {
        self.names = names;
        self
    }

    pub fn identified(mut self, vendor: &str, product: &str, revision: &str) -> Firmware {
        self.identity = Some(Identity::named(vendor, product, revision));
        self
    }

    /// The image.
    pub fn bytes(&self) -> Vec<u8> {
        let mut random = Random::new(self.seed);
        let mut image = Vec::with_capacity(self.size as usize);
        while image.len() < self.size as usize {
            image.extend(bank(&mut random));
        }
        image.truncate(self.size as usize);
        match &self.names {
            Names::LiteOn => {
                self.put_names(&mut image, IDENTITY_AT, &INQUIRY_HEADER);
                put_bank_call(&mut image);
            }
            Names::Btc => self.put_names(&mut image, BTC_IDENTITY_AT, &[]),
            Names::Mt1939 => {
                put_boot_code(&mut image, MT1939_BANNER);
                put(&mut image, MT1939_TRAILER_AT, &[0xFF; 48]);
                self.put_names(&mut image, MT1939_TRAILER_AT, &[]);
                let sum = mt1939_sum(&image);
                put(&mut image, MT1939_SUM_AT, &sum.to_be_bytes());
            }
            Names::BluRay(board) => {
                put(&mut image, 0, &bank(&mut Random::new(BOOT_SEED)));
                let identity = self.identity.clone().unwrap_or_default();
                blu_ray::finish(&mut image, board, &identity, self.seed);
            }
        }
        image
    }

    /// Vendor, product, revision and time stamp behind a header; nothing where
    /// the image has no identity or no room for it.
    fn put_names(&self, image: &mut [u8], at: usize, header: &[u8]) {
        let Some(identity) = &self.identity else {
            return;
        };
        let mut block = header.to_vec();
        block.extend(padded::<8>(&identity.vendor));
        block.extend(padded::<16>(&identity.product));
        block.extend(padded::<4>(&identity.revision));
        if self.names == Names::LiteOn {
            block.extend(padded::<16>(&self.time_stamp));
        }
        put(image, at, &block);
    }
}

/// The code by which Lite-On firmware of 8 or 16 banks comes back to bank 0
/// (OmniPatcher): `MOV A,P1; ANL A,#mask; CJNE A,#0`.
fn put_bank_call(image: &mut [u8]) {
    let mask = match image.len() {
        0x8_0000 => 0x07,
        0x10_0000 => 0x0F,
        _ => return,
    };
    put(image, BANK_CALL_AT, &[0xE5, 0x90, 0x54, mask, 0xB4, 0x00]);
}

/// The part that every drive of a family has in common.
fn put_boot_code(image: &mut [u8], banner: &str) {
    put(image, 0, &bank(&mut Random::new(BOOT_SEED)));
    blu_ray::put_banner(image, banner);
}

/// An image in which only the boot code of a Blu-ray drive is left.
pub(super) fn erased_but_boot_code(mut image: Vec<u8>) -> Vec<u8> {
    if let Some(rest) = image.get_mut(BOOT_CODE.end() as usize..) {
        rest.fill(0xFF);
    }
    image
}

/// The sum that the trailer of an MT1939 image has to hold.
pub(super) fn mt1939_sum(image: &[u8]) -> u16 {
    Checksum::of(MT1939_SUMMED.of(image)).0
}

/// One bank: a jump, code, and FF where the code ends.
fn bank(random: &mut Random) -> Vec<u8> {
    const LJMP: u8 = 0x02;
    const LONGEST_PADDING: u32 = 0x2000;
    let size = BANK_SIZE as usize;
    let end = size - random.below(LONGEST_PADDING) as usize;
    let mut bank = vec![LJMP, random.byte(), random.byte()];
    while bank.len() < end {
        instruction(random, &mut bank);
    }
    bank.truncate(end);
    bank.resize(size, 0xFF);
    bank
}

/// An 8051 instruction of the kinds that fill a firmware.
fn instruction(random: &mut Random, code: &mut Vec<u8>) {
    match random.below(12) {
        // MOV DPTR, #address; MOVX A, @DPTR
        0 | 1 => code.extend([0x90, random.byte(), random.byte(), 0xE0]),
        // MOV DPTR, #address; MOVX @DPTR, A
        2 => code.extend([0x90, random.byte(), random.byte(), 0xF0]),
        // LCALL address
        3 | 4 => code.extend([0x12, random.byte(), random.byte()]),
        // MOV A, #value
        5 => code.extend([0x74, random.byte()]),
        // MOV direct, #value
        6 => code.extend([0x75, random.byte(), random.byte()]),
        // ANL A, #value; JZ offset
        7 => code.extend([0x54, random.byte(), 0x60, random.byte()]),
        // MOV A, direct
        8 => code.extend([0xE5, random.byte()]),
        // MOV Rn, A
        9 => code.push(0xF8 | (random.byte() & 7)),
        // INC DPTR
        10 => code.push(0xA3),
        // RET
        _ => code.push(0x22),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dw_d22a() -> Firmware {
        Firmware::new(0x10_0000, 1).identified("SONY", "DVD RW DW-D22A", "BYS1")
    }

    #[test]
    fn an_image_is_the_same_each_time_and_another_with_another_seed() {
        assert_eq!(dw_d22a().bytes(), dw_d22a().bytes());
        let other = Firmware {
            seed: 2,
            ..dw_d22a()
        };
        assert_ne!(dw_d22a().bytes(), other.bytes());
        assert_eq!(dw_d22a().bytes().len(), 0x10_0000);
    }

    #[test]
    fn every_bank_starts_with_a_jump_and_no_two_banks_are_equal() {
        let image = dw_d22a().bytes();
        let mut banks: Vec<&[u8]> = image.chunks(BANK_SIZE as usize).collect();
        assert!(banks.iter().all(|bank| bank[0] == 0x02));
        assert!(banks.iter().all(|bank| bank.contains(&0xE0)));
        banks.sort_unstable();
        banks.dedup();
        assert_eq!(banks.len(), 16);
    }

    #[test]
    fn the_identity_block_is_in_the_image_once() {
        let block: &[u8] =
            b"\x05\x80\x00\x32\x5b\x00\x00\x00SONY    DVD RW DW-D22A  BYS12004/05/21 12:00";
        let image = dw_d22a().bytes();
        let found = image.windows(block.len()).filter(|part| *part == block);
        assert_eq!(found.count(), 1);
    }

    #[test]
    fn an_image_that_is_too_small_for_an_identity_has_none() {
        let tiny = Firmware {
            size: 100,
            ..dw_d22a()
        };
        assert_eq!(tiny.bytes().len(), 100);
        assert_eq!(Firmware::new(0, 1).bytes(), [0; 0]);
    }
}
