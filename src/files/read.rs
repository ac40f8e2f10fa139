//! Reading what lies around: a folder can hold a pipe that nobody writes to, a
//! film of 3 GiB or a link to `/dev/zero` under any name.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::OFlag;

use super::{Kind, folder_of};

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
#[error("{self:?}")]
pub enum ReadError {
    NotAFile(Kind),
    TooLarge {
        /// As far as it is known: a file can grow, and those of the kernel do
        /// not tell their size.
        size: u64,
        limit: u64,
    },
    /// See [`Links::Own`].
    Link,
    NotText,
    Io(#[from] io::Error),
}

impl ReadError {
    /// Whether there is nothing of that name.
    pub fn is_missing(&self) -> bool {
        matches!(self, ReadError::Io(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

/// For callers that have no other use for what is wrong with a file.
impl From<ReadError> for io::Error {
    fn from(error: ReadError) -> io::Error {
        match error {
            ReadError::Io(error) => error,
            other => io::Error::new(io::ErrorKind::InvalidData, other),
        }
    }
}

/// Whether a link is followed that stands for the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// The user has named the file, and may have meant a link.
    Followed,
    /// Only in a folder in which this user or root alone makes names: elsewhere
    /// somebody else may have put it there.
    Own,
}

/// All of a regular file.
///
/// # Errors
/// [`ReadError`]; at most `limit` bytes and one more were read then.
pub fn read(path: &Path, limit: u64, links: Links) -> Result<Vec<u8>, ReadError> {
    let file = open(path, links)?;
    let size = file.metadata()?.len();
    if size > limit {
        return Err(ReadError::TooLarge { size, limit });
    }
    let mut content = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    file.take(limit.saturating_add(1))
        .read_to_end(&mut content)?;
    match content.len() as u64 {
        size if size > limit => Err(ReadError::TooLarge { size, limit }),
        _ => Ok(content),
    }
}

/// As [`read`], of a file of text.
///
/// # Errors
/// As [`read`], and [`ReadError::NotText`] where it is not UTF-8.
pub fn read_text(path: &Path, limit: u64, links: Links) -> Result<String, ReadError> {
    String::from_utf8(read(path, limit, links)?).map_err(|_| ReadError::NotText)
}

/// Opens a regular file to be read. Nothing is waited for, and no device is
/// opened: merely opening a tape rewinds it.
///
/// # Errors
/// [`ReadError`], but for [`ReadError::TooLarge`] and [`ReadError::NotText`].
pub fn open(path: &Path, links: Links) -> Result<File, ReadError> {
    open_for(OpenOptions::new().read(true), path, links)
}

/// As [`open`], to be read and changed in place. Nothing is made where nothing
/// is.
///
/// # Errors
/// As [`open`].
pub fn open_to_change(path: &Path, links: Links) -> Result<File, ReadError> {
    open_for(OpenOptions::new().read(true).write(true), path, links)
}

fn open_for(how: &mut OpenOptions, path: &Path, links: Links) -> Result<File, ReadError> {
    let follows = links == Links::Followed || is_own(folder_of(path));
    let found = match follows {
        true => fs::metadata(path)?,
        false => fs::symlink_metadata(path)?,
    };
    if found.is_symlink() {
        return Err(ReadError::Link);
    }
    refuse_other_kinds(&found)?;
    let mut flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    flags.set(OFlag::O_NOFOLLOW, !follows);
    let file = how.custom_flags(flags.bits()).open(path).map_err(|error| {
        match error.raw_os_error().map(Errno::from_raw) {
            Some(Errno::ELOOP) if !follows => ReadError::Link,
            _ => error.into(),
        }
    })?;
    // Something else may have got the name meanwhile.
    refuse_other_kinds(&file.metadata()?)?;
    Ok(file)
}

fn refuse_other_kinds(found: &fs::Metadata) -> Result<(), ReadError> {
    Kind::of(found).map_or(Ok(()), |kind| Err(ReadError::NotAFile(kind)))
}

/// Whether nobody but this user and root can give names in a folder.
pub(super) fn is_own(folder: &Path) -> bool {
    const OTHERS_MAY_WRITE: u32 = 0o022;
    fs::metadata(folder).is_ok_and(|folder| {
        let is_ours = [0, nix::unistd::geteuid().as_raw()].contains(&folder.uid());
        is_ours && folder.mode() & OTHERS_MAY_WRITE == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::PathBuf;

    fn folder() -> (tempfile::TempDir, impl Fn(&str) -> PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_owned();
        (folder, move |name: &str| root.join(name))
    }

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let (_folder, path) = folder();
        fs::write(path("x"), [7; 10]).unwrap();
        assert_eq!(read(&path("x"), 10, Links::Followed).unwrap(), [7; 10]);
        assert!(matches!(
            read(&path("x"), 9, Links::Followed),
            Err(ReadError::TooLarge { size: 10, limit: 9 })
        ));
    }

    #[test]
    fn a_file_of_terabytes_is_refused_by_its_size() {
        let (_folder, path) = folder();
        let file = File::create(path("x")).unwrap();
        file.set_len(1 << 40).unwrap();
        assert!(matches!(
            read(&path("x"), 100, Links::Followed),
            Err(ReadError::TooLarge {
                size: 0x100_0000_0000,
                ..
            })
        ));
    }

    #[test]
    fn a_file_that_does_not_tell_its_size_is_read_up_to_the_limit() {
        let status = Path::new("/proc/self/status");
        assert!(read(status, 1 << 20, Links::Followed).unwrap().len() > 100);
        assert!(matches!(
            read(status, 100, Links::Followed),
            Err(ReadError::TooLarge { size: 101, .. })
        ));
    }

    #[test]
    fn what_is_no_file_is_neither_waited_for_nor_read() {
        let (_folder, path) = folder();
        nix::unistd::mkfifo(&path("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
        for (name, target) in [("zero", "/dev/zero"), ("tty", "/dev/tty")] {
            symlink(target, path(name)).unwrap();
        }
        for (name, kind) in [
            ("pipe", Kind::Pipe),
            ("socket", Kind::Socket),
            ("zero", Kind::Device),
            ("tty", Kind::Device),
            ("", Kind::Folder),
        ] {
            let error = read(&path(name), 10, Links::Followed).unwrap_err();
            assert!(
                matches!(error, ReadError::NotAFile(found) if found == kind),
                "{name}: {error}"
            );
        }
    }

    #[test]
    fn a_link_is_followed_only_where_nobody_else_can_have_put_it() {
        let (_folder, path) = folder();
        fs::create_dir(path("mine")).unwrap();
        fs::write(path("x"), "x").unwrap();
        symlink("../x", path("mine/link")).unwrap();
        let permit = |mode| {
            fs::set_permissions(path("mine"), fs::Permissions::from_mode(mode)).unwrap();
        };
        permit(0o755);
        assert_eq!(read(&path("mine/link"), 9, Links::Own).unwrap(), b"x");
        for shared in [0o1777, 0o777, 0o775] {
            permit(shared);
            let outcome = read(&path("mine/link"), 9, Links::Own);
            assert!(matches!(outcome, Err(ReadError::Link)), "{shared:o}");
            assert!(read(&path("mine/link"), 9, Links::Followed).is_ok());
        }
    }
}
