//! Reading firmware by READ BUFFER mode 6. **Never tried on hardware by this project.**
//!
//! | command block | data in |
//! |---|---|
//! | `3C 06 00 offset24 length24 00 00 00`, high bytes first | so many bytes from there |
//!
//! | answer | meaning |
//! |---|---|
//! | good, no residue | the bytes |
//! | good with a residue | an error: what came is not used |
//! | sense 5/20, 5/21, 5/24, 5/26, or key 7 | the drive does not give this range |
//! | sense key 6 (UNIT ATTENTION) | not carried out: sent again |
//! | any other sense | an error, that says nothing about the range |
//!
//! | drives | source, sure |
//! |---|---|
//! | MT1959, LG's MT1939 | 3000/20, 1EC000/100 and 1F0000/10000 are read by every tool, proven (redumper); all 2 MiB by freemkv-flash; mediatek-optical knows of no reliable complete read |
//! | MT1939 of the SE-506CB | coastermelt says that the command returns memory, freemkv-flash that it returns the flash |

use super::{PacketError, ask_for_all};
use crate::scsi::cdb::{self, Buffer};
use crate::scsi::{Sense, SenseKey};
use crate::transport::PacketTransport;

/// Reads `into.len()` bytes from `at` on. Sent again only where the drive says
/// by UNIT ATTENTION that it has not carried it out.
///
/// # Errors
/// As the drive answers; fewer bytes than asked for are an error as well.
pub fn read(
    transport: &mut dyn PacketTransport,
    at: u32,
    into: &mut [u8],
) -> Result<(), PacketError> {
    let cdb = cdb::read_buffer(Buffer {
        mode: 6,
        id: 0,
        offset: at,
        length: u32::try_from(into.len()).unwrap_or(u32::MAX),
    })?;
    ask_for_all(transport, &cdb, into)
}

/// What the drive gives; `None` where it refuses. Any other answer says nothing
/// about what it has.
pub(crate) fn granted<T>(answer: Result<T, PacketError>) -> Result<Option<T>, PacketError> {
    match answer {
        Ok(given) => Ok(Some(given)),
        Err(PacketError::Sense(sense)) if is_refused(sense) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the drive says that it does not give this range: 5/20, 5/21, 5/24,
/// 5/26, or data protect.
pub(crate) fn is_refused(sense: Sense) -> bool {
    let is_out_of_range = sense.key == SenseKey::ILLEGAL_REQUEST && sense.asc == 0x21;
    sense.is_refusal() || is_out_of_range || sense.key == SenseKey::DATA_PROTECT
}
