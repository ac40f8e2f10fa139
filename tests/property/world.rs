//! Some drives, two users and two folders, and what is true of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Once;

use mtkflash::flash::{Bank, EraseLayout, FlashRange};
use mtkflash::image::Image;
use mtkflash::job::backup::Circumstances;
use mtkflash::job::change::ChangeError;
use mtkflash::job::change::{self, Backup, BackupWish, Content, Proposal};
use mtkflash::job::journal::Journal;
use mtkflash::job::record::Record;
use mtkflash::job::{Asked, Check, Doubt, FlashState, Job, JobError, Refusal, Selection, StopFlag};
use mtkflash::scsi::Identity;
use tempfile::TempDir;

use crate::drive::{Device, Drive, FAULTS, Fault, Kill};
use crate::random::Random;

/// How often what was there to be seen.
#[derive(Debug, Default, Clone)]
pub struct Seen(BTreeMap<&'static str, u64>);

const WORTH_SEEING: [&str; 10] = [
    "done",
    "cut",
    "killed",
    "resumed",
    "kept over a cut",
    "refused as unfinished",
    "backup gone",
    "way back from before",
    "advice followed",
    "without a backup",
];

impl Seen {
    pub fn note(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    pub fn and(mut self, other: Seen) -> Seen {
        for (what, count) in other.0 {
            *self.0.entry(what).or_default() += count;
        }
        self
    }

    pub fn count(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or_default()
    }

    pub fn counts(&self) -> Vec<(&'static str, u64)> {
        WORTH_SEEING
            .iter()
            .map(|what| (*what, self.count(what)))
            .collect()
    }
}

/// In memory where that is possible.
pub fn folders() -> TempDir {
    let folder = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new());
    folder.unwrap()
}

/// A drive without a serial number is known by its place and by what its flash can have
/// come from. Of another one of which both is true nobody could know better, and what
/// follows is about that one.
pub struct Indistinguishable;

pub fn quiet_kills() {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let payload = panic.payload();
            if !payload.is::<Kill>() && !payload.is::<Indistinguishable>() {
                usual(panic);
            }
        }));
    });
}

/// What a user types.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    /// None for an erase.
    image: Option<Vec<u8>>,
    range: Option<FlashRange>,
    keep: Vec<FlashRange>,
    /// Of a whole image alone: everything else is refused without.
    without_backup: bool,
    /// It writes a backup back.
    puts_back: bool,
}

impl Line {
    fn wanted(&self, size: u32) -> Vec<FlashRange> {
        match self.range {
            Some(range) => vec![range],
            None => vec![FlashRange::new(0, size)],
        }
    }

    /// The sectors that are read and can change.
    fn scope(&self, layout: &EraseLayout) -> Vec<FlashRange> {
        let wanted = self.wanted(layout.size());
        let sectors = layout.sectors.iter().copied();
        sectors
            .filter(|sector| wanted.iter().any(|range| range.overlaps(*sector)))
            .collect()
    }

    /// What the flash is to hold: what stays comes from `original` in the sectors
    /// that can change, and is what there is now elsewhere.
    fn target(&self, layout: &EraseLayout, original: &[u8], now: &[u8]) -> Vec<u8> {
        let mut target = now.to_vec();
        for sector in self.scope(layout) {
            sector
                .of_mut(&mut target)
                .copy_from_slice(sector.of(original));
        }
        let kept = target.clone();
        for range in self.wanted(layout.size()) {
            match &self.image {
                Some(image) => range.of_mut(&mut target).copy_from_slice(range.of(image)),
                None => range.of_mut(&mut target).fill(0xFF),
            }
        }
        for range in &self.keep {
            range.of_mut(&mut target).copy_from_slice(range.of(&kept));
        }
        target
    }
}

/// What else a user types.
#[derive(Debug, Clone, Default)]
struct Besides {
    /// The name of the backup.
    backup: Option<PathBuf>,
    /// `--force=interrupted`.
    is_forced: bool,
}

/// What a refusal says to do.
enum Advice {
    /// The same line, with more.
    Type(Besides),
    /// This first, and then the same line.
    First(Line),
    /// Nothing that this drive's user could know to be right.
    Unknown,
}

/// What is true of a drive and no run is told.
struct Truth {
    /// What was in the flash before the first change that was not finished.
    original: Option<Vec<u8>>,
    /// What such a change has left that had done all of its work, and what others have
    /// finished since: that is a flash of which a backup may be made as well.
    complete: Option<Vec<u8>>,
    /// What was in it when backups were made since, of what it may have held.
    backed_up: Vec<Vec<u8>>,
    /// What was in it before the last change that was finished: who types that one again
    /// has nothing to do, and may be told.
    last: Option<Vec<u8>>,
    /// What was typed since then.
    lines: Vec<Line>,
    /// Something happened after which a run may refuse to guess.
    is_unclear: bool,
    was_moved: bool,
}

/// The serial numbers of the drives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Numbers {
    /// One each.
    Own,
    /// All say the same.
    Shared,
    None,
}

/// Bytes that each drive has for its own.
const OWN: usize = 0x40;

impl Numbers {
    /// Of what two drives of one number have for their own, a line is about all or about
    /// nothing: a byte or two may be alike by chance.
    fn aligned(self, at: usize) -> usize {
        match self {
            Numbers::Shared => at - at % OWN,
            Numbers::Own | Numbers::None => at,
        }
    }
}

pub struct World {
    random: Random,
    drives: Vec<Drive>,
    truths: Vec<Truth>,
    root: PathBuf,
    numbers: Numbers,
    /// What all of them held at first, but for what is each one's own.
    firmware: Vec<u8>,
    names: u32,
    /// All lines; a run is known by the number of its own.
    typed: Vec<Line>,
    /// Whose the backups are, by their names.
    backups: BTreeMap<String, usize>,
    /// Those of which the users of which drives were told that they are the way back: of
    /// two that hold the same it may be that of the other one.
    told: BTreeSet<(String, usize)>,
    /// Shows what happens, for whoever looks at one sequence.
    tells: bool,
}

enum Ended {
    Good,
    Killed,
    Refused(Refusal),
    /// What was read is in this file, and the one that was named is kept from it.
    Kept(PathBuf),
    Failed,
}

impl World {
    pub fn new(seed: u64, root: &Path) -> World {
        let mut random = Random::new(seed);
        let root = root.join(seed.to_string());
        for folder in ["one", "other", "third"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        let (count, sector) = random.of(&[
            (5, 0x1000),
            (5, 0x1000),
            (5, 0x1000),
            (1, 0x2000),
            (18, 0x1000),
        ]);
        let layout =
            EraseLayout::from_sizes(std::iter::repeat_n(sector, count), random.of(&[1, 256]));
        let size = layout.size() as usize;
        let mut firmware: Vec<u8> = (0..size).map(|_| random.byte()).collect();
        if random.one_in(2) {
            let at = random.below(size);
            firmware[at..].fill(0xFF);
        }
        firmware[0x40..0x4B].copy_from_slice(b"LITE-ON SIM");
        let numbers = match random.below(4) {
            0 => Numbers::Own,
            1 if count > 1 => Numbers::Shared,
            _ => Numbers::None,
        };
        let is_calibrated = random.one_in(2);
        // In several sectors where nothing else tells them apart: one that is being erased
        // says nothing.
        let own = match numbers {
            Numbers::Shared => vec![0x80, size - OWN],
            Numbers::Own | Numbers::None if is_calibrated => vec![random.below(size - OWN)],
            Numbers::Own | Numbers::None => Vec::new(),
        };
        let drives = (0..1 + random.below(3)).map(|number| {
            let mut flash = firmware.clone();
            for at in &own {
                flash[*at..at + OWN].fill_with(|| random.byte());
            }
            Drive {
                place: format!("place {number}"),
                identity: Identity {
                    vendor: "LITE-ON".to_owned(),
                    product: "SIM".to_owned(),
                    revision: "SIM1".to_owned(),
                    serial: match numbers {
                        Numbers::Own => Some(format!("S{number}")),
                        Numbers::Shared => Some("S0".to_owned()),
                        Numbers::None => None,
                    },
                },
                flash,
                layout: layout.clone(),
                is_named: true,
            }
        });
        let drives: Vec<Drive> = drives.collect();
        let truths = drives.iter().map(|_| Truth {
            original: None,
            complete: None,
            backed_up: Vec::new(),
            last: None,
            lines: Vec::new(),
            is_unclear: false,
            was_moved: false,
        });
        World {
            truths: truths.collect(),
            drives,
            random,
            root,
            numbers,
            firmware,
            names: 0,
            typed: Vec::new(),
            backups: BTreeMap::new(),
            told: BTreeSet::new(),
            tells: std::env::var("MTKFLASH_SEQUENCES").is_ok_and(|number| number == "1"),
        }
    }

    pub fn live(mut self, seen: &mut Seen) {
        let line = self.line();
        let other = self.line();
        for step in 0..1 + self.random.below(4) {
            let drive = match self.random.below(4) {
                0 => self.random.below(self.drives.len()),
                _ => 0,
            };
            let line = match self.random.below(6) {
                0 if step > 0 => other.clone(),
                _ => line.clone(),
            };
            let fault = match step {
                0 => true,
                _ => !self.random.one_in(4),
            };
            self.run(drive, &line, fault, &Besides::default(), seen);
            if self.random.one_in(12) {
                self.move_a_backup();
            }
            if self.numbers == Numbers::None && self.random.one_in(16) {
                self.swap();
            }
        }
        for drive in 0..self.drives.len() {
            self.finish(drive, seen);
        }
        fs::remove_dir_all(&self.root).unwrap();
    }

    fn line(&mut self) -> Line {
        let (random, numbers) = (&mut self.random, self.numbers);
        // What one of them has for its own shows that it is that one, as far as all of
        // them say the same.
        let mut image = match numbers {
            Numbers::Shared => self.firmware.clone(),
            Numbers::Own | Numbers::None => self.drives[0].flash.clone(),
        };
        let size = image.len();
        for _ in 0..1 + random.below(4) {
            let at = 0x100 + random.below(size - 0x100);
            let end = (at + 1 + random.below(0x1800)).min(size);
            let step = random.below(4);
            for byte in &mut image[at..end] {
                match step {
                    0 => *byte &= random.byte(),
                    1 => *byte = 0xFF,
                    _ => *byte = random.byte(),
                }
            }
        }
        let mut range = || {
            let start = numbers.aligned(random.below(size - 1));
            let end = numbers.aligned(start + OWN + random.below(0x2000));
            FlashRange::new(start as u32, end.min(size) as u32)
        };
        let (mut part, mut keep) = (None, Vec::new());
        match range().start() % 8 {
            0..4 => keep = vec![range()],
            4 | 5 => part = Some(range()),
            _ => {}
        }
        let is_erase = self.random.one_in(12);
        let is_whole = !is_erase && part.is_none() && keep.is_empty();
        Line {
            without_backup: is_whole && self.random.one_in(4),
            image: (!is_erase).then_some(image),
            range: part,
            keep,
            puts_back: false,
        }
    }

    /// One run. Everything that it says is held against the truth.
    fn run(
        &mut self,
        number: usize,
        line: &Line,
        fault: bool,
        besides: &Besides,
        seen: &mut Seen,
    ) -> Ended {
        self.names += 1;
        self.typed.push(line.clone());
        let user = self.random.of(&["user", "root"]);
        let other = if user == "user" { "root" } else { "user" };
        let folder = self.root.join(self.random.of(&["one", "other"]));
        let shelf = |user: &str| Journal::in_folder(&self.root.join(user)).own;
        let journal = Journal {
            own: shelf(user),
            others: shelf(other).into_iter().collect(),
            place: Some(self.drives[number].place.clone()),
            asked: Asked {
                words: vec![(self.typed.len() - 1).to_string().into()],
                image: None,
            },
        };
        let wish = match &besides.backup {
            Some(backup) => BackupWish::File(backup.clone()),
            None if line.without_backup => BackupWish::None,
            None => BackupWish::Fresh {
                backup: folder.join(format!("backup-{}.bin", self.names)),
                half_written: folder.join(format!("half-written-{}.bin", self.names)),
            },
        };
        let image = line.image.clone().map(Image::from_bytes);
        let request = change::Request {
            content: match &image {
                Some(image) => Content::Image {
                    image,
                    record: None,
                },
                None => Content::Blank,
            },
            file: None,
            selection: line.range.map_or(Selection::Everything, Selection::Range),
            keep: line.keep.clone(),
            backup: wish,
            forced: match besides.is_forced {
                true => [Check::Model, Check::Interrupted].into(),
                false => [Check::Model].into(),
            },
            circumstances: Circumstances {
                date: format!(
                    "2004-05-21 10:{:02}:{:02} UTC",
                    self.names / 60,
                    self.names % 60
                )
                .parse()
                .unwrap(),
                tool: "mtkflash".to_owned(),
                journal,
            },
            dry_run: false,
            skip_if_same: false,
        };
        let fault = fault.then(|| {
            let reads = 2 * line
                .scope(&self.drives[number].layout)
                .iter()
                .map(|range| range.len() as usize / 0x100)
                .sum::<usize>();
            let before = match self.random.below(8) {
                0 => self.random.below(reads + 1),
                _ => reads + self.random.below(60),
            };
            (self.random.of(&FAULTS), before)
        });
        let now = self.drives[number].flash.clone();
        let original = self.truths[number].original.clone();
        let original = original.unwrap_or_else(|| now.clone());
        let layout = self.drives[number].layout.clone();
        let target = line.target(&layout, &original, &now);

        let chance = Random::new(self.random.number());
        let mut proposal = None;
        let drive = &mut self.drives[number];
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let mut device = Device::new(drive, fault, chance);
            let stop = StopFlag::default();
            let mut sink = |_| {};
            let mut job = Job::new(&mut device, &mut sink, &stop);
            let prepared = change::prepare(&mut job, &request).map_err(ChangeError::from)?;
            let proposal = proposal.insert(prepared);
            match proposal.is_empty() {
                true => Ok(()),
                false => proposal.carry_out(&mut job).map(drop),
            }
        }));
        let after = drive.flash.clone();
        let lost = fault.is_some_and(|(fault, _)| matches!(fault, Fault::Kill | Fault::PowerCut));
        drive.is_named = !(lost && self.random.one_in(2));
        let case = format!(
            "drive {number}, {fault:?}, {:?} keeping {:?}",
            line.range, line.keep
        );
        if self.tells {
            let said = match &outcome {
                Ok(Ok(())) => "good".to_owned(),
                Ok(Err(error)) => format!("{error:?}"),
                Err(_) => "killed".to_owned(),
            };
            let way = proposal.as_ref().map(|proposal| {
                let text = format!("{:?}", proposal.backup);
                text.chars().take(120).collect::<String>()
            });
            let erases = line.image.is_none();
            eprintln!("{user}: {case}, erase: {erases}: {said}; {way:?}");
        }
        if matches!(&proposal, Some(proposal) if matches!(proposal.backup, Backup::None)) {
            seen.note("without a backup");
        }
        if let Some(proposal) = &proposal {
            if let Backup::Made { path, .. } | Backup::Mixture { path, .. } = &proposal.backup {
                self.backups.insert(name_of(path), number);
            }
            let truth = &self.truths[number];
            let last = truth.last.as_deref().filter(|_| proposal.is_empty());
            let held = [Some(&*original), truth.complete.as_deref(), last];
            let backed_up = truth.backed_up.iter().map(Vec::as_slice);
            let held: Vec<&[u8]> = held.into_iter().flatten().chain(backed_up).collect();
            if self.is_indistinguishable(number, &proposal.backup, &now) {
                std::panic::panic_any(Indistinguishable);
            }
            self.hold_backup(proposal, &held, &case, seen);
            if let Backup::Made { path, .. } = &proposal.backup {
                let is_whole = Record::beside(path).is_some_and(|record| record.ranges.is_empty());
                let backed_up = &mut self.truths[number].backed_up;
                backed_up.extend(is_whole.then(|| now.clone()));
            }
            let told = proposal.backup.file().map(name_of);
            self.told.extend(told.map(|name| (name, number)));
        }
        let truth = &mut self.truths[number];
        let has_begun = proposal
            .as_ref()
            .is_some_and(|proposal| !proposal.is_empty());
        let ended = match outcome {
            Err(panic) if panic.is::<Kill>() => {
                seen.note("killed");
                Ended::Killed
            }
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(Ok(())) => {
                // What stays is what a write has left that had done all of its work, too.
                let complete = truth.complete.as_ref();
                let also = complete.map(|complete| line.target(&layout, complete, &now));
                let is_right = also.as_ref() == Some(&after);
                let mut wrong = (0..after.len()).filter(|at| after[*at] != target[*at]);
                if let (false, Some(wrong)) = (is_right, wrong.next()) {
                    panic!("{case}: exit 0, and {wrong:#x} is not as it should be");
                }
                seen.note("done");
                if truth.original.is_some() && after != *line.image.as_ref().unwrap_or(&after) {
                    seen.note("kept over a cut");
                }
                Ended::Good
            }
            Ok(Err(error)) => {
                let found = before(proposal.as_ref(), &now);
                hold_statement(&error.flash(), &now, &found, &after, &target, &case);
                seen.note("cut");
                match error {
                    ChangeError::Job(JobError::Refused(refusal)) => Ended::Refused(refusal),
                    ChangeError::Job(JobError::Kept { file, .. }) => Ended::Kept(file),
                    _ => Ended::Failed,
                }
            }
        };
        match &ended {
            Ended::Good => {
                truth.last = Some(match has_begun {
                    true => original.clone(),
                    false => truth.last.take().unwrap_or_else(|| original.clone()),
                });
                let mut left = original;
                for held in [Some(&mut left), truth.complete.as_mut()]
                    .into_iter()
                    .flatten()
                {
                    for sector in line.scope(&layout) {
                        sector.of_mut(held).copy_from_slice(sector.of(&after));
                    }
                }
                let is_over = left == after;
                truth.original = (!is_over).then_some(left);
                if is_over {
                    truth.complete = None;
                    truth.backed_up.clear();
                    truth.lines.clear();
                    // The note of one that was moved stays at its old place, where it may
                    // be its twin's.
                    truth.is_unclear = truth.was_moved;
                }
            }
            Ended::Refused(Refusal::Unfinished { .. }) => seen.note("refused as unfinished"),
            Ended::Refused(Refusal::BackupGone { .. }) => seen.note("backup gone"),
            Ended::Refused(_) | Ended::Kept(_) => {}
            Ended::Killed | Ended::Failed if has_begun => {
                truth.original = Some(original);
                if after == target {
                    truth.complete = Some(after);
                }
                truth.lines.push(line.clone());
            }
            Ended::Killed | Ended::Failed => {}
        }
        ended
    }

    /// Whether this is the backup of another drive, by place or number this one, which can have
    /// come to hold what this one does, sector by sector.
    fn is_indistinguishable(&self, number: usize, backup: &Backup, now: &[u8]) -> bool {
        let (Backup::Earlier(begun) | Backup::Before(begun)) = backup else {
            return false;
        };
        let may_be_another = match self.numbers {
            Numbers::Own => false,
            // One that was cut off as well has a note of its own at its place.
            Numbers::Shared => self.truths[number].original.is_none(),
            Numbers::None => true,
        };
        let owner = self.backups.get(&name_of(&begun.path)).copied();
        let Some(owner) = owner.filter(|owner| *owner != number && may_be_another) else {
            return false;
        };
        let Truth {
            original: Some(before),
            lines,
            ..
        } = &self.truths[owner]
        else {
            // One that was moved has finished elsewhere: its note stays at the place, where
            // whatever it can have left fits a twin as well.
            return self.numbers == Numbers::None && self.truths[owner].was_moved;
        };
        let drive = &self.drives[owner];
        let of = |line: &Line| line.target(&drive.layout, before, &drive.flash);
        let afters: Vec<Vec<u8>> = lines.iter().map(of).collect();
        // Of more than that change was about nothing is known of the other one.
        let ranges = &begun.record.ranges;
        let is_about = |sector: &&FlashRange| {
            ranges.is_empty() || ranges.iter().any(|range| range.overlaps(**sector))
        };
        let sectors = drive.layout.sectors.iter().filter(is_about);
        let is_unlike = |sector: &&FlashRange| {
            let mut held = afters.iter().chain([before]).map(|flash| sector.of(flash));
            let is_erased = sector.of(now).iter().all(|byte| *byte == 0xFF);
            !is_erased && !held.any(|held| held == sector.of(now))
        };
        // One that was cut off leaves whatever it likes in one of them.
        sectors.filter(is_unlike).count() <= 1
    }

    /// What is called a way back is what was in the flash before the first change.
    fn hold_backup(&self, proposal: &Proposal, held: &[&[u8]], case: &str, seen: &mut Seen) {
        match &proposal.backup {
            Backup::Earlier(_) => seen.note("resumed"),
            Backup::Before(_) => seen.note("way back from before"),
            _ => {}
        }
        let Some(path) = proposal.backup.file() else {
            return;
        };
        let content = fs::read(path).unwrap();
        // Where nothing is to be done, a backup that was moved without its record has none.
        let record = match &proposal.backup {
            Backup::Earlier(begun) | Backup::Before(begun) if proposal.is_empty() => {
                begun.record.clone()
            }
            _ => Record::beside(path).unwrap_or_else(|| panic!("{case}: no record")),
        };
        assert!(!record.half_written, "{case}");
        let is_of = |flash: &&[u8]| match record.ranges.as_slice() {
            [] => content == **flash,
            ranges => {
                let parts: Vec<&[u8]> = ranges.iter().map(|range| range.of(flash)).collect();
                content == parts.concat()
            }
        };
        assert!(
            held.iter().any(is_of),
            "{case}: {} is called a backup, and is not what was there",
            path.display()
        );
    }

    fn move_a_backup(&mut self) {
        let folder = self.root.join(self.random.of(&["one", "other"]));
        let mut files: Vec<PathBuf> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "bin"))
            .collect();
        files.sort();
        if files.is_empty() {
            return;
        }
        let file = files.swap_remove(self.random.below(files.len()));
        let moved = self.root.join("third").join(file.file_name().unwrap());
        if self.tells {
            eprintln!("{} is moved", file.display());
        }
        fs::rename(&file, &moved).unwrap();
        let record = |path: &Path| PathBuf::from(format!("{}.txt", path.display()));
        match self.random.one_in(2) {
            true => fs::rename(record(&file), record(&moved)).unwrap(),
            false => fs::remove_file(record(&file)).unwrap(),
        }
    }

    /// Drives without serial numbers, in each other's places. Of two that were both cut
    /// off nobody could tell which is which, nor of one that comes back after it was
    /// written elsewhere.
    fn swap(&mut self) {
        let is_clean = |number: &usize| self.truths[*number].original.is_none();
        let other = (1..self.drives.len()).find(is_clean);
        let (Some(other), false) = (other, self.truths[0].was_moved) else {
            return;
        };
        for number in [0, other] {
            self.truths[number].was_moved = true;
        }
        if self.tells {
            eprintln!("drives 0 and {other} are swapped");
        }
        let place = self.drives[0].place.clone();
        self.drives[0].place = std::mem::replace(&mut self.drives[other].place, place);
        // Whose change is whose can be asked by nobody now.
        for truth in &mut self.truths {
            truth.is_unclear = true;
        }
    }

    /// Whether nobody can be sure whose change was whose.
    fn is_unclear(&self, number: usize) -> bool {
        self.numbers == Numbers::Shared && self.drives.len() > 1 || self.truths[number].is_unclear
    }

    /// The same line again, without faults, ends with the image.
    fn finish(&mut self, number: usize, seen: &mut Seen) {
        let lines = self.truths[number].lines.clone();
        let Some(last) = lines.last().cloned() else {
            return;
        };
        let is_one = lines.iter().all(|line| *line == last);
        match self.follow(number, &last, &mut Vec::new(), seen) {
            Ended::Good => {}
            Ended::Refused(refusal) if !is_one || self.is_unclear(number) => {
                let is_known = matches!(
                    refusal,
                    Refusal::Unfinished { .. } | Refusal::BackupGone { .. } | Refusal::Check(_)
                );
                assert!(is_known, "{refusal:?}");
            }
            Ended::Refused(refusal) => {
                panic!("drive {number}: the same again is refused: {refusal:?}")
            }
            Ended::Failed | Ended::Killed | Ended::Kept(_) => {
                panic!("drive {number}: failed without a fault")
            }
        }
    }

    /// A line without faults, and what is advised as long as it is refused: never in a
    /// circle. `before` are the refusals since the flash was changed.
    fn follow(
        &mut self,
        number: usize,
        line: &Line,
        before: &mut Vec<(Line, Refusal)>,
        seen: &mut Seen,
    ) -> Ended {
        const MOST: usize = 6;
        let mut besides = Besides::default();
        for _ in 0..MOST {
            let ended = self.run(number, line, false, &besides, seen);
            let refusal = match ended {
                Ended::Refused(refusal) => refusal,
                // As is said there: to go on with that as backup.
                Ended::Kept(file) => {
                    assert!(besides.backup.is_some(), "no name was asked for");
                    besides.backup = Some(file);
                    continue;
                }
                ended => return ended,
            };
            let met = (line.clone(), refusal.clone());
            let is_same = besides.backup.is_none() && !besides.is_forced;
            if is_same {
                assert!(
                    !before.contains(&met),
                    "drive {number}: a circle: {refusal:?}"
                );
                before.push(met);
            }
            match self.advice(number, line, &refusal) {
                Advice::Unknown => return Ended::Refused(refusal),
                Advice::Type(more) => {
                    seen.note("advice followed");
                    let is_new = more.backup != besides.backup || more.is_forced;
                    assert!(is_new, "drive {number}: a circle: {refusal:?}");
                    assert!(
                        !besides.is_forced,
                        "drive {number}: forced, and {refusal:?}"
                    );
                    besides = more;
                }
                Advice::First(first) => {
                    seen.note("advice followed");
                    let held = self.drives[number].flash.clone();
                    match self.follow(number, &first, before, seen) {
                        Ended::Good => {}
                        other => return other,
                    }
                    if held != self.drives[number].flash {
                        before.clear();
                    }
                    besides = Besides::default();
                }
            }
        }
        panic!("drive {number}: no end of advice for {line:?}");
    }

    /// What is advised, as far as this drive's user knows whose backup is meant.
    fn advice(&self, number: usize, line: &Line, refusal: &Refusal) -> Advice {
        let is_changed = self.truths[number].original.is_some();
        // A twin's that holds the same is as good.
        let is_equal = |path: &Path| {
            let original = self.truths[number].original.as_deref();
            original.is_some_and(|original| fs::read(path).is_ok_and(|held| held == original))
        };
        let is_its_own = |path: &Path| {
            let name = name_of(path);
            self.backups.get(&name) == Some(&number)
                || self.told.contains(&(name, number))
                || is_equal(path)
        };
        let forced = Advice::Type(Besides {
            is_forced: true,
            ..Besides::default()
        });
        match refusal {
            Refusal::BackupGone { path, .. } if !is_changed => match path {
                Some(path) if is_its_own(path) => self.found_again(path),
                _ => forced,
            },
            Refusal::BackupGone {
                path: Some(path), ..
            } if is_its_own(path) => self.found_again(path),
            Refusal::Unfinished { .. } if !is_changed => forced,
            // Which of two it was only its user could know.
            Refusal::Unfinished {
                doubt: Doubt::Drive | Doubt::Several,
                ..
            } if line.puts_back => Advice::Unknown,
            Refusal::Unfinished {
                backup,
                asked,
                doubt,
                half_written,
                ..
            } if is_its_own(backup) => {
                let begun = asked.words.first().and_then(|word| word.to_str());
                let begun = begun.map(|word| self.typed[word.parse::<usize>().unwrap()].clone());
                match begun.filter(|begun| begun != line) {
                    Some(begun) if *doubt == Doubt::Lost => Advice::First(begun),
                    _ if *half_written => Advice::Unknown,
                    _ => self.put_back(number, backup),
                }
            }
            _ => Advice::Unknown,
        }
    }

    /// It was asked for by name, and is found.
    fn found_again(&self, path: &Path) -> Advice {
        let moved = self.root.join("third").join(name_of(path));
        assert!(moved.exists(), "{} was asked for", path.display());
        Advice::Type(Besides {
            backup: Some(moved),
            is_forced: false,
        })
    }

    /// The line that writes a backup back, as its record has it.
    fn put_back(&self, number: usize, backup: &Path) -> Advice {
        let content = fs::read(backup).unwrap();
        let record = Record::beside(backup);
        assert!(
            record.as_ref().is_none_or(|record| !record.half_written),
            "{} is called what was in the drive before",
            backup.display()
        );
        let mut image = vec![0xFF; self.drives[number].flash.len()];
        let ranges = record.map(|record| record.ranges).unwrap_or_default();
        let range = match (ranges.first(), ranges.last()) {
            (Some(first), Some(last)) => FlashRange::new(first.start(), last.end()),
            _ => FlashRange::new(0, image.len() as u32),
        };
        if content.len() != range.len() as usize {
            // Several parts are put back one after the other.
            return Advice::Unknown;
        }
        range.of_mut(&mut image).copy_from_slice(&content);
        Advice::First(Line {
            image: Some(image),
            range: (!ranges.is_empty()).then_some(range),
            keep: Vec::new(),
            without_backup: false,
            puts_back: true,
        })
    }
}

/// What a run found, by the change that it goes on with.
fn before(proposal: Option<&Proposal>, now: &[u8]) -> Vec<u8> {
    let mut before = now.to_vec();
    if let Some(Backup::Earlier(begun) | Backup::Before(begun)) =
        proposal.map(|proposal| &proposal.backup)
    {
        match begun.record.ranges.as_slice() {
            [] => before.clone_from(&begun.flash),
            ranges => ranges.iter().for_each(|range| {
                let range_before = range.of(&begun.flash);
                range.of_mut(&mut before).copy_from_slice(range_before);
            }),
        }
    }
    before
}

/// A backup keeps its name where it is moved.
fn name_of(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

/// Whether what is said about the flash is so.
fn hold_statement(
    state: &FlashState,
    now: &[u8],
    before: &[u8],
    after: &[u8],
    target: &[u8],
    case: &str,
) {
    match state {
        FlashState::Unchanged => assert!(after == now, "{case}: said to be unchanged"),
        FlashState::Written => {}
        FlashState::InDoubt { .. } => panic!("{case}: these drives do what they are told"),
        FlashState::Partly {
            written,
            begun,
            untouched,
        } => {
            for bank in Bank::all(now.len() as u32) {
                let of = |flash: &[u8]| bank.range().of(flash).to_vec();
                if written.contains(&bank) {
                    assert!(
                        of(after) == of(target),
                        "{case}: bank {bank} is not written"
                    );
                } else if untouched.contains(&bank) {
                    assert!(
                        of(after) == of(before),
                        "{case}: bank {bank} is not as before"
                    );
                } else if !begun.contains(&bank) {
                    assert!(of(after) == of(now), "{case}: bank {bank} was changed");
                }
            }
        }
    }
}
