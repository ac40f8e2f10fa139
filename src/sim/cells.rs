//! The memory cells of a simulated flash: what survives a loss of power.
//!
//! Chip models keep their command state to themselves and their contents here.
//! Programming only clears bits, erasing sets them, and both are carried
//! through to the state file byte by byte at once: a process that is killed
//! between two bytes leaves what a chip would hold.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::random::Random;
use crate::flash::FlashRange;

/// A way in which cells fail. Offsets beyond the flash never match.
#[derive(Debug, Clone, PartialEq)]
pub enum CellFault {
    /// Every read of a cell flips one of its bits with this probability.
    FlipRate { rate: f64, seed: u64 },
    /// The n-th read of this cell, counted from 1, comes back with these bits
    /// flipped.
    FlipAt { at: u32, read: u64, mask: u8 },
    /// The cell takes no program any more.
    Stuck { at: u32 },
    /// A program leaves these bits of the cell set, the given number of times.
    Partial { at: u32, keeps: u8, times: u64 },
    /// An erase leaves these bits of the cell cleared.
    WeakErase { at: u32, keeps: u8 },
}

/// The contents of a flash chip, with the faults of single cells.
#[derive(Debug, Default)]
pub struct Cells {
    bytes: Vec<u8>,
    file: Option<File>,
    faults: Vec<CellFaultState>,
    failure: Option<io::Error>,
    programmed: u64,
    erases: u64,
}

#[derive(Debug)]
struct CellFaultState {
    fault: CellFault,
    random: Random,
    count: u64,
}

impl Cells {
    /// Cells in memory only.
    pub fn new(bytes: Vec<u8>) -> Cells {
        Cells {
            bytes,
            ..Cells::default()
        }
    }

    /// Cells whose changes go to `file`, which holds `bytes` already.
    pub fn in_file(bytes: Vec<u8>, file: File) -> Cells {
        Cells {
            bytes,
            file: Some(file),
            ..Cells::default()
        }
    }

    /// Bytes in the flash.
    pub fn size(&self) -> u32 {
        u32::try_from(self.bytes.len()).unwrap_or(u32::MAX)
    }

    /// What the cells hold, past all read faults.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn add_fault(&mut self, fault: CellFault) {
        let seed = match fault {
            CellFault::FlipRate { seed, .. } => seed,
            _ => 0,
        };
        self.faults.push(CellFaultState {
            fault,
            random: Random::new(seed),
            count: 0,
        });
    }

    /// Bytes that a program was applied to since the start.
    pub fn programmed(&self) -> u64 {
        self.programmed
    }

    /// Erases since the start, of any range.
    pub fn erases(&self) -> u64 {
        self.erases
    }

    /// The first failure to carry a change through to the state file, once.
    #[inline]
    pub fn take_failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    /// Notes that the state of the drive could not be written down.
    pub fn fail(&mut self, error: io::Error) {
        self.failure.get_or_insert(error);
    }

    /// Reads a cell; FF beyond the flash.
    #[inline]
    pub fn read(&mut self, at: u32) -> u8 {
        let byte = self.bytes.get(at as usize).copied().unwrap_or(0xFF);
        if self.faults.is_empty() {
            byte
        } else {
            self.misread(at, byte)
        }
    }

    fn misread(&mut self, at: u32, mut byte: u8) -> u8 {
        for state in &mut self.faults {
            match state.fault {
                CellFault::FlipRate { rate, .. } => {
                    if state.random.chance(rate) {
                        byte ^= 1 << state.random.below(8);
                    }
                }
                CellFault::FlipAt {
                    at: place,
                    read,
                    mask,
                } if place == at => {
                    state.count += 1;
                    if state.count == read {
                        byte ^= mask;
                    }
                }
                _ => {}
            }
        }
        byte
    }

    /// Programs a cell: clears the bits that are 0 in `value`. Nothing beyond
    /// the flash.
    pub fn program(&mut self, at: u32, value: u8) {
        let Some(&held) = self.bytes.get(at as usize) else {
            return;
        };
        self.programmed += 1;
        let mut result = held & value;
        for state in &mut self.faults {
            match state.fault {
                CellFault::Stuck { at: place } if place == at => result = held,
                CellFault::Partial {
                    at: place,
                    keeps,
                    times,
                } if place == at && state.count < times => {
                    state.count += 1;
                    result |= held & keeps;
                }
                _ => {}
            }
        }
        self.store(at, result);
    }

    /// Sets all bits of the cells in `range`, as far as it lies in the flash.
    pub fn erase(&mut self, range: FlashRange) {
        self.erases += 1;
        let mut weak = Vec::new();
        for state in &self.faults {
            if let CellFault::WeakErase { at, keeps } = state.fault
                && range.start <= at
                && at < range.end
                && let Some(held) = self.bytes.get(at as usize)
            {
                weak.push((at, *held | !keeps));
            }
        }
        range.of_mut(&mut self.bytes).fill(0xFF);
        for (at, byte) in weak {
            if let Some(cell) = self.bytes.get_mut(at as usize) {
                *cell = byte;
            }
        }
        self.carry_through(range);
    }

    /// Replaces the contents from `at` on, as no chip command could.
    pub fn overwrite(&mut self, at: u32, bytes: &[u8]) {
        let range = FlashRange {
            start: at,
            end: at.saturating_add(u32::try_from(bytes.len()).unwrap_or(u32::MAX)),
        };
        let place = range.of_mut(&mut self.bytes);
        let taken = bytes.len().min(place.len());
        if let (Some(to), Some(from)) = (place.get_mut(..taken), bytes.get(..taken)) {
            to.copy_from_slice(from);
        }
        self.carry_through(range);
    }

    fn store(&mut self, at: u32, value: u8) {
        if let Some(cell) = self.bytes.get_mut(at as usize)
            && *cell != value
        {
            *cell = value;
            self.carry_through(FlashRange {
                start: at,
                end: at.saturating_add(1),
            });
        }
    }

    fn carry_through(&mut self, range: FlashRange) {
        if let Some(file) = &self.file
            && let Err(error) = file.write_all_at(range.of(&self.bytes), range.start.into())
        {
            self.failure.get_or_insert(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: u32, end: u32) -> FlashRange {
        FlashRange { start, end }
    }

    #[test]
    fn programming_only_clears_bits_and_erasing_only_sets_them() {
        let mut cells = Cells::new(vec![0xF0; 8]);
        cells.program(2, 0x3C);
        assert_eq!(cells.read(2), 0x30);
        cells.erase(range(2, 4));
        assert_eq!(
            cells.bytes(),
            [0xF0, 0xF0, 0xFF, 0xFF, 0xF0, 0xF0, 0xF0, 0xF0]
        );
        assert_eq!(cells.programmed(), 1);
    }

    #[test]
    fn every_change_is_in_the_file_at_once() {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(&[0xFF; 4], 0).unwrap();
        let mut cells = Cells::in_file(vec![0xFF; 4], file.try_clone().unwrap());
        let held = || {
            let mut bytes = [0; 4];
            file.read_exact_at(&mut bytes, 0).unwrap();
            bytes
        };
        cells.program(1, 0x12);
        assert_eq!(held(), [0xFF, 0x12, 0xFF, 0xFF]);
        cells.erase(range(0, 2));
        assert_eq!(held(), [0xFF; 4]);
        cells.overwrite(2, &[1, 2, 3]);
        assert_eq!(
            held(),
            [0xFF, 0xFF, 1, 2],
            "what lies beyond the end is cut"
        );
        assert!(cells.take_failure().is_none());
    }

    #[test]
    fn nothing_beyond_the_end_is_reached() {
        let mut cells = Cells::new(vec![0; 2]);
        cells.program(2, 0);
        cells.erase(range(1, u32::MAX));
        cells.overwrite(u32::MAX, &[1, 2]);
        assert_eq!(cells.read(u32::MAX), 0xFF);
        assert_eq!(cells.bytes(), [0, 0xFF]);
    }

    #[test]
    fn a_flip_comes_at_the_read_it_was_ordered_for_and_changes_no_cell() {
        let mut cells = Cells::new(vec![0x55; 4]);
        cells.add_fault(CellFault::FlipAt {
            at: 3,
            read: 2,
            mask: 0x80,
        });
        assert_eq!(
            [cells.read(3), cells.read(3), cells.read(3)],
            [0x55, 0xD5, 0x55]
        );
        assert_eq!(cells.bytes(), [0x55; 4]);
    }

    #[test]
    fn random_flips_are_the_same_in_every_run_with_their_seed() {
        let run = |seed| {
            let mut cells = Cells::new(vec![0; 1]);
            cells.add_fault(CellFault::FlipRate { rate: 0.1, seed });
            (0..1000).map(|_| cells.read(0)).collect::<Vec<_>>()
        };
        assert_eq!(run(4), run(4));
        assert_ne!(run(4), run(5));
        assert!((50..200).contains(&run(4).iter().filter(|byte| **byte != 0).count()));
    }

    #[test]
    fn faulty_cells_stay_as_they_are() {
        let mut cells = Cells::new(vec![0xFF; 4]);
        cells.add_fault(CellFault::Stuck { at: 0 });
        cells.add_fault(CellFault::Partial {
            at: 1,
            keeps: 0x0F,
            times: 1,
        });
        cells.add_fault(CellFault::WeakErase { at: 2, keeps: 0x01 });
        for at in 0..4 {
            cells.program(at, 0);
        }
        assert_eq!(cells.bytes(), [0xFF, 0x0F, 0, 0]);
        cells.program(1, 0);
        cells.erase(range(0, 4));
        assert_eq!(cells.bytes(), [0xFF, 0xFF, 0xFE, 0xFF]);
    }
}
