//! Whether what two reads agree on can be believed.

use super::{Check, Forced, Refusal};

/// How many times two reads of a block may differ before a flash counts as
/// unstable. One bad byte is asked for up to 16 times, and a cable that was
/// touched costs a few reads; neither says anything about the other bytes.
///
/// Errors that come again and again hit the same bit of both reads at some
/// place. With n disagreements over a flash of s bytes, one bit at a time, that
/// is n² / 32s bytes to be expected wrong: less than one in ten thousand for 16
/// in the smallest flash, 128 KiB; about one for a thousand in 1 MiB.
const HANDFUL: u32 = super::read::ATTEMPTS;

/// Whether what was read may be wrong although every byte was read until two
/// reads agreed.
pub fn is_unstable(disagreements: u32) -> bool {
    disagreements > HANDFUL
}

/// `Two reads of a block differed 3 times`, to be gone on with; `None` for a
/// flash that always read the same.
pub fn in_words(disagreements: u32) -> Option<String> {
    match disagreements {
        0 => None,
        1 => Some("Two reads of a block differed 1 time".to_owned()),
        times => Some(format!("Two reads of a block differed {times} times")),
    }
}

/// What to say before a change of a flash that was read so; `None` for one that
/// always read the same.
///
/// # Errors
/// [`Check::Unstable`], unless it is forced: the backup may be wrong, and what
/// is programmed goes over the same cable.
pub(super) fn refuse_unstable(
    disagreements: u32,
    forced: &Forced,
) -> Result<Option<String>, Refusal> {
    let Some(differed) = in_words(disagreements) else {
        return Ok(None);
    };
    if !is_unstable(disagreements) {
        return Ok(Some(format!("{differed}; it was read until two agreed.")));
    }
    let message = format!(
        "{differed}. What two reads agree on may be wrong then: a backup of this is none to rely \
         on, and what is programmed goes over the same cable."
    );
    if forced.contains(&Check::Unstable) {
        return Ok(Some(message));
    }
    Err(Refusal::Check {
        check: Check::Unstable,
        message,
    })
}

/// What to say of content that comes from a dump with so many disagreements.
pub(super) fn warning_of_dump(what: &str, disagreements: u32) -> Option<String> {
    let differed = in_words(disagreements).filter(|_| is_unstable(disagreements))?;
    Some(format!(
        "{what} is a dump that may be wrong. {differed} when it was made."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flash_is_refused_from_more_than_a_handful_of_disagreements_on() {
        let none = Forced::new();
        assert_eq!(refuse_unstable(0, &none), Ok(None));
        assert!(matches!(refuse_unstable(HANDFUL, &none), Ok(Some(_))));
        assert!(refuse_unstable(HANDFUL + 1, &none).is_err());
        let forced = Forced::from([Check::Unstable]);
        assert!(matches!(refuse_unstable(HANDFUL + 1, &forced), Ok(Some(_))));
    }

    #[test]
    fn a_dump_is_doubted_only_where_its_flash_would_have_been_refused() {
        assert_eq!(warning_of_dump("This", HANDFUL), None);
        assert!(warning_of_dump("This", HANDFUL + 1).is_some());
    }
}
