//! The commands: each, from its request to its result, in a file of its own.

pub(super) mod change;
mod check;
mod erase;
mod images;
mod inspect;
pub(super) mod list;
pub(super) mod read;
mod run;
mod verify;
mod write;

use super::args::{Command, Request};
use super::exit::Exit;
use super::failure::Failure;
use super::outcome::Finding;
use super::output::Output;
use super::revive;
use super::signals;
use crate::job::StopFlag;
pub use run::Context;

/// Carries out a request.
///
/// # Errors
/// A [`Failure`] says everything that its user needs to know.
pub fn run(request: &Request, output: &Output) -> Result<(), Failure> {
    let stop = StopFlag::default();
    signals::note_into(&stop).map_err(|error| {
        let what = format!("The kernel takes no signal handlers: {error}.");
        Failure::new(Exit::Internal, what)
    })?;
    carry_out(Context {
        request,
        output,
        stop: &stop,
    })
}

/// Carries out a request of a run that looks after signals already.
///
/// # Errors
/// As [`run`].
pub fn carry_out(context: Context) -> Result<(), Failure> {
    match &context.request.command {
        Command::Help => context.found(Finding::Help),
        Command::Version => context.found(Finding::Version),
        Command::Inspect { files } => inspect::run(context, files)?,
        Command::List => list::run(context)?,
        Command::Check => check::run(context)?,
        Command::Read { file } => read::run(context, file)?,
        Command::Verify { file } => verify::run(context, file)?,
        Command::Write { file } => write::run(context, file)?,
        Command::Erase => erase::run(context)?,
        Command::Revive => revive::run(context)?,
    }
    Ok(())
}
