//! BTC DRW1004, DRW1008 and DRW1108: images of 1 MiB.
//! **Never tried on hardware by this project.**
//!
//! | step | command block | data out |
//! |---|---|---|
//! | 1, 256 times | `3B 06 00 hi mid 20 00 10 00 00 00 00` | 4 KiB of the image; hi and mid are bits 23 to 8 of its offset, the low byte is always 20 |
//! | 2 | `3B 06 00 00 00 00 00 00 20 00 00 00` | 32 bytes: zero, but for the 16-bit sum of the image in the last two, high byte first |
//! | 3 | `3B 07 00 00 00 00 00 00 00 00 00 00` | none: the drive programs itself |
//! | 4 | TEST UNIT READY, see [`restart`](super::restart) | |
//!
//! Each is sent once. The image goes into the drive's memory; nothing is programmed
//! before step 3 by the purpose of that command, which was not tested by anyone we know.
//! A refusal of step 1 or 2 leaves the flash as it was; what comes after step 3 is in
//! doubt until the drive is back and says who it is. Reading and erasing are not
//! documented.
//!
//! Source: btcflash 2004/04/29 (David Huang), proven there on these drives. It sleeps
//! 50 s after step 3 and compares bytes 8 to 31 of INQUIRY with the image from 40BC on.

use super::{PROGRAM_TIMEOUT, Risk, command, send_all, sending};
use crate::protocol::Doing;
use crate::protocol::download::SendError;
use crate::scsi::cdb::{self, Buffer};
use crate::transport::{Data, PacketTransport};

/// The low byte of every offset in the command block: btcflash sends it, and 20
/// is also the length of the block with the sum, which comes before the image.
const HEADER_LENGTH: usize = 0x20;

/// Sends an image of 1 MiB and has it programmed.
pub(super) fn send(
    transport: &mut dyn PacketTransport,
    image: &[u8],
    block: u32,
    taken: &mut dyn FnMut(u32),
) -> Result<(), SendError> {
    for (offset, bytes) in (0..)
        .step_by(block as usize)
        .zip(image.chunks(block as usize))
    {
        let failed = sending(Doing::SendImage, Some(offset), Risk::None);
        let buffer = buffer(6, offset | HEADER_LENGTH as u32, bytes.len());
        cdb::write_buffer(buffer)
            .map_err(Into::into)
            .and_then(|cdb| send_all(transport, &cdb, bytes, PROGRAM_TIMEOUT))
            .map_err(failed)?;
        taken(bytes.len() as u32);
    }
    let mut header = [0; HEADER_LENGTH];
    let [.., high, low] = &mut header;
    [*high, *low] = sum(image).to_be_bytes();
    cdb::write_buffer(buffer(6, 0, HEADER_LENGTH))
        .map_err(Into::into)
        .and_then(|cdb| send_all(transport, &cdb, &header, PROGRAM_TIMEOUT))
        .map_err(sending(Doing::SendSum, None, Risk::None))?;
    cdb::write_buffer(buffer(7, 0, 0))
        .map_err(Into::into)
        .and_then(|cdb| command(transport, &cdb, Data::None, PROGRAM_TIMEOUT))
        .map_err(sending(Doing::StartProgramming, None, Risk::Now))?;
    Ok(())
}

fn buffer(mode: u8, offset: u32, length: usize) -> Buffer {
    Buffer {
        mode,
        id: 0,
        offset,
        length: u32::try_from(length).unwrap_or(u32::MAX),
    }
}

fn sum(image: &[u8]) -> u16 {
    image
        .iter()
        .fold(0, |sum: u16, byte| sum.wrapping_add(u16::from(*byte)))
}
