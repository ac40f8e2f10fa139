//! How a family of drives is read and written.
//!
//! [`FirmwareDevice`] is all that a job sees of a drive. A job never asks which
//! protocol it talks to; it asks what the device can do.
//!
//! Each protocol's page is its specification: the commands with their bytes, what the
//! drive answers, the order, and of each the source and how sure it is. *Proven* is
//! what the named tool does on real drives, *reported* what people or one author say,
//! *inferred* what follows from other facts and was never seen stated. **None of it was
//! ever tried on hardware by this project.**
//!
//! | page | drives | read | write | erase |
//! |---|---|---|---|---|
//! | [`vendor_mode`], with [`parallel`](vendor_mode::parallel) or [`serial`](vendor_mode::serial) flash | any whose boot code answers, dead or not | proven | proven for an SST39SF020, inferred for others | the same |
//! | [`packet::btc`] | BTC DRW1004, 1008, 1108 | not documented | proven | not documented |
//! | [`packet::vendor_blocks`] | TSST with an MT1339, Samsung SD-616, SE-506CB | the SE-506CB, by [`packet::memory`] | proven | the SE-506CB, by an image of FF |
//! | [`packet::blu_ray`] | LG, ASUS and HP Blu-ray | in part proven, by [`packet::memory`] | proven | no |
//! | [`packet::liteon`] | Lite-On's older writers | reported | in vendor mode | in vendor mode |
//!
//! Which drives these are is in [`packet::families`], which flash chips in
//! [`flash::chip`](crate::flash::chip). How it is found out: [`detect`](mod@detect).

pub mod blu_ray;
pub mod detect;
pub mod download;
pub mod packet;
pub mod read_before;
pub mod vendor_mode;

use std::time::Duration;

pub use detect::{Detected, Protocol, detect};
pub use download::Download;

use crate::flash::chip::{self, ChipId, ReadOnly};
use crate::flash::{EraseLayout, FlashRange, Offset};
use crate::scsi::{Identity, Sense};
use crate::transport::TaskFileError;
use blu_ray::{BOOT_REVISION, Survey};
use download::DownloadRules;
use packet::PacketError;
use packet::liteon::Implausible;

/// What a drive is, for people to read and for checks against an image.
#[derive(Debug, Clone, Default)]
pub struct DeviceInfo {
    /// What INQUIRY said; `None` for a drive too dead to answer.
    pub identity: Option<Identity>,
    /// `vendor mode, parallel flash`.
    pub protocol: String,
    pub route: Route,
    /// The flash in one line, with ManuID and DevID where the protocol tells them.
    pub flash: String,
    /// Short and stable: names the chip in a backup's record, so that a backup
    /// can be told to fit this drive.
    pub chip: String,
    /// What was tried with this protocol and chip.
    pub tried: Option<Tried>,
    /// Of a Blu-ray drive of LG, ASUS or HP: what it says about itself.
    pub blu_ray: Option<Box<Survey>>,
}

impl DeviceInfo {
    /// Whether nobody is known to have seen that what is read this way is the flash.
    pub fn is_unconfirmed(&self) -> bool {
        self.tried == Some(Tried::Packets(Protocol::LiteonRead))
    }

    /// Whether the boot loader answers that an MT1939 or MT1959 drive has (its
    /// revision is `BOOT` then, by coastermelt and redumper). No firmware runs, so
    /// that what is in the flash is not what was there before somebody changed it.
    pub fn is_boot_loader(&self) -> bool {
        matches!(self.tried, Some(Tried::Packets(_)))
            && self
                .identity
                .as_ref()
                .is_some_and(|identity| identity.revision == BOOT_REVISION)
    }
}

/// How commands get to a drive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Route {
    /// As SCSI commands.
    #[default]
    SgIo,
    AtaPassthrough,
    LegacyPorts,
    /// The ports of a controller that is not at the legacy ones.
    ControllerPorts,
}

/// What others have done with what a drive is flashed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// With its flash chip.
    Chip(chip::Tried),
    /// With a family's packet protocol.
    Packets(Protocol),
}

/// What a device can do.
#[derive(Debug, Clone)]
pub struct Capabilities {
    /// Bytes of firmware.
    pub size: u32,
    pub reading: Reading,
    /// What every tool reads from drives of this kind, also where they refuse to
    /// have anything larger read.
    pub windows: &'static [FlashRange],
    pub writing: Writing,
    /// What reading a byte takes this way, where it was measured. Programming
    /// one takes about six times as long in place.
    pub time_per_byte: Option<Duration>,
}

/// Whether the firmware can be read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// In requests of at most this many bytes, aligned to their size.
    Blocks(u32),
    Impossible(Unreadable),
}

/// Why firmware cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// The chip is in no table, and nobody said how many bytes it has.
    UnknownSize { chip: ChipId },
    /// It has more bytes than vendor mode reaches.
    OutOfReach { size: u32, reach: u32 },
    /// How drives of this family are read is not documented.
    Undocumented { family: &'static str },
}

/// How the firmware is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Writing {
    /// Sector by sector and byte by byte: only what differs.
    InPlace(EraseLayout),
    /// As a whole: the drive takes an image and programs it by itself. The way
    /// is [`Writer::Download`].
    Download(DownloadRules),
    Impossible(Unwritable),
}

/// Why firmware cannot be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unwritable {
    /// It could not be read back.
    Unreadable(Unreadable),
    /// The chip is in no table.
    UnknownChip {
        chip: ChipId,
    },
    Chip(ReadOnly),
    /// Drives are only read by this protocol; vendor mode writes them.
    OnlyRead {
        family: &'static str,
    },
}

/// What was asked of a drive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// Of the flash chip.
    Identify,
    /// See [`FirmwareDevice::prove_idle`].
    ProveIdle,
    Read,
    ReadFlash,
    ReadFirstBank,
    ReadBanner,
    AskFirmware,
    /// What the drive is to keep when it is sent an image.
    ReadKept,
    ReadReceiver,
    AskReady,
    /// Tells a drive that an image follows.
    Prepare,
    SendImage,
    SendSum,
    StartProgramming,
    /// Vendor mode.
    Enter,
    /// Vendor mode.
    Leave,
    Unprotect,
    EnableWrites,
    Program,
    EraseSector,
    EraseChip,
    AwaitErase,
    /// A command of the flash chip that another run has left.
    EndBegun,
}

/// Something the drive did or refused. Offsets count bytes of firmware from 0.
#[derive(Debug, thiserror::Error)]
#[error("{self:?}")]
pub enum DeviceError {
    /// As drives are known to refuse it.
    EntryRefused {
        status: u8,
    },
    /// As a place shows where no drive is, or none that has power.
    NoDriveThere {
        status: u8,
    },
    /// The drive has not answered yet, and may be in the mode.
    EntryBusy {
        status: u8,
    },
    /// Neither a mode status nor a refusal that is known: the drive may be in the mode.
    EntryUnclear {
        status: u8,
    },
    /// The command was sent, and what came back is not the drive's: the drive
    /// may be in the mode.
    EntryUnanswered {
        source: TaskFileError,
    },
    Stopped,
    TaskFile {
        doing: Doing,
        at: Option<Offset>,
        source: TaskFileError,
    },
    NotProgrammed {
        at: Offset,
        expected: u8,
        found: u8,
        attempts: u32,
    },
    NotErased {
        at: Offset,
        found: u8,
    },
    ChipBusy {
        doing: Doing,
        expected: u8,
        found: u8,
    },
    /// A serial chip whose protection cannot be taken off by commands.
    WriteProtected {
        status: u8,
    },
    /// What was read since the chip was last shown to be idle counts for nothing.
    NotIdle(NotIdle),
    /// A range that the drive does not let be read. Reading goes on behind it.
    Refused {
        range: FlashRange,
        sense: Sense,
    },
    /// A packet command that did not end well.
    Packet {
        doing: Doing,
        at: Option<Offset>,
        source: PacketError,
    },
    /// The drive took everything and did not come back.
    NotBack {
        waited: std::time::Duration,
        last: download::LastAnswer,
    },
    UnsteadyId,
    /// A drive on one family's list shows another one's boot banner.
    OtherBanner {
        drive: Box<Identity>,
        family: &'static str,
        banner: String,
    },
    /// What the drive is to keep reads differently each time.
    OwnBytesUnsteady {
        range: FlashRange,
    },
    /// A way that was never confirmed gives what cannot be the firmware.
    Implausible(#[from] Implausible),
    /// The drive took a whole image and was ready at once, which is how a
    /// Blu-ray drive says that it programs nothing of it.
    Rejected,
    /// The drive says that its flash did not take what it programmed.
    FlashFault {
        sense: Sense,
    },
    /// Its caller asked for what there is not.
    Impossible(#[from] Impossible),
}

/// What a device has not got, and was asked for all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{self:?}")]
pub enum Impossible {
    OutOfRange { range: FlashRange, size: u32 },
    Reading,
    ChangingInPlace,
    TakingImages,
    NoSector { range: FlashRange },
    ImageSize { length: usize },
}

/// Why a flash chip's bytes are not to be taken for its content.
///
/// A chip that is busy or not there answers reads as well, and often the same
/// way twice: with FF, or with a status whose bit 6 toggles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{self:?}")]
pub enum NotIdle {
    /// Bit 0 of a serial chip's status register is set.
    Busy {
        status: u8,
    },
    OtherId {
        expected: ChipId,
        found: ChipId,
    },
    /// A parallel chip gives the same bytes whether it is asked for its ID or not.
    SameAsId {
        id: ChipId,
    },
    /// A parallel chip's first bytes are not after its ID what they were before.
    Unsteady,
}

/// A drive whose firmware can be read.
///
/// Offsets and ranges lie within `capabilities().size`; anything else is
/// [`DeviceError::Impossible`]. Nothing here shows, asks or decides: that a
/// write is wanted and safe is the caller's business.
pub trait FirmwareDevice {
    fn info(&self) -> &DeviceInfo;

    fn capabilities(&self) -> &Capabilities;

    /// Reads once, without a second opinion.
    ///
    /// # Errors
    /// As the drive answers; `into` is then undefined.
    fn read(&mut self, at: Offset, into: &mut [u8]) -> Result<(), DeviceError>;

    /// Shows that the flash chip is there and idle at this moment, so that what
    /// reads give is its content and not its status. It does not wait for a chip
    /// that is busy.
    ///
    /// What lies between two such proofs was read; what is read and not followed
    /// by one was not. A drive whose own firmware reads the chip answers for it.
    ///
    /// # Errors
    /// [`DeviceError::NotIdle`], or as the drive answers.
    fn prove_idle(&mut self) -> Result<(), DeviceError> {
        Ok(())
    }

    /// The way to change the flash, of the kind that `capabilities().writing`
    /// tells; `None` where there is none.
    fn writer(&mut self) -> Option<Writer<'_>>;

    /// Leaves whatever state the drive was brought into. Called on every way
    /// out; calling it again does nothing.
    ///
    /// # Errors
    /// As the drive answers; there is nothing more that can be done then.
    fn leave(&mut self) -> Result<(), DeviceError>;
}

/// The two ways to change a flash.
pub enum Writer<'a> {
    InPlace(&'a mut dyn InPlace),
    Download(&'a mut dyn Download),
}

/// Changes a flash sector by sector and byte by byte.
pub trait InPlace {
    /// Takes off what keeps the chip from being changed, where there is something.
    /// Not a byte of the flash is changed.
    ///
    /// # Errors
    /// [`DeviceError::WriteProtected`] where no command takes it off.
    fn unprotect(&mut self) -> Result<(), DeviceError> {
        Ok(())
    }

    /// Erases one sector, or the whole flash where the range says so, and waits
    /// until the chip is done. Does not check that it is blank.
    ///
    /// # Errors
    /// [`DeviceError::Impossible`] for a range that is neither a sector nor all.
    fn erase(&mut self, range: FlashRange) -> Result<(), DeviceError>;

    /// Programs bytes that are erased, or need bits cleared only, and checks
    /// them as far as the chip's own procedure does.
    ///
    /// # Errors
    /// Names the first byte that the chip did not take.
    fn program(&mut self, at: Offset, bytes: &[u8]) -> Result<(), DeviceError>;
}
