//! Files that only one run works on.

use std::fs::File;
use std::ops::{Deref, DerefMut};

use nix::errno::Errno;
use nix::fcntl::FlockArg;

/// A file that other runs leave alone until it is closed.
///
/// [`nix::fcntl::Flock`] panics where a network file system does not take a lock back.
#[derive(Debug)]
pub struct Locked(File);

impl Locked {
    /// A file that nobody else works with or looks at.
    ///
    /// # Errors
    /// `EWOULDBLOCK` where another run has it; others where there are no locks.
    pub fn alone(file: File) -> Result<Locked, Errno> {
        Locked::by(file, FlockArg::LockExclusiveNonblock)
    }

    /// A file that nobody else works with.
    ///
    /// # Errors
    /// As [`Locked::alone`].
    pub fn shared(file: File) -> Result<Locked, Errno> {
        Locked::by(file, FlockArg::LockSharedNonblock)
    }

    fn by(file: File, how: FlockArg) -> Result<Locked, Errno> {
        // For the reason that is said above.
        #[allow(deprecated)]
        nix::fcntl::flock(std::os::fd::AsRawFd::as_raw_fd(&file), how)?;
        Ok(Locked(file))
    }
}

impl Drop for Locked {
    /// Closing the file is not enough: a program that is being started has a copy of it for
    /// a moment. Where this is refused, closing it has to do.
    fn drop(&mut self) {
        #[allow(deprecated)]
        let _ = nix::fcntl::flock(std::os::fd::AsRawFd::as_raw_fd(&self.0), FlockArg::Unlock);
    }
}

impl Deref for Locked {
    type Target = File;

    fn deref(&self) -> &File {
        &self.0
    }
}

impl DerefMut for Locked {
    fn deref_mut(&mut self) -> &mut File {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_one_run_s_until_it_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let open = || File::create(&path).unwrap();
        let alone = Locked::alone(open()).unwrap();
        assert_eq!(Locked::shared(open()).unwrap_err(), Errno::EWOULDBLOCK);
        drop(alone);
        let shared = Locked::shared(open()).unwrap();
        assert_eq!(Locked::alone(open()).unwrap_err(), Errno::EWOULDBLOCK);
        drop((shared, Locked::shared(open()).unwrap()));
        Locked::alone(open()).unwrap();
    }

    #[test]
    fn a_copy_of_the_file_does_not_keep_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let open = || File::create(&path).unwrap();
        let locked = Locked::alone(open()).unwrap();
        let copy = locked.try_clone().unwrap();
        drop(locked);
        Locked::alone(open()).unwrap();
        drop(copy);
    }
}
