//! `w`: an image into the flash.

use std::path::Path;

use super::change::{self, Change, begun};
use super::images::{Beside, load, refuse_damaged, refuse_other_bank, refuse_part, refuse_unsound};
use super::run::Context;
use crate::cli::failure::Failure;
use crate::cli::image_file::is_part;
use crate::image::{Image, Report, damage};
use crate::job::change::Content;
use crate::job::record::Record;

pub fn run(context: Context, file: &Path) -> Result<(), Failure> {
    let loaded = loaded(context, file).map_err(|failure| begun::told(failure, context));
    let (image, report, record) = loaded?;
    let content = Content::Image {
        image: &image,
        record,
    };
    let change = Change {
        content,
        image: Some((file, &report)),
    };
    change::run(context, change)
}

/// An image that may be written, what is known of it, and its record.
fn loaded(context: Context, file: &Path) -> Result<(Image, Report, Option<Box<Record>>), Failure> {
    let request = context.request;
    let image = load(context, file)?;
    let beside = Beside::of(file, &image);
    beside.warn(context, file);
    beside.refuse_mixture(request, file, &image)?;
    refuse_other_bank(request, file, &image)?;
    refuse_part(request, file, &image)?;
    // Of a mixture it is no wonder, and getting it again helps nobody.
    let explained = |failure| beside.half_written(request, file).unwrap_or(failure);
    refuse_unsound(request, file, &image).map_err(explained)?;
    let mut report = Report::of(&image);
    if is_part(request, &image) {
        report.problems.clear();
        report.findings = damage::findings_of_part(&image);
    }
    refuse_damaged(request, file, &image, &report.findings).map_err(explained)?;
    Ok((image, report, beside.own()))
}
