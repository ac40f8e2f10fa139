//! ZIP archives, also behind a program, with members stored or deflated.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

use ::zip::ZipArchive;
use ::zip::result::ZipError;

use super::{Budget, File, Problem, shown};

/// Members of an archive in the order of its directory.
pub struct Archive<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    doubled: BTreeSet<Vec<u8>>,
}

impl<'a> Archive<'a> {
    /// # Errors
    /// The archive is damaged, or has more entries than the budget.
    pub fn of(bytes: &'a [u8], budget: &mut Budget) -> Result<Archive<'a>, Problem> {
        // Counted before the directory is read: that takes memory for each, and it is
        // read once for every mark of an end until one fits.
        let count = |mark: &[u8], most: usize| {
            let found = memchr::memmem::find_iter(bytes, mark);
            found.take(most + 1).count()
        };
        let entries = count(b"PK\x01\x02", budget.members);
        let ends = count(b"PK\x05\x06", budget.entries);
        let work = entries.max(1).saturating_mul(ends);
        if entries > budget.members || work > budget.entries {
            return Err(Problem::TooLarge);
        }
        budget.entries -= work;
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| Problem::Damaged)?;
        let doubled = doubled(&archive, bytes);
        Ok(Archive { archive, doubled })
    }

    pub fn len(&self) -> usize {
        self.archive.len()
    }

    /// A member by its number, `None` for a folder.
    pub fn file(&mut self, number: usize, budget: &mut Budget) -> Option<File> {
        let name = shown(self.archive.name_for_index(number).unwrap_or("?"));
        let content = match self.archive.by_index(number) {
            Ok(file) if file.is_dir() => return None,
            Ok(file) if self.doubled.contains(file.name_raw()) => Err(Problem::SameNames),
            Ok(file) => budget.unpack(file),
            Err(error) => Err(problem(&error)),
        };
        Some(File { name, content })
    }
}

/// The names that several entries of the directory have which hold different things: of
/// those only the last one is given out, and which is meant nobody can tell.
fn doubled(archive: &ZipArchive<Cursor<&[u8]>>, bytes: &[u8]) -> BTreeSet<Vec<u8>> {
    const HEAD: usize = 46;
    let number = |entry: &[u8], at: usize, length: usize| {
        let digits = entry.get(at..at + length).unwrap_or_default();
        digits
            .iter()
            .rev()
            .fold(0, |number, digit| number << 8 | usize::from(*digit))
    };
    let mut held = BTreeMap::new();
    let mut doubled = BTreeSet::new();
    let mut at = usize::try_from(archive.central_directory_start()).unwrap_or(usize::MAX);
    while let Some(entry) = bytes
        .get(at..)
        .filter(|rest| rest.starts_with(b"PK\x01\x02"))
    {
        let [name, extra, comment] = [28, 30, 32].map(|field| number(entry, field, 2));
        // Its CRC-32 and its size.
        let content = (number(entry, 16, 4), number(entry, 24, 4));
        let name = entry.get(HEAD..HEAD + name).unwrap_or_default();
        if held
            .insert(name, content)
            .is_some_and(|other| other != content)
        {
            doubled.insert(name.to_owned());
        }
        at += HEAD + name.len() + extra + comment;
    }
    doubled
}

fn problem(error: &ZipError) -> Problem {
    match error {
        ZipError::UnsupportedArchive(reason) if *reason == ZipError::PASSWORD_REQUIRED => {
            Problem::Encrypted
        }
        ZipError::UnsupportedArchive(_) => Problem::Method,
        _ => Problem::Damaged,
    }
}
