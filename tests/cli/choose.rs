//! A line that names no drive, typed at a terminal.

use nix::sys::signal::Signal;

use crate::folder::Folder;
use crate::revive::Terminal;

#[test]
fn the_drives_are_listed_and_the_one_that_is_typed_is_read() {
    let folder = Folder::with_bench("four-drives.toml");
    let (shown, code) = folder.at_terminal("r /m /b backup.bin", "9\nx y\n1\n");
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("SONY DVD RW DW-D22A BYS1"), "{shown}");
    assert!(shown.contains("Which drive? Type its number"), "{shown}");
    assert_eq!(shown.matches("That names no drive").count(), 2, "{shown}");
    assert_eq!(folder.read("backup.bin"), folder.flash_of(1));
}

#[test]
fn no_answer_ends_it_before_anything_is_touched() {
    let folder = Folder::with_bench("four-drives.toml");
    let (shown, code) = folder.at_terminal("w /m image.bin", "\n");
    assert_eq!(code, Some(130), "{shown}");
    assert!(shown.contains("No drive was named"), "{shown}");
    let (_, code) = folder.at_terminal("e", "9\n9\n9\n9\n");
    assert_eq!(code, Some(130));
    let run = folder.fails("r /m /b backup.bin", 2);
    assert!(run.stderr.contains("needs a drive"), "in a script: {run}");
}

#[test]
fn a_serial_number_as_it_is_listed_is_an_answer_and_a_wrong_one_says_how_to_stop() {
    let folder = Folder::with_bench("sst39sf020.toml");
    let bench = folder.text("bench.toml").replace("SIM00000001", "K 18");
    folder.write("bench.toml", bench);
    let (shown, code) = folder.at_terminal("r /m /b backup.bin", "x y\nall\nk 18\n");
    assert_eq!(code, Some(0), "{shown}");
    let again = "or nothing to stop:";
    assert_eq!(shown.matches(again).count(), 2, "{shown}");
    let (shown, _) = folder.at_terminal("e", "all\n\n");
    assert!(shown.contains("named one by one, not for all"), "{shown}");
}

#[test]
fn who_stops_at_the_question_is_told_so_and_how_a_drive_is_named() {
    let folder = Folder::with_bench("four-drives.toml");
    for stops in [true, false] {
        let mut terminal = Terminal::run(&folder, "w /m image.bin");
        terminal.reads("nothing to stop:");
        match stops {
            true => terminal.signals(Signal::SIGINT),
            false => terminal.types(""),
        }
        let rest = terminal.reads("--sim bench.toml");
        assert_eq!(rest.contains("Stopped: no drive"), stops, "{rest}");
        assert!(rest.contains("mtkflash DRIVE w /m image.bin"), "{rest}");
        let (code, _) = terminal.ends();
        assert_eq!(code, Some(130));
    }
}

#[test]
fn a_line_that_lacks_its_file_as_well_is_told_what_it_lacks() {
    let folder = Folder::with_bench("four-drives.toml");
    let (shown, code) = folder.at_terminal("r", "");
    assert_eq!(code, Some(2), "{shown}");
    assert!(shown.contains("mtkflash DRIVE r /m /b FILE"), "{shown}");
}
