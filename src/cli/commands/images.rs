//! The image file of a command, and whether it is one for the job.

use std::path::Path;

use super::Run;
use crate::cli::exit::Exit;
use crate::cli::failure::{Failure, GET_IT_AGAIN};
use crate::cli::progress::eprintln_quietly;
use crate::flash::Bank;
use crate::image::{
    Arrangement, Encoding, FLASH_SIZES, Image, bank_path, load, load_merged, load_part,
    load_these_banks, soundness,
};
use crate::job::Selection;
use crate::job::backup::Record;

impl Run<'_> {
    /// Loads an image; its content decides the format, and a switch that says
    /// otherwise is pointed out.
    pub(super) fn load(&mut self, file: &Path) -> Result<Image, Failure> {
        let entry = self.request.options.entry.as_deref();
        let loaded = match self.selection() {
            Selection::Banks(banks) if self.is_in_bank_files(file, &banks) => {
                load_these_banks(file, &banks)
            }
            Selection::Banks(_) | Selection::Range(_) if file.is_file() => load_part(file, entry),
            _ if self.request.merged && file.exists() => load_merged(file, entry),
            _ => load(file, entry),
        };
        let image = loaded.map_err(|error| Failure::load(&error, self.request))?;
        let format = image.format();
        if self.request.binary && format.encoding == Encoding::Hex {
            eprintln_quietly("Note: /b says raw binary, but the file is HEX. It is read as HEX.");
        }
        if self.request.merged && format.arrangement == Arrangement::PerBank {
            eprintln_quietly(
                "Note: /m says one file, but there is a file for each bank. They are read together.",
            );
        }
        Ok(image)
    }

    /// A dump of a part of a flash says so in its record, and belongs there.
    pub(super) fn refuse_part(&self, file: &Path, image: &Image) -> Result<(), Failure> {
        let Some(record) = Record::beside(file).filter(|record| !record.ranges.is_empty()) else {
            return Ok(());
        };
        let selected: Vec<[u32; 2]> = self
            .selection()
            .ranges(record.size)
            .unwrap_or_default()
            .iter()
            .map(|range| [range.start, range.end.saturating_sub(1)])
            .collect();
        if selected == record.ranges || image.size() == record.size {
            return Ok(());
        }
        let named: Vec<String> = record
            .ranges
            .iter()
            .map(|[first, last]| format!("{first:#07x}-{last:#07x}"))
            .collect();
        Err(Failure::new(
            Exit::BadImage,
            format!(
                "{} holds a part of a flash only: {}.",
                file.display(),
                named.join(", ")
            ),
        )
        .next("Name that part and no other:")
        .next(self.request.of_part(&record.ranges)))
    }

    /// An image that cannot be firmware is refused before a drive is touched.
    /// A file with a part of a flash can be judged by its content only.
    pub(super) fn refuse_unsound(&self, file: &Path, image: &Image) -> Result<(), Failure> {
        let problem = if self.is_part(image) {
            soundness::content(image.bytes())
        } else {
            soundness::problems(image.bytes()).into_iter().next()
        };
        match problem {
            Some(problem) => Err(self.bad_image(file, &problem)),
            None => Ok(()),
        }
    }

    /// Whether there is a file for each of these banks and none for all of them.
    fn is_in_bank_files(&self, file: &Path, banks: &[Bank]) -> bool {
        !self.request.merged
            && !file.exists()
            && banks.iter().all(|bank| bank_path(file, *bank).is_file())
    }

    /// A file that holds just the selected part of a flash.
    pub(super) fn is_part(&self, image: &Image) -> bool {
        !self.selection().is_everything() && !FLASH_SIZES.contains(&image.size())
    }

    pub(super) fn bad_image(&self, file: &Path, problem: &soundness::Problem) -> Failure {
        Failure::new(
            Exit::BadImage,
            format!("{} is not usable: {problem}.", file.display()),
        )
        .next(GET_IT_AGAIN)
        .next("To see what is in it:")
        .next(self.request.inspect())
    }
}
