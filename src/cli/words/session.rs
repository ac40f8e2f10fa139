//! The way to a drive, as its user reads it: why it is not open, what is told
//! beside the way, what is asked, and what is not as it was afterwards.

use super::super::advice::{Command, Line, Shell};
use super::super::args::{Request, Via};
use super::super::exit::Exit;
use super::super::failure::{Failure, named};
use super::super::prompt::Word;
use super::super::report;
use super::super::text::Text;
use super::entry;
use crate::cli::words::{InWords, errors, sentence};
use crate::drive::channel::{ChannelError, ChannelState, Release};
use crate::drive::controller::{Caution, NotByPorts};
use crate::drive::note::{NoteError, Settled};
use crate::drive::permission::release;
use crate::drive::{HoldError, Holder, LocateError, Located, Obstacle, Remedy, Seat};
use crate::job::{Check, FlashState, JobError, Objection, Refusal};
use crate::protocol::DeviceError;
use crate::protocol::detect::{Detected, Reason};
use crate::protocol::download::{Guard, Misfit, Unlisted};
use crate::protocol::packet::Family;
use crate::protocol::vendor_mode::reported::Report;
use crate::scsi::Identity;
use crate::session::{Answer, At, By, DriveName, Event, Guess, Label, LeaveError, OpenError, Said};
use crate::transport::port::PortOpenError;
use crate::transport::sg_io::SgOpenError;
use crate::transport::{IdentifyError, TaskFileError, TransportError};

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
        DriveName::Path(_) | DriveName::Port(_) | DriveName::Serial(_) => {
            format!("{called} ({at})")
        }
    }
}

/// Why a drive is not open.
pub fn failure(error: OpenError, typed: &Request) -> Failure {
    let no_drive = |what: String| Failure::new(Exit::NoDrive, sentence(&what));
    match error {
        OpenError::NoPosition(index) => {
            Failure::new(Exit::Usage, format!("There is no drive {index}."))
        }
        OpenError::NotOnBench { name, there } => not_on_bench(&name, &there, typed),
        OpenError::NotBySerial { serial, found } if found.is_empty() => {
            no_drive(format!("no drive says that its serial number is {serial}"))
                .next(WHICH_DRIVES)
                .next(typed.list())
        }
        OpenError::NotBySerial { serial, found } => found.into_iter().fold(
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
        OpenError::UnknownToKernel { label: drive } => no_drive(format!(
            "the kernel does not know {}: the drive is dead, or there is none",
            label(&drive)
        ))
        .next("A dead drive on an IDE port is reached without the kernel:")
        .next(typed.by(Via::Port)),
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
        OpenError::OverSgOnly { protocol } => Failure::new(
            Exit::Usage,
            format!("The {protocol} goes over SG_IO only: --via sg."),
        )
        .next(typed.by(Via::Sg)),
        OpenError::NoPacketProtocol => Failure::new(
            Exit::Usage,
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
    Failure::new(
        Exit::NoDrive,
        format!(
            "There is no drive {name} on this bench; it has {}.",
            there.join(", ")
        ),
    )
    .next("To see who they are:")
    .next(typed.list())
}

fn not_agreed(channel: &ChannelState, answer: Answer, typed: &Request) -> Failure {
    match answer {
        Answer::Yes | Answer::YesBefore | Answer::No => Failure::denied(&Word::Yes, typed),
        Answer::NobodyThere => Failure::nobody_to_ask(&question(channel)),
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
        return Failure::new(Exit::Refused, format!("{why} No switch lets it be tried."))
            .next("The tool knows the protocol by the drive's name:")
            .next(typed.without_protocol());
    }
    let refusal = Refusal::from(Objection::Protocol(misfit, Guard::Family));
    Failure::job(&refusal.into(), typed)
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

/// What is told on the way; `None` for what is shown as a countdown.
pub fn told(event: &Event, typed: &Request) -> Option<Text> {
    let words = match event {
        Event::Settled(settled) => return Some(self::settled(settled)),
        Event::Guessed { called, guess } => guessed(called, guess),
        Event::PollingLeftOn(why) => polled(why),
        Event::Detected(detected) => self::detected(detected),
        Event::GivenUp(channel) => return Some(question(channel)),
        Event::Said(said) => return Some(self::said(said)).filter(|text| !text.is_empty()),
        Event::TakenOver => "Note: an earlier run was ended in the middle, and this one goes on \
                             with the channel as it was left."
            .to_owned(),
        Event::OnAList(family) => format!(
            "Note: this drive is on the list of {} drives, which are flashed by packets.",
            family.name
        ),
        Event::NotGivenBack(error) => return Some(not_brought_back(error, typed)),
        Event::Waiting(_) | Event::WaitingEnded => return None,
    };
    Some(words.into())
}

fn detected(detected: &Detected) -> String {
    let family = Family::of(detected.protocol).map_or("", |family| family.name);
    match &detected.reason {
        Reason::Named => "The protocol is the one that you named.".to_owned(),
        Reason::Nameless => {
            "The drive does not say what it is; vendor mode needs no working firmware.".to_owned()
        }
        Reason::Unlisted { .. } => {
            "The drive is on no list of drives with a packet protocol, so this goes on in vendor mode."
                .to_owned()
        }
        Reason::Listed { .. } => format!("The drive is on the list of {family} drives."),
        Reason::ListedWithBanner { banner, .. } => {
            let banner = match banner {
                Some(banner) => format!("Its boot banner is \"{}\".", banner.trim_end()),
                None => "It shows no boot banner.".to_owned(),
            };
            format!("The drive is on the list of {family} drives. {banner}")
        }
    }
}

fn said(said: &Said) -> Text {
    let mut text = Text::default();
    match said {
        Said::Device { device, by, other } => {
            // Through the kernel it is the one that is shown anyway.
            if let (By::Ports, _) | (_, Some(_)) = (by, other) {
                let way = match by {
                    By::Ports => "by the ports of its channel",
                    By::AtaPassthrough => "by ATA PASS-THROUGH",
                };
                text.words(&format!("Asked {way}, the drive says that it is {device}."));
            }
            if let Some(other) = other {
                text.words(&format!(
                    "Warning: the kernel remembers another model there, {}.",
                    report::identity(other)
                ));
            }
        }
        Said::Nothing { error, remembered } => {
            let asked = match error {
                IdentifyError::NoData => "The drive cannot be asked who it is",
                _ => "The drive does not say who it is",
            };
            let counts = match error {
                IdentifyError::NoData => "counts",
                _ => "does not count: it may have been another drive",
            };
            text.words(&format!("{asked}: {}.", error.in_words()));
            if let Some(name) = remembered.as_ref().map(report::identity) {
                text.words(&format!(
                    "The kernel remembers {name} there, which {counts}."
                ));
            }
        }
    }
    text
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

fn not_located(error: &LocateError, typed: &Request) -> Failure {
    let mut failure = Failure::new(Exit::NoDrive, sentence(&error.in_words()));
    if let LocateError::NoDrive { others: drives, .. }
    | LocateError::Ambiguous {
        candidates: drives, ..
    } = error
    {
        failure.details.rows("Drives", drives.iter().map(by_path));
    }
    match error {
        LocateError::InTheWay(obstacle) => in_the_way(obstacle, typed),
        LocateError::NoDrive {
            position, legacy, ..
        } if *legacy != Some(false) => failure
            .next(WHICH_DRIVES)
            .next(typed.list())
            .next("A dead drive, which the kernel does not list, may answer at the legacy ports:")
            .next(typed.check_at_ports(position.number()).as_root()),
        LocateError::NothingAtPort { .. } => failure
            .next("A dead drive, which the kernel does not list, may answer at the port itself:")
            .next(typed.check_by_ports().as_root())
            .next(WHICH_DRIVES)
            .next(typed.list()),
        LocateError::NoDrive { .. }
        | LocateError::Ambiguous { .. }
        | LocateError::NotOptical { .. }
        | LocateError::NotADrive { .. }
        | LocateError::NoDevice { .. }
        | LocateError::Io { .. } => failure.next(WHICH_DRIVES).next(typed.list()),
    }
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

/// A SATA port on which other drives keep the driver.
fn no_wait(source: &ChannelError, typed: &Request) -> Failure {
    Failure::new(
        Exit::NoDrive,
        format!(
            "On a SATA port the kernel notices when a drive is switched off and on, and speaks to \
             it then: --wait needs the controller's driver away, and that cannot be. {}",
            sentence(&source.in_words())
        ),
    )
    .next("With the drive prepared already, without the wait:")
    .next(typed.without_wait())
}

/// What helps where a channel shares its interrupt line.
const ANOTHER_LINE: &str = "Put the card into another slot, which has another line, or the drive on \
                            another controller. Through the kernel, for a check:";

fn storm(neighbours: &[String], source: &TransportError, typed: &Request) -> Failure {
    let shared = match neighbours {
        [] => String::new(),
        neighbours => format!(" It is shared with {}.", neighbours.join(", ")),
    };
    Failure::new(
        Exit::NoDrive,
        format!(
            "{}{shared} The kernel would switch it off for all of them, so everything was given \
             back.",
            sentence(&source.in_words())
        ),
    )
    .next(ANOTHER_LINE)
    .next(typed.by(Via::Ata))
}

/// A drive by what a user can type.
fn by_path(drive: &Located) -> String {
    let node = match drive.node() {
        Some(node) => node.display().to_string(),
        None => format!("(no node) {}", drive.address),
    };
    format!("{node}  {}", report::identity(&drive.known_as))
}

fn not_held(error: &HoldError, typed: &Request) -> Failure {
    let failure = |exit| Failure::new(exit, sentence(&error.in_words()));
    match error {
        HoldError::InTheWay(obstacle) => in_the_way(obstacle, typed),
        HoldError::Medium { node } | HoldError::Starting { node } => failure(Exit::Refused)
            .next(Shell::Eject(node.clone()))
            .next(typed.same())
            .next(named("To go on with the disc in it", Check::Medium)),
        HoldError::Changed { .. } => failure(Exit::NoDrive)
            .next("To see where it is now, before anything is typed again:")
            .next(typed.list()),
        HoldError::Transport { source, .. } => {
            let failure = failure(Exit::NoDrive);
            match source {
                TransportError::Vanished => failure.next(WHEN_BACK).next(typed.same()),
                TransportError::NotPermitted => failure.next(typed.as_root()),
                TransportError::Io(_) | TransportError::Storm { .. } => {
                    failure.next(OFF_AND_ON).next(typed.same())
                }
            }
        }
    }
}

fn not_detached(error: &ChannelError, typed: &Request) -> Failure {
    let failure = Failure::new(Exit::NoDrive, sentence(&error.in_words()));
    match error {
        ChannelError::InTheWay(obstacle) => in_the_way(obstacle, typed),
        ChannelError::Note(error) => not_noted(error, failure, typed),
        ChannelError::Hidden => failure.next(typed.as_root()),
        ChannelError::InUse { device, .. } => {
            let node = device.located.node().unwrap_or(&device.located.sysfs);
            let remedy = release(node, &device.holders);
            released(&device.holders, remedy, failure).next(typed.same())
        }
        ChannelError::NotOptical { .. } => failure
            .next("Put the drive on the other channel, or start the computer from another disk.")
            .next(HOW_REACHED)
            .next(typed.list()),
        ChannelError::NoDriver { controller, .. } => failure
            .next("To load its driver, and then the same again:")
            .next(Shell::LoadDriverOf {
                controller: controller.clone(),
            })
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
    match error {
        NotByPorts::Ahci { .. } => failure
            .next("An IDE mode in the computer's setup, where it has one, gives it such registers.")
            .next(BY_THE_KERNEL)
            .next(typed.by(Via::Ata)),
        NotByPorts::OwnEngine { .. } | NotByPorts::NotIde { .. } => {
            failure.next(BY_THE_KERNEL).next(typed.by(Via::Ata))
        }
        NotByPorts::RaidMode { .. } => failure
            .next(
                "The card's own setup, at the start of the computer, may have a pass-through mode.",
            )
            .next(BY_THE_KERNEL)
            .next(typed.by(Via::Ata)),
        NotByPorts::PortsOff { .. } | NotByPorts::Asleep { .. } | NotByPorts::Changed { .. } => {
            failure
                .next("Restart the computer, and type the same again:")
                .next(typed.same())
        }
        NotByPorts::GivenAway { .. } => failure
            .next("When the kernel's own driver has it again, type the same again:")
            .next(typed.same()),
        NotByPorts::NoFunction { .. }
        | NotByPorts::NoPort { .. }
        | NotByPorts::NoSlave { .. }
        | NotByPorts::NoRegion { .. }
        | NotByPorts::NoDriver { .. } => failure.next(HOW_REACHED).next(typed.list()),
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

/// An obstacle and the one command that helps.
fn in_the_way(obstacle: &Obstacle, typed: &Request) -> Failure {
    let failure = Failure::new(Exit::NoDrive, sentence(&obstacle.in_words()));
    let remedy = obstacle.remedy();
    let command: Line = match &remedy {
        Some(remedy) => remedy.clone().into(),
        None if obstacle.needs_root() => typed.as_root().into(),
        None => typed.same(),
    };
    match obstacle {
        Obstacle::NeedsRoot { .. }
        | Obstacle::PortsNeedRoot
        | Obstacle::Filtered { has_sg: true, .. } => failure.next(command),
        Obstacle::NodeNotMade { .. }
        | Obstacle::NoSgModule
        | Obstacle::NoNode { .. }
        | Obstacle::Filtered { has_sg: false, .. }
        | Obstacle::PortOpen(PortOpenError::NotADevice) => failure.next(command).next(typed.same()),
        Obstacle::NotInGroup { .. } => failure
            .next(command)
            .next("Then log out and in, and type the same again:")
            .next(typed.same())
            .next("Or at once, as root:")
            .next(typed.as_root()),
        Obstacle::Container { .. } | Obstacle::PortsInContainer => failure
            .next("Start the container so, and type the same again there:")
            .next(command)
            .next(typed.same()),
        Obstacle::Refused { .. }
        | Obstacle::PortOpen(
            PortOpenError::NotPermitted { .. } | PortOpenError::KernelRefuses,
        ) => failure
            .next("A sandbox or a security module may stand behind it. What the kernel says:")
            .next(command)
            .next("Outside of it, type the same again:")
            .next(typed.same()),
        Obstacle::Busy { holders, .. } => released(holders, remedy, failure).next(typed.same()),
        Obstacle::LockedDown { .. } => failure
            .next("This restarts the computer into that setup, the same again is for afterwards:")
            .next(command)
            .next(typed.same()),
        Obstacle::NoPorts => failure
            .next("Live systems of the large distributions give it: type the same again in one of them:")
            .next(command),
        Obstacle::NodeMissing { .. }
        | Obstacle::Open(
            SgOpenError::Missing { .. }
            | SgOpenError::NoDevice { .. }
            | SgOpenError::NotScsi { .. },
        ) => failure.next(WHICH_DRIVES).next(typed.list()),
        Obstacle::Open(SgOpenError::Io { .. }) => failure.next(OFF_AND_ON).next(command),
        Obstacle::Open(SgOpenError::NotPermitted { .. } | SgOpenError::Busy { .. })
        | Obstacle::PortOpen(
            PortOpenError::Missing
            | PortOpenError::NoResource { .. }
            | PortOpenError::Io { .. },
        ) => failure
            .next("When the cause of that is gone, type the same again:")
            .next(command),
    }
}

/// How a drive gets free, without the command that is to follow.
fn released(holders: &[Holder], remedy: Option<Remedy>, failure: Failure) -> Failure {
    let is_ours =
        |holder: &Holder| matches!(holder, Holder::Process { name, .. } if name == "mtkflash");
    match remedy {
        Some(remedy) if holders.is_empty() => failure
            .next("To see who has it:")
            .next(remedy)
            .next(WHEN_FREE),
        Some(remedy) => failure.next(remedy),
        _ if holders.iter().any(is_ours) => {
            failure.next("When that run has ended, type the same again:")
        }
        _ => failure.next("End what uses it, then type the same again:"),
    }
}

/// What was on a channel and is not as it was.
fn not_brought_back(error: &ChannelError, typed: &Request) -> Text {
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

/// What became of a change that a crashed run has left.
fn settled(settled: &Settled) -> Text {
    let Settled { undo, outcome } = settled;
    match outcome {
        Ok(()) => format!(
            "Note: an earlier run was ended in the middle; {} is restored.",
            errors::drive::undone(undo)
        )
        .into(),
        Err(error) => Text::from(format!(
            "Warning: an earlier run was ended in the middle, and {} cannot be restored: {}. \
             By hand:",
            errors::drive::undone(undo),
            error.in_words(),
        ))
        .command("", Command::Shell(Shell::Restore(undo.clone())))
        .finish(),
    }
}

/// A position that is a guess.
fn guessed(called: &DriveName, guess: &Guess) -> String {
    let path = guess.node.as_deref().map_or_else(String::new, |node| {
        format!(" To be sure, name it by its path: {}", node.display())
    });
    format!(
        "Note: a SATA port has no master and no slave. That drive {called} is the one at port {} \
         is a guess; look at its name.{path}",
        guess.port
    )
}

/// Media polling that goes on.
fn polled(why: &NoteError) -> String {
    format!(
        "Note: the kernel goes on looking for discs in the drive, which does no harm while it is \
         held: {}.",
        why.in_words()
    )
}

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
    if let Some(irq) = state.access.irq().filter(|_| !state.neighbours.is_empty()) {
        question.words(&format!(
            "Interrupt line {irq} is shared with {}. It is watched during the first commands, and \
             everything is given back where it does not stay at rest.",
            state.neighbours.join(", ")
        ));
    }
    if state.access.caution() == Some(Caution::ReportedNotToWork) {
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
    question.command_behind("  ", Command::Shell(Shell::Restore(state.undo())));
    question
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
