use super::super::fake::{Machine, sense};
use super::*;
use crate::transport::Completion;

fn obstacles(machine: &Machine, listed: &Listed) -> Vec<String> {
    listed
        .obstacles
        .iter()
        .map(|obstacle| machine.told(obstacle))
        .collect()
}

#[test]
fn the_list_has_every_drive_in_the_order_of_the_index_and_those_without_last() {
    let machine = Machine::empty();
    machine.file("proc/ioports", super::super::ioports::PIIX);
    machine.usb_drive("1-2", 0, "2:0:0:0");
    machine.ports("0000:00:01.1", "ata_piix", 7, 6, 2);
    machine.drive("0000:00:01.1", 2, "6:0:0:0", "PM");
    machine.drive("0000:00:01.1", 1, "7:0:1:0", "SS");
    machine.disk("0000:00:01.1", 3, "6:0:1:0");
    let positions: Vec<_> = list(&machine.system)
        .drives
        .iter()
        .map(|listed| listed.drive.position.map(|position| position.number()))
        .collect();
    assert_eq!(positions, [Some(1), Some(4), None]);
}

#[test]
fn a_drive_tells_its_identity_serial_number_and_medium() {
    let machine = Machine::four_drives();
    machine.state().serial = Some("A1B2");
    machine.state().ready = [
        sense(0x6, 0x29, 0x00),
        Completion::default(),
        sense(0x2, 0x3A, 0x01),
    ]
    .into();
    let listing = list(&machine.system);
    let first = &listing.drives[0];
    let identity = first.identity.as_ref().unwrap();
    assert_eq!(identity.product, "DVD RW DW-D22A");
    assert_eq!(identity.serial.as_deref(), Some("A1B2"));
    assert_eq!(first.medium, Some(Medium::Present));
    assert_eq!(listing.drives[1].medium, Some(Medium::Absent));
    assert!(first.obstacles.is_empty());
}

#[test]
fn listing_sends_inquiry_and_test_unit_ready_and_writes_nothing() {
    let machine = Machine::four_drives();
    list(&machine.system);
    let state = machine.state();
    assert_eq!(state.commands.len(), 12);
    assert!(
        state
            .commands
            .iter()
            .all(|(_, opcode)| matches!(opcode, 0x00 | 0x12))
    );
    assert_eq!(state.writes, []);
}

#[test]
fn a_drive_that_another_run_holds_is_not_spoken_to() {
    let machine = Machine::four_drives();
    let node = machine.path("dev/sg2");
    let _held = machine.system.kernel().open(&node, true).unwrap();
    machine.process(99, "mtkflash", "dev/sg2");
    let listing = list(&machine.system);
    assert_eq!(
        obstacles(&machine, &listing.drives[2]),
        ["/dev/sg2 is in use: open in mtkflash (process 99)"]
    );
    assert_eq!(listing.drives[2].identity, None);
    assert!(listing.drives[3].identity.is_some());
    let state = machine.state();
    assert!(!state.commands.iter().any(|(node, _)| node.ends_with("sr2")));
}

#[test]
fn a_mounted_drive_says_where_and_still_who_it_is() {
    let machine = Machine::four_drives();
    machine.mount(1, "/mnt");
    let listing = list(&machine.system);
    assert_eq!(
        obstacles(&machine, &listing.drives[1]),
        ["/dev/sr1 is in use: mounted at /mnt"]
    );
    assert!(listing.drives[1].identity.is_some());
}

#[test]
fn without_the_sg_module_the_drives_are_listed_over_sr() {
    let machine = Machine::four_drives();
    machine.unload_sg();
    let listing = list(&machine.system);
    assert_eq!(
        obstacles(&machine, &listing.drives[0]),
        ["the drive has no /dev/sg node, because the kernel's sg module is not loaded"]
    );
    assert!(listing.drives[0].identity.is_some());
}

#[test]
fn a_drive_that_may_not_be_opened_is_listed_as_the_kernel_knows_it() {
    let machine = Machine::four_drives().seen_by_a_user();
    let nodes = ["dev/sg0", "dev/sr0"].map(|node| machine.path(node));
    machine.state().denied.extend(nodes);
    let listing = list(&machine.system);
    let first = &listing.drives[0];
    assert_eq!(first.identity, None);
    assert_eq!(first.drive.known_as.revision, "PM");
    assert_eq!(first.obstacles.len(), 2);
    assert!(listing.drives[1].obstacles.is_empty());
}
