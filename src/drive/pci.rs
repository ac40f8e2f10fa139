//! A PCI function as sysfs shows it.
//!
//! Source: Linux `drivers/pci/pci-sysfs.c` and
//! `Documentation/ABI/testing/sysfs-bus-pci`; measured on Linux 6.1 with an
//! emulated PIIX3 and CMD646.

use std::fmt;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::system::{System, attribute, names};
use crate::transport::port::Channel;

/// Domain, bus, device and function: `0000:03:00.0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PciAddress {
    domain: u32,
    bus: u8,
    device: u8,
    function: u8,
}

impl PciAddress {
    /// Reads the kernel's way of writing it, with all its leading zeros.
    pub fn parse(text: &str) -> Option<PciAddress> {
        let (rest, function) = text.split_once('.')?;
        let mut parts = rest.split(':');
        let (domain, bus, device) = (parts.next()?, parts.next()?, parts.next()?);
        let hex = |part: &str, digits: usize| {
            let is_hex = part.bytes().all(|digit| digit.is_ascii_hexdigit());
            (is_hex && part.len() == digits).then(|| u32::from_str_radix(part, 16).ok())?
        };
        // A domain has more digits where a host bridge is behind another device.
        let address = PciAddress {
            domain: hex(domain, domain.len().clamp(4, 8))?,
            bus: u8::try_from(hex(bus, 2)?).ok()?,
            device: u8::try_from(hex(device, 2)?).ok()?,
            function: u8::try_from(hex(function, 1)?).ok()?,
        };
        let is_whole = parts.next().is_none() && address.device < 32 && address.function < 8;
        is_whole.then_some(address)
    }

    /// Which of up to eight functions of a card it is.
    pub fn function(self) -> u8 {
        self.function
    }
}

impl fmt::Display for PciAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PciAddress {
            domain,
            bus,
            device,
            function,
        } = self;
        write!(f, "{domain:04x}:{bus:02x}:{device:02x}.{function:x}")
    }
}

/// A region of a function: ports or memory, or nothing where all is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    pub first: u64,
    /// Included.
    pub last: u64,
    flags: u64,
}

impl Region {
    /// Whether these are I/O ports (`IORESOURCE_IO`), at least so many.
    pub fn has_ports(self, count: u64) -> bool {
        const IS_IO: u64 = 0x100;
        self.flags & IS_IO != 0
            && self.first != 0
            && self.last >= self.first
            && self.last - self.first >= count.saturating_sub(1)
    }

    /// Whether this is a legacy channel's command block: the kernel puts it there for
    /// an IDE controller in compatibility mode.
    fn is_legacy(self, channel: Channel) -> bool {
        let first = u64::from(channel.base());
        self.has_ports(8) && (self.first, self.last) == (first, first + 7)
    }
}

/// Whether a function has a legacy channel, by the text of its `resource` file.
pub(super) fn has_legacy(resource: &str, channel: Channel) -> bool {
    let regions = regions(resource).unwrap_or_default();
    regions.into_iter().any(|region| region.is_legacy(channel))
}

/// What a function is and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    pub address: PciAddress,
    /// Its directory in sysfs.
    pub folder: PathBuf,
    pub vendor: u16,
    pub device: u16,
    /// Class, subclass and programming interface, a byte each.
    pub class: u32,
    /// By their numbers, 0 to 5 being those that IDE controllers use.
    pub regions: Vec<Region>,
    /// The driver that is bound to it.
    pub driver: Option<String>,
    /// The interrupt line as the kernel numbers it; `None` where it has none.
    pub irq: Option<u32>,
}

impl Function {
    /// `None` where there is no such function, or none that can be read.
    pub fn read(system: &System, address: PciAddress) -> Option<Function> {
        let folder = system.sys(format!("bus/pci/devices/{address}"));
        let folder = folder.canonicalize().ok()?;
        let id = |name: &str| u16::try_from(hex(&attribute(&folder.join(name))?)?).ok();
        let driver = folder.join("driver").canonicalize().ok();
        Some(Function {
            address,
            vendor: id("vendor")?,
            device: id("device")?,
            class: u32::try_from(hex(&attribute(&folder.join("class"))?)?).ok()?,
            regions: regions(&attribute(&folder.join("resource"))?)?,
            driver: driver
                .as_deref()
                .and_then(Path::file_name)
                .map(|name| name.to_string_lossy().into_owned()),
            irq: irq_of(&folder),
            folder,
        })
    }

    /// The mass storage controllers of a machine, whatever their kind.
    pub fn all_storage(system: &System) -> Vec<Function> {
        const MASS_STORAGE: u32 = 0x01;
        names(&system.sys("bus/pci/devices"))
            .iter()
            .filter_map(|name| Function::read(system, PciAddress::parse(name)?))
            .filter(|function| function.class >> 16 == MASS_STORAGE)
            .collect()
    }

    /// One byte of its configuration space. Beyond the first 64 bytes only root
    /// reads it.
    pub fn configuration(&self, offset: u64) -> Option<u8> {
        let mut byte = [0];
        let file = File::open(self.folder.join("config")).ok()?;
        let read = file.read_at(&mut byte, offset).ok()?;
        (read == 1).then_some(byte[0])
    }

    /// Its power state where that is not D0, as far as sysfs tells: kernels before 5.11
    /// say nothing of it.
    pub fn sleep(&self) -> Option<String> {
        attribute(&self.folder.join("power_state"))
            .filter(|state| state != "D0" && state != "unknown")
    }

    /// Whether this is the same function with the same regions as before.
    pub fn is_as(&self, before: &Function) -> bool {
        (self.vendor, self.device, self.class) == (before.vendor, before.device, before.class)
            && self.regions == before.regions
    }
}

/// The interrupt line of whatever device of the kernel a directory of sysfs is
/// about; `None` where it has none.
pub(super) fn irq_of(folder: &Path) -> Option<u32> {
    attribute(&folder.join("irq"))?
        .parse()
        .ok()
        .filter(|&irq| irq != 0)
}

fn hex(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

/// The text of a function's `resource` file: first, last and flags, a region a
/// line.
fn regions(resource: &str) -> Option<Vec<Region>> {
    resource
        .lines()
        .map(|line| {
            let mut numbers = line.split_whitespace().map(hex);
            let region = Region {
                first: numbers.next()??,
                last: numbers.next()??,
                flags: numbers.next()??,
            };
            numbers.next().is_none().then_some(region)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_is_read_as_the_kernel_writes_it_and_no_other_way() {
        for text in ["0000:03:00.0", "0000:00:1f.2", "10000:e1:00.7"] {
            assert_eq!(PciAddress::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "03:00.0",
            "0000:03:00",
            "0000:03:00.8",
            "0000:03:20.0",
            "0000:3:00.0",
            "0000:03:00.0 ",
            "0000:+3:00.0",
            "0000:03:00:00.0",
            "000000000:03:00.0",
        ] {
            assert_eq!(PciAddress::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_region_is_ports_only_where_the_kernel_says_so() {
        let resource = "0xd000 0xd007 0x40101\n0xfebf0000 0xfebf00ff 0x40200\n0x0 0x0 0x0\n";
        let regions = regions(resource).unwrap();
        assert!(regions[0].has_ports(8) && !regions[0].has_ports(9));
        assert!(!regions[1].has_ports(1));
        assert!(!regions[2].has_ports(1));
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
    fn a_legacy_channel_is_the_region_of_eight_ports_at_its_base() {
        assert!(has_legacy(COMPATIBLE, Channel::Primary));
        assert!(has_legacy(COMPATIBLE, Channel::Secondary));
        for (what, resource) in [
            ("native mode", "0xc040 0xc047 0x101\n0xc050 0xc053 0x101\n"),
            ("too short", "0x1f0 0x1f3 0x110\n"),
            ("memory", "0x1f0 0x1f7 0x200\n"),
            ("nothing", ""),
        ] {
            assert!(!has_legacy(resource, Channel::Primary), "{what}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_readers_fail(text in "\\PC*|((0x)?[0-9a-f]{0,20}[ \n]?){0,9}") {
            regions(&text);
            PciAddress::parse(&text);
        }

        #[test]
        fn an_address_comes_back_from_its_text(domain in 0_u32.., bus: u8, device in 0_u8..32, function in 0_u8..8) {
            let address = PciAddress { domain, bus, device, function };
            prop_assert_eq!(PciAddress::parse(&address.to_string()), Some(address));
        }
    }
}
