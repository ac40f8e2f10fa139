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
    /// Enter for the same again: the flash is half-written, by a write that has ended so.
    WriteOn { write: Box<Request>, exit: Exit },
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

/// Where on the way a drive is.
pub struct Guide {
    /// As typed; with the drive and the way to it once they are known.
    request: Request,
    task: Task,
    /// How the drive is prepared that is entered.
    prepared: Option<Rung>,
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
            task: Task::Look(Step::Look, request.list()),
            prepared: None,
            sight: Sight::default(),
            complaint: None,
            is_write_only: false,
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
            Question::Keep { .. } if is_no => self.task = Task::Ask(Question::WhichFile),
            Question::Keep { file } => {
                let file = match answer {
                    "" => file,
                    other => named(other),
                };
                self.task = Task::Run(Step::Keep, self.request.read().with_file(&file));
            }
            // With that a write makes no backup.
            Question::NothingKept if is_no => {
                self.request = self.request.without_backup();
                self.task = Task::Ask(Question::WhichFile);
            }
            Question::NothingKept => self.complaint = Some(Complaint::NotN),
            Question::WhichFile if answer.is_empty() => self.complaint = Some(Complaint::NoFile),
            Question::WhichFile => self.task = inspecting(answer),
            Question::Write { file } | Question::WriteAnew { file } => {
                self.answer_to_write(&self.write(&file), answer);
            }
            Question::WriteOn { write, .. } => self.answer_to_write(&write, answer),
            Question::OffAndOn => {
                self.task = Task::Look(Step::LookAgain, self.request.list());
            }
        }
    }

    /// How the command ended that was asked for.
    pub fn ended(&mut self, result: Result<(), Exit>) {
        let Task::Run(step, request) = &self.task else {
            return;
        };
        let file = file_of(request);
        self.task = match (step, self.prepared, result) {
            (Step::Enter, _, Ok(())) => self.after_entry(),
            (Step::Enter, None, Err(Exit::FailedUnchanged)) => {
                Task::Ask(Question::Prepare(Rung::FIRST))
            }
            // Whoever stops the waiting may want to try something else.
            (Step::Enter, Some(rung), Err(Exit::Stopped)) => Task::Ask(Question::Prepare(rung)),
            // A drive that was switched off is not there at times.
            (Step::Enter, Some(rung), Err(Exit::FailedUnchanged | Exit::NoDrive)) => climb(rung),
            (Step::Keep, _, Ok(())) => Task::Ask(Question::WhichFile),
            (Step::Keep, _, Err(_)) => Task::Ask(self.keep()),
            (Step::Inspect, _, Ok(())) => Task::Ask(Question::Write { file }),
            (Step::Inspect, _, Err(_)) => Task::Ask(Question::WhichFile),
            (Step::Write, _, Ok(())) => Task::Ask(Question::OffAndOn),
            (
                Step::Write,
                _,
                Err(exit @ (Exit::FailedPartly | Exit::Different | Exit::Internal)),
            ) => Task::Ask(Question::WriteOn {
                write: Box::new(request.clone()),
                exit,
            }),
            (Step::Write, _, Err(_)) => Task::Ask(Question::WriteAnew { file }),
            (_, _, Err(exit)) => Task::End(End::Failed(exit)),
            (_, _, Ok(())) => return,
        };
    }

    /// What is in the flash comes first, where it can be had.
    fn after_entry(&self) -> Task {
        Task::Ask(match self.is_write_only {
            false => self.keep(),
            true if self.request.options.no_backup => Question::WhichFile,
            true => Question::NothingKept,
        })
    }

    fn keep(&self) -> Question {
        Question::Keep { file: self.spare() }
    }

    fn stop(&mut self) {
        let flash = match &self.task {
            Task::Ask(Question::WriteOn { exit, .. }) => Some(*exit),
            // All of it was written; what is left is a look.
            Task::Ask(Question::OffAndOn) => Some(Exit::Done),
            _ => None,
        };
        self.task = Task::End(End::Stopped { flash });
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
            self.task = Task::Run(Step::Write, write.clone());
        } else if answer.starts_with("--") {
            match with_words(write, answer) {
                Ok(write) => self.task = Task::Run(Step::Write, write),
                Err(complaint) => self.complaint = Some(complaint),
            }
        } else {
            self.task = inspecting(answer);
        }
    }
}

fn inspecting(answer: &str) -> Task {
    Task::Run(Step::Inspect, Request::inspect_file(&named(answer)))
}

/// The next way to prepare it.
fn climb(rung: Rung) -> Task {
    match rung.next() {
        Some(next) => Task::Ask(Question::Prepare(next)),
        None => Task::End(End::NotEntered),
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

/// The file that it is about, if it is about one.
pub fn file_of(request: &Request) -> PathBuf {
    let file = request.command.file();
    file.map_or_else(PathBuf::new, Path::to_owned)
}
