//! What the kernel has given up, as a note of this program keeps it.

use std::path::{Path, PathBuf};

use super::named;
use crate::drive::controller::IdeChannel;
use crate::drive::note::Left;
use crate::drive::topology::Located;
use crate::scsi::{DeviceType, Identity};
use crate::transport::Unit;

/// A device that the kernel has given up, as a note keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
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

    pub(super) fn line(&self) -> String {
        let node = |node: &Option<PathBuf>| {
            let node = node.as_deref().and_then(Path::to_str);
            node.unwrap_or_default().to_owned()
        };
        let known = &self.known_as;
        let words = [
            self.port.to_string(),
            self.target.to_string(),
            self.lun.to_string(),
            node(&self.sr),
            node(&self.sg),
            known.vendor.clone(),
            known.product.clone(),
            known.revision.clone(),
        ];
        words.join("\t") + "\n"
    }

    pub(super) fn read(line: &str) -> Option<GivenUp> {
        let mut words = line.split('\t');
        let mut word = || words.next();
        let node = |word: &str| (!word.is_empty()).then(|| PathBuf::from(word));
        Some(GivenUp {
            port: word()?.parse().ok()?,
            target: word()?.parse().ok()?,
            lun: word()?.parse().ok()?,
            sr: node(word()?),
            sg: node(word()?),
            known_as: Identity {
                vendor: word()?.to_owned(),
                product: word()?.to_owned(),
                revision: word()?.to_owned(),
                serial: None,
            },
        })
    }

    pub(super) fn all(left: Option<&Left>) -> Vec<GivenUp> {
        let lines = left.map_or("", |left| left.about.as_str()).lines();
        lines.filter_map(GivenUp::read).collect()
    }
}
