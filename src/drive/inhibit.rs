//! No suspend and no shutdown while a flash is written.
//!
//! logind offers this as a lock that lives as long as whoever took it. It is
//! taken through `systemd-inhibit` around a `cat` that reads from a pipe of
//! ours: when this program ends, in whatever way, the pipe closes and the lock
//! is gone (documented in systemd-inhibit(1)).

use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// How long logind may take to give the lock.
const PATIENCE: Duration = Duration::from_secs(3);

/// Suspend and shutdown are inhibited until this is dropped.
#[derive(Debug)]
pub struct Inhibitor {
    child: Child,
    /// Closed first: the end of the input is the end of the lock.
    input: Option<ChildStdin>,
}

impl Inhibitor {
    /// Takes the lock, `None` where there is no logind or it says no: that is
    /// no error, only something less to rely on.
    ///
    /// `why` is what a user reads who wants to suspend meanwhile.
    pub fn take(why: &str) -> Option<Inhibitor> {
        Inhibitor::by(Command::new("systemd-inhibit"), why)
    }

    fn by(mut inhibit: Command, why: &str) -> Option<Inhibitor> {
        let mut child = inhibit
            .arg("--what=sleep:shutdown")
            .arg("--mode=block")
            .arg("--who=mtkflash")
            .arg(format!("--why={why}"))
            // The line says that the lock is held: the command is only started then.
            .args(["sh", "-c", "echo held && exec cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Ctrl-C on the terminal goes to the whole process group, and must
            // not end the lock before the job.
            .process_group(0)
            .spawn()
            .ok()?;
        let input = child.stdin.take();
        let inhibitor = Inhibitor { child, input };
        inhibitor.is_held().then_some(inhibitor)
    }

    fn is_held(&self) -> bool {
        let Some(output) = &self.child.stdout else {
            return false;
        };
        let timeout = PollTimeout::try_from(PATIENCE).unwrap_or(PollTimeout::MAX);
        loop {
            let mut wait = [PollFd::new(output.as_fd(), PollFlags::POLLIN)];
            match poll(&mut wait, timeout) {
                Err(Errno::EINTR) => {}
                Err(_) => return false,
                // A program that ended without a word only hangs up.
                Ok(_) => {
                    let [wait] = wait;
                    return wait
                        .revents()
                        .is_some_and(|events| events.contains(PollFlags::POLLIN));
                }
            }
        }
    }
}

impl Drop for Inhibitor {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests;
