//! Carrying out a plan and making sure of it. Writing and erasing are both
//! this: they differ in what the flash is to hold.

use std::collections::BTreeSet;

use crate::flash::{BANK_SIZE, Bank, FlashRange, Offset};
use crate::job::change::{ChangeError, Changed, Evidence};
use crate::job::event::{Event, Phase};
use crate::job::flash_state::Ledger;
use crate::job::verify::compare;
use crate::job::{FlashState, Job, JobError};
use crate::plan::{Plan, Step};
use crate::protocol::{FirmwareDevice, Impossible, InPlace, Writer};

/// Carries out `plan`, then reads `scope` back and compares it with `target`,
/// a whole flash; `begun` are the banks that an earlier run has left half-written. A
/// stop that is asked for after the first step has begun is
/// postponed to the end.
pub(in crate::job::change) fn carry_out(
    job: &mut Job,
    plan: &Plan,
    target: &[u8],
    begun: &BTreeSet<Bank>,
    scope: &[FlashRange],
    check: Phase,
) -> Result<Changed, ChangeError> {
    let mut ledger = Ledger::new(&plan.steps, begun);
    job.check_stop()?;
    if !plan.is_empty() {
        in_place(job.device)?
            .unprotect()
            .map_err(JobError::before_change)?;
    }
    job.changing = true;
    run(job, plan, target, &mut ledger).map_err(|error| error.leaving_flash(ledger.state()))?;
    let read_back = compare(job, check, target, scope, &mut [])
        .map_err(|error| error.leaving_flash(FlashState::Written))?;
    job.changing = false;
    let summary = plan.summary();
    if let Some(difference) = read_back.difference {
        return Err(ChangeError::Different(difference));
    }
    Ok(Changed {
        erased: summary.sectors_to_erase,
        programmed: summary.bytes_to_program.into(),
        evidence: Evidence::ReadBack(read_back),
        restart: None,
    })
}

fn run(job: &mut Job, plan: &Plan, target: &[u8], ledger: &mut Ledger) -> Result<(), JobError> {
    let phase = Phase::Program;
    job.send(Event::Started {
        phase,
        bytes: plan.summary().bytes_to_program.into(),
    });
    let mut current: Option<Bank> = None;
    for step in &plan.steps {
        let bank = Offset(step.range().start()).bank();
        if current != Some(bank) {
            left(job, ledger, current);
            job.send(Event::Bank { phase, bank });
            current = Some(bank);
        }
        ledger.begin(step);
        take(job, *step, target)?;
        ledger.finish(step);
        if step.range().len() > BANK_SIZE {
            // The whole chip was erased: no bank in particular is worked on.
            current = None;
        }
    }
    left(job, ledger, current);
    job.send(Event::Finished { phase });
    Ok(())
}

/// Says how far the bank is that has just been worked on. The plan comes back
/// to a bank for nothing but its first page.
fn left(job: &mut Job, ledger: &Ledger, bank: Option<Bank>) {
    let Some(bank) = bank else { return };
    job.send(if ledger.is_done(bank) {
        Event::BankDone {
            phase: Phase::Program,
            bank,
            sum: None,
        }
    } else {
        Event::FirstPageLeft { bank }
    });
}

fn in_place(device: &mut dyn FirmwareDevice) -> Result<&mut dyn InPlace, JobError> {
    match device.writer() {
        Some(Writer::InPlace(way)) => Ok(way),
        _ => Err(JobError::before_change(Impossible::ChangingInPlace.into())),
    }
}

fn take(job: &mut Job, step: Step, target: &[u8]) -> Result<(), JobError> {
    job.check_stop()?;
    match step {
        Step::Erase(sector) => in_place(job.device)?.erase(sector),
        Step::Program(range) => {
            // In pieces, so that progress shows and a stop is answered.
            let pieces = range.of(target).chunks(crate::flash::PAGE_SIZE as usize);
            let starts = (range.start()..).step_by(crate::flash::PAGE_SIZE as usize);
            for (start, piece) in starts.zip(pieces) {
                job.check_stop()?;
                in_place(job.device)?
                    .program(Offset(start), piece)
                    .map_err(JobError::before_change)?;
                job.send(Event::Progress {
                    phase: Phase::Program,
                    bytes: piece.len() as u64,
                });
            }
            Ok(())
        }
    }
    .map_err(JobError::before_change)
}
