//! What a command line asks for.
//!
//! [`parse`] is pure: words in, a [`Request`] or a [`UsageError`] out. The DOS
//! forms work as typed, in any case, order and place, and what they could mean
//! twice is refused instead of guessed. Nothing here looks at a file or a drive.

mod error;
pub mod switches;
mod values;
mod words;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches};

use crate::flash::{Bank, FlashRange};
use crate::job::{Check, Forced};
pub use error::{UsageError, shown};
use switches::{SWITCHES, Switch};

/// One run of the tool, as asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub command: Command,
    /// The drives in the order given, none twice. At least one for `r`, `w`,
    /// `v` and `e`; none for `l`, `i`, help and version; any number for `c`.
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
    Inspect {
        file: PathBuf,
    },
    Help,
    Version,
}

/// How the user calls a drive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DriveName {
    /// 1 primary master, 2 primary slave, 3 secondary master, 4 secondary slave.
    Index(u8),
    /// `/dev/sr0`, `/dev/sg1`, `/dev/disk/by-id/…`: a path under `/dev`.
    Path(PathBuf),
}

impl fmt::Display for DriveName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DriveName::Index(index) => write!(f, "{index}"),
            DriveName::Path(path) => f.write_str(&shown(path.as_os_str())),
        }
    }
}

/// Everything that has a long option, as given; defaults are the caller's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// Do not ask for YES.
    pub yes: bool,
    pub dry_run: bool,
    /// The checks to override.
    pub force: Forced,
    pub no_backup: bool,
    pub backup: Option<PathBuf>,
    /// Bytes of the flash to leave as they are, in the order given.
    pub keep: Vec<FlashRange>,
    /// The banks to work on, ascending, each once; `None` for all of them.
    pub banks: Option<Vec<Bank>>,
    /// The bytes to work on, ends inside a bank allowed.
    pub range: Option<FlashRange>,
    pub via: Option<Via>,
    /// A protocol by its name; which names exist is known elsewhere.
    pub protocol: Option<String>,
    /// The bench file of simulated drives.
    pub sim: Option<PathBuf>,
    /// How long to repeat the entry into vendor mode.
    pub wait: Option<Duration>,
    /// Bytes in an unknown flash: whole banks, at most 16 MiB.
    pub size: Option<u32>,
}

/// The way to the drive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Via {
    /// SCSI commands over SG_IO.
    Sg,
    /// ATA PASS-THROUGH over SG_IO.
    Ata,
    /// The legacy I/O ports.
    Port,
}

/// A command by its letter alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    Read,
    Write,
    Verify,
    Erase,
    Check,
    List,
    Inspect,
}

impl Verb {
    pub const ALL: [Verb; 7] = [
        Verb::Read,
        Verb::Write,
        Verb::Verify,
        Verb::Erase,
        Verb::Check,
        Verb::List,
        Verb::Inspect,
    ];

    pub fn letter(self) -> &'static str {
        match self {
            Verb::Read => "r",
            Verb::Write => "w",
            Verb::Verify => "v",
            Verb::Erase => "e",
            Verb::Check => "c",
            Verb::List => "l",
            Verb::Inspect => "i",
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Verb::Read => "read",
            Verb::Write => "write",
            Verb::Verify => "verify",
            Verb::Erase => "erase",
            Verb::Check => "check",
            Verb::List => "list",
            Verb::Inspect => "inspect",
        }
    }

    /// The command with this letter or word, in any case.
    fn named(word: &str) -> Option<Verb> {
        Verb::ALL.into_iter().find(|verb| {
            word.eq_ignore_ascii_case(verb.letter()) || word.eq_ignore_ascii_case(verb.word())
        })
    }

    fn takes_file(self) -> bool {
        matches!(
            self,
            Verb::Read | Verb::Write | Verb::Verify | Verb::Inspect
        )
    }

    /// The command as a whole line to type. What the user has not named stays a
    /// placeholder: no drive is ever proposed for a write.
    fn form(self) -> String {
        self.form_with(None, None)
    }

    /// As [`Verb::form`], with what the user has named already.
    fn form_with(self, drive: Option<&OsStr>, file: Option<&OsStr>) -> String {
        let drive = drive.map_or_else(|| "DRIVE".to_owned(), shown);
        let file = file.map_or_else(|| "FILE".to_owned(), shown);
        match self {
            Verb::Read => format!("mtkflash {drive} r /m /b {file}"),
            Verb::Write => format!("mtkflash {drive} w /m {file}"),
            Verb::Verify => format!("mtkflash {drive} v /m {file}"),
            Verb::Erase => format!("mtkflash {drive} e"),
            Verb::Check => format!("mtkflash {drive} c"),
            Verb::List => "mtkflash l".to_owned(),
            Verb::Inspect => format!("mtkflash i {file}"),
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.letter(), self.word())
    }
}

/// Reads a command line, program name included.
///
/// No words ask for the help, and so does `/?` anywhere, whatever else is wrong.
///
/// # Errors
/// Anything that cannot be understood in one way only; the message ends in the
/// right form to type.
pub fn parse(argv: impl Iterator<Item = OsString>) -> Result<Request, UsageError> {
    let argv: Vec<OsString> = argv.skip(1).collect();
    if argv.is_empty() || words::ask_for_help(&argv) {
        return Ok(Request::without_drive(Command::Help));
    }
    if words::ask_for_version(&argv) {
        return Ok(Request::without_drive(Command::Version));
    }
    let words = words::sort(argv)?;
    let matches = grammar()
        .try_get_matches_from(words.options)
        .map_err(|error| refused(&error))?;
    let operands = Operands::of(&words.operands)?;
    let verb = operands.verb()?;
    fits(&matches, verb, &operands)?;
    let options = options(&matches)?;
    let (drives, command) = operands.command(verb)?;
    if let Command::Write { file } = &command
        && options.backup.as_ref() == Some(file)
    {
        let file = file.clone().into_os_string();
        return Err(UsageError::BackupIsImage { file });
    }
    Ok(Request {
        command,
        drives,
        merged: matches.get_count("merge") > 0,
        binary: matches.get_count("binary") > 0,
        options,
    })
}

impl Request {
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

/// Drives, command and file of a command line, as far as they are there.
#[derive(Debug, Default)]
struct Operands {
    verb: Option<(Verb, OsString)>,
    drives: Option<(Vec<DriveName>, OsString)>,
    file: Option<OsString>,
    second_file: Option<OsString>,
}

impl Operands {
    fn of(words: &[OsString]) -> Result<Operands, UsageError> {
        let mut operands = Operands::default();
        for word in words {
            if word.is_empty() {
                return Err(UsageError::EmptyWord);
            }
            if word == "-" {
                return Err(UsageError::StandardStream);
            }
            if let Some(verb) = word.to_str().and_then(Verb::named) {
                if let Some((verb, first)) = operands.verb {
                    let second = word.clone();
                    return Err(UsageError::TwoCommands {
                        verb,
                        first,
                        second,
                    });
                }
                operands.verb = Some((verb, word.clone()));
            } else if let Some(drives) = drives(word)? {
                if let Some((_, first)) = operands.drives {
                    return Err(UsageError::TwoDrives {
                        first,
                        second: word.clone(),
                    });
                }
                operands.drives = Some((drives, word.clone()));
            } else if operands.file.is_none() {
                operands.file = Some(word.clone());
            } else if operands.second_file.is_none() {
                operands.second_file = Some(word.clone());
            }
        }
        Ok(operands)
    }

    fn drive_word(&self) -> Option<&OsStr> {
        self.drives.as_ref().map(|(_, word)| word.as_os_str())
    }

    fn verb(&self) -> Result<Verb, UsageError> {
        match self.verb {
            Some((verb, _)) => Ok(verb),
            None => Err(UsageError::MissingCommand {
                drive: self.drive_word().map(OsStr::to_owned),
                file: self.file.clone(),
            }),
        }
    }

    /// The command whole, as one line without options.
    fn form(&self, verb: Verb) -> String {
        verb.form_with(self.drive_word(), self.file.as_deref())
    }

    fn command(self, verb: Verb) -> Result<(Vec<DriveName>, Command), UsageError> {
        let (drives, drive) = self.drives.unzip();
        let takes_drive = !matches!(verb, Verb::List | Verb::Inspect);
        match (drive.clone(), self.file.clone()) {
            (Some(drive), _) if !takes_drive => {
                return Err(UsageError::UnexpectedDrive { verb, drive });
            }
            (drive, Some(file)) if !verb.takes_file() => {
                return Err(UsageError::UnexpectedFile { verb, drive, file });
            }
            (None, file) if takes_drive && verb != Verb::Check => {
                return Err(UsageError::MissingDrive { verb, file });
            }
            _ => {}
        }
        if let (Some(first), Some(second)) = (self.file.clone(), self.second_file) {
            return Err(UsageError::TwoFiles {
                verb,
                first,
                second,
            });
        }
        let file = |file: Option<OsString>| match file {
            Some(file) => Ok(PathBuf::from(file)),
            None => Err(UsageError::MissingFile { verb, drive }),
        };
        let command = match verb {
            Verb::Read => Command::Read {
                file: file(self.file)?,
            },
            Verb::Write => Command::Write {
                file: file(self.file)?,
            },
            Verb::Verify => Command::Verify {
                file: file(self.file)?,
            },
            Verb::Erase => Command::Erase,
            Verb::Check => Command::Check,
            Verb::List => Command::List,
            Verb::Inspect => Command::Inspect {
                file: file(self.file)?,
            },
        };
        Ok((drives.unwrap_or_default(), command))
    }
}

/// The drives that a word names, or nothing where it is a file.
fn drives(word: &OsStr) -> Result<Option<Vec<DriveName>>, UsageError> {
    let Some(text) = word.to_str() else {
        return Ok(None);
    };
    let node = |kind: &str| {
        let number = text.strip_prefix(kind);
        number.is_some_and(|number| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    if node("sr") || node("sg") {
        let word = text.to_owned();
        return Err(UsageError::BareNode { word });
    }
    let list: Option<Vec<DriveName>> = text.split(',').map(drive).collect();
    match list {
        Some(list) => {
            for (at, drive) in list.iter().enumerate() {
                if list.iter().skip(at + 1).any(|other| other == drive) {
                    return Err(UsageError::SameDriveTwice {
                        word: drive.to_string().into(),
                    });
                }
            }
            Ok(Some(list))
        }
        None if text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b',') =>
        {
            let missing = text.split(',').find(|piece| drive(piece).is_none());
            Err(UsageError::NoSuchIndex {
                word: missing
                    .filter(|piece| !piece.is_empty())
                    .unwrap_or(text)
                    .into(),
            })
        }
        None => Ok(None),
    }
}

/// One drive by index or path. Where a file can be, a path under `/dev` is one.
fn drive(text: &str) -> Option<DriveName> {
    const FILES: [&str; 6] = [
        "/dev/shm/",
        "/dev/fd/",
        "/dev/null",
        "/dev/stdin",
        "/dev/stdout",
        "/dev/stderr",
    ];
    match text {
        "1" => Some(DriveName::Index(1)),
        "2" => Some(DriveName::Index(2)),
        "3" => Some(DriveName::Index(3)),
        "4" => Some(DriveName::Index(4)),
        _ if FILES.iter().any(|file| text.starts_with(file)) => None,
        _ if text.starts_with("/dev/") => Some(DriveName::Path(PathBuf::from(text))),
        _ => None,
    }
}

/// The switches as clap knows them, out of the one table.
fn grammar() -> clap::Command {
    clap::Command::new("mtkflash")
        .no_binary_name(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args(SWITCHES.iter().map(|switch| {
            let arg = Arg::new(switch.long).long(switch.long);
            match switch.value {
                Some(_) => arg
                    .action(ArgAction::Append)
                    .value_parser(clap::value_parser!(OsString)),
                None => arg.action(ArgAction::Count),
            }
        }))
}

/// An error of clap as one of ours.
fn refused(error: &clap::Error) -> UsageError {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => texts.first().cloned(),
        _ => None,
    };
    let word = context(ContextKind::InvalidArg).unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument => UsageError::UnknownSwitch {
            form: context(ContextKind::SuggestedArg).unwrap_or_else(|| "mtkflash /?".to_owned()),
            word: word.into(),
        },
        ErrorKind::TooManyValues => UsageError::NeedlessValue {
            // How clap writes a switch that may be repeated.
            option: word.trim_end_matches("...").to_owned(),
        },
        kind => UsageError::Other {
            reason: format!("{word}: {kind}"),
        },
    }
}

/// Whether every switch goes with the command and with the others.
fn fits(matches: &ArgMatches, verb: Verb, operands: &Operands) -> Result<(), UsageError> {
    let given =
        |switch: &&Switch| matches.value_source(switch.long) == Some(ValueSource::CommandLine);
    for switch in SWITCHES.iter().filter(given) {
        if !switch.verbs.contains(&verb) {
            return Err(UsageError::DoesNotGoWith {
                option: switch.name(),
                verb,
                fits: switch.verbs,
                form: operands.form(verb),
            });
        }
    }
    if matches.get_count("no-backup") > 0 && matches.contains_id("backup") {
        return Err(UsageError::Contradiction {
            first: "--backup",
            second: "--no-backup",
            form: format!("{} --backup before.bin", operands.form(verb)),
        });
    }
    if matches.contains_id("banks") && matches.contains_id("range") {
        return Err(UsageError::Contradiction {
            first: "--banks",
            second: "--range",
            form: format!("{} --banks 0-3", operands.form(verb)),
        });
    }
    Ok(())
}

/// The values of all options.
fn options(matches: &ArgMatches) -> Result<Options, UsageError> {
    let mut options = Options {
        yes: matches.get_count("yes") > 0,
        dry_run: matches.get_count("dry-run") > 0,
        no_backup: matches.get_count("no-backup") > 0,
        ..Options::default()
    };
    for switch in SWITCHES.iter().filter(|switch| switch.value.is_some()) {
        let mut words = matches
            .get_many::<OsString>(switch.long)
            .unwrap_or_default();
        if !switch.repeatable && words.len() > 1 {
            return Err(UsageError::GivenTwice {
                option: switch.long,
                example: switch.example,
            });
        }
        words.try_for_each(|word| value(&mut options, switch, word))?;
    }
    Ok(options)
}

/// Puts one value of one option where it belongs.
fn value(options: &mut Options, switch: &'static Switch, word: &OsStr) -> Result<(), UsageError> {
    if word.is_empty() {
        return Err(UsageError::MissingValue {
            option: switch.long,
            example: switch.example,
        });
    }
    match switch.long {
        "backup" => options.backup = Some(PathBuf::from(word)),
        "sim" => options.sim = Some(PathBuf::from(word)),
        "banks" => options.banks = Some(values::banks(switch, word)?),
        "range" => options.range = Some(values::range(switch, word)?),
        "keep" => options.keep.push(values::range(switch, word)?),
        "size" => options.size = Some(values::size(switch, word)?),
        "wait" => options.wait = Some(values::seconds(switch, word)?),
        "protocol" => {
            options.protocol = Some(values::text(switch, word)?.to_ascii_lowercase());
        }
        "via" => {
            options.via = Some(
                match values::text(switch, word)?.to_ascii_lowercase().as_str() {
                    "sg" => Via::Sg,
                    "ata" => Via::Ata,
                    "port" => Via::Port,
                    _ => return Err(values::bad(switch, word, "the ways are sg, ata and port")),
                },
            );
        }
        "force" => {
            for name in values::text(switch, word)?.split(',') {
                let check = Check::ALL
                    .into_iter()
                    .find(|check| name.eq_ignore_ascii_case(check.name()));
                options
                    .force
                    .insert(check.ok_or_else(|| UsageError::UnknownCheck { word: name.into() })?);
            }
        }
        // A switch of the table that nothing here stores must not pass in silence.
        other => {
            return Err(UsageError::Other {
                reason: format!("--{other} is not known here"),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
