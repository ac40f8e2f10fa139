//! The checks that stand between a user and a change.

use std::collections::BTreeSet;

use crate::protocol::download::Guard;

/// A check that the user can override by its name, because it would otherwise
/// block the recovery of some dead drive. None implies another, and there is
/// no name for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// An existing file is not overwritten.
    Overwrite,
    /// A blank or repeating dump is no backup.
    Blank,
    /// The image must name the model of the drive.
    Model,
    /// The image must not name a drive of another hardware family.
    Family,
    /// The image must not look damaged.
    Structure,
    /// The boot banner of the image must be that of the drive.
    Banner,
    /// What was read from a drive is for that drive alone.
    DriveRead,
    /// A dump must have no ranges that the drive refused to have read.
    Gaps,
    /// An earlier write of the flash must not be left unfinished.
    Interrupted,
    /// There must be no medium in the drive.
    Medium,
    /// The flash must read the same each time, but for a handful of times.
    Unstable,
    /// The job must not take more than a quarter of an hour.
    Slow,
}

/// The checks that the user has overridden.
pub type Forced = BTreeSet<Check>;

impl Check {
    pub const ALL: [Check; 12] = [
        Check::Overwrite,
        Check::Blank,
        Check::Model,
        Check::Family,
        Check::Structure,
        Check::Banner,
        Check::DriveRead,
        Check::Gaps,
        Check::Interrupted,
        Check::Medium,
        Check::Unstable,
        Check::Slow,
    ];

    /// The name after `--force=`.
    pub fn name(self) -> &'static str {
        match self {
            Check::Overwrite => "overwrite",
            Check::Blank => "blank",
            Check::Model => "model",
            Check::Family => "family",
            Check::Structure => "structure",
            Check::Banner => "banner",
            Check::DriveRead => "drive-read",
            Check::Gaps => "gaps",
            Check::Interrupted => "interrupted",
            Check::Medium => "medium",
            Check::Unstable => "unstable",
            Check::Slow => "slow",
        }
    }

    /// Whether what it refuses leaves a drive dead, with no way back that is
    /// known: whoever overrides it has read its name in a refusal, and is asked
    /// for the model.
    pub fn guards_life(self) -> bool {
        matches!(self, Check::Family | Check::Banner | Check::Structure)
    }
}

impl From<Guard> for Check {
    fn from(guard: Guard) -> Check {
        match guard {
            Guard::Family => Check::Family,
            Guard::Banner => Check::Banner,
            Guard::DriveRead => Check::DriveRead,
        }
    }
}
