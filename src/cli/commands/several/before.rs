//! What is looked at before the first of several drives is opened: which they are, and
//! what would go wrong with each of them alike.

use std::collections::BTreeMap;
use std::path::Path;

use super::super::images::load_image;
use super::super::list;
use super::super::run::Context;
use crate::cli::args::{Command, DriveName, Request};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::outcome::Finding;
use crate::cli::words::terms;
use crate::files::{self, FileError, Kind, Place};
use crate::image::Report;
use crate::job::Forced;
use crate::job::change::{self, Content};
use crate::scsi::Identity;
use crate::session::{Listing, Machine};

/// The drives that are named, or all there are.
pub fn names(context: Context, machine: &dyn Machine) -> Result<Vec<DriveName>, Failure> {
    let request = context.request;
    if !request.drives.is_empty() {
        return Ok(request.drives.clone());
    }
    let listing = list::find(machine, context)?;
    let via = request.options.via;
    let listed = listing.drives.iter();
    let names = listed.filter_map(|listed| listed.name(via)).collect();
    context.found(Finding::Listing(listing));
    Ok(names)
}

/// # Errors
/// Two names that lead to one drive.
pub fn refuse_the_same(
    request: &Request,
    machine: &dyn Machine,
    names: &[DriveName],
) -> Result<(), Failure> {
    let mut known: BTreeMap<String, &DriveName> = BTreeMap::new();
    for name in names {
        // What is not there says so when it is opened.
        let Ok(spot) = machine.locate(name) else {
            continue;
        };
        if let Some(other) = known.insert(spot.place, name) {
            let others = names.iter().filter(|other| *other != name);
            return Err(Exit::Usage
                .because(format!(
                    "{other} and {name} are the same drive. No drive was touched."
                ))
                .next("To name it once:")
                .next(request.of_these(others.cloned().collect())));
        }
    }
    Ok(())
}

/// By what drives answer to INQUIRY, before one of them is opened.
///
/// # Errors
/// Drives of several models, of which one image is wrong for all but one.
pub fn refuse_other_models(
    context: Context,
    file: &Path,
    listing: &Listing,
    names: &[DriveName],
) -> Result<(), Failure> {
    let known = names.iter().filter_map(|name| {
        let identity = listing.find(name)?.identity.as_ref()?;
        Some((name, identity))
    });
    let known: Vec<(&DriveName, &Identity)> = known.collect();
    let Some((first, one)) = known.first() else {
        return Ok(());
    };
    let Some((second, other)) = known.iter().find(|(_, other)| !is_alike(one, other)) else {
        return Ok(());
    };
    let failure = Exit::Refused.because(format!(
        "One image is for one model, and these drives are of more: {first} is {}, {second} is {}. \
         No drive was touched.",
        terms::identity(one),
        terms::identity(other)
    ));
    let request = context.request;
    let meant = meant(context, file, &known);
    Err(match meant.is_empty() {
        true => failure
            .next("Write into the drives of one model at a time. To see whom the image is for:")
            .next(request.inspect()),
        false => failure
            .next("Write into the drives of one model at a time. The image is for:")
            .next(request.of_these(meant)),
    })
}

fn is_alike(one: &Identity, other: &Identity) -> bool {
    (&one.vendor, &one.product) == (&other.vendor, &other.product)
}

/// The drives of one model that the image in this file names.
fn meant(context: Context, file: &Path, known: &[(&DriveName, &Identity)]) -> Vec<DriveName> {
    let Ok(image) = load_image(context, file) else {
        return Vec::new();
    };
    if Report::of(&image).identities.is_empty() {
        return Vec::new();
    }
    let content = Content::Image {
        image: &image,
        record: None,
    };
    let is_for = |drive: &Identity| change::refuse_misfit(&content, drive, &Forced::new()).is_ok();
    let Some((_, one)) = known.iter().find(|(_, drive)| is_for(drive)) else {
        return Vec::new();
    };
    let alike = known.iter().filter(|(_, other)| is_alike(one, other));
    alike.map(|(name, _)| (*name).clone()).collect()
}

/// What a folder would refuse to each drive, once for all and before one is opened.
///
/// # Errors
/// A folder that takes no files.
pub fn refuse_folder(request: &Request) -> Result<(), Failure> {
    let options = &request.options;
    let file = match &request.command {
        Command::Read { file } => file.clone(),
        Command::Write { .. } | Command::Erase if !options.no_backup && !options.dry_run => {
            match &options.backup {
                Some(folder) if files::is_folder(folder) => folder.join("backup.bin"),
                Some(file) => file.clone(),
                None => "backup.bin".into(),
            }
        }
        _ => return Ok(()),
    };
    // As it was typed: no drive's name makes a file of what is none.
    match Place::of(&file) {
        Err(
            error @ (FileError::Folder { .. }
            | FileError::NotAFile {
                kind: Kind::Kernel, ..
            }),
        ) => Err(error),
        _ => files::folder_must_take_files(&file),
    }
    .map_err(|error| Failure::file(&error, &file, request))
}
