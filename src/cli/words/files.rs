//! Files that cannot be made.

use std::io::ErrorKind;
use std::path::Path;

use crate::cli::words::{InWords, ended};
use crate::files::{FileError, Kind};

/// What is wrong with an output, in whole sentences.
pub fn what(error: &FileError) -> String {
    let path = error.path().display();
    match error {
        FileError::NotAFile {
            kind: Kind::Kernel, ..
        } => format!(
            "{path}: what lies below /dev, /proc or /sys is the kernel's, and is never replaced by a \
             file."
        ),
        FileError::Link { .. } => {
            format!("{path}: another user has put this link here. It is not followed.")
        }
        FileError::Folder { folder, source, .. } if folder == Path::new(".") => {
            match source.kind() {
                ErrorKind::NotFound => "The current folder is no longer there.".to_owned(),
                _ => format!(
                    "No file can be made in the current folder: {}.",
                    source.in_words()
                ),
            }
        }
        FileError::Folder { folder, source, .. } => {
            let folder = folder.display();
            match source.kind() {
                ErrorKind::NotFound => format!("There is no folder {folder}."),
                ErrorKind::NotADirectory => format!("{folder}: this is no folder."),
                _ => format!(
                    "No file can be made in the folder {folder}: {}.",
                    source.in_words()
                ),
            }
        }
        FileError::Input { input, .. } if error.path() == input => {
            format!("The backup would go into the image itself, {path}.")
        }
        FileError::Input { input, .. } => format!(
            "The backup would go into the image itself: {path} is {}.",
            input.display()
        ),
        FileError::Exists { .. }
        | FileError::NameTooLong { .. }
        | FileError::Io { .. }
        | FileError::NotAFile { .. }
        | FileError::Companion { .. }
        | FileError::OtherBank { .. }
        | FileError::OtherForm { .. }
        | FileError::NoRoom { .. }
        | FileError::Unfinished { .. } => ended(error.in_words()),
    }
}

/// Of a backup that was right when the change was begun.
pub fn gone(backup: &Path) -> String {
    format!(
        "{}: this backup was right when the change was begun, and is gone or holds something else \
         by now.",
        backup.display()
    )
}

/// That there is no log, and why.
pub fn no_log(error: &FileError) -> String {
    let why = match error {
        FileError::Exists { path } => format!(
            "{}: this file is another user's, has a second name or is no log.",
            path.display()
        ),
        error => ended(error.in_words()),
    };
    format!("There will be no log of this run. {why}")
}
