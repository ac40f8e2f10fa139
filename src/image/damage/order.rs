//! Images whose bytes or bits are in another order, as programmers of chips
//! write them.
//!
//! Looked for where an image names no drive for certain: it does when the order is
//! put right.

use super::{Damage, Finding, all};
use crate::image::identity::{self, Kind};
use crate::image::{ImageIdentity, is_flash_size};

/// What was done to the bytes of an image. Done again, it is undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// The bytes of every pair exchanged.
    Pairs,
    /// Every four bytes reversed.
    Fours,
    /// The bits of every byte reversed.
    Bits,
    /// Every bit inverted.
    Inverted,
}

impl Order {
    pub const ALL: [Order; 4] = [Order::Pairs, Order::Fours, Order::Bits, Order::Inverted];

    /// The bytes in the other order.
    pub fn change(self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        let reverse = |length: usize, bytes: &mut [u8]| {
            bytes.chunks_exact_mut(length).for_each(<[u8]>::reverse);
        };
        match self {
            Order::Pairs => reverse(2, &mut bytes),
            Order::Fours => reverse(4, &mut bytes),
            Order::Bits => bytes
                .iter_mut()
                .for_each(|byte| *byte = byte.reverse_bits()),
            Order::Inverted => bytes.iter_mut().for_each(|byte| *byte = !*byte),
        }
        bytes
    }
}

/// An image of BTC's that lost bytes before its identity, or got some.
fn shifted(bytes: &[u8]) -> Option<Finding> {
    identity::btc_shift(bytes).map(|by| Finding::probable(all(bytes), Damage::Shifted { by }))
}

pub(super) fn findings(bytes: &[u8]) -> Option<Finding> {
    let names_a_drive = |bytes: &[u8]| identity::find(bytes).iter().any(is_proven);
    if !is_flash_size(bytes.len()) || names_a_drive(bytes) {
        return None;
    }
    let is_right = |order: &Order| names_a_drive(&order.change(bytes));
    let Some(order) = Order::ALL.into_iter().find(is_right) else {
        return shifted(bytes);
    };
    Some(Finding::certain(all(bytes), Damage::Reordered(order)))
}

/// Known by a mark or a sum, and not by its place alone.
fn is_proven(found: &ImageIdentity) -> bool {
    match found.kind {
        Kind::LiteOn | Kind::BluRay => true,
        Kind::Mt1939 { stored, computed } => stored == computed,
        Kind::Btc => found.identity.vendor == "BTC",
    }
}
