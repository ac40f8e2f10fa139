//! A parallel flash chip with the JEDEC command set, as a state machine.
//!
//! It answers the sequences that [`crate::protocol`] sends, and is strict where
//! chips differ: a cycle that does not fit ends the sequence and is counted,
//! and while it shows its ID it takes nothing but the way back (F0) and the ID
//! command again. While it is busy, reads give bit 7 inverted and bit 6
//! toggling, as JEDEC chips do, and writes are lost.
//!
//! Programming a page-write part is not simulated: it stores nothing.

use std::time::Duration;

use super::flash_memory::{Array, CHIP_ERASE_TIME, PROGRAM_TIME, SECTOR_ERASE_TIME, Work};
use crate::flash::chip::{Chip, ChipId, DEVICE_CONTINUED, MANUFACTURER_CONTINUED, Unlock};
use crate::flash::{EraseLayout, FlashRange, Offset};

const DATA_POLLING: u8 = 0x80;
const TOGGLE: u8 = 0x40;

/// A parallel flash chip of the table. Addresses beyond its size repeat its
/// content, as on a chip whose upper address lines are not connected.
#[derive(Debug)]
pub struct ParallelFlash {
    id: ChipId,
    size: u32,
    unlock: Unlock,
    layout: EraseLayout,
    pub array: Array,
    cycle: Cycle,
    shows_id: bool,
    /// What bits 7 and 6 show while the chip is busy.
    bit_7: u8,
    toggle: u8,
}

/// How far a command sequence has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cycle {
    Start,
    /// AA
    Unlocking,
    /// AA 55
    Unlocked,
    /// AA 55 A0
    Program,
    /// AA 55 80
    Erase,
    /// AA 55 80 AA
    EraseUnlocking,
    /// AA 55 80 AA 55
    EraseUnlocked,
}

impl ParallelFlash {
    pub fn new(chip: &Chip, unlock: Unlock, array: Array) -> Self {
        ParallelFlash {
            id: chip.id,
            size: chip.size().max(1),
            unlock,
            layout: chip.layout.clone(),
            array,
            cycle: Cycle::Start,
            shows_id: false,
            bit_7: 0,
            toggle: 0,
        }
    }

    /// Back to reading memory, as after power on. What was being erased or
    /// programmed counts as done.
    pub fn power_cycle(&mut self) {
        self.cycle = Cycle::Start;
        self.shows_id = false;
        self.array.finish();
    }

    /// A read cycle at the simulated time `now`.
    pub fn read(&mut self, at: u32, now: Duration) -> u8 {
        self.array.settle(now);
        if self.array.is_busy() {
            self.toggle ^= TOGGLE;
            return self.bit_7 | self.toggle;
        }
        let at = at % self.size;
        if self.shows_id {
            return id_byte(self.id, at);
        }
        self.array.counts.reads += 1;
        self.array.cells.get(at)
    }

    /// A write cycle at the simulated time `now`.
    pub fn write(&mut self, at: u32, data: u8, now: Duration) {
        const RESET: u8 = 0xF0;
        self.array.settle(now);
        if self.array.is_busy() {
            self.array.counts.ignored += 1;
            return;
        }
        let at = at % self.size;
        let first = at_unlock(at, self.unlock.0, self.unlock);
        let second = at_unlock(at, self.unlock.1, self.unlock);
        let may_change = !self.shows_id;
        let cycle = std::mem::replace(&mut self.cycle, Cycle::Start);
        match (cycle, data) {
            (Cycle::Program, _) => self.program_byte(at, data, now),
            (_, RESET) => self.shows_id = false,
            // The byte that changes nothing, where no byte is awaited.
            (_, 0xFF) => {}
            (Cycle::Start, 0xAA) if first => self.cycle = Cycle::Unlocking,
            (Cycle::Unlocking, 0x55) if second => self.cycle = Cycle::Unlocked,
            (Cycle::Unlocked, 0x90) if first => self.shows_id = true,
            (Cycle::Unlocked, 0xA0) if first && may_change && self.layout.program_unit == 1 => {
                self.cycle = Cycle::Program;
            }
            (Cycle::Unlocked, 0x80) if first && may_change => self.cycle = Cycle::Erase,
            (Cycle::Erase, 0xAA) if first => self.cycle = Cycle::EraseUnlocking,
            (Cycle::EraseUnlocking, 0x55) if second => self.cycle = Cycle::EraseUnlocked,
            (Cycle::EraseUnlocked, 0x10) if first => self.erase_chip(now),
            (Cycle::EraseUnlocked, 0x30) => self.erase_sector(at, now),
            _ => self.array.counts.ignored += 1,
        }
    }

    fn program_byte(&mut self, at: u32, data: u8, now: Duration) {
        let before = self.array.cells.get(at);
        self.array.cells.set(at, before & data);
        self.array.counts.programs += 1;
        let work = Work::Byte { at, before };
        self.array.begin(PROGRAM_TIME, now, work);
        (self.bit_7, self.toggle) = (!data & DATA_POLLING, 0);
    }

    fn erase_chip(&mut self, now: Duration) {
        let all = FlashRange::new(0, self.size);
        self.erase(all, CHIP_ERASE_TIME, now);
        self.array.counts.chip_erases += 1;
    }

    fn erase_sector(&mut self, at: u32, now: Duration) {
        let sectors = &self.layout.sectors;
        let sector = sectors
            .iter()
            .copied()
            .find(|sector| sector.contains(Offset(at)));
        match sector {
            // A layout of one sector is a chip without command 30.
            Some(sector) if sectors.len() > 1 => {
                self.erase(sector, SECTOR_ERASE_TIME, now);
                self.array.counts.sector_erases += 1;
            }
            _ => self.array.counts.ignored += 1,
        }
    }

    fn erase(&mut self, range: FlashRange, time: Duration, now: Duration) {
        self.array.erase(range, time, now);
        (self.bit_7, self.toggle) = (0, 0);
    }
}

/// Whether a command at `at` counts as one at `address`: chips look at no more
/// address bits than the longer of their unlock addresses has.
fn at_unlock(at: u32, address: u32, pair: Unlock) -> bool {
    let longer = pair.0.max(pair.1);
    let mask = (longer + 1).next_power_of_two() - 1;
    at & mask == address & mask
}

/// What a chip shows at `at` in the place of its memory.
fn id_byte(id: ChipId, at: u32) -> u8 {
    let [manufacturer_high, manufacturer_low] = id.manufacturer.to_be_bytes();
    let [device_high, device_low] = id.device.to_be_bytes();
    let first = |high, low| if high == 0 { low } else { high };
    match at {
        0 => first(manufacturer_high, manufacturer_low),
        1 => first(device_high, device_low),
        MANUFACTURER_CONTINUED => manufacturer_low,
        DEVICE_CONTINUED => device_low,
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
