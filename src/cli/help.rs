//! What the program tells about itself: the help, a screenful for each topic, and
//! beside it the man page and the completions of shells. All of it is made of the
//! tables of commands, switches, checks and exit codes.

mod complete;
mod man;

use std::fmt::Write;

use textwrap::{Options, WordSeparator, WordSplitter};

use super::args::switches::{SWITCHES, Switch};
use super::args::{Artifact, Topic, Verb};
use super::exit::Exit;
use super::words;
use crate::job::Check;

/// The column in which explanations start.
const COLUMN: usize = 25;
/// Lines end before this one, so that a terminal of 80 breaks none.
const WIDTH: usize = 79;

const DRIVE: &str = "\
DRIVE is 1 primary master, 2 primary slave, 3 secondary master, 4 secondary
slave, a path such as /dev/sr0, a serial number, or a list of those.
With /m all banks of 64 KiB are in one file; with /b it is raw binary.
Any case, order and place will do: /m, /M, -m and --merge are the same.
A change is shown, asked about, and made after a backup.
";

const DRIVES: &[&str] = &[
    "  1, 2                        master and slave on the primary IDE cable",
    "  3, 4                        master and slave on the secondary one",
    "  /dev/sr0, /dev/sg1          a node; /dev/disk/by-id/... as well",
    "  pci-0000:03:00.0-ata-2.0    a port of a card, as l lists it",
    "  SIM00000013                 a serial number, as l lists it",
    "",
    "Several work side by side, after one question:",
    "",
    "  1,2,4    1-4    /dev/sg1,/dev/sg2",
    "  all                         every drive that l lists: for c, r and v",
    "",
];

const ABOUT_DRIVES: [&str; 3] = [
    "No drive is ever picked: where none is named, the drives are listed and one is asked for, at \
     a terminal. A file that is called like a drive or a command is ./3 or ./r, and what stands \
     behind -- is a file, whatever it is called.",
    "A dead drive may not be listed. Its place 1-4 is its name all the same, or on a card its \
     port, and --via port leads there, as root:",
    "Hold its eject button while you switch it on, for about 10 seconds; more ways to prepare it \
     are told when it refuses. All of it, step by step:",
];

const ABOUT_FORCE: [&str; 2] = [
    "A refusal names the check that stands in the way. --force passes one, by that name; there is \
     no name for all of them. The names:",
    "Where a wrong image leaves the drive dead (family, banner, structure), the drive's model is \
     to be typed instead of YES.",
];

const OF_SEVERAL: &str = "Of several drives the worst counts: 7, 1, 8, 6, 3, 5, 4, 2, 130, 9, 0.\n";

/// The help on a topic, for a terminal of 80 columns; ends in a line break.
pub fn text(topic: Topic) -> String {
    match topic {
        Topic::Overview => overview(),
        Topic::Command(verb) => command(verb),
        Topic::Drives => drives(),
        Topic::Switches => every_switch(),
        Topic::Force => checks(),
        Topic::Codes => codes(),
    }
}

/// The text of `--version`; ends in a line break.
pub fn version() -> String {
    format!("mtkflash {}\n", env!("CARGO_PKG_VERSION"))
}

/// What `--generate` writes; ends in a line break.
pub fn generated(artifact: Artifact) -> String {
    match artifact {
        Artifact::Man => man::page(),
        Artifact::Bash => complete::bash(),
        Artifact::Zsh => complete::zsh(),
        Artifact::Fish => complete::fish(),
    }
}

/// A text of a file, with what is made of the tables where it says `@NAME@`.
fn filled_in<'a>(file: &str, parts: impl IntoIterator<Item = (&'a str, String)>) -> String {
    parts
        .into_iter()
        .fold(file.to_owned(), |text, (name, part)| {
            text.replace(&format!("@{name}@"), &part)
        })
}

fn joined(lines: impl IntoIterator<Item = String>) -> String {
    lines.into_iter().collect::<Vec<_>>().join("\n")
}

/// Of 80 columns and 25 lines, one of which is for what is typed next.
fn overview() -> String {
    /// In the order in which they are wanted.
    const COMMANDS: [Verb; 8] = [
        Verb::List,
        Verb::Check,
        Verb::Read,
        Verb::Inspect,
        Verb::Write,
        Verb::Verify,
        Verb::Erase,
        Verb::Revive,
    ];
    let mut help = format!(
        "mtkflash {}: flashes and revives MediaTek-based optical drives\n\n",
        env!("CARGO_PKG_VERSION")
    );
    for verb in COMMANDS {
        let about = verb.about();
        row(&mut help, about.form, about.brief);
    }
    let _ = write!(help, "\n{DRIVE}\n");
    row(
        &mut help,
        "mtkflash help w",
        "all about w, and so r v e c l i revive",
    );
    for (topic, what) in [
        (Topic::Drives, "how to name one drive or several"),
        (Topic::Switches, "every switch"),
        (Topic::Force, "the checks that refuse, and how to pass one"),
        (Topic::Codes, "what the exit codes mean"),
    ] {
        let line = format!("mtkflash help {}", topic.name().unwrap_or_default());
        row(&mut help, &line, what);
    }
    row(&mut help, "mtkflash --version", "the version");
    help
}

fn row(help: &mut String, form: &str, what: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(help, "  {form:<29}  {what}");
}

fn command(verb: Verb) -> String {
    let about = verb.about();
    let mut help = String::new();
    row(&mut help, about.form, about.brief);
    for paragraph in about.story {
        help.push('\n');
        paragraph_of(&mut help, paragraph);
    }
    help.push_str("\nSwitches\n");
    let goes_along = |switch: &&Switch| switch.verbs.contains(&verb);
    SWITCHES
        .iter()
        .filter(goes_along)
        .for_each(|switch| entry_of(&mut help, switch));
    help.push_str("\nExamples\n");
    for example in about.examples {
        let _ = writeln!(help, "  {example}");
    }
    help
}

fn drives() -> String {
    let mut help =
        "A drive is named by its place, its node, its port or its serial number:\n\n".to_owned();
    for line in DRIVES {
        help.push_str(line);
        help.push('\n');
    }
    let [files, dead, ways] = ABOUT_DRIVES;
    paragraph_of(&mut help, files);
    help.push('\n');
    paragraph_of(&mut help, dead);
    help.push_str("\n  mtkflash 3 c --via port --wait 200\n\n");
    paragraph_of(&mut help, ways);
    help.push_str("\n  mtkflash revive\n");
    help
}

fn every_switch() -> String {
    let mut help = "Switches; `mtkflash help w` shows those that go with w\n".to_owned();
    SWITCHES
        .iter()
        .for_each(|switch| entry_of(&mut help, switch));
    help
}

fn checks() -> String {
    let mut help = String::new();
    let [names, dangerous] = ABOUT_FORCE;
    paragraph_of(&mut help, names);
    help.push('\n');
    for check in Check::ALL {
        entry(&mut help, check.name(), words::objection::overridden(check));
    }
    help.push('\n');
    paragraph_of(&mut help, dangerous);
    help.push_str("\n  mtkflash 3 w /m bys1.bin --force=model\n");
    help
}

fn codes() -> String {
    let mut help = "Exit codes\n".to_owned();
    for exit in Exit::ALL {
        let _ = writeln!(help, "{:>5}  {}", exit.code(), exit.text());
    }
    help.push_str(OF_SEVERAL);
    help
}

/// `/m, --merge`, `--force=CHECK`, its names and its value set so.
fn spelling(switch: &Switch, name: fn(&str) -> String, value: fn(&str) -> String) -> String {
    let letter = switch.letter.map(|letter| format!("/{letter}"));
    let names = letter.into_iter().chain([format!("--{}", switch.long)]);
    let names: Vec<String> = names.map(|spelled| name(&spelled)).collect();
    let between = if switch.example.contains('=') {
        "="
    } else {
        " "
    };
    let value = switch
        .value
        .map(|named| format!("{between}{}", value(named)));
    names.join(", ") + &value.unwrap_or_default()
}

fn entry_of(help: &mut String, switch: &Switch) {
    entry(
        help,
        &spelling(switch, str::to_owned, str::to_owned),
        switch.brief,
    );
    if !switch.more.is_empty() {
        let indent = " ".repeat(COLUMN);
        let _ = writeln!(help, "{}", filled(switch.more, &indent));
    }
}

fn entry(help: &mut String, name: &str, text: &str) {
    let width = COLUMN - 4;
    let _ = writeln!(help, "  {name:<width$}  {text}");
}

fn paragraph_of(help: &mut String, text: &str) {
    let _ = writeln!(help, "{}", filled(text, ""));
}

fn filled(text: &str, indent: &str) -> String {
    let options = Options::new(WIDTH)
        .initial_indent(indent)
        .subsequent_indent(indent)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation);
    textwrap::fill(text, options)
}

#[cfg(test)]
mod tests;
