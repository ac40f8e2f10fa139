//! Where the content of before goes.

use std::path::Path;

use crate::cli::args::{Command, Request};
use crate::cli::failure::Failure;
use crate::files::{self, Place};
use crate::job::backup;
use crate::job::change::BackupWish;
use crate::job::record::Record;
use crate::scsi::Identity;

/// The file that is named, or one in the folder that is, or one in this folder.
pub fn wish(request: &Request, identity: Option<&Identity>, among: Option<&str>) -> BackupWish {
    let options = &request.options;
    let folder = match &options.backup {
        _ if options.no_backup => return BackupWish::None,
        Some(backup) if files::is_folder(backup) => backup.as_path(),
        Some(backup) => return BackupWish::File(backup.clone()),
        None => Path::new(""),
    };
    let who = match identity {
        Some(identity) => vec![
            Some(identity.product.as_str()),
            Some(identity.revision.as_str()),
            identity.serial.as_deref(),
        ],
        None => vec![Some("unknown-drive")],
    };
    let name: Vec<&str> = std::iter::once(among).chain(who).flatten().collect();
    let name = as_file_name(&name.join("-"));
    let now = jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S").to_string();
    // Two drives in one second, or one twice.
    let fresh = |kind: &str| match folder.join(format!("{kind}-{name}-{now}.bin")) {
        path if path.exists() => backup::free_name(&path),
        path => path,
    };
    BackupWish::Fresh {
        backup: fresh("backup"),
        half_written: fresh("half-written"),
    }
}

/// Before the drive is touched: where the backup of a change is to go.
/// Whether it is there already, and of which flash, is seen later.
pub fn check(request: &Request, only_looks: bool) -> Result<(), Failure> {
    let options = &request.options;
    let standing_in = Path::new("backup.bin");
    let named = options.backup.as_deref().unwrap_or(standing_in);
    if let (Command::Write { file }, Some(backup)) = (&request.command, &options.backup) {
        backup::must_not_replace_image(backup, file)
            .map_err(|error| Failure::file(&error, backup, request))?;
    }
    let checked = match &options.backup {
        _ if options.no_backup => Ok(()),
        None if only_looks => Ok(()),
        None => files::folder_must_take_files(standing_in),
        Some(folder) if files::is_folder(folder) => {
            let standing_in = folder.join(standing_in);
            Place::of(&standing_in).and_then(|_| files::folder_must_take_files(&standing_in))
        }
        Some(backup) if only_looks || is_of_begun(backup) => Place::of(backup).map(drop),
        Some(backup) => {
            let files = [backup.clone(), backup::record_path(backup)];
            backup::must_have_its_own_record(backup)
                .and_then(|()| files::must_be_makeable(&files, true))
        }
    };
    checked.map_err(|error| Failure::file(&error, named, request))
}

/// Whether it is that of a change that was begun, and is there: nothing has to be made.
fn is_of_begun(backup: &Path) -> bool {
    let record = Record::beside(backup).filter(|record| record.before_writing.is_some());
    record.is_some_and(|record| backup::is_intact(backup, &record))
}

/// Letters, digits, dots and dashes only.
pub fn as_file_name(text: &str) -> String {
    let mapped: String = text
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() || letter == '.' {
                letter
            } else {
                '-'
            }
        })
        .collect();
    let parts: Vec<&str> = mapped.split('-').filter(|part| !part.is_empty()).collect();
    parts.join("-")
}
