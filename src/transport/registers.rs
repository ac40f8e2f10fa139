//! The registers of one IDE channel, as ATA names them.

use super::TransportError;

/// A register of an IDE channel. Reading and writing the same place can mean
/// two registers: Error/Features, Status/Command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Register {
    /// Base +1: Error when read, Features when written.
    Features = 1,
    /// Base +2.
    Count,
    /// Base +3.
    LbaLow,
    /// Base +4.
    LbaMid,
    /// Base +5.
    LbaHigh,
    /// Base +6: selects master or slave.
    Device,
    /// Base +7: Status when read, Command when written.
    Command,
    /// Base +0x206: bit 1 is nIEN, which keeps the interrupt line quiet.
    DeviceControl,
}

impl Register {
    /// Ports behind the first one of the command block, 1 to 7; `None` for Device
    /// Control, which is in a block of its own.
    pub fn offset(self) -> Option<u8> {
        (self != Register::DeviceControl).then_some(self as u8)
    }
}

/// The registers of a channel, from whatever thread has them.
pub type OpenRegisters = Box<dyn RegisterAccess + Send>;

/// The registers of one IDE channel and nothing else.
pub trait RegisterAccess {
    /// # Errors
    /// Where the register cannot be reached; the value read is never judged here.
    fn read(&mut self, register: Register) -> Result<u8, TransportError>;

    /// # Errors
    /// Where the register cannot be reached.
    fn write(&mut self, register: Register, value: u8) -> Result<(), TransportError>;

    /// Whether the data register can be reached. To be asked before a command
    /// that sends data: a drive whose data nobody fetches takes no other command.
    fn has_data(&self) -> bool;

    /// One word of the data register, base +0, which is 16 bits wide. Vendor
    /// mode never uses it.
    ///
    /// # Errors
    /// Where the register cannot be reached.
    fn read_data(&mut self) -> Result<u16, TransportError>;

    /// The status of the channel's bus master; `None` where it has none that can
    /// be reached.
    ///
    /// # Errors
    /// Where the register cannot be reached.
    fn bus_master_status(&mut self) -> Result<Option<u8>, TransportError> {
        Ok(None)
    }

    /// Clears the interrupt that the channel's bus master keeps, where it has
    /// one.
    ///
    /// # Errors
    /// Where the register cannot be reached.
    fn clear_bus_master(&mut self) -> Result<(), TransportError> {
        Ok(())
    }
}
