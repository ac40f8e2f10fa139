//! What a simulated drive keeps from one run to the next, in files.
//!
//! A folder holds for each drive `NAME.flash`, the bytes of its flash, always
//! as the chip would hold them; `NAME.drive.toml`, its mode; and after a run
//! `NAME.counters.toml`, what that run asked of it ([`Counters`]).

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use serde::{Deserialize, Serialize};

use super::counters::Counters;
use super::memory::Memory;
use crate::files::{self, Links, Locked};

/// Bytes. What a drive remembers has a few lines, and one for each fault.
const LARGEST_MEMORY: u64 = 0x1_0000;

/// What a drive remembers besides its flash.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Remembered {
    /// The drive was left in vendor mode.
    pub vendor_mode: bool,
    /// Refused entries since the drive last left vendor mode.
    pub refused_entries: u64,
    /// The flash holds a part of an image that was to be programmed as a whole.
    pub half_written: bool,
    /// Faults that have happened and do not happen again.
    pub happened: Vec<String>,
}

/// A flash that no other run is at work with until this is dropped.
#[derive(Debug, Default)]
pub struct Hold {
    _lock: Option<Locked>,
}

/// Why the flash of a drive is not had from its file.
#[derive(Debug, thiserror::Error)]
#[error("{self:?}")]
pub(super) enum FlashError {
    Io(#[from] io::Error),
    /// Bytes in the file.
    OtherLength(u64),
}

/// The files of one drive.
#[derive(Debug)]
pub(super) struct StateFiles {
    pub flash: PathBuf,
    pub remembered: PathBuf,
    counters: PathBuf,
}

impl StateFiles {
    pub fn of(folder: &Path, name: &str) -> StateFiles {
        let file = |ending: &str| folder.join(format!("{name}.{ending}"));
        StateFiles {
            flash: file("flash"),
            remembered: file("drive.toml"),
            counters: file("counters.toml"),
        }
    }

    /// The flash as the last run left it, or with these contents in the first.
    pub fn open_flash(
        &self,
        size: u32,
        first: impl FnOnce() -> Vec<u8>,
    ) -> Result<Memory, FlashError> {
        if !self.flash.exists() {
            self.begin(&first())?;
        }
        let opened = files::open_to_change(&self.flash, Links::Own);
        let mut file = opened.map_err(io::Error::from)?;
        let mut bytes = Vec::with_capacity(size as usize + 1);
        // One more than fits tells a file that is too long, without reading it all.
        Read::by_ref(&mut file)
            .take(u64::from(size) + 1)
            .read_to_end(&mut bytes)?;
        if bytes.len() != size as usize {
            return Err(FlashError::OtherLength(file.metadata()?.len()));
        }
        Ok(Memory::in_file(bytes, file))
    }

    /// The flash of a drive that has never run. Of runs that begin at once each makes one,
    /// and all take that of the first.
    fn begin(&self, contents: &[u8]) -> io::Result<()> {
        let folder = files::folder_of(&self.flash);
        fs::create_dir_all(folder)?;
        let mut fresh = tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(0o666))
            .tempfile_in(folder)?;
        fresh.write_all(contents)?;
        match fresh.persist_noclobber(&self.flash) {
            Err(taken) if taken.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(failed) => Err(failed.error),
            Ok(_) => Ok(()),
        }
    }

    /// Locks the flash until what is returned is dropped. `None` where another run has it,
    /// or has had it since these `bytes` were read from it and this was remembered.
    ///
    /// # Errors
    /// The files cannot be looked at: whether somebody has them is not known.
    pub fn hold(&self, bytes: &[u8], remembered: &Remembered) -> io::Result<Option<Hold>> {
        let mut file = match files::open(&self.flash, Links::Own) {
            Ok(file) => file,
            // Who has removed it is at work with nothing that is here.
            Err(error) if error.is_missing() => return Ok(Some(Hold::default())),
            Err(error) => return Err(error.into()),
        };
        let mut now = Vec::with_capacity(bytes.len());
        let lock = Locked::alone(file.try_clone()?);
        let lock = match lock {
            Ok(lock) => Some(lock),
            Err(Errno::EWOULDBLOCK) => return Ok(None),
            // A disk that has no locks.
            Err(_) => None,
        };
        Read::by_ref(&mut file)
            .take(bytes.len() as u64)
            .read_to_end(&mut now)?;
        let is_as_before = now == bytes && self.load()? == *remembered;
        Ok(is_as_before.then_some(Hold { _lock: lock }))
    }

    /// What the last run wrote down; the default where there was none.
    pub fn load(&self) -> io::Result<Remembered> {
        match files::read_text(&self.remembered, LARGEST_MEMORY, Links::Own) {
            Ok(text) => toml::from_str(&text).map_err(|error| {
                io::Error::new(io::ErrorKind::InvalidData, error.message().to_owned())
            }),
            Err(error) if error.is_missing() => Ok(Remembered::default()),
            Err(error) => Err(error.into()),
        }
    }

    pub fn save(&self, remembered: &Remembered) -> io::Result<()> {
        replace(&self.remembered, remembered)
    }

    /// Leaves the counters for whoever wants them. A failure changes nothing
    /// for the drive and comes too late to be told.
    pub fn save_counters(&self, counters: &Counters) {
        let _ = replace(&self.counters, counters);
    }
}

fn replace(path: &Path, content: &impl Serialize) -> io::Result<()> {
    let text = toml::to_string(content).map_err(io::Error::other)?;
    put(path, text.as_bytes())
}

/// Writes a file anew and gives it its name, whole or not at all: a run may be killed
/// at any time. Of one that cannot be written, as on a full disk, nothing stays.
fn put(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let mut file = new_file(fresh.as_ref())?;
    let done = file
        .write_all(content)
        .and_then(|()| fs::rename(&fresh, path));
    if done.is_err() {
        let _ = fs::remove_file(fresh);
    }
    done
}

/// A file that was not there: what is left of a run that was killed goes, and so
/// does whatever else has the name, which is not written into.
fn new_file(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => File::create_new(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_drive_remembers_its_flash_and_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFiles::of(&folder.path().join("new"), "position-3");
        assert_eq!(state.load().unwrap(), Remembered::default());
        let mut memory = state.open_flash(4, || vec![0xFF; 4]).unwrap();
        memory.set(1, 7);
        let remembered = Remembered {
            vendor_mode: true,
            refused_entries: 2,
            half_written: true,
            happened: vec!["power-cut 3".to_owned()],
        };
        state.save(&remembered).unwrap();
        let again = state.open_flash(4, || panic!("is there already")).unwrap();
        assert_eq!(again.bytes(), [0xFF, 7, 0xFF, 0xFF]);
        assert_eq!(state.load().unwrap(), remembered);
    }

    #[test]
    fn runs_that_begin_at_once_have_one_flash() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFiles::of(&folder.path().join("new"), "position-3");
        let other = StateFiles::of(&folder.path().join("new"), "position-3");
        let mut memory = None;
        let begun_meanwhile = || {
            memory = Some(other.open_flash(4, || vec![1; 4]).unwrap());
            vec![2; 4]
        };
        let again = state.open_flash(4, begun_meanwhile).unwrap();
        assert_eq!(again.bytes(), [1; 4]);
        memory.unwrap().set(1, 7);
        let now = state.open_flash(4, || panic!("is there")).unwrap();
        assert_eq!(now.bytes(), [1, 7, 1, 1]);
        assert_eq!(fs::read_dir(folder.path().join("new")).unwrap().count(), 1);
    }

    #[test]
    fn a_flash_is_held_by_one_run_and_not_by_one_that_has_read_it_before_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFiles::of(folder.path(), "position-3");
        let mut memory = state.open_flash(4, || vec![0xFF; 4]).unwrap();
        let before = Remembered::default();
        let hold = |bytes: &[u8], remembered: &Remembered| state.hold(bytes, remembered).unwrap();
        let held = hold(&[0xFF; 4], &before);
        assert!(held.is_some());
        assert!(hold(&[0xFF; 4], &before).is_none());
        memory.set(1, 7);
        drop(held);
        assert!(hold(&[0xFF; 4], &before).is_none(), "it was read before");
        assert!(hold(memory.bytes(), &before).is_some());
        let since = Remembered {
            vendor_mode: true,
            ..before.clone()
        };
        state.save(&since).unwrap();
        assert!(hold(memory.bytes(), &before).is_none(), "of before");
        assert!(hold(memory.bytes(), &since).is_some());
    }

    #[test]
    fn files_that_cannot_be_looked_at_are_not_said_to_be_another_run_s() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFiles::of(folder.path(), "position-3");
        state.open_flash(4, || vec![0xFF; 4]).unwrap();
        fs::write(&state.remembered, "vendor_mode = maybe").unwrap();
        assert!(state.hold(&[0xFF; 4], &Remembered::default()).is_err());
        fs::remove_file(&state.flash).unwrap();
        fs::create_dir(&state.flash).unwrap();
        assert!(state.hold(&[0xFF; 4], &Remembered::default()).is_err());
    }

    #[test]
    fn a_flash_file_of_another_size_is_no_flash_of_this_drive() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFiles::of(folder.path(), "position-3");
        state.open_flash(5, || vec![0; 5]).unwrap();
        let error = state.open_flash(4, Vec::new).unwrap_err();
        assert!(matches!(error, FlashError::OtherLength(5)), "{error}");
    }

    #[test]
    fn what_lies_in_the_place_of_a_state_file_is_neither_waited_for_nor_written_into() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFiles::of(folder.path(), "x");
        let kept = folder.path().join("kept");
        fs::write(&kept, "precious").unwrap();
        for new in ["x.flash.new", "x.drive.toml.new"] {
            std::os::unix::fs::symlink(&kept, folder.path().join(new)).unwrap();
        }
        state.open_flash(4, || vec![0; 4]).unwrap();
        state.save(&Remembered::default()).unwrap();
        assert_eq!(fs::read(&kept).unwrap(), b"precious");
        for path in [state.flash.clone(), state.remembered.clone()] {
            fs::remove_file(&path).unwrap();
            nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        }
        assert!(state.open_flash(4, || vec![0; 4]).is_err());
        assert!(state.load().is_err());
    }

    proptest! {
        #[test]
        fn no_memory_makes_its_reader_fail(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let folder = tempfile::tempdir().unwrap();
            let state = StateFiles::of(folder.path(), "x");
            fs::write(&state.remembered, &bytes).unwrap();
            if let Ok(read) = state.load() {
                state.save(&read).unwrap();
                prop_assert_eq!(state.load().unwrap(), read);
            }
        }
    }

    #[test]
    fn nothing_stays_of_a_file_that_cannot_be_made() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFiles::of(folder.path(), "x");
        // A file cannot take the place of a folder that is not empty.
        fs::create_dir_all(state.remembered.join("y")).unwrap();
        assert!(state.save(&Remembered::default()).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_broken_memory_is_an_error_and_no_fresh_start() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFiles::of(folder.path(), "x");
        fs::write(&state.remembered, "vendor_mode = maybe").unwrap();
        assert!(state.load().is_err());
    }
}
