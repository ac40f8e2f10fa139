//! A drive that takes its firmware by packets: it collects an image, programs
//! it, restarts, and is then whoever the image says.
//!
//! What a family asks for is its [`Protocol`], a file of its own beside this
//! one, as far as public sources tell. What happens between the commands is
//! made up here to be as unhelpful as a drive may be: it is not ready while it
//! programs, comes back with a UNIT ATTENTION, and where power goes away
//! meanwhile, a part of the image is all there is. It was written without a
//! drive at hand: where a real one differs, this one is wrong.
//!
//! Whatever a family's protocol does not have is refused, changes nothing and
//! is counted as a violation, so that a test against this drive fails on it.

mod blu_ray;
mod btc;
mod protocol;
mod read_buffer;
mod vendor_blocks;

#[cfg(test)]
mod tests;

use std::time::Duration;

use super::drive::{Core, Model, STATUS_READY};
use super::memory::Memory;
use super::reply::{byte, check_condition, good, hex, is_harmless};
use super::state::Remembered;
use super::target::{Reply, TargetData};
use crate::flash::{BANK_SIZE, FlashRange, Offset};
use crate::scsi::Identity;
use protocol::{Pace, Program, SenseCodes, Step};

pub(super) use blu_ray::{BluRay, Setup};
pub(super) use btc::Btc;
pub(super) use protocol::Protocol;
pub(super) use vendor_blocks::VendorBlocks;

/// What the boot loader answers for a revision. Documented for the MT1939
/// (coastermelt); simulated drives of other families do as it does.
const BOOT_REVISION: &str = "BOOT";

const INQUIRY: u8 = 0x12;
const GET_CONFIGURATION: u8 = 0x46;

const LONG_WRITE: SenseCodes = (0x02, 0x04, 0x08);
const BECOMING_READY: SenseCodes = (0x02, 0x04, 0x01);
const RESTARTED: SenseCodes = (0x06, 0x29, 0x00);
const NO_FIRMWARE: SenseCodes = (0x04, 0x44, 0x00);

/// What a bench says about such a drive.
#[derive(Debug, Clone, Copy)]
pub(super) struct Habits {
    /// How long programming takes, each time.
    pub program: Duration,
    /// How long a restart takes: on the bus, or off it and then the same again.
    pub restart: Duration,
    /// Leaves the bus to restart.
    pub reenumerates: bool,
    /// A boot loader answers and takes the same commands where the firmware
    /// does not run.
    pub boot_loader: bool,
}

/// Programming that goes on behind the host's back.
struct Work {
    range: FlashRange,
    /// What the range held before.
    before: Vec<u8>,
    started: u64,
    until: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Running {
    /// Nothing yet: the bench has just been opened.
    Nothing,
    Firmware,
    BootLoader,
    /// Nothing answers any more.
    Dead,
}

pub(super) struct PacketDrive {
    protocol: Box<dyn Protocol>,
    memory: Memory,
    habits: Habits,
    /// As the bench has it.
    own: Identity,
    running: Running,
    work: Option<Work>,
    /// The flash holds a part of an image and no whole one.
    half_written: bool,
    /// Becoming ready until then, in the clock's nanoseconds.
    ready_at: u64,
    /// The next command is told that the drive has restarted.
    attention: bool,
}

impl PacketDrive {
    pub fn new(
        protocol: Box<dyn Protocol>,
        memory: Memory,
        habits: Habits,
        own: Identity,
        remembered: &Remembered,
    ) -> PacketDrive {
        PacketDrive {
            protocol,
            memory,
            habits,
            own,
            running: Running::Nothing,
            work: None,
            half_written: remembered.half_written,
            ready_at: 0,
            attention: false,
        }
    }

    /// Starts what is in the flash.
    fn boot(&mut self, core: &mut Core) {
        let found = match self.half_written {
            true => None,
            false => self.protocol.identity(self.memory.bytes()),
        };
        let serial = self.own.serial.clone();
        (self.running, core.identity) = match found {
            Some(identity) => (Running::Firmware, Identity { serial, ..identity }),
            None if self.habits.boot_loader => {
                let revision = BOOT_REVISION.to_owned();
                let own = self.own.clone();
                (Running::BootLoader, Identity { revision, ..own })
            }
            None => (Running::Dead, self.own.clone()),
        };
        let is_boot_code = self.running != Running::Firmware;
        core.vendor_specific = match is_boot_code {
            true => String::new(),
            false => self.protocol.vendor_specific(self.memory.bytes()),
        };
        self.protocol.started(is_boot_code);
    }

    /// Starts what has just been programmed.
    fn restart(&mut self, core: &mut Core, at: u64) {
        self.half_written = false;
        self.boot(core);
        if self.running == Running::Firmware {
            for (at, bytes) in self.protocol.writes(self.memory.bytes()) {
                self.memory.overwrite(at, &bytes);
            }
        }
        if let Some(other) = &core.other_identity {
            core.identity = other.clone();
        }
        self.attention = true;
        self.ready_at = at.saturating_add(nanoseconds(self.habits.restart));
        if self.habits.reenumerates {
            core.off_bus_until = self.ready_at;
            core.generation += 1;
            self.ready_at = self
                .ready_at
                .saturating_add(nanoseconds(self.habits.restart));
        }
        core.changed = true;
    }

    fn program(&mut self, core: &mut Core, program: Program) -> Reply {
        let Program {
            mode: _,
            start,
            bytes,
            pace,
            residue,
            violations,
        } = program;
        for violation in violations {
            core.violation(violation);
        }
        let range = Offset(start).range_of(&bytes);
        let before = range.of(self.memory.bytes()).to_vec();
        self.memory.program(start, &bytes);
        core.counters.firmware_programs += 1;
        let started = core.clock.nanoseconds();
        let until = started.saturating_add(nanoseconds(self.habits.program));
        match pace {
            Pace::Afterwards => {
                self.work = Some(Work {
                    range,
                    before,
                    started,
                    until,
                });
            }
            Pace::WithinCommand => {
                core.clock.advance_to(until);
                self.restart(core, until);
            }
            Pace::InPart => {
                core.clock.advance_to(until);
                self.half_written = true;
                self.boot(core);
            }
        }
        core.changed = true;
        Reply {
            residue,
            ..Reply::default()
        }
    }

    /// The power is gone: what has not been programmed by now never will be,
    /// and the bank at work is left erased.
    fn interrupt(&mut self, now: u64, work: Work) {
        let Work {
            range,
            mut before,
            started,
            until,
        } = work;
        let passed = u128::from(now.saturating_sub(started));
        let whole = u128::from(until.saturating_sub(started)).max(1);
        let length = range.len() as usize;
        let done = usize::try_from(length as u128 * passed / whole)
            .unwrap_or(length)
            .min(length);
        let erased = done
            .next_multiple_of(BANK_SIZE as usize)
            .max(BANK_SIZE as usize)
            .min(length);
        if let Some(bank) = before.get_mut(done..erased) {
            bank.fill(0xFF);
        }
        let at = range.start() + u32::try_from(done).unwrap_or(0);
        self.memory
            .overwrite(at, before.get(done..).unwrap_or_default());
        self.half_written = true;
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl Model for PacketDrive {
    fn command(&mut self, core: &mut Core, command: u8) {
        if !core.common_command(command, true) {
            core.violation(format!("ATA command {command:02x} to a packet drive"));
            core.abort();
        }
    }

    fn packet(&mut self, core: &mut Core, cdb: &[u8], data: &TargetData<'_>) -> Option<Reply> {
        if is_harmless(byte(cdb, 0)) && byte(cdb, 0) != GET_CONFIGURATION {
            return None;
        }
        let step = self.protocol.step(self.memory.bytes(), cdb, data);
        if let Step::Block { mode }
        | Step::Program(Program {
            mode: Some(mode), ..
        }) = &step
        {
            core.counters.blocks.count(*mode);
        }
        let refusal = |(key, asc, ascq)| check_condition(key, asc, ascq);
        Some(match step {
            Step::Undocumented => return None,
            Step::Refused { sense, why } => {
                core.violation(format!("{why}: {}", hex(cdb)));
                self.protocol.reset();
                refusal(sense)
            }
            Step::Declined(sense) => refusal(sense),
            Step::Read(range) => {
                let mut bytes = range.of(self.memory.bytes()).to_vec();
                core.misreads.apply_all(range.start(), &mut bytes);
                good(bytes, data.room())
            }
            Step::Answer(bytes) => good(bytes, data.room()),
            Step::Taken | Step::Block { .. } => Reply::default(),
            Step::Program(program) => self.program(core, program),
        })
    }

    fn settle(&mut self, core: &mut Core) {
        if self.running == Running::Nothing {
            self.boot(core);
        }
        if let Some(work) = self
            .work
            .take_if(|work| work.until <= core.clock.nanoseconds())
        {
            self.restart(core, work.until);
        }
    }

    fn gate(&mut self, core: &mut Core, opcode: u8) -> Option<SenseCodes> {
        let condition = if self.running == Running::Dead && self.work.is_none() {
            return Some(NO_FIRMWARE);
        } else if opcode == INQUIRY {
            return None;
        } else if core.chip_held_busy {
            return Some(LONG_WRITE);
        } else if let Some(work) = &self.work {
            core.progress = self.protocol.parts().map_or(0, |parts| {
                let now = core.clock.nanoseconds().saturating_sub(work.started);
                let whole = work.until.saturating_sub(work.started).max(1);
                u8::try_from(1 + u64::from(parts) * now / whole)
                    .unwrap_or(parts)
                    .min(parts)
            });
            LONG_WRITE
        } else if core.clock.nanoseconds() < self.ready_at {
            BECOMING_READY
        } else if std::mem::take(&mut self.attention) {
            return Some(RESTARTED);
        } else {
            return None;
        };
        if !is_harmless(opcode) {
            core.violation(format!("command {opcode:02x} while the drive is not ready"));
        }
        Some(condition)
    }

    fn memory(&mut self) -> &mut Memory {
        &mut self.memory
    }

    fn answers_packets(&self) -> bool {
        true
    }

    fn power_on(&mut self, core: &mut Core) {
        self.settle(core);
        if let Some(work) = self.work.take() {
            self.interrupt(core.clock.nanoseconds(), work);
        }
        self.protocol.reset();
        self.attention = true;
        self.ready_at = 0;
        core.off_bus_until = 0;
        self.boot(core);
        core.finish(STATUS_READY);
    }

    /// The firmware notices, and is not ready for anything.
    fn remember(&self, remembered: &mut Remembered) {
        remembered.half_written = self.half_written;
    }
}
