//! What the drives of all families say alike, and what of a command is looked at.

use super::drive::Core;
use super::target::Reply;

pub(super) const READ_BUFFER: u8 = 0x3C;

pub(super) const CHECK_CONDITION: u8 = 0x02;

pub(super) fn check_condition(key: u8, asc: u8, ascq: u8) -> Reply {
    let mut sense = vec![0x70, 0, key, 0, 0, 0, 0, 10];
    sense.resize(18, 0);
    sense[12] = asc;
    sense[13] = ascq;
    Reply {
        status: CHECK_CONDITION,
        sense,
        ..Reply::default()
    }
}

pub(super) fn good(mut data: Vec<u8>, room: usize) -> Reply {
    data.truncate(room);
    Reply {
        data_in: data,
        ..Reply::default()
    }
}

pub(super) fn byte(cdb: &[u8], at: usize) -> u8 {
    cdb.get(at).copied().unwrap_or(0)
}

/// Opcodes that a kernel sends by itself, or that do nothing to the firmware:
/// a drive may refuse them, and nobody has to answer for them.
pub(super) fn is_harmless(opcode: u8) -> bool {
    const WRITE_BUFFER: u8 = 0x3B;
    const FIRST_VENDOR_OPCODE: u8 = 0xC0;
    !matches!(opcode, WRITE_BUFFER | READ_BUFFER) && opcode < FIRST_VENDOR_OPCODE
}

/// Refuses a packet that no protocol of the drive has.
pub(super) fn undocumented(core: &mut Core, cdb: &[u8]) -> Reply {
    if !is_harmless(byte(cdb, 0)) {
        core.violation(format!("no command of this drive: {}", hex(cdb)));
    }
    check_condition(0x05, 0x20, 0x00)
}

pub(super) fn hex(cdb: &[u8]) -> String {
    let bytes: Vec<String> = cdb.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(" ")
}
