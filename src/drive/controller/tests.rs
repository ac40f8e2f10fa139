use super::super::pci::PciAddress;
use super::*;
use crate::cli::words::InWords;
use crate::drive::tests::fake::{FakeFunction, Machine};
use std::fs;

const ADDRESS: &str = "0000:03:00.0";

fn machine(about: FakeFunction) -> (Machine, Function) {
    at(ADDRESS, about)
}

fn at(address: &str, about: FakeFunction) -> (Machine, Function) {
    let machine = Machine::empty();
    machine.function(address, &about);
    let function = read(&machine, address);
    (machine, function)
}

fn read(machine: &Machine, address: &str) -> Function {
    Function::read(&machine.system, PciAddress::parse(address).unwrap()).unwrap()
}

/// The ports of a channel: command block, Device Control, bus master.
fn ports(channel: &IdeChannel) -> (u64, u64, Option<u64>) {
    let (function, layout) = channel.function.as_ref().unwrap();
    let port = |block: Block| function.regions[block.region].first + block.offset;
    let Layout {
        command,
        control,
        bus_master,
    } = *layout;
    (port(command), port(control), bus_master.map(port))
}

/// Every channel, a line each.
fn told(about: FakeFunction) -> String {
    let (_machine, function) = machine(about);
    match channels(&function) {
        Ok(channels) => channels.iter().map(line).collect(),
        Err(error) => format!("{}\n", error.in_words()),
    }
}

fn line(channel: &IdeChannel) -> String {
    let (command, control, bus_master) = ports(channel);
    let bus_master = bus_master.map_or("none".to_owned(), |port| format!("{port:X}h"));
    let mut line = format!(
        "port {}: {command:X}h, control {control:X}h, bus master {bus_master}, {:?}",
        channel.port, channel.wiring
    );
    for (is_so, text) in [
        (channel.legacy.is_some(), ", legacy"),
        (!channel.has_slave, ", no slave"),
        (!channel.takes_nien, ", without nIEN"),
        (channel.is_doubted, ", with a caution"),
    ] {
        if is_so {
            line.push_str(text);
        }
    }
    match channel.irq {
        Some(irq) => format!("{line}, interrupt {irq}\n"),
        None => format!("{line}, no interrupt\n"),
    }
}

const CMD646: FakeFunction = FakeFunction::CMD646;

/// A function of other ids with the regions of the rule.
const fn by_ids(vendor: u16, device: u16, class: u32, driver: &'static str) -> FakeFunction {
    FakeFunction {
        ids: (vendor, device),
        class,
        driver: Some(driver),
        ..CMD646
    }
}

#[test]
fn every_controller_of_the_list_has_its_channels_where_its_documents_say() {
    let all = [
        ("CMD646, by the rule", CMD646),
        ("PIIX3 at the legacy ports", FakeFunction::PIIX3),
        ("VIA VT6421", FakeFunction::VT6421),
        ("VIA VT6420", by_ids(0x1106, 0x3149, 0x01018F, "sata_via")),
        (
            "VIA VT6420 as RAID",
            by_ids(0x1106, 0x3149, 0x010400, "sata_via"),
        ),
        ("VIA VT8251", by_ids(0x1106, 0x5287, 0x01018F, "sata_via")),
        ("SiI 680", by_ids(0x1095, 0x0680, 0x010400, "pata_sil680")),
        ("SiI 3112", by_ids(0x1095, 0x3112, 0x018000, "sata_sil")),
        (
            "Marvell 88SE6101",
            by_ids(0x11AB, 0x6101, 0x01018F, "pata_marvell"),
        ),
        (
            "ICH7 in IDE mode",
            by_ids(0x8086, 0x27C0, 0x01018F, "ata_piix"),
        ),
        (
            "ICH7, parallel",
            by_ids(0x8086, 0x27DF, 0x01018A | 5, "ata_piix"),
        ),
        ("nForce", by_ids(0x10DE, 0x03F6, 0x010185, "sata_nv")),
        ("ITE 8212", by_ids(0x1283, 0x8212, 0x010400, "pata_it821x")),
        (
            "Promise SATA",
            by_ids(0x105A, 0x3D18, 0x010185, "sata_promise"),
        ),
        ("ASMedia", by_ids(0x1B21, 0x0612, 0x010601, "ahci")),
        (
            "AHCI with the regions of the rule",
            by_ids(0x8086, 0x2922, 0x010601, "ahci"),
        ),
        ("RAID", by_ids(0x8086, 0x2822, 0x010400, "ahci")),
        ("NVMe", by_ids(0x144D, 0xA808, 0x010802, "nvme")),
        (
            "JMicron 363, function 0 in AHCI mode",
            by_ids(0x197B, 0x2363, 0x010601, "ahci"),
        ),
        ("JMicron 362", by_ids(0x197B, 0x2362, 0x010185, "ahci")),
    ];
    let table: String = all
        .into_iter()
        .map(|(name, about)| format!("== {name}\n{}", told(about)))
        .collect();
    insta::assert_snapshot!(table);
}

#[test]
fn a_jmicron_card_has_its_parallel_ports_on_function_1() {
    let about = by_ids(0x197B, 0x2363, 0x010185, "pata_jmicron");
    let (_machine, function) = at("0000:03:00.1", about);
    let found = channels(&function).unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].wiring, Wiring::Parallel);
    assert_eq!(ports(&found[1]), (0xC020, 0xC032, Some(0xC048)));
}

#[test]
fn an_ite_card_is_used_in_pass_through_mode_only() {
    let (machine, function) = machine(by_ids(0x1283, 0x8212, 0x010400, "pata_it821x"));
    assert_eq!(channels(&function).unwrap().len(), 2);
    let config = function.folder.join("config");
    let mut bytes = fs::read(&config).unwrap();
    bytes[0x50] = 0x03;
    fs::write(&config, bytes).unwrap();
    let error = channels(&read(&machine, ADDRESS)).unwrap_err();
    assert!(matches!(error.why, WhyNot::RaidMode { .. }), "{error}");
    // An ordinary user sees the first 64 bytes.
    fs::write(&config, [0; 64]).unwrap();
    let error = channels(&read(&machine, ADDRESS)).unwrap_err();
    assert!(matches!(error.why, WhyNot::RaidMode { .. }), "{error}");
}

#[test]
fn a_channel_counts_as_native_by_its_own_bit() {
    let mixed = FakeFunction {
        class: 0x010184,
        regions: &[
            (0x1F0, 0x1F7),
            (0x3F6, 0x3F6),
            (0xC020, 0xC027),
            (0xC030, 0xC033),
            (0xC040, 0xC04F),
        ],
        ..CMD646
    };
    let (_machine, function) = machine(mixed);
    let found = channels(&function).unwrap();
    assert_eq!(found[0].legacy, Some(Channel::Primary));
    assert_eq!(found[1].legacy, None);
    assert_eq!(ports(&found[1]), (0xC020, 0xC032, Some(0xC048)));
}

#[test]
fn a_channel_without_ports_is_none_and_the_other_stays_the_second() {
    let second = FakeFunction {
        regions: &[(0, 0), (0, 0), (0xC020, 0xC027), (0xC030, 0xC033)],
        ..CMD646
    };
    let (_machine, function) = machine(second);
    let found = channels(&function).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].port, 2);
    assert_eq!(ports(&found[0]), (0xC020, 0xC032, None));
    let error = channel(&function, 1, Unit::Master).unwrap_err();
    assert_eq!(error.in_words(), "0000:03:00.0 has no port 1");

    let none = FakeFunction {
        regions: &[],
        ..CMD646
    };
    let (_machine, function) = machine(none);
    assert_eq!(
        channels(&function).unwrap_err().in_words(),
        "the kernel has no I/O ports for port 1 of 0000:03:00.0 (region 0)"
    );
}

#[test]
fn a_region_that_is_memory_or_too_short_is_no_channel() {
    let (machine, function) = machine(CMD646);
    let resource = function.folder.join("resource");
    let as_ports = fs::read_to_string(&resource).unwrap();
    fs::write(
        &resource,
        as_ports.replace("0x0000000000040101", "0x0000000000040200"),
    )
    .unwrap();
    let error = channels(&read(&machine, ADDRESS)).unwrap_err();
    assert!(matches!(error.why, WhyNot::NoRegion { region: 0, .. }));
    fs::write(&resource, as_ports.replace("c013", "c011")).unwrap();
    let error = channel(&read(&machine, ADDRESS), 1, Unit::Master).unwrap_err();
    assert!(matches!(error.why, WhyNot::NoPort { .. }), "{error}");
}

#[test]
fn a_function_is_used_only_awake_with_its_ports_and_with_its_own_driver() {
    let refused = |about: FakeFunction, change: &dyn Fn(&Function)| {
        let (machine, function) = machine(about);
        change(&function);
        match ready(&read(&machine, ADDRESS)) {
            Ok(()) => "used\n".to_owned(),
            Err(error) => format!("{}\n", error.in_words()),
        }
    };
    let nothing: &dyn Fn(&Function) = &|_| {};
    let driver = |driver| FakeFunction { driver, ..CMD646 };
    let told: String = [
        refused(CMD646, nothing),
        refused(driver(None), nothing),
        refused(driver(Some("vfio-pci")), nothing),
        refused(driver(Some("uio_pci_generic")), nothing),
        refused(CMD646, &|function| {
            fs::write(function.folder.join("config"), [0; 64]).unwrap();
        }),
        refused(CMD646, &|function| {
            fs::write(function.folder.join("power_state"), "D3hot\n").unwrap();
        }),
        refused(CMD646, &|function| {
            fs::remove_file(function.folder.join("power_state")).unwrap();
        }),
    ]
    .concat();
    insta::assert_snapshot!(told);
}

#[test]
fn a_slave_is_addressed_where_one_can_be() {
    let (_machine, function) = machine(FakeFunction::VT6421);
    for (port, has_slave) in [(1, false), (2, false), (3, true)] {
        channel(&function, port, Unit::Master).unwrap();
        let slave = channel(&function, port, Unit::Slave);
        assert_eq!(slave.is_ok(), has_slave);
    }
}

#[test]
fn a_function_that_has_changed_is_told_from_the_one_before() {
    let (machine, before) = machine(CMD646);
    assert!(read(&machine, ADDRESS).is_as(&before));
    machine.file("sys/devices/pci0000:00/0000:03:00.0/device", "0x0649\n");
    assert!(!read(&machine, ADDRESS).is_as(&before));
    machine.file("sys/devices/pci0000:00/0000:03:00.0/device", "0x0646\n");
    let resource = before.folder.join("resource");
    let moved = fs::read_to_string(&resource).unwrap().replace("c04", "d04");
    fs::write(&resource, moved).unwrap();
    assert!(!read(&machine, ADDRESS).is_as(&before));
}
