//! What the rig runs on: QEMU, a kernel and the tools of the guest, as Debian
//! packages that are downloaded and unpacked beside the build, never installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

/// The emulator: unpacked with every library of it that this machine lacks.
const EMULATOR: [&str; 4] = [
    "qemu-system-x86",
    "qemu-system-common",
    "qemu-system-data",
    "seabios",
];

/// Programs for the guest, and what unpacks its kernel. Their libraries are looked up like the emulator's.
const TOOLS: [&str; 8] = [
    "busybox-static",
    "sg3-utils",
    "dvd+rw-tools",
    "xz-utils",
    "udev",
    "kmod",
    "systemd",
    "dbus-daemon",
];

/// Names the newest kernel of the release by depending on it.
const KERNEL: &str = "linux-image-amd64";

/// The parts of a kernel package that the rig can load: the rest is 300 MB.
const KERNEL_PARTS: [&str; 13] = [
    "*/boot/vmlinuz-*",
    "*/modules.builtin",
    "*/kernel/arch/*",
    "*/kernel/block/*",
    "*/kernel/crypto/*",
    "*/kernel/lib/*",
    "*/kernel/fs/*",
    "*/kernel/drivers/ata/*",
    "*/kernel/drivers/cdrom/*",
    "*/kernel/drivers/char/*",
    "*/kernel/drivers/scsi/*",
    "*/kernel/drivers/usb/*",
    "*/kernel/drivers/virtio/*",
];

/// The unpacked packages.
pub struct Packages {
    root: PathBuf,
}

impl Packages {
    /// Unpacks everything into `cache`, or finds it there from an earlier run.
    pub fn ready(cache: &Path) -> Result<Self> {
        let root = cache.join("packages");
        let list = root.join("unpacked");
        let wanted = format!("{EMULATOR:?} {TOOLS:?} {KERNEL} {KERNEL_PARTS:?}\n");
        if fs::read_to_string(&list).is_ok_and(|unpacked| unpacked == wanted) {
            return Ok(Self { root });
        }
        ensure!(
            cfg!(target_arch = "x86_64"),
            "the rig boots a kernel of this machine's architecture and knows x86_64 only"
        );

        // A run that is killed halfway leaves only the folder that the next one replaces.
        let started = Instant::now();
        let part = cache.join("packages.part");
        remove(&part)?;
        let debs = part.join("debs");
        fs::create_dir_all(&debs)?;
        download(cache, &debs)?;
        unpack(&debs, &part)?;
        fs::remove_dir_all(&debs)?;
        uncompress_kernel(&part)?;
        fs::write(part.join("unpacked"), wanted)?;
        remove(&root)?;
        fs::rename(&part, &root)?;
        eprintln!(
            "rig: packages downloaded and unpacked in {:.1} s",
            started.elapsed().as_secs_f32()
        );
        Ok(Self { root })
    }

    /// A program from the packages, else the one of this machine.
    pub fn program(&self, name: &str) -> Result<PathBuf> {
        ["usr/bin", "usr/sbin", "bin", "sbin", "lib/systemd"]
            .iter()
            .flat_map(|folder| [self.root.join(folder), Path::new("/").join(folder)])
            .map(|folder| folder.join(name))
            .find(|path| path.is_file())
            .with_context(|| format!("no program {name} in the packages or on this machine"))
    }

    /// The content of a file that xz has packed.
    pub fn xz(&self, packed: &Path) -> Result<Vec<u8>> {
        let output = Command::new(self.program("xz")?)
            .env("LD_LIBRARY_PATH", self.library_path())
            .arg("-dc")
            .arg(packed)
            .output()?;
        ensure!(
            output.status.success(),
            "cannot unpack {}",
            packed.display()
        );
        Ok(output.stdout)
    }

    /// The value of LD_LIBRARY_PATH with which unpacked programs run here.
    pub fn library_path(&self) -> String {
        [
            "usr/lib/x86_64-linux-gnu",
            "lib/x86_64-linux-gnu",
            "usr/lib/x86_64-linux-gnu/systemd",
        ]
        .map(|folder| self.root.join(folder).display().to_string())
        .join(":")
    }

    /// Where the emulator finds firmware and option ROMs.
    pub fn firmware(&self) -> [PathBuf; 2] {
        ["usr/share/seabios", "usr/share/qemu"].map(|folder| {
            let unpacked = self.root.join(folder);
            if unpacked.is_dir() {
                unpacked
            } else {
                Path::new("/").join(folder)
            }
        })
    }

    /// The kernel to boot, uncompressed where that was possible.
    pub fn kernel(&self) -> PathBuf {
        self.root.join("kernel")
    }

    /// The folder that holds the unpacked files.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}

fn run(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {command:?}"))?;
    ensure!(
        output.status.success(),
        "{command:?} failed: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The package lists that apt works from, a day or a release old at times.
enum Lists {
    /// Those of the system.
    System,
    /// Our own, fetched into the cache: a fresh image has none, and updating
    /// the system's needs root.
    Own(PathBuf),
}

impl Lists {
    fn apt(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("LC_ALL", "C").arg("-q");
        if let Lists::Own(folder) = self {
            for (option, place) in [("Dir::State::Lists", "lists"), ("Dir::Cache", "cache")] {
                let place = folder.join(place);
                command
                    .arg("-o")
                    .arg(format!("{option}={}", place.display()));
            }
        }
        // As root, apt would download as a user that may not write in our cache.
        command.args(["-o", "APT::Sandbox::User="]);
        command
    }

    fn fetched(folder: PathBuf) -> Result<Self> {
        fs::create_dir_all(folder.join("lists/partial"))?;
        fs::create_dir_all(folder.join("cache/archives/partial"))?;
        let own = Lists::Own(folder);
        run(own.apt("apt-get").arg("update"))?;
        Ok(own)
    }
}

fn download(cache: &Path, debs: &Path) -> Result<()> {
    download_by(&Lists::System, debs).or_else(|error| {
        eprintln!("rig: the system's package lists do not do, fetching fresh ones");
        let fresh = Lists::fetched(cache.join("apt")).and_then(|own| download_by(&own, debs));
        fresh.with_context(|| format!("neither did the system's lists do: {error:#}"))
    })
}

fn download_by(lists: &Lists, debs: &Path) -> Result<()> {
    // Simulated, the installation says what is missing here besides the named ones.
    let mut names: Vec<String> = run(lists
        .apt("apt-get")
        .args(["install", "--simulate", "--no-install-recommends"])
        .args(EMULATOR)
        .args(TOOLS))?
    .lines()
    .filter_map(|line| line.strip_prefix("Inst ")?.split(' ').next())
    // The C library must be the one of the loader that runs the programs.
    .filter(|name| *name != "libc6" && *name != "libc-bin")
    .map(str::to_owned)
    .collect();
    // Installed ones too: the guest gets them from the unpacked tree.
    names.extend(EMULATOR.into_iter().chain(TOOLS).map(str::to_owned));
    let kernel = run(lists.apt("apt-cache").args(["depends", KERNEL]))?;
    names.push(
        kernel
            .lines()
            .find_map(|line| line.trim().strip_prefix("Depends: "))
            .with_context(|| format!("{KERNEL} names no kernel"))?
            .to_owned(),
    );
    names.sort();
    names.dedup();
    run(lists
        .apt("apt-get")
        .arg("download")
        .args(&names)
        .current_dir(debs))?;
    Ok(())
}

fn unpack(debs: &Path, root: &Path) -> Result<()> {
    for entry in fs::read_dir(debs)? {
        let deb = entry?.path();
        let is_kernel = deb
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("linux-image-"));
        if is_kernel {
            unpack_kernel(&deb, root)?;
        } else {
            run(Command::new("dpkg-deb").arg("-x").arg(&deb).arg(root))?;
        }
    }
    Ok(())
}

fn unpack_kernel(deb: &Path, root: &Path) -> Result<()> {
    let mut archive = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(deb)
        .stdout(Stdio::piped())
        .spawn()?;
    let stream = archive.stdout.take().context("dpkg-deb gives no archive")?;
    let tar = Command::new("tar")
        .args(["-x", "--no-same-owner", "--wildcards", "-C"])
        .arg(root)
        .args(KERNEL_PARTS)
        .stdin(stream)
        .status()?;
    let archive = archive.wait()?;
    ensure!(
        tar.success() && archive.success(),
        "cannot unpack {}",
        deb.display()
    );
    Ok(())
}

/// Takes the kernel out of its self-extracting image when it is packed with xz,
/// as Debian's is: emulated, the extraction takes more than half of the boot.
/// Layout of the image: Documentation/arch/x86/boot.rst in the kernel's source,
/// fields setup_sects, payload_offset and payload_length.
fn uncompress_kernel(root: &Path) -> Result<()> {
    let boot = root.join("boot");
    let image = fs::read_dir(&boot)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.is_file())
        .with_context(|| format!("no kernel in {}", boot.display()))?;
    let bytes = fs::read(&image)?;
    let kernel = root.join("kernel");

    let Some(payload) = payload(&bytes).filter(|payload| payload.starts_with(b"\xFD7zXZ\0")) else {
        return Ok(fs::write(kernel, bytes)?);
    };
    let packed = root.join("kernel.xz");
    fs::write(&packed, payload)?;
    let uncompressed = Packages {
        root: root.to_owned(),
    }
    .xz(&packed)?;
    fs::remove_file(&packed)?;
    Ok(fs::write(kernel, uncompressed)?)
}

fn payload(image: &[u8]) -> Option<&[u8]> {
    let word = |at: usize| -> Option<usize> {
        let bytes = image.get(at..at + 4)?.try_into().ok()?;
        usize::try_from(u32::from_le_bytes(bytes)).ok()
    };
    let setup_sectors = match usize::from(*image.get(0x1F1)?) {
        0 => 4,
        sectors => sectors,
    };
    let start = (setup_sectors + 1) * 512 + word(0x248)?;
    // The build appends the uncompressed size, four bytes that are not xz's.
    image.get(start..start + word(0x24C)?.checked_sub(4)?)
}
