//! Time as the protocols see it.

use std::time::{Duration, Instant};

/// Reads the time and lets it pass. Simulated drives bring a clock of their
/// own, so that a wait of minutes costs a test nothing.
pub trait Clock: Send + Sync {
    /// Time since a start that only differences make sense of.
    fn now(&self) -> Duration;

    /// Lets at least this much time pass.
    fn sleep(&self, time: Duration);
}

/// The machine's monotonic clock.
#[derive(Debug)]
pub struct SystemClock(Instant);

impl Default for SystemClock {
    fn default() -> Self {
        SystemClock(Instant::now())
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}
