//! What a write or an erase would do, as people read it.

use std::time::Duration;

use crate::cli::outcome::{Proposed, Takes};
use crate::cli::text::Text;
use crate::cli::words;
use crate::cli::words::terms::{banks, counted};
use crate::flash::Bank;
use crate::job::change::{Backup, Proposal, Work};
use crate::job::interrupted::Unfinished;
use crate::job::record::Record;

/// What a write or an erase would do.
pub fn proposed(proposed: &Proposed) -> Text {
    let proposal = &proposed.proposal;
    let mut table = Text::default();
    if let Backup::Earlier(_) = &proposal.backup {
        let what = match proposal.fit {
            Some(_) => "write",
            None => "erase",
        };
        let text = format!("This goes on with the {what} that was interrupted.");
        table.row("Resumed", &text);
    }
    if let Some(fit) = &proposal.fit {
        table.row("Fit", &words::fit::matched(fit));
        if let Some(check) = fit.forced {
            table.row("", &format!("Overridden by --force={}.", check.name()));
        }
    }
    for warning in warnings(proposed) {
        table.row("Warning", &warning);
    }
    for range in &proposal.kept {
        table.row("Keep", &format!("{range} stays as it is"));
    }
    for note in notes(proposed) {
        table.row("Note", &note);
    }
    table.row("Backup", &backup(&proposal.backup));
    table.row("Plan", &plan(proposal));
    if let Some(takes) = &proposed.time {
        table.row("Time", &time(takes));
    }
    table.finish()
}

/// What its user should think twice about.
pub fn warnings(proposed: &Proposed) -> impl Iterator<Item = String> {
    let proposal = &proposed.proposal;
    let given_up = words::journal::given_up(&proposed.given_up);
    let unfinished = proposal.unfinished.iter().map(words::journal::notice);
    let unfinished = unfinished.chain(given_up);
    let warnings = proposal.warnings.iter().map(words::objection::warning);
    let resemblance = proposal.resemblance.iter().map(words::damage::resemblance);
    unfinished.chain(warnings).chain(resemblance)
}

/// What else there is to say about it.
pub fn notes(proposed: &Proposed) -> impl Iterator<Item = String> {
    let notes = proposed.proposal.notes.iter().map(words::objection::note);
    let unreadable = proposed.unreadable.iter();
    notes.chain(unreadable.map(words::device::only_by_its_coming_back))
}

fn time(takes: &Takes) -> String {
    const BY_ITSELF: &str = "as long as the drive takes to program by itself";
    let Takes {
        spent,
        to_come,
        drive_programs,
    } = *takes;
    let all = to_come.map(|to_come_exactly| {
        let all = words::objection::time(spent.saturating_add(to_come_exactly));
        let to_come = words::objection::time(to_come_exactly);
        match spent.as_secs() {
            0 => format!("about {all}"),
            _ if is_nearly_all(spent, to_come_exactly) => {
                format!("about {all}, nearly all of it to come")
            }
            // In minutes that are rounded up.
            _ if all == to_come => format!(
                "about {all} in all, {} of it spent",
                words::objection::time(spent)
            ),
            _ => format!("about {all} in all, {to_come} of it to come"),
        }
    });
    match (all, drive_programs) {
        // Sending takes no time to speak of.
        (Some(_), true) if spent.as_secs() + to_come.map_or(0, |time| time.as_secs()) == 0 => {
            BY_ITSELF.to_owned()
        }
        (Some(all), true) => format!("{all}, and {BY_ITSELF}"),
        (Some(all), false) => all,
        (None, true) => BY_ITSELF.to_owned(),
        (None, false) => "not known: nothing was measured".to_owned(),
    }
}

/// Whether less than a twentieth is spent.
fn is_nearly_all(spent: Duration, to_come: Duration) -> bool {
    spent.saturating_mul(20) < spent.saturating_add(to_come)
}

fn backup(backup: &Backup) -> String {
    match backup {
        Backup::Made { path, crc32 } => format!(
            "{} (CRC-32 {crc32}), read twice and on the disk",
            path.display()
        ),
        Backup::Earlier(earlier) => {
            format!(
                "{}, made before this write was begun, is intact",
                dated(earlier)
            )
        }
        Backup::Before(earlier) => format!(
            "{}, which holds what was in the flash before, is intact",
            dated(earlier)
        ),
        Backup::Mixture { path, crc32 } => format!(
            "{} (CRC-32 {crc32}), read twice and on the disk: it may be half-written, and no way \
             back",
            path.display()
        ),
        Backup::Planned(path) => format!("would go to {}", path.display()),
        Backup::Impossible => {
            "none: no firmware runs in this drive, and its boot code gives nothing of the flash"
                .to_owned()
        }
        Backup::None => "none, as you asked: there is no way back".to_owned(),
        Backup::NotNeeded => "not needed".to_owned(),
    }
}

/// `backup.bin (CRC-32 1f2e3d4c) of 2026-11-28 10:00:00 UTC`.
fn dated(Unfinished { path, record, .. }: &Unfinished) -> String {
    let Record { crc32, date, .. } = record;
    format!("{} (CRC-32 {crc32}) of {date}", path.display())
}

fn plan(proposal: &Proposal) -> String {
    let summary = match &proposal.work {
        _ if proposal.is_said() => {
            return "nothing: the drive says that it has this revision already".to_owned();
        }
        _ if proposal.is_empty() => return "nothing: the flash already holds this".to_owned(),
        Work::Download(download) => {
            let what = match proposal.fit {
                Some(_) => "all",
                None => "nothing but FF,",
            };
            return format!(
                "send {what} {} KiB; the drive erases and programs by itself",
                download.prepared.content.len() / 1024
            );
        }
        Work::InPlace { plan, .. } => plan.summary(),
    };
    let whole_chip = proposal.erases_everything();
    let erase = match (summary.sectors_to_erase, whole_chip) {
        (0, _) => "erase nothing".to_owned(),
        (1, true) => "erase the whole chip".to_owned(),
        (sectors, _) => format!("erase {}", counted(sectors as u64, "sector")),
    };
    let erase = match summary.bytes_to_erase {
        0 => erase,
        bytes if bytes % 1024 == 0 => format!("{erase} ({} KiB)", bytes / 1024),
        bytes => format!("{erase} ({bytes} bytes)"),
    };
    let program = match summary.bytes_to_program {
        0 => "program nothing".to_owned(),
        bytes => format!("program {}", counted(bytes.into(), "byte")),
    };
    let in_banks: Vec<Bank> = summary.banks.iter().copied().collect();
    format!("{erase}, {program}, in {}", banks(&in_banks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_is_told_where_it_is_more_than_a_twentieth() {
        let told = |spent, to_come| {
            time(&Takes {
                spent: Duration::from_secs(spent),
                to_come: Some(Duration::from_secs(to_come)),
                drive_programs: false,
            })
        };
        assert_eq!(told(0, 184), "about 4 min");
        assert_eq!(told(9, 200), "about 4 min, nearly all of it to come");
        assert_eq!(told(52, 184), "about 4 min in all, 52 s of it spent");
        assert_eq!(told(52, 300), "about 6 min in all, 5 min of it to come");
        assert_eq!(told(4, 6), "about 10 s in all, 6 s of it to come");
    }

    #[test]
    fn a_time_of_nothing_is_not_told_beside_the_drive_s_own() {
        let takes = |to_come| Takes {
            spent: Duration::ZERO,
            to_come: Some(Duration::from_millis(to_come)),
            drive_programs: true,
        };
        assert!(time(&takes(20)).starts_with("as long as the drive takes"));
        assert!(time(&takes(9000)).starts_with("about 9 s, and as long as"));
    }
}
