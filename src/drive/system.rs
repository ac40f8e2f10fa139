//! The machine as this program sees it.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::sys::stat::{major, minor};

use super::controller::IdeChannel;
use crate::files::{self, Links};
use crate::transport::port::{self, PortOpenError, Ports, dev_port};
use crate::transport::sg_io::SgOpenError;
use crate::transport::{OpenDrive, OpenRegisters, SgDevice};

/// What a device node stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeviceNumber {
    pub is_block: bool,
    pub major: u64,
    pub minor: u64,
}

impl fmt::Display for DeviceNumber {
    /// `11:0`, as sysfs and mountinfo write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.major, self.minor)
    }
}

/// What is done to a kernel rather than read from its files, and so needs
/// another side in tests.
pub trait Kernel: Send + Sync {
    /// The device behind a node, `None` where the path is something else.
    /// Nothing is opened: merely opening a tape rewinds it.
    ///
    /// # Errors
    /// Where the path cannot be looked at.
    fn device_number(&self, node: &Path) -> io::Result<Option<DeviceNumber>>;

    /// Opens `/dev/sgN` or `/dev/srN` for commands, see [`SgDevice::open`].
    ///
    /// # Errors
    /// [`SgOpenError`], by cause.
    fn open(&self, node: &Path, exclusive: bool) -> Result<OpenDrive, SgOpenError>;

    /// The registers of a channel. None is read or written.
    ///
    /// # Errors
    /// [`PortOpenError`], by cause.
    fn registers(&self, of: &IdeChannel) -> Result<OpenRegisters, PortOpenError>;

    /// Writes a text to an existing file of sysfs in one go.
    ///
    /// # Errors
    /// Where the kernel refuses or the file is gone.
    fn write(&self, file: &Path, text: &str) -> io::Result<()>;
}

struct Linux;

impl Kernel for Linux {
    fn device_number(&self, node: &Path) -> io::Result<Option<DeviceNumber>> {
        let metadata = fs::metadata(node)?;
        let kind = metadata.file_type();
        let is_node = kind.is_block_device() || kind.is_char_device();
        Ok(is_node.then(|| DeviceNumber {
            is_block: kind.is_block_device(),
            major: major(metadata.rdev()),
            minor: minor(metadata.rdev()),
        }))
    }

    fn open(&self, node: &Path, exclusive: bool) -> Result<OpenDrive, SgOpenError> {
        SgDevice::open(node, exclusive).map(|drive| Box::new(drive) as OpenDrive)
    }

    fn registers(&self, of: &IdeChannel) -> Result<OpenRegisters, PortOpenError> {
        port::must_be_given()?;
        Ok(Box::new(match (&of.function, of.legacy) {
            (Some((function, layout)), _) => Ports::of_function(&function.folder, layout)?,
            (None, Some(channel)) => dev_port::open(channel)?,
            (None, None) => return Err(PortOpenError::Missing),
        }))
    }

    fn write(&self, file: &Path, text: &str) -> io::Result<()> {
        OpenOptions::new()
            .write(true)
            .open(file)?
            .write_all(text.as_bytes())
    }
}

/// A machine: the files of its kernel under one root, and the kernel itself.
#[derive(Clone)]
pub struct System {
    root: PathBuf,
    kernel: Arc<dyn Kernel>,
    /// Whether this program runs with user ID 0.
    pub is_superuser: bool,
}

impl System {
    /// The machine that this program runs on.
    pub fn host() -> System {
        System::at(
            Path::new("/"),
            Arc::new(Linux),
            nix::unistd::geteuid().is_root(),
        )
    }

    /// A machine whose files lie under `root`.
    pub fn at(root: &Path, kernel: Arc<dyn Kernel>, is_superuser: bool) -> System {
        System {
            // Paths found under it come out of symbolic links, which are absolute.
            root: root.canonicalize().unwrap_or_else(|_| root.to_owned()),
            kernel,
            is_superuser,
        }
    }

    pub fn kernel(&self) -> &dyn Kernel {
        &*self.kernel
    }

    /// `path` is relative to `/sys`.
    pub fn sys(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.join("sys").join(path)
    }

    /// `path` is relative to `/dev`.
    pub fn dev(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.join("dev").join(path)
    }

    /// `path` is relative to `/proc`.
    pub fn proc(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.join("proc").join(path)
    }

    /// `path` is relative to `/run`.
    pub fn run(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.join("run").join(path)
    }

    /// Whether this is a container, by the marks that Docker, Podman and
    /// systemd leave in one.
    pub fn is_container(&self) -> bool {
        self.root.join(".dockerenv").exists()
            || self.run(".containerenv").exists()
            || self.run("systemd/container").exists()
    }
}

/// Bytes. An attribute of sysfs has a page at most, a list of procfs some lines
/// for each device or mount.
const LARGEST_ATTRIBUTE: u64 = 0x40_0000;

/// A file of sysfs or procfs without the blanks around its text, `None` where
/// it cannot be read.
pub(super) fn attribute(file: &Path) -> Option<String> {
    let bytes = attribute_bytes(file)?;
    Some(String::from_utf8_lossy(&bytes).trim().to_owned())
}

/// As [`attribute`], as it is.
pub(super) fn attribute_bytes(file: &Path) -> Option<Vec<u8>> {
    files::read(file, LARGEST_ATTRIBUTE, Links::Followed).ok()
}

/// The names in a directory in a fixed order, none where it does not exist.
pub(super) fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_file_and_a_directory_are_no_devices() {
        for path in ["/proc/self/status", "/dev"] {
            assert_eq!(Linux.device_number(Path::new(path)).unwrap(), None);
        }
        let null = Linux.device_number(Path::new("/dev/null")).unwrap();
        assert_eq!(
            null,
            Some(DeviceNumber {
                is_block: false,
                major: 1,
                minor: 3
            })
        );
    }

    #[test]
    fn a_file_that_is_gone_is_not_created_by_writing_to_it() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("scan");
        assert!(Linux.write(&file, "- - -").is_err());
        assert!(!file.exists());
    }
}
