//! Reading firmware files: one file, or a file per bank.

use std::io;
use std::path::{Path, PathBuf};

use super::bank_names::{NUMBERED, bank_of_name, bank_path};
use super::container::{self, Budget};
use super::entry::{self, NoEntry};
use super::{Arrangement, Encoding, FLASH_SIZES, Image, ParseError, hex::MAX_BANKS};
use crate::files::{self, FileError, Kind, Links, ReadError};
use crate::flash::{BANK_SIZE, Bank};

/// No file larger than this is read: vendors' flashers have up to 20 MiB, and the
/// largest flash, 2 MiB, takes 6 MB as HEX.
pub const MAX_FILE_SIZE: u64 = 32 * 1024 * 1024;

/// A path from which no image could be had. Nothing but reading was done.
#[derive(Debug, thiserror::Error)]
#[error("{self:?}")]
pub struct LoadError {
    pub path: PathBuf,
    pub why: NotLoaded,
}

/// Why no image could be had from a path.
#[derive(Debug, thiserror::Error)]
#[error("{self:?}")]
pub enum NotLoaded {
    Missing {
        /// The name a file per bank would start with, where that was looked for.
        first_bank: Option<PathBuf>,
    },
    Directory,
    NotAFile,
    Unreadable(io::Error),
    TooLarge {
        size: u64,
    },
    Container(NoEntry),
    NoContainer,
    Content(ParseError),
    /// One file is there, and a file per bank.
    Ambiguous {
        first_bank: PathBuf,
    },
    MissingBank {
        missing: Bank,
        later: Bank,
    },
    BankSize {
        found: u32,
    },
    MixedEncodings {
        expected: Encoding,
        found: Encoding,
    },
    BankCount {
        found: usize,
    },
}

impl NotLoaded {
    fn of(self, path: &Path) -> LoadError {
        LoadError {
            path: path.to_owned(),
            why: self,
        }
    }
}

/// Makes sure that one file for all banks and a file per bank do not get one name.
///
/// # Errors
/// [`FileError::OtherForm`].
pub fn must_be_its_only_form(path: &Path, arrangement: Arrangement) -> Result<(), FileError> {
    let there = match arrangement {
        Arrangement::Merged => bank_path(path, Bank(0)),
        Arrangement::PerBank => path.to_owned(),
    };
    match there.is_file() {
        true => Err(FileError::OtherForm {
            path: path.to_owned(),
            there,
        }),
        false => Ok(()),
    }
}

/// Makes sure that a dump or image can be found again by `path`, when it is in one file
/// there or in one for each of these banks.
///
/// # Errors
/// [`FileError::OtherForm`] and, where more banks would be read than are written,
/// [`FileError::OtherBank`].
pub fn must_be_found_by(
    path: &Path,
    arrangement: Arrangement,
    banks: &[Bank],
) -> Result<(), FileError> {
    must_be_its_only_form(path, arrangement)?;
    let others = match arrangement {
        Arrangement::Merged => 0..0,
        Arrangement::PerBank => 0..NUMBERED,
    };
    let others = others.map(Bank).filter(|bank| !banks.contains(bank));
    let mut others = others.map(|bank| bank_path(path, bank));
    match others.find(|file| file.exists()) {
        Some(there) => Err(FileError::OtherBank {
            path: path.to_owned(),
            there,
        }),
        None => Ok(()),
    }
}

/// Loads the image that `path` names: that file or, where only those are
/// there, its [`bank_path`] files. The name of the first of several bank files
/// stands for all of them.
///
/// # Errors
/// No file or not one that can be read, content that is no firmware, files per
/// bank that do not make a whole image, or both one file and a file per bank.
pub fn load(path: &Path, entry: Option<&str>) -> Result<Image, LoadError> {
    let first_bank = bank_path(path, Bank(0));
    match (path.exists(), first_bank.exists()) {
        (true, true) if !path.is_dir() => Err(NotLoaded::Ambiguous { first_bank }.of(path)),
        (false, true) => load_banks(path),
        (true, false) => match base_of_banks(path) {
            Some(base) => load_banks(&base),
            None => load_merged(path, entry),
        },
        (false, false) | (true, true) => load_merged(path, entry).map_err(|mut error| {
            if let NotLoaded::Missing { first_bank: found } = &mut error.why {
                *found = Some(first_bank);
            }
            error
        }),
    }
}

/// `backup.bin` for `backup.00.bin`, where that is the first of several bank files and
/// no image by itself.
pub fn base_of_banks(path: &Path) -> Option<PathBuf> {
    let (base, bank) = bank_of_name(path)?;
    let is_first = bank == Bank(0) && bank_path(&base, Bank(1)).exists();
    let is_whole = |image: &Image| FLASH_SIZES.contains(&image.size());
    let is_part = is_first && !load_part(path, None).is_ok_and(|image| is_whole(&image));
    is_part.then_some(base)
}

/// Loads one file that holds all banks, or the image in a container that `entry`
/// names.
///
/// # Errors
/// No such file or not one that can be read, or content that is no firmware.
pub fn load_merged(path: &Path, entry: Option<&str>) -> Result<Image, LoadError> {
    parse(path, entry, Image::parse)
}

/// Loads one file that may hold a part of a flash only, of whatever size.
///
/// # Errors
/// As [`load_merged`], but for the size.
pub fn load_part(path: &Path, entry: Option<&str>) -> Result<Image, LoadError> {
    parse(path, entry, Image::parse_part)
}

/// The image in a file that is a container or, by `parse`, an image itself.
fn parse(
    path: &Path,
    entry: Option<&str>,
    parse: impl FnOnce(Vec<u8>) -> Result<Image, ParseError>,
) -> Result<Image, LoadError> {
    let content = read(path)?;
    match (container::search(&content, Budget::default()), entry) {
        (Some(contents), _) => entry::choose(contents, entry).map_err(NotLoaded::Container),
        (None, Some(_)) => Err(NotLoaded::NoContainer),
        (None, None) => parse(content).map_err(NotLoaded::Content),
    }
    .map_err(|why| why.of(path))
}

/// Loads the [`bank_path`] files of `path`.
///
/// # Errors
/// Files that are missing, cannot be read, are not one bank each, are not all
/// of one encoding, or do not make the size of a flash.
pub fn load_banks(path: &Path) -> Result<Image, LoadError> {
    let count = count_bank_files(path)?;
    let bank_count = || NotLoaded::BankCount { found: count }.of(path);
    if count > MAX_BANKS {
        return Err(bank_count());
    }
    let banks: Vec<Bank> = (0..).take(count.max(1)).map(Bank).collect();
    let image = load_these_banks(path, &banks)?;
    if !FLASH_SIZES.contains(&image.size()) {
        return Err(bank_count());
    }
    Ok(image.unwrapped())
}

/// Loads the [`bank_path`] files of these banks, in their order.
///
/// # Errors
/// As [`load_banks`], but for the size.
pub fn load_these_banks(path: &Path, banks: &[Bank]) -> Result<Image, LoadError> {
    let mut image = Image::from_bytes(Vec::new());
    for bank in banks {
        let path = bank_path(path, *bank);
        let of_bank = load_part(&path, None)?;
        if of_bank.size() != BANK_SIZE {
            let found = of_bank.size();
            return Err(NotLoaded::BankSize { found }.of(&path));
        }
        let found = of_bank.format.encoding;
        if image.bytes.is_empty() {
            image.format.encoding = found;
        }
        let expected = image.format.encoding;
        if found != expected {
            return Err(NotLoaded::MixedEncodings { expected, found }.of(&path));
        }
        image.append(of_bank);
    }
    image.format.arrangement = Arrangement::PerBank;
    Ok(image)
}

/// How many banks from 0 on have a file.
fn count_bank_files(path: &Path) -> Result<usize, LoadError> {
    let is_there = |bank: &Bank| bank_path(path, *bank).exists();
    let Some(missing) = (0..NUMBERED).map(Bank).find(|bank| !is_there(bank)) else {
        return Ok(NUMBERED as usize);
    };
    match (missing.0..NUMBERED).map(Bank).find(is_there) {
        Some(later) => Err(NotLoaded::MissingBank { missing, later }.of(&bank_path(path, missing))),
        None => Ok(missing.0 as usize),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    files::read(path, MAX_FILE_SIZE, Links::Followed).map_err(|error| {
        match error {
            error if error.is_missing() => NotLoaded::Missing { first_bank: None },
            ReadError::NotAFile(Kind::Folder) => NotLoaded::Directory,
            ReadError::NotAFile(_) => NotLoaded::NotAFile,
            ReadError::TooLarge { size, .. } => NotLoaded::TooLarge { size },
            other => NotLoaded::Unreadable(other.into()),
        }
        .of(path)
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::noise;
    use super::super::{Encoding, write};
    use super::*;
    use crate::cli::words::InWords;
    use std::fs::{self, File};
    use tempfile::TempDir;

    struct Folder(TempDir);

    impl Folder {
        fn new() -> Folder {
            Folder(TempDir::new().unwrap())
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn with(self, name: &str, content: &[u8]) -> Folder {
            fs::write(self.path(name), content).unwrap();
            self
        }

        fn with_banks(self, name: &str, bytes: &[u8], encoding: Encoding) -> Folder {
            for (bank, bytes) in super::super::banks_of(bytes) {
                let mut content = Vec::new();
                write(bytes, encoding, &mut content).unwrap();
                fs::write(bank_path(&self.path(name), bank), content).unwrap();
            }
            self
        }

        /// The message, with the folder's own name cut out.
        fn refusal(&self, name: &str) -> String {
            let message = load(&self.path(name), None).unwrap_err().in_words();
            message.replace(&format!("{}/", self.0.path().display()), "")
        }
    }

    #[test]
    fn bank_files_are_numbered_before_the_extension() {
        for (path, bank, expected) in [
            ("backup.bin", 0, "backup.00.bin"),
            ("a/backup.bin", 15, "a/backup.15.bin"),
            ("BYS1.HEX", 1, "BYS1.01.HEX"),
            ("backup", 31, "backup.31"),
            ("my.old.bin", 7, "my.old.07.bin"),
        ] {
            assert_eq!(bank_path(Path::new(path), Bank(bank)), Path::new(expected));
        }
    }

    #[test]
    fn one_file_is_an_image() {
        let bytes = noise(0x4_0000);
        let folder = Folder::new().with("a.bin", &bytes);
        let image = load(&folder.path("a.bin"), None).unwrap();
        assert_eq!(image.bytes(), bytes);
        assert_eq!(image.format().to_string(), "raw binary");
    }

    #[test]
    fn a_file_per_bank_is_one_image_by_either_name() {
        let bytes = noise(0x4_0000);
        for (encoding, format) in [
            (Encoding::Binary, "raw binary, one file per bank"),
            (Encoding::Hex, "HEX, one file per bank"),
        ] {
            for name in ["a.bin", "a"] {
                let folder = Folder::new().with_banks(name, &bytes, encoding);
                let first = bank_path(&folder.path(name), Bank(0));
                for path in [folder.path(name), first] {
                    let image = load(&path, None).unwrap();
                    assert!(image.bytes() == bytes);
                    assert_eq!(image.format().to_string(), format);
                }
            }
        }
    }

    #[test]
    fn the_first_bank_alone_is_not_taken_for_an_image() {
        let folder = Folder::new().with("a.00.bin", &noise(0x1_0000));
        assert_eq!(
            folder.refusal("a.bin"),
            "a.bin: the files make 1 bank; a drive's flash has 2, 4, 8, 16 or 32"
        );
        // By its own name it is a file like any other; its size is for the checks.
        assert_eq!(
            load(&folder.path("a.00.bin"), None).unwrap().size(),
            0x1_0000
        );
    }

    #[test]
    fn a_merged_image_may_have_a_number_in_its_name() {
        let folder = Folder::new().with("v1.00.bin", &noise(0x4_0000));
        assert_eq!(
            load(&folder.path("v1.00.bin"), None).unwrap().size(),
            0x4_0000
        );
    }

    #[test]
    fn a_set_of_bank_files_must_be_whole() {
        let bytes = noise(0x4_0000);
        let set = || Folder::new().with_banks("a.bin", &bytes, Encoding::Binary);

        let folder = set();
        fs::remove_file(folder.path("a.02.bin")).unwrap();
        assert_eq!(
            folder.refusal("a.bin"),
            "a.02.bin: the file of bank 2 is missing, but that of bank 3 is there"
        );

        let folder = set();
        fs::remove_file(folder.path("a.03.bin")).unwrap();
        assert_eq!(
            folder.refusal("a.bin"),
            "a.bin: the files make 3 banks; a drive's flash has 2, 4, 8, 16 or 32"
        );

        assert_eq!(
            set().with("a.01.bin", &bytes[..0xffff]).refusal("a.bin"),
            "a.01.bin: the file of a bank has 64 KiB (65536 bytes), this one has 65535 bytes"
        );
        assert_eq!(
            set().with("a.01.bin", b":00000001FF\n").refusal("a.bin"),
            "a.01.bin: this bank is HEX, while the first bank is raw binary"
        );
        assert_eq!(
            set().with("a.01.bin", b"").refusal("a.bin"),
            "a.01.bin: the file is empty"
        );
        let too_many = Folder::new().with_banks("a.bin", &noise(0x21_0000), Encoding::Binary);
        assert_eq!(
            too_many.refusal("a.bin"),
            "a.bin: the files make 33 banks; a drive's flash has 2, 4, 8, 16 or 32"
        );
    }

    #[test]
    fn an_image_that_is_there_in_both_forms_is_a_question() {
        let bytes = noise(0x4_0000);
        let folder = Folder::new()
            .with_banks("a.bin", &bytes[..0x2_0000], Encoding::Binary)
            .with("a.bin", &bytes);
        assert_eq!(
            folder.refusal("a.bin"),
            "both a.bin and a.00.bin are there, one file with all banks and a file per bank: \
             name the one, with /m, or move it away"
        );
        assert_eq!(
            load_merged(&folder.path("a.bin"), None).unwrap().size(),
            0x4_0000
        );
        assert_eq!(load_banks(&folder.path("a.bin")).unwrap().size(), 0x2_0000);
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let folder = Folder::new()
            .with("a.txt", b"some words\nmore")
            .with("empty", b"");
        fs::create_dir(folder.path("dir.bin")).unwrap();
        File::create(folder.path("huge.bin"))
            .and_then(|file| file.set_len(MAX_FILE_SIZE + 1))
            .unwrap();
        for (name, message) in [
            (
                "none.bin",
                "none.bin: there is no such file, nor a file per bank (none.00.bin)",
            ),
            (
                "dir.bin",
                "dir.bin: this is a directory, not a firmware file",
            ),
            ("empty", "empty: the file is empty"),
            (
                "huge.bin",
                "huge.bin: 33554433 bytes are far too many for firmware; \
                 the largest flash has 2 MiB",
            ),
            (
                "a.txt",
                "a.txt: this is a text file, not firmware: it begins with \"some words\" \
                 (a HEX file has a colon and hex digits on every line)",
            ),
            (
                "a.txt/b.bin",
                "a.txt/b.bin: cannot be read: Not a directory (os error 20)",
            ),
        ] {
            assert_eq!(folder.refusal(name), message);
        }
        let why = |path: &str| load(Path::new(path), None).unwrap_err().why;
        assert!(matches!(why("/dev/zero"), NotLoaded::NotAFile));
        // A file of /proc that opens and then fails to be read.
        assert!(matches!(why("/proc/self/mem"), NotLoaded::Unreadable(_)));
    }
}
