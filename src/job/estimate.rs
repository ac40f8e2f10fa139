//! How long a job is going to take, from what the first commands took.

use std::time::Duration;

use super::change::{Proposal, Work};
use super::{Forced, Objection, Refusal};
use crate::flash::FlashRange;
use crate::flash::ranges::bytes_of;
use crate::plan::Plan;
use crate::protocol::Capabilities;

/// More than this is not what a user expects who types a command.
const LONG: Duration = Duration::from_secs(15 * 60);

/// Programming a byte in place takes so many times as long as reading one: the chip
/// is unlocked and asked before it gets the next.
const PROGRAMMING: u64 = 6;
/// How long JungleFlasher 0.1.96 waits for a sector, and for a whole chip.
const SECTOR_ERASE: Duration = Duration::from_millis(100);
const CHIP_ERASE: Duration = Duration::from_secs(3);

/// How long it takes to read so many bytes; `None` where nothing was measured.
pub fn reading_time(capabilities: &Capabilities, bytes: u64) -> Option<Duration> {
    Some(times(capabilities.time_per_byte?, bytes))
}

/// How long a change takes from the question on, where reading a byte takes so long:
/// erasing, programming and reading back. An image that the drive programs by itself
/// is sent as fast as it is read back; what the drive takes then is its own business,
/// and no part of this.
pub fn to_come(proposal: &Proposal, per_byte: Duration) -> Duration {
    let read_back = bytes_of(&proposal.scope);
    let change = match &proposal.work {
        Work::InPlace { plan, target, .. } => in_place(plan, target.len(), per_byte),
        Work::Download(download) => times(per_byte, download.prepared.content.len() as u64),
    };
    change.saturating_add(times(per_byte, read_back))
}

fn in_place(plan: &Plan, size: usize, per_byte: Duration) -> Duration {
    let erase = |sector: FlashRange| match sector.len() as usize == size {
        true => CHIP_ERASE,
        false => SECTOR_ERASE,
    };
    let to_program = u64::from(plan.summary().bytes_to_program);
    let programming = times(per_byte, PROGRAMMING * to_program);
    plan.erases()
        .map(erase)
        .fold(programming, Duration::saturating_add)
}

fn times(per_byte: Duration, bytes: u64) -> Duration {
    let total = per_byte.as_nanos().saturating_mul(bytes.into());
    Duration::from_nanos(u64::try_from(total).unwrap_or(u64::MAX))
}

/// Refuses a job that reads so many bytes and takes longer than a quarter of
/// an hour with that alone.
///
/// # Errors
/// [`Check::Slow`](super::Check::Slow), unless it is overridden.
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
    use crate::plan::Step;
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

    #[test]
    fn a_change_in_place_takes_the_time_of_its_sectors_and_of_six_reads_a_byte() {
        let plan = |steps: Vec<Step>| Plan { steps };
        let range = |start, end| FlashRange::new(start, end);
        let per_byte = Duration::from_micros(100);
        let sectors = plan(vec![
            Step::Erase(range(0, 0x1000)),
            Step::Erase(range(0x1000, 0x2000)),
            Step::Program(range(0, 1000)),
        ]);
        assert_eq!(
            in_place(&sectors, 0x4_0000, per_byte),
            Duration::from_millis(2 * 100 + 600)
        );
        let chip = plan(vec![Step::Erase(range(0, 0x4_0000))]);
        assert_eq!(in_place(&chip, 0x4_0000, per_byte), Duration::from_secs(3));
        assert_eq!(in_place(&plan(Vec::new()), 0, per_byte), Duration::ZERO);
    }
}
