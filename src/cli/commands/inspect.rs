//! `i`: what is in an image file.

use std::path::Path;

use super::images::{bad_image, load};
use super::run::Context;
use crate::cli::advice::Advice;
use crate::cli::failure::{Failure, Flash, GET_IT_AGAIN};
use crate::cli::outcome::Finding;
use crate::image::Report;

pub fn run(context: Context, file: &Path) -> Result<(), Failure> {
    let image = load(context, file)?;
    let report = Report::of(&image);
    let problem = report.problems.first().cloned();
    context.found(Finding::Image {
        path: file.to_owned(),
        report: Box::new(report),
    });
    match &problem {
        Some(problem) => Err(Failure {
            flash: Flash::Unsaid,
            next: Advice::default().then(GET_IT_AGAIN),
            ..bad_image(context.request, file, problem)
        }),
        None => Ok(()),
    }
}
