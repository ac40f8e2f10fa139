use super::super::topology::ScsiAddress;
use super::*;
use crate::cli::words::InWords;
use crate::drive::tests::fake::Machine;
use std::fs;
use std::os::unix::fs::symlink;

fn index(machine: &Machine, number: u8) -> Result<Located, LocateError> {
    locate_position(&machine.system, Position::new(number).unwrap())
}

/// The revision of the drive at each position, which names it, or `-`.
fn revisions(machine: &Machine) -> String {
    let found: Vec<String> = (1..=4)
        .map(|number| match index(machine, number) {
            Ok(drive) => drive.known_as.revision,
            Err(_) => "-".to_owned(),
        })
        .collect();
    found.join(" ")
}

fn revisions_of(drives: &[Located]) -> Vec<&str> {
    drives
        .iter()
        .map(|drive| drive.known_as.revision.as_str())
        .collect()
}

#[test]
fn each_index_is_the_drive_at_its_position() {
    let machine = Machine::four_drives();
    assert_eq!(revisions(&machine), "PM PS SM SS");
    let drive = index(&machine, 4).unwrap();
    assert_eq!(drive.sr, Some(machine.path("dev/sr3")));
    assert_eq!(drive.sg, Some(machine.path("dev/sg3")));
    assert_eq!(drive.address, ScsiAddress::parse("1:0:1:0").unwrap());
    assert_eq!(drive.driver, "ata_piix");
    assert_eq!(drive.known_as.product, "DVD RW DW-D22A");
    assert!(!drive.is_guess);
}

#[test]
fn empty_slots_do_not_shift_the_others() {
    let machine = Machine::piix();
    machine.drive("0000:00:01.1", 0, "1:0:0:0", "SM");
    assert_eq!(revisions(&machine), "- - SM -");
}

#[test]
fn a_second_logical_unit_does_not_take_the_place_of_the_first() {
    let machine = Machine::piix();
    machine.drive("0000:00:01.1", 0, "0:0:0:1", "LUN1");
    machine.drive("0000:00:01.1", 1, "0:0:1:0", "PS");
    assert_eq!(revisions(&machine), "- PS - -");
}

#[test]
fn a_controller_that_was_loaded_first_does_not_shift_the_index() {
    let machine = Machine::empty();
    machine.file("proc/ioports", crate::drive::ioports::tests::PIIX);
    machine.ports("0000:00:04.0", "ahci", 1, 0, 6);
    machine.ports("0000:00:01.1", "ata_piix", 7, 6, 2);
    machine.drive("0000:00:04.0", 0, "0:0:0:0", "AHCI");
    machine.drive("0000:00:01.1", 1, "6:0:0:0", "PM");
    machine.drive("0000:00:01.1", 2, "7:0:1:0", "SS");
    assert_eq!(revisions(&machine), "PM - - SS");
    let ahci = locate_path(&machine.system, &machine.path("dev/sr0")).unwrap();
    assert_eq!(ahci.position, None);
}

#[test]
fn of_two_controllers_the_one_at_the_legacy_ports_is_meant() {
    let machine = Machine::empty();
    machine.file("proc/ioports", crate::drive::ioports::tests::PIIX);
    machine.ports("0000:00:00.5", "pata_via", 1, 0, 2);
    machine.ports("0000:00:01.1", "ata_piix", 3, 2, 2);
    machine.drive("0000:00:00.5", 0, "0:0:0:0", "CARD");
    machine.drive("0000:00:01.1", 1, "2:0:0:0", "PM");
    assert_eq!(revisions(&machine), "PM - - -");
}

#[test]
fn the_legacy_ports_are_known_to_a_user_who_may_not_see_them_listed() {
    let machine = Machine::empty();
    machine.file(
        "proc/ioports",
        "0000-0000 : PCI Bus\n  0000-0000 : 0000:00:01.1\n",
    );
    machine.ports("0000:00:00.5", "pata_via", 1, 0, 2);
    machine.ports("0000:00:01.1", "ata_piix", 3, 2, 2);
    machine.file(
        "sys/devices/pci0000:00/0000:00:01.1/resource",
        "0x00000000000001f0 0x00000000000001f7 0x110\n",
    );
    machine.drive("0000:00:00.5", 0, "0:0:0:0", "CARD");
    machine.drive("0000:00:01.1", 1, "3:0:0:0", "SM");
    assert_eq!(revisions(&machine), "- - SM -");
}

#[test]
fn the_only_parallel_controller_counts_where_none_is_at_the_legacy_ports() {
    let machine = Machine::empty();
    machine.ports("0000:00:02.0", "ahci", 1, 0, 2);
    machine.ports("0000:00:05.0", "pata_jmicron", 3, 2, 2);
    machine.drive("0000:00:02.0", 0, "0:0:0:0", "AHCI");
    machine.drive("0000:00:05.0", 1, "2:0:1:0", "PS");
    assert_eq!(revisions(&machine), "- PS - -");
    assert!(!index(&machine, 2).unwrap().is_guess);
}

#[test]
fn two_parallel_controllers_away_from_the_legacy_ports_are_not_guessed_between() {
    let machine = Machine::empty();
    machine.ports("0000:00:05.0", "pata_jmicron", 1, 0, 2);
    machine.ports("0000:00:06.0", "pata_via", 3, 2, 2);
    machine.drive("0000:00:05.0", 0, "0:0:0:0", "J0");
    machine.drive("0000:00:06.0", 1, "2:0:0:0", "V0");
    machine.usb_drive("1-2", 2, "9:0:0:0");
    let error = index(&machine, 1).unwrap_err();
    assert_eq!(
        machine.told(&error.in_words()),
        "position 1 (primary master) could be on any of 2 controllers, none of them at the \
         legacy ports: name the drive by its path"
    );
    let LocateError::Ambiguous { candidates, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(revisions_of(&candidates), ["J0", "V0"]);
}

#[test]
fn on_ahci_the_port_number_is_a_guess_and_says_so() {
    let machine = Machine::empty();
    machine.ports("0000:00:1f.2", "ahci", 1, 0, 6);
    machine.drive("0000:00:1f.2", 0, "2:0:0:0", "P3");
    machine.drive("0000:00:1f.2", 1, "4:0:0:0", "P5");
    assert_eq!(revisions(&machine), "- - P3 -");
    assert!(index(&machine, 3).unwrap().is_guess);
}

#[test]
fn two_ahci_controllers_are_not_guessed_between() {
    let machine = Machine::empty();
    machine.ports("0000:00:1f.2", "ahci", 1, 0, 2);
    machine.ports("0000:03:00.0", "ahci", 3, 2, 2);
    machine.drive("0000:00:1f.2", 0, "0:0:0:0", "A");
    assert!(matches!(
        index(&machine, 1),
        Err(LocateError::Ambiguous { .. })
    ));
}

#[test]
fn an_empty_position_names_the_drives_there_are() {
    let machine = Machine::piix();
    machine.usb_drive("1-2", 0, "9:0:0:0");
    let error = index(&machine, 3).unwrap_err();
    assert_eq!(
        machine.told(&error.in_words()),
        "there is no drive at position 3 (secondary master)"
    );
    let LocateError::NoDrive { others, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(revisions_of(&others), ["USB"]);
}

#[test]
fn where_nothing_is_at_the_legacy_ports_they_are_not_promised() {
    let machine = Machine::empty();
    assert_eq!(
        machine.told(&index(&machine, 1).unwrap_err().in_words()),
        "there is no drive at position 1 (primary master), and no IDE channel of this machine \
         is at the legacy ports, where --via port would reach a dead one"
    );
}

#[test]
fn a_disk_at_a_position_is_refused() {
    let machine = Machine::piix();
    machine.disk("0000:00:01.1", 0, "0:0:0:0");
    assert_eq!(
        index(&machine, 1).unwrap_err().in_words(),
        "position 1 (primary master) is a disk, not an optical drive"
    );
}

#[test]
fn nodes_and_links_lead_to_the_same_drive_as_its_index() {
    let machine = Machine::four_drives();
    fs::create_dir_all(machine.path("dev/disk/by-id")).unwrap();
    symlink("../../sr2", machine.path("dev/disk/by-id/ata-SONY")).unwrap();
    symlink("sr2", machine.path("dev/cdrom")).unwrap();
    // A node under a name of its own, as in a container.
    machine.file("dev/burner", "b 11:2");
    let drive = index(&machine, 3).unwrap();
    for path in ["sr2", "sg2", "disk/by-id/ata-SONY", "cdrom", "burner"] {
        let path = machine.path("dev").join(path);
        assert_eq!(locate_path(&machine.system, &path).unwrap(), drive);
    }
}

#[test]
fn a_disk_is_refused_by_any_of_its_nodes_without_being_opened() {
    let machine = Machine::piix();
    machine.disk("0000:00:01.1", 0, "0:0:0:0");
    for node in ["dev/sda", "dev/sda1", "dev/sg0"] {
        let error = locate_path(&machine.system, &machine.path(node)).unwrap_err();
        assert_eq!(
            machine.told(&error.in_words()),
            format!("/{node} is a disk, not an optical drive")
        );
    }
    assert!(machine.state().commands.is_empty());
}

#[test]
fn what_is_no_drive_is_told_apart_from_what_is_not_there() {
    let machine = Machine::four_drives();
    machine.file("dev/text", "hello");
    machine.file("dev/sr7", "b 11:7");
    for (path, message) in [
        (
            "dev/text",
            "/dev/text is no drive: a drive is /dev/srN, /dev/sgN or a link to one of them",
        ),
        (
            "dev",
            "/dev is no drive: a drive is /dev/srN, /dev/sgN or a link to one of them",
        ),
        ("dev/sr7", "there is no device behind /dev/sr7"),
        ("dev/sr9", "/dev/sr9 does not exist"),
    ] {
        let error = locate_path(&machine.system, &machine.path(path)).unwrap_err();
        assert_eq!(machine.told(&error.in_words()), message);
    }
}

#[test]
fn an_sg_node_that_is_missing_with_its_module_says_so() {
    let machine = Machine::four_drives();
    machine.unload_sg();
    let error = locate_path(&machine.system, &machine.path("dev/sg0")).unwrap_err();
    assert!(matches!(error, LocateError::InTheWay(Obstacle::NoSgModule)));
}

#[test]
fn a_usb_drive_has_no_index_and_works_by_its_path() {
    let machine = Machine::piix();
    machine.usb_drive("1-2", 0, "9:0:0:0");
    let drive = locate_path(&machine.system, &machine.path("dev/sr0")).unwrap();
    assert_eq!((drive.position, drive.is_guess), (None, false));
    assert_eq!(drive.driver, "usb-storage");
    assert_eq!(revisions(&machine), "- - - -");
}

#[test]
fn a_drive_is_found_again_at_its_usb_port_under_other_numbers() {
    let machine = Machine::piix();
    machine.usb_drive("1-2", 0, "9:0:0:0");
    let drive = locate_path(&machine.system, &machine.path("dev/sr0")).unwrap();
    machine.unplug(0, "9:0:0:0");
    assert_eq!(find_again(&machine.system, &drive), None);
    machine.usb_drive("1-3", 1, "10:0:0:0");
    assert_eq!(find_again(&machine.system, &drive), None);
    machine.usb_drive("1-2", 2, "11:0:0:0");
    let again = find_again(&machine.system, &drive).unwrap();
    assert_eq!(again.sr, Some(machine.path("dev/sr2")));
    assert!(again.is_at_place_of(&drive));
}

#[test]
fn a_machine_without_scsi_has_no_drives_and_nothing_fails() {
    let machine = Machine::empty();
    assert_eq!(revisions(&machine), "- - - -");
    assert_eq!(Topology::read(&machine.system).basis, IndexBasis::Nothing);
}
