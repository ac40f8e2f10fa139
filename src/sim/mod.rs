//! Drives made of code, behind the same transports as the real ones.

pub mod clock;
pub mod counters;
mod drive;
pub mod faults;
pub mod firmware;
pub mod flash_memory;
pub mod memory;
pub mod parallel_flash;
pub mod random;
pub mod serial_flash;
mod state;
pub mod target;
mod vendor_mode;

pub use clock::SimClock;
pub use counters::Counters;
pub use drive::Latency;
pub use faults::Fault;
