//! Every switch and option, once: the parser, the printer, the check of what
//! goes with which command, the help, the man page and the completions read this
//! table.

use super::Verb::{self, Erase, Inspect, Read, Revive, Verify, Write};
use super::values::Setting;
use super::{Form, Options, Request, UsageError, Via};
use crate::job::Check;
use crate::protocol::Protocol;

/// One switch or option.
#[derive(Debug)]
pub struct Switch {
    /// The long name without its dashes; also how the parser calls it.
    pub long: &'static str,
    pub kind: Kind,
    /// How to type it, for messages.
    pub example: &'static str,
    /// The commands that it goes with.
    pub verbs: &'static [Verb],
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
    /// It has a value: what stands for that in the help, and what it can be.
    Value(&'static str, Values, fn(&mut Options) -> &mut dyn Setting),
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

    /// What is typed for it as `/m`, `/M`, `-m` or `-M`.
    pub fn letter(&self) -> Option<char> {
        let of_this = LETTERS.iter().find(|(_, long)| *long == self.long);
        of_this.map(|(letter, _)| *letter)
    }

    /// What is wrong where it stands alone.
    pub(super) fn missing_value(&self) -> UsageError {
        match self.long {
            "force" => UsageError::NoCheckNamed,
            option => UsageError::MissingValue {
                option,
                example: self.example,
            },
        }
    }

    /// What its value can be; `None` for one without a value.
    pub fn values(&self) -> Option<Values> {
        match self.kind {
            Kind::Flag(_) => None,
            Kind::Value(_, values, _) => Some(values),
        }
    }

    /// Whether it adds to what it names when it is given again.
    pub fn is_repeatable(&self) -> bool {
        match self.kind {
            Kind::Flag(_) => false,
            Kind::Value(_, _, setting) => setting(&mut Options::default()).is_list(),
        }
    }

    /// What stands for its value in the help; `None` for one without a value.
    pub fn value(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Flag(_) => None,
            Kind::Value(name, ..) => Some(name),
        }
    }
}

/// The switches that have a letter, by their long names.
const LETTERS: [(char, &str); 3] = [('m', "merge"), ('b', "binary"), ('y', "yes")];

/// What a program can talk to.
const WITHOUT_QUESTIONS: [Verb; 7] = [Read, Write, Verify, Erase, Verb::Check, Verb::List, Inspect];

/// In the order of the help.
pub const SWITCHES: &[Switch] = &[
    Switch {
        long: "merge",
        kind: Kind::Flag(|request| &mut request.merged),
        example: "/m",
        verbs: &[Read, Write, Verify, Inspect],
        brief: "all banks in one file",
        more: "Without it one file per bank.",
    },
    Switch {
        long: "binary",
        kind: Kind::Flag(|request| &mut request.binary),
        example: "/b",
        verbs: &[Read, Write, Verify, Inspect],
        brief: "raw binary",
        more: "Without it r writes bank-marked Intel HEX. w, v and i see from the content which it is.",
    },
    Switch {
        long: "yes",
        kind: Kind::Flag(|request| &mut request.options.yes),
        example: "--yes",
        verbs: &[Read, Write, Verify, Erase, Verb::Check],
        brief: "do not ask for YES",
        more: "What would be asked is answered in advance: for scripts.",
    },
    Switch {
        long: "json",
        kind: Kind::Flag(|request| &mut request.options.json),
        example: "--json",
        verbs: &WITHOUT_QUESTIONS,
        brief: "the outcome as one JSON object on standard output",
        more: "For programs. What people read goes to standard error.",
    },
    Switch {
        long: "events",
        kind: Kind::Flag(|request| &mut request.options.events),
        example: "--events",
        verbs: &WITHOUT_QUESTIONS,
        brief: "what happens as lines of JSON on standard error",
        more: "",
    },
    Switch {
        long: "quiet",
        kind: Kind::Flag(|request| &mut request.options.quiet),
        example: "--quiet",
        verbs: &Verb::ALL,
        brief: "no progress: results, questions, warnings, failures",
        more: "",
    },
    Switch {
        long: "dry-run",
        kind: Kind::Flag(|request| &mut request.options.dry_run),
        example: "--dry-run",
        verbs: &[Write, Erase],
        brief: "show what would be done and change nothing",
        more: "",
    },
    Switch {
        long: "backup",
        kind: Kind::Value("PATH", Values::Paths, |options| &mut options.backup),
        example: "--backup backup.bin",
        verbs: &[Write, Erase, Revive],
        brief: "where the backup goes that is made before a change",
        more: "A file, or a folder in which it gets a name.",
    },
    Switch {
        long: "no-backup",
        kind: Kind::Flag(|request| &mut request.options.no_backup),
        example: "--no-backup",
        verbs: &[Write, Erase, Revive],
        brief: "change the flash without a way back",
        more: "",
    },
    Switch {
        long: "skip-if-same",
        kind: Kind::Flag(|request| &mut request.options.skip_if_same),
        example: "--skip-if-same",
        verbs: &[Write],
        brief: "write nothing where the revision is the image's",
        more: "For a drive that cannot be read and says that it has the image's revision already.",
    },
    Switch {
        long: "entry",
        kind: Kind::Value("N|NAME", Values::Any, |options| &mut options.entry),
        example: "--entry 2",
        verbs: &[Write, Verify, Inspect],
        brief: "the image of this number or name, of several",
        more: "Of those in a ZIP or a vendor's flasher.",
    },
    Switch {
        long: "sum",
        kind: Kind::Value("XXXX", Values::Any, |options| &mut options.sum),
        example: "--sum 4a1f",
        verbs: &[Write, Verify, Inspect],
        brief: "the 16-bit sum that the image must have, in hex",
        more: "",
    },
    Switch {
        long: "crc32",
        kind: Kind::Value("XXXXXXXX", Values::Any, |options| &mut options.crc32),
        example: "--crc32 1f2e3d4c",
        verbs: &[Write, Verify, Inspect],
        brief: "the CRC-32 that the image or its file must have",
        more: "",
    },
    Switch {
        long: "to",
        kind: Kind::Value(
            "FORM",
            Values::Names(|| Form::ALL.map(Form::name).to_vec()),
            |options| &mut options.to,
        ),
        example: "--to bin --out firmware.bin",
        verbs: &[Inspect],
        brief: "convert the image: bin, hex, or banks (a file each)",
        more: "Goes with --out.",
    },
    Switch {
        long: "out",
        kind: Kind::Value("NAME", Values::Paths, |options| &mut options.out),
        example: "--out firmware.bin --to bin",
        verbs: &[Inspect],
        brief: "the file that --to makes",
        more: "",
    },
    Switch {
        long: "banks",
        kind: Kind::Value("LIST", Values::Any, |options| &mut options.banks),
        example: "--banks 0-3,7",
        verbs: &[Read, Write, Verify, Erase],
        brief: "only these 64 KiB banks: 0-3,7",
        more: "",
    },
    Switch {
        long: "range",
        kind: Kind::Value("START-END", Values::Any, |options| &mut options.range),
        example: "--range 0x4000-0x5fff",
        verbs: &[Read, Write, Verify, Erase],
        brief: "only these bytes, both ends included: 0x0-0xfff",
        more: "",
    },
    Switch {
        long: "keep",
        kind: Kind::Value("START-END", Values::Any, |options| &mut options.keep),
        example: "--keep 0x4000-0x5fff",
        verbs: &[Write, Erase],
        brief: "leave these bytes as they are: 0x4000-0x5fff",
        more: "Both ends are included; 4000h-5FFFh means the same. May be repeated.",
    },
    Switch {
        long: "size",
        kind: Kind::Value("BYTES", Values::Any, |options| &mut options.size),
        example: "--size 256K",
        verbs: &[Read, Verify],
        brief: "read an unknown chip as this big: 262144, 256K, 1M",
        more: "",
    },
    Switch {
        long: "wait",
        kind: Kind::Value("SECONDS", Values::Any, |options| &mut options.wait),
        example: "--wait 200",
        verbs: &[Read, Write, Verify, Erase, Verb::Check, Revive],
        brief: "how long to go on asking a drive that refuses",
        more: "While you switch it off and on: 200 on a terminal, 0 in a script.",
    },
    Switch {
        long: "via",
        kind: Kind::Value(
            "WAY",
            Values::Names(|| Via::ALL.map(Via::name).to_vec()),
            |options| &mut options.via,
        ),
        example: "--via ata",
        verbs: &[Read, Write, Verify, Erase, Verb::Check, Revive],
        brief: "the way to the drive: sg, ata or port",
        more: "The kernel's SG_IO for packets, ATA PASS-THROUGH, or the I/O ports of its IDE channel, which are for root.",
    },
    Switch {
        long: "protocol",
        kind: Kind::Value(
            "NAME",
            Values::Names(|| Protocol::ALL.map(Protocol::name).to_vec()),
            |options| &mut options.protocol,
        ),
        example: "--protocol vendor",
        verbs: &[Read, Write, Verify, Erase, Verb::Check, Revive],
        brief: "use this protocol instead of the detected one",
        more: "",
    },
    Switch {
        long: "sim",
        kind: Kind::Value("BENCH", Values::Paths, |options| &mut options.sim),
        example: "--sim bench.toml",
        // Harmless where no drive is needed, and a shell alias may hold it.
        verbs: &Verb::ALL,
        brief: "simulated drives from this file, no real ones",
        more: "",
    },
    Switch {
        long: "plain",
        kind: Kind::Flag(|request| &mut request.options.plain),
        example: "--plain",
        verbs: &Verb::ALL,
        brief: "no bars, countdowns and colours",
        more: "For screen readers and logs.",
    },
    Switch {
        long: "log",
        kind: Kind::Value("FILE", Values::Paths, |options| &mut options.log),
        example: "--log mtkflash.log",
        verbs: &Verb::ALL,
        brief: "another file for the log that a run with drives leaves",
        more: "",
    },
    Switch {
        long: "no-log",
        kind: Kind::Flag(|request| &mut request.options.no_log),
        example: "--no-log",
        verbs: &Verb::ALL,
        brief: "leave no log",
        more: "",
    },
    Switch {
        long: "force",
        kind: Kind::Value(
            "CHECK",
            Values::Names(|| Check::ALL.map(Check::name).to_vec()),
            |options| &mut options.force,
        ),
        example: "--force=model",
        verbs: &[Read, Write, Verify, Erase, Verb::Check, Revive],
        brief: "pass one check, by its name",
        more: "May be repeated, or take a list: --force=model,medium.",
    },
];

/// The switch with this letter, in any case.
pub fn by_letter(letter: char) -> Option<&'static Switch> {
    let letter = letter.to_ascii_lowercase();
    SWITCHES
        .iter()
        .find(|switch| switch.letter() == Some(letter))
}

/// The switch with this long name, in any case.
pub fn by_long(name: &str) -> Option<&'static Switch> {
    SWITCHES
        .iter()
        .find(|switch| switch.long.eq_ignore_ascii_case(name))
}
