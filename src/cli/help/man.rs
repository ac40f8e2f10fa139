//! The man page, in the macros of man(7): <https://man7.org/linux/man-pages/man7/man.7.html>.

use std::fmt::Write;

use super::super::args::Verb;
use super::super::args::switches::SWITCHES;
use super::super::exit::Exit;
use super::super::words;
use super::{ABOUT_DRIVES, ABOUT_FORCE, DRIVES, OF_SEVERAL};
use crate::job::Check;

/// When what it says was last changed.
const DATE: &str = "2026-11-28";

const DESCRIPTION: &[&str] = &[
    "mtkflash reads, backs up, erases, writes and verifies the flash memory with the firmware of \
     optical drives that have a MediaTek chip: by Lite-On, Sony, BTC, TSST, Samsung, LG, ASUS \
     and others. It takes the arguments of MTKFLASH, the DOS tool, in any case, order and place: \
     /m, /M, -m and --merge are the same.",
    "Before a change it makes a verified backup, shows what it will do, and asks. It refuses an \
     image that is not for the drive, and reads back what it has written. Every message ends in \
     what happened to the flash and in the next command to type. After an interruption the same \
     command goes on.",
    "Without arguments it shows its commands on one screen.",
];

/// What is read or written beside what the user names.
const FILES: [(&str, &str); 4] = [
    (
        "backup-....bin",
        "In the current folder: what was in the flash before a change. A text file of the same \
         name and .txt beside it says which drive, which chip, and the sums.",
    ),
    (
        "/var/lib/mtkflash",
        "Notes of writes that were begun, by root. Of other users they are in \
         ~/.local/state/mtkflash.",
    ),
    (
        "/var/log/mtkflash/mtkflash.log",
        "The log of every run by root. Of other users it is in ~/.local/state/mtkflash.",
    ),
    (
        "/lib/udev/rules.d/70-mtkflash.rules",
        "Lets members of the group cdrom at the drives.",
    ),
];

const ENVIRONMENT: [(&str, &str); 2] = [
    (
        "NO_COLOR",
        "Where it is set and not empty, success and failure are not coloured. Elsewhere than on \
         a terminal they never are.",
    ),
    (
        "XDG_STATE_HOME",
        "The folder for notes and log, instead of ~/.local/state.",
    ),
];

/// The page; ends in a line break.
pub fn page() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut page = format!(".TH MTKFLASH 1 {DATE} \"mtkflash {version}\" \"User Commands\"\n");
    section(&mut page, "NAME");
    page.push_str("mtkflash \\- flash and revive MediaTek\\-based optical drives\n");
    section(&mut page, "SYNOPSIS");
    page.push_str(".nf\n");
    for verb in Verb::ALL {
        let _ = writeln!(page, "{}", form(verb.about().form));
    }
    page.push_str(".fi\n");
    section(&mut page, "DESCRIPTION");
    paragraphs(&mut page, DESCRIPTION);
    section(&mut page, "COMMANDS");
    for verb in Verb::ALL {
        let about = verb.about();
        term(&mut page, &form(about.form), &sentence(about.brief));
        page.push_str(".RS\n");
        more_paragraphs(&mut page, about.story);
        page.push_str(".RE\n");
    }
    section(&mut page, "DRIVES");
    page.push_str(".nf\n");
    for line in DRIVES {
        let _ = writeln!(page, "{}", escaped(line));
    }
    page.push_str(".fi\n");
    let [files, dead, ways] = ABOUT_DRIVES;
    more_paragraphs(&mut page, &[files, dead]);
    example(&mut page, "mtkflash 3 c --via port --wait 200");
    more_paragraphs(&mut page, &[ways]);
    example(&mut page, "mtkflash revive");
    section(&mut page, "OPTIONS");
    for switch in SWITCHES {
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
            &mut page,
            &super::spelling(switch, bold, italic),
            &format!("{}{goes_with}", text.trim_end()),
        );
    }
    section(&mut page, "CHECKS");
    let [names, dangerous] = ABOUT_FORCE;
    paragraphs(&mut page, &[names]);
    for check in Check::ALL {
        term(
            &mut page,
            &bold(check.name()),
            &sentence(words::objection::overridden(check)),
        );
    }
    more_paragraphs(&mut page, &[dangerous]);
    section(&mut page, "EXIT STATUS");
    for exit in Exit::ALL {
        term(
            &mut page,
            &bold(&exit.code().to_string()),
            &sentence(exit.text()),
        );
    }
    more_paragraphs(&mut page, &[OF_SEVERAL.trim_end()]);
    section(&mut page, "FILES");
    for (name, what) in FILES {
        term(&mut page, &italic(name), what);
    }
    section(&mut page, "ENVIRONMENT");
    for (name, what) in ENVIRONMENT {
        term(&mut page, &bold(name), what);
    }
    section(&mut page, "EXAMPLES");
    page.push_str(".nf\n");
    for line in Verb::ALL.iter().flat_map(|verb| verb.about().examples) {
        let _ = writeln!(page, "{}", escaped(line));
    }
    page.push_str(".fi\n");
    section(&mut page, "BUGS");
    paragraphs(&mut page, &["Nothing was ever tried on a real drive."]);
    page
}

fn section(page: &mut String, name: &str) {
    let _ = writeln!(page, ".SH {name}");
}

/// The first paragraphs of a section.
fn paragraphs(page: &mut String, texts: &[&str]) {
    let texts: Vec<String> = texts.iter().map(|text| lines(text)).collect();
    page.push_str(&texts.join(".PP\n"));
}

/// Paragraphs behind something else.
fn more_paragraphs(page: &mut String, texts: &[&str]) {
    page.push_str(".PP\n");
    paragraphs(page, texts);
}

/// Lines of a length that suits an editor; the typesetter fills its own. mandoc
/// measures them as they stand in the file.
fn lines(text: &str) -> String {
    let filled = super::filled(&spelled_out(text), "");
    filled
        .lines()
        .fold(String::new(), |lines, line| lines + &begun(line) + "\n")
}

fn example(page: &mut String, line: &str) {
    let _ = writeln!(page, ".PP\n.nf\n    {}\n.fi", escaped(line));
}

/// What is explained, set already, and its explanation.
fn term(page: &mut String, what: &str, text: &str) {
    let _ = write!(page, ".TP\n{what}\n{}", lines(text));
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
