//! The registers of an IDE channel in the files that stand for its I/O ports: those
//! named `resourceN` of the PCI function that has it, or [`super::dev_port`].
//!
//! Source: Linux `drivers/pci/pci-sysfs.c` (`pci_resource_io`): a read or write
//! of 1, 2 or 4 bytes is one access of that width, and the kernel bounds it to
//! the region, so that no neighbour can be hit. Measured on Linux 6.1 with an
//! emulated CMD646 and PIIX3, also while a driver is bound. Not tried on a card.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::layout::{Block, Layout};
use super::open_error::PortOpenError;
use super::whole;
use crate::transport::{Register, RegisterAccess, TransportError};

/// The bus master's status behind the start of its registers, and in it the
/// interrupt that is cleared by writing a 1 (Linux `ata_bmdma_irq_clear`).
const BUS_MASTER_STATUS: u64 = 2;
const BUS_MASTER_INTERRUPT: u8 = 0x04;

/// The registers and Device Control of one channel, its bus master's interrupt bit,
/// and nothing else.
#[derive(Debug)]
pub struct Ports {
    pub(super) command: Registers,
    pub(super) control: Registers,
    pub(super) bus_master: Option<Registers>,
    /// The data register is in reach.
    pub(super) has_data: bool,
}

/// A file, and where in it the registers begin.
#[derive(Debug)]
pub(super) struct Registers {
    pub file: File,
    pub start: u64,
}

impl Ports {
    /// Those of a PCI function, by sysfs: `function` is its directory there.
    ///
    /// # Errors
    /// [`PortOpenError`], by cause. Nothing is read from a register or written.
    pub fn of_function(function: &Path, layout: &Layout) -> Result<Ports, PortOpenError> {
        let open = |block: Block| Registers::open(function, block);
        Ok(Ports {
            command: open(layout.command)?,
            control: open(layout.control)?,
            bus_master: layout.bus_master.map(open).transpose()?,
            has_data: true,
        })
    }

    fn place(&self, register: Register) -> (&Registers, u64) {
        match register.offset() {
            Some(offset) => (&self.command, offset.into()),
            None => (&self.control, 0),
        }
    }
}

impl Registers {
    fn open(function: &Path, block: Block) -> Result<Registers, PortOpenError> {
        let path = function.join(format!("resource{}", block.region));
        let file = OpenOptions::new().read(true).write(true).open(&path);
        match file {
            Ok(file) => Ok(Registers {
                file,
                start: block.offset,
            }),
            Err(source) => {
                let missing = PortOpenError::NoResource { path: path.clone() };
                Err(PortOpenError::of(path, source, missing))
            }
        }
    }

    fn read(&self, offset: u64) -> Result<u8, TransportError> {
        let mut value = [0];
        whole(self.file.read_at(&mut value, self.start + offset), 1)?;
        let [value] = value;
        Ok(value)
    }

    fn write(&self, offset: u64, value: u8) -> Result<(), TransportError> {
        whole(self.file.write_at(&[value], self.start + offset), 1)
    }
}

// One system call each: of several bytes the kernel would make accesses to
// neighbouring ports, and none is repeated.
impl RegisterAccess for Ports {
    fn read(&mut self, register: Register) -> Result<u8, TransportError> {
        let (registers, offset) = self.place(register);
        registers.read(offset)
    }

    fn write(&mut self, register: Register, value: u8) -> Result<(), TransportError> {
        let (registers, offset) = self.place(register);
        registers.write(offset, value)
    }

    fn has_data(&self) -> bool {
        self.has_data
    }

    fn read_data(&mut self) -> Result<u16, TransportError> {
        if !self.has_data {
            return Err(TransportError::Io(io::ErrorKind::Unsupported.into()));
        }
        let mut word = [0; 2];
        let command = &self.command;
        whole(command.file.read_at(&mut word, command.start), word.len())?;
        // The kernel stores the word as this processor does.
        Ok(u16::from_ne_bytes(word))
    }

    fn bus_master_status(&mut self) -> Result<Option<u8>, TransportError> {
        let bus_master = self.bus_master.as_ref();
        bus_master
            .map(|registers| registers.read(BUS_MASTER_STATUS))
            .transpose()
    }

    fn clear_bus_master(&mut self) -> Result<(), TransportError> {
        match &self.bus_master {
            Some(registers) => registers.write(BUS_MASTER_STATUS, BUS_MASTER_INTERRUPT),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// By the rule: four regions of a channel pair and the bus master.
    fn second_by_rule() -> Layout {
        Layout {
            command: Block::at(2, 0),
            control: Block::at(3, 2),
            bus_master: Some(Block::at(4, 8)),
        }
    }

    fn function(regions: &[(usize, usize)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for &(region, ports) in regions {
            let file = folder.path().join(format!("resource{region}"));
            fs::write(file, vec![0; ports]).unwrap();
        }
        folder
    }

    /// What each register's write has left: region, port in it, value.
    fn written(folder: &Path, regions: &[(usize, usize)]) -> Vec<(usize, usize, u8)> {
        let mut found = Vec::new();
        for &(region, _) in regions {
            let bytes = fs::read(folder.join(format!("resource{region}"))).unwrap();
            let set = bytes.iter().enumerate().filter(|(_, byte)| **byte != 0);
            found.extend(set.map(|(port, byte)| (region, port, *byte)));
        }
        found
    }

    #[test]
    fn each_register_is_one_byte_at_its_place_in_its_region() {
        let regions = [(0, 8), (1, 4), (2, 8), (3, 4), (4, 16)];
        let folder = function(&regions);
        let mut channel = Ports::of_function(folder.path(), &second_by_rule()).unwrap();
        for (register, value) in Register::ALL.into_iter().zip(1..) {
            channel.write(register, value).unwrap();
            assert_eq!(channel.read(register).unwrap(), value);
        }
        channel.clear_bus_master().unwrap();
        assert_eq!(channel.bus_master_status().unwrap(), Some(0x04));
        let in_command = (1..=7).map(|offset| (2, offset, offset as u8));
        let expected: Vec<_> = in_command.chain([(3, 2, 8), (4, 10, 0x04)]).collect();
        assert_eq!(written(folder.path(), &regions), expected);
    }

    #[test]
    fn command_block_and_device_control_can_be_in_one_region() {
        let regions = [(2, 16)];
        let folder = function(&regions);
        let layout = Layout {
            command: Block::at(2, 0),
            control: Block::at(2, 0x0A),
            bus_master: None,
        };
        let mut channel = Ports::of_function(folder.path(), &layout).unwrap();
        channel.write(Register::Command, 0x80).unwrap();
        channel.write(Register::DeviceControl, 0x02).unwrap();
        channel.clear_bus_master().unwrap();
        assert_eq!(channel.bus_master_status().unwrap(), None);
        let expected = [(2, 7, 0x80), (2, 10, 0x02)];
        assert_eq!(written(folder.path(), &regions), expected);
    }

    #[test]
    fn a_word_of_data_comes_from_the_start_of_the_command_block() {
        let folder = function(&[(0, 8), (1, 4)]);
        fs::write(
            folder.path().join("resource0"),
            [0xC0, 0x85, 1, 1, 1, 1, 1, 1],
        )
        .unwrap();
        let layout = Layout {
            command: Block::at(0, 0),
            control: Block::at(1, 2),
            bus_master: None,
        };
        let mut channel = Ports::of_function(folder.path(), &layout).unwrap();
        assert!(channel.has_data());
        let words = [channel.read_data().unwrap(), channel.read_data().unwrap()];
        assert_eq!(words, [u16::from_ne_bytes([0xC0, 0x85]); 2]);
    }

    #[test]
    fn a_region_that_is_not_there_or_too_short_is_an_error_and_not_a_zero() {
        let folder = function(&[(2, 8), (3, 2)]);
        let missing = Ports::of_function(folder.path(), &second_by_rule());
        assert!(matches!(missing, Err(PortOpenError::NoResource { .. })));
        let short = Layout {
            bus_master: None,
            ..second_by_rule()
        };
        let mut channel = Ports::of_function(folder.path(), &short).unwrap();
        assert!(channel.read(Register::DeviceControl).is_err());
    }
}
