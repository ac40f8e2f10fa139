//! The flash chips of MediaTek drives, as data.
//!
//! Where the entries are from and how sure they are:
//! - Serial parts and SST39SF020 are the chips that JungleFlasher 0.1.96 and
//!   DosFlash know. JungleFlasher writes SST39SF020 on real drives; of the
//!   serial ones only their identification is known to have worked.
//! - W29C040 is what mtkflash itself showed on its screen (`ManuID : da`,
//!   `DevId :46`).
//! - All other parallel parts are from flashrom 1.8. As far as known, nobody ever
//!   wrote one of them through a drive.
//!
//! They are in `chips.tsv` beside this file, which [`table`](super::table) reads.
//!
//! None of them was tried on hardware with this tool. [`Tried`] says for each
//! chip which of these holds.
//!
//! # Identification
//! The documented sequence (AA, 55, 90) uses the unlock addresses 5555 and 2AAA
//! ([`DOCUMENTED_UNLOCK`]). Parts with 0555/02AA ignore the upper address bits
//! and answer it as well. Parts with 0AAA/0555 (Eon EN29F002, ST M29F002) do
//! not: they need their own pair before they say who they are.
//!
//! Where manufacturer or device reads [`CONTINUATION`], the code goes on in a
//! second byte, at 100h and 101h (flashrom 1.8, `jedec.c`).

use std::fmt;

use super::{EraseLayout, PAGE_SIZE};

/// The unlock addresses of the documented sequences: AA goes to the first, 55
/// to the second.
pub const DOCUMENTED_UNLOCK: Unlock = Unlock(0x5555, 0x2AAA);

/// An identification byte that says: the code continues in another byte.
pub const CONTINUATION: u8 = 0x7F;

/// Where a parallel chip shows the second byte of its manufacturer code.
pub const MANUFACTURER_CONTINUED: u32 = 0x100;

/// Where a parallel chip shows the second byte of its device code.
pub const DEVICE_CONTINUED: u32 = 0x101;

/// What a chip answers to command 90: a byte each, or two where the first one
/// is [`CONTINUATION`] (`7F1C`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChipId {
    pub manufacturer: u16,
    pub device: u16,
}

impl ChipId {
    /// An ID of one byte each.
    pub fn new(manufacturer: u8, device: u8) -> Self {
        ChipId {
            manufacturer: manufacturer.into(),
            device: device.into(),
        }
    }

    /// Reads it as it is shown: so records and notes keep it.
    pub fn parse(text: &str) -> Option<ChipId> {
        let (manufacturer, device) = text.strip_prefix("ManuID: ")?.split_once("  DevID: ")?;
        let code = |text| u16::from_str_radix(text, 16).ok();
        Some(ChipId {
            manufacturer: code(manufacturer)?,
            device: code(device)?,
        })
    }
}

impl fmt::Display for ChipId {
    /// As mtkflash shows it to its users: `ManuID: BF  DevID: B6`. Never another way:
    /// see [`ChipId::parse`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "ManuID: {:02X}  DevID: {:02X}",
            self.manufacturer, self.device
        )
    }
}

/// A name under which a chip is sold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    pub vendor: String,
    pub part: String,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.vendor, self.part)
    }
}

/// The addresses of the two unlock cycles: AA goes to the first, 55 to the
/// second, and the command to the first again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unlock(pub u32, pub u32);

/// A chip with an SPI bus. It is programmed in pages of 256 bytes, and erased as a
/// whole or, where both chip and drive know how, in sectors of 4 KiB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serial {
    /// The opcode of the chip erase: 60 for manufacturer BF, 62 for 1F, else C7
    /// (JungleFlasher 0.1.96).
    pub chip_erase: u8,
    /// The opcode that lets the status register be written: 06, the same as for data,
    /// or 50 on SST25VF020 (JungleFlasher 0.1.96).
    pub status_write_enable: u8,
    /// Opcode 20 erases [`SERIAL_SECTOR`] bytes, by flashrom's table. What else
    /// of the parts here is there erases something else by it, or does not know
    /// it; of C2 14 the MX25L1605 erases 64 KiB and the MX25L1605D 4 KiB, and
    /// their IDs are the same.
    pub erases_sectors: bool,
}

/// Bytes in a sector of the serial chips that have them.
pub const SERIAL_SECTOR: u32 = 0x1000;

impl Serial {
    /// What JungleFlasher 0.1.96 sends to a chip with this ID.
    pub fn by_id(id: ChipId) -> Self {
        Serial {
            chip_erase: match id.manufacturer {
                0xBF => 0x60,
                0x1F => 0x62,
                _ => 0xC7,
            },
            status_write_enable: match (id.manufacturer, id.device) {
                (0xBF, 0x43) => 0x50,
                _ => 0x06,
            },
            erases_sectors: [ChipId::new(0xC2, 0x11), ChipId::new(0xC2, 0x13)].contains(&id),
        }
    }
}

/// The bus of a chip and what is particular to it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bus {
    /// With the JEDEC command set, by these addresses.
    Parallel(Unlock),
    Serial(Serial),
}

/// What others have done with a chip. This tool was tried with none of them on
/// hardware.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tried {
    /// JungleFlasher 0.1.96 writes it in real drives.
    WrittenByJungleFlasher,
    /// JungleFlasher or DosFlash identifies it in real drives.
    IdentifiedByJungleFlasher,
    /// mtkflash showed it on its screen.
    IdentifiedByMtkflash,
    /// flashrom 1.8 knows it, on boards other than drives.
    KnownToFlashrom { write_tested: bool },
    /// It is in no table.
    Nothing,
}

/// Why a chip is never changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadOnly {
    /// It is in no table.
    Unknown,
    /// It takes whole pages whose bytes must arrive within a time limit, which
    /// cannot be promised through a drive.
    TimedPages,
    /// Chips that are erased or programmed differently share its ID.
    SharedId,
    /// The documented way programs pages of 256 bytes, flashrom programs it byte
    /// by byte.
    SourcesDisagree,
}

/// A flash chip, or several that share an ID and are driven alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chip {
    pub id: ChipId,
    /// All names that share the ID, at least one but for an unknown chip.
    pub names: Vec<Name>,
    /// How it can be erased and programmed by any drive. Of a parallel chip: by command
    /// 10 and, where there is more than one sector, command 30; by command A0 before
    /// every byte, or in pages that must arrive within a time limit between one byte
    /// and the next.
    pub layout: EraseLayout,
    pub bus: Bus,
    pub tried: Tried,
    /// Why it is identified and read, and never changed; `None` where it may be erased
    /// and programmed.
    pub read_only: Option<ReadOnly>,
}

impl Chip {
    /// A chip in no table that is to be read as this many bytes.
    fn unknown(id: ChipId, layout: EraseLayout, bus: Bus) -> Self {
        Chip {
            id,
            names: Vec::new(),
            layout,
            bus,
            tried: Tried::Nothing,
            read_only: Some(ReadOnly::Unknown),
        }
    }

    /// As `Chip::unknown`, on a parallel bus with the documented unlock pair.
    pub fn unknown_parallel(id: ChipId, size: u32) -> Self {
        let bus = Bus::Parallel(DOCUMENTED_UNLOCK);
        Chip::unknown(id, EraseLayout::whole(size, 1), bus)
    }

    /// As `Chip::unknown`, on a serial bus.
    pub fn unknown_serial(id: ChipId, size: u32) -> Self {
        let bus = Bus::Serial(Serial::by_id(id));
        Chip::unknown(id, EraseLayout::whole(size, PAGE_SIZE), bus)
    }

    /// Bytes.
    pub fn size(&self) -> u32 {
        self.layout.size()
    }

    /// How it can be erased and programmed by a drive with serial flash that
    /// passes sector erases on.
    pub fn sector_layout(&self) -> EraseLayout {
        match &self.bus {
            Bus::Serial(serial) if serial.erases_sectors => {
                let sectors = (self.size() / SERIAL_SECTOR) as usize;
                EraseLayout::from_sizes(vec![SERIAL_SECTOR; sectors], PAGE_SIZE)
            }
            Bus::Serial(_) | Bus::Parallel(_) => self.layout.clone(),
        }
    }

    /// Its names in one line: `AMD Am29F002(N)BT or TI TMS29F002RT`.
    pub fn title(&self) -> String {
        if self.names.is_empty() {
            return "unknown chip".to_owned();
        }
        let names: Vec<String> = self.names.iter().map(Name::to_string).collect();
        names.join(" or ")
    }
}

impl fmt::Display for Chip {
    /// `SST SST39SF020 (ManuID: BF  DevID: B6), 256 KiB`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({}), {} KiB",
            self.title(),
            self.id,
            self.size() / 1024
        )
    }
}
