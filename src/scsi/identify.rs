//! IDENTIFY PACKET DEVICE: who a drive says it is, asked the ATA way.

use super::cdb::IDENTIFY_LENGTH;
use super::text::printable;

/// The identity strings of an IDENTIFY PACKET DEVICE answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PacketDevice {
    /// Words 27–46; for most drives vendor and product of INQUIRY in one.
    pub model: String,
    /// Words 23–26.
    pub firmware: String,
    /// Words 10–19; blank on many drives.
    pub serial: Option<String>,
}

impl PacketDevice {
    /// Reads the 512 bytes. `None` for another length, and where all bytes are
    /// equal, as an empty bus or an unfilled buffer reads.
    pub fn parse(data: &[u8]) -> Option<PacketDevice> {
        let first = data.first()?;
        if data.len() != IDENTIFY_LENGTH || data.iter().all(|byte| byte == first) {
            return None;
        }
        let serial = words(data, 10, 20);
        Some(PacketDevice {
            model: words(data, 27, 47),
            firmware: words(data, 23, 27),
            serial: (!serial.is_empty()).then_some(serial),
        })
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

    #[test]
    fn model_firmware_and_serial_come_out_in_reading_order() {
        assert_eq!(
            PacketDevice::parse(&answer("QM00003", "BYS1", "SONY    DVD RW DW-D22A")),
            Some(PacketDevice {
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

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(data in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = PacketDevice::parse(&data);
        }

        #[test]
        fn full_answers_never_bring_unprintable_text(
            data in proptest::collection::vec(any::<u8>(), IDENTIFY_LENGTH),
        ) {
            if let Some(device) = PacketDevice::parse(&data) {
                prop_assert!(device.model.chars().all(|c| c == ' ' || c.is_ascii_graphic()));
            }
        }
    }
}
