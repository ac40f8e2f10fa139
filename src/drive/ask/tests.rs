use super::*;
use crate::cli::words::InWords;
use crate::drive::tests::fake::sense;

/// Answers everything with one completion and one reply.
struct Drive(Completion, Vec<u8>);

impl PacketTransport for Drive {
    fn execute(
        &mut self,
        _cdb: &[u8],
        data: Data<'_>,
        _timeout: Duration,
    ) -> Result<Completion, TransportError> {
        if let Data::In(buffer) = data {
            for (to, from) in buffer.iter_mut().zip(&self.1) {
                *to = *from;
            }
        }
        Ok(self.0.clone())
    }
}

fn timed_out() -> Completion {
    Completion {
        host_status: 0x03,
        ..Completion::default()
    }
}

#[test]
fn the_answer_to_test_unit_ready_tells_of_the_medium() {
    for (completion, expected) in [
        (Completion::default(), Medium::Present),
        (sense(0x2, 0x3A, 0x00), Medium::Absent),
        (sense(0x2, 0x3A, 0x02), Medium::Absent),
        (sense(0x2, 0x04, 0x01), Medium::Starting),
        (sense(0x2, 0x04, 0x08), Medium::Starting),
        (sense(0x2, 0x30, 0x02), Medium::Present),
        (sense(0x3, 0x11, 0x05), Medium::Present),
        (
            sense(0x4, 0x44, 0x00),
            Medium::Unknown(sense(0x4, 0x44, 0x00)),
        ),
        (
            sense(0x6, 0x29, 0x00),
            Medium::Unknown(sense(0x6, 0x29, 0x00)),
        ),
        (timed_out(), Medium::Unknown(timed_out())),
    ] {
        let found = medium(&mut Drive(completion.clone(), Vec::new())).unwrap();
        assert_eq!(found, expected, "{completion:?}");
    }
}

#[test]
fn a_good_inquiry_that_brought_nothing_is_no_identity() {
    let mut drive = Drive(Completion::default(), Vec::new());
    assert!(matches!(identity(&mut drive), Err(AskError::Nonsense)));
}

#[test]
fn an_inquiry_that_failed_says_how() {
    for (completion, message) in [
        (timed_out(), "the drive did not answer INQUIRY within 10 s"),
        (
            sense(0x4, 0x44, 0x00),
            "INQUIRY failed: internal target failure (sense 4/44/00)",
        ),
        (
            Completion {
                host_status: 0x07,
                ..Completion::default()
            },
            "INQUIRY failed: host status 07h, driver status 00h",
        ),
    ] {
        // A time-out must not be overlooked because bytes are there.
        let mut drive = Drive(completion, vec![5, 0x80, 0, 0x32, 31]);
        assert_eq!(identity(&mut drive).unwrap_err().in_words(), message);
    }
}

#[test]
fn a_name_of_which_a_part_did_not_come_is_asked_for_again_and_is_none() {
    let mut whole = b"\x05\x80\x00\x02\x5b\0\0\0TSSTcorpDVD-RW SE-506CB TS01".to_vec();
    whole.resize(cdb::INQUIRY_LENGTH, b' ');
    let with = |residue: i32, came: usize| {
        let completion = Completion {
            residue,
            ..Completion::default()
        };
        identity(&mut Drive(completion, whole[..came].to_vec()))
    };
    let short = with(80, 16);
    assert!(
        matches!(short, Err(AskError::Short { bytes: 16 })),
        "{short:?}"
    );
    // More than the names need not come, and an adapter may say what is not true.
    for (residue, came) in [(40, 56), (60, 36), (96, 96), (-1, 96)] {
        let found = with(residue, came).unwrap();
        assert_eq!(found.product, "DVD-RW SE-506CB", "{residue}");
    }
}
