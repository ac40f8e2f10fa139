//! Microsoft's cabinets, which HP's SoftPaqs and other programs that unpack
//! themselves carry: members that are kept as they are or packed by MSZIP.
//!
//! Source: Microsoft's `[MS-CAB]` (the structure) and `[MS-MCI]` (MSZIP: deflate in
//! blocks, each of which looks back into the one before). As in libmspack, a
//! block's sum counts its bytes and its two sizes. LZX and Quantum are left to
//! `cabextract`, and so are members that begin or end in another file of a set.

use flate2::{Decompress, FlushDecompress};

use super::{Budget, Fields, File, Problem, shown, u16_at, u32_at};

/// What the flags say is there.
const HAS_PREVIOUS: u16 = 1;
const HAS_NEXT: u16 = 2;
const HAS_RESERVED: u16 = 4;

/// A member of this folder or a later one begins or ends in another file.
const IN_ANOTHER_FILE: u16 = 0xFFFD;

/// A block unpacks to no more, and looks back no further.
const BLOCK: usize = 0x8000;

/// The files of a cabinet, in its order.
///
/// # Errors
/// A cabinet of which not even the list can be read.
pub fn read(bytes: &[u8], budget: &mut Budget) -> Result<Vec<File>, Problem> {
    let cabinet = Cabinet::of(bytes, budget)?;
    if cabinet.members.len() > budget.members {
        return Err(Problem::TooLarge);
    }
    let folders = cabinet.folders.iter().zip(0..);
    let unpacked: Vec<Result<Vec<u8>, Problem>> = folders
        .map(|(folder, number)| {
            let of_it = cabinet
                .members
                .iter()
                .filter(|member| member.folder == number);
            let wanted = of_it
                .map(|member| member.at.saturating_add(member.size))
                .max();
            folder.unpack(bytes, wanted.unwrap_or(0), cabinet.reserved, budget)
        })
        .collect();
    let file = |member: Member| {
        let content = match unpacked.get(usize::from(member.folder)) {
            Some(Ok(folder)) => budget.copy(folder, member.at, member.size),
            Some(Err(problem)) => Err(*problem),
            None if member.folder >= IN_ANOTHER_FILE => Err(Problem::Method),
            None => Err(Problem::Damaged),
        };
        File {
            name: member.name,
            content,
        }
    };
    Ok(cabinet.members.into_iter().map(file).collect())
}

impl Budget {
    /// A member out of a folder: several may be the same bytes.
    fn copy(&mut self, folder: &[u8], at: usize, size: usize) -> Result<Vec<u8>, Problem> {
        if size > self.bytes {
            return Err(Problem::TooLarge);
        }
        let end = at.checked_add(size).ok_or(Problem::Damaged)?;
        let content = folder.get(at..end).ok_or(Problem::Damaged)?;
        self.bytes -= size;
        Ok(content.to_vec())
    }
}

struct Cabinet {
    folders: Vec<Folder>,
    members: Vec<Member>,
    /// Bytes of somebody's own before the data of every block.
    reserved: usize,
}

/// What was packed together.
struct Folder {
    at: usize,
    blocks: u16,
    method: u16,
}

struct Member {
    name: String,
    folder: u16,
    /// Its place in the folder when that is unpacked.
    at: usize,
    size: usize,
}

impl Cabinet {
    /// `None` where it ends too early.
    fn of(bytes: &[u8], budget: &Budget) -> Result<Cabinet, Problem> {
        let mut fields = at(bytes, 16);
        let members_at = fields.long()?;
        fields.bytes(6)?;
        let [folders, members, flags] = [fields.short()?, fields.short()?, fields.short()?];
        fields.bytes(4)?;
        let (mut of_folder, mut reserved) = (0, 0);
        if flags & HAS_RESERVED != 0 {
            let of_cabinet = fields.short()?;
            of_folder = usize::from(fields.byte()?);
            reserved = usize::from(fields.byte()?);
            fields.bytes(usize::from(of_cabinet))?;
        }
        for neighbour in [HAS_PREVIOUS, HAS_NEXT] {
            if flags & neighbour != 0 {
                // A file and a disk.
                fields.text()?;
                fields.text()?;
            }
        }
        let folder = |_| {
            let folder = Folder {
                at: fields.long()?,
                blocks: fields.short()?,
                method: fields.short()?,
            };
            fields.bytes(of_folder)?;
            Ok(folder)
        };
        let folders = (0..folders).map(folder).collect::<Result<_, Problem>>()?;
        let mut fields = at(bytes, members_at);
        // One more than there may be is enough to see that there are too many.
        let most = usize::from(members).min(budget.members.saturating_add(1));
        let member = |_| {
            let (size, at, folder) = (fields.long()?, fields.long()?, fields.short()?);
            // Date, time, attributes.
            fields.bytes(6)?;
            let name = shown(&String::from_utf8_lossy(fields.text()?));
            Ok(Member {
                name,
                folder,
                at,
                size,
            })
        };
        let members = (0..most).map(member).collect::<Result<_, Problem>>()?;
        Ok(Cabinet {
            folders,
            members,
            reserved,
        })
    }
}

impl Folder {
    /// The first `wanted` bytes, and what of the last block is behind them.
    fn unpack(
        &self,
        bytes: &[u8],
        wanted: usize,
        reserved: usize,
        budget: &mut Budget,
    ) -> Result<Vec<u8>, Problem> {
        let mut method = Unpacker::of(self.method)?;
        if wanted > budget.bytes.min(Budget::MEMBER) {
            return Err(Problem::TooLarge);
        }
        let mut fields = at(bytes, self.at);
        let mut content = Vec::new();
        for _ in 0..self.blocks {
            if content.len() >= wanted {
                break;
            }
            let (packed, size) = fields.block(reserved)?;
            method
                .block(packed, size, &mut content)
                .ok_or(Problem::Damaged)?;
        }
        budget.bytes = budget.bytes.saturating_sub(content.len());
        match content.len() < wanted {
            true => Err(Problem::Damaged),
            false => Ok(content),
        }
    }
}

/// How a folder's blocks are packed.
enum Unpacker {
    Kept,
    MsZip(Decompress),
}

impl Unpacker {
    fn of(method: u16) -> Result<Unpacker, Problem> {
        match method & 0x000F {
            0 => Ok(Unpacker::Kept),
            1 => Ok(Unpacker::MsZip(Decompress::new(false))),
            _ => Err(Problem::Method),
        }
    }

    /// Puts one block behind what came out before; `None` where it is not of
    /// this size or damaged.
    fn block(&mut self, packed: &[u8], size: usize, content: &mut Vec<u8>) -> Option<()> {
        match self {
            Unpacker::Kept => {
                content.extend(packed);
                (packed.len() == size).then_some(())
            }
            Unpacker::MsZip(inflate) => {
                let packed = packed.strip_prefix(b"CK").filter(|_| size <= BLOCK)?;
                inflate.reset(false);
                let before = &content[content.len().saturating_sub(BLOCK)..];
                if !before.is_empty() {
                    inflate.set_dictionary(before).ok()?;
                }
                let mut block = Vec::with_capacity(size);
                let end = inflate.decompress_vec(packed, &mut block, FlushDecompress::Finish);
                content.extend(&block);
                (end.is_ok() && block.len() == size).then_some(())
            }
        }
    }
}

/// The fields of a cabinet from a place on, lowest byte first.
fn at(bytes: &[u8], at: usize) -> Fields<'_> {
    Fields::new(bytes.get(at..).unwrap_or_default(), 0)
}

impl<'a> Fields<'a> {
    fn short(&mut self) -> Result<u16, Problem> {
        u16_at(self.bytes(2)?, 0).ok_or(Problem::Damaged)
    }

    fn long(&mut self) -> Result<usize, Problem> {
        let long = u32_at(self.bytes(4)?, 0);
        long.map(|long| long as usize).ok_or(Problem::Damaged)
    }

    /// What is before the next NUL.
    fn text(&mut self) -> Result<&'a [u8], Problem> {
        let length = memchr::memchr(0, self.rest).ok_or(Problem::Damaged)?;
        let text = self.bytes(length)?;
        self.byte()?;
        Ok(text)
    }

    /// A block's packed bytes, and what they unpack to. A sum of 0 is none.
    ///
    /// # Errors
    /// Where its sum does not fit.
    fn block(&mut self, reserved: usize) -> Result<(&'a [u8], usize), Problem> {
        let expected = self.long()?;
        let sizes = self.bytes(4)?;
        let mut both = at(sizes, 0);
        let (packed, size) = (both.short()?, both.short()?);
        self.bytes(reserved)?;
        let packed = self.bytes(usize::from(packed))?;
        let is_right = expected == 0 || sum(sizes, sum(packed, 0)) as usize == expected;
        let block = is_right.then_some((packed, usize::from(size)));
        block.ok_or(Problem::Damaged)
    }
}

/// Words of four bytes, exclusive or; what is left at the end is a number with
/// its highest byte first.
fn sum(bytes: &[u8], before: u32) -> u32 {
    let words = bytes.chunks_exact(4);
    let rest = words.remainder();
    let rest = rest
        .iter()
        .fold(0, |rest, byte| rest << 8 | u32::from(*byte));
    words
        .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
        .fold(before ^ rest, |sum, word| sum ^ word)
}
