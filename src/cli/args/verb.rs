//! The commands: their letters, their words, and what the help, the man page and
//! the completions say of them.

use std::fmt;

/// A command by its letter alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    Read,
    Write,
    Verify,
    Erase,
    Check,
    List,
    Inspect,
    Revive,
}

/// What there is to say about a command.
#[derive(Debug)]
pub struct About {
    letter: &'static str,
    word: &'static str,
    /// How it is typed.
    pub form: &'static str,
    /// What it does, in half a line.
    pub brief: &'static str,
    /// The same in paragraphs.
    pub story: &'static [&'static str],
    pub examples: &'static [&'static str],
}

/// The commands in their order.
static ABOUT: [About; Verb::ALL.len()] = [
    About {
        letter: "r",
        word: "read",
        form: "mtkflash DRIVE r /m /b FILE",
        brief: "read the flash into FILE",
        story: &[
            "Every byte is read twice, and a third time where two reads differ. Nothing in \
                     the drive is changed. A text file of the same name and .txt beside FILE says \
                     which drive it is from, which chip, and its sums.",
            "A bank is 64 KiB of the flash. With /m all banks are in one file, without it \
                     each has its own. With /b the files are raw binary, without it bank-marked \
                     Intel HEX, whatever FILE is called.",
        ],
        examples: &[
            "mtkflash 3 r /m /b backup.bin",
            "mtkflash 1,2,4 r /m /b backup.bin",
        ],
    },
    About {
        letter: "w",
        word: "write",
        form: "mtkflash DRIVE w /m FILE",
        brief: "write FILE into the flash, after a backup",
        story: &[
            "FILE is raw binary, Intel HEX, one file per bank, or the image in a ZIP, 7z, \
                     CAB or gzip archive or a vendor's flasher. It has to be for this drive, and whole.",
            "First the flash is read and a backup is put on the disk. Drive, image, backup \
                     and plan are shown, and YES is asked for. Only what differs is erased and \
                     programmed, and all of it is read back. After an interruption the same \
                     command goes on.",
        ],
        examples: &[
            "mtkflash 3 w /m bys1.bin --dry-run",
            "mtkflash 3 w /m bys1.bin",
        ],
    },
    About {
        letter: "v",
        word: "verify",
        form: "mtkflash DRIVE v /m FILE",
        brief: "verify: compare the flash with FILE",
        story: &["Nothing is changed. A difference ends with exit code 8."],
        examples: &["mtkflash 3 v /m backup.bin"],
    },
    About {
        letter: "e",
        word: "erase",
        form: "mtkflash DRIVE e",
        brief: "erase the flash, after a backup",
        story: &[
            "The whole flash becomes FF, its boot code too where the drive does not keep that. \
                     Leave the drive on and write firmware: one without any may not let you in again once it was off.",
        ],
        examples: &["mtkflash 3 e --dry-run"],
    },
    About {
        letter: "c",
        word: "check",
        form: "mtkflash [DRIVE] c",
        brief: "check: drive, vendor mode and flash chip",
        story: &[
            "Takes the drive into vendor mode, in which its boot code lets the computer at \
                     the flash, and asks the chip what it is. Without DRIVE every drive is checked, \
                     one after another. Nothing in the flash is changed.",
        ],
        examples: &["mtkflash 3 c", "mtkflash 3 c --via port --wait 200"],
    },
    About {
        letter: "l",
        word: "list",
        form: "mtkflash l",
        brief: "list the drives",
        story: &["Drives are asked who they are, and nothing else."],
        examples: &["mtkflash l"],
    },
    About {
        letter: "i",
        word: "inspect",
        form: "mtkflash i FILE",
        brief: "inspect an image file; needs no drive",
        story: &[
            "Says what is in FILE, which drive it is for and whether it looks whole, and \
                     ends in a verdict. Of two files it shows where they differ. With --to and \
                     --out it writes the image down another way.",
        ],
        examples: &[
            "mtkflash i bys1.bin",
            "mtkflash i bys1.hex --to bin --out bys1.bin",
        ],
    },
    About {
        letter: "revive",
        word: "revive",
        form: "mtkflash [DRIVE] revive",
        brief: "a dead drive: all of it, step by step",
        story: &[
            "Asks and shows, one step at a time: which drive, how it lets you in, what is \
                     left in its flash, which file, write, look again. Each step shows the command \
                     that it stands for. Any step can be left with q.",
        ],
        examples: &["mtkflash revive"],
    },
];

impl Verb {
    pub const ALL: [Verb; 8] = [
        Verb::Read,
        Verb::Write,
        Verb::Verify,
        Verb::Erase,
        Verb::Check,
        Verb::List,
        Verb::Inspect,
        Verb::Revive,
    ];

    /// How it is typed: a letter, but for the one that has none.
    pub fn letter(self) -> &'static str {
        self.about().letter
    }

    pub fn word(self) -> &'static str {
        self.about().word
    }

    /// What it does and how it is typed, for the help and the man page.
    pub fn about(self) -> &'static About {
        &ABOUT[self as usize]
    }

    /// The command with this letter or word, in any case.
    pub fn named(word: &str) -> Option<Verb> {
        Verb::ALL.into_iter().find(|verb| {
            word.eq_ignore_ascii_case(verb.letter()) || word.eq_ignore_ascii_case(verb.word())
        })
    }

    /// Whether a drive is to be named with it, or may be.
    pub(super) fn takes_drive(self) -> bool {
        !matches!(self, Verb::List | Verb::Inspect)
    }

    /// Whether a drive must be named with it: no other is ever taken for it.
    pub fn needs_drive(self) -> bool {
        self.takes_drive() && !matches!(self, Verb::Check | Verb::Revive)
    }

    /// Whether it can be about every drive there is: it changes none.
    pub(super) fn takes_all(self) -> bool {
        matches!(self, Verb::Read | Verb::Verify | Verb::Check)
    }

    pub(super) fn takes_file(self) -> bool {
        matches!(
            self,
            Verb::Read | Verb::Write | Verb::Verify | Verb::Inspect
        )
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verb::Revive => f.write_str(self.word()),
            _ => write!(f, "{} ({})", self.letter(), self.word()),
        }
    }
}
