//! Each family's drive through its packets, as the protocol says and otherwise.

use std::sync::Arc;
use std::time::Duration;

use crate::image::Checksum;
use crate::image::mt19xx::{BANNER, CALIBRATION, DRIVE_WRITTEN};
use crate::sim::blu_ray::Board;
use crate::sim::target::{Event, InRealTime, ScsiTarget, TargetData};
use crate::sim::{Bench, Fault, Firmware, Names, SimClock, SimDriveHandle};
use crate::transport::{Clock, Completion, Data, PacketTransport, TransportError, Verdict};

const MINUTES: Duration = Duration::from_secs(300);
const BECOMING_READY: (u8, u8, u8) = (2, 4, 1);
const LONG_WRITE: (u8, u8, u8) = (2, 4, 8);
const ATTENTION: (u8, u8, u8) = (6, 0x29, 0);
const NO_MEDIUM: (u8, u8, u8) = (2, 0x3A, 0);
const GOOD: (u8, u8, u8) = (0, 0, 0);
const SEQUENCE: (u8, u8, u8) = (5, 0x2C, 0);
const FIELD: (u8, u8, u8) = (5, 0x24, 0);
const PARAMETER: (u8, u8, u8) = (5, 0x26, 0);
const OPCODE: (u8, u8, u8) = (5, 0x20, 0);

fn bench(name: &str, extra: &str) -> Bench {
    let path = format!(
        "{}/fixtures/benches/{name}.toml",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(path).unwrap();
    Bench::from_text(&format!("{text}{extra}")).unwrap()
}

/// A program that does what the protocols say, and what it is told otherwise.
struct Host {
    drive: SimDriveHandle,
    node: Box<dyn PacketTransport + Send>,
}

fn codes(done: &Completion) -> (u8, u8, u8) {
    match done.verdict() {
        Verdict::Good => GOOD,
        Verdict::CheckCondition => (done.sense[2], done.sense[12], done.sense[13]),
        other => panic!("{other:?}"),
    }
}

impl Host {
    fn of(bench: &Bench) -> Host {
        Host::at(bench, 3)
    }

    fn at(bench: &Bench, position: u8) -> Host {
        let drive = bench.drive(position).unwrap().clone();
        let node = drive.packets().unwrap();
        Host { drive, node }
    }

    fn ask(&mut self, cdb: &[u8], data: Data<'_>) -> Completion {
        self.node.execute(cdb, data, MINUTES).unwrap()
    }

    fn send(&mut self, cdb: &[u8], bytes: &[u8]) -> (u8, u8, u8) {
        let data = if bytes.is_empty() {
            Data::None
        } else {
            Data::Out(bytes)
        };
        codes(&self.ask(cdb, data))
    }

    fn ready(&mut self) -> (u8, u8, u8) {
        self.send(&[0; 12], &[])
    }

    fn sleep(&self, seconds: f64) {
        self.drive.clock().sleep(Duration::from_secs_f64(seconds));
    }

    /// Vendor, product and revision.
    fn names(&mut self) -> String {
        let mut data = [0; 96];
        let done = self.ask(&[0x12, 0, 0, 0, 96, 0], Data::In(&mut data));
        assert_eq!(codes(&done), GOOD);
        String::from_utf8_lossy(&data[8..36]).into_owned()
    }

    fn read(&mut self, at: usize, length: usize) -> Vec<u8> {
        let mut data = vec![0; length];
        let done = self.ask(&read_buffer(at, length), Data::In(&mut data));
        assert_eq!((codes(&done), done.residue), (GOOD, 0));
        data
    }

    fn dump(&mut self) -> Vec<u8> {
        let blocks = 0..self.drive.flash().len() / 0x4000;
        blocks
            .flat_map(|block| self.read(block * 0x4000, 0x4000))
            .collect()
    }

    /// The blocks of `FF 00 01 00 00 mode`, and what the last is answered.
    fn send_blocks(&mut self, image: &[u8], block: usize, last_mode: u8) -> Completion {
        let count = image.len().div_ceil(block);
        let mut answer = Completion::default();
        for (index, bytes) in image.chunks(block).enumerate() {
            let mode = match index {
                0 => 0,
                last if last + 1 == count => last_mode,
                _ => 0xFF,
            };
            assert_eq!(codes(&answer), GOOD);
            answer = self.ask(&vendor_block(mode), Data::Out(bytes));
        }
        answer
    }

    fn send_btc(&mut self, image: &[u8]) {
        for (index, bytes) in image.chunks(0x1000).enumerate() {
            assert_eq!(self.send(&btc_block(index * 0x1000), bytes), GOOD);
        }
    }

    fn send_mt1959(&mut self, image: &[u8]) -> (u8, u8, u8) {
        let mut answer = GOOD;
        for (index, bytes) in image.chunks(0x4000).enumerate() {
            assert_eq!(answer, GOOD);
            answer = self.send(&mt1959_block(index * 0x4000), bytes);
        }
        answer
    }

    /// What redumper sends in place of `image`.
    fn for_this_drive(&self, mut image: Vec<u8>) -> Vec<u8> {
        let own = BANNER.of(&self.drive.flash()).to_vec();
        image[..0x1_0000].fill(0xFF);
        BANNER.of_mut(&mut image).copy_from_slice(&own);
        image
    }

    fn assert_nothing_wrong(&self) {
        assert_eq!(self.drive.violations(), Vec::<String>::new());
    }
}

fn read_buffer(at: usize, length: usize) -> [u8; 12] {
    let ([_, a, b, c], [_, l, m, n]) = ((at as u32).to_be_bytes(), (length as u32).to_be_bytes());
    [0x3C, 6, 0, a, b, c, l, m, n, 0, 0, 0]
}

fn vendor_block(mode: u8) -> [u8; 12] {
    [0xFF, 0, 1, 0, 0, mode, 0, 0, 0, 0, 0, 0]
}

fn btc_block(at: usize) -> [u8; 10] {
    [
        0x3B,
        6,
        0,
        (at >> 16) as u8,
        (at >> 8) as u8,
        0x20,
        0,
        0x10,
        0,
        0,
    ]
}

fn mt1959_block(at: usize) -> [u8; 12] {
    let [_, a, b, c] = (at as u32).to_be_bytes();
    [0x3B, 6, 0, a, b, c, 0, 0x40, 0, 0, 0, 0]
}

const BTC_SUM: [u8; 10] = [0x3B, 6, 0, 0, 0, 0, 0, 0, 0x20, 0];
const BTC_PROGRAM: [u8; 10] = [0x3B, 7, 0, 0, 0, 0, 0, 0, 0, 0];
const MT1959_PREPARE: [u8; 12] = [0x3B, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

fn btc_sum(sum: u16) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[30..].copy_from_slice(&sum.to_be_bytes());
    bytes
}

fn btc_image() -> Vec<u8> {
    let image = Firmware::new(0x10_0000, 72).with(Names::Btc);
    image.identified("BTC", "DRW1008", "0059").bytes()
}

fn tsst_image() -> Vec<u8> {
    let image = Firmware::new(0x4_0000, 74);
    image
        .identified("TSSTcorp", "DVD-ROM SH-D162C", "TS05")
        .bytes()
}

fn mt1939_image() -> Vec<u8> {
    let image = Firmware::new(0x20_0000, 78).with(Names::Mt1939);
    image
        .identified("TSSTcorp", "BDDVDW SE-506CB", "TS02")
        .bytes()
}

fn mt1959_image(code: &str, individual: Option<u64>) -> Vec<u8> {
    let platform = if code == "JB8" { "JB8" } else { "BU3" };
    let board = Board::new(code, platform);
    let names = Names::BluRay(match individual {
        Some(individual) => board.of_drive(individual),
        None => board,
    });
    let image = Firmware::new(0x20_0000, 82).with(names);
    image.identified("HL-DT-ST", "BD-RE BU40N", "1.03").bytes()
}

fn spread(image: &[u8]) -> Vec<u8> {
    let mut out = vec![0; 0x3_0000];
    out[..0x1_0000].copy_from_slice(&image[..0x1_0000]);
    out[0x1_0400..0x1_FC00].copy_from_slice(&image[0x1_0000..0x1_F800]);
    out[0x2_0000..0x2_0800].copy_from_slice(&image[0x1_F800..]);
    out[0x2_0800..0x2_FC00].copy_from_slice(&image[0x1_0400..0x1_F800]);
    out
}

#[test]
fn a_btc_drive_takes_blocks_a_sum_and_the_order_to_program() {
    let bench = bench("btc", "");
    let mut host = Host::of(&bench);
    assert_eq!(host.names(), "BTC     DRW1008         0051");
    let image = btc_image();
    host.send_btc(&image);
    assert_eq!(host.send(&BTC_SUM, &btc_sum(Checksum::of(&image).0)), GOOD);
    assert_ne!(host.drive.flash(), image, "not before it is told to");
    assert_eq!(host.send(&BTC_PROGRAM, &[]), GOOD);
    assert_eq!(host.ready(), LONG_WRITE);
    host.sleep(8.0);
    assert_eq!(host.ready(), BECOMING_READY);
    host.sleep(2.0);
    assert_eq!([host.ready(), host.ready()], [ATTENTION, NO_MEDIUM]);
    assert_eq!(host.names(), "BTC     DRW1008         0059");
    assert_eq!(host.drive.identity().revision, "0059");
    assert_eq!(host.drive.flash(), image);
    let counters = host.drive.counters();
    assert_eq!(
        (counters.blocks.of(6), counters.firmware_programs),
        (256, 1)
    );
    assert_eq!(counters.packets.of(0x3B), 258);
    host.assert_nothing_wrong();
}

#[test]
fn a_btc_drive_programs_nothing_with_a_wrong_sum_or_out_of_order() {
    let image = btc_image();
    type Attempt<'a> = (&'a str, &'a dyn Fn(&mut Host) -> (u8, u8, u8));
    let wrong: [Attempt<'_>; 5] = [
        ("the sum of another image", &|host| {
            host.send_btc(&image);
            host.send(&BTC_SUM, &btc_sum(Checksum::of(&image).0 ^ 1));
            host.send(&BTC_PROGRAM, &[])
        }),
        ("no sum", &|host| {
            host.send_btc(&image);
            host.send(&BTC_PROGRAM, &[])
        }),
        ("a block too few", &|host| {
            host.send_btc(&image[..0xF_F000]);
            host.send(&BTC_SUM, &btc_sum(Checksum::of(&image).0))
        }),
        ("a block left out", &|host| {
            host.send_btc(&image[..0x1000]);
            host.send(&btc_block(0x2000), &image[0x2000..0x3000])
        }),
        ("a low offset byte of 00", &|host| {
            let mut cdb = btc_block(0);
            cdb[5] = 0;
            host.send(&cdb, &image[..0x1000])
        }),
    ];
    for ((what, act), expected) in wrong
        .into_iter()
        .zip([PARAMETER, SEQUENCE, SEQUENCE, SEQUENCE, FIELD])
    {
        let bench = bench("btc", "");
        let mut host = Host::of(&bench);
        let before = host.drive.flash();
        assert_eq!(act(&mut host), expected, "{what}");
        assert_eq!(host.send(&BTC_PROGRAM, &[]), SEQUENCE, "{what}");
        assert!(host.drive.flash() == before, "{what}");
        assert_eq!(host.drive.counters().violation_count, 2, "{what}");
    }
}

#[test]
fn an_mt1339_drive_takes_five_blocks_and_programs_with_the_last() {
    let bench = bench("tsst", "");
    let mut host = Host::of(&bench);
    let done = host.send_blocks(&tsst_image(), 0xFC00, 0x04);
    assert_eq!((codes(&done), done.residue), (GOOD, 0));
    assert_eq!(host.ready(), LONG_WRITE);
    host.sleep(10.0);
    assert_eq!(host.names(), "TSSTcorpDVD-ROM SH-D162CTS05");
    assert_eq!(host.drive.flash(), tsst_image());
    let blocks = host.drive.counters().blocks;
    assert_eq!([blocks.of(0), blocks.of(0xFF), blocks.of(4)], [1, 3, 1]);
    host.assert_nothing_wrong();
}

#[test]
fn an_mt1339_drive_programs_nothing_with_wrong_modes_or_lengths() {
    let image = tsst_image();
    for (mode, length, expected) in [
        (0xFF, 0x1000, SEQUENCE),
        (0x02, 0x1000, SEQUENCE),
        (0x04, 0x0800, FIELD),
        (0x00, 0x1000, FIELD),
    ] {
        let bench = bench("tsst", "");
        let mut host = Host::of(&bench);
        let before = host.drive.flash();
        for (block, mode) in image.chunks(0xFC00).zip([0, 0xFF, 0xFF, 0xFF]) {
            assert_eq!(host.send(&vendor_block(mode), block), GOOD);
        }
        assert_eq!(host.send(&vendor_block(mode), &image[..length]), expected);
        assert!(host.drive.flash() == before);
        assert_eq!(host.drive.counters().violation_count, 1);
        assert_eq!(
            codes(&host.send_blocks(&image, 0xFC00, 4)),
            GOOD,
            "from the start again"
        );
        assert!(host.drive.flash() == image);
    }
}

#[test]
fn an_sd616_gathers_its_image_from_where_it_is_spread() {
    let bench = bench("sd616", "");
    let mut host = Host::of(&bench);
    let image = Firmware::new(0x2_0000, 76).identified("SAMSUNG", "DVD-ROM SD-616T", "F310");
    let mut out = spread(&image.bytes());
    out[0x2_0800] ^= 1;
    let done = host.send_blocks(&out, 0x1_0000, 0x02);
    assert_eq!(codes(&done), PARAMETER, "copies that differ");
    assert_ne!(host.drive.flash(), image.bytes());
    assert_eq!(host.drive.counters().violation_count, 1);
    out[0x2_0800] ^= 1;
    assert_eq!(codes(&host.send_blocks(&out, 0x1_0000, 0x02)), GOOD);
    assert_eq!(host.drive.flash(), image.bytes());
    host.sleep(10.0);
    assert_eq!(host.names(), "SAMSUNG DVD-ROM SD-616T F310");
}

#[test]
fn an_mt1939_stalls_says_it_took_nothing_and_comes_back_as_another_node() {
    let bench = bench("mt1939", "");
    let mut host = Host::of(&bench);
    let before = host.drive.flash();
    assert_eq!(host.dump(), before);
    let started = host.drive.clock().now();
    let done = host.send_blocks(&mt1939_image(), 0xF800, 0x02);
    assert_eq!((codes(&done), done.residue), (GOOD, 0x800));
    assert_eq!((host.drive.clock().now() - started).as_secs(), 20);
    let gone = host.node.execute(&[0; 12], Data::None, MINUTES);
    assert!(matches!(gone, Err(TransportError::Vanished)));
    assert!(host.drive.packets().is_none(), "it is off the bus");
    host.sleep(2.0);
    let gone = host.node.execute(&[0; 12], Data::None, MINUTES);
    assert!(
        matches!(gone, Err(TransportError::Vanished)),
        "the old node stays dead"
    );
    host.node = host.drive.packets().unwrap();
    assert_eq!(host.ready(), BECOMING_READY);
    host.sleep(2.0);
    assert_eq!([host.ready(), host.ready()], [ATTENTION, NO_MEDIUM]);
    assert_eq!(host.names(), "TSSTcorpBDDVDW SE-506CB TS02");
    let mut expected = mt1939_image();
    expected[..0x1_0000].copy_from_slice(&before[..0x1_0000]);
    assert_eq!(host.dump(), expected);
    let counters = host.drive.counters();
    assert_eq!(counters.packets.of(0xFF), 34);
    assert_eq!(
        [0, 0xFF, 2].map(|mode| counters.blocks.of(mode)),
        [1, 32, 1]
    );
    host.assert_nothing_wrong();
}

#[test]
fn a_host_that_does_not_wait_for_a_stall_is_told_of_a_time_out() {
    let bench = bench("mt1939", "");
    let mut host = Host::of(&bench);
    let image = mt1939_image();
    for (index, block) in image.chunks(0xF800).take(17).enumerate() {
        let mode = if index == 0 { 0 } else { 0xFF };
        let done = host
            .node
            .execute(
                &vendor_block(mode),
                Data::Out(block),
                Duration::from_secs(5),
            )
            .unwrap();
        let expected = if index == 16 {
            Verdict::TimedOut
        } else {
            Verdict::Good
        };
        assert_eq!(done.verdict(), expected);
    }
    assert_eq!(
        host.drive.flash()[0x1_0000..0x10_7800],
        image[0x1_0000..0x10_7800]
    );
}

#[test]
fn a_failed_mt1939_is_its_boot_loader_that_takes_firmware() {
    let bench = bench("mt1939", "");
    let mut host = Host::of(&bench);
    let image = mt1939_image();
    for (index, block) in image.chunks(0xF800).take(18).enumerate() {
        let mode = if index == 0 { 0 } else { 0xFF };
        assert_eq!(host.send(&vendor_block(mode), block), GOOD);
    }
    host.drive.power_cycle();
    assert_eq!(host.names(), "TSSTcorpBDDVDW SE-506CB BOOT");
    assert_eq!(host.ready(), ATTENTION);
    let mut damaged = image.clone();
    damaged[0x8_0000] ^= 1;
    for (image, revision) in [(&damaged, "BOOT"), (&image, "TS02")] {
        assert_eq!(codes(&host.send_blocks(image, 0xF800, 0x02)), GOOD);
        host.sleep(4.0);
        host.node = host.drive.packets().unwrap();
        assert!(host.names().ends_with(revision), "{revision}");
        assert_eq!(host.ready(), ATTENTION);
    }
    host.assert_nothing_wrong();
}

#[test]
fn the_bench_of_a_failed_mt1939_answers_boot() {
    let bench = bench("mt1939-boot", "");
    let mut host = Host::of(&bench);
    assert!(host.names().ends_with("BOOT"));
    assert!(host.read(0x3000, 32).starts_with(b"MT1939 Boot "));
    assert_eq!(host.ready(), NO_MEDIUM);
}

#[test]
fn an_image_of_ff_erases_all_but_the_boot_loader_of_an_mt1939() {
    let bench = bench("mt1939", "");
    let mut host = Host::of(&bench);
    let boot = host.drive.flash()[..0x1_0000].to_vec();
    assert_eq!(
        codes(&host.send_blocks(&[0xFF; 0x20_0000], 0xF800, 2)),
        GOOD
    );
    let flash = host.drive.flash();
    assert_eq!(flash[..0x1_0000], boot);
    assert!(flash[0x1_0000..].iter().all(|byte| *byte == 0xFF));
    assert_eq!(host.drive.identity().revision, "BOOT");
}

#[test]
fn an_mt1939_says_its_version_in_eight_bytes() {
    let bench = bench("mt1939", "");
    let mut host = Host::of(&bench);
    let mut version = [0; 8];
    let cdb = [0xFF, 0, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0xAA];
    assert_eq!(codes(&host.ask(&cdb, Data::In(&mut version))), GOOD);
    assert_eq!(&version, b"TS01    ");
    host.assert_nothing_wrong();
}

#[test]
fn gaps_refuse_to_be_read_and_nobody_is_to_blame() {
    let bench = bench("mt1939-gaps", "");
    let mut host = Host::of(&bench);
    for at in [0x7FF1, 0x8000, 0xBFFF, 0x1F_4000] {
        let done = host.ask(&read_buffer(at, 0x10), Data::In(&mut [0; 0x10]));
        assert_eq!(codes(&done), FIELD, "{at:x}");
    }
    assert_eq!(
        host.read(0xC000, 0x4000),
        host.drive.flash()[0xC000..0x1_0000]
    );
    host.assert_nothing_wrong();
}

#[test]
fn an_mt1959_is_prepared_takes_blocks_and_keeps_what_is_its_own() {
    let bench = bench("mt1959", "");
    let mut host = Host::at(&bench, 1);
    let before = host.dump();
    assert!(before[0x3000..].starts_with(b"MT1959 Boot BU5 "));
    let image = host.for_this_drive(mt1959_image("BU5", None));
    assert_eq!(host.send(&MT1959_PREPARE, &[]), GOOD);
    assert_eq!(host.send_mt1959(&image), GOOD);
    assert_eq!(host.ready(), LONG_WRITE);
    host.sleep(10.0);
    assert_eq!([host.ready(), host.ready()], [ATTENTION, NO_MEDIUM]);
    let after = host.dump();
    assert_eq!(after[0x400..0x1_0000], before[0x400..0x1_0000]);
    assert_eq!(after[..0x400], after[0x1_0000..0x1_0400], "as it is shown");
    assert_eq!(after[0x1_0000..0x1D_8000], image[0x1_0000..0x1D_8000]);
    for written in DRIVE_WRITTEN {
        let changed = written
            .range
            .of(&after)
            .iter()
            .zip(written.range.of(&before));
        let count = changed.filter(|(after, before)| after != before).count();
        assert_eq!(count, 1, "{:?} is the drive's", written.what);
    }
    assert_eq!(host.names(), "HL-DT-STBD-RE BU40N     1.03");
    assert_eq!(host.drive.counters().blocks.of(6), 128);
    host.assert_nothing_wrong();
}

#[test]
fn an_mt1959_tells_how_far_it_is() {
    let bench = bench("mt1959", "");
    let mut host = Host::at(&bench, 1);
    let image = host.for_this_drive(mt1959_image("BU5", None));
    host.send(&MT1959_PREPARE, &[]);
    host.send_mt1959(&image);
    let mut part = || {
        let done = host.ask(&[0; 12], Data::None);
        host.sleep(2.0);
        done.sense[4]
    };
    assert_eq!([part(), part(), part(), part()], [1, 9, 17, 25]);
}

#[test]
fn an_mt1959_programs_nothing_unprepared_or_without_its_own_record() {
    let bench = bench("mt1959", "");
    let mut host = Host::at(&bench, 1);
    let before = host.drive.flash();
    let image = mt1959_image("BU5", None);
    let of_another = mt1959_image("JB8", None);
    assert_eq!(host.send(&mt1959_block(0), &image[..0x4000]), SEQUENCE);
    host.send(&MT1959_PREPARE, &[]);
    assert_eq!(host.send(&mt1959_block(0x4000), &image[..0x4000]), SEQUENCE);
    host.send(&MT1959_PREPARE, &[]);
    assert_eq!(host.drive.counters().violation_count, 2);
    host.send(&MT1959_PREPARE, &[]);
    let mut damaged = host.for_this_drive(image);
    damaged[0x8_0000] ^= 1;
    for rejected in [of_another, damaged] {
        host.send(&MT1959_PREPARE, &[]);
        assert_eq!(host.send_mt1959(&rejected), GOOD);
        assert_eq!(host.ready(), NO_MEDIUM, "at once");
        assert!(host.drive.flash() == before);
    }
}

#[test]
fn the_calibration_of_another_drive_is_a_violation_and_stays_out() {
    let image = mt1959_image("BU5", Some(4711));
    let bench = bench("mt1959", "");
    let mut host = Host::at(&bench, 1);
    let own = CALIBRATION.of(&host.drive.flash()).to_vec();
    let image = host.for_this_drive(image);
    host.send(&MT1959_PREPARE, &[]);
    assert_eq!(host.send_mt1959(&image), GOOD);
    assert!(CALIBRATION.of(&host.drive.flash()) == own);
    assert_eq!(host.drive.counters().violation_count, 1);
}

#[test]
fn the_image_of_another_model_leaves_an_mt1959_to_its_boot_loader_or_dead() {
    for boot_loader in [true, false] {
        let bench = bench("mt1959", &format!("boot_loader = {boot_loader}\n"));
        let mut host = Host::at(&bench, 3);
        let image = host.for_this_drive(mt1959_image("BU5", None));
        host.send(&MT1959_PREPARE, &[]);
        assert_eq!(host.send_mt1959(&image), GOOD);
        host.sleep(10.0);
        if boot_loader {
            assert_eq!(host.names(), "HL-DT-STBD-RE  WH16NS60 BOOT");
        } else {
            let done = host.ask(&[0x12, 0, 0, 0, 36, 0], Data::In(&mut [0; 36]));
            assert_eq!(codes(&done), (4, 0x44, 0));
            assert_eq!(host.ready(), (4, 0x44, 0));
        }
    }
}

#[test]
fn commands_of_other_families_are_refused_change_nothing_and_are_violations() {
    for name in ["btc", "tsst", "sd616", "mt1939", "mt1959", "dw-d22a"] {
        let bench = bench(name, "");
        let mut host = Host::of(&bench);
        let before = host.drive.flash();
        let mut tried = 0;
        let mut refused = |cdb: &[u8], data: Data<'_>| {
            let (key, asc, _) = codes(&host.ask(cdb, data));
            assert!((key, asc) == (5, 0x20) || (key, asc) == (5, 0x24) || (key, asc) == (5, 0x2C));
            tried += 1;
        };
        if !name.starts_with("mt19") {
            refused(&read_buffer(0x3000, 32), Data::In(&mut [0; 32]));
        }
        // The window of a PLDS drive, which hung another one.
        refused(
            &[0x3C, 1, 0xF0, 0, 0, 0, 0, 0, 32, 0, 0, 0],
            Data::In(&mut [0; 32]),
        );
        refused(
            &[0x3B, 5, 0, 0, 0, 0, 0, 0, 32, 0, 0, 0],
            Data::Out(&[0; 32]),
        );
        refused(
            &[0xFF, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            Data::Out(&[0; 32]),
        );
        refused(&[0xDF, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], Data::None);
        assert_eq!(host.drive.counters().violation_count, tried, "{name}");
        // What a kernel sends by itself is refused, and no violation.
        assert_eq!(
            host.send(&[0x4A, 1, 0, 0, 0x10, 0, 0, 0, 8, 0, 0, 0], &[]),
            OPCODE
        );
        assert_eq!(host.drive.counters().violation_count, tried, "{name}");
        assert!(host.drive.flash() == before);
    }
}

#[test]
fn vendor_mode_is_no_way_into_a_packet_drive() {
    let bench = bench("btc", "");
    let mut host = Host::of(&bench);
    let entry = [
        0x85, 6, 0x20, 0, 0, 0, 0, 0, 0x2A, 0, 0, 0, 0, 0xA0, 0x80, 0,
    ];
    assert_eq!(host.ask(&entry, Data::None).sense[21], 0x51);
    assert_eq!(host.drive.counters().violation_count, 1);
}

#[test]
fn a_power_cut_while_it_programs_leaves_a_part_of_the_image_and_no_drive() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bench.toml");
    let fixture = format!("{}/fixtures/benches/tsst.toml", env!("CARGO_MANIFEST_DIR"));
    std::fs::copy(fixture, &file).unwrap();
    let image = tsst_image();
    {
        let bench = Bench::open(&file).unwrap();
        let mut host = Host::of(&bench);
        let before = host.drive.flash();
        host.send_blocks(&image, 0xFC00, 4);
        host.drive.add_fault(Fault::PowerCut { operation: 6 });
        host.sleep(3.0);
        assert_eq!(host.ready(), LONG_WRITE);
        let gone = host.node.execute(&[0; 12], Data::None, MINUTES);
        assert!(matches!(gone, Err(TransportError::Vanished)));
        let flash = host.drive.flash();
        assert_eq!(flash[..0x1_8000], image[..0x1_8000]);
        assert!(flash[0x1_A000..0x2_0000].iter().all(|byte| *byte == 0xFF));
        assert_eq!(flash[0x2_0000..], before[0x2_0000..]);
    }
    let bench = Bench::open(&file).unwrap();
    let mut host = Host::of(&bench);
    assert_eq!(host.ready(), (4, 0x44, 0));
}

#[test]
fn a_drive_goes_on_programming_when_nobody_looks_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bench.toml");
    let fixture = format!("{}/fixtures/benches/tsst.toml", env!("CARGO_MANIFEST_DIR"));
    std::fs::copy(fixture, &file).unwrap();
    Host::of(&Bench::open(&file).unwrap()).send_blocks(&tsst_image(), 0xFC00, 4);
    let bench = Bench::open(&file).unwrap();
    let mut host = Host::of(&bench);
    assert_eq!(host.names(), "TSSTcorpDVD-ROM SH-D162CTS05");
    assert_eq!(host.drive.flash(), tsst_image());
}

#[test]
fn a_short_transfer_is_carried_out_and_says_what_is_missing() {
    let bench = bench("mt1939", "");
    let mut host = Host::of(&bench);
    for operation in [1, 2] {
        host.drive.add_fault(Fault::ShortTransfer {
            operation,
            bytes: 5,
        });
    }
    let done = host.ask(&read_buffer(0, 32), Data::In(&mut [0; 32]));
    assert_eq!((codes(&done), done.residue), (GOOD, 5));
    let done = host.ask(&vendor_block(0), Data::Out(&mt1939_image()[..0xF800]));
    assert_eq!((codes(&done), done.residue), (GOOD, 5));
    assert_eq!(host.drive.counters().blocks.of(0), 1);
}

#[test]
fn a_drive_may_come_back_as_another() {
    let fault = "[[drive.fault]]\nkind = \"other-identity\"\nrevision = \"XX99\"\n";
    let bench = bench("tsst", fault);
    let mut host = Host::of(&bench);
    assert_eq!(host.names(), "TSSTcorpDVD-ROM SH-D162CTS04");
    host.send_blocks(&tsst_image(), 0xFC00, 4);
    host.sleep(10.0);
    assert_eq!(host.names(), "OTHER   OTHER           XX99");
}

#[test]
fn a_stuck_cell_is_found_by_reading_back() {
    let bench = bench("mt1959", "");
    let mut host = Host::at(&bench, 1);
    host.drive.add_fault(Fault::Stuck { at: 0x2_0000 });
    let image = host.for_this_drive(mt1959_image("BU5", None));
    host.send(&MT1959_PREPARE, &[]);
    assert_eq!(host.send_mt1959(&image), GOOD);
    host.sleep(20.0);
    host.ready();
    assert_eq!(host.read(0x2_0000, 2), [0xFF, image[0x2_0001]]);
}

#[test]
fn a_bus_is_told_that_the_drive_leaves_and_finds_it_back() {
    let bench = bench("mt1939", "");
    let mut target = bench.drive(3).unwrap().target();
    let image = mt1939_image();
    let mut events = Vec::new();
    for (index, block) in image.chunks(0xF800).enumerate() {
        let mode = [0, 0xFF, 2][usize::from(index > 0) + usize::from(index == 33)];
        let reply = target.execute(&vendor_block(mode), TargetData::Out(block));
        assert_eq!(reply.status, 0);
        if reply.event != Event::Nothing {
            events.push((index, reply.event, reply.residue));
        }
    }
    assert_eq!(events, [(33, Event::Reenumerate, 0x800)]);
    let reply = target.execute(&[0x12, 0, 0, 0, 36, 0], TargetData::In(36));
    assert_eq!(&reply.data_in[32..], b"TS02");
    let reply = target.execute(&[0; 6], TargetData::None);
    assert_eq!((reply.event, reply.sense[12]), (Event::Nothing, 4));
}

#[test]
fn in_real_time_the_drive_and_its_host_wait_for_each_other() {
    struct Wall(Arc<SimClock>);
    impl Clock for Wall {
        fn now(&self) -> Duration {
            self.0.now()
        }
        fn sleep(&self, time: Duration) {
            self.0.sleep(time);
        }
    }
    let bench = bench("mt1939", "latency = { packet_ns = 1_000_000 }\n");
    let drive = bench.drive(3).unwrap();
    let wall = Arc::new(SimClock::default());
    let mut target = InRealTime {
        drive: drive.target(),
        clock: drive.clock(),
        host: Box::new(Wall(Arc::clone(&wall))),
    };
    for (index, block) in mt1939_image().chunks(0xF800).take(17).enumerate() {
        let mode = if index == 0 { 0 } else { 0xFF };
        target.execute(&vendor_block(mode), TargetData::Out(block));
    }
    assert_eq!(wall.now(), Duration::from_millis(10_017), "the stall");
    wall.sleep(Duration::from_secs(5));
    target.execute(&[0; 6], TargetData::None);
    assert_eq!(drive.clock().now(), Duration::from_millis(15_018));
    assert_eq!(wall.now(), drive.clock().now());
}
