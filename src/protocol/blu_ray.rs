//! What is known of a Blu-ray drive of LG, ASUS or HP, and what can speak against
//! sending it an image: facts that job and words may look at. How a drive is asked
//! and sent anything is in [`packet::blu_ray`](super::packet::blu_ray).

use std::fmt;

use super::download::Guard;
use crate::image::Wrapping;
use crate::image::mt19xx::{BootString, Chip, Descriptor, Hardware};
use crate::scsi::Identity;

/// What the boot code calls its revision.
pub const BOOT_REVISION: &str = "BOOT";

/// The part of a drive's flash that answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    #[default]
    Firmware,
    /// The boot code, since there is no firmware that runs.
    Boot,
}

/// Year, month, day, hour, minute and second of a firmware: 14 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirmwareDate([u8; 14]);

impl FirmwareDate {
    /// `None` for anything but digits.
    pub fn parse(bytes: &[u8]) -> Option<FirmwareDate> {
        let digits: &[u8; 14] = bytes.first_chunk()?;
        digits
            .iter()
            .all(u8::is_ascii_digit)
            .then_some(FirmwareDate(*digits))
    }

    pub fn year(&self) -> u16 {
        self.0
            .iter()
            .take(4)
            .fold(0, |year, digit| year * 10 + u16::from(digit - b'0'))
    }
}

impl fmt::Display for FirmwareDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = self.0.iter().map(|digit| char::from(*digit)).collect();
        let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
        write!(
            f,
            "{}-{}-{} {}:{}",
            part(0, 4),
            part(4, 6),
            part(6, 8),
            part(8, 10),
            part(10, 12)
        )
    }
}

/// A drive as it shows itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Survey {
    pub mode: Mode,
    pub identity: Identity,
    /// At 3000; `None` where the drive refuses to have it read.
    pub banner: Option<BootString>,
    pub descriptor: Option<Descriptor>,
    pub date: Option<FirmwareDate>,
    /// What it wants to be sent by its date, as redumper decides it.
    pub by_date: Option<Wrapping>,
    /// What it wants to be sent by the instructions of its receiver, as
    /// mediatek-optical tells it.
    pub by_code: Option<Wrapping>,
}

/// Why it is not known whether a drive wants to be sent AES.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{self:?}")]
pub enum NoEncoding {
    Untold,
    /// Of the boot code, which tells no date.
    UntoldByBootCode,
    Disagree {
        by_date: Wrapping,
        by_code: Wrapping,
    },
}

impl Survey {
    /// What it wants to be sent.
    ///
    /// # Errors
    /// Where neither rule tells, or they disagree.
    pub fn encoding(&self) -> Result<Wrapping, NoEncoding> {
        match (self.by_date, self.by_code) {
            (Some(by_date), Some(by_code)) if by_date != by_code => {
                Err(NoEncoding::Disagree { by_date, by_code })
            }
            (Some(told), _) | (None, Some(told)) => Ok(told),
            (None, None) => Err(match self.mode {
                Mode::Firmware => NoEncoding::Untold,
                Mode::Boot => NoEncoding::UntoldByBootCode,
            }),
        }
    }

    /// The chip, which is what the banner says.
    pub fn chip(&self) -> Option<Chip> {
        self.banner.and_then(|banner| banner.chip())
    }
}

/// How a drive is built. Firmware of the one form in a drive of the other
/// reportedly set drives on fire (MakeMKV forum t=23023).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Slim,
    HalfHeight,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Form::Slim => "slim",
            Form::HalfHeight => "half-height",
        })
    }
}

/// Why it is not known with which boot string a drive takes an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{self:?}")]
pub enum NoString {
    Unlisted,
    Several {
        strings: Vec<BootString>,
        svc: Option<String>,
    },
}

/// Why an image is none for a drive. The first three nobody can override.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    /// Slim or half-height: such images have reportedly set drives on fire.
    Form { image: Form, drive: Form },
    /// The image's code is for another processor.
    Chip { image: Chip, drive: Chip },
    /// Boot strings that do not go together, where it is not known whether both are
    /// for drives of the same form.
    UnknownForm {
        image: BootString,
        drive: BootString,
    },
    /// Boot strings that do not go together: such images have left drives dead.
    BootString {
        image: BootString,
        drive: BootString,
    },
    /// By the records of the boards in both.
    Board {
        image: Box<Hardware>,
        drive: Box<Hardware>,
    },
    /// The image has no record of a board.
    NoBoard { drive: Box<Hardware> },
    /// By the platform codes in both descriptors.
    Platform { image: String, drive: String },
    /// Neither the record of the drive's board nor its platform code can be read.
    UnknownBoard,
    /// The image was read from a drive, and nothing shows that it was this one.
    DriveRead,
}

/// How a drive takes an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    pub encoding: Wrapping,
    /// By which it knows its firmware.
    pub string: BootString,
}

/// What there is to say about an image that is about to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The drive keeps its boot code: FF is sent for it, and the string by which the
    /// drive takes an image.
    BootCodeStays { string: BootString },
    /// The drive gets its calibration as it was read from it.
    CalibrationStays,
    /// It cannot be read, and FF is sent for it.
    CalibrationUnread,
    /// No firmware runs in the drive: names and boot strings alone were compared.
    BoardUnknown,
    /// The record of the drive's board cannot be read; its platform code can.
    ComparedByPlatform { platform: String },
}

/// Why it is not known how this drive is to be sent anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotReady {
    /// With which boot string it takes an image.
    NoString(NoString),
    /// It does not show the boot string that it wants to see.
    NoBanner,
    NoEncoding(NoEncoding),
}

impl Mismatch {
    /// The check that lets it through where it is named; `None` where nothing may.
    pub fn guard(&self) -> Option<Guard> {
        match self {
            Mismatch::Form { .. } | Mismatch::Chip { .. } | Mismatch::UnknownForm { .. } => None,
            Mismatch::BootString { .. } => Some(Guard::Banner),
            Mismatch::Board { .. }
            | Mismatch::NoBoard { .. }
            | Mismatch::Platform { .. }
            | Mismatch::UnknownBoard => Some(Guard::Family),
            Mismatch::DriveRead => Some(Guard::DriveRead),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_fourteen_digits() {
        let date = FirmwareDate::parse(b"20170302114500  ").unwrap();
        assert_eq!(
            (date.year(), &*date.to_string()),
            (2017, "2017-03-02 11:45")
        );
        assert_eq!(FirmwareDate::parse(b"2017030211450"), None);
        assert_eq!(FirmwareDate::parse(b"2017-03-02 11:45"), None);
    }

    #[test]
    fn what_is_sent_is_decided_by_both_rules_or_the_one_that_tells() {
        let (plain, aes) = (Some(Wrapping::Plain), Some(Wrapping::Aes));
        let of = |by_date, by_code| {
            let survey = Survey {
                by_date,
                by_code,
                ..Survey::default()
            };
            survey.encoding()
        };
        assert_eq!(of(plain, plain), Ok(Wrapping::Plain));
        assert_eq!(of(aes, None), Ok(Wrapping::Aes));
        assert_eq!(of(None, aes), Ok(Wrapping::Aes));
        assert!(matches!(of(plain, aes), Err(NoEncoding::Disagree { .. })));
        assert_eq!(of(None, None), Err(NoEncoding::Untold));
        let in_boot_code = Survey {
            mode: Mode::Boot,
            ..Survey::default()
        };
        assert_eq!(in_boot_code.encoding(), Err(NoEncoding::UntoldByBootCode));
    }
}
