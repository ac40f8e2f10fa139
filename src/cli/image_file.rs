//! The image that a request is about, out of its file.

use std::path::Path;

use super::args::Request;
use crate::flash::{BANK_SIZE, Bank, FlashRange};
use crate::image::{self, FLASH_SIZES, Image, LoadError, bank_path};
use crate::job::Selection;
use crate::job::record::Record;

/// As the content of the file and the part that is selected call for.
///
/// # Errors
/// A file that is not there, or holds no image.
pub fn load(request: &Request, file: &Path) -> Result<Image, LoadError> {
    let entry = request.options.entry.as_deref();
    match request.selection() {
        // Of a whole image all is looked at, whichever banks of it are wanted.
        Selection::Banks(banks) if is_in_bank_files(request, file, &banks) => {
            let is_dump_of_part =
                Record::beside(file).is_some_and(|record| !record.ranges.is_empty());
            match image::load_banks(file) {
                Ok(whole) if !is_dump_of_part => Ok(whole),
                _ => image::load_these_banks(file, &banks),
            }
        }
        Selection::Banks(_) | Selection::Range(_) if file.is_file() => {
            image::load_part(file, entry)
        }
        _ => match part_of_record(request, file) {
            Some(banks) if is_in_bank_files(request, file, &banks) => {
                image::load_these_banks(file, &banks)
            }
            Some(_) if file.is_file() => image::load_part(file, entry),
            _ if request.merged && file.exists() => image::load_merged(file, entry),
            _ => image::load(file, entry),
        },
    }
}

/// The banks of which a dump holds all or a part, where its record says that it is none of
/// all of a flash.
fn part_of_record(request: &Request, file: &Path) -> Option<Vec<Bank>> {
    let record = Record::beside(file).filter(|_| request.selection().is_everything())?;
    let banks = record.ranges.iter().flat_map(|range| range.banks());
    Some(banks.collect()).filter(|banks: &Vec<Bank>| !banks.is_empty())
}

/// What of an image belongs into the part that is selected, where the file says where its
/// bytes belong.
///
/// # Errors
/// Where they belong, if that is elsewhere.
pub fn of_part(request: &Request, image: Image) -> Result<Image, FlashRange> {
    let selection = request.selection();
    match selection.ranges(image::LARGEST_HEX) {
        Ok(ranges) if !selection.is_everything() => image.of_ranges(&ranges),
        _ => Ok(image),
    }
}

/// A file that holds just the selected part of a flash.
pub fn is_part(request: &Request, image: &Image) -> bool {
    let selected = match request.selection() {
        Selection::Everything => return false,
        Selection::Banks(banks) => banks.len() as u64 * u64::from(BANK_SIZE),
        Selection::Range(range) => u64::from(range.len()),
    };
    !FLASH_SIZES.contains(&image.size()) || selected == u64::from(image.size())
}

/// Whether there is a file for each of these banks and none for all of them.
fn is_in_bank_files(request: &Request, file: &Path, banks: &[Bank]) -> bool {
    !request.merged && !file.exists() && banks.iter().all(|bank| bank_path(file, *bank).is_file())
}
