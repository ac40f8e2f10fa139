//! A serial (SPI) flash chip, as a state machine: the opcodes that
//! JungleFlasher 0.1.96 sends through a drive, and no others. Sectors of 4 KiB
//! have the chips of which flashrom says so.
//!
//! Data commands need the write-enable latch, which every finished change
//! clears; block-protect bits refuse changes until they are cleared; while the
//! chip is busy it takes nothing but "read status".

use std::time::Duration;

use super::flash_memory::{
    Array, CHIP_ERASE_TIME, PROGRAM_TIME, SECTOR_ERASE_TIME, WRITE_STATUS_TIME, Work,
};
use crate::flash::chip::{Chip, ChipId, SERIAL_SECTOR, Serial};
use crate::flash::{FlashRange, Offset, PAGE_SIZE};

const BUSY: u8 = 0x01;
const WRITE_ENABLE_LATCH: u8 = 0x02;
const BLOCK_PROTECT: u8 = 0x1C;
/// Keeps the status from being written while WP# is held low.
const LOCKED: u8 = 0x80;

/// What a host reads while the chip drives nothing.
const FLOATING: u8 = 0xFF;

/// A serial flash chip of the table.
#[derive(Debug)]
pub struct SerialFlash {
    id: ChipId,
    size: u32,
    bus: Serial,
    pub array: Array,
    /// Block-protect bits of the status register, and the one that locks them.
    protection: u8,
    /// The board holds WP# low.
    wp_held: bool,
    write_enabled: bool,
    /// Opcode 50 was the last command.
    status_write_enabled: bool,
}

impl SerialFlash {
    /// An unprotected chip.
    pub fn new(chip: &Chip, bus: &Serial, array: Array) -> Self {
        SerialFlash {
            id: chip.id,
            size: chip.size().max(1),
            bus: bus.clone(),
            array,
            protection: 0,
            wp_held: false,
            write_enabled: false,
            status_write_enabled: false,
        }
    }

    /// Sets all block-protect bits, as on a chip that comes protected.
    #[must_use]
    pub fn protected(mut self) -> Self {
        self.protection = BLOCK_PROTECT;
        self
    }

    /// As [`protected`](Self::protected), on a board that holds WP# low.
    #[must_use]
    pub fn locked(mut self) -> Self {
        self.protection = BLOCK_PROTECT | LOCKED;
        self.wp_held = true;
        self
    }

    /// As after power on: latches cleared, protection kept. What was being
    /// erased or programmed counts as done.
    pub fn power_cycle(&mut self) {
        self.write_enabled = false;
        self.status_write_enabled = false;
        self.array.finish();
    }

    /// One transaction at the simulated time `now`: the host sends `sent`, then
    /// takes `length` bytes.
    pub fn transfer(&mut self, sent: &[u8], length: usize, now: Duration) -> Vec<u8> {
        if self.array.settle(now) {
            self.write_enabled = false;
        }
        let mut answer = vec![FLOATING; length];
        if !self.carry_out(sent, &mut answer, now) {
            self.array.counts.ignored += 1;
        }
        answer
    }

    /// Whether the chip took the command.
    fn carry_out(&mut self, sent: &[u8], answer: &mut [u8], now: Duration) -> bool {
        let status_write_enabled = std::mem::take(&mut self.status_write_enabled);
        let busy = self.array.is_busy();
        match *sent {
            [0x05] => answer.fill(self.status()),
            _ if busy => return false,
            [0x90, 0, 0, 0] => {
                let [_, manufacturer] = self.id.manufacturer.to_be_bytes();
                let [_, device] = self.id.device.to_be_bytes();
                for (byte, id) in answer.iter_mut().zip([manufacturer, device].iter().cycle()) {
                    *byte = *id;
                }
            }
            [0x03, high, middle, low] => {
                let addresses = self.address(high, middle, low)..;
                for (byte, at) in answer.iter_mut().zip(addresses) {
                    *byte = self.array.cells.get(at % self.size);
                }
                self.array.counts.reads += 1;
            }
            [0x06] => self.write_enabled = true,
            [0x50] if self.bus.status_write_enable == 0x50 => self.status_write_enabled = true,
            [0x01, status] => {
                let allowed = match self.bus.status_write_enable {
                    0x50 => status_write_enabled,
                    _ => self.write_enabled,
                };
                if !allowed {
                    return false;
                }
                if !(self.wp_held && self.protection & LOCKED != 0) {
                    self.protection = status & (BLOCK_PROTECT | LOCKED);
                }
                self.array.begin(WRITE_STATUS_TIME, now, Work::Other);
            }
            [0x02, high, middle, low, ref data @ ..] => {
                let fits = (1..=PAGE_SIZE as usize).contains(&data.len());
                if !(fits && self.may_change()) {
                    return false;
                }
                let at = self.address(high, middle, low);
                let start = at - at % PAGE_SIZE;
                let work = Work::Page {
                    start,
                    before: self.array.held(Offset(start).range(PAGE_SIZE)),
                };
                self.program_page(at, data);
                self.array.begin(PROGRAM_TIME, now, work);
            }
            [0x20, high, middle, low] if self.bus.erases_sectors => {
                if !self.may_change() {
                    return false;
                }
                let at = self.address(high, middle, low);
                let sector = Offset(at - at % SERIAL_SECTOR).range(SERIAL_SECTOR);
                self.array.erase(sector, SECTOR_ERASE_TIME, now);
                self.array.counts.sector_erases += 1;
            }
            [opcode] if opcode == self.bus.chip_erase => {
                if !self.may_change() {
                    return false;
                }
                let all = FlashRange::new(0, self.size);
                self.array.erase(all, CHIP_ERASE_TIME, now);
                self.array.counts.chip_erases += 1;
            }
            _ => return false,
        }
        true
    }

    /// Within the page, past its end comes its beginning.
    fn program_page(&mut self, at: u32, data: &[u8]) {
        let page = at - at % PAGE_SIZE;
        for (at, byte) in (at..).zip(data) {
            let at = page + at % PAGE_SIZE;
            let held = self.array.cells.get(at);
            self.array.cells.set(at, held & byte);
        }
        self.array.counts.programs += 1;
    }

    fn address(&self, high: u8, middle: u8, low: u8) -> u32 {
        u32::from_be_bytes([0, high, middle, low]) % self.size
    }

    fn may_change(&self) -> bool {
        self.write_enabled && self.protection == 0
    }

    fn status(&self) -> u8 {
        let bit = |set, bit| if set { bit } else { 0 };
        bit(self.array.is_busy(), BUSY)
            | bit(self.write_enabled, WRITE_ENABLE_LATCH)
            | self.protection
    }
}

#[cfg(test)]
mod tests;
