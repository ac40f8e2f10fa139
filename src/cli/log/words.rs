//! A command and its end as one line of the log.

use std::fmt::Write;
use std::time::Duration;

use super::fold::{Block, End, Repeated, Sent, Way};
use crate::cli::words::InWords;
use crate::image::Crc32;
use crate::transport::watched::Exchange;
use crate::transport::{Data, Registers, TaskFileError, TransportError};

/// Of a drive that did not say who it is, or not with its registers.
pub const NO_ANSWER: &str = "no answer to use";

/// `12 00 00 00 60 00 00 00 00 00 00 00 (INQUIRY), in 96: good, 1.0 ms`, with
/// the bytes behind it that say who the drive is, or of what it complains.
pub fn exchange(exchange: &Exchange<'_>, sent: &Sent, took: Duration) -> String {
    let mut line = format!("{}{}", block(&sent.block), name(&sent.block));
    line.push_str(&way(sent.way));
    if let Exchange::Packet {
        data: Data::Out(bytes),
        ..
    } = exchange
    {
        let _ = write!(line, " (CRC-32 {})", Crc32::of(bytes));
    }
    let _ = write!(line, ": {}, {}", end(&sent.end), time(took));
    if let Some(details) = details(exchange, sent) {
        let _ = write!(line, "\n  {details}");
    }
    line
}

/// `127 more like it: the last 3c …, 1.0 ms on average, 1.2 ms at most`.
pub fn repeated(repeated: &Repeated) -> String {
    let Repeated { last, count, .. } = repeated;
    let sent = format!(
        "{}{}: {}",
        block(&last.block),
        way(last.way),
        end(&last.end)
    );
    let average = time(repeated.average());
    match count {
        1 => format!("1 more like it: {sent}, {average}"),
        _ => format!(
            "{count} more like it: the last {sent}, {average} on average, {} at most",
            time(repeated.longest)
        ),
    }
}

fn block(block: &Block) -> String {
    match block {
        Block::Packet { cdb, length } => {
            hex(cdb.get(..usize::from(*length)).unwrap_or(cdb.as_slice()))
        }
        Block::Registers(registers) => of_registers(registers),
        Block::Select => "device register".to_owned(),
        Block::Identify => "command a1 (IDENTIFY PACKET DEVICE)".to_owned(),
    }
}

/// `command 80 lba-low 2a`.
fn of_registers(registers: &Registers) -> String {
    let mut text = format!("command {:02x}", registers.command);
    for (name, value) in [
        ("features", registers.features),
        ("count", registers.count),
        ("lba-low", registers.lba_low),
        ("lba-mid", registers.lba_mid),
        ("lba-high", registers.lba_high),
    ] {
        if let Some(value) = value {
            let _ = write!(text, " {name} {value:02x}");
        }
    }
    if registers.device_bits != 0 {
        let _ = write!(text, " device {:x}", registers.device_bits);
    }
    text
}

/// What standards call it.
fn name(block: &Block) -> &'static str {
    match block {
        Block::Packet { cdb, .. } => match cdb[0] {
            0x00 => " (TEST UNIT READY)",
            0x03 => " (REQUEST SENSE)",
            0x12 => " (INQUIRY)",
            0x3B => " (WRITE BUFFER)",
            0x3C => " (READ BUFFER)",
            0x85 => " (ATA PASS-THROUGH)",
            _ => "",
        },
        _ => "",
    }
}

fn way(way: Way) -> String {
    match way {
        Way::None => String::new(),
        Way::In(length) => format!(", in {length}"),
        Way::Out(length) => format!(", out {length}"),
    }
}

fn end(end: &End) -> String {
    match end {
        End::Good => "good".to_owned(),
        End::Status(status) => format!("status {status:02x}"),
        End::Sense(sense) => sense.to_string(),
        End::Other(words) => words.clone(),
    }
}

pub fn timed_out(timeout: Duration) -> String {
    format!("no answer within {} s", timeout.as_secs_f32())
}

pub fn unsent(error: &TransportError) -> String {
    match error {
        TransportError::NotPermitted => "not permitted by the kernel".to_owned(),
        TransportError::Vanished => "the drive is gone".to_owned(),
        TransportError::Io(error) if error.raw_os_error().is_some() => error.to_string(),
        TransportError::Io(_) => "not sent".to_owned(),
        // The channel's interrupt line did not come to rest.
        TransportError::Storm { interrupts } => format!("{interrupts} interrupts on its line"),
    }
}

pub fn unanswered(error: &TaskFileError) -> String {
    match error {
        TaskFileError::Status { expected, found } => {
            format!("status {found:02x} instead of {expected:02x}")
        }
        TaskFileError::TimedOut(time) => timed_out(*time),
        TaskFileError::Transport(error) => unsent(error),
        TaskFileError::NoRegisters(_) | TaskFileError::NotPassedOn(_) => NO_ANSWER.to_owned(),
    }
}

/// What stands behind the end in bytes: raw sense data of what is no good end,
/// and the answers that hold no firmware but who the drive is.
fn details(exchange: &Exchange<'_>, sent: &Sent) -> Option<String> {
    /// INQUIRY and REQUEST SENSE.
    const OF_THE_DRIVE: [u8; 2] = [0x12, 0x03];
    match exchange {
        Exchange::Packet {
            cdb,
            data,
            ended: Ok(completion),
            ..
        } => match (&sent.end, data, cdb) {
            (End::Good, Data::In(data), [opcode, ..]) if OF_THE_DRIVE.contains(opcode) => {
                let residue = usize::try_from(completion.residue).unwrap_or_default();
                let there = data.len().saturating_sub(residue);
                let data = data.get(..there).unwrap_or_default();
                Some(format!("answer {} {}", hex(data), letters(data)))
            }
            (End::Good, ..) if completion.residue != 0 => {
                Some(format!("{} bytes not moved", completion.residue))
            }
            (End::Good, ..) => None,
            (end, ..) => {
                let is_registers = matches!(end, End::Status(_));
                (!is_registers).then(|| {
                    format!(
                        "status {:02x}, host {:02x}, driver {:02x}, {} bytes not moved, sense {}",
                        completion.status,
                        completion.host_status,
                        completion.driver_status,
                        completion.residue,
                        hex(&completion.sense),
                    )
                })
            }
        },
        Exchange::Packet {
            ended: Err(error), ..
        } => Some(error.in_words()),
        Exchange::TaskFile {
            ended: Err(error), ..
        }
        | Exchange::Select { ended: Err(error) } => Some(error.in_words()),
        Exchange::Identify { ended: Err(error) } => Some(error.in_words()),
        Exchange::Identify { ended: Ok(device) } => Some(format!("answer {device}")),
        Exchange::TaskFile { .. } | Exchange::Select { .. } => None,
    }
}

/// `12 00 ff`.
fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(3 * bytes.len());
    for byte in bytes {
        let separator = if text.is_empty() { "" } else { " " };
        let _ = write!(text, "{separator}{byte:02x}");
    }
    text
}

/// What of it is text, for whoever does not read hex.
fn letters(bytes: &[u8]) -> String {
    let shown = |&byte: &u8| match byte {
        b' '..=b'~' => char::from(byte),
        _ => '.',
    };
    format!("\"{}\"", bytes.iter().map(shown).collect::<String>())
}

/// In the unit that it is short in.
fn time(time: Duration) -> String {
    let micros = time.as_micros();
    match micros {
        0..1_000 => format!("{micros} us"),
        1_000..1_000_000 => format!("{:.1} ms", time.as_secs_f64() * 1e3),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}
