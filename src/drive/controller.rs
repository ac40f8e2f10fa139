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

use super::pci::{Function, PciAddress, Region};
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

/// One channel of a controller, and where its registers are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdeChannel {
    /// The PCI address of its controller.
    pub controller: String,
    /// The driver that has the controller.
    pub driver: Option<String>,
    /// The function that it is a part of, and its registers there; `None` for one at
    /// the legacy ports whose function does not show them in sysfs.
    pub function: Option<(Function, Layout)>,
    /// As libata counts them, from 1 on.
    pub port: u32,
    /// Which legacy channel it is, where it is at those ports.
    pub legacy: Option<Channel>,
    pub wiring: Wiring,
    /// A slave can be addressed.
    pub has_slave: bool,
    /// nIEN may be set and cleared.
    pub takes_nien: bool,
    /// Its ports stand for registers in memory, and drives are reported not to answer
    /// there. Its user is told so before anything is done.
    pub is_doubted: bool,
    /// The interrupt line, as the kernel numbers it.
    pub irq: Option<u32>,
}

/// A controller of which no channel, or not the one in question, is used by its ports.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{self:?}")]
pub struct NotByPorts {
    pub address: PciAddress,
    pub why: WhyNot,
}

/// Why a controller or one of its channels is not used by its ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhyNot {
    NoFunction,
    NotIde {
        class: u32,
    },
    Ahci,
    OwnEngine {
        name: &'static str,
    },
    RaidMode {
        name: &'static str,
    },
    NoPort {
        port: u32,
    },
    NoSlave {
        port: u32,
    },
    NoRegion {
        port: u32,
        region: usize,
    },
    NoDriver,
    /// A virtual machine or a program has the whole function.
    GivenAway {
        driver: String,
    },
    PortsOff,
    /// Between the question and the first command.
    Changed,
    Asleep {
        state: String,
    },
}

impl WhyNot {
    pub fn of(self, address: PciAddress) -> NotByPorts {
        NotByPorts { address, why: self }
    }
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
    is_doubted: bool,
}

impl Ports {
    const SERIAL: Ports = Ports {
        shape: Shape::Rule,
        takes_nien: true,
        wiring: Wiring::Serial,
        is_doubted: false,
    };
    const PARALLEL: Ports = Ports {
        wiring: Wiring::Parallel,
        ..Ports::SERIAL
    };
}

const SERIAL: Access = Access::ByPorts(Ports::SERIAL);
const PARALLEL: Access = Access::ByPorts(Ports::PARALLEL);

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
            ..Ports::SERIAL
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
            ..Ports::SERIAL
        }),
    ),
    // Linux `sata_via.c` (vt8251).
    known("VIA VT8251", 0x1106, &[0x5287, 0x9000], SERIAL),
    // Linux `pata_jmicron.c`; JungleFlasher lists 197B:2363.
    Known {
        function: Some(1),
        ..known(
            "JMicron JMB36x",
            0x197B,
            &[0x2361, 0x2363, 0x2365, 0x2366, 0x2369],
            PARALLEL,
        )
    },
    known("JMicron JMB368", 0x197B, &[0x2368], PARALLEL),
    known(
        "JMicron AHCI controller",
        0x197B,
        &[0x2360, 0x2362, 0x2364],
        Access::OwnEngine,
    ),
    // Linux `pata_sil680.c`.
    known("SiI 680", 0x1095, &[0x0680], PARALLEL),
    // Linux `sata_sil.c`: it uses memory. At the ports: reported.
    known(
        "SiI 3112",
        0x1095,
        &[0x3112, 0x3114, 0x3512],
        Access::ByPorts(Ports {
            is_doubted: true,
            ..Ports::SERIAL
        }),
    ),
    // Linux `pata_marvell.c`.
    known(
        "Marvell 88SE61xx",
        0x11AB,
        &[0x6101, 0x6121, 0x6145],
        PARALLEL,
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
        PARALLEL,
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

fn is_ide(function: &Function) -> bool {
    function.class >> 8 == 0x0101
}

fn is_ahci(function: &Function) -> bool {
    function.class >> 8 == 0x0106
}

/// A controller's channels, as far as they are at I/O ports. Nothing is opened;
/// whether the function is awake and whose it is, [`ready`] tells.
///
/// # Errors
/// [`NotByPorts`], where no channel of it can be used.
pub fn channels(function: &Function) -> Result<Vec<IdeChannel>, NotByPorts> {
    let refused = |why: WhyNot| Err(why.of(function.address));
    let known = row_of(function);
    let name = known.map_or("", |known| known.name);
    let by_rule_of = |driver: &Option<String>| match driver {
        Some(driver) if driver.starts_with("pata_") => Ports::PARALLEL,
        _ => Ports::SERIAL,
    };
    let by_ports = match known.map(|known| &known.access) {
        Some(Access::OwnEngine) => return refused(WhyNot::OwnEngine { name }),
        _ if is_ahci(function) => return refused(WhyNot::Ahci),
        Some(Access::ByPorts(ports)) => *ports,
        // A byte that cannot be read says nothing good either.
        Some(&Access::PassThrough(byte))
            if function
                .configuration(byte)
                .is_none_or(|mode| mode & 1 != 0) =>
        {
            return refused(WhyNot::RaidMode { name });
        }
        Some(Access::PassThrough(_)) => Ports::PARALLEL,
        None if is_ide(function) => by_rule_of(&function.driver),
        None => {
            let class = function.class;
            return refused(WhyNot::NotIde { class });
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
            controller: function.address.to_string(),
            driver: function.driver.clone(),
            function: Some((function.clone(), layout)),
            port,
            wiring,
            // On ICH the slave is a SATA port of its own.
            has_slave: wiring == Wiring::Parallel || known.is_none(),
            takes_nien: by_ports.takes_nien,
            is_doubted: by_ports.is_doubted,
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

/// One channel of a controller, on which a drive of this unit can be addressed.
///
/// # Errors
/// [`NotByPorts`], also where the controller has no such port.
pub fn channel(function: &Function, port: u32, unit: Unit) -> Result<IdeChannel, NotByPorts> {
    let mut found = channels(function)?.into_iter();
    match found.find(|channel| channel.port == port) {
        Some(channel) if channel.has_slave || unit == Unit::Master => Ok(channel),
        Some(_) => Err(WhyNot::NoSlave { port }.of(function.address)),
        None => Err(WhyNot::NoPort { port }.of(function.address)),
    }
}

/// Whether a function answers at its ports and is this program's to use.
///
/// # Errors
/// [`NotByPorts`], where a driver of another kind has it or none has, or it
/// does not answer.
pub fn ready(function: &Function) -> Result<(), NotByPorts> {
    match &function.driver {
        None => Err(WhyNot::NoDriver.of(function.address)),
        Some(driver) if driver.starts_with("vfio") || driver.starts_with("uio") => {
            let driver = driver.clone();
            Err(WhyNot::GivenAway { driver }.of(function.address))
        }
        Some(_) => awake(function),
    }
}

/// Whether a function answers at its ports, whoever has it.
///
/// # Errors
/// [`WhyNot::PortsOff`] or [`WhyNot::Asleep`].
pub fn awake(function: &Function) -> Result<(), NotByPorts> {
    const COMMAND: u64 = 4;
    const IO_SPACE: u8 = 0x01;
    if let Some(state) = function.sleep() {
        return Err(WhyNot::Asleep { state }.of(function.address));
    }
    match function.configuration(COMMAND) {
        Some(command) if command & IO_SPACE == 0 => Err(WhyNot::PortsOff.of(function.address)),
        _ => Ok(()),
    }
}

/// A region of a channel, which has so many ports.
fn region(function: &Function, port: u32, number: usize, ports: u64) -> Result<Region, NotByPorts> {
    let region = function.regions.get(number).copied();
    region
        .filter(|region| region.has_ports(ports))
        .ok_or_else(|| missing(function, port, number))
}

fn missing(function: &Function, port: u32, region: usize) -> NotByPorts {
    WhyNot::NoRegion { port, region }.of(function.address)
}

/// The layout of a channel by the rule, and which legacy channel it is. In
/// compatibility mode the kernel has the legacy ports in the same regions.
fn by_rule(function: &Function, port: u32) -> Result<(Layout, Option<Channel>), NotByPorts> {
    let (legacy, native_bit) = match port {
        1 => (Channel::Primary, 0x01),
        _ => (Channel::Secondary, 0x04),
    };
    let is_native = !is_ide(function) || function.class & native_bit != 0;
    let command = 2 * (port - 1) as usize;
    let control = command + 1;
    let is_at_legacy = region(function, port, command, 8)?.first == u64::from(legacy.base());
    if !is_native && !is_at_legacy {
        return Err(missing(function, port, command));
    }
    // Device Control is the port whose last bits are 10: the third of four in
    // native mode, 3F6h and 376h themselves in compatibility mode.
    let start = region(function, port, control, 1)?.first;
    let offset = (start | 2) - start;
    region(function, port, control, offset + 1)?;
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
    let number = (port - 1) as usize;
    region(function, port, number, 16)?;
    Ok(Layout {
        command: Block::at(number, 0),
        control: Block::at(number, 0x0A),
        bus_master: bus_master(function, port, 3),
    })
}

/// Eight ports a channel in region 4, where the controller has a bus master.
fn bus_master(function: &Function, port: u32, channels: u64) -> Option<Block> {
    let region = function.regions.get(4)?;
    let offset = 8 * u64::from(port - 1);
    region.has_ports(8 * channels).then(|| Block::at(4, offset))
}

#[cfg(test)]
mod tests;
