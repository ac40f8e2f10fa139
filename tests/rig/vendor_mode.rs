//! Looks at what scenarios of vendor mode left: files, the drive's own memory,
//! and the commands that the drive saw.

use std::fs;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use mtkflash::sim::Counters;

use crate::seen::{Seen, VendorMode, seen};

const PARALLEL: &str = "sst39sf020.state/position-3.flash";
const IDENTIFY_PACKET_DEVICE: u8 = 0xA1;
const REQUEST_SENSE: u8 = 0x03;
/// Bytes of sense data with an ATA status return descriptor.
const WHOLE_SENSE: usize = 22;

pub fn read(left: &Path) -> Result<()> {
    holds(left, "part.bin", PARALLEL, 0x4000..0x4200)?;
    let run = VendorMode::of(left, "read.commands")?;
    let twice: Vec<u32> = (0x4000..0x4200).chain(0x4000..0x4200).collect();
    ensure!(run.reads() == twice, "not every byte was read twice");
    run.is_left_once()?;
    as_documented(left, "sst39sf020.state/position-3.counters.toml")?;
    let message = fs::read_to_string(left.join("different.err"))?;
    ensure!(
        message.contains("0x04123: 55 should be there"),
        "the first difference is not named: {message}"
    );
    registers_arrive_whole(&seen(left, "check.commands")?)
}

/// The kernel cuts the first sense data of more than 18 bytes that it sees. It
/// has seen none when the drive enters vendor mode, and cuts nothing: the
/// binary has told it by an IDENTIFY PACKET DEVICE without returned registers.
fn registers_arrive_whole(run: &[Seen]) -> Result<()> {
    let first = run.iter().find_map(|it| Some((it, it.task_file()?)));
    let (identify, task_file) = first.context("no ATA command")?;
    ensure!(
        task_file.command == IDENTIFY_PACKET_DEVICE
            && !task_file.returns_registers
            && identify.status == 0,
        "the first ATA command is no successful IDENTIFY PACKET DEVICE"
    );
    let returned = run.windows(2).filter_map(|pair| match pair {
        [command, sense] if sense.cdb.first() == Some(&REQUEST_SENSE) => {
            let task_file = command.task_file()?;
            task_file.returns_registers.then_some(sense.answered)
        }
        _ => None,
    });
    let lengths: Vec<usize> = returned.collect();
    ensure!(
        !lengths.is_empty() && lengths.iter().all(|length| *length == WHOLE_SENSE),
        "sense data were cut: {lengths:?}"
    );
    Ok(())
}

pub fn written(left: &Path) -> Result<()> {
    const SECTOR: Range<usize> = 0x2000..0x3000;
    let (before, image) = (bytes(left, "before.bin")?, bytes(left, "image.bin")?);
    let mut expected = before.clone();
    expected[SECTOR].copy_from_slice(&image[SECTOR]);
    ensure!(
        bytes(left, "written.bin")? == expected,
        "the flash does not hold the image in the range and the old bytes elsewhere"
    );
    ensure!(
        bytes(left, "backup.bin")? == before[SECTOR],
        "the backup is not what was in the flash"
    );

    let run = VendorMode::of(left, "write.commands")?;
    for (address, value) in run.writes() {
        let inside = u32::try_from(SECTOR.start)?..u32::try_from(SECTOR.end)?;
        ensure!(
            matches!(address, 0x5555 | 0x2AAA) || inside.contains(&address),
            "{value:02x} was written at {address:05x}"
        );
    }
    run.is_left_once()?;
    let counters = as_documented(left, "position-3.counters.toml")?;
    let not_blank = image[SECTOR].iter().filter(|byte| **byte != 0xFF).count();
    ensure!(
        (counters.sector_erases, counters.chip_erases) == (1, 0)
            && counters.programs == u64::try_from(not_blank)?,
        "more was done than differs: {counters:?}"
    );
    Ok(())
}

pub fn erased(left: &Path) -> Result<()> {
    const SECTOR: Range<usize> = 0x3000..0x3200;
    let before = bytes(left, "before.bin")?;
    let mut expected = before.clone();
    expected[SECTOR].fill(0xFF);
    ensure!(
        bytes(left, "after.bin")? == expected,
        "the range is not blank, or bytes beside it have changed"
    );
    ensure!(
        bytes(left, "backup.bin")? == before[SECTOR],
        "the backup is not what was in the flash"
    );
    VendorMode::of(left, "erase.commands")?.is_left_once()
}

pub fn serial(left: &Path) -> Result<()> {
    // Lengths of a page read: 4 bytes to the chip, 256 from it.
    for (layout, base, lengths) in [
        ("72", 0x8800, [0x04, 0x00, 0x00, 0x01]),
        ("73", 0x0000, [0x00, 0x04, 0x01, 0x00]),
    ] {
        let flash = format!("serial-{layout}.state/position-3.flash");
        holds(
            left,
            &format!("part-{layout}.bin"),
            &flash,
            0x10100..0x10300,
        )?;
        let run = VendorMode::of(left, &format!("read-{layout}.commands"))?;
        let page_reads = run.commands.iter().filter(|it| {
            it.command == 0x04 && [it.features, it.count, it.lba_mid, it.lba_high] == lengths
        });
        // Two pages, twice.
        ensure!(page_reads.count() == 4, "the lengths of {layout} are wrong");
        let first = run.writes().first().copied();
        ensure!(
            first == Some((base, 0x90)),
            "the mailbox of {layout} is elsewhere"
        );
        run.is_left_once()?;
        as_documented(left, &format!("counters-{layout}"))?;
    }
    Ok(())
}

pub fn signalled(left: &Path) -> Result<()> {
    for signal in ["INT", "TERM", "HUP", "QUIT"] {
        ends_in_mid_read(left, &format!("{signal}.commands"))?;
    }
    holds(left, "part.bin", PARALLEL, 0..0x100)
}

pub fn failed(left: &Path) -> Result<()> {
    ends_in_mid_read(left, "hangs.commands")?;
    ends_in_mid_read(left, "odd.commands")
}

fn ends_in_mid_read(left: &Path, log: &str) -> Result<()> {
    let run = VendorMode::of(left, log)?;
    let reads = run.reads();
    let once: Vec<u32> = (0..).take(reads.len()).collect();
    ensure!(
        !reads.is_empty() && reads == once,
        "{log}: a command was sent twice, or none"
    );
    run.is_left_once().with_context(|| log.to_owned())
}

pub fn unknown_chip(left: &Path) -> Result<()> {
    holds(
        left,
        "part.bin",
        "unknown-chip.state/position-3.flash",
        0x100..0x200,
    )
}

fn holds(left: &Path, file: &str, flash: &str, range: Range<usize>) -> Result<()> {
    let (file_bytes, flash) = (bytes(left, file)?, bytes(left, flash)?);
    ensure!(
        flash.get(range) == Some(file_bytes.as_slice()),
        "{file} is not what the drive's memory holds"
    );
    Ok(())
}

/// What the drive counted, if it was asked nothing that the protocol does not allow.
fn as_documented(left: &Path, file: &str) -> Result<Counters> {
    let text = fs::read_to_string(left.join(file)).with_context(|| format!("no {file}"))?;
    let counters: Counters = toml::from_str(&text)?;
    ensure!(
        counters.violation_count == 0 && counters.chip_ignored == 0,
        "the drive was asked what it should not be: {counters:?}"
    );
    Ok(counters)
}

fn bytes(left: &Path, name: &str) -> Result<Vec<u8>> {
    fs::read(left.join(name)).with_context(|| format!("the script left no {name}"))
}
