//! Several drives in one run: all are looked at, one question is asked for all,
//! and then they are at work side by side.
//!
//! Each drive is a run of its own with a request of its own, on a thread of its
//! own; what it says is kept and shown whole. Drives that share an IDE channel
//! take turns, since a command to one can reset the other: none of them is held
//! while another is at work. A drive that fails stops no other.

mod before;
pub mod meeting;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{OnceLock, mpsc};
use std::thread;

use indicatif::MultiProgress;

use meeting::{Among, Answer, Demand, Seat};

use super::change::question;
use super::in_use::refuse_unasked;
use super::run::{Asking, Context};
use crate::cli::args::{Command, DriveName, Request};
use crate::cli::event::Event;
use crate::cli::exit::Exit;
use crate::cli::failure::{Failure, Flash};
use crate::cli::next;
use crate::cli::outcome::{Finding, Verdict};
use crate::cli::prompt::{self, Consent, Word};
use crate::cli::text::Text;
use crate::drive::{PortName, Position};
use crate::files;
use crate::session::Machine;
use crate::transport::Unit;
use before::{names, refuse_folder, refuse_other_models, refuse_the_same};

/// How one drive is done.
pub type OneDrive = fn(Context) -> Result<(), Failure>;

/// A drive of the run, and what came of it.
struct Desk {
    drive: DriveName,
    name: String,
    request: Request,
    ended: OnceLock<Result<(), Failure>>,
    /// That it failed has been said.
    is_told: AtomicBool,
}

/// Does for all drives of a request what `one` does for one.
pub fn run(context: Context, one: OneDrive) -> Result<(), Failure> {
    let request = context.request;
    let asks = request.changes() && !request.options.dry_run;
    let machine = context.machine()?;
    let machine = machine.as_ref();
    let names = names(context, machine)?;
    refuse_the_same(request, machine, &names)?;
    if request.command != Command::Check {
        refuse_unasked(request, machine)?;
    }
    if let Command::Write { file } = &request.command {
        refuse_other_models(context, file, &machine.list(), &names)?;
    }
    if asks && !request.options.yes && !prompt::somebody_is_there() {
        return Err(super::change::nobody_to_ask(request));
    }
    refuse_folder(request)?;
    let desks: Vec<Desk> = names.iter().map(|name| Desk::of(request, name)).collect();
    refuse_one_file_for_two(&desks)?;
    context.output.hold(&names);
    let channels = channels(machine, &desks);
    let bars = MultiProgress::new();
    let work = Work {
        context: Context {
            machine: Some(machine),
            ..context
        },
        bars: &bars,
        one,
    };
    match asks {
        true => work.with_one_question(&desks, &channels),
        false => work.side_by_side(&channels),
    }
    for desk in &desks {
        desk.show(context);
    }
    summary(context, &desks)?;
    let mut would_change = false;
    context.output.each_of_drives(|finding| {
        would_change |= matches!(finding, Finding::Verdict(Verdict::DryRun));
    });
    if would_change {
        context.found(Finding::Next(next::after_dry_run(request)));
    }
    Ok(())
}

/// # Errors
/// Two drives whose files would get the same name.
fn refuse_one_file_for_two(desks: &[Desk]) -> Result<(), Failure> {
    let mut names: Vec<&str> = desks.iter().map(|desk| desk.name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        None => Ok(()),
        Some(pair) => Err(Exit::Usage.because(format!(
            "Files of two of these drives would both be named by \"{}\". Name the drives by \
                 other paths.",
            pair[0]
        ))),
    }
}

/// The drives by their IDE channels; one whose channel is its own is alone.
fn channels<'a>(machine: &dyn Machine, desks: &'a [Desk]) -> Vec<Vec<&'a Desk>> {
    let mut channels: Vec<(Option<String>, Vec<&Desk>)> = Vec::new();
    for desk in desks {
        let key = channel(machine, &desk.drive);
        let shared = channels
            .iter_mut()
            .find(|(other, _)| key.is_some() && *other == key);
        match shared {
            Some((_, drives)) => drives.push(desk),
            None => channels.push((key, vec![desk])),
        }
    }
    channels.into_iter().map(|(_, drives)| drives).collect()
}

/// Where two drives have the same, they share it. Of a drive that the kernel does
/// not know, its name tells.
fn channel(machine: &dyn Machine, name: &DriveName) -> Option<String> {
    let of_name = |name: &DriveName| match name {
        DriveName::Index(index) => {
            Position::new(*index).map(|position| format!("{:?}", position.channel()))
        }
        DriveName::Port(port) => Some(
            PortName {
                unit: Unit::Master,
                ..*port
            }
            .to_string(),
        ),
        DriveName::Path(_) | DriveName::Serial(_) => None,
    };
    match machine.locate(name) {
        Ok(spot) => match spot.at_ports {
            Some(name) => of_name(&name),
            None => spot.channel,
        },
        Err(_) => of_name(name),
    }
}

/// What all threads have in common.
#[derive(Clone, Copy)]
struct Work<'a> {
    context: Context<'a>,
    bars: &'a MultiProgress,
    one: OneDrive,
}

impl Work<'_> {
    fn side_by_side(self, channels: &[Vec<&Desk>]) {
        thread::scope(|scope| {
            for drives in channels {
                scope.spawn(move || {
                    for desk in drives {
                        self.run(desk, Asking::User);
                    }
                });
            }
        });
    }

    fn with_one_question(self, desks: &[Desk], channels: &[Vec<&Desk>]) {
        let (table, asked) = mpsc::channel();
        thread::scope(|scope| {
            for drives in channels {
                let seat = Seat::at(table.clone());
                scope.spawn(move || match drives.as_slice() {
                    [desk] => self.run(desk, Asking::Together(&seat)),
                    drives => self.take_turns(drives, seat),
                });
            }
            drop(table);
            // Until everybody has asked or gone.
            let (demands, waiting): (Vec<_>, Vec<_>) = asked.iter().unzip();
            for desk in desks {
                desk.show(self.context);
            }
            if !waiting.is_empty() {
                let answer = self.ask(desks, &demands.concat());
                for somebody in waiting {
                    // Who has gone since hears nothing.
                    let _ = somebody.send(answer.clone());
                }
            }
        });
    }

    /// Drives of one channel: each is looked at and given back, and after the
    /// answer each has its turn.
    fn take_turns(self, drives: &[&Desk], seat: Seat) {
        let look = |desk: &&'_ Desk| {
            let demand = OnceLock::new();
            let looked = self.carry_out(desk, Asking::Nobody(&demand));
            let demand = demand.into_inner().filter(|_| looked.is_ok());
            if demand.is_none() {
                desk.end(self.context, looked);
            }
            demand
        };
        let looked = drives.iter().map(|desk| (*desk, look(desk)));
        let wanting = looked.filter_map(|(desk, demand)| Some((desk, demand?)));
        let (drives, demands): (Vec<&Desk>, Vec<Demand>) = wanting.unzip();
        if drives.is_empty() {
            return;
        }
        let answer = seat.ask(demands.clone());
        for (desk, demand) in drives.into_iter().zip(&demands) {
            self.context.output.forget(&desk.drive);
            self.run(desk, Asking::Answered(&answer, demand));
        }
    }

    fn run(self, desk: &Desk, asking: Asking) {
        desk.end(self.context, self.carry_out(desk, asking));
    }

    fn carry_out(self, desk: &Desk, asking: Asking) -> Result<(), Failure> {
        (self.one)(Context {
            request: &desk.request,
            asking,
            among: Some(Among {
                drive: &desk.drive,
                name: &desk.name,
                bars: self.bars,
            }),
            ..self.context
        })
    }

    /// Asks once for all; where that can leave drives dead, for the model of each.
    fn ask(self, desks: &[Desk], demands: &[Demand]) -> Answer {
        let Context {
            request,
            output,
            stop,
            ..
        } = self.context;
        if let Err(error) = output.check() {
            return Answer::Unshown(error);
        }
        let waiting: Vec<&Desk> = desks.iter().filter(|desk| !desk.has_ended()).collect();
        let yes = request.options.yes;
        if !yes {
            for desk in &waiting {
                output.show_before_question(&desk.drive, &desk.request);
            }
            output.tell(None, &Event::Asked);
        }
        let mut asked = Text::default();
        let mut words = Vec::new();
        for desk in &waiting {
            let Some(demand) = demands.iter().find(|demand| demand.drive == desk.drive) else {
                continue;
            };
            if let Some(names) = &demand.names {
                asked.words("").words(&format!("Drive {}", desk.drive));
                asked.append(names.clone());
            }
            if !words.contains(&demand.word) {
                words.push(demand.word.clone());
            }
        }
        let names: Vec<&str> = waiting.iter().map(|desk| desk.name.as_str()).collect();
        let drives = match names.as_slice() {
            [one] => format!("drive {one} alone"),
            names => format!("these {} drives: {}", names.len(), names.join(", ")),
        };
        asked.words(&question::asked(request, &drives, false));
        // Who types a model has said more than YES.
        let is_model = |word: &Word| matches!(word, Word::Model(_));
        if words.iter().any(is_model) {
            words.retain(is_model);
        }
        for word in words {
            match prompt::ask_for(&word, &asked, yes, stop) {
                Consent::Given => asked = Text::default(),
                other => return Answer::Consent(other, word),
            }
        }
        Answer::Consent(Consent::Given, Word::Yes)
    }
}

impl Desk {
    fn of(request: &Request, drive: &DriveName) -> Desk {
        let name = short(drive);
        Desk {
            request: request.of(drive.clone()).with_files_of(&name),
            drive: drive.clone(),
            ended: OnceLock::new(),
            is_told: AtomicBool::new(false),
            name,
        }
    }

    fn has_ended(&self) -> bool {
        self.ended.get().is_some()
    }

    fn end(&self, context: Context, result: Result<(), Failure>) {
        context.output.ended(&self.drive, result.as_ref().err());
        // It ends once.
        let _ = self.ended.set(result);
    }

    /// Shows what was found and is not shown yet, and why it failed.
    fn show(&self, context: Context) {
        let is_headed = context.output.show_held(&self.drive) && context.output.is_at_terminal();
        let Some(Err(failure)) = self.ended.get() else {
            return;
        };
        if !self.is_told.swap(true, Ordering::Relaxed) {
            let mut text = Text::default();
            if !is_headed {
                text.words("").words(&format!("Drive {}", self.drive));
            }
            text.append(failure.text());
            context.output.explain(text);
        }
    }

    fn exit(&self) -> Exit {
        match self.ended.get() {
            Some(Ok(())) => Exit::Done,
            Some(Err(failure)) => failure.exit,
            // Its thread came to no end.
            None => Exit::Internal,
        }
    }
}

/// A line for each drive.
///
/// # Errors
/// The worst that happened.
fn summary(context: Context, desks: &[Desk]) -> Result<(), Failure> {
    let names = desks.iter().map(|desk| desk.name.chars().count());
    let width = names.max().unwrap_or_default().max(8) + 2;
    let mut text = Text::default();
    text.words("").words(&format!("{:width$}Result", "Drive"));
    for desk in desks {
        let exit = desk.exit();
        let result = format!("{} ({})", exit.text(), exit.code());
        text.words_behind(&format!("{:width$}", desk.name), &result);
    }
    context.output.text(&text);
    let exits = desks.iter().map(Desk::exit);
    let worst = exits.max_by_key(|exit| exit.severity());
    let worst = worst.unwrap_or(Exit::Done);
    let failed = desks.iter().filter(|desk| desk.exit() != Exit::Done);
    match (worst, failed.count()) {
        (Exit::Done, _) => Ok(()),
        (worst, failed) => {
            let what = match worst {
                Exit::Stopped => {
                    format!("{failed} of {} drives are left as they were.", desks.len())
                }
                _ => format!("Of {} drives {failed} did not end well.", desks.len()),
            };
            Err(worst.because(what).saying(Flash::Unsaid))
        }
    }
}

/// `3`, `sg1`, `disk-by-id-x`: for names of files and in front of lines.
fn short(name: &DriveName) -> String {
    let text = match name {
        DriveName::Path(path) => path.strip_prefix("/dev").unwrap_or(path).to_owned(),
        name => PathBuf::from(name.to_string()),
    };
    super::change::as_file_name(&text.to_string_lossy())
}

impl Request {
    /// With a drive's name in the names of the files that are made.
    fn with_files_of(&self, drive: &str) -> Request {
        let mut request = self.clone();
        if let Command::Read { file } = &mut request.command {
            *file = named_by(file, drive);
        }
        if let Some(backup) = &mut request.options.backup {
            if !files::is_folder(backup) {
                *backup = named_by(backup, drive);
            }
        }
        request
    }

    /// Whether it is about more than one drive, or about all.
    pub fn is_about_several(&self) -> bool {
        let is_led = self.command == Command::Revive;
        let is_every = self.options.all && self.command != Command::Check;
        (self.drives.len() > 1 && !is_led) || is_every
    }
}

/// `backup.bin` → `backup-3.bin`.
fn named_by(file: &Path, drive: &str) -> PathBuf {
    let mut name = file.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{drive}"));
    if let Some(extension) = file.extension() {
        name.push(".");
        name.push(extension);
    }
    file.with_file_name(name)
}

#[cfg(test)]
mod tests;
