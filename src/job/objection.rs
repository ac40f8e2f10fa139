//! What stands against a job, and what is to be thought of before it: facts,
//! for the command line to put into words.

use std::path::PathBuf;
use std::time::Duration;

use super::fit::Comparison;
use super::record::Date;
use super::resemblance::Resemblance;
use super::{Check, Forced, Refusal};
use crate::flash::{FlashRange, Offset};
use crate::image::damage::Finding;
use crate::image::soundness::Problem;
use crate::protocol::download::{Guard, Misfit};

/// What a check has found. The user can override it by the check's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Objection {
    /// The image is not known to be for this drive, or known not to be.
    Misfit(Comparison),
    /// The image looks damaged.
    LooksDamaged(Finding),
    /// The image has another byte than its own banks and the flash have there.
    OddByte(Resemblance),
    /// The image has the names of the drive where the flash has them, but in another bank.
    OtherBank { in_image: Offset, in_flash: Offset },
    /// What the flash reads as is no backup.
    NoBackup(Problem),
    /// All of the flash is blank, also what is to stay as it is. What was in one like it
    /// is in this backup.
    Erased { backup: PathBuf, date: Date },
    /// The image is a dump that lacks these ranges.
    ImageLacks(Vec<FlashRange>),
    /// The drive refuses to have these ranges read: a backup would lack them.
    BackupWouldLack(Vec<FlashRange>),
    /// Two reads of a block differed so often that what they agree on may be wrong.
    Unsteady { disagreements: u32 },
    /// At the pace of the first commands the job takes so long.
    Slow { expected: Duration },
    /// What the drive's protocol has against it, with the check for that.
    Protocol(Misfit, Guard),
}

impl Objection {
    /// What is left of it where the user has named its check.
    ///
    /// # Errors
    /// Where the user has not.
    pub(super) fn unless_forced(self, forced: &Forced) -> Result<Warning, Refusal> {
        match forced.contains(&self.check()) {
            true => Ok(Warning::Overridden(self)),
            false => Err(self.into()),
        }
    }

    /// The check that overrides it.
    pub fn check(&self) -> Check {
        match self {
            Objection::Misfit(comparison) => comparison.check().unwrap_or(Check::Model),
            Objection::LooksDamaged(_) | Objection::OddByte(_) | Objection::OtherBank { .. } => {
                Check::Structure
            }
            Objection::NoBackup(_) | Objection::Erased { .. } => Check::Blank,
            Objection::ImageLacks(_) | Objection::BackupWouldLack(_) => Check::Gaps,
            Objection::Unsteady { .. } => Check::Unstable,
            Objection::Slow { .. } => Check::Slow,
            Objection::Protocol(_, guard) => (*guard).into(),
        }
    }
}

/// What a user should think twice about before agreeing to a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// A check has found this, and the user has overridden it.
    Overridden(Objection),
    /// Two reads of a block differed a few times; it was read until two agreed.
    Reread { disagreements: u32 },
    /// Nothing but the boot loader answers until an image is written.
    NoFirmwareAfterwards,
    /// The drive says that it has the image's revision already.
    SameRevision,
    /// The image is a backup of a drive with another serial number.
    OtherDrive { of_image: String, of_drive: String },
    /// Content comes from a dump that may be wrong: its reads differed so often.
    DoubtfulDump { of: Content, disagreements: u32 },
    /// The flash looks damaged, and bytes of it are to stay as they are.
    KeptFromDamaged(Finding),
    /// The image was read from a flash whose write had not been finished.
    Mixture,
    /// The image was read in a way that was never confirmed to give the flash.
    Unconfirmed,
    /// The backup lacks these ranges, which the drive refuses to have read.
    BackupLacks(Vec<FlashRange>),
}

/// What content a warning is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    Image,
    EarlierBackup,
}
