//! Whether an image may go into a Blu-ray drive, and what is sent of it.

use super::products::{self, Form, NoString};
use super::survey::{Mode, NoEncoding, Survey};
use crate::flash::FlashRange;
use crate::image::mt19xx::{
    self, BANNER, BOOT_CODE, BootString, CALIBRATION, Chip, DRIVE_WRITTEN, Descriptor, Facts,
    Hardware, SIZE,
};
use crate::protocol::DeviceError;
use crate::protocol::download::{Guard, Offer, PrepareError, Prepared};
use crate::protocol::packet::{PacketError, during, memory};
use crate::transport::PacketTransport;

/// Why an image is none for a drive. The first three nobody can override.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    #[error(
        "The image is for {image} drives and this drive is {drive}. Such images have reportedly \
         set drives on fire: no switch lets it through."
    )]
    Form { image: Form, drive: Form },
    #[error(
        "The image is for the chip {image}, and this drive has an {drive}: it cannot run there."
    )]
    Chip { image: Chip, drive: Chip },
    #[error(
        "The image is for drives that start with \"{image}\", and this one starts with \"{drive}\". \
         Whether both are for slim drives or both for half-height ones is not known, and images for \
         the other kind have reportedly set drives on fire: no switch lets it through."
    )]
    UnknownForm {
        image: BootString,
        drive: BootString,
    },
    #[error(
        "The image is for drives that start with \"{image}\", and this one starts with \"{drive}\": \
         such images have left drives dead."
    )]
    BootString {
        image: BootString,
        drive: BootString,
    },
    #[error(
        "The image is for another board than this drive's, by the records in both: {} and {}. The \
         name of the drive does not tell them apart.",
        board(.image),
        board(.drive)
    )]
    Board {
        image: Box<Hardware>,
        drive: Box<Hardware>,
    },
    #[error(
        "The image does not say for which board it is, and the drive's is {}.",
        board(.drive)
    )]
    NoBoard { drive: Box<Hardware> },
    #[error(
        "The image is for the platform {image}, and this drive's firmware for {drive}: that is \
         another board. The name of the drive does not tell them apart."
    )]
    Platform { image: String, drive: String },
    #[error(
        "For which board the image is cannot be compared: neither the record of this drive's board \
         nor its platform code can be read."
    )]
    UnknownBoard,
    #[error(
        "This file was read from a drive, and nothing shows that it was this one: it is the way \
         back for that drive and no image for another."
    )]
    DriveRead,
}

fn board(hardware: &Hardware) -> String {
    format!(
        "{} with {} (family {})",
        hardware.platform,
        hardware.loader,
        hardware.family()
    )
}

/// Why it is not known how this drive is to be sent anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    #[error("The boot string with which this drive takes an image is not known: {0}.")]
    NoString(#[from] NoString),
    #[error("The drive does not show the boot string that it wants to see in an image.")]
    NoBanner,
    #[error("{0}.")]
    NoEncoding(#[from] NoEncoding),
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

/// Checks the image and puts together what the drive will get. Reads from the
/// drive what is missing for that.
pub(crate) fn prepare(
    transport: &mut dyn PacketTransport,
    survey: &Survey,
    offer: &Offer<'_>,
    block: u32,
) -> Result<Prepared, PrepareError> {
    let Some(facts) = Facts::of(offer.image) else {
        return Err(PrepareError::Image(
            "This is no firmware for a Blu-ray drive of LG, ASUS or HP.".to_owned(),
        ));
    };
    if let Some(finding) = facts.findings.first() {
        return Err(PrepareError::Image(format!(
            "This image is not written: {finding}."
        )));
    }
    let string = survey.boot_string().map_err(|error| {
        not_ready(match survey.mode {
            Mode::Boot => NotReady::NoBanner,
            Mode::Firmware => error.into(),
        })
    })?;
    let encoding = survey.encoding().map_err(|error| not_ready(error.into()))?;
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
    let mut prepared = Prepared {
        content: offer.image.to_vec(),
        encoding,
        boot_string: Some(string),
        notes,
        overridden: Vec::new(),
    };
    for mismatch in mismatches {
        match mismatch.guard() {
            None => return Err(PrepareError::Never(mismatch.to_string())),
            Some(guard) if offer.forced.contains(&guard) => {
                prepared.overridden.push((guard, mismatch.to_string()));
            }
            Some(guard) => {
                return Err(PrepareError::Guarded {
                    guard,
                    message: mismatch.to_string(),
                });
            }
        }
    }
    fill(
        &mut prepared,
        &string,
        own,
        facts.is_drive_read && !is_own_dump,
    );
    Ok(prepared)
}

fn not_ready(reason: NotReady) -> PrepareError {
    PrepareError::Never(reason.to_string())
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
    let by_board = || {
        let descriptor = facts.descriptor.as_ref()?;
        products::form_of_platform(&descriptor.platform)
    };
    let form = products::form_of(&of_image).or_else(by_board);
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
    notes: &mut Vec<String>,
) -> Result<Option<Mismatch>, PrepareError> {
    // Where the boot code answers, nobody knows what is left of the firmware.
    if survey.mode == Mode::Boot {
        notes.push(
            "No firmware runs in this drive, so that nothing tells its board: names and boot \
             strings alone were compared."
                .to_owned(),
        );
        return Ok(None);
    }
    let of_drive = match offer.flash {
        Some(flash) => mt19xx::hardware(flash),
        None => code(transport, block)?.and_then(|flash| mt19xx::hardware(&flash)),
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
fn by_platform(facts: &Facts, survey: &Survey, notes: &mut Vec<String>) -> Option<Mismatch> {
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
    notes.push(format!(
        "The record of this drive's board cannot be read: the platform codes were compared, and \
         both are {drive}."
    ));
    None
}

/// The drive's own boot string, calibration and nothing of another drive.
fn fill(prepared: &mut Prepared, string: &BootString, own: Option<Vec<u8>>, of_another: bool) {
    let content = &mut prepared.content;
    BOOT_CODE.of_mut(content).fill(0xFF);
    put(content, BANNER, string.bytes());
    prepared.notes.push(format!(
        "The drive keeps its boot code: {BOOT_CODE} is sent as FF, with the boot string \
         \"{string}\" at {BANNER}, by which this drive takes an image."
    ));
    if of_another {
        for written in DRIVE_WRITTEN {
            written.range.of_mut(content).fill(0xFF);
        }
    }
    match own {
        Some(own) => {
            put(content, CALIBRATION, &own);
            prepared.notes.push(format!(
                "The drive keeps its calibration: {CALIBRATION} is sent as it was read from it."
            ));
        }
        None => {
            CALIBRATION.of_mut(content).fill(0xFF);
            prepared.notes.push(format!(
                "The drive's calibration ({CALIBRATION}) cannot be read: FF is sent for it, and by \
                 mediatek-optical no update replaces it."
            ));
        }
    }
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
    let range = FlashRange {
        start: 0,
        end: DRIVE_WRITTEN[3].range.start,
    };
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
    let starts = (range.start..).step_by(block as usize);
    for (start, piece) in starts.zip(bytes.chunks_mut(block as usize)) {
        match memory::read(transport, start, piece) {
            Ok(()) => {}
            Err(PacketError::Sense(sense)) if memory::is_refused(sense) => return Ok(None),
            Err(error) => return Err(during("reading what the drive is to keep")(error)),
        }
    }
    Ok(Some(bytes))
}
