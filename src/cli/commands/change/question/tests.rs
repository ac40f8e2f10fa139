use super::*;
use crate::cli::prompt;

#[test]
fn a_change_is_asked_for_with_the_drive_that_it_is_about() {
    let identity = Identity {
        vendor: "SONY".to_owned(),
        product: "DVD RW DW-D22A".to_owned(),
        revision: "BYS1".to_owned(),
        serial: Some("A1B2".to_owned()),
    };
    let questions = [
        asked(
            "Write my image.bin into",
            "drive 3 (/dev/sr2)",
            Some(&identity),
            None,
        ),
        asked(
            "Erase the flash of",
            "drive 3 (secondary master)",
            None,
            Some(Blank::All),
        ),
        asked(
            "Erase the flash of",
            "drive 3 (secondary master)",
            None,
            Some(Blank::Part),
        ),
    ]
    .map(|question| prompt::asked(&question.into()));
    insta::assert_snapshot!(questions.join("\n\n"));
}
