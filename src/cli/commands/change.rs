//! Writing and erasing: prepare, show, ask, carry out, report.

mod backup;
pub mod begun;
mod done;
mod proposal;
pub mod question;

pub use backup::as_file_name;
pub use done::changed;
pub use proposal::{notes, proposed, warnings};

use std::path::Path;
use std::sync::Arc;

use super::run::{Asking, Context, Run};
use super::several::meeting::{Answer, Demand};
use crate::cli::args::{Request, Via};
use crate::cli::event::Event;
use crate::cli::exit::Exit;
use crate::cli::failure::{self, Failure};
use crate::cli::going_on::GoingOn;
use crate::cli::next;
use crate::cli::outcome::{Drive, Finding, Proposed, Takes, ToGoBack, Verdict};
use crate::cli::prompt::{self, Consent, Word};
use crate::cli::user;
use crate::cli::words;
use crate::cli::words::terms;
use crate::flash::ranges::{joined, without};
use crate::flash::{FlashRange, Offset};
use crate::image::damage::Certainty;
use crate::image::{ImageIdentity, Report, identity};
use crate::job::change::{self, Backup, Content, Proposal, Work};
use crate::job::interrupted::{self, Notice, Who};
use crate::job::{Check, FlashState, JobError, Refusal, Selection, Warning, read, steadiness};
use crate::protocol::download::Erasing;
use crate::protocol::packet::Family;
use crate::protocol::{Capabilities, Protocol, Reading, Writing};
use crate::scsi::Identity;
use crate::session::Machine;

/// A change of a flash, before the drive is known.
pub struct Change<'a> {
    pub content: Content<'a>,
    /// The image, as it is shown beside the drive.
    pub image: Option<(&'a Path, &'a Report)>,
}

impl Change<'_> {
    /// Who the image says it is for.
    fn named(&self) -> &[ImageIdentity] {
        self.image.map_or(&[], |(_, report)| &report.identities)
    }

    /// By what the drive answers to INQUIRY, before it is opened.
    ///
    /// # Errors
    /// An image that is not for it.
    fn refuse_by_name(&self, request: &Request, machine: &dyn Machine) -> Result<(), Failure> {
        let Some(name) = request.drives.first() else {
            return Ok(());
        };
        let listing = machine.list();
        let listed = listing.find(name);
        let Some(drive) = listed.and_then(|listed| listed.identity.as_ref()) else {
            return Ok(());
        };
        let family = Family::by_identity(drive).filter(|_| request.options.protocol.is_none());
        if let (Some(family), true) = (family, request.erasing().is_some()) {
            if let Erasing::Undocumented { family } = family.rules.erasing {
                let refusal = Refusal::Unerasable { family };
                return Err(failure::refused(&refusal, request));
            }
        }
        self.refuse_other(drive, request)
    }

    /// What needs no read: an image that names other drives than this one. One that
    /// names none may be told more by its size.
    fn refuse_other(&self, drive: &Identity, request: &Request) -> Result<(), Failure> {
        if self.named().is_empty() {
            return Ok(());
        }
        change::refuse_misfit(&self.content, drive, &request.options.force)
            .map_err(|refusal| failure::refused(&refusal, request))
    }

    /// Whether a check was overridden that keeps the drive alive.
    fn is_dangerous(&self, proposal: &Proposal, request: &Request) -> bool {
        let of_names = proposal.fit.as_ref().and_then(|fit| fit.forced);
        let of_protocol = proposal
            .warnings
            .iter()
            .filter_map(|warning| match warning {
                Warning::Overridden(objection) => Some(objection.check()),
                _ => None,
            });
        let mut forced = of_names.into_iter().chain(of_protocol);
        let is_damaged = self.image.is_some_and(|(_, report)| {
            let mut findings = report.findings.iter();
            findings.any(|finding| finding.certainty == Certainty::Probable)
        });
        forced.any(Check::guards_life)
            || is_damaged && request.options.force.contains(&Check::Structure)
    }
}

pub fn run(context: Context, change: Change) -> Result<(), Failure> {
    let options = &context.request.options;
    let asks = matches!(context.asking, Asking::User) && !options.dry_run;
    backup::check(context.request, only_looks(context.request, context.asking))
        .map_err(|failure| begun::told(failure, context))?;
    if asks && !options.yes && !prompt::somebody_is_there() {
        let machine = user::machine(context.request)?;
        change.refuse_by_name(context.request, machine.as_ref())?;
        must_be_there(context.request, machine.as_ref())?;
        return Err(nobody_to_ask(context.request));
    }
    let opened;
    let machine = match context.machine {
        Some(machine) => machine,
        None => {
            opened = context.machine()?;
            opened.as_ref()
        }
    };
    let before = match is_read_by_packets(context.request) {
        true => Some(read_by_packets(context, machine)?),
        false => None,
    };
    let request = context.request;
    let unwanted = |drive: &Identity| change.refuse_other(drive, request).err();
    let context = Context {
        machine: Some(machine),
        read_before: before.as_deref(),
        unwanted: Some(&unwanted),
        ..context
    };
    context.with_drive(|run| {
        // Twice for the backup, where it is not read yet.
        let passes = if before.is_some() { 0 } else { 2 };
        let proposal = match run.propose(&change, passes) {
            Ok(proposal) => proposal,
            Err(failure) if run.is_noted() => return Err(failure.in_the_middle()),
            Err(failure) => return Err(failure),
        };
        if proposal.is_empty() {
            run.show_nothing_to_do(&proposal);
            return Ok(());
        }
        if let Asking::Nobody(noted) = run.asking {
            let _ = noted.set(run.demand(&change, &proposal));
            return Ok(());
        }
        if run.request.options.dry_run {
            run.found(Finding::Verdict(Verdict::DryRun));
            // Of several drives it is told once.
            if run.among.is_none() {
                run.found(Finding::Next(next::after_dry_run(run.request)));
            }
            return Ok(());
        }
        let is_dangerous = change.is_dangerous(&proposal, run.request);
        let done = run.agree(&change, &proposal);
        let done = done.and_then(|()| run.carry_out(&proposal, is_dangerous));
        match is_in_the_middle(&proposal) {
            true => done.map_err(Failure::in_the_middle),
            false => done,
        }
    })
}

/// Whether the flash is what an earlier run has left, which did not come to its end.
fn is_in_the_middle(proposal: &Proposal) -> bool {
    let is_this = |notice: &Notice| match notice {
        Notice::Unfinished { who, .. } => *who <= Who::Place,
        Notice::Lost { .. } => true,
        Notice::Recorded { .. } | Notice::Unread { .. } => false,
    };
    matches!(proposal.backup, Backup::Earlier(_)) || proposal.unfinished.iter().any(is_this)
}

/// Before its user is told how a drive is named that nobody asks about: whether there
/// is one. By the ports, only trying can tell.
fn must_be_there(request: &Request, machine: &dyn Machine) -> Result<(), Failure> {
    match request.drives.first() {
        Some(name) if request.options.via != Some(Via::Port) && machine.lost(name).is_none() => {
            let found = machine.locate(name).map(drop);
            found.map_err(|error| words::session::failure(error, request))
        }
        _ => Ok(()),
    }
}

/// Whether the backup is read by a protocol that reads only, and the rest is
/// vendor mode's.
fn is_read_by_packets(request: &Request) -> bool {
    let named = request.options.protocol.as_ref();
    request.drives.len() == 1 && named.is_some_and(|name| name.parse() == Ok(Protocol::LiteonRead))
}

/// Reads all of a drive before it goes into vendor mode.
fn read_by_packets(context: Context, machine: &dyn Machine) -> Result<Vec<u8>, Failure> {
    let typed = context.request;
    let mut reading = typed.read();
    // The way is that of the write.
    reading.options.via = None;
    let context = Context {
        request: &reading,
        ..context
    };
    let mut run = context.open(machine)?;
    run.found(Finding::Drive(Box::new(Drive::of(&run.session))));
    let dump = run.in_job(|job| read::read(job, &Selection::Everything));
    run.leave(false);
    let dump = dump.map_err(|error| Failure::job(&error, typed))?;
    let forced = &typed.options.force;
    steadiness::refuse_unstable(dump.disagreements, forced)
        .map_err(|refusal| failure::refused(&refusal, typed))?;
    match dump.gaps.first() {
        None => Ok(dump.bytes),
        Some(gap) => Err(Exit::Refused
            .because(format!(
                "The drive refuses to have {gap} read this way, and a backup would lack it."
            ))
            .next("In vendor mode all of it can be read:")
            .next(typed.read_in_vendor_mode())),
    }
}

impl Run<'_> {
    /// Whether there is note of a change that this drive was left with.
    fn is_noted(&self) -> bool {
        interrupted::is_noted(self.info(), self.capabilities().size, &self.journal())
    }

    /// Finds out what there is to do, makes the backup and shows both. The drive
    /// reads its flash so often for that.
    fn propose(&mut self, change: &Change, passes: u64) -> Result<Arc<Proposal>, Failure> {
        let request = self.request;
        if let Some((path, report)) = change.image {
            self.found(Finding::Image {
                path: path.to_owned(),
                report: Box::new(report.clone()),
            });
        }
        // Where a drive takes whole images, what no switch lets through comes first.
        let is_in_place = matches!(self.capabilities().writing, Writing::InPlace(_));
        if let (Some(drive), true) = (&self.info().identity, is_in_place) {
            change.refuse_other(drive, request)?;
        }
        // Once more to make sure; programming comes on top.
        self.refuse_slow(passes, 1)?;
        let wanted = change::Request {
            content: change.content.clone(),
            file: change.image.map(|(path, _)| path),
            selection: request.selection(),
            keep: request.options.keep.clone(),
            backup: backup::wish(
                request,
                self.info().identity.as_ref(),
                self.among.map(|among| among.name),
            ),
            forced: request.options.force.clone(),
            circumstances: self.circumstances_of(&change.content),
            dry_run: only_looks(request, self.asking),
            skip_if_same: request.options.skip_if_same,
        };
        let proposal = Arc::new(self.job(|job| change::prepare(job, &wanted))?);
        let Capabilities {
            reading,
            time_per_byte,
            ..
        } = self.capabilities();
        let read = self.output.read_so_far(self.name);
        let time = Takes::of(&proposal, &read, *time_per_byte);
        self.found(Finding::Proposed(Proposed {
            given_up: given_up(&proposal, request),
            proposal: Arc::clone(&proposal),
            unreadable: match reading {
                Reading::Impossible(why) => Some(*why),
                Reading::Blocks(_) => None,
            },
            time,
        }));
        Ok(proposal)
    }

    fn show_nothing_to_do(&self, proposal: &Proposal) {
        if proposal.is_said() {
            self.found(Finding::Verdict(Verdict::SaidAlready));
            return self.found(Finding::Next(next::after_skip(self.request)));
        }
        self.found(Finding::Compared(proposal.unchanged()));
        // Of the write that was cut off when it had done all this.
        let backup = proposal.backup.file();
        let request = self.request;
        let says_who_it_is = self.info().identity.is_some();
        let (verdict, next) = match (request.erasing(), backup) {
            (Some(blank), backup) => (
                Verdict::BlankAlready(blank),
                next::after_erase(blank, says_who_it_is, backup, request),
            ),
            (None, Some(file)) => {
                let part = match &proposal.backup {
                    Backup::Earlier(one) | Backup::Before(one) => one.record.ranges.as_slice(),
                    _ => &[],
                };
                let next = next::way_back_to(file, part, request);
                (Verdict::HeldAlready, next)
            }
            (None, None) => (Verdict::HeldAlready, next::after_nothing(request)),
        };
        self.found(Finding::Verdict(verdict));
        self.found(Finding::Next(next));
    }

    /// Asks for YES, where all that would be done has been shown.
    fn agree(&self, change: &Change, proposal: &Proposal) -> Result<(), Failure> {
        let demand = self.demand(change, proposal);
        let answer = match self.asking {
            Asking::User | Asking::Nobody(_) => self.ask(demand),
            Asking::Together(seat) => seat.ask(vec![demand]),
            // What was agreed to was another change.
            Asking::Answered(_, agreed) if *agreed != demand => self.ask(demand),
            Asking::Answered(answer, _) => answer.clone(),
        };
        let is_given = matches!(answer, Answer::Consent(Consent::Given, _));
        self.output
            .tell(Some(self.name), &Event::Answered(is_given));
        let request = self.request;
        let refused = match answer {
            Answer::Consent(Consent::Given, _) => return Ok(()),
            Answer::Consent(Consent::Denied, word) => Failure::denied(&word, request),
            Answer::Consent(Consent::Stopped, _) => Failure::job(&JobError::Stopped, request),
            Answer::Consent(Consent::NobodyToAsk, _) => nobody_to_ask(request),
            Answer::Unshown(error) => Exit::FailedUnchanged
                .because(format!("What would be done could not be shown: {error}."))
                .next("Type the same again where its output can be read:")
                .next(request.same()),
        };
        Err(refused.keeping(proposal.kept_backup()))
    }

    /// What is to be typed before this change.
    fn demand(&self, change: &Change, proposal: &Proposal) -> Demand {
        let drive = self.info().identity.as_ref();
        let (word, names) = match change.is_dangerous(proposal, self.request) {
            true => (
                question::word(drive, change.named()),
                Some(question::both_names(drive, change.named())),
            ),
            false => (Word::Yes, None),
        };
        Demand {
            drive: self.name.clone(),
            word,
            names,
        }
    }

    fn ask(&self, demand: Demand) -> Answer {
        if let Err(error) = self.output.check() {
            return Answer::Unshown(error);
        }
        let Demand { word, names, .. } = demand;
        let mut asked = names.unwrap_or_default();
        let mut drive = words::session::label(&self.session.label);
        if let Some(identity) = &self.info().identity {
            drive.push_str(&format!(", {}", terms::identity(identity)));
        }
        asked.words(&question::asked(self.request, &drive, true));
        let yes = self.request.options.yes;
        if !yes {
            self.output.show_before_question(self.name, self.request);
            self.output.tell(Some(self.name), &Event::Asked);
        }
        Answer::Consent(prompt::ask_for(&word, &asked, yes, self.stop), word)
    }

    fn carry_out(&mut self, proposal: &Proposal, is_dangerous: bool) -> Result<(), Failure> {
        let request = self.request;
        let backup = proposal.backup.file();
        self.output.log.sync();
        let inhibitor = self.machine.inhibit("A drive's firmware is being written");
        let done = self.in_job(|job| proposal.carry_out(job));
        drop(inhibitor);
        // A change takes its time, and files come and go meanwhile.
        let (backup, gone) = match proposal.kept_backup() {
            Some(kept) => (Some(kept), None),
            None => (None, backup),
        };
        let changed = done.map_err(|error| {
            let failure = Failure::change(&error, request, backup);
            let failure = match error.flash() {
                FlashState::Unchanged => return failure,
                _ if is_dangerous => failure.in_danger(&error, backup, request),
                _ => failure,
            };
            match gone {
                Some(gone) => failure.without(gone, request),
                None => failure,
            }
        })?;
        let has_restarted = changed.restart.is_some();
        let mut warnings = proposal.warnings.iter();
        let has_gaps = warnings.any(|warning| matches!(warning, Warning::BackupLacks(_)));
        self.found(Finding::Changed {
            changed: Box::new(changed),
            whole_chip: proposal.erases_everything(),
            to_go_back: match (gone, backup) {
                (Some(gone), _) => ToGoBack::Gone(gone.to_owned()),
                (None, Some(backup)) if has_gaps => ToGoBack::InPart(backup.to_owned()),
                (None, Some(backup)) => ToGoBack::In(backup.to_owned()),
                (None, None) => ToGoBack::Nothing,
            },
        });
        // One with gaps is no way back.
        let backup = backup.filter(|_| !has_gaps);
        let next = match request.erasing() {
            _ if is_dangerous => next::after_danger(backup, request),
            Some(blank) => next::after_erase(blank, has_restarted, backup, request),
            None if has_restarted => match backup {
                Some(backup) => next::way_back(backup, request),
                None => next::after_download(request),
            },
            None => next::after_write(
                brings_revision(proposal, self.info().identity.as_ref()),
                self.session.is_off_kernel(),
                backup,
                request,
            ),
        };
        self.found(Finding::Next(next));
        Ok(())
    }
}

/// What a write that was begun in this drive was to keep, and this one writes over.
fn given_up(proposal: &Proposal, request: &Request) -> Vec<FlashRange> {
    let unfinished = proposal.unfinished.iter();
    let begun = unfinished.filter_map(|notice| match notice {
        Notice::Unfinished { asked, who, .. } if *who <= Who::Place => GoingOn::of(asked),
        _ => None,
    });
    let kept = begun.flat_map(|begun| begun.request.options.keep);
    match request.selection().is_everything() {
        true => without(&joined(kept.collect()), &request.options.keep),
        false => Vec::new(),
    }
}

/// Whether the flash has another revision of the drive now than it had.
fn brings_revision(proposal: &Proposal, drive: Option<&Identity>) -> bool {
    let Work::InPlace { target, plan, .. } = &proposal.work else {
        return false;
    };
    let is_written = |at: Offset| plan.steps.iter().any(|step| step.range().contains(at));
    let found = identity::find(target);
    match (found.first(), drive) {
        (Some(found), Some(drive)) => {
            is_written(found.at()) && found.identity().revision != drive.revision
        }
        _ => false,
    }
}

pub fn nobody_to_ask(request: &Request) -> Failure {
    Exit::Refused
        .because("This would change the flash, and there is no terminal to ask for YES at.")
        .next("To see what would be done:")
        .next(request.with_dry_run())
        .next("In a script, --yes answers in advance.")
}

/// Whether nothing is going to be made or changed, as its user wants it or because
/// nobody has been asked yet.
fn only_looks(request: &Request, asking: Asking) -> bool {
    request.options.dry_run || matches!(asking, Asking::Nobody(_))
}
