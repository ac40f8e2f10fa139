//! The dialogue with a Blu-ray drive that is sent its firmware.

use std::time::Duration;

use crate::flash::Offset;
use crate::image::{Wrapping, mt19xx};
use crate::protocol::download::{Effect, Progress, SendError};
use crate::protocol::packet::restart::Seen;
use crate::protocol::packet::{PROGRAM_TIMEOUT, PacketError, Risk, command, sending, write_buffer};
use crate::protocol::{DeviceError, Doing};
use crate::scsi::{Sense, SenseKey, cdb};
use crate::transport::{Data, PacketTransport};

/// How long a drive may take to program itself: redumper gives it 60 s,
/// mediatek-optical 120 s, since a vendor's updater waits 100 s for a command.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Into how many parts a drive divides its programming where it tells how far
/// it is.
const PARTS: u8 = 32;

/// Asks a drive once how it is. GOOD and *no medium* (2/3A) alone show one that
/// works, as redumper has it: whatever else is no fault leaves it open.
pub(crate) fn look(transport: &mut dyn PacketTransport) -> Seen {
    let asked = cdb::test_unit_ready();
    let error = match command(transport, &asked, Data::None, PROGRAM_TIMEOUT) {
        Ok(_) => return Seen::Ready,
        Err(error) => error,
    };
    let PacketError::Sense(sense) = &error else {
        return Seen::Silent(error);
    };
    let sense = *sense;
    match sense.key {
        _ if sense.is_no_medium() => Seen::Ready,
        SenseKey::NOT_READY if sense.asc == 0x04 => Seen::Busy(progress(sense), error),
        SenseKey::MEDIUM_ERROR | SenseKey::HARDWARE_ERROR | SenseKey::ABORTED_COMMAND => {
            Seen::Fault(sense)
        }
        _ => Seen::Silent(error),
    }
}

/// How far the drive is, by the second byte of the information field.
fn progress(sense: Sense) -> Option<Progress> {
    let [_, done, ..] = sense.information;
    (1..=PARTS).contains(&done).then_some(Progress {
        done: done.into(),
        of: PARTS.into(),
    })
}

/// Sends what was prepared; the drive programs with the last block, or says at
/// once that it has rejected it.
pub(crate) fn send(
    transport: &mut dyn PacketTransport,
    content: &[u8],
    encoding: Wrapping,
    block: u32,
    taken: &mut dyn FnMut(u32),
) -> Result<(), SendError> {
    let sent = match encoding {
        Wrapping::Plain => content.to_vec(),
        Wrapping::Aes => mt19xx::enciphered(content.to_vec()),
    };
    enter(transport).map_err(sending(Doing::Prepare, None, Risk::None))?;
    let last = sent.len().div_ceil(block as usize).saturating_sub(1);
    let starts = (0..).step_by(block as usize);
    for (number, (at, bytes)) in starts.zip(sent.chunks(block as usize)).enumerate() {
        let risk = match number == last {
            true => Risk::Now,
            false => Risk::None,
        };
        write_buffer(transport, 6, 0, at, bytes).map_err(sending(
            Doing::SendImage,
            Some(at),
            risk,
        ))?;
        taken(Offset::of(bytes.len()).0);
    }
    judge(transport)
}

/// What the first answer after the last block means. UNIT ATTENTION is none
/// that rejects: what was pending was told before the first block, so that the
/// drive has started anew since. What it runs then is compared with the image.
fn judge(transport: &mut dyn PacketTransport) -> Result<(), SendError> {
    match look(transport) {
        Seen::Ready => Err(SendError {
            source: DeviceError::Rejected,
            effect: Effect::Unchanged,
        }),
        Seen::Fault(sense) => Err(SendError {
            source: DeviceError::FlashFault { sense },
            effect: Effect::InDoubt,
        }),
        // Whoever awaits it looks again.
        Seen::Busy(..) | Seen::Silent(_) => Ok(()),
    }
}

/// Prepares the drive: by the newer command, or the older one where the drive
/// says that it does not know that. Byte 9 of both is 00, with which the boot
/// code is left alone.
fn enter(transport: &mut dyn PacketTransport) -> Result<(), PacketError> {
    match write_buffer(transport, 6, 0x67, 0, &[]) {
        Err(PacketError::Sense(sense)) if sense.is_refusal() && !sense.deferred => {
            write_buffer(transport, 1, 0, 0, &[])
        }
        answer => answer,
    }
}
