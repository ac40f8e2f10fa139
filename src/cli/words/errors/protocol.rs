//! What a drive did or refused, by its protocol.

use crate::cli::words::InWords;
use crate::flash::Offset;
use crate::image::Wrapping;
use crate::image::mt19xx::BootString;
use crate::image::structure::BANK_CALL_SEARCHED;
use crate::protocol::blu_ray::{NoEncoding, NoString};
use crate::protocol::detect::UnknownProtocol;
use crate::protocol::download::LastAnswer;
use crate::protocol::packet::PacketError;
use crate::protocol::packet::liteon::{BLOCK, Implausible};
use crate::protocol::{DeviceError, Doing, Impossible, NotIdle};
use crate::scsi::cdb::BufferTooLarge;

impl InWords for DeviceError {
    fn in_words(&self) -> String {
        match self {
            DeviceError::EntryRefused { status } => format!(
                "the drive refused vendor mode: status {status:02x}h, should be 70h, 72h or 73h"
            ),
            DeviceError::NoDriveThere { status } => {
                format!("no drive answers there: status {status:02x}h, should be 70h, 72h or 73h")
            }
            DeviceError::EntryBusy { status } => format!(
                "the drive was told to enter vendor mode and is busy since (status {status:02x}h), so \
         that it may be in the mode or not"
            ),
            DeviceError::EntryUnclear { status } => format!(
                "the drive was told to enter vendor mode and shows status {status:02x}h, neither 70h, \
         72h or 73h nor a refusal that is known, so that it may be in the mode or not"
            ),
            DeviceError::EntryUnanswered { source } => format!(
                "the drive was told to enter vendor mode, and its answer did not come, so that it may \
         be in the mode or not: {}",
                source.in_words()
            ),
            DeviceError::Stopped => "stopped while waiting for the drive".to_owned(),
            DeviceError::TaskFile { doing, at, source } => in_step(*doing, *at, source),
            DeviceError::NotProgrammed {
                at,
                expected,
                found,
                attempts,
            } => format!(
                "the flash chip does not take a byte at {at}: wrote {expected:02x}h, reads {found:02x}h \
         after {attempts} attempts"
            ),
            DeviceError::NotErased { at, found } => {
                format!("the flash chip is not erased at {at}: reads {found:02x}h instead of ffh")
            }
            DeviceError::ChipBusy {
                doing,
                expected,
                found,
            } => format!(
                "the flash chip stays busy ({}): its status is {found:02x}h instead of {expected:02x}h",
                self::doing(*doing)
            ),
            DeviceError::WriteProtected { status } => format!(
                "the flash chip is write-protected in hardware: its pin WP# is held low (status \
         {status:02x}h stays after its protection was taken off)"
            ),
            DeviceError::NotIdle(found) => {
                format!("the flash chip cannot be relied on: {}", found.in_words())
            }
            DeviceError::Refused { range, sense } => {
                format!("the drive refuses to have {range} read: {sense}")
            }
            DeviceError::Packet { doing, at, source } => in_step(*doing, *at, source),
            DeviceError::NotBack { waited, last } => format!(
                "the drive did not come back within {} s: {}",
                waited.as_secs(),
                last.in_words()
            ),
            DeviceError::UnsteadyId => {
                "the flash chip does not give the same ID twice: its answers are disturbed"
                    .to_owned()
            }
            DeviceError::OtherBanner {
                drive,
                family,
                banner,
            } => format!(
                "{} {} is on the list of {family} drives, but its boot banner is \"{banner}\"",
                drive.vendor, drive.product
            ),
            DeviceError::OwnBytesUnsteady { range } => {
                format!("{range}, which the drive is to keep, reads differently each time")
            }
            DeviceError::Implausible(found) => {
                format!("this is not read as firmware: {}", found.in_words())
            }
            DeviceError::Rejected => {
                "the drive rejected the image: it was ready at once, and programmed nothing of it"
                    .to_owned()
            }
            DeviceError::FlashFault { sense } => {
                format!("the drive reports that programming its flash failed: {sense}")
            }
            DeviceError::Impossible(found) => found.in_words(),
        }
    }
}

impl InWords for Impossible {
    fn in_words(&self) -> String {
        match self {
            Impossible::OutOfRange { range, size } => {
                format!("{range} lies outside the flash of {} KiB", size / 1024)
            }
            Impossible::Reading => "the flash cannot be read".to_owned(),
            Impossible::ChangingInPlace => "the flash is not changed in place".to_owned(),
            Impossible::TakingImages => "the drive does not take whole images".to_owned(),
            Impossible::NoSector { range } => format!("{range} is not a sector of this flash chip"),
            Impossible::ImageSize { length } => {
                format!("an image of {length} bytes is not of the flash's size")
            }
        }
    }
}

impl InWords for NotIdle {
    fn in_words(&self) -> String {
        match self {
            NotIdle::Busy { status } => format!("it is busy (status {status:02x}h)"),
            NotIdle::OtherId { expected, found } => format!(
                "it is busy or gone (asked for its ID, it gives {found} instead of {expected})"
            ),
            NotIdle::SameAsId { id } => {
                format!("it shows the same bytes with and without its ID ({id})")
            }
            NotIdle::Unsteady => "its first bytes change from one read to the next".to_owned(),
        }
    }
}

impl InWords for PacketError {
    fn in_words(&self) -> String {
        match self {
            PacketError::Sense(found) => format!("the drive answered {found}"),
            PacketError::NoSense => {
                "the drive answered CHECK CONDITION and gave no reason".to_owned()
            }
            PacketError::Status(found) => {
                format!("the drive answered with SCSI status {found:02x}h")
            }
            PacketError::TimedOut(found) => format!(
                "the drive did not answer within {} s; the kernel has given the command up and reset \
         the drive",
                found.as_secs()
            ),
            PacketError::Lost {
                host_status,
                driver_status,
            } => format!(
                "the command or its answer was lost on the way (host status {host_status:02x}h, driver \
         status {driver_status:02x}h)"
            ),
            PacketError::Residue { residue, length } => {
                format!("{residue} of {length} bytes did not get through")
            }
            PacketError::Short => "the drive's answer is too short".to_owned(),
            PacketError::Address(BufferTooLarge { field, value }) => {
                format!("a buffer {field} of {value:#x} does not fit its 24 bits")
            }
            PacketError::Transport(found) => found.in_words(),
        }
    }
}

impl InWords for Implausible {
    fn in_words(&self) -> String {
        match self {
            Implausible::Unsteady => {
                format!("the first {BLOCK} bytes read differently the second time")
            }
            Implausible::NoCode { found } => format!(
                "the first byte is {found:02x}h, and the banks of such firmware begin with 02h or 80h"
            ),
            Implausible::SameAnswer { at } => {
                format!("the same {BLOCK} bytes come from 0 and from {at}")
            }
            Implausible::NoBankCall => format!(
                "the code that tells how many banks there are is not in {}, where such firmware has it",
                BANK_CALL_SEARCHED
            ),
            Implausible::Rebanked { mask } => format!(
                "this firmware is re-banked (its bank mask is {mask:02x}h), and what other programs read of \
         such drives is damaged"
            ),
            Implausible::OtherThanFlash { range } => {
                format!("from {range} the drive gave other bytes than its flash holds")
            }
            Implausible::OtherSize { given, size } => {
                format!("the drive gave {given} bytes, and its flash has {size}")
            }
        }
    }
}

impl InWords for NoString {
    fn in_words(&self) -> String {
        match self {
            NoString::Unlisted => "it is on no list of such drives".to_owned(),
            NoString::Several { strings, svc } => format!(
                "drives of this name take images with {}, and its SVC code {} does not tell which",
                listed(strings),
                match svc {
                    Some(svc) if svc.is_empty() => "is blank and".to_owned(),
                    Some(svc) => svc.clone(),
                    None => "cannot be read and".to_owned(),
                }
            ),
        }
    }
}

impl InWords for NoEncoding {
    fn in_words(&self) -> String {
        match self {
            NoEncoding::Untold => "Whether this drive wants its firmware encrypted cannot be told: neither its date nor its \
         code can be read".to_owned(),
            NoEncoding::UntoldByBootCode => "Whether this drive wants its firmware encrypted cannot be told: no firmware runs in it, so \
         that there is no date to go by, and the code of its boot loader, which may differ in this \
         from the firmware that was there and from the image, cannot be read or is not known. To \
         send it in the one form or the other would be a guess. This program can do nothing more \
         for it; what is left is to write the flash chip itself, out of the drive".to_owned(),
            NoEncoding::Disagree { by_date, by_code } => format!("Whether this drive wants its firmware encrypted is not clear: {} by its date, {} by its \
         code", if *by_date == Wrapping::Aes { "yes" } else { "no" }, if *by_code == Wrapping::Aes { "yes" } else { "no" }),
        }
    }
}

/// What was being done with a drive, as the beginning of a sentence.
fn doing(doing: Doing) -> &'static str {
    match doing {
        Doing::Identify => "identifying the flash chip",
        Doing::ProveIdle => "making sure of the flash chip",
        Doing::Read => "reading",
        Doing::ReadFlash => "reading the flash",
        Doing::ReadFirstBank => "reading the first bank",
        Doing::ReadBanner => "reading the boot banner",
        Doing::AskFirmware => "asking the drive about its firmware",
        Doing::ReadKept => "reading what the drive is to keep",
        Doing::ReadReceiver => "reading the drive's receiver",
        Doing::AskReady => "asking whether the drive is ready",
        Doing::Prepare => "preparing the drive",
        Doing::SendImage => "sending the image",
        Doing::SendSum => "sending the image's sum",
        Doing::StartProgramming => "having the drive program itself",
        Doing::Enter => "entering vendor mode",
        Doing::Leave => "leaving vendor mode",
        Doing::Unprotect => "taking the chip's write protection off",
        Doing::EnableWrites => "enabling writes",
        Doing::Program => "programming the flash",
        Doing::EraseSector => "erasing a sector",
        Doing::EraseChip => "erasing the chip",
        Doing::AwaitErase => "waiting for the erase",
        Doing::EndBegun => "ending what was begun",
    }
}

impl InWords for LastAnswer {
    fn in_words(&self) -> String {
        match self {
            LastAnswer::Ready => "it answers".to_owned(),
            LastAnswer::Error(error) => error.in_words(),
        }
    }
}

impl InWords for UnknownProtocol {
    fn in_words(&self) -> String {
        format!(
            "there is no protocol \"{}\": they are vendor, btc, mt1339, sd616, mt1939, mt1959 and \
             liteon-read",
            self.0
        )
    }
}

fn in_step(doing: Doing, at: Option<Offset>, source: &impl InWords) -> String {
    let at = at.map(|at| format!(" at {at}")).unwrap_or_default();
    format!("{}{at}: {}", self::doing(doing), source.in_words())
}

fn listed(strings: &[BootString]) -> String {
    let named: Vec<String> = strings
        .iter()
        .map(|string| format!("\"{string}\""))
        .collect();
    named.join(" or ")
}
