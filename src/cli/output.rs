//! Where results go: as text to people while they come, as JSON to programs at
//! the end.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, OnceLock};

use super::args::{DriveName, Request};
use super::caller::Caller;
use super::event::{Event, EventLine};
use super::failure::Failure;
use super::locked;
use super::log::Log;
use super::manner::Manner;
use super::outcome::{Finding, Outcome, Spent};
use super::progress::eprintln_quietly;
use super::text::{Look, Text};
use super::wrap;
use serde_json::Value;

use crate::flash::Bank;
use crate::image::Checksum;
use crate::job::Phase;

/// Shows results and keeps them, and tells programs what happens. A closed pipe
/// is not lost on the caller: before a change it ends the job, after it the job
/// matters more than who is listening.
#[derive(Debug)]
pub struct Output {
    pub manner: Manner,
    pub renderings: Renderings,
    failure: OnceLock<io::Error>,
    outcome: Mutex<Outcome>,
    pub log: Log,
    /// Of several drives at once: what is not shown yet.
    held: Mutex<Vec<(DriveName, Text)>>,
}

/// The two renderings of a run. They stand with the commands whose results they tell, and
/// those know the output.
#[derive(Debug, Clone, Copy)]
pub struct Renderings {
    /// What was found, as people read it.
    pub finding: fn(&Finding, &Request) -> Text,
    /// What happens, as a line of JSON; `None` where there is nothing to say of it.
    pub event: EventLine,
    /// All of a run, as one JSON object.
    pub object: fn(&Outcome, &Caller) -> Value,
}

impl Output {
    /// What is found and what happens goes into the log as well.
    pub fn new(manner: Manner, renderings: Renderings, outcome: Outcome, log: &Log) -> Output {
        Output {
            manner,
            renderings,
            failure: OnceLock::new(),
            outcome: Mutex::new(outcome),
            log: log.clone(),
            held: Mutex::default(),
        }
    }

    fn outcome(&self) -> MutexGuard<'_, Outcome> {
        locked(&self.outcome)
    }

    /// Tells the programs that listen what happens, with a drive or with none in
    /// particular.
    pub fn tell(&self, drive: Option<&DriveName>, event: &Event) {
        let line = self.renderings.event;
        self.log.event(drive, event, line);
        if self.manner.events {
            if let Some(line) = line(drive, event, &Caller::of_process()) {
                // Who does not listen misses it.
                let _ = writeln!(io::stderr(), "{line}");
            }
        }
    }

    /// What was found or done; `drive` is one of those begun, or `None`.
    pub fn found(&self, drive: Option<&DriveName>, request: &Request, finding: Finding) {
        let mut outcome = self.outcome();
        self.tell(drive, &Event::Found(&finding));
        self.text_of(drive, (self.renderings.finding)(&finding, request));
        outcome.findings(drive).push(finding);
    }

    /// Something to know that is no result.
    pub fn note(&self, text: &str) {
        self.tell(None, &Event::Note(text));
        if !self.manner.events && !self.manner.quiet {
            eprintln_quietly(text);
        }
    }

    /// What is wrong with the log: no more than a warning.
    pub fn warn_of_log(&self, text: &str) {
        self.warn(None, &Event::Note(text), text.into());
    }

    /// What happens and people must know, too.
    pub fn warn(&self, drive: Option<&DriveName>, event: &Event, text: Text) {
        self.tell(drive, event);
        if !self.manner.events {
            eprintln_quietly(text);
        }
    }

    /// One of several files is good for nothing.
    pub fn bad_file(&self, file: &Path, failure: Failure) {
        self.warn(None, &Event::Note(&failure.what), failure.text());
        self.outcome().bad_files.push((file.to_owned(), failure));
    }

    /// A drive is turned to.
    pub fn begin(&self, drive: &DriveName) {
        self.outcome().begin(drive);
        self.tell(Some(drive), &Event::Opening);
    }

    /// What the phases of a drive's job took, and the banks that it read.
    pub fn spent(&self, drive: &DriveName, (phases, read): (Vec<Spent>, BTreeMap<Bank, Checksum>)) {
        if let Some(drive) = self.outcome().drive(drive) {
            drive.phases.extend(phases);
            for (bank, sum) in read {
                drive.before.entry(bank).or_insert(sum);
            }
        }
    }

    /// What reading this drive has taken so far.
    pub fn read_so_far(&self, drive: &DriveName) -> Vec<Spent> {
        let mut outcome = self.outcome();
        let phases = outcome.drive(drive).map(|drive| drive.phases.clone());
        let mut phases = phases.unwrap_or_default();
        phases.retain(|spent| spent.phase == Phase::Read);
        phases
    }

    /// What was found and done with the drives so far.
    pub fn each_of_drives(&self, hear: impl FnMut(&Finding)) {
        let outcome = self.outcome();
        let findings = outcome.drives.iter().flat_map(|drive| &drive.findings);
        findings.for_each(hear);
    }

    /// One of several drives is done with; the others go on.
    pub fn ended(&self, name: &DriveName, failure: Option<&Failure>) {
        let mut outcome = self.outcome();
        if let Some(drive) = outcome.drive(name) {
            drive.end(failure);
        }
        self.tell(Some(name), &Event::Ended(failure));
        // At a terminal all of it follows, and no stream is kept apart from the other.
        let is_told_below = self.is_held(name) && self.is_at_terminal();
        if let Some(failure) = failure.filter(|_| !is_told_below) {
            self.text_of(Some(name), failure.what.as_str().into());
        }
    }

    /// From now on what is shown of these drives is kept, so that it can be shown
    /// drive by drive while all are at work.
    pub fn hold(&self, drives: &[DriveName]) {
        let mut outcome = self.outcome();
        let mut held = locked(&self.held);
        for drive in drives {
            outcome.begin(drive);
            held.push((drive.clone(), Text::default()));
        }
    }

    fn is_held(&self, drive: &DriveName) -> bool {
        locked(&self.held).iter().any(|(name, _)| name == drive)
    }

    /// Whether results and failures are on one screen.
    pub fn is_at_terminal(&self) -> bool {
        !self.manner.json
            && !self.manner.events
            && io::stdout().is_terminal()
            && io::stderr().is_terminal()
    }

    /// Shows what was kept of a drive; whether there was anything.
    pub fn show_held(&self, drive: &DriveName) -> bool {
        let mut held = locked(&self.held);
        let of_drive = held.iter_mut().find(|(name, _)| name == drive);
        let text = of_drive.map(|(_, text)| text.finish()).unwrap_or_default();
        drop(held);
        if text.is_empty() {
            return false;
        }
        let mut headed = Text::default();
        headed.words("").words(&format!("Drive {drive}"));
        headed.append(text);
        self.text(&headed);
        true
    }

    /// What was found of a drive so far is found anew from here on.
    pub fn forget(&self, drive: &DriveName) {
        if let Some(drive) = self.outcome().drive(drive) {
            drive.look_again();
        }
    }

    /// Says why one of several drives failed.
    pub fn explain(&self, text: Text) {
        self.log
            .note(&text.render(&Caller::of_process(), Look::PLAIN));
        if !self.manner.events {
            eprintln_quietly(text);
        }
    }

    /// What a question is about, where it has not been shown for want of people.
    pub fn show_before_question(&self, drive: &DriveName, request: &Request) {
        if !self.is_unshown() {
            return;
        }
        if let Some(of_drive) = self.outcome().drive(drive) {
            for finding in &of_drive.findings {
                eprintln_quietly((self.renderings.finding)(finding, request));
            }
        }
    }

    /// The end of a run: says what failed, writes the object that is wanted, and
    /// gives the failure that the run ends with. One that went well and could not
    /// be reported ends with that.
    pub fn end(&self, failure: Option<Failure>) -> Option<Failure> {
        let mut outcome = self.outcome();
        if let Some(failure) = &failure {
            outcome.fail(failure.clone());
        }
        for drive in outcome.drives.iter().filter(|drive| !drive.has_ended) {
            let failure = drive.failure.as_ref();
            self.tell(Some(&drive.name), &Event::Ended(failure));
        }
        outcome.log = self.log.path().map(ToOwned::to_owned);
        let object = || {
            format!(
                "{:#}\n",
                (self.renderings.object)(&outcome, &Caller::of_process())
            )
        };
        if self.manner.json {
            self.write(&object());
        }
        if let Some(file) = beside_the_text() {
            let _ = std::fs::write(file, object());
        }
        let failure = failure.or_else(|| {
            let error = self.check().err()?;
            let request = outcome.request.as_ref()?;
            Some(Failure::unreported(&error, request))
        });
        self.tell(None, &Event::Over(failure.as_ref()));
        failure
    }

    /// Whether results are shown to nobody while they come.
    fn is_unshown(&self) -> bool {
        self.manner.json && (self.manner.events || self.manner.quiet)
    }

    fn text_of(&self, drive: Option<&DriveName>, text: Text) {
        let mut held = locked(&self.held);
        let of_drive = held.iter_mut().find(|(name, _)| Some(name) == drive);
        if let Some((_, kept)) = of_drive {
            kept.append(text);
            return;
        }
        drop(held);
        self.text(&text);
    }

    /// Shows a line or more, of several drives or of one that is not held.
    pub fn text(&self, text: &Text) {
        self.log
            .note(&text.render(&Caller::of_process(), Look::PLAIN));
        match self.manner.json {
            true if self.is_unshown() => {}
            true => eprintln_quietly(text),
            false => self.write(&wrap::for_output(text, io::stdout())),
        }
    }

    fn write(&self, text: &str) {
        if self.failure.get().is_some() {
            return;
        }
        let mut stdout = io::stdout().lock();
        let result = stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush());
        if let Err(error) = result {
            // The first error is the one that tells.
            let _ = self.failure.set(error);
        }
    }

    /// # Errors
    /// The first thing that went wrong with standard output.
    pub fn check(&self) -> Result<(), String> {
        match self.failure.get() {
            Some(error) => Err(error.to_string()),
            None => Ok(()),
        }
    }
}

/// Where tests want the object of a run that is told in words, to compare the two.
fn beside_the_text() -> Option<OsString> {
    std::env::var_os("MTKFLASH_TEST_OBJECT").filter(|_| cfg!(debug_assertions))
}
