//! The memory of a simulated flash: what survives a loss of power.
//!
//! Chip models keep their command state to themselves and their contents here.
//! Every change is carried through to the state file at once: a process that is
//! killed between two bytes leaves what a chip would hold.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::faults::Fault;
use super::random::Random;
use crate::flash::{FlashRange, Offset};

/// The contents of a flash chip, with the faults of single cells.
#[derive(Debug, Default)]
pub struct Memory {
    bytes: Vec<u8>,
    file: Option<File>,
    /// Those of single cells. Offsets beyond the flash never match.
    faults: Vec<Fault>,
    failure: Option<io::Error>,
}

impl Memory {
    /// Contents that are gone with the process.
    pub fn new(bytes: Vec<u8>) -> Memory {
        Memory {
            bytes,
            ..Memory::default()
        }
    }

    /// Contents whose changes go to `file`, which holds `bytes` already.
    pub fn in_file(bytes: Vec<u8>, file: File) -> Memory {
        Memory {
            bytes,
            file: Some(file),
            ..Memory::default()
        }
    }

    /// Bytes in the flash.
    pub fn size(&self) -> u32 {
        u32::try_from(self.bytes.len()).unwrap_or(u32::MAX)
    }

    /// What the cells hold.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn add_fault(&mut self, fault: Fault) {
        self.faults.push(fault);
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

    /// Replaces the contents from `at` on, as far as they go, as no chip could.
    pub fn overwrite(&mut self, at: u32, bytes: &[u8]) {
        let range = Offset(at).range_of(bytes);
        for (to, from) in range.of_mut(&mut self.bytes).iter_mut().zip(bytes) {
            *to = *from;
        }
        self.carry_through(range);
    }

    /// Programs bytes from `at` on, as far as the flash goes, erasing first what
    /// was there. One change of the file, whatever the length.
    pub fn program(&mut self, at: u32, bytes: &[u8]) {
        let range = Offset(at).range_of(bytes);
        let mut bytes = bytes.to_vec();
        let faulty: Vec<u32> = self
            .faults
            .iter()
            .filter_map(|fault| match *fault {
                Fault::Stuck { at } | Fault::PartialProgram { at, .. } => Some(at),
                _ => None,
            })
            .filter(|place| range.contains(Offset(*place)))
            .collect();
        for place in faulty {
            if let Some(byte) = bytes.as_mut_slice().get_mut((place - at) as usize) {
                *byte = self.faulty(place, 0xFF, *byte);
            }
        }
        self.overwrite(at, &bytes);
    }

    /// What a fault makes of a program that leads from `held` to `value`.
    fn faulty(&mut self, at: u32, held: u8, mut value: u8) -> u8 {
        for fault in &mut self.faults {
            match fault {
                Fault::Stuck { at: place } if *place == at => value = held,
                Fault::PartialProgram {
                    at: place,
                    keeps,
                    times,
                } if *place == at && *times > 0 => {
                    *times -= 1;
                    value |= held & *keeps;
                }
                _ => {}
            }
        }
        value
    }

    fn carry_through(&mut self, range: FlashRange) {
        if let Some(file) = &self.file {
            if let Err(error) = file.write_all_at(range.of(&self.bytes), range.start().into()) {
                self.fail(error);
            }
        }
    }

    /// What a cell holds; FF beyond the flash.
    #[inline]
    pub fn get(&self, at: u32) -> u8 {
        self.bytes.get(at as usize).copied().unwrap_or(0xFF)
    }

    /// Programs a cell. It stores what it is told: that flash only clears bits is the
    /// business of the chip in front of it.
    pub fn set(&mut self, at: u32, value: u8) {
        let held = self.get(at);
        let value = if self.faults.is_empty() {
            value
        } else {
            self.faulty(at, held, value)
        };
        if value != held {
            if let Some(cell) = self.bytes.get_mut(at as usize) {
                *cell = value;
                self.carry_through(Offset(at).range(1));
            }
        }
    }

    /// Erases cells.
    pub fn fill_range(&mut self, range: FlashRange, value: u8) {
        let weak: Vec<(u32, u8)> = self
            .faults
            .iter()
            .filter_map(|fault| match *fault {
                Fault::WeakErase { at, keeps } if range.contains(Offset(at)) => {
                    Some((at, self.get(at) | !keeps))
                }
                _ => None,
            })
            .collect();
        range.of_mut(&mut self.bytes).fill(value);
        for (at, byte) in weak {
            if let Some(cell) = self.bytes.get_mut(at as usize) {
                *cell = byte;
            }
        }
        self.carry_through(range);
    }
}

/// The read faults of a drive and how far they have come.
#[derive(Debug, Default)]
pub(super) struct Misreads(Vec<(Fault, Random, u64)>);

impl Misreads {
    pub fn add(&mut self, fault: Fault) {
        let seed = match fault {
            Fault::FlipRate { seed, .. } => seed,
            _ => 0,
        };
        self.0.push((fault, Random::new(seed), 0));
    }

    /// The byte at `at` as it arrives.
    #[inline]
    pub fn apply(&mut self, at: u32, byte: u8) -> u8 {
        if self.0.is_empty() {
            byte
        } else {
            self.misread(at, byte)
        }
    }

    /// As [`Misreads::apply`], for bytes that are read in one go.
    pub fn apply_all(&mut self, start: u32, bytes: &mut [u8]) {
        if !self.0.is_empty() {
            for (at, byte) in (start..).zip(bytes) {
                *byte = self.misread(at, *byte);
            }
        }
    }

    fn misread(&mut self, at: u32, mut byte: u8) -> u8 {
        for (fault, random, count) in &mut self.0 {
            match *fault {
                Fault::FlipRate { rate, .. } if random.chance(rate) => {
                    byte ^= 1 << random.below(8);
                }
                Fault::Flip {
                    at: place,
                    read,
                    mask,
                } if place == at => {
                    *count += 1;
                    if *count == read {
                        byte ^= mask;
                    }
                }
                _ => {}
            }
        }
        byte
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: u32, end: u32) -> FlashRange {
        FlashRange::new(start, end)
    }

    #[test]
    fn every_change_is_in_the_file_at_once() {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(&[0xFF; 4], 0).unwrap();
        let mut memory = Memory::in_file(vec![0xFF; 4], file.try_clone().unwrap());
        let held = || {
            let mut bytes = [0; 4];
            file.read_exact_at(&mut bytes, 0).unwrap();
            bytes
        };
        memory.set(1, 0x12);
        assert_eq!(held(), [0xFF, 0x12, 0xFF, 0xFF]);
        memory.fill_range(range(0, 2), 0xFF);
        assert_eq!(held(), [0xFF; 4]);
        memory.overwrite(2, &[1, 2, 3]);
        assert_eq!(
            held(),
            [0xFF, 0xFF, 1, 2],
            "what lies beyond the end is cut"
        );
        assert!(memory.take_failure().is_none());
    }

    #[test]
    fn nothing_beyond_the_end_is_reached() {
        let mut memory = Memory::new(vec![0; 2]);
        memory.set(2, 0);
        memory.fill_range(range(1, u32::MAX), 0xFF);
        memory.overwrite(u32::MAX, &[1, 2]);
        assert_eq!(memory.get(u32::MAX), 0xFF);
        assert_eq!(memory.bytes(), [0, 0xFF]);
    }

    #[test]
    fn a_flip_comes_at_the_read_it_was_ordered_for() {
        let mut misreads = Misreads::default();
        misreads.add(Fault::Flip {
            at: 3,
            read: 2,
            mask: 0x80,
        });
        let mut read = |at| misreads.apply(at, 0x55);
        assert_eq!(
            [read(3), read(2), read(3), read(3)],
            [0x55, 0x55, 0xD5, 0x55]
        );
    }

    #[test]
    fn random_flips_are_the_same_in_every_run_with_their_seed() {
        let run = |seed| {
            let mut misreads = Misreads::default();
            misreads.add(Fault::FlipRate { rate: 0.1, seed });
            (0..1000).map(|_| misreads.apply(0, 0)).collect::<Vec<_>>()
        };
        assert_eq!(run(4), run(4));
        assert_ne!(run(4), run(5));
        assert!((50..200).contains(&run(4).iter().filter(|byte| **byte != 0).count()));
    }

    #[test]
    fn faulty_cells_stay_as_they_are() {
        let mut memory = Memory::new(vec![0xFF; 4]);
        memory.add_fault(Fault::Stuck { at: 0 });
        memory.add_fault(Fault::PartialProgram {
            at: 1,
            keeps: 0x0F,
            times: 1,
        });
        memory.add_fault(Fault::WeakErase { at: 2, keeps: 0x01 });
        for at in 0..4 {
            memory.set(at, 0);
        }
        assert_eq!(memory.bytes(), [0xFF, 0x0F, 0, 0]);
        memory.set(1, 0);
        assert_eq!(memory.bytes(), [0xFF, 0, 0, 0]);
        memory.fill_range(range(0, 4), 0xFF);
        assert_eq!(memory.bytes(), [0xFF, 0xFF, 0xFE, 0xFF]);
    }
}
