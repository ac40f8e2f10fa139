//! How long a job is going to take, from what the first commands took.

use std::time::Duration;

use super::{Forced, Objection, Refusal};
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
        Some(expected) if expected > LONG => Objection::Slow { expected }
            .unless_forced(forced)
            .map(|_| ()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flash::chip::ReadOnly;
    use crate::job::Check;
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
        let expected = Duration::from_millis(36) * 0x8_0000;
        assert_eq!(error, Objection::Slow { expected }.into());
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
}
