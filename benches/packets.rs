//! Our share of the time of a read or a write by packets, against the drive's
//! own on a simulated drive with a real one's latency: its clock against our
//! processor time. `cargo bench --bench packets` prints the figures; nothing is
//! asserted.
//!
//! The drive's own time is an assumption: 16 KiB over ATAPI or USB 2.0 in 1 ms,
//! each packet alike, and 8 s or twice 10 s of programming, as coastermelt saw
//! it on an SE-506CB. What a drive made of code takes of the processor is
//! measured on its own, by a transport that times every command, and taken off.

// What cannot be set up cannot be measured.
#![allow(clippy::expect_used)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mtkflash::image::Image;
use mtkflash::job::write::{self, BackupWish};
use mtkflash::job::{Job, Selection, StopFlag, read};
use mtkflash::sim::{Bench, Board, Firmware, Names, SimDriveHandle};
use mtkflash::transport::{Clock, Completion, Data, PacketTransport, TransportError};
use nix::sys::resource::{UsageWho, getrusage};

use crate::on_bench::{OnBench, request};

#[path = "../tests/packets/on_bench.rs"]
mod on_bench;

const LATENCY: &str = "latency = { packet_ns = 1000000 }";

fn main() {
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
    let proposal = write::prepare(job, &request).expect("a proposal");
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
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("the kernel knows");
    [usage.user_time(), usage.system_time()]
        .iter()
        .map(|time| {
            let seconds = u64::try_from(time.tv_sec()).unwrap_or_default();
            let micros = u64::try_from(time.tv_usec()).unwrap_or_default();
            Duration::from_secs(seconds) + Duration::from_micros(micros)
        })
        .sum()
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
