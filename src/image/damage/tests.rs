//! Good images of every arrangement, and what damage leaves of them.

use super::*;
use crate::image::tests::{noise, put};
use crate::image::{FLASH_SIZES, soundness};
use crate::sim::{Board, Firmware, Names};

const BANK: usize = 0x1_0000;

fn sony() -> Vec<u8> {
    Firmware::new(0x10_0000, 7)
        .identified("SONY", "DVD RW DW-D22A", "BYS1")
        .bytes()
}

/// As [`sony`], with 8 KiB of code that all banks have in common.
fn with_common_code() -> Vec<u8> {
    let mut bytes = sony();
    let common = bytes[0x100..0x2100].to_vec();
    for bank in bytes.chunks_mut(BANK) {
        put(bank, 0x100, &common);
    }
    bytes
}

/// As U and V images of Lite-On's: a boot code, then banks of another size.
fn rebanked() -> Vec<u8> {
    let mut bytes = noise(0x10_0000);
    let names = b"\x05\x80\x00\x32\x5b\x00\x00\x00LITE-ON DVDRW SHM-165P6SMS0A2005/11/08 12:00";
    put(&mut bytes, 0x4120, names);
    put(&mut bytes, 0x5000, &[0xe5, 0x90, 0x54, 0x1f, 0xb4, 0x00]);
    bytes[0] = 0x02;
    bytes[0x4000] = 0x02;
    put(&mut bytes, 0xfff8, b"LITEONIT");
    bytes
}

fn found(bytes: &[u8]) -> Vec<Finding> {
    findings(&Image::from_bytes(bytes.to_vec()))
}

fn damage(bytes: &[u8]) -> Vec<(Certainty, Damage)> {
    let found = found(bytes).into_iter();
    found.map(|one| (one.certainty, one.damage)).collect()
}

#[test]
fn whole_firmware_of_every_kind_has_no_mark() {
    for size in FLASH_SIZES {
        for seed in 1..6 {
            let bytes = Firmware::new(size, seed).identified("LITE-ON", "DVD", "BS01");
            assert_eq!(found(&bytes.bytes()), [], "{size:x} {seed}");
            assert_eq!(found(&Firmware::new(size, seed).bytes()), []);
        }
        assert_eq!(found(&noise(size as usize)), []);
    }
    for (size, names) in [
        (0x10_0000, Names::Btc),
        (0x20_0000, Names::Mt1939),
        (0x20_0000, Names::BluRay(Board::new("BU5", "BU3"))),
    ] {
        let firmware = Firmware::new(size, 3).with(names);
        let bytes = firmware.identified("BTC", "DRW1008", "0051").bytes();
        assert_eq!(found(&bytes), []);
    }
    assert_eq!(found(&with_common_code()), []);
    assert_eq!(found(&rebanked()), []);
}

#[test]
fn banks_that_are_in_no_use_are_no_mark() {
    // Nothing but the common code, and FF.
    let mut bytes = with_common_code();
    for bank in bytes.chunks_mut(BANK).skip(11) {
        let first: [u8; 3] = [0x02, 0x01, 0x00];
        bank[..3].copy_from_slice(&first);
        bank[3..0x100].fill(0xff);
        bank[0x2100..].fill(0xff);
    }
    assert_eq!(found(&bytes), []);
    // Blank ones at the end of another maker's firmware.
    let mut bytes = Firmware::new(0x10_0000, 3).bytes();
    bytes[0xb_0000..].fill(0xff);
    assert_eq!(found(&bytes), []);
}

#[test]
fn a_code_of_every_bank_that_is_patched_everywhere_is_no_mark() {
    let mut bytes = with_common_code();
    for (number, bank) in (0..).zip(bytes.chunks_mut(BANK)) {
        bank[0x900] = number;
        bank[0x1800] = 0x22;
    }
    assert_eq!(found(&bytes), []);
    // Another version of it in one bank differs all over.
    for at in (0x200..0x2000).step_by(0x190) {
        bytes[3 * BANK + at] ^= 0xff;
    }
    assert_eq!(found(&bytes), []);
}

#[test]
fn a_byte_of_the_common_code_that_one_bank_alone_has_otherwise_is_told() {
    let whole = with_common_code();
    for (bank, at, mask) in [(5, 0x1234, 0x10), (0, 0x800, 0xff), (15, 0x1f00, 0x01)] {
        let mut bytes = whole.clone();
        let place = bank * BANK + at;
        let expected = bytes[place];
        bytes[place] ^= mask;
        let found = found(&bytes);
        assert_eq!(
            found,
            [Finding {
                range: range(place, 1),
                certainty: Certainty::Possible,
                damage: Damage::OddBytes {
                    found: expected ^ mask,
                    expected,
                    count: 1
                },
            }]
        );
    }
    let mut bytes = whole.clone();
    put(&mut bytes, 9 * BANK + 0x1000, &noise(0x200));
    let found = found(&bytes);
    assert!(
        matches!(
            found[..],
            [Finding {
                range,
                damage: Damage::OddBytes { count: 400.., .. },
                ..
            }] if range.start() >= 0x9_1000 && range.end() <= 0x9_1200
        ),
        "{found:?}"
    );
}

#[test]
fn a_bank_of_lite_on_firmware_that_does_not_start_with_a_jump_is_doubted() {
    let mut bytes = sony();
    bytes[7 * BANK] = 0x03;
    let found = found(&bytes);
    assert_eq!(found[0].at(), Offset(0x7_0000));
    assert_eq!(
        damage(&bytes),
        [(Certainty::Probable, Damage::NoJump { found: 0x03 })]
    );
    bytes[7 * BANK] = 0x80;
    assert_eq!(damage(&bytes), []);
    bytes[15 * BANK..].fill(0xff);
    assert_eq!(
        damage(&bytes),
        [(Certainty::Probable, Damage::BlankBank { value: 0xff })]
    );
    // Where nothing says that it is Lite-On's, nothing is known of its starts.
    let mut bytes = noise(0x10_0000);
    bytes[7 * BANK] = 0x03;
    assert_eq!(damage(&bytes), []);
}

#[test]
fn a_shorter_image_that_is_filled_up_is_told_once_and_not_called_incomplete() {
    let mut bytes = Firmware::new(0x4_0000, 3)
        .identified("LITE-ON", "DVD-ROM SIM", "SIM1")
        .bytes();
    bytes.resize(0x10_0000, 0xff);
    let size = 0x4_0000;
    assert_eq!(
        damage(&bytes),
        [(Certainty::Probable, Damage::FilledUp { size })]
    );
    assert_eq!(shorter(&found(&bytes)), Some(size));
    assert_eq!(shorter(&found(&bytes[..0x4_0000].repeat(2))), Some(size));
    // Code that switches between 16 banks has lost eight of them.
    let mut half = sony();
    half[0x8_0000..].fill(0xff);
    assert!(!matches!(damage(&half)[0].1, Damage::FilledUp { .. }));
}

#[test]
fn firmware_without_its_bank_call_is_told() {
    let mut bytes = sony();
    bytes[0x4203] ^= 1;
    assert_eq!(damage(&bytes), [(Certainty::Possible, Damage::NoBankCall)]);
}

#[test]
fn half_an_image_is_known_by_its_code() {
    let bytes = sony();
    assert_eq!(
        damage(&bytes[..0x8_0000]),
        [(Certainty::Probable, Damage::Half)]
    );
}

#[test]
fn an_image_that_is_a_shorter_one_over_and_over_is_doubted() {
    let half = Firmware::new(0x8_0000, 3).bytes();
    assert_eq!(
        damage(&half.repeat(2)),
        [(Certainty::Probable, Damage::Repeats { period: 0x8_0000 })]
    );
    let two = Firmware::new(0x2_0000, 3).bytes();
    assert_eq!(
        damage(&two.repeat(8)),
        [(Certainty::Probable, Damage::Repeats { period: 0x2_0000 })]
    );
    let mut copied = sony();
    copied.copy_within(2 * BANK..3 * BANK, 9 * BANK);
    assert_eq!(found(&copied)[0].range, range(9 * BANK, BANK));
    assert_eq!(
        damage(&copied),
        [(Certainty::Probable, Damage::CopiedBank { of: Bank(2) })]
    );
}

#[test]
fn a_download_that_broke_off_is_known_by_its_blank_rest() {
    let mut bytes = Firmware::new(0x10_0000, 3).bytes();
    bytes[0x7_1234..].fill(0x00);
    assert_eq!(
        damage(&bytes)[..],
        [
            (
                Certainty::Probable,
                Damage::MostlyBlank {
                    blank: 8,
                    banks: 16
                }
            ),
            (Certainty::Possible, Damage::ZeroTail)
        ][1..]
    );
    bytes[0x6_1234..].fill(0x00);
    assert_eq!(
        damage(&bytes)[0],
        (
            Certainty::Probable,
            Damage::MostlyBlank {
                blank: 9,
                banks: 16
            }
        )
    );
}

#[test]
fn blocks_that_never_arrived_are_told() {
    let mut bytes = sony();
    bytes[0x3_2fff] = 0x22;
    bytes[0x3_3000..0x3_5000].fill(0x00);
    bytes[0x3_5000] = 0x22;
    assert_eq!(
        found(&bytes),
        [Finding {
            range: range(0x3_3000, 0x2000),
            certainty: Certainty::Possible,
            damage: Damage::ZeroBlock,
        }]
    );
}

#[test]
fn a_transfer_as_text_is_known_whichever_way_it_went() {
    let whole = sony();
    let seven: Vec<u8> = whole.iter().map(|byte| byte & 0x7f).collect();
    assert_eq!(damage(&seven)[0], (Certainty::Certain, Damage::SevenBits));

    let text: String = whole.iter().map(|byte| char::from(*byte)).collect();
    assert_eq!(
        damage(text.as_bytes())[0],
        (Certainty::Certain, Damage::Utf8)
    );
    let replaced = String::from_utf8_lossy(&whole);
    assert_eq!(
        damage(replaced.as_bytes())[0],
        (Certainty::Certain, Damage::Utf8)
    );

    let replace_in = |whole: &[u8], from: &[u8], to: &[u8]| {
        let mut changed = Vec::new();
        let mut rest = whole;
        while let Some(byte) = rest.first() {
            match rest.strip_prefix(from) {
                Some(after) => {
                    changed.extend(to);
                    rest = after;
                }
                None => {
                    changed.push(*byte);
                    rest = &rest[1..];
                }
            }
        }
        changed
    };
    let replace = |from: &[u8], to: &[u8]| replace_in(&whole, from, to);
    // Of line ends that were shortened so much must be missing that it is no chance.
    let lost = replace_in(&noise(0x10_0000), b"\r\n", b"\n");
    for (changed, ends) in [
        (replace(b"\n", b"\r\n"), LineEnds::Doubled),
        (replace(b"\r", b"\n"), LineEnds::NoReturns),
        (replace(b"\r", b""), LineEnds::NoReturns),
        (replace(b"\n", b"\r"), LineEnds::NoFeeds),
        (lost, LineEnds::Lost),
    ] {
        let found = damage(&changed);
        assert!(
            found
                .iter()
                .any(|(certainty, damage)| *certainty >= Certainty::Probable
                    && *damage == Damage::LineEnds(ends)),
            "{ends:?}: {found:?}"
        );
    }
}

#[test]
fn bytes_in_another_order_are_known_by_the_name_that_appears() {
    let btc = Firmware::new(0x10_0000, 3).with(Names::Btc);
    let btc = btc.identified("BTC", "DRW1008", "0051").bytes();
    let samsung = Firmware::new(0x20_0000, 3).with(Names::Mt1939);
    let samsung = samsung.identified("TSSTcorp", "BDDVDW SE-506CB", "TS01");
    for whole in [sony(), btc, samsung.bytes()] {
        for order in Order::ALL {
            let changed = order.change(&whole);
            assert!(changed != whole);
            assert!(order.change(&changed) == whole, "{order:?} is not undone");
            assert_eq!(
                damage(&changed)[0],
                (Certainty::Certain, Damage::Reordered(order))
            );
        }
    }
}

#[test]
fn every_flipped_bit_of_a_summed_image_is_found() {
    let firmware = Firmware::new(0x20_0000, 3).with(Names::Mt1939);
    let whole = firmware
        .identified("TSSTcorp", "BDDVDW SE-506CB", "TS01")
        .bytes();
    assert_eq!(soundness::problems(&whole), []);
    for at in [0x1_0000, 0x12_3456, 0x1e_1fff] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x40;
        assert_eq!(soundness::problems(&bytes).len(), 1);
    }
}

#[test]
fn what_is_sure_comes_first() {
    let mut bytes = sony();
    bytes[0x4203] ^= 1;
    bytes[7 * BANK] = 0x03;
    let found = found(&bytes);
    let sure: Vec<Certainty> = found.iter().map(|one| one.certainty).collect();
    assert_eq!(sure, [Certainty::Probable, Certainty::Possible]);
}

#[test]
fn no_number_of_banks_is_too_many_to_compare() {
    for banks in [255, 256, 257, 512] {
        let bytes = vec![0x02; banks * BANK_SIZE as usize];
        let _ = findings(&Image::from_bytes(bytes));
    }
}

#[test]
fn a_bank_without_its_highest_bits_in_an_image_that_has_them_is_told() {
    let mut bytes = super::super::tests::noise(0x8_0000);
    for byte in &mut bytes[..0x4_0000] {
        *byte &= 0x7f;
    }
    let found = findings(&Image::from_bytes(bytes));
    let found = found
        .iter()
        .find(|found| found.damage == Damage::SevenBits)
        .unwrap();
    assert_eq!(found.range, FlashRange::new(0, 0x4_0000));
}
