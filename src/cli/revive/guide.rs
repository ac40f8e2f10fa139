//! The way from a dead drive to a working one, one step at a time: what was heard
//! goes in, what is to be done next comes out. Nothing here asks, prints or
//! touches a drive, so that every way through it can be walked in a test.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cli::args::{self, DriveName, Request, UsageError, Via};
use crate::cli::exit::Exit;
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
    pub const ALL: [Step; 6] = [
        Step::Look,
        Step::Enter,
        Step::Keep,
        Step::Inspect,
        Step::Write,
        Step::LookAgain,
    ];

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
    /// Enter for this name, another name, or `n`.
    Keep { file: PathBuf },
    /// `n`: nothing can be kept of a drive that is written only.
    NothingKept,
    /// The name of a file.
    WhichFile,
    /// Enter to write it, another file, or switches.
    Write { file: PathBuf },
    /// The same, after a write that has changed nothing.
    WriteAnew { file: PathBuf },
    /// Enter for the same again: the flash is half-written.
    WriteOn { file: PathBuf },
    /// Enter once it was off and is on again.
    OffAndOn,
}

/// Why an answer was none; the question comes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Complaint {
    /// Neither a position nor a path.
    NoDrive,
    YesOrNo,
    NoFile,
    /// Something else than `n` where that alone goes on.
    NotN,
    Words(UsageError),
    /// Words that make another command of it.
    OtherCommand,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Written, and this is what it says it is now.
    Back { identity: Identity },
    /// Written, but not seen since.
    NotSeenSince { drive: DriveName, by_ports: bool },
    /// A silent drive that no registers lead to.
    NoWay { drive: DriveName },
    /// No way of preparing it helped.
    NotEntered,
    /// A command failed in a way that the next step cannot mend. It has said so.
    Failed(Exit),
    /// The user wants no more. `flash` is the exit of a write that has failed
    /// after its first change.
    Stopped { flash: Option<Exit> },
}

impl End {
    pub fn exit(&self) -> Exit {
        match self {
            End::Back { .. } => Exit::Done,
            End::NotSeenSince { .. } | End::NoWay { .. } => Exit::NoDrive,
            End::NotEntered => Exit::FailedUnchanged,
            End::Failed(exit) => *exit,
            End::Stopped { flash } => flash.unwrap_or(Exit::Stopped),
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

#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    Look,
    WhichDrive,
    Cable { position: u8 },
    FirstEntry,
    Prepare(Rung),
    Enter(Rung),
    Keep,
    Keeping(PathBuf),
    NothingKept,
    WhichFile,
    Inspecting(PathBuf),
    Ready(PathBuf),
    Writing(Box<Request>),
    NotWritten(PathBuf),
    HalfWritten(Box<Request>, Exit),
    OffAndOn,
    LookAgain,
    Ended(End),
}

/// Where on the way a drive is.
pub struct Guide {
    /// As typed; with the drive and the way to it once they are known.
    request: Request,
    stage: Stage,
    sight: Sight,
    complaint: Option<Complaint>,
    /// How it is read is not known, but how it is written.
    is_write_only: bool,
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
            stage: Stage::Look,
            sight: Sight::default(),
            complaint: None,
            is_write_only: false,
            is_taken,
        }
    }

    pub fn task(&self) -> Task {
        let request = &self.request;
        match &self.stage {
            Stage::Look => Task::Look(Step::Look, request.list()),
            Stage::WhichDrive => Task::Ask(Question::WhichDrive {
                seen: self.sight.drives.clone(),
                has_ports: self.sight.has_ports,
            }),
            Stage::Cable { position } => Task::Ask(Question::OnCable {
                position: *position,
            }),
            Stage::FirstEntry => {
                let wait = request.options.wait.unwrap_or_default();
                Task::Run(Step::Enter, request.check().with_wait(wait))
            }
            Stage::Prepare(rung) => Task::Ask(Question::Prepare(*rung)),
            Stage::Enter(_) => {
                let wait = request.options.wait.unwrap_or(PATIENCE);
                Task::Run(Step::Enter, request.check().with_wait(wait))
            }
            Stage::Keep => Task::Ask(Question::Keep { file: self.spare() }),
            Stage::Keeping(file) => Task::Run(Step::Keep, request.read().with_file(file)),
            Stage::NothingKept => Task::Ask(Question::NothingKept),
            Stage::WhichFile => Task::Ask(Question::WhichFile),
            Stage::Inspecting(file) => Task::Run(Step::Inspect, Request::inspect_file(file)),
            Stage::Ready(file) => Task::Ask(Question::Write { file: file.clone() }),
            Stage::Writing(write) => Task::Run(Step::Write, write.as_ref().clone()),
            Stage::NotWritten(file) => Task::Ask(Question::WriteAnew { file: file.clone() }),
            Stage::HalfWritten(write, _) => Task::Ask(Question::WriteOn {
                file: file_of(write),
            }),
            Stage::OffAndOn => Task::Ask(Question::OffAndOn),
            Stage::LookAgain => Task::Look(Step::LookAgain, request.list()),
            Stage::Ended(end) => Task::End(end.clone()),
        }
    }

    /// What the look that was asked for has shown.
    pub fn saw(&mut self, sight: Sight) {
        self.sight = sight;
        match (&self.stage, self.request.drives.first().cloned()) {
            (Stage::LookAgain, Some(drive)) => self.stage = Stage::Ended(self.seen_again(drive)),
            (_, Some(drive)) => self.choose(drive),
            (_, None) => self.stage = Stage::WhichDrive,
        }
    }

    /// The drive that the next command finds can be written, and not read.
    pub fn met_write_only(&mut self) {
        self.is_write_only = true;
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
        if answer.eq_ignore_ascii_case("q") {
            return self.stop();
        }
        let is_no = ["n", "no"].contains(&answer.to_ascii_lowercase().as_str());
        let is_yes = ["y", "yes"].contains(&answer.to_ascii_lowercase().as_str());
        match self.stage.clone() {
            Stage::WhichDrive => match drive_of(answer) {
                Some(drive) => self.choose(drive),
                None => self.complaint = Some(Complaint::NoDrive),
            },
            Stage::Cable { position } if is_yes => {
                let drive = DriveName::Index(position);
                self.request = self.request.of(drive).by(Via::Port);
                self.stage = Stage::FirstEntry;
            }
            Stage::Cable { position } if is_no => {
                let drive = DriveName::Index(position);
                self.stage = Stage::Ended(End::NoWay { drive });
            }
            Stage::Cable { .. } => self.complaint = Some(Complaint::YesOrNo),
            Stage::Prepare(rung) if is_no => self.climb(rung),
            Stage::Prepare(rung) => self.stage = Stage::Enter(rung),
            Stage::Keep if is_no => self.stage = Stage::WhichFile,
            Stage::Keep if answer.is_empty() => self.stage = Stage::Keeping(self.spare()),
            Stage::Keep => self.stage = Stage::Keeping(named(answer)),
            // With that a write makes no backup.
            Stage::NothingKept if is_no => {
                self.request = self.request.without_backup();
                self.stage = Stage::WhichFile;
            }
            Stage::NothingKept => self.complaint = Some(Complaint::NotN),
            Stage::WhichFile if answer.is_empty() => self.complaint = Some(Complaint::NoFile),
            Stage::WhichFile => self.stage = Stage::Inspecting(named(answer)),
            Stage::Ready(file) | Stage::NotWritten(file) => {
                self.answer_to_write(&self.write(&file), answer);
            }
            Stage::HalfWritten(write, _) => self.answer_to_write(&write, answer),
            Stage::OffAndOn => self.stage = Stage::LookAgain,
            Stage::Look
            | Stage::FirstEntry
            | Stage::Enter(_)
            | Stage::Keeping(_)
            | Stage::Inspecting(_)
            | Stage::Writing(_)
            | Stage::LookAgain
            | Stage::Ended(_) => {}
        }
    }

    /// How the command ended that was asked for.
    pub fn ended(&mut self, result: Result<(), Exit>) {
        self.stage = match (self.stage.clone(), result) {
            (Stage::FirstEntry | Stage::Enter(_), Ok(())) => self.after_entry(),
            (Stage::FirstEntry, Err(Exit::FailedUnchanged)) => Stage::Prepare(Rung::FIRST),
            // Whoever stops the waiting may want to try something else.
            (Stage::Enter(rung), Err(Exit::Stopped)) => Stage::Prepare(rung),
            // A drive that was switched off is not there at times.
            (Stage::Enter(rung), Err(Exit::FailedUnchanged | Exit::NoDrive)) => {
                return self.climb(rung);
            }
            (Stage::Keeping(_), Ok(())) => Stage::WhichFile,
            (Stage::Keeping(_), Err(_)) => Stage::Keep,
            (Stage::Inspecting(file), Ok(())) => Stage::Ready(file),
            (Stage::Inspecting(_), Err(_)) => Stage::WhichFile,
            (Stage::Writing(_), Ok(())) => Stage::OffAndOn,
            (Stage::Writing(write), Err(exit @ (Exit::FailedPartly | Exit::Different))) => {
                Stage::HalfWritten(write, exit)
            }
            (Stage::Writing(write), Err(Exit::Internal)) => {
                Stage::HalfWritten(write, Exit::Internal)
            }
            (Stage::Writing(write), Err(_)) => Stage::NotWritten(file_of(&write)),
            (_, Err(exit)) => Stage::Ended(End::Failed(exit)),
            (stage, Ok(())) => stage,
        };
    }

    /// What is in the flash comes first, where it can be had.
    fn after_entry(&self) -> Stage {
        match self.is_write_only {
            false => Stage::Keep,
            true if self.request.options.no_backup => Stage::WhichFile,
            true => Stage::NothingKept,
        }
    }

    fn stop(&mut self) {
        let flash = match &self.stage {
            Stage::HalfWritten(_, exit) => Some(*exit),
            // All of it was written; what is left is a look.
            Stage::OffAndOn => Some(Exit::Done),
            _ => None,
        };
        self.stage = Stage::Ended(End::Stopped { flash });
    }

    fn climb(&mut self, rung: Rung) {
        self.stage = match rung.next() {
            Some(next) => Stage::Prepare(next),
            None => Stage::Ended(End::NotEntered),
        };
    }

    /// The way that fits: by packets where the drive's name tells a protocol, by
    /// its ports where they lead to it, else by the kernel.
    fn choose(&mut self, drive: DriveName) {
        let is_told = self.request.options.via.is_some() || self.request.options.protocol.is_some();
        let seen = self.find(&drive).cloned();
        self.request.drives = vec![drive.clone()];
        self.stage = match (seen, &drive) {
            _ if is_told => Stage::FirstEntry,
            (Some(seen), _) => {
                let has_family = seen
                    .identity
                    .as_ref()
                    .and_then(Family::by_identity)
                    .is_some();
                if let (false, Some(ports)) = (has_family, seen.at_ports) {
                    self.request = self.request.of(ports).by(Via::Port);
                }
                Stage::FirstEntry
            }
            (None, DriveName::Index(position)) if self.sight.has_ports => Stage::Cable {
                position: *position,
            },
            (None, DriveName::Index(_)) => Stage::Ended(End::NoWay { drive }),
            // A path that the list does not have, by-id for instance: the
            // command finds it or says why not.
            (None, DriveName::Path(_) | DriveName::Serial(_)) => Stage::FirstEntry,
            // Nor are the ports at which a dead drive may be.
            (None, DriveName::Port(_)) => {
                self.request = self.request.by(Via::Port);
                Stage::FirstEntry
            }
        };
    }

    fn find(&self, drive: &DriveName) -> Option<&Seen> {
        let mut drives = self.sight.drives.iter();
        drives.find(|seen| seen.names.contains(drive) || seen.at_ports.as_ref() == Some(drive))
    }

    fn seen_again(&self, drive: DriveName) -> End {
        let identity = self.find(&drive).and_then(|seen| seen.identity.clone());
        match identity {
            Some(identity) => End::Back { identity },
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
        write
    }

    /// Enter writes, switches are added to the command, and everything else is
    /// another file.
    fn answer_to_write(&mut self, write: &Request, answer: &str) {
        if answer.is_empty() {
            self.stage = Stage::Writing(Box::new(write.clone()));
        } else if answer.starts_with("--") {
            match with_words(write, answer) {
                Ok(write) => self.stage = Stage::Writing(Box::new(write)),
                Err(complaint) => self.complaint = Some(complaint),
            }
        } else {
            self.stage = Stage::Inspecting(named(answer));
        }
    }
}

/// A command with the words that somebody has typed behind it.
fn with_words(request: &Request, words: &str) -> Result<Request, Complaint> {
    let mut all = request.words();
    // Behind `--` nothing is a switch.
    let file = all.iter().position(|word| word == "--");
    let file = file.map_or_else(Vec::new, |at| all.split_off(at));
    all.extend(words.split_whitespace().map(OsString::from));
    all.extend(file);
    let typed = args::parse_words(&all).map_err(Complaint::Words)?;
    match typed.command == request.command && typed.drives == request.drives {
        true => Ok(typed),
        false => Err(Complaint::OtherCommand),
    }
}

/// The one drive that a word names.
fn drive_of(word: &str) -> Option<DriveName> {
    let request = args::parse_words(&[word, "c"].map(OsString::from)).ok()?;
    match request.drives.as_slice() {
        [drive] if request.command.verb() == Some(args::Verb::Check) => Some(drive.clone()),
        _ => None,
    }
}

/// A file as typed, or as a terminal pastes it: in quotes.
fn named(answer: &str) -> PathBuf {
    let bare = |quote: char| answer.strip_prefix(quote)?.strip_suffix(quote);
    PathBuf::from(bare('\'').or_else(|| bare('"')).unwrap_or(answer))
}

fn file_of(write: &Request) -> PathBuf {
    let file = write.command.file();
    file.map_or_else(PathBuf::new, Path::to_owned)
}
