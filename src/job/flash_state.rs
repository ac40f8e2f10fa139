//! What a failed job left in the flash.

use std::collections::{BTreeMap, BTreeSet};

use crate::flash::{Bank, FlashRange};
use crate::plan::Step;

/// What the flash holds after a job that did not end well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlashState {
    /// No changing command was sent.
    Unchanged,
    /// Changes were begun and not finished.
    Partly {
        /// Banks in which everything is done that was to be done.
        written: Vec<Bank>,
        /// Banks that hold something between old and new.
        begun: Vec<Bank>,
        /// Banks that still wait for their change and are as they were before it, and
        /// before an earlier attempt at it.
        untouched: Vec<Bank>,
    },
    /// The drive programs by itself and what it did is not known: it may hold
    /// the old firmware, the new one, or part of it.
    InDoubt {
        /// Banks that the drive has taken, and how many there are in all.
        taken: u32,
        of: u32,
    },
    /// All changes were made; what reads back is another thing, or cannot be read back.
    Written,
}

/// Keeps account of a plan while it is carried out.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Steps still to do and begun, per bank.
    banks: BTreeMap<Bank, Account>,
    any_begun: bool,
}

#[derive(Debug, Default)]
struct Account {
    to_do: u32,
    begun: bool,
}

impl Ledger {
    /// `begun` are banks that an earlier run has left between old and new.
    pub fn new(steps: &[Step], begun: &BTreeSet<Bank>) -> Ledger {
        let mut ledger = Ledger::default();
        for step in steps {
            for bank in banks_of(step.range()) {
                let account = ledger.banks.entry(bank).or_default();
                account.to_do += 1;
                account.begun = begun.contains(&bank);
            }
        }
        ledger
    }

    /// The step's commands are about to be sent: what they touch is no longer
    /// known to be as it was, whatever the drive answers.
    pub fn begin(&mut self, step: &Step) {
        self.any_begun = true;
        for bank in banks_of(step.range()) {
            self.banks.entry(bank).or_default().begun = true;
        }
    }

    pub fn finish(&mut self, step: &Step) {
        for bank in banks_of(step.range()) {
            let account = self.banks.entry(bank).or_default();
            account.to_do = account.to_do.saturating_sub(1);
        }
    }

    /// Whether nothing is left to do in this bank.
    pub fn is_done(&self, bank: Bank) -> bool {
        self.banks
            .get(&bank)
            .is_none_or(|account| account.to_do == 0)
    }

    pub fn state(&self) -> FlashState {
        if !self.any_begun {
            return FlashState::Unchanged;
        }
        let select = |wanted: &dyn Fn(&Account) -> bool| {
            self.banks
                .iter()
                .filter(|(_, account)| wanted(account))
                .map(|(bank, _)| *bank)
                .collect()
        };
        FlashState::Partly {
            written: select(&|account| account.to_do == 0),
            begun: select(&|account| account.begun && account.to_do > 0),
            untouched: select(&|account| !account.begun && account.to_do > 0),
        }
    }
}

fn banks_of(range: FlashRange) -> impl Iterator<Item = Bank> {
    let last = range.end().saturating_sub(1).max(range.start());
    (range.start() / crate::flash::BANK_SIZE..=last / crate::flash::BANK_SIZE).map(Bank)
}
