//! The vendor command `FF 00 01 00 00 mode 00 00 00 00 00 00` with a block of the
//! image as its data. **Never tried on hardware by this project.**
//!
//! The mode is 00 in the first block, FF in the others and the family's own in the last
//! one, which ends the download. Each block is sent once and in order; then TEST UNIT
//! READY, see [`restart`](super::restart).
//!
//! | drives | image | sent in blocks of | last mode | source, sure |
//! |---|---|---|---|---|
//! | TSST and hp DVD-ROM with an MT1339 | 256 KiB | FC00 | 04 | redumper, proven |
//! | Samsung SD-616F, SD-616T | 128 KiB, spread over 192 KiB | 10000 | 02 | redumper, proven |
//! | MT1939 in the Samsung SE-506CB | 2 MiB | F800, the last one 800 | 02 | coastermelt, proven |
//!
//! | answer | meaning |
//! |---|---|
//! | good, no residue | the block is taken |
//! | good, the residue its whole length | the same, of the last block to an MT1939 |
//! | good, any other residue; an error | the download ends; after the first block the flash is in doubt |
//!
//! When a drive begins to program is not documented, but for the MT1939, which takes
//! about 10 s each for the 17th and the last block: after the first block the flash is
//! in doubt. The MT1939 leaves its first 64 KiB as they are, an image of FF erases the
//! rest, and one that fails leaves a boot loader of the revision `BOOT` that takes the
//! same commands (coastermelt).

use super::{PROGRAM_TIMEOUT, PacketError, Risk, command, sending};
use crate::protocol::Doing;
use crate::protocol::download::SendError;
use crate::transport::{Data, PacketTransport};

const FIRST: u8 = 0x00;
const MIDDLE: u8 = 0xFF;

/// How a family cuts and ends its download.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocks {
    pub size: u32,
    /// The mode of the last block.
    pub last_mode: u8,
    /// A good last block may report a residue of its whole length.
    pub odd_last_residue: bool,
    /// The image is spread over 192 KiB first.
    pub spread: bool,
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
        let failed = sending(Doing::SendImage, Some(at), risk);
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
///
/// Early versions of redumper filled 10000..=103FF with FC00..=FFFF of the image
/// and sent one byte less of each block; its later ones, followed here, do not.
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
