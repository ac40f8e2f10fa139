//! Which Blu-ray drives take firmware this way, and with which boot string.
//!
//! An image is taken where the 16 characters at 3000 are those that the running
//! firmware wants; a drive that gets another string goes through the motions and
//! keeps what it has ("silent flash failure", MakeMKV forum t=23023, OmniDrive
//! issues 26 and 31). The strings of the products are redumper's, those of the
//! MT1939 from the images that mediatek-optical names; the table beside this file
//! has the source of each row. **Never tried on hardware by this project.**

use mediatek_optical::ProductIdentity;

use crate::image::mt19xx::{BootString, Chip, Descriptor};
use crate::protocol::blu_ray::{Form, NoString};
use crate::scsi::Identity;

const TABLE: &str = include_str!("products.tsv");

/// Boot strings that may replace each other, by redumper. Those of one set are
/// of one form.
const SETS: [(Form, &[&[u8; 4]]); 4] = [
    (Form::Slim, &[b"BUP1"]),
    (
        Form::Slim,
        &[b"BU5 ", b"BU51", b"BUP3", b"BP32", b"BUP5", b"BP52"],
    ),
    (Form::HalfHeight, &[b"JB8 ", b"JB9 ", b"JBC6", b"JBP6"]),
    // The MT1939 of half-height drives, by mediatek-optical.
    (Form::HalfHeight, &[b"Code"]),
];

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Product {
    pub string: BootString,
    /// `None` where the source names none.
    pub vendor: Option<&'static str>,
    /// Without the words for the kind of disc.
    pub product: &'static str,
    /// The SVC code, empty for blank; `None` for any.
    pub svc: Option<&'static str>,
    pub source: &'static str,
}

/// Every row of the table.
pub fn all() -> impl Iterator<Item = Product> {
    TABLE
        .lines()
        .filter(|line| !line.starts_with('#'))
        .skip(1)
        .filter_map(row)
}

fn row(line: &'static str) -> Option<Product> {
    let mut fields = line.split('\t');
    let string = format!("{:16}", fields.next()?);
    Some(Product {
        string: BootString::parse(string.as_bytes())?,
        vendor: fields.next().filter(|vendor| *vendor != "*"),
        product: fields.next()?,
        svc: match fields.next()? {
            "*" => None,
            "-" => Some(""),
            svc => Some(svc),
        },
        source: fields.next()?,
    })
}

/// The rows for a drive of this name.
pub fn of(identity: &Identity) -> impl Iterator<Item = Product> {
    all().filter(|row| row.is(identity))
}

/// Whether the table has a drive of this name.
pub fn has(identity: &Identity) -> bool {
    of(identity).next().is_some()
}

/// The boot string with which a drive takes an image: by its product and SVC
/// code, the exact code first.
///
/// # Errors
/// [`NoString`]: nothing is guessed.
pub fn string_for(
    identity: &Identity,
    svc: Option<&str>,
    chip: Option<Chip>,
) -> Result<BootString, NoString> {
    let rows: Vec<Product> = of(identity)
        .filter(|row| chip.is_none() || row.string.chip() == chip)
        .collect();
    let exact = rows
        .iter()
        .filter(|row| svc.is_some() && (row.svc == svc || row.svc.is_none()));
    let mut strings: Vec<BootString> = exact.map(|row| row.string).collect();
    if strings.is_empty() {
        strings = rows.iter().map(|row| row.string).collect();
    }
    strings.dedup();
    match strings[..] {
        [] => Err(NoString::Unlisted),
        [only] => Ok(only),
        _ => Err(NoString::Several {
            strings,
            svc: svc.map(str::to_owned),
        }),
    }
}

/// The form of the drives that a boot string is for; `None` for an unknown one.
pub fn form_of(string: &BootString) -> Option<Form> {
    set_of(string).map(|(form, _)| form)
}

/// The form of the drives with a board, by its platform code: the boards that
/// mediatek-optical names are JB… in half-height drives and BU… in slim ones.
pub fn form_of_board(descriptor: Option<&Descriptor>) -> Option<Form> {
    match descriptor?.platform.get(..2)? {
        "JB" => Some(Form::HalfHeight),
        "BU" => Some(Form::Slim),
        _ => None,
    }
}

/// Whether firmware with the one boot string may replace that with the other.
pub fn may_replace(one: &BootString, other: &BootString) -> bool {
    let set = |string: &BootString| set_of(string).map(|(_, set)| set);
    one == other || (one.chip() == other.chip() && set(one).is_some() && set(one) == set(other))
}

type Set = &'static [&'static [u8; 4]];

fn set_of(string: &BootString) -> Option<(Form, Set)> {
    SETS.into_iter()
        .find(|(_, set)| set.contains(&&string.code()))
}

impl Product {
    fn is(&self, identity: &Identity) -> bool {
        let is_vendor = self
            .vendor
            .is_none_or(|vendor| vendor == identity.vendor.trim());
        is_vendor && names(&identity.product).eq(names(self.product))
    }
}

/// The words of a product's name behind those for the kind of disc. LG's drives
/// put two blanks between them, and no list does.
fn names(product: &str) -> impl Iterator<Item = &str> {
    let parsed = ProductIdentity::from_fields("", product, "");
    parsed
        .model
        .into_iter()
        .chain(parsed.product_suffix.split_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drive(vendor: &str, product: &str) -> Identity {
        Identity {
            vendor: vendor.to_owned(),
            product: product.to_owned(),
            ..Identity::default()
        }
    }

    fn string(vendor: &str, product: &str, svc: Option<&str>) -> Result<String, NoString> {
        let chip = Some(Chip::Mt1959);
        string_for(&drive(vendor, product), svc, chip).map(|string| string.to_string())
    }

    #[test]
    fn product_and_svc_code_give_the_boot_string() {
        for (vendor, product, svc, expected) in [
            (
                "HL-DT-ST",
                "BD-RE  WH16NS60",
                Some("NS60"),
                "MT1959 Boot JB8",
            ),
            ("HL-DT-ST", "BD-RE WH16NS60", None, "MT1959 Boot JB8"),
            ("HL-DT-ST", "BD-RE BU40N", Some("BU40"), "MT1959 Boot BU5"),
            ("HL-DT-ST", "BD-RE BU40N", Some(""), "MT1959 Boot BU5"),
            ("hp HLDS", "BDRE BU50N", Some(""), "MT1959 Boot BU51"),
            (
                "HL-DT-ST",
                "BD-RE BP60NB10",
                Some("NB10"),
                "MT1959 Boot BUP5",
            ),
            (
                "HL-DT-ST",
                "BD-RE BP60NB10",
                Some("NB12"),
                "MT1959 Boot BP52",
            ),
            ("ASUS", "BC-12B1ST   b", Some(""), "MT1959 Boot JBC6"),
            ("ASUS", "BW-16D1HT", Some(""), "MT1959 Boot JB8"),
            (
                "HL-DT-ST",
                "BDDVDRW CH12NS40",
                Some("NS40"),
                "MT1959 Boot JBC6",
            ),
        ] {
            let found = string(vendor, product, svc);
            assert_eq!(found.as_deref(), Ok(expected), "{vendor} {product} {svc:?}");
        }
    }

    #[test]
    fn a_code_that_does_not_tell_which_string_it_is_gives_none() {
        for svc in [None, Some("NB99")] {
            let found = string("HL-DT-ST", "BD-RE BP60NB10", svc);
            assert!(matches!(found, Err(NoString::Several { .. })), "{svc:?}");
        }
        assert_eq!(
            string("HL-DT-ST", "BD-RE BU41N", None),
            Err(NoString::Unlisted)
        );
        assert_eq!(string("ASUS", "BD-RE BU40N", None), Err(NoString::Unlisted));
    }

    #[test]
    fn a_name_that_two_chips_have_is_told_by_the_chip() {
        let drive = drive("HL-DT-ST", "BD-RE  BH16NS40");
        let string = |chip| string_for(&drive, Some("NS50"), chip).map(|found| found.code());
        assert_eq!(string(Some(Chip::Mt1959)), Ok(*b"JB8 "));
        assert_eq!(string(Some(Chip::Mt1939)), Ok(*b"Code"));
        assert!(string(None).is_err());
    }

    #[test]
    fn every_row_is_read_has_a_source_and_a_string_of_a_known_form() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(all().count(), lines - 1);
        for row in all() {
            assert!(form_of(&row.string).is_some(), "{row:?}");
            assert!(!row.source.is_empty());
            assert!(row.vendor.is_none_or(|vendor| vendor.len() <= 8));
            assert!(row.product.len() <= 16);
        }
    }

    #[test]
    fn strings_replace_each_other_within_their_set_only() {
        let of = |code: &[u8; 4]| BootString::of_mt1959(*code);
        assert!(may_replace(&of(b"JB8 "), &of(b"JB9 ")));
        assert!(may_replace(&of(b"BU5 "), &of(b"BP52")));
        assert!(!may_replace(&of(b"BUP1"), &of(b"BUP3")));
        assert!(!may_replace(&of(b"JB8 "), &of(b"BU5 ")));
        assert!(may_replace(&of(b"XYZ1"), &of(b"XYZ1")), "equal ones");
        assert!(!may_replace(&of(b"XYZ1"), &of(b"XYZ2")), "unknown ones");
    }
}
