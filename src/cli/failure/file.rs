//! Files that cannot be made, and where they can be.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::Failure;
use crate::cli::advice::{By, Shell};
use crate::cli::args::{A_FILE, Request};
use crate::cli::exit::Exit;
use crate::cli::words;
use crate::files::{self, FileError, Kind};
use crate::job::{Check, backup};

impl Failure {
    /// `named` is the file as it was typed, which the one in the error may only
    /// lie beside.
    pub fn file(error: &FileError, named: &Path, request: &Request) -> Failure {
        let because = |exit: Exit| exit.because(words::files::what(error));
        match error {
            FileError::Exists { path } if request.is_backup(path) => because(Exit::Refused)
                .next("Keep it: it may be the only way back. Give this backup a name of its own:")
                .next(request.with_backup(&another_name(request))),
            FileError::Input { .. } => because(Exit::Refused)
                .next("Keep it: it is what goes into the drive. Give the backup another name:")
                .next(request.with_backup(&backup::free_name(named))),
            FileError::Companion { .. }
            | FileError::OtherBank { .. }
            | FileError::OtherForm { .. } => because(Exit::Refused)
                .next("Name another file:")
                .next(request.with_output(&backup::free_name(named))),
            FileError::Exists { .. } => because(Exit::Refused)
                .next("Name another file:")
                .next(request.with_output(&backup::free_name(named)))
                .next(super::named("To replace this one", Check::Overwrite)),
            FileError::NotAFile {
                path,
                kind: Kind::Folder,
            } if path != named && !request.is_backup(path) => because(Exit::Refused)
                .next("That name goes with the other. Name another file:")
                .next(request.with_output(&backup::free_name(named))),
            FileError::NotAFile {
                path,
                kind: Kind::Folder,
            } => because(Exit::Refused)
                .next("Name a file in this folder:")
                .next(request.with_output(&free_name(path, request))),
            FileError::NotAFile { .. } | FileError::Link { .. } => because(Exit::Refused)
                .next("Name a file:")
                .next(request.with_output(&free_name(Path::new(""), request))),
            FileError::NameTooLong { .. } => because(Exit::FailedUnchanged)
                .next("Give it a shorter name:")
                .next(request.with_output(&free_name(named.with_file_name("").as_path(), request))),
            FileError::NoRoom { needed, .. } => elsewhere(
                because(Exit::FailedUnchanged),
                "Name a file in another folder, where there is room",
                place_for(named, *needed),
                "Or make room, and type the same again:",
                request,
            ),
            FileError::Unfinished { .. } => because(Exit::Refused)
                .next("It is the only way back to what was in the drive. Name another file:")
                .next(request.with_output(&backup::free_name(&request.dump_of(named)))),
            FileError::Folder { folder, source, .. }
                if source.kind() == ErrorKind::NotFound
                    && !folder.exists()
                    && folder != Path::new(".") =>
            {
                because(Exit::FailedUnchanged)
                    .next("Name a file in another folder, or make this one:")
                    .next(Shell::On(By::User, "mkdir -p", folder.clone()))
                    .next(match files::is_folder(named) && !request.changes() {
                        true => request.with_output(&free_name(named, request)).into(),
                        false => request.same(),
                    })
            }
            FileError::Folder { source, .. } | FileError::Io { source, .. } => unusable(
                source.kind(),
                because(Exit::FailedUnchanged),
                named,
                request,
            ),
        }
    }
}

/// A folder or a file that the system does not give.
fn unusable(why: ErrorKind, failure: Failure, named: &Path, request: &Request) -> Failure {
    let other = place_for(named, 0);
    match why {
        ErrorKind::IsADirectory => failure
            .next("Name a file in this folder, in the place of FILE:")
            .next(request.with_output(A_FILE.as_ref())),
        ErrorKind::NotADirectory => failure
            .next(
                "What stands there for a folder is a file. Name a file in a folder, in the place of \
                 FILE:",
            )
            .next(request.with_output(A_FILE.as_ref())),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => elsewhere(
            failure,
            "Name a file in a folder that you may write to",
            other,
            "Or get the permission, and type the same again:",
            request,
        ),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => elsewhere(
            failure,
            "Name a file on another disk",
            None,
            "Or make room, and type the same again:",
            request,
        ),
        _ => elsewhere(
            failure,
            "Name a file in another folder",
            None,
            "Or mend that, and type the same again:",
            request,
        ),
    }
}

/// A place for a file of this name, or of one like it.
fn place_for(named: &Path, needed: u64) -> Option<PathBuf> {
    let names = [named.to_owned(), backup::free_name(named)];
    let mut places = names.iter().map(|name| files::elsewhere(name, needed));
    places.find_map(|place| place)
}

/// The same command with a file that can be made, or with the place for one, and what
/// else to do.
fn elsewhere(
    failure: Failure,
    where_to: &str,
    other: Option<PathBuf>,
    or: &str,
    request: &Request,
) -> Failure {
    match other {
        Some(other) => failure
            .next(format!("{where_to}:"))
            .next(request.with_output(&other)),
        None => failure
            .next(format!("{where_to}, in the place of FILE:"))
            .next(request.with_output(A_FILE.as_ref()))
            .next(or)
            .next(request.same()),
    }
}

/// A name in a folder that nothing has.
fn free_name(folder: &Path, request: &Request) -> PathBuf {
    let stem = if request.changes() { "backup" } else { "dump" };
    let first = folder.join(format!("{stem}.bin"));
    match std::fs::symlink_metadata(&first) {
        Ok(_) => backup::free_name(&first),
        Err(_) => first,
    }
}

/// A name beside that of a backup that nothing has yet.
fn another_name(request: &Request) -> PathBuf {
    let backup = request.options.backup.as_deref();
    backup::free_name(backup.unwrap_or(Path::new("backup.bin")))
}
