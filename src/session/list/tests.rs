use super::*;
use crate::drive::tests::fake::Machine as Fake;
use crate::session::Host;
use crate::sim::Bench;
use crate::transport::Completion;

const BLU_RAY: &str = include_str!("../../../fixtures/benches/mt1959.toml");
const DVD: &str = include_str!("../../../fixtures/benches/dw-d22a.toml");

const TEST_UNIT_READY: u8 = 0x00;
const INQUIRY: u8 = 0x12;
const READ_BUFFER: u8 = 0x3C;
const GET_CONFIGURATION: u8 = 0x46;

/// A USB drive that is the third of a bench, before anybody has asked it anything.
fn usb_drive(bench: &str) -> (Fake, Bench) {
    let bench = Bench::from_text(bench).unwrap();
    let machine = Fake::empty();
    machine.usb_drive("1-2", 0, "2:0:0:0");
    machine.state().drive = bench.drive(3).cloned();
    (machine, bench)
}

/// The only drive, after it was asked about its firmware, where it may be.
fn listed(machine: &Fake) -> Listed {
    let host = Host::of(machine.system.clone());
    let mut listing = host.list();
    listing.ask_firmware(&host);
    listing.drives.pop().unwrap()
}

fn sent(machine: &Fake) -> Vec<u8> {
    let state = machine.state();
    state.commands.iter().map(|(_, opcode)| *opcode).collect()
}

/// What every drive is asked: who it is, its serial number, and whether it is ready.
const OF_EVERY_DRIVE: [u8; 3] = [INQUIRY, INQUIRY, TEST_UNIT_READY];

#[test]
fn a_blu_ray_drive_that_nobody_uses_tells_of_its_firmware_in_six_commands_more() {
    let (machine, _bench) = usb_drive(BLU_RAY);
    let listed = listed(&machine);
    let Some(Firmware::Told(survey)) = &listed.firmware else {
        panic!("{listed:?}");
    };
    assert_eq!(survey.banner.unwrap().to_string(), "MT1959 Boot JB8");
    assert_eq!(survey.descriptor.as_ref().unwrap().svc, "NS60");
    assert!(survey.date.is_some() && survey.by_date.is_some());
    assert!(!listed.is_in_use());
    let more = [
        INQUIRY,
        INQUIRY,
        INQUIRY,
        READ_BUFFER,
        READ_BUFFER,
        GET_CONFIGURATION,
    ];
    assert_eq!(sent(&machine), [&OF_EVERY_DRIVE[..], &more].concat());
    assert_eq!(machine.state().writes, []);
}

#[test]
fn a_blu_ray_drive_in_use_is_asked_nothing_about_its_firmware() {
    let open = |machine: &Fake| machine.process(4711, "vlc", "dev/sr0");
    let claimed = |machine: &Fake| machine.state().claimed.push(machine.path("dev/sr0"));
    let mounted = |machine: &Fake| machine.mount(0, "/mnt");
    let uses: [&dyn Fn(&Fake); 3] = [&open, &claimed, &mounted];
    for begin_to_use in uses {
        let (machine, _bench) = usb_drive(BLU_RAY);
        begin_to_use(&machine);
        let listed = listed(&machine);
        assert!(listed.is_in_use(), "{listed:?}");
        assert!(!matches!(listed.firmware, Some(Firmware::Told(_))));
        assert_eq!(sent(&machine), OF_EVERY_DRIVE);
    }
}

#[test]
fn a_blu_ray_drive_with_a_disc_is_asked_nothing_about_its_firmware() {
    let (machine, _bench) = usb_drive(BLU_RAY);
    machine.state().ready = [Completion::default()].into();
    let listed = listed(&machine);
    assert_eq!(listed.asked.medium, Some(Medium::Present));
    assert!(listed.firmware.is_none() && !listed.is_in_use());
    assert_eq!(sent(&machine), OF_EVERY_DRIVE);
}

#[test]
fn a_drive_that_is_no_listed_blu_ray_drive_is_asked_nothing_about_its_firmware() {
    let (machine, _bench) = usb_drive(DVD);
    assert!(listed(&machine).firmware.is_none());
    assert_eq!(sent(&machine), OF_EVERY_DRIVE);
}
