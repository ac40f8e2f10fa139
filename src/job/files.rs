//! Files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;
use tempfile::NamedTempFile;

/// A file that could not be written. What was there before is still there.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("{}: this file exists already", path.display())]
    Exists { path: PathBuf },
    #[error("{}: this is not a file, and is not replaced by one", path.display())]
    NotAFile { path: PathBuf },
    #[error(
        "{}: there is no room for this file; {} more are needed in the folder {}",
        path.display(),
        in_kib(*missing),
        folder_of(path).display()
    )]
    NoRoom {
        path: PathBuf,
        /// Bytes that would be written.
        needed: u64,
        /// Bytes that are not free.
        missing: u64,
    },
    #[error("{}: this is the backup of a write that was not finished", path.display())]
    Unfinished { path: PathBuf },
    #[error("{}: {source}", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// Files that are complete on the disk under other names and get their own
/// names together. Dropped before that, they vanish.
#[derive(Debug, Default)]
pub struct Pending {
    files: Vec<(NamedTempFile, PathBuf)>,
    overwrite: bool,
}

impl Pending {
    pub fn new(overwrite: bool) -> Pending {
        Pending {
            files: Vec::new(),
            overwrite,
        }
    }

    /// Writes a file beside `path` and makes sure that it is on the disk.
    ///
    /// # Errors
    /// An existing file that must not be overwritten, a full disk, a folder
    /// that cannot be written to.
    pub fn add(
        &mut self,
        path: &Path,
        content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), FileError> {
        if !self.overwrite {
            must_not_exist(path)?;
        }
        let io = io_error(path);
        let mut file = temporary_beside(path).map_err(&io)?;
        let mut writer = BufWriter::new(file.as_file_mut());
        content(&mut writer).map_err(&io)?;
        writer.flush().map_err(&io)?;
        drop(writer);
        make_readable_as_usual(file.as_file()).map_err(&io)?;
        file.as_file().sync_all().map_err(&io)?;
        self.files.push((file, path.to_owned()));
        Ok(())
    }

    /// Gives all files their names.
    ///
    /// # Errors
    /// As for [`Pending::add`]; files already named stay.
    pub fn commit(self) -> Result<(), FileError> {
        for (file, path) in self.files {
            let persisted = if self.overwrite {
                file.persist(&path)
            } else {
                file.persist_noclobber(&path)
            };
            persisted.map_err(|error| match error.error.kind() {
                io::ErrorKind::AlreadyExists => FileError::Exists { path: path.clone() },
                _ => io_error(&path)(error.error),
            })?;
            sync_folder(folder_of(&path)).map_err(io_error(&path))?;
        }
        Ok(())
    }
}

/// # Errors
/// [`FileError::NotAFile`] for a device, a folder or anything else that must
/// never be replaced by a file.
pub fn must_be_a_file(path: &Path) -> Result<(), FileError> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => Err(FileError::NotAFile {
            path: path.to_owned(),
        }),
        _ => Ok(()),
    }
}

/// # Errors
/// [`FileError::Exists`] where something has this name,
/// [`FileError::NotAFile`] where it is no file.
pub fn must_not_exist(path: &Path) -> Result<(), FileError> {
    must_be_a_file(path)?;
    match fs::symlink_metadata(path) {
        Ok(_) => Err(FileError::Exists {
            path: path.to_owned(),
        }),
        Err(_) => Ok(()),
    }
}

/// Whether a file could be made at this place, by making one and removing it.
///
/// # Errors
/// A folder that is not there or takes no files.
pub fn can_be_made(path: &Path) -> Result<(), FileError> {
    temporary_beside(path).map(drop).map_err(io_error(path))
}

/// Whether so many bytes can be written beside `path`. A file system that does
/// not say how much is free is believed to have room.
///
/// # Errors
/// [`FileError::NoRoom`].
pub fn must_have_room(path: &Path, needed: u64) -> Result<(), FileError> {
    match free_in(folder_of(path)) {
        Some(free) if free < needed => Err(FileError::NoRoom {
            path: path.to_owned(),
            needed,
            missing: needed - free,
        }),
        _ => Ok(()),
    }
}

/// A place for the file of this name where there is room: at home, or where
/// temporary files outlast the next start.
pub fn elsewhere(path: &Path, needed: u64) -> Option<PathBuf> {
    let name = path.file_name()?;
    std::env::var_os("HOME")
        .into_iter()
        .chain(["/var/tmp".into()])
        .map(|folder| Path::new(&folder).join(name))
        .filter(|place| free_in(folder_of(place)).is_some_and(|free| free >= needed))
        .find(|place| !place.exists() && can_be_made(place).is_ok())
}

/// Bytes that this user may still write there.
fn free_in(folder: &Path) -> Option<u64> {
    let found = statvfs(folder).ok()?;
    let has_an_end = found.blocks() > 0;
    has_an_end.then(|| {
        found
            .blocks_available()
            .saturating_mul(found.fragment_size())
    })
}

/// Rounded up, so that this much is enough.
fn in_kib(bytes: u64) -> String {
    format!("{} KiB", bytes.div_ceil(1024))
}

fn temporary_beside(path: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new()
        .prefix(".mtkflash-")
        .suffix(".part")
        .tempfile_in(folder_of(path))
        .map_err(|error| match error.to_string().split_once(" at path ") {
            // tempfile adds the name of its file, which means nothing to a user.
            Some((what, _)) => io::Error::new(error.kind(), what),
            None => error,
        })
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> FileError {
    move |source| FileError::Io {
        path: path.to_owned(),
        source,
    }
}

pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Temporary files are private to their maker; a dump is an ordinary file.
fn make_readable_as_usual(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

/// A new name is on the disk only when its folder is.
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
