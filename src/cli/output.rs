//! Standard output: results and nothing else.

use std::io::{self, Write};

use super::text::Text;
use super::wrap;

/// Writes results. A closed pipe is not lost on the caller: before a change it
/// ends the job, after it the job matters more than who is listening.
#[derive(Debug, Default)]
pub struct Output {
    failure: Option<io::Error>,
}

impl Output {
    /// Writes one block of text.
    pub fn text(&mut self, text: impl Into<Text>) {
        if self.failure.is_some() {
            return;
        }
        let mut stdout = io::stdout().lock();
        let result = stdout
            .write_all(wrap::for_output(&text.into(), io::stdout()).as_bytes())
            .and_then(|()| stdout.flush());
        self.failure = result.err();
    }

    /// # Errors
    /// The first thing that went wrong with standard output.
    pub fn check(&self) -> Result<(), String> {
        match &self.failure {
            Some(error) => Err(error.to_string()),
            None => Ok(()),
        }
    }
}
