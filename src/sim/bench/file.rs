//! The text of a bench: its keys, and what is wrong in which line.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::contents::Contents;
use super::{BenchError, Wrong};
use crate::sim::drive::Latency;
use crate::sim::faults::Fault;
use crate::sim::packet::RegisterLayout;
use crate::sim::packet_drive::Setup as BluRaySetup;

/// A bench file's text, for turning places in it into lines.
pub(super) struct Source<'a> {
    path: &'a Path,
    text: &'a str,
}

impl<'a> Source<'a> {
    pub fn new(path: &'a Path, text: &'a str) -> Self {
        Source { path, text }
    }

    fn line(&self, span: &Range<usize>) -> usize {
        let before = self.text.as_bytes().iter().take(span.start);
        1 + before.filter(|byte| **byte == b'\n').count()
    }

    pub fn invalid(&self, span: &Range<usize>, wrong: Wrong) -> BenchError {
        BenchError::Invalid {
            path: self.path.to_owned(),
            line: self.line(span),
            wrong,
        }
    }

    pub fn state(&self, span: &Range<usize>, file: PathBuf, source: io::Error) -> BenchError {
        BenchError::State {
            path: self.path.to_owned(),
            line: self.line(span),
            file,
            source,
        }
    }

    pub fn parse(&self) -> Result<BenchSetup, BenchError> {
        toml::from_str(self.text).map_err(|error| {
            // An error without a place is one of the whole file.
            let span = error.span().unwrap_or(0..0);
            let message = error.message().trim().replace('\n', ", ");
            self.invalid(&span, Wrong::Toml(message))
        })
    }
}

/// A bench file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BenchSetup {
    /// Folder for the state, seen from the bench file.
    pub state: Option<PathBuf>,
    #[serde(default)]
    pub drive: Vec<Spanned<DriveSetup>>,
}

/// A `[[drive]]` of a bench file. It needs a `position`, a `path` or both.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DriveSetup {
    /// 1 to 4: primary master to secondary slave.
    pub position: Option<Spanned<u8>>,
    /// A name such as `/dev/sg4`, for a drive behind USB also instead of a position.
    pub path: Option<Spanned<PathBuf>>,
    #[serde(default)]
    pub model: ModelKind,
    pub vendor: String,
    pub product: String,
    pub revision: String,
    pub serial: Option<String>,
    /// Never answers a packet, and does not say who it is: only the legacy ports
    /// reach it.
    #[serde(default)]
    pub dead: bool,
    /// Answers INQUIRY and IDENTIFY PACKET DEVICE with an error.
    #[serde(default)]
    pub inquiry_fails: bool,
    /// 0x70 parallel, 0x72 or 0x73 serial; without it, 0x70 or 0x72 by the chip.
    pub mode_status: Option<Spanned<u8>>,
    /// A part of the chip table, by its part number.
    pub chip: Option<Spanned<String>>,
    /// Instead of `chip`: one that is in no table.
    pub unknown_chip: Option<Spanned<UnknownChip>>,
    #[serde(default)]
    pub entry: Entry,
    /// The status of a refused entry; 0x51.
    pub refusal_status: Option<u8>,
    /// Refused entries before `entry = "after-power-cycles"` succeeds; 2.
    pub power_cycles: Option<u64>,
    #[serde(default)]
    pub contents: Contents,
    #[serde(default)]
    pub latency: Latency,
    /// Its time is everybody's: it is as slow as it says.
    #[serde(default)]
    pub real_time: bool,
    #[serde(default)]
    pub registers: RegisterLayout,
    /// The first sense data of more than 18 bytes is cut (usb-storage).
    #[serde(default)]
    pub truncate_first_sense: bool,
    /// The serial chip comes with its block-protect bits set.
    #[serde(default)]
    pub protected: bool,
    /// The same, and the board holds its pin WP# low.
    #[serde(default)]
    pub wp_held: bool,
    /// Of a vendor-mode drive: gives its program memory as LtnFlash is reported
    /// to read it.
    #[serde(default)]
    pub liteon_read: bool,
    /// And gives other bytes there than its flash holds, from its last bank.
    #[serde(default)]
    pub liteon_differs: bool,
    /// Of a packet drive: the seconds for which it programs, each time; 8, or
    /// 10 for an MT1939.
    pub program_seconds: Option<f64>,
    /// Of a packet drive: the seconds that its restart takes; 2.
    pub restart_seconds: Option<f64>,
    /// Of a packet drive: leaves the bus to restart, as only an MT1939 does
    /// without this key.
    pub reenumerates: Option<bool>,
    /// Of a packet drive: where its firmware does not run, a boot loader takes
    /// the same commands, as on MT1939 and MT1959 drives without this key.
    pub boot_loader: Option<bool>,
    /// Of an MT1939 or MT1959: what it does not let be read.
    #[serde(default)]
    pub unreadable: Vec<Gap>,
    /// Of an MT1959.
    #[serde(default)]
    pub board: BluRaySetup,
    #[serde(default)]
    pub fault: Vec<Fault>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ModelKind {
    /// Nothing but vendor mode and the packets that every drive knows.
    #[default]
    VendorMode,
    /// BTC DRW1004, DRW1008, DRW1108.
    Btc,
    /// TSST DVD-ROM with an MT1339.
    Mt1339,
    /// Samsung SD-616.
    Sd616,
    /// Samsung SE-506CB.
    Mt1939,
    /// LG and ASUS Blu-ray.
    Mt1959,
}

/// A part of the flash, from `start` up to but without `end`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Gap {
    pub start: u32,
    pub end: u32,
}

/// How a drive takes the entry command.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Entry {
    #[default]
    Always,
    Refused,
    /// Meanwhile the user has switched the drive off and on.
    AfterPowerCycles,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UnknownChip {
    pub manufacturer: u8,
    pub device: u8,
    /// Bytes.
    pub size: u32,
}
