use super::*;
use std::fs;
use std::path::Path;

/// A program in the place of systemd-inhibit.
fn program(directory: &Path, script: &str) -> Command {
    let path = directory.join("inhibit");
    fs::write(&path, script).unwrap();
    // Not run by its own name: that fails while any other test forks.
    let mut command = Command::new("sh");
    command.arg(path);
    command
}

#[test]
fn the_lock_is_held_around_a_command_that_lives_until_it_is_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let script = format!(
        "echo \"$*\" > {log}; shift 4; \"$@\"; echo ended >> {log}",
        log = log.display()
    );
    let program = program(directory.path(), &script);
    let mut inhibitor = Inhibitor::by(program, "flash of SONY").unwrap();
    assert!(inhibitor.child.try_wait().unwrap().is_none());
    let told = fs::read_to_string(&log).unwrap();
    assert_eq!(
        told,
        "--what=sleep:shutdown --mode=block --who=mtkflash --why=flash of SONY \
         sh -c echo held && exec cat\n"
    );
    // As when this program is killed: the pipe closes, and the lock ends by itself.
    drop(inhibitor.input.take());
    assert!(inhibitor.child.wait().unwrap().success());
    assert!(fs::read_to_string(&log).unwrap().ends_with("ended\n"));
}

#[test]
fn a_machine_without_logind_is_no_error() {
    assert!(Inhibitor::by(Command::new("/nowhere/systemd-inhibit"), "").is_none());
    let directory = tempfile::tempdir().unwrap();
    let refusing = program(directory.path(), "echo refused >&2; exit 1");
    assert!(Inhibitor::by(refusing, "").is_none());
}
