//! The one question that the tool asks.

use std::io::{self, BufRead, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::Mutex;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::text::Text;
use super::visible::visible;
use super::wrap;
use crate::job::StopFlag;

/// What is to be typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// YES, in capitals, as the DOS tools wanted it.
    Yes,
    /// The drive's model, by whoever has overridden what keeps it alive: who
    /// types it has read it.
    Model(String),
}

impl Word {
    fn wanted(&self) -> String {
        match self {
            Word::Yes => TYPE_YES.to_owned(),
            Word::Model(model) => format!("Type the model, {model}, to go on: "),
        }
    }

    fn wanted_again(&self) -> String {
        match self {
            Word::Yes => ASKED_AGAIN.to_owned(),
            Word::Model(model) => format!("Type {model}, or Ctrl-C to stop: "),
        }
    }

    fn is(&self, answer: &str) -> bool {
        match self {
            Word::Yes => answer == "YES",
            Word::Model(model) => {
                let words = |text: &str| {
                    let words = text.split_whitespace().map(str::to_ascii_lowercase);
                    words.collect::<Vec<_>>()
                };
                words(answer) == words(model)
            }
        }
    }
}

/// How the question was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// The word, typed or by `--yes`.
    Given,
    /// Anything else.
    Denied,
    /// There is nobody to ask: standard input is no terminal.
    NobodyToAsk,
    /// A signal came instead of an answer.
    Stopped,
}

/// Whether somebody sits at a terminal who can see a question and answer it.
pub fn somebody_is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for YES, in capitals, as the DOS tools did.
pub fn ask(question: &Text, yes: bool, stop: &StopFlag) -> Consent {
    ask_for(&Word::Yes, question, yes, stop)
}

/// Asks for a word. Who has typed `--yes` has answered, with the model as well:
/// the check that is in the way was named by its name.
pub fn ask_for(word: &Word, question: &Text, yes: bool, stop: &StopFlag) -> Consent {
    if yes {
        return Consent::Given;
    }
    if !somebody_is_there() {
        return Consent::NobodyToAsk;
    }
    // Of several drives at once only one asks.
    static ASKING: Mutex<()> = Mutex::new(());
    let _asking = ASKING.lock();
    let question = wrap::for_output(question, io::stderr()) + &visible(&word.wanted());
    consent(word, &question, |text| typed(text, stop))
}

/// Asks for a line of any words; `None` where a signal or the end of all input
/// came instead.
pub fn line(question: &Text, stop: &StopFlag) -> Option<String> {
    let question = wrap::for_output(question, io::stderr());
    let answer = typed(&format!("{} ", question.trim_end()), stop)?;
    (!answer.is_empty()).then_some(answer)
}

/// What is typed behind this, nothing where that cannot be read; `None` where a signal
/// came instead.
fn typed(text: &str, stop: &StopFlag) -> Option<String> {
    let mut terminal = io::stderr();
    // A terminal that cannot be written to gives no answer either.
    let _ = terminal.write_all(text.as_bytes());
    let _ = terminal.flush();
    if !await_line(stop) {
        let _ = writeln!(terminal);
        return None;
    }
    let mut answer = String::new();
    let _ = io::stdin().lock().read_line(&mut answer);
    Some(answer)
}

/// The question as it is shown.
#[cfg(test)]
pub fn asked(question: &Text) -> String {
    format!("{question}{TYPE_YES}")
}

const TYPE_YES: &str = "Type YES to go on: ";
const ASKED_AGAIN: &str = "Type YES in capitals, or Ctrl-C to stop: ";

/// A `yes` that is all but the agreed word is asked for again so often: what it
/// would throw away may have taken half an hour to read.
const AGAIN: usize = 3;

/// Shows `question` and what follows by `answer`, which gives a line, or `None`
/// where a signal came instead.
fn consent(
    wanted: &Word,
    question: &str,
    mut answer: impl FnMut(&str) -> Option<String>,
) -> Consent {
    let again = visible(&wanted.wanted_again()).into_owned();
    let mut text = question;
    for _ in 0..=AGAIN {
        let Some(line) = answer(text) else {
            return Consent::Stopped;
        };
        let word = line.trim();
        if wanted.is(word) {
            return Consent::Given;
        }
        if !["yes", "y"].contains(&word.to_ascii_lowercase().as_str()) {
            return Consent::Denied;
        }
        text = &again;
    }
    Consent::Denied
}

/// Reading a line would sit through signals, whose handlers only set a flag.
fn await_line(stop: &StopFlag) -> bool {
    const LOOK_EVERY: u16 = 100;
    let stdin = io::stdin();
    while !stop.is_requested() {
        let mut fds = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
        match poll(&mut fds, PollTimeout::from(LOOK_EVERY)) {
            Ok(0) | Err(Errno::EINTR) => {}
            _ => return true,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of these answers, and how many of them were asked for.
    fn answered(answers: &[&str]) -> (Consent, usize) {
        let mut asked = Vec::new();
        let given = consent(&Word::Yes, "Type YES to go on: ", |text| {
            asked.push(text.to_owned());
            answers.get(asked.len() - 1).map(|&line| line.to_owned())
        });
        assert_eq!(asked.remove(0), "Type YES to go on: ");
        assert!(asked.iter().all(|text| text == ASKED_AGAIN), "{asked:?}");
        (given, asked.len() + 1)
    }

    #[test]
    fn a_yes_in_small_letters_is_asked_for_again_three_times() {
        for near in ["yes\n", "Yes\n", "y\n", "Y\n", "yES \r\n"] {
            assert_eq!(answered(&[near, "YES\n"]), (Consent::Given, 2));
            assert_eq!(answered(&[near, near, near, "YES\n"]), (Consent::Given, 4));
            assert_eq!(
                answered(&[near, near, near, near, "YES\n"]),
                (Consent::Denied, 4)
            );
            assert_eq!(answered(&[near, "no\n", "YES\n"]), (Consent::Denied, 2));
            assert_eq!(answered(&[near]), (Consent::Stopped, 2));
        }
    }

    #[test]
    fn any_other_answer_is_a_no_at_once() {
        for no in ["\n", "", "no\n", "n\n", "YES!\n", "yess\n", "O YES\n"] {
            assert_eq!(answered(&[no, "YES\n"]), (Consent::Denied, 1), "{no}");
        }
    }

    #[test]
    fn a_model_is_typed_as_it_is_and_nothing_else_stands_for_it() {
        let word = Word::Model("DVD RW DW-D22A".to_owned());
        let typed = |answer: &str| consent(&word, "", |_| Some(answer.to_owned()));
        for right in ["DVD RW DW-D22A\n", " dvd rw  dw-d22a \r\n"] {
            assert_eq!(typed(right), Consent::Given);
        }
        for wrong in ["YES\n", "yes\n", "\n", "DW-D22A\n", "DVD RW DW-D22\n"] {
            assert_eq!(typed(wrong), Consent::Denied, "{wrong}");
        }
    }

    #[test]
    fn the_word_in_capitals_is_consent() {
        assert_eq!(answered(&["YES\n"]), (Consent::Given, 1));
    }
}
