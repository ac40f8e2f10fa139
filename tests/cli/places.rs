//! Folders and disks that take no files, and outputs that take no text.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::folder::{Folder, Run, left_out, old_image, patched_image};

const BENCH: &str = "sst39sf020.toml";

fn ready() -> Folder {
    let folder = Folder::with_bench(BENCH);
    folder.write("new.bin", patched_image());
    folder
}

#[test]
fn a_dump_into_a_folder_that_is_not_there_is_refused_before_the_drive_is_touched() {
    let folder = ready();
    let run = folder.fails("3 r /m /b nowhere/x.bin", 6);
    insta::assert_snapshot!(run.message());
    assert!(!folder.holds("bench.state"));
}

#[test]
fn a_dump_into_a_folder_that_is_a_file_is_refused_before_the_drive_is_touched() {
    let folder = ready();
    let run = folder.fails("3 r /m /b new.bin/x.bin", 6);
    insta::assert_snapshot!(run.message());
    assert!(!folder.holds("bench.state"));
}

#[test]
fn a_dump_over_a_folder_is_refused_even_when_overwriting_is_forced() {
    let folder = ready();
    fs::create_dir(folder.path("dumps")).unwrap();
    folder.write("dumps/kept", "kept");
    folder.fails("3 r /m /b dumps", 4);
    let run = folder.fails("3 r /m /b dumps --force=overwrite", 4);
    insta::assert_snapshot!(run.message());
    assert_eq!(folder.text("dumps/kept"), "kept");
}

#[test]
fn a_backup_that_cannot_be_made_prevents_the_write() {
    let folder = ready();
    let run = folder.fails("3 w /m new.bin --yes --backup nowhere/x.bin", 6);
    insta::assert_snapshot!(run.message());
    assert!(!folder.holds("bench.state"));
}

/// Where a shell finds the binary before any other.
fn path() -> OsString {
    let binary = Path::new(env!("CARGO_BIN_EXE_mtkflash")).parent().unwrap();
    let mut path = OsString::from(binary);
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    path
}

/// Runs the binary by a shell that has prepared something for it.
fn by_shell(folder: &Folder, prepare: &str, line: &str) -> Run {
    let output = Command::new("sh")
        .arg("-c")
        .arg(format!("{prepare} && exec \"$0\" \"$@\""))
        .arg("mtkflash")
        .args(folder.words(line))
        .current_dir(folder.path(""))
        .env("PATH", path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Run::of(line, output)
}

#[test]
fn a_limit_on_the_size_of_files_ends_a_dump_with_6_and_without_a_file() {
    let folder = ready();
    folder.done("3 c");
    let run = by_shell(&folder, "ulimit -f 16", "3 r /m /b x.bin");
    assert_eq!(run.code, Some(6), "{run}");
    insta::assert_snapshot!(run.message());
    assert_eq!(folder.files(), ["new.bin"]);
}

#[test]
fn a_limit_on_the_size_of_files_prevents_the_write() {
    let folder = ready();
    folder.done("3 c");
    let run = by_shell(&folder, "ulimit -f 16", "3 w /m new.bin --yes");
    assert_eq!(run.code, Some(6), "{run}");
    assert_eq!(folder.flash(), old_image());
    assert_eq!(folder.files(), ["new.bin"]);
}

/// A disk of 128 KiB, where this user may have one of their own.
fn on_a_small_disk(folder: &Folder, line: &str) -> Option<Run> {
    fs::create_dir(folder.path("disk")).unwrap();
    folder.done("3 c");
    let mount = "mount -t tmpfs -o size=128k none disk";
    let unshare = |script: &str| {
        let mut command = Command::new("unshare");
        command
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", script])
            .arg("mtkflash")
            .args(folder.words(line))
            .current_dir(folder.path(""))
            .env("PATH", path())
            .env("HOME", "home")
            .stdin(Stdio::null());
        command
    };
    fs::create_dir(folder.path("home")).unwrap();
    let may = unshare(mount)
        .output()
        .is_ok_and(|output| output.status.success());
    if !may {
        left_out("unshare", "no user namespace with a disk of its own here");
        return None;
    }
    let script = format!("{mount} && \"$0\" \"$@\"; code=$?; ls -A disk; exit $code");
    Some(Run::of(line, unshare(&script).output().unwrap()))
}

#[test]
fn a_full_disk_ends_a_dump_before_a_byte_is_read() {
    let folder = ready();
    let Some(run) = on_a_small_disk(&folder, "3 r /m /b disk/x.bin") else {
        return;
    };
    assert_eq!(run.code, Some(6), "{run}");
    insta::assert_snapshot!(run.message());
    assert!(!run.stderr.contains("Reading bank"), "{run}");
    assert!(!run.stdout.contains("x.bin"), "{run}");
    assert!(!run.stdout.contains(".part"), "{run}");
}

#[test]
fn a_hex_dump_needs_more_room_than_a_raw_one() {
    let folder = ready();
    let hex = "3 r /m disk/x.hex --banks 0";
    let Some(run) = on_a_small_disk(&folder, hex) else {
        return;
    };
    assert_eq!(run.code, Some(6), "{run}");
    fs::remove_dir(folder.path("disk")).unwrap();
    fs::remove_dir(folder.path("home")).unwrap();
    let raw = "3 r /m /b disk/x.bin --banks 0";
    let run = on_a_small_disk(&folder, raw).unwrap();
    assert_eq!(run.code, Some(0), "{run}");
}

#[test]
fn a_full_disk_prevents_the_write() {
    let folder = ready();
    let line = "3 w /m new.bin --yes --backup disk/before.bin";
    let Some(run) = on_a_small_disk(&folder, line) else {
        return;
    };
    assert_eq!(run.code, Some(6), "{run}");
    insta::assert_snapshot!(run.message());
    assert!(!run.stderr.contains("Reading: "), "{run}");
    assert_eq!(folder.flash(), old_image());
}

#[test]
fn a_backup_that_is_a_folder_gets_a_file_in_it() {
    let folder = ready();
    fs::create_dir(folder.path("kept")).unwrap();
    let run = folder.done("3 w /m new.bin --yes --backup kept");
    assert!(run.stdout.contains("kept/backup-"), "{run}");
    assert_eq!(folder.flash(), folder.read("new.bin"));
}

/// Runs the binary with a standard output that is always full.
fn onto_a_full_output(folder: &Folder, line: &str) -> Run {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    Run::of(line, folder.command(line).stdout(full).output().unwrap())
}

#[test]
fn a_report_that_cannot_be_written_is_told_on_standard_error() {
    let folder = ready();
    let run = onto_a_full_output(&folder, "3 c");
    assert_eq!(run.code, Some(9), "{run}");
    insta::assert_snapshot!(run.message());
}

#[test]
fn events_end_in_the_exit_code_also_where_the_object_cannot_be_written() {
    let folder = ready();
    for line in ["3 c --json --events", "3 c --events"] {
        let run = onto_a_full_output(&folder, line);
        assert_eq!(run.code, Some(9), "{run}");
        let over: serde_json::Value =
            serde_json::from_str(run.stderr.lines().last().unwrap()).unwrap();
        assert_eq!(over["event"], "over", "{run}");
        assert_eq!(over["exit_code"], 9, "{run}");
        assert_eq!(over["exit"], "unreported", "{run}");
        let why = over["error"]["message"].as_str().unwrap();
        assert!(why.starts_with("The report could not be written"), "{run}");
    }
}

#[test]
fn a_dump_whose_report_cannot_be_written_is_there_all_the_same() {
    let folder = ready();
    let run = onto_a_full_output(&folder, "3 r /m /b x.bin");
    assert_eq!(run.code, Some(9), "{run}");
    insta::assert_snapshot!(run.message());
    assert_eq!(folder.read("x.bin"), old_image());
}

#[test]
fn a_write_whose_plan_cannot_be_shown_is_not_begun() {
    let folder = ready();
    let run = onto_a_full_output(&folder, "3 w /m new.bin --yes");
    assert_eq!(run.code, Some(6), "{run}");
    insta::assert_snapshot!(run.message());
    assert_eq!(folder.flash(), old_image());
}

#[test]
fn a_folder_that_is_not_there_is_made_and_a_file_in_it_named() {
    let folder = ready();
    let run = folder.fails("3 r /m /b dumps/", 6);
    assert!(run.stderr.contains("3 r /m /b dumps/dump.bin"), "{run}");
    std::fs::create_dir(folder.path("dumps")).unwrap();
    folder.done("3 r /m /b dumps/dump.bin");
}

#[test]
fn a_folder_in_the_place_of_a_record_leads_to_another_name_for_the_dump() {
    let folder = ready();
    std::fs::create_dir(folder.path("dump.bin.txt")).unwrap();
    let run = folder.fails("3 r /m /b dump.bin", 4);
    assert!(run.stderr.contains("3 r /m /b dump-2.bin"), "{run}");
    folder.done("3 r /m /b dump-2.bin");
}

#[test]
fn several_dumps_into_what_is_the_kernel_s_are_refused_by_the_name_that_was_typed() {
    let folder = Folder::with_bench("sst39sf020.toml");
    let run = folder.fails("1,3 r /m /b /dev/stdout", 4);
    assert!(run.stderr.contains("/dev/stdout:"), "{run}");
    assert!(!run.stderr.contains("stdout-"), "{run}");
}

#[test]
fn a_word_that_stands_for_another_is_said_to_where_it_was_typed_as_it_is() {
    let folder = ready();
    for line in ["i FILE", "3 w /m FILE --yes", "DRIVE c"] {
        let run = folder.run(line);
        assert_ne!(run.code, Some(0), "{run}");
        assert!(run.stderr.contains("type that in its place"), "{run}");
    }
    folder.write("FILE", patched_image());
    let run = folder.run("i FILE");
    assert!(!run.stderr.contains("in its place"), "{run}");
}

#[test]
fn a_record_that_cannot_be_made_leads_to_another_name_for_the_backup() {
    let folder = ready();
    std::os::unix::fs::symlink("other", folder.path("old.bin.txt")).unwrap();
    let run = folder.fails("3 w /m new.bin --yes --backup old.bin", 4);
    assert!(run.stderr.contains("--backup old-2.bin"), "{run}");
    assert!(!run.stderr.contains("bin-2.txt"), "{run}");
    assert_eq!(folder.flash(), old_image());
}

/// Runs the binary as a user who owns nothing; `None` where that cannot be.
fn as_nobody(folder: &Folder, line: &str) -> Option<Run> {
    const NOBODY: u32 = 65534;
    if !nix::unistd::geteuid().is_root() {
        left_out("root", "only root may run a program as another user");
        return None;
    }
    let mut command = folder.command(line);
    command.uid(NOBODY).gid(NOBODY).env("HOME", folder.path(""));
    match command.output() {
        Ok(output) => Some(Run::of(line, output)),
        Err(error) => {
            left_out("root", &format!("another user may not run it: {error}"));
            None
        }
    }
}

#[test]
fn notes_of_another_user_that_may_not_be_looked_into_are_named() {
    let folder = ready();
    folder.done("3 c");
    let open = |name: &str, mode| {
        fs::set_permissions(folder.path(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    for entry in fs::read_dir(folder.path("bench.state")).unwrap() {
        let entry = entry.unwrap();
        let mode = if entry.path().is_dir() { 0o777 } else { 0o666 };
        fs::set_permissions(entry.path(), fs::Permissions::from_mode(mode)).unwrap();
    }
    open("", 0o777);
    open("bench.state", 0o777);
    let journal = folder.path("bench.state/journal");
    let _ = fs::create_dir(&journal);
    for (mode, is_hidden) in [(0o755, false), (0o700, true)] {
        open("bench.state/journal", mode);
        let Some(run) = as_nobody(&folder, "3 c") else {
            return;
        };
        assert_eq!(run.code, Some(0), "{run}");
        let is_told = run.stdout.contains("bench.state/journal: a note");
        assert_eq!(is_told, is_hidden, "{run}");
        let Some(run) = as_nobody(&folder, &format!("3 r /m /b of-{mode}.bin")) else {
            return;
        };
        assert_eq!(run.code, Some(0), "{run}");
        assert_eq!(run.stdout.contains("it is no backup"), is_hidden, "{run}");
    }
    let Some(run) = as_nobody(&folder, "3 w /m new.bin --yes") else {
        return;
    };
    assert!(run.stderr.contains("bench.state/journal"), "{run}");
    assert_eq!(folder.flash(), old_image());
}
