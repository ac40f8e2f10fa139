//! One file packed by gzip, as people on Linux pack single images.

use std::io::Read;

use flate2::read::GzDecoder;

use super::{Budget, File, Problem, shown};

/// Unpacks it; its CRC-32 is checked.
pub fn read(bytes: &[u8], budget: &mut Budget) -> File {
    let limit = budget.bytes.min(Budget::MEMBER);
    let mut content = Vec::new();
    let mut decoder = GzDecoder::new(bytes);
    let read = (&mut decoder)
        .take(limit as u64 + 1)
        .read_to_end(&mut content);
    budget.bytes = budget.bytes.saturating_sub(content.len());
    let name = decoder.header().and_then(|header| header.filename());
    let name = name.map_or_else(
        || "the file inside".to_owned(),
        |name| shown(&String::from_utf8_lossy(name)),
    );
    let content = match read {
        Ok(size) if size > limit => Err(Problem::TooLarge),
        Ok(_) => Ok(content),
        Err(_) => Err(Problem::Damaged),
    };
    File { name, content }
}
