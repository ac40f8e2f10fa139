//! `r`: the flash into files.

use std::path::Path;

use super::run::{Context, Run};
use crate::cli::args::Request;
use crate::cli::exit::Exit;
use crate::cli::failure::{self, Failure};
use crate::cli::next;
use crate::cli::outcome::{Dumped, Finding};
use crate::cli::text::Text;
use crate::cli::words;
use crate::cli::words::terms::{bank_sums, size};
use crate::files::{self, FileError, Place};
use crate::flash::{Bank, FlashRange};
use crate::image::mt19xx::{Facts, SHOWN_REMAPPED};
use crate::image::{self, Arrangement, Encoding, Format, damage};
use crate::job::backup;
use crate::job::read::{self, Dump};
use crate::job::record::Record;
use crate::job::steadiness::is_unstable;
use crate::job::{Check, Selection, change, interrupted};
use crate::protocol::Writing;

pub fn run(context: Context, file: &Path) -> Result<(), Failure> {
    let request = context.request;
    check_place(request, file)?;
    let (dump, record, by_boot_code, left, is_of_named_size) = context.with_drive(|run| {
        run.refuse_unreadable()?;
        check_names_and_room(run, file)?;
        run.show_unfinished(Some(file));
        run.refuse_slow(2, 0)?;
        let dump = run.job(|job| read::read(job, &request.selection()))?;
        let by_boot_code = run.info().is_boot_loader();
        let is_mixed =
            by_boot_code || interrupted::is_mixed(Some(file), run.device(), &dump, &run.journal());
        let record = Record {
            half_written: is_mixed,
            ..Record::of(&dump, run.info(), &run.circumstances())
        };
        // Of a chip that is known nobody has to say it.
        let is_known = !matches!(run.capabilities().writing, Writing::Impossible(_));
        let is_of_named_size = request.options.size.is_some() && !is_known;
        Ok((dump, record, by_boot_code, run.left(), is_of_named_size))
    })?;
    let (is_mixed, has_gaps) = (record.half_written, !record.gaps.is_empty());
    save(context, file, &dump, record, by_boot_code, is_of_named_size)?;
    let next = match left {
        Some(left) => left.advice(request),
        // What has gaps is no firmware, and looking at it finds no more than that.
        None if has_gaps => return Ok(()),
        None => next::after_read(is_mixed, request),
    };
    let name = request.drives.first();
    context.output.found(name, request, Finding::Next(next));
    Ok(())
}

fn save(
    context: Context,
    file: &Path,
    dump: &Dump,
    record: Record,
    by_boot_code: bool,
    is_of_named_size: bool,
) -> Result<(), Failure> {
    let request = context.request;
    let forced = &request.options.force;
    change::refuse_blank(dump, forced).map_err(|refusal| failure::refused(&refusal, request))?;
    let format = format(request);
    let overwrite = forced.contains(&Check::Overwrite);
    backup::save(dump, &record, file, format, overwrite)
        .map_err(|error| Failure::file(&error, file, request))?;
    let mut files = backup::paths(file, format, &dump.ranges);
    // A Blu-ray drive shows one of its pages twice.
    let is_remapped = Facts::of(&dump.bytes).is_some_and(|facts| facts.is_drive_read);
    let is_sound = !record.half_written && record.gaps.is_empty() && dump.is_whole();
    let damage = is_sound.then(|| damage::of_flash(&dump.bytes)).flatten();
    let name = request.drives.first();
    let dumped = Dumped {
        damage,
        beside: files.pop().unwrap_or_default(),
        files,
        format,
        record,
        by_boot_code,
        is_of_named_size,
        remapped: is_remapped.then_some(SHOWN_REMAPPED),
    };
    context
        .output
        .found(name, request, Finding::Dumped(Box::new(dumped)));
    Ok(())
}

/// Of the files that are to be made.
fn format(request: &Request) -> Format {
    Format {
        encoding: match request.binary {
            true => Encoding::Binary,
            false => Encoding::Hex,
        },
        arrangement: match request.merged {
            true => Arrangement::Merged,
            false => Arrangement::PerBank,
        },
    }
}

/// Before the drive is touched: what a read would make, as far as that is known
/// without the drive.
fn check_place(request: &Request, file: &Path) -> Result<(), Failure> {
    let raw = Format {
        encoding: Encoding::Binary,
        arrangement: Arrangement::Merged,
    };
    if matches!(request.selection(), Selection::Range(_)) && format(request) != raw {
        return Err(Exit::Usage
            .because(
                "Intel HEX and files of banks hold whole banks, and this range is none: of such a \
                 file nobody could tell afterwards where its bytes belong.",
            )
            .next("In one raw binary file it can be read, compared and written back:")
            .next(request.raw()));
    }
    let banks = request.options.banks.as_ref();
    let first = banks.and_then(|banks| banks.first().copied());
    let first = [first.unwrap_or_default().range()];
    Place::of(file)
        .and_then(|_| image::must_be_its_only_form(file, format(request).arrangement))
        .and_then(|()| check_names(request, file, &first))
        .map_err(|error| Failure::file(&error, file, request))
}

/// A full disk and a name that cannot be had are better found out before half
/// an hour of reading.
fn check_names_and_room(run: &Run, file: &Path) -> Result<(), Failure> {
    let request = run.request;
    let size = run.capabilities().size;
    let ranges = request.selection().ranges(size).unwrap_or_default();
    let banks: Vec<Bank> = ranges.iter().flat_map(|range| range.banks()).collect();
    check_names(request, file, &ranges)
        .and_then(|()| image::must_be_found_by(file, format(request).arrangement, &banks))
        .and_then(|()| backup::must_have_room(file, format(request), &ranges))
        .map_err(|error| Failure::file(&error, file, request))
}

fn check_names(request: &Request, file: &Path, ranges: &[FlashRange]) -> Result<(), FileError> {
    let overwrite = request.options.force.contains(&Check::Overwrite);
    backup::must_not_be_unfinished(file)?;
    backup::must_have_its_own_record(file)?;
    files::must_be_makeable(&backup::paths(file, format(request), ranges), overwrite)
}

/// A dump that is in files now.
pub fn dumped(dump: &Dumped, is_part: bool) -> Text {
    let record = &dump.record;
    let mut table = Text::default();
    match &dump.files[..] {
        [file] => table.row("File", &file.display().to_string()),
        [first, second] => table.row(
            "Files",
            &format!(
                "{} and {}, one for each bank that was read",
                first.display(),
                second.display()
            ),
        ),
        [first, .., last] => table.row(
            "Files",
            &format!(
                "{}, {} to {}, one for each bank that was read",
                dump.files.len(),
                first.display(),
                last.display()
            ),
        ),
        [] => &mut table,
    };
    let other = match dump.format.encoding {
        Encoding::Hex => "; with /b it is raw binary",
        Encoding::Binary => "",
    };
    table.row("Format", &format!("{}{other}", dump.format));
    table.row("Read", &format!("{}, every byte twice", size(dump.bytes())));
    if record.half_written {
        table.row("Warning", words::journal::half_written(dump.by_boot_code));
    }
    if record.disagreements > 0 {
        let differed = words::objection::differed(record.disagreements);
        let meaning = match is_unstable(record.disagreements) {
            false => "; it was read until two agreed.",
            true => {
                ". What two reads agree on may be wrong then: this file may be wrong, and is no \
                 backup to rely on. Check cable and power of the drive, and read it again."
            }
        };
        table.row("Warning", &format!("{differed}{meaning}"));
    }
    if let Some(damage) = &dump.damage {
        table.row(
            "Warning",
            &format!(
                "What {} looks damaged: {}. Keep this file; it is no firmware to write.",
                match record.unconfirmed {
                    true => "was read",
                    false => "is in the flash",
                },
                words::damage::what(damage)
            ),
        );
    }
    for gap in &record.gaps {
        table.row(
            "Gap",
            &format!("{gap}: the drive refused to have it read, FF stands there"),
        );
    }
    if !record.gaps.is_empty() {
        table.row(
            "Kept",
            "as parts: what the drive gives, at its place, and no whole firmware",
        );
    }
    if let Some(remapped) = dump.remapped {
        table.row(
            "Note",
            &format!(
                "A drive of this kind shows another page at {remapped} than its flash has there. It \
                 keeps its boot code whatever is written, so that nothing is missing from a way back."
            ),
        );
    }
    table.rows("Sums", bank_sums(&dump.banks()));
    table.row(
        "Total",
        &format!("{} (CRC-32 {})", record.sum, record.crc32),
    );
    let is_whole =
        record.gaps.is_empty() && !record.half_written && !is_unstable(record.disagreements);
    if is_whole {
        table.success(match dump.files.len() {
            _ if dump.remapped.is_some() => {
                "It worked: all that the drive shows of its flash is on the disk."
            }
            _ if record.unconfirmed => {
                "It worked: what the drive gives this way is on the disk. Nobody is known to have \
                 seen that it is what is in its flash."
            }
            _ if dump.is_of_named_size => {
                "It worked: as much of the flash as you have said that it has is on the disk."
            }
            1 if is_part => "It worked: this file holds what is in that part of the flash.",
            _ if is_part => "It worked: these files hold what is in that part of the flash.",
            1 => "It worked: this file holds what is in the flash.",
            _ => "It worked: these files hold what is in the flash.",
        });
    }
    table.finish()
}
