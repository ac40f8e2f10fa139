//! Jobs on simulated drives, through the seams: what they ask of a drive, and
//! what they say when something goes wrong.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bench;
mod counts;
mod faults;
mod idle;
mod interruptions;
mod small_window;
mod stops;
