//! The command line: the only place that prints, prompts, draws bars or exits.

pub mod args;
pub mod exit;
pub mod failure;
pub mod help;

mod commands;
#[cfg(test)]
mod every;
mod list;
mod next;
mod output;
mod program;
mod progress;
mod prompt;
mod report;
mod signals;
mod typed;
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
use typed::Typed;

/// Runs the command that `argv` spells, program name included.
pub fn run(argv: impl Iterator<Item = OsString>) -> ExitCode {
    let words: Vec<OsString> = argv.collect();
    let request = match args::parse(words.iter().cloned()) {
        Ok(request) => request,
        Err(error) => {
            let program = Program::called(words.first().map(OsString::as_os_str));
            eprintln_quietly(&program.paste_into(&format!("mtkflash: {error}")));
            return Exit::Usage.into();
        }
    };
    let typed = Typed::new(words, &request);
    let mut output = Output::default();
    let result = commands::run(&request, &typed, &mut output);
    let result = result.and_then(|()| {
        output
            .check()
            .map_err(|error| Failure::unreported(&request.command, &error, &typed))
    });
    match result {
        Ok(()) => Exit::Done.into(),
        Err(failure) => {
            eprintln_quietly(&typed.to_paste(failure.text().trim_end()));
            failure.exit.into()
        }
    }
}
