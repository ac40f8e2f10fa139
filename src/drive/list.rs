//! Every optical drive, who it is, and what stands in its way.

use super::ask::{self, AskError, Medium};
use super::permission::{self, Obstacle};
use super::system::System;
use super::topology::{IndexBasis, Located, Topology, is_at_legacy_ports};
use crate::scsi::Identity;
use crate::transport::TransportError;
use crate::transport::port::Channel;

/// All that can be said without disturbing anybody.
#[derive(Debug)]
pub struct Listing {
    /// Those with an index first and in its order.
    pub drives: Vec<Listed>,
    /// What the index counts here.
    pub basis: IndexBasis,
    /// Whether an IDE channel may be at the legacy ports, where a drive can be
    /// reached that the kernel does not list.
    pub has_legacy_ports: bool,
}

/// One drive of the list.
#[derive(Debug)]
pub struct Listed {
    pub drive: Located,
    /// As the drive says now; `None` where it was not asked or did not answer,
    /// and then [`Located::known_as`] is what the kernel remembers.
    pub identity: Option<Identity>,
    /// `None` where the drive was not asked or did not answer.
    pub medium: Option<Medium>,
    /// Empty where a job could begin.
    pub obstacles: Vec<Obstacle>,
    /// Why the drive gave no identity, where no obstacle is the reason.
    pub silence: Option<AskError>,
}

/// Lists the optical drives by INQUIRY and TEST UNIT READY and nothing else.
/// A node that is held by somebody stays his.
pub fn list(system: &System) -> Listing {
    let topology = Topology::read(system);
    Listing {
        drives: topology
            .drives()
            .map(|drive| listed(system, drive))
            .collect(),
        has_legacy_ports: [Channel::Primary, Channel::Secondary]
            .into_iter()
            .any(|channel| is_at_legacy_ports(system, &topology.ports, channel) != Some(false)),
        basis: topology.basis,
    }
}

/// What [`list`] says of one drive.
pub fn listed(system: &System, drive: &Located) -> Listed {
    let mut listed = Listed {
        drive: drive.clone(),
        identity: None,
        medium: None,
        obstacles: Vec::new(),
        silence: None,
    };
    if drive.sg.is_none() && !permission::has_sg_module(system) {
        listed.obstacles.push(Obstacle::NoSgModule);
    } else if drive.node().is_none() {
        let address = drive.address;
        listed.obstacles.push(Obstacle::NoNode { address });
    }
    // sg first: it answers whatever sr is about.
    for node in [&drive.sg, &drive.sr].into_iter().flatten() {
        match system.kernel().open(node, false) {
            Ok(mut open) => {
                match ask::identity(&mut open) {
                    Ok(identity) => listed.identity = Some(identity),
                    Err(AskError::Transport(TransportError::NotPermitted)) => {
                        listed
                            .obstacles
                            .push(Obstacle::to_command(system, drive, node));
                    }
                    Err(silence) => listed.silence = Some(silence),
                }
                if listed.identity.is_some() {
                    listed.medium = ask::medium(&mut open).ok();
                }
                break;
            }
            Err(error) => {
                let obstacle = Obstacle::to_open(system, drive, error);
                let is_busy = matches!(obstacle, Obstacle::Busy { .. });
                listed.obstacles.push(obstacle);
                // The other node might open, in the middle of somebody's work.
                if is_busy {
                    break;
                }
            }
        }
    }
    // An exclusive hold of the sr node does not show on the sg node.
    let holders = super::holders::mounts(system, drive);
    let is_told = |obstacle: &Obstacle| matches!(obstacle, Obstacle::Busy { .. });
    if let Some(node) = &drive.sr {
        if !holders.is_empty() && !listed.obstacles.iter().any(is_told) {
            listed.obstacles.push(Obstacle::Busy {
                node: node.clone(),
                holders,
            });
        }
    }
    listed
}

#[cfg(test)]
mod tests;
