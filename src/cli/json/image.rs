//! Images, and what is in files beside them.

use std::path::Path;

use serde_json::{Value, json};

use super::drive::identity;
use super::{banks, range, text};
use crate::cli::outcome::{Examined, Finding};
use crate::cli::words::terms;
use crate::cli::words::{self, InWords};
use crate::image::damage::{self, Certainty};
use crate::image::mt19xx::Facts;
use crate::image::{
    self, Differences, ImageIdentity, LoadError, NotLoaded, Problem, Report, Wrapping,
};
use crate::job::listed::{Fits, FittingDrive, List};

/// The image is the same for all drives of a run.
pub fn of_image(finding: &Finding) -> Option<Value> {
    match finding {
        Finding::Image { path, report } | Finding::Against { path, report } => {
            Some(image(path, report))
        }
        Finding::Examined(found) => Some(examined(found)),
        Finding::NoImage { path, error } => Some(no_image(path, error)),
        _ => None,
    }
}

/// A file that holds no image, and what is in it.
fn no_image(path: &Path, error: &LoadError) -> Value {
    let inside = match &error.why {
        NotLoaded::Container(inside) => Some(inside),
        _ => None,
    };
    json!({
        "path": text(path),
        "verdict": words::verdict::of_error(error),
        "entries": inside.map(|inside| inside.images.iter().map(entry).collect::<Vec<_>>()),
        "others": inside.map(|inside| inside.others.iter().map(other).collect::<Vec<_>>()),
    })
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
    let holes = report.hex.as_ref().map(|hex| &hex.holes);
    let holes = holes.map(|holes| holes.iter().map(|hole| range(&hole.range)).collect());
    json!({
        "path": text(path),
        "format": words::image::format(report),
        "from": report.origin.as_ref().map(words::image::origin),
        "size": report.size,
        "banks": banks(&report.banks),
        "sum": report.total.to_string(),
        "crc32": report.crc32.to_string(),
        "for": report.identities.iter().map(found_identity).collect::<Vec<_>>(),
        "families": report.families.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "structure": terms::structure(report),
        "blu_ray": report.blu_ray.as_ref().map(|facts| blu_ray(facts, report.wrapping)),
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

/// What firmware for a Blu-ray drive says of itself.
fn blu_ray(facts: &Facts, wrapping: Wrapping) -> Value {
    json!({
        "chip": words::blu_ray::chip(facts),
        "firmware": facts.descriptor.as_ref().map(words::blu_ray::firmware),
        "board": words::blu_ray::board_of(facts),
        "integrity": words::blu_ray::integrity(facts),
        "encoding": words::blu_ray::encoding(wrapping),
        "made_from": words::blu_ray::made_from(facts),
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

pub fn damage(finding: &damage::Finding) -> Value {
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

pub fn differences(differences: &Differences) -> Value {
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
        "text": terms::found_identity(found),
        "identity": identity(found.identity()),
    })
}
