//! What a device that the kernel has given up is called, and whether it is back.

use std::path::Path;

use super::named;
use crate::drive::controller::IdeChannel;
use crate::drive::note::GivenUp;
use crate::drive::topology::Located;
use crate::scsi::DeviceType;
use crate::transport::Unit;

impl GivenUp {
    /// Whether it had this node.
    pub fn had(&self, node: &Path) -> bool {
        [&self.sr, &self.sg]
            .into_iter()
            .flatten()
            .any(|had| had == node)
    }

    pub(super) fn name(&self, channel: &IdeChannel) -> String {
        let seat = Unit::of_target(self.target)
            .filter(|_| self.port == channel.port)
            .and_then(|unit| channel.seat(unit));
        let name = match seat {
            Some(seat) => format!("{seat}: {}", DeviceType::OPTICAL),
            None => format!("port {}: {}", self.port, DeviceType::OPTICAL),
        };
        named(
            name,
            &self.known_as,
            self.sr.as_deref().or(self.sg.as_deref()),
        )
    }

    pub(super) fn is_back(&self, now: &Located) -> bool {
        (now.port_no, now.address.target, now.address.lun)
            == (Some(self.port), self.target, self.lun)
            && now.sg.is_some() >= self.sg.is_some()
            && now.sr.is_some() >= self.sr.is_some()
    }
}
