//! A run's outcome as one JSON object. Its keys are a promise to scripts, and
//! `doc/json.md` tells what they mean: what is there keeps its name and meaning
//! while [`SCHEMA`] stays the same, and more may come.
//!
//! What is not known is left out. Numbers are numbers, in bytes and seconds, and
//! sums are the hex digits that the text shows. Sentences are for people and may
//! change.

mod event;

use std::ffi::OsStr;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::advice::{Advice, Line};
use super::args::{Command, Request, Verb};
use super::caller::Caller;
use super::exit::Exit;
use super::failure::{Failure, Flash};
use super::next::Blank;
use super::outcome::{
    Drive, Dumped, Examined, Finding, OfDrive, Outcome, Planned, Proposed, Spent, Takes, Verdict,
    WayBack,
};
use super::{help, report, words};
use crate::cli::words::InWords;
use crate::drive::ask::Medium;
use crate::flash::{Bank, FlashRange};
use crate::image::damage::{self, Certainty};
use crate::image::{self, Checksum, Differences, ImageIdentity, Problem, Report, Wrapping};
use crate::job::change::{Changed, Evidence};
use crate::job::listed::{Fits, FittingDrive, List};
use crate::job::verify::{Compared, Difference};
use crate::job::{FlashState, Phase};
use crate::protocol::packet::Family;
use crate::protocol::packet::blu_ray::{Mode, Survey};
use crate::scsi::Identity;
use crate::session::{Firmware, Listed, ListedPort, Listing};
pub use event::event;

/// Goes up where a key changes its meaning or goes.
pub const SCHEMA: u32 = 1;

/// All of a run.
pub fn object(outcome: &Outcome, caller: &Caller) -> Value {
    let exit = outcome.exit();
    let request = outcome.request.as_ref();
    let mut object = fields(json!({
        "schema": SCHEMA,
        "tool": {"name": "mtkflash", "version": env!("CARGO_PKG_VERSION")},
        "arguments": outcome.arguments.iter().map(text).collect::<Vec<_>>(),
        "command": request.map(command),
        "exit_code": exit.code(),
        "exit": exit.name(),
        "log": outcome.log.as_ref().map(text),
    }));
    let of_drives = outcome.drives.iter().flat_map(|drive| &drive.findings);
    let images = outcome.findings.iter().chain(of_drives);
    let mut images: Vec<Value> = images.filter_map(of_image).collect();
    for (path, failure) in &outcome.bad_files {
        let path = Value::from(text(path));
        let known = images.iter().position(|image| image["path"] == path);
        let at = known.unwrap_or_else(|| {
            images.push(json!({"path": path}));
            images.len() - 1
        });
        let mut image = fields(std::mem::take(&mut images[at]));
        image.extend(of_failure(failure, caller));
        images[at] = image.into();
    }
    let several = match request.map(|request| &request.command) {
        Some(Command::Inspect { files }) => files.len() > 1,
        _ => false,
    };
    match several {
        true => object.insert("images".to_owned(), images.into()),
        false => object.insert("image".to_owned(), images.into_iter().next().into()),
    };
    for finding in &outcome.findings {
        object.extend(of_finding(finding, caller));
    }
    let drives: Vec<Value> = outcome
        .drives
        .iter()
        .map(|drive| of_drive(drive, request, caller))
        .collect();
    object.insert("drives".to_owned(), drives.into());
    if let Some(failure) = &outcome.failure {
        object.extend(of_failure(failure, caller));
    }
    without_nulls(object.into())
}

fn command(request: &Request) -> &'static str {
    let verb = request.command.verb();
    match request.command {
        Command::Version => "version",
        Command::Generate(_) => "generate",
        _ => verb.map_or("help", Verb::word),
    }
}

fn of_drive(drive: &OfDrive, request: Option<&Request>, caller: &Caller) -> Value {
    let exit = drive.failure.as_ref().map_or(Exit::Done, |end| end.exit);
    let mut object = fields(json!({
        "name": drive.name.to_string(),
        "exit_code": exit.code(),
        "exit": exit.name(),
        "result": match &drive.failure {
            Some(failure) => failure.exit.name(),
            None => result(drive, request),
        },
        "flash": {"state": "unchanged"},
    }));
    for finding in &drive.findings {
        object.extend(of_finding(finding, caller));
    }
    if object.contains_key("change") {
        with_sums_before(drive, &mut object);
    }
    if !drive.phases.is_empty() {
        let phases: Vec<Value> = drive.phases.iter().map(spent).collect();
        object.insert("phases".to_owned(), phases.into());
    }
    if let Some(failure) = &drive.failure {
        object.extend(of_failure(failure, caller));
    }
    object.into()
}

/// Adds what a bank was before the change, where it was read.
fn with_sums_before(drive: &OfDrive, object: &mut Map<String, Value>) {
    let banks = object.get_mut("banks").and_then(Value::as_array_mut);
    for bank in banks.into_iter().flatten() {
        let number = bank["bank"].as_u64().and_then(|bank| bank.try_into().ok());
        let before = number.and_then(|number| drive.before.get(&Bank(number)));
        bank["before"] = before.map(ToString::to_string).into();
    }
}

/// How a job went that did not fail.
fn result(drive: &OfDrive, request: Option<&Request>) -> &'static str {
    let erases = request.is_some_and(|request| request.erasing().is_some());
    let of_finding = |finding: &Finding| match finding {
        Finding::Dumped(_) => Some("read"),
        Finding::Verdict(verdict) => Some(self::verdict(*verdict)),
        Finding::Changed { changed, .. } => Some(match (&changed.evidence, erases) {
            (Evidence::ReadBack(_), false) => "written",
            (Evidence::ReadBack(_), true) => "erased",
            (Evidence::Accepted(_), false) => "accepted",
            (Evidence::Accepted(_), true) => "erase-accepted",
        }),
        _ => None,
    };
    let mut findings = drive.findings.iter().rev();
    findings.find_map(of_finding).unwrap_or("checked")
}

/// The keys that a finding adds to the object of the run or of its drive.
fn of_finding(finding: &Finding, caller: &Caller) -> Map<String, Value> {
    fields(match finding {
        Finding::Help(topic) => json!({"text": help::text(*topic)}),
        Finding::Version => json!({"text": help::version()}),
        Finding::Generated(artifact) => json!({"text": help::generated(*artifact)}),
        Finding::Listing(listing) => listed(listing),
        Finding::Image { .. }
        | Finding::Against { .. }
        | Finding::Examined(_)
        | Finding::NoImage { .. } => json!({}),
        Finding::Differences {
            differences: found, ..
        } => json!({"differences": differences(found)}),
        Finding::Converted { files, bytes } => json!({"converted": {
            "files": files.iter().map(text).collect::<Vec<_>>(),
            "bytes": bytes,
        }}),
        Finding::Drive(drive) => of_flash(drive),
        Finding::Unfinished(notices) if notices.is_empty() => json!({}),
        Finding::Unfinished(notices) => {
            let texts: Vec<String> = notices.iter().map(words::journal::notice).collect();
            json!({"unfinished": texts})
        }
        Finding::Dumped(dump) => dumped(dump),
        Finding::Proposed(proposed) => of_proposal(proposed),
        Finding::Compared(found) => compared(found),
        Finding::Verdict(verdict @ Verdict::BlankAlready(blank)) => {
            json!({"result": self::verdict(*verdict), "blank": extent(*blank)})
        }
        Finding::Verdict(verdict) => json!({"result": self::verdict(*verdict)}),
        Finding::Changed {
            changed,
            whole_chip,
            ..
        } => of_change(changed, *whole_chip),
        Finding::Next(advice) => json!({"next": next(advice, caller)}),
    })
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Equal => "equal",
        Verdict::EqualAsFar => "equal-as-far-as-compared",
        Verdict::HeldAlready | Verdict::BlankAlready(_) => "nothing-to-do",
        Verdict::SaidAlready => "nothing-to-do-as-said",
        Verdict::DryRun => "dry-run",
    }
}

fn extent(blank: Blank) -> &'static str {
    match blank {
        Blank::All => "all",
        Blank::Part => "part",
    }
}

fn of_flash(drive: &Drive) -> Value {
    let info = &drive.info;
    json!({
        "at": words::session::label(&drive.label),
        "way": info.way,
        "identity": info.identity.as_ref().map(identity),
        "protocol": info.protocol,
        "firmware": info.blu_ray.as_ref().map(|survey| firmware(survey)),
        "tried": info.tried.as_ref().map(words::device::tried),
        "chip": {
            "name": info.chip,
            "description": info.flash,
            "size": drive.size,
            "readable": drive.is_readable,
            "writable": drive.read_only.is_none(),
            "read_only": drive.read_only.as_ref().map(words::device::unwritable),
        },
    })
}

/// What a Blu-ray drive says about its firmware.
fn firmware(survey: &Survey) -> Value {
    json!({
        "runs": survey.mode == Mode::Firmware,
        "boot_string": survey.banner.map(|banner| banner.to_string()),
        "svc": survey.descriptor.as_ref().map(|found| &found.svc),
        "date": survey.date.map(|date| date.to_string()),
        "encoding_by_date": survey.by_date.map(|wrapping| match wrapping {
            Wrapping::Plain => "plain",
            Wrapping::Aes => "aes",
        }),
    })
}

fn identity(identity: &Identity) -> Value {
    json!({
        "vendor": identity.vendor,
        "product": identity.product,
        "revision": identity.revision,
        "serial": identity.serial,
    })
}

fn listed(listing: &Listing) -> Value {
    let drives: Vec<Value> = listing.drives.iter().map(of_listed).collect();
    let ports: Vec<Value> = listing.ports.iter().map(of_port).collect();
    match ports.is_empty() {
        true => json!({"listed": drives}),
        false => json!({"listed": drives, "ports": ports}),
    }
}

fn of_port(port: &ListedPort) -> Value {
    let about = port.about.as_ref();
    json!({
        "name": port.name.to_string(),
        "base": about.map(|about| about.base),
        "driver": about.map(|about| &about.driver),
        "device": about.and_then(|about| about.device.as_ref()),
    })
}

fn of_listed(listed: &Listed) -> Value {
    let family = listed.identity.as_ref().and_then(Family::by_identity);
    json!({
        "position": listed.position.map(|position| position.number()),
        "position_is_a_guess": listed.is_guess,
        "nodes": listed.nodes.iter().map(text).collect::<Vec<_>>(),
        "simulated": listed.is_simulated,
        "identity": listed.identity.as_ref().map(identity),
        "packet_protocol": family.map(|family| family.protocol.to_string()),
        "firmware": match &listed.firmware {
            Some(Firmware::Told(survey)) => firmware(survey),
            Some(Firmware::InUse(_)) | None => Value::Null,
        },
        "in_use": listed.is_in_use(),
        "medium": match listed.medium {
            Some(Medium::Present) => "present",
            Some(Medium::Absent) => "absent",
            Some(Medium::Starting) => "starting",
            Some(Medium::Unknown(_)) | None => "unknown",
        },
        "in_the_way": listed
            .obstacles
            .iter()
            .map(InWords::in_words)
            .chain(listed.silence.iter().map(InWords::in_words))
            .collect::<Vec<_>>(),
    })
}

/// The image is the same for all drives of a run.
fn of_image(finding: &Finding) -> Option<Value> {
    match finding {
        Finding::Image { path, report } | Finding::Against { path, report } => {
            Some(image(path, report))
        }
        Finding::Examined(found) => Some(examined(found)),
        Finding::NoImage {
            path,
            verdict,
            inside,
        } => Some(json!({
            "path": text(path),
            "verdict": verdict,
            "entries": inside.as_ref().map(|inside| {
                inside.images.iter().map(entry).collect::<Vec<_>>()
            }),
            "others": inside.as_ref().map(|inside| {
                inside.others.iter().map(other).collect::<Vec<_>>()
            }),
        })),
        _ => None,
    }
}

/// An image of a container, to choose by its number.
fn entry(entry: &image::entry::Listed) -> Value {
    json!({
        "number": entry.number,
        "path": steps(&entry.path),
        "size": entry.size,
        "sum": entry.sum.to_string(),
        "for": entry.identities.iter().map(found_identity).collect::<Vec<_>>(),
        "problem": entry.problem.as_ref().map(InWords::in_words),
    })
}

/// What else is in a container, and gives no image.
fn other(member: &image::container::Member) -> Value {
    json!({
        "path": steps(&member.path),
        "may_be_image": member.may_be_image(),
        "text": words::image::of_member(member),
    })
}

/// From the outside in.
fn steps(path: &[image::container::Step]) -> Vec<&str> {
    path.iter().map(|step| step.name.as_str()).collect()
}

fn fits(fits: &Fits) -> Value {
    let drive = |drive: &FittingDrive| {
        json!({
            "vendor": drive.vendor,
            "product": drive.product,
            "verified": drive.verified,
        })
    };
    json!({
        "list": match &fits.list {
            List::LiteOn(family) => family.to_string(),
            List::Packets { family, .. } => (*family).to_owned(),
        },
        "drives": fits.drives.iter().map(drive).collect::<Vec<_>>(),
    })
}

fn image(path: &Path, report: &Report) -> Value {
    let sums: Vec<(Bank, Checksum)> = report
        .banks
        .iter()
        .map(|bank| (bank.bank, bank.sum))
        .collect();
    let holes = report.hex.as_ref().map(|hex| &hex.holes);
    let holes = holes.map(|holes| holes.iter().map(|hole| range(&hole.range)).collect());
    json!({
        "path": text(path),
        "format": words::image::format(report),
        "from": report.origin.as_ref().map(words::image::origin),
        "size": report.size,
        "banks": banks(&sums),
        "sum": report.total.to_string(),
        "crc32": report.crc32.to_string(),
        "for": report.identities.iter().map(found_identity).collect::<Vec<_>>(),
        "families": report.families.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "structure": report::structure(report),
        "blu_ray": report.blu_ray.as_ref().map(|facts| {
            words::blu_ray::image(facts, report.wrapping)
                .into_iter()
                .map(|(name, words)| (name.to_ascii_lowercase().replace(' ', "_"), words.into()))
                .collect::<Map<String, Value>>()
        }),
        "drive_read": report.blu_ray.as_ref().map(|facts| facts.is_drive_read),
        "unfilled": holes.map(|holes: Vec<Value>| holes),
        "problems": report.problems.iter().map(InWords::in_words).collect::<Vec<_>>(),
        "findings": report
            .problems
            .iter()
            .map(problem)
            .chain(report.findings.iter().map(damage))
            .collect::<Vec<_>>(),
        "beside": report.origin.as_ref().map(|origin| {
            origin.beside.iter().map(other).collect::<Vec<_>>()
        }),
    })
}

/// What makes an image unusable, as a finding.
fn problem(problem: &Problem) -> Value {
    json!({
        "range": problem.range().as_ref().map(range),
        "certainty": "certain",
        "text": problem.in_words(),
    })
}

fn damage(finding: &damage::Finding) -> Value {
    json!({
        "range": range(&finding.range),
        "certainty": match finding.certainty {
            Certainty::Certain => "certain",
            Certainty::Probable => "probable",
            Certainty::Possible => "possible",
        },
        "text": words::damage::what(finding),
    })
}

fn examined(examined: &Examined) -> Value {
    let mut object = image(&examined.path, &examined.report);
    object["sha256"] = examined.sha256.to_string().into();
    object["fits"] = examined.fits.iter().map(fits).collect::<Vec<_>>().into();
    object["verdict"] = words::verdict::of_examined(examined).into();
    object
}

fn differences(differences: &Differences) -> Value {
    let stretches = differences.stretches.iter();
    json!({
        "bytes": differences.count(),
        "ranges": stretches.map(|stretch| range(&stretch.range)).collect::<Vec<_>>(),
        "only_in_one": differences.rest.as_ref().map(range),
    })
}

fn found_identity(found: &ImageIdentity) -> Value {
    json!({
        "kind": found.kind(),
        "at": found.at().0,
        "text": report::found_identity(found),
        "identity": identity(found.identity()),
    })
}

fn dumped(dump: &Dumped) -> Value {
    let mut object = json!({
        "dump": {
            "files": dump.files.iter().map(text).collect::<Vec<_>>(),
            "record": text(&dump.record),
            "format": dump.format.to_string(),
            "bytes": dump.bytes,
            "sum": dump.total.to_string(),
            "crc32": dump.crc32.to_string(),
        },
        "banks": banks(&dump.banks),
        "gaps": ranges(&dump.gaps),
        "disagreements": dump.disagreements,
    });
    if dump.half_written {
        object["half_written"] = true.into();
    }
    if let Some(remapped) = dump.remapped {
        object["remapped"] = ranges(&[remapped]).into();
    }
    object
}

fn of_proposal(proposed: &Proposed) -> Value {
    let fit = proposed.fit.as_ref();
    let resemblance = proposed
        .resemblance
        .as_ref()
        .map(words::damage::resemblance);
    let unread = proposed.unreadable.as_ref();
    let unread = unread.map(words::device::only_by_its_coming_back);
    json!({
        "fit": fit.map(|fit| json!({
            "text": words::fit::matched(fit),
            "overridden": fit.forced.map(|check| check.name()),
        })),
        "warnings": proposed.warnings.iter().cloned().chain(resemblance).collect::<Vec<_>>(),
        "notes": proposed.notes.iter().cloned().chain(unread).collect::<Vec<_>>(),
        "kept": ranges(&proposed.kept),
        "resumed": matches!(proposed.backup, WayBack::Earlier { .. }),
        "backup": backup(&proposed.backup),
        "plan": plan(&proposed.plan),
        "time": proposed.time.as_ref().map(time),
    })
}

fn backup(backup: &WayBack) -> Value {
    match backup {
        WayBack::Made { path, crc32 } => {
            json!({"status": "made", "path": text(path), "crc32": crc32.to_string()})
        }
        WayBack::Earlier { path, crc32, date } => {
            json!({"status": "earlier", "path": text(path), "crc32": crc32.to_string(), "date": date.to_string()})
        }
        WayBack::Before { path, crc32, date } => {
            json!({"status": "before", "path": text(path), "crc32": crc32.to_string(), "date": date.to_string()})
        }
        WayBack::Mixture { path, crc32 } => {
            json!({"status": "half-written", "path": text(path), "crc32": crc32.to_string()})
        }
        WayBack::Planned(path) => json!({"status": "planned", "path": text(path)}),
        WayBack::None => json!({"status": "none"}),
        WayBack::Impossible => json!({"status": "impossible"}),
        WayBack::NotNeeded => json!({"status": "not-needed"}),
    }
}

fn time(takes: &Takes) -> Value {
    json!({
        "seconds_spent": takes.spent.as_secs(),
        "seconds_to_come": takes.to_come.map(|time| time.as_secs()),
        "drive_programs": takes.drive_programs,
    })
}

fn plan(plan: &Planned) -> Value {
    match plan {
        Planned::Nothing | Planned::NothingAsSaid => json!({"kind": "nothing"}),
        Planned::Download { bytes } => json!({"kind": "download", "bytes": bytes}),
        Planned::InPlace {
            sectors,
            bytes_to_erase,
            whole_chip,
            bytes_to_program,
            banks,
        } => json!({
            "kind": "in-place",
            "sectors_to_erase": sectors,
            "bytes_to_erase": bytes_to_erase,
            "whole_chip": whole_chip,
            "bytes_to_program": bytes_to_program,
            "banks": numbers(banks),
        }),
    }
}

fn compared(compared: &Compared) -> Value {
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

fn of_change(changed: &Changed, whole_chip: bool) -> Value {
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

fn spent(spent: &Spent) -> Value {
    json!({
        "phase": phase(spent.phase),
        "bytes": spent.bytes,
        "seconds": spent.time.as_secs_f64(),
        "finished": spent.is_whole,
    })
}

/// A phase by a word.
pub fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Read => "read",
        Phase::Program => "program",
        Phase::Verify => "verify",
        Phase::BlankCheck => "blank-check",
    }
}

/// `error`, `flash` and `next` of a failure.
pub fn of_failure(failure: &Failure, caller: &Caller) -> Map<String, Value> {
    let details = failure.details.to_string();
    fields(json!({
        "error": {
            "message": failure.what,
            "details": details.lines().map(str::trim).collect::<Vec<_>>(),
        },
        "flash": flash(&failure.flash),
        "backup_kept": failure.kept.as_ref().map(text),
        "next": next(&failure.next, caller),
    }))
}

fn flash(flash: &Flash) -> Value {
    let Flash::Holds {
        state,
        wrong,
        old_content,
    } = flash
    else {
        return Value::Null;
    };
    let mut object = fields(match state {
        FlashState::Unchanged => json!({"state": "unchanged"}),
        FlashState::Written if wrong.is_empty() => json!({"state": "unconfirmed"}),
        FlashState::Written => json!({"state": "wrong", "banks": numbers(wrong)}),
        FlashState::InDoubt { taken, of } => {
            json!({"state": "in-doubt", "banks_taken": taken, "banks": of})
        }
        FlashState::Partly {
            written,
            begun,
            untouched,
        } => json!({
            "state": "partly-written",
            "written": numbers(written),
            "perhaps_half_written": numbers(begun),
            "as_before": numbers(untouched),
        }),
    });
    let old_content = old_content.as_ref().map(text);
    object.insert("old_content".to_owned(), old_content.into());
    object.insert("text".to_owned(), flash.lines().join("\n").into());
    object.into()
}

/// Advice, line by line: `{"say": words}` or `{"type": [a program and its
/// arguments]}`.
fn next(advice: &Advice, caller: &Caller) -> Vec<Value> {
    let line = |line: &Line| match line {
        Line::Say(words) => json!({"say": words}),
        Line::Type(command) => {
            let argv = caller.argv(command);
            json!({"type": argv.iter().map(text).collect::<Vec<_>>()})
        }
        Line::Again(same) => {
            let argv = caller.argv(&super::advice::Command::Flash(same.clone()));
            let argv: Vec<String> = argv.iter().map(text).collect();
            json!({"type": argv, "again": true})
        }
    };
    advice.lines().iter().map(line).collect()
}

fn banks(sums: &[(Bank, Checksum)]) -> Vec<Value> {
    let of_bank = |(bank, sum): &(Bank, Checksum)| json!({"bank": bank.0, "sum": sum.to_string()});
    sums.iter().map(of_bank).collect()
}

fn numbers(banks: &[Bank]) -> Vec<u32> {
    banks.iter().map(|bank| bank.0).collect()
}

fn ranges(ranges: &[FlashRange]) -> Vec<Value> {
    ranges.iter().map(range).collect()
}

/// First and last byte.
fn range(range: &FlashRange) -> Value {
    json!({"first": range.start(), "last": range.end().saturating_sub(1)})
}

/// A name or word; JSON is text, so that a byte which is none stands as U+FFFD.
pub fn text(word: impl AsRef<OsStr>) -> String {
    word.as_ref().to_string_lossy().into_owned()
}

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// What is not known is left out.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key, without_nulls(value)))
            .collect(),
        Value::Array(values) => values.into_iter().map(without_nulls).collect(),
        value => value,
    }
}
