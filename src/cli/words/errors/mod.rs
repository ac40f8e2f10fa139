//! Errors of lower rooms, each in the words of a part of a sentence.

pub mod drive;
mod files;
mod image;
mod job;
mod protocol;
mod session;
mod transport;
