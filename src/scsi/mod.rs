//! SCSI as bytes: command blocks, sense data, INQUIRY. No I/O.

pub mod cdb;
pub(crate) mod identify;
pub(crate) mod inquiry;
pub(crate) mod returned_registers;
pub(crate) mod sense;
mod text;

pub use cdb::PacketCdb;
pub use identify::{IDENTIFY_LENGTH, IDENTIFY_PACKET_DEVICE, PacketDevice};
#[cfg(test)]
pub(crate) use inquiry::identity;
pub use inquiry::{DeviceType, Identity, Inquiry};
pub use returned_registers::{ReturnedRegisters, ReturnedRegistersError};
pub use sense::{Sense, SenseKey};
pub(crate) use text::printable;
