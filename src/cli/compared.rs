//! A flash that was compared with what it should hold, as people read it.

use super::text::Text;
use super::words;
use super::words::terms::bank_sums;
use crate::job::steadiness::is_unstable;
use crate::job::verify::Compared;

/// A flash that was compared or changed, as read from it.
pub fn sums(compared: &Compared) -> Text {
    let mut table = Text::default();
    table.rows("Sums", bank_sums(&compared.sums));
    table.append(beside_sums(compared));
    table.finish()
}

/// The same where the sums of the banks have been told already: those of the image
/// are those of a flash without a difference.
pub fn beside_sums(compared: &Compared) -> Text {
    let mut table = Text::default();
    table.row("Total", &compared.total.to_string());
    for owned in &compared.owned {
        table.row(
            "Left out",
            &format!(
                "{}, not compared: {}",
                owned.range,
                words::device::kept(owned.kept)
            ),
        );
    }
    if compared.disagreements > 0 {
        let differed = words::objection::differed(compared.disagreements);
        let meaning = match is_unstable(compared.disagreements) {
            false => "; it was read until two agreed.",
            true => {
                ". What was read may be wrong, and so may this result. Check cable and power of the \
                 drive, and verify again."
            }
        };
        table.row("Warning", &format!("{differed}{meaning}"));
    }
    for gap in &compared.gaps {
        table.row("Gap", &format!("{gap}: the drive refused to have it read"));
    }
    table.finish()
}
