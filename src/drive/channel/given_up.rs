//! What the kernel has given up, as a note of this program keeps it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::named;
use crate::drive::controller::IdeChannel;
use crate::drive::topology::Located;
use crate::scsi::{DeviceType, Identity};
use crate::transport::Unit;

/// A device that the kernel has given up, as a note keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenUp {
    pub port: u32,
    pub target: u32,
    pub lun: u64,
    pub sr: Option<PathBuf>,
    pub sg: Option<PathBuf>,
    pub known_as: Identity,
}

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
