//! A drive in vendor mode as a firmware device.

use super::{ModeStatus, VendorMode};
use crate::flash::chip::{Bus, Chip};
use crate::flash::{FlashRange, Offset, PAGE_SIZE, table};
use crate::protocol::{
    Capabilities, DeviceError, DeviceInfo, FirmwareDevice, Impossible, InPlace, Reading, Route,
    Tried, Unreadable, Unwritable, Writer, Writing,
};
use crate::scsi::Identity;

/// The byte address space that the task file reaches: four address bits in the
/// Device register above sixteen others. Inferred.
const PARALLEL_REACH: u32 = 0x10_0000;

/// A drive in vendor mode whose flash chip has been identified.
pub struct VendorModeDrive {
    drive: VendorMode,
    chip: Chip,
    is_known: bool,
    info: DeviceInfo,
    capabilities: Capabilities,
    unprotected: bool,
}

impl VendorModeDrive {
    /// Identifies the flash chip of a drive in vendor mode.
    ///
    /// `identity` is what INQUIRY said before, if it said anything. `size` is
    /// needed to read a chip that is in no table, in bytes; a known chip has
    /// its own. An unknown chip without a size, and a chip that must not be
    /// written, are no errors: the capabilities say so. `route` is how `drive` is
    /// reached.
    ///
    /// # Errors
    /// Where the drive does not go along with the identification; it has then
    /// left the mode again.
    pub fn identify(
        mut drive: VendorMode,
        identity: Option<Identity>,
        size: Option<u32>,
        route: Route,
    ) -> Result<VendorModeDrive, DeviceError> {
        let unknown_size = size.unwrap_or(0);
        let (known, unknown, bus) = match drive.mode() {
            ModeStatus::Parallel => {
                let id = drive.identify_parallel()?;
                let unknown = Chip::unknown_parallel(id, unknown_size);
                (table::parallel(id), unknown, "parallel")
            }
            ModeStatus::SerialAt8800 | ModeStatus::SerialAt0000 => {
                let id = drive.identify_serial()?;
                let unknown = Chip::unknown_serial(id, unknown_size);
                (table::serial(id), unknown, "serial")
            }
        };
        let is_known = known.is_some();
        let chip = known.cloned().unwrap_or(unknown);
        let id = chip.id;
        let info = DeviceInfo {
            identity,
            protocol: format!(
                "vendor mode, {bus} flash (mode status {:02X})",
                drive.mode().status()
            ),
            route,
            flash: if is_known {
                chip.to_string()
            } else {
                format!("unknown chip ({id})")
            },
            chip: id.to_string(),
            tried: Some(Tried::Chip(chip.tried)),
            blu_ray: None,
        };
        Ok(VendorModeDrive {
            capabilities: Capabilities {
                time_per_byte: Some(drive.time_per_command()),
                ..capabilities(&chip, is_known, drive.mode())
            },
            drive,
            chip,
            is_known,
            info,
            unprotected: false,
        })
    }

    fn checked(&self, range: FlashRange) -> Result<(), DeviceError> {
        if range.end() <= self.capabilities.size {
            return Ok(());
        }
        let size = self.capabilities.size;
        Err(Impossible::OutOfRange { range, size }.into())
    }
}

fn capabilities(chip: &Chip, is_known: bool, mode: ModeStatus) -> Capabilities {
    let out_of_reach = matches!(chip.bus, Bus::Parallel(_)) && chip.size() > PARALLEL_REACH;
    let reading = if chip.size() == 0 {
        Reading::Impossible(Unreadable::UnknownSize { chip: chip.id })
    } else if out_of_reach {
        Reading::Impossible(Unreadable::OutOfReach {
            size: chip.size(),
            reach: PARALLEL_REACH,
        })
    } else {
        Reading::Blocks(PAGE_SIZE)
    };
    let writing = match (&reading, chip.read_only) {
        _ if !is_known => Writing::Impossible(Unwritable::UnknownChip { chip: chip.id }),
        (Reading::Impossible(why), _) => Writing::Impossible(Unwritable::Unreadable(*why)),
        (_, Some(why)) => Writing::Impossible(Unwritable::Chip(why)),
        // JungleFlasher erases sectors by this mailbox alone.
        (Reading::Blocks(_), None) if mode == ModeStatus::SerialAt8800 => {
            Writing::InPlace(chip.sector_layout())
        }
        (Reading::Blocks(_), None) => Writing::InPlace(chip.layout.clone()),
    };
    Capabilities {
        size: chip.size(),
        reading,
        windows: &[],
        writing,
        time_per_byte: None,
    }
}

impl FirmwareDevice for VendorModeDrive {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn read(&mut self, at: Offset, into: &mut [u8]) -> Result<(), DeviceError> {
        self.checked(at.range_of(into))?;
        match &self.chip.bus {
            Bus::Parallel(_) => self.drive.read_parallel(at, into),
            Bus::Serial(_) => self.drive.read_serial(at, into),
        }
    }

    fn prove_idle(&mut self) -> Result<(), DeviceError> {
        match &self.chip.bus {
            Bus::Parallel(_) => self.drive.prove_parallel_idle(self.chip.id, self.is_known),
            Bus::Serial(_) => self.drive.prove_serial_idle(self.chip.id),
        }
    }

    fn writer(&mut self) -> Option<Writer<'_>> {
        match self.capabilities.writing {
            Writing::InPlace(_) => Some(Writer::InPlace(self)),
            Writing::Download(_) | Writing::Impossible(_) => None,
        }
    }

    fn leave(&mut self) -> Result<(), DeviceError> {
        self.drive.leave()
    }
}

impl InPlace for VendorModeDrive {
    fn unprotect(&mut self) -> Result<(), DeviceError> {
        match &self.chip.bus {
            Bus::Serial(serial) if !self.unprotected => {
                self.drive.unprotect_serial(serial)?;
                self.unprotected = true;
                Ok(())
            }
            Bus::Serial(_) | Bus::Parallel(_) => Ok(()),
        }
    }

    fn erase(&mut self, range: FlashRange) -> Result<(), DeviceError> {
        let Writing::InPlace(layout) = &self.capabilities.writing else {
            return Err(Impossible::ChangingInPlace.into());
        };
        let whole = range.start() == 0 && range.end() == layout.size();
        if !whole && !layout.sectors.contains(&range) {
            return Err(Impossible::NoSector { range }.into());
        }
        match &self.chip.bus {
            Bus::Parallel(unlock) if whole => self.drive.erase_parallel_chip(*unlock, range),
            Bus::Parallel(unlock) => self.drive.erase_parallel_sector(*unlock, range),
            Bus::Serial(serial) => {
                let serial = serial.clone();
                self.unprotect()?;
                match whole {
                    true => self.drive.erase_serial(&serial),
                    false => self.drive.erase_serial_sector(range),
                }
            }
        }
    }

    fn program(&mut self, at: Offset, bytes: &[u8]) -> Result<(), DeviceError> {
        self.checked(at.range_of(bytes))?;
        if !matches!(self.capabilities.writing, Writing::InPlace(_)) {
            return Err(Impossible::ChangingInPlace.into());
        }
        match &self.chip.bus {
            Bus::Parallel(unlock) => self.drive.program_parallel(*unlock, at, bytes),
            Bus::Serial(_) => {
                self.unprotect()?;
                self.drive.program_serial(at, bytes)
            }
        }
    }
}
