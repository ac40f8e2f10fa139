//! One file packed by gzip, as people on Linux pack single images.

use flate2::read::GzDecoder;

use super::{Budget, File, shown};

/// Unpacks it; its CRC-32 is checked.
pub fn read(bytes: &[u8], budget: &mut Budget) -> File {
    let mut decoder = GzDecoder::new(bytes);
    let content = budget.unpack(&mut decoder);
    let name = decoder.header().and_then(|header| header.filename());
    let name = name.map_or_else(
        || "the file inside".to_owned(),
        |name| shown(&String::from_utf8_lossy(name)),
    );
    File { name, content }
}
