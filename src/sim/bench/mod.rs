//! Benches: files that put simulated drives on the positions 1 to 4.
//!
//! ```toml
//! [[drive]]
//! position = 3
//! vendor = "SONY"
//! product = "DVD RW DW-D22A"
//! revision = "BYS1"
//! chip = "SST39VF080"
//! contents = { recipe = "firmware", seed = 1 }
//! ```
//!
//! The flash of each drive is kept in `NAME.flash` in the folder
//! `<bench>.state` beside the bench, where NAME is `position-3` or made of the
//! drive's path. All keys are in `file.rs`.

mod build;
mod contents;
mod file;
mod handle;
mod part;
mod place;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

use file::{BenchSetup, Source};
pub use handle::SimDriveHandle;
use place::Place;

use super::channel::SharedChannel;
use crate::files::{self, Links};
use crate::transport::OpenRegisters;

/// Bytes. A bench of four drives with every key has 4 KiB.
const LARGEST_BENCH: u64 = 0x10_0000;

/// A bench that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{self:?}")]
pub enum BenchError {
    Unreadable {
        path: PathBuf,
        source: io::Error,
    },
    Invalid {
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        wrong: Wrong,
    },
    /// A file in which the drive of this line keeps its state.
    State {
        path: PathBuf,
        line: usize,
        file: PathBuf,
        source: io::Error,
    },
}

/// What is wrong with a line of a bench.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// No TOML or an unknown key, as its reader says.
    Toml(String),
    Position(u8),
    NoPlace,
    /// By a drive that is called so.
    Taken(String),
    /// No numbers from 0 up.
    Seconds,
    ModeStatus(u8),
    /// The name that no chip has.
    NoChip(String),
    /// Bytes that no flash has.
    Size(u32),
    NeitherChip,
    /// A chip of a drive that is flashed by packets.
    NeedlessChip,
    /// It does not go with the bus of the chip.
    OtherBus {
        is_serial: bool,
        status: u8,
    },
    /// What was kept of the drive is of a flash of another size.
    OtherLength {
        file: PathBuf,
        length: u64,
        size: u32,
    },
}

/// Where the drives of the bench in this file keep their state.
fn state_folder(path: &Path, setup: &BenchSetup) -> PathBuf {
    match &setup.state {
        Some(folder) => path.with_file_name("").join(folder),
        None => path.with_extension("state"),
    }
}

/// Simulated drives on their positions. Dropping the bench and all handles ends
/// the run: counters are then left beside the flash.
pub struct Bench {
    drives: Vec<SimDriveHandle>,
    /// Where the state is kept.
    folder: Option<PathBuf>,
}

impl Bench {
    /// Opens a bench file, with the state that the last run left.
    ///
    /// # Errors
    /// Names the file, and the line where it is about a place in it.
    pub fn open(path: &Path) -> Result<Bench, BenchError> {
        let text = files::read_text(path, LARGEST_BENCH, Links::Followed).map_err(|error| {
            BenchError::Unreadable {
                path: path.to_owned(),
                source: error.into(),
            }
        })?;
        let source = Source::new(path, &text);
        let setup = source.parse()?;
        Bench::build(&source, &setup, Some(&state_folder(path, &setup)))
    }

    /// Whether an earlier run has left the state of this bench. Nothing is made where it
    /// has not.
    pub fn has_run(path: &Path) -> bool {
        let text = files::read_text(path, LARGEST_BENCH, Links::Followed);
        text.is_ok_and(|text| {
            let setup = Source::new(path, &text).parse();
            setup.is_ok_and(|setup| state_folder(path, &setup).is_dir())
        })
    }

    /// A bench of this text, whose state is gone with the process.
    ///
    /// # Errors
    /// As [`Bench::open`], with `bench` for the file.
    pub fn from_text(text: &str) -> Result<Bench, BenchError> {
        let source = Source::new(Path::new("bench"), text);
        let setup = source.parse()?;
        Bench::build(&source, &setup, None)
    }

    fn build(
        source: &Source<'_>,
        setup: &BenchSetup,
        folder: Option<&Path>,
    ) -> Result<Bench, BenchError> {
        let ports: [SharedChannel; 2] = Default::default();
        let mut drives: Vec<SimDriveHandle> = Vec::new();
        for setup in &setup.drive {
            let place = Place::of(source, setup)?;
            if let Some(taken) = drives.iter().find(|drive| place.collides(&drive.place)) {
                return Err(source.invalid(&setup.span(), Wrong::Taken(taken.name())));
            }
            let handle = SimDriveHandle::new(setup.get_ref(), place, &ports);
            handle.attach(build::drive(source, setup, &handle, folder)?);
            drives.push(handle);
        }
        Ok(Bench {
            drives,
            folder: folder.map(Path::to_owned),
        })
    }

    /// The folder of the drives' state; `None` where it is gone with the process.
    pub fn state(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// All drives, in the order of the file.
    pub fn drives(&self) -> &[SimDriveHandle] {
        &self.drives
    }

    /// The drive at a position from 1 to 4.
    pub fn drive(&self, position: u8) -> Option<&SimDriveHandle> {
        self.drives
            .iter()
            .find(|drive| drive.position() == Some(position))
    }

    /// The drive that is called so in the bench.
    pub fn drive_at(&self, path: &Path) -> Option<&SimDriveHandle> {
        self.drives.iter().find(|drive| drive.path() == Some(path))
    }

    /// The legacy ports of a position, whether a drive is there or not. `None`
    /// for a position other than 1 to 4 and for one whose channel has no drive.
    pub fn ports(&self, position: u8) -> Option<OpenRegisters> {
        let channel_of = |position: u8| position.checked_sub(1).map(|index| index / 2);
        let channel = channel_of(position)?;
        let mut drives = self.drives.iter();
        drives
            .find(|drive| drive.position().and_then(channel_of) == Some(channel))
            .and_then(SimDriveHandle::registers)
    }
}
