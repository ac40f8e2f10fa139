//! Who a drive says it is.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::text::printable;

/// The identity strings of a standard INQUIRY, without trailing blanks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Identity {
    /// Bytes 8..16.
    pub vendor: String,
    /// Bytes 16..32.
    pub product: String,
    /// Bytes 32..36.
    pub revision: String,
    /// Unit serial number, where the drive gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
}

impl Identity {
    /// Of a drive whose serial number is not known.
    pub fn named(
        vendor: impl Into<String>,
        product: impl Into<String>,
        revision: impl Into<String>,
    ) -> Identity {
        Identity {
            vendor: vendor.into(),
            product: product.into(),
            revision: revision.into(),
            serial: None,
        }
    }

    /// Whether these can be one drive: vendor and product, by INQUIRY and by the
    /// drive's ATA model, that does not divide them, may have other blanks and may
    /// leave the vendor out, and no serial number that is another one. The revision
    /// changes with the firmware. Too seldom would be worse than too often: what is
    /// in the flash is looked at as well.
    pub fn may_be(&self, other: &Identity) -> bool {
        let serials_agree = match (&self.serial, &other.serial) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        };
        let (one, other) = (self.letters(), other.letters());
        serials_agree && (one.ends_with(&other) || other.ends_with(&one))
    }

    fn letters(&self) -> String {
        let names = [&self.vendor, &self.product];
        names
            .into_iter()
            .flat_map(|name| name.split_whitespace())
            .collect()
    }
}

/// The peripheral device type: what kind of device answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeviceType(pub u8);

impl DeviceType {
    /// CD, DVD and Blu-ray drives.
    pub const OPTICAL: DeviceType = DeviceType(0x05);
}

impl fmt::Display for DeviceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            0x00 | 0x0E => "disk",
            0x01 => "tape drive",
            0x02 => "printer",
            0x03 => "processor",
            0x05 => "optical drive",
            0x07 => "optical memory",
            0x08 => "medium changer",
            0x0D => "enclosure",
            0x1F => "device of unknown type",
            other => return write!(f, "device of type {other:02X}h"),
        };
        f.write_str(name)
    }
}

/// A standard INQUIRY.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inquiry {
    pub device_type: DeviceType,
    /// Without the serial number, which is a page of its own.
    pub identity: Identity,
    /// Bytes 36..44, of which every maker makes what he likes.
    pub vendor_specific: String,
}

/// How many bytes of a reply came, where it should have had so many. Some adapters give
/// a residue that is not true: what is there came.
pub fn cut_short(reply: &[u8], residue: i32, wanted: usize) -> Option<usize> {
    let residue = usize::try_from(residue).unwrap_or(0);
    let moved = reply.len().saturating_sub(residue);
    let missing = reply.get(moved..wanted).filter(|bytes| !bytes.is_empty())?;
    missing.iter().all(|byte| *byte == 0).then_some(moved)
}

impl Inquiry {
    /// Bytes of a reply up to the end of the names.
    pub const NAMES_END: usize = 36;

    /// Reads a reply, which may be shorter than what was asked for. `None`
    /// where it does not even tell the device type and its own length.
    ///
    /// Fields count as far as the reply says that it reaches (byte 4): the
    /// residue cannot be trusted (libata says 0 whatever came), and what lies
    /// behind is left over from the buffer.
    pub fn parse(reply: &[u8]) -> Option<Inquiry> {
        let (&first, &additional) = (reply.first()?, reply.get(4)?);
        let field = |from: usize, to: usize| {
            let end = to.min(5 + usize::from(additional)).min(reply.len());
            printable(reply.get(from..end).unwrap_or_default())
        };
        Some(Inquiry {
            device_type: DeviceType(first & 0x1F),
            identity: Identity::named(field(8, 16), field(16, 32), field(32, 36)),
            vendor_specific: field(36, 44),
        })
    }
}

/// Whether a serial number can tell one drive from another: nothing, or one letter
/// over and over, is what a field holds that nobody has filled in.
pub(super) fn is_number(serial: &str) -> bool {
    let mut letters = serial.chars();
    let first = letters.next();
    first.is_some_and(|first| letters.clone().next().is_none() || letters.any(|one| one != first))
}

/// The unit serial number of a vital product data page 80. `None` where the
/// reply is another one, or the number is blank.
///
/// A drive that does not know of pages sends its standard INQUIRY, and that has
/// an 80 in the place of the page code too: the bit of removable media. What
/// tells it apart are the zeros where a number would have digits.
pub fn parse_serial(reply: &[u8]) -> Option<String> {
    let [_, 0x80, high, low, number @ ..] = reply else {
        return None;
    };
    let length = usize::from(u16::from_be_bytes([*high, *low])).min(number.len());
    let number = number.get(..length)?;
    let padding = number.iter().rev().take_while(|&&byte| byte == 0).count();
    let number = number.get(..length - padding)?;
    if !number.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return None;
    }
    let serial = printable(number).trim().to_owned();
    is_number(&serial).then_some(serial)
}

/// Who a drive of a test is: `VENDOR|PRODUCT|REVISION`.
#[cfg(test)]
pub(crate) fn identity(name: &str) -> Identity {
    let [vendor, product, revision] = name.split('|').collect::<Vec<_>>()[..] else {
        panic!("{name}");
    };
    Identity::named(vendor, product, revision)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reply() -> Vec<u8> {
        let mut reply = vec![0x05, 0x80, 0, 0x32, 31, 0, 0, 0];
        reply.extend(b"SONY    DVD RW DW-D22A  BYS1");
        reply.resize(96, 0);
        reply
    }

    #[test]
    fn a_drive_is_the_same_by_inquiry_and_by_its_ata_model() {
        let named = |vendor, product| identity(&format!("{vendor}|{product}|"));
        let is_same = |one: &Identity, other: &Identity| {
            let both = [one.may_be(other), other.may_be(one)];
            assert_eq!(both[0], both[1]);
            both[0]
        };
        let recorded = named("TEAC", "DVD  W524E");
        for same in [
            named("TEAC", "DVD W524E"),
            named("TEACDVD", "W524E"),
            named("DVD", "W524E"),
        ] {
            assert!(is_same(&recorded, &same), "{same:?}");
        }
        for other in [
            named("TEAC", "DVD W524EX"),
            named("TEAC", "DVD W52"),
            named("SONY", "DVD W524E"),
        ] {
            assert!(!is_same(&recorded, &other), "{other:?}");
        }
    }

    #[test]
    fn a_drive_is_another_by_its_serial_number_and_the_same_after_a_new_revision() {
        let with = |serial: Option<&str>, revision| Identity {
            serial: serial.map(str::to_owned),
            ..identity(&format!("SONY|DVD RW DW-D22A|{revision}"))
        };
        let one = with(Some("1"), "BYS1");
        assert!(one.may_be(&with(Some("1"), "BYS3")));
        assert!(one.may_be(&with(None, "BYS1")));
        assert!(!one.may_be(&with(Some("2"), "BYS1")));
    }

    #[test]
    fn a_reply_tells_type_vendor_product_and_revision() {
        assert_eq!(
            Inquiry::parse(&reply()),
            Some(Inquiry {
                device_type: DeviceType::OPTICAL,
                identity: identity("SONY|DVD RW DW-D22A|BYS1"),
                vendor_specific: String::new(),
            })
        );
    }

    #[test]
    fn a_short_reply_counts_as_far_as_it_says_it_reaches() {
        for (additional, expected) in [
            (31, identity("SONY|DVD RW DW-D22A|BYS1")),
            (29, identity("SONY|DVD RW DW-D22A|BY")),
            (11, identity("SONY||")),
            (0, identity("||")),
            (255, identity("SONY|DVD RW DW-D22A|BYS1")),
        ] {
            let mut reply = reply();
            reply[4] = additional;
            assert_eq!(
                Inquiry::parse(&reply).unwrap().identity,
                expected,
                "{additional}"
            );
        }
    }

    #[test]
    fn a_reply_cut_on_the_way_counts_as_far_as_it_came() {
        assert_eq!(
            Inquiry::parse(&reply()[..20]).unwrap().identity,
            identity("SONY|DVD|")
        );
        assert_eq!(Inquiry::parse(&reply()[..4]), None);
        assert_eq!(Inquiry::parse(&[]), None);
    }

    #[test]
    fn a_disk_is_not_an_optical_drive() {
        let mut bytes = reply();
        bytes[0] = 0x00;
        let disk = Inquiry::parse(&bytes).unwrap();
        assert_ne!(disk.device_type, DeviceType::OPTICAL);
        assert_eq!(disk.device_type.to_string(), "disk");
    }

    #[test]
    fn control_characters_in_a_name_never_reach_a_terminal() {
        let mut bytes = reply();
        bytes[8..12].copy_from_slice(b"\x1b[2J");
        assert_eq!(Inquiry::parse(&bytes).unwrap().identity.vendor, "?[2J");
    }

    #[test]
    fn the_serial_number_page_is_read_by_its_own_length() {
        for (what, reply, serial) in [
            (
                "plain",
                &b"\x05\x80\x00\x04A1B2rest"[..],
                Some("A1B2".to_owned()),
            ),
            (
                "padded on either side",
                b"\x05\x80\x00\x06  A1  ",
                Some("A1".to_owned()),
            ),
            (
                "longer than what came",
                b"\x05\x80\x00\xffA1",
                Some("A1".to_owned()),
            ),
            ("blank", b"\x05\x80\x00\x04    ", None),
            ("empty", b"\x05\x80\x00\x00", None),
            ("one letter over and over", b"\x05\x80\x00\x040000", None),
            ("one letter", b"\x05\x80\x00\x041", Some("1".to_owned())),
            (
                "padded with zeros",
                b"\x05\x80\x00\x06A1\0\0\0\0",
                Some("A1".to_owned()),
            ),
            (
                "a standard INQUIRY instead",
                b"\x05\x80\x00\x32\x5b\0\0\0SONY    DVD RW DW-D22A  BYS1",
                None,
            ),
            ("another page", b"\x05\x00\x00\x04\x00\x80\x83\xb0", None),
            ("cut", b"\x05\x80\x00", None),
        ] {
            assert_eq!(parse_serial(reply), serial, "{what}");
        }
    }

    proptest! {
        #[test]
        fn no_reply_makes_it_panic_or_brings_unprintable_text(
            reply in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let mut texts = vec![parse_serial(&reply).unwrap_or_default()];
            if let Some(Inquiry { identity, .. }) = Inquiry::parse(&reply) {
                texts.extend([identity.vendor, identity.product, identity.revision]);
            }
            for text in texts {
                prop_assert!(text.chars().all(|c| c == ' ' || c.is_ascii_graphic()));
            }
        }
    }
}
