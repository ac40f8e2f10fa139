//! Where the unfinished changes of this machine's drives are found from any
//! folder.
//!
//! The record beside a backup says that a change was begun and not finished, see
//! [`super::interrupted`]. An entry of the journal is a small file in one fixed
//! place of the machine that holds the absolute path of such a backup.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::backup::Record;
use crate::files::{self, Links, Pending};
use crate::image::Crc32;

/// The longest path that Linux takes, in bytes.
const LONGEST: u64 = 4096;

/// The folders of a machine's journal; none on a machine without.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Journal {
    /// Where entries are written and read.
    pub folder: Option<PathBuf>,
    /// Where entries of root are only read.
    pub others: Vec<PathBuf>,
}

impl Journal {
    /// Enters a backup. Where that cannot be, its record beside it is all that a
    /// later run has to go by.
    pub(super) fn enter(&self, backup: &Path) {
        let (Some(folder), Ok(path)) = (&self.folder, backup.canonicalize()) else {
            return;
        };
        if fs::create_dir_all(folder).is_err() {
            return;
        }
        let mut pending = Pending::new(true);
        let _ = pending
            .add(&entry(folder, &path), |out| {
                out.write_all(path.as_os_str().as_bytes())
            })
            .and_then(|_| pending.commit());
    }

    /// Takes the entry of a backup back.
    pub(super) fn withdraw(&self, backup: &Path) {
        if let (Some(folder), Ok(path)) = (&self.folder, backup.canonicalize()) {
            let _ = fs::remove_file(entry(folder, &path));
        }
    }

    /// The backups entered here, with the records beside them.
    pub(super) fn recorded(&self) -> Vec<(PathBuf, Record)> {
        let folders = self.folder.iter().chain(&self.others);
        let mut backups: Vec<PathBuf> = folders
            .filter_map(|folder| fs::read_dir(folder).ok())
            .flatten()
            .filter_map(|entry| backup_of(&entry.ok()?.path()))
            .collect();
        backups.sort();
        backups.dedup();
        let recorded = |backup: PathBuf| Record::beside(&backup).map(|record| (backup, record));
        backups.into_iter().filter_map(recorded).collect()
    }
}

fn entry(folder: &Path, backup: &Path) -> PathBuf {
    folder.join(format!("{}.path", Crc32::of(backup.as_os_str().as_bytes())))
}

/// The path that an entry holds. Those of other users are not believed, who
/// could send this one to a file of theirs.
fn backup_of(entry: &Path) -> Option<PathBuf> {
    let owner = fs::symlink_metadata(entry).ok()?.uid();
    if owner != 0 && owner != nix::unistd::geteuid().as_raw() {
        return None;
    }
    let path = files::read(entry, LONGEST, Links::Own).ok()?;
    let path = PathBuf::from(OsString::from_vec(path));
    path.is_absolute().then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

    #[test]
    fn what_is_no_entry_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, content: &[u8]| {
            fs::write(folder.path().join(name), content).unwrap();
        };
        put("relative.path", b"backup.bin");
        put("empty.path", b"");
        put("nul.path", b"/tmp/a\0b");
        put("nowhere.path", b"/nowhere/backup.bin");
        put("long.path", &vec![b'/'; LONGEST as usize + 1]);
        fs::create_dir(folder.path().join("folder.path")).unwrap();
        mkfifo(&folder.path().join("pipe.path"), Mode::S_IRWXU).unwrap();
        let journal = Journal {
            folder: Some(folder.path().to_owned()),
            others: Vec::new(),
        };
        assert!(journal.recorded().is_empty());
    }
}
