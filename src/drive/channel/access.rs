//! A channel and where its registers are.

use std::fmt;

use super::ChannelError;
use crate::drive::controller::{self, Caution, IdeChannel, NotByPorts, Wiring};
use crate::drive::ioports::PortOwner;
use crate::drive::pci::{Function, PciAddress};
use crate::drive::permission::Obstacle;
use crate::drive::port_name::{PortName, Seat};
use crate::drive::position::{Position, channel_name};
use crate::drive::system::{RegistersOf, System};
use crate::drive::topology::{Located, Topology, port_owner};
use crate::transport::port::Channel;
use crate::transport::{OpenRegisters, Unit};

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
        let name = port_name(drive).filter(|_| drive.address.lun == 0)?;
        let PortName {
            function,
            port,
            unit,
        } = name;
        if let Ok(access) = Access::of_port(system, name) {
            return Some((access, unit));
        }
        let access = Access::of_legacy(system, Channel::of_number(port)?).ok()?;
        (access.controller() == function.to_string()).then_some((access, unit))
    }

    /// Why the channel of a drive cannot be reached by ports, where it is one of a
    /// PCI controller.
    pub fn why_not(system: &System, drive: &Located) -> Option<ChannelError> {
        Access::of_port(system, port_name(drive)?).err()
    }

    /// As libata counts, from 1 on.
    pub fn port(&self) -> u32 {
        match self {
            Access::Function(channel) => channel.port,
            Access::Legacy { channel, .. } => channel.number(),
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
            Access::Legacy { channel, .. } => Some(channel.irq()),
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
    pub(super) fn must_be_unchanged(&self, system: &System) -> Result<(), ChannelError> {
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

/// The port that a drive of the kernel is on.
fn port_name(drive: &Located) -> Option<PortName> {
    Some(PortName {
        function: PciAddress::parse(drive.parent.file_name()?.to_str()?)?,
        port: drive.port_no?,
        unit: Unit::of_target(drive.address.target)?,
    })
}

pub(super) fn subject(controller: &str, port: u32) -> String {
    format!("channel-{controller}-{port}")
}

/// What a subject is about: the address of the controller, and the port.
pub(super) fn about(subject: &str) -> Option<(PciAddress, u32)> {
    let (controller, port) = subject.strip_prefix("channel-")?.rsplit_once('-')?;
    Some((PciAddress::parse(controller)?, port.parse().ok()?))
}
