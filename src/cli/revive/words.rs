//! The guide's questions and endings, as their user reads them.

use std::path::Path;

use super::answer::Complaint;
use super::guide::{End, Question, Rung, Seen, Step, Task, Tried, file_of};
use crate::cli::advice::{Advice, Asking, Command};
use crate::cli::args::{DriveName, Request};
use crate::cli::failure::{Failure, Flash};
use crate::cli::text::Text;
use crate::cli::words::terms;
use crate::drive::Position;
use crate::job::FlashState;

/// What is done now, and the command that does the same.
pub fn step(step: Step, command: &Request) -> Text {
    let title = match step {
        Step::Look => "Which drives are seen",
        Step::Enter => "Is there a way into the drive",
        Step::Keep => "Keep what is in its flash",
        Step::Inspect => "What is in the file",
        Step::Write => "Write the file into the flash",
        Step::LookAgain => "Look at the drive again",
    };
    let mut text = Text::from("");
    text.words(&format!(
        "Step {} of {}: {title}. The command for it:",
        step.number(),
        Step::LAST.number()
    ));
    text.command_behind(
        "    ",
        Command::Flash(Asking::with_its_checks(command.clone())),
    );
    text
}

pub fn question(question: &Question) -> Text {
    let mut text = Text::from("");
    match question {
        Question::WhichDrive { seen, has_ports } => {
            text.append(which_drive(seen, *has_ports));
            text.words("Which drive is it? Type 1, 2, 3, 4 or its path: ")
        }
        Question::OnCable { position } => text
            .words(&format!(
                "Nothing is seen as drive {position}{}. A drive that is too dead to be seen is \
                 reached by the registers of its port, and only an IDE port has those: that of a \
                 wide, flat cable with 40 holes. SATA and USB have not.",
                place(*position)
            ))
            .words("Is the drive on such a cable? Type yes or no: "),
        Question::Prepare(rung) => text
            .words(&format!(
                "Way {} of {} to prepare a drive that refuses. {}",
                rung.number(),
                Rung::all().count(),
                rung.deed()
            ))
            .words(
                "It is asked for 200 seconds, and that ends as soon as it lets itself be entered. If \
                 the computer has to be restarted for it, type q, and begin again afterwards.",
            )
            .words("Press Enter and do that now, or type n for the next way, q to stop: "),
        Question::Keep { read, tried } => keep(&mut text, &file_of(read), *tried),
        Question::NothingKept { may_be_read } => text
            .words(match may_be_read {
                false => {
                    "What is in the flash of this drive cannot be read, so that there is no way back \
                     from a write."
                }
                true => {
                    "By packets what is in the flash of this drive cannot be read, so that there is \
                     no way back from a write. The line above tries to read it in vendor mode: to \
                     type that first, stop here."
                }
            })
            .words("To go on without a backup type n, for none; to stop type q: "),
        Question::WhichFile => text
            .words(
                "Which firmware shall be written? It has to be for this very drive: compare the \
                 label on it. ZIP archives and vendors' flash programs are taken as they are.",
            )
            .words("Type the name of the file, or q to stop: "),
        Question::Write {
            write,
            tried,
            half_written,
        } => {
            if *half_written {
                text.words(
                    "The flash is not as it should be. Leave the drive on: with the power the way \
                     in may be gone.",
                );
            }
            to_write(&mut text, &file_of(write), *tried, *half_written)
        }
        Question::OffAndOn => text
            .words(
                "Take the jumper out if you have set one. Switch the drive off, wait a few seconds, \
                 and switch it on. One inside a computer goes off and on with it: type q then, \
                 start the computer anew, and look whether the drive is listed.",
            )
            .words("Press Enter when it is on again: "),
    };
    text
}

/// What is asked before the flash is read into this file.
fn keep<'a>(text: &'a mut Text, file: &Path, tried: Tried) -> &'a mut Text {
    let file = file.display();
    match tried {
        Tried::Not => text
            .words(
                "What is in the flash comes into a file first: it may be all that is left of this \
                 drive's own data.",
            )
            .words(&format!(
                "Press Enter to call it {file}, or type another name, or n to go on without: "
            )),
        Tried::MayHelp => text.words("Nothing is kept yet.").words(&format!(
            "Press Enter to try again and call it {file}, or type another name, a switch, or n to \
             go on without: "
        )),
        Tried::WithoutSize => text
            .words(
                "What is in the flash comes into a file first: it may be all that is left of this \
                 drive's own data. How big the flash is cannot be told: the marking of its chip or \
                 a data sheet may.",
            )
            .words("Type its size, as in --size 256K, or n to go on without a file: "),
        Tried::InVain => text
            .words(
                "Nothing is kept yet, and the same once more would end the same. Where the message \
                 names a switch, it can be typed here, as in --size 256K; read what it says first.",
            )
            .words("Type a switch, or another name, or n to go on without: "),
    }
}

/// What is asked before this file is written.
fn to_write<'a>(text: &'a mut Text, file: &Path, tried: Tried, half_written: bool) -> &'a mut Text {
    const SWITCHES: &str = "Where the message names a check or a switch, it can be typed here, as in \
                            --force=model or --no-backup; read what it says first.";
    let file = file.display();
    match (tried, half_written) {
        (Tried::Not, _) => text
            .words(
                "Compare the names above with the label of the drive. Before anything is changed \
                 you are asked again.",
            )
            .words(&format!(
                "Press Enter to write {file}, or type another file, or q to stop: "
            )),
        (Tried::MayHelp, false) => text
            .words(&format!("Nothing was changed. {SWITCHES}"))
            .words(&format!(
                "Press Enter to try {file} again, or type another file, a switch, or q to stop: "
            )),
        (Tried::MayHelp, true) => text.words(&format!(
            "Press Enter to try {file} again, or type another file, a switch, or q to stop: "
        )),
        (Tried::InVain | Tried::WithoutSize, false) => text
            .words(&format!(
                "Nothing was changed, and the same once more would end the same. {SWITCHES}"
            ))
            .words(&format!(
                "Type a switch for {file}, or another file, or q to stop: "
            )),
        (Tried::InVain | Tried::WithoutSize, true) => text
            .words(&format!(
                "The same once more would end the same. If a file holds what was in the drive \
                 before, its name can be typed here. {SWITCHES}"
            ))
            .words(&format!(
                "Type another file, or a switch for {file}, or q to stop: "
            )),
    }
}

fn which_drive(seen: &[Seen], has_ports: bool) -> Text {
    if !has_ports {
        return match seen {
            [] => "No drive is seen.".into(),
            _ => Text::default(),
        };
    }
    let is_there = |position: &u8| {
        seen.iter()
            .any(|seen| seen.at_ports == Some(DriveName::Index(*position)))
    };
    let silent: Vec<String> = (1..=4)
        .filter(|position| !is_there(position))
        .map(|position| format!("{position}{}", place(position)))
        .collect();
    match silent.is_empty() {
        true => "A drive is seen at every position.".into(),
        false => Text::from(format!("Nothing is seen at: {}.", silent.join(", ")))
            .words(
                "A dead drive may be there: 1 and 2 are the first IDE cable, 3 and 4 the second, \
                 its jumper says whether it is the master or the slave.",
            )
            .finish(),
    }
}

/// ` (secondary master)`.
fn place(position: u8) -> String {
    Position::new(position).map_or_else(String::new, |position| format!(" ({position})"))
}

/// A command that failed before the guide goes on. Of a drive that refuses, the
/// next question is the next thing to try. That the flash is as it was before this
/// command is no good news where a write before has left it `half_written`.
pub fn failed(failure: &Failure, half_written: Option<&Failure>, next: &Task) -> Text {
    let next = match next {
        Task::Ask(Question::Prepare(rung)) if *rung != Rung::FIRST => Advice::default(),
        _ => failure.next.clone(),
    };
    let flash = match &failure.flash {
        unchanged @ Flash::Holds {
            state: FlashState::Unchanged,
            ..
        } => half_written.map_or(unchanged, |write| &write.flash),
        changed => changed,
    };
    Failure {
        next,
        flash: flash.clone(),
        ..failure.clone()
    }
    .text()
}

pub fn complaint(complaint: &Complaint) -> Text {
    match complaint {
        Complaint::NoDrive => "That is neither 1, 2, 3 or 4 nor a path under /dev.".into(),
        Complaint::YesOrNo => "Type yes or no.".into(),
        Complaint::NotN => "Only n goes on, and q stops.".into(),
        Complaint::NoFile => "That is no name.".into(),
        Complaint::Words(error) => format!("That is not taken: {error}.").into(),
        Complaint::OtherCommand => {
            "Only switches can be added here: another drive or file would be another command."
                .into()
        }
        Complaint::Consent => {
            "--yes is not taken here: before anything is changed you are asked.".into()
        }
        Complaint::InVain => {
            "Enter alone would end the same once more: type a switch that the message names, or \
             another file."
                .into()
        }
        Complaint::NoSize => {
            "Without its size the flash is not read. Type it as in --size 256K, or n.".into()
        }
        Complaint::No => "To write another file, type its name. To write nothing, type q.".into(),
    }
}

/// The last words: what was reached, or why it was not.
///
/// # Errors
/// Every end but a drive that was written.
pub fn end(end: &End, typed: &Request) -> Result<Text, Failure> {
    let failure = |what: String| end.exit().because(what);
    Err(match end {
        End::Back {
            identity,
            has_backup,
        } => {
            let mut text = Text::from("");
            text.success(&format!(
                "The drive is back. It says that it is {}. Try a disc in it{}.",
                terms::identity(identity),
                match has_backup {
                    true => " before you throw the backup away",
                    false => "",
                }
            ));
            return Ok(text);
        }
        End::NotSeenSince { drive, by_ports } => failure(format!(
            "The file was written, see above, but drive {drive} does not say yet what it is."
        ))
        .saying(Flash::Unsaid)
        .next(match by_ports {
            true => {
                "The kernel looks for IDE drives when the computer starts. Restart it; then this \
                 lists the drive:"
            }
            false => "Look at its power and cable; then this lists it:",
        })
        .next(typed.list()),
        End::NoWay { drive } => failure(format!(
            "No way leads to drive {drive} from here: nothing is seen there, and it has no \
             registers of an IDE port."
        ))
        .next(
            "Put it on an IDE port: an older computer has one, and some newer ones have an IDE \
             mode in their setup. Then:",
        )
        .next(typed.same()),
        End::NotEntered => failure("No way into the drive was found.".to_owned())
            .next(
                "The ways can be tried together, with other pins, and more than once. After a \
                 change:",
            )
            .next(typed.same()),
        End::BeyondHelp => failure(
            "It does not say who it is: its firmware does not run, and it is not known to take \
             another then."
                .to_owned(),
        )
        .next("Switching the drive off and on costs nothing. Then see whether it is listed by its name:")
        .next(typed.list())
        .next(
            "If it does not say what it is there, what remains is an external programmer for its \
             flash chip.",
        ),
        End::ReadOnly { kept, read } => {
            let failure = failure(
                "This tool cannot write the flash chip of this drive: step 2 says why. Another chip \
                 in its place helps, or an external programmer."
                    .to_owned(),
            );
            match kept {
                Some(file) => failure
                    .keeping(Some(file))
                    .next("To look at what is kept of it:")
                    .next(Request::inspect_file(file)),
                None => failure
                    .next("To keep what is in it first:")
                    .next(read.as_ref().clone()),
            }
        }
        End::Failed(failure) => failure.clone(),
        End::Written => {
            let mut text = Text::from("");
            text.words("It was written. Whether the drive is back, this shows:")
                .command_behind("    ", Command::Flash(typed.list().into()));
            return Ok(text);
        }
        End::Stopped {
            half_written: Some(write),
        } => failure("Stopped, and the flash is not as it should be.".to_owned())
            .saying(write.flash.clone())
        .next(match write.next.offers_the_same() {
            false => {
                "Leave the drive on: with the power the way in may be gone. To begin again, with \
                 another file:"
            }
            true => {
                "Leave the drive on: with the power the way in may be gone. To begin again, with \
                 the same file or another:"
            }
        })
        .next(typed.same()),
        End::Stopped { half_written: None } => failure("Stopped.".to_owned()),
    })
}
