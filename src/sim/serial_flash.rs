//! A serial (SPI) flash chip, as a state machine: the opcodes that
//! JungleFlasher 0.1.96 sends through a drive, and no others.
//!
//! Data commands need the write-enable latch, which every finished change
//! clears; block-protect bits refuse changes until they are cleared; while the
//! chip is busy it takes nothing but "read status".

use std::time::Duration;

use super::flash_memory::{Cells, Counts, Times};
use crate::flash::chip::{Bus, Chip, ChipId, Serial, StatusWriteEnable};
use crate::flash::{FlashRange, PAGE_SIZE};

const BUSY: u8 = 0x01;
const WRITE_ENABLE_LATCH: u8 = 0x02;
const BLOCK_PROTECT: u8 = 0x1C;

/// What a host reads while the chip drives nothing.
const FLOATING: u8 = 0xFF;

/// A serial flash chip of the table.
#[derive(Debug)]
pub struct SerialFlash<C> {
    id: ChipId,
    size: u32,
    bus: Serial,
    times: Times,
    cells: C,
    counts: Counts,
    /// Block-protect bits of the status register.
    protection: u8,
    write_enabled: bool,
    /// Opcode 50 was the last command.
    status_write_enabled: bool,
    busy_until: Option<Duration>,
}

impl<C: Cells> SerialFlash<C> {
    /// An unprotected chip; `None` for a parallel one.
    pub fn new(chip: &Chip, cells: C, times: Times) -> Option<Self> {
        let Bus::Serial(bus) = &chip.bus else {
            return None;
        };
        Some(SerialFlash {
            id: chip.id,
            size: chip.size.max(1),
            bus: bus.clone(),
            times,
            cells,
            counts: Counts::default(),
            protection: 0,
            write_enabled: false,
            status_write_enabled: false,
            busy_until: None,
        })
    }

    /// Sets all block-protect bits, as on a chip that comes protected.
    #[must_use]
    pub fn protected(mut self) -> Self {
        self.protection = BLOCK_PROTECT;
        self
    }

    pub fn counts(&self) -> Counts {
        self.counts
    }

    pub fn cells(&self) -> &C {
        &self.cells
    }

    pub fn cells_mut(&mut self) -> &mut C {
        &mut self.cells
    }

    /// As after power on: latches cleared, protection kept. What was being
    /// erased or programmed counts as done.
    pub fn power_cycle(&mut self) {
        self.write_enabled = false;
        self.status_write_enabled = false;
        self.busy_until = None;
    }

    /// One transaction at the simulated time `now`: the host sends `sent`, then
    /// takes `length` bytes.
    pub fn transfer(&mut self, sent: &[u8], length: usize, now: Duration) -> Vec<u8> {
        self.settle(now);
        let mut answer = vec![FLOATING; length];
        if !self.carry_out(sent, &mut answer, now) {
            self.counts.ignored += 1;
        }
        answer
    }

    /// Whether the chip took the command.
    fn carry_out(&mut self, sent: &[u8], answer: &mut [u8], now: Duration) -> bool {
        let status_write_enabled = std::mem::take(&mut self.status_write_enabled);
        let busy = self.busy_until.is_some();
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
                    *byte = self.cells.get(at % self.size);
                }
                self.counts.reads += 1;
            }
            [0x06] => self.write_enabled = true,
            [0x50] if self.bus.status_write_enable == StatusWriteEnable::EnableWriteStatus => {
                self.status_write_enabled = true;
            }
            [0x01, status] => {
                let allowed = match self.bus.status_write_enable {
                    StatusWriteEnable::WriteEnable => self.write_enabled,
                    StatusWriteEnable::EnableWriteStatus => status_write_enabled,
                };
                if !allowed {
                    return false;
                }
                self.protection = status & BLOCK_PROTECT;
                self.begin(self.times.write_status, now);
            }
            [0x02, high, middle, low, ref data @ ..] => {
                let fits = (1..=PAGE_SIZE as usize).contains(&data.len());
                if !(fits && self.may_change()) {
                    return false;
                }
                self.program_page(self.address(high, middle, low), data);
                self.begin(self.times.program, now);
            }
            [opcode] if opcode == self.bus.chip_erase => {
                if !self.may_change() {
                    return false;
                }
                let all = FlashRange {
                    start: 0,
                    end: self.size,
                };
                self.cells.fill_range(all, 0xFF);
                self.counts.chip_erases += 1;
                self.begin(self.times.chip_erase, now);
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
            self.cells.set(at, self.cells.get(at) & byte);
        }
        self.counts.programs += 1;
    }

    fn address(&self, high: u8, middle: u8, low: u8) -> u32 {
        u32::from_be_bytes([0, high, middle, low]) % self.size
    }

    fn may_change(&self) -> bool {
        self.write_enabled && self.protection == 0
    }

    fn status(&self) -> u8 {
        let bit = |set, bit| if set { bit } else { 0 };
        bit(self.busy_until.is_some(), BUSY)
            | bit(self.write_enabled, WRITE_ENABLE_LATCH)
            | self.protection
    }

    fn settle(&mut self, now: Duration) {
        if self.busy_until.take_if(|until| now >= *until).is_some() {
            self.write_enabled = false;
        }
    }

    fn begin(&mut self, time: Duration, now: Duration) {
        self.busy_until = Some(now.saturating_add(time));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flash::chip;

    /// A chip filled with 00, and the time.
    struct Host {
        flash: SerialFlash<Vec<u8>>,
        now: Duration,
    }

    impl Host {
        fn new(manufacturer: u8, device: u8) -> Host {
            let chip = chip::serial(ChipId::new(manufacturer, device)).unwrap();
            let cells = vec![0; chip.size as usize];
            let flash = SerialFlash::new(chip, cells, Times::default()).unwrap();
            let now = Duration::ZERO;
            Host { flash, now }
        }

        fn w25p20() -> Host {
            Host::new(0xEF, 0x11)
        }

        fn protected(mut self) -> Host {
            self.flash = self.flash.protected();
            self
        }

        fn send(&mut self, bytes: &[u8]) {
            self.flash.transfer(bytes, 0, self.now);
        }

        fn ask(&mut self, bytes: &[u8], length: usize) -> Vec<u8> {
            self.flash.transfer(bytes, length, self.now)
        }

        fn status(&mut self) -> u8 {
            self.ask(&[0x05], 1)[0]
        }

        fn erase(&mut self, opcode: u8) {
            self.send(&[0x06]);
            self.send(&[opcode]);
            self.wait_long();
        }

        fn program(&mut self, bank: u8, page: u8, data: &[u8]) {
            self.send(&[0x06]);
            self.send(&[&[0x02, bank, page, 0], data].concat());
            self.wait_long();
        }

        fn wait_long(&mut self) {
            self.now += Duration::from_secs(3);
        }

        fn memory(&self) -> &[u8] {
            self.flash.cells()
        }

        fn is_unchanged(&self) -> bool {
            self.memory().iter().all(|byte| *byte == 0)
        }
    }

    #[test]
    fn it_says_who_it_is() {
        let mut host = Host::w25p20();
        assert_eq!(host.ask(&[0x90, 0, 0, 0], 2), [0xEF, 0x11]);
    }

    #[test]
    fn it_is_erased_programmed_by_pages_and_read() {
        let mut host = Host::w25p20();
        host.erase(0xC7);
        let page: Vec<u8> = (0..=255).collect();
        host.program(2, 0x81, &page);
        assert_eq!(host.ask(&[0x03, 2, 0x81, 0], 256), page);
        assert_eq!(host.memory()[0x28100..0x28200], page);
        assert_eq!(host.memory()[0x280FF], 0xFF);
        assert_eq!(host.memory()[0x28200], 0xFF);
        let counts = host.flash.counts();
        assert_eq!(
            counts,
            Counts {
                reads: 1,
                programs: 1,
                chip_erases: 1,
                ..Counts::default()
            }
        );
    }

    #[test]
    fn programming_clears_bits_and_sets_none() {
        let mut host = Host::w25p20();
        host.erase(0xC7);
        host.program(0, 0, &[0xF0]);
        host.program(0, 0, &[0x3C]);
        assert_eq!(host.memory()[0], 0x30);
    }

    #[test]
    fn data_past_the_end_of_a_page_goes_to_its_beginning() {
        let mut host = Host::w25p20();
        host.erase(0xC7);
        host.send(&[0x06]);
        host.send(&[0x02, 0, 1, 0xFE, 1, 2, 3]);
        host.wait_long();
        assert_eq!(host.ask(&[0x03, 0, 1, 0xFE], 3), [1, 2, 0xFF]);
        assert_eq!(host.memory()[0x100], 3);
    }

    #[test]
    fn nothing_changes_without_write_enable() {
        let mut host = Host::w25p20();
        host.send(&[0xC7]);
        host.wait_long();
        assert!(host.is_unchanged());
        host.erase(0xC7);
        host.send(&[0x02, 0, 0, 0, 0x55]);
        host.wait_long();
        assert_eq!(host.memory()[0], 0xFF);
        assert_eq!(host.flash.counts().ignored, 2);
    }

    #[test]
    fn the_write_enable_latch_shows_in_the_status_and_holds_for_one_change() {
        let mut host = Host::w25p20();
        assert_eq!(host.status(), 0x00);
        host.send(&[0x06]);
        assert_eq!(host.status(), 0x02);
        host.send(&[0xC7]);
        assert_eq!(host.status(), 0x03);
        host.wait_long();
        assert_eq!(host.status(), 0x00);
    }

    #[test]
    fn while_it_is_busy_it_answers_nothing_but_its_status() {
        let mut host = Host::w25p20();
        host.send(&[0x06]);
        host.send(&[0xC7]);
        host.now += Times::default().chip_erase - Duration::from_nanos(1);
        assert_eq!(host.status(), 0x03);
        assert_eq!(host.ask(&[0x90, 0, 0, 0], 2), [0xFF, 0xFF]);
        host.send(&[0x02, 0, 0, 0, 0x55]);
        host.now += Duration::from_nanos(1);
        assert_eq!(host.status(), 0x00);
        assert_eq!(host.memory()[0], 0xFF);
        assert_eq!(host.ask(&[0x90, 0, 0, 0], 2), [0xEF, 0x11]);
    }

    #[test]
    fn a_protected_chip_refuses_changes_until_its_bits_are_cleared() {
        let mut host = Host::w25p20().protected();
        host.erase(0xC7);
        assert!(host.is_unchanged());
        assert_eq!(host.status() & !0x02, 0x1C);
        host.send(&[0x06]);
        host.send(&[0x01, 0x00]);
        host.wait_long();
        assert_eq!(host.status(), 0x00);
        host.erase(0xC7);
        assert_eq!(host.memory()[0], 0xFF);
    }

    #[test]
    fn a_status_write_without_its_enable_is_ignored() {
        let mut host = Host::w25p20().protected();
        host.send(&[0x01, 0x00]);
        host.wait_long();
        assert_eq!(host.status(), 0x1C);
    }

    #[test]
    fn sst25vf020_wants_50_before_a_status_write_and_60_to_erase() {
        let mut host = Host::new(0xBF, 0x43).protected();
        host.send(&[0x06]);
        host.send(&[0x01, 0x00]);
        host.wait_long();
        assert_eq!(host.status() & 0x1C, 0x1C);
        host.send(&[0x50]);
        host.send(&[0x01, 0x00]);
        host.wait_long();
        assert_eq!(host.status() & 0x1C, 0x00);
        host.erase(0xC7);
        assert!(host.is_unchanged());
        host.erase(0x60);
        assert_eq!(host.memory()[0], 0xFF);
    }

    #[test]
    fn opcode_50_holds_for_the_next_command_only() {
        let mut host = Host::new(0xBF, 0x43).protected();
        host.send(&[0x50]);
        host.status();
        host.send(&[0x01, 0x00]);
        host.wait_long();
        assert_eq!(host.status(), 0x1C);
    }

    #[test]
    fn power_off_clears_the_latch_and_keeps_the_protection() {
        let mut host = Host::w25p20().protected();
        host.send(&[0x06]);
        host.flash.power_cycle();
        assert_eq!(host.status(), 0x1C);
    }

    #[test]
    fn unknown_and_misshapen_commands_are_ignored() {
        let long_page = [&[0x02, 0, 0, 0][..], &[0x55; 257]].concat();
        for command in [
            &[][..],
            &[0x9F],
            &[0x60],
            &[0x62],
            &[0xD8, 0, 0, 0],
            &[0x02, 0, 0],
            &[0x02, 0, 0, 0],
            &[0x03, 0],
            &[0x90],
            &[0xC7, 0x00],
            &[0x50],
            &long_page,
        ] {
            let mut host = Host::w25p20();
            host.send(&[0x06]);
            assert_eq!(host.ask(command, 2), [0xFF, 0xFF], "{command:x?}");
            host.wait_long();
            assert_eq!(host.status(), 0x02, "{command:x?}");
            assert!(host.is_unchanged(), "{command:x?}");
            assert_eq!(host.flash.counts().ignored, 1, "{command:x?}");
        }
    }

    #[test]
    fn reading_past_the_end_goes_on_at_the_beginning() {
        let mut host = Host::w25p20();
        host.flash.cells_mut()[0] = 0x77;
        assert_eq!(host.ask(&[0x03, 3, 0xFF, 0xFF], 2), [0x00, 0x77]);
    }

    #[test]
    fn a_parallel_chip_is_no_serial_one() {
        let chip = chip::parallel(ChipId::new(0xBF, 0xB6)).unwrap();
        assert!(SerialFlash::new(chip, Vec::new(), Times::NONE).is_none());
    }
}
