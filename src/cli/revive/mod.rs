//! `revive`: from a dead drive to a working one, one step at a time.
//!
//! Each step is one of the commands, shown as it would be typed and carried out
//! by the same function; [`guide`] says which comes next. It can do nothing that
//! they cannot, and asks for YES where they do.

mod answer;
mod guide;
mod words;

use super::args::Request;
use super::commands::{self, Context};
use super::exit::Exit;
use super::failure::Failure;
use super::outcome::{Finding, Outcome, ToGoBack};
use super::output::Output;
use super::progress::eprintln_quietly;
use super::prompt;
use super::signals;
use super::user;
use crate::job::StopFlag;
use crate::protocol::Unwritable;
use crate::protocol::vendor_mode::reported;
use crate::session::{DriveName, Listed, Machine};
use guide::{End, Guide, Met, Seen, Sight, Task};

/// Leads whoever sits at the terminal.
///
/// # Errors
/// Nobody there, a bench that cannot be read, or how it ended, if not well.
pub fn run(context: Context) -> Result<(), Failure> {
    let typed = context.request;
    if !prompt::somebody_is_there() {
        return Err(Exit::Usage
            .because("This asks questions, and is for somebody at a terminal.")
            .next("Without questions, the first step is:")
            .next(typed.list()));
    }
    if typed.drives.len() > 1 {
        return Err(Exit::Usage
            .because("One drive at a time: name one.")
            .next("To see which drives there are:")
            .next(typed.list()));
    }
    let end = StopFlag::default();
    // Without it such a signal ends a step, as Ctrl-C does.
    let _ = signals::note_end_into(&end);
    let mut guide = Guide::of(typed, |file| file.exists());
    loop {
        if end.is_requested() {
            guide.heard(None);
        }
        if let Some(complaint) = guide.complaint() {
            eprintln_quietly(words::complaint(&complaint));
        }
        match guide.task() {
            Task::Look(step, list) => {
                eprintln_quietly(words::step(step, &list));
                // That there is no drive is what the next question is about.
                match carry_out(context, &list, &mut None) {
                    Err(failure) if failure.exit != Exit::NoDrive => return Err(failure),
                    _ => {}
                }
                guide.saw(sight(user::machine(&list)?.as_ref()));
            }
            Task::Ask(question) => {
                let answer = prompt::line(&words::question(&question), context.stop);
                guide.heard(answer.as_deref());
            }
            Task::Run(step, request) => {
                eprintln_quietly(words::step(step, &request));
                let mut begun = None;
                let result = carry_out(context, &request, &mut begun);
                begun.into_iter().for_each(|write| guide.has_begun(write));
                guide.ended(result.as_ref().copied());
                match (result, guide.task()) {
                    (Ok(_), _) | (Err(_), Task::End(End::Failed(_))) => {}
                    (Err(failure), next) => {
                        eprintln_quietly(words::failed(&failure, guide.half_written(), &next));
                    }
                }
            }
            Task::End(end) => {
                eprintln_quietly(words::end(&end, typed)?);
                return Ok(());
            }
        }
    }
}

/// A command as if it had been typed. Ctrl-C ends it and not the guide, whose
/// next question says what can be done.
fn carry_out(
    context: Context,
    request: &Request,
    begun: &mut Option<Box<Request>>,
) -> Result<Met, Failure> {
    let Output {
        manner,
        renderings,
        log,
        ..
    } = context.output;
    let output = Output::new(*manner, *renderings, Outcome::default(), log);
    let result = commands::carry_out(Context {
        request,
        output: &output,
        ..context
    });
    context.stop.forget();
    let check = || {
        output
            .check()
            .map_err(|error| Failure::unreported(&error, request))
    };
    result.and_then(|()| check())?;
    let mut met = Met::default();
    output.each_of_drives(|finding| {
        met.note(finding);
        if let Finding::Begun(write) = finding {
            *begun = Some(write.clone());
        }
    });
    Ok(met)
}

impl Met {
    fn note(&mut self, finding: &Finding) {
        match finding {
            Finding::Drive(drive) => {
                self.is_write_only |= !drive.is_readable && drive.read_only.is_none();
                let reported = drive.info.identity.as_ref().and_then(reported::of);
                self.may_be_read |= reported.is_some_and(|report| report.answers);
                self.is_beyond_help |= drive.is_silent && self.is_write_only;
                self.is_of_unknown_size |= drive.size == 0;
                self.is_read_only |=
                    !matches!(drive.read_only, None | Some(Unwritable::OnlyRead { .. }));
            }
            Finding::Changed { to_go_back, .. } => {
                self.has_backup |= matches!(to_go_back, ToGoBack::In(_) | ToGoBack::InPart(_));
            }
            _ => {}
        }
    }
}

/// Which drives there are, and where the legacy ports lead to them.
fn sight(machine: &dyn Machine) -> Sight {
    let listing = machine.list();
    Sight {
        has_ports: listing.has_legacy_ports,
        drives: listing
            .drives
            .into_iter()
            .map(|listed| seen(machine, listed))
            .collect(),
    }
}

fn seen(machine: &dyn Machine, listed: Listed) -> Seen {
    let index = listed.position.filter(|_| !listed.is_guess);
    let index = index.map(|position| DriveName::Index(position.number()));
    let mut names: Vec<DriveName> = listed.nodes.into_iter().map(DriveName::Path).collect();
    names.extend(index);
    let spot = names.first().and_then(|name| machine.locate(name).ok());
    Seen {
        at_ports: spot.and_then(|spot| spot.at_ports),
        names,
        identity: listed.asked.said,
    }
}

#[cfg(test)]
mod tests;
