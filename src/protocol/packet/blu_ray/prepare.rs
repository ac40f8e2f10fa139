//! Whether an image may go into a Blu-ray drive, and what is sent of it.

use super::products;
use crate::flash::FlashRange;
use crate::image::mt19xx::{
    self, BANNER, BOOT_CODE, BootString, CALIBRATION, DRIVE_WRITTEN, Descriptor, Facts, SIZE,
};
use crate::protocol::blu_ray::{Mismatch, Mode, NotReady, Note, Survey, Way};
use crate::protocol::download::{self, Misfit, NoImage, Offer, PrepareError, Prepared};
use crate::protocol::packet::during;
use crate::protocol::packet::memory::{self, granted};
use crate::protocol::{DeviceError, Doing};
use crate::transport::PacketTransport;

/// Refuses what no switch lets through: an image that is none or is damaged, and one
/// for drives of another form or with another chip. Asks the drive nothing.
pub(crate) fn rule_out(survey: &Survey, image: &[u8]) -> Result<(), PrepareError> {
    let facts = whole(image)?;
    let Ok(string) = survey.boot_string() else {
        return Ok(());
    };
    match first_lasting(&by_strings(&facts, survey, &string)) {
        Some(mismatch) => Err(Misfit::BluRay(mismatch.clone()).into()),
        None => Ok(()),
    }
}

/// What a whole image says of itself.
fn whole(image: &[u8]) -> Result<Facts, NoImage> {
    let facts = Facts::of(image).ok_or(NoImage::NotBluRay)?;
    match facts.findings.first() {
        Some(finding) => Err(NoImage::Damaged(finding.clone())),
        None => Ok(facts),
    }
}

/// Checks the image and puts together what the drive will get. Reads from the
/// drive what is missing for that.
pub(crate) fn prepare(
    transport: &mut dyn PacketTransport,
    survey: &Survey,
    offer: &Offer<'_>,
    block: u32,
) -> Result<Prepared, PrepareError> {
    let facts = whole(offer.image)?;
    let string = survey.boot_string().map_err(|error| {
        PrepareError::NotReady(match survey.mode {
            Mode::Boot => NotReady::NoBanner,
            Mode::Firmware => NotReady::NoString(error),
        })
    })?;
    let encoding = survey
        .encoding()
        .map_err(|error| PrepareError::NotReady(NotReady::NoEncoding(error)))?;
    let own = own_calibration(transport, block)?;

    let mut notes = Vec::new();
    let mut mismatches = by_strings(&facts, survey, &string);
    let is_own_dump = offer.is_own_dump
        || own
            .as_deref()
            .is_some_and(|own| own == CALIBRATION.of(offer.image));
    if facts.is_drive_read && !is_own_dump {
        mismatches.push(Mismatch::DriveRead);
    }
    if let (None, Some(mismatch)) = (
        first_lasting(&mismatches),
        by_board(transport, survey, &facts, offer, block, &mut notes)?,
    ) {
        mismatches.push(mismatch);
    }
    let mut overridden = Vec::new();
    for mismatch in mismatches {
        match mismatch.guard() {
            Some(guard) if offer.forced.contains(&guard) => {
                overridden.push(Misfit::BluRay(mismatch));
            }
            _ => return Err(Misfit::BluRay(mismatch).into()),
        }
    }
    let of_another = facts.is_drive_read && !is_own_dump;
    Ok(Prepared {
        content: filled(offer.image.to_vec(), string, own, of_another, &mut notes),
        blu_ray: Some(Way { encoding, string }),
        notes: notes.into_iter().map(download::Note::BluRay).collect(),
        overridden,
    })
}

fn first_lasting(mismatches: &[Mismatch]) -> Option<&Mismatch> {
    mismatches.iter().find(|found| found.guard().is_none())
}

/// What names, strings and platform codes show. What nobody may override comes
/// first.
fn by_strings(facts: &Facts, survey: &Survey, string: &BootString) -> Vec<Mismatch> {
    let mut found = Vec::new();
    let Some(of_image) = facts.boot_string else {
        return found;
    };
    let form =
        products::form_of(&of_image).or_else(|| products::form_of_board(facts.descriptor.as_ref()));
    let of_drive = survey.form();
    if let (Some(image), Some(drive)) = (form, of_drive) {
        if image != drive {
            found.push(Mismatch::Form { image, drive });
        }
    }
    if let (Some(image), Some(drive)) = (of_image.chip(), string.chip()) {
        if image != drive {
            found.push(Mismatch::Chip { image, drive });
        }
    }
    if found.is_empty() && !products::may_replace(&of_image, string) {
        let (image, drive) = (of_image, *string);
        found.push(match (form, of_drive) {
            (Some(_), Some(_)) => Mismatch::BootString { image, drive },
            _ => Mismatch::UnknownForm { image, drive },
        });
    }
    found
}

/// What the records of the boards show, or the platform codes where the drive's
/// record cannot be read. `notes` gets what was compared instead of the records.
fn by_board(
    transport: &mut dyn PacketTransport,
    survey: &Survey,
    facts: &Facts,
    offer: &Offer<'_>,
    block: u32,
    notes: &mut Vec<Note>,
) -> Result<Option<Mismatch>, PrepareError> {
    let of_drive = match (survey.mode, offer.flash) {
        // Where the boot code answers, nobody knows what is left of the firmware: what
        // was there before tells, or nothing does.
        (Mode::Boot, _) => match offer.before.and_then(mt19xx::hardware) {
            Some(hardware) => Some(hardware),
            None => {
                notes.push(Note::BoardUnknown);
                return Ok(None);
            }
        },
        (Mode::Firmware, Some(flash)) => mt19xx::hardware(flash),
        (Mode::Firmware, None) => {
            code(transport, block)?.and_then(|flash| mt19xx::hardware(&flash))
        }
    };
    Ok(match (&facts.hardware, of_drive) {
        (Some(image), Some(drive)) => (image.family() != drive.family()).then(|| Mismatch::Board {
            image: Box::new(image.clone()),
            drive: Box::new(drive),
        }),
        (None, Some(drive)) => Some(Mismatch::NoBoard {
            drive: Box::new(drive),
        }),
        (_, None) => by_platform(facts, survey, notes),
    })
}

/// What the platform codes in both descriptors show. A drive of which not even
/// that can be read is no right one for want of an answer.
fn by_platform(facts: &Facts, survey: &Survey, notes: &mut Vec<Note>) -> Option<Mismatch> {
    let platform = |descriptor: Option<&Descriptor>| {
        descriptor
            .map(|found| found.platform.clone())
            .filter(|platform| !platform.is_empty())
    };
    let image = platform(facts.descriptor.as_ref());
    let drive = platform(survey.descriptor.as_ref());
    let (Some(image), Some(drive)) = (image, drive) else {
        return Some(Mismatch::UnknownBoard);
    };
    if image != drive {
        return Some(Mismatch::Platform { image, drive });
    }
    notes.push(Note::ComparedByPlatform { platform: drive });
    None
}

/// An image with the drive's own boot string, calibration and nothing of another drive.
fn filled(
    mut content: Vec<u8>,
    string: BootString,
    own: Option<Vec<u8>>,
    of_another: bool,
    notes: &mut Vec<Note>,
) -> Vec<u8> {
    BOOT_CODE.of_mut(&mut content).fill(0xFF);
    put(&mut content, BANNER, string.bytes());
    notes.push(Note::BootCodeStays { string });
    if of_another {
        for written in DRIVE_WRITTEN {
            written.range.of_mut(&mut content).fill(0xFF);
        }
    }
    match own {
        Some(own) => {
            put(&mut content, CALIBRATION, &own);
            notes.push(Note::CalibrationStays);
        }
        None => {
            CALIBRATION.of_mut(&mut content).fill(0xFF);
            notes.push(Note::CalibrationUnread);
        }
    }
    content
}

fn put(content: &mut [u8], range: FlashRange, bytes: &[u8]) {
    for (to, from) in range.of_mut(content).iter_mut().zip(bytes) {
        *to = *from;
    }
}

/// The calibration, read twice; `None` where the drive refuses to have it read.
fn own_calibration(
    transport: &mut dyn PacketTransport,
    block: u32,
) -> Result<Option<Vec<u8>>, DeviceError> {
    let first = read(transport, CALIBRATION, block)?;
    let second = read(transport, CALIBRATION, block)?;
    match first == second {
        true => Ok(first),
        false => Err(DeviceError::OwnBytesUnsteady { range: CALIBRATION }),
    }
}

/// A whole flash with all in it that tells the board, and FF elsewhere.
fn code(transport: &mut dyn PacketTransport, block: u32) -> Result<Option<Vec<u8>>, DeviceError> {
    let range = FlashRange::new(0, DRIVE_WRITTEN[3].range.start());
    Ok(read(transport, range, block)?.map(|mut flash| {
        flash.resize(SIZE as usize, 0xFF);
        flash
    }))
}

/// A range; `None` where the drive refuses to have any of it read.
fn read(
    transport: &mut dyn PacketTransport,
    range: FlashRange,
    block: u32,
) -> Result<Option<Vec<u8>>, DeviceError> {
    let mut bytes = vec![0; range.len() as usize];
    let starts = (range.start()..).step_by(block as usize);
    for (start, piece) in starts.zip(bytes.chunks_mut(block as usize)) {
        let read = granted(memory::read(transport, start, piece));
        if read.map_err(during(Doing::ReadKept))?.is_none() {
            return Ok(None);
        }
    }
    Ok(Some(bytes))
}
