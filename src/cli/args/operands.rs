//! The words of a command line that are no switches: command, drives and file.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use super::{Command, DriveName, UsageError, Verb, words};
use crate::drive::PortName;

/// Drives, command and file of a command line, as far as they are there.
#[derive(Debug, Default)]
pub(super) struct Operands {
    verb: Option<(Verb, OsString)>,
    drives: Option<(Vec<DriveName>, OsString)>,
    files: Vec<OsString>,
}

impl Operands {
    /// From the words as typed, and those that are files whatever they are called.
    pub fn of(words: &[OsString], files: Vec<OsString>) -> Result<Operands, UsageError> {
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
            } else {
                operands.files.push(word.clone());
            }
        }
        if files.iter().any(|file| file.is_empty()) {
            return Err(UsageError::EmptyWord);
        }
        operands.files.extend(files);
        Ok(operands)
    }

    fn file(&self) -> Option<&OsString> {
        self.files.first()
    }

    pub fn count_files(&self) -> usize {
        self.files.len()
    }

    /// Whether a word is taken for a file without further ado.
    pub fn is_plain_file(word: &OsStr) -> bool {
        !words::is_switch(word)
            && Operands::of(&[word.to_owned()], Vec::new())
                .is_ok_and(|operands| operands.files == [word])
    }

    pub fn verb(&self) -> Result<Verb, UsageError> {
        match self.verb {
            Some((verb, _)) => Ok(verb),
            None => Err(UsageError::MissingCommand {
                drives: self.drives.clone().unzip().0.unwrap_or_default(),
                file: self.file().cloned(),
            }),
        }
    }

    pub fn command(self, verb: Verb) -> Result<(Vec<DriveName>, Command), UsageError> {
        let (drives, drive) = self.drives.unzip();
        let drives = drives.unwrap_or_default();
        let first = self.files.first().cloned();
        if drive.is_none() && verb.takes_drive() {
            let spare = self.files.len() > usize::from(verb.takes_file());
            let letter = |alone| self.files.iter().find(|word| is_drive_letter(word, alone));
            if let Some(word) = letter(false).or_else(|| letter(true).filter(|_| spare)) {
                let word = word.clone();
                return Err(UsageError::DriveLetter { word });
            }
        }
        match (drive, first.clone()) {
            (Some(drive), _) if !verb.takes_drive() => {
                return Err(UsageError::UnexpectedDrive { verb, drive });
            }
            (_, Some(file)) if !verb.takes_file() => {
                return Err(UsageError::UnexpectedFile { verb, drives, file });
            }
            (None, file) if verb.needs_drive() => {
                return Err(UsageError::MissingDrive { verb, file });
            }
            _ => {}
        }
        if let ([first, second, ..], false) = (&self.files[..], verb == Verb::Inspect) {
            return Err(UsageError::TwoFiles {
                verb,
                first: first.clone(),
                second: second.clone(),
            });
        }
        let file = |file: Option<OsString>| match file {
            Some(file) => Ok(PathBuf::from(file)),
            None => Err(UsageError::MissingFile {
                verb,
                drives: drives.clone(),
            }),
        };
        let command = match verb {
            Verb::Read => Command::Read { file: file(first)? },
            Verb::Write => Command::Write { file: file(first)? },
            Verb::Verify => Command::Verify { file: file(first)? },
            Verb::Erase => Command::Erase,
            Verb::Check => Command::Check,
            Verb::List => Command::List,
            Verb::Inspect => {
                file(first)?;
                let files = self.files.into_iter().map(PathBuf::from).collect();
                Command::Inspect { files }
            }
            Verb::Revive => Command::Revive,
        };
        Ok((drives, command))
    }
}

/// Whether a word is a drive to DOS and Windows: `E:`, and `X` alone where no
/// other word could be meant by it.
fn is_drive_letter(word: &OsStr, alone: bool) -> bool {
    let Some(text) = word.to_str() else {
        return false;
    };
    let mut letters = text.trim_end_matches(['\\', '/']).chars();
    match (letters.next(), letters.next(), letters.next()) {
        (Some(letter), Some(':'), None) => letter.is_ascii_alphabetic(),
        (Some(letter), None, None) => alone && letter.is_ascii_alphabetic(),
        _ => false,
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

/// One drive by index, path or port. Where a file can be, a path under `/dev` is one.
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
        _ => PortName::parse(text).map(DriveName::Port),
    }
}
