//! Why a job is not begun.

use super::device::{REFUSED, unerasable, unreadable, unwritable};
use super::{blu_ray, journal, objection};
use crate::cli::words::{InWords, sentence};
use crate::job::{NoBackup, Refusal, SelectionError, Unfit};
use crate::protocol::Unreadable;
use crate::protocol::download::NoImage;

/// What a refusal is about, in whole sentences.
pub fn refusal(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Selection(SelectionError::NoSuchBank { bank, last }) => {
            format!("There is no bank {bank}: this flash has banks 0 to {last}.")
        }
        Refusal::Selection(SelectionError::NothingLeft { range }) => {
            format!("--keep leaves nothing of {range} to be changed.")
        }
        Refusal::Selection(SelectionError::PastTheEnd { range, size }) => {
            format!("{range} reaches past the end of this flash of {size:#x} bytes.")
        }
        Refusal::Unreadable(why) => unreadable(why),
        Refusal::UnreadableByPackets { why, model } => by_reports(why, model),
        Refusal::Unwritable(why) => unwritable(why),
        Refusal::Unerasable { family } => unerasable(family),
        Refusal::NoParts => {
            "This drive takes its firmware as a whole and programs it by itself: a \
                             part of it alone cannot be changed or kept."
                .to_owned()
        }
        Refusal::Plan(error) => sentence(&error.in_words()),
        Refusal::NothingRead => {
            "The drive refuses to have any of this read: there is nothing to keep.".to_owned()
        }
        Refusal::NothingCompared => "Nothing of this could be compared.".to_owned(),
        Refusal::NotThisImage(misfit) => objection::misfit(misfit),
        Refusal::NotReady(why) => blu_ray::not_ready(why),
        Refusal::Check(found) => objection::objection(found),
        Refusal::NoBackupPossible(why) => {
            format!(
                "{} A write is possible only without a backup.",
                no_backup(why)
            )
        }
        Refusal::Unfinished { .. }
        | Refusal::BackupGone { .. }
        | Refusal::OtherBackup { .. }
        | Refusal::Note { .. }
        | Refusal::Backup { .. }
        | Refusal::Journal(_) => journal::refusal(refusal),
        Refusal::NoCopy { range } => format!(
            "{range} is to stay as it is, but is erased on the way, and nothing would keep it."
        ),
    }
}

/// Why an image is none for a flash, in a whole sentence.
pub fn unfit(problem: &Unfit) -> String {
    match problem {
        Unfit::Size(problem) => sentence(&problem.in_words()),
        Unfit::Unsound(problem) => sentence(&format!(
            "this image is not written: {}",
            problem.in_words()
        )),
        Unfit::Protocol(NoImage::Size {
            image,
            family,
            size,
        }) => format!(
            "The image has {image} bytes, and {family} drives take exactly {size} ({} KiB).",
            size / 1024
        ),
        Unfit::Protocol(NoImage::NotBluRay) => {
            "This is no firmware for a Blu-ray drive of LG, ASUS or HP.".to_owned()
        }
        Unfit::Protocol(NoImage::Damaged(finding)) => {
            format!("This image is not written: {}.", finding.in_words())
        }
    }
}

fn by_reports(why: &Unreadable, model: &str) -> String {
    format!(
        "{} By reports of users an {model} answers MTKFLASH, in vendor mode, where it could be read.",
        unreadable(why)
    )
}

fn no_backup(why: &NoBackup) -> String {
    match why {
        NoBackup::Unreadable(why) => unreadable(why),
        NoBackup::Reported { why, model } => by_reports(why, model),
        NoBackup::Refused => REFUSED.to_owned(),
        NoBackup::Nameless { at } => format!(
            "What this drive gives when it is read does not have its names at {at}: it is damaged \
             or erased firmware, or memory and no firmware at all, and no way back."
        ),
    }
}
