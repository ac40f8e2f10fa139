//! The one question that the tool asks.

use std::io::{self, BufRead, IsTerminal, Write};

/// How the question was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// YES, typed or by `--yes`.
    Given,
    /// Anything else.
    Denied,
    /// There is nobody to ask: standard input is no terminal.
    NobodyToAsk,
}

/// Whether somebody sits at a terminal who can see a question and answer it.
pub fn somebody_is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for YES, in capitals, as the DOS tools did.
pub fn ask(question: &str, yes: bool) -> Consent {
    if yes {
        return Consent::Given;
    }
    if !somebody_is_there() {
        return Consent::NobodyToAsk;
    }
    let mut terminal = io::stderr();
    // A terminal that cannot be written to gives no answer either.
    let _ = write!(terminal, "{question} Type YES to go on: ");
    let _ = terminal.flush();
    let mut answer = String::new();
    match io::stdin().lock().read_line(&mut answer) {
        Ok(_) if answer.trim_end_matches(['\r', '\n']) == "YES" => Consent::Given,
        _ => Consent::Denied,
    }
}
