//! An IDE channel: two drives that share their registers, and the ports side
//! of both.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::drive::Drive;
use super::state::Hold;
use crate::transport::{Register, RegisterAccess, TransportError, Unit};

/// What a host reads where no drive answers: bit 7 is pulled down.
const FLOATING: u8 = 0x7F;

const SLAVE: u8 = 0x10;
const N_IEN: u8 = 0x02;

#[derive(Default)]
pub(super) struct Channel {
    units: [Option<Drive>; 2],
    device: u8,
    /// Interrupts are off (nIEN), as the host left it in Device Control.
    interrupts_off: bool,
    /// What the next access answers in place of the registers.
    failing: Option<io::Error>,
}

/// A channel as its drives' handles share it.
pub(super) type SharedChannel = Arc<Mutex<Channel>>;

/// A test that panics while it holds the lock has failed already.
pub(super) fn lock(channel: &SharedChannel) -> MutexGuard<'_, Channel> {
    channel.lock().unwrap_or_else(PoisonError::into_inner)
}

fn index(unit: Unit) -> usize {
    unit.target() as usize
}

impl Channel {
    pub fn attach(&mut self, unit: Unit, drive: Drive) {
        self.units[index(unit)] = Some(drive);
    }

    pub fn drive(&mut self, unit: Unit) -> Option<&mut Drive> {
        self.units[index(unit)].as_mut()
    }

    pub fn interrupts_off(&self) -> bool {
        self.interrupts_off
    }

    fn selected(&self) -> Unit {
        if self.device & SLAVE == 0 {
            Unit::Master
        } else {
            Unit::Slave
        }
    }

    /// The selected drive, if it is there and has power.
    #[inline]
    fn selected_drive(&mut self) -> Option<&mut Drive> {
        let unit = self.selected();
        self.drive(unit).filter(|drive| drive.is_there())
    }

    fn read(&mut self, register: Register) -> u8 {
        let Some(drive) = self.selected_drive() else {
            // A master answers for a slave that is not there.
            let mut drives = self.units.iter().flatten();
            let alone = drives.any(Drive::is_there);
            return if alone { 0x00 } else { FLOATING };
        };
        drive.core.counters.register_reads += 1;
        drive.core.clock.advance(drive.core.latency.register_ns);
        let status = drive.status();
        // While it is busy, a drive shows nothing but that.
        const BUSY: u8 = 0x80;
        if status & BUSY != 0 {
            return status;
        }
        match register {
            Register::Features => drive.core.registers.error,
            // Device Control reads as Alternate Status.
            register => drive
                .core
                .registers
                .written(register)
                .map_or(status, |value| *value),
        }
    }

    fn write(&mut self, register: Register, value: u8) {
        match register {
            Register::Device => self.device = value,
            Register::DeviceControl => self.interrupts_off = value & N_IEN != 0,
            _ => {}
        }
        if register == Register::Command {
            if let Some(drive) = self.selected_drive() {
                drive.depart_if_due();
            }
        }
        let interrupts_off = self.interrupts_off;
        let mut failure = None;
        if let Some(drive) = self.selected_drive() {
            drive.core.counters.register_writes += 1;
            drive.core.clock.advance(drive.core.latency.register_ns);
            let harmless = matches!(register, Register::Device | Register::DeviceControl);
            if !harmless && drive.is_busy() {
                drive
                    .core
                    .violation(format!("{register:?} written while the drive is busy"));
            }
            if register == Register::Command {
                let interference = drive.issue_by_ports(value);
                if !interrupts_off {
                    drive.core.counters.interrupts += 1;
                }
                failure = drive.take_failure(&interference);
            }
        }
        self.failing = failure.or(self.failing.take());
        // Both drives of a channel hear what is written.
        for drive in self.units.iter_mut().flatten() {
            if let Some(place) = drive.core.registers.written(register) {
                *place = value;
            }
        }
    }
}

impl Channel {
    fn read_data(&mut self) -> u16 {
        let Some(drive) = self.selected_drive() else {
            return u16::MAX;
        };
        drive.core.counters.register_reads += 1;
        drive.core.clock.advance(drive.core.latency.register_ns);
        drive.data.pop_front().unwrap_or_else(|| {
            drive
                .core
                .violation("data read that the drive does not have");
            u16::MAX
        })
    }
}

/// The legacy ports of one channel.
pub(super) struct SimPorts {
    pub channel: SharedChannel,
    pub _hold: Option<Arc<Hold>>,
}

impl RegisterAccess for SimPorts {
    fn read(&mut self, register: Register) -> Result<u8, TransportError> {
        let mut channel = lock(&self.channel);
        match channel.failing.take() {
            Some(error) => Err(TransportError::Io(error)),
            None => Ok(channel.read(register)),
        }
    }

    fn write(&mut self, register: Register, value: u8) -> Result<(), TransportError> {
        let mut channel = lock(&self.channel);
        channel.write(register, value);
        match channel.failing.take() {
            Some(error) => Err(TransportError::Io(error)),
            None => Ok(()),
        }
    }

    fn has_data(&self) -> bool {
        true
    }

    fn read_data(&mut self) -> Result<u16, TransportError> {
        Ok(lock(&self.channel).read_data())
    }
}
