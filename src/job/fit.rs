//! Whether an image belongs into this flash and this drive.

use std::borrow::Cow;

use super::read::lay_out;
use super::{Check, Forced, JobError, Refusal, Selection};
use crate::flash::FlashRange;
use crate::image::soundness::Problem;
use crate::image::{Fit, Image, ImageIdentity, families, identity, soundness};
use crate::scsi::Identity;

/// Lays an image out over a whole flash of `size` bytes, FF where it has
/// nothing. It is either the whole flash, or just the selected parts in their
/// order.
///
/// # Errors
/// [`JobError::Image`] for any other size.
pub(super) fn spread<'a>(
    image: &'a Image,
    size: u32,
    selection: &Selection,
    ranges: &[FlashRange],
) -> Result<Cow<'a, [u8]>, JobError> {
    let bytes = image.bytes();
    if bytes.len() == size as usize {
        return Ok(bytes.into());
    }
    if !selection.is_everything() {
        if let Some(flash) = lay_out(bytes, size as usize, ranges) {
            return Ok(flash.into());
        }
    }
    let problem = match selection.is_everything() {
        true => soundness::size_for_flash(bytes, size),
        false => Some(Problem::OtherPart {
            image: image.size(),
            part: ranges.iter().map(|range| range.len()).sum(),
            flash: size,
        }),
    };
    Err(JobError::Image(
        problem
            .map(|problem| problem.to_string())
            .unwrap_or_default(),
    ))
}

/// How an image was found to belong to a drive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// In one sentence, for the user.
    pub text: String,
    /// The override that was needed.
    pub forced: Option<Check>,
}

/// Checks an image against the drive: against what INQUIRY says or, where it
/// says nothing, against what the flash holds. Where an image names no drive, as
/// a dump of a part may not, its record does.
///
/// # Errors
/// A [`Refusal`] that names the check to force.
pub(super) fn check(
    image: &Image,
    drive: Option<&Identity>,
    recorded: Option<&Identity>,
    flash: &[u8],
    forced: &Forced,
) -> Result<Match, Refusal> {
    let of_image = identity::find(image.bytes());
    let of_flash = identity::find(flash);
    let named_by_flash = of_flash.first().map(ImageIdentity::identity);
    let drive_or_flash = drive.or(named_by_flash);
    let fit = match (drive_or_flash, recorded) {
        (Some(drive), Some(recorded)) if of_image.is_empty() => {
            families::fit_names(drive, recorded)
        }
        (drive, _) => families::fit(drive, &of_image),
    };
    let as_found = |text: String| Match { text, forced: None };
    let check = match &fit {
        Fit::Same { model } if drive.is_none() => {
            return Ok(as_found(format!(
                "The drive does not say what it is, but its flash does: {model}, as the image."
            )));
        }
        Fit::Same { model } => {
            return Ok(as_found(format!("The image is for this model, {model}.")));
        }
        Fit::NoImageIdentity if drive.is_some_and(|drive| is_named_in(drive, image.bytes())) => {
            return Ok(as_found(
                "The image holds the drive's vendor and product names.".to_owned(),
            ));
        }
        Fit::OtherFamily { .. } => Check::Family,
        _ => Check::Model,
    };
    let text = match fit {
        Fit::NoDriveIdentity => format!(
            "{} This image is for {}.",
            match flash {
                [] => "The drive does not say what it is.",
                _ => "Neither the drive nor what is in its flash says what it is.",
            },
            named(&of_image)
        ),
        _ => sentence(&fit.to_string()),
    };
    if forced.contains(&check) {
        return Ok(Match {
            text,
            forced: Some(check),
        });
    }
    Err(match fit {
        Fit::NoDriveIdentity => Refusal::Nameless { message: text },
        _ => Refusal::Check {
            check,
            message: text,
        },
    })
}

/// Who an image says it is for, as the end of a sentence.
fn named(of_image: &[ImageIdentity]) -> String {
    let names: Vec<String> = of_image
        .iter()
        .map(|found| {
            let Identity {
                vendor,
                product,
                revision,
                ..
            } = found.identity();
            format!("{vendor} {product} {revision}")
        })
        .collect();
    names.join(" and ")
}

/// Firmware of other makers has its names somewhere, too.
fn is_named_in(drive: &Identity, image: &[u8]) -> bool {
    [&drive.vendor, &drive.product].into_iter().all(|name| {
        !name.is_empty()
            && image
                .windows(name.len())
                .any(|window| window == name.as_bytes())
    })
}

pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        None => String::new(),
    }
}
