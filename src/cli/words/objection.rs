//! What stands against a job, and what is to be thought of before it.

use std::time::Duration;

use super::{blu_ray, damage, device, fit, sentence};
use crate::cli::words::InWords;
use crate::cli::words::terms::counted;
use crate::flash::FlashRange;
use crate::image::mt19xx::{BANNER, BOOT_CODE, CALIBRATION};
use crate::job::Check;
use crate::job::objection::{Content, Objection, Warning};
use crate::protocol::blu_ray::Note as BluRayNote;
use crate::protocol::download::{Misfit, Note, Unlisted};

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
        Objection::OtherBank { in_image, in_flash } => format!(
            "The image has the drive's names at {in_image}, in bank {}, and the flash has them at \
             {in_flash}, in bank {}: this is another bank's content, or the banks of one of the two \
             are in another order.",
            in_image.bank(),
            in_flash.bank()
        ),
        Objection::NoBackup(problem) => sentence(&format!(
            "what the flash reads as is no backup: {}",
            problem.in_words()
        )),
        Objection::Erased { backup, date } => format!(
            "What is to stay as it is has been erased: all of the flash is blank. {} of {date} \
             holds what was in a flash like this one.",
            backup.display()
        ),
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
        Objection::Protocol(misfit, _) => self::misfit(misfit),
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
        Warning::SameRevision => {
            "The drive says that it has this revision already: all of it would be programmed once \
             more. --skip-if-same leaves such a drive alone."
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
        Warning::KeptFromDamaged(finding) => format!(
            "What is in the flash looks damaged: {}. What is to stay as it is may be so, too.",
            damage::what(finding)
        ),
        Warning::Mixture => {
            "This image was read from a flash whose write had not been finished: it may be a mixture \
             of two firmwares."
                .to_owned()
        }
        Warning::Unconfirmed => UNCONFIRMED.to_owned(),
        Warning::BackupLacks(gaps) => format!(
            "The backup lacks {}, which the drive refuses to have read: it is no complete way back.",
            listed(gaps)
        ),
    }
}

/// What a protocol has against sending an image to a drive, in whole sentences.
pub fn misfit(misfit: &Misfit) -> String {
    match misfit {
        Misfit::Unlisted(Unlisted {
            family,
            drive: Some(drive),
        }) => format!(
            "{} {} is on no list of {family} drives: what their commands do to it is not known.",
            drive.vendor, drive.product
        ),
        Misfit::Unlisted(Unlisted {
            family,
            drive: None,
        }) => {
            format!("The drive does not say what it is, so it is not known to be a {family} drive.")
        }
        Misfit::BluRay(mismatch) => blu_ray::mismatch(mismatch),
    }
}

/// What differs from an image that is about to be sent, in whole sentences.
pub fn note(note: &Note) -> String {
    match note {
        Note::Stays(owned) => format!(
            "{} stays as it is: {}.",
            owned.range,
            device::kept(owned.kept)
        ),
        Note::BluRay(note) => of_blu_ray(note),
    }
}

fn of_blu_ray(note: &BluRayNote) -> String {
    match note {
        BluRayNote::BootCodeStays { string } => format!(
            "The drive keeps its boot code: {BOOT_CODE} is sent as FF, with the boot string \
             \"{string}\" at {BANNER}, by which this drive takes an image."
        ),
        BluRayNote::CalibrationStays => format!(
            "The drive keeps its calibration: {CALIBRATION} is sent as it was read from it."
        ),
        BluRayNote::CalibrationUnread => format!(
            "The drive's calibration ({CALIBRATION}) cannot be read: FF is sent for it, and by \
             mediatek-optical no update replaces it."
        ),
        BluRayNote::BoardUnknown => {
            "No firmware runs in this drive, so that nothing tells its board: names and boot strings \
             alone were compared."
                .to_owned()
        }
        BluRayNote::ComparedByPlatform { platform } => format!(
            "The record of this drive's board cannot be read: the platform codes were compared, and \
             both are {platform}."
        ),
    }
}

/// What the tool does when a check is overridden, in one line for the help.
pub fn overridden(check: Check) -> &'static str {
    match check {
        Check::Overwrite => "replace a file that exists",
        Check::Blank => "take a dump of FF, of 00 or of equal banks as backup",
        Check::Model => "write an image that does not name this drive",
        Check::Family => "write an image that names other hardware",
        Check::Structure => "write an image that looks damaged",
        Check::Banner => "write an image with a boot string of another kind",
        Check::DriveRead => "write what was read from another Blu-ray drive",
        Check::Gaps => "use a dump that lacks what the drive refused to give",
        Check::Interrupted => "go on although an earlier write was not finished",
        Check::Medium => "go on with a medium in the drive",
        Check::Unstable => "go on with a flash that keeps reading differently",
        Check::Slow => "start a job of more than a quarter of an hour",
    }
}

/// `Two reads of a block differed 3 times`, to be gone on with.
pub fn differed(disagreements: u32) -> String {
    format!(
        "Two reads of a block differed {}",
        counted(disagreements.into(), "time")
    )
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

/// Of a file, by the record beside it.
pub const UNCONFIRMED: &str = "By its record this file was read in a way of which nobody is known to \
                               have seen that it gives what is in the flash.";

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
