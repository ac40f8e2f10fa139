//! Files that cannot be made, and where they can be.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::Failure;
use crate::cli::exit::Exit;
use crate::cli::typed::Typed;
use crate::cli::words;
use crate::files::{self, FileError, Kind};

impl Failure {
    /// `named` is the file as it was typed, which the one in the error may only
    /// lie beside.
    pub fn file(error: &FileError, named: &Path, typed: &Typed) -> Failure {
        let because = |exit| Failure::new(exit, words::files::what(error));
        match error {
            FileError::Exists { path } if typed.is_backup(path) => because(Exit::Refused)
                .next("Keep it: it may be the only way back. Give this backup a name of its own:")
                .next(typed.with_another_backup()),
            FileError::Exists { .. } => because(Exit::Refused)
                .next("Name another file, or replace this one:")
                .next(typed.with("--force=overwrite")),
            FileError::NotAFile {
                path,
                kind: Kind::Folder,
            } => because(Exit::Refused)
                .next("Name a file in this folder:")
                .next(typed.with_output(named, &free_name(path, typed))),
            FileError::NotAFile { .. } | FileError::Link { .. } => because(Exit::Refused)
                .next("Name a file:")
                .next(typed.with_output(named, &free_name(Path::new(""), typed))),
            FileError::NameTooLong { .. } => because(Exit::FailedUnchanged)
                .next("Give it a shorter name:")
                .next(
                    typed.with_output(named, &free_name(named.with_file_name("").as_path(), typed)),
                ),
            FileError::NoRoom { needed, .. } => elsewhere(
                because(Exit::FailedUnchanged),
                "Name a file in another folder, where there is room:",
                files::elsewhere(named, *needed),
                "Name a file on another disk, or make room and type the same again:",
                (named, typed),
            ),
            FileError::Unfinished { .. } => because(Exit::Refused)
                .next("It is the only way back to what was in the drive. Name another file."),
            FileError::Folder { source, .. } | FileError::Io { source, .. } => {
                unusable(source.kind(), because(Exit::FailedUnchanged), named, typed)
            }
        }
    }
}

/// A folder or a file that the system does not give.
fn unusable(why: ErrorKind, failure: Failure, named: &Path, typed: &Typed) -> Failure {
    let other = files::elsewhere(named, 0);
    match why {
        ErrorKind::IsADirectory => failure.next("Name a file in this folder."),
        ErrorKind::NotFound | ErrorKind::NotADirectory => failure
            .next("Name a file in another folder, or make this one and type the same again:")
            .next(typed.same()),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => elsewhere(
            failure,
            "Name a file in a folder that you may write to:",
            other,
            "Name a file in a folder that you may write to, or get the permission and type the \
             same again:",
            (named, typed),
        ),
        _ => failure
            .next("Name a file on another disk, or make room and type the same again:")
            .next(typed.same()),
    }
}

/// The same command with a file that can be made, or what else to do.
fn elsewhere(
    failure: Failure,
    there: &str,
    other: Option<PathBuf>,
    nowhere: &str,
    (named, typed): (&Path, &Typed),
) -> Failure {
    match other {
        Some(other) => failure.next(there).next(typed.with_output(named, &other)),
        None => failure.next(nowhere).next(typed.same()),
    }
}

/// A name in a folder that nothing has.
fn free_name(folder: &Path, typed: &Typed) -> PathBuf {
    let stem = if typed.changes() { "backup" } else { "dump" };
    std::iter::once(format!("{stem}.bin"))
        .chain((2..).map(|number| format!("{stem}-{number}.bin")))
        .map(|name| folder.join(name))
        .find(|path| std::fs::symlink_metadata(path).is_err())
        .unwrap_or_default()
}
