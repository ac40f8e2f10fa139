//! Reads, backs up, flashes and revives MediaTek-based optical drives.
//!
//! Dependencies run down this list only:
//! [`cli`] → [`session`] → [`drive`], [`protocol`], [`sim`] and [`cli`] → [`job`]
//! → [`image`], [`plan`], [`protocol`]; these → [`flash`], [`transport`] →
//! [`scsi`]; [`files`] is below all. [`sim`] implements the transport seams with
//! drives made of code and is known to [`session`] alone, as one of the machines
//! that a drive can be on.

pub mod cli;
pub mod drive;
pub mod files;
pub mod flash;
pub mod image;
pub mod job;
pub mod plan;
pub mod protocol;
pub mod scsi;
pub mod session;
pub mod sim;
pub mod transport;
