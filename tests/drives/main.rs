//! Jobs on simulated drives, through the seams: what they ask of a drive, and
//! what they say when something goes wrong.

mod bench;
mod counts;
mod faults;
mod interruptions;
mod small_window;
mod stops;
