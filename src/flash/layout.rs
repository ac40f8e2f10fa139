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
    /// Bytes in the flash.
    pub fn size(&self) -> u32 {
        self.sectors.last().map_or(0, |sector| sector.end)
    }
}
