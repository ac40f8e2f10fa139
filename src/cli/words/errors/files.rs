//! Files that could not be read or written.

use std::io;

use crate::cli::words::InWords;
use crate::files::{FileError, Kind, ReadError, folder_of};

impl InWords for ReadError {
    fn in_words(&self) -> String {
        match self {
            ReadError::NotAFile(found) => format!("this is {}, not a file", found.in_words()),
            ReadError::TooLarge { size, limit } => {
                format!("{size} bytes are too many: at most {limit} are read here")
            }
            ReadError::Link => "this is a link in a folder that others may write to".to_owned(),
            ReadError::NotText => "this is no text".to_owned(),
            ReadError::Io(found) => found.in_words(),
        }
    }
}

impl InWords for FileError {
    fn in_words(&self) -> String {
        match self {
            FileError::Exists { path } => format!("{}: this file exists already", path.display()),
            FileError::NotAFile { path, kind } => format!(
                "{}: this is {}, not a file, and is not replaced by one",
                path.display(),
                kind.in_words()
            ),
            FileError::Link { path } => {
                format!("{}: this is a link of another user", path.display())
            }
            FileError::Companion { path, target } => format!(
                "{}: this is a link to {}, which the record of the dump would replace",
                path.display(),
                target.display()
            ),
            FileError::NameTooLong { path } => {
                format!("{}: this name is too long for the disk", path.display())
            }
            FileError::NoRoom { path, missing, .. } => format!(
                "{}: there is no room for this file; {} more are needed in the folder {}",
                path.display(),
                in_kib(*missing),
                folder_of(path).display()
            ),
            FileError::Folder { folder, source, .. } => {
                format!("{}: {}", folder.display(), source.in_words())
            }
            FileError::Input { path, input } => {
                format!(
                    "{}: this is {}, which is read",
                    path.display(),
                    input.display()
                )
            }
            FileError::Unfinished { path } => format!(
                "{}: this is the backup of a write that was not finished",
                path.display()
            ),
            FileError::Io { path, source } => format!("{}: {}", path.display(), source.in_words()),
        }
    }
}

impl InWords for Kind {
    fn in_words(&self) -> String {
        match self {
            Kind::Folder => "a folder",
            Kind::Pipe => "a pipe",
            Kind::Socket => "a socket",
            Kind::Device => "a device",
            Kind::Kernel => "a place of the kernel's",
        }
        .to_owned()
    }
}

/// Rounded up, so that this much is enough.
fn in_kib(bytes: u64) -> String {
    format!("{} KiB", bytes.div_ceil(1024))
}

/// One of the system, or a [`ReadError`] in its clothes.
impl InWords for io::Error {
    fn in_words(&self) -> String {
        let inner = self
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<ReadError>());
        inner.map_or_else(|| self.to_string(), InWords::in_words)
    }
}
