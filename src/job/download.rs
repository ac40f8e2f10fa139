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
use super::fit;
use super::interrupted::{self, Change, Start};
use super::read::{self, Dump, without};
use super::resemblance::Resemblance;
use super::verify::{owned_ranges, provable};
use super::write::{self, Backup, BackupWish, Content, Made, Noted, Proposal, Request, Work};
use super::{
    Check, Forced, Job, JobError, NoBackup, Objection, Refusal, Unfit, Warning, steadiness,
};
use crate::flash::FlashRange;
use crate::image::soundness;
use crate::plan::ERASED;
use crate::protocol::download::{
    Download, DownloadRules, Erasing, Guard, Offer, Owned, PrepareError, Prepared, Proof,
};
use crate::protocol::packet::blu_ray::Mode;
use crate::protocol::vendor_mode::reported;
use crate::protocol::{DeviceInfo, FirmwareDevice, Impossible, Reading, Writer};
use crate::scsi::Identity;
use names::{Expected, names_fit, refuse_nameless};
pub(super) use send::carry_out;

/// A whole image, ready to be sent.
#[derive(Debug)]
pub struct DownloadPlan {
    pub prepared: Prepared,
    /// What the drive keeps for itself, whatever is sent.
    pub owned: Vec<Owned>,
    /// What is in no journal, since it is never twice the same.
    rewritten: Vec<FlashRange>,
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

    let (bytes, fit, check) = match &request.content {
        Content::Image { image, record } => {
            if let Some(problem) = soundness::problems(image.bytes()).first() {
                return Err(Unfit::Unsound(problem.clone()).into());
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
            warnings.push(Warning::NoFirmwareAfterwards);
            (vec![ERASED; size as usize].into(), None, Phase::BlankCheck)
        }
    };
    let dump = dump(job, request, rules)?;
    let disagreements = dump.as_ref().map_or(0, |dump| dump.disagreements);
    warnings.extend(steadiness::refuse_unstable(disagreements, &request.forced)?);

    let guards = guards(&request.forced);
    let whole = dump.as_ref().filter(|dump| dump.gaps.is_empty());
    let prepared = downloader(job.device)?
        .prepare(&Offer {
            image: &bytes,
            flash: whole.map(|dump| dump.bytes.as_slice()),
            is_own_dump: is_own_dump(&request.content, drive),
            forced: &guards,
        })
        .map_err(not_prepared)?;
    drop(bytes);
    let (scope, owned) = provable(rules, &prepared.content, &everything);
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
    let journal = &request.circumstances.journal;
    let (start, mut over, mut unfinished) = match &dump {
        Some(dump) => {
            let rewritten = rewritten(rules);
            let target = masked(&prepared.content, &rewritten);
            let now = Dump {
                bytes: masked(&dump.bytes, &rewritten),
                ..dump.clone()
            };
            let change = Change {
                dump: &now,
                target: &|_| target.clone(),
                retained: &without(&kept(rules, dump, &prepared.content), &rewritten),
                layout: None,
            };
            let open = interrupted::find(
                write::backup_path(&request.backup),
                &device,
                dump.bytes.len(),
                journal,
            );
            let start = match open.start(&change, drive, &request.forced) {
                // Nothing is lost where nothing is written.
                Err(_) if is_there_already => Start::Here,
                // What no firmware runs from is not what was in the flash before.
                Ok(Start::Here) if device.is_boot_loader() => Start::Mixed,
                start if is_there_already => start?,
                start => open.of_blank(start?, &change, &request.forced)?,
            };
            (start, open.of_this_drive(), open.notices(dump, None))
        }
        None => (Start::Here, Vec::new(), Vec::new()),
    };
    let is_resumed = matches!(start, Start::Resumed(_));
    write::refuse_unfinished(&start, request)?;
    if let Start::Resumed(earlier) = &start {
        over.push(earlier.closing());
        unfinished.clear();
    }
    let made = match &dump {
        _ if is_there_already => {
            if !request.dry_run {
                over.iter().for_each(|one| one.close(journal));
            }
            Made::nothing(Backup::NotNeeded)
        }
        None if is_said => Made::nothing(Backup::NotNeeded),
        None if is_in_boot_code(&device) && request.backup != BackupWish::None => {
            Made::nothing(Backup::Impossible)
        }
        None => Made::nothing(Backup::None),
        Some(dump) => {
            if matches!(start, Start::Here | Start::Mixed) {
                if !is_in_boot_code(&device) {
                    refuse_nameless(dump, rules, drive)?;
                }
                warnings.extend(gaps_of_backup(dump, rules));
            }
            write::way_back(start, dump, request, &device, |record| record)?
        }
    };
    let notes = prepared.notes.clone();
    let overridden = prepared.overridden.iter().filter_map(|misfit| {
        let guard = misfit.guard()?;
        Some(Warning::Overridden(Objection::Protocol(
            misfit.clone(),
            guard,
        )))
    });
    warnings.extend(overridden);
    let rewritten = rewritten(rules);
    let (before, covered) = match (made.before, made.covered, dump) {
        (Some(before), Some(covered), _) => (before, covered),
        (_, _, Some(dump)) => (dump.bytes, dump.ranges),
        _ => (Vec::new(), Vec::new()),
    };
    let pieces = match before.is_empty() {
        true => Vec::new(),
        false => interrupted::pieces(
            &masked(&before, &rewritten),
            Some(&masked(&prepared.content, &rewritten)),
            &covered,
        ),
    };
    Ok(Proposal {
        noted: Noted {
            journal: journal.clone(),
            backup: made.noted,
            date: request.circumstances.date.clone(),
            tool: request.circumstances.tool.clone(),
            device,
            pieces,
            covered,
            mixed: made.mixed,
        },
        work: Work::Download(DownloadPlan {
            prepared,
            owned,
            rewritten,
            there,
            expected,
        }),
        unfinished,
        over,
        kept: Vec::new(),
        backup: made.backup,
        fit,
        warnings,
        resemblance: resemblance.filter(|_| !is_resumed),
        notes,
        scope,
        check,
    })
}

impl DownloadPlan {
    /// What the journal says that the flash is about to hold.
    pub(super) fn noted(&self) -> Vec<u8> {
        masked(&self.prepared.content, &self.rewritten)
    }
}

/// What the drive writes into by itself or never shows: it says nothing about
/// how far a change has come.
fn rewritten(rules: &DownloadRules) -> Vec<FlashRange> {
    match rules.proof {
        Proof::UnderTags => owned_ranges(&rules.owned),
        Proof::Everything => Vec::new(),
    }
}

/// FF in these ranges, as nothing that anybody has to give back.
fn masked(flash: &[u8], ranges: &[FlashRange]) -> Vec<u8> {
    let mut flash = flash.to_vec();
    for range in ranges {
        range.of_mut(&mut flash).fill(ERASED);
    }
    flash
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

/// Whether an image is a dump of this very drive, by its record.
fn is_own_dump(content: &Content<'_>, drive: Option<&Identity>) -> bool {
    let Content::Image {
        record: Some(record),
        ..
    } = content
    else {
        return false;
    };
    let recorded = record.drive.as_ref().and_then(|of| of.serial.as_deref());
    recorded.is_some() && recorded == drive.and_then(|drive| drive.serial.as_deref())
}

fn guards(forced: &Forced) -> BTreeSet<Guard> {
    [Guard::Family, Guard::Banner, Guard::DriveRead]
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
        PrepareError::Image(problem) => Unfit::Protocol(problem).into(),
        PrepareError::NotReady(reason) => Refusal::NotReady(reason).into(),
        PrepareError::Misfit(misfit) => match misfit.guard() {
            Some(guard) => Refusal::from(Objection::Protocol(misfit, guard)).into(),
            None => Refusal::NotThisImage(misfit).into(),
        },
        PrepareError::Device(error) => JobError::before_change(error),
    }
}

/// A dump that lacks something would put FF there.
fn gaps_of_image(
    record: Option<&Record>,
    rules: &DownloadRules,
    forced: &Forced,
) -> Result<Option<Warning>, Refusal> {
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
    Objection::ImageLacks(gaps).unless_forced(forced).map(Some)
}

/// What a backup lacks of that which a write changes.
fn gaps_of_backup(dump: &Dump, rules: &DownloadRules) -> Option<Warning> {
    let gaps = without(&dump.gaps, &owned_ranges(&rules.owned));
    (!gaps.is_empty()).then_some(Warning::BackupLacks(gaps))
}

/// Whether the boot code of a Blu-ray drive answers, since no firmware runs.
fn is_in_boot_code(device: &DeviceInfo) -> bool {
    device
        .blu_ray
        .as_ref()
        .is_some_and(|survey| survey.mode == Mode::Boot)
}

/// Reads the whole flash for the backup; `None` where the user wants none.
fn dump(job: &mut Job, request: &Request, rules: &DownloadRules) -> Result<Option<Dump>, JobError> {
    if request.backup == BackupWish::None {
        return Ok(None);
    }
    if let Reading::Impossible(why) = job.device.capabilities().reading {
        let reported = job.device.info().identity.as_ref().and_then(reported::of);
        let no_backup = match reported.filter(|report| report.answers) {
            Some(report) => NoBackup::Reported {
                why,
                model: report.model,
            },
            None => NoBackup::Unreadable(why),
        };
        return Err(Refusal::NoBackupPossible(no_backup).into());
    }
    let everything = job.ranges(&request.selection)?;
    let size = job.device.capabilities().size;
    write::early_checks(request, job.device.info(), size, &everything)?;
    let dump = read::read_ranges(job, everything)?;
    let total: u64 = dump.gaps.iter().map(|gap| u64::from(gap.len())).sum();
    // Nothing is asked for that cannot be had: there is no firmware that would
    // give more, and what can be read is kept.
    if is_in_boot_code(job.device.info()) {
        return Ok((total < dump.bytes.len() as u64).then_some(dump));
    }
    if total == dump.bytes.len() as u64 {
        return Err(Refusal::NoBackupPossible(NoBackup::Refused).into());
    }
    let missing = without(&dump.gaps, &owned_ranges(&rules.owned));
    if !missing.is_empty() {
        Objection::BackupWouldLack(missing).unless_forced(&request.forced)?;
    }
    Ok(Some(dump))
}

#[cfg(test)]
mod tests;
