//! What to do about changes that were begun and not finished.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{Begun, Failure};
use crate::cli::args::{A_FILE, Request};
use crate::cli::going_on::GoingOn;
use crate::files::{self, Links};
use crate::image::Crc32;
use crate::job::journal::{Entry, ShelfProblem};
use crate::job::record::Record;
use crate::job::{Asked, BackupProblem, Doubt, Refusal};

/// The line of an unfinished change, where it is another one than was typed just now,
/// whatever they say of the backup.
fn another(asked: &Asked, request: &Request) -> Option<GoingOn> {
    let without_backup = |request: &Request| {
        let mut request = request.from_anywhere();
        // A file has many names.
        if let Some(real) = request
            .command
            .file()
            .and_then(|file| file.canonicalize().ok())
        {
            request = request.with_file(&real);
        }
        request.options.backup = None;
        request.options.no_backup = false;
        request
    };
    GoingOn::of(asked).filter(|begun| without_backup(&begun.request) != without_backup(request))
}

impl Failure {
    /// Says, of a drive that was not opened, what an earlier run has left at its place by
    /// this entry, and leads to what finishes it.
    pub fn at_place_of(self, entry: &Entry, request: &Request) -> Failure {
        let failure = self.with_begun(Begun::AtPlace);
        let backup = entry.backup();
        let is_gone = |(backup, crc32): &(PathBuf, Crc32)| !is_way_back(backup, *crc32);
        // Without what it needs it would be refused.
        let failure = match another(&entry.asked(), request) {
            Some(_) if backup.as_ref().is_some_and(is_gone) => return failure,
            Some(begun) => failure.and(begun.advice("To go on with that write:")),
            None if failure.next.offers_the_same() || failure.next.lines().is_empty() => failure,
            None => failure
                .next("When that is mended, type the same again, and it goes on where that run ended:")
                .next(request.same()),
        };
        match backup.filter(|backup| !is_gone(backup)) {
            Some((backup, _)) => failure
                .next("Or put back what was in it before:")
                .next(request.restore(&backup)),
            None => failure,
        }
    }
}

/// Whether a backup is what it was, and not of a mixture itself.
fn is_way_back(backup: &Path, crc32: Crc32) -> bool {
    let file = files::open(backup, Links::Followed).ok();
    let is_it = file.and_then(|file| Crc32::of_reader(file).ok()) == Some(crc32);
    is_it && Record::beside(backup).is_some_and(|record| !record.half_written)
}

/// What to do first where the change may have been this drive's.
fn unfinished(
    backup: &Path,
    begun: Option<GoingOn>,
    doubt: Doubt,
    half_written: bool,
    failure: Failure,
    request: &Request,
) -> Failure {
    if half_written {
        return match (doubt, begun) {
            (Doubt::Lost, Some(begun)) => {
                failure.and(begun.advice("Finish that write, and then type the same again:"))
            }
            _ => failure,
        };
    }
    let put_back = request.restore(backup);
    match (doubt, begun) {
        (Doubt::Blank, Some(begun)) => failure
            .next("If it is that drive, put back what was in it before:")
            .next(put_back)
            .and(begun.advice("Then go on with that write:")),
        (Doubt::Lost, Some(begun)) => failure
            .and(begun.advice("Finish that write, and then type the same again:"))
            .next("Or put back what was in the drive before, and then type the same again:")
            .next(put_back),
        (Doubt::Lost, None) => failure
            .next("Put back what was in the drive before, and then type the same again:")
            .next(put_back),
        (Doubt::Blank, None) => failure
            .next("If it is that drive, put back what was in it before, and then type the same again:")
            .next(put_back),
        // Nobody knows whose change it was: what is right for the one drive spoils the
        // other.
        (_, begun) => {
            let failure = match begun {
                Some(begun) => {
                    failure.and(begun.advice("If it was another drive, finish its write first:"))
                }
                None => failure,
            };
            failure
                .next(
                    "Only if it was this very drive, put back what was in it before, and then type \
                     the same again:",
                )
                .next(put_back)
        }
    }
}

/// The advice of a refusal that is about such changes.
pub fn advice(refusal: &Refusal, failure: Failure, request: &Request) -> Failure {
    const OTHERWISE: &str = "If that is another drive's business, or you can do without what was \
        there, --force takes the name of the check: interrupted.";
    match refusal {
        Refusal::Unfinished {
            backup,
            asked,
            doubt,
            half_written,
            ..
        } => {
            // Who puts back the one of two would be led to the other, and back again.
            let of_file = request.command.file().and_then(Record::beside);
            let puts_back = of_file.is_some_and(|record| record.before_writing.is_some());
            if puts_back && matches!(doubt, Doubt::Drive | Doubt::Several) {
                return failure.next(OTHERWISE);
            }
            let begun = another(asked, request);
            unfinished(backup, begun, *doubt, *half_written, failure, request).next(OTHERWISE)
        }
        Refusal::BackupGone {
            path: Some(_),
            problem,
            ..
        } => failure
            .next(match problem {
                BackupProblem::Changed => {
                    "What lies there is no longer that backup, and writing it would not bring back \
                     what was in the drive. If there is a copy with that CRC-32, name it in the \
                     place of FILE:"
                }
                _ => "Find that file, whatever its name is now, and name it in the place of FILE:",
            })
            .next(request.with_backup(A_FILE.as_ref()))
            .next(OTHERWISE),
        Refusal::OtherBackup { packed, .. } => failure
            .next(match packed {
                Some(_) => {
                    "If that backup is in there, take it out, and name what comes out in the place \
                     of FILE:"
                }
                None => {
                    "Find that file, whatever its name is now, and name it in the place of FILE:"
                }
            })
            .next(request.with_backup(Path::new("FILE")))
            .next(OTHERWISE),
        Refusal::BackupGone { path: None, .. } => failure
            .next("Whole firmware needs nothing of what was there; to see what the drive is:")
            .next(request.check())
            .next(OTHERWISE),
        Refusal::Note { place } => failure
            .after(
                format!(
                    "If a newer version of this program has made it, use that one. If no write of \
                     this drive was interrupted, move {} away",
                    place.display()
                ),
                request,
            )
            .next(OTHERWISE),
        Refusal::Backup {
            problem: BackupProblem::InUse,
            ..
        } => failure.after("Wait for that run to end", request),
        Refusal::Backup {
            problem: BackupProblem::NoLock,
            ..
        } => failure.next("Name a file on a disk of this computer, with --backup."),
        Refusal::Backup { .. } => failure.after(
            "See that no other program has its hands in that folder",
            request,
        ),
        Refusal::Journal(error) => {
            let folder = error.folder.display();
            let deed = match error.problem {
                ShelfProblem::NoFolder | ShelfProblem::Link => {
                    format!("Move {folder} away")
                }
                ShelfProblem::OfAnother { wanted, .. } => {
                    format!("Give {folder} to user {wanted} (chown), or move it away")
                }
                ShelfProblem::OthersMayWrite { .. } => {
                    format!("Take that from them (chmod go-w {folder})")
                }
                ShelfProblem::Io(ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => {
                    format!("Make room on the disk of {folder}")
                }
                ShelfProblem::Io(_) => {
                    format!("Make {folder} a folder that takes files")
                }
            };
            failure.after(deed, request)
        }
        _ => failure,
    }
}
