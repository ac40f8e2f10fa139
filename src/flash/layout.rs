//! How a flash can be erased and programmed: what a plan needs to know of a chip.

use super::FlashRange;

/// The erasable sectors of a flash and the unit in which it is programmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EraseLayout {
    /// Every sector, ascending, without gaps, from 0 to the flash's size. A
    /// chip that can only be erased as a whole has one sector.
    pub sectors: Vec<FlashRange>,
    /// Bytes that one program operation takes: 1 for byte-program parts, 256
    /// for serial ones.
    pub program_unit: u32,
}

impl EraseLayout {
    /// A flash of `size` bytes that can only be erased as a whole.
    pub fn whole(size: u32, program_unit: u32) -> Self {
        EraseLayout {
            sectors: vec![FlashRange::new(0, size)],
            program_unit,
        }
    }

    /// Sectors of these sizes, in this order, from offset 0 up.
    pub fn from_sizes(sizes: impl IntoIterator<Item = u32>, program_unit: u32) -> Self {
        let mut end = 0u32;
        let sectors = sizes
            .into_iter()
            .map(|size| {
                let start = end;
                end = end.saturating_add(size);
                FlashRange::new(start, end)
            })
            .collect();
        EraseLayout {
            sectors,
            program_unit,
        }
    }

    /// Bytes in the flash.
    pub fn size(&self) -> u32 {
        self.sectors.last().map_or(0, |sector| sector.end())
    }

    /// Whether every byte from 0 to the size lies in exactly one sector.
    pub fn is_gapless(&self) -> bool {
        let mut next = 0;
        self.sectors.iter().all(|sector| {
            let fits = sector.start() == next && !sector.is_empty();
            next = sector.end();
            fits
        })
    }
}
