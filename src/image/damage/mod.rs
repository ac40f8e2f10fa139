//! Marks of damage in an image: places that whole firmware does not have.
//!
//! A finding says where, what, and how sure it is. What is certain or probable
//! keeps an image out of a drive; what is only possible is told. Firmware that
//! is whole must have none, so that each mark asks for more than chance gives,
//! and for the marks of the family that it is about.
//!
//! Sources: OmniPatcher 2.x for what Lite-On's images have in common (bank
//! starts, bank-call stub); the rest follows from how files are copied and is
//! *inferred*. None of it was compared with a vendor's image here.

mod banks;
mod common_code;
mod order;
mod transfer;

use super::container::Kind;
use super::hex::HoleKind;
use super::structure::Structure;
use super::{Image, identity, mt19xx};
use crate::flash::{BANK_SIZE, Bank, FlashRange, Offset};

pub use order::Order;
pub use transfer::LineEnds;

/// How sure it is that a finding is damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// Whole firmware may look like that, too.
    Possible,
    /// Hardly anything else looks like that.
    Probable,
    /// Nothing else looks like that.
    Certain,
}

/// One mark of damage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The bytes that it is about, also where those are missing; all of the image where
    /// it is about no place.
    pub range: FlashRange,
    pub certainty: Certainty,
    pub damage: Damage,
}

/// What is wrong, or seems to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Damage {
    /// A bank without a record in its HEX file.
    NoRecords,
    /// Bytes between data that no record of the HEX file fills.
    LostLines {
        /// How many more such places there are.
        others: usize,
    },
    /// A bank of Lite-On firmware that does not start as all of them do.
    NoJump { found: u8 },
    /// A blank bank in firmware of which every bank starts with a jump.
    BlankBank { value: u8 },
    /// The image of a smaller flash, and FF behind it.
    FilledUp {
        /// Bytes of the smaller one.
        size: u32,
    },
    /// More than half of the banks are blank.
    MostlyBlank { blank: u32, banks: u32 },
    /// 00 up to the end, in an image that is otherwise filled up with FF.
    ZeroTail,
    /// 00 in whole blocks of 4 KiB, with data right before and behind.
    ZeroBlock,
    /// The image is a shorter one, over and over.
    Repeats {
        /// Bytes of the shorter one.
        period: u32,
    },
    /// A bank is a copy of an earlier one.
    CopiedBank { of: Bank },
    /// The code switches between 16 banks, and there are 8.
    Half,
    /// The boot code is that of a Blu-ray drive, whose images are larger.
    BluRayCut,
    /// The drives that the image names have a flash of another size, in bytes.
    OtherSize { flash: u32 },
    /// The identity is near its place: bytes before it were lost (less than 0) or added.
    Shifted { by: i32 },
    /// One of few banks that do not start with 02, as all others do.
    OddStart { found: u8 },
    /// A free entry of the integrity table of a Blu-ray image that is not all FF.
    NotFree { found: u8 },
    /// The flasher that it came out of calls it otherwise.
    OtherRevision {
        in_flasher: String,
        in_image: String,
    },
    /// The code by which Lite-On firmware switches banks is not there.
    NoBankCall,
    /// In code that all banks have in common one bank differs.
    OddBytes {
        /// The first byte, as it is and as all other banks have it.
        found: u8,
        expected: u8,
        /// Bytes that differ.
        count: u32,
    },
    /// No byte has its highest bit.
    SevenBits,
    /// Every byte is part of a character in UTF-8.
    Utf8,
    /// Line ends were translated as those of a text.
    LineEnds(LineEnds),
    /// Firmware comes out when the bytes are put into another order.
    Reordered(Order),
}

/// Everything found in an image that holds a whole flash: the surest first, then
/// by place.
pub fn findings(image: &Image) -> Vec<Finding> {
    if image.bytes().len() <= BANK_SIZE as usize {
        return findings_of_part(image);
    }
    let mut findings = lost_lines(image);
    findings.extend(in_bytes(image.bytes()));
    findings.extend(other_revision(image));
    sort(&mut findings);
    findings
}

/// What the bytes of a whole flash alone show, in no order.
fn in_bytes(bytes: &[u8]) -> Vec<Finding> {
    let structure = Structure::of(bytes);
    let mut findings = banks::findings(bytes, &structure);
    findings.extend(common_code::findings(bytes, &structure));
    findings.extend(transfer::findings(bytes));
    findings.extend(order::findings(bytes));
    let missing = mt19xx::missing(bytes);
    findings.extend(missing.map(|range| Finding::certain(range, Damage::BluRayCut)));
    let odd = mt19xx::odd_free_byte(bytes);
    findings
        .extend(odd.map(|(at, found)| Finding::possible(at.range(1), Damage::NotFree { found })));
    findings
}

/// The surest mark of damage in what was read of a whole flash, if it is more than
/// possible.
pub fn of_flash(bytes: &[u8]) -> Option<Finding> {
    let mut all = in_bytes(bytes);
    sort(&mut all);
    all.into_iter()
        .find(|finding| finding.certainty > Certainty::Possible)
}

/// Bytes of the image at the beginning of a file that is longer, where it seems to be
/// that.
pub fn shorter(findings: &[Finding]) -> Option<u32> {
    findings.iter().find_map(|finding| match finding.damage {
        Damage::FilledUp { size } => Some(size),
        Damage::Repeats { period } if finding.range.end() == 2 * period => Some(period),
        _ => None,
    })
}

/// Everything found in an image of a part of a flash, which may begin and end
/// anywhere.
pub fn findings_of_part(image: &Image) -> Vec<Finding> {
    let mut findings = lost_lines(image);
    sort(&mut findings);
    findings
}

/// The surest first, then by place.
pub fn sort(findings: &mut [Finding]) {
    findings.sort_by_key(|finding| (std::cmp::Reverse(finding.certainty), finding.range.start()));
}

/// A flasher names the revision of each of its images.
fn other_revision(image: &Image) -> Option<Finding> {
    let step = image.origin()?.path.last()?;
    let found = identity::find(image.bytes()).into_iter().next()?;
    let in_image = &found.identity().revision;
    (step.kind == Kind::XFlash && step.name != *in_image).then(|| {
        let damage = Damage::OtherRevision {
            in_flasher: step.name.clone(),
            in_image: in_image.clone(),
        };
        Finding::possible(all(image.bytes()), damage)
    })
}

/// What the holes of an image's HEX file say against it.
fn lost_lines(image: &Image) -> Vec<Finding> {
    let suspects = |kind| image.holes().iter().filter(move |hole| hole.kind == kind);
    let banks = suspects(HoleKind::Bank);
    let banks = banks.map(|hole| Finding::probable(hole.range, Damage::NoRecords));
    let mut holes = suspects(HoleKind::InData);
    let first = holes.next().map(|hole| {
        let others = holes.count();
        Finding::probable(hole.range, Damage::LostLines { others })
    });
    banks.chain(first).collect()
}

/// So many bytes from `at` on.
fn range(at: usize, length: usize) -> FlashRange {
    FlashRange::new(Offset::of(at).0, Offset::of(at.saturating_add(length)).0)
}

fn all(bytes: &[u8]) -> FlashRange {
    range(0, bytes.len())
}

impl Finding {
    fn new(range: FlashRange, certainty: Certainty, damage: Damage) -> Finding {
        Finding {
            range,
            certainty,
            damage,
        }
    }

    fn certain(range: FlashRange, damage: Damage) -> Finding {
        Finding::new(range, Certainty::Certain, damage)
    }

    fn probable(range: FlashRange, damage: Damage) -> Finding {
        Finding::new(range, Certainty::Probable, damage)
    }

    fn possible(range: FlashRange, damage: Damage) -> Finding {
        Finding::new(range, Certainty::Possible, damage)
    }

    /// The first byte that it is about.
    pub fn at(&self) -> Offset {
        Offset(self.range.start())
    }
}

#[cfg(test)]
mod tests;
