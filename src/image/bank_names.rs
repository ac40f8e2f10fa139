//! The names of files per bank.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::flash::Bank;

/// Bank numbers that a file name can hold: two digits.
pub(super) const NUMBERED: u32 = 100;

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

/// `backup.bin` and 7 for `backup.07.bin`, where other banks of that have files, too.
pub fn bank_of_name(path: &Path) -> Option<(PathBuf, Bank)> {
    let (base, bank) = numbered(path)?;
    let mut others = (0..NUMBERED).map(Bank).filter(|other| *other != bank);
    let is_one = others.any(|other| bank_path(&base, other).exists());
    is_one.then_some((base, bank))
}

/// `backup.bin` and 7 for `backup.07.bin`, whatever else there is.
pub fn numbered(path: &Path) -> Option<(PathBuf, Bank)> {
    let stem = Path::new(path.file_stem()?);
    let number = |text: Option<&OsStr>| text?.to_str()?.parse().ok().map(Bank);
    let (name, bank) = match (path.extension(), number(path.extension())) {
        (_, Some(bank)) => (stem.to_owned(), bank),
        (Some(extension), None) => (stem.with_extension(extension), number(stem.extension())?),
        (None, None) => return None,
    };
    let base = path.with_file_name(name);
    (bank_path(&base, bank) == path).then_some((base, bank))
}
