//! `i`: what image files are, whether they are whole, where two differ, and the
//! same image written down another way.

use std::path::{Path, PathBuf};

use super::heed_signals;
use super::images::{
    Beside, advised, gaps, load_image, must_be_meant, only_parts, part, part_in_banks, shorter,
};
use super::run::Context;
use crate::cli::args::{Form, Request, Verb};
use crate::cli::exit::Exit;
use crate::cli::failure::{Failure, Flash};
use crate::cli::outcome::{Examined, Finding};
use crate::cli::words::{self, InWords};
use crate::files::{self, FileError, Pending, Place};
use crate::flash::Bank;
use crate::image::sums::Sha256;
use crate::image::{
    self, Arrangement, Certainty, Differences, Encoding, FLASH_SIZES, Image, Report, Verdict,
    bank_path, damage, load_banks, load_merged,
};
use crate::job::{backup, listed};

pub fn run(context: Context, files: &[PathBuf]) -> Result<(), Failure> {
    // Of a run without drives there is a log where one was asked for.
    if context.request.options.log.is_some() {
        context.machine()?;
    }
    let result = match files {
        [file] => inspect_one(context, file),
        files => inspect_several(context, files),
    };
    // No drive is in question.
    result.map_err(|failure| failure.saying(Flash::Unsaid))
}

fn inspect_one(context: Context, file: &Path) -> Result<(), Failure> {
    let request = context.request;
    let image = open(context, file, request)?;
    examine(context, file, &image, false)?;
    must_be_meant(request, file, &image)?;
    match (request.options.to, &request.options.out) {
        (Some(form), Some(out)) => convert(context, file, &image, form, out),
        _ => Ok(()),
    }
}

/// Each in short; of two that could be read also where they differ.
fn inspect_several(context: Context, files: &[PathBuf]) -> Result<(), Failure> {
    let mut images = Vec::new();
    let (mut bad, mut missing) = (0, 0);
    for file in files {
        let request = context.request.with_file(file);
        let judged = open(context, file, &request).and_then(|image| {
            let judged = examine(context, file, &image, true)
                .and_then(|()| must_be_meant(&request, file, &image));
            images.push(image);
            judged
        });
        if let Err(failure) = judged {
            match file.exists() {
                true => bad += 1,
                false => missing += 1,
            }
            let failure = failure.saying(Flash::Unsaid);
            context.output.bad_file(file, failure);
        }
    }
    if let ([first, second], [one, other]) = (files, &images[..]) {
        let is_first = one.size() > other.size();
        context.found(Finding::Differences {
            longer: if is_first { first } else { second }.clone(),
            differences: Differences::between(one.bytes(), other.bytes()),
        });
    }
    let of = files.len();
    let what = match (bad, missing) {
        (0, 0) => return Ok(()),
        (bad, 0) => format!("{bad} of {of} files should go into no drive."),
        (0, missing) => format!("{missing} of {of} files could not be read."),
        (bad, missing) => {
            format!("{bad} of {of} files should go into no drive, and {missing} could not be read.")
        }
    };
    Err(Exit::BadImage.because(what))
}

/// Loads a file; one without an image gets its verdict at once.
fn open(context: Context, file: &Path, request: &Request) -> Result<Image, Failure> {
    let loaded = load_image(Context { request, ..context }, file);
    loaded.map_err(|error| {
        let failure = Failure::load(&error, request);
        if words::verdict::of_error(&error).is_some() {
            context.found(Finding::NoImage {
                path: file.to_owned(),
                error: error.into(),
            });
        }
        failure
    })
}

/// Shows all that can be said about an image. One that no drive should get is a
/// failure.
fn examine(
    context: Context,
    file: &Path,
    image: &Image,
    beside_others: bool,
) -> Result<(), Failure> {
    let beside = Beside::of(file, image);
    let mut report = Report::of(image);
    let of_part = beside.part();
    if of_part.is_empty() {
        report.findings.extend(listed::other_size(&report));
        damage::sort(&mut report.findings);
    } else {
        report.problems.clear();
        report.findings = damage::findings_of_part(image);
    }
    let gaps = gaps(file, image);
    let what = match (report.problems.first(), report.findings.first()) {
        _ if !gaps.is_empty() => None,
        (Some(problem), _) if Verdict::of(&report) == Verdict::Part => {
            context.output.note(&part(problem));
            None
        }
        (Some(problem), _) => Some(format!(
            "{} is not usable: {}.",
            file.display(),
            problem.in_words()
        )),
        (None, Some(finding)) if finding.certainty > Certainty::Possible => Some(format!(
            "{} looks damaged: {}.",
            file.display(),
            words::damage::what(finding)
        )),
        _ => beside.mixture(file, image),
    };
    beside.warn(context, file);
    let explained = beside.half_written(context.request, file);
    if beside.is_unconfirmed() {
        context.output.note(words::objection::UNCONFIRMED);
    }
    let is_mixed = explained.is_some() || beside.mixture(file, image).is_some();
    if let (Some(explained), None, true) = (&explained, &what, gaps.is_empty()) {
        context.output.note(&explained.what);
    }
    let problem = report.problems.first().cloned();
    let shorter = shorter(file, image, &report.findings);
    context.found(Finding::Examined(Box::new(Examined {
        path: file.to_owned(),
        sha256: Sha256::of(image.bytes()),
        fits: listed::fits(&report),
        gaps: gaps.clone(),
        part: of_part.to_vec(),
        report,
        beside_others,
        is_mixed,
    })));
    match what {
        Some(what) => {
            let failure = Exit::BadImage.because(what);
            Err(explained.unwrap_or_else(|| match shorter {
                Some(next) => Failure { next, ..failure },
                None => advised(failure, file, problem.as_ref()),
            }))
        }
        None if !gaps.is_empty() => Err(only_parts(file, &gaps)),
        None => Ok(()),
    }
}

/// Writes an image down another way, and reads it back.
fn convert(
    context: Context,
    file: &Path,
    image: &Image,
    form: Form,
    out: &Path,
) -> Result<(), Failure> {
    let failed = |error| match &error {
        FileError::Exists { .. } => Exit::Refused
            .because(words::files::what(&error))
            .next("Name a file that is not there yet."),
        _ => Failure::file(&error, out, context.request),
    };
    let encoding = match form {
        Form::Hex => Encoding::Hex,
        Form::Binary | Form::Banks => Encoding::Binary,
    };
    let (paths, parts): (Vec<PathBuf>, Vec<&[u8]>) = match form {
        Form::Binary | Form::Hex => (vec![out.to_owned()], vec![image.bytes()]),
        Form::Banks => image
            .banks()
            .map(|(bank, bytes)| (bank_path(out, bank), bytes))
            .unzip(),
    };
    must_be_whole(file, image, form)?;
    // What is begun to be written comes to its end, or leaves nothing behind.
    heed_signals(context.stop)?;
    must_not_be_source(file, &paths)?;
    backup::must_not_be_unfinished(out).map_err(failed)?;
    files::must_be_makeable(&paths, false).map_err(failed)?;
    let (arrangement, banks): (_, Vec<Bank>) = match form {
        Form::Banks => (
            Arrangement::PerBank,
            image.banks().map(|(bank, _)| bank).collect(),
        ),
        Form::Binary | Form::Hex => (Arrangement::Merged, Vec::new()),
    };
    image::must_be_found_by(out, arrangement, &banks).map_err(failed)?;
    let mut pending = Pending::new(false).together();
    for (path, bytes) in paths.iter().zip(parts) {
        pending
            .add(path, |mut out| image::write(bytes, encoding, &mut out))
            .map_err(failed)?;
    }
    pending.commit().map_err(failed)?;
    let read = match form {
        Form::Banks => load_banks(out),
        Form::Binary | Form::Hex => load_merged(out, None),
    };
    match read {
        Ok(read) if read.bytes() == image.bytes() && read.format().encoding == encoding => {
            context.found(Finding::Converted {
                files: paths,
                bytes: image.size(),
            });
            Ok(())
        }
        Ok(_) => Err(not_as_written(out, "it reads back differently")),
        Err(error) => Err(not_as_written(out, &error.in_words())),
    }
}

/// Written down another way, a part of a flash would no longer say where it belongs.
fn must_be_whole(file: &Path, image: &Image, form: Form) -> Result<(), Failure> {
    let beside = Beside::of(file, image);
    let of_part = beside.part();
    let file_name = file.display();
    if !of_part.is_empty() {
        let named = words::ranges(of_part);
        return Err(Exit::Refused
            .because(format!(
                "{file_name} holds a part of a flash only, {named}: its record says so, and would \
                 not do so of another file."
            ))
            .next("It is compared and written as it is, by its place:")
            .next(Request::form(Verb::Verify, &[], Some(file.as_os_str())).of_part(of_part)));
    }
    if beside.is_unconfirmed() {
        return Err(Exit::Refused
            .because(format!(
                "{} Another file would not say so any more.",
                words::objection::UNCONFIRMED
            ))
            .next("It can be compared as it is:")
            .next(Request::form(Verb::Verify, &[], Some(file.as_os_str()))));
    }
    if form == Form::Banks && !FLASH_SIZES.contains(&image.size()) {
        return Err(Exit::Refused
            .because(format!(
                "{file_name} has the size of no flash: files of banks hold all of one, and are \
                 numbered from bank 0 on."
            ))
            .next(part_in_banks()));
    }
    Ok(())
}

fn not_as_written(out: &Path, why: &str) -> Failure {
    Exit::FailedUnchanged
        .because(format!(
            "{} is not what it should be: {why}.",
            out.display()
        ))
        .next("Name a file on another disk. This one must not be used.")
}

/// What is converted stays.
fn must_not_be_source(file: &Path, paths: &[PathBuf]) -> Result<(), Failure> {
    let target = |path: &Path| Place::of(path).map(|place| place.target().to_owned()).ok();
    let source = target(file);
    match source.is_some() && paths.iter().any(|path| target(path) == source) {
        true => Err(Exit::Refused
            .because(format!(
                "{} would be replaced by what it becomes.",
                file.display()
            ))
            .next("Give the new file a name of its own.")),
        false => Ok(()),
    }
}
