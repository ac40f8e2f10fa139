//! What a drive's flash is and can be used for.

use crate::flash::chip::{self, ReadOnly};
use crate::image::mt19xx::Written;
use crate::job::change::NotReadBack;
use crate::protocol::download::Kept;
use crate::protocol::{Protocol, Route, Tried, Unreadable, Unwritable};

/// How commands get to a drive.
pub fn route(route: Route) -> &'static str {
    match route {
        Route::SgIo => "SCSI commands (SG_IO)",
        Route::AtaPassthrough => "ATA PASS-THROUGH",
        Route::LegacyPorts => "legacy ports",
        Route::ControllerPorts => "ports of its controller",
    }
}

/// Why firmware cannot be read, in a whole sentence.
pub fn unreadable(why: &Unreadable) -> String {
    match why {
        Unreadable::UnknownSize { chip } => {
            format!("The flash chip ({chip}) is in no table, so its size is not known.")
        }
        Unreadable::OutOfReach { size, reach } => format!(
            "Vendor mode reaches {} MiB of parallel flash, and {} KiB were asked for.",
            reach / 0x10_0000,
            size / 1024
        ),
        Unreadable::Undocumented { family } => {
            format!("How the firmware of a {family} drive is read is not documented.")
        }
    }
}

/// Why firmware cannot be changed, in a whole sentence.
pub fn unwritable(why: &Unwritable) -> String {
    match why {
        Unwritable::Unreadable(why) => unreadable(why),
        Unwritable::UnknownChip { chip } => format!(
            "The flash chip ({chip}) is in no table: how it is erased and programmed is not known."
        ),
        Unwritable::Chip(why) => read_only(*why).to_owned(),
        Unwritable::OnlyRead { family } => {
            format!("{family} drives are only read this way; a write goes on in vendor mode.")
        }
    }
}

fn read_only(why: ReadOnly) -> &'static str {
    match why {
        ReadOnly::Unknown => "The chip is unknown: how it is erased and programmed is not known.",
        ReadOnly::TimedPages => {
            "The chip takes whole pages whose bytes must arrive within a time limit, which cannot \
             be promised through a drive."
        }
        ReadOnly::SharedId => "Chips that are erased or programmed differently share this ID.",
        ReadOnly::SourcesDisagree => {
            "Sources disagree about this chip: the documented way programs pages of 256 bytes, \
             flashrom programs it byte by byte."
        }
    }
}

/// What a write into a flash that cannot be read can be told by.
pub fn only_by_its_coming_back(why: &Unreadable) -> String {
    format!(
        "{} Whether the firmware is right can be told only by the drive's accepting it, coming \
         back and saying who it is.",
        unreadable(why)
    )
}

/// Why a flash was not read back, in a whole sentence.
pub fn not_read_back(why: &NotReadBack) -> String {
    match why {
        NotReadBack::Unreadable(why) => unreadable(why),
        NotReadBack::Refused => REFUSED.to_owned(),
    }
}

pub const REFUSED: &str = "The drive refuses to have its firmware read.";

/// Why a flash cannot be erased, in a whole sentence.
pub fn unerasable(family: &str) -> String {
    format!(
        "How the flash of a {family} drive is erased is not documented; a write replaces all of it."
    )
}

/// What was tried with a drive's protocol and chip.
pub fn tried(tried: &Tried) -> &'static str {
    match tried {
        Tried::Packets(protocol) => of_packets(*protocol),
        Tried::Chip(tried) => of_chip(*tried),
    }
}

fn of_packets(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::VendorMode => "",
        Protocol::Btc => {
            "proven by btcflash on DRW1004, DRW1008 and DRW1108; never tried by this project"
        }
        Protocol::Mt1339 | Protocol::Sd616 => "proven by redumper; never tried by this project",
        Protocol::Mt1939 => {
            "writing is proven by coastermelt on a Samsung SE-506CB; of reading, freemkv-flash says that it gives the flash and coastermelt that it gives memory; never tried by this project"
        }
        Protocol::Mt1959 => {
            "writing is in use by redumper on LG and ASUS drives, what an image is was checked by mediatek-optical against vendors' files; never tried by this project"
        }
        Protocol::LiteonRead => {
            "reading is reported of one Windows program, LtnFlash, and was never confirmed; which drives answer is not known; never tried by this project"
        }
    }
}

/// In a whole sentence.
fn of_chip(tried: chip::Tried) -> &'static str {
    match tried {
        chip::Tried::WrittenByJungleFlasher => {
            "JungleFlasher writes this chip in real drives; this tool was never tried with it."
        }
        chip::Tried::IdentifiedByJungleFlasher => {
            "JungleFlasher identifies this chip in real drives; whether it was ever written there \
             is not known."
        }
        chip::Tried::IdentifiedByMtkflash => {
            "mtkflash identified this chip in a real drive; nothing else is known to have been \
             tried."
        }
        chip::Tried::KnownToFlashrom { write_tested: true } => {
            "flashrom writes this chip on other boards; nobody is known to have written it in a \
             drive."
        }
        chip::Tried::KnownToFlashrom {
            write_tested: false,
        } => {
            "flashrom knows this chip but reports no test of writing it; nobody is known to have \
             written it in a drive."
        }
        chip::Tried::Nothing => "Nothing is known about this chip.",
    }
}

/// What a drive keeps for itself, and what becomes of it.
pub fn kept(kept: Kept) -> &'static str {
    match kept {
        Kept::BootLoader => "the drive's boot loader, which is write-protected",
        Kept::BootCode => "the drive's boot code, which no image brings",
        Kept::Written(Written::UhdRevocations) => "the revocation list for UHD discs",
        Kept::Written(Written::BluRayRevocations) => "the revocation list for Blu-ray discs",
        Kept::Written(Written::Settings) => "the drive's settings",
        Kept::Written(Written::Calibration) => "the calibration of this very drive",
        Kept::Wanted => "to be kept, as you asked",
        Kept::Untagged => "under no tag of the image's integrity table",
    }
}
