//! Reading the program memory of older Lite-On writers.
//!
//! | command block | data in |
//! |---|---|
//! | `DF 83 00 00 FF 00 bank hi lo 00 00 00` | 128 bytes from hi:lo of a bank of 64 KiB |
//!
//! Every piece is read twice. There is no other command: no status, no erase, no write.
//!
//! Source: a decompiled class of LtnFlash 2.6.11, which compares what it has
//! written this way. **Reported only**: which drives answer is stated nowhere, it
//! was never confirmed by anybody known here, and never tried on hardware by this
//! project. So it is sent to drives alone that call themselves Lite-On or are in
//! OmniPatcher's table of their families, and when its user has named it; the
//! first answers must look like such firmware before any more is asked for. There
//! is no write: that side begins with an unlock, and is none of this program's.
//!
//! What firmware looks like is OmniPatcher's: banks begin with 02, a long jump of
//! the 8051, or with 80, and the code that comes back to bank 0 tells how many
//! banks there are.

use super::{PacketError, ask_for_all, during};
use crate::flash::{BANK_SIZE, FlashRange, Offset};
use crate::image::families;
use crate::image::structure::{BANK_CALL_SEARCHED, Structure};
use crate::protocol::{DeviceError, Doing};
use crate::scsi::{Identity, cdb};
use crate::transport::PacketTransport;

/// Bytes that one command gives.
pub const BLOCK: u32 = 128;

/// Why the first answers are not taken for firmware.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{self:?}")]
pub enum Implausible {
    Unsteady,
    NoCode { found: u8 },
    SameAnswer { at: Offset },
    NoBankCall,
    Rebanked { mask: u8 },
    OtherThanFlash { range: FlashRange },
    OtherSize { given: u32, size: u32 },
}

/// Whether a drive may be asked: it calls itself Lite-On, or its names are in the
/// table of the families.
pub fn may_be_asked(identity: &Identity) -> bool {
    let letters = identity.vendor.chars().filter(char::is_ascii_alphanumeric);
    let vendor: String = letters.map(|letter| letter.to_ascii_uppercase()).collect();
    vendor == "LITEON" || !families::families_of(identity).is_empty()
}

/// Reads from `at` on, at most [`BLOCK`] bytes that lie in one bank. Sent again
/// only where the drive says by UNIT ATTENTION that it has not carried it out.
///
/// # Errors
/// As the drive answers; fewer bytes than asked for are an error as well.
pub fn read(
    transport: &mut dyn PacketTransport,
    at: u32,
    into: &mut [u8],
) -> Result<(), PacketError> {
    let [_, bank, high, low] = at.to_be_bytes();
    let mut block = [0; BLOCK as usize];
    let cdb = cdb::liteon_program_memory(bank, [high, low]);
    ask_for_all(transport, &cdb, &mut block)?;
    let (into, from) = (into.iter_mut(), block.iter());
    into.zip(from).for_each(|(to, from)| *to = *from);
    Ok(())
}

/// Bytes of firmware that the drive has: those that its user names, or as the
/// code in its first bank tells, of which no more than two answers are asked for
/// before they look like firmware.
///
/// # Errors
/// [`DeviceError::Implausible`], or as the drive answers.
pub(super) fn size(
    transport: &mut dyn PacketTransport,
    named: Option<u32>,
) -> Result<u32, DeviceError> {
    let mut block = |at: u32| {
        let mut bytes = [0; BLOCK as usize];
        let answer = read(transport, at, &mut bytes);
        answer.map_err(during(Doing::ReadFirstBank))?;
        Ok::<_, DeviceError>(bytes)
    };
    let first = block(0)?;
    if block(0)? != first {
        return Err(Implausible::Unsteady.into());
    }
    match first[0] {
        Structure::LJMP | Structure::ALSO_SEEN => {}
        found => return Err(Implausible::NoCode { found }.into()),
    }
    if block(BLOCK)? == first {
        let at = Offset(BLOCK);
        return Err(Implausible::SameAnswer { at }.into());
    }
    if let Some(named) = named {
        return Ok(named);
    }
    let mut bank = vec![0xFF; BANK_SIZE as usize];
    let searched = BANK_CALL_SEARCHED;
    let starts = (searched.start()..).step_by(BLOCK as usize);
    for (at, piece) in starts.zip(searched.of_mut(&mut bank).chunks_mut(BLOCK as usize)) {
        piece.copy_from_slice(&block(at)?);
    }
    match Structure::of(&bank).bank_mask {
        Some(0x07) => Ok(8 * BANK_SIZE),
        Some(0x0F) => Ok(16 * BANK_SIZE),
        Some(mask) => Err(Implausible::Rebanked { mask }.into()),
        None => Err(Implausible::NoBankCall.into()),
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::words::InWords;
    use std::time::Duration;

    use super::*;
    use crate::transport::{Completion, Data, TransportError};

    /// A drive that answers its questions, counted from 0, by a rule.
    struct Answers<F> {
        asked: u32,
        rule: F,
    }

    impl<F: FnMut(u32, u32) -> Vec<u8>> PacketTransport for Answers<F> {
        fn execute(
            &mut self,
            cdb: &[u8],
            data: Data<'_>,
            _: Duration,
        ) -> Result<Completion, TransportError> {
            assert_eq!(cdb[..6], [0xDF, 0x83, 0, 0, 0xFF, 0]);
            assert_eq!(cdb[9..], [0, 0, 0]);
            let Data::In(into) = data else {
                panic!("{cdb:02x?}");
            };
            let at = u32::from_be_bytes([0, cdb[6], cdb[7], cdb[8]]);
            into.copy_from_slice(&(self.rule)(self.asked, at));
            self.asked += 1;
            Ok(Completion::default())
        }
    }

    /// What is said of a drive with these answers, and how often it was asked.
    fn judged(rule: impl FnMut(u32, u32) -> Vec<u8>) -> (Result<u32, String>, u32) {
        let mut drive = Answers { asked: 0, rule };
        let size = size(&mut drive, None).map_err(|error| error.in_words());
        (size, drive.asked)
    }

    /// Firmware of nothing but its first byte, its places and, at 5000, the code
    /// that comes back to bank 0.
    fn block(at: u32, mask: u8) -> Vec<u8> {
        let mut block = vec![0x02; BLOCK as usize];
        block[1..5].copy_from_slice(&at.to_be_bytes());
        if at == 0x5000 {
            block[10..16].copy_from_slice(&[0xE5, 0x90, 0x54, mask, 0xB4, 0x00]);
        }
        block
    }

    #[test]
    fn its_code_tells_how_much_there_is_to_read() {
        for (mask, expected) in [(0x07, 0x8_0000), (0x0F, 0x10_0000)] {
            let (found, _) = judged(|_, at| block(at, mask));
            assert_eq!(found, Ok(expected));
        }
    }

    #[test]
    fn what_is_no_firmware_is_seen_before_more_is_asked_for() {
        type Rule = fn(u32, u32) -> Vec<u8>;
        let rules: [(&str, u32, Rule); 5] = [
            ("differently the second time", 2, |asked, at| {
                block(at + asked, 0x0F)
            }),
            ("the first byte is 00h", 2, |_, _| vec![0; BLOCK as usize]),
            (
                "the same 128 bytes come from 0 and from 0x00080",
                3,
                |_, _| block(0, 0x0F),
            ),
            ("is not in 0x04000-0x0ffff", 3 + 384, |_, at| {
                block(at, 0x55)
            }),
            ("re-banked", 3 + 384, |_, at| block(at, 0x1F)),
        ];
        for (says, most, rule) in rules {
            let (found, asked) = judged(rule);
            let error = found.unwrap_err();
            assert!(error.contains(says), "{error}");
            assert_eq!(asked, most, "{says}");
        }
    }
}
