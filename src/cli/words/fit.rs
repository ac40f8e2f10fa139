//! Whether an image is for a drive.

use super::sentence;
use crate::image::Fit;
use crate::job::fit::{Comparison, KnownBy, Match, Way};
use crate::scsi::Identity;

/// How an image was found to belong to a drive, in whole sentences.
pub fn matched(found: &Match) -> String {
    let text = comparison(&found.found);
    match found.known_by {
        KnownBy::Drive => text,
        KnownBy::Backup => format!("The drive does not say what it is; its backup does. {text}"),
        KnownBy::Journal => format!(
            "The drive does not say what it is; the note of the write that was begun in it does. \
             {text}"
        ),
    }
}

/// What was found when an image was compared with a drive, in whole sentences.
pub fn comparison(found: &Comparison) -> String {
    match found {
        Comparison::Names {
            fit: Fit::Same { model },
            is_by_flash: true,
        } => {
            format!("The drive does not say what it is, but its flash does: {model}, as the image.")
        }
        Comparison::Names {
            fit: Fit::Same { model },
            is_by_flash: false,
        } => format!("The image is for this model, {model}."),
        Comparison::Names { fit, .. } => sentence(&self::fit(fit)),
        Comparison::NamesInside => {
            "The image holds the drive's vendor and product names.".to_owned()
        }
        Comparison::Nameless { of_image, was_read } => format!(
            "{} This image is for {}.",
            match was_read {
                false => "The drive does not say what it is.",
                true => "Neither the drive nor what is in its flash says what it is.",
            },
            named(of_image)
        ),
        Comparison::NoNamesAt {
            at,
            named: Some(other),
        } => format!(
            "The image names {other}, and not at {at}, where images for this drive have their names."
        ),
        Comparison::OtherWay {
            drive,
            drive_way,
            image,
            image_way,
        } => format!(
            "The image is for {image}, {}, but the drive is {drive}, {}: other hardware.",
            way(*image_way),
            way(*drive_way)
        ),
        Comparison::NoNamesAt { at, named: None } => format!(
            "The image does not say what drive it is for: it has no names at {at}, where images for \
             this drive have them."
        ),
    }
}

/// How the names of image and drive relate, as the middle of a sentence.
pub fn fit(fit: &Fit) -> String {
    match fit {
        Fit::Same { model } => format!("the image is for {model}, as the drive is"),
        Fit::OtherName {
            drive,
            image,
            family,
            verified,
        } => format!(
            "the image is for {image}, the drive is {drive}: the same hardware, {family}, under \
             another name{}",
            match verified {
                true => "",
                false => " (not verified by OmniPatcher, the source of this)",
            }
        ),
        Fit::NoDriveIdentity => {
            "the drive does not say what it is, so the image cannot be compared with it".to_owned()
        }
        Fit::NoImageIdentity => "the image does not say what drive it is for".to_owned(),
        Fit::Unclear {
            drive,
            image,
            families,
        } => {
            let families: Vec<String> = families.iter().map(ToString::to_string).collect();
            format!(
                "the image is for {image}, the drive is {drive}, and one of these names stands for \
                 different hardware: {}; the revision does not tell which",
                families.join(" or ")
            )
        }
        Fit::OtherModel { drive, image } => format!(
            "the image is for {image}, but the drive is {drive}, and they are not known to be the \
             same hardware"
        ),
        Fit::OtherFamily {
            drive,
            drive_family,
            image,
            image_family,
        } => format!(
            "the image is for {image}, {image_family}, but the drive is {drive}, {drive_family}: \
             other hardware"
        ),
    }
}

/// What is known of a drive by the list that it is on.
fn way(way: Way) -> String {
    match way {
        Way::VendorMode => "one of Lite-On's drives, which are flashed in vendor mode".to_owned(),
        Way::Packets { family } => {
            format!("one of the {family} drives, which are flashed by packets")
        }
    }
}

/// Who an image says it is for, as the end of a sentence.
fn named(of_image: &[Identity]) -> String {
    let names: Vec<String> = of_image
        .iter()
        .map(|found| format!("{} {} {}", found.vendor, found.product, found.revision))
        .collect();
    names.join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::families;
    use crate::scsi::identity;

    #[test]
    fn the_answer_is_a_sentence_for_people() {
        let drive = identity("SONY|DVD RW DW-D22A|BYS1");
        let rows = [
            (
                "SONY|DVD RW DW-D22A|BYS2",
                "the image is for SONY DVD RW DW-D22A, as the drive is",
            ),
            (
                "LITE-ON|DVDRW SOHW-1633S|BS41",
                "the image is for LITE-ON DVDRW SOHW-1633S, the drive is SONY DVD RW DW-D22A: \
                 the same hardware, SOHW-1633S (DVD writer family B), under another name",
            ),
            (
                "LITE-ON|DVDRW SOHW-1653S|CS09",
                "the image is for LITE-ON DVDRW SOHW-1653S, SOHW-1653S (DVD writer family C), but \
                 the drive is SONY DVD RW DW-D22A, SOHW-1633S (DVD writer family B): other hardware",
            ),
            (
                "SONY|DVD RW DRU-710A|",
                "the image is for SONY DVD RW DRU-710A, the drive is SONY DVD RW DW-D22A, and one \
                 of these names stands for different hardware: SOHW-1633S (DVD writer family B) or \
                 SOHW-1653S (DVD writer family C); the revision does not tell which",
            ),
            (
                "ACME|DVD 1|0001",
                "the image is for ACME DVD 1, but the drive is SONY DVD RW DW-D22A, and they are \
                 not known to be the same hardware",
            ),
        ];
        for (image, sentence) in rows {
            assert_eq!(
                fit(&families::fit_names(&drive, &identity(image))),
                sentence
            );
        }
    }
}
