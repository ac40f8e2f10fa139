//! What a Blu-ray drive says about itself, without a command that changes it.
//!
//! INQUIRY, the two windows that every tool reads, the date of the firmware by
//! GET CONFIGURATION, and the instructions by which its receiver is known.
//! **Never tried on hardware by this project.**

use mediatek_optical::drive::{Data as ChipData, Transport as ChipTransport};
use mediatek_optical::receiver::{self, Encoding};

use super::products;
use crate::flash::FlashRange;
use crate::image::Wrapping;
use crate::image::mt19xx::{BANNER, BootString, DESCRIPTOR, Descriptor};
use crate::protocol::blu_ray::{BOOT_REVISION, FirmwareDate, Form, Mode, NoString, Survey};
use crate::protocol::packet::memory::{self, granted};
use crate::protocol::packet::{PacketError, ask_for, inquire};
use crate::scsi::{Inquiry, PacketCdb, cdb};
use crate::transport::PacketTransport;

/// The first year of drives that want to be sent AES, by redumper.
const FIRST_YEAR_OF_AES: u16 = 2020;

impl Survey {
    /// Asks a drive that is known to be one of these.
    ///
    /// # Errors
    /// Where it does not say who it is, is not ready to tell, or a command is lost
    /// on the way. What it refuses to tell is `None`.
    pub fn of(transport: &mut dyn PacketTransport) -> Result<Survey, PacketError> {
        let Inquiry {
            identity,
            vendor_specific,
            ..
        } = inquire(transport)?;
        let mode = match identity.revision.as_str() {
            BOOT_REVISION => Mode::Boot,
            _ => Mode::Firmware,
        };
        let banner = window(transport, BANNER)?;
        let descriptor = window(transport, DESCRIPTOR)?;
        let date = match mode {
            Mode::Firmware => date(transport)?,
            Mode::Boot => None,
        };
        let by_date = date.and_then(|date| by_date(date, &vendor_specific));
        Ok(Survey {
            mode,
            identity,
            banner: banner.as_deref().and_then(BootString::parse),
            descriptor: descriptor.as_deref().and_then(Descriptor::parse),
            date,
            by_date,
            by_code: None,
        })
    }

    /// The same with what the code of its receiver tells, for which a hundred
    /// pieces of it are read.
    ///
    /// # Errors
    /// Where a command is lost on the way.
    pub fn with_receiver(self, transport: &mut dyn PacketTransport) -> Result<Survey, PacketError> {
        let by_code = by_code(transport)?;
        Ok(Survey { by_code, ..self })
    }

    /// The boot string with which it takes an image: its own where the boot code
    /// answers, or else that of its product and SVC code. A rebadged drive is
    /// known by its own alone.
    ///
    /// # Errors
    /// [`NoString`].
    pub fn boot_string(&self) -> Result<BootString, NoString> {
        let own = self.banner.ok_or(NoString::Unlisted);
        let svc = self.descriptor.as_ref().map(|found| found.svc.as_str());
        match self.mode {
            Mode::Boot => own,
            Mode::Firmware => match products::string_for(&self.identity, svc, self.chip()) {
                Err(NoString::Unlisted) => own,
                found => found,
            },
        }
    }

    /// How the drive is built, as far as anything tells.
    pub fn form(&self) -> Option<Form> {
        let by_banner = self.banner.as_ref().and_then(products::form_of);
        by_banner
            .or_else(|| products::form_of(&self.boot_string().ok()?))
            .or_else(|| products::form_of_board(self.descriptor.as_ref()))
    }
}

/// A window, `None` where the drive refuses to have it read.
fn window(
    transport: &mut dyn PacketTransport,
    range: FlashRange,
) -> Result<Option<Vec<u8>>, PacketError> {
    let mut bytes = vec![0; range.len() as usize];
    granted(memory::read(transport, range.start(), &mut bytes)).map(|read| read.map(|()| bytes))
}

/// Feature 010C of GET CONFIGURATION: the date of the firmware.
fn date(transport: &mut dyn PacketTransport) -> Result<Option<FirmwareDate>, PacketError> {
    const FIRMWARE_INFORMATION: u16 = 0x010C;
    /// The header of the answer, and that of the feature.
    const HEADERS: usize = 8 + 4;
    let mut reply = [0; HEADERS + 16];
    let length = u16::try_from(reply.len()).unwrap_or(u16::MAX);
    let asked = cdb::get_configuration(FIRMWARE_INFORMATION, length);
    let answer = ask_for(transport, &asked, &mut reply);
    Ok(granted(answer)?.and_then(|_| {
        let is_feature = reply.get(8..10) == Some(&FIRMWARE_INFORMATION.to_be_bytes()[..]);
        let date = reply.get(HEADERS..).and_then(FirmwareDate::parse);
        date.filter(|_| is_feature)
    }))
}

/// redumper's rule: firmware of 2020 or later wants AES, but where the second
/// character after the revision is an M.
fn by_date(date: FirmwareDate, vendor_specific: &str) -> Option<Wrapping> {
    if date.year() < FIRST_YEAR_OF_AES {
        return Some(Wrapping::Plain);
    }
    Some(match vendor_specific.chars().nth(1)? {
        'M' => Wrapping::Plain,
        _ => Wrapping::Aes,
    })
}

/// The rule of mediatek-optical, by reading alone.
fn by_code(transport: &mut dyn PacketTransport) -> Result<Option<Wrapping>, PacketError> {
    let mut through = Through {
        transport,
        lost: None,
    };
    let found = receiver::detect_mode(&mut through)
        .and_then(|mode| receiver::detect_encoding(&mut through, &mode));
    if let Some(error) = through.lost {
        return Err(error);
    }
    Ok(found.ok().map(|found| match found.encoding() {
        Encoding::Plaintext => Wrapping::Plain,
        Encoding::Encrypted => Wrapping::Aes,
    }))
}

/// Our drive as the crate sees one. It is given nothing that could change it.
struct Through<'a> {
    transport: &'a mut dyn PacketTransport,
    /// What ended the way to the drive; nothing is sent after it.
    lost: Option<PacketError>,
}

/// A command that the drive refused, or that was not sent.
#[derive(Debug)]
struct NotDone;

impl ChipTransport for Through<'_> {
    type Error = NotDone;

    fn exec(&mut self, cdb: &[u8], data: ChipData<'_>) -> Result<usize, NotDone> {
        let mut padded = PacketCdb::default();
        let fits = padded.get_mut(..cdb.len()).ok_or(NotDone)?;
        fits.copy_from_slice(cdb);
        let into = match data {
            ChipData::In(into) if self.lost.is_none() => into,
            ChipData::In(_) | ChipData::Out(_) | ChipData::None => return Err(NotDone),
        };
        match granted(ask_for(self.transport, &padded, into)) {
            Ok(Some(residue)) => {
                let missing = usize::try_from(residue).unwrap_or(0);
                Ok(into.len().saturating_sub(missing))
            }
            Ok(None) => Err(NotDone),
            Err(error) => {
                self.lost = Some(error);
                Err(NotDone)
            }
        }
    }

    fn sense(&self) -> Option<(u8, u8, u8)> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_tells_the_encoding_and_an_m_makes_it_plain() {
        let (plain, aes) = (Some(Wrapping::Plain), Some(Wrapping::Aes));
        for (date, vendor_specific, expected) in [
            ("20191231235959", "N000100", plain),
            ("20191231235959", "", plain),
            ("20200101000000", "N000100", aes),
            ("20200101000000", "NM00100", plain),
            ("20200101000000", "N", None),
        ] {
            let date = FirmwareDate::parse(date.as_bytes()).unwrap();
            assert_eq!(by_date(date, vendor_specific), expected);
        }
    }
}
