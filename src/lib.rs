//! Reads, backs up, flashes and revives MediaTek-based optical drives.
//!
//! ```text
//! mtkflash 3 w /m bys1.bin
//!    |
//!   cli             arguments, questions, reports: all the words
//!    |-- session    from the name 3 to a drive that is held and ready
//!    |     |-- drive       Linux: positions, nodes, who else uses it
//!    |     `-- sim         or a drive made of code
//!    `-- job        back up, plan, write, read back
//!          |-- plan        which sectors differ
//!          `-- protocol    vendor mode, or the packets of a family
//!                |-- image       is it firmware, and for this drive?
//!                |     `-- flash       chips as data
//!                `-- transport   SG_IO, ATA PASS-THROUGH, I/O ports
//!                      `-- scsi        CDBs, sense data, INQUIRY
//! ```
//!
//! A module uses those that stand beside it here, which are all below it:
//!
//! | module | uses |
//! |---|---|
//! | [`cli`] | session, job, plan, drive, protocol, image, transport, flash, scsi, files |
//! | [`session`] | drive, sim, protocol, transport, scsi, files |
//! | [`job`] | plan, protocol, image, flash, scsi, files |
//! | [`drive`] | transport, scsi, files |
//! | [`sim`] | image, transport, flash, scsi, files |
//! | [`protocol`] | image, transport, flash, scsi |
//! | [`plan`] | flash |
//! | [`image`] | flash, scsi, files |
//! | [`transport`] | scsi |
//! | [`flash`], [`scsi`], [`files`] | none |
//!
//! [`sim`] implements the transport seams with drives made of code and is known to
//! [`session`] alone, as one of the machines that a drive can be on.
//!
//! What is known of each protocol, with its source, stands at the head of the module
//! that speaks it: [`protocol::vendor_mode`] and [`protocol::packet`]. None of it was
//! ever tried on a real drive.

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
