//! Simulated time: waiting costs nothing, unless a bench wants it to, and every
//! command has its price.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::transport::Clock;

/// The clock of one simulated drive. Sleeping moves it on at once; so does
/// every command, by the latency that the bench gives the drive.
#[derive(Debug, Default)]
pub struct SimClock {
    nanoseconds: AtomicU64,
    /// What passes here passes for everybody.
    is_real: bool,
}

impl SimClock {
    /// One that takes the time which it counts, so that a simulated drive is as slow
    /// as its bench says.
    pub fn real() -> SimClock {
        SimClock {
            is_real: true,
            ..SimClock::default()
        }
    }

    /// Nanoseconds since the bench was opened.
    pub fn nanoseconds(&self) -> u64 {
        self.nanoseconds.load(Ordering::Relaxed)
    }

    /// Lets `nanoseconds` pass; saturates after 584 years.
    pub fn advance(&self, nanoseconds: u64) {
        if nanoseconds != 0 {
            self.advance_to(self.nanoseconds().saturating_add(nanoseconds));
        }
    }

    /// Lets time pass until `nanoseconds`, unless that is over already.
    pub fn advance_to(&self, nanoseconds: u64) {
        let before = self.nanoseconds.fetch_max(nanoseconds, Ordering::Relaxed);
        if self.is_real {
            thread::sleep(Duration::from_nanos(nanoseconds.saturating_sub(before)));
        }
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
