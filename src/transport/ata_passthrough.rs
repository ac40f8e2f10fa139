//! ATA commands to a drive behind the kernel's SCSI stack, by ATA
//! PASS-THROUGH(16).
//!
//! The SATL (libata for native IDE and SATA ports, the bridge's own for USB)
//! issues the command, waits for its end and returns the registers as sense
//! data. Sources: SAT for the command block, Linux `drivers/ata/libata-scsi.c`
//! and `drivers/usb/storage/transport.c` for what the kernel makes of it, and
//! measurements on Linux 6.1 with emulated drives. Never tried on a real drive.
//!
//! - Through libata a status of vendor mode looks like a device fault, and each
//!   command runs the kernel's error handling: about 36 ms. Registers that hold
//!   the expected status are success all the same, whatever the sense key says.
//! - A drive that raises no interrupt in this mode makes every command wait for
//!   its time-out, after which libata resets and finally disables the device.
//!   Whether real drives do so is not known: keep the time-out short.
//! - usb-storage cuts the first sense data with registers to 18 bytes, which
//!   takes the status away. It stops doing so after an ATA PASS-THROUGH command
//!   without returned registers has succeeded. IDENTIFY PACKET DEVICE is one,
//!   so it is always the first command here.

use std::time::Duration;

use super::{
    Answer, Completion, Data, Expect, IdentifyError, Instead, PacketTransport, Registers, TaskFile,
    TaskFileError, TransportError, Verdict,
};
use crate::scsi::{
    IDENTIFY_LENGTH, PacketDevice, ReturnedRegisters, ReturnedRegistersError, Sense, cdb,
};

/// A drive's task file behind a packet transport.
#[derive(Debug)]
pub struct AtaPassthrough<T> {
    transport: T,
    timeout: Duration,
    primed: bool,
}

impl<T: PacketTransport> AtaPassthrough<T> {
    /// A task file whose commands each may take as long as `timeout`.
    pub fn new(transport: T, timeout: Duration) -> AtaPassthrough<T> {
        AtaPassthrough {
            transport,
            timeout,
            primed: false,
        }
    }

    /// Gives the packet transport back.
    pub fn into_inner(self) -> T {
        self.transport
    }

    fn send_identify(
        &mut self,
        return_registers: bool,
        data: &mut [u8],
    ) -> Result<Completion, TransportError> {
        self.transport.execute(
            &cdb::ata_identify_packet_device(return_registers),
            Data::In(data),
            self.timeout,
        )
    }
}

impl<T: PacketTransport> TaskFile for AtaPassthrough<T> {
    /// Makes sure as well that returned registers arrive whole: from the success
    /// of this command, which returns none, usb-storage learns that this device
    /// has longer sense data than 18 bytes. If the drive refuses it, as a dead
    /// one may, it is sent once more with returned registers: then theirs are
    /// the ones that arrive cut, and not those of a command that matters.
    fn identify(&mut self) -> Result<PacketDevice, IdentifyError> {
        self.primed = true;
        let mut data = [0; IDENTIFY_LENGTH];
        let completion = self.send_identify(false, &mut data)?;
        match completion.verdict() {
            // What did not come is not zero but left over from other commands.
            Verdict::Good if completion.residue != 0 => Err(IdentifyError::Empty),
            Verdict::Good => PacketDevice::parse(&data).ok_or(IdentifyError::Empty),
            Verdict::TimedOut => Err(IdentifyError::TimedOut(self.timeout)),
            Verdict::CheckCondition => {
                let _ = self.send_identify(true, &mut data);
                let sense = Sense::parse(&completion.sense);
                Err(IdentifyError::Refused(Instead::Sense(sense)))
            }
            verdict => Err(IdentifyError::Refused(Instead::Verdict(verdict))),
        }
    }

    /// Nothing: the SATL addresses the drive with each command.
    fn select(&mut self) -> Result<(), TaskFileError> {
        Ok(())
    }

    /// The registers are those at the end of the command as the SATL saw it;
    /// there is no way to read Status once more, so the `after` of
    /// [`Expect::Any`] does nothing here.
    fn execute(
        &mut self,
        registers: &Registers,
        expect: Expect,
        want_lba_low: bool,
    ) -> Result<Answer, TaskFileError> {
        if !self.primed {
            // Where the drive is gone, the command that follows says so.
            let _ = self.identify();
        }
        let completion =
            self.transport
                .execute(&cdb::ata_non_data(registers), Data::None, self.timeout)?;
        match completion.verdict() {
            Verdict::Good | Verdict::CheckCondition => {}
            Verdict::TimedOut => return Err(TaskFileError::TimedOut(self.timeout)),
            verdict => return Err(TaskFileError::NoRegisters(Instead::Verdict(verdict))),
        }
        let returned =
            ReturnedRegisters::from_sense(&completion.sense).map_err(without_registers)?;
        match expect {
            Expect::Status(expected) if returned.status != expected => Err(TaskFileError::Status {
                expected,
                found: returned.status,
            }),
            Expect::Status(_) | Expect::Any { .. } => Ok(Answer {
                status: returned.status,
                lba_low: if want_lba_low { returned.lba_low } else { 0 },
            }),
        }
    }
}

fn without_registers(error: ReturnedRegistersError) -> TaskFileError {
    match error {
        ReturnedRegistersError::OtherSense(sense) if sense.is_refusal() => {
            TaskFileError::NotPassedOn(sense)
        }
        error => TaskFileError::NoRegisters(Instead::Registers(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::words::InWords;
    use std::collections::VecDeque;

    const TIMEOUT: Duration = Duration::from_secs(2);
    const EXPECT_PARALLEL: Expect = Expect::Status(0x70);
    const ANY: Expect = Expect::Any {
        after: Duration::from_millis(2),
        patience: Duration::ZERO,
    };

    type Step = Result<(Completion, Vec<u8>), TransportError>;

    /// Answers each command with the next line of a script and keeps what was sent.
    #[derive(Default)]
    struct Script {
        steps: VecDeque<Step>,
        sent: Vec<Vec<u8>>,
    }

    impl PacketTransport for Script {
        fn execute(
            &mut self,
            cdb: &[u8],
            data: Data<'_>,
            timeout: Duration,
        ) -> Result<Completion, TransportError> {
            assert_eq!(timeout, TIMEOUT);
            self.sent.push(cdb.to_vec());
            let (completion, bytes) = self.steps.pop_front().expect("no further command")?;
            if let Data::In(buffer) = data {
                buffer[..bytes.len()].copy_from_slice(&bytes);
            } else {
                assert!(bytes.is_empty());
            }
            Ok(completion)
        }
    }

    fn script(steps: impl IntoIterator<Item = Step>) -> AtaPassthrough<Script> {
        AtaPassthrough::new(
            Script {
                steps: steps.into_iter().collect(),
                sent: Vec::new(),
            },
            TIMEOUT,
        )
    }

    /// A task file that has had its first command.
    fn primed(steps: impl IntoIterator<Item = Step>) -> AtaPassthrough<Script> {
        AtaPassthrough {
            primed: true,
            ..script(steps)
        }
    }

    fn good() -> Step {
        Ok((Completion::default(), Vec::new()))
    }

    fn check(sense: &[u8]) -> Step {
        let completion = Completion {
            status: 0x02,
            driver_status: 0x08,
            sense: sense.to_vec(),
            ..Completion::default()
        };
        Ok((completion, Vec::new()))
    }

    fn host(host_status: u16) -> Step {
        let completion = Completion {
            host_status,
            ..Completion::default()
        };
        Ok((completion, Vec::new()))
    }

    /// Libata before 6.11 on a device fault, LBA-low 5C.
    fn device_fault(status: u8) -> Vec<u8> {
        vec![
            0x70, 0, 4, 0, 0, 0, 0, 10, 0, status, 0xA0, 0, 0x44, 0, 0, 0, 0, 0x5C, 0, 0,
        ]
    }

    fn descriptor(status: u8) -> Vec<u8> {
        vec![
            0x72, 1, 0, 0x1D, 0, 0, 0, 14, //
            9, 12, 0, 0, 0, 0, 0, 0x5C, 0, 0, 0, 0, 0xA0, status,
        ]
    }

    fn unknown_command() -> Vec<u8> {
        vec![0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x20, 0, 0, 0, 0, 0]
    }

    fn read_byte() -> Registers {
        Registers {
            lba_mid: Some(0x34),
            lba_high: Some(0x12),
            device_bits: 0x5,
            command: 0x00,
            ..Registers::default()
        }
    }

    #[test]
    fn registers_with_the_mode_status_are_success_whatever_the_sense_key() {
        for (what, sense) in [
            ("key 4 of libata", device_fault(0x70)),
            ("key B of libata", {
                let mut sense = device_fault(0x70);
                sense[2] = 0x0B;
                sense
            }),
            ("key 1 of a bridge", descriptor(0x70)),
        ] {
            let answer = primed([check(&sense)])
                .execute(&read_byte(), EXPECT_PARALLEL, true)
                .unwrap();
            assert_eq!(
                answer,
                Answer {
                    status: 0x70,
                    lba_low: 0x5C
                },
                "{what}"
            );
        }
    }

    #[test]
    fn registers_are_found_in_sense_data_under_a_good_status_too() {
        let completion = Completion {
            sense: descriptor(0x70),
            ..Completion::default()
        };
        let answer =
            primed([Ok((completion, Vec::new()))]).execute(&read_byte(), EXPECT_PARALLEL, false);
        assert_eq!(answer.unwrap().status, 0x70);
    }

    #[test]
    fn lba_low_is_told_only_where_it_is_wanted() {
        let answer = primed([check(&descriptor(0x70))])
            .execute(&read_byte(), EXPECT_PARALLEL, false)
            .unwrap();
        assert_eq!(answer.lba_low, 0);
    }

    #[test]
    fn the_registers_go_into_the_command_block_and_the_command_is_sent_once() {
        let mut task_file = primed([check(&descriptor(0x70))]);
        task_file
            .execute(&read_byte(), EXPECT_PARALLEL, true)
            .unwrap();
        assert_eq!(
            task_file.into_inner().sent,
            [vec![
                0x85, 6, 0x20, 0, 0, 0, 0, 0, 0, 0, 0x34, 0, 0x12, 0xA5, 0x00, 0
            ]]
        );
    }

    #[test]
    fn another_status_is_an_error_that_carries_it() {
        let error = primed([check(&device_fault(0x51))])
            .execute(&read_byte(), EXPECT_PARALLEL, true)
            .unwrap_err();
        assert_eq!(error.in_words(), "the drive's status is 51h instead of 70h");
    }

    #[test]
    fn any_status_is_an_answer_where_any_is_expected() {
        let answer = primed([check(&device_fault(0x51))])
            .execute(&read_byte(), ANY, false)
            .unwrap();
        assert_eq!(answer.status, 0x51);
    }

    #[test]
    fn what_brings_no_registers_is_never_success() {
        let mut cut = descriptor(0x70);
        cut.truncate(18);
        for (what, step, message) in [
            (
                "good without sense data",
                good(),
                "the answer carries no usable registers: there is no sense data",
            ),
            (
                "cut sense data",
                check(&cut),
                "the answer carries no usable registers: the sense data end after 18 bytes, in \
                 the middle of the ATA registers; the command was sent and is not sent again",
            ),
            (
                "a bridge without ATA PASS-THROUGH",
                check(&unknown_command()),
                "the adapter or bridge does not pass ATA commands on: the answer is illegal \
                 request: unknown command (5/20/00) instead of ATA registers",
            ),
            (
                "host status 07",
                host(7),
                "the answer carries no usable registers: the command did not get through (host \
                 status 07h, driver status 00h)",
            ),
            (
                "time-out",
                host(3),
                "the drive did not answer within 2 s; the kernel has given the command up and \
                 reset the drive",
            ),
            (
                "the drive is gone",
                Err(TransportError::Vanished),
                "the drive vanished from the system",
            ),
        ] {
            for expect in [EXPECT_PARALLEL, ANY] {
                let step = match &step {
                    Ok((completion, data)) => Ok((completion.clone(), data.clone())),
                    Err(_) => Err(TransportError::Vanished),
                };
                let mut task_file = primed([step]);
                let error = task_file.execute(&read_byte(), expect, true).unwrap_err();
                assert_eq!(error.in_words(), message, "{what}");
                assert_eq!(task_file.into_inner().sent.len(), 1, "{what}");
            }
        }
    }

    #[test]
    fn registers_under_an_odd_host_status_are_not_believed() {
        let completion = Completion {
            status: 0x02,
            host_status: 0x07,
            driver_status: 0x08,
            sense: descriptor(0x70),
            ..Completion::default()
        };
        let outcome =
            primed([Ok((completion, Vec::new()))]).execute(&read_byte(), EXPECT_PARALLEL, true);
        assert!(matches!(outcome, Err(TaskFileError::NoRegisters(_))));
    }

    #[test]
    fn the_first_command_and_no_later_one_is_preceded_by_identify_without_registers() {
        let mut task_file = script([good(), check(&descriptor(0x70)), check(&descriptor(0x70))]);
        for _ in 0..2 {
            task_file
                .execute(&read_byte(), EXPECT_PARALLEL, true)
                .unwrap();
        }
        let sent = task_file.into_inner().sent;
        assert_eq!(sent.len(), 3);
        assert_eq!(sent[0], cdb::ata_identify_packet_device(false));
    }

    #[test]
    fn a_drive_that_refuses_identify_gets_the_command_all_the_same() {
        let mut cut = descriptor(0x51);
        cut.truncate(18);
        let mut task_file = script([
            check(&unknown_command()),
            check(&cut),
            check(&descriptor(0x70)),
        ]);
        let answer = task_file.execute(&read_byte(), EXPECT_PARALLEL, true);
        assert_eq!(answer.unwrap().status, 0x70);
        assert_eq!(
            task_file.into_inner().sent[1],
            cdb::ata_identify_packet_device(true)
        );
    }

    #[test]
    fn a_failing_preparation_is_no_error_and_is_not_repeated() {
        for step in [host(3), host(7), Err(TransportError::NotPermitted)] {
            let mut task_file = script([step, check(&descriptor(0x70))]);
            let answer = task_file.execute(&read_byte(), EXPECT_PARALLEL, true);
            assert_eq!(answer.unwrap().status, 0x70);
        }
    }

    #[test]
    fn identify_tells_the_model() {
        let mut data = vec![0; 512];
        data[..2].copy_from_slice(&[0xC0, 0x85]);
        data[54..58].copy_from_slice(b"OSYN");
        let mut task_file = script([Ok((Completion::default(), data))]);
        assert_eq!(task_file.identify().unwrap().model, "SONY");
    }

    #[test]
    fn what_a_short_answer_left_in_the_buffer_is_no_identity() {
        let completion = Completion {
            residue: 512,
            ..Completion::default()
        };
        let leftovers = b"SONY".repeat(128);
        assert!(matches!(
            script([Ok((completion, leftovers))]).identify(),
            Err(IdentifyError::Empty)
        ));
    }

    #[test]
    fn after_identify_no_second_one_precedes_the_first_command() {
        let mut task_file = script([good(), check(&descriptor(0x70))]);
        let _ = task_file.identify();
        task_file
            .execute(&read_byte(), EXPECT_PARALLEL, true)
            .unwrap();
        assert_eq!(task_file.into_inner().sent.len(), 2);
    }

    #[test]
    fn identify_without_an_identity_says_why() {
        for (step, message) in [
            (
                good(),
                "the answer to IDENTIFY PACKET DEVICE is empty or cut short",
            ),
            (
                check(&unknown_command()),
                "IDENTIFY PACKET DEVICE was refused: illegal request: unknown command (5/20/00)",
            ),
            (
                check(&[]),
                "IDENTIFY PACKET DEVICE was refused: without a reason",
            ),
            (
                host(3),
                "the drive did not answer IDENTIFY PACKET DEVICE within 2 s",
            ),
            (
                host(1),
                "IDENTIFY PACKET DEVICE was refused: the command did not get through (host \
                 status 01h, driver status 00h)",
            ),
            (
                Err(TransportError::NotPermitted),
                "the kernel does not permit this command",
            ),
        ] {
            let mut task_file = script([step, good()]);
            assert_eq!(task_file.identify().unwrap_err().in_words(), message);
        }
    }
}
