//! Taking a legacy IDE channel off the kernel, and giving it back.
//!
//! Master and slave share the registers of a channel, so no kernel device may
//! be left on it while its ports are used. Writing 1 to a device's `delete`
//! takes it off, and writing `- - -` to the host's `scan` brings it back under
//! its names (measured on Linux 6.1, ata_piix). Unbinding the driver instead
//! would take the other channel along, perhaps with the system disk.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::holders::{Holder, holders};
use super::ioports::PortOwner;
use super::note::{Note, NoteError, Undo};
use super::permission::Obstacle;
use super::position::{Position, channel_name};
use super::system::{OpenDrive, System};
use super::topology::{Located, Topology, port_owner};
use crate::scsi::DeviceType;
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

/// What the kernel has on a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelState {
    pub channel: Channel,
    /// The PCI address of the controller.
    pub controller: String,
    /// The SCSI host that the channel is for the kernel.
    pub host: Host,
    /// Master before slave.
    pub devices: Vec<ChannelDevice>,
}

/// The kernel's side of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    pub number: u32,
    /// Its `scan` file in sysfs.
    pub scan: PathBuf,
}

/// A device of the kernel on a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelDevice {
    /// `None` for a logical unit or target that no IDE channel has.
    pub position: Option<Position>,
    pub device_type: DeviceType,
    pub located: Located,
    /// Who uses it, as far as it can be seen.
    pub holders: Vec<Holder>,
}

impl ChannelDevice {
    /// `primary master: SONY DVD RW DW-D22A (/dev/sr0)`, without what is unknown.
    pub fn name(&self) -> String {
        let known = &self.located.known_as;
        let mut name = match self.position {
            Some(position) => format!("{position}: {}", self.device_type),
            None => self.device_type.to_string(),
        };
        for part in [&known.vendor, &known.product] {
            if !part.is_empty() {
                name.push(' ');
                name.push_str(part);
            }
        }
        if let Some(node) = self.located.node() {
            name.push_str(&format!(" ({})", node.display()));
        }
        name
    }
}

/// Why the ports of a channel are not to be used. Unless it says otherwise, the
/// kernel still has its devices.
#[derive(Debug, thiserror::Error)]
pub enum LegacyError {
    #[error(
        "no IDE controller is in compatibility mode with the {} channel at {:X}h \
         (/proc/ioports lists none)",
        channel_name(*channel),
        channel.base()
    )]
    NoChannel { channel: Channel },
    /// The kernel then knows of nothing there, and a disk could be.
    #[error(
        "no driver of the kernel has the {} channel's controller, so that it is not known what \
         is on it: a disk, perhaps",
        channel_name(*channel)
    )]
    NoDriver {
        channel: Channel,
        /// Its PCI address.
        controller: String,
    },
    #[error("/proc/ioports shows its addresses to root only, and --via port needs root anyway")]
    Hidden,
    #[error(
        "the {} channel belongs to the driver {driver}, which this program does not know how \
         to take a drive from",
        channel_name(*channel)
    )]
    OtherDriver { channel: Channel, driver: String },
    #[error(
        "the {} channel also carries a device that must not lose its channel: {}",
        channel_name(*channel),
        device.name()
    )]
    NotOptical {
        channel: Channel,
        device: Box<ChannelDevice>,
    },
    #[error(
        "the {} channel is in use: {}{}",
        channel_name(*channel),
        device.name(),
        listed(&device.holders)
    )]
    InUse {
        channel: Channel,
        device: Box<ChannelDevice>,
    },
    #[error(transparent)]
    InTheWay(#[from] Obstacle),
    #[error(transparent)]
    Note(#[from] NoteError),
    #[error("the kernel did not give up {}: {source}", device.display())]
    NotDetached {
        /// The device's directory in sysfs.
        device: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The devices are off the kernel, and a scan was asked for.
    #[error("the kernel has not found again: {}", missing.join(", "))]
    NotBack {
        /// By position and model.
        missing: Vec<String>,
        /// Asks the kernel to look once more, after the drive was switched off
        /// and on.
        undo: Undo,
    },
}

fn listed(holders: &[Holder]) -> String {
    holders.iter().map(|holder| format!(", {holder}")).collect()
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

/// The position that a drive of the kernel has on the legacy ports, `None` where
/// they lead to another controller's drives or to none.
pub fn position_of(system: &System, drive: &Located) -> Option<Position> {
    let position = drive.position.filter(|_| !drive.is_guess)?;
    let ports = Topology::read(system).ports;
    let controller = drive.place.parent.file_name()?;
    match port_owner(system, &ports, position.channel()) {
        PortOwner::Controller { pci, .. } if controller == pci.as_str() => Some(position),
        _ => None,
    }
}

/// What is on a channel. Nothing is opened or changed.
///
/// # Errors
/// Where the channel is not at its legacy ports, or not known to be.
pub fn inspect(system: &System, channel: Channel) -> Result<ChannelState, LegacyError> {
    let topology = Topology::read(system);
    let (controller, driver) = match port_owner(system, &topology.ports, channel) {
        PortOwner::Controller { pci, driver } => (pci, driver),
        PortOwner::Nobody => return Err(LegacyError::NoChannel { channel }),
        PortOwner::Hidden => return Err(LegacyError::Hidden),
        PortOwner::Driver(driver) => return Err(LegacyError::OtherDriver { channel, driver }),
    };
    let port = topology.port_at(&controller, channel);
    let number = match (port.and_then(|port| port.host), driver) {
        (Some(number), _) => number,
        (None, Some(driver)) => return Err(LegacyError::OtherDriver { channel, driver }),
        (None, None) => {
            return Err(LegacyError::NoDriver {
                channel,
                controller,
            });
        }
    };
    let host = host(system, number)?;
    let mut devices: Vec<ChannelDevice> = topology
        .devices
        .into_iter()
        .filter(|device| device.located.address.host == number)
        .map(|device| ChannelDevice {
            position: match device.located.address.target {
                0 => Some(Position::of(channel, Unit::Master)),
                1 => Some(Position::of(channel, Unit::Slave)),
                _ => None,
            },
            device_type: device.device_type,
            holders: holders(system, &device.located),
            located: device.located,
        })
        .collect();
    devices.sort_by_key(|device| device.located.address);
    Ok(ChannelState {
        channel,
        controller,
        host,
        devices,
    })
}

fn host(system: &System, number: u32) -> Result<Host, LegacyError> {
    let scan = system.sys(format!("class/scsi_host/host{number}/scan"));
    match scan.canonicalize() {
        Ok(scan) => Ok(Host { number, scan }),
        Err(source) => Err(LegacyError::NotDetached {
            device: scan,
            source,
        }),
    }
}

impl ChannelState {
    /// Whether the channel may be taken off the kernel.
    ///
    /// # Errors
    /// A device that is no optical drive, or one in use.
    pub fn check(&self) -> Result<(), LegacyError> {
        let channel = self.channel;
        for device in &self.devices {
            let device = || Box::new(device.clone());
            if device().device_type != DeviceType::OPTICAL {
                return Err(LegacyError::NotOptical {
                    channel,
                    device: device(),
                });
            }
            if !device().holders.is_empty() {
                return Err(LegacyError::InUse {
                    channel,
                    device: device(),
                });
            }
        }
        Ok(())
    }

    /// What brings the devices back, by hand after a crash.
    pub fn undo(&self) -> Undo {
        Undo {
            file: self.host.scan.clone(),
            text: SCAN_ALL.to_owned(),
        }
    }
}

/// A channel without kernel devices. They come back when it is dropped.
pub struct Detached {
    system: System,
    note: Option<Note>,
    state: ChannelState,
}

/// Takes all devices of a channel off the kernel, after looking again whether
/// they may be. No other mtkflash gets the channel meanwhile. The user has
/// agreed before.
///
/// # Errors
/// As [`ChannelState::check`], or where the kernel refuses; the devices are
/// back then.
pub fn detach(system: &System, channel: Channel) -> Result<Detached, LegacyError> {
    let subject = format!("channel-{}", channel_name(channel));
    // The lock first, which also settles what a crashed run has left.
    let mut note = Note::open(system, &subject)?;
    let state = inspect(system, channel)?;
    state.check()?;
    let held = hold_all(system, &state)?;
    note.promise(state.undo())?;
    let mut detached = Detached {
        system: system.clone(),
        note: Some(note),
        state,
    };
    let outcome = detached
        .state
        .devices
        .iter()
        .try_for_each(|device| delete(system, &device.located.sysfs));
    // Before the scan, also after a failure, or the names would still be taken.
    drop(held);
    if let (Err(_), Some(note)) = (&outcome, &mut detached.note) {
        if inspect(system, channel).is_ok_and(|now| now.devices == detached.state.devices) {
            note.withdraw();
        }
    }
    outcome?;
    let left = inspect(system, channel)?;
    match left.devices.first() {
        None => Ok(detached),
        Some(device) => Err(LegacyError::NotDetached {
            device: device.located.sysfs.clone(),
            source: io::Error::other("it is still there"),
        }),
    }
}

/// All nodes opened exclusively, so that nobody can begin to use a drive
/// between the check and its removal.
fn hold_all(system: &System, state: &ChannelState) -> Result<Vec<OpenDrive>, LegacyError> {
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

fn delete(system: &System, device: &Path) -> Result<(), LegacyError> {
    let written = system.kernel().write(&device.join("delete"), "1");
    written.map_err(|source| match source.kind() {
        // Its sysfs is for reading only, whatever else it was given.
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied
            if system.is_container() =>
        {
            Obstacle::PortsInContainer.into()
        }
        _ => LegacyError::NotDetached {
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

    /// Scans the channel and waits until the drives are back, which they should
    /// be under their old names. To be called after vendor mode has been left
    /// and interrupts are on again. Dropping only scans.
    ///
    /// A drive that was not there before and has come alive is among them.
    ///
    /// # Errors
    /// [`LegacyError::NotBack`], or where the scan cannot be asked for.
    pub fn bring_back(mut self, clock: &dyn Clock) -> Result<Vec<Located>, LegacyError> {
        if let Some(note) = self.note.take() {
            note.settle()?;
        }
        let start = clock.now();
        loop {
            let now = inspect(&self.system, self.state.channel)?.devices;
            let is_back = |device: &&ChannelDevice| {
                let before = &device.located;
                now.iter().any(|now| {
                    now.located.place == before.place && now.located.has_nodes_of(before)
                })
            };
            let missing: Vec<String> = self
                .state
                .devices
                .iter()
                .filter(|device| !is_back(device))
                .map(ChannelDevice::name)
                .collect();
            if missing.is_empty() {
                return Ok(now.into_iter().map(|device| device.located).collect());
            }
            if clock.now().saturating_sub(start) >= COME_BACK {
                return Err(LegacyError::NotBack {
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
