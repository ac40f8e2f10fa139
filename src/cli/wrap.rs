//! Lines broken between words where a terminal would break them within one.
//!
//! Only for terminals: who reads the output by a program gets whole lines.
//! Commands stay whole there too, or they could not be pasted.

use std::borrow::Cow;
use std::os::fd::AsFd;

use terminal_size::{Width, terminal_size_of};
use textwrap::{Options, WordSeparator, WordSplitter};

use super::output::Table;

/// Wider lines are hard to read.
const WIDEST: usize = 100;
/// Narrower terminals break lines as they like.
const NARROWEST: usize = 40;

/// A text as this output wants it.
pub fn for_output(text: &str, output: impl AsFd) -> Cow<'_, str> {
    match terminal_size_of(output) {
        Some((Width(width), _)) if usize::from(width) >= NARROWEST => {
            broken(text, usize::from(width).min(WIDEST)).into()
        }
        _ => text.into(),
    }
}

/// A text with lines of at most `width` columns, but for commands.
fn broken(text: &str, width: usize) -> String {
    text.split_inclusive('\n')
        .map(|line| {
            let content = line.trim_end_matches('\n');
            let indent = indent(content);
            if content.chars().count() <= width || is_command(content, indent) {
                return line.to_owned();
            }
            let hanging = " ".repeat(indent);
            let options = Options::new(width)
                .subsequent_indent(&hanging)
                .break_words(false)
                .word_separator(WordSeparator::AsciiSpace)
                .word_splitter(WordSplitter::NoHyphenation);
            let end = line.get(content.len()..).unwrap_or_default();
            textwrap::fill(content, options) + end
        })
        .collect()
}

/// Columns before a line's text: blanks, or a label and the blanks behind it.
fn indent(line: &str) -> usize {
    let blanks = line.len() - line.trim_start_matches(' ').len();
    let is_labelled = line.get(..Table::LABEL).is_some_and(|label| {
        let name = label.trim_end_matches(' ');
        name.len() < label.len() && !name.is_empty() && !name.contains(' ')
    }) && !line
        .get(Table::LABEL..)
        .unwrap_or_default()
        .starts_with(' ');
    if is_labelled { Table::LABEL } else { blanks }
}

/// Whether a line is a command to type: words about commands begin with a
/// capital letter.
fn is_command(line: &str, indent: usize) -> bool {
    if line.starts_with("Type: ") {
        return true;
    }
    let (label, text) = line.split_at_checked(indent).unwrap_or(("", line));
    (1..=Table::LABEL).contains(&indent)
        && matches!(label.trim_end(), "" | "Next")
        && !text.starts_with(|first: char| first.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_break_between_words_and_hang_under_their_text() {
        let text = "\
mtkflash: The drive refused vendor mode: status 51h, should be 70h, 72h or 73h.
Flash     Nothing was changed, and that is a sentence of more than sixty columns.
Next      Switch the drive off, hold its eject button and switch it on while this asks:
          mtkflash 3 c --via port --yes --wait 200 --backup a-long-name-for-a-backup.bin
          Without the wait, when the drive has been prepared for it already:
short
";
        insta::assert_snapshot!(broken(text, 60));
        assert_eq!(broken(text, 100), text);
    }

    #[test]
    fn a_usage_line_to_type_stays_whole() {
        let text = "Type: mtkflash 3 r /m /b backup.bin and much more of it than fits here\n";
        assert_eq!(broken(text, 40), text);
    }

    proptest! {
        #[test]
        fn breaking_changes_nothing_but_blanks(text in "\\PC{0,300}", width in 40_usize..100) {
            let words = |text: &str| {
                text.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
            };
            prop_assert_eq!(words(&broken(&text, width)), words(&text));
        }
    }
}
