//! A folder with entries: who may have made what lies there.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::files::{self, Kind, Links, folder_of};

/// Bytes. An entry about 16 MiB in sectors of 4 KiB has 200 KiB.
pub(super) const LARGEST: u64 = 0x4_0000;
/// Files in a folder that are looked at.
const MOST_FILES: usize = 4096;
const OTHERS_MAY_WRITE: u32 = 0o022;

/// A folder with entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelf {
    pub folder: PathBuf,
    /// The user whose entries count here, beside those of root.
    pub owner: u32,
}

/// A folder in which an entry cannot be made. No change is begun then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{self:?}")]
pub struct JournalError {
    pub folder: PathBuf,
    pub problem: ShelfProblem,
}

/// What is wrong with a folder for entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{self:?}")]
pub enum ShelfProblem {
    NoFolder,
    Link,
    OfAnother { owner: u32, wanted: u32 },
    OthersMayWrite { mode: u32 },
    Io(io::ErrorKind),
}

impl Shelf {
    pub(super) fn error(&self, problem: ShelfProblem) -> JournalError {
        JournalError {
            folder: self.folder.clone(),
            problem,
        }
    }

    /// Makes the folder where it is not there.
    pub(super) fn make(&self) -> Result<(), JournalError> {
        let io = |error: io::Error| self.error(ShelfProblem::Io(error.kind()));
        if fs::symlink_metadata(&self.folder).is_err() {
            let above = folder_of(&self.folder);
            // As the XDG base directory specification wants its folders.
            let mut builder = DirBuilder::new();
            builder.recursive(true).mode(0o700);
            builder.create(above).map_err(io)?;
            // Root's is read by every user who has a drive, whatever the umask.
            let mode = if self.owner == 0 { 0o755 } else { 0o700 };
            match DirBuilder::new().mode(mode).create(&self.folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => made
                    .and_then(|()| fs::set_permissions(&self.folder, Permissions::from_mode(mode)))
                    .map_err(io)?,
            }
            files::sync_folder(above).map_err(io)?;
        }
        self.check()
    }

    /// Whether entries here can be believed.
    pub(super) fn check(&self) -> Result<(), JournalError> {
        let found = fs::symlink_metadata(&self.folder)
            .map_err(|error| self.error(ShelfProblem::Io(error.kind())))?;
        let (owner, mode) = (found.uid(), found.mode() & 0o7777);
        let problem = if found.is_symlink() {
            ShelfProblem::Link
        } else if !found.is_dir() {
            ShelfProblem::NoFolder
        } else if owner != self.owner && owner != 0 {
            ShelfProblem::OfAnother {
                owner,
                wanted: self.owner,
            }
        } else if mode & OTHERS_MAY_WRITE != 0 {
            ShelfProblem::OthersMayWrite { mode }
        } else {
            return Ok(());
        };
        Err(self.error(problem))
    }

    /// Whether this user is not allowed to see what lies here.
    pub(super) fn is_closed(&self) -> bool {
        let seen = fs::read_dir(&self.folder);
        seen.is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
    }

    /// The files of a kind that lie here, in the order of their names: the texts of
    /// those that count and can be read.
    pub(super) fn files(&self, extension: &str) -> Vec<(PathBuf, Option<String>)> {
        let names = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = names
            .take(MOST_FILES)
            .map(|entry| entry.path())
            .filter(|path| path.extension() == Some(OsStr::new(extension)))
            .collect();
        paths.sort();
        let text_of = |path: &Path| {
            let found = fs::symlink_metadata(path).ok()?;
            let counts = self.counts(&found);
            counts.then(|| files::read_text(path, LARGEST, Links::Own).ok())?
        };
        let texts = paths.into_iter().map(|path| (text_of(&path), path));
        // One that is gone by now was taken back.
        let texts =
            texts.filter(|(text, path)| text.is_some() || fs::symlink_metadata(path).is_ok());
        texts.map(|(text, path)| (path, text)).collect()
    }

    fn counts(&self, file: &Metadata) -> bool {
        Kind::of(file).is_none()
            && !file.is_symlink()
            && [0, self.owner].contains(&file.uid())
            && file.mode() & OTHERS_MAY_WRITE == 0
    }
}
