//! What a flash shows of a change that was begun: whether it is as it was before, on
//! its way, or neither.

use std::collections::BTreeSet;

use super::Piece;
use crate::flash::{Bank, EraseLayout, FlashRange, PAGE_SIZE};
use crate::image::{Crc32, identity};
use crate::plan::ERASED;

/// Flash is compared with an entry in pieces of at most this many bytes: the
/// smallest sector of most chips.
const PIECE: u32 = 0x1000;

/// What a flash shows of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::job) struct Trace {
    pub state: State,
    /// Something in it is as that change found it or wanted it, and not blank.
    pub is_kin: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::job) enum State {
    /// It is as it was before.
    Untouched,
    /// It is as the change wanted it: so is a drive that has had this for long.
    Finished,
    /// The change can have left this on its way.
    Partial,
    /// The change cannot have left this by itself.
    Other,
}

/// The pieces of a flash that a change can touch.
pub(in crate::job) fn pieces(
    before: &[u8],
    after: Option<&[u8]>,
    covered: &[FlashRange],
) -> Vec<Piece> {
    covered
        .iter()
        .flat_map(|range| {
            let starts =
                (range.start() - range.start() % PIECE..range.end()).step_by(PIECE as usize);
            starts.map(|start| {
                FlashRange::new(
                    start.max(range.start()),
                    start.saturating_add(PIECE).min(range.end()),
                )
            })
        })
        .map(|range| Piece {
            range,
            before: Crc32::of(range.of(before)),
            after: after.map(|after| Crc32::of(range.of(after))),
        })
        .collect()
}

/// The banks in which the flash is not as it was before.
pub(in crate::job) fn begun(pieces: &[Piece], now: &[u8]) -> BTreeSet<Bank> {
    let begun = pieces
        .iter()
        .filter(|piece| !Seen::of(piece, now).is_before);
    begun.flat_map(|piece| piece.range.banks()).collect()
}

/// A piece, and what the flash holds there now.
struct Seen<'a> {
    piece: &'a Piece,
    is_before: bool,
    is_after: bool,
    /// As it was or is to be, and not blank.
    is_kin: bool,
}

impl Seen<'_> {
    fn of<'a>(piece: &'a Piece, now: &[u8]) -> Seen<'a> {
        let bytes = piece.range.of(now);
        let sum = Crc32::of(bytes);
        let (is_before, is_after) = (sum == piece.before, piece.after == Some(sum));
        Seen {
            piece,
            is_before,
            is_after,
            is_kin: (is_before || is_after) && bytes.iter().any(|byte| *byte != ERASED),
        }
    }

    /// Whether the change is to touch it.
    fn changes(&self) -> bool {
        let after = self.piece.after;
        after.is_none_or(|after| after != self.piece.before)
    }
}

/// What the flash shows by the sums of its pieces; `layout` is that of a drive which
/// is changed in place, by this change alone.
pub(in crate::job) fn of(pieces: &[Piece], now: &[u8], layout: Option<&EraseLayout>) -> Trace {
    let seen: Vec<Seen> = pieces.iter().map(|piece| Seen::of(piece, now)).collect();
    let state = match layout {
        _ if seen.iter().all(|seen| seen.is_before) => State::Untouched,
        _ if seen.iter().all(|seen| seen.is_after) => State::Finished,
        Some(layout) if is_out_of_turn(&seen, layout) => State::Other,
        _ => State::Partial,
    };
    Trace {
        state,
        is_kin: seen.iter().any(|seen| seen.is_kin),
    }
}

/// Whether a sector is touched that is to stay, or one is not touched that comes
/// before one that is: a change touches sectors in which something is to change, and
/// all of them in the order of the plan.
fn is_out_of_turn(seen: &[Seen], layout: &EraseLayout) -> bool {
    struct Sector {
        bank: Bank,
        changes: bool,
        touched: bool,
        /// What lies in a bank's first page alone comes at the very end.
        holds_first_page: bool,
    }
    let sectors: Vec<Sector> = layout
        .sectors
        .iter()
        .map(|sector| {
            let here = || {
                let pieces = seen.iter();
                pieces.filter(|seen| seen.piece.range.overlaps(*sector))
            };
            Sector {
                bank: sector.banks().next_back().unwrap_or_default(),
                changes: here().any(Seen::changes),
                touched: here().any(|seen| !seen.is_before),
                holds_first_page: sector
                    .banks()
                    .any(|bank| bank.range().start() >= sector.start()),
            }
        })
        .collect();
    let touched = sectors.iter().filter(|sector| sector.touched);
    let lowest = touched.map(|sector| sector.bank).min();
    sectors.iter().any(|sector| {
        let is_before_one_that_is = Some(sector.bank) > lowest && !sector.holds_first_page;
        match sector.touched {
            true => !sector.changes,
            false => sector.changes && is_before_one_that_is,
        }
    })
}

impl Piece {
    /// Whether the flash holds there neither what was there, nor what is to be there, nor
    /// nothing.
    pub(in crate::job) fn is_odd(&self, now: &[u8]) -> bool {
        let seen = Seen::of(self, now);
        let is_blank = || self.range.of(now).iter().all(|byte| *byte == ERASED);
        !seen.is_before && !seen.is_after && !is_blank()
    }
}

/// Whether a flash holds more than a page of what was in it before or is to be,
/// blank bytes aside.
pub(in crate::job) fn shares_content(now: &[u8], before: &[u8], after: &[u8]) -> bool {
    let after = after.iter().map(Some).chain(std::iter::repeat(None));
    now.iter()
        .zip(before)
        .zip(after)
        .filter(|((now, before), after)| **now != ERASED && (now == before || Some(*now) == *after))
        .nth(PAGE_SIZE as usize)
        .is_some()
}

/// Whether several changes, each begun in the middle of another, can have left this
/// in `sectors`: from `before` to each of `afters`, in any order.
pub(in crate::job) fn is_among(
    now: &[u8],
    before: &[u8],
    afters: &[&[u8]],
    sectors: &[FlashRange],
) -> bool {
    sectors.iter().all(|sector| {
        let [now, before] = [now, before].map(|flash| sector.of(flash));
        let mut afters = afters.iter().map(|after| sector.of(after));
        is_half_erased(now, before)
            || afters.any(|after| {
                leads_to(now, before, after)
                    || is_cleared(now, after)
                    || is_noise(now, after) && !is_mostly(now, before)
            })
    })
}

/// Whether changes from `before` to each of `afters` can have left this in `sectors`,
/// in a chip that does not do all that it is told.
pub(in crate::job) fn is_residue(
    now: &[u8],
    before: &[u8],
    afters: &[&[u8]],
    sectors: &[FlashRange],
) -> bool {
    sectors.iter().all(|sector| {
        let [now, before] = [now, before].map(|flash| sector.of(flash));
        let mut bytes = now.iter().zip(before).enumerate();
        let is_between = |(at, (now, before)): (usize, (&u8, &u8))| {
            let clear = |after: &&[u8]| sector.of(after).get(at).copied().unwrap_or(ERASED);
            let set = afters
                .iter()
                .map(clear)
                .fold(*before, |all, after| all & after);
            set & !now == 0
        };
        bytes.all(is_between) || is_half_erased(now, before)
    })
}

/// Whether an erase that was cut off can have left this. Chips program a sector to
/// 00 before they erase it (AMD's embedded algorithm, which JEDEC parts follow), byte
/// by byte; then all of its bits rise, those of bytes that were FF as well.
pub(super) fn is_half_erased(now: &[u8], before: &[u8]) -> bool {
    is_cleared(now, before) || is_noise(now, before)
}

/// Whether some bytes are 00 and nothing else has become of it.
fn is_cleared(now: &[u8], before: &[u8]) -> bool {
    let mut both = now.iter().zip(before);
    both.all(|(now, before)| now == before || *now == 0)
}

/// Whether all bits were on their way up. Then it is like nothing that was there.
fn is_noise(now: &[u8], before: &[u8]) -> bool {
    /// Fewer say nothing.
    const FEW: usize = 64;
    // What still says who the drive is is no noise.
    if is_mostly(now, before) || is_in_one_place(now) || !identity::find(now).is_empty() {
        return false;
    }
    let both = now.iter().zip(before);
    let (blank, held): (Vec<_>, Vec<_>) = both.partition(|(_, before)| **before == ERASED);
    let low = |bytes: &[(&u8, &u8)]| bytes.iter().filter(|(now, _)| **now != ERASED).count();
    !held.is_empty()
        && (blank.len() < FEW || 4 * low(&blank) * held.len() >= low(&held) * blank.len())
}

/// Whether half of what is not blank is close together: what was written is, and bits
/// that rise are everywhere.
fn is_in_one_place(now: &[u8]) -> bool {
    /// Fewer say nothing.
    const FEW: usize = 16;
    let low: Vec<usize> = (0..)
        .zip(now)
        .filter(|(_, byte)| **byte != ERASED)
        .map(|(at, _)| at)
        .collect();
    let halves = low.iter().zip(low.iter().skip(low.len() / 2));
    let nearest = halves.map(|(first, last)| last - first).min();
    low.len() >= FEW && nearest.is_some_and(|span| span < now.len() / 8)
}

/// Whether more of what is not blank in `before` is there than an erase leaves.
fn is_mostly(now: &[u8], before: &[u8]) -> bool {
    let held = || {
        now.iter()
            .zip(before)
            .filter(|(_, before)| **before != ERASED)
    };
    let same = held().filter(|(now, before)| now == before).count();
    same > 0 && 4 * same >= held().count()
}

/// Whether a sector is as it was or on its way to `after`, wherever that is cut off:
/// after an erase everything that is to be set is set, and programming clears what is
/// to be clear. A few cells may not have risen.
fn leads_to(now: &[u8], before: &[u8], after: &[u8]) -> bool {
    const WEAK: usize = 4;
    let clear = || {
        let all = now.iter().zip(before).zip(after);
        all.filter(|((now, _), after)| *after & !*now != 0)
    };
    now == before
        || clear().all(|((now, before), after)| lies_between(*now, *before, *after))
            && clear().count() <= WEAK
}

/// Erasing sets bits and programming clears those that are to be clear: a bit that is
/// clear now was clear before or is to be.
fn lies_between(now: u8, before: u8, after: u8) -> bool {
    before & after & !now == 0
}

/// Whether a change from `before` to `after` can have left this in a drive that
/// programs by itself, in whatever order.
pub(in crate::job) fn is_between(now: &[u8], before: &[u8], after: &[u8]) -> bool {
    let mut all = now.iter().zip(before).zip(after);
    all.all(|((now, before), after)| lies_between(*now, *before, *after))
}

#[cfg(test)]
mod tests {
    use super::super::stopped::can_leave;
    use super::*;
    use crate::job::record;

    const SIZE: usize = 0x2_0000;

    fn whole() -> Vec<FlashRange> {
        record::covered(&[], SIZE as u32)
    }

    #[test]
    fn what_is_mostly_as_before_is_no_half_erased_image() {
        let mut random = 1_u32;
        let mut noise = || {
            let mut byte = || {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (random >> 24) as u8
            };
            (0..SECTORS).map(|_| byte()).collect::<Vec<u8>>()
        };
        let [before, image, cut_off] = [noise(), noise(), noise()];
        let sector = [FlashRange::new(0, SECTORS)];
        let is_left = |now: &[u8]| is_among(now, &before, &[&image], &sector);
        assert!(is_left(&image), "it is done");
        assert!(is_left(&cut_off), "an erase of either was cut off");
        let mut cleared = image.clone();
        cleared[..900].fill(0);
        assert!(is_left(&cleared), "an erase has just begun");
        let mut twin = before.clone();
        twin[0x100..0x140].copy_from_slice(&cut_off[..0x40]);
        assert!(!is_left(&twin), "a drive with other bytes of its own");

        let mut before = vec![ERASED; SECTORS as usize];
        let mut twin = before.clone();
        before[0x100..0x140].copy_from_slice(&cut_off[..0x40]);
        twin[0x100..0x140].copy_from_slice(&cut_off[0x40..0x80]);
        let is_left = |now: &[u8]| is_among(now, &before, &[&image], &sector);
        assert!(!is_left(&twin), "the same where little else is there");
        for (number, byte) in twin.iter_mut().enumerate() {
            *byte = if number % 61 == 0 { 0x7F } else { ERASED };
        }
        assert!(is_left(&twin), "an erase that had come far");
    }

    #[test]
    fn what_an_erase_or_a_program_passes_through_lies_between() {
        for passed in [0x5A, 0x7A, 0xFF, 0xFC, 0x3C, 0x5E] {
            assert!(lies_between(passed, 0x5A, 0x3C), "{passed:02x}");
        }
        // 18 is set in both, and is never cleared on the way.
        for never in [0x00, 0x42, 0x24] {
            assert!(!lies_between(never, 0x5A, 0x3C), "{never:02x}");
        }
    }

    const SECTORS: u32 = 0x1000;

    fn sectors() -> EraseLayout {
        let sizes = std::iter::repeat_n(SECTORS, SIZE / SECTORS as usize);
        EraseLayout::from_sizes(sizes, 1)
    }

    fn state_of(now: &[u8], before: &[u8], after: &[u8]) -> State {
        let layout = sectors();
        let pieces = pieces(before, Some(after), &whole());
        let trace = of(&pieces, now, Some(&layout));
        match trace.state {
            State::Partial if !can_leave(now, before, after, &layout, &layout.sectors) => {
                State::Other
            }
            state => state,
        }
    }

    #[test]
    fn a_flash_shows_whether_a_change_has_left_it() {
        let before: Vec<u8> = (0..SIZE).map(|at| ((at * 7) >> 3) as u8).collect();
        let mut after = before.clone();
        for sector in after.chunks_mut(SECTORS as usize).skip(1).step_by(3) {
            sector[17..3000].fill(0x3C);
        }
        let with = |changes: &[(usize, u8)]| {
            let mut now = before.clone();
            for (at, value) in changes {
                now[at * 0x1000..(at + 1) * 0x1000].fill(*value);
            }
            now
        };
        assert_eq!(state_of(&before, &before, &after), State::Untouched);
        assert_eq!(state_of(&after, &before, &after), State::Finished);
        assert_eq!(state_of(&[0xFF; SIZE], &before, &after), State::Other);
        assert_eq!(
            state_of(&with(&[(16, 0xFF)]), &before, &after),
            State::Partial
        );
        assert_eq!(
            state_of(&with(&[(16, 0xFF), (19, 0x31)]), &before, &after),
            State::Partial,
            "the erase of the second sector was cut off"
        );
        assert_eq!(
            state_of(&with(&[(19, 0xFF)]), &before, &after),
            State::Other,
            "the sector before it in its bank comes first"
        );
        let mut half = with(&[
            (16, 0xFF),
            (19, 0xFF),
            (22, 0xFF),
            (25, 0xFF),
            (28, 0xFF),
            (31, 0xFF),
        ]);
        half[0x1_0100..0x1_0400].copy_from_slice(&after[0x1_0100..0x1_0400]);
        half[0x1_0400..0x1_0480].fill(0x7D);
        assert_eq!(
            state_of(&half, &before, &after),
            State::Partial,
            "a page was being programmed"
        );
        let mut twin = before.clone();
        twin[0x1_3000..0x1_4000].copy_from_slice(&after[0x1_3000..0x1_4000]);
        assert_eq!(
            state_of(&twin, &before, &after),
            State::Other,
            "one sector is done and those beside it were never erased"
        );
        assert_eq!(
            state_of(&with(&[(4, 0xFF)]), &before, &after),
            State::Other,
            "the last bank comes first"
        );
        assert_eq!(
            state_of(&with(&[(18, 0xFF)]), &before, &after),
            State::Other,
            "this sector is not to be touched"
        );
        let mut calibrated = after.clone();
        calibrated[0x1010] ^= 0x55;
        assert_eq!(
            state_of(&calibrated, &before, &after),
            State::Other,
            "another drive that has had this image for long"
        );
    }
}
