//! A simulated drive, reached as the command line reaches one.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use mtkflash::drive::ask::{self, AskError};
use mtkflash::flash::{Bank, FlashRange};
use mtkflash::image::{Crc32, Image};
use mtkflash::job::backup::Circumstances;
use mtkflash::job::change::{self, Backup, BackupWish, Content, Proposal};
use mtkflash::job::change::{ChangeError, Changed};
use mtkflash::job::journal::{Journal, left_programming};
use mtkflash::job::read::{self, Dump};
use mtkflash::job::record::Record;
use mtkflash::job::verify::{self, Compared};
use mtkflash::job::{Event, FlashState, Job, JobError, Selection, StopFlag};
use mtkflash::protocol::vendor_mode::{VendorMode, VendorModeDrive};
use mtkflash::protocol::{FirmwareDevice, Route};
use mtkflash::sim::{Bench, Fault, SimDriveHandle};
use mtkflash::transport::{AtaPassthrough, PortTaskFile, TaskFile};

use super::small_window::SmallWindow;

/// How commands get to the drive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Ports,
    Packets,
}

/// A drive and the part of its flash that a test is about.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    pub chip: &'static str,
    /// Further lines of the bench file.
    pub lines: &'static str,
    pub way: Way,
    /// The part that is read or written; all of it without.
    pub range: Option<FlashRange>,
    /// Bytes that the jobs see of a chip that can only be erased as a whole.
    pub window: Option<u32>,
}

impl Kind {
    pub const fn parallel(chip: &'static str) -> Kind {
        Kind {
            chip,
            lines: "",
            way: Way::Ports,
            range: None,
            window: None,
        }
    }

    pub const fn serial(chip: &'static str, lines: &'static str) -> Kind {
        Kind {
            lines,
            ..Kind::parallel(chip)
        }
    }

    pub fn selection(&self) -> Selection {
        self.range.map_or(Selection::Everything, Selection::Range)
    }

    pub const fn via(mut self, way: Way) -> Kind {
        self.way = way;
        self
    }

    pub const fn selecting(mut self, start: u32, end: u32) -> Kind {
        self.range = Some(FlashRange::new(start, end));
        self
    }

    pub const fn windowed(mut self, size: u32) -> Kind {
        self.window = Some(size);
        self
    }

    pub fn drive(&self) -> TestDrive {
        TestDrive::new(self)
    }
}

/// A drive on a bench, and a folder for backups.
pub struct TestDrive {
    pub kind: Kind,
    pub handle: SimDriveHandle,
    folder: Rc<tempfile::TempDir>,
    pub stop: StopFlag,
    pub keep: Vec<FlashRange>,
}

/// How a write ended, as far as its user is told.
#[derive(Debug)]
pub enum Ended {
    /// The flash holds the image, read back.
    Done(Changed),
    /// The flash held the image before.
    NothingToDo,
    /// The drive was not reached, or not brought into the mode.
    NotOpened(String),
    /// Nothing was begun.
    NotPrepared(JobError),
    Failed(ChangeError),
}

impl Ended {
    pub fn is_good(&self) -> bool {
        matches!(self, Ended::Done(_) | Ended::NothingToDo)
    }

    /// What is said about the flash; nothing where all went well.
    pub fn flash(&self) -> Option<FlashState> {
        match self {
            Ended::Done(_) | Ended::NothingToDo => None,
            Ended::NotOpened(reason) => {
                assert!(!reason.is_empty());
                Some(FlashState::Unchanged)
            }
            Ended::NotPrepared(error) => Some(error.flash()),
            Ended::Failed(error) => Some(error.flash()),
        }
    }
}

/// A write from its beginning to its end.
#[derive(Debug)]
pub struct Written {
    pub ended: Ended,
    /// The operation before which nothing had been changed.
    pub before_change: u64,
    pub backup: Option<PathBuf>,
    pub events: Vec<Event>,
}

impl TestDrive {
    pub fn new(kind: &Kind) -> TestDrive {
        let text = format!(
            "[[drive]]\nposition = 3\nvendor = \"LITE-ON\"\nproduct = \"DVD-ROM SIM\"\n\
             revision = \"SIM1\"\nserial = \"0001\"\nchip = \"{}\"\n{}\n",
            kind.chip, kind.lines
        );
        let bench = Bench::from_text(&text).unwrap();
        let handle = bench.drive(3).unwrap().clone();
        if kind.window.is_some() {
            handle.set_flash(0x600, b"LITE-ON DVD-ROM SIM");
        }
        if let Some(range) = kind.range {
            handle.set_flash(range.end() - 0xE00, &[0xFF; 0xE00]);
        }
        TestDrive {
            kind: *kind,
            handle,
            folder: Rc::new(tempfile::tempdir().unwrap()),
            stop: StopFlag::default(),
            keep: Vec::new(),
        }
    }

    pub fn with_fault(self, fault: Fault) -> TestDrive {
        self.handle.add_fault(fault);
        self
    }

    /// A drive without faults that holds what this one holds, with the same
    /// folder for backups.
    pub fn without_fault(&self) -> TestDrive {
        let repaired = self.kind.drive();
        repaired.handle.set_flash(0, &self.handle.flash());
        TestDrive {
            folder: Rc::clone(&self.folder),
            keep: self.keep.clone(),
            ..repaired
        }
    }

    /// An image that differs from the flash in both banks and in first pages,
    /// in bits to clear and in bits to set.
    pub fn other_image(&self) -> Vec<u8> {
        let mut image = self.flash();
        let places: &[(usize, u8)] = match self.kind.range {
            Some(_) => &[(0xF123, 0x12), (0x1_0003, 0x5A), (0x1_0180, 0x77)],
            None => &[(0x0003, 0x5A), (0x0180, 0x77), (0x1_0003, 0x5A)],
        };
        for &(start, mask) in places {
            for (at, byte) in (start..start + 12).zip(0_u8..) {
                if let Some(place) = image.get_mut(at) {
                    *place ^= mask.rotate_left(u32::from(byte));
                }
            }
        }
        image
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What the jobs see of the flash.
    pub fn flash(&self) -> Vec<u8> {
        let mut flash = self.handle.flash();
        flash.truncate(self.kind.window.map_or(usize::MAX, |size| size as usize));
        flash
    }

    /// The flash's content with these bytes in it.
    pub fn image_with(&self, bytes: &[(u32, u8)]) -> Vec<u8> {
        let mut image = self.flash();
        for &(at, byte) in bytes {
            image[at as usize] = byte;
        }
        image
    }

    pub fn open(&self) -> Result<Box<dyn FirmwareDevice>, String> {
        self.open_wrapped(|task_file| task_file)
    }

    pub fn open_wrapped(
        &self,
        wrap: impl FnOnce(Box<dyn TaskFile + Send>) -> Box<dyn TaskFile + Send>,
    ) -> Result<Box<dyn FirmwareDevice>, String> {
        let mut packets = self.handle.packets();
        let identity = match &mut packets {
            Some(packets) => match ask::identity(packets.as_mut()) {
                Err(AskError::Transport(error)) => return Err(error.to_string()),
                answer => answer.ok(),
            },
            None => None,
        };
        let task_file: Box<dyn TaskFile + Send> = match self.kind.way {
            Way::Ports => {
                let registers = self.handle.registers().unwrap();
                let clock = self.handle.clock();
                let mut ports = PortTaskFile::new(registers, self.handle.unit(), true, clock);
                ports
                    .quiet_interrupts()
                    .map_err(|error| error.to_string())?;
                Box::new(ports)
            }
            Way::Packets => {
                let timeout = Duration::from_secs(5);
                Box::new(AtaPassthrough::new(packets.unwrap(), timeout))
            }
        };
        let clock = self.handle.clock();
        VendorMode::enter(wrap(task_file), clock, Duration::ZERO, &mut |_| {
            ControlFlow::Break(())
        })
        .and_then(|mut mode| {
            let place = self.handle.name();
            if left_programming(&self.journal())
                .iter()
                .any(|(left, _)| *left == place)
            {
                mode.end_byte_program()?;
            }
            VendorModeDrive::identify(mode, identity, None, Route::LegacyPorts)
        })
        .map(|drive| match self.kind.window {
            Some(size) => Box::new(SmallWindow::new(drive, size)) as Box<dyn FirmwareDevice>,
            None => Box::new(drive),
        })
        .map_err(|error| error.to_string())
    }

    /// Runs a job on the open drive and leaves the mode, whatever came of it.
    pub fn run<T>(
        &self,
        device: &mut Box<dyn FirmwareDevice>,
        events: &mut Vec<Event>,
        work: impl FnOnce(&mut Job) -> T,
    ) -> T {
        let mut sink = |event| events.push(event);
        let mut job = Job::new(device.as_mut(), &mut sink, &self.stop);
        work(&mut job)
    }

    pub fn read(&self) -> Result<Dump, JobError> {
        let mut device = self.open().unwrap();
        let selection = self.kind.selection();
        let result = self.run(&mut device, &mut Vec::new(), |job| {
            read::read(job, &selection)
        });
        let _ = device.leave();
        result
    }

    pub fn verify(&self, image: &[u8]) -> Result<Compared, JobError> {
        let mut device = self.open().unwrap();
        let image = Image::from_bytes(image.to_vec());
        let selection = self.kind.selection();
        let result = self.run(&mut device, &mut Vec::new(), |job| {
            verify::verify(job, &image, &selection, &[])
        });
        let _ = device.leave();
        result.map(|(compared, _)| compared)
    }

    /// Writes an image, after a backup, as the command line does.
    pub fn write(&self, image: &[u8]) -> Written {
        self.write_wrapped(image, |task_file| task_file)
    }

    pub fn write_wrapped(
        &self,
        image: &[u8],
        wrap: impl FnOnce(Box<dyn TaskFile + Send>) -> Box<dyn TaskFile + Send>,
    ) -> Written {
        let mut written = Written {
            ended: Ended::NothingToDo,
            before_change: u64::MAX,
            backup: None,
            events: Vec::new(),
        };
        let mut device = match self.open_wrapped(wrap) {
            Ok(device) => device,
            Err(error) => {
                written.ended = Ended::NotOpened(error);
                return written;
            }
        };
        let image = Image::from_bytes(image.to_vec());
        let request = change::Request {
            content: Content::Image {
                image: &image,
                record: None,
            },
            file: None,
            selection: self.kind.selection(),
            keep: self.keep.clone(),
            backup: BackupWish::File(self.fresh_path()),
            forced: Default::default(),
            circumstances: Circumstances {
                journal: self.journal(),
                date: "2004-05-21 10:00:00 UTC".parse().unwrap(),
                tool: "mtkflash".to_owned(),
            },
            dry_run: false,
            skip_if_same: false,
        };
        let prepared = self.run(&mut device, &mut written.events, |job| {
            change::prepare(job, &request)
        });
        written.ended = match prepared {
            Err(error) => Ended::NotPrepared(error),
            Ok(proposal) if proposal.is_empty() => Ended::NothingToDo,
            Ok(proposal) => {
                written.backup = backup_of(&proposal);
                written.before_change = self.handle.counters().operations;
                let done = self.run(&mut device, &mut written.events, |job| {
                    proposal.carry_out(job)
                });
                match done {
                    Ok(changed) => Ended::Done(changed),
                    Err(error) => Ended::Failed(error),
                }
            }
        };
        let _ = device.leave();
        written
    }

    /// The journal of the machine that the drive is in.
    fn journal(&self) -> Journal {
        Journal {
            place: Some(self.handle.name()),
            ..Journal::in_folder(&self.folder().join("journal"))
        }
    }

    /// A name for a backup, as fresh as one with the time in it.
    fn fresh_path(&self) -> PathBuf {
        (0..)
            .map(|number| self.folder().join(format!("backup-{number}.bin")))
            .find(|path| !path.exists())
            .unwrap()
    }

    /// The first backup that was made here, as it is on the disk.
    pub fn first_backup(&self) -> Option<Vec<u8>> {
        let path = self.folder().join("backup-0.bin");
        let bytes = fs::read(&path).ok()?;
        let record = Record::beside(&path).expect("a backup has its record beside it");
        assert_eq!(record.crc32, Crc32::of(&bytes));
        Some(bytes)
    }

    /// The part of `flash` that a backup of the selection holds: whole sectors.
    pub fn backed_up(&self, flash: &[u8]) -> Vec<u8> {
        let sector = 0x1000;
        match self.kind.range {
            Some(range) => {
                let start = range.start() / sector * sector;
                let end = range.end().div_ceil(sector) * sector;
                flash[start as usize..end as usize].to_vec()
            }
            None => flash.to_vec(),
        }
    }

    /// Leave commands sent, once for every entry.
    pub fn assert_left(&self) {
        let ata = self.handle.counters().ata;
        let sent = [0x80, 0x81, 0x08].map(|command| ata.of(command));
        assert_eq!(sent, [1, 1, 1], "80, 81 and 08");
        self.assert_decent();
    }

    /// Mode left, and nothing asked of the drive that the protocol does not know.
    pub fn assert_decent(&self) {
        assert_eq!(self.handle.violations(), [""; 0]);
        assert!(!self.handle.in_vendor_mode(), "the mode was not left");
        assert!(
            self.kind.way == Way::Packets || !self.handle.interrupts_off(),
            "the channel's interrupts are still off"
        );
    }
}

fn backup_of(proposal: &Proposal) -> Option<PathBuf> {
    match &proposal.backup {
        Backup::Made { path, .. } => Some(path.clone()),
        Backup::Earlier(earlier) => Some(earlier.path.clone()),
        _ => None,
    }
}

/// Whether what is said about the flash is so.
pub fn assert_true(ended: &Ended, before: &[u8], after: &[u8], target: &[u8]) {
    let Some(state) = ended.flash() else {
        assert!(
            after == target,
            "said to be done, and the flash holds something else"
        );
        return;
    };
    match state {
        FlashState::Unchanged => assert!(after == before, "said to be unchanged: {ended:?}"),
        // Everything was written, and it is not what it should be: there is
        // nothing to hold it to.
        FlashState::Written => {}
        FlashState::InDoubt { .. } => panic!("these drives program what they are told"),
        FlashState::Partly {
            written,
            begun,
            untouched,
        } => {
            for bank in Bank::all(u32::try_from(before.len()).unwrap()) {
                let of = |flash: &[u8]| cut(bank, flash.len()).of(flash).to_vec();
                if written.contains(&bank) {
                    assert!(of(after) == of(target), "bank {bank} is said to be written");
                } else if untouched.contains(&bank) || !begun.contains(&bank) {
                    assert!(
                        of(after) == of(before),
                        "bank {bank} is said to be as it was"
                    );
                }
            }
        }
    }
}

fn cut(bank: Bank, size: usize) -> FlashRange {
    bank.range()
        .common(FlashRange::new(0, u32::try_from(size).unwrap()))
}
