//! The known flash chips: those of `chips.tsv`, merged by ID.

use std::sync::LazyLock;

use super::chip::{
    Bus, CONTINUATION, Chip, ChipId, DOCUMENTED_UNLOCK, Name, ReadOnly, Serial, Tried, Unlock,
};
use super::{EraseLayout, PAGE_SIZE};

const TABLE: &str = include_str!("chips.tsv");

/// The command set of 0555/02AA parts decodes no more address bits than this pair has.
const SHORT_UNLOCK: Unlock = Unlock(0x0555, 0x02AA);

/// All known chips, parallel ones first.
pub fn all() -> &'static [Chip] {
    static CHIPS: LazyLock<Vec<Chip>> = LazyLock::new(|| {
        let mut chips = Vec::new();
        for chip in rows(TABLE).filter_map(parse) {
            add(&mut chips, chip);
        }
        chips
    });
    &CHIPS
}

/// The chip with this ID on a parallel bus.
pub fn parallel(id: ChipId) -> Option<&'static Chip> {
    all()
        .iter()
        .find(|chip| chip.id == id && matches!(chip.bus, Bus::Parallel(_)))
}

/// The chip with this ID on a serial bus.
pub fn serial(id: ChipId) -> Option<&'static Chip> {
    all()
        .iter()
        .find(|chip| chip.id == id && matches!(chip.bus, Bus::Serial(_)))
}

/// Whether this is a parallel chip which is programmed byte by byte.
pub fn takes_byte_programs(id: ChipId) -> bool {
    parallel(id).is_some_and(|chip| chip.layout.program_unit == 1)
}

/// Adds a chip, or its name to the one with the same ID on the same bus.
fn add(chips: &mut Vec<Chip>, chip: Chip) {
    let bus = std::mem::discriminant(&chip.bus);
    let is_same =
        |known: &&mut Chip| known.id == chip.id && std::mem::discriminant(&known.bus) == bus;
    match chips.iter_mut().find(is_same) {
        Some(known) => merge(known, chip),
        None => chips.push(chip),
    }
}

/// Makes one entry of two chips that cannot be told apart. Where one way of
/// driving them does not fit both, it becomes read-only, with the larger size:
/// a smaller chip then repeats its content.
fn merge(known: &mut Chip, other: Chip) {
    let shared = match (&known.bus, &other.bus) {
        (Bus::Parallel(one), Bus::Parallel(two)) if known.layout == other.layout => {
            shared_unlock(*one, *two)
        }
        _ => None,
    };
    match shared {
        Some(unlock) => known.bus = Bus::Parallel(unlock),
        None => {
            known.read_only = Some(ReadOnly::SharedId);
            if known.size() < other.size() {
                known.layout = other.layout;
            }
        }
    }
    // Evidence from a drive counts before flashrom's, untested before tested.
    known.tried = known.tried.min(other.tried);
    known.names.extend(other.names);
}

/// The pair that unlocks both chips: parts with the short pair ignore the upper
/// address bits of the long one.
fn shared_unlock(one: Unlock, two: Unlock) -> Option<Unlock> {
    let pairs = [one, two];
    if one == two {
        Some(one)
    } else if pairs.contains(&DOCUMENTED_UNLOCK) && pairs.contains(&SHORT_UNLOCK) {
        Some(DOCUMENTED_UNLOCK)
    } else {
        None
    }
}

/// The lines of a table that hold a chip: not the comments, not the heading.
fn rows(table: &str) -> impl Iterator<Item = &str> {
    table
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .skip(1)
}

/// One row: vendor, part, manufacturer, device, KiB, unlock, program, page,
/// erase, tried.
fn parse(row: &str) -> Option<Chip> {
    let fields: Vec<&str> = row.split('\t').collect();
    let &[
        vendor,
        part,
        manufacturer,
        device,
        kib,
        unlock,
        program,
        page,
        erase,
        tried,
    ] = fields.as_slice()
    else {
        return None;
    };
    let id = ChipId {
        manufacturer: code(manufacturer)?,
        device: code(device)?,
    };
    let size = kib.parse::<u32>().ok()?.checked_mul(1024)?;
    let (program_unit, read_only) = match program {
        "byte" => (1, None),
        "page" => (page.parse().ok()?, Some(ReadOnly::TimedPages)),
        "serial" => (PAGE_SIZE, None),
        "disputed" => (PAGE_SIZE, Some(ReadOnly::SourcesDisagree)),
        _ => return None,
    };
    Some(Chip {
        id,
        names: vec![Name {
            vendor: vendor.to_owned(),
            part: part.to_owned(),
        }],
        layout: parse_layout(erase, size, program_unit)?,
        bus: match unlock {
            "serial" => Bus::Serial(Serial::by_id(id)),
            pair => Bus::Parallel(parse_unlock(pair)?),
        },
        tried: match tried {
            "jungleflasher" => Tried::WrittenByJungleFlasher,
            "mtkflash" => Tried::IdentifiedByMtkflash,
            "identified" => Tried::IdentifiedByJungleFlasher,
            "ok" => Tried::KnownToFlashrom { write_tested: true },
            "untested" => Tried::KnownToFlashrom {
                write_tested: false,
            },
            _ => return None,
        },
        read_only,
    })
}

/// `BF`, or `7F1C` with the continuation code.
fn code(text: &str) -> Option<u16> {
    let code = u16::from_str_radix(text, 16).ok()?;
    let [first, _] = code.to_be_bytes();
    (first == 0 || first == CONTINUATION).then_some(code)
}

/// `5555/2AAA`.
fn parse_unlock(text: &str) -> Option<Unlock> {
    let (first, second) = text.split_once('/')?;
    Some(Unlock(
        u32::from_str_radix(first, 16).ok()?,
        u32::from_str_radix(second, 16).ok()?,
    ))
}

/// `16384x1,8192x2`, adding up to the chip's size, or `chip only`.
fn parse_layout(text: &str, size: u32, program_unit: u32) -> Option<EraseLayout> {
    if text == "chip only" {
        return Some(EraseLayout::whole(size, program_unit));
    }
    let mut sizes = Vec::new();
    for group in text.split(',') {
        let (bytes, count) = group.split_once('x')?;
        let bytes: u32 = bytes.parse().ok()?;
        sizes.extend(std::iter::repeat_n(bytes, count.parse().ok()?));
    }
    let layout = EraseLayout::from_sizes(sizes, program_unit);
    (layout.size() == size).then_some(layout)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PARALLEL_ROWS: usize = 93;
    const SERIAL_ROWS: usize = 13;

    fn parallel(manufacturer: u8, device: u8) -> &'static Chip {
        super::parallel(ChipId::new(manufacturer, device)).unwrap()
    }

    fn names(chip: &Chip) -> Vec<&str> {
        chip.names.iter().map(|name| name.part.as_str()).collect()
    }

    fn unlock(chip: &Chip) -> Unlock {
        match chip.bus {
            Bus::Parallel(unlock) => unlock,
            Bus::Serial(_) => panic!("{chip} is serial"),
        }
    }

    #[test]
    fn every_row_of_the_table_is_a_chip() {
        let bad: Vec<&str> = rows(TABLE).filter(|row| parse(row).is_none()).collect();
        assert_eq!(bad, Vec::<&str>::new());
        assert_eq!(rows(TABLE).count(), PARALLEL_ROWS + SERIAL_ROWS);
    }

    #[test]
    fn every_name_in_the_table_is_in_exactly_one_chip() {
        for row in rows(TABLE).filter_map(parse) {
            let holders = all()
                .iter()
                .filter(|chip| chip.names.contains(&row.names[0]))
                .count();
            assert_eq!(holders, 1, "{}", row.names[0]);
        }
    }

    #[test]
    fn no_two_chips_on_a_bus_share_an_id() {
        for chip in all() {
            let found = match chip.bus {
                Bus::Parallel(_) => super::parallel(chip.id),
                Bus::Serial(_) => super::serial(chip.id),
            };
            assert_eq!(found, Some(chip));
        }
    }

    #[test]
    fn every_chip_can_be_erased_everywhere() {
        for chip in all() {
            assert!(chip.layout.is_gapless(), "{chip}");
        }
    }

    #[test]
    fn the_chip_that_jungleflasher_writes_has_both_its_names_and_its_evidence() {
        let chip = parallel(0xBF, 0xB6);
        assert_eq!(names(chip), ["SST39SF020", "SST39SF020A"]);
        assert_eq!(chip.tried, Tried::WrittenByJungleFlasher);
        assert_eq!(chip.read_only, None);
        assert_eq!(chip.size(), 256 * 1024);
        assert_eq!(chip.layout.sectors.len(), 64);
        assert_eq!(chip.layout.program_unit, 1);
        assert_eq!(
            chip.to_string(),
            "SST SST39SF020 or SST SST39SF020A (ManuID: BF  DevID: B6), 256 KiB"
        );
    }

    #[test]
    fn page_write_chips_are_read_and_never_written() {
        let page_write: Vec<&Chip> = all()
            .iter()
            .filter(|chip| matches!(chip.bus, Bus::Parallel(_)) && chip.layout.program_unit != 1)
            .collect();
        assert_eq!(page_write.len(), 10);
        for chip in page_write {
            assert_eq!(chip.read_only, Some(ReadOnly::TimedPages), "{chip}");
        }
        assert_eq!(parallel(0xDA, 0x46).tried, Tried::IdentifiedByMtkflash);
    }

    #[test]
    fn chips_that_differ_in_the_length_of_the_unlock_pair_are_written_with_the_longer_one() {
        for (manufacturer, device, expected) in [
            (0x01, 0x20, ["Am29F010", "Am29F010A/B"]),
            (0x01, 0xA4, ["Am29F040", "Am29F040B"]),
            (0x01, 0xD5, ["Am29F080", "Am29F080B"]),
        ] {
            let chip = parallel(manufacturer, device);
            assert_eq!(names(chip), expected);
            assert_eq!(unlock(chip), DOCUMENTED_UNLOCK);
            assert_eq!(chip.read_only, None);
        }
    }

    #[test]
    fn chips_that_are_the_same_under_two_vendors_are_named_with_both() {
        let chip = parallel(0x01, 0xB0);
        assert_eq!(chip.title(), "AMD Am29F002(N)BT or TI TMS29F002RT");
        assert_eq!(unlock(chip), SHORT_UNLOCK);
        assert_eq!(chip.read_only, None);
    }

    #[test]
    fn chips_that_share_an_id_but_not_a_geometry_are_not_written() {
        let rows = [
            // The same but for the sectors.
            "A\tone\t01\t02\t128\t5555/2AAA\tbyte\t-\t16384x8\tok",
            "B\ttwo\t01\t02\t128\t5555/2AAA\tbyte\t-\t4096x32\tok",
            // The same but for the size.
            "A\tone\t03\t04\t128\t5555/2AAA\tbyte\t-\tchip only\tok",
            "B\ttwo\t03\t04\t256\t5555/2AAA\tbyte\t-\tchip only\tok",
            // Unlock pairs of which neither serves both.
            "A\tone\t05\t06\t128\t0AAA/0555\tbyte\t-\tchip only\tok",
            "B\ttwo\t05\t06\t128\t0555/02AA\tbyte\t-\tchip only\tok",
        ];
        let mut chips = Vec::new();
        for row in rows {
            add(&mut chips, parse(row).unwrap());
        }
        assert_eq!(chips.len(), 3);
        for chip in &chips {
            assert_eq!(names(chip), ["one", "two"]);
            assert_eq!(chip.read_only, Some(ReadOnly::SharedId));
        }
        assert_eq!(chips[1].size(), 256 * 1024);
    }

    /// Whether the documented identification reaches a chip, which needs the same
    /// low eleven address bits in both unlock cycles.
    fn answers_documented_unlock(unlock: Unlock) -> bool {
        let low = |unlock: Unlock| (unlock.0 & 0x7FF, unlock.1 & 0x7FF);
        low(unlock) == low(DOCUMENTED_UNLOCK)
    }

    #[test]
    fn four_chips_do_not_answer_the_documented_identification() {
        let silent: Vec<String> = all()
            .iter()
            .filter(
                |chip| matches!(chip.bus, Bus::Parallel(pair) if !answers_documented_unlock(pair)),
            )
            .map(Chip::title)
            .collect();
        assert_eq!(
            silent,
            [
                "Eon EN29F002(A)(N)B",
                "Eon EN29F002(A)(N)T",
                "ST M29F002B",
                "ST M29F002T/NT"
            ]
        );
    }

    #[test]
    fn an_id_with_a_continuation_code_is_found_and_shown_whole() {
        let chip = super::parallel(ChipId {
            manufacturer: 0x7F1C,
            device: 0x20,
        })
        .unwrap();
        assert_eq!(
            chip.to_string(),
            "Eon EN29F010 (ManuID: 7F1C  DevID: 20), 128 KiB"
        );
        assert_eq!(super::parallel(ChipId::new(0x1C, 0x20)), None);
    }

    proptest! {
        #[test]
        fn an_id_that_is_shown_is_read_back(manufacturer: u16, device: u16) {
            let id = ChipId { manufacturer, device };
            prop_assert_eq!(ChipId::parse(&id.to_string()), Some(id));
        }
    }

    #[test]
    fn an_id_is_looked_up_on_its_own_bus_only() {
        assert!(super::serial(ChipId::new(0xBF, 0xB6)).is_none());
        assert!(super::parallel(ChipId::new(0xBF, 0x43)).is_none());
        assert!(super::serial(ChipId::new(0xBF, 0x43)).is_some());
    }

    #[test]
    fn serial_chips_are_erased_whole_with_the_opcode_of_their_manufacturer() {
        let serial: Vec<&Chip> = all()
            .iter()
            .filter(|chip| matches!(chip.bus, Bus::Serial(_)))
            .collect();
        assert_eq!(serial.len(), SERIAL_ROWS);
        for chip in serial {
            let Bus::Serial(bus) = &chip.bus else {
                continue;
            };
            let sst = chip.id.manufacturer == 0xBF;
            assert_eq!(bus.chip_erase, if sst { 0x60 } else { 0xC7 });
            assert_eq!(bus.status_write_enable, if sst { 0x50 } else { 0x06 });
            assert_eq!(chip.layout, EraseLayout::whole(chip.size(), 256));
            let sectors = chip.sector_layout().sectors.len() as u32;
            let has_sectors = ["MX25L2005", "MX25L8005"].contains(&chip.names[0].part.as_str());
            assert_eq!(sectors, if has_sectors { chip.size() / 0x1000 } else { 1 });
            assert!(chip.sector_layout().is_gapless());
        }
        assert_eq!(Serial::by_id(ChipId::new(0x1F, 0x00)).chip_erase, 0x62);
    }

    #[test]
    fn a_serial_chip_about_which_sources_disagree_is_not_written() {
        let chip = super::serial(ChipId::new(0xBF, 0x43)).unwrap();
        assert_eq!(chip.read_only, Some(ReadOnly::SourcesDisagree));
    }

    #[test]
    fn an_unknown_chip_is_read_only_and_says_its_id() {
        let chip = Chip::unknown_parallel(ChipId::new(0x12, 0x34), 0x8_0000);
        assert!(chip.read_only.is_some());
        assert_eq!(
            chip.to_string(),
            "unknown chip (ManuID: 12  DevID: 34), 512 KiB"
        );
    }

    #[test]
    fn rows_that_make_no_sense_are_no_chips() {
        for row in [
            "",
            "A\tone",
            // Sectors that do not add up to the size.
            "A\tone\t01\t02\t128\t5555/2AAA\tbyte\t-\t16384x7\tok",
            // Two bytes of ID without the continuation code.
            "A\tone\t0102\t02\t128\t5555/2AAA\tbyte\t-\tchip only\tok",
            // A page-write part without a page.
            "A\tone\t01\t02\t128\t5555/2AAA\tpage\t-\tchip only\tok",
        ] {
            assert_eq!(parse(row), None, "{row}");
        }
    }
}
