//! What people read about the facts of a lower room: a file for each, and in it
//! pure functions from a fact to a text.

pub mod blu_ray;
pub mod damage;
pub mod device;
pub mod entry;
pub mod files;
pub mod image;
pub mod job;
pub mod journal;
pub mod session;
pub mod usage;
pub mod verdict;
