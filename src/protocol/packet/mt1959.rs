//! LG and ASUS Blu-ray drives with an MT1959.
//!
//! WRITE BUFFER mode 1 without data prepares, mode 6 sends 16 KiB at a time
//! with absolute offsets, and the drive programs when the last block is in.
//!
//! Sources: redumper, proven on the drives of its list, for the commands, the
//! blanked first 64 KiB and the drive's own 32 bytes at 3000. freemkv-flash,
//! which prepares and ends in another way that is not used here, for the place
//! of the calibration. redumper sends the calibration of the image; here the
//! drive keeps its own, the stricter of the two readings. **Never tried on
//! hardware by this project.**
//!
//! A BU40N image left a WH16NS60 dead until it was recovered (RibShark/OmniDrive,
//! issue 24): the boot banners of drive and image must be equal.

use std::collections::BTreeSet;

use super::families::{BANNER_LENGTH, BOOT_BANK, MT1959_BOOT_RECORD, MT1959_CALIBRATION};
use super::{PROGRAM_TIMEOUT, PacketError, Risk, command, memory, send_all, sending};
use crate::flash::{FlashRange, Offset};
use crate::protocol::DeviceError;
use crate::protocol::download::{Guard, PrepareError, Prepared, SendError};
use crate::scsi::cdb::{self, Buffer};
use crate::transport::{Data, PacketTransport};

const BANNER_BEGINS: &[u8] = b"MT1959 Boot ";

/// Checks the banners and puts together what the drive will get: the image with
/// the drive's own boot record and calibration in it.
///
/// `listed` is the banner that this model has by redumper's list.
pub(super) fn prepare(
    transport: &mut dyn PacketTransport,
    image: &[u8],
    block: u32,
    listed: Option<&[u8; BANNER_LENGTH]>,
    forced: &BTreeSet<Guard>,
) -> Result<Prepared, PrepareError> {
    let mut prepared = Prepared {
        content: image.to_vec(),
        notes: Vec::new(),
        overridden: Vec::new(),
    };
    let Some(record) = read_twice(transport, MT1959_BOOT_RECORD, block)? else {
        let range = MT1959_BOOT_RECORD;
        return Err(PrepareError::Device(DeviceError::OwnBytesHidden { range }));
    };
    let wrong = wrong_banners(&record, MT1959_BOOT_RECORD.of(image), listed);
    check(&mut prepared, Guard::Banner, wrong, forced)?;

    BOOT_BANK.of_mut(&mut prepared.content).fill(0xFF);
    put(&mut prepared.content, MT1959_BOOT_RECORD, &record);
    prepared.notes.push(format!(
        "The drive keeps its boot code: {BOOT_BANK} of the image is replaced by FF, with the 32 \
         bytes that the drive shows at {MT1959_BOOT_RECORD}, as redumper does it."
    ));
    if forced.contains(&Guard::Calibration) {
        prepared.overridden.push((
            Guard::Calibration,
            format!(
                "The drive gets the calibration of the image ({MT1959_CALIBRATION}), which \
                 replaces its own."
            ),
        ));
        return Ok(prepared);
    }
    match read_twice(transport, MT1959_CALIBRATION, block)? {
        Some(calibration) => {
            put(&mut prepared.content, MT1959_CALIBRATION, &calibration);
            prepared.notes.push(format!(
                "The drive keeps its calibration: {MT1959_CALIBRATION} of the image is replaced \
                 by what the drive holds there. freemkv-flash names this range, redumper would \
                 send the image's."
            ));
            Ok(prepared)
        }
        None => Err(PrepareError::Guarded {
            guard: Guard::Calibration,
            message: format!(
                "The drive does not let its calibration ({MT1959_CALIBRATION}) be read, so it \
                 cannot be kept: the image's would replace it."
            ),
        }),
    }
}

/// What is wrong with the boot banners, in whole sentences.
fn wrong_banners(
    drive: &[u8],
    image: &[u8],
    listed: Option<&[u8; BANNER_LENGTH]>,
) -> Option<String> {
    let banner = |record: &[u8]| record.get(..BANNER_LENGTH).map(<[u8]>::to_vec);
    let (drive, image) = (banner(drive)?, banner(image).unwrap_or_default());
    let mut wrong = Vec::new();
    if drive != image {
        wrong.push(format!(
            "The image is for drives with the boot banner {}, this drive's is {}: such an image \
             has left a drive dead.",
            show(&image),
            show(&drive)
        ));
    }
    match listed {
        Some(listed) if drive != listed => wrong.push(format!(
            "Drives of this model have the boot banner {}, this one's is {}.",
            show(listed),
            show(&drive)
        )),
        None if !drive.starts_with(BANNER_BEGINS) => wrong.push(format!(
            "The drive's boot banner, {}, is not that of an MT1959.",
            show(&drive)
        )),
        _ => {}
    }
    (!wrong.is_empty()).then(|| wrong.join(" "))
}

fn show(banner: &[u8]) -> String {
    if banner.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return format!("\"{}\"", String::from_utf8_lossy(banner).trim_end());
    }
    let bytes: Vec<String> = banner.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("no text ({})", bytes.join(" "))
}

fn check(
    prepared: &mut Prepared,
    guard: Guard,
    wrong: Option<String>,
    forced: &BTreeSet<Guard>,
) -> Result<(), PrepareError> {
    match wrong {
        None => Ok(()),
        Some(message) if forced.contains(&guard) => {
            prepared.overridden.push((guard, message));
            Ok(())
        }
        Some(message) => Err(PrepareError::Guarded { guard, message }),
    }
}

fn put(content: &mut [u8], range: FlashRange, bytes: &[u8]) {
    for (to, from) in range.of_mut(content).iter_mut().zip(bytes) {
        *to = *from;
    }
}

/// Reads a range twice; `None` where the drive refuses to have it read.
fn read_twice(
    transport: &mut dyn PacketTransport,
    range: FlashRange,
    block: u32,
) -> Result<Option<Vec<u8>>, DeviceError> {
    let mut passes = [(); 2].map(|()| vec![0; range.len() as usize]);
    for pass in &mut passes {
        let starts = (range.start..).step_by(block as usize);
        for (start, bytes) in starts.zip(pass.chunks_mut(block as usize)) {
            match memory::read(transport, start, bytes) {
                Ok(()) => {}
                Err(PacketError::Sense(sense)) if memory::is_refused(sense) => return Ok(None),
                Err(source) => {
                    return Err(DeviceError::Packet {
                        doing: "reading what the drive is to keep",
                        at: Some(Offset(start)),
                        source,
                    });
                }
            }
        }
    }
    let [first, second] = passes;
    if first != second {
        return Err(DeviceError::OwnBytesUnsteady { range });
    }
    Ok(Some(first))
}

/// Sends what was prepared; the drive programs with the last block.
pub(super) fn send(
    transport: &mut dyn PacketTransport,
    content: &[u8],
    block: u32,
    taken: &mut dyn FnMut(u32),
) -> Result<(), SendError> {
    let buffer = |mode, offset, length| {
        cdb::write_buffer(Buffer {
            mode,
            id: 0,
            offset,
            length,
        })
        .map_err(PacketError::from)
    };
    buffer(1, 0, 0)
        .and_then(|cdb| command(transport, &cdb, Data::None, PROGRAM_TIMEOUT))
        .map_err(sending("preparing the drive", None, Risk::None))?;
    let last = content.len().div_ceil(block as usize).saturating_sub(1);
    let starts = (0..).step_by(block as usize);
    for (number, (at, bytes)) in starts.zip(content.chunks(block as usize)).enumerate() {
        let risk = if number == last {
            Risk::Now
        } else {
            Risk::None
        };
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        buffer(6, at, length)
            .and_then(|cdb| send_all(transport, &cdb, bytes, PROGRAM_TIMEOUT))
            .map_err(sending("sending the image", Some(at), risk))?;
        taken(length);
    }
    Ok(())
}
