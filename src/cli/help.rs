//! The text of `/?`: one screenful or two that suffice to save a drive.

use std::fmt::Write;

use super::args::switches::{SWITCHES, Switch};
use super::exit::Exit;
use crate::job::Check;

/// The column in which explanations start.
const COLUMN: usize = 25;

const HEAD: &str = "\
Reads, backs up, flashes and revives MediaTek-based optical drives.

  mtkflash DRIVE r /m /b FILE   read the flash into FILE
  mtkflash DRIVE w /m FILE      write FILE into the flash, after a backup
  mtkflash DRIVE v /m FILE      verify: compare the flash with FILE
  mtkflash DRIVE e              erase the flash, after a backup
  mtkflash [DRIVE] c            check: drive, vendor mode and flash chip
  mtkflash l                    list the drives
  mtkflash i FILE               inspect an image file; needs no drive
  mtkflash [DRIVE] revive       all of it, step by step, for a dead drive
  mtkflash /?                   this help
  mtkflash --version            the version

DRIVE is 1 primary master, 2 primary slave, 3 secondary master, 4 secondary
slave; a path: /dev/sr0, /dev/sg1, /dev/disk/by-id/...; a port of a card:
pci-0000:03:00.0-ata-2.0; or a serial number. Several are 1,2,4 or 1-4 or
/dev/sg1,/dev/sg2, and for c, r and v all of them: all.
Any case, order and place will do: /m, /M, -m and --merge are the same.
A file that is called like a command is ./r, and after -- nothing is a switch.
";

const OF_SEVERAL: &str = "Of several drives the worst counts: 7, 1, 8, 6, 3, 5, 4, 2, 130, 9, 0.\n";

const TAIL: &str = "
Examples
  mtkflash 3 r /m /b backup.bin
  mtkflash 3 w /m bys1.bin --dry-run
  mtkflash /dev/sg4 v /m /b backup.bin --via ata

A dead drive
  Hold its eject button while you switch it on, for about 10 seconds.
  Put it on an IDE port; `l` may not list it, its position 1-4 is its DRIVE, or
  on a card its port, which `l` lists.
  As root; then switch the drive off and on as the tool says:
  mtkflash 3 c --via port --wait 200
";

/// The help, for a terminal of 80 columns; ends in a line break.
pub fn text() -> String {
    let mut help = format!("mtkflash {}\n{HEAD}", env!("CARGO_PKG_VERSION"));
    help.push_str("\nSwitches\n");
    for switch in SWITCHES {
        let mut name = spelling(switch);
        for line in switch.help {
            entry(&mut help, &name, line);
            name.clear();
        }
    }
    help.push_str("\nChecks that --force passes, each by its own name only\n");
    for check in Check::ALL {
        entry(&mut help, check.name(), check.text());
    }
    help.push_str("\nExit codes\n");
    for exit in Exit::ALL {
        // Writing to a string cannot fail.
        let _ = writeln!(help, "{:>5}  {}", exit.code(), exit.text());
    }
    help.push_str(OF_SEVERAL);
    help.push_str(TAIL);
    help
}

/// The text of `--version`; ends in a line break.
pub fn version() -> String {
    format!("mtkflash {}\n", env!("CARGO_PKG_VERSION"))
}

fn spelling(switch: &Switch) -> String {
    let letter = switch.letter.map(|letter| format!("/{letter}, "));
    let value = switch.value().map(|value| match switch.long {
        "force" => format!("={value}"),
        _ => format!(" {value}"),
    });
    format!(
        "{}--{}{}",
        letter.unwrap_or_default(),
        switch.long,
        value.unwrap_or_default()
    )
}

fn entry(help: &mut String, name: &str, text: &str) {
    let width = COLUMN - 4;
    let _ = writeln!(help, "  {name:<width$}  {text}");
}

#[cfg(test)]
mod tests {
    use super::super::args::parse;
    use super::*;

    #[test]
    fn the_help_reads_as_it_should() {
        insta::assert_snapshot!(text());
    }

    #[test]
    fn every_line_that_the_help_shows_is_understood() {
        let help = text();
        let lines: Vec<String> = help
            .lines()
            .filter_map(|line| line.strip_prefix("  ")?.split("   ").next())
            .filter(|line| line.starts_with("mtkflash "))
            .map(|line| line.replace("[DRIVE]", "3").replace("DRIVE", "3"))
            .collect();
        assert_eq!(lines.len(), 14);
        for line in lines {
            let words = line.split_whitespace().map(Into::into);
            assert!(parse(words).is_ok(), "{line}");
        }
    }

    #[test]
    fn the_help_fits_a_terminal_of_80_columns() {
        let long: Vec<String> = text()
            .lines()
            .filter(|line| line.chars().count() > 79)
            .map(str::to_owned)
            .collect();
        assert_eq!(long, [""; 0]);
    }
}
