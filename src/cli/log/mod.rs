//! The log of a run: what was asked for, what the drive was told and answered,
//! and what was said of it.
//!
//! One file that every run adds to, line by line as things happen, so that a run
//! that is killed leaves what it did. Each line begins with the number of its
//! process, since two runs may be at it at once; a line about a drive goes on
//! with the time by that drive's clock, in seconds, and what the user calls it.
//! Commands that repeat are counted ([`fold`]), and no firmware is in it beyond
//! checksums.

mod fold;
mod words;

use std::collections::VecDeque;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

use super::args::{DriveName, Request};
use super::caller::{self, Caller};
use super::event::{Event, EventLine};
use super::exit::Exit;
use super::locked;
use super::visible::visible;
use crate::files::{self, Appended, FileError, Habits, Links};
use crate::job;
use crate::job::record::Date;
use crate::session::Machine;
use crate::transport::Watch;
use crate::transport::watched::{Exchange, Time};
use fold::Fold;

/// The file in the folder of the machine's logs.
pub const NAME: &str = "mtkflash.log";

/// The first line of each file.
const MAGIC: &str = "# log of mtkflash";
const ABOUT: &str = ": what was asked for, and every command to the drives.\n";

/// Bytes from which on a log gets another name, and the one before it goes.
const ROTATED_FROM: u64 = 2 << 20;

/// Bytes that a run writes as they come …
const OF_A_RUN: usize = 2 << 20;
/// … and how many of its last ones are added at its end where it had more to say.
const OF_THE_END: usize = 128 << 10;

/// Which file to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where<'a> {
    /// This folder of the program's own.
    Folder(&'a Path),
    /// This file, as its user named it.
    File(&'a Path),
}

/// What is known of a run when it begins.
#[derive(Debug, Clone)]
pub struct Beginning {
    /// In UTC.
    pub date: Date,
    pub kernel: String,
    /// The command as a line for a shell.
    pub typed: String,
    pub folder: PathBuf,
    /// The number of the process.
    pub process: u32,
}

/// The log of a run, or none: but for one that was named, none is begun before there is
/// a machine. Clones are the same log.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<OnceLock<Arc<Book>>>);

#[derive(Debug)]
struct Book {
    path: PathBuf,
    process: u32,
    pages: Mutex<Pages>,
    drives: Mutex<Vec<Arc<DriveLog>>>,
}

#[derive(Debug)]
struct Pages {
    file: Appended,
    left: usize,
    /// What is not in the file yet.
    end: VecDeque<String>,
    length_of_end: usize,
    left_out: u64,
    trouble: Option<std::io::Error>,
}

impl Log {
    /// # Errors
    /// As [`Appended::open`].
    pub fn begin(&self, place: Where<'_>, beginning: &Beginning) -> Result<(), FileError> {
        let (path, rotated_from) = match place {
            Where::Folder(folder) => (folder.join(NAME), Some(ROTATED_FROM)),
            Where::File(path) => (path.to_owned(), None),
        };
        let habits = Habits {
            magic: MAGIC,
            rotated_from,
        };
        let mut file = Appended::open(&path, matches!(place, Where::Folder(_)), habits)?;
        let titled = match file.is_empty() {
            Ok(true) => file.add(&format!("{MAGIC}{ABOUT}")),
            Ok(false) => Ok(()),
            Err(error) => Err(error),
        };
        titled.map_err(|source| FileError::Io {
            path: path.clone(),
            source,
        })?;
        let book = Book {
            path,
            process: beginning.process,
            pages: Mutex::new(Pages {
                file,
                left: OF_A_RUN,
                end: VecDeque::new(),
                length_of_end: 0,
                left_out: 0,
                trouble: None,
            }),
            drives: Mutex::default(),
        };
        // A run begins one log.
        let _ = self.0.set(Arc::new(book));
        self.note(&format!(
            "{}: mtkflash {}, {}",
            beginning.date,
            env!("CARGO_PKG_VERSION"),
            beginning.kernel
        ));
        self.note(&format!(
            "in {}: {}",
            visible(&beginning.folder.to_string_lossy()),
            beginning.typed
        ));
        Ok(())
    }

    /// The file, as the user or the machine calls it.
    pub fn path(&self) -> Option<&Path> {
        self.0.get().map(|book| book.path.as_path())
    }

    /// Lines about the run.
    pub fn note(&self, text: &str) {
        if let Some(book) = self.0.get() {
            book.flush_drives();
            book.write("", text);
        }
    }

    /// The log of one drive, from now on if it is new.
    pub fn of_drive(&self, drive: &DriveName) -> Option<Arc<DriveLog>> {
        let book = self.0.get()?;
        let mut drives = locked(&book.drives);
        let known = drives.iter().find(|known| known.drive == *drive);
        let known = known.map(Arc::clone);
        Some(known.unwrap_or_else(|| {
            let new = Arc::new(DriveLog {
                book: Arc::downgrade(book),
                name: drive.to_string(),
                drive: drive.clone(),
                fold: Mutex::default(),
            });
            drives.push(Arc::clone(&new));
            new
        }))
    }

    /// What happens in between: what was found is noted in words, and where a job
    /// is in the middle of a bank is nothing to keep.
    pub fn event(&self, drive: Option<&DriveName>, event: &Event, line: EventLine) {
        let is_noted = match event {
            Event::Found(_) | Event::Over(_) => false,
            Event::Job(event) => !matches!(event, job::Event::Progress { .. }),
            _ => true,
        };
        if self.path().is_none() || !is_noted {
            return;
        }
        let Some(line) = line(drive, event, &Caller::of_process()) else {
            return;
        };
        let line = line.to_string();
        match drive.and_then(|drive| self.of_drive(drive)) {
            Some(log) => log.note(&line),
            None => self.note(&line),
        }
    }

    /// Waits until all of it so far is on the disk: the computer may be switched
    /// off in what comes next.
    pub fn sync(&self) {
        if let Some(book) = self.0.get() {
            book.flush_drives();
            locked(&book.pages).sync();
        }
    }

    /// The last line. What kept the log from being whole, if anything did.
    pub fn end(&self, exit: Exit) -> Option<String> {
        let book = self.0.get()?;
        book.flush_drives();
        book.write("", &format!("exit {}: {}", exit.code(), exit.text()));
        let mut pages = locked(&book.pages);
        pages.add_end(book.process);
        if exit != Exit::Done {
            pages.sync();
        }
        pages.trouble.as_ref().map(ToString::to_string)
    }
}

/// Begins the log of a request in the file that the user named, if one is: before
/// anything else, since whoever wants it wants to know also why nothing was begun.
///
/// # Errors
/// As [`Log::begin`].
pub fn begin_named(log: &Log, request: &Request) -> Result<(), FileError> {
    match &request.options.log {
        Some(path) => log.begin(Where::File(path), &Beginning::now(request)),
        None => Ok(()),
    }
}

/// Begins the log of a request in the folder of this machine, where its user has not
/// named another place.
///
/// # Errors
/// As [`Log::begin`].
pub fn begin(log: &Log, request: &Request, machine: &dyn Machine) -> Result<(), FileError> {
    let options = &request.options;
    // A run of several steps has one.
    if options.no_log || options.log.is_some() || log.path().is_some() {
        return Ok(());
    }
    let place = machine.folders().log;
    log.begin(Where::Folder(&place), &Beginning::now(request))
}

impl Beginning {
    fn now(request: &Request) -> Beginning {
        let release = files::read_text(Path::new("/proc/sys/kernel/osrelease"), 256, Links::Own);
        Beginning {
            date: Date::of(jiff::Timestamp::now()),
            kernel: format!(
                "Linux {} {}, user {}",
                release.unwrap_or_default().trim(),
                std::env::consts::ARCH,
                nix::unistd::geteuid()
            ),
            typed: caller::spelled("mtkflash".to_owned(), request),
            folder: std::env::current_dir().unwrap_or_default(),
            process: std::process::id(),
        }
    }
}

impl Book {
    fn flush_drives(&self) {
        for drive in locked(&self.drives).iter() {
            drive.flush();
        }
    }

    /// Each line behind the number of the process and `lead`.
    fn write(&self, lead: &str, text: &str) {
        let mut lines = String::with_capacity(text.len() + 64);
        for line in text.lines() {
            let _ = write!(lines, "[{}] {lead}", self.process);
            for letter in line.chars() {
                match letter.is_control() {
                    true => lines.extend(letter.escape_default()),
                    false => lines.push(letter),
                }
            }
            lines.push('\n');
        }
        locked(&self.pages).add(lines);
    }
}

impl Pages {
    fn add(&mut self, lines: String) {
        if let Some(left) = self.left.checked_sub(lines.len()) {
            self.left = left;
            let added = self.file.add(&lines);
            self.note_trouble(added);
            return;
        }
        self.left = 0;
        self.length_of_end += lines.len();
        self.end.push_back(lines);
        while self.length_of_end > OF_THE_END {
            let Some(first) = self.end.pop_front() else {
                break;
            };
            self.length_of_end -= first.len();
            self.left_out += first.lines().count() as u64;
        }
    }

    fn add_end(&mut self, process: u32) {
        if self.left_out > 0 {
            let gap = format!(
                "[{process}] {} lines are left out here: the run had too much to say.\n",
                self.left_out
            );
            self.end.push_front(gap);
        }
        let end: String = self.end.drain(..).collect();
        self.length_of_end = 0;
        let added = self.file.add(&end);
        self.note_trouble(added);
    }

    fn sync(&mut self) {
        let synced = self.file.sync();
        self.note_trouble(synced);
    }

    /// Only the first counts: what comes after it is the same.
    fn note_trouble(&mut self, outcome: std::io::Result<()>) {
        if let (Err(error), None) = (outcome, &self.trouble) {
            self.trouble = Some(error);
        }
    }
}

/// The lines about one drive.
#[derive(Debug)]
pub struct DriveLog {
    book: Weak<Book>,
    drive: DriveName,
    name: String,
    fold: Mutex<Fold>,
}

impl DriveLog {
    /// Lines about the drive, after what it was sent before.
    pub fn note(&self, text: &str) {
        let mut fold = locked(&self.fold);
        fold.flush(&mut |at, line| self.write(at, line));
        self.write(fold.now, text);
    }

    fn flush(&self) {
        locked(&self.fold).flush(&mut |at, line| self.write(at, line));
    }

    fn write(&self, at: Duration, text: &str) {
        let lead = format!("{:>9.3} {}  ", at.as_secs_f64(), self.name);
        if let Some(book) = self.book.upgrade() {
            book.write(&lead, text);
        }
    }
}

impl Watch for DriveLog {
    fn saw(&self, exchange: &Exchange<'_>, time: Time) {
        locked(&self.fold).saw(exchange, time, &mut |at, line| self.write(at, line));
    }
}

#[cfg(test)]
mod tests;
