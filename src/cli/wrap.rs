//! Text for an output: lines broken between words where a terminal would break
//! them within one, success and failure in colours. Who reads the output by a
//! program gets whole lines and no colours.

use std::env;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::os::fd::AsFd;

use terminal_size::{Width, terminal_size_of};

use super::args;
use super::caller::Caller;
use super::text::{Look, Text};

/// Wider lines are hard to read.
const WIDEST: usize = 100;
/// Narrower terminals break lines as they like.
const NARROWEST: usize = 40;

/// A text as this output wants it, in whole lines.
pub fn for_output(text: &Text, output: impl AsFd) -> String {
    let width = match terminal_size_of(&output) {
        Some((Width(width), _)) if usize::from(width) >= NARROWEST => {
            Some(usize::from(width).min(WIDEST))
        }
        _ => None,
    };
    let colours = output.as_fd().is_terminal() && wants_colours();
    text.render(&Caller::of_process(), Look { width, colours })
}

/// Whether the user of a terminal has said nothing against colours:
/// <https://no-color.org>, `--plain`, or a terminal that knows none.
fn wants_colours() -> bool {
    let words: Vec<OsString> = env::args_os().skip(1).collect();
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
    !is_set("NO_COLOR") && !is_dumb && !args::ask_for("--plain", &words)
}
