//! What a drive is called, and the ways to one.

use std::fmt;
use std::path::PathBuf;

use super::error::OpenError;
use crate::drive::{PortName, ScsiAddress, Seat};
use crate::scsi::Identity;

/// How the user calls a drive.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DriveName {
    /// 1 primary master, 2 primary slave, 3 secondary master, 4 secondary slave.
    Index(u8),
    /// `/dev/sr0`, `/dev/sg1`, `/dev/disk/by-id/…`: a path under `/dev`.
    Path(PathBuf),
    /// `pci-0000:03:00.0-ata-2.0`: a port of a controller, whether or not the
    /// kernel knows a drive there.
    Port(PortName),
    /// What the drive says its serial number is.
    Serial(String),
}

impl From<Seat> for DriveName {
    fn from(seat: Seat) -> DriveName {
        match seat {
            Seat::Position(position) => DriveName::Index(position.number()),
            Seat::Port(name) => DriveName::Port(name),
        }
    }
}

impl fmt::Display for DriveName {
    /// As the user typed it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DriveName::Index(index) => write!(f, "{index}"),
            DriveName::Port(name) => write!(f, "{name}"),
            DriveName::Serial(serial) => f.write_str(serial),
            DriveName::Path(path) => path.display().fmt(f),
        }
    }
}

/// Whether a drive that says this serial number is the one that is named: people copy
/// letters in either case.
pub(super) fn is_serial(said: Option<&Identity>, named: &str) -> bool {
    let said = said.and_then(|said| said.serial.as_ref());
    said.is_some_and(|said| said.eq_ignore_ascii_case(named))
}

/// The drive with a serial number, of those that say it is theirs; `is_unasked` where one
/// is in use and may have it.
///
/// # Errors
/// None, or several.
pub(super) fn only_one<T>(
    serial: &str,
    found: Vec<T>,
    is_unasked: bool,
    called: impl Fn(&T) -> Option<DriveName>,
) -> Result<T, OpenError> {
    match <[T; 1]>::try_from(found) {
        Ok([one]) => Ok(one),
        Err(found) => Err(OpenError::NotBySerial {
            serial: serial.to_owned(),
            is_unasked,
            found: found.iter().filter_map(called).collect(),
        }),
    }
}

/// The way to a drive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Via {
    /// SCSI commands over SG_IO.
    Sg,
    /// ATA PASS-THROUGH over SG_IO.
    Ata,
    /// The I/O ports of its channel.
    Port,
}

impl Via {
    pub const ALL: [Via; 3] = [Via::Sg, Via::Ata, Via::Port];

    /// The name behind `--via`.
    pub fn name(self) -> &'static str {
        match self {
            Via::Sg => "sg",
            Via::Ata => "ata",
            Via::Port => "port",
        }
    }
}

/// A drive as messages name it: as its user did, and where that led.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    pub called: DriveName,
    pub at: At,
}

/// Where a drive was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// Its node.
    Node(PathBuf),
    /// Its name for the kernel, where it has no node.
    Address(ScsiAddress),
    /// The registers of its channel.
    Ports(Seat),
    /// A bench.
    Bench,
}
