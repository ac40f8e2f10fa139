//! What people read: drives, images, plans and results as text.

use std::path::{Path, PathBuf};

use super::args::Request;
use super::commands::{change, list, read};
use super::compared::sums;
use super::help;
use super::next::Blank;
use super::outcome::{Drive, Examined, Finding, Verdict};
use super::text::Text;
use super::words::terms::{bank_sums, found_identity, identity, size, structure};
use super::words::{self, InWords};
use crate::image::{self, Hole, LoadError, Origin, Report};
use crate::job::interrupted::Notice;
use crate::protocol::Tried;
use crate::protocol::vendor_mode::reported;

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
