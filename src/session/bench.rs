//! A bench of simulated drives. No kernel has them, so that nothing is ever changed
//! or given back, and nothing but another run is in the way.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::error::OpenError;
use super::list::{Listed, Listing};
use super::machine::{Folders, Guess, Held, Machine, Registers, Spot, Taken, UserFolder};
use super::name::{At, DriveName, Label, is_serial, only_one};
use super::wish::Wish;
use crate::drive::channel::ChannelState;
use crate::drive::note::Settled;
use crate::drive::{IndexBasis, Inhibitor, MediumRule, Obstacle, Position, ask};
use crate::protocol::packet::Reopen;
use crate::scsi::Identity;
use crate::sim::{Bench, BenchError, Hold, SimDriveHandle};
use crate::transport::port::Habits;
use crate::transport::{
    Completion, Data, PacketTransport, Register, RegisterAccess, TransportError,
};

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

    fn ports(&self, name: &DriveName, _: &Wish) -> Result<Box<dyn Registers>, OpenError> {
        let Some(drive) = self.find(name) else {
            return Err(self.not_there(name.clone()));
        };
        match drive.position() {
            Some(index) => Ok(Box::new(SimulatedDrive {
                name: DriveName::Index(index),
                drive: drive.clone(),
            })),
            None => Err(OpenError::NoPorts { name: name.clone() }),
        }
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
    match drive.hold() {
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
    fn label(&self) -> Label {
        Label {
            called: self.name.clone(),
            at: At::Bench,
        }
    }

    fn alone(&self) -> Result<Hold, OpenError> {
        self.drive.hold().ok_or_else(|| OpenError::InUse {
            label: self.label(),
        })
    }
}

impl Spot for SimulatedDrive {
    fn label(&self) -> Label {
        SimulatedDrive::label(self)
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
        let packets = self.drive.packets();
        let label = || SimulatedDrive::label(self);
        let packets = packets.ok_or_else(|| OpenError::UnknownToKernel { label: label() })?;
        let hold = Arc::new(self.alone()?);
        Ok(Held {
            packets: Box::new(Alone {
                inner: packets,
                _hold: Arc::clone(&hold),
            }),
            reopen: Box::new(Again {
                drive: self.drive.clone(),
                hold,
            }),
            clock: self.drive.clock(),
            filter: None,
            polling: None,
        })
    }

    fn glance(&self) -> Result<Box<dyn PacketTransport + Send>, OpenError> {
        let label = || SimulatedDrive::label(self);
        let packets = self.drive.packets();
        packets.ok_or_else(|| OpenError::UnknownToKernel { label: label() })
    }
}

impl Registers for SimulatedDrive {
    fn label(&self) -> Label {
        SimulatedDrive::label(self)
    }

    fn place(&self) -> String {
        self.drive.name()
    }

    fn channel(&self) -> Option<&ChannelState> {
        None
    }

    fn can_wait(&self) -> bool {
        true
    }

    fn take(self: Box<Self>) -> Result<Taken, OpenError> {
        let registers = self.drive.registers();
        let inner = registers.ok_or_else(|| OpenError::NoPorts {
            name: self.name.clone(),
        })?;
        let hold = Arc::new(self.alone()?);
        Ok(Taken {
            registers: Box::new(Alone { inner, _hold: hold }),
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

/// Finds a simulated drive again.
struct Again {
    drive: SimDriveHandle,
    hold: Arc<Hold>,
}

impl Reopen for Again {
    fn reopen(&mut self) -> Result<Box<dyn PacketTransport + Send>, TransportError> {
        let inner = self.drive.packets().ok_or(TransportError::Vanished)?;
        Ok(Box::new(Alone {
            inner,
            _hold: Arc::clone(&self.hold),
        }))
    }
}

/// A way to a drive that no other run has meanwhile.
struct Alone<T> {
    inner: T,
    _hold: Arc<Hold>,
}

impl<T: PacketTransport> PacketTransport for Alone<T> {
    fn execute(
        &mut self,
        cdb: &[u8],
        data: Data<'_>,
        timeout: Duration,
    ) -> Result<Completion, TransportError> {
        self.inner.execute(cdb, data, timeout)
    }
}

impl<T: RegisterAccess> RegisterAccess for Alone<T> {
    fn read(&mut self, register: Register) -> Result<u8, TransportError> {
        self.inner.read(register)
    }

    fn write(&mut self, register: Register, value: u8) -> Result<(), TransportError> {
        self.inner.write(register, value)
    }

    fn has_data(&self) -> bool {
        self.inner.has_data()
    }

    fn read_data(&mut self) -> Result<u16, TransportError> {
        self.inner.read_data()
    }

    fn bus_master_status(&mut self) -> Result<Option<u8>, TransportError> {
        self.inner.bus_master_status()
    }

    fn clear_bus_master(&mut self) -> Result<(), TransportError> {
        self.inner.clear_bus_master()
    }
}
