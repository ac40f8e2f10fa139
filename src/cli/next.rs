//! What to do after a command that went well.

use std::path::Path;

use super::output::Table;
use super::typed::Typed;
use crate::protocol::{Capabilities, Reading};

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
    lines_of(&lines, typed)
}

/// After a write in place.
pub fn after_write(is_by_ports: bool, typed: &Typed) -> String {
    let mut lines = vec![
        "Take a jumper out if you have set one, and switch the drive off and on. Then this lists it \
         with its new revision:"
            .to_owned(),
        typed.list(),
    ];
    if is_by_ports {
        lines
            .push("If not, restart the computer: the kernel looks for IDE drives then.".to_owned());
    }
    lines_of(&lines, typed)
}

/// After a check: what is in the flash comes first, where it can be had.
pub fn after_check(capabilities: &Capabilities, typed: &Typed) -> String {
    let lines = match &capabilities.reading {
        Reading::Blocks(_) => [
            "It answers. Keep what is in its flash first:".to_owned(),
            typed.read(),
        ],
        Reading::Impossible(_) if capabilities.size == 0 => [
            "It answers. If you know the size of its flash, from its marking or a data sheet, keep \
             what is in it first:"
                .to_owned(),
            format!("{} --size 256K", typed.read()),
        ],
        Reading::Impossible(_) => [WRITE_ONLY.to_owned(), typed.write_unread()],
    };
    lines_of(&lines, typed)
}

/// About a drive of which no way to read it is documented.
pub const WRITE_ONLY: &str = "Its firmware can be written, not read:";

fn lines_of(lines: &[String], typed: &Typed) -> String {
    let table = Table::default().row("Next", &lines.join("\n")).finish();
    typed.to_paste(&table)
}
