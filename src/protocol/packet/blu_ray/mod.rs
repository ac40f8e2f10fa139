//! Blu-ray drives of LG, ASUS and HP with an MT1959 or LG's MT1939.
//!
//! WRITE BUFFER `3B 06 67` prepares, `3B 01` where the drive does not know that;
//! mode 6 sends 16 KiB at a time with absolute offsets, and the drive programs
//! when the last block is in. Both ways are used in the one form that programs
//! from 10000 on and leaves the boot code alone. What a drive is sent below that
//! is FF, but for the boot string by which it knows its firmware. So what is read
//! back begins at 10000 as well: a form that programs from 0 on would be proven
//! from 1000 on, where a drive no longer shows another page, and is never used.
//!
//! Sources: redumper (in use on the drives of its list) for the steps, the boot
//! strings and the rule by date; the crate mediatek-optical for the image, the
//! meaning of the forms (from the firmware's code), the receivers and the 120 s.
//! **Never tried on hardware by this project.**
//!
//! That crate can also carry out an update by itself. It is not used for that: it
//! enters by forms that program from 0 on, its executor sends a commit that
//! redumper's drives do without, it takes what the old receiver's code proves for
//! the only ground to go on, which the code of no simulated drive can satisfy but
//! by being a vendor's, and it tells neither progress nor a rejected image. Its
//! receiver detection is the second opinion about encryption.
//!
//! What went wrong for others and is checked here: a BU40N image left a WH16NS60
//! dead (OmniDrive issue 24); slim firmware in half-height drives (MakeMKV forum
//! t=23023); "success" and nothing changed (OmniDrive issues 26 and 31).

mod prepare;
pub mod products;
mod send;
pub mod survey;

pub use prepare::{Mismatch, NotReady};
pub use products::{Form, NoString};
pub use survey::{BOOT_REVISION, FirmwareDate, Mode, NoEncoding, Survey};

pub(super) use prepare::prepare;
pub(super) use send::{PATIENCE, Seen, look, send};
