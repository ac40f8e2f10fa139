//! What happens in a run, each as a JSON object of its own: `doc/json.md` tells what
//! their keys mean.

use serde_json::{Map, Value, json};

use super::{fields, of_failure, of_finding, of_image, without_nulls};
use crate::cli::args::{DriveName, Request};
use crate::cli::caller::Caller;
use crate::cli::event::Event;
use crate::cli::exit::Exit;
use crate::cli::words::{self, InWords};
use crate::job;
use crate::session;

/// Something that happens, as a line of its own; `None` where there is nothing to
/// say of it.
pub fn event(drive: Option<&DriveName>, event: &Event, caller: &Caller) -> Option<Value> {
    let said = without_nulls(match event {
        Event::Opening | Event::Asked | Event::Left => json!({}),
        Event::Session(event, request) => of_session(event, request),
        Event::Job(event) => of_job(event),
        Event::Found(finding) => match of_image(finding) {
            Some(image) => json!({"image": image}),
            None => of_finding(finding, caller).into(),
        },
        Event::Answered(yes) => json!({"yes": yes}),
        Event::Note(text) => json!({"text": text.trim_end()}),
        Event::NotLeft(error) => json!({"text": error.in_words()}),
        Event::Ended(failure) | Event::Over(failure) => {
            let exit = failure.map_or(Exit::Done, |failure| failure.exit);
            let mut object = fields(json!({"exit_code": exit.code(), "exit": exit.name()}));
            object.extend(failure.map_or_else(Map::new, |failure| of_failure(failure, caller)));
            object.into()
        }
    });
    let said = fields(said);
    let is_empty = match event {
        Event::Found(_) | Event::Session(session::Event::Said(_), _) => said.is_empty(),
        _ => false,
    };
    let mut object = Map::new();
    object.insert("event".to_owned(), name(event).into());
    object.extend(drive.map(|drive| ("drive".to_owned(), drive.to_string().into())));
    object.extend(said);
    (!is_empty).then(|| object.into())
}

fn name(event: &Event) -> &'static str {
    match event {
        Event::Opening => "opening",
        Event::Session(event, _) => match event {
            session::Event::Settled(_) => "settled",
            session::Event::Guessed { .. } => "guessed",
            session::Event::PollingLeftOn(_) => "polling-left-on",
            session::Event::Detected(_) => "detected",
            session::Event::GivenUp(_) => "given-up",
            session::Event::TakenOver => "taken-over",
            session::Event::Said(_) => "said",
            session::Event::OnAList(_) => "on-a-list",
            session::Event::Waiting(_) => "waiting",
            session::Event::WaitingEnded => "waiting-ended",
            session::Event::NotGivenBack(_) => "not-given-back",
        },
        Event::Job(event) => match event {
            job::Event::Started { .. } => "started",
            job::Event::Bank { .. } => "bank",
            job::Event::Progress { .. } => "progress",
            job::Event::BankDone { .. } => "bank-done",
            job::Event::FirstPageLeft { .. } => "first-page-left",
            job::Event::Finished { .. } => "finished",
            job::Event::Disagreement { .. } => "disagreement",
            job::Event::Gap { .. } => "gap",
            job::Event::AwaitingDrive { .. } => "awaiting-drive",
            job::Event::StopPostponed => "stop-postponed",
        },
        Event::Found(_) => "found",
        Event::Asked => "asked",
        Event::Answered(_) => "answered",
        Event::Note(_) => "note",
        Event::NotLeft(_) => "not-left",
        Event::Left => "left",
        Event::Ended(_) => "ended",
        Event::Over(_) => "over",
    }
}

fn of_session(event: &session::Event, request: &Request) -> Value {
    match event {
        session::Event::Waiting(waiting) => json!({
            "status": waiting.status,
            "seconds_left": waiting.remaining.as_secs(),
        }),
        event => {
            let text = words::session::told(event, request);
            json!({"text": text.map(|text| text.to_string().trim_end().to_owned())})
        }
    }
}

fn of_job(event: &job::Event) -> Value {
    match event {
        job::Event::Started { phase, bytes } | job::Event::Progress { phase, bytes } => {
            json!({"phase": super::phase(*phase), "bytes": bytes})
        }
        job::Event::Bank { phase, bank } => json!({"phase": super::phase(*phase), "bank": bank.0}),
        job::Event::BankDone { phase, bank, sum } => json!({
            "phase": super::phase(*phase),
            "bank": bank.0,
            "sum": sum.map(|sum| sum.to_string()),
        }),
        job::Event::FirstPageLeft { bank } => json!({"bank": bank.0}),
        job::Event::Finished { phase } => json!({"phase": super::phase(*phase)}),
        job::Event::Disagreement { at, first, second } => {
            json!({"at": at.0, "first": first, "second": second})
        }
        job::Event::Gap { range, reason } => {
            json!({"range": super::range(range), "reason": reason})
        }
        job::Event::AwaitingDrive {
            remaining,
            last,
            progress,
        } => json!({
            "seconds_left": remaining.as_secs(),
            "last": last.in_words(),
            "parts_done": progress.map(|progress| progress.done),
            "parts": progress.map(|progress| progress.of),
        }),
        job::Event::StopPostponed => json!({}),
    }
}
