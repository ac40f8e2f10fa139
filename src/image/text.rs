//! Text that was saved under the name of a firmware.

/// No control characters but those of text, and nearly all of it ASCII. A page
/// of an error message saved under the name of a firmware is text; a blank
/// flash is not.
pub fn is_text(bytes: &[u8]) -> bool {
    let mut ascii = 0;
    for byte in bytes {
        match byte {
            b'\t' | b'\n' | b'\r' | 0x0c | 0x1a | b' '..=b'~' => ascii += 1,
            0x80.. => {}
            _ => return false,
        }
    }
    !bytes.is_empty() && ascii >= bytes.len() / 8 * 7
}

/// Whether it starts like text in UTF-16: 32 characters of ASCII (or all there
/// are), every other byte 00, with or without a byte order mark.
pub fn is_utf16(bytes: &[u8]) -> bool {
    const CHARACTERS: usize = 32;
    let (rest, zero_at) = match bytes {
        [0xff, 0xfe, rest @ ..] => (rest, 1),
        [0xfe, 0xff, rest @ ..] => (rest, 0),
        [0, ..] => (bytes, 0),
        _ => (bytes, 1),
    };
    let pairs = rest.chunks_exact(2).take(CHARACTERS);
    pairs.len() > 3
        && pairs
            .into_iter()
            .all(|pair| pair[zero_at] == 0 && is_text(&pair[1 - zero_at..2 - zero_at]))
}

/// The first characters of a text in UTF-16, those of ASCII.
pub fn start_of_utf16(bytes: &[u8]) -> Vec<u8> {
    const SHOWN: usize = 0x200;
    let start = &bytes[..bytes.len().min(SHOWN)];
    let letters = start.iter().copied();
    letters
        .filter(|byte| byte.is_ascii() && *byte != 0)
        .collect()
}

/// What the first line of a text begins with, cut to a length that can be shown.
pub fn beginning(text: &[u8]) -> String {
    const SHOWN: usize = 40;
    let line = text.trim_ascii_start();
    let end = line
        .iter()
        .position(|byte| byte.is_ascii_control())
        .unwrap_or(line.len());
    String::from_utf8_lossy(&line[..end])
        .chars()
        .take(SHOWN)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, big: bool) -> Vec<u8> {
        let bytes = |unit: u16| match big {
            true => unit.to_be_bytes(),
            false => unit.to_le_bytes(),
        };
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn text_may_have_some_letters_beyond_ascii_and_firmware_some_text() {
        assert!(is_text("Grüße, das ist keine Firmware\r\n".as_bytes()));
        assert!(!is_text(b"CD-RW firmware\x00"));
        assert!(!is_text(&[0xff; 16]));
        assert!(!is_text(&[]));
    }

    #[test]
    fn utf_16_is_known_with_and_without_its_mark() {
        for text in [":10000000", "\u{feff}:10000000", "\u{feff}Dear user"] {
            assert!(is_utf16(&utf16(text, false)), "{text}");
            assert!(is_utf16(&utf16(text, true)), "{text}");
        }
        assert!(!is_utf16(b":1000000012345678"));
        assert!(!is_utf16(&[0xff; 64]));
        assert!(!is_utf16(&[0x00; 64]));
        assert!(!is_utf16(&[0x02, 0x00, 0x30, 0x00, 0x40, 0x00, 0xf0, 0x00]));
        assert!(!is_utf16(b"\xff\xfe"));
    }
}
