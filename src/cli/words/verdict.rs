//! The end of an examination, in one line.

use super::image::container;
use crate::cli::report;
use crate::image::damage::Certainty;
use crate::image::entry::NoEntry;
use crate::image::families;
use crate::image::{Foreign, HexError, LoadError, ParseError, Problem, Report, Verdict};

/// What is to be thought of an image.
pub fn of(report: &Report) -> String {
    match Verdict::of(report) {
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

/// The drives of the families that an image is for, by their names.
pub fn sisters(report: &Report) -> Vec<String> {
    let of = |family: &families::Family| {
        let members = families::members().filter(|member| member.family == *family);
        let names: Vec<String> = members
            .map(|member| {
                let doubt = if member.verified {
                    ""
                } else {
                    " (not verified)"
                };
                format!("{} {}{doubt}", member.vendor, member.product)
            })
            .collect();
        format!("{family}: {}", names.join(", "))
    };
    report.families.iter().map(of).collect()
}

/// What a file is out of which no image could be had; `None` where there is no
/// such file.
pub fn of_error(error: &LoadError) -> Option<String> {
    Some(match error {
        LoadError::Container {
            reason: NoEntry::NoImage { kind, members },
            ..
        } => {
            let inside = members.iter().filter(|member| !member.path.is_empty());
            match inside.count() {
                0 => format!("not firmware: {}", container(*kind)),
                1 => format!("not firmware: {} with 1 file", container(*kind)),
                files => format!("not firmware: {} with {files} files", container(*kind)),
            }
        }
        LoadError::Container {
            reason: NoEntry::Several { kind, images } | NoEntry::Unknown { kind, images, .. },
            ..
        } => format!(
            "{} with {} firmware images, of which one is to be named",
            container(*kind),
            images.len()
        ),
        LoadError::TooLarge { .. } => "not firmware: far too large".to_owned(),
        LoadError::Content { source, .. } => match source {
            ParseError::Empty => "not firmware: empty".to_owned(),
            ParseError::Text { .. } | ParseError::Utf16 => "not firmware: a text".to_owned(),
            ParseError::Foreign(kind) => format!("not firmware: {}", foreign(*kind)),
            ParseError::Hex(error) => match line(error) {
                Some(line) => format!("damaged at line {line}"),
                None => "damaged: its end is missing".to_owned(),
            },
            ParseError::BankCount { found } => {
                format!(
                    "damaged: {}",
                    report::size(*found as u32 * crate::flash::BANK_SIZE)
                )
            }
        },
        LoadError::MissingBank { .. }
        | LoadError::BankSize { .. }
        | LoadError::MixedEncodings { .. }
        | LoadError::BankCount { .. } => "damaged: its files do not make one image".to_owned(),
        _ => return None,
    })
}

/// The line of a HEX file that is wrong.
fn line(error: &HexError) -> Option<usize> {
    match error {
        HexError::NoColon { line }
        | HexError::NotADigit { line, .. }
        | HexError::OddDigits { line, .. }
        | HexError::ShortLine { line, .. }
        | HexError::LongLine { line, .. }
        | HexError::BadSum { line, .. }
        | HexError::NoData { line }
        | HexError::BadLength { line, .. }
        | HexError::OtherRecord { line, .. }
        | HexError::PastBank { line, .. }
        | HexError::TooFar { line, .. }
        | HexError::Overlap { line, .. }
        | HexError::TooManyBanks { line }
        | HexError::MixedLayouts { line, .. }
        | HexError::AfterEnd { line } => Some(*line),
        HexError::MissingEnd { .. } => None,
    }
}

/// A file of another kind, as `a web page`.
pub fn foreign(kind: Foreign) -> &'static str {
    match kind {
        Foreign::WebPage => "a web page",
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
        Foreign::Shortcut => "a link to something else",
    }
}
