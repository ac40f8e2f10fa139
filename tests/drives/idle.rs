//! A chip that is busy or gone answers reads as well: with FF, or with a status
//! of which two reads may agree. What is said of the flash rests on a chip that
//! was there and idle.

use mtkflash::image::Image;
use mtkflash::job::change::ChangeError;
use mtkflash::job::{FlashState, JobError};
use mtkflash::protocol::{DeviceError, NotIdle};
use mtkflash::sim::Fault;

use super::bench::{Ended, Kind, TestDrive};

const PARALLEL: Kind = Kind::parallel("Pm39LV010").selecting(0xF000, 0x1_1000);
const SERIAL_72: Kind = Kind::serial("W25P20", "mode_status = 0x72").windowed(0x800);
const SERIAL_73: Kind = Kind::serial("MX25L2005", "mode_status = 0x73").windowed(0x800);
const KINDS: [Kind; 3] = [PARALLEL, SERIAL_72, SERIAL_73];

/// Operations of a job without a fault.
fn length(drive: &TestDrive, job: impl Fn(&TestDrive)) -> u64 {
    job(drive);
    drive.handle.counters().operations
}

/// Some operations of a job, and all of its last ones.
fn operations(length: u64) -> impl Iterator<Item = u64> {
    let some = (1..length).step_by((length / 40).max(1) as usize);
    some.chain(length.saturating_sub(20)..=length)
}

fn busy_from(kind: Kind, operation: u64) -> TestDrive {
    kind.drive().with_fault(Fault::ChipBusy { operation })
}

fn is_not_idle(error: &JobError) -> bool {
    matches!(
        error,
        JobError::Device {
            source: DeviceError::NotIdle(_),
            ..
        }
    )
}

#[test]
fn a_dump_is_the_flash_whenever_the_chip_becomes_busy() {
    for kind in KINDS {
        let length = length(&kind.drive(), |drive| drop(drive.read().unwrap()));
        let mut refused = 0;
        for operation in operations(length) {
            let drive = busy_from(kind, operation);
            let Ok(mut device) = drive.open() else {
                continue;
            };
            let selection = kind.selection();
            let dump = drive.run(&mut device, &mut Vec::new(), |job| {
                mtkflash::job::read::read(job, &selection)
            });
            let _ = device.leave();
            match dump {
                Ok(dump) => {
                    for range in &dump.ranges {
                        assert!(
                            range.of(&dump.bytes) == range.of(&drive.flash()),
                            "{kind:?}: {operation}"
                        );
                    }
                }
                Err(error) => {
                    assert_eq!(error.flash(), FlashState::Unchanged);
                    refused += u32::from(is_not_idle(&error));
                }
            }
        }
        assert!(refused > 20, "{kind:?}: {refused}");
    }
}

#[test]
fn a_comparison_finds_no_difference_that_is_not_there() {
    for kind in KINDS {
        let image = kind.drive().flash();
        let length = length(&kind.drive(), |drive| drop(drive.verify(&image).unwrap()));
        for operation in operations(length) {
            let drive = busy_from(kind, operation);
            let Ok(mut device) = drive.open() else {
                continue;
            };
            let image = Image::from_bytes(image.clone());
            let selection = kind.selection();
            let compared = drive.run(&mut device, &mut Vec::new(), |job| {
                mtkflash::job::verify::verify(job, &image, &selection, &[])
            });
            let _ = device.leave();
            if let Ok((compared, _)) = compared {
                assert_eq!(compared.difference, None, "{kind:?}: {operation}");
            }
        }
    }
}

#[test]
fn a_busy_serial_chip_that_reads_as_blank_is_not_said_to_be_blank() {
    for kind in [SERIAL_72, SERIAL_73] {
        let blank = vec![0xFF; 0x800];
        let drive = kind.drive();
        let mut device = drive.open().unwrap();
        let opened = drive.handle.counters().operations;
        device.leave().unwrap();
        let compared = busy_from(kind, opened - 1).verify(&blank);
        let Err(JobError::Device { source, flash }) = &compared else {
            panic!("{compared:?}");
        };
        assert!(
            matches!(source, DeviceError::NotIdle(NotIdle::Busy { .. })),
            "{source}"
        );
        assert_eq!(*flash, FlashState::Unchanged);
    }
}

#[test]
fn a_flash_that_holds_the_image_is_not_said_to_hold_something_else() {
    for kind in KINDS {
        let drive = kind.drive();
        let image = drive.other_image();
        let length = length(&drive, |drive| {
            assert!(drive.write(&image).ended.is_good());
        });
        for operation in operations(length) {
            let drive = busy_from(kind, operation);
            let written = drive.write(&image);
            assert!(
                !matches!(written.ended, Ended::Failed(ChangeError::Different(_))),
                "{kind:?}: {operation}: {written:?}"
            );
            assert!(
                drive.flash() == image || !written.ended.is_good(),
                "{kind:?}: {operation}"
            );
        }
    }
}

#[test]
fn a_chip_of_which_two_reads_agree_while_it_is_busy_gives_no_backup() {
    let length = length(&PARALLEL.drive(), |drive| drop(drive.read().unwrap()));
    for operation in length / 2..length / 2 + 64 {
        let drive = busy_from(PARALLEL, operation);
        let image = drive.other_image();
        let before = drive.flash();
        let written = drive.write(&image);
        if let Some(backup) = drive.first_backup() {
            assert!(backup == drive.backed_up(&before), "{operation}");
        }
        assert_eq!(written.ended.flash(), Some(FlashState::Unchanged));
    }
}
