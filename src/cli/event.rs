//! What happens in a run, as it happens: one enum for all of it, heard by the
//! terminal, by programs as lines of JSON, and by whoever else listens.
//!
//! With one drive, events come in this order:
//!
//! 1. [`Opening`](Event::Opening); then what
//!    [`session::Event`] says, in its order;
//! 2. [`Found`](Event::Found) with the drive itself: it is open;
//! 3. for each job: the phases that [`job::Event`] tells of, from `Started` to
//!    `Finished` or to the error that ends the job. A change has a reading phase,
//!    if there is a backup to make; then the proposal is
//!    [`Found`](Event::Found), [`Asked`](Event::Asked) where nobody has said yes
//!    before, and [`Answered`](Event::Answered); then it is programmed and
//!    verified;
//! 4. [`NotLeft`](Event::NotLeft) for what is not as it was before, and
//!    [`Left`](Event::Left) where the drive was open;
//! 5. [`Ended`](Event::Ended), once.
//!
//! What came of a job and what to do next is [`Found`](Event::Found) between the
//! job and the end: of a change before the drive is left, of other jobs behind it.
//! The image that is to be written is found behind the drive, and before the
//! proposal.
//!
//! Of several drives, those that share a channel are opened and left twice: to look,
//! and after the answer.
//!
//! What is about no drive in particular, as the image of any other command or a list,
//! is found before the drives or between them. The last event of all is
//! [`Over`](Event::Over).

use serde_json::Value;

use super::args::{DriveName, Request};
use super::caller::Caller;
use super::failure::Failure;
use super::outcome::Finding;
use crate::job;
use crate::session::{self, LeaveError};

/// A rendering of what happens, with a drive or with none in particular, as a line of JSON.
pub type EventLine = fn(Option<&DriveName>, &Event, &Caller) -> Option<Value>;

/// Something that happens. Whose drive it is about is told beside it.
#[derive(Debug)]
pub enum Event<'a> {
    /// A drive is turned to.
    Opening,
    /// On the way to it, asked for so.
    Session(&'a session::Event, &'a Request),
    /// In a job.
    Job(&'a job::Event),
    /// A result, for good.
    Found(&'a Finding),
    /// The question is asked whether to change the flash.
    Asked,
    /// It is answered, or was before; `true` for YES.
    Answered(bool),
    /// Something to know that is no result.
    Note(&'a str),
    /// What is not as it was.
    NotLeft(&'a LeaveError),
    /// The drive is given back: nothing more is sent to it.
    Left,
    /// With this drive nothing more is done.
    Ended(Option<&'a Failure>),
    /// The run ends.
    Over(Option<&'a Failure>),
}

/// Makes one event of many small steps of progress, so that their number depends
/// on the size of a flash and not on how it is read.
#[derive(Debug, Default)]
pub struct Pace {
    pending: Option<(job::Phase, u64)>,
}

impl Pace {
    /// Bytes of progress that are worth an event.
    const STEP: u64 = 0x1_0000;

    /// Passes an event on, or keeps it until there is more of its kind or another
    /// one comes.
    pub fn pass(&mut self, event: &job::Event, mut on: impl FnMut(&job::Event)) {
        let kept = self.pending.take();
        let (phase, bytes) = match (event, kept) {
            (job::Event::Progress { phase, bytes }, Some((_, kept))) => (*phase, kept + bytes),
            (job::Event::Progress { phase, bytes }, None) => (*phase, *bytes),
            (event, kept) => {
                if let Some((phase, bytes)) = kept {
                    on(&job::Event::Progress { phase, bytes });
                }
                return on(event);
            }
        };
        match bytes >= Pace::STEP {
            true => on(&job::Event::Progress { phase, bytes }),
            false => self.pending = Some((phase, bytes)),
        }
    }
}
