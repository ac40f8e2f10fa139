//! What all simulated drives have in common: task-file registers, identity,
//! flash cells, counters, faults and power. What a family does with a command
//! is its [`Model`].

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use super::clock::SimClock;
use super::counters::Counters;
use super::faults::{Fault, Hook, Schedule};
use super::memory::{Memory, Misreads};
use super::state::{Hold, Remembered, StateFiles};
use super::target::{Reply, TargetData};
use crate::scsi::Identity;
use crate::transport::Register;

pub(super) const STATUS_READY: u8 = 0x50;
/// DRDY, DSC and ERR: how a drive says that it aborted a command.
pub(super) const STATUS_ABORTED: u8 = 0x51;
const STATUS_BUSY: u8 = 0xD0;

pub(super) const DEVICE_RESET: u8 = 0x08;
pub(super) const PACKET: u8 = 0xA0;
pub(super) const IDENTIFY_PACKET_DEVICE: u8 = 0xA1;
pub(super) const IDENTIFY_DEVICE: u8 = 0xEC;

const DATA_REQUEST: u8 = 0x08;
const ERROR_ABORTED: u8 = 0x04;

/// What a family of drives makes of a command.
pub(super) trait Model: Send {
    /// Carries out an ATA command: leaves status and registers in `core`.
    fn command(&mut self, core: &mut Core, command: u8);

    /// Answers a packet of the family's own; `None` for one it does not know.
    fn packet(&mut self, core: &mut Core, cdb: &[u8], data: &TargetData<'_>) -> Option<Reply>;

    /// The drive is looked at for the first time in a run.
    fn start(&mut self, _core: &mut Core) {}

    /// Lets the model catch up with the clock: what was to happen by now has
    /// happened. Called before each packet and before the drive is looked at.
    fn settle(&mut self, _core: &mut Core) {}

    /// Why a packet other than REQUEST SENSE is not even looked at, as sense
    /// key, ASC and ASCQ; `None` where nothing stands in its way.
    fn gate(&mut self, _core: &mut Core, _opcode: u8) -> Option<(u8, u8, u8)> {
        None
    }

    /// The flash.
    fn memory(&mut self) -> &mut Memory;

    /// Adds what a flash chip counts by itself.
    fn count(&mut self, _counters: &mut Counters) {}

    /// Whether the firmware that answers packets runs.
    fn answers_packets(&self) -> bool;

    /// The status that a drive found in this state shows.
    fn resting_status(&self) -> u8 {
        STATUS_READY
    }

    /// The power goes: a chip leaves half done what it is at. The seed says how far
    /// it had come.
    fn lose_power(&mut self, _core: &mut Core, _seed: u64) {}

    /// The power came back.
    fn power_on(&mut self, core: &mut Core);

    /// What the next run is to know of the model.
    fn remember(&self, remembered: &mut Remembered);
}

/// The output registers of a drive and the last values written to it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TaskFileRegisters {
    /// As written.
    pub features: u8,
    pub count: u8,
    pub lba_low: u8,
    pub lba_mid: u8,
    pub lba_high: u8,
    pub device: u8,
    /// As the drive answers.
    pub error: u8,
    pub status: u8,
}

impl TaskFileRegisters {
    /// Where what is written to a register stays.
    pub fn written(&mut self, register: Register) -> Option<&mut u8> {
        Some(match register {
            Register::Features => &mut self.features,
            Register::Count => &mut self.count,
            Register::LbaLow => &mut self.lba_low,
            Register::LbaMid => &mut self.lba_mid,
            Register::LbaHigh => &mut self.lba_high,
            Register::Device => &mut self.device,
            Register::Command | Register::DeviceControl => return None,
        })
    }
}

/// Time that operations take, in simulated nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Latency {
    /// Each register access over the legacy ports.
    pub register_ns: u64,
    /// How long an ATA command keeps the drive busy.
    pub command_ns: u64,
    /// Each packet, also one that carries an ATA command, on its way.
    pub packet_ns: u64,
}

impl Default for Latency {
    /// Ports as measured on an emulated drive (10 µs for 8 accesses). Packets
    /// are faster than those of any bridge, so that a bench that is about
    /// something else is no job of hours.
    fn default() -> Self {
        Latency {
            register_ns: 1_250,
            command_ns: 1_000,
            packet_ns: 100_000,
        }
    }
}

/// Whether a drive can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Present,
    /// No power: everything volatile is lost.
    PowerCut,
    Unplugged,
}

/// What happens to the operation that is just beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Interference {
    pub skip: bool,
    pub transport_error: bool,
    pub time_out: bool,
    pub status: Option<u8>,
    pub sense: Option<(u8, u8, u8)>,
    /// Bytes that are not moved, as the drive says.
    pub short: usize,
    pub afterwards: Option<Presence>,
}

/// The parts of a drive that its model works on.
#[derive(Default)]
pub(super) struct Core {
    pub identity: Identity,
    pub clock: Arc<SimClock>,
    pub latency: Latency,
    pub registers: TaskFileRegisters,
    pub misreads: Misreads,
    pub counters: Counters,
    /// Busy until then, in the clock's nanoseconds.
    pub busy_until: u64,
    /// Counts how often the drive has left the bus and come back as a new node.
    pub generation: u64,
    /// Off the bus until then, in the clock's nanoseconds.
    pub off_bus_until: u64,
    /// Who the drive says it is after a restart, if not who it should be.
    pub other_identity: Option<Identity>,
    /// What INQUIRY says behind the revision.
    pub vendor_specific: String,
    /// How far a drive is that is busy, for its next sense data.
    pub progress: u8,
    /// The model has changed in a way that the next run is to know.
    pub changed: bool,
    /// The flash chip never finishes what it does: it answers as a busy one.
    pub chip_held_busy: bool,
}

impl Core {
    pub fn violation(&mut self, text: impl Into<String>) {
        self.counters.violation(text.into());
    }

    /// Ends a command well or badly, by its status.
    pub fn finish(&mut self, status: u8) {
        const ERROR: u8 = 0x01;
        self.registers.status = status;
        self.registers.error = if status & ERROR != 0 {
            ERROR_ABORTED
        } else {
            0
        };
    }

    pub fn abort(&mut self) {
        self.finish(STATUS_ABORTED);
    }

    /// Carries out an ATA command that is about no firmware; `false` for any other.
    /// `runs`: the firmware answers packets.
    pub fn common_command(&mut self, command: u8, runs: bool) -> bool {
        match command {
            // The kernel sends these by itself: they are nobody's mistake.
            PACKET | IDENTIFY_PACKET_DEVICE if runs => self.finish(STATUS_READY),
            PACKET | IDENTIFY_PACKET_DEVICE => self.abort(),
            DEVICE_RESET => self.reset(),
            IDENTIFY_DEVICE => {
                self.abort();
                self.signature();
            }
            _ => return false,
        }
        true
    }

    /// An ATAPI device after DEVICE RESET: DRDY stays clear, and the registers hold
    /// the signature of a packet device.
    pub fn reset(&mut self) {
        self.finish(0x00);
        self.registers.error = 0x01;
        self.signature();
    }

    fn signature(&mut self) {
        self.registers.count = 0x01;
        self.registers.lba_low = 0x01;
        self.registers.lba_mid = 0x14;
        self.registers.lba_high = 0xEB;
    }
}

/// A simulated drive of any family.
pub(super) struct Drive {
    pub core: Core,
    pub model: Box<dyn Model>,
    pub presence: Presence,
    /// What the presence will be when the next command comes.
    departure: Option<Presence>,
    /// Answers neither INQUIRY nor IDENTIFY PACKET DEVICE.
    pub inquiry_fails: bool,
    /// Words that wait in the data register.
    pub data: VecDeque<u16>,
    schedule: Schedule,
    stuck_busy: bool,
    state: Option<StateFiles>,
    remembered: Remembered,
    /// What the next REQUEST SENSE answers.
    pub sense: Vec<u8>,
}

impl Drive {
    pub fn new(
        mut core: Core,
        mut model: Box<dyn Model>,
        state: Option<StateFiles>,
        remembered: Remembered,
    ) -> Drive {
        model.start(&mut core);
        Drive {
            core,
            model,
            presence: Presence::Present,
            departure: None,
            inquiry_fails: false,
            data: VecDeque::new(),
            schedule: Schedule::default(),
            stuck_busy: false,
            state,
            remembered,
            sense: Vec::new(),
        }
    }

    pub fn add_fault(&mut self, fault: Fault) {
        if let Some(memory) = fault.memory() {
            if self.remembered.happened.contains(&memory) {
                return;
            }
        }
        match fault {
            Fault::OtherIdentity {
                vendor,
                product,
                revision,
            } => {
                self.core.other_identity = Some(Identity {
                    vendor,
                    product,
                    revision,
                    serial: self.core.identity.serial.clone(),
                });
            }
            Fault::Stuck { .. } | Fault::PartialProgram { .. } | Fault::WeakErase { .. } => {
                self.model.memory().add_fault(fault);
            }
            Fault::FlipRate { .. } | Fault::Flip { .. } => self.core.misreads.add(fault),
            fault => self.schedule.add_fault(fault),
        }
    }

    pub fn add_hook(&mut self, hook: Hook) {
        self.schedule.add_hook(hook);
    }

    /// Switches the drive off and on again, and plugs it in.
    pub fn power_cycle(&mut self) {
        self.presence = Presence::Present;
        self.departure = None;
        self.stuck_busy = false;
        self.data.clear();
        self.core.busy_until = 0;
        self.core.registers = TaskFileRegisters {
            status: STATUS_READY,
            device: self.core.registers.device,
            ..TaskFileRegisters::default()
        };
        self.core.chip_held_busy = false;
        self.model.power_on(&mut self.core);
        self.save();
    }

    /// Whether it has power and its cable.
    pub fn is_there(&self) -> bool {
        self.presence == Presence::Present
    }

    /// Lets the drive catch up with its clock, and says whether it is on the bus.
    pub fn is_on_bus(&mut self) -> bool {
        self.model.settle(&mut self.core);
        self.is_there() && self.core.clock.nanoseconds() >= self.core.off_bus_until
    }

    /// Counts an operation and says what interferes with it.
    #[inline]
    pub fn begin(&mut self) -> Interference {
        self.core.counters.operations += 1;
        if self.schedule.is_clear(self.core.counters.operations) {
            return Interference {
                skip: self.stuck_busy,
                ..Interference::default()
            };
        }
        self.interfere()
    }

    #[cold]
    fn interfere(&mut self) -> Interference {
        let mut interference = Interference::default();
        for fault in self.schedule.take(self.core.counters.operations) {
            match fault {
                Fault::StuckBusy { .. } => self.stuck_busy = true,
                Fault::ChipBusy { .. } => self.core.chip_held_busy = true,
                Fault::WrongStatus { status, .. } => interference.status = Some(status),
                Fault::CheckCondition { key, asc, ascq, .. } => {
                    interference.sense = Some((key, asc, ascq))
                }
                Fault::ShortTransfer { bytes, .. } => interference.short = bytes,
                Fault::TransportError { executed, .. } => {
                    interference.transport_error = true;
                    interference.skip |= !executed;
                }
                Fault::TimeOut { executed, .. } => {
                    interference.time_out = true;
                    interference.skip |= !executed;
                }
                Fault::PowerCut { .. } => interference.afterwards = Some(Presence::PowerCut),
                Fault::Unplug { .. } => interference.afterwards = Some(Presence::Unplugged),
                _ => {}
            }
            if let Some(memory) = fault.memory() {
                self.remembered.happened.push(memory);
            }
        }
        interference.skip |= self.stuck_busy;
        interference
    }

    /// Issues the ATA command whose registers are set.
    #[inline]
    pub fn issue(&mut self, command: u8) -> Interference {
        let interference = self.begin();
        self.core.counters.ata.count(command);
        if !interference.skip {
            self.model.command(&mut self.core, command);
            self.core.busy_until = self
                .core
                .clock
                .nanoseconds()
                .saturating_add(self.core.latency.command_ns)
                .max(self.core.busy_until);
        }
        if self.core.changed {
            self.save();
        }
        if interference != Interference::default() {
            self.conclude(&interference);
        }
        interference
    }

    /// Lets the status and the presence be what the interference makes of them.
    pub fn conclude(&mut self, interference: &Interference) {
        if let Some(status) = interference.status {
            self.core.registers.status = status;
        }
        if interference.time_out {
            self.core.registers.status = STATUS_BUSY;
        }
        if interference.afterwards.is_some() {
            self.departure = interference.afterwards;
            if self.departure == Some(Presence::PowerCut) {
                let seed = self.core.counters.operations;
                self.model.lose_power(&mut self.core, seed);
            }
            self.save();
        }
    }

    /// Leaves, if the last operation was the one before that. The answer of
    /// that operation has been fetched by now.
    #[inline]
    pub fn depart_if_due(&mut self) {
        if let Some(departure) = self.departure.take() {
            if departure == Presence::PowerCut {
                self.model.power_on(&mut self.core);
            }
            self.presence = departure;
            self.save();
        }
    }

    /// Why the operation has no answer at all, if it has none: the fault of a
    /// bench, or its files cannot be written.
    #[inline]
    pub fn take_failure(&mut self, interference: &Interference) -> Option<io::Error> {
        if interference.transport_error {
            return Some(io::Error::other("the answer was lost on its way"));
        }
        self.model.memory().take_failure()
    }

    /// What the drive was asked to do, its flash chip included.
    pub fn counters(&mut self) -> Counters {
        let mut counters = self.core.counters.clone();
        self.model.count(&mut counters);
        counters
    }

    #[inline]
    pub fn is_busy(&self) -> bool {
        self.stuck_busy || self.core.busy_until > self.core.clock.nanoseconds()
    }

    /// Lets time pass until the drive is not busy; `false` if that never comes.
    pub fn wait(&mut self) -> bool {
        self.core.clock.advance_to(self.core.busy_until);
        !self.stuck_busy
    }

    /// The status as a host reads it.
    #[inline]
    pub fn status(&self) -> u8 {
        if self.is_busy() {
            STATUS_BUSY
        } else if self.data.is_empty() {
            self.core.registers.status
        } else {
            self.core.registers.status | DATA_REQUEST
        }
    }

    /// As [`StateFiles::hold`]; a drive without files is its process's own.
    ///
    /// # Errors
    /// As there.
    pub fn hold(&mut self) -> io::Result<Option<Hold>> {
        match &self.state {
            Some(state) => state.hold(self.model.memory().bytes(), &self.remembered),
            None => Ok(Some(Hold::default())),
        }
    }

    /// Writes down what the next run is to find.
    pub fn save(&mut self) {
        self.core.changed = false;
        self.model.remember(&mut self.remembered);
        if self.departure == Some(Presence::PowerCut) {
            self.remembered.vendor_mode = false;
        }
        if let Some(state) = &self.state {
            if let Err(error) = state.save(&self.remembered) {
                self.model.memory().fail(error);
            }
        }
    }
}

impl Drop for Drive {
    /// The end of a run leaves its counters beside the flash.
    fn drop(&mut self) {
        let counters = self.counters();
        if let Some(state) = &self.state {
            state.save_counters(&counters);
        }
    }
}
