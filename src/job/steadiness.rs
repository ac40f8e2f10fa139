//! Whether what two reads agree on can be believed.

use super::objection::{Content, Objection, Warning};
use super::{Forced, Refusal};

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

/// What to say before a change of a flash that was read so; `None` for one that
/// always read the same.
///
/// # Errors
/// [`Check::Unstable`](super::Check::Unstable), unless it is forced: the backup may be wrong, and what
/// is programmed goes over the same cable.
pub fn refuse_unstable(disagreements: u32, forced: &Forced) -> Result<Option<Warning>, Refusal> {
    if disagreements == 0 {
        return Ok(None);
    }
    if !is_unstable(disagreements) {
        return Ok(Some(Warning::Reread { disagreements }));
    }
    Objection::Unsteady { disagreements }
        .unless_forced(forced)
        .map(Some)
}

/// What is to be thought of content that comes from a dump with so many
/// disagreements.
pub(super) fn warning_of_dump(of: Content, disagreements: u32) -> Option<Warning> {
    is_unstable(disagreements).then_some(Warning::DoubtfulDump { of, disagreements })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Check;

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
        assert_eq!(warning_of_dump(Content::Image, HANDFUL), None);
        assert!(warning_of_dump(Content::Image, HANDFUL + 1).is_some());
    }
}
