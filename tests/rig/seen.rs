//! What a simulated drive saw: the command blocks of its log, and the task
//! files in them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

const READ_BYTE: u8 = 0x00;
const WRITE_BYTE: u8 = 0x01;
const LEAVE: u8 = 0x81;
const DEVICE_RESET: u8 = 0x08;

/// One line of a log: `CDB DIRECTION LENGTH status STATUS answered BYTES`.
pub struct Seen {
    pub cdb: Vec<u8>,
    pub status: u8,
    /// Bytes that the drive sent.
    pub answered: usize,
}

/// An ATA command in an ATA PASS-THROUGH(16).
#[derive(Clone, Copy)]
pub struct TaskFile {
    /// The host wants the registers back (CK_COND).
    pub returns_registers: bool,
    pub features: u8,
    pub count: u8,
    pub lba_low: u8,
    pub lba_mid: u8,
    pub lba_high: u8,
    pub device: u8,
    pub command: u8,
}

impl Seen {
    fn parse(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let hex = words.first()?;
        let cdb: Option<Vec<u8>> = (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok())
            .collect();
        let after = |name| {
            let place = words.iter().position(|word| *word == name)?;
            words.get(place + 1)
        };
        Some(Self {
            cdb: cdb?,
            status: u8::from_str_radix(after("status")?, 16).ok()?,
            answered: after("answered")?.parse().ok()?,
        })
    }

    pub fn task_file(&self) -> Option<TaskFile> {
        match *self.cdb {
            [
                0x85,
                _,
                flags,
                _,
                features,
                _,
                count,
                _,
                lba_low,
                _,
                lba_mid,
                _,
                lba_high,
                device,
                command,
                _,
            ] => Some(TaskFile {
                returns_registers: flags & 0x20 != 0,
                features,
                count,
                lba_low,
                lba_mid,
                lba_high,
                device,
                command,
            }),
            _ => None,
        }
    }
}

impl TaskFile {
    /// Of a byte in the address space of vendor mode.
    pub fn address(&self) -> u32 {
        u32::from_le_bytes([self.lba_mid, self.lba_high, self.device & 0x0F, 0])
    }
}

/// The command blocks in a log that a script left.
pub fn seen(left: &Path, log: &str) -> Result<Vec<Seen>> {
    let text = fs::read_to_string(left.join(log)).with_context(|| format!("no log {log}"))?;
    text.lines()
        .map(|line| Seen::parse(line).with_context(|| format!("{log} has a line {line:?}")))
        .collect()
}

/// The ATA commands of a run in vendor mode.
pub struct VendorMode {
    pub commands: Vec<TaskFile>,
}

impl VendorMode {
    pub fn of(left: &Path, log: &str) -> Result<Self> {
        let commands = seen(left, log)?.into_iter();
        Ok(Self {
            commands: commands.filter_map(|it| it.task_file()).collect(),
        })
    }

    /// Where bytes were read, but for the first two of the memory or of the
    /// chip's ID, by which the chip shows that it is there and idle. They stand
    /// before and behind every write.
    pub fn reads(&self) -> Vec<u32> {
        const SHOWN: [u32; 2] = [0, 1];
        let between_writes = self.commands.split(|it| it.command == WRITE_BYTE);
        between_writes
            .flat_map(|commands| {
                let reads = commands.iter().filter(|it| it.command == READ_BYTE);
                let reads: Vec<u32> = reads.map(TaskFile::address).collect();
                let reads = reads.strip_prefix(&SHOWN).unwrap_or(&reads);
                reads.strip_suffix(&SHOWN).unwrap_or(reads).to_vec()
            })
            .collect()
    }

    /// Where bytes were written, and which.
    pub fn writes(&self) -> Vec<(u32, u8)> {
        let writes = self.commands.iter().filter(|it| it.command == WRITE_BYTE);
        writes.map(|it| (it.address(), it.lba_low)).collect()
    }

    /// The last two commands leave the mode, and none before them did.
    pub fn is_left_once(&self) -> Result<()> {
        let ways: Vec<u8> = self.commands.iter().map(|it| it.command).collect();
        let leaves = ways
            .iter()
            .filter(|it| matches!(**it, LEAVE | DEVICE_RESET));
        ensure!(
            ways.ends_with(&[LEAVE, DEVICE_RESET]) && leaves.count() == 2,
            "the run does not end with one LEAVE and one DEVICE RESET"
        );
        Ok(())
    }
}
