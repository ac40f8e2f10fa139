//! Signals as a wish to stop, noted and looked at between device commands.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use nix::libc::{SIGPWR, SIGXCPU, SIGXFSZ};
use signal_hook::consts::{
    SIGALRM, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2, SIGVTALRM,
};

use crate::job::StopFlag;

/// What ends a process as well, and is seldom meant for one: a limit of its time, a UPS, a
/// mistaken `kill`. No write is to end without a word for that.
const RARE: [i32; 6] = [SIGALRM, SIGVTALRM, SIGUSR1, SIGUSR2, SIGXCPU, SIGPWR];

/// From now on these signals ask for a stop instead of ending the process, and
/// Ctrl-Z does nothing: a process that is stopped in the middle of a command
/// has the kernel send the command once more when it goes on.
///
/// A file that grows past the limit of its user (`ulimit -f`) raises a signal
/// that kills; with a handler it is an error of the write, with a file name.
///
/// # Errors
/// Where the kernel does not take the handlers.
pub fn note_into(stop: &StopFlag) -> io::Result<()> {
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT].into_iter().chain(RARE) {
        signal_hook::flag::register(signal, stop.shared())?;
    }
    for signal in [SIGTSTP, SIGXFSZ] {
        signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))?;
    }
    Ok(())
}

/// From now on those of these signals that no key sends are noted here as well.
///
/// # Errors
/// Where the kernel does not take the handlers.
pub fn note_end_into(end: &StopFlag) -> io::Result<()> {
    for signal in [SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, end.shared())?;
    }
    Ok(())
}
