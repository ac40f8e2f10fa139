//! Changes that were begun and not finished.
//!
//! From the first change until the flash has been read back, two places say what
//! the flash was about to hold: an entry in the machine's [journal],
//! and the record beside the backup, for people and for machines without that
//! journal. A run that finds one of its drive goes on from that backup, because
//! what was to stay as it is may have been erased with its sector and be there
//! alone.
//!
//! Whose change it was is asked twice: who the drive is, by its serial number or,
//! without one, by its place in the machine; and whether its flash can be what
//! that change has left behind.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use super::backup::{self, Record, RecordedDrive};
use super::journal::{self, Begun, Entry, Journal, Piece};
use super::read::{Dump, lay_out};
use super::{BackupProblem, Check, Forced, JobError, Refusal};
use crate::files::{self, Links, folder_of};
use crate::flash::{EraseLayout, FlashRange, Offset, PAGE_SIZE};
use crate::image::{Crc32, identity};
use crate::plan::{ERASED, Summary};
use crate::protocol::{DeviceInfo, FirmwareDevice, Writing};
use crate::scsi::Identity;

/// Flash is compared with an entry in pieces of at most this many bytes: the
/// smallest sector of most chips.
const PIECE: u32 = 0x1000;

/// The backup of a change that was begun on a flash like this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    pub path: PathBuf,
    pub record: Record,
    /// What the flash held before, FF where nothing was read.
    pub flash: Vec<u8>,
    covered: Vec<FlashRange>,
    pub(super) who: Who,
    pub(super) entry: Option<journal::Found>,
}

/// A change that was begun on a flash like this one, of which the backup cannot
/// be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// None where the user wanted none.
    pub path: Option<PathBuf>,
    /// CRC-32 of the backup.
    pub crc32: Option<String>,
    pub date: String,
    pub problem: BackupProblem,
    who: Who,
    entry: Option<journal::Found>,
    before_writing: String,
}

/// How it is known that a change was this drive's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// By its serial number.
    Serial,
    /// By its place in the machine; one of the two has no serial number.
    Place,
    /// Neither is known.
    Unknown,
    /// A drive like this one was changed at another place.
    Elsewhere,
}

impl Who {
    fn is_this(self) -> bool {
        self <= Who::Place
    }
}

/// What a flash shows of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Trace {
    state: State,
    /// Something in it is as that change found it or wanted it, and not blank.
    is_kin: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It is as it was before.
    Untouched,
    /// The change can have left this, on its way or at its end.
    Between,
    /// The change cannot have left this by itself.
    Other,
}

/// All that is found of changes on a flash like this.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// The oldest first.
    pub intact: Vec<Unfinished>,
    pub lost: Vec<Lost>,
}

/// What is about to be done to a flash, as far as an earlier change matters.
pub(super) struct Change<'a> {
    pub dump: &'a Dump,
    /// What this change makes of a flash.
    pub target: &'a dyn Fn(&[u8]) -> Vec<u8>,
    /// The bytes that this change leaves as it finds them.
    pub retained: &'a [FlashRange],
    /// None for a drive that programs by itself.
    pub layout: Option<&'a EraseLayout>,
}

/// What a change starts from.
#[derive(Debug)]
pub(super) enum Start {
    /// From what was read.
    Here,
    /// The same change was begun: it goes on from its backup.
    Resumed(Box<Unfinished>),
    /// Another change was begun on this drive, and what was in it before is in
    /// that backup.
    After(Box<Unfinished>),
    /// A change was begun that may have been this drive's: what was read is
    /// perhaps a mixture, and no way back.
    Mixed,
}

/// What the user should know of changes that this run does not go on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The flash may be a mixture; what was in it before is in this backup.
    Unfinished {
        backup: PathBuf,
        date: String,
        who: Who,
    },
    /// The same, and its backup is not what it should be.
    Lost {
        backup: Option<PathBuf>,
        crc32: Option<String>,
        date: String,
    },
}

/// A change that is under way. Others leave its backup alone until this is
/// dropped, or the process has ended in whatever way: two drives of one kind can
/// be at work in one folder.
#[derive(Debug)]
pub(super) struct UnderWay {
    _locked: Option<Flock<File>>,
    pub entry: Option<journal::Found>,
}

/// A change that is about to begin.
pub(super) struct Beginning<'a> {
    /// The backup and what its record is to say; none where the user wants none.
    pub backup: Option<(&'a Path, &'a Record)>,
    pub device: &'a DeviceInfo,
    pub date: &'a str,
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
pub(super) fn begin(change: &Beginning, journal: &Journal) -> Result<UnderWay, JobError> {
    let locked = match change.backup {
        Some((path, record)) => Some(held(path, record)?),
        None => None,
    };
    let record = change.backup.map(|(_, record)| record);
    let recorded = record.and_then(|record| record.drive.clone());
    let drive = recorded.or_else(|| change.device.identity.as_ref().map(RecordedDrive::from));
    let whole = u32::try_from(change.target.len()).unwrap_or(u32::MAX);
    let ranges = match change.covered == backup::covered(&[], whole) {
        true => Vec::new(),
        false => change.covered.iter().map(backup::first_and_last).collect(),
    };
    let target = Crc32::of(change.target);
    let entry = journal.enter(&Begun {
        date: record.map_or(change.date, |record| &record.date),
        tool: change.tool,
        drive: drive.as_ref(),
        chip: &change.device.chip,
        size: whole,
        ranges,
        target,
        sectors_to_erase: change.plan.sectors_to_erase,
        bytes_to_program: change.plan.bytes_to_program,
        mixed: change.mixed,
        backup: change
            .backup
            .map(|(path, record)| (path, record.crc32.as_str())),
        pieces: change.pieces,
    });
    let entry = entry.map_err(Refusal::Journal)?;
    if let Some((path, record)) = change.backup {
        let noted = Record {
            before_writing: Some(target.to_string()),
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
        crc32: record.crc32.clone(),
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
        Ok(found) if found.to_string() == record.crc32 => Ok(locked),
        Ok(_) => Err(refusal(BackupProblem::Changed)),
        Err(_) => Err(refusal(BackupProblem::Unreadable)),
    }
}

/// Notes that a change has come to its end. A record that cannot be written
/// stays as it is: a later run is then more careful than it need be.
pub(super) fn finish(backup: Option<&Path>, entry: Option<&journal::Found>, journal: &Journal) {
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
pub(super) fn withdraw(
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

/// The unfinished changes of a flash like this, by the machine's journal and by
/// the records beside `backup` and in the current folder: same chip and size, a
/// drive that does not call itself another one. Changes that another run is at
/// work on are not among them.
///
/// A backup that was moved is found beside `backup`, in the current folder, and as
/// `backup` itself.
pub(super) fn find(
    backup: Option<&Path>,
    device: &DeviceInfo,
    size: usize,
    journal: &Journal,
) -> Open {
    let mut open = Open::default();
    let identity = device.identity.as_ref();
    let mut recorded: Vec<(PathBuf, Record)> = folders(backup)
        .iter()
        .flat_map(|folder| backup::recorded_in(folder))
        .filter(|(_, record)| record.chip == device.chip && record.size as usize == size)
        .collect();
    let mut seen = BTreeSet::new();
    for found in journal.entries() {
        let entry = &found.entry;
        let is_like = entry.chip == device.chip && entry.size as usize == size;
        let Some(who) = who(entry, identity, journal.place.as_deref()).filter(|_| is_like) else {
            continue;
        };
        let lost = |problem, found: journal::Found| {
            let backup = found.entry.backup();
            Lost {
                crc32: backup.as_ref().map(|(_, crc32)| (*crc32).to_owned()),
                path: backup.map(|(path, _)| path),
                date: found.entry.date.clone(),
                problem,
                who,
                before_writing: found.entry.target.clone(),
                entry: Some(found),
            }
        };
        let Some((path, crc32)) = entry.backup() else {
            open.lost.push(lost(BackupProblem::None, found));
            continue;
        };
        let moved = recorded
            .iter()
            .filter(|(_, record)| record.crc32 == crc32)
            .map(|(path, _)| path.clone());
        // Under the name that its user knows it by, where it lies in this folder.
        let short = recorded.iter().map(|(near, _)| near);
        let short = short
            .filter(|near| near.canonicalize().ok().as_ref() == Some(&path))
            .cloned();
        let candidates: Vec<PathBuf> = short
            .chain([path.clone()])
            .chain(backup.map(Path::to_owned))
            .chain(moved)
            .collect();
        let mut problem = BackupProblem::Unreadable;
        let mut content = None;
        for candidate in candidates {
            match intact(
                &candidate,
                crc32,
                &backup::covered(&entry.ranges, entry.size),
                size,
            ) {
                Ok(flash) => {
                    content = Some((candidate, flash));
                    break;
                }
                Err(BackupProblem::Unreadable) => {}
                Err(other) => problem = other,
            }
        }
        match content {
            Some((path, flash)) => {
                seen.extend(path.canonicalize());
                open.intact.push(Unfinished {
                    record: Record::beside(&path)
                        .filter(|record| record.crc32 == crc32 && record.ranges == entry.ranges)
                        .unwrap_or_else(|| of_entry(entry, &flash, device)),
                    covered: backup::covered(&entry.ranges, entry.size),
                    path,
                    flash,
                    who,
                    entry: Some(found),
                });
            }
            // Another run is at work with it.
            None if problem == BackupProblem::InUse => {}
            None => open.lost.push(lost(problem, found)),
        }
    }
    recorded.retain(|(path, record)| {
        record.before_writing.is_some()
            && is_same_drive(record.drive.as_ref(), identity)
            && path.canonicalize().is_ok_and(|path| !seen.contains(&path))
    });
    for (path, record) in recorded {
        let covered = record.covered();
        let serials = [
            record
                .drive
                .as_ref()
                .and_then(|drive| drive.serial.as_ref()),
            identity.and_then(|drive| drive.serial.as_ref()),
        ];
        let who = match serials {
            [Some(_), Some(_)] => Who::Serial,
            _ => Who::Unknown,
        };
        match intact(&path, &record.crc32, &covered, size) {
            Ok(flash) => open.intact.push(Unfinished {
                path,
                record,
                flash,
                covered,
                who,
                entry: None,
            }),
            Err(BackupProblem::InUse) => {}
            Err(problem) => open.lost.push(Lost {
                path: Some(path),
                crc32: Some(record.crc32),
                date: record.date,
                problem,
                who,
                entry: None,
                before_writing: record.before_writing.unwrap_or_default(),
            }),
        }
    }
    open.intact
        .sort_by(|one, other| (one.who, &one.record.date).cmp(&(other.who, &other.record.date)));
    open
}

fn folders(backup: Option<&Path>) -> Vec<PathBuf> {
    let here = PathBuf::from(".");
    let beside = backup.map(folder_of).map(Path::to_owned);
    let is_elsewhere = |folder: &PathBuf| folder.canonicalize().ok() != here.canonicalize().ok();
    let beside = beside.filter(is_elsewhere);
    std::iter::once(here.clone()).chain(beside).collect()
}

/// Whether an entry can be this drive's, and how that is known.
fn who(entry: &Entry, identity: Option<&Identity>, place: Option<&str>) -> Option<Who> {
    if !is_same_drive(entry.drive.as_ref(), identity) {
        return None;
    }
    let serial = entry.drive.as_ref().and_then(|drive| drive.serial.as_ref());
    let has_serial = identity.is_some_and(|drive| drive.serial.is_some());
    Some(match (entry.place.as_deref(), place) {
        // They agree, or it were another drive.
        _ if serial.is_some() && has_serial => Who::Serial,
        (Some(then), Some(now)) if then == now => Who::Place,
        (Some(_), Some(_)) => Who::Elsewhere,
        _ => Who::Unknown,
    })
}

/// What a backup holds, laid out over a whole flash.
fn intact(
    path: &Path,
    crc32: &str,
    covered: &[FlashRange],
    size: usize,
) -> Result<Vec<u8>, BackupProblem> {
    let file = files::open(path, Links::Followed).map_err(|_| BackupProblem::Unreadable)?;
    if let Err((_, Errno::EWOULDBLOCK)) = Flock::lock(file, FlockArg::LockSharedNonblock) {
        return Err(BackupProblem::InUse);
    }
    let content = backup::content(path).map_err(|_| BackupProblem::Unreadable)?;
    if Crc32::of(&content).to_string() != crc32 {
        return Err(BackupProblem::Changed);
    }
    lay_out(&content, size, covered).ok_or(BackupProblem::Changed)
}

/// A record for a backup that has lost its own.
fn of_entry(entry: &Entry, flash: &[u8], device: &DeviceInfo) -> Record {
    let dump = Dump {
        bytes: flash.to_vec(),
        ranges: backup::covered(&entry.ranges, entry.size),
        gaps: Vec::new(),
        disagreements: 0,
    };
    let mut record = Record::of_dump(&dump, device, &entry.date, &entry.tool);
    record.drive.clone_from(&entry.drive);
    record
}

/// What the user should know who does not change the flash, of the unfinished
/// changes that are entered in the journal, and recorded in the current folder and
/// beside `file`.
pub fn notices(
    file: Option<&Path>,
    device: &DeviceInfo,
    size: u32,
    journal: &Journal,
) -> Vec<Notice> {
    let open = find(file, device, size as usize, journal);
    let is_nameless = device.identity.is_none();
    let is_near = |who: Who| who != Who::Elsewhere || is_nameless;
    let intact = open.intact.iter().filter(|one| is_near(one.who));
    let lost = open.lost.iter().filter(|one| is_near(one.who));
    intact
        .map(Unfinished::notice)
        .chain(lost.map(Lost::notice))
        .collect()
}

/// Whether a flash that was read may be what an unfinished change has left.
pub fn is_mixed(
    file: Option<&Path>,
    device: &dyn FirmwareDevice,
    dump: &Dump,
    journal: &Journal,
) -> bool {
    let layout = match &device.capabilities().writing {
        Writing::InPlace(layout) => Some(layout),
        Writing::Download(_) | Writing::Impossible(_) => None,
    };
    find(file, device.info(), dump.bytes.len(), journal).is_mixed(dump, layout)
}

/// The words that asked for the change that this drive was left with, and its
/// backup.
pub fn unfinished_line(
    device: &DeviceInfo,
    size: u32,
    journal: &Journal,
) -> Option<(Vec<OsString>, PathBuf)> {
    let open = find(None, device, size as usize, journal);
    let this = open.intact.into_iter().find(|one| one.who.is_this())?;
    Some((this.entry?.entry.words(), this.path))
}

impl Open {
    /// What this change starts from.
    ///
    /// # Errors
    /// [`Check::Interrupted`] where it would leave as it finds them bytes that an
    /// unfinished change may have destroyed, and where it cannot be told that this
    /// is the same drive; the same where the backup of that change is gone, which
    /// is asked for.
    pub fn start(
        &self,
        change: &Change,
        identity: Option<&Identity>,
        forced: &Forced,
    ) -> Result<Start, Refusal> {
        let now = &change.dump.bytes;
        let is_forced = forced.contains(&Check::Interrupted);
        let is_whole = change.retained.is_empty();
        let same: Vec<(&Unfinished, Trace)> = self
            .intact
            .iter()
            .filter(|one| one.covered == change.dump.ranges)
            .filter_map(|one| {
                let target = (change.target)(&one.flash);
                (one.before_writing() == Some(Crc32::of(&target).to_string()))
                    .then(|| (one, one.trace(change.dump, Some(&target), change.layout)))
            })
            .filter(|(one, trace)| one.goes_on(*trace, now, identity, change))
            .collect();
        if let Some((first, _)) = same.first() {
            // The first that was made is from before the first change.
            let equal = |(one, _): &&(&Unfinished, Trace)| one.who == first.who;
            let differs = |(one, _): (&Unfinished, Trace)| one.flash != first.flash;
            let is_sure = first.who.is_this() || is_whole;
            if !is_sure && !is_forced && same.iter().filter(equal).copied().any(differs) {
                return Err(first.refusal(Doubt::Several));
            }
            let is_known =
                first.who.is_this() || identity.is_some() || first.record.drive.is_some();
            let target = (change.target)(&first.flash);
            let is_sure = is_known || shares_content(now, &first.flash, &target);
            if !is_sure && first.differs_from(now, change.retained) && !is_forced {
                return Err(first.refusal(Doubt::Blank));
            }
            return Ok(Start::Resumed(Box::new((*first).clone())));
        }
        let concerned: Vec<(&Unfinished, Trace)> = self
            .intact
            .iter()
            .map(|one| {
                // The target of another change is not known.
                let target = (change.target)(&one.flash);
                let is_same = one.covered == change.dump.ranges
                    && one.before_writing() == Some(Crc32::of(&target).to_string());
                let target = is_same.then_some(target.as_slice());
                (one, one.trace(change.dump, target, change.layout))
            })
            .filter(|(one, trace)| trace.concerns(one.who))
            .collect();
        if !is_forced {
            let target = (change.target)(now);
            let is_part = !(is_whole && change.dump.is_whole());
            let is_lost = |(one, _): &&(&Unfinished, Trace)| {
                one.differs_from(now, change.retained)
                    // Its backup would no longer be what was there before.
                    || is_part
                        && one.who.is_this()
                        && one.overlaps(&change.dump.ranges)
                        && one.differs_from(&target, &one.covered)
            };
            if let Some((one, trace)) = concerned.iter().find(is_lost) {
                let is_certain = one.who == Who::Serial
                    || one.who == Who::Place && trace.state == State::Between;
                return Err(one.refusal(match is_certain {
                    true => Doubt::Lost,
                    false => Doubt::Drive,
                }));
            }
        }
        let gone: Vec<&Lost> = self
            .lost
            .iter()
            .filter(|one| one.trace(change.dump, change.layout).concerns(one.who))
            .collect();
        if let (false, false, Some(one)) = (is_whole, is_forced, gone.first()) {
            return Err(one.refusal());
        }
        let way_back = concerned.iter().find(|(one, trace)| {
            let is_certain =
                one.who == Who::Serial || one.who == Who::Place && trace.state == State::Between;
            is_certain && !one.record.half_written
        });
        Ok(match way_back {
            Some((one, _)) => Start::After(Box::new((*one).clone())),
            None if concerned.is_empty() && gone.is_empty() => Start::Here,
            None => Start::Mixed,
        })
    }

    /// What a change of a blank flash starts from, where [`Open::start`] has found no
    /// more than that it may be a mixture: nothing in it says whose it is, and nothing
    /// in it is worth a backup. At the place of a drive whose change was begun that
    /// one's backup is the way back, where its user says that it is this drive: by
    /// putting that very backup back, or by name.
    ///
    /// # Errors
    /// [`Check::Interrupted`] where nothing has been said.
    pub fn of_blank(
        &self,
        start: Start,
        change: &Change,
        forced: &Forced,
    ) -> Result<Start, Refusal> {
        let mut there = self.intact.iter();
        let there = there.find(|one| one.who.is_this() && !one.record.half_written);
        let (Start::Mixed, true, Some(one)) = (&start, change.dump.is_blank(), there) else {
            return Ok(start);
        };
        let target = (change.target)(&change.dump.bytes);
        let is_put_back = one.covers_exactly(&change.dump.ranges)
            && !one.differs_from(&target, &change.dump.ranges);
        match is_put_back || forced.contains(&Check::Interrupted) {
            true => Ok(Start::After(Box::new(one.clone()))),
            false => Err(one.refusal(Doubt::Blank)),
        }
    }

    /// Whether a flash that was read may be a mixture.
    pub fn is_mixed(&self, dump: &Dump, layout: Option<&EraseLayout>) -> bool {
        // Of a part that was not read nothing shows.
        let concerns = |one: &Unfinished| match one.is_within(dump) {
            true => one.trace(dump, None, layout).concerns(one.who),
            false => {
                one.who.is_this()
                    && one
                        .covered
                        .iter()
                        .any(|part| dump.ranges.iter().any(|read| read.overlaps(*part)))
            }
        };
        let concerns_lost = |one: &Lost| one.trace(dump, layout).concerns(one.who);
        self.intact.iter().any(concerns) || self.lost.iter().any(concerns_lost)
    }

    /// What the user should know where this run goes on with none of them.
    pub fn notices(&self, dump: &Dump, layout: Option<&EraseLayout>) -> Vec<Notice> {
        let concerns = |one: &&Unfinished| one.trace(dump, None, layout).concerns(one.who);
        let concerns_lost = |one: &&Lost| one.trace(dump, layout).concerns(one.who);
        let intact = self.intact.iter().filter(concerns).map(Unfinished::notice);
        let lost = self.lost.iter().filter(concerns_lost);
        intact.chain(lost.map(Lost::notice)).collect()
    }

    /// Whether this file is the backup of one of them.
    pub fn is_backup(&self, path: &Path) -> bool {
        self.intact.iter().any(|one| one.path == path)
    }

    /// The changes that are over when this drive holds `target` again, which is what
    /// was in it before.
    pub fn put_back(
        &self,
        target: &[u8],
        dump: &Dump,
        identity: Option<&Identity>,
    ) -> Vec<Closing> {
        let is_its_own = |one: &&Unfinished| one.who.is_this() || one.is_by_serial(identity);
        let is_back =
            |one: &&Unfinished| one.is_within(dump) && !one.differs_from(target, &one.covered);
        let unknown = |one: &&Unfinished| one.who == Who::Unknown;
        self.intact
            .iter()
            .filter(|one| (is_its_own(one) || unknown(one)) && is_back(one))
            .map(Unfinished::closing)
            .collect()
    }

    /// The changes that have never come to anything, and whose backups are not what was
    /// there before when this drive is changed in `ranges`.
    pub fn superseded(&self, dump: &Dump) -> Vec<Closing> {
        let ranges = &dump.ranges;
        let is_untouched =
            |one: &&Unfinished| one.is_within(dump) && !one.differs_from(&dump.bytes, &one.covered);
        self.intact
            .iter()
            .filter(|one| one.who == Who::Serial && one.overlaps(ranges))
            .filter(is_untouched)
            .map(Unfinished::closing)
            .collect()
    }

    /// What is over when this drive has been given a whole image.
    pub fn of_this_drive(&self) -> Vec<Closing> {
        let intact = self.intact.iter().filter(|one| one.who.is_this());
        let lost = self.lost.iter().filter(|one| one.who.is_this());
        intact
            .map(Unfinished::closing)
            .chain(lost.map(|one| Closing {
                backup: one.path.clone(),
                entry: one.entry.clone(),
            }))
            .collect()
    }
}

/// An unfinished change that is over when another one succeeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Closing {
    pub backup: Option<PathBuf>,
    pub entry: Option<journal::Found>,
}

impl Closing {
    pub fn close(&self, journal: &Journal) {
        finish(self.backup.as_deref(), self.entry.as_ref(), journal);
    }
}

impl Trace {
    /// Whether a flash that shows this may have been left by a change of that drive.
    fn concerns(self, who: Who) -> bool {
        match (self.state, who) {
            (State::Untouched, _) => false,
            (_, Who::Serial | Who::Place) => true,
            (State::Between, Who::Unknown) => true,
            (State::Other, Who::Unknown) => self.is_kin,
            (State::Between, Who::Elsewhere) => self.is_kin,
            (State::Other, Who::Elsewhere) => false,
        }
    }
}

/// Why it is not gone on with a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// What is to stay may be lost in the flash, and is in that backup.
    Lost,
    /// Whether it is that drive cannot be told.
    Drive,
    /// There are several, and they do not hold the same.
    Several,
    /// The drive does not say what it is, and its flash is blank.
    Blank,
}

impl Unfinished {
    /// Who the drive was: as it said then, or else as its flash said.
    pub fn identity(&self) -> Option<Identity> {
        let said = self.record.drive.as_ref().map(Identity::from);
        said.or_else(|| {
            let found = identity::find(&self.flash);
            found.first().map(|found| found.identity().clone())
        })
    }

    /// What the change was to make of the flash: CRC-32.
    fn before_writing(&self) -> Option<String> {
        let entered = self.entry.as_ref().map(|found| found.entry.target.clone());
        entered.or_else(|| self.record.before_writing.clone())
    }

    /// The words that asked for the change; none where only a record tells of it.
    fn words(&self) -> Vec<OsString> {
        let entry = self.entry.as_ref().map(|found| &found.entry);
        entry.map(Entry::words).unwrap_or_default()
    }

    /// Whether it is in this file, and has been from the beginning.
    pub(super) fn is_where_it_was(&self, path: &Path) -> bool {
        let was = self.entry.as_ref().and_then(|found| found.entry.backup());
        let was = was.map_or_else(|| self.path.clone(), |(was, _)| was);
        let real = |path: &Path| path.canonicalize().ok();
        real(path).is_some_and(|path| real(&was) == Some(path))
    }

    /// Whether all that it covers was read.
    fn is_within(&self, dump: &Dump) -> bool {
        self.covered.iter().all(|part| is_read(*part, dump))
    }

    fn overlaps(&self, ranges: &[FlashRange]) -> bool {
        let covered = |range: &FlashRange| self.covered.iter().any(|part| part.overlaps(*range));
        ranges.iter().any(covered)
    }

    /// Whether it holds what was in the flash in all of `ranges`.
    pub(super) fn covers_exactly(&self, ranges: &[FlashRange]) -> bool {
        self.covered == ranges
    }

    /// `dump` with what this backup holds of it.
    pub(super) fn before(&self, dump: &Dump) -> Dump {
        let mut before = dump.clone();
        for covered in &self.covered {
            for range in &dump.ranges {
                let both = FlashRange {
                    start: range.start.max(covered.start),
                    end: range.end.min(covered.end),
                };
                if !both.is_empty() {
                    both.of_mut(&mut before.bytes)
                        .copy_from_slice(both.of(&self.flash));
                }
            }
        }
        before
    }

    /// Whether the flash was a mixture when the change was begun.
    pub(super) fn began_mixed(&self) -> bool {
        self.entry.as_ref().is_some_and(|found| found.entry.mixed)
    }

    pub(super) fn closing(&self) -> Closing {
        Closing {
            backup: Some(self.path.clone()),
            entry: self.entry.clone(),
        }
    }

    fn notice(&self) -> Notice {
        Notice::Unfinished {
            backup: self.path.clone(),
            date: self.record.date.clone(),
            who: self.who,
        }
    }

    /// Whether this change, which is the one that is wanted, goes on in this flash.
    fn goes_on(
        &self,
        trace: Trace,
        now: &[u8],
        identity: Option<&Identity>,
        change: &Change,
    ) -> bool {
        if self.is_by_serial(identity) {
            // Whatever else the flash shows: nothing but this change has been at what
            // is to stay.
            return trace.state != State::Other || !self.is_overwritten(now, change.retained);
        }
        match (trace.state, self.who) {
            (State::Between, Who::Serial | Who::Place | Who::Unknown) => true,
            // What lies elsewhere may be a twin that has more of it erased: that is
            // for its user to say.
            (State::Untouched | State::Other, _) | (State::Between, Who::Elsewhere) => false,
        }
    }

    /// Whether something is in `ranges` that neither was there nor is left of it by an
    /// erase.
    fn is_overwritten(&self, now: &[u8], ranges: &[FlashRange]) -> bool {
        ranges.iter().any(|range| {
            let mut both = range.of(now).iter().zip(range.of(&self.flash));
            both.any(|(now, before)| before & !now != 0)
        })
    }

    /// What the flash shows of this change, with its target where that is known.
    fn trace(&self, dump: &Dump, target: Option<&[u8]>, layout: Option<&EraseLayout>) -> Trace {
        let now = &dump.bytes;
        let mut pieces = match &self.entry {
            Some(found) => found.entry.pieces(),
            None => pieces(&self.flash, target, &self.covered),
        };
        pieces.retain(|piece| is_read(piece.range, dump));
        let is_mixed = self.entry.as_ref().is_some_and(|found| found.entry.mixed);
        // One change in the middle of another leaves anything.
        let layout = layout.filter(|_| !is_mixed);
        let target = target.filter(|_| !is_mixed);
        let mut trace = trace(&pieces, now, layout);
        if let (State::Between, Some(target)) = (trace.state, target) {
            if !is_on_its_way(now, &self.flash, target, layout) {
                trace.state = State::Other;
            }
        }
        trace
    }

    /// Whether the drive is known to be this one by its serial number.
    fn is_by_serial(&self, drive: Option<&Identity>) -> bool {
        let recorded = self.record.drive.as_ref();
        let recorded = recorded.and_then(|drive| drive.serial.as_ref());
        recorded.is_some() && recorded == drive.and_then(|drive| drive.serial.as_ref())
    }

    /// Whether the flash holds something else than this backup in `ranges`.
    fn differs_from(&self, now: &[u8], ranges: &[FlashRange]) -> bool {
        ranges.iter().any(|range| {
            let both = range.of(now).iter().zip(range.of(&self.flash));
            (range.start..)
                .zip(both)
                .filter(|(at, _)| self.covered.iter().any(|part| part.contains(Offset(*at))))
                .any(|(_, (now, before))| now != before)
        })
    }

    fn refusal(&self, doubt: Doubt) -> Refusal {
        Refusal::Unfinished {
            backup: self.path.clone(),
            date: self.record.date.clone(),
            words: self.words(),
            doubt,
        }
    }
}

impl Lost {
    fn trace(&self, dump: &Dump, layout: Option<&EraseLayout>) -> Trace {
        match &self.entry {
            Some(found) => {
                let layout = layout.filter(|_| !found.entry.mixed);
                let mut pieces = found.entry.pieces();
                pieces.retain(|piece| is_read(piece.range, dump));
                trace(&pieces, &dump.bytes, layout)
            }
            // A record says nothing of what was in the flash.
            None => Trace {
                state: State::Other,
                is_kin: false,
            },
        }
    }

    fn notice(&self) -> Notice {
        Notice::Lost {
            backup: self.path.clone(),
            crc32: self.crc32.clone(),
            date: self.date.clone(),
        }
    }

    fn refusal(&self) -> Refusal {
        Refusal::BackupGone {
            path: self.path.clone(),
            crc32: self.crc32.clone(),
            date: self.date.clone(),
            problem: self.problem,
        }
    }
}

/// Of what was not read nothing shows.
fn is_read(range: FlashRange, dump: &Dump) -> bool {
    super::read::without(&[range], &dump.ranges).is_empty()
}

/// The pieces of a flash that a change can touch.
pub(super) fn pieces(before: &[u8], after: Option<&[u8]>, covered: &[FlashRange]) -> Vec<Piece> {
    covered
        .iter()
        .flat_map(|range| {
            let starts = (range.start - range.start % PIECE..range.end).step_by(PIECE as usize);
            starts.map(|start| FlashRange {
                start: start.max(range.start),
                end: start.saturating_add(PIECE).min(range.end),
            })
        })
        .map(|range| Piece {
            range,
            before: Crc32::of(range.of(before)),
            after: after.map(|after| Crc32::of(range.of(after))),
        })
        .collect()
}

fn trace(pieces: &[Piece], now: &[u8], layout: Option<&EraseLayout>) -> Trace {
    struct Seen<'a> {
        piece: &'a Piece,
        is_before: bool,
        changes: bool,
    }
    let mut is_kin = false;
    let seen: Vec<Seen> = pieces
        .iter()
        .map(|piece| {
            let bytes = piece.range.of(now);
            let sum = Crc32::of(bytes);
            let is_before = sum == piece.before;
            let is_known = is_before || piece.after == Some(sum);
            is_kin |= is_known && bytes.iter().any(|byte| *byte != ERASED);
            Seen {
                piece,
                is_before,
                changes: piece.after.is_none_or(|after| after != piece.before),
            }
        })
        .collect();
    let state = |state| Trace { state, is_kin };
    if seen.iter().all(|seen| seen.is_before) {
        return state(State::Untouched);
    }
    let Some(layout) = layout else {
        return state(State::Between);
    };
    // A change touches sectors in which something is to change, and all of them in
    // the order of the plan.
    let sectors = layout.sectors.iter().map(|sector| {
        let here = seen
            .iter()
            .filter(|seen| seen.piece.range.overlaps(*sector));
        let (mut changes, mut touched) = (false, false);
        for seen in here {
            changes |= seen.changes;
            touched |= !seen.is_before;
        }
        let last = sector.banks().next_back().unwrap_or_default();
        // What lies in a bank's first page alone comes at the very end.
        let holds_first_page = sector
            .banks()
            .any(|bank| bank.range().start >= sector.start);
        (last, changes, touched, holds_first_page)
    });
    let sectors: Vec<_> = sectors.collect();
    let lowest = sectors
        .iter()
        .filter(|(_, _, touched, _)| *touched)
        .map(|(bank, ..)| *bank)
        .min();
    let is_out_of_turn = sectors
        .iter()
        .any(|(bank, changes, touched, holds_first_page)| {
            let should_be = *changes && Some(*bank) > lowest && !holds_first_page;
            *touched && !changes || should_be && !touched
        });
    state(match is_out_of_turn {
        true => State::Other,
        false => State::Between,
    })
}

/// Whether the flash holds what this backup does, so far as it was not erased:
/// enough to know a drive by that does not say what it is.
pub(super) fn is_flash_of(backup: &Unfinished, now: &[u8]) -> bool {
    shares_content(now, &backup.flash, &[])
}

fn shares_content(now: &[u8], before: &[u8], after: &[u8]) -> bool {
    let after = after.iter().map(Some).chain(std::iter::repeat(None));
    now.iter()
        .zip(before)
        .zip(after)
        .filter(|((now, before), after)| **now != ERASED && (now == before || Some(*now) == *after))
        .nth(PAGE_SIZE as usize)
        .is_some()
}

fn is_same_drive(recorded: Option<&RecordedDrive>, drive: Option<&Identity>) -> bool {
    let (Some(recorded), Some(drive)) = (recorded, drive) else {
        return true;
    };
    Identity::from(recorded).may_be(drive)
}

/// Whether a change from `before` to `after`, or several attempts at it, can
/// have left this.
///
/// One sector may hold what it likes where everything else says that its erase was
/// cut off: in its bank nothing has been programmed yet.
fn is_on_its_way(now: &[u8], before: &[u8], after: &[u8], layout: Option<&EraseLayout>) -> bool {
    let Some(layout) = layout else {
        return lies_between(now, before, after);
    };
    let mut others = layout
        .sectors
        .iter()
        .filter(|sector| !lies_between(sector.of(now), sector.of(before), sector.of(after)));
    let Some(cut) = others.next() else {
        return true;
    };
    let bank = cut.banks().next_back();
    let is_beside = |sector: &&FlashRange| *sector != cut && sector.banks().next_back() == bank;
    let mut beside = layout.sectors.iter().filter(is_beside);
    others.next().is_none()
        && is_half_erased(cut.of(now), cut.of(before))
        && beside.all(|sector| {
            let holds = sector.of(now);
            holds == sector.of(before) || holds.iter().all(|byte| *byte == ERASED)
        })
}

/// Whether an erase that was cut off can have left this. Chips program a sector to
/// 00 before they erase it (AMD's embedded algorithm, which JEDEC parts follow), byte
/// by byte; then all of its bits rise.
fn is_half_erased(now: &[u8], before: &[u8]) -> bool {
    let both = || {
        now.iter()
            .zip(before)
            .filter(|(_, before)| **before != ERASED)
    };
    let is_untouched = |(now, before): &(&u8, &u8)| now == before;
    let is_whole = |(now, before): (&u8, &u8)| now == before || matches!(*now, 0x00 | ERASED);
    both().all(is_whole) || 4 * both().filter(is_untouched).count() < both().count()
}

/// Erasing sets bits and programming clears those that are to be clear, wherever it
/// is cut off: a bit that is clear now was clear before or is to be.
fn lies_between(now: &[u8], before: &[u8], after: &[u8]) -> bool {
    let both = before.iter().zip(after);
    now.iter()
        .zip(both)
        .all(|(now, (before, after))| before & after & !now == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{Arrangement, Encoding, Format};
    use std::fs;
    use tempfile::TempDir;

    const SIZE: usize = 0x2_0000;

    fn whole() -> Vec<FlashRange> {
        backup::covered(&[], SIZE as u32)
    }

    /// A backup of a flash of 5A, with its record.
    fn backed_up(folder: &TempDir) -> PathBuf {
        let dump = Dump {
            bytes: vec![0x5A; SIZE],
            ranges: whole(),
            gaps: Vec::new(),
            disagreements: 0,
        };
        let record = Record::of_dump(&dump, &DeviceInfo::default(), "now", "test");
        let format = Format {
            encoding: Encoding::Binary,
            arrangement: Arrangement::Merged,
        };
        let backup = folder.path().join("backup.bin");
        backup::save(&dump, &record, &backup, format, false).unwrap();
        backup
    }

    fn begun(backup: &Path, journal: &Journal) -> Result<UnderWay, JobError> {
        let record = Record::beside(backup).unwrap();
        begin(
            &Beginning {
                backup: Some((backup, &record)),
                device: &DeviceInfo::default(),
                date: "now",
                tool: "test",
                pieces: &pieces(&[0x5A; SIZE], Some(&[0x77; SIZE]), &whole()),
                covered: &whole(),
                target: &[0x77; SIZE],
                plan: Summary::default(),
                mixed: false,
            },
            journal,
        )
    }

    fn found(backup: Option<&Path>, journal: &Journal) -> usize {
        let device = DeviceInfo::default();
        find(backup, &device, SIZE, journal).intact.len()
    }

    #[test]
    fn a_change_is_unfinished_from_when_its_run_dies_until_another_ends_it() {
        let folder = tempfile::tempdir().unwrap();
        let backup = backed_up(&folder);
        let journal = Journal::default();
        let found = || found(Some(&backup), &journal);
        assert_eq!(found(), 0, "only backed up");
        let under_way = begun(&backup, &journal).unwrap();
        assert_eq!(found(), 0, "another run is at work on it");
        drop(under_way);
        assert_eq!(found(), 1);
        finish(Some(&backup), None, &journal);
        assert_eq!(found(), 0);
    }

    #[test]
    fn what_an_erase_or_a_program_passes_through_lies_between() {
        for passed in [0x5A, 0x7A, 0xFF, 0xFC, 0x3C, 0x5E] {
            assert!(lies_between(&[passed], &[0x5A], &[0x3C]), "{passed:02x}");
        }
        // 18 is set in both, and is never cleared on the way.
        for never in [0x00, 0x42, 0x24] {
            assert!(!lies_between(&[never], &[0x5A], &[0x3C]), "{never:02x}");
        }
    }

    const SECTORS: u32 = 0x1000;

    fn sectors() -> EraseLayout {
        let sizes = std::iter::repeat_n(SECTORS, SIZE / SECTORS as usize);
        EraseLayout::from_sizes(sizes, 1)
    }

    fn state_of(now: &[u8], before: &[u8], after: &[u8]) -> State {
        let layout = sectors();
        let pieces = pieces(before, Some(after), &whole());
        let trace = trace(&pieces, now, Some(&layout));
        match trace.state {
            State::Between if !is_on_its_way(now, before, after, Some(&layout)) => State::Other,
            state => state,
        }
    }

    #[test]
    fn a_flash_shows_whether_a_change_has_left_it() {
        let before: Vec<u8> = (0..SIZE).map(|at| ((at * 7) >> 3) as u8).collect();
        let mut after = before.clone();
        for sector in after.chunks_mut(SECTORS as usize).skip(1).step_by(3) {
            sector[17..3000].fill(0x3C);
        }
        let with = |changes: &[(usize, u8)]| {
            let mut now = before.clone();
            for (at, value) in changes {
                now[at * 0x1000..(at + 1) * 0x1000].fill(*value);
            }
            now
        };
        assert_eq!(state_of(&before, &before, &after), State::Untouched);
        assert_eq!(state_of(&after, &before, &after), State::Between);
        assert_eq!(state_of(&[0xFF; SIZE], &before, &after), State::Other);
        assert_eq!(
            state_of(&with(&[(19, 0xFF)]), &before, &after),
            State::Between
        );
        assert_eq!(
            state_of(&with(&[(19, 0xFF), (22, 0x31)]), &before, &after),
            State::Between,
            "the erase of the second sector was cut off"
        );
        assert_eq!(
            state_of(&with(&[(4, 0xFF)]), &before, &after),
            State::Other,
            "the last bank comes first"
        );
        assert_eq!(
            state_of(&with(&[(18, 0xFF)]), &before, &after),
            State::Other,
            "this sector is not to be touched"
        );
        let mut calibrated = after.clone();
        calibrated[0x1010] ^= 0x55;
        assert_eq!(
            state_of(&calibrated, &before, &after),
            State::Other,
            "another drive that has had this image for long"
        );
    }

    #[test]
    fn nothing_is_changed_with_a_backup_that_is_not_what_it_was() {
        let journal = Journal::default();
        type Spoil = fn(&Path);
        let spoilt: [(&str, Spoil); 4] = [
            ("cut", |backup| fs::write(backup, [0x5A; SIZE - 1]).unwrap()),
            ("replaced", |backup| {
                fs::write(backup, [0x5B; SIZE]).unwrap()
            }),
            ("removed", |backup| fs::remove_file(backup).unwrap()),
            ("linked away", |backup| {
                fs::remove_file(backup).unwrap();
                std::os::unix::fs::symlink("/dev/zero", backup).unwrap();
            }),
        ];
        for (how, spoil) in spoilt {
            let folder = tempfile::tempdir().unwrap();
            let backup = backed_up(&folder);
            spoil(&backup);
            let error = begun(&backup, &journal).unwrap_err();
            assert!(
                matches!(error, JobError::Refused(Refusal::Backup { .. })),
                "{how}: {error}"
            );
        }
        let folder = tempfile::tempdir().unwrap();
        let backup = backed_up(&folder);
        let held = begun(&backup, &journal).unwrap();
        assert!(begun(&backup, &journal).is_err(), "another run holds it");
        drop(held);
        assert!(begun(&backup, &journal).is_ok());
    }

    #[test]
    fn an_unfinished_change_is_found_from_any_folder_of_its_machine() {
        let folder = tempfile::tempdir().unwrap();
        let machine = tempfile::tempdir().unwrap();
        let journal = Journal::in_folder(&machine.path().join("journal"));
        let backup = backed_up(&folder);
        let entry = begun(&backup, &journal).unwrap().entry;
        assert_eq!(found(None, &journal), 1);
        finish(Some(&backup), entry.as_ref(), &journal);
        assert_eq!(found(None, &journal), 0);
    }

    #[test]
    fn a_backup_that_was_moved_is_found_beside_the_new_one_or_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let machine = tempfile::tempdir().unwrap();
        let journal = Journal::in_folder(machine.path());
        let backup = backed_up(&folder);
        drop(begun(&backup, &journal).unwrap());
        fs::remove_file(backup::record_path(&backup)).unwrap();
        let moved = folder.path().join("moved");
        fs::rename(&backup, &moved).unwrap();
        let open = find(None, &DeviceInfo::default(), SIZE, &journal);
        assert_eq!((open.intact.len(), open.lost.len()), (0, 1));
        assert_eq!(open.lost[0].path.as_deref(), Some(backup.as_path()));
        let open = find(Some(&moved), &DeviceInfo::default(), SIZE, &journal);
        assert_eq!((open.intact.len(), open.lost.len()), (1, 0));
        assert!(open.intact[0].flash == [0x5A; SIZE]);
    }
}
