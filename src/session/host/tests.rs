//! The way to a drive by the ports of its channel: a kernel made of files, and a
//! simulated drive at the I/O ports where the controller's documents have them.

use std::fs;
use std::time::Duration;

use super::*;
use crate::cli::words::InWords;
use crate::drive::tests::fake::{FakeChannel, FakeFunction, Machine as Files};
use crate::flash::Offset;
use crate::session::{Answer, Event, Session, User, Via, open};
use crate::sim::{Bench, SimDriveHandle};

const CARD: &str = "0000:03:00.0";

/// Hears everything, and answers what it is told to.
struct Listener {
    heard: Vec<&'static str>,
    answer: Answer,
}

impl Listener {
    fn who_says(answer: Answer) -> Listener {
        Listener {
            heard: Vec::new(),
            answer,
        }
    }
}

impl User for Listener {
    fn tell(&mut self, event: Event) {
        self.heard.push(match event {
            Event::Settled(_) => "settled",
            Event::TakenOver => "taken over",
            Event::Detected(_) => "detected",
            Event::GivenUp(_) => "given up",
            Event::Said(_) => "said",
            Event::Waiting(_) => "waiting",
            Event::NotGivenBack(_) => "not given back",
            _ => "something else",
        });
    }

    fn may_take(&mut self, _: &ChannelState) -> Answer {
        self.heard.push("asked");
        self.answer
    }

    fn wants_to_stop(&self) -> bool {
        false
    }
}

/// A machine with one controller, and a simulated drive on one of its channels.
struct Setup {
    files: Files,
    drive: SimDriveHandle,
    host: Host,
    _bench: Bench,
}

/// `lines` say more of the drive, which is a master.
fn setup(about: &FakeFunction, lines: &str, command: u64, control: u64) -> Setup {
    setup_of(about, 3, lines, command, control)
}

/// The same, of the drive at a position of the bench: even ones are slaves.
fn setup_of(about: &FakeFunction, position: u8, lines: &str, command: u64, control: u64) -> Setup {
    let text = format!("[[drive]]\nposition = {position}\n{lines}\n");
    let bench = Bench::from_text(&text).unwrap();
    let drive = bench.drive(position).unwrap().clone();
    let files = Files::empty();
    let (pci, ports) = match about.driver {
        Some("ata_piix") => {
            files.file("proc/ioports", crate::drive::ioports::tests::PIIX);
            ("0000:00:01.1", 2)
        }
        Some("sata_via") if about.ids.1 == 0x3249 => (CARD, 3),
        _ => (CARD, 2),
    };
    files.ports(pci, about.driver.unwrap(), 1, 0, ports);
    files.function(pci, about);
    files.state().channel = Some(FakeChannel {
        drive: drive.clone(),
        command,
        control,
    });
    let host = Host::with_clock(files.system.clone(), drive.clock());
    Setup {
        files,
        drive,
        host,
        _bench: bench,
    }
}

const SONY: &str = "vendor = \"SONY\"\nproduct = \"DVD RW DW-D22A\"\nrevision = \"BYS1\"\n\
                    chip = \"SST39SF020\"\ncontents = { recipe = \"firmware\", seed = 1 }";

impl Setup {
    /// A CMD646 in native mode, with the drive on its second channel.
    fn native() -> Setup {
        let setup = setup(&FakeFunction::CMD646, SONY, 0xC020, 0xC032);
        setup.files.drive(CARD, 0, "1:0:0:0", "BYS1");
        setup
    }

    fn open(
        &self,
        name: &DriveName,
        wish: &Wish,
        user: &mut Listener,
    ) -> Result<Session, OpenError> {
        open(&self.host, name, wish, user)
    }

    fn sr0(&self) -> DriveName {
        DriveName::Path(self.files.path("dev/sr0"))
    }

    /// What was written to sysfs but for media polling, by the last parts of the
    /// paths.
    fn writes(&self) -> Vec<String> {
        let state = self.files.state();
        let told = state.writes.iter().map(|(file, text)| {
            let parent = file.parent().unwrap().file_name().unwrap();
            let file = file.file_name().unwrap();
            format!("{} {} {text}", parent.display(), file.display())
        });
        told.filter(|told| !told.contains("events_poll_msecs"))
            .collect()
    }

    fn is_as_before(&self) {
        assert_eq!(self.drive.violations(), [""; 0]);
        self.is_given_back();
    }

    fn is_given_back(&self) {
        assert!(!self.drive.in_vendor_mode());
        assert!(!self.drive.interrupts_off());
        assert!(self.files.path("dev/sr0").exists());
        let notes = fs::read_dir(self.files.path("run/mtkflash"));
        assert_eq!(notes.map_or(0, Iterator::count), 0);
    }
}

fn port(text: &str) -> DriveName {
    DriveName::Port(PortName::parse(text).unwrap())
}

fn by_ports() -> Wish {
    Wish {
        via: Some(Via::Port),
        ..Wish::default()
    }
}

fn reads_its_flash(session: &mut Session, drive: &SimDriveHandle) {
    let mut bytes = [0; 64];
    session.device.read(Offset(0x4000), &mut bytes).unwrap();
    assert_eq!(bytes, drive.flash()[0x4000..0x4040]);
}

#[test]
fn a_drive_on_a_native_channel_is_read_by_its_ports_and_given_back() {
    let setup = Setup::native();
    let mut user = Listener::who_says(Answer::Yes);
    let mut session = setup
        .open(&setup.sr0(), &Wish::default(), &mut user)
        .unwrap();
    assert_eq!(user.heard, ["detected", "asked", "said"]);
    assert_eq!(session.label.called, port("pci-0000:03:00.0-ata-2.0"));
    assert!(session.is_off_kernel() && setup.drive.interrupts_off());
    assert_eq!(setup.writes(), ["1:0:0:0 delete 1"]);
    assert_eq!(session.device.info().route, Route::ControllerPorts);
    reads_its_flash(&mut session, &setup.drive);
    assert!(session.leave().is_empty());
    assert_eq!(setup.writes()[1..], ["host1 scan - - -"]);
    setup.is_as_before();
}

#[test]
fn every_layout_leads_to_the_registers_of_its_channel() {
    let vt6420 = FakeFunction {
        ids: (0x1106, 0x3149),
        driver: Some("sata_via"),
        ..FakeFunction::CMD646
    };
    for (what, about, name, command, control, nien) in [
        (
            "CMD646, first",
            FakeFunction::CMD646,
            "pci-0000:03:00.0-ata-1.0",
            0xC000,
            0xC012,
            true,
        ),
        (
            "CMD646, second",
            FakeFunction::CMD646,
            "pci-0000:03:00.0-ata-2.0",
            0xC020,
            0xC032,
            true,
        ),
        (
            "VT6421, SATA",
            FakeFunction::VT6421,
            "pci-0000:03:00.0-ata-2.0",
            0xD010,
            0xD01A,
            true,
        ),
        (
            "VT6421, parallel",
            FakeFunction::VT6421,
            "pci-0000:03:00.0-ata-3.0",
            0xD020,
            0xD02A,
            true,
        ),
        (
            "VT6420",
            vt6420,
            "pci-0000:03:00.0-ata-1.0",
            0xC000,
            0xC012,
            false,
        ),
        (
            "PIIX",
            FakeFunction::PIIX3,
            "pci-0000:00:01.1-ata-2.0",
            0x170,
            0x376,
            true,
        ),
    ] {
        let setup = setup(&about, SONY, command, control);
        let mut user = Listener::who_says(Answer::Yes);
        let session = setup.open(&port(name), &by_ports(), &mut user);
        let mut session = session.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(setup.drive.interrupts_off(), nien, "{what}");
        reads_its_flash(&mut session, &setup.drive);
        assert!(session.leave().is_empty());
        assert!(
            !setup.drive.in_vendor_mode() && !setup.drive.interrupts_off(),
            "{what}"
        );
        assert_eq!(setup.drive.violations(), [""; 0], "{what}");
    }
}

#[test]
fn on_via_the_slave_is_addressed_again_after_nien() {
    let setup = setup_of(&FakeFunction::VT6421, 4, SONY, 0xD020, 0xD02A);
    let mut user = Listener::who_says(Answer::Yes);
    let name = port("pci-0000:03:00.0-ata-3.1");
    let mut session = setup.open(&name, &by_ports(), &mut user).unwrap();
    reads_its_flash(&mut session, &setup.drive);
    assert!(session.leave().is_empty());
    assert!(!setup.drive.in_vendor_mode());
    assert_eq!(setup.drive.violations(), [""; 0]);
    // The SATA ports of the same card have no slave.
    let error = setup
        .open(&port("pci-0000:03:00.0-ata-1.1"), &by_ports(), &mut user)
        .err();
    assert_eq!(
        told(&error.unwrap()),
        "port 1 of 0000:03:00.0 is a SATA port, which has no slave"
    );
}

/// Someone who says yes, and in whose machine something changes meanwhile.
struct Changing<'a> {
    files: &'a Files,
    file: &'static str,
    text: &'static str,
}

impl User for Changing<'_> {
    fn tell(&mut self, _: Event) {}

    fn may_take(&mut self, _: &ChannelState) -> Answer {
        let file = format!("sys/devices/pci0000:00/{CARD}/{}", self.file);
        self.files.file(&file, self.text);
        Answer::Yes
    }

    fn wants_to_stop(&self) -> bool {
        false
    }
}

#[test]
fn a_controller_that_changes_before_the_first_command_is_left_alone() {
    for (file, text, message) in [
        (
            "device",
            "0x0680\n",
            "0000:03:00.0 is not what it was a moment ago",
        ),
        (
            "resource",
            "0x0 0x0 0x0\n",
            "0000:03:00.0 is not what it was a moment ago",
        ),
        (
            "power_state",
            "D3hot\n",
            "0000:03:00.0 is asleep (power state D3hot)",
        ),
        (
            "config",
            "\0\0\0\0\0\0\0\0",
            "0000:03:00.0 does not answer at its I/O ports",
        ),
    ] {
        let setup = Setup::native();
        let mut user = Changing {
            files: &setup.files,
            file,
            text,
        };
        let error = open(&setup.host, &setup.sr0(), &by_ports(), &mut user)
            .err()
            .unwrap();
        assert!(told(&error).starts_with(message), "{file}: {error}");
        assert_eq!(setup.drive.counters().operations, 0, "{file}");
        setup.is_as_before();
    }
}

#[test]
fn a_controller_that_is_not_to_be_used_is_refused_before_anything_is_asked() {
    let of = |ids, class, driver| FakeFunction {
        ids,
        class,
        driver: Some(driver),
        ..FakeFunction::CMD646
    };
    for (about, message) in [
        (of((0x8086, 0x2922), 0x01_0601, "ahci"), "in AHCI mode"),
        (
            of((0x197B, 0x2360), 0x01_0185, "ahci"),
            "an engine of its own",
        ),
        (
            of((0x105A, 0x3373), 0x01_0185, "sata_promise"),
            "an engine of its own",
        ),
        (
            of((0x1B21, 0x0612), 0x01_018F, "ahci"),
            "an engine of its own",
        ),
        (of((0x1283, 0x8212), 0x01_0400, "pata_it821x"), "RAID mode"),
        (
            of((0x1095, 0x0646), 0x01_018F, "vfio-pci"),
            "given it to another program",
        ),
    ] {
        let setup = setup(&about, SONY, 0xC020, 0xC032);
        if about.ids.0 == 0x1283 {
            let mut config = vec![0; 256];
            (config[4], config[0x50]) = (5, 1);
            let file = format!("sys/devices/pci0000:00/{CARD}/config");
            fs::write(setup.files.path(&file), config).unwrap();
        }
        setup.files.drive(CARD, 0, "1:0:0:0", "BYS1");
        let mut user = Listener::who_says(Answer::Yes);
        let wanted = by_ports();
        for name in [setup.sr0(), port("pci-0000:03:00.0-ata-2.0")] {
            let error = setup.open(&name, &wanted, &mut user).err().unwrap();
            assert!(told(&error).contains(message), "{name}: {error}");
        }
        assert_eq!(user.heard, [""; 0]);
        assert_eq!(setup.drive.counters().operations, 0);
        setup.is_as_before();
    }
}

#[test]
fn ports_at_which_drives_are_reported_not_to_answer_are_used_by_name_only() {
    let sii = FakeFunction {
        ids: (0x1095, 0x3112),
        class: 0x01_8000,
        driver: Some("sata_sil"),
        ..FakeFunction::CMD646
    };
    let setup = setup(&sii, &format!("{SONY}\ndead = true"), 0xC020, 0xC032);
    let mut user = Listener::who_says(Answer::Yes);
    let name = port("pci-0000:03:00.0-ata-2.0");
    let session = setup.open(&name, &by_ports(), &mut user).unwrap();
    // Asked although nothing is given up.
    assert_eq!(user.heard, ["asked", "said"]);
    assert!(session.leave().is_empty());
    setup.files.drive(CARD, 0, "1:0:0:0", "BYS1");
    let mut user = Listener::who_says(Answer::Yes);
    let _ = setup.open(&setup.sr0(), &Wish::default(), &mut user);
    assert!(!user.heard.contains(&"asked"), "{:?}", user.heard);
}

#[test]
fn a_position_is_reached_by_the_regions_of_its_controller() {
    let setup = setup(&FakeFunction::PIIX3, SONY, 0x170, 0x376);
    setup.files.drive("0000:00:01.1", 0, "1:0:0:0", "BYS1");
    for name in [DriveName::Index(3), setup.sr0()] {
        let mut user = Listener::who_says(Answer::YesBefore);
        let mut session = setup.open(&name, &by_ports(), &mut user).unwrap();
        assert_eq!(user.heard, ["asked", "given up", "said"]);
        assert_eq!(session.label.called, DriveName::Index(3));
        assert_eq!(session.place, "0000:00:01.1 port 2 target 0");
        reads_its_flash(&mut session, &setup.drive);
        assert!(session.leave().is_empty());
        setup.is_as_before();
    }
}

#[test]
fn nothing_is_sent_to_a_drive_whose_user_says_no() {
    let setup = Setup::native();
    let mut user = Listener::who_says(Answer::No);
    let error = setup
        .open(&setup.sr0(), &Wish::default(), &mut user)
        .err()
        .unwrap();
    let OpenError::ByPortsFirst(error) = error else {
        panic!("{error}");
    };
    assert!(matches!(*error, OpenError::NotAgreed { .. }));
    assert_eq!(setup.drive.counters().operations, 0);
    setup.is_as_before();
}

#[test]
fn through_the_kernel_only_by_name() {
    let setup = Setup::native();
    let wish = Wish {
        via: Some(Via::Ata),
        ..Wish::default()
    };
    let mut user = Listener::who_says(Answer::Yes);
    // The kernel made of files refuses ATA PASS-THROUGH.
    assert!(setup.open(&setup.sr0(), &wish, &mut user).is_err());
    assert!(!user.heard.contains(&"asked"));
    assert_eq!(setup.drive.counters().operations, 0);
}

#[test]
fn a_drive_that_refuses_is_given_back() {
    let refusing = format!("{SONY}\nentry = \"refused\"\nrefusal_status = 0x51");
    let setup = setup(&FakeFunction::CMD646, &refusing, 0xC020, 0xC032);
    setup.files.drive(CARD, 0, "1:0:0:0", "BYS1");
    let mut user = Listener::who_says(Answer::Yes);
    let error = setup
        .open(&setup.sr0(), &Wish::default(), &mut user)
        .err()
        .unwrap();
    let OpenError::NotEntered(failed) = error else {
        panic!("{error}");
    };
    assert_eq!(failed.label.called, port("pci-0000:03:00.0-ata-2.0"));
    assert!(failed.by_ports);
    setup.is_as_before();
}

#[test]
fn a_dead_drive_is_reached_by_the_name_of_its_port() {
    let setup = setup(
        &FakeFunction::CMD646,
        &format!("{SONY}\ndead = true"),
        0xC020,
        0xC032,
    );
    let name = port("pci-0000:03:00.0-ata-2.0");
    let mut user = Listener::who_says(Answer::No);
    let error = setup
        .open(&name, &Wish::default(), &mut user)
        .err()
        .unwrap();
    assert_eq!(
        told(&error),
        "the kernel knows no drive at pci-0000:03:00.0-ata-2.0"
    );
    let mut session = setup.open(&name, &by_ports(), &mut user).unwrap();
    // Nothing is given up, so that nothing is asked.
    assert_eq!(user.heard, ["said"]);
    reads_its_flash(&mut session, &setup.drive);
    assert!(session.leave().is_empty());
}

fn interrupts(count: u32) -> String {
    format!(" 11: {count} IO-APIC 11-fasteoi uhci_hcd:usb1, pata_cmd64x\n")
}

#[test]
fn a_storm_on_the_interrupt_line_ends_it_and_everything_is_given_back() {
    // Operation 1 is IDENTIFY PACKET DEVICE, 2 the entry, 3 the first byte.
    for operation in 1..=3 {
        let setup = Setup::native();
        setup.files.file("proc/interrupts", &interrupts(7));
        let file = setup.files.path("proc/interrupts");
        setup.drive.at_operation(operation, move || {
            fs::write(&file, interrupts(50_000)).unwrap();
        });
        let mut user = Listener::who_says(Answer::Yes);
        let error = setup
            .open(&setup.sr0(), &by_ports(), &mut user)
            .err()
            .unwrap();
        let OpenError::Storm { neighbours, .. } = error else {
            panic!("{operation}: {error}");
        };
        assert_eq!(neighbours, ["uhci_hcd:usb1"]);
        match operation {
            // Its data were not fetched any more: it is reset.
            1 => setup.is_given_back(),
            _ => setup.is_as_before(),
        }
    }
}

#[test]
fn where_nien_is_not_to_be_touched_a_line_with_a_disk_on_it_is_refused() {
    let vt6420 = FakeFunction {
        ids: (0x1106, 0x3149),
        driver: Some("sata_via"),
        ..FakeFunction::CMD646
    };
    let setup = setup(&vt6420, SONY, 0xC000, 0xC012);
    setup
        .files
        .file("sys/devices/pci0000:00/0000:00:1f.2/irq", "11\n");
    let disk = "sys/devices/pci0000:00/0000:00:1f.2/ata9/host8/block/sda";
    setup.files.file(&format!("{disk}/dev"), "8:0\n");
    setup
        .files
        .link("sys/class/block/sda", &setup.files.path(disk));
    let name = port("pci-0000:03:00.0-ata-1.0");
    let mut user = Listener::who_says(Answer::Yes);
    let error = setup.open(&name, &by_ports(), &mut user).err().unwrap();
    assert_eq!(
        told(&error),
        "port 1 of 0000:03:00.0 shares interrupt line 11 with the controller of sda, and its own \
         interrupts cannot be kept quiet"
    );
    assert_eq!(setup.drive.counters().operations, 0);
    setup
        .files
        .file("sys/devices/pci0000:00/0000:00:1f.2/irq", "16\n");
    assert!(setup.open(&name, &by_ports(), &mut user).is_ok());
}

/// As a run that is killed leaves it: taken, with its note, and nobody there.
fn killed(setup: &Setup, name: &DriveName) {
    let mut user = Listener::who_says(Answer::Yes);
    let session = setup.open(name, &by_ports(), &mut user).unwrap();
    let folder = setup.files.path("run/mtkflash");
    let note = fs::read_dir(&folder)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let text = fs::read(&note).unwrap();
    setup.files.state().is_deaf = true;
    assert!(!session.leave().is_empty());
    setup.files.state().is_deaf = false;
    fs::write(note, text).unwrap();
    setup.files.state().writes.clear();
}

#[test]
fn the_run_after_a_killed_one_goes_on_without_giving_the_channel_back_first() {
    for by_position in [false, true] {
        let setup = match by_position {
            false => Setup::native(),
            true => {
                let setup = setup(&FakeFunction::PIIX3, SONY, 0x170, 0x376);
                setup.files.drive("0000:00:01.1", 0, "1:0:0:0", "BYS1");
                setup
            }
        };
        let name = match by_position {
            false => setup.sr0(),
            true => DriveName::Index(3),
        };
        for wish in [by_ports(), Wish::default()] {
            killed(&setup, &name);
            // The kernel has given up the node; the same line finds the drive.
            let _ = fs::remove_file(setup.files.path("dev/sr0"));
            let mut user = Listener::who_says(Answer::No);
            let mut session = setup.open(&name, &wish, &mut user).unwrap();
            assert_eq!(user.heard, ["taken over", "said"]);
            assert_eq!(setup.writes(), [""; 0]);
            reads_its_flash(&mut session, &setup.drive);
            setup.files.file("dev/sr0", "b 11:0");
            assert!(session.leave().is_empty());
            assert_eq!(setup.writes(), ["host1 scan - - -"]);
            setup.is_as_before();
        }
    }
}

#[test]
fn through_the_kernel_a_killed_run_s_channel_is_given_back_first() {
    let setup = Setup::native();
    killed(&setup, &setup.sr0());
    let wish = Wish {
        via: Some(Via::Ata),
        ..Wish::default()
    };
    let mut user = Listener::who_says(Answer::Yes);
    let _ = setup.open(&setup.sr0(), &wish, &mut user);
    assert_eq!(user.heard.first(), Some(&"settled"));
    assert_eq!(setup.writes()[0], "host1 scan - - -");
}

#[test]
fn a_killed_run_s_note_stays_where_the_next_one_is_not_agreed_to() {
    let setup = Setup::native();
    killed(&setup, &setup.sr0());
    // Somebody had the kernel look for its drives by hand.
    let scan = setup.files.path("sys/class/scsi_host/host1/scan");
    setup.files.system.kernel().write(&scan, "- - -").unwrap();
    let mut user = Listener::who_says(Answer::No);
    let name = port("pci-0000:03:00.0-ata-2.0");
    assert!(setup.open(&name, &by_ports(), &mut user).is_err());
    assert_eq!(user.heard, ["asked"]);
    let notes = fs::read_dir(setup.files.path("run/mtkflash"));
    assert_eq!(notes.unwrap().count(), 1);
}

/// A VT6421 with drives on its two SATA ports.
fn sata(lines: &str) -> Setup {
    let setup = setup(
        &FakeFunction::VT6421,
        &format!("{SONY}\n{lines}"),
        0xD000,
        0xD00A,
    );
    setup.files.drive(CARD, 0, "0:0:0:0", "BYS1");
    setup.files.drive(CARD, 1, "1:0:0:0", "OTHR");
    setup
}

fn waiting() -> Wish {
    Wish {
        patience: Patience::Named(Duration::from_secs(20)),
        ..by_ports()
    }
}

#[test]
fn on_a_sata_port_the_driver_is_unbound_while_a_drive_is_switched_off_and_on() {
    let setup = sata("entry = \"after-power-cycles\"\npower_cycles = 3");
    let mut user = Listener::who_says(Answer::Yes);
    let mut session = setup.open(&setup.sr0(), &waiting(), &mut user).unwrap();
    assert_eq!(
        user.heard,
        [
            "asked",
            "said",
            "waiting",
            "waiting",
            "waiting",
            "something else"
        ]
    );
    assert_eq!(setup.writes(), ["sata_via unbind 0000:03:00.0"]);
    reads_its_flash(&mut session, &setup.drive);
    assert!(session.leave().is_empty());
    assert_eq!(setup.writes()[1..], ["sata_via bind 0000:03:00.0"]);
    setup.is_as_before();
}

#[test]
fn without_a_wait_a_sata_port_is_taken_device_by_device() {
    let setup = sata("");
    let mut user = Listener::who_says(Answer::Yes);
    let session = setup.open(&setup.sr0(), &by_ports(), &mut user).unwrap();
    assert_eq!(setup.writes(), ["0:0:0:0 delete 1"]);
    assert!(session.leave().is_empty());
}

#[test]
fn a_wait_is_refused_where_the_driver_has_something_else_to_do() {
    let setup = sata("entry = \"refused\"\nrefusal_status = 0x51");
    setup.files.process(50, "vlc", "dev/sg1");
    let mut user = Listener::who_says(Answer::Yes);
    let error = setup
        .open(&setup.sr0(), &waiting(), &mut user)
        .err()
        .unwrap();
    assert!(matches!(error, OpenError::NoWait { .. }), "{error}");
    assert_eq!(setup.writes(), [""; 0]);
    // Nobody has asked for it: the drive is asked once.
    let wish = Wish {
        patience: Patience::Unless(Duration::from_secs(200)),
        ..by_ports()
    };
    let error = setup.open(&setup.sr0(), &wish, &mut user).err().unwrap();
    assert!(matches!(error, OpenError::NotEntered(_)), "{error}");
    assert!(!user.heard.contains(&"waiting"));
    setup.is_as_before();
}

#[test]
fn a_drive_that_says_by_the_ports_who_it_is_gets_its_own_protocol() {
    let tsst = "model = \"mt1339\"\nvendor = \"TSSTcorp\"\nproduct = \"DVD-ROM SH-D163B\"\n\
                revision = \"SB01\"";
    let setup = setup(&FakeFunction::CMD646, tsst, 0xC020, 0xC032);
    setup.files.drive(CARD, 0, "1:0:0:0", "SB01");
    setup.files.state().is_silent = true;
    let mut user = Listener::who_says(Answer::Yes);
    let session = setup
        .open(&setup.sr0(), &Wish::default(), &mut user)
        .unwrap();
    assert_eq!(user.heard, ["detected", "asked", "detected"]);
    assert!(!session.is_off_kernel());
    let identity = session.device.info().identity.clone().unwrap();
    assert_eq!(identity.product, "DVD-ROM SH-D163B");
    assert_eq!(setup.drive.counters().ata.of(0x80), 0);
    assert!(session.leave().is_empty());
    setup.is_as_before();
}

/// What is below the way to a drive, in its own words.
fn told(error: &OpenError) -> String {
    match error {
        OpenError::NotLocated(error) => error.in_words(),
        OpenError::Channel(error) => error.in_words(),
        other => panic!("{other:?}"),
    }
}
