//! A drive of a bench under the jobs, opened as the command line opens one.

use std::sync::Arc;

use mtkflash::drive::ask;
use mtkflash::image::Image;
use mtkflash::job::backup::Circumstances;
use mtkflash::job::change::{self, BackupWish, Content};
use mtkflash::job::record::Date;
use mtkflash::job::{FlashState, JobError, Selection};
use mtkflash::protocol::detect;
use mtkflash::protocol::packet::{Family, PacketDrive};
use mtkflash::sim::SimDriveHandle;
use mtkflash::transport::{PacketTransport, TransportError};

type Packets = Box<dyn PacketTransport + Send>;

/// A drive whose commands all pass by somebody.
#[derive(Clone)]
pub struct OnBench {
    handle: SimDriveHandle,
    watched: Arc<dyn Fn(Packets) -> Packets + Send + Sync>,
}

impl OnBench {
    pub fn new<T: PacketTransport + Send + 'static>(
        handle: &SimDriveHandle,
        watched: impl Fn(Packets) -> T + Send + Sync + 'static,
    ) -> OnBench {
        OnBench {
            handle: handle.clone(),
            watched: Arc::new(move |packets| Box::new(watched(packets))),
        }
    }

    /// `None` for a drive that is not there, says nothing, or is in no family
    /// that takes firmware by packets.
    pub fn open(mut self) -> Result<Option<PacketDrive>, JobError> {
        let Ok(mut packets) = self.reopen() else {
            return Ok(None);
        };
        let answer = ask::inquiry(packets.as_mut()).or_else(|_| ask::inquiry(packets.as_mut()));
        let Ok(answer) = answer else {
            return Ok(None);
        };
        let identity = Some(answer.identity);
        let detected = detect(packets.as_mut(), identity.as_ref(), None).map_err(|source| {
            JobError::Device {
                source,
                flash: FlashState::Unchanged,
            }
        })?;
        let clock = self.handle.clock();
        Ok(Family::of(detected.protocol).map(|family| {
            let reopen = Box::new(move || self.reopen());
            PacketDrive::new(family, identity, packets, reopen, clock)
        }))
    }
}

impl OnBench {
    fn reopen(&mut self) -> Result<Packets, TransportError> {
        let packets = self.handle.packets().ok_or(TransportError::Vanished)?;
        Ok((self.watched)(packets))
    }
}

/// All of an image, and nothing forced.
pub fn request(image: &Image, backup: BackupWish) -> change::Request<'_> {
    change::Request {
        content: Content::Image {
            image,
            record: None,
        },
        file: None,
        selection: Selection::Everything,
        keep: Vec::new(),
        backup,
        forced: Default::default(),
        circumstances: Circumstances {
            journal: Default::default(),
            date: Date::of(jiff::Timestamp::UNIX_EPOCH),
            tool: "mtkflash".to_owned(),
        },
        dry_run: false,
        skip_if_same: false,
    }
}
