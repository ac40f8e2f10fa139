//! Numbers that are the same in every run.

use mtkflash::sim::random;

/// The numbers of the simulation. Of two seeds that follow each other the generator
/// itself gives one sequence, a number apart: here each seed has a stream of its own.
#[derive(Clone)]
pub struct Random(random::Random);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(random::Random::new(random::Random::new(seed).number()))
    }

    pub fn number(&mut self) -> u64 {
        self.0.number()
    }

    pub fn byte(&mut self) -> u8 {
        self.0.byte()
    }

    pub fn below(&mut self, limit: usize) -> usize {
        self.0.below(limit as u32) as usize
    }

    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}
