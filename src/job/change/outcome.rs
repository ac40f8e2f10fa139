//! What came of a change: what was done, what shows that it is in the flash, or what
//! went wrong.

use crate::flash::Offset;
use crate::image::mt19xx::{BootString, Descriptor};
use crate::job::verify::{Compared, Difference};
use crate::job::{FlashState, JobError};
use crate::protocol::blu_ray::Survey;
use crate::protocol::{DeviceError, Unreadable};
use crate::scsi::Identity;

/// What was done to a flash, and how it was made sure of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Sectors that were erased.
    pub erased: usize,
    /// Bytes that were programmed.
    pub programmed: u64,
    pub evidence: Evidence,
    /// Who the drive said it was before it took a whole image and after it
    /// started anew; `None` where the flash was changed in place.
    pub restart: Option<Box<Restart>>,
}

/// What says that a change is in the flash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// The flash was read back and is equal to what it should hold, but for
    /// what the value says was not compared.
    ReadBack(Compared),
    /// The drive took it without an error, came back and says who it is. The
    /// content was not read back.
    Accepted(NotReadBack),
}

/// Why a flash was not read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotReadBack {
    Unreadable(Unreadable),
    /// The drive refuses to have any of it read.
    Refused,
}

/// A drive before and after it took new firmware.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restart {
    pub before: Option<Identity>,
    pub after: Identity,
    /// What a Blu-ray drive said about its firmware before …
    pub firmware_before: Option<Box<Survey>>,
    /// … and says about what runs now.
    pub firmware: Option<Box<Survey>>,
}

/// What a firmware calls itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Firmware {
    /// One of these names, as INQUIRY tells them.
    Named(Vec<Identity>),
    /// The names and codes of a Blu-ray drive's.
    Described(Box<Descriptor>),
}

impl From<Identity> for Firmware {
    fn from(identity: Identity) -> Firmware {
        Firmware::Named(vec![identity])
    }
}

/// A change that did not end as it should.
#[derive(Debug, thiserror::Error)]
#[error("{self:?}")]
pub enum ChangeError {
    Job(#[from] JobError),
    /// Everything was written, and the flash holds something else.
    Different(Difference),
    /// The chip did not take a byte that it did not take in the run before either.
    Again {
        at: Offset,
        source: Box<ChangeError>,
    },
    /// The drive took everything and came back as something else.
    OtherIdentity {
        expected: Firmware,
        found: Firmware,
        /// How many banks were sent.
        banks: u32,
    },
    /// The drive took everything and came back with its boot code alone.
    NoFirmware {
        found: Identity,
        banks: u32,
    },
    /// The drive took everything, went through the motions, and still is who it
    /// was.
    OldFirmware {
        runs: Firmware,
        /// With which it was sent the image.
        boot_string: Option<BootString>,
        banks: u32,
    },
}

impl ChangeError {
    /// The byte that the chip did not take, where it is that.
    pub(in crate::job) fn refused_byte(&self) -> Option<Offset> {
        match self {
            ChangeError::Job(JobError::Device {
                source: DeviceError::NotProgrammed { at, .. } | DeviceError::NotErased { at, .. },
                ..
            }) => Some(*at),
            ChangeError::Different(difference) => Some(difference.first),
            _ => None,
        }
    }

    /// What the chip holds at a place where it did not take a byte.
    pub fn found_at(&self, place: Offset) -> Option<u8> {
        match self {
            ChangeError::Job(JobError::Device {
                source:
                    DeviceError::NotProgrammed { at, found, .. }
                    | DeviceError::NotErased { at, found, .. },
                ..
            }) if *at == place => Some(*found),
            ChangeError::Different(difference) if difference.first == place => {
                Some(difference.found)
            }
            _ => None,
        }
    }

    pub fn flash(&self) -> FlashState {
        match self {
            ChangeError::Job(error) => error.flash(),
            ChangeError::Different(_) => FlashState::Written,
            ChangeError::Again { source, .. } => source.flash(),
            ChangeError::OtherIdentity { banks, .. }
            | ChangeError::NoFirmware { banks, .. }
            | ChangeError::OldFirmware { banks, .. } => FlashState::InDoubt {
                taken: *banks,
                of: *banks,
            },
        }
    }
}
