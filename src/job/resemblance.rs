//! An image that is nearly what the drive holds.
//!
//! Two copies of one revision are equal. Where an image differs from the flash in
//! a few bytes, and both say the same revision, it was damaged on the way, or
//! somebody has patched it, or the drive keeps something of its own there: that
//! is *inferred*, told, and left to the user. It is refused where the image itself
//! shows which of both is wrong.

use super::read::Dump;
use super::steadiness::is_unstable;
use super::{Check, Forced, Objection, Refusal};
use crate::flash::{FlashRange, Offset};
use crate::image::damage::{self, Damage};
use crate::image::{Image, ImageIdentity, identity};
use crate::scsi::Identity;

/// More bytes than that are no damage by the way, but another firmware.
const FEW: u32 = 512;

/// How an image differs from a flash of the same revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resemblance {
    /// The revision that both say.
    pub revision: String,
    /// Bytes that differ, 1 to 512.
    pub count: u32,
    /// The first of them, as it is in the flash and in the image.
    pub first: Offset,
    pub in_flash: u8,
    pub in_image: u8,
    /// It is in code that all banks of the image have in common but for this byte,
    /// and the flash has it as they do.
    pub is_odd: bool,
}

impl Resemblance {
    /// Compares `ranges` of a flash and of an image that is laid out over all of
    /// it; `None` where they are equal, differ much, or are of two revisions.
    pub(super) fn of(
        image: &Image,
        spread: &[u8],
        dump: &Dump,
        ranges: &[FlashRange],
        drive: Option<&Identity>,
    ) -> Option<Resemblance> {
        if is_unstable(dump.disagreements) {
            // What was read may be wrong itself.
            return None;
        }
        let flash = &dump.bytes;
        let revision = same_revision(image.bytes(), flash, drive)?;
        let places = ranges.iter().flat_map(|range| range.start()..range.end());
        let mut different = places.filter_map(|at| {
            let (in_flash, in_image) = (*flash.get(at as usize)?, *spread.get(at as usize)?);
            (in_flash != in_image).then_some((Offset(at), in_flash, in_image))
        });
        let (first, in_flash, in_image) = different.next()?;
        let count = 1 + different.take(FEW as usize).count() as u32;
        let is_odd = |finding: &damage::Finding| match finding.damage {
            Damage::OddBytes { expected, .. } => finding.at() == first && expected == in_flash,
            _ => false,
        };
        (count <= FEW).then(|| Resemblance {
            revision,
            count,
            first,
            in_flash,
            in_image,
            is_odd: image.bytes().len() == flash.len()
                && damage::findings(image).iter().any(is_odd),
        })
    }

    /// # Errors
    /// A [`Refusal`] where it is the image that is wrong.
    pub(super) fn refuse_damage(&self, forced: &Forced) -> Result<(), Refusal> {
        match self.is_odd && !forced.contains(&Check::Structure) {
            true => Err(Objection::OddByte(self.clone()).into()),
            false => Ok(()),
        }
    }
}

/// The revision, where image and flash, or else drive, name the same drive with it.
fn same_revision(image: &[u8], flash: &[u8], drive: Option<&Identity>) -> Option<String> {
    let of_image = identity::find(image);
    let of_flash = identity::find(flash);
    let in_flash = of_flash.iter().map(ImageIdentity::identity);
    let drives: Vec<&Identity> = match of_flash.is_empty() {
        true => drive.into_iter().collect(),
        false => in_flash.collect(),
    };
    let names = |one: &Identity| [&one.vendor, &one.product, &one.revision].map(String::clone);
    let mut found = of_image.iter().map(ImageIdentity::identity);
    let same = found.find(|found| drives.iter().any(|drive| names(drive) == names(found)))?;
    Some(same.revision.clone())
}
