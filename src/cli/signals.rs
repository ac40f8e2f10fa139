//! Signals as a wish to stop, noted and looked at between device commands.

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

use crate::job::StopFlag;

/// From now on these signals ask for a stop instead of ending the process.
///
/// # Errors
/// Where the kernel does not take the handlers.
pub fn note_into(stop: &StopFlag) -> std::io::Result<()> {
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] {
        signal_hook::flag::register(signal, stop.shared())?;
    }
    Ok(())
}
