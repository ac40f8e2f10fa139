//! The man page, in the macros of man(7): <https://man7.org/linux/man-pages/man7/man.7.html>.
//!
//! The page is the file beside this one; here is made what is in the tables, and what
//! the help says as well.

use super::super::args::Verb;
use super::super::args::switches::{SWITCHES, Switch};
use super::super::exit::Exit;
use super::super::words;
use super::{ABOUT_DRIVES, ABOUT_FORCE, DRIVES, OF_SEVERAL, filled_in, joined};
use crate::job::Check;

/// The page; ends in a line break.
pub fn page() -> String {
    let check = |check: Check| {
        let what = sentence(words::objection::overridden(check));
        term(&bold(check.name()), &what)
    };
    let code = |exit: Exit| term(&bold(&exit.code().to_string()), &sentence(exit.text()));
    let examples = Verb::ALL.iter().flat_map(|verb| verb.about().examples);
    let [files, dead, ways] = ABOUT_DRIVES;
    let [names, dangerous] = ABOUT_FORCE;
    let parts = [
        ("VERSION", env!("CARGO_PKG_VERSION").to_owned()),
        (
            "FORMS",
            joined(Verb::ALL.map(|verb| form(verb.about().form))),
        ),
        ("COMMANDS", joined(Verb::ALL.map(command))),
        ("DRIVES", joined(DRIVES.iter().map(|line| escaped(line)))),
        ("FILES", lines(files)),
        ("DEAD", lines(dead)),
        ("WAYS", lines(ways)),
        ("OPTIONS", joined(SWITCHES.iter().map(option))),
        ("NAMES", lines(names)),
        ("CHECKS", joined(Check::ALL.map(check))),
        ("DANGEROUS", lines(dangerous)),
        ("CODES", joined(Exit::ALL.map(code))),
        ("SEVERAL", lines(OF_SEVERAL.trim_end())),
        ("EXAMPLES", joined(examples.map(|line| escaped(line)))),
    ];
    filled_in(include_str!("mtkflash.1"), parts)
}

fn command(verb: Verb) -> String {
    let about = verb.about();
    let brief = term(&form(about.form), &sentence(about.brief));
    let story = about
        .story
        .iter()
        .map(|text| format!(".PP\n{}", lines(text)));
    format!("{brief}\n.RS\n{}\n.RE", joined(story))
}

fn option(switch: &Switch) -> String {
    let text = format!("{} {}", sentence(switch.brief), switch.more);
    let of_all = switch.verbs.len() == Verb::ALL.len();
    let goes_with = match of_all {
        true => String::new(),
        false => {
            let letters: Vec<&str> = switch.verbs.iter().map(|verb| verb.letter()).collect();
            format!(" Goes with {}.", letters.join(", "))
        }
    };
    term(
        &super::spelling(switch, bold, italic),
        &format!("{}{goes_with}", text.trim_end()),
    )
}

/// Lines of a length that suits an editor; the typesetter fills its own. mandoc
/// measures them as they stand in the file.
fn lines(text: &str) -> String {
    let filled = super::filled(&spelled_out(text), "");
    joined(filled.lines().map(begun))
}

/// What is explained, set already, and its explanation.
fn term(what: &str, text: &str) -> String {
    format!(".TP\n{what}\n{}", lines(text))
}

/// `mtkflash DRIVE w /m FILE`, with what the user puts there in another type.
fn form(line: &str) -> String {
    let words = line.split(' ').map(|word| {
        let is_placeholder = word.trim_matches(['[', ']']) == "DRIVE" || word == "FILE";
        match is_placeholder {
            true => italic(word),
            false => bold(word),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn bold(text: &str) -> String {
    format!("\\fB{}\\fR", escaped(text))
}

fn italic(text: &str) -> String {
    format!("\\fI{}\\fR", escaped(text))
}

/// Words as the typesetter leaves them.
fn escaped(text: &str) -> String {
    begun(&spelled_out(text))
}

/// A backslash and a hyphen that is typed mean something else to the typesetter.
fn spelled_out(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-")
}

/// And so does a dot or a quote that begins a line.
fn begun(line: &str) -> String {
    match line.starts_with(['.', '\'']) {
        true => format!("\\&{line}"),
        false => line.to_owned(),
    }
}

/// With a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    let rest = letters.as_str();
    first.map_or_else(String::new, |first| format!("{first}{rest}."))
}
