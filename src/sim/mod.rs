//! Drives made of code, behind the same transports as the real ones.

pub mod cells;
pub mod clock;
pub mod random;
pub mod target;

pub use clock::SimClock;
