//! Benches that cannot be used, and what is not as it was found.

use crate::cli::words::InWords;
use crate::session::{BenchError, LeaveError, WrongBench};

impl InWords for LeaveError {
    fn in_words(&self) -> String {
        match self {
            LeaveError::Drive(error) => error.in_words(),
            LeaveError::Kernel(error) => error.in_words(),
        }
    }
}

impl InWords for BenchError {
    fn in_words(&self) -> String {
        match self {
            BenchError::Unreadable { path, source } => {
                format!("{}: {}", path.display(), source.in_words())
            }
            BenchError::Invalid { path, line, wrong } => {
                format!("{}:{line}: {}", path.display(), wrong.in_words())
            }
            BenchError::State {
                path,
                line,
                file,
                source,
            } => format!(
                "{}:{line}: the state of this drive, {}: {}",
                path.display(),
                file.display(),
                source.in_words()
            ),
        }
    }
}

impl InWords for WrongBench {
    fn in_words(&self) -> String {
        match self {
            WrongBench::Toml(message) => message.clone(),
            WrongBench::Position(position) => format!("position {position} is not one of 1 to 4"),
            WrongBench::NoPlace => "a drive needs a position or a path".to_owned(),
            WrongBench::Taken(name) => format!("{name} is taken by another drive"),
            WrongBench::Seconds => "seconds must be numbers from 0 up".to_owned(),
            WrongBench::ModeStatus(status) => {
                format!("mode status {status:#04x} is not 0x70, 0x72 or 0x73")
            }
            WrongBench::NoChip(name) => format!("no chip is called {name:?}"),
            WrongBench::Size(size) => {
                format!("a flash of {size} bytes is not between 1 byte and 16 MiB")
            }
            WrongBench::NeitherChip => "a drive needs either chip or unknown_chip".to_owned(),
            WrongBench::NeedlessChip => "a packet drive has no chip in vendor mode".to_owned(),
            WrongBench::OtherBus { is_serial, status } => {
                let bus = if *is_serial { "serial" } else { "parallel" };
                format!("a {bus} chip does not go with mode status {status:#04x}")
            }
            WrongBench::OtherLength { file, length, size } => format!(
                "the state of this drive, {}: the file has {length} bytes, the drive's flash \
                 {size}; delete it to start anew",
                file.display()
            ),
        }
    }
}
