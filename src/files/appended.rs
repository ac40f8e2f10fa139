//! A text file that runs add to, one after the other and side by side.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use super::read::is_own;
use super::{FileError, Kind, Locked, Place, folder_of};

/// What such files are like.
#[derive(Debug, Clone, Copy)]
pub struct Habits {
    /// The beginning of each: a file that begins otherwise is somebody's and is
    /// not touched.
    pub magic: &'static str,
    /// Bytes from which on a file gets the name of its predecessor, which goes,
    /// and a new one is begun; `None` for a file that stays.
    pub rotated_from: Option<u64>,
}

/// A file open for adding. Each [`add`](Appended::add) is one write to the end of
/// the file, so that the lines of two runs do not get into each other.
#[derive(Debug)]
pub struct Appended {
    file: File,
}

impl Appended {
    /// Opens or makes a file that only its user reads, and the folders to it
    /// where `makes_folders`.
    ///
    /// # Errors
    /// As [`Place::of`]; [`FileError::Link`] also for a link, and
    /// [`FileError::Exists`] for a file that is another user's, has a second name
    /// or begins otherwise.
    pub fn open(path: &Path, makes_folders: bool, habits: Habits) -> Result<Appended, FileError> {
        if makes_folders {
            let mut builder = DirBuilder::new();
            let made = builder.recursive(true).mode(0o700).create(folder_of(path));
            made.map_err(FileError::folder(path, folder_of(path)))?;
        }
        let mut file = open(path, habits)?;
        if let Some(limit) = habits.rotated_from {
            if file.metadata().map_err(FileError::io(path))?.len() >= limit {
                rotate(path, file).map_err(FileError::io(&predecessor(path)))?;
                file = open(path, habits)?;
            }
        }
        Ok(Appended { file })
    }

    /// Whether nothing was in it.
    ///
    /// # Errors
    /// As the disk gives.
    pub fn is_empty(&self) -> io::Result<bool> {
        Ok(self.file.metadata()?.len() == 0)
    }

    /// Adds whole lines.
    ///
    /// # Errors
    /// As the disk gives.
    pub fn add(&mut self, lines: &str) -> io::Result<()> {
        self.file.write_all(lines.as_bytes())
    }

    /// Waits until all of it is on the disk.
    ///
    /// # Errors
    /// As the disk gives.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// `x.log` → `x.log.1`.
pub fn predecessor(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".1");
    path.with_file_name(name)
}

/// Two runs may come to this at once: one moves the file, the other goes on with
/// what it finds.
fn rotate(path: &Path, file: File) -> io::Result<()> {
    let Ok(locked) = Locked::alone(file) else {
        return Ok(());
    };
    let mine = locked.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(there) if (there.dev(), there.ino()) == (mine.dev(), mine.ino()) => {
            fs::rename(path, predecessor(path))
        }
        _ => Ok(()),
    }
}

fn open(path: &Path, habits: Habits) -> Result<File, FileError> {
    let place = Place::of(path)?;
    let owned = |path: &Path| is_own(folder_of(path));
    let is_link = fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
    if is_link && !owned(path) {
        return Err(FileError::Link {
            path: path.to_owned(),
        });
    }
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(flags.bits())
        .open(place.target())
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => FileError::folder(path, folder_of(path))(error),
            _ => FileError::io(path)(error),
        })?;
    let found = file.metadata().map_err(FileError::io(path))?;
    if let Some(kind) = Kind::of(&found) {
        return Err(FileError::NotAFile {
            path: path.to_owned(),
            kind,
        });
    }
    let is_mine = found.uid() == nix::unistd::geteuid().as_raw() || owned(place.target());
    if !is_mine || found.nlink() != 1 || !begins_with(&file, habits.magic) {
        return Err(FileError::Exists {
            path: path.to_owned(),
        });
    }
    Ok(file)
}

/// Whether a file is empty or begins so.
fn begins_with(file: &File, magic: &str) -> bool {
    let mut beginning = vec![0; magic.len()];
    let mut at = 0;
    while let Some(rest) = beginning.get_mut(at..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, at as u64) {
            Ok(0) => break,
            Ok(read) => at += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
    at == 0 || beginning == magic.as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    const HABITS: Habits = Habits {
        magic: "log of a test",
        rotated_from: Some(100),
    };

    struct Scratch(tempfile::TempDir);

    impl Scratch {
        fn new() -> Scratch {
            Scratch(tempfile::tempdir().unwrap())
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn text(&self, name: &str) -> String {
            fs::read_to_string(self.path(name)).unwrap()
        }

        fn add(&self, name: &str, lines: &str) -> Result<(), FileError> {
            let mut file = Appended::open(&self.path(name), true, HABITS)?;
            file.add(lines).map_err(FileError::io(&self.path(name)))
        }
    }

    #[test]
    fn each_run_adds_to_the_file_and_makes_it_and_its_folders_for_itself_alone() {
        let scratch = Scratch::new();
        scratch.add("state/new/x", "log of a test\n").unwrap();
        scratch.add("state/new/x", "more\n").unwrap();
        assert_eq!(scratch.text("state/new/x"), "log of a test\nmore\n");
        let mode = |name| fs::metadata(scratch.path(name)).unwrap().mode() & 0o777;
        assert_eq!(mode("state/new/x"), 0o600);
        assert_eq!(mode("state/new"), 0o700);
    }

    #[test]
    fn a_file_that_has_grown_long_gets_another_name_and_one_old_one_is_kept() {
        let scratch = Scratch::new();
        for round in 0..4 {
            let line = format!("log of a test {round} {}\n", "-".repeat(100));
            scratch.add("x", &line).unwrap();
        }
        assert!(scratch.text("x").starts_with("log of a test 3"));
        assert!(scratch.text("x.1").starts_with("log of a test 2"));
        assert_eq!(fs::read_dir(scratch.0.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_run_that_has_it_open_meanwhile_loses_nothing() {
        let scratch = Scratch::new();
        let path = scratch.path("x");
        let mut first = Appended::open(&path, true, HABITS).unwrap();
        first
            .add(&format!("log of a test {}\n", "-".repeat(100)))
            .unwrap();
        let mut second = Appended::open(&path, true, HABITS).unwrap();
        second.add("log of a test, second\n").unwrap();
        first.add("end of the first\n").unwrap();
        assert!(scratch.text("x.1").ends_with("end of the first\n"));
        assert_eq!(scratch.text("x"), "log of a test, second\n");
    }

    #[test]
    fn a_file_of_anything_else_is_left_alone() {
        let scratch = Scratch::new();
        fs::write(scratch.path("backup.bin"), "firmware").unwrap();
        let error = scratch.add("backup.bin", "more").unwrap_err();
        assert!(matches!(error, FileError::Exists { .. }), "{error}");
        assert_eq!(scratch.text("backup.bin"), "firmware");
        fs::write(scratch.path("empty"), "").unwrap();
        scratch.add("empty", "log of a test").unwrap();
    }

    #[test]
    fn what_is_no_file_is_not_opened() {
        let scratch = Scratch::new();
        nix::unistd::mkfifo(&scratch.path("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        symlink("/dev/null", scratch.path("null")).unwrap();
        for name in [
            "pipe",
            "null",
            ".",
            "/dev/null",
            "/proc/self/log",
            "/dev/x.log",
        ] {
            let error = scratch.add(name, "").unwrap_err();
            assert!(
                matches!(error, FileError::NotAFile { .. }),
                "{name}: {error:?}"
            );
        }
    }

    #[test]
    fn where_others_make_names_no_link_is_followed_and_no_second_name_taken() {
        let scratch = Scratch::new();
        fs::write(scratch.path("mine"), "").unwrap();
        symlink("mine", scratch.path("link")).unwrap();
        scratch.add("link", "log of a test\n").unwrap();
        fs::set_permissions(scratch.0.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let error = scratch.add("link", "more").unwrap_err();
        assert!(matches!(error, FileError::Link { .. }), "{error:?}");
        scratch.add("mine", "more").unwrap();
        fs::hard_link(scratch.path("mine"), scratch.path("second")).unwrap();
        let error = scratch.add("second", "more").unwrap_err();
        assert!(matches!(error, FileError::Exists { .. }), "{error:?}");
    }
}
