//! One command to the drive and its answer back.
//!
//! Two seams: [`PacketTransport`] carries a SCSI command block, [`TaskFile`]
//! one ATA command by its registers. Each has real sides and a simulated one,
//! and everything above runs the same code on both. [`Clock`] is the third
//! thing that protocols need from outside: simulated drives have simulated time.

pub(crate) mod ata_passthrough;
pub(crate) mod clock;
pub(crate) mod port;
pub(crate) mod registers;
pub(crate) mod sg_io;
mod signals;
pub(crate) mod watched;

use std::time::Duration;

pub use crate::scsi::cdb::Registers;
use crate::scsi::{PacketDevice, ReturnedRegistersError, Sense};
pub use ata_passthrough::AtaPassthrough;
pub use clock::Clock;
pub use port::PortTaskFile;
pub use registers::{OpenRegisters, Register, RegisterAccess};
pub use sg_io::SgDevice;
pub use watched::{Watch, Watched};

/// What a command moves besides its command block.
#[derive(Debug)]
pub enum Data<'a> {
    None,
    /// Bytes from the drive into this buffer. What the drive did not send, also
    /// after an error, is not zero and not as before: the kernel hands out what
    /// other commands left in its own buffer (measured on Linux 6.1).
    In(&'a mut [u8]),
    /// Bytes to the drive.
    Out(&'a [u8]),
}

/// All that the kernel says about a command that it has completed.
///
/// A completion is no success by itself: several flashers look at the SCSI
/// status alone and take a transport time-out for a finished write. Ask
/// [`Completion::verdict`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Completion {
    /// SCSI status byte: 00 GOOD, 02 CHECK CONDITION, 08 BUSY.
    pub status: u8,
    /// SG_IO `host_status`: 00 fine, 03 time-out, 07 error.
    pub host_status: u16,
    /// SG_IO `driver_status`: 00, or 08 where sense data is present.
    pub driver_status: u16,
    /// Bytes of the data buffer that were not moved, as the layer says. libata
    /// answers 0 whatever happened, so only protocols that know better judge it.
    pub residue: i32,
    /// The sense bytes that arrived, none where there were none.
    pub sense: Vec<u8>,
}

/// What a completion amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// GOOD from the drive, the host adapter and the driver alike.
    Good,
    /// The drive answered CHECK CONDITION; the sense data say why.
    CheckCondition,
    /// The drive answered with another SCSI status (08 BUSY and others).
    Status(u8),
    /// The drive did not answer in time and the kernel has aborted the command
    /// (host status 03).
    TimedOut,
    /// The command did not reach the drive or its answer did not come back.
    Failed {
        host_status: u16,
        driver_status: u16,
    },
}

impl Completion {
    /// Judges all the fields: a good SCSI status under an odd host or driver
    /// status is a failure. The residue is left to the caller.
    pub fn verdict(&self) -> Verdict {
        const HOST_TIME_OUT: u16 = 0x03;
        const DRIVER_SENSE: u16 = 0x08;
        match (self.host_status, self.driver_status) {
            (HOST_TIME_OUT, _) => Verdict::TimedOut,
            (0, 0 | DRIVER_SENSE) => match self.status {
                0x00 => Verdict::Good,
                0x02 => Verdict::CheckCondition,
                other => Verdict::Status(other),
            },
            (host_status, driver_status) => Verdict::Failed {
                host_status,
                driver_status,
            },
        }
    }
}

/// A command that got no completion at all.
#[derive(Debug, thiserror::Error)]
#[error("{self:?}")]
pub enum TransportError {
    NotPermitted,
    Vanished,
    Io(std::io::Error),
    /// On the ports: the interrupt line of the channel does not come to rest,
    /// and the kernel would switch it off with all that is on it.
    Storm {
        interrupts: u64,
    },
}

/// A drive that takes SCSI command blocks.
pub trait PacketTransport {
    /// Sends one command and waits for its end, whatever that is.
    ///
    /// Signals are held off meanwhile. Nothing is ever repeated here.
    ///
    /// # Errors
    /// Only where there is no completion: the kernel refused the command or the
    /// drive is gone. A drive that says no is a [`Completion`].
    fn execute(
        &mut self,
        cdb: &[u8],
        data: Data<'_>,
        timeout: Duration,
    ) -> Result<Completion, TransportError>;
}

/// A drive that takes commands, from whatever thread has it.
pub type OpenDrive = Box<dyn PacketTransport + Send>;

impl PacketTransport for OpenDrive {
    fn execute(
        &mut self,
        cdb: &[u8],
        data: Data<'_>,
        timeout: Duration,
    ) -> Result<Completion, TransportError> {
        (**self).execute(cdb, data, timeout)
    }
}

/// Master or slave: which of the two devices of an IDE channel is addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    Master,
    Slave,
}

impl Unit {
    /// The Device register that selects this unit: 0xA0 master, 0xB0 slave.
    pub fn device(self) -> u8 {
        match self {
            Unit::Master => 0xA0,
            Unit::Slave => 0xB0,
        }
    }

    /// The target that it is for SCSI.
    pub fn target(self) -> u32 {
        match self {
            Unit::Master => 0,
            Unit::Slave => 1,
        }
    }

    /// `None` for a target that no IDE channel has.
    pub fn of_target(target: u32) -> Option<Unit> {
        [Unit::Master, Unit::Slave]
            .into_iter()
            .find(|unit| unit.target() == target)
    }
}

/// When a command counts as finished, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Finished when Status equals this value, the mode status.
    Status(u8),
    /// Status is read this long after the command and may be anything. Where
    /// Status is read directly, a drive that is busy (bit 7) is read again for
    /// as long as `patience`; 80h and FFh are no busy drive but none.
    Any { after: Duration, patience: Duration },
}

/// What the registers hold after a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Answer {
    pub status: u8,
    /// Filled in only where [`TaskFile::execute`] was asked for it.
    pub lba_low: u8,
}

/// What came instead of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instead {
    /// CHECK CONDITION, and why where that was said.
    Sense(Option<Sense>),
    Verdict(Verdict),
    /// The drive's status register.
    Status(u8),
    Registers(ReturnedRegistersError),
}

/// An ATA command that did not end as expected.
#[derive(Debug, thiserror::Error)]
#[error("{self:?}")]
pub enum TaskFileError {
    Status {
        expected: u8,
        found: u8,
    },
    TimedOut(Duration),
    NoRegisters(Instead),
    /// What is between computer and drive refused the command in the drive's
    /// place.
    NotPassedOn(Sense),
    Transport(#[from] TransportError),
}

/// IDENTIFY PACKET DEVICE without an identity.
#[derive(Debug, thiserror::Error)]
#[error("{self:?}")]
pub enum IdentifyError {
    NoData,
    /// Busy, at fault or with data of its own: nothing was sent.
    NotReady {
        status: u8,
    },
    TimedOut(Duration),
    Refused(Instead),
    Empty,
    Transport(#[from] TransportError),
}

/// A drive that takes ATA commands by their registers, without data.
pub trait TaskFile {
    /// Asks the drive who it is by IDENTIFY PACKET DEVICE, the one command here
    /// that moves data. It changes nothing in the drive. Not for a drive that is
    /// in vendor mode.
    ///
    /// # Errors
    /// [`IdentifyError`]; a drive whose firmware does not run refuses or does
    /// not answer.
    fn identify(&mut self) -> Result<PacketDevice, IdentifyError>;

    /// Addresses the drive by its Device register, without a command. Nothing
    /// where the way there does this with every command.
    ///
    /// # Errors
    /// Where the registers cannot be reached.
    fn select(&mut self) -> Result<(), TaskFileError>;

    /// Issues one command and waits for it as `expect` says. LBA-low is read
    /// back if `want_lba_low`; other registers are not looked at.
    ///
    /// Signals are held off meanwhile. Nothing is ever repeated here.
    ///
    /// # Errors
    /// A status other than the expected one is an error that carries it.
    fn execute(
        &mut self,
        registers: &Registers,
        expect: Expect,
        want_lba_low: bool,
    ) -> Result<Answer, TaskFileError>;
}
