//! The machine that this program runs on.

use std::sync::Arc;

use super::error::OpenError;
use super::folders;
use super::list::{Listed, Listing};
use super::machine::{Folders, Guess, Held, Lent, Machine, Registers, Spot, Taken};
use super::name::{At, DriveName, Label};
use crate::drive::hold::Polling;
use crate::drive::legacy::{self, ChannelState, Detached, LegacyError};
use crate::drive::note::{self, NoteError, Settled};
use crate::drive::{
    Hold, HoldError, Inhibitor, Located, MediumRule, Obstacle, Position, System, list, locate_path,
    locate_position,
};
use crate::protocol::packet::Reopen;
use crate::scsi::Identity;
use crate::transport::clock::SystemClock;
use crate::transport::{Clock, DevPort, PacketTransport, TransportError};

/// The kernel and its drives.
pub struct Host {
    system: System,
    clock: Arc<dyn Clock>,
}

impl Default for Host {
    fn default() -> Self {
        Host::of(System::host())
    }
}

impl Host {
    pub fn of(system: System) -> Host {
        Host {
            system,
            clock: Arc::new(SystemClock::default()),
        }
    }
}

impl Machine for Host {
    fn settle(&self) -> Vec<Settled> {
        let settled = note::settle(&self.system);
        let is_scan = |settled: &Settled| settled.outcome.is_ok() && settled.undo.is_scan();
        if settled.iter().any(is_scan) {
            legacy::await_scan(&self.system, self.clock.as_ref());
        }
        settled
    }

    fn list(&self) -> Listing {
        let listing = list::list(&self.system);
        Listing {
            drives: listing.drives.into_iter().map(Listed::from).collect(),
            basis: listing.basis,
            has_legacy_ports: listing.has_legacy_ports,
        }
    }

    fn locate(&self, name: &DriveName) -> Result<Box<dyn Spot>, OpenError> {
        let located = match name {
            DriveName::Index(index) => {
                let position = Position::new(*index).ok_or(OpenError::NoPosition(*index))?;
                locate_position(&self.system, position)?
            }
            DriveName::Path(path) => locate_path(&self.system, path)?,
        };
        Ok(Box::new(KernelDrive {
            system: self.system.clone(),
            clock: Arc::clone(&self.clock),
            name: name.clone(),
            located,
        }))
    }

    fn ports(
        &self,
        position: Position,
        medium: MediumRule,
    ) -> Result<Box<dyn Registers>, OpenError> {
        let system = &self.system;
        let state = legacy::inspect(system, position.channel())?;
        state.check()?;
        let controller = system.sys(format!("bus/pci/devices/{}", state.controller));
        let ports = DevPort::open(position.channel(), &controller)
            .map_err(|error| Obstacle::to_ports(system, error))?;
        let mut on_channel = state.devices.iter();
        let known = on_channel.find(|device| device.position == Some(position));
        if let Some(device) = known {
            self.refuse_medium(&device.located, medium)?;
        }
        Ok(Box::new(LegacyPorts {
            system: system.clone(),
            clock: Arc::clone(&self.clock),
            position,
            known_as: known.map(|device| device.located.known_as.clone()),
            ports,
            state,
        }))
    }

    fn folders(&self) -> Folders {
        folders::of_host(self.system.is_superuser())
    }

    fn inhibit(&self, why: &str) -> Option<Inhibitor> {
        Inhibitor::take(why)
    }
}

impl Host {
    /// A medium in the drive, which the kernel can still tell. A drive that does
    /// not answer it is no reason to stop: the ports may be the only way to it.
    fn refuse_medium(&self, drive: &Located, rule: MediumRule) -> Result<(), HoldError> {
        match Hold::take(&self.system, drive, rule, Arc::clone(&self.clock)) {
            Err(error @ (HoldError::Medium { .. } | HoldError::Starting { .. })) => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

/// A drive that the kernel has.
struct KernelDrive {
    system: System,
    clock: Arc<dyn Clock>,
    name: DriveName,
    located: Located,
}

impl Spot for KernelDrive {
    fn label(&self) -> Label {
        let node = self.located.node();
        Label {
            called: self.name.clone(),
            at: node.map_or(At::Address(self.located.address), |node| {
                At::Node(node.to_owned())
            }),
        }
    }

    fn place(&self) -> String {
        let place = &self.located.place;
        match (place.port_no, place.parent.file_name()) {
            (Some(port), Some(controller)) => {
                ata_place(&controller.to_string_lossy(), port, place.target)
            }
            _ => format!(
                "{} {}:{}:{}",
                place.parent.display(),
                place.channel,
                place.target,
                place.lun
            ),
        }
    }

    fn guess(&self) -> Option<Guess> {
        let is_by_index = matches!(self.name, DriveName::Index(_));
        (self.located.is_guess && is_by_index).then(|| Guess {
            port: self.located.place.port_no.unwrap_or_default(),
            node: self.located.node().map(ToOwned::to_owned),
        })
    }

    fn at_ports(&self) -> Option<Position> {
        legacy::position_of(&self.system, &self.located)
    }

    fn hold(&self, medium: MediumRule) -> Result<Held, OpenError> {
        let clock = Arc::clone(&self.clock);
        let mut hold = Hold::take(&self.system, &self.located, medium, Arc::clone(&clock))?;
        Ok(Held {
            filter: Some(hold.why_not_permitted(&self.system)),
            polling: left_on(hold.take_polling()),
            packets: Box::new(hold),
            reopen: Box::new(InPlace {
                system: self.system.clone(),
                before: self.located.clone(),
                clock: Arc::clone(&clock),
            }),
            clock,
        })
    }
}

/// Polling that goes on, and was not told by whoever looked for crashed runs.
fn left_on(polling: Polling) -> Option<NoteError> {
    match polling {
        Polling::LeftOn {
            why: NoteError::NotSettled { .. } | NoteError::NotTakenBack { .. },
        }
        | Polling::Off
        | Polling::None => None,
        Polling::LeftOn { why } => Some(why),
    }
}

/// `0000:00:01.1 port 2 target 0`, whichever way it is reached.
fn ata_place(controller: &str, port: u32, target: u32) -> String {
    format!("{controller} port {port} target {target}")
}

/// Finds a drive again by its place in the system, under whatever names.
struct InPlace {
    system: System,
    before: Located,
    clock: Arc<dyn Clock>,
}

impl Reopen for InPlace {
    fn reopen(&mut self) -> Result<Box<dyn PacketTransport + Send>, TransportError> {
        // The desktop looks at a new drive as well: one that is busy now will
        // be free in a moment.
        match Hold::again(&self.system, &self.before, Arc::clone(&self.clock)) {
            Ok(Some(hold)) => Ok(Box::new(hold)),
            Ok(None) | Err(_) => Err(TransportError::Vanished),
        }
    }
}

/// A legacy channel whose devices the kernel still has.
struct LegacyPorts {
    system: System,
    clock: Arc<dyn Clock>,
    position: Position,
    known_as: Option<Identity>,
    ports: DevPort,
    state: ChannelState,
}

impl Registers for LegacyPorts {
    fn label(&self) -> Label {
        Label {
            called: DriveName::Index(self.position.number()),
            at: At::Ports(self.position),
        }
    }

    fn place(&self) -> String {
        let index = u32::from(self.position.number() - 1);
        ata_place(&self.state.controller, index / 2 + 1, index % 2)
    }

    fn channel(&self) -> Option<&ChannelState> {
        Some(&self.state).filter(|state| !state.devices.is_empty())
    }

    fn take(self: Box<Self>) -> Result<Taken, OpenError> {
        let detached = legacy::detach(&self.system, self.position.channel())?;
        Ok(Taken {
            registers: Box::new(self.ports),
            unit: self.position.unit(),
            clock: Arc::clone(&self.clock),
            known_as: self.known_as,
            lent: Some(Box::new(OffKernel {
                detached,
                clock: self.clock,
            })),
        })
    }
}

struct OffKernel {
    detached: Detached,
    clock: Arc<dyn Clock>,
}

impl Lent for OffKernel {
    fn give_back(self: Box<Self>) -> Result<(), LegacyError> {
        self.detached.bring_back(self.clock.as_ref()).map(drop)
    }
}

impl From<list::Listed> for Listed {
    fn from(listed: list::Listed) -> Listed {
        let drive = listed.drive;
        Listed {
            position: drive.position,
            is_guess: drive.is_guess,
            nodes: [drive.sr, drive.sg].into_iter().flatten().collect(),
            is_simulated: false,
            identity: Some(listed.identity.clone().unwrap_or(drive.known_as)),
            said: listed.identity,
            medium: listed.medium,
            obstacles: listed.obstacles,
            silence: listed.silence,
        }
    }
}
