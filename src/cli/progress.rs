//! Events on the screen: a bar per bank on a terminal, plain lines elsewhere.
//! Everything here goes to standard error.

mod banks;

use std::io::{self, IsTerminal};
use std::time::Duration;

use banks::Banks;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::Request;
use super::manner::Manner;
use super::text::Text;
use super::visible::visible;
use super::wrap;
use crate::cli::words::InWords;
use crate::job::{Event, Phase};
use crate::protocol::download::Progress as Share;
use crate::protocol::vendor_mode::Waiting;

/// Shows what a job tells.
#[derive(Default)]
pub struct Progress {
    bar: Option<ProgressBar>,
    is_terminal: bool,
    disagreements: u64,
    gaps: u64,
    countdown: Option<ProgressBar>,
    told_to_switch: bool,
    told_to_wait: bool,
    banks: Banks,
    manner: Manner,
    /// Of one among several drives: what it is called, and where its bar is.
    among: Option<(String, MultiProgress)>,
}

impl Progress {
    /// Of a run that may change the flash a bank has its line once it was read back.
    pub fn new(
        manner: Manner,
        request: &Request,
        among: Option<(String, MultiProgress)>,
    ) -> Progress {
        let is_loud = !manner.events && !manner.quiet && !manner.plain;
        Progress {
            manner,
            is_terminal: is_loud && io::stderr().is_terminal(),
            banks: Banks::of(request.changes(), request.erasing().is_some()),
            among,
            ..Progress::default()
        }
    }
}

/// Ranges that a drive refuses to have read are told one by one up to here.
const SHOWN_GAPS: u64 = 8;
const MORE_GAPS: u64 = SHOWN_GAPS + 1;

/// Disagreements shown one by one; more than these are only counted.
const SHOWN_DISAGREEMENTS: u64 = 5;

impl Progress {
    pub fn show(&mut self, event: Event) {
        match event {
            Event::AwaitingDrive { .. } | Event::StopPostponed => {}
            _ if self.manner.events || self.manner.quiet => return,
            _ => {}
        }
        for line in self.banks.hear(&event, self.is_terminal) {
            self.line(line);
        }
        match event {
            Event::Started { phase, bytes } => self.start(phase, bytes),
            Event::Bank { phase, bank } => {
                if let Some(bar) = &self.bar {
                    bar.set_message(format!("{} bank {bank}", verb(phase)));
                }
            }
            Event::Progress { bytes, .. } => {
                if let Some(bar) = &self.bar {
                    bar.inc(bytes);
                }
            }
            Event::BankDone { .. } | Event::FirstPageLeft { .. } => {}
            Event::Finished { .. } => self.clear(),
            Event::Disagreement { at, first, second } => {
                self.disagreements += 1;
                if self.disagreements <= SHOWN_DISAGREEMENTS {
                    self.line(format!(
                        "{at} read as {first:02x} and then as {second:02x}: reading it again"
                    ));
                }
            }
            Event::Gap { range, reason } => {
                if let Some(bar) = &self.bar {
                    bar.inc(u64::from(range.len()));
                }
                self.gaps += 1;
                match self.gaps {
                    1..=SHOWN_GAPS => self.line(format!(
                        "{range}: the drive refuses to have this read ({reason}); going on behind it."
                    )),
                    MORE_GAPS => self.line("And more. All of it is named at the end."),
                    _ => {}
                }
            }
            Event::AwaitingDrive {
                remaining,
                last,
                progress,
            } => self.await_drive(remaining, &last.in_words(), progress),
            Event::StopPostponed => self.line(
                "The flash is being changed: stopping now would leave it half-written. \
                 The job goes on to its end.",
            ),
        }
    }

    /// The drive refuses vendor mode and is asked again.
    pub fn show_waiting(&mut self, waiting: Waiting) {
        if !std::mem::replace(&mut self.told_to_switch, true) {
            for line in how_to_switch(waiting) {
                self.line(line);
            }
        }
        if self.is_terminal {
            self.count_down(asking_again(waiting));
        }
    }

    fn count_down(&mut self, text: String) {
        let countdown = self.countdown.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            shown(bar, &self.among, "{msg}")
        });
        countdown.set_message(visible(&text).into_owned());
        countdown.tick();
    }

    /// The drive has its new firmware and is asked whether it is back.
    fn await_drive(&mut self, remaining: Duration, last: &str, progress: Option<Share>) {
        if !std::mem::replace(&mut self.told_to_wait, true) {
            self.line("The drive programs and starts anew. Do not switch it off.");
        }
        if !self.is_terminal {
            return;
        }
        self.count_down(match progress {
            Some(Share { done, of }) => format!("The drive has programmed {done} of {of} parts."),
            None => format!("Asking again for {:>3} s ({last}).", remaining.as_secs()),
        });
    }

    pub fn end_waiting(&mut self) {
        if let Some(countdown) = self.countdown.take() {
            countdown.finish_and_clear();
        }
    }

    /// A line that is no warning.
    pub fn remark(&mut self, text: impl Into<Text>) {
        if !self.manner.quiet {
            self.line(text);
        }
    }

    /// A line that stays.
    pub fn line(&mut self, text: impl Into<Text>) {
        if self.manner.events {
            return;
        }
        let text = text.into();
        let text = match &self.among {
            Some((name, bars)) => {
                let mut named = Text::default();
                for line in text.to_string().lines() {
                    named.words_behind(&format!("{name}: "), line);
                }
                if self.is_terminal {
                    let text = wrap::for_output(&named, io::stderr());
                    // As with any other line: nobody may be listening.
                    let _ = bars.println(text.trim_end_matches('\n'));
                    return;
                }
                named
            }
            None => text,
        };
        match self.countdown.as_ref().or(self.bar.as_ref()) {
            Some(bar) if self.is_terminal => {
                let text = wrap::for_output(&text, io::stderr());
                bar.println(text.trim_end_matches('\n'));
            }
            _ => eprintln_quietly(text),
        }
    }

    /// Takes the bar away; what was said in lines stays.
    pub fn clear(&mut self) {
        self.end_waiting();
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn start(&mut self, phase: Phase, bytes: u64) {
        self.clear();
        if !self.is_terminal || bytes == 0 {
            return;
        }
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr());
        let bar = shown(
            bar,
            &self.among,
            "{msg:18} {bar:30} {percent:>3} %  {bytes_per_sec}  {eta} left",
        );
        bar.set_message(verb(phase).to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        self.bar = Some(bar);
    }
}

fn how_to_switch(waiting: Waiting) -> [String; 2] {
    [
        format!(
            "The drive does not enter vendor mode yet ({}).",
            last_answer(waiting)
        ),
        "Switch the drive off and on now, prepared in the way that you are trying; the first way is \
         to hold its eject button meanwhile."
            .to_owned(),
    ]
}

fn asking_again(waiting: Waiting) -> String {
    format!(
        "Asking again for {:>3} s ({}). Ctrl-C stops.",
        waiting.remaining.as_secs(),
        last_answer(waiting)
    )
}

fn last_answer(waiting: Waiting) -> String {
    match waiting.status {
        Some(status) => format!("status {status:02X}, should be 70, 72 or 73"),
        None => "no answer".to_owned(),
    }
}

/// With the drive's name in front, below the bars of the others.
fn shown(bar: ProgressBar, among: &Option<(String, MultiProgress)>, template: &str) -> ProgressBar {
    match among {
        Some((name, bars)) => {
            let bar = bars.add(bar);
            bar.set_style(style(&format!("{{prefix:6}} {template}")));
            bar.set_prefix(name.clone());
            bar
        }
        None => {
            bar.set_style(style(template));
            bar
        }
    }
}

/// In ASCII, which every terminal has.
fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template);
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("=>-")
}

/// A standard error that is closed is no reason to end a job.
pub fn eprintln_quietly(text: impl Into<Text>) {
    use std::io::Write;
    let text = wrap::for_output(&text.into(), io::stderr());
    let _ = io::stderr().write_all(text.as_bytes());
}

fn verb(phase: Phase) -> &'static str {
    match phase {
        Phase::Read => "Reading",
        Phase::Program => "Writing",
        Phase::Verify => "Verifying",
        Phase::BlankCheck => "Blank check",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drive_that_is_asked_again_is_shown_with_what_it_answered_last() {
        let told: Vec<String> = [Some(0x51), None]
            .into_iter()
            .map(|status| Waiting {
                status,
                remaining: Duration::from_secs(99),
            })
            .map(|waiting| {
                let told = how_to_switch(waiting).join("\n");
                format!("{told}\n{}", asking_again(waiting))
            })
            .collect();
        insta::assert_snapshot!(told.join("\n"));
    }
}
