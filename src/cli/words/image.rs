//! What is said about image files.

use crate::cli::report;
use crate::image::hex::{HoleKind, Layout, Start};
use crate::image::{Hole, Report};

/// How an image is written down, and how large it is.
pub fn format(image: &Report) -> String {
    let size = report::size(image.size);
    let Some(hex) = &image.hex else {
        return format!("{}, {size}", image.format);
    };
    let format = match hex.layout {
        Layout::Marked => image.format.to_string(),
        Layout::Addressed => "Intel HEX with addresses".to_owned(),
    };
    match hex.start {
        None => format!("{format}, {size}"),
        Some(start) => format!("{format}, {size} ({})", start_of_program(start)),
    }
}

fn start_of_program(start: Start) -> String {
    let named = match start {
        Start::Segment { segment, offset } => format!("{segment:04X}:{offset:04X}"),
        Start::Linear(address) => format!("{address:08X}"),
        Start::End(address) => format!("{address:04X}"),
    };
    format!("it names a start address, {named}, which means nothing here")
}

/// A line for each hole in a HEX file, those first where lines may be missing.
pub fn holes(holes: &[Hole]) -> Vec<String> {
    const SHOWN: usize = 8;
    let mut sorted: Vec<&Hole> = holes.iter().collect();
    sorted.sort_by_key(|hole| !hole.is_suspect());
    let mut lines: Vec<String> = sorted.iter().take(SHOWN).copied().map(hole).collect();
    if sorted.len() > SHOWN {
        let rest = &sorted[SHOWN..];
        let bytes: u32 = rest.iter().map(|hole| hole.range.len()).sum();
        lines.push(format!("and {} more places, {bytes} bytes", rest.len()));
    }
    lines
}

fn hole(hole: &Hole) -> String {
    let meaning = match hole.kind {
        HoleKind::Blank => "left out as blank",
        HoleKind::InData => "data around it: lines of the file are missing",
        HoleKind::Bank => "a whole bank without a record",
    };
    format!("{} has no record, FF stands there ({meaning})", hole.range)
}
