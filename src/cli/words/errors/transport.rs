//! Commands that did not get through, and devices that could not be opened.

use crate::cli::words::InWords;
use crate::scsi::ReturnedRegistersError;
use crate::transport::port::PortOpenError;
use crate::transport::sg_io::{NotOpened, SgOpenError};
use crate::transport::{IdentifyError, Instead, TaskFileError, TransportError, Verdict};

impl InWords for TransportError {
    fn in_words(&self) -> String {
        match self {
            TransportError::NotPermitted => "the kernel does not permit this command".to_owned(),
            TransportError::Vanished => "the drive vanished from the system".to_owned(),
            TransportError::Io(found) => format!("the command was not carried out: {found}"),
            TransportError::Storm { interrupts } => format!(
                "interrupts are not held off on the channel's line ({interrupts} of them during the first \
         commands)"
            ),
        }
    }
}

impl InWords for TaskFileError {
    fn in_words(&self) -> String {
        match self {
            TaskFileError::Status { expected, found } => {
                format!("the drive's status is {found:02x}h instead of {expected:02x}h")
            }
            TaskFileError::TimedOut(found) => format!(
                "the drive did not answer within {} s; the kernel has given the command up and reset \
         the drive",
                found.as_secs()
            ),
            TaskFileError::NoRegisters(found) => format!(
                "the answer carries no usable registers: {}",
                found.in_words()
            ),
            TaskFileError::NotPassedOn(found) => {
                format!(
                    "the adapter or bridge does not pass ATA commands on: the answer is {found} instead of ATA registers"
                )
            }
            TaskFileError::Transport(found) => found.in_words(),
        }
    }
}

impl InWords for IdentifyError {
    fn in_words(&self) -> String {
        match self {
            IdentifyError::NoData => "this way does not reach the drive's data".to_owned(),
            IdentifyError::NotReady { status } => {
                format!("the drive is not ready to be asked (status {status:02x}h)")
            }
            IdentifyError::TimedOut(found) => format!(
                "the drive did not answer IDENTIFY PACKET DEVICE within {} s",
                found.as_secs()
            ),
            IdentifyError::Refused(found) => {
                format!("IDENTIFY PACKET DEVICE was refused: {}", found.in_words())
            }
            IdentifyError::Empty => {
                "the answer to IDENTIFY PACKET DEVICE is empty or cut short".to_owned()
            }
            IdentifyError::Transport(found) => found.in_words(),
        }
    }
}

impl InWords for PortOpenError {
    fn in_words(&self) -> String {
        match self {
            PortOpenError::Missing => "/dev/port does not exist here".to_owned(),
            PortOpenError::NotADevice => "/dev/port is not a character device".to_owned(),
            PortOpenError::NoResource { path } => format!("{} does not exist here", path.display()),
            PortOpenError::NotPermitted { path } => format!(
                "no permission to open {} for reading and writing",
                path.display()
            ),
            PortOpenError::KernelRefuses => {
                "the kernel does not permit access to I/O ports".to_owned()
            }
            PortOpenError::Io { path, source } => {
                format!("{} cannot be opened: {}", path.display(), source.in_words())
            }
        }
    }
}

impl InWords for SgOpenError {
    fn in_words(&self) -> String {
        let path = self.path.display();
        match &self.why {
            NotOpened::Missing => format!("{path} does not exist"),
            NotOpened::NoDevice => format!("there is no device behind {path}"),
            NotOpened::NotPermitted => {
                format!("no permission to open {path} for reading and writing")
            }
            NotOpened::Busy => format!("{path} is in use"),
            NotOpened::NotScsi => format!("{path} is neither a /dev/sgN nor a /dev/srN device"),
            NotOpened::Io(source) => format!("{path} cannot be opened: {}", source.in_words()),
        }
    }
}

impl InWords for ReturnedRegistersError {
    fn in_words(&self) -> String {
        match self {
            ReturnedRegistersError::NoSense => "there is no sense data".to_owned(),
            ReturnedRegistersError::Truncated { length } => format!(
                "the sense data end after {length} bytes, in the middle of the ATA registers"
            ),
            ReturnedRegistersError::OtherSense(found) => {
                format!("the answer is {found} instead of ATA registers")
            }
        }
    }
}

impl InWords for Instead {
    fn in_words(&self) -> String {
        match self {
            Instead::Sense(Some(sense)) => sense.to_string(),
            Instead::Sense(None) => "without a reason".to_owned(),
            Instead::Verdict(Verdict::Status(0x08)) => "SCSI status 08h (busy)".to_owned(),
            Instead::Verdict(Verdict::Status(status)) => format!("SCSI status {status:02x}h"),
            Instead::Verdict(Verdict::Failed {
                host_status,
                driver_status,
            }) => format!(
                "the command did not get through (host status {host_status:02x}h, driver status \
                 {driver_status:02x}h)"
            ),
            Instead::Verdict(verdict) => format!("unexpectedly {verdict:?}"),
            Instead::Status(status) => format!("status {status:02x}h"),
            Instead::Registers(error @ ReturnedRegistersError::Truncated { .. }) => format!(
                "{}; the command was sent and is not sent again",
                error.in_words()
            ),
            Instead::Registers(error) => error.in_words(),
        }
    }
}
