//! The guest's root: an archive that the kernel unpacks into memory, in the
//! "newc" format of Documentation/driver-api/early-userspace/buffer-format.rst.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

const DIRECTORY: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
const LINK: u32 = 0o120_777;

/// An archive under construction. Paths have no leading slash; folders on the
/// way are made; what is there already stays as it is.
#[derive(Default)]
pub struct Initramfs {
    bytes: Vec<u8>,
    paths: BTreeSet<String>,
}

impl Initramfs {
    pub fn directory(&mut self, path: &str) {
        self.entry(path, DIRECTORY, &[]);
    }

    pub fn link(&mut self, path: &str, target: &str) {
        self.entry(path, LINK, target.as_bytes());
    }

    /// Adds a file that everyone may read and run.
    pub fn file(&mut self, path: &str, content: &[u8]) {
        self.entry(path, PROGRAM, content);
    }

    /// Adds a file of this machine, or a folder with all that is in it.
    pub fn copy(&mut self, path: &str, from: &Path) -> Result<()> {
        let describe = || format!("cannot take {} into the guest", from.display());
        if from.is_dir() {
            self.directory(path);
            for entry in fs::read_dir(from).with_context(describe)? {
                let entry = entry?;
                let name = entry.file_name();
                self.copy(&format!("{path}/{}", name.to_string_lossy()), &entry.path())?;
            }
        } else {
            self.file(path, &fs::read(from).with_context(describe)?);
        }
        Ok(())
    }

    /// Adds a program as /bin/NAME with the shared libraries that it loads.
    pub fn program(&mut self, name: &str, from: &Path, library_path: &str) -> Result<()> {
        self.copy(&format!("bin/{name}"), from)?;
        let output = Command::new("ldd")
            .arg(from)
            .env("LD_LIBRARY_PATH", library_path)
            .output()
            .context("cannot run ldd")?;
        let listing = String::from_utf8_lossy(&output.stdout);
        ensure!(
            !listing.contains("not found"),
            "libraries of {name} are missing:\n{listing}"
        );
        for line in listing.lines() {
            match line.split_whitespace().collect::<Vec<_>>().as_slice() {
                [library, "=>", path, ..] => {
                    self.copy(&format!("lib/{library}"), Path::new(path))?;
                }
                // The loader: programs name it by its full path.
                [path, ..] if path.starts_with('/') => {
                    self.copy(path.trim_start_matches('/'), Path::new(path))?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Writes the finished archive.
    pub fn write(mut self, to: &Path) -> Result<()> {
        self.entry("TRAILER!!!", 0, &[]);
        fs::write(to, self.bytes).with_context(|| format!("cannot write {}", to.display()))?;
        Ok(fs::set_permissions(to, fs::Permissions::from_mode(0o644))?)
    }

    fn entry(&mut self, path: &str, mode: u32, content: &[u8]) {
        if let Some((parent, _)) = path.rsplit_once('/') {
            self.directory(parent);
        }
        if !self.paths.insert(path.to_owned()) {
            return;
        }
        // Fields: inode, mode, owner, group, links, time, size, four device
        // numbers, length of the name with its NUL, checksum (unused).
        let (inode, size, name) = (self.paths.len(), content.len(), path.len() + 1);
        let head = format!(
            "070701{inode:08x}{mode:08x}{0:08x}{0:08x}{1:08x}{0:08x}{size:08x}\
             {0:08x}{0:08x}{0:08x}{0:08x}{name:08x}{0:08x}{path}\0",
            0, 1
        );
        self.bytes.extend_from_slice(head.as_bytes());
        self.pad();
        self.bytes.extend_from_slice(content);
        self.pad();
    }

    fn pad(&mut self) {
        let padded = self.bytes.len().next_multiple_of(4);
        self.bytes.resize(padded, 0);
    }
}
