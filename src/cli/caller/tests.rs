use std::os::unix::ffi::OsStrExt;

use super::super::args;
use super::*;
use crate::drive::note::Undo;

fn request(line: &str) -> Request {
    args::parse(line.split_whitespace().map(OsString::from)).unwrap()
}

fn line(program: &str, is_root: bool, command: impl Into<Command>) -> String {
    let program = program.into();
    Caller { program, is_root }.line(&command.into())
}

impl From<Request> for Command {
    fn from(request: Request) -> Command {
        Command::Flash(request.into())
    }
}

impl From<Shell> for Command {
    fn from(shell: Shell) -> Command {
        Command::Shell(shell)
    }
}

#[test]
fn commands_are_shown_as_the_program_was_called() {
    let list = || request("mtkflash l");
    assert_eq!(line("mtkflash", false, list()), "mtkflash l");
    assert_eq!(line("flash", false, list()), "flash l");
    assert_eq!(line("target/mtkflash", true, list()), "target/mtkflash l");
    assert_eq!(
        line("/my tools/flash", false, list()),
        "'/my tools/flash' l"
    );
}

#[test]
fn who_is_root_is_not_told_to_become_root() {
    let check = || request("mtkflash 3 c --via port").as_root();
    assert_eq!(
        line("mtkflash", false, check()),
        "sudo \"$(command -v mtkflash)\" 3 c --via port"
    );
    assert_eq!(
        line("./mtkflash", false, check()),
        "sudo ./mtkflash 3 c --via port"
    );
    assert_eq!(line("mtkflash", true, check()), "mtkflash 3 c --via port");
    let scan = || {
        Shell::Restore(Undo {
            file: "/sys/x".into(),
            text: "- - -".to_owned(),
        })
    };
    assert_eq!(
        line("mtkflash", false, scan()),
        "echo '- - -' | sudo tee '/sys/x'"
    );
    assert_eq!(
        line("mtkflash", true, scan()),
        "echo '- - -' | tee '/sys/x'"
    );
    let module = || Shell::Line(By::Root, "modprobe sg");
    assert_eq!(line("mtkflash", false, module()), "sudo modprobe sg");
    assert_eq!(line("mtkflash", true, module()), "modprobe sg");
}

#[test]
fn a_command_to_type_never_holds_consent() {
    for typed in ["3 w /m -by f", "3 w -YES f", "3 w /y f", "3 w f --Yes /M"] {
        if let Ok(request) = args::parse(
            format!("mtkflash {typed}")
                .split_whitespace()
                .map(OsString::from),
        ) {
            assert!(request.options.yes, "{typed}");
            let line = line("mtkflash", false, request);
            assert!(!line.contains("-y"), "{line}");
        }
    }
}

/// Each comes back out of bash as it went in (tried).
#[test]
fn a_word_of_any_bytes_is_told_as_one_line_of_text() {
    for (word, typed) in [
        (&b"plain/name-1.bin"[..], "plain/name-1.bin"),
        (b"it's one", r"'it'\''s one'"),
        (b"", "''"),
        (b"=ls", "'=ls'"),
        (b"$HOME `id` \"x\"", "'$HOME `id` \"x\"'"),
        (b"two\nlines", r"$'two\012lines'"),
        (b"\x1b[31m'red'\\n7", r"$'\033[31m\'red\'\\n7'"),
        (b"caf\xE9 1", r"$'caf\351 1'"),
        (b"\xC2\x85\xC3\xA91", r"$'\302\205é1'"),
    ] {
        assert_eq!(quoted(OsStr::from_bytes(word)), typed);
    }
}

#[test]
fn a_file_that_begins_with_a_dash_is_no_switch_of_another_program() {
    let made = Shell::On(By::User, "mkdir -p", "-lead".into());
    assert_eq!(line("mtkflash", true, made), "mkdir -p ./-lead");
}
