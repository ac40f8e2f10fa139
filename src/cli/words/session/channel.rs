//! What the kernel is asked to give up for the ports of a channel, why it is not had,
//! and what of it is not as it was.

use super::obstacle::{in_the_way, released};
use super::{HOW_REACHED, WHICH_DRIVES};
use crate::cli::advice::{Command, Shell};
use crate::cli::args::{Request, Via};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::text::Text;
use crate::cli::words::{InWords, sentence};
use crate::drive::channel::{ChannelError, ChannelState, Release};
use crate::drive::controller::{NotByPorts, WhyNot};
use crate::drive::note::NoteError;
use crate::transport::TransportError;

/// What the kernel is to give up for the ports, and what that costs.
pub fn question(state: &ChannelState) -> Text {
    let mut question = Text::default();
    if !state.devices.is_empty() {
        question.words(match state.release {
            Release::Devices => {
                "The registers of a channel are shared, so the kernel must give up what it has \
                 there:"
            }
            Release::Driver => {
                "The kernel notices when a drive on this port is switched off and on, and speaks to \
                 it then. So its driver must give up the whole controller, and with it:"
            }
        });
        for device in &state.devices {
            question.words_behind("  ", &device.name());
        }
    }
    if let Some(irq) = state.channel.irq.filter(|_| !state.neighbours.is_empty()) {
        question.words(&format!(
            "Interrupt line {irq} is shared with {}. It is watched during the first commands, and \
             everything is given back where it does not stay at rest.",
            state.neighbours.join(", ")
        ));
    }
    if state.channel.is_doubted {
        question.words(
            "Drives are reported not to answer at the ports of this controller. Nothing is lost by \
             asking.",
        );
    }
    question.words(match (state.release, state.devices.is_empty()) {
        (_, true) => "Should this program be killed, give the channel back by:",
        (Release::Devices, false) => {
            "It comes back under the same names afterwards. Should this program be killed, bring it \
             back by:"
        }
        (Release::Driver, false) => {
            "It comes back afterwards. Should this program be killed, bring it back by:"
        }
    });
    question.command_behind("  ", Command::Shell(Shell::Restore(state.undo.clone())));
    question
}

/// What helps where a channel shares its interrupt line.
const ANOTHER_LINE: &str = "Put the card into another slot, which has another line, or the drive on \
                            another controller. Through the kernel, for a check:";

pub(super) fn storm(neighbours: &[String], source: &TransportError, typed: &Request) -> Failure {
    let shared = match neighbours {
        [] => String::new(),
        neighbours => format!(" It is shared with {}.", neighbours.join(", ")),
    };
    Exit::NoDrive
        .because(format!(
            "{}{shared} The kernel would switch it off for all of them, so everything was given \
             back.",
            sentence(&source.in_words())
        ))
        .next(ANOTHER_LINE)
        .next(typed.by(Via::Ata))
}

/// A SATA port on which other drives keep the driver.
pub(super) fn no_wait(source: &ChannelError, typed: &Request) -> Failure {
    Exit::NoDrive
        .because(format!(
            "On a SATA port the kernel notices when a drive is switched off and on, and speaks to \
             it then: --wait needs the controller's driver away, and that cannot be. {}",
            sentence(&source.in_words())
        ))
        .next("With the drive prepared already, without the wait:")
        .next(typed.without_wait())
}

pub(super) fn not_detached(error: &ChannelError, typed: &Request) -> Failure {
    let failure = Exit::NoDrive.because(sentence(&error.in_words()));
    match error {
        ChannelError::InTheWay(obstacle) => in_the_way(obstacle, typed),
        ChannelError::Note(error) => not_noted(error, failure, typed),
        ChannelError::Hidden => failure.next(typed.as_root()),
        ChannelError::InUse { device, .. } => {
            let node = device.located.node().unwrap_or(&device.located.sysfs);
            released(node, &device.holders, failure).next(typed.same())
        }
        ChannelError::NotOptical { .. } => failure
            .next("Put the drive on the other channel, or start the computer from another disk.")
            .next(HOW_REACHED)
            .next(typed.list()),
        ChannelError::NoDriver { controller, .. } => failure
            .next("To load its driver, and then the same again:")
            .next(Shell::LoadDriverOf(controller.clone()))
            .next(typed.same()),
        ChannelError::NoChannel { .. } => failure
            .next(
                "The positions 1-4 are those of the legacy ports. A drive on another IDE controller \
                 is named by its port; to see which there are:",
            )
            .next(typed.list()),
        ChannelError::OtherDriver { .. } => failure.next(HOW_REACHED).next(typed.list()),
        ChannelError::NotByPorts(error) => not_by_ports(error, failure, typed),
        ChannelError::SharedLine { .. } => failure.next(ANOTHER_LINE).next(typed.by(Via::Ata)),
        ChannelError::NotDetached { .. } => failure
            .next("The kernel has its drives still. To try once more:")
            .next(typed.same()),
        ChannelError::NotBack { undo, .. } => failure
            .next("Switch the drive off and on, then:")
            .next(undo.clone()),
    }
}

/// A controller or port whose registers are none of IDE, or not to be had.
fn not_by_ports(error: &NotByPorts, failure: Failure, typed: &Request) -> Failure {
    const BY_THE_KERNEL: &str = "Through the kernel, where it lists the drive:";
    match error.why {
        WhyNot::Ahci => failure
            .next("An IDE mode in the computer's setup, where it has one, gives it such registers.")
            .next(BY_THE_KERNEL)
            .next(typed.by(Via::Ata)),
        WhyNot::OwnEngine { .. } | WhyNot::NotIde { .. } => {
            failure.next(BY_THE_KERNEL).next(typed.by(Via::Ata))
        }
        WhyNot::RaidMode { .. } => failure
            .next(
                "The card's own setup, at the start of the computer, may have a pass-through mode.",
            )
            .next(BY_THE_KERNEL)
            .next(typed.by(Via::Ata)),
        WhyNot::PortsOff | WhyNot::Asleep { .. } | WhyNot::Changed => failure
            .next("Restart the computer, and type the same again:")
            .next(typed.same()),
        WhyNot::GivenAway { .. } => failure
            .next("When the kernel's own driver has it again, type the same again:")
            .next(typed.same()),
        WhyNot::NoFunction
        | WhyNot::NoPort { .. }
        | WhyNot::NoSlave { .. }
        | WhyNot::NoRegion { .. }
        | WhyNot::NoDriver => failure.next(HOW_REACHED).next(typed.list()),
    }
}

fn not_noted(error: &NoteError, failure: Failure, typed: &Request) -> Failure {
    match error {
        NoteError::Held => failure.next("When that run has ended, type the same again:"),
        NoteError::Io { .. } => failure.next("When it can be written, type the same again:"),
        NoteError::NotOurs { .. } => {
            failure.next("Look at what it is and move it away, then type the same again:")
        }
        NoteError::NotSettled { undo, .. } | NoteError::NotTakenBack { undo, .. } => failure
            .next("To restore it by hand, and then the same again:")
            .next(undo.clone()),
    }
    .next(typed.same())
}

/// What was on a channel and is not as it was.
pub(super) fn not_brought_back(error: &ChannelError, typed: &Request) -> Text {
    let undo = match error {
        ChannelError::NotBack { undo, .. } => Some(("Switch the drive off and on, then:", undo)),
        ChannelError::Note(error) => error.undo().map(|undo| ("By hand:", undo)),
        _ => None,
    };
    let (how, command) = match undo {
        Some((how, undo)) => (how, Command::Shell(Shell::Restore(undo.clone()))),
        None => (WHICH_DRIVES, Command::Flash(typed.list().into())),
    };
    let what = sentence(&error.in_words());
    let mut text = Text::from(format!("Warning: {what} {how}"));
    text.command("", command);
    text
}
