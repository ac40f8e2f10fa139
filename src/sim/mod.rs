//! Drives made of code, behind the same transports as the real ones.

pub mod flash_memory;
pub mod parallel_flash;
pub mod serial_flash;
pub mod target;
