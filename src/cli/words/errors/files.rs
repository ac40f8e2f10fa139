//! Files that could not be read or written.

use std::io;
use std::path::Path;

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
        let path = self.path().display();
        match self {
            FileError::Exists { .. } => format!("{path}: this file exists already"),
            FileError::NotAFile { kind, .. } => format!(
                "{path}: this is {}, not a file, and is not replaced by one",
                kind.in_words()
            ),
            FileError::Link { .. } => format!("{path}: this is a link of another user"),
            FileError::Companion { target, .. } => format!(
                "{path}: this is a link to {}, which the record of the dump would replace",
                target.display()
            ),
            FileError::OtherBank { there, .. } => format!(
                "{}: this file is there already, and would be read as one more bank of {path}",
                there.display()
            ),
            FileError::OtherForm { there, .. } => format!(
                "{}: this file is there already, and one file for all banks and a file per bank \
                 would have one name",
                there.display()
            ),
            FileError::NameTooLong { .. } => format!("{path}: this name is too long for the disk"),
            FileError::NoRoom { missing, .. } => {
                let folder = match folder_of(self.path()) {
                    here if here == Path::new(".") => "this folder".to_owned(),
                    folder => format!("the folder {}", folder.display()),
                };
                format!(
                    "{path}: there is no room for this file; {} more are needed in {folder}",
                    in_kib(*missing)
                )
            }
            FileError::Folder { folder, source, .. } => {
                format!("{}: {}", folder.display(), source.in_words())
            }
            FileError::Input { input, .. } => {
                format!("{path}: this is {}, which is read", input.display())
            }
            FileError::Unfinished { in_use: true, .. } => {
                format!("{path}: this backup is in use, for another drive or by another run")
            }
            FileError::Unfinished { path: file, .. }
                if file.extension().is_some_and(|extension| extension == "txt") =>
            {
                format!("{path}: this is the record of the backup of a write that was not finished")
            }
            FileError::Unfinished { .. } => {
                format!("{path}: this is the backup of a write that was not finished")
            }
            FileError::Io { source, .. } => format!("{path}: {}", source.in_words()),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_a_name_is_this_one() {
        let full = |path: &str| {
            let path = path.into();
            let error = FileError::NoRoom {
                path,
                needed: 4096,
                missing: 1024,
            };
            error.in_words()
        };
        assert!(full("x.bin").ends_with("1 KiB more are needed in this folder"));
        assert!(full("nas/x.bin").ends_with("1 KiB more are needed in the folder nas"));
    }

    #[test]
    fn a_message_that_begins_with_a_name_has_the_name_as_it_is() {
        let path = Path::new("my dump").to_owned();
        let there = path.clone();
        for error in [
            FileError::NotAFile {
                path: path.clone(),
                kind: Kind::Folder,
            },
            FileError::OtherForm {
                path: path.clone(),
                there,
            },
            FileError::Exists { path },
        ] {
            let said = crate::cli::words::files::what(&error);
            assert!(said.starts_with("my dump: "), "{said}");
            assert!(said.ends_with('.'), "{said}");
        }
    }
}
