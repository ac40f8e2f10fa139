//! From what a user or the kernel names to a channel, and how its registers are had.

use std::fmt;

use super::ChannelError;
use crate::drive::controller::{self, IdeChannel, WhyNot, Wiring};
use crate::drive::ioports::PortOwner;
use crate::drive::pci::{Function, PciAddress};
use crate::drive::permission::Obstacle;
use crate::drive::port_name::{PortName, Seat};
use crate::drive::position::{Position, channel_name};
use crate::drive::system::System;
use crate::drive::topology::{Located, Topology, port_owner};
use crate::transport::port::{Channel, Layout};
use crate::transport::{OpenRegisters, Unit};

impl fmt::Display for IdeChannel {
    /// `the secondary channel`, or `port 2 of 0000:03:00.0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.legacy {
            Some(channel) => write!(f, "the {} channel", channel_name(channel)),
            None => write!(f, "port {} of {}", self.port, self.controller),
        }
    }
}

impl IdeChannel {
    /// The legacy channel of a position.
    ///
    /// # Errors
    /// Where the channel is not at its legacy ports, or not known to be.
    pub fn of_legacy(system: &System, channel: Channel) -> Result<IdeChannel, ChannelError> {
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
        Ok(own.unwrap_or(IdeChannel {
            controller,
            driver,
            function: None,
            port: channel.number(),
            legacy: Some(channel),
            wiring: Wiring::Parallel,
            has_slave: true,
            takes_nien: true,
            is_doubted: false,
            irq: Some(channel.irq()),
        }))
    }

    /// The channel of a port that is named.
    ///
    /// # Errors
    /// [`ChannelError`], where there is none that can be used.
    pub fn of_port(system: &System, name: PortName) -> Result<IdeChannel, ChannelError> {
        let address = name.function;
        let function = Function::read(system, address);
        let function = function.ok_or_else(|| WhyNot::NoFunction.of(address))?;
        Ok(controller::channel(&function, name.port, name.unit)?)
    }

    /// The channel that a drive of the kernel is on; `None` where it is on none
    /// that can be reached by ports.
    pub fn of_drive(system: &System, drive: &Located) -> Option<(IdeChannel, Unit)> {
        let name = port_name(drive).filter(|_| drive.address.lun == 0)?;
        let PortName {
            function,
            port,
            unit,
        } = name;
        if let Ok(channel) = IdeChannel::of_port(system, name) {
            return Some((channel, unit));
        }
        let channel = IdeChannel::of_legacy(system, Channel::of_number(port)?).ok()?;
        (channel.controller == function.to_string()).then_some((channel, unit))
    }

    /// Why the channel of a drive cannot be reached by ports, where it is one of a
    /// PCI controller.
    pub fn why_not(system: &System, drive: &Located) -> Option<ChannelError> {
        IdeChannel::of_port(system, port_name(drive)?).err()
    }

    /// The first I/O port of the command block, where that is known.
    pub fn base(&self) -> Option<u64> {
        match &self.function {
            Some((function, Layout { command, .. })) => {
                let region = function.regions.get(command.region)?;
                Some(region.first + command.offset)
            }
            None => self.legacy.map(|channel| channel.base().into()),
        }
    }

    /// The place of one of its drives.
    pub fn seat(&self, unit: Unit) -> Option<Seat> {
        match (self.legacy, &self.function) {
            (Some(channel), _) => Some(Seat::Position(Position::of(channel, unit))),
            (None, Some((function, _))) => Some(Seat::Port(PortName {
                function: function.address,
                port: self.port,
                unit,
            })),
            (None, None) => None,
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
        let opened = system.kernel().registers(self);
        opened.map_err(|error| Obstacle::to_ports(system, error))
    }

    /// The name of the note about it.
    pub fn subject(&self) -> String {
        subject(&self.controller, self.port)
    }

    /// Whether its function is as it was when this was read, and answers.
    pub(super) fn must_be_unchanged(&self, system: &System) -> Result<(), ChannelError> {
        let Some((before, _)) = &self.function else {
            return Ok(());
        };
        let address = before.address;
        let now = Function::read(system, address).filter(|now| now.is_as(before));
        let now = now.ok_or_else(|| WhyNot::Changed.of(address))?;
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
