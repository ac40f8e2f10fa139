//! Taking an IDE channel off the kernel, and giving it back.
//!
//! Master and slave share the registers of a channel, so no kernel device may
//! be left on it while its ports are used. Writing 1 to a device's `delete`
//! takes it off, and writing `- - -` to the host's `scan` brings it back under
//! its names (measured on Linux 6.1, ata_piix). A driver that notices when a
//! drive is switched off and on, as those of SATA ports do, would reset and ask
//! it in the middle of other accesses: where that is to be done the driver is
//! unbound, which takes the other channels along, and bound again afterwards.

mod access;
mod detached;
mod given_up;

use std::io;
use std::path::{Path, PathBuf};

use super::controller::{self, IdeChannel, NotByPorts, WhyNot};
use super::holders::{Holder, holders};
use super::interrupts;
use super::note::{self, GivenUp, Left, NoteError, SCAN_ALL, Undo};
use super::pci::{Function, PciAddress};
use super::permission::Obstacle;
use super::port_name::{PortName, Seat};
use super::system::{System, names};
use super::topology::{Located, Topology};
use crate::scsi::{DeviceType, Identity};
use crate::transport::Unit;
use crate::transport::port::Channel;

use access::about;
pub use detached::{await_scan, detach};

/// How the kernel gives a channel up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// Device by device.
    Devices,
    /// The controller's driver is unbound: all its channels go.
    Driver,
}

/// What the kernel has on a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelState {
    pub channel: IdeChannel,
    pub release: Release,
    /// What the kernel would give up, master before slave: those of the channel,
    /// or with their driver those of all channels of its controller.
    pub devices: Vec<ChannelDevice>,
    /// What a run that was ended in the middle has taken off the kernel.
    pub given_up: Vec<GivenUp>,
    /// Who else is on the interrupt line.
    pub neighbours: Vec<String>,
    /// The disks whose controllers are on the interrupt line.
    pub disks_on_line: Vec<String>,
    /// What brings the devices back, by hand after a crash.
    pub undo: Undo,
}

/// A device of the kernel on a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelDevice {
    /// `None` for a logical unit or target that no IDE channel has.
    pub seat: Option<Seat>,
    pub located: Located,
    /// Who uses it, as far as it can be seen.
    pub holders: Vec<Holder>,
}

impl ChannelDevice {
    /// `primary master: optical drive SONY DVD RW DW-D22A (/dev/sr0)`, without
    /// what is unknown.
    pub fn name(&self) -> String {
        let name = self.type_and_name();
        match self.seat {
            Some(seat) => format!("{seat}: {name}"),
            None => name,
        }
    }

    fn type_and_name(&self) -> String {
        let located = &self.located;
        let name = located.device_type.to_string();
        named(name, &located.known_as, located.node())
    }

    fn given_up(&self) -> GivenUp {
        let located = self.located.clone();
        GivenUp {
            port: located.port_no.unwrap_or_default(),
            target: located.address.target,
            lun: located.address.lun,
            sr: located.sr,
            sg: located.sg,
            known_as: located.known_as,
        }
    }
}

fn named(mut name: String, known: &Identity, node: Option<&Path>) -> String {
    for part in [&known.vendor, &known.product] {
        if !part.is_empty() {
            name.push(' ');
            name.push_str(part);
        }
    }
    if let Some(node) = node {
        name.push_str(&format!(" ({})", node.display()));
    }
    name
}

/// Why the ports of a channel are not to be used. Unless it says otherwise, the
/// kernel still has its devices.
#[derive(Debug, thiserror::Error)]
#[error("{self:?}")]
pub enum ChannelError {
    NoChannel {
        channel: Channel,
    },
    /// Its controller or port.
    NotByPorts(#[from] NotByPorts),
    /// The kernel then knows of nothing there, and a disk could be.
    NoDriver {
        on: String,
        /// Its PCI address.
        controller: String,
    },
    Hidden,
    OtherDriver {
        on: String,
        driver: String,
    },
    NotOptical {
        on: String,
        device: Box<ChannelDevice>,
    },
    InUse {
        on: String,
        device: Box<ChannelDevice>,
    },
    /// Its interrupts cannot be kept quiet, and the kernel would switch off
    /// those of the disks with them.
    SharedLine {
        on: String,
        irq: u32,
        disks: Vec<String>,
    },
    InTheWay(#[from] Obstacle),
    Note(#[from] NoteError),
    NotDetached {
        /// The device's directory in sysfs, or the controller's.
        device: PathBuf,
        source: io::Error,
    },
    /// The devices are off the kernel, and it was told to take them back.
    NotBack {
        /// By position and model.
        missing: Vec<String>,
        /// Asks the kernel to look once more, after the drive was switched off
        /// and on.
        undo: Undo,
    },
}

/// The place of the drive with this node that a run has taken off the kernel
/// and never given back, being ended in the middle.
pub fn seat_of_lost(system: &System, node: &Path) -> Option<PortName> {
    note::all_left(system).into_iter().find_map(|(name, left)| {
        let (function, _) = about(&name)?;
        let lost = left.given_up.into_iter().find(|lost| lost.had(node))?;
        Some(PortName {
            function,
            port: lost.port,
            unit: Unit::of_target(lost.target)?,
        })
    })
}

/// The places on channels with ports of their own, in the order of their controllers:
/// master, and a slave where there can be one, each with the device that the kernel has
/// there by type, model and node. Nothing is opened.
pub fn with_own_ports(system: &System) -> Vec<(IdeChannel, Seat, Option<String>)> {
    let topology = Topology::read(system);
    let functions = Function::all_storage(system);
    let channels = functions
        .iter()
        .filter(|function| controller::ready(function).is_ok())
        .filter_map(|function| controller::channels(function).ok())
        .flatten()
        .filter(|channel| channel.legacy.is_none());
    let mut places = Vec::new();
    for channel in channels {
        let devices = devices(system, &channel, Release::Devices, topology.clone());
        let units = [Unit::Master, Unit::Slave];
        let units = units.into_iter().take(1 + usize::from(channel.has_slave));
        for seat in units.filter_map(|unit| channel.seat(unit)) {
            let device = devices.iter().find(|device| device.seat == Some(seat));
            let device = device.map(ChannelDevice::type_and_name);
            places.push((channel.clone(), seat, device));
        }
    }
    places
}

/// What is on a channel. Nothing is opened or changed.
///
/// # Errors
/// Where it is not known what is there.
pub fn inspect(
    system: &System,
    channel: &IdeChannel,
    release: Release,
) -> Result<ChannelState, ChannelError> {
    let left = note::left(system, &channel.subject());
    state(system, channel, release, left.as_ref())
}

fn state(
    system: &System,
    channel: &IdeChannel,
    release: Release,
    left: Option<&Left>,
) -> Result<ChannelState, ChannelError> {
    let given_up = left.map_or_else(Vec::new, |left| left.given_up.clone());
    if let Some(Left { undo, .. }) = left.filter(|left| left.undo.is_bind()) {
        return Ok(ChannelState {
            channel: channel.clone(),
            release: Release::Driver,
            devices: Vec::new(),
            given_up,
            neighbours: Vec::new(),
            disks_on_line: Vec::new(),
            undo: undo.clone(),
        });
    }
    must_be_ours(channel)?;
    let topology = Topology::read(system);
    // Also shows that the kernel's libata has it at all.
    let scan = scan_file(system, channel, &topology)?;
    let undo = match release {
        Release::Devices => Undo {
            file: scan,
            text: SCAN_ALL.to_owned(),
        },
        Release::Driver => Undo {
            file: driver_file(system, channel, "bind"),
            text: channel.controller.clone(),
        },
    };
    let line = channel.irq.and_then(|irq| interrupts::line(system, irq));
    let others =
        |line: interrupts::Line| line.others(channel.driver.as_deref().unwrap_or_default());
    Ok(ChannelState {
        channel: channel.clone(),
        release,
        devices: devices(system, channel, release, topology),
        given_up,
        neighbours: line.map(others).unwrap_or_default(),
        disks_on_line: disks_on_line(system, channel),
        undo,
    })
}

fn must_be_ours(channel: &IdeChannel) -> Result<(), ChannelError> {
    let Some((function, _)) = &channel.function else {
        return Ok(());
    };
    controller::ready(function).map_err(|error| match error.why {
        WhyNot::NoDriver => ChannelError::NoDriver {
            on: channel.to_string(),
            controller: channel.controller.clone(),
        },
        _ => error.into(),
    })
}

/// The `scan` file of the SCSI host that the channel is for the kernel.
fn scan_file(
    system: &System,
    channel: &IdeChannel,
    topology: &Topology,
) -> Result<PathBuf, ChannelError> {
    let controller = channel.controller.clone();
    let port = topology.ports.iter().find(|port| {
        port.port_no == channel.port && port.controller.file_name() == Some(controller.as_ref())
    });
    let on = channel.to_string();
    let number = match (port.and_then(|port| port.host), channel.driver.clone()) {
        (Some(number), _) => number,
        (None, Some(driver)) => {
            return Err(ChannelError::OtherDriver { on, driver });
        }
        (None, None) => return Err(ChannelError::NoDriver { on, controller }),
    };
    let scan = system.sys(format!("class/scsi_host/host{number}/scan"));
    scan.canonicalize()
        .map_err(|source| ChannelError::NotDetached {
            device: scan,
            source,
        })
}

fn driver_file(system: &System, channel: &IdeChannel, name: &str) -> PathBuf {
    let driver = channel.driver.as_deref().unwrap_or_default();
    system.sys(format!("bus/pci/drivers/{driver}/{name}"))
}

/// Whether a device is on the channel, or with a driver on its controller.
fn is_on(channel: &IdeChannel, release: Release, located: &Located) -> bool {
    located.parent.file_name() == Some(channel.controller.as_ref())
        && (release == Release::Driver || located.port_no == Some(channel.port))
}

fn devices(
    system: &System,
    channel: &IdeChannel,
    release: Release,
    topology: Topology,
) -> Vec<ChannelDevice> {
    let mut devices: Vec<ChannelDevice> = topology
        .devices
        .into_iter()
        .filter(|located| is_on(channel, release, located))
        .map(|located| ChannelDevice {
            seat: seat(channel, &located),
            holders: holders(system, &located),
            located,
        })
        .collect();
    devices.sort_by_key(|device| device.located.address);
    devices
}

fn seat(channel: &IdeChannel, located: &Located) -> Option<Seat> {
    let unit = Unit::of_target(located.address.target).filter(|_| located.address.lun == 0)?;
    match located.port_no {
        Some(port) if port == channel.port => channel.seat(unit),
        port => Some(Seat::Port(PortName {
            function: PciAddress::parse(&channel.controller)?,
            port: port?,
            unit,
        })),
    }
}

/// Block devices but optical ones whose controllers have the interrupt line of
/// this channel, the channel's own left out: those are in the way as devices.
fn disks_on_line(system: &System, channel: &IdeChannel) -> Vec<String> {
    let Some(irq) = channel.irq else {
        return Vec::new();
    };
    let blocks = system.sys("class/block");
    names(&blocks)
        .into_iter()
        .filter(|name| !name.starts_with("sr"))
        .filter(|name| {
            let Ok(device) = blocks.join(name).canonicalize() else {
                return false;
            };
            device.ancestors().any(|path| {
                path.file_name() != Some(channel.controller.as_ref())
                    && super::pci::irq_of(path) == Some(irq)
            })
        })
        .collect()
}

impl ChannelState {
    /// Whether the channel may be taken off the kernel.
    ///
    /// # Errors
    /// A device that is no optical drive, or one in use; disks that would lose
    /// their interrupts.
    pub fn check(&self) -> Result<(), ChannelError> {
        let on = || self.channel.to_string();
        for found in &self.devices {
            let (on, device) = (on(), Box::new(found.clone()));
            if device.located.device_type != DeviceType::OPTICAL {
                return Err(ChannelError::NotOptical { on, device });
            }
            if !device.holders.is_empty() {
                return Err(ChannelError::InUse { on, device });
            }
        }
        match (self.channel.irq, self.channel.takes_nien) {
            (Some(irq), false) if !self.disks_on_line.is_empty() => Err(ChannelError::SharedLine {
                on: on(),
                irq,
                disks: self.disks_on_line.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// Whether there is something that its user has to know before it is taken.
    pub fn costs(&self) -> bool {
        !self.devices.is_empty()
            || !self.neighbours.is_empty()
            || self.release == Release::Driver && self.given_up.is_empty()
            || self.channel.is_doubted
    }

    /// What is off the kernel once the channel is taken.
    fn all(&self) -> Vec<GivenUp> {
        let mut all: Vec<GivenUp> = self.devices.iter().map(ChannelDevice::given_up).collect();
        for device in &self.given_up {
            let is_same = |other: &GivenUp| {
                (other.port, other.target, other.lun) == (device.port, device.target, device.lun)
            };
            if !all.iter().any(is_same) {
                all.push(device.clone());
            }
        }
        all
    }

    /// Who the kernel remembers or remembered as a unit of the channel.
    pub fn known_as(&self, unit: Unit) -> Option<Identity> {
        self.all()
            .into_iter()
            .find(|device| {
                (device.port, device.target, device.lun) == (self.channel.port, unit.target(), 0)
            })
            .map(|device| device.known_as)
    }
}

#[cfg(test)]
mod tests;
