//! Who a drive is: by INQUIRY, by IDENTIFY PACKET DEVICE, and what either counts
//! for beside what the kernel remembers.

use super::error::OpenError;
use super::event::{By, Said};
use super::machine::Held;
use super::name::Label;
use crate::drive::ask::{self, AskError};
use crate::scsi::{DeviceType, Identity, Inquiry, PacketDevice};
use crate::transport::{IdentifyError, TransportError};

/// Who the drive is from now on, and what is told about it.
#[derive(Debug)]
pub struct Identified {
    pub identity: Option<Identity>,
    pub said: Option<Said>,
}

/// By INQUIRY. A dead drive says nothing, which is no reason to stop. One that
/// is silent is asked once more: vendor mode is nothing for a drive of which an
/// answer was lost.
///
/// # Errors
/// Where no command gets to the drive, or it is no optical one.
pub fn by_inquiry(held: &mut Held, label: &Label) -> Result<Option<Identity>, OpenError> {
    let answer = match ask::inquiry(held.packets.as_mut()) {
        Err(error) if !is_out_of_reach(&error) => ask::inquiry(held.packets.as_mut()),
        answer => answer,
    };
    let label = || label.clone();
    match answer {
        Ok(Inquiry {
            device_type: DeviceType::OPTICAL,
            identity,
            ..
        }) => Ok(Some(identity)),
        Ok(Inquiry { device_type, .. }) => Err(OpenError::NotOptical {
            label: label(),
            device_type,
        }),
        Err(source) if is_out_of_reach(&source) => Err(match (source, held.filter.take()) {
            (AskError::Transport(TransportError::NotPermitted), Some(filter)) => filter.into(),
            (source, _) => OpenError::TakesNoCommand {
                label: label(),
                source,
            },
        }),
        Err(_) => Ok(None),
    }
}

/// Whether no command at all gets to the drive.
fn is_out_of_reach(error: &AskError) -> bool {
    matches!(
        error,
        AskError::Transport(TransportError::NotPermitted | TransportError::Vanished)
    )
}

/// On the legacy ports. The drive's own word counts, and not what the kernel
/// remembers: another drive may have been plugged in since. Where the drive
/// cannot be asked there, the kernel's memory is all there is.
///
/// # Errors
/// A drive that is no optical one.
pub fn by_ports(
    answer: Result<PacketDevice, IdentifyError>,
    known_as: Option<Identity>,
) -> Result<Identified, OpenError> {
    let device = match answer {
        Ok(device) if device.device_type == DeviceType::OPTICAL => device,
        Ok(device) => return Err(OpenError::SaysNotOptical { device }),
        Err(error) => {
            let counts = matches!(error, IdentifyError::NoData);
            return Ok(Identified {
                identity: known_as.clone().filter(|_| counts),
                said: Some(Said::Nothing {
                    error,
                    remembered: known_as,
                }),
            });
        }
    };
    let (identity, other) = match known_as {
        Some(known_as) if device.is_model_of(&known_as) => {
            let revision = device.revision().to_owned();
            let identity = Identity {
                revision,
                ..known_as
            };
            (Some(identity), None)
        }
        other => (device.to_identity(), other),
    };
    let by = By::Ports;
    let said = Some(Said::Device { device, by, other });
    Ok(Identified { identity, said })
}

/// Through the kernel. What the drive has just answered to INQUIRY counts: one
/// that was silent may still answer the ATA way.
pub fn by_kernel(
    answer: Result<PacketDevice, IdentifyError>,
    identity: Option<Identity>,
) -> Identified {
    match answer {
        Ok(device) => Identified {
            identity: identity.or_else(|| device.to_identity()),
            said: Some(Said::Device {
                device,
                by: By::AtaPassthrough,
                other: None,
            }),
        },
        // Whatever is in the way, the first command of vendor mode meets it, too.
        Err(_) => Identified {
            identity,
            said: None,
        },
    }
}
