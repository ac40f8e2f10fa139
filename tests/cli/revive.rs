//! `revive`, as somebody sits through it at a terminal of 80 by 25.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use nix::pty::{Winsize, openpty};
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::folder::{Folder, bys1, masked, new_image};

/// Somebody at a terminal, and the program that runs in it.
pub struct Terminal {
    child: Child,
    keyboard: File,
    screen: Arc<(Mutex<Screen>, Condvar)>,
    /// What was on the screen when somebody last looked.
    read: usize,
}

#[derive(Default)]
struct Screen {
    text: String,
    has_ended: bool,
}

impl Terminal {
    pub fn run(folder: &Folder, line: &str) -> Terminal {
        Terminal::of(folder.command(line))
    }

    pub fn of(mut command: Command) -> Terminal {
        let size = Winsize {
            ws_row: 25,
            ws_col: 80,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let pty = openpty(Some(&size), None).unwrap();
        let end = |pty: &OwnedFd| Stdio::from(pty.try_clone().unwrap());
        command.stdin(end(&pty.slave));
        command.stdout(end(&pty.slave)).stderr(end(&pty.slave));
        let child = command.spawn().unwrap();
        // What is left of the terminal's inner end is the child's.
        drop((command, pty.slave));
        let keyboard = File::from(pty.master);
        let screen: Arc<(Mutex<Screen>, Condvar)> = Arc::default();
        let shown = Arc::clone(&screen);
        let mut master = keyboard.try_clone().unwrap();
        std::thread::spawn(move || {
            let mut block = [0; 4096];
            loop {
                // The end of a terminal whose programs are gone is an error.
                let count = master.read(&mut block).unwrap_or(0);
                let mut screen = shown.0.lock().unwrap();
                screen.text += &String::from_utf8_lossy(&block[..count]).replace('\r', "");
                screen.has_ended = count == 0;
                shown.1.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        Terminal {
            child,
            keyboard,
            screen,
            read: 0,
        }
    }

    /// What comes on the screen up to and with these words.
    pub fn reads(&mut self, words: &str) -> String {
        let (screen, changed) = &*self.screen;
        let mut screen = screen.lock().unwrap();
        loop {
            let new = &screen.text[self.read..];
            if let Some(at) = new.find(words) {
                let seen = new[..at + words.len()].to_owned();
                self.read += seen.len();
                return seen;
            }
            assert!(!screen.has_ended, "never came: {words}\n{}", screen.text);
            let waited = changed.wait_timeout(screen, Duration::from_secs(120));
            let (now, time) = waited.unwrap();
            assert!(!time.timed_out(), "never came: {words}\n{}", now.text);
            screen = now;
        }
    }

    pub fn types(&mut self, line: &str) {
        self.presses(&format!("{line}\n"));
    }

    pub fn presses(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    pub fn signals(&self, signal: Signal) {
        let id = Pid::from_raw(self.child.id().try_into().unwrap());
        nix::sys::signal::kill(id, signal).unwrap();
    }

    /// Answers a question once it is there.
    fn answers(&mut self, question: &str, line: &str) {
        self.reads(question);
        // What is typed before the end of the question would stand within it.
        self.reads(": ");
        self.types(line);
    }

    /// The exit code, and all that was on the screen, without the bars that were
    /// wiped out again.
    pub fn ends(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        let (screen, changed) = &*self.screen;
        let mut screen = screen.lock().unwrap();
        while !screen.has_ended {
            screen = changed.wait(screen).unwrap();
        }
        (code, masked(&screen.text))
    }
}

#[test]
fn a_dead_drive_is_led_to_its_new_firmware_step_by_step() {
    let folder = Folder::with_bench("dead.toml");
    folder.write("bys1.bin", bys1());
    let before = folder.flash();
    let mut terminal = Terminal::run(&folder, "revive --plain");
    terminal.answers("Which drive is it?", "3");
    terminal.answers("Press Enter to call it dead-3.bin", "");
    terminal.answers("Type the name of the file", "bys1.bin");
    terminal.answers("Press Enter to write bys1.bin", "");
    // It does not say who it is, and what is in its flash does not either.
    terminal.answers("Type a switch for bys1.bin", "modell");
    terminal.answers("Type a switch for bys1.bin", "model");
    terminal.answers("Type YES to go on", "YES");
    terminal.answers("Press Enter when it is on again", "");
    let (_, screen) = terminal.ends();
    assert_eq!(folder.flash(), bys1());
    assert_eq!(folder.read("dead-3.bin"), before);
    // No answer moves the cursor or takes anything off the screen.
    assert!(!screen.contains('\x1b'), "{screen}");
    // What was typed stands behind the question, and is no part of its line.
    let shown = screen.lines().map(|line| {
        ["modell", "model"]
            .into_iter()
            .fold(line, |line, typed| line.trim_end_matches(typed))
    });
    let is_command = |line: &&str| line.contains("mtkflash ");
    let mut wide = shown.filter(|line| line.trim_end().chars().count() > 80);
    let wide = wide.find(|line| !is_command(line));
    assert_eq!(wide, None);
    let steps = screen
        .lines()
        .filter(|line| line.starts_with("Step ") || line.starts_with("    mtkflash "));
    insta::assert_snapshot!(steps.collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_drive_that_refuses_is_led_through_every_way_of_preparing_it() {
    let folder = Folder::with_bench("refused.toml");
    let before = folder.flash();
    let mut terminal = Terminal::run(&folder, "3 revive --plain");
    for way in ["Way 1 of 4", "Way 2 of 4", "Way 3 of 4", "Way 4 of 4"] {
        terminal.reads(way);
        terminal.answers("q to stop", "");
    }
    let (code, screen) = terminal.ends();
    assert_eq!(code, Some(6), "{screen}");
    assert!(
        screen.contains("No way into the drive was found"),
        "{screen}"
    );
    assert_eq!(folder.flash(), before);
}

#[test]
fn a_drive_that_lets_in_after_a_power_cycle_is_written_and_is_back() {
    let folder = Folder::with_bench("power-cycle.toml");
    folder.write("new.bin", new_image());
    let mut terminal = Terminal::run(&folder, "3 revive");
    terminal.answers("Press Enter and do that now", "");
    terminal.answers("Press Enter to call it", "n");
    terminal.answers("Type the name of the file", "new.bin");
    terminal.answers("Press Enter to write new.bin", "");
    terminal.answers("Type YES to go on", "YES");
    terminal.answers("Press Enter when it is on again", "");
    let (code, screen) = terminal.ends();
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains("The drive is back"), "{screen}");
    assert_eq!(folder.flash(), new_image());
}

#[test]
fn a_no_to_the_question_leaves_the_flash_and_the_guide_says_so() {
    let folder = Folder::with_bench("sst39sf020.toml");
    folder.write("new.bin", new_image());
    let before = folder.flash();
    let mut terminal = Terminal::run(&folder, "3 revive");
    terminal.answers("Press Enter to call it", "n");
    terminal.answers("Type the name of the file", "new.bin");
    terminal.answers("Press Enter to write new.bin", "");
    terminal.answers("Type YES to go on", "no");
    terminal.answers("Press Enter to try new.bin again", "q");
    let (code, screen) = terminal.ends();
    assert_eq!(code, Some(130), "{screen}");
    assert!(
        screen.ends_with("Flash     Nothing was changed.\n"),
        "{screen}"
    );
    assert_eq!(folder.flash(), before);
}

#[test]
fn a_drive_that_cannot_be_read_is_written_without_asking_for_a_dump_of_it() {
    let folder = Folder::with_bench("btc.toml");
    let mut terminal = Terminal::run(&folder, "3 revive --plain");
    terminal.answers("there is no way back", "n");
    terminal.answers("Type the name of the file", "q");
    let (code, screen) = terminal.ends();
    assert_eq!(code, Some(130), "{screen}");
    assert!(!screen.contains("dead-3.bin"), "{screen}");
}

#[test]
fn without_a_terminal_nothing_is_asked_and_nothing_is_done() {
    let folder = Folder::with_bench("dead.toml");
    insta::assert_snapshot!(folder.fails("revive", 2).message());
}

/// A chip that does not take a byte of the new firmware.
fn stuck() -> Folder {
    let fault = "\n[[drive.fault]]\nkind = \"stuck\"\nat = 0x12345\n";
    let folder = Folder::with_bench_and("sst39sf020.toml", fault);
    folder.write("new.bin", new_image());
    folder
}

#[test]
fn a_flash_that_is_half_written_is_told_however_the_guide_is_left() {
    type Way<'a> = (&'a [&'a str], fn(&mut Terminal));
    let ways: [Way; 4] = [
        (&["dead-3.bin"], |terminal| terminal.types("q")),
        (&["nosuch.bin"], |terminal| terminal.signals(Signal::SIGINT)),
        (&["new.bin"], |terminal| terminal.presses("\x04")),
        (&[], |terminal| terminal.types("exit")),
    ];
    for (files, leave) in ways {
        let folder = stuck();
        let mut terminal = Terminal::run(&folder, "3 revive --plain");
        terminal.answers("Press Enter to call it", "");
        terminal.answers("Type the name of the file", "new.bin");
        terminal.answers("Press Enter to write new.bin", "");
        terminal.answers("Type YES to go on", "YES");
        for file in files {
            terminal.answers("The flash is not as it should be", file);
        }
        terminal.reads("The flash is not as it should be");
        terminal.reads("q to stop: ");
        leave(&mut terminal);
        let (code, screen) = terminal.ends();
        assert_eq!(code, Some(7), "{screen}");
        assert!(!screen.contains("Nothing was changed."), "{screen}");
        let end = screen.rsplit("Stopped, ").next().unwrap();
        assert!(end.contains("Flash     Partly written"), "{screen}");
        assert!(end.contains("Leave the drive on"), "{screen}");
    }
}

#[test]
fn a_byte_that_fails_twice_is_not_tried_a_third_time_by_enter() {
    let folder = stuck();
    let mut terminal = Terminal::run(&folder, "3 revive --plain");
    terminal.answers("Press Enter to call it", "");
    terminal.answers("Type the name of the file", "new.bin");
    terminal.answers("Press Enter to write new.bin", "");
    terminal.answers("Type YES to go on", "YES");
    terminal.answers("Press Enter to try new.bin again", "y");
    terminal.answers("Type YES to go on", "YES");
    terminal.answers("Type another file", "");
    terminal.reads("Enter alone would end the same");
    terminal.answers("Type another file", "q");
    let (code, screen) = terminal.ends();
    assert_eq!(code, Some(7), "{screen}");
    assert!(!screen.contains("goes on where it was"), "{screen}");
}

#[test]
fn a_chip_in_no_table_is_kept_by_its_size_and_no_write_is_asked_for() {
    let folder = Folder::with_bench("unknown-chip.toml");
    let before = folder.flash();
    let mut terminal = Terminal::run(&folder, "3 revive --plain");
    terminal.answers("as in --size 256K", "--size 256K");
    let (code, screen) = terminal.ends();
    assert_eq!(code, Some(4), "{screen}");
    assert!(!screen.contains("size is not known"), "{screen}");
    assert_eq!(folder.read("dead-3.bin"), before);
    let end = screen.rsplit("mtkflash: ").next().unwrap();
    insta::assert_snapshot!(format!("mtkflash: {end}"));
}

#[test]
fn where_there_is_no_backup_none_is_spoken_of() {
    let folder = Folder::with_bench("sst39sf020.toml");
    folder.write("new.bin", new_image());
    for (switch, is_kept) in [("--no-backup", false), ("", true)] {
        let mut terminal = Terminal::run(&folder, &format!("3 revive --plain {switch}"));
        terminal.answers("Press Enter to call it", "n");
        terminal.answers("Type the name of the file", "new.bin");
        terminal.answers("Press Enter to write new.bin", "");
        terminal.answers("Type YES to go on", "YES");
        terminal.answers("Press Enter when it is on again", "");
        let (code, screen) = terminal.ends();
        assert_eq!(code, Some(0), "{screen}");
        assert!(screen.contains("Try a disc in it"), "{screen}");
        let speaks = screen.contains("before you throw the backup away");
        assert_eq!(speaks, is_kept, "{screen}");
        folder.write("new.bin", crate::folder::old_image());
    }
}

#[test]
fn a_signal_that_ends_programs_ends_the_guide_at_the_question_for_yes() {
    let folder = Folder::with_bench("sst39sf020.toml");
    folder.write("new.bin", new_image());
    let mut terminal = Terminal::run(&folder, "3 revive --plain");
    terminal.answers("Press Enter to call it", "n");
    terminal.answers("Type the name of the file", "new.bin");
    terminal.answers("Press Enter to write new.bin", "");
    terminal.reads("Type YES to go on");
    terminal.signals(Signal::SIGTERM);
    let (code, screen) = terminal.ends();
    assert_eq!(code, Some(130), "{screen}");
    assert!(!screen.contains("Press Enter to try"), "{screen}");
}

#[test]
fn several_drives_are_told_to_come_one_at_a_time() {
    let folder = Folder::with_bench("four-drives.toml");
    let (code, screen) = Terminal::run(&folder, "1,3 revive").ends();
    assert_eq!(code, Some(2), "{screen}");
    assert!(screen.contains("One drive at a time"), "{screen}");
    assert!(screen.contains("mtkflash l --sim bench.toml"), "{screen}");
}

#[test]
fn programs_are_told_that_it_asks_questions() {
    let folder = Folder::with_bench("four-drives.toml");
    insta::assert_snapshot!(
        ["3 revive --json", "all revive"]
            .map(|line| folder.fails(line, 2).message())
            .join("\n")
    );
}
