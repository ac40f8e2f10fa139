//! Images with the structure of drive firmware and nobody's code in them.
//!
//! Deterministic: the same [`Firmware`] gives the same bytes everywhere. The
//! structure is that of Lite-On images as OmniPatcher knows them: an LJMP (02)
//! at the start of every 64 KiB bank, 8051 instructions, FF up to the end of
//! the bank, and one identity block with what the drive answers to INQUIRY.

use super::random::Random;
use crate::flash::BANK_SIZE;
use crate::scsi::Identity;

/// Where the identity block is: behind the code of the first bank's start.
const IDENTITY_AT: usize = 0x4120;

/// Peripheral type, removable, version, response format, additional length.
const INQUIRY_HEADER: [u8; 8] = [0x05, 0x80, 0x00, 0x32, 0x5B, 0x00, 0x00, 0x00];

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
}

impl Firmware {
    pub fn new(size: u32, seed: u64) -> Firmware {
        Firmware {
            size,
            seed,
            identity: None,
            time_stamp: "2004/05/21 12:00".to_owned(),
        }
    }

    pub fn identified(mut self, vendor: &str, product: &str, revision: &str) -> Firmware {
        self.identity = Some(Identity {
            vendor: vendor.to_owned(),
            product: product.to_owned(),
            revision: revision.to_owned(),
            serial: None,
        });
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
        if let Some(identity) = &self.identity {
            let block = self.identity_block(identity);
            if let Some(place) = image.get_mut(IDENTITY_AT..IDENTITY_AT + block.len()) {
                place.copy_from_slice(&block);
            }
        }
        image
    }

    fn identity_block(&self, identity: &Identity) -> Vec<u8> {
        let mut block = INQUIRY_HEADER.to_vec();
        block.extend(padded::<8>(&identity.vendor));
        block.extend(padded::<16>(&identity.product));
        block.extend(padded::<4>(&identity.revision));
        block.extend(padded::<16>(&self.time_stamp));
        block
    }
}

/// The characters of `text`, cut or filled up with blanks, as INQUIRY has them.
pub(super) fn padded<const LENGTH: usize>(text: &str) -> [u8; LENGTH] {
    let mut field = [b' '; LENGTH];
    for (to, from) in field.iter_mut().zip(text.bytes()) {
        *to = from;
    }
    field
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
        assert_eq!(Firmware::new(0, 1).bytes(), []);
    }
}
