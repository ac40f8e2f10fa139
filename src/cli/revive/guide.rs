//! The way from a dead drive to a working one, one step at a time: what was heard
//! goes in, what is to be done next comes out. Nothing here asks, prints or
//! touches a drive, so that every way through it can be walked in a test.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::answer::{Complaint, drive_of, named, switches_of, with_words};
use crate::cli::advice::{Command, Line};
use crate::cli::args::{DriveName, Request, Via};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::words::entry::PREPARATIONS;
use crate::protocol::packet::Family;
use crate::scsi::Identity;

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Look which drives there are, by this request; then [`Guide::saw`].
    Look(Step, Request),
    /// Ask the user; then [`Guide::heard`].
    Ask(Question),
    /// Carry this out; then [`Guide::ended`].
    Run(Step, Request),
    End(End),
}

/// The steps, as the user counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Look,
    Enter,
    Keep,
    Inspect,
    Write,
    LookAgain,
}

impl Step {
    pub const LAST: Step = Step::LookAgain;

    /// Counted from 1.
    pub fn number(self) -> usize {
        1 + self as usize
    }
}

/// One of the [`PREPARATIONS`] of a drive that refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rung(usize);

impl Rung {
    pub const FIRST: Rung = Rung(0);

    pub fn all() -> impl Iterator<Item = Rung> {
        (0..PREPARATIONS.len()).map(Rung)
    }

    fn next(self) -> Option<Rung> {
        Rung::all().nth(self.0 + 1)
    }

    /// Counted from 1.
    pub fn number(self) -> usize {
        self.0 + 1
    }

    pub fn deed(self) -> &'static str {
        PREPARATIONS.get(self.0).map_or("", |way| way.deed)
    }
}

/// What the user is asked. Only the answers that are named do anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// A position or a path.
    WhichDrive { seen: Vec<Seen>, has_ports: bool },
    /// yes or no: whether this silent drive is on an IDE cable.
    OnCable { position: u8 },
    /// Enter once it is prepared, `n` for the next way.
    Prepare(Rung),
    /// Enter for this, another name for it, switches, or `n`.
    Keep { read: Box<Request>, tried: Tried },
    /// `n`: nothing can be kept of a drive that is written only.
    NothingKept {
        /// Vendor mode is reported to read it, and nobody has tried yet.
        may_be_read: bool,
    },
    /// The name of a file.
    WhichFile,
    /// Enter to write it, another file, or switches.
    Write {
        write: Box<Request>,
        tried: Tried,
        /// The flash is not as it should be, by a write before.
        half_written: bool,
    },
    /// Enter once it was off and is on again.
    OffAndOn,
}

/// What has come of the very command that a question offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    Not,
    /// It failed, and after a deed it can end differently.
    MayHelp,
    /// It failed, and would fail again.
    InVain,
    /// It would fail without the size of the flash.
    WithoutSize,
}

/// What a command that went well has met, as far as it decides what comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Met {
    /// How the drive is read is not known, but how it is written.
    pub is_write_only: bool,
    /// It is reported to answer vendor mode as well.
    pub may_be_read: bool,
    /// It does not say who it is, and takes nothing in that state that is known.
    pub is_beyond_help: bool,
    /// How its flash chip is written is not known.
    pub is_read_only: bool,
    /// How big its flash chip is is not known.
    pub is_of_unknown_size: bool,
    /// What was in the flash before a change is in a file.
    pub has_backup: bool,
}

/// Whether a write that ended so has left a flash that is not as it should be.
fn leaves_half_written(exit: Exit) -> bool {
    matches!(exit, Exit::FailedPartly | Exit::Different | Exit::Internal)
}

impl Tried {
    /// What failed so.
    fn of(failure: &Failure) -> Tried {
        match failure.exit {
            _ if failure.next.offers_the_same() => Tried::MayHelp,
            // A drive that was not there, or failed, may do better the next time.
            Exit::NoDrive | Exit::FailedUnchanged => Tried::MayHelp,
            _ => Tried::InVain,
        }
    }
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Written, and this is what it says it is now.
    Back {
        identity: Identity,
        /// What was in it before is in a file.
        has_backup: bool,
    },
    /// Written, but not seen since.
    NotSeenSince { drive: DriveName, by_ports: bool },
    /// A silent drive that no registers lead to.
    NoWay { drive: DriveName },
    /// No way of preparing it helped.
    NotEntered,
    /// No command is known that brings it back.
    BeyondHelp,
    /// Its flash chip can be read and not written. `kept` is the file with what is in
    /// it, `read` the command that makes one.
    ReadOnly {
        kept: Option<PathBuf>,
        read: Box<Request>,
    },
    /// A command failed in a way that the next step cannot mend.
    Failed(Failure),
    /// All of it was written, and the user looks no more at the drive.
    Written,
    /// The user wants no more. `half_written` is the last write, where it has left the
    /// flash other than it should be.
    Stopped { half_written: Option<Failure> },
}

impl End {
    pub fn exit(&self) -> Exit {
        match self {
            End::Back { .. } | End::Written => Exit::Done,
            End::NotSeenSince { .. } | End::NoWay { .. } => Exit::NoDrive,
            End::NotEntered | End::BeyondHelp => Exit::FailedUnchanged,
            End::ReadOnly { .. } => Exit::Refused,
            End::Failed(failure) => failure.exit,
            End::Stopped { half_written } => half_written
                .as_ref()
                .map_or(Exit::Stopped, |write| write.exit),
        }
    }
}

/// A drive that is seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What it is called, the best first.
    pub names: Vec<DriveName>,
    /// What it is called by the ports that lead to it.
    pub at_ports: Option<DriveName>,
    pub identity: Option<Identity>,
}

/// What a look at the machine has shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sight {
    pub drives: Vec<Seen>,
    /// Whether a drive that is not seen may answer at the legacy ports.
    pub has_ports: bool,
}

/// Where on the way a drive is.
pub struct Guide {
    /// As typed; with the drive and the way to it once they are known.
    request: Request,
    task: Task,
    /// How the drive is prepared that is entered.
    prepared: Option<Rung>,
    sight: Sight,
    complaint: Option<Complaint>,
    met: Met,
    /// What is in the flash before anything is changed is in a file.
    has_backup: bool,
    /// The write that a run before has begun in this drive and not finished.
    begun: Option<Box<Request>>,
    /// The last write that has left the flash other than it should be, where none since
    /// has made it right.
    half_written: Option<Failure>,
    /// The question whose answer was the file that is looked at.
    asked: Option<Question>,
    /// Whether there is something of that name already.
    is_taken: fn(&Path) -> bool,
}

/// How long a drive is asked that is to be prepared meanwhile.
const PATIENCE: Duration = Duration::from_secs(200);

impl Guide {
    /// `is_taken` tells whether a file is there already.
    pub fn of(request: &Request, is_taken: fn(&Path) -> bool) -> Guide {
        Guide {
            request: request.clone(),
            task: Task::Look(Step::Look, request.list()),
            prepared: None,
            sight: Sight::default(),
            complaint: None,
            met: Met::default(),
            has_backup: false,
            begun: None,
            half_written: None,
            asked: None,
            is_taken,
        }
    }

    /// What is at hand.
    pub fn task(&self) -> Task {
        self.task.clone()
    }

    /// What the look that was asked for has shown.
    pub fn saw(&mut self, sight: Sight) {
        self.sight = sight;
        match (&self.task, self.request.drives.first().cloned()) {
            (Task::Look(Step::LookAgain, _), Some(drive)) => {
                self.task = Task::End(self.seen_again(drive));
            }
            (_, Some(drive)) => self.choose(drive),
            (_, None) => {
                self.task = Task::Ask(Question::WhichDrive {
                    seen: self.sight.drives.clone(),
                    has_ports: self.sight.has_ports,
                });
            }
        }
    }

    /// The write on the way that has left the flash other than it should be.
    pub fn half_written(&self) -> Option<&Failure> {
        self.half_written.as_ref()
    }

    /// What was wrong with the last answer.
    pub fn complaint(&mut self) -> Option<Complaint> {
        self.complaint.take()
    }

    /// The user's answer; `None` where there will be no more answers.
    pub fn heard(&mut self, answer: Option<&str>) {
        let Some(answer) = answer.map(str::trim) else {
            return self.stop();
        };
        let word = answer.to_ascii_lowercase();
        let is = |words: &[&str]| words.contains(&word.as_str());
        if is(&["q", "quit", "exit"]) {
            return self.stop();
        }
        let is_no = is(&["n", "no"]);
        let is_yes = is(&["y", "yes"]);
        let Task::Ask(question) = self.task.clone() else {
            return;
        };
        match question {
            Question::WhichDrive { .. } => match drive_of(answer) {
                Some(drive) => self.choose(drive),
                None => self.complaint = Some(Complaint::NoDrive),
            },
            Question::OnCable { position } if is_yes => {
                let drive = DriveName::Index(position);
                self.request = self.request.of(drive).by(Via::Port);
                self.enter(None);
            }
            Question::OnCable { position } if is_no => {
                let drive = DriveName::Index(position);
                self.task = Task::End(End::NoWay { drive });
            }
            Question::OnCable { .. } => self.complaint = Some(Complaint::YesOrNo),
            Question::Prepare(rung) if is_no => self.task = climb(rung),
            Question::Prepare(rung) => self.enter(Some(rung)),
            Question::Keep { .. } if is_no => self.task = self.after_keeping(None),
            Question::Keep { read, tried } if is_yes => self.keep_so(*read, tried, ""),
            Question::Keep { read, tried } => self.keep_so(*read, tried, answer),
            // With that a write makes no backup.
            Question::NothingKept { .. } if is_no => {
                self.request = self.request.without_backup();
                self.task = Task::Ask(Question::WhichFile);
            }
            Question::NothingKept { .. } => self.complaint = Some(Complaint::NotN),
            Question::WhichFile if answer.is_empty() => self.complaint = Some(Complaint::NoFile),
            Question::WhichFile => self.inspect(answer),
            Question::Write { .. } if is_no => self.complaint = Some(Complaint::No),
            Question::Write { write, tried, .. } if is_yes => self.write_so(*write, tried, ""),
            Question::Write { write, tried, .. } => self.write_so(*write, tried, answer),
            Question::OffAndOn => {
                self.task = Task::Look(Step::LookAgain, self.request.list());
            }
        }
    }

    /// What a run before has begun in this drive and not finished.
    pub fn has_begun(&mut self, write: Box<Request>) {
        self.begun = Some(write);
    }

    /// How the command ended that was asked for.
    pub fn ended(&mut self, result: Result<Met, &Failure>) {
        let Task::Run(step, request) = self.task.clone() else {
            return;
        };
        let exit = result.map_err(|failure| failure.exit);
        self.task = match (step, self.prepared, exit) {
            (Step::Enter, _, Ok(met)) => {
                self.met = met;
                self.after_entry()
            }
            (Step::Enter, _, Err(Exit::FailedUnchanged)) if self.is_for_packets(result) => {
                self.request = self.request.by_its_name();
                return self.enter(None);
            }
            (Step::Enter, None, Err(Exit::FailedUnchanged)) => {
                Task::Ask(Question::Prepare(Rung::FIRST))
            }
            // Whoever stops the waiting may want to try something else.
            (Step::Enter, Some(rung), Err(Exit::Stopped)) => Task::Ask(Question::Prepare(rung)),
            // A drive that was switched off is not there at times.
            (Step::Enter, Some(rung), Err(Exit::FailedUnchanged | Exit::NoDrive)) => climb(rung),
            (Step::Keep, ..) => self.after_reading(request, result),
            (Step::Inspect, _, Ok(_)) => {
                let write = self.write(&file_of(&request));
                self.ask_to_write(write, Tried::Not)
            }
            // What was at hand before is so still.
            (Step::Inspect, _, Err(_)) => {
                Task::Ask(self.asked.take().unwrap_or(Question::WhichFile))
            }
            (Step::Write, ..) => self.after_write(request, result),
            _ => match result {
                Err(failure) => Task::End(End::Failed(failure.clone())),
                Ok(_) => return,
            },
        };
    }

    /// Whether a drive that was not let into vendor mode said by its name that it is
    /// flashed by packets: what is shown then is a check by its name.
    fn is_for_packets(&self, result: Result<Met, &Failure>) -> bool {
        let lines = result.err().map_or(&[][..], |failure| failure.next.lines());
        let is_by_name = |line: &Line| {
            matches!(line, Line::Type(Command::Flash(asking))
                if *asking.request() == self.request.check().by_its_name())
        };
        self.request.options.via.is_some() && lines.iter().any(is_by_name)
    }

    /// What is in the flash comes first, where it can be had.
    fn after_entry(&self) -> Task {
        if self.met.is_beyond_help {
            return Task::End(End::BeyondHelp);
        }
        Task::Ask(match self.met.is_write_only {
            false => Question::Keep {
                read: Box::new(self.read()),
                tried: match self.met.is_of_unknown_size && self.request.options.size.is_none() {
                    true => Tried::WithoutSize,
                    false => Tried::Not,
                },
            },
            true if self.request.options.no_backup => Question::WhichFile,
            true => Question::NothingKept {
                may_be_read: self.met.may_be_read,
            },
        })
    }

    fn after_reading(&mut self, read: Request, result: Result<Met, &Failure>) -> Task {
        let file = file_of(&read);
        let (read, tried) = match result {
            Ok(_) => {
                self.has_backup = true;
                return self.after_keeping(Some(file));
            }
            // Something is in the way of the file by now, and not of another.
            Err(_) if (self.is_taken)(&file) => (read.with_file(&self.spare()), Tried::MayHelp),
            Err(failure) => (read, Tried::of(failure)),
        };
        Task::Ask(Question::Keep {
            read: Box::new(read),
            tried,
        })
    }

    fn after_keeping(&self, kept: Option<PathBuf>) -> Task {
        match self.met.is_read_only {
            false => match self.begun_file() {
                Some(file) => self.ask_to_write(self.write(file), Tried::Not),
                None => Task::Ask(Question::WhichFile),
            },
            true => Task::End(End::ReadOnly {
                kept,
                read: Box::new(self.read()),
            }),
        }
    }

    fn after_write(&mut self, mut write: Request, result: Result<Met, &Failure>) -> Task {
        let is_dry = std::mem::take(&mut write.options.dry_run);
        match result {
            Ok(_) if is_dry => self.ask_to_write(write, Tried::Not),
            Ok(met) => {
                self.half_written = None;
                self.begun = None;
                self.has_backup |= met.has_backup;
                Task::Ask(Question::OffAndOn)
            }
            // It is written, and only the report on it was lost.
            Err(failure) if failure.exit == Exit::Unreported && !is_dry => {
                self.half_written = None;
                Task::Ask(Question::OffAndOn)
            }
            Err(failure) => {
                if leaves_half_written(failure.exit) {
                    self.half_written = Some(failure.clone());
                }
                self.ask_to_write(write, Tried::of(failure))
            }
        }
    }

    fn ask_to_write(&self, write: Request, tried: Tried) -> Task {
        Task::Ask(Question::Write {
            write: Box::new(write),
            tried,
            half_written: self.half_written.is_some() || self.begun.is_some(),
        })
    }

    /// The image of the write that was begun, where it is still there.
    fn begun_file(&self) -> Option<&Path> {
        let file = self.begun.as_ref()?.command.file()?;
        (self.is_taken)(file).then_some(file)
    }

    fn stop(&mut self) {
        let end = match &self.task {
            Task::End(_) => return,
            Task::Ask(Question::OffAndOn) => End::Written,
            _ => End::Stopped {
                half_written: self.half_written.take(),
            },
        };
        self.task = Task::End(end);
    }

    /// Checks the drive, as it is or prepared in this way.
    fn enter(&mut self, prepared: Option<Rung>) {
        self.prepared = prepared;
        let patience = prepared.map_or(Duration::ZERO, |_| PATIENCE);
        let wait = self.request.options.wait.unwrap_or(patience);
        self.task = Task::Run(Step::Enter, self.request.check().with_wait(wait));
    }

    /// The way that fits: by packets where the drive's name tells a protocol, by
    /// its ports where they lead to it, else by the kernel.
    fn choose(&mut self, drive: DriveName) {
        let is_told = self.request.options.via.is_some() || self.request.options.protocol.is_some();
        let seen = self.find(&drive).cloned();
        self.request.drives = vec![drive.clone()];
        match (seen, &drive) {
            _ if is_told => {}
            (Some(seen), _) => {
                let family = seen.identity.as_ref().and_then(Family::by_identity);
                if let (None, Some(ports)) = (family, seen.at_ports) {
                    self.request = self.request.of(ports).by(Via::Port);
                }
            }
            (None, DriveName::Index(position)) if self.sight.has_ports => {
                let position = *position;
                self.task = Task::Ask(Question::OnCable { position });
                return;
            }
            (None, DriveName::Index(_)) => {
                self.task = Task::End(End::NoWay { drive });
                return;
            }
            // A path that the list does not have, by-id for instance: the
            // command finds it or says why not.
            (None, DriveName::Path(_) | DriveName::Serial(_)) => {}
            // Nor are the ports at which a dead drive may be.
            (None, DriveName::Port(_)) => self.request = self.request.by(Via::Port),
        }
        self.enter(None);
    }

    fn find(&self, drive: &DriveName) -> Option<&Seen> {
        let mut drives = self.sight.drives.iter();
        drives.find(|seen| seen.names.contains(drive) || seen.at_ports.as_ref() == Some(drive))
    }

    fn seen_again(&self, drive: DriveName) -> End {
        let identity = self.find(&drive).and_then(|seen| seen.identity.clone());
        match identity {
            Some(identity) => End::Back {
                identity,
                has_backup: self.has_backup,
            },
            None => End::NotSeenSince {
                drive,
                by_ports: self.request.options.via == Some(Via::Port),
            },
        }
    }

    /// A name that no file has: `dead-3.bin`, `dead-3-2.bin`.
    fn spare(&self) -> PathBuf {
        let drive = match self.request.drives.first() {
            Some(DriveName::Index(index)) => format!("-{index}"),
            Some(DriveName::Serial(serial)) => format!("-{serial}"),
            Some(DriveName::Path(path)) => path
                .file_name()
                .and_then(|name| name.to_str())
                .map_or_else(String::new, |name| format!("-{name}")),
            Some(DriveName::Port(name)) => format!("-{name}").replace(':', "-"),
            None => String::new(),
        };
        let name = |number: u32| match number {
            1 => PathBuf::from(format!("dead{drive}.bin")),
            _ => PathBuf::from(format!("dead{drive}-{number}.bin")),
        };
        (1..1000)
            .map(name)
            .find(|file| !(self.is_taken)(file))
            .unwrap_or_else(|| name(1))
    }

    fn write(&self, file: &Path) -> Request {
        let mut write = self.request.write(file);
        let typed = &self.request.options;
        write.options.force.clone_from(&typed.force);
        write.options.backup.clone_from(&typed.backup);
        write.options.no_backup = typed.no_backup;
        // What was to stay may be in its backup alone, and stays whatever is written now.
        if let Some(begun) = &self.begun {
            write.options.keep.clone_from(&begun.options.keep);
            if begun.command.file() == Some(file) {
                write.options.banks.clone_from(&begun.options.banks);
                write.options.range = begun.options.range;
            }
        }
        write
    }

    /// Reads all of it into a file that is not there yet.
    fn read(&self) -> Request {
        let mut read = self.request.read().with_file(&self.spare());
        read.options.force.clone_from(&self.request.options.force);
        read
    }

    /// Enter reads into this file, switches are added to the command, and everything
    /// else is another name.
    fn keep_so(&mut self, read: Request, tried: Tried, answer: &str) {
        let read = match switches_of(answer, self.is_taken) {
            None if answer.is_empty() && tried == Tried::InVain => Err(Complaint::InVain),
            None if tried == Tried::WithoutSize => Err(Complaint::NoSize),
            None if answer.is_empty() => Ok(read),
            None => Ok(read.with_file(&named(answer))),
            Some(words) => {
                let bare = self.read().with_file(&file_of(&read));
                with_words(&read, &words).or_else(|_| with_words(&bare, &words))
            }
        };
        match read {
            Ok(read) => {
                // What is said of the drive is said of the write, too; a check that is
                // passed for a file is passed for that file.
                let typed = &mut self.request.options;
                typed.size = read.options.size;
                typed.via = read.options.via;
                typed.protocol.clone_from(&read.options.protocol);
                self.task = Task::Run(Step::Keep, read);
            }
            Err(complaint) => self.complaint = Some(complaint),
        }
    }

    /// Enter writes, switches are added to the command, and everything else is
    /// another file.
    fn write_so(&mut self, write: Request, tried: Tried, answer: &str) {
        let write = match switches_of(answer, self.is_taken) {
            None if answer.is_empty() && tried == Tried::InVain => Err(Complaint::InVain),
            None if answer.is_empty() => Ok(write),
            None => return self.inspect(answer),
            // In the place of those before, where they do not go with them.
            Some(words) => {
                let bare = self.write(&file_of(&write));
                with_words(&write, &words).or_else(|_| with_words(&bare, &words))
            }
        };
        match write {
            Ok(write) => self.task = Task::Run(Step::Write, write),
            Err(complaint) => self.complaint = Some(complaint),
        }
    }

    /// Looks at a file; where it is none, what was asked is asked again.
    fn inspect(&mut self, answer: &str) {
        if let Task::Ask(question) = &self.task {
            self.asked = Some(question.clone());
        }
        self.task = Task::Run(Step::Inspect, Request::inspect_file(&named(answer)));
    }
}

/// The next way to prepare it.
fn climb(rung: Rung) -> Task {
    match rung.next() {
        Some(next) => Task::Ask(Question::Prepare(next)),
        None => Task::End(End::NotEntered),
    }
}

/// The file that it is about, if it is about one.
pub fn file_of(request: &Request) -> PathBuf {
    let file = request.command.file();
    file.map_or_else(PathBuf::new, Path::to_owned)
}
