//! Files that appear whole or not at all, and together.

mod group;

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use tempfile::{NamedTempFile, PathPersistError, TempPath};

use super::{FileError, Locked, Place};
pub use group::{Waiting, complete};

const PREFIX: &str = ".mtkflash-";
const SUFFIX: &str = ".part";
/// Files that are complete on the disk under other names and get their own
/// names together. Dropped before that, they vanish.
#[derive(Debug, Default)]
pub struct Pending {
    files: Vec<(Staged, Place)>,
    overwrite: bool,
    /// The next run names those that a killed one has not.
    together: bool,
    /// Instead of what the user's umask leaves.
    mode: Option<u32>,
}

impl Pending {
    pub fn new(overwrite: bool) -> Pending {
        Pending {
            files: Vec::new(),
            overwrite,
            together: false,
            mode: None,
        }
    }

    /// Files of which none is worth anything without the others: where this run is killed
    /// between two of their names, the next one in that folder names the rest.
    #[must_use]
    pub fn together(mut self) -> Pending {
        self.together = true;
        self
    }

    /// Files that all may read and only their owner may write, whatever the umask.
    #[must_use]
    pub fn readable_by_all(mut self) -> Pending {
        self.mode = Some(0o644);
        self
    }

    /// Writes a file beside what `path` leads to, and makes sure that it is on
    /// the disk.
    ///
    /// # Errors
    /// An existing file that must not be overwritten, what is no file, a full
    /// disk, a folder that cannot be written to.
    pub fn add(
        &mut self,
        path: &Path,
        content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), FileError> {
        let place = Place::of(path)?;
        place.must_be_free(self.overwrite)?;
        let staged = Staged::in_folder(place.folder());
        let mut staged = staged.map_err(FileError::folder(path, place.folder()))?;
        staged
            .fill(content, self.mode)
            .map_err(FileError::io(path))?;
        self.files.push((staged, place));
        Ok(())
    }

    /// Gives all files their names, or none.
    ///
    /// # Errors
    /// As for [`Pending::add`]. What was there before has its name again then.
    pub fn commit(self) -> Result<(), FileError> {
        // Gone again when all is done, or taken back.
        let _note = match self.together {
            true => group::noted(&self.files),
            false => None,
        };
        let mut named = Vec::new();
        let outcome = self.name_all(&mut named).and_then(|()| sync(&named));
        if outcome.is_err() {
            named.iter_mut().rev().for_each(Named::take_back);
            // Whatever was wrong has been told already.
            let _ = sync(&named);
        }
        outcome
    }

    fn name_all(self, named: &mut Vec<Named>) -> Result<(), FileError> {
        for (staged, place) in self.files {
            let replaced = match self.overwrite {
                true => kept_copy(place.target()),
                false => None,
            };
            let was_there = self.overwrite && place.target().exists();
            staged
                .name(place.target(), self.overwrite)
                .map_err(|error| match error.kind() {
                    ErrorKind::AlreadyExists => FileError::Exists {
                        path: place.named().to_owned(),
                    },
                    _ => FileError::io(place.named())(error),
                })?;
            named.push(Named {
                place,
                was_there,
                replaced,
            });
        }
        Ok(())
    }
}

/// A file that has its name, until all have.
#[derive(Debug)]
struct Named {
    place: Place,
    was_there: bool,
    /// What had the name before, under another; none on file systems without
    /// hard links.
    replaced: Option<TempPath>,
}

impl Named {
    fn take_back(&mut self) {
        let target = self.place.target();
        // Best effort: the error that led here is told, and says what failed.
        let _ = match (self.replaced.take(), self.was_there) {
            (Some(before), _) => before.persist(target).map_err(|error| error.error),
            (None, false) => fs::remove_file(target),
            (None, true) => Ok(()),
        };
    }
}

/// A second name for a file that is about to be replaced.
fn kept_copy(target: &Path) -> Option<TempPath> {
    let link = |path: &Path| fs::hard_link(target, path);
    in_own_name(super::folder_of(target), SUFFIX, link)
        .ok()
        .map(NamedTempFile::into_temp_path)
}

/// Makes sure that all names are on the disk.
fn sync(named: &[Named]) -> Result<(), FileError> {
    let mut done = BTreeSet::new();
    for Named { place, .. } in named {
        if !done.insert(place.folder()) {
            continue;
        }
        let synced = sync_folder(place.folder());
        synced.map_err(FileError::folder(place.named(), place.folder()))?;
    }
    Ok(())
}

/// A name is on the disk only when its folder is.
///
/// # Errors
/// As the disk gives.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    let code = synced.as_ref().err().and_then(io::Error::raw_os_error);
    match code.map(Errno::from_raw) {
        // Not every file system has this for folders.
        Some(Errno::EINVAL | Errno::ENOSYS | Errno::EOPNOTSUPP) => Ok(()),
        _ => synced,
    }
}

/// A file under a name of its own, `.mtkflash-….part`. It is locked while its
/// run lives, so that the next run knows which of them are left over.
#[derive(Debug)]
pub(super) struct Staged {
    file: NamedTempFile,
    /// None on file systems without locks; nothing is swept there.
    _lock: Option<Locked>,
}

impl Staged {
    /// # Errors
    /// Where the folder takes no files.
    pub fn in_folder(folder: &Path) -> io::Result<Staged> {
        Staged::called(folder, SUFFIX)
    }

    fn called(folder: &Path, suffix: &str) -> io::Result<Staged> {
        loop {
            let file = in_own_name(folder, suffix, |path| {
                OpenOptions::new()
                    .read(true)
                    .write(true)
                    .create_new(true)
                    // The user's umask takes away from it what is to be private.
                    .mode(0o666)
                    .open(path)
            })?;
            let lock = match Locked::alone(file.as_file().try_clone()?) {
                Ok(lock) => Some(lock),
                // Another run takes it for one left over, and removes it.
                Err(Errno::EWOULDBLOCK) => continue,
                Err(_) => None,
            };
            if file.as_file().metadata()?.nlink() > 0 {
                return Ok(Staged { file, _lock: lock });
            }
        }
    }

    fn fill(
        &mut self,
        content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
        mode: Option<u32>,
    ) -> io::Result<()> {
        if let Some(mode) = mode {
            let permissions = Permissions::from_mode(mode);
            self.file.as_file().set_permissions(permissions)?;
        }
        let mut writer = BufWriter::new(self.file.as_file_mut());
        content(&mut writer)?;
        writer.flush()?;
        drop(writer);
        self.file.as_file().sync_all()
    }

    fn name(self, target: &Path, overwrite: bool) -> io::Result<()> {
        give_name(self.file.into_temp_path(), target, overwrite).map_err(|error| error.error)
    }
}

fn give_name(part: TempPath, target: &Path, overwrite: bool) -> Result<(), PathPersistError> {
    if overwrite {
        return part.persist(target);
    }
    match part.persist_noclobber(target) {
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Err(error),
        // Some file systems (sshfs) can neither rename without replacing nor make a second
        // name.
        Err(error) if fs::symlink_metadata(target).is_err() => error.path.persist(target),
        named => named,
    }
}

fn in_own_name<T>(
    folder: &Path,
    suffix: &str,
    make: impl FnMut(&Path) -> io::Result<T>,
) -> io::Result<NamedTempFile<T>> {
    tempfile::Builder::new()
        .prefix(PREFIX)
        .suffix(suffix)
        .make_in(folder, make)
        .map_err(|error| match error.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code),
            // tempfile adds the name of its file, which means nothing to a user.
            None => error.kind().into(),
        })
}

/// Names what killed runs of this user have named in part, and removes what else they
/// have left in a folder.
pub(super) fn sweep(folder: &Path) {
    let waiting = complete(folder);
    for part in left_over(folder, SUFFIX) {
        let waits = waiting.iter().any(|one| one.part == part);
        if !waits && held_by_no_run(&part).is_some() {
            // One that stays is in nobody's way.
            let _ = fs::remove_file(part);
        }
    }
}

fn left_over(folder: &Path, suffix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.filter(|path| is_own_name(path, suffix)).collect()
}

fn is_own_name(path: &Path, suffix: &str) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with(PREFIX) && name.ends_with(suffix)
}

/// A file of this user's that no run works on.
fn held_by_no_run(path: &Path) -> Option<Locked> {
    let file = regular(path, true)?;
    let is_mine = file.metadata().ok()?.uid() == nix::unistd::geteuid().as_raw();
    is_mine.then(|| Locked::alone(file).ok())?
}

/// A regular file that is no link.
fn regular(path: &Path, write: bool) -> Option<File> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let mut options = OpenOptions::new();
    options.read(true).write(write).custom_flags(flags.bits());
    let file = options.open(path).ok()?;
    file.metadata().ok()?.is_file().then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    pub fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    pub fn add(pending: &mut Pending, path: PathBuf, content: &str) {
        pending
            .add(&path, |out| out.write_all(content.as_bytes()))
            .unwrap();
    }

    #[test]
    fn files_appear_together_and_nothing_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        let mut pending = Pending::new(false);
        for name in ["a", "b"] {
            add(&mut pending, folder.path().join(name), name);
        }
        assert!(
            names(folder.path())
                .iter()
                .all(|name| name.ends_with(SUFFIX))
        );
        pending.commit().unwrap();
        assert_eq!(names(folder.path()), ["a", "b"]);
        assert_eq!(fs::read(folder.path().join("b")).unwrap(), b"b");
    }

    #[test]
    fn a_name_that_is_taken_meanwhile_takes_back_those_given_already() {
        let folder = tempfile::tempdir().unwrap();
        let mut pending = Pending::new(false);
        for name in ["a", "b", "c"] {
            add(&mut pending, folder.path().join(name), "new");
        }
        fs::write(folder.path().join("b"), "of another program").unwrap();
        let error = pending.commit().unwrap_err();
        assert!(matches!(error, FileError::Exists { .. }), "{error}");
        assert_eq!(names(folder.path()), ["b"]);
        assert_eq!(
            fs::read(folder.path().join("b")).unwrap(),
            b"of another program"
        );
    }

    #[test]
    fn what_was_replaced_is_back_where_the_others_get_no_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name);
        fs::write(path("a"), "old").unwrap();
        let mut pending = Pending::new(true);
        for name in ["a", "b"] {
            add(&mut pending, path(name), "new");
        }
        fs::create_dir(path("b")).unwrap();
        pending.commit().unwrap_err();
        assert_eq!(names(folder.path()), ["a", "b"]);
        assert_eq!(fs::read(path("a")).unwrap(), b"old");
    }

    #[test]
    fn a_file_behind_a_link_is_replaced_and_the_link_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name);
        fs::create_dir(path("nas")).unwrap();
        fs::write(path("nas/kept"), "old").unwrap();
        symlink("nas/kept", path("link")).unwrap();
        symlink("nas/new", path("dangling")).unwrap();
        let mut pending = Pending::new(true);
        add(&mut pending, path("link"), "new");
        add(&mut pending, path("dangling"), "first");
        assert_eq!(names(folder.path()), ["dangling", "link", "nas"]);
        pending.commit().unwrap();
        assert!(path("link").is_symlink());
        assert_eq!(fs::read(path("nas/kept")).unwrap(), b"new");
        assert_eq!(fs::read(path("nas/new")).unwrap(), b"first");
        assert_eq!(names(&path("nas")), ["kept", "new"]);
    }

    #[test]
    fn a_file_has_the_mode_that_every_program_s_have() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name);
        File::create(path("usual")).unwrap();
        let mut pending = Pending::new(false);
        add(&mut pending, path("x"), "");
        pending.commit().unwrap();
        let mode = |name| fs::metadata(path(name)).unwrap().permissions().mode();
        assert_eq!(mode("x"), mode("usual"));
    }

    #[test]
    fn what_no_run_holds_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let held = Staged::in_folder(folder.path()).unwrap();
        fs::write(path(".mtkflash-killed.part"), "left over").unwrap();
        fs::create_dir(path(".mtkflash-folder.part")).unwrap();
        fs::write(path("mine.part"), "").unwrap();
        symlink("mine.part", path(".mtkflash-link.part")).unwrap();
        let name = held.file.path().file_name().unwrap();
        let name = name.to_str().unwrap().to_owned();
        sweep(folder.path());
        let mut expected = [
            ".mtkflash-folder.part",
            ".mtkflash-link.part",
            &name,
            "mine.part",
        ];
        expected.sort_unstable();
        assert_eq!(names(folder.path()), expected);
    }
}
