//! What was read of a flash, what is to be done with it, and what was done.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::drive::identity;
use super::{banks, fields, numbers, range, ranges, text};
use crate::cli::commands::change;
use crate::cli::outcome::{Dumped, OfDrive, Proposed, Takes};
use crate::cli::words;
use crate::flash::Bank;
use crate::image::Crc32;
use crate::job::change::{Backup, Proposal, Work};
use crate::job::change::{Changed, Evidence};
use crate::job::interrupted::Unfinished;
use crate::job::verify::{Compared, Difference};

pub fn dumped(dump: &Dumped) -> Value {
    let record = &dump.record;
    json!({
        "dump": {
            "files": dump.files.iter().map(text).collect::<Vec<_>>(),
            "record": text(&dump.beside),
            "format": dump.format.to_string(),
            "bytes": dump.bytes(),
            "sum": record.sum.to_string(),
            "crc32": record.crc32.to_string(),
            "findings": dump.damage.as_ref().map(|damage| [super::image::damage(damage)]),
        },
        "banks": banks(&dump.banks()),
        "gaps": ranges(&record.gaps),
        "disagreements": record.disagreements,
        "unconfirmed": record.unconfirmed.then_some(true),
        "half_written": record.half_written.then_some(true),
        "remapped": dump.remapped.map(|remapped| [range(&remapped)]),
    })
}

pub fn of_proposal(proposed: &Proposed) -> Value {
    let proposal = &proposed.proposal;
    json!({
        "fit": proposal.fit.as_ref().map(|fit| json!({
            "text": words::fit::matched(fit),
            "overridden": fit.forced.map(|check| check.name()),
        })),
        "warnings": change::warnings(proposed).collect::<Vec<_>>(),
        "notes": change::notes(proposed).collect::<Vec<_>>(),
        "kept": ranges(&proposal.kept),
        "resumed": matches!(proposal.backup, Backup::Earlier(_)),
        "backup": backup(&proposal.backup),
        "plan": plan(proposal),
        "time": proposed.time.as_ref().map(time),
    })
}

fn backup(backup: &Backup) -> Value {
    let of = |status: &str, path: &Path, crc32: Crc32| json!({"status": status, "path": text(path), "crc32": crc32.to_string()});
    let of_another = |status: &str, Unfinished { path, record, .. }: &Unfinished| {
        let mut object = of(status, path, record.crc32);
        object["date"] = record.date.to_string().into();
        object
    };
    match backup {
        Backup::Made { path, crc32 } => of("made", path, *crc32),
        Backup::Earlier(earlier) => of_another("earlier", earlier),
        Backup::Before(earlier) => of_another("before", earlier),
        Backup::Mixture { path, crc32 } => of("half-written", path, *crc32),
        Backup::Planned(path) => json!({"status": "planned", "path": text(path)}),
        Backup::None => json!({"status": "none"}),
        Backup::Impossible => json!({"status": "impossible"}),
        Backup::NotNeeded => json!({"status": "not-needed"}),
    }
}

fn time(takes: &Takes) -> Value {
    json!({
        "seconds_spent": takes.spent.as_secs(),
        "seconds_to_come": takes.to_come.map(|time| time.as_secs()),
        "drive_programs": takes.drive_programs,
    })
}

fn plan(proposal: &Proposal) -> Value {
    match &proposal.work {
        _ if proposal.is_empty() => json!({"kind": "nothing"}),
        Work::Download(download) => {
            json!({"kind": "download", "bytes": download.prepared.content.len()})
        }
        Work::InPlace { plan, .. } => {
            let summary = plan.summary();
            json!({
                "kind": "in-place",
                "sectors_to_erase": summary.sectors_to_erase,
                "bytes_to_erase": summary.bytes_to_erase,
                "whole_chip": proposal.erases_everything(),
                "bytes_to_program": summary.bytes_to_program,
                "banks": numbers(&summary.banks),
            })
        }
    }
}

pub fn compared(compared: &Compared) -> Value {
    let owned = compared.owned.iter().map(|owned| range(&owned.range));
    json!({
        "banks": banks(&compared.sums),
        "sum": compared.total.to_string(),
        "difference": compared.difference.as_ref().map(difference),
        "disagreements": compared.disagreements,
        "gaps": ranges(&compared.gaps),
        "not_compared": owned.collect::<Vec<_>>(),
    })
}

fn difference(difference: &Difference) -> Value {
    json!({
        "bytes": difference.count,
        "banks": numbers(&difference.banks),
        "first": difference.first.0,
        "expected": difference.expected,
        "found": difference.found,
    })
}

pub fn of_change(changed: &Changed, whole_chip: bool) -> Value {
    let mut object = match &changed.evidence {
        Evidence::ReadBack(found) => fields(compared(found)),
        Evidence::Accepted(why) => {
            fields(json!({"not_read_back": words::device::not_read_back(why)}))
        }
    };
    let read_back = matches!(changed.evidence, Evidence::ReadBack(_));
    object.extend(fields(json!({
        "change": {
            "read_back": read_back,
            "sectors_erased": changed.erased,
            "whole_chip": whole_chip,
            "bytes": changed.programmed,
        },
        "restart": changed.restart.as_ref().map(|restart| json!({
            "before": restart.before.as_ref().map(identity),
            "after": identity(&restart.after),
            "runs": restart.firmware.as_ref().map(|now| {
                words::blu_ray::runs(restart.firmware_before.as_deref(), now)
            }),
        })),
        "flash": {"state": if read_back { "as-asked" } else { "accepted" }},
    })));
    object.into()
}

/// Adds what a bank was before the change, where it was read.
pub fn with_sums_before(drive: &OfDrive, object: &mut Map<String, Value>) {
    let banks = object.get_mut("banks").and_then(Value::as_array_mut);
    for bank in banks.into_iter().flatten() {
        let number = bank["bank"].as_u64().and_then(|bank| bank.try_into().ok());
        let before = number.and_then(|number| drive.before.get(&Bank(number)));
        bank["before"] = before.map(ToString::to_string).into();
    }
}
