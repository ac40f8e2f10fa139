use std::ffi::OsString;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::super::args;
use super::*;
use crate::cli::tests::every::{every, shown, table};
use crate::flash::chip::{ChipId, ReadOnly};
use crate::flash::{Bank, FlashRange, Offset};
use crate::image::mt19xx::BootString;
use crate::job::change::ChangeError;
use crate::job::verify::Difference;
use crate::job::{Forced, estimate};
use crate::protocol::download::LastAnswer;
use crate::protocol::packet::PacketError;
use crate::protocol::packet::liteon::Implausible;
use crate::protocol::{
    Capabilities, DeviceError, Doing, Impossible, NotIdle, Reading, Unwritable, Writing,
};
use crate::scsi::{Identity, Sense, cdb};
use crate::transport::{
    AtaPassthrough, Completion, Data, Expect, Instead, PacketTransport, Registers, TaskFile,
    TaskFileError, TransportError, Verdict,
};

const TIME_OUT: Duration = Duration::from_secs(5);
const BACKUP: &str = "my backups/backup-DVD RW.bin";

/// A command whose file has a name that a shell would take apart.
fn typed() -> Request {
    let words = ["mtkflash", "3", "w", "/m", "my image.bin"].map(OsString::from);
    args::parse(words.into_iter()).unwrap()
}

/// A drive that failed before anything was changed.
fn before_change(source: DeviceError) -> String {
    let flash = FlashState::Unchanged;
    let error = match source {
        DeviceError::Stopped => JobError::Stopped,
        source => JobError::Device { source, flash },
    };
    shown(&Failure::job(&error, &typed()))
}

fn in_change(source: DeviceError, flash: FlashState) -> String {
    let error = JobError::Device { source, flash };
    shown(&Failure::change(
        &error.into(),
        &typed(),
        Some(Path::new(BACKUP)),
    ))
}

fn hardware_error() -> Sense {
    let bytes = [0x70, 0, 4, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x44, 0, 0, 0, 0, 0];
    Sense::parse(&bytes).unwrap()
}

fn transports() -> Vec<TransportError> {
    every!(TransportError:
        TransportError::NotPermitted => [TransportError::NotPermitted],
        TransportError::Vanished => [TransportError::Vanished],
        TransportError::Io(_) => [
            TransportError::Io(io::Error::from_raw_os_error(nix::libc::EIO)),
        ],
        TransportError::Storm { .. } => [TransportError::Storm { interrupts: 10_001 }],
    )
}

fn task_files() -> Vec<TaskFileError> {
    let mut errors = every!(TaskFileError:
        TaskFileError::Status { .. } => [TaskFileError::Status { expected: 0x70, found: 0x51 }],
        TaskFileError::TimedOut(_) => [TaskFileError::TimedOut(TIME_OUT)],
        TaskFileError::NoRegisters(_) => [
            TaskFileError::NoRegisters(Instead::Verdict(Verdict::Status(0x08))),
        ],
        TaskFileError::NotPassedOn(_) => [
            TaskFileError::NotPassedOn(hardware_error()),
        ],
        TaskFileError::Transport(_) => [TransportError::Vanished.into()],
    );
    errors.pop();
    errors.extend(transports().into_iter().map(TaskFileError::Transport));
    errors
}

fn packets() -> Vec<PacketError> {
    let too_large = || {
        let buffer = cdb::Buffer {
            mode: 0,
            id: 0,
            offset: 0x100_0000,
            length: 1,
        };
        cdb::read_buffer(buffer).unwrap_err()
    };
    let mut errors = every!(PacketError:
        PacketError::Sense(_) => [PacketError::Sense(hardware_error())],
        PacketError::NoSense => [PacketError::NoSense],
        PacketError::Status(_) => [PacketError::Status(0x08)],
        PacketError::TimedOut(_) => [PacketError::TimedOut(TIME_OUT)],
        PacketError::Lost { .. } => [PacketError::Lost { host_status: 7, driver_status: 0 }],
        PacketError::Residue { .. } => [PacketError::Residue { residue: 24, length: 2048 }],
        PacketError::Short => [PacketError::Short],
        PacketError::Address(_) => [too_large().into()],
        PacketError::Transport(_) => [TransportError::Vanished.into()],
    );
    errors.pop();
    errors.extend(transports().into_iter().map(PacketError::Transport));
    errors
}

fn by_task_file(source: TaskFileError) -> DeviceError {
    let at = Some(Offset(0x1_2345));
    let doing = Doing::ReadFlash;
    DeviceError::TaskFile { doing, at, source }
}

fn by_packet(source: PacketError) -> DeviceError {
    let at = Some(Offset(0x1_8000));
    let doing = Doing::SendImage;
    DeviceError::Packet { doing, at, source }
}

fn devices() -> Vec<DeviceError> {
    let at = Offset(0x1_2345);
    let range = FlashRange::new(0x8000, 0xC000);
    every!(DeviceError:
        DeviceError::WriteProtected { .. } => [DeviceError::WriteProtected { status: 0x9C }],
        DeviceError::Rejected => [DeviceError::Rejected],
        DeviceError::FlashFault { .. } => [
            DeviceError::FlashFault { sense: hardware_error() },
        ],
        DeviceError::EntryRefused { .. } => [DeviceError::EntryRefused { status: 0x51 }],
        DeviceError::NoDriveThere { .. } => [DeviceError::NoDriveThere { status: 0x7F }],
        DeviceError::EntryBusy { .. } => [DeviceError::EntryBusy { status: 0xF2 }],
        DeviceError::EntryUnclear { .. } => [DeviceError::EntryUnclear { status: 0x40 }],
        DeviceError::EntryUnanswered { .. } => [
            DeviceError::EntryUnanswered { source: TaskFileError::TimedOut(TIME_OUT) },
        ],
        DeviceError::Stopped => [DeviceError::Stopped],
        DeviceError::TaskFile { .. } => [
            by_task_file(TaskFileError::Status { expected: 0x70, found: 0x51 }),
        ],
        DeviceError::NotProgrammed { .. } => [
            DeviceError::NotProgrammed { at, expected: 0x55, found: 0xFF, attempts: 3 },
        ],
        DeviceError::NotErased { .. } => [DeviceError::NotErased { at, found: 0x02 }],
        DeviceError::ChipBusy { .. } => [
            DeviceError::ChipBusy { doing: Doing::EraseChip, expected: 0x00, found: 0x03 },
        ],
        DeviceError::NotIdle(_) => [
            DeviceError::NotIdle(NotIdle::Busy { status: 0x03 }),
            DeviceError::NotIdle(NotIdle::OtherId {
                expected: ChipId::new(0xBF, 0xB6),
                found: ChipId::new(0x40, 0x00),
            }),
            DeviceError::NotIdle(NotIdle::SameAsId { id: ChipId::new(0xBF, 0xB6) }),
            DeviceError::NotIdle(NotIdle::Unsteady),
        ],
        DeviceError::Refused { .. } => [DeviceError::Refused { range, sense: hardware_error() }],
        DeviceError::Packet { .. } => [by_packet(PacketError::NoSense)],
        DeviceError::NotBack { .. } => [
            DeviceError::NotBack { waited: TIME_OUT, last: LastAnswer::Error(Arc::new(PacketError::NoSense)) },
        ],
        DeviceError::UnsteadyId => [DeviceError::UnsteadyId],
        DeviceError::OtherBanner { .. } => [
            DeviceError::OtherBanner {
                drive: Box::new(Identity {
                    vendor: "ASUS".to_owned(),
                    product: "BW-16D1HT".to_owned(),
                    revision: "3.10".to_owned(),
                    serial: None,
                }),
                family: "MT1959",
                banner: "MT1939 BOOT CODE".to_owned(),
            },
        ],
        DeviceError::OwnBytesUnsteady { .. } => [DeviceError::OwnBytesUnsteady { range }],
        DeviceError::Implausible(_) => [
            DeviceError::Implausible(Implausible::Unsteady),
            DeviceError::Implausible(Implausible::NoCode { found: 0xFF }),
            DeviceError::Implausible(Implausible::SameAnswer { at }),
            DeviceError::Implausible(Implausible::NoBankCall),
            DeviceError::Implausible(Implausible::Rebanked { mask: 0x1F }),
            DeviceError::Implausible(Implausible::OtherThanFlash { range }),
            DeviceError::Implausible(Implausible::OtherSize { given: 0x8_0000, size: 0x10_0000 }),
        ],
        DeviceError::Impossible(_) => [
            Impossible::OutOfRange { range, size: 0x8000 }.into(),
        ],
    )
}

/// Every flash that a change can leave behind.
fn flashes() -> Vec<FlashState> {
    let banks = |banks: &[u32]| banks.iter().copied().map(Bank).collect();
    every!(FlashState:
        FlashState::Unchanged => [FlashState::Unchanged],
        FlashState::Partly { .. } => [
            FlashState::Partly {
                written: banks(&[0, 1, 2, 3, 4, 5, 6]),
                begun: banks(&[7]),
                untouched: banks(&[8, 9, 10, 11, 12, 13, 14, 15]),
            },
        ],
        FlashState::InDoubt { .. } => [
            FlashState::InDoubt { taken: 2, of: 4 },
            FlashState::InDoubt { taken: 4, of: 4 },
        ],
        FlashState::Written => [FlashState::Written],
    )
}

#[test]
fn a_drive_that_fails_before_the_change() {
    insta::assert_snapshot!(table(devices(), before_change));
}

#[test]
fn a_register_command_that_fails_before_the_change() {
    insta::assert_snapshot!(table(task_files(), |error| before_change(by_task_file(
        error
    ))));
}

/// A bridge or kernel that ends every command like this.
struct Ending(Completion);

impl PacketTransport for Ending {
    fn execute(
        &mut self,
        _cdb: &[u8],
        _data: Data<'_>,
        _timeout: Duration,
    ) -> Result<Completion, TransportError> {
        Ok(self.0.clone())
    }
}

#[test]
fn a_register_command_without_registers_in_its_answer() {
    let check = |sense: &[u8]| Completion {
        status: 0x02,
        driver_status: 0x08,
        sense: sense.to_vec(),
        ..Completion::default()
    };
    let cut = [
        0x72, 1, 0, 0x1D, 0, 0, 0, 14, 9, 12, 0, 0, 0, 0, 0, 0x5C, 0, 0,
    ];
    let completions = [
        Completion::default(),
        check(&cut),
        check(&[0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x20, 0, 0, 0, 0, 0]),
        check(&[0x70, 0, 4, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x44, 0, 0, 0, 0, 0]),
        Completion {
            status: 0x08,
            ..Completion::default()
        },
        Completion {
            host_status: 0x03,
            ..Completion::default()
        },
        Completion {
            host_status: 0x07,
            ..Completion::default()
        },
    ];
    let expect = Expect::Status(0x70);
    let errors = completions.map(|completion| {
        AtaPassthrough::new(Ending(completion), TIME_OUT)
            .execute(&Registers::default(), expect, false)
            .unwrap_err()
    });
    insta::assert_snapshot!(table(errors.into(), |error| before_change(by_task_file(
        error
    ))));
}

#[test]
fn another_answer_than_yes() {
    let told = [None, Some(Path::new(BACKUP))]
        .map(|backup| shown(&Failure::denied(&Word::Yes, &typed()).keeping(backup)));
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_packet_command_that_fails_before_the_change() {
    insta::assert_snapshot!(table(packets(), |error| before_change(by_packet(error))));
}

#[test]
fn a_drive_that_vanishes_says_what_that_means_for_every_flash() {
    insta::assert_snapshot!(table(flashes(), |flash| {
        in_change(by_packet(TransportError::Vanished.into()), flash)
    }));
}

#[test]
fn a_command_that_times_out_says_what_that_means_for_every_flash() {
    insta::assert_snapshot!(table(flashes(), |flash| {
        in_change(by_task_file(TaskFileError::TimedOut(TIME_OUT)), flash)
    }));
}

#[test]
fn what_a_line_leaves_out_is_told_once_where_the_backup_is_gone_too() {
    let mut typed = typed();
    typed.options.force.insert(Check::Model);
    let told = flashes().into_iter().map(|flash| {
        let source = by_packet(PacketError::NoSense);
        let error = JobError::Device { source, flash };
        let failure = Failure::change(&error.into(), &typed, None);
        shown(&failure.without(Path::new(BACKUP), &typed))
    });
    let left_out = "The check that you have overridden, model, is left out of that line";
    for told in told {
        assert_eq!(told.matches(left_out).count(), 1, "{told}");
    }
}

#[test]
fn a_change_that_went_wrong() {
    let different = || Difference {
        first: Offset(0x2_2346),
        expected: 0xFF,
        found: 0xFE,
        count: 1,
        banks: vec![Bank(2)],
    };
    let errors = every!(ChangeError:
        ChangeError::Job(_) => [JobError::Stopped.into()],
        ChangeError::Different(_) => [ChangeError::Different(different())],
        ChangeError::Again { .. } => [
            ChangeError::Again {
                at: Offset(0x2_2346),
                source: Box::new(ChangeError::Different(different())),
            },
        ],
        ChangeError::OldFirmware { .. } => [
            ChangeError::OldFirmware {
                runs: Identity::named("HL-DT-ST", "BD-RE  WH16NS60", "1.00").into(),
                boot_string: Some(BootString::of_mt1959(*b"JB8 ")),
                banks: 32,
            },
        ],
        ChangeError::NoFirmware { .. } => [
            ChangeError::NoFirmware {
                found: Identity::named("TSSTcorp", "BDDVDW SE-506CB", "BOOT"),
                banks: 32,
            },
        ],
        ChangeError::OtherIdentity { .. } => [
            ChangeError::OtherIdentity {
                expected: Identity::named("TSSTcorp", "DVD-ROM SH-D163B", "SB01").into(),
                found: Identity::named("OTHER", "OTHER", "OTHE").into(),
                banks: 4,
            },
        ],
    );
    insta::assert_snapshot!(table(errors, |error| {
        shown(&Failure::change(&error, &typed(), Some(Path::new(BACKUP))))
    }));
}

#[test]
fn a_job_that_would_take_hours() {
    let capabilities = Capabilities {
        size: 0x10_0000,
        windows: &[],
        reading: Reading::Blocks(256),
        writing: Writing::Impossible(Unwritable::Chip(ReadOnly::Unknown)),
        time_per_byte: Some(Duration::from_millis(36)),
    };
    let refusal = estimate::refuse_slow(&capabilities, 0x10_0000, &Forced::new()).unwrap_err();
    let told = [Some(&DriveName::Index(3)), None]
        .map(|at_ports| shown(&Failure::slow(&refusal, at_ports, &typed())));
    insta::assert_snapshot!(told.join("\n"));
}
