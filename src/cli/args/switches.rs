//! Every switch and option, once: the parser, the printer, the check of what
//! goes with which command, and the help read this table.

use std::ffi::{OsStr, OsString};

use super::Verb::{self, Check, Erase, Inspect, Read, Revive, Verify, Write};
use super::{Form, Request, UsageError, values};
use crate::image::{Checksum, Crc32};

/// One switch or option.
#[derive(Debug)]
pub struct Switch {
    /// The long name without its dashes; also how the parser calls it.
    pub long: &'static str,
    /// The letter, typed as `/m`, `/M`, `-m` or `-M`.
    pub letter: Option<char>,
    pub kind: Kind,
    /// How to type it, for messages.
    pub example: &'static str,
    /// The commands that it goes with.
    pub verbs: &'static [Verb],
    /// What it does, one line each.
    pub help: &'static [&'static str],
}

/// How a switch gets into a request, and out of it again.
#[derive(Debug)]
pub enum Kind {
    /// It is there or not.
    Flag(fn(&mut Request) -> &mut bool),
    /// It has a value.
    Value {
        /// What stands for the value in the help.
        name: &'static str,
        /// Whether it may be given again, each time adding to what it names.
        repeatable: bool,
        parse: fn(&mut Request, &'static Switch, &OsStr) -> Result<(), UsageError>,
        /// The values to type for what the request holds.
        print: fn(&Request) -> Vec<OsString>,
    },
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
        match self.long {
            "force" => UsageError::NoCheckNamed,
            option => UsageError::MissingValue {
                option,
                example: self.example,
            },
        }
    }

    /// What stands for its value in the help; `None` for one without a value.
    pub fn value(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Flag(_) => None,
            Kind::Value { name, .. } => Some(name),
        }
    }
}

/// In the order of the help.
pub const SWITCHES: &[Switch] = &[
    Switch {
        long: "merge",
        letter: Some('m'),
        kind: Kind::Flag(|request| &mut request.merged),
        example: "/m",
        verbs: &[Read, Write, Verify, Inspect],
        help: &["all banks in one file; without it one file per bank"],
    },
    Switch {
        long: "binary",
        letter: Some('b'),
        kind: Kind::Flag(|request| &mut request.binary),
        example: "/b",
        verbs: &[Read, Write, Verify, Inspect],
        help: &[
            "raw binary; without it r writes bank-marked HEX",
            "(w, v and i see from the content which it is)",
        ],
    },
    Switch {
        long: "yes",
        letter: Some('y'),
        kind: Kind::Flag(|request| &mut request.options.yes),
        example: "--yes",
        verbs: &[Read, Write, Verify, Erase, Check],
        help: &["do not ask for YES"],
    },
    Switch {
        long: "json",
        letter: None,
        kind: Kind::Flag(|request| &mut request.options.json),
        example: "--json",
        verbs: &Verb::ALL,
        help: &[
            "the outcome as one JSON object on standard output,",
            "for programs; what people read goes to standard error",
        ],
    },
    Switch {
        long: "events",
        letter: None,
        kind: Kind::Flag(|request| &mut request.options.events),
        example: "--events",
        verbs: &Verb::ALL,
        help: &["what happens as lines of JSON on standard error"],
    },
    Switch {
        long: "quiet",
        letter: None,
        kind: Kind::Flag(|request| &mut request.options.quiet),
        example: "--quiet",
        verbs: &Verb::ALL,
        help: &["no progress: results, questions, warnings, failures"],
    },
    Switch {
        long: "dry-run",
        letter: None,
        kind: Kind::Flag(|request| &mut request.options.dry_run),
        example: "--dry-run",
        verbs: &[Write, Erase],
        help: &["show what would be done and change nothing"],
    },
    Switch {
        long: "backup",
        letter: None,
        kind: Kind::Value {
            name: "PATH",
            repeatable: false,
            parse: |request, _, word| {
                request.options.backup = Some(word.into());
                Ok(())
            },
            print: |request| values::print_path(request.options.backup.as_deref()),
        },
        example: "--backup backup.bin",
        verbs: &[Write, Erase, Revive],
        help: &[
            "where the backup goes that is made before a change:",
            "a file, or a folder in which it gets a name",
        ],
    },
    Switch {
        long: "no-backup",
        letter: None,
        kind: Kind::Flag(|request| &mut request.options.no_backup),
        example: "--no-backup",
        verbs: &[Write, Erase, Revive],
        help: &["change the flash without a way back"],
    },
    Switch {
        long: "skip-if-same",
        letter: None,
        kind: Kind::Flag(|request| &mut request.options.skip_if_same),
        example: "--skip-if-same",
        verbs: &[Write],
        help: &[
            "write nothing into a drive that cannot be read and",
            "says that it has the image's revision already",
        ],
    },
    Switch {
        long: "entry",
        letter: None,
        kind: Kind::Value {
            name: "N|NAME",
            repeatable: false,
            parse: |request, switch, word| {
                request.options.entry = Some(values::text(switch, word)?.to_owned());
                Ok(())
            },
            print: |request| values::print_name(request.options.entry.as_deref()),
        },
        example: "--entry 2",
        verbs: &[Write, Verify, Inspect],
        help: &[
            "the image of this number or name, of several in a ZIP",
            "or flasher",
        ],
    },
    Switch {
        long: "sum",
        letter: None,
        kind: Kind::Value {
            name: "XXXX",
            repeatable: false,
            parse: |request, switch, word| {
                let sum = values::hex_of(switch, word, 4)?;
                request.options.sum = Some(Checksum(sum as u16));
                Ok(())
            },
            print: |request| values::print_shown(request.options.sum),
        },
        example: "--sum 4a1f",
        verbs: &[Write, Verify, Inspect],
        help: &["the 16-bit sum that the image must have, in hex"],
    },
    Switch {
        long: "crc32",
        letter: None,
        kind: Kind::Value {
            name: "XXXXXXXX",
            repeatable: false,
            parse: |request, switch, word| {
                request.options.crc32 = Some(Crc32(values::hex_of(switch, word, 8)?));
                Ok(())
            },
            print: |request| values::print_shown(request.options.crc32),
        },
        example: "--crc32 1f2e3d4c",
        verbs: &[Write, Verify, Inspect],
        help: &["the CRC-32 that the image or its file must have"],
    },
    Switch {
        long: "to",
        letter: None,
        kind: Kind::Value {
            name: "FORM",
            repeatable: false,
            parse: |request, switch, word| {
                request.options.to = Some(values::form(switch, word)?);
                Ok(())
            },
            print: |request| values::print_name(request.options.to.map(Form::name)),
        },
        example: "--to bin --out firmware.bin",
        verbs: &[Inspect],
        help: &["convert the image: bin, hex, or banks (a file each)"],
    },
    Switch {
        long: "out",
        letter: None,
        kind: Kind::Value {
            name: "NAME",
            repeatable: false,
            parse: |request, _, word| {
                request.options.out = Some(word.into());
                Ok(())
            },
            print: |request| values::print_path(request.options.out.as_deref()),
        },
        example: "--out firmware.bin --to bin",
        verbs: &[Inspect],
        help: &["the file that --to makes"],
    },
    Switch {
        long: "banks",
        letter: None,
        kind: Kind::Value {
            name: "LIST",
            repeatable: false,
            parse: |request, switch, word| {
                request.options.banks = Some(values::banks(switch, word)?);
                Ok(())
            },
            print: |request| values::print_banks(request.options.banks.as_deref()),
        },
        example: "--banks 0-3,7",
        verbs: &[Read, Write, Verify, Erase],
        help: &["only these 64 KiB banks: 0-3,7"],
    },
    Switch {
        long: "range",
        letter: None,
        kind: Kind::Value {
            name: "START-END",
            repeatable: false,
            parse: |request, switch, word| {
                request.options.range = Some(values::range(switch, word)?);
                Ok(())
            },
            print: |request| values::print_ranges(request.options.range.as_slice()),
        },
        example: "--range 0x4000-0x5fff",
        verbs: &[Read, Write, Verify, Erase],
        help: &["only these bytes, both ends included: 0x0-0xfff"],
    },
    Switch {
        long: "keep",
        letter: None,
        kind: Kind::Value {
            name: "START-END",
            repeatable: true,
            parse: |request, switch, word| {
                request.options.keep.push(values::range(switch, word)?);
                Ok(())
            },
            print: |request| values::print_ranges(&request.options.keep),
        },
        example: "--keep 0x4000-0x5fff",
        verbs: &[Write, Erase],
        help: &[
            "leave these bytes of the flash as they are, both",
            "ends included: 0x4000-0x5fff or 4000h-5FFFh;",
            "may be repeated",
        ],
    },
    Switch {
        long: "size",
        letter: None,
        kind: Kind::Value {
            name: "BYTES",
            repeatable: false,
            parse: |request, switch, word| {
                request.options.size = Some(values::size(switch, word)?);
                Ok(())
            },
            print: |request| values::print_size(request.options.size),
        },
        example: "--size 256K",
        verbs: &[Read, Verify],
        help: &["read an unknown chip as this big: 262144, 256K, 1M"],
    },
    Switch {
        long: "wait",
        letter: None,
        kind: Kind::Value {
            name: "SECONDS",
            repeatable: false,
            parse: |request, switch, word| {
                request.options.wait = Some(values::seconds(switch, word)?);
                Ok(())
            },
            print: |request| values::print_seconds(request.options.wait),
        },
        example: "--wait 200",
        verbs: &[Read, Write, Verify, Erase, Check, Revive],
        help: &[
            "how long to go on asking a drive that refuses,",
            "while you switch it off and on (200 on a terminal,",
            "0 in a script)",
        ],
    },
    Switch {
        long: "via",
        letter: None,
        kind: Kind::Value {
            name: "WAY",
            repeatable: false,
            parse: |request, switch, word| {
                request.options.via = Some(values::via(switch, word)?);
                Ok(())
            },
            print: |request| values::print_name(request.options.via.map(super::Via::name)),
        },
        example: "--via ata",
        verbs: &[Read, Write, Verify, Erase, Check, Revive],
        help: &["the way to the drive: sg, ata or port"],
    },
    Switch {
        long: "protocol",
        letter: None,
        kind: Kind::Value {
            name: "NAME",
            repeatable: false,
            parse: |request, switch, word| {
                let name = values::text(switch, word)?.to_ascii_lowercase();
                request.options.protocol = Some(name);
                Ok(())
            },
            print: |request| values::print_name(request.options.protocol.as_deref()),
        },
        example: "--protocol vendor",
        verbs: &[Read, Write, Verify, Erase, Check, Revive],
        help: &["use this protocol instead of the detected one"],
    },
    Switch {
        long: "sim",
        letter: None,
        kind: Kind::Value {
            name: "BENCH",
            repeatable: false,
            parse: |request, _, word| {
                request.options.sim = Some(word.into());
                Ok(())
            },
            print: |request| values::print_path(request.options.sim.as_deref()),
        },
        example: "--sim bench.toml",
        // Harmless where no drive is needed, and a shell alias may hold it.
        verbs: &Verb::ALL,
        help: &["simulated drives from this file, no real ones"],
    },
    Switch {
        long: "plain",
        letter: None,
        kind: Kind::Flag(|request| &mut request.options.plain),
        example: "--plain",
        verbs: &Verb::ALL,
        help: &["no bars and countdowns, for screen readers and logs"],
    },
    Switch {
        long: "log",
        letter: None,
        kind: Kind::Value {
            name: "FILE",
            repeatable: false,
            parse: |request, _, word| {
                request.options.log = Some(word.into());
                Ok(())
            },
            print: |request| values::print_path(request.options.log.as_deref()),
        },
        example: "--log mtkflash.log",
        verbs: &Verb::ALL,
        help: &["another file for the log that every run leaves"],
    },
    Switch {
        long: "no-log",
        letter: None,
        kind: Kind::Flag(|request| &mut request.options.no_log),
        example: "--no-log",
        verbs: &Verb::ALL,
        help: &["leave no log"],
    },
    Switch {
        long: "force",
        letter: None,
        kind: Kind::Value {
            name: "CHECK",
            repeatable: true,
            parse: |request, switch, word| {
                let checks = values::checks(switch, word)?;
                request.options.force.extend(checks);
                Ok(())
            },
            print: |request| values::print_checks(&request.options.force),
        },
        example: "--force=model",
        verbs: &[Read, Write, Verify, Erase, Check, Revive],
        help: &[
            "pass one check, by its name below; may be repeated",
            "or take a list: --force=model,medium",
        ],
    },
];

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
