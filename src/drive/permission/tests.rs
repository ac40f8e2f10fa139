use super::super::locate_path;
use super::*;
use crate::cli::words::InWords;
use crate::drive::tests::fake::Machine;

/// The message for an obstacle, as a user meets it.
fn met(machine: &Machine, obstacle: &Obstacle) -> String {
    machine.told(&obstacle.in_words())
}

fn open(machine: &Machine, why: NotOpened) -> String {
    let node = machine.path("dev/sg0");
    let drive = locate_path(&machine.system, &node).unwrap();
    met(
        machine,
        &Obstacle::to_open(&machine.system, &drive, why.of(&node)),
    )
}

fn ports(machine: &Machine, error: PortOpenError) -> String {
    met(machine, &Obstacle::to_ports(&machine.system, error))
}

#[test]
fn a_node_of_a_group_names_the_group_to_join() {
    let machine = Machine::four_drives();
    let node = || PathBuf::from("/dev/sg0");
    let group = || Some("cdrom".to_owned());
    assert_eq!(
        met(&machine, &with_mode(node(), 0o20660, group(), false)),
        "no permission to open /dev/sg0: it belongs to the group cdrom, and you are not in it \
         (joining it counts from the next login)"
    );
    // A group that may only read would not help: writing is what it takes.
    for obstacle in [
        with_mode(node(), 0o20640, group(), true),
        with_mode(node(), 0o20600, None, false),
        with_mode(node(), 0o20660, None, false),
    ] {
        assert_eq!(met(&machine, &obstacle), "only root may open /dev/sg0");
    }
    assert_eq!(
        met(&machine, &with_mode(node(), 0o20660, group(), true)),
        "the system refuses to open /dev/sg0, although its permissions allow it"
    );
}

#[test]
fn a_container_must_be_given_the_node() {
    let machine = Machine::four_drives();
    machine.file("run/.containerenv", "");
    let message = "/dev/sg0 is not to be had in this container; the container must be started \
                   with it";
    assert_eq!(open(&machine, NotOpened::NotPermitted), message);
    assert_eq!(open(&machine, NotOpened::Missing), message);
    let named = Obstacle::missing(&machine.system, &machine.path("dev/sg0"));
    assert_eq!(met(&machine, &named), message);
    // Root there has not the right that /dev/srN asks for.
    let node = machine.path("dev/sr0");
    let drive = locate_path(&machine.system, &node).unwrap();
    let filtered = Obstacle::to_command(&machine.system, &drive, &node);
    assert_eq!(met(&machine, &filtered), message);
}

#[test]
fn outside_of_a_container_a_missing_node_is_a_matter_of_udev() {
    let machine = Machine::four_drives();
    assert_eq!(
        open(&machine, NotOpened::Missing),
        "the kernel has the drive as /dev/sg0, and that node does not exist"
    );
}

#[test]
fn root_who_is_refused_is_not_sent_to_sudo() {
    let machine = Machine::four_drives();
    assert_eq!(
        open(&machine, NotOpened::NotPermitted),
        "the system refuses to open /dev/sg0, although its permissions allow it"
    );
}

#[test]
fn a_filtered_command_asks_for_the_sg_module_or_for_root() {
    let machine = Machine::four_drives();
    let node = machine.path("dev/sr0");
    let mut drive = locate_path(&machine.system, &node).unwrap();
    let message = "the kernel does not let this command through /dev/sr0: it takes vendor \
                   commands there from root only (CAP_SYS_RAWIO)";
    assert_eq!(
        met(
            &machine,
            &Obstacle::to_command(&machine.system, &drive, &node)
        ),
        message
    );
    drive.sg = None;
    assert_eq!(
        met(
            &machine,
            &Obstacle::to_command(&machine.system, &drive, &node)
        ),
        message
    );
}

#[test]
fn a_locked_down_kernel_is_told_apart_from_a_missing_right() {
    let machine = Machine::empty();
    let locked = "sys/kernel/security/lockdown";
    machine.file(locked, "none [integrity] confidentiality\n");
    assert_eq!(
        ports(&machine, PortOpenError::KernelRefuses),
        "the kernel is locked down (integrity), as it is under Secure Boot, and gives no access \
         to I/O ports; Secure Boot can be switched off in the firmware's setup"
    );
    machine.file(locked, "[none] integrity confidentiality\n");
    assert_eq!(
        ports(&machine, PortOpenError::KernelRefuses),
        "the kernel does not permit access to I/O ports"
    );
    let machine = machine.seen_by_a_user();
    assert_eq!(
        ports(&machine, not_permitted()),
        "only root may use the I/O ports (CAP_SYS_RAWIO)"
    );
}

fn not_permitted() -> PortOpenError {
    PortOpenError::NotPermitted {
        path: "/dev/port".into(),
    }
}

const PORTS_IN_CONTAINER: &str = "the I/O ports are not to be had in this container, unless it is \
                                  started with all rights";

#[test]
fn a_kernel_without_ports_is_told_apart_from_a_container_without_them() {
    let machine = Machine::empty();
    assert_eq!(
        ports(&machine, PortOpenError::Missing),
        "/dev/port does not exist: this kernel gives no access to I/O ports"
    );
    machine.file(".dockerenv", "");
    assert_eq!(ports(&machine, PortOpenError::Missing), PORTS_IN_CONTAINER);
    assert_eq!(ports(&machine, not_permitted()), PORTS_IN_CONTAINER);
}
