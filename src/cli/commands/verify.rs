//! `v`: a flash compared with an image.

use std::path::Path;

use super::images::{
    Beside, gaps, load, refuse_damaged, refuse_other_bank, refuse_part, refuse_unsound,
};
use super::run::{Context, Run};
use crate::cli::args::{Options, Request};
use crate::cli::exit::Exit;
use crate::cli::failure::{Failure, named, whole};
use crate::cli::outcome::{Finding, Verdict};
use crate::cli::words;
use crate::cli::words::terms;
use crate::flash::ranges::bytes_of;
use crate::image::{Image, Report};
use crate::job::change::{self, Content};
use crate::job::steadiness::is_unstable;
use crate::job::verify::{self, Compared};
use crate::job::{Check, Forced, Objection, interrupted};
use crate::protocol::Writing;

/// Of a drive that does not answer INQUIRY: what is in its flash may name it.
const NAMELESS: &str = "The drive does not say what it is. Unless its flash does, the tool stops at \
                        the check called model before it writes, and you compare the image with the \
                        label of the drive.";

pub fn run(context: Context, file: &Path) -> Result<(), Failure> {
    let request = context.request;
    let image = load(context, file)?;
    refuse_other_bank(request, file, &image)?;
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
    let (compared, ending) = context.with_drive(|run| {
        run.refuse_unreadable()?;
        run.show_unfinished(Some(file));
        run.refuse_slow(1, 0)?;
        let (compared, misplaced) = run
            .job(|job| verify::verify(job, &image, &request.selection(), &request.options.keep))?;
        let ending = ending(run, file, &image, &compared, misplaced);
        Ok((compared, ending))
    })?;
    let name = request.drives.first();
    let found = |finding| context.output.found(name, request, finding);
    found(Finding::Compared(compared));
    found(Finding::Verdict(ending?));
    Ok(())
}

/// What has come of a comparison.
fn ending(
    run: &Run,
    file: &Path,
    image: &Image,
    compared: &Compared,
    misplaced: Option<Objection>,
) -> Result<Verdict, Failure> {
    let Some(difference) = &compared.difference else {
        return equal(run, image, compared);
    };
    let request = run.request;
    let what = match run.info().is_unconfirmed() {
        true => "What the drive gives this way",
        false => "The flash",
    };
    let failure = Exit::Different.because(format!(
        "{what} differs from the file: {}.",
        terms::difference(difference)
    ));
    if is_unstable(compared.disagreements) {
        return Err(failure.after("Check cable and power of the drive", request));
    }
    let heading = "To go on with the write that was begun in this drive:";
    if let Some(line) = run.left().and_then(|left| left.line(heading)) {
        return Err(failure.and(line));
    }
    let misplaced = misplaced.map(|objection| words::job::refusal(&objection.into()));
    if run.info().is_unconfirmed() {
        return Err(failure
            .next("Which of them the flash holds vendor mode shows:")
            .next(request.verify_in_vendor_mode()));
    }
    if let Some(why) = unwritable(run, file, image).or(misplaced) {
        return Err(failure
            .next(format!("It is no file to write into this drive. {why}"))
            .next("To see what is in the file:")
            .next(request.inspect()));
    }
    let takes_all = matches!(run.capabilities().writing, Writing::Download(_));
    if takes_all && request.is_about_part() {
        return Err(failure.and(whole(request)));
    }
    let write = request.write(file);
    let failure = match compared.is_blank && !request.is_about_part() {
        false => failure
            .next("To write the file into the drive, after a backup:")
            .next(write),
        true => failure
            .next("The flash is blank, so that there is nothing to back up. To write the file into it:")
            .next(write.without_backup()),
    };
    Err(match run.info().identity {
        Some(_) => failure,
        None => failure.next(NAMELESS),
    })
}

/// Of a flash without a difference, as far as it was compared.
fn equal(run: &Run, image: &Image, compared: &Compared) -> Result<Verdict, Failure> {
    let request = run.request;
    let missing = bytes_of(&compared.gaps);
    if missing > 0 && !request.options.force.contains(&Check::Gaps) {
        return Err(Exit::Different
            .because(format!(
                "The drive refuses to have {} KiB read: what it gives is equal, but not all of it \
                 could be compared.",
                missing.div_ceil(1024)
            ))
            .next("To see what this drive is:")
            .next(request.check())
            .next(named("If that is enough", Check::Gaps)));
    }
    if run.info().is_unconfirmed() {
        return Ok(Verdict::EqualUnconfirmed);
    }
    if !terms::is_all(compared) {
        return Ok(Verdict::EqualAsFar);
    }
    let bytes = image.bytes();
    let is_whole =
        request.selection().is_everything() && bytes.len() == run.capabilities().size as usize;
    let is_over = is_whole && interrupted::end_those_that_hold(bytes, run.info(), &run.journal());
    Ok(match is_over {
        true => Verdict::EqualAndOver,
        false => Verdict::Equal,
    })
}

/// Why a write would refuse this file, as far as that is known without reading more.
fn unwritable(run: &Run, file: &Path, image: &Image) -> Option<String> {
    if let Writing::Impossible(why) = &run.capabilities().writing {
        return Some(words::device::unwritable(why));
    }
    if let Some(what) = Beside::of(file, image).mixture(file, image) {
        return Some(what);
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
    let beside = Beside::of(file, image);
    if beside.is_unconfirmed() {
        return Some(words::objection::UNCONFIRMED.to_owned());
    }
    if let Some(failure) = beside.half_written(run.request, file) {
        return Some(failure.what);
    }
    let report = Report::of(image);
    let is_whole = run.request.selection().is_everything();
    if let (true, Err(failure)) = (
        is_whole,
        refuse_damaged(&unforced, file, image, &report.findings),
    ) {
        return Some(failure.what);
    }
    let content = Content::Image {
        image,
        record: Beside::of(file, image).own(),
    };
    let drive = run.info().identity.as_ref()?;
    let refusal = change::refuse_misfit(&content, drive, &Forced::new()).err()?;
    Some(words::job::refusal(&refusal))
}
