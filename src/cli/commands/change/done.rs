//! The end of a write or an erase, as people read it.

use crate::cli::args::Request;
use crate::cli::compared::{beside_sums, sums};
use crate::cli::next::Blank;
use crate::cli::outcome::ToGoBack;
use crate::cli::text::Text;
use crate::cli::words;
use crate::cli::words::terms::{counted, identity, is_all};
use crate::job::change::{Changed, Evidence};
use crate::job::verify::Compared;

/// The end of a write or erase.
pub fn changed(changed: &Changed, whole_chip: bool, backup: &ToGoBack, request: &Request) -> Text {
    let mut text = Text::default();
    let mut table = Text::default();
    if let Some(restart) = &changed.restart {
        let before = match &restart.before {
            Some(before) => identity(before),
            None => "no answer".to_owned(),
        };
        table.row(
            "Drive",
            &format!("{before} before, {} now", identity(&restart.after)),
        );
        if let Some(now) = &restart.firmware {
            let before = restart.firmware_before.as_deref();
            table.row("Runs", &words::blu_ray::runs(before, now));
        }
    }
    let done = match changed.restart {
        None => format!(
            "{} erased, {} programmed",
            match changed.erased {
                1 if whole_chip => "the whole chip".to_owned(),
                erased => counted(erased as u64, "sector"),
            },
            counted(changed.programmed, "byte")
        ),
        Some(_) => format!("{} bytes sent, the drive is back", changed.programmed),
    };
    match &changed.evidence {
        Evidence::ReadBack(compared) => {
            // Of a whole image the sums of its banks stand above.
            let is_told = is_all(compared) && is_whole_image(request);
            text.append(match is_told {
                true => beside_sums(compared),
                false => sums(compared),
            });
            let what = match is_all(compared) {
                true => "read back and compared",
                false => "read back and compared as far as said above",
            };
            table.row("Done", &format!("{done}, {what}: no difference"));
        }
        Evidence::Accepted(why) => {
            let why = words::device::not_read_back(why);
            let text = format!(
                "{done}. The drive accepted the firmware and says who it is; what is in the flash \
                 was not read back. {why}"
            );
            table.row("Done", &text);
        }
    }
    match backup {
        ToGoBack::In(backup) => table.row(
            "Backup",
            &format!("{} holds what was in the flash before", backup.display()),
        ),
        ToGoBack::InPart(backup) => table.row(
            "Backup",
            &format!(
                "{} holds as much of what was in the flash before as the drive lets be read: it is \
                 no complete way back",
                backup.display()
            ),
        ),
        ToGoBack::Gone(backup) => table.row("Warning", &words::files::gone(backup)),
        ToGoBack::Nothing => &mut table,
    };
    text.append(table);
    if let Evidence::ReadBack(compared) = &changed.evidence {
        text.success(&worked(compared, request));
    }
    text
}

/// Whether all of an image was to be written.
fn is_whole_image(request: &Request) -> bool {
    request.erasing().is_none() && !request.is_about_part()
}

/// That it worked, in plain words.
fn worked(compared: &Compared, request: &Request) -> String {
    let what = match request.erasing() {
        Some(Blank::All) => "the flash is blank",
        Some(Blank::Part) => "that part of the flash is blank",
        None if is_whole_image(request) => "the flash holds this image now",
        None => "that part of the flash holds the image now",
    };
    match is_all(compared) {
        true => format!("It worked: {what}. All of it was read back, and no byte is wrong."),
        false if compared.gaps.is_empty() => format!(
            "It worked: {what} but for what is left out above. All else was read back, and no byte \
             is wrong."
        ),
        false => format!(
            "It worked: {what}, as far as it could be read back; what could not is said above."
        ),
    }
}
