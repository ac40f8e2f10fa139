//! Every way to fail, as its user reads it: what happened, what happened to
//! the flash, and what to type next.

mod file;

use std::ffi::OsStr;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::args::Command;
use super::exit::Exit;
use super::report;
use super::typed::Typed;
use crate::flash::Bank;
use crate::image::{LoadError, bank_path};
use crate::job::change::ChangeError;
use crate::job::{Check, FlashState, JobError, Refusal};
use crate::protocol::DeviceError;
use crate::protocol::packet::PacketError;
use crate::transport::{TaskFileError, TransportError};

/// An end that is no success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub exit: Exit,
    /// One or more whole sentences.
    pub what: String,
    /// What the flash holds now.
    pub flash: String,
    /// Commands to type, and words about them; a line each.
    pub next: Vec<String>,
}

const UNCHANGED: &str = "Nothing was changed.";
const UNCONFIRMED: &str = "All of it was written, and it could not be confirmed that it is right.";

/// What helps against a file that is damaged.
pub const GET_IT_AGAIN: &str =
    "Get the file again, and compare its size and checksum with those of its source.";

impl Failure {
    pub fn new(exit: Exit, what: impl Into<String>) -> Failure {
        Failure {
            exit,
            what: what.into(),
            flash: UNCHANGED.to_owned(),
            next: Vec::new(),
        }
    }

    pub fn next(mut self, line: impl Into<String>) -> Failure {
        self.next.push(line.into());
        self
    }

    /// As shown on standard error, line break included.
    pub fn text(&self) -> String {
        let mut text = format!("mtkflash: {}\n", self.what);
        if !self.flash.is_empty() {
            let _ = writeln!(text, "Flash     {}", self.flash);
        }
        for (number, line) in self.next.iter().enumerate() {
            let label = if number == 0 { "Next" } else { "" };
            let _ = writeln!(text, "{label:<10}{line}");
        }
        text
    }

    /// A job that would take hours; `at_ports` is the drive's position, where the
    /// legacy ports lead to it, too.
    pub fn slow(refusal: &Refusal, at_ports: Option<u8>, typed: &Typed) -> Failure {
        let mut failure = Failure::new(Exit::Refused, sentence(&refusal.to_string()));
        if let Some(position) = at_ports {
            failure = failure
                .next("On an IDE port of the computer it takes minutes, by the legacy ports:")
                .next(typed.at(position).by("port"));
        }
        failure
            .next("If you have the time:")
            .next(typed.with("--force=slow"))
    }

    pub fn load(error: &LoadError, typed: &Typed) -> Failure {
        match error {
            LoadError::Missing { path, .. } if !other_letters(path).is_empty() => {
                let failure = Failure::new(Exit::BadImage, ended(error.to_string()))
                    .next("Linux tells small letters from capitals. This one is there:");
                other_letters(path)
                    .iter()
                    .map(|found| typed.with_file(path, found))
                    .fold(failure, Failure::next)
            }
            LoadError::Ambiguous { .. } => {
                Failure::new(Exit::BadImage, sentence(&error.to_string()))
            }
            LoadError::Missing { .. }
            | LoadError::Directory { .. }
            | LoadError::NotAFile { .. }
            | LoadError::Unreadable { .. } => {
                Failure::new(Exit::BadImage, ended(error.to_string()))
                    .next("Name the file that holds the image; to look at one without any drive:")
                    .next("mtkflash i FILE")
            }
            _ => Failure::new(Exit::BadImage, ended(error.to_string())).next(GET_IT_AGAIN),
        }
    }

    /// A job that changes nothing, or was not yet changing anything.
    pub fn job(error: &JobError, typed: &Typed) -> Failure {
        let failure = match error {
            JobError::Refused(refusal) => return refused(refusal, typed),
            JobError::File(error) => return Failure::file(error, error.path(), typed),
            JobError::Image(problem) => {
                return Failure::new(Exit::BadImage, sentence(problem))
                    .next("To see what is in the file:")
                    .next(typed.inspect());
            }
            JobError::Stopped => {
                return Failure::new(Exit::Stopped, "Stopped.")
                    .next("To begin again:")
                    .next(typed.same());
            }
            JobError::Unstable { .. } => {
                Failure::new(exit_of(&error.flash()), sentence(&error.to_string())).next(
                    "Check cable and power of the drive, leave it off for a minute, then type the \
                     same again:",
                )
            }
            JobError::Device { source, .. } => {
                let failure = Failure::new(exit_of(&error.flash()), sentence(&source.to_string()));
                advice(source, failure, typed)
            }
        };
        let failure = failure.about_flash(&error.flash(), None);
        match error {
            JobError::Device {
                source: DeviceError::EntryRefused { .. },
                ..
            } => match typed.without_wait() {
                Some(line) => failure
                    .next("Without the wait, when the drive has been prepared already:")
                    .next(line),
                None => failure,
            },
            _ => failure.next(typed.same()),
        }
    }

    /// A job that was changing the flash; `backup` is the file with the way back.
    pub fn change(error: &ChangeError, typed: &Typed, backup: Option<&Path>) -> Failure {
        let state = error.flash();
        let failure = match error {
            ChangeError::Job(error) if state == FlashState::Unchanged => {
                return Failure::job(error, typed).keeping(backup);
            }
            ChangeError::Job(JobError::Device { source, .. }) => {
                Failure::new(exit_of(&state), sentence(&source.to_string()))
            }
            ChangeError::Job(error) => Failure::new(exit_of(&state), sentence(&error.to_string())),
            ChangeError::OtherIdentity { .. } => {
                Failure::new(exit_of(&state), sentence(&error.to_string()))
            }
            ChangeError::Different(difference) => Failure::new(
                Exit::Different,
                format!(
                    "Everything was written, but reads back differently: {}.",
                    report::difference(difference)
                ),
            ),
        };
        let is_gone = matches!(
            error,
            ChangeError::Job(JobError::Device { source, .. }) if has_vanished(source)
        );
        let again = match (&state, is_gone) {
            (FlashState::InDoubt { .. }, false) => {
                "Leave the drive on. Type the same again: all of it is sent once more:"
            }
            (FlashState::InDoubt { .. }, true) => {
                "Check the drive's power and cable. When it is back, type the same again: all of it is \
                 sent once more:"
            }
            (_, false) => {
                "Leave drive and computer on. Type the same again: it goes on where this run ended:"
            }
            (_, true) => {
                "Check the drive's power and cable. When it is back, type the same again: it goes on \
                 where this run ended:"
            }
        };
        let mut failure = failure.about_flash(&state, backup);
        if let ChangeError::Different(difference) = error {
            failure.flash = failure.flash.replacen(
                UNCONFIRMED,
                &format!(
                    "All of it was written, but not all of it is right: see {}.",
                    report::banks(&difference.banks)
                ),
                1,
            );
        }
        let mut failure = failure.next(again).next(typed.same());
        let is_open = matches!(state, FlashState::Partly { .. } | FlashState::Written);
        if is_open && !is_gone {
            failure = failure
                .next("Only if the drive does not answer then: switch the drive, not the computer, off and")
                .next("on, and type it once more. (A drive inside the computer goes off with it: pull its")
                .next("power plug and put it back.)");
        }
        match backup {
            Some(backup) => failure
                .next("Or go back to what was in the drive before:")
                .next(typed.restore(backup)),
            None => failure,
        }
    }

    /// Says where the way back is that was made before nothing was changed.
    pub fn keeping(mut self, backup: Option<&Path>) -> Failure {
        if let Some(backup) = backup {
            let _ = write!(self.flash, "\n{:<10}{}", "Kept", backup.display());
        }
        self
    }

    /// Another answer than YES.
    pub fn denied(typed: &Typed) -> Failure {
        Failure::new(Exit::Refused, "The answer was not YES, in capitals.")
            .next("To be asked again:")
            .next(typed.same())
    }

    /// A question that nobody is there to answer.
    pub fn nobody_to_ask(question: &str, typed: &Typed) -> Failure {
        Failure::new(
            Exit::Refused,
            format!("{question}\nThere is no terminal to ask for YES at."),
        )
        .next("In a script, say yes in advance:")
        .next(typed.with("--yes"))
    }

    /// A job that went well, and nobody was told so.
    pub fn unreported(command: &Command, error: &str, typed: &Typed) -> Failure {
        let done = match command {
            Command::Read { .. } => "The file is complete, but the report on it",
            Command::Write { .. } | Command::Erase => {
                "What was asked for is done, but the report on it"
            }
            _ => "The report",
        };
        let failure = Failure {
            flash: String::new(),
            ..Failure::new(
                Exit::Internal,
                format!("{done} could not be written: {error}."),
            )
        };
        match command {
            Command::Write { .. } => failure
                .next("To compare the flash with the file once more:")
                .next(typed.verify()),
            _ => failure,
        }
    }

    fn about_flash(mut self, state: &FlashState, backup: Option<&Path>) -> Failure {
        self.flash = match state {
            FlashState::Unchanged => UNCHANGED.to_owned(),
            FlashState::Written => UNCONFIRMED.to_owned(),
            FlashState::InDoubt { taken, of } if taken == of => {
                "The drive has taken all of it and programs by itself; whether it holds the new \
                 firmware now, the old one or part of either is not known."
                    .to_owned()
            }
            FlashState::InDoubt { taken, of } => format!(
                "The drive has taken {taken} of {of} banks and programs by itself; whether it \
                 holds the old firmware now or part of the new one is not known."
            ),
            FlashState::Partly {
                written,
                begun,
                untouched,
            } => {
                let parts = [
                    (written, "written"),
                    (begun, "perhaps half-written"),
                    (untouched, "as before"),
                ];
                let parts: Vec<String> = parts
                    .into_iter()
                    .filter(|(list, _)| !list.is_empty())
                    .map(|(list, what)| {
                        let verb = if list.len() == 1 { "is" } else { "are" };
                        format!("{} {verb} {what}", report::banks(list))
                    })
                    .collect();
                format!("Partly written: {}.", parts.join("; "))
            }
        };
        if let Some(backup) = backup {
            let _ = write!(
                self.flash,
                "\n          Its old content is in {}.",
                backup.display()
            );
        }
        self
    }
}

/// Files beside `path`, one image or its first bank, that have its name in other
/// letters.
fn other_letters(path: &Path) -> Vec<PathBuf> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let names = [path.to_owned(), bank_path(path, Bank(0))];
    let is_named = |found: &OsStr| {
        let mut names = names.iter().filter_map(|name| name.file_name());
        names.any(|name| name.eq_ignore_ascii_case(found))
    };
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name())
        .filter(|found| is_named(found))
        .map(|found| path.with_file_name(found))
        .collect();
    found.sort();
    found
}

/// The exit code of a failure that leaves the flash so.
fn exit_of(state: &FlashState) -> Exit {
    match state {
        FlashState::Unchanged => Exit::FailedUnchanged,
        FlashState::Partly { .. } | FlashState::InDoubt { .. } | FlashState::Written => {
            Exit::FailedPartly
        }
    }
}

fn refused(refusal: &Refusal, typed: &Typed) -> Failure {
    let failure = Failure::new(Exit::Refused, sentence(&refusal.to_string()));
    match refusal {
        Refusal::Check {
            check: Check::Family,
            ..
        } if !typed.changes() => failure
            .next("The tool knows the protocol by the drive's name:")
            .next(typed.without_protocol())
            .next("A strange command can hang the drive. If you know better:")
            .next(typed.with("--force=family")),
        Refusal::Check {
            check: check @ (Check::Model | Check::Family | Check::Banner | Check::Structure),
            ..
        } => failure
            .next("Get the firmware for this very drive, and look at it:")
            .next("mtkflash i FILE")
            .next(match check {
                Check::Structure => "Damaged firmware leaves the drive dead. If you know better:",
                _ => "Firmware of other hardware leaves the drive dead. If you know better:",
            })
            .next(typed.asking_with(&format!("--force={}", check.name()))),
        Refusal::Check {
            check: Check::Blank,
            ..
        } if typed.changes() => failure
            .next("If the flash has been erased, there is nothing to lose:")
            .next(typed.without_backup()),
        Refusal::Check {
            check: Check::Unstable,
            ..
        } => failure
            .next("Check cable and power of the drive, then type the same again:")
            .next(typed.same())
            .next("To go on all the same, with a backup that may be wrong:")
            .next(typed.asking_with("--force=unstable")),
        Refusal::Check { check, .. } => failure
            .next("If you are sure all the same:")
            .next(typed.with(&format!("--force={}", check.name()))),
        Refusal::Nameless { .. } => failure
            .next("Firmware of other hardware leaves the drive dead. If that is what the drive's label")
            .next("says, type:")
            .next(typed.asking_with("--force=model"))
            .next("If it is not, get the firmware for this very drive."),
        Refusal::Unfinished { backup, .. } => failure
            .next("Put back what was in the drive before, and then type the same again:")
            .next(typed.restore(backup))
            .next("If that is another drive's business, or you can do without what was there:")
            .next(typed.with("--force=interrupted")),
        Refusal::NoCopy { .. } => failure
            .next("If the write were interrupted, those bytes would be lost. Leave --no-backup out."),
        Refusal::Unable(_) => failure
            .next("To see what this drive is:")
            .next(typed.check()),
        Refusal::NoBackupPossible { .. } => failure
            .next("If you can do without a way back:")
            .next(typed.without_backup()),
    }
}

/// Why a command did not reach the drive, where that is the reason.
fn lost_on_the_way(error: &DeviceError) -> Option<&TransportError> {
    match error {
        DeviceError::Transport { source, .. }
        | DeviceError::TaskFile {
            source: TaskFileError::Transport(source),
            ..
        }
        | DeviceError::Packet {
            source: PacketError::Transport(source),
            ..
        } => Some(source),
        _ => None,
    }
}

fn has_vanished(error: &DeviceError) -> bool {
    matches!(lost_on_the_way(error), Some(TransportError::Vanished))
}

/// What helps against a drive that does not go along.
fn advice(source: &DeviceError, failure: Failure, typed: &Typed) -> Failure {
    match source {
        DeviceError::EntryRefused {
            status: status @ (0x00 | 0x7F | 0xFF),
        } => failure
            .next(format!(
                "{status:02X}h is what a place without a drive shows, too: look at power, cable and"
            ))
            .next(
                "jumper. The positions 1 and 3 are masters, 2 and 4 slaves. Then switch the drive",
            )
            .next("off, hold its eject button and switch it on while this asks:")
            .next(typed.waiting())
            .next("Without the wait, when the drive has been prepared already:"),
        DeviceError::EntryRefused { .. } => failure
            .next("A drive that works refuses as well: it is not broken. To get it in:")
            .next("Switch the drive off, hold its eject button and switch it on while this asks:")
            .next(typed.waiting()),
        DeviceError::TaskFile {
            source: TaskFileError::NotPassedOn(_),
            ..
        } => failure.next(
            "Put the drive behind another adapter or on a port of the computer, then type the \
             same again:",
        ),
        source if has_vanished(source) => {
            failure.next("Check its power and cable; when it is back, type the same again:")
        }
        source if matches!(lost_on_the_way(source), Some(TransportError::NotPermitted)) => failure
            .next("/dev/srN takes vendor commands from root only, /dev/sgN from who may open it:")
            .next("sudo modprobe sg"),
        _ => failure.next("Switch the drive off and on, then type the same again:"),
    }
}

/// Ends in a full stop. For messages that start with the name of a file, which
/// is told as it is.
pub fn ended(text: String) -> String {
    if text.ends_with(['.', '!', '?']) {
        text
    } else {
        format!("{text}.")
    }
}

/// Starts with a capital and ends in a full stop.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let Some(first) = letters.next() else {
        return String::new();
    };
    // A message that starts with a file's name keeps the name as it is.
    let starts_with_path = text
        .split_whitespace()
        .next()
        .is_some_and(|word| word.contains(['/', '.']) || word.ends_with(':'));
    let first = if starts_with_path {
        first.to_string()
    } else {
        first.to_uppercase().to_string()
    };
    ended(format!("{first}{}", letters.as_str()))
}

#[cfg(test)]
mod tests;
