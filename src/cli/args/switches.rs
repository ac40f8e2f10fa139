//! Every switch and option, once: the parser, the printer, the check of what
//! goes with which command, the help, the man page and the completions read this
//! table.

use super::Verb::{self, Erase, Inspect, Read, Revive, Verify, Write};
use super::values::Setting;
use super::{Form, Options, Request, UsageError, Via};
use crate::job::Check;
use crate::protocol::Protocol;
use Kind::{Flag, Value};

/// One switch or option.
#[derive(Debug)]
pub struct Switch {
    /// The long name without its dashes; also how the parser calls it.
    pub long: &'static str,
    /// What is typed for it as `/m`, `/M`, `-m` or `-M`.
    pub letter: Option<char>,
    pub kind: Kind,
    /// How to type it, for messages.
    pub example: &'static str,
    /// What stands for its value in the help; `None` for one without a value.
    pub value: Option<&'static str>,
    /// What its value can be; `None` for one without a value.
    pub values: Option<Values>,
    /// The commands that it goes with.
    pub verbs: &'static [Verb],
    /// The one that it contradicts.
    pub not_with: Option<&'static str>,
    /// The one without which it says nothing.
    pub needs: Option<&'static str>,
    /// Whether it is about one file and no more.
    pub is_of_one_file: bool,
    /// Whether it answers in advance: no line that is proposed ever has it.
    pub is_consent: bool,
    /// What it does, in half a line.
    pub brief: &'static str,
    /// What there is to say beside that, in sentences; or nothing.
    pub more: &'static str,
}

/// Where a request has what a switch says.
#[derive(Debug)]
pub enum Kind {
    /// It is there or not.
    Flag(fn(&mut Request) -> &mut bool),
    /// It has a value.
    Value(fn(&mut Options) -> &mut dyn Setting),
}

/// What a shell can offer for a value.
#[derive(Debug, Clone, Copy)]
pub enum Values {
    /// A file, or a folder.
    Paths,
    /// One of these.
    Names(fn() -> Vec<&'static str>),
    /// Whatever the user knows.
    Any,
}

impl Switch {
    /// How messages call it: `/m`, `--keep`.
    pub fn name(&self) -> &'static str {
        self.example
            .split([' ', '='])
            .next()
            .unwrap_or(self.example)
    }

    /// What is wrong where it stands alone.
    pub(super) fn missing_value(&self) -> UsageError {
        match self.is_consent {
            true => UsageError::NoCheckNamed,
            false => UsageError::MissingValue {
                option: self.long,
                example: self.example,
            },
        }
    }

    /// Whether it adds to what it names when it is given again.
    pub fn is_repeatable(&self) -> bool {
        match self.kind {
            Kind::Flag(_) => false,
            Kind::Value(setting) => setting(&mut Options::default()).is_list(),
        }
    }

    const fn letter(mut self, letter: char) -> Switch {
        self.letter = Some(letter);
        self
    }

    const fn takes(mut self, value: &'static str, values: Values) -> Switch {
        self.value = Some(value);
        self.values = Some(values);
        self
    }

    const fn goes_with(mut self, verbs: &'static [Verb]) -> Switch {
        self.verbs = verbs;
        self
    }

    const fn not_with(mut self, other: &'static str) -> Switch {
        self.not_with = Some(other);
        self
    }

    const fn needs(mut self, other: &'static str) -> Switch {
        self.needs = Some(other);
        self
    }

    const fn of_one_file(mut self) -> Switch {
        self.is_of_one_file = true;
        self
    }

    const fn consent(mut self) -> Switch {
        self.is_consent = true;
        self
    }

    const fn brief(mut self, brief: &'static str) -> Switch {
        self.brief = brief;
        self
    }

    const fn more(mut self, more: &'static str) -> Switch {
        self.more = more;
        self
    }
}

/// What a program can talk to.
const WITHOUT_QUESTIONS: [Verb; 7] = [Read, Write, Verify, Erase, Verb::Check, Verb::List, Inspect];

/// In the order of the help.
pub const SWITCHES: &[Switch] = &[
    switch("merge", "/m", Flag(|to| &mut to.merged))
        .letter('m')
        .goes_with(&[Read, Write, Verify, Inspect])
        .brief("all banks in one file")
        .more("Without it one file per bank."),
    switch("binary", "/b", Flag(|to| &mut to.binary))
        .letter('b')
        .goes_with(&[Read, Write, Verify, Inspect])
        .brief("raw binary")
        .more(
            "Without it r writes bank-marked Intel HEX. w, v and i see from the content which it is.",
        ),
    switch("yes", "--yes", Flag(|to| &mut to.options.yes))
        .letter('y')
        .goes_with(&[Read, Write, Verify, Erase, Verb::Check])
        .consent()
        .brief("do not ask for YES")
        .more("What would be asked is answered in advance: for scripts."),
    switch("json", "--json", Flag(|to| &mut to.options.json))
        .goes_with(&WITHOUT_QUESTIONS)
        .brief("the outcome as one JSON object on standard output")
        .more("For programs. What people read goes to standard error."),
    switch("events", "--events", Flag(|to| &mut to.options.events))
        .goes_with(&WITHOUT_QUESTIONS)
        .brief("what happens as lines of JSON on standard error"),
    switch("quiet", "--quiet", Flag(|to| &mut to.options.quiet))
        .goes_with(&Verb::ALL)
        .brief("no progress: results, questions, warnings, failures"),
    switch("dry-run", "--dry-run", Flag(|to| &mut to.options.dry_run))
        .goes_with(&[Write, Erase])
        .brief("show what would be done and change nothing"),
    switch("backup", "--backup backup.bin", Value(|to| &mut to.backup))
        .takes("PATH", Values::Paths)
        .goes_with(&[Write, Erase, Revive])
        .not_with("--no-backup")
        .brief("where the backup goes that is made before a change")
        .more("A file, or a folder in which it gets a name."),
    switch("no-backup", "--no-backup", Flag(|to| &mut to.options.no_backup))
        .goes_with(&[Write, Erase, Revive])
        .brief("change the flash without a way back"),
    switch("skip-if-same", "--skip-if-same", Flag(|to| &mut to.options.skip_if_same))
        .goes_with(&[Write])
        .brief("write nothing where the revision is the image's")
        .more("For a drive that cannot be read and says that it has the image's revision already."),
    switch("entry", "--entry 2", Value(|to| &mut to.entry))
        .takes("N|NAME", Values::Any)
        .goes_with(&[Write, Verify, Inspect])
        .of_one_file()
        .brief("the image of this number or name, of several")
        .more("Of those in a ZIP or a vendor's flasher."),
    switch("sum", "--sum 4a1f", Value(|to| &mut to.sum))
        .takes("XXXX", Values::Any)
        .goes_with(&[Write, Verify, Inspect])
        .of_one_file()
        .brief("the 16-bit sum that the image must have, in hex"),
    switch("crc32", "--crc32 1f2e3d4c", Value(|to| &mut to.crc32))
        .takes("XXXXXXXX", Values::Any)
        .goes_with(&[Write, Verify, Inspect])
        .of_one_file()
        .brief("the CRC-32 that the image or its file must have"),
    switch("to", "--to bin --out firmware.bin", Value(|to| &mut to.to))
        .takes("FORM", Values::Names(|| Form::ALL.map(Form::name).to_vec()))
        .goes_with(&[Inspect])
        .needs("--out")
        .of_one_file()
        .brief("convert the image: bin, hex, or banks (a file each)")
        .more("Goes with --out."),
    switch("out", "--out firmware.bin --to bin", Value(|to| &mut to.out))
        .takes("NAME", Values::Paths)
        .goes_with(&[Inspect])
        .needs("--to")
        .brief("the file that --to makes"),
    switch("banks", "--banks 0-3,7", Value(|to| &mut to.banks))
        .takes("LIST", Values::Any)
        .goes_with(&[Read, Write, Verify, Erase])
        .not_with("--range")
        .brief("only these 64 KiB banks: 0-3,7"),
    switch("range", "--range 0x4000-0x5fff", Value(|to| &mut to.range))
        .takes("START-END", Values::Any)
        .goes_with(&[Read, Write, Verify, Erase])
        .brief("only these bytes, both ends included: 0x0-0xfff"),
    switch("keep", "--keep 0x4000-0x5fff", Value(|to| &mut to.keep))
        .takes("START-END", Values::Any)
        .goes_with(&[Write, Verify, Erase])
        .brief("leave these bytes as they are: 0x4000-0x5fff")
        .more(
            "Both ends are included; 4000h-5FFFh means the same. May be repeated. v leaves them out \
             of what it compares.",
        ),
    switch("size", "--size 256K", Value(|to| &mut to.size))
        .takes("BYTES", Values::Any)
        .goes_with(&[Read, Verify])
        .brief("read an unknown chip as this big: 262144, 256K, 1M"),
    switch("wait", "--wait 200", Value(|to| &mut to.wait))
        .takes("SECONDS", Values::Any)
        .goes_with(&[Read, Write, Verify, Erase, Verb::Check, Revive])
        .brief("how long to go on asking a drive that refuses")
        .more("While you switch it off and on: 200 on a terminal, 0 in a script."),
    switch("via", "--via ata", Value(|to| &mut to.via))
        .takes("WAY", Values::Names(|| Via::ALL.map(Via::name).to_vec()))
        .goes_with(&[Read, Write, Verify, Erase, Verb::Check, Revive])
        .brief("the way to the drive: sg, ata or port")
        .more("The kernel's SG_IO for packets, ATA PASS-THROUGH, or the I/O ports of its IDE channel, \
             which are for root."),
    switch("protocol", "--protocol vendor", Value(|to| &mut to.protocol))
        .takes("NAME", Values::Names(|| Protocol::ALL.map(Protocol::name).to_vec()))
        .goes_with(&[Read, Write, Verify, Erase, Verb::Check, Revive])
        .brief("use this protocol instead of the detected one"),
    switch("sim", "--sim bench.toml", Value(|to| &mut to.sim))
        .takes("BENCH", Values::Paths)
        // Harmless where no drive is needed, and a shell alias may hold it.
        .goes_with(&Verb::ALL)
        .brief("simulated drives from this file, no real ones"),
    switch("plain", "--plain", Flag(|to| &mut to.options.plain))
        .goes_with(&Verb::ALL)
        .brief("no bars, countdowns and colours")
        .more("For screen readers and logs."),
    switch("log", "--log mtkflash.log", Value(|to| &mut to.log))
        .takes("FILE", Values::Paths)
        .goes_with(&Verb::ALL)
        .not_with("--no-log")
        .brief("another file for the log that a run with drives leaves"),
    switch("no-log", "--no-log", Flag(|to| &mut to.options.no_log))
        .goes_with(&Verb::ALL)
        .brief("leave no log"),
    switch("force", "--force=model", Value(|to| &mut to.force))
        .takes("CHECK", Values::Names(|| Check::ALL.map(Check::name).to_vec()))
        .goes_with(&[Read, Write, Verify, Erase, Verb::Check, Revive])
        .consent()
        .brief("pass one check, by its name")
        .more("May be repeated, or take a list: --force=model,medium."),
];

const fn switch(long: &'static str, example: &'static str, kind: Kind) -> Switch {
    Switch {
        long,
        letter: None,
        kind,
        example,
        value: None,
        values: None,
        verbs: &[],
        not_with: None,
        needs: None,
        is_of_one_file: false,
        is_consent: false,
        brief: "",
        more: "",
    }
}

/// The switch with this letter, in any case.
pub fn by_letter(letter: char) -> Option<&'static Switch> {
    let letter = letter.to_ascii_lowercase();
    SWITCHES.iter().find(|switch| switch.letter == Some(letter))
}

/// The switch with this long name, in any case.
pub fn by_long(name: &str) -> Option<&'static Switch> {
    SWITCHES
        .iter()
        .find(|switch| switch.long.eq_ignore_ascii_case(name))
}
