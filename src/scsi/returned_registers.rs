//! The ATA registers that an ATA PASS-THROUGH command with CK_COND=1 returns
//! in its sense data.
//!
//! Three layouts are about. The descriptor format (72, descriptor 09) is what
//! bridges send and what libata sends after a command without an error. Fixed
//! format (70) is what libata sends after an error, and a status of vendor mode
//! is one to libata, since it has the device fault bit set. There the registers
//! lie in one of two ways:
//!
//! | | error, status, device, count | LBA low, mid, high |
//! |---|---|---|
//! | SAT, and libata since Linux 6.11 | bytes 3–6, the information field | 9–11 |
//! | libata before, in the wrong place | bytes 8–11 | 17–19 |
//!
//! The kernel's version says nothing sure about it, since the correction went
//! into stable kernels too; the bytes do. The correction sets the VALID bit of
//! byte 0, which says that the information field is meant, and the libata before
//! it left that bit and the whole information field zero. ASC/ASCQ 00/1D, "ATA
//! information available", in fixed format comes from bridges that follow SAT.
//! (Linux, `drivers/ata/libata-scsi.c`; the old layout and the descriptor were
//! measured on Linux 6.1, the standard one was not.)

use super::sense::Sense;

/// Output registers of an ATA command, as far as vendor mode uses them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReturnedRegisters {
    pub error: u8,
    pub status: u8,
    pub device: u8,
    pub count: u8,
    pub lba_low: u8,
}

/// Sense data without the registers that were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{self:?}")]
pub enum ReturnedRegistersError {
    NoSense,
    /// Over usb-storage the first answer of a device is cut to 18 bytes, which
    /// takes the status register away.
    Truncated {
        length: usize,
    },
    OtherSense(Sense),
}

impl ReturnedRegisters {
    /// Finds the registers in sense data of any of the three layouts.
    ///
    /// # Errors
    /// [`ReturnedRegistersError`]: no sense, cut sense, or sense about something
    /// else. A value that is not there is never made up.
    pub fn from_sense(bytes: &[u8]) -> Result<ReturnedRegisters, ReturnedRegistersError> {
        let sense = Sense::parse(bytes).ok_or(ReturnedRegistersError::NoSense)?;
        let truncated = ReturnedRegistersError::Truncated {
            length: bytes.len(),
        };
        let other = ReturnedRegistersError::OtherSense(sense);
        if sense.deferred {
            return Err(other);
        }
        if bytes.first().is_some_and(|code| code & 0x7F == 0x72) {
            return match find_descriptor(bytes) {
                Some(descriptor) => in_descriptor(descriptor).ok_or(truncated),
                None if sense.is_registers_returned() => Err(truncated),
                None => Err(other),
            };
        }
        let registers = match is_standard(bytes, sense) {
            true => at(bytes, 3, 9),
            false => at(bytes, 8, 17),
        }
        .ok_or(truncated)?;
        if sense.is_registers_returned() || !registers.are_all_zero() {
            Ok(registers)
        } else {
            Err(other)
        }
    }

    /// Plain sense data (unit attention, unknown command) have zeros in all the
    /// places where registers would be. A drive's own do not: its Device
    /// register at least has been written before.
    fn are_all_zero(self) -> bool {
        [
            self.error,
            self.status,
            self.device,
            self.count,
            self.lba_low,
        ]
        .iter()
        .all(|&register| register == 0)
    }
}

impl Sense {
    /// ASC/ASCQ 00/1D: the command ended, and its registers are in the sense data.
    fn is_registers_returned(self) -> bool {
        (self.asc, self.ascq) == (0x00, 0x1D)
    }
}

/// Whether sense data of fixed format have the registers where the standard wants them,
/// and not where libata once put them.
fn is_standard(bytes: &[u8], sense: Sense) -> bool {
    let valid = bytes.first().is_some_and(|code| code & 0x80 != 0);
    let information_used = bytes.iter().take(7).skip(3).any(|&byte| byte != 0);
    valid || information_used || sense.is_registers_returned()
}

fn at(bytes: &[u8], first: usize, lba_low: usize) -> Option<ReturnedRegisters> {
    let &[error, status, device, count] = bytes.get(first..first + 4)? else {
        return None;
    };
    Some(ReturnedRegisters {
        error,
        status,
        device,
        count,
        lba_low: *bytes.get(lba_low)?,
    })
}

/// The ATA status return descriptor (type 09) and all that follows it. The
/// additional length in byte 7 is not asked: where usb-storage cuts the sense
/// data it adapts that byte, and where it does not, the bytes that came decide.
fn find_descriptor(bytes: &[u8]) -> Option<&[u8]> {
    const ATA_STATUS_RETURN: u8 = 0x09;
    let mut rest = bytes.get(8..)?;
    loop {
        match rest {
            [ATA_STATUS_RETURN, ..] => return Some(rest),
            [_, additional, ..] => rest = rest.get(2 + usize::from(*additional)..)?,
            _ => return None,
        }
    }
}

fn in_descriptor(descriptor: &[u8]) -> Option<ReturnedRegisters> {
    let register = |at: usize| descriptor.get(at).copied();
    Some(ReturnedRegisters {
        error: register(3)?,
        count: register(5)?,
        lba_low: register(7)?,
        device: register(12)?,
        status: register(13)?,
    })
}

#[cfg(test)]
mod tests;
