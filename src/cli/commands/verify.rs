//! `v`: a flash compared with an image.

use std::path::Path;

use super::images::{Beside, gaps, load, refuse_part, refuse_unsound};
use super::run::{Context, Run};
use crate::cli::args::{self, Options, Request};
use crate::cli::exit::Exit;
use crate::cli::failure::{Failure, named};
use crate::cli::outcome::{Finding, Verdict};
use crate::cli::{report, words};
use crate::image::{Image, Report};
use crate::job::steadiness::is_unstable;
use crate::job::write::{self, Content};
use crate::job::{Check, Forced, interrupted, verify};
use crate::protocol::Writing;

/// Of a drive that does not answer INQUIRY: what is in its flash may name it.
const NAMELESS: &str = "The drive does not say what it is. Unless its flash does, the tool stops at \
                        the check called model before it writes, and you compare the image with the \
                        label of the drive.";

pub fn run(context: Context, file: &Path) -> Result<(), Failure> {
    let request = context.request;
    let image = load(context, file)?;
    refuse_part(request, file, &image)?;
    // Parts are compared where there is something of them.
    if gaps(file, &image).is_empty() {
        refuse_unsound(request, file, &image)?;
    }
    Beside::of(file, &image).warn(context, file);
    context.found(Finding::Against {
        path: file.to_owned(),
        report: Box::new(Report::of(&image)),
    });
    let (compared, begun, unwritable, is_over, says_who_it_is) = context.with_drive(|run| {
        run.refuse_unreadable()?;
        run.show_unfinished(Some(file));
        run.refuse_slow(1, 0)?;
        let compared = run
            .in_job(|job| verify::verify(job, &image, &request.selection()))
            .map_err(|error| Failure::job(&error, request))?;
        let size = run.capabilities().size;
        let begun = interrupted::unfinished_line(run.info(), size, &run.journal());
        let begun = begun.and_then(|(words, _)| args::parse_words(&words).ok());
        let is_whole = request.selection().is_everything()
            && image.bytes().len() == size as usize
            && compared.difference.is_none()
            && report::is_all(&compared);
        let is_over =
            is_whole && interrupted::end_those_that_hold(image.bytes(), run.info(), &run.journal());
        let says_who_it_is = run.info().identity.is_some();
        let unwritable = unwritable(run, file, &image);
        Ok((compared, begun, unwritable, is_over, says_who_it_is))
    })?;
    let name = request.drives.first();
    let found = |finding| context.output.found(name, request, finding);
    found(Finding::Compared(compared.clone()));
    let missing: u64 = compared.gaps.iter().map(|gap| u64::from(gap.len())).sum();
    match &compared.difference {
        None if missing > 0 && !request.options.force.contains(&Check::Gaps) => {
            Err(Exit::Different
                .because(format!(
                    "The drive refuses to have {} KiB read: what it gives is equal, but not \
                     all of it could be compared.",
                    missing.div_ceil(1024)
                ))
                .next("To see what this drive is:")
                .next(request.check())
                .next(named("If that is enough", Check::Gaps)))
        }
        None => {
            found(Finding::Verdict(match report::is_all(&compared) {
                true if is_over => Verdict::EqualAndOver,
                true => Verdict::Equal,
                false => Verdict::EqualAsFar,
            }));
            Ok(())
        }
        Some(difference) => {
            let failure = Exit::Different.because(format!(
                "The flash differs from the file: {}.",
                report::difference(difference)
            ));
            Err(match is_unstable(compared.disagreements) {
                true => failure
                    .next("Check cable and power of the drive, then type the same again:")
                    .next(request.same()),
                false => match (begun, unwritable) {
                    (Some(begun), _) => failure
                        .next("To go on with the write that was begun in this drive:")
                        .next(begun),
                    (None, Some(why)) => failure
                        .next(format!("It is no file to write into this drive. {why}"))
                        .next("To see what is in the file:")
                        .next(request.inspect()),
                    (None, None) => {
                        let failure = failure
                            .next("To write the file into the drive, after a backup:")
                            .next(request.write(file));
                        match says_who_it_is {
                            true => failure,
                            false => failure.next(NAMELESS),
                        }
                    }
                },
            })
        }
    }
}

/// Why a write would refuse this file, as far as that is known without reading more.
fn unwritable(run: &Run, file: &Path, image: &Image) -> Option<String> {
    if let Writing::Impossible(why) = &run.capabilities().writing {
        return Some(words::device::unwritable(why));
    }
    let unforced = Request {
        options: Options {
            force: Forced::new(),
            ..run.request.options.clone()
        },
        ..run.request.clone()
    };
    if let Err(failure) = refuse_unsound(&unforced, file, image) {
        return Some(failure.what);
    }
    let content = Content::Image {
        image,
        record: Beside::of(file, image).own(),
    };
    let drive = run.info().identity.as_ref()?;
    let refusal = write::refuse_misfit(&content, drive, &Forced::new()).err()?;
    Some(words::job::refusal(&refusal))
}
