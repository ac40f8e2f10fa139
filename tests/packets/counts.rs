//! Commands sent = blocks + what the protocol demands.

use std::fs;
use std::path::Path;

use mtkflash::drive::ask;
use mtkflash::protocol::packet::Family;
use mtkflash::protocol::{Protocol, detect};
use mtkflash::sim::Bench;

use crate::drives::{ALL, Drive, MT1939};
use crate::folder::Folder;

const TEST_UNIT_READY: u8 = 0x00;
const INQUIRY: u8 = 0x12;
const WRITE_BUFFER: u8 = 0x3B;
const READ_BUFFER: u8 = 0x3C;
const VENDOR: u8 = 0xFF;

/// Blocks that hold the 2 MiB of a Blu-ray drive, and those of a bank.
const WHOLE: u64 = 128;
const BANK: u64 = 4;

#[test]
fn a_write_sends_its_blocks_and_what_the_protocol_demands() {
    for drive in ALL {
        let folder = drive.folder();
        let run = folder.done(drive.line());
        let packets = folder.counters().packets;
        let changing = packets.of(WRITE_BUFFER) + packets.of(VENDOR);
        assert_eq!(changing, drive.download, "{run}");
        assert_eq!(
            folder.counters().blocks.total(),
            blocks(drive.protocol),
            "{run}"
        );
        // A Blu-ray drive is asked for its date, and for its code piece by piece.
        if drive.protocol == Protocol::Mt1959 {
            continue;
        }
        // The banner, the backup twice, and all of it but what the drive keeps.
        let reads = match drive.protocol {
            Protocol::Mt1939 => 1 + 2 * WHOLE + (WHOLE - BANK),
            _ => 0,
        };
        assert_eq!(packets.of(READ_BUFFER), reads, "{run}");
        // Name and serial number before, the name afterwards.
        assert_eq!(packets.of(INQUIRY), 3, "{run}");
        // Once before, and once a second while it programs for 8 s and starts
        // for 2 s, then until it has been back twice.
        let ready = packets.of(TEST_UNIT_READY);
        assert!((4..=1 + 10 + 4).contains(&ready), "{ready} {run}");
        let all = changing + reads + 3 + ready;
        assert_eq!(packets.total(), all, "{run}");
        assert_eq!(folder.counters().ata.total(), 0, "{run}");
    }
}

fn blocks(protocol: Protocol) -> u64 {
    match protocol {
        Protocol::Btc => 256,
        Protocol::Mt1339 => 5,
        Protocol::Sd616 => 3,
        Protocol::Mt1939 => 34,
        Protocol::Mt1959 => 128,
        Protocol::VendorMode | Protocol::LiteonRead => 0,
    }
}

#[test]
fn a_dump_takes_every_block_twice_and_a_comparison_once() {
    let is_counted = |drive: &&Drive| drive.is_readable && drive.protocol != Protocol::Mt1959;
    for drive in ALL.into_iter().filter(is_counted) {
        let folder = drive.folder();
        folder.done("3 r /m /b dump.bin");
        let packets = folder.counters().packets;
        assert_eq!(packets.of(READ_BUFFER), 1 + 2 * WHOLE);
        assert_eq!(packets.total(), 2 + 1 + 2 * WHOLE);
        folder.done("3 v /m dump.bin");
        let packets = folder.counters().packets;
        let owned = drive.owned.len() as u64;
        assert_eq!(packets.of(READ_BUFFER), 1 + WHOLE - owned * BANK);
        assert_eq!(packets.total(), 2 + 1 + WHOLE - owned * BANK);
    }
}

#[test]
fn a_refused_block_is_asked_for_twice_as_every_other() {
    let folder = Folder::with_bench("mt1939-gaps.toml");
    folder.done("3 r /m /b dump.bin");
    // Refused blocks at once, and they are left out of the second pass.
    let reads = 1 + 2 * WHOLE;
    assert_eq!(folder.counters().packets.of(READ_BUFFER), reads);
}

#[test]
fn an_erase_sends_an_image_of_ff_and_no_more() {
    let folder = MT1939.folder();
    folder.done("3 e --yes --no-backup");
    let packets = folder.counters().packets;
    assert_eq!(packets.of(VENDOR), 34);
    assert_eq!(packets.of(READ_BUFFER), 1 + WHOLE - BANK);
}

#[test]
fn detecting_asks_any_drive_of_any_bench_for_its_name_and_listed_ones_for_their_banner() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/benches");
    let mut families = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let bench = Bench::from_text(&fs::read_to_string(&path).unwrap()).unwrap();
        for drive in bench.drives() {
            let Some(mut packets) = drive.packets() else {
                continue;
            };
            let case = format!("{} {}", path.display(), drive.name());
            let identity = ask::identity(packets.as_mut()).ok();
            let detected = detect(packets.as_mut(), identity.as_ref(), None).unwrap();
            families += u32::from(Family::of(detected.protocol).is_some());
            let has_banner = matches!(detected.protocol, Protocol::Mt1939 | Protocol::Mt1959);
            let counters = drive.counters();
            let sent = &counters.packets;
            assert_eq!(sent.of(READ_BUFFER), u64::from(has_banner), "{case}");
            assert_eq!(
                sent.of(INQUIRY) + sent.of(READ_BUFFER),
                sent.total(),
                "{case}"
            );
            assert!(sent.of(INQUIRY) <= 2, "{case}");
            assert_eq!(counters.ata.total(), 0, "{case}");
            assert_eq!(counters.violations, [""; 0], "{case}");
        }
    }
    assert_eq!(families, 8, "the drives of the packet benches");
}
