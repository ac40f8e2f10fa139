//! Who a drive says it is by IDENTIFY PACKET DEVICE, and what that counts for
//! beside what is known of it already.

use super::report;
use crate::scsi::{DeviceType, Identity, PacketDevice};
use crate::transport::IdentifyError;

/// What came out of asking a drive.
#[derive(Debug, PartialEq, Eq)]
pub struct OwnWord {
    /// Who the drive is from now on.
    pub identity: Option<Identity>,
    /// What the user reads about it.
    pub lines: Vec<String>,
}

/// The place belongs to a device of this type, which is no optical drive.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("that is not an optical drive but a {}: {device}", device.device_type)]
pub struct NotOptical {
    device: PacketDevice,
}

/// A drive on the legacy ports. Its own word counts, and not what the kernel
/// remembers: another drive may have been plugged in since.
///
/// # Errors
/// [`NotOptical`].
pub fn by_ports(
    answer: Result<PacketDevice, IdentifyError>,
    known_as: Option<Identity>,
) -> Result<OwnWord, NotOptical> {
    let remembered = known_as.as_ref().map(report::identity);
    let device = match answer {
        Ok(device) if device.device_type == DeviceType::OPTICAL => device,
        Ok(device) => return Err(NotOptical { device }),
        Err(error @ IdentifyError::NoData) => {
            let mut lines = vec![format!("The drive cannot be asked who it is: {error}.")];
            lines.extend(
                remembered.map(|name| format!("The kernel remembers {name} there, which counts.")),
            );
            return Ok(OwnWord {
                identity: known_as,
                lines,
            });
        }
        Err(error) => {
            let mut lines = vec![format!("The drive does not say who it is: {error}.")];
            lines.extend(remembered.map(|name| {
                format!(
                    "The kernel remembers {name} there, which does not count: it may have been \
                     another drive."
                )
            }));
            return Ok(OwnWord {
                identity: None,
                lines,
            });
        }
    };
    let mut lines = vec![said(&device, "over the legacy ports")];
    let identity =
        match known_as {
            Some(known_as) if device.is_model_of(&known_as) => Some(Identity {
                revision: device.revision().to_owned(),
                ..known_as
            }),
            _ => {
                lines.extend(remembered.map(|name| {
                    format!("Warning: the kernel remembers another model there, {name}.")
                }));
                device.to_identity()
            }
        };
    Ok(OwnWord { identity, lines })
}

/// A drive that the kernel has. What it has just answered to INQUIRY counts: a
/// silent drive may still answer the ATA way.
pub fn by_kernel(
    answer: Result<PacketDevice, IdentifyError>,
    identity: Option<Identity>,
) -> OwnWord {
    match answer {
        Ok(device) => OwnWord {
            lines: vec![said(&device, "by ATA PASS-THROUGH")],
            identity: identity.or_else(|| device.to_identity()),
        },
        // Whatever is in the way, the first command of vendor mode meets it, too.
        Err(_) => OwnWord {
            identity,
            lines: Vec::new(),
        },
    }
}

fn said(device: &PacketDevice, way: &str) -> String {
    format!("Asked {way}, the drive says that it is {device}.")
}

#[cfg(test)]
mod tests {
    use super::super::every::{every, table};
    use super::*;
    use crate::transport::TransportError;
    use std::time::Duration;

    fn device(model: &str, firmware: &str) -> PacketDevice {
        PacketDevice {
            device_type: DeviceType::OPTICAL,
            model: model.into(),
            firmware: firmware.into(),
            serial: None,
        }
    }

    fn sony(revision: &str) -> Identity {
        Identity {
            vendor: "SONY".into(),
            product: "DVD RW DW-D22A".into(),
            revision: revision.into(),
            serial: None,
        }
    }

    fn shown(word: &OwnWord) -> String {
        let identity = match &word.identity {
            Some(identity) => report::identity(identity),
            None => "unknown".into(),
        };
        format!("{}\n-> {identity}\n", word.lines.join("\n"))
    }

    #[test]
    fn on_the_ports_the_drive_s_own_word_counts() {
        let silent = || Err(IdentifyError::TimedOut(Duration::from_secs(5)));
        let told: String = [
            (
                Ok(device("SONY DVD RW DW-D22A", "BYS2")),
                Some(sony("BYS1")),
            ),
            (Ok(device("SONY DVD RW DW-D22A", "BYS2")), None),
            (
                Ok(device("LITE-ON DVDRW SOHW-1693S", "KS0B")),
                Some(sony("BYS1")),
            ),
            (Ok(device("", "")), Some(sony("BYS1"))),
            (silent(), Some(sony("BYS1"))),
            (silent(), None),
            (Err(IdentifyError::NotReady { status: 0x70 }), None),
            (Err(IdentifyError::NoData), Some(sony("BYS1"))),
            (Err(IdentifyError::NoData), None),
        ]
        .into_iter()
        .map(|(answer, known_as)| shown(&by_ports(answer, known_as).unwrap()))
        .collect();
        insta::assert_snapshot!(told);
    }

    #[test]
    fn every_reason_for_silence_on_the_ports_is_told() {
        let errors = every!(IdentifyError:
            IdentifyError::NoData => [IdentifyError::NoData],
            IdentifyError::NotReady { .. } => [IdentifyError::NotReady { status: 0xD0 }],
            IdentifyError::TimedOut(_) => [IdentifyError::TimedOut(Duration::from_secs(5))],
            IdentifyError::Refused(_) => [IdentifyError::Refused("status 51h".to_owned())],
            IdentifyError::Empty => [IdentifyError::Empty],
            IdentifyError::Transport(_) => [TransportError::Vanished.into()],
        );
        insta::assert_snapshot!(table(errors, |error| {
            shown(&by_ports(Err(error), Some(sony("BYS1"))).unwrap())
        }));
    }

    #[test]
    fn what_is_no_optical_drive_is_refused_by_its_type() {
        let tape = PacketDevice {
            device_type: DeviceType(1),
            ..device("TAPE 1", "A")
        };
        insta::assert_snapshot!(by_ports(Ok(tape), None).unwrap_err());
    }

    #[test]
    fn through_the_kernel_inquiry_counts_and_identify_fills_in() {
        let other = || Ok(device("LITE-ON DVDRW SOHW-1693S", "KS0B"));
        let told: String = [
            (other(), Some(sony("BYS1"))),
            (other(), None),
            (Err(IdentifyError::Empty), Some(sony("BYS1"))),
            (Err(IdentifyError::Empty), None),
        ]
        .into_iter()
        .map(|(answer, identity)| shown(&by_kernel(answer, identity)))
        .collect();
        insta::assert_snapshot!(told);
    }
}
