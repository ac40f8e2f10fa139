//! Reading firmware files: one file, or a file per bank.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{
    Arrangement, Encoding, FLASH_SIZES, Format, Image, ParseError, decode, hex::MAX_BANKS,
};
use crate::flash::{BANK_SIZE, Bank};

/// No file larger than this is read. The largest flash, 2 MiB, takes 6 MB as HEX.
pub const MAX_FILE_SIZE: u64 = 16 * 1024 * 1024;

/// Bank numbers that a file name can hold: two digits.
const NUMBERED: u32 = 100;

/// Why no image could be had from a path. Nothing but reading was done.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("{}: there is no such file{}", path.display(), hint(first_bank.as_deref()))]
    Missing {
        path: PathBuf,
        /// The name a file per bank would start with, where that was looked for.
        first_bank: Option<PathBuf>,
    },
    #[error("{}: this is a directory, not a firmware file", path.display())]
    Directory { path: PathBuf },
    #[error("{}: this is a device or pipe, not a firmware file", path.display())]
    NotAFile { path: PathBuf },
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(
        "{}: {size} bytes are far too many for firmware; the largest flash has 2 MiB",
        path.display()
    )]
    TooLarge { path: PathBuf, size: u64 },
    #[error("{}: {source}", path.display())]
    Content {
        path: PathBuf,
        #[source]
        source: ParseError,
    },
    #[error(
        "both {} and {} are there, one file with all banks and a file per bank: \
         name the one, with /m, or move it away",
        merged.display(),
        first_bank.display()
    )]
    Ambiguous {
        merged: PathBuf,
        first_bank: PathBuf,
    },
    #[error(
        "{}: the file of bank {missing} is missing, but that of bank {later} is there",
        path.display()
    )]
    MissingBank {
        path: PathBuf,
        missing: Bank,
        later: Bank,
    },
    #[error(
        "{}: the file of a bank has 64 KiB (65536 bytes), this one has {found} bytes",
        path.display()
    )]
    BankSize { path: PathBuf, found: usize },
    #[error(
        "{}: this bank is {}, while the first bank is {}",
        path.display(),
        name(*found),
        name(*expected)
    )]
    MixedEncodings {
        path: PathBuf,
        expected: Encoding,
        found: Encoding,
    },
    #[error(
        "{}: the files make {found} banks; a drive's flash has 2, 4, 8, 16 or 32",
        path.display()
    )]
    BankCount { path: PathBuf, found: usize },
}

fn hint(first_bank: Option<&Path>) -> String {
    first_bank
        .map(|path| format!(", nor a file per bank ({})", path.display()))
        .unwrap_or_default()
}

fn name(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Binary => "raw binary",
        Encoding::Hex => "HEX",
    }
}

/// The file of one bank beside `path`: `backup.bin` gives `backup.00.bin`,
/// `backup.01.bin` and so on, `backup` gives `backup.00`.
pub fn bank_path(path: &Path, bank: Bank) -> PathBuf {
    let mut file_name = OsString::from(path.file_stem().unwrap_or_default());
    file_name.push(format!(".{:02}", bank.0));
    if let Some(extension) = path.extension() {
        file_name.push(".");
        file_name.push(extension);
    }
    path.with_file_name(file_name)
}

/// Loads the image that `path` names: that file or, where only those are
/// there, its [`bank_path`] files. The name of the first of several bank files
/// stands for all of them.
///
/// # Errors
/// No file or not one that can be read, content that is no firmware, files per
/// bank that do not make a whole image, or both one file and a file per bank.
pub fn load(path: &Path) -> Result<Image, LoadError> {
    let first_bank = bank_path(path, Bank(0));
    match (path.exists(), first_bank.exists()) {
        (true, true) if !path.is_dir() => Err(LoadError::Ambiguous {
            merged: path.to_owned(),
            first_bank,
        }),
        (false, true) => load_banks(path),
        (true, false) => match named_by_first_bank(path) {
            Some(base) if bank_path(&base, Bank(1)).exists() => load_banks(&base),
            _ => load_merged(path),
        },
        (false, false) | (true, true) => load_merged(path).map_err(|error| match error {
            LoadError::Missing { path, .. } => LoadError::Missing {
                path,
                first_bank: Some(first_bank),
            },
            other => other,
        }),
    }
}

/// `backup.bin` for `backup.00.bin`.
fn named_by_first_bank(path: &Path) -> Option<PathBuf> {
    let stem = Path::new(path.file_stem()?);
    let (base, number, extension) = if stem.extension().is_some_and(|number| number == "00") {
        (stem.file_stem()?, stem.extension()?, path.extension())
    } else {
        (path.file_stem()?, path.extension()?, None)
    };
    if number != "00" {
        return None;
    }
    let mut name = OsString::from(base);
    if let Some(extension) = extension {
        name.push(".");
        name.push(extension);
    }
    Some(path.with_file_name(name))
}

/// Loads one file that holds all banks.
///
/// # Errors
/// No such file or not one that can be read, or content that is no firmware.
pub fn load_merged(path: &Path) -> Result<Image, LoadError> {
    Image::parse(read(path)?).map_err(|source| LoadError::Content {
        path: path.to_owned(),
        source,
    })
}

/// Loads the [`bank_path`] files of `path`.
///
/// # Errors
/// Files that are missing, cannot be read, are not one bank each, are not all
/// of one encoding, or do not make the size of a flash.
pub fn load_banks(path: &Path) -> Result<Image, LoadError> {
    let mut bytes = Vec::new();
    let mut encoding = None;
    let count = count_bank_files(path)?;
    if count > MAX_BANKS {
        return Err(LoadError::BankCount {
            path: path.to_owned(),
            found: count,
        });
    }
    for bank in (0..).take(count.max(1)).map(Bank) {
        let path = bank_path(path, bank);
        let (content, found) = decode(read(&path)?).map_err(|source| LoadError::Content {
            path: path.clone(),
            source,
        })?;
        if content.len() != BANK_SIZE as usize {
            return Err(LoadError::BankSize {
                path,
                found: content.len(),
            });
        }
        let expected = *encoding.get_or_insert(found);
        if found != expected {
            return Err(LoadError::MixedEncodings {
                path,
                expected,
                found,
            });
        }
        bytes.extend(content);
    }
    if !FLASH_SIZES.iter().any(|size| *size as usize == bytes.len()) {
        return Err(LoadError::BankCount {
            path: path.to_owned(),
            found: count,
        });
    }
    Ok(Image {
        bytes,
        format: Format {
            encoding: encoding.unwrap_or(Encoding::Binary),
            arrangement: Arrangement::PerBank,
        },
    })
}

/// How many banks from 0 on have a file.
fn count_bank_files(path: &Path) -> Result<usize, LoadError> {
    let is_there = |bank: &Bank| bank_path(path, *bank).exists();
    let Some(missing) = (0..NUMBERED).map(Bank).find(|bank| !is_there(bank)) else {
        return Ok(NUMBERED as usize);
    };
    match (missing.0..NUMBERED).map(Bank).find(is_there) {
        Some(later) => Err(LoadError::MissingBank {
            path: bank_path(path, missing),
            missing,
            later,
        }),
        None => Ok(missing.0 as usize),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    let unreadable = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => LoadError::Missing {
            path: path.to_owned(),
            first_bank: None,
        },
        _ => LoadError::Unreadable {
            path: path.to_owned(),
            source,
        },
    };
    // Asked before opening: to open a pipe would wait for its writer.
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(LoadError::Directory {
            path: path.to_owned(),
        });
    }
    if !metadata.is_file() {
        return Err(LoadError::NotAFile {
            path: path.to_owned(),
        });
    }
    let too_large = |size| LoadError::TooLarge {
        path: path.to_owned(),
        size,
    };
    if metadata.len() > MAX_FILE_SIZE {
        return Err(too_large(metadata.len()));
    }
    let mut content = Vec::new();
    File::open(path)
        .map_err(unreadable)?
        .take(MAX_FILE_SIZE + 1)
        .read_to_end(&mut content)
        .map_err(unreadable)?;
    // A file can grow, and those of /proc do not tell their size.
    match content.len() as u64 {
        size if size > MAX_FILE_SIZE => Err(too_large(size)),
        _ => Ok(content),
    }
}
