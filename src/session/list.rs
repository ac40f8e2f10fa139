//! Which drives a machine has.

use std::path::PathBuf;

use super::name::{DriveName, Via};
use crate::drive::ask::{AskError, Medium};
use crate::drive::{IndexBasis, Obstacle, Position};
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
    /// The drive that is called so, where the list tells.
    pub fn find(&self, name: &DriveName) -> Option<&Listed> {
        let is_called = |listed: &&Listed| match name {
            DriveName::Index(index) => listed.position.is_some_and(|at| at.number() == *index),
            DriveName::Path(path) => {
                let behind = path.canonicalize();
                let path = behind.as_ref().unwrap_or(path);
                listed.nodes.contains(path)
            }
            DriveName::Port(_) => false,
            DriveName::Serial(serial) => {
                let said = listed.said.as_ref();
                said.and_then(|said| said.serial.as_ref()) == Some(serial)
            }
        };
        self.drives.iter().find(is_called)
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
    /// As it says now.
    pub said: Option<Identity>,
    pub medium: Option<Medium>,
    /// Empty where a job could begin.
    pub obstacles: Vec<Obstacle>,
    /// Why it gave no identity, where no obstacle is the reason.
    pub silence: Option<AskError>,
}

impl Listed {
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
