use super::*;
use crate::cli::args;
use crate::cli::prompt;

#[test]
fn a_change_is_asked_for_with_the_drive_that_it_is_about() {
    let request = |words: &[&str]| {
        let words: Vec<_> = words.iter().map(Into::into).collect();
        args::parse_words(&words).unwrap()
    };
    let dead = "drive 3 (secondary master)";
    let questions = [
        asked(
            &request(&["3", "w", "my image.bin"]),
            "drive 3 (/dev/sr2), SONY DVD RW DW-D22A BYS1, serial A1B2",
            true,
        ),
        asked(&request(&["3", "e"]), dead, true),
        asked(&request(&["3", "e", "--banks", "1"]), dead, true),
    ]
    .map(|question| prompt::asked(&question.into()));
    insta::assert_snapshot!(questions.join("\n\n"));
}
