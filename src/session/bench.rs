//! A bench of simulated drives. No kernel has them, so that nothing is ever changed
//! or given back, and nothing but another run is in the way.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::error::OpenError;
use super::list::{Listed, Listing};
use super::machine::{Folders, Guess, Held, Machine, Registers, Spot, Taken, UserFolder};
use super::name::{At, DriveName, Label, is_serial, only_one};
use super::wish::Wish;
use crate::drive::note::Settled;
use crate::drive::{IndexBasis, Inhibitor, MediumRule, Obstacle, Position, ask};
use crate::scsi::Identity;
use crate::sim::{Bench, BenchError, SimDriveHandle};
use crate::transport::port::Habits;
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

    fn find(&self, name: &DriveName) -> Option<&SimDriveHandle> {
        match name {
            DriveName::Index(index) => self.bench.drive(*index),
            DriveName::Path(path) => self.bench.drive_at(path),
            DriveName::Port(_) => None,
            DriveName::Serial(serial) => {
                let mut drives = self.bench.drives().iter();
                drives.find(|drive| says_serial(drive, serial))
            }
        }
    }

    fn not_there(&self, name: DriveName) -> OpenError {
        OpenError::NotOnBench {
            name,
            there: self.bench.drives().iter().filter_map(called).collect(),
        }
    }
}

/// Whether a drive answers that this is its serial number.
fn says_serial(drive: &SimDriveHandle, serial: &str) -> bool {
    let packets = drive.packets();
    let said = packets.and_then(|mut packets| ask::identity(packets.as_mut()).ok());
    is_serial(said.and_then(|said| said.serial).as_deref(), serial)
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

    fn locate(&self, name: &DriveName) -> Result<Box<dyn Spot>, OpenError> {
        if let DriveName::Serial(serial) = name {
            let drives = self.bench.drives().iter();
            let found = drives.filter(|drive| says_serial(drive, serial));
            only_one(serial, found.filter_map(called).collect())?;
        }
        match self.find(name) {
            Some(drive) => Ok(Box::new(SimulatedDrive {
                name: name.clone(),
                drive: drive.clone(),
            })),
            None => Err(self.not_there(name.clone())),
        }
    }

    fn ports(&self, name: &DriveName, _: &Wish) -> Result<Registers, OpenError> {
        let Some(drive) = self.find(name) else {
            return Err(self.not_there(name.clone()));
        };
        let no_ports = || OpenError::NoPorts { name: name.clone() };
        let drive = SimulatedDrive {
            name: DriveName::Index(drive.position().ok_or_else(no_ports)?),
            drive: drive.clone(),
        };
        Ok(Registers {
            label: drive.label(),
            place: drive.place(),
            channel: None,
            can_wait: true,
            take: Box::new(move || drive.take()),
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
        said,
        medium: packets.and_then(|mut packets| ask::medium(packets.as_mut()).ok()),
        obstacles: busy(drive).into_iter().collect(),
        silence: None,
        firmware: None,
    }
}

/// That another run has the drive.
fn busy(drive: &SimDriveHandle) -> Option<Obstacle> {
    match drive.alone() {
        Some(_) => None,
        None => Some(Obstacle::Busy {
            node: match (drive.path(), drive.position()) {
                (Some(path), _) => path.to_owned(),
                (None, position) => format!("drive {}", position.unwrap_or_default()).into(),
            },
            holders: Vec::new(),
        }),
    }
}

/// A drive of a bench, by either way.
struct SimulatedDrive {
    name: DriveName,
    drive: SimDriveHandle,
}

impl SimulatedDrive {
    fn alone(&self) -> Result<SimDriveHandle, OpenError> {
        self.drive.alone().ok_or_else(|| OpenError::InUse {
            label: self.label(),
        })
    }

    fn packets(&self, drive: &SimDriveHandle) -> Result<OpenDrive, OpenError> {
        let packets = drive.packets();
        packets.ok_or_else(|| OpenError::UnknownToKernel {
            label: self.label(),
        })
    }
}

impl Spot for SimulatedDrive {
    fn label(&self) -> Label {
        Label {
            called: self.name.clone(),
            at: At::Bench,
        }
    }

    fn place(&self) -> String {
        self.drive.name()
    }

    fn channel(&self) -> Option<String> {
        let position = self.drive.position().and_then(Position::new)?;
        Some(format!("{:?}", position.channel()))
    }

    fn guess(&self) -> Option<Guess> {
        None
    }

    fn at_ports(&self) -> Option<DriveName> {
        self.drive.position().map(DriveName::Index)
    }

    fn is_for_ports(&self) -> bool {
        false
    }

    fn hold(&self, _: MediumRule) -> Result<Held, OpenError> {
        // Whether the kernel has it at all comes before who else does.
        self.packets(&self.drive)?;
        let alone = self.alone()?;
        Ok(Held {
            packets: self.packets(&alone)?,
            clock: alone.clock(),
            reopen: Box::new(move || alone.packets().ok_or(TransportError::Vanished)),
            filter: None,
            polling: None,
        })
    }

    fn glance(&self) -> Result<OpenDrive, OpenError> {
        self.packets(&self.drive)
    }
}

impl SimulatedDrive {
    fn take(&self) -> Result<Taken, OpenError> {
        let registers = self.alone()?.registers();
        Ok(Taken {
            registers: registers.ok_or_else(|| OpenError::NoPorts {
                name: self.name.clone(),
            })?,
            unit: self.drive.unit(),
            habits: Habits::default(),
            interrupts: None,
            neighbours: Vec::new(),
            is_taken_over: false,
            clock: self.drive.clock(),
            // As of a real drive, the kernel remembers who it was.
            known_as: self
                .drive
                .packets()
                .map(|_| remembered(self.drive.identity())),
            lent: None,
        })
    }
}

/// What sysfs keeps of a drive's INQUIRY.
fn remembered(identity: Identity) -> Identity {
    Identity {
        serial: None,
        ..identity
    }
}
