//! Runs that end in the middle: by a panic, by a kill, by being dropped.

use std::panic::{AssertUnwindSafe, catch_unwind};

use mtkflash::flash::FlashRange;
use mtkflash::protocol::FirmwareDevice;
use mtkflash::scsi::PacketDevice;
use mtkflash::transport::{
    Answer, Expect, IdentifyError, Registers, TaskFile, TaskFileError, TransportError,
};

use super::bench::{Ended, Kind, TestDrive};

const SECTORS: Kind = Kind::parallel("Pm39LV010").selecting(0xF000, 0x1_1000);
const SERIAL: Kind = Kind::serial("W25P20", "mode_status = 0x72").windowed(0x800);
const NO_SECTORS: Kind = Kind::parallel("AT49(H)F010").windowed(0x800);

/// A process that is killed: after so many commands nothing reaches the drive
/// any more, not even what leaves the mode.
struct Killed {
    task_file: Box<dyn TaskFile + Send>,
    commands: u64,
}

impl TaskFile for Killed {
    fn identify(&mut self) -> Result<PacketDevice, IdentifyError> {
        self.task_file.identify()
    }

    fn select(&mut self) -> Result<(), TaskFileError> {
        self.task_file.select()
    }

    fn execute(
        &mut self,
        registers: &Registers,
        expect: Expect,
        want_lba_low: bool,
    ) -> Result<Answer, TaskFileError> {
        match self.commands {
            0 => Err(TransportError::Vanished.into()),
            1 => {
                self.commands = 0;
                std::panic::panic_any(Kill)
            }
            _ => {
                self.commands -= 1;
                self.task_file.execute(registers, expect, want_lba_low)
            }
        }
    }
}

/// Not a message of a failing test.
struct Kill;

fn silently<T>(run: impl FnOnce() -> T) -> Option<T> {
    use std::sync::Once;
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !panic.payload().is::<Kill>() {
                usual(panic);
            }
        }));
    });
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(value) => Some(value),
        Err(panic) if panic.is::<Kill>() => None,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Writes until the process is killed before its n-th task-file command;
/// `None` then.
fn write_killed(drive: &TestDrive, image: &[u8], commands: u64) -> Option<Ended> {
    silently(|| {
        drive
            .write_wrapped(image, |task_file| {
                Box::new(Killed {
                    task_file,
                    commands,
                })
            })
            .ended
    })
}

/// Task-file commands of a write: before the first change, and in all but for
/// the two that leave the mode.
fn lengths(kind: Kind) -> (u64, u64) {
    let drive = kind.drive();
    let written = drive.write(&drive.other_image());
    let packets = drive.handle.counters().packets.total();
    let all = drive.handle.counters().operations - packets - 2;
    (written.before_change - packets, all)
}

#[test]
fn a_write_that_was_killed_anywhere_is_taken_up_where_it_ended() {
    for (kind, points) in [(SECTORS, 24), (SERIAL, 50), (NO_SECTORS, 30)] {
        let (before_change, all) = lengths(kind);
        let changing = all - before_change;
        let some = (0..=points).map(|point| before_change + changing * point / points);
        let first = (1..8).map(|command| before_change + command);
        for commands in some.chain(first).chain([2, 5, before_change / 2]) {
            let drive = kind.drive();
            let before = drive.flash();
            let target = drive.other_image();
            let ended = write_killed(&drive, &target, commands);
            assert!(
                ended.is_none(),
                "killed before command {commands}: {ended:?}"
            );
            // The drive is still in the mode and cannot say who it is. Nor can this
            // part of its flash: somebody has to switch it off and on.
            if kind.window.is_some() && commands <= before_change {
                drive.handle.power_cycle();
            }
            let again = drive.write(&target);
            assert!(again.ended.is_good(), "command {commands}: {again:?}");
            assert!(drive.flash() == target, "command {commands}");
            if let Some(backup) = drive.first_backup() {
                assert!(backup == drive.backed_up(&before), "command {commands}");
            }
            drive.assert_decent();
        }
    }
}

#[test]
fn a_write_that_is_killed_again_and_again_ends_with_the_image() {
    for kind in [SECTORS, SERIAL] {
        let (before_change, all) = lengths(kind);
        let drive = kind.drive();
        let before = drive.flash();
        let target = drive.other_image();
        let mut killed = 0;
        let mut commands = before_change + 10;
        let ended = loop {
            match write_killed(&drive, &target, commands) {
                None => killed += 1,
                Some(ended) => break ended,
            }
            commands += (all - before_change) / 12;
        };
        assert!(ended.is_good(), "{ended:?}");
        assert!(killed > 3, "{killed}");
        assert!(drive.flash() == target);
        assert!(drive.first_backup() == Some(drive.backed_up(&before)));
        drive.assert_decent();
    }
}

#[test]
fn a_kept_range_survives_an_interruption_in_the_sector_around_it() {
    let ranges = [
        (SECTORS, FlashRange::new(0x1_0040, 0x1_0050)),
        (SERIAL, FlashRange::new(0x0040, 0x0050)),
    ];
    for (kind, keep) in ranges {
        let mut longest = kind.drive();
        longest.keep = vec![keep];
        let written = longest.write(&longest.other_image());
        let packets = longest.handle.counters().packets.total();
        let all = longest.handle.counters().operations - packets;
        let before_change = written.before_change - packets;
        for part in 0..12 {
            let commands = before_change + 1 + (all - before_change) * part / 12;
            let mut drive = kind.drive();
            drive.keep = vec![keep];
            let before = drive.flash();
            let mut target = drive.other_image();
            target[0x45] ^= 0xFF;
            if let Some(byte) = target.get_mut(0x1_0045) {
                *byte ^= 0xFF;
            }
            let mut wanted = target.clone();
            keep.of_mut(&mut wanted).copy_from_slice(keep.of(&before));
            if kind.range.is_some() {
                wanted[0x45] = before[0x45];
            }
            let ended = write_killed(&drive, &target, commands);
            assert!(ended.is_none(), "{ended:?}");
            let again = drive.write(&target);
            assert!(again.ended.is_good(), "command {commands}: {again:?}");
            assert!(drive.flash() == wanted, "command {commands}");
            assert!(drive.first_backup() == Some(drive.backed_up(&before)));
        }
    }
}

#[test]
fn a_blank_flash_that_an_interrupted_write_left_needs_no_new_flag() {
    for kind in [SECTORS, SERIAL, NO_SECTORS] {
        let drive = kind.drive();
        let target = drive.other_image();
        let (before_change, _) = lengths(kind);
        write_killed(&drive, &target, before_change + 2);
        match kind.range {
            Some(range) => drive
                .handle
                .set_flash(range.start(), &vec![0xFF; range.len() as usize]),
            None => drive.handle.set_flash(0, &vec![0xFF; 0x4_0000]),
        }
        let again = drive.write(&target);
        assert!(again.ended.is_good(), "{again:?}");
        assert!(drive.flash() == target);
    }
}

#[test]
fn a_flash_that_was_patched_after_a_write_is_backed_up_before_the_same_write() {
    let drive = SECTORS.drive();
    let image = drive.other_image();
    assert!(drive.write(&image).ended.is_good());
    // Bits that neither the flash of then nor the image has: nobody's half-done work.
    drive.handle.set_flash(0x1_0180, &[0x00, 0x00]);
    let patched = drive.flash();
    let again = drive.write(&image);
    assert!(again.ended.is_good(), "{again:?}");
    let backup = std::fs::read(again.backup.unwrap()).unwrap();
    assert!(backup == drive.backed_up(&patched));
}

#[test]
fn a_drive_that_has_forgotten_its_name_is_known_by_its_backup() {
    // It never says who it is, and its flash, which did, is erased by now.
    let kind = Kind::serial("W25P20", "inquiry_fails = true");
    let drive = kind.drive();
    let target = drive.image_with(&[(0x1234, !drive.flash()[0x1234])]);
    let (before_change, _) = {
        let drive = kind.drive();
        let written = drive.write(&target);
        assert!(written.ended.is_good(), "{written:?}");
        let packets = drive.handle.counters().packets.total();
        (written.before_change - packets, ())
    };
    assert!(write_killed(&drive, &target, before_change + 2000).is_none());
    let again = drive.write(&target);
    assert!(again.ended.is_good(), "{again:?}");
    assert!(drive.flash() == target);
}

#[test]
fn a_panic_leaves_the_mode() {
    for kind in [SECTORS, SERIAL] {
        let drive = kind.drive();
        drive
            .handle
            .at_operation(3000, || std::panic::panic_any(Kill));
        let image = drive.other_image();
        assert!(silently(|| drive.write(&image)).is_none());
        drive.assert_left();
    }
}

#[test]
fn a_device_that_is_dropped_leaves_the_mode_and_leaving_twice_is_leaving_once() {
    for kind in [SECTORS, SERIAL] {
        let drive = kind.drive();
        let mut device: Box<dyn FirmwareDevice> = drive.open().unwrap();
        device
            .read(mtkflash::flash::Offset(0), &mut [0; 256])
            .unwrap();
        drop(device);
        drive.assert_left();

        let drive = kind.drive();
        let mut device = drive.open().unwrap();
        device.leave().unwrap();
        device.leave().unwrap();
        drop(device);
        drive.assert_left();
    }
}
