//! The line that asked for a change which was begun and not finished, as it can be
//! typed now: its image may be gone, or be another one by the same name.

use std::path::{Path, PathBuf};

use super::advice::Advice;
use super::args::{A_FILE, Request, parse_words};
use super::image_file;
use crate::image::{Crc32, NotLoaded};
use crate::job::{Asked, interrupted};

/// What is left where a backup has gone.
pub const FIND_IT: &str =
    "Find that file again, or a copy of it: no other holds what was in the flash before.";

/// The line of a change that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoingOn {
    /// As it was typed.
    pub request: Request,
    gone: Option<Gone>,
}

/// What has become of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Gone {
    Missing(PathBuf),
    Other { file: PathBuf, wanted: Crc32 },
}

impl GoingOn {
    /// `None` where what asked for it is not known.
    pub fn of(asked: &Asked) -> Option<GoingOn> {
        let request = parse_words(&asked.words).ok();
        let request = request.filter(|_| !asked.words.is_empty())?;
        let file = request.command.file();
        let gone = file.and_then(|file| Gone::of(file, asked.image, &request));
        Some(GoingOn { request, gone })
    }

    /// That line behind this heading.
    pub fn advice(&self, heading: &str) -> Advice {
        match &self.gone {
            None => Advice::of(heading).then(self.request.clone()),
            Some(gone) => Advice::of(gone.words())
                .then(heading)
                .then(self.request.with_file(A_FILE.as_ref())),
        }
    }
}

/// What a drive was left with.
#[derive(Debug)]
pub struct Left {
    line: Option<GoingOn>,
    backup: PathBuf,
    /// The backup is what it was.
    is_intact: bool,
}

impl From<interrupted::Left> for Left {
    fn from(left: interrupted::Left) -> Left {
        Left {
            line: GoingOn::of(&left.asked),
            backup: left.backup,
            is_intact: left.is_intact,
        }
    }
}

impl Left {
    /// The line that goes on, as it was typed.
    pub fn as_typed(&self) -> Option<&Request> {
        self.line.as_ref().map(|line| &line.request)
    }

    /// The same for its user, with what has to be found.
    pub fn line(&self, heading: &str) -> Option<Advice> {
        let line = self.line.as_ref()?;
        if self.is_intact {
            return Some(line.advice(heading));
        }
        let advice = Advice::default().then(format!(
            "Find the backup of that write, {}, whatever its name is now, and name it behind \
             --backup.",
            self.backup.display()
        ));
        let named = GoingOn {
            request: line.request.with_backup(A_FILE.as_ref()),
            gone: line.gone.clone(),
        };
        Some(advice.and(named.advice(heading)))
    }

    /// After a check or a read of that drive.
    pub fn advice(&self, request: &Request) -> Advice {
        let line = self.line("To go on where that run ended:");
        let is_alone = line.is_none();
        let advice = line.unwrap_or_default();
        match (self.is_intact, is_alone) {
            (false, true) => advice.then(FIND_IT),
            (false, false) => advice,
            (true, true) => advice
                .then("To put back what was in it before:")
                .then(request.restore(&self.backup)),
            (true, false) => advice
                .then("Or put back what was in it before:")
                .then(request.restore(&self.backup)),
        }
    }
}

impl Gone {
    fn of(file: &Path, wanted: Option<Crc32>, request: &Request) -> Option<Gone> {
        let found = match image_file::load(request, file) {
            Ok(image) => image_file::of_part(request, image).ok(),
            Err(error) if matches!(error.why, NotLoaded::Missing { .. }) => {
                return Some(Gone::Missing(file.to_owned()));
            }
            Err(_) => None,
        };
        let found = found.map(|image| Crc32::of(image.bytes()));
        let wanted = wanted.filter(|wanted| found != Some(*wanted))?;
        Some(Gone::Other {
            file: file.to_owned(),
            wanted,
        })
    }

    fn words(&self) -> String {
        match self {
            Gone::Missing(file) => format!(
                "The image of that write, {}, is not there any more: find it, and name it in the \
                 place of FILE.",
                file.display()
            ),
            Gone::Other { file, wanted } => format!(
                "The image of that write, {}, holds something else now: find the one with the \
                 CRC-32 {wanted}, and name it in the place of FILE.",
                file.display()
            ),
        }
    }
}
