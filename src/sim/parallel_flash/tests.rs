//! The chip under a host that sends the JEDEC sequences, right and wrong.

use super::*;
use crate::flash::chip::Bus;
use crate::flash::table;
use crate::sim::memory::Memory;

/// An SST39SF020 filled with 00, and the time.
struct Host {
    flash: ParallelFlash,
    now: Duration,
}

impl Host {
    fn new(manufacturer: u16, device: u16) -> Host {
        let id = ChipId {
            manufacturer,
            device,
        };
        let chip = table::parallel(id).unwrap();
        let cells = vec![0; chip.size() as usize];
        let Bus::Parallel(unlock) = chip.bus else {
            panic!("{chip}");
        };
        let flash = ParallelFlash::new(chip, unlock, Array::new(Memory::new(cells)));
        let now = Duration::ZERO;
        Host { flash, now }
    }

    fn sst39sf020() -> Host {
        Host::new(0xBF, 0xB6)
    }

    fn write(&mut self, cycles: &[(u32, u8)]) {
        for &(at, data) in cycles {
            self.flash.write(at, data, self.now);
        }
    }

    fn unlocked(&mut self, command: u8) {
        self.write(&[(0x5555, 0xAA), (0x2AAA, 0x55), (0x5555, command)]);
    }

    fn erase(&mut self, at: u32, command: u8) {
        self.unlocked(0x80);
        self.write(&[(0x5555, 0xAA), (0x2AAA, 0x55), (at, command)]);
    }

    fn program(&mut self, at: u32, data: u8) {
        self.unlocked(0xA0);
        self.write(&[(at, data)]);
    }

    fn read(&mut self, at: u32) -> u8 {
        self.flash.read(at, self.now)
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
    }

    fn wait_long(&mut self) {
        self.wait(Duration::from_secs(3));
    }

    fn fill(&mut self, value: u8) {
        let size = self.memory().len();
        self.flash.array.cells.overwrite(0, &vec![value; size]);
    }

    fn memory(&self) -> &[u8] {
        self.flash.array.cells.bytes()
    }
}

#[test]
fn it_shows_its_id_after_90_and_its_memory_after_f0() {
    let mut host = Host::sst39sf020();
    host.unlocked(0x90);
    assert_eq!((host.read(0), host.read(1)), (0xBF, 0xB6));
    host.unlocked(0xF0);
    assert_eq!((host.read(0), host.read(1)), (0, 0));
    assert_eq!(host.flash.array.counts.ignored, 0);
}

#[test]
fn a_single_f0_leaves_the_id_as_well() {
    let mut host = Host::sst39sf020();
    host.unlocked(0x90);
    host.write(&[(0x1234, 0xF0)]);
    assert_eq!(host.read(0), 0);
}

#[test]
fn power_off_leaves_the_id_as_well() {
    let mut host = Host::sst39sf020();
    host.unlocked(0x90);
    host.flash.power_cycle();
    assert_eq!(host.read(0), 0);
}

#[test]
fn a_long_id_starts_with_7f_and_goes_on_at_100h() {
    let mut host = Host::new(0x7F1C, 0x20);
    host.unlocked(0x90);
    assert_eq!((host.read(0), host.read(1)), (0x7F, 0x20));
    assert_eq!(host.read(0x100), 0x1C);
}

#[test]
fn an_erased_sector_reads_ff_and_its_neighbours_stay() {
    let mut host = Host::sst39sf020();
    host.erase(0x12345, 0x30);
    host.wait_long();
    assert_eq!(host.read(0x12000), 0xFF);
    let blank = |at: usize| host.memory()[at] == 0xFF;
    assert!((0x12000..0x13000).all(blank));
    assert!(!(0..0x12000).any(blank));
    assert!(!(0x13000..0x40000).any(blank));
    assert_eq!(host.flash.array.counts.sector_erases, 1);
    assert_eq!(host.flash.array.counts.ignored, 0);
}

#[test]
fn a_chip_erase_leaves_nothing() {
    let mut host = Host::sst39sf020();
    host.erase(0x5555, 0x10);
    assert!(host.memory().iter().all(|byte| *byte == 0xFF));
    assert_eq!(host.flash.array.counts.chip_erases, 1);
}

#[test]
fn programming_clears_bits_and_sets_none() {
    let mut host = Host::sst39sf020();
    host.erase(0, 0x30);
    host.wait_long();
    host.program(0x10, 0xF0);
    host.wait_long();
    host.program(0x10, 0x3C);
    host.wait_long();
    assert_eq!(host.read(0x10), 0x30);
    assert_eq!(host.flash.array.counts.programs, 2);
}

#[test]
fn f0_after_a0_is_data() {
    let mut host = Host::sst39sf020();
    host.erase(0, 0x30);
    host.wait_long();
    host.program(0x10, 0xF0);
    host.wait_long();
    assert_eq!(host.read(0x10), 0xF0);
}

#[test]
fn while_it_programs_bit_7_is_inverted_and_bit_6_toggles() {
    let mut host = Host::sst39sf020();
    host.erase(0, 0x30);
    host.wait_long();
    host.program(0x10, 0x55);
    let (one, two, three) = (host.read(0x10), host.read(0x10), host.read(0x10));
    assert_eq!((one & 0x80, two & 0x80, three & 0x80), (0x80, 0x80, 0x80));
    assert_ne!(one & 0x40, two & 0x40);
    assert_eq!(one, three);
    host.wait(PROGRAM_TIME);
    assert_eq!((host.read(0x10), host.read(0x10)), (0x55, 0x55));
}

#[test]
fn while_it_erases_bit_7_is_0_everywhere() {
    let mut host = Host::sst39sf020();
    host.erase(0, 0x30);
    host.wait(SECTOR_ERASE_TIME - Duration::from_nanos(1));
    assert_eq!((host.read(0) & 0x80, host.read(0x20000) & 0x80), (0, 0));
    host.wait(Duration::from_nanos(1));
    assert_eq!(host.read(0), 0xFF);
}

#[test]
fn what_is_written_while_it_is_busy_is_lost() {
    let mut host = Host::sst39sf020();
    host.erase(0, 0x30);
    host.erase(0x1000, 0x30);
    host.wait_long();
    assert_eq!(host.read(0x1000), 0);
    assert_eq!(host.flash.array.counts.sector_erases, 1);
    assert_eq!(host.flash.array.counts.ignored, 6);
}

#[test]
fn a_chip_that_never_finishes_stays_busy() {
    let mut host = Host::sst39sf020();
    host.wait_long();
    host.erase(0, 0x30);
    host.flash.array.begin(Duration::MAX, host.now, Work::Other);
    host.wait(Duration::from_secs(1 << 40));
    assert_ne!(host.read(0), 0xFF);
}

#[test]
fn wrong_sequences_change_nothing() {
    let sequences: [&[(u32, u8)]; 6] = [
        // No unlock at all.
        &[(0x5555, 0xA0), (0x10, 0x55)],
        // The unlock cycles in the wrong order.
        &[(0x2AAA, 0x55), (0x5555, 0xAA), (0x5555, 0xA0), (0x10, 0)],
        // A wrong second address.
        &[(0x5555, 0xAA), (0x2AAB, 0x55), (0x5555, 0xA0), (0x10, 0)],
        // An erase without its second unlock.
        &[(0x5555, 0xAA), (0x2AAA, 0x55), (0x5555, 0x80), (0, 0x30)],
        // Sector erase without 80.
        &[(0x5555, 0xAA), (0x2AAA, 0x55), (0, 0x30)],
        // Chip erase at a sector's address.
        &[
            (0x5555, 0xAA),
            (0x2AAA, 0x55),
            (0x5555, 0x80),
            (0x5555, 0xAA),
            (0x2AAA, 0x55),
            (0, 0x10),
        ],
    ];
    for sequence in sequences {
        let mut host = Host::sst39sf020();
        host.fill(0xA5);
        host.write(sequence);
        host.wait_long();
        assert!(host.memory().iter().all(|byte| *byte == 0xA5));
        let counts = host.flash.array.counts;
        assert!(counts.ignored > 0, "{sequence:x?}");
        assert_eq!((counts.programs, counts.sector_erases), (0, 0));
    }
}

#[test]
fn a_broken_sequence_does_not_spoil_the_next() {
    let mut host = Host::sst39sf020();
    host.write(&[(0x5555, 0xAA), (0x1111, 0x00)]);
    host.unlocked(0x90);
    assert_eq!(host.read(0), 0xBF);
}

#[test]
fn while_it_shows_its_id_it_neither_erases_nor_programs() {
    let mut host = Host::sst39sf020();
    host.unlocked(0x90);
    host.erase(0, 0x30);
    host.program(0x2000, 0);
    host.wait_long();
    assert_eq!(host.memory()[0], 0);
    assert_eq!(host.flash.array.counts.sector_erases, 0);
    assert_eq!(host.flash.array.counts.programs, 0);
}

#[test]
fn a_short_pair_ignores_the_upper_address_bits_of_the_long_one() {
    // Macronix MX29F002(N)T: 0555/02AA.
    let mut host = Host::new(0xC2, 0xB0);
    host.unlocked(0x90);
    assert_eq!((host.read(0), host.read(1)), (0xC2, 0xB0));
}

#[test]
fn a_chip_with_0aaa_0555_is_deaf_to_the_documented_pair() {
    // ST M29F002T/NT.
    let mut host = Host::new(0x20, 0xB0);
    host.unlocked(0x90);
    assert_eq!(host.read(0), 0);
    host.write(&[(0x0AAA, 0xAA), (0x0555, 0x55), (0x0AAA, 0x90)]);
    assert_eq!((host.read(0), host.read(1)), (0x20, 0xB0));
}

#[test]
fn a_chip_without_sectors_ignores_the_sector_erase() {
    // Winbond W49F020.
    let mut host = Host::new(0xDA, 0x8C);
    host.erase(0, 0x30);
    host.wait_long();
    assert_eq!(host.read(0), 0);
    host.erase(0x5555, 0x10);
    host.wait_long();
    assert_eq!(host.read(0), 0xFF);
}

#[test]
fn a_page_write_chip_stores_nothing() {
    // Winbond W29C040.
    let mut host = Host::new(0xDA, 0x46);
    host.fill(0xFF);
    host.program(0x10, 0x00);
    host.wait_long();
    assert_eq!(host.read(0x10), 0xFF);
}

#[test]
fn reads_of_memory_are_counted_and_those_of_id_and_status_are_not() {
    let mut host = Host::sst39sf020();
    host.unlocked(0x90);
    host.read(0);
    host.unlocked(0xF0);
    host.program(0, 0);
    host.read(0);
    host.wait_long();
    host.read(0);
    assert_eq!(host.flash.array.counts.reads, 1);
}

#[test]
fn addresses_beyond_the_size_repeat_the_content() {
    let mut host = Host::sst39sf020();
    host.erase(0x1000, 0x30);
    host.wait_long();
    assert_eq!(host.read(0x4_1000), 0xFF);
}
