//! Command blocks.
//!
//! Packet commands are 12 bytes long whatever their opcode: that is what an
//! ATAPI drive takes, and libata refuses vendor commands of 6 or 8 bytes before
//! they reach the drive (measured on Linux 6.1). What is left over is 00.
//! ATA PASS-THROUGH(16) is for the SATL or the bridge, not for the drive, and
//! has its 16 bytes.

use super::IDENTIFY_PACKET_DEVICE;

/// A command block for a packet drive.
pub type PacketCdb = [u8; 12];

/// An ATA PASS-THROUGH(16) command block.
pub type AtaPassthroughCdb = [u8; 16];

/// Bytes that [`inquiry`] asks for.
pub const INQUIRY_LENGTH: usize = 96;

/// Bytes that [`inquiry_serial`] asks for.
pub const SERIAL_LENGTH: usize = 252;

const TEST_UNIT_READY: u8 = 0x00;
const INQUIRY: u8 = 0x12;
const GET_CONFIGURATION: u8 = 0x46;
const WRITE_BUFFER: u8 = 0x3B;
const READ_BUFFER: u8 = 0x3C;
const ATA_PASS_THROUGH_16: u8 = 0x85;

/// Whether the drive can take commands now.
pub fn test_unit_ready() -> PacketCdb {
    packet([TEST_UNIT_READY])
}

/// Standard INQUIRY of [`INQUIRY_LENGTH`] bytes.
pub fn inquiry() -> PacketCdb {
    packet([INQUIRY, 0, 0, 0, INQUIRY_LENGTH as u8])
}

/// INQUIRY for the unit serial number, vital product data page 80, of
/// [`SERIAL_LENGTH`] bytes. Many drives do not have it.
pub fn inquiry_serial() -> PacketCdb {
    packet([INQUIRY, 0x01, 0x80, 0, SERIAL_LENGTH as u8])
}

/// GET CONFIGURATION of one feature alone, with an answer of at most `length`
/// bytes.
pub fn get_configuration(feature: u16, length: u16) -> PacketCdb {
    const ONE_FEATURE: u8 = 0x02;
    let [feature_high, feature_low] = feature.to_be_bytes();
    let [length_high, length_low] = length.to_be_bytes();
    packet([
        GET_CONFIGURATION,
        ONE_FEATURE,
        feature_high,
        feature_low,
        0,
        0,
        0,
        length_high,
        length_low,
    ])
}

/// Program memory of an older Lite-On drive: `DF 83 00 00 FF 00 bank hi lo 00 00
/// 00`, answered by 128 bytes of a 64 KiB bank (a decompiled class of LtnFlash
/// 2.6.11, reported only).
pub fn liteon_program_memory(bank: u8, [high, low]: [u8; 2]) -> PacketCdb {
    packet([0xDF, 0x83, 0, 0, 0xFF, 0, bank, high, low])
}

/// The buffer commands: a mode, a buffer ID, and 24 bits each of offset and length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buffer {
    pub mode: u8,
    pub id: u8,
    /// Offset in bytes, below 2^24.
    pub offset: u32,
    /// Length in bytes, below 2^24.
    pub length: u32,
}

/// An offset or length that the command block has no room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{self:?}")]
pub struct BufferTooLarge {
    pub field: &'static str,
    pub value: u32,
}

/// READ BUFFER `3C mode id offset24 length24 00`.
///
/// # Errors
/// An offset or length of more than 24 bits.
pub fn read_buffer(buffer: Buffer) -> Result<PacketCdb, BufferTooLarge> {
    buffer_command(READ_BUFFER, buffer)
}

/// WRITE BUFFER `3B mode id offset24 length24 00`.
///
/// # Errors
/// An offset or length of more than 24 bits.
pub fn write_buffer(buffer: Buffer) -> Result<PacketCdb, BufferTooLarge> {
    buffer_command(WRITE_BUFFER, buffer)
}

fn buffer_command(opcode: u8, buffer: Buffer) -> Result<PacketCdb, BufferTooLarge> {
    let [o2, o1, o0] = three_bytes("offset", buffer.offset)?;
    let [l2, l1, l0] = three_bytes("length", buffer.length)?;
    Ok(packet([
        opcode,
        buffer.mode,
        buffer.id,
        o2,
        o1,
        o0,
        l2,
        l1,
        l0,
    ]))
}

fn three_bytes(field: &'static str, value: u32) -> Result<[u8; 3], BufferTooLarge> {
    match value.to_be_bytes() {
        [0, high, mid, low] => Ok([high, mid, low]),
        _ => Err(BufferTooLarge { field, value }),
    }
}

fn packet<const N: usize>(bytes: [u8; N]) -> PacketCdb {
    let mut cdb = PacketCdb::default();
    for (to, from) in cdb.iter_mut().zip(bytes) {
        *to = from;
    }
    cdb
}

/// The registers of one ATA command. A register that is `None` keeps what it
/// holds where the transport can leave it alone, and is sent as 00 elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Registers {
    pub features: Option<u8>,
    pub count: Option<u8>,
    pub lba_low: Option<u8>,
    pub lba_mid: Option<u8>,
    pub lba_high: Option<u8>,
    /// The low four bits of the Device register; the transport adds the unit.
    pub device_bits: u8,
    pub command: u8,
}

/// ATA PASS-THROUGH(16) of a command without data (protocol 3) whose registers
/// are to come back in the sense data (CK_COND=1). Device says master: libata puts the
/// drive's true position into it, and a bridge has one drive.
pub fn ata_non_data(registers: &Registers) -> AtaPassthroughCdb {
    const NON_DATA: u8 = 3 << 1;
    const CK_COND: u8 = 0x20;
    const MASTER: u8 = 0xA0;
    let device = MASTER | registers.device_bits & 0x0F;
    ata_passthrough(NON_DATA, CK_COND, device, registers)
}

/// ATA PASS-THROUGH(16) of IDENTIFY PACKET DEVICE, which returns
/// [`super::IDENTIFY_LENGTH`] bytes (protocol 4, PIO data-in).
///
/// With `return_registers` (CK_COND=1) even a good answer ends in CHECK
/// CONDITION, with the registers in the sense data.
pub fn ata_identify_packet_device(return_registers: bool) -> AtaPassthroughCdb {
    const PIO_DATA_IN: u8 = 4 << 1;
    /// T_DIR: from the drive. BYT_BLOK and T_LENGTH=2: Count is the number of
    /// 512-byte blocks.
    const ONE_WAY_BY_COUNT: u8 = 0x0E;
    const CK_COND: u8 = 0x20;
    let flags = if return_registers {
        ONE_WAY_BY_COUNT | CK_COND
    } else {
        ONE_WAY_BY_COUNT
    };
    let registers = Registers {
        count: Some(1),
        command: IDENTIFY_PACKET_DEVICE,
        ..Registers::default()
    };
    ata_passthrough(PIO_DATA_IN, flags, 0, &registers)
}

fn ata_passthrough(
    protocol: u8,
    flags: u8,
    device: u8,
    registers: &Registers,
) -> AtaPassthroughCdb {
    let sent = |register: Option<u8>| register.unwrap_or(0);
    // Bytes 3, 5, 7, 9 and 11 are the upper halves of 48-bit commands.
    [
        ATA_PASS_THROUGH_16,
        protocol,
        flags,
        0,
        sent(registers.features),
        0,
        sent(registers.count),
        0,
        sent(registers.lba_low),
        0,
        sent(registers.lba_mid),
        0,
        sent(registers.lba_high),
        device,
        registers.command,
        0,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packet_commands_are_twelve_bytes_with_zeros_at_the_end() {
        for (name, cdb, bytes) in [
            ("TEST UNIT READY", test_unit_ready(), [0; 12]),
            (
                "INQUIRY",
                inquiry(),
                [0x12, 0, 0, 0, 96, 0, 0, 0, 0, 0, 0, 0],
            ),
            (
                "INQUIRY, page 80",
                inquiry_serial(),
                [0x12, 1, 0x80, 0, 252, 0, 0, 0, 0, 0, 0, 0],
            ),
        ] {
            assert_eq!(cdb, bytes, "{name}");
        }
    }

    #[test]
    fn buffer_commands_carry_24_bits_of_offset_and_length() {
        let buffer = Buffer {
            mode: 6,
            id: 0,
            offset: 0x12_3456,
            length: 0x00_4000,
        };
        assert_eq!(
            read_buffer(buffer),
            Ok([0x3C, 6, 0, 0x12, 0x34, 0x56, 0x00, 0x40, 0x00, 0, 0, 0])
        );
        assert_eq!(
            write_buffer(Buffer { id: 0xF0, ..buffer }),
            Ok([0x3B, 6, 0xF0, 0x12, 0x34, 0x56, 0x00, 0x40, 0x00, 0, 0, 0])
        );
    }

    #[test]
    fn a_buffer_offset_or_length_beyond_24_bits_is_refused_and_not_cut() {
        let buffer = Buffer {
            mode: 6,
            id: 0,
            offset: 0x0100_0000,
            length: 0,
        };
        assert_eq!(
            read_buffer(buffer),
            Err(BufferTooLarge {
                field: "offset",
                value: 0x0100_0000
            })
        );
        let buffer = Buffer {
            offset: 0xFF_FFFF,
            length: 0x0100_0000,
            ..buffer
        };
        assert_eq!(
            write_buffer(buffer),
            Err(BufferTooLarge {
                field: "length",
                value: 0x0100_0000
            })
        );
    }

    #[test]
    fn the_entry_into_vendor_mode_has_the_documented_bytes() {
        let entry = ata_non_data(&Registers {
            lba_low: Some(0x2A),
            command: 0x80,
            ..Registers::default()
        });
        assert_eq!(
            entry,
            [
                0x85, 0x06, 0x20, 0, 0, 0, 0, 0, 0x2A, 0, 0, 0, 0, 0xA0, 0x80, 0
            ]
        );
    }

    #[test]
    fn each_register_has_its_own_place_in_the_command_block() {
        let cdb = ata_non_data(&Registers {
            features: Some(1),
            count: Some(2),
            lba_low: Some(3),
            lba_mid: Some(4),
            lba_high: Some(5),
            device_bits: 6,
            command: 7,
        });
        assert_eq!(
            cdb,
            [0x85, 6, 0x20, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0xA6, 7, 0]
        );
    }

    #[test]
    fn identify_packet_device_asks_for_one_block_of_data() {
        assert_eq!(
            ata_identify_packet_device(false),
            [0x85, 0x08, 0x0E, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xA1, 0]
        );
        assert_eq!(ata_identify_packet_device(true)[2], 0x2E);
    }
}
