//! What there is help on, and what the program writes about itself for others.

use super::{Verb, switches};

/// What the help is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// What fits one screen.
    Overview,
    /// One command with its switches.
    Command(Verb),
    Drives,
    Switches,
    /// The checks that `--force` passes.
    Force,
    /// The exit codes.
    Codes,
}

impl Topic {
    /// Every topic that has a name of its own.
    pub const NAMED: [Topic; 4] = [Topic::Drives, Topic::Force, Topic::Codes, Topic::Switches];

    /// Every topic.
    pub fn all() -> impl Iterator<Item = Topic> {
        let commands = Verb::ALL.into_iter().map(Topic::Command);
        std::iter::once(Topic::Overview)
            .chain(commands)
            .chain(Topic::NAMED)
    }

    /// What is typed behind `help`; nothing for the overview.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Topic::Overview => None,
            Topic::Command(verb) => Some(verb.letter()),
            Topic::Drives => Some("drives"),
            Topic::Switches => Some("switches"),
            Topic::Force => Some("force"),
            Topic::Codes => Some("codes"),
        }
    }

    /// The topic of this name, in any case; a command by its letter or word, a switch by
    /// its long one.
    pub(super) fn named(word: &str) -> Option<Topic> {
        let named = |topic: &Topic| {
            topic
                .name()
                .is_some_and(|name| word.eq_ignore_ascii_case(name))
        };
        let command = Verb::named(word).map(Topic::Command);
        let codes = || {
            word.eq_ignore_ascii_case("exit-codes")
                .then_some(Topic::Codes)
        };
        let switch = || switches::by_long(word).map(|_| Topic::Switches);
        command
            .or_else(|| Topic::NAMED.into_iter().find(named))
            .or_else(codes)
            .or_else(switch)
    }
}

/// A text that the program writes of its tables for another program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Artifact {
    Man,
    Bash,
    Zsh,
    Fish,
}

impl Artifact {
    pub const ALL: [Artifact; 4] = [Artifact::Man, Artifact::Bash, Artifact::Zsh, Artifact::Fish];

    /// What is typed behind `--generate`.
    pub fn name(self) -> &'static str {
        match self {
            Artifact::Man => "man",
            Artifact::Bash => "bash",
            Artifact::Zsh => "zsh",
            Artifact::Fish => "fish",
        }
    }
}
