//! IDENTIFY PACKET DEVICE: who a drive says it is, asked the ATA way.
//!
//! Source of the command and of the words of its answer: the ATA/ATAPI
//! standards. That the model is vendor and product of INQUIRY in one is how
//! drives are seen to fill it; no standard says so.

use std::fmt;

use super::inquiry::is_number;
use super::text::printable;
use super::{DeviceType, Identity};

/// The ATA command.
pub const IDENTIFY_PACKET_DEVICE: u8 = 0xA1;

/// Bytes of the answer, 256 words with the lower byte first.
pub const IDENTIFY_LENGTH: usize = 512;

/// Characters that INQUIRY has for a name.
const VENDOR_LENGTH: usize = 8;
const PRODUCT_LENGTH: usize = 16;

/// The answer to IDENTIFY PACKET DEVICE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PacketDevice {
    /// Word 0, bits 8–12: the SCSI device type.
    pub device_type: DeviceType,
    /// Words 27–46; for most drives vendor and product of INQUIRY in one.
    pub model: String,
    /// Words 23–26.
    pub firmware: String,
    /// Words 10–19; blank on many drives.
    pub serial: Option<String>,
}

impl PacketDevice {
    /// Reads the 512 bytes. `None` for another length, and where word 0 is not
    /// that of a packet device (bits 14 and 15 are 10), as in what an empty bus
    /// or an unfilled buffer reads.
    pub fn parse(data: &[u8]) -> Option<PacketDevice> {
        let &[_, high, ..] = data else { return None };
        if data.len() != IDENTIFY_LENGTH || high >> 6 != 0b10 {
            return None;
        }
        let serial = words(data, 10, 20);
        Some(PacketDevice {
            device_type: DeviceType(high & 0x1F),
            model: words(data, 27, 47),
            firmware: words(data, 23, 27),
            serial: is_number(&serial).then_some(serial),
        })
    }

    /// Whether a drive of this model can be the one that answers INQUIRY so,
    /// blanks aside: the vendor's name, which may be abbreviated or left out, and
    /// then the product's. A name as long as INQUIRY has room for may be cut off.
    pub fn is_model_of(&self, identity: &Identity) -> bool {
        let letters = |text: &str| text.split_whitespace().collect::<String>();
        let model = letters(&self.model);
        let [vendor, product] = [&identity.vendor, &identity.product].map(|name| letters(name));
        let is_vendor = |before: &str| {
            vendor.starts_with(before)
                || (identity.vendor.len() >= VENDOR_LENGTH && before.starts_with(&vendor))
        };
        let may_follow = |after: &str| after.is_empty() || identity.product.len() >= PRODUCT_LENGTH;
        !product.is_empty()
            && model.match_indices(&product).any(|(at, _)| {
                let (before, rest) = model.split_at(at);
                is_vendor(before) && may_follow(&rest[product.len()..])
            })
    }

    /// The model as INQUIRY would divide it: the vendor is the first word, or
    /// the first eight characters where these are one (inferred). Without the
    /// serial number, which may be written otherwise there. `None` where that
    /// leaves nothing for the product, as a boot loader's blank model does.
    pub fn to_identity(&self) -> Option<Identity> {
        let blank = self.model.find(' ').unwrap_or(self.model.len());
        let (vendor, product) = self.model.split_at_checked(blank.min(VENDOR_LENGTH))?;
        let product = product.trim();
        (!product.is_empty()).then(|| Identity::named(vendor, product, self.revision()))
    }

    /// The first four characters of the firmware's name, as many as INQUIRY has.
    pub fn revision(&self) -> &str {
        self.firmware.get(..4).unwrap_or(&self.firmware).trim()
    }
}

impl fmt::Display for PacketDevice {
    /// `SONY DVD RW DW-D22A, firmware BYS1, serial 1234`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.model.as_str() {
            "" => "a drive without a name",
            model => model,
        })?;
        if !self.firmware.is_empty() {
            write!(f, ", firmware {}", self.firmware)?;
        }
        match &self.serial {
            Some(serial) => write!(f, ", serial {serial}"),
            None => Ok(()),
        }
    }
}

/// ATA strings have their first character in the upper byte of a word, and
/// words arrive with the lower byte first.
fn words(data: &[u8], from: usize, to: usize) -> String {
    let swapped: Vec<u8> = data
        .get(from * 2..to * 2)
        .unwrap_or_default()
        .chunks(2)
        .flat_map(|word| word.iter().rev().copied())
        .collect();
    printable(&swapped).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn answer(serial: &str, firmware: &str, model: &str) -> Vec<u8> {
        let mut data = vec![0; IDENTIFY_LENGTH];
        data[..2].copy_from_slice(&[0xC0, 0x85]);
        for (word, length, text) in [(10, 20, serial), (23, 8, firmware), (27, 40, model)] {
            let padded = format!("{text:length$}");
            for (i, pair) in padded.as_bytes().chunks(2).enumerate() {
                data[(word + i) * 2] = pair[1];
                data[(word + i) * 2 + 1] = pair[0];
            }
        }
        data
    }

    fn device(model: &str) -> PacketDevice {
        PacketDevice::parse(&answer("QM00003", "BYS1", model)).unwrap()
    }

    #[test]
    fn model_firmware_and_serial_come_out_in_reading_order() {
        assert_eq!(
            PacketDevice::parse(&answer("QM00003", "BYS1", "SONY    DVD RW DW-D22A")),
            Some(PacketDevice {
                device_type: DeviceType::OPTICAL,
                model: "SONY    DVD RW DW-D22A".into(),
                firmware: "BYS1".into(),
                serial: Some("QM00003".into()),
            })
        );
    }

    #[test]
    fn a_blank_serial_number_is_none() {
        let device = PacketDevice::parse(&answer("", "BYS1", "SONY")).unwrap();
        assert_eq!(device.serial, None);
    }

    #[test]
    fn an_empty_bus_and_a_short_answer_are_no_identity() {
        assert_eq!(PacketDevice::parse(&[0x00; IDENTIFY_LENGTH]), None);
        assert_eq!(PacketDevice::parse(&[0xFF; IDENTIFY_LENGTH]), None);
        assert_eq!(PacketDevice::parse(&answer("", "", "SONY")[..511]), None);
        assert_eq!(PacketDevice::parse(&[]), None);
    }

    #[test]
    fn word_0_tells_a_packet_device_and_its_type() {
        let mut tape = answer("", "", "TAPE");
        tape[1] = 0x81;
        assert_eq!(
            PacketDevice::parse(&tape).unwrap().device_type,
            DeviceType(1)
        );
        for high in [0x00, 0x05, 0x45, 0xC5, 0xFF] {
            let mut other = answer("", "", "DISK");
            other[1] = high;
            assert_eq!(PacketDevice::parse(&other), None, "{high:02x}");
        }
    }

    #[test]
    fn a_model_is_divided_as_inquiry_does_and_known_by_its_product() {
        for (model, vendor, product) in [
            ("SONY    DVD RW DW-D22A", "SONY", "DVD RW DW-D22A"),
            ("HL-DT-STDVDRAM GSA-4163B", "HL-DT-ST", "DVDRAM GSA-4163B"),
            ("LITE-ON DVDRW SOHW-1633S", "LITE-ON", "DVDRW SOHW-1633S"),
        ] {
            let identity = device(model).to_identity().unwrap();
            assert_eq!(
                [
                    identity.vendor.as_str(),
                    &identity.product,
                    &identity.revision
                ],
                [vendor, product, "BYS1"]
            );
            assert!(device(model).is_model_of(&identity));
            assert!(!device("SONY DVD RW DRU-710A").is_model_of(&identity));
        }
        for nameless in [device(""), device("ALONE")] {
            assert_eq!(nameless.to_identity(), None);
            assert!(!nameless.is_model_of(&Identity::default()));
        }
    }

    #[test]
    fn a_name_that_is_only_part_of_the_model_s_is_another_drive_s() {
        let is_model_of = |model: &str, vendor: &str, product: &str| {
            device(model).is_model_of(&Identity {
                vendor: vendor.into(),
                product: product.into(),
                ..Identity::default()
            })
        };
        for (model, vendor, product) in [
            ("TSSTcorpCD/DVDW SH-S182DX", "TSSTcorp", "CD/DVDW SH-S182D"),
            ("SONY DVD RW DW-D22A", "SONY", "DVD RW DW-D22A"),
            ("DVD RW DW-D22A", "SONY", "DVD RW DW-D22A"),
            ("QEMU DVD-ROM", "QEMU", "QEMU DVD-ROM"),
            ("Slimtype DVD A DS8A1P", "Slimtype", "DVD A  DS8A1P"),
            ("MATSHITAS DVD-RAM", "MATSHITA", "DVD-RAM"),
        ] {
            assert!(is_model_of(model, vendor, product), "{model}");
        }
        for (model, vendor, product) in [
            ("LITE-ON DVD-ROM SHD-16P1S", "LITE-ON", "DVD-ROM"),
            ("SONY DVD RW DW-D22AX", "SONY", "DVD RW DW-D22A"),
            ("LITE-ON DVD-ROM", "SONY", "DVD-ROM"),
            ("SONY NEW DVD-ROM", "SONY", "DVD-ROM"),
        ] {
            assert!(!is_model_of(model, vendor, product), "{model}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(data in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = PacketDevice::parse(&data);
        }

        #[test]
        fn full_answers_never_bring_unprintable_text(
            data in proptest::collection::vec(any::<u8>(), IDENTIFY_LENGTH),
        ) {
            let mut data = data;
            data[1] = 0x85;
            let device = PacketDevice::parse(&data).unwrap();
            prop_assert!(device.to_string().chars().all(|c| c == ' ' || c.is_ascii_graphic()));
            if let Some(identity) = device.to_identity() {
                prop_assert!(device.is_model_of(&identity));
            }
        }
    }
}
