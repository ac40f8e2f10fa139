//! How a family takes its firmware: what it makes of a packet.

use crate::flash::FlashRange;
use crate::scsi::Identity;
use crate::sim::reply::byte;
use crate::sim::target::TargetData;

/// Sense key, ASC and ASCQ.
pub(in crate::sim) type SenseCodes = (u8, u8, u8);

pub(super) const INVALID_FIELD: SenseCodes = (0x05, 0x24, 0x00);
pub(super) const SEQUENCE_ERROR: SenseCodes = (0x05, 0x2C, 0x00);
pub(super) const INVALID_PARAMETER: SenseCodes = (0x05, 0x26, 0x00);

/// How a family takes its firmware.
pub(in crate::sim) trait Protocol: Send {
    /// Looks at a packet that is none of those that every drive knows.
    fn step(&mut self, flash: &[u8], cdb: &[u8], data: &TargetData<'_>) -> Step;

    /// Forgets what has been collected.
    fn reset(&mut self);

    /// Who a drive with this flash is; `None` for a flash whose firmware does
    /// not run.
    fn identity(&self, flash: &[u8]) -> Option<Identity>;

    /// Is told what answers from now on.
    fn started(&mut self, _is_boot_code: bool) {}

    /// What new firmware writes into the flash when it starts.
    fn writes(&self, _flash: &[u8]) -> Vec<(u32, Vec<u8>)> {
        Vec::new()
    }

    /// What INQUIRY says behind the revision.
    fn vendor_specific(&self, _flash: &[u8]) -> String {
        String::new()
    }

    /// Into how many parts the drive divides its programming in its sense data;
    /// `None` where it tells nothing there.
    fn parts(&self) -> Option<u8> {
        None
    }
}

/// What a family makes of a packet.
pub(in crate::sim) enum Step {
    /// No command of this family.
    Undocumented,
    /// A command of this family that must not come now or not so.
    Refused {
        sense: SenseCodes,
        why: String,
    },
    /// A command as documented that the drive does not grant.
    Declined(SenseCodes),
    /// These bytes of the flash.
    Read(FlashRange),
    /// These bytes, from elsewhere.
    Answer(Vec<u8>),
    /// Done, and no block of an image.
    Taken,
    /// A block of an image, sent with this mode.
    Block {
        mode: u8,
    },
    Program(Program),
}

impl Step {
    pub(super) fn refused(sense: SenseCodes, why: impl Into<String>) -> Step {
        Step::Refused {
            sense,
            why: why.into(),
        }
    }
}

/// Bytes that go into the flash now.
pub(in crate::sim) struct Program {
    /// The mode of the block with which this began, if it was one.
    pub mode: Option<u8>,
    /// Where `bytes` go.
    pub start: u32,
    pub bytes: Vec<u8>,
    pub pace: Pace,
    /// Bytes of the transfer that the drive says it did not take, though it did.
    pub residue: usize,
    /// What the host did with this image that it should not have.
    pub violations: Vec<String>,
}

impl Program {
    /// The last bytes of an image, by a command or a block of this mode.
    pub(super) fn last(mode: Option<u8>, start: u32, bytes: Vec<u8>) -> Program {
        Program {
            mode,
            start,
            bytes,
            pace: Pace::Afterwards,
            residue: 0,
            violations: Vec::new(),
        }
    }
}

/// When the command that starts programming ends, and what comes then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum Pace {
    /// At once; the drive is not ready until it has programmed, and restarts.
    Afterwards,
    /// When the drive has programmed. It restarts.
    WithinCommand,
    /// When the drive has programmed. More of the image is to come.
    InPart,
}

/// Whether a command block is these bytes, filled up with 00 to a length that
/// a host may give it.
pub(super) fn is_block(cdb: &[u8], bytes: &[u8]) -> bool {
    (10..=16).contains(&cdb.len())
        && cdb
            .strip_prefix(bytes)
            .is_some_and(|rest| rest.iter().all(|byte| *byte == 0))
}

/// The 24 bits at `at`.
pub(super) fn three_bytes(cdb: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([0, byte(cdb, at), byte(cdb, at + 1), byte(cdb, at + 2)])
}
