//! From the note that a change begins to the note that it is over.

use std::fs::File;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use crate::files::{self, Links};
use crate::flash::FlashRange;
use crate::image::Crc32;
use crate::job::backup;
use crate::job::journal::{self, Begun, Journal, Piece};
use crate::job::record::{self, Date, Record};
use crate::job::{BackupProblem, JobError, Refusal};
use crate::plan::Summary;
use crate::protocol::DeviceInfo;

/// A change that is under way. Others leave its backup alone until this is
/// dropped, or the process has ended in whatever way: two drives of one kind can
/// be at work in one folder.
#[derive(Debug)]
pub(in crate::job) struct UnderWay {
    _locked: Option<Flock<File>>,
    pub entry: Option<journal::Found>,
}

/// A change that is about to begin.
pub(in crate::job) struct Beginning<'a> {
    /// The backup and what its record is to say; none where the user wants none.
    pub backup: Option<(&'a Path, &'a Record)>,
    pub device: &'a DeviceInfo,
    pub date: Date,
    pub tool: &'a str,
    /// Sums of what was read and of what is to be there, piece by piece.
    pub pieces: &'a [Piece],
    /// What was read.
    pub covered: &'a [FlashRange],
    /// What the whole flash is to hold.
    pub target: &'a [u8],
    pub plan: Summary,
    /// The flash is in the middle of another change.
    pub mixed: bool,
}

/// Notes in the journal and in the backup's record that the flash is being
/// changed from now on. Time has passed since the backup was made, somebody was
/// asked: it is looked at again.
///
/// # Errors
/// Where the backup is not what it was, where another run is at work with it, and
/// where nothing can be noted. Nothing may be changed then.
pub(in crate::job) fn begin(change: &Beginning, journal: &Journal) -> Result<UnderWay, JobError> {
    let locked = match change.backup {
        Some((path, record)) => Some(held(path, record)?),
        None => None,
    };
    let record = change.backup.map(|(_, record)| record);
    let recorded = record.and_then(|record| record.drive.clone());
    let drive = recorded.or_else(|| change.device.identity.clone());
    let whole = u32::try_from(change.target.len()).unwrap_or(u32::MAX);
    let ranges = match change.covered == record::covered(&[], whole) {
        true => Vec::new(),
        false => change.covered.to_vec(),
    };
    let entry = journal.enter(&Begun {
        date: record.map_or(change.date, |record| record.date),
        tool: change.tool,
        drive: drive.as_ref(),
        chip: &change.device.chip,
        size: whole,
        ranges,
        target: change.target,
        sectors_to_erase: change.plan.sectors_to_erase,
        bytes_to_program: change.plan.bytes_to_program,
        mixed: change.mixed,
        backup: change.backup.map(|(path, record)| (path, record.crc32)),
        pieces: change.pieces,
    });
    let entry = entry.map_err(Refusal::Journal)?;
    if let Some((path, record)) = change.backup {
        let noted = Record {
            before_writing: Some(Crc32::of(change.target)),
            ..record.clone()
        };
        if let Err(error) = backup::save_record(&noted, path) {
            entry.iter().for_each(|entry| journal.close(entry));
            return Err(error.into());
        }
    }
    Ok(UnderWay {
        _locked: locked,
        entry,
    })
}

/// Locks a backup that is what its record says.
fn held(path: &Path, record: &Record) -> Result<Flock<File>, Refusal> {
    let refusal = |problem| Refusal::Backup {
        path: path.to_owned(),
        crc32: record.crc32,
        problem,
    };
    let file =
        files::open(path, Links::Followed).map_err(|_| refusal(BackupProblem::Unreadable))?;
    let locked = Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, why)| {
        refusal(match why {
            Errno::EWOULDBLOCK => BackupProblem::InUse,
            _ => BackupProblem::NoLock,
        })
    })?;
    match backup::crc32(&locked) {
        Ok(found) if found == record.crc32 => Ok(locked),
        Ok(_) => Err(refusal(BackupProblem::Changed)),
        Err(_) => Err(refusal(BackupProblem::Unreadable)),
    }
}

/// Notes that a change has come to its end. A record that cannot be written
/// stays as it is: a later run is then more careful than it need be.
pub(in crate::job) fn finish(
    backup: Option<&Path>,
    entry: Option<&journal::Found>,
    journal: &Journal,
) {
    if let Some(entry) = entry {
        journal.close(entry);
    }
    if let Some((backup, record)) = backup.and_then(|path| Some((path, Record::beside(path)?))) {
        if record.before_writing.is_some() {
            let over = Record {
                before_writing: None,
                ..record
            };
            let _ = backup::save_record(&over, backup);
        }
    }
}

/// Takes back what was noted of a change that has changed nothing: the one before is
/// as unfinished as it was.
pub(in crate::job) fn withdraw(
    backup: &Path,
    record: &Record,
    entry: Option<&journal::Found>,
    journal: &Journal,
) {
    if let Some(entry) = entry {
        journal.close(entry);
    }
    let _ = backup::save_record(record, backup);
}
