//! A drive with a flash of a few sectors, that fails as it is told.

use mtkflash::flash::{EraseLayout, FlashRange, Offset};
use mtkflash::protocol::{
    Capabilities, DeviceError, DeviceInfo, Doing, FirmwareDevice, InPlace, Reading, Writer, Writing,
};
use mtkflash::scsi::Identity;
use mtkflash::transport::TransportError;

use crate::random::Random;

/// What comes in the middle of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The process ends.
    Kill,
    /// The power goes, in the middle of what the chip does.
    PowerCut,
    /// The cable is pulled: what was begun is done.
    Unplug,
    /// One command is lost, and the drive goes on.
    Lost,
    /// Bits of one byte stay clear in the next erase.
    WeakErase,
    /// The chip takes no program there, this time.
    Stuck,
    /// One byte is read wrongly, once.
    Misread,
}

pub const FAULTS: [Fault; 7] = [
    Fault::Kill,
    Fault::PowerCut,
    Fault::Unplug,
    Fault::Lost,
    Fault::WeakErase,
    Fault::Stuck,
    Fault::Misread,
];

/// Not a message of a failing test.
pub struct Kill;

pub struct Drive {
    pub place: String,
    pub identity: Identity,
    pub flash: Vec<u8>,
    pub layout: EraseLayout,
    /// Whether it says who it is.
    pub is_named: bool,
}

/// A drive that a run works with.
pub struct Device<'a> {
    drive: &'a mut Drive,
    info: DeviceInfo,
    capabilities: Capabilities,
    random: Random,
    /// A fault, and how many commands come before it.
    fault: Option<(Fault, usize)>,
    is_gone: bool,
    misread: bool,
    weak: bool,
    /// Commands that came, and those that changed something.
    pub commands: usize,
    pub changes: usize,
}

impl<'a> Device<'a> {
    pub fn new(drive: &'a mut Drive, fault: Option<(Fault, usize)>, random: Random) -> Device<'a> {
        Device {
            info: DeviceInfo {
                identity: drive.is_named.then(|| drive.identity.clone()),
                chip: "bf b6".to_owned(),
                ..DeviceInfo::default()
            },
            capabilities: Capabilities {
                size: drive.layout.size(),
                reading: Reading::Blocks(0x100),
                writing: Writing::InPlace(drive.layout.clone()),
                time_per_byte: None,
                windows: &[],
            },
            drive,
            random,
            fault,
            is_gone: false,
            misread: false,
            weak: false,
            commands: 0,
            changes: 0,
        }
    }

    fn vanished() -> DeviceError {
        DeviceError::TaskFile {
            doing: Doing::Read,
            at: None,
            source: TransportError::Vanished.into(),
        }
    }

    /// What happens to the command that comes now.
    fn next(&mut self) -> Result<Option<Fault>, DeviceError> {
        if self.is_gone {
            return Err(Device::vanished());
        }
        self.commands += 1;
        match self.fault {
            Some((fault, 0)) => {
                self.fault = None;
                match fault {
                    Fault::Kill => std::panic::panic_any(Kill),
                    Fault::Lost => Err(Device::vanished()),
                    Fault::Misread => {
                        self.misread = true;
                        Ok(None)
                    }
                    Fault::WeakErase => {
                        self.weak = true;
                        Ok(None)
                    }
                    fault => Ok(Some(fault)),
                }
            }
            Some((fault, after)) => {
                self.fault = Some((fault, after - 1));
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// The power goes or the cable is pulled.
    fn leaves(&mut self, fault: Option<Fault>) -> Result<(), DeviceError> {
        match fault {
            Some(Fault::PowerCut | Fault::Unplug) => {
                self.is_gone = true;
                Err(Device::vanished())
            }
            _ => Ok(()),
        }
    }

    /// What an erase leaves of these bytes that the power cuts off.
    fn half_erase(&mut self, range: FlashRange) {
        let cells = range.of_mut(&mut self.drive.flash);
        match self.random.below(3) {
            0 => {
                let reached = self.random.below(cells.len() + 1);
                cells[..reached].fill(0);
            }
            1 => cells.fill_with(|| self.random.byte()),
            _ => cells.fill_with(|| self.random.byte() | self.random.byte()),
        }
    }
}

impl FirmwareDevice for Device<'_> {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn read(&mut self, at: Offset, into: &mut [u8]) -> Result<(), DeviceError> {
        let fault = self.next()?;
        self.leaves(fault)?;
        let start = at.0 as usize;
        into.copy_from_slice(&self.drive.flash[start..start + into.len()]);
        if std::mem::take(&mut self.misread) {
            into[self.random.below(into.len())] ^= 1;
        }
        Ok(())
    }

    fn writer(&mut self) -> Option<Writer<'_>> {
        Some(Writer::InPlace(self))
    }

    fn leave(&mut self) -> Result<(), DeviceError> {
        Ok(())
    }
}

impl InPlace for Device<'_> {
    fn erase(&mut self, range: FlashRange) -> Result<(), DeviceError> {
        let fault = self.next()?;
        self.changes += 1;
        if fault == Some(Fault::PowerCut) {
            self.half_erase(range);
            return self.leaves(fault);
        }
        let weak = std::mem::take(&mut self.weak).then(|| {
            let at = range.start() as usize + self.random.below(range.len() as usize);
            (at, self.drive.flash[at])
        });
        range.of_mut(&mut self.drive.flash).fill(0xFF);
        if let Some((at, held)) = weak {
            self.drive.flash[at] = held | self.random.byte();
        }
        self.leaves(fault)
    }

    fn program(&mut self, at: Offset, bytes: &[u8]) -> Result<(), DeviceError> {
        let fault = self.next()?;
        self.changes += 1;
        let start = at.0 as usize;
        let all = match fault {
            Some(Fault::PowerCut | Fault::Stuck) => self.random.below(bytes.len() + 1),
            _ => bytes.len(),
        };
        for (cell, byte) in self.drive.flash[start..].iter_mut().zip(&bytes[..all]) {
            *cell &= byte;
        }
        if let (Some(Fault::PowerCut), Some(next)) = (fault, bytes.get(all)) {
            self.drive.flash[start + all] &= next | self.random.byte();
        }
        self.leaves(fault)?;
        // As chips are programmed: until the byte reads as it should, or not at all.
        for (index, &expected) in bytes.iter().enumerate() {
            let found = self.drive.flash[start + index];
            if found != expected {
                return Err(DeviceError::NotProgrammed {
                    at: Offset(at.0 + index as u32),
                    expected,
                    found,
                    attempts: 16,
                });
            }
        }
        Ok(())
    }
}
