//! `i`: what is in an image file.

use std::path::Path;

use super::images::{bad_image, load};
use super::run::Context;
use crate::cli::advice::Advice;
use crate::cli::failure::{Failure, GET_IT_AGAIN};
use crate::cli::report;
use crate::image::Report;

pub fn run(context: Context, file: &Path) -> Result<(), Failure> {
    let image = load(context.request, file)?;
    let report = Report::of(&image);
    context.output.text(report::image(file, &report));
    match report.problems.first() {
        Some(problem) => Err(Failure {
            flash: String::new(),
            next: Advice::default().then(GET_IT_AGAIN),
            ..bad_image(context.request, file, problem)
        }),
        None => Ok(()),
    }
}
