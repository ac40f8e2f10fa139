//! The command line: the only place that prints, prompts, draws bars or exits.

pub mod args;
pub mod exit;
pub mod failure;
pub mod help;

mod advice;
mod caller;
mod commands;
mod event;
#[cfg(test)]
mod every;
mod json;
mod next;
mod outcome;
mod output;
mod program;
mod progress;
mod prompt;
mod report;
mod revive;
mod signals;
mod text;
mod user;
mod words;
mod wrap;

use std::ffi::OsString;
use std::process::ExitCode;

use exit::Exit;
use failure::Failure;
use outcome::Outcome;
use output::{Manner, Output};
use program::Program;
use progress::eprintln_quietly;

/// Runs the command that `argv` spells, program name included.
pub fn run(argv: impl Iterator<Item = OsString>) -> ExitCode {
    let argv: Vec<OsString> = argv.collect();
    let arguments = argv.get(1..).unwrap_or_default().to_vec();
    let parsed = args::parse(argv.iter().cloned());
    let outcome = Outcome {
        request: parsed.as_ref().ok().cloned(),
        arguments,
        ..Outcome::default()
    };
    let output = Output::new(Manner::asked_for(&outcome.arguments), outcome);
    let request = match parsed {
        Ok(request) => request,
        Err(error) => {
            let program = Program::called(argv.first().map(OsString::as_os_str));
            if !output.manner().events {
                eprintln_quietly(program.paste_into(&format!("mtkflash: {error}")));
            }
            output.end(Some(&Failure::usage(&error)));
            return Exit::Usage.into();
        }
    };
    let result = commands::run(&request, &output);
    output.end(result.as_ref().err());
    let result = result.and_then(|()| {
        output
            .check()
            .map_err(|error| Failure::unreported(&error, &request))
    });
    match result {
        Ok(()) => Exit::Done.into(),
        Err(failure) => {
            if !output.manner().events {
                eprintln_quietly(failure.text());
            }
            failure.exit.into()
        }
    }
}
