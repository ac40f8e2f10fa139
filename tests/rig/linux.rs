//! Drives as Linux has them: index and listing, the hold, permissions, signals,
//! and the legacy ports of a channel that the kernel has, too.

use crate::scenarios::{
    PC, PC_LOCKED_DOWN, PC_NATIVE, PC_WITH_AHCI_FIRST, PC_WITH_DISC_AND_DISK, Q35, Scenario,
};

pub fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "index, nodes and a link lead to the drive whose revision names its position",
            &PC,
            "linux-index",
        ),
        Scenario::new(
            "an index without a drive says so, and other drives do not move up",
            &PC_WITH_AHCI_FIRST,
            "linux-index-empty",
        ),
        Scenario::new(
            "on SATA the index is the port's number and said to be a guess",
            &Q35,
            "linux-index-q35",
        ),
        Scenario::new(
            "the legacy ports are taken from the kernel and given back, also after a kill",
            &PC,
            "linux-ports",
        ),
        Scenario::new(
            "a drive on a channel in native mode is asked at that channel's own ports",
            &PC_NATIVE,
            "linux-native",
        ),
        Scenario::new(
            "at a terminal YES goes on and nothing else does, and Ctrl-C stops only what has not begun",
            &PC_WITH_AHCI_FIRST,
            "linux-terminal",
        ),
        Scenario::new(
            "in a container without the node the message names the command that gives it",
            &PC,
            "linux-container",
        ),
        Scenario::new(
            "a kernel that is locked down gives no ports, which is told before anything is done",
            &PC_LOCKED_DOWN,
            "linux-locked-down",
        ),
        Scenario::new(
            "a disc, a mount and a disk stand in the way and are named",
            &PC_WITH_DISC_AND_DISK,
            "linux-in-use",
        ),
        Scenario::new(
            "a drive at work is nobody else's and is not polled, and polling comes back",
            &Q35,
            "linux-hold",
        ),
        Scenario::new(
            "who may not use a drive reads which command helps",
            &PC_WITH_DISC_AND_DISK,
            "linux-users",
        ),
        Scenario::new(
            "the udev rule gives optical drives to their group, disks to nobody, and loads sg",
            &PC_WITH_DISC_AND_DISK,
            "linux-udev",
        ),
        Scenario::new(
            "nobody suspends or switches off while a flash is written, and everybody may afterwards",
            &Q35,
            "linux-inhibit",
        ),
        Scenario::new(
            "signals stop a write before its first block and never after it",
            &PC_WITH_AHCI_FIRST,
            "linux-signals",
        ),
        Scenario::new(
            "a drive pulled in the middle of an erase is told so, and the same line ends the job",
            &Q35,
            "linux-pulled",
        ),
    ]
}
