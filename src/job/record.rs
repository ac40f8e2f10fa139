//! What is known of a dump, as the small text file beside it says it: TOML, for
//! people and for later runs. The text is read and written here and nowhere else.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::read::Dump;
use super::selection::Selection;
use crate::flash::FlashRange;
use crate::flash::ranges::are_within;
use crate::image::sums::as_text;
use crate::image::{Checksum, Crc32};
use crate::protocol::DeviceInfo;
use crate::scsi::Identity;

/// Bytes: far more than any drive's flash has.
pub(super) const LARGEST_FLASH: u32 = 16 * 1024 * 1024;

const HEAD: &str = "# What mtkflash read, and from which drive. Keep it beside the dump.\n";

/// What is known of a dump.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// When the dump was made.
    pub date: Date,
    /// Which program made it.
    pub tool: String,
    pub protocol: String,
    pub flash: String,
    pub chip: String,
    /// Bytes in the whole flash.
    pub size: u32,
    /// The ranges that were read; none for the whole flash.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<FlashRange>,
    /// What the drive refused to have read: FF stands there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<FlashRange>,
    /// How often two reads of a block differed; left out where they never did.
    #[serde(default, skip_serializing_if = "is_default")]
    pub disagreements: u32,
    /// Read while a change of the flash was begun and not finished: a mixture,
    /// and no way back.
    #[serde(default, skip_serializing_if = "is_default")]
    pub half_written: bool,
    /// Read in a way of which nobody is known to have seen that it gives the flash.
    #[serde(default, skip_serializing_if = "is_default")]
    pub unconfirmed: bool,
    /// Of the dumped bytes.
    pub crc32: Crc32,
    /// Of the dumped bytes.
    pub sum: Checksum,
    /// Of each bank.
    pub bank_sums: Vec<Checksum>,
    /// Where in the machine the drive was, if it has no serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Who the drive said it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drive: Option<Identity>,
    /// Only while a change is under way, see `interrupted`: of what the flash
    /// is about to hold, FF where nothing was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_writing: Option<Crc32>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Why a text is no record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    #[error(transparent)]
    Toml(#[from] toml::de::Error),
    /// No flash has this many bytes.
    #[error("size {0}")]
    Size(u32),
    /// Not ascending and apart within the flash, by their key.
    #[error("{0}")]
    Ranges(&'static str),
}

impl Record {
    pub(super) fn of_dump(dump: &Dump, device: &DeviceInfo, date: Date, tool: &str) -> Record {
        let selected = dump.selected();
        Record {
            date,
            tool: tool.to_owned(),
            protocol: device.protocol.clone(),
            flash: device.flash.clone(),
            chip: device.chip.clone(),
            size: u32::try_from(dump.bytes.len()).unwrap_or(u32::MAX),
            ranges: match dump.is_whole() {
                true => Vec::new(),
                false => dump.ranges.clone(),
            },
            gaps: dump.gaps.clone(),
            disagreements: dump.disagreements,
            half_written: false,
            unconfirmed: device.is_unconfirmed(),
            crc32: Crc32::of(&selected),
            sum: Checksum::of(&selected),
            bank_sums: dump
                .ranges
                .iter()
                .map(|range| Checksum::of(range.of(&dump.bytes)))
                .collect(),
            place: None,
            drive: device.identity.clone(),
            before_writing: None,
        }
    }

    /// Of the drive, where it is known.
    pub(super) fn serial(&self) -> Option<&str> {
        self.drive.as_ref()?.serial.as_deref()
    }

    /// Whether the drive of this record was not known to be at this place: it may be
    /// any of its model. Of some models all say the same serial number.
    pub(super) fn may_be_of_a_twin(&self, place: Option<&str>) -> bool {
        match (place, self.place.as_deref()) {
            (Some(now), Some(then)) => now != then,
            _ => self.serial().is_none(),
        }
    }

    /// # Errors
    /// A record is a text that anybody may have edited: what it says of a flash must
    /// be possible.
    pub fn parse(text: &str) -> Result<Record, RecordError> {
        let record: Record = toml::from_str(text)?;
        if record.size == 0 || record.size > LARGEST_FLASH {
            return Err(RecordError::Size(record.size));
        }
        for (key, ranges) in [("ranges", &record.ranges), ("gaps", &record.gaps)] {
            if !are_within(ranges, record.size) {
                return Err(RecordError::Ranges(key));
            }
        }
        Ok(record)
    }

    /// What [`Record::parse`] reads.
    pub fn print(&self) -> String {
        // Nothing that a record holds is without its text.
        HEAD.to_owned() + &toml::to_string(self).unwrap_or_default()
    }

    /// The ranges that the dump holds, ascending and each within a bank.
    pub fn covered(&self) -> Vec<FlashRange> {
        covered(&self.ranges, self.size)
    }
}

/// The parts of a flash that a record or an entry of the journal names: all banks
/// where it names none.
pub(super) fn covered(ranges: &[FlashRange], size: u32) -> Vec<FlashRange> {
    match ranges.is_empty() {
        true => Selection::Everything.ranges(size).unwrap_or_default(),
        false => ranges.to_vec(),
    }
}

/// A second, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(DateTime);

/// A text that is no [`Date`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no date")]
pub struct NoDate;

impl Date {
    const FORMAT: &str = "%Y-%m-%d %H:%M:%S UTC";

    pub fn of(moment: Timestamp) -> Date {
        let date = TimeZone::UTC.to_datetime(moment);
        Date(date.with().subsec_nanosecond(0).build().unwrap_or(date))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.strftime(Date::FORMAT))
    }
}

impl FromStr for Date {
    type Err = NoDate;

    fn from_str(text: &str) -> Result<Date, NoDate> {
        DateTime::strptime(Date::FORMAT, text)
            .map(Date)
            .map_err(|_| NoDate)
    }
}

as_text!(Date);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;

    /// As the program has always written it.
    const RECORD: &str = r#"date = "2004-05-21 10:00:59 UTC"
tool = "test"
protocol = "vendor mode"
flash = "a chip"
chip = "SST39SF020"
size = 262144
ranges = [[0, 65535], [131072, 196607]]
gaps = [[1, 2]]
disagreements = 1
crc32 = "0123abcd"
sum = "0123"
bank_sums = ["0123", "4567"]
before_writing = "0123abcd"

[drive]
vendor = "V"
product = "P"
revision = "R"
serial = "S"
"#;

    #[test]
    fn a_record_says_what_was_read_from_which_drive() {
        let record = Record::parse(RECORD).unwrap();
        assert_eq!(
            record,
            Record {
                date: "2004-05-21 10:00:59 UTC".parse().unwrap(),
                tool: "test".to_owned(),
                protocol: "vendor mode".to_owned(),
                flash: "a chip".to_owned(),
                chip: "SST39SF020".to_owned(),
                size: 0x4_0000,
                ranges: vec![
                    FlashRange::new(0, 0x1_0000),
                    FlashRange::new(0x2_0000, 0x3_0000)
                ],
                gaps: vec![FlashRange::new(1, 3)],
                disagreements: 1,
                half_written: false,
                unconfirmed: false,
                crc32: Crc32(0x0123_abcd),
                sum: Checksum(0x0123),
                bank_sums: vec![Checksum(0x0123), Checksum(0x4567)],
                place: None,
                drive: Some(Identity {
                    vendor: "V".to_owned(),
                    product: "P".to_owned(),
                    revision: "R".to_owned(),
                    serial: Some("S".to_owned()),
                }),
                before_writing: Some(Crc32(0x0123_abcd)),
            }
        );
        assert_eq!(record.print(), format!("{HEAD}{RECORD}"));
    }

    #[test]
    fn a_record_of_what_cannot_be_is_none() {
        for (said, instead) in [
            ("262144", "0"),
            ("262144", "16777217"),
            ("[0, 65535]", "[65535, 0]"),
            ("[0, 65535]", "[0, 131072]"),
            ("196607", "262144"),
            ("196607", "4294967295"),
            ("[1, 2]", "[1]"),
            ("[1, 2]", "[-1, 2]"),
            ("10:00:59", "10:60:59"),
            ("2004-05-21 10:00:59 UTC", "yesterday"),
            ("\"0123abcd\"", "\"0123abc\""),
            ("\"0123\"", "\"+123\""),
            ("\"4567\"", "\"456g\""),
        ] {
            let text = RECORD.replacen(said, instead, 1);
            assert_ne!(text, RECORD, "{said}");
            assert!(Record::parse(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_date_is_a_second_in_utc() {
        let date = Date::of("2026-11-28T06:51:33.75Z".parse().unwrap());
        assert_eq!(date.to_string(), "2026-11-28 06:51:33 UTC");
        assert_eq!(date.to_string().parse(), Ok(date));
    }

    /// Parts of a flash of this many bytes.
    fn parts(size: u32) -> impl Strategy<Value = Vec<FlashRange>> {
        proptest::collection::btree_set(0..=size, 0..8).prop_map(|places| {
            let places: Vec<u32> = places.into_iter().collect();
            let parts = places.chunks_exact(2);
            parts
                .map(|ends| FlashRange::new(ends[0], ends[1]))
                .collect()
        })
    }

    fn identities() -> impl Strategy<Value = Identity> {
        (any::<[String; 3]>(), any::<Option<String>>()).prop_map(|(names, serial)| {
            let [vendor, product, revision] = names;
            Identity {
                vendor,
                product,
                revision,
                serial,
            }
        })
    }

    fn records() -> impl Strategy<Value = Record> {
        let flash =
            (1..=LARGEST_FLASH).prop_flat_map(|size| (Just(size), parts(size), parts(size)));
        let texts = (0..253_402_207_200_i64, any::<[String; 4]>());
        let numbers = (any::<u32>(), any::<bool>(), any::<u32>(), any::<u16>());
        let rest = (
            vec(any::<u16>(), 0..8),
            any::<Option<String>>(),
            option::of(identities()),
            any::<Option<u32>>(),
        );
        (flash, texts, numbers, rest).prop_map(|(flash, texts, numbers, rest)| {
            let (size, ranges, gaps) = flash;
            let (second, [tool, protocol, flash, chip]) = texts;
            let (disagreements, half_written, crc32, sum) = numbers;
            let (bank_sums, place, drive, before_writing) = rest;
            Record {
                date: Date::of(Timestamp::from_second(second).unwrap()),
                tool,
                protocol,
                flash,
                chip,
                size,
                ranges,
                gaps,
                disagreements,
                half_written,
                unconfirmed: !half_written,
                crc32: Crc32(crc32),
                sum: Checksum(sum),
                bank_sums: bank_sums.into_iter().map(Checksum).collect(),
                place,
                drive,
                before_writing: before_writing.map(Crc32),
            }
        })
    }

    proptest! {
        #[test]
        fn a_record_is_read_as_it_was_written(record in records()) {
            prop_assert_eq!(Record::parse(&record.print()), Ok(record));
        }

        #[test]
        fn whatever_a_record_says_lies_within_its_flash(
            from in 0..RECORD.len(),
            length in 0..40_usize,
            put in prop_oneof![
                "[0-9a-fx,\\[\\] \"\n=_-]{0,40}",
                "\\PC{0,40}",
                any::<u64>().prop_map(|number| number.to_string()),
            ],
        ) {
            let to = (from + length).min(RECORD.len());
            let mangled = [&RECORD[..from], &put, &RECORD[to..]].concat();
            if let Ok(record) = Record::parse(&mangled) {
                prop_assert!(record.size <= LARGEST_FLASH);
                let flash = vec![0; record.size as usize];
                for range in record.covered() {
                    prop_assert!(!range.is_empty());
                    prop_assert_eq!(range.of(&flash).len() as u32, range.len());
                }
            }
        }
    }
}
