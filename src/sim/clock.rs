//! Simulated time: waiting costs nothing and every command has its price.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::transport::Clock;

/// The clock of one simulated drive. Sleeping moves it on at once; so does
/// every command, by the latency that the bench gives the drive.
#[derive(Debug, Default)]
pub struct SimClock(AtomicU64);

impl SimClock {
    /// Nanoseconds since the bench was opened.
    pub fn nanoseconds(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Lets `nanoseconds` pass; saturates after 584 years.
    pub fn advance(&self, nanoseconds: u64) {
        if nanoseconds != 0 {
            let now = self.nanoseconds();
            self.0
                .store(now.saturating_add(nanoseconds), Ordering::Relaxed);
        }
    }

    /// Lets time pass until `nanoseconds`, unless that is over already.
    pub fn advance_to(&self, nanoseconds: u64) {
        self.0.fetch_max(nanoseconds, Ordering::Relaxed);
    }
}

impl Clock for SimClock {
    fn now(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds())
    }

    fn sleep(&self, time: Duration) {
        self.advance(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeping_moves_the_clock_and_takes_no_time() {
        let clock = SimClock::default();
        clock.sleep(Duration::from_secs(200));
        clock.advance(5);
        assert_eq!(clock.now(), Duration::new(200, 5));
        clock.advance_to(7);
        assert_eq!(clock.now(), Duration::new(200, 5), "never backwards");
    }
}
