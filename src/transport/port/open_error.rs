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
        #[source]
        source: io::Error,
    },
}

impl PortOpenError {
    /// Of `/dev/port`.
    pub(super) fn of_node(path: PathBuf, source: io::Error) -> PortOpenError {
        match errno(&source) {
            Some(Errno::ENOENT | Errno::ENXIO | Errno::ENODEV) => PortOpenError::Missing,
            _ => PortOpenError::of_any(path, source),
        }
    }

    pub(super) fn of_resource(path: PathBuf, source: io::Error) -> PortOpenError {
        match errno(&source) {
            Some(Errno::ENOENT | Errno::ENXIO | Errno::ENODEV) => {
                PortOpenError::NoResource { path }
            }
            _ => PortOpenError::of_any(path, source),
        }
    }

    fn of_any(path: PathBuf, source: io::Error) -> PortOpenError {
        match errno(&source) {
            Some(Errno::EACCES | Errno::EROFS) => PortOpenError::NotPermitted { path },
            Some(Errno::EPERM) => PortOpenError::KernelRefuses,
            _ => PortOpenError::Io { path, source },
        }
    }
}

fn errno(error: &io::Error) -> Option<Errno> {
    error.raw_os_error().map(Errno::from_raw)
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
            let error = PortOpenError::of_node("/dev/port".into(), errno.into());
            assert_eq!(error.in_words(), message);
        }
        let gone = PortOpenError::of_resource("/sys/resource2".into(), Errno::ENOENT.into());
        assert_eq!(gone.in_words(), "/sys/resource2 does not exist here");
    }
}
