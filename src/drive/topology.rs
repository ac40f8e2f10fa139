//! What sysfs says about SCSI devices and the ATA ports they hang on.
//!
//! The index: on a controller with two devices a port, position = (port_no − 1)
//! · 2 + target + 1, with `port_no` from `/sys/class/ata_port/ataN` (measured on
//! Linux 6.1, ata_piix with four drives). The numbers of sr, sg, ata and host
//! are global and shift when another controller loads first; `port_no` does not.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::ioports::{self, PortOwner};
use super::pci::has_legacy;
use super::position::Position;
use super::system::{System, attribute, names};
use crate::scsi::{DeviceType, Identity, printable};
use crate::transport::Unit;
use crate::transport::port::Channel;

/// Host, channel, target and logical unit: the kernel's name of a SCSI device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScsiAddress {
    pub host: u32,
    pub channel: u32,
    pub target: u32,
    pub lun: u64,
}

impl ScsiAddress {
    /// Reads `0:0:1:0`.
    pub fn parse(text: &str) -> Option<ScsiAddress> {
        let mut numbers = text.split(':');
        let address = ScsiAddress {
            host: numbers.next()?.parse().ok()?,
            channel: numbers.next()?.parse().ok()?,
            target: numbers.next()?.parse().ok()?,
            lun: numbers.next()?.parse().ok()?,
        };
        numbers.next().is_none().then_some(address)
    }
}

impl fmt::Display for ScsiAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ScsiAddress {
            host,
            channel,
            target,
            lun,
        } = self;
        write!(f, "{host}:{channel}:{target}:{lun}")
    }
}

/// A SCSI device, mostly a drive, as the kernel shows it. Only sysfs was read: whether the nodes exist
/// and may be opened is another matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    pub device_type: DeviceType,
    /// The index, where the drive has one.
    pub position: Option<Position>,
    /// The index is a natural reading rather than what DOS would have counted:
    /// a SATA port has neither master nor slave. To be said aloud.
    pub is_guess: bool,
    /// `/dev/sgN`, `None` where the sg driver is not loaded.
    pub sg: Option<PathBuf>,
    /// `/dev/srN`, `None` where the sr driver has not taken the drive.
    pub sr: Option<PathBuf>,
    pub address: ScsiAddress,
    /// The device's own directory in sysfs.
    pub sysfs: PathBuf,
    /// The directory in sysfs of the controller or of the USB interface.
    pub parent: PathBuf,
    /// The ATA port on it, counted from 1, where it is an ATA controller.
    pub port_no: Option<u32>,
    /// The driver of the host adapter: `ata_piix`, `ahci`, `usb-storage`.
    pub driver: String,
    /// Vendor, product and revision as the kernel read them when it found the
    /// drive, which may be long ago.
    pub known_as: Identity,
}

impl Located {
    /// The node that a user would name the drive by: sr before sg.
    pub fn node(&self) -> Option<&Path> {
        self.sr.as_deref().or(self.sg.as_deref())
    }

    /// Its directory in sysfs as a block device, where the sr driver has taken it.
    pub(super) fn block(&self) -> Option<PathBuf> {
        let name = self.sr.as_deref()?.file_name()?;
        Some(self.sysfs.join("block").join(name))
    }

    /// Whether a drive is plugged in where another one was, in terms that survive its
    /// re-enumeration: the numbers of host, sr and sg change then.
    pub(super) fn is_at_place_of(&self, before: &Located) -> bool {
        let place = |of: &Located| {
            let address = of.address;
            (of.port_no, address.channel, address.target, address.lun)
        };
        self.parent == before.parent && place(self) == place(before)
    }

    /// Whether a drive that has just come back has the nodes it had: the
    /// drivers take it one after the other.
    pub(super) fn has_nodes_of(&self, before: &Located) -> bool {
        self.sg.is_some() >= before.sg.is_some() && self.sr.is_some() >= before.sr.is_some()
    }
}

/// An ATA port, with or without a device on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtaPort {
    /// The sysfs directory of the controller.
    pub controller: PathBuf,
    /// Counted from 1 on each controller.
    pub port_no: u32,
    /// The number of the SCSI host that the port is for the kernel.
    pub host: Option<u32>,
    pub driver: String,
}

impl AtaPort {
    /// The driver serves parallel ports, with a master and a slave each. AHCI
    /// and the drivers named `sata_…` have one device a port.
    fn is_parallel(&self) -> bool {
        self.driver.starts_with("pata_")
            || matches!(self.driver.as_str(), "ata_piix" | "ata_generic")
    }
}

/// What the index 1–4 counts on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexBasis {
    /// The controller at the legacy ports, the one that DOS meant: its PCI
    /// address, channel by channel.
    LegacyPorts { primary: String, secondary: String },
    /// The only controller with masters and slaves.
    OnlyParallel { controller: PathBuf },
    /// The only SATA controller, port by port: a guess.
    SataPorts { controller: PathBuf },
    /// More than one controller could be meant; none is at the legacy ports.
    Ambiguous { controllers: Vec<PathBuf> },
    /// No ATA controller.
    Nothing,
}

/// All SCSI devices and ATA ports of a machine at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    /// Those with a position first and in its order, then by path.
    pub devices: Vec<Located>,
    pub ports: Vec<AtaPort>,
    pub basis: IndexBasis,
}

impl Topology {
    /// Reads sysfs and `/proc/ioports`. A machine without SCSI has no devices.
    pub fn read(system: &System) -> Topology {
        let ports: Vec<AtaPort> = names(&system.sys("class/ata_port"))
            .iter()
            .filter_map(|name| ata_port(&system.sys("class/ata_port").join(name)))
            .collect();
        let basis = basis(system, &ports);
        let mut devices: Vec<Located> = names(&system.sys("class/scsi_device"))
            .iter()
            .filter_map(|name| device(system, name, &ports, &basis))
            .collect();
        devices.sort_by_cached_key(|device| {
            let position = device.position;
            (position.is_none(), position, device.sysfs.clone())
        });
        Topology {
            devices,
            ports,
            basis,
        }
    }

    /// The optical drives.
    pub fn drives(&self) -> impl Iterator<Item = &Located> {
        self.devices
            .iter()
            .filter(|device| device.device_type == DeviceType::OPTICAL)
    }
}

/// `/sys/class/ata_port/ataN` is a link to `…/controller/ataN/ata_port/ataN`.
fn ata_port(link: &Path) -> Option<AtaPort> {
    let directory = link.canonicalize().ok()?;
    let ata = directory.parent()?.parent()?;
    let host = names(ata)
        .iter()
        .find_map(|name| name.strip_prefix("host")?.parse().ok());
    let driver = host.and_then(|host: u32| {
        let name = format!("host{host}");
        attribute(
            &ata.join(&name)
                .join("scsi_host")
                .join(name)
                .join("proc_name"),
        )
    });
    Some(AtaPort {
        controller: ata.parent()?.to_owned(),
        port_no: attribute(&directory.join("port_no"))?.parse().ok()?,
        host,
        driver: driver.unwrap_or_default(),
    })
}

/// Whether a channel is at the legacy ports, `None` where that is hidden from
/// this user.
pub(super) fn is_at_legacy_ports(
    system: &System,
    ports: &[AtaPort],
    channel: Channel,
) -> Option<bool> {
    match port_owner(system, ports, channel) {
        PortOwner::Controller { .. } | PortOwner::Driver(_) => Some(true),
        PortOwner::Nobody => Some(false),
        PortOwner::Hidden => None,
    }
}

/// The owner of a legacy channel, also where `/proc/ioports` hides it from this
/// user. [`PortOwner::Hidden`] is left where no ATA controller says it is there.
pub(super) fn port_owner(system: &System, ports: &[AtaPort], channel: Channel) -> PortOwner {
    let listed = attribute(&system.proc("ioports")).unwrap_or_default();
    match ioports::owner(&listed, channel) {
        PortOwner::Hidden => ports
            .iter()
            .find(|port| {
                attribute(&port.controller.join("resource"))
                    .is_some_and(|text| has_legacy(&text, channel))
            })
            .and_then(|port| {
                Some(PortOwner::Controller {
                    pci: port.controller.file_name()?.to_str()?.to_owned(),
                    driver: Some(port.driver.clone()),
                })
            })
            .unwrap_or(PortOwner::Hidden),
        owner => owner,
    }
}

fn basis(system: &System, ports: &[AtaPort]) -> IndexBasis {
    let at = |channel| match port_owner(system, ports, channel) {
        PortOwner::Controller { pci, .. } => Some(pci),
        _ => None,
    };
    // The channel of a controller that has only the other one at its legacy
    // ports is still its second channel.
    match (at(Channel::Primary), at(Channel::Secondary)) {
        (Some(primary), Some(secondary)) => return IndexBasis::LegacyPorts { primary, secondary },
        (Some(pci), None) | (None, Some(pci)) => {
            return IndexBasis::LegacyPorts {
                primary: pci.clone(),
                secondary: pci,
            };
        }
        (None, None) => {}
    }
    let controllers = |is_parallel: bool| -> BTreeSet<&PathBuf> {
        let ports = ports.iter();
        let ports = ports.filter(|port| port.is_parallel() == is_parallel);
        ports.map(|port| &port.controller).collect()
    };
    let (parallel, serial) = (controllers(true), controllers(false));
    let is_parallel = !parallel.is_empty();
    let meant = if is_parallel { parallel } else { serial };
    let mut controllers: Vec<PathBuf> = meant.into_iter().cloned().collect();
    match controllers.pop() {
        None => IndexBasis::Nothing,
        Some(controller) if !controllers.is_empty() => {
            controllers.push(controller);
            IndexBasis::Ambiguous { controllers }
        }
        Some(controller) if is_parallel => IndexBasis::OnlyParallel { controller },
        Some(controller) => IndexBasis::SataPorts { controller },
    }
}

/// The position that a device on a port has, and whether it is a guess.
fn position(basis: &IndexBasis, port: &AtaPort, address: ScsiAddress) -> Option<(Position, bool)> {
    if address.channel != 0 || address.lun != 0 {
        return None;
    }
    let unit = Unit::of_target(address.target)?;
    let channel = Channel::of_number(port.port_no);
    match basis {
        IndexBasis::LegacyPorts { primary, secondary } => {
            let channel = channel?;
            let pci = match channel {
                Channel::Primary => primary,
                Channel::Secondary => secondary,
            };
            let is_there = port.controller.file_name()? == pci.as_str();
            is_there.then(|| (Position::of(channel, unit), false))
        }
        IndexBasis::OnlyParallel { controller } => {
            let is_there = port.controller == *controller;
            Some((Position::of(channel?, unit), false)).filter(|_| is_there)
        }
        IndexBasis::SataPorts { controller } => {
            let number = u8::try_from(port.port_no).ok()?;
            let is_there = port.controller == *controller && unit == Unit::Master;
            Some((Position::new(number)?, true)).filter(|_| is_there)
        }
        IndexBasis::Ambiguous { .. } | IndexBasis::Nothing => None,
    }
}

fn device(system: &System, name: &str, ports: &[AtaPort], basis: &IndexBasis) -> Option<Located> {
    let address = ScsiAddress::parse(name)?;
    let sysfs = system.sys("class/scsi_device").join(name).join("device");
    let sysfs = fs::canonicalize(sysfs).ok()?;
    let device_type = DeviceType(attribute(&sysfs.join("type"))?.parse().ok()?);

    let host_name = format!("host{}", address.host);
    let host = sysfs
        .ancestors()
        .find(|path| path.file_name().is_some_and(|name| name == &*host_name))?;
    let port = ports.iter().find(|port| port.host == Some(address.host));
    let index = port.and_then(|port| position(basis, port, address));
    let driver = host.join("scsi_host").join(&host_name).join("proc_name");
    let text = |name: &str| {
        let text = attribute(&sysfs.join(name)).unwrap_or_default();
        printable(text.as_bytes())
    };
    let node = |directory: &str, prefix: &str| {
        names(&sysfs.join(directory))
            .into_iter()
            .find(|name| name.starts_with(prefix))
            .map(|name| system.dev(name))
    };
    Some(Located {
        device_type,
        position: index.map(|(position, _)| position),
        is_guess: index.is_some_and(|(_, is_guess)| is_guess),
        sg: node("scsi_generic", "sg"),
        sr: node("block", "sr"),
        address,
        parent: match port {
            Some(port) => port.controller.clone(),
            None => host.parent()?.to_owned(),
        },
        port_no: port.map(|port| port.port_no),
        driver: attribute(&driver).unwrap_or_default(),
        known_as: Identity::named(text("vendor"), text("model"), text("rev")),
        sysfs,
    })
}
