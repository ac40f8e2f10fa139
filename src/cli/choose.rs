//! Which drive, where the line names none and somebody is there to say it: as
//! MTKFLASH 1.83 did, the drives are listed and one is asked for. It is still
//! the user who names it; none is proposed.

use std::ffi::OsString;

use super::args::{self, Request};
use super::commands;
use super::exit::Exit;
use super::failure::Failure;
use super::progress::eprintln_quietly;
use super::{prompt, signals, user};
use crate::job::StopFlag;

const WHICH: &str = "Which drive? Type its number or its path, or nothing to stop:";
const WHICH_OF_THESE: &str = "That names no drive. Its number or its path:";

/// So often an answer that names no drive is asked for again.
const AGAIN: usize = 3;

/// The request of these words and of a drive that the user names now. `None` where a drive is not all that they lack.
///
/// # Errors
/// No drive at all, or none was named.
pub fn drive(words: &[OsString]) -> Result<Option<Request>, Failure> {
    // Any drive will do to know on which machine to look.
    let Some(request) = with_drive(words, "1") else {
        return Ok(None);
    };
    let machine = user::machine(&request)?;
    eprintln_quietly(commands::list(machine.as_ref(), &request)?);
    drop(machine);
    let stop = StopFlag::default();
    // Without the handlers a signal ends the process, and nothing is begun yet.
    let _ = signals::note_into(&stop);
    let chosen = ask(|answer| with_drive(words, answer), &stop);
    match chosen {
        Some(request) => Ok(Some(request)),
        None if stop.is_requested() => Err(not_named("Stopped: no drive was named.", words)),
        None => Err(not_named("No drive was named.", words)),
    }
}

/// The words with a drive as their first.
fn with_drive(words: &[OsString], drive: &str) -> Option<Request> {
    args::parse_words(&[&[drive.into()], words].concat()).ok()
}

fn ask(named: impl Fn(&str) -> Option<Request>, stop: &StopFlag) -> Option<Request> {
    let mut question = WHICH;
    for _ in 0..=AGAIN {
        let answer = prompt::line(&question.into(), stop)?;
        match answer.trim() {
            "" => return None,
            answer => match named(answer) {
                Some(request) => return Some(request),
                None => question = WHICH_OF_THESE,
            },
        }
    }
    None
}

/// Which drives there are stands above.
fn not_named(what: &str, words: &[OsString]) -> Failure {
    let failure = Exit::Stopped.because(what);
    match args::another_drive(words, None) {
        Some(request) => failure
            .next("It can be named in the line as well, in the place of DRIVE:")
            .next(request),
        None => failure,
    }
}
