//! From what the user names to the drive.

use std::io;
use std::path::{Path, PathBuf};

use super::permission::Obstacle;
use super::port_name::PortName;
use super::position::Position;
use super::system::System;
use super::topology::{IndexBasis, Located, Topology, is_at_legacy_ports};
use crate::scsi::DeviceType;

/// Why there is no drive to work with. Nothing was opened.
#[derive(Debug, thiserror::Error)]
#[error("{self:?}")]
pub enum LocateError {
    NoDrive {
        position: Position,
        /// The channel is at the legacy ports, where a dead drive that the
        /// kernel does not list may still answer; `None` where this user cannot
        /// see that.
        legacy: Option<bool>,
        /// The optical drives there are.
        others: Vec<Located>,
    },
    Ambiguous {
        position: Position,
        /// The sysfs directories of the controllers.
        controllers: Vec<PathBuf>,
        /// The optical drives to choose from.
        candidates: Vec<Located>,
    },
    NothingAtPort {
        name: PortName,
    },
    NotOptical {
        /// As the user named it.
        name: String,
        device_type: DeviceType,
    },
    NotADrive {
        path: PathBuf,
    },
    NoDevice {
        path: PathBuf,
    },
    InTheWay(#[from] Obstacle),
    Io {
        path: PathBuf,
        source: io::Error,
    },
}

/// The drive at a position.
///
/// # Errors
/// [`LocateError`]; never a guess among several controllers.
pub fn locate_position(system: &System, position: Position) -> Result<Located, LocateError> {
    let topology = Topology::read(system);
    let found = topology
        .devices
        .iter()
        .find(|device| device.position == Some(position));
    if let Some(device) = found {
        let name = format!("position {} ({position})", position.number());
        return optical(&name, device);
    }
    if let IndexBasis::Ambiguous { controllers } = &topology.basis {
        let candidates = topology
            .drives()
            .filter(|drive| controllers.contains(&drive.parent))
            .cloned()
            .collect();
        return Err(LocateError::Ambiguous {
            position,
            controllers: controllers.clone(),
            candidates,
        });
    }
    Err(LocateError::NoDrive {
        position,
        legacy: is_at_legacy_ports(system, &topology.ports, position.channel()),
        others: topology.drives().cloned().collect(),
    })
}

/// The drive of the kernel at a port of a controller.
///
/// # Errors
/// [`LocateError::NothingAtPort`]: the port may be empty, its drive dead, or
/// there may be no such port.
pub fn locate_port(system: &System, name: PortName) -> Result<Located, LocateError> {
    let function = name.function.to_string();
    let topology = Topology::read(system);
    let found = topology.devices.iter().find(|device| {
        let address = device.address;
        let place = (device.port_no, address.target, address.lun);
        device.parent.file_name() == Some(function.as_ref())
            && place == (Some(name.port), name.unit.target(), 0)
    });
    match found {
        Some(found) => optical(&name.to_string(), found),
        None => Err(LocateError::NothingAtPort { name }),
    }
}

/// The drive behind `/dev/srN`, `/dev/sgN` or a link to one of them. Nothing is
/// opened to find out.
///
/// # Errors
/// [`LocateError`]: also a disk or a tape, by its device type.
pub fn locate_path(system: &System, path: &Path) -> Result<Located, LocateError> {
    let named = || path.to_owned();
    let number = match system.kernel().device_number(path) {
        Ok(Some(number)) => number,
        Ok(None) => return Err(LocateError::NotADrive { path: named() }),
        Err(source) if is_missing(&source) => return Err(Obstacle::missing(system, path).into()),
        Err(source) => {
            let path = named();
            return Err(LocateError::Io { path, source });
        }
    };
    let kind = if number.is_block { "block" } else { "char" };
    let entry = system.sys(format!("dev/{kind}/{number}"));
    let Ok(entry) = entry.canonicalize() else {
        return Err(LocateError::NoDevice { path: named() });
    };
    // A partition has no `device` of its own; its disk, one level up, has.
    let device = [entry.join("device"), entry.join("../device")]
        .iter()
        .find_map(|device| device.canonicalize().ok());
    let topology = Topology::read(system);
    let found = topology
        .devices
        .iter()
        .find(|found| Some(&found.sysfs) == device.as_ref());
    match found {
        Some(found) => optical(&path.display().to_string(), found),
        None => Err(LocateError::NotADrive { path: named() }),
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

fn optical(name: &str, device: &Located) -> Result<Located, LocateError> {
    match device.device_type {
        DeviceType::OPTICAL => Ok(device.clone()),
        device_type => Err(LocateError::NotOptical {
            name: name.to_owned(),
            device_type,
        }),
    }
}

/// The drive at the place of another, under whatever names it has now. `None` while
/// nothing is there, or where more than one drive could be the one.
///
/// Whether it is the same drive, its identity must tell: another one may have
/// been plugged in at the place.
pub fn find_again(system: &System, before: &Located) -> Option<Located> {
    let topology = Topology::read(system);
    let mut found = topology
        .drives()
        .filter(|drive| drive.is_at_place_of(before));
    let drive = found.next()?;
    found.next().is_none().then(|| drive.clone())
}

#[cfg(test)]
mod tests;
