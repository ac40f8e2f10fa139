//! Images that cannot be had from the files that were named.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::{Failure, GET_IT_AGAIN};
use crate::cli::args::Request;
use crate::cli::exit::Exit;
use crate::cli::words::{self, InWords, ended, sentence};
use crate::files;
use crate::flash::{Bank, FlashRange};
use crate::image::{LoadError, NotLoaded, bank_path};

impl Failure {
    pub fn load(error: &LoadError, request: &Request) -> Failure {
        let path = &error.path;
        match &error.why {
            NotLoaded::Missing { .. } if path.is_symlink() => Exit::BadImage
                .because(format!(
                    "{} is a link to {}, which is not there.",
                    path.display(),
                    files::behind_links(path).display()
                ))
                .next("Name the file that holds the image; to look at one without any drive:")
                .next(Request::inspect_any()),
            NotLoaded::Missing { .. } if meant(path, request).is_some() => {
                let failure = Exit::BadImage.because(ended(error.in_words()));
                let (why, lines) = meant(path, request).unwrap_or_default();
                lines.into_iter().fold(failure.next(why), Failure::next)
            }
            NotLoaded::Ambiguous { .. } => Exit::BadImage
                .because(sentence(&error.in_words()))
                .next("To take the one file:")
                .next(request.merged())
                .next("To take the files per bank, give that one another name first."),
            NotLoaded::Missing { .. } if !of_banks(path, request).is_empty() => Exit::BadImage
                .because(format!(
                    "{} is in files of banks, of which each is taken as a whole.",
                    path.display()
                ))
                .next("Name the banks:")
                .next(request.of_part(&of_banks(path, request))),
            NotLoaded::Missing { .. }
            | NotLoaded::Directory
            | NotLoaded::NotAFile
            | NotLoaded::Unreadable(_) => Exit::BadImage
                .because(ended(error.in_words()))
                .next("Name the file that holds the image; to look at one without any drive:")
                .next(Request::inspect_any()),
            NotLoaded::Content(source) => words::image::no_content(path, source),
            NotLoaded::Container(reason) => words::image::no_entry(path, reason, request),
            NotLoaded::MissingBank { .. } => Exit::BadImage.because(ended(error.in_words())).after(
                "Put that file beside the others, as it came with them",
                request,
            ),
            NotLoaded::NoContainer => Exit::BadImage
                .because(ended(error.in_words()))
                .next("It holds one image, which needs no name:")
                .next(request.without_entry()),
            _ => Exit::BadImage
                .because(ended(error.in_words()))
                .next(GET_IT_AGAIN),
        }
    }
}

/// The banks of the range that was named, where there is a file for each of them.
fn of_banks(path: &Path, request: &Request) -> Vec<FlashRange> {
    let range = request
        .options
        .range
        .filter(|_| request.options.banks.is_none());
    let banks = range.into_iter().flat_map(|range| range.banks());
    let banks: Vec<Bank> = banks.collect();
    match banks.iter().all(|bank| bank_path(path, *bank).is_file()) {
        true => banks.into_iter().map(Bank::range).collect(),
        false => Vec::new(),
    }
}

/// The files that are there by a name that may have been meant, and what is wrong with
/// the one that was typed.
fn meant(path: &Path, request: &Request) -> Option<(&'static str, Vec<Request>)> {
    let text = path.to_str().unwrap_or_default();
    let joined = behind_a_switch(text).map(|(letter, file)| (there(Path::new(file)), letter));
    let (joined, letter) = joined.unwrap_or_default();
    let dos = of_dos(text);
    let name = dos.as_deref().and_then(Path::file_name);
    let ways = [
        (OTHER_LETTERS, other_letters(path)),
        (JOINED, joined),
        (DOS_PATH, dos.as_deref().map(there).unwrap_or_default()),
        (DOS_PATH, name.map(Path::new).map(there).unwrap_or_default()),
        (NO_EXTENSION, there(path)),
    ];
    let (why, found) = ways.into_iter().find(|(_, found)| !found.is_empty())?;
    let lines = found.iter().map(|file| {
        let line = request.with_file(file);
        match why {
            JOINED => Request {
                merged: line.merged || letter == 'm',
                binary: line.binary || letter == 'b',
                ..line
            },
            _ => line,
        }
    });
    Some((why, lines.collect()))
}

const OTHER_LETTERS: &str = "Linux tells small letters from capitals. This one is there:";
const JOINED: &str = "Between a switch and a file stands a blank. This one is there:";
const DOS_PATH: &str = "Here folders are told apart by /, and there are no drive letters. This one is \
                        there:";
const NO_EXTENSION: &str = "A file is named with what stands behind its dot. This one is there:";

/// A file of this name, in whatever letters, or with an extension of firmware.
fn there(path: &Path) -> Vec<PathBuf> {
    const EXTENSIONS: [&str; 4] = ["bin", "hex", "rom", "fw"];
    let is_without = path.extension().is_none();
    let longer = EXTENSIONS.iter().filter(|_| is_without);
    std::iter::once(path.to_owned())
        .chain(longer.map(|end| path.with_extension(end)))
        .flat_map(|path| match path.is_file() {
            true => vec![path],
            false => other_letters(&path),
        })
        .collect()
}

/// `/mBYS1.BIN`, `/m:BYS1.BIN`: the letter and the file.
fn behind_a_switch(text: &str) -> Option<(char, &str)> {
    let mut letters = text.strip_prefix('/')?.chars();
    let letter = letters.next()?.to_ascii_lowercase();
    let rest = letters.as_str();
    let file = rest.strip_prefix([':', '=']).unwrap_or(rest);
    (matches!(letter, 'm' | 'b') && !file.is_empty()).then_some((letter, file))
}

/// `C:\FIRM\BYS1.BIN` as a path of this system, in this folder.
fn of_dos(text: &str) -> Option<PathBuf> {
    let rest = match text.split_once(':') {
        Some((drive, rest)) if drive.len() == 1 => rest,
        _ => text,
    };
    let is_dos = rest.len() < text.len() || text.contains('\\');
    is_dos.then(|| {
        rest.trim_start_matches(['\\', '/'])
            .replace('\\', "/")
            .into()
    })
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
        .filter(|found| found.exists())
        .collect();
    found.sort();
    found
}
