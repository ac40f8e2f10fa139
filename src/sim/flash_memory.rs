//! What the simulated flash chips have in common: their memory, how long they
//! are busy and what they count.

use std::time::Duration;

use super::memory::Memory;
use super::random::Random;
use crate::flash::FlashRange;

// How long a chip is busy with what it does. Not those of a particular chip: they lie
// well below the waits of JungleFlasher 0.1.96 (100 ms for a sector, 3 s for a chip).

/// A byte on parallel chips, a page on serial ones.
pub(super) const PROGRAM_TIME: Duration = Duration::from_micros(20);
pub(super) const SECTOR_ERASE_TIME: Duration = Duration::from_millis(25);
pub(super) const CHIP_ERASE_TIME: Duration = Duration::from_millis(100);
/// Writing the status register of a serial chip.
pub(super) const WRITE_STATUS_TIME: Duration = Duration::from_millis(5);

/// The cells of a chip, what it is at and what it did.
#[derive(Debug)]
pub struct Array {
    pub cells: Memory,
    pub counts: Counts,
    busy: Option<(Duration, Work)>,
}

impl Array {
    pub fn new(cells: Memory) -> Array {
        Array {
            cells,
            counts: Counts::default(),
            busy: None,
        }
    }

    pub fn is_busy(&self) -> bool {
        self.busy.is_some()
    }

    /// Ends what is over by now, and says whether something is.
    pub(super) fn settle(&mut self, now: Duration) -> bool {
        self.busy.take_if(|(until, _)| now >= *until).is_some()
    }

    pub(super) fn begin(&mut self, time: Duration, now: Duration, work: Work) {
        self.busy = Some((now.saturating_add(time), work));
    }

    /// What the cells of a range hold.
    pub(super) fn held(&self, range: FlashRange) -> Vec<u8> {
        let addresses = range.start()..range.end();
        addresses.map(|at| self.cells.get(at)).collect()
    }

    pub(super) fn erase(&mut self, range: FlashRange, time: Duration, now: Duration) {
        let work = Work::Erase {
            start: range.start(),
            before: self.held(range),
        };
        self.cells.fill_range(range, 0xFF);
        self.begin(time, now, work);
    }

    /// What was being erased or programmed counts as done.
    pub(super) fn finish(&mut self) {
        self.busy = None;
    }

    /// The power goes now: what is being erased or programmed stays half done.
    pub fn lose_power(&mut self, now: Duration, random: &mut Random) {
        self.settle(now);
        let work = self.busy.take().map(|(_, work)| work);
        if let Some((start, cells)) = work.and_then(|work| work.cut(&self.cells, random)) {
            self.cells.overwrite(start, &cells);
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
    fn cut(self, cells: &Memory, random: &mut Random) -> Option<(u32, Vec<u8>)> {
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
