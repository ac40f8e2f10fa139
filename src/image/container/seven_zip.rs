//! 7z archives, as far as firmware is packed in them: copied, LZMA or LZMA2, with
//! or without the filter for programs, one after the other.
//!
//! Source: `7zFormat.txt` of the LZMA SDK (public domain). The crate that
//! decompresses is told no more than what the archive may take: every count and
//! size is checked against the budget, and against the bytes that are there,
//! before anything is set aside for it.

use std::io::Read;

use lzma_rust2::filter::bcj::BcjReader;
use lzma_rust2::{Lzma2Reader, LzmaReader};

use super::{Budget, Fields, File, Problem, shown, u32_at, u64_at};
use crate::image::Crc32;

/// The bytes before everything else: a mark, the version, and where the header is.
const START: usize = 32;

/// Bytes that a header may unpack to: names and sizes of some thousand members.
const LARGEST_HEADER: usize = 4 << 20;

/// The method that wants a password.
const AES: &[u8] = &[0x06, 0xf1, 0x07, 0x01];

/// Steps that a member may have been packed in.
const MOST_CODERS: usize = 4;

/// The files of an archive, in its order.
///
/// # Errors
/// An archive of which not even the list can be read.
pub fn read(bytes: &[u8], budget: &mut Budget) -> Result<Vec<File>, Problem> {
    let header = Header::of(bytes, budget)?;
    let mut files = Vec::new();
    let mut names = header.files.into_iter();
    for folder in &header.folders {
        let unpacked = folder.unpack(bytes, budget);
        let mut at = 0;
        for stream in &folder.streams {
            let content = match &unpacked {
                Ok(unpacked) => {
                    let content = unpacked.get(at..at + stream.size);
                    at += stream.size;
                    content
                        .filter(|content| stream.crc.is_none_or(|crc| Crc32::of(content) == crc))
                        .map(<[u8]>::to_vec)
                        .ok_or(Problem::Damaged)
                }
                Err(problem) => Err(*problem),
            };
            let name = names.find(|name| name.has_content);
            let name = name.map_or_else(|| "?".to_owned(), |name| name.name);
            files.push(File { name, content });
        }
    }
    Ok(files)
}

#[derive(Default)]
struct Header {
    folders: Vec<Folder>,
    files: Vec<Name>,
}

struct Name {
    name: String,
    has_content: bool,
}

/// What was packed together.
struct Folder {
    coders: Vec<Coder>,
    /// Where its packed bytes are.
    at: usize,
    packed: usize,
    /// Bytes that come out.
    size: usize,
    crc: Option<Crc32>,
    streams: Vec<Stream>,
}

/// One file in a folder.
struct Stream {
    size: usize,
    crc: Option<Crc32>,
}

#[derive(Clone)]
struct Coder {
    method: Vec<u8>,
    properties: Vec<u8>,
    size: usize,
}

impl Header {
    fn of(bytes: &[u8], budget: &Budget) -> Result<Header, Problem> {
        let header = Header::bytes_in(bytes).ok_or(Problem::Damaged)?;
        if header.is_empty() {
            return Ok(Header::default());
        }
        let mut fields = Fields::new(header, budget.members);
        match fields.byte()? {
            0x01 => fields.header(),
            0x17 => {
                let folders = fields.streams()?;
                let [folder] = &folders[..] else {
                    return Err(Problem::Damaged);
                };
                let mut of_header = Budget {
                    bytes: LARGEST_HEADER,
                    ..*budget
                };
                let header = folder.unpack(bytes, &mut of_header)?;
                let mut fields = Fields::new(&header, budget.members);
                fields.must_be(0x01)?;
                fields.header()
            }
            _ => Err(Problem::Damaged),
        }
    }

    /// Where the start of an archive says that it is; `None` where a sum does not fit.
    fn bytes_in(bytes: &[u8]) -> Option<&[u8]> {
        let crc = |at| u32_at(bytes, at).map(Crc32);
        let place = |at| usize::try_from(u64_at(bytes, at)?).ok();
        let at = START.checked_add(place(12)?)?;
        let header = bytes.get(at..at.checked_add(place(20)?)?)?;
        let is_right = crc(8)? == Crc32::of(bytes.get(12..START)?) && crc(28)? == Crc32::of(header);
        is_right.then_some(header)
    }
}

impl Folder {
    fn unpack(&self, bytes: &[u8], budget: &mut Budget) -> Result<Vec<u8>, Problem> {
        let limit = budget.bytes.min(Budget::MEMBER);
        if self.size > limit || self.coders.iter().any(|coder| coder.size > limit) {
            return Err(Problem::TooLarge);
        }
        let end = self.at.checked_add(self.packed).ok_or(Problem::Damaged)?;
        let packed = bytes.get(self.at..end).ok_or(Problem::Damaged)?;
        let mut reader: Box<dyn Read + '_> = Box::new(packed);
        for coder in &self.coders {
            reader = coder.decoder(reader)?;
        }
        let mut content = Vec::new();
        let read = reader.take(self.size as u64).read_to_end(&mut content);
        // What came out before an error has taken its time, too.
        budget.bytes = budget.bytes.saturating_sub(content.len());
        read.map_err(|_| Problem::Damaged)?;
        let is_right =
            content.len() == self.size && self.crc.is_none_or(|crc| Crc32::of(&content) == crc);
        is_right.then_some(content).ok_or(Problem::Damaged)
    }
}

impl Coder {
    fn decoder<'a>(&self, packed: Box<dyn Read + 'a>) -> Result<Box<dyn Read + 'a>, Problem> {
        // More than comes out is looked back at by nothing.
        let window = |wanted: u32| wanted.min(self.size as u32).max(0x1000);
        Ok(match (&self.method[..], &self.properties[..]) {
            ([0x00], _) => packed,
            ([0x03, 0x01, 0x01], [properties, size @ ..]) => {
                let size = size.try_into().map_err(|_| Problem::Damaged)?;
                let window = window(u32::from_le_bytes(size));
                let reader =
                    LzmaReader::new_with_props(packed, self.size as u64, *properties, window, None);
                Box::new(reader.map_err(|_| Problem::Damaged)?)
            }
            ([0x21], [size @ 0..=40]) => {
                let wanted = match size {
                    40 => u32::MAX,
                    size => (2 | u32::from(size & 1)) << (size / 2 + 11),
                };
                Box::new(Lzma2Reader::new(packed, window(wanted), None))
            }
            ([0x03, 0x03, 0x01, 0x03] | [0x04], []) => Box::new(BcjReader::new_x86(packed, 0)),
            (AES, _) => return Err(Problem::Encrypted),
            _ => return Err(Problem::Method),
        })
    }
}

/// The coders in the order of unpacking; `None` where they are no chain.
/// Programs differ in which end of it they write first.
fn order(sources: &[Option<usize>]) -> Option<Vec<usize>> {
    let mut order = vec![sources.iter().position(Option::is_none)?];
    while order.len() < sources.len() {
        let last = order.last().copied();
        let next = sources.iter().position(|source| *source == last)?;
        order.push(next);
    }
    Some(order)
}

/// How a folder's coders hang together.
struct Layout {
    /// As the file has them.
    coders: Vec<Coder>,
    /// Numbers of them, as they unpack one after the other.
    order: Vec<usize>,
}

impl Fields<'_> {
    fn must_be(&mut self, expected: u8) -> Result<(), Problem> {
        match self.byte()? == expected {
            true => Ok(()),
            false => Err(Problem::Damaged),
        }
    }

    /// The leading ones of the first byte count the bytes that follow, lowest first.
    fn number(&mut self) -> Result<usize, Problem> {
        let first = self.byte()?;
        let more = first.leading_ones();
        let mut number = 0_u64;
        for (place, byte) in self.bytes(more as usize)?.iter().enumerate() {
            number |= u64::from(*byte) << (8 * place);
        }
        if more < 7 {
            let high = u64::from(first) & ((1 << (7 - more)) - 1);
            number |= high << (8 * more);
        }
        usize::try_from(number).map_err(|_| Problem::Damaged)
    }

    /// A number of things of which each takes room.
    fn count(&mut self) -> Result<usize, Problem> {
        match self.number()? {
            count if count > self.most => Err(Problem::TooLarge),
            count => Ok(count),
        }
    }

    fn numbers(&mut self, count: usize) -> Result<Vec<usize>, Problem> {
        (0..count).map(|_| self.number()).collect()
    }

    fn bits(&mut self, count: usize) -> Result<Vec<bool>, Problem> {
        let bytes = self.bytes(count.div_ceil(8))?;
        let bit = |at: usize| bytes[at / 8] & (0x80 >> (at % 8)) != 0;
        Ok((0..count).map(bit).collect())
    }

    fn digests(&mut self, count: usize) -> Result<Vec<Option<Crc32>>, Problem> {
        let defined = match self.byte()? {
            0 => self.bits(count)?,
            _ => vec![true; count],
        };
        let digest = |is_defined: bool| {
            let digest = match is_defined {
                true => self.bytes(4)?,
                false => &[],
            };
            Ok(u32_at(digest, 0).map(Crc32))
        };
        defined.into_iter().map(digest).collect()
    }

    fn header(&mut self) -> Result<Header, Problem> {
        let mut header = Header::default();
        loop {
            match self.byte()? {
                0x00 => return Ok(header),
                0x02 => while self.skip_property()? {},
                0x04 => header.folders = self.streams()?,
                0x05 => header.files = self.files()?,
                _ => return Err(Problem::Damaged),
            }
        }
    }

    fn skip_property(&mut self) -> Result<bool, Problem> {
        if self.byte()? == 0x00 {
            return Ok(false);
        }
        let length = self.number()?;
        self.bytes(length)?;
        Ok(true)
    }

    fn streams(&mut self) -> Result<Vec<Folder>, Problem> {
        let (mut at, mut packed) = (START, Vec::new());
        let mut folders = Vec::new();
        loop {
            match self.byte()? {
                0x00 => return Ok(folders),
                0x06 => {
                    at = START.checked_add(self.number()?).ok_or(Problem::Damaged)?;
                    packed = self.packed()?;
                }
                0x07 => folders = self.folders(at, &packed)?,
                0x08 => self.substreams(&mut folders)?,
                _ => return Err(Problem::Damaged),
            }
        }
    }

    /// The sizes of what is packed.
    fn packed(&mut self) -> Result<Vec<usize>, Problem> {
        let count = self.count()?;
        let mut sizes = vec![0; count];
        loop {
            match self.byte()? {
                0x00 => return Ok(sizes),
                0x09 => sizes = self.numbers(count)?,
                0x0a => {
                    self.digests(count)?;
                }
                _ => return Err(Problem::Damaged),
            }
        }
    }

    fn folders(&mut self, mut at: usize, packed: &[usize]) -> Result<Vec<Folder>, Problem> {
        self.must_be(0x0b)?;
        let count = self.count()?;
        self.must_be(0)?;
        let mut layouts = Vec::new();
        for _ in 0..count {
            layouts.push(self.layout()?);
        }
        self.must_be(0x0c)?;
        let mut folders = Vec::new();
        for (number, mut layout) in layouts.into_iter().enumerate() {
            for coder in &mut layout.coders {
                coder.size = self.number()?;
            }
            let places = layout.order.iter().map(|number| layout.coders.get(*number));
            let coders: Vec<Coder> = places.flatten().cloned().collect();
            let size = coders.last().map_or(0, |coder| coder.size);
            let packed = *packed.get(number).ok_or(Problem::Damaged)?;
            folders.push(Folder {
                coders,
                at,
                packed,
                size,
                crc: None,
                streams: vec![Stream { size, crc: None }],
            });
            at = at.checked_add(packed).ok_or(Problem::Damaged)?;
        }
        loop {
            match self.byte()? {
                0x00 => return Ok(folders),
                0x0a => {
                    for (folder, crc) in folders.iter_mut().zip(self.digests(count)?) {
                        folder.crc = crc;
                    }
                }
                _ => return Err(Problem::Damaged),
            }
        }
    }

    /// Coders that each have one stream in and one out, each after the next.
    fn layout(&mut self) -> Result<Layout, Problem> {
        let count = self.number()?;
        if !(1..=MOST_CODERS).contains(&count) {
            return Err(Problem::Method);
        }
        let mut coders = Vec::new();
        let mut has_branches = false;
        for _ in 0..count {
            let flags = self.byte()?;
            let method = self.bytes(usize::from(flags & 0x0f))?.to_vec();
            has_branches |= flags & 0x10 != 0 && (self.number()?, self.number()?) != (1, 1);
            let length = match flags & 0x20 {
                0 => 0,
                _ => self.number()?,
            };
            coders.push(Coder {
                method,
                properties: self.bytes(length)?.to_vec(),
                size: 0,
            });
        }
        if has_branches {
            let is_encrypted = coders.iter().any(|coder| coder.method == AES);
            return Err(match is_encrypted {
                true => Problem::Encrypted,
                false => Problem::Method,
            });
        }
        // Whose output a coder takes in; the one without takes what is packed.
        let mut sources = vec![None; count];
        for _ in 0..count - 1 {
            let (taker, giver) = (self.number()?, self.number()?);
            let source = sources.get_mut(taker).ok_or(Problem::Damaged)?;
            *source = Some(giver);
        }
        let order = order(&sources).ok_or(Problem::Damaged)?;
        Ok(Layout { coders, order })
    }

    fn substreams(&mut self, folders: &mut [Folder]) -> Result<(), Problem> {
        let mut counts = vec![1; folders.len()];
        let mut kind = self.byte()?;
        if kind == 0x0d {
            for count in &mut counts {
                *count = self.count()?;
            }
            kind = self.byte()?;
        }
        if counts.iter().sum::<usize>() > self.most {
            return Err(Problem::TooLarge);
        }
        for (folder, count) in folders.iter_mut().zip(&counts) {
            let mut left = folder.size;
            let mut streams = Vec::new();
            for number in 0..*count {
                let size = match (number + 1 == *count, kind) {
                    (true, _) => left,
                    (false, 0x09) => self.number()?,
                    (false, _) => return Err(Problem::Damaged),
                };
                left = left.checked_sub(size).ok_or(Problem::Damaged)?;
                streams.push(Stream { size, crc: None });
            }
            if let ([only], Some(crc)) = (&mut streams[..], folder.crc) {
                only.crc = Some(crc);
            }
            folder.streams = streams;
        }
        if kind == 0x09 {
            kind = self.byte()?;
        }
        if kind == 0x0a {
            let unknown = |stream: &&mut Stream| stream.crc.is_none();
            let streams = folders.iter_mut().flat_map(|folder| &mut folder.streams);
            let streams: Vec<&mut Stream> = streams.filter(unknown).collect();
            let digests = self.digests(streams.len())?;
            for (stream, crc) in streams.into_iter().zip(digests) {
                stream.crc = crc;
            }
            kind = self.byte()?;
        }
        match kind {
            0x00 => Ok(()),
            _ => Err(Problem::Damaged),
        }
    }

    fn files(&mut self) -> Result<Vec<Name>, Problem> {
        let count = self.count()?;
        let mut names = Vec::new();
        let mut empty = vec![false; count];
        loop {
            let kind = self.byte()?;
            if kind == 0x00 {
                break;
            }
            let length = self.number()?;
            let mut fields = Fields::new(self.bytes(length)?, self.most);
            match kind {
                0x0e => empty = fields.bits(count)?,
                0x11 => names = fields.names()?,
                _ => {}
            }
        }
        let names = names.into_iter().map(Some).chain(std::iter::repeat(None));
        let file = |(name, is_empty): (Option<String>, bool)| Name {
            name: shown(name.as_deref().unwrap_or("?")),
            has_content: !is_empty,
        };
        Ok(names.zip(empty).map(file).collect())
    }

    /// UTF-16, a NUL behind each.
    fn names(&mut self) -> Result<Vec<String>, Problem> {
        self.must_be(0)?;
        let pairs = self.rest.chunks_exact(2);
        let units: Vec<u16> = pairs
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .collect();
        let names = units.split(|unit| *unit == 0).take(self.most);
        Ok(names.map(String::from_utf16_lossy).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_chained_whichever_of_them_comes_first() {
        for (sources, expected) in [
            (&[None][..], Some(vec![0])),
            (&[None, Some(0)], Some(vec![0, 1])),
            (&[Some(1), None], Some(vec![1, 0])),
            (&[Some(2), None, Some(1)], Some(vec![1, 2, 0])),
            // Two beginnings, none, and one that leads nowhere.
            (&[None, None], None),
            (&[Some(1), Some(0)], None),
            (&[Some(7), None], None),
        ] {
            assert_eq!(order(sources), expected, "{sources:?}");
        }
    }
}
