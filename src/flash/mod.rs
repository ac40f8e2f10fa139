//! Flash memory: where a byte is ([`address`]), which chips exist ([`chip`],
//! [`table`]) and how they are erased ([`layout`]).

pub mod address;
pub mod chip;
pub mod layout;
pub mod ranges;
pub mod table;

pub use address::{BANK_SIZE, Bank, FlashRange, Offset, PAGE_SIZE};
pub use layout::EraseLayout;
