//! What a simulated drive has been asked to do, and what it should not have been.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A count for each of the 256 opcodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpcodeCounts(Box<[u64; 256]>);

impl Default for OpcodeCounts {
    fn default() -> Self {
        OpcodeCounts(Box::new([0; 256]))
    }
}

impl OpcodeCounts {
    pub fn of(&self, opcode: u8) -> u64 {
        self.0[usize::from(opcode)]
    }

    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    #[inline]
    pub(super) fn count(&mut self, opcode: u8) {
        self.0[usize::from(opcode)] += 1;
    }
}

impl Serialize for OpcodeCounts {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let counted: BTreeMap<String, u64> = (0..=u8::MAX)
            .filter(|opcode| self.of(*opcode) != 0)
            .map(|opcode| (format!("{opcode:02x}"), self.of(opcode)))
            .collect();
        counted.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for OpcodeCounts {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut counts = OpcodeCounts::default();
        for (opcode, count) in BTreeMap::<String, u64>::deserialize(deserializer)? {
            let opcode = u8::from_str_radix(&opcode, 16).map_err(serde::de::Error::custom)?;
            counts.0[usize::from(opcode)] = count;
        }
        Ok(counts)
    }
}

/// What a drive did since its bench was opened.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counters {
    /// Commands that reached the drive: ATA commands and packets. A packet that
    /// carries an ATA command counts once, as that.
    pub operations: u64,
    /// Register reads over the legacy ports.
    pub register_reads: u64,
    /// Register writes over the legacy ports.
    pub register_writes: u64,
    /// Commands that ended while nIEN was clear and the ports were used: each
    /// raised an interrupt that nobody claims.
    pub interrupts: u64,
    /// Vendor-mode byte reads, in the mailbox or not.
    pub byte_reads: u64,
    /// Vendor-mode byte writes, in the mailbox or not.
    pub byte_writes: u64,
    /// Byte writes into the mailbox of a serial drive.
    pub mailbox_writes: u64,
    /// Mailbox transactions carried out.
    pub mailbox_executes: u64,
    /// Byte reads from the mailbox.
    pub mailbox_reads: u64,
    /// Programs that the flash chip carried out: bytes on parallel chips, pages
    /// on serial ones.
    pub programs: u64,
    pub sector_erases: u64,
    pub chip_erases: u64,
    /// Writes and commands that the flash chip made nothing of: a correct host
    /// causes none.
    pub chip_ignored: u64,
    /// ATA commands by opcode.
    pub ata: OpcodeCounts,
    /// Packets by opcode, ATA PASS-THROUGH among them.
    pub packets: OpcodeCounts,
    /// Blocks of an image that a packet drive took, by their mode byte.
    pub blocks: OpcodeCounts,
    /// How often a packet drive programmed what it had been sent.
    pub firmware_programs: u64,
    /// Violations of the protocol, in order; the texts of the first hundred.
    pub violation_count: u64,
    pub violations: Vec<String>,
}

impl Counters {
    const KEPT: usize = 100;

    pub(super) fn violation(&mut self, text: String) {
        self.violation_count += 1;
        if self.violations.len() < Self::KEPT {
            self.violations.push(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_survive_their_file() {
        let mut counters = Counters {
            operations: 3,
            ..Counters::default()
        };
        counters.ata.count(0x80);
        counters.ata.count(0x80);
        counters.packets.count(0x12);
        counters.violation("a \"quoted\" reason".to_owned());
        let text = toml::to_string(&counters).unwrap();
        assert!(text.contains("80 = 2"), "{text}");
        assert_eq!(toml::from_str::<Counters>(&text).unwrap(), counters);
        assert_eq!(counters.ata.total(), 2);
    }

    #[test]
    fn a_flood_of_violations_is_counted_whole_and_kept_in_part() {
        let mut counters = Counters::default();
        for n in 0..1000 {
            counters.violation(n.to_string());
        }
        assert_eq!(
            (counters.violation_count, counters.violations.len()),
            (1000, 100)
        );
    }
}
