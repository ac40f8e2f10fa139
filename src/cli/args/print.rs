//! A request as the words that ask for it: the reverse of [`super::parse`].

use std::ffi::{OsStr, OsString};

use super::operands::{ALL, Operands};
use super::switches::{Kind, SWITCHES, Switch};
use super::{Command, DriveName, Request, Verb, words};

/// What stands for a drive that the user has to name.
pub(super) const A_DRIVE: &str = "DRIVE";

impl Request {
    /// The words behind the program's name, consent included.
    /// [`parse`](super::parse) makes the same request of them.
    pub fn words(&self) -> Vec<OsString> {
        let verb = match &self.command {
            Command::Help(topic) => {
                let words = ["help"].into_iter().chain(topic.name());
                return words.map(OsString::from).collect();
            }
            Command::Version => return vec!["--version".into()],
            Command::Generate(artifact) => {
                return vec!["--generate".into(), artifact.name().into()];
            }
            command => command.verb(),
        };
        let mut words: Vec<OsString> = Vec::new();
        match drives(&self.drives) {
            None if self.options.all => words.push(ALL.into()),
            None if verb.is_some_and(Verb::needs_drive) => {
                words.push(A_DRIVE.into());
            }
            drives => words.extend(drives),
        }
        words.extend(verb.map(|verb| verb.letter().into()));
        let (letters, options) = self.switches();
        words.extend(letters);
        let files = self.command.files().iter();
        words.extend(files.map(|file| Operands::file_word(file.as_os_str())));
        words.extend(options);
        words
    }

    /// The switches in the order of the table: `/m` and `/b`, which belong
    /// before the file, and the long ones.
    fn switches(&self) -> (Vec<OsString>, Vec<OsString>) {
        let mut letters = Vec::new();
        let mut options = Vec::new();
        let mut request = self.clone();
        for switch in SWITCHES {
            match &switch.kind {
                Kind::Flag(flag) if !*flag(&mut request) => {}
                Kind::Flag(_) if switch.example.starts_with('/') => {
                    letters.push(switch.example.into());
                }
                Kind::Flag(_) => options.push(format!("--{}", switch.long).into()),
                Kind::Value(setting) => {
                    for value in setting(&mut request.options).print() {
                        options.extend(option(switch, &value));
                    }
                }
            }
        }
        (letters, options)
    }
}

/// `1,/dev/sr1`; nothing for no drives.
fn drives(drives: &[DriveName]) -> Option<OsString> {
    let mut word = OsString::new();
    for (number, drive) in drives.iter().enumerate() {
        if number > 0 {
            word.push(",");
        }
        match drive {
            DriveName::Index(index) => word.push(index.to_string()),
            DriveName::Path(path) => word.push(path),
            DriveName::Serial(serial) => word.push(serial),
            DriveName::Port(name) => word.push(name.to_string()),
        }
    }
    (!drives.is_empty()).then_some(word)
}

/// `--backup FILE`, or `--force=model` and whatever would not be taken for a
/// value in a word of its own.
fn option(switch: &Switch, value: &OsStr) -> Vec<OsString> {
    let mut name = OsString::from(format!("--{}", switch.long));
    if switch.example.contains('=') || words::is_switch(value) {
        name.push("=");
        name.push(value);
        vec![name]
    } else {
        vec![name, value.to_owned()]
    }
}
