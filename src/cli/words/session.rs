//! The way to a drive, as its user reads it: why it is not open, what is told
//! beside the way, what is asked, and what is not as it was afterwards.

mod channel;
mod event;
mod obstacle;

use super::entry;
use crate::cli::args::{Request, Via};
use crate::cli::exit::Exit;
use crate::cli::failure::{self, Failure};
use crate::cli::prompt::Word;
use crate::cli::text::Text;
use crate::cli::words::{InWords, sentence};
use crate::drive::Seat;
use crate::drive::channel::ChannelState;
use crate::job::{FlashState, JobError, Objection, Refusal};
use crate::protocol::DeviceError;
use crate::protocol::download::{Guard, Misfit, Unlisted};
use crate::protocol::packet::Family;
use crate::protocol::vendor_mode::reported::Report;
use crate::scsi::Identity;
use crate::session::{Answer, At, DriveName, Label, LeaveError, OpenError};
use crate::transport::{TaskFileError, TransportError};
use channel::{no_wait, not_brought_back, not_detached, storm};
use obstacle::{in_the_way, not_held, not_located};

pub use channel::question;
pub use event::told;
pub use obstacle::{LOAD_SG, remedy};

const WHICH_DRIVES: &str = "To see which drives there are:";
const WHEN_BACK: &str = "Check its power and cable; when it is back, type the same again:";
const OFF_AND_ON: &str = "Switch the drive off and on, then type the same again:";
const HOW_REACHED: &str = "To see which drives there are and how they can be reached:";
const WHEN_FREE: &str = "When it is free, type the same again:";

/// `drive 3 (/dev/sr0)`.
pub fn label(label: &Label) -> String {
    let called = &label.called;
    let at = match &label.at {
        At::Bench => return format!("simulated drive {called}"),
        At::Node(node) => node.display().to_string(),
        At::Address(address) => address.to_string(),
        At::Ports(Seat::Position(position)) => position.to_string(),
        At::Ports(Seat::Port(_)) => "by its ports".to_owned(),
    };
    match called {
        DriveName::Index(index) => format!("drive {index} ({at})"),
        DriveName::Path(path) if path.as_os_str() == at.as_str() => at,
        DriveName::Path(_) | DriveName::Port(_) => format!("{called} ({at})"),
        DriveName::Serial(_) => format!("drive {called} ({at})"),
    }
}

/// Why a drive is not open.
pub fn failure(error: OpenError, typed: &Request) -> Failure {
    let no_drive = |what: String| Exit::NoDrive.because(sentence(&what));
    match error {
        OpenError::NoPosition(index) => Exit::Usage.because(format!("There is no drive {index}.")),
        OpenError::NotOnBench { name, there } => not_on_bench(&name, &there, typed),
        OpenError::NotBySerial {
            serial,
            found,
            is_unasked,
        } if found.is_empty() => {
            let unasked = match is_unasked {
                true => "; one that is in use was not asked",
                false => "",
            };
            no_drive(format!(
                "no drive says that its serial number is {serial}{unasked}"
            ))
            .next(WHICH_DRIVES)
            .next(typed.list())
        }
        OpenError::NotBySerial { serial, found, .. } => found.into_iter().fold(
            no_drive(format!(
                "several drives say that their serial number is {serial}"
            ))
            .next("Name one by its place:"),
            |failure, name| failure.next(typed.of(name)),
        ),
        OpenError::NotLocated(error) => not_located(&error, typed),
        OpenError::NotHeld(error) => not_held(&error, typed),
        OpenError::InTheWay(obstacle) => in_the_way(&obstacle, typed),
        OpenError::Channel(error) => not_detached(&error, typed),
        OpenError::InUse { label: drive } => no_drive(format!(
            "another run is at work with {}, or was just now",
            label(&drive)
        ))
        .next("When that run has ended, type the same again:")
        .next(typed.same()),
        OpenError::NoState {
            label: drive,
            source,
        } => no_drive(format!(
            "the files of {} cannot be looked at: {}",
            label(&drive),
            source.in_words()
        ))
        .of_state(&source, typed),
        OpenError::UnknownToKernel { label: drive } => no_drive(format!(
            "the kernel does not know {}: the drive is dead, or there is none",
            label(&drive)
        ))
        .next("A dead drive on an IDE port is reached without the kernel:")
        .next(typed.without_protocol().by(Via::Port)),
        OpenError::NoPorts { name } => no_drive(format!(
            "drive {name} is not on an IDE channel that can be reached by ports"
        ))
        .next("By the kernel, which has it:")
        .next(typed.by(Via::Ata)),
        OpenError::Void { name } => no_drive(format!(
            "nothing answers at the ports of {name}: every register reads FFh, as those of a \
             card do that is gone"
        ))
        .next("Check the card in its slot; what the computer has now:")
        .next(typed.list()),
        OpenError::NoWait { source } => no_wait(&source, typed),
        OpenError::Storm { neighbours, source } => storm(&neighbours, &source, typed),
        OpenError::ByPortsFirst(error) => by_ports_first(*error, typed),
        OpenError::OwnProtocol { family, .. } => no_drive(format!(
            "this is a {} drive, which is flashed by packets",
            family.name
        ))
        .next("Through the kernel:")
        .next(typed.by_its_name()),
        OpenError::NotAgreed { channel, answer } => not_agreed(&channel, answer, typed),
        OpenError::PortsOutOfReach(error) => {
            no_drive(format!("the ports cannot be reached: {}", error.in_words()))
                .next("To try once more:")
                .next(typed.same())
        }
        OpenError::TakesNoCommand {
            label: drive,
            source,
        } => no_drive(format!(
            "{} does not take commands: {}",
            label(&drive),
            source.in_words()
        ))
        .next("Check its power and cable, and look whether it is there:")
        .next(typed.list()),
        OpenError::NotOptical {
            label: drive,
            device_type,
        } => no_drive(format!(
            "{} is not an optical drive but a {device_type}",
            label(&drive)
        ))
        .next(WHICH_DRIVES)
        .next(typed.list()),
        OpenError::SaysNotOptical { device } => no_drive(format!(
            "that is not an optical drive but a {}: {device}",
            device.device_type
        ))
        .next(WHICH_DRIVES)
        .next(typed.list()),
        OpenError::OverSgOnly { protocol } => Exit::Usage
            .because(format!("The {protocol} goes over SG_IO only: --via sg."))
            .next(typed.by(Via::Sg)),
        OpenError::NoPacketProtocol => Exit::Usage
            .because(
                "--via sg is for drives with a packet protocol, and this one has none that is \
             documented.",
            )
            .next("Vendor mode, over the same node:")
            .next(typed.by(Via::Ata)),
        OpenError::Unlisted { family, identity } => unlisted(family, identity.as_ref(), typed),
        OpenError::NotDetected(source) => on_the_device(source, typed),
        OpenError::NotEntered(failed) => entry::not_entered(*failed, typed),
    }
}

fn not_on_bench(name: &DriveName, there: &[DriveName], typed: &Request) -> Failure {
    let there: Vec<String> = there.iter().map(ToString::to_string).collect();
    Exit::NoDrive
        .because(format!(
            "There is no drive {name} on this bench; it has {}.",
            there.join(", ")
        ))
        .next("To see who they are:")
        .next(typed.list())
}

fn not_agreed(channel: &ChannelState, answer: Answer, typed: &Request) -> Failure {
    match answer {
        Answer::Yes | Answer::YesBefore | Answer::No => Failure::denied(&Word::Yes, typed),
        Answer::NobodyThere => Failure::nobody_to_ask("", question(channel)),
        Answer::Stop => Failure::job(&JobError::Stopped, typed),
    }
}

fn unlisted(family: &Family, identity: Option<&Identity>, typed: &Request) -> Failure {
    let misfit = Misfit::Unlisted(Unlisted {
        family: family.name,
        drive: identity.cloned(),
    });
    if family.is_for_listed_only() {
        let why = super::objection::misfit(&misfit);
        return Exit::Refused
            .because(format!("{why} No switch lets it be tried."))
            .next("The tool knows the protocol by the drive's name:")
            .next(typed.without_protocol());
    }
    let refusal = Refusal::from(Objection::Protocol(misfit, Guard::Family));
    failure::refused(&refusal, typed)
}

/// An error of the drive's, before anything was changed.
pub fn on_the_device(source: DeviceError, typed: &Request) -> Failure {
    let error = match source {
        DeviceError::Stopped => JobError::Stopped,
        source => JobError::Device {
            source,
            flash: FlashState::Unchanged,
        },
    };
    Failure::job(&error, typed)
}

/// What is not as it was found. A drive without whole firmware is not to be
/// switched off on that account: other advice says what comes first, where the
/// user is `advised` already.
pub fn not_left(error: &LeaveError, advised: bool, typed: &Request) -> Text {
    let what = match error {
        LeaveError::Drive(DeviceError::TaskFile {
            source: TaskFileError::Transport(TransportError::Vanished),
            ..
        }) => "The drive has vanished from the system. Check its power and cable.".to_owned(),
        LeaveError::Drive(error) => {
            let advice = match advised {
                true => "",
                false => " Switch it off and on.",
            };
            format!(
                "The drive may still be in vendor mode ({}).{advice}",
                error.in_words()
            )
        }
        LeaveError::Kernel(error) => return not_brought_back(error, typed),
    };
    format!("Warning: {what}").into()
}

/// The ports were chosen without having been asked for, and could not be had.
fn by_ports_first(error: OpenError, typed: &Request) -> Failure {
    let failure = failure(error, typed);
    match failure.exit {
        Exit::Stopped => failure,
        _ => failure
            .next(
                "On such a channel vendor mode is for the ports. Through the kernel each \
                 command takes 36 ms, which is enough for a check:",
            )
            .next(typed.by(Via::Ata)),
    }
}

/// What users report of a drive in vendor mode.
pub fn reported(report: Report) -> String {
    let model = report.model;
    match report.answers {
        true => format!("an {model} is reported to answer MTKFLASH, in vendor mode"),
        false => format!("an {model} is reported not to answer MTKFLASH, in vendor mode"),
    }
}

#[cfg(test)]
mod tests;
