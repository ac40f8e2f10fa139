//! A file packed by gzip, as people on Linux pack single images. Several packed streams in
//! a row are one content (RFC 1952, 2.2), and zeros may follow.

use flate2::bufread::GzDecoder;

use super::{Budget, File, Problem, shown};

/// Unpacks it; the CRC-32 of each stream is checked.
pub fn read(bytes: &[u8], budget: &mut Budget) -> File {
    let mut name = None;
    let mut unpacked = Vec::new();
    let mut rest = bytes;
    let content = loop {
        let mut decoder = GzDecoder::new(rest);
        match budget.unpack(&mut decoder) {
            Ok(stream) => unpacked.extend(stream),
            Err(problem) => break Err(problem),
        }
        let of_stream = decoder.header().and_then(|header| header.filename());
        let of_stream = of_stream.map(|name| shown(&String::from_utf8_lossy(name)));
        name = name.or(of_stream);
        rest = decoder.into_inner();
        if rest.iter().all(|byte| *byte == 0) {
            break Ok(unpacked);
        }
        if unpacked.len() > Budget::MEMBER {
            break Err(Problem::TooLarge);
        }
    };
    File {
        name: name.unwrap_or_default(),
        content,
    }
}
