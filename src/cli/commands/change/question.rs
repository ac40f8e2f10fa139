//! What is asked before the first change, and what is typed for YES.

use crate::cli::args::{Command, Request};
use crate::cli::next::Blank;
use crate::cli::prompt::Word;
use crate::cli::text::Text;
use crate::cli::words::terms::{found_identity, identity};
use crate::image::ImageIdentity;
use crate::scsi::Identity;

/// What the drive and the image say they are, where one may not be for the other.
pub fn both_names(drive: Option<&Identity>, named: &[ImageIdentity]) -> Text {
    let mut names = Text::default();
    names.row(
        "Drive",
        &drive.map_or_else(|| "does not say what it is".to_owned(), identity),
    );
    match named {
        [] => names.row("Image", "names no drive"),
        named => names.rows("Image", named.iter().map(found_identity)),
    };
    names.words("An image that is damaged, or for other hardware, leaves the drive dead.");
    names.finish()
}

/// What is typed for a change that can leave the drive dead.
pub fn word(drive: Option<&Identity>, named: &[ImageIdentity]) -> Word {
    let of_image = named.first().map(ImageIdentity::identity);
    match drive.or(of_image).map(|who| who.product.trim()) {
        Some(product) if !product.is_empty() => Word::Model(product.to_owned()),
        _ => Word::Yes,
    }
}

/// What is asked before the first change of one drive, or of several.
pub fn asked(request: &Request, drives: &str, is_one: bool) -> String {
    let deed = match &request.command {
        Command::Write { file } => format!("Write {} into", file.display()),
        _ => "Erase the flash of".to_owned(),
    };
    let afterwards = match (request.erasing(), is_one) {
        (Some(Blank::All), true) => "The drive has no firmware afterwards. ",
        (Some(Blank::All), false) => "They have no firmware afterwards. ",
        (Some(Blank::Part), true) => "The drive's firmware is not whole afterwards. ",
        (Some(Blank::Part), false) => "Their firmware is not whole afterwards. ",
        (None, _) => "",
    };
    format!("{deed} {drives}? {afterwards}Do not switch anything off until this is done.")
}

#[cfg(test)]
mod tests;
