//! What the commands have in common: a drive that is opened, worked with and
//! given back.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::in_use::refuse_unasked;
use super::several::meeting::{Among, Answer, Demand, Seat};
use crate::cli::args::{Command, DriveName, Options, Request};
use crate::cli::event::{Event, Pace};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::going_on::Left;
use crate::cli::log;
use crate::cli::next::Blank;
use crate::cli::outcome::{Drive, Finding, Stopwatch};
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::user::{self, AtTerminal, Unwanted};
use crate::cli::words;
use crate::flash::ranges::bytes_of;
use crate::image::Crc32;
use crate::job::backup::Circumstances;
use crate::job::change::Content;
use crate::job::journal::{Journal, left_programming};
use crate::job::record::Date;
use crate::job::{Asked, Job, JobError, Selection, StopFlag, estimate, interrupted, read};
use crate::protocol::{Capabilities, DeviceInfo, FirmwareDevice, Protocol};
use crate::session::{self, LeftProgramming, Machine, OpenError, Session, Wish};

/// What a run is about, and what all of its drives share.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub request: &'a Request,
    pub output: &'a Output,
    pub stop: &'a StopFlag,
    /// Where it is open already.
    pub machine: Option<&'a dyn Machine>,
    pub asking: Asking<'a>,
    /// What the drive is among several.
    pub among: Option<Among<'a>>,
    /// All that is in its flash, where it was read by a protocol that only reads.
    pub read_before: Option<&'a [u8]>,
    /// What is said of a drive of another kind in the place of how it is entered.
    pub unwanted: Option<Unwanted<'a>>,
}

/// Who is asked before a flash is changed.
#[derive(Clone, Copy)]
pub enum Asking<'a> {
    User,
    /// All drives of the run wait for one answer.
    Together(&'a Seat),
    /// That answer is there, to what this drive demanded.
    Answered(&'a Answer, &'a Demand),
    /// Nobody: it is noted what there is to ask.
    Nobody(&'a OnceLock<Demand>),
}

/// A drive of a run, open. Nothing in it is another drive's: several can be at
/// work on threads of their own.
pub struct Run<'a> {
    pub name: &'a DriveName,
    pub request: &'a Request,
    pub output: &'a Output,
    pub stop: &'a StopFlag,
    pub machine: &'a dyn Machine,
    pub asking: Asking<'a>,
    pub among: Option<Among<'a>>,
    pub session: Session,
    pub progress: Progress,
}

impl<'a> Context<'a> {
    /// Shows what was found before a drive is open, and keeps it.
    pub fn found(self, finding: Finding) {
        let drive = self.among.map(|among| among.drive);
        self.output.found(drive, self.request, finding);
    }

    /// Opens the drive that the request names, shows it, does the job and gives
    /// the drive back, also where the job fails.
    pub fn with_drive<T>(
        self,
        job: impl FnOnce(&mut Run) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let request = self.request;
        let opened;
        let machine = match self.machine {
            Some(machine) => machine,
            None => {
                opened = self.machine()?;
                opened.as_ref()
            }
        };
        if self.among.is_none() && request.command != Command::Check {
            refuse_unasked(request, machine)?;
        }
        let mut run = self.open(machine)?;
        // On the ports a drive has another name than its path: that goes to
        // whatever drive the kernel finds next.
        let renamed = request.of(run.session.label.called.clone());
        run.request = &renamed;
        run.found(Finding::Drive(Box::new(Drive::of(&run.session))));
        let result = match self.stop.is_requested() {
            true => Err(Failure::job(&JobError::Stopped, request)),
            false => job(&mut run),
        };
        let is_advised = match &result {
            Ok(_) => request.erasing().is_some(),
            Err(failure) => [Exit::FailedPartly, Exit::Different].contains(&failure.exit),
        };
        run.leave(is_advised);
        result
    }

    /// The machine that the request is about, whose log is begun.
    pub fn machine(self) -> Result<Box<dyn Machine>, Failure> {
        let machine = user::machine(self.request)?;
        let begun = log::begin(&self.output.log, self.request, machine.as_ref());
        if let Err(error) = begun {
            self.output.warn_of_log(&words::files::no_log(&error));
        }
        Ok(machine)
    }

    /// Brings the drive of a request to where its firmware can be reached.
    pub fn open(self, machine: &'a dyn Machine) -> Result<Run<'a>, Failure> {
        let Context {
            request,
            output,
            stop,
            asking,
            among,
            read_before,
            unwanted,
            ..
        } = self;
        let [drive] = request.drives.as_slice() else {
            return Err(Exit::Internal.because("This is done for one drive at a time."));
        };
        let mut wish = Wish {
            left_programming: left_programming(&user::journal(machine))
                .into_iter()
                .map(|(place, identity)| LeftProgramming { place, identity })
                .collect(),
            ..user::wish(request)?
        };
        if request.changes() && wish.protocol == Some(Protocol::LiteonRead) {
            wish.protocol = Some(Protocol::VendorMode);
        }
        output.begin(drive);
        let bars = among.map(|among| (among.name.to_owned(), among.bars.clone()));
        let mut progress = Progress::new(output.manner, request, bars);
        let mut user = AtTerminal {
            drive,
            output,
            progress: &mut progress,
            stop,
            request,
            unwanted,
        };
        let session = session::open(machine, drive, &wish, &mut user).map_err(|error| {
            let identity = match &error {
                OpenError::NotEntered(failed) => failed.identity.as_ref(),
                _ => None,
            };
            let unwanted = unwanted.and_then(|why| why(identity?));
            unwanted.unwrap_or_else(|| words::session::failure(error, request))
        })?;
        let session = match read_before {
            Some(flash) => session
                .read_before(flash.to_vec(), Protocol::LiteonRead)
                .map_err(|error| words::session::on_the_device(error, request))?,
            None => session,
        };
        Ok(Run {
            name: drive,
            request,
            output,
            stop,
            machine,
            asking,
            among,
            session,
            progress,
        })
    }
}

impl Run<'_> {
    /// Shows what was found or done, and keeps it.
    pub fn found(&self, finding: Finding) {
        self.output.found(Some(self.name), self.request, finding);
    }

    /// Gives the drive back; its user may be advised on it already.
    pub fn leave(self, is_advised: bool) {
        let Run {
            session,
            mut progress,
            request,
            output,
            name,
            ..
        } = self;
        for problem in session.leave() {
            output.tell(Some(name), &Event::NotLeft(&problem));
            progress.line(words::session::not_left(&problem, is_advised, request));
        }
        output.tell(Some(name), &Event::Left);
    }

    pub fn device(&self) -> &dyn FirmwareDevice {
        self.session.device.as_ref()
    }

    pub fn info(&self) -> &DeviceInfo {
        self.device().info()
    }

    pub fn capabilities(&self) -> &Capabilities {
        self.device().capabilities()
    }

    /// Where this machine keeps note of unfinished changes.
    pub fn journal(&self) -> Journal {
        Journal {
            place: Some(self.session.place.clone()),
            asked: Asked {
                words: self.request.from_anywhere().words(),
                image: None,
            },
            ..user::journal(self.machine)
        }
    }

    /// Those of a change, of which the journal keeps the sum of the image.
    pub fn circumstances_of(&self, content: &Content) -> Circumstances {
        let mut circumstances = self.circumstances();
        if let Content::Image { image, .. } = content {
            circumstances.journal.asked.image = Some(Crc32::of(image.bytes()));
        }
        circumstances
    }

    pub fn circumstances(&self) -> Circumstances {
        Circumstances {
            date: Date::of(jiff::Timestamp::now()),
            tool: format!("mtkflash {}", env!("CARGO_PKG_VERSION")),
            journal: self.journal(),
        }
    }

    /// A job that changes nothing.
    pub fn job<T>(
        &mut self,
        work: impl FnOnce(&mut Job) -> Result<T, JobError>,
    ) -> Result<T, Failure> {
        let request = self.request;
        self.in_job(work)
            .map_err(|error| Failure::job(&error, request))
    }

    /// The change of this drive that was begun and is not finished.
    pub fn left(&self) -> Option<Left> {
        let size = self.capabilities().size;
        interrupted::left(self.info(), size, &self.journal()).map(Left::from)
    }

    pub fn in_job<T, E>(&mut self, work: impl FnOnce(&mut Job) -> Result<T, E>) -> Result<T, E> {
        let (output, name, progress) = (self.output, self.name, &mut self.progress);
        let clock = Arc::clone(&self.session.clock);
        let mut stopwatch = Stopwatch::default();
        let mut pace = Pace::default();
        let mut sink = |event| {
            stopwatch.hear(&event, clock.now());
            pace.pass(&event, |event| output.tell(Some(name), &Event::Job(event)));
            progress.show(event);
        };
        let mut job = Job::new(self.session.device.as_mut(), &mut sink, self.stop);
        let result = work(&mut job);
        self.progress.clear();
        self.output.spent(self.name, stopwatch.ended(clock.now()));
        result
    }

    /// A drive of which no way to read it is known.
    pub fn refuse_unreadable(&mut self) -> Result<(), Failure> {
        self.job(|job| read::block_size(job).map(drop))
    }

    /// Says how long a job is going to read, its part of the flash so often, and refuses
    /// one that would take hours with what it reads `later`.
    pub fn refuse_slow(&mut self, passes: u64, later: u64) -> Result<(), Failure> {
        let capabilities = self.capabilities();
        let ranges = self.request.selection().ranges(capabilities.size);
        let selected = bytes_of(&ranges.unwrap_or_default());
        let bytes = (passes + later) * selected;
        estimate::refuse_slow(capabilities, bytes, &self.request.options.force).map_err(
            |refusal| {
                let at_ports = self.session.at_ports.as_ref();
                Failure::slow(&refusal, at_ports, self.request)
            },
        )?;
        match estimate::reading_time(capabilities, passes * selected) {
            Some(time) if time > Duration::from_secs(5) => self.progress.remark(format!(
                "Reading takes about {} this way.",
                words::objection::time(time)
            )),
            _ => {}
        }
        Ok(())
    }
}

impl Request {
    /// The part of the flash that it is about.
    pub fn selection(&self) -> Selection {
        let Options { banks, range, .. } = &self.options;
        match (banks, range) {
            (Some(banks), _) => Selection::Banks(banks.clone()),
            (None, Some(range)) if range.is_whole_banks() => {
                Selection::Banks(range.banks().collect())
            }
            (None, Some(range)) => Selection::Range(*range),
            (None, None) => Selection::Everything,
        }
    }

    /// Whether it is about less than all of a flash.
    pub fn is_about_part(&self) -> bool {
        !self.selection().is_everything() || !self.options.keep.is_empty()
    }

    /// What an erase leaves blank; `None` for every other command.
    pub fn erasing(&self) -> Option<Blank> {
        match (&self.command, self.is_about_part()) {
            (Command::Erase, false) => Some(Blank::All),
            (Command::Erase, true) => Some(Blank::Part),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drives_can_be_at_work_on_threads_of_their_own() {
        fn can_go_to_a_thread<T: Send>() {}
        can_go_to_a_thread::<Run>();
        can_go_to_a_thread::<Context>();
    }
}
