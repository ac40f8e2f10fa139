//! Changing what a flash holds, in two halves: [`prepare`] reads, backs up and plans
//! without changing anything, [`Proposal::carry_out`] changes the flash. There are two
//! ways to do it: sector by sector in place, and by a whole image that the drive
//! programs by itself.

pub(crate) mod download;
mod in_place;
mod outcome;
mod proposal;
mod way_back;

use std::path::Path;

use super::backup::Circumstances;
use super::objection::Content as Doubtful;
use super::record::Record;
use super::steadiness::warning_of_dump;
use super::{Forced, Job, JobError, Refusal, Selection, Warning, fit};
use crate::flash::FlashRange;
use crate::image::Image;
use crate::protocol::Writing;
use crate::scsi::Identity;

pub use outcome::{ChangeError, Changed, Evidence, Firmware, NotReadBack, Restart};
pub use proposal::{Proposal, Work};
pub use way_back::{Backup, BackupWish, refuse_blank};

use proposal::Noted;
use way_back::{Made, backup_path, early_checks, refuse_unfinished, way_back};

/// What is to be in the flash.
#[derive(Debug, Clone)]
pub enum Content<'a> {
    Image {
        image: &'a Image,
        /// The record beside the image file, where the image is a backup.
        record: Option<Box<Record>>,
    },
    /// FF throughout.
    Blank,
}

/// A wish to change a flash.
#[derive(Debug)]
pub struct Request<'a> {
    pub content: Content<'a>,
    /// Of the image, where it is in one.
    pub file: Option<&'a Path>,
    pub selection: Selection,
    /// Ranges that stay as they are.
    pub keep: Vec<FlashRange>,
    pub backup: BackupWish,
    pub forced: Forced,
    pub circumstances: Circumstances,
    /// Only look: no backup is made, and the proposal is not meant to be
    /// carried out.
    pub dry_run: bool,
    /// Nothing is written where the drive cannot be read and says that it has the
    /// image's revision already.
    pub skip_if_same: bool,
}

impl Request<'_> {
    /// The files beside which a backup that was moved may be, or which are it.
    fn near(&self) -> Vec<&Path> {
        let backup = backup_path(&self.backup);
        backup.into_iter().chain(self.file).collect()
    }
}

/// Reads what may change, makes the backup and works out the plan.
///
/// # Errors
/// An image that does not fit this flash or drive, a flash that cannot be read
/// or written, a backup that cannot be made. Nothing was changed then.
pub fn prepare(job: &mut Job, request: &Request) -> Result<Proposal, JobError> {
    match &job.device.capabilities().writing {
        Writing::InPlace(layout) => {
            let layout = layout.clone();
            in_place::prepare(job, request, &layout)
        }
        Writing::Download(rules) => {
            let rules = *rules;
            download::prepare(job, request, &rules)
        }
        Writing::Impossible(why) => Err(Refusal::Unwritable(*why).into()),
    }
}

/// What needs no look into the flash: whether an image is for the drive that says so.
///
/// # Errors
/// A [`Refusal`] that names the check to force.
pub fn refuse_misfit(content: &Content, drive: &Identity, forced: &Forced) -> Result<(), Refusal> {
    let Content::Image { image, record } = content else {
        return Ok(());
    };
    let recorded = record.as_ref().and_then(|record| record.drive.as_ref());
    fit::check(image, Some(drive), recorded, &[], forced).map(drop)
}

/// What the record of an image says against it.
fn record_warnings(record: Option<&Record>, drive: Option<&Identity>) -> Vec<Warning> {
    let Some(record) = record else {
        return Vec::new();
    };
    [
        other_drive(record, drive),
        warning_of_dump(Doubtful::Image, record.disagreements),
        record.half_written.then_some(Warning::Mixture),
        record.unconfirmed.then_some(Warning::Unconfirmed),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn other_drive(record: &Record, drive: Option<&Identity>) -> Option<Warning> {
    let of_image = record.drive.as_ref()?.serial.clone()?;
    let of_drive = drive?.serial.clone()?;
    (of_image != of_drive).then_some(Warning::OtherDrive { of_image, of_drive })
}
