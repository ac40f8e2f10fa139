//! Changes that were begun and not finished.

use std::io::ErrorKind;

use super::terms::container;
use crate::flash::FlashRange;
use crate::job::interrupted::{Notice, Who};
use crate::job::journal::{JournalError, ShelfProblem};
use crate::job::{BackupProblem, Doubt, Refusal};

const BEGUN: &str = "A write of a flash like this was begun and not finished";

/// Of a dump.
pub fn half_written(by_boot_code: bool) -> &'static str {
    match by_boot_code {
        false => {
            "A write of this flash was begun and not finished. This file holds what is left, \
             perhaps a mixture of two firmwares: it is no backup, and its record says so."
        }
        true => {
            "No firmware runs from this flash. This file holds what is in it, perhaps what is \
             left of a write that was not finished: it is no backup, and its record says so."
        }
    }
}

/// What the user should know of a change that this run does not go on with.
pub fn notice(notice: &Notice) -> String {
    match notice {
        Notice::Unfinished {
            backup,
            who: Who::Elsewhere,
            ..
        } => format!(
            "{BEGUN}, in a drive at another place. What was in that flash before it is in {}. If it \
             is this drive, the flash may be a mixture now.",
            backup.display()
        ),
        Notice::Unfinished { backup, .. } => format!(
            "{BEGUN}. What was in the flash before it is in {}; the flash may be a mixture now.",
            backup.display()
        ),
        Notice::Lost {
            backup: Some(backup),
            crc32,
            ..
        } => {
            let crc32 = crc32.as_ref();
            let sum = crc32.map_or_else(String::new, |crc32| format!(" (CRC-32 {crc32})"));
            format!(
                "{BEGUN}, and its backup, {}{sum}, is damaged or gone from there; if it was moved, \
                 --backup names it.",
                backup.display()
            )
        }
        Notice::Lost {
            backup: None, date, ..
        } => format!(
            "{BEGUN}. It was begun on {date} without a backup; the flash may be a mixture now."
        ),
        Notice::Recorded { backup } => format!(
            "{BEGUN}, by the record beside {}; this machine has no note of it. Whether it came to \
             its end the next write of this drive sees in its flash.",
            backup.display()
        ),
        Notice::Unread { place } => format!(
            "{}: a note of a write that was begun and not finished cannot be read. If it is of this \
             drive, the flash may be a mixture now.",
            place.display()
        ),
    }
}

/// What an unfinished write was to keep, and the one that is proposed does not.
pub fn given_up(ranges: &[FlashRange]) -> Option<String> {
    (!ranges.is_empty()).then(|| {
        format!(
            "That write was to keep {} as it was, and this one writes over that, too: to keep it, \
             go on with that one first.",
            super::ranges(ranges)
        )
    })
}

/// What stands in the way, where that is a change that was begun or its note.
pub fn refusal(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Unfinished {
            backup,
            date,
            doubt,
            half_written,
            ..
        } => {
            let why = match doubt {
                Doubt::Lost => {
                    "What is to stay as it is may be lost in the flash, and is in that backup."
                }
                Doubt::Drive => {
                    "What is to stay as it is may be lost in the flash and be in that backup. \
                     Whether it was this drive cannot be told."
                }
                Doubt::Several => "It is not the only one, and the others hold something else.",
                Doubt::Blank => {
                    "The flash is blank and the drive says no serial number: whether it is that \
                     drive cannot be told."
                }
            };
            let what = match half_written {
                false => "its backup is",
                true => "what was read before it, perhaps a mixture already, is",
            };
            format!("{BEGUN}; {what} {} of {date}. {why}", backup.display())
        }
        Refusal::BackupGone {
            path: Some(path),
            crc32,
            date,
            problem,
        } => {
            let sum = crc32.as_ref();
            let sum = sum.map_or_else(String::new, |sum| format!(", CRC-32 {sum}"));
            let what = match problem {
                BackupProblem::Changed => "This file is there, and holds something else",
                _ => "This file is not there, or cannot be read",
            };
            format!(
                "{BEGUN}. What is to stay as it is may be lost in the flash, and is in the backup \
                 {} of {date}{sum}. {what}.",
                path.display()
            )
        }
        Refusal::BackupGone {
            path: None, date, ..
        } => format!(
            "{BEGUN}, on {date} and without a backup. What is to stay as it is may be lost in the \
             flash."
        ),
        Refusal::OtherBackup {
            file,
            found,
            packed,
            backup,
            crc32,
            date,
        } => format!(
            "{BEGUN}. What is to stay as it is may be lost in the flash, and is in the backup {} of \
             {date}, CRC-32 {crc32}. {} is not that backup: {}.",
            backup.display(),
            file.display(),
            match packed {
                Some(kind) => format!("it is {}", container(*kind)),
                None => format!("its CRC-32 is {found}"),
            }
        ),
        Refusal::Note { place } => format!(
            "{}: a note of a write that was begun and not finished cannot be read: it is damaged, of \
             another version of this program, or lies where others may write. If it is of this \
             drive, what is to stay as it is may be lost in the flash.",
            place.display()
        ),
        Refusal::Backup {
            path,
            crc32,
            problem,
        } => {
            let path = path.display();
            match problem {
                BackupProblem::Changed => format!(
                    "{path}: this backup (CRC-32 {crc32}) was right when it was looked at first, and \
                     holds something else by now."
                ),
                BackupProblem::InUse => {
                    format!("{path}: this backup is in use, for another drive or by another run.")
                }
                BackupProblem::NoLock => format!(
                    "{path}: this disk cannot lock files, so that another run could take this \
                     backup for its own."
                ),
                BackupProblem::Unreadable | BackupProblem::None => format!(
                    "{path}: this backup (CRC-32 {crc32}) was right when it was looked at first, and \
                     is gone or cannot be read by now."
                ),
            }
        }
        Refusal::Journal(error) => journal(error),
        _ => String::new(),
    }
}

fn journal(error: &JournalError) -> String {
    let what = match error.problem {
        ShelfProblem::NoFolder => "this is no folder".to_owned(),
        ShelfProblem::Link => "this is a link".to_owned(),
        ShelfProblem::OfAnother { owner, wanted } => {
            format!("this folder belongs to user {owner}, and should to user {wanted}")
        }
        ShelfProblem::OthersMayWrite { mode } => {
            format!("others than its owner may write to this folder (mode {mode:03o})")
        }
        ShelfProblem::Io(kind) => match kind {
            ErrorKind::PermissionDenied => "permission denied".to_owned(),
            kind => kind.to_string(),
        },
    };
    format!(
        "{}: {what}. Every write is noted there before it begins, so that it can be gone on with \
         when it is interrupted.",
        error.folder.display()
    )
}
