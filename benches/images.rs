//! What an examination costs: `mtkflash i` of large files, and HEX beside
//! `srec_cat`. `cargo bench --bench images` prints the figures; nothing is
//! asserted.

// What cannot be set up cannot be measured.
#![allow(clippy::expect_used)]

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use measured::Cost;
use mtkflash::image::hex;
use mtkflash::sim::Firmware;

#[path = "../fixtures/containers.rs"]
#[allow(dead_code)]
mod made;
mod measured;

const MTKFLASH: &str = env!("CARGO_BIN_EXE_mtkflash");

const MIB: usize = 1 << 20;

fn main() {
    if measured::was_parent() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let folder = folder.path();
    let image = Firmware::new(MIB as u32, 22)
        .identified("SONY", "DVD RW DW-D22A", "BYS1")
        .bytes();
    // Pictures and libraries, as a vendor's flasher is full of.
    let stuffing = noise(9 * MIB);
    let archive = made::zip(&[("lib.dll", &stuffing), ("BYS1.BIN", &image)]);
    let flasher = made::xflash(made::XFlash::Fibonacci, &[("BYS1", &image)]);
    let files: [(&str, Vec<u8>); 5] = [
        ("2-mib.bin", Firmware::new(2 * MIB as u32, 1).bytes()),
        (
            "20-mib-resource.exe",
            made::program(&[&stuffing, &made::swapped(&archive)], b""),
        ),
        ("20-mib-behind.exe", made::program(&[&stuffing], &archive)),
        ("20-mib-xflash.exe", [flasher, noise(18 * MIB)].concat()),
        ("20-mib-nothing.exe", made::program(&[], &noise(20 * MIB))),
    ];
    for (name, content) in &files {
        fs::write(folder.join(name), content).expect("a file");
        examine(folder, name, content.len());
    }
    parse_hex(folder);
}

fn noise(size: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..size).map(|_| next()).collect()
}

fn examine(folder: &Path, name: &str, size: usize) {
    let what = format!("i {name:20} {:>5.1} MiB", size as f64 / MIB as f64);
    shown(&what, || measured::run(folder, MTKFLASH, &["i", name]));
}

fn parse_hex(folder: &Path) {
    let image = Firmware::new(2 * MIB as u32, 1).bytes();
    let mut text = Vec::new();
    hex::write(&image, &mut text).expect("HEX");
    let mut times: Vec<Duration> = (0..15)
        .map(|_| {
            let start = Instant::now();
            black_box(hex::read(black_box(&text)).expect("HEX"));
            start.elapsed()
        })
        .collect();
    times.sort();
    let rate = text.len() as f64 / times[7].as_secs_f64() / 1e6;
    println!(
        "2 MiB as HEX, {} bytes, parsed in {:.1?}: {rate:.0} MB/s",
        text.len(),
        times[7]
    );
    // Bank marks are not Intel's: srec_cat gets what objcopy would write.
    fs::write(folder.join("x.bin"), &image).expect("a file");
    let srec_cat = |line: &[&str]| {
        let cost = measured::run(folder, "srec_cat", line);
        cost.filter(|cost| cost.code == 0)
    };
    if srec_cat(&["x.bin", "-binary", "-o", "x.hex", "-intel"]).is_none() {
        println!("srec_cat is not to be had here");
        return;
    }
    shown("x.hex to x.bin by srec_cat", || {
        srec_cat(&["x.hex", "-intel", "-o", "y.bin", "-binary"])
    });
    shown("x.hex to x.bin by mtkflash i", || {
        let _ = fs::remove_file(folder.join("z.bin"));
        measured::run(
            folder,
            MTKFLASH,
            &["i", "x.hex", "--to", "bin", "--out", "z.bin"],
        )
    });
}

/// Prints what a run costs.
fn shown(what: &str, run: impl FnMut() -> Option<Cost>) {
    match measured::median(15, run) {
        Some(Cost {
            wall,
            processor,
            peak,
            ..
        }) => println!(
            "{what:34} {wall:>8.1?}, processor {processor:>8.1?} (medians of 15), peak {peak:>6} KiB"
        ),
        None => println!("{what:34} fails"),
    }
}
