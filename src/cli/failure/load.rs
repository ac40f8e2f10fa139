//! Images that cannot be had from the files that were named.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::{Failure, GET_IT_AGAIN};
use crate::cli::args::Request;
use crate::cli::exit::Exit;
use crate::cli::words::{self, InWords, ended, sentence};
use crate::flash::Bank;
use crate::image::{LoadError, bank_path};

impl Failure {
    pub fn load(error: &LoadError, request: &Request) -> Failure {
        match error {
            LoadError::Missing { path, .. } if !other_letters(path).is_empty() => {
                let failure = Exit::BadImage
                    .because(ended(error.in_words()))
                    .next("Linux tells small letters from capitals. This one is there:");
                other_letters(path)
                    .iter()
                    .map(|found| request.with_file(found))
                    .fold(failure, Failure::next)
            }
            LoadError::Ambiguous { .. } => Exit::BadImage.because(sentence(&error.in_words())),
            LoadError::Missing { .. }
            | LoadError::Directory { .. }
            | LoadError::NotAFile { .. }
            | LoadError::Unreadable { .. } => Exit::BadImage
                .because(ended(error.in_words()))
                .next("Name the file that holds the image; to look at one without any drive:")
                .next(Request::inspect_any()),
            LoadError::Content { path, source } => words::image::no_content(path, source),
            LoadError::Container { path, reason } => words::image::no_entry(path, reason, request),
            LoadError::NoContainer { .. } => Exit::BadImage
                .because(ended(error.in_words()))
                .next("It holds one image, which needs no name:")
                .next(request.without_entry()),
            _ => Exit::BadImage
                .because(ended(error.in_words()))
                .next(GET_IT_AGAIN),
        }
    }
}

/// Files beside `path`, one image or its first bank, that have its name in other
/// letters.
fn other_letters(path: &Path) -> Vec<PathBuf> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let names = [path.to_owned(), bank_path(path, Bank(0))];
    let is_named = |found: &OsStr| {
        let mut names = names.iter().filter_map(|name| name.file_name());
        names.any(|name| name.eq_ignore_ascii_case(found))
    };
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name())
        .filter(|found| is_named(found))
        .map(|found| path.with_file_name(found))
        .collect();
    found.sort();
    found
}
