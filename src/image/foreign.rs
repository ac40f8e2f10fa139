//! Files that are something else altogether, by how they begin: what a user has
//! who took the wrong file, or a server's answer for one that it does not have.
//!
//! Only marks that no code of a drive starts with by chance; archives and
//! programs, which may hold an image, are [`container`](super::container)'s.

use super::text;

/// What a file is that neither is nor holds firmware.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Foreign {
    WebPage,
    /// One of several files that are a ZIP archive together.
    PartOfZip,
    /// XML or JSON: what a server says to a program.
    Answer,
    Pdf,
    Picture,
    Sound,
    Video,
    /// Of an office program.
    Document,
    LinuxProgram,
    /// An image of a disc.
    Disc,
    /// An image of a floppy disk, as some firmware was given out on.
    Floppy,
    /// Motorola's text form of a binary.
    SRecords,
    /// A link to a download and not the download.
    Torrent,
    Shortcut,
    /// The help of a Windows program.
    Help,
    /// What macOS and Windows note about files and folders, beside them.
    Note,
}

/// Marks at fixed places.
const MARKS: [(usize, &[u8], Foreign); 29] = [
    (0, b"%PDF-", Foreign::Pdf),
    (0, b"\x89PNG\r\n\x1a\n", Foreign::Picture),
    (0, b"\xff\xd8\xff\xe0", Foreign::Picture),
    (0, b"\xff\xd8\xff\xe1", Foreign::Picture),
    (0, b"\xff\xd8\xff\xdb", Foreign::Picture),
    (0, b"\0\0\x01\0\x01\0\x20\x20", Foreign::Picture),
    (0, b"ITSF\x03\0\0\0", Foreign::Help),
    (0, b"?_\x03\0", Foreign::Help),
    (0, b"\0\x05\x16\x07\0\x02\0\0", Foreign::Note),
    (0, b"\0\0\0\x01Bud1", Foreign::Note),
    (0, b"GIF87a", Foreign::Picture),
    (0, b"GIF89a", Foreign::Picture),
    (8, b"WEBPVP8", Foreign::Picture),
    (0, b"ID3\x02", Foreign::Sound),
    (0, b"ID3\x03", Foreign::Sound),
    (0, b"ID3\x04", Foreign::Sound),
    (0, b"OggS\0", Foreign::Sound),
    (0, b"fLaC\0", Foreign::Sound),
    (8, b"WAVEfmt ", Foreign::Sound),
    (8, b"AVI LIST", Foreign::Video),
    (4, b"ftypisom", Foreign::Video),
    (4, b"ftypmp4", Foreign::Video),
    (0, b"\x1a\x45\xdf\xa3", Foreign::Video),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Foreign::Document),
    (0, b"\x7fELF", Foreign::LinuxProgram),
    (0x8001, b"CD001\x01", Foreign::Disc),
    (0, b"d8:announce", Foreign::Torrent),
    (0, b"[InternetShortcut]", Foreign::Shortcut),
    (
        0,
        b"L\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0",
        Foreign::Shortcut,
    ),
];

/// Bytes on floppy disks of a PC.
const FLOPPIES: [usize; 4] = [737_280, 1_228_800, 1_474_560, 2_949_120];

/// What these bytes are instead of firmware.
pub fn of(content: &[u8]) -> Option<Foreign> {
    let has = |at: usize, mark: &[u8]| content.get(at..at + mark.len()) == Some(mark);
    let mut marks = MARKS.iter().filter(|(at, mark, _)| has(*at, mark));
    if let Some((_, _, kind)) = marks.next() {
        return Some(*kind);
    }
    if FLOPPIES.contains(&content.len()) && has(510, b"\x55\xaa") && has(0, b"\xeb") {
        return Some(Foreign::Floppy);
    }
    if is_last_of_zip(content) {
        return Some(Foreign::PartOfZip);
    }
    if is_bitmap(content) {
        return Some(Foreign::Picture);
    }
    if is_mp3(content) {
        return Some(Foreign::Sound);
    }
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    if is_web_page(content) {
        return Some(Foreign::WebPage);
    }
    if !text::is_text(content) {
        return None;
    }
    if is_answer(content) {
        return Some(Foreign::Answer);
    }
    is_s_records(content).then_some(Foreign::SRecords)
}

fn is_web_page(text: &[u8]) -> bool {
    const SEARCHED: usize = 0x1000;
    let start = text.get(..SEARCHED).unwrap_or(text).to_ascii_lowercase();
    let has = |mark: &[u8]| memchr::memmem::find(&start, mark).is_some();
    let marks: [&[u8]; 5] = [b"<html", b"<!doctype html", b"<body", b"<head", b"<title"];
    start.trim_ascii_start().starts_with(b"<") && marks.into_iter().any(has)
}

/// XML or JSON, as servers answer programs.
fn is_answer(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    let is_json = text.starts_with(b"{") && text.ends_with(b"}");
    text.starts_with(b"<?xml") || is_json && memchr::memchr(b':', text).is_some()
}

/// `S`, a digit, and pairs of hex digits, on the first lines.
fn is_s_records(text: &[u8]) -> bool {
    const SEEN: usize = 4;
    let lines = text.split(|byte| matches!(byte, b'\n' | b'\r'));
    let mut lines = lines.filter(|line| !line.is_empty()).take(SEEN).peekable();
    lines.peek().is_some()
        && lines.all(|line| match line.trim_ascii_end() {
            [b'S', b'0'..=b'9', digits @ ..] => {
                digits.len() >= 8
                    && digits.len() % 2 == 0
                    && digits.iter().all(u8::is_ascii_hexdigit)
            }
            _ => false,
        })
}

/// The end of a directory that says that its archive began in another file.
fn is_last_of_zip(content: &[u8]) -> bool {
    let end = content.len().checked_sub(22);
    end.and_then(|end| content.get(end..))
        .is_some_and(|end| end.starts_with(b"PK\x05\x06") && matches!(end[4..6], [1..=99, 0]))
}

/// A picture of Windows: `BM` and its own size.
fn is_bitmap(content: &[u8]) -> bool {
    let size = content.get(2..6).and_then(|size| size.try_into().ok());
    let size = size.map(u32::from_le_bytes);
    content.starts_with(b"BM") && size.is_some_and(|size| size as usize == content.len())
}

/// Sound without a tag: frames of MPEG-1 layer 3, of which the first three follow
/// each other.
fn is_mp3(content: &[u8]) -> bool {
    const RATES: [usize; 14] = [
        32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
    ];
    const SAMPLES: [usize; 3] = [44_100, 48_000, 32_000];
    let length = |at: usize| -> Option<usize> {
        let [0xff, 0xfa | 0xfb, third] = *content.get(at..at + 3)? else {
            return None;
        };
        let rate = RATES.get(usize::from(third >> 4).checked_sub(1)?)?;
        let samples = SAMPLES.get(usize::from(third >> 2 & 3))?;
        Some(144 * rate * 1000 / samples + usize::from(third >> 1 & 1))
    };
    let next = |at: usize| Some(at + length(at)?);
    next(0).and_then(next).and_then(next).is_some()
}

#[cfg(test)]
mod tests {
    use super::super::tests::noise;
    use super::*;
    use crate::sim::Firmware;

    #[test]
    fn what_is_no_firmware_is_known_by_its_beginning() {
        let mut frames = Vec::new();
        for _ in 0..4 {
            // 128 kbit/s at 44100 samples: 417 bytes.
            frames.extend([0xff, 0xfb, 0x90, 0x00]);
            frames.extend([0x55; 413]);
        }
        let mut disc = noise(0x9000);
        disc[0x8001..0x8007].copy_from_slice(b"CD001\x01");
        let mut floppy = vec![0; 1_474_560];
        floppy[0] = 0xeb;
        floppy[510] = 0x55;
        floppy[511] = 0xaa;
        let rows: [(&[u8], Foreign); 9] = [
            (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", Foreign::Pdf),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Foreign::Picture),
            (&frames, Foreign::Sound),
            (b"\x7fELF\x02\x01\x01", Foreign::LinuxProgram),
            (&disc, Foreign::Disc),
            (&floppy, Foreign::Floppy),
            (
                b"\n<!DOCTYPE HTML PUBLIC>\n<title>404 Not Found</title>",
                Foreign::WebPage,
            ),
            (
                b"S00600004844521B\r\nS1137AF00A0A0D0000000000000000000000000061\r\nS9030000FC\r\n",
                Foreign::SRecords,
            ),
            (b"d8:announce35:http://tracker", Foreign::Torrent),
        ];
        for (content, kind) in rows {
            assert_eq!(of(content), Some(kind));
        }
    }

    #[test]
    fn firmware_and_plain_text_are_not_taken_for_something_else() {
        for seed in 0..64 {
            assert_eq!(of(&Firmware::new(0x2_0000, seed).bytes()), None);
        }
        assert_eq!(of(&noise(0x4_0000)), None);
        assert_eq!(of(&[0xff; 0x2_0000]), None);
        assert_eq!(of(b"Dear user, <html> is no page here"), None);
        assert_eq!(of(b"Some words\n"), None);
        assert_eq!(of(b""), None);
    }
}
