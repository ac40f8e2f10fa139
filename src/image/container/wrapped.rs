//! Two simple wrappings.
//!
//! Source: firmware-extractor 0.1.0 (Matt Jackson), which met both in vendors'
//! files: LG, ASUS and HP keep a ZIP whose bytes are swapped pair by pair; some
//! OEM updates are a length, the payload, and a signature.

/// Swaps the bytes of every pair; a single last byte stays.
pub fn unswapped(bytes: &[u8]) -> Vec<u8> {
    let mut unswapped = bytes.to_vec();
    for pair in unswapped.chunks_exact_mut(2) {
        pair.reverse();
    }
    unswapped
}

/// The payload of: its length as 32 bits, the payload, the length of a signature
/// as 16 bits, the signature in DER; big end first, and nothing else.
pub fn signed(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (payload, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    let (length, signature) = rest.split_first_chunk::<2>()?;
    let is_whole = signature.len() == usize::from(u16::from_be_bytes(*length));
    // DER begins with a sequence.
    (is_whole && signature.first() == Some(&0x30) && !payload.is_empty()).then_some(payload)
}
