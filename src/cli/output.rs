//! Where results go: as text to people while they come, as JSON to programs at
//! the end.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::args::{DriveName, Request};
use super::caller::Caller;
use super::failure::Failure;
use super::json;
use super::outcome::{Finding, Outcome, Spent};
use super::progress::eprintln_quietly;
use super::report;
use super::text::Text;
use super::wrap;

/// Shows results and keeps them. A closed pipe is not lost on the caller: before
/// a change it ends the job, after it the job matters more than who is listening.
#[derive(Debug, Default)]
pub struct Output {
    /// Standard output gets one JSON object and nothing else.
    is_json: bool,
    failure: OnceLock<io::Error>,
    outcome: Mutex<Outcome>,
}

impl Output {
    pub fn new(is_json: bool, outcome: Outcome) -> Output {
        Output {
            is_json,
            failure: OnceLock::new(),
            outcome: Mutex::new(outcome),
        }
    }

    fn outcome(&self) -> MutexGuard<'_, Outcome> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was found or done; `drive` is one of those begun, or `None`.
    pub fn found(&self, drive: Option<&DriveName>, request: &Request, finding: Finding) {
        let text = report::finding(&finding, drive, request);
        let mut outcome = self.outcome();
        outcome.findings(drive).push(finding);
        self.text(&text);
    }

    /// A drive is turned to.
    pub fn begin(&self, drive: &DriveName) {
        self.outcome().begin(drive);
    }

    /// What the phases of a drive's job took.
    pub fn spent(&self, drive: &DriveName, phases: Vec<Spent>) {
        if let Some(drive) = self.outcome().drive(drive) {
            drive.phases.extend(phases);
        }
    }

    /// One of several drives failed; the others go on.
    pub fn failed(&self, drive: &DriveName, failure: &Failure) {
        let mut outcome = self.outcome();
        if let Some(drive) = outcome.drive(drive) {
            drive.failure = Some(failure.clone());
        }
        self.text(&format!("{}\n", failure.what).into());
    }

    /// Writes the object that a run ends with, where one is wanted.
    pub fn end(&self, failure: Option<&Failure>) {
        let mut outcome = self.outcome();
        if let Some(failure) = failure {
            outcome.fail(failure.clone());
        }
        if self.is_json {
            let object = json::object(&outcome, &Caller::of_process());
            self.write(&format!("{object:#}\n"));
        }
    }

    fn text(&self, text: &Text) {
        match self.is_json {
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
