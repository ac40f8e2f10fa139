//! The machine that this program runs on.

use std::path::Path;
use std::sync::Arc;

use super::error::OpenError;
use super::folders;
use super::list::{AboutPort, Listed, ListedPort, Listing};
use super::machine::{Folders, Guess, Held, Machine, Registers, Spot, Taken};
use super::name::{At, DriveName, Label, is_serial, only_one};
use super::wish::{Patience, Wish};
use crate::drive::channel::{self, ChannelDevice, ChannelState, Release};
use crate::drive::controller::{IdeChannel, Wiring};
use crate::drive::hold;
use crate::drive::interrupts;
use crate::drive::note::{self, NoteError, Settled};
use crate::drive::topology::Topology;
use crate::drive::{
    Hold, HoldError, Inhibitor, Located, MediumRule, PortName, Position, Seat, System, list,
    locate_path, locate_port, locate_position,
};
use crate::protocol::Route;
use crate::protocol::packet::Reopen;
use crate::transport::clock::SystemClock;
use crate::transport::{Clock, OpenDrive, OpenRegisters, TransportError, Unit};

/// The kernel and its drives.
pub struct Host {
    system: System,
    clock: Arc<dyn Clock>,
}

impl Default for Host {
    fn default() -> Self {
        Host::of(System::host())
    }
}

impl Host {
    pub fn of(system: System) -> Host {
        Host::with_clock(system, Arc::new(SystemClock::default()))
    }

    /// A machine with a time of its own.
    pub fn with_clock(system: System, clock: Arc<dyn Clock>) -> Host {
        Host { system, clock }
    }
}

impl Machine for Host {
    fn settle(&self, but: Option<&DriveName>) -> Vec<Settled> {
        let but = but.and_then(|name| Some(self.channel(name).ok()?.0.subject()));
        let settled = note::settle(&self.system, but.as_deref());
        let is_scan = |settled: &Settled| settled.outcome.is_ok() && settled.undo.is_scan();
        if settled.iter().any(is_scan) {
            channel::await_scan(&self.system, self.clock.as_ref());
        }
        settled
    }

    fn lost(&self, name: &DriveName) -> Option<DriveName> {
        let system = &self.system;
        let (channel, unit) = match name {
            // The kernel has it, or has given the name to another drive.
            DriveName::Path(path) if path.exists() => return None,
            name => self.channel(name).ok()?,
        };
        note::left(system, &channel.subject())?;
        channel.seat(unit).map(DriveName::from)
    }

    fn list(&self) -> Listing {
        let topology = Topology::read(&self.system);
        let listed = |drive| listed(&self.system, drive);
        Listing {
            drives: topology.drives().map(listed).collect(),
            has_legacy_ports: list::has_legacy_ports(&self.system, &topology),
            basis: topology.basis,
            ports: ports_of(&self.system),
        }
    }

    fn locate(&self, name: &DriveName) -> Result<Spot, OpenError> {
        let located = self.located(name)?;
        let by_ports = IdeChannel::of_drive(&self.system, &located);
        let node = located.node().map(ToOwned::to_owned);
        let is_by_index = matches!(name, DriveName::Index(_));
        let (system, clock) = (self.system.clone(), Arc::clone(&self.clock));
        Ok(Spot {
            label: Label {
                called: name.clone(),
                at: node.clone().map_or(At::Address(located.address), At::Node),
            },
            place: place(&located),
            channel: channel_of(&located),
            guess: (located.is_guess && is_by_index).then(|| Guess {
                port: located.port_no.unwrap_or_default(),
                node,
            }),
            at_ports: by_ports
                .as_ref()
                .and_then(|(channel, unit)| channel.seat(*unit))
                .map(DriveName::from),
            // Where drives are reported not to answer, it takes somebody's word.
            is_for_ports: by_ports.is_some_and(|(channel, _)| !channel.is_doubted),
            hold: Box::new(move |medium| hold(&system, &located, medium, Arc::clone(&clock))),
        })
    }

    fn glance(&self, name: &DriveName) -> Result<OpenDrive, OpenError> {
        Ok(hold::glance(&self.system, &self.located(name)?)?)
    }

    fn ports(&self, name: &DriveName, wish: &Wish) -> Result<Registers, OpenError> {
        let system = &self.system;
        let (channel, unit) = self.channel(name)?;
        let seat = channel.seat(unit);
        let seat = seat.ok_or_else(|| OpenError::NoPorts { name: name.clone() })?;
        let (state, can_wait) = self.state(&channel, wish.patience)?;
        let registers = channel.open(system)?;
        let is_same = |device: &&ChannelDevice| device.seat == Some(seat);
        if let Some(device) = state.devices.iter().find(is_same) {
            self.refuse_medium(&device.located, wish.medium)?;
        }
        let (system, clock) = (system.clone(), Arc::clone(&self.clock));
        Ok(Registers {
            label: Label {
                called: seat.into(),
                at: At::Ports(seat),
            },
            place: ata_place(&channel.controller, channel.port, unit.target()),
            channel: Some(state.clone()).filter(ChannelState::costs),
            can_wait,
            route: match channel.legacy {
                Some(_) => Route::LegacyPorts,
                None => Route::ControllerPorts,
            },
            take: Box::new(move || take(&system, clock, &state, unit, registers)),
        })
    }

    fn folders(&self) -> Folders {
        folders::of_host(self.system.is_superuser)
    }

    fn inhibit(&self, why: &str) -> Option<Inhibitor> {
        Inhibitor::take(why)
    }
}

impl Host {
    /// The channel and unit that a drive of this name is on.
    fn channel(&self, name: &DriveName) -> Result<(IdeChannel, Unit), OpenError> {
        let system = &self.system;
        let by_port = |name: PortName| Ok((IdeChannel::of_port(system, name)?, name.unit));
        match name {
            DriveName::Index(index) => {
                let position = Position::new(*index).ok_or(OpenError::NoPosition(*index))?;
                let channel = IdeChannel::of_legacy(system, position.channel())?;
                Ok((channel, position.unit()))
            }
            DriveName::Port(name) => by_port(*name),
            DriveName::Serial(serial) => {
                let drive = self.locate_serial(serial)?;
                IdeChannel::of_drive(system, &drive)
                    .ok_or_else(|| OpenError::NoPorts { name: name.clone() })
            }
            DriveName::Path(path) => {
                let lost = || channel::seat_of_lost(system, path).or_else(|| by_path(path));
                match locate_path(system, path) {
                    Ok(drive) => {
                        IdeChannel::of_drive(system, &drive).ok_or_else(
                            || match IdeChannel::why_not(system, &drive) {
                                Some(error) => error.into(),
                                None => OpenError::NoPorts { name: name.clone() },
                            },
                        )
                    }
                    Err(error) => match lost() {
                        Some(name) => by_port(name),
                        None => Err(error.into()),
                    },
                }
            }
        }
    }

    /// What the kernel has on a channel, and whether its drives may be switched
    /// off and on meanwhile.
    fn state(
        &self,
        channel: &IdeChannel,
        patience: Patience,
    ) -> Result<(ChannelState, bool), OpenError> {
        let look = |release| {
            let state = channel::inspect(&self.system, channel, release)?;
            state.check()?;
            Ok(state)
        };
        let is_serial = channel.wiring == Wiring::Serial;
        if !is_serial || !patience.may_wait() {
            return Ok((look(Release::Devices)?, !is_serial));
        }
        match (look(Release::Driver), patience) {
            (Ok(state), _) => Ok((state, true)),
            (Err(source), Patience::Named(_)) => Err(OpenError::NoWait { source }),
            (Err(_), Patience::Unless(_)) => Ok((look(Release::Devices)?, false)),
        }
    }

    fn located(&self, name: &DriveName) -> Result<Located, OpenError> {
        Ok(match name {
            DriveName::Index(index) => {
                let position = Position::new(*index).ok_or(OpenError::NoPosition(*index))?;
                locate_position(&self.system, position)?
            }
            DriveName::Path(path) => locate_path(&self.system, path)?,
            DriveName::Port(name) => locate_port(&self.system, *name)?,
            DriveName::Serial(serial) => self.locate_serial(serial)?,
        })
    }

    /// Every drive is asked: what the kernel remembers has no serial numbers.
    fn locate_serial(&self, serial: &str) -> Result<Located, OpenError> {
        let mut is_unasked = false;
        let mut says_serial = |drive: &&Located| {
            let asked = list::ask(&self.system, drive);
            is_unasked |= asked.is_in_use();
            is_serial(asked.said.as_ref(), serial) && drive.node().is_some()
        };
        let topology = Topology::read(&self.system);
        let found: Vec<Located> = topology
            .drives()
            .filter(|drive| says_serial(drive))
            .cloned()
            .collect();
        only_one(serial, found, is_unasked, |drive| {
            drive.node().map(|node| DriveName::Path(node.to_owned()))
        })
    }

    /// A medium in the drive, which the kernel can still tell. A drive that does
    /// not answer it is no reason to stop: the ports may be the only way to it.
    fn refuse_medium(&self, drive: &Located, rule: MediumRule) -> Result<(), HoldError> {
        match Hold::take(&self.system, drive, rule, Arc::clone(&self.clock)) {
            Err(error @ (HoldError::Medium { .. } | HoldError::Starting { .. })) => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

fn ports_of(system: &System) -> Vec<ListedPort> {
    let listed = |(channel, seat, device): (IdeChannel, Seat, Option<String>)| {
        let about = AboutPort {
            base: channel.base().unwrap_or_default(),
            driver: channel.driver.unwrap_or_default(),
            device,
        };
        ListedPort {
            name: seat.into(),
            about: Some(about).filter(|_| system.is_superuser),
        }
    };
    let places = channel::with_own_ports(system).into_iter();
    places.map(listed).collect()
}

/// The port that a link of udev names which is not there, as that of a drive
/// which the kernel does not list.
fn by_path(path: &Path) -> Option<PortName> {
    let name = path.strip_prefix("/dev/disk/by-path").ok()?;
    PortName::parse(name.to_str()?)
}

/// Its place in the machine in terms that survive a restart of both.
fn place(located: &Located) -> String {
    let Located {
        parent,
        port_no,
        address,
        ..
    } = located;
    match (port_no, parent.file_name()) {
        (Some(port), Some(controller)) => {
            ata_place(&controller.to_string_lossy(), *port, address.target)
        }
        _ => format!(
            "{} {}:{}:{}",
            parent.display(),
            address.channel,
            address.target,
            address.lun
        ),
    }
}

fn channel_of(located: &Located) -> Option<String> {
    let controller = located.parent.file_name()?.to_string_lossy();
    let port = located.port_no?;
    Some(format!("{controller} port {port}"))
}

fn hold(
    system: &System,
    located: &Located,
    medium: MediumRule,
    clock: Arc<dyn Clock>,
) -> Result<Held, OpenError> {
    let mut hold = Hold::take(system, located, medium, Arc::clone(&clock))?;
    Ok(Held {
        filter: Some(hold.why_not_permitted(system)),
        polling: hold.take_polling().filter(is_untold),
        packets: Box::new(hold),
        reopen: in_place(system, located, &clock),
        clock,
    })
}

/// Polling that goes on, and was not told by whoever looked for crashed runs.
fn is_untold(why: &NoteError) -> bool {
    !matches!(
        why,
        NoteError::NotSettled { .. } | NoteError::NotTakenBack { .. }
    )
}

/// `0000:00:01.1 port 2 target 0`, whichever way it is reached.
fn ata_place(controller: &str, port: u32, target: u32) -> String {
    format!("{controller} port {port} target {target}")
}

/// Finds a drive again by its place in the system, under whatever names.
fn in_place(system: &System, before: &Located, clock: &Arc<dyn Clock>) -> Reopen {
    let (system, before, clock) = (system.clone(), before.clone(), Arc::clone(clock));
    // The desktop looks at a new drive as well: one that is busy now will be free in a
    // moment.
    Box::new(move || {
        let hold = Hold::again(&system, &before, Arc::clone(&clock));
        Ok(Box::new(hold.ok_or(TransportError::Vanished)?))
    })
}

/// Takes a channel whose devices the kernel still has.
fn take(
    system: &System,
    clock: Arc<dyn Clock>,
    state: &ChannelState,
    unit: Unit,
    registers: OpenRegisters,
) -> Result<Taken, OpenError> {
    let channel = &state.channel;
    let detached = channel::detach(system, channel, state.release)?;
    let irq = channel.irq;
    Ok(Taken {
        registers,
        unit,
        takes_nien: channel.takes_nien,
        interrupts: irq.map(|irq| interrupts::counter(system, irq)),
        neighbours: state.neighbours.clone(),
        is_taken_over: detached.is_taken_over(),
        clock: Arc::clone(&clock),
        known_as: state.known_as(unit),
        lent: Some(Box::new(move || {
            detached.bring_back(clock.as_ref()).map(drop)
        })),
    })
}

fn listed(system: &System, drive: &Located) -> Listed {
    let asked = list::ask(system, drive);
    Listed {
        position: drive.position,
        is_guess: drive.is_guess,
        nodes: drive.sr.iter().chain(&drive.sg).cloned().collect(),
        is_simulated: false,
        identity: Some(asked.said.clone().unwrap_or(drive.known_as.clone())),
        asked,
        firmware: None,
    }
}

#[cfg(test)]
mod tests;
