//! Asking a drive who it is.

use std::time::Duration;

use crate::scsi::{DeviceType, Identity, Inquiry, cdb, inquiry};
use crate::transport::{Data, PacketTransport, TransportError, Verdict};

const PATIENCE: Duration = Duration::from_secs(10);

/// What INQUIRY said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub device_type: DeviceType,
    pub identity: Identity,
}

/// Sends INQUIRY, and once more for the unit serial number. `None` where the
/// drive gives no sensible answer: a dead one.
///
/// # Errors
/// Where the command could not be sent at all.
pub fn inquire(drive: &mut dyn PacketTransport) -> Result<Option<Answer>, TransportError> {
    let mut reply = [0; cdb::INQUIRY_LENGTH];
    let completion = drive.execute(&cdb::inquiry(), Data::In(&mut reply), PATIENCE)?;
    if completion.verdict() != Verdict::Good {
        return Ok(None);
    }
    let Some(Inquiry {
        device_type,
        identity,
        ..
    }) = Inquiry::parse(&reply)
    else {
        return Ok(None);
    };
    Ok(Some(Answer {
        device_type,
        identity: Identity {
            serial: serial(drive)?,
            ..identity
        },
    }))
}

fn serial(drive: &mut dyn PacketTransport) -> Result<Option<String>, TransportError> {
    let mut reply = [0; cdb::SERIAL_LENGTH];
    let completion = drive.execute(&cdb::inquiry_serial(), Data::In(&mut reply), PATIENCE)?;
    if completion.verdict() != Verdict::Good {
        return Ok(None);
    }
    Ok(inquiry::parse_serial(&reply))
}
