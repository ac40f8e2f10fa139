//! From the note that a change begins to the note that it is over.

use std::path::Path;

use nix::errno::Errno;

use crate::files::{self, Links, Locked};
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
    _locked: Option<Locked>,
    entered: Option<journal::Entered>,
}

impl UnderWay {
    pub fn entry(&self) -> Option<&journal::Found> {
        self.entered.as_ref().map(|entered| &entered.entry)
    }
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
    /// The entries of earlier runs that this one goes on with.
    pub continued: &'a [journal::Found],
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
    let entered = journal.enter(&Begun {
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
        backup: change
            .backup
            .map(|(path, record)| (path, record.crc32, record.half_written)),
        pieces: change.pieces,
        continued: change.continued,
    });
    let entered = entered.map_err(Refusal::Journal)?;
    if let Some((path, record)) = change.backup {
        let noted = Record {
            before_writing: Some(Crc32::of(change.target)),
            ..record.clone()
        };
        // That of a change which is gone on with says so already.
        let is_there = Record::beside(path).is_some_and(|there| there == noted);
        let saved = match is_there {
            true => Ok(()),
            false => backup::save_record(&noted, path),
        };
        if let Err(error) = saved {
            entered
                .iter()
                .for_each(|entered| journal.take_back(entered));
            return Err(error.into());
        }
    }
    Ok(UnderWay {
        _locked: locked,
        entered,
    })
}

/// Locks a backup that is what its record says.
fn held(path: &Path, record: &Record) -> Result<Locked, Refusal> {
    let refusal = |problem| Refusal::Backup {
        path: path.to_owned(),
        crc32: record.crc32,
        problem,
    };
    let file =
        files::open(path, Links::Followed).map_err(|_| refusal(BackupProblem::Unreadable))?;
    let locked = Locked::alone(file).map_err(|why| {
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

/// Takes back what was noted of a change that has changed nothing: one that was begun
/// before is as unfinished as it was. `before` is the backup and what its record said.
pub(in crate::job) fn withdraw(
    under_way: &UnderWay,
    before: Option<(&Path, &Record)>,
    journal: &Journal,
) {
    if let Some(entered) = &under_way.entered {
        journal.take_back(entered);
    }
    if let Some((backup, record)) = before {
        // One that cannot be written makes a later run more careful than it need be.
        let _ = backup::save_record(record, backup);
    }
}
