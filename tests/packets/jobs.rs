//! Writes to the drive of a bench, of which nothing is sent twice.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mtkflash::image::{Crc32, Image};
use mtkflash::job::change::ChangeError;
use mtkflash::job::change::{self, BackupWish};
use mtkflash::job::{FlashState, Job, JobError, StopFlag};
use mtkflash::protocol::FirmwareDevice;
use mtkflash::protocol::packet::PacketDrive;
use mtkflash::sim::{Bench, Fault, SimDriveHandle};
use mtkflash::transport::{Clock, Completion, Data, PacketTransport, TransportError};
use tempfile::TempDir;

use crate::drives::Drive;
use crate::on_bench::{OnBench, request};

/// The commands that reached the drive in one run, with the sum of the data that were sent along.
type Sent = Arc<Mutex<Vec<(Vec<u8>, Option<String>)>>>;

/// A drive that keeps its backups in a folder.
pub struct Desk {
    pub drive: &'static Drive,
    pub handle: SimDriveHandle,
    folder: TempDir,
}

/// How a write ended, as far as its user is told.
#[derive(Debug)]
pub enum Ended {
    Done,
    NothingToDo,
    /// The drive is not there, or says nothing.
    NotReached,
    /// Nothing was begun.
    NotPrepared(JobError),
    Failed(ChangeError),
}

impl Ended {
    /// What is said about the flash; nothing where all went well.
    pub fn flash(&self) -> Option<FlashState> {
        match self {
            Ended::Done | Ended::NothingToDo => None,
            Ended::NotReached => Some(FlashState::Unchanged),
            Ended::NotPrepared(error) => Some(error.flash()),
            Ended::Failed(error) => Some(error.flash()),
        }
    }
}

/// The text of a fixture with its last drive only: the one at position 3.
fn alone(bench: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/benches");
    let text = fs::read_to_string(folder.join(bench)).unwrap();
    text[text.rfind("[[drive]]").unwrap()..].to_owned()
}

impl Desk {
    pub fn new(drive: &'static Drive) -> Desk {
        let bench = Bench::from_text(&alone(drive.bench)).unwrap();
        Desk {
            drive,
            handle: bench.drive(3).unwrap().clone(),
            folder: TempDir::new_in("/dev/shm")
                .or_else(|_| TempDir::new())
                .unwrap(),
        }
    }

    pub fn with(self, fault: Fault) -> Desk {
        self.handle.add_fault(fault);
        self
    }

    /// The same flash and backups under a drive that has no faults.
    pub fn repaired(self) -> Desk {
        let repaired = Desk::new(self.drive);
        repaired.handle.set_flash(0, &self.handle.flash());
        Desk {
            folder: self.folder,
            ..repaired
        }
    }

    pub fn holds(&self, image: &[u8]) -> bool {
        self.drive.holds(&self.handle.flash(), image)
    }

    /// Lets a drive that still works on something come to its end, and gives it
    /// power and its cable back.
    pub fn settle(&self) {
        self.handle.clock().sleep(Duration::from_secs(60));
        if !self.handle.is_present() {
            self.handle.power_cycle();
        }
    }

    /// Whether the drive says who it is and that is one of its family.
    pub fn answers(&self) -> bool {
        self.open(&Sent::default())
            .is_ok_and(|found| found.is_some())
    }

    fn open(&self, sent: &Sent) -> Result<Option<PacketDrive>, JobError> {
        let sent = Arc::clone(sent);
        let watched = move |packets| Recorded {
            packets,
            sent: Arc::clone(&sent),
        };
        let drive = OnBench::new(&self.handle, watched).open()?;
        if let Some(drive) = &drive {
            assert_eq!(drive.info().protocol, self.drive.protocol.to_string());
        }
        Ok(drive)
    }

    /// Writes the update as the command line does, with a backup where that is
    /// possible. No changing command may be sent twice.
    pub fn write(&self) -> Ended {
        let sent = Sent::default();
        let ended = self.write_into(&sent);
        let mut changing = sent.lock().unwrap().clone();
        changing.retain(|(cdb, _)| matches!(cdb.first(), Some(0x3B | 0xFF)));
        let count = changing.len();
        changing.sort();
        changing.dedup();
        assert_eq!(changing.len(), count, "a command was repeated: {ended:?}");
        ended
    }

    /// The opcodes of a write that meets no fault, in order.
    pub fn opcodes_of_a_write(&self) -> Vec<u8> {
        let sent = Sent::default();
        let ended = self.write_into(&sent);
        assert!(matches!(ended, Ended::Done), "{ended:?}");
        let sent = sent.lock().unwrap();
        sent.iter().map(|(cdb, _)| cdb[0]).collect()
    }

    fn write_into(&self, sent: &Sent) -> Ended {
        let mut device = match self.open(sent) {
            Ok(Some(device)) => device,
            Ok(None) => return Ended::NotReached,
            Err(error) => return Ended::NotPrepared(error),
        };
        let image = Image::from_bytes(self.drive.image().to_vec());
        let backup = match self.drive.is_readable {
            true => BackupWish::File(self.fresh_path()),
            false => BackupWish::None,
        };
        let request = request(&image, backup);
        let stop = StopFlag::default();
        let mut sink = |_| {};
        let mut job = Job::new(&mut device, &mut sink, &stop);
        let proposal = match change::prepare(&mut job, &request) {
            Ok(proposal) if proposal.is_empty() => return Ended::NothingToDo,
            Ok(proposal) => proposal,
            Err(error) => return Ended::NotPrepared(error),
        };
        match proposal.carry_out(&mut job) {
            Ok(_) => Ended::Done,
            Err(error) => Ended::Failed(error),
        }
    }

    /// A name for a backup, as fresh as one with the time in it.
    fn fresh_path(&self) -> std::path::PathBuf {
        (0..)
            .map(|number| self.folder.path().join(format!("backup-{number}.bin")))
            .find(|path| !path.exists())
            .unwrap()
    }

    /// The first backup that was made here, as it is on the disk.
    pub fn first_backup(&self) -> Option<Vec<u8>> {
        fs::read(self.folder.path().join("backup-0.bin")).ok()
    }
}

/// Keeps account of the commands.
struct Recorded {
    packets: Box<dyn PacketTransport + Send>,
    sent: Sent,
}

impl PacketTransport for Recorded {
    fn execute(
        &mut self,
        cdb: &[u8],
        data: Data<'_>,
        timeout: Duration,
    ) -> Result<Completion, TransportError> {
        let sum = match &data {
            Data::Out(bytes) => Some(Crc32::of(bytes).to_string()),
            _ => None,
        };
        let answer = self.packets.execute(cdb, data, timeout);
        // What is said to a node that is gone does not reach the drive.
        if !matches!(answer, Err(TransportError::Vanished)) {
            self.sent.lock().unwrap().push((cdb.to_vec(), sum));
        }
        answer
    }
}
