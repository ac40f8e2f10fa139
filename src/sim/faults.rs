//! What goes wrong with a simulated drive, and when.
//!
//! Operations are counted from 1 for every run: each ATA command and each
//! packet that reaches the drive is one, a packet that carries an ATA command
//! also. A fault at an operation comes once. Cut power and a pulled cable are
//! remembered beside the flash, so that the next run finds the drive back and
//! does not lose it again.

use serde::Deserialize;

/// A fault, as a bench file spells it in `[[drive.fault]]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    /// Reads of the flash flip one bit with the probability `rate`.
    FlipRate {
        rate: f64,
        #[serde(default)]
        seed: u64,
    },
    /// The `read`-th read of the byte at `at` has the bits of `mask` flipped.
    Flip {
        at: u32,
        #[serde(default = "one")]
        read: u64,
        #[serde(default = "lowest_bit")]
        mask: u8,
    },
    /// The byte at `at` cannot be programmed, though the chip says it did.
    Stuck { at: u32 },
    /// The next `times` programs of the byte at `at` leave the bits of `keeps`.
    PartialProgram {
        at: u32,
        #[serde(default = "high_half")]
        keeps: u8,
        #[serde(default = "one")]
        times: u64,
    },
    /// Erasing leaves the bits of `keeps` in the byte at `at` cleared.
    WeakErase {
        at: u32,
        #[serde(default = "lowest_bit")]
        keeps: u8,
    },
    /// The drive stays busy from this operation on, which it does not do.
    StuckBusy { operation: u64 },
    /// The flash chip stays busy from this operation on.
    ChipBusy { operation: u64 },
    /// The operation is carried out, but ends with this ATA status.
    WrongStatus { operation: u64, status: u8 },
    /// The packet of this operation is answered with CHECK CONDITION and this
    /// sense, and not carried out.
    CheckCondition {
        operation: u64,
        key: u8,
        #[serde(default)]
        asc: u8,
        #[serde(default)]
        ascq: u8,
    },
    /// The operation gets no answer but an error of the way to the drive;
    /// carried out only if `executed`.
    TransportError {
        operation: u64,
        #[serde(default)]
        executed: bool,
    },
    /// The operation never ends; carried out only if `executed`.
    TimeOut {
        operation: u64,
        #[serde(default)]
        executed: bool,
    },
    /// The packet of this operation is carried out, and the drive says that it
    /// did not take, or does not give, the last `bytes`.
    ShortTransfer { operation: u64, bytes: usize },
    /// After it has restarted with new firmware, the drive says that it is
    /// another one. What is left out is `OTHER`.
    OtherIdentity {
        #[serde(default = "other")]
        vendor: String,
        #[serde(default = "other")]
        product: String,
        #[serde(default = "other")]
        revision: String,
    },
    /// The drive loses its power after this operation has ended.
    PowerCut { operation: u64 },
    /// The cable is pulled after this operation has ended; the drive keeps its
    /// power and its mode.
    Unplug { operation: u64 },
}

fn one() -> u64 {
    1
}

fn lowest_bit() -> u8 {
    0x01
}

fn other() -> String {
    "OTHER".to_owned()
}

fn high_half() -> u8 {
    0xF0
}

impl Fault {
    /// When it comes, for a fault that waits for an operation.
    pub fn operation(&self) -> Option<u64> {
        match *self {
            Fault::StuckBusy { operation }
            | Fault::ChipBusy { operation }
            | Fault::WrongStatus { operation, .. }
            | Fault::CheckCondition { operation, .. }
            | Fault::TransportError { operation, .. }
            | Fault::TimeOut { operation, .. }
            | Fault::ShortTransfer { operation, .. }
            | Fault::PowerCut { operation }
            | Fault::Unplug { operation } => Some(operation),
            _ => None,
        }
    }

    /// The name under which the next run remembers that it has happened, for
    /// faults that must not happen again then.
    pub(super) fn memory(&self) -> Option<String> {
        match self {
            Fault::PowerCut { operation } => Some(format!("power-cut {operation}")),
            Fault::Unplug { operation } => Some(format!("unplug {operation}")),
            _ => None,
        }
    }
}

/// Something a test wants done just before an operation.
pub(super) struct Hook {
    pub operation: u64,
    pub action: Box<dyn FnMut() + Send>,
}

/// The faults and hooks that wait for an operation.
#[derive(Default)]
pub(super) struct Schedule {
    faults: Vec<Fault>,
    hooks: Vec<Hook>,
    /// The first operation that anything waits for; none for 0.
    next: u64,
}

impl Schedule {
    pub fn add_fault(&mut self, fault: Fault) {
        self.faults.push(fault);
        self.find_next();
    }

    pub fn add_hook(&mut self, hook: Hook) {
        self.hooks.push(hook);
        self.find_next();
    }

    /// Whether nothing waits for this operation: the answer for nearly all.
    #[inline]
    pub fn is_clear(&self, operation: u64) -> bool {
        self.next != operation
    }

    /// Runs the hooks that wait for this operation and hands out its faults,
    /// both for the last time.
    pub fn take(&mut self, operation: u64) -> Vec<Fault> {
        for hook in self
            .hooks
            .iter_mut()
            .filter(|hook| hook.operation == operation)
        {
            (hook.action)();
        }
        self.hooks.retain(|hook| hook.operation > operation);
        let (due, later) = std::mem::take(&mut self.faults)
            .into_iter()
            .partition(|fault| fault.operation() == Some(operation));
        self.faults = later;
        self.find_next_after(operation);
        due
    }

    fn find_next(&mut self) {
        self.find_next_after(0);
    }

    fn find_next_after(&mut self, operation: u64) {
        self.next = self
            .faults
            .iter()
            .filter_map(Fault::operation)
            .chain(self.hooks.iter().map(|hook| hook.operation))
            .filter(|waits_for| *waits_for > operation)
            .min()
            .unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn faults_and_hooks_come_at_their_operation_and_only_then() {
        let mut schedule = Schedule::default();
        let called = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&called);
        schedule.add_fault(Fault::StuckBusy { operation: 7 });
        schedule.add_fault(Fault::Unplug { operation: 3 });
        schedule.add_hook(Hook {
            operation: 3,
            action: Box::new(move || {
                count.fetch_add(1, Ordering::Relaxed);
            }),
        });
        let met: Vec<u64> = (1..10).filter(|n| !schedule.is_clear(*n)).collect();
        assert_eq!(met, [3], "only the next one is looked out for");
        assert_eq!(schedule.take(3), [Fault::Unplug { operation: 3 }]);
        assert_eq!(called.load(Ordering::Relaxed), 1);
        assert!(!schedule.is_clear(7));
        assert_eq!(schedule.take(7), [Fault::StuckBusy { operation: 7 }]);
        assert!((1..100).all(|n| schedule.is_clear(n)));
    }
}
