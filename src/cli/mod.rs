//! The command line: the only place that prints, prompts, draws bars or exits.

pub mod args;
pub mod exit;
pub mod help;

use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the command that `argv` spells, program name included.
pub fn run(_argv: impl Iterator<Item = OsString>) -> ExitCode {
    ExitCode::SUCCESS
}
