//! The questions that never disturb a drive: INQUIRY and TEST UNIT READY.

use std::time::Duration;

use crate::scsi::inquiry::{self, parse_serial};
use crate::scsi::{Identity, Inquiry, Sense, SenseKey, cdb};
use crate::transport::{Completion, Data, PacketTransport, TransportError, Verdict};

/// How long a drive may take to answer. The kernel resets a drive that takes
/// longer, which would disturb it.
pub const TIME_OUT: Duration = Duration::from_secs(10);

/// Bytes before the number on the page with the serial number; the last one is its length.
const SERIAL_HEAD: usize = 4;

/// A drive says UNIT ATTENTION once for each thing that happened to it.
const ATTENTIONS: u32 = 8;

/// Why a drive did not say who it is.
#[derive(Debug, thiserror::Error)]
#[error("{self:?}")]
pub enum AskError {
    Transport(#[from] TransportError),
    TimedOut,
    Failed(Completion),
    /// So many bytes came, and the names are longer.
    Short {
        bytes: usize,
    },
    Nonsense,
}

/// Whether there is a disc in a drive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Medium {
    /// The drive works and has none.
    Absent,
    Present,
    /// The drive is starting or loading, and does not know yet.
    Starting,
    /// The drive does not say, but answers this.
    Unknown(Completion),
}

/// Who the drive says it is, with its serial number where it gives one.
///
/// # Errors
/// [`AskError`]; a drive without a serial number is none.
pub fn inquiry(drive: &mut dyn PacketTransport) -> Result<Inquiry, AskError> {
    let mut reply = [0; cdb::INQUIRY_LENGTH];
    let completion = ask(drive, &cdb::inquiry(), &mut reply, |_| Inquiry::NAMES_END)?;
    match completion.verdict() {
        Verdict::Good => {}
        Verdict::TimedOut => return Err(AskError::TimedOut),
        _ => return Err(AskError::Failed(completion)),
    }
    if let Some(bytes) = cut_short(&completion, &reply, Inquiry::NAMES_END) {
        return Err(AskError::Short { bytes });
    }
    // A transport that moved nothing and called it good has left the zeros.
    let is_blank = reply.iter().all(|&byte| byte == 0);
    let inquiry = Inquiry::parse(&reply).filter(|_| !is_blank);
    let mut inquiry = inquiry.ok_or(AskError::Nonsense)?;
    inquiry.identity.serial = serial(drive)?;
    Ok(inquiry)
}

/// [`inquiry`], and only the identity.
///
/// # Errors
/// As there.
pub fn identity(drive: &mut dyn PacketTransport) -> Result<Identity, AskError> {
    inquiry(drive).map(|inquiry| inquiry.identity)
}

fn serial(drive: &mut dyn PacketTransport) -> Result<Option<String>, TransportError> {
    let length = |reply: &[u8]| SERIAL_HEAD + usize::from(reply[SERIAL_HEAD - 1]);
    let mut reply = [0; cdb::SERIAL_LENGTH];
    let completion = ask(drive, &cdb::inquiry_serial(), &mut reply, length)?;
    let is_whole = cut_short(&completion, &reply, length(&reply)).is_none();
    Ok(match completion.verdict() {
        // The beginning of a number is another drive's.
        Verdict::Good if is_whole => parse_serial(&reply),
        _ => None,
    })
}

/// Asks, and once more where less came than there should be: `length` tells that by what
/// came.
fn ask(
    drive: &mut dyn PacketTransport,
    cdb: &[u8],
    reply: &mut [u8],
    length: impl Fn(&[u8]) -> usize,
) -> Result<Completion, TransportError> {
    let completion = drive.execute(cdb, Data::In(reply), TIME_OUT)?;
    match cut_short(&completion, reply, length(reply)) {
        None => Ok(completion),
        Some(_) => {
            reply.fill(0);
            drive.execute(cdb, Data::In(reply), TIME_OUT)
        }
    }
}

/// How many bytes of a good reply came, where these should and did not.
fn cut_short(completion: &Completion, reply: &[u8], wanted: usize) -> Option<usize> {
    let cut = inquiry::cut_short(reply, completion.residue, wanted);
    cut.filter(|_| completion.verdict() == Verdict::Good)
}

/// Whether a medium is in. Asks again where the drive first wants to tell what
/// happened to it (UNIT ATTENTION).
///
/// # Errors
/// Where the command gets no completion.
pub fn medium(drive: &mut dyn PacketTransport) -> Result<Medium, TransportError> {
    let mut answer = Medium::Unknown(Completion::default());
    for _ in 0..ATTENTIONS {
        let completion = drive.execute(&cdb::test_unit_ready(), Data::None, TIME_OUT)?;
        let sense = match completion.verdict() {
            Verdict::CheckCondition => Sense::parse(&completion.sense),
            _ => None,
        };
        answer = medium_of(&completion, sense);
        if !sense.is_some_and(Sense::is_unit_attention) {
            break;
        }
    }
    Ok(answer)
}

fn medium_of(completion: &Completion, sense: Option<Sense>) -> Medium {
    /// 2/30: a disc that the drive cannot read is a disc.
    const INCOMPATIBLE_MEDIUM: u8 = 0x30;
    match (completion.verdict(), sense) {
        (Verdict::Good, _) => Medium::Present,
        (_, Some(sense)) if sense.is_no_medium() => Medium::Absent,
        (_, Some(sense)) if sense.is_becoming_ready() || sense.is_in_progress() => Medium::Starting,
        (_, Some(sense))
            if sense.key == SenseKey::MEDIUM_ERROR
                || (sense.key == SenseKey::NOT_READY && sense.asc == INCOMPATIBLE_MEDIUM) =>
        {
            Medium::Present
        }
        _ => Medium::Unknown(completion.clone()),
    }
}

#[cfg(test)]
mod tests;
