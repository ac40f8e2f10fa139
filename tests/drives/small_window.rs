//! The beginning of a large flash as if it were the whole: a serial chip of
//! 256 KiB, read byte by byte three times, would take a test too long.

use mtkflash::flash::{EraseLayout, FlashRange, Offset};
use mtkflash::protocol::{
    Capabilities, DeviceError, DeviceInfo, FirmwareDevice, InPlace, Writer, Writing,
};

/// A device that shows the first bytes of a chip without sectors.
pub struct SmallWindow<D> {
    device: D,
    whole: FlashRange,
    capabilities: Capabilities,
}

impl<D: FirmwareDevice> SmallWindow<D> {
    pub fn new(device: D, size: u32) -> Self {
        let mut capabilities = device.capabilities().clone();
        let mut whole = FlashRange::default();
        // A chip that is not recognised, being busy, cannot be written.
        if let Writing::InPlace(layout) = &capabilities.writing {
            assert_eq!(
                layout.sectors.len(),
                1,
                "a window is for chips without sectors"
            );
            whole = layout.sectors[0];
            capabilities.writing = Writing::InPlace(EraseLayout::whole(size, layout.program_unit));
            capabilities.size = size;
        }
        SmallWindow {
            device,
            whole,
            capabilities,
        }
    }
}

impl<D: FirmwareDevice> FirmwareDevice for SmallWindow<D> {
    fn info(&self) -> &DeviceInfo {
        self.device.info()
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn read(&mut self, at: Offset, into: &mut [u8]) -> Result<(), DeviceError> {
        self.device.read(at, into)
    }

    fn prove_idle(&mut self) -> Result<(), DeviceError> {
        self.device.prove_idle()
    }

    fn writer(&mut self) -> Option<Writer<'_>> {
        Some(Writer::InPlace(self))
    }

    fn leave(&mut self) -> Result<(), DeviceError> {
        self.device.leave()
    }
}

impl<D: FirmwareDevice> InPlace for SmallWindow<D> {
    fn erase(&mut self, _: FlashRange) -> Result<(), DeviceError> {
        in_place(&mut self.device).erase(self.whole)
    }

    fn program(&mut self, at: Offset, bytes: &[u8]) -> Result<(), DeviceError> {
        in_place(&mut self.device).program(at, bytes)
    }
}

fn in_place(device: &mut impl FirmwareDevice) -> &mut dyn InPlace {
    match device.writer() {
        Some(Writer::InPlace(way)) => way,
        _ => panic!("a window is for chips that are changed in place"),
    }
}
