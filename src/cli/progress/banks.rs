//! The lines that stay of a job: one a bank, once nothing more comes of it.
//!
//! A bank that is only read or compared is done with when that is. Of one that is
//! changed nothing is said until it was read back: what is erased and written until
//! then shows in the bar, and where there is none in quarters.

use std::collections::BTreeMap;

use super::verb;
use crate::flash::Bank;
use crate::image::Checksum;
use crate::job::{Event, Phase};

/// What is known of the banks so far.
#[derive(Debug, Default)]
pub(super) struct Banks {
    /// The run may change the flash.
    is_change: bool,
    /// It erases: what it programs for that is FF.
    is_erase: bool,
    /// Something was erased or programmed.
    is_changed: bool,
    /// The bytes of the phase that is on: all, and done.
    bytes: (u64, u64),
    /// As they were read before.
    before: BTreeMap<Bank, Checksum>,
    /// Those that were worked on, with what was done to them. What is read back
    /// besides may be as it was.
    worked_on: BTreeMap<Bank, &'static str>,
    /// A bank of which more may come, for it may be read in parts.
    last: Option<(Phase, Bank, Option<Checksum>)>,
}

impl Banks {
    pub fn of(is_change: bool, is_erase: bool) -> Banks {
        Banks {
            is_change,
            is_erase,
            ..Banks::default()
        }
    }

    /// The lines that are to be said when this happens.
    pub fn hear(&mut self, event: &Event, has_bar: bool) -> Vec<String> {
        match event {
            Event::Started { phase, bytes } => {
                self.bytes = (*bytes, 0);
                self.is_changed |= *phase == Phase::Program;
                Vec::new()
            }
            Event::Progress { phase, bytes } => {
                let quarter = self.done(*bytes);
                let is_silent = self.is_change && matches!(phase, Phase::Read | Phase::Program);
                let line = |percent| format!("{}: {percent} %", verb(*phase));
                quarter
                    .filter(|_| is_silent && !has_bar)
                    .map(line)
                    .into_iter()
                    .collect()
            }
            Event::Bank { bank, .. } => match self.last {
                Some((_, last, _)) if last == *bank => Vec::new(),
                _ => self.end_last(),
            },
            Event::BankDone { phase, bank, sum } => self.end(*phase, *bank, *sum),
            Event::Finished { .. } => self.end_last(),
            _ => Vec::new(),
        }
    }

    /// Counts bytes of the phase. The percentage where another quarter is done.
    fn done(&mut self, bytes: u64) -> Option<u64> {
        let (all, done) = self.bytes;
        let now = done.saturating_add(bytes);
        self.bytes = (all, now);
        let quarter = |done: u64| done.saturating_mul(4).checked_div(all);
        let reached = quarter(now).filter(|now| Some(*now) != quarter(done))?;
        Some(reached * 25)
    }

    fn end(&mut self, phase: Phase, bank: Bank, sum: Option<Checksum>) -> Vec<String> {
        match phase {
            Phase::Program => {
                let is_erased = self.is_erase || self.bytes.0 == 0;
                let deed = if is_erased {
                    "erased and "
                } else {
                    "written and "
                };
                self.worked_on.insert(bank, deed);
                Vec::new()
            }
            Phase::Read if self.is_change => {
                self.before.extend(sum.map(|sum| (bank, sum)));
                Vec::new()
            }
            Phase::Read | Phase::Verify | Phase::BlankCheck => {
                let lines = match self.last {
                    Some((_, last, _)) if last == bank => Vec::new(),
                    _ => self.end_last(),
                };
                let sum = match (self.last.take(), sum) {
                    (Some((_, _, Some(first))), Some(sum)) => Some(first.and(sum)),
                    (Some((_, _, first)), sum) => first.or(sum),
                    (None, sum) => sum,
                };
                self.last = Some((phase, bank, sum));
                lines
            }
        }
    }

    /// What is said of the last bank, once.
    fn end_last(&mut self) -> Vec<String> {
        let last = self.last.take();
        let line = |(phase, bank, sum)| self.line(phase, bank, sum);
        last.map(line).into_iter().collect()
    }

    fn line(&self, phase: Phase, bank: Bank, sum: Option<Checksum>) -> String {
        let sum = match sum {
            Some(sum) => format!("sum {sum}"),
            None => "the drive does not give it".to_owned(),
        };
        if !self.is_changed {
            return format!("{} bank {bank:>2}: {sum}", verb(phase));
        }
        let done = self.worked_on.get(&bank).copied().unwrap_or_default();
        let before = self.before.get(&bank);
        let before = before.map_or_else(String::new, |before| format!(" ({before} before)"));
        format!("Bank {bank:>2}: {done}read back, {sum}{before}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: u64 = 0x1_0000;

    fn done(phase: Phase, bank: u32, sum: Option<&[u8]>) -> Event {
        Event::BankDone {
            phase,
            bank: Bank(bank),
            sum: sum.map(Checksum::of),
        }
    }

    fn phase(phase: Phase, bytes: u64, inner: Vec<Event>) -> Vec<Event> {
        let mut events = vec![Event::Started { phase, bytes }];
        events.extend(inner);
        events.push(Event::Finished { phase });
        events
    }

    fn read(banks: u32) -> Vec<Event> {
        let of_bank = |bank| {
            let moved = Event::Progress {
                phase: Phase::Read,
                bytes: SIZE,
            };
            [moved, done(Phase::Read, bank, Some(&[1]))]
        };
        let bytes = u64::from(banks) * SIZE;
        phase(Phase::Read, bytes, (0..banks).flat_map(of_bank).collect())
    }

    fn said(is_change: bool, has_bar: bool, phases: &[Vec<Event>]) -> Vec<String> {
        let mut banks = Banks::of(is_change, false);
        let events = phases.iter().flatten();
        events
            .flat_map(|event| banks.hear(event, has_bar))
            .collect()
    }

    fn write() -> Vec<Vec<Event>> {
        let written = vec![
            Event::FirstPageLeft { bank: Bank(1) },
            done(Phase::Program, 0, None),
            done(Phase::Program, 1, None),
        ];
        let back = vec![
            done(Phase::Verify, 0, Some(&[2])),
            done(Phase::Verify, 1, Some(&[3])),
        ];
        vec![
            read(2),
            phase(Phase::Program, 10, written),
            phase(Phase::Verify, 2 * SIZE, back),
        ]
    }

    #[test]
    fn of_a_write_a_terminal_keeps_one_line_a_bank_with_both_sums() {
        assert_eq!(
            said(true, true, &write()),
            [
                "Bank  0: written and read back, sum 0002 (0001 before)",
                "Bank  1: written and read back, sum 0003 (0001 before)",
            ]
        );
    }

    #[test]
    fn without_a_bar_the_silence_before_it_is_told_in_quarters() {
        let said = said(true, false, &write());
        assert_eq!(said[..2], ["Reading: 50 %", "Reading: 100 %"]);
        let of_banks = said.iter().filter(|line| line.starts_with("Bank"));
        assert_eq!(of_banks.count(), 2);
    }

    #[test]
    fn what_is_only_read_has_its_line_at_once() {
        assert_eq!(
            said(false, false, &[read(2)]),
            ["Reading bank  0: sum 0001", "Reading bank  1: sum 0001"]
        );
    }

    #[test]
    fn a_bank_that_is_read_in_parts_has_one_line() {
        let parts = vec![
            done(Phase::Verify, 0, Some(&[2])),
            done(Phase::Verify, 0, Some(&[3])),
            done(Phase::Verify, 1, None),
        ];
        assert_eq!(
            said(false, false, &[phase(Phase::Verify, SIZE, parts)]),
            [
                "Verifying bank  0: sum 0005",
                "Verifying bank  1: the drive does not give it"
            ]
        );
    }

    #[test]
    fn what_is_only_read_back_is_called_neither_written_nor_erased() {
        let written = vec![done(Phase::Program, 1, None)];
        let back = vec![
            done(Phase::Verify, 0, Some(&[1])),
            done(Phase::Verify, 1, Some(&[3])),
        ];
        let phases = [
            read(2),
            phase(Phase::Program, 10, written),
            phase(Phase::Verify, 2 * SIZE, back),
        ];
        assert_eq!(
            said(true, true, &phases),
            [
                "Bank  0: read back, sum 0001 (0001 before)",
                "Bank  1: written and read back, sum 0003 (0001 before)",
            ]
        );
    }

    #[test]
    fn what_is_erased_is_not_called_written() {
        let erased = phase(Phase::Program, 0, vec![done(Phase::Program, 0, None)]);
        let blank = vec![done(Phase::BlankCheck, 0, Some(&[0]))];
        assert_eq!(
            said(true, true, &[erased, phase(Phase::BlankCheck, SIZE, blank)]),
            ["Bank  0: erased and read back, sum 0000"]
        );
    }
}
