//! The words of a command line that are no switches: command, drives and file.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::{Command, DriveName, UsageError, Verb, words};
use crate::drive::PortName;

/// Drives, command and file of a command line, as far as they are there.
#[derive(Debug, Default)]
pub(super) struct Operands {
    verb: Option<(Verb, OsString)>,
    /// None for `all`.
    drives: Option<(Vec<DriveName>, OsString)>,
    files: Vec<OsString>,
    /// How many of the files stand before the command, where a drive is typed.
    leading: usize,
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
                operands.leading = operands.files.len();
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
        if let Some(drives) = operands.serials(files.len()) {
            operands.drives = Some((drives, operands.files.remove(0)));
        }
        operands.files.extend(files);
        Ok(operands)
    }

    /// A serial number looks like a file: it is a drive where none is named and
    /// there is a name more than the command takes files, the first of them. Before the
    /// command it may be any word.
    fn serials(&self, files: usize) -> Option<Vec<DriveName>> {
        let (verb, _) = self.verb.as_ref()?;
        let taken = usize::from(verb.takes_file() && files == 0);
        let is_drive = verb.takes_drive() && self.drives.is_none() && self.files.len() > taken;
        let words = self
            .files
            .first()
            .filter(|_| is_drive)?
            .to_str()?
            .split(',');
        let is_leading = self.leading > 0;
        let is_serial = |word: &str| is_serial(word) || is_leading && may_be_serial(word);
        let serial = |word: &str| is_serial(word).then(|| DriveName::Serial(word.to_owned()));
        let drives = words.map(|word| drive(word).or_else(|| serial(word)));
        drives.collect()
    }

    /// Whether every drive there is was asked for by `all`.
    pub fn is_about_all(&self) -> bool {
        let named = self.drives.as_ref();
        named.is_some_and(|(drives, _)| drives.is_empty())
    }

    pub fn count_files(&self) -> usize {
        self.files.len()
    }

    /// A file as a word that is taken for nothing else, wherever switches are put
    /// beside it: `3` as `./3`, `/m` as `/./m`.
    pub fn file_word(file: &OsStr) -> OsString {
        match Operands::is_plain_file(file) {
            true => file.to_owned(),
            false => as_path(file),
        }
    }

    /// Whether a word is taken for a file without further ado.
    fn is_plain_file(word: &OsStr) -> bool {
        !words::is_switch(word)
            && Operands::of(&[word.to_owned()], Vec::new())
                .is_ok_and(|operands| operands.files == [word])
    }

    pub fn verb(&self) -> Result<Verb, UsageError> {
        match self.verb {
            Some((verb, _)) => Ok(verb),
            None => Err(UsageError::MissingCommand {
                drives: self.drives.clone().unzip().0.unwrap_or_default(),
                files: self.files.clone(),
            }),
        }
    }

    pub fn command(self, verb: Verb) -> Result<(Vec<DriveName>, Command), UsageError> {
        let is_all = self.is_about_all();
        let (drives, drive) = self.drives.unzip();
        let drives = drives.unwrap_or_default();
        let first = self.files.first().cloned();
        if drive.is_none() && verb.takes_drive() {
            let spare = self.files.len() > usize::from(verb.takes_file());
            // What stands before the command is the drive.
            let candidates = match self.leading {
                0 => self.files.len(),
                leading => leading,
            };
            let letter = |alone| {
                let mut words = self.files.iter().take(candidates);
                words.find(|word| is_drive_letter(word, alone))
            };
            if let Some(word) = letter(false).or_else(|| letter(true).filter(|_| spare)) {
                let word = word.clone();
                return Err(UsageError::DriveLetter { word });
            }
            if let (true, Some(word)) = (self.leading > 0 || !verb.takes_file(), &first) {
                if spare {
                    let word = word.clone();
                    return Err(UsageError::NoSuchIndex { word });
                }
            }
        }
        match (drive, first.clone()) {
            (Some(drive), _) if !verb.takes_drive() => {
                return Err(UsageError::UnexpectedDrive { verb, drive });
            }
            (Some(_), file) if is_all && !verb.takes_all() => {
                return Err(UsageError::AllDrives { verb, file });
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
        let file = match first {
            None if verb.takes_file() => return Err(UsageError::MissingFile { verb, drives }),
            file => PathBuf::from(file.unwrap_or_default()),
        };
        let mut command = Command::of(verb, file);
        if let Command::Inspect { files } = &mut command {
            *files = self.files.into_iter().map(PathBuf::from).collect();
        }
        Ok((drives, command))
    }
}

/// The file of a word that is read as something else, by another name of its own.
pub(super) fn as_path(word: &OsStr) -> OsString {
    let (folder, name) = match word.as_bytes().strip_prefix(b"/") {
        Some(name) => ("/./", OsStr::from_bytes(name)),
        None => ("./", word),
    };
    let mut path = OsString::from(folder);
    path.push(name);
    path
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
    if text.eq_ignore_ascii_case(ALL) {
        return Ok(Some(Vec::new()));
    }
    let is_all = |piece: &str| piece.eq_ignore_ascii_case(ALL);
    let may_be_drive = |piece: &str| {
        let is_named = drives_of_piece(piece).is_some() || is_like_an_index(piece);
        is_named || is_serial(piece) || is_all(piece)
    };
    if text.split(',').any(is_all) && text.split(',').all(may_be_drive) {
        return Err(UsageError::AllInList { word: word.into() });
    }
    let list: Option<Vec<Vec<DriveName>>> = text.split(',').map(drives_of_piece).collect();
    match list {
        Some(list) => {
            let list = list.concat();
            for (at, drive) in list.iter().enumerate() {
                if list.iter().skip(at + 1).any(|other| other == drive) {
                    return Err(UsageError::SameDriveTwice {
                        word: drive.to_string().into(),
                    });
                }
            }
            Ok(Some(list))
        }
        None if text.split(',').all(is_like_an_index) => {
            let missing = text
                .split(',')
                .find(|piece| drives_of_piece(piece).is_none());
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

/// Every drive there is.
pub(super) const ALL: &str = "all";

/// `3`, or `1-4`: one drive or several.
pub(super) fn drives_of_piece(text: &str) -> Option<Vec<DriveName>> {
    if let Some(drive) = drive(text) {
        return Some(vec![drive]);
    }
    let index = |text: &str| text.parse::<u8>().ok().filter(|_| drive(text).is_some());
    let (first, last) = text.split_once('-')?;
    let (first, last) = (index(first)?, index(last)?);
    (first <= last).then(|| (first..=last).map(DriveName::Index).collect())
}

/// Whether a word can have been meant for one index or several, and for nothing
/// else: `5`, `4-1`, and what is before or behind a comma by mistake. Longer
/// numbers may be serial numbers.
fn is_like_an_index(text: &str) -> bool {
    let is_number = |text: &str| {
        text.len() < SHORTEST_NUMBER
            && text.bytes().all(|byte| byte.is_ascii_digit())
            && !has_leading_zero(text)
    };
    match text.split_once('-') {
        Some((first, last)) => {
            first.len() == 1 && last.len() == 1 && is_number(first) && is_number(last)
        }
        None => is_number(text),
    }
}

/// Digits from which on a number is no mistyped index.
const SHORTEST_NUMBER: usize = 4;

/// `0001`: nobody counts drives so, and drives say such serial numbers.
fn has_leading_zero(text: &str) -> bool {
    text.len() > 1 && text.starts_with('0')
}

/// A serial number, as drives have them: letters and digits, some digits among
/// them. What looks otherwise is no drive.
fn is_serial(text: &str) -> bool {
    const SHORTEST: usize = 4;
    let is_part = |letter: u8| letter.is_ascii_alphanumeric() || b"-_".contains(&letter);
    let is_number = text.bytes().all(|letter| letter.is_ascii_digit());
    !text.starts_with('-')
        && text.bytes().all(is_part)
        && text.bytes().any(|letter| letter.is_ascii_digit())
        && !is_like_an_index(text)
        && (text.len() >= SHORTEST || is_number && has_leading_zero(text))
}

/// Some drives have letters alone, and few of them, or blanks and signs between them:
/// what is listed as a drive's serial number names it. Whether there is such a drive is
/// seen when it is looked for.
fn may_be_serial(text: &str) -> bool {
    const SHORTEST: usize = 2;
    let is_part =
        |letter: u8| letter.is_ascii_graphic() && !b"/\\".contains(&letter) || letter == b' ';
    text.len() >= SHORTEST
        && !text.starts_with('-')
        && text.trim() == text
        && text.bytes().all(is_part)
        && text.bytes().any(|letter| letter.is_ascii_alphabetic())
        && !is_drive_letter(OsStr::new(text), true)
        && !is_like_a_file(text)
}

/// `bys1.bin`: a dot, and letters behind it.
fn is_like_a_file(text: &str) -> bool {
    const LONGEST: usize = 4;
    text.rsplit_once('.').is_some_and(|(_, end)| {
        !end.is_empty()
            && end.len() <= LONGEST
            && end.bytes().all(|letter| letter.is_ascii_alphabetic())
    })
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
