//! IDE controllers as data: where the registers of their channels are, and
//! which of them cannot be reached at I/O ports at all.
//!
//! The rule is the one of PCI's IDE class: a function of class 0101 has two
//! channels, and bits 0 and 2 of its programming interface say whether each is
//! in native mode. There the command block is region 2c, Device Control is in
//! region 2c + 1, and the bus master in region 4. What differs is in `KNOWN`.
//!
//! Sources: Linux `drivers/ata` (`libata-sff.c`, `sata_via.c`, `ata_piix.c`,
//! `pata_it821x.c` and the drivers that the entries name) and
//! `drivers/pci/probe.c`; the list of controllers that JungleFlasher 0.1.96
//! reaches. The rule was measured on Linux 6.1 with an emulated CMD646 and
//! PIIX3. **Nothing here was tried on a card.**

use super::pci::{Function, PciAddress};
use crate::transport::Unit;
use crate::transport::port::{Block, Channel, Layout};

/// What carries the drives of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wiring {
    /// A ribbon cable: the kernel does not notice when a drive goes off and on.
    Parallel,
    /// SATA, or not known to be parallel: a driver that is bound may notice, and
    /// reset and ask the drive in the middle of other accesses.
    Serial,
}

/// Something that its user is told before anything is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caution {
    /// The ports of these stand for registers in memory, and drives are
    /// reported not to answer there.
    ReportedNotToWork,
}

/// One channel of a controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdeChannel {
    pub function: Function,
    /// As libata counts them, from 1 on.
    pub port: u32,
    /// Which legacy channel it is, where it is at those ports.
    pub legacy: Option<Channel>,
    pub layout: Layout,
    pub wiring: Wiring,
    /// A slave can be addressed.
    pub has_slave: bool,
    /// nIEN may be set and cleared.
    pub takes_nien: bool,
    pub caution: Option<Caution>,
    /// The interrupt line, as the kernel numbers it.
    pub irq: Option<u32>,
}

/// Why a controller or one of its channels is not used by its ports.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{self:?}")]
pub enum NotByPorts {
    NoFunction {
        address: PciAddress,
    },
    NotIde {
        address: PciAddress,
        class: u32,
    },
    Ahci {
        address: PciAddress,
    },
    OwnEngine {
        address: PciAddress,
        name: &'static str,
    },
    RaidMode {
        address: PciAddress,
        name: &'static str,
    },
    NoPort {
        address: PciAddress,
        port: u32,
        /// Those that it has.
        ports: Vec<u32>,
    },
    NoSlave {
        address: PciAddress,
        port: u32,
    },
    NoRegion {
        address: PciAddress,
        port: u32,
        region: usize,
    },
    NoDriver {
        address: PciAddress,
    },
    /// A virtual machine or a program has the whole function.
    GivenAway {
        address: PciAddress,
        driver: String,
    },
    PortsOff {
        address: PciAddress,
    },
    /// Between the question and the first command.
    Changed {
        address: PciAddress,
    },
    Asleep {
        address: PciAddress,
        state: String,
    },
}

/// How the channels of a controller lie in its regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// As the class has it.
    Rule,
    /// A region each with command block and Device Control, for three channels
    /// of which the third is parallel.
    Vt6421,
}

/// What is known of a controller beyond the rule.
struct Known {
    name: &'static str,
    vendor: u16,
    /// All of the vendor's where it is empty.
    devices: &'static [u16],
    /// Only this function of the card.
    function: Option<u8>,
    access: Access,
}

enum Access {
    ByPorts(Ports),
    /// In pass-through mode only: bit 0 of this byte of the configuration is
    /// clear then.
    PassThrough(u64),
    OwnEngine,
}

/// How a controller is used by its ports.
#[derive(Clone, Copy)]
struct Ports {
    shape: Shape,
    takes_nien: bool,
    wiring: Wiring,
    caution: Option<Caution>,
}

const SERIAL: Ports = Ports {
    shape: Shape::Rule,
    takes_nien: true,
    wiring: Wiring::Serial,
    caution: None,
};

const PARALLEL: Ports = Ports {
    wiring: Wiring::Parallel,
    ..SERIAL
};

const fn known(name: &'static str, vendor: u16, devices: &'static [u16], access: Access) -> Known {
    Known {
        name,
        vendor,
        devices,
        function: None,
        access,
    }
}

/// Controllers that are used or refused whatever their class says, and what is
/// special about them. None of it was tried on a card.
const KNOWN: &[Known] = &[
    // Linux `sata_via.c` (vt6421_init_addrs); the three ports that
    // JungleFlasher lists. The field's favourite.
    known(
        "VIA VT6421",
        0x1106,
        &[0x3249],
        Access::ByPorts(Ports {
            shape: Shape::Vt6421,
            ..SERIAL
        }),
    ),
    // Linux `sata_via.c` (vt6420; svia_noop_freeze: "some VIA controllers choke
    // if ATA_NIEN is manipulated").
    known(
        "VIA VT6420",
        0x1106,
        &[0x3149, 0x0591, 0x5337, 0x5372, 0x7372],
        Access::ByPorts(Ports {
            takes_nien: false,
            ..SERIAL
        }),
    ),
    // Linux `sata_via.c` (vt8251).
    known(
        "VIA VT8251",
        0x1106,
        &[0x5287, 0x9000],
        Access::ByPorts(SERIAL),
    ),
    // Linux `pata_jmicron.c`; JungleFlasher lists 197B:2363.
    Known {
        function: Some(1),
        ..known(
            "JMicron JMB36x",
            0x197B,
            &[0x2361, 0x2363, 0x2365, 0x2366, 0x2369],
            Access::ByPorts(PARALLEL),
        )
    },
    known(
        "JMicron JMB368",
        0x197B,
        &[0x2368],
        Access::ByPorts(PARALLEL),
    ),
    known(
        "JMicron AHCI controller",
        0x197B,
        &[0x2360, 0x2362, 0x2364],
        Access::OwnEngine,
    ),
    // Linux `pata_sil680.c`.
    known("SiI 680", 0x1095, &[0x0680], Access::ByPorts(PARALLEL)),
    // Linux `sata_sil.c`: it uses memory. At the ports: reported.
    known(
        "SiI 3112",
        0x1095,
        &[0x3112, 0x3114, 0x3512],
        Access::ByPorts(Ports {
            caution: Some(Caution::ReportedNotToWork),
            ..SERIAL
        }),
    ),
    // Linux `pata_marvell.c`.
    known(
        "Marvell 88SE61xx",
        0x11AB,
        &[0x6101, 0x6121, 0x6145],
        Access::ByPorts(PARALLEL),
    ),
    // Linux `pata_it821x.c` (it821x_init_one): inferred.
    known(
        "ITE IT8212",
        0x1283,
        &[0x8211, 0x8212],
        Access::PassThrough(0x50),
    ),
    known("Promise controller", 0x105A, &[], Access::OwnEngine),
    known("ASMedia controller", 0x1B21, &[], Access::OwnEngine),
    // Linux `ata_piix.c`: its parallel ones. The others it serves are SATA, with
    // a port each for master and slave.
    known(
        "Intel PIIX or ICH, parallel",
        0x8086,
        &[
            0x7010, 0x7111, 0x7199, 0x7601, 0x84CA, 0x2411, 0x2421, 0x244A, 0x244B, 0x248A, 0x248B,
            0x24CA, 0x24CB, 0x24DB, 0x245B, 0x24C1, 0x25A2, 0x266F, 0x27DF, 0x269E, 0x2850,
        ],
        Access::ByPorts(PARALLEL),
    ),
];

fn row_of(function: &Function) -> Option<&'static Known> {
    KNOWN.iter().find(|known| {
        known.vendor == function.vendor
            && (known.devices.is_empty() || known.devices.contains(&function.device))
            && known
                .function
                .is_none_or(|number| number == function.address.function())
    })
}

/// What kind of storage controller a function is, by its class.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Ide,
    Ahci,
    Other,
}

fn class(function: &Function) -> Class {
    match function.class >> 8 {
        0x0101 => Class::Ide,
        0x0106 => Class::Ahci,
        _ => Class::Other,
    }
}

/// A controller's channels, as far as they are at I/O ports. Nothing is opened;
/// whether the function is awake and whose it is, [`ready`] tells.
///
/// # Errors
/// [`NotByPorts`], where no channel of it can be used.
pub fn channels(function: &Function) -> Result<Vec<IdeChannel>, NotByPorts> {
    let address = function.address;
    let known = row_of(function);
    let name = known.map_or("", |known| known.name);
    let by_rule_of = |driver: &Option<String>| match driver {
        Some(driver) if driver.starts_with("pata_") => PARALLEL,
        _ => SERIAL,
    };
    let by_ports = match known.map(|known| &known.access) {
        Some(Access::OwnEngine) => return Err(NotByPorts::OwnEngine { address, name }),
        _ if class(function) == Class::Ahci => return Err(NotByPorts::Ahci { address }),
        Some(Access::ByPorts(ports)) => *ports,
        // A byte that cannot be read says nothing good either.
        Some(&Access::PassThrough(byte))
            if function
                .configuration(byte)
                .is_none_or(|mode| mode & 1 != 0) =>
        {
            return Err(NotByPorts::RaidMode { address, name });
        }
        Some(Access::PassThrough(_)) => PARALLEL,
        None if class(function) == Class::Ide => by_rule_of(&function.driver),
        None => {
            let class = function.class;
            return Err(NotByPorts::NotIde { address, class });
        }
    };
    let ports = match by_ports.shape {
        Shape::Rule => 1..=2,
        Shape::Vt6421 => 1..=3,
    };
    let channels = ports.map(|port| {
        let (layout, legacy) = match by_ports.shape {
            Shape::Rule => by_rule(function, port)?,
            Shape::Vt6421 => (vt6421(function, port)?, None),
        };
        let wiring = match (by_ports.shape, port) {
            (Shape::Vt6421, 3) => Wiring::Parallel,
            _ => by_ports.wiring,
        };
        Ok(IdeChannel {
            function: function.clone(),
            port,
            layout,
            wiring,
            // On ICH the slave is a SATA port of its own.
            has_slave: wiring == Wiring::Parallel || known.is_none(),
            takes_nien: by_ports.takes_nien,
            caution: by_ports.caution,
            irq: legacy.map(Channel::irq).or(function.irq),
            legacy,
        })
    });
    let (found, missing): (Vec<_>, Vec<_>) = channels.partition(Result::is_ok);
    match missing.into_iter().find_map(Result::err) {
        Some(error) if found.is_empty() => Err(error),
        _ => Ok(found.into_iter().flatten().collect()),
    }
}

/// One channel of a controller.
///
/// # Errors
/// [`NotByPorts`], also where the controller has no such port.
pub fn channel(function: &Function, port: u32) -> Result<IdeChannel, NotByPorts> {
    let found = channels(function)?;
    let ports = found.iter().map(|channel| channel.port).collect();
    let address = function.address;
    found
        .into_iter()
        .find(|channel| channel.port == port)
        .ok_or(NotByPorts::NoPort {
            address,
            port,
            ports,
        })
}

impl IdeChannel {
    /// Whether a drive of this unit can be addressed.
    ///
    /// # Errors
    /// [`NotByPorts::NoSlave`].
    pub fn check_unit(&self, unit: Unit) -> Result<(), NotByPorts> {
        if unit == Unit::Slave && !self.has_slave {
            return Err(NotByPorts::NoSlave {
                address: self.function.address,
                port: self.port,
            });
        }
        Ok(())
    }
}

/// Whether a function answers at its ports and is this program's to use.
///
/// # Errors
/// [`NotByPorts`], where a driver of another kind has it or none has, or it
/// does not answer.
pub fn ready(function: &Function) -> Result<(), NotByPorts> {
    let address = function.address;
    match &function.driver {
        None => return Err(NotByPorts::NoDriver { address }),
        Some(driver) if driver.starts_with("vfio") || driver.starts_with("uio") => {
            let driver = driver.clone();
            return Err(NotByPorts::GivenAway { address, driver });
        }
        Some(_) => {}
    }
    awake(function)
}

/// Whether a function answers at its ports, whoever has it.
///
/// # Errors
/// [`NotByPorts::PortsOff`] or [`NotByPorts::Asleep`].
pub fn awake(function: &Function) -> Result<(), NotByPorts> {
    const COMMAND: u64 = 4;
    const IO_SPACE: u8 = 0x01;
    let address = function.address;
    if let Some(state) = function.sleep() {
        return Err(NotByPorts::Asleep { address, state });
    }
    match function.configuration(COMMAND) {
        Some(command) if command & IO_SPACE == 0 => Err(NotByPorts::PortsOff { address }),
        _ => Ok(()),
    }
}

/// The number of a region, as it is counted from 0.
fn first_region(port: u32) -> usize {
    usize::try_from(port.saturating_sub(1)).map_or(usize::MAX, |channel| channel * 2)
}

/// The layout of a channel by the rule, and which legacy channel it is. In
/// compatibility mode the kernel has the legacy ports in the same regions.
fn by_rule(function: &Function, port: u32) -> Result<(Layout, Option<Channel>), NotByPorts> {
    let (legacy, native_bit) = match port {
        1 => (Channel::Primary, 0x01),
        _ => (Channel::Secondary, 0x04),
    };
    let is_native = class(function) != Class::Ide || function.class & native_bit != 0;
    let (command, control) = (first_region(port), first_region(port) + 1);
    let missing = |region| NotByPorts::NoRegion {
        address: function.address,
        port,
        region,
    };
    let region = |number: usize, ports: u64| {
        let region = function.regions.get(number).copied();
        region
            .filter(|region| region.has_ports(ports))
            .ok_or_else(|| missing(number))
    };
    let is_at_legacy = region(command, 8)?.first == u64::from(legacy.base());
    if !is_native && !is_at_legacy {
        return Err(missing(command));
    }
    // Device Control is the port whose last bits are 10: the third of four in
    // native mode, 3F6h and 376h themselves in compatibility mode.
    let start = region(control, 1)?.first;
    let offset = (start | 2) - start;
    region(control, offset + 1)?;
    Ok((
        Layout {
            command: Block::at(command, 0),
            control: Block::at(control, offset),
            bus_master: bus_master(function, port, 2),
        },
        (!is_native).then_some(legacy),
    ))
}

fn vt6421(function: &Function, port: u32) -> Result<Layout, NotByPorts> {
    let number = usize::try_from(port.saturating_sub(1)).unwrap_or(usize::MAX);
    let region = function.regions.get(number);
    if !region.is_some_and(|region| region.has_ports(16)) {
        return Err(NotByPorts::NoRegion {
            address: function.address,
            port,
            region: number,
        });
    }
    Ok(Layout {
        command: Block::at(number, 0),
        control: Block::at(number, 0x0A),
        bus_master: bus_master(function, port, 3),
    })
}

/// Eight ports a channel in region 4, where the controller has a bus master.
fn bus_master(function: &Function, port: u32, channels: u64) -> Option<Block> {
    let region = function.regions.get(4)?;
    let offset = 8 * u64::from(port.saturating_sub(1));
    region.has_ports(8 * channels).then(|| Block::at(4, offset))
}

#[cfg(test)]
mod tests;
