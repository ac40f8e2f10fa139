//! A drive in vendor mode whose flash was read by another way just before.
//!
//! Until the first change its bytes are those that were read then; from there on
//! they are read where they are changed. That both are the same is looked at
//! first, at the start of every bank: a way that was never confirmed is no ground
//! for a backup.

use super::packet::liteon::Implausible;
use super::{Capabilities, DeviceError, DeviceInfo, FirmwareDevice, Impossible, InPlace, Writer};
use crate::flash::{Bank, FlashRange, Offset};

/// Bytes at the start of each bank that are compared.
const COMPARED: u32 = 16;

/// The drive, and what was read of it.
pub struct ReadBefore {
    device: Box<dyn FirmwareDevice + Send>,
    info: DeviceInfo,
    /// `None` from the first change on.
    flash: Option<Vec<u8>>,
}

impl ReadBefore {
    /// `flash` is all that a drive holds, as it gave it `by` another protocol.
    ///
    /// # Errors
    /// [`Implausible`] where the flash has another size or holds other bytes; the
    /// drive is left then.
    pub fn new(
        mut device: Box<dyn FirmwareDevice + Send>,
        flash: Vec<u8>,
        by: &str,
    ) -> Result<ReadBefore, DeviceError> {
        if let Err(error) = compare(device.as_mut(), &flash) {
            // What is wrong is told already.
            let _ = device.leave();
            return Err(error);
        }
        let mut info = device.info().clone();
        info.protocol = format!("{}, read by {by}", info.protocol);
        Ok(ReadBefore {
            device,
            info,
            flash: Some(flash),
        })
    }

    fn in_place(&mut self) -> Result<&mut dyn InPlace, DeviceError> {
        match self.device.writer() {
            Some(Writer::InPlace(way)) => Ok(way),
            Some(Writer::Download(_)) | None => Err(Impossible::ChangingInPlace.into()),
        }
    }
}

fn compare(device: &mut dyn FirmwareDevice, flash: &[u8]) -> Result<(), DeviceError> {
    let size = device.capabilities().size;
    let given = u32::try_from(flash.len()).unwrap_or(u32::MAX);
    if given != size {
        return Err(Implausible::OtherSize { given, size }.into());
    }
    device.prove_idle()?;
    for bank in Bank::all(size) {
        let start = bank.range().start();
        let range = FlashRange::new(start, start.saturating_add(COMPARED).min(size));
        let mut found = vec![0; range.len() as usize];
        device.read(Offset(start), &mut found)?;
        if found != range.of(flash) {
            return Err(Implausible::OtherThanFlash { range }.into());
        }
    }
    device.prove_idle()
}

impl FirmwareDevice for ReadBefore {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn capabilities(&self) -> &Capabilities {
        self.device.capabilities()
    }

    fn read(&mut self, at: Offset, into: &mut [u8]) -> Result<(), DeviceError> {
        let Some(flash) = &self.flash else {
            return self.device.read(at, into);
        };
        let range = at.range_of(into);
        let size = self.capabilities().size;
        if range.end() > size {
            return Err(Impossible::OutOfRange { range, size }.into());
        }
        into.copy_from_slice(range.of(flash));
        Ok(())
    }

    fn prove_idle(&mut self) -> Result<(), DeviceError> {
        self.device.prove_idle()
    }

    fn writer(&mut self) -> Option<Writer<'_>> {
        match self.device.writer() {
            Some(Writer::InPlace(_)) => Some(Writer::InPlace(self)),
            Some(Writer::Download(_)) | None => None,
        }
    }

    fn leave(&mut self) -> Result<(), DeviceError> {
        self.device.leave()
    }
}

impl InPlace for ReadBefore {
    fn unprotect(&mut self) -> Result<(), DeviceError> {
        self.flash = None;
        self.in_place()?.unprotect()
    }

    fn erase(&mut self, range: FlashRange) -> Result<(), DeviceError> {
        self.flash = None;
        self.in_place()?.erase(range)
    }

    fn program(&mut self, at: Offset, bytes: &[u8]) -> Result<(), DeviceError> {
        self.flash = None;
        self.in_place()?.program(at, bytes)
    }
}
