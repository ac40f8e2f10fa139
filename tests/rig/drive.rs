//! The drive that a bench puts at a position.

use std::path::Path;

use anyhow::{Context, Result};
use mtkflash::sim::Bench;
use mtkflash::sim::target::{Event, Reply, ScsiTarget, TargetData};

/// Opens the drive at `position` (1 to 4) of the bench in a file, or the drive
/// that tests the rig itself when `bench` is `echo`.
pub fn drive(bench: &Path, position: u8) -> Result<Box<dyn ScsiTarget>> {
    match bench.file_name() {
        Some(name) if name == "echo" => Ok(Box::new(Echo::new(position))),
        _ => {
            let bench = Bench::open(bench)?;
            let drive = bench
                .drive(position)
                .with_context(|| format!("the bench has no drive at position {position}"))?;
            Ok(drive.target_in_real_time())
        }
    }
}

/// The least that proves the way through a kernel: an identity, a buffer with
/// known content, and a task file whose registers come back as they were sent.
struct Echo {
    position: u8,
    buffer: Vec<u8>,
}

const BUFFER_SIZE: usize = 256 << 10;

const INVALID_COMMAND: [u8; 3] = [0x05, 0x20, 0x00];
const INVALID_FIELD: [u8; 3] = [0x05, 0x24, 0x00];
const NO_MEDIUM: [u8; 3] = [0x02, 0x3A, 0x00];

impl ScsiTarget for Echo {
    fn execute(&mut self, cdb: &[u8], data: TargetData<'_>) -> Reply {
        let (sent, room): (&[u8], usize) = match data {
            TargetData::Out(sent) => (sent, 0),
            TargetData::In(room) => (&[], room),
            TargetData::None => (&[], 0),
        };
        match *cdb {
            [0x12, 0x00, _, high, low, _] => self.inquiry(u16::from_be_bytes([high, low])),
            [0x03, ..] => good(fixed_sense([0, 0, 0])),
            [0x3B, _, _, high, mid, low, ..] => {
                self.transfer([high, mid, low], sent.len(), |buffer| {
                    buffer.copy_from_slice(sent);
                    vec![]
                })
            }
            [0x3C, _, _, high, mid, low, ..] => {
                self.transfer([high, mid, low], room, |buffer| buffer.to_vec())
            }
            // Opcodes that a host may try for itself, to see what this does then.
            [0xCD, ..] => Reply {
                event: Event::Hang,
                ..Reply::default()
            },
            [0xCE, ..] => Reply {
                event: Event::Vanish,
                ..Reply::default()
            },
            [0xCF, ..] => Reply {
                event: Event::Reenumerate,
                ..Reply::default()
            },
            [
                0x85,
                _,
                flags,
                _,
                features,
                _,
                count,
                _,
                lba_low,
                _,
                lba_mid,
                _,
                lba_high,
                device,
                command,
                _,
            ] => {
                let registers = [features, count, lba_low, lba_mid, lba_high, device, command];
                task_file(registers, flags & 0x20 != 0)
            }
            [0x00, ..] => check(fixed_sense(NO_MEDIUM)),
            _ => check(fixed_sense(INVALID_COMMAND)),
        }
    }
}

impl Echo {
    /// Every byte of the buffer tells its place, until it is overwritten.
    fn new(position: u8) -> Self {
        let buffer = (0..BUFFER_SIZE).map(|at| (at ^ (at >> 8)) as u8).collect();
        Self { position, buffer }
    }

    fn transfer(
        &mut self,
        [high, mid, low]: [u8; 3],
        length: usize,
        by: impl FnOnce(&mut [u8]) -> Vec<u8>,
    ) -> Reply {
        let start = usize::from(high) << 16 | usize::from(mid) << 8 | usize::from(low);
        match self.buffer.get_mut(start..start + length) {
            Some(bytes) => good(by(bytes)),
            None => check(fixed_sense(INVALID_FIELD)),
        }
    }

    fn inquiry(&self, allocated: u16) -> Reply {
        let mut bytes = vec![0x05, 0x80, 0x00, 0x21, 91, 0, 0, 0];
        bytes.extend_from_slice(b"RIG     ECHO DRIVE      ");
        bytes.extend_from_slice(format!("POS{}", self.position).as_bytes());
        bytes.resize(96, 0);
        bytes.truncate(usize::from(allocated));
        good(bytes)
    }
}

fn task_file(
    [features, count, lba_low, lba_mid, lba_high, device, command]: [u8; 7],
    returned: bool,
) -> Reply {
    if !returned {
        return good(vec![]);
    }
    // ATA Status Return descriptor of SAT, with the sent values in place of results.
    let sense = vec![
        0x72, 0x01, 0x00, 0x1D, 0, 0, 0, 14, 0x09, 12, 0x00, features, 0, count, 0, lba_low, 0,
        lba_mid, 0, lba_high, device, command,
    ];
    check(sense)
}

fn good(data_in: Vec<u8>) -> Reply {
    Reply {
        data_in,
        ..Reply::default()
    }
}

fn check(sense: Vec<u8>) -> Reply {
    Reply {
        status: 0x02,
        sense,
        ..Reply::default()
    }
}

fn fixed_sense([key, code, qualifier]: [u8; 3]) -> Vec<u8> {
    let mut sense = vec![0; 18];
    sense[0] = 0x70;
    sense[2] = key;
    sense[7] = 10;
    sense[12] = code;
    sense[13] = qualifier;
    sense
}
