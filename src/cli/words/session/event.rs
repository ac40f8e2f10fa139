//! What is told on the way to a drive.

use super::channel::{not_brought_back, question};
use crate::cli::advice::{Command, Shell};
use crate::cli::args::Request;
use crate::cli::text::Text;
use crate::cli::words::terms;
use crate::cli::words::{InWords, errors};
use crate::drive::note::{NoteError, Settled};
use crate::protocol::detect::{Detected, Reason};
use crate::protocol::packet::Family;
use crate::session::{By, DriveName, Event, Guess, Said};
use crate::transport::IdentifyError;

/// What is told on the way; `None` for what is shown as a countdown.
pub fn told(event: &Event, typed: &Request) -> Option<Text> {
    let words = match event {
        Event::Settled(settled) => return Some(self::settled(settled)),
        Event::Guessed { called, guess } => guessed(called, guess),
        Event::PollingLeftOn(why) => polled(why),
        Event::Detected(detected) => self::detected(detected),
        Event::GivenUp(channel) => return Some(question(channel)),
        Event::Said(said) => return Some(self::said(said)).filter(|text| !text.is_empty()),
        Event::TakenOver => "Note: an earlier run was ended in the middle, and this one goes on \
                             with the channel as it was left."
            .to_owned(),
        Event::OnAList(family) => format!(
            "Note: this drive is on the list of {} drives, which are flashed by packets.",
            family.name
        ),
        Event::NotGivenBack(error) => return Some(not_brought_back(error, typed)),
        Event::Waiting(_) | Event::WaitingEnded => return None,
    };
    Some(words.into())
}

fn detected(detected: &Detected) -> String {
    let family = Family::of(detected.protocol).map_or("", |family| family.name);
    match &detected.reason {
        Reason::Named => "The protocol is the one that you named.".to_owned(),
        Reason::Nameless => {
            "The drive does not say what it is; vendor mode needs no working firmware.".to_owned()
        }
        Reason::Unlisted => {
            "The drive is on no list of drives with a packet protocol, so this goes on in vendor mode."
                .to_owned()
        }
        Reason::Listed => format!("The drive is on the list of {family} drives."),
        Reason::ListedWithBanner(banner) => {
            let banner = match banner {
                Some(banner) => format!("Its boot banner is \"{}\".", banner.trim_end()),
                None => "It shows no boot banner.".to_owned(),
            };
            format!("The drive is on the list of {family} drives. {banner}")
        }
    }
}

pub(super) fn said(said: &Said) -> Text {
    let mut text = Text::default();
    match said {
        Said::Device { device, by, other } => {
            // Through the kernel it is the one that is shown anyway.
            if let (By::Ports, _) | (_, Some(_)) = (by, other) {
                let way = match by {
                    By::Ports => "by the ports of its channel",
                    By::AtaPassthrough => "by ATA PASS-THROUGH",
                };
                text.words(&format!("Asked {way}, the drive says that it is {device}."));
            }
            if let Some(other) = other {
                text.words(&format!(
                    "Warning: the kernel remembers another model there, {}.",
                    terms::identity(other)
                ));
            }
        }
        Said::Nothing { error, remembered } => {
            let asked = match error {
                IdentifyError::NoData => "The drive cannot be asked who it is",
                _ => "The drive does not say who it is",
            };
            let counts = match error {
                IdentifyError::NoData => "counts",
                _ => "does not count: it may have been another drive",
            };
            text.words(&format!("{asked}: {}.", error.in_words()));
            if let Some(name) = remembered.as_ref().map(terms::identity) {
                text.words(&format!(
                    "The kernel remembers {name} there, which {counts}."
                ));
            }
        }
    }
    text
}

/// What became of a change that a crashed run has left.
pub(super) fn settled(settled: &Settled) -> Text {
    let Settled { undo, outcome } = settled;
    match outcome {
        Ok(()) => format!(
            "Note: an earlier run was ended in the middle; {} is restored.",
            errors::drive::undone(undo)
        )
        .into(),
        Err(error) => Text::from(format!(
            "Warning: an earlier run was ended in the middle, and {} cannot be restored: {}. \
             By hand:",
            errors::drive::undone(undo),
            error.in_words(),
        ))
        .command("", Command::Shell(Shell::Restore(undo.clone())))
        .finish(),
    }
}

/// A position that is a guess.
pub(super) fn guessed(called: &DriveName, guess: &Guess) -> String {
    let path = guess.node.as_deref().map_or_else(String::new, |node| {
        format!(" To be sure, name it by its path: {}", node.display())
    });
    format!(
        "Note: a SATA port has no master and no slave. That drive {called} is the one at port {} \
         is a guess; look at its name.{path}",
        guess.port
    )
}

/// Media polling that goes on.
pub(super) fn polled(why: &NoteError) -> String {
    format!(
        "Note: the kernel goes on looking for discs in the drive, which does no harm while it is \
         held: {}.",
        why.in_words()
    )
}
