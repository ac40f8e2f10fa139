use super::*;
use crate::scsi::SenseKey;
use proptest::prelude::*;

const MODE_STATUS: ReturnedRegisters = ReturnedRegisters {
    error: 0x00,
    status: 0x70,
    device: 0xA0,
    count: 0x00,
    lba_low: 0x5C,
};

fn descriptor(key: u8) -> Vec<u8> {
    vec![
        0x72, key, 0x00, 0x1D, 0, 0, 0, 14, //
        0x09, 0x0C, 0, 0x00, 0, 0x00, 0, 0x5C, 0, 0x34, 0, 0x12, 0xA0, 0x70,
    ]
}

fn standard(code: u8, key: u8, asc: u8, ascq: u8) -> Vec<u8> {
    vec![
        code, 0, key, 0x00, 0x70, 0xA0, 0x00, 10, //
        0x00, 0x5C, 0x34, 0x12, asc, ascq, 0, 0, 0, 0,
    ]
}

fn old_libata(key: u8, asc: u8, ascq: u8) -> Vec<u8> {
    vec![
        0x70, 0, key, 0, 0, 0, 0, 10, //
        0x00, 0x70, 0xA0, 0x00, asc, ascq, 0, 0, 0, 0x5C, 0x34, 0x12,
    ]
}

#[test]
fn the_mode_status_is_found_in_every_layout_and_under_every_key() {
    for (what, sense) in [
        ("descriptor, after success", descriptor(1)),
        ("descriptor, after an error", descriptor(4)),
        ("descriptor, behind another one", {
            let mut sense = descriptor(1);
            let tail = sense.split_off(8);
            sense.extend([0x00, 0x0A, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            sense.extend(tail);
            sense
        }),
        ("standard, device fault", standard(0xF0, 4, 0x44, 0)),
        ("standard, aborted", standard(0xF0, 0xB, 0, 0)),
        (
            "standard, the drive's own sense kept",
            standard(0xF0, 2, 0x3A, 0),
        ),
        ("standard, from a bridge", standard(0x70, 1, 0x00, 0x1D)),
        (
            "standard, from a bridge that omits VALID and 00/1D",
            standard(0x70, 0xB, 0, 0),
        ),
        ("old libata, device fault", old_libata(4, 0x44, 0)),
        ("old libata, aborted", old_libata(0xB, 0, 0)),
        ("old libata, unaligned write", old_libata(5, 0x21, 4)),
    ] {
        assert_eq!(
            ReturnedRegisters::from_sense(&sense),
            Ok(MODE_STATUS),
            "{what}"
        );
    }
}

#[test]
fn the_refusal_measured_on_linux_6_1_is_read() {
    let sense = [
        0x70, 0x00, 0x0b, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x04, 0x41, 0xa0, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x2a,
    ];
    assert_eq!(
        ReturnedRegisters::from_sense(&sense),
        Ok(ReturnedRegisters {
            error: 0x04,
            status: 0x41,
            device: 0xA0,
            count: 0x00,
            lba_low: 0x2A,
        })
    );
}

#[test]
fn a_descriptor_cut_to_18_bytes_is_no_answer() {
    let mut sense = descriptor(1);
    sense[7] = 10;
    for length in 4..22 {
        assert_eq!(
            ReturnedRegisters::from_sense(&sense[..length]),
            Err(ReturnedRegistersError::Truncated { length })
        );
    }
}

#[test]
fn fixed_sense_that_ends_before_the_registers_is_no_answer() {
    assert_eq!(
        ReturnedRegisters::from_sense(&old_libata(4, 0x44, 0)[..17]),
        Err(ReturnedRegistersError::Truncated { length: 17 })
    );
    assert_eq!(
        ReturnedRegisters::from_sense(&standard(0xF0, 4, 0x44, 0)[..9]),
        Err(ReturnedRegistersError::Truncated { length: 9 })
    );
}

#[test]
fn sense_about_something_else_is_not_taken_for_registers() {
    let plain = |code, key, asc| vec![code, 0, key, 0, 0, 0, 0, 10, 0, 0, 0, 0, asc, 0, 0, 0, 0, 0];
    for (what, sense, key, asc) in [
        ("unknown command", plain(0x70, 5, 0x20), 5, 0x20),
        ("unknown command, VALID set", plain(0xF0, 5, 0x20), 5, 0x20),
        ("power on", plain(0x70, 6, 0x29), 6, 0x29),
        ("no medium, VALID set", plain(0xF0, 2, 0x3A), 2, 0x3A),
        (
            "descriptor format without descriptor 09",
            vec![0x72, 5, 0x24, 0, 0, 0, 0, 8, 0x02, 6, 0, 0, 0, 0, 0, 0],
            5,
            0x24,
        ),
    ] {
        assert_eq!(
            ReturnedRegisters::from_sense(&sense),
            Err(ReturnedRegistersError::OtherSense(Sense::new(
                SenseKey(key),
                asc,
                0
            ))),
            "{what}"
        );
    }
}

#[test]
fn an_error_of_an_earlier_command_is_not_this_one_s_answer() {
    let mut sense = old_libata(4, 0x44, 0);
    sense[0] = 0x71;
    assert!(matches!(
        ReturnedRegisters::from_sense(&sense),
        Err(ReturnedRegistersError::OtherSense(_))
    ));
}

#[test]
fn no_sense_data_is_no_answer() {
    for sense in [&[][..], &[0; 18]] {
        assert_eq!(
            ReturnedRegisters::from_sense(sense),
            Err(ReturnedRegistersError::NoSense)
        );
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = ReturnedRegisters::from_sense(&bytes);
    }

    #[test]
    fn no_descriptor_makes_it_panic(
        tail in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut bytes = vec![0x72, 1, 0, 0x1D, 0, 0, 0, 14];
        bytes.extend(tail);
        let _ = ReturnedRegisters::from_sense(&bytes);
    }

    #[test]
    fn what_libata_writes_is_read_back_from_either_fixed_layout(
        error: u8, status: u8, device in 1u8.., count: u8, lba_low: u8,
    ) {
        let registers = ReturnedRegisters { error, status, device, count, lba_low };
        let mut old = old_libata(4, 0x44, 0);
        old[8..12].copy_from_slice(&[error, status, device, count]);
        old[17] = lba_low;
        prop_assert_eq!(ReturnedRegisters::from_sense(&old), Ok(registers));
        let mut new = standard(0xF0, 4, 0x44, 0);
        new[3..7].copy_from_slice(&[error, status, device, count]);
        new[9] = lba_low;
        prop_assert_eq!(ReturnedRegisters::from_sense(&new), Ok(registers));
    }
}
