//! Whatever one fault does to a write: what is said about the flash is true,
//! the backup is whole, and the same command types the image in afterwards.

use proptest::prelude::*;

use mtkflash::image::Checksum;
use mtkflash::job::{FlashState, JobError};
use mtkflash::sim::Fault;

use super::bench::{Ended, Kind, TestDrive, Way, Written, assert_true};

/// Two sectors of 4 KiB, on either side of a bank's end.
const SECTORS: Kind = Kind::parallel("Pm39LV010").selecting(0xF000, 0x1_1000);
const SECTORS_BY_PACKETS: Kind = SECTORS.via(Way::Packets);
const SERIAL_72: Kind = Kind::serial("W25P20", "mode_status = 0x72").windowed(0x800);
const SERIAL_73: Kind = Kind::serial("MX25L2005", "mode_status = 0x73")
    .windowed(0x800)
    .via(Way::Packets);
const NO_SECTORS: Kind = Kind::parallel("AT49(H)F010").windowed(0x800);

const KINDS: [Kind; 5] = [
    SECTORS,
    SECTORS_BY_PACKETS,
    SERIAL_72,
    SERIAL_73,
    NO_SECTORS,
];

/// Operations of a write without a fault: in all, and before the first change.
fn length(kind: Kind) -> (u64, u64) {
    let drive = kind.drive();
    let written = drive.write(&drive.other_image());
    assert!(matches!(written.ended, Ended::Done(_)), "{written:?}");
    (drive.handle.counters().operations, written.before_change)
}

/// Writes with a fault, holds what is said against the flash, then writes
/// again without it.
fn survive(kind: Kind, fault: &Fault) -> Written {
    println!("{kind:?}, {fault:?}");
    let drive = kind.drive();
    let before = drive.flash();
    let target = drive.other_image();
    let drive = drive.with_fault(fault.clone());
    let written = drive.write(&target);
    assert_true(&written.ended, &before, &drive.flash(), &target);
    assert_backup(&drive, &written, &before);
    assert_harmless(&drive, fault);
    let repaired = drive.without_fault();
    let again = repaired.write(&target);
    assert!(again.ended.is_good(), "{written:?}\nthen {again:?}");
    assert!(repaired.flash() == target, "{written:?}\nthen {again:?}");
    if written.backup.is_some() {
        assert!(repaired.first_backup() == Some(repaired.backed_up(&before)));
    }
    repaired.assert_left();
    written
}

fn assert_backup(drive: &TestDrive, written: &Written, before: &[u8]) {
    if written.before_change != u64::MAX {
        assert!(written.backup.is_some(), "begun without a backup");
        assert!(drive.first_backup() == Some(drive.backed_up(before)));
    }
}

/// A drive that is stuck, or that lost a command, is left all the same; that
/// is the one thing which it may find odd.
fn assert_harmless(drive: &TestDrive, fault: &Fault) {
    for violation in drive.handle.violations() {
        let of_leaving = violation.contains("Command written while the drive is busy")
            || violation.starts_with("DEVICE RESET in vendor mode");
        assert!(of_leaving, "{fault:?}: {violation}");
    }
}

fn at_operation(kind: u8, operation: u64, executed: bool, status: u8) -> Fault {
    match kind {
        0 => Fault::StuckBusy { operation },
        1 => Fault::ChipBusy { operation },
        2 => Fault::WrongStatus { operation, status },
        3 => Fault::TransportError {
            operation,
            executed,
        },
        4 => Fault::TimeOut {
            operation,
            executed,
        },
        5 => Fault::PowerCut { operation },
        _ => Fault::Unplug { operation },
    }
}

fn at_place(kind: u8, at: u32, times: u64, mask: u8) -> Fault {
    let keeps = mask.max(1);
    match kind {
        0 => Fault::Flip {
            at,
            read: times,
            mask: keeps,
        },
        1 => Fault::Stuck { at },
        2 => Fault::PartialProgram { at, keeps, times },
        _ => Fault::WeakErase { at, keeps },
    }
}

/// A place that the write is about, or any other.
fn place(kind: Kind, choice: u32) -> u32 {
    match kind.range {
        Some(range) => range.start() + choice % range.len(),
        None => choice % kind.window.unwrap_or(0x2_0000),
    }
}

#[test]
fn any_fault_at_any_operation_leaves_a_true_statement_and_a_way_on() {
    let lengths = KINDS.map(length);
    let mut runner = runner(40);
    let strategy = (
        0..KINDS.len(),
        0..7_u8,
        0.0..1.0,
        any::<bool>(),
        any::<bool>(),
        any::<u8>(),
    );
    runner
        .run(&strategy, |(kind, fault, place, late, executed, status)| {
            let (all, before_change) = lengths[kind];
            let first = if late { before_change } else { 0 };
            let operation = 1 + first + (place * (all - first) as f64) as u64;
            survive(
                KINDS[kind],
                &at_operation(fault, operation, executed, status),
            );
            Ok(())
        })
        .unwrap();
}

#[test]
fn any_fault_of_a_cell_leaves_a_true_statement_and_a_way_on() {
    let mut runner = runner(24);
    let strategy = (0..KINDS.len(), 0..4_u8, any::<u32>(), 1..5_u64, any::<u8>());
    runner
        .run(&strategy, |(kind, fault, choice, times, mask)| {
            let kind = KINDS[kind];
            survive(kind, &at_place(fault, place(kind, choice), times, mask));
            Ok(())
        })
        .unwrap();
}

#[test]
fn cells_that_the_write_changes_and_that_do_not_obey_are_found() {
    // Each kind's places in a first page, past it, and among bytes to erase.
    for (kind, places) in [
        (SECTORS, [0x1_0003, 0x1_0185, 0x1_0010]),
        (SERIAL_72, [0x0003, 0x0185, 0x0010]),
        (NO_SECTORS, [0x0003, 0x0185, 0x0010]),
    ] {
        for at in places {
            let stuck = survive(kind, &Fault::Stuck { at });
            assert!(!stuck.ended.is_good() || kind.drive().other_image()[at as usize] == 0xFF);
            survive(kind, &Fault::WeakErase { at, keeps: 0xFF });
            let partly = Fault::PartialProgram {
                at,
                keeps: 0xFF,
                times: 1,
            };
            let written = survive(kind, &partly);
            // A page program is never repeated, a byte program is.
            let parallel = kind.chip != SERIAL_72.chip;
            assert!(!parallel || written.ended.is_good(), "{written:?}");
        }
    }
}

#[test]
fn a_failed_sector_is_named_among_the_begun_banks_only() {
    let drive = SECTORS.drive();
    let before = drive.flash();
    let target = drive.other_image();
    let drive = drive.with_fault(Fault::Stuck { at: 0xF123 });
    let written = drive.write(&target);
    let Ended::Failed(error) = &written.ended else {
        panic!("{written:?}");
    };
    let FlashState::Partly {
        written: done,
        begun,
        untouched,
    } = error.flash()
    else {
        panic!("{error:?}");
    };
    assert_eq!(begun.len() + done.len() + untouched.len(), 2);
    assert!(begun.iter().any(|bank| bank.0 == 0), "{error:?}");
    assert_true(&written.ended, &before, &drive.flash(), &target);
}

#[test]
fn noise_on_the_way_is_read_out_of_or_told() {
    for (seed, rate) in [(1, 1e-5), (2, 1e-4), (3, 1e-3), (4, 1e-2), (5, 0.3)] {
        for kind in [SECTORS, SERIAL_72] {
            let drive = kind.drive();
            let before = drive.flash();
            let target = drive.other_image();
            let drive = drive.with_fault(Fault::FlipRate { rate, seed });
            let written = drive.write(&target);
            assert_true(&written.ended, &before, &drive.flash(), &target);
            assert_backup(&drive, &written, &before);
            assert_eq!(drive.handle.violations(), [""; 0]);
        }
    }
}

#[test]
fn a_byte_that_never_reads_alike_is_an_error_with_its_offset() {
    let drive = SECTORS
        .drive()
        .with_fault(Fault::FlipRate { rate: 0.5, seed: 9 });
    let mut device = match drive.open() {
        Ok(device) => device,
        // The ID is read twice as well.
        Err(_) => return,
    };
    let selection = SECTORS.selection();
    let result = drive.run(&mut device, &mut Vec::new(), |job| {
        mtkflash::job::read::read(job, &selection)
    });
    assert!(
        matches!(result, Err(JobError::Unstable { attempts: 16, .. })),
        "{result:?}"
    );
}

#[test]
fn a_misread_chip_id_is_not_believed() {
    // BF B6 is SST39SF020 with 256 KiB; BF B7, one bit away, SST39SF040 with 512.
    let drive = Kind::parallel("SST39SF020")
        .drive()
        .with_fault(Fault::Flip {
            at: 1,
            read: 1,
            mask: 0x01,
        });
    match drive.open() {
        Ok(mut device) => {
            assert_eq!(device.capabilities().size, 0x4_0000);
            device.leave().unwrap();
        }
        Err(error) => println!("{error}"),
    }
    drive.assert_left();
}

#[test]
fn a_read_that_succeeds_is_the_flash() {
    let drive = Kind::parallel("Pm39LV010")
        .drive()
        .with_fault(Fault::FlipRate {
            rate: 1e-4,
            seed: 77,
        });
    let dump = drive.read().unwrap();
    assert!(dump.disagreements > 0);
    assert!(dump.bytes == drive.flash());
    assert_eq!(Checksum::of(&dump.bytes), Checksum::of(&drive.flash()));
    drive.assert_left();
}

fn runner(cases: u32) -> proptest::test_runner::TestRunner {
    proptest::test_runner::TestRunner::new_with_rng(
        ProptestConfig {
            cases,
            failure_persistence: None,
            max_shrink_iters: 20,
            ..ProptestConfig::default()
        },
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    )
}
