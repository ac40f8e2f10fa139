//! For which drive an image is, found in the image itself.
//!
//! Sources: OmniPatcher 2.x (Lite-On), btcflash (BTC), coastermelt (MT1939),
//! the crate mediatek-optical (LG's Blu-ray drives). What is found here was never compared with a real image
//! by this project; a string counts only where every byte is printable ASCII.

use super::families;
use super::mt19xx;
use super::structure::Structure;
use super::sums::Checksum;
use crate::flash::{FlashRange, Offset};
use crate::scsi::Identity;

/// Bytes in a BTC image and in a MediaTek Blu-ray image.
const BTC_SIZE: usize = 0x10_0000;
const BLU_RAY_SIZE: usize = 0x20_0000;

const BTC_AT: usize = 0x40bc;
const MT1939_AT: usize = 0x1f_ffd0;
const MT1939_SUM_AT: usize = 0x1f_fffe;

/// What the sum of an MT1939 image is over.
pub const MT1939_SUMMED: FlashRange = FlashRange::new(0x1_0000, 0x1e_2000);

/// The identity that a known place or mark in an image holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageIdentity {
    pub(super) at: Offset,
    pub(super) identity: Identity,
    pub(super) kind: Kind,
}

/// By which place or mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The INQUIRY answer of a Lite-On drive, kept whole in its firmware.
    LiteOn,
    /// Vendor, product and revision where BTC images have them.
    Btc,
    /// The trailer of an MT1939 image.
    Mt1939 {
        /// The sum over 10000..=1E1FFF as the trailer has it …
        stored: Checksum,
        /// … and as it is.
        computed: Checksum,
    },
    /// The descriptor of an image for LG's Blu-ray drives, see [`mt19xx`].
    BluRay,
}

impl ImageIdentity {
    /// Where in the image it was found.
    pub fn at(&self) -> Offset {
        self.at
    }

    /// What a drive with this firmware answers to INQUIRY.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The kind of image in a word or two.
    pub fn kind(&self) -> &'static str {
        match self.kind {
            Kind::LiteOn => "Lite-On",
            Kind::Btc => "BTC",
            Kind::Mt1939 { .. } => "MT1939",
            Kind::BluRay => "Blu-ray",
        }
    }
}

/// Every identity in an image, in the order of their places. Copies of one
/// Lite-On identity are given once.
///
/// The places of BTC and MT1939 have no mark that says what they are. They are
/// believed in an image of the right size only, and only where nothing with a
/// mark was found.
pub fn find(bytes: &[u8]) -> Vec<ImageIdentity> {
    let mut found = lite_on(bytes);
    found.extend(blu_ray(bytes));
    if found.is_empty() {
        found.extend(btc(bytes));
        found.extend(mt1939(bytes));
    }
    found.sort_by_key(ImageIdentity::at);
    found
}

fn lite_on(bytes: &[u8]) -> Vec<ImageIdentity> {
    let mut found: Vec<ImageIdentity> = Vec::new();
    let is_mark = |at: &usize| {
        let rest = bytes.get(at + 4..at + 8);
        matches!(rest, Some([0x5b | 0x1f, 0, 0, 0]))
    };
    for at in memchr::memmem::find_iter(bytes, b"\x05\x80\x00\x32").filter(is_mark) {
        let Some(identity) = identity_at(bytes, at + 8) else {
            continue;
        };
        if found.iter().any(|known| known.identity == identity) {
            continue;
        }
        found.push(ImageIdentity {
            at: Offset::of(at),
            identity,
            kind: Kind::LiteOn,
        });
    }
    found
}

/// The identity at the place where BTC images have it; `None` where the image
/// has another size than BTC's or something else there. A maker that no list names
/// is believed where every bank starts as firmware does.
pub fn btc(bytes: &[u8]) -> Option<ImageIdentity> {
    if bytes.len() != BTC_SIZE {
        return None;
    }
    let identity = unmarked_identity_at(bytes, BTC_AT)?;
    let has_bank_starts = || {
        let structure = Structure::of(bytes);
        structure.jumps == structure.banks
    };
    (is_known(&identity) || has_bank_starts()).then_some(ImageIdentity {
        at: Offset::of(BTC_AT),
        identity,
        kind: Kind::Btc,
    })
}

/// The trailer of an MT1939 image; `None` where there is none.
pub fn mt1939(bytes: &[u8]) -> Option<ImageIdentity> {
    if bytes.len() != BLU_RAY_SIZE {
        return None;
    }
    let stored: [u8; 2] = bytes.get(MT1939_SUM_AT..)?.try_into().ok()?;
    let identity = unmarked_identity_at(bytes, MT1939_AT)?;
    let stored = Checksum(u16::from_be_bytes(stored));
    let computed = Checksum::of(MT1939_SUMMED.of(bytes));
    (stored == computed || is_known(&identity)).then_some(ImageIdentity {
        at: Offset::of(MT1939_AT),
        identity,
        kind: Kind::Mt1939 { stored, computed },
    })
}

/// Whether a maker of drives with these chips is called so.
fn is_known(identity: &Identity) -> bool {
    ["BTC", "TSSTcorp", "SAMSUNG"].contains(&&*identity.vendor)
        || families::members().any(|member| member.vendor == identity.vendor)
}

/// How many bytes a 1 MiB image is out of place whose BTC identity is near its place
/// and not there: so many were lost before it (less than 0) or added.
pub fn btc_shift(bytes: &[u8]) -> Option<i32> {
    const NEAR: usize = 0x200;
    if bytes.len() != BTC_SIZE {
        return None;
    }
    let start = BTC_AT - NEAR;
    let around = bytes.get(start..BTC_AT + NEAR)?;
    let at = memchr::memmem::find(around, b"BTC     ")?;
    unmarked_identity_at(bytes, start + at)?;
    let shift = i32::try_from(at).ok()? - NEAR as i32;
    (shift != 0).then_some(shift)
}

/// The descriptor of an image for LG's Blu-ray drives; `None` where there is
/// none, or it names nobody.
pub fn blu_ray(bytes: &[u8]) -> Option<ImageIdentity> {
    if bytes.len() != BLU_RAY_SIZE {
        return None;
    }
    let identity = mt19xx::descriptor(bytes)?.identity;
    (!identity.product.is_empty()).then_some(ImageIdentity {
        at: Offset(mt19xx::DESCRIPTOR.start()),
        identity,
        kind: Kind::BluRay,
    })
}

/// Vendor 8, product 16, revision 4, as INQUIRY lays them out; vendor and
/// product not empty.
pub(crate) fn identity_at(bytes: &[u8], at: usize) -> Option<Identity> {
    let name = |at, length| text(bytes, at, length).filter(|name| !name.is_empty());
    let revision = text(bytes, at + 24, 4)?;
    Some(Identity::named(name(at, 8)?, name(at + 8, 16)?, revision))
}

/// As [`identity_at`], for a place without a mark: some other text that happens
/// to run through it seldom has three fields that all begin with a letter or digit.
fn unmarked_identity_at(bytes: &[u8], at: usize) -> Option<Identity> {
    let begins = |field: &str| field.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    identity_at(bytes, at).filter(|identity| {
        [&identity.vendor, &identity.product, &identity.revision]
            .into_iter()
            .all(|field| begins(field))
    })
}

/// Printable ASCII without its trailing blanks.
fn text(bytes: &[u8], at: usize, length: usize) -> Option<String> {
    let field = bytes.get(at..at.checked_add(length)?)?;
    field
        .iter()
        .all(is_printable)
        .then(|| String::from_utf8_lossy(field.trim_ascii_end()).into_owned())
}

fn is_printable(byte: &u8) -> bool {
    matches!(byte, b' '..=b'~')
}

#[cfg(test)]
mod tests {
    use super::super::tests::{lite_on, noise, put};
    use super::*;
    use crate::scsi::identity;
    use proptest::prelude::*;

    fn mt1939_image() -> Vec<u8> {
        let mut bytes = noise(BLU_RAY_SIZE);
        put(&mut bytes, MT1939_AT, b"TSSTcorpBDDVDW SE-506CB TS01");
        let sum = Checksum::of(&bytes[0x1_0000..0x1e_2000]).0;
        put(&mut bytes, MT1939_SUM_AT, &sum.to_be_bytes());
        bytes
    }

    #[test]
    fn a_lite_on_image_names_its_drive() {
        let bytes = lite_on(0x10_0000, "SONY", "DVD RW DW-D22A", "BYS1");
        assert_eq!(
            find(&bytes),
            [ImageIdentity {
                at: Offset(0x1_2345),
                identity: identity("SONY|DVD RW DW-D22A|BYS1"),
                kind: Kind::LiteOn,
            }]
        );
    }

    #[test]
    fn the_older_lite_on_block_is_found_too_and_needs_no_date() {
        let mut bytes = lite_on(0x4_0000, "LITEON", "DVD-ROM LTD163", "GH5S");
        put(&mut bytes, 0x1_2349, &[0x1f]);
        put(&mut bytes, 0x1_2345 + 36, &[0; 16]);
        assert_eq!(
            find(&bytes),
            [ImageIdentity {
                at: Offset(0x1_2345),
                identity: identity("LITEON|DVD-ROM LTD163|GH5S"),
                kind: Kind::LiteOn,
            }]
        );
    }

    #[test]
    fn a_copy_of_an_identity_is_given_once_and_another_one_beside_it() {
        let mut bytes = lite_on(0x10_0000, "SONY", "DVD RW DW-D22A", "BYS1");
        bytes.copy_within(0x1_2345..0x1_2345 + 52, 0x8_0000);
        assert_eq!(find(&bytes).len(), 1);
        put(&mut bytes, 0x8_0008, b"LITE-ON ");
        let found = find(&bytes);
        assert_eq!(found.len(), 2);
        assert_eq!(found[1].at(), Offset(0x8_0000));
    }

    #[test]
    fn a_mark_with_anything_but_text_after_it_is_no_identity() {
        for (at, byte) in [(8, 0x00), (15, 0x7f), (20, 0xff), (34, 0x1f)] {
            let mut bytes = lite_on(0x10_0000, "SONY", "DVD RW DW-D22A", "BYS1");
            bytes[0x1_2345 + at] = byte;
            assert_eq!(find(&bytes), [], "byte {at} is {byte:02x}");
        }
        let blank = lite_on(0x10_0000, "", "", "BYS1");
        assert_eq!(find(&blank), []);
    }

    #[test]
    fn a_mark_at_the_very_end_is_no_identity() {
        let mut bytes = noise(0x2_0000);
        put(
            &mut bytes,
            0x2_0000 - 8,
            &[0x05, 0x80, 0x00, 0x32, 0x5b, 0, 0, 0],
        );
        assert_eq!(find(&bytes), []);
    }

    #[test]
    fn a_btc_image_names_its_drive_at_its_fixed_place() {
        let mut bytes = noise(BTC_SIZE);
        put(&mut bytes, BTC_AT, b"BTC     DVDRW IDE 1008  0062");
        assert_eq!(
            find(&bytes),
            [ImageIdentity {
                at: Offset(0x40bc),
                identity: identity("BTC|DVDRW IDE 1008|0062"),
                kind: Kind::Btc,
            }]
        );
        assert_eq!(find(&bytes[..0x8_0000]), [], "of another size");
    }

    #[test]
    fn places_without_a_mark_are_not_believed_beside_a_marked_identity() {
        let mut bytes = lite_on(0x10_0000, "SONY", "DVD RW DW-D22A", "BYS1");
        put(&mut bytes, BTC_AT, b"BTC     DVDRW IDE 1008  0062");
        assert_eq!(find(&bytes).len(), 1);
        let mut bytes = mt1939_image();
        put(&mut bytes, DESCRIPTOR_AT, &descriptor());
        let found = find(&bytes);
        assert_eq!((found.len(), found[0].kind), (1, Kind::BluRay));
    }

    #[test]
    fn text_that_runs_through_the_place_of_the_btc_identity_is_none() {
        for text in [
            b" cannot read the disc, error",
            b"................ ..........x",
            b"read errors at layer 0: (no)",
        ] {
            let mut bytes = noise(BTC_SIZE);
            put(&mut bytes, BTC_AT, text);
            assert_eq!(find(&bytes), []);
        }
    }

    #[test]
    fn an_mt1939_image_has_its_sum_checked() {
        let mut bytes = mt1939_image();
        let only = |bytes: &[u8]| <[ImageIdentity; 1]>::try_from(find(bytes)).unwrap();
        let [found] = only(&bytes);
        assert_eq!(found.at, Offset(0x1f_ffd0));
        assert_eq!(found.identity, identity("TSSTcorp|BDDVDW SE-506CB|TS01"));
        assert!(matches!(found.kind, Kind::Mt1939 { stored, computed } if stored == computed));
        for (at, counts) in [
            (0xffff, false),
            (0x1_0000, true),
            (0x1e_1fff, true),
            (0x1e_2000, false),
        ] {
            bytes[at] ^= 1;
            let [found] = only(&bytes);
            let Kind::Mt1939 { stored, computed } = found.kind else {
                panic!("{found:?}");
            };
            assert_eq!(stored != computed, counts, "a bit of byte {at:x} changed");
            bytes[at] ^= 1;
        }
    }

    const DESCRIPTOR_AT: usize = 0x1e_c000;

    fn descriptor() -> Vec<u8> {
        let mut bytes = b"HL-DT-STBD-RE  WH16NS60 1.02".to_vec();
        bytes.resize(0x100, b' ');
        put(&mut bytes, 0x34, b"MTEKMT1939");
        bytes
    }

    #[test]
    fn an_image_for_a_blu_ray_drive_names_it_in_its_descriptor() {
        let mut bytes = noise(BLU_RAY_SIZE);
        put(&mut bytes, DESCRIPTOR_AT, &descriptor());
        assert_eq!(
            find(&bytes),
            [ImageIdentity {
                at: Offset(0x1e_c000),
                identity: identity("HL-DT-ST|BD-RE  WH16NS60|1.02"),
                kind: Kind::BluRay,
            }]
        );
        bytes[DESCRIPTOR_AT + 0x34] = 0;
        assert_eq!(find(&bytes), [], "without its mark");
    }

    #[test]
    fn noise_and_blank_flash_have_no_identity() {
        for size in [0x4_0000, BTC_SIZE, BLU_RAY_SIZE] {
            assert_eq!(find(&noise(size)), []);
            assert_eq!(find(&vec![0xff; size]), []);
            assert_eq!(find(&vec![b' '; size]), []);
            assert_eq!(find(&vec![0; size]), []);
        }
    }

    proptest! {
        #[test]
        fn whatever_follows_a_mark_is_printable_or_not_reported(
            before in prop::collection::vec(any::<u8>(), 0..40),
            after in prop::collection::vec(prop_oneof![4 => b' '..=b'~', 1 => any::<u8>()], 0..60),
        ) {
            let mark = [0x05, 0x80, 0x00, 0x32, 0x1f, 0, 0, 0];
            let bytes = [&before[..], &mark, &after].concat();
            for found in find(&bytes) {
                let identity = found.identity();
                prop_assert!(!identity.product.is_empty());
                for text in [&identity.vendor, &identity.product, &identity.revision] {
                    prop_assert!(text.bytes().all(|byte| is_printable(&byte)));
                }
            }
        }
    }
}
