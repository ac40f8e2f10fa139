//! Where drives are: the host, or a bench. What is different about a simulated
//! drive is asked here and nowhere else.

use std::path::PathBuf;
use std::sync::Arc;

use super::error::OpenError;
use super::list::Listing;
use super::name::{DriveName, Label};
use super::wish::Wish;
use crate::drive::channel::{ChannelError, ChannelState};
use crate::drive::note::{NoteError, Settled};
use crate::drive::{Inhibitor, MediumRule, Obstacle};
use crate::protocol::Route;
use crate::protocol::packet::Reopen;
use crate::scsi::Identity;
use crate::transport::port::InterruptCount;
use crate::transport::{Clock, OpenDrive, OpenRegisters, Unit};

/// A machine with drives.
pub trait Machine: Send + Sync {
    /// Takes back what crashed runs have left changed, but for the channel that
    /// a drive is on, of this name by the ports.
    fn settle(&self, but: Option<&DriveName>) -> Vec<Settled>;

    /// What a drive is called by the ports that a crashed run has taken off the
    /// kernel for them.
    fn lost(&self, name: &DriveName) -> Option<DriveName>;

    /// Every drive, by INQUIRY and TEST UNIT READY, which every drive knows. Nothing
    /// else is sent to any of them: [`Listing::ask_firmware`] does, where it may.
    fn list(&self) -> Listing;

    /// The drive of this name. Nothing is sent to it.
    ///
    /// # Errors
    /// [`OpenError`] where there is none, or it is not known which.
    fn locate(&self, name: &DriveName) -> Result<Spot, OpenError>;

    /// The drive of this name, held alone for a few questions, now or not at all.
    /// Nothing is changed for that, and nothing is sent to it.
    ///
    /// # Errors
    /// [`OpenError`] where it cannot be had at this moment.
    fn glance(&self, name: &DriveName) -> Result<OpenDrive, OpenError>;

    /// The registers by which a drive is reached, still to be taken. Nothing is
    /// changed and nothing is sent to the drive; one that the kernel has is asked for
    /// its medium.
    ///
    /// # Errors
    /// [`OpenError`] where no registers lead there, or something that must not
    /// lose its channel is on it.
    fn ports(&self, name: &DriveName, wish: &Wish) -> Result<Registers, OpenError>;

    /// Where this program keeps what outlives a run.
    fn folders(&self) -> Folders;

    /// Holds off suspend and shutdown, where somebody can be asked to.
    fn inhibit(&self, why: &str) -> Option<Inhibitor>;
}

/// Folders of this program on a machine. Whether they exist is another matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    /// Where notes of unfinished changes are written and read.
    pub journal: UserFolder,
    /// Where such notes of other users are only read.
    pub other_journals: Vec<UserFolder>,
    /// Where the log of every run is.
    pub log: PathBuf,
    /// Where it is counted how often drives refuse vendor mode; `None` where
    /// nothing outlives a run.
    pub refusals: Option<PathBuf>,
}

/// A folder, and the user whose files in it count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserFolder {
    pub path: PathBuf,
    /// By number. Nobody else may flash the drives of this machine, or trusts more
    /// than those who may.
    pub owner: u32,
}

/// A drive that was found and not touched.
pub struct Spot {
    pub label: Label,
    /// Its place in the machine in terms that survive a restart of both.
    pub place: String,
    /// The IDE channel that it shares, in terms of its controller; `None` where
    /// it has its own, or is on none.
    pub channel: Option<String>,
    /// That this position is a guess, and at which SATA port the drive is.
    pub guess: Option<Guess>,
    /// What it is called by the ports that lead to it, too.
    pub at_ports: Option<DriveName>,
    /// Whether the ports are the better way into vendor mode: through the kernel
    /// each command there runs its error handling.
    pub is_for_ports: bool,
    /// Gets hold of it, so that nobody else talks to it.
    pub hold: Box<dyn Fn(MediumRule) -> Result<Held, OpenError>>,
}

/// A position that is a natural reading and not what DOS would have counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guess {
    /// Counted from 1.
    pub port: u32,
    pub node: Option<PathBuf>,
}

/// A drive that nobody else talks to.
pub struct Held {
    pub packets: OpenDrive,
    /// How it is found again after it has restarted.
    pub reopen: Reopen,
    pub clock: Arc<dyn Clock>,
    /// What stands behind a command that is not let through.
    pub filter: Option<Obstacle>,
    /// Why the kernel goes on looking for discs in it.
    pub polling: Option<NoteError>,
}

/// The registers of a channel, before they are taken.
pub struct Registers {
    pub label: Label,
    /// As that of [`Spot`].
    pub place: String,
    /// What the kernel would have to give up, and what else this costs; `None`
    /// for nothing.
    pub channel: Option<ChannelState>,
    /// Whether the drive may be switched off and on meanwhile.
    pub can_wait: bool,
    pub route: Route,
    /// Takes them off the kernel; where that fails it has everything back.
    pub take: Box<dyn FnOnce() -> Result<Taken, OpenError>>,
}

/// The registers of a channel that nobody else uses.
pub struct Taken {
    pub registers: OpenRegisters,
    pub unit: Unit,
    /// nIEN may be set and cleared.
    pub takes_nien: bool,
    /// Counts the interrupts of their line.
    pub interrupts: Option<InterruptCount>,
    /// Who else is on that line.
    pub neighbours: Vec<String>,
    /// A crashed run had taken them.
    pub is_taken_over: bool,
    pub clock: Arc<dyn Clock>,
    /// Who the kernel remembers there.
    pub known_as: Option<Identity>,
    /// What the kernel has given up and gets back; `None` for nothing.
    pub lent: Option<Lent>,
}

/// Gives back what the kernel has given up for the ports, and waits for it; fails where
/// a drive that was there is not back. Dropping it gives it back as well, without
/// waiting.
pub type Lent = Box<dyn FnOnce() -> Result<(), ChannelError> + Send>;
