//! The way to a drive, step by step.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use super::Session;
use super::error::{NotEntered, OpenError};
use super::event::Event;
use super::identify::{self, Identified};
use super::machine::{Held, Lent, Machine, Spot, Taken};
use super::name::{DriveName, Label, Via};
use super::refusals::Refusals;
use super::user::{Answer, User};
use super::watch;
use super::wish::{Patience, Wish};
use crate::drive::channel::ChannelState;
use crate::protocol::detect::Reason;
use crate::protocol::packet::{Family, PacketDrive};
use crate::protocol::vendor_mode::{VendorMode, VendorModeDrive};
use crate::protocol::{Detected, DeviceError, FirmwareDevice, Route, detect};
use crate::scsi::Identity;
use crate::transport::port::StormGuard;
use crate::transport::{
    AtaPassthrough, Clock, IdentifyError, PortTaskFile, TaskFile, TaskFileError, TransportError,
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
    let mut opening = Opening {
        machine,
        wish,
        user,
    };
    // A run that was ended on the ports has left them taken, and perhaps a drive
    // in vendor mode, which a kernel that gets it back would ask who it is.
    let lost = wish.may_go_by_ports().then(|| machine.lost(name)).flatten();
    for settled in machine.settle(lost.as_ref()) {
        opening.user.tell(Event::Settled(settled));
    }
    match (lost, wish.via) {
        (Some(by_ports), _) => opening.by_ports(&by_ports),
        (None, Some(Via::Port)) => opening.by_ports(name),
        (None, Some(Via::Sg | Via::Ata) | None) => opening.by_kernel(name),
    }
}

/// A drive on its way into vendor mode.
struct Target {
    label: Label,
    place: String,
    patience: Patience,
    route: Route,
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
        if let Some(guess) = spot.guess.clone() {
            let called = name.clone();
            self.user.tell(Event::Guessed { called, guess });
        }
        let mut held = self.hold(&spot)?;
        let clock = Arc::clone(&held.clock);
        let identity = identify::by_inquiry(&mut held, &spot.label)?;
        let is_silent = identity.is_none();
        let device = match self.family(&mut held, identity.as_ref())? {
            Some(family) => packet_drive(family, identity, held, self.wish.size)?,
            None if self.wish.via == Some(Via::Sg) => return Err(OpenError::NoPacketProtocol),
            None => match &spot.at_ports {
                Some(ports) if spot.is_for_ports && self.wish.via.is_none() => {
                    drop(held);
                    return self.by_ports_first(&spot, ports);
                }
                _ => self.by_ata(&spot, held, identity)?,
            },
        };
        Ok(of_kernel(&spot, device, clock, is_silent))
    }

    fn hold(&mut self, spot: &Spot) -> Result<Held, OpenError> {
        let held = (spot.hold)(self.wish.medium)?;
        let mut held = watch::held(held, self.user.watch());
        if let Some(why) = held.polling.take() {
            self.user.tell(Event::PollingLeftOn(why));
        }
        Ok(held)
    }

    /// Vendor mode for a drive whose user has named no way, and which is on a
    /// channel that the ports lead to. Nothing was sent yet but INQUIRY.
    fn by_ports_first(&mut self, spot: &Spot, ports: &DriveName) -> Result<Session, OpenError> {
        let (family, identity) = match self.by_ports(ports) {
            Err(OpenError::OwnProtocol { family, identity }) => (family, identity),
            Err(error @ (OpenError::NotEntered(_) | OpenError::SaysNotOptical { .. })) => {
                return Err(error);
            }
            outcome => return outcome.map_err(|error| OpenError::ByPortsFirst(Box::new(error))),
        };
        // It was silent before, and has said now who it is.
        let held = self.hold(spot)?;
        let clock = Arc::clone(&held.clock);
        let device = self.in_own_protocol(family, identity, held)?;
        Ok(of_kernel(spot, device, clock, true))
    }

    fn in_own_protocol(
        &mut self,
        family: &'static Family,
        identity: Identity,
        held: Held,
    ) -> Result<Device, OpenError> {
        self.user.tell(Event::Detected(Detected {
            protocol: family.protocol,
            reason: Reason::Listed,
        }));
        packet_drive(family, Some(identity), held, self.wish.size)
    }

    /// The family of a drive that has said who it is after its protocol was
    /// looked for: it gets its own, unless its user has named another.
    fn own_family(&self, identity: Option<&Identity>) -> Option<&'static Family> {
        let is_open = self.wish.via.is_none() && self.wish.protocol.is_none();
        identity.filter(|_| is_open).and_then(Family::by_identity)
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
            Some(family)
                if (!self.wish.any_family || family.is_for_listed_only())
                    && family.unlisted(identity).is_some() =>
            {
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
        spot: &Spot,
        held: Held,
        identity: Option<Identity>,
    ) -> Result<Device, OpenError> {
        let mut task_file = AtaPassthrough::new(held.packets, COMMAND_TIMEOUT);
        let identified = identify::by_kernel(task_file.identify(), identity);
        let family = self.own_family(identified.identity.as_ref());
        if let (Some(family), Some(identity)) = (family, &identified.identity) {
            let packets = task_file.into_inner();
            let held = Held { packets, ..held };
            return self.in_own_protocol(family, identity.clone(), held);
        }
        let target = Target {
            label: spot.label.clone(),
            place: spot.place.clone(),
            patience: self.wish.patience,
            route: Route::AtaPassthrough,
            ports: spot.at_ports.clone(),
        };
        self.enter(target, identified, Box::new(task_file), held.clock)
            .map_err(|failed| match held.filter {
                Some(filter) if is_forbidden(&failed.source) => filter.into(),
                _ => Box::new(failed).into(),
            })
    }

    /// Vendor mode by the registers of its channel.
    fn by_ports(&mut self, name: &DriveName) -> Result<Session, OpenError> {
        let registers = self.machine.ports(name, self.wish)?;
        self.agree(registers.channel)?;
        let (label, place) = (registers.label, registers.place);
        let target = Target {
            label: label.clone(),
            place: place.clone(),
            patience: match registers.can_wait {
                true => self.wish.patience,
                false => Patience::default(),
            },
            route: registers.route,
            ports: Some(label.called.clone()),
        };
        let mut taken = (registers.take)()?;
        let clock = Arc::clone(&taken.clock);
        if taken.is_taken_over {
            self.user.tell(Event::TakenOver);
        }
        let lent = taken.lent.take();
        match self.enter_by_ports(target, taken) {
            Ok(device) => Ok(Session {
                at_ports: Some(label.called.clone()),
                label,
                place,
                device,
                clock,
                is_silent: false,
                lent,
            }),
            Err(error) => {
                self.give_back(lent);
                Err(error)
            }
        }
    }

    /// Asks whether the kernel may give up what it has on the channel.
    fn agree(&mut self, channel: Option<ChannelState>) -> Result<(), OpenError> {
        let Some(channel) = channel else {
            return Ok(());
        };
        match self.user.may_take(&channel) {
            Answer::Yes => {}
            Answer::YesBefore => self.user.tell(Event::GivenUp(channel)),
            answer => {
                let channel = Box::new(channel);
                return Err(OpenError::NotAgreed { channel, answer });
            }
        }
        Ok(())
    }

    fn enter_by_ports(&mut self, target: Target, taken: Taken) -> Result<Device, OpenError> {
        let Taken {
            registers,
            unit,
            takes_nien,
            interrupts,
            neighbours,
            clock,
            known_as,
            ..
        } = taken;
        let registers = StormGuard::new(registers, interrupts, takes_nien);
        let mut ports =
            PortTaskFile::new(Box::new(registers), unit, takes_nien, Arc::clone(&clock));
        let failed = |source| match source {
            source @ TransportError::Storm { .. } => OpenError::Storm {
                neighbours: neighbours.clone(),
                source,
            },
            source => OpenError::PortsOutOfReach(source),
        };
        if ports.is_void().map_err(failed)? {
            let name = target.label.called;
            return Err(OpenError::Void { name });
        }
        ports.quiet_interrupts().map_err(failed)?;
        let mut task_file = watch::task_file(ports, &clock, self.user.watch());
        let answer = match task_file.identify() {
            Err(IdentifyError::Transport(source @ TransportError::Storm { .. })) => {
                return Err(failed(source));
            }
            answer => answer,
        };
        let identified = identify::by_ports(answer, known_as)?;
        let family = self.own_family(identified.identity.as_ref());
        if let (Some(family), Some(identity)) = (family, identified.identity.clone()) {
            return Err(OpenError::OwnProtocol { family, identity });
        }
        self.enter(target, identified, task_file, clock)
            .map_err(|entered| match entered.source {
                DeviceError::TaskFile {
                    source: TaskFileError::Transport(source @ TransportError::Storm { .. }),
                    ..
                } => failed(source),
                _ => Box::new(entered).into(),
            })
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
        let patience = match (target.patience, family) {
            (Patience::Named(time), _) | (Patience::Unless(time), None) => time,
            (Patience::Unless(_), Some(_)) => Duration::ZERO,
        };
        let patience = match &identity {
            Some(who) if !self.user.is_patient_with(who) => Duration::ZERO,
            _ => patience,
        };
        let mut left = self.wish.left_programming.iter();
        let is_left_programming = left.any(|left| left.may_be(&target.place, identity.as_ref()));
        let drive = self.ask_to_enter(task_file, clock, patience);
        let refusals = self.count_refusals(&target.place, drive.as_ref().err());
        drive
            .and_then(|mut drive| {
                if is_left_programming {
                    drive.end_byte_program()?;
                }
                Ok(drive)
            })
            .and_then(|drive| {
                VendorModeDrive::identify(drive, identity.clone(), self.wish.size, target.route)
            })
            .map(|drive| Box::new(drive) as Device)
            .map_err(|source| NotEntered {
                label: target.label,
                identity,
                source,
                refusals,
                by_ports: target.route != Route::AtaPassthrough,
                ports: target.ports,
            })
    }

    /// How often the drive at a place has refused by now.
    fn count_refusals(&self, place: &str, error: Option<&DeviceError>) -> Option<u32> {
        let refusals = Refusals(self.machine.folders().refusals?);
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

    fn give_back(&mut self, lent: Option<Lent>) {
        if let Some(Err(error)) = lent.map(|give_back| give_back()) {
            self.user.tell(Event::NotGivenBack(error));
        }
    }
}

/// A drive that the kernel has, ready.
fn of_kernel(spot: &Spot, device: Device, clock: Arc<dyn Clock>, is_silent: bool) -> Session {
    Session {
        label: spot.label.clone(),
        place: spot.place.clone(),
        device,
        clock,
        is_silent,
        at_ports: spot.at_ports.clone(),
        lent: None,
    }
}

fn packet_drive(
    family: &'static Family,
    identity: Option<Identity>,
    held: Held,
    size: Option<u32>,
) -> Result<Device, OpenError> {
    let mut drive = PacketDrive::new(family, identity, held.packets, held.reopen, held.clock);
    drive
        .survey()
        .and_then(|()| drive.look_at_program_memory(size))
        .map_err(OpenError::NotDetected)?;
    Ok(Box::new(drive))
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
