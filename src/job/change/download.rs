//! Sending a whole image to a drive that programs it by itself.
//!
//! As in place, everything that can be found out without a change is
//! found out first. Afterwards the drive is awaited, asked who it is, and read
//! back where that is possible; what was not read back is said not to be.

mod names;
mod send;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Backup, BackupWish, Content, Made, Noted, Proposal, Request, Work};
use crate::flash::FlashRange;
use crate::flash::ranges::{bytes_of, without};
use crate::image::soundness;
use crate::job::event::Phase;
use crate::job::fit::{self, Match};
use crate::job::interrupted::{self, Change, Closing, Notice, Open, Start};
use crate::job::journal::{self, trace};
use crate::job::read::{self, Dump};
use crate::job::record::Record;
use crate::job::resemblance::Resemblance;
use crate::job::verify::{owned_ranges, provable};
use crate::job::{
    Check, Forced, Job, JobError, NoBackup, Objection, Refusal, Unfit, Warning, steadiness,
};
use crate::plan::ERASED;
use crate::protocol::blu_ray::Mode;
use crate::protocol::download::{
    Download, DownloadRules, Erasing, Guard, Kept, Offer, Owned, PrepareError, Prepared, Proof,
};
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
/// As [`super::prepare`]. Nothing was changed then.
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
    let scope = Scope {
        request,
        rules,
        device: job.device.info().clone(),
    };
    let drive = scope.device.identity.as_ref();

    let mut wanted = scope.wanted(job, size, &everything)?;
    let open = scope.open(size);
    let expected = Expected::of(&request.content, drive, rules);
    // What needs no write needs no backup.
    let can_be_read = !matches!(job.device.capabilities().reading, Reading::Impossible(_));
    let is_read = request.backup != BackupWish::None && can_be_read;
    let is_said = !is_read && scope.is_said(&open, &expected);
    let dump = match is_said {
        true => None,
        false => dump(job, request, rules)?,
    };
    let disagreements = dump.as_ref().map_or(0, |dump| dump.disagreements);
    let unsteady = steadiness::refuse_unstable(disagreements, &request.forced)?;
    wanted.warnings.extend(unsteady);

    let prepared = scope.offer(job, &wanted.bytes, dump.as_ref(), &open)?;
    let (to_compare, owned) = provable(rules, &prepared.content, &everything);
    let resemblance = match (&request.content, &dump) {
        (Content::Image { image, .. }, Some(dump)) if dump.gaps.is_empty() => {
            Resemblance::of(image, &prepared.content, dump, &to_compare, drive)
        }
        _ => None,
    };
    let content = &prepared.content;
    let there = match scope.is_equal(&expected, content, dump.as_ref(), &to_compare) {
        true => There::AsRead,
        false if is_said => There::AsSaid,
        false => There::Not,
    };
    job.check_stop()?;
    let earlier = scope.earlier(open, dump.as_ref(), &prepared.content, there)?;
    let is_resumed = matches!(earlier.start, Start::Resumed(_));
    let is_in_doubt = dump.is_none() && !earlier.over.is_empty();
    let mut made = scope.back_up(earlier.start, dump.as_ref(), there, &mut wanted.warnings)?;
    made.mixed |= is_in_doubt;
    let journal = &request.circumstances.journal;
    if there == There::AsRead && !request.dry_run {
        earlier.over.iter().for_each(|one| one.close(journal));
    }

    let overridden = prepared.overridden.iter().filter_map(|misfit| {
        let guard = misfit.guard()?;
        Some(Warning::Overridden(Objection::Protocol(
            misfit.clone(),
            guard,
        )))
    });
    wanted.warnings.extend(overridden);
    let says_so = |drive: &Identity| expected.is_revision_of(drive);
    if dump.is_none() && there == There::Not && drive.is_some_and(says_so) {
        wanted.warnings.push(Warning::SameRevision);
    }
    let rewritten = rewritten(rules);
    let (backup, noted) = scope.noted(made, dump, &prepared.content, &rewritten, earlier.continued);
    Ok(Proposal {
        noted,
        notes: prepared.notes.clone(),
        work: Work::Download(DownloadPlan {
            prepared,
            owned,
            rewritten,
            there,
            expected,
        }),
        unfinished: earlier.notices,
        over: earlier.over,
        written_over: Vec::new(),
        kept: Vec::new(),
        backup,
        fit: wanted.fit,
        warnings: wanted.warnings,
        resemblance: resemblance.filter(|_| !is_resumed),
        scope: to_compare,
        check: wanted.check,
    })
}

/// What a download is about.
struct Scope<'a> {
    request: &'a Request<'a>,
    rules: &'a DownloadRules,
    device: DeviceInfo,
}

/// What the flash is to hold, and whether that is for this drive.
struct Wanted<'a> {
    bytes: Cow<'a, [u8]>,
    fit: Option<Match>,
    check: Phase,
    warnings: Vec<Warning>,
}

/// What earlier changes of this flash mean for this one.
struct Earlier {
    start: Start,
    over: Vec<Closing>,
    continued: Vec<journal::Found>,
    notices: Vec<Notice>,
}

impl<'a> Scope<'a> {
    fn drive(&self) -> Option<&Identity> {
        self.device.identity.as_ref()
    }

    fn wanted(
        &self,
        job: &mut Job,
        size: u32,
        everything: &[FlashRange],
    ) -> Result<Wanted<'a>, JobError> {
        let (request, rules, drive) = (self.request, self.rules, self.drive());
        let (image, record) = match &request.content {
            Content::Image { image, record } => (*image, record.as_deref()),
            Content::Blank => return Ok(Wanted::blank(size, rules)?),
        };
        if let Some(problem) = soundness::problems(image.bytes()).first() {
            return Err(Unfit::Unsound(problem.clone()).into());
        }
        let bytes = fit::spread(image, size, &request.selection, everything)?;
        // Before anything that can be overridden: who overrides that is not to read
        // all of the flash only to hear of this.
        downloader(job.device)?
            .rule_out(&bytes)
            .map_err(not_prepared)?;
        let gaps = gaps_of_image(record, rules, &request.forced)?;
        let mut warnings: Vec<Warning> = gaps.into_iter().collect();
        warnings.extend(super::record_warnings(record, drive));
        Ok(Wanted {
            bytes,
            fit: names_fit(image, drive, rules, &request.forced)?,
            check: Phase::Verify,
            warnings,
        })
    }

    /// The changes of this flash that were begun and not finished.
    fn open(&self, size: u32) -> Open {
        interrupted::find(
            &self.request.near(),
            &self.device,
            size as usize,
            &self.request.circumstances.journal,
        )
    }

    /// What will be sent.
    fn offer(
        &self,
        job: &mut Job,
        image: &[u8],
        dump: Option<&Dump>,
        open: &Open,
    ) -> Result<Prepared, JobError> {
        let whole = dump.filter(|dump| dump.gaps.is_empty());
        downloader(job.device)?
            .prepare(&Offer {
                image,
                flash: whole.map(|dump| dump.bytes.as_slice()),
                before: open.before(),
                is_own_dump: is_own_dump(&self.request.content, self.drive()),
                forced: &guards(&self.request.forced),
            })
            .map_err(not_prepared)
    }

    /// Whether the flash holds all of it already, by what was read of it.
    fn is_equal(
        &self,
        expected: &Expected,
        content: &[u8],
        dump: Option<&Dump>,
        to_compare: &[FlashRange],
    ) -> bool {
        let is_equal = |dump: &Dump| {
            let holds = |range: &FlashRange| range.of(&dump.bytes) == range.of(content);
            dump.gaps.is_empty() && to_compare.iter().all(holds)
        };
        let drive = self.drive();
        dump.is_some_and(is_equal) && drive.is_none_or(|drive| expected.is_met_by(drive))
    }

    /// Whether the drive is to be left alone where it says that it has this revision. That
    /// proves nothing where a download ended in doubt.
    fn is_said(&self, open: &Open, expected: &Expected) -> bool {
        let drive = self.drive();
        self.request.skip_if_same
            && open.of_unread_drive().is_empty()
            && drive.is_some_and(|drive| expected.is_revision_of(drive))
    }

    /// Whether this download goes on with one that was begun.
    fn earlier(
        &self,
        open: Open,
        dump: Option<&Dump>,
        content: &[u8],
        there: There,
    ) -> Result<Earlier, JobError> {
        let (request, rules, drive) = (self.request, self.rules, self.drive());
        let Some(dump) = dump else {
            return Ok(Earlier {
                start: Start::Here,
                over: open.of_unread_drive(),
                continued: open.under_way_unread(),
                notices: open.notices_unread(),
            });
        };
        let rewritten = rewritten(rules);
        let target = Arc::new(masked(content, &rewritten));
        let now = Dump {
            bytes: masked(&dump.bytes, &rewritten),
            ..dump.clone()
        };
        let change = Change {
            dump: &now,
            seen: &now,
            target: &|_| Arc::clone(&target),
            retained: &without(&kept(rules, dump, content), &rewritten),
            out_of_reach: &out_of_reach(rules),
            backup: request.backup.named(),
        };
        let open = open.recognised(&now, None, |one| change.target_of(one));
        let start = match open.start(&change, drive, &request.forced) {
            // Nothing is lost where nothing is written.
            Err(_) if there == There::AsRead => Start::Here,
            // What no firmware runs from is not what was in the flash before.
            Ok(Start::Here) if self.device.is_boot_loader() => Start::Mixed,
            // Of two that were erased neither says which of them it is.
            Ok(start)
                if self.device.is_boot_loader()
                    && change.is_of_blank()
                    && start.is_of_unnumbered() =>
            {
                Start::Mixed
            }
            start => start?,
        };
        let start = match there {
            There::AsRead => start,
            There::Not | There::AsSaid => open.of_blank(start, &change, &request.forced)?,
        };
        super::refuse_unfinished(&start, request)?;
        let mut over = open.of_this_drive();
        let notices = match &start {
            Start::Resumed(earlier) => {
                over.extend(open.same_as(earlier, &change));
                Vec::new()
            }
            _ => open.notices(),
        };
        Ok(Earlier {
            continued: open.under_way(&start),
            start,
            over,
            notices,
        })
    }

    /// Finds the way back, or makes it; adds what there is to say of it to `warnings`.
    fn back_up(
        &self,
        start: Start,
        dump: Option<&Dump>,
        there: There,
        warnings: &mut Vec<Warning>,
    ) -> Result<Made, JobError> {
        let wants_one = self.request.backup != BackupWish::None;
        let is_dead = is_in_boot_code(&self.device);
        match dump {
            _ if there != There::Not => Ok(Made::nothing_to_do(start)),
            None if is_dead && wants_one => Ok(Made::nothing(Backup::Impossible)),
            None => Ok(Made::nothing(Backup::None)),
            Some(dump) => {
                if matches!(start, Start::Here | Start::Mixed) {
                    if !is_dead {
                        refuse_nameless(dump, self.rules, self.drive())?;
                    }
                    warnings.extend(gaps_of_backup(dump, self.rules));
                }
                super::way_back(start, dump, self.request, &self.device, |record| record)
            }
        }
    }

    /// The way back, and what the journal is to say when this is begun.
    fn noted(
        self,
        made: Made,
        dump: Option<Dump>,
        content: &[u8],
        rewritten: &[FlashRange],
        continued: Vec<journal::Found>,
    ) -> (Backup, Noted) {
        let (before, covered) = match (made.before, made.covered, dump) {
            (Some(before), Some(covered), _) => (before, covered),
            (_, _, Some(dump)) => (dump.bytes, dump.ranges),
            _ => (Vec::new(), Vec::new()),
        };
        let pieces = match before.is_empty() {
            true => Vec::new(),
            false => trace::pieces(
                &masked(&before, rewritten),
                Some(&masked(content, rewritten)),
                &covered,
            ),
        };
        let circumstances = &self.request.circumstances;
        let noted = Noted {
            journal: circumstances.journal.clone(),
            backup: made.noted,
            date: circumstances.date,
            tool: circumstances.tool.clone(),
            device: self.device,
            pieces,
            covered,
            mixed: made.mixed,
            continued,
        };
        (made.backup, noted)
    }
}

impl Wanted<'_> {
    /// FF throughout.
    fn blank(size: u32, rules: &DownloadRules) -> Result<Self, Refusal> {
        if let Erasing::Undocumented { family } = rules.erasing {
            return Err(Refusal::Unerasable { family });
        }
        Ok(Wanted {
            bytes: vec![ERASED; size as usize].into(),
            fit: None,
            check: Phase::BlankCheck,
            warnings: vec![Warning::NoFirmwareAfterwards],
        })
    }
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
        Proof::UnderTags => owned_ranges(rules.owned),
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

/// What the drive keeps for itself and is given back as it was read. Its boot code is
/// no part of that: nothing of it can have been lost.
fn kept(rules: &DownloadRules, dump: &Dump, target: &[u8]) -> Vec<FlashRange> {
    let within_reach = without(&owned_ranges(rules.owned), &out_of_reach(rules));
    let is_given_back = |range: &FlashRange| range.of(&dump.bytes) == range.of(target);
    within_reach.into_iter().filter(is_given_back).collect()
}

/// The drive's boot code: no command changes it.
fn out_of_reach(rules: &DownloadRules) -> Vec<FlashRange> {
    let is_boot_code = |owned: &&Owned| matches!(owned.kept, Kept::BootLoader | Kept::BootCode);
    let boot_code = rules.owned.iter().filter(is_boot_code);
    boot_code.map(|owned| owned.range).collect()
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
        .flat_map(|record| record.gaps.clone())
        .collect();
    let gaps = without(&gaps, &owned_ranges(rules.owned));
    if gaps.is_empty() {
        return Ok(None);
    }
    Objection::ImageLacks(gaps).unless_forced(forced).map(Some)
}

/// What a backup lacks of that which a write changes.
fn gaps_of_backup(dump: &Dump, rules: &DownloadRules) -> Option<Warning> {
    let gaps = without(&dump.gaps, &owned_ranges(rules.owned));
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
        let no_backup = match read::answers_vendor_mode(job) {
            Some(model) => NoBackup::Reported { why, model },
            None => NoBackup::Unreadable(why),
        };
        return Err(Refusal::NoBackupPossible(no_backup).into());
    }
    let everything = job.ranges(&request.selection)?;
    let size = job.device.capabilities().size;
    super::early_checks(request, job.device.info(), size, &everything)?;
    let dump = read::read_ranges(job, everything)?;
    let total = bytes_of(&dump.gaps);
    // Nothing is asked for that cannot be had: there is no firmware that would
    // give more, and what can be read is kept.
    if is_in_boot_code(job.device.info()) {
        return Ok((total < dump.bytes.len() as u64).then_some(dump));
    }
    if total == dump.bytes.len() as u64 {
        return Err(Refusal::NoBackupPossible(NoBackup::Refused).into());
    }
    let missing = without(&dump.gaps, &owned_ranges(rules.owned));
    if !missing.is_empty() {
        Objection::BackupWouldLack(missing).unless_forced(&request.forced)?;
    }
    Ok(Some(dump))
}

#[cfg(test)]
mod tests;
