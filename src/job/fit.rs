//! Whether an image belongs into this flash and this drive.

use std::borrow::Cow;

use super::objection::Objection;
use super::read::{self, Dump, lay_out};
use super::{Check, Forced, Job, JobError, Refusal, Selection, Unfit};
use crate::flash::{FlashRange, Offset};
use crate::image::soundness::Problem;
use crate::image::{Fit, Image, ImageIdentity, Model, families, identity};
use crate::protocol::packet;
use crate::scsi::Identity;

/// Lays an image out over a whole flash of `size` bytes, FF where it has
/// nothing. It is either the whole flash, or just the selected parts in their
/// order.
///
/// # Errors
/// [`JobError::Image`] for any other size.
pub(super) fn spread<'a>(
    image: &'a Image,
    size: u32,
    selection: &Selection,
    ranges: &[FlashRange],
) -> Result<Cow<'a, [u8]>, JobError> {
    let bytes = image.bytes();
    if bytes.len() == size as usize {
        return Ok(bytes.into());
    }
    if !selection.is_everything() {
        if let Some(flash) = lay_out(bytes, size as usize, ranges) {
            return Ok(flash.into());
        }
    }
    let problem = match selection.is_everything() {
        true => Problem::OtherSize {
            image: image.size(),
            flash: size,
        },
        false => Problem::OtherPart {
            image: image.size(),
            part: ranges.iter().map(|range| range.len()).sum(),
            flash: size,
        },
    };
    Err(JobError::Image(Unfit::Size(problem)))
}

/// What was found when an image was compared with a drive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// By the names in the image, and those that the drive or, where it says
    /// nothing, its flash gives.
    Names { fit: Fit, is_by_flash: bool },
    /// The image has the drive's vendor and product names somewhere.
    NamesInside,
    /// The image says who it is for, and neither the drive nor what was read of
    /// its flash says anything.
    Nameless {
        of_image: Vec<Identity>,
        /// Something of the flash was read.
        was_read: bool,
    },
    /// The image has no names where images for this drive have them.
    NoNamesAt {
        at: Offset,
        /// Whom it names elsewhere.
        named: Option<Model>,
    },
    /// By the lists, the image is for drives that are flashed in another way than
    /// this one, so that it cannot be for its hardware.
    OtherWay {
        drive: Model,
        drive_way: Way,
        image: Model,
        image_way: Way,
    },
}

/// How a drive is flashed, by the list that has its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The table of Lite-On's families.
    VendorMode,
    /// The list of a family that has a packet protocol.
    Packets { family: &'static str },
}

impl Way {
    /// `None` for a drive that is on no list.
    fn of(drive: &Identity) -> Option<Way> {
        if let Some(family) = packet::Family::by_identity(drive) {
            return Some(Way::Packets {
                family: family.name,
            });
        }
        let is_on_table = !families::families_of(drive).is_empty();
        is_on_table.then_some(Way::VendorMode)
    }
}

/// What the lists say against an image that names these drives.
pub(super) fn other_way(drive: &Identity, of_image: &[&Identity]) -> Option<Comparison> {
    let drive_way = Way::of(drive)?;
    of_image.iter().find_map(|image| {
        let image_way = Way::of(image).filter(|way| *way != drive_way)?;
        Some(Comparison::OtherWay {
            drive: Model::from(drive),
            drive_way,
            image: Model::from(*image),
            image_way,
        })
    })
}

impl Comparison {
    /// The check that refuses such an image; `None` for one that fits.
    pub fn check(&self) -> Option<Check> {
        match self {
            Comparison::Names {
                fit: Fit::Same { .. },
                ..
            }
            | Comparison::NamesInside => None,
            Comparison::Names {
                fit: Fit::OtherFamily { .. },
                ..
            }
            | Comparison::OtherWay { .. } => Some(Check::Family),
            Comparison::Names { .. }
            | Comparison::Nameless { .. }
            | Comparison::NoNamesAt { .. } => Some(Check::Model),
        }
    }

    /// # Errors
    /// A [`Refusal`] that names the check to force.
    pub(super) fn unless_forced(self, forced: &Forced) -> Result<Match, Refusal> {
        match self.check() {
            Some(check) if !forced.contains(&check) => Err(Objection::Misfit(self).into()),
            check => Ok(Match {
                found: self,
                forced: check,
                known_by: KnownBy::Drive,
            }),
        }
    }
}

/// How an image was found to belong to a drive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    pub found: Comparison,
    /// The override that was needed.
    pub forced: Option<Check>,
    pub known_by: KnownBy,
}

/// What says who the drive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownBy {
    /// The drive itself, or its flash.
    Drive,
    /// A backup of its flash.
    Backup,
    /// The journal's entry of a change that is under way in its flash.
    Journal,
}

/// Checks an image against the drive: against what INQUIRY says or, where it
/// says nothing, against what the flash holds. Where an image names no drive, as
/// a dump of a part may not, its record does.
///
/// # Errors
/// A [`Refusal`] that names the check to force.
pub(super) fn check(
    image: &Image,
    drive: Option<&Identity>,
    recorded: Option<&Identity>,
    flash: &[u8],
    forced: &Forced,
) -> Result<Match, Refusal> {
    let of_image = identity::find(image.bytes());
    let of_flash = identity::find(flash);
    let named_by_flash = of_flash.first().map(ImageIdentity::identity);
    let drive_or_flash = drive.or(named_by_flash);
    let all_of_image: Vec<&Identity> = of_image.iter().map(ImageIdentity::identity).collect();
    if let Some(found) = drive_or_flash.and_then(|drive| other_way(drive, &all_of_image)) {
        return found.unless_forced(forced);
    }
    let fit = match (drive_or_flash, recorded) {
        (Some(drive), Some(recorded)) if of_image.is_empty() => {
            families::fit_names(drive, recorded)
        }
        (drive, _) => families::fit(drive, &of_image),
    };
    let found = match fit {
        Fit::NoImageIdentity if drive.is_some_and(|drive| is_named_in(drive, image.bytes())) => {
            Comparison::NamesInside
        }
        Fit::NoDriveIdentity => Comparison::Nameless {
            of_image: of_image
                .iter()
                .map(|found| found.identity().clone())
                .collect(),
            was_read: !flash.is_empty(),
        },
        fit => Comparison::Names {
            fit,
            is_by_flash: drive.is_none(),
        },
    };
    found.unless_forced(forced)
}

/// What stands against the places of an image's banks. Of a part that names the drive
/// elsewhere than what was read of the flash does, the rest of the flash is asked.
///
/// # Errors
/// What reading can meet.
pub(super) fn misplaced(
    job: &mut Job,
    image: &[u8],
    dump: &Dump,
) -> Result<Option<Objection>, JobError> {
    let is_in_place = |found: &ImageIdentity| {
        let model = Model::from(found.identity());
        names(&dump.bytes, found.at(), &model)
    };
    if identity::find(image).iter().all(is_in_place) {
        return Ok(None);
    }
    let flash = match dump.is_whole() {
        true => Cow::Borrowed(&dump.bytes),
        false => Cow::Owned(read::with_the_rest(job, dump)?),
    };
    Ok(other_bank(image, &flash))
}

/// What stands against content that has a drive's names at the same place of another bank
/// than the flash; both are laid out over a whole flash. Where one of them has several
/// copies of those names, one that is in its place is enough.
fn other_bank(image: &[u8], flash: &[u8]) -> Option<Objection> {
    let of_flash = identity::find(flash);
    identity::find(image).iter().find_map(|found| {
        let model = Model::from(found.identity());
        let in_image = found.at();
        let there = of_flash.iter().find(|there| {
            Model::from(there.identity()) == model
                && there.at() != in_image
                && there.at().in_bank() == in_image.in_bank()
        })?;
        let in_flash = there.at();
        let is_copy = names(flash, in_image, &model) || names(image, in_flash, &model);
        (!is_copy).then_some(Objection::OtherBank { in_image, in_flash })
    })
}

/// Whether the bank of this place names a model there.
fn names(bytes: &[u8], at: Offset, model: &Model) -> bool {
    let found = identity::find(at.bank().range().of(bytes));
    let is_it = |found: &ImageIdentity| {
        found.at().0 == at.in_bank() && Model::from(found.identity()) == *model
    };
    found.iter().any(is_it)
}

/// Firmware of other makers has its names somewhere, too.
fn is_named_in(drive: &Identity, image: &[u8]) -> bool {
    [&drive.vendor, &drive.product].into_iter().all(|name| {
        !name.is_empty()
            && image
                .windows(name.len())
                .any(|window| window == name.as_bytes())
    })
}
