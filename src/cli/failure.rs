//! Every way to fail, as its user reads it: what happened, what happened to
//! the flash, and what to type next.

mod bench;
mod change;
mod device;
mod file;
mod flash;
mod journal;
mod load;
mod refused;

use std::path::{Path, PathBuf};

pub use flash::{Begun, Flash};
pub use refused::{refused, whole};

use super::advice::{Advice, Line};
use super::args::{Command, Request, Via};
use super::exit::Exit;
use super::next;
use super::prompt::Word;
use super::text::Text;
use super::words::{self, InWords, sentence};
use crate::files::FileError;
use crate::image::soundness::Problem;
use crate::job::{Check, FlashState, JobError, Refusal, Unfit};
use crate::session::DriveName;

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

/// What helps against a file that is damaged.
pub const GET_IT_AGAIN: &str =
    "Get the file again, and compare its size and checksum with those of its source.";

/// What helps against an image that is smaller than the flash.
const TOO_SMALL: &str = "Get the whole file, which has the size of the flash. If it is meant to be a part \
                         of one, --banks or --range says where it belongs, in a drive that is \
                         written bank by bank.";

/// What helps against an image that is larger than the flash.
const TOO_LARGE: &str = "Get the file that has the size of the flash. This one is for a drive with a \
                         larger flash, or holds less than its size, which a look at it tells:";

const TO_LOOK: &str = "To see what is in the file:";

impl Exit {
    /// The failure that ends with this, before anything was changed.
    pub fn because(self, what: impl Into<String>) -> Failure {
        Failure {
            exit: self,
            what: what.into(),
            details: Text::default(),
            flash: Flash::UNCHANGED,
            kept: None,
            next: Advice::default(),
        }
    }
}

impl Failure {
    pub fn next(mut self, line: impl Into<Line>) -> Failure {
        self.next.push(line);
        self
    }

    /// And then what this advice says.
    pub fn and(self, more: Advice) -> Failure {
        Failure {
            next: self.next.and(more),
            ..self
        }
    }

    /// The command that was typed once more, after a deed with which it can end
    /// differently.
    pub fn after(self, deed: impl std::fmt::Display, request: &Request) -> Failure {
        self.next(format!("{deed}, then type the same again:"))
            .next(request.same())
    }

    /// Says this of the flash.
    pub fn saying(self, flash: Flash) -> Failure {
        Failure { flash, ..self }
    }

    /// Where a word was typed that stands for another, that comes first, and a line with
    /// that word in it is no help.
    pub fn of_typed(mut self, request: &Request) -> Failure {
        let Some(word) = request.placeholder() else {
            return self;
        };
        let what = match word {
            "DRIVE" => "the number or the path of a drive",
            _ => "the name of your file",
        };
        self.next = Advice::default();
        self.next(format!(
            "{word} stands for {what}: type that in its place, and the rest as it is."
        ))
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
        let failure = Exit::Refused.because(words::job::refusal(refusal));
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

    /// A job that changes nothing, or was not yet changing anything.
    pub fn job(error: &JobError, request: &Request) -> Failure {
        match error {
            JobError::Refused(refusal) => refused(refusal, request),
            JobError::Kept { file, source } => {
                let failure = match source.as_ref() {
                    JobError::File(
                        error @ (FileError::Exists { .. } | FileError::Unfinished { .. }),
                    ) => Exit::Refused
                        .because(words::files::what(error))
                        .next("What was read is in another file. To go on with that as backup:")
                        .next(request.with_backup(file)),
                    source => Failure::job(source, request),
                };
                failure.keeping(Some(file))
            }
            JobError::File(error) => {
                let named = request.dump_of(error.path());
                Failure::file(error, &named, request)
            }
            JobError::Image(problem) => {
                let failure = Exit::BadImage.because(words::job::unfit(problem));
                let failure = match problem {
                    Unfit::Size(Problem::OtherSize { image, flash }) if image < flash => {
                        failure.next(TOO_SMALL).next(TO_LOOK)
                    }
                    Unfit::Size(Problem::OtherSize { .. }) => failure.next(TOO_LARGE),
                    _ => failure.next(TO_LOOK),
                };
                failure.next(request.inspect())
            }
            JobError::Stopped => Exit::Stopped
                .because("Stopped.")
                .next("To begin again:")
                .next(request.same()),
            JobError::Unstable { .. } => exit_of(&error.flash())
                .because(sentence(&error.in_words()))
                .about_flash(&error.flash(), None)
                .after(
                    "Check cable and power of the drive, leave it off for a minute",
                    request,
                ),
            JobError::Device { source, .. } => {
                let failure = exit_of(&error.flash())
                    .because(sentence(&source.in_words()))
                    .about_flash(&error.flash(), None);
                device::advice(source, failure, request)
            }
        }
    }

    /// Says where the way back is that was made before nothing was changed.
    pub fn keeping(mut self, backup: Option<&Path>) -> Failure {
        self.kept = backup.map(Path::to_owned);
        self
    }

    /// Says of a flash that was left as it was that it is in the middle of what an
    /// earlier run has begun.
    pub fn in_the_middle(self) -> Failure {
        self.with_begun(Begun::Here)
    }

    fn with_begun(mut self, found: Begun) -> Failure {
        if let Flash::Holds {
            state: FlashState::Unchanged,
            begun,
            ..
        } = &mut self.flash
        {
            *begun = found;
        }
        self
    }

    /// Another answer than the agreed word.
    pub fn denied(word: &Word, request: &Request) -> Failure {
        let what = match word {
            Word::Yes => "The answer was not YES, in capitals.".to_owned(),
            Word::Model(model) => format!("The answer was not the model, {model}."),
        };
        Exit::Stopped
            .because(what)
            .next("To be asked again:")
            .next(request.same())
    }

    /// A question that nobody is there to answer, about `what`.
    pub fn nobody_to_ask(what: &str, question: Text) -> Failure {
        Failure {
            details: question,
            ..Exit::Refused.because(format!("{what}There is no terminal to ask for YES at."))
        }
        .next("In a script, --yes answers in advance.")
    }

    /// A job that went well, and nobody was told so.
    pub fn unreported(error: &str, request: &Request) -> Failure {
        let (done, next) = match request.command {
            Command::Read { .. } => (
                "The file is complete, but the report on it",
                next::after_read(false, request),
            ),
            Command::Write { .. } if !request.options.dry_run => (
                "What was asked for is done, but the report on it",
                Advice::of("To compare the flash with the file once more:")
                    .then(request.verify_part()),
            ),
            Command::Erase if !request.options.dry_run => (
                "What was asked for is done, but the report on it",
                Advice::of("Leave the drive on. To look at it:").then(request.check()),
            ),
            _ => (
                "The report",
                Advice::of("Type the same again where its output can be read:")
                    .then(request.same()),
            ),
        };
        let what = format!("{done} could not be written: {error}.");
        Failure {
            next,
            ..Exit::Unreported.because(what).saying(Flash::Unsaid)
        }
    }

    /// Says what the flash holds, and which file has its old content.
    fn about_flash(self, state: &FlashState, old_content: Option<&Path>) -> Failure {
        self.saying(Flash::Holds {
            state: state.clone(),
            wrong: Vec::new(),
            old_content: old_content.map(Path::to_owned),
            begun: Begun::Nothing,
        })
    }
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

/// How a check is overridden: by whoever types its name, and by no ready line.
pub fn named(when: &str, check: Check) -> String {
    format!(
        "{when}, --force takes the name of the check: {}.",
        check.name()
    )
}

#[cfg(test)]
mod tests;
