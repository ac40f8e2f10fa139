//! What every optical drive can be asked, and what stands in its way.

use super::ask::{self, AskError, Medium};
use super::permission::{self, Obstacle};
use super::system::System;
use super::topology::{Located, Topology, is_at_legacy_ports};
use crate::scsi::Identity;
use crate::transport::TransportError;
use crate::transport::port::Channel;

/// What a drive says without being disturbed.
#[derive(Debug, Default)]
pub struct Asked {
    /// As the drive says now; `None` where it was not asked or did not answer.
    pub said: Option<Identity>,
    /// `None` where the drive was not asked or did not answer.
    pub medium: Option<Medium>,
    /// Empty where a job could begin.
    pub obstacles: Vec<Obstacle>,
    /// Why the drive gave no identity, where no obstacle is the reason.
    pub silence: Option<AskError>,
}

impl Asked {
    /// Whether somebody is seen to use the drive.
    pub fn is_in_use(&self) -> bool {
        let is_busy = |obstacle: &Obstacle| matches!(obstacle, Obstacle::Busy { .. });
        self.obstacles.iter().any(is_busy)
    }
}

/// Whether an IDE channel may be at the legacy ports, where a drive can be
/// reached that the kernel does not list.
pub fn has_legacy_ports(system: &System, topology: &Topology) -> bool {
    [Channel::Primary, Channel::Secondary]
        .into_iter()
        .any(|channel| is_at_legacy_ports(system, &topology.ports, channel) != Some(false))
}

/// Asks a drive by INQUIRY and TEST UNIT READY and nothing else. A node that is held
/// by somebody stays his.
pub fn ask(system: &System, drive: &Located) -> Asked {
    let mut asked = Asked::default();
    if drive.sg.is_none() && !permission::has_sg_module(system) {
        asked.obstacles.push(Obstacle::NoSgModule);
    } else if drive.node().is_none() {
        let address = drive.address;
        asked.obstacles.push(Obstacle::NoNode { address });
    }
    // sg first: it answers whatever sr is about.
    for node in [&drive.sg, &drive.sr].into_iter().flatten() {
        match system.kernel().open(node, false) {
            Ok(mut open) => {
                match ask::identity(&mut open) {
                    Ok(identity) => asked.said = Some(identity),
                    Err(AskError::Transport(TransportError::NotPermitted)) => {
                        asked
                            .obstacles
                            .push(Obstacle::to_command(system, drive, node));
                    }
                    Err(silence) => asked.silence = Some(silence),
                }
                if asked.said.is_some() {
                    asked.medium = ask::medium(&mut open).ok();
                }
                break;
            }
            Err(error) => {
                let obstacle = Obstacle::to_open(system, drive, error);
                let is_busy = matches!(obstacle, Obstacle::Busy { .. });
                asked.obstacles.push(obstacle);
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
        if !holders.is_empty() && !asked.obstacles.iter().any(is_told) {
            asked.obstacles.push(Obstacle::Busy {
                node: node.clone(),
                holders,
            });
        }
    }
    asked
}

#[cfg(test)]
mod tests;
