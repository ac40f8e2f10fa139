//! The drive as Linux knows it.

pub mod inquire;
