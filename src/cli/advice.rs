//! What to do next, as data: words, and commands to type.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::args::{Request, Verb};
use crate::drive::note::Undo;
use crate::job::Check;

/// A command of this program for the user to type. It holds no consent: whoever
/// types it is asked. Beside it are the checks that were overridden in what it was
/// made of, and are not in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking(Request, BTreeSet<Check>);

impl Asking {
    /// A command whose checks the user has named for it himself. Whoever types it
    /// is asked all the same.
    pub fn with_its_checks(mut request: Request) -> Box<Asking> {
        request.options.yes = false;
        Box::new(Asking(request, BTreeSet::new()))
    }

    pub fn request(&self) -> &Request {
        &self.0
    }
}

impl From<Request> for Box<Asking> {
    fn from(mut request: Request) -> Box<Asking> {
        request.options.yes = false;
        let left_out = std::mem::take(&mut request.options.force);
        Box::new(Asking(request, left_out))
    }
}

/// A command to type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    Flash(Box<Asking>),
    FlashAsRoot(Box<Asking>),
    Shell(Shell),
}

/// A command of another program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shell {
    /// A command as it is typed, and by whom.
    Line(By, &'static str),
    /// The same with a file or a node behind it.
    On(By, &'static str, PathBuf),
    /// The user joins a group.
    JoinGroup(String),
    /// A container is started with these nodes.
    StartContainerWith(Vec<PathBuf>),
    /// `/dev/port` is made anew.
    MakePortNode,
    /// What a crashed run has left changed.
    Restore(Undo),
    /// The kernel's driver for a controller, by its PCI address.
    LoadDriverOf(String),
    /// So many bytes from the beginning of a file, as a file of their own.
    Beginning(PathBuf, u32),
    /// Another program that makes a raw binary of S-records.
    FromSRecords(PathBuf),
    /// Another program that makes plain text of UTF-16.
    FromUtf16(PathBuf),
    /// Another program that makes one ZIP archive of its parts.
    JoinZip(PathBuf),
}

/// Who may do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    User,
    Root,
}

impl Shell {
    /// What the beginning of a file is called that is one of its own.
    pub fn beginning(file: &Path) -> PathBuf {
        file.with_extension("beginning.bin")
    }

    /// What a ZIP archive is called that was made of its parts.
    pub fn joined(file: &Path) -> PathBuf {
        file.with_extension("whole.zip")
    }

    /// What a file in UTF-16 is called when it is plain text.
    pub fn plain(file: &Path) -> PathBuf {
        file.with_extension("plain.hex")
    }
}

/// One line of advice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Words. They end in a colon where a command follows, and only there.
    Say(String),
    Type(Command),
    /// The command that was typed, once more. What stands before it is a deed
    /// after which it can end differently.
    Again(Box<Asking>),
}

impl From<&str> for Line {
    fn from(words: &str) -> Line {
        Line::Say(words.to_owned())
    }
}

impl From<String> for Line {
    fn from(words: String) -> Line {
        Line::Say(words)
    }
}

impl From<Command> for Line {
    fn from(command: Command) -> Line {
        Line::Type(command)
    }
}

impl From<Request> for Line {
    fn from(request: Request) -> Line {
        Line::Type(Command::Flash(request.into()))
    }
}

impl From<Shell> for Line {
    fn from(shell: Shell) -> Line {
        Line::Type(Command::Shell(shell))
    }
}

impl From<Undo> for Line {
    fn from(undo: Undo) -> Line {
        Shell::Restore(undo).into()
    }
}

impl Request {
    /// The same command again, after a deed.
    pub fn same(&self) -> Line {
        Line::Again(self.clone().into())
    }

    /// This command as root.
    pub fn as_root(&self) -> Command {
        Command::FlashAsRoot(self.clone().into())
    }
}

/// What a command does not say again for its user.
fn left_out(checks: &BTreeSet<Check>) -> Option<String> {
    let names: Vec<&str> = checks.iter().map(|check| check.name()).collect();
    match names.as_slice() {
        [] => None,
        [one] => Some(format!(
            "The check that you have overridden, {one}, is left out of that line: it stops there \
             unless you name it again as you did."
        )),
        all => Some(format!(
            "The checks that you have overridden, {}, are left out of that line: it stops there \
             unless you name them again as you did.",
            all.join(" and ")
        )),
    }
}

/// What to do next, line by line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Advice(Vec<Line>);

impl Advice {
    /// Beginning with this line.
    pub fn of(line: impl Into<Line>) -> Advice {
        Advice::default().then(line)
    }

    pub fn then(mut self, line: impl Into<Line>) -> Advice {
        self.push(line);
        self
    }

    /// What a command leaves out of what was typed is told behind it.
    pub fn push(&mut self, line: impl Into<Line>) {
        let line = line.into();
        let left_out = match &line {
            Line::Again(same) => left_out(&same.1),
            Line::Say(_) | Line::Type(_) => None,
        };
        self.0.push(line);
        self.0.extend(left_out.map(Line::Say));
    }

    /// A command that is what was typed but for a switch. What it leaves out beside that
    /// is told behind it.
    pub fn then_nearly(self, request: Request) -> Advice {
        let asking: Box<Asking> = request.into();
        let left_out = left_out(&asking.1);
        let mut advice = self.then(Command::Flash(asking));
        advice.0.extend(left_out.map(Line::Say));
        advice
    }

    /// And then what other advice says.
    pub fn and(mut self, more: Advice) -> Advice {
        self.0.extend(more.0);
        self
    }

    /// With the same simulated drives, where a line is about drives.
    pub fn on(mut self, bench: &Path) -> Advice {
        for line in &mut self.0 {
            let asking = match line {
                Line::Type(Command::Flash(asking)) | Line::Again(asking) => asking,
                Line::Say(_) | Line::Type(_) => continue,
            };
            let request = &mut asking.0;
            let verb = request.command.verb();
            if verb.is_some_and(|verb| verb != Verb::Inspect) && request.options.sim.is_none() {
                request.options.sim = Some(bench.to_owned());
            }
        }
        self
    }

    /// Whether what was typed is offered once more, after a deed.
    pub fn offers_the_same(&self) -> bool {
        self.0.iter().any(|line| matches!(line, Line::Again(_)))
    }

    pub fn lines(&self) -> &[Line] {
        &self.0
    }

    /// What is wrong with it, if anything is: words that announce a command
    /// which does not come, or the command that was typed without a deed before.
    pub fn fault(&self) -> Option<&'static str> {
        let announces = |line: &Line| matches!(line, Line::Say(words) if words.ends_with(':'));
        for (line, next) in self
            .0
            .iter()
            .zip(self.0.iter().skip(1).map(Some).chain([None]))
        {
            if announces(line) && matches!(next, None | Some(Line::Say(_))) {
                return Some("a colon without a command");
            }
        }
        match self.0.first() {
            Some(Line::Again(_)) => Some("the same again without a deed"),
            _ => None,
        }
    }
}

impl<L: Into<Line>> FromIterator<L> for Advice {
    fn from_iter<I: IntoIterator<Item = L>>(lines: I) -> Advice {
        lines.into_iter().fold(Advice::default(), Advice::then)
    }
}
