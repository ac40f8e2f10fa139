//! What the rig shows, and on which machines.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::machine::{Clock, Device, Machine, Slot};
use crate::{packets, vendor_mode};

/// A sentence about the tool, a script in `guest/` that makes it happen, and a
/// look at what the script left in its folder.
pub struct Scenario {
    pub sentence: &'static str,
    pub machine: &'static Machine,
    /// `guest/SCRIPT.sh`; it fails by ending with a status other than 0.
    pub script: &'static str,
    pub then: fn(&Path) -> Result<()>,
}

impl Scenario {
    pub const fn new(
        sentence: &'static str,
        machine: &'static Machine,
        script: &'static str,
    ) -> Self {
        Self {
            sentence,
            machine,
            script,
            then: |_| Ok(()),
        }
    }

    pub const fn then(mut self, look: fn(&Path) -> Result<()>) -> Self {
        self.then = look;
        self
    }
}

/// The computer of the DOS tool's days: four drives, index 1 to 4.
pub static PC: Machine = Machine {
    name: "pc",
    chipset: "pc",
    controllers: &[],
    slots: &[
        Slot::drive("ide.0", 0, "PM"),
        Slot::drive("ide.0", 1, "PS"),
        Slot::drive("ide.1", 0, "SM"),
        Slot::drive("ide.1", 1, "SS"),
    ],
    modules: &["ata_piix"],
    options: "",
    clock: Clock::Real,
};

/// Two of the slots are empty, and another controller takes the first numbers.
pub static PC_WITH_AHCI_FIRST: Machine = Machine {
    name: "pc-ahci-first",
    chipset: "pc",
    controllers: &["ich9-ahci,id=ahci"],
    slots: &[
        Slot::drive("ide.0", 1, "PS"),
        Slot::drive("ide.1", 0, "SM"),
        Slot::drive("ahci.0", 0, "A0"),
    ],
    modules: &["ahci", "ata_piix"],
    options: "",
    clock: Clock::Leaps,
};

/// No PATA at all.
pub static Q35: Machine = Machine {
    name: "q35",
    chipset: "q35",
    controllers: &[],
    slots: &[Slot::drive("ide.0", 0, "P0"), Slot::drive("ide.2", 0, "P2")],
    modules: &["ahci"],
    options: "",
    clock: Clock::Leaps,
};

/// A disk as primary master, and a drive with a disc in it beside another one.
pub static PC_WITH_DISC_AND_DISK: Machine = Machine {
    name: "pc-disc-and-disk",
    chipset: "pc",
    controllers: &[],
    slots: &[
        Slot {
            bus: "ide.0",
            unit: 0,
            holds: Device::Disk,
        },
        Slot {
            bus: "ide.1",
            unit: 0,
            holds: Device::DriveWithDisc("SM"),
        },
        Slot::drive("ide.1", 1, "SS"),
    ],
    // ext4 asks for the checksum by its algorithm, not as a dependency.
    modules: &["ata_piix", "sd_mod", "crc32c_generic", "ext4"],
    options: "",
    clock: Clock::Leaps,
};

/// A kernel as it is under Secure Boot.
pub static PC_LOCKED_DOWN: Machine = Machine {
    name: "pc-locked-down",
    chipset: "pc",
    controllers: &[],
    slots: &[Slot::drive("ide.1", 0, "SM"), Slot::drive("ide.1", 1, "SS")],
    modules: &["ata_piix"],
    options: "lockdown=integrity",
    clock: Clock::Leaps,
};

/// A controller in native mode, as far as it can be had: QEMU has none for this
/// processor. Two drives are at I/O ports that a PCI function (a sound card's
/// two regions) has and gives up, so that the kernel's own files bound to those
/// regions lead to them; the script says in sysfs that they are the second
/// channel of the IDE controller. Another device is on the drives' interrupt.
pub static PC_NATIVE: Machine = Machine {
    name: "pc-native",
    chipset: "pc",
    controllers: &[
        "AC97,addr=10.0",
        "piix3-usb-uhci,addr=11.0",
        "isa-ide,id=card,iobase=0xc000,iobase2=0xc402,irq=11",
        "ide-cd,bus=card.0,unit=0,ver=NM",
        "ide-cd,bus=card.0,unit=1,ver=NS",
    ],
    slots: &[Slot::drive("ide.0", 0, "PM")],
    modules: &["ata_piix", "uhci_hcd"],
    options: "",
    clock: Clock::Leaps,
};

/// Nothing but what is plugged into USB. Its scenarios take time: every byte
/// of a flash is a command or more.
static USB_ONLY: Machine = Machine {
    name: "usb-only",
    chipset: "pc",
    controllers: &[],
    slots: &[],
    modules: &[],
    options: "",
    clock: Clock::Leaps,
};

/// All of them; the machine that takes longest comes first.
pub fn scenarios() -> Vec<Scenario> {
    let mut all = packets::scenarios();
    all.extend(of_vendor_mode_and_the_rig());
    all
}

fn of_vendor_mode_and_the_rig() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "a real kernel boots and the drive of every index answers INQUIRY with its position",
            &PC,
            "positions",
        ),
        Scenario::new(
            "the built binary and the programs it is held against start in the guest",
            &PC,
            "programs",
        ),
        Scenario::new(
            "a simulated drive behind usb-storage answers INQUIRY and READ BUFFER",
            &PC,
            "simulated-drive",
        )
        .then(|left| {
            let dump = read(left, "buffer")?;
            let drive: Vec<u8> = (0..dump.len()).map(|at| (at ^ (at >> 8)) as u8).collect();
            ensure!(
                dump.len() == 65536 && dump == drive,
                "the dump is not the drive's buffer"
            );
            Ok(())
        }),
        Scenario::new(
            "transfers of any size arrive whole in both directions",
            &PC,
            "transfers",
        ),
        Scenario::new(
            "the registers of ATA PASS-THROUGH come back through usb-storage",
            &PC,
            "task-file",
        ),
        Scenario::new(
            "a drive that hangs, restarts or leaves the bus does so for the kernel",
            &PC,
            "events",
        ),
        Scenario::new(
            "a signal reaches a program at the command that the script names",
            &PC,
            "signals",
        ),
        Scenario::new(
            "several simulated drives are on the bus at once and count their own commands",
            &PC,
            "several-drives",
        ),
        Scenario::new(
            "users without the group or the capability are what the guest can make them",
            &PC,
            "users",
        ),
        Scenario::new(
            "check, read and verify tell what the drive's own memory holds, through usb-storage",
            &USB_ONLY,
            "vendor-mode-read",
        )
        .then(vendor_mode::read),
        Scenario::new(
            "a drive is read through either serial mailbox layout",
            &USB_ONLY,
            "vendor-mode-serial",
        )
        .then(vendor_mode::serial),
        Scenario::new(
            "a signal in the middle of a read leaves vendor mode, and no command is sent twice",
            &USB_ONLY,
            "vendor-mode-signals",
        )
        .then(vendor_mode::signalled),
        Scenario::new(
            "a drive that refuses vendor mode and one with an unknown chip say what they answered",
            &USB_ONLY,
            "vendor-mode-refused",
        )
        .then(vendor_mode::unknown_chip),
        Scenario::new(
            "a drive that hangs, leaves or answers oddly in the middle of a read ends it truthfully",
            &USB_ONLY,
            "vendor-mode-faults",
        )
        .then(vendor_mode::failed),
        Scenario::new(
            "an erase leaves the range blank and the rest alone, also when it is interrupted",
            &USB_ONLY,
            "vendor-mode-erase",
        )
        .then(vendor_mode::erased),
        Scenario::new(
            "a write changes what differs in the range and nothing else, after a backup",
            &USB_ONLY,
            "vendor-mode-write",
        )
        .then(vendor_mode::written),
        Scenario::new(
            "a genuine ATAPI drive refuses vendor mode with the status of a normal drive",
            &PC,
            "vendor-mode-ide",
        ),
        Scenario::new(
            "with slots empty and AHCI loaded first the PATA drives keep their positions",
            &PC_WITH_AHCI_FIRST,
            "positions-ahci-first",
        ),
        Scenario::new(
            "on q35 every drive sits on its own port",
            &Q35,
            "positions-q35",
        ),
        Scenario::new(
            "a disc in a drive can be mounted and a disk can sit in the place of a drive",
            &PC_WITH_DISC_AND_DISK,
            "disc-and-disk",
        ),
    ]
}

fn read(left: &Path, name: &str) -> Result<Vec<u8>> {
    fs::read(left.join(name)).with_context(|| format!("the script left no {name}"))
}
