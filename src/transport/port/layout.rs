//! Where the registers of a channel are.

/// A few registers in a region of a PCI function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Block {
    /// The number of the region, as in the name of its file `resourceN`.
    pub region: usize,
    /// Ports from the start of the region to the first register.
    pub offset: u64,
}

impl Block {
    pub fn at(region: usize, offset: u64) -> Block {
        Block { region, offset }
    }
}

/// The registers of one channel in the regions of its PCI function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Layout {
    /// The eight registers from the data register on.
    pub command: Block,
    /// Device Control, one register.
    pub control: Block,
    /// The bus master's registers, of which status is the third; `None` where
    /// the controller has none.
    pub bus_master: Option<Block>,
}
