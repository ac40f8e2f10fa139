//! What stands against a job, and what is to be thought of before it.

use std::time::Duration;

use super::{damage, fit, sentence};
use crate::flash::FlashRange;
use crate::job::objection::{Content, Objection, Warning};

/// What a check has found, in whole sentences.
pub fn objection(found: &Objection) -> String {
    match found {
        Objection::Misfit(comparison) => fit::comparison(comparison),
        Objection::LooksDamaged(finding) => {
            format!("This image looks damaged: {}.", damage::what(finding))
        }
        Objection::OddByte(found) => format!(
            "This image is damaged at {}: {:02X} is there, where its other banks and the flash, of \
             the same revision {}, have {:02X}.",
            found.first, found.in_image, found.revision, found.in_flash
        ),
        Objection::NoBackup(problem) => {
            sentence(&format!("what the flash reads as is no backup: {problem}"))
        }
        Objection::ImageLacks(gaps) => format!(
            "This image is a dump that lacks {}, which the drive refused to have read: FF would be \
             written there.",
            listed(gaps)
        ),
        Objection::BackupWouldLack(gaps) => format!(
            "The drive refuses to have {} read: a backup would lack it.",
            listed(gaps)
        ),
        Objection::Unsteady { disagreements } => format!(
            "{}. What two reads agree on may be wrong then: a backup of this is none to rely on, and \
             what is programmed goes over the same cable.",
            differed(*disagreements)
        ),
        Objection::Slow { expected } => format!(
            "At the pace of the first commands this would take about {}.",
            time(*expected)
        ),
        Objection::Protocol { message, .. } => message.clone(),
    }
}

/// What to think twice about, in whole sentences.
pub fn warning(warning: &Warning) -> String {
    match warning {
        Warning::Overridden(found) => objection(found),
        Warning::Reread { disagreements } => {
            format!("{}; it was read until two agreed.", differed(*disagreements))
        }
        Warning::NoFirmwareAfterwards => {
            "Without firmware only the drive's boot loader answers, until an image is written."
                .to_owned()
        }
        Warning::OtherDrive { of_image, of_drive } => format!(
            "This image is a backup of another drive: its serial number is {of_image}, this drive's \
             is {of_drive}. A dump can hold the calibration of the drive it came from."
        ),
        Warning::DoubtfulDump { of, disagreements } => format!(
            "{} is a dump that may be wrong. {} when it was made.",
            match of {
                Content::Image => "This image",
                Content::EarlierBackup => "The earlier backup",
            },
            differed(*disagreements)
        ),
        Warning::Mixture => {
            "This image was read from a flash whose write had not been finished: it may be a mixture \
             of two firmwares."
                .to_owned()
        }
        Warning::BackupLacks(gaps) => format!(
            "The backup lacks {}, which the drive refuses to have read: it is no complete way back.",
            listed(gaps)
        ),
    }
}

/// `Two reads of a block differed 3 times`, to be gone on with.
pub fn differed(disagreements: u32) -> String {
    match disagreements {
        1 => "Two reads of a block differed 1 time".to_owned(),
        times => format!("Two reads of a block differed {times} times"),
    }
}

/// `3 h 20 min`, `14 min`, `50 s`.
pub fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..100 => format!("{seconds} s"),
        100..6000 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

fn listed(ranges: &[FlashRange]) -> String {
    let ranges: Vec<String> = ranges.iter().map(ToString::to_string).collect();
    ranges.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_units_that_people_use() {
        assert_eq!(time(Duration::from_secs(7)), "7 s");
        assert_eq!(time(Duration::from_secs(840)), "14 min");
        assert_eq!(time(Duration::from_secs(12_000)), "3 h 20 min");
    }
}
