//! What stands in many messages: who a drive is, banks, sizes and counts.

use std::fmt::Write;

use crate::flash::{BANK_SIZE, Bank};
use crate::image::container::Kind;
use crate::image::{Checksum, ImageIdentity, Report};
use crate::job::verify::{Compared, Difference};
use crate::scsi::Identity;

/// `SONY DVD RW DW-D22A BYS1, serial 1234`.
pub fn identity(identity: &Identity) -> String {
    let mut text = names(identity);
    if let Some(serial) = &identity.serial {
        let _ = write!(text, ", serial {serial}");
    }
    text
}

/// Vendor, product and revision.
pub fn names(identity: &Identity) -> String {
    format!(
        "{} {} {}",
        identity.vendor, identity.product, identity.revision
    )
}

pub fn found_identity(found: &ImageIdentity) -> String {
    format!(
        "{} ({} identity at {})",
        identity(found.identity()),
        found.kind(),
        found.at()
    )
}

pub fn structure(report: &Report) -> String {
    let structure = report.structure;
    let mut text = format!(
        "{} of {} banks start with 02",
        structure.jumps, structure.banks
    );
    if structure.eighties > 0 {
        let _ = write!(text, ", {} with 80", structure.eighties);
    }
    if structure.rebanked {
        text.push_str(
            "; re-banked (Lite-On U or V). Dumps that LtnFW made of such drives are damaged.",
        );
    }
    text
}

/// Sixteen sums would be sixteen lines: four to a line.
pub fn bank_sums(sums: &[(Bank, Checksum)]) -> Vec<String> {
    let cells: Vec<String> = sums
        .iter()
        .map(|(bank, sum)| format!("{:>2}: {sum}", bank.0))
        .collect();
    cells.chunks(4).map(|line| line.join("   ")).collect()
}

pub fn size(bytes: u32) -> String {
    if bytes % BANK_SIZE == 0 {
        let banks = bytes / BANK_SIZE;
        let s = if banks == 1 { "" } else { "s" };
        let of = if banks == 1 { "" } else { " of 64 KiB" };
        format!("{} KiB, {banks} bank{s}{of}", bytes / 1024)
    } else {
        format!("{bytes} bytes")
    }
}

/// `bank 3` or `banks 0-6, 9`.
pub fn banks(banks: &[Bank]) -> String {
    let plural = if banks.len() == 1 { "bank" } else { "banks" };
    format!("{plural} {}", runs(banks, ", "))
}

/// `0-6`, `9`, with this between them.
pub fn runs(banks: &[Bank], between: &str) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for bank in banks {
        match runs.last_mut() {
            Some((_, last)) if bank.0 == *last + 1 => *last = bank.0,
            _ => runs.push((bank.0, bank.0)),
        }
    }
    let text: Vec<String> = runs
        .iter()
        .map(|(first, last)| match last - first {
            0 => first.to_string(),
            _ => format!("{first}-{last}"),
        })
        .collect();
    text.join(between)
}

/// `1 sector`, `2 sectors`.
pub fn counted(number: u64, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        number => format!("{number} {what}s"),
    }
}

/// Whether every byte that was to be compared was.
pub fn is_all(compared: &Compared) -> bool {
    compared.owned.is_empty() && compared.gaps.is_empty()
}

/// Where flash and image differ.
pub fn difference(difference: &Difference) -> String {
    let differ = if difference.count == 1 {
        "1 byte differs".to_owned()
    } else {
        format!("{} bytes differ", difference.count)
    };
    format!(
        "{differ} in {}, the first at {}: {:02x} should be there and {:02x} is",
        banks(&difference.banks),
        difference.first,
        difference.expected,
        difference.found
    )
}

/// A container by its kind, as `a ZIP archive`.
pub fn container(kind: Kind) -> &'static str {
    match kind {
        Kind::Zip => "a ZIP archive",
        Kind::SwappedZip => "a ZIP archive with swapped bytes, as LG, ASUS and HP keep firmware",
        Kind::SevenZip => "a 7z archive",
        Kind::Rar => "a RAR archive",
        Kind::Gzip => "a file packed by gzip",
        Kind::Cabinet => "a Windows cabinet",
        Kind::Bzip2 => "a file packed by bzip2",
        Kind::Xz => "a file packed by xz",
        Kind::Zstd => "a file packed by zstd",
        Kind::Tar => "a tar archive",
        Kind::Lha => "an LHA archive",
        Kind::Ace => "an ACE archive",
        Kind::Program => "a Windows program",
        Kind::XFlash => "a flasher of the XFlash kind, as Lite-On and Sony gave them out",
        Kind::Upx => "a program packed by UPX",
        Kind::Signed => "an update with a signature",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn banks_are_named_in_runs() {
        let named = |numbers: &[u32]| banks(&numbers.iter().copied().map(Bank).collect::<Vec<_>>());
        assert_eq!(named(&[3]), "bank 3");
        assert_eq!(named(&[0, 1, 2, 7]), "banks 0-2, 7");
    }
}
