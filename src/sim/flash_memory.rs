//! What the simulated flash chips have in common: their memory, how long they
//! are busy and what they count.

use std::time::Duration;

use super::random::Random;
use crate::flash::FlashRange;

/// The memory of a simulated chip. It stores what it is told; that flash only
/// clears bits is the business of the chip in front of it. A memory that
/// disobeys is a chip with faults.
pub trait Cells: Send {
    /// The byte at `at`, below the size of the chip.
    fn get(&self, at: u32) -> u8;

    fn set(&mut self, at: u32, value: u8);

    fn put(&mut self, start: u32, values: &[u8]) {
        for (at, value) in (start..).zip(values) {
            self.set(at, *value);
        }
    }

    fn fill_range(&mut self, range: FlashRange, value: u8) {
        for at in range.start()..range.end() {
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

/// What a chip is at, and what its cells held before: the power can go meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Work {
    /// The cells from `start` on, and what they held.
    Erase { start: u32, before: Vec<u8> },
    /// The bytes to program are in the cells.
    Page { start: u32, before: Vec<u8> },
    /// The same, of one byte.
    Byte { at: u32, before: u8 },
    /// Nothing in the cells changes.
    Other,
}

impl Work {
    /// What the cells hold, from where on, when the power goes in the middle of it.
    ///
    /// An erase programs all cells to 00 first, one byte after the other (AMD's
    /// embedded algorithm), and then lets all of their bits rise. Programming takes
    /// one byte after the other.
    pub fn cut(self, cells: &impl Cells, random: &mut Random) -> Option<(u32, Vec<u8>)> {
        match self {
            Work::Erase { start, mut before } => {
                let length = u32::try_from(before.len()).unwrap_or(u32::MAX);
                if random.chance(0.5) {
                    let reached = random.below(length.saturating_add(1)) as usize;
                    before.iter_mut().take(reached).for_each(|cell| *cell = 0);
                } else {
                    let late = random.chance(0.5);
                    for cell in &mut before {
                        let more = if late { random.byte() } else { 0 };
                        *cell = random.byte() | more;
                    }
                }
                Some((start, before))
            }
            Work::Byte { at, before } => {
                let cell = cells.get(at) | before & random.byte();
                Some((at, vec![cell]))
            }
            Work::Page { start, before } => {
                let length = u32::try_from(before.len()).unwrap_or(u32::MAX);
                let reached = start.saturating_add(random.below(length));
                let cut = (start..).zip(before).map(|(at, before)| match at {
                    at if at < reached => cells.get(at),
                    at if at == reached => cells.get(at) | before & random.byte(),
                    _ => before,
                });
                Some((start, cut.collect()))
            }
            Work::Other => None,
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
