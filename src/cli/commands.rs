//! The commands, each from request to result.

mod images;

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::advice::Advice;
use super::args::{Command, Request};
use super::exit::Exit;
use super::failure::{Failure, GET_IT_AGAIN, sentence};
use super::help;
use super::list;
use super::next::{self, Blank};
use super::output::Output;
use super::progress::Progress;
use super::prompt::{self, Consent};
use super::report;
use super::signals;
use super::text::Text;
use super::user::{self, AtTerminal};
use super::words;
use crate::drive::Position;
use crate::files::{self, FileError, Place};
use crate::flash::{Bank, FlashRange};
use crate::image::{Arrangement, Encoding, Format, Report, soundness};
use crate::job::backup::{self, Circumstances, Record};
use crate::job::journal::Journal;
use crate::job::read::Dump;
use crate::job::steadiness::is_unstable;
use crate::job::write::{self, BackupWish, Content};
use crate::job::{Check, Job, JobError, Selection, StopFlag, estimate, read, verify};
use crate::protocol::{DeviceInfo, Reading};
use crate::scsi::Identity;
use crate::session::{self, DriveName, Machine, Session};

/// Everything that a command works with.
struct Run<'a> {
    request: &'a Request,
    output: &'a mut Output,
    progress: Progress,
    stop: StopFlag,
}

/// Carries out a request.
///
/// # Errors
/// A [`Failure`] says everything that its user needs to know.
pub fn run(request: &Request, output: &mut Output) -> Result<(), Failure> {
    let stop = StopFlag::default();
    signals::note_into(&stop)
        .map_err(|error| Failure::new(Exit::Internal, sentence(&format!("{error:#}"))))?;
    let mut run = Run {
        request,
        output,
        progress: Progress::default(),
        stop,
    };
    match &request.command {
        Command::Help => run.output.text(help::text()),
        Command::Version => run.output.text(help::version()),
        Command::Inspect { file } => run.inspect(file)?,
        Command::List => list::list(request, run.output)?,
        Command::Check => run.check()?,
        Command::Read { file } => run.read(file)?,
        Command::Verify { file } => run.verify(file)?,
        Command::Write { file } => run.write(file)?,
        Command::Erase => run.erase()?,
    }
    Ok(())
}

impl Run<'_> {
    fn inspect(&mut self, file: &Path) -> Result<(), Failure> {
        let image = self.load(file)?;
        let report = Report::of(&image);
        self.output.text(report::image(file, &report));
        match report.problems.first() {
            Some(problem) => Err(Failure {
                flash: String::new(),
                next: Advice::default().then(GET_IT_AGAIN),
                ..self.bad_image(file, problem)
            }),
            None => Ok(()),
        }
    }

    fn check(&mut self) -> Result<(), Failure> {
        if self.request.drives.is_empty() {
            return list::check_all(self.request, self.output, &self.stop);
        }
        self.with_drive(|run, opened, machine| {
            let journal = journal_of(machine);
            run.output
                .text(report::unfinished(opened.device.as_ref(), None, &journal));
            let next = next::after_check(opened.device.capabilities(), run.request);
            run.output.text(next.text());
            Ok(())
        })
    }

    fn read(&mut self, file: &Path) -> Result<(), Failure> {
        let format = Format {
            encoding: if self.request.binary {
                Encoding::Binary
            } else {
                Encoding::Hex
            },
            arrangement: if self.request.merged {
                Arrangement::Merged
            } else {
                Arrangement::PerBank
            },
        };
        self.check_place(file, format)?;
        let selection = self.selection();
        let (dump, info) = self.with_drive(|run, opened, machine| {
            run.refuse_unreadable(opened)?;
            run.check_names_and_room(opened, file, format)?;
            let device = opened.device.as_ref();
            let journal = journal_of(machine);
            run.output
                .text(report::unfinished(device, Some(file), &journal));
            run.refuse_slow(opened, 2)?;
            let dump = run
                .in_job(opened, |job| read::read(job, &selection))
                .map_err(|error| Failure::job(&error, run.request))?;
            Ok((dump, opened.device.info().clone()))
        })?;
        self.save(file, format, &dump, &info)
    }

    fn save(
        &mut self,
        file: &Path,
        format: Format,
        dump: &Dump,
        info: &DeviceInfo,
    ) -> Result<(), Failure> {
        let forced = &self.request.options.force;
        write::refuse_blank(dump, forced)
            .map_err(|refusal| Failure::job(&refusal.into(), self.request))?;
        let record = Record::of(dump, info, &circumstances());
        let overwrite = forced.contains(&Check::Overwrite);
        backup::save(dump, &record, file, format, overwrite)
            .map_err(|error| Failure::file(&error, file, self.request))?;
        let files = backup::paths(file, format, &dump.ranges);
        self.output.text(report::dump(&files, dump, &record));
        Ok(())
    }

    fn verify(&mut self, file: &Path) -> Result<(), Failure> {
        let image = self.load(file)?;
        self.refuse_part(file, &image)?;
        self.refuse_unsound(file, &image)?;
        self.output.text(report::holes(image.holes()));
        let selection = self.selection();
        let compared = self.with_drive(|run, opened, _| {
            run.refuse_unreadable(opened)?;
            run.refuse_slow(opened, 1)?;
            run.in_job(opened, |job| verify::verify(job, &image, &selection))
                .map_err(|error| Failure::job(&error, run.request))
        })?;
        self.output.text(report::sums(&compared));
        let missing: u64 = compared.gaps.iter().map(|gap| u64::from(gap.len())).sum();
        match &compared.difference {
            None if missing > 0 && !self.request.options.force.contains(&Check::Gaps) => {
                Err(Failure::new(
                    Exit::Different,
                    format!(
                        "The drive refuses to have {} KiB read: what it gives is equal, but not \
                         all of it could be compared.",
                        missing.div_ceil(1024)
                    ),
                )
                .next("If that is enough:")
                .next(self.request.forcing(Check::Gaps)))
            }
            None => {
                self.output.text(if report::is_all(&compared) {
                    "Equal: the flash holds this image.\n"
                } else {
                    "Equal as far as it was compared: the flash holds this image but for what is \
                     said above.\n"
                });
                Ok(())
            }
            Some(difference) => {
                let failure = Failure::new(
                    Exit::Different,
                    format!(
                        "The flash differs from the file: {}.",
                        report::difference(difference)
                    ),
                );
                Err(match is_unstable(compared.disagreements) {
                    true => failure
                        .next("Check cable and power of the drive, then type the same again:")
                        .next(self.request.same()),
                    false => failure
                        .next("To write the file into the drive, after a backup:")
                        .next(self.request.write(file)),
                })
            }
        }
    }

    fn write(&mut self, file: &Path) -> Result<(), Failure> {
        let image = self.load(file)?;
        self.refuse_part(file, &image)?;
        self.refuse_unsound(file, &image)?;
        let mut report = Report::of(&image);
        if self.is_part(&image) {
            report.problems.clear();
            report.doubts = soundness::lost_lines(&image);
        }
        write::refuse_doubtful(&report.doubts, &self.request.options.force)
            .map_err(|refusal| Failure::job(&refusal.into(), self.request))?;
        let content = Content::Image {
            image: &image,
            record: Record::beside(file).map(Box::new),
        };
        let shown = report::image(file, &report);
        self.change(content, &shown, &format!("Write {} into", file.display()))
    }

    fn erase(&mut self) -> Result<(), Failure> {
        self.change(Content::Blank, &Text::default(), "Erase the flash of")
    }

    /// Writing and erasing: prepare, show, ask, carry out, report.
    fn change(&mut self, content: Content<'_>, shown: &Text, deed: &str) -> Result<(), Failure> {
        let options = &self.request.options;
        if !options.yes && !options.dry_run && !prompt::somebody_is_there() {
            return Err(self.nobody_to_ask());
        }
        self.check_backup()?;
        self.with_drive(|run, opened, machine| {
            run.change_opened(opened, machine, content, shown, deed)
        })
    }

    fn change_opened(
        &mut self,
        opened: &mut Session,
        machine: &dyn Machine,
        content: Content<'_>,
        shown: &Text,
        deed: &str,
    ) -> Result<(), Failure> {
        self.output.text(shown);
        // Twice for the backup, once to make sure; programming comes on top.
        self.refuse_slow(opened, 3)?;
        let request = write::Request {
            content,
            selection: self.selection(),
            keep: self.request.options.keep.clone(),
            backup: self.backup_wish(opened),
            forced: self.request.options.force.clone(),
            circumstances: Circumstances {
                journal: journal_of(machine),
                ..circumstances()
            },
            dry_run: self.request.options.dry_run,
        };
        let proposal = self
            .in_job(opened, |job| write::prepare(job, &request))
            .map_err(|error| Failure::job(&error, self.request))?;
        self.output.text(report::proposal(&proposal));
        if proposal.is_empty() {
            self.output.text(report::sums(&proposal.unchanged()));
            match self.erasing() {
                Some(blank) => {
                    self.output.text(match blank {
                        Blank::All => "Nothing to do: the flash is blank already.\n",
                        Blank::Part => "Nothing to do: that part of the flash is blank already.\n",
                    });
                    self.output
                        .text(next::after_erase(blank, None, self.request).text());
                }
                None => self
                    .output
                    .text("Nothing to do: the flash already holds this. Nothing was written.\n"),
            }
            return Ok(());
        }
        if self.request.options.dry_run {
            self.output.text("Dry run: nothing was changed.\n");
            return Ok(());
        }
        let backup = proposal.backup.file();
        self.output.check().map_err(|error| {
            Failure::new(
                Exit::FailedUnchanged,
                format!("What would be done could not be shown: {error}."),
            )
            .next("Type the same again where its output can be read:")
            .next(self.request.same())
            .keeping(backup)
        })?;
        self.consent(opened, deed)
            .map_err(|failure| failure.keeping(backup))?;
        let inhibitor = machine.inhibit("A drive's firmware is being written");
        let done = self.in_job(opened, |job| proposal.carry_out(job));
        drop(inhibitor);
        let changed = done.map_err(|error| Failure::change(&error, self.request, backup))?;
        self.output.text(report::changed(&changed, &proposal));
        match self.erasing() {
            _ if changed.restart.is_some() => {}
            Some(blank) => self
                .output
                .text(next::after_erase(blank, backup, self.request).text()),
            None => {
                self.output
                    .text(next::after_write(opened.is_off_kernel(), self.request).text());
            }
        }
        Ok(())
    }

    fn consent(&mut self, opened: &Session, deed: &str) -> Result<(), Failure> {
        let identity = opened.device.info().identity.as_ref();
        let question = question(
            deed,
            &words::session::label(&opened.label),
            identity,
            self.erasing(),
        );
        match prompt::ask(&question.into(), self.request.options.yes, &self.stop) {
            Consent::Given => Ok(()),
            Consent::Denied => Err(Failure::denied(self.request)),
            Consent::Stopped => Err(Failure::job(&JobError::Stopped, self.request)),
            Consent::NobodyToAsk => Err(self.nobody_to_ask()),
        }
    }

    fn nobody_to_ask(&self) -> Failure {
        Failure::new(
            Exit::Refused,
            "This would change the flash, and there is no terminal to ask for YES at.",
        )
        .next("To see what would be done:")
        .next(self.request.with_dry_run())
        .next("In a script, --yes answers in advance.")
    }

    fn in_job<T, E>(
        &mut self,
        opened: &mut Session,
        work: impl FnOnce(&mut Job) -> Result<T, E>,
    ) -> Result<T, E> {
        let progress = &mut self.progress;
        let mut sink = |event| progress.show(event);
        let mut job = Job::new(opened.device.as_mut(), &mut sink, &self.stop);
        let result = work(&mut job);
        self.progress.clear();
        result
    }

    /// Opens the drive, shows it, does the job and gives the drive back, also
    /// where the job fails.
    fn with_drive<T>(
        &mut self,
        job: impl FnOnce(&mut Self, &mut Session, &dyn Machine) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let drive = match self.request.drives.as_slice() {
            [drive] => drive,
            [] => {
                return Err(Failure::new(
                    Exit::Usage,
                    "No drive is named: the tool never picks one.",
                )
                .next("To see which drives there are:")
                .next(self.request.list()));
            }
            _ => {
                return Err(Failure::new(
                    Exit::Usage,
                    "Several drives at once are not possible yet: name one.",
                ));
            }
        };
        let machine = user::machine(self.request)?;
        let mut opened = self.open(machine.as_ref(), drive)?;
        let device = &opened.device;
        self.output.text(report::device(
            &words::session::label(&opened.label),
            device.info(),
            device.capabilities(),
        ));
        let result = match self.stop.is_requested() {
            true => Err(Failure::job(&JobError::Stopped, self.request)),
            false => job(self, &mut opened, machine.as_ref()),
        };
        let is_advised = match &result {
            Ok(_) => self.erasing().is_some(),
            Err(failure) => [Exit::FailedPartly, Exit::Different].contains(&failure.exit),
        };
        self.leave(opened, is_advised);
        result
    }

    /// Brings a drive to where its firmware can be reached.
    fn open(&mut self, machine: &dyn Machine, drive: &DriveName) -> Result<Session, Failure> {
        let wish = user::wish(self.request)?;
        let mut user = AtTerminal {
            progress: &mut self.progress,
            yes: self.request.options.yes,
            stop: &self.stop,
            request: self.request,
        };
        session::open(machine, drive, &wish, &mut user)
            .map_err(|error| words::session::failure(error, self.request))
    }

    /// Gives a drive back; its user may be advised on it already.
    fn leave(&mut self, session: Session, is_advised: bool) {
        for problem in session.leave() {
            let problem = words::session::not_left(&problem, is_advised, self.request);
            self.progress.line(problem);
        }
    }

    /// A drive of which no way to read it is documented. A chip that is in no
    /// table can be read by whoever knows how big it is.
    fn refuse_unreadable(&self, opened: &Session) -> Result<(), Failure> {
        match &opened.device.capabilities().reading {
            Reading::Impossible(reason) if opened.device.capabilities().size == 0 => {
                Err(Failure::new(Exit::Refused, reason.as_str())
                    .next("If you know its size, from its marking or a data sheet, name it:")
                    .next(self.request.with_a_size()))
            }
            Reading::Impossible(reason) => Err(Failure::new(Exit::Refused, reason.as_str())
                .next(next::WRITE_ONLY)
                .next(self.request.write_unread())),
            Reading::Blocks(_) => Ok(()),
        }
    }

    /// Says how long a job will take that reads its part of the flash so often,
    /// and refuses one that would take hours.
    fn refuse_slow(&mut self, opened: &Session, passes: u64) -> Result<(), Failure> {
        let capabilities = opened.device.capabilities();
        let selected: u64 = self
            .selection()
            .ranges(capabilities.size)
            .unwrap_or_default()
            .iter()
            .map(|range| u64::from(range.len()))
            .sum();
        let bytes = passes * selected;
        estimate::refuse_slow(capabilities, bytes, &self.request.options.force).map_err(
            |refusal| {
                Failure::slow(
                    &refusal,
                    opened.at_ports.map(Position::number),
                    self.request,
                )
            },
        )?;
        if let Some(time) = estimate::reading_time(capabilities, bytes) {
            if time > Duration::from_secs(5) {
                self.progress.line(format!(
                    "Reading takes about {} this way.",
                    estimate::in_words(time)
                ));
            }
        }
        Ok(())
    }

    /// What an erase leaves blank; `None` for every other command.
    fn erasing(&self) -> Option<Blank> {
        let is_all = self.selection().is_everything() && self.request.options.keep.is_empty();
        match (&self.request.command, is_all) {
            (Command::Erase, true) => Some(Blank::All),
            (Command::Erase, false) => Some(Blank::Part),
            _ => None,
        }
    }

    fn selection(&self) -> Selection {
        let options = &self.request.options;
        match (&options.banks, options.range) {
            (Some(banks), _) => Selection::Banks(banks.clone()),
            (None, Some(range)) => Selection::Range(range),
            (None, None) => Selection::Everything,
        }
    }

    fn first_bank(&self) -> Bank {
        let options = &self.request.options;
        options
            .banks
            .as_ref()
            .and_then(|banks| banks.first().copied())
            .unwrap_or_default()
    }

    fn backup_wish(&self, opened: &Session) -> BackupWish {
        let options = &self.request.options;
        if options.no_backup {
            return BackupWish::None;
        }
        let path = options.backup.clone().unwrap_or_else(|| {
            let name = match &opened.device.info().identity {
                Some(identity) => [
                    Some(identity.product.as_str()),
                    Some(identity.revision.as_str()),
                    identity.serial.as_deref(),
                ]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join("-"),
                None => "unknown-drive".to_owned(),
            };
            let now = jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S").to_string();
            let name = format!("backup-{}-{now}", as_file_name(&name));
            // Two drives in one second, or one twice.
            (1..)
                .map(|number| match number {
                    1 => PathBuf::from(format!("{name}.bin")),
                    _ => PathBuf::from(format!("{name}-{number}.bin")),
                })
                .find(|path| !path.exists())
                .unwrap_or_default()
        });
        BackupWish::File(path)
    }

    /// Before the drive is touched: what a read would make, as far as that is
    /// known without the drive.
    fn check_place(&self, file: &Path, format: Format) -> Result<(), Failure> {
        let first = [self.first_bank().range()];
        Place::of(file)
            .and_then(|_| self.check_names(file, format, &first))
            .map_err(|error| Failure::file(&error, file, self.request))
    }

    /// A full disk and a name that cannot be had are better found out before half
    /// an hour of reading.
    fn check_names_and_room(
        &self,
        opened: &Session,
        file: &Path,
        format: Format,
    ) -> Result<(), Failure> {
        let size = opened.device.capabilities().size;
        let ranges = self.selection().ranges(size).unwrap_or_default();
        self.check_names(file, format, &ranges)
            .and_then(|()| backup::must_have_room(file, format, &ranges))
            .map_err(|error| Failure::file(&error, file, self.request))
    }

    fn check_names(
        &self,
        file: &Path,
        format: Format,
        ranges: &[FlashRange],
    ) -> Result<(), FileError> {
        let overwrite = self.request.options.force.contains(&Check::Overwrite);
        backup::must_not_be_unfinished(file)?;
        files::must_be_makeable(&backup::paths(file, format, ranges), overwrite)
    }

    /// Before the drive is touched: where the backup of a change is to go.
    /// Whether it is there already, and of which flash, is seen later.
    fn check_backup(&self) -> Result<(), Failure> {
        let options = &self.request.options;
        let standing_in = Path::new("backup.bin");
        let named = options.backup.as_deref().unwrap_or(standing_in);
        let checked = match &options.backup {
            _ if options.no_backup => Ok(()),
            None if options.dry_run => Ok(()),
            None => files::folder_must_take_files(standing_in),
            Some(backup) if options.dry_run => Place::of(backup).map(drop),
            Some(backup) => {
                files::must_be_makeable(&[backup.clone(), backup::record_path(backup)], true)
            }
        };
        checked.map_err(|error| Failure::file(&error, named, self.request))
    }
}

/// What is asked before the first change.
fn question(deed: &str, name: &str, identity: Option<&Identity>, erasing: Option<Blank>) -> String {
    let who = identity.map_or_else(String::new, |identity| {
        format!(", {}", report::identity(identity))
    });
    let afterwards = match erasing {
        Some(Blank::All) => "The drive has no firmware afterwards. ",
        Some(Blank::Part) => "The drive's firmware is not whole afterwards. ",
        None => "",
    };
    format!("{deed} {name}{who}? {afterwards}Do not switch anything off until this is done.")
}

fn circumstances() -> Circumstances {
    Circumstances {
        date: jiff::Timestamp::now()
            .strftime("%Y-%m-%d %H:%M:%S UTC")
            .to_string(),
        tool: format!("mtkflash {}", env!("CARGO_PKG_VERSION")),
        journal: Journal::default(),
    }
}

/// Where this machine keeps note of unfinished changes.
pub(super) fn journal_of(machine: &dyn Machine) -> Journal {
    let folders = machine.folders();
    Journal {
        folder: Some(folders.journal),
        others: folders.other_journals,
    }
}

/// Letters, digits, dots and dashes only.
fn as_file_name(text: &str) -> String {
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

#[cfg(test)]
mod tests;
