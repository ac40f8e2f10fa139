//! Words from outside, with nothing in them that a terminal obeys or hides.

use std::borrow::Cow;
use std::fmt::Write;

/// Letters and marks that are drawn as nothing, beside those that Unicode calls
/// format characters: fillers, joiners, a blank of Braille, variation selectors.
const DRAWN_AS_NOTHING: [std::ops::RangeInclusive<char>; 8] = [
    '\u{34f}'..='\u{34f}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{2800}'..='\u{2800}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{e0100}'..='\u{e01ef}',
];

/// A text in which a reader sees every character. What a terminal would obey
/// (control characters, line breaks), what turns the direction of reading and what
/// has no shape of its own stands there as `\u{1b}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            letter if is_hidden(letter) => {
                // Writing to a string cannot fail.
                let _ = write!(shown, "{}", letter.escape_unicode());
            }
            letter => shown.push(letter),
        }
    }
    Cow::Owned(shown)
}

/// Whether a character does not show as itself.
pub fn is_hidden(letter: char) -> bool {
    if letter.is_ascii() {
        return letter.is_ascii_control();
    }
    if DRAWN_AS_NOTHING.iter().any(|range| range.contains(&letter)) {
        return true;
    }
    // The standard library knows what can be printed. It writes out accents
    // that stand alone, too, but not behind a letter.
    let behind_a_letter: String = ['a', letter].iter().collect();
    behind_a_letter.escape_debug().nth(1) != Some(letter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_can_be_read_stays_as_it_is() {
        for text in [
            "",
            "SONY DVD RW DW-D22A BYS1",
            r"C:\dos\'bys1'.bin",
            "für Elise, fu\u{308}r Elise, ไทย, हिन्दी, 日本語, → “q” – …",
        ] {
            assert_eq!(visible(text), text);
        }
    }

    #[test]
    fn what_a_terminal_obeys_or_hides_is_written_out() {
        for (text, shown) in [
            ("\x1b[2J", r"\u{1b}[2J"),
            ("a\nFlash     all is well", r"a\nFlash     all is well"),
            ("a\rb\tc\x7f\0", r"a\rb\tc\u{7f}\u{0}"),
            ("\u{9b}31m", r"\u{9b}31m"),
            ("exe.\u{202e}nib", r"exe.\u{202e}nib"),
            ("\u{2066}a\u{2069}\u{200e}", r"\u{2066}a\u{2069}\u{200e}"),
            ("a\u{200b}b\u{feff}\u{ad}", r"a\u{200b}b\u{feff}\u{ad}"),
            ("a\u{2028}b\u{a0}c", r"a\u{2028}b\u{a0}c"),
            ("a\u{3164}\u{e0041}\u{fe0f}", r"a\u{3164}\u{e0041}\u{fe0f}"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left_and_nothing_is_lost(text in any::<String>()) {
            let shown = visible(&text);
            prop_assert!(!shown.chars().any(is_hidden), "{}", shown);
            let kept = |text: &str| text.chars().filter(|c| !is_hidden(*c)).count();
            prop_assert!(kept(&shown) >= kept(&text));
        }
    }
}
