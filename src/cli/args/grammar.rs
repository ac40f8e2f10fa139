//! The switches of a command line, by clap, and what they say.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches};

use super::operands::Operands;
use super::switches::{SWITCHES, Switch};
use super::{Options, UsageError, Verb, Via, values};
use crate::job::Check;

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
            match switch.value {
                Some(_) => arg
                    .action(ArgAction::Append)
                    .value_parser(clap::value_parser!(OsString)),
                None => arg.action(ArgAction::Count),
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
        ErrorKind::UnknownArgument => UsageError::UnknownSwitch {
            form: context(ContextKind::SuggestedArg).unwrap_or_else(|| "mtkflash /?".to_owned()),
            word: word.into(),
        },
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
    let given =
        |switch: &&Switch| matches.value_source(switch.long) == Some(ValueSource::CommandLine);
    for switch in SWITCHES.iter().filter(given) {
        if !switch.verbs.contains(&verb) {
            return Err(UsageError::DoesNotGoWith {
                option: switch.name(),
                verb,
                fits: switch.verbs,
                form: operands.form(verb),
            });
        }
    }
    if matches.get_count("no-backup") > 0 && matches.contains_id("backup") {
        return Err(UsageError::Contradiction {
            first: "--backup",
            second: "--no-backup",
            form: format!("{} --backup before.bin", operands.form(verb)),
        });
    }
    if matches.contains_id("banks") && matches.contains_id("range") {
        return Err(UsageError::Contradiction {
            first: "--banks",
            second: "--range",
            form: format!("{} --banks 0-3", operands.form(verb)),
        });
    }
    Ok(())
}

/// The values of all options.
pub(super) fn options(matches: &ArgMatches) -> Result<Options, UsageError> {
    let mut options = Options {
        yes: matches.get_count("yes") > 0,
        dry_run: matches.get_count("dry-run") > 0,
        no_backup: matches.get_count("no-backup") > 0,
        ..Options::default()
    };
    for switch in SWITCHES.iter().filter(|switch| switch.value.is_some()) {
        let mut words = matches
            .get_many::<OsString>(switch.long)
            .unwrap_or_default();
        if !switch.repeatable && words.len() > 1 {
            return Err(UsageError::GivenTwice {
                option: switch.long,
                example: switch.example,
            });
        }
        words.try_for_each(|word| value(&mut options, switch, word))?;
    }
    Ok(options)
}

/// Puts one value of one option where it belongs.
fn value(options: &mut Options, switch: &'static Switch, word: &OsStr) -> Result<(), UsageError> {
    if word.is_empty() {
        return Err(UsageError::MissingValue {
            option: switch.long,
            example: switch.example,
        });
    }
    match switch.long {
        "backup" => options.backup = Some(PathBuf::from(word)),
        "sim" => options.sim = Some(PathBuf::from(word)),
        "banks" => options.banks = Some(values::banks(switch, word)?),
        "range" => options.range = Some(values::range(switch, word)?),
        "keep" => options.keep.push(values::range(switch, word)?),
        "size" => options.size = Some(values::size(switch, word)?),
        "wait" => options.wait = Some(values::seconds(switch, word)?),
        "protocol" => {
            options.protocol = Some(values::text(switch, word)?.to_ascii_lowercase());
        }
        "via" => {
            options.via = Some(
                match values::text(switch, word)?.to_ascii_lowercase().as_str() {
                    "sg" => Via::Sg,
                    "ata" => Via::Ata,
                    "port" => Via::Port,
                    _ => return Err(values::bad(switch, word, "the ways are sg, ata and port")),
                },
            );
        }
        "force" => {
            for name in values::text(switch, word)?.split(',') {
                let check = Check::ALL
                    .into_iter()
                    .find(|check| name.eq_ignore_ascii_case(check.name()));
                options
                    .force
                    .insert(check.ok_or_else(|| UsageError::UnknownCheck { word: name.into() })?);
            }
        }
        // A switch of the table that nothing here stores must not pass in silence.
        other => {
            return Err(UsageError::Other {
                reason: format!("--{other} is not known here"),
            });
        }
    }
    Ok(())
}
