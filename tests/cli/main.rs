//! The binary as its users run it: argv in, two streams, files and an exit
//! code out. The drives are benches whose flash is kept beside the bench file,
//! so every test can ask the drive itself what was done to it.
//!
//! Texts are snapshots; dates are masked, paths are relative to a folder of the
//! test's own.

// A test that cannot go on has failed, helpers and all.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod advice;
mod backups;
mod bad_images;
mod bad_lines;
mod bank_files;
mod choose;
mod commands;
mod containers;
mod drives;
mod events;
mod examining;
mod faults;
mod folder;
mod help;
mod hostile;
mod house;
mod interruptions;
mod invariants;
mod json;
mod log;
mod parts;
mod places;
mod programs;
mod readme;
mod revive;
mod serial;
mod several;
mod successes;
mod texts;
mod unfinished;
mod ways;
mod writing;
