//! What helps where a check of this program is in the way.

use super::{Failure, journal, named};
use crate::cli::advice::Advice;
use crate::cli::args::{Command, Request};
use crate::cli::exit::Exit;
use crate::cli::image_file::is_part;
use crate::cli::next;
use crate::cli::words;
use crate::image::soundness::Problem;
use crate::image::{self, FLASH_SIZES};
use crate::job::backup;
use crate::job::fit::Comparison;
use crate::job::record::Record;
use crate::job::{Check, NoBackup, Objection, Refusal};
use crate::plan::ERASED;
use crate::protocol::Unreadable;

/// A check of this program that said no.
pub fn refused(refusal: &Refusal, request: &Request) -> Failure {
    let failure = Exit::Refused.because(words::job::refusal(refusal));
    match refusal {
        Refusal::Check(objection) => objected(objection, failure, request),
        Refusal::Unfinished { .. }
        | Refusal::BackupGone { .. }
        | Refusal::OtherBackup { .. }
        | Refusal::Note { .. }
        | Refusal::Backup { .. }
        | Refusal::Journal(_) => journal::advice(refusal, failure, request),
        Refusal::NoCopy { .. } => failure
            .next("If the write were interrupted, those bytes would be lost. With a backup:")
            .next(request.with_any_backup()),
        Refusal::Selection(_) => Failure {
            exit: Exit::Usage,
            ..failure
        }
        .next("To see what this drive is:")
        .next(request.check()),
        Refusal::Unreadable(Unreadable::UnknownSize { .. }) if !request.changes() => failure
            .next("If you know its size, from its marking or a data sheet, name it:")
            .next(request.with_a_size()),
        // A comparison changes nothing, and neither does what follows from it.
        Refusal::Unreadable(why) | Refusal::UnreadableByPackets { why, .. }
            if matches!(request.command, Command::Verify { .. }) =>
        {
            Exit::Refused
                .because(words::device::unreadable(why))
                .next("So it cannot be compared. Which revision the drive says it has:")
                .next(request.list())
        }
        Refusal::Unreadable(_) if !request.changes() => {
            failure.next(next::WRITE_ONLY).next(request.write_unread())
        }
        Refusal::Unreadable(_)
        | Refusal::Unwritable(_)
        | Refusal::Unerasable { .. }
        | Refusal::Plan(_)
        | Refusal::NotThisImage(_)
        | Refusal::NotReady(_) => failure
            .next("To see what this drive is:")
            .next(request.check()),
        Refusal::NoParts => failure.and(whole(request)),
        Refusal::NothingCompared => failure
            .next("What is there now can be read, and compared as a file:")
            .next(request.read_part()),
        Refusal::UnreadableByPackets { .. } => failure
            .next(next::IN_VENDOR_MODE)
            .next(request.read_in_vendor_mode())
            .next(next::WRITE_ONLY)
            .next(request.write_unread()),
        Refusal::NothingRead => failure.next(next::WRITE_ONLY).next(request.write_unread()),
        Refusal::NoBackupPossible(NoBackup::Reported { .. }) => failure
            .next(next::IN_VENDOR_MODE)
            .next(request.read_in_vendor_mode())
            .next("If you can do without a way back:")
            .next(request.without_backup()),
        Refusal::NoBackupPossible(NoBackup::Nameless { .. }) if writes_a_backup(request) => failure
            .next(
                "The file that it is to have is a backup, by the record beside it. Without one \
                 more:",
            )
            .next(request.without_backup()),
        Refusal::NoBackupPossible(_) => failure
            .next("If you can do without a way back:")
            .next(request.without_backup()),
    }
}

/// What a drive takes of which no part is written.
pub fn whole(request: &Request) -> Advice {
    let file = request.command.file();
    let image = file.and_then(|file| image::load(file, request.options.entry.as_deref()).ok());
    match (image, file) {
        (Some(image), Some(file))
            if FLASH_SIZES.contains(&image.size()) && !is_part(request, &image) =>
        {
            let write = match request.changes() {
                true => request.clone(),
                false => request.write(file),
            };
            Advice::of("To write all of the image:").then(write.of_part(&[]).without_keep())
        }
        (Some(_), _) => Advice::of("Get whole firmware for this very drive, and look at it:")
            .then(Request::inspect_any()),
        (None, _) => Advice::of("To see what this drive is:").then(request.check()),
    }
}

/// Whether the file that is to be written was read from a drive's flash, and is no
/// mixture.
fn writes_a_backup(request: &Request) -> bool {
    let file = match &request.command {
        Command::Write { file } => file,
        _ => return false,
    };
    Record::beside(file).is_some_and(|record| !record.half_written)
}

/// Of which drive the image is a dump, by its record.
fn is_own_dump(request: &Request) -> Option<String> {
    let Command::Write { file } = &request.command else {
        return None;
    };
    let record = Record::beside(file).filter(|record| backup::is_intact(file, record))?;
    let drive = record.drive.as_ref()?;
    let serial = drive.serial.as_ref()?;
    Some(format!(
        "By its record this file was read on {} from a drive that called itself {} {}, serial {serial}.",
        record.date, drive.vendor, drive.product
    ))
}

/// A dump with nothing in it, of all of a flash or of a part of it.
fn blank(objection: &Objection, failure: Failure, request: &Request) -> Failure {
    let problem = match objection {
        Objection::NoBackup(problem) => Some(problem),
        _ => None,
    };
    match problem {
        Some(Problem::Blank { value: ERASED, .. }) if request.selection().is_everything() => {
            failure.next(next::LEAVE_ON).next(request.write_unread())
        }
        Some(_) if !request.selection().is_everything() => failure
            .next("There may be more in the rest of the flash. All of it:")
            .next(request.read()),
        _ => failure.after(
            "So it does not show what is in its flash. Check its cable, switch it off and on",
            request,
        ),
    }
}

/// What helps against the objection of a check, which may be to override it.
fn objected(objection: &Objection, failure: Failure, request: &Request) -> Failure {
    if let Objection::Erased { backup, .. } = objection {
        return failure
            .next("If it was this drive's, write that back first:")
            .next(request.restore(backup).without_backup())
            .next("Then type the same again:")
            .next(request.same())
            .next(named("If nothing of it is to stay", Check::Blank));
    }
    match objection.check() {
        Check::Gaps if matches!(objection, Objection::ImageLacks(_)) => failure
            .next("Get whole firmware for this very drive, and look at it:")
            .next(Request::inspect_any())
            .next(named(
                "If FF is what belongs there",
                Check::Gaps,
            )),
        Check::Gaps => failure
            .next("What the drive gives can be kept as it is:")
            .next(request.read())
            .next(named(
                "To go on with a backup that is no complete way back",
                Check::Gaps,
            )),
        Check::Family if !request.changes() => failure
            .next("The tool knows the protocol by the drive's name:")
            .next(request.without_protocol())
            .next(
                "A strange command can hang the drive. --force takes the name of the check: family.",
            ),
        check @ (Check::Model | Check::Family) if is_own_dump(request).is_some() => {
            let known = is_own_dump(request).unwrap_or_default();
            failure
                .next(format!(
                    "{known} If it is this one under another name, as its label and its number say, \
                     --force takes the name of the check: {}. Firmware of other hardware leaves a \
                     drive dead.",
                    check.name()
                ))
                .next("To see what is in the file:")
                .next(request.inspect())
        }
        check if check.guards_life() => failure
            .next("Get the firmware for this very drive, and look at it:")
            .next(Request::inspect_any())
            .next(format!(
                "{} --force takes the name of the check: {}.",
                match check {
                    Check::Structure => {
                        "Damaged firmware may not start. In vendor mode a drive can then still be \
                         given its backup, as long as its boot code is whole; of any other no way \
                         back is known."
                    }
                    _ => {
                        "Firmware of other hardware leaves the drive dead, with no way back that \
                         this tool knows."
                    }
                },
                check.name()
            )),
        Check::Model if matches!(objection, Objection::Misfit(Comparison::Nameless { .. })) => {
            failure
                .next("Compare that with the drive's label, and look at the image:")
                .next(request.inspect())
                .next(named(
                    "Firmware of other hardware leaves the drive dead. If it is what the label says",
                    Check::Model,
                ))
        }
        Check::Model => failure
            .next("Get the firmware for this very drive, and look at it:")
            .next(Request::inspect_any())
            .next(
                "Firmware of other hardware leaves the drive dead. If you know better, --force takes \
                 the name of the check: model.",
            ),
        Check::Blank if request.changes() && request.is_about_part() => failure
            .next("If all of it was erased, it takes firmware as a whole. To see what else it holds:")
            .next(request.read())
            .next(named(
                "A part that holds nothing may well be so in whole firmware. To write it, with \
                 that as its backup",
                Check::Blank,
            )),
        Check::Blank if request.changes() => failure
            .next("If the flash has been erased, there is nothing to lose:")
            .next(request.without_backup()),
        Check::Blank => blank(objection, failure, request)
            .next(named("If you are sure all the same", Check::Blank)),
        Check::Unstable => failure
            .after("Check cable and power of the drive", request)
            .next(named(
                "To go on all the same, with a backup that may be wrong",
                Check::Unstable,
            )),
        check => failure
            .next("To see what this drive is:")
            .next(request.check())
            .next(named("If you are sure all the same", check)),
    }
}
