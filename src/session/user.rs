//! Whoever a drive is opened for.

use std::sync::Arc;

use super::event::Event;
use crate::drive::channel::ChannelState;
use crate::scsi::Identity;
use crate::transport::Watch;

/// Hears what happens on the way to a drive, and is asked what only people can
/// decide.
pub trait User {
    fn tell(&mut self, event: Event);

    /// Whether the kernel may give up what it has on a channel.
    fn may_take(&mut self, channel: &ChannelState) -> Answer;

    /// Who looks at every command that is sent to the drive from now on.
    fn watch(&self) -> Option<Arc<dyn Watch>> {
        None
    }

    /// Whether a drive that refuses vendor mode is to be waited for: one that nothing is
    /// wanted of is asked once.
    fn is_patient_with(&self, _drive: &Identity) -> bool {
        true
    }

    /// Whether the wish to stop has come, while a drive is waited for.
    fn wants_to_stop(&self) -> bool;
}

/// What somebody says to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Yes,
    /// Yes, said before it was asked.
    YesBefore,
    No,
    /// There is nobody to ask.
    NobodyThere,
    /// The wish to stop came instead.
    Stop,
}
