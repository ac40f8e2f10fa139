//! A bench of each family, and what its drive is to get.

use std::sync::OnceLock;

use mtkflash::flash::FlashRange;
use mtkflash::protocol::Protocol;
use mtkflash::sim::{Board, Firmware, Names};

use crate::folder::{Folder, KIB, Run};

/// The drive at position 3 of a bench.
pub struct Drive {
    pub bench: &'static str,
    pub protocol: Protocol,
    /// What it keeps for itself, whatever is sent.
    pub owned: &'static [FlashRange],
    /// Whether there is a documented way to read it.
    pub is_readable: bool,
    /// Commands that a download takes.
    pub download: u64,
    make: fn() -> Firmware,
    image: OnceLock<Vec<u8>>,
}

const BOOT: FlashRange = FlashRange::new(0, 0x1_0000);

/// What a Blu-ray drive rewrites: revocation lists, settings, calibration.
const REWRITTEN: [FlashRange; 2] = [
    FlashRange::new(0x1D_8000, 0x1E_C000),
    FlashRange::new(0x1F_0000, 0x20_0000),
];

pub static BTC: Drive = Drive {
    bench: "btc.toml",
    protocol: Protocol::Btc,
    owned: &[],
    is_readable: false,
    // 256 blocks, the sum, the order to program.
    download: 256 + 1 + 1,
    make: || firmware(1024, 72, Names::Btc, ("BTC", "DRW1008"), "0059"),
    image: OnceLock::new(),
};

pub static TSST: Drive = Drive {
    bench: "tsst.toml",
    protocol: Protocol::Mt1339,
    owned: &[],
    is_readable: false,
    download: 5,
    make: || {
        let names = ("TSSTcorp", "DVD-ROM SH-D162C");
        firmware(256, 74, Names::LiteOn, names, "TS05")
    },
    image: OnceLock::new(),
};

pub static SD616: Drive = Drive {
    bench: "sd616.toml",
    protocol: Protocol::Sd616,
    owned: &[],
    is_readable: false,
    download: 3,
    make: || {
        let names = ("SAMSUNG", "DVD-ROM SD-616T");
        firmware(128, 76, Names::LiteOn, names, "F310")
    },
    image: OnceLock::new(),
};

pub static MT1939: Drive = Drive {
    bench: "mt1939.toml",
    protocol: Protocol::Mt1939,
    owned: &[BOOT],
    is_readable: true,
    download: 33 + 1,
    make: || {
        let names = ("TSSTcorp", "BDDVDW SE-506CB");
        firmware(2048, 78, Names::Mt1939, names, "TS02")
    },
    image: OnceLock::new(),
};

pub static MT1959: Drive = Drive {
    bench: "mt1959.toml",
    protocol: Protocol::Mt1959,
    owned: &[BOOT, REWRITTEN[0], REWRITTEN[1]],
    is_readable: true,
    // The preparation and 128 blocks.
    download: 1 + 128,
    make: || wh16ns60(None),
    image: OnceLock::new(),
};

pub static ALL: [&Drive; 5] = [&BTC, &TSST, &SD616, &MT1939, &MT1959];

fn firmware(
    kib: u32,
    seed: u64,
    names: Names,
    (vendor, product): (&str, &str),
    revision: &str,
) -> Firmware {
    Firmware::new(kib * KIB, seed)
        .with(names)
        .identified(vendor, product, revision)
}

fn wh16ns60(individual: Option<u64>) -> Firmware {
    let board = Board::new("JB8", "JB9").svc("NS60");
    let names = Names::BluRay(match individual {
        Some(individual) => board.of_drive(individual),
        None => board,
    });
    firmware(2048, 84, names, ("HL-DT-ST", "BD-RE  WH16NS60"), "1.02")
}

/// A dump of another drive of the same model, with that drive's calibration.
pub fn another_wh16ns60() -> Vec<u8> {
    wh16ns60(Some(4711)).bytes()
}

/// For the other model on the bench of MT1959 drives.
pub fn bu40n() -> Vec<u8> {
    let names = Names::BluRay(Board::new("BU5", "BU3").svc("BU40"));
    firmware(2048, 82, names, ("HL-DT-ST", "BD-RE BU40N"), "1.03").bytes()
}

impl Drive {
    /// An update for this drive.
    pub fn image(&self) -> &[u8] {
        self.image.get_or_init(|| (self.make)().bytes())
    }

    /// A folder with the bench, and the update in `new.bin`.
    pub fn folder(&self) -> Folder {
        self.on("")
    }

    /// As [`Drive::folder`], with more keys for the drive.
    pub fn on(&self, more: &str) -> Folder {
        let folder = Folder::with_bench_and(self.bench, more);
        folder.write("new.bin", self.image());
        folder
    }

    /// The line that writes the update.
    pub fn line(&self) -> &'static str {
        if self.is_readable {
            "3 w /m new.bin --yes --backup old.bin"
        } else {
            "3 w /m new.bin --yes --no-backup"
        }
    }

    /// Whether a flash holds the image but for what the drive keeps.
    pub fn holds(&self, flash: &[u8], image: &[u8]) -> bool {
        let without_owned = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            for owned in self.owned {
                owned.of_mut(&mut bytes).fill(0);
            }
            bytes
        };
        flash.len() == image.len() && without_owned(flash) == without_owned(image)
    }

    /// What the drive gives when it is read, with this in its flash.
    pub fn as_read(&self, flash: Vec<u8>) -> Vec<u8> {
        match self.protocol {
            Protocol::Mt1959 => mtkflash::sim::blu_ray::as_read(flash),
            _ => flash,
        }
    }
}

/// What a run said, without the lines of progress.
pub fn essence(run: &Run) -> String {
    let is_progress = |line: &&str| {
        [
            "Reading bank",
            "Reading: ",
            "Writing: ",
            "Verifying bank",
            "Bank ",
        ]
        .iter()
        .any(|verb| line.starts_with(verb))
    };
    let text = run.to_string();
    let lines: Vec<&str> = text.lines().filter(|line| !is_progress(line)).collect();
    lines.join("\n")
}
