//! Blu-ray drives of LG, ASUS and HP with an MT1959 or LG's MT1939.
//!
//! **Never tried on hardware by this project.**
//!
//! # Commands, in their order
//! | step | command block | data | source, sure |
//! |---|---|---|---|
//! | who is it | INQUIRY, `12` | 96 bytes in: revision `BOOT` where the boot code answers | redumper, proven |
//! | boot string, descriptor | `3C 06 00 off24 len24 00`, see [`memory`](super::memory): 3000/20, 1EC000/100 | in | every tool, proven |
//! | date of the firmware | GET CONFIGURATION `46`, feature 010C | in: 14 digits | redumper, proven |
//! | code of the receiver | READ BUFFER again, a hundred pieces | in | mediatek-optical, by analysis of 272 receivers |
//! | prepare | `3B 06 67 00 00 00 00 00 00 00` | none | redumper, proven |
//! | the same, where that is refused | `3B 01 00 00 00 00 00 00 00 00` | none | redumper, proven |
//! | send, 128 times | `3B 06 00 off24 len24 00`: 4000 at a time | out | redumper, proven |
//! | await | TEST UNIT READY, once a second, 120 s at most | none | redumper waits 60 s, mediatek-optical 120 s |
//! | prove | READ BUFFER of every protected range from 10000 on but the drive's own four; descriptor; date | in | mediatek-optical for the ranges |
//!
//! Command blocks are filled up to 12 bytes with 00. Nothing that sends is repeated.
//! Byte 9 of *prepare* stays 00: so it programs from 10000 on and leaves the boot code
//! alone (mediatek-optical, from the firmware's code; not seen on hardware). What is
//! sent below 10000 is FF, but for the boot string at 3000 by which the drive knows its
//! firmware. A form that programs from 0 on would be proven from 1000 on, where a drive
//! no longer shows another page, and is never used.
//!
//! # What is sent encrypted
//! AES-128-ECB over all of it, or nothing: by the date (2020 or later, and the second
//! character after the revision in INQUIRY is no `M`: redumper) and by the code of the
//! receiver (mediatek-optical). Where the two disagree, or neither tells, nothing is sent.
//!
//! # Answers to TEST UNIT READY after the last block
//! | answer | meaning |
//! |---|---|
//! | good or 2/3A, at once | rejected: nothing was programmed |
//! | 2/04, second information byte n of 1 to 20 | it programs: n of 32 parts |
//! | 2/04 without it | it programs or starts |
//! | key 6 | it has started anew: what runs is compared with the image |
//! | key 3, 4 or B | a fault of the flash |
//! | good or 2/3A, later | it works: it is asked which firmware it has |
//!
//! # Sources
//! redumper (in use on the drives of its list) for the steps, the boot
//! strings and the rule by date; the crate mediatek-optical for the image, the
//! meaning of the forms (from the firmware's code), the receivers and the 120 s.
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
pub(super) mod products;
mod send;
mod survey;

pub(super) use prepare::{prepare, rule_out};
pub(super) use send::{PATIENCE, look, send};
