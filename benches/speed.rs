//! What mtkflash itself costs: starting, memory, and its share of every
//! command. `cargo bench --bench speed` prints the figures; nothing is asserted.

// What cannot be set up cannot be measured.
#![allow(clippy::expect_used)]

use std::fs;
use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use measured::Cost;
use mtkflash::flash::Offset;
use mtkflash::protocol::vendor_mode::{VendorMode, VendorModeDrive};
use mtkflash::protocol::{FirmwareDevice, Route};
use mtkflash::sim::{Firmware, SimClock};
use mtkflash::transport::{
    AtaPassthrough, Completion, Data, PacketTransport, PortTaskFile, Register, RegisterAccess,
    TaskFile, TransportError, Unit,
};

mod measured;

const MTKFLASH: &str = env!("CARGO_BIN_EXE_mtkflash");
const KIB: usize = 1024;

fn main() {
    if measured::was_parent() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    starting(folder.path());
    memory(folder.path());
    let ports = PortTaskFile::new(
        Box::new(InstantDrive::default()),
        Unit::Master,
        true,
        Arc::new(SimClock::default()),
    );
    commands("legacy ports", Box::new(ports));
    let packets = AtaPassthrough::new(InstantDrive::default(), Duration::from_secs(5));
    commands("ATA PASS-THROUGH", Box::new(packets));
}

fn run(arguments: &[&str], folder: &Path) -> Option<Cost> {
    let cost = measured::run(folder, MTKFLASH, arguments)?;
    assert_eq!(cost.code, 0, "{arguments:?}");
    Some(cost)
}

fn starting(folder: &Path) {
    for kib in [256, 2048] {
        let image = Firmware::new(kib * 1024, 1).identified("LITE-ON", "DVD-ROM", "SIM1");
        fs::write(folder.join(format!("{kib}.bin")), image.bytes()).expect("an image");
    }
    let cases: [&[&str]; 3] = [&["/?"], &["i", "256.bin"], &["i", "2048.bin"]];
    for arguments in cases {
        let cost = measured::median(31, || run(arguments, folder)).expect("mtkflash");
        println!(
            "mtkflash {:12} {:>8.1?} (median of 31), {:>6} KiB peak",
            arguments.join(" "),
            cost.wall,
            cost.peak
        );
    }
}

fn memory(folder: &Path) {
    let bench = "[[drive]]\nposition = 3\nvendor = \"LITE-ON\"\nproduct = \"DVD-ROM\"\n\
                 revision = \"SIM1\"\nchip = \"MX25L1605D\"\n\
                 contents = { recipe = \"firmware\", seed = 2 }\n";
    fs::write(folder.join("bench.toml"), bench).expect("a bench");
    let sim = |rest: &[&'static str]| [&["--sim", "bench.toml", "3"], rest].concat();
    let jobs = [
        sim(&["r", "/m", "/b", "read.bin"]),
        sim(&["w", "/m", "2048.bin", "--yes"]),
    ];
    for arguments in jobs {
        let via = [arguments.as_slice(), &["--via", "port"]].concat();
        let cost = run(&via, folder).expect("mtkflash");
        println!(
            "2 MiB flash, {}: {:>6} KiB peak, the simulated drive's 2 MiB among them; {:.2?}",
            arguments[3], cost.peak, cost.wall
        );
    }
}

/// A drive with an SST39SF020 that answers at once: what is left is ours.
#[derive(Default)]
struct InstantDrive {
    low_bytes: u32,
}

impl InstantDrive {
    /// The ID, twice, then the flash.
    fn low_byte(&mut self) -> u8 {
        self.low_bytes += 1;
        match self.low_bytes {
            1 | 3 => 0xBF,
            2 | 4 => 0xB6,
            count => count as u8,
        }
    }
}

impl RegisterAccess for InstantDrive {
    fn read(&mut self, register: Register) -> Result<u8, TransportError> {
        Ok(match register {
            Register::LbaLow => self.low_byte(),
            _ => 0x70,
        })
    }

    fn write(&mut self, _: Register, value: u8) -> Result<(), TransportError> {
        black_box(value);
        Ok(())
    }

    fn has_data(&self) -> bool {
        false
    }

    fn read_data(&mut self) -> Result<u16, TransportError> {
        Ok(0)
    }
}

impl PacketTransport for InstantDrive {
    fn execute(
        &mut self,
        cdb: &[u8],
        _: Data<'_>,
        _: Duration,
    ) -> Result<Completion, TransportError> {
        let is_byte_read = cdb.first() == Some(&0x85) && cdb.get(14) == Some(&0);
        let low = if is_byte_read { self.low_byte() } else { 0 };
        Ok(Completion {
            status: 0x02,
            driver_status: 0x08,
            sense: vec![
                0x72, 1, 0, 0x1D, 0, 0, 0, 14, 0x09, 0x0C, 0, 0, 0, 0, 0, low, 0, 0, 0, 0, 0xA0,
                0x70,
            ],
            ..Completion::default()
        })
    }
}

fn commands(way: &str, task_file: Box<dyn TaskFile + Send>) {
    let clock = Arc::new(SimClock::default());
    let mode = VendorMode::enter(task_file, clock, Duration::ZERO, &mut |_| {
        ControlFlow::Break(())
    });
    let mut drive = mode
        .and_then(|mode| VendorModeDrive::identify(mode, None, None, Route::LegacyPorts))
        .expect("an instant drive");
    let mut flash = vec![0; 256 * KIB];
    let start = Instant::now();
    for (at, page) in (0..).step_by(256).zip(flash.chunks_mut(256)) {
        drive.read(Offset(at), page).expect("an instant drive");
    }
    let time = start.elapsed();
    let each = time.as_nanos() / flash.len() as u128;
    let rate = flash.len() as f64 / time.as_secs_f64() / 1e6;
    println!("our share of a byte read by {way:16}: {each:>4} ns, {rate:.1} MB/s");
}
