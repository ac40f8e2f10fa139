//! Which drive, where the line names none and somebody is there to say it: as
//! MTKFLASH 1.83 did, the drives are listed and one is asked for. It is still
//! the user who names it; none is proposed.

use std::ffi::OsString;

use super::args::{self, DriveName, Request, UsageError};
use super::commands;
use super::exit::Exit;
use super::failure::Failure;
use super::progress::eprintln_quietly;
use super::words::sentence;
use super::{prompt, signals, user};
use crate::job::StopFlag;

const WHICH: &str = "Which drive? Type its number or its path, or nothing to stop:";
const OR_NOTHING: &str = "Its number or its path, or nothing to stop:";

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
    let is_there = |request: &Request| match &request.drives[..] {
        [name @ DriveName::Serial(_)] => {
            user::machine(request).is_ok_and(|machine| machine.list().find(name).is_some())
        }
        _ => true,
    };
    let named = |answer: &str| match parse(words, answer) {
        Ok(request) if is_there(&request) => Ok(request),
        Err(error @ UsageError::AllDrives { .. }) => Err(sentence(&error.to_string())),
        Ok(_) | Err(_) => Err("That names no drive.".to_owned()),
    };
    let chosen = ask(named, &stop);
    match chosen {
        Some(request) => Ok(Some(request)),
        None if stop.is_requested() => Err(not_named("Stopped: no drive was named.", words)),
        None => Err(not_named("No drive was named.", words)),
    }
}

/// The words with a drive as their first.
fn with_drive(words: &[OsString], drive: &str) -> Option<Request> {
    parse(words, drive).ok()
}

fn parse(words: &[OsString], drive: &str) -> Result<Request, UsageError> {
    args::parse_words(&[&[drive.into()], words].concat())
}

/// `named`: the request with the drive of an answer, or why there is none.
fn ask(named: impl Fn(&str) -> Result<Request, String>, stop: &StopFlag) -> Option<Request> {
    let mut question = WHICH.to_owned();
    for _ in 0..=AGAIN {
        let answer = prompt::line(&question.into(), stop)?;
        match answer.trim() {
            "" => return None,
            answer => match named(answer) {
                Ok(request) => return Some(request),
                Err(why) => question = format!("{why} {OR_NOTHING}"),
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
