//! The commands: each, from its request to its result, in a file of its own.

pub(super) mod change;
mod check;
mod erase;
mod images;
mod in_use;
mod inspect;
pub(super) mod list;
pub(super) mod read;
mod run;
mod several;
mod verify;
mod write;

use super::args::{Command, Request};
use super::exit::Exit;
use super::failure::Failure;
use super::outcome::Finding;
use super::output::Output;
use super::revive;
use super::signals;
use super::text::Text;
use crate::job::StopFlag;
use crate::session::Machine;
use run::Asking;
pub use run::Context;

/// Carries out a request.
///
/// # Errors
/// A [`Failure`] says everything that its user needs to know.
pub fn run(request: &Request, output: &Output) -> Result<(), Failure> {
    let stop = StopFlag::default();
    // An examination has no drive to look after: a signal ends it at once.
    if !matches!(request.command, Command::Inspect { .. }) {
        heed_signals(&stop)?;
    }
    carry_out(Context {
        request,
        output,
        stop: &stop,
        machine: None,
        asking: Asking::User,
        among: None,
        read_before: None,
        unwanted: None,
    })
}

/// From now on a signal is a wish to stop, and ends nothing half done.
fn heed_signals(stop: &StopFlag) -> Result<(), Failure> {
    signals::note_into(stop).map_err(|error| {
        let what = format!("The kernel takes no signal handlers: {error}.");
        Exit::Internal.because(what)
    })
}

/// The drives of a machine, as `l` shows them.
///
/// # Errors
/// No drive at all.
pub fn list(machine: &dyn Machine, request: &Request) -> Result<Text, Failure> {
    machine.settle(None);
    let mut listing = machine.list();
    listing.ask_firmware(machine);
    match listing.drives.is_empty() {
        true => Err(list::nothing(&listing, request)),
        false => Ok(list::listed(&listing, request)),
    }
}

/// Carries out a request of a run that looks after signals already.
///
/// # Errors
/// As [`run`].
pub fn carry_out(context: Context) -> Result<(), Failure> {
    // The first of several bank files stands for all of them, and for their record.
    let request = &context.request.with_whole_files();
    let context = Context { request, ..context };
    match request.is_about_several() {
        true => several::run(context, of_one_drive),
        false => of_one_drive(context),
    }
}

/// A request that is about one drive, or none.
fn of_one_drive(context: Context) -> Result<(), Failure> {
    match &context.request.command {
        Command::Help(topic) => context.found(Finding::Help(*topic)),
        Command::Version => context.found(Finding::Version),
        Command::Generate(artifact) => context.found(Finding::Generated(*artifact)),
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
