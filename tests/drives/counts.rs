//! How much the jobs ask of a drive, as the drive counts it.

use mtkflash::sim::Counters;

use super::bench::{Ended, Kind};

const PARALLEL: Kind = Kind::parallel("Pm39LV010");
const SERIAL_72: Kind = Kind::serial("W25P20", "mode_status = 0x72");
const SERIAL_73: Kind = Kind::serial("W25P20", "mode_status = 0x73");

/// Two bytes of ID, each read twice.
const ID_READS: u64 = 4;

/// To show that a parallel chip is idle: its first two bytes, its ID, and the two
/// bytes again.
const IDLE_READS: u64 = 6;
/// Shown before the first bank and after each.
const TIMES_IDLE_OF_TWO_BANKS: u64 = 3;

fn accesses(counters: &Counters) -> u64 {
    counters.register_reads + counters.register_writes
}

#[test]
fn a_verified_read_of_parallel_flash_reads_every_byte_twice() {
    let drive = PARALLEL.drive();
    let dump = drive.read().unwrap();
    assert!(dump.bytes == drive.flash());
    let counters = drive.handle.counters();
    assert_eq!(
        counters.byte_reads,
        2 * 0x2_0000 + ID_READS + TIMES_IDLE_OF_TWO_BANKS * IDLE_READS
    );
    assert_eq!(counters.chip_ignored, 0);
    drive.assert_left();
}

#[test]
fn a_byte_read_over_the_ports_takes_no_more_than_eight_register_accesses() {
    let drive = PARALLEL.drive();
    let mut device = drive.open().unwrap();
    let of_block = |device: &mut Box<dyn mtkflash::protocol::FirmwareDevice>, at| {
        let before = accesses(&drive.handle.counters());
        let mut block = [0; 256];
        device
            .read(mtkflash::flash::Offset(at), &mut block)
            .unwrap();
        accesses(&drive.handle.counters()) - before
    };
    assert_eq!(
        of_block(&mut device, 0x0000),
        256 * 7,
        "no address bits in Device"
    );
    assert_eq!(of_block(&mut device, 0x1_0000), 256 * 8);
    device.leave().unwrap();
    drop(device);
    drive.assert_left();
}

#[test]
fn a_serial_page_takes_four_writes_two_executes_and_256_reads_a_pass() {
    for kind in [SERIAL_72, SERIAL_73] {
        let drive = kind.drive();
        let dump = drive.read().unwrap();
        assert!(dump.bytes == drive.flash());
        let counters = drive.handle.counters();
        let page_passes = 2 * 0x4_0000 / 256;
        // Twice the same for the ID, of which two bytes are read. To show that
        // the chip is idle, its status of one byte and the ID; before the first
        // of four banks and after each.
        let idle = 5;
        assert_eq!(counters.mailbox_writes, 4 * (page_passes + 2 + idle) + idle);
        assert_eq!(
            counters.ata.of(0x04) + counters.ata.of(0x05),
            2 * (page_passes + 2 + 2 * idle)
        );
        assert_eq!(counters.mailbox_reads, 256 * page_passes + 4 + 3 * idle);
        assert_eq!(counters.chip_ignored, 0);
        drive.assert_left();
    }
}

#[test]
fn one_different_byte_costs_one_sector_erase_and_programs_nothing_outside() {
    let drive = PARALLEL.selecting(0x8000, 0x1_2000).drive();
    let image = drive.image_with(&[(0x9123, !drive.flash()[0x9123])]);
    let in_the_sector = image[0x9000..0xA000].iter().filter(|byte| **byte != 0xFF);
    let expected = in_the_sector.count() as u64;
    let written = drive.write(&image);
    let Ended::Done(changed) = &written.ended else {
        panic!("{written:?}");
    };
    assert_eq!((changed.erased, changed.programmed), (1, expected));
    assert!(drive.flash() == image);
    let counters = drive.handle.counters();
    assert_eq!(counters.sector_erases, 1);
    assert_eq!(counters.chip_erases, 0);
    assert_eq!(counters.programs, expected);
    assert_eq!(counters.chip_ignored, 0);
    drive.assert_left();
}

#[test]
fn a_byte_that_only_needs_bits_cleared_is_programmed_without_an_erase() {
    for kind in [
        PARALLEL.selecting(0xF000, 0x1_1000),
        SERIAL_72.windowed(0x800),
    ] {
        let drive = kind.drive();
        let at = if kind.window.is_some() {
            0x0123
        } else {
            0x1_0012
        };
        drive.handle.set_flash(at, &[0xF5]);
        let image = drive.image_with(&[(at, 0x05)]);
        let written = drive.write(&image);
        assert!(matches!(written.ended, Ended::Done(_)), "{written:?}");
        assert!(drive.flash() == image);
        let counters = drive.handle.counters();
        assert_eq!((counters.sector_erases, counters.chip_erases), (0, 0));
        assert_eq!(counters.programs, 1);
        drive.assert_left();
    }
}

#[test]
fn an_image_that_is_in_the_flash_is_neither_erased_nor_programmed() {
    for kind in [PARALLEL, SERIAL_73.windowed(0x800)] {
        let drive = kind.drive();
        let written = drive.write(&drive.flash());
        assert!(matches!(written.ended, Ended::NothingToDo), "{written:?}");
        let counters = drive.handle.counters();
        assert_eq!((counters.sector_erases, counters.chip_erases), (0, 0));
        assert_eq!(counters.programs, 0);
        assert!(drive.first_backup().is_none(), "nothing needs a way back");
        drive.assert_left();
    }
}

#[test]
fn a_chip_without_sectors_is_erased_once() {
    let drive = SERIAL_72.windowed(0x800).drive();
    let image = drive.other_image();
    let written = drive.write(&image);
    assert!(matches!(written.ended, Ended::Done(_)), "{written:?}");
    assert!(drive.flash() == image);
    let counters = drive.handle.counters();
    assert_eq!(counters.chip_erases, 1);
    assert!(counters.programs <= 8, "pages");
    assert_eq!(counters.chip_ignored, 0);
    drive.assert_left();
}

#[test]
fn verifying_reads_every_byte_once_and_changes_nothing() {
    let drive = PARALLEL.drive();
    let before = drive.flash();
    assert_eq!(drive.verify(&before).unwrap().difference, None);
    let counters = drive.handle.counters();
    assert_eq!(
        counters.byte_reads,
        0x2_0000 + ID_READS + TIMES_IDLE_OF_TWO_BANKS * IDLE_READS
    );
    assert_eq!(counters.programs, 0);
    assert!(drive.flash() == before);
    drive.assert_left();
}
