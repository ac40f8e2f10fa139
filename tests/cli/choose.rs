//! A line that names no drive, typed at a terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::thread;

use nix::pty::openpty;

use crate::folder::Folder;

/// What is on the terminal in the end, and the exit code, where this is typed.
fn at_terminal(folder: &Folder, line: &str, typed: &str) -> (String, Option<i32>) {
    let pair = openpty(None, None).unwrap();
    let mut command = folder.command(line);
    command.stdin(File::from(pair.slave.try_clone().unwrap()));
    command.stderr(File::from(pair.slave));
    let mut terminal = File::from(pair.master);
    let mut screen = terminal.try_clone().unwrap();
    let shown = thread::spawn(move || {
        let mut shown = Vec::new();
        // Ends with an error when nobody has the other side any more.
        let _ = screen.read_to_end(&mut shown);
        String::from_utf8_lossy(&shown).into_owned()
    });
    terminal.write_all(typed.as_bytes()).unwrap();
    let mut child = command.spawn().unwrap();
    // With it goes the last handle to the other side that is ours.
    drop(command);
    let code = child.wait().unwrap().code();
    (shown.join().unwrap(), code)
}

#[test]
fn the_drives_are_listed_and_the_one_that_is_typed_is_read() {
    let folder = Folder::with_bench("four-drives.toml");
    let (shown, code) = at_terminal(&folder, "r /m /b backup.bin", "9\nx y\n1\n");
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("SONY DVD RW DW-D22A BYS1"), "{shown}");
    assert!(shown.contains("Which drive? Type its number"), "{shown}");
    assert_eq!(shown.matches("That names no drive").count(), 2, "{shown}");
    assert_eq!(folder.read("backup.bin"), folder.flash_of(1));
}

#[test]
fn no_answer_ends_it_before_anything_is_touched() {
    let folder = Folder::with_bench("four-drives.toml");
    let (shown, code) = at_terminal(&folder, "w /m image.bin", "\n");
    assert_eq!(code, Some(130), "{shown}");
    assert!(shown.contains("No drive was named"), "{shown}");
    let (_, code) = at_terminal(&folder, "e", "9\n9\n9\n9\n");
    assert_eq!(code, Some(130));
    let run = folder.fails("r /m /b backup.bin", 2);
    assert!(run.stderr.contains("needs a drive"), "in a script: {run}");
}
