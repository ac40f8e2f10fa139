//! Drives that are not there, not free or not to be had.

use std::path::Path;

use crate::cli::words::InWords;
use crate::drive::ask::{AskError, TIME_OUT};
use crate::drive::channel::ChannelError;
use crate::drive::controller::{NotByPorts, WhyNot};
use crate::drive::hold::START;
use crate::drive::note::{NoteError, Undo};
use crate::drive::position::channel_name;
use crate::drive::{HoldError, Holder, LocateError, Obstacle};
use crate::scsi::Sense;
use crate::transport::{Completion, Verdict};

impl InWords for ChannelError {
    fn in_words(&self) -> String {
        match self {
            ChannelError::NoChannel { channel } => format!(
                "no IDE controller is in compatibility mode with the {} channel at {:X}h \
         (/proc/ioports lists none)",
                channel_name(*channel),
                channel.base()
            ),
            ChannelError::NotByPorts(found) => found.in_words(),
            ChannelError::NoDriver { on, .. } => format!(
                "no driver of the kernel has the controller of {on}, so that it is not known what is on \
         it: a disk, perhaps"
            ),
            ChannelError::Hidden => {
                "/proc/ioports shows its addresses to root only, and --via port needs root anyway"
                    .to_owned()
            }
            ChannelError::OtherDriver { on, driver } => format!(
                "{on} belongs to the driver {driver}, which this program does not know how to take a \
         drive from"
            ),
            ChannelError::NotOptical { on, device } => format!(
                "{on} also carries a device that must not lose its channel: {}",
                device.name()
            ),
            ChannelError::InUse { on, device } => format!(
                "{on} is in use: {}{}",
                device.name(),
                listed(", ", &device.holders)
            ),
            ChannelError::SharedLine { on, irq, disks } => format!(
                "{on} shares interrupt line {irq} with the controller of {}, and its own interrupts \
         cannot be kept quiet",
                disks.join(", ")
            ),
            ChannelError::InTheWay(found) => found.in_words(),
            ChannelError::Note(found) => found.in_words(),
            ChannelError::NotDetached { device, source } => {
                format!(
                    "the kernel did not give up {}: {}",
                    device.display(),
                    source.in_words()
                )
            }
            ChannelError::NotBack { missing, .. } => {
                format!("the kernel has not found again: {}", missing.join(", "))
            }
        }
    }
}

impl InWords for LocateError {
    fn in_words(&self) -> String {
        match self {
            LocateError::NoDrive {
                position, legacy, ..
            } => format!(
                "there is no drive at position {} ({position}){}",
                position.number(),
                no_ports_hint(*legacy)
            ),
            LocateError::Ambiguous {
                position,
                controllers,
                ..
            } => format!(
                "position {} ({position}) could be on any of {} controllers, none of them at the legacy \
         ports: name the drive by its path",
                position.number(),
                controllers.len()
            ),
            LocateError::NothingAtPort { name } => format!("the kernel knows no drive at {name}"),
            LocateError::NotOptical { name, device_type } => {
                format!("{name} is a {device_type}, not an optical drive")
            }
            LocateError::NotADrive { path } => format!(
                "{} is no drive: a drive is /dev/srN, /dev/sgN or a link to one of them",
                path.display()
            ),
            LocateError::NoDevice { path } => {
                format!("there is no device behind {}", path.display())
            }
            LocateError::InTheWay(found) => found.in_words(),
            LocateError::Io { path, source } => because(path, "cannot be looked at", source),
        }
    }
}

impl InWords for HoldError {
    fn in_words(&self) -> String {
        match self {
            HoldError::InTheWay(found) => found.in_words(),
            HoldError::Medium { node } => {
                format!("there is a disc in {}; eject it first", node.display())
            }
            HoldError::Starting { node } => format!(
                "{} has been starting for {} s and does not say whether there is a disc in it",
                node.display(),
                START.as_secs()
            ),
            HoldError::Changed { sysfs } => format!(
                "the drive at {} has changed its place or its names just now",
                sysfs.display()
            ),
            HoldError::Transport { node, source } => because(node, "does not answer", source),
        }
    }
}

impl InWords for NotByPorts {
    fn in_words(&self) -> String {
        let address = self.address;
        match &self.why {
            WhyNot::NoFunction => format!("there is no PCI function {address}"),
            WhyNot::NotIde { class } => {
                format!("{address} is no IDE controller (class {class:06x})")
            }
            WhyNot::Ahci => {
                format!("{address} is a SATA controller in AHCI mode, which has no IDE registers")
            }
            WhyNot::OwnEngine { name } => format!(
                "{address} ({name}) takes commands through an engine of its own, not through IDE \
         registers"
            ),
            WhyNot::RaidMode { name } => format!(
                "{address} ({name}) is in RAID mode, and passes commands on in pass-through mode only"
            ),
            WhyNot::NoPort { port } => format!("{address} has no port {port}"),
            WhyNot::NoSlave { port } => {
                format!("port {port} of {address} is a SATA port, which has no slave")
            }
            WhyNot::NoRegion { port, region } => format!(
                "the kernel has no I/O ports for port {port} of {address} (region {region})"
            ),
            WhyNot::NoDriver => format!(
                "no driver of the kernel has {address}, so that it is not known what is on it"
            ),
            WhyNot::GivenAway { driver } => format!(
                "{address} belongs to the driver {driver}, which has given it to another program"
            ),
            WhyNot::PortsOff => format!(
                "{address} does not answer at its I/O ports (bit 0 of its PCI command register is 0)"
            ),
            WhyNot::Changed => format!(
                "{address} is not what it was a moment ago: its ids or its I/O ports have changed"
            ),
            WhyNot::Asleep { state } => {
                format!("{address} is asleep (power state {state})")
            }
        }
    }
}

impl InWords for Obstacle {
    fn in_words(&self) -> String {
        match self {
            Obstacle::NotInGroup { node, group } => format!("no permission to open {}: it belongs to the group {group}, and you are not in it \
         (joining it counts from the next login)", node.display()),
            Obstacle::NeedsRoot { node } => format!("only root may open {}", node.display()),
            Obstacle::Container { node, .. } => format!("{} is not to be had in this container; the container must be started with it", node.display()),
            Obstacle::PortsInContainer => "the I/O ports are not to be had in this container, unless it is started with all rights".to_owned(),
            Obstacle::Refused { node } => format!("the system refuses to open {}, although its permissions allow it", node.display()),
            Obstacle::NodeMissing { node } => format!("{} does not exist", node.display()),
            Obstacle::NodeNotMade { node } => format!("the kernel has the drive as {}, and that node does not exist", node.display()),
            Obstacle::NoSgModule => "the drive has no /dev/sg node, because the kernel's sg module is not loaded".to_owned(),
            Obstacle::NoNode { address } => format!("no driver of the kernel gives access to the drive at {}", address),
            Obstacle::Filtered { node, .. } => format!("the kernel does not let this command through {}: it takes vendor commands there \
         from root only (CAP_SYS_RAWIO)", node.display()),
            Obstacle::Busy { node, holders } => format!("{} is in use{}", node.display(), listed(": ", holders)),
            Obstacle::LockedDown { mode } => format!("the kernel is locked down ({mode}), as it is under Secure Boot, and gives no access \
         to I/O ports; Secure Boot can be switched off in the firmware's setup"),
            Obstacle::NoPorts => "/dev/port does not exist: this kernel gives no access to I/O ports".to_owned(),
            Obstacle::PortsNeedRoot => "only root may use the I/O ports (CAP_SYS_RAWIO)".to_owned(),
            Obstacle::Open(found) => found.in_words(),
            Obstacle::PortOpen(found) => found.in_words(),
        }
    }
}

impl InWords for AskError {
    fn in_words(&self) -> String {
        match self {
            AskError::Transport(found) => found.in_words(),
            AskError::TimedOut => format!(
                "the drive did not answer INQUIRY within {} s",
                TIME_OUT.as_secs()
            ),
            AskError::Failed(found) => format!("INQUIRY failed: {}", unanswered(found)),
            AskError::Short { bytes } => {
                format!("of the answer to INQUIRY only {bytes} bytes got through")
            }
            AskError::Nonsense => "the answer to INQUIRY makes no sense".to_owned(),
        }
    }
}

impl InWords for NoteError {
    fn in_words(&self) -> String {
        match self {
            NoteError::Held => "another mtkflash is at work here".to_owned(),
            NoteError::Io { path, source } => because(path, "cannot be written", source),
            NoteError::NotOurs { path } => format!("{} is not this program's own", path.display()),
            NoteError::NotSettled { undo, source } => format!(
                "an earlier mtkflash was ended in the middle, and {} cannot be restored: {}",
                undone(undo),
                source.in_words()
            ),
            NoteError::NotTakenBack { undo, source } => {
                format!("{} cannot be restored: {}", undone(undo), source.in_words())
            }
        }
    }
}

/// What is wrong with a file or a node, and why.
fn because(path: &Path, what: &str, source: &impl InWords) -> String {
    format!("{} {what}: {}", path.display(), source.in_words())
}

fn no_ports_hint(legacy: Option<bool>) -> &'static str {
    match legacy {
        Some(true) | None => "",
        Some(false) => {
            ", and no IDE channel of this machine is at the legacy ports, where --via port would \
             reach a dead one"
        }
    }
}

fn unanswered(completion: &Completion) -> String {
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

/// What a note is to restore.
pub fn undone(undo: &Undo) -> &'static str {
    match undo.is_scan() {
        true => "what the kernel had on an IDE channel",
        false => "the kernel's media polling of a drive",
    }
}

/// Behind what stands before the first one.
fn listed(first: &str, holders: &[Holder]) -> String {
    let holders: Vec<String> = holders.iter().map(InWords::in_words).collect();
    match holders.is_empty() {
        true => String::new(),
        false => format!("{first}{}", holders.join(", ")),
    }
}

impl InWords for Holder {
    fn in_words(&self) -> String {
        match self {
            Holder::Mount { at } => format!("mounted at {}", at.display()),
            Holder::Device { name } => format!("used by the block device {name}"),
            Holder::Process { pid, name } => format!("open in {name} (process {pid})"),
        }
    }
}
