//! Text for people: rows of a lead and what stands behind it. What is a command
//! is known, and never broken.
//!
//! A row is one line. Words hold names from drives and files, and a line break in
//! one of those must not begin a line that this program seems to say: it is made
//! visible, as every character that a terminal obeys or hides.

use std::fmt;

use textwrap::{Options, WordSeparator, WordSplitter};

use super::advice::{Advice, Command, Line};
use super::caller::Caller;
use super::visible::visible;

/// Columns of a label and the blanks behind it.
const LABEL: usize = 10;

/// Lines to show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text(Vec<Row>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    /// A label or blanks. Lines that are broken go on under what follows it.
    lead: String,
    body: Body,
    tone: Tone,
}

/// What colour says beside the words, never alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tone {
    Plain,
    Success,
    Failure,
}

/// How text is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    /// The columns to which words are broken.
    pub width: Option<usize>,
    /// Success and failure in colours.
    pub colours: bool,
}

impl Look {
    /// Whole lines without colours, for files and programs.
    pub const PLAIN: Look = Look {
        width: None,
        colours: false,
    };
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Body {
    Words(String),
    Command(Command),
}

impl Text {
    /// Words behind a label; nothing for no words.
    pub fn row(&mut self, label: &str, words: &str) -> &mut Self {
        self.rows(
            label,
            std::iter::once(words).filter(|words| !words.is_empty()),
        )
    }

    /// Lines behind a label, under each other.
    pub fn rows<L: Into<String>>(
        &mut self,
        label: &str,
        lines: impl IntoIterator<Item = L>,
    ) -> &mut Self {
        for (number, line) in lines.into_iter().enumerate() {
            let label = if number == 0 { label } else { "" };
            self.push(format!("{label:<LABEL$}"), Body::Words(line.into()));
        }
        self
    }

    /// A command behind a label.
    pub fn command(&mut self, label: &str, command: Command) -> &mut Self {
        self.push(format!("{label:<LABEL$}"), Body::Command(command))
    }

    /// A command behind any lead.
    pub fn command_behind(&mut self, lead: &str, command: Command) -> &mut Self {
        self.push(lead.to_owned(), Body::Command(command))
    }

    /// Words behind any lead.
    pub fn words_behind(&mut self, lead: &str, words: &str) -> &mut Self {
        self.push(lead.to_owned(), Body::Words(words.to_owned()))
    }

    /// One line of words, behind the blanks that it begins with.
    pub fn words(&mut self, line: &str) -> &mut Self {
        let words = line.trim_start_matches(' ');
        let (blanks, _) = line.split_at(line.len() - words.len());
        self.push(blanks.to_owned(), Body::Words(words.to_owned()))
    }

    /// Lines of this program's own, as they are.
    pub fn lines(&mut self, text: &str) -> &mut Self {
        for line in text.lines() {
            self.words(line);
        }
        self
    }

    /// A line that says that it worked.
    pub fn success(&mut self, words: &str) -> &mut Self {
        self.toned(words, Tone::Success)
    }

    /// A line that says that it did not.
    pub fn failure(&mut self, words: &str) -> &mut Self {
        self.toned(words, Tone::Failure)
    }

    fn toned(&mut self, words: &str, tone: Tone) -> &mut Self {
        self.0.push(Row {
            lead: String::new(),
            body: Body::Words(words.to_owned()),
            tone,
        });
        self
    }

    fn push(&mut self, lead: String, body: Body) -> &mut Self {
        self.0.push(Row {
            lead,
            body,
            tone: Tone::Plain,
        });
        self
    }

    pub fn append(&mut self, text: impl Into<Text>) -> &mut Self {
        self.0.extend(text.into().0);
        self
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text so far, as the end of a chain.
    pub fn finish(&mut self) -> Text {
        std::mem::take(self)
    }

    /// The commands to type in it, in their order.
    #[cfg(test)]
    pub fn commands(&self) -> impl Iterator<Item = &Command> {
        self.0.iter().filter_map(|row| match &row.body {
            Body::Command(command) => Some(command),
            Body::Words(_) => None,
        })
    }

    /// As a string of whole lines.
    pub fn render(&self, caller: &Caller, look: Look) -> String {
        let mut text = String::new();
        for Row { lead, body, tone } in &self.0 {
            let lead = visible(lead);
            let line = match (body, look.width) {
                (Body::Command(command), _) => format!("{lead}{}", caller.line(command)),
                (Body::Words(words), None) => format!("{lead}{}", visible(words)),
                (Body::Words(words), Some(width)) => broken(&lead, &visible(words), width),
            };
            for line in line.split('\n') {
                let line = line.trim_end_matches(' ');
                // Select Graphic Rendition of ECMA-48: green, red, and none.
                let colour = match tone {
                    _ if !look.colours => None,
                    Tone::Plain => None,
                    Tone::Success => Some("32"),
                    Tone::Failure => Some("31"),
                };
                match colour {
                    Some(colour) => text.push_str(&format!("\x1b[{colour}m{line}\x1b[0m")),
                    None => text.push_str(line),
                }
                text.push('\n');
            }
        }
        text
    }
}

/// One row in lines of at most `width` columns.
fn broken(lead: &str, words: &str, width: usize) -> String {
    let line = format!("{lead}{words}");
    if line.chars().count() <= width {
        return line;
    }
    let hanging = " ".repeat(lead.chars().count());
    let options = Options::new(width)
        .initial_indent(lead)
        .subsequent_indent(&hanging)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation);
    textwrap::fill(words, options)
}

/// As who has the program on the path reads it.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(&Caller::ordinary(), Look::PLAIN))
    }
}

impl<T: AsRef<str>> From<T> for Text {
    fn from(words: T) -> Text {
        Text::default().words(words.as_ref()).finish()
    }
}

impl From<&Text> for Text {
    fn from(text: &Text) -> Text {
        text.clone()
    }
}

impl Advice {
    /// As people read it.
    pub fn text(&self) -> Text {
        debug_assert_eq!(self.fault(), None, "{self:?}");
        let mut text = Text::default();
        for (number, line) in self.lines().iter().enumerate() {
            let label = if number == 0 { "Next" } else { "" };
            match line {
                Line::Say(words) => text.row(label, words),
                Line::Type(command) => text.command(label, command.clone()),
                Line::Again(same) => text.command(label, Command::Flash(same.clone())),
            };
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::args;
    use super::*;
    use proptest::prelude::*;
    use std::ffi::OsString;

    fn command(line: &str) -> Command {
        let words = line.split_whitespace().map(OsString::from);
        Command::Flash(args::parse(words).unwrap().into())
    }

    fn narrow(width: usize) -> Look {
        Look {
            width: Some(width),
            colours: false,
        }
    }

    #[test]
    fn colour_adds_to_the_words_of_success_and_failure_and_to_nothing_else() {
        let mut text = Text::default();
        text.failure("It failed in many words")
            .words("a")
            .success("It worked.");
        let look = Look {
            width: Some(12),
            colours: true,
        };
        let shown = text.render(&Caller::ordinary(), look);
        assert_eq!(
            shown,
            "\x1b[31mIt failed in\x1b[0m\n\x1b[31mmany words\x1b[0m\na\n\x1b[32mIt worked.\x1b[0m\n"
        );
        assert_eq!(text.to_string(), "It failed in many words\na\nIt worked.\n");
    }

    #[test]
    fn lines_break_between_words_and_hang_under_their_text() {
        let wait = "mtkflash 3 c --via port --wait 200 --protocol vendor --sim a-long-name.toml";
        let mut text = Text::from(
            "mtkflash: The drive refused vendor mode: status 51h, should be 70h, 72h or 73h.",
        );
        text.row(
            "Flash",
            "Nothing was changed, and that is a sentence of more than sixty columns.",
        )
        .row(
            "Next",
            "Switch the drive off, hold its eject button and switch it on while this asks:",
        )
        .command("", command(wait))
        .words("short");
        insta::assert_snapshot!(text.render(&Caller::ordinary(), narrow(60)));
        assert_eq!(
            text.render(&Caller::ordinary(), narrow(100)),
            text.to_string()
        );
    }

    proptest! {
        #[test]
        fn breaking_changes_nothing_but_blanks(words in "\\PC{0,300}", width in 40_usize..100) {
            let split = |text: &str| {
                text.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
            };
            let text = Text::from(words.as_str());
            let shown = text.render(&Caller::ordinary(), narrow(width));
            prop_assert_eq!(split(&shown), split(&visible(&words)));
        }

        #[test]
        fn words_from_outside_begin_no_line_of_their_own(words in any::<String>()) {
            let mut text = Text::default();
            text.row("Drive", &words).words(&words).words_behind("  ", &words);
            let rows = 2 + usize::from(!words.is_empty());
            let shown = text.to_string();
            prop_assert_eq!(shown.lines().count(), rows);
            prop_assert!(shown.split('\n').all(|line| visible(line) == line), "{:?}", shown);
        }
    }
}
