//! Words as a shell takes them.

use std::ffi::OsStr;

use super::visible::is_hidden;

/// A word as a shell takes it, on one line whatever is in it. Bytes that are no
/// text, and what a terminal would obey or hide, are written as bash and zsh
/// take them.
pub fn quoted(word: &OsStr) -> String {
    let is_plain = |letter: char| {
        "-_./=,:+@%".contains(letter) || letter.is_alphanumeric() && !is_hidden(letter)
    };
    match word.to_str() {
        // zsh looks for a program where a word starts with an equals sign.
        Some(text) if !text.is_empty() && !text.starts_with('=') && text.chars().all(is_plain) => {
            text.to_owned()
        }
        _ => in_quotes(word),
    }
}

/// The same in quotes whatever is in it.
pub fn in_quotes(word: &OsStr) -> String {
    match word.to_str() {
        Some(text) if !text.chars().any(is_hidden) => {
            format!("'{}'", text.replace('\'', r"'\''"))
        }
        _ => {
            let mut quoted = "$'".to_owned();
            for chunk in word.as_encoded_bytes().utf8_chunks() {
                for letter in chunk.valid().chars() {
                    match letter {
                        '\'' | '\\' => quoted.extend(['\\', letter]),
                        _ if is_hidden(letter) => {
                            quoted.push_str(&in_octal(letter.encode_utf8(&mut [0; 4]).as_bytes()))
                        }
                        _ => quoted.push(letter),
                    }
                }
                quoted.push_str(&in_octal(chunk.invalid()));
            }
            quoted + "'"
        }
    }
}

/// As `$'…'` takes bytes: three digits each, which nothing that follows adds to.
fn in_octal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\{byte:03o}")).collect()
}
