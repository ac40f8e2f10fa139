//! Who is told what, and how, as the command line asks for it.

use std::ffi::OsString;

use super::args;

/// Who is told what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Manner {
    /// Standard output gets one JSON object and nothing else.
    pub json: bool,
    /// Standard error gets what happens, a line of JSON each, and but for a
    /// question nothing else.
    pub events: bool,
    /// Nothing is said that is no result, question, warning or failure.
    pub quiet: bool,
    /// One line after another: no bars and countdowns, also on a terminal.
    pub plain: bool,
}

impl Manner {
    /// By the words of a command line, also where they make no sense otherwise.
    pub fn asked_for(words: &[OsString]) -> Manner {
        let asks = |option: &str| args::ask_for(option, words);
        Manner {
            json: asks("--json"),
            events: asks("--events"),
            quiet: asks("--quiet"),
            plain: asks("--plain"),
        }
    }
}
