//! Where the file of an output path is made.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::pending::{Staged, sweep};
use super::read::is_own;
use super::{FileError, Kind};

/// Where nothing is a file that somebody wants to keep, whatever it looks like:
/// `/dev/stdout` leads to an ordinary file where the output is sent into one.
const OF_THE_KERNEL: [&str; 3] = ["/dev", "/proc", "/sys"];

/// An ordinary folder in memory that stands below one of them.
const IN_MEMORY: &str = "/dev/shm";

/// As many links behind each other as Linux follows.
const LINKS: usize = 40;

/// What an output path leads to, behind all links: a regular file, or a name in
/// a folder that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    named: PathBuf,
    target: PathBuf,
    is_taken: bool,
}

impl Place {
    /// # Errors
    /// [`FileError::NotAFile`] for what a file must never replace,
    /// [`FileError::Folder`] where its folder is not there, and
    /// [`FileError::NameTooLong`].
    pub fn of(path: &Path) -> Result<Place, FileError> {
        let mut target = path.to_owned();
        for _ in 0..LINKS {
            let folder = real_folder(path, &target)?;
            let not_a_file = |kind| FileError::NotAFile {
                path: path.to_owned(),
                kind,
            };
            if is_of_the_kernel(&folder) {
                return Err(not_a_file(Kind::Kernel));
            }
            let name = target.file_name().ok_or(not_a_file(Kind::Folder))?;
            let here = folder.join(name);
            let found = match fs::symlink_metadata(&here) {
                Ok(found) => found,
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    return Place::free(path, &target, here);
                }
                Err(error) => return Err(unusable(path, &folder, error)),
            };
            if !found.is_symlink() {
                return match Kind::of(&found) {
                    Some(kind) => Err(not_a_file(kind)),
                    None => Ok(Place::at(path, here, true)),
                };
            }
            if !is_trusted(&found, &folder) {
                return Err(FileError::Link {
                    path: path.to_owned(),
                });
            }
            target = folder.join(fs::read_link(&here).map_err(FileError::io(path))?);
        }
        Err(FileError::io(path)(Errno::ELOOP.into()))
    }

    fn at(named: &Path, target: PathBuf, is_taken: bool) -> Place {
        Place {
            named: named.to_owned(),
            target,
            is_taken,
        }
    }

    /// A name that ends in a slash is that of a folder, and there is none.
    fn free(named: &Path, target: &Path, here: PathBuf) -> Result<Place, FileError> {
        match target.as_os_str().as_bytes().ends_with(b"/") {
            true => Err(FileError::folder(named, target)(ErrorKind::NotFound.into())),
            false => Ok(Place::at(named, here, false)),
        }
    }

    /// As the user calls it.
    pub fn named(&self) -> &Path {
        &self.named
    }

    /// Absolute, without links.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// The folder in which the file is made.
    pub fn folder(&self) -> &Path {
        folder_of(&self.target)
    }

    /// # Errors
    /// [`FileError::Exists`] for a file that must not be overwritten, and where
    /// it is another user's and cannot be.
    pub fn must_be_free(&self, overwrite: bool) -> Result<(), FileError> {
        match self.is_taken {
            true if !overwrite => Err(FileError::Exists {
                path: self.named.clone(),
            }),
            true if !may_be_replaced(&self.target) => {
                Err(FileError::io(&self.named)(Errno::EACCES.into()))
            }
            _ => Ok(()),
        }
    }
}

/// Whether a path names a folder: there is one, or it ends in a slash.
pub fn is_folder(path: &Path) -> bool {
    path.is_dir() || path.as_os_str().as_bytes().ends_with(b"/")
}

/// Tries whether files of these names can be made: what each leads to, whether
/// it is free, how long its name is, and whether its folder takes files. What
/// killed runs have left in those folders is named or removed.
///
/// # Errors
/// The first name that is no good.
pub fn must_be_makeable(paths: &[PathBuf], overwrite: bool) -> Result<(), FileError> {
    let folders: BTreeSet<&Path> = paths.iter().map(|path| folder_of(path)).collect();
    folders.into_iter().for_each(sweep);
    let mut tried: Vec<PathBuf> = Vec::new();
    for path in paths {
        let place = Place::of(path)?;
        place.must_be_free(overwrite)?;
        let folder = place.folder().to_owned();
        if !tried.contains(&folder) {
            must_take_files(path, &folder)?;
            tried.push(folder);
        }
    }
    Ok(())
}

/// Whether a file whose name follows from another's would take the place of what a
/// link leads to.
///
/// # Errors
/// [`FileError::Companion`].
pub fn must_be_no_link(path: &Path) -> Result<(), FileError> {
    match fs::read_link(path) {
        Ok(target) => Err(FileError::Companion {
            path: path.to_owned(),
            target: folder_of(path).join(target),
        }),
        Err(_) => Ok(()),
    }
}

/// What a path leads to, if it is a link that may be followed; else the path itself.
pub fn behind_links(path: &Path) -> PathBuf {
    let leads_on = fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
    let place = leads_on.then(|| Place::of(path).ok()).flatten();
    place.map_or_else(|| path.to_owned(), |place| place.target)
}

/// Compares what the names lead to: a file has many of them.
///
/// # Errors
/// [`FileError::Input`] for the first output that is one of the inputs.
pub fn must_not_replace(outputs: &[PathBuf], inputs: &[PathBuf]) -> Result<(), FileError> {
    let file = |path: &Path| {
        let found = fs::metadata(path).ok()?;
        Some((found.dev(), found.ino()))
    };
    for path in outputs {
        let Some(output) = file(path) else { continue };
        if let Some(input) = inputs.iter().find(|input| file(input) == Some(output)) {
            return Err(FileError::Input {
                path: path.clone(),
                input: input.clone(),
            });
        }
    }
    Ok(())
}

/// Tries whether a file can be made beside `path`, whose own name is not known
/// yet.
///
/// # Errors
/// [`FileError::Folder`].
pub fn folder_must_take_files(path: &Path) -> Result<(), FileError> {
    must_take_files(path, &real_folder(path, path)?)
}

/// By making one and removing it. A new name is on the disk only when its
/// folder is, so the folder must be there to be opened.
fn must_take_files(path: &Path, folder: &Path) -> Result<(), FileError> {
    sweep(folder);
    Staged::in_folder(folder)
        .and_then(|_| File::open(folder))
        .map(drop)
        .map_err(FileError::folder(path, folder))
}

fn is_of_the_kernel(folder: &Path) -> bool {
    OF_THE_KERNEL.iter().any(|root| folder.starts_with(root)) && !folder.starts_with(IN_MEMORY)
}

/// The folder of a path as it was typed, `.` where it names none.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Absolute and without links.
fn real_folder(named: &Path, target: &Path) -> Result<PathBuf, FileError> {
    let folder = folder_of(target);
    let found = folder
        .canonicalize()
        .map_err(FileError::folder(named, folder))?;
    // A path can be too long to be asked for.
    let kind = fs::metadata(&found).map_err(FileError::folder(named, folder))?;
    match kind.is_dir() {
        true => Ok(found),
        false => Err(FileError::folder(named, folder)(Errno::ENOTDIR.into())),
    }
}

fn unusable(path: &Path, folder: &Path, error: io::Error) -> FileError {
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ENAMETOOLONG) => FileError::NameTooLong {
            path: path.to_owned(),
        },
        _ => FileError::folder(path, folder)(error),
    }
}

/// As Linux does with `protected_symlinks`: where all may make names, a link is
/// followed that is of this user or of the folder's owner.
fn is_trusted(link: &fs::Metadata, folder: &Path) -> bool {
    let is_owners = fs::metadata(folder).is_ok_and(|folder| folder.uid() == link.uid());
    is_owners || link.uid() == nix::unistd::geteuid().as_raw() || is_own(folder)
}

/// In a folder such as `/tmp` only its owner, or that of the folder, replaces a
/// file.
fn may_be_replaced(path: &Path) -> bool {
    const STICKY: u32 = 0o1000;
    let me = nix::unistd::geteuid();
    let (Ok(folder), Ok(file)) = (fs::metadata(folder_of(path)), fs::metadata(path)) else {
        return true;
    };
    me.is_root() || folder.mode() & STICKY == 0 || [folder.uid(), file.uid()].contains(&me.as_raw())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    struct Scratch(tempfile::TempDir);

    impl Scratch {
        fn new() -> Scratch {
            Scratch(tempfile::tempdir().unwrap())
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().canonicalize().unwrap().join(name)
        }

        fn error(&self, name: &str) -> FileError {
            Place::of(&self.path(name)).unwrap_err()
        }
    }

    #[test]
    fn a_link_leads_to_the_file_behind_it() {
        let scratch = Scratch::new();
        fs::create_dir(scratch.path("nas")).unwrap();
        fs::write(scratch.path("nas/old"), "old").unwrap();
        symlink("nas/old", scratch.path("link")).unwrap();
        symlink("link", scratch.path("again")).unwrap();
        symlink("nas/new", scratch.path("dangling")).unwrap();
        let place = Place::of(&scratch.path("again")).unwrap();
        assert_eq!(place.target(), scratch.path("nas/old"));
        assert_eq!(place.named(), scratch.path("again"));
        assert!(place.is_taken);
        let place = Place::of(&scratch.path("dangling")).unwrap();
        assert_eq!(place.target(), scratch.path("nas/new"));
        assert!(!place.is_taken);
    }

    #[test]
    fn a_link_into_no_folder_names_the_folder() {
        let scratch = Scratch::new();
        symlink("gone/new", scratch.path("dangling")).unwrap();
        let error = scratch.error("dangling");
        assert!(
            matches!(&error, FileError::Folder { folder, .. } if *folder == scratch.path("gone")),
            "{error:?}"
        );
    }

    #[test]
    fn links_in_a_circle_lead_nowhere() {
        let scratch = Scratch::new();
        symlink("b", scratch.path("a")).unwrap();
        symlink("a", scratch.path("b")).unwrap();
        assert!(matches!(scratch.error("a"), FileError::Io { .. }));
    }

    #[test]
    fn what_is_of_the_kernel_is_no_file_by_whatever_way_it_is_reached() {
        let scratch = Scratch::new();
        symlink("/dev/null", scratch.path("null")).unwrap();
        symlink("/proc/self/fd/1", scratch.path("stdout")).unwrap();
        symlink("/dev", scratch.path("folder")).unwrap();
        let inside = ["null", "stdout", "folder/new"].map(|name| scratch.path(name));
        let named = [
            "/dev/stdout",
            "/dev/stdout.00",
            "/dev/fd/1",
            "/dev/new",
            "/proc/self/x",
        ];
        for path in inside.into_iter().chain(named.map(PathBuf::from)) {
            let error = Place::of(&path).unwrap_err();
            assert!(
                matches!(
                    error,
                    FileError::NotAFile {
                        kind: Kind::Kernel,
                        ..
                    }
                ),
                "{error:?}"
            );
        }
    }

    #[test]
    fn a_folder_a_pipe_and_a_socket_are_no_files() {
        let scratch = Scratch::new();
        nix::unistd::mkfifo(&scratch.path("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(scratch.path("socket")).unwrap();
        symlink("pipe", scratch.path("link")).unwrap();
        for (name, expected) in [
            ("", Kind::Folder),
            (".", Kind::Folder),
            ("..", Kind::Folder),
            ("pipe", Kind::Pipe),
            ("link", Kind::Pipe),
            ("socket", Kind::Socket),
        ] {
            let error = scratch.error(name);
            assert!(
                matches!(error, FileError::NotAFile { kind, .. } if kind == expected),
                "{name}: {error:?}"
            );
        }
    }

    #[test]
    fn a_folder_that_is_not_there_or_is_a_file_is_named() {
        let scratch = Scratch::new();
        fs::write(scratch.path("file"), "").unwrap();
        for (name, expected) in [
            ("none/x", scratch.path("none")),
            ("file/x", scratch.path("file")),
            ("none/", scratch.path("none/")),
        ] {
            let error = scratch.error(name);
            assert!(
                matches!(&error, FileError::Folder { folder, .. } if *folder == expected),
                "{name}: {error:?}"
            );
        }
    }

    #[test]
    fn a_name_that_is_too_long_is_said_to_be() {
        let scratch = Scratch::new();
        assert!(Place::of(&scratch.path(&"a".repeat(255))).is_ok());
        let error = scratch.error(&"a".repeat(256));
        assert!(matches!(error, FileError::NameTooLong { .. }), "{error:?}");
    }

    #[test]
    fn an_output_that_is_an_input_is_found_by_whatever_name() {
        let scratch = Scratch::new();
        fs::create_dir(scratch.path("folder")).unwrap();
        fs::write(scratch.path("image"), "image").unwrap();
        fs::write(scratch.path("equal"), "image").unwrap();
        symlink("image", scratch.path("link")).unwrap();
        symlink("link", scratch.path("again")).unwrap();
        fs::hard_link(scratch.path("image"), scratch.path("hard")).unwrap();
        let not_there = scratch.path("none");
        let inputs = [not_there.clone(), scratch.path("image")];
        for name in ["image", "folder/../image", "link", "again", "hard"] {
            let path = scratch.path(name);
            let error = must_not_replace(&[not_there.clone(), path.clone()], &inputs);
            let error = error.unwrap_err();
            assert!(
                matches!(&error, FileError::Input { path: found, input }
                    if *found == path && *input == inputs[1]),
                "{error:?}"
            );
        }
        must_not_replace(&[scratch.path("equal"), not_there], &inputs).unwrap();
    }

    #[test]
    fn trying_names_leaves_nothing_and_finds_the_one_that_is_taken() {
        let scratch = Scratch::new();
        let names = ["a", "b"].map(|name| scratch.path(name));
        must_be_makeable(&names, false).unwrap();
        assert_eq!(fs::read_dir(scratch.path("")).unwrap().count(), 0);
        fs::write(&names[1], "").unwrap();
        let error = must_be_makeable(&names, false).unwrap_err();
        assert!(matches!(error, FileError::Exists { path } if path == names[1]));
        must_be_makeable(&names, true).unwrap();
    }
}
