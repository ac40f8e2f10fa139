//! The commands of the crate mediatek-optical against our simulated drive: code
//! that nobody here wrote, sent as a vendor's updater sends it.

use std::time::Duration;

use mediatek_optical::drive::{self, Data as ChipData, Transport};
use mediatek_optical::{Chip, cdb};
use mtkflash::sim::blu_ray::as_read;
use mtkflash::sim::{Bench, Board, Firmware, Names, SimDriveHandle};
use mtkflash::transport::{Clock, Data, PacketTransport, Verdict};

/// A drive of a bench, as that crate sees one.
struct Through {
    packets: Box<dyn PacketTransport + Send>,
    sense: Option<(u8, u8, u8)>,
}

impl Transport for Through {
    type Error = Verdict;

    fn exec(&mut self, cdb: &[u8], data: ChipData<'_>) -> Result<usize, Verdict> {
        let (data, length) = match data {
            ChipData::None => (Data::None, 0),
            ChipData::In(into) => {
                let length = into.len();
                (Data::In(into), length)
            }
            ChipData::Out([]) => (Data::None, 0),
            ChipData::Out(from) => (Data::Out(from), from.len()),
        };
        let patience = Duration::from_secs(100);
        let done = self.packets.execute(cdb, data, patience).unwrap();
        let byte = |at: usize| done.sense.get(at).copied().unwrap_or(0);
        self.sense = (!done.sense.is_empty()).then(|| (byte(2) & 0x0F, byte(12), byte(13)));
        match done.verdict() {
            Verdict::Good => Ok(length - done.residue as usize),
            verdict => Err(verdict),
        }
    }

    fn sense(&self) -> Option<(u8, u8, u8)> {
        self.sense
    }
}

impl Through {
    fn to(drive: &SimDriveHandle) -> Through {
        Through {
            packets: drive.packets().unwrap(),
            sense: None,
        }
    }

    /// Once it has told what happened to it.
    fn settled(mut self) -> Through {
        while drive::test_unit_ready(&mut self).is_err() && self.sense != Some((2, 0x3A, 0)) {}
        self
    }
}

fn wh16ns60() -> Vec<u8> {
    Firmware::new(0x20_0000, 84)
        .with(Names::BluRay(Board::new("JB8", "JB9").svc("NS60")))
        .identified("HL-DT-ST", "BD-RE  WH16NS60", "1.02")
        .bytes()
}

#[test]
fn the_driver_of_mediatek_optical_writes_a_simulated_drive() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/benches/mt1959.toml");
    let bench = Bench::from_text(&std::fs::read_to_string(path).unwrap()).unwrap();
    let handle = bench.drive(3).unwrap();
    let mut through = Through::to(handle).settled();
    let found = drive::identify(&mut through).unwrap();
    assert_eq!(found.banner(), "MT1959 Boot JB8");
    assert_eq!(found.chip(), Some(Chip::Mt1959));
    assert_eq!(found.sku(), "NM00100");
    assert_eq!(
        (found.product(), found.revision()),
        ("BD-RE  WH16NS60", "1.00")
    );

    let image = wh16ns60();
    let mut session = drive::enter_recovery(&mut through).unwrap();
    for (at, chunk) in (0..).step_by(cdb::CHUNK).zip(image.chunks(cdb::CHUNK)) {
        session.write(at, chunk).unwrap();
    }
    // The drive is at work already, and says so.
    assert!(session.finish().is_err());
    assert_eq!(through.sense, Some((0x02, 0x04, 0x08)));
    handle.clock().sleep(Duration::from_secs(20));

    let mut through = Through::to(handle).settled();
    let found = drive::identify(&mut through).unwrap();
    assert_eq!(found.revision(), "1.02");
    let mut read = vec![0; 0x1D_8000];
    for (at, chunk) in (0..).step_by(cdb::CHUNK).zip(read.chunks_mut(cdb::CHUNK)) {
        drive::read_memory(&mut through, at, chunk).unwrap();
    }
    assert!(read == as_read(image)[..0x1D_8000]);
    let mut date = [0; 64];
    let length = drive::feature(&mut through, 0x010C, &mut date).unwrap();
    assert_eq!(&date[12..26], b"20170302114500");
    assert!(length >= 28);
    let busy = handle.violations();
    assert_eq!(busy, ["command 3b while the drive is not ready"]);
}
