//! Taking an IDE channel off the kernel, and giving it back.
//!
//! Master and slave share the registers of a channel, so no kernel device may
//! be left on it while its ports are used. Writing 1 to a device's `delete`
//! takes it off, and writing `- - -` to the host's `scan` brings it back under
//! its names (measured on Linux 6.1, ata_piix). A driver that notices when a
//! drive is switched off and on, as those of SATA ports do, would reset and ask
//! it in the middle of other accesses: where that is to be done the driver is
//! unbound, which takes the other channels along, and bound again afterwards.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::controller::{self, Caution, IdeChannel, NotByPorts, Wiring};
use super::holders::{Holder, holders};
use super::interrupts;
use super::ioports::PortOwner;
use super::note::{self, Left, Note, NoteError, Undo};
use super::pci::{Function, PciAddress};
use super::permission::Obstacle;
use super::port_name::{PortName, Seat};
use super::position::{Position, channel_name};
use super::system::{OpenDrive, OpenRegisters, RegistersOf, System, names};
use super::topology::{Located, Topology, port_owner};
use crate::scsi::{DeviceType, Identity};
use crate::transport::port::Channel;
use crate::transport::{Clock, Unit};

/// Any channel, target and logical unit.
pub(super) const SCAN_ALL: &str = "- - -";

/// How long drives may take to come back after a scan: libata resets the
/// channel first.
const COME_BACK: Duration = Duration::from_secs(30);
const COME_BACK_STEP: Duration = Duration::from_millis(250);

/// Looks at unchanged drives after which a scan counts as over. libata knows
/// its devices when the scan returns, and hands them on a moment later.
const UNCHANGED_LOOKS: u32 = 4;

/// A channel and where its registers are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// In the regions of a PCI function.
    Function(Box<IdeChannel>),
    /// At the legacy ports, of a function that does not show them in sysfs.
    Legacy {
        channel: Channel,
        /// The PCI address of the controller.
        controller: String,
        driver: Option<String>,
    },
}

impl fmt::Display for Access {
    /// `the secondary channel`, or `port 2 of 0000:03:00.0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.legacy() {
            Some(channel) => write!(f, "the {} channel", channel_name(channel)),
            None => write!(f, "port {} of {}", self.port(), self.controller()),
        }
    }
}

impl Access {
    /// The legacy channel of a position.
    ///
    /// # Errors
    /// Where the channel is not at its legacy ports, or not known to be.
    pub fn of_legacy(system: &System, channel: Channel) -> Result<Access, ChannelError> {
        let ports = Topology::read(system).ports;
        let (controller, driver) = match port_owner(system, &ports, channel) {
            PortOwner::Controller { pci, driver } => (pci, driver),
            PortOwner::Nobody => return Err(ChannelError::NoChannel { channel }),
            PortOwner::Hidden => return Err(ChannelError::Hidden),
            PortOwner::Driver(driver) => {
                let on = format!("the {} channel", channel_name(channel));
                return Err(ChannelError::OtherDriver { on, driver });
            }
        };
        let function = PciAddress::parse(&controller).and_then(|at| Function::read(system, at));
        let channels = function.and_then(|function| controller::channels(&function).ok());
        let own = channels
            .into_iter()
            .flatten()
            .find(|own| own.legacy == Some(channel));
        Ok(match own {
            Some(own) => Access::Function(Box::new(own)),
            None => Access::Legacy {
                channel,
                controller,
                driver,
            },
        })
    }

    /// The channel of a port that is named.
    ///
    /// # Errors
    /// [`NotByPorts`], where there is none that can be used.
    pub fn of_port(system: &System, name: PortName) -> Result<Access, ChannelError> {
        let address = name.function;
        let function = Function::read(system, address);
        let function = function.ok_or(NotByPorts::NoFunction { address })?;
        let channel = controller::channel(&function, name.port)?;
        channel.check_unit(name.unit)?;
        Ok(Access::Function(Box::new(channel)))
    }

    /// The channel that a drive of the kernel is on; `None` where it is on none
    /// that can be reached by ports.
    pub fn of_drive(system: &System, drive: &Located) -> Option<(Access, Unit)> {
        let unit = unit(drive.address.target).filter(|_| drive.address.lun == 0)?;
        let port = drive.place.port_no?;
        let function = PciAddress::parse(drive.place.parent.file_name()?.to_str()?)?;
        let name = PortName {
            function,
            port,
            unit,
        };
        if let Ok(access) = Access::of_port(system, name) {
            return Some((access, unit));
        }
        let channel = match port {
            1 => Channel::Primary,
            2 => Channel::Secondary,
            _ => return None,
        };
        let access = Access::of_legacy(system, channel).ok()?;
        (access.controller() == function.to_string()).then_some((access, unit))
    }

    /// Why the channel of a drive cannot be reached by ports, where it is one of a
    /// PCI controller.
    pub fn why_not(system: &System, drive: &Located) -> Option<ChannelError> {
        let name = PortName {
            function: PciAddress::parse(drive.place.parent.file_name()?.to_str()?)?,
            port: drive.place.port_no?,
            unit: unit(drive.address.target)?,
        };
        Access::of_port(system, name).err()
    }

    /// As libata counts, from 1 on.
    pub fn port(&self) -> u32 {
        match self {
            Access::Function(channel) => channel.port,
            Access::Legacy {
                channel: Channel::Primary,
                ..
            } => 1,
            Access::Legacy {
                channel: Channel::Secondary,
                ..
            } => 2,
        }
    }

    /// The PCI address of the controller.
    pub fn controller(&self) -> String {
        match self {
            Access::Function(channel) => channel.function.address.to_string(),
            Access::Legacy { controller, .. } => controller.clone(),
        }
    }

    /// The driver that has the controller.
    pub fn driver(&self) -> Option<&str> {
        match self {
            Access::Function(channel) => channel.function.driver.as_deref(),
            Access::Legacy { driver, .. } => driver.as_deref(),
        }
    }

    /// Which legacy channel it is, where it is one.
    pub fn legacy(&self) -> Option<Channel> {
        match self {
            Access::Function(channel) => channel.legacy,
            Access::Legacy { channel, .. } => Some(*channel),
        }
    }

    /// The first I/O port of the command block, where that is known.
    pub fn base(&self) -> Option<u64> {
        match self {
            Access::Function(channel) => {
                let command = channel.layout.command;
                let region = channel.function.regions.get(command.region)?;
                Some(region.first + command.offset)
            }
            Access::Legacy { channel, .. } => Some(u64::from(channel.base())),
        }
    }

    /// The place of one of its drives.
    pub fn seat(&self, unit: Unit) -> Option<Seat> {
        match (self.legacy(), self) {
            (Some(channel), _) => Some(Seat::Position(Position::of(channel, unit))),
            (None, Access::Function(channel)) => Some(Seat::Port(PortName {
                function: channel.function.address,
                port: channel.port,
                unit,
            })),
            (None, Access::Legacy { .. }) => None,
        }
    }

    /// A driver that is bound notices when a drive is switched off and on.
    pub fn is_serial(&self) -> bool {
        matches!(self, Access::Function(channel) if channel.wiring == Wiring::Serial)
    }

    pub fn takes_nien(&self) -> bool {
        match self {
            Access::Function(channel) => channel.takes_nien,
            Access::Legacy { .. } => true,
        }
    }

    pub fn caution(&self) -> Option<Caution> {
        match self {
            Access::Function(channel) => channel.caution,
            Access::Legacy { .. } => None,
        }
    }

    /// The interrupt line, as the kernel numbers it.
    pub fn irq(&self) -> Option<u32> {
        match self {
            Access::Function(channel) => channel.irq,
            Access::Legacy { channel, .. } => Some(match channel {
                Channel::Primary => 14,
                Channel::Secondary => 15,
            }),
        }
    }

    /// Opens the registers. None is read or written.
    ///
    /// # Errors
    /// [`Obstacle`], by cause; a kernel that is locked down is one.
    pub fn open(&self, system: &System) -> Result<OpenRegisters, Obstacle> {
        if let Some(obstacle) = Obstacle::to_any_port(system) {
            return Err(obstacle);
        }
        let opened = match self {
            Access::Function(channel) => system.kernel().registers(&RegistersOf::Function {
                folder: &channel.function.folder,
                layout: &channel.layout,
            }),
            Access::Legacy { channel, .. } => {
                system.kernel().registers(&RegistersOf::Legacy(*channel))
            }
        };
        opened.map_err(|error| Obstacle::to_ports(system, error))
    }

    /// The name of the note about it.
    pub fn subject(&self) -> String {
        subject(&self.controller(), self.port())
    }

    /// Whether its function is as it was when this was read, and answers.
    fn must_be_unchanged(&self, system: &System) -> Result<(), ChannelError> {
        let Access::Function(channel) = self else {
            return Ok(());
        };
        let before = &channel.function;
        let address = before.address;
        let now = Function::read(system, address).filter(|now| now.is_as(before));
        let now = now.ok_or(NotByPorts::Changed { address })?;
        Ok(controller::awake(&now)?)
    }
}

fn subject(controller: &str, port: u32) -> String {
    format!("channel-{controller}-{port}")
}

/// What a subject is about: the address of the controller, and the port.
fn about(subject: &str) -> Option<(PciAddress, u32)> {
    let (controller, port) = subject.strip_prefix("channel-")?.rsplit_once('-')?;
    Some((PciAddress::parse(controller)?, port.parse().ok()?))
}

fn unit(target: u32) -> Option<Unit> {
    match target {
        0 => Some(Unit::Master),
        1 => Some(Unit::Slave),
        _ => None,
    }
}

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
    pub access: Access,
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
    undo: Undo,
}

/// A device of the kernel on a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelDevice {
    /// `None` for a logical unit or target that no IDE channel has.
    pub seat: Option<Seat>,
    pub device_type: DeviceType,
    pub located: Located,
    /// Who uses it, as far as it can be seen.
    pub holders: Vec<Holder>,
}

impl ChannelDevice {
    /// `primary master: optical drive SONY DVD RW DW-D22A (/dev/sr0)`, without
    /// what is unknown.
    pub fn name(&self) -> String {
        let name = match self.seat {
            Some(seat) => format!("{seat}: {}", self.device_type),
            None => self.device_type.to_string(),
        };
        named(name, &self.located.known_as, self.located.node())
    }

    fn given_up(&self) -> GivenUp {
        let Located {
            sr, sg, known_as, ..
        } = &self.located;
        GivenUp {
            port: self.located.place.port_no.unwrap_or_default(),
            target: self.located.place.target,
            lun: self.located.place.lun,
            sr: sr.clone(),
            sg: sg.clone(),
            known_as: known_as.clone(),
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

/// A device that the kernel has given up, as a note keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenUp {
    pub port: u32,
    pub target: u32,
    pub lun: u64,
    pub sr: Option<PathBuf>,
    pub sg: Option<PathBuf>,
    pub known_as: Identity,
}

impl GivenUp {
    /// Whether it had this node.
    pub fn had(&self, node: &Path) -> bool {
        [&self.sr, &self.sg]
            .into_iter()
            .flatten()
            .any(|had| had == node)
    }

    fn name(&self, access: &Access) -> String {
        let seat = unit(self.target)
            .filter(|_| self.port == access.port())
            .and_then(|unit| access.seat(unit));
        let name = match seat {
            Some(seat) => format!("{seat}: {}", DeviceType::OPTICAL),
            None => format!("port {}: {}", self.port, DeviceType::OPTICAL),
        };
        named(
            name,
            &self.known_as,
            self.sr.as_deref().or(self.sg.as_deref()),
        )
    }

    fn is_back(&self, now: &Located) -> bool {
        (now.place.port_no, now.place.target, now.place.lun)
            == (Some(self.port), self.target, self.lun)
            && now.sg.is_some() >= self.sg.is_some()
            && now.sr.is_some() >= self.sr.is_some()
    }

    fn line(&self) -> String {
        let node = |node: &Option<PathBuf>| {
            let node = node.as_deref().and_then(Path::to_str);
            node.unwrap_or_default().to_owned()
        };
        let known = &self.known_as;
        let words = [
            self.port.to_string(),
            self.target.to_string(),
            self.lun.to_string(),
            node(&self.sr),
            node(&self.sg),
            known.vendor.clone(),
            known.product.clone(),
            known.revision.clone(),
        ];
        words.join("\t") + "\n"
    }

    fn read(line: &str) -> Option<GivenUp> {
        let mut words = line.split('\t');
        let mut word = || words.next();
        let node = |word: &str| (!word.is_empty()).then(|| PathBuf::from(word));
        Some(GivenUp {
            port: word()?.parse().ok()?,
            target: word()?.parse().ok()?,
            lun: word()?.parse().ok()?,
            sr: node(word()?),
            sg: node(word()?),
            known_as: Identity {
                vendor: word()?.to_owned(),
                product: word()?.to_owned(),
                revision: word()?.to_owned(),
                serial: None,
            },
        })
    }

    fn all(left: Option<&Left>) -> Vec<GivenUp> {
        let lines = left.map_or("", |left| left.about.as_str()).lines();
        lines.filter_map(GivenUp::read).collect()
    }
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
        #[source]
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

/// Waits until what a scan has found is there, for a scan whose devices are not
/// known beforehand.
pub fn await_scan(system: &System, clock: &dyn Clock) {
    let start = clock.now();
    let mut before = Topology::read(system).devices;
    let mut unchanged = 0;
    while unchanged < UNCHANGED_LOOKS && clock.now().saturating_sub(start) < COME_BACK {
        clock.sleep(COME_BACK_STEP);
        let now = Topology::read(system).devices;
        unchanged = if now == before { unchanged + 1 } else { 0 };
        before = now;
    }
}

/// The place of the drive with this node that a run has taken off the kernel
/// and never given back, being ended in the middle.
pub fn seat_of_lost(system: &System, node: &Path) -> Option<PortName> {
    note::all_left(system).into_iter().find_map(|(name, left)| {
        let (function, _) = about(&name)?;
        let lost = GivenUp::all(Some(&left));
        let lost = lost.into_iter().find(|lost| lost.had(node))?;
        Some(PortName {
            function,
            port: lost.port,
            unit: unit(lost.target)?,
        })
    })
}

/// A channel that can be taken, and what the kernel has on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Takeable {
    pub access: Access,
    /// Master, and a slave where there can be one.
    pub seats: Vec<Seat>,
    /// By type, model and node, each with its place.
    pub devices: Vec<(Seat, String)>,
}

/// The channels with ports of their own, in the order of their controllers.
/// Nothing is opened.
pub fn with_own_ports(system: &System) -> Vec<Takeable> {
    let topology = Topology::read(system);
    Function::all_storage(system)
        .iter()
        .filter(|function| controller::ready(function).is_ok())
        .filter_map(|function| controller::channels(function).ok())
        .flatten()
        .filter(|channel| channel.legacy.is_none())
        .map(|channel| {
            let units = [Unit::Master, Unit::Slave];
            let units = units.into_iter().take(1 + usize::from(channel.has_slave));
            let access = Access::Function(Box::new(channel));
            Takeable {
                seats: units.filter_map(|unit| access.seat(unit)).collect(),
                devices: devices(system, &access, Release::Devices, topology.clone())
                    .iter()
                    .filter_map(|device| {
                        let name = device.device_type.to_string();
                        let located = &device.located;
                        Some((device.seat?, named(name, &located.known_as, located.node())))
                    })
                    .collect(),
                access,
            }
        })
        .collect()
}

/// What is on a channel. Nothing is opened or changed.
///
/// # Errors
/// Where it is not known what is there.
pub fn inspect(
    system: &System,
    access: &Access,
    release: Release,
) -> Result<ChannelState, ChannelError> {
    let left = note::left(system, &access.subject());
    state(system, access, release, left.as_ref())
}

fn state(
    system: &System,
    access: &Access,
    release: Release,
    left: Option<&Left>,
) -> Result<ChannelState, ChannelError> {
    let given_up = GivenUp::all(left);
    if let Some(Left { undo, .. }) = left.filter(|left| left.undo.is_bind()) {
        return Ok(ChannelState {
            access: access.clone(),
            release: Release::Driver,
            devices: Vec::new(),
            given_up,
            neighbours: Vec::new(),
            disks_on_line: Vec::new(),
            undo: undo.clone(),
        });
    }
    must_be_ours(access)?;
    let topology = Topology::read(system);
    let undo = match release {
        Release::Devices => Undo {
            file: scan_file(system, access, &topology)?,
            text: SCAN_ALL.to_owned(),
        },
        Release::Driver => {
            // That the kernel's libata has it at all.
            scan_file(system, access, &topology)?;
            Undo {
                file: driver_file(system, access, "bind"),
                text: access.controller(),
            }
        }
    };
    let line = access.irq().and_then(|irq| interrupts::line(system, irq));
    let neighbours = match (line, access.driver()) {
        (Some(line), driver) => line.others(driver.unwrap_or_default()),
        (None, _) => Vec::new(),
    };
    Ok(ChannelState {
        access: access.clone(),
        release,
        devices: devices(system, access, release, topology),
        given_up,
        neighbours,
        disks_on_line: disks_on_line(system, access),
        undo,
    })
}

fn must_be_ours(access: &Access) -> Result<(), ChannelError> {
    let Access::Function(channel) = access else {
        return Ok(());
    };
    controller::ready(&channel.function).map_err(|error| match error {
        NotByPorts::NoDriver { address } => ChannelError::NoDriver {
            on: access.to_string(),
            controller: address.to_string(),
        },
        error => error.into(),
    })
}

/// The `scan` file of the SCSI host that the channel is for the kernel.
fn scan_file(
    system: &System,
    access: &Access,
    topology: &Topology,
) -> Result<PathBuf, ChannelError> {
    let controller = access.controller();
    let port = topology.ports.iter().find(|port| {
        port.port_no == access.port() && port.controller.file_name() == Some(controller.as_ref())
    });
    let on = access.to_string();
    let number = match (port.and_then(|port| port.host), access.driver()) {
        (Some(number), _) => number,
        (None, Some(driver)) => {
            let driver = driver.to_owned();
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

fn driver_file(system: &System, access: &Access, name: &str) -> PathBuf {
    let driver = access.driver().unwrap_or_default();
    system.sys(format!("bus/pci/drivers/{driver}/{name}"))
}

/// Whether a device is on the channel, or with a driver on its controller.
fn is_on(access: &Access, release: Release, located: &Located) -> bool {
    let controller = access.controller();
    located.place.parent.file_name() == Some(controller.as_ref())
        && (release == Release::Driver || located.place.port_no == Some(access.port()))
}

fn devices(
    system: &System,
    access: &Access,
    release: Release,
    topology: Topology,
) -> Vec<ChannelDevice> {
    let mut devices: Vec<ChannelDevice> = topology
        .devices
        .into_iter()
        .filter(|device| is_on(access, release, &device.located))
        .map(|device| ChannelDevice {
            seat: seat(access, &device.located),
            device_type: device.device_type,
            holders: holders(system, &device.located),
            located: device.located,
        })
        .collect();
    devices.sort_by_key(|device| device.located.address);
    devices
}

fn seat(access: &Access, located: &Located) -> Option<Seat> {
    let unit = unit(located.address.target).filter(|_| located.address.lun == 0)?;
    match located.place.port_no {
        Some(port) if port == access.port() => access.seat(unit),
        port => Some(Seat::Port(PortName {
            function: PciAddress::parse(&access.controller())?,
            port: port?,
            unit,
        })),
    }
}

/// Block devices but optical ones whose controllers have the interrupt line of
/// this channel, the channel's own left out: those are in the way as devices.
fn disks_on_line(system: &System, access: &Access) -> Vec<String> {
    let Some(irq) = access.irq() else {
        return Vec::new();
    };
    let controller = access.controller();
    let blocks = system.sys("class/block");
    names(&blocks)
        .into_iter()
        .filter(|name| !name.starts_with("sr"))
        .filter(|name| {
            let Ok(device) = blocks.join(name).canonicalize() else {
                return false;
            };
            device.ancestors().any(|path| {
                path.file_name() != Some(controller.as_ref())
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
        let on = || self.access.to_string();
        for device in &self.devices {
            let device = || Box::new(device.clone());
            if device().device_type != DeviceType::OPTICAL {
                return Err(ChannelError::NotOptical {
                    on: on(),
                    device: device(),
                });
            }
            if !device().holders.is_empty() {
                return Err(ChannelError::InUse {
                    on: on(),
                    device: device(),
                });
            }
        }
        match (self.access.irq(), self.access.takes_nien()) {
            (Some(irq), false) if !self.disks_on_line.is_empty() => Err(ChannelError::SharedLine {
                on: on(),
                irq,
                disks: self.disks_on_line.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// What brings the devices back, by hand after a crash.
    pub fn undo(&self) -> Undo {
        self.undo.clone()
    }

    /// Whether there is something that its user has to know before it is taken.
    pub fn costs(&self) -> bool {
        !self.devices.is_empty()
            || !self.neighbours.is_empty()
            || self.release == Release::Driver && self.given_up.is_empty()
            || self.access.caution().is_some()
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
        let target = match unit {
            Unit::Master => 0,
            Unit::Slave => 1,
        };
        self.all()
            .into_iter()
            .find(|device| {
                (device.port, device.target, device.lun) == (self.access.port(), target, 0)
            })
            .map(|device| device.known_as)
    }
}

/// A channel without kernel devices. They come back when it is dropped.
pub struct Detached {
    system: System,
    note: Option<Note>,
    state: ChannelState,
    given_up: Vec<GivenUp>,
    /// The controller's other channels, locked while its driver is away.
    _others: Vec<Note>,
}

/// Takes all devices of a channel off the kernel, after looking again whether
/// they may be. No other mtkflash gets the channel meanwhile. The user has
/// agreed before.
///
/// What a run that was ended in the middle has taken off already stays off: a
/// kernel that gets a drive in vendor mode back asks it who it is.
///
/// # Errors
/// As [`ChannelState::check`], or where the kernel refuses; the devices are
/// back then, but for those that such a run has taken.
pub fn detach(
    system: &System,
    access: &Access,
    release: Release,
) -> Result<Detached, ChannelError> {
    let (mut note, left) = Note::take_over(system, &access.subject())?;
    let prepared = prepare(system, access, release, left.as_ref());
    let (state, held, others) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            match left {
                Some(_) => note.leave_as_found(),
                None => drop(note),
            }
            return Err(error);
        }
    };
    let given_up = state.all();
    let about: String = given_up.iter().map(GivenUp::line).collect();
    note.promise_about(state.undo(), &about)?;
    let mut detached = Detached {
        system: system.clone(),
        note: Some(note),
        given_up,
        state,
        _others: others,
    };
    let outcome = detached.take_off();
    // Before the scan, also after a failure, or the names would still be taken.
    drop(held);
    if let (Err(_), None, Some(note)) = (&outcome, &left, &mut detached.note) {
        if inspect(system, access, release).is_ok_and(|now| now.devices == detached.state.devices) {
            note.withdraw();
        }
    }
    outcome?;
    let left_over = detached.on_kernel().into_iter().next();
    if let Some(device) = left_over {
        return Err(ChannelError::NotDetached {
            device: device.sysfs,
            source: io::Error::other("it is still there"),
        });
    }
    access.must_be_unchanged(system)?;
    Ok(detached)
}

type Prepared = (ChannelState, Vec<OpenDrive>, Vec<Note>);

fn prepare(
    system: &System,
    access: &Access,
    release: Release,
    left: Option<&Left>,
) -> Result<Prepared, ChannelError> {
    let state = state(system, access, release, left)?;
    let others = match state.release {
        Release::Devices => Vec::new(),
        Release::Driver => other_ports(access)
            .map(|port| Note::open(system, &subject(&access.controller(), port)))
            .collect::<Result<_, _>>()?,
    };
    state.check()?;
    let held = hold_all(system, &state)?;
    Ok((state, held, others))
}

fn other_ports(access: &Access) -> impl Iterator<Item = u32> {
    let channels = match access {
        Access::Function(channel) => controller::channels(&channel.function).unwrap_or_default(),
        Access::Legacy { .. } => Vec::new(),
    };
    let own = access.port();
    channels
        .into_iter()
        .map(|channel| channel.port)
        .filter(move |port| *port != own)
}

/// All nodes opened exclusively, so that nobody can begin to use a drive
/// between the check and its removal.
fn hold_all(system: &System, state: &ChannelState) -> Result<Vec<OpenDrive>, ChannelError> {
    let mut held = Vec::new();
    for device in &state.devices {
        let drive = &device.located;
        for node in [&drive.sr, &drive.sg].into_iter().flatten() {
            let open = system.kernel().open(node, true);
            match open.map_err(|error| Obstacle::to_open(system, drive, error)) {
                Ok(open) => held.push(open),
                Err(Obstacle::NodeNotMade { .. }) => {}
                Err(Obstacle::Open(crate::transport::sg_io::SgOpenError::NoDevice { .. })) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(held)
}

/// Writes to a file of sysfs that takes something off the kernel.
fn take(system: &System, device: &Path, file: &Path, text: &str) -> Result<(), ChannelError> {
    let written = system.kernel().write(file, text);
    written.map_err(|source| match source.kind() {
        // Its sysfs is for reading only, whatever else it was given.
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied
            if system.is_container() =>
        {
            Obstacle::PortsInContainer.into()
        }
        _ => ChannelError::NotDetached {
            device: device.to_owned(),
            source,
        },
    })
}

impl Detached {
    /// What was on the channel.
    pub fn state(&self) -> &ChannelState {
        &self.state
    }

    /// Whether a run that was ended in the middle had taken something off.
    pub fn is_taken_over(&self) -> bool {
        !self.state.given_up.is_empty() || self.is_unbound_before()
    }

    fn is_unbound_before(&self) -> bool {
        let access = &self.state.access;
        self.state.release == Release::Driver && access.driver().is_none()
    }

    fn take_off(&self) -> Result<(), ChannelError> {
        let (system, state) = (&self.system, &self.state);
        match state.release {
            Release::Devices => state.devices.iter().try_for_each(|device| {
                let sysfs = &device.located.sysfs;
                take(system, sysfs, &sysfs.join("delete"), "1")
            }),
            Release::Driver if self.is_unbound_before() => Ok(()),
            Release::Driver => {
                let unbind = driver_file(system, &state.access, "unbind");
                take(system, &unbind, &unbind, &state.access.controller())
            }
        }
    }

    /// What of it the kernel has now.
    fn on_kernel(&self) -> Vec<Located> {
        let state = &self.state;
        Topology::read(&self.system)
            .devices
            .into_iter()
            .map(|device| device.located)
            .filter(|located| is_on(&state.access, state.release, located))
            .collect()
    }

    /// Gives the channel back and waits until the drives are there, which they
    /// should be under their old names. To be called after vendor mode has been
    /// left and interrupts are on again. Dropping only gives it back.
    ///
    /// A drive that was not there before and has come alive is among them.
    ///
    /// # Errors
    /// [`ChannelError::NotBack`], or where the kernel cannot be told to.
    pub fn bring_back(mut self, clock: &dyn Clock) -> Result<Vec<Located>, ChannelError> {
        if let Some(note) = self.note.take() {
            note.settle()?;
        }
        let start = clock.now();
        loop {
            let now = self.on_kernel();
            let missing: Vec<String> = self
                .given_up
                .iter()
                .filter(|device| !now.iter().any(|now| device.is_back(now)))
                .map(|device| device.name(&self.state.access))
                .collect();
            if missing.is_empty() {
                return Ok(now);
            }
            if clock.now().saturating_sub(start) >= COME_BACK {
                return Err(ChannelError::NotBack {
                    missing,
                    undo: self.state.undo(),
                });
            }
            clock.sleep(COME_BACK_STEP);
        }
    }
}

#[cfg(test)]
mod tests;
