//! `l`: which drives there are.

use super::run::Context;
use crate::cli::args::{DriveName, Request};
use crate::cli::event;
use crate::cli::exit::Exit;
use crate::cli::failure::{Failure, Flash};
use crate::cli::next;
use crate::cli::outcome::Finding;
use crate::cli::text::Text;
use crate::cli::words::terms;
use crate::cli::words::{self, InWords};
use crate::drive::IndexBasis;
use crate::drive::ask::Medium;
use crate::protocol::packet::Family;
use crate::protocol::vendor_mode::reported;
use crate::session::{AboutPort, Event, Firmware, Listed, ListedPort, Listing, Machine};

pub fn run(context: Context) -> Result<(), Failure> {
    let machine = context.machine()?;
    let mut listing = find(machine.as_ref(), context)?;
    listing.ask_firmware(machine.as_ref());
    let nameless = listing.drives.iter().filter(|drive| drive.says_nothing());
    let nameless: Vec<DriveName> = nameless.filter_map(|drive| drive.name(None)).collect();
    context.found(Finding::Listing(listing));
    if let Some(next) = next::after_list(&nameless, context.request) {
        context.found(Finding::Next(next));
    }
    Ok(())
}

/// Finds every drive, by INQUIRY and TEST UNIT READY alone.
///
/// # Errors
/// No drive at all.
pub fn find(machine: &dyn Machine, context: Context) -> Result<Listing, Failure> {
    let request = context.request;
    // What a crashed run has taken off the kernel would not be listed.
    for settled in machine.settle(None) {
        let event = Event::Settled(settled);
        let told = words::session::told(&event, request);
        let event = event::Event::Session(&event, request);
        context.output.warn(None, &event, told.unwrap_or_default());
    }
    let listing = machine.list();
    if listing.drives.is_empty() {
        return Err(nothing(&listing, request));
    }
    Ok(listing)
}

/// A machine without a drive.
pub fn nothing(listing: &Listing, request: &Request) -> Failure {
    let failure = match (listing.ports.first(), listing.has_legacy_ports) {
        (Some(port), _) => Exit::NoDrive
            .because("The kernel lists no optical drive.")
            .next(
                "A dead drive may still answer at the ports of its channel. At the first of those \
                 above, for instance:",
            )
            .next(request.of(port.name.clone()).check_by_ports().as_root()),
        (None, true) => Exit::NoDrive
            .because("The kernel lists no optical drive.")
            .next(
                "A dead drive on an IDE port may still answer at the legacy ports. As secondary \
                 master it is drive 3, and 1, 2 and 4 are the other positions:",
            )
            .next(request.check_at_ports(3).as_root()),
        (None, false) => Exit::NoDrive
            .because(
                "The kernel lists no optical drive, and no IDE channel of this machine is at the \
             legacy ports, where a dead one could be reached.",
            )
            .next(
                "Check the drive's power and cable. A dead drive needs an IDE port at the legacy \
             addresses: an older computer has one, or the setup of this one has an IDE mode.",
            )
            .next("After a change:")
            .next(request.list()),
    };
    Failure {
        flash: Flash::Unsaid,
        details: ports(&listing.ports),
        ..failure
    }
}

/// The drives of this machine, and what stands in their way.
pub fn listed(listing: &Listing, request: &Request) -> Text {
    let mut text = Text::default();
    for drive in &listing.drives {
        text.append(entry_of(drive, request));
    }
    if let Some(words) = about_index(&listing.basis) {
        text.append(words);
    }
    text.append(ports(&listing.ports));
    text
}

/// Places where a drive may answer that the kernel does not list.
fn ports(ports: &[ListedPort]) -> Text {
    let mut text = Text::default();
    if ports.is_empty() {
        return text;
    }
    text.words("By --via port, as root, a drive is also reached at these ports, dead or not:");
    for ListedPort { name, about } in ports {
        match about {
            Some(AboutPort {
                base,
                driver,
                device,
            }) => {
                let on_it = device.as_deref().unwrap_or("nothing that the kernel lists");
                let words = format!("{base:X}h, {driver}: {on_it}");
                text.words_behind(&format!("  {name}  "), &words)
            }
            None => text.words(&format!("  {name}")),
        };
    }
    text
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
    let nodes = nodes.join(" ");
    let mut text = Text::default();
    text.words_behind(&format!("{place:<3} {nodes:<20} "), &who(listed));
    text.append(about(listed));
    let in_the_way = format!("{INDENT}{:12}", "in the way: ");
    for obstacle in &listed.asked.obstacles {
        text.words_behind(&in_the_way, &obstacle.in_words());
        // No program of this machine can show who has a drive that it has not.
        let remedy = words::session::remedy(obstacle, &request.list());
        if let Some(remedy) = remedy.filter(|_| !listed.is_simulated) {
            text.command_behind(&format!("{INDENT}{:12}", ""), remedy);
        }
    }
    if let Some(silence) = &listed.asked.silence {
        text.words_behind(&in_the_way, &silence.in_words());
    }
    text
}

/// What lines under a drive's name begin with.
const INDENT: &str = "                         ";

fn who(listed: &Listed) -> String {
    match &listed.identity {
        Some(identity) => terms::identity(identity),
        None if listed.is_in_use() => "does not say what it is while it is in use".to_owned(),
        None => "does not say what it is (no answer to INQUIRY)".to_owned(),
    }
}

/// What is known of a drive beside its name.
fn about(listed: &Listed) -> Text {
    let mut text = Text::default();
    let identity = listed.identity.as_ref();
    let family = identity.and_then(Family::by_identity);
    let protocol = match family {
        Some(family) => Some(format!("{}, by its name", family.protocol)),
        None if identity.is_none() && listed.is_in_use() => None,
        None if identity.is_none() => Some(
            "its firmware does not run: vendor mode, if any. c asks in another way what it is"
                .to_owned(),
        ),
        None => {
            Some("vendor mode, as it is on no list of drives with a packet protocol".to_owned())
        }
    };
    if let Some(protocol) = protocol {
        text.words_behind(INDENT, &protocol);
    }
    if let Some(report) = identity.and_then(reported::of) {
        text.words_behind(INDENT, &words::session::reported(report));
    }
    match &listed.firmware {
        Some(Firmware::Told(survey)) => {
            text.words_behind(INDENT, &words::blu_ray::drive(survey));
        }
        Some(Firmware::InUse(by)) => {
            let words = format!("its firmware is not asked about: {}", by.in_words());
            text.words_behind(INDENT, &words);
        }
        None if family
            .is_some_and(|family| identity.is_some_and(|who| family.is_boot_loader(who))) =>
        {
            text.words_behind(INDENT, words::blu_ray::BOOT_LOADER);
        }
        None => {}
    }
    match listed.asked.medium {
        Some(Medium::Present) => {
            text.words_behind(INDENT, "there is a disc in it: eject it first");
        }
        Some(Medium::Starting) => {
            text.words_behind(INDENT, "it is starting");
        }
        Some(Medium::Absent | Medium::Unknown(_)) | None => {}
    }
    text
}

/// What the first column counts, where that is not plain.
fn about_index(basis: &IndexBasis) -> Option<String> {
    match basis {
        IndexBasis::SataPorts { .. } => Some(
            "A SATA port has no master and no slave: the numbers count ports, and are a guess."
                .to_owned(),
        ),
        IndexBasis::Ambiguous { controllers } => Some(format!(
            "{} controllers could have the positions 1-4: name drives by their path.",
            controllers.len()
        )),
        IndexBasis::LegacyPorts { .. } | IndexBasis::OnlyParallel { .. } | IndexBasis::Nothing => {
            None
        }
    }
}

#[cfg(test)]
mod tests;
