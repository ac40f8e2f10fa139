//! Writing and erasing: prepare, show, ask, carry out, report.

use std::path::Path;

use super::run::{Asking, Context, Run};
use super::several::{Answer, Demand};
use crate::cli::args::{Command, Request};
use crate::cli::event::Event;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::next::{self, Blank};
use crate::cli::outcome::{Drive, Finding, Planned, Proposed, Takes, Verdict, WayBack};
use crate::cli::prompt::{self, Consent, Word};
use crate::cli::report::{banks, beside_sums, counted, found_identity, identity, is_all, sums};
use crate::cli::text::Text;
use crate::cli::user;
use crate::cli::words;
use crate::files::{self, Place};
use crate::image::damage::Certainty;
use crate::image::{ImageIdentity, Report};
use crate::job::backup;
use crate::job::change::{Changed, Evidence};
use crate::job::write::{self, BackupWish, Content, Proposal};
use crate::job::{Check, FlashState, JobError, Selection, Warning, read, steadiness};
use crate::protocol::{Capabilities, Protocol};
use crate::scsi::Identity;
use crate::session::Machine;

/// A change of a flash, before the drive is known.
pub struct Change<'a> {
    pub content: Content<'a>,
    /// The image, as it is shown beside the drive.
    pub image: Option<(&'a Path, &'a Report)>,
    /// The question's verb and object: `Erase the flash of`.
    pub deed: String,
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
        write::refuse_misfit(&self.content, drive, &request.options.force)
            .map_err(|refusal| Failure::job(&refusal.into(), request))
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
    check_backup(context.request, only_looks(context.request, context.asking))?;
    if asks && !options.yes && !prompt::somebody_is_there() {
        let machine = user::machine(context.request)?;
        change.refuse_by_name(context.request, machine.as_ref())?;
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
    let context = Context {
        machine: Some(machine),
        ..context
    };
    let before = match is_read_by_packets(context.request) {
        true => Some(read_by_packets(context, machine)?),
        false => None,
    };
    let context = Context {
        read_before: before.as_deref(),
        ..context
    };
    context.with_drive(|run| {
        // Twice for the backup, once to make sure; programming comes on top.
        let passes = if before.is_some() { 1 } else { 3 };
        let proposal = run.propose(&change, passes)?;
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
            return Ok(());
        }
        run.agree(&change, &proposal)?;
        run.carry_out(&proposal, change.is_dangerous(&proposal, run.request))
    })
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
        .map_err(|refusal| Failure::job(&refusal.into(), typed))?;
    match dump.gaps.first() {
        None => Ok(dump.bytes),
        Some(gap) => Err(Failure::new(
            Exit::Refused,
            format!("The drive refuses to have {gap} read this way, and a backup would lack it."),
        )
        .next("In vendor mode all of it can be read:")
        .next(typed.read_in_vendor_mode())),
    }
}

impl Run<'_> {
    /// Finds out what there is to do, makes the backup and shows both. The drive
    /// reads its flash so often for all that.
    fn propose(&mut self, change: &Change, passes: u64) -> Result<Proposal, Failure> {
        let request = self.request;
        if let Some((path, report)) = change.image {
            self.found(Finding::Image {
                path: path.to_owned(),
                report: Box::new(report.clone()),
            });
        }
        self.refuse_slow(passes)?;
        let wanted = write::Request {
            content: change.content.clone(),
            selection: request.selection(),
            keep: request.options.keep.clone(),
            backup: backup_wish(
                request,
                self.info().identity.as_ref(),
                self.among.map(|among| among.name),
            ),
            forced: request.options.force.clone(),
            circumstances: self.circumstances(),
            dry_run: only_looks(request, self.asking),
            skip_if_same: request.options.skip_if_same,
        };
        let proposal = self
            .in_job(|job| write::prepare(job, &wanted))
            .map_err(|error| Failure::job(&error, request))?;
        let Capabilities {
            reading,
            time_per_byte,
            ..
        } = self.capabilities();
        let read = self.output.read_so_far(self.name);
        let takes = Takes::of(&proposal, &read, *time_per_byte);
        let proposed = Proposed::of(&proposal, reading, takes);
        self.found(Finding::Proposed(Box::new(proposed)));
        Ok(proposal)
    }

    fn show_nothing_to_do(&self, proposal: &Proposal) {
        if proposal.is_said() {
            return self.found(Finding::Verdict(Verdict::SaidAlready));
        }
        self.found(Finding::Compared(proposal.unchanged()));
        let Some(blank) = self.request.erasing() else {
            return self.found(Finding::Verdict(Verdict::HeldAlready));
        };
        self.found(Finding::Verdict(Verdict::BlankAlready(blank)));
        self.found(Finding::Next(next::after_erase(blank, None, self.request)));
    }

    /// Asks for YES, where all that would be done has been shown.
    fn agree(&self, change: &Change, proposal: &Proposal) -> Result<(), Failure> {
        let demand = self.demand(change, proposal);
        let answer = match self.asking {
            Asking::User | Asking::Nobody(_) => self.ask(demand, change),
            Asking::Together(seat) => seat.ask(&[demand]),
            // What was agreed to was another change.
            Asking::Answered(_, agreed) if *agreed != demand => self.ask(demand, change),
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
            Answer::Unshown(error) => Failure::new(
                Exit::FailedUnchanged,
                format!("What would be done could not be shown: {error}."),
            )
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
                model(drive, change.named()),
                Some(both_names(drive, change.named())),
            ),
            false => (Word::Yes, None),
        };
        Demand {
            drive: self.name.clone(),
            word,
            names,
        }
    }

    fn ask(&self, demand: Demand, change: &Change) -> Answer {
        if let Err(error) = self.output.check() {
            return Answer::Unshown(error);
        }
        let Demand { word, names, .. } = demand;
        let mut asked = names.unwrap_or_default();
        asked.words(&question(
            &change.deed,
            &words::session::label(&self.session.label),
            self.info().identity.as_ref(),
            self.request.erasing(),
        ));
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
        self.output.log().sync();
        let inhibitor = self.machine.inhibit("A drive's firmware is being written");
        let done = self.in_job(|job| proposal.carry_out(job));
        drop(inhibitor);
        let changed = done.map_err(|error| match error.flash() {
            FlashState::Unchanged => Failure::change(&error, request, proposal.kept_backup()),
            _ if is_dangerous => {
                Failure::change(&error, request, backup).in_danger(backup, request)
            }
            _ => Failure::change(&error, request, backup),
        })?;
        let has_restarted = changed.restart.is_some();
        let mut warnings = proposal.warnings.iter();
        let backup_has_gaps = warnings.any(|warning| matches!(warning, Warning::BackupLacks(_)));
        self.found(Finding::Changed {
            changed: Box::new(changed),
            whole_chip: proposal.erases_everything(),
            backup: backup.map(Path::to_owned),
            backup_has_gaps,
        });
        // One with gaps is no way back.
        let backup = backup.filter(|_| !backup_has_gaps);
        let next = match request.erasing() {
            _ if is_dangerous => next::after_danger(backup, request),
            _ if has_restarted => match backup {
                Some(backup) => next::way_back(backup, request),
                None => return Ok(()),
            },
            Some(blank) => next::after_erase(blank, backup, request),
            None => next::after_write(self.session.is_off_kernel(), backup, request),
        };
        self.found(Finding::Next(next));
        Ok(())
    }
}

pub fn nobody_to_ask(request: &Request) -> Failure {
    Failure::new(
        Exit::Refused,
        "This would change the flash, and there is no terminal to ask for YES at.",
    )
    .next("To see what would be done:")
    .next(request.with_dry_run())
    .next("In a script, --yes answers in advance.")
}

/// Whether nothing is going to be made or changed, as its user wants it or because
/// nobody has been asked yet.
fn only_looks(request: &Request, asking: Asking) -> bool {
    request.options.dry_run || matches!(asking, Asking::Nobody(_))
}

/// The file that is named, or one in the folder that is, or one in this folder.
fn backup_wish(request: &Request, identity: Option<&Identity>, among: Option<&str>) -> BackupWish {
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
fn check_backup(request: &Request, only_looks: bool) -> Result<(), Failure> {
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
            files::folder_must_take_files(&folder.join(standing_in))
        }
        Some(backup) if only_looks => Place::of(backup).map(drop),
        Some(backup) => {
            files::must_be_makeable(&[backup.clone(), backup::record_path(backup)], true)
        }
    };
    checked.map_err(|error| Failure::file(&error, named, request))
}

/// What the drive and the image say they are, where one may not be for the other.
fn both_names(drive: Option<&Identity>, named: &[ImageIdentity]) -> Text {
    let mut names = Text::default();
    names.row(
        "Drive",
        &drive.map_or_else(|| "does not say what it is".to_owned(), identity),
    );
    match named {
        [] => names.row("Image", "names no drive"),
        named => names.rows("Image", named.iter().map(found_identity)),
    };
    names.words("An image that is damaged, or for other hardware, leaves the drive dead.");
    names.finish()
}

/// What is typed for a change that can leave the drive dead.
fn model(drive: Option<&Identity>, named: &[ImageIdentity]) -> Word {
    let of_image = named.first().map(ImageIdentity::identity);
    match drive.or(of_image).map(|who| who.product.trim()) {
        Some(product) if !product.is_empty() => Word::Model(product.to_owned()),
        _ => Word::Yes,
    }
}

/// What is asked before the first change.
fn question(deed: &str, name: &str, identity: Option<&Identity>, erasing: Option<Blank>) -> String {
    let who = identity.map_or_else(String::new, |identity| {
        format!(", {}", self::identity(identity))
    });
    let afterwards = match erasing {
        Some(Blank::All) => "The drive has no firmware afterwards. ",
        Some(Blank::Part) => "The drive's firmware is not whole afterwards. ",
        None => "",
    };
    format!("{deed} {name}{who}? {afterwards}Do not switch anything off until this is done.")
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

/// What a write or an erase would do.
pub fn proposed(proposed: &Proposed) -> Text {
    let mut table = Text::default();
    if let WayBack::Earlier { .. } = &proposed.backup {
        let what = match proposed.erases_only {
            false => "write",
            true => "erase",
        };
        let text = format!("This goes on with the {what} that was interrupted.");
        table.row("Resumed", &text);
    }
    if let Some(fit) = &proposed.fit {
        table.row("Fit", &words::fit::matched(fit));
        if let Some(check) = fit.forced {
            table.row("", &format!("Overridden by --force={}.", check.name()));
        }
    }
    for warning in &proposed.warnings {
        table.row("Warning", warning);
    }
    if let Some(resemblance) = &proposed.resemblance {
        table.row("Warning", &words::damage::resemblance(resemblance));
    }
    for range in &proposed.kept {
        table.row("Keep", &format!("{range} stays as it is"));
    }
    for note in &proposed.notes {
        table.row("Note", note);
    }
    if let Some(why) = &proposed.unreadable {
        table.row("Note", &words::device::only_by_its_coming_back(why));
    }
    table.row("Backup", &backup(&proposed.backup));
    table.row("Plan", &plan(proposed));
    if let Some(takes) = &proposed.time {
        table.row("Time", &time(takes));
    }
    table.finish()
}

fn time(takes: &Takes) -> String {
    const BY_ITSELF: &str = "as long as the drive takes to program by itself";
    let Takes {
        spent,
        to_come,
        drive_programs,
    } = *takes;
    let all = to_come.map(|to_come| {
        let all = words::objection::time(spent.saturating_add(to_come));
        let to_come = words::objection::time(to_come);
        match spent.as_secs() {
            0 => format!("about {all}"),
            // In minutes that are rounded up.
            _ if all == to_come => format!("about {all}, nearly all of it to come"),
            _ => format!("about {all} in all, {to_come} of it to come"),
        }
    });
    match (all, drive_programs) {
        (Some(all), true) => format!("{all}, and {BY_ITSELF}"),
        (Some(all), false) => all,
        (None, true) => BY_ITSELF.to_owned(),
        (None, false) => "not known: nothing was measured".to_owned(),
    }
}

fn backup(backup: &WayBack) -> String {
    match backup {
        WayBack::Made { path, crc32 } => format!(
            "{} (CRC-32 {crc32}), read twice and on the disk",
            path.display()
        ),
        WayBack::Earlier { path, crc32, date } => format!(
            "{} (CRC-32 {crc32}) of {date}, made before this write was begun, is intact",
            path.display(),
        ),
        WayBack::Before { path, crc32, date } => format!(
            "{} (CRC-32 {crc32}) of {date}, which holds what was in the flash before, is intact",
            path.display(),
        ),
        WayBack::Mixture { path, crc32 } => format!(
            "{} (CRC-32 {crc32}), read twice and on the disk: it may be half-written, and no way \
             back",
            path.display()
        ),
        WayBack::Planned(path) => format!("would go to {}", path.display()),
        WayBack::Impossible => {
            "none: no firmware runs in this drive, and its boot code gives nothing of the flash"
                .to_owned()
        }
        WayBack::None => "none, as you asked: there is no way back".to_owned(),
        WayBack::NotNeeded => "not needed".to_owned(),
    }
}

fn plan(proposed: &Proposed) -> String {
    let (sectors, bytes_to_erase, whole_chip, bytes_to_program, in_banks) = match &proposed.plan {
        Planned::Nothing => return "nothing: the flash already holds this".to_owned(),
        Planned::NothingAsSaid => {
            return "nothing: the drive says that it has this revision already".to_owned();
        }
        Planned::Download { bytes } => {
            let what = match proposed.erases_only {
                false => "all",
                true => "nothing but FF,",
            };
            return format!(
                "send {what} {} KiB; the drive erases and programs by itself",
                bytes / 1024
            );
        }
        Planned::InPlace {
            sectors,
            bytes_to_erase,
            whole_chip,
            bytes_to_program,
            banks,
        } => (
            *sectors,
            *bytes_to_erase,
            *whole_chip,
            *bytes_to_program,
            banks,
        ),
    };
    let erase = match (sectors, whole_chip) {
        (0, _) => "erase nothing".to_owned(),
        (1, true) => "erase the whole chip".to_owned(),
        (sectors, _) => format!("erase {}", counted(sectors as u64, "sector")),
    };
    let erase = match bytes_to_erase {
        0 => erase,
        bytes if bytes % 1024 == 0 => format!("{erase} ({} KiB)", bytes / 1024),
        bytes => format!("{erase} ({bytes} bytes)"),
    };
    let program = match bytes_to_program {
        0 => "program nothing".to_owned(),
        bytes => format!("program {}", counted(bytes.into(), "byte")),
    };
    format!("{erase}, {program}, in {}", banks(in_banks))
}

/// The end of a write or erase.
pub fn changed(
    changed: &Changed,
    whole_chip: bool,
    backup: Option<&Path>,
    backup_has_gaps: bool,
    request: &Request,
) -> Text {
    let mut text = Text::default();
    let mut table = Text::default();
    if let Some(restart) = &changed.restart {
        let before = match &restart.before {
            Some(before) => identity(before),
            None => "no answer".to_owned(),
        };
        table.row(
            "Drive",
            &format!("{before} before, {} now", identity(&restart.after)),
        );
        if let Some(now) = &restart.firmware {
            let before = restart.firmware_before.as_deref();
            table.row("Runs", &words::blu_ray::runs(before, now));
        }
    }
    let done = match changed.restart {
        None => format!(
            "{} erased, {} programmed",
            match changed.erased {
                1 if whole_chip => "the whole chip".to_owned(),
                erased => counted(erased as u64, "sector"),
            },
            counted(changed.programmed, "byte")
        ),
        Some(_) => format!("{} bytes sent, the drive is back", changed.programmed),
    };
    match &changed.evidence {
        Evidence::ReadBack(compared) => {
            // Of a whole image the sums of its banks stand above.
            let is_told = is_all(compared) && is_whole_image(request);
            text.append(match is_told {
                true => beside_sums(compared),
                false => sums(compared),
            });
            let what = match is_all(compared) {
                true => "read back and compared",
                false => "read back and compared as far as said above",
            };
            table.row("Done", &format!("{done}, {what}: no difference"));
        }
        Evidence::Accepted(why) => {
            let why = words::device::not_read_back(why);
            let text = format!(
                "{done}. The drive accepted the firmware and says who it is; what is in the flash \
                 was not read back. {why}"
            );
            table.row("Done", &text);
        }
    }
    if let Some(backup) = backup {
        let what = match backup_has_gaps {
            false => "what was in the flash before",
            true => {
                "as much of what was in the flash before as the drive lets be read: it is no \
                 complete way back"
            }
        };
        table.row("Backup", &format!("{} holds {what}", backup.display()));
    }
    text.append(table);
    if let Evidence::ReadBack(compared) = &changed.evidence {
        text.success(&worked(is_all(compared), request));
    }
    text
}

/// Whether all of an image was to be written.
fn is_whole_image(request: &Request) -> bool {
    let options = &request.options;
    let is_part = options.banks.is_some() || options.range.is_some() || !options.keep.is_empty();
    request.erasing().is_none() && !is_part
}

/// That it worked, in plain words.
fn worked(is_all: bool, request: &Request) -> String {
    let what = match request.erasing() {
        Some(Blank::All) => "the flash is blank",
        Some(Blank::Part) => "that part of the flash is blank",
        None if is_whole_image(request) => "the flash holds this image now",
        None => "that part of the flash holds the image now",
    };
    match is_all {
        true => format!("It worked: {what}. All of it was read back, and no byte is wrong."),
        false => format!(
            "It worked: {what}, as far as it could be read back; what could not is said above."
        ),
    }
}

#[cfg(test)]
mod tests;
