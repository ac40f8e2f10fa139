//! Completions for shells, out of the tables of commands and switches: the letters
//! and words of the commands, the long switches, and the values of those that take
//! one of a few. Of the DOS forms `/m`, `/b` and `/y` are offered; drives are
//! offered by their numbers and nodes, never chosen.
//!
//! The scripts are the files beside this one; here is made what is in the tables.

use super::super::args::switches::{SWITCHES, Switch, Values};
use super::super::args::{Artifact, Topic, Verb};
use super::{filled_in, joined};

/// What a shell offers where a drive can stand.
const DRIVES: &str = "1 2 3 4 all";

/// For bash, as bash-completion loads it:
/// <https://www.gnu.org/software/bash/manual/html_node/Programmable-Completion.html>.
pub fn bash() -> String {
    let switch = |switch: &Switch| {
        let offer = match switch.values? {
            Values::Paths => "_mtkflash_files".to_owned(),
            Values::Names(names) => {
                let names = names().join(" ");
                format!("COMPREPLY=($(compgen -W '{names}' -- \"$cur\"))")
            }
            Values::Any => ":".to_owned(),
        };
        Some(format!("        --{}) {offer}; return ;;", switch.long))
    };
    let command = |verb: Verb| {
        let names = match verb.letter() == verb.word() {
            true => verb.word().to_owned(),
            false => format!("{} | {}", verb.letter(), verb.word()),
        };
        let options = options(verb).join(" ");
        let word = verb.word();
        format!("            {names}) verb={word}; options='{options}' ;;")
    };
    script(
        include_str!("completion.bash"),
        [
            ("SWITCHES", joined(SWITCHES.iter().filter_map(switch))),
            ("COMMANDS", joined(Verb::ALL.map(command))),
        ],
    )
}

/// For zsh, as `compinit` loads it from a file `_mtkflash`:
/// <https://zsh.sourceforge.io/Doc/Release/Completion-System.html>.
pub fn zsh() -> String {
    let command = |verb: Verb| {
        let brief = verb.about().brief.replace(':', "\\:");
        format!("        {}", quoted(&format!("{}:{brief}", verb.word())))
    };
    let switch = |switch: &Switch| format!("        {} \\", zsh_switch(switch));
    script(
        include_str!("completion.zsh"),
        [
            ("SWITCHES", joined(SWITCHES.iter().map(switch))),
            ("COMMANDS", joined(Verb::ALL.map(command))),
            ("NAMES", named().join("|")),
        ],
    )
}

fn zsh_switch(switch: &Switch) -> String {
    let told = switch.brief.replace('[', "\\[").replace(']', "\\]");
    let Some(name) = switch.value else {
        let letter = switch
            .letter
            .map(|letter| format!("'(-{letter} --{0})'{{-{letter},--{0}}}", switch.long));
        return match letter {
            Some(names) => format!("{names}{}", quoted(&format!("[{told}]"))),
            None => quoted(&format!("--{}[{told}]", switch.long)),
        };
    };
    let value = match switch.values {
        Some(Values::Paths) => ":_files".to_owned(),
        Some(Values::Names(names)) => format!(":({})", names().join(" ")),
        Some(Values::Any) | None => ": ".to_owned(),
    };
    let again = if switch.is_repeatable() { "*" } else { "" };
    quoted(&format!("{again}--{}=[{told}]:{name}{value}", switch.long))
}

/// For fish, as it loads `mtkflash.fish`:
/// <https://fishshell.com/docs/current/completions.html>.
pub fn fish() -> String {
    let none = format!("not __fish_seen_subcommand_from {} help", named().join(" "));
    let command = |verb: Verb| {
        let brief = quoted(verb.about().brief);
        format!(
            "complete -c mtkflash -n '{none}' -a {} -d {brief}",
            verb.word()
        )
    };
    let switch = |switch: &Switch| {
        let letter = switch.letter.map(|letter| format!("-s {letter} "));
        let value = match switch.values {
            None => String::new(),
            Some(Values::Paths) => " -r -F".to_owned(),
            Some(Values::Names(names)) => format!(" -x -a '{}'", names().join(" ")),
            Some(Values::Any) => " -x".to_owned(),
        };
        format!(
            "complete -c mtkflash {}-l {} -d {}{value}",
            letter.unwrap_or_default(),
            switch.long,
            quoted(switch.brief)
        )
    };
    script(
        include_str!("completion.fish"),
        [
            ("SWITCHES", joined(SWITCHES.iter().map(switch))),
            ("COMMANDS", joined(Verb::ALL.map(command))),
            ("NONE", none),
        ],
    )
}

/// A script with `parts` of its own and those that all have.
fn script<const PARTS: usize>(script: &str, parts: [(&str, String); PARTS]) -> String {
    let letters = SWITCHES.iter().filter_map(|switch| switch.letter);
    let letters: Vec<String> = letters.map(|letter| format!("/{letter}")).collect();
    let topics: Vec<&str> = Topic::all().filter_map(Topic::name).collect();
    let common = [
        ("DRIVES", DRIVES.to_owned()),
        ("WORDS", Verb::ALL.map(Verb::word).join(" ")),
        ("LETTERS", letters.join(" ")),
        ("TOPICS", topics.join(" ")),
        ("ARTIFACTS", Artifact::ALL.map(Artifact::name).join(" ")),
    ];
    filled_in(script, parts.into_iter().chain(common))
}

/// The commands by their letters and by their words.
fn named() -> Vec<&'static str> {
    let mut names: Vec<&str> = Verb::ALL
        .iter()
        .flat_map(|verb| [verb.letter(), verb.word()])
        .collect();
    names.dedup();
    names
}

/// The switches that go with a command.
fn options(verb: Verb) -> Vec<String> {
    let switches = SWITCHES.iter();
    switches
        .filter(|switch| switch.verbs.contains(&verb))
        .map(|switch| format!("--{}", switch.long))
        .collect()
}

/// A word for each of these shells; none of the tables holds a backslash.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
