//! What somebody has typed at a question, and why it may be no answer.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::cli::args::{self, DriveName, Request, UsageError};
use crate::job::Check;

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
    /// `--yes`.
    Consent,
    /// Enter, where that would end as before.
    InVain,
    /// Something else where the size of the flash is to be said first.
    NoSize,
    /// A no where a file is to be named.
    No,
}

/// The switches that an answer is. The name of a check alone, as a refusal says it,
/// is one as well where no file is called so.
pub fn switches_of(answer: &str, is_taken: fn(&Path) -> bool) -> Option<String> {
    let first = answer.split_whitespace().next()?;
    if args::is_switch(first.as_ref()) {
        return Some(answer.to_owned());
    }
    let answer = answer.to_ascii_lowercase();
    let name = ["force=", "force "]
        .iter()
        .find_map(|word| answer.strip_prefix(word))
        .unwrap_or(&answer);
    let check = Check::ALL
        .into_iter()
        .find(|check| check.name() == name.trim())?;
    (!is_taken(Path::new(first))).then(|| format!("--force={}", check.name()))
}

/// A command with the words that somebody has typed behind it.
pub fn with_words(request: &Request, words: &str) -> Result<Request, Complaint> {
    let mut all = request.words();
    // A file that is called like a drive or a switch has another name there.
    let alone = args::parse_words(&all).map_err(Complaint::Words)?;
    all.extend(words.split_whitespace().map(OsString::from));
    let typed = args::parse_words(&all).map_err(Complaint::Words)?;
    if typed.options.yes {
        return Err(Complaint::Consent);
    }
    match typed.command == alone.command && typed.drives == alone.drives {
        true => Ok(typed),
        false => Err(Complaint::OtherCommand),
    }
}

/// The one drive that a word names.
pub fn drive_of(word: &str) -> Option<DriveName> {
    let request = args::parse_words(&[word, "c"].map(OsString::from)).ok()?;
    match request.drives.as_slice() {
        [drive] if request.command.verb() == Some(args::Verb::Check) => Some(drive.clone()),
        _ => None,
    }
}

/// A file as typed, or as a terminal pastes it: in quotes.
pub fn named(answer: &str) -> PathBuf {
    let bare = |quote: char| answer.strip_prefix(quote)?.strip_suffix(quote);
    PathBuf::from(bare('\'').or_else(|| bare('"')).unwrap_or(answer))
}
