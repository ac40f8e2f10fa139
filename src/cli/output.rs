//! Standard output: results and nothing else.

use std::io::{self, Write};
use std::sync::OnceLock;

use super::text::Text;
use super::wrap;

/// Writes results. A closed pipe is not lost on the caller: before a change it
/// ends the job, after it the job matters more than who is listening.
#[derive(Debug, Default)]
pub struct Output {
    failure: OnceLock<io::Error>,
}

impl Output {
    /// Writes one block of text.
    pub fn text(&self, text: impl Into<Text>) {
        if self.failure.get().is_some() {
            return;
        }
        let mut stdout = io::stdout().lock();
        let result = stdout
            .write_all(wrap::for_output(&text.into(), io::stdout()).as_bytes())
            .and_then(|()| stdout.flush());
        if let Err(error) = result {
            // The first error is the one that tells.
            let _ = self.failure.set(error);
        }
    }

    /// # Errors
    /// The first thing that went wrong with standard output.
    pub fn check(&self) -> Result<(), String> {
        match self.failure.get() {
            Some(error) => Err(error.to_string()),
            None => Ok(()),
        }
    }
}
