//! Drives made of code, behind the same transports as the real ones.
//!
//! A [`Bench`] is a TOML file of up to four positions; a [`SimDriveHandle`] is
//! one drive on it, with the seams by which a program reaches it and the
//! windows through which a test looks at it. Nothing here sleeps: each drive has
//! its own [`SimClock`].
//!
//! All drives have `drive.rs` in common: registers, identity, counters,
//! faults and power. A family of drives is a model behind that, a file of its
//! own: `vendor_mode`, and one for each protocol in `packet_drive`.

pub(crate) mod bench;
pub mod blu_ray;
mod channel;
pub(crate) mod clock;
pub(crate) mod counters;
mod drive;
pub(crate) mod faults;
mod fields;
pub(crate) mod firmware;
pub(crate) mod flash_memory;
pub(crate) mod memory;
mod packet;
mod packet_drive;
pub(crate) mod parallel_flash;
pub mod random;
mod reply;
pub(crate) mod serial_flash;
mod state;
pub mod target;
mod vendor_mode;

pub use bench::{Bench, BenchError, SimDriveHandle, Wrong};
pub use blu_ray::Board;
pub use clock::SimClock;
pub use counters::Counters;
pub use drive::Latency;
pub use faults::Fault;
pub use firmware::{Firmware, Names};
pub use packet::RegisterLayout;

#[cfg(test)]
mod tests;
