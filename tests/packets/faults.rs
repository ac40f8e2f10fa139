//! Any single fault: what is said about the flash is true, nothing is repeated,
//! and the same again ends with the image wherever the drive still answers.

use mtkflash::job::FlashState;
use mtkflash::job::change::ChangeError;
use mtkflash::sim::Fault;

use crate::drives::{ALL, BTC, Drive, MT1939, MT1959, SD616, TSST};
use crate::jobs::{Desk, Ended};

/// All that can happen to one command.
fn faults(operation: u64) -> Vec<Fault> {
    let sense = |key, asc, ascq| Fault::CheckCondition {
        operation,
        key,
        asc,
        ascq,
    };
    let short = |bytes| Fault::ShortTransfer { operation, bytes };
    let lost = |executed| Fault::TransportError {
        operation,
        executed,
    };
    let timed_out = |executed| Fault::TimeOut {
        operation,
        executed,
    };
    vec![
        sense(0x05, 0x24, 0x00),
        lost(true),
        Fault::PowerCut { operation },
        timed_out(true),
        sense(0x06, 0x29, 0x00),
        short(1),
        timed_out(false),
        Fault::Unplug { operation },
        sense(0x04, 0x44, 0x00),
        lost(false),
        short(usize::MAX),
        sense(0x02, 0x04, 0x01),
        Fault::ChipBusy { operation },
    ]
}

/// The opcodes of a write without faults, in order.
fn commands(drive: &'static Drive) -> Vec<u8> {
    let desk = Desk::new(drive);
    let opcodes = desk.opcodes_of_a_write();
    assert_eq!(opcodes.len() as u64, desk.handle.counters().operations);
    opcodes
}

/// The operations at which commands of a kind begin, go on and end, and the
/// 17th, at which an MT1939 programs.
fn interesting(commands: &[u8]) -> Vec<u64> {
    let mut chosen = Vec::new();
    let mut start = 0;
    while start < commands.len() {
        let run = commands[start..]
            .iter()
            .take_while(|command| **command == commands[start])
            .count();
        for at in [0, 16, run / 2, run - 1] {
            if at < run {
                chosen.push((start + at) as u64 + 1);
            }
        }
        start += run;
    }
    chosen.sort_unstable();
    chosen.dedup();
    chosen
}

/// Writes with this fault, and once more.
fn holds_true(drive: &'static Drive, fault: Fault) {
    let case = format!("{}: {fault:?}", drive.protocol);
    let mut desk = Desk::new(drive);
    let before = desk.handle.flash();
    let is_lasting = fault.operation().is_none() || matches!(fault, Fault::ChipBusy { .. });
    desk = desk.with(fault);
    let ended = desk.write();
    desk.settle();
    let flash = desk.handle.flash();
    match ended.flash() {
        None => assert!(desk.holds(drive.image()), "{case}: {ended:?}"),
        Some(FlashState::Unchanged) => assert!(flash == before, "{case}: {ended:?}"),
        Some(FlashState::InDoubt { taken, of }) => assert!(taken <= of, "{case}"),
        Some(FlashState::Written) => {
            let differs = matches!(ended, Ended::Failed(ChangeError::Different(_)));
            let holds = desk.holds(drive.image());
            assert_eq!(holds, !differs, "{case}: {ended:?}");
        }
        Some(state) => panic!("{case}: {state:?}"),
    }
    assert_eq!(desk.handle.violations(), [""; 0], "{case}: {ended:?}");
    if is_lasting {
        desk = desk.repaired();
    }
    if !desk.answers() {
        let state = ended.flash();
        assert!(
            matches!(state, Some(FlashState::InDoubt { .. })),
            "{case}: the drive is dead, and that was not said: {ended:?}"
        );
        return;
    }
    let again = desk.write();
    assert!(
        matches!(again, Ended::Done | Ended::NothingToDo),
        "{case}: {ended:?}, then {again:?}"
    );
    assert!(desk.holds(drive.image()), "{case}: {again:?}");
    assert_eq!(desk.handle.violations(), [""; 0], "{case}: {again:?}");
    if let Some(backup) = desk.first_backup() {
        assert!(
            backup == drive.as_read(before),
            "{case}: the way back is lost"
        );
    }
}

/// Every fault at every chosen operation, or `each` of them in turn.
fn try_faults(drive: &'static Drive, operations: &[u64], each: usize) {
    for (round, operation) in operations.iter().enumerate() {
        let faults = faults(*operation);
        let all = faults.len();
        let each = each.min(all);
        for nth in 0..each {
            holds_true(drive, faults[(round * each + nth) % all].clone());
        }
    }
}

#[test]
fn a_write_to_an_mt1339_drive() {
    let operations: Vec<u64> = (1..=commands(&TSST).len() as u64).collect();
    try_faults(&TSST, &operations, usize::MAX);
}

#[test]
fn a_write_to_an_sd616_drive() {
    let operations: Vec<u64> = (1..=commands(&SD616).len() as u64).collect();
    try_faults(&SD616, &operations, usize::MAX);
}

#[test]
fn a_write_to_a_btc_drive() {
    try_faults(&BTC, &interesting(&commands(&BTC)), 2);
}

#[test]
fn a_write_to_an_mt1939_drive() {
    try_faults(&MT1939, &interesting(&commands(&MT1939)), 1);
}

#[test]
fn a_write_to_an_mt1959_drive() {
    try_faults(&MT1959, &interesting(&commands(&MT1959)), 1);
}

#[test]
fn a_drive_that_comes_back_as_another_one() {
    for drive in ALL {
        let other = || "OTHER".to_owned();
        let fault = Fault::OtherIdentity {
            vendor: other(),
            product: other(),
            revision: other(),
        };
        holds_true(drive, fault);
    }
}

/// Minutes, not seconds: every fault at every command of every family.
#[test]
#[ignore = "takes minutes; cargo test --test packets -- --ignored"]
fn every_fault_at_every_command() {
    for drive in ALL {
        let operations: Vec<u64> = (1..=commands(drive).len() as u64).collect();
        try_faults(drive, &operations, usize::MAX);
    }
}
