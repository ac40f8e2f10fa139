//! The way to a drive, step by step.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use super::Session;
use super::error::{NotEntered, OpenError};
use super::event::Event;
use super::identify::{self, Identified};
use super::machine::{Held, Lent, Machine, Registers, Spot, Taken};
use super::name::{DriveName, Label, Via};
use super::refusals::Refusals;
use super::user::{Answer, User};
use super::watch;
use super::wish::{Patience, Wish};
use crate::drive::Position;
use crate::protocol::packet::{Family, PacketDrive};
use crate::protocol::vendor_mode::{VendorMode, VendorModeDrive};
use crate::protocol::{DeviceError, FirmwareDevice, detect};
use crate::scsi::Identity;
use crate::transport::{
    AtaPassthrough, Clock, PortTaskFile, TaskFile, TaskFileError, TransportError,
};

/// One vendor-mode command takes microseconds to milliseconds. A drive that
/// raises no interrupt makes the kernel wait this long for each.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(5);

type Device = Box<dyn FirmwareDevice + Send>;

/// Opens a drive and brings it to where its firmware can be reached.
///
/// # Errors
/// [`OpenError`]; the drive is left, and the kernel has back what it had.
pub fn open(
    machine: &dyn Machine,
    name: &DriveName,
    wish: &Wish,
    user: &mut dyn User,
) -> Result<Session, OpenError> {
    wish.check()?;
    for settled in machine.settle() {
        user.tell(Event::Settled(settled));
    }
    let mut opening = Opening {
        machine,
        wish,
        user,
    };
    match wish.via {
        Some(Via::Port) => opening.by_ports(opening.position(name)?),
        Some(Via::Sg | Via::Ata) | None => opening.by_kernel(name),
    }
}

/// A drive on its way into vendor mode.
struct Target {
    label: Label,
    place: String,
    by_ports: bool,
    /// What it is called on the ports, where those lead to it.
    ports: Option<DriveName>,
}

struct Opening<'a> {
    machine: &'a dyn Machine,
    wish: &'a Wish,
    user: &'a mut dyn User,
}

impl Opening<'_> {
    fn by_kernel(&mut self, name: &DriveName) -> Result<Session, OpenError> {
        let spot = self.machine.locate(name)?;
        if let Some(guess) = spot.guess() {
            let called = name.clone();
            self.user.tell(Event::Guessed { called, guess });
        }
        let held = spot.hold(self.wish.medium)?;
        let mut held = watch::held(held, self.user.watch());
        if let Some(why) = held.polling.take() {
            self.user.tell(Event::PollingLeftOn(why));
        }
        let clock = Arc::clone(&held.clock);
        let identity = identify::by_inquiry(&mut held, &spot.label())?;
        let device = match self.family(&mut held, identity.as_ref())? {
            Some(family) => packet_drive(family, identity, held),
            None if self.wish.via == Some(Via::Sg) => return Err(OpenError::NoPacketProtocol),
            None => self.by_ata(spot.as_ref(), held, identity)?,
        };
        Ok(Session {
            label: spot.label(),
            place: spot.place(),
            device,
            clock,
            at_ports: spot.at_ports(),
            lent: None,
        })
    }

    /// The family of a drive that is to be spoken to by packets.
    fn family(
        &mut self,
        held: &mut Held,
        identity: Option<&Identity>,
    ) -> Result<Option<&'static Family>, OpenError> {
        if self.wish.via == Some(Via::Ata) {
            return Ok(None);
        }
        let detected = detect(held.packets.as_mut(), identity, self.wish.protocol)
            .map_err(OpenError::NotDetected)?;
        let family = Family::of(detected.protocol);
        self.user.tell(Event::Detected(detected));
        match family {
            // A family's commands, those for reading among them, go to its listed
            // drives only: a strange one may hang at them.
            Some(family) if !self.wish.any_family && family.unlisted(identity).is_some() => {
                Err(OpenError::Unlisted {
                    family,
                    identity: identity.cloned(),
                })
            }
            family => Ok(family),
        }
    }

    /// Vendor mode through the kernel.
    fn by_ata(
        &mut self,
        spot: &dyn Spot,
        held: Held,
        identity: Option<Identity>,
    ) -> Result<Device, OpenError> {
        let mut task_file = AtaPassthrough::new(held.packets, COMMAND_TIMEOUT);
        let identified = identify::by_kernel(task_file.identify(), identity);
        let target = Target {
            label: spot.label(),
            place: spot.place(),
            by_ports: false,
            ports: spot.at_ports().map(|at| DriveName::Index(at.number())),
        };
        self.enter(target, identified, Box::new(task_file), held.clock)
            .map_err(|failed| match held.filter {
                Some(filter) if is_forbidden(&failed.source) => filter.into(),
                _ => Box::new(failed).into(),
            })
    }

    /// A drive on the ports is named by its position.
    fn position(&self, name: &DriveName) -> Result<Position, OpenError> {
        match name {
            DriveName::Index(index) => Position::new(*index).ok_or(OpenError::NoPosition(*index)),
            DriveName::Path(_) => Err(OpenError::NamedByPath {
                name: name.clone(),
                position: self.machine.locate(name)?.at_ports(),
            }),
        }
    }

    /// Vendor mode by the registers of a legacy channel.
    fn by_ports(&mut self, position: Position) -> Result<Session, OpenError> {
        let registers = self.machine.ports(position, self.wish.medium)?;
        self.agree(registers.as_ref())?;
        let label = registers.label();
        let place = registers.place();
        let mut taken = registers.take()?;
        let lent = taken.lent.take();
        let clock = Arc::clone(&taken.clock);
        let target = Target {
            label: label.clone(),
            place: place.clone(),
            by_ports: true,
            ports: Some(label.called.clone()),
        };
        match self.enter_by_ports(target, taken) {
            Ok(device) => Ok(Session {
                label,
                place,
                device,
                clock,
                at_ports: Some(position),
                lent,
            }),
            Err(error) => {
                self.give_back(lent);
                Err(error)
            }
        }
    }

    /// Asks whether the kernel may give up what it has on the channel.
    fn agree(&mut self, registers: &dyn Registers) -> Result<(), OpenError> {
        let Some(channel) = registers.channel() else {
            return Ok(());
        };
        match self.user.may_take(channel) {
            Answer::Yes => Ok(()),
            Answer::YesBefore => {
                self.user.tell(Event::GivenUp(channel.clone()));
                Ok(())
            }
            answer => Err(OpenError::NotAgreed {
                channel: Box::new(channel.clone()),
                answer,
            }),
        }
    }

    fn enter_by_ports(&mut self, target: Target, taken: Taken) -> Result<Device, OpenError> {
        let clock = Arc::clone(&taken.clock);
        let mut ports = PortTaskFile::new(taken.registers, taken.unit, taken.clock);
        ports
            .quiet_interrupts()
            .map_err(OpenError::PortsOutOfReach)?;
        let mut task_file = watch::task_file(ports, &clock, self.user.watch());
        let identified = identify::by_ports(task_file.identify(), taken.known_as)?;
        self.enter(target, identified, task_file, clock)
            .map_err(|failed| Box::new(failed).into())
    }

    /// Brings a drive into vendor mode and identifies its flash.
    fn enter(
        &mut self,
        target: Target,
        identified: Identified,
        task_file: Box<dyn TaskFile + Send>,
        clock: Arc<dyn Clock>,
    ) -> Result<Device, NotEntered> {
        let Identified { identity, said } = identified;
        if let Some(said) = said {
            self.user.tell(Event::Said(said));
        }
        let family = identity.as_ref().and_then(Family::by_identity);
        if let Some(family) = family {
            self.user.tell(Event::OnAList(family));
        }
        let patience = match (self.wish.patience, family) {
            (Patience::Named(time), _) | (Patience::Unless(time), None) => time,
            (Patience::Unless(_), Some(_)) => Duration::ZERO,
        };
        let drive = self.ask_to_enter(task_file, clock, patience);
        let refusals = self.count_refusals(&target.place, drive.as_ref().err());
        drive
            .and_then(|drive| VendorModeDrive::identify(drive, identity.clone(), self.wish.size))
            .map(|drive| Box::new(drive) as Device)
            .map_err(|source| NotEntered {
                label: target.label,
                identity,
                source,
                refusals,
                by_ports: target.by_ports,
                ports: target.ports,
            })
    }

    /// How often the drive at a place has refused by now.
    fn count_refusals(&self, place: &str, error: Option<&DeviceError>) -> Option<u32> {
        let folder = self.machine.folders().refusals;
        let refusals = folder.map(Refusals::in_folder).unwrap_or_default();
        match error {
            None => {
                refusals.forget(place);
                None
            }
            Some(DeviceError::EntryRefused { .. } | DeviceError::NoDriveThere { .. }) => {
                refusals.one_more(place)
            }
            Some(_) => None,
        }
    }

    fn ask_to_enter(
        &mut self,
        task_file: Box<dyn TaskFile + Send>,
        clock: Arc<dyn Clock>,
        patience: Duration,
    ) -> Result<VendorMode, DeviceError> {
        let mut has_waited = false;
        let mut on_wait = |waiting| {
            has_waited = true;
            self.user.tell(Event::Waiting(waiting));
            match self.user.wants_to_stop() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        };
        let entered = VendorMode::enter(task_file, clock, patience, &mut on_wait);
        if has_waited {
            self.user.tell(Event::WaitingEnded);
        }
        entered
    }

    fn give_back(&mut self, lent: Option<Box<dyn Lent>>) {
        if let Some(Err(error)) = lent.map(|lent| lent.give_back()) {
            self.user.tell(Event::NotGivenBack(error));
        }
    }
}

fn packet_drive(family: &'static Family, identity: Option<Identity>, held: Held) -> Device {
    let Held {
        packets,
        reopen,
        clock,
        ..
    } = held;
    Box::new(PacketDrive::new(family, identity, packets, reopen, clock))
}

fn is_forbidden(error: &DeviceError) -> bool {
    matches!(
        error,
        DeviceError::TaskFile {
            source: TaskFileError::Transport(TransportError::NotPermitted),
            ..
        }
    )
}
