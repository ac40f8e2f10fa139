//! What an earlier run has begun at a place, as far as its note tells without the drive.

use crate::cli::args::{DriveName, Request};
use crate::cli::commands::run::Context;
use crate::cli::failure::Failure;
use crate::cli::user;
use crate::job::journal::Entry;
use crate::session::{Machine, OnBench};

/// A failure that comes before the drive is opened, with what is noted of a change of the
/// drive that was there.
pub fn told(failure: Failure, context: Context) -> Failure {
    let request = context.request;
    let entry = match context.machine {
        Some(machine) => noted(request, machine),
        None => used_machine(request).and_then(|machine| noted(request, machine.as_ref())),
    };
    match entry {
        Some(entry) => failure.at_place_of(&entry, request),
        None => failure,
    }
}

/// The machine of a request; none for a bench that has never run, which is not made to.
fn used_machine(request: &Request) -> Option<Box<dyn Machine>> {
    match &request.options.sim {
        Some(bench) if !OnBench::has_run(bench) => None,
        _ => user::machine(request).ok(),
    }
}

/// The change that was begun on a drive at a place that the request names and is not
/// known to be over; a serial number could tell only with the drive.
fn noted(request: &Request, machine: &dyn Machine) -> Option<Entry> {
    let named = request.drives.iter();
    let named = named.filter(|name| !matches!(name, DriveName::Serial(_)));
    let places: Vec<String> = named
        .filter_map(|name| Some(machine.locate(name).ok()?.place))
        .collect();
    let entries = user::journal(machine).entries().into_iter();
    let mut open = entries
        .map(|found| found.entry)
        .filter(|entry| !entry.settled);
    open.find(|entry| {
        let place = entry.place.as_ref();
        place.is_some_and(|place| places.contains(place))
    })
}
