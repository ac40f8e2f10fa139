//! `c`: what a drive and its flash are; without a drive, what all of them are.

use std::path::Path;

use super::list;
use super::run::{Context, Run};
use crate::cli::args::{DriveName, Request, Via};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::next;
use crate::cli::outcome::{Drive, Finding};
use crate::cli::prompt::{self, Consent, Word};
use crate::cli::text::Text;
use crate::cli::user;
use crate::job::{Forced, JobError, estimate, interrupted};
use crate::protocol::packet::Family;
use crate::protocol::{Capabilities, Protocol, Reading, Writing};
use crate::scsi::Identity;

pub fn run(context: Context) -> Result<(), Failure> {
    if context.request.drives.is_empty() {
        return all(context);
    }
    context.with_drive(|run| {
        run.show_unfinished(None);
        let next = match run.left() {
            Some(left) => {
                if let Some(begun) = left.as_typed() {
                    run.found(Finding::Begun(Box::new(begun.clone())));
                }
                left.advice(run.request)
            }
            None if run.session.is_silent && run.is_write_only() => {
                next::after_silence(run.request)
            }
            None => next::after_check(
                run.capabilities(),
                run.info().identity.as_ref(),
                &in_minutes(run),
            ),
        };
        run.found(Finding::Next(next));
        Ok(())
    })
}

/// The request by the ports, where reading as it is would be refused for the hours that
/// it takes.
fn in_minutes(run: &Run) -> Request {
    let bytes = 2 * u64::from(run.capabilities().size);
    let is_slow = estimate::refuse_slow(run.capabilities(), bytes, &Forced::new()).is_err();
    match &run.session.at_ports {
        Some(name) if is_slow => run.request.of(name.clone()).by(Via::Port),
        _ => run.request.clone(),
    }
}

const CHECK_ALL: &str =
    "Checking takes each drive without a packet protocol into vendor mode and resets it.";

/// Tries every drive, after asking where one of them goes into vendor mode.
fn all(context: Context) -> Result<(), Failure> {
    let Context {
        request,
        output,
        stop,
        ..
    } = context;
    let machine = context.machine()?;
    let wish = user::wish(request)?;
    let listing = list::find(machine.as_ref(), context)?;
    let drives = &listing.drives;
    let asks = drives
        .iter()
        .any(|listed| goes_into_vendor_mode(request, listed.asked.said.as_ref()));
    let names: Vec<DriveName> = drives
        .iter()
        .filter_map(|listed| listed.name(wish.via))
        .collect();
    context.found(Finding::Listing(listing));
    match prompt::ask(&CHECK_ALL.into(), request.options.yes || !asks, stop) {
        Consent::Given => {}
        Consent::Stopped => return Err(Failure::job(&JobError::Stopped, request)),
        Consent::Denied => return Err(Failure::denied(&Word::Yes, request)),
        Consent::NobodyToAsk => {
            let what = format!("{CHECK_ALL} ");
            return Err(Failure::nobody_to_ask(&what, Text::default()));
        }
    }
    let mut worst: Option<(DriveName, Failure)> = None;
    for drive in names {
        let request = &request.of(drive.clone());
        let context = Context { request, ..context };
        output.text(Text::default().words("").words(&drive.to_string()));
        match context.open(machine.as_ref()) {
            Ok(run) => {
                run.found(Finding::Drive(Box::new(Drive::of(&run.session))));
                run.show_unfinished(None);
                run.leave(false);
                output.ended(&drive, None);
            }
            Err(failure) if failure.exit == Exit::Stopped => return Err(failure),
            Err(failure) => {
                output.ended(&drive, Some(&failure));
                let mut failed = (drive, failure);
                if let Some(before) = worst.take() {
                    let severity = |(_, failure): &(DriveName, Failure)| failure.exit.severity();
                    let lesser = match severity(&before) < severity(&failed) {
                        true => before,
                        false => std::mem::replace(&mut failed, before),
                    };
                    explain(context, &lesser);
                }
                worst = Some(failed);
            }
        }
    }
    match worst {
        Some((_, failure)) => Err(failure),
        None => {
            context.found(Finding::Next(next::after_check_of_all(request)));
            Ok(())
        }
    }
}

/// Says all of a failure that the run does not end with.
fn explain(context: Context, (drive, failure): &(DriveName, Failure)) {
    let mut text = Text::default();
    text.words("").words(&format!("Drive {drive}"));
    text.append(failure.text());
    context.output.explain(text);
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
    fn is_write_only(&self) -> bool {
        let Capabilities {
            reading, writing, ..
        } = self.capabilities();
        matches!(
            (reading, writing),
            (Reading::Impossible(_), Writing::Download(_))
        )
    }

    /// Shows the writes of a flash like this one that were begun and not
    /// finished, by the records in the current folder and beside `file`.
    pub fn show_unfinished(&self, file: Option<&Path>) {
        let size = self.capabilities().size;
        let notices = interrupted::notices(file, self.info(), size, &self.journal());
        self.found(Finding::Unfinished(notices));
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
