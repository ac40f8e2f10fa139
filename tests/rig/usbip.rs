//! A USB mass-storage device of our own in a running kernel: the kernel's
//! virtual host controller takes one end of a socket pair, and the device at
//! the other end answers USB/IP messages for a [`ScsiTarget`].
//!
//! Sources: Documentation/usb/usbip_protocol.rst of the kernel for the
//! messages, "Universal Serial Bus Mass Storage Class, Bulk-Only Transport"
//! revision 1.0 for what they carry.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use mtkflash::sim::target::{Event, Reply, ScsiTarget, TargetData};

use crate::signal_at::SignalAt;

const ATTACH: &str = "/sys/devices/platform/vhci_hcd.0/attach";

/// USB 2.0, 480 Mbit/s, as `enum usb_device_speed` of the kernel counts.
const HIGH_SPEED: u32 = 3;

/// How long a drive that restarts stays off the bus.
const RESTART: Duration = Duration::from_millis(300);

/// The kernel frees a port some time after the device has left it.
const PORT_PATIENCE: Duration = Duration::from_secs(5);

/// The most that one transfer can bring; usb-storage stops at 122 880.
const MAX_TRANSFER: usize = 16 << 20;

/// Serves `target` at a port (0 to 7) of the controller until the kernel lets
/// go of it or the drive leaves the bus. One line per command block goes to
/// `log`: the block in hex, direction and length, status, bytes answered.
pub fn serve(target: &mut dyn ScsiTarget, port: u32, log: &mut dyn Write) -> Result<()> {
    while let Departure::Restart = Connection::attached(target, port, log)?.run()? {
        sleep(RESTART);
    }
    Ok(())
}

/// Why a device left the bus.
enum Departure {
    Gone,
    Restart,
}

/// A message of the kernel, or the head of one of ours: twelve words of 32 bits.
struct Head([u8; 48]);

impl Head {
    const SUBMIT: u32 = 1;
    const UNLINK: u32 = 2;
    const SUBMITTED: u32 = 3;
    const UNLINKED: u32 = 4;

    fn word(&self, index: usize) -> u32 {
        let mut bytes = [0; 4];
        if let Some(word) = self.0.get(index * 4..index * 4 + 4) {
            bytes.copy_from_slice(word);
        }
        u32::from_be_bytes(bytes)
    }

    fn answer(command: u32, sequence: u32, status: i32, length: u32) -> Self {
        let mut head = [0; 48];
        head[0..4].copy_from_slice(&command.to_be_bytes());
        head[4..8].copy_from_slice(&sequence.to_be_bytes());
        head[20..24].copy_from_slice(&status.to_be_bytes());
        head[24..28].copy_from_slice(&length.to_be_bytes());
        Self(head)
    }

    fn setup(&self) -> Setup {
        let field = |at| u16::from_le_bytes([self.0[at], self.0[at + 1]]);
        Setup {
            request_type: self.0[40],
            request: self.0[41],
            value: field(42),
            length: field(46),
        }
    }
}

/// What a control transfer asks for.
struct Setup {
    request_type: u8,
    request: u8,
    value: u16,
    length: u16,
}

/// The head of a bulk-only command: who asks for what, and for how much.
#[derive(Clone, Copy)]
struct CommandWrapper {
    tag: [u8; 4],
    length: usize,
    to_host: bool,
    cdb: [u8; 16],
    cdb_length: usize,
}

impl CommandWrapper {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 31] = bytes.try_into().ok()?;
        if !bytes.starts_with(b"USBC") {
            return None;
        }
        let length = u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]);
        let mut cdb = [0; 16];
        cdb.copy_from_slice(&bytes[15..]);
        Some(Self {
            tag: [bytes[4], bytes[5], bytes[6], bytes[7]],
            length: usize::try_from(length)
                .ok()
                .filter(|n| *n <= MAX_TRANSFER)?,
            to_host: bytes[12] & 0x80 != 0,
            cdb,
            cdb_length: usize::from(bytes[14]).clamp(1, 16),
        })
    }

    fn status(&self, failed: bool, residue: usize) -> [u8; 13] {
        let mut status = [0; 13];
        status[..4].copy_from_slice(b"USBS");
        status[4..8].copy_from_slice(&self.tag);
        let residue = u32::try_from(residue).unwrap_or(u32::MAX);
        status[8..12].copy_from_slice(&residue.to_le_bytes());
        status[12] = u8::from(failed);
        status
    }
}

/// What the device expects of the host next.
enum Phase {
    Command,
    /// The host is sending the data of a command.
    DataOut(CommandWrapper, Vec<u8>),
    /// The host fetches what is left of the answer.
    DataIn(Vec<u8>, [u8; 13]),
    Status([u8; 13]),
    /// The command is never answered; only a reset helps.
    Hung,
}

struct Connection<'a> {
    target: &'a mut dyn ScsiTarget,
    log: &'a mut dyn Write,
    socket: UnixStream,
    phase: Phase,
    /// Transfers that wait for an answer that does not come.
    pending: HashSet<u32>,
    /// Bulk-only transport has no autosense: kept for the REQUEST SENSE that follows.
    sense: Option<Vec<u8>>,
    /// The drive leaves once the host has its status.
    restarts: bool,
    departure: Option<Departure>,
    signal: SignalAt,
}

impl<'a> Connection<'a> {
    fn attached(target: &'a mut dyn ScsiTarget, port: u32, log: &'a mut dyn Write) -> Result<Self> {
        let (socket, kernel) = UnixStream::pair()?;
        let device = 0x1_0002 + port;
        let line = format!("{port} {} {device} {HIGH_SPEED}", kernel.as_raw_fd());
        let pause = Duration::from_millis(50);
        let mut waited = Duration::ZERO;
        while let Err(error) = fs::write(ATTACH, &line) {
            if waited >= PORT_PATIENCE {
                return Err(error).with_context(|| format!("cannot attach to port {port}"));
            }
            sleep(pause);
            waited += pause;
        }
        Ok(Self {
            target,
            log,
            socket,
            phase: Phase::Command,
            pending: HashSet::new(),
            sense: None,
            restarts: false,
            departure: None,
            signal: SignalAt::new(port),
        })
    }

    fn run(mut self) -> Result<Departure> {
        loop {
            let mut head = Head([0; 48]);
            match self.socket.read_exact(&mut head.0) {
                Ok(()) => {}
                Err(error) if kernel_let_go(&error) => return Ok(Departure::Gone),
                Err(error) => return Err(error.into()),
            }
            match head.word(0) {
                Head::SUBMIT => self.submit(&head)?,
                Head::UNLINK => self.unlink(&head)?,
                other => bail!("USB/IP message {other} is not of this protocol"),
            }
            if let Some(departure) = self.departure.take() {
                return Ok(departure);
            }
        }
    }

    /// The kernel gives up on a transfer, after a time-out for example.
    fn unlink(&mut self, head: &Head) -> Result<()> {
        const CONNECTION_RESET: i32 = -104;
        let status = if self.pending.remove(&head.word(5)) {
            self.phase = Phase::Command;
            CONNECTION_RESET
        } else {
            0
        };
        let answer = Head::answer(Head::UNLINKED, head.word(1), status, 0);
        Ok(self.socket.write_all(&answer.0)?)
    }

    fn submit(&mut self, head: &Head) -> Result<()> {
        let sequence = head.word(1);
        let to_host = head.word(3) == 1;
        let endpoint = head.word(4);
        let length = usize::try_from(head.word(6))?;
        if length > MAX_TRANSFER {
            bail!("a transfer of {length} bytes is more than this device takes");
        }
        let mut sent = vec![0; if to_host { 0 } else { length }];
        self.socket.read_exact(&mut sent)?;
        match (endpoint, to_host) {
            (0, _) => self.control(sequence, &head.setup()),
            (_, false) => self.bulk_out(sequence, &sent),
            (_, true) => self.bulk_in(sequence, length),
        }
    }

    fn took(&mut self, sequence: u32, length: usize) -> Result<()> {
        let answer = Head::answer(Head::SUBMITTED, sequence, 0, u32::try_from(length)?);
        Ok(self.socket.write_all(&answer.0)?)
    }

    fn gives(&mut self, sequence: u32, bytes: &[u8]) -> Result<()> {
        let length = u32::try_from(bytes.len())?;
        let head = Head::answer(Head::SUBMITTED, sequence, 0, length);
        // In one piece: the kernel's receiver wakes up once.
        Ok(self.socket.write_all(&[&head.0, bytes].concat())?)
    }

    fn stalls(&mut self, sequence: u32) -> Result<()> {
        const BROKEN_PIPE: i32 = -32;
        let answer = Head::answer(Head::SUBMITTED, sequence, BROKEN_PIPE, 0);
        Ok(self.socket.write_all(&answer.0)?)
    }

    fn control(&mut self, sequence: u32, setup: &Setup) -> Result<()> {
        const GET_DESCRIPTOR: (u8, u8) = (0x80, 6);
        const GET_MAX_LUN: (u8, u8) = (0xA1, 0xFE);
        const RESET: (u8, u8) = (0x21, 0xFF);
        let answer = match (setup.request_type, setup.request) {
            GET_DESCRIPTOR => match descriptor(setup.value) {
                Some(bytes) => bytes,
                None => return self.stalls(sequence),
            },
            GET_MAX_LUN => vec![0],
            RESET => {
                self.phase = Phase::Command;
                vec![]
            }
            (kind, _) if kind & 0x80 != 0 => vec![0, 0],
            _ => vec![],
        };
        let length = answer.len().min(usize::from(setup.length));
        self.gives(sequence, answer.get(..length).unwrap_or_default())
    }

    fn bulk_out(&mut self, sequence: u32, sent: &[u8]) -> Result<()> {
        match std::mem::replace(&mut self.phase, Phase::Command) {
            Phase::DataOut(wrapper, mut data) => {
                data.extend_from_slice(sent);
                if data.len() < wrapper.length {
                    self.phase = Phase::DataOut(wrapper, data);
                } else {
                    self.execute(wrapper, &data)?;
                }
            }
            _ => {
                let Some(wrapper) = CommandWrapper::parse(sent) else {
                    return self.stalls(sequence);
                };
                if wrapper.length > 0 && !wrapper.to_host {
                    self.phase = Phase::DataOut(wrapper, Vec::with_capacity(wrapper.length));
                } else {
                    self.execute(wrapper, &[])?;
                }
            }
        }
        self.took(sequence, sent.len())
    }

    fn bulk_in(&mut self, sequence: u32, length: usize) -> Result<()> {
        match std::mem::replace(&mut self.phase, Phase::Command) {
            Phase::DataIn(mut data, status) => {
                let rest = data.split_off(length.min(data.len()));
                // A packet short of what was asked for ends the data.
                self.phase = if rest.is_empty() {
                    Phase::Status(status)
                } else {
                    Phase::DataIn(rest, status)
                };
                self.gives(sequence, &data)
            }
            Phase::Status(status) => {
                self.gives(sequence, &status)?;
                if self.restarts {
                    self.departure = Some(Departure::Restart);
                }
                Ok(())
            }
            unanswered => {
                self.phase = unanswered;
                self.pending.insert(sequence);
                Ok(())
            }
        }
    }

    fn execute(&mut self, wrapper: CommandWrapper, sent: &[u8]) -> Result<()> {
        let cdb = wrapper.cdb.get(..wrapper.cdb_length).unwrap_or_default();
        self.signal.command()?;
        let reply = self.answer(cdb, &wrapper, sent);
        self.note(cdb, &wrapper, &reply)?;
        self.phase = match reply.event {
            Event::Vanish => {
                self.departure = Some(Departure::Gone);
                return Ok(());
            }
            Event::Hang => Phase::Hung,
            Event::Nothing | Event::Reenumerate => {
                self.restarts = reply.event == Event::Reenumerate;
                let failed = reply.status != 0;
                if wrapper.to_host && wrapper.length > 0 {
                    let residue = wrapper.length - reply.data_in.len();
                    let status = wrapper.status(failed, residue);
                    Phase::DataIn(reply.data_in, status)
                } else {
                    Phase::Status(wrapper.status(failed, reply.residue))
                }
            }
        };
        Ok(())
    }

    fn answer(&mut self, cdb: &[u8], wrapper: &CommandWrapper, sent: &[u8]) -> Reply {
        const REQUEST_SENSE: u8 = 0x03;
        let asks_for_sense = cdb.first() == Some(&REQUEST_SENSE);
        let mut reply = match self.sense.take() {
            Some(sense) if asks_for_sense => Reply {
                data_in: sense,
                ..Reply::default()
            },
            _ => {
                let data = match (wrapper.length, wrapper.to_host) {
                    (0, _) => TargetData::None,
                    (length, true) => TargetData::In(length),
                    (_, false) => TargetData::Out(sent),
                };
                self.target.execute(cdb, data)
            }
        };
        let mut room = wrapper.length;
        if asks_for_sense {
            // The allocation length of the command block, not only the transfer's.
            room = room.min(cdb.get(4).copied().map_or(0, usize::from));
        }
        reply.data_in.truncate(room);
        if reply.status != 0 {
            self.sense = Some(reply.sense.clone());
        }
        reply
    }

    fn note(&mut self, cdb: &[u8], wrapper: &CommandWrapper, reply: &Reply) -> Result<()> {
        let cdb: String = cdb.iter().map(|byte| format!("{byte:02x}")).collect();
        let direction = match (wrapper.length, wrapper.to_host) {
            (0, _) => "none",
            (_, true) => "in",
            (_, false) => "out",
        };
        let event = match reply.event {
            Event::Nothing => String::new(),
            event => format!(" {event:?}"),
        };
        let line = format!(
            "{cdb} {direction} {}{event} status {:02x} answered {}\n",
            wrapper.length,
            reply.status,
            reply.data_in.len()
        );
        // At once and in one piece: scripts count the lines while the drive is there.
        Ok(self.log.write_all(line.as_bytes())?)
    }
}

fn kernel_let_go(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset
    )
}

/// Descriptors of a device with one bulk-only interface. Its subclass is 6,
/// SCSI: with 2, the one of optical drives, the kernel pads every command
/// block to 12 bytes and its true length is lost.
fn descriptor(value: u16) -> Option<Vec<u8>> {
    const STRINGS: [&str; 3] = ["mtkflash", "simulated drive", "0123456789AB"];
    const DEVICE: [u8; 18] = [
        18, 1, 0, 2, 0, 0, 0, 64, 0x09, 0x12, 0x01, 0x00, 0, 1, 1, 2, 3, 1,
    ];
    const CONFIGURATION: [u8; 32] = [
        9, 2, 32, 0, 1, 1, 0, 0x80, 50, // one interface, powered by the bus
        9, 4, 0, 0, 2, 8, 6, 0x50, 0, // mass storage, SCSI, bulk-only
        7, 5, 0x81, 2, 0, 2, 0, // bulk in, 512 bytes
        7, 5, 0x02, 2, 0, 2, 0, // bulk out, 512 bytes
    ];
    let [index, kind] = value.to_le_bytes();
    match (kind, index) {
        (1, _) => Some(DEVICE.to_vec()),
        (2, _) => Some(CONFIGURATION.to_vec()),
        (3, 0) => Some(vec![4, 3, 9, 4]),
        (3, index) => {
            let text = STRINGS.get(usize::from(index) - 1)?;
            let mut bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            bytes.splice(0..0, [u8::try_from(bytes.len() + 2).ok()?, 3]);
            Some(bytes)
        }
        _ => None,
    }
}
