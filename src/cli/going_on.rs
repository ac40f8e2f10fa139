//! The line that asked for a change which was begun and not finished, as it can be
//! typed now: its image may be gone, or be another one by the same name.

use std::path::{Path, PathBuf};

use super::advice::Advice;
use super::args::{A_FILE, Request, parse_words};
use super::image_file;
use crate::image::{Crc32, NotLoaded};
use crate::job::Asked;

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
