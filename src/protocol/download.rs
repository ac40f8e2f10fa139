//! The seam to drives that take a whole firmware image and program it by
//! themselves.
//!
//! A download has three steps, and only the second changes anything:
//! [`Download::prepare`] works out what will be sent, [`Download::send`] sends
//! it, [`Download::await_return`] waits until the drive answers again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::DeviceError;
use super::blu_ray::{self, Mismatch, NotReady};
use super::packet::PacketError;
use crate::flash::{FlashRange, Offset};
use crate::image::mt19xx::{self, Written};
use crate::scsi::Identity;

/// What a family of drives demands of an image and does with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DownloadRules {
    pub names: ImageNames,
    /// Whether FF throughout is a documented way to erase.
    pub erasing: Erasing,
    /// What the drive keeps for itself, whatever is sent: such ranges cannot be
    /// compared with an image.
    pub owned: &'static [Owned],
    pub proof: Proof,
}

/// What of an image can be proven by reading it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// All but what the drive keeps.
    Everything,
    /// Of that, what the image's integrity table protects.
    UnderTags,
}

/// How an image of this family says for which drive it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageNames {
    /// Vendor, product and revision as INQUIRY lays them out, at this place.
    At(Offset),
    /// At no documented place.
    Undocumented,
}

/// How the flash is emptied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erasing {
    /// By an image of FF throughout.
    BlankImage,
    /// How that is done with drives of this family is not documented.
    Undocumented { family: &'static str },
}

/// A range of the flash that the drive keeps for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owned {
    pub range: FlashRange,
    pub kept: Kept,
}

/// What a drive keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Write-protected.
    BootLoader,
    /// No image brings it.
    BootCode,
    Written(Written),
    /// Under no tag of the image's integrity table.
    Untagged,
    /// Left out by the user's wish, who keeps it.
    Wanted,
}

/// A check of [`Download::prepare`] that the user can override by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Guard {
    /// The drive must be on the list of the family whose commands it is sent.
    Family,
    /// The boot banner of the image must be the drive's.
    Banner,
    /// What was read from a drive is for that drive alone.
    DriveRead,
}

/// An image that a drive is to get, and what is known of both.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    /// Or FF throughout.
    pub image: &'a [u8],
    /// What the flash holds, where it was read.
    pub flash: Option<&'a [u8]>,
    /// What it held before a change of this drive that was not finished, where that
    /// is known.
    pub before: Option<&'a [u8]>,
    /// The image is known to have been read from this very drive.
    pub is_own_dump: bool,
    pub forced: &'a BTreeSet<Guard>,
}

/// What will be sent, and what there is to say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// A whole flash, as the drive is to hold it.
    pub content: Vec<u8>,
    /// How a Blu-ray drive takes it.
    pub blu_ray: Option<blu_ray::Way>,
    /// What differs from the image, and what could not be compared.
    pub notes: Vec<Note>,
    /// What checks found that were overridden.
    pub overridden: Vec<Misfit>,
}

/// What there is to say about an image that is about to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The drive keeps this range.
    Stays(Owned),
    BluRay(blu_ray::Note),
}

/// What a protocol has against sending an image to a drive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{self:?}")]
pub enum Misfit {
    Unlisted(Unlisted),
    BluRay(Mismatch),
}

/// A drive that is on no list of a family's drives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlisted {
    pub family: &'static str,
    /// `None` where it does not say who it is.
    pub drive: Option<Identity>,
}

/// Why an image is none for any drive of a family.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{self:?}")]
pub enum NoImage {
    /// Bytes that it has, and those that the family's drives take.
    Size {
        image: usize,
        family: &'static str,
        size: u32,
    },
    /// It is no firmware of LG's, ASUS's or HP's Blu-ray drives.
    NotBluRay,
    Damaged(mt19xx::Finding),
}

impl Misfit {
    /// The check that lets it through where it is named; `None` where nothing may.
    pub fn guard(&self) -> Option<Guard> {
        match self {
            Misfit::Unlisted(_) => Some(Guard::Family),
            Misfit::BluRay(mismatch) => mismatch.guard(),
        }
    }
}

/// Why nothing was prepared. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[error("{self:?}")]
pub enum PrepareError {
    /// The image cannot be for any drive of this family.
    Image(#[from] NoImage),
    /// The image is none for this drive, or not known to be.
    Misfit(#[from] Misfit),
    /// It is not known how this drive is to be sent anything.
    NotReady(NotReady),
    Device(#[from] DeviceError),
}

/// A download that was not finished, and what that means for the flash.
#[derive(Debug, thiserror::Error)]
#[error("{source}")]
pub struct SendError {
    pub source: DeviceError,
    pub effect: Effect,
}

/// What an unfinished download did to the flash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The drive had not been brought to program anything.
    Unchanged,
    /// The drive may have programmed some of it, or all, or nothing.
    InDoubt,
}

/// The drive does not answer yet and will be asked again.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// How long it will still be asked.
    pub remaining: Duration,
    pub last: LastAnswer,
    /// How far its programming is, where it tells.
    pub progress: Option<Progress>,
}

/// What a drive did that was asked whether it is back.
#[derive(Debug, Clone)]
pub enum LastAnswer {
    Ready,
    Error(Arc<PacketError>),
}

/// How far a drive says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub done: u32,
    pub of: u32,
}

/// Sends whole images to a drive.
pub trait Download {
    /// Refuses an image that no switch lets through, as far as that shows without
    /// reading the drive's firmware. `image` is a whole image, not FF throughout.
    ///
    /// # Errors
    /// [`PrepareError`] of a kind that [`Download::prepare`] would end with, too,
    /// whatever is forced.
    fn rule_out(&mut self, image: &[u8]) -> Result<(), PrepareError>;

    /// Checks an image, or FF throughout, as far as this family's protocol
    /// demands it, and works out what will be sent. Reads from the drive what
    /// it needs for that; changes nothing.
    ///
    /// Whether the image's names fit the drive is the caller's check.
    ///
    /// # Errors
    /// [`PrepareError::Misfit`] for the first failed check that is not forced.
    fn prepare(&mut self, offer: &Offer<'_>) -> Result<Prepared, PrepareError>;

    /// Sends it all, each command once, and brings the drive to program it.
    /// `taken` is told how many more bytes of the content the drive has taken.
    ///
    /// # Errors
    /// At the first command that did not end as documented. Nothing follows it.
    fn send(&mut self, prepared: &Prepared, taken: &mut dyn FnMut(u32)) -> Result<(), SendError>;

    /// Waits until the drive answers again, finds it again where it went away,
    /// and asks for its identity. `waiting` is told before each further attempt.
    ///
    /// # Errors
    /// [`DeviceError::NotBack`] where it does not.
    fn await_return(&mut self, waiting: &mut dyn FnMut(&Waiting)) -> Result<Identity, DeviceError>;
}
