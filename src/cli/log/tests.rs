use super::*;
use std::fs;

struct Scratch(tempfile::TempDir);

impl Scratch {
    fn new() -> Scratch {
        Scratch(tempfile::tempdir().unwrap())
    }

    fn begin(&self, process: u32) -> Log {
        let folder = self.0.path().join("state");
        let log = Log::default();
        log.begin(Where::Folder(&folder), &beginning(process))
            .unwrap();
        log
    }

    fn text(&self) -> String {
        fs::read_to_string(self.0.path().join("state").join(NAME)).unwrap()
    }
}

fn beginning(process: u32) -> Beginning {
    Beginning {
        date: "2004-05-21 12:00:00 UTC".parse().unwrap(),
        kernel: "Linux 6.1.0 x86_64, user 1000".to_owned(),
        typed: "mtkflash 3 c".to_owned(),
        folder: PathBuf::from("/home/user"),
        process,
    }
}

#[test]
fn a_run_begins_with_who_where_and_what_and_the_lines_of_two_runs_can_be_told_apart() {
    let scratch = Scratch::new();
    let first = scratch.begin(11);
    let second = scratch.begin(12);
    first.note("first\nline by line");
    second
        .of_drive(&DriveName::Index(3))
        .unwrap()
        .note("of a drive");
    assert_eq!(second.end(Exit::Done), None);
    first.note("a name with \u{1b}[31m in it");
    assert_eq!(first.end(Exit::FailedUnchanged), None);
    let text = scratch.text().replace(env!("CARGO_PKG_VERSION"), "0.0.0");
    insta::assert_snapshot!(text);
}

#[test]
fn a_run_that_says_too_much_keeps_its_beginning_and_its_end() {
    let scratch = Scratch::new();
    let log = scratch.begin(11);
    for number in 0..100_000 {
        log.note(&format!("line {number:06} of a run that goes on and on"));
    }
    log.end(Exit::FailedUnchanged);
    let text = scratch.text();
    assert!(text.len() < OF_A_RUN + OF_THE_END + 200, "{}", text.len());
    assert!(text.contains("line 000000"));
    assert!(text.contains("lines are left out here"));
    assert!(text.contains("line 099999"));
    assert!(text.ends_with("exit 6: failed, flash unchanged\n"));
    // The next one begins a new file.
    scratch.begin(12);
    assert!(scratch.text().len() < 1000);
    assert_eq!(
        fs::read_dir(scratch.0.path().join("state"))
            .unwrap()
            .count(),
        2
    );
}

#[test]
fn no_log_takes_everything_and_says_nothing() {
    let log = Log::default();
    log.note("x");
    assert!(log.of_drive(&DriveName::Index(3)).is_none());
    assert_eq!(log.end(Exit::Done), None);
    assert_eq!(log.path(), None);
}

#[test]
fn the_name_of_a_folder_begins_no_line_of_the_log() {
    let scratch = Scratch::new();
    let log = Log::default();
    let folder = scratch.0.path().join("state");
    let odd = Beginning {
        folder: PathBuf::from("/home/a\nin /: mtkflash 3 w"),
        ..beginning(11)
    };
    log.begin(Where::Folder(&folder), &odd).unwrap();
    let text = scratch.text();
    let commands = text.lines().filter(|line| line.contains("mtkflash 3"));
    assert_eq!(commands.count(), 1, "{text}");
}

#[test]
fn a_log_whose_old_name_is_taken_by_a_folder_names_that_folder() {
    let scratch = Scratch::new();
    let folder = scratch.0.path().join("state");
    let log = scratch.begin(11);
    for number in 0..100_000 {
        log.note(&format!("line {number:06} of a run that goes on and on"));
    }
    log.end(Exit::Done);
    fs::create_dir(folder.join("mtkflash.log.1")).unwrap();
    let again = Log::default().begin(Where::Folder(&folder), &beginning(12));
    let error = again.unwrap_err();
    assert_eq!(error.path(), folder.join("mtkflash.log.1"));
}
