//! Why a drive is not open, and what may be wrong with one that was left.

use std::io;

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
#[error("{self:?}")]
pub enum OpenError {
    NoPosition(u8),
    /// The bench has these and no other drives.
    NotOnBench {
        name: DriveName,
        there: Vec<DriveName>,
    },
    /// No drive says that this is its serial number, or several do.
    NotBySerial {
        serial: String,
        /// A drive is in use and was not asked.
        is_unasked: bool,
        found: Vec<DriveName>,
    },
    NotLocated(#[from] LocateError),
    NotHeld(#[from] HoldError),
    InTheWay(#[from] Obstacle),
    /// The ports of its channel cannot be used.
    Channel(#[from] ChannelError),
    /// Of a bench: another run has it, or has had it since this one began.
    InUse {
        label: Label,
    },
    /// Of a bench: the files with its state cannot be looked at.
    NoState {
        label: Label,
        source: io::Error,
    },
    /// The kernel does not have it.
    UnknownToKernel {
        label: Label,
    },
    /// The ports were asked for, and it is on no channel that has any.
    NoPorts {
        name: DriveName,
    },
    /// What the registers read is nothing.
    Void {
        name: DriveName,
    },
    /// The drive was to be waited for while it is switched off and on, and a
    /// driver that notices this cannot be unbound.
    NoWait {
        source: ChannelError,
    },
    /// The interrupts of its channel do not come to rest.
    Storm {
        neighbours: Vec<String>,
        source: TransportError,
    },
    /// The ports are the way that was chosen for a drive on such a channel, and
    /// not the user's wish.
    ByPortsFirst(Box<OpenError>),
    /// Asked by the ports who it is, it is one that is flashed by packets.
    OwnProtocol {
        family: &'static Family,
        identity: Identity,
    },
    NotAgreed {
        channel: Box<ChannelState>,
        answer: Answer,
    },
    PortsOutOfReach(TransportError),
    /// It takes no command at all.
    TakesNoCommand {
        label: Label,
        source: AskError,
    },
    /// By INQUIRY.
    NotOptical {
        label: Label,
        device_type: DeviceType,
    },
    /// By IDENTIFY PACKET DEVICE.
    SaysNotOptical {
        device: PacketDevice,
    },
    OverSgOnly {
        protocol: Protocol,
    },
    /// SG_IO was asked for.
    NoPacketProtocol,
    /// It is on none of the family's lists.
    Unlisted {
        family: &'static Family,
        identity: Option<Identity>,
    },
    /// It could not be asked which protocol is its own.
    NotDetected(DeviceError),
    NotEntered(#[from] Box<NotEntered>),
}

/// A drive that is not in vendor mode, or whose flash does not say what it is.
#[derive(Debug, thiserror::Error)]
#[error("{source}")]
pub struct NotEntered {
    pub label: Label,
    pub identity: Option<Identity>,
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
#[error("{self:?}")]
pub enum LeaveError {
    /// The drive may still be in vendor mode.
    Drive(#[from] DeviceError),
    /// The kernel has not got everything back.
    Kernel(#[from] ChannelError),
}
