//! The vendor command `FF 00 01 00 00 mode`, 12 bytes, with a block of the
//! image as its data.
//!
//! Talks to TSST DVD-ROM drives with an MT1339 (redumper, proven), the Samsung
//! SD-616F and SD-616T (redumper, proven) and the MT1939 of the Samsung SE-506CB
//! (coastermelt, proven). **Never tried on hardware by this project.**
//!
//! The mode is 00 in the first block, FF in the others and the family's own in
//! the last one, which ends the download. When a drive begins to program is not
//! documented, but for the MT1939, which takes about 10 s each for the 17th and
//! the last block: after the first block the flash is in doubt.

use super::{PROGRAM_TIMEOUT, PacketError, Risk, command, sending};
use crate::protocol::download::SendError;
use crate::transport::{Data, PacketTransport};

const FIRST: u8 = 0x00;
const MIDDLE: u8 = 0xFF;

/// How a family cuts and ends its download.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blocks {
    pub size: u32,
    /// The mode of the last block.
    pub last_mode: u8,
    /// A good last block may report a residue of its whole length.
    pub odd_last_residue: bool,
}

/// Sends what the drive shall get, which is the image or its spread form.
pub(super) fn send(
    transport: &mut dyn PacketTransport,
    payload: &[u8],
    blocks: Blocks,
    taken: &mut dyn FnMut(u32),
) -> Result<(), SendError> {
    let size = blocks.size as usize;
    let last = payload.len().div_ceil(size).saturating_sub(1);
    for (number, bytes) in payload.chunks(size).enumerate() {
        let mode = match number {
            _ if number == last => blocks.last_mode,
            0 => FIRST,
            _ => MIDDLE,
        };
        let risk = if number == 0 { Risk::Now } else { Risk::Before };
        let at = u32::try_from(number * size).unwrap_or(u32::MAX);
        let failed = sending("sending the image", Some(at), risk);
        let data = Data::Out(bytes);
        let residue = match command(transport, &block_cdb(mode), data, PROGRAM_TIMEOUT) {
            Ok(residue) => residue,
            Err(error) => return Err(failed(error)),
        };
        let odd = number == last
            && blocks.odd_last_residue
            && usize::try_from(residue) == Ok(bytes.len());
        if residue != 0 && !odd {
            return Err(failed(PacketError::Residue {
                residue,
                length: bytes.len(),
            }));
        }
        taken(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    }
    Ok(())
}

fn block_cdb(mode: u8) -> [u8; 12] {
    [0xFF, 0x00, 0x01, 0x00, 0x00, mode, 0, 0, 0, 0, 0, 0]
}

/// An SD-616 image of 128 KiB, spread over 192 KiB as redumper does it; zero
/// where nothing of the image goes. `None` for an image of another size.
pub(super) fn spread(image: &[u8]) -> Option<Vec<u8>> {
    let mut out = vec![0; 0x3_0000];
    for (to, from) in [
        (0x0_0000, 0x0_0000..0x1_0000),
        (0x1_0400, 0x1_0000..0x1_F800),
        (0x2_0000, 0x1_F800..0x2_0000),
        (0x2_0800, 0x1_0400..0x1_F800),
    ] {
        let part = image.get(from)?;
        out.get_mut(to..to + part.len())?.copy_from_slice(part);
    }
    (image.len() == 0x2_0000).then_some(out)
}
