//! Writing an image, in two halves: [`prepare`] reads, backs up and plans
//! without changing anything, [`Proposal::carry_out`] changes the flash.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::backup::{self, Circumstances};
use super::change::{self, ChangeError, Changed};
use super::download::{self, DownloadPlan, There};
use super::event::Phase;
use super::fit::{self, Match};
use super::interrupted::{self, Beginning, Change, Closing, Notice, Start, Unfinished};
use super::journal::{self, Journal, Piece, trace};
use super::read::{self, Dump, without};
use super::record::{Date, Record};
use super::resemblance::Resemblance;
use super::steadiness::{refuse_unstable, warning_of_dump};
use super::verify::Compared;
use super::{
    Check, FlashState, Forced, Job, JobError, Objection, Refusal, Selection, Warning, objection,
};
use crate::files::{self, FileError};
use crate::flash::{Bank, EraseLayout, FlashRange, Offset};
use crate::image::soundness;
use crate::image::{Arrangement, Checksum, Crc32, Encoding, Format, Image, identity};
use crate::plan::{self, Plan};
use crate::protocol::download::Note;
use crate::protocol::{DeviceInfo, Writing};
use crate::scsi::Identity;

/// Backups are what `/m /b` reads.
const BACKUP_FORMAT: Format = Format {
    encoding: Encoding::Binary,
    arrangement: Arrangement::Merged,
};

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

/// How the way back is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackupWish {
    /// A backup in this file, in raw binary.
    File(PathBuf),
    /// The same, in a file that the user has not named and nobody has; the other
    /// name is for a flash that an unfinished change has left as a mixture.
    Fresh {
        backup: PathBuf,
        half_written: PathBuf,
    },
    /// None: the user said so.
    None,
}

/// A wish to change a flash.
#[derive(Debug)]
pub struct Request<'a> {
    pub content: Content<'a>,
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

/// The way back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backup {
    /// Made just now, verified and on the disk.
    Made { path: PathBuf, crc32: Crc32 },
    /// An earlier run was interrupted; its backup is intact.
    Earlier(Box<Unfinished>),
    /// Another change was begun on this drive and not finished: its backup, which
    /// is intact, holds what was in the flash before.
    Before(Box<Unfinished>),
    /// What was read just now is on the disk, and may be what an unfinished change
    /// has left: no way back.
    Mixture { path: PathBuf, crc32: Crc32 },
    /// Would be made in this file.
    Planned(PathBuf),
    /// The user wants none.
    None,
    /// The drive gives nothing of what is in its flash, and never will before it
    /// is written.
    Impossible,
    /// Nothing is going to be changed.
    NotNeeded,
}

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
    pub(super) noted: Noted,
    /// Unfinished changes that are over when this one has succeeded.
    pub(super) over: Vec<Closing>,
    /// What else there is to say about it.
    pub notes: Vec<Note>,
    /// What is read back afterwards.
    pub(super) scope: Vec<FlashRange>,
    pub(super) check: Phase,
}

/// What the journal and the backup's record say of a change.
#[derive(Debug)]
pub(super) struct Noted {
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
}

/// What there is to do, and what the whole flash is to hold then.
#[derive(Debug)]
pub enum Work {
    /// Sectors to erase and bytes to program; none where the flash holds all
    /// of it already.
    InPlace { plan: Plan, target: Arc<Vec<u8>> },
    /// The drive takes the whole image and programs it by itself.
    Download(DownloadPlan),
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
            prepare_in_place(job, request, &layout)
        }
        Writing::Download(rules) => {
            let rules = rules.clone();
            download::prepare(job, request, &rules)
        }
        Writing::Impossible(why) => Err(Refusal::Unwritable(*why).into()),
    }
}

fn prepare_in_place(
    job: &mut Job,
    request: &Request,
    layout: &EraseLayout,
) -> Result<Proposal, JobError> {
    let scope = Scope::of(job, request, layout)?;
    // A drive that says who it is settles at once whether the image is for it;
    // one that does not is asked for its flash first.
    let said = scope.fit(scope.device.identity.as_ref(), &[])?;
    let (dump, unsteady) = scope.survey(job)?;
    let earlier = scope.earlier(job, &dump)?;
    job.check_stop()?;
    let is_empty = earlier.plan.is_empty();
    // What an interrupted write has left is no firmware to compare with.
    let compares = matches!(earlier.start, Start::Here);
    let of_backup = earlier.identity;
    let made = match is_empty {
        true => Made::nothing(Backup::NotNeeded),
        false => way_back(earlier.start, &dump, request, &scope.device, |record| {
            named(record, of_backup.as_ref())
        })?,
    };
    if is_empty && !request.dry_run {
        let journal = &request.circumstances.journal;
        earlier.over.iter().for_each(|one| one.close(journal));
    }
    let with_kept = |error: JobError| made.backup.kept_with(error);
    let fit = match said {
        Some(fit) => Some(fit),
        None => scope
            .fit_by_flash(job, &dump, of_backup.as_ref())
            .map_err(with_kept)?,
    };
    let resemblance = match compares {
        true => scope.resemblance(&dump),
        false => None,
    };
    if let Some(resemblance) = &resemblance {
        let refused = resemblance.refuse_damage(&request.forced);
        refused.map_err(|refusal| with_kept(refusal.into()))?;
    }
    let mut warnings: Vec<Warning> = unsteady.into_iter().collect();
    warnings.extend(record_warnings(
        scope.record,
        scope.device.identity.as_ref(),
    ));
    if let Backup::Earlier(earlier) | Backup::Before(earlier) = &made.backup {
        warnings.extend(warning_of_dump(
            objection::Content::EarlierBackup,
            earlier.record.disagreements,
        ));
    }
    let covered = made.covered.unwrap_or_else(|| dump.ranges.clone());
    let before = made.before.as_deref().unwrap_or(&dump.bytes);
    Ok(Proposal {
        noted: Noted {
            journal: request.circumstances.journal.clone(),
            pieces: trace::pieces(before, Some(&earlier.target), &covered),
            covered,
            mixed: made.mixed,
            backup: made.noted,
            date: request.circumstances.date,
            tool: request.circumstances.tool.clone(),
            device: scope.device,
        },
        work: Work::InPlace {
            plan: earlier.plan,
            target: earlier.target,
        },
        backup: made.backup,
        unfinished: earlier.notices,
        over: earlier.over,
        fit,
        warnings,
        resemblance,
        kept: request.keep.clone(),
        notes: Vec::new(),
        scope: dump.ranges,
        check: scope.check,
    })
}

/// What a change in place is about.
struct Scope<'a> {
    request: &'a Request<'a>,
    layout: &'a EraseLayout,
    device: DeviceInfo,
    /// The bytes that are to change; what is kept is not taken out.
    wanted: Vec<FlashRange>,
    /// The image, and that laid out over a whole flash.
    image: Option<(&'a Image, Cow<'a, [u8]>)>,
    /// The record beside the image.
    record: Option<&'a Record>,
    /// How it is shown afterwards that the flash is as it should be.
    check: Phase,
}

/// What earlier changes of this flash mean for this one.
struct Earlier {
    start: Start,
    target: Arc<Vec<u8>>,
    plan: Plan,
    /// Who the drive is by a backup of this very flash.
    identity: Option<Identity>,
    over: Vec<Closing>,
    notices: Vec<Notice>,
}

impl<'a> Scope<'a> {
    fn of(job: &Job, request: &'a Request, layout: &'a EraseLayout) -> Result<Scope<'a>, JobError> {
        let wanted = job.ranges(&request.selection)?;
        for range in &request.keep {
            job.ranges(&Selection::Range(*range))?;
        }
        let (image, record, check) = match &request.content {
            Content::Image { image, record } => {
                let spread = fit::spread(image, layout.size(), &request.selection, &wanted)?;
                (Some((*image, spread)), record.as_deref(), Phase::Verify)
            }
            Content::Blank => (None, None, Phase::BlankCheck),
        };
        Ok(Scope {
            request,
            layout,
            device: job.device.info().clone(),
            wanted,
            image,
            record,
            check,
        })
    }

    /// Whether the image is for this drive, where that says who it is or its flash
    /// does. `None` where there is no image, or nobody says anything yet.
    fn fit(&self, drive: Option<&Identity>, flash: &[u8]) -> Result<Option<Match>, Refusal> {
        let Some((image, _)) = &self.image else {
            return Ok(None);
        };
        if drive.is_none() && flash.is_empty() {
            return Ok(None);
        }
        let recorded = self.record.and_then(|record| record.drive.as_ref());
        let forced = &self.request.forced;
        fit::check(image, drive, recorded, flash, forced).map(Some)
    }

    /// Whether the image is for what the flash holds, by the flash or its backup.
    fn fit_by_flash(
        &self,
        job: &mut Job,
        dump: &Dump,
        of_backup: Option<&Identity>,
    ) -> Result<Option<Match>, JobError> {
        if self.image.is_none() {
            return Ok(None);
        }
        let flash = whole_for_names(job, dump, of_backup)?;
        let fit = self.fit(of_backup, &flash)?;
        Ok(fit.map(|fit| Match {
            is_by_backup: of_backup.is_some(),
            ..fit
        }))
    }

    /// Reads all that can be touched. Returns what to say of a flash that reads
    /// differently each time, where its user wants to go on.
    fn survey(&self, job: &mut Job) -> Result<(Dump, Option<Warning>), JobError> {
        let touched = touched(&self.wanted, self.layout);
        early_checks(self.request, &self.device, self.layout.size(), &touched)?;
        let dump = read::read_ranges(job, touched)?;
        let unsteady = refuse_unstable(dump.disagreements, &self.request.forced)?;
        Ok((dump, unsteady))
    }

    /// What this change makes of a flash.
    fn target(&self, before: &[u8]) -> Arc<Vec<u8>> {
        let keep = &self.request.keep;
        let wanted: u64 = self.wanted.iter().map(|range| u64::from(range.len())).sum();
        let is_whole = wanted == before.len() as u64 && keep.is_empty();
        match &self.image {
            Some((image, Cow::Borrowed(_))) if is_whole => image.shared(),
            Some((_, spread)) => plan::merge(before, spread, &self.wanted, keep).into(),
            None => plan::blank(before, &self.wanted, keep).into(),
        }
    }

    /// Whether this change goes on with one that was begun, and from what; what there
    /// is to do then.
    fn earlier(&self, job: &mut Job, dump: &Dump) -> Result<Earlier, JobError> {
        let request = self.request;
        let open = interrupted::find(
            backup_path(&request.backup),
            &self.device,
            dump.bytes.len(),
            &request.circumstances.journal,
        );
        let retained = without(&dump.ranges, &without(&self.wanted, &request.keep));
        let seen = match open.needs_more_than(dump) {
            true => Cow::Owned(read::whole(job, dump)?),
            false => Cow::Borrowed(dump),
        };
        let change = Change {
            dump,
            seen: &seen,
            target: &|before| self.target(before),
            retained: &retained,
            layout: Some(self.layout),
        };
        let drive = self.device.identity.as_ref();
        let start = open.start(&change, drive, &request.forced)?;
        refuse_unfinished(&start, request)?;
        let target = match &start {
            Start::Resumed(earlier) => self.target(&earlier.flash),
            Start::Here | Start::After(_) | Start::Mixed => self.target(&dump.bytes),
        };
        let plan = plan::plan(&dump.bytes, &target, self.layout).map_err(Refusal::from)?;
        let start = match plan.is_empty() || request.backup == BackupWish::None {
            true => start,
            false => open.of_blank(start, &change, &request.forced)?,
        };
        if request.backup == BackupWish::None && matches!(start, Start::Here | Start::Mixed) {
            refuse_unkept(&plan, &retained, &dump.bytes)?;
        }
        let mut over = match dump.is_whole() && retained.is_empty() {
            // Whatever was unfinished of this drive is over with a whole image.
            true => open.of_this_drive(&change),
            false => open.put_back(&target, &change, drive),
        };
        over.extend(open.superseded(&change));
        let notices = match &start {
            Start::Resumed(earlier) => {
                over.extend(open.same_as(earlier, &change));
                Vec::new()
            }
            Start::After(earlier) if earlier.covers_exactly(&dump.ranges) => {
                over.extend(open.same_as(earlier, &change));
                open.notices(&seen, Some(self.layout))
            }
            _ => open.notices(&seen, Some(self.layout)),
        };
        // A flash that is as a backup has it is of that model, whichever drive it is.
        let identity = match &start {
            Start::Resumed(earlier) | Start::After(earlier) => earlier.identity(),
            Start::Here | Start::Mixed => {
                let of_this = open.intact.iter().find(|one| one.is_of_flash(&dump.bytes));
                of_this.and_then(Unfinished::identity)
            }
        };
        Ok(Earlier {
            start,
            target,
            plan,
            identity,
            over,
            notices,
        })
    }

    /// How much of the image the flash holds already.
    fn resemblance(&self, dump: &Dump) -> Option<Resemblance> {
        let (image, spread) = self.image.as_ref()?;
        let compared = without(&self.wanted, &self.request.keep);
        let drive = self.device.identity.as_ref();
        Resemblance::of(image, spread, dump, &compared, drive)
    }
}

/// A record with the model that the drive is by its backup, where it says nothing.
fn named(record: Record, of_backup: Option<&Identity>) -> Record {
    let model = of_backup.map(|drive| Identity {
        serial: None,
        ..drive.clone()
    });
    Record {
        drive: record.drive.or(model),
        ..record
    }
}

/// The way back, and what is to be noted of it.
pub(super) struct Made {
    pub backup: Backup,
    pub noted: Option<(PathBuf, Record)>,
    /// Where that is not what was read just now.
    pub before: Option<Vec<u8>>,
    pub covered: Option<Vec<FlashRange>>,
    /// The flash is in the middle of another change.
    pub mixed: bool,
}

impl Made {
    pub fn nothing(backup: Backup) -> Made {
        Made {
            backup,
            noted: None,
            before: None,
            covered: None,
            mixed: false,
        }
    }

    pub fn earlier(earlier: Box<Unfinished>, as_backup: fn(Box<Unfinished>) -> Backup) -> Made {
        Made {
            noted: Some((earlier.path.clone(), earlier.record.clone())),
            before: Some(earlier.flash.clone()),
            covered: Some(earlier.record.covered()),
            mixed: earlier.began_mixed(),
            backup: as_backup(earlier),
        }
    }
}

/// Finds the way back, or makes it.
pub(super) fn way_back(
    start: Start,
    dump: &Dump,
    request: &Request,
    device: &DeviceInfo,
    known: impl FnOnce(Record) -> Record,
) -> Result<Made, JobError> {
    let read = dump;
    let (dump, is_mixed): (Cow<Dump>, bool) = match start {
        Start::Resumed(earlier) => return Ok(Made::earlier(earlier, Backup::Earlier)),
        Start::After(earlier) if earlier.covers_exactly(&dump.ranges) => {
            let mixed = earlier.flash != dump.bytes;
            return Ok(Made {
                mixed,
                ..Made::earlier(earlier, Backup::Before)
            });
        }
        // What was in the flash before any change, from both.
        Start::After(earlier) => (Cow::Owned(earlier.before(dump)), false),
        Start::Here => (Cow::Borrowed(dump), false),
        Start::Mixed => (Cow::Borrowed(dump), true),
    };
    let path = match &request.backup {
        BackupWish::None => return Ok(Made::nothing(Backup::None)),
        BackupWish::Fresh { half_written, .. } if is_mixed => half_written,
        BackupWish::Fresh { backup: path, .. } | BackupWish::File(path) => path,
    };
    if request.dry_run {
        return Ok(Made::nothing(Backup::Planned(path.clone())));
    }
    let record = Record {
        half_written: is_mixed,
        ..known(Record::of(&dump, device, &request.circumstances))
    };
    let (path, crc32) = make_backup(&dump, &record, path, request)?;
    Ok(Made {
        noted: Some((path.clone(), record)),
        backup: match is_mixed {
            true => Backup::Mixture { path, crc32 },
            false => Backup::Made { path, crc32 },
        },
        mixed: dump.bytes != read.bytes,
        covered: Some(dump.ranges.clone()),
        before: match dump {
            Cow::Owned(dump) => Some(dump.bytes),
            Cow::Borrowed(_) => None,
        },
    })
}

/// The only way back is not given a second purpose by its name.
pub(super) fn refuse_unfinished(start: &Start, request: &Request) -> Result<(), FileError> {
    match (start, &request.backup) {
        (Start::After(earlier), BackupWish::File(path)) if earlier.is_where_it_was(path) => {
            backup::must_not_be_unfinished(path)
        }
        _ => Ok(()),
    }
}

/// The flash in which names are looked for where nobody says who the drive is: all
/// of it, where what was read has none.
fn whole_for_names<'a>(
    job: &mut Job,
    dump: &'a Dump,
    of_backup: Option<&Identity>,
) -> Result<Cow<'a, [u8]>, JobError> {
    let is_enough =
        of_backup.is_some() || dump.is_whole() || !identity::find(&dump.bytes).is_empty();
    Ok(match is_enough {
        true => Cow::Borrowed(&dump.bytes),
        false => read::with_the_rest(job, dump)?.into(),
    })
}

impl Backup {
    /// The file that holds what was in the flash before, where it is on the disk.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Backup::Made { path, .. } => Some(path),
            Backup::Earlier(earlier) | Backup::Before(earlier) => {
                (!earlier.record.half_written).then_some(&earlier.path)
            }
            Backup::Mixture { .. }
            | Backup::Planned(_)
            | Backup::None
            | Backup::Impossible
            | Backup::NotNeeded => None,
        }
    }

    /// The file, where it was made just now.
    pub(super) fn made(&self) -> Option<&Path> {
        match self {
            Backup::Made { path, .. } | Backup::Mixture { path, .. } => Some(path),
            _ => None,
        }
    }

    /// Says of an error that what was read is on the disk.
    pub(super) fn kept_with(&self, error: JobError) -> JobError {
        match self.made() {
            Some(file) => JobError::Kept {
                file: file.to_owned(),
                source: error.into(),
            },
            None => error,
        }
    }
}

impl Proposal {
    /// Whether all there is gets erased.
    pub fn erases_everything(&self) -> bool {
        match &self.work {
            Work::InPlace { plan, target } => {
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
        let is_noted = backup.is_some() || self.plan().is_some_and(|plan| !plan.is_empty());
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
                },
                &noted.journal,
            )?),
            false => None,
        };
        let changed = match &self.work {
            Work::InPlace { plan, target } => {
                change::carry_out(job, plan, target, &self.scope, self.check)
            }
            Work::Download(download) => download::carry_out(job, download, &self.scope, self.check),
        };
        // A run that changed nothing leaves an earlier one as unfinished as it was.
        let is_untouched = |error: &ChangeError| error.flash() == FlashState::Unchanged;
        let is_over = match &changed {
            Ok(_) => true,
            Err(error) => is_untouched(error) && !self.is_continued(),
        };
        let entry = under_way.as_ref().and_then(|begun| begun.entry.as_ref());
        if is_over {
            let path = backup.map(|(path, _)| path.as_path());
            interrupted::finish(path, entry, &noted.journal);
        } else if let (Backup::Before(_), Some((path, record)), Err(error)) =
            (&self.backup, backup, &changed)
        {
            if is_untouched(error) {
                interrupted::withdraw(path, record, entry, &noted.journal);
            }
        }
        if changed.is_ok() {
            self.over.iter().for_each(|one| one.close(&noted.journal));
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

    /// Whether its backup is that of an earlier change.
    fn is_continued(&self) -> bool {
        matches!(self.backup, Backup::Earlier(_) | Backup::Before(_))
    }
}

/// Bytes that are to stay and are erased on the way are in the backup alone
/// until they are programmed again.
fn refuse_unkept(plan: &Plan, retained: &[FlashRange], now: &[u8]) -> Result<(), Refusal> {
    let erased: Vec<FlashRange> = plan.erases().collect();
    let at_risk = without(retained, &without(retained, &erased));
    let holds_something = |range: &FlashRange| range.of(now).iter().any(|byte| *byte != 0xFF);
    match at_risk.iter().find(|range| holds_something(range)) {
        Some(range) => Err(Refusal::NoCopy { range: *range }),
        None => Ok(()),
    }
}

pub(super) fn backup_path(wish: &BackupWish) -> Option<&Path> {
    match wish {
        BackupWish::File(path) | BackupWish::Fresh { backup: path, .. } => Some(path),
        BackupWish::None => None,
    }
}

/// What needs no read is found out before minutes of reading: a change that cannot
/// be noted, a name that is taken, a full disk. A write that is gone on with has its
/// backup already.
pub(super) fn early_checks(
    request: &Request,
    device: &DeviceInfo,
    size: u32,
    ranges: &[FlashRange],
) -> Result<(), JobError> {
    if request.dry_run {
        return Ok(());
    }
    let journal = &request.circumstances.journal;
    journal.must_take_entries().map_err(Refusal::Journal)?;
    let Some(path) = backup_path(&request.backup) else {
        return Ok(());
    };
    let open = interrupted::find(Some(path), device, size as usize, journal);
    // Of this very flash, as far as that can be known without reading it.
    let may_be_there = backup::may_be_of(path, device, size, ranges) || open.is_backup(path);
    let overwrite = may_be_there || request.forced.contains(&Check::Overwrite);
    let names = [path.to_owned(), backup::record_path(path)];
    files::must_be_makeable(&names, overwrite)?;
    if may_be_there || !open.intact.is_empty() {
        return Ok(());
    }
    Ok(backup::must_have_room(path, BACKUP_FORMAT, ranges)?)
}

/// The sectors that a change within `wanted` can touch, joined where they
/// follow each other and cut by bank.
fn touched(wanted: &[FlashRange], layout: &EraseLayout) -> Vec<FlashRange> {
    let sectors = layout
        .sectors
        .iter()
        .filter(|sector| wanted.iter().any(|range| range.overlaps(**sector)));
    read::joined(sectors.copied().collect())
        .into_iter()
        .flat_map(super::selection::by_bank)
        .collect()
}

/// Puts a dump on the disk, or finds it there: another one at every "no" would be
/// of no use. Returns where it is, and its CRC-32.
fn make_backup(
    dump: &Dump,
    record: &Record,
    path: &Path,
    request: &Request,
) -> Result<(PathBuf, Crc32), JobError> {
    refuse_blank(dump, &request.forced)?;
    let crc32 = record.crc32;
    if backup::is_of(path, record) {
        return Ok((path.to_owned(), crc32));
    }
    if let (BackupWish::Fresh { .. }, Some(equal)) =
        (&request.backup, backup::equal_beside(path, record))
    {
        return Ok((equal, crc32));
    }
    let overwrite = request.forced.contains(&Check::Overwrite);
    let saved = backup::save(dump, record, path, BACKUP_FORMAT, overwrite);
    match saved {
        Ok(()) => Ok((path.to_owned(), crc32)),
        // Somebody else has that name by now, and half an hour may have been read.
        Err(taken @ (FileError::Exists { .. } | FileError::Unfinished { .. })) => {
            let other = backup::free_name(path);
            Err(
                match backup::save(dump, record, &other, BACKUP_FORMAT, false) {
                    Ok(()) => JobError::Kept {
                        file: other,
                        source: Box::new(taken.into()),
                    },
                    Err(_) => taken.into(),
                },
            )
        }
        Err(error) => Err(error.into()),
    }
}

/// A dump that is blank or repeats itself is no backup, and one of which the
/// drive gave nothing is not even blank.
///
/// # Errors
/// A [`Refusal`]; that of a blank dump names the check to force.
pub fn refuse_blank(dump: &Dump, forced: &Forced) -> Result<(), Refusal> {
    let bytes = |ranges: &[FlashRange]| ranges.iter().map(|range| range.len()).sum::<u32>();
    if !dump.gaps.is_empty() && bytes(&dump.gaps) == bytes(&dump.ranges) {
        return Err(Refusal::NothingRead);
    }
    if forced.contains(&Check::Blank) {
        return Ok(());
    }
    match soundness::content(&dump.selected()) {
        Some(problem) => Err(Objection::NoBackup(problem).into()),
        None => Ok(()),
    }
}

/// What the record of an image says against it.
pub(super) fn record_warnings(record: Option<&Record>, drive: Option<&Identity>) -> Vec<Warning> {
    let Some(record) = record else {
        return Vec::new();
    };
    [
        other_drive(record, drive),
        warning_of_dump(objection::Content::Image, record.disagreements),
        record.half_written.then_some(Warning::Mixture),
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
