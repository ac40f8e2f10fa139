//! The command line: the only place that prints, prompts, draws bars or exits.

pub mod args;
pub mod exit;
pub mod failure;
pub mod help;

mod advice;
mod caller;
mod commands;
#[cfg(test)]
mod every;
mod next;
mod output;
mod program;
mod progress;
mod prompt;
mod report;
mod signals;
mod text;
mod user;
mod words;
mod wrap;

use std::ffi::OsString;
use std::process::ExitCode;

use exit::Exit;
use failure::Failure;
use output::Output;
use program::Program;
use progress::eprintln_quietly;

/// Runs the command that `argv` spells, program name included.
pub fn run(argv: impl Iterator<Item = OsString>) -> ExitCode {
    let words: Vec<OsString> = argv.collect();
    let request = match args::parse(words.iter().cloned()) {
        Ok(request) => request,
        Err(error) => {
            let program = Program::called(words.first().map(OsString::as_os_str));
            eprintln_quietly(program.paste_into(&format!("mtkflash: {error}")));
            return Exit::Usage.into();
        }
    };
    let output = Output::default();
    let result = commands::run(&request, &output);
    let result = result.and_then(|()| {
        output
            .check()
            .map_err(|error| Failure::unreported(&error, &request))
    });
    match result {
        Ok(()) => Exit::Done.into(),
        Err(failure) => {
            eprintln_quietly(failure.text());
            failure.exit.into()
        }
    }
}
