//! Stopping a job: at once before the first change, at the end after it.

use mtkflash::job::change::ChangeError;
use mtkflash::job::{Event, JobError};

use super::bench::{Ended, Kind, TestDrive};

const SECTORS: Kind = Kind::parallel("Pm39LV010").selecting(0xF000, 0x1_1000);
const SERIAL: Kind = Kind::serial("W25P20", "mode_status = 0x73").windowed(0x800);

fn stopped_at(kind: Kind, operation: u64) -> TestDrive {
    let drive = kind.drive();
    let stop = drive.stop.clone();
    drive.handle.at_operation(operation, move || stop.request());
    drive
}

/// Operations up to the last one that may still be stopped, and in all.
fn lengths(kind: Kind) -> (u64, u64) {
    let drive = kind.drive();
    let written = drive.write(&drive.other_image());
    let leaving = 2;
    let all = drive.handle.counters().operations - leaving;
    (written.before_change, all)
}

#[test]
fn a_stop_before_the_first_change_ends_the_job_and_changes_nothing() {
    for kind in [SECTORS, SERIAL] {
        let (before_change, _) = lengths(kind);
        let some = (1..10).map(|tenth| before_change * tenth / 10);
        for operation in some.chain([3, 4, before_change - 1, before_change]) {
            let drive = stopped_at(kind, operation);
            let before = drive.flash();
            let written = drive.write(&drive.other_image());
            assert!(
                matches!(
                    written.ended,
                    Ended::NotPrepared(JobError::Stopped)
                        | Ended::Failed(ChangeError::Job(JobError::Stopped))
                ),
                "at operation {operation}: {written:?}"
            );
            assert!(drive.flash() == before);
            let counters = drive.handle.counters();
            assert_eq!((counters.programs, counters.sector_erases), (0, 0));
            let mut events = written.events.iter();
            assert!(!events.any(|event| matches!(event, Event::StopPostponed)));
            drive.assert_left();
        }
    }
}

#[test]
fn a_stop_after_the_first_change_is_postponed_once_and_the_job_finishes() {
    for kind in [SECTORS, SERIAL] {
        let (before_change, all) = lengths(kind);
        let some = (1..10).map(|tenth| before_change + (all - before_change) * tenth / 10);
        for operation in some.chain([before_change + 1, before_change + 2, all - 300]) {
            let drive = stopped_at(kind, operation);
            let image = drive.other_image();
            let written = drive.write(&image);
            assert!(
                matches!(written.ended, Ended::Done(_)),
                "at operation {operation}: {written:?}"
            );
            assert!(drive.flash() == image);
            let told = written.events.iter();
            let told = told
                .filter(|event| matches!(event, Event::StopPostponed))
                .count();
            assert_eq!(told, 1, "at operation {operation}");
            drive.assert_left();
        }
    }
}

#[test]
fn a_stop_ends_a_read() {
    let drive = stopped_at(SECTORS, 5000);
    assert!(matches!(drive.read(), Err(JobError::Stopped)));
    assert!(drive.handle.counters().operations < 5300, "within a page");
    drive.assert_left();
}

#[test]
fn a_stop_ends_the_wait_for_a_drive_that_refuses_the_mode() {
    use mtkflash::protocol::DeviceError;
    use mtkflash::protocol::vendor_mode::VendorMode;
    use mtkflash::transport::PortTaskFile;
    use std::ops::ControlFlow;
    use std::time::Duration;

    let drive = Kind::serial("W25P20", "entry = \"refused\"").drive();
    let ports = PortTaskFile::new(
        drive.handle.registers().unwrap(),
        drive.handle.unit(),
        true,
        drive.handle.clock(),
    );
    let mut asked = 0;
    let patience = Duration::from_secs(200);
    let entered = VendorMode::enter(Box::new(ports), drive.handle.clock(), patience, &mut |_| {
        asked += 1;
        if asked < 7 {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    });
    assert!(matches!(entered.err(), Some(DeviceError::Stopped)));
    let ata = drive.handle.counters().ata;
    assert_eq!((ata.of(0x80), ata.total()), (7, 7), "nothing but entries");
    drive.assert_decent();
}
