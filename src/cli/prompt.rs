//! The one question that the tool asks.

use std::io::{self, BufRead, IsTerminal, Write};
use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::job::StopFlag;

/// How the question was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// YES, typed or by `--yes`.
    Given,
    /// Anything else.
    Denied,
    /// There is nobody to ask: standard input is no terminal.
    NobodyToAsk,
    /// A signal came instead of an answer.
    Stopped,
}

/// Whether somebody sits at a terminal who can see a question and answer it.
pub fn somebody_is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for YES, in capitals, as the DOS tools did.
pub fn ask(question: &str, yes: bool, stop: &StopFlag) -> Consent {
    if yes {
        return Consent::Given;
    }
    if !somebody_is_there() {
        return Consent::NobodyToAsk;
    }
    let mut terminal = io::stderr();
    // A terminal that cannot be written to gives no answer either.
    let _ = terminal.write_all(asked(question).as_bytes());
    let _ = terminal.flush();
    if !await_line(stop) {
        let _ = writeln!(terminal);
        return Consent::Stopped;
    }
    let mut answer = String::new();
    match io::stdin().lock().read_line(&mut answer) {
        Ok(_) if answer.trim_end_matches(['\r', '\n']) == "YES" => Consent::Given,
        _ => Consent::Denied,
    }
}

/// The question as it is shown.
pub fn asked(question: &str) -> String {
    format!("{question}\nType YES to go on: ")
}

/// Reading a line would sit through signals, whose handlers only set a flag.
fn await_line(stop: &StopFlag) -> bool {
    const LOOK_EVERY: u16 = 100;
    let stdin = io::stdin();
    while !stop.is_requested() {
        let mut fds = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
        match poll(&mut fds, PollTimeout::from(LOOK_EVERY)) {
            Ok(0) | Err(Errno::EINTR) => {}
            _ => return true,
        }
    }
    false
}
