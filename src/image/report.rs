//! All that can be said about an image without a drive.

use super::damage::{self, Finding};
use super::families::{self, Family};
use super::identity::{self, ImageIdentity};
use super::mt19xx::{self, Wrapping};
use super::soundness::{self, Problem};
use super::structure::Structure;
use super::sums::{Checksum, Crc32};
use super::{Format, HexNotes, Image, Origin};
use crate::flash::Bank;

/// What `mtkflash i` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub format: Format,
    /// The container that it came out of.
    pub origin: Option<Origin>,
    /// What a HEX file says besides the bytes.
    pub hex: Option<HexNotes>,
    /// In bytes.
    pub size: u32,
    /// The sum of each.
    pub banks: Vec<(Bank, Checksum)>,
    /// The sum of all bytes.
    pub total: Checksum,
    pub crc32: Crc32,
    /// In the order of their places; none where nothing known was found.
    pub identities: Vec<ImageIdentity>,
    /// The Lite-On families that these identities name; more than one where the
    /// name alone does not tell.
    pub families: Vec<Family>,
    /// Of an image for LG's Blu-ray drives: what it says about itself.
    pub blu_ray: Option<mt19xx::Facts>,
    /// How its file has the bytes.
    pub wrapping: Wrapping,
    pub structure: Structure,
    /// None for an image that looks sound.
    pub problems: Vec<Problem>,
    /// What makes it look damaged all the same, the surest first.
    pub findings: Vec<Finding>,
}

impl Report {
    pub fn of(image: &Image) -> Report {
        let identities = identity::find(image.bytes());
        let mut families = Vec::new();
        for family in identities
            .iter()
            .map(ImageIdentity::identity)
            .flat_map(families::families_of)
        {
            if !families.contains(&family) {
                families.push(family);
            }
        }
        Report {
            format: image.format(),
            origin: image.origin().cloned(),
            hex: image.hex().cloned(),
            size: image.size(),
            banks: image
                .banks()
                .map(|(bank, bytes)| (bank, Checksum::of(bytes)))
                .collect(),
            total: Checksum::of(image.bytes()),
            crc32: Crc32::of(image.bytes()),
            identities,
            families,
            blu_ray: mt19xx::Facts::of(image.bytes()),
            wrapping: image.wrapping(),
            structure: Structure::of(image.bytes()),
            problems: soundness::problems(image.bytes()),
            findings: damage::findings(image),
        }
    }
}
