//! What stands between a user and a drive.
//!
//! Measured on Linux 6.1: with udev both nodes are root:cdrom 0660; `/dev/sgN`
//! opened for writing takes every command; `/dev/srN` takes vendor commands and
//! WRITE BUFFER only with CAP_SYS_RAWIO.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Group, getegid, getgroups};

use super::holders::{Holder, holders};
use super::system::{System, attribute, names};
use super::topology::Located;
use crate::transport::port::PortOpenError;
use crate::transport::sg_io::{NotOpened, SgOpenError};

/// Why a drive cannot be used as things are.
#[derive(Debug, thiserror::Error)]
#[error("{self:?}")]
pub enum Obstacle {
    NotInGroup {
        node: PathBuf,
        group: String,
    },
    NeedsRoot {
        node: PathBuf,
    },
    Container {
        node: PathBuf,
        /// All of the drive's: commands want `/dev/sgN`, and `/dev/srN` is what
        /// keeps out mounts of the host, which a container does not see.
        nodes: Vec<PathBuf>,
    },
    /// Rights are missing besides the node, and the kernel's drives can be
    /// neither taken off nor brought back.
    PortsInContainer,
    /// Neither the superuser's rights nor the group's are what is lacking.
    Refused {
        node: PathBuf,
    },
    NodeMissing {
        node: PathBuf,
    },
    /// The kernel has the drive and `/dev` has no node for it.
    NodeNotMade {
        node: PathBuf,
    },
    NoSgModule,
    /// Neither sr nor sg has taken the drive.
    NoNode {
        address: super::ScsiAddress,
    },
    Filtered {
        node: PathBuf,
        /// The drive has a `/dev/sgN`, which is not filtered.
        has_sg: bool,
    },
    Busy {
        node: PathBuf,
        /// As far as it can be seen.
        holders: Vec<Holder>,
    },
    LockedDown {
        mode: String,
    },
    NoPorts,
    PortsNeedRoot,
    Open(SgOpenError),
    PortOpen(PortOpenError),
}

impl Obstacle {
    /// A node that is not there, as a user or sysfs names it.
    pub fn missing(system: &System, node: &Path) -> Obstacle {
        let name = node.file_name().and_then(OsStr::to_str).unwrap_or_default();
        let device = ["block", "scsi_generic"]
            .iter()
            .map(|class| system.sys("class").join(class).join(name).join("device"))
            .find(|device| device.exists());
        let node = node.to_owned();
        if let Some(device) = device {
            node_missing(system, &device, node)
        } else if name.starts_with("sg") && !has_sg_module(system) {
            Obstacle::NoSgModule
        } else {
            Obstacle::NodeMissing { node }
        }
    }

    /// Why a node of a drive could not be opened.
    pub fn to_open(system: &System, drive: &Located, error: SgOpenError) -> Obstacle {
        match error.why {
            NotOpened::Missing => node_missing(system, &drive.sysfs, error.path),
            NotOpened::NotPermitted => not_permitted(system, drive, error.path),
            NotOpened::Busy => Obstacle::Busy {
                node: error.path,
                holders: holders(system, drive),
            },
            _ => Obstacle::Open(error),
        }
    }

    /// Why I/O ports are out of reach before any is opened: a kernel that is
    /// locked down lets the regions of sysfs be opened, and refuses each write.
    pub fn to_any_port(system: &System) -> Option<Obstacle> {
        lockdown(system).map(|mode| Obstacle::LockedDown { mode })
    }

    /// Why the registers of a channel could not be opened.
    pub fn to_ports(system: &System, error: PortOpenError) -> Obstacle {
        match error {
            PortOpenError::Missing if system.is_container() => Obstacle::PortsInContainer,
            PortOpenError::Missing => Obstacle::NoPorts,
            PortOpenError::NotPermitted { .. } | PortOpenError::KernelRefuses => {
                if let Some(mode) = lockdown(system) {
                    Obstacle::LockedDown { mode }
                } else if !system.is_superuser {
                    Obstacle::PortsNeedRoot
                } else if system.is_container() {
                    Obstacle::PortsInContainer
                } else {
                    Obstacle::PortOpen(error)
                }
            }
            error => Obstacle::PortOpen(error),
        }
    }

    /// Why the kernel did not permit a command on an open node.
    pub fn to_command(system: &System, drive: &Located, node: &Path) -> Obstacle {
        match &drive.sg {
            // Root in a container lacks CAP_SYS_RAWIO, too.
            Some(sg) if sg != node && system.is_container() => {
                in_container(system, &drive.sysfs, sg.clone())
            }
            sg => Obstacle::Filtered {
                node: node.to_owned(),
                has_sg: sg.is_some(),
            },
        }
    }
}

/// A node that is missing in `/dev`, although the kernel has the device, whose
/// directory in sysfs is `device`.
fn node_missing(system: &System, device: &Path, node: PathBuf) -> Obstacle {
    if system.is_container() {
        in_container(system, device, node)
    } else {
        Obstacle::NodeNotMade { node }
    }
}

fn in_container(system: &System, device: &Path, node: PathBuf) -> Obstacle {
    let of_class = |class| names(&device.join(class)).into_iter();
    let nodes = of_class("block").chain(of_class("scsi_generic"));
    Obstacle::Container {
        node,
        nodes: nodes.map(|name| system.dev(name)).collect(),
    }
}

fn not_permitted(system: &System, drive: &Located, node: PathBuf) -> Obstacle {
    if system.is_container() {
        return in_container(system, &drive.sysfs, node);
    }
    if system.is_superuser {
        return Obstacle::Refused { node };
    }
    let Ok(metadata) = fs::metadata(&node) else {
        return Obstacle::NeedsRoot { node };
    };
    let gid = Gid::from_raw(metadata.gid());
    let is_member = getegid() == gid || getgroups().is_ok_and(|groups| groups.contains(&gid));
    let group = (metadata.gid() != 0)
        .then(|| Group::from_gid(gid).ok()?)
        .flatten();
    with_mode(
        node,
        metadata.mode(),
        group.map(|group| group.name),
        is_member,
    )
}

/// A node that an ordinary user cannot open, by its mode, the name of its group
/// where that is not root's, and whether the user is in it.
fn with_mode(node: PathBuf, mode: u32, group: Option<String>, is_member: bool) -> Obstacle {
    const GROUP_READS_AND_WRITES: u32 = 0o060;
    let is_for_group = mode & GROUP_READS_AND_WRITES == GROUP_READS_AND_WRITES;
    match group {
        _ if is_for_group && is_member => Obstacle::Refused { node },
        Some(group) if is_for_group => Obstacle::NotInGroup { node, group },
        _ => Obstacle::NeedsRoot { node },
    }
}

/// The kernel's lockdown mode, `None` where it is not locked down. The file
/// reads `none [integrity] confidentiality`.
fn lockdown(system: &System) -> Option<String> {
    let text = attribute(&system.sys("kernel/security/lockdown"))?;
    let (_, rest) = text.split_once('[')?;
    let (mode, _) = rest.split_once(']')?;
    (mode != "none").then(|| mode.to_owned())
}

/// Whether the kernel has its sg driver.
pub fn has_sg_module(system: &System) -> bool {
    system.sys("module/sg").exists() || system.sys("class/scsi_generic").exists()
}

#[cfg(test)]
mod tests;
