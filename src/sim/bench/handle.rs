//! A drive that runs: the seams by which a program reaches it, and the windows
//! through which a test looks at it.

use std::io;
use std::path::Path;
use std::sync::{Arc, MutexGuard};

use super::file::DriveSetup;
use super::place::Place;
use crate::scsi::Identity;
use crate::sim::channel::{Channel, SharedChannel, SimPorts, lock};
use crate::sim::clock::SimClock;
use crate::sim::counters::Counters;
use crate::sim::drive::Drive;
use crate::sim::faults::{Fault, Hook};
use crate::sim::packet::{Bridge, SimPacketTransport, SimTarget};
use crate::sim::state::{Hold, Remembered};
use crate::sim::target::{InRealTime, ScsiTarget};
use crate::transport::clock::SystemClock;
use crate::transport::{OpenDrive, OpenRegisters, Unit};

/// A drive of a bench. Handles to a drive share it.
#[derive(Clone)]
pub struct SimDriveHandle {
    channel: SharedChannel,
    unit: Unit,
    bridge: Bridge,
    dead: bool,
    pub(super) identity: Identity,
    clock: Arc<SimClock>,
    pub(super) place: Place,
    /// Kept by whatever is opened by this handle.
    hold: Option<Arc<Hold>>,
}

impl SimDriveHandle {
    /// A handle to a drive that is still to be [attached](Self::attach).
    pub(super) fn new(setup: &DriveSetup, place: Place, ports: &[SharedChannel; 2]) -> Self {
        let (channel, unit) = place.channel(ports);
        SimDriveHandle {
            channel,
            unit,
            bridge: Bridge {
                layout: setup.registers,
                truncates: setup.truncate_first_sense,
            },
            dead: setup.dead,
            identity: Identity {
                vendor: setup.vendor.clone(),
                product: setup.product.clone(),
                revision: setup.revision.clone(),
                serial: setup.serial.clone(),
            },
            clock: Arc::new(match setup.real_time {
                true => SimClock::real(),
                false => SimClock::default(),
            }),
            place,
            hold: None,
        }
    }

    /// Connects the drive to its channel.
    pub(super) fn attach(&self, drive: Drive) {
        lock(&self.channel).attach(self.unit, drive);
    }

    /// 1 to 4; `None` for a drive that has only a path.
    pub fn position(&self) -> Option<u8> {
        self.place.position
    }

    pub fn path(&self) -> Option<&Path> {
        self.place.path.as_deref()
    }

    /// `position-3`, or the path with `-` for what is no letter: the stem of
    /// the drive's files in the state folder.
    pub fn name(&self) -> String {
        self.place.name()
    }

    /// Who the drive says it is now, if it answers.
    pub fn identity(&self) -> Identity {
        self.with(|drive| {
            drive.model.settle(&mut drive.core);
            drive.core.identity.clone()
        })
        .unwrap_or_else(|| self.identity.clone())
    }

    /// Master or slave of its channel.
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// The drive's own time.
    pub fn clock(&self) -> Arc<SimClock> {
        Arc::clone(&self.clock)
    }

    /// The drive held alone, as the exclusive open of a real one does, until what is
    /// returned is dropped with all that was opened by it. `None` where another run has
    /// it, or has changed its flash since this bench was opened.
    ///
    /// # Errors
    /// The files of its state cannot be looked at.
    pub fn alone(&self) -> io::Result<Option<SimDriveHandle>> {
        let hold = self.with(Drive::hold).transpose()?.flatten();
        Ok(hold.map(|hold| SimDriveHandle {
            hold: Some(Arc::new(hold)),
            ..self.clone()
        }))
    }

    /// The way of SG_IO. `None` for a dead drive, which no kernel lists, and
    /// while a drive is off the bus to restart: ask again when time has passed.
    /// What was opened before a drive left the bus stays vanished.
    pub fn packets(&self) -> Option<OpenDrive> {
        if self.dead {
            return None;
        }
        let generation = self.with(|drive| {
            let there = drive.is_on_bus() || !drive.is_there();
            there.then_some(drive.core.generation)
        })??;
        Some(Box::new(SimPacketTransport {
            channel: Arc::clone(&self.channel),
            unit: self.unit,
            bridge: self.bridge,
            whole_sense: false,
            generation,
            _hold: self.hold.clone(),
        }))
    }

    /// The drive as a bus sees it, for a server that offers it to a kernel.
    /// Nothing is truncated here: that is what kernels do. A drive that leaves
    /// the bus says so by [`Event::Reenumerate`](crate::sim::target::Event), and is
    /// back when the next command comes.
    pub fn target(&self) -> Box<dyn ScsiTarget> {
        Box::new(SimTarget {
            channel: Arc::clone(&self.channel),
            unit: self.unit,
            bridge: self.bridge,
            generation: self.with(|drive| drive.core.generation).unwrap_or_default(),
        })
    }

    /// As [`target`](Self::target), for a host whose time is real: a drive that
    /// programs for 8 s does so, and a command that takes 10 s is answered after
    /// 10 s.
    pub fn target_in_real_time(&self) -> Box<dyn ScsiTarget> {
        Box::new(InRealTime {
            drive: self.target(),
            clock: self.clock(),
            host: Box::new(SystemClock::default()),
        })
    }

    /// The legacy ports of the drive's channel, with both its drives; `None`
    /// for a drive without a position.
    pub fn registers(&self) -> Option<OpenRegisters> {
        self.position()?;
        Some(Box::new(SimPorts {
            channel: Arc::clone(&self.channel),
            _hold: self.hold.clone(),
        }))
    }

    /// What the drive was asked to do since the bench was opened.
    pub fn counters(&self) -> Counters {
        self.with(Drive::counters).unwrap_or_default()
    }

    /// What the drive was asked that the protocol does not allow.
    pub fn violations(&self) -> Vec<String> {
        self.counters().violations
    }

    /// The bytes in the flash, as no host reads them.
    pub fn flash(&self) -> Vec<u8> {
        self.with(|drive| drive.model.memory().bytes().to_vec())
            .unwrap_or_default()
    }

    /// Puts bytes into the flash from `at` on, cut at its end.
    pub fn set_flash(&self, at: u32, bytes: &[u8]) {
        self.with(|drive| drive.model.memory().overwrite(at, bytes));
    }

    /// Whether the drive is in vendor mode.
    pub fn in_vendor_mode(&self) -> bool {
        self.with(|drive| {
            let mut now = Remembered::default();
            drive.model.remember(&mut now);
            now.vendor_mode
        })
        .unwrap_or(false)
    }

    /// Whether the host has set nIEN on the drive's channel.
    pub fn interrupts_off(&self) -> bool {
        lock(&self.channel).interrupts_off()
    }

    /// Whether the drive is there: it has power and its cable.
    pub fn is_present(&self) -> bool {
        self.with(|drive| drive.is_there()).unwrap_or(false)
    }

    /// Adds a fault. Operations are counted from the opening of the bench.
    pub fn add_fault(&self, fault: Fault) {
        self.with(|drive| drive.add_fault(fault));
    }

    /// Calls `action` just before this operation, counted from 1 from the
    /// opening of the bench. It must not ask anything of the bench, which waits
    /// for it.
    pub fn at_operation(&self, operation: u64, action: impl FnMut() + Send + 'static) {
        self.with(|drive| {
            drive.add_hook(Hook {
                operation,
                action: Box::new(action),
            });
        });
    }

    /// Switches the drive off and on again, and plugs it in where it was pulled.
    pub fn power_cycle(&self) {
        self.with(Drive::power_cycle);
    }

    fn with<R>(&self, act: impl FnOnce(&mut Drive) -> R) -> Option<R> {
        let mut channel: MutexGuard<'_, Channel> = lock(&self.channel);
        channel.drive(self.unit).map(act)
    }
}
