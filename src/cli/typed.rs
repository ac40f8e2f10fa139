//! What the user typed, to be told back as the next command to type.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::args::{Command, Request, Via};

/// The command line of this run.
#[derive(Debug, Clone)]
pub struct Typed {
    words: Vec<OsString>,
    /// The switches that say which drive and which way to it.
    reach: String,
    /// The switches that say which part of the flash.
    part: String,
    via: Option<&'static str>,
    drive: String,
    /// The file that the command is about, as a shell takes it.
    file: String,
}

impl Typed {
    pub fn new(words: Vec<OsString>, request: &Request) -> Typed {
        let options = &request.options;
        let mut reach = String::new();
        if let Some(bench) = &options.sim {
            reach.push_str(&format!(" --sim {}", quoted(bench.as_os_str())));
        }
        let via = options.via.map(|via| match via {
            Via::Sg => "sg",
            Via::Ata => "ata",
            Via::Port => "port",
        });
        if let Some(via) = via {
            reach.push_str(&format!(" --via {via}"));
        }
        if let Some(protocol) = &options.protocol {
            reach.push_str(&format!(" --protocol {protocol}"));
        }
        let mut part = String::new();
        if let Some(banks) = &options.banks {
            let banks: Vec<String> = banks.iter().map(ToString::to_string).collect();
            part.push_str(&format!(" --banks {}", banks.join(",")));
        }
        if let Some(range) = options.range {
            let last = range.end.saturating_sub(1);
            part.push_str(&format!(" --range {:#x}-{last:#x}", range.start));
        }
        Typed {
            words,
            reach,
            part,
            via,
            drive: request
                .drives
                .first()
                .map(ToString::to_string)
                .unwrap_or_else(|| "DRIVE".to_owned()),
            file: match &request.command {
                Command::Read { file }
                | Command::Write { file }
                | Command::Verify { file }
                | Command::Inspect { file } => quoted(file.as_os_str()),
                _ => "FILE".to_owned(),
            },
        }
    }

    /// The same command again.
    pub fn same(&self) -> String {
        let words: Vec<String> = self.words.iter().skip(1).map(|word| quoted(word)).collect();
        format!("mtkflash {}", words.join(" "))
    }

    /// The same command with more to it.
    pub fn with(&self, more: &str) -> String {
        format!("{} {more}", self.same())
    }

    /// The same command by the legacy ports.
    pub fn by_port(&self) -> String {
        let same = self.same();
        match self.via {
            Some(via) => same.replace(&format!("--via {via}"), "--via port"),
            None => format!("{same} --via port"),
        }
    }

    /// Writes a file, perhaps a backup, into this drive.
    pub fn write(&self, file: &Path) -> String {
        format!(
            "mtkflash {} w /m {}{}{}",
            self.drive,
            quoted(file.as_os_str()),
            self.part,
            self.reach
        )
    }

    /// Looks at the file of this command without any drive.
    pub fn inspect(&self) -> String {
        format!("mtkflash i {}", self.file)
    }

    /// Compares the flash with the file of this command.
    pub fn verify(&self) -> String {
        format!("mtkflash {} v /m {}{}", self.drive, self.file, self.reach)
    }

    pub fn check(&self) -> String {
        format!("mtkflash {} c{}", self.drive, self.reach)
    }
}

/// A word as a shell takes it.
fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let is_plain = !word.is_empty()
        && word
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "-_./=,:+@%".contains(letter));
    if is_plain {
        return word.into_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
