//! What a bench says of a flash: its chip, or the size that goes with a model.

use toml::Spanned;

use super::file::{DriveSetup, Source, UnknownChip};
use super::{BenchError, Wrong};
use crate::flash::chip::{Bus, Chip, ChipId, Name};
use crate::flash::table;
use crate::sim::packet_drive::Protocol;

/// The largest flash that a drive of this bench may have, in bytes.
const LARGEST_FLASH: u32 = 16 * 1024 * 1024;

/// The flash of a drive, as its bench or its model has it.
pub(super) enum Part {
    /// A chip, and the mode status of its drive.
    Chip(Box<Chip>, u8),
    /// So many bytes behind the packets of the drive.
    Whole(u32, Box<dyn Protocol>),
}

impl Part {
    pub fn of(source: &Source<'_>, setup: &Spanned<DriveSetup>) -> Result<Part, BenchError> {
        let Some((size, protocol)) = setup.get_ref().packets() else {
            let (chip, status) = chip_of(source, setup)?;
            return Ok(Part::Chip(Box::new(chip), status));
        };
        let setup = setup.get_ref();
        let chip = [
            setup.chip.as_ref().map(Spanned::span),
            setup.unknown_chip.as_ref().map(Spanned::span),
            setup.mode_status.as_ref().map(Spanned::span),
        ];
        match chip.into_iter().flatten().next() {
            Some(span) => Err(source.invalid(&span, Wrong::NeedlessChip)),
            None => Ok(Part::Whole(size, protocol)),
        }
    }

    pub fn size(&self) -> u32 {
        match self {
            Part::Chip(chip, _) => chip.size(),
            Part::Whole(size, _) => *size,
        }
    }
}

/// The chip of a drive and its mode status, which says on which bus it is.
fn chip_of(source: &Source<'_>, setup: &Spanned<DriveSetup>) -> Result<(Chip, u8), BenchError> {
    let whole = setup.span();
    let setup = setup.get_ref();
    let status = setup.mode_status.as_ref().map(|status| *status.get_ref());
    if let (Some(status), Some(known)) = (&setup.mode_status, status) {
        if !matches!(known, 0x70 | 0x72 | 0x73) {
            return Err(source.invalid(&status.span(), Wrong::ModeStatus(known)));
        }
    }
    let (chip, span) = match (&setup.chip, &setup.unknown_chip) {
        (Some(name), None) => {
            let called = name.get_ref();
            let is_it = |known: &Name| known.part == *called || known.to_string() == *called;
            let found = table::all()
                .iter()
                .find(|chip| chip.names.iter().any(is_it));
            let wrong = || source.invalid(&name.span(), Wrong::NoChip(called.clone()));
            (found.ok_or_else(wrong)?.clone(), name.span())
        }
        (None, Some(unknown)) => {
            let UnknownChip {
                manufacturer,
                device,
                size,
            } = *unknown.get_ref();
            if !(1..=LARGEST_FLASH).contains(&size) {
                return Err(source.invalid(&unknown.span(), Wrong::Size(size)));
            }
            let id = ChipId::new(manufacturer, device);
            let chip = match status {
                Some(0x72 | 0x73) => Chip::unknown_serial(id, size),
                _ => Chip::unknown_parallel(id, size),
            };
            (chip, unknown.span())
        }
        _ => return Err(source.invalid(&whole, Wrong::NeitherChip)),
    };
    let status = match (&chip.bus, status) {
        (Bus::Parallel(_), None | Some(0x70)) => 0x70,
        (Bus::Serial(_), None) => 0x72,
        (Bus::Serial(_), Some(status @ (0x72 | 0x73))) => status,
        (bus, Some(status)) => {
            let is_serial = matches!(bus, Bus::Serial(_));
            return Err(source.invalid(&span, Wrong::OtherBus { is_serial, status }));
        }
    };
    Ok((chip, status))
}
