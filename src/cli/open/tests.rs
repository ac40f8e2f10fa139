use std::ffi::OsString;
use std::io;

use super::super::args;
use super::super::every::shown;
use super::*;
use crate::drive::Obstacle;
use crate::sim::SimClock;
use crate::transport::{Completion, Data, PacketTransport, Register, RegisterAccess, Unit};

/// A drive that answers every command like this.
struct Answering(fn(&mut Data<'_>) -> Result<Completion, TransportError>);

impl PacketTransport for Answering {
    fn execute(
        &mut self,
        _cdb: &[u8],
        mut data: Data<'_>,
        _timeout: Duration,
    ) -> Result<Completion, TransportError> {
        self.0(&mut data)
    }
}

fn typed(line: &str) -> Typed {
    let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
    let request = args::parse(words.iter().cloned()).unwrap();
    Typed::new(words, &request)
}

fn reached(packets: Option<Answering>) -> Reach {
    Reach {
        name: "drive 3 (/dev/sr2)".to_owned(),
        packets: packets.map(|packets| Box::new(packets) as _),
        filter: None,
        registers: None,
        unit: Unit::Master,
        clock: Arc::new(SimClock::default()),
        known_as: None,
        reopen: None,
        detached: None,
        is_real: true,
        at_ports: None,
    }
}

fn not_identified(answer: fn(&mut Data<'_>) -> Result<Completion, TransportError>) -> String {
    let mut reach = Reach {
        filter: Some(Obstacle::NoSgModule),
        ..reached(Some(Answering(answer)))
    };
    shown(&identity(&mut reach, &typed("mtkflash 3 c")).unwrap_err())
}

#[test]
fn a_node_that_has_become_a_disk() {
    insta::assert_snapshot!(not_identified(|data| {
        if let Data::In(buffer) = data {
            buffer[..8].copy_from_slice(&[0, 0, 5, 2, 31, 0, 0, 0]);
            buffer[8..36].copy_from_slice(b"QEMU    QEMU HARDDISK   2.5+");
        }
        Ok(Completion::default())
    }));
}

#[test]
fn a_drive_that_takes_no_command() {
    let told = [
        not_identified(|_| Err(TransportError::Vanished)),
        not_identified(|_| Err(TransportError::NotPermitted)),
    ];
    insta::assert_snapshot!(told.join("\n"));
}

/// The registers of a channel that cannot be reached.
struct OutOfReach;

impl RegisterAccess for OutOfReach {
    fn has_data(&self) -> bool {
        false
    }

    fn read_data(&mut self) -> Result<u16, TransportError> {
        Err(TransportError::NotPermitted)
    }

    fn read(&mut self, _register: Register) -> Result<u8, TransportError> {
        Err(TransportError::NotPermitted)
    }

    fn write(&mut self, _register: Register, _value: u8) -> Result<(), TransportError> {
        Err(TransportError::Io(io::Error::from_raw_os_error(
            nix::libc::EIO,
        )))
    }
}

#[test]
fn a_way_that_the_drive_does_not_have() {
    let by_port = typed("mtkflash 3 c --via port");
    let unreachable = Reach {
        registers: Some(Box::new(OutOfReach)),
        ..reached(None)
    };
    let told = [
        task_file(reached(None), Some(Via::Port), &by_port),
        task_file(unreachable, Some(Via::Port), &by_port),
        task_file(reached(None), None, &typed("mtkflash 3 c")),
    ]
    .map(|outcome| shown(&outcome.err().unwrap()));
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_packet_protocol_without_packets() {
    let family = Family::of(Protocol::Btc).unwrap();
    let failure = packet_drive(family, None, reached(None), &typed("mtkflash 3 c"))
        .err()
        .unwrap();
    insta::assert_snapshot!(shown(&failure));
}

#[test]
fn a_drive_that_is_not_left_as_it_was_found() {
    let errors = [
        TransportError::Vanished.into(),
        TaskFileError::Status {
            expected: 0x50,
            found: 0x70,
        },
    ];
    let told = errors.map(|source| {
        let error = DeviceError::TaskFile {
            doing: "leaving vendor mode",
            at: None,
            source,
        };
        [false, true].map(|advised| not_left(&error, advised))
    });
    insta::assert_snapshot!(told.concat().join("\n"));
}
