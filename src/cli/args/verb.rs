//! The commands: their letters, their words and the lines to type.

use std::ffi::OsStr;
use std::fmt;

use super::shown;

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
    Revive,
}

impl Verb {
    pub const ALL: [Verb; 8] = [
        Verb::Read,
        Verb::Write,
        Verb::Verify,
        Verb::Erase,
        Verb::Check,
        Verb::List,
        Verb::Inspect,
        Verb::Revive,
    ];

    /// How it is typed: a letter, but for the one that has none.
    pub fn letter(self) -> &'static str {
        match self {
            Verb::Read => "r",
            Verb::Write => "w",
            Verb::Verify => "v",
            Verb::Erase => "e",
            Verb::Check => "c",
            Verb::List => "l",
            Verb::Inspect => "i",
            Verb::Revive => "revive",
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
            Verb::Revive => "revive",
        }
    }

    /// The command with this letter or word, in any case.
    pub(super) fn named(word: &str) -> Option<Verb> {
        Verb::ALL.into_iter().find(|verb| {
            word.eq_ignore_ascii_case(verb.letter()) || word.eq_ignore_ascii_case(verb.word())
        })
    }

    pub(super) fn takes_file(self) -> bool {
        matches!(
            self,
            Verb::Read | Verb::Write | Verb::Verify | Verb::Inspect
        )
    }

    /// The command as a whole line to type. What the user has not named stays a
    /// placeholder: no drive is ever proposed for a write.
    pub(super) fn form(self) -> String {
        self.form_with(None, None)
    }

    /// As [`Verb::form`], with what the user has named already.
    pub(super) fn form_with(self, drive: Option<&OsStr>, file: Option<&OsStr>) -> String {
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
            Verb::Revive => format!("mtkflash {drive} revive"),
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verb::Revive => f.write_str(self.word()),
            _ => write!(f, "{} ({})", self.letter(), self.word()),
        }
    }
}
