//! From a `[[drive]]` of a bench to the drive.

use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;

use super::file::{DriveSetup, Entry, Gap, ModelKind, Source};
use super::part::Part;
use super::{BenchError, SimDriveHandle, Wrong};
use crate::flash::FlashRange;
use crate::flash::chip::{Bus, Chip};
use crate::sim::blu_ray::Board;
use crate::sim::drive::{Core, Drive, Model, TaskFileRegisters};
use crate::sim::firmware::Names;
use crate::sim::flash_memory::Array;
use crate::sim::memory::Memory;
use crate::sim::packet_drive::{BluRay, Btc, Habits, PacketDrive, Protocol, Setup, VendorBlocks};
use crate::sim::parallel_flash::ParallelFlash;
use crate::sim::serial_flash::SerialFlash;
use crate::sim::state::{FlashError, Remembered, StateFiles};
use crate::sim::vendor_mode::{FlashPart, Refusals, VendorMode};

/// The drive behind a handle, with the state that the last run left in `folder`.
pub(super) fn drive(
    source: &Source<'_>,
    setup: &Spanned<DriveSetup>,
    handle: &SimDriveHandle,
    folder: Option<&Path>,
) -> Result<Drive, BenchError> {
    let part = Part::of(source, setup)?;
    let span = setup.span();
    let setup = setup.get_ref();
    let identity = handle.identity.clone();
    let contents = || {
        let names = setup.names();
        setup.contents.bytes(part.size(), &identity, names)
    };
    let (memory, remembered, state) = match folder {
        None => (Memory::new(contents()), Remembered::default(), None),
        Some(folder) => {
            let state = StateFiles::of(folder, &handle.name());
            let failed = |file: PathBuf| |error| source.state(&span, file, error);
            let memory = match state.open_flash(part.size(), contents) {
                Ok(memory) => memory,
                Err(FlashError::OtherLength(length)) => {
                    let (file, size) = (state.flash, part.size());
                    return Err(source.invalid(&span, Wrong::OtherLength { file, length, size }));
                }
                Err(FlashError::Io(error)) => return Err(failed(state.flash)(error)),
            };
            let remembered = state.load().map_err(failed(state.remembered.clone()))?;
            (memory, remembered, Some(state))
        }
    };
    let own = identity.clone();
    let model: Box<dyn Model> = match part {
        Part::Chip(chip, mode_status) => {
            let part = flash_part(setup, &chip, Array::new(memory));
            let refusals = setup.refusals();
            let drive = VendorMode::new(own, mode_status, refusals, part, &remembered);
            Box::new(match setup.liteon_read {
                true => drive.with_program_memory(setup.liteon_differs),
                false => drive,
            })
        }
        Part::Whole(_, protocol) => {
            let habits = setup
                .habits()
                .ok_or_else(|| source.invalid(&span, Wrong::Seconds))?;
            Box::new(PacketDrive::new(protocol, memory, habits, own, &remembered))
        }
    };
    let core = Core {
        identity,
        clock: handle.clock(),
        latency: setup.latency,
        registers: TaskFileRegisters {
            device: handle.unit().device(),
            status: model.resting_status(),
            ..TaskFileRegisters::default()
        },
        ..Core::default()
    };
    let mut drive = Drive::new(core, model, state, remembered);
    drive.inquiry_fails = setup.inquiry_fails || setup.dead;
    for fault in &setup.fault {
        drive.add_fault(fault.clone());
    }
    Ok(drive)
}

fn flash_part(setup: &DriveSetup, chip: &Chip, array: Array) -> FlashPart {
    match &chip.bus {
        Bus::Parallel(unlock) => {
            FlashPart::Parallel(Box::new(ParallelFlash::new(chip, *unlock, array)))
        }
        Bus::Serial(bus) => {
            let part = SerialFlash::new(chip, bus, array);
            FlashPart::Serial(Box::new(match (setup.wp_held, setup.protected) {
                (true, _) => part.locked(),
                (false, true) => part.protected(),
                (false, false) => part,
            }))
        }
    }
}

impl DriveSetup {
    /// Where firmware of this drive has its names.
    fn names(&self) -> Names {
        match self.model {
            ModelKind::VendorMode | ModelKind::Mt1339 | ModelKind::Sd616 => Names::LiteOn,
            ModelKind::Btc => Names::Btc,
            ModelKind::Mt1939 => Names::Mt1939,
            ModelKind::Mt1959 => Names::BluRay(board(&self.board).of_drive(self.individual())),
        }
    }

    /// A number that only this drive has: FNV-1a of its serial number.
    fn individual(&self) -> u64 {
        let serial = self.serial.as_deref().unwrap_or("").bytes();
        serial.fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
        })
    }

    fn refusals(&self) -> Refusals {
        Refusals {
            count: match self.entry {
                Entry::Always => 0,
                Entry::Refused => u64::MAX,
                Entry::AfterPowerCycles => self.power_cycles.unwrap_or(2),
            },
            status: self.refusal_status.unwrap_or(0x51),
        }
    }

    fn habits(&self) -> Option<Habits> {
        let usual = match self.model {
            ModelKind::Mt1939 => 10.0,
            _ => 8.0,
        };
        let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).ok();
        Some(Habits {
            program: seconds(self.program_seconds.unwrap_or(usual))?,
            restart: seconds(self.restart_seconds.unwrap_or(2.0))?,
            reenumerates: self.reenumerates.unwrap_or(self.model == ModelKind::Mt1939),
            boot_loader: self
                .boot_loader
                .unwrap_or(matches!(self.model, ModelKind::Mt1939 | ModelKind::Mt1959)),
        })
    }

    /// The bytes in the flash of a packet drive, and its protocol; `None` where the
    /// chip says how many.
    pub(super) fn packets(&self) -> Option<(u32, Box<dyn Protocol>)> {
        let gaps = || {
            let range = |gap: &Gap| FlashRange::new(gap.start, gap.end);
            self.unreadable.iter().map(range).collect()
        };
        Some(match self.model {
            ModelKind::VendorMode => return None,
            ModelKind::Btc => (0x10_0000, Box::new(Btc::default())),
            ModelKind::Mt1339 => (0x4_0000, Box::new(VendorBlocks::mt1339())),
            ModelKind::Sd616 => (0x2_0000, Box::new(VendorBlocks::sd616())),
            ModelKind::Mt1939 => (0x20_0000, Box::new(VendorBlocks::mt1939(gaps()))),
            ModelKind::Mt1959 => (0x20_0000, Box::new(BluRay::new(self.board.clone(), gaps()))),
        })
    }
}

fn board(setup: &Setup) -> Board {
    let mut board = Board::new("", setup.platform()).svc(&setup.svc);
    setup.banner().clone_into(&mut board.banner);
    board.wants.clone_from(&setup.wants);
    board.boot_aes = setup.boot_aes;
    let board = if setup.aes { board.aes() } else { board };
    let date = setup.date.clone().unwrap_or_else(|| board.date.clone());
    Board { date, ..board }
}
