//! What can be wrong with a command line. Every message names the word that
//! does not fit and ends in the right form to type.

use std::ffi::{OsStr, OsString};

use super::Verb;
use crate::job::Check;

/// A command line that cannot be understood, or not in one way only.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UsageError {
    #[error("an empty word where a drive, a command or a file should be\nType: {}", Verb::Read.form())]
    EmptyWord,
    #[error("there is no drive {}: drives are 1-4 or a path under /dev{}\n\
        Type: mtkflash l", shown(.word), as_file(.word))]
    NoSuchIndex { word: OsString },
    #[error("drive {} is named twice\nType: {}", shown(.word), Verb::Check.form_with(Some(.word), None))]
    SameDriveTwice { word: OsString },
    #[error("is {word} a drive or a file?\nType: /dev/{word} for the drive, ./{word} for a file")]
    BareNode { word: String },
    #[error("two drives, {} and {}: one run takes one{}\n\
        Type: {}", shown(.first), shown(.second), as_file(.second), Verb::Check.form_with(Some(.first), None))]
    TwoDrives { first: OsString, second: OsString },
    #[error("two commands, {} and {}{}\n\
        Type: {}", shown(.first), shown(.second), as_file(.second), .verb.form())]
    TwoCommands {
        verb: Verb,
        first: OsString,
        second: OsString,
    },
    #[error("two files, {} and {}: {verb} takes one\n\
        Type: {}", shown(.first), shown(.second), .verb.form())]
    TwoFiles {
        verb: Verb,
        first: OsString,
        second: OsString,
    },
    #[error("no command: r read, w write, v verify, e erase, c check, l list, i inspect\n\
        Type: {}", missing_command(.drive.as_deref(), .file.as_deref()))]
    MissingCommand {
        drive: Option<OsString>,
        file: Option<OsString>,
    },
    #[error("{verb} needs a drive: 1-4 or a path under /dev; `mtkflash l` lists them\n\
        Type: {}", .verb.form_with(None, .file.as_deref()))]
    MissingDrive { verb: Verb, file: Option<OsString> },
    #[error("{verb} needs a file\nType: {}", .verb.form_with(.drive.as_deref(), None))]
    MissingFile { verb: Verb, drive: Option<OsString> },
    #[error("{verb} takes no drive, and {} is one{}\n\
        Type: {}", shown(.drive), as_file(.drive), .verb.form())]
    UnexpectedDrive { verb: Verb, drive: OsString },
    #[error("{verb} takes no file: {}\nType: {}", shown(.file), .verb.form_with(.drive.as_deref(), None))]
    UnexpectedFile {
        verb: Verb,
        drive: Option<OsString>,
        file: OsString,
    },
    #[error("- is no file: firmware is read from and written to named files\nType: {}", Verb::Read.form())]
    StandardStream,
    #[error("there is no switch {}{}\nType: {form}", shown(.word), as_file(.word))]
    UnknownSwitch { word: OsString, form: String },
    #[error("{} is read as a path: put a space between switches\n\
        Type: /m /b (or ./{} for a file of that name here)", shown(.word), shown(.word).trim_start_matches('/'))]
    JoinedSwitches { word: OsString },
    #[error(
        "/O is not taken, since its second number is a length to some and an end to others: \
        say which bytes to keep by their first and last offset\nType: {form}"
    )]
    ClassicKeep { form: String },
    #[error("{} chose other ports under DOS; on Linux a SATA drive is named like any other\n\
        Type: mtkflash l", shown(.word))]
    ClassicSata { word: OsString },
    #[error("--{option} needs a value\nType: {example}")]
    MissingValue {
        option: &'static str,
        example: &'static str,
    },
    #[error("{option} takes no value\nType: {option}")]
    NeedlessValue { option: String },
    #[error("--{option} is given twice\nType: {example}")]
    GivenTwice {
        option: &'static str,
        example: &'static str,
    },
    #[error("--{option} {}: {expected}\nType: {example}", shown(.word))]
    BadValue {
        option: &'static str,
        word: OsString,
        expected: String,
        example: &'static str,
    },
    #[error("--{option} {}: {number} can mean {decimal} ({decimal:#x}) or {hex:#x} ({hex}); nothing is guessed here\n\
        Type: {hex:#x} or {hex:x}h, or {decimal:#x}", shown(.word))]
    AmbiguousNumber {
        option: &'static str,
        word: OsString,
        number: String,
        decimal: u32,
        hex: u32,
    },
    #[error("--force {}: there is no such check; the checks are {}\nType: --force=model", shown(.word), Check::ALL.map(Check::name).join(", "))]
    UnknownCheck { word: OsString },
    #[error("{first} and {second} contradict each other\nType: {form}")]
    Contradiction {
        first: &'static str,
        second: &'static str,
        form: String,
    },
    #[error("{option} does not go with {verb}, but with {}\nType: {form}", letters(.fits))]
    DoesNotGoWith {
        option: &'static str,
        verb: Verb,
        fits: &'static [Verb],
        form: String,
    },
    #[error("{option} does not go without {other}\nType: {form}")]
    Missing {
        option: &'static str,
        other: &'static str,
        form: String,
    },
    #[error("--{option} is about one file, and several are named\nType: {form}")]
    OneFileOnly { option: &'static str, form: String },
    #[error("the backup would go into the image itself, {}\n\
        Type: --backup before.bin", shown(.file))]
    BackupIsImage { file: OsString },
    #[error("the log would go into a file of another use, {}\n\
        Type: --log mtkflash.log", shown(.file))]
    LogIsOtherFile { file: OsString },
    /// What the parser below says where nothing above does.
    #[error("{reason}\nType: mtkflash /?")]
    Other { reason: String },
}

/// A word as the user can type it again: quoted where a shell would split it,
/// escaped where a terminal would act on it.
pub fn shown(word: &OsStr) -> String {
    let text = word.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "._-/,:=+@%".contains(c);
    if text.chars().any(char::is_control) {
        format!("{text:?}")
    } else if text.is_empty() || !text.chars().all(|c| plain(c) || c == '\u{fffd}') {
        format!("'{}'", text.replace('\'', r"'\''"))
    } else {
        text.into_owned()
    }
}

/// How to name a file that is called like something else, as an afterthought;
/// nothing where it can be no file.
fn as_file(word: &OsStr) -> String {
    let bytes = word.as_encoded_bytes();
    if bytes.starts_with(b"/dev/") || bytes.starts_with(b"--") {
        String::new()
    } else if bytes.starts_with(b"/") {
        format!(" (a file of that name: -- {})", shown(word))
    } else {
        let mut path = OsString::from("./");
        path.push(word);
        format!(" (a file of that name: {})", shown(&path))
    }
}

fn missing_command(drive: Option<&OsStr>, file: Option<&OsStr>) -> String {
    match (drive, file) {
        (Some(_), None) => Verb::Check.form_with(drive, None),
        (None, Some(_)) => Verb::Inspect.form_with(None, file),
        (_, _) => Verb::Verify.form_with(drive, file),
    }
}

fn letters(verbs: &[Verb]) -> String {
    let letters: Vec<&str> = verbs.iter().map(|verb| verb.letter()).collect();
    letters.join(", ")
}
