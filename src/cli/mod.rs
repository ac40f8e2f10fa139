//! The command line: the only place that prints, prompts, draws bars or exits.

pub mod args;
pub mod exit;
pub mod failure;
pub mod help;

mod advice;

mod caller;
mod choose;
mod commands;
mod compared;
mod event;
mod going_on;
mod image_file;
mod json;
mod log;
mod manner;
mod next;
mod outcome;
mod output;
mod progress;
mod prompt;
mod quoting;
mod renderings;
mod report;
mod revive;
mod signals;
#[cfg(test)]
mod tests;
mod text;
mod user;
mod visible;
pub(crate) mod words;
mod wrap;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, PoisonError};

use args::UsageError;
use caller::Caller;
use exit::Exit;
use log::Log;
use manner::Manner;
use outcome::Outcome;
use output::Output;
use progress::eprintln_quietly;
use renderings::RENDERINGS;
use text::Look;

/// What a thread that panicked has left is as good as any.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs the command that `argv` spells, program name included.
pub fn run(argv: impl Iterator<Item = OsString>) -> ExitCode {
    let typed: Vec<OsString> = argv.skip(1).collect();
    let mut parsed = args::parse_words(&typed);
    if matches!(parsed, Err(UsageError::MissingDrive { .. })) && prompt::somebody_is_there() {
        match choose::drive(&typed) {
            Ok(Some(request)) => parsed = Ok(request),
            // Which word is missing besides is told as to a script.
            Ok(None) => {}
            Err(failure) => {
                eprintln_quietly(failure.text());
                return failure.exit.into();
            }
        }
    }
    let outcome = Outcome {
        request: parsed.as_ref().ok().cloned(),
        arguments: typed.clone(),
        ..Outcome::default()
    };
    let log = Log::default();
    let output = Output::new(Manner::asked_for(&typed), RENDERINGS, outcome, &log);
    let request = match parsed {
        Ok(request) => request,
        Err(error) => {
            let failure = words::usage::failure(&error, &typed);
            if !output.manner.events {
                eprintln_quietly(failure.text());
            }
            let exit = failure.exit;
            output.end(Some(failure));
            return exit.into();
        }
    };
    if let Err(error) = log::begin_named(&log, &request) {
        output.warn_of_log(&words::files::no_log(&error));
    }
    let result = commands::run(&request, &output);
    let failure = result.err().map(|failure| failure.of_typed(&request));
    let exit = match output.end(failure) {
        None => Exit::Done,
        Some(failure) => {
            let mut text = failure.text();
            log.note(&text.render(&Caller::of_process(), Look::PLAIN));
            if let Some(path) = log.path() {
                text.row("Log", &path.display().to_string());
            }
            if !output.manner.events {
                eprintln_quietly(text);
            }
            failure.exit
        }
    };
    if let Some(trouble) = log.end(exit) {
        output.warn_of_log(&format!("The log of this run is not whole: {trouble}."));
    }
    exit.into()
}
