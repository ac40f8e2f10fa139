//! Commands that repeat, told once and counted.
//!
//! Commands are alike that ask for the same and end the same way, wherever in
//! the flash: reading two million bytes is three lines. A loop of several
//! commands is one of a few kinds that take turns, and each is counted for itself.

use std::time::Duration;

use super::words;
use crate::scsi::{ReturnedRegisters, Sense};
use crate::transport::watched::{Exchange, Time};
use crate::transport::{Completion, Data, Registers, TaskFileError, Verdict};

/// More kinds at once are no loop.
const KINDS: usize = 12;

/// The longest that a count is kept back, by the clock of the drive: whoever is
/// killed in the middle of a job loses no more than this.
const KEPT_BACK: Duration = Duration::from_secs(60);

/// What was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block {
    Packet { cdb: [u8; 16], length: u8 },
    Registers(Registers),
    Select,
    Identify,
}

/// Where data went, and how much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    None,
    In(usize),
    Out(usize),
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    Good,
    /// With ATA registers, or with the status that was wanted.
    Status(u8),
    Sense(Sense),
    /// In another way, in words.
    Other(String),
}

/// What two commands have in common that are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kind {
    command: [u8; 3],
    way: Way,
    end: End,
}

/// A command, as much of it as is kept.
#[derive(Debug, Clone)]
pub struct Sent {
    pub block: Block,
    pub way: Way,
    pub end: End,
}

impl Sent {
    pub fn of(exchange: &Exchange<'_>) -> Sent {
        let mut way = Way::None;
        let unanswered = |error: &TaskFileError| End::Other(words::unanswered(error));
        let (block, end) = match exchange {
            Exchange::Packet {
                cdb,
                data,
                timeout,
                ended,
            } => {
                let mut block = [0; 16];
                for (to, from) in block.iter_mut().zip(*cdb) {
                    *to = *from;
                }
                way = match data {
                    Data::None => Way::None,
                    Data::In(buffer) => Way::In(buffer.len()),
                    Data::Out(bytes) => Way::Out(bytes.len()),
                };
                let end = match ended {
                    Ok(completion) => of_completion(completion, cdb, *timeout),
                    Err(error) => End::Other(words::unsent(error)),
                };
                let length = cdb.len().min(16) as u8;
                (Block::Packet { cdb: block, length }, end)
            }
            Exchange::TaskFile {
                registers, ended, ..
            } => {
                let end = ended.map_or_else(unanswered, |answer| End::Status(answer.status));
                (Block::Registers(**registers), end)
            }
            Exchange::Select { ended } => {
                (Block::Select, ended.map_or_else(unanswered, |()| End::Good))
            }
            Exchange::Identify { ended: Ok(_) } => (Block::Identify, End::Good),
            Exchange::Identify { .. } => (Block::Identify, End::Other(words::NO_ANSWER.to_owned())),
        };
        Sent { block, way, end }
    }

    /// Whether nothing about its end needs an explanation.
    fn is_well(&self) -> bool {
        matches!(self.end, End::Good | End::Status(_))
    }

    fn kind(&self) -> Kind {
        /// ATA PASS-THROUGH(16), whose command is another.
        const ATA: u8 = 0x85;
        let command = match self.block {
            Block::Packet { cdb, .. } if cdb[0] == ATA => [ATA, cdb[1], cdb[14]],
            Block::Packet { cdb, .. } => [cdb[0], cdb[1], cdb[2]],
            Block::Registers(registers) => [1, 0, registers.command],
            Block::Select => [2, 0, 0],
            Block::Identify => [3, 0, 0],
        };
        Kind {
            command,
            way: self.way,
            end: self.end.clone(),
        }
    }
}

fn of_completion(completion: &Completion, cdb: &[u8], timeout: Duration) -> End {
    match completion.verdict() {
        Verdict::Good => End::Good,
        Verdict::CheckCondition => of_sense(&completion.sense, cdb),
        Verdict::Status(status) => End::Other(format!("SCSI status {status:02x}")),
        Verdict::TimedOut => End::Other(words::timed_out(timeout)),
        Verdict::Failed {
            host_status,
            driver_status,
        } => End::Other(format!(
            "failed, host status {host_status:02x}, driver status {driver_status:02x}"
        )),
    }
}

fn of_sense(sense: &[u8], cdb: &[u8]) -> End {
    let is_ata = cdb.first() == Some(&0x85);
    match (Sense::parse(sense), ReturnedRegisters::from_sense(sense)) {
        (_, Ok(registers)) if is_ata => End::Status(registers.status),
        (Some(sense), _) => End::Sense(sense),
        (None, _) => End::Other("CHECK CONDITION without sense data".to_owned()),
    }
}

/// Commands of one kind since the first, which was told.
#[derive(Debug)]
pub struct Repeated {
    kind: Kind,
    pub count: u64,
    pub last: Sent,
    pub at: Duration,
    pub total: Duration,
    pub longest: Duration,
}

impl Repeated {
    pub fn average(&self) -> Duration {
        let count = u32::try_from(self.count).unwrap_or(u32::MAX);
        self.total.checked_div(count).unwrap_or_default()
    }
}

/// The commands to one drive, as they are told.
#[derive(Debug, Default)]
pub struct Fold {
    kinds: Vec<Repeated>,
    since: Duration,
    pub now: Duration,
}

impl Fold {
    /// Tells `line` what there is to say about a command, with its time.
    pub fn saw(
        &mut self,
        exchange: &Exchange<'_>,
        time: Time,
        line: &mut dyn FnMut(Duration, &str),
    ) {
        let sent = Sent::of(exchange);
        let kind = sent.kind();
        self.now = time.begun.saturating_add(time.took);
        if let Some(known) = self.kinds.iter_mut().find(|known| known.kind == kind) {
            known.count += 1;
            known.last = sent;
            known.at = time.begun;
            known.total = known.total.saturating_add(time.took);
            known.longest = known.longest.max(time.took);
            if self.now.saturating_sub(self.since) >= KEPT_BACK {
                self.tell_counts(line);
            }
            return;
        }
        // What went before is told before what went wrong.
        if !sent.is_well() {
            self.tell_counts(line);
        }
        if self.kinds.len() >= KINDS {
            self.flush(line);
        }
        if self.kinds.is_empty() {
            self.since = time.begun;
        }
        line(time.begun, &words::exchange(exchange, &sent, time.took));
        self.kinds.push(Repeated {
            kind,
            count: 0,
            last: sent,
            at: time.begun,
            total: Duration::ZERO,
            longest: Duration::ZERO,
        });
    }

    /// Tells all that is kept back, and begins anew.
    pub fn flush(&mut self, line: &mut dyn FnMut(Duration, &str)) {
        self.tell_counts(line);
        self.kinds.clear();
    }

    /// In the order of each kind's last one.
    fn tell_counts(&mut self, line: &mut dyn FnMut(Duration, &str)) {
        self.since = self.now;
        self.kinds.sort_by_key(|known| known.at);
        for known in self.kinds.iter_mut().filter(|known| known.count > 0) {
            line(known.at, &words::repeated(known));
            known.count = 0;
            known.total = Duration::ZERO;
            known.longest = Duration::ZERO;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scsi::cdb::{self, Buffer};
    use crate::transport::{Answer, Completion};

    const MS: Duration = Duration::from_millis(1);

    /// A drive whose commands take a millisecond each.
    #[derive(Default)]
    struct Desk {
        fold: Fold,
        now: Duration,
        lines: Vec<String>,
    }

    impl Desk {
        fn saw(&mut self, exchange: &Exchange<'_>) {
            let time = Time {
                begun: self.now,
                took: MS,
            };
            self.now += MS;
            let lines = &mut self.lines;
            self.fold
                .saw(exchange, time, &mut |at, line| lines.push(shown(at, line)));
        }

        fn read(&mut self, offset: u32, completion: &Completion) {
            let cdb = cdb::read_buffer(Buffer {
                mode: 2,
                id: 0,
                offset,
                length: 0x4000,
            })
            .unwrap();
            self.saw(&Exchange::Packet {
                cdb: &cdb,
                data: &Data::In(&mut [0; 0x4000]),
                timeout: Duration::from_secs(5),
                ended: Ok(completion),
            });
        }

        fn byte(&mut self, command: u8, at: u32, status: u8) {
            let [low, high, ..] = at.to_le_bytes();
            let registers = Registers {
                lba_mid: Some(low),
                lba_high: Some(high),
                command,
                ..Registers::default()
            };
            self.saw(&Exchange::TaskFile {
                registers: &registers,
                ended: Ok(Answer {
                    status,
                    lba_low: 0x42,
                }),
            });
        }

        fn end(mut self) -> String {
            let lines = &mut self.lines;
            self.fold.flush(&mut |at, line| lines.push(shown(at, line)));
            self.lines.join("\n")
        }
    }

    fn shown(at: Duration, line: &str) -> String {
        format!("{:>9.3}  {line}", at.as_secs_f64())
    }

    fn refused() -> Completion {
        Completion {
            status: 2,
            driver_status: 8,
            sense: vec![0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x24, 0, 0, 0, 0, 0],
            ..Completion::default()
        }
    }

    #[test]
    fn a_flash_that_is_read_block_by_block_is_two_lines() {
        let mut desk = Desk::default();
        for block in 0..128 {
            desk.read(block * 0x4000, &Completion::default());
        }
        insta::assert_snapshot!(desk.end());
    }

    #[test]
    fn a_loop_over_two_million_bytes_is_counted_and_no_log_of_a_hundred_megabytes() {
        let mut desk = Desk::default();
        for at in 0..0x20_0000 {
            desk.byte(0x01, at, 0x70);
            desk.byte(0x00, at, 0x70);
        }
        let text = desk.end();
        assert!(text.len() < 40_000, "{}", text.len());
        assert!(!text.contains("lba-low"), "a byte of the firmware");
        // Nothing is lost of the count.
        let counted: u64 = text
            .lines()
            .filter_map(|line| line.split_once(" more like it")?.0.split(' ').next_back())
            .map(|count| count.parse::<u64>().unwrap())
            .sum();
        assert_eq!(counted + 2, 2 * 0x20_0000);
    }

    #[test]
    fn what_went_before_a_refusal_is_told_before_it_and_the_same_refusal_is_counted() {
        let mut desk = Desk::default();
        for block in 0..10 {
            desk.read(block * 0x4000, &Completion::default());
        }
        for block in 10..13 {
            desk.read(block * 0x4000, &refused());
        }
        desk.read(13 * 0x4000, &Completion::default());
        insta::assert_snapshot!(desk.end());
    }

    #[test]
    fn a_job_of_many_kinds_of_commands_keeps_few_of_them() {
        let mut desk = Desk::default();
        for command in 0..=u8::MAX {
            desk.byte(command, 0, 0x70);
            assert!(desk.fold.kinds.len() <= KINDS);
        }
        assert_eq!(desk.end().lines().count(), 256);
    }
}
