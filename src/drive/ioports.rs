//! Who sits at the legacy IDE ports, by `/proc/ioports`.
//!
//! The kernel lists I/O ports as a tree: a PCI function by its address, and
//! indented below it the driver that uses it. A controller in compatibility
//! mode has 0x1F0–0x1F7 and 0x170–0x177. Without CAP_SYS_ADMIN all addresses
//! read as 0 (Linux, `kernel/resource.c`).

use super::pci::PciAddress;
use crate::transport::port::Channel;

/// Who has the ports of a legacy channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortOwner {
    /// No controller is known there: none exists, or it is in native mode.
    Nobody,
    /// A PCI function in compatibility mode.
    Controller {
        /// Domain, bus, device and function, `0000:00:01.1`.
        pci: String,
        /// The driver that has claimed the ports, if one has.
        driver: Option<String>,
    },
    /// A driver without a PCI function.
    Driver(String),
    /// The list hides its addresses from this user.
    Hidden,
}

/// Reads the owner of a channel out of the text of `/proc/ioports`.
pub fn owner(ioports: &str, channel: Channel) -> PortOwner {
    let (first, last) = (u64::from(channel.base()), u64::from(channel.base()) + 7);
    let entries: Vec<(u64, u64, &str)> = ioports.lines().filter_map(entry).collect();
    if entries.len() > 1 && entries.iter().all(|&(_, end, _)| end == 0) {
        return PortOwner::Hidden;
    }
    let covering = entries
        .iter()
        .filter(|&&(start, end, _)| start <= first && end >= last)
        .map(|&(_, _, name)| name);
    let (mut pci, mut driver) = (None, None);
    for name in covering.filter(|name| !name.starts_with("PCI Bus")) {
        if PciAddress::parse(name).is_some() {
            pci = Some(name.to_owned());
        } else {
            driver = Some(name.to_owned());
        }
    }
    match (pci, driver) {
        (Some(pci), driver) => PortOwner::Controller { pci, driver },
        (None, Some(driver)) => PortOwner::Driver(driver),
        (None, None) => PortOwner::Nobody,
    }
}

/// `  01f0-01f7 : ata_piix`.
fn entry(line: &str) -> Option<(u64, u64, &str)> {
    let (range, name) = line.split_once(" : ")?;
    let (start, end) = range.trim().split_once('-')?;
    let number = |text| u64::from_str_radix(text, 16).ok();
    Some((number(start)?, number(end)?, name.trim()))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `/proc/ioports` of an emulated machine with a PIIX3.
    pub(crate) const PIIX: &str = "\
0000-0cf7 : PCI Bus 0000:00
  0000-001f : dma1
  0060-0060 : keyboard
  0170-0177 : 0000:00:01.1
    0170-0177 : ata_piix
  01f0-01f7 : 0000:00:01.1
    01f0-01f7 : ata_piix
  0376-0376 : 0000:00:01.1
    0376-0376 : ata_piix
  03f6-03f6 : 0000:00:01.1
    03f6-03f6 : ata_piix
0cf8-0cff : PCI conf1
";

    fn primary(text: &str) -> PortOwner {
        owner(text, Channel::Primary)
    }

    #[test]
    fn a_controller_in_compatibility_mode_owns_both_channels() {
        for channel in [Channel::Primary, Channel::Secondary] {
            assert_eq!(
                owner(PIIX, channel),
                PortOwner::Controller {
                    pci: "0000:00:01.1".into(),
                    driver: Some("ata_piix".into())
                }
            );
        }
    }

    #[test]
    fn a_controller_without_a_driver_still_owns_its_ports() {
        assert_eq!(
            primary("0000-0cf7 : PCI Bus 0000:00\n  01f0-01f7 : 0000:00:1f.1\n"),
            PortOwner::Controller {
                pci: "0000:00:1f.1".into(),
                driver: None
            }
        );
    }

    #[test]
    fn ports_that_only_the_bus_covers_belong_to_nobody() {
        let native = "0000-0cf7 : PCI Bus 0000:00\n  0080-008f : dma page reg\n";
        assert_eq!(primary(native), PortOwner::Nobody);
        assert_eq!(primary(""), PortOwner::Nobody);
    }

    #[test]
    fn a_driver_without_a_pci_function_is_named() {
        assert_eq!(
            primary("0000-001f : dma1\n01f0-01f7 : pata_legacy\n"),
            PortOwner::Driver("pata_legacy".into())
        );
    }

    #[test]
    fn addresses_hidden_from_a_user_are_not_taken_for_an_empty_machine() {
        let hidden: String = PIIX
            .lines()
            .filter_map(|line| line.split_once(" : "))
            .map(|(_, name)| format!("0000-0000 : {name}\n"))
            .collect();
        assert_eq!(primary(&hidden), PortOwner::Hidden);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_fail(text in "\\PC*|([0-9a-f]{0,20}-[0-9a-f]{0,20} : [0-9a-f:.]{0,9}\n){0,9}") {
            owner(&text, Channel::Primary);
        }
    }
}
