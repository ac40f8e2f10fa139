//! The commands: their letters and their words.

use std::fmt;

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

    /// Whether a drive is to be named with it, or may be.
    pub(super) fn takes_drive(self) -> bool {
        !matches!(self, Verb::List | Verb::Inspect)
    }

    /// Whether a drive must be named with it: no other is ever taken for it.
    pub(super) fn needs_drive(self) -> bool {
        self.takes_drive() && !matches!(self, Verb::Check | Verb::Revive)
    }

    /// Whether it can be about every drive there is: it changes none.
    pub(super) fn takes_all(self) -> bool {
        matches!(self, Verb::Read | Verb::Verify | Verb::Check)
    }

    pub(super) fn takes_file(self) -> bool {
        matches!(
            self,
            Verb::Read | Verb::Write | Verb::Verify | Verb::Inspect
        )
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
