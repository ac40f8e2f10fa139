//! Flash memory: where a byte is ([`address`]) and which chips exist.

pub mod address;
pub mod layout;

pub use address::{BANK_SIZE, Bank, FlashRange, Offset, PAGE_SIZE};
pub use layout::EraseLayout;
