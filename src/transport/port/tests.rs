use super::*;
use crate::cli::words::InWords;
use crate::transport::RegisterAccess;
use crate::transport::signals::tests::are_held;
use std::collections::VecDeque;
use std::sync::Mutex;

impl Register {
    /// The command block in the order of its ports, and Device Control.
    pub const ALL: [Register; 8] = [
        Register::Features,
        Register::Count,
        Register::LbaLow,
        Register::LbaMid,
        Register::LbaHigh,
        Register::Device,
        Register::Command,
        Register::DeviceControl,
    ];
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Read(Register),
    Write(Register, u8),
    Data,
    BusMaster,
}

use Access::{Read, Write};

/// A drive that shows its status only at the n-th read, and the order of all
/// accesses to it.
#[derive(Default)]
struct Log {
    accesses: Vec<Access>,
    status: u8,
    busy_reads: u32,
    fails: bool,
    /// Status at its reads, one after the other; `status` once they are used up.
    statuses: VecDeque<u8>,
    /// What the data register gives; `None` where there is none.
    data: Option<VecDeque<u16>>,
    bus_master: Option<u8>,
    /// What all registers but Status give, if not 5C.
    register: Option<u8>,
}

#[derive(Clone, Default)]
struct Counting(Arc<Mutex<Log>>);

impl RegisterAccess for Counting {
    fn read(&mut self, register: Register) -> Result<u8, TransportError> {
        assert!(are_held(), "signals could come in between");
        let mut log = self.0.lock().unwrap();
        log.accesses.push(Read(register));
        if log.fails {
            return Err(TransportError::Vanished);
        }
        Ok(match register {
            Register::Command if log.busy_reads > 0 => {
                log.busy_reads -= 1;
                0xF0
            }
            Register::Command => log.statuses.pop_front().unwrap_or(log.status),
            _ => log.register.unwrap_or(0x5C),
        })
    }

    fn write(&mut self, register: Register, value: u8) -> Result<(), TransportError> {
        assert!(are_held(), "signals could come in between");
        let mut log = self.0.lock().unwrap();
        log.accesses.push(Write(register, value));
        if log.fails {
            return Err(TransportError::Vanished);
        }
        Ok(())
    }

    fn has_data(&self) -> bool {
        self.0.lock().unwrap().data.is_some()
    }

    fn read_data(&mut self) -> Result<u16, TransportError> {
        assert!(are_held(), "signals could come in between");
        let mut log = self.0.lock().unwrap();
        log.accesses.push(Access::Data);
        let word = log.data.as_mut().and_then(VecDeque::pop_front);
        Ok(word.expect("no such data"))
    }

    fn bus_master_status(&mut self) -> Result<Option<u8>, TransportError> {
        Ok(self.0.lock().unwrap().bus_master)
    }

    fn clear_bus_master(&mut self) -> Result<(), TransportError> {
        assert!(are_held(), "signals could come in between");
        self.0.lock().unwrap().accesses.push(Access::BusMaster);
        Ok(())
    }
}

impl Counting {
    fn accesses(&self) -> Vec<Access> {
        std::mem::take(&mut self.0.lock().unwrap().accesses)
    }
}

#[derive(Default)]
struct Slept(Mutex<Duration>);

impl Clock for Slept {
    fn now(&self) -> Duration {
        *self.0.lock().unwrap()
    }

    fn sleep(&self, time: Duration) {
        *self.0.lock().unwrap() += time;
    }
}

fn drive(unit: Unit) -> (PortTaskFile, Counting, Arc<Slept>) {
    let registers = Counting::default();
    registers.0.lock().unwrap().status = 0x70;
    let clock = Arc::new(Slept::default());
    (
        PortTaskFile::new(Box::new(registers.clone()), unit, true, clock.clone()),
        registers,
        clock,
    )
}

const EXPECT_PARALLEL: Expect = Expect::Status(0x70);

#[test]
fn a_byte_read_in_parallel_mode_takes_the_eight_documented_accesses() {
    let (mut task_file, registers, _) = drive(Unit::Master);
    let answer = task_file.execute(
        &Registers {
            lba_mid: Some(0x34),
            lba_high: Some(0x12),
            device_bits: 0x05,
            command: 0x00,
            ..Registers::default()
        },
        EXPECT_PARALLEL,
        true,
    );
    assert_eq!(answer.unwrap().lba_low, 0x5C);
    assert_eq!(
        registers.accesses(),
        [
            Write(Register::Device, 0xA0),
            Write(Register::LbaMid, 0x34),
            Write(Register::LbaHigh, 0x12),
            Write(Register::Device, 0xA5),
            Write(Register::Command, 0x00),
            Write(Register::Device, 0xA0),
            Read(Register::Command),
            Read(Register::LbaLow),
        ]
    );
}

#[test]
fn a_mailbox_command_to_a_slave_sets_every_register_and_device_once() {
    let (mut task_file, registers, _) = drive(Unit::Slave);
    task_file
        .execute(
            &Registers {
                features: Some(1),
                count: Some(2),
                lba_low: Some(0),
                lba_mid: Some(4),
                lba_high: Some(5),
                device_bits: 0,
                command: 0x04,
            },
            EXPECT_PARALLEL,
            false,
        )
        .unwrap();
    assert_eq!(
        registers.accesses(),
        [
            Write(Register::Device, 0xB0),
            Write(Register::Features, 1),
            Write(Register::Count, 2),
            Write(Register::LbaLow, 0),
            Write(Register::LbaMid, 4),
            Write(Register::LbaHigh, 5),
            Write(Register::Command, 0x04),
            Write(Register::Device, 0xB0),
            Read(Register::Command),
        ]
    );
}

#[test]
fn address_bits_cannot_change_the_unit() {
    let (mut task_file, registers, _) = drive(Unit::Master);
    let command = Registers {
        device_bits: 0x1F,
        ..Registers::default()
    };
    task_file.execute(&command, EXPECT_PARALLEL, false).unwrap();
    assert!(
        registers
            .accesses()
            .contains(&Write(Register::Device, 0xAF))
    );
}

#[test]
fn status_is_read_until_it_is_the_expected_one() {
    let (mut task_file, registers, _) = drive(Unit::Master);
    registers.0.lock().unwrap().busy_reads = STATUS_READS - 1;
    let answer = task_file.execute(&Registers::default(), EXPECT_PARALLEL, false);
    assert_eq!(answer.unwrap().status, 0x70);
}

#[test]
fn a_drive_that_never_shows_the_expected_status_is_given_up() {
    let (mut task_file, registers, _) = drive(Unit::Master);
    registers.0.lock().unwrap().status = 0x51;
    let error = task_file
        .execute(&Registers::default(), EXPECT_PARALLEL, true)
        .unwrap_err();
    assert_eq!(error.in_words(), "the drive's status is 51h instead of 70h");
    let reads = registers
        .accesses()
        .iter()
        .filter(|&&access| access == Read(Register::Command))
        .count();
    assert_eq!(reads, 327_680);
}

#[test]
fn any_status_is_read_once_after_the_wait() {
    let (mut task_file, registers, clock) = drive(Unit::Master);
    registers.0.lock().unwrap().status = 0x51;
    let after = Duration::from_millis(2);
    let answer = task_file
        .execute(
            &Registers {
                lba_low: Some(0x2A),
                command: 0x80,
                ..Registers::default()
            },
            Expect::Any {
                after,
                patience: Duration::ZERO,
            },
            false,
        )
        .unwrap();
    assert_eq!(answer.status, 0x51);
    assert_eq!(clock.now(), after);
    assert_eq!(
        registers.accesses(),
        [
            Write(Register::Device, 0xA0),
            Write(Register::LbaLow, 0x2A),
            Write(Register::Command, 0x80),
            Write(Register::Device, 0xA0),
            Read(Register::Command),
        ]
    );
}

#[test]
fn selecting_a_drive_writes_its_device_register_and_no_command() {
    let (mut task_file, registers, _) = drive(Unit::Slave);
    task_file.select().unwrap();
    assert_eq!(registers.accesses(), [Write(Register::Device, 0xB0)]);
}

#[test]
fn nothing_follows_an_access_that_failed() {
    let (mut task_file, registers, _) = drive(Unit::Master);
    registers.0.lock().unwrap().fails = true;
    let outcome = task_file.execute(&Registers::default(), EXPECT_PARALLEL, true);
    assert!(matches!(
        outcome,
        Err(TaskFileError::Transport(TransportError::Vanished))
    ));
    assert_eq!(registers.accesses().len(), 1);
    assert!(!are_held());
}

/// A drive that shows these statuses, the last one for good, and has the answer
/// to IDENTIFY PACKET DEVICE in its data register.
fn asked(statuses: &[u8]) -> (Result<PacketDevice, IdentifyError>, Vec<Access>, Duration) {
    let (mut task_file, registers, clock) = drive(Unit::Slave);
    let mut words = VecDeque::from([0_u16; 256]);
    words[0] = 0x85C0;
    words[27] = u16::from_be_bytes(*b"SO");
    words[28] = u16::from_be_bytes(*b"NY");
    {
        let mut log = registers.0.lock().unwrap();
        log.data = Some(words);
        log.statuses = statuses.iter().copied().collect();
        log.status = *statuses.last().unwrap();
    }
    let outcome = task_file.identify();
    (outcome, registers.accesses(), clock.now())
}

const IDENTIFY: Access = Write(Register::Command, 0xA1);

#[test]
fn a_drive_says_who_it_is_in_256_words() {
    let (device, accesses, _) = asked(&[0x50, 0xD0, 0x58, 0x50]);
    assert_eq!(device.unwrap().model, "SONY");
    let mut expected = vec![
        Write(Register::Device, 0xB0),
        Read(Register::Command),
        IDENTIFY,
        Read(Register::Command),
        Read(Register::Command),
    ];
    expected.extend([Access::Data; 256]);
    expected.push(Read(Register::Command));
    assert_eq!(accesses, expected);
}

#[test]
fn a_drive_that_is_busy_at_fault_or_in_vendor_mode_is_not_asked() {
    for status in [0x70, 0x72, 0x73, 0x58, 0x7F, 0x80, 0xD0, 0xFF] {
        let (outcome, accesses, time) = asked(&[status]);
        assert!(
            matches!(outcome, Err(IdentifyError::NotReady { status: found }) if found == status)
        );
        assert!(!accesses.contains(&IDENTIFY), "{status:02x}");
        assert!(time <= Duration::from_secs(1));
    }
}

#[test]
fn a_drive_that_becomes_ready_in_a_moment_is_asked() {
    let (device, ..) = asked(&[0xD0, 0xD0, 0x00, 0x58, 0x50]);
    assert_eq!(device.unwrap().model, "SONY");
}

#[test]
fn no_data_is_fetched_that_the_drive_does_not_offer() {
    for (statuses, message) in [
        // An aborted command, and a place without a drive.
        (
            &[0x50, 0x51][..],
            "IDENTIFY PACKET DEVICE was refused: status 51h",
        ),
        (&[0x00], "IDENTIFY PACKET DEVICE was refused: status 00h"),
        (
            &[0x50, 0xD0],
            "the drive did not answer IDENTIFY PACKET DEVICE within 5 s",
        ),
    ] {
        let (outcome, accesses, time) = asked(statuses);
        assert_eq!(outcome.unwrap_err().in_words(), message);
        assert!(!accesses.contains(&Access::Data));
        assert!(time < Duration::from_secs(8));
    }
}

const RESET: Access = Write(Register::Command, 0x08);

#[test]
fn an_answer_of_another_length_is_no_identity() {
    let (outcome, accesses, _) = asked(&[0x50, 0x58]);
    assert!(matches!(outcome, Err(IdentifyError::Empty)));
    assert!(accesses.contains(&RESET));
}

#[test]
fn a_drive_that_hangs_at_the_question_is_reset_and_no_other() {
    for (statuses, is_reset) in [
        (&[0x50, 0xD0][..], true),
        (&[0x50, 0x59], true),
        (&[0x50, 0x58, 0x58], true),
        (&[0x50, 0x58, 0x50], false),
        (&[0x50, 0x51], false),
        (&[0x00], false),
        // In vendor mode, and no drive: not asked.
        (&[0x70], false),
        (&[0xFF], false),
    ] {
        let (_, accesses, _) = asked(statuses);
        assert_eq!(accesses.contains(&RESET), is_reset, "{statuses:02x?}");
    }
}

#[test]
fn a_drive_whose_data_cannot_be_fetched_is_not_asked() {
    let (mut task_file, registers, _) = drive(Unit::Master);
    assert!(matches!(task_file.identify(), Err(IdentifyError::NoData)));
    assert_eq!(registers.accesses(), []);
}

const QUIETED: [Access; 4] = [
    Write(Register::DeviceControl, 0x02),
    Write(Register::Device, 0xA0),
    Read(Register::Command),
    Access::BusMaster,
];

const RESTORED: [Access; 3] = [
    Read(Register::Command),
    Access::BusMaster,
    Write(Register::DeviceControl, 0x00),
];

#[test]
fn where_nien_is_not_to_be_touched_it_is_not() {
    let (mut task_file, registers, _) = drive(Unit::Slave);
    task_file.takes_nien = false;
    task_file.quiet_interrupts().unwrap();
    assert_eq!(
        registers.accesses(),
        [
            Write(Register::Device, 0xB0),
            Read(Register::Command),
            Access::BusMaster
        ]
    );
    drop(task_file);
    assert_eq!(registers.accesses(), RESTORED[..2]);
}

#[test]
fn a_drive_that_is_busy_after_a_command_has_not_answered_yet() {
    let any = |patience| Expect::Any {
        after: Duration::from_millis(2),
        patience,
    };
    let (mut task_file, registers, _) = drive(Unit::Master);
    let mut ask = |patience, statuses: &[u8]| {
        registers.0.lock().unwrap().statuses = statuses.iter().copied().collect();
        let answer = task_file.execute(&Registers::default(), any(patience), false);
        answer.unwrap().status
    };
    let second = Duration::from_secs(1);
    assert_eq!(ask(second, &[0xF2, 0xF2, 0x72]), 0x72);
    assert_eq!(ask(second, &[0xD1, 0x51]), 0x51);
    assert_eq!(ask(second, &[0xFF, 0x51]), 0xFF);
    assert_eq!(ask(second, &[0x80, 0x51]), 0x80);
    assert_eq!(ask(Duration::ZERO, &[0xF2, 0x72]), 0xF2);
    assert_eq!(ask(second, &[0xD0; 2_000]), 0xD0);
}

#[test]
fn a_function_that_is_gone_reads_ff_everywhere() {
    for (bus_master, register, is_void) in [
        (Some(0xFF), 0xFF, true),
        (Some(0x60), 0xFF, false),
        (Some(0xFF), 0x50, false),
        // A floating cable reads FF as well, and a drive may be switched on there.
        (None, 0xFF, false),
    ] {
        let (mut task_file, registers, _) = drive(Unit::Master);
        registers.0.lock().unwrap().bus_master = bus_master;
        registers.0.lock().unwrap().register = Some(register);
        assert_eq!(task_file.is_void().unwrap(), is_void, "{bus_master:?}");
    }
}

#[test]
fn interrupts_are_quiet_until_they_are_restored_once() {
    let (mut task_file, registers, _) = drive(Unit::Master);
    task_file.quiet_interrupts().unwrap();
    assert_eq!(registers.accesses(), QUIETED);
    task_file.restore_interrupts().unwrap();
    assert_eq!(registers.accesses(), RESTORED);
    task_file.restore_interrupts().unwrap();
    drop(task_file);
    assert_eq!(registers.accesses(), []);
}

#[test]
fn quiet_interrupts_are_restored_on_the_way_out() {
    let (mut task_file, registers, _) = drive(Unit::Master);
    task_file.quiet_interrupts().unwrap();
    registers.accesses();
    drop(task_file);
    assert_eq!(registers.accesses(), RESTORED);
}

#[test]
fn interrupts_that_were_never_quiet_are_left_alone() {
    let (task_file, registers, _) = drive(Unit::Master);
    drop(task_file);
    assert_eq!(registers.accesses(), []);
}

#[test]
fn restoring_interrupts_is_tried_again_after_a_failure() {
    let (mut task_file, registers, _) = drive(Unit::Master);
    task_file.quiet_interrupts().unwrap();
    registers.0.lock().unwrap().fails = true;
    task_file.restore_interrupts().unwrap_err();
    registers.0.lock().unwrap().fails = false;
    registers.accesses();
    drop(task_file);
    assert_eq!(registers.accesses(), RESTORED);
}
