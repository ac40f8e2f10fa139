//! Every way to fail, as its user reads it: what happened, what happened to
//! the flash, and what to type next.

mod file;
mod journal;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::advice::{Advice, Line};
use super::args::{Command, Request, Via};
use super::exit::Exit;
use super::next;
use super::prompt::Word;
use super::report;
use super::text::Text;
use super::words::{self, InWords, ended, sentence};
use crate::drive::Remedy;
use crate::files::FileError;
use crate::flash::{Bank, Offset};
use crate::image::{LoadError, bank_path};
use crate::job::change::ChangeError;
use crate::job::fit::Comparison;
use crate::job::{Check, FlashState, JobError, NoBackup, Objection, Refusal};
use crate::protocol::DeviceError;
use crate::protocol::packet::PacketError;
use crate::protocol::packet::liteon::Implausible;
use crate::scsi::SenseKey;
use crate::session::DriveName;
use crate::transport::{TaskFileError, TransportError};

/// An end that is no success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub exit: Exit,
    /// One or more whole sentences.
    pub what: String,
    /// What belongs to that, in lines of its own.
    pub details: Text,
    /// What the flash holds now.
    pub flash: Flash,
    /// A way back that was made before nothing was changed.
    pub kept: Option<PathBuf>,
    pub next: Advice,
}

/// What is known of the flash after a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flash {
    /// No flash was in question.
    Unsaid,
    Holds {
        state: FlashState,
        /// Banks that were written and read back differently.
        wrong: Vec<Bank>,
        old_content: Option<PathBuf>,
    },
}

/// What helps against a file that is damaged.
pub const GET_IT_AGAIN: &str =
    "Get the file again, and compare its size and checksum with those of its source.";

impl Failure {
    pub fn new(exit: Exit, what: impl Into<String>) -> Failure {
        Failure {
            exit,
            what: what.into(),
            details: Text::default(),
            flash: Flash::UNCHANGED,
            kept: None,
            next: Advice::default(),
        }
    }

    pub fn next(mut self, line: impl Into<Line>) -> Failure {
        self.next.push(line);
        self
    }

    /// As shown on standard error.
    pub fn text(&self) -> Text {
        let mut text = Text::default();
        text.failure(&format!("mtkflash: {}", self.what));
        text.append(&self.details);
        text.rows("Flash", self.flash.lines());
        if let Some(kept) = &self.kept {
            text.row("Kept", &kept.display().to_string());
        }
        text.append(self.next.text());
        text
    }

    /// A job that would take hours; `at_ports` is what the drive is called by the
    /// ports that lead to it, too.
    pub fn slow(refusal: &Refusal, at_ports: Option<&DriveName>, request: &Request) -> Failure {
        let failure = Failure::new(Exit::Refused, words::job::refusal(refusal));
        match at_ports {
            Some(name) => failure
                .next("By the ports of its channel it takes minutes:")
                .next(request.of(name.clone()).by(Via::Port)),
            None => failure
                .next("On another port or adapter it may take minutes. Where it is now:")
                .next(request.list()),
        }
        .next(named("If you have the time", Check::Slow))
    }

    pub fn load(error: &LoadError, request: &Request) -> Failure {
        match error {
            LoadError::Missing { path, .. } if !other_letters(path).is_empty() => {
                let failure = Failure::new(Exit::BadImage, ended(error.in_words()))
                    .next("Linux tells small letters from capitals. This one is there:");
                other_letters(path)
                    .iter()
                    .map(|found| request.with_file(found))
                    .fold(failure, Failure::next)
            }
            LoadError::Ambiguous { .. } => {
                Failure::new(Exit::BadImage, sentence(&error.in_words()))
            }
            LoadError::Missing { .. }
            | LoadError::Directory { .. }
            | LoadError::NotAFile { .. }
            | LoadError::Unreadable { .. } => Failure::new(Exit::BadImage, ended(error.in_words()))
                .next("Name the file that holds the image; to look at one without any drive:")
                .next(Request::inspect_any()),
            LoadError::Content { path, source } => words::image::no_content(path, source),
            LoadError::Container { path, reason } => words::image::no_entry(path, reason, request),
            LoadError::NoContainer { .. } => Failure::new(Exit::BadImage, ended(error.in_words()))
                .next("It holds one image, which needs no name:")
                .next(request.without_entry()),
            _ => Failure::new(Exit::BadImage, ended(error.in_words())).next(GET_IT_AGAIN),
        }
    }

    /// A job that changes nothing, or was not yet changing anything.
    pub fn job(error: &JobError, request: &Request) -> Failure {
        let failure = match error {
            JobError::Refused(refusal) => return refused(refusal, request),
            JobError::Kept { file, source } => {
                let failure = match source.as_ref() {
                    JobError::File(
                        error @ (FileError::Exists { .. } | FileError::Unfinished { .. }),
                    ) => Failure::new(Exit::Refused, words::files::what(error))
                        .next("What was read is in another file. To go on with that as backup:")
                        .next(request.with_backup(file)),
                    source => Failure::job(source, request),
                };
                return failure.keeping(Some(file));
            }
            JobError::File(error) => return Failure::file(error, error.path(), request),
            JobError::Image(problem) => {
                return Failure::new(Exit::BadImage, words::job::unfit(problem))
                    .next("To see what is in the file:")
                    .next(request.inspect());
            }
            JobError::Stopped => {
                return Failure::new(Exit::Stopped, "Stopped.")
                    .next("To begin again:")
                    .next(request.same());
            }
            JobError::Unstable { .. } => {
                Failure::new(exit_of(&error.flash()), sentence(&error.in_words())).next(
                    "Check cable and power of the drive, leave it off for a minute, then type the \
                     same again:",
                )
            }
            JobError::Device { source, .. } => {
                let failure = Failure::new(exit_of(&error.flash()), sentence(&source.in_words()));
                let failure = failure.about_flash(&error.flash(), None);
                return advice(source, failure, request);
            }
        };
        let failure = failure.about_flash(&error.flash(), None);
        failure.next(request.same())
    }

    /// A job that was changing the flash; `backup` is the file with the way back.
    pub fn change(error: &ChangeError, request: &Request, backup: Option<&Path>) -> Failure {
        let state = error.flash();
        let failure = match error {
            ChangeError::Again { at, source } => {
                return Failure::change(source, request, backup).worn(*at, backup, request);
            }
            ChangeError::Job(error) if state == FlashState::Unchanged => {
                return Failure::job(error, request).keeping(backup);
            }
            ChangeError::Job(JobError::Device { source, .. }) => {
                Failure::new(exit_of(&state), sentence(&source.in_words()))
            }
            ChangeError::Job(error) => Failure::new(exit_of(&state), sentence(&error.in_words())),
            ChangeError::OtherIdentity { .. } => {
                Failure::new(exit_of(&state), sentence(&error.in_words()))
            }
            ChangeError::NoFirmware { .. } => {
                return Failure {
                    next: next::after_boot_code(backup, request),
                    ..Failure::new(exit_of(&state), sentence(&error.in_words()))
                }
                .about_flash(&state, backup);
            }
            ChangeError::OldFirmware { boot_string, .. } => {
                let failure = Failure::new(exit_of(&state), sentence(&error.in_words()));
                return words::blu_ray::old_firmware(failure, *boot_string, request)
                    .about_flash(&state, backup);
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
        if let ChangeError::Job(JobError::Device { source, .. }) = error {
            if takes_nothing(source, &state) {
                return failure.about_flash(&state, backup).beyond_help(request);
            }
        }
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
        if let (ChangeError::Different(difference), Flash::Holds { wrong, .. }) =
            (error, &mut failure.flash)
        {
            wrong.clone_from(&difference.banks);
        }
        let mut failure = failure.next(again).next(request.same());
        let is_open = matches!(state, FlashState::Partly { .. } | FlashState::Written);
        if is_open && !is_gone {
            failure = failure.next(
                "Only if the drive does not answer then: switch the drive, not the computer, off \
                     and on, and type it once more. (A drive inside the computer goes off with it: \
                     pull its power plug and put it back.)",
            );
        }
        match backup {
            Some(backup) => failure
                .next("Or go back to what was in the drive before:")
                .next(request.restore(backup)),
            None => failure,
        }
    }

    /// A drive in which no firmware is left that would take another: there is no way
    /// back by its cable that this tool or its sources know.
    fn beyond_help(self, request: &Request) -> Failure {
        self.next(
            "This answer, before the drive has taken anything, is all that is left of firmware that \
             did not get into it whole, and sending an image again ends the same. Switching the drive \
             off and on costs nothing more. Then see whether it is listed by its name:",
        )
        .next(request.list())
        .next(
            "If it does not say what it is there, no command is known that brings it back: what \
             remains is an external programmer for its flash chip.",
        )
    }

    /// The same failure for the second time: what was said of it stays, and what helped
    /// nothing is not proposed again.
    fn worn(self, at: Offset, backup: Option<&Path>, request: &Request) -> Failure {
        let failure = Failure {
            what: format!(
                "{} The run before this one failed at {at} as well: the chip is worn out there, or \
                 write-protected.",
                self.what
            ),
            next: Advice::default(),
            ..self
        };
        let failure = failure.next(
            "The same once more would end the same. Leave the drive on: its firmware is not \
             whole, and may not start again.",
        );
        match backup {
            Some(backup) => failure
                .next("What was in it before may need nothing of the chip at that place:")
                .next(request.restore(backup)),
            None => failure
                .next("Another image may need nothing of the chip at that place:")
                .next(request.write_any()),
        }
        .next("If that fails, too, only another chip helps, or an external programmer.")
    }

    /// The same failure of a change that was forced over what keeps the drive alive:
    /// the way back comes first.
    pub fn in_danger(self, backup: Option<&Path>, request: &Request) -> Failure {
        Failure {
            next: next::after_failed_danger(backup, request),
            ..self
        }
    }

    /// Says where the way back is that was made before nothing was changed.
    pub fn keeping(mut self, backup: Option<&Path>) -> Failure {
        self.kept = backup.map(Path::to_owned);
        self
    }

    /// Another answer than the agreed word.
    pub fn denied(word: &Word, request: &Request) -> Failure {
        let what = match word {
            Word::Yes => "The answer was not YES, in capitals.".to_owned(),
            Word::Model(model) => format!("The answer was not the model, {model}."),
        };
        Failure::new(Exit::Stopped, what)
            .next("To be asked again:")
            .next(request.same())
    }

    /// A question that nobody is there to answer.
    pub fn nobody_to_ask(question: &Text) -> Failure {
        Failure {
            details: question.clone(),
            ..Failure::new(Exit::Refused, "There is no terminal to ask for YES at.")
        }
        .next("In a script, --yes answers in advance.")
    }

    /// A job that went well, and nobody was told so.
    pub fn unreported(error: &str, request: &Request) -> Failure {
        let done = match request.command {
            Command::Read { .. } => "The file is complete, but the report on it",
            Command::Write { .. } | Command::Erase => {
                "What was asked for is done, but the report on it"
            }
            _ => "The report",
        };
        let failure = Failure {
            flash: Flash::Unsaid,
            ..Failure::new(
                Exit::Unreported,
                format!("{done} could not be written: {error}."),
            )
        };
        match request.command {
            Command::Write { .. } => failure
                .next("To compare the flash with the file once more:")
                .next(request.verify()),
            _ => failure,
        }
    }

    /// Says what the flash holds, and which file has its old content.
    fn about_flash(mut self, state: &FlashState, old_content: Option<&Path>) -> Failure {
        self.flash = Flash::Holds {
            state: state.clone(),
            wrong: Vec::new(),
            old_content: old_content.map(Path::to_owned),
        };
        self
    }
}

impl Flash {
    const UNCHANGED: Flash = Flash::Holds {
        state: FlashState::Unchanged,
        wrong: Vec::new(),
        old_content: None,
    };

    /// In whole sentences, each a line; none where there is nothing to say.
    pub fn lines(&self) -> Vec<String> {
        let Flash::Holds {
            state,
            wrong,
            old_content,
        } = self
        else {
            return Vec::new();
        };
        let mut lines = vec![match state {
            FlashState::Unchanged => "Nothing was changed.".to_owned(),
            FlashState::Written if wrong.is_empty() => {
                "All of it was written, and it could not be confirmed that it is right.".to_owned()
            }
            FlashState::Written => format!(
                "All of it was written, but not all of it is right: see {}.",
                report::banks(wrong)
            ),
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
        }];
        lines.extend(
            old_content
                .iter()
                .map(|file| format!("Its old content is in {}.", file.display())),
        );
        lines
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

/// What helps against the objection of a check, which may be to override it.
fn objected(objection: &Objection, failure: Failure, request: &Request) -> Failure {
    match objection.check() {
        Check::Family if !request.changes() => failure
            .next("The tool knows the protocol by the drive's name:")
            .next(request.without_protocol())
            .next(
                "A strange command can hang the drive. --force takes the name of the check: family.",
            ),
        check if check.guards_life() => failure
            .next("Get the firmware for this very drive, and look at it:")
            .next(Request::inspect_any())
            .next(format!(
                "{} leaves the drive dead, with no way back that this tool knows. --force takes the \
                 name of the check: {}.",
                match check {
                    Check::Structure => "Damaged firmware",
                    _ => "Firmware of other hardware",
                },
                check.name()
            )),
        Check::Model if matches!(objection, Objection::Misfit(Comparison::Nameless { .. })) => {
            failure
                .next("Compare that with the drive's label, and look at the image:")
                .next(request.inspect())
                .next(named(
                    "Firmware of other hardware leaves the drive dead. If it is what the label says",
                    Check::Model,
                ))
        }
        Check::Model => failure
            .next("Get the firmware for this very drive, and look at it:")
            .next(Request::inspect_any())
            .next(
                "Firmware of other hardware leaves the drive dead. If you know better, --force takes \
                 the name of the check: model.",
            ),
        Check::Blank if request.changes() => failure
            .next("If the flash has been erased, there is nothing to lose:")
            .next(request.without_backup()),
        Check::Unstable => failure
            .next("Check cable and power of the drive, then type the same again:")
            .next(request.same())
            .next(named(
                "To go on all the same, with a backup that may be wrong",
                Check::Unstable,
            )),
        check => failure
            .next("To see what this drive is:")
            .next(request.check())
            .next(named("If you are sure all the same", check)),
    }
}

/// How a check is overridden: by whoever types its name, and by no ready line.
pub fn named(when: &str, check: Check) -> String {
    format!(
        "{when}, --force takes the name of the check: {}.",
        check.name()
    )
}

fn refused(refusal: &Refusal, request: &Request) -> Failure {
    if let Some(what) = words::journal::refusal(refusal) {
        return journal::advice(refusal, Failure::new(Exit::Refused, what), request);
    }
    let failure = Failure::new(Exit::Refused, words::job::refusal(refusal));
    match refusal {
        Refusal::Check(objection) => objected(objection, failure, request),
        Refusal::Unfinished { .. }
        | Refusal::BackupGone { .. }
        | Refusal::Backup { .. }
        | Refusal::Journal(_) => failure,
        Refusal::NoCopy { .. } => failure
            .next("If the write were interrupted, those bytes would be lost. With a backup:")
            .next(request.with_any_backup()),
        Refusal::Selection(_) => Failure {
            exit: Exit::Usage,
            ..failure
        }
        .next("To see what this drive is:")
        .next(request.check()),
        Refusal::Unreadable(_)
        | Refusal::Unwritable(_)
        | Refusal::Unerasable { .. }
        | Refusal::NoParts
        | Refusal::Plan(_)
        | Refusal::NothingCompared
        | Refusal::NotThisImage(_)
        | Refusal::NotReady(_) => failure
            .next("To see what this drive is:")
            .next(request.check()),
        Refusal::UnreadableByPackets { .. } => failure
            .next(next::IN_VENDOR_MODE)
            .next(request.read_in_vendor_mode()),
        Refusal::NothingRead => failure.next(next::WRITE_ONLY).next(request.write_unread()),
        Refusal::NoBackupPossible(NoBackup::Reported { .. }) => failure
            .next(next::IN_VENDOR_MODE)
            .next(request.read_in_vendor_mode())
            .next("If you can do without a way back:")
            .next(request.without_backup()),
        Refusal::NoBackupPossible(_) => failure
            .next("If you can do without a way back:")
            .next(request.without_backup()),
    }
}

/// Why a command did not reach the drive, where that is the reason.
fn lost_on_the_way(error: &DeviceError) -> Option<&TransportError> {
    match error {
        DeviceError::TaskFile {
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

/// Whether a drive by packets says that it does not know a command, before it has
/// taken any of them that goes on at some place.
fn is_unknown_command(error: &DeviceError) -> bool {
    matches!(
        error,
        DeviceError::Packet {
            at: None | Some(Offset(0)),
            source: PacketError::Sense(sense),
            ..
        } if sense.is_refusal()
    )
}

/// Whether a drive that takes whole images answered the first of it with an
/// internal target failure (4/44).
fn takes_nothing(error: &DeviceError, state: &FlashState) -> bool {
    const INTERNAL_TARGET_FAILURE: u8 = 0x44;
    let FlashState::InDoubt { taken: 0, .. } = state else {
        return false;
    };
    matches!(
        error,
        DeviceError::Packet {
            source: PacketError::Sense(sense),
            ..
        } if sense.key == SenseKey::HARDWARE_ERROR && sense.asc == INTERNAL_TARGET_FAILURE
    )
}

/// What helps against a drive that does not go along.
fn advice(source: &DeviceError, failure: Failure, request: &Request) -> Failure {
    let failure = match source {
        DeviceError::Rejected => return words::blu_ray::rejected(failure),
        DeviceError::OtherBanner { .. } => {
            return failure
                .next(
                    "Which of the two protocols is its own cannot be told, and a strange command \
                     can hang a drive. If you know it, name it with --protocol. To see how the \
                     drives are listed:",
                )
                .next(request.list());
        }
        DeviceError::Implausible(why) => {
            let failure = failure.next(
                "This way of reading was never confirmed, and this drive does not answer as its \
                 one source says. In vendor mode it is not needed:",
            );
            let failure = failure.next(request.read_in_vendor_mode());
            return match why {
                // A write goes by the chip's own size.
                Implausible::NoBankCall | Implausible::Rebanked { .. } if !request.changes() => failure
                    .next("To read it so all the same, if you know how many bytes it has:")
                    .next(request.with_a_size()),
                _ => failure,
            };
        }
        DeviceError::WriteProtected { .. } => failure.next(
            "No command takes that off: the board in the drive holds the pin low, and only somebody \
             who changes that on the board can write this chip. After that, type the same again:",
        ),
        DeviceError::TaskFile {
            source: TaskFileError::NotPassedOn(_),
            ..
        } => failure.next(
            "Put the drive behind another adapter or on a port of the computer, then type the \
             same again:",
        ),
        source if is_unknown_command(source) && request.reads_as_liteon() => {
            return failure
                .next("It does not know this way of being read. In vendor mode it is not needed:")
                .next(request.read_in_vendor_mode());
        }
        source if is_unknown_command(source) => {
            return failure
                .next(
                    "It refuses the command itself, and would refuse it again: either it is no drive \
                     of this protocol, or its firmware does not go along. To see what it is:",
                )
                .next(request.by_its_name().check());
        }
        source if has_vanished(source) => {
            failure.next("Check its power and cable; when it is back, type the same again:")
        }
        source if matches!(lost_on_the_way(source), Some(TransportError::NotPermitted)) => failure
            .next("/dev/srN takes vendor commands from root only, /dev/sgN from who may open it:")
            .next(Remedy::LoadSgModule),
        _ => failure.next("Switch the drive off and on, then type the same again:"),
    };
    failure.next(request.same())
}

#[cfg(test)]
mod tests;
