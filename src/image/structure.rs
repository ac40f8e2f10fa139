//! What the banks of an image look like, as far as that tells firmware from
//! something else.
//!
//! Source: OmniPatcher 2.x, Lite-On images for the drives' 8051 core. An image
//! that does not look like this is not wrong for it: other families differ.

use super::banks_of;
use crate::flash::{BANK_SIZE, FlashRange};

/// How the banks of an image begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Structure {
    /// All banks, a short last one included.
    pub banks: u32,
    /// Banks whose first byte is 02, an 8051 long jump.
    pub jumps: u32,
    /// Banks whose first byte is 80, which is seen there as well.
    pub eighties: u32,
    /// Has the marks of a "re-banked" image of the Lite-On families U and V: 02
    /// at 0 and 4000, `LITEONIT` at FFF8. Dumps that LtnFW made of such drives
    /// are damaged.
    pub rebanked: bool,
    /// The mask in the code that switches banks, where bank 0 has it: 07 for 8
    /// banks, 0F for 16, 1F where images are re-banked.
    pub bank_mask: Option<u8>,
}

/// Where OmniPatcher looks for the code that switches banks.
pub const BANK_CALL_SEARCHED: FlashRange = FlashRange::new(0x4000, BANK_SIZE);

/// `MOV A,P1; ANL A,#mask; CJNE A,#0`: how Lite-On firmware comes back to bank 0.
fn bank_mask(bytes: &[u8]) -> Option<u8> {
    let mut searched = BANK_CALL_SEARCHED.of(bytes).windows(6);
    searched.find_map(|code| match code {
        [0xe5, 0x90, 0x54, mask @ (0x07 | 0x0f | 0x1f), 0xb4, 0x00] => Some(*mask),
        _ => None,
    })
}

impl Structure {
    /// Opcode of the 8051's long jump, with which firmware banks start.
    pub const LJMP: u8 = 0x02;

    /// The other first byte seen at the start of Lite-On banks.
    pub const ALSO_SEEN: u8 = 0x80;

    pub fn of(bytes: &[u8]) -> Structure {
        let mut structure = Structure {
            rebanked: bytes.first() == Some(&Structure::LJMP)
                && bytes.get(0x4000) == Some(&Structure::LJMP)
                && bytes.get(0xfff8..0x1_0000) == Some(b"LITEONIT"),
            bank_mask: bank_mask(bytes),
            ..Structure::default()
        };
        for (_, bank) in banks_of(bytes) {
            structure.banks += 1;
            match bank.first() {
                Some(&Structure::LJMP) => structure.jumps += 1,
                Some(&Structure::ALSO_SEEN) => structure.eighties += 1,
                _ => {}
            }
        }
        structure
    }

    /// Whether the code of each bank is in 64 KiB of the image, as it is but for
    /// re-banked images.
    pub fn is_by_banks(&self) -> bool {
        !self.rebanked && self.bank_mask != Some(0x1f)
    }
}
