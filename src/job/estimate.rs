//! How long a job is going to take, from what the first commands took.

use std::time::Duration;

use super::{Check, Forced, Refusal};
use crate::protocol::Capabilities;

/// More than this is not what a user expects who types a command.
const LONG: Duration = Duration::from_secs(15 * 60);

/// How long it takes to read so many bytes; `None` where nothing was measured.
pub fn reading_time(capabilities: &Capabilities, bytes: u64) -> Option<Duration> {
    let nanoseconds = capabilities.time_per_byte?.as_nanos();
    let total = nanoseconds.saturating_mul(bytes.into());
    Some(Duration::from_nanos(
        u64::try_from(total).unwrap_or(u64::MAX),
    ))
}

/// Refuses a job that reads so many bytes and takes longer than a quarter of
/// an hour with that alone.
///
/// # Errors
/// [`Check::Slow`], unless it is overridden.
pub fn refuse_slow(
    capabilities: &Capabilities,
    bytes: u64,
    forced: &Forced,
) -> Result<(), Refusal> {
    match reading_time(capabilities, bytes) {
        Some(time) if time > LONG && !forced.contains(&Check::Slow) => Err(Refusal::Check {
            check: Check::Slow,
            message: format!(
                "At the pace of the first commands this would take about {}.",
                in_words(time)
            ),
        }),
        _ => Ok(()),
    }
}

/// `3 h 20 min`, `14 min`, `50 s`.
pub fn in_words(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..100 => format!("{seconds} s"),
        100..6000 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flash::chip::ReadOnly;
    use crate::protocol::{Reading, Unwritable, Writing};

    fn capabilities(time_per_byte: Option<Duration>) -> Capabilities {
        Capabilities {
            size: 0x4_0000,
            windows: &[],
            reading: Reading::Blocks(256),
            writing: Writing::Impossible(Unwritable::Chip(ReadOnly::Unknown)),
            time_per_byte,
        }
    }

    #[test]
    fn a_flash_behind_a_native_port_takes_hours_and_is_refused() {
        let native = capabilities(Some(Duration::from_millis(36)));
        let error = refuse_slow(&native, 0x8_0000, &Forced::new()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "At the pace of the first commands this would take about 5 h 14 min."
        );
    }

    #[test]
    fn the_user_can_take_the_hours() {
        let native = capabilities(Some(Duration::from_millis(36)));
        assert!(refuse_slow(&native, 0x8_0000, &Forced::from([Check::Slow])).is_ok());
    }

    #[test]
    fn the_legacy_ports_are_not_slow() {
        let ports = capabilities(Some(Duration::from_micros(10)));
        assert!(refuse_slow(&ports, 0x8_0000, &Forced::new()).is_ok());
    }

    #[test]
    fn what_was_not_measured_is_not_refused() {
        assert!(refuse_slow(&capabilities(None), u64::MAX, &Forced::new()).is_ok());
    }

    #[test]
    fn times_are_told_in_units_that_people_use() {
        assert_eq!(in_words(Duration::from_secs(7)), "7 s");
        assert_eq!(in_words(Duration::from_secs(840)), "14 min");
        assert_eq!(in_words(Duration::from_secs(12_000)), "3 h 20 min");
    }
}
