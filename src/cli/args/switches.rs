//! Every switch and option, once: the parser, the check of what goes with which
//! command, and the help read this table.

use super::Verb::{self, Check, Erase, Inspect, Read, Verify, Write};

/// One switch or option.
#[derive(Debug)]
pub struct Switch {
    /// The long name without its dashes; also how the parser calls it.
    pub long: &'static str,
    /// The letter, typed as `/m`, `/M`, `-m` or `-M`.
    pub letter: Option<char>,
    /// What stands for its value in the help; `None` for one without a value.
    pub value: Option<&'static str>,
    /// Whether it may be given again, each time adding to what it names.
    pub repeatable: bool,
    /// How to type it, for messages.
    pub example: &'static str,
    /// The commands that it goes with.
    pub verbs: &'static [Verb],
    /// What it does, one line each.
    pub help: &'static [&'static str],
}

impl Switch {
    /// How messages call it: `/m`, `--keep`.
    pub fn name(&self) -> &'static str {
        self.example
            .split([' ', '='])
            .next()
            .unwrap_or(self.example)
    }
}

/// In the order of the help.
pub const SWITCHES: &[Switch] = &[
    Switch {
        long: "merge",
        letter: Some('m'),
        value: None,
        repeatable: false,
        example: "/m",
        verbs: &[Read, Write, Verify, Inspect],
        help: &["all banks in one file; without it one file per bank"],
    },
    Switch {
        long: "binary",
        letter: Some('b'),
        value: None,
        repeatable: false,
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
        value: None,
        repeatable: false,
        example: "--yes",
        verbs: &[Read, Write, Verify, Erase, Check],
        help: &["do not ask for YES"],
    },
    Switch {
        long: "dry-run",
        letter: None,
        value: None,
        repeatable: false,
        example: "--dry-run",
        verbs: &[Write, Erase],
        help: &["show what would be done and change nothing"],
    },
    Switch {
        long: "backup",
        letter: None,
        value: Some("FILE"),
        repeatable: false,
        example: "--backup backup.bin",
        verbs: &[Write, Erase],
        help: &["where the backup goes that is made before a change"],
    },
    Switch {
        long: "no-backup",
        letter: None,
        value: None,
        repeatable: false,
        example: "--no-backup",
        verbs: &[Write, Erase],
        help: &["change the flash without a way back"],
    },
    Switch {
        long: "banks",
        letter: None,
        value: Some("LIST"),
        repeatable: false,
        example: "--banks 0-3,7",
        verbs: &[Read, Write, Verify, Erase],
        help: &["only these 64 KiB banks: 0-3,7"],
    },
    Switch {
        long: "range",
        letter: None,
        value: Some("START-END"),
        repeatable: false,
        example: "--range 0x4000-0x5fff",
        verbs: &[Read, Write, Verify, Erase],
        help: &["only these bytes, both ends included: 0x0-0xfff"],
    },
    Switch {
        long: "keep",
        letter: None,
        value: Some("START-END"),
        repeatable: true,
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
        value: Some("BYTES"),
        repeatable: false,
        example: "--size 256K",
        verbs: &[Read, Verify],
        help: &["read an unknown chip as this big: 262144, 256K, 1M"],
    },
    Switch {
        long: "wait",
        letter: None,
        value: Some("SECONDS"),
        repeatable: false,
        example: "--wait 200",
        verbs: &[Read, Write, Verify, Erase, Check],
        help: &[
            "how long to go on asking a drive that refuses,",
            "while you switch it off and on (200 on a terminal,",
            "0 in a script)",
        ],
    },
    Switch {
        long: "via",
        letter: None,
        value: Some("WAY"),
        repeatable: false,
        example: "--via ata",
        verbs: &[Read, Write, Verify, Erase, Check],
        help: &["the way to the drive: sg, ata or port"],
    },
    Switch {
        long: "protocol",
        letter: None,
        value: Some("NAME"),
        repeatable: false,
        example: "--protocol vendor",
        verbs: &[Read, Write, Verify, Erase, Check],
        help: &["use this protocol instead of the detected one"],
    },
    Switch {
        long: "sim",
        letter: None,
        value: Some("BENCH"),
        repeatable: false,
        example: "--sim bench.toml",
        // Harmless where no drive is needed, and a shell alias may hold it.
        verbs: &Verb::ALL,
        help: &["simulated drives from this file, no real ones"],
    },
    Switch {
        long: "force",
        letter: None,
        value: Some("CHECK"),
        repeatable: true,
        example: "--force=model",
        verbs: &[Read, Write, Verify, Erase, Check],
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
