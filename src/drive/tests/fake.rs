//! A machine made of files in a temporary directory, laid out as sysfs was
//! measured to be on Linux 6.1, and a kernel that reacts to what is done to it.

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tempfile::TempDir;

use crate::drive::controller::IdeChannel;
use crate::drive::note::{Left, Undo};
use crate::drive::system::{DeviceNumber, Kernel, System};
use crate::sim::SimDriveHandle;
use crate::transport::port::{Block, Layout, PortOpenError, Ports};
use crate::transport::sg_io::{NotOpened, SgOpenError};
use crate::transport::{
    Completion, Data, OpenDrive, OpenRegisters, PacketTransport, Register, RegisterAccess,
    TransportError,
};

/// What the fake kernel remembers.
#[derive(Default)]
pub struct State {
    /// How often each node is open, and whether exclusively.
    open: HashMap<PathBuf, (u32, bool)>,
    /// Nodes that cannot be opened.
    pub denied: Vec<PathBuf>,
    /// Nodes that somebody else has claimed.
    pub claimed: Vec<PathBuf>,
    /// So many exclusive opens fail because udev is looking.
    pub looks: u32,
    /// Files that cannot be written.
    pub read_only: Vec<PathBuf>,
    /// Answers to TEST UNIT READY, the last of them for ever. None: no medium.
    pub ready: VecDeque<Completion>,
    pub serial: Option<&'static str>,
    /// INQUIRY is refused.
    pub is_silent: bool,
    /// The drive that answers behind every node, or one that knows
    /// little.
    pub drive: Option<SimDriveHandle>,
    /// Every command, with the node it went to.
    pub commands: Vec<(PathBuf, u8)>,
    /// Every write to sysfs.
    pub writes: Vec<(PathBuf, String)>,
    /// Devices that were deleted, and where they are kept meanwhile.
    deleted: Vec<(PathBuf, PathBuf)>,
    /// A node was open when a scan was asked for, so that its name was taken.
    pub was_open_at_scan: bool,
    /// Scans find nothing any more.
    pub is_deaf: bool,
    /// `delete` does nothing.
    pub is_stubborn: bool,
    /// The drives of a channel; without them registers are plain files.
    pub channel: Option<FakeChannel>,
    /// Controllers whose driver is away: the folder, what is kept of it, and
    /// the driver's folder.
    unbound: Vec<(PathBuf, PathBuf, PathBuf)>,
}

/// The channel of a simulated drive at these I/O ports, and at no others.
#[derive(Clone)]
pub struct FakeChannel {
    pub drive: SimDriveHandle,
    /// The first port of the command block.
    pub command: u64,
    pub control: u64,
}

/// Registers by the numbers of their I/O ports.
struct FakePorts {
    channel: FakeChannel,
    sim: Box<dyn RegisterAccess + Send>,
    command: u64,
    control: u64,
    /// As on VIA's controllers, where a change of nIEN resets Device.
    resets_device: bool,
}

impl FakePorts {
    fn new(channel: FakeChannel, folder: &Path, layout: &Layout) -> FakePorts {
        let resource = fs::read_to_string(folder.join("resource")).unwrap();
        let firsts: Vec<u64> = resource
            .lines()
            .map(|line| u64::from_str_radix(&line[2..18], 16).unwrap())
            .collect();
        let port = |block: Block| firsts[block.region] + block.offset;
        FakePorts {
            sim: channel.drive.registers().unwrap(),
            command: port(layout.command),
            control: port(layout.control),
            resets_device: fs::read_to_string(folder.join("vendor")).unwrap().trim() == "0x1106",
            channel,
        }
    }

    /// What is at the port where a register is looked for.
    fn at_its_port(&self, register: Register) -> Register {
        let port_of = |register: Register, command: u64, control: u64| {
            let offset = register.offset();
            offset.map_or(control, |offset| command + u64::from(offset))
        };
        let port = port_of(register, self.command, self.control);
        let is_there =
            |other: &Register| port_of(*other, self.channel.command, self.channel.control) == port;
        let found = Register::ALL.into_iter().find(is_there);
        found.unwrap_or_else(|| panic!("port {port:X}h is not the channel's"))
    }
}

impl RegisterAccess for FakePorts {
    fn read(&mut self, register: Register) -> Result<u8, TransportError> {
        self.sim.read(self.at_its_port(register))
    }

    fn write(&mut self, register: Register, value: u8) -> Result<(), TransportError> {
        let register = self.at_its_port(register);
        self.sim.write(register, value)?;
        if self.resets_device && register == Register::DeviceControl {
            self.sim.write(Register::Device, 0)?;
        }
        Ok(())
    }

    fn has_data(&self) -> bool {
        self.sim.has_data()
    }

    fn read_data(&mut self) -> Result<u16, TransportError> {
        assert_eq!(self.command, self.channel.command);
        self.sim.read_data()
    }
}

struct FakeKernel {
    root: PathBuf,
    state: Arc<Mutex<State>>,
}

pub struct FakeDrive {
    node: PathBuf,
    exclusive: bool,
    state: Arc<Mutex<State>>,
}

impl Drop for FakeDrive {
    fn drop(&mut self) {
        let mut state = self.state.lock().unwrap();
        if let Some((count, exclusive)) = state.open.get_mut(&self.node) {
            *count -= 1;
            *exclusive &= !self.exclusive;
        }
    }
}

impl PacketTransport for FakeDrive {
    fn execute(
        &mut self,
        cdb: &[u8],
        data: Data<'_>,
        timeout: Duration,
    ) -> Result<Completion, TransportError> {
        let mut state = self.state.lock().unwrap();
        state.commands.push((self.node.clone(), cdb[0]));
        let is_told = cdb[0] == 0x00 && !state.ready.is_empty();
        if let (Some(drive), false) = (&state.drive, is_told) {
            return drive.packets().unwrap().execute(cdb, data, timeout);
        }
        match (cdb[0], data) {
            (0x00, Data::None) => Ok(match state.ready.len() {
                0 => sense(0x2, 0x3A, 0x00),
                1 => state.ready[0].clone(),
                _ => state.ready.pop_front().unwrap(),
            }),
            (0x12, _) if state.is_silent => Ok(sense(0x4, 0x44, 0x00)),
            (0x12, Data::In(buffer)) if cdb[1] == 0 => {
                let reply = b"\x05\x80\x00\x32\x1f\0\0\0SONY    DVD RW DW-D22A  BYS1";
                buffer[..reply.len()].copy_from_slice(reply);
                Ok(Completion::default())
            }
            (0x12, Data::In(buffer)) => match state.serial {
                Some(serial) => {
                    buffer[..4].copy_from_slice(&[5, 0x80, 0, serial.len() as u8]);
                    buffer[4..4 + serial.len()].copy_from_slice(serial.as_bytes());
                    Ok(Completion::default())
                }
                None => Ok(sense(0x5, 0x24, 0x00)),
            },
            (0xFF, _) if self.node.to_string_lossy().contains("/sr") => {
                Err(TransportError::NotPermitted)
            }
            _ => Ok(sense(0x5, 0x20, 0x00)),
        }
    }
}

/// CHECK CONDITION with this sense, as libata brings it.
pub fn sense(key: u8, asc: u8, ascq: u8) -> Completion {
    let mut bytes = vec![0xF0, 0, key, 0, 0, 0, 0, 10, 0, 0, 0, 0, asc, ascq];
    bytes.resize(18, 0);
    Completion {
        status: 0x02,
        driver_status: 0x08,
        sense: bytes,
        ..Completion::default()
    }
}

impl Kernel for FakeKernel {
    /// A node is a file that says `b 11:0`.
    fn device_number(&self, node: &Path) -> io::Result<Option<DeviceNumber>> {
        if fs::metadata(node)?.is_dir() {
            return Ok(None);
        }
        let text = fs::read_to_string(node)?;
        let Some((kind, number)) = text.split_once(' ') else {
            return Ok(None);
        };
        let (major, minor) = number.split_once(':').unwrap();
        Ok(Some(DeviceNumber {
            is_block: kind == "b",
            major: major.parse().unwrap(),
            minor: minor.parse().unwrap(),
        }))
    }

    fn open(&self, node: &Path, exclusive: bool) -> Result<OpenDrive, SgOpenError> {
        let path = node.to_owned();
        if !node.exists() {
            return Err(NotOpened::Missing.of(node));
        }
        let mut state = self.state.lock().unwrap();
        if state.denied.contains(&path) {
            return Err(NotOpened::NotPermitted.of(node));
        }
        let is_looked_at = exclusive && state.looks > 0;
        state.looks -= u32::from(is_looked_at);
        let claimed = state.claimed.contains(&path) || is_looked_at;
        let (count, is_held) = state.open.entry(path.clone()).or_default();
        let is_block = path
            .file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with("sr");
        let busy = match (is_block, exclusive) {
            (true, false) => false,
            (true, true) => *is_held || claimed,
            (false, false) => *is_held || claimed,
            (false, true) => *count > 0 || claimed,
        };
        if busy {
            return Err(NotOpened::Busy.of(node));
        }
        *count += 1;
        *is_held |= exclusive;
        Ok(Box::new(FakeDrive {
            node: path,
            exclusive,
            state: self.state.clone(),
        }))
    }

    fn registers(&self, of: &IdeChannel) -> Result<OpenRegisters, PortOpenError> {
        let (function, layout) = of.function.as_ref().ok_or(PortOpenError::Missing)?;
        let channel = self.state.lock().unwrap().channel.clone();
        Ok(match channel {
            Some(channel) => Box::new(FakePorts::new(channel, &function.folder, layout)),
            None => Box::new(Ports::of_function(&function.folder, layout)?),
        })
    }

    fn write(&self, file: &Path, text: &str) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        fs::metadata(file)?;
        if state.read_only.iter().any(|read_only| read_only == file) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        state.writes.push((file.to_owned(), text.to_owned()));
        match file.file_name().unwrap().to_str().unwrap() {
            "delete" if state.is_stubborn => {}
            "delete" => {
                let device = file.parent().unwrap().to_owned();
                let kept = self.root.join(format!("kept{}", state.deleted.len()));
                fs::rename(&device, &kept)?;
                state.deleted.push((device, kept));
            }
            "unbind" => {
                let folder = self.root.join("sys/bus/pci/devices").join(text);
                let folder = folder.canonicalize()?;
                let driver = folder.join("driver").canonicalize()?;
                let kept = self.root.join(format!("unbound{}", state.unbound.len()));
                fs::create_dir(&kept)?;
                for entry in fs::read_dir(&folder)? {
                    let name = entry?.file_name();
                    if name.to_string_lossy().starts_with("ata") {
                        fs::rename(folder.join(&name), kept.join(&name))?;
                    }
                }
                fs::remove_file(folder.join("driver"))?;
                state.unbound.push((folder, kept, driver));
            }
            "bind" => {
                for (folder, kept, driver) in state.unbound.drain(..) {
                    for entry in fs::read_dir(&kept)? {
                        let name = entry?.file_name();
                        fs::rename(kept.join(&name), folder.join(&name))?;
                    }
                    symlink(driver, folder.join("driver"))?;
                }
            }
            "scan" if state.is_deaf => {}
            "scan" => {
                state.was_open_at_scan |= state.open.values().any(|&(count, _)| count > 0);
                for (device, kept) in state.deleted.drain(..) {
                    fs::rename(kept, device)?;
                }
            }
            _ => fs::write(file, text)?,
        }
        Ok(())
    }
}

/// A PCI function as sysfs shows it: an emulated CMD646, unless it is said
/// otherwise.
#[derive(Clone, Copy)]
pub struct FakeFunction {
    pub ids: (u16, u16),
    pub class: u32,
    /// First and last port of each region.
    pub regions: &'static [(u64, u64)],
    pub driver: Option<&'static str>,
    pub irq: u32,
}

impl FakeFunction {
    pub const CMD646: FakeFunction = FakeFunction {
        ids: (0x1095, 0x0646),
        class: 0x01018F,
        regions: &[
            (0xC000, 0xC007),
            (0xC010, 0xC013),
            (0xC020, 0xC027),
            (0xC030, 0xC033),
            (0xC040, 0xC04F),
        ],
        driver: Some("pata_cmd64x"),
        irq: 11,
    };

    /// Two SATA ports and a parallel one, each with a region of its own.
    pub const VT6421: FakeFunction = FakeFunction {
        ids: (0x1106, 0x3249),
        class: 0x01_0400,
        regions: &[
            (0xD000, 0xD00F),
            (0xD010, 0xD01F),
            (0xD020, 0xD02F),
            (0xD030, 0xD03F),
            (0xD040, 0xD05F),
            (0xD100, 0xD17F),
        ],
        driver: Some("sata_via"),
        irq: 17,
    };

    pub const PIIX3: FakeFunction = FakeFunction {
        ids: (0x8086, 0x7010),
        class: 0x010180,
        regions: &[
            (0x1F0, 0x1F7),
            (0x3F6, 0x3F6),
            (0x170, 0x177),
            (0x376, 0x376),
            (0xC040, 0xC04F),
        ],
        driver: Some("ata_piix"),
        irq: 0,
    };
}

/// The machine, built drive by drive.
pub struct Machine {
    pub system: System,
    root: PathBuf,
    state: Arc<Mutex<State>>,
    _directory: TempDir,
}

impl Machine {
    pub fn empty() -> Machine {
        // A hundred small files each: in memory where there is a place for it,
        // so that a busy disk does not make the tests slow.
        let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let directory = directory.unwrap();
        let root = directory.path().canonicalize().unwrap();
        for directory in ["sys/class", "sys/devices", "dev", "proc/self", "run"] {
            fs::create_dir_all(root.join(directory)).unwrap();
        }
        let state = Arc::new(Mutex::new(State::default()));
        let kernel = FakeKernel {
            root: root.clone(),
            state: state.clone(),
        };
        Machine {
            system: System::at(&root, Arc::new(kernel), true),
            root,
            state,
            _directory: directory,
        }
    }

    /// Two channels of ata_piix at the legacy ports, with no drives.
    pub fn piix() -> Machine {
        let machine = Machine::empty();
        machine.ports("0000:00:01.1", "ata_piix", 1, 0, 2);
        machine.function("0000:00:01.1", &FakeFunction::PIIX3);
        machine.file("proc/ioports", crate::drive::ioports::tests::PIIX);
        machine
    }

    /// The measured machine: four ATAPI drives on ata_piix, whose revisions
    /// name their positions.
    pub fn four_drives() -> Machine {
        let machine = Machine::piix();
        for (number, address, revision) in [
            (0, "0:0:0:0", "PM"),
            (1, "0:0:1:0", "PS"),
            (2, "1:0:0:0", "SM"),
            (3, "1:0:1:0", "SS"),
        ] {
            machine.drive("0000:00:01.1", number, address, revision);
        }
        machine
    }

    /// The same machine as an ordinary user sees it.
    pub fn seen_by_a_user(mut self) -> Machine {
        let kernel = FakeKernel {
            root: self.root.clone(),
            state: self.state.clone(),
        };
        self.system = System::at(&self.root, Arc::new(kernel), false);
        self
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    pub fn file(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A note as a run leaves it that was ended behind a change.
    pub fn note(&self, path: &str, file: PathBuf, text: &str) {
        let undo = Undo {
            file,
            text: text.to_owned(),
        };
        let left = Left {
            undo,
            given_up: Vec::new(),
        };
        self.file(path, &serde_json::to_string(&left).unwrap());
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    pub fn link(&self, from: &str, to: &Path) {
        let from = self.path(from);
        fs::create_dir_all(from.parent().unwrap()).unwrap();
        symlink(to, from).unwrap();
    }

    /// A PCI controller with ATA ports, `port_no` from 1, ata and host numbers
    /// from those given.
    pub fn ports(&self, pci: &str, driver: &str, first_ata: u32, first_host: u32, count: u32) {
        for number in 0..count {
            let (ata, host) = (first_ata + number, first_host + number);
            let port = format!("sys/devices/pci0000:00/{pci}/ata{ata}");
            let class = format!("{port}/ata_port/ata{ata}");
            self.file(&format!("{class}/port_no"), &format!("{}\n", number + 1));
            self.link(&format!("sys/class/ata_port/ata{ata}"), &self.path(&class));
            self.host(&format!("{port}/host{host}"), driver, host);
        }
    }

    /// What sysfs says of a PCI function, which is awake. `resource` is a line of
    /// first port and last port a region; the rest are empty.
    pub fn function(&self, pci: &str, about: &FakeFunction) {
        let folder = format!("sys/devices/pci0000:00/{pci}");
        let regions = (0..13).map(|number| match about.regions.get(number) {
            Some(&(first, last)) if last != 0 => {
                format!("{first:#018x} {last:#018x} {:#018x}\n", 0x40101)
            }
            _ => format!("{:#018x} {:#018x} {:#018x}\n", 0, 0, 0),
        });
        let (vendor, device) = about.ids;
        for (name, text) in [
            ("vendor", format!("{vendor:#06x}\n")),
            ("device", format!("{device:#06x}\n")),
            ("class", format!("{:#08x}\n", about.class)),
            ("irq", format!("{}\n", about.irq)),
            ("resource", regions.collect()),
            ("power_state", "D0\n".to_owned()),
        ] {
            self.file(&format!("{folder}/{name}"), &text);
        }
        let mut config = vec![0; 256];
        config[4] = 0x05;
        fs::write(self.path(&format!("{folder}/config")), config).unwrap();
        for (number, &(first, last)) in about.regions.iter().enumerate() {
            if last != 0 {
                let ports = vec![0; usize::try_from(last - first + 1).unwrap()];
                fs::write(self.path(&format!("{folder}/resource{number}")), ports).unwrap();
            }
        }
        self.link(&format!("sys/bus/pci/devices/{pci}"), &self.path(&folder));
        if let Some(driver) = about.driver {
            let drivers = format!("sys/bus/pci/drivers/{driver}");
            self.file(&format!("{drivers}/bind"), "");
            self.file(&format!("{drivers}/unbind"), "");
            self.link(&format!("{folder}/driver"), &self.path(&drivers));
        }
    }

    fn host(&self, directory: &str, driver: &str, host: u32) {
        let class = format!("{directory}/scsi_host/host{host}");
        self.file(&format!("{class}/proc_name"), &format!("{driver}\n"));
        self.file(&format!("{class}/scan"), "");
        self.link(
            &format!("sys/class/scsi_host/host{host}"),
            &self.path(&class),
        );
    }

    /// An optical drive on an ATA port, as sr and sg of the same number.
    pub fn drive(&self, pci: &str, number: u32, address: &str, revision: &str) {
        let directory = self.on_port(pci, address);
        self.optical(&directory, number, address, revision);
    }

    /// A USB drive, at a USB port, with a host of its own.
    pub fn usb_drive(&self, port: &str, number: u32, address: &str) {
        let (host, _) = address.split_once(':').unwrap();
        let directory =
            format!("sys/devices/pci0000:00/0000:00:14.0/usb1/{port}/{port}:1.0/host{host}");
        self.host(&directory, "usb-storage", host.parse().unwrap());
        self.optical(&directory, number, address, "USB");
    }

    /// A disk on an ATA port, with one partition.
    pub fn disk(&self, pci: &str, number: u32, address: &str) {
        let directory = self.on_port(pci, address);
        let device = self.scsi(&directory, address, 0, "QEMU HARDDISK", "2.5+");
        self.sg(&device, number);
        let (disk, partition) = ("sda", "sda1");
        self.file(&format!("{device}/block/{disk}/dev"), "8:0\n");
        self.link(
            &format!("{device}/block/{disk}/device"),
            &self.path(&device),
        );
        self.file(&format!("{device}/block/{disk}/{partition}/dev"), "8:1\n");
        let block = format!("{device}/block/{disk}");
        self.link("sys/dev/block/8:0", &self.path(&block));
        self.link(
            "sys/dev/block/8:1",
            &self.path(&format!("{block}/{partition}")),
        );
        self.file("dev/sda", "b 8:0");
        self.file("dev/sda1", "b 8:1");
    }

    fn on_port(&self, pci: &str, address: &str) -> String {
        let (host, _) = address.split_once(':').unwrap();
        let controller = format!("sys/devices/pci0000:00/{pci}");
        fs::read_dir(self.path(&controller))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .map(|name| format!("{controller}/{name}/host{host}"))
            .find(|directory| self.path(directory).exists())
            .unwrap()
    }

    fn optical(&self, directory: &str, number: u32, address: &str, revision: &str) {
        let device = self.scsi(directory, address, 5, "DVD RW DW-D22A", revision);
        self.sg(&device, number);
        let block = format!("{device}/block/sr{number}");
        self.file(&format!("{block}/dev"), &format!("11:{number}\n"));
        self.file(&format!("{block}/events_poll_msecs"), "-1\n");
        self.link(&format!("{block}/device"), &self.path(&device));
        self.link(&format!("sys/dev/block/11:{number}"), &self.path(&block));
        self.link(&format!("sys/class/block/sr{number}"), &self.path(&block));
        self.file(&format!("dev/sr{number}"), &format!("b 11:{number}"));
    }

    fn sg(&self, device: &str, number: u32) {
        let sg = format!("{device}/scsi_generic/sg{number}");
        self.file(&format!("{sg}/dev"), &format!("21:{number}\n"));
        self.link(&format!("{sg}/device"), &self.path(device));
        self.link(&format!("sys/dev/char/21:{number}"), &self.path(&sg));
        self.link(
            &format!("sys/class/scsi_generic/sg{number}"),
            &self.path(&sg),
        );
        self.file(&format!("dev/sg{number}"), &format!("c 21:{number}"));
    }

    fn scsi(&self, host: &str, address: &str, kind: u8, model: &str, revision: &str) -> String {
        let (target, _) = address.rsplit_once(':').unwrap();
        let device = format!("{host}/target{target}/{address}");
        for (name, text) in [
            ("type", format!("{kind}\n")),
            ("vendor", "SONY    \n".to_owned()),
            ("model", format!("{model:16}\n")),
            ("rev", format!("{revision:4}\n")),
            ("delete", String::new()),
        ] {
            self.file(&format!("{device}/{name}"), &text);
        }
        let class = format!("{device}/scsi_device/{address}");
        self.link(&format!("{class}/device"), &self.path(&device));
        self.link(
            &format!("sys/class/scsi_device/{address}"),
            &self.path(&class),
        );
        device
    }

    /// As if the sg module were not loaded.
    pub fn unload_sg(&self) {
        let devices = self.path("sys/class/scsi_device");
        for entry in fs::read_dir(devices).unwrap() {
            let device = entry.unwrap().path().join("device");
            fs::remove_dir_all(device.join("scsi_generic")).unwrap();
        }
        fs::remove_dir_all(self.path("sys/class/scsi_generic")).unwrap();
        for entry in fs::read_dir(self.path("dev")).unwrap() {
            let path = entry.unwrap().path();
            if path
                .file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("sg")
            {
                fs::remove_file(path).unwrap();
            }
        }
    }

    /// Unplugs a drive.
    pub fn unplug(&self, number: u32, address: &str) {
        let class = self.path(&format!("sys/class/scsi_device/{address}"));
        fs::remove_dir_all(class.join("device").canonicalize().unwrap()).unwrap();
        for link in [
            format!("sys/class/scsi_device/{address}"),
            format!("sys/dev/block/11:{number}"),
            format!("sys/dev/char/21:{number}"),
            format!("sys/class/block/sr{number}"),
            format!("sys/class/scsi_generic/sg{number}"),
            format!("dev/sr{number}"),
            format!("dev/sg{number}"),
        ] {
            fs::remove_file(self.path(&link)).unwrap();
        }
    }

    /// A process that has a node open.
    pub fn process(&self, pid: u32, name: &str, node: &str) {
        self.file(&format!("proc/{pid}/comm"), &format!("{name}\n"));
        self.link(&format!("proc/{pid}/fd/7"), &self.path(node));
    }

    /// A mounted disc, as mountinfo and the kernel's claim on the node show it.
    pub fn mount(&self, number: u32, at: &str) {
        let line = format!("61 22 11:{number} / {at} ro - iso9660 /dev/sr{number} ro\n");
        self.file("proc/self/mountinfo", &line);
        self.state()
            .claimed
            .push(self.path(&format!("dev/sr{number}")));
    }

    /// A message with this machine's paths as those of a real one.
    pub fn told(&self, message: &impl ToString) -> String {
        message.to_string().replace(self.root.to_str().unwrap(), "")
    }
}
