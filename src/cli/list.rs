//! Which drives there are: `l`, and `c` without a drive.

use super::advice::{Command, Shell};
use super::args::{Request, Via};
use super::commands::journal_of;
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::progress::{Progress, eprintln_quietly};
use super::prompt::{self, Consent};
use super::report;
use super::text::Text;
use super::user::{self, AtTerminal};
use super::words;
use crate::drive::ask::Medium;
use crate::drive::{IndexBasis, Obstacle};
use crate::job::{JobError, StopFlag};
use crate::protocol::Protocol;
use crate::protocol::packet::Family;
use crate::scsi::Identity;
use crate::session::{self, Event, Listed, Listing, Machine};

/// Shows every drive. INQUIRY and TEST UNIT READY are all that is sent.
///
/// # Errors
/// A bench that cannot be read, or no drive at all.
pub fn list(request: &Request, output: &mut Output) -> Result<(), Failure> {
    show(user::machine(request)?.as_ref(), request, output).map(drop)
}

fn show(machine: &dyn Machine, request: &Request, output: &mut Output) -> Result<Listing, Failure> {
    // What a crashed run has taken off the kernel would not be listed.
    for settled in machine.settle() {
        let told = words::session::told(&Event::Settled(settled), request);
        eprintln_quietly(told.unwrap_or_default());
    }
    let listing = machine.list();
    output.text(shown(&listing, request)?);
    Ok(listing)
}

/// The drives of this machine, and what stands in their way.
fn shown(listing: &Listing, request: &Request) -> Result<Text, Failure> {
    if listing.drives.is_empty() {
        return Err(Failure {
            flash: String::new(),
            ..if listing.has_legacy_ports {
                Failure::new(Exit::NoDrive, "The kernel lists no optical drive.")
                    .next(
                        "A dead drive on an IDE port may still answer at the legacy ports. As \
                         secondary master it is drive 3, and 1, 2 and 4 are the other positions:",
                    )
                    .next(request.check_at_ports(3).as_root())
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
                .next(request.list())
            }
        });
    }
    let mut text = Text::default();
    for drive in &listing.drives {
        text.append(entry_of(drive, request));
    }
    if let Some(words) = about_index(&listing.basis) {
        text.append(words);
    }
    Ok(text)
}

fn entry_of(listed: &Listed, request: &Request) -> Text {
    let place = match (listed.position, listed.is_guess) {
        (Some(position), false) => position.number().to_string(),
        (Some(position), true) => format!("{}?", position.number()),
        (None, _) => "-".to_owned(),
    };
    let mut nodes: Vec<String> = listed
        .nodes
        .iter()
        .map(|node| node.display().to_string())
        .collect();
    nodes.extend(listed.is_simulated.then(|| "simulated".to_owned()));
    let remedied = |obstacle| in_the_way(obstacle, request);
    let mut obstacles: Vec<InTheWay> = listed.obstacles.iter().map(remedied).collect();
    obstacles.extend(listed.silence.as_ref().map(|silence| InTheWay {
        what: silence.to_string(),
        remedy: None,
    }));
    entry(
        &place,
        &nodes.join(" "),
        listed.identity.as_ref(),
        listed.medium.as_ref(),
        &obstacles,
    )
}

/// What stands in the way of a drive, and the command that helps.
struct InTheWay {
    what: String,
    remedy: Option<Command>,
}

fn in_the_way(obstacle: &Obstacle, request: &Request) -> InTheWay {
    InTheWay {
        what: obstacle.to_string(),
        remedy: match obstacle.needs_root() {
            true => Some(request.list().as_root()),
            false => obstacle
                .remedy()
                .map(|remedy| Command::Shell(Shell::Remedy(remedy))),
        },
    }
}

fn entry(
    place: &str,
    nodes: &str,
    identity: Option<&Identity>,
    medium: Option<&Medium>,
    obstacles: &[InTheWay],
) -> Text {
    let who = identity.map_or_else(
        || "does not say what it is (no answer to INQUIRY)".to_owned(),
        report::identity,
    );
    let mut text = Text::default();
    text.words_behind(&format!("{place:<3} {nodes:<20} "), &who);
    let indent = " ".repeat(25);
    let protocol = match identity.and_then(Family::by_identity) {
        Some(family) => format!("{}, by its name", family.protocol),
        None => "vendor mode, as it is on no list of drives with a packet protocol".to_owned(),
    };
    text.words_behind(&indent, &protocol);
    match medium {
        Some(Medium::Present) => {
            text.words_behind(&indent, "there is a disc in it: eject it first");
        }
        Some(Medium::Starting) => {
            text.words_behind(&indent, "it is starting");
        }
        Some(Medium::Absent | Medium::Unknown(_)) | None => {}
    }
    for InTheWay { what, remedy } in obstacles {
        text.words_behind(&format!("{indent}{:12}", "in the way: "), what);
        if let Some(remedy) = remedy {
            text.command_behind(&format!("{indent}{:12}", ""), remedy.clone());
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
pub fn check_all(request: &Request, output: &mut Output, stop: &StopFlag) -> Result<(), Failure> {
    let machine = user::machine(request)?;
    let wish = user::wish(request)?;
    let drives = show(machine.as_ref(), request, output)?.drives;
    let asks = drives
        .iter()
        .any(|listed| goes_into_vendor_mode(request, listed.said.as_ref()));
    match prompt::ask(&CHECK_ALL.into(), request.options.yes || !asks, stop) {
        Consent::Given => {}
        Consent::Stopped => return Err(Failure::job(&JobError::Stopped, request)),
        Consent::Denied => return Err(Failure::denied(request)),
        Consent::NobodyToAsk => return Err(Failure::nobody_to_ask(&CHECK_ALL.into())),
    }
    let names = drives.iter().filter_map(|listed| listed.name(wish.via));
    let mut last_failure = None;
    for drive in names {
        output.text(format!("\n{drive}\n"));
        let mut progress = Progress::default();
        let mut user = AtTerminal {
            progress: &mut progress,
            yes: request.options.yes,
            stop,
            request,
        };
        let opened = session::open(machine.as_ref(), &drive, &wish, &mut user)
            .map_err(|error| words::session::failure(error, request));
        match opened {
            Ok(opened) => {
                output.text(report::device(
                    &words::session::label(&opened.label),
                    opened.device.info(),
                    opened.device.capabilities(),
                ));
                let journal = journal_of(machine.as_ref());
                output.text(report::unfinished(opened.device.as_ref(), None, &journal));
                for problem in opened.leave() {
                    progress.line(words::session::not_left(&problem, false, request));
                }
            }
            Err(failure) if failure.exit == Exit::Stopped => return Err(failure),
            Err(failure) => {
                output.text(format!("{}\n", failure.what));
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
