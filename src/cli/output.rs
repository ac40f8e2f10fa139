//! Standard output: results and nothing else.

use std::io::{self, Write};

use super::wrap;

/// Writes results. A closed pipe is not lost on the caller: before a change it
/// ends the job, after it the job matters more than who is listening.
#[derive(Debug, Default)]
pub struct Output {
    failure: Option<io::Error>,
}

impl Output {
    /// Writes one block of text, line break included.
    pub fn text(&mut self, text: &str) {
        if self.failure.is_some() {
            return;
        }
        let mut stdout = io::stdout().lock();
        let result = stdout
            .write_all(wrap::for_output(text, io::stdout()).as_bytes())
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

/// Lines of a label and a text, the texts under each other.
#[derive(Debug, Default)]
pub struct Table(String);

impl Table {
    /// Columns of a label and the blanks behind it.
    pub const LABEL: usize = 10;

    pub fn row(&mut self, label: &str, text: &str) -> &mut Self {
        for (number, line) in text.lines().enumerate() {
            let label = if number == 0 { label } else { "" };
            self.0
                .push_str(&format!("{label:<width$}{line}\n", width = Self::LABEL));
        }
        self
    }

    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.0)
    }
}
