//! READ BUFFER mode 6, `3C 06 00 off24 len24 00`: the flash of MT1939 and
//! MT1959 drives (redumper, proven on the MT1959; freemkv-flash for both).

use super::protocol::{INVALID_FIELD, Step, three_bytes};
use crate::flash::{FlashRange, Offset};
use crate::sim::reply::READ_BUFFER;
use crate::sim::target::TargetData;

/// The kernel's limit for one transfer that reaches every drive.
const LARGEST_READ: u32 = 0x1_0000;

/// Answers READ BUFFER but for the `gaps`, which the drive keeps to itself.
pub(super) fn read(flash: &[u8], cdb: &[u8], data: &TargetData<'_>, gaps: &[FlashRange]) -> Step {
    let plain = matches!(cdb, [READ_BUFFER, 0x06, 0x00, _, _, _, _, _, _, rest @ ..]
        if !rest.is_empty() && rest.iter().all(|byte| *byte == 0));
    if !plain {
        return Step::refused(
            INVALID_FIELD,
            "READ BUFFER in a form that is not documented",
        );
    }
    let start = three_bytes(cdb, 3);
    let range = Offset(start).range(three_bytes(cdb, 6));
    if range.end() as usize > flash.len() || range.len() > LARGEST_READ {
        return Step::refused(INVALID_FIELD, "READ BUFFER beyond the flash or its limit");
    }
    match data {
        TargetData::In(room) if *room >= range.len() as usize => {}
        TargetData::None if range.is_empty() => {}
        _ => return Step::refused(INVALID_FIELD, "READ BUFFER with another length of transfer"),
    }
    if gaps.iter().any(|gap| gap.overlaps(range)) {
        return Step::Declined(INVALID_FIELD);
    }
    Step::Read(range)
}
