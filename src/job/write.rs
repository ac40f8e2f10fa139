//! Writing an image, in two halves: [`prepare`] reads, backs up and plans
//! without changing anything, [`Proposal::carry_out`] changes the flash.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::backup::{self, Circumstances, Record, RecordedDrive};
use super::change::{self, ChangeError, Changed};
use super::download::{self, DownloadPlan, There};
use super::event::Phase;
use super::fit::{self, Match, sentence};
use super::interrupted::{self, Change, Unfinished};
use super::journal::Journal;
use super::read::{self, Dump, without};
use super::resemblance::Resemblance;
use super::steadiness::{refuse_unstable, warning_of_dump};
use super::verify::Compared;
use super::{Check, FlashState, Forced, Job, JobError, Refusal, Selection};
use crate::files;
use crate::flash::{Bank, EraseLayout, FlashRange, Offset};
use crate::image::soundness;
use crate::image::{Arrangement, Checksum, Crc32, Encoding, Format, Image};
use crate::plan::{self, Plan};
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
    /// What the user should think twice about before agreeing, in whole sentences.
    pub warnings: Vec<String>,
    /// The image is nearly what the flash holds.
    pub resemblance: Option<Resemblance>,
    /// What stays as it is although it could be changed.
    pub kept: Vec<FlashRange>,
    /// The backup whose record is the journal of this change.
    pub(super) journal: Option<PathBuf>,
    /// Where the machine keeps note of that.
    pub(super) machine: Journal,
    /// Backups of unfinished changes that this one puts back.
    pub(super) restored: Vec<PathBuf>,
    /// What else there is to say about it, in whole sentences.
    pub notes: Vec<String>,
    /// What is read back afterwards.
    pub(super) scope: Vec<FlashRange>,
    pub(super) check: Phase,
}

/// What there is to do, and what the whole flash is to hold then.
#[derive(Debug)]
pub enum Work {
    /// Sectors to erase and bytes to program; none where the flash holds all
    /// of it already.
    InPlace { plan: Plan, target: Vec<u8> },
    /// The drive takes the whole image and programs it by itself.
    Download(DownloadPlan),
}

/// Reads what may change, makes the backup and works out the plan.
///
/// # Errors
/// An image that does not fit this flash or drive, a flash that cannot be read
/// or written, a backup that cannot be made. Nothing was changed then.
pub fn prepare(job: &mut Job, request: &Request) -> Result<Proposal, JobError> {
    let layout = match &job.device.capabilities().writing {
        Writing::InPlace(layout) => layout.clone(),
        Writing::Download(rules) => {
            let rules = rules.clone();
            return download::prepare(job, request, &rules);
        }
        Writing::Impossible(why) => return Err(Refusal::Unwritable(*why).into()),
    };
    let wanted = job.ranges(&request.selection)?;
    for range in &request.keep {
        job.ranges(&Selection::Range(*range))?;
    }
    let (image, record, phase) = match &request.content {
        Content::Image { image, record } => {
            let spread = fit::spread(image, layout.size(), &request.selection, &wanted)?;
            (Some((*image, spread)), record.as_deref(), Phase::Verify)
        }
        Content::Blank => (None, None, Phase::BlankCheck),
    };
    if let BackupWish::File(path) = &request.backup {
        early_path_check(path, request)?;
    }

    // A drive that says who it is settles at once whether the image is for it;
    // one that does not is asked for its flash first.
    let device = job.device.info().clone();
    let recorded = record
        .and_then(|record| record.drive.as_ref())
        .map(Identity::from);
    let check_fit = |image, drive, flash: &[u8]| {
        fit::check(image, drive, recorded.as_ref(), flash, &request.forced)
    };
    let mut fit = match (&image, &device.identity) {
        (Some((image, _)), Some(drive)) => Some(check_fit(image, Some(drive), &[])?),
        _ => None,
    };
    let scope = touched(&wanted, &layout);
    early_room_check(request, &device, layout.size(), &scope)?;
    let dump = read::read_ranges(job, scope)?;
    let unsteady = refuse_unstable(dump.disagreements, &request.forced)?;
    let target_from = |before: &[u8]| match &image {
        Some((_, spread)) => plan::merge(before, spread, &wanted, &request.keep),
        None => plan::blank(before, &wanted, &request.keep),
    };
    let (unfinished, damaged) = interrupted::find(
        backup_path(&request.backup),
        &device,
        dump.bytes.len(),
        &request.circumstances.journal,
    );
    let all: Vec<PathBuf> = unfinished.iter().map(|one| one.path.clone()).collect();
    let of_this_drive: Vec<PathBuf> = unfinished
        .iter()
        .filter(|one| one.is_by_serial(device.identity.as_ref()))
        .map(|one| one.path.clone())
        .collect();
    let restored: Vec<&Unfinished> = unfinished
        .iter()
        .filter(|one| target_from(&dump.bytes) == one.flash)
        .collect();
    // A flash that is as a backup has it is of that model, whichever drive it is.
    let drive_of_backup = unfinished
        .iter()
        .find(|one| interrupted::is_flash_of(one, &dump.bytes))
        .and_then(Unfinished::identity);
    let model_of_backup = drive_of_backup.as_ref().map(|drive| RecordedDrive {
        serial: None,
        ..RecordedDrive::from(drive)
    });
    let mut restored: Vec<PathBuf> = restored.iter().map(|one| one.path.clone()).collect();
    let retained = without(&dump.ranges, &without(&wanted, &request.keep));
    if dump.is_whole() && retained.is_empty() {
        // Whatever was unfinished of this drive is over with a whole image.
        restored.extend(of_this_drive);
    }
    let change = Change {
        dump: &dump,
        target: &target_from,
        retained: &retained,
    };
    let identity = device.identity.as_ref();
    let earlier = interrupted::resume(unfinished, &change, identity, &request.forced)?;
    let before = earlier
        .as_ref()
        .map_or(&dump.bytes, |earlier| &earlier.flash);
    let target = target_from(before);
    let plan = plan::plan(&dump.bytes, &target, &layout).map_err(Refusal::from)?;

    if request.backup == BackupWish::None && earlier.is_none() {
        refuse_unkept(&plan, &retained, &dump.bytes)?;
    }

    if let (Some((image, _)), None) = (&image, &fit) {
        let of_backup = match &earlier {
            Some(earlier) => earlier.identity(),
            None => drive_of_backup,
        };
        let mut found = check_fit(image, of_backup.as_ref(), &dump.bytes)?;
        if of_backup.is_some() {
            found.text = format!(
                "The drive does not say what it is; its backup does. {}",
                found.text
            );
        }
        fit = Some(found);
    }
    let others: Vec<PathBuf> = match &earlier {
        Some(_) => Vec::new(),
        None => all
            .into_iter()
            .filter(|path| !restored.contains(path))
            .collect(),
    };
    let resemblance = match (&image, &earlier) {
        // What an interrupted write has left is no firmware to compare with.
        (Some((image, spread)), None) => {
            let compared = without(&wanted, &request.keep);
            let drive = device.identity.as_ref();
            Resemblance::of(image, spread, &dump, &compared, drive)
        }
        _ => None,
    };
    if let Some(resemblance) = &resemblance {
        resemblance.refuse_damage(&request.forced)?;
    }
    let mut warnings = interrupted::warnings(&others, &damaged);
    warnings.extend(unsteady);
    warnings.extend(record_warnings(record, device.identity.as_ref()));
    warnings.extend(
        earlier.as_ref().and_then(|earlier| {
            warning_of_dump("The earlier backup", earlier.record.disagreements)
        }),
    );
    job.check_stop()?;
    let journal = earlier.as_ref().map(|earlier| earlier.path.clone());
    let backup = if plan.is_empty() {
        if !request.dry_run {
            journal
                .iter()
                .chain(&restored)
                .for_each(|backup| interrupted::finish(backup, &request.circumstances.journal));
        }
        Backup::NotNeeded
    } else {
        match (&request.backup, earlier) {
            (BackupWish::None, None) => Backup::None,
            (_, Some(earlier)) => Backup::Earlier(Box::new(earlier)),
            (BackupWish::File(path), None) if request.dry_run => Backup::Planned(path.clone()),
            (BackupWish::File(path), None) => {
                let mut record = Record::of(&dump, &device, &request.circumstances);
                record.drive = record.drive.or(model_of_backup);
                make_backup(&dump, &record, path, &request.forced)?
            }
        }
    };
    Ok(Proposal {
        machine: request.circumstances.journal.clone(),
        work: Work::InPlace { plan, target },
        journal: match &backup {
            Backup::NotNeeded => None,
            backup => journal.or_else(|| backup.made()),
        },
        restored,
        backup,
        fit,
        warnings,
        resemblance,
        kept: request.keep.clone(),
        notes: Vec::new(),
        scope: dump.ranges,
        check: phase,
    })
}

impl Backup {
    /// The file that holds what was in the flash before, where it is on the disk.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Backup::Made { path, .. } => Some(path),
            Backup::Earlier(earlier) => Some(&earlier.path),
            Backup::Planned(_) | Backup::None | Backup::Impossible | Backup::NotNeeded => None,
        }
    }

    /// The file, where it was made just now.
    pub(super) fn made(&self) -> Option<PathBuf> {
        match self {
            Backup::Made { path, .. } => Some(path.clone()),
            _ => None,
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
                (Offset(range.start).bank(), sum)
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
    fn noted(&self) -> Cow<'_, [u8]> {
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
        let _under_way = match &self.journal {
            Some(backup) => Some(
                interrupted::begin(backup, &self.noted(), &self.machine).map_err(JobError::from)?,
            ),
            None => None,
        };
        let changed = match &self.work {
            Work::InPlace { plan, target } => {
                change::carry_out(job, plan, target, &self.scope, self.check)
            }
            Work::Download(download) => download::carry_out(job, download, &self.scope, self.check),
        };
        // A run that changed nothing leaves an earlier one as unfinished as it was.
        let is_over = match &changed {
            Ok(_) => true,
            Err(error) => error.flash() == FlashState::Unchanged && self.backup.made().is_some(),
        };
        if is_over {
            self.journal
                .iter()
                .for_each(|backup| interrupted::finish(backup, &self.machine));
        }
        if changed.is_ok() {
            self.restored
                .iter()
                .for_each(|backup| interrupted::finish(backup, &self.machine));
        }
        changed
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
        BackupWish::File(path) => Some(path),
        BackupWish::None => None,
    }
}

/// A name that is taken is better found out before minutes of reading, but a
/// backup of this very flash, made by an earlier run, may have the name.
pub(super) fn early_path_check(path: &Path, request: &Request) -> Result<(), JobError> {
    if request.dry_run {
        return Ok(());
    }
    let may_be_this_flash = Record::beside(path).is_some();
    let overwrite = may_be_this_flash || request.forced.contains(&Check::Overwrite);
    let names = [path.to_owned(), backup::record_path(path)];
    Ok(files::must_be_makeable(&names, overwrite)?)
}

/// A full disk is better found out before half an hour of reading. A write that is
/// gone on with has its backup already.
pub(super) fn early_room_check(
    request: &Request,
    device: &DeviceInfo,
    size: u32,
    ranges: &[FlashRange],
) -> Result<(), JobError> {
    let BackupWish::File(path) = &request.backup else {
        return Ok(());
    };
    let may_be_there = Record::beside(path).is_some()
        || !interrupted::find(
            Some(path),
            device,
            size as usize,
            &request.circumstances.journal,
        )
        .0
        .is_empty();
    if request.dry_run || may_be_there {
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

pub(super) fn make_backup(
    dump: &Dump,
    record: &Record,
    path: &Path,
    forced: &Forced,
) -> Result<Backup, JobError> {
    refuse_blank(dump, forced)?;
    let made = Backup::Made {
        path: path.to_owned(),
        crc32: Crc32::of(&dump.selected()),
    };
    if backup::is_of(path, record) {
        return Ok(made);
    }
    let overwrite = forced.contains(&Check::Overwrite);
    backup::save(dump, record, path, BACKUP_FORMAT, overwrite)?;
    Ok(made)
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
        Some(problem) => Err(Refusal::Check {
            check: Check::Blank,
            message: sentence(&format!("what the flash reads as is no backup: {problem}")),
        }),
        None => Ok(()),
    }
}

/// What the record of an image says against it.
pub(super) fn record_warnings(record: Option<&Record>, drive: Option<&Identity>) -> Vec<String> {
    let disagreements = record.map_or(0, |record| record.disagreements);
    [
        serial_warning(record, drive),
        warning_of_dump("This image", disagreements),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn serial_warning(record: Option<&Record>, drive: Option<&Identity>) -> Option<String> {
    let of_image = record?.drive.as_ref()?.serial.as_ref()?;
    let of_drive = drive?.serial.as_ref()?;
    (of_image != of_drive).then(|| {
        format!(
            "This image is a backup of another drive: its serial number is {of_image}, this \
             drive's is {of_drive}. A dump can hold the calibration of the drive it came from."
        )
    })
}
