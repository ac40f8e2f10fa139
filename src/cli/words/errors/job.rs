//! Jobs that were not begun, or went no further.

use crate::cli::words::terms;
use crate::cli::words::{self, InWords};
use crate::job::JobError;
use crate::job::change::{ChangeError, Firmware};
use crate::plan::PlanError;

impl InWords for ChangeError {
    fn in_words(&self) -> String {
        match self {
            ChangeError::Job(found) => found.in_words(),
            ChangeError::Different(found) => format!(
                "the flash does not hold what was written, first at {}",
                found.first
            ),
            ChangeError::Again { source, .. } => source.in_words(),
            ChangeError::OtherIdentity {
                expected, found, ..
            } => format!(
                "the drive came back as {}, and the image is for {}",
                firmware(found),
                firmware(expected)
            ),
            ChangeError::NoFirmware { found, .. } => {
                let found = terms::names(found);
                format!("the drive came back as {found}: no firmware runs in it")
            }
            ChangeError::OldFirmware { runs, .. } => format!(
                "the drive accepted the image, and its old firmware still runs: it is {} as \
                 before, and its flash was not read again",
                firmware(runs)
            ),
        }
    }
}

fn firmware(firmware: &Firmware) -> String {
    match firmware {
        Firmware::Named(names) => {
            let names: Vec<String> = names.iter().map(terms::names).collect();
            names.join(" or ")
        }
        Firmware::Described(found) => {
            let mut codes = vec![&*found.vendor_specific, &found.svc, &found.platform];
            codes.retain(|code| !code.is_empty());
            format!("{} ({})", terms::names(&found.identity), codes.join(", "))
        }
    }
}

impl InWords for JobError {
    fn in_words(&self) -> String {
        match self {
            JobError::Refused(found) => words::job::refusal(found),
            JobError::Image(found) => words::job::unfit(found),
            JobError::Device { source, .. } => source.in_words(),
            JobError::Unstable {
                at,
                first,
                second,
                attempts,
                ..
            } => format!(
                "the flash reads differently each time at {at}: {first:02x}h, then {second:02x}h, after \
         {attempts} attempts"
            ),
            JobError::File(found) => found.in_words(),
            JobError::Stopped => "stopped by the user".to_owned(),
            JobError::Kept { source, .. } => source.in_words(),
        }
    }
}

impl InWords for PlanError {
    fn in_words(&self) -> String {
        match self {
            PlanError::Sizes {
                flash,
                current,
                target,
            } => format!(
                "the flash has {flash} bytes, its content {current} and the wanted content {target}"
            ),
            PlanError::Layout => "the sectors of the flash leave gaps or overlap".to_owned(),
        }
    }
}
