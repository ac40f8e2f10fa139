//! ZIP archives, also behind a program, with members stored or deflated.

use std::io::Cursor;

use ::zip::ZipArchive;
use ::zip::result::ZipError;

use super::{Budget, File, Problem, shown};

/// Members of an archive in the order of its directory.
pub struct Archive<'a>(ZipArchive<Cursor<&'a [u8]>>);

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
        match entries_told(bytes).is_some_and(|told| told > archive.len()) {
            true => Err(Problem::SameNames),
            false => Ok(Archive(archive)),
        }
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// A member by its number, `None` for a folder.
    pub fn file(&mut self, number: usize, budget: &mut Budget) -> Option<File> {
        let name = shown(self.0.name_for_index(number).unwrap_or("?"));
        let content = match self.0.by_index(number) {
            Ok(file) if file.is_dir() => return None,
            Ok(file) => budget.unpack(file),
            Err(error) => Err(problem(&error)),
        };
        Some(File { name, content })
    }
}

/// How many entries the end of the directory tells of; `None` where that is told
/// elsewhere. Of several by one name only the last one is given out.
fn entries_told(bytes: &[u8]) -> Option<usize> {
    const TOTAL: usize = 10;
    const IN_ZIP64: u16 = u16::MAX;
    let end = memchr::memmem::rfind(bytes, b"PK\x05\x06")?;
    let total = bytes.get(end + TOTAL..end + TOTAL + 2)?;
    let total = u16::from_le_bytes(total.try_into().ok()?);
    (total != IN_ZIP64).then_some(total.into())
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
