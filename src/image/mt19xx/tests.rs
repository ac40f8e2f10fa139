//! Images that are whole, and every way in which one is not.

use super::super::tests::noise;
use super::*;
use crate::sim::blu_ray::{as_read, sign};
use crate::sim::{Board, Firmware, Names};

impl BootString {
    /// That of the MT1959's boot code of this name, such as `JB8 `.
    pub(crate) fn of_mt1959(code: [u8; 4]) -> BootString {
        let mut text = *b"MT1959 Boot     ";
        text[12..].copy_from_slice(&code);
        BootString(text)
    }
}

fn wh16ns60() -> Vec<u8> {
    let board = Board::new("JB8", "JB9").svc("NS60");
    Firmware::new(SIZE, 1)
        .with(Names::BluRay(board))
        .identified("HL-DT-ST", "BD-RE  WH16NS60", "1.02")
        .bytes()
}

fn aes(mut image: Vec<u8>) -> Vec<u8> {
    enc::encrypt(&mut image).unwrap();
    image
}

fn facts(bytes: &[u8]) -> Facts {
    Facts::of(bytes).unwrap()
}

/// Where an entry of the table is, and the first byte after the last.
fn entry(number: usize) -> usize {
    cmac::TABLE_OFFSET + number * cmac::ENTRY_SIZE
}

#[test]
fn a_whole_image_tells_what_it_is_for_and_nothing_is_wrong_with_it() {
    let facts = facts(&wh16ns60());
    let banner = facts.boot_string.unwrap();
    assert_eq!(banner.to_string(), "MT1959 Boot JB8");
    assert_eq!(
        (banner.chip(), banner.code()),
        (Some(Chip::Mt1959), *b"JB8 ")
    );
    let descriptor = facts.descriptor.clone().unwrap();
    assert_eq!(descriptor.identity.product, "BD-RE  WH16NS60");
    assert_eq!((&*descriptor.svc, &*descriptor.platform), ("NS60", "JB9"));
    assert_eq!(descriptor.tag, "MTEKMT1939", "often not the chip");
    assert!(descriptor.may_be_downgraded);
    let hardware = facts.hardware.clone().unwrap();
    assert_eq!((&*hardware.platform, &*hardware.loader), ("JB9", "JB8"));
    assert!(!facts.is_drive_read);
    assert_eq!(facts.whole(), (5, 5));
    assert_eq!(facts.findings, []);
}

#[test]
fn one_flipped_byte_in_any_range_is_found_and_the_range_is_named() {
    let image = wh16ns60();
    for protected in facts(&image).protected {
        let range = protected.range;
        for at in [range.start(), range.end() - 1] {
            let mut image = image.clone();
            image[at as usize] ^= 0x01;
            let found = facts(&image).findings;
            let broken = Finding::Broken {
                range: protected.range,
            };
            assert!(found.contains(&broken), "{at:x}: {found:?}");
        }
    }
}

#[test]
fn one_flipped_byte_in_the_table_is_found() {
    let image = wh16ns60();
    // In the flag, the range and the tag of an entry, and in a free one's flag.
    for at in [
        entry(0),
        entry(1) + 4,
        entry(2) + 9,
        entry(3) + 20,
        entry(9),
    ] {
        let mut image = image.clone();
        image[at] ^= 0x01;
        assert_ne!(facts(&image).findings, [], "{at:x}");
    }
}

#[test]
fn one_flipped_byte_in_the_banner_or_the_descriptor_is_found() {
    let mut image = wh16ns60();
    image[0x3002] ^= 0x01;
    assert!(matches!(
        facts(&image).findings[..],
        [Finding::NoChip, Finding::Broken { .. }]
    ));
    for at in [0x1E_C00A, 0x1E_C036, 0x1E_C04D] {
        let mut image = wh16ns60();
        image[at] ^= 0x01;
        assert_ne!(facts(&image).findings, [], "{at:x}");
    }
    let mut image = wh16ns60();
    image[0x1E_C036] ^= 0x01;
    assert!(matches!(facts(&image).findings[0], Finding::NoDescriptor));
}

#[test]
fn a_table_that_protects_nothing_or_what_is_no_range_is_found() {
    let mut image = wh16ns60();
    image[entry(0)..entry(16)].fill(0xFF);
    assert_eq!(facts(&image).findings, [Finding::NothingProtected]);
    assert_eq!(Finding::NothingProtected.range().start(), 0x1_0400);
    for (first, last) in [(0x2_0000_u32, 0x1_FFFF_u32), (0x1_1000, 0x20_0000), (0, !0)] {
        let mut image = wh16ns60();
        image[entry(2) + 4..entry(2) + 8].copy_from_slice(&first.to_le_bytes());
        image[entry(2) + 8..entry(2) + 12].copy_from_slice(&last.to_le_bytes());
        let found = facts(&image).findings;
        let no_range = |finding: &Finding| {
            matches!(finding, Finding::NoRange { entry: 2, .. })
                && finding.range().start() as usize == entry(2)
        };
        assert!(found.iter().any(no_range), "{found:?}");
    }
}

#[test]
fn an_encrypted_file_is_decrypted_and_its_wrong_byte_found() {
    let image = wh16ns60();
    assert_eq!(unwrapped(image.clone()), (image.clone(), Wrapping::Plain));
    assert_eq!(
        unwrapped(aes(image.clone())),
        (image.clone(), Wrapping::Aes)
    );
    // In code, in the banner and in the descriptor.
    for at in [0x8_0000, 0x3000, 0x1E_C034] {
        let mut file = aes(image.clone());
        file[at] ^= 0x01;
        let (bytes, wrapping) = unwrapped(file);
        assert_eq!(wrapping, Wrapping::Aes);
        assert_ne!(facts(&bytes).findings, [], "{at:x}");
    }
}

#[test]
fn what_is_read_from_a_drive_is_known_and_judged_without_its_boot_code() {
    let read = as_read(wh16ns60());
    let facts = facts(&read);
    assert!(facts.is_drive_read);
    assert_eq!(facts.whole(), (4, 4));
    assert_eq!(facts.findings, []);
    let hardware_of_image = hardware(&wh16ns60());
    assert_eq!(facts.hardware, hardware_of_image);
    let mut damaged = read;
    damaged[0x2_0000] ^= 1;
    assert_ne!(findings(&damaged), []);
}

#[test]
fn what_a_drive_rewrites_is_under_no_tag() {
    let mut image = wh16ns60();
    for written in DRIVE_WRITTEN {
        written.range.of_mut(&mut image).fill(0x5A);
    }
    assert_eq!(findings(&image), []);
}

#[test]
fn anything_else_of_2_mib_is_none_of_these() {
    let mut se_506cb = Firmware::new(SIZE, 1)
        .with(Names::Mt1939)
        .identified("TSSTcorp", "BDDVDW SE-506CB", "TS01")
        .bytes();
    for bytes in [
        noise(SIZE as usize),
        vec![0xFF; SIZE as usize],
        vec![0x00; SIZE as usize],
        vec![b' '; SIZE as usize],
        aes(noise(SIZE as usize)),
        se_506cb.clone(),
    ] {
        assert_eq!(Facts::of(&bytes), None);
        assert_eq!(unwrapped(bytes.clone()), (bytes, Wrapping::Plain));
    }
    se_506cb.truncate(0x10_0000);
    assert_eq!(Facts::of(&se_506cb), None);
    assert_eq!(Facts::of(&[]), None);
}

#[test]
fn a_signed_image_with_other_content_is_whole_again() {
    let mut image = wh16ns60();
    image[0x8_0000] ^= 1;
    assert_ne!(findings(&image), []);
    sign(&mut image);
    assert_eq!(findings(&image), []);
}

#[test]
fn a_boot_string_is_text_of_a_known_chip_and_keeps_its_blanks() {
    for (bytes, is_one) in [
        (&b"MT1959 Boot BU5 "[..], true),
        (b"MT1939 Boot Code", true),
        (b"MT1959 Boot BU5 and more", true),
        (b"MT1869 Boot BU5 ", false),
        (b"MT1959 Foot BU5 ", false),
        (b"12B2S  Boot Code", false),
        (b"MT1959 Boot BU5\0", false),
        (b"MT1959 Boot BU5", false),
        (b"", false),
    ] {
        assert_eq!(BootString::parse(bytes).is_some(), is_one, "{bytes:?}");
    }
    let jb8 = BootString::of_mt1959(*b"JB8 ");
    assert_eq!(jb8.bytes(), b"MT1959 Boot JB8 ");
}
