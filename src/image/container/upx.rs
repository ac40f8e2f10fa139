//! Programs that UPX has packed, as vendors' flashers are.
//!
//! A pack header of 32 bytes says how: method, sizes, and the Adler-32 sums of
//! both forms. In flashers the names around it are wiped (`UPX0`, `UPX1` and
//! `UPX`; OmniPatcher's `common_xflash.pl` puts them back at 2F8, 320 and 3DB and
//! runs `upx -d`), so it is known by its own sum. What comes out here is the
//! program as it is in memory, with the jumps of its code still as UPX filters
//! them: the data in it is whole, and that is what is looked for.
//!
//! Source of the header: UPX's own documentation of its stub loaders; of the two
//! bytes before a stream of LZMA: `compress_lzma.cpp` of UPX. Read back from what UPX 4
//! has packed.

use std::io::Read;

use lzma_rust2::LzmaReader;

use super::nrv::{self, Method};
use super::pe::Program;
use super::{Trouble, u32_at};

/// How much of a file is searched for a pack header.
const SEARCHED: usize = 0x1000;

const HEADER: usize = 32;

/// No packed flasher unpacks to more.
const MOST: usize = 32 << 20;

/// UPX makes programs of three sections; a few more may have been added.
const MOST_SECTIONS: usize = 16;

/// The program inside, as it is in memory; `None` where UPX has not packed this.
///
/// # Errors
/// [`Trouble::UpxMethod`] where only `upx -d` can, [`Trouble::UpxDamaged`] where a sum
/// does not fit.
pub fn unpack(bytes: &[u8]) -> Option<Result<Vec<u8>, Trouble>> {
    let program = Program::of(bytes)?;
    let (at, header) = find_header(bytes)?;
    let unpack: fn(&[u8], usize) -> Option<Vec<u8>> = match header.method {
        2 => |packed, size| nrv::unpack(packed, size, Method::Nrv2b),
        5 => |packed, size| nrv::unpack(packed, size, Method::Nrv2d),
        8 => |packed, size| nrv::unpack(packed, size, Method::Nrv2e),
        14 => unpack_lzma,
        method => return Some(Err(Trouble::UpxMethod(method))),
    };
    // Packed data begins right behind the header or with a section.
    let sections = program.sections_in_file().take(MOST_SECTIONS);
    let starts = std::iter::once(at + HEADER).chain(sections);
    let packed = starts
        .filter_map(|start| bytes.get(start..start.checked_add(header.packed_size)?))
        .find(|packed| adler32(packed) == header.packed_sum);
    let unpacked = packed
        .filter(|_| header.size <= MOST)
        .and_then(|packed| unpack(packed, header.size))
        .filter(|unpacked| adler32(unpacked) == header.sum);
    Some(unpacked.ok_or(Trouble::UpxDamaged))
}

/// LZMA as UPX keeps it: two bytes of properties (literal context and position bits
/// together over position bits, position bits over context bits), then the stream.
fn unpack_lzma(packed: &[u8], size: usize) -> Option<Vec<u8>> {
    let [first, second, stream @ ..] = packed else {
        return None;
    };
    let (lp, lc, pb) = (second >> 4, second & 0x0f, first & 0x07);
    if first >> 3 != lp + lc || lc > 8 || lp > 4 || pb > 4 {
        return None;
    }
    // More than comes out is looked back at by nothing.
    let window = u32::try_from(size).ok()?.max(0x1000);
    let (lc, lp, pb) = (u32::from(lc), u32::from(lp), u32::from(pb));
    let reader = LzmaReader::new(stream, size as u64, lc, lp, pb, window, None).ok()?;
    let mut out = Vec::new();
    reader.take(size as u64).read_to_end(&mut out).ok()?;
    (out.len() == size).then_some(out)
}

struct Header {
    method: u8,
    sum: u32,
    packed_sum: u32,
    size: usize,
    packed_size: usize,
}

fn find_header(bytes: &[u8]) -> Option<(usize, Header)> {
    let searched = &bytes[..bytes.len().min(SEARCHED)];
    searched
        .windows(HEADER)
        .enumerate()
        // Of `UPX!` at its start the last character was left.
        .filter(|(_, header)| header[3] == b'!')
        .find_map(|(at, header)| Some((at, Header::of(header)?)))
}

impl Header {
    /// The header of a Windows program (format 9) from UPX 1.0 on.
    fn of(bytes: &[u8]) -> Option<Header> {
        let [_, _, _, _, version, 9, method, _, .., sum] = bytes else {
            return None;
        };
        let counted = bytes.get(4..HEADER - 1)?;
        let expected = counted.iter().map(|byte| u32::from(*byte)).sum::<u32>() % 251;
        if !(10..20).contains(version) || u32::from(*sum) != expected {
            return None;
        }
        Some(Header {
            method: *method,
            sum: u32_at(bytes, 8)?,
            packed_sum: u32_at(bytes, 12)?,
            size: u32_at(bytes, 16)? as usize,
            packed_size: u32_at(bytes, 20)? as usize,
        })
    }
}

/// Adler-32, as zlib has it.
fn adler32(bytes: &[u8]) -> u32 {
    const MODULUS: u32 = 65521;
    let (mut low, mut high) = (1, 0);
    // So many sums fit into 32 bits before they are reduced.
    for chunk in bytes.chunks(5552) {
        for byte in chunk {
            low += u32::from(*byte);
            high += low;
        }
        low %= MODULUS;
        high %= MODULUS;
    }
    high << 16 | low
}
