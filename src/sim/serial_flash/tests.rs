//! The chip under a host that sends its opcodes, right and wrong.

use super::*;
use crate::flash::chip::Bus;
use crate::flash::table;
use crate::sim::flash_memory::Counts;
use crate::sim::memory::Memory;

/// A chip filled with 00, and the time.
struct Host {
    flash: SerialFlash,
    now: Duration,
}

impl Host {
    fn new(manufacturer: u8, device: u8) -> Host {
        let chip = table::serial(ChipId::new(manufacturer, device)).unwrap();
        let cells = vec![0; chip.size() as usize];
        let Bus::Serial(bus) = &chip.bus else {
            panic!("{chip}");
        };
        let flash = SerialFlash::new(chip, bus, Array::new(Memory::new(cells)));
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
        self.flash.array.cells.bytes()
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
    let counts = host.flash.array.counts;
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
    assert_eq!(host.flash.array.counts.ignored, 2);
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
    host.now += CHIP_ERASE_TIME - Duration::from_nanos(1);
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
        assert_eq!(host.flash.array.counts.ignored, 1, "{command:x?}");
    }
}

#[test]
fn reading_past_the_end_goes_on_at_the_beginning() {
    let mut host = Host::w25p20();
    host.flash.array.cells.overwrite(0, &[0x77]);
    assert_eq!(host.ask(&[0x03, 3, 0xFF, 0xFF], 2), [0x00, 0x77]);
}
