//! The questions that never disturb a drive: INQUIRY and TEST UNIT READY.

use std::time::Duration;

use crate::scsi::inquiry::parse_serial;
use crate::scsi::{Identity, Inquiry, Sense, SenseKey, cdb};
use crate::transport::{Completion, Data, PacketTransport, TransportError, Verdict};

/// How long a drive may take to answer. The kernel resets a drive that takes
/// longer, which would disturb it.
pub const TIME_OUT: Duration = Duration::from_secs(10);

/// A drive says UNIT ATTENTION once for each thing that happened to it.
const ATTENTIONS: u32 = 8;

/// Why a drive did not say who it is.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error("the drive did not answer INQUIRY within {} s", TIME_OUT.as_secs())]
    TimedOut,
    #[error("INQUIRY failed: {}", told(.0))]
    Failed(Completion),
    #[error("the answer to INQUIRY makes no sense")]
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
    /// The drive does not say; the reason in words.
    Unknown(String),
}

/// Who the drive says it is, with its serial number where it gives one.
///
/// # Errors
/// [`AskError`]; a drive without a serial number is none.
pub fn inquiry(drive: &mut dyn PacketTransport) -> Result<Inquiry, AskError> {
    let mut reply = [0; cdb::INQUIRY_LENGTH];
    let completion = drive.execute(&cdb::inquiry(), Data::In(&mut reply), TIME_OUT)?;
    match completion.verdict() {
        Verdict::Good => {}
        Verdict::TimedOut => return Err(AskError::TimedOut),
        _ => return Err(AskError::Failed(completion)),
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
    let mut reply = [0; cdb::SERIAL_LENGTH];
    let completion = drive.execute(&cdb::inquiry_serial(), Data::In(&mut reply), TIME_OUT)?;
    Ok(match completion.verdict() {
        Verdict::Good => parse_serial(&reply),
        _ => None,
    })
}

/// Whether a medium is in. Asks again where the drive first wants to tell what
/// happened to it (UNIT ATTENTION).
///
/// # Errors
/// Where the command gets no completion.
pub fn medium(drive: &mut dyn PacketTransport) -> Result<Medium, TransportError> {
    let mut answer = Medium::Unknown(String::new());
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
        _ => Medium::Unknown(told(completion)),
    }
}

/// A completion that is not good, in words.
fn told(completion: &Completion) -> String {
    match completion.verdict() {
        Verdict::Good => "no error".to_owned(),
        Verdict::TimedOut => format!("no answer within {} s", TIME_OUT.as_secs()),
        Verdict::Status(status) => format!("SCSI status {status:02X}h"),
        Verdict::Failed {
            host_status,
            driver_status,
        } => format!("host status {host_status:02X}h, driver status {driver_status:02X}h"),
        Verdict::CheckCondition => match Sense::parse(&completion.sense) {
            None => "an error without sense data".to_owned(),
            Some(sense) => format!(
                "{} (sense {:X}/{:02X}/{:02X})",
                sense
                    .meaning()
                    .map_or_else(|| sense.key.to_string(), str::to_owned),
                sense.key.0,
                sense.asc,
                sense.ascq
            ),
        },
    }
}

#[cfg(test)]
mod tests;
