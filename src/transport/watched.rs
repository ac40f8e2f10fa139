//! Transports that tell a [`Watch`] of each command and how it ended. Nothing
//! is changed on the way, kept or repeated: what is seen here is what happened.

use std::sync::Arc;
use std::time::Duration;

use super::{
    Answer, Clock, Completion, Data, Expect, IdentifyError, PacketTransport, Registers, TaskFile,
    TaskFileError, TransportError,
};
use crate::scsi::PacketDevice;

/// Whoever looks on. It is told in the thread that sends the command, when the
/// command is over, and keeps the drive waiting for as long as it takes.
pub trait Watch: Send + Sync {
    fn saw(&self, exchange: &Exchange<'_>, time: Time);
}

/// When a command was sent and how long it took, by the clock of its drive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Time {
    pub begun: Duration,
    pub took: Duration,
}

/// A command and how it ended.
#[derive(Debug)]
pub enum Exchange<'a> {
    Packet {
        cdb: &'a [u8],
        /// After it: what the drive did not send is anything.
        data: &'a Data<'a>,
        timeout: Duration,
        ended: Result<&'a Completion, &'a TransportError>,
    },
    /// One ATA command by its registers.
    TaskFile {
        registers: &'a Registers,
        ended: Result<Answer, &'a TaskFileError>,
    },
    /// The Device register alone.
    Select {
        ended: Result<(), &'a TaskFileError>,
    },
    /// IDENTIFY PACKET DEVICE by the registers.
    Identify {
        ended: Result<&'a PacketDevice, &'a IdentifyError>,
    },
}

/// A transport that is looked at.
pub struct Watched<T> {
    inner: T,
    clock: Arc<dyn Clock>,
    watch: Arc<dyn Watch>,
}

impl<T> Watched<T> {
    /// `clock` is that of the drive.
    pub fn new(inner: T, clock: Arc<dyn Clock>, watch: Arc<dyn Watch>) -> Watched<T> {
        Watched {
            inner,
            clock,
            watch,
        }
    }

    fn since(&self, begun: Duration) -> Time {
        Time {
            begun,
            took: self.clock.now().saturating_sub(begun),
        }
    }
}

impl<T: PacketTransport> PacketTransport for Watched<T> {
    fn execute(
        &mut self,
        cdb: &[u8],
        mut data: Data<'_>,
        timeout: Duration,
    ) -> Result<Completion, TransportError> {
        let begun = self.clock.now();
        let again = match &mut data {
            Data::None => Data::None,
            Data::In(buffer) => Data::In(buffer),
            Data::Out(bytes) => Data::Out(bytes),
        };
        let ended = self.inner.execute(cdb, again, timeout);
        let exchange = Exchange::Packet {
            cdb,
            data: &data,
            timeout,
            ended: ended.as_ref(),
        };
        self.watch.saw(&exchange, self.since(begun));
        ended
    }
}

impl<T: TaskFile> TaskFile for Watched<T> {
    fn identify(&mut self) -> Result<PacketDevice, IdentifyError> {
        let begun = self.clock.now();
        let ended = self.inner.identify();
        let exchange = Exchange::Identify {
            ended: ended.as_ref(),
        };
        self.watch.saw(&exchange, self.since(begun));
        ended
    }

    fn select(&mut self) -> Result<(), TaskFileError> {
        let begun = self.clock.now();
        let ended = self.inner.select();
        let exchange = Exchange::Select {
            ended: ended.as_ref().map(|&()| ()),
        };
        self.watch.saw(&exchange, self.since(begun));
        ended
    }

    fn execute(
        &mut self,
        registers: &Registers,
        expect: Expect,
        want_lba_low: bool,
    ) -> Result<Answer, TaskFileError> {
        let begun = self.clock.now();
        let ended = self.inner.execute(registers, expect, want_lba_low);
        let exchange = Exchange::TaskFile {
            registers,
            ended: ended.as_ref().copied(),
        };
        self.watch.saw(&exchange, self.since(begun));
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scsi::cdb;
    use crate::sim::Bench;
    use crate::transport::PortTaskFile;
    use std::sync::Mutex;

    const SECOND: Duration = Duration::from_secs(1);

    #[derive(Default)]
    struct Seen(Mutex<Vec<(String, Time)>>);

    impl Watch for Seen {
        fn saw(&self, exchange: &Exchange<'_>, time: Time) {
            let text = match exchange {
                Exchange::Packet { cdb, ended, .. } => {
                    format!("{:02x} {:?}", cdb[0], ended.map(|ended| ended.verdict()))
                }
                Exchange::TaskFile {
                    registers, ended, ..
                } => format!("{:02x} {}", registers.command, ended.is_ok()),
                Exchange::Select { ended } => format!("select {}", ended.is_ok()),
                Exchange::Identify { ended } => format!("identify {}", ended.is_ok()),
            };
            self.0.lock().unwrap().push((text, time));
        }
    }

    fn bench() -> Bench {
        let text = "[[drive]]\nposition = 3\nvendor = \"SONY\"\nproduct = \"DVD RW DW-D22A\"\n\
                    revision = \"BYS1\"\nchip = \"SST39SF020\"\n\
                    latency = { packet_ns = 1000000 }\n";
        Bench::from_text(text).unwrap()
    }

    fn seen(seen: &Seen) -> Vec<String> {
        let seen = seen.0.lock().unwrap();
        seen.iter().map(|(text, _)| text.clone()).collect()
    }

    #[test]
    fn a_packet_command_arrives_as_sent_and_is_told_with_its_time() {
        let bench = bench();
        let drive = bench.drive(3).unwrap();
        let watch = Arc::new(Seen::default());
        let mut packets = Watched::new(drive.packets().unwrap(), drive.clock(), watch.clone());
        let mut answer = [0; cdb::INQUIRY_LENGTH];
        packets
            .execute(&cdb::inquiry(), Data::In(&mut answer), SECOND)
            .unwrap();
        assert_eq!(&answer[8..12], b"SONY");
        assert_eq!(seen(&watch), ["12 Ok(Good)"]);
        let time = watch.0.lock().unwrap()[0].1;
        assert_eq!(time.took, Duration::from_millis(1));
    }

    #[test]
    fn commands_by_registers_are_told_one_by_one() {
        let bench = bench();
        let drive = bench.drive(3).unwrap();
        let watch = Arc::new(Seen::default());
        let ports = PortTaskFile::new(
            drive.registers().unwrap(),
            drive.unit(),
            true,
            drive.clock(),
        );
        let mut ports = Watched::new(ports, drive.clock(), watch.clone());
        ports.identify().unwrap();
        ports.select().unwrap();
        let enter = Registers {
            lba_low: Some(0x2A),
            command: 0x80,
            ..Registers::default()
        };
        ports.execute(&enter, Expect::Status(0x70), false).unwrap();
        ports
            .execute(&enter, Expect::Status(0x00), false)
            .unwrap_err();
        assert_eq!(
            seen(&watch),
            ["identify true", "select true", "80 true", "80 false"]
        );
    }
}
