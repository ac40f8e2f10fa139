//! Why a drive is not open, and what may be wrong with one that was left.

use super::name::{DriveName, Label};
use super::user::Answer;
use crate::drive::ask::AskError;
use crate::drive::channel::{ChannelError, ChannelState};
use crate::drive::{HoldError, LocateError, Obstacle};
use crate::protocol::packet::Family;
use crate::protocol::{DeviceError, Protocol};
use crate::scsi::{DeviceType, Identity, PacketDevice};
use crate::transport::TransportError;

/// Why there is no session. The flash is as it was.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("there is no position {0}")]
    NoPosition(u8),
    /// The bench has these and no other drives.
    #[error("there is no drive {name} on this bench")]
    NotOnBench {
        name: DriveName,
        there: Vec<DriveName>,
    },
    /// No drive says that this is its serial number, or several do.
    #[error("{} drives have the serial number {serial}", found.len())]
    NotBySerial {
        serial: String,
        found: Vec<DriveName>,
    },
    #[error(transparent)]
    NotLocated(#[from] LocateError),
    #[error(transparent)]
    NotHeld(#[from] HoldError),
    #[error(transparent)]
    InTheWay(#[from] Obstacle),
    /// The ports of its channel cannot be used.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// The kernel does not have it.
    #[error("the kernel does not know the drive")]
    UnknownToKernel { label: Label },
    /// The ports were asked for, and it is on no channel that has any.
    #[error("drive {name} is not on an IDE channel that can be reached by ports")]
    NoPorts { name: DriveName },
    /// What the registers read is nothing.
    #[error("nothing answers at the ports of {name}: every register reads FFh")]
    Void { name: DriveName },
    /// The drive was to be waited for while it is switched off and on, and a
    /// driver that notices this cannot be unbound.
    #[error(
        "its driver notices when the drive is switched off and on, and cannot be unbound: {source}"
    )]
    NoWait {
        #[source]
        source: ChannelError,
    },
    /// The interrupts of its channel do not come to rest.
    #[error("{source}")]
    Storm {
        neighbours: Vec<String>,
        #[source]
        source: TransportError,
    },
    /// The ports are the way that was chosen for a drive on such a channel, and
    /// not the user's wish.
    #[error(transparent)]
    ByPortsFirst(Box<OpenError>),
    /// Asked by the ports who it is, it is one that is flashed by packets.
    #[error("a {} drive, which is flashed by packets", family.name)]
    OwnProtocol {
        family: &'static Family,
        identity: Identity,
    },
    #[error("the user does not agree that the kernel gives its drives up")]
    NotAgreed {
        channel: Box<ChannelState>,
        answer: Answer,
    },
    #[error("the ports cannot be reached: {0}")]
    PortsOutOfReach(#[source] TransportError),
    /// It takes no command at all.
    #[error("the drive does not take commands: {source}")]
    TakesNoCommand {
        label: Label,
        #[source]
        source: AskError,
    },
    /// By INQUIRY.
    #[error("not an optical drive but a {device_type}")]
    NotOptical {
        label: Label,
        device_type: DeviceType,
    },
    /// By IDENTIFY PACKET DEVICE.
    #[error("not an optical drive but a {}: {device}", device.device_type)]
    SaysNotOptical { device: PacketDevice },
    #[error("the {protocol} goes over SG_IO only")]
    OverSgOnly { protocol: Protocol },
    /// SG_IO was asked for.
    #[error("the drive has no packet protocol that is documented")]
    NoPacketProtocol,
    /// It is on none of the family's lists.
    #[error("not known to be a {} drive", family.name)]
    Unlisted {
        family: &'static Family,
        identity: Option<Identity>,
    },
    /// It could not be asked which protocol is its own.
    #[error(transparent)]
    NotDetected(DeviceError),
    #[error(transparent)]
    NotEntered(#[from] Box<NotEntered>),
}

/// A drive that is not in vendor mode, or whose flash does not say what it is.
#[derive(Debug, thiserror::Error)]
#[error("{source}")]
pub struct NotEntered {
    pub label: Label,
    pub identity: Option<Identity>,
    #[source]
    pub source: DeviceError,
    /// How often it was refused at this place, this time included; `None` where
    /// that is not known.
    pub refusals: Option<u32>,
    /// It was asked by the ports of its channel, and not through the kernel.
    pub by_ports: bool,
    /// What it is called on the ports, where those lead to it.
    pub ports: Option<DriveName>,
}

/// What is not as it was found.
#[derive(Debug, thiserror::Error)]
pub enum LeaveError {
    /// The drive may still be in vendor mode.
    #[error(transparent)]
    Drive(#[from] DeviceError),
    /// The kernel has not got everything back.
    #[error(transparent)]
    Kernel(#[from] ChannelError),
}
