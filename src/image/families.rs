//! Whether an image belongs into a drive, by the names both give themselves.
//!
//! One drive was sold under many names: a SONY DW-D22A is a Lite-On SOHW-1633S.
//! The table beside this file lists the names of each hardware family; it holds
//! facts from OmniPatcher 2.x, not tried by this project.

use std::fmt;

use super::identity::ImageIdentity;
use crate::scsi::Identity;

const TABLE: &str = include_str!("liteon_families.tsv");

/// Drives of the same hardware, by the name of the Lite-On model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Family {
    /// `DVD writer`, `combo` or `DVD-ROM`.
    pub kind: &'static str,
    /// First letter of the firmware revisions; unique within a kind only.
    pub letter: char,
    /// The Lite-On model, as OmniPatcher names it.
    pub name: &'static str,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} family {})", self.name, self.kind, self.letter)
    }
}

/// A name in a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    pub family: Family,
    pub vendor: &'static str,
    pub product: &'static str,
    /// OmniPatcher vouches for it; it marks the others as unverified.
    pub verified: bool,
}

/// The pair of names that says which drive it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    pub vendor: String,
    pub product: String,
}

impl From<&Identity> for Model {
    fn from(identity: &Identity) -> Model {
        Model {
            vendor: identity.vendor.trim_end().to_owned(),
            product: identity.product.trim_end().to_owned(),
        }
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.vendor, self.product)
    }
}

/// How the name in an image relates to the name of a drive. Only
/// [`Fit::Same`] is a reason to go on without asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fit {
    /// Vendor and product are the same, known to the table or not.
    Same { model: Model },
    /// The same hardware under another name: a cross-flash.
    OtherName {
        drive: Model,
        image: Model,
        family: Family,
        /// OmniPatcher vouches for both names.
        verified: bool,
    },
    /// The drive gave no identity, so nothing can be compared.
    NoDriveIdentity,
    /// The image has no identity at any known place.
    NoImageIdentity,
    /// The image has a boot banner only, which must be compared with the banner
    /// of an MT1959 drive and fits no other drive.
    BannerOnly { banner: String },
    /// A name stands for several hardware families and the revisions do not
    /// tell which one this is.
    Unclear {
        drive: Model,
        image: Model,
        families: Vec<Family>,
    },
    /// Two names, and nothing known that makes them the same hardware.
    OtherModel { drive: Model, image: Model },
    /// Other hardware.
    OtherFamily {
        drive: Model,
        drive_family: Family,
        image: Model,
        image_family: Family,
    },
}

impl fmt::Display for Fit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fit::Same { model } => write!(f, "the image is for {model}, as the drive is"),
            Fit::OtherName {
                drive,
                image,
                family,
                verified,
            } => {
                write!(
                    f,
                    "the image is for {image}, the drive is {drive}: \
                     the same hardware, {family}, under another name"
                )?;
                if !verified {
                    f.write_str(" (not verified by OmniPatcher, the source of this)")?;
                }
                Ok(())
            }
            Fit::NoDriveIdentity => f.write_str(
                "the drive does not say what it is, so the image cannot be compared with it",
            ),
            Fit::NoImageIdentity => f.write_str("the image does not say what drive it is for"),
            Fit::BannerOnly { banner } => write!(
                f,
                "the image is for an MT1959 drive with the boot banner \"{banner}\""
            ),
            Fit::Unclear {
                drive,
                image,
                families,
            } => {
                write!(
                    f,
                    "the image is for {image}, the drive is {drive}, and that name stands for \
                     different hardware:"
                )?;
                for (number, family) in families.iter().enumerate() {
                    let before = if number == 0 { " " } else { " or " };
                    write!(f, "{before}{family}")?;
                }
                f.write_str("; the revision does not tell which")
            }
            Fit::OtherModel { drive, image } => write!(
                f,
                "the image is for {image}, but the drive is {drive}, \
                 and they are not known to be the same hardware"
            ),
            Fit::OtherFamily {
                drive,
                drive_family,
                image,
                image_family,
            } => write!(
                f,
                "the image is for {image}, {image_family}, but the drive is {drive}, \
                 {drive_family}: other hardware"
            ),
        }
    }
}

/// Compares what a drive says it is with what was found in an image. Where an
/// image names several drives, the worst answer counts.
pub fn fit(drive: Option<&Identity>, image: &[ImageIdentity]) -> Fit {
    let Some(drive) = drive.filter(|drive| !drive.product.trim().is_empty()) else {
        return if image.is_empty() {
            Fit::NoImageIdentity
        } else {
            Fit::NoDriveIdentity
        };
    };
    image
        .iter()
        .map(|found| match found {
            ImageIdentity::Mt1959 { banner, .. } => Fit::BannerOnly {
                banner: banner.clone(),
            },
            ImageIdentity::LiteOn { identity, .. }
            | ImageIdentity::Btc { identity, .. }
            | ImageIdentity::Mt1939 { identity, .. } => fit_names(drive, identity),
        })
        .max_by_key(severity)
        .unwrap_or(Fit::NoImageIdentity)
}

fn severity(fit: &Fit) -> u8 {
    match fit {
        Fit::Same { .. } => 0,
        Fit::OtherName { .. } => 1,
        Fit::NoDriveIdentity | Fit::NoImageIdentity => 2,
        Fit::BannerOnly { .. } => 3,
        Fit::Unclear { .. } => 4,
        Fit::OtherModel { .. } => 5,
        Fit::OtherFamily { .. } => 6,
    }
}

/// Compares two identities by name, and by family where the names differ or
/// stand for more than one.
pub fn fit_names(drive: &Identity, image: &Identity) -> Fit {
    let (drive_members, image_members) = (members_of(drive), members_of(image));
    let (drive, image) = (Model::from(drive), Model::from(image));
    match (drive_members.as_slice(), image_members.as_slice()) {
        ([], _) | (_, []) if drive == image => Fit::Same { model: drive },
        ([], _) | (_, []) => Fit::OtherModel { drive, image },
        ([of_drive], [of_image]) if of_drive.family != of_image.family => Fit::OtherFamily {
            drive,
            drive_family: of_drive.family,
            image,
            image_family: of_image.family,
        },
        ([_], [_]) if drive == image => Fit::Same { model: drive },
        ([of_drive], [of_image]) => Fit::OtherName {
            drive,
            image,
            family: of_drive.family,
            verified: of_drive.verified && of_image.verified,
        },
        (all_of_drive @ [of_drive, ..], all_of_image @ [of_image, ..]) => {
            let shared = all_of_drive
                .iter()
                .any(|one| all_of_image.iter().any(|other| one.family == other.family));
            if shared {
                let several = if all_of_drive.len() > 1 {
                    all_of_drive
                } else {
                    all_of_image
                };
                Fit::Unclear {
                    drive,
                    image,
                    families: several.iter().map(|member| member.family).collect(),
                }
            } else {
                Fit::OtherFamily {
                    drive,
                    drive_family: of_drive.family,
                    image,
                    image_family: of_image.family,
                }
            }
        }
    }
}

/// The families that sold drives under this name; none where the name is not
/// in the table, several where the revision does not tell them apart.
pub fn families_of(identity: &Identity) -> Vec<Family> {
    members_of(identity)
        .into_iter()
        .map(|member| member.family)
        .collect()
}

fn members_of(identity: &Identity) -> Vec<Member> {
    let model = Model::from(identity);
    let mut named: Vec<Member> = members()
        .filter(|member| member.vendor == model.vendor && member.product == model.product)
        .collect();
    if named.len() > 1 {
        let letter = identity.revision.chars().next();
        let by_letter = |member: &Member| Some(member.family.letter) == letter;
        if named.iter().any(by_letter) {
            named.retain(by_letter);
        }
    }
    named
}

/// Every row of the table.
pub fn members() -> impl Iterator<Item = Member> {
    TABLE
        .lines()
        .filter(|line| !line.starts_with('#'))
        .skip(1)
        .filter_map(member)
}

fn member(line: &'static str) -> Option<Member> {
    let mut fields = line.split('\t');
    let mut next = || fields.next();
    Some(Member {
        family: Family {
            kind: next()?,
            letter: next()?.chars().next()?,
            name: next()?,
        },
        vendor: next()?,
        product: next()?,
        verified: next()? == "yes",
    })
}
