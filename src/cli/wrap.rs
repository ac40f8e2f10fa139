//! Text for an output: lines broken between words where a terminal would break
//! them within one. Who reads the output by a program gets whole lines.

use std::os::fd::AsFd;

use terminal_size::{Width, terminal_size_of};

use super::caller::Caller;
use super::text::Text;

/// Wider lines are hard to read.
const WIDEST: usize = 100;
/// Narrower terminals break lines as they like.
const NARROWEST: usize = 40;

/// A text as this output wants it, in whole lines.
pub fn for_output(text: &Text, output: impl AsFd) -> String {
    let width = match terminal_size_of(output) {
        Some((Width(width), _)) if usize::from(width) >= NARROWEST => {
            Some(usize::from(width).min(WIDEST))
        }
        _ => None,
    };
    text.render(&Caller::of_process(), width)
}
