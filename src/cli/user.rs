//! Whoever sits at this terminal, for whom a drive is opened.

use std::sync::Arc;
use std::time::Duration;

use super::args::{DriveName, Request};
use super::event;
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::progress::Progress;
use super::prompt::{self, Consent};
use super::words;
use crate::cli::words::{InWords, sentence};
use crate::drive::MediumRule;
use crate::drive::channel::ChannelState;
use crate::job::journal::{Journal, Shelf};
use crate::job::{Check, StopFlag};
use crate::protocol::detect::UnknownProtocol;
use crate::scsi::Identity;
use crate::session::{Answer, Event, Host, Machine, OnBench, Patience, User, UserFolder, Wish};
use crate::transport::Watch;

/// How long a person gets to switch a drive off and on.
const PATIENCE_AT_A_TERMINAL: Duration = Duration::from_secs(200);

/// The machine that a request is about.
///
/// # Errors
/// [`Exit::Usage`] for a file that is no bench.
pub fn machine(request: &Request) -> Result<Box<dyn Machine>, Failure> {
    match &request.options.sim {
        Some(bench) => OnBench::open(bench)
            .map(|bench| Box::new(bench) as Box<dyn Machine>)
            .map_err(|error| Failure::bench(&error, request)),
        None => Ok(Box::new(Host::default())),
    }
}

/// Where this machine keeps note of unfinished changes.
pub fn journal(machine: &dyn Machine) -> Journal {
    let folders = machine.folders();
    let shelf = |folder: UserFolder| Shelf {
        folder: folder.path,
        owner: folder.owner,
    };
    Journal {
        own: Some(shelf(folders.journal)),
        others: folders.other_journals.into_iter().map(shelf).collect(),
        ..Journal::default()
    }
}

/// How the drive is to be opened.
///
/// # Errors
/// [`Exit::Usage`] for a protocol that does not exist.
pub fn wish(request: &Request) -> Result<Wish, Failure> {
    let options = &request.options;
    let protocol = options.protocol.as_ref().map(|word| word.parse());
    let protocol = protocol.transpose().map_err(|error: UnknownProtocol| {
        Exit::Usage
            .because(sentence(&error.in_words()))
            .next("To go by the drive's name:")
            .next(request.without_protocol())
    })?;
    Ok(Wish {
        via: options.via,
        protocol,
        size: options.size,
        patience: match options.wait {
            Some(time) => Patience::Named(time),
            None if prompt::somebody_is_there() => Patience::Unless(PATIENCE_AT_A_TERMINAL),
            None => Patience::default(),
        },
        medium: match options.force.contains(&Check::Medium) {
            true => MediumRule::Allow,
            false => MediumRule::Refuse,
        },
        left_programming: Vec::new(),
        any_family: options.force.contains(&Check::Family),
    })
}

/// Shows what happens on the way, and asks.
pub struct AtTerminal<'a> {
    pub drive: &'a DriveName,
    pub output: &'a Output,
    pub progress: &'a mut Progress,
    pub stop: &'a StopFlag,
    pub request: &'a Request,
    /// Why nothing is wanted of a drive that is this one.
    pub unwanted: Option<Unwanted<'a>>,
}

/// Why nothing is wanted of a drive, by what it says it is.
pub type Unwanted<'a> = &'a (dyn Fn(&Identity) -> Option<Failure> + Sync);

impl User for AtTerminal<'_> {
    fn tell(&mut self, event: Event) {
        self.output.tell(
            Some(self.drive),
            &event::Event::Session(&event, self.request),
        );
        match &event {
            Event::Waiting(waiting) => self.progress.show_waiting(*waiting),
            Event::WaitingEnded => self.progress.end_waiting(),
            event => {
                let Some(text) = words::session::told(event, self.request) else {
                    return;
                };
                match event {
                    Event::Settled(_)
                    | Event::Guessed { .. }
                    | Event::PollingLeftOn(_)
                    | Event::TakenOver
                    | Event::NotGivenBack(_) => self.progress.line(text),
                    _ => self.progress.remark(text),
                }
            }
        }
    }

    fn may_take(&mut self, channel: &ChannelState) -> Answer {
        let question = words::session::question(channel);
        let yes = self.request.options.yes;
        match prompt::ask(&question, yes, self.stop) {
            Consent::Given if yes => Answer::YesBefore,
            Consent::Given => Answer::Yes,
            Consent::Denied => Answer::No,
            Consent::NobodyToAsk => Answer::NobodyThere,
            Consent::Stopped => Answer::Stop,
        }
    }

    fn watch(&self) -> Option<Arc<dyn Watch>> {
        let log = self.output.log.of_drive(self.drive)?;
        Some(log as Arc<dyn Watch>)
    }

    fn is_patient_with(&self, drive: &Identity) -> bool {
        self.unwanted.is_none_or(|why| why(drive).is_none())
    }

    fn wants_to_stop(&self) -> bool {
        self.stop.is_requested()
    }
}
