//! Words as people type them, DOS switches and all, sorted into options in one
//! canonical form and operands.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::switches::{self, Switch};
use super::values::{hex, named};
use super::{Artifact, Topic, UsageError, Verb};

/// A command line in canonical form.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// `--merge`, `--keep=0x4000-0x5fff`: long names only, values joined.
    pub options: Vec<OsString>,
    /// Drives, commands and files as typed.
    pub operands: Vec<OsString>,
    /// Words behind `--` that are files whatever they are called: the last one, or
    /// all of a command that takes several.
    pub files: Vec<OsString>,
}

/// What a switch of the DOS tool, or of its kind, asks for.
enum Dos {
    Switch(&'static Switch),
    Help,
    Keep,
    Sata,
    /// `/m/b`, `/mb`: meant as two switches, but a path by the rule.
    Joined,
    Unknown(char),
}

/// What the words ask for help on, if they do: that wins over any mistake beside
/// it. No words ask for it, too.
///
/// # Errors
/// Words behind `help` that name nothing there is help on.
pub fn topic(argv: &[OsString]) -> Result<Option<Topic>, UsageError> {
    if argv.is_empty() {
        return Ok(Some(Topic::Overview));
    }
    let words = || before_the_end(argv).filter_map(OsStr::to_str);
    if before_the_end(argv).any(is_help) {
        let command = words().find_map(Verb::named).map(Topic::Command);
        let topic = command.or_else(|| words().find_map(Topic::named));
        return Ok(Some(topic.unwrap_or(Topic::Overview)));
    }
    let operands = without_switches(argv);
    let named = match operands.split_first() {
        Some((first, named)) if first.eq_ignore_ascii_case("help") => named.to_vec(),
        _ => return Ok(None),
    };
    let Some(word) = named.first().copied().cloned() else {
        return Ok(Some(Topic::Overview));
    };
    let mut named = named.into_iter();
    match named.find_map(|word| word.to_str().and_then(Topic::named)) {
        Some(topic) => Ok(Some(topic)),
        None => Err(UsageError::UnknownTopic { word }),
    }
}

/// The words that are neither switches nor the values of switches.
fn without_switches(words: &[OsString]) -> Vec<&OsString> {
    let mut words = words.iter().peekable();
    let mut left = Vec::new();
    while let Some(word) = words.next() {
        // Behind that stand files, whatever they are called.
        if word == "--" {
            break;
        }
        if !is_switch(word) {
            left.push(word);
            continue;
        }
        let (name, value) = split(word);
        let switch = name.to_str().and_then(switches::by_long);
        if value.is_none() && switch.is_some_and(|switch| switch.value.is_some()) {
            words.next_if(|next| !is_switch(next));
        }
    }
    left
}

/// The bench that is named, also in a line that makes no sense otherwise, and behind `--`:
/// what is advised is not about a drive of the machine then.
pub fn bench(argv: &[OsString]) -> Option<PathBuf> {
    let mut words = argv.iter().map(OsString::as_os_str);
    while let Some(word) = words.next() {
        let (name, value) = split(word);
        if word.as_bytes().starts_with(b"--") && name.eq_ignore_ascii_case("sim") {
            return value.or_else(|| words.next()).map(PathBuf::from);
        }
    }
    None
}

/// The command that these words name, also where they make no sense otherwise; `None`
/// for several.
pub fn verb_in(typed: &[OsString]) -> Option<Verb> {
    let words = without_switches(typed).into_iter();
    let mut verbs = words.filter_map(|word| word.to_str().and_then(Verb::named));
    let verb = verbs.next()?;
    verbs.next().is_none().then_some(verb)
}

fn is_help(word: &OsStr) -> bool {
    let is_dos = matches!(dos(word), Some(Dos::Help));
    let is = |help: &str| word.eq_ignore_ascii_case(help);
    is_dos || ["-?", "-h", "--help"].into_iter().any(is)
}

/// What the words ask to be written of the program's tables, if they do.
///
/// # Errors
/// No name behind `--generate`, or one of nothing that can be written.
pub fn artifact(argv: &[OsString]) -> Result<Option<Artifact>, UsageError> {
    const GENERATE: &str = "generate";
    const EXAMPLE: &str = "--generate man";
    let mut words = before_the_end(argv);
    let Some(asking) = words.find(|word| {
        let is_long = word.as_bytes().starts_with(b"--");
        is_long && split(word).0.eq_ignore_ascii_case(GENERATE)
    }) else {
        return Ok(None);
    };
    let (_, value) = split(asking);
    let Some(word) = value.or_else(|| words.next()) else {
        return Err(UsageError::MissingValue {
            option: GENERATE,
            example: EXAMPLE,
        });
    };
    let name = word.to_str().unwrap_or_default();
    match named(name, &Artifact::ALL, Artifact::name) {
        Some(artifact) => Ok(Some(artifact)),
        None => Err(UsageError::BadValue {
            option: GENERATE,
            word: word.to_owned(),
            expected: "what is written is man, bash, zsh or fish".to_owned(),
            example: EXAMPLE,
        }),
    }
}

/// Whether the words ask for the version.
pub fn ask_for_version(argv: &[OsString]) -> bool {
    before_the_end(argv).any(|word| word == "-V" || word.eq_ignore_ascii_case("--version"))
}

/// Whether an option is among the words, also where they make no sense.
pub fn ask_for(option: &str, argv: &[OsString]) -> bool {
    before_the_end(argv).any(|word| word.eq_ignore_ascii_case(option))
}

/// Sorts the words of a command line, program name excluded.
pub fn sort(typed: &[OsString]) -> Result<Words, UsageError> {
    let mut words = Words::default();
    let mut rest = typed.iter().cloned().peekable();
    while let Some(word) = rest.next() {
        if word == "--" {
            let inspects =
                |word: &OsString| word.to_str().and_then(Verb::named) == Some(Verb::Inspect);
            if words.operands.iter().any(inspects) {
                words.files.extend(rest);
            } else {
                words.operands.extend(rest);
                words.files.extend(words.operands.pop());
            }
            break;
        }
        if let Some(dos) = dos(&word) {
            match dos {
                Dos::Switch(switch) => words.options.push(long(switch)),
                // Asked for before anything is sorted.
                Dos::Help => {}
                Dos::Keep => {
                    let keep = classic_keep(rest.next().as_deref(), rest.next().as_deref());
                    return Err(keep);
                }
                Dos::Sata => return Err(UsageError::ClassicSata { word }),
                Dos::Joined => return Err(UsageError::JoinedSwitches { word }),
                Dos::Unknown(letter) => return Err(unknown(word, letter)),
            }
        } else if word.as_bytes().starts_with(b"--") {
            let (name, value) = split(&word);
            match name.to_str().and_then(switches::by_long) {
                Some(switch) => {
                    let mut option = long(switch);
                    let value = match (value, switch.value) {
                        (None, Some(_)) => rest.next_if(|next| !is_switch(next)),
                        (value, _) => value.map(OsStr::to_owned),
                    };
                    if value.is_none() && switch.value.is_some() {
                        return Err(match rest.next().filter(|next| is_like_a_file(next)) {
                            Some(word) => UsageError::SwitchAsValue {
                                option: switch.long,
                                word,
                            },
                            None => switch.missing_value(),
                        });
                    }
                    if let Some(value) = value {
                        option.push("=");
                        option.push(value);
                    }
                    words.options.push(option);
                }
                None => words.options.push(word),
            }
        } else if word.as_bytes().starts_with(b"-") && word.len() > 1 {
            letters(&word, &mut words.options)?;
        } else if is_behind_another_dash(&word) {
            return Err(UsageError::OtherDash { word });
        } else {
            words.operands.push(word);
        }
    }
    Ok(words)
}

/// The words that can be switches: those before `--`.
fn before_the_end(argv: &[OsString]) -> impl Iterator<Item = &OsStr> {
    argv.iter()
        .map(OsString::as_os_str)
        .take_while(|word| *word != "--")
}

/// The DOS switch that a word is: `/` and a known one, or `/` and one letter.
/// `/` followed by more is a path.
fn dos(word: &OsStr) -> Option<Dos> {
    let name = word.to_str()?;
    // The classic words are known by dashes as well, to be answered alike.
    let bare = name.trim_start_matches(['/', '-']).to_ascii_lowercase();
    if name.starts_with(['/', '-']) {
        match bare.as_str() {
            "o" => return Some(Dos::Keep),
            "sata" => return Some(Dos::Sata),
            _ => {}
        }
    }
    let name = name.strip_prefix('/')?.to_ascii_lowercase();
    match name.as_str() {
        "?" | "h" | "help" => return Some(Dos::Help),
        "mb" | "bm" | "m/b" | "b/m" => return Some(Dos::Joined),
        _ => {}
    }
    let mut letters = name.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) => {
            Some(switches::by_letter(letter).map_or(Dos::Unknown(letter), Dos::Switch))
        }
        _ => None,
    }
}

/// `-m`, `-B`, `-mb`: letters after one dash.
fn letters(word: &OsStr, options: &mut Vec<OsString>) -> Result<(), UsageError> {
    let letters = word.to_str().unwrap_or_default().strip_prefix('-');
    for letter in letters.unwrap_or("\u{fffd}").chars() {
        match switches::by_letter(letter) {
            Some(switch) => options.push(long(switch)),
            None => return Err(unknown(word.to_owned(), letter)),
        }
    }
    Ok(())
}

/// Whether a word that is read as a switch is none that there is, and has a path's signs.
fn is_like_a_file(word: &OsStr) -> bool {
    let is_single_dash = word.as_bytes().starts_with(b"-") && !word.as_bytes().starts_with(b"--");
    is_single_dash && word.as_bytes().iter().any(|byte| b"/.".contains(byte))
}

/// Whether a word is read as a switch, known or not.
pub fn is_switch(word: &OsStr) -> bool {
    (word.as_bytes().starts_with(b"-") && word.len() > 1)
        || dos(word).is_some()
        || is_behind_another_dash(word)
}

/// What follows the dashes of a word that were pasted from a page on which a
/// program had made them of hyphens.
pub fn behind_another_dash(word: &str) -> Option<&str> {
    const OTHERS: [char; 7] = [
        '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2015}', '\u{2212}',
    ];
    let name = word.trim_start_matches('-').trim_start_matches(OTHERS);
    let has_other = word.trim_start_matches('-').starts_with(OTHERS);
    (has_other && !name.is_empty()).then_some(name)
}

fn is_behind_another_dash(word: &OsStr) -> bool {
    word.to_str().and_then(behind_another_dash).is_some()
}

fn unknown(word: OsString, letter: char) -> UsageError {
    match Verb::named(letter.encode_utf8(&mut [0; 4])) {
        Some(verb) => UsageError::CommandAsSwitch { word, verb },
        None => UsageError::UnknownSwitch { word },
    }
}

fn long(switch: &Switch) -> OsString {
    OsString::from(format!("--{}", switch.long))
}

/// `--name=value` into name and value.
fn split(word: &OsStr) -> (&OsStr, Option<&OsStr>) {
    let name = word.as_bytes().get(2..).unwrap_or_default();
    match name.iter().position(|byte| *byte == b'=') {
        Some(at) => {
            let (name, value) = name.split_at(at);
            (
                OsStr::from_bytes(name),
                value.get(1..).map(OsStr::from_bytes),
            )
        }
        None => (OsStr::from_bytes(name), None),
    }
}

/// What `/O first second` may have been to keep, first and last byte.
fn classic_keep(first: Option<&OsStr>, second: Option<&OsStr>) -> UsageError {
    let number = |word: Option<&OsStr>| word.and_then(OsStr::to_str).and_then(hex);
    let (Some(first), Some(second)) = (number(first), number(second)) else {
        return UsageError::ClassicKeep {
            as_length: None,
            as_end: None,
        };
    };
    UsageError::ClassicKeep {
        // As a length this is a byte more than it says: the side on which nothing
        // of the drive's own is lost.
        as_length: first.checked_add(second).map(|last| [first, last]),
        as_end: (second >= first).then_some([first, second]),
    }
}
