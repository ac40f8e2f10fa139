//! Completions for shells, out of the tables of commands and switches: the letters
//! and words of the commands, the long switches, and the values of those that take
//! one of a few. Of the DOS forms `/m`, `/b` and `/y` are offered; drives are
//! offered by their numbers and nodes, never chosen.

use std::fmt::Write;

use super::super::args::switches::{SWITCHES, Switch, Values};
use super::super::args::{Artifact, Topic, Verb};

/// What a shell offers where a drive can stand.
const DRIVES: &str = "1 2 3 4 all";

/// For bash, as bash-completion loads it:
/// <https://www.gnu.org/software/bash/manual/html_node/Programmable-Completion.html>.
pub fn bash() -> String {
    let mut script = "\
# Completions of mtkflash for bash.
_mtkflash() {
    local cur=${COMP_WORDS[COMP_CWORD]} before= word verb= options=
    [ \"$COMP_CWORD\" -gt 0 ] && before=${COMP_WORDS[COMP_CWORD - 1]}
    # An equals sign is a word of its own to bash.
    if [ \"$cur\" = = ]; then
        cur=
    elif [ \"$before\" = = ] && [ \"$COMP_CWORD\" -gt 1 ]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    COMPREPLY=()
    case ${before,,} in
"
    .to_owned();
    for switch in SWITCHES {
        let Some(values) = switch.values() else {
            continue;
        };
        let offer = match values {
            Values::Paths => "_mtkflash_files".to_owned(),
            Values::Names(names) => words(&names()),
            Values::Any => ":".to_owned(),
        };
        let _ = writeln!(script, "        --{}) {offer}; return ;;", switch.long);
    }
    let artifacts = Artifact::ALL.map(Artifact::name);
    let _ = writeln!(
        script,
        "        --generate) {}; return ;;",
        words(&artifacts)
    );
    let _ = writeln!(script, "        help) {}; return ;;", words(&topics()));
    script.push_str(
        "    esac
    for word in \"${COMP_WORDS[@]:1:COMP_CWORD - 1}\"; do
        case ${word,,} in
",
    );
    for verb in Verb::ALL {
        let names = match verb.letter() == verb.word() {
            true => verb.word().to_owned(),
            false => format!("{} | {}", verb.letter(), verb.word()),
        };
        let _ = writeln!(
            script,
            "            {names}) verb={}; options='{}' ;;",
            verb.word(),
            options(verb).join(" ")
        );
    }
    let _ = write!(
        script,
        "        esac
    done
    case $cur in
        -*)
            COMPREPLY=($(compgen -W \"${{options:---help --version --generate}}\" -- \"$cur\"))
            ;;
        *)
            if [ -z \"$verb\" ]; then
                {verbs}
            fi
            {drives}
            {dos}
            _mtkflash_files
            ;;
    esac
}}

# Files and nodes, with blanks in their names if they have any.
_mtkflash_files() {{
    local found
    compopt -o filenames 2>/dev/null
    while IFS= read -r found; do COMPREPLY+=(\"$found\"); done < <(compgen -f -- \"$cur\")
}}

complete -F _mtkflash mtkflash MTKFLASH
",
        verbs = adding(&verbs().join(" ")),
        drives = adding(DRIVES),
        dos = "[[ $cur == / ]] && ".to_owned() + &adding(&letters().join(" ")),
    );
    script
}

/// A command that offers these words.
fn words(of: &[&str]) -> String {
    format!("COMPREPLY=($(compgen -W '{}' -- \"$cur\"))", of.join(" "))
}

/// The same beside what is offered already.
fn adding(words: &str) -> String {
    format!("COMPREPLY+=($(compgen -W '{words}' -- \"$cur\"))")
}

/// For zsh, as `compinit` loads it from a file `_mtkflash`:
/// <https://zsh.sourceforge.io/Doc/Release/Completion-System.html>.
pub fn zsh() -> String {
    let mut script = "\
#compdef mtkflash MTKFLASH
# Completions of mtkflash for zsh.
_mtkflash() {
    local -a commands drives
    commands=(
"
    .to_owned();
    for verb in Verb::ALL {
        let brief = verb.about().brief.replace(':', "\\:");
        let _ = writeln!(
            script,
            "        {}",
            quoted(&format!("{}:{brief}", verb.word()))
        );
    }
    script.push_str("        'help:what there is to know'\n    )\n");
    let _ = writeln!(script, "    drives=({DRIVES} /dev/sr*(N) /dev/sg*(N))");
    script.push_str("    _arguments -S \\\n");
    for switch in SWITCHES {
        let _ = writeln!(script, "        {} \\", zsh_switch(switch));
    }
    let artifacts = Artifact::ALL.map(Artifact::name).join(" ");
    let _ = write!(
        script,
        "        '--generate=[write the man page or completions]:text:({artifacts})' \\
        '--version[the version]' \\
        '--help[the help]' \\
        '*: :_mtkflash_word'
}}

_mtkflash_word() {{
    if (( words[(I)help] )); then
        compadd -- {topics}
        return
    fi
    if (( ! words[(I)({verbs})] )); then
        _describe -t commands command commands
    fi
    compadd -- $drives
    _files
}}

_mtkflash \"$@\"
",
        topics = topics().join(" "),
        verbs = named().join("|"),
    );
    script
}

fn zsh_switch(switch: &Switch) -> String {
    let told = switch.brief.replace('[', "\\[").replace(']', "\\]");
    let Some(name) = switch.value() else {
        let letter = switch
            .letter()
            .map(|letter| format!("'(-{letter} --{0})'{{-{letter},--{0}}}", switch.long));
        return match letter {
            Some(names) => format!("{names}{}", quoted(&format!("[{told}]"))),
            None => quoted(&format!("--{}[{told}]", switch.long)),
        };
    };
    let value = match switch.values() {
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
    let mut script = "# Completions of mtkflash for fish.\n".to_owned();
    let none_yet = format!("not __fish_seen_subcommand_from {} help", named().join(" "));
    for verb in Verb::ALL {
        let _ = writeln!(
            script,
            "complete -c mtkflash -n '{none_yet}' -a {} -d {}",
            verb.word(),
            quoted(verb.about().brief)
        );
    }
    let _ = writeln!(
        script,
        "complete -c mtkflash -n '{none_yet}' -a help -d 'what there is to know'"
    );
    let _ = writeln!(
        script,
        "complete -c mtkflash -n '{none_yet}' -a '{DRIVES}' -d drive"
    );
    let _ = writeln!(
        script,
        "complete -c mtkflash -f -n '__fish_seen_subcommand_from help' -a '{}'",
        topics().join(" ")
    );
    for switch in SWITCHES {
        let letter = switch.letter().map(|letter| format!("-s {letter} "));
        let value = match switch.values() {
            None => String::new(),
            Some(Values::Paths) => " -r -F".to_owned(),
            Some(Values::Names(names)) => format!(" -x -a '{}'", names().join(" ")),
            Some(Values::Any) => " -x".to_owned(),
        };
        let _ = writeln!(
            script,
            "complete -c mtkflash {}-l {} -d {}{value}",
            letter.unwrap_or_default(),
            switch.long,
            quoted(switch.brief)
        );
    }
    let artifacts = Artifact::ALL.map(Artifact::name).join(" ");
    let _ = writeln!(
        script,
        "complete -c mtkflash -l generate -d 'write the man page or completions' -x -a '{artifacts}'"
    );
    script.push_str(
        "complete -c mtkflash -l version -d 'the version'\n\
         complete -c mtkflash -l help -d 'the help'\n\
         complete -c MTKFLASH -w mtkflash\n",
    );
    script
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

/// The words of the commands, and of the help.
fn verbs() -> Vec<&'static str> {
    let words = Verb::ALL.into_iter().map(Verb::word);
    words.chain(["help"]).collect()
}

/// What can be typed behind `help`.
fn topics() -> Vec<&'static str> {
    Topic::all().filter_map(Topic::name).collect()
}

/// The switches that go with a command.
fn options(verb: Verb) -> Vec<String> {
    let switches = SWITCHES.iter();
    switches
        .filter(|switch| switch.verbs.contains(&verb))
        .map(|switch| format!("--{}", switch.long))
        .collect()
}

/// `/m`, as under DOS.
fn letters() -> Vec<String> {
    let letters = SWITCHES.iter().filter_map(Switch::letter);
    letters.map(|letter| format!("/{letter}")).collect()
}

/// A word for each of these shells; none of the tables holds a backslash.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
