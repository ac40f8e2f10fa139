//! Reads, backs up, flashes and revives MediaTek-based optical drives.
//!
//! Dependencies run down this list only:
//! [`cli`] → [`job`] → [`image`], [`plan`], [`protocol`] → [`flash`], [`drive`]
//! → [`transport`] → [`scsi`]. [`sim`] implements the transport seams with
//! drives made of code and is known to [`cli`] alone.

pub mod cli;
pub mod drive;
pub mod flash;
pub mod image;
pub mod job;
pub mod plan;
pub mod protocol;
pub mod scsi;
pub mod sim;
pub mod transport;
