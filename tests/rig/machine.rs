//! The computers that the rig boots, as data.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::packages::Packages;

/// A guest that has not switched itself off by then is stopped.
const PATIENCE: Duration = Duration::from_secs(900);

/// One computer: a chipset, what is plugged in, what the kernel loads.
#[derive(Clone, Copy)]
pub struct Machine {
    /// Names the folder of its results.
    pub name: &'static str,
    /// `pc`: PIIX3 with two PATA channels (buses `ide.0`, `ide.1`, units 0 and
    /// 1) at the legacy ports. `q35`: ICH9 with six SATA ports (`ide.0` to `ide.5`).
    pub chipset: &'static str,
    /// Further controllers, as QEMU's `-device` wants them; they come before the slots.
    pub controllers: &'static [&'static str],
    pub slots: &'static [Slot],
    /// In the order in which the kernel loads them, after those every machine needs.
    pub modules: &'static [&'static str],
    /// Further words of the kernel's command line.
    pub options: &'static str,
    pub clock: Clock,
}

/// How time passes for a guest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// As it does here.
    Real,
    /// In a guest that only waits, it leaps to the end of the wait: minutes are
    /// over at once, and so are the many short waits of a command to a drive.
    /// The registers of an emulated controller are slower this way.
    Leaps,
}

/// A place on a controller and what sits in it.
#[derive(Clone, Copy)]
pub struct Slot {
    pub bus: &'static str,
    pub unit: u8,
    pub holds: Device,
}

#[derive(Clone, Copy)]
pub enum Device {
    /// A genuine ATAPI drive without a disc; the text is its INQUIRY revision.
    Drive(&'static str),
    /// The same with an ext2 disc in it.
    DriveWithDisc(&'static str),
    /// A hard disk.
    Disk,
}

impl Slot {
    pub const fn drive(bus: &'static str, unit: u8, revision: &'static str) -> Self {
        Self {
            bus,
            unit,
            holds: Device::Drive(revision),
        }
    }
}

/// The modules that every machine loads first: the way out for results, the
/// SCSI nodes, and the bus on which simulated drives are plugged in.
pub const ALWAYS: [&str; 6] = [
    "virtio_pci",
    "virtio_console",
    "sg",
    "sr_mod",
    "usb_storage",
    "vhci_hcd",
];

impl Machine {
    /// Boots `initramfs` and waits until the guest switches itself off. Its
    /// console goes to `console`, what it sends through its port to `sent`.
    pub fn boot(
        &self,
        packages: &Packages,
        initramfs: &Path,
        console: &Path,
        sent: &Path,
    ) -> Result<()> {
        let disc = sent.with_extension("disc");
        let mut qemu = Command::new(packages.program("qemu-system-x86_64")?);
        qemu.env("LD_LIBRARY_PATH", packages.library_path());
        for folder in packages.firmware() {
            qemu.arg("-L").arg(folder);
        }
        let memory = memory_for(fs::metadata(initramfs)?.len());
        qemu.args(["-accel", "tcg", "-m", &memory, "-nodefaults", "-no-reboot"])
            .args(["-display", "none", "-machine", self.chipset])
            .arg("-serial")
            .arg(format!("file:{}", console.display()))
            .arg("-kernel")
            .arg(packages.kernel())
            .arg("-initrd")
            .arg(initramfs)
            .arg("-append")
            .arg(format!("{} {}", self.clock.options(), self.options))
            .args(["-device", "virtio-serial", "-chardev"])
            .arg(format!("file,id=sent,path={}", sent.display()))
            .args(["-device", "virtserialport,chardev=sent,name=results"]);
        if self.clock == Clock::Leaps {
            qemu.args(["-icount", "shift=0,sleep=off"]);
        }
        for controller in self.controllers {
            qemu.args(["-device", controller]);
        }
        for (number, slot) in self.slots.iter().enumerate() {
            slot.plug(number, &disc, packages, &mut qemu)?;
        }

        let mut guest = qemu
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {qemu:?}"))?;
        let started = Instant::now();
        while guest.try_wait()?.is_none() {
            if started.elapsed() > PATIENCE {
                guest.kill()?;
                guest.wait()?;
                bail!("the guest did not switch itself off within {PATIENCE:?}");
            }
            sleep(Duration::from_millis(20));
        }
        let output = guest.wait_with_output()?;
        ensure!(
            output.status.success(),
            "QEMU failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }
}

/// In MiB, for QEMU. The archive lies in the guest's memory twice while the
/// kernel unpacks it, and what it is unpacked into holds half of the memory at
/// most: the kernel leaves out the rest of the files without an error.
fn memory_for(archive: u64) -> String {
    (256 + 3 * (archive >> 20)).max(768).to_string()
}

impl Clock {
    fn options(self) -> &'static str {
        // The timer check fails, and the kernel with it, where this machine is
        // busy. A command to a drive is many short waits of the guest, and with
        // the last option each of them is shorter.
        match self {
            Clock::Real => {
                "console=ttyS0 quiet panic=-1 nokaslr no_timer_check mitigations=off idle=poll"
            }
            Clock::Leaps => "console=ttyS0 quiet panic=-1 nokaslr no_timer_check mitigations=off",
        }
    }

    /// Seconds of the guest that a script may take.
    pub fn patience(self) -> u32 {
        match self {
            Clock::Real => 400,
            Clock::Leaps => 3600,
        }
    }
}

impl Slot {
    fn plug(
        &self,
        number: usize,
        disc: &Path,
        packages: &Packages,
        qemu: &mut Command,
    ) -> Result<()> {
        let place = format!("bus={},unit={},drive=slot{number}", self.bus, self.unit);
        let (medium, device) = match self.holds {
            Device::Drive(revision) => (
                "media=cdrom".to_owned(),
                format!("ide-cd,{place},ver={revision}"),
            ),
            Device::DriveWithDisc(revision) => {
                make_disc(disc, packages)?;
                (
                    format!("media=cdrom,format=raw,file={}", disc.display()),
                    format!("ide-cd,{place},ver={revision}"),
                )
            }
            Device::Disk => (
                "driver=null-co,size=16M,read-zeroes=on".to_owned(),
                format!("ide-hd,{place}"),
            ),
        };
        qemu.arg("-drive")
            .arg(format!("if=none,id=slot{number},{medium}"))
            .arg("-device")
            .arg(device);
        Ok(())
    }
}

/// Busybox makes no ISO 9660, and the kernel mounts an ext2 disc as well.
fn make_disc(disc: &Path, packages: &Packages) -> Result<()> {
    fs::File::create(disc)?.set_len(4 << 20)?;
    let status = Command::new(packages.program("busybox")?)
        .args(["mke2fs", "-F", "-b", "4096"])
        .arg(disc)
        .stdout(Stdio::null())
        .status()?;
    ensure!(status.success(), "cannot make a disc for the guest");
    Ok(())
}
