use super::*;
use crate::cli::words::InWords;
use crate::drive::position::Position;
use crate::drive::tests::fake::{Machine, sense};
use crate::drive::{locate_path, locate_position};
use crate::transport::Completion;
use proptest::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};

/// Every drive, and what it says.
fn list(system: &System) -> Vec<(Located, Asked)> {
    let drives = Topology::read(system).drives().cloned().collect::<Vec<_>>();
    let asked = drives.into_iter().map(|drive| {
        let asked = ask(system, &drive);
        (drive, asked)
    });
    asked.collect()
}

fn obstacles(machine: &Machine, (_, asked): &(Located, Asked)) -> Vec<String> {
    asked
        .obstacles
        .iter()
        .map(|obstacle| machine.told(&obstacle.in_words()))
        .collect()
}

#[test]
fn the_list_has_every_drive_in_the_order_of_the_index_and_those_without_last() {
    let machine = Machine::empty();
    machine.file("proc/ioports", crate::drive::ioports::tests::PIIX);
    machine.usb_drive("1-2", 0, "2:0:0:0");
    machine.ports("0000:00:01.1", "ata_piix", 7, 6, 2);
    machine.drive("0000:00:01.1", 2, "6:0:0:0", "PM");
    machine.drive("0000:00:01.1", 1, "7:0:1:0", "SS");
    machine.disk("0000:00:01.1", 3, "6:0:1:0");
    let positions: Vec<_> = list(&machine.system)
        .iter()
        .map(|(drive, _)| drive.position.map(|position| position.number()))
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
    let (_, first) = &listing[0];
    let identity = first.said.as_ref().unwrap();
    assert_eq!(identity.product, "DVD RW DW-D22A");
    assert_eq!(identity.serial.as_deref(), Some("A1B2"));
    assert_eq!(first.medium, Some(Medium::Present));
    assert_eq!(listing[1].1.medium, Some(Medium::Absent));
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
        obstacles(&machine, &listing[2]),
        ["/dev/sg2 is in use: open in mtkflash (process 99)"]
    );
    assert_eq!(listing[2].1.said, None);
    assert!(listing[3].1.said.is_some());
    let state = machine.state();
    assert!(!state.commands.iter().any(|(node, _)| node.ends_with("sr2")));
}

#[test]
fn a_mounted_drive_says_where_and_still_who_it_is() {
    let machine = Machine::four_drives();
    machine.mount(1, "/mnt");
    let listing = list(&machine.system);
    assert_eq!(
        obstacles(&machine, &listing[1]),
        ["/dev/sr1 is in use: mounted at /mnt"]
    );
    assert!(listing[1].1.said.is_some());
}

#[test]
fn without_the_sg_module_the_drives_are_listed_over_sr() {
    let machine = Machine::four_drives();
    machine.unload_sg();
    let listing = list(&machine.system);
    assert_eq!(
        obstacles(&machine, &listing[0]),
        ["the drive has no /dev/sg node, because the kernel's sg module is not loaded"]
    );
    assert!(listing[0].1.said.is_some());
}

#[test]
fn a_drive_that_may_not_be_opened_is_listed_as_the_kernel_knows_it() {
    let machine = Machine::four_drives().seen_by_a_user();
    let nodes = ["dev/sg0", "dev/sr0"].map(|node| machine.path(node));
    machine.state().denied.extend(nodes);
    let listing = list(&machine.system);
    let (drive, first) = &listing[0];
    assert_eq!(first.said, None);
    assert_eq!(drive.known_as.revision, "PM");
    assert_eq!(first.obstacles.len(), 2);
    assert!(listing[1].1.obstacles.is_empty());
}

/// The files below a folder, links not followed.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            files.extend(files_below(&entry.path()));
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    files
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// What the kernel says of its devices is read, not believed.
    #[test]
    fn whatever_the_kernel_s_files_say_the_drives_are_listed_and_looked_for(
        which in any::<proptest::sample::Index>(),
        texts in proptest::collection::vec(
            prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..60),
                "[0-9a-fx: .,\n-]{0,60}".prop_map(String::into_bytes),
                any::<i128>().prop_map(|number| number.to_string().into_bytes()),
            ],
            1..4,
        ),
    ) {
        let machine = Machine::four_drives();
        machine.mount(0, "/mnt");
        let files = [files_below(&machine.path("sys")), files_below(&machine.path("proc"))].concat();
        prop_assert!(files.len() > 20);
        let start = which.index(files.len());
        for (text, file) in texts.iter().zip(files.iter().cycle().skip(start)) {
            fs::write(file, text).unwrap();
        }
        let system = &machine.system;
        for (drive, _) in list(system) {
            prop_assert!(drive.known_as.vendor.len() < 200);
        }
        for position in (1..=4).filter_map(Position::new) {
            if let Ok(drive) = locate_position(system, position) {
                let _ = crate::drive::holders::holders(system, &drive);
            }
        }
        let _ = locate_path(system, &machine.path("dev/sr0"));
        let _ = crate::drive::note::settle(system, None);
    }
}
