//! A part of a flash in a HEX file whose addresses say where it belongs, as `objcopy` and
//! `srec_cat` write one.

use super::hex::{HexNotes, Hole, HoleKind, MAX_BANKS};
use super::{Encoding, Image};
use crate::flash::{BANK_SIZE, FlashRange};

/// Bytes of the largest flash that a HEX file can hold.
pub const LARGEST_HEX: u32 = MAX_BANKS as u32 * BANK_SIZE;

impl Image {
    /// Of a HEX file that says where its bytes belong, and has none outside of these
    /// ranges, what belongs into them, in their order; any other image as it is.
    ///
    /// # Errors
    /// Where its bytes belong, if that is in none of these ranges.
    pub fn of_ranges(self, ranges: &[FlashRange]) -> Result<Image, FlashRange> {
        let Some(notes) = self.hex.as_ref().filter(|notes| notes.says_where()) else {
            return Ok(self);
        };
        let filled = notes.filled(self.size());
        let inside = |piece: &FlashRange| {
            let inside = ranges.iter().map(|wanted| wanted.common(*piece).len());
            inside.sum::<u32>()
        };
        if filled.iter().all(|piece| inside(piece) == piece.len()) {
            return Ok(self.cut_to(ranges, notes));
        }
        match (filled.first(), filled.last()) {
            (Some(first), Some(last)) if filled.iter().all(|piece| inside(piece) == 0) => {
                Err(FlashRange::new(first.start(), last.end()))
            }
            _ => Ok(self),
        }
    }

    fn cut_to(&self, ranges: &[FlashRange], notes: &HexNotes) -> Image {
        let mut bytes = Vec::new();
        let mut holes = Vec::new();
        for range in ranges {
            let at = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            let there = range.common(FlashRange::new(0, self.size()));
            bytes.extend_from_slice(there.of(&self.bytes));
            bytes.resize((at + range.len()) as usize, 0xFF);
            let past = Hole {
                range: FlashRange::new(range.start().max(there.end()), range.end()),
                kind: HoleKind::Bank,
            };
            let inside = notes.holes.iter().chain([&past]).map(|hole| Hole {
                range: hole.range.common(*range),
                kind: hole.kind,
            });
            let inside = inside.filter(|hole| !hole.range.is_empty());
            let shifted = |at_flash: u32| at_flash - range.start() + at;
            holes.extend(inside.map(|hole| Hole {
                range: FlashRange::new(shifted(hole.range.start()), shifted(hole.range.end())),
                kind: hole.kind,
            }));
        }
        Image {
            hex: Some(HexNotes {
                holes,
                ..notes.clone()
            }),
            origin: self.origin.clone(),
            ..Image::of(bytes, Encoding::Hex)
        }
    }
}
