//! The end of an examination, in one line.

use super::terms::container;
use crate::cli::outcome::Examined;
use crate::cli::words::terms;
use crate::image::container::{Member, Problem as Archived, Trouble};
use crate::image::damage::Certainty;
use crate::image::entry::NoEntry;
use crate::image::families;
use crate::image::hex::Wrong;
use crate::image::{Foreign, HexError, LoadError, NotLoaded, ParseError, Problem, Report, Verdict};
use crate::job::listed::{Fits, List};

/// What is to be thought of a file that was examined.
pub fn of_examined(examined: &Examined) -> String {
    let is_whole = matches!(Verdict::of(&examined.report), Verdict::Whole { .. });
    if !examined.gaps.is_empty() {
        "parts of a flash, as a drive gave them, and no whole firmware".to_owned()
    } else if !examined.part.is_empty() {
        let part = super::ranges(&examined.part);
        format!("a part of a flash by its record: {part}")
    } else if examined.is_mixed && is_whole {
        "perhaps a mixture of two firmwares, by its record".to_owned()
    } else {
        of(&examined.report)
    }
}

/// What is to be thought of an image.
pub fn of(report: &Report) -> String {
    let is_drive_read = report
        .blu_ray
        .as_ref()
        .is_some_and(|facts| facts.is_drive_read);
    match Verdict::of(report) {
        Verdict::Whole { warnings } if is_drive_read => format!(
            "looks whole{}, read from a {}: the way back for that very drive, and no image for \
             another",
            match warnings {
                0 => "",
                _ => " but for what is said above",
            },
            drives(report)
        ),
        Verdict::Whole { warnings: 0 } => format!("looks whole, for {}", drives(report)),
        Verdict::Whole { warnings } => format!(
            "looks whole but for {}, for {}",
            match warnings {
                1 => "the warning above".to_owned(),
                warnings => format!("{warnings} warnings above"),
            },
            drives(report)
        ),
        Verdict::Damaged { at, certainty } => {
            let what = match certainty {
                Certainty::Certain => "damaged",
                Certainty::Probable | Certainty::Possible => "probably damaged",
            };
            match at {
                Some(at) => format!("{what} at {at}"),
                None => format!("{what}, see above"),
            }
        }
        Verdict::Part => match report.problems.first() {
            Some(Problem::OneBank) => {
                "a part of a flash: one bank of 64 KiB, and nothing tells which".to_owned()
            }
            _ => "a part of a bank at most: it has less than 64 KiB".to_owned(),
        },
        Verdict::NotFirmware => match report.problems.first() {
            Some(Problem::Blank { value, .. }) => {
                format!("not firmware: blank, {value:02X} throughout")
            }
            Some(Problem::Text) => "not firmware: a text".to_owned(),
            _ => "not firmware: empty".to_owned(),
        },
        Verdict::NotRecognised => {
            "not recognised: it has the size of a flash, and nothing in it names a drive".to_owned()
        }
    }
}

/// The drives that an image names.
fn drives(report: &Report) -> String {
    let mut names: Vec<String> = Vec::new();
    for found in &report.identities {
        let identity = found.identity();
        let name = format!("{} {}", identity.vendor, identity.product);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let has_sisters = report.families.iter().any(|family| {
        let members = families::members().filter(|member| member.family == *family);
        members.count() > names.len()
    });
    let sisters = if has_sisters { " and its sisters" } else { "" };
    format!("{}{sisters}", names.join(" and "))
}

/// The drives of a list that an image fits, by their names.
pub fn fits(fits: &Fits) -> String {
    let names: Vec<String> = fits
        .drives
        .iter()
        .map(|drive| {
            let doubt = if drive.verified {
                ""
            } else {
                " (not verified)"
            };
            format!("{} {}{doubt}", drive.vendor, drive.product)
        })
        .collect();
    let names = names.join(", ");
    match &fits.list {
        List::LiteOn(family) => format!("{family}: {names}"),
        List::Packets { family, source } => {
            format!("{names}, on the list of {family} drives ({source})")
        }
    }
}

/// What a file is out of which no image could be had; `None` where there is no
/// such file.
pub fn of_error(error: &LoadError) -> Option<String> {
    Some(match &error.why {
        NotLoaded::Container(NoEntry {
            kind,
            images,
            others: members,
            ..
        }) if images.is_empty() => {
            let inside = members.iter().filter(|member| !member.path.is_empty());
            let what = match inside.count() {
                0 => container(*kind).to_owned(),
                files => format!(
                    "{} with {}",
                    container(*kind),
                    terms::counted(files as u64, "file")
                ),
            };
            match members.iter().find_map(|member| broken(&member.trouble)) {
                Some(at) => format!("damaged{at}: {what}, and no image in it that can be used"),
                None => match (
                    members.iter().filter(|member| is_locked(member)).count(),
                    members.len(),
                ) {
                    (0, _) => format!("not firmware: {what}"),
                    (1, 1) => format!("locked: {what}, which wants a password"),
                    (locked, all) if locked == all => {
                        format!("locked: {what}, which want a password")
                    }
                    (_, _) => format!("locked in part: {what}, of which some want a password"),
                },
            }
        }
        NotLoaded::Container(NoEntry {
            kind,
            images,
            others,
            ..
        }) => {
            let doubtful = others.iter().filter(|member| member.may_be_image());
            let container = container(*kind);
            match (images.len(), doubtful.count()) {
                (1, 0) => format!("{container} with 1 firmware image"),
                (1, _) => format!(
                    "{container} with 1 firmware image that can be read, which is to be named"
                ),
                (images, 0) => format!(
                    "{container} with {images} firmware images, of which one is to be named"
                ),
                (images, _) => format!(
                    "{container} with {images} firmware images and more that may be one, of which \
                     one is to be named"
                ),
            }
        }
        NotLoaded::TooLarge { .. } => "not firmware: far too large".to_owned(),
        NotLoaded::Content(source) => match source {
            ParseError::Empty => "not firmware: empty".to_owned(),
            ParseError::Text { beginning } if beginning.is_empty() => {
                "not firmware: blanks and nothing else".to_owned()
            }
            ParseError::Utf16 { is_hex: true } => {
                "a HEX file in UTF-16, which is to be made plain text".to_owned()
            }
            ParseError::Text { .. } | ParseError::Utf16 { is_hex: false } => {
                "not firmware: a text".to_owned()
            }
            ParseError::Foreign(kind) => format!("not firmware: {}", foreign(*kind)),
            ParseError::Hex(error) => match line(error) {
                Some(line) => format!("damaged at line {line}"),
                None => "damaged: its end is missing".to_owned(),
            },
            ParseError::BankCount { found } => {
                format!(
                    "damaged: {}",
                    terms::size(*found as u32 * crate::flash::BANK_SIZE)
                )
            }
        },
        NotLoaded::MissingBank { .. }
        | NotLoaded::BankSize { .. }
        | NotLoaded::MixedEncodings { .. }
        | NotLoaded::BankCount { .. } => "damaged: its files do not make one image".to_owned(),
        _ => return None,
    })
}

/// Whether what is in a part of a container is for who has its password.
fn is_locked(member: &Member) -> bool {
    member.trouble == Trouble::Archive(Archived::Encrypted)
}

/// Where a part of a container is broken, as the middle of a sentence.
fn broken(trouble: &Trouble) -> Option<String> {
    match trouble {
        Trouble::NotFirmware(unlike) => Some(format!(" at {}", unlike.at)),
        Trouble::Image(ParseError::Hex(error)) => {
            Some(line(error).map_or_else(String::new, |line| format!(" at line {line}")))
        }
        Trouble::Archive(Archived::Damaged)
        | Trouble::Image(ParseError::BankCount { .. })
        | Trouble::UpxDamaged
        | Trouble::CutShort
        | Trouble::NoSize { .. } => Some(String::new()),
        _ => None,
    }
}

/// The line of a HEX file that is wrong.
fn line(error: &HexError) -> Option<usize> {
    (error.wrong != Wrong::MissingEnd).then_some(error.line)
}

/// A file of another kind, as `a web page`.
pub fn foreign(kind: Foreign) -> &'static str {
    match kind {
        Foreign::WebPage => "a web page",
        Foreign::PartOfZip => "the last part of a ZIP archive that is in several files",
        Foreign::Answer => "what a server says (XML or JSON)",
        Foreign::Pdf => "a PDF document",
        Foreign::Picture => "a picture",
        Foreign::Sound => "a sound file",
        Foreign::Video => "a video",
        Foreign::Document => "a document of an office program",
        Foreign::LinuxProgram => "a program for Linux",
        Foreign::Disc => "an image of a disc",
        Foreign::Floppy => "an image of a floppy disk",
        Foreign::SRecords => "a file of Motorola S-records",
        Foreign::Torrent => "a torrent, which names a download",
        Foreign::Help => "the help of a Windows program",
        Foreign::Note => "what a system has noted about a file or folder",
        Foreign::Shortcut => "a link to something else",
    }
}
