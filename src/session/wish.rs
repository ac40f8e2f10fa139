//! What a user wants to be true of the way to a drive.

use std::time::Duration;

use super::error::OpenError;
use super::name::Via;
use crate::drive::MediumRule;
use crate::protocol::Protocol;
use crate::scsi::Identity;

/// How a drive is to be opened; the default leaves all to the drive.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// `None`: by packets where the drive is on a list of such drives, else in
    /// vendor mode by the ports or through the kernel.
    pub via: Option<Via>,
    /// `None`: by the drive's name.
    pub protocol: Option<Protocol>,
    /// Bytes in a flash whose chip is in no table.
    pub size: Option<u32>,
    pub patience: Patience,
    pub medium: MediumRule,
    pub left_programming: Vec<LeftProgramming>,
    /// Sends a family's commands also to a drive that is on none of its lists.
    pub any_family: bool,
}

/// A drive that may have been left between the command to program a byte and the
/// byte, see [`VendorMode::end_byte_program`]: with a parallel chip that takes byte
/// programs, by what is known of it from an unfinished change.
///
/// [`VendorMode::end_byte_program`]: crate::protocol::vendor_mode::VendorMode::end_byte_program
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftProgramming {
    /// In the machine, in terms that survive a restart.
    pub place: String,
    /// Who it said then that it was.
    pub identity: Option<Identity>,
}

impl LeftProgramming {
    /// Whether it can be the drive that is at `place` now. A drive that says nothing
    /// can: one whose write was cut off often does not say who it is.
    pub fn may_be(&self, place: &str, identity: Option<&Identity>) -> bool {
        let says_another = match (&self.identity, identity) {
            (Some(then), Some(now)) => !then.may_be(now),
            _ => false,
        };
        self.place == place && !says_another
    }
}

/// For how long a drive that refuses vendor mode is asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// As long as its user said.
    Named(Duration),
    /// So long, but not for a drive that is flashed by packets.
    Unless(Duration),
}

impl Patience {
    fn time(self) -> Duration {
        match self {
            Patience::Named(time) | Patience::Unless(time) => time,
        }
    }

    /// Whether a drive may be switched off and on meanwhile.
    pub fn may_wait(self) -> bool {
        !self.time().is_zero()
    }
}

impl Default for Patience {
    fn default() -> Self {
        Patience::Unless(Duration::ZERO)
    }
}

impl Wish {
    /// Whether vendor mode by the ports is a way for this.
    pub(super) fn may_go_by_ports(&self) -> bool {
        matches!(self.via, None | Some(Via::Port))
            && matches!(self.protocol, None | Some(Protocol::VendorMode))
    }

    /// # Errors
    /// A way and a protocol that do not go together.
    pub(super) fn check(&self) -> Result<(), OpenError> {
        match (self.via, self.protocol) {
            (Some(Via::Ata | Via::Port), Some(protocol)) if protocol != Protocol::VendorMode => {
                Err(OpenError::OverSgOnly { protocol })
            }
            _ => Ok(()),
        }
    }
}
