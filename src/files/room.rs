//! Whether a disk has room.

use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;

use super::{FileError, Place, folder_of, must_be_makeable};

/// Whether so many bytes can be written where `path` leads to. A file system
/// that does not say how much is free is believed to have room.
///
/// # Errors
/// [`FileError::NoRoom`], and where the path leads to no file, see [`Place::of`].
pub fn must_have_room(path: &Path, needed: u64) -> Result<(), FileError> {
    match free_in(Place::of(path)?.folder()) {
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
        .find(|place| must_be_makeable(std::slice::from_ref(place), false).is_ok())
}

/// The numbers of a file system are as wide as the processor's words.
fn wide(number: impl Into<u64>) -> u64 {
    number.into()
}

/// Bytes that this user may still write there.
fn free_in(folder: &Path) -> Option<u64> {
    let found = statvfs(folder).ok()?;
    let has_an_end = found.blocks() > 0;
    has_an_end.then(|| wide(found.blocks_available()).saturating_mul(wide(found.fragment_size())))
}
