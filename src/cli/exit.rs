//! The exit codes: a promise to scripts, and to whoever asks what happened to
//! the flash.

use std::process::ExitCode;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// What was asked for is done, and checked where it can be.
    Done = 0,
    /// A fault of the tool itself.
    Internal = 1,
    /// The command line makes no sense; nothing was touched.
    Usage = 2,
    /// The drive is not there, somebody else has it, or it may not be opened.
    NoDrive = 3,
    /// A safety check said no before anything changed, or nobody was there to be
    /// asked.
    Refused = 4,
    /// The image file cannot be read or is no firmware.
    BadImage = 5,
    /// The job failed and the flash is as it was.
    FailedUnchanged = 6,
    /// The job failed after the first change to the flash.
    FailedPartly = 7,
    /// Verify worked and found that flash and file differ.
    Different = 8,
    /// What was asked for is done, but what came of it could not be shown.
    Unreported = 9,
    /// A signal (128 + SIGINT) or another answer than YES stopped the job before
    /// the first change.
    Stopped = 130,
}

impl Exit {
    /// Every code, ascending.
    pub const ALL: [Exit; 11] = [
        Exit::Done,
        Exit::Internal,
        Exit::Usage,
        Exit::NoDrive,
        Exit::Refused,
        Exit::BadImage,
        Exit::FailedUnchanged,
        Exit::FailedPartly,
        Exit::Different,
        Exit::Unreported,
        Exit::Stopped,
    ];

    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// Which of several ends is the worst to have: one that changed a flash by
    /// halves before one that changed none.
    pub fn severity(self) -> u8 {
        self.row().0
    }

    /// The code as a word, for programs.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// The code in a few words, as the help lists it.
    pub fn text(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> (u8, &'static str, &'static str) {
        match self {
            Exit::Done => (0, "done", "done"),
            Exit::Unreported => (1, "unreported", "done, but the report could not be shown"),
            Exit::Stopped => (2, "stopped", "stopped by the user before any change"),
            Exit::Usage => (3, "usage", "usage"),
            Exit::Refused => (4, "refused", "refused for safety"),
            Exit::BadImage => (5, "bad-image", "bad image"),
            Exit::NoDrive => (6, "no-drive", "drive not found, busy or not permitted"),
            Exit::FailedUnchanged => (7, "failed-unchanged", "failed, flash unchanged"),
            Exit::Different => (8, "different", "verify found a difference"),
            Exit::Internal => (9, "internal", "internal error"),
            Exit::FailedPartly => (10, "failed-partly", "failed, flash partly written"),
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_severity_is_the_documented_one() {
        let mut worst_first = Exit::ALL;
        worst_first.sort_by_key(|exit| std::cmp::Reverse(exit.severity()));
        let codes: Vec<u8> = worst_first.iter().map(|exit| exit.code()).collect();
        assert_eq!(codes, [7, 1, 8, 6, 3, 5, 4, 2, 130, 9, 0]);
    }

    #[test]
    fn the_codes_are_the_documented_ones() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 130]);
    }
}
