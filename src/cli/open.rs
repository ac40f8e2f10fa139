//! From a drive's name to a firmware device.

use super::args::{DriveName, Request};
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::progress::Progress;
use super::typed::Typed;
use crate::job::StopFlag;
use crate::protocol::FirmwareDevice;

/// A drive that is ready for a job.
pub struct Opened {
    /// What the user calls it.
    pub name: String,
    pub device: Box<dyn FirmwareDevice>,
}

pub fn open(
    _request: &Request,
    _drive: &DriveName,
    _progress: &mut Progress,
    _stop: &StopFlag,
    _typed: &Typed,
) -> Result<Opened, Failure> {
    Err(Failure::new(Exit::Internal, "not yet"))
}

pub fn list(_request: &Request, _output: &mut Output) -> Result<(), Failure> {
    Err(Failure::new(Exit::Internal, "not yet"))
}
