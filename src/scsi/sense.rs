//! Sense data: why a drive said no.
//!
//! Layouts as in SPC: fixed format (response codes 70 and 71) and descriptor
//! format (72 and 73). Bit 7 of the first byte is the VALID bit of the
//! information field and no part of the code; drives set it (F0) without
//! meaning much by it.

use std::fmt;

/// The sense key, byte 2 (fixed) or byte 1 (descriptor), low four bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SenseKey(pub u8);

impl SenseKey {
    pub const NO_SENSE: SenseKey = SenseKey(0x0);
    pub const RECOVERED_ERROR: SenseKey = SenseKey(0x1);
    pub const NOT_READY: SenseKey = SenseKey(0x2);
    pub const MEDIUM_ERROR: SenseKey = SenseKey(0x3);
    pub const HARDWARE_ERROR: SenseKey = SenseKey(0x4);
    pub const ILLEGAL_REQUEST: SenseKey = SenseKey(0x5);
    pub const UNIT_ATTENTION: SenseKey = SenseKey(0x6);
    pub const DATA_PROTECT: SenseKey = SenseKey(0x7);
    pub const ABORTED_COMMAND: SenseKey = SenseKey(0xB);
}

impl fmt::Display for SenseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            SenseKey::NO_SENSE => "no sense",
            SenseKey::RECOVERED_ERROR => "recovered error",
            SenseKey::NOT_READY => "not ready",
            SenseKey::MEDIUM_ERROR => "medium error",
            SenseKey::HARDWARE_ERROR => "hardware error",
            SenseKey::ILLEGAL_REQUEST => "illegal request",
            SenseKey::UNIT_ATTENTION => "unit attention",
            SenseKey::DATA_PROTECT => "data protect",
            SenseKey::ABORTED_COMMAND => "aborted command",
            SenseKey(other) => return write!(f, "sense key {other:X}h"),
        };
        f.write_str(name)
    }
}

/// Sense key, additional sense code and its qualifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sense {
    pub key: SenseKey,
    /// Additional sense code, 00 where the sense data end before it.
    pub asc: u8,
    /// Additional sense code qualifier, 00 where the sense data end before it.
    pub ascq: u8,
    /// The error belongs to an earlier command (response codes 71 and 73).
    pub deferred: bool,
    /// Bytes 3..7 of the fixed format; 00 where there are none.
    pub information: [u8; 4],
}

impl Sense {
    /// Reads sense data of either format; `None` where there are none, or of no
    /// known format.
    pub fn parse(bytes: &[u8]) -> Option<Sense> {
        let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
        let (key, asc, ascq) = match bytes {
            [code, _, key, ..] if matches!(code & 0x7F, 0x70 | 0x71) => (*key, byte(12), byte(13)),
            [code, key, ..] if matches!(code & 0x7F, 0x72 | 0x73) => (*key, byte(2), byte(3)),
            _ => return None,
        };
        Some(Sense {
            key: SenseKey(key & 0x0F),
            asc,
            ascq,
            deferred: byte(0) & 0x01 != 0,
            information: match bytes {
                [code, ..] if matches!(code & 0x7F, 0x70 | 0x71) => [3, 4, 5, 6].map(byte),
                _ => [0; 4],
            },
        })
    }

    /// An answer to a command that the drive has just been given.
    pub const fn new(key: SenseKey, asc: u8, ascq: u8) -> Sense {
        Sense {
            key,
            asc,
            ascq,
            deferred: false,
            information: [0; 4],
        }
    }

    /// 2/3A: the drive works and has no disc.
    pub fn is_no_medium(self) -> bool {
        self.key == SenseKey::NOT_READY && self.asc == 0x3A
    }

    /// 2/04/01: the drive is starting.
    pub fn is_becoming_ready(self) -> bool {
        (self.key, self.asc, self.ascq) == (SenseKey::NOT_READY, 0x04, 0x01)
    }

    /// 2/04/07 and 2/04/08: an operation, or a long write, is in progress.
    pub fn is_in_progress(self) -> bool {
        self.key == SenseKey::NOT_READY && self.asc == 0x04 && matches!(self.ascq, 0x07 | 0x08)
    }

    /// 6: something happened since the last command, which was not carried out.
    pub fn is_unit_attention(self) -> bool {
        self.key == SenseKey::UNIT_ATTENTION
    }

    /// 5/20, 5/24 and 5/26: the drive does not know the command, or not in this form.
    pub fn is_refusal(self) -> bool {
        self.key == SenseKey::ILLEGAL_REQUEST && matches!(self.asc, 0x20 | 0x24 | 0x26)
    }

    /// What the combination is called, for those a flasher meets.
    pub fn meaning(self) -> Option<&'static str> {
        Some(match (self.key.0, self.asc, self.ascq) {
            (0x1, 0x00, 0x1D) => "ATA registers returned",
            (0x2, 0x04, 0x00) => "cause not reportable",
            (0x2, 0x04, 0x01) => "becoming ready",
            (0x2, 0x04, 0x02) => "start command needed",
            (0x2, 0x04, 0x07) => "operation in progress",
            (0x2, 0x04, 0x08) => "long write in progress",
            (0x2, 0x30, _) => "incompatible medium",
            (0x2, 0x3A, 0x01) => "no medium, tray closed",
            (0x2, 0x3A, 0x02) => "no medium, tray open",
            (0x2, 0x3A, _) => "no medium",
            (0x2, 0x3E, _) => "not self-configured yet",
            (0x4, 0x44, _) => "internal target failure",
            (0x5, 0x1A, _) => "parameter list length error",
            (0x5, 0x20, _) => "unknown command",
            (0x5, 0x21, _) => "address out of range",
            (0x5, 0x24, _) => "invalid field in command",
            (0x5, 0x25, _) => "no such logical unit",
            (0x5, 0x26, _) => "invalid field in parameters",
            (0x5, 0x2C, _) => "command sequence error",
            (0x6, 0x28, _) => "medium may have changed",
            (0x6, 0x29, _) => "power on or reset",
            (0x6, 0x2A, _) => "parameters changed",
            (0x6, 0x3F, 0x01) => "firmware has changed",
            (0x6, 0x3F, _) => "operating conditions have changed",
            (0x7, 0x27, _) => "write protected",
            _ => return None,
        })
    }
}

/// `not ready: no medium (2/3A/00)`, for people.
impl fmt::Display for Sense {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.key)?;
        if let Some(meaning) = self.meaning() {
            write!(f, ": {meaning}")?;
        }
        if self.deferred {
            f.write_str(", of an earlier command")?;
        }
        write!(f, " ({:X}/{:02X}/{:02X})", self.key.0, self.asc, self.ascq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fixed(code: u8, key: u8, asc: u8, ascq: u8) -> Vec<u8> {
        vec![
            code, 0, key, 0, 0, 0, 0, 10, 0, 0, 0, 0, asc, ascq, 0, 0, 0, 0,
        ]
    }

    #[test]
    fn both_formats_tell_key_code_and_qualifier() {
        for (what, bytes, sense) in [
            (
                "fixed",
                fixed(0x70, 2, 0x3A, 0x01),
                Sense::new(SenseKey::NOT_READY, 0x3A, 0x01),
            ),
            (
                "fixed with the VALID bit, as measured",
                fixed(0xF0, 2, 0x3A, 0x00),
                Sense::new(SenseKey::NOT_READY, 0x3A, 0x00),
            ),
            (
                "flags above the key are no part of it",
                fixed(0x70, 0xE6, 0x29, 0x00),
                Sense::new(SenseKey::UNIT_ATTENTION, 0x29, 0x00),
            ),
            (
                "descriptor",
                vec![0x72, 0x05, 0x20, 0x00, 0, 0, 0, 0],
                Sense::new(SenseKey::ILLEGAL_REQUEST, 0x20, 0x00),
            ),
            (
                "fixed, cut before the code",
                vec![0x70, 0, 6],
                Sense::new(SenseKey::UNIT_ATTENTION, 0, 0),
            ),
            (
                "descriptor, cut before the code",
                vec![0x72, 6],
                Sense::new(SenseKey::UNIT_ATTENTION, 0, 0),
            ),
        ] {
            assert_eq!(Sense::parse(&bytes), Some(sense), "{what}");
        }
    }

    #[test]
    fn an_error_of_an_earlier_command_is_told_as_such() {
        for bytes in [fixed(0x71, 3, 0x0C, 0), vec![0x73, 3, 0x0C, 0, 0, 0, 0, 0]] {
            assert!(Sense::parse(&bytes).unwrap().deferred);
        }
        assert!(!Sense::parse(&fixed(0x70, 3, 0x0C, 0)).unwrap().deferred);
    }

    #[test]
    fn bytes_of_no_known_format_are_no_sense_data() {
        for bytes in [
            vec![],
            vec![0x70],
            vec![0x70, 0],
            vec![0x72],
            fixed(0x00, 2, 0x3A, 0),
            fixed(0x7F, 2, 0x3A, 0),
        ] {
            assert_eq!(Sense::parse(&bytes), None, "{bytes:02x?}");
        }
    }

    #[test]
    fn sense_reads_as_a_sentence_fragment_with_its_numbers() {
        for (sense, text) in [
            (
                Sense::new(SenseKey::NOT_READY, 0x3A, 0),
                "not ready: no medium (2/3A/00)",
            ),
            (
                Sense::new(SenseKey::NOT_READY, 0x04, 0x08),
                "not ready: long write in progress (2/04/08)",
            ),
            (
                Sense::new(SenseKey::ILLEGAL_REQUEST, 0x20, 0),
                "illegal request: unknown command (5/20/00)",
            ),
            (
                Sense::new(SenseKey::UNIT_ATTENTION, 0x3F, 0x01),
                "unit attention: firmware has changed (6/3F/01)",
            ),
            (Sense::new(SenseKey(0xE), 0x1D, 0), "sense key Eh (E/1D/00)"),
            (
                Sense {
                    deferred: true,
                    ..Sense::new(SenseKey::MEDIUM_ERROR, 0x0C, 0)
                },
                "medium error, of an earlier command (3/0C/00)",
            ),
        ] {
            assert_eq!(sense.to_string(), text);
        }
    }

    #[test]
    fn the_combinations_that_a_waiting_flasher_meets_are_told_apart() {
        let no_medium = Sense::new(SenseKey::NOT_READY, 0x3A, 0x02);
        let starting = Sense::new(SenseKey::NOT_READY, 0x04, 0x01);
        let writing = Sense::new(SenseKey::NOT_READY, 0x04, 0x08);
        let reset = Sense::new(SenseKey::UNIT_ATTENTION, 0x29, 0x00);
        let unknown = Sense::new(SenseKey::ILLEGAL_REQUEST, 0x20, 0x00);
        let questions = [
            Sense::is_no_medium,
            Sense::is_becoming_ready,
            Sense::is_in_progress,
            Sense::is_unit_attention,
            Sense::is_refusal,
        ];
        for (sense, answers) in [
            (no_medium, [true, false, false, false, false]),
            (starting, [false, true, false, false, false]),
            (writing, [false, false, true, false, false]),
            (reset, [false, false, false, true, false]),
            (unknown, [false, false, false, false, true]),
        ] {
            assert_eq!(
                questions.map(|question| question(sense)),
                answers,
                "{sense}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Some(sense) = Sense::parse(&bytes) {
                prop_assert!(sense.key.0 < 0x10);
                prop_assert!(!sense.to_string().is_empty());
            }
        }
    }
}
