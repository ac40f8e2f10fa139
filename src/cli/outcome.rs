//! What a run found and did, as data. [Text](super::report) and
//! [JSON](super::json) are two renderings of it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::mem::discriminant;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::advice::Advice;
use super::args::{Artifact, DriveName, Request, Topic};
use super::exit::Exit;
use super::failure::Failure;
use super::next::Blank;
use crate::flash::{Bank, FlashRange, Offset};
use crate::image::sums::Sha256;
use crate::image::{Checksum, Differences, Finding as Damage, Format, LoadError, Report};
use crate::job::change::Changed;
use crate::job::change::{Proposal, Work};
use crate::job::interrupted::Notice;
use crate::job::listed::Fits;
use crate::job::record::Record;
use crate::job::verify::Compared;
use crate::job::{Event, Phase, estimate};
use crate::protocol::{Capabilities, DeviceInfo, Reading, Unreadable, Unwritable, Writing};
use crate::session::{Label, Listing, Session};

/// All of a run.
#[derive(Debug, Default)]
pub struct Outcome {
    /// As typed, without the name of the program.
    pub arguments: Vec<OsString>,
    /// `None` where the arguments ask for nothing that is understood.
    pub request: Option<Request>,
    /// The file of the log.
    pub log: Option<PathBuf>,
    /// What is about no drive in particular.
    pub findings: Vec<Finding>,
    pub drives: Vec<OfDrive>,
    /// Files of several that no drive should get, or that could not be read.
    pub bad_files: Vec<(PathBuf, Failure)>,
    /// A failure of no drive in particular.
    pub failure: Option<Failure>,
}

/// What was found and done with one drive.
#[derive(Debug)]
pub struct OfDrive {
    pub name: DriveName,
    pub findings: Vec<Finding>,
    /// Of the look before the answer; what is found anew takes its place.
    found_before: Vec<Finding>,
    pub phases: Vec<Spent>,
    /// Banks as they were first read.
    pub before: BTreeMap<Bank, Checksum>,
    pub failure: Option<Failure>,
    /// Its end is told already.
    pub has_ended: bool,
}

/// A stretch of a job, and what it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    pub phase: Phase,
    /// Bytes that were moved.
    pub bytes: u64,
    /// By the drive's clock.
    pub time: Duration,
    /// Whether it came to its end.
    pub is_whole: bool,
}

/// One thing that was found or done, in the order in which it was.
#[derive(Debug)]
pub enum Finding {
    Help(Topic),
    Version,
    Generated(Artifact),
    Listing(Listing),
    Image {
        path: PathBuf,
        report: Box<Report>,
    },
    /// The image that a flash is compared with.
    Against {
        path: PathBuf,
        report: Box<Report>,
    },
    Examined(Box<Examined>),
    /// A file that was examined and holds no image.
    NoImage {
        path: PathBuf,
        error: Box<LoadError>,
    },
    /// Of the two images that were examined.
    Differences {
        /// The file of the longer one.
        longer: PathBuf,
        differences: Differences,
    },
    /// An image was written down another way, and read back.
    Converted {
        files: Vec<PathBuf>,
        bytes: u32,
    },
    Drive(Box<Drive>),
    /// Writes of a flash like this one that were begun and not finished, a
    /// sentence for each.
    Unfinished(Vec<Notice>),
    /// The one of them that can be gone on with, as it was asked for.
    Begun(Box<Request>),
    Dumped(Box<Dumped>),
    Proposed(Proposed),
    /// What a flash holds that was compared, or need not be changed.
    Compared(Compared),
    Verdict(Verdict),
    Changed {
        changed: Box<Changed>,
        /// All of the flash was erased at once.
        whole_chip: bool,
        to_go_back: ToGoBack,
    },
    Next(Advice),
}

/// What there is of the content before a change, after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToGoBack {
    In(PathBuf),
    /// As much of it as the drive lets be read.
    InPart(PathBuf),
    /// The file that held it when the change was begun is no longer what it was.
    Gone(PathBuf),
    Nothing,
}

/// An image file that was looked at for its own sake.
#[derive(Debug)]
pub struct Examined {
    pub path: PathBuf,
    pub report: Report,
    pub sha256: Sha256,
    /// The lists that have drives which it fits.
    pub fits: Vec<Fits>,
    /// What a drive refused to have read when it was made, by the record beside it.
    pub gaps: Vec<FlashRange>,
    /// What it holds of a flash, by that record; nothing where it holds all.
    pub part: Vec<FlashRange>,
    /// It is one of several, and shown in short.
    pub beside_others: bool,
    /// By its record it is perhaps of two firmwares.
    pub is_mixed: bool,
}

/// How a job ended that changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Equal,
    /// The same, and a write that was begun and not finished is over with that.
    EqualAndOver,
    /// Equal but for what was not compared.
    EqualAsFar,
    /// Equal to what the drive gives, which nobody is known to have seen to be its flash.
    EqualUnconfirmed,
    /// The flash holds the image already.
    HeldAlready,
    /// The drive says that it has the image's revision; its flash was not read.
    SaidAlready,
    BlankAlready(Blank),
    DryRun,
}

/// A drive and its flash.
#[derive(Debug)]
pub struct Drive {
    pub label: Label,
    pub info: DeviceInfo,
    /// Bytes.
    pub size: u32,
    pub is_readable: bool,
    /// It did not answer INQUIRY, and was known by another way.
    pub is_silent: bool,
    /// Why it cannot be written.
    pub read_only: Option<Unwritable>,
}

/// A dump that is in files now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dumped {
    pub files: Vec<PathBuf>,
    /// The file beside them with the record.
    pub beside: PathBuf,
    pub format: Format,
    pub record: Record,
    /// Its boot code gave it: no firmware runs.
    pub by_boot_code: bool,
    /// How large the flash is was its user's word.
    pub is_of_named_size: bool,
    /// Where the drive has shown something else than what is in its flash.
    pub remapped: Option<FlashRange>,
    /// What shows that the flash is damaged.
    pub damage: Option<Damage>,
}

/// What a change would do.
#[derive(Debug)]
pub struct Proposed {
    pub proposal: Arc<Proposal>,
    /// What an unfinished write was to keep, and this one writes over.
    pub given_up: Vec<FlashRange>,
    /// Why it cannot be read back afterwards.
    pub unreadable: Option<Unreadable>,
    /// None where there is nothing to do.
    pub time: Option<Takes>,
}

/// How long a change takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Takes {
    /// What it has taken before the question.
    pub spent: Duration,
    /// What is to come as far as that can be told by the pace of reading; `None`
    /// where nothing was read.
    pub to_come: Option<Duration>,
    /// The drive programs by itself, and takes its own time for that.
    pub drive_programs: bool,
}

impl Takes {
    /// `read` is what reading for it has taken, `per_byte` the pace of the first
    /// commands.
    pub fn of(proposal: &Proposal, read: &[Spent], per_byte: Option<Duration>) -> Option<Takes> {
        let bytes: u64 = read.iter().map(|spent| spent.bytes).sum();
        let spent: Duration = read.iter().map(|spent| spent.time).sum();
        let measured = spent.as_nanos().checked_div(bytes.into());
        let measured = measured.and_then(|pace| u64::try_from(pace).ok());
        let per_byte = measured.map(Duration::from_nanos).or(per_byte);
        (!proposal.is_empty()).then(|| Takes {
            spent,
            to_come: per_byte.map(|per_byte| estimate::to_come(proposal, per_byte)),
            drive_programs: matches!(proposal.work, Work::Download(_)),
        })
    }
}

impl Outcome {
    pub fn exit(&self) -> Exit {
        let of_drives = self
            .drives
            .iter()
            .filter_map(|drive| drive.failure.as_ref());
        let failures = self.failure.iter().chain(of_drives);
        failures
            .map(|failure| failure.exit)
            .max_by_key(|exit| exit.severity())
            .unwrap_or(Exit::Done)
    }

    /// What concerns a drive, or all of them.
    pub fn findings(&mut self, drive: Option<&DriveName>) -> &mut Vec<Finding> {
        match drive.and_then(|name| self.drives.iter().position(|of| of.name == *name)) {
            Some(at) => &mut self.drives[at].findings,
            None => &mut self.findings,
        }
    }

    pub fn drive(&mut self, name: &DriveName) -> Option<&mut OfDrive> {
        self.drives.iter_mut().find(|of| of.name == *name)
    }

    pub fn begin(&mut self, name: &DriveName) {
        if self.drive(name).is_none() {
            self.drives.push(OfDrive {
                name: name.clone(),
                findings: Vec::new(),
                found_before: Vec::new(),
                phases: Vec::new(),
                before: BTreeMap::new(),
                failure: None,
                has_ended: false,
            });
        }
    }

    /// Notes what went wrong: with the only drive there was, where it is no
    /// other's failure already.
    pub fn fail(&mut self, failure: Failure) {
        match self.drives.as_mut_slice() {
            drives
                if drives
                    .iter()
                    .any(|of| of.failure.as_ref() == Some(&failure)) => {}
            [drive] if drive.failure.is_none() => drive.failure = Some(failure),
            _ => self.failure = Some(failure),
        }
    }
}

impl OfDrive {
    /// What was found so far is found anew from here on.
    pub fn look_again(&mut self) {
        self.found_before = std::mem::take(&mut self.findings);
        self.phases.clear();
    }

    /// Keeps of the look before what was not found anew: it was told.
    pub fn end(&mut self, failure: Option<&Failure>) {
        let mut before = std::mem::take(&mut self.found_before);
        before.retain(|old| {
            let mut anew = self.findings.iter();
            !anew.any(|new| discriminant(new) == discriminant(old))
        });
        self.findings.splice(0..0, before);
        self.failure = failure.cloned();
        self.has_ended = true;
    }
}

impl Drive {
    pub fn of(session: &Session) -> Drive {
        let Capabilities {
            size,
            reading,
            writing,
            ..
        } = session.device.capabilities();
        Drive {
            label: session.label.clone(),
            info: session.device.info().clone(),
            size: *size,
            is_readable: matches!(reading, Reading::Blocks(_)),
            is_silent: session.is_silent,
            read_only: match writing {
                Writing::Impossible(why) => Some(*why),
                Writing::InPlace(_) | Writing::Download(_) => None,
            },
        }
    }
}

impl Dumped {
    /// Bytes that were read.
    pub fn bytes(&self) -> u32 {
        self.record.covered().iter().map(|range| range.len()).sum()
    }

    /// The sums of what was read of each bank.
    pub fn banks(&self) -> Vec<(Bank, Checksum)> {
        let covered = self.record.covered().into_iter();
        let banks = covered.map(|range| Offset(range.start()).bank());
        banks.zip(self.record.bank_sums.iter().copied()).collect()
    }
}

/// Takes the time of a job's phases.
#[derive(Debug, Default)]
pub struct Stopwatch {
    done: Vec<Spent>,
    read: BTreeMap<Bank, Checksum>,
    running: Option<(Phase, Duration, u64)>,
}

impl Stopwatch {
    /// What happens in a job at this time.
    pub fn hear(&mut self, event: &Event, now: Duration) {
        match event {
            Event::Started { phase, .. } => self.running = Some((*phase, now, 0)),
            Event::Progress { bytes, .. } => {
                if let Some((_, _, moved)) = &mut self.running {
                    *moved += bytes;
                }
            }
            Event::BankDone {
                phase: Phase::Read,
                bank,
                sum: Some(sum),
            } => {
                self.read.insert(*bank, *sum);
            }
            Event::Finished { .. } => self.stop(now, true),
            _ => {}
        }
    }

    /// All phases of a job that has ended at this time, and the banks that it read.
    pub fn ended(mut self, now: Duration) -> (Vec<Spent>, BTreeMap<Bank, Checksum>) {
        self.stop(now, false);
        (self.done, self.read)
    }

    fn stop(&mut self, now: Duration, is_whole: bool) {
        if let Some((phase, start, bytes)) = self.running.take() {
            self.done.push(Spent {
                phase,
                bytes,
                time: now.saturating_sub(start),
                is_whole,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_of_a_drive_before_the_answer_stays_unless_it_is_found_anew() {
        let name = DriveName::Index(3);
        let mut outcome = Outcome::default();
        outcome.begin(&name);
        let drive = outcome.drive(&name).unwrap();
        drive.findings = vec![Finding::Version, Finding::Help(Topic::Overview)];
        drive.look_again();
        assert!(drive.findings.is_empty());
        drive.findings.push(Finding::Help(Topic::Overview));
        drive.end(None);
        assert!(
            matches!(
                drive.findings[..],
                [Finding::Version, Finding::Help(Topic::Overview)]
            ),
            "{:?}",
            drive.findings
        );
    }
}
