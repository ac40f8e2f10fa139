//! `v`: a flash compared with an image.

use std::ffi::OsString;
use std::path::Path;

use super::images::{gaps, load, refuse_part, refuse_unsound};
use super::run::Context;
use crate::cli::args::{self, Request};
use crate::cli::exit::Exit;
use crate::cli::failure::{Failure, named};
use crate::cli::outcome::{Finding, Verdict};
use crate::cli::report;
use crate::image::Report;
use crate::job::steadiness::is_unstable;
use crate::job::{Check, interrupted, verify};

pub fn run(context: Context, file: &Path) -> Result<(), Failure> {
    let request = context.request;
    let image = load(context, file)?;
    refuse_part(request, file, &image)?;
    // Parts are compared where there is something of them.
    if gaps(file, &image).is_empty() {
        refuse_unsound(request, file, &image)?;
    }
    context.found(Finding::Against {
        path: file.to_owned(),
        report: Box::new(Report::of(&image)),
    });
    let (compared, begun) = context.with_drive(|run| {
        run.refuse_unreadable()?;
        run.show_unfinished(Some(file));
        run.refuse_slow(1)?;
        let compared = run
            .in_job(|job| verify::verify(job, &image, &request.selection()))
            .map_err(|error| Failure::job(&error, request))?;
        let size = run.capabilities().size;
        let begun = interrupted::unfinished_line(run.info(), size, &run.journal());
        Ok((compared, begun.and_then(|(words, _)| line_of(&words))))
    })?;
    let name = request.drives.first();
    let found = |finding| context.output.found(name, request, finding);
    found(Finding::Compared(compared.clone()));
    let missing: u64 = compared.gaps.iter().map(|gap| u64::from(gap.len())).sum();
    match &compared.difference {
        None if missing > 0 && !request.options.force.contains(&Check::Gaps) => Err(Failure::new(
            Exit::Different,
            format!(
                "The drive refuses to have {} KiB read: what it gives is equal, but not \
                     all of it could be compared.",
                missing.div_ceil(1024)
            ),
        )
        .next("To see what this drive is:")
        .next(request.check())
        .next(named("If that is enough", Check::Gaps))),
        None => {
            found(Finding::Verdict(match report::is_all(&compared) {
                true => Verdict::Equal,
                false => Verdict::EqualAsFar,
            }));
            Ok(())
        }
        Some(difference) => {
            let failure = Failure::new(
                Exit::Different,
                format!(
                    "The flash differs from the file: {}.",
                    report::difference(difference)
                ),
            );
            Err(match is_unstable(compared.disagreements) {
                true => failure
                    .next("Check cable and power of the drive, then type the same again:")
                    .next(request.same()),
                false => match begun {
                    Some(begun) => failure
                        .next("To go on with the write that was begun in this drive:")
                        .next(begun),
                    None => failure
                        .next("To write the file into the drive, after a backup:")
                        .next(request.write(file)),
                },
            })
        }
    }
}

/// The line that asked for a change.
fn line_of(words: &[OsString]) -> Option<Request> {
    let line = std::iter::once("mtkflash".into()).chain(words.iter().cloned());
    args::parse(line).ok()
}
