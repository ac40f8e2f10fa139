//! What to do after a command that went well.

use std::path::Path;

use super::output::Table;
use super::typed::Typed;

/// What is blank of a flash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blank {
    All,
    /// What the user selected, or all but what was to be kept.
    Part,
}

/// After an erase. A drive without firmware is open for as long as it is on, and
/// perhaps not again: `backup` is the file with what was in it, if there is one.
pub fn after_erase(blank: Blank, backup: Option<&Path>, typed: &Typed) -> String {
    let (what, write) = match blank {
        // A blank flash is no backup: a write would refuse to make one.
        Blank::All => ("The flash is blank", typed.write_unread()),
        Blank::Part => ("That part of the flash is blank", typed.write_any()),
    };
    let mut lines = vec![
        format!("{what}: leave the drive on, and write firmware now:"),
        write,
    ];
    if let Some(backup) = backup {
        lines.push("Or put back what was in it before:".to_owned());
        lines.push(format!("{} --no-backup", typed.restore(backup)));
    }
    lines_of(&lines)
}

fn lines_of(lines: &[String]) -> String {
    Table::default().row("Next", &lines.join("\n")).finish()
}
