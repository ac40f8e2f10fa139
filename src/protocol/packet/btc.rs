//! BTC DRW1004, DRW1008 and DRW1108.
//!
//! The image goes into the drive's memory by WRITE BUFFER, 4 KiB at a time,
//! then its 16-bit sum, then a command without data that has the drive program
//! it. Reading and erasing are not documented.
//!
//! Source: btcflash 2004/04/29 (David Huang), proven there on these drives.
//! **Never tried on hardware by this project.** That nothing is programmed
//! before the last command is its purpose and was not tested by anyone we know.

use super::{PROGRAM_TIMEOUT, Risk, command, send_all, sending};
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
        let failed = sending("sending the image", Some(offset), Risk::None);
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
        .map_err(sending("sending the image's sum", None, Risk::None))?;
    cdb::write_buffer(buffer(7, 0, 0))
        .map_err(Into::into)
        .and_then(|cdb| command(transport, &cdb, Data::None, PROGRAM_TIMEOUT))
        .map_err(sending("having the drive program itself", None, Risk::Now))?;
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
