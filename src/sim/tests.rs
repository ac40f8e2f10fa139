//! The vendor-mode drive through its seams: legacy ports, packets, a bus.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::target::{Event, TargetData};
use super::*;
use crate::transport::{
    Clock, Data, PacketTransport, Register, RegisterAccess, TransportError, Unit, Verdict,
};

const PARALLEL: &str = r#"
[[drive]]
position = 3
vendor = "SONY"
product = "DVD RW DW-D22A"
revision = "BYS1"
serial = "S1"
chip = "SST39SF020"
contents = { recipe = "firmware", seed = 5 }
"#;

const TIMEOUT: Duration = Duration::from_secs(5);

fn bench(extra: &str) -> Bench {
    Bench::from_text(&format!("{PARALLEL}{extra}")).unwrap()
}

fn serial(chip: &str, mode_status: u8) -> Bench {
    Bench::from_text(&PARALLEL.replace("SST39SF020", chip).replace(
        "serial =",
        &format!("mode_status = {mode_status}\nserial ="),
    ))
    .unwrap()
}

/// A program that talks to the drive over the ports as the protocol says.
struct Host {
    drive: SimDriveHandle,
    ports: Box<dyn RegisterAccess + Send>,
    device: u8,
}

impl Host {
    fn of(bench: &Bench, position: u8) -> Host {
        let drive = bench.drive(position).unwrap().clone();
        let ports = drive.registers().unwrap();
        let device = drive.unit().device();
        Host {
            drive,
            ports,
            device,
        }
    }

    fn set(&mut self, register: Register, value: u8) {
        self.ports.write(register, value).unwrap();
    }

    fn get(&mut self, register: Register) -> u8 {
        self.ports.read(register).unwrap()
    }

    fn command(&mut self, command: u8) -> u8 {
        self.set(Register::Command, command);
        self.set(Register::Device, self.device);
        let mut status = self.get(Register::Command);
        for _ in 0..100 {
            if status & 0x80 == 0 {
                break;
            }
            status = self.get(Register::Command);
        }
        status
    }

    fn enter(&mut self) -> u8 {
        self.set(Register::DeviceControl, 0x02);
        self.set(Register::Device, self.device);
        self.drive.clock().sleep(Duration::from_millis(250));
        self.set(Register::Device, self.device);
        self.set(Register::LbaLow, 0x2A);
        self.set(Register::Command, 0x80);
        self.drive.clock().sleep(Duration::from_millis(2));
        self.set(Register::Device, self.device);
        self.get(Register::Command)
    }

    fn leave(&mut self) {
        self.set(Register::Device, self.device);
        self.command(0x81);
        self.command(0x08);
        self.drive.clock().sleep(Duration::from_millis(350));
        self.set(Register::DeviceControl, 0x00);
    }

    fn address(&mut self, at: u32) {
        let [low, middle, high, _] = at.to_le_bytes();
        self.set(Register::Device, self.device);
        self.set(Register::LbaMid, low);
        self.set(Register::LbaHigh, middle);
        self.set(Register::Device, self.device | high & 0x0F);
    }

    fn read(&mut self, at: u32) -> u8 {
        self.address(at);
        self.command(0x00);
        self.get(Register::LbaLow)
    }

    fn write(&mut self, at: u32, value: u8) {
        self.address(at);
        self.set(Register::LbaLow, value);
        self.command(0x01);
    }

    fn jedec(&mut self, cycles: &[(u32, u8)]) {
        for &(at, value) in cycles {
            self.write(at, value);
        }
    }

    fn erase_sector(&mut self, at: u32) {
        self.jedec(&[(0x5555, 0xAA), (0x2AAA, 0x55), (0x5555, 0x80)]);
        self.jedec(&[(0x5555, 0xAA), (0x2AAA, 0x55), (at, 0x30)]);
        self.drive.clock().sleep(Duration::from_millis(100));
    }

    fn program(&mut self, at: u32, value: u8) {
        self.jedec(&[(0x5555, 0xAA), (0x2AAA, 0x55), (0x5555, 0xA0), (at, value)]);
        self.drive.clock().sleep(Duration::from_millis(1));
    }

    /// A mailbox transaction in the layout with this base and byte order.
    fn transact(&mut self, base: u32, high_first: bool, tx: &[u8], rx: u16) -> Vec<u8> {
        for (at, byte) in (base..).zip(tx) {
            self.write(at, *byte);
        }
        let order = |length: u16| {
            if high_first {
                length.to_be_bytes()
            } else {
                length.to_le_bytes()
            }
        };
        let [features, count] = order(tx.len() as u16);
        let [mid, high] = order(rx);
        self.set(Register::Device, self.device);
        self.set(Register::Features, features);
        self.set(Register::Count, count);
        self.set(Register::LbaLow, 0);
        self.set(Register::LbaMid, mid);
        self.set(Register::LbaHigh, high);
        self.command(0x04);
        self.command(0x05);
        let start = base + tx.len() as u32;
        (start..start + u32::from(rx))
            .map(|at| self.read(at))
            .collect()
    }
}

/// ATA PASS-THROUGH(16), non-data, with returned registers.
fn pass_through(lba_low: u8, lba_mid: u8, lba_high: u8, command: u8) -> [u8; 16] {
    [
        0x85, 0x06, 0x20, 0, 0, 0, 0, 0, lba_low, 0, lba_mid, 0, lba_high, 0xA0, command, 0,
    ]
}

const IDENTIFY: [u8; 16] = [0x85, 0x08, 0x0E, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xA1, 0];

#[test]
fn a_parallel_drive_is_entered_identified_read_changed_and_left() {
    let bench = bench("");
    let mut host = Host::of(&bench, 3);
    let before = host.drive.flash();
    assert_eq!(host.enter(), 0x70);
    host.jedec(&[(0x5555, 0xAA), (0x2AAA, 0x55), (0x5555, 0x90)]);
    assert_eq!((host.read(0), host.read(1)), (0xBF, 0xB6));
    host.jedec(&[(0x5555, 0xAA), (0x2AAA, 0x55), (0x5555, 0xF0)]);
    let read: Vec<u8> = (0x3_FF00..0x4_0000).map(|at| host.read(at)).collect();
    assert_eq!(read, before[0x3_FF00..]);
    host.erase_sector(0x3_0000);
    host.program(0x3_0001, 0x5A);
    let after = host.drive.flash();
    assert_eq!(after[0x3_0000..0x3_0003], [0xFF, 0x5A, 0xFF]);
    assert_eq!(after[..0x3_0000], before[..0x3_0000]);
    assert!(host.drive.interrupts_off());
    host.leave();
    assert!(!host.drive.in_vendor_mode());
    let counters = host.drive.counters();
    assert_eq!((counters.sector_erases, counters.programs), (1, 1));
    assert_eq!(counters.byte_reads, 0x102);
    assert_eq!(counters.ata.of(0x80), 1);
    assert_eq!((counters.interrupts, counters.chip_ignored), (0, 0));
    assert_eq!(counters.violations, Vec::<String>::new());
}

#[test]
fn the_byte_order_and_the_base_of_the_mailbox_follow_the_mode_status() {
    for (chip, id, mode_status, base) in [
        ("W25P20", [0xEF, 0x11], 0x72, 0x8800),
        ("MX25L8005", [0xC2, 0x13], 0x73, 0x0000),
    ] {
        let bench = serial(chip, mode_status);
        let mut host = Host::of(&bench, 3);
        let high_first = mode_status == 0x73;
        assert_eq!(host.enter(), mode_status);
        assert_eq!(host.transact(base, high_first, &[0x90, 0, 0, 0], 2), id);
        let page = host.transact(base, high_first, &[0x03, 2, 0x34, 0], 256);
        assert_eq!(page, host.drive.flash()[0x2_3400..0x2_3500]);
        host.transact(base, high_first, &[0x06], 0);
        assert_eq!(host.transact(base, high_first, &[0x05], 1), [0x02]);
        assert_eq!(host.read(0x0001), 0x02, "only low address bits are decoded");
        let program = [&[0x02, 2, 0x34, 0][..], &[0; 256]].concat();
        host.transact(base, high_first, &program, 0);
        assert_eq!(host.drive.flash()[0x2_3400..0x2_3500], [0; 256]);
        let counters = host.drive.counters();
        assert_eq!(counters.mailbox_executes, 5);
        assert_eq!(counters.mailbox_reads, 2 + 256 + 1 + 1);
        assert_eq!(counters.mailbox_writes, 4 + 4 + 1 + 1 + 260);
        assert_eq!(counters.violations, Vec::<String>::new());
    }
}

#[test]
fn lengths_in_the_wrong_byte_order_are_a_violation_and_do_nothing() {
    let bench = serial("W25P20", 0x72);
    let mut host = Host::of(&bench, 3);
    host.enter();
    host.transact(0x8800, true, &[0x90, 0, 0, 0], 2);
    let counters = host.drive.counters();
    assert_eq!(counters.mailbox_executes, 0);
    assert_eq!(counters.violation_count, 2, "{:?}", counters.violations);
}

#[test]
fn a_normal_drive_refuses_every_vendor_command_with_51() {
    let bench = bench("entry = \"refused\"\n");
    let mut host = Host::of(&bench, 3);
    assert_eq!(host.enter(), 0x51);
    assert_eq!(host.drive.violations(), Vec::<String>::new());
    assert_eq!(host.command(0x00), 0x51);
    assert_eq!(host.drive.counters().violation_count, 1);
}

#[test]
fn the_forbidden_values_of_lba_low_erase_the_flash_and_are_violations() {
    for value in [0x2E, 0x2B, 0x2D] {
        let bench = bench("");
        let mut host = Host::of(&bench, 3);
        host.set(Register::LbaLow, value);
        host.command(0x80);
        assert!(host.drive.flash().iter().all(|byte| *byte == 0xFF));
        assert_eq!(host.drive.counters().violation_count, 1);
    }
}

#[test]
fn any_other_value_of_lba_low_is_a_violation_that_changes_nothing() {
    let bench = bench("");
    let mut host = Host::of(&bench, 3);
    let before = host.drive.flash();
    host.set(Register::LbaLow, 0x2C);
    assert_eq!(host.command(0x80), 0x51);
    assert_eq!(host.drive.flash(), before);
    assert_eq!(host.drive.counters().violation_count, 1);
}

#[test]
fn power_cycling_is_so_many_refused_entries() {
    let bench = bench("entry = \"after-power-cycles\"\npower_cycles = 3\nrefusal_status = 0xD1\n");
    let mut host = Host::of(&bench, 3);
    let statuses = [host.enter(), host.enter(), host.enter(), host.enter()];
    assert_eq!(statuses, [0xD1, 0xD1, 0xD1, 0x70]);
}

#[test]
fn both_drives_of_a_channel_share_its_registers_and_one_answers() {
    let two = format!(
        "{PARALLEL}{}",
        PARALLEL.replace("position = 3", "position = 4")
    );
    let bench = Bench::from_text(&two).unwrap();
    let mut slave = Host::of(&bench, 4);
    assert_eq!(slave.drive.unit(), Unit::Slave);
    assert_eq!(slave.enter(), 0x70);
    assert!(slave.drive.in_vendor_mode());
    let master = bench.drive(3).unwrap();
    assert!(!master.in_vendor_mode());
    assert_eq!(master.counters().operations, 0);
    slave.set(Register::Device, 0xA0);
    assert_eq!(slave.get(Register::Command), 0x50);
}

#[test]
fn a_place_without_a_drive_reads_as_an_idle_bus() {
    let bench = bench("");
    let mut ports = bench.ports(4).unwrap();
    ports.write(Register::Device, 0xB0).unwrap();
    assert_eq!(ports.read(Register::Command).unwrap(), 0x00);
    assert!(bench.ports(1).is_none());
    assert!(bench.ports(0).is_none());
}

#[test]
fn commands_without_nien_raise_interrupts_that_nobody_claims() {
    let bench = bench("");
    let mut host = Host::of(&bench, 3);
    host.command(0x08);
    assert_eq!(host.drive.counters().interrupts, 1);
}

#[test]
fn registers_written_while_the_drive_is_busy_are_violations() {
    let bench = bench("latency = { command_ns = 1_000_000, register_ns = 0 }\n");
    let mut host = Host::of(&bench, 3);
    host.set(Register::LbaLow, 0x2A);
    host.set(Register::Command, 0x80);
    assert_eq!(host.get(Register::Command), 0xD0);
    host.set(Register::LbaMid, 1);
    assert_eq!(host.drive.counters().violation_count, 1);
    host.drive.clock().sleep(Duration::from_millis(2));
    assert_eq!(host.get(Register::Command), 0x70);
}

#[test]
fn packets_say_who_the_drive_is() {
    let bench = bench("");
    let drive = bench.drive(3).unwrap();
    let mut packets = drive.packets().unwrap();
    let mut data = [0_u8; 96];
    let inquiry = [0x12, 0, 0, 0, 96, 0];
    let done = packets
        .execute(&inquiry, Data::In(&mut data), TIMEOUT)
        .unwrap();
    assert_eq!((done.verdict(), done.residue), (Verdict::Good, 60));
    assert_eq!(&data[8..36], b"SONY    DVD RW DW-D22A  BYS1");
    let serial = [0x12, 1, 0x80, 0, 96, 0];
    packets
        .execute(&serial, Data::In(&mut data), TIMEOUT)
        .unwrap();
    assert_eq!(data[..6], [5, 0x80, 0, 2, b'S', b'1']);
    let done = packets.execute(&[0; 6], Data::None, TIMEOUT).unwrap();
    assert_eq!((done.sense[2], done.sense[12]), (0x02, 0x3A));
    let done = packets.execute(&[0xFF; 12], Data::None, TIMEOUT).unwrap();
    assert_eq!((done.sense[2], done.sense[12]), (0x05, 0x20));
    let done = packets
        .execute(&IDENTIFY, Data::In(&mut [0; 512]), TIMEOUT)
        .unwrap();
    assert_eq!(done.verdict(), Verdict::Good);
    assert_eq!(drive.counters().packets.of(0x12), 2);
    assert_eq!(drive.clock().nanoseconds() / 1_000_000, 5, "1 ms each");
}

#[test]
fn returned_registers_come_in_the_layout_of_the_bench() {
    for (layout, sense) in [
        (
            "descriptor",
            &[
                0x72, 1, 0, 0x1D, 0, 0, 0, 14, 9, 12, 0, 0, 0, 0, 0, 0x2A, 0, 0, 0, 0, 0xA0, 0x70,
            ][..],
        ),
        (
            "fixed",
            &[
                0x70, 0, 4, 0, 0x70, 0xA0, 0, 10, 0, 0x2A, 0, 0, 0, 0x1D, 0, 0, 0, 0,
            ],
        ),
        (
            "fixed-old",
            &[
                0x70, 0, 4, 0, 0, 0, 0, 10, 0, 0x70, 0xA0, 0, 0x44, 0, 0, 0, 0, 0x2A,
            ],
        ),
    ] {
        let bench = bench(&format!("registers = {layout:?}\n"));
        let mut packets = bench.drive(3).unwrap().packets().unwrap();
        let done = packets
            .execute(&pass_through(0x2A, 0, 0, 0x80), Data::None, TIMEOUT)
            .unwrap();
        assert_eq!(done.sense, sense, "{layout}");
        assert_eq!((done.status, done.driver_status), (0x02, 0x08));
    }
}

#[test]
fn the_refusal_through_libata_is_the_one_that_was_measured() {
    let bench = bench("registers = \"fixed-old\"\nentry = \"refused\"\nrefusal_status = 0x41\n");
    let mut packets = bench.drive(3).unwrap().packets().unwrap();
    let done = packets
        .execute(&pass_through(0x2A, 0, 0, 0x80), Data::None, TIMEOUT)
        .unwrap();
    let sense = [
        0x70, 0, 0x0B, 0, 0, 0, 0, 10, 4, 0x41, 0xA0, 0, 0, 0, 0, 0, 0, 0x2A,
    ];
    assert_eq!(done.sense, sense);
}

#[test]
fn a_byte_is_read_through_packets_and_the_bridge_picks_the_drive() {
    let slave = PARALLEL.replace("position = 3", "position = 4");
    let bench = Bench::from_text(&slave).unwrap();
    let drive = bench.drive(4).unwrap();
    let mut packets = drive.packets().unwrap();
    let mut command = |cdb: [u8; 16]| packets.execute(&cdb, Data::None, TIMEOUT).unwrap().sense;
    assert_eq!(command(pass_through(0x2A, 0, 0, 0x80))[20..], [0xB0, 0x70]);
    let flash = drive.flash();
    for at in [0_usize, 0x1234, 0xFFFF] {
        let sense = command(pass_through(0, at as u8, (at >> 8) as u8, 0x00));
        assert_eq!((sense[15], sense[21]), (flash[at], 0x70));
    }
    assert_eq!(
        drive.counters().operations,
        4,
        "a packet and its command are one"
    );
}

#[test]
fn usb_storage_cuts_the_first_long_sense_unless_identify_came_first() {
    let cut = "truncate_first_sense = true\n";
    let entry = pass_through(0x2A, 0, 0, 0x80);
    let lengths = |identify_first: bool| {
        let bench = bench(cut);
        let mut packets = bench.drive(3).unwrap().packets().unwrap();
        if identify_first {
            packets
                .execute(&IDENTIFY, Data::In(&mut [0; 512]), TIMEOUT)
                .unwrap();
        }
        [(); 2].map(|()| {
            packets
                .execute(&entry, Data::None, TIMEOUT)
                .unwrap()
                .sense
                .len()
        })
    };
    assert_eq!(lengths(false), [18, 22]);
    assert_eq!(lengths(true), [22, 22]);
}

#[test]
fn a_bridge_without_ata_pass_through_says_so() {
    let bench = bench("registers = \"none\"\n");
    let mut packets = bench.drive(3).unwrap().packets().unwrap();
    let done = packets.execute(&IDENTIFY, Data::None, TIMEOUT).unwrap();
    assert_eq!((done.sense[2], done.sense[12]), (0x05, 0x20));
}

#[test]
fn in_vendor_mode_packets_are_answered_with_an_error_until_it_is_left() {
    let bench = bench("");
    let mut host = Host::of(&bench, 3);
    let mut packets = host.drive.packets().unwrap();
    let mut inquiry = || {
        packets
            .execute(&[0x12, 0, 0, 0, 36, 0], Data::In(&mut [0; 36]), TIMEOUT)
            .unwrap()
            .verdict()
    };
    host.enter();
    assert_eq!(inquiry(), Verdict::CheckCondition);
    host.leave();
    assert_eq!(inquiry(), Verdict::Good);
}

#[test]
fn a_dead_drive_is_reached_over_the_ports_only() {
    let bench = bench("dead = true\n");
    assert!(bench.drive(3).unwrap().packets().is_none());
    assert_eq!(Host::of(&bench, 3).enter(), 0x70);
}

#[test]
fn a_bus_sees_the_drive_as_packets_do() {
    let bench = bench("inquiry_fails = true\ntruncate_first_sense = true\n");
    let mut target = bench.drive(3).unwrap().target();
    let reply = target.execute(&[0x12, 0, 0, 0, 36, 0], TargetData::In(36));
    assert_eq!((reply.status, reply.sense[2]), (0x02, 0x04));
    let sense = target
        .execute(&[0x03, 0, 0, 0, 18, 0], TargetData::In(18))
        .data_in;
    assert_eq!(sense, reply.sense, "it is kept for REQUEST SENSE");
    let reply = target.execute(&pass_through(0x2A, 0, 0, 0x80), TargetData::None);
    assert_eq!(reply.sense.len(), 22, "cutting is what kernels do");
    let fault = Fault::TimeOut {
        operation: 4,
        executed: false,
    };
    bench.drive(3).unwrap().add_fault(fault);
    let reply = target.execute(&[0; 6], TargetData::None);
    assert_eq!(reply.event, Event::Hang);
}

#[test]
fn each_fault_of_an_operation_comes_at_that_operation() {
    let entry = pass_through(0x2A, 0, 0, 0x80);
    let second = |fault: &str| {
        let bench = bench(&format!("[[drive.fault]]\noperation = 2\n{fault}\n"));
        let drive = bench.drive(3).unwrap().clone();
        let mut packets = drive.packets().unwrap();
        packets
            .execute(&IDENTIFY, Data::In(&mut [0; 512]), TIMEOUT)
            .unwrap();
        let second = packets.execute(&entry, Data::None, TIMEOUT).unwrap();
        let third = packets.execute(&entry, Data::None, TIMEOUT);
        (second, third, drive)
    };
    let (done, after, _) = second("kind = \"wrong-status\"\nstatus = 0x51");
    assert_eq!(done.sense[21], 0x51);
    assert_eq!(after.unwrap().sense[21], 0x70);

    let (done, after, drive) = second("kind = \"time-out\"");
    assert_eq!(done.verdict(), Verdict::TimedOut);
    assert!(drive.clock().now() >= TIMEOUT);
    assert_eq!(after.unwrap().sense[21], 0x70);

    let (done, after, _) = second("kind = \"transport-error\"");
    assert!(matches!(
        done.verdict(),
        Verdict::Failed { host_status: 7, .. }
    ));
    assert_eq!(after.unwrap().sense[21], 0x70);

    let (done, after, _) = second("kind = \"stuck-busy\"");
    assert_eq!(done.verdict(), Verdict::TimedOut);
    assert_eq!(after.unwrap().verdict(), Verdict::TimedOut);

    let (done, after, drive) = second("kind = \"power-cut\"");
    assert_eq!(done.sense[21], 0x70, "the operation itself ends well");
    assert!(matches!(after, Err(TransportError::Vanished)));
    assert!(!drive.in_vendor_mode() && !drive.is_present());
    drive.power_cycle();
    assert!(drive.is_present());

    let (_, after, drive) = second("kind = \"unplug\"");
    assert!(matches!(after, Err(TransportError::Vanished)));
    assert!(drive.in_vendor_mode(), "it keeps its power");
}

#[test]
fn a_unit_attention_is_a_packet_answered_with_that_sense() {
    let bench =
        bench("[[drive.fault]]\nkind = \"check-condition\"\noperation = 1\nkey = 6\nasc = 0x29\n");
    let mut packets = bench.drive(3).unwrap().packets().unwrap();
    let mut ready = || packets.execute(&[0; 6], Data::None, TIMEOUT).unwrap().sense;
    assert_eq!(ready()[2], 0x06);
    assert_eq!(ready()[2], 0x02);
}

#[test]
fn faults_of_the_flash_show_where_the_bench_puts_them() {
    let bench = bench(
        "[[drive.fault]]\nkind = \"flip\"\nat = 7\nread = 2\n\
         [[drive.fault]]\nkind = \"stuck\"\nat = 0x1000\n\
         [[drive.fault]]\nkind = \"weak-erase\"\nat = 0x1001\n",
    );
    let mut host = Host::of(&bench, 3);
    host.drive.set_flash(7, &[0x10]);
    host.drive.set_flash(0x1000, &[0x0F, 0x00]);
    host.enter();
    let reads = [host.read(7), host.read(7), host.read(7)];
    assert_eq!(reads, [0x10, 0x11, 0x10]);
    host.program(0x1000, 0x00);
    assert_eq!(host.read(0x1000), 0x0F);
    host.erase_sector(0x1000);
    assert_eq!((host.read(0x1000), host.read(0x1001)), (0xFF, 0xFE));
}

#[test]
fn a_chip_that_stays_busy_toggles_or_shows_its_busy_bit_for_good() {
    let fault = Fault::ChipBusy { operation: 2 };
    let bench = bench("");
    let mut host = Host::of(&bench, 3);
    host.drive.add_fault(fault.clone());
    host.enter();
    assert_ne!(host.read(0), host.read(0));

    let bench = serial("W25P20", 0x72);
    let mut host = Host::of(&bench, 3);
    host.drive.add_fault(fault);
    host.enter();
    for _ in 0..3 {
        assert_eq!(host.transact(0x8800, false, &[0x05], 1), [0x03]);
        host.drive.clock().sleep(Duration::from_secs(100));
    }
}

#[test]
fn a_hook_is_called_once_just_before_its_operation() {
    let bench = bench("");
    let drive = bench.drive(3).unwrap();
    let calls = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&calls);
    drive.at_operation(2, move || {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    let mut packets = drive.packets().unwrap();
    let mut called = || {
        packets.execute(&[0; 6], Data::None, TIMEOUT).unwrap();
        calls.load(Ordering::Relaxed)
    };
    assert_eq!([called(), called(), called()], [0, 1, 1]);
}

#[test]
fn the_next_run_finds_flash_mode_and_counters_as_this_one_left_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("drive.toml");
    let faults = "[[drive.fault]]\nkind = \"power-cut\"\noperation = 30\n";
    std::fs::write(&file, format!("{PARALLEL}{faults}")).unwrap();
    let state = folder.path().join("drive.state");
    let flash = || std::fs::read(state.join("position-3.flash")).unwrap();
    {
        let bench = Bench::open(&file).unwrap();
        let mut host = Host::of(&bench, 3);
        host.drive.set_flash(0, &[0xFF; 4]);
        host.enter();
        host.program(0, 0x12);
        assert_eq!(flash(), host.drive.flash(), "at once, not at the end");
    }
    {
        let bench = Bench::open(&file).unwrap();
        let mut host = Host::of(&bench, 3);
        assert!(host.drive.in_vendor_mode(), "nobody has left it");
        assert_eq!(host.drive.flash()[0], 0x12);
        for at in 0..40 {
            host.read(at);
        }
        assert!(!host.drive.is_present());
        assert_eq!(host.get(Register::Command), 0x7F);
    }
    let bench = Bench::open(&file).unwrap();
    let mut host = Host::of(&bench, 3);
    assert!(host.drive.is_present() && !host.drive.in_vendor_mode());
    host.enter();
    for at in 0..40 {
        host.read(at);
    }
    assert!(host.drive.is_present(), "power is not cut twice");
    let operations = host.drive.counters().operations;
    drop((bench, host));
    let text = std::fs::read_to_string(state.join("position-3.counters.toml")).unwrap();
    let counters: Counters = toml::from_str(&text).unwrap();
    assert_eq!(counters.operations, operations);
}
