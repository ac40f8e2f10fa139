//! Changes that did not come to their end.

use std::path::Path;

use super::device::{has_vanished, place_of, takes_nothing};
use super::{Begun, Failure, Flash, exit_of};
use crate::cli::advice::Advice;
use crate::cli::args::Request;
use crate::cli::exit::Exit;
use crate::cli::going_on::FIND_IT;
use crate::cli::next;
use crate::cli::words::terms;
use crate::cli::words::{self, InWords, sentence};
use crate::flash::Offset;
use crate::job::backup;
use crate::job::change::ChangeError;
use crate::job::record::Record;
use crate::job::{FlashState, JobError};

impl Failure {
    /// A job that was changing the flash; `backup` is the file with the way back.
    pub fn change(error: &ChangeError, request: &Request, backup: Option<&Path>) -> Failure {
        let state = error.flash();
        let failed = |error: &dyn InWords| {
            exit_of(&state)
                .because(sentence(&error.in_words()))
                .about_flash(&state, backup)
        };
        let failure = match error {
            ChangeError::Again { at, source } => {
                let stuck = source.found_at(*at);
                return Failure::change(source, request, backup).worn(*at, stuck, backup, request);
            }
            error if is_beyond_help(error) => return failed(error).beyond_help(request),
            ChangeError::Job(error) if state == FlashState::Unchanged => {
                return Failure::job(error, request).keeping(backup);
            }
            ChangeError::Job(JobError::Device { source, .. }) => failed(source),
            ChangeError::Job(error) => failed(error),
            ChangeError::OtherIdentity { .. } => failed(error),
            ChangeError::NoFirmware { .. } => {
                return Failure {
                    next: next::after_boot_code(backup, request),
                    ..failed(error)
                };
            }
            ChangeError::OldFirmware { boot_string, .. } => {
                return words::blu_ray::old_firmware(failed(error), *boot_string, request);
            }
            ChangeError::Different(difference) => Exit::Different
                .because(format!(
                    "Everything was {}, but reads back differently: {}.",
                    match request.erasing() {
                        Some(_) => "erased",
                        None => "written",
                    },
                    terms::difference(difference)
                ))
                .saying(Flash::Holds {
                    state: state.clone(),
                    wrong: difference.banks.clone(),
                    old_content: backup.map(Path::to_owned),
                    begun: Begun::Nothing,
                }),
        };
        let is_gone = matches!(
            error,
            ChangeError::Job(JobError::Device { source, .. }) if has_vanished(source)
        );
        let again = match (&state, is_gone) {
            (FlashState::InDoubt { .. }, false) => {
                "Leave the drive on. Type the same again: all of it is sent once more:"
            }
            (FlashState::InDoubt { .. }, true) => {
                "Check the drive's power and cable. When it is back, type the same again: all of it is \
                 sent once more:"
            }
            (_, false) => {
                "Leave drive and computer on. Type the same again: it goes on where this run ended:"
            }
            (_, true) => {
                "Check the drive's power and cable. When it is back, type the same again: it goes on \
                 where this run ended:"
            }
        };
        let mut failure = failure.next(again).next(request.same());
        let place = match error {
            ChangeError::Job(JobError::Device { source, .. }) => place_of(source),
            _ => None,
        };
        if let (FlashState::InDoubt { .. }, Some(at)) = (&state, place) {
            failure = failure.next(format!(
                "If it ends at {at} again, try another data cable, port or adapter, and leave the \
                 drive on meanwhile."
            ));
        }
        let is_open = matches!(state, FlashState::Partly { .. } | FlashState::Written);
        if is_open && !is_gone {
            failure = failure.next(
                "Only if the drive does not answer then: switch the drive, not the computer, off \
                     and on, and type it once more. (A drive inside the computer goes off with it: \
                     pull its power plug and put it back.)",
            );
        }
        match backup.filter(|backup| !backup::looks_damaged(backup)) {
            Some(backup) => failure
                .next("Or go back to what was in the drive before:")
                .next(request.restore(backup)),
            None => failure,
        }
    }

    /// A drive in which no firmware is left that would take another.
    fn beyond_help(self, request: &Request) -> Failure {
        let next = next::beyond_help(
            self.next.clone(),
            "This answer, before the drive has taken anything, is all that is left of firmware that \
             did not get into it whole, and sending an image again ends the same. Switching the drive \
             off and on costs nothing more. Then see whether it is listed by its name:",
            request,
        );
        Failure { next, ..self }
    }

    /// The same failure where the backup of the change is no longer what it was.
    pub fn without(self, backup: &Path, request: &Request) -> Failure {
        let is_part_left = matches!(
            self.flash,
            Flash::Holds {
                state: FlashState::Partly { .. },
                ..
            }
        );
        let failure = Failure {
            what: format!("{} {}", self.what, words::files::gone(backup)),
            ..self
        };
        if !is_part_left {
            return failure.next(FIND_IT);
        }
        let first = Advice::of(
            "Leave the drive on. Parts of what was in its flash are still there, and nowhere \
                 else: keep them before anything is written again:",
        )
        .then(request.read());
        Failure {
            next: first.and(failure.next),
            ..failure
        }
    }

    /// The same failure for the second time: what was said of it stays, and what helped
    /// nothing is not proposed again.
    fn worn(
        self,
        at: Offset,
        stuck: Option<u8>,
        backup: Option<&Path>,
        request: &Request,
    ) -> Failure {
        let failure = Failure {
            what: format!(
                "{} The run before this one failed at {at} as well: the chip is worn out there, or \
                 write-protected.",
                self.what
            ),
            next: Advice::default(),
            ..self
        };
        let failure = failure.next(
            "The same once more would end the same. Leave the drive on: its firmware is not \
             whole, and may not start again.",
        );
        match backup {
            // The way back is what has failed, or wants the same of the chip.
            Some(backup) if is_file_of(request, backup) || wants_other(backup, at, stuck) => {
                return failure.next(
                    "What was in it before ends there, too: only another chip helps, or an \
                     external programmer.",
                );
            }
            Some(backup) => failure
                .next("What was in it before may need nothing of the chip at that place:")
                .next(request.restore(backup)),
            None => failure
                .next("Another image may need nothing of the chip at that place:")
                .next(request.write_any()),
        }
        .next("If that fails, too, only another chip helps, or an external programmer.")
    }

    /// The same failure of a change that was forced over what keeps the drive alive:
    /// the way back comes first, where there is one.
    pub fn in_danger(
        self,
        error: &ChangeError,
        backup: Option<&Path>,
        request: &Request,
    ) -> Failure {
        match is_beyond_help(error) {
            true => self,
            false => Failure {
                next: next::after_failed_danger(backup, request),
                ..self
            },
        }
    }
}

/// Whether a backup of a whole flash has another byte at this place than the chip.
fn wants_other(backup: &Path, at: Offset, stuck: Option<u8>) -> bool {
    let is_whole = Record::beside(backup).is_some_and(|record| record.ranges.is_empty());
    let content = backup::content(backup).ok().filter(|_| is_whole);
    let wanted = content.and_then(|bytes| bytes.get(at.0 as usize).copied());
    matches!((wanted, stuck), (Some(wanted), Some(stuck)) if wanted != stuck)
}

/// Whether this is the very file that the command is about, by whatever name.
fn is_file_of(request: &Request, file: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let own = request.command.file();
    own.is_some_and(|own| own == file || real(own) == real(file))
}

/// Whether a drive has no firmware left that would take another.
fn is_beyond_help(error: &ChangeError) -> bool {
    matches!(error, ChangeError::Job(JobError::Device { source, flash }) if takes_nothing(source, flash))
}
