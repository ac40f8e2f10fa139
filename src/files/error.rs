//! What has a name, and why no file gets one.

use std::fmt;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

/// What is where a file is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Folder,
    Pipe,
    Socket,
    Device,
    /// Something of the kernel's: below `/dev`, `/proc` or `/sys`.
    Kernel,
}

impl Kind {
    /// `None` for a regular file.
    pub fn of(found: &Metadata) -> Option<Kind> {
        let kind = found.file_type();
        if kind.is_file() {
            None
        } else if kind.is_dir() {
            Some(Kind::Folder)
        } else if kind.is_fifo() {
            Some(Kind::Pipe)
        } else if kind.is_socket() {
            Some(Kind::Socket)
        } else {
            Some(Kind::Device)
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Folder => "a folder",
            Kind::Pipe => "a pipe",
            Kind::Socket => "a socket",
            Kind::Device => "a device",
            Kind::Kernel => "a place of the kernel's",
        })
    }
}

/// A file that could not be written. What was there before is still there.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("{}: this file exists already", path.display())]
    Exists { path: PathBuf },
    #[error("{}: this is {kind}, not a file, and is not replaced by one", path.display())]
    NotAFile { path: PathBuf, kind: Kind },
    /// A link that another user has put into a folder that all may write to.
    #[error("{}: this is a link of another user", path.display())]
    Link { path: PathBuf },
    #[error("{}: this name is too long for the disk", path.display())]
    NameTooLong { path: PathBuf },
    #[error(
        "{}: there is no room for this file; {} more are needed in the folder {}",
        path.display(),
        in_kib(*missing),
        super::folder_of(path).display()
    )]
    NoRoom {
        path: PathBuf,
        /// Bytes that would be written.
        needed: u64,
        /// Bytes that are not free.
        missing: u64,
    },
    /// The folder is not there, is none, or takes no files.
    #[error("{}: {source}", folder.display())]
    Folder {
        folder: PathBuf,
        /// The file that was to be made in it.
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// By whatever name or link.
    #[error("{}: this is {}, which is read", path.display(), input.display())]
    Input { path: PathBuf, input: PathBuf },
    #[error("{}: this is the backup of a write that was not finished", path.display())]
    Unfinished { path: PathBuf },
    #[error("{}: {source}", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl FileError {
    /// The file that was to be made.
    pub fn path(&self) -> &Path {
        match self {
            FileError::Exists { path }
            | FileError::NotAFile { path, .. }
            | FileError::Link { path }
            | FileError::NameTooLong { path }
            | FileError::NoRoom { path, .. }
            | FileError::Folder { path, .. }
            | FileError::Input { path, .. }
            | FileError::Unfinished { path }
            | FileError::Io { path, .. } => path,
        }
    }

    pub(super) fn io(path: &Path) -> impl Fn(io::Error) -> FileError {
        move |source| FileError::Io {
            path: path.to_owned(),
            source,
        }
    }

    pub(super) fn folder(path: &Path, folder: &Path) -> impl Fn(io::Error) -> FileError {
        move |source| FileError::Folder {
            folder: folder.to_owned(),
            path: path.to_owned(),
            source,
        }
    }
}

/// Rounded up, so that this much is enough.
fn in_kib(bytes: u64) -> String {
    format!("{} KiB", bytes.div_ceil(1024))
}
