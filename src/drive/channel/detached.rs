//! Taking a channel off the kernel, and giving it back.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::access::subject;
use super::{ChannelError, ChannelState, Release, driver_file, inspect, is_on, state};
use crate::drive::controller::{self, IdeChannel};
use crate::drive::note::{GivenUp, Left, Note};
use crate::drive::permission::Obstacle;
use crate::drive::system::System;
use crate::drive::topology::{Located, Topology};
use crate::transport::sg_io::NotOpened;
use crate::transport::{Clock, OpenDrive};

/// How long drives may take to come back after a scan: libata resets the
/// channel first.
pub(super) const COME_BACK: Duration = Duration::from_secs(30);
pub(super) const COME_BACK_STEP: Duration = Duration::from_millis(250);

/// Looks at unchanged drives after which a scan counts as over. libata knows
/// its devices when the scan returns, and hands them on a moment later.
pub(super) const UNCHANGED_LOOKS: u32 = 4;

/// A channel without kernel devices. They come back when it is dropped.
pub struct Detached {
    system: System,
    note: Option<Note>,
    pub(super) state: ChannelState,
    given_up: Vec<GivenUp>,
    /// The controller's other channels, locked while its driver is away.
    _others: Vec<Note>,
}

/// Takes all devices of a channel off the kernel, after looking again whether
/// they may be. No other mtkflash gets the channel meanwhile. The user has
/// agreed before.
///
/// What a run that was ended in the middle has taken off already stays off: a
/// kernel that gets a drive in vendor mode back asks it who it is.
///
/// # Errors
/// As [`ChannelState::check`], or where the kernel refuses; the devices are
/// back then, but for those that such a run has taken.
pub fn detach(
    system: &System,
    channel: &IdeChannel,
    release: Release,
) -> Result<Detached, ChannelError> {
    let (mut note, left) = Note::take_over(system, &channel.subject())?;
    let prepared = prepare(system, channel, release, left.as_ref());
    let (state, held, others) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            match left {
                Some(_) => note.leave_as_found(),
                None => drop(note),
            }
            return Err(error);
        }
    };
    let given_up = state.all();
    note.promise(state.undo.clone(), &given_up)?;
    let mut detached = Detached {
        system: system.clone(),
        note: Some(note),
        given_up,
        state,
        _others: others,
    };
    let outcome = detached.take_off();
    // Before the scan, also after a failure, or the names would still be taken.
    drop(held);
    if let (Err(_), None, Some(note)) = (&outcome, &left, &mut detached.note) {
        if inspect(system, channel, release).is_ok_and(|now| now.devices == detached.state.devices)
        {
            note.withdraw();
        }
    }
    outcome?;
    let left_over = detached.on_kernel().into_iter().next();
    if let Some(device) = left_over {
        return Err(ChannelError::NotDetached {
            device: device.sysfs,
            source: io::ErrorKind::ResourceBusy.into(),
        });
    }
    channel.must_be_unchanged(system)?;
    Ok(detached)
}

type Prepared = (ChannelState, Vec<OpenDrive>, Vec<Note>);

fn prepare(
    system: &System,
    channel: &IdeChannel,
    release: Release,
    left: Option<&Left>,
) -> Result<Prepared, ChannelError> {
    let state = state(system, channel, release, left)?;
    let others = match state.release {
        Release::Devices => Vec::new(),
        Release::Driver => other_ports(channel)
            .map(|port| Note::open(system, &subject(&channel.controller, port)))
            .collect::<Result<_, _>>()?,
    };
    state.check()?;
    let held = hold_all(system, &state)?;
    Ok((state, held, others))
}

fn other_ports(channel: &IdeChannel) -> impl Iterator<Item = u32> {
    let function = channel.function.as_ref();
    let channels = function.and_then(|(function, _)| controller::channels(function).ok());
    let own = channel.port;
    channels
        .into_iter()
        .flatten()
        .map(|channel| channel.port)
        .filter(move |port| *port != own)
}

/// All nodes opened exclusively, so that nobody can begin to use a drive
/// between the check and its removal.
fn hold_all(system: &System, state: &ChannelState) -> Result<Vec<OpenDrive>, ChannelError> {
    let mut held = Vec::new();
    for device in &state.devices {
        let drive = &device.located;
        for node in [&drive.sr, &drive.sg].into_iter().flatten() {
            let open = system.kernel().open(node, true);
            match open.map_err(|error| Obstacle::to_open(system, drive, error)) {
                Ok(open) => held.push(open),
                Err(Obstacle::NodeNotMade { .. }) => {}
                Err(Obstacle::Open(error)) if matches!(error.why, NotOpened::NoDevice) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(held)
}

/// Writes to a file of sysfs that takes something off the kernel.
fn take(system: &System, device: &Path, file: &Path, text: &str) -> Result<(), ChannelError> {
    let written = system.kernel().write(file, text);
    written.map_err(|source| match source.kind() {
        // Its sysfs is for reading only, whatever else it was given.
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied
            if system.is_container() =>
        {
            Obstacle::PortsInContainer.into()
        }
        _ => ChannelError::NotDetached {
            device: device.to_owned(),
            source,
        },
    })
}

impl Detached {
    /// Whether a run that was ended in the middle had taken something off.
    pub fn is_taken_over(&self) -> bool {
        !self.state.given_up.is_empty() || self.is_unbound_before()
    }

    fn is_unbound_before(&self) -> bool {
        let channel = &self.state.channel;
        self.state.release == Release::Driver && channel.driver.is_none()
    }

    fn take_off(&self) -> Result<(), ChannelError> {
        let (system, state) = (&self.system, &self.state);
        match state.release {
            Release::Devices => state.devices.iter().try_for_each(|device| {
                let sysfs = &device.located.sysfs;
                take(system, sysfs, &sysfs.join("delete"), "1")
            }),
            Release::Driver if self.is_unbound_before() => Ok(()),
            Release::Driver => {
                let unbind = driver_file(system, &state.channel, "unbind");
                take(system, &unbind, &unbind, &state.channel.controller)
            }
        }
    }

    /// What of it the kernel has now.
    fn on_kernel(&self) -> Vec<Located> {
        let state = &self.state;
        Topology::read(&self.system)
            .devices
            .into_iter()
            .filter(|located| is_on(&state.channel, state.release, located))
            .collect()
    }

    /// Gives the channel back and waits until the drives are there, which they
    /// should be under their old names. To be called after vendor mode has been
    /// left and interrupts are on again. Dropping only gives it back.
    ///
    /// A drive that was not there before and has come alive is among them.
    ///
    /// # Errors
    /// [`ChannelError::NotBack`], or where the kernel cannot be told to.
    pub fn bring_back(mut self, clock: &dyn Clock) -> Result<Vec<Located>, ChannelError> {
        if let Some(note) = self.note.take() {
            note.settle()?;
        }
        let start = clock.now();
        loop {
            let now = self.on_kernel();
            let missing: Vec<String> = self
                .given_up
                .iter()
                .filter(|device| !now.iter().any(|now| device.is_back(now)))
                .map(|device| device.name(&self.state.channel))
                .collect();
            if missing.is_empty() {
                return Ok(now);
            }
            if clock.now().saturating_sub(start) >= COME_BACK {
                return Err(ChannelError::NotBack {
                    missing,
                    undo: self.state.undo.clone(),
                });
            }
            clock.sleep(COME_BACK_STEP);
        }
    }
}

/// Waits until what a scan has found is there, for a scan whose devices are not
/// known beforehand.
pub fn await_scan(system: &System, clock: &dyn Clock) {
    let start = clock.now();
    let mut before = Topology::read(system).devices;
    let mut unchanged = 0;
    while unchanged < UNCHANGED_LOOKS && clock.now().saturating_sub(start) < COME_BACK {
        clock.sleep(COME_BACK_STEP);
        let now = Topology::read(system).devices;
        unchanged = if now == before { unchanged + 1 } else { 0 };
        before = now;
    }
}
