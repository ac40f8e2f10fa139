//! What people read about the facts of a lower room: a file for each, and in it
//! pure functions from a fact to a text.

pub mod blu_ray;
pub mod damage;
pub mod device;
pub mod entry;
pub mod errors;
pub mod files;
pub mod fit;
pub mod image;
pub mod job;
pub mod journal;
pub mod objection;
pub mod session;
pub mod terms;
pub mod usage;
pub mod verdict;

use crate::flash::FlashRange;

/// A fact that is told in words of its own.
pub trait InWords {
    /// A part of a sentence, without its capital and its full stop.
    fn in_words(&self) -> String;
}

/// `0x04000-0x05fff, 0x10000-0x1ffff`.
pub fn ranges(ranges: &[FlashRange]) -> String {
    let named: Vec<String> = ranges.iter().map(FlashRange::to_string).collect();
    named.join(", ")
}

/// Ends in a full stop. For messages that start with the name of a file, which
/// is told as it is.
pub fn ended(text: String) -> String {
    if text.ends_with(['.', '!', '?']) {
        text
    } else {
        format!("{text}.")
    }
}

/// Starts with a capital and ends in a full stop.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let Some(first) = letters.next() else {
        return String::new();
    };
    // A message that starts with a file's name keeps the name as it is.
    let starts_with_path = text
        .split_whitespace()
        .next()
        .is_some_and(|word| word.contains(['/', '.']) || word.ends_with(':'));
    let first = if starts_with_path {
        first.to_string()
    } else {
        first.to_uppercase().to_string()
    };
    ended(format!("{first}{}", letters.as_str()))
}
