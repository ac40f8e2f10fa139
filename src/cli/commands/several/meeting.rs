//! Where the drives of one run wait for each other: nothing is changed before
//! all have been looked at and their user has been asked once.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::cli::args::DriveName;
use crate::cli::prompt::{Consent, Word};
use crate::cli::text::Text;

/// What has to be typed before the flash of one drive is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    pub drive: DriveName,
    pub word: Word,
    /// Who the drive and the image say that they are, where the change can leave
    /// the drive dead.
    pub names: Option<Text>,
}

/// What all that wait are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// How the question was answered, and the word that it wanted last.
    Consent(Consent, Word),
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
    /// In the order in which they came.
    demands: Vec<Demand>,
    answer: Option<Answer>,
}

impl Meeting {
    /// As many seats are to be taken.
    pub fn of(seats: usize) -> Meeting {
        Meeting {
            state: Mutex::new(State {
                awaited: seats,
                demands: Vec::new(),
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

    /// Waits until everybody has asked or gone, and tells what they ask.
    pub fn demands(&self) -> Vec<Demand> {
        let state = self.state();
        let state = self.changed.wait_while(state, |state| state.awaited > 0);
        let state = state.unwrap_or_else(PoisonError::into_inner);
        state.demands.clone()
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
    /// Asks for what these drives demand, and waits for the answer that all get.
    pub fn ask(&self, demands: &[Demand]) -> Answer {
        self.arrive(demands);
        let state = self.meeting.state();
        let state = self
            .meeting
            .changed
            .wait_while(state, |state| state.answer.is_none());
        let state = state.unwrap_or_else(PoisonError::into_inner);
        let nobody = Answer::Consent(Consent::NobodyToAsk, Word::Yes);
        state.answer.clone().unwrap_or(nobody)
    }

    fn arrive(&self, demands: &[Demand]) {
        let mut is_awaited = self
            .is_awaited
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut *is_awaited) {
            let mut state = self.meeting.state();
            state.awaited = state.awaited.saturating_sub(1);
            state.demands.extend_from_slice(demands);
            self.meeting.changed.notify_all();
        }
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.arrive(&[]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn nobody_goes_on_before_all_have_asked_or_gone() {
        let meeting = Meeting::of(3);
        let given = Answer::Consent(Consent::Given, Word::Yes);
        let demand = Demand {
            drive: DriveName::Index(3),
            word: Word::Yes,
            names: None,
        };
        thread::scope(|scope| {
            let asking: Vec<_> = (0..2)
                .map(|_| {
                    let seat = meeting.seat();
                    let demand = demand.clone();
                    scope.spawn(move || seat.ask(&[demand]))
                })
                .collect();
            let gone = meeting.seat();
            scope.spawn(move || drop(gone));
            assert_eq!(meeting.demands(), [demand.clone(), demand.clone()]);
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
        assert!(meeting.demands().is_empty());
    }
}
