use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::cli::args::{self, Via};
use crate::cli::tests::every::{every, shown, table};
use crate::drive::ask::AskError;
use crate::drive::tests::fake::{FakeFunction, Machine as Fake, sense};
use crate::session::Host;
use crate::transport::{Completion, TransportError};

const PIIX: &str = "0000:00:01.1";

fn listing(machine: &Fake) -> Listing {
    Host::of(machine.system.clone()).list()
}

fn request() -> Request {
    args::parse(["mtkflash", "l"].map(Into::into).into_iter()).unwrap()
}

fn listed(machine: &Fake) -> String {
    let listing = listing(machine);
    let text = match listing.drives.is_empty() {
        true => shown(&nothing(&listing, &request())),
        false => super::listed(&listing, &request()).to_string(),
    };
    machine.told(&text)
}

#[test]
fn the_drives_to_check_over_the_ports_are_named_by_position() {
    let machine = Fake::four_drives();
    machine.usb_drive("1-2", 4, "9:0:0:0");
    let names = |via| -> Vec<String> {
        let drives = listing(&machine).drives;
        let names = drives.iter().map(|listed| listed.name(via).unwrap());
        names.map(|name| machine.told(&name.to_string())).collect()
    };
    assert_eq!(names(Some(Via::Port)), ["1", "2", "3", "4", "/dev/sr4"]);
    let nodes = ["/dev/sr0", "/dev/sr1", "/dev/sr2", "/dev/sr3", "/dev/sr4"];
    assert_eq!(names(None), nodes);
}

#[test]
fn a_machine_without_a_drive() {
    let told = [
        listed(&Fake::piix()),
        listed(&Fake::piix().seen_by_a_user()),
        listed(&Fake::empty()),
    ];
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn ports_at_which_a_drive_may_answer_that_is_not_listed() {
    let card = || {
        let machine = Fake::empty();
        machine.ports("0000:03:00.0", "pata_cmd64x", 1, 0, 2);
        machine.function("0000:03:00.0", &FakeFunction::CMD646);
        machine
    };
    let with_a_drive = || {
        let machine = card();
        machine.drive("0000:03:00.0", 0, "1:0:0:0", "J0");
        machine
    };
    let told = [
        listed(&with_a_drive()),
        listed(&with_a_drive().seen_by_a_user()),
        listed(&card()),
        listed(&Fake::four_drives()),
    ];
    assert!(!told[3].contains("pci-"), "{}", told[3]);
    insta::assert_snapshot!(told[..3].join("\n"));
}

#[test]
fn drives_that_something_stands_in_the_way_of() {
    let machine = Fake::four_drives().seen_by_a_user();
    machine.usb_drive("1-2", 4, "9:0:0:0");
    let forbidden = ["dev/sg0", "dev/sr0"].map(|node| machine.path(node));
    for node in &forbidden {
        std::fs::set_permissions(node, Permissions::from_mode(0o600)).unwrap();
    }
    machine.state().denied.extend(forbidden);
    machine.mount(1, "/media/My\\040Disc");
    machine.process(4711, "mtkflash", "dev/sg2");
    let _held = machine.system.kernel().open(&machine.path("dev/sg2"), true);
    std::fs::remove_file(machine.path("dev/sg3")).unwrap();
    insta::assert_snapshot!(listed(&machine));
}

#[test]
fn drives_with_a_disc_in_them_or_starting() {
    let machine = Fake::piix();
    machine.drive(PIIX, 0, "0:0:0:0", "PM");
    machine.drive(PIIX, 1, "0:0:1:0", "PS");
    machine.state().serial = Some("A1B2");
    machine.state().ready = [Completion::default(), sense(0x2, 0x04, 0x01)].into();
    insta::assert_snapshot!(listed(&machine));
}

#[test]
fn a_drive_without_the_sg_module() {
    let machine = Fake::piix();
    machine.drive(PIIX, 0, "0:0:0:0", "PM");
    machine.unload_sg();
    insta::assert_snapshot!(listed(&machine));
}

#[test]
fn positions_that_are_a_guess() {
    let machine = Fake::empty();
    machine.ports("0000:00:1f.2", "ahci", 1, 0, 6);
    machine.drive("0000:00:1f.2", 0, "2:0:0:0", "P3");
    insta::assert_snapshot!(listed(&machine));
}

#[test]
fn two_controllers_that_could_have_the_positions() {
    let machine = Fake::empty();
    machine.ports("0000:00:05.0", "pata_jmicron", 1, 0, 2);
    machine.ports("0000:00:06.0", "pata_via", 3, 2, 2);
    machine.drive("0000:00:05.0", 0, "0:0:0:0", "J0");
    machine.drive("0000:00:06.0", 1, "2:0:0:0", "V0");
    insta::assert_snapshot!(listed(&machine));
}

#[test]
fn a_drive_that_does_not_say_who_it_is() {
    let machine = Fake::piix();
    machine.drive(PIIX, 0, "0:0:0:0", "PM");
    let odd = |completion| AskError::Failed(completion);
    let silences = every!(AskError:
        AskError::Transport(_) => [TransportError::Vanished.into()],
        AskError::TimedOut => [AskError::TimedOut],
        AskError::Failed(_) => [
            odd(sense(0x4, 0x44, 0x00)),
            odd(Completion { status: 0x02, ..Completion::default() }),
            odd(Completion { status: 0x08, ..Completion::default() }),
            odd(Completion { host_status: 0x07, ..Completion::default() }),
        ],
        AskError::Short { .. } => [AskError::Short { bytes: 16 }],
        AskError::Nonsense => [AskError::Nonsense],
    );
    insta::assert_snapshot!(table(silences, |silence| {
        let mut listing = listing(&machine);
        let listed = listing.drives.first_mut().unwrap();
        listed.asked.silence = Some(silence);
        listed.asked.said = None;
        machine.told(&super::listed(&listing, &request()).to_string())
    }));
}
