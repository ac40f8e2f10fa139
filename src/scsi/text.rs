//! Text as drives send it.

/// Makes a text field of a reply safe to show: whatever is not printable ASCII
/// becomes `?`, blanks and NULs at the end are padding and go.
pub(crate) fn printable(field: &[u8]) -> String {
    let padding = field
        .iter()
        .rev()
        .take_while(|byte| matches!(byte, b' ' | 0))
        .count();
    field
        .iter()
        .take(field.len() - padding)
        .map(|&byte| match byte {
            b' '..=b'~' => char::from(byte),
            _ => '?',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn text_loses_its_padding_and_cannot_carry_control_characters() {
        for (sent, shown) in [
            (&b"SONY    "[..], "SONY"),
            (b"DVD RW DW-D22A  ", "DVD RW DW-D22A"),
            (b"BYS1\0\0", "BYS1"),
            (b"\x1b[2J", "?[2J"),
            (b"A\0B\xff", "A?B?"),
            (b" kept", " kept"),
            (b"    ", ""),
            (b"", ""),
        ] {
            assert_eq!(printable(sent), shown, "{sent:02x?}");
        }
    }
}
