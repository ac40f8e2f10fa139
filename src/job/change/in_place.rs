//! A change of a flash that is erased and programmed sector by sector.

mod program;

use std::borrow::Cow;
use std::sync::Arc;

use super::proposal::{Noted, Proposal, Work};
use super::way_back::{Backup, BackupWish, Made, early_checks, refuse_unfinished, way_back};
use super::{Content, Request, record_warnings};
use crate::flash::ranges::{bytes_of, joined, without};
use crate::flash::{EraseLayout, FlashRange};
use crate::image::{Image, damage, identity};
use crate::job::event::Phase;
use crate::job::fit::{self, KnownBy, Match};
use crate::job::interrupted::{self, Change, Closing, Notice, Start, Unfinished};
use crate::job::journal;
use crate::job::journal::trace::{self, State};
use crate::job::read::{self, Dump};
use crate::job::record::Record;
use crate::job::resemblance::Resemblance;
use crate::job::steadiness::{refuse_unstable, warning_of_dump};
use crate::job::{
    Check, Job, JobError, Objection, Refusal, Selection, SelectionError, Warning, objection,
    selection,
};
use crate::plan::{self, ERASED, Plan};
use crate::protocol::DeviceInfo;
use crate::scsi::Identity;
pub(super) use program::carry_out;

pub(super) fn prepare(
    job: &mut Job,
    request: &Request,
    layout: &EraseLayout,
) -> Result<Proposal, JobError> {
    let scope = Scope::of(job, request, layout)?;
    // A drive that says who it is settles at once whether the image is for it;
    // one that does not is asked for its flash first.
    let said = scope.fit(scope.device.identity.as_ref(), &[])?;
    let (dump, unsteady) = scope.survey(job)?;
    let earlier = scope.earlier(job, &dump)?;
    job.check_stop()?;
    let is_empty = earlier.plan.is_empty();
    // What an interrupted write has left is no firmware to compare with.
    let compares = matches!(earlier.start, Start::Here);
    let misplaced = match compares && !is_empty {
        true => scope.misplaced(job, &dump)?,
        false => None,
    };
    let misplaced = misplaced.map(|found| found.unless_forced(&request.forced));
    let misplaced = misplaced.transpose()?;
    let (known_by, known) = earlier.identity.unzip();
    let known_by = known_by.unwrap_or(KnownBy::Drive);
    let made = match is_empty {
        true => Made::nothing_to_do(earlier.start),
        false => way_back(earlier.start, &dump, request, &scope.device, |record| {
            named(record, known.as_ref())
        })?,
    };
    if is_empty && !request.dry_run {
        let journal = &request.circumstances.journal;
        earlier.over.iter().for_each(|one| one.close(journal));
    }
    let with_kept = |error: JobError| made.backup.kept_with(error);
    let fit = match said {
        Some(fit) => Some(fit),
        None => scope
            .fit_by_flash(job, &dump, known.as_ref())
            .map_err(with_kept)?
            .map(|fit| Match { known_by, ..fit }),
    };
    let resemblance = match compares {
        true => scope.resemblance(&dump),
        false => None,
    };
    if let Some(resemblance) = &resemblance {
        let refused = resemblance.refuse_damage(&request.forced);
        refused.map_err(|refusal| with_kept(refusal.into()))?;
    }
    let mut warnings: Vec<Warning> = unsteady.into_iter().chain(misplaced).collect();
    if compares && !is_empty && !request.keep.is_empty() && dump.is_whole() {
        warnings.extend(damage::of_flash(&dump.bytes).map(Warning::KeptFromDamaged));
    }
    warnings.extend(record_warnings(
        scope.record,
        scope.device.identity.as_ref(),
    ));
    if let Backup::Earlier(earlier) | Backup::Before(earlier) = &made.backup {
        warnings.extend(warning_of_dump(
            objection::Content::EarlierBackup,
            earlier.record.disagreements,
        ));
    }
    let covered = made.covered.unwrap_or_else(|| dump.ranges.clone());
    let before = made.before.as_deref().unwrap_or(&dump.bytes);
    let pieces = trace::pieces(before, Some(&earlier.target), &covered);
    let begun = trace::begun(&pieces, &dump.bytes);
    Ok(Proposal {
        noted: Noted {
            pieces,
            journal: request.circumstances.journal.clone(),
            covered,
            mixed: made.mixed,
            continued: earlier.continued,
            backup: made.noted,
            date: request.circumstances.date,
            tool: request.circumstances.tool.clone(),
            device: DeviceInfo {
                identity: scope.device.identity.or(known),
                ..scope.device
            },
        },
        work: Work::InPlace {
            begun,
            plan: earlier.plan,
            target: earlier.target,
        },
        backup: made.backup,
        unfinished: earlier.notices,
        over: earlier.over,
        written_over: earlier.written_over,
        fit,
        warnings,
        resemblance,
        kept: request.keep.clone(),
        notes: Vec::new(),
        scope: dump.ranges,
        check: scope.check,
    })
}

/// What a change in place is about.
struct Scope<'a> {
    request: &'a Request<'a>,
    layout: &'a EraseLayout,
    device: DeviceInfo,
    /// The bytes that are to change; what is kept is not taken out.
    wanted: Vec<FlashRange>,
    /// The image, and that laid out over a whole flash.
    image: Option<(&'a Image, Cow<'a, [u8]>)>,
    /// The record beside the image.
    record: Option<&'a Record>,
    /// How it is shown afterwards that the flash is as it should be.
    check: Phase,
}

/// What earlier changes of this flash mean for this one.
struct Earlier {
    start: Start,
    target: Arc<Vec<u8>>,
    plan: Plan,
    /// Who the drive is where it does not say so: by a backup of this very flash, or by
    /// the entry of a change that is under way in it.
    identity: Option<(KnownBy, Identity)>,
    over: Vec<Closing>,
    written_over: Vec<journal::Found>,
    continued: Vec<journal::Found>,
    notices: Vec<Notice>,
}

impl<'a> Scope<'a> {
    fn of(job: &Job, request: &'a Request, layout: &'a EraseLayout) -> Result<Scope<'a>, JobError> {
        let wanted = job.ranges(&request.selection)?;
        for range in &request.keep {
            job.ranges(&Selection::Range(*range))?;
        }
        let is_all_kept = without(&wanted, &request.keep).is_empty();
        if let (true, Some(first), Some(last)) = (is_all_kept, wanted.first(), wanted.last()) {
            let range = FlashRange::new(first.start(), last.end());
            return Err(Refusal::from(SelectionError::NothingLeft { range }).into());
        }
        let (image, record, check) = match &request.content {
            Content::Image { image, record } => {
                let spread = fit::spread(image, layout.size(), &request.selection, &wanted)?;
                (Some((*image, spread)), record.as_deref(), Phase::Verify)
            }
            Content::Blank => (None, None, Phase::BlankCheck),
        };
        Ok(Scope {
            request,
            layout,
            device: job.device.info().clone(),
            wanted,
            image,
            record,
            check,
        })
    }

    /// Whether the image is for this drive, where that says who it is or its flash
    /// does. `None` where there is no image, or nobody says anything yet.
    fn fit(&self, drive: Option<&Identity>, flash: &[u8]) -> Result<Option<Match>, Refusal> {
        let Some((image, _)) = &self.image else {
            return Ok(None);
        };
        if drive.is_none() && flash.is_empty() {
            return Ok(None);
        }
        let recorded = self.record.and_then(|record| record.drive.as_ref());
        let forced = &self.request.forced;
        fit::check(image, drive, recorded, flash, forced).map(Some)
    }

    /// Whether the image is for what the flash holds, by the flash or by what is known
    /// of it.
    fn fit_by_flash(
        &self,
        job: &mut Job,
        dump: &Dump,
        known: Option<&Identity>,
    ) -> Result<Option<Match>, JobError> {
        if self.image.is_none() {
            return Ok(None);
        }
        let flash = whole_for_names(job, dump, known)?;
        Ok(self.fit(known, &flash)?)
    }

    /// What stands against the places of the image's banks, as far as they are written.
    fn misplaced(&self, job: &mut Job, dump: &Dump) -> Result<Option<Objection>, JobError> {
        let Some((_, image)) = &self.image else {
            return Ok(None);
        };
        // What is not written is in no wrong place.
        let request = self.request;
        let image = match request.selection.is_everything() && request.keep.is_empty() {
            true => Cow::Borrowed(image.as_ref()),
            false => {
                let blank = vec![ERASED; image.len()];
                Cow::Owned(plan::merge(&blank, image, &self.wanted, &request.keep))
            }
        };
        fit::misplaced(job, &image, dump)
    }

    /// Reads all that can be touched. Returns what to say of a flash that reads
    /// differently each time, where its user wants to go on.
    fn survey(&self, job: &mut Job) -> Result<(Dump, Option<Warning>), JobError> {
        let touched = touched(&self.wanted, self.layout);
        early_checks(self.request, &self.device, self.layout.size(), &touched)?;
        let dump = read::read_ranges(job, touched)?;
        let unsteady = refuse_unstable(dump.disagreements, &self.request.forced)?;
        Ok((dump, unsteady))
    }

    /// What this change makes of a flash.
    fn target(&self, before: &[u8]) -> Arc<Vec<u8>> {
        let keep = &self.request.keep;
        let is_whole = bytes_of(&self.wanted) == before.len() as u64 && keep.is_empty();
        match &self.image {
            Some((image, Cow::Borrowed(_))) if is_whole => image.shared(),
            Some((_, spread)) => plan::merge(before, spread, &self.wanted, keep).into(),
            None => plan::blank(before, &self.wanted, keep).into(),
        }
    }

    /// Whether this change goes on with one that was begun, and from what; what there
    /// is to do then.
    fn earlier(&self, job: &mut Job, dump: &Dump) -> Result<Earlier, JobError> {
        let request = self.request;
        let open = interrupted::find(
            &request.near(),
            &self.device,
            dump.bytes.len(),
            &request.circumstances.journal,
        );
        let retained = without(&dump.ranges, &without(&self.wanted, &request.keep));
        let seen = match open.needs_more_than(dump) {
            true => Cow::Owned(read::whole(job, dump)?),
            false => Cow::Borrowed(dump),
        };
        refuse_unstable(seen.disagreements, &request.forced)?;
        let change = Change {
            dump,
            seen: &seen,
            target: &|before| self.target(before),
            retained: &retained,
            out_of_reach: &[],
            backup: request.backup.named(),
        };
        let open = open.recognised(&seen, Some(self.layout), |one| change.target_of(one));
        let drive = self.device.identity.as_ref();
        let start = open.start(&change, drive, &request.forced)?;
        refuse_unfinished(&start, request)?;
        let target = match &start {
            Start::Resumed(earlier) => self.target(&earlier.flash),
            Start::Here | Start::After(_) | Start::Mixed => self.target(&dump.bytes),
        };
        let plan = plan::plan(&dump.bytes, &target, self.layout).map_err(Refusal::from)?;
        let start = match plan.is_empty() || request.backup == BackupWish::None {
            true => start,
            false => open.of_blank(start, &change, &request.forced)?,
        };
        if request.backup == BackupWish::None && matches!(start, Start::Here | Start::Mixed) {
            refuse_unkept(&plan, &retained, &dump.bytes)?;
        }
        let mut over = match dump.is_whole() && retained.is_empty() {
            // Whatever was unfinished of this drive is over with a whole image.
            true => open.of_this_drive(),
            false => open.put_back(&target, &change, drive),
        };
        over.extend(open.superseded(&change));
        let is_forced = request.forced.contains(&Check::Interrupted);
        over.extend(open.done_without(&change, |trace| match trace.state {
            State::Finished => plan.is_empty(),
            State::Partial => is_forced,
            State::Untouched | State::Other => false,
        }));
        let notices = match &start {
            Start::Resumed(earlier) => {
                over.extend(open.same_as(earlier, &change));
                Vec::new()
            }
            Start::After(earlier) if earlier.covers_exactly(&dump.ranges) => {
                over.extend(open.same_as(earlier, &change));
                open.notices()
            }
            _ => open.notices(),
        };
        // A flash that is as a backup has it is of that model, whichever drive it is.
        let identity = match &start {
            Start::Resumed(earlier) | Start::After(earlier) => earlier.identity(),
            Start::Here | Start::Mixed => {
                let mut all = open.intact.iter().map(|(one, _)| one);
                let of_this = all.find(|one| one.is_of_flash(&dump.bytes));
                let drive = of_this.and_then(Unfinished::identity);
                drive.map(|drive| Identity {
                    serial: None,
                    ..drive
                })
            }
        };
        let of_backup = identity.map(|drive| (KnownBy::Backup, drive));
        let of_entry = || {
            let drive = open.identity_of_lost()?;
            Some((KnownBy::Journal, drive))
        };
        let identity = of_backup.or_else(of_entry);
        Ok(Earlier {
            continued: open.under_way(&start),
            written_over: open.written_over(&change, &over),
            start,
            target,
            plan,
            identity,
            over,
            notices,
        })
    }

    /// How much of the image the flash holds already.
    fn resemblance(&self, dump: &Dump) -> Option<Resemblance> {
        let (image, spread) = self.image.as_ref()?;
        let compared = without(&self.wanted, &self.request.keep);
        let drive = self.device.identity.as_ref();
        Resemblance::of(image, spread, dump, &compared, drive)
    }
}

/// A record with the model that the drive is by its backup, where it says nothing.
fn named(record: Record, of_backup: Option<&Identity>) -> Record {
    let model = of_backup.map(|drive| Identity {
        serial: None,
        ..drive.clone()
    });
    Record {
        drive: record.drive.or(model),
        ..record
    }
}

/// The flash in which names are looked for where nobody says who the drive is: all
/// of it, where what was read has none.
fn whole_for_names<'a>(
    job: &mut Job,
    dump: &'a Dump,
    of_backup: Option<&Identity>,
) -> Result<Cow<'a, [u8]>, JobError> {
    let is_enough =
        of_backup.is_some() || dump.is_whole() || !identity::find(&dump.bytes).is_empty();
    Ok(match is_enough {
        true => Cow::Borrowed(&dump.bytes),
        false => read::with_the_rest(job, dump)?.into(),
    })
}

/// Bytes that are to stay and are erased on the way are in the backup alone
/// until they are programmed again.
fn refuse_unkept(plan: &Plan, retained: &[FlashRange], now: &[u8]) -> Result<(), Refusal> {
    let erased: Vec<FlashRange> = plan.erases().collect();
    let at_risk = without(retained, &without(retained, &erased));
    let holds_something = |range: &FlashRange| range.of(now).iter().any(|byte| *byte != 0xFF);
    match at_risk.iter().find(|range| holds_something(range)) {
        Some(range) => Err(Refusal::NoCopy { range: *range }),
        None => Ok(()),
    }
}

/// The sectors that a change within `wanted` can touch, joined where they
/// follow each other and cut by bank.
fn touched(wanted: &[FlashRange], layout: &EraseLayout) -> Vec<FlashRange> {
    let sectors = layout
        .sectors
        .iter()
        .filter(|sector| wanted.iter().any(|range| range.overlaps(**sector)));
    joined(sectors.copied().collect())
        .into_iter()
        .flat_map(selection::by_bank)
        .collect()
}
