//! Whoever a drive is opened for.

use super::event::Event;
use crate::drive::legacy::ChannelState;

/// Hears what happens on the way to a drive, and is asked what only people can
/// decide.
pub trait User {
    fn tell(&mut self, event: Event);

    /// Whether the kernel may give up what it has on a channel.
    fn may_take(&mut self, channel: &ChannelState) -> Answer;

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
