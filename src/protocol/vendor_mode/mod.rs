//! Vendor mode: the protocol of MTKFLASH and DosFlash.
//!
//! Talks to the drive's boot code through the task file of its IDE channel
//! (no packet, no data register, no interrupt) and so works while the drive's
//! firmware does not. That is what revives a dead drive.
//! **Never tried on hardware by this project.**
//!
//! # Registers
//! As ATA names them, from the base of the channel on (1F0h primary, 170h secondary):
//! Features +1, Count +2, LBA-low +3, LBA-mid +4, LBA-high +5, Device +6, Command and
//! Status +7. DEV is A0h for a master and B0h for a slave. Numbers below are
//! hexadecimal; a register that is not named is not written.
//!
//! # Commands
//! | deed | registers, in their order | answer | sure |
//! |---|---|---|---|
//! | enter | Device=DEV; 250 ms; Device=DEV, LBA-low=2A, Command=80; 2 ms; Device=DEV | Status: the *mode status* | proven (JungleFlasher); that MTKFLASH and DosFlash do the same is reported (Geremia) |
//! | read a byte at A | Device=DEV, LBA-mid=bits 7 to 0 of A, LBA-high=bits 15 to 8, Device=DEV or bits 19 to 16, Command=00 | LBA-low | proven |
//! | write a byte at A | the same with LBA-low=the byte, Command=01 | | proven |
//! | run a serial transaction | see [`serial`]: Command=04, then 05 | | proven |
//! | leave | Device=DEV, Command=81; Device=DEV, Command=08 (DEVICE RESET); read Status; 350 ms | none is wanted | proven |
//!
//! After each but the first and the last, Device=DEV is written and Status read until
//! it *equals the mode status*. JungleFlasher gives up after 327 680 reads; how long is
//! waited here is the transport's. The reach of 1 MiB, four address bits in Device, is
//! inferred.
//!
//! # Status after entering
//! | status | meaning | sure |
//! |---|---|---|
//! | 70 | entered: parallel flash, see [`parallel`] | proven |
//! | 72 | entered: serial flash, mailbox at 8800 | proven |
//! | 73 | entered: serial flash, mailbox at 0000, lengths high byte first | proven |
//! | 50, 51, 52 | refused: the firmware runs normally | seen |
//! | 00, 7F, 80, FF | no drive there | seen, but FF inferred |
//! | any other with bit 7, as D0, D1, F2 | no answer yet | seen; its meaning is reported |
//! | any other | unclear: no refusal either | |
//!
//! # Order
//! Enter; where that is refused, again every 250 ms while the user switches the drive
//! off and on (field practice, up to 200 s). Identify the chip until two answers are
//! equal. Read, erase, program. Leave, on every way out.
//!
//! Lite-On drives allow the mode only in a special state (OmniPatcher: the firmware
//! tests a bit of the eject register), which fits the advice to hold eject while
//! powering on.
//!
//! # Never
//! LBA-low 2E, 2B and 2D with command 80 are never sent: 2E erases the flash of one
//! drive model at once. No other value than 2A exists here.
//!
//! # Sources
//! Command sequences, waits and limits are the behaviour of JungleFlasher 0.1.96,
//! proven there on MediaTek drives of the Xbox 360 era. Geremia: xboxhacker.org,
//! topic 9647. OmniPatcher: rpc1dev/omnipatcher. Which drives are reported to answer:
//! [`reported`].

mod device;
pub mod parallel;
pub mod reported;
pub mod serial;

use crate::protocol::Doing;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

pub use device::VendorModeDrive;

use super::DeviceError;
use crate::flash::Offset;
use crate::transport::{Answer, Clock, Expect, Registers, TaskFile, TaskFileError, TransportError};

const ENTER: u8 = 0x80;
/// LBA-low of the ENTER command. The only value ever sent with it.
const ENTER_KEY: u8 = 0x2A;
const READ_BYTE: u8 = 0x00;
const WRITE_BYTE: u8 = 0x01;
const LEAVE: u8 = 0x81;
const DEVICE_RESET: u8 = 0x08;

const SELECT_PAUSE: Duration = Duration::from_millis(250);
const ENTER_PAUSE: Duration = Duration::from_millis(2);
/// How long a drive may be busy before that is its answer. No source says; a
/// drive that has not answered must not be taken for one that has refused.
const ENTER_PATIENCE: Duration = Duration::from_secs(2);
const LEAVE_PAUSE: Duration = Duration::from_millis(350);

/// The status that a drive in vendor mode shows after every command. It also
/// tells how the flash is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ModeStatus {
    /// Parallel flash in the byte address space.
    Parallel = 0x70,
    /// Serial flash behind a mailbox at 8800h.
    SerialAt8800 = 0x72,
    /// Serial flash behind a mailbox at 0000h, lengths high byte first.
    SerialAt0000 = 0x73,
}

impl ModeStatus {
    /// `None` for any status that is not a mode status.
    pub fn from_status(status: u8) -> Option<ModeStatus> {
        let all = [
            ModeStatus::Parallel,
            ModeStatus::SerialAt8800,
            ModeStatus::SerialAt0000,
        ];
        all.into_iter().find(|mode| mode.status() == status)
    }

    /// The value of the Status register.
    pub fn status(self) -> u8 {
        self as u8
    }
}

/// What Status counts for after the command that enters the mode. Source: the
/// statuses that were seen with JungleFlasher 0.1.96.
///
/// # Errors
/// - [`DeviceError::EntryRefused`] as drives have refused it: 50h, 51h, 52h.
/// - [`DeviceError::NoDriveThere`] as a place without a drive shows: 00h where a master
///   answers for a slave that is not there, 7Fh, 80h and FFh where nothing does (no link).
/// - [`DeviceError::EntryBusy`] for bit 7: no answer yet. D1h and F2h are 51h and 72h
///   with it.
/// - [`DeviceError::EntryUnclear`] for nothing that is known, and so no refusal either.
fn entered(status: u8) -> Result<ModeStatus, DeviceError> {
    ModeStatus::from_status(status).ok_or(match status {
        0x50..=0x52 => DeviceError::EntryRefused { status },
        0x00 | 0x7F | 0x80 | 0xFF => DeviceError::NoDriveThere { status },
        0x81.. => DeviceError::EntryBusy { status },
        _ => DeviceError::EntryUnclear { status },
    })
}

/// The drive did not enter the mode yet and will be asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// What it answered last; `None` where it did not answer at all.
    pub status: Option<u8>,
    /// How long it will still be asked.
    pub remaining: Duration,
}

/// A drive in vendor mode. Dropping it leaves the mode.
pub struct VendorMode {
    task_file: Box<dyn TaskFile + Send>,
    clock: Arc<dyn Clock>,
    mode: ModeStatus,
    entered: bool,
    commands: u32,
    time_in_commands: Duration,
}

impl VendorMode {
    /// Brings the drive into vendor mode.
    ///
    /// A drive that refuses is asked again every 250 ms for as long as
    /// `patience`, while its user switches it off and on; `waiting` is told
    /// before each further attempt and can end the wait. A drive that does not
    /// answer meanwhile, because it is switched off, is asked again as well.
    ///
    /// # Errors
    /// What the last status counts for: a drive that has not refused may be in the mode
    /// all the same. [`DeviceError::Stopped`]
    /// where `waiting` ended it.
    pub fn enter(
        mut task_file: Box<dyn TaskFile + Send>,
        clock: Arc<dyn Clock>,
        patience: Duration,
        waiting: &mut dyn FnMut(Waiting) -> ControlFlow<()>,
    ) -> Result<VendorMode, DeviceError> {
        let deadline = clock.now().saturating_add(patience);
        loop {
            let answer = ask_to_enter(task_file.as_mut(), clock.as_ref());
            let remaining = deadline.saturating_sub(clock.now());
            let status = match answer {
                Ok(Answer { status, .. }) => match entered(status) {
                    Ok(mode) => {
                        return Ok(VendorMode {
                            task_file,
                            clock,
                            mode,
                            entered: true,
                            commands: 0,
                            time_in_commands: Duration::ZERO,
                        });
                    }
                    Err(_) if !remaining.is_zero() => Some(status),
                    Err(error) => return Err(error),
                },
                Err(
                    TaskFileError::TimedOut(_)
                    | TaskFileError::NoRegisters(_)
                    | TaskFileError::NotPassedOn(_),
                ) if !remaining.is_zero() => None,
                Err(
                    source @ (TaskFileError::TimedOut(_)
                    | TaskFileError::NoRegisters(_)
                    | TaskFileError::Status { .. }
                    | TaskFileError::Transport(TransportError::Io(_))),
                ) => return Err(DeviceError::EntryUnanswered { source }),
                Err(
                    error @ (TaskFileError::NotPassedOn(_)
                    | TaskFileError::Transport(
                        TransportError::NotPermitted | TransportError::Vanished,
                    )),
                ) => return Err(during(Doing::Enter)(error)),
                Err(error @ TaskFileError::Transport(TransportError::Storm { .. })) => {
                    // It may be in the mode, and the kernel is about to get it back.
                    let _ = send_away(task_file.as_mut());
                    return Err(during(Doing::Enter)(error));
                }
            };
            if waiting(Waiting { status, remaining }).is_break() {
                return Err(DeviceError::Stopped);
            }
        }
    }

    pub fn mode(&self) -> ModeStatus {
        self.mode
    }

    /// Puts the drive back to normal operation. Calling it again does nothing.
    ///
    /// # Errors
    /// Where the commands could not be issued; the drive is then left by
    /// switching it off.
    pub fn leave(&mut self) -> Result<(), DeviceError> {
        if !std::mem::take(&mut self.entered) {
            return Ok(());
        }
        let left = send_away(self.task_file.as_mut());
        self.clock.sleep(LEAVE_PAUSE);
        left.map_err(during(Doing::Leave))
    }

    fn read_byte(&mut self, address: u32) -> Result<u8, TaskFileError> {
        let registers = Registers {
            command: READ_BYTE,
            ..at_address(address)
        };
        Ok(self.execute(&registers, true)?.lba_low)
    }

    fn write_byte(&mut self, address: u32, value: u8) -> Result<(), TaskFileError> {
        let registers = Registers {
            command: WRITE_BYTE,
            lba_low: Some(value),
            ..at_address(address)
        };
        self.execute(&registers, false).map(drop)
    }

    fn execute(
        &mut self,
        registers: &Registers,
        want_lba_low: bool,
    ) -> Result<Answer, TaskFileError> {
        let expect = Expect::Status(self.mode.status());
        let start = self.clock.now();
        let answer = self.task_file.execute(registers, expect, want_lba_low);
        self.commands = self.commands.saturating_add(1);
        self.time_in_commands += self.clock.now().saturating_sub(start);
        answer
    }

    /// How long one command has taken on average. By a native port through the
    /// kernel it is about 36 ms, measured with libata of Linux 6.1, which runs
    /// its error handling after each: hours for a whole flash.
    fn time_per_command(&self) -> Duration {
        self.time_in_commands
            .checked_div(self.commands)
            .unwrap_or_default()
    }
}

impl Drop for VendorMode {
    fn drop(&mut self) {
        // The ways out that did not call `leave` are errors and panics already;
        // what goes wrong here cannot be told to anyone any more.
        let _ = self.leave();
    }
}

/// Both commands, whatever the first one ends in: DEVICE RESET may still bring
/// back a drive that did not answer to 81.
fn send_away(task_file: &mut (dyn TaskFile + Send)) -> Result<(), TaskFileError> {
    let any = Expect::Any {
        after: Duration::ZERO,
        patience: Duration::ZERO,
    };
    let [left, reset] = [LEAVE, DEVICE_RESET].map(|command| {
        let registers = Registers {
            command,
            ..Registers::default()
        };
        task_file.execute(&registers, any, false)
    });
    left.and(reset).map(drop)
}

fn ask_to_enter(
    task_file: &mut (dyn TaskFile + Send),
    clock: &dyn Clock,
) -> Result<Answer, TaskFileError> {
    task_file.select()?;
    clock.sleep(SELECT_PAUSE);
    let registers = Registers {
        lba_low: Some(ENTER_KEY),
        command: ENTER,
        ..Registers::default()
    };
    let any = Expect::Any {
        after: ENTER_PAUSE,
        patience: ENTER_PATIENCE,
    };
    task_file.execute(&registers, any, false)
}

/// The registers for a place in the drive's byte address space of 1 MiB: the parallel
/// flash itself, or the mailbox in front of a serial one.
fn at_address(address: u32) -> Registers {
    let [low, mid, high, _] = address.to_le_bytes();
    Registers {
        lba_mid: Some(low),
        lba_high: Some(mid),
        device_bits: high & 0x0F,
        ..Registers::default()
    }
}

/// Names the deed in an error of the task file.
fn during(doing: Doing) -> impl FnOnce(TaskFileError) -> DeviceError {
    move |source| DeviceError::TaskFile {
        doing,
        at: None,
        source,
    }
}

/// Names the place and the deed in an error of the task file.
fn at(doing: Doing, offset: u32) -> impl FnOnce(TaskFileError) -> DeviceError {
    move |source| DeviceError::TaskFile {
        doing,
        at: Some(Offset(offset)),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_drives_are_known_to_refuse_with_is_a_refusal() {
        for status in 0..=0xFF {
            let expected = match status {
                0x70 => Ok(ModeStatus::Parallel),
                0x72 => Ok(ModeStatus::SerialAt8800),
                0x73 => Ok(ModeStatus::SerialAt0000),
                0x50..=0x52 => Err(DeviceError::EntryRefused { status }),
                0x00 | 0x7F | 0x80 | 0xFF => Err(DeviceError::NoDriveThere { status }),
                0xD0 | 0xD1 | 0xF2 => Err(DeviceError::EntryBusy { status }),
                busy if busy & 0x80 != 0 => Err(DeviceError::EntryBusy { status }),
                _ => Err(DeviceError::EntryUnclear { status }),
            };
            let (found, expected) = (format!("{:?}", entered(status)), format!("{expected:?}"));
            assert_eq!(found, expected, "{status:02x}h");
        }
    }
}
