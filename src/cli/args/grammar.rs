//! The switches of a command line, by clap, and what they say.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches};

use super::operands::Operands;
use super::switches::{Kind, SWITCHES, Switch};
use super::{Request, UsageError, Verb};

/// The switches among these words.
pub(super) fn matches(words: Vec<OsString>) -> Result<ArgMatches, UsageError> {
    grammar()
        .try_get_matches_from(words)
        .map_err(|error| refused(&error))
}

/// The switches as clap knows them, out of the one table.
fn grammar() -> clap::Command {
    clap::Command::new("mtkflash")
        .no_binary_name(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args(SWITCHES.iter().map(|switch| {
            let arg = Arg::new(switch.long).long(switch.long);
            match switch.kind {
                Kind::Value(..) => arg
                    .action(ArgAction::Append)
                    .value_parser(clap::value_parser!(OsString)),
                Kind::Flag(_) => arg.action(ArgAction::Count),
            }
        }))
}

/// An error of clap as one of ours.
fn refused(error: &clap::Error) -> UsageError {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => texts.first().cloned(),
        _ => None,
    };
    let word = context(ContextKind::InvalidArg).unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument => UsageError::UnknownSwitch { word: word.into() },
        ErrorKind::TooManyValues => UsageError::NeedlessValue {
            // How clap writes a switch that may be repeated.
            option: word.trim_end_matches("...").to_owned(),
        },
        kind => UsageError::Other {
            reason: format!("{word}: {kind}"),
        },
    }
}

/// Whether every switch goes with the command and with the others.
pub(super) fn fits(
    matches: &ArgMatches,
    verb: Verb,
    operands: &Operands,
) -> Result<(), UsageError> {
    let given: Vec<&Switch> = SWITCHES
        .iter()
        .filter(|switch| matches.value_source(switch.long) == Some(ValueSource::CommandLine))
        .collect();
    if let Some(other) = given.iter().find(|switch| !switch.verbs.contains(&verb)) {
        return Err(UsageError::DoesNotGoWith {
            option: other.name(),
            verb,
            fits: other.verbs,
        });
    }
    let is_given = |name: &&str| given.iter().any(|switch| switch.name() == *name);
    for switch in &given {
        if let Some(second) = switch.not_with.filter(is_given) {
            let first = switch.name();
            return Err(UsageError::Contradiction { first, second });
        }
    }
    for switch in &given {
        if let Some(other) = switch.needs.filter(|other| !is_given(other)) {
            let option = switch.name();
            return Err(UsageError::Missing { option, other });
        }
    }
    match given.iter().find(|switch| switch.is_of_one_file) {
        Some(switch) if operands.count_files() > 1 => Err(UsageError::OneFileOnly {
            option: switch.name(),
        }),
        _ => Ok(()),
    }
}

/// What all switches say of a request.
pub(super) fn fill(request: &mut Request, matches: &ArgMatches) -> Result<(), UsageError> {
    for switch in SWITCHES {
        match &switch.kind {
            Kind::Flag(flag) => *flag(request) = matches.get_count(switch.long) > 0,
            Kind::Value(setting) => {
                let setting = setting(&mut request.options);
                let mut words = matches
                    .get_many::<OsString>(switch.long)
                    .unwrap_or_default();
                if !setting.is_list() && words.len() > 1 {
                    return Err(UsageError::GivenTwice {
                        option: switch.long,
                    });
                }
                words.try_for_each(|word| match word.is_empty() {
                    true => Err(switch.missing_value()),
                    false => setting.take(switch, word),
                })?;
            }
        }
    }
    Ok(())
}
