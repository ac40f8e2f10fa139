//! A packet drive as a job sees it.

use std::sync::Arc;
use std::time::Duration;

use super::blu_ray;
use super::families::{Family, ReadSupport, Sending};
use super::restart::{self, Seen, Watch};
use super::{PacketError, Reopen, btc, inquire, liteon, memory, vendor_blocks};
use crate::flash::Offset;
use crate::image::Wrapping;
use crate::image::mt19xx::WINDOWS;
use crate::protocol::blu_ray::Survey;
use crate::protocol::download::{
    Download, Effect, Guard, LastAnswer, Misfit, NoImage, Note, Offer, PrepareError, Prepared,
    Progress, SendError, Waiting,
};
use crate::protocol::{
    Capabilities, DeviceError, DeviceInfo, Doing, FirmwareDevice, Impossible, Protocol, Reading,
    Route, Tried, Unreadable, Unwritable, Writer, Writing,
};
use crate::scsi::Identity;
use crate::transport::{Clock, OpenDrive, TransportError};

/// A drive of one of the documented families.
pub struct PacketDrive {
    /// `None` while the drive is gone from the system.
    transport: Option<OpenDrive>,
    reopen: Reopen,
    clock: Arc<dyn Clock>,
    family: &'static Family,
    info: DeviceInfo,
    capabilities: Capabilities,
}

impl PacketDrive {
    /// A drive that speaks this family's protocol; sends nothing.
    pub fn new(
        family: &'static Family,
        identity: Option<Identity>,
        transport: OpenDrive,
        reopen: Reopen,
        clock: Arc<dyn Clock>,
    ) -> PacketDrive {
        let info = DeviceInfo {
            identity,
            protocol: family.protocol.to_string(),
            route: Route::SgIo,
            flash: behind_commands(family.size),
            chip: family.name.to_owned(),
            tried: Some(Tried::Packets(family.protocol)),
            blu_ray: None,
        };
        let capabilities = Capabilities {
            size: family.size,
            reading: match family.reading {
                ReadSupport::ReadBuffer { block } => Reading::Blocks(block),
                ReadSupport::ProgramMemory => Reading::Blocks(liteon::BLOCK),
                ReadSupport::Undocumented => Reading::Impossible(Unreadable::Undocumented {
                    family: family.name,
                }),
            },
            windows: if family.is_blu_ray() { &WINDOWS } else { &[] },
            writing: match family.sending {
                Sending::Never => Writing::Impossible(Unwritable::OnlyRead {
                    family: family.name,
                }),
                Sending::BufferSumProgram { .. }
                | Sending::VendorBlocks(_)
                | Sending::BluRay { .. } => Writing::Download(family.rules),
            },
            time_per_byte: None,
        };
        PacketDrive {
            transport: Some(transport),
            reopen,
            clock,
            family,
            info,
            capabilities,
        }
    }

    /// Asks a Blu-ray drive for what it says about itself, but for the code of
    /// its receiver, which only a write needs; sends nothing to any other.
    ///
    /// # Errors
    /// Where it does not say who it is, is not ready to tell, or a command is
    /// lost on the way.
    pub fn survey(&mut self) -> Result<(), DeviceError> {
        if !self.family.is_blu_ray() {
            return Ok(());
        }
        let found = self
            .transport()
            .and_then(|transport| Survey::of(transport.as_mut()))
            .map_err(super::during(Doing::AskFirmware))?;
        self.info.blu_ray = Some(Box::new(found));
        Ok(())
    }

    /// Looks whether a Lite-On drive gives what can be firmware, and how much; no
    /// other is sent anything. `size` is what its user says it has.
    ///
    /// # Errors
    /// [`DeviceError::Implausible`], or as the drive answers.
    pub fn look_at_program_memory(&mut self, size: Option<u32>) -> Result<(), DeviceError> {
        if self.family.reading != ReadSupport::ProgramMemory {
            return Ok(());
        }
        let transport = self
            .transport()
            .map_err(super::during(Doing::ReadFirstBank))?;
        let size = liteon::size(transport.as_mut(), size)?;
        self.capabilities.size = size;
        self.info.flash = behind_commands(size);
        Ok(())
    }

    /// What a Blu-ray drive says about itself, asked for now where it was not before and
    /// `may_ask`.
    fn surveyed(&mut self, may_ask: bool) -> Result<Survey, DeviceError> {
        if self.info.blu_ray.is_none() && may_ask {
            self.survey()?;
        }
        Ok(self.info.blu_ray.as_deref().cloned().unwrap_or_default())
    }

    fn transport(&mut self) -> Result<&mut OpenDrive, PacketError> {
        self.transport
            .as_mut()
            .ok_or(PacketError::Transport(TransportError::Vanished))
    }

    fn find_again(&mut self) -> Result<(), PacketError> {
        if self.transport.is_none() {
            self.transport = Some((self.reopen)()?);
        }
        Ok(())
    }

    fn identify(&mut self) -> Result<Identity, PacketError> {
        self.find_again()?;
        let answer = inquire(self.transport()?);
        Ok(self.note_vanished(answer)?.identity)
    }

    /// A node that is gone does not come back; the drive does, behind another.
    fn note_vanished<T>(&mut self, answer: Result<T, PacketError>) -> Result<T, PacketError> {
        if let Err(PacketError::Transport(TransportError::Vanished)) = answer {
            self.transport = None;
        }
        answer
    }

    /// Takes note of what the drive calls itself now. Its serial number is a
    /// page of its own, which the firmware does not change.
    fn remember(&mut self, mut identity: Identity) -> Identity {
        let before = self.info.identity.take();
        identity.serial = before.and_then(|before| before.serial);
        self.info.identity = Some(identity.clone());
        identity
    }
}

fn behind_commands(size: u32) -> String {
    format!("{} KiB, behind the drive's own commands", size / 1024)
}

impl FirmwareDevice for PacketDrive {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn read(&mut self, at: Offset, into: &mut [u8]) -> Result<(), DeviceError> {
        if let Reading::Impossible(_) = &self.capabilities.reading {
            return Err(Impossible::Reading.into());
        }
        let range = at.range_of(into);
        if range.end() > self.capabilities.size {
            let size = self.capabilities.size;
            return Err(Impossible::OutOfRange { range, size }.into());
        }
        let reading = self.family.reading;
        let transport = self.transport().map_err(super::during(Doing::Read))?;
        let answer = match reading {
            ReadSupport::ProgramMemory => liteon::read(transport, at.0, into),
            ReadSupport::ReadBuffer { .. } | ReadSupport::Undocumented => {
                memory::read(transport, at.0, into)
            }
        };
        answer.map_err(|error| match error {
            PacketError::Sense(sense) if memory::is_refused(sense) => {
                DeviceError::Refused { range, sense }
            }
            source => DeviceError::Packet {
                doing: Doing::Read,
                at: Some(at),
                source,
            },
        })
    }

    fn writer(&mut self) -> Option<Writer<'_>> {
        match self.capabilities.writing {
            Writing::Download(_) => Some(Writer::Download(self)),
            Writing::InPlace(_) | Writing::Impossible(_) => None,
        }
    }

    /// There is no state to leave.
    fn leave(&mut self) -> Result<(), DeviceError> {
        Ok(())
    }
}

impl Download for PacketDrive {
    fn rule_out(&mut self, image: &[u8]) -> Result<(), PrepareError> {
        self.refuse_other_size(image)?;
        if !self.family.is_blu_ray() {
            return Ok(());
        }
        // A drive that is on no list is asked nothing before that is forced.
        let is_listed = self.family.unlisted(self.info.identity.as_ref()).is_none();
        blu_ray::rule_out(&self.surveyed(is_listed)?, image)
    }

    fn prepare(&mut self, offer: &Offer<'_>) -> Result<Prepared, PrepareError> {
        let image = offer.image;
        self.refuse_other_size(image)?;
        let unlisted = self
            .family
            .unlisted(self.info.identity.as_ref())
            .map(Misfit::Unlisted);
        match &unlisted {
            Some(misfit) if !offer.forced.contains(&Guard::Family) => {
                return Err(misfit.clone().into());
            }
            _ => {}
        }
        let stays = self.family.rules.owned.iter().copied();
        let mut prepared = match self.family.sending {
            Sending::BluRay { block } => {
                let survey = self.surveyed(true)?;
                let transport = self.transport().map_err(super::during(Doing::ReadKept))?;
                let survey = survey
                    .with_receiver(transport.as_mut())
                    .map_err(super::during(Doing::ReadReceiver))?;
                let prepared = blu_ray::prepare(transport.as_mut(), &survey, offer, block);
                self.info.blu_ray = Some(Box::new(survey));
                prepared?
            }
            Sending::Never => return Err(DeviceError::from(Impossible::TakingImages).into()),
            Sending::BufferSumProgram { .. } | Sending::VendorBlocks(_) => Prepared {
                content: image.to_vec(),
                blu_ray: None,
                notes: stays.map(Note::Stays).collect(),
                overridden: Vec::new(),
            },
        };
        prepared.overridden.extend(unlisted);
        Ok(prepared)
    }

    fn send(&mut self, prepared: &Prepared, taken: &mut dyn FnMut(u32)) -> Result<(), SendError> {
        let unchanged = |source| SendError {
            source,
            effect: Effect::Unchanged,
        };
        let content = &prepared.content;
        if content.len() != self.family.size as usize {
            let length = content.len();
            return Err(unchanged(Impossible::ImageSize { length }.into()));
        }
        let family = self.family;
        let transport = self
            .transport()
            .map_err(|error| unchanged(super::during(Doing::SendImage)(error)))?;
        super::clear_unit_attention(transport)
            .map_err(|error| unchanged(super::during(Doing::AskReady)(error)))?;
        match family.sending {
            Sending::Never => Err(unchanged(Impossible::TakingImages.into())),
            Sending::BufferSumProgram { block } => btc::send(transport, content, block, taken),
            Sending::BluRay { block } => {
                let encoding = prepared.blu_ray.map_or(Wrapping::Plain, |way| way.encoding);
                blu_ray::send(transport.as_mut(), content, encoding, block, taken)
            }
            Sending::VendorBlocks(blocks) => {
                if !blocks.spread {
                    return vendor_blocks::send(transport, content, blocks, taken);
                }
                let payload = vendor_blocks::spread(content).ok_or_else(|| {
                    let length = content.len();
                    unchanged(Impossible::ImageSize { length }.into())
                })?;
                // Three blocks stand for two banks.
                let (mut sent, mut told) = (0_u64, 0);
                let mut share = |bytes: u32| {
                    sent += u64::from(bytes);
                    let share = sent * content.len() as u64 / payload.len() as u64;
                    let share = u32::try_from(share).unwrap_or(u32::MAX);
                    taken(share.saturating_sub(told));
                    told = share;
                };
                vendor_blocks::send(transport, &payload, blocks, &mut share)
            }
        }
    }

    fn await_return(&mut self, waiting: &mut dyn FnMut(&Waiting)) -> Result<Identity, DeviceError> {
        let is_blu_ray = self.family.is_blu_ray();
        let (patience, mut watch) = match is_blu_ray {
            true => (blu_ray::PATIENCE, Watch::of_restarted()),
            false => (restart::PATIENCE, Watch::default()),
        };
        let begun = self.clock.now();
        loop {
            let (mut last, progress) = match self.look() {
                Ok(Seen::Ready) => (LastAnswer::Ready, None),
                Ok(Seen::Fault(sense)) => return Err(DeviceError::FlashFault { sense }),
                Ok(Seen::Busy(progress, error)) => (LastAnswer::Error(error.into()), progress),
                Ok(Seen::Silent(error)) | Err(error) => (LastAnswer::Error(error.into()), None),
            };
            watch.note(matches!(last, LastAnswer::Ready));
            if watch.is_over() {
                let identity = match is_blu_ray {
                    true => self.restarted(),
                    false => self.identify(),
                };
                match identity {
                    Ok(identity) => return Ok(self.remember(identity)),
                    Err(error) => {
                        watch.note(false);
                        last = LastAnswer::Error(error.into());
                    }
                }
            }
            if let Some(identity) = self.pause(begun, patience, last, progress, waiting)? {
                return Ok(identity);
            }
        }
    }
}

impl PacketDrive {
    fn refuse_other_size(&self, image: &[u8]) -> Result<(), NoImage> {
        match image.len() == self.family.size as usize {
            true => Ok(()),
            false => Err(NoImage::Size {
                image: image.len(),
                family: self.family.name,
                size: self.family.size,
            }),
        }
    }

    /// Between two looks at a drive that is awaited: tells what it did, and lets
    /// time pass. When there is none left, what counts is a boot loader that
    /// answers, which is returned.
    fn pause(
        &mut self,
        begun: Duration,
        patience: Duration,
        last: LastAnswer,
        progress: Option<Progress>,
        waiting: &mut dyn FnMut(&Waiting),
    ) -> Result<Option<Identity>, DeviceError> {
        let waited = self.clock.now().saturating_sub(begun);
        let remaining = patience.saturating_sub(waited);
        if remaining.is_zero() {
            let boot_loader = self.is_boot_loader();
            return boot_loader
                .map(Some)
                .ok_or(DeviceError::NotBack { waited, last });
        }
        waiting(&Waiting {
            remaining,
            last,
            progress,
        });
        self.clock.sleep(restart::PACE);
        Ok(None)
    }

    /// What the drive answers now; finds it again where it went away.
    fn look(&mut self) -> Result<Seen, PacketError> {
        self.find_again()?;
        let seen = match self.family.is_blu_ray() {
            true => blu_ray::look(self.transport()?),
            false => restart::look(self.transport()?),
        };
        if let Seen::Silent(PacketError::Transport(TransportError::Vanished)) = seen {
            self.transport = None;
        }
        Ok(seen)
    }

    /// Who a Blu-ray drive is and what runs in it now.
    fn restarted(&mut self) -> Result<Identity, PacketError> {
        let survey = Survey::of(self.transport()?.as_mut());
        let survey = self.note_vanished(survey)?;
        let identity = survey.identity.clone();
        self.info.blu_ray = Some(Box::new(survey));
        Ok(identity)
    }

    /// A boot loader need not be ready for discs, ever, and is an answer.
    fn is_boot_loader(&mut self) -> Option<Identity> {
        let may_be = matches!(self.family.protocol, Protocol::Mt1939 | Protocol::Mt1959);
        let identity = may_be.then(|| self.identify().ok()).flatten()?;
        (self.family.is_boot_loader(&identity)).then(|| self.remember(identity))
    }
}
