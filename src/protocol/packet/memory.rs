//! Reading firmware by READ BUFFER mode 6, `3C 06 00 offset24 length24 00`.
//!
//! Talks to MT1959 drives (redumper, proven for the boot record; freemkv-flash
//! for all 2 MiB) and to the MT1939, of which coastermelt says that the command
//! returns memory and freemkv-flash that it returns the flash. **Never tried on
//! hardware by this project.**

use super::{PacketError, ask_for};
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
    match ask_for(transport, &cdb, into)? {
        0 => Ok(()),
        residue => Err(PacketError::Residue {
            residue,
            length: into.len(),
        }),
    }
}

/// Whether the drive says that it does not give this range: 5/20, 5/21, 5/24,
/// 5/26, or data protect.
pub(crate) fn is_refused(sense: Sense) -> bool {
    let is_out_of_range = sense.key == SenseKey::ILLEGAL_REQUEST && sense.asc == 0x21;
    sense.is_refusal() || is_out_of_range || sense.key == SenseKey::DATA_PROTECT
}
