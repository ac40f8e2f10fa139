//! `c`: what a drive and its flash are; without a drive, what all of them are.

use std::path::Path;

use super::list;
use super::run::{Context, Run};
use crate::cli::args::{Request, Via};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::next;
use crate::cli::prompt::{self, Consent};
use crate::cli::text::Text;
use crate::cli::user;
use crate::job::{JobError, interrupted};
use crate::protocol::Protocol;
use crate::protocol::packet::Family;
use crate::scsi::Identity;

pub fn run(context: Context) -> Result<(), Failure> {
    if context.request.drives.is_empty() {
        return all(context);
    }
    context.with_drive(|run| {
        run.show_unfinished(None);
        let next = next::after_check(run.capabilities(), run.request);
        run.output.text(next.text());
        Ok(())
    })
}

const CHECK_ALL: &str =
    "Checking takes each drive without a packet protocol into vendor mode and resets it.";

/// Tries every drive, after asking where one of them goes into vendor mode.
fn all(context: Context) -> Result<(), Failure> {
    let Context {
        request,
        output,
        stop,
    } = context;
    let machine = user::machine(request)?;
    let wish = user::wish(request)?;
    let drives = list::show(machine.as_ref(), context)?.drives;
    let asks = drives
        .iter()
        .any(|listed| goes_into_vendor_mode(request, listed.said.as_ref()));
    match prompt::ask(&CHECK_ALL.into(), request.options.yes || !asks, stop) {
        Consent::Given => {}
        Consent::Stopped => return Err(Failure::job(&JobError::Stopped, request)),
        Consent::Denied => return Err(Failure::denied(request)),
        Consent::NobodyToAsk => return Err(Failure::nobody_to_ask(&CHECK_ALL.into())),
    }
    let mut last_failure = None;
    for drive in drives.iter().filter_map(|listed| listed.name(wish.via)) {
        output.text(format!("\n{drive}\n"));
        let request = &request.of(drive);
        let context = Context { request, ..context };
        match context.open(machine.as_ref()) {
            Ok(run) => {
                run.show_drive();
                run.show_unfinished(None);
                run.leave(false);
            }
            Err(failure) if failure.exit == Exit::Stopped => return Err(failure),
            Err(failure) => {
                output.text(format!("{}\n", failure.what));
                last_failure = Some(failure);
            }
        }
    }
    match last_failure {
        Some(failure) => Err(failure),
        None => Ok(()),
    }
}

/// Whether a check takes a drive that says this into vendor mode.
fn goes_into_vendor_mode(request: &Request, identity: Option<&Identity>) -> bool {
    let options = &request.options;
    let vendor = Protocol::VendorMode.name();
    match (options.via, &options.protocol) {
        (Some(Via::Ata | Via::Port), _) => true,
        (_, Some(name)) => name.eq_ignore_ascii_case(vendor),
        (_, None) => identity.and_then(Family::by_identity).is_none(),
    }
}

impl Run<'_> {
    /// Shows the writes of a flash like this one that were begun and not
    /// finished, by the records in the current folder and beside `file`.
    pub fn show_unfinished(&self, file: Option<&Path>) {
        let mut table = Text::default();
        let size = self.capabilities().size;
        for warning in interrupted::notices(file, self.info(), size, &self.journal()) {
            table.row("Warning", &warning);
        }
        self.output.text(table);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checking_every_drive_is_asked_for() {
        insta::assert_snapshot!(prompt::asked(&CHECK_ALL.into()));
    }
}
