//! Which drive, where the line names none and somebody is there to say it: as
//! MTKFLASH 1.83 did, the drives are listed and one is asked for. It is still
//! the user who names it; none is proposed.

use std::ffi::OsString;
use std::io::{self, BufRead, Write};

use super::args::{self, Request};
use super::commands;
use super::exit::Exit;
use super::failure::Failure;
use super::progress::eprintln_quietly;
use super::user;

const WHICH: &str = "Which drive? Type its number or its path, or nothing to stop: ";
const WHICH_OF_THESE: &str = "That names no drive. Its number or its path: ";

/// So often an answer that names no drive is asked for again.
const AGAIN: usize = 3;

/// The request of these words, program name included, and of a drive that the
/// user names now.
///
/// # Errors
/// No drive at all, or none was named.
pub fn drive(words: &[OsString]) -> Result<Request, Failure> {
    // Any drive will do to know on which machine to look.
    let Some(request) = with_drive(words, "1") else {
        return Err(not_named(None));
    };
    let machine = user::machine(&request)?;
    eprintln_quietly(commands::list(machine.as_ref(), &request)?);
    drop(machine);
    ask(|answer| with_drive(words, answer)).ok_or_else(|| not_named(Some(&request)))
}

/// The words with a drive as their first.
fn with_drive(words: &[OsString], drive: &str) -> Option<Request> {
    let (program, rest) = words.split_first()?;
    let named = [program.clone(), drive.into()].into_iter();
    args::parse(named.chain(rest.iter().cloned())).ok()
}

fn ask(named: impl Fn(&str) -> Option<Request>) -> Option<Request> {
    let mut question = WHICH;
    for _ in 0..=AGAIN {
        let mut terminal = io::stderr();
        // A terminal that cannot be written to gives no answer either.
        let _ = terminal.write_all(question.as_bytes());
        let _ = terminal.flush();
        let mut answer = String::new();
        let _ = io::stdin().lock().read_line(&mut answer);
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

fn not_named(request: Option<&Request>) -> Failure {
    let failure = Failure::new(Exit::Stopped, "No drive was named.");
    match request {
        Some(request) => failure
            .next("To see which drives there are:")
            .next(request.list()),
        None => failure,
    }
}
