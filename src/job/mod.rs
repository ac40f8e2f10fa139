//! What a user asks for: check, read, back up, erase, write, verify.
//!
//! A job sees a drive as a [`FirmwareDevice`] and never asks which protocol it
//! talks to. It shows nothing and asks nothing: it sends [`Event`]s, and a
//! write is split in two, so that its caller can show the [`change::Proposal`]
//! and ask before the first change.

pub mod backup;
pub mod change;
pub(crate) mod check;
pub(crate) mod estimate;
pub(crate) mod event;
pub(crate) mod fit;
pub(crate) mod flash_state;
pub(crate) mod interrupted;
pub mod journal;
pub(crate) mod listed;
pub(crate) mod objection;
pub mod read;
pub mod record;
pub(crate) mod resemblance;
pub(crate) mod selection;
pub(crate) mod steadiness;
pub(crate) mod stop;
pub mod verify;

use std::path::PathBuf;

pub use check::{Check, Forced};
pub use event::{Event, Phase};
pub use flash_state::FlashState;
pub use interrupted::Doubt;
pub use journal::{Asked, JournalError};
pub use objection::{Objection, Warning};
pub use selection::{Selection, SelectionError};
pub use stop::StopFlag;

use crate::files::FileError;
use crate::flash::{FlashRange, Offset};
use crate::image::soundness::Problem;
use crate::image::{Crc32, container};
use crate::plan::PlanError;
use crate::protocol::blu_ray::NotReady;
use crate::protocol::download::{Misfit, NoImage};
use crate::protocol::{DeviceError, FirmwareDevice, Unreadable, Unwritable};
use event::Sink;
use record::Date;

/// Why a job was not begun, or went no further. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{self:?}")]
pub enum Refusal {
    /// A check that the user can override.
    Check(Box<Objection>),
    /// [`Check::Interrupted`], with the backup of that write and what asked for it,
    /// where that is known.
    Unfinished {
        backup: PathBuf,
        date: Date,
        asked: Asked,
        doubt: Doubt,
        /// What was read before that write may have been a mixture already: it is no
        /// way back.
        half_written: bool,
    },
    /// [`Check::Interrupted`], where the backup of that write is wanted and cannot be
    /// used. None where there never was one.
    BackupGone {
        path: Option<PathBuf>,
        crc32: Option<Crc32>,
        date: Date,
        problem: BackupProblem,
    },
    /// As there; the file that the user has named for that backup is another one.
    OtherBackup {
        file: PathBuf,
        /// CRC-32 of the file as it is.
        found: Crc32,
        /// What it is packed in.
        packed: Option<container::Kind>,
        backup: PathBuf,
        crc32: Crc32,
        date: Date,
    },
    /// [`Check::Interrupted`]: a note of an unfinished write cannot be read, or a folder
    /// of them cannot be believed, and whose write it was is not known.
    Note {
        place: PathBuf,
    },
    /// The backup that was made is no longer what it was.
    Backup {
        path: PathBuf,
        crc32: Crc32,
        problem: BackupProblem,
    },
    /// It cannot be noted that a change is begun.
    Journal(#[from] JournalError),
    Selection(#[from] SelectionError),
    Unreadable(Unreadable),
    /// As there, of a model that is reported to answer vendor mode.
    UnreadableByPackets {
        why: Unreadable,
        model: &'static str,
    },
    Unwritable(Unwritable),
    Unerasable {
        family: &'static str,
    },
    /// The drive takes its firmware as a whole.
    NoParts,
    Plan(#[from] PlanError),
    /// The drive refuses to have any of what was asked for read.
    NothingRead,
    /// It keeps all of it for itself, or refuses to have it read.
    NothingCompared,
    /// Without a backup, bytes that are to stay would be in no place at all
    /// while their sector is erased.
    NoCopy {
        range: FlashRange,
    },
    /// The image is none for this drive, and no switch lets it through.
    NotThisImage(Misfit),
    /// It is not known how this drive is to be sent anything.
    NotReady(NotReady),
    NoBackupPossible(NoBackup),
}

impl From<Objection> for Refusal {
    fn from(objection: Objection) -> Refusal {
        Refusal::Check(objection.into())
    }
}

/// Why an image is none for any flash of this kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It has neither the size of the flash nor that of the part.
    #[error(transparent)]
    Size(Problem),
    /// It is not whole, or no firmware.
    #[error(transparent)]
    Unsound(Problem),
    /// The drive's protocol takes no such image.
    #[error("{0:?}")]
    Protocol(NoImage),
}

/// Why a flash gives no backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoBackup {
    Unreadable(Unreadable),
    /// As there, of a model that is reported to answer vendor mode.
    Reported {
        why: Unreadable,
        model: &'static str,
    },
    /// The drive refuses to have any of it read.
    Refused,
    /// What is read does not have the drive's names where they belong.
    Nameless {
        at: Offset,
    },
}

/// What is wrong with a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{self:?}")]
pub enum BackupProblem {
    /// The user wanted none.
    None,
    Unreadable,
    /// Its CRC-32 is another one.
    Changed,
    InUse,
    NoLock,
}

/// Why a job failed, and what that means for the flash.
#[derive(Debug, thiserror::Error)]
#[error("{self:?}")]
pub enum JobError {
    Refused(#[from] Refusal),
    /// The image does not fit this flash.
    Image(#[from] Unfit),
    Device {
        source: DeviceError,
        flash: FlashState,
    },
    Unstable {
        at: Offset,
        first: u8,
        second: u8,
        attempts: u32,
        flash: FlashState,
    },
    File(#[from] FileError),
    Stopped,
    /// Nothing was changed, and what was read is in this file.
    Kept {
        file: PathBuf,
        source: Box<JobError>,
    },
}

impl JobError {
    /// A device error before anything was changed.
    fn before_change(source: DeviceError) -> JobError {
        match source {
            DeviceError::Stopped => JobError::Stopped,
            source => JobError::Device {
                source,
                flash: FlashState::Unchanged,
            },
        }
    }

    /// The same error, after changes were begun.
    fn leaving_flash(self, state: FlashState) -> JobError {
        match self {
            JobError::Device { source, .. } => JobError::Device {
                source,
                flash: state,
            },
            JobError::Unstable {
                at,
                first,
                second,
                attempts,
                ..
            } => JobError::Unstable {
                at,
                first,
                second,
                attempts,
                flash: state,
            },
            other => other,
        }
    }

    /// What the flash holds after this error.
    pub fn flash(&self) -> FlashState {
        match self {
            JobError::Device { flash, .. } | JobError::Unstable { flash, .. } => flash.clone(),
            _ => FlashState::Unchanged,
        }
    }
}

/// What every job works with.
pub struct Job<'a> {
    device: &'a mut dyn FirmwareDevice,
    events: Sink<'a>,
    stop: &'a StopFlag,
    /// Set while the flash is being changed: a stop is then postponed.
    changing: bool,
    stop_is_noted: bool,
}

impl<'a> Job<'a> {
    pub fn new(
        device: &'a mut dyn FirmwareDevice,
        events: Sink<'a>,
        stop: &'a StopFlag,
    ) -> Job<'a> {
        Job {
            device,
            events,
            stop,
            changing: false,
            stop_is_noted: false,
        }
    }

    fn send(&mut self, event: Event) {
        (self.events)(event);
    }

    /// Ends the job where the user wants that and nothing is being changed.
    fn check_stop(&mut self) -> Result<(), JobError> {
        if !self.stop.is_requested() {
            return Ok(());
        }
        if !self.changing {
            return Err(JobError::Stopped);
        }
        postpone_stop(self.stop, &mut self.stop_is_noted, self.events);
        Ok(())
    }

    /// Shows that what has just been read, and what is read next, comes from a chip
    /// that is there and idle.
    fn prove_idle(&mut self) -> Result<(), JobError> {
        self.device.prove_idle().map_err(JobError::before_change)
    }

    /// The ranges of one selection, checked against the flash's size.
    fn ranges(&self, selection: &Selection) -> Result<Vec<FlashRange>, JobError> {
        selection
            .ranges(self.device.capabilities().size)
            .map_err(|problem| Refusal::from(problem).into())
    }
}

/// Answers a wish to stop, once, that the job goes on.
fn postpone_stop(stop: &StopFlag, is_noted: &mut bool, events: Sink<'_>) {
    if stop.is_requested() && !std::mem::replace(is_noted, true) {
        events(Event::StopPostponed);
    }
}
