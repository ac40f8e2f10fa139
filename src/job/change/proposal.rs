//! What would be done, and how it is carried out.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::download::{self, DownloadPlan, There};
use super::in_place;
use super::outcome::{ChangeError, Changed};
use super::way_back::Backup;
use crate::flash::{Bank, FlashRange, Offset};
use crate::image::Checksum;
use crate::job::backup;
use crate::job::event::Phase;
use crate::job::fit::Match;
use crate::job::interrupted::{self, Beginning, Closing, Notice, UnderWay};
use crate::job::journal::{self, Journal, Piece};
use crate::job::record::{Date, Record};
use crate::job::resemblance::Resemblance;
use crate::job::verify::Compared;
use crate::job::{FlashState, Job, Warning};
use crate::plan::Plan;
use crate::protocol::DeviceInfo;
use crate::protocol::download::Note;

/// What would be done. Nothing has been changed so far.
#[derive(Debug)]
pub struct Proposal {
    pub work: Work,
    pub backup: Backup,
    /// How the image was found to fit the drive; `None` for an erase.
    pub fit: Option<Match>,
    /// What the user should think twice about before agreeing.
    pub warnings: Vec<Warning>,
    /// The image is nearly what the flash holds.
    pub resemblance: Option<Resemblance>,
    /// What stays as it is although it could be changed.
    pub kept: Vec<FlashRange>,
    /// The changes that were begun on this drive, or one like it, and not finished.
    pub unfinished: Vec<Notice>,
    /// What is noted when this change is begun.
    pub(in crate::job) noted: Noted,
    /// Unfinished changes that are over when this one has succeeded.
    pub(in crate::job) over: Vec<Closing>,
    /// Those that are not, and of which this one leaves less to be seen.
    pub(in crate::job) written_over: Vec<journal::Found>,
    /// What else there is to say about it.
    pub notes: Vec<Note>,
    /// What is read back afterwards.
    pub(in crate::job) scope: Vec<FlashRange>,
    pub(in crate::job) check: Phase,
}

/// What the journal and the backup's record say of a change.
#[derive(Debug)]
pub(in crate::job) struct Noted {
    pub journal: Journal,
    /// The file that is noted and what its record is to say.
    pub backup: Option<(PathBuf, Record)>,
    pub device: DeviceInfo,
    pub date: Date,
    pub tool: String,
    /// Sums of what the flash held before and is to hold, where it is changed.
    pub pieces: Vec<Piece>,
    pub covered: Vec<FlashRange>,
    /// The flash is in the middle of another change.
    pub mixed: bool,
    /// The entries of earlier runs that this one goes on with.
    pub continued: Vec<journal::Found>,
}

/// What there is to do, and what the whole flash is to hold then.
#[derive(Debug)]
pub enum Work {
    /// Sectors to erase and bytes to program; none where the flash holds all
    /// of it already.
    InPlace {
        plan: Plan,
        target: Arc<Vec<u8>>,
        /// Banks that an earlier run has begun.
        begun: BTreeSet<Bank>,
    },
    /// The drive takes the whole image and programs it by itself.
    Download(DownloadPlan),
}

impl Proposal {
    /// The file with the way back, where it is right now what it was: time has passed
    /// since it was made or found, and files come and go.
    pub fn kept_backup(&self) -> Option<&Path> {
        let path = self.backup.file()?;
        let (_, record) = self.noted.backup.as_ref()?;
        backup::is_intact(path, record).then_some(path)
    }

    /// Whether all there is gets erased.
    pub fn erases_everything(&self) -> bool {
        match &self.work {
            Work::InPlace { plan, target, .. } => {
                plan.summary().bytes_to_erase as usize == target.len()
            }
            Work::Download(_) => true,
        }
    }

    /// Whether the flash already holds all of it.
    pub fn is_empty(&self) -> bool {
        match &self.work {
            Work::InPlace { plan, .. } => plan.is_empty(),
            Work::Download(download) => download.there != There::Not,
        }
    }

    /// Whether that is what the drive says, and its flash was not read.
    pub fn is_said(&self) -> bool {
        match &self.work {
            Work::InPlace { .. } => false,
            Work::Download(download) => download.there == There::AsSaid,
        }
    }

    /// What the flash holds where there is nothing to do: it has been read twice and
    /// is what it should be.
    pub fn unchanged(&self) -> Compared {
        let sums: Vec<(Bank, Checksum)> = self
            .scope
            .iter()
            .map(|range| {
                let sum = Checksum::of(range.of(self.target()));
                (Offset(range.start()).bank(), sum)
            })
            .collect();
        Compared {
            total: sums
                .iter()
                .fold(Checksum::default(), |total, (_, sum)| total.and(*sum)),
            sums,
            difference: None,
            is_blank: false,
            disagreements: 0,
            gaps: Vec::new(),
            owned: match &self.work {
                Work::InPlace { .. } => Vec::new(),
                Work::Download(download) => download.owned.clone(),
            },
        }
    }

    /// What the journal says that the flash is about to hold.
    fn noted_target(&self) -> Cow<'_, [u8]> {
        match &self.work {
            Work::InPlace { target, .. } => target.as_slice().into(),
            Work::Download(download) => download.noted().into(),
        }
    }

    fn target(&self) -> &[u8] {
        match &self.work {
            Work::InPlace { target, .. } => target,
            Work::Download(download) => &download.prepared.content,
        }
    }

    /// Changes the flash and reads back what it holds then. With an empty plan
    /// it is read back all the same.
    ///
    /// # Errors
    /// Whatever the drive does; [`ChangeError::flash`] says what it means for
    /// the flash.
    pub fn carry_out(&self, job: &mut Job) -> Result<Changed, ChangeError> {
        job.check_stop()?;
        let noted = &self.noted;
        let target = self.noted_target();
        let backup = noted.backup.as_ref();
        let is_noted = backup.is_some() || !self.is_empty();
        let under_way = match is_noted {
            true => Some(interrupted::begin(
                &Beginning {
                    backup: backup.map(|(path, record)| (path.as_path(), record)),
                    device: &noted.device,
                    date: noted.date,
                    tool: &noted.tool,
                    pieces: &noted.pieces,
                    covered: &noted.covered,
                    target: &target,
                    plan: self.plan().map(Plan::summary).unwrap_or_default(),
                    mixed: noted.mixed,
                    continued: &noted.continued,
                },
                &noted.journal,
            )?),
            false => None,
        };
        let changed = match &self.work {
            Work::InPlace {
                plan,
                target,
                begun,
            } => in_place::carry_out(job, plan, target, begun, &self.scope, self.check),
            Work::Download(download) => download::carry_out(job, download, &self.scope, self.check),
        };
        let entry = under_way.as_ref().and_then(UnderWay::entry);
        match &changed {
            Ok(_) => {
                let path = backup.map(|(path, _)| path.as_path());
                interrupted::finish(path, entry, &noted.journal);
                self.over.iter().for_each(|one| one.close(&noted.journal));
                let written_over = self.written_over.iter();
                written_over.for_each(|one| noted.journal.written_since(one, &self.scope));
            }
            Err(error) if error.flash() == FlashState::Unchanged => {
                let before = backup.map(|(path, record)| (path.as_path(), record));
                // The record of a change that is gone on with says so still.
                let before = before.filter(|_| !matches!(self.backup, Backup::Earlier(_)));
                let under_way = under_way.iter();
                under_way.for_each(|one| interrupted::withdraw(one, before, &noted.journal));
            }
            Err(_) => {}
        }
        changed.map_err(|error| self.once_more(error, entry))
    }

    /// Notes where the chip has failed, and says where it has failed there before.
    fn once_more(&self, error: ChangeError, entry: Option<&journal::Found>) -> ChangeError {
        let (Some(at), Some(entry)) = (error.refused_byte(), entry) else {
            return error;
        };
        if error.flash() == FlashState::Unchanged {
            return error;
        }
        self.noted.journal.failed_at(entry, at);
        let mut earlier = self.over.iter().filter_map(|one| one.entry.as_ref());
        match earlier.any(|one| one.entry.failed_at == Some(at.0)) {
            true => ChangeError::Again {
                at,
                source: Box::new(error),
            },
            false => error,
        }
    }

    fn plan(&self) -> Option<&Plan> {
        match &self.work {
            Work::InPlace { plan, .. } => Some(plan),
            Work::Download(_) => None,
        }
    }
}
