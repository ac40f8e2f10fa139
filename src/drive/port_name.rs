//! A drive named by the ATA port that it hangs on.

use std::fmt;

use super::pci::PciAddress;
use super::position::Position;
use crate::transport::Unit;

/// The place of a drive as udev writes it in `/dev/disk/by-path`:
/// `pci-0000:03:00.0-ata-2.0`. It is read as a text, because a drive that the
/// kernel does not list has no link there.
///
/// Source: systemd `udev-builtin-path_id.c` (`handle_scsi_ata`): the function,
/// the number of the port on it from 1 on, and the unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PortName {
    pub function: PciAddress,
    /// Counted from 1.
    pub port: u32,
    pub unit: Unit,
}

impl PortName {
    /// `None` where the text is another name. That without a unit, which older
    /// links had, names two drives.
    pub fn parse(text: &str) -> Option<PortName> {
        let (function, place) = text.strip_prefix("pci-")?.split_once("-ata-")?;
        let (port, unit) = place.split_once('.')?;
        let is_number = !port.starts_with('0') && port.bytes().all(|digit| digit.is_ascii_digit());
        Some(PortName {
            function: PciAddress::parse(function)?,
            port: port.parse().ok().filter(|_| is_number)?,
            unit: [Unit::Master, Unit::Slave]
                .into_iter()
                .find(|known| known.target().to_string() == unit)?,
        })
    }
}

impl fmt::Display for PortName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = self.unit.target();
        write!(f, "pci-{}-ata-{}.{unit}", self.function, self.port)
    }
}

/// A drive's place on the IDE channels of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Seat {
    /// On a legacy channel.
    Position(Position),
    /// On a channel with ports of its own.
    Port(PortName),
}

impl fmt::Display for Seat {
    /// `secondary master`, or the name of the port.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Seat::Position(position) => write!(f, "{position}"),
            Seat::Port(name) => write!(f, "{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_names_that_udev_makes_are_read() {
        for (text, port, unit) in [
            ("pci-0000:03:00.0-ata-1.0", 1, Unit::Master),
            ("pci-0000:03:00.0-ata-3.1", 3, Unit::Slave),
            ("pci-10000:e1:00.0-ata-12.0", 12, Unit::Master),
        ] {
            let name = PortName::parse(text).unwrap();
            assert_eq!((name.port, name.unit), (port, unit));
            assert_eq!(name.to_string(), text);
        }
    }

    #[test]
    fn other_names_are_not_taken_for_one() {
        for text in [
            "pci-0000:03:00.0-ata-1",
            "pci-0000:03:00.0-ata-0.0",
            "pci-0000:03:00.0-ata-01.0",
            "pci-0000:03:00.0-ata-1.2",
            "pci-0000:03:00.0-ata-1.0-part1",
            "pci-0000:03:00.0-ata-1.1.0",
            "pci-0000:03:00.0-scsi-1:0:0:0",
            "pci-03:00.0-ata-1.0",
            "0000:03:00.0-ata-1.0",
            "bys1.bin",
        ] {
            assert_eq!(PortName::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_fail(text in "\\PC*|pci-[0-9a-f:.]{0,14}-ata-[0-9.]{0,6}") {
            if let Some(name) = PortName::parse(&text) {
                prop_assert_eq!(PortName::parse(&name.to_string()), Some(name));
            }
        }
    }
}
