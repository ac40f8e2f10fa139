//! What can be wrong with a command line. Every message names the word that
//! does not fit; what to type instead is [advice](crate::cli::words::usage).

use std::ffi::{OsStr, OsString};

use super::operands::as_path;
use super::{DriveName, Verb};
use crate::cli::quoting::quoted;
use crate::job::Check;

/// A command line that cannot be understood, or not in one way only.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UsageError {
    #[error("an empty word where a drive, a command or a file should be")]
    EmptyWord,
    #[error("there is no drive {}: drives are 1-4, a path under /dev or a serial number{}", quoted(.word), as_file(.word))]
    NoSuchIndex { word: OsString },
    #[error("drive {} is named twice", quoted(.word))]
    SameDriveTwice { word: OsString },
    #[error("{}: this is no list of drives, all stands alone{}", quoted(.word), as_file(.word))]
    AllInList { word: OsString },
    #[error("the command {verb} is for drives that are named one by one, not for all")]
    AllDrives { verb: Verb, file: Option<OsString> },
    #[error("is {word} a drive or a file? /dev/{word} is the drive, ./{word} a file")]
    BareNode { word: String },
    /// As DOS and Windows name drives.
    #[error("drives are 1-4 or a path under /dev here, not {}{}", quoted(.word), as_file(.word))]
    DriveLetter { word: OsString },
    #[error("two drives, {} and {}: one run takes one, or a list{}", quoted(.first), quoted(.second), as_file(.second))]
    TwoDrives { first: OsString, second: OsString },
    #[error("two commands, {} and {}{}", quoted(.first), quoted(.second), as_file(.second))]
    TwoCommands {
        verb: Verb,
        first: OsString,
        second: OsString,
    },
    #[error("two files, {} and {}: {verb} takes one", quoted(.first), quoted(.second))]
    TwoFiles {
        verb: Verb,
        first: OsString,
        second: OsString,
    },
    #[error("no command: r read, w write, v verify, e erase, c check, l list, i inspect")]
    MissingCommand {
        drives: Vec<DriveName>,
        files: Vec<OsString>,
    },
    #[error("the command {verb} needs a drive: 1-4, a path under /dev or a serial number")]
    MissingDrive { verb: Verb, file: Option<OsString> },
    #[error("the command {verb} needs a file")]
    MissingFile { verb: Verb, drives: Vec<DriveName> },
    #[error("the command {verb} takes no drive, and {} is one{}", quoted(.drive), as_file(.drive))]
    UnexpectedDrive { verb: Verb, drive: OsString },
    #[error("the command {verb} takes no file: {}", quoted(.file))]
    UnexpectedFile {
        verb: Verb,
        drives: Vec<DriveName>,
        file: OsString,
    },
    #[error("- is no file: firmware is read from and written to named files")]
    StandardStream,
    #[error("there is no switch {}{}", quoted(.word), as_file(.word))]
    UnknownSwitch { word: OsString },
    /// `/r`, `-w`: a command dressed as a switch.
    #[error("{} is no switch: commands have no slash and no dash{}", quoted(.word), as_file(.word))]
    CommandAsSwitch { word: OsString, verb: Verb },
    #[error("{} is read as a path: put a blank between switches (a file of that name here: ./{})", quoted(.word), quoted(.word).trim_start_matches('/'))]
    JoinedSwitches { word: OsString },
    /// As a web page or a word processor makes it of a hyphen.
    #[error("the dash of {} is no hyphen{}", quoted(.word), as_file(.word))]
    OtherDash { word: OsString },
    /// `/O first second`, in both readings of `second` where both make sense.
    #[error(
        "/O is not taken, since its second number is a length to some and an end to others: \
        say which bytes to keep by their first and last offset"
    )]
    ClassicKeep {
        as_length: Option<[u32; 2]>,
        as_end: Option<[u32; 2]>,
    },
    #[error("{} chose other ports under DOS; on Linux a SATA drive is named like any other", quoted(.word))]
    ClassicSata { word: OsString },
    #[error("--{option} needs a value: {example}")]
    MissingValue {
        option: &'static str,
        example: &'static str,
    },
    /// A file that begins with a dash.
    #[error("--{option} needs a value, and {} is read as a switch{}", quoted(.word), as_file(.word))]
    SwitchAsValue {
        option: &'static str,
        word: OsString,
    },
    #[error("{option} takes no value")]
    NeedlessValue { option: String },
    #[error("--{option} is given twice")]
    GivenTwice { option: &'static str },
    #[error("--{option} {}: {expected}, as in {example}", quoted(.word))]
    BadValue {
        option: &'static str,
        word: OsString,
        expected: String,
        example: &'static str,
    },
    #[error("--{option} {}: {number} can mean {decimal} ({decimal:#x}) or {hex:#x} ({hex}); nothing is guessed here: {hex:#x} or {hex:x}h is the one, {decimal:#x} the other", quoted(.word))]
    AmbiguousNumber {
        option: &'static str,
        word: OsString,
        number: String,
        decimal: u32,
        hex: u32,
    },
    #[error("--force {}: there is no such check; the checks are {}", quoted(.word), Check::ALL.map(Check::name).join(", "))]
    UnknownCheck { word: OsString },
    /// `--force` and `--force=all`: consent to whatever there may be.
    #[error("--force passes one check, by its name: the refusal that stands in the way names it")]
    NoCheckNamed,
    #[error("{first} and {second} contradict each other")]
    Contradiction {
        first: &'static str,
        second: &'static str,
    },
    #[error("{option} does not go with {verb}, but with {}", letters(.fits))]
    DoesNotGoWith {
        option: &'static str,
        verb: Verb,
        fits: &'static [Verb],
    },
    #[error("{option} does not go without {other}")]
    Missing {
        option: &'static str,
        other: &'static str,
    },
    #[error("{option} is about one file, and several are named")]
    OneFileOnly { option: &'static str },
    #[error("the log would go into a file of another use, {}", quoted(.file))]
    LogIsOtherFile { file: OsString },
    #[error("there is no help on {}", quoted(.word))]
    UnknownTopic { word: OsString },
    /// What the parser below says where nothing above does.
    #[error("{reason}")]
    Other { reason: String },
}

/// How to name a file that is called like something else, as an afterthought;
/// nothing where it can be no file.
fn as_file(word: &OsStr) -> String {
    let bytes = word.as_encoded_bytes();
    if bytes.starts_with(b"/dev/") || bytes.starts_with(b"--") {
        String::new()
    } else {
        format!(" (a file of that name: {})", quoted(&as_path(word)))
    }
}

fn letters(verbs: &[Verb]) -> String {
    let letters: Vec<&str> = verbs.iter().map(|verb| verb.letter()).collect();
    letters.join(", ")
}
