//! The interrupt line of a channel, watched during the first commands.
//!
//! PCI interrupts are shared and last for as long as the drive asks: one that
//! nobody answers is counted by the kernel, and after 99 900 of 100 000 the
//! kernel switches the whole line off, with what else is on it (Linux
//! `kernel/irq/spurious.c`; seen in the field with sata_via beside graphics and
//! USB). nIEN is what prevents that. Where it does not, this ends the job first.
//!
//! On a controller on which nIEN is not to be touched (Linux on the VT6420: "some
//! VIA controllers choke") a drive that raises an interrupt at every command is
//! no storm yet and becomes one: a flash takes hundreds of thousands of commands.
//! So there one interrupt at each of the first commands ends the job as well.

use crate::transport::{OpenRegisters, Register, RegisterAccess, TransportError};

/// Commands during which the line is watched: what a drive does to it, it does
/// at the first.
const WATCHED: u32 = 64;

/// Interrupts beyond which it is no traffic of the neighbours any more, a tenth
/// of what the kernel puts up with.
const MOST: u64 = 10_000;

/// Commands in succession, each with an interrupt, that are no chance.
const ENOUGH: u32 = 16;

/// How many interrupts a line has had since the system started; `None` where that
/// cannot be told.
pub type InterruptCount = Box<dyn FnMut() -> Option<u64> + Send>;

/// The registers of a channel whose interrupt line is watched.
pub struct StormGuard {
    registers: OpenRegisters,
    counter: Option<InterruptCount>,
    before: Option<u64>,
    left: u32,
    answered: Answered,
}

/// Interrupts that come with the commands, one by one.
#[derive(Debug, Default)]
struct Answered {
    /// Whether they count: nothing holds the drive back.
    counts: bool,
    /// The line when the last command was sent.
    at_command: Option<u64>,
    /// Commands between which and their status the line has moved.
    with_interrupt: u32,
}

impl StormGuard {
    /// Without a counter nothing is watched. `takes_nien` is false on a controller
    /// whose nIEN is not to be touched.
    pub fn new(
        registers: OpenRegisters,
        mut counter: Option<InterruptCount>,
        takes_nien: bool,
    ) -> StormGuard {
        StormGuard {
            registers,
            before: counter.as_mut().and_then(|count| count()),
            counter,
            left: WATCHED,
            answered: Answered {
                counts: !takes_nien,
                ..Answered::default()
            },
        }
    }

    /// Looks at the line, at a command or the status after it. Told once: whoever
    /// hears it needs the registers to end the storm.
    fn watch(&mut self, at: At) -> Result<(), TransportError> {
        let (Some(counter), Some(before), 1..) = (&mut self.counter, self.before, self.left) else {
            return Ok(());
        };
        let count = counter().unwrap_or(before);
        let interrupts = count.saturating_sub(before);
        let is_each = match at {
            At::Command => self.answered.sent(count),
            At::Status => self.answered.each(count),
        };
        if interrupts > MOST || is_each {
            self.left = 0;
            return Err(TransportError::Storm { interrupts });
        }
        Ok(())
    }
}

/// When the line is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Command,
    Status,
}

impl Answered {
    /// Whether every one of enough commands has raised an interrupt. Neighbours
    /// on the line hit one now and then, and not each in the moment between it
    /// and its status.
    fn each(&mut self, count: u64) -> bool {
        if self.at_command.is_some_and(|at_command| count > at_command) {
            self.at_command = None;
            self.with_interrupt += 1;
        }
        self.counts && self.with_interrupt >= ENOUGH
    }

    /// A command is sent, which is never too many. Where the last one had no
    /// interrupt the count starts anew.
    fn sent(&mut self, count: u64) -> bool {
        if self.at_command.is_some() {
            self.with_interrupt = 0;
        }
        self.at_command = Some(count);
        false
    }
}

impl RegisterAccess for StormGuard {
    fn read(&mut self, register: Register) -> Result<u8, TransportError> {
        let value = self.registers.read(register)?;
        if register == Register::Command {
            self.watch(At::Status)?;
        }
        Ok(value)
    }

    fn write(&mut self, register: Register, value: u8) -> Result<(), TransportError> {
        if register == Register::Command {
            self.watch(At::Command)?;
            self.left = self.left.saturating_sub(1);
        }
        self.registers.write(register, value)
    }

    fn has_data(&self) -> bool {
        self.registers.has_data()
    }

    fn read_data(&mut self) -> Result<u16, TransportError> {
        self.registers.read_data()
    }

    fn bus_master_status(&mut self) -> Result<Option<u8>, TransportError> {
        self.registers.bus_master_status()
    }

    fn clear_bus_master(&mut self) -> Result<(), TransportError> {
        self.registers.clear_bus_master()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// A channel that takes everything.
    struct Silent;

    impl RegisterAccess for Silent {
        fn read(&mut self, _: Register) -> Result<u8, TransportError> {
            Ok(0x50)
        }

        fn write(&mut self, _: Register, _: u8) -> Result<(), TransportError> {
            Ok(())
        }

        fn has_data(&self) -> bool {
            false
        }

        fn read_data(&mut self) -> Result<u16, TransportError> {
            Err(TransportError::Vanished)
        }
    }

    type Line = Arc<Mutex<Option<u64>>>;

    fn guarded(before: Option<u64>) -> (StormGuard, Line) {
        guarded_where(true, before)
    }

    fn guarded_where(takes_nien: bool, before: Option<u64>) -> (StormGuard, Line) {
        let line = Arc::new(Mutex::new(before));
        let counted = Arc::clone(&line);
        let counter = Box::new(move || *counted.lock().unwrap());
        let guard = StormGuard::new(Box::new(Silent), Some(counter), takes_nien);
        (guard, line)
    }

    fn set(line: &Line, count: u64) {
        *line.lock().unwrap() = Some(count);
    }

    #[test]
    fn a_storm_ends_the_job_once_and_leaves_the_registers_in_reach() {
        let (mut registers, line) = guarded(Some(500_000));
        registers.write(Register::Command, 0x80).unwrap();
        set(&line, 510_000);
        registers.read(Register::Command).unwrap();
        set(&line, 510_001);
        let error = registers.read(Register::Command).unwrap_err();
        assert!(matches!(
            error,
            TransportError::Storm { interrupts: 10_001 }
        ));
        set(&line, 600_000);
        registers.read(Register::Command).unwrap();
        registers.write(Register::Command, 0x81).unwrap();
    }

    #[test]
    fn no_command_is_sent_into_a_storm() {
        let (mut registers, line) = guarded(Some(0));
        registers.write(Register::Device, 0xA0).unwrap();
        set(&line, 90_000);
        assert!(registers.write(Register::Command, 0x80).is_err());
    }

    #[test]
    fn what_comes_after_the_first_commands_is_the_neighbours_traffic() {
        let (mut registers, line) = guarded(Some(0));
        for _ in 0..WATCHED {
            registers.write(Register::Command, 0x00).unwrap();
        }
        set(&line, 90_000);
        registers.read(Register::Command).unwrap();
    }

    /// As many commands as are watched, and at each of these an interrupt.
    fn interrupted_at(
        mut registers: StormGuard,
        line: &Line,
        has_interrupt: impl Fn(u32) -> bool,
    ) -> Result<(), TransportError> {
        for (number, count) in (0..WATCHED).zip(1..) {
            registers.write(Register::Command, 0x00)?;
            if has_interrupt(number) {
                set(line, count);
            }
            registers.read(Register::Command)?;
        }
        Ok(())
    }

    #[test]
    fn an_interrupt_at_each_command_ends_the_job_where_nien_holds_none_back() {
        let (registers, line) = guarded_where(false, Some(0));
        let error = interrupted_at(registers, &line, |_| true).unwrap_err();
        let interrupts = u64::from(ENOUGH);
        assert!(
            matches!(error, TransportError::Storm { interrupts: found } if found == interrupts)
        );
    }

    #[test]
    fn an_interrupt_now_and_then_is_the_neighbours_traffic_and_with_nien_any_few_are() {
        let (registers, line) = guarded_where(false, Some(0));
        interrupted_at(registers, &line, |number| number % 8 != 0).unwrap();
        let (registers, line) = guarded(Some(0));
        interrupted_at(registers, &line, |_| true).unwrap();
    }

    #[test]
    fn a_line_that_cannot_be_counted_is_not_watched() {
        let (mut registers, line) = guarded(None);
        set(&line, 90_000);
        registers.write(Register::Command, 0x80).unwrap();
        let mut registers = StormGuard::new(Box::new(Silent), None, true);
        registers.write(Register::Command, 0x80).unwrap();
    }
}
