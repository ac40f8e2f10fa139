//! ATA commands by the registers of an IDE channel, without a kernel driver:
//! what MTKFLASH does under DOS at the legacy ports, and its later builds,
//! DosFlash and JungleFlasher at those of PCI cards.
//!
//! Sources: JungleFlasher 0.1.96 behaviour for the sequence of register
//! accesses and the number of status reads; measurements on Linux 6.1 with an
//! emulated IDE drive for nIEN and for `/dev/port`; the ATA/ATAPI standards
//! (PIO data-in) for IDENTIFY PACKET DEVICE; Linux `sata_via.c` for what is
//! special about nIEN. Never tried on a real drive or card.
//!
//! What this needs and does not see to: no kernel device on the channel, master
//! and slave, since they share the registers.

pub mod dev_port;
mod layout;
mod open_error;
mod ports;
mod storm;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;

use super::signals::HeldSignals;
use super::{
    Answer, Clock, Expect, IdentifyError, Instead, OpenRegisters, Register, Registers, TaskFile,
    TaskFileError, TransportError, Unit,
};
use crate::scsi::{IDENTIFY_LENGTH, IDENTIFY_PACKET_DEVICE, PacketDevice};
pub use dev_port::{Channel, must_be_given};
pub use layout::{Block, Layout};
pub use open_error::PortOpenError;
pub use ports::Ports;
pub use storm::{InterruptCount, StormGuard};

/// Reads of Status after which a drive that does not show the expected one is
/// given up (JungleFlasher 0.1.96 behaviour).
pub const STATUS_READS: u32 = 327_680;

/// Device Control with nIEN set: the drive leaves its interrupt line alone.
const INTERRUPTS_QUIET: u8 = 0x02;
const INTERRUPTS_ON: u8 = 0x00;

const DEVICE_RESET: u8 = 0x08;

// Bits of Status, as ATA names them: BSY, DF, DRQ and ERR.
const BUSY: u8 = 0x80;
const DEVICE_FAULT: u8 = 0x20;
const DATA_REQUEST: u8 = 0x08;
const ERROR: u8 = 0x01;
/// Status where no drive drives the lines.
const NOBODY: u8 = 0xFF;

/// How long a drive may be busy before it is asked who it is: a drive that has
/// just left vendor mode needs a moment.
const READY_PATIENCE: Duration = Duration::from_secs(1);
/// How long it may take to answer.
const IDENTIFY_PATIENCE: Duration = Duration::from_secs(5);
const STATUS_STEP: Duration = Duration::from_millis(1);

/// One drive's task file by the registers of its channel.
///
/// Restores the channel's interrupts when dropped, if they are quiet by then.
pub struct PortTaskFile {
    registers: OpenRegisters,
    unit: Unit,
    takes_nien: bool,
    clock: Arc<dyn Clock>,
    quiet: bool,
}

impl PortTaskFile {
    /// `takes_nien` is false on a controller whose nIEN is not to be touched.
    pub fn new(
        registers: OpenRegisters,
        unit: Unit,
        takes_nien: bool,
        clock: Arc<dyn Clock>,
    ) -> PortTaskFile {
        PortTaskFile {
            registers,
            unit,
            takes_nien,
            clock,
            quiet: false,
        }
    }

    /// Whether nothing at all is there: registers of every kind read FF.
    ///
    /// # Errors
    /// Where the registers cannot be reached.
    pub fn is_void(&mut self) -> Result<bool, TransportError> {
        let _held = HeldSignals::new();
        let bus_master = self.registers.bus_master_status()?;
        if bus_master != Some(NOBODY) {
            return Ok(false);
        }
        for register in [
            Register::DeviceControl,
            Register::Count,
            Register::LbaLow,
            Register::LbaMid,
            Register::LbaHigh,
            Register::Device,
        ] {
            if self.registers.read(register)? != NOBODY {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Sets nIEN, selects the drive and takes back an interrupt that is pending
    /// already. To be called before the first command: interrupts that no
    /// driver claims make the kernel disable the channel's interrupt for good
    /// ("nobody cared", measured).
    ///
    /// The order matters: on VIA a change of nIEN resets the Device register
    /// (Linux `sata_via.c`, `vt6420`), which is written after it everywhere.
    ///
    /// # Errors
    /// Where the register cannot be reached.
    pub fn quiet_interrupts(&mut self) -> Result<(), TransportError> {
        let _held = HeldSignals::new();
        // First: a write that failed may still have been carried out.
        self.quiet = true;
        if self.takes_nien {
            self.registers
                .write(Register::DeviceControl, INTERRUPTS_QUIET)?;
        }
        self.write_device(0)?;
        self.registers.read(Register::Command)?;
        self.registers.clear_bus_master()
    }

    /// Clears nIEN. To be called after vendor mode has been left. Takes back
    /// before an interrupt that the drive still holds. Does nothing where
    /// interrupts are not quiet.
    ///
    /// # Errors
    /// Where the registers cannot be reached; interrupts then count as quiet
    /// still, and the next call tries again.
    pub fn restore_interrupts(&mut self) -> Result<(), TransportError> {
        if !self.quiet {
            return Ok(());
        }
        let _held = HeldSignals::new();
        self.registers.read(Register::Command)?;
        self.registers.clear_bus_master()?;
        if self.takes_nien {
            self.registers
                .write(Register::DeviceControl, INTERRUPTS_ON)?;
        }
        self.quiet = false;
        Ok(())
    }

    fn write_device(&mut self, bits: u8) -> Result<(), TransportError> {
        self.registers
            .write(Register::Device, self.unit.device() | (bits & 0x0F))
    }

    fn issue(&mut self, registers: &Registers) -> Result<(), TransportError> {
        self.write_device(0)?;
        for (register, value) in [
            (Register::Features, registers.features),
            (Register::Count, registers.count),
            (Register::LbaLow, registers.lba_low),
            (Register::LbaMid, registers.lba_mid),
            (Register::LbaHigh, registers.lba_high),
        ] {
            if let Some(value) = value {
                self.registers.write(register, value)?;
            }
        }
        if registers.device_bits & 0x0F != 0 {
            self.write_device(registers.device_bits)?;
        }
        self.registers.write(Register::Command, registers.command)
    }

    /// Status once the drive is not busy, or as it is after `patience`.
    fn not_busy(&mut self, patience: Duration) -> Result<u8, TransportError> {
        let deadline = self.clock.now().saturating_add(patience);
        loop {
            // Status counts from 400 ns after a command or a selection on.
            self.clock.sleep(STATUS_STEP);
            let status = self.registers.read(Register::Command)?;
            if status & BUSY == 0 || self.clock.now() >= deadline {
                return Ok(status);
            }
        }
    }

    /// The bytes that a drive answers to IDENTIFY PACKET DEVICE.
    fn identification(&mut self) -> Result<Vec<u8>, IdentifyError> {
        self.registers
            .write(Register::Command, IDENTIFY_PACKET_DEVICE)?;
        let status = self.not_busy(IDENTIFY_PATIENCE)?;
        if status & BUSY != 0 {
            return Err(IdentifyError::TimedOut(IDENTIFY_PATIENCE));
        }
        if status & DATA_REQUEST == 0 || status & ERROR != 0 {
            return Err(IdentifyError::Refused(Instead::Status(status)));
        }
        let mut answer = Vec::with_capacity(IDENTIFY_LENGTH);
        while answer.len() < IDENTIFY_LENGTH {
            answer.extend(self.registers.read_data()?.to_le_bytes());
        }
        Ok(answer)
    }

    fn wait_for(&mut self, expected: u8) -> Result<u8, TaskFileError> {
        let mut found = 0;
        for _ in 0..STATUS_READS {
            found = self.registers.read(Register::Command)?;
            if found == expected {
                return Ok(found);
            }
        }
        Err(TaskFileError::Status { expected, found })
    }
}

impl TaskFile for PortTaskFile {
    /// Sends nothing to a drive that is busy, has data to give, or shows a
    /// device fault, as the statuses of vendor mode do. Nor to one whose data
    /// could not be fetched. A drive that hangs at the question is reset by
    /// DEVICE RESET, which a packet device takes at any time: asking a dead drive
    /// must not be what keeps it out of vendor mode.
    fn identify(&mut self) -> Result<PacketDevice, IdentifyError> {
        let _held = HeldSignals::new();
        if !self.registers.has_data() {
            return Err(IdentifyError::NoData);
        }
        self.write_device(0)?;
        let status = self.not_busy(READY_PATIENCE)?;
        if status & (BUSY | DEVICE_FAULT | DATA_REQUEST) != 0 {
            return Err(IdentifyError::NotReady { status });
        }
        let answer = self.identification();
        // What follows is for a drive that is idle, as it was before.
        let status = self.not_busy(READY_PATIENCE)?;
        if status & (BUSY | DATA_REQUEST) != 0 {
            self.registers.write(Register::Command, DEVICE_RESET)?;
            self.not_busy(READY_PATIENCE)?;
            return Err(answer.err().unwrap_or(IdentifyError::Empty));
        }
        PacketDevice::parse(&answer?).ok_or(IdentifyError::Empty)
    }

    fn select(&mut self) -> Result<(), TaskFileError> {
        let _held = HeldSignals::new();
        Ok(self.write_device(0)?)
    }

    /// The sequence as documented: Device, the other registers, Device with its
    /// address bits where there are any, Command; then Device, and Status until
    /// it is the expected one. A drive that has not shown it after
    /// `STATUS_READS` reads gets [`TaskFileError::Status`] with the last value.
    fn execute(
        &mut self,
        registers: &Registers,
        expect: Expect,
        want_lba_low: bool,
    ) -> Result<Answer, TaskFileError> {
        let _held = HeldSignals::new();
        self.issue(registers)?;
        let status = match expect {
            Expect::Status(expected) => {
                self.write_device(0)?;
                self.wait_for(expected)?
            }
            Expect::Any { after, patience } => {
                if after > Duration::ZERO {
                    self.clock.sleep(after);
                }
                self.write_device(0)?;
                match self.registers.read(Register::Command)? {
                    status @ (BUSY | NOBODY) => status,
                    status if status & BUSY != 0 && patience > Duration::ZERO => {
                        self.not_busy(patience)?
                    }
                    status => status,
                }
            }
        };
        let lba_low = if want_lba_low {
            self.registers.read(Register::LbaLow)?
        } else {
            0
        };
        Ok(Answer { status, lba_low })
    }
}

/// That an access moved all that it was to move.
fn whole(moved: io::Result<usize>, expected: usize) -> Result<(), TransportError> {
    match moved {
        Ok(moved) if moved == expected => Ok(()),
        Ok(_) => Err(TransportError::Io(io::ErrorKind::UnexpectedEof.into())),
        Err(error) => Err(match error.raw_os_error().map(Errno::from_raw) {
            Some(Errno::EPERM | Errno::EACCES) => TransportError::NotPermitted,
            _ => TransportError::Io(error),
        }),
    }
}

impl Drop for PortTaskFile {
    fn drop(&mut self) {
        // Who wants to know of a failure has called it before.
        let _ = self.restore_interrupts();
    }
}

#[cfg(test)]
mod tests;
