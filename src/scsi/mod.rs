//! SCSI as bytes: command blocks, sense data, INQUIRY. No I/O.

pub mod inquiry;

pub use inquiry::Identity;
