//! The registers of a legacy IDE channel through `/dev/port`, for a channel
//! whose PCI function does not offer them in sysfs (see [`super::ports`]).
//!
//! Source: Linux `drivers/char/mem.c`, which makes one 8-bit access of every
//! byte. Measured on Linux 6.1 with an emulated PIIX3, never tried on a real one.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use super::open_error::PortOpenError;
use super::ports::{Ports, Registers};

/// Device Control behind the first port of a legacy channel.
const DEVICE_CONTROL: u64 = 0x206;

/// A legacy IDE channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// Ports 0x1F0–0x1F7 and 0x3F6.
    Primary,
    /// Ports 0x170–0x177 and 0x376.
    Secondary,
}

impl Channel {
    /// The port of the channel's first register.
    pub fn base(self) -> u16 {
        match self {
            Channel::Primary => 0x1F0,
            Channel::Secondary => 0x170,
        }
    }

    /// Its port as libata counts them, from 1 on.
    pub fn number(self) -> u32 {
        match self {
            Channel::Primary => 1,
            Channel::Secondary => 2,
        }
    }

    /// `None` for a port that no legacy channel has.
    pub fn of_number(number: u32) -> Option<Channel> {
        [Channel::Primary, Channel::Secondary]
            .into_iter()
            .find(|channel| channel.number() == number)
    }

    /// Its interrupt line.
    pub fn irq(self) -> u32 {
        match self {
            Channel::Primary => 14,
            Channel::Secondary => 15,
        }
    }
}

/// The registers of one legacy channel by `/dev/port`, without the data
/// register: that is 16 bits wide, and `/dev/port` makes two accesses of it.
///
/// They reach the seven other registers and Device Control of the channel and
/// no other port.
///
/// # Errors
/// [`PortOpenError`], by cause.
pub fn open(channel: Channel) -> Result<Ports, PortOpenError> {
    open_node(Path::new("/dev/port"), channel)
}

fn open_node(path: &Path, channel: Channel) -> Result<Ports, PortOpenError> {
    let failed = |source| PortOpenError::of(path.to_owned(), source, PortOpenError::Missing);
    let file = OpenOptions::new().read(true).write(true).open(path);
    let file = file.map_err(failed)?;
    let is_device = file
        .metadata()
        .is_ok_and(|metadata| metadata.file_type().is_char_device());
    match is_device {
        true => in_file(file, channel).map_err(failed),
        false => Err(PortOpenError::NotADevice),
    }
}

fn in_file(file: File, channel: Channel) -> io::Result<Ports> {
    let start = u64::from(channel.base());
    Ok(Ports {
        control: Registers {
            file: file.try_clone()?,
            start: start + DEVICE_CONTROL,
        },
        command: Registers { file, start },
        bus_master: None,
        has_data: false,
    })
}

/// Whether the kernel gives this program I/O ports at all, as far as that can be
/// told without touching one: a kernel that is locked down refuses to open
/// `/dev/port`, and lets a region of sysfs be opened and not be written.
///
/// # Errors
/// [`PortOpenError::KernelRefuses`].
pub fn must_be_given() -> Result<(), PortOpenError> {
    match open(Channel::Primary) {
        Err(PortOpenError::KernelRefuses) => Err(PortOpenError::KernelRefuses),
        Ok(_) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::{Register, RegisterAccess};
    use std::os::unix::fs::FileExt;

    #[test]
    fn one_access_moves_one_byte_at_the_port_of_its_register_and_no_other() {
        for (channel, places) in [
            (
                Channel::Primary,
                [0x1F1, 0x1F2, 0x1F3, 0x1F4, 0x1F5, 0x1F6, 0x1F7, 0x3F6],
            ),
            (
                Channel::Secondary,
                [0x171, 0x172, 0x173, 0x174, 0x175, 0x176, 0x177, 0x376],
            ),
        ] {
            let file = tempfile::tempfile().unwrap();
            file.set_len(0x400).unwrap();
            let mut ports = in_file(file.try_clone().unwrap(), channel).unwrap();
            for (register, value) in Register::ALL.into_iter().zip(1..) {
                ports.write(register, value).unwrap();
                assert_eq!(ports.read(register).unwrap(), value);
            }
            let mut all = vec![0; 0x400];
            file.read_exact_at(&mut all, 0).unwrap();
            let written: Vec<_> = (0_usize..)
                .zip(all)
                .filter(|&(_, byte)| byte != 0)
                .collect();
            assert_eq!(written, places.into_iter().zip(1..).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_port_that_gives_nothing_is_an_error_and_not_a_zero() {
        let mut ports = in_file(tempfile::tempfile().unwrap(), Channel::Primary).unwrap();
        assert!(!ports.has_data());
        assert!(ports.read_data().is_err());
        assert!(ports.read(Register::Command).is_err());
    }

    #[test]
    fn a_node_that_is_not_there_is_missing() {
        assert!(matches!(
            open_node(Path::new("/nowhere/port"), Channel::Primary),
            Err(PortOpenError::Missing)
        ));
    }

    #[test]
    fn a_plain_file_in_the_place_of_the_ports_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(
            open_node(file.path(), Channel::Primary),
            Err(PortOpenError::NotADevice)
        ));
    }
}
