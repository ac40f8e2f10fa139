use super::super::locate_path;
use super::*;
use crate::cli::words::InWords;
use crate::drive::tests::fake::{Machine, sense};
use crate::sim::SimClock;
use crate::transport::Completion;

const VENDOR_COMMAND: u8 = 0xFF;

fn drive(machine: &Machine, node: &str) -> Located {
    locate_path(&machine.system, &machine.path(node)).unwrap()
}

fn take(machine: &Machine, rule: MediumRule) -> Result<Hold, HoldError> {
    let drive = drive(machine, "dev/sr0");
    Hold::take(&machine.system, &drive, rule, Arc::new(SimClock::default()))
}

fn held(machine: &Machine) -> Hold {
    take(machine, MediumRule::Refuse).unwrap()
}

fn refusal(machine: &Machine) -> String {
    let error = take(machine, MediumRule::Refuse).err().unwrap();
    machine.told(&error.in_words())
}

fn polling(machine: &Machine, number: u32) -> String {
    machine.read(&format!("sys/class/block/sr{number}/events_poll_msecs"))
}

#[test]
fn commands_go_to_sg_while_sr_and_sg_are_kept_from_others() {
    let machine = Machine::four_drives();
    let mut hold = held(&machine);
    hold.execute(&[VENDOR_COMMAND; 12], Data::None, START)
        .unwrap();
    assert_eq!(
        machine.state().commands.last(),
        Some(&(machine.path("dev/sg0"), VENDOR_COMMAND))
    );
    let open = |node: &str, exclusive| {
        let node = machine.path(node);
        machine.system.kernel().open(&node, exclusive).is_ok()
    };
    assert!(!open("dev/sr0", true));
    assert!(!open("dev/sg0", false));
    drop(hold);
    assert!(open("dev/sr0", true));
    assert!(open("dev/sg0", true));
}

#[test]
fn a_second_run_is_refused_and_told_who_has_the_drive() {
    let machine = Machine::four_drives();
    let hold = held(&machine);
    machine.process(4711, "mtkflash", "dev/sg0");
    assert_eq!(
        refusal(&machine),
        "/dev/sr0 is in use: open in mtkflash (process 4711)"
    );
    drop(hold);
    held(&machine);
}

#[test]
fn a_drive_that_is_only_looked_at_for_a_moment_is_waited_for() {
    let machine = Machine::four_drives();
    machine.state().looks = 5;
    held(&machine);
    assert_eq!(machine.state().looks, 0);
    machine.state().looks = 1000;
    assert_eq!(refusal(&machine), "/dev/sr0 is in use");
}

#[test]
fn a_program_on_the_sg_node_alone_keeps_the_drive() {
    let machine = Machine::four_drives();
    let node = machine.path("dev/sg0");
    let _other = machine.system.kernel().open(&node, false).unwrap();
    assert_eq!(refusal(&machine), "/dev/sg0 is in use");
    assert_eq!(polling(&machine, 0), "-1\n");
}

#[test]
fn a_mounted_drive_names_where_it_is_mounted_and_how_to_free_it() {
    let machine = Machine::four_drives();
    machine.mount(0, "/media/My\\040Disc");
    let error = take(&machine, MediumRule::Allow).err().unwrap();
    assert_eq!(
        machine.told(&error.in_words()),
        "/dev/sr0 is in use: mounted at /media/My Disc"
    );
    let HoldError::InTheWay(obstacle) = error else {
        panic!("{error}")
    };
    let Obstacle::Busy { holders, .. } = obstacle else {
        panic!("{obstacle:?}")
    };
    assert!(matches!(&holders[..], [Holder::Mount { at }] if at == Path::new("/media/My Disc")));
}

#[test]
fn media_polling_is_off_meanwhile_and_as_before_afterwards() {
    let machine = Machine::four_drives();
    machine.file("sys/class/block/sr0/events_poll_msecs", "2000\n");
    let hold = held(&machine);
    assert!(hold.polling.is_none());
    assert_eq!(polling(&machine, 0), "0");
    assert_eq!(polling(&machine, 1), "-1\n");
    drop(hold);
    assert_eq!(polling(&machine, 0), "2000");
}

#[test]
fn a_hold_that_is_dropped_restores_polling_too() {
    let machine = Machine::four_drives();
    drop(held(&machine));
    assert_eq!(polling(&machine, 0), "-1");
}

#[test]
fn polling_that_was_off_already_stays_off() {
    let machine = Machine::four_drives();
    machine.file("sys/class/block/sr0/events_poll_msecs", "0\n");
    drop(held(&machine));
    assert_eq!(polling(&machine, 0), "0\n");
    assert_eq!(machine.state().writes, []);
}

#[test]
fn polling_left_off_by_a_crash_is_not_taken_for_the_users_wish() {
    let machine = Machine::four_drives();
    let file = drive(&machine, "dev/sr0")
        .sysfs
        .join("block/sr0/events_poll_msecs");
    machine.note("run/mtkflash/polling-sr0", file, "-1");
    machine.file("sys/class/block/sr0/events_poll_msecs", "0");
    drop(held(&machine));
    assert_eq!(polling(&machine, 0), "-1");
}

#[test]
fn polling_that_may_not_be_changed_is_no_reason_to_give_up() {
    let machine = Machine::four_drives();
    let drive = drive(&machine, "dev/sr0");
    let file = drive.sysfs.join("block/sr0/events_poll_msecs");
    machine.state().read_only.push(file);
    let hold = held(&machine);
    assert!(hold.polling.is_some());
    drop(hold);
    assert_eq!(polling(&machine, 0), "-1\n");
    // Nor is it a crash, which the next run would want to repair.
    assert!(!machine.path("run/mtkflash/polling-sr0").exists());
}

#[test]
fn without_a_place_for_the_note_polling_is_left_alone() {
    let machine = Machine::four_drives();
    machine.file("run/mtkflash", "in the way");
    let hold = held(&machine);
    assert!(hold.polling.is_some());
    assert_eq!(machine.state().writes, []);
}

#[test]
fn a_disc_in_the_drive_is_refused_and_nothing_has_changed() {
    let machine = Machine::four_drives();
    machine.state().ready.push_back(Completion::default());
    assert_eq!(
        refusal(&machine),
        "there is a disc in /dev/sr0; eject it first"
    );
    assert_eq!(machine.state().writes, []);
    take(&machine, MediumRule::Allow).unwrap();
}

#[test]
fn a_drive_that_starts_is_waited_for() {
    let machine = Machine::four_drives();
    machine.state().ready = [
        sense(0x6, 0x29, 0x00),
        sense(0x2, 0x04, 0x01),
        sense(0x2, 0x04, 0x01),
        sense(0x2, 0x3A, 0x01),
    ]
    .into();
    held(&machine);
    assert!(machine.state().ready.len() <= 1, "asked until it knew");
}

#[test]
fn a_drive_that_starts_for_ever_is_refused_but_by_the_users_word() {
    let machine = Machine::four_drives();
    machine.state().ready.push_back(sense(0x2, 0x04, 0x01));
    assert_eq!(
        refusal(&machine),
        "/dev/sr0 has been starting for 20 s and does not say whether there is a disc in it"
    );
    take(&machine, MediumRule::Allow).unwrap();
}

#[test]
fn a_drive_too_broken_to_tell_of_its_medium_is_still_held() {
    let machine = Machine::four_drives();
    machine.state().ready.push_back(sense(0x4, 0x44, 0x00));
    held(&machine);
}

#[test]
fn without_the_sg_module_commands_go_over_sr_and_its_filter() {
    let machine = Machine::four_drives();
    machine.unload_sg();
    let mut hold = held(&machine);
    let refused = hold.execute(&[VENDOR_COMMAND; 12], Data::None, START);
    assert!(matches!(refused, Err(TransportError::NotPermitted)));
    assert!(matches!(
        hold.why_not_permitted(&machine.system),
        Obstacle::Filtered { has_sg: false, .. }
    ));
}

#[test]
fn in_a_container_with_one_of_the_nodes_that_one_has_to_do() {
    for (given, other) in [("dev/sg0", "dev/sr0"), ("dev/sr0", "dev/sg0")] {
        let machine = Machine::four_drives();
        machine.file(".dockerenv", "");
        let drive = drive(&machine, "dev/sr0");
        std::fs::remove_file(machine.path(other)).unwrap();
        let clock = Arc::new(SimClock::default());
        let hold = Hold::take(&machine.system, &drive, MediumRule::Refuse, clock.clone()).unwrap();
        assert_eq!(hold.nodes.node, machine.path(given));
    }
}

#[test]
fn a_mount_is_seen_even_where_the_sr_node_is_missing() {
    let machine = Machine::four_drives();
    let drive = drive(&machine, "dev/sr0");
    machine.mount(0, "/mnt");
    std::fs::remove_file(machine.path("dev/sr0")).unwrap();
    let clock = Arc::new(SimClock::default());
    let error = Hold::take(&machine.system, &drive, MediumRule::Refuse, clock.clone());
    assert_eq!(
        machine.told(&error.err().unwrap().in_words()),
        "/dev/sr0 is in use: mounted at /mnt"
    );
}

#[test]
fn a_drive_that_changed_its_name_since_it_was_found_is_not_held() {
    let machine = Machine::piix();
    machine.usb_drive("1-2", 0, "9:0:0:0");
    let drive = drive(&machine, "dev/sr0");
    machine.unplug(0, "9:0:0:0");
    machine.usb_drive("1-3", 0, "10:0:0:0");
    let clock = Arc::new(SimClock::default());
    let outcome = Hold::take(&machine.system, &drive, MediumRule::Refuse, clock.clone());
    assert!(matches!(outcome, Err(HoldError::Changed { .. })));
    assert!(machine.state().commands.is_empty());
}

fn again(machine: &Machine, before: &Located) -> Option<Hold> {
    Hold::again(&machine.system, before, Arc::new(SimClock::default()))
}

#[test]
fn a_drive_that_came_back_without_its_sg_node_is_not_back_yet() {
    let machine = Machine::piix();
    machine.usb_drive("1-2", 0, "9:0:0:0");
    let before = held(&machine).drive.clone();
    machine.unplug(0, "9:0:0:0");
    machine.usb_drive("1-2", 1, "10:0:0:0");
    machine.unload_sg();
    assert!(again(&machine, &before).is_none());
}

#[test]
fn a_drive_that_restarts_is_held_again_under_its_other_names() {
    let machine = Machine::piix();
    machine.usb_drive("1-2", 0, "9:0:0:0");
    let before = held(&machine).drive.clone();
    machine.unplug(0, "9:0:0:0");
    assert!(again(&machine, &before).is_none());
    machine.usb_drive("1-2", 1, "10:0:0:0");
    let mut hold = again(&machine, &before).unwrap();
    hold.execute(&[VENDOR_COMMAND; 12], Data::None, START)
        .unwrap();
    assert_eq!(
        machine.state().commands.last(),
        Some(&(machine.path("dev/sg1"), VENDOR_COMMAND))
    );
    assert_eq!(polling(&machine, 1), "0");
    drop(hold);
    assert_eq!(polling(&machine, 1), "-1");
}

/// A clock that takes a directory of sysfs away while somebody waits.
struct Unplugging {
    clock: SimClock,
    sysfs: PathBuf,
}

impl Clock for Unplugging {
    fn now(&self) -> Duration {
        self.clock.now()
    }

    fn sleep(&self, time: Duration) {
        self.clock.sleep(time);
        let _ = std::fs::remove_dir_all(&self.sysfs);
    }
}

fn lost() -> Completion {
    Completion {
        host_status: 0x07,
        ..Completion::default()
    }
}

#[test]
fn a_drive_that_goes_a_moment_after_its_lost_command_has_vanished() {
    let machine = Machine::four_drives();
    let drive = drive(&machine, "dev/sr0");
    let clock = Arc::new(Unplugging {
        clock: SimClock::default(),
        sysfs: drive.sysfs.clone(),
    });
    let mut hold = Hold::take(&machine.system, &drive, MediumRule::Refuse, clock).unwrap();
    machine.state().ready = [lost()].into();
    let answer = hold.execute(&[0; 6], Data::None, START);
    assert!(matches!(answer, Err(TransportError::Vanished)));
}

#[test]
fn a_lost_command_of_a_drive_that_stays_is_only_lost() {
    let machine = Machine::four_drives();
    let mut hold = held(&machine);
    machine.state().ready = [lost()].into();
    let answer = hold.execute(&[0; 6], Data::None, START);
    assert_eq!(answer.unwrap(), lost());
}
