//! Changes to the kernel's state that must be taken back, also after a crash.
//!
//! Two things are changed for the time of a job: media polling is switched off,
//! and drives are taken off the kernel. Each is taken back by writing one text
//! to one file of sysfs. So before the change a note with file and text is left
//! in `/run/mtkflash`; the way out writes the text and removes the note, and
//! the next run finds the notes of runs that never got there ([`settle`]).
//!
//! A note stays locked (flock) while its run lives. That tells a crashed run
//! from a running one, and makes the note a lock on its subject besides. `/run`
//! is empty after a reboot, as the kernel's state is.
//!
//! Folder and notes are for their owner alone, whatever the umask: whoever may
//! open a note may also hold its lock. A folder or a note that is a link, or
//! another user's, is left alone.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use serde::{Deserialize, Serialize};

use super::pci::PciAddress;
use super::system::{System, names};
use crate::files::Locked;
use crate::scsi::Identity;

/// Has a host looked for devices at any channel, target and logical unit.
pub(super) const SCAN_ALL: &str = "- - -";

/// How a change is taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undo {
    /// A file of sysfs.
    pub file: PathBuf,
    pub text: String,
}

impl Undo {
    /// Drives come back by it, in their own time.
    pub fn is_scan(&self) -> bool {
        self.text == SCAN_ALL || self.is_bind()
    }

    /// The driver of a controller comes back by it.
    pub fn is_bind(&self) -> bool {
        self.file.file_name().is_some_and(|name| name == "bind")
    }

    fn apply(self, system: &System) -> Result<(), (Undo, io::Error)> {
        match system.kernel().write(&self.file, &self.text) {
            // The drive or its host is gone, and its state with it.
            Err(error) if is_gone(&error) => Ok(()),
            outcome => outcome.map_err(|error| (self, error)),
        }
    }

    /// A note is read back from a file, and only the files of sysfs that this
    /// program changes are ever written on its word.
    fn is_known(&self, system: &System) -> bool {
        let mut parts = self.file.components();
        let is_of_device = self.file.starts_with(system.sys("devices"));
        parts.all(|part| part.as_os_str() != "..")
            && match self.file.file_name().and_then(OsStr::to_str) {
                Some("bind") => {
                    let drivers = self.file.parent().and_then(Path::parent);
                    drivers == Some(&system.sys("bus/pci/drivers"))
                        && PciAddress::parse(&self.text).is_some()
                }
                Some("events_poll_msecs") => is_of_device && self.text.parse::<i64>().is_ok(),
                Some("scan") => is_of_device && self.text == SCAN_ALL,
                _ => false,
            }
    }
}

fn is_gone(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(Errno::from_raw);
    matches!(
        errno,
        Some(Errno::ENOENT | Errno::ENOTDIR | Errno::ENODEV | Errno::ENXIO)
    )
}

/// Why there is no note, or what it promised was not kept.
#[derive(Debug, thiserror::Error)]
#[error("{self:?}")]
pub enum NoteError {
    /// A living run has it.
    Held,
    Io {
        path: PathBuf,
        source: io::Error,
    },
    /// A link, another user's, or no folder and no file: whoever has put it
    /// there is not believed.
    NotOurs {
        path: PathBuf,
    },
    /// What a crashed run has left behind cannot be taken back.
    NotSettled {
        undo: Undo,
        source: io::Error,
    },
    /// What this run has changed cannot be taken back.
    NotTakenBack {
        undo: Undo,
        source: io::Error,
    },
}

impl NoteError {
    /// A file that cannot be read or written.
    fn at(path: &Path) -> impl Fn(io::Error) -> NoteError + Copy + '_ {
        move |source| NoteError::Io {
            path: path.to_owned(),
            source,
        }
    }

    /// What is left to do by hand.
    pub fn undo(&self) -> Option<&Undo> {
        match self {
            NoteError::NotSettled { undo, .. } | NoteError::NotTakenBack { undo, .. } => Some(undo),
            NoteError::Held | NoteError::Io { .. } | NoteError::NotOurs { .. } => None,
        }
    }
}

/// A lock on a subject, and a note of the change that is made to it, if one is.
/// The change is taken back when this is dropped.
pub struct Note {
    system: System,
    path: PathBuf,
    /// Locked until it is closed; `None` once the note is removed or given up.
    file: Option<Locked>,
    undo: Option<Undo>,
}

impl Note {
    /// Locks a subject, which is a file name. What a crashed run has left about
    /// it is taken back first.
    ///
    /// # Errors
    /// [`NoteError`]; nothing is to be changed then.
    pub fn open(system: &System, subject: &str) -> Result<Note, NoteError> {
        let (note, left) = Note::take_over(system, subject)?;
        let undo = left.map(|left| left.undo);
        match undo.map(|undo| undo.apply(system)).transpose() {
            Ok(_) => Ok(note),
            Err((undo, source)) => {
                note.leave_as_found();
                Err(NoteError::NotSettled { undo, source })
            }
        }
    }

    fn of(system: &System, path: PathBuf, file: Locked) -> Note {
        Note {
            system: system.clone(),
            path,
            file: Some(file),
            undo: None,
        }
    }

    /// Locks a subject whose change goes on: what a crashed run has left about
    /// it is not taken back but told, and stays in the note until
    /// [`promise`](Self::promise).
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn take_over(system: &System, subject: &str) -> Result<(Note, Option<Left>), NoteError> {
        let (path, mut file) = locked(system, subject)?;
        let left = Left::read(system, &mut file).map_err(NoteError::at(&path))?;
        Ok((Note::of(system, path, file), left))
    }

    /// Ends the lock and leaves what is noted to another run.
    pub fn leave_as_found(mut self) {
        self.file = None;
    }

    /// Notes how the change that comes next is taken back, with what the kernel gives
    /// up by it for a run that goes on.
    ///
    /// # Errors
    /// [`NoteError::Io`]; nothing is to be changed then.
    pub fn promise(&mut self, undo: Undo, given_up: &[GivenUp]) -> Result<(), NoteError> {
        let left = Left {
            undo,
            given_up: given_up.to_vec(),
        };
        if let Some(file) = &mut self.file {
            let bytes = serde_json::to_vec(&left).map_err(io::Error::from);
            let written = bytes.and_then(|bytes| rewrite(file, &bytes));
            written.map_err(NoteError::at(&self.path))?;
        }
        self.undo = Some(left.undo);
        Ok(())
    }

    /// The change was not made after all: nothing is to be taken back.
    pub fn withdraw(&mut self) {
        self.undo = None;
    }

    /// Takes the change back and removes the note.
    ///
    /// # Errors
    /// What sysfs says. The note then stays, for the next run.
    pub fn settle(mut self) -> Result<(), NoteError> {
        let taken_back = self.take_back();
        taken_back.map_err(|(undo, source)| NoteError::NotTakenBack { undo, source })
    }

    fn take_back(&mut self) -> Result<(), (Undo, io::Error)> {
        // Taken out: whatever happens, it happens once.
        let Some(file) = self.file.take() else {
            return Ok(());
        };
        if let Some(undo) = self.undo.take() {
            undo.apply(&self.system)?;
        }
        remove_own(&self.path, file);
        Ok(())
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        // Who wants to know of a failure has called `settle`.
        let _ = self.take_back();
    }
}

/// Opens and locks the note of a subject.
fn locked(system: &System, subject: &str) -> Result<(PathBuf, Locked), NoteError> {
    let path = own_folder(system)?.join(subject);
    let failed = NoteError::at(&path);
    let file = loop {
        let file = own_file(OpenOptions::new().create(true), &path)?;
        let file = lock(file).map_err(failed)?.ok_or(NoteError::Held)?;
        // Whoever had it may have removed it in between.
        if file.metadata().map_err(failed)?.nlink() > 0 {
            break file;
        }
    };
    Ok((path, file))
}

/// What a crashed run has left of a change: a note is this as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    pub undo: Undo,
    /// What the kernel has given up.
    pub given_up: Vec<GivenUp>,
}

/// A device that the kernel has given up, as a note keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenUp {
    pub port: u32,
    pub target: u32,
    pub lun: u64,
    pub sr: Option<PathBuf>,
    pub sg: Option<PathBuf>,
    pub known_as: Identity,
}

/// Bytes: more than all devices of a controller take.
const LONGEST: u64 = 0x1_0000;

impl Left {
    fn read(system: &System, file: &mut File) -> io::Result<Option<Left>> {
        let mut bytes = Vec::new();
        Read::take(file, LONGEST).read_to_end(&mut bytes)?;
        let left = serde_json::from_slice(&bytes).ok();
        Ok(left.filter(|left: &Left| left.undo.is_known(system)))
    }
}

/// What a crashed run has left about a subject; `None` where a living run has it.
pub fn left(system: &System, subject: &str) -> Option<Left> {
    let folder = folder_of_notes(system);
    if !is_own_folder(&folder) {
        return None;
    }
    let file = own_file(&mut OpenOptions::new(), &folder.join(subject)).ok()?;
    let mut file = lock(file).ok()??;
    Left::read(system, &mut file).ok()?
}

/// What crashed runs have left, by subject.
pub fn all_left(system: &System) -> Vec<(String, Left)> {
    names(&folder_of_notes(system))
        .into_iter()
        .filter_map(|name| {
            let left = left(system, &name)?;
            Some((name, left))
        })
        .collect()
}

/// What became of the change of a crashed run.
#[derive(Debug)]
pub struct Settled {
    pub undo: Undo,
    /// An error here leaves the note for another run; writing [`Undo::text`]
    /// into its file does the same by hand.
    pub outcome: io::Result<()>,
}

/// Takes back what crashed runs of this user have left changed. To be called at
/// the start of every run that touches drives. Notes of living runs are left
/// alone, and so is whatever is not this user's.
///
/// One subject can be left as it is, for a run that goes on with it.
pub fn settle(system: &System, but: Option<&str>) -> Vec<Settled> {
    let folder = folder_of_notes(system);
    if !is_own_folder(&folder) {
        return Vec::new();
    }
    names(&folder)
        .iter()
        .filter(|name| Some(name.as_str()) != but)
        .filter_map(|name| {
            let path = folder.join(name);
            let file = own_file(&mut OpenOptions::new(), &path).ok()?;
            let mut file = lock(file).ok()??;
            if file.metadata().ok()?.nlink() == 0 {
                return None;
            }
            let undo = Left::read(system, &mut file).ok()?.map(|left| left.undo);
            let mut note = Note::of(system, path, file);
            note.undo.clone_from(&undo);
            let outcome = note.take_back().map_err(|(_, source)| source);
            Some(Settled {
                undo: undo?,
                outcome,
            })
        })
        .collect()
}

fn folder_of_notes(system: &System) -> PathBuf {
    system.run("mtkflash")
}

/// The folder of the notes, made where there is none, and closed to others.
fn own_folder(system: &System) -> Result<PathBuf, NoteError> {
    let folder = folder_of_notes(system);
    let failed = NoteError::at(&folder);
    fs::create_dir_all(system.run("")).map_err(failed)?;
    match fs::DirBuilder::new().mode(OWNER_ALONE_IN).create(&folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        outcome => outcome.map_err(failed)?,
    }
    if !is_own_folder(&folder) {
        return Err(NoteError::NotOurs { path: folder });
    }
    fs::set_permissions(&folder, fs::Permissions::from_mode(OWNER_ALONE_IN)).map_err(failed)?;
    Ok(folder)
}

const OWNER_ALONE_IN: u32 = 0o700;
const OWNER_ALONE: u32 = 0o600;

/// Nobody else can remove it then, or put another in its place: `/run` belongs
/// to root.
fn is_own_folder(folder: &Path) -> bool {
    fs::symlink_metadata(folder).is_ok_and(|found| found.is_dir() && is_own(&found))
}

fn is_own(found: &fs::Metadata) -> bool {
    found.uid() == nix::unistd::geteuid().as_raw()
}

/// A note of this user's, opened to be read and written.
fn own_file(how: &mut OpenOptions, path: &Path) -> Result<File, NoteError> {
    let failed = NoteError::at(path);
    let not_ours = || NoteError::NotOurs {
        path: path.to_owned(),
    };
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let opened = how
        .read(true)
        .write(true)
        .mode(OWNER_ALONE)
        .custom_flags(flags.bits())
        .open(path);
    let file = opened.map_err(|error| match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ELOOP | Errno::EISDIR) => not_ours(),
        _ => failed(error),
    })?;
    let found = file.metadata().map_err(failed)?;
    if !found.is_file() || !is_own(&found) {
        return Err(not_ours());
    }
    file.set_permissions(fs::Permissions::from_mode(OWNER_ALONE))
        .map_err(failed)?;
    Ok(file)
}

/// `None` where a living run has the lock.
fn lock(file: File) -> io::Result<Option<Locked>> {
    match Locked::alone(file) {
        Ok(file) => Ok(Some(file)),
        Err(Errno::EWOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn rewrite(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(bytes)
}

/// Removes a note while its lock is held, so that nobody else's is hit. Where
/// it cannot be removed it is emptied at least: it asks for nothing any more.
fn remove_own(path: &Path, mut locked: Locked) {
    let _ = rewrite(&mut locked, b"");
    let _ = fs::remove_file(path);
}

#[cfg(test)]
mod tests;
