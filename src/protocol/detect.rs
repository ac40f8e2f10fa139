//! Which protocol a drive is spoken to in.
//!
//! INQUIRY and the lists of the families decide; on a listed MT1959 or MT1939
//! drive READ BUFFER says more. Nothing is ever sent to a drive to find out
//! whether it understands it: READ BUFFER of a strange buffer has hung a drive
//! (myce.com, thread 172584). A drive that is on no list is a vendor-mode drive.

use std::fmt;
use std::str::FromStr;

use super::packet;
use super::packet::families::Family;
use super::packet::memory::{self, granted};
use super::{DeviceError, Doing};
use crate::image::mt19xx::{BANNER, BOOT_STRING_LENGTH};
use crate::scsi::Identity;
use crate::transport::PacketTransport;

/// A way to read and write the firmware of drives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    VendorMode,
    Btc,
    Mt1339,
    Sd616,
    Mt1939,
    Mt1959,
    /// Reads Lite-On drives, and only where it is named.
    LiteonRead,
}

impl Protocol {
    pub const ALL: [Protocol; 7] = [
        Protocol::VendorMode,
        Protocol::Btc,
        Protocol::Mt1339,
        Protocol::Sd616,
        Protocol::Mt1939,
        Protocol::Mt1959,
        Protocol::LiteonRead,
    ];

    /// The word for it on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::VendorMode => "vendor",
            Protocol::Btc => "btc",
            Protocol::Mt1339 => "mt1339",
            Protocol::Sd616 => "sd616",
            Protocol::Mt1939 => "mt1939",
            Protocol::Mt1959 => "mt1959",
            Protocol::LiteonRead => "liteon-read",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Family::of(*self) {
            Some(family) => write!(f, "{} packet protocol", family.name),
            None => f.write_str("vendor mode"),
        }
    }
}

/// A word that names no protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{self:?}")]
pub struct UnknownProtocol(pub String);

impl FromStr for Protocol {
    type Err = UnknownProtocol;

    fn from_str(word: &str) -> Result<Protocol, UnknownProtocol> {
        Protocol::ALL
            .into_iter()
            .find(|protocol| protocol.name().eq_ignore_ascii_case(word))
            .ok_or_else(|| UnknownProtocol(word.to_owned()))
    }
}

/// What was found out about a drive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    pub protocol: Protocol,
    pub reason: Reason,
}

/// Why it is this protocol, and how sure that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The user names it.
    Named,
    /// The drive does not say what it is; vendor mode needs no working firmware.
    Nameless,
    /// The drive is on no list of drives with a packet protocol.
    Unlisted,
    /// The drive is on the family's list.
    Listed,
    /// The drive is on the list of a family whose drives have a boot banner;
    /// `None` where it shows none.
    ListedWithBanner(Option<String>),
}

/// Finds the protocol of a drive, or takes the one that the user names.
///
/// `identity` is what the drive has answered to INQUIRY; `None` for a drive that
/// did not answer, which is a vendor-mode drive.
///
/// # Errors
/// A listed drive whose boot banner belongs to another family than its name, or
/// which does not let itself be asked for it.
pub fn detect(
    transport: &mut dyn PacketTransport,
    identity: Option<&Identity>,
    named: Option<Protocol>,
) -> Result<Detected, DeviceError> {
    let found = |protocol, reason| Ok(Detected { protocol, reason });
    if let Some(protocol) = named {
        return found(protocol, Reason::Named);
    }
    let Some(drive) = identity.filter(|identity| !identity.product.is_empty()) else {
        return found(Protocol::VendorMode, Reason::Nameless);
    };
    let Some(family) = Family::by_identity(drive) else {
        return found(Protocol::VendorMode, Reason::Unlisted);
    };
    let reason = match family.protocol {
        Protocol::Mt1939 | Protocol::Mt1959 => {
            Reason::ListedWithBanner(own_banner(transport, drive, family)?)
        }
        _ => Reason::Listed,
    };
    found(family.protocol, reason)
}

/// The boot banner of a listed drive, which must not be another family's.
fn own_banner(
    transport: &mut dyn PacketTransport,
    drive: &Identity,
    family: &Family,
) -> Result<Option<String>, DeviceError> {
    // LG's drives have either chip, and the SE-506CB only the one.
    let is_others = |banner: &str| {
        let named: Option<Protocol> = banner.get(..6).and_then(|chip| chip.parse().ok());
        family.protocol == Protocol::Mt1939 && named.is_some_and(|named| named != family.protocol)
    };
    match boot_banner(transport)? {
        Some(banner) if is_others(&banner) => Err(DeviceError::OtherBanner {
            drive: Box::new(drive.clone()),
            family: family.name,
            banner,
        }),
        banner => Ok(banner),
    }
}

/// The text at the start of the boot record; `None` where the drive refuses to
/// have it read, or there is no text.
fn boot_banner(transport: &mut dyn PacketTransport) -> Result<Option<String>, DeviceError> {
    let mut record = [0; BANNER.len() as usize];
    let read = granted(memory::read(transport, BANNER.start(), &mut record));
    let is_given = read.map_err(packet::during(Doing::ReadBanner))?.is_some();
    let banner = &record[..BOOT_STRING_LENGTH];
    let is_text = banner.iter().all(|byte| matches!(byte, b' '..=b'~'));
    Ok((is_given && is_text).then(|| String::from_utf8_lossy(banner).into_owned()))
}
