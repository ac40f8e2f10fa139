use super::super::locate_path;
use super::super::topology::IndexBasis;
use super::detached::{COME_BACK, COME_BACK_STEP, Detached, UNCHANGED_LOOKS};
use super::*;
use crate::cli::words::InWords;
use crate::drive::tests::fake::Machine;
use crate::sim::SimClock;
use crate::transport::Clock;
use proptest::prelude::*;
use std::fs;
use std::time::Duration;

const SCAN: &str = "sys/devices/pci0000:00/0000:00:01.1/ata2/host1/scsi_host/host1/scan";

fn positions(state: &ChannelState) -> Vec<u8> {
    state
        .devices
        .iter()
        .filter_map(|device| match device.seat {
            Some(Seat::Position(position)) => Some(position.number()),
            _ => None,
        })
        .collect()
}

/// What was written, by the last parts of the paths.
fn writes(machine: &Machine) -> Vec<String> {
    let state = machine.state();
    state
        .writes
        .iter()
        .map(|(file, text)| {
            let parent = file.parent().unwrap().file_name().unwrap();
            let file = file.file_name().unwrap();
            format!("{} {} {text}", parent.display(), file.display())
        })
        .collect()
}

fn at_legacy(machine: &Machine, channel: Channel) -> IdeChannel {
    IdeChannel::of_legacy(&machine.system, channel).unwrap()
}

fn look(machine: &Machine, channel: Channel) -> ChannelState {
    let channel = at_legacy(machine, channel);
    inspect(&machine.system, &channel, Release::Devices).unwrap()
}

fn taken(machine: &Machine, channel: Channel) -> Result<Detached, ChannelError> {
    let channel = IdeChannel::of_legacy(&machine.system, channel)?;
    detach(&machine.system, &channel, Release::Devices)
}

fn refusal(machine: &Machine, channel: Channel) -> String {
    let error = taken(machine, channel).err().unwrap();
    assert_eq!(writes(machine), [""; 0]);
    machine.told(&error.in_words())
}

#[test]
fn a_channel_shows_both_of_its_drives_and_not_those_of_the_other() {
    let machine = Machine::four_drives();
    for (channel, expected) in [(Channel::Primary, [1, 2]), (Channel::Secondary, [3, 4])] {
        let state = look(&machine, channel);
        assert_eq!(positions(&state), expected);
        assert_eq!(state.channel.controller, "0000:00:01.1");
        state.check().unwrap();
    }
    let state = look(&machine, Channel::Secondary);
    assert_eq!(
        machine.told(&state.devices[1].name()),
        "secondary slave: optical drive SONY DVD RW DW-D22A (/dev/sr3)"
    );
    assert_eq!(
        state.undo.clone(),
        Undo {
            file: machine.path(SCAN),
            text: "- - -".to_owned()
        }
    );
    assert_eq!(machine.state().commands, []);
}

#[test]
fn only_a_drive_whose_controller_is_at_the_legacy_ports_has_a_position_there() {
    let at = |machine: &Machine, node: &str| {
        let drive = locate_path(&machine.system, &machine.path(node)).unwrap();
        assert!(drive.position.is_some());
        match IdeChannel::of_drive(&machine.system, &drive)?
            .0
            .seat(Unit::Master)?
        {
            Seat::Position(position) => Some(position.number()),
            Seat::Port(_) => None,
        }
    };
    assert_eq!(at(&Machine::four_drives(), "dev/sr2"), Some(3));
    assert_eq!(
        at(&Machine::four_drives().seen_by_a_user(), "dev/sr2"),
        Some(3)
    );
    let native = Machine::empty();
    native.ports("0000:00:05.0", "pata_jmicron", 1, 0, 2);
    native.drive("0000:00:05.0", 0, "0:0:0:0", "J0");
    assert_eq!(at(&native, "dev/sr0"), None);
    let ahci = Machine::empty();
    ahci.ports("0000:00:1f.2", "ahci", 1, 0, 6);
    ahci.drive("0000:00:1f.2", 0, "0:0:0:0", "A0");
    assert_eq!(at(&ahci, "dev/sr0"), None);
}

#[test]
fn a_container_whose_sysfs_is_for_reading_only_is_named_as_the_reason() {
    let machine = Machine::four_drives();
    machine.file(".dockerenv", "");
    let state = look(&machine, Channel::Secondary);
    let files = state.devices.iter().map(|device| &device.located.sysfs);
    machine.state().read_only = files.map(|device| device.join("delete")).collect();
    let refused = refusal(&machine, Channel::Secondary);
    assert!(refused.contains("in this container"), "{refused}");
    assert_eq!(
        fs::read_dir(machine.path("run/mtkflash")).unwrap().count(),
        0
    );
}

#[test]
fn a_channel_is_taken_off_the_kernel_and_brought_back_under_its_names() {
    let machine = Machine::four_drives();
    let detached = taken(&machine, Channel::Secondary).unwrap();
    assert_eq!(writes(&machine), ["1:0:0:0 delete 1", "1:0:1:0 delete 1"]);
    let left = look(&machine, Channel::Secondary);
    assert!(left.devices.is_empty());
    let other = look(&machine, Channel::Primary);
    assert_eq!(positions(&other), [1, 2]);

    let back = detached.bring_back(&SimClock::default()).unwrap();
    assert_eq!(writes(&machine)[2..], ["host1 scan - - -"]);
    assert!(!machine.state().was_open_at_scan);
    let nodes: Vec<_> = back.iter().map(|drive| drive.sr.clone().unwrap()).collect();
    assert_eq!(nodes, [machine.path("dev/sr2"), machine.path("dev/sr3")]);
}

#[test]
fn the_channel_comes_back_on_every_way_out() {
    let machine = Machine::four_drives();
    drop(taken(&machine, Channel::Primary).unwrap());
    assert_eq!(writes(&machine).last().unwrap(), "host0 scan - - -");
    let state = look(&machine, Channel::Primary);
    assert_eq!(positions(&state), [1, 2]);
}

#[test]
fn after_a_crash_the_next_run_brings_the_channel_back() {
    let machine = Machine::four_drives();
    machine.state().is_deaf = true;
    let detached = taken(&machine, Channel::Secondary).unwrap();
    let note = machine.read("run/mtkflash/channel-0000:00:01.1-2");
    drop(detached);
    machine.state().is_deaf = false;
    machine.file("run/mtkflash/channel-0000:00:01.1-2", &note);
    let settled = super::super::note::settle(&machine.system, None);
    assert_eq!(settled.len(), 1);
    let state = look(&machine, Channel::Secondary);
    assert_eq!(positions(&state), [3, 4]);
}

#[test]
fn drives_that_do_not_come_back_are_named_with_the_command_to_look_again() {
    let machine = Machine::four_drives();
    machine.state().is_deaf = true;
    let detached = taken(&machine, Channel::Secondary).unwrap();
    let clock = SimClock::default();
    let error = detached.bring_back(&clock).unwrap_err();
    assert_eq!(
        machine.told(&error.in_words()),
        "the kernel has not found again: secondary master: optical drive SONY DVD RW DW-D22A \
         (/dev/sr2), secondary slave: optical drive SONY DVD RW DW-D22A (/dev/sr3)"
    );
    let ChannelError::NotBack { undo, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(undo.file, machine.path(SCAN));
    assert!(clock.now() >= COME_BACK);
}

#[test]
fn an_empty_channel_is_scanned_afterwards_for_the_drive_that_came_alive() {
    let machine = Machine::piix();
    let detached = taken(&machine, Channel::Secondary).unwrap();
    assert_eq!(writes(&machine), [""; 0]);
    machine.drive("0000:00:01.1", 0, "1:0:0:0", "NEW");
    let back = detached.bring_back(&SimClock::default()).unwrap();
    assert_eq!(writes(&machine), ["host1 scan - - -"]);
    assert_eq!(back[0].known_as.revision, "NEW");
}

#[test]
fn a_channel_with_a_disk_on_it_is_refused() {
    let machine = Machine::piix();
    machine.drive("0000:00:01.1", 0, "0:0:0:0", "PM");
    machine.disk("0000:00:01.1", 1, "0:0:1:0");
    assert_eq!(
        refusal(&machine, Channel::Primary),
        "the primary channel also carries a device that must not lose its channel: \
         primary slave: disk SONY QEMU HARDDISK (/dev/sg1)"
    );
}

#[test]
fn a_channel_in_use_is_refused_with_who_uses_it() {
    let machine = Machine::four_drives();
    machine.mount(3, "/mnt");
    machine.process(50, "vlc", "dev/sg2");
    assert_eq!(
        refusal(&machine, Channel::Secondary),
        "the secondary channel is in use: secondary master: optical drive SONY DVD RW DW-D22A \
         (/dev/sr2), open in vlc (process 50)"
    );
    fs::remove_dir_all(machine.path("proc/50")).unwrap();
    assert_eq!(
        refusal(&machine, Channel::Secondary),
        "the secondary channel is in use: secondary slave: optical drive SONY DVD RW DW-D22A \
         (/dev/sr3), mounted at /mnt"
    );
}

#[test]
fn a_use_that_only_the_kernel_knows_of_is_refused_too() {
    let machine = Machine::four_drives();
    machine.state().claimed.push(machine.path("dev/sr1"));
    assert_eq!(refusal(&machine, Channel::Primary), "/dev/sr1 is in use");
}

#[test]
fn two_runs_cannot_have_one_channel() {
    let machine = Machine::four_drives();
    let _first = taken(&machine, Channel::Primary).unwrap();
    let second = taken(&machine, Channel::Primary).err().unwrap();
    assert_eq!(second.in_words(), "another mtkflash is at work here");
    taken(&machine, Channel::Secondary).unwrap();
}

#[test]
fn a_kernel_that_keeps_the_devices_ends_it_and_is_asked_to_scan() {
    let machine = Machine::four_drives();
    machine.state().is_stubborn = true;
    let error = taken(&machine, Channel::Primary).err().unwrap();
    assert!(matches!(error, ChannelError::NotDetached { .. }), "{error}");
    assert_eq!(writes(&machine).last().unwrap(), "host0 scan - - -");
}

#[test]
fn a_device_that_cannot_be_taken_off_brings_the_others_back_under_their_names() {
    let machine = Machine::four_drives();
    let delete = look(&machine, Channel::Primary).devices[1]
        .located
        .sysfs
        .join("delete");
    machine.state().read_only.push(delete);
    let error = taken(&machine, Channel::Primary).err().unwrap();
    assert!(matches!(error, ChannelError::NotDetached { .. }), "{error}");
    assert_eq!(writes(&machine), ["0:0:0:0 delete 1", "host0 scan - - -"]);
    assert!(!machine.state().was_open_at_scan);
    let state = look(&machine, Channel::Primary);
    assert_eq!(positions(&state), [1, 2]);
}

#[test]
fn in_a_read_only_sysfs_nothing_is_taken_off_and_nothing_left_to_repair() {
    let machine = Machine::four_drives();
    let state = look(&machine, Channel::Secondary);
    let deletes = state
        .devices
        .iter()
        .map(|device| device.located.sysfs.join("delete"));
    let read_only: Vec<_> = deletes.chain([machine.path(SCAN)]).collect();
    machine.state().read_only.extend(read_only);
    let message = refusal(&machine, Channel::Secondary);
    assert!(
        message.starts_with("the kernel did not give up"),
        "{message}"
    );
    assert!(!machine.path("run/mtkflash/channel-0000:00:01.1-2").exists());
}

#[test]
fn without_a_place_for_the_note_nothing_is_taken_off() {
    let machine = Machine::four_drives();
    machine.file("run/mtkflash", "in the way");
    assert!(refusal(&machine, Channel::Primary).starts_with("/run/mtkflash"));
}

#[test]
fn a_channel_that_is_not_at_its_legacy_ports_is_refused() {
    for (ioports, message) in [
        (
            "0000-0cf7 : PCI Bus 0000:00\n",
            "no IDE controller is in compatibility mode with the secondary channel at 170h \
             (/proc/ioports lists none)",
        ),
        (
            "0000-0000 : dma1\n0000-0000 : 0000:00:01.1\n",
            "/proc/ioports shows its addresses to root only, and --via port needs root anyway",
        ),
        (
            "0170-0177 : ide1\n",
            "the secondary channel belongs to the driver ide1, which this program does not know \
             how to take a drive from",
        ),
        (
            "0170-0177 : 0000:00:09.0\n  0170-0177 : odd\n",
            "the secondary channel belongs to the driver odd, which this program does not know \
             how to take a drive from",
        ),
    ] {
        let machine = Machine::four_drives();
        machine.file("proc/ioports", ioports);
        // With it, who may not see addresses in the list is helped.
        let regions = "sys/devices/pci0000:00/0000:00:01.1/resource";
        fs::remove_file(machine.path(regions)).unwrap();
        assert_eq!(refusal(&machine, Channel::Secondary), message);
    }
}

#[test]
fn a_controller_without_a_driver_may_have_a_disk_and_is_left_alone() {
    let machine = Machine::empty();
    machine.file("proc/ioports", "01f0-01f7 : 0000:00:09.0\n");
    assert_eq!(
        refusal(&machine, Channel::Primary),
        "no driver of the kernel has the controller of the primary channel, so that it is not \
         known what is on it: a disk, perhaps"
    );
    assert_eq!(writes(&machine), [""; 0]);
}

#[test]
fn the_drives_keep_their_index_through_it_all() {
    let machine = Machine::four_drives();
    let before = locate_path(&machine.system, &machine.path("dev/sr2")).unwrap();
    let detached = taken(&machine, Channel::Secondary).unwrap();
    assert!(matches!(
        Topology::read(&machine.system).basis,
        IndexBasis::LegacyPorts { .. }
    ));
    let back = detached.bring_back(&SimClock::default()).unwrap();
    assert!(back.contains(&before));
}

/// A clock on which a drive arrives with the third wait.
struct Arriving<'a> {
    clock: SimClock,
    machine: &'a Machine,
    waits: std::sync::atomic::AtomicU32,
}

impl Clock for Arriving<'_> {
    fn now(&self) -> Duration {
        self.clock.now()
    }

    fn sleep(&self, time: Duration) {
        self.clock.sleep(time);
        if self
            .waits
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed)
            == 2
        {
            self.machine.usb_drive("1-2", 0, "9:0:0:0");
        }
    }
}

#[test]
fn a_scan_is_waited_for_until_nothing_new_comes() {
    let machine = Machine::piix();
    let clock = Arriving {
        clock: SimClock::default(),
        machine: &machine,
        waits: 0.into(),
    };
    await_scan(&machine.system, &clock);
    assert_eq!(Topology::read(&machine.system).drives().count(), 1);
    assert_eq!(clock.now(), (3 + UNCHANGED_LOOKS) * COME_BACK_STEP);
}

#[test]
fn a_drive_that_was_taken_is_found_by_the_node_it_had() {
    let machine = Machine::four_drives();
    let detached = taken(&machine, Channel::Secondary).unwrap();
    let note = format!("run/mtkflash/{}", detached.state.channel.subject());
    let text = machine.read(&note);
    let found = |node: &str| seat_of_lost(&machine.system, &machine.path(node));
    // A living run's note is its own.
    assert_eq!(found("dev/sr3"), None);
    drop(detached);
    machine.file(&note, &text);
    let slave = PortName::parse("pci-0000:00:01.1-ata-2.1");
    assert_eq!([found("dev/sr3"), found("dev/sg3")], [slave, slave]);
    assert_eq!(
        found("dev/sr2"),
        PortName::parse("pci-0000:00:01.1-ata-2.0")
    );
    assert_eq!(found("dev/sr0"), None);
}

proptest! {
    #[test]
    fn no_name_of_a_note_makes_the_reader_fail(
        subject in "\\PC*|channel-[0-9a-f:.-]{0,20}",
    ) {
        about(&subject);
    }

    #[test]
    fn a_device_comes_back_from_a_note(
        (port, target, lun) in any::<(u32, u32, u64)>(),
        sr in proptest::option::of("/dev/sr[0-9]{1,3}"),
        sg in proptest::option::of("/dev/sg[0-9]{1,3}"),
        (vendor, product, revision) in ("[ -~]{0,8}", "[ -~]{0,16}", "[ -~]{0,4}"),
    ) {
        let device = GivenUp {
            port,
            target,
            lun,
            sr: sr.map(PathBuf::from),
            sg: sg.map(PathBuf::from),
            known_as: Identity { vendor, product, revision, serial: None },
        };
        let noted = serde_json::to_string(&device).unwrap();
        prop_assert_eq!(serde_json::from_str::<GivenUp>(&noted).unwrap(), device);
    }
}
