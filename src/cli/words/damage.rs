//! What is said about damage in an image.

use crate::cli::words::terms::counted;
use crate::flash::Offset;
use crate::image::damage::{Certainty, Damage, Finding, LineEnds, Order};
use crate::job::resemblance::Resemblance;

/// A row for each finding; of many alike the first ones.
pub fn rows(findings: &[Finding]) -> Vec<(&'static str, String)> {
    const SHOWN: usize = 8;
    let shown = findings.iter().take(SHOWN);
    let mut rows: Vec<(&str, String)> = shown
        .map(|finding| (label(finding.certainty), what(finding)))
        .collect();
    if let more @ 1.. = findings.len().saturating_sub(SHOWN) {
        rows.push(("", format!("and {more} more")));
    }
    rows
}

/// How a row begins. A doubt keeps the image out of a drive unless it is overridden.
fn label(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Certain => "Damage",
        Certainty::Probable => "Doubt",
        Certainty::Possible => "Warning",
    }
}

/// What was found and what that means, without the full stop.
pub fn what(finding: &Finding) -> String {
    let range = finding.range;
    let bank = Offset(range.start()).bank();
    match &finding.damage {
        Damage::NoRecords => {
            format!("bank {bank} has no record in the HEX file: a part of the file is missing")
        }
        Damage::LostLines { others } => format!(
            "no record of the HEX file fills {range}{}, with data around it: lines are missing",
            and_others(*others)
        ),
        Damage::NoJump { found } => format!(
            "bank {bank} starts with {found:02X}, and every bank of Lite-On firmware starts with 02 \
             or 80: that part of the file may be damaged"
        ),
        Damage::BlankBank { value } => format!(
            "bank {bank} is blank, {value:02X} throughout, and every bank of Lite-On firmware starts \
             with a jump: that part of the file is missing"
        ),
        Damage::FilledUp { size } => format!(
            "there is nothing but FF behind {:#07x}: if it is an image, it is that of {} KiB, the \
             beginning of this file",
            size - 1,
            size / 1024
        ),
        Damage::MostlyBlank { blank, banks } => {
            format!("{blank} of its {banks} banks are blank: most of the file may be missing")
        }
        Damage::ZeroTail => format!(
            "there is nothing but 00 in {range}, up to the end, where firmware is filled up with FF: \
             the end of the file may be missing"
        ),
        Damage::ZeroBlock => format!(
            "there is nothing but 00 in {range}, whole blocks of 4 KiB with data on both sides: that \
             part of the file may never have arrived"
        ),
        Damage::Repeats { period } if range.end() == 2 * period => format!(
            "its second half is its first once more: if it is an image, it is that of {} KiB, half \
             of this file",
            period / 1024
        ),
        Damage::Repeats { period } => format!(
            "its first {} KiB come again and again: it is a shorter image, or the read of a drive \
             that did not switch banks",
            period / 1024
        ),
        Damage::CopiedBank { of } => {
            format!("bank {bank} is a copy of bank {of}: a part of the file may be there twice")
        }
        Damage::Half => {
            "its code switches between 16 banks, and it has 8: the other half is missing".to_owned()
        }
        Damage::BluRayCut => format!(
            "its boot code is that of a Blu-ray drive, whose images have 2048 KiB: {range} is missing"
        ),
        Damage::OtherSize { flash } => format!(
            "the drive that it names has a flash of {} KiB, by the lists that this tool has: {}",
            flash / 1024,
            match range.start() > 0 {
                true => format!("{range} is missing"),
                false => "it is too large for that".to_owned(),
            }
        ),
        Damage::Shifted { by } => format!(
            "the name of its drive is {} too {}: so many before it were {}",
            counted(u64::from(by.unsigned_abs()), "byte"),
            if *by < 0 { "early" } else { "late" },
            if *by < 0 { "lost" } else { "added" },
        ),
        Damage::OddStart { found } => format!(
            "bank {bank} starts with {found:02X}, and nearly all others with 02: that part of the \
             file may be damaged"
        ),
        Damage::NotFree { found } => format!(
            "a free entry of its integrity table has {found:02X} at {}, where all others are FF: it \
             may be damaged",
            finding.at()
        ),
        Damage::OtherRevision {
            in_flasher,
            in_image,
        } => format!(
            "the flasher calls it {in_flasher}, and it says of itself that it is {in_image}: it may \
             be another image than the one that is meant"
        ),
        Damage::NoBankCall => format!(
            "the code by which Lite-On firmware switches banks is not in {range}: that part may be \
             damaged, or it is firmware of another kind"
        ),
        Damage::OddBytes {
            found,
            expected,
            count,
        } => format!(
            "at {} is {found:02X} where all other banks have {expected:02X}, amid code that is equal \
             in every bank{}: it may have been damaged on the way, or patched",
            finding.at(),
            match count {
                0 | 1 => String::new(),
                count => format!(
                    ", and so on for {count} bytes up to {:#07x}",
                    range.end() - 1
                ),
            }
        ),
        Damage::SevenBits => {
            format!(
                "no byte in {range} has its highest bit: it was sent over a line of 7 bits, or as \
                 text, and half of it is lost"
            )
        }
        Damage::Utf8 => {
            "it was taken for text and stored as UTF-8: its bytes are no longer those of \
                         the firmware"
                .to_owned()
        }
        Damage::LineEnds(ends) => format!("{}: it was transferred as text", line_ends(*ends)),
        Damage::Reordered(order) => format!(
            "{}: put right, it names its drive, but as it is no drive can run it",
            reordered(*order)
        ),
    }
}

/// An image that is nearly what the drive holds.
pub fn resemblance(found: &Resemblance) -> String {
    format!(
        "Probably damaged: this image says the same revision as the drive, {}, and differs from what \
         is in the drive in {} only, the first at {}: {:02X} is in the drive, {:02X} in the \
         image. An image that somebody has patched looks like that, too. If you know of no patch, get \
         the file again.",
        found.revision,
        counted(found.count.into(), "byte"),
        found.first,
        found.in_flash,
        found.in_image
    )
}

fn and_others(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => " and one other place".to_owned(),
        count => format!(" and {count} other places"),
    }
}

fn line_ends(ends: LineEnds) -> &'static str {
    match ends {
        LineEnds::Doubled => "every 0A has 0D before it",
        LineEnds::Lost => "it is too short, and no 0D is left before a 0A",
        LineEnds::NoReturns => "there is no 0D in it",
        LineEnds::NoFeeds => "there is no 0A in it",
    }
}

fn reordered(order: Order) -> &'static str {
    match order {
        Order::Pairs => "the bytes of every pair are exchanged",
        Order::Fours => "every four bytes are in reverse",
        Order::Bits => "the bits of every byte are in reverse",
        Order::Inverted => "every bit is inverted",
    }
}
