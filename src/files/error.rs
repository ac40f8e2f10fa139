//! What has a name, and why no file gets one.

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

/// A file that could not be written. What was there before is still there.
#[derive(Debug, thiserror::Error)]
#[error("{self:?}")]
pub enum FileError {
    Exists {
        path: PathBuf,
    },
    NotAFile {
        path: PathBuf,
        kind: Kind,
    },
    /// A link that another user has put into a folder that all may write to.
    Link {
        path: PathBuf,
    },
    /// A link where the name of a file follows from another's: nobody has named it,
    /// and so nobody means what it leads to.
    Companion {
        path: PathBuf,
        target: PathBuf,
    },
    /// A file that would be taken for a part of the same dump.
    OtherBank {
        path: PathBuf,
        there: PathBuf,
    },
    /// A dump of the same name in the other form: one file, or a file per bank.
    OtherForm {
        path: PathBuf,
        there: PathBuf,
    },
    NameTooLong {
        path: PathBuf,
    },
    NoRoom {
        path: PathBuf,
        /// Bytes that would be written.
        needed: u64,
        /// Bytes that are not free.
        missing: u64,
    },
    /// The folder is not there, is none, or takes no files.
    Folder {
        folder: PathBuf,
        /// The file that was to be made in it.
        path: PathBuf,
        source: io::Error,
    },
    /// By whatever name or link.
    Input {
        path: PathBuf,
        input: PathBuf,
    },
    /// The backup of a change that was begun and not finished, or its record.
    Unfinished {
        path: PathBuf,
        /// The change is under way, here or in another run.
        in_use: bool,
    },
    Io {
        path: PathBuf,
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
            | FileError::Companion { path, .. }
            | FileError::OtherBank { path, .. }
            | FileError::OtherForm { path, .. }
            | FileError::NameTooLong { path }
            | FileError::NoRoom { path, .. }
            | FileError::Folder { path, .. }
            | FileError::Input { path, .. }
            | FileError::Unfinished { path, .. }
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
