//! A bench of simulated drives. No kernel has them, so that nothing is ever changed
//! or given back, and nothing but another run is in the way.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::error::OpenError;
use super::list::{Listed, Listing};
use super::machine::{Folders, Held, Machine, Registers, Spot, Taken, UserFolder};
use super::name::{At, DriveName, Label, is_serial, only_one};
use super::wish::Wish;
use crate::drive::list::Asked;
use crate::drive::note::Settled;
use crate::drive::{IndexBasis, Inhibitor, Obstacle, Position, ask};
use crate::protocol::Route;
use crate::scsi::Identity;
use crate::sim::{Bench, BenchError, SimDriveHandle};
use crate::transport::{OpenDrive, TransportError};

/// A bench as a machine.
pub struct OnBench {
    bench: Bench,
}

impl From<Bench> for OnBench {
    fn from(bench: Bench) -> OnBench {
        OnBench { bench }
    }
}

impl OnBench {
    /// Opens a bench file, with the state that the last run left.
    ///
    /// # Errors
    /// As [`Bench::open`].
    pub fn open(file: &Path) -> Result<OnBench, BenchError> {
        Bench::open(file).map(OnBench::from)
    }

    /// As [`Bench::has_run`].
    pub fn has_run(file: &Path) -> bool {
        Bench::has_run(file)
    }

    fn find(&self, name: &DriveName) -> Result<&SimDriveHandle, OpenError> {
        let drives = self.bench.drives();
        let found = match name {
            DriveName::Index(index) => self.bench.drive(*index),
            DriveName::Path(path) => self.bench.drive_at(path),
            DriveName::Port(_) => None,
            DriveName::Serial(serial) => {
                let found = drives.iter().filter(|drive| says_serial(drive, serial));
                let is_unasked = drives.iter().any(|drive| busy(drive).is_some());
                let called = |drive: &&SimDriveHandle| called(drive);
                Some(only_one(serial, found.collect(), is_unasked, called)?)
            }
        };
        found.ok_or_else(|| OpenError::NotOnBench {
            name: name.clone(),
            there: drives.iter().filter_map(called).collect(),
        })
    }
}

/// Whether a drive answers that this is its serial number.
fn says_serial(drive: &SimDriveHandle, serial: &str) -> bool {
    let packets = drive.packets();
    let said = packets.and_then(|mut packets| ask::identity(packets.as_mut()).ok());
    is_serial(said.as_ref(), serial)
}

/// What its user calls a drive.
fn called(drive: &SimDriveHandle) -> Option<DriveName> {
    match (drive.position(), drive.path()) {
        (Some(position), _) => Some(DriveName::Index(position)),
        (None, path) => path.map(|path| DriveName::Path(path.to_owned())),
    }
}

impl Machine for OnBench {
    fn settle(&self, _: Option<&DriveName>) -> Vec<Settled> {
        Vec::new()
    }

    fn lost(&self, _: &DriveName) -> Option<DriveName> {
        None
    }

    fn list(&self) -> Listing {
        Listing {
            drives: self.bench.drives().iter().map(listed).collect(),
            basis: IndexBasis::Nothing,
            has_legacy_ports: true,
            ports: Vec::new(),
        }
    }

    fn locate(&self, name: &DriveName) -> Result<Spot, OpenError> {
        let (drive, label) = (self.find(name)?.clone(), label(name));
        let position = drive.position().and_then(Position::new);
        Ok(Spot {
            label: label.clone(),
            place: drive.name(),
            channel: position.map(|position| format!("{:?}", position.channel())),
            guess: None,
            at_ports: drive.position().map(DriveName::Index),
            is_for_ports: false,
            hold: Box::new(move |_| hold(&drive, &label)),
        })
    }

    fn glance(&self, name: &DriveName) -> Result<OpenDrive, OpenError> {
        packets(self.find(name)?, &label(name))
    }

    fn ports(&self, name: &DriveName, _: &Wish) -> Result<Registers, OpenError> {
        let drive = self.find(name)?.clone();
        let no_ports = || OpenError::NoPorts { name: name.clone() };
        let label = label(&DriveName::Index(drive.position().ok_or_else(no_ports)?));
        Ok(Registers {
            label: label.clone(),
            place: drive.name(),
            channel: None,
            can_wait: true,
            route: Route::LegacyPorts,
            take: Box::new(move || take(&drive, &label)),
        })
    }

    fn folders(&self) -> Folders {
        // Of a bench without a folder nothing outlives the run.
        let refusals = self.bench.state().map(|state| state.join("refusals"));
        let state = self.bench.state().unwrap_or(Path::new("bench.state"));
        // Whoever may write there may change what the simulated drives hold.
        let owner = std::fs::metadata(state).map(|state| state.uid());
        Folders {
            journal: UserFolder {
                path: state.join("journal"),
                owner: owner.unwrap_or_else(|_| nix::unistd::geteuid().as_raw()),
            },
            other_journals: Vec::new(),
            log: state.join("log"),
            refusals,
        }
    }

    fn inhibit(&self, _: &str) -> Option<Inhibitor> {
        None
    }
}

fn listed(drive: &SimDriveHandle) -> Listed {
    let mut packets = drive.packets();
    let said = packets
        .as_mut()
        .and_then(|packets| ask::identity(packets.as_mut()).ok());
    Listed {
        position: drive.position().and_then(Position::new),
        is_guess: false,
        nodes: match drive.position() {
            Some(_) => Vec::new(),
            None => drive.path().map(ToOwned::to_owned).into_iter().collect(),
        },
        is_simulated: true,
        identity: said.clone(),
        asked: Asked {
            said,
            medium: packets.and_then(|mut packets| ask::medium(packets.as_mut()).ok()),
            obstacles: busy(drive).into_iter().collect(),
            silence: None,
        },
        firmware: None,
    }
}

/// That another run has the drive.
fn busy(drive: &SimDriveHandle) -> Option<Obstacle> {
    match drive.alone() {
        // What is wrong with its files is told whoever wants it.
        Ok(Some(_)) | Err(_) => None,
        Ok(None) => Some(Obstacle::Busy {
            node: match (drive.path(), drive.position()) {
                (Some(path), _) => path.to_owned(),
                (None, position) => format!("drive {}", position.unwrap_or_default()).into(),
            },
            holders: Vec::new(),
        }),
    }
}

fn label(name: &DriveName) -> Label {
    Label {
        called: name.clone(),
        at: At::Bench,
    }
}

fn alone(drive: &SimDriveHandle, label: &Label) -> Result<SimDriveHandle, OpenError> {
    let held = drive.alone().map_err(|source| OpenError::NoState {
        label: label.clone(),
        source,
    })?;
    held.ok_or_else(|| OpenError::InUse {
        label: label.clone(),
    })
}

fn packets(drive: &SimDriveHandle, label: &Label) -> Result<OpenDrive, OpenError> {
    drive.packets().ok_or_else(|| OpenError::UnknownToKernel {
        label: label.clone(),
    })
}

fn hold(drive: &SimDriveHandle, label: &Label) -> Result<Held, OpenError> {
    // Whether the kernel has it at all comes before who else does.
    packets(drive, label)?;
    let alone = alone(drive, label)?;
    Ok(Held {
        packets: packets(&alone, label)?,
        clock: alone.clock(),
        reopen: Box::new(move || alone.packets().ok_or(TransportError::Vanished)),
        filter: None,
        polling: None,
    })
}

fn take(drive: &SimDriveHandle, label: &Label) -> Result<Taken, OpenError> {
    let registers = alone(drive, label)?.registers();
    Ok(Taken {
        registers: registers.ok_or_else(|| OpenError::NoPorts {
            name: label.called.clone(),
        })?,
        unit: drive.unit(),
        takes_nien: true,
        interrupts: None,
        neighbours: Vec::new(),
        is_taken_over: false,
        clock: drive.clock(),
        // As of a real drive, the kernel remembers who it was, but for its serial
        // number, which sysfs does not keep.
        known_as: drive.packets().map(|_| Identity {
            serial: None,
            ..drive.identity()
        }),
        lent: None,
    })
}
