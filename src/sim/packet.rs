//! The packet side of a simulated drive: INQUIRY and the like, and a bridge
//! that passes ATA commands on to the registers (SAT, ATA PASS-THROUGH(16)).

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::channel::{SharedChannel, lock};
use super::drive::{Drive, IDENTIFY_PACKET_DEVICE, Interference};
use super::fields::padded;
use super::reply::{CHECK_CONDITION, byte, check_condition, good, undocumented};
use super::state::Hold;
use super::target::{Event, Reply, ScsiTarget, TargetData};
use crate::transport::{Completion, Data, PacketTransport, TransportError, Unit};

const TEST_UNIT_READY: u8 = 0x00;
const REQUEST_SENSE: u8 = 0x03;
const INQUIRY: u8 = 0x12;
const ATA_PASS_THROUGH_16: u8 = 0x85;

/// In which form returned ATA registers come back in sense data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegisterLayout {
    /// Descriptor format with an ATA status return descriptor (09), as SAT has
    /// it and USB bridges answer it.
    #[default]
    Descriptor,
    /// Fixed format of Linux 6.11 and later.
    Fixed,
    /// Fixed format of earlier kernels, with the registers in bytes 8 to 17.
    FixedOld,
    /// The bridge does not know ATA PASS-THROUGH.
    None,
}

/// How a bridge passes ATA commands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Bridge {
    pub layout: RegisterLayout,
    /// The kernel asks for 18 sense bytes until it knows better (usb-storage).
    pub truncates: bool,
}

impl Drive {
    /// Carries out one packet, with all that may go wrong.
    fn packet(
        &mut self,
        cdb: &[u8],
        data: &TargetData<'_>,
        bridge: Bridge,
    ) -> (Reply, Interference) {
        let opcode = byte(cdb, 0);
        self.core.counters.packets.count(opcode);
        self.core.clock.advance(self.core.latency.packet_ns);
        self.model.settle(&mut self.core);
        let (mut reply, interference) = if opcode == ATA_PASS_THROUGH_16
            && bridge.layout != RegisterLayout::None
            && cdb.len() == 16
        {
            self.pass_through(cdb, data, bridge.layout)
        } else {
            let interference = self.begin();
            let reply = match interference.sense {
                Some((key, asc, ascq)) => check_condition(key, asc, ascq),
                None if interference.skip => Reply::default(),
                None => self.own_packet(cdb, data),
            };
            self.conclude(&interference);
            (reply, interference)
        };
        if self.core.changed {
            self.save();
        }
        if interference.short > 0 {
            let kept = reply.data_in.len().saturating_sub(interference.short);
            reply.data_in.truncate(kept);
            reply.residue = interference.short.min(data.sent().len());
        }
        if interference.time_out || !self.wait() {
            reply = Reply::none_but(Event::Hang);
        }
        self.sense.clone_from(&reply.sense);
        self.depart_if_due();
        (reply, interference)
    }

    fn own_packet(&mut self, cdb: &[u8], data: &TargetData<'_>) -> Reply {
        let room = data.room();
        let opcode = byte(cdb, 0);
        if opcode == REQUEST_SENSE {
            let mut sense = std::mem::take(&mut self.sense);
            if sense.is_empty() {
                sense = check_condition(0, 0, 0).sense;
            }
            return good(sense, room.min(usize::from(byte(cdb, 4))));
        }
        if !self.model.answers_packets() {
            // The firmware that would answer does not run; DF is set in Status.
            return check_condition(0x04, 0x44, 0x00);
        }
        if let Some((key, asc, ascq)) = self.model.gate(&mut self.core, opcode) {
            let mut refused = check_condition(key, asc, ascq);
            if let Some(second) = refused.sense.get_mut(4) {
                *second = std::mem::take(&mut self.core.progress);
            }
            return refused;
        }
        match opcode {
            INQUIRY if self.inquiry_fails => check_condition(0x04, 0x3E, 0x00),
            INQUIRY => self.inquiry(cdb, room),
            TEST_UNIT_READY => check_condition(0x02, 0x3A, 0x00),
            _ => self
                .model
                .packet(&mut self.core, cdb, data)
                .unwrap_or_else(|| undocumented(&mut self.core, cdb)),
        }
    }

    fn inquiry(&self, cdb: &[u8], room: usize) -> Reply {
        let room = room.min(usize::from(u16::from_be_bytes([
            byte(cdb, 3),
            byte(cdb, 4),
        ])));
        let identity = &self.core.identity;
        let vital = byte(cdb, 1) & 1 != 0;
        let serial = identity.serial.as_deref();
        match (vital, byte(cdb, 2), serial) {
            (false, 0, _) => {
                let mut data = vec![0x05, 0x80, 0x00, 0x32, 31, 0, 0, 0];
                data.extend(padded::<8>(&identity.vendor));
                data.extend(padded::<16>(&identity.product));
                data.extend(padded::<4>(&identity.revision));
                if !self.core.vendor_specific.is_empty() {
                    data[4] = 31 + 8;
                    data.extend(padded::<8>(&self.core.vendor_specific));
                }
                good(data, room)
            }
            (true, 0x00, None) => good(vec![0x05, 0x00, 0, 1, 0x00], room),
            (true, 0x00, Some(_)) => good(vec![0x05, 0x00, 0, 2, 0x00, 0x80], room),
            (true, 0x80, Some(serial)) => {
                let length = serial.len().min(255);
                let mut data = vec![0x05, 0x80, 0, u8::try_from(length).unwrap_or(u8::MAX)];
                data.extend(serial.bytes().take(length));
                good(data, room)
            }
            _ => check_condition(0x05, 0x24, 0x00),
        }
    }

    /// ATA PASS-THROUGH(16): registers in, registers out.
    fn pass_through(
        &mut self,
        cdb: &[u8],
        data: &TargetData<'_>,
        layout: RegisterLayout,
    ) -> (Reply, Interference) {
        const NON_DATA: u8 = 3;
        const PIO_IN: u8 = 4;
        const RETURN_REGISTERS: u8 = 0x20;
        let protocol = byte(cdb, 1) >> 1 & 0x0F;
        let command = byte(cdb, 14);
        if !matches!(protocol, NON_DATA | PIO_IN) {
            let interference = self.begin();
            self.conclude(&interference);
            return (check_condition(0x05, 0x24, 0x00), interference);
        }
        let registers = &mut self.core.registers;
        registers.features = byte(cdb, 4);
        registers.count = byte(cdb, 6);
        registers.lba_low = byte(cdb, 8);
        registers.lba_mid = byte(cdb, 10);
        registers.lba_high = byte(cdb, 12);
        // Master or slave is the bridge's business, not the host's.
        registers.device = registers.device & 0x10 | byte(cdb, 13) & 0xEF;
        let interference = self.issue(command);
        let answer = match protocol {
            PIO_IN => self.identified(command, &interference),
            _ => Vec::new(),
        };
        const ERROR_OR_FAULT: u8 = 0x21;
        self.wait();
        let failed = self.status() & ERROR_OR_FAULT != 0;
        let mut reply = good(answer, data.room());
        if failed || byte(cdb, 2) & RETURN_REGISTERS != 0 {
            reply.status = CHECK_CONDITION;
            reply.sense = self.returned_registers(layout);
        }
        (reply, interference)
    }

    fn returned_registers(&self, layout: RegisterLayout) -> Vec<u8> {
        const ERROR: u8 = 0x01;
        const DEVICE_FAULT: u8 = 0x20;
        let registers = &self.core.registers;
        let status = self.status();
        let (key, asc, ascq) = if status & ERROR != 0 {
            (0x0B, 0x00, 0x00)
        } else if status & DEVICE_FAULT != 0 && layout != RegisterLayout::Descriptor {
            (0x04, 0x44, 0x00)
        } else {
            (0x01, 0x00, 0x1D)
        };
        let (error, count) = (registers.error, registers.count);
        let (low, mid, high) = (registers.lba_low, registers.lba_mid, registers.lba_high);
        let device = registers.device;
        match layout {
            RegisterLayout::Descriptor | RegisterLayout::None => vec![
                0x72, key, asc, ascq, 0, 0, 0, 14, 0x09, 0x0C, 0, error, 0, count, 0, low, 0, mid,
                0, high, device, status,
            ],
            // The standard form says 00/1D whatever the key.
            RegisterLayout::Fixed => vec![
                0x70, 0, key, error, status, device, count, 10, 0, low, mid, high, 0x00, 0x1D, 0,
                0, 0, 0,
            ],
            RegisterLayout::FixedOld => vec![
                0x70, 0, key, 0, 0, 0, 0, 10, error, status, device, count, asc, ascq, 0, 0, 0, low,
            ],
        }
    }

    /// Issues a command whose registers the legacy ports have set. What it
    /// sends waits in the data register.
    pub fn issue_by_ports(&mut self, command: u8) -> Interference {
        if !self.data.is_empty() {
            self.core
                .violation(format!("command {command:02x} before all data were read"));
            self.data.clear();
        }
        let interference = self.issue(command);
        let words = self.identified(command, &interference);
        self.data = words
            .chunks_exact(2)
            .filter_map(|word| Some(u16::from_le_bytes(word.try_into().ok()?)))
            .collect();
        interference
    }

    /// What a command sends, if it was IDENTIFY PACKET DEVICE and the drive
    /// answers that.
    fn identified(&mut self, command: u8, interference: &Interference) -> Vec<u8> {
        if command != IDENTIFY_PACKET_DEVICE || !self.model.answers_packets() || interference.skip {
            Vec::new()
        } else if self.inquiry_fails {
            self.core.abort();
            Vec::new()
        } else {
            self.identify()
        }
    }

    /// 512 bytes of IDENTIFY PACKET DEVICE: a removable CD/DVD drive with
    /// 12-byte packets, its serial number, revision and model.
    fn identify(&self) -> Vec<u8> {
        let identity = &self.core.identity;
        let mut words = vec![0_u8; 512];
        let mut put = |word: usize, bytes: &[u8]| {
            // ATA strings have the first character in the high byte of a word.
            for (at, pair) in bytes.chunks(2).enumerate() {
                if let ([high, low], Some(place)) =
                    (pair, words.get_mut((word + at) * 2..(word + at) * 2 + 2))
                {
                    place.copy_from_slice(&[*low, *high]);
                }
            }
        };
        put(0, &[0x85, 0x80]);
        put(10, &padded::<20>(identity.serial.as_deref().unwrap_or("")));
        put(23, &padded::<8>(&identity.revision));
        put(
            27,
            &padded::<40>(&format!("{} {}", identity.vendor, identity.product)),
        );
        words
    }
}

/// A drive on its bus, as a USB/IP server offers it.
pub(super) struct SimTarget {
    pub channel: SharedChannel,
    pub unit: Unit,
    pub bridge: Bridge,
    /// As which node the bus knows the drive.
    pub generation: u64,
}

impl ScsiTarget for SimTarget {
    fn execute(&mut self, cdb: &[u8], data: TargetData<'_>) -> Reply {
        let mut channel = lock(&self.channel);
        let there = channel.drive(self.unit).filter(|drive| drive.is_there());
        let Some(drive) = there else {
            return Reply::none_but(Event::Vanish);
        };
        // A bus that finds the drive knows that it is back.
        drive.model.settle(&mut drive.core);
        drive.core.clock.advance_to(drive.core.off_bus_until);
        let (mut reply, interference) = drive.packet(cdb, &data, self.bridge);
        if drive.core.generation != self.generation {
            self.generation = drive.core.generation;
            reply.event = match reply.event {
                Event::Nothing => Event::Reenumerate,
                event => event,
            };
        }
        if drive.take_failure(&interference).is_some() {
            // A bus has no other way to say that an answer got lost.
            return Reply::none_but(Event::Hang);
        }
        reply
    }
}

/// A drive as a kernel offers it through SG_IO.
pub(super) struct SimPacketTransport {
    pub channel: SharedChannel,
    pub unit: Unit,
    pub bridge: Bridge,
    /// The kernel asks for whole sense data: it has seen that there is more
    /// than 18 bytes, or an ATA PASS-THROUGH(16) that ended well without
    /// returned registers.
    pub whole_sense: bool,
    /// The node that was opened: a drive that comes back has another.
    pub generation: u64,
    pub _hold: Option<Arc<Hold>>,
}

impl SimPacketTransport {
    fn sense_as_delivered(&mut self, cdb: &[u8], reply: &mut Reply) {
        const USUAL_LENGTH: usize = 18;
        const RETURN_REGISTERS: u8 = 0x20;
        if !self.bridge.truncates || self.whole_sense {
            return;
        }
        if reply.sense.len() > USUAL_LENGTH {
            reply.sense.truncate(USUAL_LENGTH);
            self.whole_sense = true;
        } else if byte(cdb, 0) == ATA_PASS_THROUGH_16
            && reply.status == 0
            && byte(cdb, 2) & RETURN_REGISTERS == 0
        {
            self.whole_sense = true;
        }
    }
}

impl PacketTransport for SimPacketTransport {
    fn execute(
        &mut self,
        cdb: &[u8],
        data: Data<'_>,
        timeout: Duration,
    ) -> Result<Completion, TransportError> {
        const HOST_TIME_OUT: u16 = 0x03;
        const HOST_ERROR: u16 = 0x07;
        const DRIVER_SENSE: u16 = 0x08;
        let shared = SharedChannel::clone(&self.channel);
        let mut channel = lock(&shared);
        let drive = channel
            .drive(self.unit)
            .filter(|drive| drive.is_there())
            .ok_or(TransportError::Vanished)?;
        drive.model.settle(&mut drive.core);
        if drive.core.generation != self.generation {
            return Err(TransportError::Vanished);
        }
        let sent_at = drive.core.clock.nanoseconds();
        let (room, offered) = match &data {
            Data::None => (TargetData::None, 0),
            Data::In(buffer) => (TargetData::In(buffer.len()), buffer.len()),
            Data::Out(bytes) => (TargetData::Out(bytes), bytes.len()),
        };
        let (mut reply, interference) = drive.packet(cdb, &room, self.bridge);
        let failed = |host_status| Completion {
            host_status,
            residue: i32::try_from(offered).unwrap_or(i32::MAX),
            ..Completion::default()
        };
        if interference.transport_error {
            return Ok(failed(HOST_ERROR));
        }
        if let Some(error) = drive.take_failure(&interference) {
            return Err(TransportError::Io(error));
        }
        let wait = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
        let end = sent_at.saturating_add(wait);
        if reply.event != Event::Hang && drive.core.clock.nanoseconds() > end {
            // The drive goes on, but nobody waits for its answer any more.
            reply.event = Event::Hang;
        }
        match reply.event {
            Event::Hang => {
                drive.core.clock.advance_to(end);
                return Ok(failed(HOST_TIME_OUT));
            }
            Event::Vanish => return Err(TransportError::Vanished),
            Event::Nothing | Event::Reenumerate => {}
        }
        // The kernel has fetched the sense: nobody else finds it any more.
        drive.sense.clear();
        self.sense_as_delivered(cdb, &mut reply);
        let moved = match data {
            Data::None => 0,
            Data::In(buffer) => {
                for (to, from) in buffer.iter_mut().zip(&reply.data_in) {
                    *to = *from;
                }
                reply.data_in.len().min(offered)
            }
            Data::Out(_) => offered.saturating_sub(reply.residue),
        };
        Ok(Completion {
            status: reply.status,
            host_status: 0,
            driver_status: if reply.sense.is_empty() {
                0
            } else {
                DRIVER_SENSE
            },
            residue: i32::try_from(offered - moved).unwrap_or(i32::MAX),
            sense: reply.sense,
        })
    }
}
