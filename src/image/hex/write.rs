//! Writes bank-marked HEX.

use std::io;

use super::{BANK, END, NEXT_BANK};

/// Data bytes that the writer puts in a record.
const RECORD_LENGTH: usize = 16;

/// Characters of a record without data, the colon aside: length, address, type, sum.
const EMPTY_RECORD_DIGITS: usize = 10;

/// How many bytes [`write()`] makes of so many.
pub fn written_size(bytes: u32) -> u64 {
    let of_line = |characters: usize| characters as u64 + 1;
    let bytes = u64::from(bytes);
    let records = bytes.div_ceil(RECORD_LENGTH as u64);
    let banks = bytes.div_ceil(BANK as u64);
    2 * bytes
        + records * of_line(1 + EMPTY_RECORD_DIGITS)
        + banks.saturating_sub(1) * of_line(NEXT_BANK.len())
        + of_line(END.len())
}

/// Writes whole banks as a HEX file that [`read`](super::read) takes back and, with 16
/// banks, btcflash too. A short last bank reads back filled up with FF.
///
/// Every byte gets a record, FF as well: the file shows the whole flash.
///
/// # Errors
/// As `out` answers.
pub fn write(bytes: &[u8], out: &mut impl io::Write) -> io::Result<()> {
    let mut line = Vec::with_capacity(1 + EMPTY_RECORD_DIGITS + 2 * RECORD_LENGTH + 1);
    for (number, bank) in bytes.chunks(BANK).enumerate() {
        if number > 0 {
            write_line(NEXT_BANK, out)?;
        }
        for (address, data) in (0..=u16::MAX)
            .step_by(RECORD_LENGTH)
            .zip(bank.chunks(RECORD_LENGTH))
        {
            let [high, low] = address.to_be_bytes();
            let mut sum: u8 = 0;
            line.clear();
            line.push(b':');
            for byte in [data.len() as u8, high, low, 0].iter().chain(data) {
                sum = sum.wrapping_add(*byte);
                push_digits(&mut line, *byte);
            }
            push_digits(&mut line, sum.wrapping_neg());
            write_line(&line, out)?;
        }
    }
    write_line(END, out)
}

fn write_line(line: &[u8], out: &mut impl io::Write) -> io::Result<()> {
    out.write_all(line)?;
    out.write_all(b"\n")
}

fn push_digits(line: &mut Vec<u8>, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    line.push(DIGITS[usize::from(byte >> 4)]);
    line.push(DIGITS[usize::from(byte & 0x0f)]);
}
