//! Drives: who they are, and what there is.

use serde_json::{Value, json};

use super::text;
use crate::cli::outcome::Drive;
use crate::cli::words::{self, InWords};
use crate::drive::ask::Medium;
use crate::image::Wrapping;
use crate::protocol::blu_ray::{Mode, Survey};
use crate::protocol::packet::Family;
use crate::scsi::Identity;
use crate::session::{Firmware, Listed, ListedPort, Listing};

pub fn of_flash(drive: &Drive) -> Value {
    let info = &drive.info;
    json!({
        "at": words::session::label(&drive.label),
        "way": words::device::route(info.route),
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

pub fn identity(identity: &Identity) -> Value {
    json!({
        "vendor": identity.vendor,
        "product": identity.product,
        "revision": identity.revision,
        "serial": identity.serial,
    })
}

pub fn listed(listing: &Listing) -> Value {
    let drives: Vec<Value> = listing.drives.iter().map(of_listed).collect();
    let ports: Vec<Value> = listing.ports.iter().map(of_port).collect();
    json!({"listed": drives, "ports": (!ports.is_empty()).then_some(ports)})
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
        "medium": match listed.asked.medium {
            Some(Medium::Present) => "present",
            Some(Medium::Absent) => "absent",
            Some(Medium::Starting) => "starting",
            Some(Medium::Unknown(_)) | None => "unknown",
        },
        "in_the_way": listed
            .asked
            .obstacles
            .iter()
            .map(InWords::in_words)
            .chain(listed.asked.silence.iter().map(InWords::in_words))
            .collect::<Vec<_>>(),
    })
}
