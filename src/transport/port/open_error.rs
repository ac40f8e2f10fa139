//! Why the registers of a channel could not be opened.

use std::io;
use std::path::PathBuf;

use nix::errno::Errno;

/// By cause; `path` is `/dev/port` or a `resourceN` of sysfs.
#[derive(Debug, thiserror::Error)]
#[error("{self:?}")]
pub enum PortOpenError {
    /// No such node, or a kernel without it.
    Missing,
    NotADevice,
    /// The kernel does not offer the region of a PCI function.
    NoResource {
        path: PathBuf,
    },
    /// The permissions of the file (EACCES), or a sysfs for reading only.
    NotPermitted {
        path: PathBuf,
    },
    /// The kernel itself (EPERM): CAP_SYS_RAWIO is lacking, or the kernel is
    /// locked down.
    KernelRefuses,
    Io {
        path: PathBuf,
        source: io::Error,
    },
}

impl PortOpenError {
    /// Of a file; `missing` is what it is where there is no such file or device.
    pub(super) fn of(path: PathBuf, source: io::Error, missing: PortOpenError) -> PortOpenError {
        match source.raw_os_error().map(Errno::from_raw) {
            Some(Errno::ENOENT | Errno::ENXIO | Errno::ENODEV) => missing,
            Some(Errno::EACCES | Errno::EROFS) => PortOpenError::NotPermitted { path },
            Some(Errno::EPERM) => PortOpenError::KernelRefuses,
            _ => PortOpenError::Io { path, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::words::InWords;

    #[test]
    fn each_cause_of_a_failed_open_has_its_own_error() {
        for (errno, message) in [
            (Errno::ENOENT, "/dev/port does not exist here"),
            (
                Errno::EACCES,
                "no permission to open /dev/port for reading and writing",
            ),
            (
                Errno::EPERM,
                "the kernel does not permit access to I/O ports",
            ),
            (
                Errno::EMFILE,
                "/dev/port cannot be opened: Too many open files (os error 24)",
            ),
        ] {
            let missing = PortOpenError::Missing;
            let error = PortOpenError::of("/dev/port".into(), errno.into(), missing);
            assert_eq!(error.in_words(), message);
        }
        let path = PathBuf::from("/sys/resource2");
        let missing = PortOpenError::NoResource { path: path.clone() };
        let gone = PortOpenError::of(path, Errno::ENOENT.into(), missing);
        assert_eq!(gone.in_words(), "/sys/resource2 does not exist here");
    }
}
