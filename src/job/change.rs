//! Carrying out a plan and making sure of it. Writing and erasing are both
//! this: they differ in what the flash is to hold.

use std::collections::BTreeSet;

use super::event::{Event, Phase};
use super::flash_state::Ledger;
use super::verify::{Compared, Difference, compare};
use super::{FlashState, Job, JobError};
use crate::flash::{BANK_SIZE, Bank, FlashRange, Offset};
use crate::image::mt19xx::BootString;
use crate::plan::{Plan, Step};
use crate::protocol::blu_ray::Survey;
use crate::protocol::{DeviceError, FirmwareDevice, Impossible, InPlace, Unreadable, Writer};
use crate::scsi::Identity;

/// What was done to a flash, and how it was made sure of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Sectors that were erased.
    pub erased: usize,
    /// Bytes that were programmed.
    pub programmed: u64,
    pub evidence: Evidence,
    /// Who the drive said it was before it took a whole image and after it
    /// started anew; `None` where the flash was changed in place.
    pub restart: Option<Box<Restart>>,
}

/// What says that a change is in the flash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// The flash was read back and is equal to what it should hold, but for
    /// what the value says was not compared.
    ReadBack(Compared),
    /// The drive took it without an error, came back and says who it is. The
    /// content was not read back.
    Accepted(NotReadBack),
}

/// Why a flash was not read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotReadBack {
    Unreadable(Unreadable),
    /// The drive refuses to have any of it read.
    Refused,
}

/// A drive before and after it took new firmware.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restart {
    pub before: Option<Identity>,
    pub after: Identity,
    /// What a Blu-ray drive said about its firmware before …
    pub firmware_before: Option<Box<Survey>>,
    /// … and says about what runs now.
    pub firmware: Option<Box<Survey>>,
}

/// A change that did not end as it should.
#[derive(Debug, thiserror::Error)]
#[error("{self:?}")]
pub enum ChangeError {
    Job(#[from] JobError),
    /// Everything was written, and the flash holds something else.
    Different(Difference),
    /// The chip did not take a byte that it did not take in the run before either.
    Again {
        at: Offset,
        #[source]
        source: Box<ChangeError>,
    },
    /// The drive took everything and came back as something else.
    OtherIdentity {
        /// Vendor, product and revision.
        expected: String,
        found: String,
        /// How many banks were sent.
        banks: u32,
    },
    /// The drive took everything and came back with its boot code alone.
    NoFirmware {
        /// Vendor, product and revision.
        found: String,
        banks: u32,
    },
    /// The drive took everything, went through the motions, and still is who it
    /// was.
    OldFirmware {
        /// Vendor, product and revision.
        runs: String,
        /// With which it was sent the image.
        boot_string: Option<BootString>,
        banks: u32,
    },
}

impl ChangeError {
    /// The byte that the chip did not take, where it is that.
    pub(super) fn refused_byte(&self) -> Option<Offset> {
        match self {
            ChangeError::Job(JobError::Device {
                source: DeviceError::NotProgrammed { at, .. } | DeviceError::NotErased { at, .. },
                ..
            }) => Some(*at),
            ChangeError::Different(difference) => Some(difference.first),
            _ => None,
        }
    }

    pub fn flash(&self) -> FlashState {
        match self {
            ChangeError::Job(error) => error.flash(),
            ChangeError::Different(_) => FlashState::Written,
            ChangeError::Again { source, .. } => source.flash(),
            ChangeError::OtherIdentity { banks, .. }
            | ChangeError::NoFirmware { banks, .. }
            | ChangeError::OldFirmware { banks, .. } => FlashState::InDoubt {
                taken: *banks,
                of: *banks,
            },
        }
    }
}

/// Carries out `plan`, then reads `scope` back and compares it with `target`,
/// a whole flash; `begun` are the banks that an earlier run has left half-written. A
/// stop that is asked for after the first step has begun is
/// postponed to the end.
pub(super) fn carry_out(
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
