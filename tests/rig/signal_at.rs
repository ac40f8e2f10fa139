//! A signal to a program at a command that the drive can count: hit from
//! outside, a program is somewhere else every time.

use std::fs;
use std::io;
use std::path::PathBuf;

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// An order in a file, `SIGNAL COUNT PID`: when COUNT commands have come since
/// the file appeared, and the last of them is not yet carried out, the signal
/// is sent.
pub struct SignalAt {
    order: PathBuf,
    seen: u64,
}

impl SignalAt {
    pub fn new(port: u32) -> Self {
        Self {
            order: PathBuf::from(format!("/run/signal-{port}")),
            seen: 0,
        }
    }

    /// Notes that a command has come.
    pub fn command(&mut self) -> Result<()> {
        let order = match fs::read_to_string(&self.order) {
            Ok(order) => order,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.seen = 0;
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        self.seen += 1;
        let mut words = order.split_whitespace();
        let mut word = || words.next().context("an order is SIGNAL COUNT PID");
        let signal: Signal = format!("SIG{}", word()?).parse()?;
        let count: u64 = word()?.parse()?;
        let program = Pid::from_raw(word()?.parse()?);
        if self.seen == count {
            self.seen = 0;
            fs::remove_file(&self.order)?;
            kill(program, signal)?;
        }
        Ok(())
    }
}
