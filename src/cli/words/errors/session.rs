//! Benches that cannot be used, and what is not as it was found.

use crate::cli::words::InWords;
use crate::session::{BenchError, LeaveError};

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
            BenchError::Invalid {
                path,
                line,
                message,
            } => format!("{}:{line}: {message}", path.display()),
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
