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

use super::{Risk, sending, write_buffer};
use crate::image::Checksum;
use crate::protocol::Doing;
use crate::protocol::download::SendError;
use crate::transport::PacketTransport;

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
    let starts = (0..).step_by(block as usize);
    for (offset, bytes) in starts.zip(image.chunks(block as usize)) {
        let at = offset | HEADER_LENGTH as u32;
        write_buffer(transport, 6, 0, at, bytes).map_err(sending(
            Doing::SendImage,
            Some(offset),
            Risk::None,
        ))?;
        taken(bytes.len() as u32);
    }
    let mut header = [0; HEADER_LENGTH];
    let [.., high, low] = &mut header;
    [*high, *low] = Checksum::of(image).0.to_be_bytes();
    write_buffer(transport, 6, 0, 0, &header).map_err(sending(Doing::SendSum, None, Risk::None))?;
    write_buffer(transport, 7, 0, 0, &[]).map_err(sending(Doing::StartProgramming, None, Risk::Now))
}
