//! Our share of the time of a read or a write by packets, against the drive's
//! own on a simulated drive with a real one's latency: its clock against our
//! processor time. `cargo bench --bench packets` prints the figures; nothing is
//! asserted.
//!
//! The drive's own time is an assumption: 16 KiB over ATAPI or USB 2.0 in 1 ms,
//! each packet alike, and 8 s or twice 10 s of programming, as coastermelt saw
//! it on an SE-506CB. What a drive made of code takes of the processor is
//! measured on its own, by a transport that times every command, and taken off.
//!
//! Then the program itself: what it costs that a log and other programs listen, and
//! how long four drives take side by side.

// What cannot be set up cannot be measured.
#![allow(clippy::expect_used)]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mtkflash::image::Image;
use mtkflash::job::change::{self, BackupWish};
use mtkflash::job::{Job, Selection, StopFlag, read};
use mtkflash::sim::{Bench, Board, Firmware, Names, SimDriveHandle};
use mtkflash::transport::{Clock, Completion, Data, PacketTransport, TransportError};
use nix::sys::resource::{UsageWho, getrusage};

use crate::on_bench::{OnBench, request};

mod measured;
#[path = "../tests/packets/on_bench.rs"]
mod on_bench;

const LATENCY: &str = "latency = { packet_ns = 1000000 }";

const MTKFLASH: &str = env!("CARGO_BIN_EXE_mtkflash");

fn main() {
    if measured::was_parent() {
        return;
    }
    let mt1959 = || Names::BluRay(Board::new("BU5", "BU3"));
    measure("btc", ("BTC", "DRW1008"), 1024, Names::Btc, false);
    measure(
        "mt1339",
        ("TSSTcorp", "DVD-ROM SH-D162C"),
        256,
        Names::LiteOn,
        false,
    );
    measure(
        "sd616",
        ("SAMSUNG", "DVD-ROM SD-616T"),
        128,
        Names::LiteOn,
        false,
    );
    measure(
        "mt1939",
        ("TSSTcorp", "BDDVDW SE-506CB"),
        2048,
        Names::Mt1939,
        true,
    );
    measure("mt1959", ("HL-DT-ST", "BD-RE BU40N"), 2048, mt1959(), true);
    listeners();
    side_by_side();
}

/// A Blu-ray drive behind a USB bridge, of which 2 MiB are read.
fn blu_ray(path: &str, more: &str) -> String {
    format!(
        "[[drive]]\npath = \"{path}\"\nmodel = \"mt1959\"\nvendor = \"HL-DT-ST\"\n\
         product = \"BD-RE BU40N\"\nrevision = \"OLD1\"\nserial = \"{path}\"\n\
         board = {{ banner = \"MT1959 Boot BU5 \", svc = \"BU40\" }}\n{LATENCY}\n{more}\n\
         contents = {{ recipe = \"firmware\", seed = 1 }}\n"
    )
}

/// What it costs that programs and a log listen to a read: the processor time of two
/// runs that differ in nothing else, against what the drive takes for it.
fn listeners() {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let folder = folder.path();
    fs::write(folder.join("bench.toml"), blu_ray("/dev/sg0", "")).expect("a bench");
    let run = |more: &[&str]| {
        let line = [
            &["--sim", "bench.toml", "/dev/sg0", "r", "/m", "/b", "x.bin"],
            more,
        ];
        let cost = measured::median(31, || {
            remove_dumps(folder);
            let cost = measured::run(folder, MTKFLASH, &line.concat());
            cost.filter(|cost| cost.code == 0)
        });
        cost.expect("a read").processor
    };
    let alone = run(&["--quiet", "--no-log"]);
    let heard = run(&["--events", "--json", "--log", "x.log"]);
    let drive = own_time(folder);
    let share = heard.saturating_sub(alone);
    println!(
        "events, log and JSON of a read: {:.1} ms of the processor ({:.1} with, {:.1} without), \
         drive {:.2} s: {:.2} %",
        share.as_secs_f64() * 1e3,
        heard.as_secs_f64() * 1e3,
        alone.as_secs_f64() * 1e3,
        drive,
        100.0 * share.as_secs_f64() / drive
    );
}

/// Removes what a read left, with its records.
fn remove_dumps(folder: &Path) {
    for file in fs::read_dir(folder).expect("the folder").flatten() {
        if file.file_name().to_string_lossy().starts_with('x') {
            let _ = fs::remove_file(file.path());
        }
    }
}

/// The seconds that the phases of a read take by the drive's clock.
fn own_time(folder: &Path) -> f64 {
    let output = Command::new(MTKFLASH)
        .args([
            "--sim",
            "bench.toml",
            "/dev/sg0",
            "r",
            "/m",
            "/b",
            "y.bin",
            "--json",
        ])
        .current_dir(folder)
        .output()
        .expect("mtkflash");
    let outcome: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let phases = outcome["drives"][0]["phases"].as_array();
    let phases = phases.expect("phases").iter();
    phases.filter_map(|phase| phase["seconds"].as_f64()).sum()
}

/// Four drives read side by side, and one of them: here the drives take the time
/// that they say they take.
fn side_by_side() {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let folder = folder.path();
    let paths = ["/dev/sg0", "/dev/sg1", "/dev/sg2", "/dev/sg3"];
    let bench = paths.map(|path| blu_ray(path, "real_time = true")).concat();
    fs::write(folder.join("bench.toml"), bench).expect("a bench");
    let run = |drives: &str| {
        let cost = measured::median(5, || {
            remove_dumps(folder);
            let line = ["--sim", "bench.toml", drives, "r", "/m", "/b", "x.bin"];
            let cost = measured::run(folder, MTKFLASH, &line);
            cost.filter(|cost| cost.code == 0)
        });
        cost.expect("a read").wall
    };
    let one = run(paths[0]);
    let four = run(&paths.join(","));
    println!(
        "four drives side by side {:.2} s, one of them {:.2} s: {:.2} times",
        four.as_secs_f64(),
        one.as_secs_f64(),
        four.as_secs_f64() / one.as_secs_f64()
    );
}

fn measure(model: &str, names: (&str, &str), kib: u32, places: Names, is_readable: bool) {
    let text = format!(
        "[[drive]]\nposition = 3\nmodel = \"{model}\"\nvendor = \"{}\"\nproduct = \"{}\"\n\
         revision = \"OLD1\"\n{LATENCY}\ncontents = {{ recipe = \"firmware\", seed = 1 }}\n",
        names.0, names.1
    );
    let bench = Bench::from_text(&text).expect("a bench");
    let desk = Desk {
        handle: bench.drive(3).expect("a drive").clone(),
        simulation: Arc::default(),
    };
    if is_readable {
        desk.job(&format!("{model}: read"), |job| {
            read::read(job, &Selection::Everything).expect("a dump");
        });
    }
    let image = Firmware::new(kib * 1024, 2)
        .with(places)
        .identified(names.0, names.1, "NEW2");
    let image = Image::from_bytes(image.bytes());
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    desk.job(&format!("{model}: write"), |job| {
        write_whole(job, &image, is_readable.then_some(folder.path()));
    });
}

fn write_whole(job: &mut Job, image: &Image, folder: Option<&Path>) {
    let backup = folder.map_or(BackupWish::None, |folder| {
        BackupWish::File(folder.join("old.bin"))
    });
    let request = request(image, backup);
    let proposal = change::prepare(job, &request).expect("a proposal");
    proposal.carry_out(job).expect("a written drive");
}

/// A drive and the nanoseconds of the processor that its simulation took.
struct Desk {
    handle: SimDriveHandle,
    simulation: Arc<AtomicU64>,
}

impl Desk {
    fn job(&self, name: &str, work: impl FnOnce(&mut Job)) {
        self.simulation.store(0, Ordering::Relaxed);
        let (begun, used) = (self.handle.clock().now(), processor_time());
        let simulation = Arc::clone(&self.simulation);
        let watched = move |packets| Timed {
            packets,
            simulation: Arc::clone(&simulation),
        };
        let opened = OnBench::new(&self.handle, watched).open();
        let mut device = opened.expect("a family").expect("a drive that answers");
        let stop = StopFlag::default();
        let mut sink = |_| {};
        work(&mut Job::new(&mut device, &mut sink, &stop));
        let simulation = Duration::from_nanos(self.simulation.load(Ordering::Relaxed));
        let ours = (processor_time() - used).saturating_sub(simulation);
        let drive = self.handle.clock().now() - begun;
        println!(
            "{name:14} drive {:>7.2} s, our share {:>6.1} ms = {:.2} %",
            drive.as_secs_f64(),
            ours.as_secs_f64() * 1e3,
            100.0 * ours.as_secs_f64() / drive.as_secs_f64()
        );
    }
}

/// User and system time of this process.
fn processor_time() -> Duration {
    measured::processor_time(&getrusage(UsageWho::RUSAGE_SELF).expect("the kernel knows"))
}

struct Timed {
    packets: Box<dyn PacketTransport + Send>,
    simulation: Arc<AtomicU64>,
}

impl PacketTransport for Timed {
    fn execute(
        &mut self,
        cdb: &[u8],
        data: Data<'_>,
        timeout: Duration,
    ) -> Result<Completion, TransportError> {
        let begun = Instant::now();
        let answer = self.packets.execute(cdb, data, timeout);
        let nanoseconds = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.simulation.fetch_add(nanoseconds, Ordering::Relaxed);
        answer
    }
}
