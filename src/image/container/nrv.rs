//! NRV2B, NRV2D and NRV2E, with 32 bits of control at a time, little end first.
//!
//! Source: the format as UCL's decompressors read it (Markus Oberhumer, UCL 1.03),
//! with which UPX packs programs. Nothing is trusted: every read and every copy
//! stays inside its bytes, and no more comes out than was announced.

/// Which of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    Nrv2b,
    Nrv2d,
    Nrv2e,
}

/// Unpacks `packed`, which ends with its end mark, into exactly `size` bytes.
/// `None` for anything else.
pub fn unpack(packed: &[u8], size: usize, method: Method) -> Option<Vec<u8>> {
    let mut bits = Bits::new(packed);
    let mut out = Vec::with_capacity(size);
    let mut last_distance: u32 = 1;
    loop {
        while bits.bit()? == 1 {
            if out.len() == size {
                return None;
            }
            out.push(bits.byte()?);
        }
        let code = match method {
            Method::Nrv2b => bits.number()?,
            Method::Nrv2d | Method::Nrv2e => bits.long_number()?,
        };
        // In 2D and 2E the lowest bit of a distance is the first bit of the length.
        let mut first_bit = None;
        let distance = if code == 2 {
            last_distance
        } else {
            let low = u32::from(bits.byte()?);
            let value = code.checked_sub(3)?.checked_mul(0x100)?.checked_add(low)?;
            if value == u32::MAX {
                return (out.len() == size).then_some(out);
            }
            let value = match method {
                Method::Nrv2b => value,
                Method::Nrv2d | Method::Nrv2e => {
                    first_bit = Some(!value & 1);
                    value >> 1
                }
            };
            value.checked_add(1)?
        };
        last_distance = distance;
        let first_bit = match first_bit {
            Some(bit) => bit,
            None => bits.bit()?,
        };
        let length = match method {
            Method::Nrv2b | Method::Nrv2d => bits.length(first_bit)?,
            Method::Nrv2e => bits.length_2e(first_bit)?,
        };
        let far = match method {
            Method::Nrv2b => 0xd00,
            Method::Nrv2d | Method::Nrv2e => 0x500,
        };
        let length = length.checked_add(1 + u32::from(distance > far))? as usize;
        copy(&mut out, distance as usize, length, size)?;
    }
}

/// Repeats what is `distance` back; it may run into what it writes.
fn copy(out: &mut Vec<u8>, distance: usize, length: usize, size: usize) -> Option<()> {
    let from = out.len().checked_sub(distance)?;
    if out.len().checked_add(length)? > size {
        return None;
    }
    for at in from..from + length {
        let byte = *out.get(at)?;
        out.push(byte);
    }
    Some(())
}

/// Bits and bytes of one stream, taken in turns.
struct Bits<'a> {
    rest: &'a [u8],
    word: u32,
    left: u32,
}

impl<'a> Bits<'a> {
    fn new(rest: &'a [u8]) -> Bits<'a> {
        Bits {
            rest,
            word: 0,
            left: 0,
        }
    }

    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }

    fn bit(&mut self) -> Option<u32> {
        if self.left == 0 {
            let (word, rest) = self.rest.split_first_chunk()?;
            self.word = u32::from_le_bytes(*word);
            self.rest = rest;
            self.left = 32;
        }
        self.left -= 1;
        Some(self.word >> self.left & 1)
    }

    /// A number of any size from 2 on: a bit of it and a bit that ends it.
    fn number(&mut self) -> Option<u32> {
        let mut number: u32 = 1;
        loop {
            number = number.checked_mul(2)?.checked_add(self.bit()?)?;
            if self.bit()? == 1 {
                return Some(number);
            }
        }
    }

    /// As [`Bits::number`], with two bits for each that ends it after the first.
    fn long_number(&mut self) -> Option<u32> {
        let mut number: u32 = 1;
        loop {
            number = number.checked_mul(2)?.checked_add(self.bit()?)?;
            if self.bit()? == 1 {
                return Some(number);
            }
            number = (number - 1).checked_mul(2)?.checked_add(self.bit()?)?;
        }
    }

    fn length(&mut self, first_bit: u32) -> Option<u32> {
        match first_bit * 2 + self.bit()? {
            0 => self.number()?.checked_add(2),
            length => Some(length),
        }
    }

    fn length_2e(&mut self, first_bit: u32) -> Option<u32> {
        if first_bit == 1 {
            Some(1 + self.bit()?)
        } else if self.bit()? == 1 {
            Some(3 + self.bit()?)
        } else {
            self.number()?.checked_add(3)
        }
    }
}
