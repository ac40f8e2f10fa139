//! Sending what was prepared, and making sure of it.

use super::{DownloadPlan, downloader};
use crate::flash::{BANK_SIZE, Bank, FlashRange};
use crate::image::mt19xx;
use crate::job::change::{ChangeError, Changed, Evidence, Firmware, NotReadBack, Restart};
use crate::job::event::{Event, Phase};
use crate::job::verify::compare;
use crate::job::{FlashState, Job, JobError, postpone_stop};
use crate::protocol::Reading;
use crate::protocol::blu_ray::{Mode, Survey};
use crate::protocol::download::{Effect, Prepared};
use crate::scsi::Identity;

/// Sends what was prepared, awaits the drive, and makes as sure of it as this
/// family allows. Once begun it is not stopped.
pub(in crate::job) fn carry_out(
    job: &mut Job,
    plan: &DownloadPlan,
    scope: &[FlashRange],
    check: Phase,
) -> Result<Changed, ChangeError> {
    job.check_stop()?;
    let before = job.device.info().identity.clone();
    let firmware_before = job.device.info().blu_ray.clone();
    let all = banks(plan.prepared.content.len());
    let sent = FlashState::InDoubt {
        taken: all,
        of: all,
    };
    job.changing = true;
    send(job, &plan.prepared)?;
    let after = await_return(job).map_err(|error| error.leaving_flash(sent.clone()))?;
    let ran = firmware_before.as_deref();
    if check == Phase::Verify && job.device.info().is_boot_loader() {
        return Err(ChangeError::NoFirmware {
            found: after,
            banks: all,
        });
    }
    refuse_other_identity(plan, before.as_ref(), ran, &after, all)?;
    let runs = job.device.info().blu_ray.as_deref();
    refuse_other_descriptor(&plan.prepared, ran, runs, all)?;
    // What has become what the image says has ended programming; of one that has the
    // same names as before, that cannot be told.
    let taken = match before.as_ref() == Some(&after) {
        true => sent,
        false => FlashState::Written,
    };
    let evidence = evidence(job, plan, scope, check).map_err(|error| match error {
        ChangeError::Job(error) => error.leaving_flash(taken).into(),
        other => other,
    })?;
    job.changing = false;
    Ok(Changed {
        erased: 0,
        programmed: plan.prepared.content.len() as u64,
        evidence,
        restart: Some(Box::new(Restart {
            before,
            after,
            firmware_before,
            firmware: job.device.info().blu_ray.clone(),
        })),
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
            if next.range().start() < size {
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
                progress: waiting.progress,
            });
        })
        .map_err(JobError::before_change)
}

fn refuse_other_identity(
    plan: &DownloadPlan,
    before: Option<&Identity>,
    firmware_before: Option<&Survey>,
    after: &Identity,
    banks: u32,
) -> Result<(), ChangeError> {
    if plan.expected.is_met_by(after) {
        return Ok(());
    }
    // Boot code that still answers is no firmware that runs as before.
    let ran = firmware_before.is_some_and(|survey| survey.mode == Mode::Firmware);
    if before == Some(after) && ran {
        return Err(ChangeError::OldFirmware {
            runs: after.clone().into(),
            boot_string: plan.prepared.blu_ray.map(|way| way.string),
            banks,
        });
    }
    Err(ChangeError::OtherIdentity {
        expected: Firmware::Named(plan.expected.identities.clone()),
        found: after.clone().into(),
        banks,
    })
}

/// The descriptor of a Blu-ray drive says which firmware runs, also where two of
/// them bear the same names and nothing else can be read back.
fn refuse_other_descriptor(
    prepared: &Prepared,
    before: Option<&Survey>,
    now: Option<&Survey>,
    banks: u32,
) -> Result<(), ChangeError> {
    let (Some(before), Some(now)) = (before, now) else {
        return Ok(());
    };
    let (Some(expected), Some(found)) = (mt19xx::descriptor(&prepared.content), &now.descriptor)
    else {
        return Ok(());
    };
    if expected == *found {
        return Ok(());
    }
    if before.descriptor.as_ref() == Some(found) {
        return Err(ChangeError::OldFirmware {
            runs: Firmware::Described(found.clone().into()),
            boot_string: prepared.blu_ray.map(|way| way.string),
            banks,
        });
    }
    Err(ChangeError::OtherIdentity {
        expected: Firmware::Described(expected.into()),
        found: Firmware::Described(found.clone().into()),
        banks,
    })
}

fn evidence(
    job: &mut Job,
    plan: &DownloadPlan,
    scope: &[FlashRange],
    check: Phase,
) -> Result<Evidence, ChangeError> {
    if let Reading::Impossible(why) = &job.device.capabilities().reading {
        return Ok(Evidence::Accepted(NotReadBack::Unreadable(*why)));
    }
    let mut compared = compare(job, check, &plan.prepared.content, scope, &mut [])?;
    if let Some(difference) = compared.difference {
        return Err(ChangeError::Different(difference));
    }
    if compared.sums.is_empty() {
        return Ok(Evidence::Accepted(NotReadBack::Refused));
    }
    compared.owned = plan.owned.clone();
    Ok(Evidence::ReadBack(compared))
}
