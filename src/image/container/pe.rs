//! Windows programs (PE), as far as files are found in them: their resources
//! and what is behind their end.
//!
//! Source of where to look: firmware-extractor 0.1.0 (Matt Jackson), which
//! unpacked vendors' flashers; of the layout: Microsoft's "PE Format".

use std::collections::BTreeMap;

use super::{u16_at, u32_at};

/// Resources smaller than this hold no firmware.
const SMALLEST: usize = 0x1000;

/// How deep resources are filed: type, name, language.
const DEPTH: u32 = 3;

/// Entries of all directories of resources together.
const MOST_ENTRIES: usize = 10_000;

/// A program and its sections.
pub struct Program<'a> {
    bytes: &'a [u8],
    sections: Vec<Section>,
    resources_at: u32,
}

/// Resources by their place and size in the file, each with its number in order.
type Resources<'a> = BTreeMap<(usize, usize), (usize, &'a [u8])>;

struct Section {
    address: u32,
    size: u32,
    file_at: u32,
    file_size: u32,
}

impl<'a> Program<'a> {
    /// `None` where the bytes are no such program.
    pub fn of(bytes: &'a [u8]) -> Option<Program<'a>> {
        if !bytes.starts_with(b"MZ") {
            return None;
        }
        let header = u32_at(bytes, 0x3c)? as usize;
        if bytes.get(header..header.checked_add(4)?)? != b"PE\0\0" {
            return None;
        }
        let count = usize::from(u16_at(bytes, header + 6)?);
        let options = header + 24;
        let table = options + usize::from(u16_at(bytes, header + 20)?);
        let sections = (0..count)
            .map_while(|number| Section::at(bytes, table + 40 * number))
            .collect();
        // The third entry of the data directory, which 64-bit programs have later.
        let directory = match u16_at(bytes, options)? {
            0x20b => options + 112,
            _ => options + 96,
        };
        Some(Program {
            bytes,
            sections,
            resources_at: u32_at(bytes, directory + 16).unwrap_or(0),
        })
    }

    /// What is behind the last section: an archive that unpacks itself is there.
    pub fn overlay(&self) -> &'a [u8] {
        let end = self
            .sections
            .iter()
            .map(|section| u64::from(section.file_at) + u64::from(section.file_size))
            .max()
            .unwrap_or(0);
        usize::try_from(end)
            .ok()
            .and_then(|end| self.bytes.get(end..))
            .unwrap_or(&[])
    }

    /// Where in the file a section begins that has bytes there.
    pub fn sections_in_file(&self) -> impl Iterator<Item = usize> {
        self.sections
            .iter()
            .filter(|section| section.file_size > 0)
            .map(|section| section.file_at as usize)
    }

    /// The resources that are large enough to be of interest.
    /// Several entries for the same bytes are one.
    pub fn resources(&self) -> Vec<&'a [u8]> {
        let mut found = BTreeMap::new();
        let mut entries = MOST_ENTRIES;
        if let Some(root) = self
            .in_file(self.resources_at)
            .filter(|_| self.resources_at > 0)
        {
            self.walk(root, root, DEPTH, &mut entries, &mut found);
        }
        let mut found: Vec<(usize, &[u8])> = found.into_values().collect();
        found.sort_unstable_by_key(|(order, _)| *order);
        found.into_iter().map(|(_, resource)| resource).collect()
    }

    fn walk(
        &self,
        root: usize,
        directory: usize,
        depth: u32,
        entries: &mut usize,
        found: &mut Resources<'a>,
    ) -> Option<()> {
        let named = u16_at(self.bytes, directory.checked_add(12)?)?;
        let numbered = u16_at(self.bytes, directory + 14)?;
        for number in 0..usize::from(named) + usize::from(numbered) {
            *entries = entries.checked_sub(1)?;
            let target = u32_at(self.bytes, directory + 16 + 8 * number + 4)?;
            let at = root.checked_add((target & 0x7fff_ffff) as usize)?;
            if target & 0x8000_0000 == 0 {
                if let Some((start, resource)) = self.resource(at) {
                    let order = found.len();
                    found
                        .entry((start, resource.len()))
                        .or_insert((order, resource));
                }
            } else if depth > 1 {
                self.walk(root, at, depth - 1, entries, found);
            }
        }
        Some(())
    }

    /// Where it is in the file, and its bytes.
    fn resource(&self, at: usize) -> Option<(usize, &'a [u8])> {
        let start = self.in_file(u32_at(self.bytes, at)?)?;
        let size = u32_at(self.bytes, at.checked_add(4)?)? as usize;
        let resource = self.bytes.get(start..start.checked_add(size)?)?;
        (size >= SMALLEST).then_some((start, resource))
    }

    /// Where in the file an address of the program in memory is.
    fn in_file(&self, address: u32) -> Option<usize> {
        let section = self.sections.iter().find(|section| {
            let size = section.size.max(section.file_size);
            address
                .checked_sub(section.address)
                .is_some_and(|at| at < size)
        })?;
        usize::try_from(u64::from(address - section.address) + u64::from(section.file_at)).ok()
    }
}

impl Section {
    fn at(bytes: &[u8], at: usize) -> Option<Section> {
        Some(Section {
            size: u32_at(bytes, at + 8)?,
            address: u32_at(bytes, at + 12)?,
            file_size: u32_at(bytes, at + 16)?,
            file_at: u32_at(bytes, at + 20)?,
        })
    }
}
