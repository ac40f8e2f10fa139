//! Sending a whole image to a drive that programs it by itself.
//!
//! As in [`super::write`], everything that can be found out without a change is
//! found out first. Afterwards the drive is awaited, asked who it is, and read
//! back where that is possible; what was not read back is said not to be.

use std::collections::BTreeSet;

use super::backup::Record;
use super::change::{ChangeError, Changed, Evidence, Restart};
use super::event::{Event, Phase};
use super::fit::{self, Match, sentence};
use super::interrupted::{self, Change};
use super::read::{self, Dump, without};
use super::verify::{compare, owned_ranges};
use super::write::{self, Backup, BackupWish, Content, Proposal, Request, Work};
use super::{Check, FlashState, Forced, Job, JobError, Refusal, postpone_stop};
use crate::flash::{BANK_SIZE, Bank, FlashRange, Offset};
use crate::image::{Image, ImageIdentity, Model, identity, soundness};
use crate::plan::ERASED;
use crate::protocol::download::{
    Download, DownloadRules, Effect, Erasing, Guard, ImageNames, Owned, PrepareError, Prepared,
};
use crate::protocol::{DeviceError, FirmwareDevice, Reading};
use crate::scsi::Identity;

/// A whole image, ready to be sent.
#[derive(Debug)]
pub struct DownloadPlan {
    pub prepared: Prepared,
    /// What the drive keeps for itself, whatever is sent.
    pub owned: Vec<Owned>,
    /// The flash was read and holds this already.
    pub is_there_already: bool,
    expected: Expected,
}

/// Who a drive may say it is once it has an image.
#[derive(Debug)]
struct Expected {
    /// Anybody where there are none.
    identities: Vec<Identity>,
    with_revision: bool,
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
        let reason = "This drive takes its firmware as a whole and programs it by itself: a part \
                      of it alone cannot be changed or kept.";
        return Err(Refusal::Unable(reason.to_owned()).into());
    }
    let everything = job.ranges(&request.selection)?;
    let size = job.device.capabilities().size;
    let device = job.device.info().clone();
    let drive = device.identity.as_ref();
    let (mut warnings, mut notes) = (Vec::new(), Vec::new());

    let (bytes, mut fit, check) = match &request.content {
        Content::Image { image, record } => {
            if let Some(problem) = soundness::problems(image.bytes()).first() {
                return Err(JobError::Image(sentence(&format!(
                    "this image is not written: {problem}"
                ))));
            }
            let bytes = fit::spread(image, size, &request.selection, &everything)?;
            warnings.extend(gaps_of_image(record.as_deref(), rules, &request.forced)?);
            warnings.extend(write::serial_warning(record.as_deref(), drive));
            (
                bytes,
                names_fit(image, drive, rules, &request.forced)?,
                Phase::Verify,
            )
        }
        Content::Blank => {
            if let Erasing::Impossible(reason) = &rules.erasing {
                return Err(Refusal::Unable(reason.clone()).into());
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
    let expected = Expected::of(&request.content, drive, rules);
    let is_there_already = dump.as_ref().is_some_and(|dump| {
        dump.gaps.is_empty()
            && scope
                .iter()
                .all(|range| range.of(&dump.bytes) == range.of(&prepared.content))
    }) && drive.is_none_or(|drive| expected.is_met_by(drive));

    job.check_stop()?;
    let backup = match (&dump, write::backup_path(&request.backup)) {
        _ if is_there_already => Backup::NotNeeded,
        (Some(dump), Some(path)) => {
            let target = &prepared.content;
            let change = Change {
                dump,
                target: &|_| target.clone(),
                retained: &kept(rules, dump, target),
            };
            let (unfinished, damaged) = interrupted::find(Some(path), &device, dump.bytes.len());
            warnings.extend(interrupted::warnings(&[], &damaged));
            let earlier = interrupted::resume(unfinished, &change, drive, &request.forced)?;
            if earlier.is_none() {
                refuse_nameless(dump, rules, drive)?;
                warnings.extend(gaps_of_backup(dump, rules));
            }
            match earlier {
                Some(earlier) => Backup::Earlier(Box::new(earlier)),
                None if request.dry_run => Backup::Planned(path.to_owned()),
                None => {
                    let record = Record::of(dump, &device, &request.circumstances);
                    write::make_backup(dump, &record, path, &request.forced)?
                }
            }
        }
        _ => Backup::None,
    };
    notes.extend(prepared.notes.iter().cloned());
    warnings.extend(prepared.overridden.iter().map(|(_, text)| text.clone()));
    if let Reading::Impossible(reason) = &job.device.capabilities().reading {
        notes.push(format!(
            "{reason} Whether the firmware is right can be told only by the drive's accepting it, \
             coming back and saying who it is."
        ));
    }
    Ok(Proposal {
        work: Work::Download(DownloadPlan {
            prepared,
            owned,
            is_there_already,
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
    let none = || DeviceError::Impossible("This drive does not take whole images.".to_owned());
    device
        .download()
        .ok_or_else(|| JobError::before_change(none()))
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

/// Compares the names in the image with those of the drive, where the family
/// has a place for them. A boot banner is compared later, with the drive's own.
fn names_fit(
    image: &Image,
    drive: Option<&Identity>,
    rules: &DownloadRules,
    forced: &Forced,
) -> Result<Option<Match>, Refusal> {
    match rules.names {
        ImageNames::Banner(_) => Ok(None),
        ImageNames::Undocumented => fit::check(image, drive, None, &[], forced).map(Some),
        ImageNames::At(at) if identity_at(image.bytes(), at).is_some() => {
            fit::check(image, drive, None, &[], forced).map(Some)
        }
        ImageNames::At(at) => {
            let text = match identity::find(image.bytes()).iter().find_map(named) {
                Some(other) => format!(
                    "The image names {other}, and not at {at}, where images for this drive have \
                     their names."
                ),
                None => format!(
                    "The image does not say what drive it is for: it has no names at {at}, where \
                     images for this drive have them."
                ),
            };
            if forced.contains(&Check::Model) {
                return Ok(Some(Match {
                    text,
                    forced: Some(Check::Model),
                }));
            }
            Err(Refusal::Check {
                check: Check::Model,
                message: text,
            })
        }
    }
}

/// The model that an identity in an image names.
fn named(found: &ImageIdentity) -> Option<Model> {
    found.identity().map(Model::from)
}

fn identity_at(bytes: &[u8], at: Offset) -> Option<Identity> {
    identity::find(bytes)
        .iter()
        .find(|found| found.at() == at)
        .and_then(|found| found.identity().cloned())
}

fn banner_match(prepared: &Prepared) -> Match {
    let overridden = prepared
        .overridden
        .iter()
        .find(|(guard, _)| *guard == Guard::Banner);
    match overridden {
        Some((guard, text)) => Match {
            text: text.clone(),
            forced: Some((*guard).into()),
        },
        None => Match {
            text: "The boot banner of the image is the drive's.".to_owned(),
            forced: None,
        },
    }
}

impl Expected {
    fn of(content: &Content<'_>, drive: Option<&Identity>, rules: &DownloadRules) -> Expected {
        let anybody = Expected {
            identities: Vec::new(),
            with_revision: false,
        };
        match (content, rules.names) {
            // What an erased drive calls itself is its boot loader's business.
            (Content::Blank, _) => anybody,
            (Content::Image { image, .. }, ImageNames::At(at)) => {
                match identity_at(image.bytes(), at) {
                    Some(identity) => Expected {
                        identities: vec![identity],
                        with_revision: true,
                    },
                    None => anybody,
                }
            }
            (Content::Image { image, .. }, _) => {
                let of_image = identity::find(image.bytes());
                let mut named = of_image.iter().filter_map(|found| found.identity());
                // An image that names this very drive says its revision, too.
                let is_drive = |named: &&Identity| {
                    drive.is_some_and(|drive| Model::from(drive) == Model::from(*named))
                };
                match named.clone().find(is_drive) {
                    Some(identity) => Expected {
                        identities: vec![identity.clone()],
                        with_revision: true,
                    },
                    None => Expected {
                        identities: named.by_ref().chain(drive).cloned().collect(),
                        with_revision: false,
                    },
                }
            }
        }
    }

    fn is_met_by(&self, drive: &Identity) -> bool {
        let is_it = |expected: &Identity| {
            Model::from(expected) == Model::from(drive)
                && (!self.with_revision || expected.revision == drive.revision)
        };
        self.identities.is_empty() || self.identities.iter().any(is_it)
    }
}

/// Reads the whole flash for the backup; `None` where the user wants none.
fn dump(job: &mut Job, request: &Request, rules: &DownloadRules) -> Result<Option<Dump>, JobError> {
    if request.backup == BackupWish::None {
        return Ok(None);
    }
    let no_backup = |reason: String| JobError::from(Refusal::NoBackupPossible { reason });
    if let Reading::Impossible(reason) = &job.device.capabilities().reading {
        return Err(no_backup(reason.clone()));
    }
    let dump = read::read(job, &request.selection)?;
    let total: u64 = dump.gaps.iter().map(|gap| u64::from(gap.len())).sum();
    if total == dump.bytes.len() as u64 {
        return Err(no_backup(
            "The drive refuses to have its firmware read.".to_owned(),
        ));
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

/// What is read is firmware only where the drive's names are in it.
fn refuse_nameless(
    dump: &Dump,
    rules: &DownloadRules,
    drive: Option<&Identity>,
) -> Result<(), Refusal> {
    let ImageNames::At(at) = rules.names else {
        return Ok(());
    };
    let found = identity_at(&dump.bytes, at).map(|identity| Model::from(&identity));
    if drive.is_none_or(|drive| found == Some(Model::from(drive))) {
        return Ok(());
    }
    Err(Refusal::NoBackupPossible {
        reason: format!(
            "What this drive gives when it is read does not have its names at {at}: it is damaged \
             or erased firmware, or memory and no firmware at all, and no way back."
        ),
    })
}

/// Sends what was prepared, awaits the drive, and makes as sure of it as this
/// family allows. Once begun it is not stopped.
pub(super) fn carry_out(
    job: &mut Job,
    plan: &DownloadPlan,
    scope: &[FlashRange],
    check: Phase,
) -> Result<Changed, ChangeError> {
    job.check_stop()?;
    let before = job.device.info().identity.clone();
    let all = banks(plan.prepared.content.len());
    let sent = FlashState::InDoubt {
        taken: all,
        of: all,
    };
    job.changing = true;
    send(job, &plan.prepared)?;
    let after = await_return(job).map_err(|error| error.leaving_flash(sent.clone()))?;
    refuse_other_identity(plan, &after, all)?;
    let evidence = evidence(job, plan, scope, check).map_err(|error| match error {
        ChangeError::Job(error) => error.leaving_flash(sent).into(),
        other => other,
    })?;
    job.changing = false;
    Ok(Changed {
        erased: 0,
        programmed: plan.prepared.content.len() as u64,
        evidence,
        restart: Some(Restart { before, after }),
    })
}

fn banks(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX).div_ceil(BANK_SIZE)
}

fn send(job: &mut Job, prepared: &Prepared) -> Result<(), JobError> {
    let phase = Phase::Program;
    let size = u32::try_from(prepared.content.len()).unwrap_or(u32::MAX);
    job.send(Event::Started {
        phase,
        bytes: size.into(),
    });
    let Job {
        device,
        events,
        stop,
        stop_is_noted,
        ..
    } = job;
    let device = downloader(*device)?;
    let mut taken = 0_u32;
    events(Event::Bank {
        phase,
        bank: Bank(0),
    });
    let sent = device.send(prepared, &mut |bytes| {
        let done = taken / BANK_SIZE;
        taken = taken.saturating_add(bytes).min(size);
        events(Event::Progress {
            phase,
            bytes: bytes.into(),
        });
        for bank in (done..taken / BANK_SIZE).map(Bank) {
            let sum = None;
            events(Event::BankDone { phase, bank, sum });
            let next = Bank(bank.0 + 1);
            if next.range().start < size {
                events(Event::Bank { phase, bank: next });
            }
        }
        postpone_stop(stop, stop_is_noted, events);
    });
    match sent {
        Ok(()) => {
            job.send(Event::Finished { phase });
            Ok(())
        }
        Err(error) => Err(JobError::Device {
            source: error.source,
            flash: match error.effect {
                Effect::Unchanged => FlashState::Unchanged,
                Effect::InDoubt => FlashState::InDoubt {
                    taken: taken / BANK_SIZE,
                    of: banks(prepared.content.len()),
                },
            },
        }),
    }
}

fn await_return(job: &mut Job) -> Result<Identity, JobError> {
    let Job {
        device,
        events,
        stop,
        stop_is_noted,
        ..
    } = job;
    let device = downloader(*device)?;
    device
        .await_return(&mut |waiting| {
            postpone_stop(stop, stop_is_noted, events);
            events(Event::AwaitingDrive {
                remaining: waiting.remaining,
                last: waiting.last.clone(),
            });
        })
        .map_err(JobError::before_change)
}

fn refuse_other_identity(
    plan: &DownloadPlan,
    after: &Identity,
    banks: u32,
) -> Result<(), ChangeError> {
    if plan.expected.is_met_by(after) {
        return Ok(());
    }
    let name = |identity: &Identity| {
        format!(
            "{} {} {}",
            identity.vendor, identity.product, identity.revision
        )
    };
    let expected: Vec<String> = plan.expected.identities.iter().map(name).collect();
    Err(ChangeError::OtherIdentity {
        expected: expected.join(" or "),
        found: name(after),
        banks,
    })
}

fn evidence(
    job: &mut Job,
    plan: &DownloadPlan,
    scope: &[FlashRange],
    check: Phase,
) -> Result<Evidence, ChangeError> {
    if let Reading::Impossible(reason) = &job.device.capabilities().reading {
        return Ok(Evidence::Accepted(reason.clone()));
    }
    let mut compared = compare(job, check, &plan.prepared.content, scope)?;
    if let Some(difference) = compared.difference {
        return Err(ChangeError::Different(difference));
    }
    if compared.sums.is_empty() {
        let reason = "The drive refuses to have its firmware read.".to_owned();
        return Ok(Evidence::Accepted(reason));
    }
    compared.owned = plan.owned.clone();
    Ok(Evidence::ReadBack(compared))
}

#[cfg(test)]
mod tests;
