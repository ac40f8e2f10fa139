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

/// The pair of names that says which drive it is, word by word: LG's Blu-ray
/// drives put two blanks between the words, and no list does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    pub vendor: String,
    pub product: String,
}

impl From<&Identity> for Model {
    fn from(identity: &Identity) -> Model {
        Model {
            vendor: words(&identity.vendor),
            product: words(&identity.product),
        }
    }
}

/// A name with one blank between its words.
fn words(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ")
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
        .map(|found| fit_names(drive, found.identity()))
        .max_by_key(severity)
        .unwrap_or(Fit::NoImageIdentity)
}

fn severity(fit: &Fit) -> u8 {
    match fit {
        Fit::Same { .. } => 0,
        Fit::OtherName { .. } => 1,
        Fit::NoDriveIdentity | Fit::NoImageIdentity => 2,
        Fit::Unclear { .. } => 3,
        Fit::OtherModel { .. } => 4,
        Fit::OtherFamily { .. } => 5,
    }
}

/// Compares two identities by name, and by family where the names differ or
/// stand for more than one.
pub fn fit_names(drive: &Identity, image: &Identity) -> Fit {
    let (of_drive, of_image) = (members_of(drive), members_of(image));
    let (drive, image) = (Model::from(drive), Model::from(image));
    let is_same = drive == image;
    let (Some(first), Some(other)) = (of_drive.first(), of_image.first()) else {
        return match is_same {
            true => Fit::Same { model: drive },
            false => Fit::OtherModel { drive, image },
        };
    };
    let mut pairs = of_drive
        .iter()
        .flat_map(|one| of_image.iter().map(move |other| (one, other)));
    if !pairs.any(|(one, other)| one.family == other.family) {
        return Fit::OtherFamily {
            drive,
            drive_family: first.family,
            image,
            image_family: other.family,
        };
    }
    for several in [&of_drive, &of_image] {
        if several.len() > 1 {
            return Fit::Unclear {
                drive,
                image,
                families: several.iter().map(|member| member.family).collect(),
            };
        }
    }
    match is_same {
        true => Fit::Same { model: drive },
        false => Fit::OtherName {
            drive,
            image,
            family: first.family,
            verified: first.verified && other.verified,
        },
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
        .filter(|member| member.vendor == model.vendor && words(member.product) == model.product)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flash::Offset;
    use crate::image::identity::Kind;
    use crate::scsi::{DeviceType, PacketDevice, identity};

    fn in_image(name: &str) -> ImageIdentity {
        ImageIdentity {
            at: Offset(0),
            identity: identity(name),
            kind: Kind::LiteOn,
        }
    }

    #[test]
    fn a_listed_drive_is_known_by_its_ata_model_as_well() {
        for member in members() {
            let Member {
                vendor, product, ..
            } = member;
            for model in [
                format!("{vendor} {product}"),
                format!("{vendor:8}{product}"),
            ] {
                let device = PacketDevice {
                    device_type: DeviceType::OPTICAL,
                    model: model.clone(),
                    firmware: String::new(),
                    serial: None,
                };
                let found = Model::from(&device.to_identity().unwrap());
                assert_eq!(
                    [found.vendor.as_str(), &found.product],
                    [vendor, &words(product)],
                    "{model}"
                );
            }
        }
    }

    #[test]
    fn every_row_of_the_table_is_read() {
        let rows = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(members().count(), rows - 1);
        assert_eq!(members().count(), 151);
        assert_eq!(members().filter(|member| !member.verified).count(), 20);
        assert!(members().all(|member| {
            ["DVD writer", "combo", "DVD-ROM"].contains(&member.family.kind)
                && member.vendor.len() <= 8
                && member.product.len() <= 16
        }));
    }

    #[test]
    fn names_are_compared_by_family_where_they_differ() {
        let rows = [
            // The drive of the story takes its own firmware, whatever the revision.
            (
                "SONY|DVD RW DW-D22A|BYS1",
                "SONY|DVD RW DW-D22A|BYS2",
                "same",
            ),
            // And that of the Lite-On drive it really is, under its other name.
            (
                "SONY|DVD RW DW-D22A|BYS1",
                "LITE-ON|DVDRW SOHW-1633S|BS41",
                "other name",
            ),
            (
                "LITE-ON|DVDRW SOHW-1633S|BS41",
                "SONY|DVD RW DW-D22A|BYS1",
                "other name",
            ),
            // A name that OmniPatcher does not vouch for is said to be so.
            (
                "SONY|DVD RW DW-D22A|BYS1",
                "HP|DVD Writer 630r|BH01",
                "other name, not verified",
            ),
            // The next model is other hardware.
            (
                "SONY|DVD RW DW-D22A|BYS1",
                "LITE-ON|DVDRW SOHW-1653S|CS09",
                "other family B C",
            ),
            // A letter that two kinds of drive share means nothing.
            (
                "LITE-ON|DVDRW SOHW-1653S|CS09",
                "LITEON|DVD-ROM LTD-165H|CH0S",
                "other family C C",
            ),
            // One name, two families: the revision tells.
            (
                "SONY|DVD RW DRU-710A|BYX3",
                "SONY|DVD RW DRU-710A|BYX5",
                "same",
            ),
            (
                "SONY|DVD RW DRU-710A|BYX3",
                "SONY|DVD RW DRU-710A|CYX1",
                "other family B C",
            ),
            (
                "SONY|DVD RW DRU-710A|CYX1",
                "LITE-ON|DVDRW SOHW-1653S|CS09",
                "other name",
            ),
            (
                "SONY|DVD RW DRU-710A|CYX1",
                "LITE-ON|DVDRW SOHW-1633S|BS41",
                "other family C B",
            ),
            // And where it does not, nobody knows.
            (
                "SONY|DVD RW DRU-710A|????",
                "LITE-ON|DVDRW SOHW-1633S|BS41",
                "unclear B C",
            ),
            (
                "SONY|DVD RW DRU-710A|????",
                "SONY|DVD RW DRU-710A|????",
                "unclear B C",
            ),
            (
                "SONY|DVD RW DW-D22A|BYS1",
                "SONY|DVD RW DRU-710A|",
                "unclear B C",
            ),
            (
                "SONY|DVD RW DRU-710A|????",
                "LITE-ON|DVDRW SOHW-1673S|JS02",
                "other family B J",
            ),
            // Drives that the table does not have.
            ("ACME|DVD 1|0001", "ACME|DVD 1|0002", "same"),
            ("ACME|DVD 1|0001", "ACME|DVD 2|0001", "other model"),
            ("ACME|DVD 1|0001", "SONY|DVD RW DW-D22A|BYS1", "other model"),
            (
                "SONY|DVD RW DW-D22A|BYS1",
                "BTC|DVDRW IDE 1008|0062",
                "other model",
            ),
        ];
        for (drive, image, expected) in rows {
            let found = match fit(Some(&identity(drive)), &[in_image(image)]) {
                Fit::Same { .. } => "same".to_owned(),
                Fit::OtherName { verified: true, .. } => "other name".to_owned(),
                Fit::OtherName { .. } => "other name, not verified".to_owned(),
                Fit::OtherModel { .. } => "other model".to_owned(),
                Fit::OtherFamily {
                    drive_family,
                    image_family,
                    ..
                } => format!(
                    "other family {} {}",
                    drive_family.letter, image_family.letter
                ),
                Fit::Unclear { families, .. } => {
                    let letters: Vec<_> = families.iter().map(|f| f.letter.to_string()).collect();
                    format!("unclear {}", letters.join(" "))
                }
                other => panic!("{other:?}"),
            };
            assert_eq!(found, expected, "{image} into {drive}");
        }
    }

    #[test]
    fn nothing_to_compare_is_never_a_fit() {
        let drive = identity("SONY|DVD RW DW-D22A|BYS1");
        let image = in_image("SONY|DVD RW DW-D22A|BYS1");
        assert_eq!(
            fit(None, std::slice::from_ref(&image)),
            Fit::NoDriveIdentity
        );
        assert_eq!(
            fit(Some(&Identity::default()), &[image]),
            Fit::NoDriveIdentity
        );
        assert_eq!(fit(Some(&drive), &[]), Fit::NoImageIdentity);
    }

    #[test]
    fn of_several_identities_in_an_image_the_worst_counts() {
        let drive = identity("SONY|DVD RW DW-D22A|BYS1");
        let same = in_image("SONY|DVD RW DW-D22A|BYS1");
        let other = in_image("LITE-ON|DVDRW SOHW-1653S|CS09");
        for image in [[same.clone(), other.clone()], [other, same]] {
            assert!(matches!(fit(Some(&drive), &image), Fit::OtherFamily { .. }));
        }
    }
}
