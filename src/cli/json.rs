//! A run's outcome as one JSON object. Its keys are a promise to scripts, and
//! `doc/json.md` tells what they mean: what is there keeps its name and meaning
//! while [`SCHEMA`] stays the same, and more may come.
//!
//! What is not known is left out. Numbers are numbers, in bytes and seconds, and
//! sums are the hex digits that the text shows. Sentences are for people and may
//! change.

mod drive;
mod event;
mod failure;
mod flash;
mod image;

use std::ffi::OsStr;

use serde_json::{Map, Value, json};

use super::args::{self, Command, Request, Verb};
use super::caller::Caller;
use super::exit::Exit;
use super::next::Blank;
use super::outcome::{Finding, OfDrive, Outcome, Spent, Verdict};
use super::{help, words};
use crate::flash::{Bank, FlashRange};
use crate::image::Checksum;
use crate::job::Phase;
use crate::job::change::Evidence;
use drive::{listed, of_flash};
pub use event::event;
use failure::{next, of_failure};
use flash::{compared, dumped, of_change, of_proposal, with_sums_before};
use image::{differences, of_image};

/// Goes up where a key changes its meaning or goes.
pub const SCHEMA: u32 = 1;

/// All of a run.
pub fn object(outcome: &Outcome, caller: &Caller) -> Value {
    let exit = outcome.exit();
    let request = outcome.request.as_ref();
    let mut object = fields(json!({
        "schema": SCHEMA,
        "tool": {"name": "mtkflash", "version": env!("CARGO_PKG_VERSION")},
        "arguments": outcome.arguments.iter().map(text).collect::<Vec<_>>(),
        "command": match request {
            Some(request) => Some(command(request)),
            None => args::verb_in(&outcome.arguments).map(Verb::word),
        },
        "exit_code": exit.code(),
        "exit": exit.name(),
        "log": outcome.log.as_ref().map(text),
    }));
    let of_drives = outcome.drives.iter().flat_map(|drive| &drive.findings);
    let images = outcome.findings.iter().chain(of_drives);
    let mut images: Vec<Value> = images.filter_map(of_image).collect();
    for (path, failure) in &outcome.bad_files {
        let path = Value::from(text(path));
        let known = images.iter().position(|image| image["path"] == path);
        let at = known.unwrap_or_else(|| {
            images.push(json!({"path": path}));
            images.len() - 1
        });
        let mut image = fields(std::mem::take(&mut images[at]));
        image.extend(of_failure(failure, caller));
        images[at] = image.into();
    }
    let several = request.is_some_and(|request| request.command.files().len() > 1);
    match several {
        true => object.insert("images".to_owned(), images.into()),
        false => object.insert("image".to_owned(), images.into_iter().next().into()),
    };
    for finding in &outcome.findings {
        object.extend(of_finding(finding, caller));
    }
    let drives: Vec<Value> = outcome
        .drives
        .iter()
        .map(|drive| of_drive(drive, request, caller))
        .collect();
    object.insert("drives".to_owned(), drives.into());
    if let Some(failure) = &outcome.failure {
        object.extend(of_failure(failure, caller));
    }
    without_nulls(object.into())
}

fn command(request: &Request) -> &'static str {
    let verb = request.command.verb();
    match request.command {
        Command::Version => "version",
        Command::Generate(_) => "generate",
        _ => verb.map_or("help", Verb::word),
    }
}

fn of_drive(drive: &OfDrive, request: Option<&Request>, caller: &Caller) -> Value {
    let exit = drive.failure.as_ref().map_or(Exit::Done, |end| end.exit);
    let mut object = fields(json!({
        "name": drive.name.to_string(),
        "exit_code": exit.code(),
        "exit": exit.name(),
        "result": match &drive.failure {
            Some(failure) => failure.exit.name(),
            None => result(drive, request),
        },
        "flash": {"state": "unchanged"},
    }));
    for finding in &drive.findings {
        object.extend(of_finding(finding, caller));
    }
    if object.contains_key("change") {
        with_sums_before(drive, &mut object);
    }
    if !drive.phases.is_empty() {
        let phases: Vec<Value> = drive.phases.iter().map(spent).collect();
        object.insert("phases".to_owned(), phases.into());
    }
    if let Some(failure) = &drive.failure {
        object.extend(of_failure(failure, caller));
    }
    object.into()
}

/// How a job went that did not fail.
fn result(drive: &OfDrive, request: Option<&Request>) -> &'static str {
    let erases = request.is_some_and(|request| request.erasing().is_some());
    let of_finding = |finding: &Finding| match finding {
        Finding::Dumped(_) => Some("read"),
        Finding::Verdict(verdict) => Some(self::verdict(*verdict)),
        Finding::Changed { changed, .. } => Some(match (&changed.evidence, erases) {
            (Evidence::ReadBack(_), false) => "written",
            (Evidence::ReadBack(_), true) => "erased",
            (Evidence::Accepted(_), false) => "accepted",
            (Evidence::Accepted(_), true) => "erase-accepted",
        }),
        _ => None,
    };
    let mut findings = drive.findings.iter().rev();
    findings.find_map(of_finding).unwrap_or("checked")
}

/// The keys that a finding adds to the object of the run or of its drive.
fn of_finding(finding: &Finding, caller: &Caller) -> Map<String, Value> {
    fields(match finding {
        Finding::Help(topic) => json!({"text": help::text(*topic)}),
        Finding::Version => json!({"text": help::version()}),
        Finding::Generated(artifact) => json!({"text": help::generated(*artifact)}),
        Finding::Listing(listing) => listed(listing),
        Finding::Image { .. }
        | Finding::Against { .. }
        | Finding::Examined(_)
        | Finding::NoImage { .. } => json!({}),
        Finding::Differences {
            differences: found, ..
        } => json!({"differences": differences(found)}),
        Finding::Converted { files, bytes } => json!({"converted": {
            "files": files.iter().map(text).collect::<Vec<_>>(),
            "bytes": bytes,
        }}),
        Finding::Drive(drive) => of_flash(drive),
        Finding::Unfinished(notices) if notices.is_empty() => json!({}),
        Finding::Unfinished(notices) => {
            let texts: Vec<String> = notices.iter().map(words::journal::notice).collect();
            json!({"unfinished": texts})
        }
        Finding::Begun(_) => json!({}),
        Finding::Dumped(dump) => dumped(dump),
        Finding::Proposed(proposed) => of_proposal(proposed),
        Finding::Compared(found) => compared(found),
        Finding::Verdict(verdict @ Verdict::BlankAlready(blank)) => {
            json!({"result": self::verdict(*verdict), "blank": extent(*blank)})
        }
        Finding::Verdict(verdict) => json!({"result": self::verdict(*verdict)}),
        Finding::Changed {
            changed,
            whole_chip,
            ..
        } => of_change(changed, *whole_chip),
        Finding::Next(advice) => json!({"next": next(advice, caller)}),
    })
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Equal | Verdict::EqualAndOver => "equal",
        Verdict::EqualAsFar => "equal-as-far-as-compared",
        Verdict::EqualUnconfirmed => "equal-unconfirmed",
        Verdict::HeldAlready | Verdict::BlankAlready(_) => "nothing-to-do",
        Verdict::SaidAlready => "nothing-to-do-as-said",
        Verdict::DryRun => "dry-run",
    }
}

fn extent(blank: Blank) -> &'static str {
    match blank {
        Blank::All => "all",
        Blank::Part => "part",
    }
}

fn spent(spent: &Spent) -> Value {
    json!({
        "phase": phase(spent.phase),
        "bytes": spent.bytes,
        "seconds": spent.time.as_secs_f64(),
        "finished": spent.is_whole,
    })
}

/// A phase by a word.
pub fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Read => "read",
        Phase::Program => "program",
        Phase::Verify => "verify",
        Phase::BlankCheck => "blank-check",
    }
}

fn banks(sums: &[(Bank, Checksum)]) -> Vec<Value> {
    let of_bank = |(bank, sum): &(Bank, Checksum)| json!({"bank": bank.0, "sum": sum.to_string()});
    sums.iter().map(of_bank).collect()
}

fn numbers<'a>(banks: impl IntoIterator<Item = &'a Bank>) -> Vec<u32> {
    banks.into_iter().map(|bank| bank.0).collect()
}

fn ranges(ranges: &[FlashRange]) -> Vec<Value> {
    ranges.iter().map(range).collect()
}

/// First and last byte.
fn range(range: &FlashRange) -> Value {
    json!({"first": range.start(), "last": range.end().saturating_sub(1)})
}

/// A name or word; JSON is text, so that a byte which is none stands as U+FFFD.
pub fn text(word: impl AsRef<OsStr>) -> String {
    word.as_ref().to_string_lossy().into_owned()
}

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// What is not known is left out.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key, without_nulls(value)))
            .collect(),
        Value::Array(values) => values.into_iter().map(without_nulls).collect(),
        value => value,
    }
}
