//! Drives that take firmware over plain SCSI commands.
//!
//! One module per way of sending, all facts about a family in [`families`], and
//! [`PacketDrive`], which is the device that a job sees. Command blocks are 12
//! bytes long. Every command is sent once, but for reads and TEST UNIT READY,
//! which change nothing.

pub mod blu_ray;
pub mod btc;
mod device;
pub mod families;
pub mod liteon;
pub mod memory;
pub mod restart;
pub mod vendor_blocks;

use crate::protocol::Doing;
use std::time::Duration;

pub use device::PacketDrive;
pub use families::Family;

use super::DeviceError;
use super::download::{Effect, SendError};
use crate::flash::Offset;
use crate::scsi::cdb::{self, Buffer, BufferTooLarge};
use crate::scsi::inquiry;
use crate::scsi::{Inquiry, Sense, SenseKey};
use crate::transport::{Completion, Data, OpenDrive, PacketTransport, TransportError, Verdict};

/// For a command that may make the drive program. A time-out makes the kernel
/// reset the drive, and a reset while it programs is the end of it: the MT1939
/// takes 10 s, a BTC drive is given 50 s by btcflash.
const PROGRAM_TIMEOUT: Duration = Duration::from_secs(300);

/// For a command that programs nothing.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How often a command that changes nothing is sent again after UNIT ATTENTION,
/// which says that it was not carried out. There may be one for each event.
const UNIT_ATTENTIONS: u32 = 8;

/// Finds a drive again that went away to restart: looks once, without waiting. Fails
/// where it cannot be spoken to yet, mostly since it is not there. The real drive is
/// known by its place in the system, the simulated one by its bench.
pub type Reopen = Box<dyn FnMut() -> Result<OpenDrive, TransportError> + Send>;

/// A packet command that did not end well.
#[derive(Debug, thiserror::Error)]
#[error("{self:?}")]
pub enum PacketError {
    Sense(Sense),
    NoSense,
    Status(u8),
    TimedOut(Duration),
    Lost {
        host_status: u16,
        driver_status: u16,
    },
    Residue {
        residue: i32,
        length: usize,
    },
    Short,
    Address(#[from] BufferTooLarge),
    Transport(#[from] TransportError),
}

impl PacketError {
    /// Whether the drive, or the kernel before it, says that it did nothing.
    fn was_not_carried_out(&self) -> bool {
        match self {
            PacketError::Sense(sense) => {
                !sense.deferred && (sense.is_refusal() || sense.is_unit_attention())
            }
            PacketError::Address(_) | PacketError::Transport(TransportError::NotPermitted) => true,
            _ => false,
        }
    }
}

/// Sends one command. Good is what all fields of the completion call good.
/// Returns the residue.
fn command(
    transport: &mut dyn PacketTransport,
    cdb: &[u8],
    data: Data<'_>,
    timeout: Duration,
) -> Result<i32, PacketError> {
    judged(&transport.execute(cdb, data, timeout)?, timeout)
}

/// What a completion says of its command.
fn judged(completion: &Completion, timeout: Duration) -> Result<i32, PacketError> {
    match completion.verdict() {
        Verdict::Good => Ok(completion.residue),
        Verdict::CheckCondition => Err(match Sense::parse(&completion.sense) {
            Some(sense) => PacketError::Sense(sense),
            None => PacketError::NoSense,
        }),
        Verdict::Status(status) => Err(PacketError::Status(status)),
        Verdict::TimedOut => Err(PacketError::TimedOut(timeout)),
        Verdict::Failed {
            host_status,
            driver_status,
        } => Err(PacketError::Lost {
            host_status,
            driver_status,
        }),
    }
}

/// Sends a command that reads, and again where the drive says by UNIT ATTENTION
/// that it has not carried it out. Returns the residue.
fn ask_for(
    transport: &mut dyn PacketTransport,
    cdb: &[u8],
    into: &mut [u8],
) -> Result<i32, PacketError> {
    let mut attentions = 0;
    loop {
        let completion = transport.execute(cdb, Data::In(into), TIMEOUT)?;
        match judged(&completion, TIMEOUT) {
            // By SPC that was carried out, with some recovery on the way.
            Err(PacketError::Sense(sense))
                if sense.key == SenseKey::RECOVERED_ERROR && !sense.deferred =>
            {
                return Ok(completion.residue);
            }
            Err(PacketError::Sense(sense))
                if sense.is_unit_attention() && attentions < UNIT_ATTENTIONS =>
            {
                attentions += 1;
            }
            answer => return answer,
        }
    }
}

/// As [`ask_for`], where every byte of `into` must come.
fn ask_for_all(
    transport: &mut dyn PacketTransport,
    cdb: &[u8],
    into: &mut [u8],
) -> Result<(), PacketError> {
    let length = into.len();
    match ask_for(transport, cdb, into)? {
        0 => Ok(()),
        residue => Err(PacketError::Residue { residue, length }),
    }
}

/// WRITE BUFFER with these bytes, all of them.
fn write_buffer(
    transport: &mut dyn PacketTransport,
    mode: u8,
    id: u8,
    offset: u32,
    bytes: &[u8],
) -> Result<(), PacketError> {
    let length = bytes.len();
    let cdb = cdb::write_buffer(Buffer {
        mode,
        id,
        offset,
        length: Offset::of(length).0,
    })?;
    let data = match length {
        0 => Data::None,
        _ => Data::Out(bytes),
    };
    match command(transport, &cdb, data, PROGRAM_TIMEOUT)? {
        residue if residue != 0 && length > 0 => Err(PacketError::Residue { residue, length }),
        _ => Ok(()),
    }
}

/// Asks the drive who it is, by standard INQUIRY.
fn inquire(transport: &mut dyn PacketTransport) -> Result<Inquiry, PacketError> {
    /// Once more where less than the names came.
    const ATTEMPTS: u32 = 2;
    for _ in 0..ATTEMPTS {
        let mut reply = [0; cdb::INQUIRY_LENGTH];
        let residue = command(transport, &cdb::inquiry(), Data::In(&mut reply), TIMEOUT)?;
        if inquiry::cut_short(&reply, residue, Inquiry::NAMES_END).is_some() {
            continue;
        }
        // Byte 4 tells how many more bytes there are; an answer without a name
        // is none.
        let found = Inquiry::parse(&reply);
        let found = found.filter(|inquiry| !inquiry.identity.product.is_empty());
        return found.ok_or(PacketError::Short);
    }
    Err(PacketError::Short)
}

/// Has the drive tell its pending UNIT ATTENTIONs, so that none of them stops a
/// command that must not be sent twice. Whatever else it says is no matter here,
/// as long as it answers.
///
/// # Errors
/// A drive that does not: after a time-out the kernel has just reset it, and
/// what was lost once on the way may be lost again.
fn clear_unit_attention(transport: &mut dyn PacketTransport) -> Result<(), PacketError> {
    for _ in 0..UNIT_ATTENTIONS {
        match command(transport, &cdb::test_unit_ready(), Data::None, TIMEOUT) {
            Err(PacketError::Sense(sense)) if sense.is_unit_attention() => {}
            Ok(_) | Err(PacketError::Sense(_) | PacketError::NoSense) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Names the deed in an error.
pub(super) fn during(doing: Doing) -> impl FnOnce(PacketError) -> DeviceError {
    move |source| DeviceError::Packet {
        doing,
        at: None,
        source,
    }
}

/// What commands before this one have done, for what its failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Risk {
    /// Neither this command nor any before it programs anything.
    None,
    /// This one may program; those before it did not.
    Now,
    /// Commands before this one may have programmed already.
    Before,
}

/// Names the deed and the place in an error, and what it means for the flash.
fn sending(doing: Doing, at: Option<u32>, risk: Risk) -> impl FnOnce(PacketError) -> SendError {
    move |source| SendError {
        effect: match risk {
            Risk::None => Effect::Unchanged,
            Risk::Now if source.was_not_carried_out() => Effect::Unchanged,
            Risk::Now | Risk::Before => Effect::InDoubt,
        },
        source: DeviceError::Packet {
            doing,
            at: at.map(Offset),
            source,
        },
    }
}

#[cfg(test)]
pub(crate) mod tests;
