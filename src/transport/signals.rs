//! No half command: signals wait until a device command is over.

use nix::sys::signal::{SigSet, SigmaskHow};

/// Holds signals off this thread until dropped.
///
/// A signal, even one whose handler does nothing, ends the wait for a command
/// on `/dev/sgN`: the kernel leaves the command to itself and may, after the
/// handler, send it a second time (Linux, `drivers/scsi/sg.c`). So all signals
/// are held off that can be, not only those that would end the program: Ctrl-Z
/// interrupts the wait as well as Ctrl-C does.
///
/// Measured on Linux 6.1 with a command that runs into its time-out: SIGINT,
/// SIGTERM, SIGHUP and SIGTSTP in the middle leave it whole and sent once.
/// SIGSTOP cannot be held off, and there the drive got the command twice.
///
/// The mask is this thread's own. Where there are others, a SIGTSTP that one of
/// them takes stops all, this one included: block it in every thread.
#[must_use]
pub(super) struct HeldSignals(Option<SigSet>);

impl HeldSignals {
    pub(super) fn new() -> HeldSignals {
        // Fails for an unknown `how` only.
        HeldSignals(SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK).ok())
    }
}

impl Drop for HeldSignals {
    fn drop(&mut self) {
        if let Some(before) = self.0 {
            let _ = before.thread_set_mask();
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use nix::sys::signal::Signal;

    /// Whether the signals that end a program are held off this thread now.
    pub(crate) fn are_held() -> bool {
        let mask = SigSet::thread_get_mask().unwrap();
        [
            Signal::SIGINT,
            Signal::SIGTERM,
            Signal::SIGHUP,
            Signal::SIGQUIT,
            Signal::SIGTSTP,
        ]
        .into_iter()
        .all(|signal| mask.contains(signal))
    }

    #[test]
    fn signals_are_held_off_until_the_guard_is_gone() {
        assert!(!are_held());
        let held = HeldSignals::new();
        assert!(are_held());
        drop(held);
        assert!(!are_held());
    }

    #[test]
    fn a_mask_that_was_there_before_stays() {
        let mut before = SigSet::empty();
        before.add(Signal::SIGUSR1);
        before.thread_block().unwrap();
        drop(HeldSignals::new());
        let after = SigSet::thread_get_mask().unwrap();
        assert!(after.contains(Signal::SIGUSR1));
        assert!(!after.contains(Signal::SIGINT));
        before.thread_unblock().unwrap();
    }
}
