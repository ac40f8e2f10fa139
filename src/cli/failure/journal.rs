//! What to do about changes that were begun and not finished.

use super::Failure;
use crate::cli::args::Request;
use crate::job::journal::ShelfProblem;
use crate::job::{BackupProblem, Check, Refusal};

/// The advice of a refusal that is about such changes.
pub fn advice(refusal: &Refusal, failure: Failure, request: &Request) -> Failure {
    const OTHERWISE: &str =
        "If that is another drive's business, or you can do without what was there:";
    match refusal {
        Refusal::Unfinished { backup, .. } => failure
            .next("Put back what was in the drive before, and then type the same again:")
            .next(request.restore(backup))
            .next(OTHERWISE)
            .next(request.forcing(Check::Interrupted)),
        Refusal::BackupGone {
            path: Some(path), ..
        } => failure
            .next("Find that file, whatever its name is now, and name it in place of this one:")
            .next(request.with_backup(path))
            .next(OTHERWISE)
            .next(request.forcing(Check::Interrupted)),
        Refusal::BackupGone { path: None, .. } => failure
            .next("Whole firmware needs nothing of what was there. If you can do without it:")
            .next(request.forcing(Check::Interrupted)),
        Refusal::Backup {
            problem: BackupProblem::InUse,
            ..
        } => failure
            .next("Wait for that run to end, then type the same again:")
            .next(request.same()),
        Refusal::Backup {
            problem: BackupProblem::NoLock,
            ..
        } => failure.next("Name a file on a disk of this computer, with --backup."),
        Refusal::Backup { .. } => failure
            .next(
                "See that no other program has its hands in that folder, then type the same again:",
            )
            .next(request.same()),
        Refusal::Journal(error) => {
            let folder = error.folder.display();
            let deed = match error.problem {
                ShelfProblem::NoFolder | ShelfProblem::Link => {
                    format!("Move {folder} away, then type the same again:")
                }
                ShelfProblem::OfAnother { wanted, .. } => format!(
                    "Give {folder} to user {wanted} (chown), or move it away, then type the same \
                     again:"
                ),
                ShelfProblem::OthersMayWrite { .. } => {
                    format!("Take that from them (chmod go-w {folder}), then type the same again:")
                }
                ShelfProblem::Io(_) => {
                    format!("Make {folder} a folder that takes files, then type the same again:")
                }
            };
            failure.next(deed).next(request.same())
        }
        _ => failure,
    }
}
