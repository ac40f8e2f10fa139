//! The image file of a command, and whether it is one for the job.

use std::path::{Path, PathBuf};

use super::run::Context;
use crate::cli::advice::{Advice, Shell};
use crate::cli::args::{Command, Request};
use crate::cli::exit::Exit;
use crate::cli::failure::{self, Failure, GET_IT_AGAIN, named};
use crate::cli::image_file::{self, is_part};
use crate::cli::user;
use crate::cli::words::{self, InWords};
use crate::files::{self, Links, Waiting};
use crate::flash::ranges::joined;
use crate::flash::{BANK_SIZE, Bank, FlashRange};
use crate::image::soundness::Problem;
use crate::image::{
    self, Arrangement, Certainty, Checksum, Crc32, Encoding, FLASH_SIZES, Finding, Image,
    LoadError, damage, soundness,
};
use crate::job::backup;
use crate::job::record::{Date, Record};
use crate::job::{Check, Objection, Refusal, Selection};

/// Loads an image; its content decides the format, and a switch that says
/// otherwise is pointed out.
pub fn load(context: Context, file: &Path) -> Result<Image, Failure> {
    let request = context.request;
    let image = load_image(context, file).map_err(|error| Failure::load(&error, request))?;
    must_be_meant(request, file, &image)?;
    image_file::of_part(request, image).map_err(|there| {
        let banks: Vec<FlashRange> = there.banks().map(Bank::range).collect();
        let failure = Exit::BadImage.because(format!(
            "{} holds nothing of that part: by the addresses in it its bytes belong into {there}.",
            file.display()
        ));
        failure
            .next("To name the banks that they are in:")
            .next(request.of_part(&banks))
    })
}

/// As [`load`], but for what is said where that fails, and for the sums.
pub fn load_image(context: Context, file: &Path) -> Result<Image, LoadError> {
    let request = context.request;
    // A read that was killed may have left some of the files of a dump without their names.
    for one in files::complete(files::folder_of(file)) {
        say_what_waits(context, file, &one);
    }
    let image = image_file::load(request, file)?;
    let format = image.format();
    if request.binary && format.encoding == Encoding::Hex {
        let note = "Note: /b says raw binary, but the file is HEX. It is read as HEX.";
        context.output.note(note);
    }
    if request.merged && format.arrangement == Arrangement::PerBank {
        context.output.note(
            "Note: /m says one file, but there is a file for each bank. They are read together.",
        );
    }
    Ok(image)
}

/// Of a file of this image that a killed run has left under another name.
fn say_what_waits(context: Context, image: &Path, one: &Waiting) {
    let [name, part] =
        [&one.name, &one.part].map(|path| path.file_name().unwrap_or_default().to_string_lossy());
    let base = image::bank_of_name(&one.name).map(|(base, _)| base);
    let base = base.as_deref().unwrap_or(&one.name);
    let record = backup::record_path(image);
    if one.is_taken
        && [image, &record]
            .iter()
            .any(|own| own.file_name() == base.file_name())
    {
        context.output.note(&format!(
            "Note: the run that was to give {name} its bytes was killed. They are in {part} and \
             wait until the file that has that name now is moved away."
        ));
    }
}

/// A file that has not the sums that were named is not the one that is meant.
pub fn must_be_meant(request: &Request, file: &Path, image: &Image) -> Result<(), Failure> {
    let options = &request.options;
    let sum = Checksum::of(image.bytes());
    let crc32 = Crc32::of(image.bytes());
    let what = match (options.sum, options.crc32) {
        (Some(wanted), _) if wanted != sum => {
            format!("the sum of its bytes is {sum}, and it should be {wanted}")
        }
        (_, Some(wanted)) if wanted != crc32 && of_file(file) != Some(wanted) => {
            format!("its CRC-32 is {crc32}, and it should be {wanted}")
        }
        _ => return Ok(()),
    };
    let failure = Exit::BadImage
        .because(format!(
            "{} is not the image that was meant: {what}.",
            file.display()
        ))
        .next(GET_IT_AGAIN);
    Err(match request.command {
        // What is in it has just been shown.
        Command::Inspect { .. } => failure,
        _ => failure
            .next("To see what is in it:")
            .next(request.inspect()),
    })
}

/// Of a file as it is, whatever is in it.
fn of_file(file: &Path) -> Option<Crc32> {
    let file = files::open(file, Links::Followed).ok()?;
    Crc32::of_reader(file).ok()
}

/// A dump of a part of a flash says so in its record, and belongs there.
pub fn refuse_part(request: &Request, file: &Path, image: &Image) -> Result<(), Failure> {
    let beside = Record::beside(file).map(Box::new);
    let record = beside.or_else(|| elsewhere(file, image));
    let Some(record) = record.filter(|record| !record.ranges.is_empty()) else {
        return Ok(());
    };
    let selected = request.selection().ranges(record.size);
    if selected.is_ok_and(|selected| selected == record.ranges) || image.size() == record.size {
        return Ok(());
    }
    let ranges = joined(record.ranges.clone());
    Err(Exit::BadImage
        .because(format!(
            "{} holds a part of a flash only: {}.",
            file.display(),
            words::ranges(&ranges)
        ))
        .next("Name that part and no other:")
        .next(request.of_part(&record.ranges)))
}

/// Whether a record is that of this image, of the file it came from, or of the files of
/// banks of which it is some.
fn is_of(record: &Record, file: &Path, image: &Image) -> bool {
    let is_of_all = || {
        let banks: Vec<Bank> = record
            .ranges
            .iter()
            .flat_map(|range| range.banks())
            .collect();
        let all = image::load_these_banks(file, &banks);
        all.is_ok_and(|all| record.crc32 == Crc32::of(all.bytes()))
    };
    record.crc32 == Crc32::of(image.bytes())
        || Some(record.crc32) == of_file(file)
        || image.format().arrangement == Arrangement::PerBank && is_of_all()
}

/// The record of a dump that is no whole firmware, or not known to be, where this is a
/// copy of that dump: in the archive that it came out of, or else in the folder of the file.
fn elsewhere(file: &Path, image: &Image) -> Option<Box<Record>> {
    let packed = packed(image).into_iter();
    let beside = backup::recorded_in(files::folder_of(file)).into_iter();
    let crc32 = Crc32::of(image.bytes());
    let mut all = packed.chain(beside.map(|(_, record)| record));
    let is_marked = |record: &Record| {
        let is_part = !record.ranges.is_empty() || !record.gaps.is_empty();
        is_part || record.half_written || record.unconfirmed
    };
    let found = all.find(|record| record.crc32 == crc32 && is_marked(record));
    found.map(Box::new)
}

/// The records that lie in the archive of an image.
fn packed(image: &Image) -> Vec<Record> {
    let texts = image.origin().map(|origin| origin.texts.as_slice());
    let texts = texts.unwrap_or_default().iter();
    texts.filter_map(|text| Record::parse(text).ok()).collect()
}

/// Whether files of banks in an archive are not what the only record in it says.
fn is_strange_inside(image: &Image) -> bool {
    let is_group = image.format().arrangement == Arrangement::PerBank;
    let is_of_others = |record: &Record| record.crc32 != Crc32::of(image.bytes());
    is_group && matches!(packed(image).as_slice(), [record] if is_of_others(record))
}

/// A file that is that of one bank by its name, and no whole image, goes into no other one;
/// the same of one in an archive.
pub fn refuse_other_bank(request: &Request, file: &Path, image: &Image) -> Result<(), Failure> {
    let is_one = file.is_file() && !FLASH_SIZES.contains(&image.size());
    let packed = image.origin().and_then(|origin| origin.path.last());
    let packed = packed.and_then(|step| image::numbered(Path::new(&step.name)));
    let packed = packed.filter(|_| image.size() == BANK_SIZE);
    let named = image::bank_of_name(file).or(packed);
    let Some((_, bank)) = named.filter(|_| is_one) else {
        return Ok(());
    };
    let is_another = match request.selection() {
        Selection::Everything => false,
        Selection::Banks(banks) => banks.iter().any(|wanted| *wanted != bank),
        Selection::Range(range) => range.banks().any(|wanted| wanted != bank),
    };
    match is_another {
        true => Err(Exit::BadImage
            .because(format!(
                "{} is the file of bank {bank} by its name.",
                file.display()
            ))
            .next("Name that bank and no other:")
            .next(request.of_part(&[bank.range()]))),
        false => Ok(()),
    }
}

/// The record beside an image file.
pub enum Beside {
    None,
    Own(Box<Record>),
    /// It is of another content. `None` for one in the archive that the image is in.
    Strange(Option<PathBuf>),
}

impl Beside {
    pub fn of(file: &Path, image: &Image) -> Beside {
        match Record::beside(file) {
            None if is_strange_inside(image) => Beside::Strange(None),
            None => elsewhere(file, image).map_or(Beside::None, Beside::Own),
            Some(record) if is_of(&record, file, image) => Beside::Own(Box::new(record)),
            Some(_) => Beside::Strange(Some(backup::record_path(file))),
        }
    }

    /// Says of a record that it is of another file.
    pub fn warn(&self, context: Context, file: &Path) {
        if let Beside::Strange(Some(record)) = self {
            context.output.note(&format!(
                "Note: {} is the record of another file: the CRC-32 in it is not that of {}. What it \
                 says is not heeded.",
                record.display(),
                file.display()
            ));
        }
    }

    /// Files of banks that do not hold together what their record says: a run that
    /// was to replace them may have come to some of them only.
    pub fn mixture(&self, file: &Path, image: &Image) -> Option<String> {
        let Beside::Strange(record) = self else {
            return None;
        };
        let is_group = image.format().arrangement == Arrangement::PerBank;
        is_group.then(|| {
            let record = match record {
                Some(record) => record.display().to_string(),
                None => "the record beside them in it".to_owned(),
            };
            format!(
                "The files of banks of {} do not hold what {record} says of them: some may be of \
                 another dump.",
                file.display()
            )
        })
    }

    /// # Errors
    /// [`Check::Structure`] for such a mixture.
    pub fn refuse_mixture(
        &self,
        request: &Request,
        file: &Path,
        image: &Image,
    ) -> Result<(), Failure> {
        match self.mixture(file, image) {
            Some(what) if !request.options.force.contains(&Check::Structure) => {
                Err(Exit::BadImage.because(what).next(GET_IT_AGAIN).next(named(
                    "If you know that they belong together",
                    Check::Structure,
                )))
            }
            _ => Ok(()),
        }
    }

    /// What the file holds of a flash; nothing where that is all of it, or not known.
    pub fn part(&self) -> &[FlashRange] {
        match self {
            Beside::Own(record) => &record.ranges,
            Beside::None | Beside::Strange(_) => &[],
        }
    }

    /// Whether it was read in a way of which nobody knows that it gives the flash.
    pub fn is_unconfirmed(&self) -> bool {
        matches!(self, Beside::Own(record) if record.unconfirmed)
    }

    pub fn own(self) -> Option<Box<Record>> {
        match self {
            Beside::Own(record) => Some(record),
            Beside::None | Beside::Strange(_) => None,
        }
    }

    /// A dump that was read in the middle of a change: what to take in its place.
    pub fn half_written(&self, request: &Request, file: &Path) -> Option<Failure> {
        let Beside::Own(record) = self else {
            return None;
        };
        if !record.half_written {
            return None;
        }
        let failure = Exit::BadImage.because(half_written(file));
        let journal = user::machine(request).map(|machine| user::journal(machine.as_ref()));
        let journal = journal.unwrap_or_default();
        Some(match backup::from_before(file, record, &journal) {
            Some(backup) => failure
                .next("What was in the flash before that write is in this backup:")
                .next(request.with_file(&backup)),
            None => failure
                .next("For the drive, get firmware for this very model, and look at it:")
                .next(Request::inspect_any()),
        })
    }
}

/// Of a dump that was read in the middle of a change.
pub fn half_written(file: &Path) -> String {
    format!(
        "{} was read from a flash whose write had not been finished, as its record says: it is \
         perhaps a mixture of two firmwares, and no backup.",
        file.display()
    )
}

/// An image that cannot be firmware is refused before a drive is touched.
/// A file with a part of a flash can be judged by its content only.
pub fn refuse_unsound(request: &Request, file: &Path, image: &Image) -> Result<(), Failure> {
    let problem = if is_part(request, image) {
        soundness::content(image.bytes())
    } else {
        soundness::problems(image.bytes()).into_iter().next()
    };
    let Some(problem) = problem else {
        return Ok(());
    };
    Err(match gaps(file, image) {
        gaps if gaps.is_empty() => bad_image(request, file, &problem),
        gaps => only_parts(file, &gaps),
    })
}

/// What a drive refused to have read when this dump was made, by the record beside
/// it.
pub fn gaps(file: &Path, image: &Image) -> Vec<FlashRange> {
    let own = Beside::of(file, image).own();
    own.map(|record| record.gaps).unwrap_or_default()
}

/// A dump of all that a drive would give, which is no firmware.
pub fn only_parts(file: &Path, gaps: &[FlashRange]) -> Failure {
    Exit::BadImage
        .because(format!(
            "{} holds parts of a flash and no whole firmware: the drive refused to have {} read.",
            file.display(),
            words::ranges(gaps)
        ))
        .next(
            "It is kept for what is in it. For the drive, get firmware for this very model, and \
             look at it:",
        )
        .next(Request::inspect_any())
}

/// An image that looks damaged although it could be firmware.
pub fn refuse_damaged(
    request: &Request,
    file: &Path,
    image: &Image,
    findings: &[Finding],
) -> Result<(), Failure> {
    let Some(finding) = findings.first() else {
        return Ok(());
    };
    let what = words::damage::what(finding);
    let failure = match finding.certainty {
        Certainty::Certain => unusable(request, file, &what, None),
        Certainty::Probable if !request.options.force.contains(&Check::Structure) => {
            let refusal = Refusal::from(Objection::LooksDamaged(finding.clone()));
            failure::refused(&refusal, request)
        }
        Certainty::Probable | Certainty::Possible => return Ok(()),
    };
    let shorter = shorter(file, image, findings).unwrap_or_default();
    Err(Failure {
        next: shorter.and(failure.next),
        ..failure
    })
}

/// How to take out of a file the image that it begins with and is longer than.
pub fn shorter(file: &Path, image: &Image, findings: &[Finding]) -> Option<Advice> {
    let bytes = damage::shorter(findings).filter(|_| is_raw(image))?;
    let advice = Advice::of("To take that image out of it, and look at it:")
        .then(Shell::Beginning(file.to_owned(), bytes))
        .then(Request::inspect_file(&Shell::beginning(file)));
    Some(advice)
}

/// Whether a file is the image, byte by byte.
fn is_raw(image: &Image) -> bool {
    let format = image.format();
    image.origin().is_none()
        && format.encoding == Encoding::Binary
        && format.arrangement == Arrangement::Merged
}

fn bad_image(request: &Request, file: &Path, problem: &Problem) -> Failure {
    if problem.may_be_part() {
        let what = format!(
            "{} is a part at most: {}.",
            file.display(),
            problem.in_words()
        );
        return Exit::BadImage
            .because(what)
            .next(part(problem))
            .next("To see what is in it:")
            .next(request.inspect());
    }
    unusable(request, file, &problem.in_words(), Some(problem))
}

/// When this file was read from a drive, as the record beside it says.
fn read_on(file: &Path) -> Option<Date> {
    let record = Record::beside(file);
    let record = record.filter(|record| record.ranges.is_empty() && !record.unconfirmed)?;
    let image = image::load(file, None).ok()?;
    (record.crc32 == Crc32::of(image.bytes())).then_some(record.date)
}

/// What helps against an image that no drive should get.
pub fn advised(failure: Failure, file: &Path, problem: Option<&Problem>) -> Failure {
    if let Some(date) = read_on(file) {
        return failure
            .next(format!(
                "By its record it was read from a drive on {date}: so the flash was. Keep the file. \
                 For the drive, get firmware for this very model, and look at it:"
            ))
            .next(Request::inspect_any());
    }
    match problem {
        Some(Problem::Blank { .. } | Problem::Text | Problem::Empty) => failure
            .next("Look for a file that has firmware in it, for this very drive, and look at it:")
            .next(Request::inspect_any()),
        _ => failure.next(GET_IT_AGAIN),
    }
}

fn unusable(request: &Request, file: &Path, what: &str, problem: Option<&Problem>) -> Failure {
    let failure = Exit::BadImage.because(format!("{} is not usable: {what}.", file.display()));
    advised(failure, file, problem)
        .next("To see what is in it:")
        .next(request.inspect())
}

/// How a part of a flash is used.
pub fn part(problem: &Problem) -> String {
    let named = match problem {
        Problem::OneBank => BY_BANK,
        _ => "--range and its first and last address",
    };
    by_its_place(named)
}

/// The same of a bank, or of several.
pub fn part_in_banks() -> String {
    by_its_place(BY_BANK)
}

const BY_BANK: &str = "--banks and the number of its bank";

fn by_its_place(named: &str) -> String {
    format!("A part of a flash is written and compared by its place: name that with {named}.")
}
