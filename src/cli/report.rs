//! What people read: drives, images, plans and results as text.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::args::Request;
use super::commands::{change, list, read};
use super::help;
use super::next::Blank;
use super::outcome::{Drive, Examined, Finding, Verdict};
use super::text::Text;
use super::words::{self, InWords};
use crate::flash::{BANK_SIZE, Bank};
use crate::image::{self, Checksum, Hole, ImageIdentity, LoadError, Origin, Report};
use crate::job::interrupted::Notice;
use crate::job::steadiness::is_unstable;
use crate::job::verify::{Compared, Difference};
use crate::protocol::Tried;
use crate::protocol::vendor_mode::reported;
use crate::scsi::Identity;

/// `SONY DVD RW DW-D22A BYS1, serial 1234`.
pub fn identity(identity: &Identity) -> String {
    let mut text = names(identity);
    if let Some(serial) = &identity.serial {
        let _ = write!(text, ", serial {serial}");
    }
    text
}

/// Vendor, product and revision.
pub fn names(identity: &Identity) -> String {
    format!(
        "{} {} {}",
        identity.vendor, identity.product, identity.revision
    )
}

/// What was found or done, as people read it.
pub fn finding(finding: &Finding, request: &Request) -> Text {
    match finding {
        Finding::Help(topic) => Text::default().lines(&help::text(*topic)).finish(),
        Finding::Version => Text::default().lines(&help::version()).finish(),
        Finding::Generated(artifact) => Text::default().lines(&help::generated(*artifact)).finish(),
        Finding::Listing(listing) => list::listed(listing, request),
        Finding::Image { path, report } => image(path, report),
        Finding::Against { path, report } => against(path, report),
        Finding::Examined(found) => examined(found),
        Finding::NoImage { path, error } => no_image(path, error),
        Finding::Differences {
            longer,
            differences,
        } => words::image::differences(differences, longer),
        Finding::Converted { files, bytes } => converted(files, *bytes),
        Finding::Drive(drive) => device(drive),
        Finding::Unfinished(notices) => unfinished(notices),
        // Its line is among what is to be done next.
        Finding::Begun(_) => Text::default(),
        Finding::Dumped(dump) => read::dumped(dump, request.is_about_part()),
        Finding::Proposed(proposed) => change::proposed(proposed),
        Finding::Compared(compared) => sums(compared),
        Finding::Verdict(
            verdict @ (Verdict::Equal | Verdict::EqualAndOver | Verdict::HeldAlready),
        ) => Text::default()
            .success(words_of(*verdict, request.is_about_part()))
            .finish(),
        Finding::Verdict(verdict) => words_of(*verdict, request.is_about_part()).into(),
        Finding::Changed {
            changed,
            whole_chip,
            to_go_back,
        } => change::changed(changed, *whole_chip, to_go_back, request),
        Finding::Next(advice) => advice.text(),
    }
}

fn words_of(verdict: Verdict, is_part: bool) -> &'static str {
    match verdict {
        Verdict::Equal if is_part => "Equal: that part of the flash holds the image.",
        Verdict::EqualAsFar if is_part => {
            "Equal as far as it was compared: that part of the flash holds the image but for what \
             is said above."
        }
        Verdict::HeldAlready if is_part => {
            "Nothing to do: that part of the flash already holds this. Nothing was written."
        }
        Verdict::Equal => "Equal: the flash holds this image.",
        Verdict::EqualAndOver => {
            "Equal: the flash holds this image. The write of it that was begun is finished, then, and \
             its note is closed."
        }
        Verdict::EqualAsFar => {
            "Equal as far as it was compared: the flash holds this image but for what is said above."
        }
        Verdict::EqualUnconfirmed => {
            "Equal to what the drive gives this way. Nobody is known to have seen that it is what is \
             in its flash."
        }
        Verdict::HeldAlready => "Nothing to do: the flash already holds this. Nothing was written.",
        Verdict::SaidAlready => {
            "Nothing to do: the drive says that it has this revision already. Its flash was not \
             read, and nothing was written."
        }
        Verdict::BlankAlready(Blank::All) => "Nothing to do: the flash is blank already.",
        Verdict::BlankAlready(Blank::Part) => {
            "Nothing to do: that part of the flash is blank already."
        }
        Verdict::DryRun => "Dry run: nothing was changed.",
    }
}

fn unfinished(notices: &[Notice]) -> Text {
    let mut table = Text::default();
    for notice in notices {
        table.row("Warning", &words::journal::notice(notice));
    }
    table.finish()
}

/// What is behind the words for it.
const VENDOR_MODE: &str = "In vendor mode the boot code of the drive lets the computer at its flash; \
                           the mode status is its answer.";

/// The drive and its flash.
fn device(drive: &Drive) -> Text {
    let info = &drive.info;
    let name = words::session::label(&drive.label);
    let mut table = Text::default();
    match &info.identity {
        Some(found) => table.row("Drive", &identity(found)),
        None => table.row("Drive", "does not say what it is"),
    };
    let route = words::device::route(info.route);
    table.row("at", &format!("{name}, by {route}"));
    table.row("Protocol", &info.protocol);
    if let Some(Tried::Chip(_)) = info.tried {
        table.row("", VENDOR_MODE);
    }
    table.row("Flash", &info.flash);
    if let Some(survey) = &info.blu_ray {
        table.row("Firmware", &words::blu_ray::drive(survey));
    }
    if let Some(reason) = &drive.read_only {
        let reason = words::device::unwritable(reason);
        table.row("", &format!("Read only. {reason}"));
    }
    if let Some(tried) = &info.tried {
        table.row("Tried", words::device::tried(tried));
    }
    if let Some(report) = info.identity.as_ref().and_then(reported::of) {
        table.row("Reported", &words::session::reported(report));
    }
    table.finish()
}

/// Of the image that a flash is compared with: where in an archive it is, and
/// what no record of a HEX file fills. `i` shows the rest.
fn against(path: &Path, report: &Report) -> Text {
    let mut table = Text::default();
    if let Some(origin) = &report.origin {
        table.append(named(path, Some(origin)));
    }
    let holes = report.hex.as_ref().map_or(&[][..], |hex| &hex.holes);
    unfilled(&mut table, holes);
    table.finish()
}

/// A file, and where in it the image is.
fn named(path: &Path, origin: Option<&Origin>) -> Text {
    let mut table = Text::default();
    table.row("Image", &path.display().to_string());
    for line in origin.map(words::image::origin).unwrap_or_default() {
        table.row("From", &line);
    }
    table.finish()
}

/// An image, as `mtkflash i` shows it and before a write.
fn image(path: &Path, report: &Report) -> Text {
    let mut table = named(path, report.origin.as_ref());
    table.row("Format", &words::image::format(report));
    if report.identities.is_empty() {
        table.row("For", "no drive is named in it at any known place");
    }
    identities(&mut table, report);
    for family in &report.families {
        table.row("Family", &family.to_string());
    }
    match &report.blu_ray {
        Some(facts) => {
            table.row("Chip", &words::blu_ray::chip(facts));
            if let Some(descriptor) = &facts.descriptor {
                table.row("Firmware", &words::blu_ray::firmware(descriptor));
            }
            table.row("Board", &words::blu_ray::board_of(facts));
            table.row("Integrity", &words::blu_ray::integrity(facts));
            table.row("Encoding", words::blu_ray::encoding(report.wrapping));
            table.row("Made from", words::blu_ray::made_from(facts));
        }
        None => {
            table.row("Structure", &structure(report));
        }
    }
    table.rows("Sums", bank_sums(&report.banks));
    totals(&mut table, report);
    if let Some(hex) = &report.hex {
        unfilled(&mut table, &hex.holes);
    }
    faults(&mut table, report);
    table.finish()
}

/// An image beside others.
fn in_short(path: &Path, report: &Report) -> Text {
    let mut table = named(path, None);
    table.row("Format", &words::image::format(report));
    identities(&mut table, report);
    totals(&mut table, report);
    faults(&mut table, report);
    table.finish()
}

fn identities(table: &mut Text, report: &Report) {
    for found in &report.identities {
        table.row("For", &found_identity(found));
    }
}

fn totals(table: &mut Text, report: &Report) {
    let Report { total, crc32, .. } = report;
    table.row("Total", &format!("{total} (CRC-32 {crc32})"));
}

/// An image that was examined.
fn examined(examined: &Examined) -> Text {
    let report = &examined.report;
    let mut text = match examined.beside_others {
        true => in_short(&examined.path, report),
        false => image(&examined.path, report),
    };
    let mut table = Text::default();
    table.row("SHA-256", &examined.sha256.to_string());
    if !examined.beside_others {
        for fits in &examined.fits {
            table.row("Fits", &words::verdict::fits(fits));
        }
    }
    table.row("Verdict", &words::verdict::of_examined(examined));
    text.append(table);
    text
}

/// What is wrong with an image, or looks so.
fn faults(table: &mut Text, report: &Report) {
    let label = match image::Verdict::of(report) {
        image::Verdict::Part => "Part",
        _ => "Problem",
    };
    for problem in &report.problems {
        table.row(label, &problem.in_words());
    }
    for (label, words) in words::damage::rows(&report.findings) {
        table.row(label, &words);
    }
}

/// A file without an image.
fn no_image(path: &Path, error: &LoadError) -> Text {
    let verdict = words::verdict::of_error(error).unwrap_or_default();
    named(path, None).row("Verdict", &verdict).finish()
}

/// An image that was written down another way.
fn converted(paths: &[PathBuf], bytes: u32) -> Text {
    let files = match paths {
        [only] => only.display().to_string(),
        [first, .., last] => format!(
            "{} files, {} to {}",
            paths.len(),
            first.display(),
            last.display()
        ),
        [] => String::new(),
    };
    let mut table = Text::default();
    table.row("Made", &format!("{files}: {}", size(bytes)));
    table.row("", "read back and compared: no difference");
    table.finish()
}

/// Where the HEX file of an image has nothing.
fn unfilled(table: &mut Text, holes: &[Hole]) {
    for line in words::image::holes(holes) {
        table.row("Unfilled", &line);
    }
}

pub fn found_identity(found: &ImageIdentity) -> String {
    format!(
        "{} ({} identity at {})",
        identity(found.identity()),
        found.kind(),
        found.at()
    )
}

pub fn structure(report: &Report) -> String {
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
pub fn bank_sums(sums: &[(Bank, Checksum)]) -> Vec<String> {
    let cells: Vec<String> = sums
        .iter()
        .map(|(bank, sum)| format!("{:>2}: {sum}", bank.0))
        .collect();
    cells.chunks(4).map(|line| line.join("   ")).collect()
}

pub fn size(bytes: u32) -> String {
    if bytes % BANK_SIZE == 0 {
        let banks = bytes / BANK_SIZE;
        let s = if banks == 1 { "" } else { "s" };
        let of = if banks == 1 { "" } else { " of 64 KiB" };
        format!("{} KiB, {banks} bank{s}{of}", bytes / 1024)
    } else {
        format!("{bytes} bytes")
    }
}

/// `bank 3` or `banks 0-6, 9`.
pub fn banks(banks: &[Bank]) -> String {
    let plural = if banks.len() == 1 { "bank" } else { "banks" };
    format!("{plural} {}", runs(banks, ", "))
}

/// `0-6`, `9`, with this between them.
pub fn runs(banks: &[Bank], between: &str) -> String {
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
    text.join(between)
}

/// `1 sector`, `2 sectors`.
pub fn counted(number: u64, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        number => format!("{number} {what}s"),
    }
}

/// A flash that was compared or changed, as read from it.
pub fn sums(compared: &Compared) -> Text {
    let mut table = Text::default();
    table.rows("Sums", bank_sums(&compared.sums));
    table.append(beside_sums(compared));
    table.finish()
}

/// The same where the sums of the banks have been told already: those of the image
/// are those of a flash without a difference.
pub fn beside_sums(compared: &Compared) -> Text {
    let mut table = Text::default();
    table.row("Total", &compared.total.to_string());
    for owned in &compared.owned {
        table.row(
            "Left out",
            &format!(
                "{}, not compared: {}",
                owned.range,
                words::device::kept(owned.kept)
            ),
        );
    }
    if compared.disagreements > 0 {
        let differed = words::objection::differed(compared.disagreements);
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
