//! What is said about images for LG's Blu-ray drives, and about the drives.

use crate::cli::args::Request;
use crate::cli::failure::Failure;
use crate::cli::words::InWords;
use crate::image::Wrapping;
use crate::image::mt19xx::{BootString, Descriptor, Facts, Hardware, Tag};
use crate::protocol::blu_ray::{Mismatch, Mode, NotReady, Survey};

/// The board that an image is for.
pub fn board_of(facts: &Facts) -> String {
    match &facts.hardware {
        Some(hardware) => format!(
            "{}, started by {}, family {}",
            hardware.platform,
            hardware.loader,
            hardware.family()
        ),
        None => "not to be established from this image".to_owned(),
    }
}

/// How the bytes of an image's file are put down.
pub fn encoding(wrapping: Wrapping) -> &'static str {
    match wrapping {
        Wrapping::Plain => "plain",
        Wrapping::Aes => "AES, as newer drives want to be sent it; all above is of the plain bytes",
    }
}

/// Who has made an image.
pub fn made_from(facts: &Facts) -> &'static str {
    match facts.is_drive_read {
        false => "a vendor's file, as far as its first page tells",
        true => {
            "what a drive gives when it is read: the way back for that very drive, and no image for \
             another"
        }
    }
}

/// The chip that an image is for.
pub fn chip(facts: &Facts) -> String {
    match facts.boot_string {
        Some(boot_string) => match boot_string.chip() {
            Some(chip) => format!("{chip}, by its boot string \"{boot_string}\""),
            None => format!("unknown, by its boot string \"{boot_string}\""),
        },
        None => "its boot string cannot be read".to_owned(),
    }
}

/// What an image's descriptor says of its firmware.
pub fn firmware(descriptor: &Descriptor) -> String {
    let svc = match descriptor.svc.as_str() {
        "" => "no SVC code".to_owned(),
        svc => format!("SVC code {svc}"),
    };
    let mut text = format!("{svc}, platform {}", descriptor.platform);
    if descriptor.may_be_downgraded {
        text.push_str(", marked as one that older firmware may replace");
    }
    text
}

/// How many of an image's protected ranges are whole.
pub fn integrity(facts: &Facts) -> String {
    let (whole, judged) = facts.whole();
    let left_out = facts
        .protected
        .iter()
        .any(|protected| protected.state == Tag::NotInADriveRead);
    let mut text = format!("{whole} of {judged} protected ranges hold");
    if left_out {
        text.push_str("; that of the boot code cannot be judged, a drive shows another page there");
    }
    text
}

/// What `BOOT` for a revision means.
pub const BOOT_LOADER: &str = "no firmware runs in it, its boot code answers";

/// What a drive says about its firmware, in one paragraph.
pub fn drive(survey: &Survey) -> String {
    let mut parts = Vec::new();
    if survey.mode == Mode::Boot {
        parts.push(BOOT_LOADER.to_owned());
    }
    parts.push(match survey.banner {
        Some(banner) => format!("boot string \"{banner}\""),
        None => "its boot string cannot be read".to_owned(),
    });
    if let Some(descriptor) = &survey.descriptor {
        parts.push(match descriptor.svc.as_str() {
            "" => "no SVC code".to_owned(),
            svc => format!("SVC code {svc}"),
        });
    }
    if let Some(date) = survey.date {
        parts.push(format!("firmware of {date}"));
    }
    let encoding = match survey.by_date {
        Some(Wrapping::Plain) => "by its date it takes firmware as it is",
        Some(Wrapping::Aes) => "by its date it takes firmware encrypted",
        None => "no date shows whether it wants firmware encrypted",
    };
    parts.push(format!("{encoding}, and a write looks at its code as well"));
    parts.join(", ")
}

/// What of a Blu-ray drive's new firmware is known besides its bytes.
pub fn runs(before: Option<&Survey>, now: &Survey) -> String {
    let date = |survey: &Survey| survey.date.map(|date| date.to_string());
    let dates = match (before.and_then(date), date(now)) {
        (Some(before), Some(now)) if before == now => format!("its date is {now}, as before"),
        (Some(before), Some(now)) => format!("its date is {now}, {before} before"),
        (None, Some(now)) => format!("its date is {now}"),
        (_, None) => "it does not tell its date".to_owned(),
    };
    let descriptor = match &now.descriptor {
        Some(found) => format!(
            "its descriptor is the image's, {} {}",
            found.identity.product, found.identity.revision
        ),
        None => "its descriptor cannot be read".to_owned(),
    };
    format!("{descriptor}, {dates}")
}

/// What helps where a drive goes through the motions and keeps its firmware.
pub fn old_firmware(failure: Failure, sent: Option<BootString>, request: &Request) -> Failure {
    let why = match sent {
        Some(sent) => format!(
            "A drive does so where the image does not have the boot string that its firmware wants. \
             It was sent \"{sent}\", as is known for drives of its name and SVC code. Whoever \
             knows which firmware was put into it before may know the string that one wants."
        ),
        None => {
            "A drive does so where the image is not the one that its firmware wants.".to_owned()
        }
    };
    failure
        .next(why)
        .next("Switch the drive off and on, and look which firmware it has then:")
        .next(request.check())
}

/// What helps where a drive rejects an image.
pub fn rejected(failure: Failure) -> Failure {
    failure
    .next(
        "A drive does so where the image does not have the boot string that its firmware wants, or \
         is not encrypted as it wants it. It works as before, and sending the same image again ends \
         the same. Get another image for this very drive, and look at it:",
    )
    .next(Request::inspect_any())
}

/// Why an image is none for a drive, in whole sentences.
pub fn mismatch(mismatch: &Mismatch) -> String {
    match mismatch {
        Mismatch::Form { image, drive } => format!(
            "The image is for {image} drives and this drive is {drive}. Such images have reportedly \
             set drives on fire: no switch lets it through."
        ),
        Mismatch::Chip { image, drive } => format!(
            "The image is for the chip {image}, and this drive has an {drive}: it cannot run there."
        ),
        Mismatch::UnknownForm { image, drive } => format!(
            "The image is for drives that start with \"{image}\", and this one starts with \
             \"{drive}\". Whether both are for slim drives or both for half-height ones is not known, \
             and images for the other kind have reportedly set drives on fire: no switch lets it \
             through."
        ),
        Mismatch::BootString { image, drive } => format!(
            "The image is for drives that start with \"{image}\", and this one starts with \
             \"{drive}\": such images have left drives dead."
        ),
        Mismatch::Board { image, drive } => format!(
            "The image is for another board than this drive's, by the records in both: {} and {}. The \
             name of the drive does not tell them apart.",
            board(image),
            board(drive)
        ),
        Mismatch::NoBoard { drive } => format!(
            "The image does not say for which board it is, and the drive's is {}.",
            board(drive)
        ),
        Mismatch::Platform { image, drive } => format!(
            "The image is for the platform {image}, and this drive's firmware for {drive}: that is \
             another board. The name of the drive does not tell them apart."
        ),
        Mismatch::UnknownBoard => {
            "For which board the image is cannot be compared: neither the record of this drive's \
             board nor its platform code can be read."
                .to_owned()
        }
        Mismatch::DriveRead => {
            "This file was read from a drive, and nothing shows that it was this one: it is the way \
             back for that drive and no image for another."
                .to_owned()
        }
    }
}

fn board(hardware: &Hardware) -> String {
    format!(
        "{} with {} (family {})",
        hardware.platform,
        hardware.loader,
        hardware.family()
    )
}

/// Why it is not known how a drive is to be sent anything, in a whole sentence.
pub fn not_ready(reason: &NotReady) -> String {
    match reason {
        NotReady::NoString(why) => {
            format!(
                "The boot string with which this drive takes an image is not known: {}.",
                why.in_words()
            )
        }
        NotReady::NoBanner => {
            "The drive does not show the boot string that it wants to see in an image.".to_owned()
        }
        NotReady::NoEncoding(why) => format!("{}.", why.in_words()),
    }
}
