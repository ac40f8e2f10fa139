//! Parallel flash in vendor mode: JEDEC command sequences by byte writes.
//! **Never tried on hardware by this project.**
//!
//! U1 and U2 are the unlock addresses, 5555 and 2AAA where the chip table has no
//! others; numbers are hexadecimal. AA to U1 and 55 to U2 go before every code.
//!
//! | deed | bytes written | then | source, sure |
//! |---|---|---|---|
//! | identify | AA→U1, 55→U2, 90→U1 | read 0: manufacturer, 1: device; AA, 55, F0→U1 | JungleFlasher, proven |
//! | the ID goes on | | where one reads 7F: read 100 and 101 | flashrom's `jedec.c`; in this mode inferred |
//! | program a byte | AA→U1, 55→U2, A0→U1, the byte→its address | read it back 3 times at most, then program again, 16 times at most | JungleFlasher, proven |
//! | erase a sector | AA→U1, 55→U2, 80→U1, AA→U1, 55→U2, 30→the sector | 100 ms, then read its first and last byte until both are FF, 120 s at most | JungleFlasher waits 100 ms, proven; the reading and its limit are this project's |
//! | erase the chip | the same with 10→U1 | 3 s, then as above | JungleFlasher, proven |
//! | end what was begun | FF→0 | a half-sent program command takes it as its byte, which changes nothing | inferred |
//!
//! Proven for the SST39SF020. For other byte-program parts the same sequences with the
//! unlock addresses of the chip table are inferred. Parts that are programmed by pages
//! need a step with a time limit that is documented nowhere for this mode: they are
//! identified and read, and not written.

use std::time::Duration;

use super::{ModeStatus, VendorMode, at, during};
use crate::flash::chip::{
    CONTINUATION, ChipId, DEVICE_CONTINUED, DOCUMENTED_UNLOCK, MANUFACTURER_CONTINUED, Unlock,
};
use crate::flash::{FlashRange, Offset};
use crate::protocol::{DeviceError, Doing, NotIdle};
use crate::transport::TaskFileError;

/// JungleFlasher re-reads a programmed byte this often before it programs it again.
const READS_PER_ATTEMPT: u32 = 3;
/// JungleFlasher gives up on a byte after this many attempts to program it.
const PROGRAM_ATTEMPTS: u32 = 16;

/// How often and how far apart a chip is asked for its ID until it gives the
/// same one twice. Long enough for the erase of an SST39SF020, which
/// JungleFlasher gives 3 s.
const ID_ATTEMPTS: u32 = 16;
const ID_PAUSE: Duration = Duration::from_millis(250);
/// How often a chip may fail to show that it is idle.
const PROOF_ATTEMPTS: u32 = 16;
/// JungleFlasher waits this long for a 4 KiB sector of SST39SF020.
const SECTOR_ERASE_PAUSE: Duration = Duration::from_millis(100);
/// JungleFlasher waits this long for a whole SST39SF020.
const CHIP_ERASE_PAUSE: Duration = Duration::from_secs(3);
/// Older parts take longer than the SST39SF020 that the pauses come from. The
/// limit is this project's own: no part of the chip table needs a minute a sector.
const ERASE_LIMIT: Duration = Duration::from_secs(120);
const ERASE_POLL: Duration = Duration::from_millis(50);

impl VendorMode {
    fn command(&mut self, unlock: Unlock, codes: &[u8]) -> Result<(), TaskFileError> {
        for code in codes {
            self.write_byte(unlock.0, 0xAA)?;
            self.write_byte(unlock.1, 0x55)?;
            self.write_byte(unlock.0, *code)?;
        }
        Ok(())
    }

    /// Asks the chip for its ID, with the unlock addresses that are documented
    /// for vendor mode, and returns it to reading.
    ///
    /// The whole sequence is gone through until two in a row give the same ID:
    /// one misread bit can be the ID of another chip, a chip that a killed run
    /// left in the middle of a sequence takes the first one for its end, and one
    /// that it left erasing shows a status that toggles with every read.
    ///
    /// Nothing is written to bring the chip to its senses first: a bare write
    /// would be the start of a page write on a part of that kind whose data
    /// protection is off.
    pub(super) fn identify_parallel(&mut self) -> Result<ChipId, DeviceError> {
        let mut last = None;
        for _ in 0..ID_ATTEMPTS {
            let id = self.parallel_id().map_err(during(Doing::Identify))?;
            if last == Some(id) {
                return Ok(id);
            }
            if last.is_some() {
                self.clock.sleep(ID_PAUSE);
            }
            last = Some(id);
        }
        Err(DeviceError::UnsteadyId)
    }

    /// Gives a chip that may have been left between the program command, A0, and its
    /// byte the byte that changes nothing: FF clears no bit. Without it the chip takes
    /// the first byte of the next command for its own, AA, and programs that.
    ///
    /// To be called first after entering, and only where the chip is known to be one
    /// that takes byte programs: for a page-write part a bare write would be the
    /// start of a page. A chip that reads its memory ignores FF, and so does one in
    /// the middle of another sequence, which ends it (JEDEC command set).
    ///
    /// # Errors
    /// As the drive answers.
    pub fn end_byte_program(&mut self) -> Result<(), DeviceError> {
        if self.mode != ModeStatus::Parallel {
            return Ok(());
        }
        self.write_byte(0, 0xFF).map_err(during(Doing::EndBegun))
    }

    fn parallel_id(&mut self) -> Result<ChipId, TaskFileError> {
        let id = self
            .command(DOCUMENTED_UNLOCK, &[0x90])
            .and_then(|()| self.read_parallel_id());
        // On every way out: firmware does not run from a chip that shows its ID.
        let back = self.command(DOCUMENTED_UNLOCK, &[0xF0]);
        let id = id?;
        back.map(|()| id)
    }

    /// What stands where a chip shows its ID: the ID, or the memory's first bytes.
    fn read_parallel_id(&mut self) -> Result<ChipId, TaskFileError> {
        Ok(ChipId {
            manufacturer: self.read_code(0, MANUFACTURER_CONTINUED)?,
            device: self.read_code(1, DEVICE_CONTINUED)?,
        })
    }

    fn read_code(&mut self, address: u32, continued: u32) -> Result<u16, TaskFileError> {
        let first = self.read_byte(address)?;
        if first != CONTINUATION {
            return Ok(first.into());
        }
        let second = self.read_byte(continued)?;
        Ok(u16::from_be_bytes([first, second]))
    }

    /// Shows that the chip is idle: asked for its ID it gives the one it gave
    /// before, and its memory is there again afterwards. A chip that is erasing or
    /// programming takes no command and toggles bit 6 of what it shows (JEDEC).
    ///
    /// A chip of no table need not understand the ID command: of that one only
    /// steady answers are asked.
    ///
    /// One such round is enough, and one that fails is repeated at once: a misread
    /// byte is no busy chip.
    pub(super) fn prove_parallel_idle(
        &mut self,
        expected: ChipId,
        is_known: bool,
    ) -> Result<(), DeviceError> {
        let mut why = NotIdle::Unsteady;
        for _ in 0..PROOF_ATTEMPTS {
            match self
                .parallel_round(expected, is_known)
                .map_err(during(Doing::ProveIdle))?
            {
                None => return Ok(()),
                Some(reason) => why = reason,
            }
        }
        Err(DeviceError::NotIdle(why))
    }

    fn parallel_round(
        &mut self,
        expected: ChipId,
        is_known: bool,
    ) -> Result<Option<NotIdle>, TaskFileError> {
        let before = self.read_parallel_id()?;
        let found = self.parallel_id()?;
        let after = self.read_parallel_id()?;
        Ok(if found != expected {
            Some(NotIdle::OtherId { expected, found })
        } else if before != after {
            Some(NotIdle::Unsteady)
        } else if is_known && before == found {
            Some(NotIdle::SameAsId { id: found })
        } else {
            None
        })
    }

    pub(super) fn read_parallel(
        &mut self,
        start: Offset,
        into: &mut [u8],
    ) -> Result<(), DeviceError> {
        for (address, byte) in (start.0..).zip(into) {
            *byte = self
                .read_byte(address)
                .map_err(at(Doing::ReadFlash, address))?;
        }
        Ok(())
    }

    /// Programs one byte after the other. Programming a byte again is part of
    /// the documented procedure, so a byte that reads differently is repeated.
    pub(super) fn program_parallel(
        &mut self,
        unlock: Unlock,
        start: Offset,
        bytes: &[u8],
    ) -> Result<(), DeviceError> {
        for (address, &byte) in (start.0..).zip(bytes) {
            self.program_byte(unlock, address, byte)?;
        }
        Ok(())
    }

    fn program_byte(&mut self, unlock: Unlock, address: u32, byte: u8) -> Result<(), DeviceError> {
        let doing = Doing::Program;
        let mut found = byte;
        for _ in 0..PROGRAM_ATTEMPTS {
            self.command(unlock, &[0xA0]).map_err(at(doing, address))?;
            self.write_byte(address, byte).map_err(at(doing, address))?;
            for _ in 0..READS_PER_ATTEMPT {
                found = self.read_byte(address).map_err(at(doing, address))?;
                if found == byte {
                    return Ok(());
                }
            }
        }
        Err(DeviceError::NotProgrammed {
            at: Offset(address),
            expected: byte,
            found,
            attempts: PROGRAM_ATTEMPTS,
        })
    }

    pub(super) fn erase_parallel_sector(
        &mut self,
        unlock: Unlock,
        sector: FlashRange,
    ) -> Result<(), DeviceError> {
        let map = |error| at(Doing::EraseSector, sector.start())(error);
        self.command(unlock, &[0x80]).map_err(map)?;
        self.write_byte(unlock.0, 0xAA).map_err(map)?;
        self.write_byte(unlock.1, 0x55).map_err(map)?;
        self.write_byte(sector.start(), 0x30).map_err(map)?;
        self.await_erased(sector, SECTOR_ERASE_PAUSE)
    }

    pub(super) fn erase_parallel_chip(
        &mut self,
        unlock: Unlock,
        chip: FlashRange,
    ) -> Result<(), DeviceError> {
        self.command(unlock, &[0x80, 0x10])
            .map_err(at(Doing::EraseChip, chip.start()))?;
        self.await_erased(chip, CHIP_ERASE_PAUSE)
    }

    /// Waits for the first and last byte to read FF: while a JEDEC part erases,
    /// reading it gives its status, in which bit 7 is 0.
    fn await_erased(&mut self, range: FlashRange, pause: Duration) -> Result<(), DeviceError> {
        self.clock.sleep(pause);
        let deadline = self.clock.now().saturating_add(ERASE_LIMIT);
        let last = range.end().saturating_sub(1);
        for address in [range.start(), last] {
            loop {
                let found = self
                    .read_byte(address)
                    .map_err(at(Doing::AwaitErase, address))?;
                if found == 0xFF {
                    break;
                }
                if self.clock.now() >= deadline {
                    return Err(DeviceError::NotErased {
                        at: Offset(address),
                        found,
                    });
                }
                self.clock.sleep(ERASE_POLL);
            }
        }
        Ok(())
    }
}
