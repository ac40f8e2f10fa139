//! Which drives there are: `l`, and `c` without a drive.

use super::args::{DriveName, Request, Via};
use super::exit::Exit;
use super::failure::Failure;
use super::open;
use super::output::Output;
use super::program::as_root;
use super::progress::Progress;
use super::prompt::{self, Consent};
use super::reach;
use super::report;
use super::typed::Typed;
use crate::drive::ask::{self, Medium};
use crate::drive::list::{Listed, Listing, list as list_drives};
use crate::drive::topology::IndexBasis;
use crate::drive::{Located, Obstacle, Remedy, System};
use crate::job::{JobError, StopFlag};
use crate::protocol::Protocol;
use crate::protocol::packet::Family;
use crate::scsi::Identity;

/// Shows every drive. INQUIRY and TEST UNIT READY are all that is sent.
///
/// # Errors
/// A bench that cannot be read, or no drive at all.
pub fn list(request: &Request, typed: &Typed, output: &mut Output) -> Result<(), Failure> {
    match &request.options.sim {
        Some(bench) => list_bench(&reach::bench(bench)?, output),
        None => {
            // What a crashed run has taken off the kernel would not be listed.
            let system = System::host();
            reach::settle(&system);
            output.text(&typed.to_paste(&real(&system, &list_drives(&system))?));
            Ok(())
        }
    }
}

fn list_bench(bench: &crate::sim::Bench, output: &mut Output) -> Result<(), Failure> {
    for drive in bench.drives() {
        let answer = drive
            .packets()
            .and_then(|mut packets| ask::identity(packets.as_mut()).ok());
        let medium = drive
            .packets()
            .and_then(|mut packets| ask::medium(packets.as_mut()).ok());
        let (place, node) = match drive.position() {
            Some(position) => (position.to_string(), "simulated".to_owned()),
            None => ("-".to_owned(), format!("{} simulated", reach::place(drive))),
        };
        output.text(&entry(&place, &node, answer.as_ref(), medium.as_ref(), &[]));
    }
    Ok(())
}

/// The drives of this machine, and what stands in their way.
fn real(system: &System, listing: &Listing) -> Result<String, Failure> {
    if listing.drives.is_empty() {
        return Err(Failure {
            flash: String::new(),
            ..if listing.has_legacy_ports {
                Failure::new(Exit::NoDrive, "The kernel lists no optical drive.")
                    .next(
                        "A dead drive on an IDE port may still answer at the legacy ports. As \
                         secondary master it is drive 3, and 1, 2 and 4 are the other positions:",
                    )
                    .next(reach::for_the_ports(system, "mtkflash 3 c --via port"))
            } else {
                Failure::new(
                    Exit::NoDrive,
                    "The kernel lists no optical drive, and no IDE channel of this machine is at \
                     the legacy ports, where a dead one could be reached.",
                )
                .next(
                    "Check the drive's power and cable. A dead drive needs an IDE port at the legacy \
                     addresses: an older computer has one, or the setup of this one has an IDE mode.",
                )
                .next("After a change:")
                .next("mtkflash l")
            }
        });
    }
    let mut text: String = listing.drives.iter().map(real_entry).collect();
    text.extend(about_index(&listing.basis));
    Ok(text)
}

fn real_entry(listed: &Listed) -> String {
    let drive = &listed.drive;
    let place = match (drive.position, drive.is_guess) {
        (Some(position), false) => position.number().to_string(),
        (Some(position), true) => format!("{}?", position.number()),
        (None, _) => "-".to_owned(),
    };
    let nodes: Vec<String> = [&drive.sr, &drive.sg]
        .into_iter()
        .flatten()
        .map(|node| node.display().to_string())
        .collect();
    let mut obstacles: Vec<String> = listed.obstacles.iter().map(in_the_way).collect();
    obstacles.extend(listed.silence.as_ref().map(ToString::to_string));
    entry(
        &place,
        &nodes.join(" "),
        Some(listed.identity.as_ref().unwrap_or(&drive.known_as)),
        listed.medium.as_ref(),
        &obstacles,
    )
}

/// An obstacle, and the command that helps in a line of its own.
fn in_the_way(obstacle: &Obstacle) -> String {
    match obstacle.remedy() {
        Some(Remedy::Command(command)) => format!("{obstacle}\n{command}"),
        Some(Remedy::SameAsRoot) => format!("{obstacle}\n{}", as_root("mtkflash l")),
        None => obstacle.to_string(),
    }
}

fn entry(
    place: &str,
    nodes: &str,
    identity: Option<&Identity>,
    medium: Option<&Medium>,
    obstacles: &[String],
) -> String {
    let who = identity.map_or_else(
        || "does not say what it is (no answer to INQUIRY)".to_owned(),
        report::identity,
    );
    let mut text = format!("{place:<3} {nodes:<20} {who}\n");
    let mut more = |line: String| text.push_str(&format!("{:25}{line}\n", ""));
    more(match identity.and_then(Family::by_identity) {
        Some(family) => format!("{}, by its name", family.protocol),
        None => "vendor mode, as it is on no list of drives with a packet protocol".to_owned(),
    });
    match medium {
        Some(Medium::Present) => more("there is a disc in it: eject it first".to_owned()),
        Some(Medium::Starting) => more("it is starting".to_owned()),
        Some(Medium::Absent | Medium::Unknown(_)) | None => {}
    }
    for obstacle in obstacles {
        for (number, line) in obstacle.lines().enumerate() {
            let label = if number == 0 { "in the way: " } else { "" };
            more(format!("{label:12}{line}"));
        }
    }
    text
}

/// What the first column counts, where that is not plain.
fn about_index(basis: &IndexBasis) -> Option<String> {
    match basis {
        IndexBasis::SataPorts { .. } => Some(
            "A SATA port has no master and no slave: the numbers count ports, and are a guess.\n"
                .to_owned(),
        ),
        IndexBasis::Ambiguous { controllers } => Some(format!(
            "{} controllers could have the positions 1-4: name drives by their path.\n",
            controllers.len()
        )),
        IndexBasis::LegacyPorts { .. } | IndexBasis::OnlyParallel { .. } | IndexBasis::Nothing => {
            None
        }
    }
}

/// What a drive is called on the way to it. On the ports names of nodes do not
/// last.
fn name_for(via: Option<Via>, drive: &Located) -> Option<DriveName> {
    match (via, drive.position) {
        (Some(Via::Port), Some(position)) if !drive.is_guess => {
            Some(DriveName::Index(position.number()))
        }
        _ => drive.node().map(|node| DriveName::Path(node.to_owned())),
    }
}

const CHECK_ALL: &str =
    "Checking takes each drive without a packet protocol into vendor mode and resets it.";

/// Whether a check takes a drive that says this into vendor mode.
fn goes_into_vendor_mode(request: &Request, identity: Option<&Identity>) -> bool {
    let options = &request.options;
    let vendor = Protocol::VendorMode.name();
    match (options.via, &options.protocol) {
        (Some(Via::Ata | Via::Port), _) => true,
        (_, Some(name)) => name.eq_ignore_ascii_case(vendor),
        (_, None) => identity.and_then(Family::by_identity).is_none(),
    }
}

/// Tries every drive, after asking where one of them goes into vendor mode.
///
/// # Errors
/// As [`list`], or where the user does not want it.
pub fn check_all(
    request: &Request,
    typed: &Typed,
    output: &mut Output,
    stop: &StopFlag,
) -> Result<(), Failure> {
    list(request, typed, output)?;
    let drives: Vec<(DriveName, Option<Identity>)> = match &request.options.sim {
        Some(bench) => reach::bench(bench)?
            .drives()
            .iter()
            .filter_map(|drive| {
                let name = match (drive.position(), drive.path()) {
                    (Some(position), _) => DriveName::Index(position),
                    (None, path) => DriveName::Path(path?.to_owned()),
                };
                let mut packets = drive.packets();
                let identity = packets
                    .as_mut()
                    .and_then(|packets| ask::identity(packets.as_mut()).ok());
                Some((name, identity))
            })
            .collect(),
        None => list_drives(&System::host())
            .drives
            .into_iter()
            .filter_map(|listed| {
                let name = name_for(request.options.via, &listed.drive)?;
                Some((name, listed.identity))
            })
            .collect(),
    };
    let asks = drives
        .iter()
        .any(|(_, identity)| goes_into_vendor_mode(request, identity.as_ref()));
    match prompt::ask(CHECK_ALL, request.options.yes || !asks, stop) {
        Consent::Given => {}
        Consent::Stopped => return Err(Failure::job(&JobError::Stopped, typed)),
        Consent::Denied => return Err(Failure::denied(typed)),
        Consent::NobodyToAsk => return Err(Failure::nobody_to_ask(CHECK_ALL, typed)),
    }
    let mut last_failure = None;
    for (drive, _) in &drives {
        output.text(&format!("\n{drive}\n"));
        let mut progress = Progress::default();
        match open::open(request, drive, &mut progress, stop, typed) {
            Ok(opened) => {
                output.text(&report::device(
                    &opened.name,
                    opened.device.info(),
                    opened.device.capabilities(),
                ));
                output.text(&report::unfinished(opened.device.as_ref(), None));
                for problem in opened.close(false) {
                    progress.line(&typed.to_paste(&format!("Warning: {problem}")));
                }
            }
            Err(failure) if failure.exit == Exit::Stopped => return Err(failure),
            Err(failure) => {
                output.text(&format!("{}\n", failure.what));
                last_failure = Some(failure);
            }
        }
    }
    match last_failure {
        Some(failure) => Err(failure),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
