//! Signals at known moments.
//!
//! A run is held at a known line of its output: the pipe that takes it is
//! filled beforehand up to the room for what comes before that line. So no test
//! has to be faster than the tool.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::folder::{Folder, Run, new_image, old_image, patched_image};

const BENCH: &str = "sst39sf020.toml";

/// The signals that ask for an end.
const STOPS: [Signal; 7] = [
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGQUIT,
    Signal::SIGUSR1,
    Signal::SIGALRM,
    Signal::SIGXCPU,
];

#[derive(Clone, Copy, PartialEq)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// A run that cannot go past a place in its output.
pub struct Held {
    line: String,
    child: Child,
    held: Stream,
    pipe: File,
    filled: usize,
}

/// Starts a run that is held as soon as it has written `room` bytes.
pub fn held(folder: &Folder, line: &str, stream: Stream, room: usize) -> Held {
    let (pipe, into) = nix::unistd::pipe2(OFlag::O_CLOEXEC).unwrap();
    let (pipe, mut into) = (File::from(pipe), File::from(into));
    let size = fcntl(&into, FcntlArg::F_SETPIPE_SZ(4096)).unwrap();
    let filled = usize::try_from(size).unwrap() - room;
    into.write_all(&vec![b' '; filled]).unwrap();
    let mut command = folder.command(line);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    match stream {
        Stream::Stdout => command.stdout(into),
        Stream::Stderr => command.stderr(into),
    };
    Held {
        line: line.to_owned(),
        child: command.spawn().unwrap(),
        held: stream,
        pipe,
        filled,
    }
}

impl Held {
    /// Waits for something that the run does before the place where it is held.
    pub fn until(&self, mut condition: impl FnMut() -> bool) {
        let start = Instant::now();
        while !condition() {
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "the run never came there: {}",
                self.line
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }

    /// Ends the run at once, as `kill -9` does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        assert_eq!(status.code(), None, "it was to be killed, not to end");
    }

    /// Nobody listens any longer where the run is held.
    pub fn close(self) -> Run {
        drop(self.pipe);
        Run::wait_for(&self.line, self.child)
    }

    /// Lets the run go on to its end.
    pub fn release(mut self) -> Run {
        let mut text = Vec::new();
        self.pipe.read_to_end(&mut text).unwrap();
        let text = String::from_utf8(text.split_off(self.filled)).unwrap();
        let mut run = Run::wait_for(&self.line, self.child);
        match self.held {
            Stream::Stdout => run.stdout = text,
            Stream::Stderr => run.stderr = text,
        }
        run
    }
}

fn ready() -> Folder {
    let folder = Folder::with_bench(BENCH);
    folder.write("new.bin", new_image());
    folder.write("patched.bin", patched_image());
    folder
}

/// What comes on standard error before a write changes anything.
fn room_to_read(folder: &Folder, image: &str) -> usize {
    let dry_run = folder.done(&format!("3 w /m {image} --dry-run"));
    dry_run.stderr.len()
}

fn flash_differs(folder: &Folder) -> bool {
    fs::read(folder.flash_file()).is_ok_and(|flash| flash != old_image())
}

#[test]
fn a_signal_before_any_change_ends_every_job_with_130_and_leaves_nothing_behind() {
    let lines = [
        "3 r /m /b x.bin",
        "3 v /m new.bin",
        "3 w /m new.bin --yes",
        "3 e --yes",
    ];
    for (line, signal) in lines.into_iter().zip(STOPS) {
        let folder = ready();
        let run = held(&folder, line, Stream::Stderr, 1);
        run.until(|| folder.flash_file().exists());
        run.signal(signal);
        let run = run.release();
        assert_eq!(run.code, Some(130), "{run}");
        assert!(run.stderr.contains("Nothing was changed"), "{run}");
        assert_eq!(folder.flash(), old_image());
        assert_eq!(folder.files(), ["new.bin", "patched.bin"], "{line}");
    }
}

#[test]
fn a_stopped_job_says_how_to_begin_it_again() {
    let folder = ready();
    let run = held(&folder, "3 w /m new.bin --yes", Stream::Stderr, 1);
    run.until(|| folder.flash_file().exists());
    run.signal(Signal::SIGINT);
    insta::assert_snapshot!(run.release().message());
}

#[test]
fn a_signal_between_backup_and_first_change_still_changes_nothing() {
    let folder = ready();
    let line = "3 w /m new.bin --yes --backup before.bin";
    let shown = folder.done("3 w /m new.bin --dry-run").stdout;
    let room = shown.find("\nFit").unwrap() + 1;
    let run = held(&folder, line, Stream::Stdout, room);
    run.until(|| folder.holds("before.bin.txt"));
    run.signal(Signal::SIGTERM);
    let run = run.release();
    assert_eq!(run.code, Some(130), "{run}");
    assert_eq!(folder.flash(), old_image());
    assert_eq!(folder.read("before.bin"), old_image());
    folder.done(line);
    assert_eq!(folder.flash(), new_image());
}

#[test]
fn a_backup_that_is_gone_or_something_else_is_not_said_to_be_kept() {
    let line = "3 w /m new.bin --yes --backup before.bin";
    let removed: fn(&Folder) = |folder| fs::remove_file(folder.path("before.bin")).unwrap();
    let flipped: fn(&Folder) = |folder| {
        let mut bytes = folder.read("before.bin");
        bytes[7] ^= 1;
        folder.write("before.bin", bytes);
    };
    let cases = [
        (removed, None, 4, false),
        (flipped, None, 4, false),
        (removed, Some(Signal::SIGTERM), 130, false),
        ((|_| {}) as fn(&Folder), Some(Signal::SIGTERM), 130, true),
    ];
    for (meanwhile, signal, code, is_kept) in cases {
        let folder = ready();
        let shown = folder.done("3 w /m new.bin --dry-run").stdout;
        let room = shown.find("\nFit").unwrap() + 1;
        let run = held(&folder, line, Stream::Stdout, room);
        run.until(|| folder.holds("before.bin.txt"));
        meanwhile(&folder);
        signal.into_iter().for_each(|signal| run.signal(signal));
        let run = run.release();
        assert_eq!(run.code, Some(code), "{run}");
        assert_eq!(run.stderr.contains("Kept"), is_kept, "{run}");
        assert!(folder.flash() == old_image());
    }
}

#[test]
fn a_signal_after_the_first_change_is_answered_and_the_job_finishes() {
    for signal in STOPS {
        let folder = ready();
        let room = room_to_read(&folder, "patched.bin") + 1;
        let line = "3 w /m patched.bin --yes --no-backup";
        let run = held(&folder, line, Stream::Stderr, room);
        run.until(|| flash_differs(&folder));
        run.signal(signal);
        let run = run.release();
        assert_eq!(run.code, Some(0), "{signal}: {run}");
        assert_eq!(folder.flash(), patched_image());
        // Between which banks the signal comes is not known.
        let told = run
            .stderr
            .lines()
            .filter(|line| !line.contains(" %") && !line.starts_with("Bank "));
        insta::allow_duplicates! {
            insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"));
        }
    }
}

#[test]
fn a_drive_that_a_run_is_at_work_with_is_refused_to_every_other() {
    let folder = ready();
    let room = room_to_read(&folder, "new.bin") + 1;
    let run = held(&folder, "3 w /m new.bin --yes", Stream::Stderr, room);
    run.until(|| flash_differs(&folder));
    for line in [
        "3 w /m patched.bin --yes --no-backup",
        "3 c",
        "3 r /m /b x.bin",
    ] {
        let refused = folder.fails(line, 3);
        assert!(
            refused.stderr.contains("nother run is at work"),
            "{refused}"
        );
    }
    folder.done("l");
    let run = run.release();
    assert_eq!(run.code, Some(0), "{run}");
    assert!(folder.flash() == new_image());
    folder.done("3 c");
}

#[test]
fn a_kill_in_the_middle_of_a_write_is_made_good_by_the_same_line() {
    let line = "3 w /m new.bin --yes";
    for quarters in [0, 2] {
        let folder = ready();
        let room = room_to_read(&folder, "new.bin") + quarters * "Writing: 25 %\n".len() + 1;
        let run = held(&folder, line, Stream::Stderr, room);
        run.until(|| flash_differs(&folder));
        run.kill();
        let flash = folder.flash();
        assert_ne!(flash, old_image());
        assert_ne!(flash, new_image());
        let run = folder.done(line);
        assert!(
            run.stdout.contains("made before this write was begun"),
            "{run}"
        );
        assert_eq!(folder.flash(), new_image());
        assert_eq!(folder.read(&folder.backup()), old_image());
    }
}

#[test]
fn a_kill_while_reading_leaves_no_file_under_the_name_that_was_asked_for() {
    let folder = ready();
    let run = held(&folder, "3 r /m /b x.bin", Stream::Stderr, 1);
    run.until(|| folder.flash_file().exists());
    run.kill();
    assert!(!folder.holds("x.bin"));
    folder.done("3 r /m /b x.bin");
    assert_eq!(folder.read("x.bin"), old_image());
}

#[test]
fn a_standard_output_that_closes_before_the_change_prevents_it() {
    let folder = ready();
    let run = held(&folder, "3 w /m new.bin --yes", Stream::Stdout, 1);
    run.until(|| folder.flash_file().exists());
    let run = run.close();
    assert_eq!(run.code, Some(6), "{run}");
    insta::assert_snapshot!(run.message());
    assert_eq!(folder.flash(), old_image());
}

#[test]
fn a_standard_output_that_closes_after_the_change_leaves_the_flash_written() {
    let folder = ready();
    let line = "3 w /m patched.bin --yes --no-backup";
    let room = room_to_read(&folder, "patched.bin") + 1;
    let mut run = held(&folder, line, Stream::Stderr, room);
    run.until(|| flash_differs(&folder));
    drop(run.child.stdout.take());
    let run = run.release();
    assert_eq!(run.code, Some(9), "{run}");
    insta::assert_snapshot!(run.message());
    assert_eq!(folder.flash(), patched_image());
}

#[test]
fn a_standard_error_that_closes_is_no_reason_to_end_a_write() {
    let folder = ready();
    let line = "3 w /m patched.bin --yes --no-backup";
    let room = room_to_read(&folder, "patched.bin") + 1;
    let run = held(&folder, line, Stream::Stderr, room);
    run.until(|| flash_differs(&folder));
    let run = run.close();
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(folder.flash(), patched_image());
}

/// Held in the middle of the write; the backup is gone when it goes on.
fn losing_its_backup(folder: &Folder) -> Run {
    folder.write("new.bin", new_image());
    let room = room_to_read(folder, "new.bin") + 1;
    let line = "3 w /m new.bin --backup before.bin --yes";
    let run = held(folder, line, Stream::Stderr, room);
    run.until(|| flash_differs(folder));
    fs::remove_file(folder.path("before.bin")).unwrap();
    let run = run.release();
    let gone = "before.bin: this backup was right when the change was begun, and is gone";
    for told in [
        "holds what was in",
        "Its old content is in",
        "3 w /m /b before.bin",
    ] {
        assert!(!run.stdout.contains(told), "{run}");
        assert!(!run.stderr.contains(told), "{run}");
    }
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words(&format!("{} {}", run.stdout, run.stderr)).contains(gone),
        "{run}"
    );
    run
}

#[test]
fn a_backup_that_goes_while_the_flash_is_written_is_no_way_back() {
    let run = losing_its_backup(&Folder::with_bench(BENCH));
    assert_eq!(run.code, Some(0), "{run}");
    let weak = "\n[[drive.fault]]\nkind = \"weak-erase\"\nat = 14776\nkeeps = 33";
    let run = losing_its_backup(&Folder::with_bench_and(BENCH, weak));
    assert_ne!(run.code, Some(0), "{run}");
}
