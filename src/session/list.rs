//! Which drives a machine has.

use std::path::PathBuf;

use super::error::OpenError;
use super::machine::Machine;
use super::name::{DriveName, Via, is_serial};
use crate::drive::ask::{self, Medium};
use crate::drive::list::Asked;
use crate::drive::{HoldError, IndexBasis, Obstacle, Position};
use crate::protocol::Protocol;
use crate::protocol::blu_ray::Survey;
use crate::protocol::packet::Family;
use crate::scsi::Identity;

/// The drives of a machine, without having disturbed any.
#[derive(Debug)]
pub struct Listing {
    /// Those with a position first and in its order.
    pub drives: Vec<Listed>,
    /// What the position counts here.
    pub basis: IndexBasis,
    /// Whether a drive that is not listed may answer at the legacy ports.
    pub has_legacy_ports: bool,
    /// Places on channels with ports of their own, where one may answer as well.
    pub ports: Vec<ListedPort>,
}

/// A place on a channel with ports of its own.
#[derive(Debug)]
pub struct ListedPort {
    pub name: DriveName,
    /// For whoever may use the ports.
    pub about: Option<AboutPort>,
}

/// What is known of such a place.
#[derive(Debug)]
pub struct AboutPort {
    /// The first I/O port of the channel.
    pub base: u64,
    pub driver: String,
    /// What the kernel has there; `None` for nothing.
    pub device: Option<String>,
}

impl Listing {
    /// Asks the drives of it about their firmware that are on the list of Blu-ray
    /// drives by what they say now, and which nobody uses: a few commands that are
    /// known of these drives, to each while it is held alone. No other drive is sent
    /// anything.
    pub fn ask_firmware(&mut self, machine: &dyn Machine) {
        for listed in &mut self.drives {
            listed.firmware = listed.ask_firmware(machine);
        }
    }

    /// The drive that is called so, where the list tells.
    pub fn find(&self, name: &DriveName) -> Option<&Listed> {
        self.drives.iter().find(|listed| listed.is_called(name))
    }
}

/// One drive of the list.
#[derive(Debug)]
pub struct Listed {
    pub position: Option<Position>,
    /// The position is a natural reading, not what DOS would have counted.
    pub is_guess: bool,
    /// The names by which it is called, the best first.
    pub nodes: Vec<PathBuf>,
    pub is_simulated: bool,
    /// As it says now, or else as the kernel remembers; `None` where neither
    /// says anything.
    pub identity: Option<Identity>,
    pub asked: Asked,
    /// Of a Blu-ray drive, once [`Listing::ask_firmware`] was called.
    pub firmware: Option<Firmware>,
}

/// What is known of the firmware of a Blu-ray drive.
#[derive(Debug)]
pub enum Firmware {
    Told(Box<Survey>),
    /// It was not asked, since it is in use.
    InUse(Obstacle),
}

impl Listed {
    /// Whether this is its name, where the list tells.
    pub fn is_called(&self, name: &DriveName) -> bool {
        match name {
            DriveName::Index(index) => self.position.is_some_and(|at| at.number() == *index),
            DriveName::Path(path) => {
                let behind = path.canonicalize();
                let path = behind.as_ref().unwrap_or(path);
                self.nodes.contains(path)
            }
            DriveName::Port(_) => false,
            DriveName::Serial(serial) => is_serial(self.asked.said.as_ref(), serial),
        }
    }

    /// Whether it could have been asked who it is, and gave no answer.
    pub fn says_nothing(&self) -> bool {
        self.identity.is_none() && self.asked.obstacles.is_empty() && !self.is_in_use()
    }

    /// What it says about its firmware; `None` for a drive that is not to be asked or
    /// does not tell.
    fn ask_firmware(&self, machine: &dyn Machine) -> Option<Firmware> {
        let said = self.asked.said.as_ref()?;
        let family = Family::by_identity(said)?;
        // What refuses a job to begin refuses this as well.
        let is_free = self.asked.obstacles.is_empty()
            && matches!(self.asked.medium, Some(Medium::Absent | Medium::Unknown(_)));
        if family.protocol != Protocol::Mt1959 || !is_free {
            return None;
        }
        let mut packets = match machine.glance(&self.name(None)?) {
            Ok(packets) => packets,
            Err(OpenError::NotHeld(HoldError::InTheWay(busy @ Obstacle::Busy { .. }))) => {
                return Some(Firmware::InUse(busy));
            }
            Err(_) => return None,
        };
        // The name may lead to another drive by now.
        let is_same = ask::identity(packets.as_mut()).is_ok_and(|now| now == *said);
        let survey = is_same
            .then(|| Survey::of(packets.as_mut()).ok())
            .flatten()?;
        Some(Firmware::Told(Box::new(survey)))
    }

    /// Whether somebody is seen to use it.
    pub fn is_in_use(&self) -> bool {
        self.asked.is_in_use() || matches!(self.firmware, Some(Firmware::InUse(_)))
    }

    /// What it is called on the way to it; `None` where nothing names it. On the
    /// ports names of nodes do not last.
    pub fn name(&self, via: Option<Via>) -> Option<DriveName> {
        let index = || self.position.map(|at| DriveName::Index(at.number()));
        let node = self.nodes.first().cloned().map(DriveName::Path);
        match via {
            Some(Via::Port) if !self.is_guess => index().or(node),
            _ => node.or_else(index),
        }
    }
}

#[cfg(test)]
mod tests;
