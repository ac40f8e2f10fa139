//! Linux: which drive is meant, who it is, and holding it alone.
//!
//! Everything here starts from a [`System`]: the root under which `/sys`,
//! `/dev`, `/proc` and `/run` lie, and the few things that are done to a kernel
//! rather than read from it. Nothing prints and nothing is picked: a drive is
//! named by its [`Position`] or by a path, and what is not certain is said to be.
//!
//! The facts about sysfs, permissions and media polling were measured on Linux
//! 6.1 with emulated ATAPI drives on ata_piix, AHCI and USB, and never tried
//! with a real drive. Those from the kernel's source or documentation say so.

pub mod ask;
pub(crate) mod channel;
pub(crate) mod controller;
pub(crate) mod hold;
pub(crate) mod holders;
pub(crate) mod inhibit;
pub(crate) mod interrupts;
pub(crate) mod ioports;
pub(crate) mod list;
pub(crate) mod locate;
pub(crate) mod note;
pub(crate) mod pci;
pub(crate) mod permission;
pub(crate) mod port_name;
pub(crate) mod position;
pub(crate) mod system;
pub(crate) mod topology;

#[cfg(test)]
pub(crate) mod tests;

pub use hold::{Hold, HoldError, MediumRule};
pub use holders::Holder;
pub use inhibit::Inhibitor;
pub use locate::{LocateError, locate_path, locate_port, locate_position};
pub use permission::Obstacle;
pub use port_name::{PortName, Seat};
pub use position::Position;
pub use system::System;
pub use topology::{IndexBasis, Located, ScsiAddress};
