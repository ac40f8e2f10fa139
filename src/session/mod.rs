//! From a drive's name to a drive that is ready, and back.
//!
//! [`open`] is one trip: what a crashed run has left is taken back (settle), the
//! name is looked up (locate), the drive is held alone (hold) and asked who it is
//! (identify), which tells its protocol (detect), and is brought to where
//! its firmware can be reached (enter). [`Session::leave`] is the way back.
//!
//! The drives are on a [`Machine`], the host or a bench. Nothing here prints or
//! asks: what happens is an [`Event`], why it does not go on an [`OpenError`], and
//! a question goes to the [`User`].

mod bench;
mod error;
mod event;
mod folders;
mod host;
pub(crate) mod identify;
mod list;
mod machine;
mod name;
mod open;
mod refusals;
mod user;
mod watch;
mod wish;

pub use crate::sim::{BenchError, Wrong as WrongBench};
pub use bench::OnBench;
pub use error::{LeaveError, NotEntered, OpenError};
pub use event::{By, Event, Said};
pub use host::Host;
pub use list::{AboutPort, Firmware, Listed, ListedPort, Listing};
pub use machine::{Guess, Lent, Machine, UserFolder};
pub use name::{At, DriveName, Label, Via};
pub use open::open;
pub use user::{Answer, User};
pub use wish::{LeftProgramming, Patience, Wish};

use std::sync::Arc;

use crate::protocol::read_before::ReadBefore;
use crate::protocol::{DeviceError, FirmwareDevice, Protocol};
use crate::transport::Clock;

/// A drive that is ready for a job.
pub struct Session {
    pub label: Label,
    /// Its place in the machine in terms that survive a restart of both.
    pub place: String,
    pub device: Box<dyn FirmwareDevice + Send>,
    /// The time as the drive has it.
    pub clock: Arc<dyn Clock>,
    /// It did not answer INQUIRY, and was known by another way.
    pub is_silent: bool,
    /// What it is called by the ports that lead to it.
    pub at_ports: Option<DriveName>,
    // After the device, whose end gives the channel's interrupts back.
    lent: Option<Lent>,
}

impl Session {
    /// Whether the kernel has given the drive up meanwhile.
    pub fn is_off_kernel(&self) -> bool {
        self.lent.is_some()
    }

    /// The same drive, of which all was read by another way before: see
    /// [`ReadBefore`].
    ///
    /// # Errors
    /// Where its flash holds something else; all is given back then.
    pub fn read_before(self, flash: Vec<u8>, by: Protocol) -> Result<Session, DeviceError> {
        let device = ReadBefore::new(self.device, flash, &by.to_string())?;
        Ok(Session {
            device: Box::new(device),
            ..self
        })
    }

    /// Leaves the drive and gives everything back that was taken for it.
    pub fn leave(self) -> Vec<LeaveError> {
        let Session {
            mut device, lent, ..
        } = self;
        let left = device.leave().map_err(LeaveError::from);
        drop(device);
        let given_back = lent.map_or(Ok(()), |give_back| give_back());
        [left, given_back.map_err(LeaveError::from)]
            .into_iter()
            .filter_map(Result::err)
            .collect()
    }
}

#[cfg(test)]
mod tests;
