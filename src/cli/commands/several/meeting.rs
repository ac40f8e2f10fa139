//! Where the drives of one run wait for each other: nothing is changed before
//! all have been looked at and their user has been asked once.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::cli::prompt::Consent;

/// What all that wait are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Consent(Consent),
    /// What would be done could not be shown, and why.
    Unshown(String),
}

/// A table with a seat for everybody who may want to change something.
#[derive(Debug)]
pub struct Meeting {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// Who has neither asked nor gone.
    awaited: usize,
    asking: usize,
    answer: Option<Answer>,
}

impl Meeting {
    /// As many seats are to be taken.
    pub fn of(seats: usize) -> Meeting {
        Meeting {
            state: Mutex::new(State {
                awaited: seats,
                asking: 0,
                answer: None,
            }),
            changed: Condvar::new(),
        }
    }

    pub fn seat(&self) -> Seat<'_> {
        Seat {
            meeting: self,
            is_awaited: Mutex::new(true),
        }
    }

    /// Waits until everybody has asked or gone, and tells whether anybody asked.
    pub fn is_asked(&self) -> bool {
        let state = self.state();
        let state = self.changed.wait_while(state, |state| state.awaited > 0);
        state.unwrap_or_else(PoisonError::into_inner).asking > 0
    }

    /// Answers all who have asked.
    pub fn answer(&self, answer: Answer) {
        self.state().answer = Some(answer);
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who is awaited. Dropping it is going without a question.
#[derive(Debug)]
pub struct Seat<'a> {
    meeting: &'a Meeting,
    is_awaited: Mutex<bool>,
}

impl Seat<'_> {
    /// Asks, and waits for the answer that all get.
    pub fn ask(&self) -> Answer {
        self.arrive(true);
        let state = self.meeting.state();
        let state = self
            .meeting
            .changed
            .wait_while(state, |state| state.answer.is_none());
        let state = state.unwrap_or_else(PoisonError::into_inner);
        let nobody = Answer::Consent(Consent::NobodyToAsk);
        state.answer.clone().unwrap_or(nobody)
    }

    fn arrive(&self, asks: bool) {
        let mut is_awaited = self
            .is_awaited
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut *is_awaited) {
            let mut state = self.meeting.state();
            state.awaited = state.awaited.saturating_sub(1);
            state.asking += usize::from(asks);
            self.meeting.changed.notify_all();
        }
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.arrive(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn nobody_goes_on_before_all_have_asked_or_gone() {
        let meeting = Meeting::of(3);
        let given = Answer::Consent(Consent::Given);
        thread::scope(|scope| {
            let asking: Vec<_> = (0..2)
                .map(|_| {
                    let seat = meeting.seat();
                    scope.spawn(move || seat.ask())
                })
                .collect();
            let gone = meeting.seat();
            scope.spawn(move || drop(gone));
            assert!(meeting.is_asked());
            assert!(asking.iter().all(|thread| !thread.is_finished()));
            meeting.answer(given.clone());
            for thread in asking {
                assert_eq!(thread.join().unwrap(), given);
            }
        });
    }

    #[test]
    fn nothing_is_asked_where_all_have_gone() {
        let meeting = Meeting::of(2);
        drop(meeting.seat());
        drop(meeting.seat());
        assert!(!meeting.is_asked());
    }
}
