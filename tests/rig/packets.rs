//! Packet drives behind a real kernel: what they take from programs that
//! nobody here wrote, what those programs get from them, and how a drive of
//! another make refuses all of it.

use std::fs::{self, File};
use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use mtkflash::scsi::cdb::{self, Buffer};
use mtkflash::sim::Counters;
use mtkflash::sim::blu_ray::as_read;
use mtkflash::transport::{Data, PacketTransport, SgDevice, Verdict};

use crate::machine::{Clock, Machine, Slot};
use crate::scenarios::Scenario;
use crate::seen::{Seen, seen};

/// A genuine drive beside what is plugged into USB.
static PACKETS: Machine = Machine {
    name: "packets",
    chipset: "pc",
    controllers: &[],
    slots: &[Slot::drive("ide.1", 0, "SM")],
    modules: &["ata_piix"],
    options: "",
    clock: Clock::Real,
};

/// For what a drive has minutes to answer, and for what mostly waits.
static PACKETS_AND_LEAPS: Machine = Machine {
    name: "packets-leaps",
    clock: Clock::Leaps,
    ..PACKETS
};

pub fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "btcflash and mtkflash send a BTC packet drive the same, and btcflash takes longer",
            &PACKETS_AND_LEAPS,
            "packets-btcflash",
        )
        .then(as_btcflash_does),
        Scenario::new(
            "packet drives that nobody can read are written through the kernel and hold the image",
            &PACKETS_AND_LEAPS,
            "packets-write-unread",
        )
        .then(|left| are_written(left, &["btc", "tsst", "sd616"])),
        Scenario::new(
            "packet drives that can be read are written through the kernel and hold the image",
            &PACKETS_AND_LEAPS,
            "packets-write",
        )
        .then(|left| are_written(left, &["mt1939", "mt1939-boot", "mt1959"])),
        Scenario::new(
            "sg3-utils get from packet drives what mtkflash gets",
            &PACKETS,
            "packets-sg3",
        )
        .then(as_sg3_utils_do),
        Scenario::new(
            "a genuine ATAPI drive of another make refuses every packet protocol and stays as it is",
            &PACKETS_AND_LEAPS,
            "packets-ide",
        ),
        Scenario::new(
            "a packet drive that is pulled while it programs, or comes back as another, is no success",
            &PACKETS_AND_LEAPS,
            "packets-faults",
        )
        .then(pulled),
        Scenario::new(
            "a packet drive that never answers is given up by the kernel, and the tool says what that means",
            &PACKETS_AND_LEAPS,
            "packets-hang",
        ),
    ]
}

const READ_BUFFER: u8 = 0x3C;
const WRITE_BUFFER: u8 = 0x3B;
const VENDOR_BLOCK: u8 = 0xFF;

/// What a Blu-ray drive shows of the boot code that it keeps.
const SHOWN_BOOT_CODE: Range<usize> = 0x400..0x1_0000;

const BLOCK: usize = 0x4000;
const BLOCKS: u64 = 128;

/// In the guest: the 2 MiB of an MT1939 or MT1959 drive with nothing between
/// the ioctls. The last of the passes is in the file.
pub fn dump(node: &str, file: &str, passes: &str) -> Result<()> {
    let mut drive = SgDevice::open(Path::new(node), false)?;
    let mut dump = vec![0; BLOCK * BLOCKS as usize];
    for _ in 0..passes.parse()? {
        for (offset, block) in (0..).step_by(BLOCK).zip(dump.chunks_mut(BLOCK)) {
            let cdb = cdb::read_buffer(Buffer {
                mode: 6,
                id: 0,
                offset,
                length: u32::try_from(BLOCK)?,
            })?;
            let done = drive.execute(&cdb, Data::In(block), Duration::from_secs(30))?;
            ensure!(
                done.verdict() == Verdict::Good && done.residue == 0,
                "{done:?}"
            );
        }
    }
    Ok(File::create(file)?.write_all(&dump)?)
}

fn as_btcflash_does(left: &Path) -> Result<()> {
    let image = bytes(left, "btc-0059.bin")?;
    for (position, name) in (1..).zip(["hex", "bin", "ours"]) {
        let drive = format!("{name}.state/position-{position}");
        ensure!(
            bytes(left, &format!("{drive}.flash"))? == image,
            "{name}: the flash does not hold the image"
        );
        as_documented(left, &format!("{drive}.counters.toml"))?;
    }

    let ours = write_buffers(left, "drive-3.log")?;
    // 256 blocks, the sum, and the order to program.
    ensure!(ours.len() == 258, "{} WRITE BUFFER commands", ours.len());
    for theirs in ["drive-1.log", "drive-2.log"] {
        ensure!(
            write_buffers(left, theirs)? == ours,
            "btcflash sends something else than mtkflash"
        );
    }

    let inspected = text(left, "inspected")?;
    let sum = inspected
        .lines()
        .find_map(|line| line.strip_prefix("Total"))
        .and_then(|rest| rest.split_whitespace().next())
        .context("mtkflash tells no sum")?;
    for theirs in ["hex.out", "bin.out"] {
        let printed = text(left, theirs)?;
        ensure!(
            printed.contains(&format!("Firmware checksum is {}", sum.to_uppercase())),
            "mtkflash says {sum}, btcflash: {printed}"
        );
        ensure!(
            printed.contains("Drive is now:           [BTC     ][DRW1008         ][0059]"),
            "{printed}"
        );
    }

    let ours = mean(left, "ours")?;
    for theirs in ["hex", "bin"] {
        let time = mean(left, theirs)?;
        eprintln!(
            "rig: a BTC drive that programs for 8 s: btcflash ({theirs}) {time:.2} s, mtkflash \
             {ours:.2} s, {:.2} times as long",
            time / ours
        );
        ensure!(ours < time, "mtkflash takes longer than btcflash");
    }
    Ok(())
}

/// WRITE BUFFER as the drive saw it: the ten bytes that the command has, and
/// how much came with them. mtkflash fills the block up to twelve.
fn write_buffers(left: &Path, log: &str) -> Result<Vec<String>> {
    let log = text(left, log)?;
    log.lines()
        .filter(|line| line.starts_with("3b"))
        .map(|line| {
            let (cdb, rest) = line.split_once(' ').context("a line of the log")?;
            let (used, filling) = cdb.split_at(20.min(cdb.len()));
            ensure!(filling.chars().all(|digit| digit == '0'), "{line}");
            Ok(format!("{used} {rest}"))
        })
        .collect()
}

/// What a drive of a family is to hold after a write, and what that takes.
struct Family {
    name: &'static str,
    size: usize,
    /// What the drive keeps for itself.
    owned: &'static [Range<usize>],
    before: &'static str,
    after: &'static str,
    /// Commands that bring firmware, and how many.
    sent: (u8, usize),
    /// READ BUFFER commands.
    /// `None` where a drive is asked for its code piece by piece.
    read: Option<usize>,
    backup: bool,
}

const BOOT_BANK: Range<usize> = 0..0x1_0000;
const CALIBRATION: Range<usize> = 0x1F_0000..0x20_0000;

const FAMILIES: [Family; 6] = [
    Family {
        name: "btc",
        size: 0x10_0000,
        owned: &[],
        before: "BTC DRW1008 0051",
        after: "BTC DRW1008 0059",
        sent: (WRITE_BUFFER, 256 + 2),
        read: Some(0),
        backup: false,
    },
    Family {
        name: "tsst",
        size: 0x4_0000,
        owned: &[],
        before: "TSSTcorp DVD-ROM SH-D162C TS04",
        after: "TSSTcorp DVD-ROM SH-D162C TS05",
        sent: (VENDOR_BLOCK, 5),
        read: Some(0),
        backup: false,
    },
    Family {
        name: "sd616",
        size: 0x2_0000,
        owned: &[],
        before: "SAMSUNG DVD-ROM SD-616T F309",
        after: "SAMSUNG DVD-ROM SD-616T F310",
        sent: (VENDOR_BLOCK, 3),
        read: Some(0),
        backup: false,
    },
    Family {
        name: "mt1939",
        size: 0x20_0000,
        owned: &[BOOT_BANK],
        before: "TSSTcorp BDDVDW SE-506CB TS01",
        after: "TSSTcorp BDDVDW SE-506CB TS02",
        sent: (VENDOR_BLOCK, 34),
        // The banner; everything twice; what is compared.
        read: Some(1 + 2 * 128 + 124),
        backup: true,
    },
    Family {
        name: "mt1939-boot",
        size: 0x20_0000,
        owned: &[BOOT_BANK],
        before: "TSSTcorp BDDVDW SE-506CB BOOT",
        after: "TSSTcorp BDDVDW SE-506CB TS02",
        sent: (VENDOR_BLOCK, 34),
        read: Some(1 + 124),
        backup: false,
    },
    Family {
        name: "mt1959",
        size: 0x20_0000,
        owned: &[BOOT_BANK, 0x1D_8000..0x1E_C000, CALIBRATION],
        before: "HL-DT-ST BD-RE  WH16NS60 1.00",
        after: "HL-DT-ST BD-RE  WH16NS60 1.02",
        sent: (WRITE_BUFFER, 1 + 128),
        read: None,
        backup: true,
    },
];

fn are_written(left: &Path, names: &[&'static str]) -> Result<()> {
    names.iter().try_for_each(|name| {
        let family = FAMILIES.iter().find(|family| family.name == *name);
        let family = family.context("no such family")?;
        family.is_written(left).context(*name)
    })
}

impl Family {
    fn is_written(&self, left: &Path) -> Result<()> {
        let name = self.name;
        let image = bytes(left, &format!("{name}.image"))?;
        let flash = bytes(left, &format!("{name}.state/position-3.flash"))?;
        ensure!(
            flash.len() == self.size && image.len() == self.size,
            "the sizes are wrong"
        );
        let wrong = (0..self.size)
            .filter(|at| !self.owned.iter().any(|range| range.contains(at)))
            .find(|at| flash.get(*at) != image.get(*at));
        if let Some(at) = wrong {
            bail!("flash and image differ at {at:#x}");
        }
        if self.backup {
            let backup = bytes(left, &format!("{name}.backup"))?;
            // What a Blu-ray drive keeps of its first page is not shown, and it
            // rewrites the rest of its own.
            let kept: &[Range<usize>] = match name {
                "mt1959" => &[SHOWN_BOOT_CODE],
                _ => self.owned,
            };
            for range in kept {
                ensure!(
                    backup.get(range.clone()) == flash.get(range.clone()),
                    "{range:x?} is not what it was"
                );
            }
            ensure!(backup != image, "the backup is not what was in the drive");
        }
        if let Ok(before) = fs::read(left.join(format!("{name}.before"))) {
            ensure!(
                bytes(left, &format!("{name}.backup"))? == before,
                "the backup is not what was in the drive"
            );
        }

        let commands = seen(left, &format!("{name}.commands"))?;
        let (opcode, sent) = self.sent;
        ensure!(
            count(&commands, opcode) == sent
                && self
                    .read
                    .is_none_or(|read| count(&commands, READ_BUFFER) == read),
            "{} commands with firmware instead of {sent}, {} to read instead of {:?}",
            count(&commands, opcode),
            count(&commands, READ_BUFFER),
            self.read
        );
        let others = [WRITE_BUFFER, VENDOR_BLOCK];
        let others = others.iter().filter(|other| **other != opcode);
        ensure!(
            others.map(|other| count(&commands, *other)).sum::<usize>() == 0,
            "the drive was sent another family's commands"
        );
        as_documented(left, &format!("{name}.state/position-3.counters.toml"))?;

        let leaves_the_bus = text(left, &format!("{name}.commands"))?.contains("Reenumerate");
        ensure!(
            leaves_the_bus == name.starts_with("mt1939"),
            "the drive restarted in another way"
        );
        let said = text(left, &format!("{name}.out"))?;
        let restarted = said
            .lines()
            .find(|line| line.contains(" before, "))
            .context("the tool does not say who the drive was and is")?;
        let names = [("before", self.before), ("now", self.after)];
        let (was, is) = restarted.split_once(" before, ").unwrap_or_default();
        for ((when, name), said) in names.into_iter().zip([was, is]) {
            ensure!(said.contains(name), "no '{name}' as of {when}: {restarted}");
        }
        let read_back = said.contains("read back and compared");
        let not_read_back = said.contains("was not read back");
        ensure!(
            read_back == (self.read != Some(0)) && not_read_back == (self.read == Some(0)),
            "what is said about reading back is not true: {said}"
        );
        let afterwards = text(left, &format!("{name}.afterwards"))?;
        ensure!(afterwards.contains(self.after), "{afterwards}");
        Ok(())
    }
}

fn as_sg3_utils_do(left: &Path) -> Result<()> {
    // The drive shows another page in place of its first one.
    let flash = as_read(bytes(left, "mt1959.state/position-3.flash")?);
    for dump in [
        "sg_raw.dump",
        "ours.dump",
        "ours-again.dump",
        "once.dump",
        "twice.dump",
    ] {
        ensure!(
            bytes(left, dump)? == flash,
            "{dump} is not what the drive's memory holds"
        );
    }
    ensure!(
        flash.get(0x3000..0x3020) == Some(bytes(left, "record")?.as_slice()),
        "sg_raw got another boot record"
    );
    let reads = count(&seen(left, "read.commands")?, READ_BUFFER);
    ensure!(reads > 2 * 128, "{reads} READ BUFFER commands");
    as_documented(left, "mt1959.state/position-3.counters.toml")?;

    let ours = mean(left, "ours")?;
    let (by_sg_raw, once, twice) = (
        mean(left, "sg_raw")?,
        mean(left, "once")?,
        mean(left, "twice")?,
    );
    eprintln!(
        "rig: 2 MiB of an MT1959: sg_raw in a loop {by_sg_raw:.2} s, mtkflash {ours:.2} s ({:.1} \
         times as fast); a plain loop {once:.2} s once (mtkflash {:.2} times as long) and \
         {twice:.2} s twice, as mtkflash reads ({:.2} times)",
        by_sg_raw / ours,
        ours / once,
        ours / twice
    );
    ensure!(ours < by_sg_raw, "sg_raw in a loop is faster");
    Ok(())
}

fn pulled(left: &Path) -> Result<()> {
    let (flash, image) = (
        bytes(left, "mt1939.state/position-3.flash")?,
        bytes(left, "se-506cb-ts02.bin")?,
    );
    ensure!(
        flash.get(BOOT_BANK.end..) == image.get(BOOT_BANK.end..),
        "the second run did not write the image"
    );
    as_documented(left, "mt1939.state/position-3.counters.toml")?;
    let early = as_documented(left, "btc.state/position-3.counters.toml")?;
    ensure!(early.firmware_programs == 0, "the BTC drive programmed");
    // What it had got of the last block is sent once, also when it is not answered.
    let blocks = count(&seen(left, "pulled.commands")?, VENDOR_BLOCK);
    ensure!(blocks <= 17, "{blocks} blocks to a drive that was gone");
    Ok(())
}

fn count(commands: &[Seen], opcode: u8) -> usize {
    let same = |seen: &&Seen| seen.cdb.first() == Some(&opcode);
    commands.iter().filter(same).count()
}

/// Seconds, of all runs that were timed under this name.
fn mean(left: &Path, name: &str) -> Result<f64> {
    let times = text(left, &format!("{name}.ms"))?;
    let times: Vec<f64> = times.lines().map(str::parse).collect::<Result<_, _>>()?;
    ensure!(!times.is_empty(), "nothing was timed as {name}");
    Ok(times.iter().sum::<f64>() / times.len() as f64 / 1000.0)
}

/// What the drive counted, if it was asked nothing that the protocol does not allow.
fn as_documented(left: &Path, file: &str) -> Result<Counters> {
    let counters: Counters = toml::from_str(&text(left, file)?)?;
    ensure!(
        counters.violation_count == 0,
        "the drive was asked what it should not be: {:?}",
        counters.violations
    );
    Ok(counters)
}

fn text(left: &Path, name: &str) -> Result<String> {
    Ok(String::from_utf8_lossy(&bytes(left, name)?).into_owned())
}

fn bytes(left: &Path, name: &str) -> Result<Vec<u8>> {
    fs::read(left.join(name)).with_context(|| format!("the script left no {name}"))
}
