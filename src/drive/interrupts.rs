//! Interrupt lines, by `/proc/interrupts`.
//!
//! A line of it is the number, a count for each processor, the kind of line,
//! and who has asked for it, separated by commas (Linux `kernel/irq/proc.c`,
//! show_interrupts). PCI cards share lines.

use super::system::{System, attribute};
use crate::transport::port::InterruptCount;

/// An interrupt line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Interrupts since the system started, on all processors.
    pub count: u64,
    /// Who has asked for it: the names that drivers gave.
    pub users: Vec<String>,
}

/// `None` where the kernel does not list it.
pub fn line(system: &System, irq: u32) -> Option<Line> {
    parse(&attribute(&system.proc("interrupts"))?, irq)
}

fn parse(interrupts: &str, irq: u32) -> Option<Line> {
    let number = irq.to_string();
    let rest = interrupts
        .lines()
        .filter_map(|line| line.trim_start().split_once(':'))
        .find(|(name, _)| *name == number)
        .map(|(_, rest)| rest)?;
    let words: Vec<&str> = rest.split_whitespace().collect();
    let counts = words
        .iter()
        .map_while(|word| word.parse::<u64>().ok())
        .collect::<Vec<_>>();
    // Behind the counts: the kind of line, then its number and how it is
    // triggered, in a word or two.
    let users = words
        .get(counts.len()..)?
        .iter()
        .skip(1)
        .skip_while(|word| word.starts_with(|first: char| first.is_ascii_digit()))
        .skip_while(|word| matches!(**word, "Level" | "Edge"))
        .copied()
        .collect::<Vec<_>>()
        .join(" ");
    Some(Line {
        count: counts
            .iter()
            .fold(0, |sum, count| sum.saturating_add(*count)),
        users: users
            .split(", ")
            .filter(|user| !user.is_empty())
            .map(ToOwned::to_owned)
            .collect(),
    })
}

impl Line {
    /// Who else is on the line than a driver.
    pub fn others(&self, driver: &str) -> Vec<String> {
        let mut others = self.users.clone();
        if let Some(own) = others.iter().position(|user| user == driver) {
            others.remove(own);
        }
        others
    }
}

/// Counts the interrupts of a line.
pub fn counter(system: &System, irq: u32) -> InterruptCount {
    let system = system.clone();
    Box::new(move || line(&system, irq).map(|line| line.count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As Linux 6.1 writes it on a PC of two processors.
    const INTERRUPTS: &str = "           CPU0       CPU1       \n  \
  0:         36          0   IO-APIC   2-edge      timer\n \
 11:       1200         34   IO-APIC  11-fasteoi   uhci_hcd:usb1, pata_cmd64x\n \
 14:          0          0   IO-APIC  14-edge      ata_piix\n \
 17:          5          0   IO-APIC  17-fasteoi\n\
NMI:          0          0   Non-maskable interrupts\n";

    #[test]
    fn a_line_is_its_count_on_all_processors_and_who_is_on_it() {
        let line = parse(INTERRUPTS, 11).unwrap();
        assert_eq!(line.count, 1234);
        assert_eq!(line.users, ["uhci_hcd:usb1", "pata_cmd64x"]);
        assert_eq!(line.others("pata_cmd64x"), ["uhci_hcd:usb1"]);
        assert_eq!(parse(INTERRUPTS, 14).unwrap().others("ata_piix"), [""; 0]);
        assert_eq!(parse(INTERRUPTS, 17).unwrap().users, [""; 0]);
        assert_eq!(parse(INTERRUPTS, 1), None);
    }

    #[test]
    fn of_two_cards_with_one_driver_only_one_is_the_own() {
        let line = Line {
            count: 0,
            users: vec!["sata_via".into(), "sata_via".into()],
        };
        assert_eq!(line.others("sata_via"), ["sata_via"]);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_fail(text in "\\PC*|([ 0-9a-z]{0,4}:?[0-9a-zA-Z, ]{0,40}\n){0,6}") {
            parse(&text, 11);
        }
    }
}
