//! A command line that is not understood, and what to type instead.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::cli::advice::Advice;
use crate::cli::args::{
    self, Artifact, DriveName, Request, Topic, UsageError, Verb, another_drive, bench,
    consent_meant, drives_in, like, nearest, nearest_switch, respelled_line,
};
use crate::cli::exit::Exit;
use crate::cli::failure::{Failure, Flash};
use crate::cli::words::sentence;

/// `typed` are the words behind the program's name.
pub fn failure(error: &UsageError, typed: &[OsString]) -> Failure {
    let mut meant: Vec<Request> = Vec::new();
    for request in nearest(typed, error) {
        let begins_it = only_looks(typed) && request.changes() && !request.options.dry_run;
        // Of two spellings that come to the same.
        if !meant.contains(&request) && !begins_it {
            meant.push(request);
        }
    }
    // Why is more than what is left without the switch.
    let next = match meant.is_empty() || is_for_programs(error) {
        true => advice_as_meant(error, typed),
        false => {
            let heading = match (consent_meant(typed), meant.len()) {
                (Some(consent), _) => {
                    format!("Perhaps you meant {consent}: that is for you to type. All else:")
                }
                (None, 1) => "Perhaps you meant:".to_owned(),
                (None, _) => "Perhaps you meant one of these:".to_owned(),
            };
            meant.into_iter().fold(Advice::of(heading), Advice::then)
        }
    };
    Failure {
        flash: Flash::Unsaid,
        next: match bench(typed) {
            Some(bench) => next.on(&bench),
            None => next,
        },
        ..Exit::Usage.because(sentence(&error.to_string()))
    }
}

/// What to type instead of a line that is not understood whichever way it is spelled:
/// by what is wrong with it when it is spelled right.
fn advice_as_meant(error: &UsageError, typed: &[OsString]) -> Advice {
    if let UsageError::UnknownSwitch { .. } = error {
        return advice(error, typed);
    }
    let spelled = respelled_line(typed);
    match args::parse_words(&spelled) {
        Err(of_spelled) if spelled != typed => advice(&of_spelled, &spelled),
        _ => advice(error, typed),
    }
}

fn only_looks(typed: &[OsString]) -> bool {
    let mut words = typed.iter();
    words.any(|word| word.eq_ignore_ascii_case("--dry-run"))
}

/// What to type instead, where the line itself does not tell what it was to be.
fn advice(error: &UsageError, typed: &[OsString]) -> Advice {
    // Whoever only wants to look is led to no line that does it.
    let looking = |request: Request| match only_looks(typed) && request.changes() {
        true => request.with_dry_run(),
        false => request,
    };
    let form = |verb: Verb| match verb.needs_drive() {
        true => looking(Request::form(verb, &drives_in(typed), None)),
        false => Request::form(verb, &[], None),
    };
    let next = Advice::default();
    match error {
        UsageError::NoSuchIndex { word }
        | UsageError::DriveLetter { word }
        | UsageError::ClassicSata { word } => of_a_drive(another_drive(typed, Some(word))),
        UsageError::MissingDrive { verb, file } => of_a_drive(
            another_drive(typed, None)
                .or_else(|| Some(looking(Request::form(*verb, &[], file.as_deref())))),
        ),
        UsageError::TwoDrives { .. } => of_a_drive(None),
        UsageError::AllInList { .. } => next
            .then("Name the drives, or all of them by that one word. Which there are:")
            .then(Request::form(Verb::List, &[], None)),
        UsageError::SameDriveTwice { .. } => next.then("Name it once."),
        UsageError::AllDrives {
            verb: Verb::Revive, ..
        } => of_a_drive(None)
            .then("Then this asks which one it is:")
            .then(form(Verb::Revive)),
        UsageError::AllDrives { verb, file } => {
            of_a_drive(Some(looking(Request::form(*verb, &[], file.as_deref()))))
        }
        UsageError::BareNode { word } => {
            next.then("To see what the drive is, for example:")
                .then(Request::form(
                    Verb::Check,
                    &[DriveName::Path(Path::new("/dev").join(word))],
                    None,
                ))
        }
        error if is_for_programs(error) => next
            .then("It asks questions, and that switch is for programs. Without it, at a terminal:")
            .then(Request::form(Verb::Revive, &drives_in(typed), None)),
        UsageError::TwoCommands { verb, .. }
        | UsageError::TwoFiles { verb, .. }
        | UsageError::CommandAsSwitch { verb, .. }
        | UsageError::UnexpectedDrive { verb, .. }
        | UsageError::DoesNotGoWith { verb, .. } => next.then(FORM).then(form(*verb)),
        UsageError::MissingCommand { files, .. } if verbs_like(files).next().is_some() => {
            let verbs = verbs_like(files);
            let next = match verbs.clone().count() {
                1 => next.then(FORM),
                _ => next.then("Its form is one of these:"),
            };
            verbs.map(form).fold(next, Advice::then)
        }
        UsageError::MissingCommand { drives, files } => any_command(drives, files),
        UsageError::MissingFile { verb, .. } => next
            .then(FORM)
            .then(with_a_file(typed).unwrap_or_else(|| form(*verb))),
        UsageError::UnexpectedFile { verb, drives, .. } => next
            .then(FORM)
            .then(looking(Request::form(*verb, drives, None))),
        UsageError::ClassicKeep { as_length, as_end } => classic_keep(*as_length, *as_end),
        UsageError::LogIsOtherFile { .. } => {
            next.then("Give the log a name of its own, as in --log mtkflash.log.")
        }
        UsageError::NoCheckNamed => next
            .then("Type the command without it. Where a check refuses, the message says its name."),
        UsageError::UnknownSwitch { word } if nearest_to(word).is_some() => {
            let name = nearest_to(word).unwrap_or_default();
            next.then(format!("The nearest is {name}. To see all switches:"))
                .then(Request::help(Topic::Switches))
        }
        UsageError::UnknownSwitch { .. }
        | UsageError::Other { .. }
        | UsageError::OtherDash { .. } => next
            .then("To see all switches:")
            .then(Request::help(Topic::Switches)),
        UsageError::EmptyWord | UsageError::StandardStream => {
            next.then(FORM).then(form(Verb::Read))
        }
        UsageError::UnknownCheck { .. } => {
            next.then("A refusal says the name of the check that stands in the way.")
        }
        UsageError::UnknownTopic { .. } => next
            .then("What there is help on:")
            .then(Request::help(Topic::Overview)),
        UsageError::BadValue {
            option: "generate", ..
        }
        | UsageError::MissingValue {
            option: "generate", ..
        } => next
            .then("For example:")
            .then(Request::generate(Artifact::Man)),
        UsageError::SwitchAsValue { word, .. } => match as_file(word, typed) {
            Some(request) => next
                .then("With the file of that name:")
                .then(looking(request)),
            None => next.then(HOW_TYPED).then(Request::help(topic(typed))),
        },
        UsageError::Missing { .. }
        | UsageError::OneFileOnly { .. }
        | UsageError::JoinedSwitches { .. }
        | UsageError::MissingValue { .. }
        | UsageError::NeedlessValue { .. }
        | UsageError::GivenTwice { .. }
        | UsageError::BadValue { .. }
        | UsageError::AmbiguousNumber { .. }
        | UsageError::Contradiction { .. } => {
            next.then(HOW_TYPED).then(Request::help(topic(typed)))
        }
    }
}

/// A line that lacks its command, with one that goes with what is there. What stands
/// before it may have been meant as the command.
fn any_command(drives: &[DriveName], files: &[OsString]) -> Advice {
    let file = files.last();
    let verb = match (drives.is_empty(), file) {
        (false, None) => Verb::Check,
        (true, Some(_)) => Verb::Inspect,
        (_, _) => Verb::Verify,
    };
    Advice::of("The command is a letter or a word behind the drive, for example:")
        .then(Request::form(verb, drives, file.map(OsString::as_os_str)))
}

/// What `/O first second` may have been to keep.
fn classic_keep(as_length: Option<[u32; 2]>, as_end: Option<[u32; 2]>) -> Advice {
    let kept = |range: Option<[u32; 2]>, what: &str| {
        range.map(|[first, last]| format!("--keep {first:#x}-{last:#x} if the {what}."))
    };
    let readings = [
        kept(as_length, "second number is a length"),
        kept(as_end, "second number is an offset"),
    ];
    let readings: Advice = readings.into_iter().flatten().collect();
    match readings.lines().is_empty() {
        true => readings.then("As in --keep 0x4000-0x5fff, both ends included."),
        false => readings,
    }
}

/// Whether a program's switch stands where questions are asked.
fn is_for_programs(error: &UsageError) -> bool {
    matches!(
        error,
        UsageError::DoesNotGoWith {
            option: "--json" | "--events",
            verb: Verb::Revive,
            ..
        }
    )
}

/// The name of the switch that is nearest to this word, dashes and all.
fn nearest_to(word: &OsStr) -> Option<&'static str> {
    let name = word.to_str()?.strip_prefix("--")?;
    let name = name.split('=').next()?;
    Some(nearest_switch(name)?.name())
}

/// The commands that stand by another name where a file may.
fn verbs_like(files: &[OsString]) -> impl Iterator<Item = Verb> + Clone {
    files.iter().filter_map(|word| word.to_str()).flat_map(like)
}

/// The line with a place for the file that it lacks.
fn with_a_file(typed: &[OsString]) -> Option<Request> {
    let request = args::parse_words(&[typed, &["FILE".into()]].concat()).ok()?;
    let form = Request::form(request.command.verb()?, &[], None);
    Some(Request {
        merged: request.merged || form.merged,
        binary: request.binary || form.binary,
        ..request
    })
}

/// The help on the command among these words, or on all switches.
fn topic(typed: &[OsString]) -> Topic {
    let mut words = typed.iter().filter_map(|word| word.to_str());
    words
        .find_map(Verb::named)
        .map_or(Topic::Switches, Topic::Command)
}

/// The list of drives, and the line with a place for the one that is meant: none
/// is ever proposed.
fn of_a_drive(request: Option<Request>) -> Advice {
    let next = Advice::of(WHICH_DRIVES).then(Request::form(Verb::List, &[], None));
    match request {
        Some(request) => next
            .then("Then, with its number or path in the place of DRIVE:")
            .then(request),
        None => next,
    }
}

/// The line with the word that was taken for a switch as the path of a file.
fn as_file(word: &OsStr, typed: &[OsString]) -> Option<Request> {
    let as_path = |one: &OsString| match one == word {
        true => Path::new(".").join(one).into_os_string(),
        false => one.clone(),
    };
    let words: Vec<OsString> = typed.iter().map(as_path).collect();
    args::parse_words(&words).ok()
}

const FORM: &str = "Its form is:";
const HOW_TYPED: &str = "How all of it is typed:";
const WHICH_DRIVES: &str = "To see which drives there are:";
