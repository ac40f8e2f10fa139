//! What the simulated flash chips have in common: their memory, how long they
//! are busy and what they count.

use std::time::Duration;

use crate::flash::FlashRange;

/// The memory of a simulated chip. It stores what it is told; that flash only
/// clears bits is the business of the chip in front of it. A memory that
/// disobeys is a chip with faults.
pub trait Cells: Send {
    /// The byte at `at`, below the size of the chip.
    fn get(&self, at: u32) -> u8;

    fn set(&mut self, at: u32, value: u8);

    fn fill_range(&mut self, range: FlashRange, value: u8) {
        for at in range.start..range.end {
            self.set(at, value);
        }
    }
}

/// What the vector does not reach reads as FF and stores nothing.
impl Cells for Vec<u8> {
    fn get(&self, at: u32) -> u8 {
        self.as_slice().get(at as usize).copied().unwrap_or(0xFF)
    }

    fn set(&mut self, at: u32, value: u8) {
        if let Some(cell) = self.get_mut(at as usize) {
            *cell = value;
        }
    }

    fn fill_range(&mut self, range: FlashRange, value: u8) {
        range.of_mut(self).fill(value);
    }
}

/// How long a chip is busy with what it does. [`Duration::MAX`] is a chip that
/// never finishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// A byte on parallel chips, a page on serial ones.
    pub program: Duration,
    pub sector_erase: Duration,
    pub chip_erase: Duration,
    /// Writing the status register of a serial chip.
    pub write_status: Duration,
}

impl Times {
    /// A chip that is never busy.
    pub const NONE: Times = Times {
        program: Duration::ZERO,
        sector_erase: Duration::ZERO,
        chip_erase: Duration::ZERO,
        write_status: Duration::ZERO,
    };
}

impl Default for Times {
    /// Not those of a particular chip: they lie well below the waits of
    /// JungleFlasher 0.1.96 (100 ms for a sector, 3 s for a chip).
    fn default() -> Self {
        Times {
            program: Duration::from_micros(20),
            sector_erase: Duration::from_millis(25),
            chip_erase: Duration::from_millis(100),
            write_status: Duration::from_millis(5),
        }
    }
}

/// What a chip did since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Reads of memory: bytes on parallel chips, read commands on serial ones.
    /// Reads of an ID or a status are none.
    pub reads: u64,
    /// Bytes on parallel chips, pages on serial ones.
    pub programs: u64,
    pub sector_erases: u64,
    pub chip_erases: u64,
    /// Writes that belong to no sequence, or commands that the chip does not
    /// know or refuses now: a correct host causes none.
    pub ignored: u64,
}
