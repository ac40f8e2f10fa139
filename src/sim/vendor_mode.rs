//! A drive in vendor mode: a register machine with a flash chip behind it.
//!
//! It answers what JungleFlasher 0.1.96 sends to Xbox-360-era drives, and by an
//! xboxhacker.org thread (topic 9647) also MTKFLASH and DosFlash: commands 80,
//! 00, 01, 04, 05, 81 and 08 over the task file. The behaviour between those
//! commands is inferred. It was written without a drive at hand: where a real
//! one differs, this one is wrong.
//!
//! Whatever the protocol does not allow is counted as a violation, so that a
//! test against this drive fails on it.

use std::time::Duration;

use super::counters::Counters;
use super::drive::{
    Core, DEVICE_RESET, IDENTIFY_DEVICE, IDENTIFY_PACKET_DEVICE, Model, PACKET, STATUS_READY,
};
use super::firmware::{IDENTITY_AT, INQUIRY_HEADER};
use super::flash_memory::Array;
use super::memory::Memory;
use super::parallel_flash::ParallelFlash;
use super::random::Random;
use super::reply::{check_condition, good};
use super::serial_flash::SerialFlash;
use super::state::Remembered;
use super::target::{Reply, TargetData};
use crate::flash::{BANK_SIZE, FlashRange};
use crate::image::identity::identity_at;
use crate::scsi::Identity;

const ENTER: u8 = 0x80;
const READ_BYTE: u8 = 0x00;
const WRITE_BYTE: u8 = 0x01;
const MAILBOX_LENGTHS: u8 = 0x04;
const MAILBOX_EXECUTE: u8 = 0x05;
const LEAVE: u8 = 0x81;

const ENTER_LBA_LOW: u8 = 0x2A;
/// Values of LBA-low that, with command 80, erase the flash of one model at
/// once (2E) or are reported as dangerous as that (2B, 2D).
const CATASTROPHES: [u8; 3] = [0x2B, 0x2D, 0x2E];

const READ_PAGE: u8 = 0x03;
const READ_STATUS: u8 = 0x05;
/// Busy, write enabled: the status register of a serial chip at work.
const CHIP_BUSY: u8 = 0x03;
const TOGGLE: u8 = 0x40;

/// What holds the first instruction.
const PAGE: usize = 256;

const LONGEST_TX: usize = 4 + 256;
const LONGEST_RX: usize = 256;

/// How a drive refuses the entry command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusals {
    /// How often, before it takes one.
    pub count: u64,
    pub status: u8,
}

/// The RAM through which a serial chip is reached.
struct Mailbox {
    /// First address of the TX bytes.
    base: u32,
    /// Lengths as layout 0x73 has them, high byte first.
    high_first: bool,
    ram: Box<[u8; MAILBOX_SIZE as usize]>,
    /// TX and RX length of the transaction that command 05 carries out.
    lengths: Option<(usize, usize)>,
}

/// Enough for 260 TX bytes. That reads decode the low address bits only is
/// inferred from JungleFlasher, which reads one byte at 0001 in either layout.
const MAILBOX_SIZE: u32 = 0x200;

impl Mailbox {
    fn new(mode_status: u8) -> Mailbox {
        Mailbox {
            base: if mode_status == 0x72 { 0x8800 } else { 0 },
            high_first: mode_status == 0x73,
            ram: Box::new([0; MAILBOX_SIZE as usize]),
            lengths: None,
        }
    }

    fn length(&self, first: u8, second: u8) -> usize {
        if self.high_first {
            usize::from(u16::from_be_bytes([first, second]))
        } else {
            usize::from(u16::from_le_bytes([first, second]))
        }
    }

    /// The byte of RAM at this address; `None` outside the mailbox.
    fn cell(&mut self, address: u32, mirrored: bool) -> Option<&mut u8> {
        let inside = (self.base..self.base + MAILBOX_SIZE).contains(&address);
        let mirror = mirrored && address < MAILBOX_SIZE;
        if !(inside || mirror) {
            return None;
        }
        self.ram.get_mut((address % MAILBOX_SIZE) as usize)
    }
}

/// The chip, by the bus that it is on.
pub(super) enum FlashPart {
    Parallel(Box<ParallelFlash>),
    Serial(Box<SerialFlash>),
}

impl FlashPart {
    fn array(&mut self) -> &mut Array {
        match self {
            FlashPart::Parallel(chip) => &mut chip.array,
            FlashPart::Serial(chip) => &mut chip.array,
        }
    }

    fn power_cycle(&mut self) {
        match self {
            FlashPart::Parallel(chip) => chip.power_cycle(),
            FlashPart::Serial(chip) => chip.power_cycle(),
        }
    }
}

pub(super) struct VendorMode {
    /// As the bench has it.
    own: Identity,
    /// The firmware has started: the drive answers packets and says who it is.
    runs: bool,
    mode_status: u8,
    refusals: Refusals,
    in_vendor_mode: bool,
    refused_entries: u64,
    part: FlashPart,
    mailbox: Mailbox,
    /// Command 81 was sent; DEVICE RESET is due.
    leaving: bool,
    /// Bit 6 of a parallel chip that is held busy.
    toggle: u8,
    /// Answers DF 83, as some Lite-On drives are reported to.
    gives_program_memory: bool,
    /// Other bytes than its flash holds, from its last bank.
    gives_other_bytes: bool,
}

impl VendorMode {
    pub fn new(
        own: Identity,
        mode_status: u8,
        refusals: Refusals,
        part: FlashPart,
        remembered: &Remembered,
    ) -> Self {
        VendorMode {
            own,
            runs: true,
            mode_status,
            refusals,
            in_vendor_mode: remembered.vendor_mode,
            refused_entries: remembered.refused_entries,
            part,
            mailbox: Mailbox::new(mode_status),
            leaving: false,
            toggle: 0,
            gives_program_memory: false,
            gives_other_bytes: false,
        }
    }

    /// One that answers `DF 83 00 00 FF 00 bank hi lo 00 00 00` with 128 bytes of
    /// its flash. Source: a decompiled class of LtnFlash 2.6.11, reported only.
    /// `differs`: it gives other bytes from the last bank.
    pub fn with_program_memory(mut self, differs: bool) -> Self {
        self.gives_program_memory = true;
        self.gives_other_bytes = differs;
        self
    }

    /// Starts what is in the flash. Where its first page is blank there is nothing
    /// to start: the boot code that vendor mode is part of is all that answers.
    fn boot(&mut self, core: &mut Core) {
        let serial = self.own.serial.clone();
        let bytes = self.part.array().cells.bytes();
        let first_page = bytes.get(..PAGE).unwrap_or(bytes);
        self.runs = first_page.iter().any(|byte| *byte != 0xFF);
        core.identity = match identity_at(bytes, IDENTITY_AT + INQUIRY_HEADER.len()) {
            Some(identity) if self.runs => Identity { serial, ..identity },
            _ => self.own.clone(),
        };
    }

    fn enter(&mut self, core: &mut Core) {
        let lba_low = core.registers.lba_low;
        if CATASTROPHES.contains(&lba_low) {
            core.violation(format!(
                "command 80 with LBA-low {lba_low:02x}: the drive has erased its flash"
            ));
            let memory = self.memory();
            let all = FlashRange::new(0, memory.size());
            memory.fill_range(all, 0xFF);
            return core.abort();
        }
        if lba_low != ENTER_LBA_LOW {
            core.violation(format!("command 80 with LBA-low {lba_low:02x}"));
            return core.abort();
        }
        if self.in_vendor_mode {
            return core.finish(self.mode_status);
        }
        core.changed = true;
        if self.refused_entries < self.refusals.count {
            self.refused_entries = self.refused_entries.saturating_add(1);
            return core.finish(self.refusals.status);
        }
        self.in_vendor_mode = true;
        self.mailbox = Mailbox::new(self.mode_status);
        self.part.power_cycle();
        core.finish(self.mode_status);
    }

    fn address(&self, core: &Core) -> u32 {
        let registers = &core.registers;
        let low = u32::from(u16::from_le_bytes([registers.lba_mid, registers.lba_high]));
        match self.part {
            FlashPart::Parallel(_) => u32::from(registers.device & 0x0F) << 16 | low,
            FlashPart::Serial(_) => low,
        }
    }

    fn read_byte(&mut self, core: &mut Core) {
        let address = self.address(core);
        core.counters.byte_reads += 1;
        let value = match &mut self.part {
            FlashPart::Parallel(_) if core.chip_held_busy => {
                self.toggle ^= TOGGLE;
                self.toggle
            }
            FlashPart::Parallel(chip) => {
                let byte = chip.read(address, now(core));
                core.misreads.apply(address, byte)
            }
            FlashPart::Serial(_) => match self.mailbox.cell(address, true) {
                Some(cell) => {
                    core.counters.mailbox_reads += 1;
                    *cell
                }
                None => {
                    core.violation(format!("byte read at {address:04x}, outside the mailbox"));
                    0xFF
                }
            },
        };
        core.registers.lba_low = value;
    }

    fn write_byte(&mut self, core: &mut Core) {
        let address = self.address(core);
        let value = core.registers.lba_low;
        core.counters.byte_writes += 1;
        match &mut self.part {
            FlashPart::Parallel(_) if core.chip_held_busy => {}
            FlashPart::Parallel(chip) => chip.write(address, value, now(core)),
            FlashPart::Serial(_) => match self.mailbox.cell(address, false) {
                Some(cell) => {
                    core.counters.mailbox_writes += 1;
                    *cell = value;
                }
                None => {
                    core.violation(format!("byte write at {address:04x}, outside the mailbox"));
                }
            },
        }
    }

    fn set_lengths(&mut self, core: &mut Core) {
        let registers = core.registers;
        let tx = self.mailbox.length(registers.features, registers.count);
        let rx = self.mailbox.length(registers.lba_mid, registers.lba_high);
        self.mailbox.lengths = None;
        if registers.lba_low != 0 {
            core.violation(format!(
                "mailbox lengths with LBA-low {:02x} instead of 00",
                registers.lba_low
            ));
        } else if !(1..=LONGEST_TX).contains(&tx) || rx > LONGEST_RX {
            core.violation(format!("mailbox lengths of {tx} TX and {rx} RX bytes"));
        } else {
            self.mailbox.lengths = Some((tx, rx));
        }
    }

    fn transact(&mut self, core: &mut Core) {
        let Some((tx, rx)) = self.mailbox.lengths.take() else {
            core.violation("mailbox transaction without valid lengths");
            return;
        };
        let FlashPart::Serial(chip) = &mut self.part else {
            return;
        };
        core.counters.mailbox_executes += 1;
        let ram = &mut self.mailbox.ram;
        let sent = ram.get(..tx).unwrap_or_default();
        let mut answer = match (core.chip_held_busy, sent) {
            (false, _) => chip.transfer(sent, rx, now(core)),
            (true, [READ_STATUS]) => vec![CHIP_BUSY; rx],
            (true, _) => vec![0xFF; rx],
        };
        if let [READ_PAGE, high, middle, low] = *sent {
            let start = u32::from_be_bytes([0, high, middle, low]);
            for (at, byte) in (start..).zip(&mut answer) {
                *byte = core.misreads.apply(at, *byte);
            }
        }
        for (place, byte) in (tx..).zip(answer.iter()) {
            // Only low address bits are decoded: what is too long wraps around.
            if let Some(cell) = ram.get_mut(place % MAILBOX_SIZE as usize) {
                *cell = *byte;
            }
        }
    }

    fn leave(&mut self, core: &mut Core) {
        if std::mem::take(&mut self.in_vendor_mode) {
            self.refused_entries = 0;
            core.changed = true;
        }
    }

    fn vendor_command(&mut self, core: &mut Core, command: u8) {
        let serial = matches!(self.part, FlashPart::Serial(_));
        match command {
            READ_BYTE => self.read_byte(core),
            WRITE_BYTE => self.write_byte(core),
            MAILBOX_LENGTHS if serial => self.set_lengths(core),
            MAILBOX_EXECUTE if serial => self.transact(core),
            ENTER => return self.enter(core),
            LEAVE => {
                self.leave(core);
                self.leaving = true;
                return core.finish(STATUS_READY);
            }
            DEVICE_RESET => {
                core.violation("DEVICE RESET in vendor mode, before command 81");
                self.leave(core);
                return core.reset();
            }
            // The kernel sends these by itself: they are nobody's mistake.
            PACKET | IDENTIFY_PACKET_DEVICE | IDENTIFY_DEVICE => {}
            other => core.violation(format!("command {other:02x} in vendor mode")),
        }
        core.finish(self.mode_status);
    }

    fn normal_command(&mut self, core: &mut Core, command: u8) {
        match command {
            ENTER => self.enter(core),
            READ_BYTE | WRITE_BYTE | MAILBOX_LENGTHS | MAILBOX_EXECUTE | LEAVE => {
                core.violation(format!("vendor command {command:02x} outside vendor mode"));
                core.abort();
            }
            _ if core.common_command(command, self.runs) => {}
            _ => core.abort(),
        }
    }
}

impl Model for VendorMode {
    #[inline]
    fn command(&mut self, core: &mut Core, command: u8) {
        if std::mem::take(&mut self.leaving) && command != DEVICE_RESET {
            core.violation(format!("command {command:02x} between 81 and DEVICE RESET"));
        }
        match self.in_vendor_mode {
            true => self.vendor_command(core, command),
            false => self.normal_command(core, command),
        }
    }

    /// Between two runs a drive that is not in vendor mode is switched off and on.
    fn start(&mut self, core: &mut Core) {
        if !self.in_vendor_mode {
            self.boot(core);
        }
    }

    fn packet(&mut self, core: &mut Core, cdb: &[u8], data: &TargetData<'_>) -> Option<Reply> {
        const BLOCK: u32 = 128;
        let (true, TargetData::In(room)) = (self.gives_program_memory, data) else {
            return None;
        };
        let [0xDF, 0x83, 0, 0, 0xFF, 0, bank, high, low, 0, 0, 0] = *cdb else {
            return None;
        };
        let start = u32::from_be_bytes([0, bank, high, low]);
        let end = start + BLOCK;
        let flash = self.part.array().cells.bytes();
        if end as usize > flash.len() || *room != BLOCK as usize {
            return Some(check_condition(0x05, 0x24, 0x00));
        }
        let mut bytes = FlashRange::new(start, end).of(flash).to_vec();
        let last_bank = flash.len().saturating_sub(BANK_SIZE as usize);
        if self.gives_other_bytes && start as usize >= last_bank {
            bytes.iter_mut().for_each(|byte| *byte = !*byte);
        }
        core.misreads.apply_all(start, &mut bytes);
        Some(good(bytes, *room))
    }

    fn answers_packets(&self) -> bool {
        !self.in_vendor_mode && self.runs
    }

    fn resting_status(&self) -> u8 {
        match self.in_vendor_mode {
            true => self.mode_status,
            false => STATUS_READY,
        }
    }

    fn lose_power(&mut self, core: &mut Core, seed: u64) {
        let mut random = Random::new(seed);
        self.part.array().lose_power(now(core), &mut random);
    }

    fn power_on(&mut self, core: &mut Core) {
        self.in_vendor_mode = false;
        self.leaving = false;
        self.mailbox = Mailbox::new(self.mode_status);
        self.part.power_cycle();
        self.boot(core);
        core.finish(STATUS_READY);
    }

    fn memory(&mut self) -> &mut Memory {
        &mut self.part.array().cells
    }

    fn count(&mut self, counters: &mut Counters) {
        let counts = self.part.array().counts;
        counters.programs += counts.programs;
        counters.sector_erases += counts.sector_erases;
        counters.chip_erases += counts.chip_erases;
        counters.chip_ignored += counts.ignored;
    }

    fn remember(&self, remembered: &mut Remembered) {
        remembered.vendor_mode = self.in_vendor_mode;
        remembered.refused_entries = self.refused_entries;
    }
}

fn now(core: &Core) -> Duration {
    Duration::from_nanos(core.clock.nanoseconds())
}
