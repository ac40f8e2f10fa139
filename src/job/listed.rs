//! What the lists of drives say of an image: which drives it fits, and how large their
//! flash is. A drive that no list has is not in question here.

use crate::flash::FlashRange;
use crate::image::damage::Damage;
use crate::image::{Certainty, Finding, ImageIdentity, Model, Report, families};
use crate::protocol::packet::{Family, families::Models};

/// The drives of one list that an image fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fits {
    /// What they have in common.
    pub list: List,
    pub drives: Vec<FittingDrive>,
}

/// Whose list it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum List {
    /// Drives of the same hardware under other names.
    LiteOn(families::Family),
    /// Drives that take the same commands, of which each takes its own image.
    Packets {
        /// What the family is called.
        family: &'static str,
        source: &'static str,
    },
}

/// A drive on a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FittingDrive {
    pub vendor: String,
    pub product: String,
    /// The source of the list vouches for it.
    pub verified: bool,
}

/// Every list that has drives which an image fits by its names.
pub fn fits(report: &Report) -> Vec<Fits> {
    let lite_on = report.families.iter().map(|family| Fits {
        list: List::LiteOn(*family),
        drives: families::members()
            .filter(|member| member.family == *family)
            .map(|member| FittingDrive {
                vendor: member.vendor.to_owned(),
                product: member.product.to_owned(),
                verified: member.verified,
            })
            .collect(),
    });
    let packets = report.identities.iter().filter_map(|found| {
        let (family, source) = listed(found)?;
        let Model { vendor, product } = Model::from(found.identity());
        Some(Fits {
            list: List::Packets {
                family: family.name,
                source,
            },
            drives: vec![FittingDrive {
                vendor,
                product,
                verified: true,
            }],
        })
    });
    lite_on.chain(packets).collect()
}

/// The size of an image as a finding, where the drive that it names has a flash of
/// another one.
pub fn other_size(report: &Report) -> Option<Finding> {
    let mut flashes = report
        .identities
        .iter()
        .filter_map(|found| Some(listed(found)?.0.size));
    let flash = flashes.find(|flash| *flash != report.size)?;
    let range = match report.size < flash {
        true => FlashRange::new(report.size, flash),
        false => FlashRange::new(0, report.size),
    };
    Some(Finding {
        range,
        certainty: Certainty::Probable,
        damage: Damage::OtherSize { flash },
    })
}

/// The family whose list has the drive of an image, and the source of the list.
fn listed(found: &ImageIdentity) -> Option<(&'static Family, &'static str)> {
    let family = Family::by_identity(found.identity())?;
    let is_asked_only = matches!(family.models, Models::LiteOn);
    (!is_asked_only).then_some((family, family.source(found.identity())?))
}
