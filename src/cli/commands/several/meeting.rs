//! Where the drives of one run wait for each other: nothing is changed before
//! all have been looked at and their user has been asked once.

use std::sync::Mutex;
use std::sync::mpsc::{self, Sender};

use indicatif::MultiProgress;

use crate::cli::args::DriveName;
use crate::cli::locked;
use crate::cli::prompt::{Consent, Word};
use crate::cli::text::Text;

/// What a drive is among several.
#[derive(Clone, Copy)]
pub struct Among<'a> {
    pub drive: &'a DriveName,
    /// Short, for names of files and in front of lines.
    pub name: &'a str,
    pub bars: &'a MultiProgress,
}

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

/// What somebody asks for, and where the answer goes.
pub type Asked = (Vec<Demand>, Sender<Answer>);

/// Somebody who is awaited. Dropping it is going without a question.
#[derive(Debug)]
pub struct Seat(Mutex<Option<Sender<Asked>>>);

impl Seat {
    pub fn at(table: Sender<Asked>) -> Seat {
        Seat(Mutex::new(Some(table)))
    }

    /// Asks for what these drives demand, once, and waits for the answer that all get.
    pub fn ask(&self, demands: Vec<Demand>) -> Answer {
        let (to_here, answer) = mpsc::channel();
        if let Some(table) = locked(&self.0).take() {
            // Where nobody takes it, nobody answers.
            let _ = table.send((demands, to_here));
        }
        let nobody = Answer::Consent(Consent::NobodyToAsk, Word::Yes);
        answer.recv().unwrap_or(nobody)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn nobody_goes_on_before_all_have_asked_or_gone() {
        let (table, asked) = mpsc::channel();
        let given = Answer::Consent(Consent::Given, Word::Yes);
        let demand = Demand {
            drive: DriveName::Index(3),
            word: Word::Yes,
            names: None,
        };
        thread::scope(|scope| {
            let asking: Vec<_> = (0..2)
                .map(|_| {
                    let seat = Seat::at(table.clone());
                    let demand = demand.clone();
                    scope.spawn(move || seat.ask(vec![demand]))
                })
                .collect();
            let gone = Seat::at(table);
            scope.spawn(move || drop(gone));
            let (demands, waiting): (Vec<_>, Vec<_>) = asked.iter().unzip();
            assert_eq!(demands.concat(), [demand.clone(), demand.clone()]);
            assert!(asking.iter().all(|thread| !thread.is_finished()));
            for somebody in waiting {
                somebody.send(given.clone()).unwrap();
            }
            for thread in asking {
                assert_eq!(thread.join().unwrap(), given);
            }
        });
    }

    #[test]
    fn nothing_is_asked_where_all_have_gone() {
        let (table, asked) = mpsc::channel();
        drop(Seat::at(table.clone()));
        drop(Seat::at(table));
        assert_eq!(asked.iter().count(), 0);
    }
}
