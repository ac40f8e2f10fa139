//! What people read: drives, images, plans and results as text.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::text::Text;
use super::words;
use crate::flash::{BANK_SIZE, Bank};
use crate::image::{Hole, ImageIdentity, Report};
use crate::job::backup::Record;
use crate::job::change::{Changed, Evidence};
use crate::job::interrupted;
use crate::job::journal::Journal;
use crate::job::read::Dump;
use crate::job::steadiness::{self, is_unstable};
use crate::job::verify::{Compared, Difference};
use crate::job::write::{Backup, Proposal, Work};
use crate::protocol::{Capabilities, DeviceInfo, FirmwareDevice, Writing};
use crate::scsi::Identity;

/// `SONY DVD RW DW-D22A BYS1, serial 1234`.
pub fn identity(identity: &Identity) -> String {
    let mut text = format!(
        "{} {} {}",
        identity.vendor, identity.product, identity.revision
    );
    if let Some(serial) = &identity.serial {
        let _ = write!(text, ", serial {serial}");
    }
    text
}

/// The drive and its flash.
pub fn device(name: &str, info: &DeviceInfo, capabilities: &Capabilities) -> Text {
    let mut table = Text::default();
    match &info.identity {
        Some(found) => table.row("Drive", &identity(found)),
        None => table.row("Drive", "does not say what it is"),
    };
    table.row("at", &format!("{name}, by {}", info.way));
    table.row("Protocol", &info.protocol);
    table.row("Flash", &info.flash);
    if let Writing::Impossible(reason) = &capabilities.writing {
        table.row("", &format!("Read only. {reason}"));
    }
    table.row("Tried", &info.tried);
    table.finish()
}

/// The writes of a flash like this one that were begun and not finished, by the
/// records in the current folder and beside `file`.
pub fn unfinished(device: &dyn FirmwareDevice, file: Option<&Path>, journal: &Journal) -> Text {
    let mut table = Text::default();
    let size = device.capabilities().size;
    for warning in interrupted::notices(file, device.info(), size, journal) {
        table.row("Warning", &warning);
    }
    table.finish()
}

/// An image, as `mtkflash i` shows it and before a write.
pub fn image(path: &Path, report: &Report) -> Text {
    let mut table = Text::default();
    table.row("Image", &path.display().to_string());
    if let Some(origin) = &report.origin {
        for line in words::image::origin(origin) {
            table.row("From", &line);
        }
    }
    table.row("Format", &words::image::format(report));
    if report.identities.is_empty() {
        table.row("For", "no drive is named in it at any known place");
    }
    for found in &report.identities {
        table.row("For", &found_identity(found));
    }
    for family in &report.families {
        table.row("Family", &family.to_string());
    }
    table.row("Structure", &structure(report));
    let sums: Vec<(Bank, String)> = report
        .banks
        .iter()
        .map(|bank| (bank.bank, bank.sum.to_string()))
        .collect();
    table.row("Sums", &bank_sums(&sums));
    table.row(
        "Total",
        &format!("{} (CRC-32 {})", report.total, report.crc32),
    );
    if let Some(hex) = &report.hex {
        unfilled(&mut table, &hex.holes);
    }
    for problem in &report.problems {
        table.row("Problem", &problem.to_string());
    }
    for doubt in &report.doubts {
        table.row("Doubt", &doubt.to_string());
    }
    table.finish()
}

/// Where the HEX file of an image has nothing.
pub fn holes(holes: &[Hole]) -> Text {
    let mut table = Text::default();
    unfilled(&mut table, holes);
    table.finish()
}

fn unfilled(table: &mut Text, holes: &[Hole]) {
    for line in words::image::holes(holes) {
        table.row("Unfilled", &line);
    }
}

pub fn found_identity(found: &ImageIdentity) -> String {
    let at = found.at();
    match (found, found.identity()) {
        (ImageIdentity::Mt1959 { banner, .. }, _) => {
            format!("boot banner \"{}\" at {at}", banner.trim_end())
        }
        (_, Some(of_image)) => {
            format!("{} ({} identity at {at})", identity(of_image), found.kind())
        }
        (_, None) => format!("{} at {at}", found.kind()),
    }
}

fn structure(report: &Report) -> String {
    let structure = report.structure;
    let mut text = format!(
        "{} of {} banks start with 02",
        structure.jumps, structure.banks
    );
    if structure.eighties > 0 {
        let _ = write!(text, ", {} with 80", structure.eighties);
    }
    if structure.rebanked {
        text.push_str(
            "; re-banked (Lite-On U or V). Dumps that LtnFW made of such drives are damaged.",
        );
    }
    text
}

/// Sixteen sums would be sixteen lines: four to a line.
fn bank_sums(sums: &[(Bank, String)]) -> String {
    let cells: Vec<String> = sums
        .iter()
        .map(|(bank, sum)| format!("{:>2}: {sum}", bank.0))
        .collect();
    cells
        .chunks(4)
        .map(|line| line.join("   "))
        .collect::<Vec<_>>()
        .join("\n")
}

pub fn size(bytes: u32) -> String {
    if bytes % BANK_SIZE == 0 {
        let banks = bytes / BANK_SIZE;
        let s = if banks == 1 { "" } else { "s" };
        format!("{} KiB, {banks} bank{s}", bytes / 1024)
    } else {
        format!("{bytes} bytes")
    }
}

/// What a write or an erase would do.
pub fn proposal(proposal: &Proposal) -> Text {
    let mut table = Text::default();
    if let Backup::Earlier(_) = &proposal.backup {
        let what = match proposal.fit {
            Some(_) => "write",
            None => "erase",
        };
        let text = format!("This goes on with the {what} that was interrupted.");
        table.row("Resumed", &text);
    }
    if let Some(fit) = &proposal.fit {
        table.row("Fit", &fit.text);
        if let Some(check) = fit.forced {
            table.row("", &format!("Overridden by --force={}.", check.name()));
        }
    }
    for warning in &proposal.warnings {
        table.row("Warning", warning);
    }
    for range in &proposal.kept {
        table.row("Keep", &format!("{range} stays as it is"));
    }
    for note in &proposal.notes {
        table.row("Note", note);
    }
    table.row("Backup", &backup(&proposal.backup));
    table.row("Plan", &plan(proposal));
    table.finish()
}

fn backup(backup: &Backup) -> String {
    match backup {
        Backup::Made { path, crc32 } => format!(
            "{} (CRC-32 {crc32}), read twice and on the disk",
            path.display()
        ),
        Backup::Earlier(earlier) => format!(
            "{} of {}, made before this write was begun, is intact",
            earlier.path.display(),
            earlier.record.date
        ),
        Backup::Planned(path) => format!("would go to {}", path.display()),
        Backup::None => "none, as you asked: there is no way back".to_owned(),
        Backup::NotNeeded => "not needed".to_owned(),
    }
}

fn plan(proposal: &Proposal) -> String {
    if proposal.is_empty() {
        return "nothing: the flash already holds this".to_owned();
    }
    let plan = match &proposal.work {
        Work::InPlace { plan, .. } => plan,
        Work::Download(download) => {
            let bytes = download.prepared.content.len();
            let what = match proposal.fit {
                Some(_) => "all",
                None => "nothing but FF,",
            };
            return format!(
                "send {what} {} KiB; the drive erases and programs by itself",
                bytes / 1024
            );
        }
    };
    let summary = plan.summary();
    let whole = proposal.erases_everything();
    let erase = match (summary.sectors_to_erase, whole) {
        (0, _) => "erase nothing".to_owned(),
        (1, true) => "erase the whole chip".to_owned(),
        (sectors, _) => format!("erase {}", counted(sectors as u64, "sector")),
    };
    let erase = match summary.bytes_to_erase {
        0 => erase,
        bytes if bytes % 1024 == 0 => format!("{erase} ({} KiB)", bytes / 1024),
        bytes => format!("{erase} ({bytes} bytes)"),
    };
    let program = match summary.bytes_to_program {
        0 => "program nothing".to_owned(),
        bytes => format!("program {}", counted(bytes.into(), "byte")),
    };
    format!(
        "{erase}, {program}, in {}",
        banks(&summary.banks.iter().copied().collect::<Vec<_>>())
    )
}

/// `bank 3` or `banks 0-6, 9`.
pub fn banks(banks: &[Bank]) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for bank in banks {
        match runs.last_mut() {
            Some((_, last)) if bank.0 == *last + 1 => *last = bank.0,
            _ => runs.push((bank.0, bank.0)),
        }
    }
    let text: Vec<String> = runs
        .iter()
        .map(|(first, last)| match last - first {
            0 => first.to_string(),
            _ => format!("{first}-{last}"),
        })
        .collect();
    let plural = if banks.len() == 1 { "bank" } else { "banks" };
    format!("{plural} {}", text.join(", "))
}

/// `1 sector`, `2 sectors`.
fn counted(number: u64, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        number => format!("{number} {what}s"),
    }
}

/// A dump that is in these files now; the last one is its record.
pub fn dump(files: &[PathBuf], dump: &Dump, record: &Record) -> Text {
    let mut table = Text::default();
    let files = files
        .split_last()
        .map(|(_, files)| files)
        .unwrap_or_default();
    match files {
        [file] => table.row("File", &file.display().to_string()),
        [first, .., last] => table.row(
            "Files",
            &format!(
                "{}, {} to {}, one for each bank that was read",
                files.len(),
                first.display(),
                last.display()
            ),
        ),
        [] => &mut table,
    };
    let bytes = dump.ranges.iter().map(|range| range.len()).sum();
    table.row("Read", &format!("{}, every byte twice", size(bytes)));
    if let Some(differed) = steadiness::in_words(dump.disagreements) {
        let meaning = match is_unstable(dump.disagreements) {
            false => "; it was read until two agreed.",
            true => {
                ". What two reads agree on may be wrong then: this file may be wrong, and is no \
                 backup to rely on. Check cable and power of the drive, and read it again."
            }
        };
        table.row("Warning", &format!("{differed}{meaning}"));
    }
    for gap in &dump.gaps {
        table.row(
            "Gap",
            &format!("{gap}: the drive refused to have it read, FF stands there"),
        );
    }
    let sums: Vec<(Bank, String)> = dump
        .ranges
        .iter()
        .map(|range| crate::flash::Offset(range.start).bank())
        .zip(record.bank_sums.iter().cloned())
        .collect();
    table.row("Sums", &bank_sums(&sums));
    table.row(
        "Total",
        &format!("{} (CRC-32 {})", record.sum, record.crc32),
    );
    table.finish()
}

/// A flash that was compared or changed, as read from it.
pub fn sums(compared: &Compared) -> Text {
    let sums: Vec<(Bank, String)> = compared
        .sums
        .iter()
        .map(|(bank, sum)| (*bank, sum.to_string()))
        .collect();
    let mut table = Text::default();
    table.row("Sums", &bank_sums(&sums));
    table.row("Total", &compared.total.to_string());
    for owned in &compared.owned {
        table.row(
            "Left out",
            &format!("{}, not compared: {}", owned.range, owned.why),
        );
    }
    if let Some(differed) = steadiness::in_words(compared.disagreements) {
        let meaning = match is_unstable(compared.disagreements) {
            false => "; it was read until two agreed.",
            true => {
                ". What was read may be wrong, and so may this result. Check cable and power of the \
                 drive, and verify again."
            }
        };
        table.row("Warning", &format!("{differed}{meaning}"));
    }
    for gap in &compared.gaps {
        table.row("Gap", &format!("{gap}: the drive refused to have it read"));
    }
    table.finish()
}

/// Whether every byte that was to be compared was.
pub fn is_all(compared: &Compared) -> bool {
    compared.owned.is_empty() && compared.gaps.is_empty()
}

/// The end of a write or erase.
pub fn changed(changed: &Changed, proposal: &Proposal) -> Text {
    let mut text = Text::default();
    let mut table = Text::default();
    if let Some(restart) = &changed.restart {
        let before = match &restart.before {
            Some(before) => identity(before),
            None => "no answer".to_owned(),
        };
        table.row(
            "Drive",
            &format!("{before} before, {} now", identity(&restart.after)),
        );
    }
    let done = match changed.restart {
        None => format!(
            "{} erased, {} programmed",
            match changed.erased {
                1 if proposal.erases_everything() => "the whole chip".to_owned(),
                erased => counted(erased as u64, "sector"),
            },
            counted(changed.programmed, "byte")
        ),
        Some(_) => format!("{} bytes sent, the drive is back", changed.programmed),
    };
    match &changed.evidence {
        Evidence::ReadBack(compared) => {
            text.append(sums(compared));
            let what = match is_all(compared) {
                true => "read back and compared",
                false => "read back and compared as far as said above",
            };
            table.row("Done", &format!("{done}, {what}: no difference"));
        }
        Evidence::Accepted(why) => {
            let text = format!(
                "{done}. The drive accepted the firmware and says who it is; what is in the flash \
                 was not read back. {why}"
            );
            table.row("Done", &text);
        }
    }
    if let Some(backup) = proposal.backup.file() {
        let text = format!("{} holds what was in the flash before", backup.display());
        table.row("Backup", &text);
    }
    text.append(table);
    text
}

/// Where flash and image differ.
pub fn difference(difference: &Difference) -> String {
    let differ = if difference.count == 1 {
        "1 byte differs".to_owned()
    } else {
        format!("{} bytes differ", difference.count)
    };
    format!(
        "{differ} in {}, the first at {}: {:02x} should be there and {:02x} is",
        banks(&difference.banks),
        difference.first,
        difference.expected,
        difference.found
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn banks_are_named_in_runs() {
        let named = |numbers: &[u32]| banks(&numbers.iter().copied().map(Bank).collect::<Vec<_>>());
        assert_eq!(named(&[3]), "bank 3");
        assert_eq!(named(&[0, 1, 2, 7]), "banks 0-2, 7");
    }
}
