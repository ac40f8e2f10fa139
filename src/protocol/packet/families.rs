//! The drive families whose packet protocol is documented: one row each, with
//! its source. Nothing here was tried on hardware by this project.
//!
//! Drives are recognised by what INQUIRY says, never by trying commands on
//! them. Models are listed as the source names them; a drive that is not listed
//! belongs to no family here.

use super::blu_ray::products;
use super::liteon;
use super::vendor_blocks::Blocks;
use crate::flash::{FlashRange, Offset};
use crate::image::mt19xx;
use crate::protocol::Protocol;
use crate::protocol::blu_ray::BOOT_REVISION;
use crate::protocol::download::{DownloadRules, Erasing, ImageNames, Kept, Owned, Proof, Unlisted};
use crate::scsi::Identity;

/// A family of drives that take the same commands.
#[derive(Debug)]
pub struct Family {
    pub protocol: Protocol,
    /// As people call it.
    pub name: &'static str,
    /// Bytes of firmware.
    pub size: u32,
    pub models: Models,
    pub sending: Sending,
    pub reading: ReadSupport,
    /// What a job has to know of the way images are sent.
    pub rules: DownloadRules,
}

/// The drives of a family.
#[derive(Debug, Clone, Copy)]
pub enum Models {
    These(&'static [Model]),
    /// Those of `blu_ray::products`.
    BluRay,
    /// Those that [`liteon::may_be_asked`] names.
    LiteOn,
}

/// What INQUIRY says on drives of a family.
#[derive(Debug, Clone, Copy)]
pub struct Model {
    /// Any of these.
    pub vendors: &'static [&'static str],
    /// `None` where the vendor alone decides.
    pub product: Option<&'static str>,
    pub source: &'static str,
}

/// How an image is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sending {
    /// Into the drive's memory by WRITE BUFFER, a sum after it, and a command
    /// that programs.
    BufferSumProgram { block: u32 },
    /// Blocks of the vendor command FF 00 01.
    VendorBlocks(Blocks),
    /// As [`blu_ray`](super::blu_ray) tells.
    BluRay { block: u32 },
    /// Not at all: firmware of these drives is read this way and no more.
    Never,
}

/// Whether the firmware can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadSupport {
    /// By READ BUFFER mode 6, so many bytes at once.
    ReadBuffer {
        block: u32,
    },
    /// As [`liteon`] tells.
    ProgramMemory,
    Undocumented,
}

/// Those of a family of which nothing is known but how it is sent an image.
const fn undocumented(family: &'static str) -> DownloadRules {
    DownloadRules {
        names: ImageNames::Undocumented,
        erasing: Erasing::Undocumented { family },
        owned: &[],
        proof: Proof::Everything,
    }
}

/// The first 64 KiB of an SE-506CB.
pub const BOOT_BANK: FlashRange = FlashRange::new(0, 0x1_0000);

/// Proven by btcflash on DRW1004, DRW1008 and DRW1108; never tried by this
/// project.
const BTC: Family = Family {
    protocol: Protocol::Btc,
    name: "BTC",
    size: 0x10_0000,
    models: Models::These(&[Model {
        vendors: &["BTC"],
        product: None,
        source: "btcflash: DRW1004, DRW1008, DRW1108",
    }]),
    sending: Sending::BufferSumProgram { block: 0x1000 },
    reading: ReadSupport::Undocumented,
    rules: DownloadRules {
        names: ImageNames::At(Offset(0x40BC)),
        ..undocumented("BTC")
    },
};

const fn mt1339(product: &'static str) -> Model {
    Model {
        vendors: &["TSSTcorp", "hp"],
        product: Some(product),
        source: "redumper",
    }
}

/// Proven by redumper; never tried by this project.
const MT1339: Family = Family {
    protocol: Protocol::Mt1339,
    name: "TSST MT1339",
    size: 0x4_0000,
    models: Models::These(&[
        mt1339("DVD-ROM SH-D163A"),
        mt1339("DVD-ROM SH-D163B"),
        mt1339("DVD-ROM SH-D162C"),
        mt1339("DVD-ROM SH-D163C"),
        mt1339("DVD-ROM SH-D162D"),
        mt1339("DVD-ROM TS-H353A"),
        mt1339("DVD-ROM TS-H353B"),
        mt1339("DVD-ROM TS-H353C"),
        mt1339("DVD-ROM TS-H352C"),
        mt1339("DVD-ROM TS-H352D"),
        mt1339("DVD-ROM SH-116AB"),
        mt1339("DVD-ROM SH-118CB"),
    ]),
    sending: Sending::VendorBlocks(Blocks {
        size: 0xFC00,
        last_mode: 0x04,
        odd_last_residue: false,
        spread: false,
    }),
    reading: ReadSupport::Undocumented,
    rules: undocumented("TSST MT1339"),
};

/// Proven by redumper; never tried by this project.
const SD616: Family = Family {
    protocol: Protocol::Sd616,
    name: "Samsung SD-616",
    size: 0x2_0000,
    models: Models::These(&[
        Model {
            vendors: &["SAMSUNG"],
            product: Some("DVD-ROM SD-616F"),
            source: "redumper",
        },
        Model {
            vendors: &["SAMSUNG"],
            product: Some("DVD-ROM SD-616T"),
            source: "redumper's help names the model; how INQUIRY spells it is inferred",
        },
    ]),
    sending: Sending::VendorBlocks(Blocks {
        size: 0x1_0000,
        last_mode: 0x02,
        odd_last_residue: false,
        spread: true,
    }),
    reading: ReadSupport::Undocumented,
    rules: undocumented("Samsung SD-616"),
};

/// Writing is proven by coastermelt on a Samsung SE-506CB; of reading,
/// freemkv-flash says that it gives the flash and coastermelt that it gives memory;
/// never tried by this project.
const MT1939: Family = Family {
    protocol: Protocol::Mt1939,
    name: "MT1939",
    size: 0x20_0000,
    models: Models::These(&[Model {
        vendors: &["TSSTcorp"],
        product: Some("BDDVDW SE-506CB"),
        source: "coastermelt",
    }]),
    sending: Sending::VendorBlocks(Blocks {
        size: 0xF800,
        last_mode: 0x02,
        odd_last_residue: true,
        spread: false,
    }),
    reading: ReadSupport::ReadBuffer { block: 0x4000 },
    rules: DownloadRules {
        names: ImageNames::At(Offset(0x1F_FFD0)),
        erasing: Erasing::BlankImage,
        owned: &[Owned {
            range: BOOT_BANK,
            kept: Kept::BootLoader,
        }],
        proof: Proof::Everything,
    },
};

/// Writing is in use by redumper on LG and ASUS drives, what an image is was
/// checked by mediatek-optical against vendors' files; never tried by this
/// project.
const MT1959: Family = Family {
    protocol: Protocol::Mt1959,
    name: "MT1959",
    size: mt19xx::SIZE,
    models: Models::BluRay,
    sending: Sending::BluRay { block: 0x4000 },
    reading: ReadSupport::ReadBuffer { block: 0x4000 },
    rules: DownloadRules {
        names: ImageNames::At(Offset(mt19xx::DESCRIPTOR.start())),
        owned: &[
            Owned {
                range: mt19xx::BOOT_CODE,
                kept: Kept::BootCode,
            },
            of_drive(0),
            of_drive(1),
            of_drive(2),
            of_drive(3),
        ],
        proof: Proof::UnderTags,
        ..undocumented("MT1959")
    },
};

/// Older Lite-On writers, which are written in vendor mode: only ever by name,
/// since nothing of this was confirmed.
/// Reading is reported of one Windows program, LtnFlash, and was never
/// confirmed; which drives answer is not known; never tried by this project.
const LITEON_READ: Family = Family {
    protocol: Protocol::LiteonRead,
    name: "Lite-On",
    // What the drive's own code tells goes before it.
    size: 0x10_0000,
    models: Models::LiteOn,
    sending: Sending::Never,
    reading: ReadSupport::ProgramMemory,
    rules: undocumented("Lite-On"),
};

const fn of_drive(number: usize) -> Owned {
    Owned {
        range: mt19xx::DRIVE_WRITTEN[number].range,
        kept: Kept::Written(mt19xx::DRIVE_WRITTEN[number].what),
    }
}

/// Every family that drives are known for by their names.
pub static FAMILIES: [&Family; 5] = [&BTC, &MT1339, &SD616, &MT1939, &MT1959];

impl Family {
    /// The family of a protocol; `None` for vendor mode.
    pub fn of(protocol: Protocol) -> Option<&'static Family> {
        let by_name_alone: &[&Family] = &[&LITEON_READ];
        FAMILIES
            .iter()
            .chain(by_name_alone)
            .copied()
            .find(|family| family.protocol == protocol)
    }

    /// The family whose list has this drive.
    pub fn by_identity(identity: &Identity) -> Option<&'static Family> {
        FAMILIES.into_iter().find(|family| family.has(identity))
    }

    /// Whether this drive is on the family's list.
    pub fn has(&self, identity: &Identity) -> bool {
        match self.models {
            Models::These(models) => models.iter().any(|model| model.is(identity)),
            Models::BluRay => products::has(identity),
            Models::LiteOn => liteon::may_be_asked(identity),
        }
    }

    /// Where it is from that this drive is on the family's list.
    pub fn source(&self, identity: &Identity) -> Option<&'static str> {
        match self.models {
            Models::These(models) => models
                .iter()
                .find(|model| model.is(identity))
                .map(|model| model.source),
            Models::BluRay => products::of(identity).next().map(|product| product.source),
            Models::LiteOn => None,
        }
    }

    /// Whether its drives are awaited and asked as Blu-ray drives are.
    pub(super) fn is_blu_ray(&self) -> bool {
        matches!(self.sending, Sending::BluRay { .. })
    }

    /// Whether its commands are sent to no drive but those, whatever is forced.
    pub fn is_for_listed_only(&self) -> bool {
        matches!(self.models, Models::LiteOn)
    }

    /// Whether a drive of the family says by its revision that its boot loader
    /// answers, since no firmware runs. Known of the MT1939 (coastermelt) and of
    /// the MT1959 (redumper).
    pub fn is_boot_loader(&self, identity: &Identity) -> bool {
        matches!(self.protocol, Protocol::Mt1939 | Protocol::Mt1959)
            && identity.revision == BOOT_REVISION
    }

    /// `None` for a drive that is on the family's list.
    pub fn unlisted(&self, identity: Option<&Identity>) -> Option<Unlisted> {
        match identity {
            Some(identity) if self.has(identity) => None,
            drive => Some(Unlisted {
                family: self.name,
                drive: drive.cloned(),
            }),
        }
    }
}

impl Model {
    /// Word by word.
    fn is(&self, identity: &Identity) -> bool {
        self.vendors.contains(&&*identity.vendor)
            && self
                .product
                .is_none_or(|product| words(&identity.product).eq(words(product)))
    }
}

fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(' ').filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::FLASH_SIZES;

    #[test]
    fn a_drive_is_asked_for_its_program_memory_where_it_is_a_lite_on_by_some_name() {
        let family = Family::of(Protocol::LiteonRead).unwrap();
        for (vendor, product, expected) in [
            ("LITE-ON", "DVDRW ANYTHING", true),
            ("Lite-On", "DVDRW ANYTHING", true),
            ("LITEON", "DVD-ROM LTD163", true),
            ("SONY", "DVD RW DW-D22A", true),
            ("SONY", "DVD RW DRU-510A", false),
            ("HL-DT-ST", "BD-RE BU40N", false),
            ("", "", false),
        ] {
            let identity = identity(vendor, product);
            assert_eq!(family.has(&identity), expected, "{vendor} {product}");
            let by_itself = Family::by_identity(&identity);
            assert!(by_itself.is_none_or(|found| found.protocol != Protocol::LiteonRead));
        }
    }

    fn identity(vendor: &str, product: &str) -> Identity {
        Identity {
            vendor: vendor.to_owned(),
            product: product.to_owned(),
            ..Identity::default()
        }
    }

    fn protocol(vendor: &str, product: &str) -> Option<Protocol> {
        Family::by_identity(&identity(vendor, product)).map(|family| family.protocol)
    }

    /// Vendor and product of every row of every list.
    fn named() -> Vec<(&'static str, &'static str)> {
        let of_family = |family: &'static Family| match family.models {
            Models::These(models) => {
                assert!(models.iter().all(|model| !model.source.is_empty()));
                let names = |model: &'static Model| {
                    let product = model.product.unwrap_or("ANY");
                    model.vendors.iter().map(move |vendor| (*vendor, product))
                };
                models.iter().flat_map(names).collect()
            }
            Models::BluRay => products::all()
                .map(|row| (row.vendor.unwrap_or("ANY"), row.product))
                .collect::<Vec<_>>(),
            Models::LiteOn => Vec::new(),
        };
        FAMILIES.into_iter().flat_map(of_family).collect()
    }

    #[test]
    fn a_drive_is_known_by_its_names_and_by_nothing_like_them() {
        for (vendor, product, expected) in [
            ("BTC", "DRW1008IM", Some(Protocol::Btc)),
            ("TSSTcorp", "DVD-ROM SH-D163B", Some(Protocol::Mt1339)),
            ("hp", "DVD-ROM TS-H353C", Some(Protocol::Mt1339)),
            ("SAMSUNG", "DVD-ROM SD-616F", Some(Protocol::Sd616)),
            ("TSSTcorp", "BDDVDW SE-506CB", Some(Protocol::Mt1939)),
            ("HL-DT-ST", "BD-RE BU40N", Some(Protocol::Mt1959)),
            ("HL-DT-ST", "BD-RE  WH16NS60", Some(Protocol::Mt1959)),
            ("ASUS", "BW-16D1HT", Some(Protocol::Mt1959)),
            ("ASUS", "BD-RE BU40N", None),
            ("TSSTcorp", "DVD-ROM SH-D163", None),
            ("TSSTcorp", "DVDWBD SH-B123L", None),
            ("SONY", "DVD RW DW-D22A", None),
            ("QEMU", "QEMU DVD-ROM", None),
            ("", "", None),
        ] {
            assert_eq!(protocol(vendor, product), expected, "{vendor} {product}");
        }
    }

    #[test]
    fn no_drive_is_in_two_families() {
        for (vendor, product) in named() {
            let identity = identity(vendor, product);
            let families = FAMILIES.into_iter().filter(|family| family.has(&identity));
            assert_eq!(families.count(), 1, "{identity:?}");
        }
    }

    #[test]
    fn every_family_has_a_flash_size_a_source_and_ranges_within_its_flash() {
        for family in FAMILIES {
            assert!(FLASH_SIZES.contains(&family.size), "{}", family.name);
            for owned in family.rules.owned {
                assert!(!owned.range.is_empty() && owned.range.end() <= family.size);
            }
            assert_eq!(
                Family::of(family.protocol).map(|f| f.name),
                Some(family.name)
            );
        }
    }

    #[test]
    fn names_fit_the_fields_in_which_inquiry_sends_them() {
        for (vendor, product) in named() {
            assert!(vendor.len() <= 8);
            assert!(product.len() <= 16);
        }
    }
}
