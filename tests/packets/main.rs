//! Drives that take firmware by packets: the binary as its users run it on the
//! benches, and the jobs with every single fault at every kind of command.

// A test that cannot go on has failed, helpers and all.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod blu_ray;
mod commands;
mod counts;
mod drives;
mod faults;
// Made for the tests of every other drive, which need more of it.
#[allow(dead_code)]
#[path = "../cli/folder.rs"]
mod folder;
mod jobs;
mod liteon;
mod on_bench;
mod own_driver;
mod recovery;
mod refusals;
