//! Benches: files that put simulated drives on the positions 1 to 4.
//!
//! ```toml
//! [[drive]]
//! position = 3
//! vendor = "SONY"
//! product = "DVD RW DW-D22A"
//! revision = "BYS1"
//! chip = "SST39VF080"
//! contents = { recipe = "firmware", seed = 1 }
//! ```
//!
//! The flash of each drive is kept in `NAME.flash` in the folder
//! `<bench>.state` beside the bench, where NAME is `position-3` or made of the
//! drive's path; see [`DriveSetup`] for all keys.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::channel::{Channel, SharedChannel, SimPorts, lock};
use super::clock::SimClock;
use super::counters::Counters;
use super::drive::{Core, Drive, Latency, Model, Presence, TaskFileRegisters};
use super::faults::{Fault, Hook};
use super::firmware::{Firmware, Names, erased_but_boot_code};
use super::flash_memory::Times;
use super::memory::{Memory, Misreads};
use super::packet::{Bridge, RegisterLayout, SimPacketTransport, SimTarget};
use super::packet_drive::{Btc, Habits, Mt1959, PacketDrive, Protocol, VendorBlocks};
use super::parallel_flash::ParallelFlash;
use super::random::Random;
use super::serial_flash::SerialFlash;
use super::state::{Remembered, StateFile};
use super::target::{InRealTime, ScsiTarget};
use super::vendor_mode::{Entry, FlashPart, VendorMode};
use crate::flash::FlashRange;
use crate::flash::chip::{self, Bus, Chip, ChipId};
use crate::scsi::Identity;
use crate::transport::clock::SystemClock;
use crate::transport::{PacketTransport, RegisterAccess, Unit};

/// The largest flash that a drive of this bench may have, in bytes.
const LARGEST_FLASH: u32 = 16 * 1024 * 1024;

/// A bench that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    #[error("{}: {source}", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// No TOML, an unknown key, or a value that makes no sense.
    #[error("{}:{line}: {message}", path.display())]
    Invalid {
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        message: String,
    },
    /// A file in which the drive of this line keeps its state.
    #[error("{}:{line}: the state of this drive, {}: {source}", path.display(), file.display())]
    State {
        path: PathBuf,
        line: usize,
        file: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// A bench file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BenchSetup {
    /// Folder for the state, seen from the bench file.
    state: Option<PathBuf>,
    #[serde(default)]
    drive: Vec<Spanned<DriveSetup>>,
}

/// A `[[drive]]` of a bench file. It needs a `position`, a `path` or both.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriveSetup {
    /// 1 to 4: primary master to secondary slave.
    position: Option<Spanned<u8>>,
    /// A name such as `/dev/sg4`, for a drive behind USB also instead of a position.
    path: Option<Spanned<PathBuf>>,
    #[serde(default)]
    model: ModelKind,
    vendor: String,
    product: String,
    revision: String,
    serial: Option<String>,
    /// Never answers a packet, and does not say who it is: only the legacy ports
    /// reach it.
    #[serde(default)]
    dead: bool,
    /// Answers INQUIRY and IDENTIFY PACKET DEVICE with an error.
    #[serde(default)]
    inquiry_fails: bool,
    /// 0x70 parallel, 0x72 or 0x73 serial; without it, 0x70 or 0x72 by the chip.
    mode_status: Option<Spanned<u8>>,
    /// A part of the chip table, by its part number.
    chip: Option<Spanned<String>>,
    /// Instead of `chip`: one that is in no table.
    unknown_chip: Option<Spanned<UnknownChip>>,
    #[serde(default)]
    entry: EntryKind,
    /// The status of a refused entry.
    #[serde(default = "refusal")]
    refusal_status: u8,
    /// Refused entries before `entry = "after-power-cycles"` succeeds.
    #[serde(default = "two")]
    power_cycles: u64,
    #[serde(default)]
    contents: Contents,
    #[serde(default)]
    latency: Latency,
    #[serde(default)]
    registers: RegisterLayout,
    /// The first sense data of more than 18 bytes is cut (usb-storage).
    #[serde(default)]
    truncate_first_sense: bool,
    /// The serial chip comes with its block-protect bits set.
    #[serde(default)]
    protected: bool,
    /// Of a packet drive: the seconds for which it programs, each time; 8, or
    /// 10 for an MT1939.
    program_seconds: Option<f64>,
    /// Of a packet drive: the seconds that its restart takes.
    #[serde(default = "restart_seconds")]
    restart_seconds: f64,
    /// Of a packet drive: leaves the bus to restart, as only an MT1939 does
    /// without this key.
    reenumerates: Option<bool>,
    /// Of a packet drive: where its firmware does not run, a boot loader takes
    /// the same commands, as on MT1939 and MT1959 drives without this key.
    boot_loader: Option<bool>,
    /// Of an MT1939 or MT1959: what it does not let be read.
    #[serde(default)]
    unreadable: Vec<Gap>,
    /// Of an MT1959: 16 characters at 3000.
    banner: Option<String>,
    /// Of an MT1959: does not let its calibration be overwritten.
    #[serde(default = "yes")]
    keeps_calibration: bool,
    #[serde(default)]
    fault: Vec<Fault>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ModelKind {
    /// Nothing but vendor mode and the packets that every drive knows.
    #[default]
    VendorMode,
    /// BTC DRW1004, DRW1008, DRW1108.
    Btc,
    /// TSST DVD-ROM with an MT1339.
    Mt1339,
    /// Samsung SD-616.
    Sd616,
    /// Samsung SE-506CB.
    Mt1939,
    /// LG and ASUS Blu-ray.
    Mt1959,
}

impl ModelKind {
    /// Bytes in the flash of a packet drive; `None` where the chip says it.
    fn flash_size(self) -> Option<u32> {
        match self {
            ModelKind::VendorMode => None,
            ModelKind::Sd616 => Some(0x2_0000),
            ModelKind::Mt1339 => Some(0x4_0000),
            ModelKind::Btc => Some(0x10_0000),
            ModelKind::Mt1939 | ModelKind::Mt1959 => Some(0x20_0000),
        }
    }
}

/// A part of the flash, from `start` up to but without `end`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Gap {
    start: u32,
    end: u32,
}

impl DriveSetup {
    /// Where firmware of this drive has its names.
    fn names(&self) -> Names {
        match self.model {
            ModelKind::VendorMode | ModelKind::Mt1339 | ModelKind::Sd616 => Names::LiteOn,
            ModelKind::Btc => Names::Btc,
            ModelKind::Mt1939 => Names::Mt1939,
            ModelKind::Mt1959 => Names::Mt1959 {
                banner: self.banner.clone().unwrap_or_else(default_banner),
                individual: Some(self.individual()),
            },
        }
    }

    /// A number that only this drive has: FNV-1a of its serial number.
    fn individual(&self) -> u64 {
        let serial = self.serial.as_deref().unwrap_or("").bytes();
        serial.fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
        })
    }

    fn habits(&self) -> Option<Habits> {
        let usual = match self.model {
            ModelKind::Mt1939 => 10.0,
            _ => 8.0,
        };
        let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).ok();
        Some(Habits {
            program: seconds(self.program_seconds.unwrap_or(usual))?,
            restart: seconds(self.restart_seconds)?,
            reenumerates: self.reenumerates.unwrap_or(self.model == ModelKind::Mt1939),
            boot_loader: self
                .boot_loader
                .unwrap_or(matches!(self.model, ModelKind::Mt1939 | ModelKind::Mt1959)),
        })
    }

    fn protocol(&self) -> Option<Box<dyn Protocol>> {
        let gaps = || {
            let range = |gap: &Gap| FlashRange {
                start: gap.start,
                end: gap.end,
            };
            self.unreadable.iter().map(range).collect()
        };
        Some(match self.model {
            ModelKind::VendorMode => return None,
            ModelKind::Btc => Box::new(Btc::default()),
            ModelKind::Mt1339 => Box::new(VendorBlocks::mt1339()),
            ModelKind::Sd616 => Box::new(VendorBlocks::sd616()),
            ModelKind::Mt1939 => Box::new(VendorBlocks::mt1939(gaps())),
            ModelKind::Mt1959 => Box::new(Mt1959::new(gaps(), self.keeps_calibration)),
        })
    }
}

fn default_banner() -> String {
    "MT1959 Boot BU5 ".to_owned()
}

fn restart_seconds() -> f64 {
    2.0
}

fn yes() -> bool {
    true
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum EntryKind {
    #[default]
    Always,
    Refused,
    AfterPowerCycles,
}

fn refusal() -> u8 {
    0x51
}

fn two() -> u64 {
    2
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct UnknownChip {
    manufacturer: u8,
    device: u8,
    /// Bytes.
    size: u32,
}

/// What a flash holds when there is no state yet.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "recipe", rename_all = "kebab-case", deny_unknown_fields)]
enum Contents {
    /// A [`Firmware`], with the drive's own identity unless others are named.
    Firmware {
        #[serde(default)]
        seed: u64,
        vendor: Option<String>,
        product: Option<String>,
        revision: Option<String>,
    },
    /// As `firmware`, of which only the first 64 KiB are left: the boot code of
    /// a Blu-ray drive.
    BootCode,
    /// FF throughout.
    Blank,
    /// 00 throughout.
    Zeros,
    /// Random bytes.
    Noise {
        #[serde(default)]
        seed: u64,
    },
}

impl Default for Contents {
    fn default() -> Self {
        Contents::Firmware {
            seed: 0,
            vendor: None,
            product: None,
            revision: None,
        }
    }
}

impl Contents {
    fn bytes(&self, size: u32, identity: &Identity, names: Names) -> Vec<u8> {
        let length = size as usize;
        match self {
            Contents::BootCode => {
                let firmware = Contents::default().bytes(size, identity, names);
                erased_but_boot_code(firmware)
            }
            Contents::Blank => vec![0xFF; length],
            Contents::Zeros => vec![0x00; length],
            Contents::Noise { seed } => {
                let mut random = Random::new(*seed);
                (0..length).map(|_| random.byte()).collect()
            }
            Contents::Firmware {
                seed,
                vendor,
                product,
                revision,
            } => Firmware::new(size, *seed)
                .with(names)
                .identified(
                    vendor.as_ref().unwrap_or(&identity.vendor),
                    product.as_ref().unwrap_or(&identity.product),
                    revision.as_ref().unwrap_or(&identity.revision),
                )
                .bytes(),
        }
    }
}

/// A bench file's text, for turning places in it into lines.
struct Source<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Source<'_> {
    fn line(&self, span: &Range<usize>) -> usize {
        let before = self.text.as_bytes().iter().take(span.start);
        1 + before.filter(|byte| **byte == b'\n').count()
    }

    fn invalid(&self, span: &Range<usize>, message: impl Into<String>) -> BenchError {
        BenchError::Invalid {
            path: self.path.to_owned(),
            line: self.line(span),
            message: message.into(),
        }
    }

    fn parse(&self) -> Result<BenchSetup, BenchError> {
        toml::from_str(self.text).map_err(|error| {
            // An error without a place is one of the whole file.
            let span = error.span().unwrap_or(0..0);
            self.invalid(&span, error.message().trim().replace('\n', ", "))
        })
    }
}

/// Simulated drives on their positions. Dropping the bench and all handles ends
/// the run: counters are then left beside the flash.
pub struct Bench {
    drives: Vec<SimDriveHandle>,
}

impl Bench {
    /// Opens a bench file, with the state that the last run left.
    ///
    /// # Errors
    /// Names the file, and the line where it is about a place in it.
    pub fn open(path: &Path) -> Result<Bench, BenchError> {
        let text = fs::read_to_string(path).map_err(|source| BenchError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let source = Source { path, text: &text };
        let setup = source.parse()?;
        let folder = match &setup.state {
            Some(folder) => path.with_file_name("").join(folder),
            None => path.with_extension("state"),
        };
        Bench::build(&source, setup, Some(&folder))
    }

    /// A bench of this text, whose state is gone with the process.
    ///
    /// # Errors
    /// As [`Bench::open`], with `bench` for the file.
    pub fn from_text(text: &str) -> Result<Bench, BenchError> {
        let source = Source {
            path: Path::new("bench"),
            text,
        };
        let setup = source.parse()?;
        Bench::build(&source, setup, None)
    }

    fn build(
        source: &Source<'_>,
        setup: BenchSetup,
        folder: Option<&Path>,
    ) -> Result<Bench, BenchError> {
        let ports: [SharedChannel; 2] = Default::default();
        let mut drives: Vec<SimDriveHandle> = Vec::new();
        for spanned in setup.drive {
            let span = spanned.span();
            let setup = spanned.into_inner();
            let place = Place::of(source, &setup, &span)?;
            if let Some(taken) = drives.iter().find(|drive| place.collides(&drive.place)) {
                let message = format!("{} is taken by another drive", taken.place.name());
                return Err(source.invalid(&span, message));
            }
            let part = Part::of(source, &setup, &span)?;
            let (channel, unit) = place.channel(&ports);
            let handle = SimDriveHandle {
                channel,
                unit,
                bridge: Bridge {
                    layout: setup.registers,
                    truncates: setup.truncate_first_sense,
                },
                dead: setup.dead,
                identity: Identity {
                    vendor: setup.vendor.clone(),
                    product: setup.product.clone(),
                    revision: setup.revision.clone(),
                    serial: setup.serial.clone(),
                },
                clock: Arc::new(SimClock::default()),
                place,
            };
            let drive = build_drive(source, &span, &setup, &part, &handle, folder)?;
            lock(&handle.channel).attach(unit, drive);
            drives.push(handle);
        }
        Ok(Bench { drives })
    }

    /// All drives, in the order of the file.
    pub fn drives(&self) -> &[SimDriveHandle] {
        &self.drives
    }

    /// The drive at a position from 1 to 4.
    pub fn drive(&self, position: u8) -> Option<&SimDriveHandle> {
        self.drives
            .iter()
            .find(|drive| drive.place.position == Some(position))
    }

    /// The drive that is called so in the bench.
    pub fn drive_at(&self, path: &Path) -> Option<&SimDriveHandle> {
        self.drives
            .iter()
            .find(|drive| drive.place.path.as_deref() == Some(path))
    }

    /// The legacy ports of a position, whether a drive is there or not. `None`
    /// for a position other than 1 to 4 and for one whose channel has no drive.
    pub fn ports(&self, position: u8) -> Option<Box<dyn RegisterAccess + Send>> {
        let channel_of = |position: u8| position.checked_sub(1).map(|index| index / 2);
        self.drives
            .iter()
            .find(|drive| {
                drive.place.position.and_then(channel_of) == channel_of(position)
                    && drive.place.position.is_some()
            })
            .and_then(SimDriveHandle::registers)
    }
}

/// Where a drive is.
#[derive(Debug, Clone)]
struct Place {
    position: Option<u8>,
    path: Option<PathBuf>,
}

impl Place {
    fn of(
        source: &Source<'_>,
        setup: &DriveSetup,
        span: &Range<usize>,
    ) -> Result<Place, BenchError> {
        if let Some(position) = &setup.position
            && !(1..=4).contains(position.get_ref())
        {
            let message = format!("position {} is not one of 1 to 4", position.get_ref());
            return Err(source.invalid(&position.span(), message));
        }
        if setup.position.is_none() && setup.path.is_none() {
            return Err(source.invalid(span, "a drive needs a position or a path"));
        }
        Ok(Place {
            position: setup.position.as_ref().map(|spanned| *spanned.get_ref()),
            path: setup.path.as_ref().map(|spanned| spanned.get_ref().clone()),
        })
    }

    fn collides(&self, other: &Place) -> bool {
        (self.position.is_some() && self.position == other.position)
            || (self.path.is_some() && self.path == other.path)
            || self.name() == other.name()
    }

    /// For file names and messages.
    fn name(&self) -> String {
        match (self.position, &self.path) {
            (Some(position), _) => format!("position-{position}"),
            (None, Some(path)) => path
                .to_string_lossy()
                .trim_matches('/')
                .replace(|c: char| !c.is_ascii_alphanumeric(), "-"),
            (None, None) => "drive".to_owned(),
        }
    }

    /// The drive's channel, one of the two legacy ones or its own.
    fn channel(&self, ports: &[SharedChannel; 2]) -> (SharedChannel, Unit) {
        let [primary, secondary] = ports;
        match self.position {
            Some(1) => (Arc::clone(primary), Unit::Master),
            Some(2) => (Arc::clone(primary), Unit::Slave),
            Some(3) => (Arc::clone(secondary), Unit::Master),
            Some(4) => (Arc::clone(secondary), Unit::Slave),
            _ => (SharedChannel::default(), Unit::Master),
        }
    }
}

/// What a drive has for a flash.
enum Part {
    /// A chip, and the mode status of its drive.
    Chip(Box<Chip>, u8),
    /// So many bytes behind the packets of the drive.
    Whole(u32),
}

impl Part {
    fn of(
        source: &Source<'_>,
        setup: &DriveSetup,
        span: &Range<usize>,
    ) -> Result<Part, BenchError> {
        let Some(size) = setup.model.flash_size() else {
            return chip_of(source, setup, span)
                .map(|(chip, status)| Part::Chip(Box::new(chip), status));
        };
        let chip = [
            setup.chip.as_ref().map(Spanned::span),
            setup.unknown_chip.as_ref().map(Spanned::span),
            setup.mode_status.as_ref().map(Spanned::span),
        ];
        match chip.into_iter().flatten().next() {
            Some(span) => Err(source.invalid(&span, "a packet drive has no chip in vendor mode")),
            None => Ok(Part::Whole(size)),
        }
    }

    fn size(&self) -> u32 {
        match self {
            Part::Chip(chip, _) => chip.size,
            Part::Whole(size) => *size,
        }
    }
}

/// The chip of a drive and its mode status, which says on which bus it is.
fn chip_of(
    source: &Source<'_>,
    setup: &DriveSetup,
    span: &Range<usize>,
) -> Result<(Chip, u8), BenchError> {
    if let Some(status) = &setup.mode_status
        && !matches!(status.get_ref(), 0x70 | 0x72 | 0x73)
    {
        let message = format!(
            "mode status {:#04x} is not 0x70, 0x72 or 0x73",
            status.get_ref()
        );
        return Err(source.invalid(&status.span(), message));
    }
    let status = setup.mode_status.as_ref().map(|status| *status.get_ref());
    let (chip, span) = match (&setup.chip, &setup.unknown_chip) {
        (Some(name), None) => {
            let found = chip::all().iter().find(|chip| {
                chip.names.iter().any(|known| {
                    known.part == *name.get_ref() || known.to_string() == *name.get_ref()
                })
            });
            let Some(chip) = found else {
                let message = format!("no chip is called {:?}", name.get_ref());
                return Err(source.invalid(&name.span(), message));
            };
            (chip.clone(), name.span())
        }
        (None, Some(unknown)) => {
            let UnknownChip {
                manufacturer,
                device,
                size,
            } = *unknown.get_ref();
            if !(1..=LARGEST_FLASH).contains(&size) {
                let message = format!("a flash of {size} bytes is not between 1 byte and 16 MiB");
                return Err(source.invalid(&unknown.span(), message));
            }
            let id = ChipId::new(manufacturer, device);
            let chip = match status {
                Some(0x72 | 0x73) => Chip::unknown_serial(id, size),
                _ => Chip::unknown_parallel(id, size),
            };
            (chip, unknown.span())
        }
        _ => {
            let message = "a drive needs either chip or unknown_chip";
            return Err(source.invalid(span, message));
        }
    };
    let status = match (&chip.bus, status) {
        (Bus::Parallel(_), None | Some(0x70)) => 0x70,
        (Bus::Serial(_), None) => 0x72,
        (Bus::Serial(_), Some(status @ (0x72 | 0x73))) => status,
        (bus, Some(status)) => {
            let bus = match bus {
                Bus::Parallel(_) => "parallel",
                Bus::Serial(_) => "serial",
            };
            let message = format!("a {bus} chip does not go with mode status {status:#04x}");
            return Err(source.invalid(&span, message));
        }
    };
    Ok((chip, status))
}

fn build_drive(
    source: &Source<'_>,
    span: &Range<usize>,
    setup: &DriveSetup,
    part: &Part,
    handle: &SimDriveHandle,
    folder: Option<&Path>,
) -> Result<Drive, BenchError> {
    let identity = handle.identity.clone();
    let contents = || {
        let names = setup.names();
        setup.contents.bytes(part.size(), &identity, names)
    };
    let (memory, remembered, state) = match folder {
        None => (Memory::new(contents()), Remembered::default(), None),
        Some(folder) => {
            let state = StateFile::new(folder, &handle.place.name());
            let failed = |file: PathBuf| {
                |error| BenchError::State {
                    path: source.path.to_owned(),
                    line: source.line(span),
                    file,
                    source: error,
                }
            };
            let memory = state
                .open_flash(part.size(), contents)
                .map_err(failed(state.flash_path()))?;
            let remembered = state.load().map_err(failed(state.remembered_path()))?;
            (memory, remembered, Some(state))
        }
    };
    let invalid = |message: &str| source.invalid(span, message);
    let model: Box<dyn Model> = match (part, setup.protocol()) {
        (Part::Chip(chip, mode_status), _) => {
            vendor_mode(setup, chip, *mode_status, memory, &remembered)
                .map(Box::new)
                .ok_or_else(|| invalid("no model for this chip"))?
        }
        (Part::Whole(_), Some(protocol)) => {
            let habits = setup
                .habits()
                .ok_or_else(|| invalid("seconds must be numbers from 0 up"))?;
            let own = handle.identity.clone();
            Box::new(PacketDrive::new(protocol, memory, habits, own, &remembered))
        }
        (Part::Whole(_), None) => return Err(invalid("no model for this drive")),
    };
    let core = Core {
        identity,
        clock: Arc::clone(&handle.clock),
        latency: setup.latency,
        registers: TaskFileRegisters {
            device: handle.unit.device(),
            status: model.resting_status(),
            ..TaskFileRegisters::default()
        },
        misreads: Misreads::default(),
        counters: Counters::default(),
        busy_until: 0,
        generation: 0,
        off_bus_until: 0,
        other_identity: None,
        changed: false,
    };
    let mut drive = Drive::new(core, model, state, remembered);
    drive.inquiry_fails = setup.inquiry_fails || setup.dead;
    for fault in &setup.fault {
        drive.add_fault(fault.clone());
    }
    Ok(drive)
}

/// `None` for a chip of which there is no model.
fn vendor_mode(
    setup: &DriveSetup,
    chip: &Chip,
    mode_status: u8,
    memory: Memory,
    remembered: &Remembered,
) -> Option<VendorMode> {
    let part = match &chip.bus {
        Bus::Parallel(_) => ParallelFlash::new(chip, memory, Times::default())
            .map(|part| FlashPart::Parallel(Box::new(part))),
        Bus::Serial(_) => SerialFlash::new(chip, memory, Times::default()).map(|part| {
            let part = if setup.protected {
                part.protected()
            } else {
                part
            };
            FlashPart::Serial(Box::new(part))
        }),
    }?;
    let entry = match setup.entry {
        EntryKind::Always => Entry::Always,
        EntryKind::Refused => Entry::Refused {
            status: setup.refusal_status,
        },
        EntryKind::AfterPowerCycles => Entry::AfterPowerCycles {
            refusals: setup.power_cycles,
            status: setup.refusal_status,
        },
    };
    Some(VendorMode::new(mode_status, entry, part, remembered))
}

/// A drive of a bench. Handles to a drive share it.
#[derive(Clone)]
pub struct SimDriveHandle {
    channel: SharedChannel,
    unit: Unit,
    bridge: Bridge,
    dead: bool,
    identity: Identity,
    clock: Arc<SimClock>,
    place: Place,
}

impl SimDriveHandle {
    /// 1 to 4; `None` for a drive that has only a path.
    pub fn position(&self) -> Option<u8> {
        self.place.position
    }

    pub fn path(&self) -> Option<&Path> {
        self.place.path.as_deref()
    }

    /// `position-3`, or the path with `-` for what is no letter: the stem of
    /// the drive's files in the state folder.
    pub fn name(&self) -> String {
        self.place.name()
    }

    /// Who the drive says it is now, if it answers.
    pub fn identity(&self) -> Identity {
        self.with(|drive| {
            drive.model.settle(&mut drive.core);
            drive.core.identity.clone()
        })
        .unwrap_or_else(|| self.identity.clone())
    }

    /// Master or slave of its channel.
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// The drive's own time.
    pub fn clock(&self) -> Arc<SimClock> {
        Arc::clone(&self.clock)
    }

    /// The way of SG_IO. `None` for a dead drive, which no kernel lists, and
    /// while a drive is off the bus to restart: ask again when time has passed.
    /// What was opened before a drive left the bus stays vanished.
    pub fn packets(&self) -> Option<Box<dyn PacketTransport + Send>> {
        if self.dead {
            return None;
        }
        let generation = self.with(|drive| {
            let there = drive.is_on_bus() || drive.presence != Presence::Present;
            there.then_some(drive.core.generation)
        })??;
        Some(Box::new(SimPacketTransport {
            channel: Arc::clone(&self.channel),
            unit: self.unit,
            bridge: self.bridge,
            whole_sense: false,
            generation,
        }))
    }

    /// The drive as a bus sees it, for a server that offers it to a kernel.
    /// Nothing is truncated here: that is what kernels do. A drive that leaves
    /// the bus says so by [`Event::Reenumerate`](super::target::Event), and is
    /// back when the next command comes.
    pub fn target(&self) -> Box<dyn ScsiTarget> {
        Box::new(SimTarget {
            channel: Arc::clone(&self.channel),
            unit: self.unit,
            bridge: self.bridge,
            generation: self.with(|drive| drive.core.generation).unwrap_or_default(),
        })
    }

    /// As [`target`](Self::target), for a host whose time is real: a drive that
    /// programs for 8 s does so, and a command that takes 10 s is answered after
    /// 10 s.
    pub fn target_in_real_time(&self) -> Box<dyn ScsiTarget> {
        Box::new(InRealTime {
            drive: self.target(),
            clock: self.clock(),
            host: Box::new(SystemClock::default()),
        })
    }

    /// The legacy ports of the drive's channel, with both its drives; `None`
    /// for a drive without a position.
    pub fn registers(&self) -> Option<Box<dyn RegisterAccess + Send>> {
        self.place.position.map(|_| {
            Box::new(SimPorts(Arc::clone(&self.channel))) as Box<dyn RegisterAccess + Send>
        })
    }

    /// What the drive was asked to do since the bench was opened.
    pub fn counters(&self) -> Counters {
        self.with(|drive| drive.counters()).unwrap_or_default()
    }

    /// What the drive was asked that the protocol does not allow.
    pub fn violations(&self) -> Vec<String> {
        self.counters().violations
    }

    /// The bytes in the flash, as no host reads them.
    pub fn flash(&self) -> Vec<u8> {
        self.with(|drive| drive.model.memory().bytes().to_vec())
            .unwrap_or_default()
    }

    /// Puts bytes into the flash from `at` on, cut at its end.
    pub fn set_flash(&self, at: u32, bytes: &[u8]) {
        self.with(|drive| drive.model.memory().overwrite(at, bytes));
    }

    /// Whether the drive is in vendor mode.
    pub fn in_vendor_mode(&self) -> bool {
        self.with(|drive| !drive.model.answers_packets())
            .unwrap_or(false)
    }

    /// Whether the host has set nIEN on the drive's channel.
    pub fn interrupts_off(&self) -> bool {
        lock(&self.channel).interrupts_off()
    }

    /// Whether the drive is there: it has power and its cable.
    pub fn is_present(&self) -> bool {
        self.with(|drive| drive.presence == Presence::Present)
            .unwrap_or(false)
    }

    /// Adds a fault. Operations are counted from the opening of the bench.
    pub fn add_fault(&self, fault: Fault) {
        self.with(|drive| drive.add_fault(fault));
    }

    /// Calls `action` just before this operation, counted from 1 from the
    /// opening of the bench. It must not ask anything of the bench, which waits
    /// for it.
    pub fn at_operation(&self, operation: u64, action: impl FnMut() + Send + 'static) {
        self.with(|drive| {
            drive.add_hook(Hook {
                operation,
                action: Box::new(action),
            });
        });
    }

    /// Switches the drive off and on again, and plugs it in where it was pulled.
    pub fn power_cycle(&self) {
        self.with(Drive::power_cycle);
    }

    fn with<R>(&self, act: impl FnOnce(&mut Drive) -> R) -> Option<R> {
        let mut channel: std::sync::MutexGuard<'_, Channel> = lock(&self.channel);
        channel.drive(self.unit).map(act)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DRIVE: &str = "[[drive]]\nposition = 3\nvendor = \"V\"\nproduct = \"P\"\n\
                         revision = \"R\"\nchip = \"SST39SF020\"\n";

    fn message(text: &str) -> String {
        match Bench::from_text(text) {
            Ok(_) => "no error".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn every_bench_of_the_fixtures_can_be_built() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/benches");
        let mut built = 0;
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                let bench = Bench::from_text(&fs::read_to_string(&path).unwrap());
                let bench = bench.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                assert!(!bench.drives().is_empty(), "{}", path.display());
                built += 1;
            }
        }
        assert!(built >= 10, "{built}");
    }

    #[test]
    fn drives_are_found_by_position_and_by_path_and_nowhere_else() {
        let usb = DRIVE.replace("position = 3", "path = \"/dev/sg4\"");
        let bench = Bench::from_text(&format!("{DRIVE}{usb}")).unwrap();
        assert_eq!(bench.drive(3).unwrap().name(), "position-3");
        assert!(bench.drive(1).is_none());
        let drive = bench.drive_at(Path::new("/dev/sg4")).unwrap();
        assert_eq!(
            (drive.position(), drive.name()),
            (None, "dev-sg4".to_owned())
        );
        assert!(drive.registers().is_none());
        assert!(bench.drive_at(Path::new("/dev/sg5")).is_none());
    }

    #[test]
    fn each_mistake_is_named_with_its_file_and_line() {
        for (text, expected) in [
            (
                format!("{DRIVE}colour = \"beige\"\n"),
                "bench:7: unknown field `colour`",
            ),
            ("[[drive]\n".to_owned(), "bench:1: "),
            (
                DRIVE.replace("position = 3", "position = 5"),
                "bench:2: position 5",
            ),
            (
                DRIVE.replace("position = 3\n", ""),
                "bench:1: a drive needs a position",
            ),
            (
                DRIVE.replace("vendor = \"V\"\n", ""),
                "bench:1: missing field `vendor`",
            ),
            (
                DRIVE.replace("SST39SF020", "SST39"),
                "bench:6: no chip is called \"SST39\"",
            ),
            (
                format!("{DRIVE}mode_status = 0x71\n"),
                "bench:7: mode status 0x71",
            ),
            (
                format!("{DRIVE}mode_status = 0x73\n"),
                "bench:6: a parallel chip does not go with mode status 0x73",
            ),
            (format!("{DRIVE}{DRIVE}"), "bench:7: position-3 is taken"),
            (
                format!("{DRIVE}[[drive.fault]]\nkind = \"rust\"\n"),
                "unknown variant `rust`",
            ),
            (
                DRIVE.replace(
                    "chip = \"SST39SF020\"",
                    "unknown_chip = { manufacturer = 1, device = 2, size = 0 }",
                ),
                "bench:6: a flash of 0 bytes",
            ),
        ] {
            let message = message(&text);
            assert!(message.contains(expected), "{message:?} lacks {expected:?}");
            assert!(message.starts_with("bench:"), "{message:?}");
        }
    }

    #[test]
    fn a_missing_bench_and_an_unusable_state_folder_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.toml");
        let error = Bench::open(&file).err().unwrap();
        assert!(matches!(error, BenchError::Unreadable { .. }), "{error}");
        fs::write(&file, DRIVE).unwrap();
        fs::write(folder.path().join("x.state"), "in the way").unwrap();
        let error = Bench::open(&file).err().unwrap();
        assert!(
            matches!(error, BenchError::State { line: 1, .. }),
            "{error}"
        );
        assert!(error.to_string().contains("x.toml:1: "), "{error}");
    }

    #[test]
    fn the_state_is_where_the_bench_says() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.toml");
        fs::write(&file, format!("state = \"elsewhere\"\n{DRIVE}")).unwrap();
        Bench::open(&file).unwrap();
        let flash = folder.path().join("elsewhere/position-3.flash");
        assert_eq!(fs::metadata(flash).unwrap().len(), 0x4_0000);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC*", cut in 0..200_usize, junk in "[\\[\\]=\"a-z0-9\n .-]{0,20}") {
            let _ = Bench::from_text(&text);
            let at = cut.min(DRIVE.len());
            let mangled = format!("{}{junk}{}", &DRIVE[..at], &DRIVE[at..]);
            let _ = Bench::from_text(&mangled);
        }
    }
}
