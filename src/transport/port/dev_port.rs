//! The registers of a legacy IDE channel, as Linux lets a program reach them.
//!
//! Sources: Linux `drivers/char/mem.c` for `/dev/port`, which makes one 8-bit
//! access of every byte; `drivers/pci/pci-sysfs.c` (`pci_resource_io`) for a PCI
//! function's `resourceN`, where a read of two bytes is one 16-bit access, as
//! the data register wants it; `drivers/pci/probe.c` for the regions that a
//! controller in compatibility mode gets. Measured on Linux 6.1 with an emulated
//! PIIX3, never tried on a real one.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, FileTypeExt};
use std::path::Path;

use nix::errno::Errno;

use crate::transport::{Register, RegisterAccess, TransportError};

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

    fn port(self, register: Register) -> u16 {
        self.base()
            + match register {
                Register::Features => 1,
                Register::Count => 2,
                Register::LbaLow => 3,
                Register::LbaMid => 4,
                Register::LbaHigh => 5,
                Register::Device => 6,
                Register::Command => 7,
                Register::DeviceControl => 0x206,
            }
    }
}

/// Why `/dev/port` could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum PortOpenError {
    /// No such node, or a kernel without it.
    #[error("/dev/port does not exist here")]
    Missing,
    #[error("/dev/port is not a character device")]
    NotADevice,
    /// The node's permissions (EACCES).
    #[error("no permission to open /dev/port for reading and writing")]
    NotPermitted,
    /// The kernel itself (EPERM): CAP_SYS_RAWIO is lacking, or the kernel is
    /// locked down.
    #[error("the kernel does not permit access to I/O ports")]
    KernelRefuses,
    #[error("/dev/port cannot be opened: {0}")]
    Io(#[source] io::Error),
}

/// Which region of a PCI function is a channel's eight registers: the kernel
/// puts them there for an IDE controller in compatibility mode. `resource` is
/// the text of the function's file of that name in sysfs, a region a line:
/// first port, last port and flags.
pub fn region(resource: &str, channel: Channel) -> Option<usize> {
    const IS_IO: u64 = 0x100;
    let first = u64::from(channel.base());
    resource.lines().position(|line| {
        let numbers: Option<Vec<u64>> = line
            .split_whitespace()
            .map(|number| u64::from_str_radix(number.strip_prefix("0x")?, 16).ok())
            .collect();
        matches!(
            numbers.as_deref(),
            Some(&[start, end, flags]) if start == first && end == first + 7 && flags & IS_IO != 0
        )
    })
}

/// The registers of one legacy channel: `/dev/port`, and for the data register
/// the channel's region of its controller.
///
/// The one place of this program that touches I/O ports. It can reach the eight
/// registers and Device Control of its channel and no other port.
#[derive(Debug)]
pub struct DevPort {
    file: File,
    channel: Channel,
    /// Begins at the data register. `None` where the kernel does not offer it.
    data: Option<File>,
}

impl DevPort {
    /// `controller` is the directory in sysfs of the PCI function that has the
    /// channel. Where its regions are not as they should be, all but the data
    /// register can be reached.
    ///
    /// # Errors
    /// [`PortOpenError`], by cause.
    pub fn open(channel: Channel, controller: &Path) -> Result<DevPort, PortOpenError> {
        Ok(DevPort {
            data: data_register(channel, controller),
            ..DevPort::open_node(Path::new("/dev/port"), channel)?
        })
    }

    fn open_node(path: &Path, channel: Channel) -> Result<DevPort, PortOpenError> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .map_err(open_error)?;
        let is_device = file
            .metadata()
            .is_ok_and(|metadata| metadata.file_type().is_char_device());
        if is_device {
            Ok(DevPort {
                file,
                channel,
                data: None,
            })
        } else {
            Err(PortOpenError::NotADevice)
        }
    }

    fn place(&self, register: Register) -> u64 {
        u64::from(self.channel.port(register))
    }
}

fn data_register(channel: Channel, controller: &Path) -> Option<File> {
    let resource = fs::read_to_string(controller.join("resource")).ok()?;
    let region = region(&resource, channel)?;
    File::open(controller.join(format!("resource{region}"))).ok()
}

fn open_error(source: io::Error) -> PortOpenError {
    match source.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ENOENT | Errno::ENXIO | Errno::ENODEV) => PortOpenError::Missing,
        Some(Errno::EACCES | Errno::EROFS) => PortOpenError::NotPermitted,
        Some(Errno::EPERM) => PortOpenError::KernelRefuses,
        _ => PortOpenError::Io(source),
    }
}

// One system call each: of several bytes the kernel would make accesses to
// neighbouring ports, and nothing may be repeated.
impl RegisterAccess for DevPort {
    fn read(&mut self, register: Register) -> Result<u8, TransportError> {
        let mut value = [0];
        whole(self.file.read_at(&mut value, self.place(register)), 1)?;
        let [value] = value;
        Ok(value)
    }

    fn write(&mut self, register: Register, value: u8) -> Result<(), TransportError> {
        whole(self.file.write_at(&[value], self.place(register)), 1)
    }

    fn has_data(&self) -> bool {
        self.data.is_some()
    }

    fn read_data(&mut self) -> Result<u16, TransportError> {
        let Some(data) = &self.data else {
            return Err(TransportError::Io(io::Error::other(
                "the data register is out of reach",
            )));
        };
        let mut word = [0; 2];
        whole(data.read_at(&mut word, 0), word.len())?;
        // The kernel stores the word as this processor does.
        Ok(u16::from_ne_bytes(word))
    }
}

fn whole(moved: io::Result<usize>, expected: usize) -> Result<(), TransportError> {
    match moved {
        Ok(moved) if moved == expected => Ok(()),
        Ok(_) => Err(TransportError::Io(io::Error::other(
            "the kernel did not move what a register holds",
        ))),
        Err(error) => Err(match error.raw_os_error().map(Errno::from_raw) {
            Some(Errno::EPERM | Errno::EACCES) => TransportError::NotPermitted,
            _ => TransportError::Io(error),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_channel_reaches_its_own_ports_and_no_other() {
        let all = [
            Register::Features,
            Register::Count,
            Register::LbaLow,
            Register::LbaMid,
            Register::LbaHigh,
            Register::Device,
            Register::Command,
            Register::DeviceControl,
        ];
        assert_eq!(
            all.map(|register| Channel::Primary.port(register)),
            [0x1F1, 0x1F2, 0x1F3, 0x1F4, 0x1F5, 0x1F6, 0x1F7, 0x3F6]
        );
        assert_eq!(
            all.map(|register| Channel::Secondary.port(register)),
            [0x171, 0x172, 0x173, 0x174, 0x175, 0x176, 0x177, 0x376]
        );
    }

    #[test]
    fn one_access_moves_one_byte_at_the_port_of_its_register() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(0x400).unwrap();
        let mut ports = DevPort {
            file: file.try_clone().unwrap(),
            channel: Channel::Secondary,
            data: None,
        };
        ports.write(Register::LbaLow, 0x2A).unwrap();
        ports.write(Register::DeviceControl, 0x02).unwrap();
        assert_eq!(ports.read(Register::LbaLow).unwrap(), 0x2A);
        let mut all = vec![0; 0x400];
        file.read_exact_at(&mut all, 0).unwrap();
        let written: Vec<_> = (0_usize..)
            .zip(all)
            .filter(|&(_, byte)| byte != 0)
            .collect();
        assert_eq!(written, [(0x173, 0x2A), (0x376, 0x02)]);
    }

    #[test]
    fn a_port_that_gives_nothing_is_an_error_and_not_a_zero() {
        let mut ports = DevPort {
            file: tempfile::tempfile().unwrap(),
            channel: Channel::Primary,
            data: Some(tempfile::tempfile().unwrap()),
        };
        assert!(ports.read_data().is_err());
        assert!(ports.read(Register::Command).is_err());
    }

    #[test]
    fn each_cause_of_a_failed_open_has_its_own_error() {
        for (errno, message) in [
            (Errno::ENOENT, "/dev/port does not exist here"),
            (
                Errno::EACCES,
                "no permission to open /dev/port for reading and writing",
            ),
            (
                Errno::EPERM,
                "the kernel does not permit access to I/O ports",
            ),
            (
                Errno::EMFILE,
                "/dev/port cannot be opened: Too many open files (os error 24)",
            ),
        ] {
            assert_eq!(open_error(errno.into()).to_string(), message);
        }
        assert!(matches!(
            DevPort::open_node(Path::new("/nowhere/port"), Channel::Primary),
            Err(PortOpenError::Missing)
        ));
    }

    #[test]
    fn a_plain_file_in_the_place_of_the_ports_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(
            DevPort::open_node(file.path(), Channel::Primary),
            Err(PortOpenError::NotADevice)
        ));
    }

    /// As an emulated PIIX3 has it.
    const COMPATIBLE: &str = "\
0x00000000000001f0 0x00000000000001f7 0x0000000000000110
0x00000000000003f6 0x00000000000003f6 0x0000000000000110
0x0000000000000170 0x0000000000000177 0x0000000000000110
0x0000000000000376 0x0000000000000376 0x0000000000000110
0x000000000000c040 0x000000000000c04f 0x0000000000040101
0x0000000000000000 0x0000000000000000 0x0000000000000000
";

    #[test]
    fn a_channel_is_the_region_of_eight_ports_at_its_base() {
        assert_eq!(region(COMPATIBLE, Channel::Primary), Some(0));
        assert_eq!(region(COMPATIBLE, Channel::Secondary), Some(2));
        for (what, resource) in [
            ("native mode", "0xc040 0xc047 0x101\n0xc050 0xc053 0x101\n"),
            ("too short", "0x1f0 0x1f3 0x110\n"),
            ("memory", "0x1f0 0x1f7 0x200\n"),
            ("nothing", ""),
        ] {
            assert_eq!(region(resource, Channel::Primary), None, "{what}");
        }
    }

    #[test]
    fn a_word_of_data_comes_from_the_start_of_the_controller_s_region() {
        let controller = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &[u8]| {
            fs::write(controller.path().join(name), content).unwrap();
        };
        file("resource", COMPATIBLE.as_bytes());
        file("resource0", &[0x85; 8]);
        file("resource2", &[0xC0, 0x85, 1, 1, 1, 1, 1, 1]);
        let mut ports = DevPort {
            file: tempfile::tempfile().unwrap(),
            channel: Channel::Secondary,
            data: data_register(Channel::Secondary, controller.path()),
        };
        assert!(ports.has_data());
        let words = [ports.read_data().unwrap(), ports.read_data().unwrap()];
        assert_eq!(words, [u16::from_ne_bytes([0xC0, 0x85]); 2]);
    }

    #[test]
    fn without_the_controller_s_region_there_is_no_data_register() {
        let controller = tempfile::tempdir().unwrap();
        assert!(data_register(Channel::Primary, controller.path()).is_none());
        fs::write(controller.path().join("resource"), COMPATIBLE).unwrap();
        assert!(data_register(Channel::Primary, controller.path()).is_none());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_of_regions_fail(text in "\\PC*|((0x)?[0-9a-f]{0,20} ?){0,9}") {
            region(&text, Channel::Primary);
        }
    }
}
