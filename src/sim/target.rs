//! The SCSI side of a simulated drive, as a bus would see it: what the
//! in-process transport and a USB/IP server both talk to.

use std::sync::Arc;

use super::clock::SimClock;
use crate::transport::Clock;

/// What a command block comes with.
#[derive(Debug)]
pub enum TargetData<'a> {
    None,
    /// The host sent these bytes.
    Out(&'a [u8]),
    /// The host takes at most this many bytes.
    In(usize),
}

impl TargetData<'_> {
    /// Bytes that the host takes.
    pub(super) fn room(&self) -> usize {
        match self {
            TargetData::In(room) => *room,
            TargetData::None | TargetData::Out(_) => 0,
        }
    }

    /// What the host sent.
    pub(super) fn sent(&self) -> &[u8] {
        match self {
            TargetData::Out(sent) => sent,
            TargetData::None | TargetData::In(_) => &[],
        }
    }
}

/// How a drive answers one command block.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reply {
    /// SCSI status: 00 GOOD, 02 CHECK CONDITION.
    pub status: u8,
    /// Sense data of a CHECK CONDITION; a bus without autosense keeps them for
    /// the REQUEST SENSE that follows.
    pub sense: Vec<u8>,
    /// Bytes for the host, at most as many as it takes.
    pub data_in: Vec<u8>,
    /// Bytes of an outgoing transfer that the drive says it did not take.
    pub residue: usize,
    pub event: Event,
}

impl Reply {
    /// No answer but what happens to the bus.
    pub(super) fn none_but(event: Event) -> Reply {
        Reply {
            event,
            ..Reply::default()
        }
    }
}

/// What happens to the bus besides the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Event {
    #[default]
    Nothing,
    /// The drive never answers this command.
    Hang,
    /// The drive leaves the bus before it answers.
    Vanish,
    /// The drive answers, then leaves the bus and comes back.
    Reenumerate,
}

/// A drive behind a SCSI bus.
pub trait ScsiTarget: Send {
    /// Carries out one command block of 6, 10, 12 or 16 bytes.
    fn execute(&mut self, cdb: &[u8], data: TargetData<'_>) -> Reply;
}

/// A drive for a host that waits in earnest, as a real kernel does: what takes
/// the drive time is over when as much of it has passed for the host, and a
/// command that takes long does so.
pub(super) struct InRealTime {
    pub drive: Box<dyn ScsiTarget>,
    pub clock: Arc<SimClock>,
    /// The host's time, which began with this value.
    pub host: Box<dyn Clock>,
}

impl ScsiTarget for InRealTime {
    fn execute(&mut self, cdb: &[u8], data: TargetData<'_>) -> Reply {
        let passed = self.host.now();
        self.clock.sleep(passed.saturating_sub(self.clock.now()));
        let reply = self.drive.execute(cdb, data);
        self.host
            .sleep(self.clock.now().saturating_sub(self.host.now()));
        reply
    }
}
