//! What is known of the flash after a failure.

use std::path::PathBuf;

use crate::cli::words::terms;
use crate::flash::Bank;
use crate::job::FlashState;

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
        /// Unchanged by this run, in the middle of what an earlier one has begun.
        begun: Begun,
    },
}

/// What an earlier run has begun and not finished, by its note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    Nothing,
    /// A change of this drive.
    Here,
    /// A change of the drive that was at its place.
    AtPlace,
}

impl Flash {
    pub const UNCHANGED: Flash = Flash::Holds {
        state: FlashState::Unchanged,
        wrong: Vec::new(),
        old_content: None,
        begun: Begun::Nothing,
    };

    /// In whole sentences, each a line; none where there is nothing to say.
    pub fn lines(&self) -> Vec<String> {
        let Flash::Holds {
            state,
            wrong,
            old_content,
            begun,
        } = self
        else {
            return Vec::new();
        };
        let mut lines = vec![match state {
            FlashState::Unchanged => match begun {
                Begun::Nothing => "Nothing was changed.",
                Begun::Here => {
                    "Nothing was changed by this run. What an earlier run has begun is still \
                     unfinished, by its note: leave the drive on."
                }
                Begun::AtPlace => {
                    "Nothing was changed by this run. A write to the drive that was at this place \
                     has not been finished, by its note: leave it on."
                }
            }
            .to_owned(),
            FlashState::Written if wrong.is_empty() => {
                "All of it was changed, and it could not be confirmed that it is right.".to_owned()
            }
            FlashState::Written => format!(
                "All of it was changed, but not all of it is right: see {}.",
                terms::banks(wrong)
            ),
            FlashState::InDoubt { taken, of } if taken == of => {
                "The drive has taken all of it and programs by itself; whether it holds the new \
                 firmware now, the old one or part of either is not known."
                    .to_owned()
            }
            FlashState::InDoubt { taken: 0, .. } => {
                "The drive was sent the beginning, and has not said that it took any of it; whether \
                 it holds the old firmware now or part of the new one is not known."
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
                        format!("{} {verb} {what}", terms::banks(list))
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
