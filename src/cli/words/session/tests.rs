use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::super::super::args;
use super::super::super::progress::Progress;
use super::super::super::prompt;
use super::super::super::user::{AtTerminal, wish};
use super::event::{guessed, polled, said};
use super::*;
use crate::cli::log::Log;
use crate::cli::manner::Manner;
use crate::cli::outcome::Outcome;
use crate::cli::output::Output;
use crate::cli::renderings::RENDERINGS;
use crate::cli::tests::every::{every, shown, table};
use crate::cli::words::terms;
use crate::drive::channel::{self, ChannelError, Release};
use crate::drive::controller::{IdeChannel, NotByPorts, WhyNot};
use crate::drive::note::{NoteError, Settled, Undo};
use crate::drive::pci::PciAddress;
use crate::drive::tests::fake::{FakeFunction, Machine};
use crate::drive::{
    HoldError, Holder, LocateError, Located, Obstacle, PortName, Position, ScsiAddress,
    locate_path, locate_position,
};
use crate::job::StopFlag;
use crate::protocol::Doing;
use crate::scsi::{DeviceType, PacketDevice};
use crate::session::identify::{Identified, by_kernel, by_ports};
use crate::session::{self, Guess, Host};
use crate::transport::port::{Channel, PortOpenError};
use crate::transport::sg_io::NotOpened;
use crate::transport::{Completion, IdentifyError, Instead};

const PIIX: &str = "0000:00:01.1";
const POLL: &str = "/sys/devices/pci0000:00/0000:00:01.1/ata2/host1/target1:0:0/1:0:0:0/block/sr2/\
                    events_poll_msecs";
const SCAN: &str = "/sys/devices/pci0000:00/0000:00:01.1/ata2/host1/scsi_host/host1/scan";

fn parsed(words: &[&str]) -> (Request, Request) {
    let words: Vec<OsString> = words.iter().map(OsString::from).collect();
    let request = args::parse(words.iter().cloned()).unwrap();
    let typed = request.clone();
    (request, typed)
}

/// A command whose file has a name that a shell would take apart.
fn typed() -> Request {
    parsed(&["mtkflash", "3", "r", "/m", "/b", "my backup.bin"]).1
}

/// What a run ends in, with this machine's paths as real ones.
fn ended_as(machine: &Machine, words: &[&str]) -> String {
    let (mut request, typed) = parsed(words);
    let name = match request.drives.remove(0) {
        DriveName::Path(path) => {
            DriveName::Path(machine.path(path.strip_prefix("/").unwrap().to_str().unwrap()))
        }
        name => name,
    };
    let mut user = AtTerminal {
        drive: &name,
        output: &Output::new(
            Manner::default(),
            RENDERINGS,
            Outcome::default(),
            &Log::default(),
        ),
        progress: &mut Progress::new(Manner::default(), &request, None),
        stop: &StopFlag::default(),
        request: &typed,
        unwanted: None,
    };
    let host = Host::of(machine.system.clone());
    let wish = wish(&request).ok().unwrap();
    let error = session::open(&host, &name, &wish, &mut user).err();
    machine.told(&shown(&failure(error.unwrap(), &typed)))
}

/// The same through the kernel.
fn ended(machine: &Machine, drive: &str) -> String {
    ended_as(machine, &["mtkflash", drive, "c"])
}

/// The same of a run by the ports, which has left the kernel alone.
fn ended_by_ports(machine: &Machine, node: &str) -> String {
    let node = format!("/{node}");
    let told = ended_as(machine, &["mtkflash", &node, "c", "--via", "port", "--yes"]);
    assert_eq!(machine.state().writes, []);
    told
}

#[test]
fn the_ports_are_not_for_every_drive() {
    let native = Machine::empty();
    native.ports("0000:00:05.0", "pata_odd", 1, 0, 2);
    native.drive("0000:00:05.0", 0, "0:0:0:0", "J0");
    let ahci = Machine::empty();
    ahci.ports("0000:00:1f.2", "ahci", 1, 0, 6);
    let about = FakeFunction {
        ids: (0x8086, 0x2922),
        class: 0x01_0601,
        driver: Some("ahci"),
        ..FakeFunction::CMD646
    };
    ahci.function("0000:00:1f.2", &about);
    ahci.drive("0000:00:1f.2", 0, "0:0:0:0", "A0");
    insta::assert_snapshot!(
        [
            ended_by_ports(&native, "dev/sr0"),
            ended_by_ports(&ahci, "dev/sr0"),
            ended_as(
                &ahci,
                &["mtkflash", "pci-0000:00:1f.2-ata-1.0", "c", "--via", "port"]
            ),
            ended_as(&ahci, &["mtkflash", "pci-0000:00:1f.2-ata-2.0", "c"]),
        ]
        .join("\n\n")
    );
}

#[test]
fn a_drive_on_such_a_channel_is_taken_by_its_ports_first() {
    let native = Machine::empty();
    native.ports("0000:03:00.0", "pata_cmd64x", 1, 0, 2);
    native.function("0000:03:00.0", &FakeFunction::CMD646);
    native.drive("0000:03:00.0", 0, "1:0:0:0", "J0");
    let shared = " 11: 5 IO-APIC 11-fasteoi uhci_hcd:usb1, pata_cmd64x, eth0\n";
    native.file("proc/interrupts", shared);
    let user = Machine::four_drives().seen_by_a_user();
    let locked = Machine::four_drives();
    locked.file(
        "sys/kernel/security/lockdown",
        "none [integrity] confidentiality\n",
    );
    insta::assert_snapshot!(
        [
            ended(&Machine::four_drives(), "3"),
            ended(&native, "/dev/sr0"),
            ended(&user, "3"),
            ended(&locked, "3"),
        ]
        .join("\n\n")
    );
}

fn located(machine: &Machine, position: u8) -> Result<Located, LocateError> {
    locate_position(&machine.system, Position::new(position).unwrap())
}

fn two_controllers() -> Machine {
    let machine = Machine::empty();
    machine.ports("0000:00:05.0", "pata_jmicron", 1, 0, 2);
    machine.ports("0000:00:06.0", "pata_via", 3, 2, 2);
    machine
}

#[test]
fn a_drive_that_is_not_found() {
    let machine = Machine::piix();
    let with_others = Machine::piix();
    with_others.usb_drive("1-2", 0, "9:0:0:0");
    let without_ports = Machine::empty();
    let ambiguous = two_controllers();
    let with_choice = two_controllers();
    with_choice.drive("0000:00:05.0", 0, "0:0:0:0", "J0");
    with_choice.drive("0000:00:06.0", 1, "2:0:0:0", "V0");
    let with_disk = Machine::piix();
    with_disk.disk(PIIX, 0, "0:0:0:0");
    let path = || PathBuf::from("/dev/disk/by-id/my drive");
    let errors = every!(LocateError:
        LocateError::NoDrive { .. } => [
            located(&machine, 3).unwrap_err(),
            located(&with_others, 3).unwrap_err(),
            located(&without_ports, 3).unwrap_err(),
        ],
        LocateError::Ambiguous { .. } => [
            located(&ambiguous, 1).unwrap_err(),
            located(&with_choice, 1).unwrap_err(),
        ],
        LocateError::NotOptical { .. } => [
            located(&with_disk, 1).unwrap_err(),
            locate_path(&with_disk.system, &with_disk.path("dev/sda1")).unwrap_err(),
        ],
        LocateError::NothingAtPort { .. } => [
            LocateError::NothingAtPort { name: PortName::parse("pci-0000:03:00.0-ata-2.0").unwrap() },
        ],
        LocateError::NotADrive { .. } => [LocateError::NotADrive { path: path() }],
        LocateError::NoDevice { .. } => [LocateError::NoDevice { path: path() }],
        LocateError::InTheWay(_) => [Obstacle::NodeMissing { node: path() }.into()],
        LocateError::Io { .. } => [LocateError::Io { path: path(), source: denied() }],
    );
    insta::assert_snapshot!(table(errors, |error| {
        let failure = not_located(&error, &typed());
        with_disk.told(&with_choice.told(&with_others.told(&shown(&failure))))
    }));
}

#[test]
fn a_user_is_told_to_try_the_ports_as_root() {
    let machine = Machine::piix().seen_by_a_user();
    insta::assert_snapshot!(ended(&machine, "3"));
}

fn denied() -> io::Error {
    io::Error::from_raw_os_error(nix::libc::EACCES)
}

fn failed() -> io::Error {
    io::Error::from_raw_os_error(nix::libc::EIO)
}

#[test]
fn a_drive_that_is_not_held() {
    let node = || PathBuf::from("/dev/sr2");
    let sysfs =
        PathBuf::from("/sys/devices/pci0000:00/0000:00:01.1/ata2/host1/target1:0:0/1:0:0:0");
    let transport = |source| HoldError::Transport {
        node: node(),
        source,
    };
    let errors = every!(HoldError:
        HoldError::InTheWay(_) => [Obstacle::NoSgModule.into()],
        HoldError::Medium { .. } => [HoldError::Medium { node: node() }],
        HoldError::Starting { .. } => [HoldError::Starting { node: node() }],
        HoldError::Changed { .. } => [HoldError::Changed { sysfs }],
        HoldError::Transport { .. } => [
            transport(TransportError::Vanished),
            transport(TransportError::NotPermitted),
            transport(TransportError::Io(failed())),
        ],
    );
    insta::assert_snapshot!(table(errors, |error| shown(&not_held(&error, &typed()))));
}

fn mount() -> Holder {
    Holder::Mount {
        at: PathBuf::from("/media/My Disc"),
    }
}

fn process(name: &str) -> Holder {
    Holder::Process {
        pid: 4711,
        name: name.to_owned(),
    }
}

fn device() -> Holder {
    Holder::Device {
        name: "dm-0".to_owned(),
    }
}

#[test]
fn what_stands_in_the_way() {
    let node = || PathBuf::from("/dev/sg2");
    let path = node;
    let busy = |holders| Obstacle::Busy {
        node: node(),
        holders,
    };
    let filtered = |has_sg| Obstacle::Filtered {
        node: PathBuf::from("/dev/sr2"),
        has_sg,
    };
    let nodes = every!(NotOpened:
        NotOpened::Missing => [NotOpened::Missing],
        NotOpened::NoDevice => [NotOpened::NoDevice],
        NotOpened::NotPermitted => [NotOpened::NotPermitted],
        NotOpened::Busy => [NotOpened::Busy],
        NotOpened::NotScsi => [NotOpened::NotScsi],
        NotOpened::Io(_) => [NotOpened::Io(failed())],
    );
    let nodes = nodes.into_iter().map(|why| why.of(&path()));
    let ports = every!(PortOpenError:
        PortOpenError::Missing => [PortOpenError::Missing],
        PortOpenError::NotADevice => [PortOpenError::NotADevice],
        PortOpenError::NoResource { .. } => [
            PortOpenError::NoResource { path: "/sys/bus/pci/devices/0000:03:00.0/resource2".into() },
        ],
        PortOpenError::NotPermitted { .. } => [
            PortOpenError::NotPermitted { path: "/dev/port".into() },
        ],
        PortOpenError::KernelRefuses => [PortOpenError::KernelRefuses],
        PortOpenError::Io { .. } => [
            PortOpenError::Io { path: "/dev/port".into(), source: failed() },
        ],
    );
    let mut obstacles = every!(Obstacle:
        Obstacle::NotInGroup { .. } => [
            Obstacle::NotInGroup { node: node(), group: "cdrom".to_owned() },
        ],
        Obstacle::NeedsRoot { .. } => [Obstacle::NeedsRoot { node: node() }],
        Obstacle::Container { .. } => [Obstacle::Container {
            node: node(),
            nodes: vec!["/dev/sr2".into(), node()],
        }],
        Obstacle::PortsInContainer => [Obstacle::PortsInContainer],
        Obstacle::Refused { .. } => [Obstacle::Refused { node: node() }],
        Obstacle::NodeMissing { .. } => [Obstacle::NodeMissing { node: node() }],
        Obstacle::NodeNotMade { .. } => [Obstacle::NodeNotMade { node: node() }],
        Obstacle::NoSgModule => [Obstacle::NoSgModule],
        Obstacle::NoNode { .. } => [
            Obstacle::NoNode { address: ScsiAddress::parse("1:0:0:0").unwrap() },
        ],
        Obstacle::Filtered { .. } => [filtered(false), filtered(true)],
        Obstacle::Busy { .. } => [
            busy(vec![mount(), process("vlc")]),
            busy(vec![process("vlc"), process("k3b")]),
            busy(vec![process("mtkflash")]),
            busy(vec![device()]),
            busy(Vec::new()),
        ],
        Obstacle::LockedDown { .. } => [
            Obstacle::LockedDown { mode: "integrity".to_owned() },
        ],
        Obstacle::NoPorts => [Obstacle::NoPorts],
        Obstacle::PortsNeedRoot => [Obstacle::PortsNeedRoot],
        Obstacle::Open(_) => [Obstacle::Open(NotOpened::Missing.of(&path()))],
        Obstacle::PortOpen(_) => [Obstacle::PortOpen(PortOpenError::Missing)],
    );
    obstacles.extend(nodes.map(Obstacle::Open));
    obstacles.extend(ports.into_iter().map(Obstacle::PortOpen));
    insta::assert_snapshot!(table(obstacles, |obstacle| shown(&in_the_way(
        &obstacle,
        &typed()
    ))));
}

fn polling() -> Undo {
    Undo {
        file: PathBuf::from(POLL),
        text: "-1".to_owned(),
    }
}

fn scan() -> Undo {
    Undo {
        file: PathBuf::from(SCAN),
        text: "- - -".to_owned(),
    }
}

fn notes() -> Vec<NoteError> {
    every!(NoteError:
        NoteError::Held => [NoteError::Held],
        NoteError::Io { .. } => [
            NoteError::Io {
                path: PathBuf::from("/run/mtkflash/channel-secondary"),
                source: denied(),
            },
        ],
        NoteError::NotOurs { .. } => [
            NoteError::NotOurs { path: PathBuf::from("/run/mtkflash") },
        ],
        NoteError::NotSettled { .. } => [NoteError::NotSettled { undo: scan(), source: denied() }],
        NoteError::NotTakenBack { .. } => [
            NoteError::NotTakenBack { undo: scan(), source: failed() },
        ],
    )
}

fn seen(machine: &Machine, channel: Channel) -> ChannelState {
    let access = IdeChannel::of_legacy(&machine.system, channel).unwrap();
    channel::inspect(&machine.system, &access, Release::Devices).unwrap()
}

fn controllers() -> Vec<NotByPorts> {
    let address = PciAddress::parse("0000:03:00.0").unwrap();
    let port = 2;
    every!(WhyNot:
        WhyNot::NoFunction => [WhyNot::NoFunction],
        WhyNot::NotIde { .. } => [WhyNot::NotIde { class: 0x02_0000 }],
        WhyNot::Ahci => [WhyNot::Ahci],
        WhyNot::OwnEngine { .. } => [
            WhyNot::OwnEngine { name: "Promise controller" },
        ],
        WhyNot::RaidMode { .. } => [WhyNot::RaidMode { name: "ITE IT8212" }],
        WhyNot::NoPort { .. } => [WhyNot::NoPort { port: 4 }],
        WhyNot::NoSlave { .. } => [WhyNot::NoSlave { port }],
        WhyNot::NoRegion { .. } => [WhyNot::NoRegion { port, region: 2 }],
        WhyNot::NoDriver => [WhyNot::NoDriver],
        WhyNot::GivenAway { .. } => [
            WhyNot::GivenAway { driver: "vfio-pci".to_owned() },
        ],
        WhyNot::PortsOff => [WhyNot::PortsOff],
        WhyNot::Changed => [WhyNot::Changed],
        WhyNot::Asleep { .. } => [
            WhyNot::Asleep { state: "D3hot".to_owned() },
        ],
    )
    .into_iter()
    .map(|why| why.of(address))
    .collect()
}

#[test]
fn a_controller_that_is_not_for_its_ports() {
    let errors = controllers().into_iter().map(ChannelError::from);
    let told = errors.map(|error| shown(&not_detached(&error, &typed())));
    insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n\n"));
}

fn channel_errors(machine: &Machine) -> Vec<ChannelError> {
    let channel = Channel::Secondary;
    let state = seen(machine, channel);
    let device = |number: usize| Box::new(state.devices[number].clone());
    let on = || "the secondary channel".to_owned();
    let used = |holders| {
        let mut device = device(0);
        device.holders = holders;
        ChannelError::InUse { on: on(), device }
    };
    let mut disk = device(1);
    disk.located.device_type = DeviceType(0);
    let mut errors = every!(ChannelError:
        ChannelError::NoChannel { .. } => [ChannelError::NoChannel { channel }],
        ChannelError::NoDriver { .. } => [
            ChannelError::NoDriver { on: on(), controller: "0000:00:1f.1".to_owned() },
        ],
        ChannelError::Hidden => [ChannelError::Hidden],
        ChannelError::OtherDriver { .. } => [
            ChannelError::OtherDriver { on: on(), driver: "ide1".to_owned() },
        ],
        ChannelError::NotOptical { .. } => [ChannelError::NotOptical { on: on(), device: disk }],
        ChannelError::InUse { .. } => [
            used(vec![mount()]),
            used(vec![process("vlc")]),
            used(vec![process("mtkflash")]),
        ],
        ChannelError::NotByPorts(_) => [controllers().remove(0).into()],
        ChannelError::SharedLine { .. } => [
            ChannelError::SharedLine { on: on(), irq: 11, disks: vec!["sda".to_owned()] },
        ],
        ChannelError::InTheWay(_) => [Obstacle::PortsNeedRoot.into()],
        ChannelError::Note(_) => [NoteError::Held.into()],
        ChannelError::NotDetached { .. } => [
            ChannelError::NotDetached {
                device: state.devices[0].located.sysfs.clone(),
                source: io::ErrorKind::ResourceBusy.into(),
            },
        ],
        ChannelError::NotBack { .. } => [
            ChannelError::NotBack {
                missing: state.devices.iter().map(|device| device.name()).collect(),
                undo: state.undo.clone(),
            },
        ],
    );
    errors.extend(notes().into_iter().map(ChannelError::Note));
    errors
}

#[test]
fn a_channel_that_is_not_taken() {
    let machine = Machine::four_drives();
    insta::assert_snapshot!(table(channel_errors(&machine), |error| {
        machine.told(&shown(&not_detached(&error, &typed())))
    }));
}

#[test]
fn a_channel_that_does_not_come_back() {
    let machine = Machine::four_drives();
    insta::assert_snapshot!(table(channel_errors(&machine), |error| {
        machine.told(&not_brought_back(&error, &typed()).to_string())
    }));
}

#[test]
fn what_the_ports_cost_is_asked_for() {
    let machine = Machine::four_drives();
    let state = seen(&machine, Channel::Secondary);
    let question = question(&state);
    let told = [
        prompt::asked(&question),
        shown(&Failure::nobody_to_ask("", question.clone())),
    ];
    insta::assert_snapshot!(machine.told(&told.join("\n\n")));
}

#[test]
fn what_a_crashed_run_has_left_is_told() {
    let outcomes = vec![
        Settled {
            undo: polling(),
            outcome: Ok(()),
        },
        Settled {
            undo: scan(),
            outcome: Ok(()),
        },
        Settled {
            undo: polling(),
            outcome: Err(denied()),
        },
        Settled {
            undo: scan(),
            outcome: Err(denied()),
        },
    ];
    insta::assert_snapshot!(table(outcomes, |settled| event::settled(&settled).to_string()));
}

#[test]
fn polling_that_goes_on_is_told() {
    insta::assert_snapshot!(table(notes(), |why| polled(&why)));
}

#[test]
fn a_guess_is_said_to_be_one() {
    let guess = Guess {
        port: 3,
        node: Some(PathBuf::from("/dev/sr0")),
    };
    insta::assert_snapshot!(guessed(&DriveName::Index(3), &guess));
}

#[test]
fn the_ports_have_no_drive_of_another_kind() {
    let machine = Machine::piix();
    machine.usb_drive("1-2", 0, "9:0:0:0");
    let words = ["mtkflash", "/dev/sr0", "c", "--via", "port"];
    insta::assert_snapshot!(ended_as(&machine, &words));
}

#[test]
fn the_whole_way_to_a_drive_ends_where_something_is_in_it() {
    let mounted = Machine::four_drives();
    mounted.mount(2, "/media/My\\040Disc");
    let held = Machine::four_drives();
    held.process(4711, "mtkflash", "dev/sg2");
    held.state().claimed.push(held.path("dev/sg2"));
    let with_disc = Machine::four_drives();
    with_disc.state().ready.push_back(Completion::default());
    let contained = Machine::four_drives();
    contained.file(".dockerenv", "");
    contained.state().denied.push(contained.path("dev/sr2"));
    let empty = Machine::four_drives();
    let told = [
        ended(&mounted, "3"),
        ended(&held, "3"),
        ended(&with_disc, "/dev/sg2"),
        ended(&contained, "3"),
        ended(&empty, "/dev/sr9"),
    ];
    insta::assert_snapshot!(told.join("\n\n"));
}

fn packet_device(model: &str, firmware: &str) -> PacketDevice {
    PacketDevice {
        device_type: DeviceType::OPTICAL,
        model: model.into(),
        firmware: firmware.into(),
        serial: None,
    }
}

fn sony(revision: &str) -> Identity {
    Identity {
        vendor: "SONY".into(),
        product: "DVD RW DW-D22A".into(),
        revision: revision.into(),
        serial: None,
    }
}

fn identified(by: &Identified) -> String {
    let identity = match &by.identity {
        Some(identity) => terms::identity(identity),
        None => "unknown".into(),
    };
    let told = by.said.as_ref().map(said).unwrap_or_default();
    format!("{told}-> {identity}\n")
}

#[test]
fn on_the_ports_the_drive_s_own_word_counts() {
    let silent = || Err(IdentifyError::TimedOut(Duration::from_secs(5)));
    let told: String = [
        (
            Ok(packet_device("SONY DVD RW DW-D22A", "BYS2")),
            Some(sony("BYS1")),
        ),
        (Ok(packet_device("SONY DVD RW DW-D22A", "BYS2")), None),
        (
            Ok(packet_device("LITE-ON DVDRW SOHW-1693S", "KS0B")),
            Some(sony("BYS1")),
        ),
        (Ok(packet_device("", "")), Some(sony("BYS1"))),
        (silent(), Some(sony("BYS1"))),
        (silent(), None),
        (Err(IdentifyError::NotReady { status: 0x70 }), None),
        (Err(IdentifyError::NoData), Some(sony("BYS1"))),
        (Err(IdentifyError::NoData), None),
    ]
    .into_iter()
    .map(|(answer, known_as)| identified(&by_ports(answer, known_as).unwrap()))
    .collect();
    insta::assert_snapshot!(told);
}

#[test]
fn every_reason_for_silence_on_the_ports_is_told() {
    let errors = every!(IdentifyError:
        IdentifyError::NoData => [IdentifyError::NoData],
        IdentifyError::NotReady { .. } => [IdentifyError::NotReady { status: 0xD0 }],
        IdentifyError::TimedOut(_) => [IdentifyError::TimedOut(Duration::from_secs(5))],
        IdentifyError::Refused(_) => [IdentifyError::Refused(Instead::Status(0x51))],
        IdentifyError::Empty => [IdentifyError::Empty],
        IdentifyError::Transport(_) => [TransportError::Vanished.into()],
    );
    insta::assert_snapshot!(table(errors, |error| {
        identified(&by_ports(Err(error), Some(sony("BYS1"))).unwrap())
    }));
}

#[test]
fn what_is_no_optical_drive_is_refused_by_its_type() {
    let tape = PacketDevice {
        device_type: DeviceType(1),
        ..packet_device("TAPE 1", "A")
    };
    let error = by_ports(Ok(tape), None).unwrap_err();
    insta::assert_snapshot!(shown(&failure(error, &typed())));
}

#[test]
fn through_the_kernel_inquiry_counts_and_identify_fills_in() {
    let other = || Ok(packet_device("LITE-ON DVDRW SOHW-1693S", "KS0B"));
    let told: String = [
        (other(), Some(sony("BYS1"))),
        (other(), None),
        (Err(IdentifyError::Empty), Some(sony("BYS1"))),
        (Err(IdentifyError::Empty), None),
    ]
    .into_iter()
    .map(|(answer, identity)| identified(&by_kernel(answer, identity)))
    .collect();
    insta::assert_snapshot!(told);
}

fn drive_3() -> Label {
    Label {
        called: DriveName::Index(3),
        at: At::Node(PathBuf::from("/dev/sr2")),
    }
}

fn told_of(errors: Vec<OpenError>) -> String {
    table(errors, |error| shown(&failure(error, &typed())))
}

#[test]
fn a_node_that_has_become_a_disk() {
    insta::assert_snapshot!(told_of(vec![OpenError::NotOptical {
        label: drive_3(),
        device_type: DeviceType(0),
    }]));
}

#[test]
fn a_drive_that_takes_no_command() {
    insta::assert_snapshot!(told_of(vec![
        OpenError::TakesNoCommand {
            label: drive_3(),
            source: TransportError::Vanished.into(),
        },
        Obstacle::NoSgModule.into(),
    ]));
}

#[test]
fn a_way_that_the_drive_does_not_have() {
    insta::assert_snapshot!(told_of(vec![
        OpenError::PortsOutOfReach(TransportError::Io(failed())),
        OpenError::InUse {
            label: Label {
                called: DriveName::Index(3),
                at: At::Bench,
            }
        },
        OpenError::NoState {
            label: Label {
                called: DriveName::Index(3),
                at: At::Bench,
            },
            source: nix::errno::Errno::EMFILE.into(),
        },
        OpenError::Void {
            name: DriveName::Index(3)
        },
        OpenError::Storm {
            neighbours: vec!["uhci_hcd:usb1".to_owned(), "eth0".to_owned()],
            source: TransportError::Storm { interrupts: 10_001 },
        },
        OpenError::NoWait {
            source: WhyNot::NoDriver
                .of(PciAddress::parse("0000:03:00.0").unwrap())
                .into(),
        },
        OpenError::UnknownToKernel { label: drive_3() },
    ]));
}

#[test]
fn a_drive_that_is_not_left_as_it_was_found() {
    let errors = [
        TransportError::Vanished.into(),
        TaskFileError::Status {
            expected: 0x50,
            found: 0x70,
        },
    ];
    let told = errors.map(|source| {
        let error = LeaveError::Drive(DeviceError::TaskFile {
            doing: Doing::Leave,
            at: None,
            source,
        });
        [false, true].map(|advised| not_left(&error, advised, &typed()).to_string())
    });
    insta::assert_snapshot!(told.concat().join("\n"));
}
