//! Sending a whole image to a drive that programs it by itself.
//!
//! As in [`super::write`], everything that can be found out without a change is
//! found out first. Afterwards the drive is awaited, asked who it is, and read
//! back where that is possible; what was not read back is said not to be.

mod names;
mod send;

use std::collections::BTreeSet;

use super::backup::Record;
use super::event::Phase;
use super::fit::{self, sentence};
use super::interrupted::{self, Change};
use super::read::{self, Dump, without};
use super::resemblance::Resemblance;
use super::verify::owned_ranges;
use super::write::{self, Backup, BackupWish, Content, Proposal, Request, Work};
use super::{Check, Forced, Job, JobError, NoBackup, Refusal, steadiness};
use crate::flash::FlashRange;
use crate::image::soundness;
use crate::plan::ERASED;
use crate::protocol::download::{
    Download, DownloadRules, Erasing, Guard, ImageNames, Owned, PrepareError, Prepared,
};
use crate::protocol::{FirmwareDevice, Impossible, Reading, Writer};
use names::{Expected, banner_match, names_fit, refuse_nameless};
pub(super) use send::carry_out;

/// A whole image, ready to be sent.
#[derive(Debug)]
pub struct DownloadPlan {
    pub prepared: Prepared,
    /// What the drive keeps for itself, whatever is sent.
    pub owned: Vec<Owned>,
    pub there: There,
    expected: Expected,
}

/// Whether the flash holds the image before it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum There {
    /// No, or it is not known.
    Not,
    /// It was read and does.
    AsRead,
    /// It was not read, and the drive says that it has the image's revision.
    AsSaid,
}

/// Checks the image, makes the backup and works out what will be sent.
///
/// # Errors
/// As [`write::prepare`]. Nothing was changed then.
pub(super) fn prepare(
    job: &mut Job,
    request: &Request,
    rules: &DownloadRules,
) -> Result<Proposal, JobError> {
    if !request.selection.is_everything() || !request.keep.is_empty() {
        return Err(Refusal::NoParts.into());
    }
    let everything = job.ranges(&request.selection)?;
    let size = job.device.capabilities().size;
    let device = job.device.info().clone();
    let drive = device.identity.as_ref();
    let mut warnings = Vec::new();

    let (bytes, mut fit, check) = match &request.content {
        Content::Image { image, record } => {
            if let Some(problem) = soundness::problems(image.bytes()).first() {
                return Err(JobError::Image(sentence(&format!(
                    "this image is not written: {problem}"
                ))));
            }
            let bytes = fit::spread(image, size, &request.selection, &everything)?;
            warnings.extend(gaps_of_image(record.as_deref(), rules, &request.forced)?);
            warnings.extend(write::record_warnings(record.as_deref(), drive));
            (
                bytes,
                names_fit(image, drive, rules, &request.forced)?,
                Phase::Verify,
            )
        }
        Content::Blank => {
            if let Erasing::Undocumented { family } = rules.erasing {
                return Err(Refusal::Unerasable { family }.into());
            }
            warnings.push(
                "Without firmware only the drive's boot loader answers, until an image is written."
                    .to_owned(),
            );
            (vec![ERASED; size as usize].into(), None, Phase::BlankCheck)
        }
    };
    if let BackupWish::File(path) = &request.backup {
        write::early_path_check(path, request)?;
    }
    let dump = dump(job, request, rules)?;
    let disagreements = dump.as_ref().map_or(0, |dump| dump.disagreements);
    warnings.extend(steadiness::refuse_unstable(disagreements, &request.forced)?);

    let guards = guards(&request.forced);
    let prepared = downloader(job.device)?
        .prepare(&bytes, &guards)
        .map_err(not_prepared)?;
    drop(bytes);
    if let (ImageNames::Banner(_), Content::Image { .. }) = (rules.names, &request.content) {
        fit = Some(banner_match(&prepared));
    }
    let owned = still_owned(rules, &prepared);
    let scope = without(&everything, &owned_ranges(&owned));
    let resemblance = match (&request.content, &dump) {
        (Content::Image { image, .. }, Some(dump)) if dump.gaps.is_empty() => {
            Resemblance::of(image, &prepared.content, dump, &scope, drive)
        }
        _ => None,
    };
    let expected = Expected::of(&request.content, drive, rules);
    let is_there_already = dump.as_ref().is_some_and(|dump| {
        dump.gaps.is_empty()
            && scope
                .iter()
                .all(|range| range.of(&dump.bytes) == range.of(&prepared.content))
    }) && drive.is_none_or(|drive| expected.is_met_by(drive));

    let is_said = request.skip_if_same
        && dump.is_none()
        && drive.is_some_and(|drive| expected.is_revision_of(drive));
    let there = match (is_there_already, is_said) {
        (true, _) => There::AsRead,
        (false, true) => There::AsSaid,
        (false, false) => There::Not,
    };
    job.check_stop()?;
    let earlier = match (&dump, write::backup_path(&request.backup)) {
        (Some(dump), Some(path)) => {
            let target = &prepared.content;
            let change = Change {
                dump,
                target: &|_| target.clone(),
                retained: &kept(rules, dump, target),
            };
            let (unfinished, damaged) = interrupted::find(
                Some(path),
                &device,
                dump.bytes.len(),
                &request.circumstances.journal,
            );
            warnings.extend(interrupted::warnings(&[], &damaged));
            match interrupted::resume(unfinished, &change, drive, &request.forced) {
                // Nothing is lost where nothing is written.
                Err(_) if is_there_already => None,
                earlier => earlier?,
            }
        }
        _ => None,
    };
    let is_resumed = earlier.is_some();
    let backup = match (&dump, write::backup_path(&request.backup), earlier) {
        (_, _, earlier) if is_there_already => {
            if let (Some(earlier), false) = (earlier, request.dry_run) {
                interrupted::finish(&earlier.path, &request.circumstances.journal);
            }
            Backup::NotNeeded
        }
        (_, _, Some(earlier)) => Backup::Earlier(Box::new(earlier)),
        (Some(dump), Some(path), None) => {
            refuse_nameless(dump, rules, drive)?;
            warnings.extend(gaps_of_backup(dump, rules));
            if request.dry_run {
                Backup::Planned(path.to_owned())
            } else {
                let record = Record::of(dump, &device, &request.circumstances);
                write::make_backup(dump, &record, path, &request.forced)?
            }
        }
        _ if is_said => Backup::NotNeeded,
        _ => Backup::None,
    };
    let notes = prepared.notes.clone();
    warnings.extend(prepared.overridden.iter().map(|(_, text)| text.clone()));
    Ok(Proposal {
        machine: request.circumstances.journal.clone(),
        work: Work::Download(DownloadPlan {
            prepared,
            owned,
            there,
            expected,
        }),
        journal: match &backup {
            Backup::Earlier(earlier) => Some(earlier.path.clone()),
            backup => backup.made(),
        },
        restored: Vec::new(),
        kept: Vec::new(),
        backup,
        fit,
        warnings,
        resemblance: resemblance.filter(|_| !is_resumed),
        notes,
        scope,
        check,
    })
}

/// What the drive keeps for itself and is given back as it was read.
fn kept(rules: &DownloadRules, dump: &Dump, target: &[u8]) -> Vec<FlashRange> {
    rules
        .owned
        .iter()
        .map(|owned| owned.range)
        .filter(|range| range.of(&dump.bytes) == range.of(target))
        .collect()
}

/// What the drive keeps for itself, but for what an override gives to the image:
/// that is compared like the rest.
fn still_owned(rules: &DownloadRules, prepared: &Prepared) -> Vec<Owned> {
    let is_overridden = |guard| prepared.overridden.iter().any(|(of, _)| *of == guard);
    let owned = rules.owned.iter().copied();
    owned
        .filter(|owned| !owned.unless.is_some_and(is_overridden))
        .collect()
}

fn guards(forced: &Forced) -> BTreeSet<Guard> {
    [Guard::Family, Guard::Banner, Guard::Calibration]
        .into_iter()
        .filter(|guard| forced.contains(&Check::from(*guard)))
        .collect()
}

fn downloader(device: &mut dyn FirmwareDevice) -> Result<&mut dyn Download, JobError> {
    match device.writer() {
        Some(Writer::Download(way)) => Ok(way),
        _ => Err(JobError::before_change(Impossible::TakingImages.into())),
    }
}

fn not_prepared(error: PrepareError) -> JobError {
    match error {
        PrepareError::Image(problem) => JobError::Image(problem),
        PrepareError::Guarded { guard, message } => Refusal::Check {
            check: guard.into(),
            message,
        }
        .into(),
        PrepareError::Device(error) => JobError::before_change(error),
    }
}

/// A dump that lacks something would put FF there. Returns what to say where
/// the user wants that.
fn gaps_of_image(
    record: Option<&Record>,
    rules: &DownloadRules,
    forced: &Forced,
) -> Result<Option<String>, Refusal> {
    let gaps: Vec<FlashRange> = record
        .iter()
        .flat_map(|record| &record.gaps)
        .map(|&[start, last]| FlashRange {
            start,
            end: last.saturating_add(1),
        })
        .collect();
    let gaps = without(&gaps, &owned_ranges(&rules.owned));
    if gaps.is_empty() {
        return Ok(None);
    }
    let message = format!(
        "This image is a dump that lacks {}, which the drive refused to have read: FF would be \
         written there.",
        listed(&gaps)
    );
    if forced.contains(&Check::Gaps) {
        return Ok(Some(message));
    }
    Err(Refusal::Check {
        check: Check::Gaps,
        message,
    })
}

/// What a backup lacks of that which a write changes.
fn gaps_of_backup(dump: &Dump, rules: &DownloadRules) -> Option<String> {
    let gaps = without(&dump.gaps, &owned_ranges(&rules.owned));
    (!gaps.is_empty()).then(|| {
        format!(
            "The backup lacks {}, which the drive refuses to have read: it is no complete way back.",
            listed(&gaps)
        )
    })
}

fn listed(ranges: &[FlashRange]) -> String {
    let ranges: Vec<String> = ranges.iter().map(ToString::to_string).collect();
    ranges.join(", ")
}

/// Reads the whole flash for the backup; `None` where the user wants none.
fn dump(job: &mut Job, request: &Request, rules: &DownloadRules) -> Result<Option<Dump>, JobError> {
    if request.backup == BackupWish::None {
        return Ok(None);
    }
    if let Reading::Impossible(why) = job.device.capabilities().reading {
        return Err(Refusal::NoBackupPossible(NoBackup::Unreadable(why)).into());
    }
    let everything = job.ranges(&request.selection)?;
    let size = job.device.capabilities().size;
    write::early_room_check(request, job.device.info(), size, &everything)?;
    let dump = read::read_ranges(job, everything)?;
    let total: u64 = dump.gaps.iter().map(|gap| u64::from(gap.len())).sum();
    if total == dump.bytes.len() as u64 {
        return Err(Refusal::NoBackupPossible(NoBackup::Refused).into());
    }
    let missing = without(&dump.gaps, &owned_ranges(&rules.owned));
    if !missing.is_empty() && !request.forced.contains(&Check::Gaps) {
        return Err(Refusal::Check {
            check: Check::Gaps,
            message: format!(
                "The drive refuses to have {} read: a backup would lack it.",
                listed(&missing)
            ),
        }
        .into());
    }
    Ok(Some(dump))
}

#[cfg(test)]
mod tests;
