//! Drives made of code, behind the same transports as the real ones.

pub mod target;
