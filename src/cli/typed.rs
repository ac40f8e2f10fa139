//! What the user typed, to be told back as the next command to type.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::args::{Command, Request, Via};
use super::program::Program;
use crate::flash::BANK_SIZE;
use crate::job::backup::Record;

/// The command line of this run.
#[derive(Debug, Clone)]
pub struct Typed {
    program: Program,
    words: Vec<OsString>,
    /// The switches that say which drive and which way to it.
    reach: String,
    /// The switches that say which part of the flash.
    part: String,
    drive: String,
    bench: Option<String>,
    backup: Option<PathBuf>,
    changes: bool,
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
        if let Some(size) = options.size {
            reach.push_str(&format!(" --size {}K", size / 1024));
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
            program: Program::called(words.first().map(OsString::as_os_str)),
            words,
            reach,
            part,
            bench: options.sim.as_ref().map(|bench| quoted(bench.as_os_str())),
            backup: options.backup.clone(),
            changes: matches!(&request.command, Command::Write { .. } | Command::Erase),
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

    /// A text whose commands this user can paste.
    pub fn to_paste(&self, text: &str) -> String {
        self.program.paste_into(text)
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

    /// The same command with the drive's position in the place of its path.
    pub fn at(&self, position: u8) -> Typed {
        let mut words = self.words.clone();
        let named = words.iter_mut().skip(1);
        let is_drive = |word: &&mut OsString| word.to_string_lossy() == self.drive;
        if let Some(word) = named.into_iter().find(is_drive) {
            *word = position.to_string().into();
        }
        Typed {
            words,
            drive: position.to_string(),
            ..self.clone()
        }
    }

    /// The same command by another way: `sg`, `ata` or `port`.
    pub fn by(&self, way: &str) -> String {
        format!("{} --via {way}", self.less(&["via"]).same())
    }

    /// The same command without a protocol's name.
    pub fn without_protocol(&self) -> String {
        self.less(&["protocol"]).same()
    }

    /// The same command by whatever way and protocol the drive's name calls for.
    pub fn by_its_name(&self) -> String {
        self.less(&["via", "protocol", "wait"]).same()
    }

    /// The same command without a wait, where one was typed.
    pub fn without_wait(&self) -> Option<String> {
        let less = self.less(&["wait"]);
        (less.words.len() < self.words.len()).then(|| less.same())
    }

    /// The same command with another file in the place of its own.
    pub fn with_file(&self, old: &Path, new: &Path) -> String {
        let with = |word: &OsString| match word == old.as_os_str() {
            true => new.as_os_str().to_owned(),
            false => word.clone(),
        };
        Typed {
            words: self.words.iter().map(with).collect(),
            ..self.clone()
        }
        .same()
    }

    /// The same command without a backup.
    pub fn without_backup(&self) -> String {
        format!("{} --no-backup", self.less(&["backup"]).same())
    }

    /// Lists the drives there are, on the bench or in the machine.
    pub fn list(&self) -> String {
        match &self.bench {
            Some(bench) => format!("mtkflash l --sim {bench}"),
            None => "mtkflash l".to_owned(),
        }
    }

    pub fn changes(&self) -> bool {
        self.changes
    }

    /// The same command, with time to switch the drive off and on.
    pub fn waiting(&self) -> String {
        format!("{} --wait 200", self.less(&["wait"]).same())
    }

    /// Whether this is the file, or may be the one, that a backup goes to.
    pub fn is_backup(&self, path: &Path) -> bool {
        self.changes && self.backup.as_deref().is_none_or(|backup| backup == path)
    }

    /// The same command with a file for the backup that is not there yet.
    pub fn with_another_backup(&self) -> String {
        let old = self
            .backup
            .clone()
            .unwrap_or_else(|| PathBuf::from("backup.bin"));
        let stem = old
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let extension = old
            .extension()
            .map(|extension| format!(".{}", extension.to_string_lossy()))
            .unwrap_or_default();
        let free = (2..)
            .map(|number| old.with_file_name(format!("{stem}-{number}{extension}")))
            .find(|path| !path.exists())
            .unwrap_or(old);
        format!(
            "{} --backup {}",
            self.less(&["backup"]).same(),
            quoted(free.as_os_str())
        )
    }

    /// The same command with another file to write to in the place of this one:
    /// that of the command, or else that of the backup.
    pub fn with_output(&self, old: &Path, new: &Path) -> String {
        if self.changes {
            let backup = quoted(new.as_os_str());
            return format!("{} --backup {backup}", self.less(&["backup"]).same());
        }
        self.with_file(old, new)
    }

    /// The same command without the answer to the question, for the user to
    /// look once more.
    pub fn asking_with(&self, more: &str) -> String {
        let words = self
            .words
            .iter()
            .filter(|word| {
                let word = word.to_string_lossy().to_ascii_lowercase();
                !["--yes", "-y", "/y"].contains(&word.as_str())
            })
            .cloned()
            .collect();
        Typed {
            words,
            ..self.clone()
        }
        .with(more)
    }

    /// The same command for another part of the flash, see [`part_switch`].
    pub fn of_part(&self, ranges: &[[u32; 2]]) -> String {
        let less = self.less(&["banks", "range"]);
        format!("{}{}", less.same(), part_switch(ranges))
    }

    /// The same command without these options, which take a value each.
    fn less(&self, options: &[&str]) -> Typed {
        let mut words = Vec::new();
        let mut rest = self.words.iter();
        while let Some(word) = rest.next() {
            let text = word.to_string_lossy().to_ascii_lowercase();
            let name = text.trim_start_matches(['-', '/']);
            let is_switch = name.len() < text.len();
            if is_switch && options.contains(&name) {
                rest.next();
            } else if !is_switch
                || !options
                    .iter()
                    .any(|option| name.starts_with(&format!("{option}=")))
            {
                words.push(word.clone());
            }
        }
        Typed {
            words,
            ..self.clone()
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

    /// Writes some firmware into this drive.
    pub fn write_any(&self) -> String {
        format!("mtkflash {} w /m FILE{}", self.drive, self.reach)
    }

    /// Writes some firmware into this drive, of which there can be no backup.
    pub fn write_unread(&self) -> String {
        format!(
            "mtkflash {} w /m FILE --no-backup{}",
            self.drive, self.reach
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

    /// Writes a backup back, all of what it holds and nothing else.
    pub fn restore(&self, backup: &Path) -> String {
        let part = Record::beside(backup)
            .map(|record| part_switch(&record.ranges))
            .unwrap_or_default();
        let file = quoted(backup.as_os_str());
        format!("mtkflash {} w /m /b {file}{part}{}", self.drive, self.reach)
    }

    /// Reads all of this drive into a file.
    pub fn read(&self) -> String {
        format!("mtkflash {} r /m /b backup.bin{}", self.drive, self.reach)
    }

    pub fn check(&self) -> String {
        format!("mtkflash {} c{}", self.drive, self.reach)
    }
}

/// A word as a shell takes it, on one line whatever is in it. Bytes that are no
/// text, and those that a terminal would obey, are written as bash and zsh
/// take them.
pub(super) fn quoted(word: &OsStr) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=,:+@%".contains(letter);
    match word.to_str() {
        Some(text) if !text.is_empty() && text.chars().all(is_plain) => text.to_owned(),
        Some(text) if !text.chars().any(char::is_control) => {
            format!("'{}'", text.replace('\'', r"'\''"))
        }
        _ => {
            let mut quoted = "$'".to_owned();
            for chunk in word.as_encoded_bytes().utf8_chunks() {
                for letter in chunk.valid().chars() {
                    match letter {
                        '\'' | '\\' => quoted.extend(['\\', letter]),
                        _ if letter.is_control() => {
                            quoted.push_str(&in_octal(letter.encode_utf8(&mut [0; 4]).as_bytes()))
                        }
                        _ => quoted.push(letter),
                    }
                }
                quoted.push_str(&in_octal(chunk.invalid()));
            }
            quoted + "'"
        }
    }
}

/// As `$'…'` takes bytes: three digits each, which nothing that follows adds to.
fn in_octal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\{byte:03o}")).collect()
}

/// The switch that names these ranges, first and last byte, after a blank:
/// whole banks where they are that, else all from the first to the last;
/// nothing for no ranges.
pub fn part_switch(ranges: &[[u32; 2]]) -> String {
    let (Some([first, _]), Some([_, last])) = (ranges.first(), ranges.last()) else {
        return String::new();
    };
    let is_bank =
        |[first, last]: &[u32; 2]| first % BANK_SIZE == 0 && last.wrapping_add(1) % BANK_SIZE == 0;
    if ranges.iter().all(is_bank) {
        let banks: Vec<String> = ranges
            .iter()
            .flat_map(|[first, last]| first / BANK_SIZE..=last / BANK_SIZE)
            .map(|bank| bank.to_string())
            .collect();
        return format!(" --banks {}", banks.join(","));
    }
    format!(" --range {first:#x}-{last:#x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args;
    use std::os::unix::ffi::OsStrExt;

    fn typed(line: &str) -> Typed {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let request = args::parse(words.iter().cloned()).unwrap();
        Typed::new(words, &request)
    }

    #[test]
    fn another_way_takes_the_place_of_the_one_that_was_typed() {
        for line in [
            "mtkflash 3 c --via ata",
            "mtkflash 3 --VIA=ata c",
            "mtkflash 3 c",
        ] {
            assert_eq!(typed(line).by("port"), "mtkflash 3 c --via port");
        }
    }

    #[test]
    fn a_position_takes_the_place_of_the_drive_s_path() {
        let typed = typed("mtkflash r /m dump.bin /dev/sr0 --via ata");
        assert_eq!(
            typed.at(3).by("port"),
            "mtkflash r /m dump.bin 3 --via port"
        );
        assert_eq!(typed.at(3).check(), "mtkflash 3 c --via ata");
    }

    #[test]
    fn a_write_without_a_backup_names_none() {
        assert_eq!(
            typed("mtkflash 3 w /m x.bin --backup old.bin --yes").without_backup(),
            "mtkflash 3 w /m x.bin --yes --no-backup"
        );
    }

    #[test]
    fn another_part_takes_the_place_of_the_one_that_was_typed() {
        let typed = typed("mtkflash 3 v /m x.bin --banks=3");
        assert_eq!(
            typed.of_part(&[[0x1_0000, 0x1_FFFF]]),
            "mtkflash 3 v /m x.bin --banks 1"
        );
        assert_eq!(
            typed.of_part(&[[0x100, 0xFFFF], [0x1_0000, 0x1_00FF]]),
            "mtkflash 3 v /m x.bin --range 0x100-0x100ff"
        );
    }

    /// Each comes back out of bash as it went in (tried).
    #[test]
    fn a_word_of_any_bytes_is_told_as_one_line_of_text() {
        for (word, typed) in [
            (&b"plain/name-1.bin"[..], "plain/name-1.bin"),
            (b"it's one", r"'it'\''s one'"),
            (b"", "''"),
            (b"$HOME `id` \"x\"", "'$HOME `id` \"x\"'"),
            (b"two\nlines", r"$'two\012lines'"),
            (b"\x1b[31m'red'\\n7", r"$'\033[31m\'red\'\\n7'"),
            (b"caf\xE9 1", r"$'caf\351 1'"),
            (b"\xC2\x85\xC3\xA91", r"$'\302\205é1'"),
        ] {
            assert_eq!(quoted(OsStr::from_bytes(word)), typed);
        }
    }

    #[test]
    fn a_wait_is_left_out_where_one_was_typed() {
        for line in ["mtkflash 3 c --wait 8", "mtkflash 3 --WAIT=8 c"] {
            assert_eq!(typed(line).without_wait().unwrap(), "mtkflash 3 c");
        }
        assert_eq!(typed("mtkflash 3 c").without_wait(), None);
    }

    #[test]
    fn a_word_that_a_shell_would_read_is_quoted() {
        let line = ["mtkflash", "i", "it's one.bin"]
            .map(OsString::from)
            .to_vec();
        let request = args::parse(line.iter().cloned()).unwrap();
        assert_eq!(
            Typed::new(line, &request).same(),
            r"mtkflash i 'it'\''s one.bin'"
        );
    }
}
