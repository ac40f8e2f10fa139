//! What a command line asks for.
//!
//! [`parse`] is pure: words in, a [`Request`] or a [`UsageError`] out. The DOS
//! forms work as typed, in any case, order and place, and what they could mean
//! twice is refused instead of guessed. Nothing here looks at a file or a drive.

mod correct;
mod error;
mod follow;
mod grammar;
mod operands;
mod print;
pub mod switches;
mod topic;
mod values;
mod verb;
mod words;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::slice;
use std::time::Duration;

use crate::flash::{Bank, FlashRange};
use crate::image::{self, Checksum, Crc32};
use crate::job::{Forced, backup};
pub use crate::session::{DriveName, Via};
pub use correct::{
    another_drive, consent_meant, drives_in, like, nearest, nearest_switch, respelled_line,
};
pub use error::UsageError;
pub use follow::A_FILE;
use operands::Operands;
pub use topic::{Artifact, Topic};
pub use verb::Verb;
pub use words::{ask_for, bench, is_switch, verb_in};

/// One run of the tool, as asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub command: Command,
    /// The drives in the order given, none twice. At least one for `r`, `w`,
    /// `v` and `e` but for `all`; any number for `c`, one or none for `revive`;
    /// none for all others.
    pub drives: Vec<DriveName>,
    /// `/m`: all banks in one file. Without it, one file per bank.
    pub merged: bool,
    /// `/b`: raw binary. A wish where a file is made, an opinion where one is
    /// read, since there the content decides.
    pub binary: bool,
    pub options: Options,
}

/// What to do, with the file it is done with, as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    Read {
        file: PathBuf,
    },
    Write {
        file: PathBuf,
    },
    Verify {
        file: PathBuf,
    },
    Erase,
    /// Identify drive and flash; without a drive, look for drives.
    Check,
    List,
    /// One file or several.
    Inspect {
        files: Vec<PathBuf>,
    },
    /// Go through all steps with the user.
    Revive,
    Help(Topic),
    Version,
    /// Write the man page or the completions for a shell.
    Generate(Artifact),
}

/// Everything that has a long option, as given; defaults are the caller's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// Do not ask for YES.
    pub yes: bool,
    /// The outcome as one JSON object on standard output.
    pub json: bool,
    /// What happens as lines of JSON on standard error.
    pub events: bool,
    /// Say nothing on the way but warnings.
    pub quiet: bool,
    pub dry_run: bool,
    /// The checks to override.
    pub force: Forced,
    pub no_backup: bool,
    /// Write nothing where a drive that cannot be read has the image's revision.
    pub skip_if_same: bool,
    pub backup: Option<PathBuf>,
    /// Bytes of the flash to leave as they are, in the order given.
    pub keep: Vec<FlashRange>,
    /// The banks to work on, ascending, each once; `None` for all of them.
    pub banks: Option<Vec<Bank>>,
    /// Which image of a container, by number or name.
    pub entry: Option<String>,
    /// What the sum of all bytes of the image must be.
    pub sum: Option<Checksum>,
    /// What the CRC-32 of the image, or of its file, must be.
    pub crc32: Option<Crc32>,
    /// What the image is to be converted to, and under which name.
    pub to: Option<Form>,
    pub out: Option<PathBuf>,
    /// The bytes to work on, ends inside a bank allowed.
    pub range: Option<FlashRange>,
    pub via: Option<Via>,
    /// A protocol by its name; which names exist is known elsewhere.
    pub protocol: Option<String>,
    /// The bench file of simulated drives.
    pub sim: Option<PathBuf>,
    /// The file of the log; `None` for the machine's own.
    pub log: Option<PathBuf>,
    pub no_log: bool,
    /// `all` in the place of a drive.
    pub all: bool,
    /// How long to repeat the entry into vendor mode.
    pub wait: Option<Duration>,
    /// Bytes in an unknown flash: whole banks, at most 16 MiB.
    pub size: Option<u32>,
    /// Lines one after another, without bars and countdowns.
    pub plain: bool,
}

/// How an image can be written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// Raw binary in one file.
    Binary,
    /// Bank-marked HEX in one file.
    Hex,
    /// Raw binary, one file per bank.
    Banks,
}

impl Form {
    pub const ALL: [Form; 3] = [Form::Binary, Form::Hex, Form::Banks];

    /// As `--to` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Form::Binary => "bin",
            Form::Hex => "hex",
            Form::Banks => "banks",
        }
    }
}

/// As [`parse_words`] for a command line, program name included.
///
/// # Errors
/// As those of [`parse_words`].
pub fn parse(argv: impl Iterator<Item = OsString>) -> Result<Request, UsageError> {
    parse_words(&argv.skip(1).collect::<Vec<_>>())
}

/// Reads the words behind the program's name.
///
/// No words ask for the help, and so does `/?` anywhere, whatever else is wrong:
/// for that on the command, where there is one beside it.
///
/// # Errors
/// Anything that cannot be understood in one way only.
pub fn parse_words(typed: &[OsString]) -> Result<Request, UsageError> {
    if let Some(topic) = words::topic(typed)? {
        return Ok(Request::without_drive(Command::Help(topic)));
    }
    if words::ask_for_version(typed) {
        return Ok(Request::without_drive(Command::Version));
    }
    if let Some(artifact) = words::artifact(typed)? {
        return Ok(Request::without_drive(Command::Generate(artifact)));
    }
    let words = words::sort(typed)?;
    let matches = grammar::matches(words.options)?;
    let operands = Operands::of(&words.operands, words.files)?;
    let verb = operands.verb()?;
    grammar::fits(&matches, verb, &operands)?;
    let mut request = Request::without_drive(Command::Version);
    grammar::fill(&mut request, &matches)?;
    if let Some(name) = &mut request.options.protocol {
        name.make_ascii_lowercase();
    }
    request.options.all = operands.is_about_all();
    (request.drives, request.command) = operands.command(verb)?;
    let log = request.options.log.as_deref();
    let options = [&request.options.backup, &request.options.out].map(Option::as_deref);
    let files = options.into_iter().chain([request.command.file()]);
    let is_of = |file: &Path| {
        let is_bank = |log: &Path| image::bank_of_name(log).is_some_and(|(base, _)| base == file);
        log.is_some_and(|log| file == log || backup::record_path(file) == log || is_bank(log))
    };
    if files.flatten().any(is_of) {
        let file = request.options.log.unwrap_or_default().into_os_string();
        return Err(UsageError::LogIsOtherFile { file });
    }
    Ok(request)
}

impl Command {
    /// With this file, where it is about one.
    fn of(verb: Verb, file: PathBuf) -> Command {
        match verb {
            Verb::Read => Command::Read { file },
            Verb::Write => Command::Write { file },
            Verb::Verify => Command::Verify { file },
            Verb::Inspect => Command::Inspect { files: vec![file] },
            Verb::Erase => Command::Erase,
            Verb::Check => Command::Check,
            Verb::List => Command::List,
            Verb::Revive => Command::Revive,
        }
    }

    /// `None` for what is not about drives and files: it has no letter.
    pub fn verb(&self) -> Option<Verb> {
        match self {
            Command::Read { .. } => Some(Verb::Read),
            Command::Write { .. } => Some(Verb::Write),
            Command::Verify { .. } => Some(Verb::Verify),
            Command::Erase => Some(Verb::Erase),
            Command::Check => Some(Verb::Check),
            Command::List => Some(Verb::List),
            Command::Inspect { .. } => Some(Verb::Inspect),
            Command::Revive => Some(Verb::Revive),
            Command::Help(_) | Command::Version | Command::Generate(_) => None,
        }
    }

    /// The file that it is about, the first one of several.
    pub fn file(&self) -> Option<&Path> {
        self.files().first().map(PathBuf::as_path)
    }

    /// The files that it is about.
    pub fn files(&self) -> &[PathBuf] {
        match self {
            Command::Read { file } | Command::Write { file } | Command::Verify { file } => {
                slice::from_ref(file)
            }
            Command::Inspect { files } => files,
            _ => &[],
        }
    }
}

impl Request {
    /// Whether it is about every drive there is.
    pub fn is_about_all(&self) -> bool {
        self.options.all || (self.command == Command::Check && self.drives.is_empty())
    }

    fn without_drive(command: Command) -> Request {
        Request {
            command,
            drives: Vec::new(),
            merged: false,
            binary: false,
            options: Options::default(),
        }
    }
}

#[cfg(test)]
mod tests;
