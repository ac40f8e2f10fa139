//! Serial flash in vendor mode: a mailbox in the byte address space carries
//! SPI transactions. **Never tried on hardware by this project.**
//!
//! # A transaction
//! The bytes for the chip are written one by one from the mailbox on. Then Device=DEV,
//! Features, Count, LBA-low=0, LBA-mid, LBA-high, Command=04; and Device=DEV,
//! Command=05. The chip's answer is read one by one behind what was sent. Numbers are
//! hexadecimal.
//!
//! | mode status | mailbox | Features, Count: bytes sent | LBA-mid, LBA-high: bytes wanted |
//! |---|---|---|---|
//! | 72 | 8800 | low, high | low, high |
//! | 73 | 0000 | high, low | high, low |
//!
//! # Transactions
//! | deed | bytes sent | wanted | then |
//! |---|---|---|---|
//! | identify | 90 00 00 00 | 2: manufacturer, device | after 200 ms |
//! | read the status | 05 | 1, at address 0001 in both layouts | |
//! | enable writing | 06 | 0 | status until it is 02, 5 s at most |
//! | read a page | 03 bank page 00 | 100 | |
//! | program a page | 02 bank page 00 and 100 bytes | 0 | enabled before; status until it is 00, 5 s at most; once, never again |
//! | take the protection off | 06 (50 for an SST25VF020), then 01 00 | 0 | status until it is 00; bit 7 after 500 ms: held by the pin WP# |
//! | erase 4 KiB | 20 bank page 00 | 0 | enabled before; status until it is 00, 240 s at most |
//! | erase the chip | C7 (60 and 62 where the table says so) | 0 | the same |
//!
//! bank is A\[23:16\], page A\[15:8\].
//!
//! # Sources
//! All of it is the behaviour of JungleFlasher 0.1.96: identifying is proven there,
//! writing not known for each chip. It erases 4 KiB in the layout of 72 alone, at one
//! place of one kind of drive; which chips take 20 for that is flashrom's to say. It
//! polls without an end: the limits are this project's, but for the 500 ms.
//!
//! It identifies a drive of mode status 73 with its lengths written as (1, 0) and
//! (3, 0), against its own byte order; taken for its slip here. That only the low
//! address bits of the status byte are decoded is inferred from where it reads it.

use std::time::Duration;

use super::{ModeStatus, VendorMode, at, during};
use crate::flash::chip::{ChipId, Serial};
use crate::flash::{FlashRange, Offset, PAGE_SIZE};
use crate::protocol::{DeviceError, Doing, NotIdle};
use crate::transport::{Registers, TaskFileError};

const EXECUTE: u8 = 0x04;
const COLLECT: u8 = 0x05;

/// Where the answer to a one-byte status request is read, in both layouts.
const STATUS_BYTE: u32 = 0x0001;

const IDENTIFY: u8 = 0x90;
const READ_STATUS: u8 = 0x05;
const WRITE_ENABLE: u8 = 0x06;
const READ: u8 = 0x03;
const PROGRAM_PAGE: u8 = 0x02;
const WRITE_STATUS: u8 = 0x01;
const ERASE_SECTOR: u8 = 0x20;

/// Status of a chip that will take a program or erase.
const WRITE_ENABLED: u8 = 0x02;
/// Status of a chip that is idle and unprotected.
const IDLE: u8 = 0x00;
/// The bit of the status that is set while a chip is at work.
const BUSY: u8 = 0x01;
/// The bit that keeps the status from being written while WP# is held low.
const LOCKED: u8 = 0x80;

const IDENTIFY_PAUSE: Duration = Duration::from_millis(200);
/// What is read where no chip answers.
const NOBODY: [u8; 2] = [0xFF; 2];
const ID_ATTEMPTS: u32 = 50;
/// How often a chip may fail to show that it is idle: a misread answer is no busy
/// chip.
const PROOF_ATTEMPTS: u32 = 3;

/// How long a chip may stay busy. The limits are this project's own, well above
/// what a chip of the table takes; JungleFlasher polls without one.
const PROGRAM_LIMIT: Duration = Duration::from_secs(5);
/// JungleFlasher looks every 5 ms, and gives up after 500 ms.
const UNPROTECT_LIMIT: Duration = Duration::from_millis(500);
const UNPROTECT_POLL: Duration = Duration::from_millis(5);
const ERASE_LIMIT: Duration = Duration::from_secs(240);
const ERASE_POLL: Duration = Duration::from_millis(100);

impl VendorMode {
    fn mailbox(&self) -> u32 {
        match self.mode {
            ModeStatus::SerialAt8800 => 0x8800,
            ModeStatus::SerialAt0000 | ModeStatus::Parallel => 0x0000,
        }
    }

    /// One SPI transaction: sends `transmit` and makes the chip's `receive`
    /// bytes available behind it.
    fn transact(&mut self, transmit: &[u8], receive: u16) -> Result<(), TaskFileError> {
        let base = self.mailbox();
        for (address, byte) in (base..).zip(transmit) {
            self.write_byte(address, *byte)?;
        }
        let transmit = u16::try_from(transmit.len()).unwrap_or(u16::MAX);
        let ([features, count], [lba_mid, lba_high]) = match self.mode {
            ModeStatus::SerialAt0000 => (transmit.to_be_bytes(), receive.to_be_bytes()),
            _ => (transmit.to_le_bytes(), receive.to_le_bytes()),
        };
        let execute = Registers {
            features: Some(features),
            count: Some(count),
            lba_low: Some(0),
            lba_mid: Some(lba_mid),
            lba_high: Some(lba_high),
            device_bits: 0,
            command: EXECUTE,
        };
        self.execute(&execute, false)?;
        let collect = Registers {
            command: COLLECT,
            ..Registers::default()
        };
        self.execute(&collect, false).map(drop)
    }

    fn received(&mut self, transmitted: u32, into: &mut [u8]) -> Result<(), TaskFileError> {
        let start = self.mailbox() + transmitted;
        for (address, byte) in (start..).zip(into) {
            *byte = self.read_byte(address)?;
        }
        Ok(())
    }

    fn chip_status(&mut self) -> Result<u8, TaskFileError> {
        self.transact(&[READ_STATUS], 1)?;
        self.read_byte(STATUS_BYTE)
    }

    fn await_status(
        &mut self,
        doing: Doing,
        expected: u8,
        limit: Duration,
        poll: Duration,
    ) -> Result<(), DeviceError> {
        let deadline = self.clock.now().saturating_add(limit);
        loop {
            let found = self.chip_status().map_err(during(doing))?;
            if found == expected {
                return Ok(());
            }
            if self.clock.now() >= deadline {
                return Err(DeviceError::ChipBusy {
                    doing,
                    expected,
                    found,
                });
            }
            // A status request takes time of its own; the pause keeps a fast
            // way to the drive from asking a million times.
            self.clock.sleep(poll.max(Duration::from_micros(100)));
        }
    }

    /// Asks the chip for its ID until it gives the same one twice in a row: one
    /// misread bit can be the ID of another chip. A chip that an interrupted run
    /// left erasing does not answer, which reads as FF: it is asked again for
    /// some seconds.
    pub(super) fn identify_serial(&mut self) -> Result<ChipId, DeviceError> {
        let mut last = None;
        for _ in 0..ID_ATTEMPTS {
            let id = self.serial_id().map_err(during(Doing::Identify))?;
            if last == Some(id) && id != NOBODY {
                let [manufacturer, device] = id;
                return Ok(ChipId::new(manufacturer, device));
            }
            last = Some(id);
        }
        match last {
            Some(NOBODY) => Ok(ChipId::new(0xFF, 0xFF)),
            _ => Err(DeviceError::UnsteadyId),
        }
    }

    fn serial_id(&mut self) -> Result<[u8; 2], TaskFileError> {
        let request = [IDENTIFY, 0, 0, 0];
        self.transact(&request, 2)?;
        self.clock.sleep(IDENTIFY_PAUSE);
        let mut id = [0; 2];
        self.received(request.len() as u32, &mut id)?;
        Ok(id)
    }

    /// Shows that the chip is idle: its status says so, and it gives its ID, which
    /// a chip that is busy or not there does not.
    ///
    /// Bit 0 of the status is set while the chip is at work (flashrom's
    /// `SPI_SR_WIP`). A chip that never gave an ID is taken at its status.
    pub(super) fn prove_serial_idle(&mut self, expected: ChipId) -> Result<(), DeviceError> {
        let doing = Doing::ProveIdle;
        let mut why = None;
        for _ in 0..PROOF_ATTEMPTS {
            let status = self.chip_status().map_err(during(doing))?;
            why = if status & BUSY != 0 {
                Some(NotIdle::Busy { status })
            } else {
                let [manufacturer, device] = self.serial_id().map_err(during(doing))?;
                let found = ChipId::new(manufacturer, device);
                (found != expected).then_some(NotIdle::OtherId { expected, found })
            };
            if why.is_none() {
                break;
            }
        }
        why.map_or(Ok(()), |why| Err(DeviceError::NotIdle(why)))
    }

    /// Reads page by page; `start` and the length are multiples of a page.
    pub(super) fn read_serial(
        &mut self,
        start: Offset,
        into: &mut [u8],
    ) -> Result<(), DeviceError> {
        let pages = (start.0..).step_by(PAGE_SIZE as usize);
        for (address, page) in pages.zip(into.chunks_mut(PAGE_SIZE as usize)) {
            let request = page_request(READ, address);
            self.transact(&request, PAGE_SIZE as u16)
                .and_then(|()| self.received(request.len() as u32, page))
                .map_err(at(Doing::ReadFlash, address))?;
        }
        Ok(())
    }

    /// Takes the write protection off, as JungleFlasher does before it changes
    /// a chip: the status register is written with 00 and must then read 00. A
    /// chip that still has its protection locked after JungleFlasher's 500 ms is
    /// held by its WP# pin.
    ///
    /// # Errors
    /// [`DeviceError::WriteProtected`] there.
    pub(super) fn unprotect_serial(&mut self, chip: &Serial) -> Result<(), DeviceError> {
        let doing = Doing::Unprotect;
        self.transact(&[chip.status_write_enable], 0)
            .and_then(|()| self.transact(&[WRITE_STATUS, 0x00], 0))
            .map_err(during(doing))?;
        let locked = self.await_status(doing, IDLE, UNPROTECT_LIMIT, UNPROTECT_POLL);
        match locked {
            Err(DeviceError::ChipBusy { found: status, .. })
                if status & (BUSY | LOCKED) == LOCKED =>
            {
                Err(DeviceError::WriteProtected { status })
            }
            Err(DeviceError::ChipBusy { .. }) => {
                self.await_status(doing, IDLE, PROGRAM_LIMIT, Duration::ZERO)
            }
            answer => answer,
        }
    }

    fn write_enable(&mut self) -> Result<(), DeviceError> {
        let doing = Doing::EnableWrites;
        self.transact(&[WRITE_ENABLE], 0).map_err(during(doing))?;
        self.await_status(doing, WRITE_ENABLED, PROGRAM_LIMIT, Duration::ZERO)
    }

    /// Programs whole pages. A page program is sent once and never repeated.
    pub(super) fn program_serial(
        &mut self,
        start: Offset,
        bytes: &[u8],
    ) -> Result<(), DeviceError> {
        let doing = Doing::Program;
        let pages = (start.0..).step_by(PAGE_SIZE as usize);
        for (address, page) in pages.zip(bytes.chunks(PAGE_SIZE as usize)) {
            self.write_enable()?;
            let mut request = page_request(PROGRAM_PAGE, address).to_vec();
            request.extend_from_slice(page);
            self.transact(&request, 0).map_err(at(doing, address))?;
            self.await_status(doing, IDLE, PROGRAM_LIMIT, Duration::ZERO)?;
        }
        Ok(())
    }

    /// Erases 4 KiB by opcode 20. JungleFlasher does so at one place of one kind
    /// of drive; which chips take it is flashrom's to say.
    pub(super) fn erase_serial_sector(&mut self, sector: FlashRange) -> Result<(), DeviceError> {
        let doing = Doing::EraseSector;
        self.write_enable()?;
        self.transact(&page_request(ERASE_SECTOR, sector.start()), 0)
            .map_err(at(doing, sector.start()))?;
        self.await_status(doing, IDLE, ERASE_LIMIT, ERASE_POLL)
    }

    pub(super) fn erase_serial(&mut self, chip: &Serial) -> Result<(), DeviceError> {
        let doing = Doing::EraseChip;
        self.write_enable()?;
        self.transact(&[chip.chip_erase], 0)
            .map_err(during(doing))?;
        self.await_status(doing, IDLE, ERASE_LIMIT, ERASE_POLL)
    }
}

/// Opcode, bank, page and a zero: the address of a page as the chip takes it.
fn page_request(opcode: u8, address: u32) -> [u8; 4] {
    let [_, bank, page, _] = address.to_be_bytes();
    [opcode, bank, page, 0]
}
