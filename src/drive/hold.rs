//! A drive that nobody else talks to.
//!
//! `/dev/srN` is opened exclusively for the whole time, which keeps out mounts
//! and other claims and most of the kernel's media polling; commands go through
//! `/dev/sgN`, also opened exclusively, which keeps out a second mtkflash.
//! `events_poll_msecs` = 0 stops the rest of the polling (all measured on Linux
//! 6.1).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::ask::{self, Medium};
use super::holders::{self, Holder};
use super::locate::find_again;
use super::note::{Note, NoteError, Undo};
use super::permission::{self, Obstacle};
use super::system::{System, attribute};
use super::topology::{Located, Topology};
use crate::transport::sg_io::NotOpened;
use crate::transport::{Clock, Data, OpenDrive, PacketTransport, TransportError, Verdict};

/// A drive that starts gets this long to say whether it has a medium.
pub const START: Duration = Duration::from_secs(20);
const START_STEP: Duration = Duration::from_millis(500);

/// udev looks into a drive when something about it changes, and has it open for
/// a moment: this long, being busy is no answer.
const MOMENT: Duration = Duration::from_secs(2);
const MOMENT_STEP: Duration = Duration::from_millis(100);

/// A drive that was pulled is given up by the hub's driver a moment after the
/// command that it did not answer any more.
const FAREWELL: Duration = Duration::from_secs(2);
const FAREWELL_STEP: Duration = Duration::from_millis(50);

/// What a medium in the drive means for a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MediumRule {
    #[default]
    Refuse,
    /// The user has overridden the check.
    Allow,
}

/// Why a drive is not held.
#[derive(Debug, thiserror::Error)]
#[error("{self:?}")]
pub enum HoldError {
    InTheWay(#[from] Obstacle),
    Medium {
        node: PathBuf,
    },
    Starting {
        node: PathBuf,
    },
    /// Between finding the drive and opening it.
    Changed {
        sysfs: PathBuf,
    },
    Transport {
        node: PathBuf,
        source: TransportError,
    },
}

/// A drive held alone. It takes commands, and is released when dropped.
pub struct Hold {
    // Dropped in this order: polling comes back while the drive is still ours.
    _note: Option<Note>,
    nodes: Nodes,
    drive: Located,
    /// Why the kernel goes on looking for discs in it: the exclusive open has to do.
    polling: Option<NoteError>,
    clock: Arc<dyn Clock>,
}

/// The nodes of a drive, open exclusively.
struct Nodes {
    commands: OpenDrive,
    /// Where the commands go.
    node: PathBuf,
    /// The sr node, where the commands do not go there.
    _sr: Option<OpenDrive>,
}

impl Hold {
    /// Opens the drive's nodes exclusively, sees that no medium is in, and
    /// switches media polling off.
    ///
    /// # Errors
    /// [`HoldError`]; the drive is as it was then.
    pub fn take(
        system: &System,
        drive: &Located,
        rule: MediumRule,
        clock: Arc<dyn Clock>,
    ) -> Result<Hold, HoldError> {
        let mut nodes = Nodes::open_soon(system, drive, clock.as_ref())?;
        let medium = nodes.medium(system, drive, clock.as_ref())?;
        if rule == MediumRule::Refuse {
            let node = drive.node().unwrap_or(&nodes.node).to_owned();
            match medium {
                Medium::Present => return Err(HoldError::Medium { node }),
                Medium::Starting => return Err(HoldError::Starting { node }),
                Medium::Absent | Medium::Unknown(_) => {}
            }
        }
        let (note, polling) = match stop_polling(system, drive) {
            Ok(note) => (note, None),
            Err(why) => (None, Some(why)),
        };
        Ok(Hold {
            _note: note,
            nodes,
            drive: drive.clone(),
            polling,
            clock,
        })
    }

    /// Holds a drive again that has restarted, under whatever names. Whether it is the
    /// same drive, its identity must tell.
    ///
    /// `None` while it is not back with the nodes it had, or cannot be held. That may
    /// pass: udev has yet to look at it and to set its permissions. To be called again
    /// until the caller's patience ends.
    pub fn again(system: &System, before: &Located, clock: Arc<dyn Clock>) -> Option<Hold> {
        let drive = find_again(system, before).filter(|drive| drive.has_nodes_of(before))?;
        Hold::take(system, &drive, MediumRule::Allow, clock).ok()
    }

    fn vanishes(&self) -> bool {
        let start = self.clock.now();
        while self.drive.sysfs.exists() {
            if self.clock.now().saturating_sub(start) >= FAREWELL {
                return false;
            }
            self.clock.sleep(FAREWELL_STEP);
        }
        true
    }

    /// Why the kernel goes on looking for discs in the drive, for who keeps it; `None`
    /// where it does not.
    pub fn take_polling(&mut self) -> Option<NoteError> {
        self.polling.take()
    }

    /// What stands behind a command that the kernel did not permit.
    pub fn why_not_permitted(&self, system: &System) -> Obstacle {
        Obstacle::to_command(system, &self.drive, &self.nodes.node)
    }
}

/// A drive held alone for a few questions, as it is at this moment: whoever uses it
/// is not waited for, and nothing that the kernel does with it is changed.
///
/// # Errors
/// As of [`Hold::take`]. [`Obstacle::Busy`] also where a process is seen to have it
/// open and has not claimed it.
pub fn glance(system: &System, drive: &Located) -> Result<OpenDrive, HoldError> {
    let holders = holders::holders(system, drive);
    match drive.node() {
        Some(node) if !holders.is_empty() => {
            let node = node.to_owned();
            Err(Obstacle::Busy { node, holders }.into())
        }
        _ => Ok(Box::new(Nodes::open(system, drive)?)),
    }
}

impl PacketTransport for Nodes {
    fn execute(
        &mut self,
        cdb: &[u8],
        data: Data<'_>,
        timeout: Duration,
    ) -> Result<crate::transport::Completion, TransportError> {
        self.commands.execute(cdb, data, timeout)
    }
}

impl PacketTransport for Hold {
    fn execute(
        &mut self,
        cdb: &[u8],
        data: Data<'_>,
        timeout: Duration,
    ) -> Result<crate::transport::Completion, TransportError> {
        let completion = self.nodes.commands.execute(cdb, data, timeout)?;
        // usb-storage ends the command during which a drive is pulled with host
        // status 07, and only the next one with ENODEV (measured on Linux 6.1).
        match completion.verdict() {
            Verdict::Failed { .. } if self.vanishes() => Err(TransportError::Vanished),
            Verdict::TimedOut if !self.drive.sysfs.exists() => Err(TransportError::Vanished),
            _ => Ok(completion),
        }
    }
}

impl Nodes {
    fn open_soon(system: &System, drive: &Located, clock: &dyn Clock) -> Result<Nodes, HoldError> {
        let start = clock.now();
        loop {
            let is_mount = |holder: &Holder| matches!(holder, Holder::Mount { .. });
            match Nodes::open(system, drive) {
                Err(HoldError::InTheWay(Obstacle::Busy { holders, .. }))
                    if !holders.iter().any(is_mount)
                        && clock.now().saturating_sub(start) < MOMENT =>
                {
                    clock.sleep(MOMENT_STEP);
                }
                outcome => return outcome,
            }
        }
    }

    fn open(system: &System, drive: &Located) -> Result<Nodes, HoldError> {
        let open = |node: &Option<PathBuf>| -> Result<Option<(PathBuf, OpenDrive)>, Obstacle> {
            let Some(node) = node else { return Ok(None) };
            let open = open_if_there(system, drive, node)?;
            Ok(open.map(|open| (node.clone(), open)))
        };
        let sr = open(&drive.sr)?;
        if let (Some(node), None) = (&drive.sr, &sr) {
            // The sg node alone does not keep out mounts, so none may be there.
            let holders = holders::mounts(system, drive);
            if !holders.is_empty() {
                let node = node.clone();
                return Err(Obstacle::Busy { node, holders }.into());
            }
        }
        let (node, commands, sr) = match (open(&drive.sg)?, sr) {
            (Some((node, sg)), sr) => (node, sg, sr.map(|(_, sr)| sr)),
            (None, Some((node, sr))) => (node, sr, None),
            (None, None) => return Err(no_node(system, drive).into()),
        };
        let nodes = Nodes {
            commands,
            node,
            _sr: sr,
        };
        // The nodes are open, so their names cannot go to another drive any
        // more: what sysfs says now is true of them.
        let is_same = Topology::read(system).drives().any(|now| now == drive);
        is_same.then_some(nodes).ok_or_else(|| HoldError::Changed {
            sysfs: drive.sysfs.clone(),
        })
    }

    fn medium(
        &mut self,
        system: &System,
        drive: &Located,
        clock: &dyn Clock,
    ) -> Result<Medium, HoldError> {
        let start = clock.now();
        loop {
            let medium = ask::medium(&mut self.commands).map_err(|source| match source {
                TransportError::NotPermitted => {
                    Obstacle::to_command(system, drive, &self.node).into()
                }
                source => HoldError::Transport {
                    node: self.node.clone(),
                    source,
                },
            })?;
            if medium != Medium::Starting || clock.now().saturating_sub(start) >= START {
                return Ok(medium);
            }
            clock.sleep(START_STEP);
        }
    }
}

/// Opens a node exclusively, `None` where `/dev` does not have it: a container
/// may have been given the other one alone.
fn open_if_there(
    system: &System,
    drive: &Located,
    node: &Path,
) -> Result<Option<OpenDrive>, Obstacle> {
    match system.kernel().open(node, true) {
        Ok(open) => Ok(Some(open)),
        Err(error) if matches!(error.why, NotOpened::Missing) => Ok(None),
        Err(error) => Err(Obstacle::to_open(system, drive, error)),
    }
}

/// A drive that no node leads to.
fn no_node(system: &System, drive: &Located) -> Obstacle {
    match drive.sg.as_deref().or(drive.sr.as_deref()) {
        Some(node) if drive.sg.is_some() || permission::has_sg_module(system) => {
            Obstacle::missing(system, node)
        }
        _ if !permission::has_sg_module(system) => Obstacle::NoSgModule,
        _ => Obstacle::NoNode {
            address: drive.address,
        },
    }
}

/// Sets `events_poll_msecs` of the sr device to 0, behind a note of what it
/// was, if it was anything else. Both take root.
///
/// # Errors
/// Without a note it is left alone: nobody would switch it on again after a crash.
fn stop_polling(system: &System, drive: &Located) -> Result<Option<Note>, NoteError> {
    let Some(block) = drive.block() else {
        return Ok(None);
    };
    let name = block.file_name().unwrap_or_default();
    let subject = format!("polling-{}", name.to_string_lossy());
    let file = block.join("events_poll_msecs");
    // Puts back what a crashed run has left, so before the value is read.
    let mut note = Note::open(system, &subject)?;
    let Some(text) = attribute(&file).filter(|before| before != "0") else {
        return Ok(None);
    };
    let undo = Undo {
        file: file.clone(),
        text,
    };
    note.promise(undo, &[])?;
    match system.kernel().write(&file, "0") {
        Ok(()) => Ok(Some(note)),
        Err(source) => {
            note.withdraw();
            Err(NoteError::Io { path: file, source })
        }
    }
}

#[cfg(test)]
mod tests;
