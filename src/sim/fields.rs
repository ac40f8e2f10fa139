//! Fields of bytes in images and answers.

/// Replaces bytes of an image, all or none of them.
pub(super) fn put(image: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = image.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

/// The characters of `text`, cut or filled up with blanks, as INQUIRY has them.
pub(super) fn padded<const LENGTH: usize>(text: &str) -> [u8; LENGTH] {
    let mut field = [b' '; LENGTH];
    for (to, from) in field.iter_mut().zip(text.bytes()) {
        *to = from;
    }
    field
}
